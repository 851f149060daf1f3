"""Differences between schools: against dense algebra; intervals for the eye by their average."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from brightspots.core.errors import InputError
from brightspots.insight.comparisons import (
    compare_all,
    compare_schools,
    comparison_intervals,
    prediction_errors,
)
from brightspots.insight.cross_products import cross_products
from brightspots.insight.school_years import school_year_value_added
from brightspots.insight.value_added import value_added

Array = NDArray[np.float64]
INTERCEPT = "score ~ prior + sex + (1 | school)"
SLOPE = "score ~ prior + sex + (1 + prior | school)"


def pupils(seed: int = 0, schools: int = 15, n: int = 260) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    school = np.concatenate([np.arange(schools).repeat(4), draw.integers(0, schools, n)])
    prior, sex = draw.normal(2, 1, len(school)), draw.integers(0, 2, len(school))
    u, slope = draw.normal(0, 6, schools), draw.normal(0, 2, schools)
    score = 50 + (9 + slope[school]) * prior - 3 * sex + u[school]
    return pl.DataFrame(
        {
            "school": [f"s{j:02}" for j in school],
            "year": 2020 + draw.integers(0, 3, len(school)),
            "prior": prior,
            "sex": [("F", "M")[i] for i in sex],
            "score": score + draw.normal(0, 12, len(school)),
        }
    )


def dense_covariance(
    frame: pl.DataFrame, G: Array, extra: Array, sigma2: float, *, slope: bool, years: bool
) -> Array:
    """Covariance of u^ - u of the schools' intercepts, with matrices of pupils x pupils."""
    one, prior = np.ones(frame.height), frame["prior"].to_numpy()
    names = frame["school"].unique().sort().to_list()
    school = np.array([names.index(name) for name in frame["school"]])
    indicator = np.eye(len(names))[school]
    columns = [one, prior] if slope else [one]
    Z = np.column_stack([indicator * column[:, None] for column in columns])
    prior_G = np.kron(G, np.eye(len(names)))
    sex = (frame["sex"] == "M").cast(pl.Float64).to_numpy()
    X = np.column_stack([one, prior, sex])
    if years:
        X = np.column_stack([one, prior, *[(frame["year"] == y).to_numpy() for y in (2021, 2022)]])
    V = sigma2 * np.eye(frame.height) + Z @ prior_G @ Z.T + extra
    inverse = np.linalg.inv(V)
    T = np.linalg.inv(X.T @ inverse @ X)
    P = inverse - inverse @ X @ T @ X.T @ inverse
    whole = prior_G - prior_G @ Z.T @ P @ Z @ prior_G
    return whole[: len(names), : len(names)]


@pytest.mark.parametrize(("formula", "slope"), [(INTERCEPT, False), (SLOPE, True)])
def test_differences_have_the_error_of_dense_algebra(formula: str, slope: bool) -> None:
    frame = pupils(1)
    cp = cross_products(frame, formula)
    fit = value_added(cp)
    values = fit.variance_components["variance"].to_list()
    G = np.array([[values[0]]])
    if slope:
        G = np.array([[values[0], values[2]], [values[2], values[1]]])
    covariance = dense_covariance(frame, G, np.zeros((1, 1)), values[-1], slope=slope, years=False)
    effects = fit.school_effects["estimate"].to_numpy()
    for a, b in ((0, 1), (3, 12), (7, 2)):
        ours = compare_schools(fit, f"s{a:02}", f"s{b:02}", cp=cp)
        variance = covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
        assert ours.covariance == pytest.approx(covariance[a, b], rel=1e-5)
        assert ours.se == pytest.approx(np.sqrt(variance), rel=1e-6)
        assert ours.difference == pytest.approx(effects[a] - effects[b])
        assert ours.probability == pytest.approx(norm.cdf(ours.difference / ours.se))
        assert ours.upper - ours.lower == pytest.approx(2 * 1.959964 * ours.se, rel=1e-6)


def test_what_lasts_over_years_is_compared_with_its_covariance() -> None:
    frame = pupils(2)
    cp = cross_products(frame, "score ~ prior + factor(year) + (1 | school)", by=("year",))
    fit = school_year_value_added(cp, year="year")
    school, school_year, pupil = fit.variance_components["variance"].to_list()
    path = frame.select(pl.concat_str("school", pl.col("year").cast(pl.String))).to_series()
    same = (path.to_numpy()[:, None] == path.to_numpy()[None]).astype(float)
    covariance = dense_covariance(
        frame, np.array([[school]]), school_year * same, pupil, slope=False, years=True
    )
    ours = compare_schools(fit, "s02", "s09", cp=cp)
    assert ours.covariance == pytest.approx(covariance[2, 9], rel=1e-4)
    variance = covariance[2, 2] + covariance[9, 9] - 2 * covariance[2, 9]
    assert ours.se == pytest.approx(np.sqrt(variance), rel=1e-5)


def test_without_cross_products_errors_are_taken_as_apart_and_that_is_said() -> None:
    cp = cross_products(pupils(3), INTERCEPT)
    fit = value_added(cp)
    apart = compare_schools(fit, "s00", "s01")
    known = compare_schools(fit, "s00", "s01", cp=cp)
    assert apart.covariance is None
    assert known.covariance is not None
    assert apart.se**2 == pytest.approx(known.se**2 + 2 * known.covariance)


def test_swapping_two_schools_turns_the_answer_round() -> None:
    cp = cross_products(pupils(4), INTERCEPT)
    fit = value_added(cp)
    a, b = compare_schools(fit, "s03", "s08", cp=cp), compare_schools(fit, "s08", "s03", cp=cp)
    assert a.difference == -b.difference
    assert a.probability == pytest.approx(1 - b.probability)
    half = a.in_pupil_sd(2.0)
    assert (half.difference, half.se) == (a.difference / 2, a.se / 2)
    assert half.probability == a.probability


def test_equal_errors_give_the_factor_of_goldstein_and_healy() -> None:
    """1.96 / sqrt(2) = 1.386, but for what little of the errors is shared."""
    school = np.arange(30).repeat(10)
    draw = np.random.default_rng(5)
    frame = pl.DataFrame(
        {
            "school": [f"s{j:02}" for j in school],
            "score": draw.normal(0, 1, 30)[school] + draw.normal(0, 2, 300),
        }
    )
    made = comparison_intervals(value_added(cross_products(frame, "score ~ (1 | school)")))
    assert made.factor == pytest.approx(1.9599640 / np.sqrt(2), rel=1e-6)


def test_on_average_over_pairs_apart_means_different_at_the_stated_confidence() -> None:
    frame = pupils(6, schools=25)
    cp = cross_products(frame, INTERCEPT)
    fit = value_added(cp)
    made = comparison_intervals(fit, cp=cp)
    errors = prediction_errors(fit, cp)
    s = np.sqrt(errors.pev)
    chances = []
    for i in range(25):
        for j in range(i):
            se = np.sqrt(s[i] ** 2 + s[j] ** 2 - 2 * (errors.covariance(i, j) or 0))
            chances.append(2 * norm.sf(made.factor * (s[i] + s[j]) / se))
    assert np.mean(chances) == pytest.approx(0.05, abs=1e-9)
    width = (made.frame["upper"] - made.frame["lower"]).to_numpy()
    np.testing.assert_allclose(width, 2 * made.factor * s)


def test_all_pairs_hold_each_pair_and_allow_for_their_number() -> None:
    cp = cross_products(pupils(7), INTERCEPT)
    fit = value_added(cp)
    made = compare_all(fit, ["s01", "s04", "s05", "s11"], cp=cp)
    assert made.pairs.height == 6
    for row in made.pairs.iter_rows(named=True):
        alone = compare_schools(fit, row["a"], row["b"], cp=cp)
        assert (row["difference"], row["se"]) == (
            pytest.approx(alone.difference), pytest.approx(alone.se),
        )  # fmt: skip
        assert row["different"] == (alone.lower > 0 or alone.upper < 0)
    whole = compare_all(fit, cp=cp).pairs
    assert whole["adjusted"].sum() <= whole["different"].sum()
    assert (whole.filter(pl.col("adjusted"))["different"]).all()
    assert "105 pairs" in compare_all(fit, cp=cp).caution


def test_questions_without_an_answer_are_refused_in_words() -> None:
    fit = value_added(cross_products(pupils(8), INTERCEPT))
    with pytest.raises(InputError, match="with itself"):
        compare_schools(fit, "s01", "s01")
    with pytest.raises(InputError, match='no school "nobody"'):
        compare_schools(fit, "s01", "nobody")
    with pytest.raises(InputError, match="pair by pair"):
        compare_all(fit, ["s01"])
