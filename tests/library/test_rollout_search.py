"""The search for rollout plans: against every plan there is, the usual plans, and itself."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.pace.rollout import Rollout, StopEarly, plan_rollout
from brightspots.pace.rollout_areas import read_areas
from brightspots.pace.rollout_parameters import RolloutParameters
from brightspots.pace.rollout_plan import choices, usual_plans
from brightspots.pace.rollout_search import WEIGHTS, not_beaten, search
from brightspots.pace.rollout_sensitivity import rank_correlation, sensitivity, share_of_variance
from brightspots.pace.rollout_simulate import simulate
from tests.library.rollout_worlds import areas, certain, drawn_world, some_areas

SMALL = RolloutParameters(support_days=40, terms=5, speeds=(1, 2), draws=12, exhaustive=0)
MIDDLE = RolloutParameters(
    support_days=250, terms=10, draws=40, search_draws=10, sweeps=3, moves=40, points=5
)


@cache
def middle() -> Rollout:
    return plan_rollout(read_areas(some_areas(20)), MIDDLE, 3)


def two(rollout: Rollout, name: str) -> tuple[float, float]:
    return rollout.measured[name].mean("abandoned"), rollout.measured[name].mean("held_back")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_search_is_within_a_hundredth_of_the_best_of_every_plan_there_is(seed: int) -> None:
    here = read_areas(some_areas(3, seed))
    w, offered = drawn_world(here, SMALL, seed), choices(here, SMALL)
    usual = usual_plans(here, SMALL, offered)
    pairs = []
    for at in itertools.product(range(offered.count), repeat=3):
        found = simulate(w, offered.start[list(at)], offered.speed[list(at)])
        pairs.append([each.sum(axis=1).mean() for each in (found.abandoned, found.held_back)])
    every = np.array(pairs)
    assert len(every) == 9**3
    searched = search(w, offered, usual, SMALL, seed=seed)
    assert searched.looked_at < len(every) * 0.75
    assert not searched.complete
    for row in searched.weighed:
        best = (every @ [row["weight"], 1 - row["weight"]]).min()
        assert row["bound"] <= best + 1e-9
        assert best - 1e-9 <= row["best"] <= best * 1.01
        assert row["gap"] >= (row["best"] - best) / row["best"] - 1e-12


def test_with_few_plans_every_one_is_looked_at_and_the_curve_is_exact() -> None:
    here = read_areas(some_areas(3))
    parameters = RolloutParameters(
        support_days=40, terms=5, speeds=(1, 2), draws=12, search_draws=12, points=50
    )
    found = plan_rollout(here, parameters, 1)
    assert found.found.complete
    assert [row["gap"] for row in found.found.weighed] == [0.0] * len(WEIGHTS)
    offered = choices(here, parameters)
    pairs = []
    for at in itertools.product(range(offered.count), repeat=3):
        run = simulate(found.world, offered.start[list(at)], offered.speed[list(at)])
        pairs.append((run.abandoned.sum(axis=1).mean(), run.held_back.sum(axis=1).mean()))
    front = [pairs[at] for at in not_beaten(pairs)]
    np.testing.assert_allclose([two(found, name) for name in found.curve], front)


def test_no_usual_plan_is_better_than_the_curve() -> None:
    found = middle()
    usual = [name for name in found.measured if not name.startswith("curve-")]
    assert len(usual) == 12  # four ways at three speeds
    curve = [two(found, name) for name in found.curve]
    for name in usual:
        alone, held = two(found, name)
        assert any(a <= alone and h <= held for a, h in curve), name
    totals = [sum(pair) for pair in curve]
    assert min(totals) < 0.97 * min(sum(two(found, name)) for name in usual)


def test_the_curve_goes_down_and_bounds_lie_below() -> None:
    found = middle()
    pairs = [two(found, name) for name in found.curve]
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in itertools.pairwise(pairs))
    assert len(found.curve) <= MIDDLE.points + 2
    for row in found.found.weighed:
        assert 0 < row["bound"] <= row["best"]
        assert 0 <= row["gap"] < 1


def test_the_same_seed_gives_the_same_in_whatever_order_the_rows_stand() -> None:
    shuffled = some_areas(20).sample(fraction=1, shuffle=True, seed=1)
    again = plan_rollout(read_areas(shuffled), MIDDLE, 3)
    found = middle()
    assert again.plans_frame().equals(found.plans_frame())
    assert again.schedules_frame().equals(found.schedules_frame())
    assert again.measures_frame().equals(found.measures_frame())
    assert again.provenance == found.provenance
    other = plan_rollout(read_areas(shuffled), MIDDLE, 4)
    assert not other.measures_frame().equals(found.measures_frame())


def test_what_is_fixed_and_earliest_terms_hold_in_every_plan() -> None:
    frame = some_areas(8).with_columns(earliest=pl.Series([1, 4, None, None, 1, 1, 1, 1]))
    parameters = RolloutParameters(80, terms=8, speeds=(2, 4), draws=10, sweeps=2, moves=10)
    fixed = {"D002": (3, None), "D003": (5, 4)}
    found = plan_rollout(read_areas(frame), parameters, 1, fixed=fixed)
    for each in found.measured.values():
        assert each.plan.start[1] >= 4
        assert each.plan.start[2] == 3
        assert (each.plan.start[3], each.plan.speed[3]) == (5, 4)
        assert (each.plan.start + each.plan.speed <= 9).all()
    assert found.provenance.settings["fixed"] == {"D002": [3, None], "D003": [5, 4]}


def test_one_per_term_is_one_area_after_the_other_in_the_order_given() -> None:
    here = areas(priority=[3, 1, 2], readiness=[0.1, 0.2, 0.9])
    parameters = RolloutParameters(10, terms=6, speeds=(2,))
    plans = {p.name: p for p in usual_plans(here, parameters, choices(here, parameters))}
    assert plans["one-per-term-2"].start.tolist() == [3, 1, 2]
    assert plans["by-readiness-2"].start.tolist() == [3, 2, 1]
    assert plans["all-at-once-2"].start.tolist() == [1, 1, 1]


def test_regions_begin_together_and_terms_are_shared_where_there_are_too_few() -> None:
    here = areas(region=["S", "N", "S", "N"], priority=[1, 2, 3, 4])
    parameters = RolloutParameters(10, terms=3, speeds=(2,))
    plans = {p.name: p for p in usual_plans(here, parameters, choices(here, parameters))}
    assert plans["region-by-region-2"].start.tolist() == [1, 2, 1, 2]
    assert plans["one-per-term-2"].start.tolist() == [1, 1, 2, 2]


def test_a_search_that_is_stopped_keeps_the_best_so_far_and_goes_on_from_it() -> None:
    here = read_areas(some_areas(20))
    told: list[str] = []

    def stop_soon(_share: float, stage: str) -> None:
        told.append(stage)
        if len(told) > 4:
            raise StopEarly

    found = plan_rollout(here, MIDDLE, 3, progress=stop_soon)
    assert found.found.stopped_early
    assert found.found.looked_at < middle().found.looked_at
    best = min(sum(two(found, name)) for name in found.curve)
    assert best < min(sum(two(found, n)) for n in found.measured if n not in found.curve)
    plans = [found.measured[name].plan for name in found.curve]
    further = plan_rollout(here, MIDDLE, 3, known=plans)
    assert min(sum(two(further, name)) for name in further.curve) <= best * (1 + 1e-12)
    kept = plan_rollout(here, MIDDLE, 3, found=further.found)
    assert kept.plans_frame().equals(further.plans_frame())


def test_the_time_limit_ends_the_search() -> None:
    parameters = RolloutParameters(250, terms=10, draws=10, time_limit=1e-9)
    found = plan_rollout(read_areas(some_areas(20)), parameters, 3)
    assert found.found.stopped_early
    assert found.curve


def test_changes_by_hand_are_measured_against_the_plan_they_start_from() -> None:
    found = middle()
    name = found.curve[0]
    start = int(found.measured[name].plan.start[4])
    later = start + 1 if start < 4 else start - 1
    change = found.changed(name, {"D004": (later, None)})
    assert change.areas["area"].to_list() == ["D004"]
    assert change.areas["start_after"].to_list() == [later]
    by_hand = simulate(found.world, change.plan.start, change.plan.speed).held_back.sum(axis=1)
    paired = by_hand - found.measured[name].values["held_back", "total"]
    row = change.difference.filter(measure="held_back", part="total").row(0, named=True)
    assert row["median"] == pytest.approx(np.median(paired))
    assert row["low95"] == pytest.approx(np.quantile(paired, 0.025))
    nothing = found.changed(name, {"D004": (start, None)})
    assert nothing.areas.height == 0
    assert (nothing.difference["mean"] == 0).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": (1, None)}, "there is no area X"),
        ({"D004": (99, None)}, "the area D004 cannot begin in term 99"),
        ({"D004": (1, 5)}, "with 5 terms of support"),
    ],
)
def test_changes_that_cannot_be_are_refused(
    changes: dict[str, tuple[int, int | None]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        middle().changed(middle().curve[0], changes)


def test_a_plan_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r'no plan "best".*curve-1'):
        middle().plan("best")


def test_of_pairs_those_are_kept_that_no_other_is_as_good_as() -> None:
    assert not_beaten([(2, 2), (1, 3), (3, 1), (2, 2), (3, 3), (1, 4)]) == [1, 0, 2]


def test_sensitivity_finds_what_was_put_in() -> None:
    rng = np.random.default_rng(1)
    first, second, noise = rng.random((3, 4000))
    values = first + 2 * second
    assert rank_correlation(first, np.exp(first))[0] == pytest.approx(1)
    share, low, high = share_of_variance(first, values, rng)
    assert low <= share <= high
    assert share == pytest.approx(0.2, abs=0.03)
    assert share_of_variance(second, values, rng)[0] == pytest.approx(0.8, abs=0.03)
    assert share_of_variance(noise, values, rng)[0] < 0.01
    r, low, high = rank_correlation(noise, values)
    assert low < 0 < high
    assert r == pytest.approx(0, abs=0.04)


def test_an_assumption_matters_only_for_the_measures_it_is_in() -> None:
    frame = sensitivity(middle(), middle().curve[0])
    swing = {(r["assumption"], r["measure"]): r["swing"] for r in frame.iter_rows(named=True)}
    assert swing["leader_days", "abandoned"] == 0
    assert swing["leader_days", "cost"] > 0
    assert swing["gain_ready", "gain"] > 0
    assert swing["readiness_bias", "abandoned"] > 0
    first = frame.filter(measure="abandoned")["swing"].to_list()
    assert first == sorted(first, reverse=True)
    assert (frame["rank_correlation"].is_between(-1, 1)).all()


def test_assumptions_without_a_range_have_no_sensitivity() -> None:
    here = areas(readiness=[0.1, 0.2])
    parameters = RolloutParameters(10, terms=4, speeds=(2,), draws=10)
    found = plan_rollout(here, parameters, 1, assumptions=certain())
    frame = sensitivity(found, found.curve[0])
    assert frame["rank_correlation"].null_count() == frame.height
    assert (frame["swing"] == 0).all()
    spread = found.measures_frame()
    assert (spread["low95"] == spread["high95"]).all()
