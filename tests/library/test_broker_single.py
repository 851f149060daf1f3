"""One request against all offers: by another reckoning, and without a solver."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from brightspots.connectedness import brokering
from brightspots.connectedness.broker_parameters import BrokerParameters
from brightspots.connectedness.broker_single import Comparison, shortlist, why_not
from brightspots.core.errors import InputError

from .broker_checker import costs, town

PLAIN = BrokerParameters(exploration=0, fairness=None)
ASK = """
import sys
import polars as pl
from brightspots.connectedness import broker_single
offers = pl.DataFrame({"offer": ["A", "B"], "school": ["T", "U"], "priority": "maths",
                       "latitude": [0.1, 0.2], "longitude": 30.0, "places": 1})
ask = {"request": "R", "school": "S", "priority": "maths", "latitude": 0.1, "longitude": 30.0}
assert [each.offer for each in broker_single.shortlist(ask, offers)] == ["A", "B"]
assert broker_single.why_not(ask, offers, "B").best == "A"
slow = [name for name in sys.modules if name.split(".")[0] in ("ortools", "numba", "llvmlite")]
assert not slow, slow
"""


def alone(seed: int) -> tuple[list[dict[str, object]], pl.DataFrame, pl.DataFrame]:
    """A town whose givers do not ask, so that what holds for all holds for each by itself."""
    requests, offers = town(30, 20, seed)
    offers = offers.with_columns(school=pl.format("T{}", "school"))
    return requests.to_dicts(), requests, offers


def test_neither_a_solver_is_loaded_nor_anything_compiled() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("seed", range(2))
def test_by_how_much_another_suits_better_is_what_another_reckoning_gives(seed: int) -> None:
    rows, requests, offers = alone(seed)
    pair = costs(requests, offers, 25.0)
    for i, row in list(enumerate(rows))[::4]:
        best = pair[i].min()
        for j, code in enumerate(offers["offer"].to_list()):
            found = why_not(row | {"weight": None}, offers, code, PLAIN)
            if np.isinf(pair[i, j]):
                assert found.more_than_best is None
                assert len(found.against) == 1
                assert found.against[0].kind != "part"
                continue
            assert found.more_than_best == pytest.approx(pair[i, j] - best, abs=1e-6)
            assert found.score == pytest.approx(pair[i, j], abs=1e-6)
            told = [float(each.values["km"]) for each in found.against]
            assert told == sorted(told, reverse=True)
            # What stands against it outweighs the difference: the rest speaks for it.
            assert sum(told) >= pair[i, j] - best - 6 * 0.05


def test_what_the_shortlist_says_and_what_is_said_of_an_offer_on_it_agree() -> None:
    rows, _requests, offers = alone(8)
    for row in rows[::3]:
        for each in shortlist(row, offers, PLAIN):
            found = why_not(row, offers, each.offer, PLAIN)
            assert found.more_than_best == pytest.approx(each.more_than_best)
            assert (found.reasons, found.distance_km) == (each.reasons, each.distance_km)


def test_the_order_of_rows_changes_nothing() -> None:
    rows, _requests, offers = alone(3)
    code = offers["offer"][7]
    turned = offers.reverse()
    for row in rows[:8]:
        assert why_not(row, offers, code, PLAIN) == why_not(row, turned, code, PLAIN)
        assert shortlist(row, offers, PLAIN) == shortlist(row, turned, PLAIN)


def two(**more: object) -> tuple[dict[str, object], pl.DataFrame]:
    """A request beside offer A; offer B stands 11 km away."""
    offers = pl.DataFrame({
        "offer": ["A", "B"], "school": ["T", "U"], "priority": "maths",
        "latitude": [0.1, 0.2], "longitude": 30.0, "places": [1, 1],
    })  # fmt: skip
    ask: dict[str, object] = {
        "request": "R", "school": "S", "priority": "maths", "latitude": 0.1, "longitude": 30.0,
    }  # fmt: skip
    return ask | more, offers


def test_the_best_has_nothing_against_it_and_the_farther_one_its_distance() -> None:
    ask, offers = two()
    best, other = why_not(ask, offers, "A", PLAIN), why_not(ask, offers, "B", PLAIN)
    assert (best.best, best.more_than_best, best.against) == ("A", 0.0, ())
    assert isinstance(other, Comparison)
    assert [each.values["part"] for each in other.against] == ["distance"]
    assert other.more_than_best == pytest.approx(0.1 * 111.195, rel=1e-3)


def test_where_no_offer_may_be_there_is_no_best() -> None:
    ask, offers = two()
    found = why_not(ask, offers.with_columns(places=pl.lit(0)), "B", PLAIN)
    assert (found.best, found.more_than_best) == (None, None)
    assert [each.kind for each in found.against] == ["no_places"]


def test_too_far_is_said_with_the_limit_that_was_set() -> None:
    ask, offers = two()
    found = why_not(ask, offers, "B", BrokerParameters(exploration=0, max_km=5.0))
    assert [(each.kind, each.values["max_km"]) for each in found.against] == [("too_far", 5.0)]


def test_a_drawn_record_stands_against_nobody() -> None:
    ask, offers = two()
    offers = offers.with_columns(
        latitude=pl.lit(0.1), gain=pl.Series([0.5, 0.0]), se=pl.lit(0.05), projects=pl.lit(3)
    )
    plain = why_not(ask, offers, "B", PLAIN)
    assert [each.values["part"] for each in plain.against] == ["track_record"]
    drawn = [
        why_not(ask, offers, code, BrokerParameters(exploration=1), seed)
        for seed in range(5)
        for code in ("A", "B")
    ]
    assert not [found for found in drawn if found.against]


def test_an_offer_that_is_not_there_is_named() -> None:
    ask, offers = two()
    for frame in (offers, offers.clear()):
        with pytest.raises(InputError, match="there is no offer Z"):
            why_not(ask, frame, "Z")


def test_brokering_gives_the_same_function() -> None:
    assert brokering.shortlist is shortlist
