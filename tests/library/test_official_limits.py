"""School figures that come with official limits: England's progress scores, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from brightspots.core.errors import InputError
from brightspots.insight.school_level import (
    SchoolLevelParameters,
    SchoolLevelValueAdded,
    school_level_value_added,
)

CONTEXT = ("PTFSM6CLA1A", "TKS1AVERAGE")
ENGLAND = SchoolLevelParameters(
    context=CONTEXT,
    outcome="MATPROG",
    school="URN",
    candidates="TELIG",
    lower="MATPROG_LOWER",
    upper="MATPROG_UPPER",
    coefficients_by_year=False,
)
LIMITS = SchoolLevelParameters(lower="low", upper="high")


def england(real_data: Path) -> pl.DataFrame:
    return pl.read_csv(
        real_data / "england" / "ks2_maths_panel_long.csv",
        null_values=["", "NA"],
        infer_schema_length=None,
    )


def figures(seed: int = 1, schools: int = 60) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    n = draw.integers(10, 80, schools)
    se = 40 / np.sqrt(n)
    mean = 200 + draw.normal(0, 8, schools) + draw.normal(0, se)
    return pl.DataFrame(
        {
            "school": [f"s{i:03}" for i in range(schools)],
            "mean": mean,
            "candidates": n,
            "se": se,
            "low": mean - 1.959963984540054 * se,
            "high": mean + 1.959963984540054 * se,
        }
    )


def test_limits_say_the_same_as_the_sampling_variance_behind_them() -> None:
    frame = figures()
    known = school_level_value_added(frame.with_columns(sampling_variance=pl.col("se") ** 2))
    ours = school_level_value_added(frame, LIMITS)
    np.testing.assert_allclose(
        ours.school_effects["estimate"], known.school_effects["estimate"], rtol=1e-9, atol=1e-9
    )
    z = float(norm.ppf(0.9))
    narrow = frame.with_columns(
        low=pl.col("mean") - z * pl.col("se"), high=pl.col("mean") + z * pl.col("se")
    )
    at_80 = SchoolLevelParameters(lower="low", upper="high", limits_confidence=0.8)
    again = school_level_value_added(narrow, at_80)
    np.testing.assert_allclose(
        again.school_effects["se_comparative"], known.school_effects["se_comparative"], rtol=1e-9
    )


def test_a_published_sampling_variance_goes_before_limits_and_limits_before_spreads() -> None:
    frame = figures().with_columns(
        spread=pl.lit(99.0),
        sampling_variance=pl.when(pl.col("school") == "s000").then(pl.lit(5.0)),
        low=pl.when(pl.col("school") != "s001").then("low"),
    )
    made = school_level_value_added(frame, LIMITS).yearly_effects["sampling_variance"].to_list()
    assert made[0] == 5.0
    assert made[1] == pytest.approx(99.0**2 / frame["candidates"][1])
    assert made[2] == pytest.approx(frame["se"][2] ** 2)


def test_rounded_limits_are_taken_and_those_of_another_figure_are_not() -> None:
    rounded = figures().with_columns(pl.col("mean", "low", "high").round(1))
    school_level_value_added(rounded, LIMITS)
    wrong = rounded.with_columns(
        high=pl.when(pl.col("school") == "s004").then(pl.col("high") + 0.5).otherwise("high")
    )
    with pytest.raises(InputError, match="evenly about the mean") as refused:
        school_level_value_added(wrong, LIMITS)
    assert (refused.value.row, refused.value.column) == (6, "low")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"low": pl.col("high"), "high": pl.col("low")}, "above the upper"),
        ({"low": pl.col("mean"), "high": pl.col("mean")}, "without error"),
    ],
)
def test_limits_that_cannot_be_are_refused_with_their_row(
    change: dict[str, pl.Expr], words: str
) -> None:
    frame = figures()
    changed = frame.with_columns(
        pl.when(pl.col("school") == "s007").then(value).otherwise(pl.col(name)).alias(name)
        for name, value in change.items()
    )
    with pytest.raises(InputError, match=words) as refused:
        school_level_value_added(changed, LIMITS)
    assert refused.value.row == 9


def test_both_limits_are_named_or_neither() -> None:
    with pytest.raises(InputError, match="both limits"):
        SchoolLevelParameters(lower="low")
    with pytest.raises(InputError, match="needed") as refused:
        school_level_value_added(figures().drop("high"), LIMITS)
    assert refused.value.column == "high"


def dense_criterion(frame: pl.DataFrame, school: float, year: float) -> float:
    """-2 restricted log-likelihood with matrices of rows x rows."""
    y, s2 = frame["MATPROG"].to_numpy(), frame["s2"].to_numpy()
    Z = np.eye(frame["URN"].n_unique())[frame["URN"].rank("dense").to_numpy() - 1]
    years = frame["year"].unique().sort().to_list()[1:]
    X = np.column_stack(
        [
            np.ones(len(y)),
            *[(frame["year"] == label).to_numpy().astype(float) for label in years],
            *[frame[name].to_numpy() for name in CONTEXT],
        ]
    )
    L = np.linalg.cholesky(np.diag(s2 + year) + school * Z @ Z.T)
    A = np.linalg.solve(L, np.column_stack([X, y]))
    T = A[:, :-1].T @ A[:, :-1]
    r = A[:, -1] - A[:, :-1] @ np.linalg.solve(T, A[:, :-1].T @ A[:, -1])
    constant = (len(y) - X.shape[1]) * np.log(2 * np.pi)
    return float(2 * np.log(np.diag(L)).sum() + np.linalg.slogdet(T)[1] + r @ r + constant)


@pytest.mark.real_data
def test_englands_three_years_with_their_limits_agree_with_dense_algebra(real_data: Path) -> None:
    """Criterion equal at our variances, and no lower one per cent away from them."""
    frame = england(real_data)
    half = (pl.col("MATPROG_UPPER") - pl.col("MATPROG_LOWER")) / 2
    rows = frame.with_columns(s2=(half / 1.959963984540054) ** 2).drop_nulls(
        ["MATPROG", "s2", *CONTEXT]
    )
    rows = rows.filter(pl.col("URN") % 4 == 0)  # matrices of all rows would take 10 s
    # Schools with context missing in one year are judged by another model; here all rows count.
    whole = school_level_value_added(rows, ENGLAND)
    school, year = whole.variance_components["variance"].to_list()[:2]
    ours = whole.summary["patterns"][0]["reml_criterion"]
    here = dense_criterion(rows, school, year)
    assert ours == pytest.approx(here, rel=1e-9)
    for up, down in ((1.01, 1.0), (0.99, 1.0), (1.0, 1.01), (1.0, 0.99)):
        assert dense_criterion(rows, school * up, year * down) > here


@pytest.mark.real_data
def test_englands_limits_imply_one_spread_among_pupils(real_data: Path) -> None:
    """The department's limits are 1.96 SD / sqrt(n) with one SD, about 5.6, but for rounding."""
    made: SchoolLevelValueAdded = school_level_value_added(england(real_data), ENGLAND)
    yearly = made.yearly_effects.filter(pl.col("n") >= 30)
    implied = (yearly["sampling_variance"] * yearly["n"]).sqrt()
    assert implied.std() / implied.mean() < 0.04  # type: ignore[operator]  # numbers
    assert made.sd_unit == pytest.approx(5.9, abs=0.1)
    assert made.summary["n_dropped"] == 51
    assert made.school_effects["reliability"].max() < 1  # type: ignore[operator]  # a number
