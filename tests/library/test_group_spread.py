"""True spread of many groups at once, and its trend: by hand, by simulation, against one group."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.insight.group_spread import spread_by_year, spread_trends, true_spread
from brightspots.insight.variability import spread_within


def test_equal_variances_give_the_estimate_by_hand() -> None:
    """Variance of (0, 2, 4) is 4; sampling variance 1 leaves 3."""
    sd, _, _ = true_spread(np.array([0.0, 2.0, 4.0]), np.ones(3), np.zeros(3, dtype=int), 1)
    assert sd[0] == pytest.approx(3**0.5)


def test_limits_are_those_of_one_group_alone() -> None:
    draw = np.random.default_rng(0)
    group = np.repeat(np.arange(5), [3, 4, 8, 20, 50])
    y, s2 = draw.normal(0, 1.5, len(group)), draw.uniform(0.1, 1.0, len(group))
    _, lower, upper = true_spread(y, s2, group, 5)
    for place in range(5):
        alone = spread_within(y[group == place], s2[group == place])
        assert lower[place] == pytest.approx(alone.lower, abs=1e-6)
        assert upper[place] == pytest.approx(alone.upper, abs=1e-6)


def test_two_schools_say_nothing() -> None:
    frame = pl.DataFrame(
        {"group": ["a", "a"], "year": [1, 1], "school": ["1", "2"], "residual": [0.0, 9.0],
         "sampling_variance": [1.0, 1.0]}
    )  # fmt: skip
    assert spread_by_year(frame).row(0, named=True) == {
        "group": "a", "year": 1, "n_schools": 2, "sd": None, "lower": None, "upper": None
    }  # fmt: skip
    assert spread_trends(frame).is_empty()


def system(spreads: list[float], seed: int, schools: int = 40) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    rows = [
        ("a", 2020 + year, f"{j}", float(sd * draw.normal() + 0.3 * draw.normal()), 0.09)
        for year, sd in enumerate(spreads)
        for j in range(schools)
    ]
    names = ["group", "year", "school", "residual", "sampling_variance"]
    return pl.DataFrame(rows, schema=names, orient="row")


def test_a_closing_gap_is_seen_and_a_steady_one_is_not() -> None:
    closing = spread_trends(system([1.0, 0.8, 0.6, 0.4], 1)).row(0, named=True)
    assert closing["upper"] < 0
    assert closing["closing"] > 0.99
    assert (closing["first_year"], closing["last_year"], closing["years"]) == (2020, 2023, 4)
    steady = spread_trends(system([0.7] * 4, 2)).row(0, named=True)
    assert steady["lower"] < 0 < steady["upper"]


def test_intervals_of_a_steady_gap_hold_zero_as_often_as_they_say() -> None:
    """Of 100 trends 95 hold the truth, give or take 7 (three standard errors)."""
    held = 0
    for seed in range(100):
        row = spread_trends(system([0.7] * 4, 100 + seed)).row(0, named=True)
        held += row["lower"] <= 0 <= row["upper"]
    assert held >= 88


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError) as refused:
        spread_by_year(pl.DataFrame({"group": ["a"]}))
    assert refused.value.column == "year"
