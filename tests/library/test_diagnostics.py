"""Influence, robust errors, shape and spread: against dense algebra and brute-force refits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import cross_products
from brightspots.insight.diagnostics import (
    Diagnostics,
    diagnostics,
    refit_without,
    with_school_years,
)
from brightspots.insight.school_years import school_year_value_added
from brightspots.insight.value_added import ValueAdded, value_added

Array = NDArray[np.float64]
INTERCEPT = "score ~ prior + sex + (1 | school)"
SLOPE = "score ~ prior + sex + (1 + prior | school)"
NESTED = "score ~ prior + sex + (1 | district/school)"


def pupils(seed: int = 0, schools: int = 18, n: int = 400) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    school = np.concatenate([np.arange(schools).repeat(4), draw.integers(0, schools, n)])
    district = school % 6
    prior, sex = draw.normal(3, 1.5, len(school)), draw.integers(0, 2, len(school))
    u, slope = draw.normal(0, 6, schools), draw.normal(0, 2, schools)
    d = draw.normal(0, 5, 6)
    score = 500 + (9 + slope[school]) * prior - 3 * sex + u[school] + d[district]
    return pl.DataFrame(
        {
            "school": [f"s{j:02}" for j in school],
            "district": [f"d{j}" for j in district],
            "prior": prior,
            "sex": [("F", "M")[i] for i in sex],
            "score": score + draw.normal(0, 15, len(school)),
        }
    )


class Dense:
    """The same at the fit's own variances with matrices of pupils x pupils."""

    def __init__(self, frame: pl.DataFrame, fit: ValueAdded) -> None:
        self.y = frame["score"].to_numpy()
        prior = frame["prior"].to_numpy()
        sex = (frame["sex"] == "M").cast(pl.Float64).to_numpy()
        self.X = np.column_stack([np.ones(len(prior)), prior, sex])
        self.sigma2 = float(fit.variance_components["variance"][-1])
        V = self.sigma2 * np.eye(len(prior))
        columns = {"(Intercept)": np.ones(len(prior)), "prior": prior}
        for name, one, two, variance in fit.variance_components.iter_rows():
            if name == "Residual":
                continue
            path = frame.select(pl.concat_str(name.split(":"))).to_series()
            same = (path.to_numpy()[:, None] == path.to_numpy()[None]).astype(float)
            a, b = columns[one], columns[two or one]
            part = variance * same * np.outer(a, b)
            V += part if two is None else part + part.T
        self.V = V

    def fit(self, keep: NDArray[np.bool_]) -> tuple[Array, Array, float]:
        """Coefficients, their covariance for sigma^2 as given, and sigma^2 found anew."""
        X, y = self.X[keep], self.y[keep]
        inverse = np.linalg.inv(self.V[np.ix_(keep, keep)] / self.sigma2)
        T = np.linalg.inv(X.T @ inverse @ X)
        beta = T @ X.T @ inverse @ y
        r = y - X @ beta
        return beta, T, float(r @ inverse @ r / (keep.sum() - X.shape[1]))


def of(formula: str, frame: pl.DataFrame) -> tuple[Diagnostics, ValueAdded]:
    cp = cross_products(frame, formula)
    fit = value_added(cp)
    return diagnostics(cp, fitted=fit), fit


@pytest.mark.parametrize(
    ("formula", "unit"), [(INTERCEPT, "school"), (SLOPE, "school"), (NESTED, "district")]
)
def test_leaving_each_unit_out_is_what_dense_algebra_finds(formula: str, unit: str) -> None:
    frame = pupils(1, n=200)
    ours, fit = of(formula, frame)
    dense = Dense(frame, fit)
    everybody = np.ones(frame.height, dtype=bool)
    beta, T, sigma2 = dense.fit(everybody)
    np.testing.assert_allclose(ours.fixed_effects["estimate"], beta, rtol=1e-7)
    assert sigma2 == pytest.approx(dense.sigma2, rel=1e-6)
    T_inverse = np.linalg.inv(T)
    for row in ours.influence.iter_rows(named=True):
        keep = (frame[unit] != row["school"]).to_numpy()
        b, T_without, s2 = dense.fit(keep)
        found = ours.without(row["school"])
        np.testing.assert_allclose(found["without"], b, rtol=1e-6, atol=1e-6)
        cook = (b - beta) @ T_inverse @ (b - beta) / (3 * sigma2)
        assert row["cook"] == pytest.approx(cook, rel=1e-5)
        ratio = np.linalg.det(s2 * T_without) / np.linalg.det(sigma2 * T)
        assert row["covratio"] == pytest.approx(ratio, rel=1e-5)
        assert row["residual_sd_without"] == pytest.approx(np.sqrt(s2), rel=1e-6)
        dfbetas = (beta - b) / np.sqrt(s2 * np.diag(T))
        np.testing.assert_allclose(found["dfbetas"], dfbetas, rtol=1e-5, atol=1e-7)
        assert row["dfbetas"] == pytest.approx(dfbetas[np.abs(dfbetas).argmax()], rel=1e-5)
    assert ours.influence["leverage"].sum() == pytest.approx(3)


def test_robust_errors_are_the_sandwich_and_the_jackknife() -> None:
    frame = pupils(2, n=150)
    ours, fit = of(INTERCEPT, frame)
    dense = Dense(frame, fit)
    V = np.linalg.inv(dense.V)
    bread = np.linalg.inv(dense.X.T @ V @ dense.X)
    e = dense.y - dense.X @ ours.fixed_effects["estimate"].to_numpy()
    meat = np.zeros((3, 3))
    without = []
    for school in frame["school"].unique().sort():
        at = (frame["school"] == school).to_numpy()
        score = dense.X[at].T @ V[np.ix_(at, at)] @ e[at]
        meat += np.outer(score, score)
        without.append(dense.fit(~at)[0])
    sandwich = bread @ meat @ bread * 18 / 17
    np.testing.assert_allclose(
        ours.fixed_effects["se_robust"], np.sqrt(np.diag(sandwich)), rtol=1e-6
    )
    spread = np.array(without).std(axis=0) * np.sqrt(17)
    np.testing.assert_allclose(ours.fixed_effects["se_jackknife"], spread, rtol=1e-6)


def test_a_refit_without_schools_is_a_fit_of_the_others_rows() -> None:
    frame = pupils(3)
    ours = refit_without(cross_products(frame, SLOPE), ["s03", "s11"])
    afresh = value_added(
        cross_products(frame.filter(~pl.col("school").is_in(["s03", "s11"])), SLOPE)
    )
    assert ours.reml_criterion == pytest.approx(afresh.reml_criterion, abs=1e-6)
    np.testing.assert_allclose(
        ours.effects["estimate"], afresh.effects["estimate"], rtol=1e-4, atol=1e-5
    )


def test_the_school_that_was_tampered_with_stands_out() -> None:
    frame = pupils(4).with_columns(
        score=pl.when(pl.col("school") == "s05")
        .then(pl.col("score") - 40 * (pl.col("prior") - 3))
        .otherwise("score")
    )
    ours, _ = of(INTERCEPT, frame)
    most = ours.influence.sort("cook", descending=True).row(0, named=True)
    assert (most["school"], most["term"]) == ("s05", "prior")
    widest = ours.spread.sort("q").row(0, named=True)
    assert widest["school"] == "s05"
    assert widest["q"] < 1e-6
    assert ours.spread_test["p"] < 1e-6
    robust = dict(ours.fixed_effects.select("term", "ratio").iter_rows())
    assert robust["prior"] > 1.5


def test_spread_within_schools_is_compared_by_chi_square() -> None:
    frame = pupils(5)
    ours, fit = of(INTERCEPT, frame)
    b = fit.fixed_effects["estimate"].to_numpy()
    sex = (pl.col("sex") == "M").cast(pl.Float64)
    left = frame.with_columns(r=pl.col("score") - b[1] * pl.col("prior") - b[2] * sex)
    by = left.group_by("school").agg(pl.col("r").var().alias("v"), pl.len()).sort("school")
    pooled = (by["v"] * (by["len"] - 1)).sum() / (by["len"] - 1).sum()
    np.testing.assert_allclose(ours.spread["ratio"], by["v"] / pooled, rtol=1e-8)
    assert ((ours.spread["q"] >= ours.spread["p"] - 1e-12) & (ours.spread["q"] <= 1)).all()


def test_equal_spreads_pass_bartletts_test_about_as_often_as_they_should() -> None:
    """30 systems at 5 %: 1.5 expected; 6 would be 3.8 standard deviations more."""
    small = sum(
        of("score ~ (1 | school)", _plain(seed))[0].spread_test["p"] < 0.05 for seed in range(30)
    )
    assert small <= 6


def _plain(seed: int) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    school = np.arange(20).repeat(15)
    score = draw.normal(0, 1, 20)[school] + draw.normal(0, 3, 300)
    return pl.DataFrame({"school": school.astype(str), "score": score})


def test_quantiles_of_standardised_effects_lie_on_a_line_where_effects_are_normal() -> None:
    draw = np.random.default_rng(6)
    school = np.arange(400).repeat(12)
    frame = pl.DataFrame(
        {
            "school": school.astype(str),
            "score": draw.normal(0, 1, 400)[school] + draw.normal(0, 2, 4800),
        }
    )
    ours, _ = of("score ~ (1 | school)", frame)
    line = np.polyfit(ours.normal["expected"], ours.normal["z"], 1)
    assert line[0] == pytest.approx(1, abs=0.05)
    assert line[1] == pytest.approx(0, abs=0.05)
    shape = ours.shape.row(0, named=True)
    assert shape["sd"] == pytest.approx(1, abs=0.05)
    assert shape["p_normal"] > 0.001
    skewed = frame.with_columns(
        score=pl.Series(draw.exponential(2, 400)[school] * 3 + draw.normal(0, 2, 4800))
    )
    assert of("score ~ (1 | school)", skewed)[0].shape["p_normal"][0] < 1e-6


def test_a_school_that_alone_tells_of_a_term_is_named_as_such() -> None:
    frame = pupils(7).with_columns(
        pilot=((pl.col("school") == "s02") & (pl.col("prior") > 3)).cast(pl.Float64)
    )
    ours, _ = of("score ~ prior + pilot + (1 | school)", frame)
    alone = ours.influence.filter(pl.col("sole"))
    assert alone["school"].to_list() == ["s02"]
    assert alone["cook"].to_list() == [None]
    refit = refit_without(cross_products(frame, "score ~ prior + pilot + (1 | school)"), ["s02"])
    assert refit.fixed_effects["term"].to_list() == ["(Intercept)", "prior"]


def test_several_years_leave_out_schools_with_all_their_years() -> None:
    draw = np.random.default_rng(8)
    frame = pl.concat(
        [
            pupils(seed).with_columns(year=pl.lit(year), score=pl.col("score") + draw.normal(0, 4))
            for seed, year in ((1, 2021), (2, 2022), (3, 2023))
        ]
    )
    cp = cross_products(frame, "score ~ prior + factor(year) + (1 | school)", by=("year",))
    both = with_school_years(cp, "year")
    ours = diagnostics(both)
    lasting = school_year_value_added(cp, year="year")
    np.testing.assert_allclose(
        ours.fixed_effects["estimate"], lasting.fixed_effects["estimate"], rtol=1e-5
    )
    assert ours.influence.height == 18
    assert ours.spread.height == 54


def test_weights_shuffling_and_names_change_nothing_but_what_they_should() -> None:
    frame = pupils(9)
    plain, _ = of(INTERCEPT, frame)
    cp = cross_products(frame.with_columns(w=pl.lit(1.0)), INTERCEPT, weights="w")
    np.testing.assert_allclose(
        diagnostics(cp).influence["cook"], plain.influence["cook"], rtol=1e-6
    )
    shuffled, _ = of(INTERCEPT, frame.sample(fraction=1, shuffle=True, seed=4))
    np.testing.assert_allclose(shuffled.influence["cook"], plain.influence["cook"], rtol=1e-6)


def test_schools_that_do_not_differ_are_looked_at_all_the_same() -> None:
    frame = pl.DataFrame({"school": ["a", "b", "c"] * 8, "score": np.repeat(range(8), 3)})
    ours, fit = of("score ~ (1 | school)", frame)
    assert fit.singular
    assert ours.normal.is_empty()
    assert ours.shape.is_empty()
    assert ours.influence["cook"].to_list() == pytest.approx([0.0] * 3, abs=1e-12)


def test_crossed_groupings_and_unknown_schools_are_refused_in_words() -> None:
    frame = pupils(10).with_columns(
        late=pl.Series(np.random.default_rng(1).integers(0, 7, pupils(10).height).astype(str))
    )
    cp = cross_products(frame, "score ~ prior + (1 | school) + (1 | late)")
    with pytest.raises(InputError, match="crossed"):
        diagnostics(cp)
    with pytest.raises(InputError, match="no school"):
        refit_without(cp, ["nobody"])
    with pytest.raises(InputError, match="no school"):
        of(INTERCEPT, pupils(1))[0].without("nobody")


@pytest.mark.real_data
def test_inner_london_influence_is_that_of_brute_force_for_its_extremes(real_data: Path) -> None:
    """Variances found anew: the exact deletion at fixed variances is close to it."""
    cp = cross_products(
        real_data / "inner_london" / "exam.csv",
        "normexam ~ standLRT + sex + schgend + (1 | school)",
    )
    ours = diagnostics(cp)
    for school in ours.influence.sort("cook", descending=True)["school"][:2]:
        again = refit_without(cp, [school]).fixed_effects["estimate"].to_numpy()
        found = ours.without(school)["without"].to_numpy()
        np.testing.assert_allclose(found, again, atol=0.01)
