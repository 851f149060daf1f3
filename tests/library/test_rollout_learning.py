"""What happened against what was planned: weights, effective draws, narrower ranges."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.pace.rollout import Rollout, plan_rollout
from brightspots.pace.rollout_areas import read_areas
from brightspots.pace.rollout_assumptions import DEFAULTS, read_assumptions
from brightspots.pace.rollout_learning import DRAWS, Learned, learn, read_observed
from brightspots.pace.rollout_parameters import RolloutParameters
from brightspots.pace.rollout_simulate import simulate
from tests.library.rollout_worlds import certain_world, some_areas

PARAMETERS = RolloutParameters(200, terms=9, draws=20, search_draws=5, sweeps=1, moves=0)
PLAN = "by-readiness-3"


@cache
def rollout() -> Rollout:
    return plan_rollout(read_areas(some_areas(12)), PARAMETERS, 1)


def seen_if(terms: range, answers: int = 400, **truth: float) -> pl.DataFrame:
    """What a system would show in which every assumption has its value but those of `truth`."""
    here = rollout().areas
    known = {each.name: each.value for each in DEFAULTS} | {"growth_spread": 0.0} | truth
    w = certain_world(here, PARAMETERS, **known)
    plan = rollout().plan(PLAN).plan
    run = simulate(w, plan.start, plan.speed, watch=tuple(terms))
    rows = [
        {
            "area": code, "term": term, "abandoned": float(run.paths[term][0][0, at]) / schools,
            "held_back": float(run.paths[term][1][0, at]) / schools,
            "leaders": float(run.paths[term][2][0, at]), "answers": answers,
        }
        for term in terms
        for at, (code, schools) in enumerate(zip(here.codes, here.schools, strict=True))
    ]  # fmt: skip
    return pl.DataFrame(rows)


def learned_from(frame: pl.DataFrame, draws: int = 1000, **settings: float) -> Learned:
    observed = read_observed(frame, rollout().areas, PARAMETERS)
    return learn(rollout(), PLAN, observed, draws=draws, seed=2, **settings)


def after(learned: Learned, name: str) -> dict[str, float]:
    return learned.changes.row(by_predicate=pl.col("name") == name, named=True)


def test_readings_that_were_too_high_are_found_out() -> None:
    low = after(learned_from(seen_if(range(1, 7), readiness_bias=-0.18)), "readiness_bias")
    high = after(learned_from(seen_if(range(1, 7), readiness_bias=0.06)), "readiness_bias")
    assert low["value_after"] < low["value_before"] - 0.05
    assert high["value_after"] > high["value_before"] + 0.05
    assert low["low_after"] <= -0.18 <= low["high_after"]
    assert high["low_after"] <= 0.06 <= high["high_after"]
    assert low["narrowed"] > 0.3


def test_leaders_who_leave_faster_are_found_out() -> None:
    # Leaders who leave look much like trainees who finish late: only many draws tell them apart.
    for truth, sign in ((0.058, 1), (0.012, -1)):
        frame = seen_if(range(1, 10), leader_leaving=truth)
        found = after(learned_from(frame, draws=DRAWS), "leader_leaving")
        assert sign * (found["value_after"] - found["value_before"]) > 0.001


@pytest.mark.parametrize("least", [30, 100, 500])
def test_what_nothing_was_seen_of_keeps_its_range(least: float) -> None:
    # Nothing that is seen depends on these: how few draws are left must not move them.
    learned = learned_from(seen_if(range(1, 7), readiness_bias=-0.18), least=least)
    assert learned.effective < 600
    known = {each.name: each for each in learned.assumptions}
    for each in DEFAULTS:
        if each.name in ("leader_days", "training_days", "gain_ready", "loss_abandoned"):
            assert known[each.name] == each
            assert after(learned, each.name)["narrowed"] == 0


def test_with_no_information_nothing_changes() -> None:
    learned = learned_from(seen_if(range(1, 3), answers=1), discrepancy=1e6)
    assert learned.effective == pytest.approx(1000, rel=1e-6)
    assert learned.power == 1
    for each in DEFAULTS:
        row = after(learned, each.name)
        assert row["value_after"] == pytest.approx(each.value, abs=1e-3 * (each.high - each.low))
        assert row["narrowed"] == pytest.approx(0, abs=1e-6)


def test_more_seen_leaves_fewer_draws_in_effect() -> None:
    few = learned_from(seen_if(range(1, 2)), least=1)
    many = learned_from(seen_if(range(1, 9)), least=1)
    assert 1 <= many.effective < few.effective <= 1000


def test_what_no_draw_can_explain_is_said_and_not_believed_in_full() -> None:
    frame = seen_if(range(1, 4)).with_columns(abandoned=pl.lit(0.95), held_back=pl.lit(0.9))
    learned = learned_from(frame, least=50)
    assert learned.power < 1
    assert learned.effective == pytest.approx(50, rel=0.01)
    assert any("Hardly any draw agrees" in note for note in learned.notes)
    assert any("outside the 95 % range" in note for note in learned.notes)
    assert not learned.compared["expected"].all()


def test_the_updated_ranges_lie_within_those_before_and_can_be_read_again() -> None:
    learned = learned_from(seen_if(range(1, 7), readiness_bias=-0.15))
    for old, new in zip(DEFAULTS, learned.assumptions, strict=True):
        assert old.low <= new.low <= new.value <= new.high <= old.high
        told = new.source.startswith("updated by what was seen in terms 1 to 6; before: ")
        assert told or new == old
    bias = next(each for each in learned.assumptions if each.name == "readiness_bias")
    assert bias.source.startswith("updated")
    again = read_assumptions(
        pl.DataFrame([(a.name, a.low, a.value, a.high, a.source) for a in learned.assumptions],
                     schema=["name", "low", "value", "high", "source"], orient="row")
    )  # fmt: skip
    assert again == learned.assumptions


def test_areas_that_began_late_are_followed_from_where_they_began() -> None:
    frame = seen_if(range(1, 4))
    plan = rollout().plan(PLAN).plan
    first = rollout().areas.codes[int(np.argmin(plan.start))]
    late = frame.with_columns(
        started=pl.when(pl.col("area") == first).then(pl.lit("no")).otherwise(pl.lit(""))
    )
    on_time = learned_from(frame.filter(pl.col("area") == first)).compared
    waiting = learned_from(late.filter(pl.col("area") == first)).compared
    held = [
        each.filter(measure="held_back", term=3)["median_before"].item()
        for each in (on_time, waiting)
    ]
    assert held[1] > held[0]


def test_the_same_seed_gives_the_same() -> None:
    frame = seen_if(range(1, 4))
    first, second = learned_from(frame), learned_from(frame.reverse())
    assert first.changes.equals(second.changes)
    assert first.compared.equals(second.compared)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area": "X"}, 'row 2, column "area": there is no area "X"'),
        ({"term": 0}, 'row 2, column "term": "0" is no term. Give a whole number, 1 to 15.'),
        ({"term": 1.5}, '"1.5" is no term'),
        ({"abandoned": 1.2}, 'row 2, column "abandoned": 1.2 cannot be. Give a number, 0 to 1.'),
        ({"leaders": -1}, "-1 cannot be. Give a number, 0 or up."),
        ({"leaders": "many"}, '"many" is not a number'),
        ({"answers": None}, 'row 2, column "answers": there are shares of the pulse'),
        ({"started": "soon"}, '"soon" is not a number'),
    ],
)
def test_observations_that_cannot_be_are_refused_by_row_and_column(
    change: dict[str, object], message: str
) -> None:
    row = {"area": "D000", "term": 1, "abandoned": 0.1, "held_back": 0.2, "leaders": 3,
           "answers": 20, "started": "1"}  # fmt: skip
    frame = pl.DataFrame([{k: None if v is None else str(v) for k, v in (row | change).items()}])
    with pytest.raises(InputError) as error:
        read_observed(frame, rollout().areas, PARAMETERS)
    assert message in str(error.value)


def test_an_area_twice_in_a_term_or_with_two_beginnings_is_refused() -> None:
    row = {"area": "D000", "term": "1", "leaders": "3", "started": "1"}
    with pytest.raises(InputError, match="are already in row 2"):
        read_observed(pl.DataFrame([row, row]), rollout().areas, PARAMETERS)
    other = row | {"term": "2", "started": "2"}
    with pytest.raises(InputError, match="began in term 1 by another row"):
        read_observed(pl.DataFrame([row, other]), rollout().areas, PARAMETERS)


def test_a_table_without_anything_observed_is_refused() -> None:
    with pytest.raises(InputError, match="nothing observed"):
        read_observed(pl.DataFrame({"area": ["D000"], "term": ["1"]}), rollout().areas, PARAMETERS)
    empty = pl.DataFrame({"area": ["D000"], "term": ["1"], "leaders": [""]})
    with pytest.raises(InputError, match="nothing observed"):
        learned_from(empty)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="cannot be"):
        learned_from(seen_if(range(1, 2)), least=5000)


def test_a_range_of_its_own_keeps_where_it_comes_from() -> None:
    mine = read_assumptions(
        pl.DataFrame({"name": ["fade"], "low": ["0"], "value": ["0.01"], "high": ["0.02"],
                      "source": ["our survey"]})
    )  # fmt: skip
    by_name = {each.name: each for each in mine}
    assert by_name["fade"].source == "our survey"
    assert replace(by_name["fade"], low=0, value=0.02, high=0.06, source="assumed") in DEFAULTS
    assert len(mine) == len(DEFAULTS)
