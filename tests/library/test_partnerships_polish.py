"""Polish: never dearer, the optimum of small systems, and the same answer each time."""

from __future__ import annotations

import time
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from brightspots.connectedness.partnerships import Parameters, form_partnerships
from brightspots.connectedness.polish import cut, halve, polish
from brightspots.connectedness.pool import Pool, make_pool
from brightspots.connectedness.problem import Tables, make_problem
from brightspots.connectedness.stopping import StopEarly
from tests.library.partnership_checker import Checker
from tests.library.test_partnerships_regions import town


def exact(rows: list[dict[str, Any]], maximum: int) -> float:
    """Least cost by HiGHS over all allowed sets, listed without the library."""
    rules = Checker(rows, 4, maximum, 25.0)
    n = len(rows)
    sets, costs = [], []
    for size in range(4, maximum + 1):
        for chosen in combinations(range(n), size):
            cost = rules.cheapest([rows[a] for a in chosen])
            if cost is not None:
                sets.append(chosen)
                costs.append(cost)
    matrix = np.zeros((n, len(sets)))
    for column, chosen in enumerate(sets):
        matrix[list(chosen), column] = 1
    answer = milp(
        np.array(costs), integrality=np.ones(len(sets), dtype=np.int64), bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, 1, 1),
    )  # fmt: skip
    assert answer.success
    return float(answer.fun)


def small(n: int, seed: int) -> list[dict[str, Any]]:
    """Schools in villages about 20 km apart, so that few sets are allowed."""
    random = np.random.default_rng(seed)
    villages = [(0.18 * (v % 3), 0.18 * (v // 3)) for v in range(n // 6 + 1)]
    return [
        {
            "school": f"S{i:02d}",
            "latitude": villages[i // 6][0] + float(random.uniform(0, 0.07)),
            "longitude": 30 + villages[i // 6][1] + float(random.uniform(0, 0.07)),
            "strength": float(random.normal()),
            "need": float(random.uniform()),
            "leader": int(random.random() < 0.4 or i % 6 == 0),
        }
        for i in range(n)
    ]


@pytest.mark.parametrize(("n", "seed"), [(12, 1), (14, 2)])
def test_polished_answer_to_a_small_system_is_the_optimum(n: int, seed: int) -> None:
    rows = small(n, seed)
    result = form_partnerships(
        pl.DataFrame(rows), Parameters(maximum=6, steps_per_school=20, polish_sweeps=2)
    )
    assert result.isolated.is_empty()
    total = Checker(rows, 4, 6, 25.0).check(result)
    assert total == pytest.approx(exact(rows, 6), abs=1e-6)


@pytest.mark.parametrize(("n", "seed"), [(40, 1), (36, 2)])
def test_polished_answer_to_forty_schools_meets_the_bound_of_all_allowed_sets(
    n: int, seed: int
) -> None:
    """Partnerships of 4 and 5 of 40 schools: all allowed sets are few enough to list."""
    rows = small(n, seed)
    rules = Checker(rows, 4, 5, 8.0)
    result = form_partnerships(
        pl.DataFrame(rows),
        Parameters(maximum=5, max_km=8.0, steps_per_school=30, polish_sweeps=2),
    )
    total = rules.check(result)
    served = [row for row in rows if row["school"] in set(result.members["school"])]
    assert total == pytest.approx(exact_near(served, rows), abs=1e-6)


def exact_near(served: list[dict[str, Any]], rows: list[dict[str, Any]]) -> float:
    """As `exact`, for sets that one leader reaches within 8 km."""
    from tests.library.partnership_checker import haversine_km

    rules = Checker(rows, 4, 5, 8.0)
    prices: dict[frozenset[int], float] = {}
    for j, leader in enumerate(served):
        star = [i for i, row in enumerate(served) if i != j and haversine_km(row, leader) <= 8.0]
        for size in (3, 4):
            for chosen in combinations(star, size):
                key = frozenset((j, *chosen))
                if key not in prices:
                    cost = rules.cheapest([served[i] for i in sorted(key)])
                    if cost is not None:
                        prices[key] = cost
    matrix = np.zeros((len(served), len(prices)))
    for column, key in enumerate(prices):
        matrix[sorted(key), column] = 1
    answer = milp(
        np.array(list(prices.values())), integrality=np.ones(len(prices), dtype=np.int64),
        bounds=Bounds(0, 1), constraints=LinearConstraint(matrix, 1, 1),
    )  # fmt: skip
    assert answer.success
    return float(answer.fun)


def test_polish_never_makes_an_answer_dearer_and_usually_cheaper() -> None:
    cheaper = 0
    for seed in range(3):
        rows = town(150, seed)
        settings = {"steps_per_school": 4, "bound_steps": 100}
        plain = form_partnerships(pl.DataFrame(rows), Parameters(**settings, polish_sweeps=0))  # type: ignore[arg-type]
        better = form_partnerships(pl.DataFrame(rows), Parameters(**settings, polish_sweeps=2))  # type: ignore[arg-type]
        Checker(rows, 4, 8, 25.0).check(better)
        assert better.objective["total"] <= plain.objective["total"] + 1e-9
        cheaper += better.objective["total"] < plain.objective["total"] - 1e-6
    assert cheaper


def test_polish_gives_the_same_answer_each_time() -> None:
    rows = town(150)
    settings = Parameters(steps_per_school=10, polish_sweeps=2)
    one = form_partnerships(pl.DataFrame(rows), settings)
    other = form_partnerships(pl.DataFrame(list(reversed(rows))), settings)
    assert one.members.equals(other.members)


def line(n: int) -> Tables:
    rows = [{"school": f"S{i}", "latitude": 1.0, "longitude": 30 + 0.01 * i} for i in range(n)]
    return make_problem(pl.DataFrame(rows), Parameters()).tables


def pool_of(n: int, sets: list[tuple[list[int], float]]) -> Pool:
    pool = make_pool(n, 8, len(sets))
    for place, (members, cost) in enumerate(sets):
        pool.members[place, : len(members)] = members
        pool.size[place], pool.cost[place], pool.reduced[place] = len(members), cost, cost
    return pool


def polished(
    tables: Tables, groups: list[list[int]], pool: Pool, **settings: Any
) -> tuple[set[frozenset[int]], bool]:
    arrays: list[NDArray[np.int64]] = [np.array(group) for group in groups]
    usual: dict[str, Any] = {
        "seed": 0, "sweeps": 1, "deadline": None, "progress": lambda *_: None
    }  # fmt: skip
    found, stopped = polish(tables, arrays, pool, **usual | settings)
    return {frozenset(group.tolist()) for group in found}, stopped


def test_sets_of_the_pool_are_combined_only_to_a_whole_partition() -> None:
    tables = line(8)
    mixed = [[0, 2, 4, 6], [1, 3, 5, 7]]
    apart = [([0, 1, 2, 3], 8.0), ([4, 5, 6, 7], 8.0)]
    assert polished(tables, mixed, pool_of(8, apart[:1])) == (set(map(frozenset, mixed)), False)
    expected = {frozenset(members) for members, _ in apart}
    assert polished(tables, mixed, pool_of(8, apart)) == (expected, False)
    assert polished(tables, mixed, pool_of(8, [])) == (set(map(frozenset, mixed)), False)


def test_sets_with_a_school_of_no_partnership_are_passed_over() -> None:
    tables = line(9)
    mixed = [[0, 2, 4, 6], [1, 3, 5, 7]]
    with_ninth = [([0, 1, 2, 3], 0.1), ([4, 5, 6, 7, 8], 0.1)]
    found, _ = polished(tables, mixed, pool_of(9, with_ninth))
    assert found == set(map(frozenset, mixed))


def test_polish_stops_by_the_clock_and_by_hand_with_a_whole_partition() -> None:
    def by_hand(_share: float, _stage: str) -> None:
        raise StopEarly

    tables = line(8)
    groups = [[0, 2, 4, 6], [1, 3, 5, 7]]
    pool = pool_of(8, [([0, 1, 2, 3], 8.0), ([4, 5, 6, 7], 8.0)])
    for settings in ({"deadline": time.monotonic() - 1}, {"progress": by_hand}):
        found, stopped = polished(tables, groups, pool, **settings)
        assert stopped
        assert sorted(i for group in found for i in group) == list(range(8))


def test_blocks_hold_each_partnership_once_and_move_with_the_angle() -> None:
    problem = make_problem(pl.DataFrame(town(400)), Parameters())
    groups = [np.arange(i, i + 5) for i in range(0, 400, 5)]
    one, other = (cut(problem.tables, groups, angle, 100) for angle in (0.0, 0.8))
    for blocks in (one, other):
        assert sorted(np.concatenate(blocks).tolist()) == list(range(80))
        assert max(5 * len(block) for block in blocks) <= 100
    assert {frozenset(block.tolist()) for block in one} != {
        frozenset(block.tolist()) for block in other
    }


def test_halving_ends_where_all_points_are_one() -> None:
    pieces = halve(np.zeros((10, 2)), np.ones(10, dtype=np.int64), 3)
    assert sorted(np.concatenate(pieces).tolist()) == list(range(10))
    assert max(map(len, pieces)) <= 3
