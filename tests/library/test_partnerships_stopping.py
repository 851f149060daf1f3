"""Stopping by time, by gap, by cost, by hand; and what is told on the way."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import polars as pl
import pytest

from brightspots.connectedness.partnerships import Parameters, StopEarly, form_partnerships
from brightspots.connectedness.stopping import Stage
from tests.library.partnership_checker import Checker
from tests.library.test_partnerships_regions import town


def told(rows: list[dict[str, Any]], **settings: Any) -> tuple[Any, list[tuple[float, Stage]]]:
    seen: list[tuple[float, Stage]] = []

    def note(share: float, stage: str) -> None:
        if isinstance(stage, Stage):
            seen.append((share, stage))

    result = form_partnerships(pl.DataFrame(rows), Parameters(**settings), progress=note)
    Checker(rows, 4, 8, 25.0).check(result)
    return result, seen


def test_first_answer_is_told_at_once_and_costs_and_gaps_fall() -> None:
    _, seen = told(town(200), steps_per_school=60)
    assert seen[0][1] == "first answer"
    assert seen[0][1].cost is not None
    costs = [stage.cost for _, stage in seen]
    assert all(cost is not None for cost in costs)
    assert costs[-1] < costs[0]  # type: ignore[operator]
    gaps = [stage.gap for _, stage in seen[1:]]
    assert all(gap is not None and gap >= 0 for gap in gaps)
    assert gaps[-1] < gaps[0]  # type: ignore[operator]


def test_gap_that_is_told_holds_against_the_bound_at_the_end() -> None:
    result, seen = told(town(200), steps_per_school=60)
    for _, stage in seen[1:]:
        assert stage.cost is not None
        assert stage.gap is not None
        least = stage.cost / (1 + stage.gap)
        assert least <= result.objective["total"] + 1e-6


def test_search_stops_at_a_proven_gap() -> None:
    rows = town(200)
    long, all_of_it = told(rows, steps_per_school=200)
    short, seen = told(rows, steps_per_school=200, gap=0.08)
    assert len(seen) < len(all_of_it)
    assert seen[-1][1].gap is not None
    assert seen[-1][1].gap <= 0.08
    assert short.gap is not None
    assert short.gap <= 0.08 + 1e-9
    assert not short.stopped_early
    assert short.objective["total"] >= long.objective["total"]


def test_search_stops_at_a_cost() -> None:
    rows = town(200)
    long, all_of_it = told(rows, steps_per_school=200)
    target = 1.1 * long.objective["total"]
    short, seen = told(rows, steps_per_school=200, target_cost=target)
    assert len(seen) < len(all_of_it)
    assert short.objective["total"] <= target


def test_goal_that_cannot_be_reached_changes_nothing_in_the_answer() -> None:
    rows = town(120)
    plain, _ = told(rows)
    strict, _ = told(rows, gap=0.0, target_cost=1.0)
    assert strict.members.equals(plain.members)


def test_stopping_at_a_gap_gives_the_same_answer_again() -> None:
    rows = town(200)
    one, _ = told(rows, gap=0.05)
    other, _ = told(list(reversed(rows)), gap=0.05)
    assert one.members.equals(other.members)


def test_search_without_a_bound_tells_the_cost_and_no_gap() -> None:
    _, seen = told(town(60), bound_steps=0)
    assert all(stage.gap is None and stage.cost is not None for _, stage in seen)


@pytest.mark.parametrize(
    ("wish", "words"),
    [(StopEarly, "first answer"), (StopEarly, "improving"), (StopEarly, "polishing"),
     (StopEarly, "bounding"), (KeyboardInterrupt, "first answer"),
     (KeyboardInterrupt, "improving"), (KeyboardInterrupt, "polishing")],
)  # fmt: skip
def test_interruption_keeps_the_best_answer_so_far(wish: type[BaseException], words: str) -> None:
    rows = town(200)
    reached = []

    def interrupt(share: float, stage: str) -> None:
        if stage == words and (words != "improving" or share > 0.3):
            reached.append(stage)
            if wish is StopEarly or len(reached) == 1:
                raise wish

    settings = Parameters(steps_per_school=100, polish_sweeps=1)
    result = form_partnerships(pl.DataFrame(rows), settings, progress=interrupt)
    assert reached
    assert Checker(rows, 4, 8, 25.0).check(result) > 0
    if words != "bounding":
        assert result.stopped_early


def test_time_limit_cools_the_search_down_by_its_end() -> None:
    rows = town(200)
    began = time.monotonic()
    result, seen = told(rows, steps_per_school=10**6, time_limit=3.0, bound_steps=0)
    assert time.monotonic() - began < 60
    assert result.stopped_early
    quick, _ = told(rows, steps_per_school=2, bound_steps=0)
    assert result.objective["total"] < quick.objective["total"]
    assert np.isfinite([share for share, _ in seen]).all()
