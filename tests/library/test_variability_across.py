"""Groupings that cross: against dense likelihood, nested ones as a special case, known truth."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.insight.variability import VariabilityParameters, variance_decomposition
from brightspots.insight.variability_across import variability_across

TIERS = VariabilityParameters(("area",), replicates=0)


def system(
    seed: int,
    schools: int = 90,
    years: int = 1,
    sd: tuple[float, float, float, float] = (6, 5, 8, 4),
) -> pl.DataFrame:
    """Schools in areas and, across these, in partnerships; some schools are in none."""
    draw = np.random.default_rng(seed)
    area = draw.integers(0, 9, schools)
    partnership = draw.permutation(np.arange(schools) % (schools // 6))
    a, q = draw.normal(0, sd[0], 9), draw.normal(0, sd[1], schools // 6)
    u = draw.normal(0, sd[2], schools)
    parts = []
    for t in range(years):
        n = draw.integers(15, 70, schools)
        mean = 150 + 3 * t + a[area] + q[partnership] + u + draw.normal(0, sd[3], schools)
        parts.append(
            pl.DataFrame(
                {
                    "school": [f"s{i:04}" for i in range(schools)],
                    "area": [f"a{i}" for i in area],
                    "partnership": [
                        None if i % 17 == 3 else f"p{j}" for i, j in enumerate(partnership)
                    ],
                    "year": 2020 + t,
                    "mean": mean + draw.normal(0, 30, schools) / np.sqrt(n),
                    "candidates": n,
                    "spread": 30.0,
                }
            )
        )
    return pl.concat(parts)


def dense(frame: pl.DataFrame, variances: dict[str, float]) -> float:
    """-2 restricted log-likelihood but for its constant, with matrices of rows x rows."""
    y = frame["mean"].to_numpy()
    V = np.diag((frame["spread"] ** 2 / frame["candidates"]).to_numpy())
    keys = {
        "area": frame["area"],
        "partnership": frame["partnership"].fill_null("none"),
        "school": frame["school"],
        "school_year": pl.select(pl.int_range(frame.height)).to_series(),
    }
    for name, variance in variances.items():
        labels = keys[name].to_numpy()
        same = labels[:, None] == labels[None]
        if name == "partnership":
            same = same & (labels != "none")[:, None]
        V = V + variance * same
    X = np.column_stack([(frame["year"] == t).to_numpy() for t in frame["year"].unique().sort()])
    X = X.astype(float)
    L = np.linalg.cholesky(V)
    A = np.linalg.solve(L, np.column_stack([X, y]))
    T = A[:, :-1].T @ A[:, :-1]
    r = A[:, -1] - A[:, :-1] @ np.linalg.solve(T, A[:, :-1].T @ A[:, -1])
    return float(2 * np.log(np.diag(L)).sum() + np.linalg.slogdet(T)[1] + r @ r)


@pytest.mark.parametrize("years", [1, 3])
def test_no_other_variances_make_the_data_more_likely(years: int) -> None:
    frame = system(1, years=years)
    made = variability_across(frame, TIERS, ("partnership",), intervals=False).components
    found = dict(made.select("component", "variance").iter_rows())
    here = dense(frame, found)
    assert list(found) == ["area", "partnership", "school", *(["school_year"] if years > 1 else [])]
    for name in found:
        for factor in (0.97, 1.03):
            moved = {**found, name: max(found[name], 0.05) * factor}
            assert dense(frame, moved) > here - 1e-7


def test_ends_of_intervals_are_as_unlikely_as_they_say() -> None:
    frame = system(2, schools=72)
    made = variability_across(frame, TIERS, ("partnership",)).components
    found = dict(made.select("component", "variance").iter_rows())
    for row in made.iter_rows(named=True):
        assert row["sd_lower"] <= row["sd"] <= row["sd_upper"]
        # Held at the end, the others as they were: no more likely than the profile allows.
        rise = dense(frame, {**found, row["component"]: row["sd_upper"] ** 2}) - dense(frame, found)
        assert rise >= 3.84 - 0.02


def test_tiers_alone_are_the_nested_decomposition() -> None:
    frame = system(3, schools=120)
    nested = variance_decomposition(frame, TIERS).tiers.filter(pl.col("tier") != "pupil")
    ours = variability_across(frame, TIERS).components
    np.testing.assert_allclose(ours["variance"], nested["variance"], rtol=1e-3, atol=0.02)
    np.testing.assert_allclose(ours["sd_lower"], nested["sd_lower"], rtol=2e-3, atol=0.05)
    np.testing.assert_allclose(ours["sd_upper"], nested["sd_upper"], rtol=2e-3, atol=0.05)


def test_what_lasts_is_told_from_what_does_not_and_years_from_both() -> None:
    frame = system(4, schools=360, years=4, sd=(6, 5, 8, 4))
    made = variability_across(frame, TIERS, ("partnership",), intervals=False)
    found = dict(made.components.select("component", "sd").iter_rows())
    # Three standard errors of each: .35, .2 and .55 points.
    assert found["school"] == pytest.approx(8, abs=1.0)
    assert found["school_year"] == pytest.approx(4, abs=0.6)
    assert found["partnership"] == pytest.approx(5, abs=1.6)
    assert made.year_sd == pytest.approx(np.std([0, 3, 6, 9], ddof=1), rel=0.15)
    assert made.unplaced == {"partnership": frame["partnership"].null_count()}
    assert 0 < made.noise_share < 1


def test_order_and_names_change_nothing() -> None:
    frame = system(5)
    first = variability_across(frame, TIERS, ("partnership",), intervals=False).components
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1).with_columns(
        pl.col("school").str.reverse(), pl.col("partnership").str.replace("p1", "z")
    )
    again = variability_across(shuffled, TIERS, ("partnership",), intervals=False).components
    assert again.equals(first)


@pytest.mark.parametrize(
    ("change", "across", "words"),
    [
        (pl.lit("one").alias("partnership"), ("partnership",), "one group"),
        (pl.col("school").alias("partnership"), ("partnership",), "group of its own"),
        (pl.lit(1).alias("x"), ("club",), "not in the table"),
        (pl.lit(1).alias("x"), ("area",), "once"),
        (pl.lit(None, dtype=pl.String).alias("area"), (), "no area here"),
    ],
)
def test_groupings_that_tell_nothing_are_refused_in_words(
    change: pl.Expr, across: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        variability_across(system(6).with_columns(change), TIERS, across)
