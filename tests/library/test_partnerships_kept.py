"""Pins are kept, by the exact way and by the search, or it is said which are not and why."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightspots.connectedness import partnerships as module
from brightspots.connectedness.partnerships import (
    Parameters,
    Partnerships,
    Pins,
    form_partnerships,
)
from brightspots.connectedness.pins import contradictions
from brightspots.core.errors import InputError
from tests.library.partnership_checker import Checker, Row
from tests.library.test_partnerships import as_bytes, frame, line, partition, scattered

SMALL: dict[str, Any] = {"minimum": 3, "maximum": 5, "max_km": 30.0}
PAIR = frozenset({"S00", "S07"})


def form(rows: list[dict[str, Any]], pins: Pins, **more: Any) -> Partnerships:
    quick = {"steps_per_school": 40, "bound_steps": 60}
    return form_partnerships(frame(rows), Parameters(**quick | more), pins=pins)


def broken(result: Partnerships, pins: Pins) -> set[tuple[str, str, str]]:
    """Pins that an answer does not keep, worked out apart from the library."""
    of = dict(result.members.select("school", "partnership").iter_rows())
    led = dict(result.members.select("school", "leader_school").iter_rows())
    found = {
        ("apart", one, other)
        for group in pins.apart for one, other in combinations(sorted(group), 2)
        if one in of and of[one] == of.get(other)
    }  # fmt: skip
    for group in pins.together:
        first, *others = sorted(group)
        found |= {("together", first, other) for other in others
                  if first not in of or of[first] != of.get(other)}  # fmt: skip
    found |= {("leader", school, "") for school in pins.leads if led.get(school) != school}
    found |= {("led_by", school, by) for school, by in pins.led_by.items() if led.get(school) != by}
    return found


def reported(result: Partnerships) -> set[tuple[str, str, str]]:
    assert all(result.broken_pins["reason"].to_list())
    return set(result.broken_pins.drop("reason").iter_rows())


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    "pins",
    [
        Pins(together=(PAIR,)),
        Pins(apart=(frozenset({"S00", "S01", "S02"}),)),
        Pins(leads=frozenset({"S00"})),
        Pins(led_by={"S09": "S02"}),
        Pins(together=(PAIR,), apart=(frozenset({"S00", "S01"}),), led_by={"S09": "S02"}),
    ],
)
def test_pin_against_the_map_is_kept(
    pins: Pins, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exact:
        monkeypatch.setattr(module, "LARGEST_COMPONENT", 0)
    rows = line(12)
    result = form(rows, pins)
    assert broken(result, pins) == set()
    assert result.broken_pins.is_empty()
    assert result.isolated.is_empty()
    Checker(rows, 4, 8, 25.0, leads=pins.leaders).check(result)
    assert result.objective["total"] >= form(rows, Pins()).objective["total"]


def keeps(pins: Pins, members: Sequence[Row]) -> bool:
    codes = {row["school"] for row in members}
    return (
        all(len(codes & group) <= 1 for group in pins.apart)
        and all(len(codes & group) in (0, len(group)) for group in pins.groups())
        and len(codes & pins.leaders) <= 1
    )


def draw_pins(rows: Sequence[Row], rng: random.Random, number: int) -> Pins:
    codes = [row["school"] for row in rows]
    together, apart, leads, led_by = [], [], set(), {}
    for _ in range(number):
        one, other = rng.sample(codes, 2)
        kind = rng.choice(["together", "apart", "apart", "leads", "led_by"])
        if kind == "together":
            together.append(frozenset((one, other)))
        elif kind == "apart":
            apart.append(frozenset((one, other)))
        elif kind == "leads":
            leads.add(one)
        else:
            led_by[one] = other
    return Pins(tuple(together), tuple(apart), frozenset(leads), led_by)


def parts_led(rules: Checker, pins: Pins, members: Sequence[Row]) -> float | None:
    """Least cost under the leader that is fixed, if one is."""
    leaders = [row for row in members if row["school"] in pins.leaders] or members
    costs = [
        sum(parts.values()) for leader in leaders
        if (parts := rules.parts(members, leader)) is not None
    ]  # fmt: skip
    return min(costs, default=None)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("exact", [True, False])
def test_cheapest_way_to_keep_pins_is_found_on_nine_schools(
    seed: int, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exact:
        monkeypatch.setattr(module, "LARGEST_COMPONENT", 0)
    rows = [row for row in scattered(9, seed, 0.1, full=False) if row["latitude"] is not None]
    parameters = Parameters(**SMALL, steps_per_school=100)
    pins = draw_pins(rows, random.Random(seed), 3)  # noqa: S311 - test data
    if contradictions(pins, frame(rows), parameters):
        with pytest.raises(InputError):
            form_partnerships(frame(rows), parameters, pins=pins)
        return
    result = form_partnerships(frame(rows), parameters, pins=pins)
    assert reported(result) == broken(result, pins)

    class Pinned(Checker):
        def cheapest(self, members: Sequence[Row]) -> float | None:
            return parts_led(self, pins, members)

    rules = Pinned(rows, 3, 5, 30.0)
    fewest, _ = rules.best()
    left, cost = rules.best(lambda members: keeps(pins, members))
    if left == fewest:
        assert result.broken_pins.is_empty()
        assert result.objective["total"] == pytest.approx(cost, abs=1e-6)
    else:
        assert not result.broken_pins.is_empty()
    assert result.isolated.height == fewest


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(n=st.integers(8, 60), seed=st.integers(0, 10**6), shuffle=st.randoms())
def test_what_is_reported_is_what_is_broken_on_random_maps(
    n: int, seed: int, shuffle: random.Random
) -> None:
    rows = scattered(n, seed, 0.3)
    for row in rows:
        row.pop("capacity")
    parameters = Parameters(minimum=3, maximum=6, steps_per_school=10, bound_steps=20)
    pins = draw_pins(rows, random.Random(seed), n // 4)  # noqa: S311 - test data
    if contradictions(pins, frame(rows), parameters):
        return
    result = form_partnerships(frame(rows), parameters, pins=pins)
    assert reported(result) == broken(result, pins)
    Checker(rows, 3, 6, 25.0, leads=pins.leaders).check(result)
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    again = form_partnerships(frame(shuffled), parameters, pins=pins)
    assert as_bytes(again) == as_bytes(result)


def test_dozens_of_pins_are_kept_on_three_hundred_schools() -> None:
    """Pins are drawn from a partition that exists, so that all of them can be kept at once."""
    rows = [row for row in scattered(300, 8, 0.4, full=False) if row["latitude"] is not None]
    there = form_partnerships(frame(rows), Parameters(steps_per_school=2, bound_steps=0), seed=9)
    groups = sorted(sorted(group) for group in partition(
        there, {row["school"]: row["school"] for row in rows}))  # fmt: skip
    leaders = there.members["leader_school"].unique().sort().to_list()
    rng = random.Random(1)  # noqa: S311 - test data
    apart = [frozenset((rng.choice(one), rng.choice(other)))
             for one, other in pairwise(groups)]  # fmt: skip
    pins = Pins(
        together=tuple(frozenset(rng.sample(group, 3)) for group in groups[::3]),
        apart=tuple(apart),
        leads=frozenset(leaders[::5]),
        led_by={row["school"]: row["leader_school"] for row in there.members.to_dicts()[::17]},
    )
    result = form(rows, pins)
    assert broken(result, pins) == set()
    assert result.broken_pins.is_empty()
    assert result.lower_bound is not None
    assert result.lower_bound <= result.objective["total"]


def test_pin_that_would_leave_a_school_out_is_broken_and_says_so() -> None:
    # Four schools make one partnership or none.
    rows = line(4)
    pins = Pins(apart=(frozenset({"S00", "S01"}),))
    result = form(rows, pins, minimum=4, maximum=4)
    assert result.isolated.is_empty()
    assert result.broken_pins.to_dicts() == [{
        "kind": "apart", "school_a": "S00", "school_b": "S01",
        "reason": "no arrangement keeps it beside the other pins and serves as many schools"
        " (all were checked)",
    }]  # fmt: skip


def test_pins_that_contradict_each_other_are_refused() -> None:
    pins = Pins(together=(PAIR,), apart=(PAIR,))
    with pytest.raises(InputError, match="S00"):
        form(line(12), pins)


def test_pins_count_in_the_hash_of_the_input() -> None:
    plain, pinned = form(line(8), Pins()), form(line(8), Pins(leads=frozenset({"S00"})))
    assert plain.provenance.input_hash != pinned.provenance.input_hash


def test_pins_hold_when_partnerships_are_formed_again() -> None:
    rows = line(12)
    existing = pl.DataFrame(
        {"school": [row["school"] for row in rows], "partnership": ["A"] * 6 + ["B"] * 6}
    )
    pins = Pins(together=(frozenset({"S00", "S11"}),))
    result = form_partnerships(frame(rows), Parameters(), existing=existing, pins=pins)
    assert result.broken_pins.is_empty()
