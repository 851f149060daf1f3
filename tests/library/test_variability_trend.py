"""Trends of the tiers' spread when the same schools return."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from brightspots.insight.variability import VariabilityParameters, variance_decomposition

SLOPE = -1.0


def returning(seed: int, lasting: float, schools: int = 120) -> pl.DataFrame:
    """Four years of the same schools in 12 areas; the spread between schools falls by 1 a year."""
    draw = np.random.default_rng(seed)
    area = np.arange(schools) % 12
    u, a = draw.normal(size=schools), draw.normal(0, 3, 12)
    years = []
    for t in range(4):
        v = np.sqrt(lasting) * u + np.sqrt(1 - lasting) * draw.normal(size=schools)
        n = draw.integers(20, 80, schools)
        mean = 200 + a[area] + (9 + SLOPE * t) * v + draw.normal(0, 30, schools) / np.sqrt(n)
        years.append(
            pl.DataFrame(
                {
                    "school": [f"s{i:03}" for i in range(schools)],
                    "area": [f"a{i}" for i in area],
                    "year": 2020 + t,
                    "mean": mean,
                    "candidates": n,
                    "spread": 30.0,
                }
            )
        )
    return pl.concat(years)


def trend(frame: pl.DataFrame, replicates: int = 40) -> dict[str, float]:
    made = variance_decomposition(frame, VariabilityParameters(("area",), replicates=replicates))
    return made.trend.filter(pl.col("tier") == "school").row(0, named=True)


def test_schools_that_return_with_their_differences_make_the_trend_surer() -> None:
    same, new = trend(returning(1, 0.95)), trend(returning(1, 0.0))
    assert same["persistence"] > 0.85
    assert new["persistence"] < 0.25
    assert same["se"] < 0.75 * new["se"]


def test_errors_are_of_the_size_of_the_scatter_they_describe() -> None:
    """24 systems: the SD of slopes is known within 15 %, so within 45 % is 3 of them."""
    rows = [trend(returning(seed, 0.9, schools=60), replicates=20) for seed in range(24)]
    slopes = np.array([row["slope"] for row in rows])
    errors = np.array([row["se"] for row in rows])
    assert np.sqrt((errors**2).mean()) == pytest.approx(slopes.std(ddof=1), rel=0.45)
    assert slopes.mean() == pytest.approx(SLOPE, abs=3 * slopes.std() / np.sqrt(24))
    held = sum(row["lower"] <= SLOPE <= row["upper"] for row in rows)
    assert held >= 19  # 22.8 expected


def test_a_closing_gap_is_called_closing() -> None:
    row = trend(returning(3, 0.9, schools=400))
    assert row["probability_closing"] > 0.95
    assert row["upper"] < 0


def test_order_and_names_change_no_byte_of_the_trend() -> None:
    frame = returning(4, 0.8, schools=60)
    few = VariabilityParameters(("area",), replicates=20)
    first = variance_decomposition(frame, few, seed=3).trend
    shuffled = frame.sample(fraction=1, shuffle=True, seed=2).with_columns(
        pl.col("school").str.reverse(), pl.col("area").str.replace("a1", "z")
    )
    assert variance_decomposition(shuffled, few, seed=3).trend.equals(first)
    assert not variance_decomposition(frame, few, seed=4).trend.equals(first)


def test_without_replicates_slopes_come_without_limits() -> None:
    made = variance_decomposition(
        returning(5, 0.8, schools=60), VariabilityParameters(("area",), replicates=0)
    ).trend
    assert made["slope"].null_count() == 0
    assert made["lower"].null_count() == made.height == 2
