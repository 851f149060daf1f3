"""Two or three priorities: what counts, against every partition, and a bound that stays one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from brightspots.connectedness import partnerships as module
from brightspots.connectedness.bound import Bounding
from brightspots.connectedness.bound_many import price_leaders_many
from brightspots.connectedness.partnerships import (
    Parameters,
    Partnerships,
    Weights,
    form_partnerships,
)
from brightspots.connectedness.problem import make_problem
from brightspots.connectedness.reach import ArcStore, surroundings
from brightspots.core.errors import InputError
from tests.library.partnership_checker import Checker, Row
from tests.library.test_partnerships import SCHEMA, as_bytes, line, scattered

SMALL: dict[str, Any] = {"minimum": 3, "maximum": 5, "max_km": 30.0}


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: SCHEMA.get(name, pl.Float64) for name in rows[0]})


def with_priorities(
    rows: list[dict[str, Any]], seed: int, names: str = "abc", share: float = 0.25
) -> list[dict[str, Any]]:
    """Numbers in the first priority, yes or no in the others; needs in all but the last."""
    rng = random.Random(seed)  # noqa: S311 - test data
    for row in rows:
        row.pop("strength", None)
        row.pop("need", None)
        for name in names:
            if name == names[0]:
                row[f"strength_{name}"] = rng.choice([None, *range(9)])
            else:
                row[f"strong_{name}"] = float(rng.random() < share)
            if name != names[-1]:
                row[f"need_{name}"] = rng.random()
    return rows


def form(rows: list[dict[str, Any]], **more: Any) -> Partnerships:
    quick = {"steps_per_school": 40, "bound_steps": 100}
    return form_partnerships(frame(rows), Parameters(**quick | more))


def checker(rows: list[dict[str, Any]], parameters: Parameters) -> Checker:
    return Checker(rows, parameters.minimum, parameters.maximum, parameters.max_km)


# --- what counts ------------------------------------------------------------------------------


def test_priority_nobody_nearby_is_strong_in_costs_nothing() -> None:
    rows = [row | {"strong_a": float(i == 0), "strong_b": 0.0} for i, row in enumerate(line(5))]
    far = [row | {"school": f"T{i}", "latitude": 5.0, "strong_a": 0.0, "strong_b": float(i == 0)}
           for i, row in enumerate(line(5))]  # fmt: skip
    assert form(rows + far).objective["complement"] == 0.0


def test_priority_somebody_nearby_is_strong_in_costs_where_it_is_missing() -> None:
    # Five schools 1 km apart in each of two clusters 10 km apart; a partnership has at most five.
    rows = line(5)
    rows += [row | {"school": f"T{i}", "latitude": 0.09} for i, row in enumerate(line(5))]
    for i, row in enumerate(rows):
        row |= {"strong_a": float(i in (0, 5)), "strong_b": float(i == 9)}
    result = form(rows, minimum=5, maximum=5, max_km=12, weights=Weights(leader_strength=0))
    assert result.objective["complement"] == 8.0
    assert result.objective["all_weak"] == 0.0


def test_partnership_without_any_strength_costs_more() -> None:
    rows = line(5)
    rows += [row | {"school": f"T{i}", "latitude": 0.09} for i, row in enumerate(line(5))]
    for i, row in enumerate(rows):
        row |= {"strong_a": float(i == 0), "strong_b": float(i == 1)}
    result = form(rows, minimum=5, maximum=5, max_km=12)
    assert result.objective["all_weak"] == 8.0
    assert result.objective["complement"] == 16.0
    free = form(rows, minimum=5, maximum=5, max_km=12, weights=Weights(all_weak=0))
    assert free.objective["all_weak"] == 0.0


def test_strengths_are_spread_where_travel_allows_it() -> None:
    # Ten schools on one site, two strong in each of three priorities: each partnership gets all.
    rows = [row | {"longitude": 30.0} for row in line(10)]
    for i, row in enumerate(rows):
        row |= {f"strong_{name}": float(i in (2 * p, 2 * p + 1)) for p, name in enumerate("abc")}
    result = form(rows, minimum=5, maximum=5)
    assert result.objective["complement"] == 0.0


def test_need_without_a_priority_of_its_own_counts_in_each() -> None:
    rows = line(5)
    rows += [row | {"school": f"T{i}", "latitude": 0.09} for i, row in enumerate(line(5))]
    for i, row in enumerate(rows):
        row |= {"strong_a": float(i == 0), "strong_b": float(i == 1), "need": 1.0}
    result = form(rows, minimum=5, maximum=5, max_km=12)
    assert result.objective["need"] == pytest.approx(2 * 5 * 4 * 0.5)


def test_one_strength_alone_costs_what_it_always_did() -> None:
    result = form([row | {"strength": float(i)} for i, row in enumerate(line(6))])
    assert "all_weak" not in result.objective


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["strong_a", "strong_b", "strength_c", "strong_d"], "never more than three priorities"),
        (["strong_a", "need_b"], "nobody's strength"),
    ],
)
def test_columns_that_make_no_sense_are_refused(columns: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        form([row | dict.fromkeys(columns, 1.0) for row in line(5)])


# --- against every partition ------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("exact", [True, False])
def test_best_partition_of_nine_schools_is_found(
    seed: int, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exact:
        monkeypatch.setattr(module, "LARGEST_COMPONENT", 0)
    rows = scattered(9, seed, width=0.2, full=seed % 2 == 0)
    rows = with_priorities(rows, seed, names="ab" if seed % 3 == 0 else "abc")
    parameters = Parameters(**SMALL, steps_per_school=100)
    result = form_partnerships(frame(rows), parameters)
    rules = checker(rows, parameters)
    total = rules.check(result)
    left, cost = rules.best()
    assert result.isolated.height == left + sum(row["latitude"] is None for row in rows)
    assert total == pytest.approx(cost, abs=1e-6)
    assert result.lower_bound is not None
    assert result.lower_bound <= cost + 1e-6


def test_neighbours_that_no_partnership_can_hold_together_are_used_once() -> None:
    """Two components touch: one is solved exactly, the other searched."""
    rows = with_priorities(scattered(37, 241, 0.4, full=True), 241, "ab")
    for row in rows:
        row.pop("capacity", None)
    Checker(rows, 3, 6, 25.0).check(form(rows, minimum=3, maximum=6, steps_per_school=10))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    n=st.integers(1, 40), seed=st.integers(0, 10**6), full=st.booleans(),
    names=st.sampled_from(["ab", "abc"]), shuffle=st.randoms(use_true_random=False),
)  # fmt: skip
def test_rules_hold_and_order_changes_no_byte_on_random_maps(
    n: int, seed: int, full: bool, names: str, shuffle: random.Random
) -> None:
    rows = with_priorities(scattered(n, seed, 0.4, full), seed, names)
    for row in rows:
        row.pop("capacity", None)
    result = form(rows, minimum=3, maximum=6, steps_per_school=10)
    Checker(rows, 3, 6, 25.0).check(result)
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    assert as_bytes(result) == as_bytes(form(shuffled, minimum=3, maximum=6, steps_per_school=10))


def cheapest_partition(rules: Checker, rows: Sequence[Row]) -> float:
    """Least cost of serving all rows, by HiGHS over every allowed set."""
    n = len(rows)
    masks, costs = [], []
    for mask in range(1, 1 << n):
        if rules.minimum <= mask.bit_count() <= rules.maximum:
            cost = rules.cheapest([rows[a] for a in range(n) if mask >> a & 1])
            if cost is not None:
                masks.append(mask)
                costs.append(cost)
    inside = (np.array(masks)[None, :] >> np.arange(n)[:, None]) & 1
    answer = milp(
        costs, integrality=np.ones(len(costs), dtype=np.int64), bounds=Bounds(0, 1),
        constraints=LinearConstraint(inside, 1, 1),
    )  # fmt: skip
    return float(answer.fun) if answer.fun is not None else np.inf


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("names", ["a", "ab", "abc"])
def test_bound_is_never_above_the_best_of_all_sets_and_near_it(seed: int, names: str) -> None:
    """The cheapest sets that the bound counts on are never dearer than they are."""
    rows = with_priorities(scattered(13, seed, 0.15, full=False), seed, names)
    rows = [row for row in rows if row["latitude"] is not None]
    parameters = Parameters(minimum=3, maximum=5, max_km=40.0)
    best = cheapest_partition(checker(rows, parameters), rows)
    problem = make_problem(frame(rows), parameters)
    arcs = ArcStore(problem)
    tables = problem.tables.with_wanted(surroundings(problem.tables, arcs))
    share = np.full(problem.n, best / problem.n)
    bounding = Bounding(tables, arcs, np.arange(problem.n), share)
    rng = np.random.default_rng(seed)
    for _ in range(20):  # any multipliers give a bound
        bounding.u = share * rng.uniform(0.2, 2.0, problem.n)
        assert bounding.shares().sum() <= best + 1e-9
    bounding = Bounding(tables, arcs, np.arange(problem.n), share)
    bounding.refine(best, 400)
    bound = float(bounding.shares().sum())
    assert bound <= best + 1e-9
    assert bound > 0.85 * best


@pytest.mark.parametrize("seed", range(6))
def test_cheapest_set_of_each_leader_is_that_of_all_its_sets(seed: int) -> None:
    rows = with_priorities(scattered(11, seed, 0.15, full=False), seed, "abc", share=0.4)
    rows = [row for row in rows if row["latitude"] is not None]
    parameters = Parameters(minimum=3, maximum=6, max_km=25.0)
    rules = checker(rows, parameters)
    problem = make_problem(frame(rows), parameters)
    arcs = ArcStore(problem)
    tables = problem.tables.with_wanted(surroundings(problem.tables, arcs))
    place = {code: i for i, code in enumerate(problem.codes.tolist())}
    u = np.random.default_rng(seed).uniform(5, 30, problem.n)
    values, times = np.zeros(problem.n), np.zeros(problem.n, dtype=np.int64)
    part = arcs.complete
    assert part is not None
    price_leaders_many(
        tables, part.leaders, part.first, part.school, part.km, u, 1 << 30, values, times
    )
    for leader in rows:
        least = 0.0
        for mask in range(1 << len(rows)):
            members = [row for a, row in enumerate(rows) if mask >> a & 1]
            if leader in members and (parts := rules.parts(members, leader)) is not None:
                worth = sum(float(u[place[row["school"]]]) for row in members)
                least = min(least, sum(parts.values()) - worth)
        assert values[place[leader["school"]]] == pytest.approx(least, abs=1e-9)
    assert (values < 0).any()
