"""Prior attainment that some pupils lack: complete cases and the joint model."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import cross_products
from brightspots.insight.joint_solver import Factors
from brightspots.insight.missing_prior import value_added_with_missing
from brightspots.insight.multivariate import multivariate_value_added
from brightspots.insight.needs import needs
from brightspots.insight.value_added import value_added
from tests.library.test_multivariate_solver import Pupils, dense

Array = NDArray[np.float64]
FORMULA = "score ~ prior + sex + (1 | school)"
SLOPE = 60.0


def pupils(
    seed: int, *, schools: int = 200, size: int = 30, contextual: float = 0.0, years: int = 1
) -> tuple[pl.DataFrame, Array]:
    """Marks with slope 60 on prior attainment, and what each school truly adds to them.

    `contextual` is what a school's mean prior attainment brings beyond its pupils' own.
    """
    draw = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), size)
    n = len(school)
    year = np.tile(np.arange(size) % years, schools)
    intake = 0.5 * draw.normal(size=schools)
    adds = 0.3 * draw.normal(size=schools) + contextual * intake
    v = 0.15 * draw.normal(size=schools * years) * (years > 1)
    sex = draw.integers(0, 2, n)
    prior = intake[school] + 0.2 * sex + draw.normal(size=n)
    luck = adds[school] + v[school * years + year] + 0.8 * draw.normal(size=n)
    score = SLOPE / 100 * prior + 0.3 * sex + luck
    frame = pl.DataFrame(
        {
            "school": [f"s{i:03}" for i in school],
            "year": 2020 + year,
            "sex": sex,
            "prior": prior,
            "score": 500 + 100 * score,
        }
    )
    return frame, 100 * (adds - adds.mean())


def with_holes(frame: pl.DataFrame, seed: int = 1) -> pl.DataFrame:
    """Leave prior attainment out at random given the score: the weaker, the more often."""
    chance = 1 / (1 + np.exp((frame["score"].to_numpy() - 470) / 50))
    gone = np.random.default_rng(seed).random(frame.height) < chance
    return frame.with_columns(prior=pl.when(pl.Series(~gone)).then("prior"))


def centred(estimate: pl.Series) -> Array:
    values: Array = estimate.to_numpy()
    return values - values.mean()


def test_the_joint_model_recovers_what_complete_cases_get_wrong() -> None:
    whole, truth = pupils(1)
    frame = with_holes(whole)
    result = value_added_with_missing(frame, FORMULA, ["prior"])
    slope = result.slopes.row(0, named=True)
    # 6,000 pupils: the slope's standard error is 1.3; complete cases are ten of them off.
    assert abs(slope["joint"] - SLOPE) < 2.5 * slope["joint_se"]
    assert abs(slope["complete"] - SLOPE) > 8 * slope["complete_se"]
    assert slope["difference"] == pytest.approx(slope["joint"] - slope["complete"])
    sex = dict(result.fixed_effects.select("term", "estimate").iter_rows())["sex"]
    of_complete = dict(result.complete.fixed_effects.select("term", "estimate").iter_rows())["sex"]
    assert abs(sex - 30) < 5 < abs(of_complete - 30)
    joint, ordinary = (
        centred(each["estimate"]) - truth
        for each in (result.school_effects, result.complete.school_effects)  # type: ignore[union-attr]
    )
    assert np.std(joint) < 0.85 * np.std(ordinary)
    # The stated uncertainty is the true one.
    z = joint / result.school_effects["se_comparative"].to_numpy()
    assert 0.9 < np.sqrt((z**2).mean()) < 1.1
    assert result.agreement["n_incomplete"] == frame["prior"].null_count()
    assert result.agreement["missing"] == {"prior": frame["prior"].null_count()}
    assert result.agreement["largest_difference"] > 0.1


def test_it_comes_near_to_what_all_the_data_would_have_said() -> None:
    whole, _ = pupils(2)
    full = value_added(cross_products(whole, FORMULA)).school_effects["estimate"]
    result = value_added_with_missing(with_holes(whole), FORMULA, ["prior"])
    joint = np.std(centred(result.school_effects["estimate"]) - centred(full))
    ordinary = np.std(centred(result.complete.school_effects["estimate"]) - centred(full))  # type: ignore[union-attr]
    assert joint < ordinary / 2


def test_with_nothing_missing_both_ways_agree_but_for_the_slope_between_schools() -> None:
    """Tolerances: the slopes differ by the little weight of the between-school slope.

    That weight is about 1 / (30 pupils x ratio of variances), here .03; with no contextual effect
    both slopes estimate 60 and differ by chance alone.
    """
    for contextual, close, alike in ((0.0, 0.5, 0.999), (0.4, 2.5, 0.98)):
        frame, _ = pupils(3, contextual=contextual)
        result = value_added_with_missing(frame, FORMULA, ["prior"])
        slope = result.slopes.row(0, named=True)
        assert abs(slope["difference"]) < close
        assert result.agreement["correlation"] > alike
        assert result.agreement["n_incomplete"] == 0
        # The within-school slope by hand: deviations from school means, sex taken out.
        within = frame.select(
            *[(pl.col(c) - pl.col(c).mean().over("school")) for c in ("score", "prior", "sex")]
        ).to_numpy()
        by_hand = np.linalg.lstsq(within[:, 1:], within[:, 0], rcond=None)[0][0]
        # The joint model also learns a little about Sigma_e from between schools.
        assert slope["joint"] == pytest.approx(by_hand, abs=0.05)
        if contextual:
            assert slope["between"] - slope["joint"] > 20
        spread = result.comparison["se_joint"] / result.comparison["se_complete"]
        assert 0.9 < spread.min() <= spread.max() < 1.1  # type: ignore[operator]  # polars


def test_effects_are_linear_maps_of_dense_algebra() -> None:
    frame = with_holes(pupils(4, schools=10, size=12)[0])
    result = value_added_with_missing(frame, FORMULA, ["prior"])
    joint = multivariate_value_added(frame, ["score", "prior"], "sex")
    y = frame.select(pl.col("score", "prior").fill_null(float("nan"))).to_numpy()
    x = np.column_stack([np.ones(frame.height), frame["sex"]])
    school = frame["school"].rank("dense").to_numpy().astype(np.intp) - 1
    edge = 1e-13 * np.diag(np.diag(joint.pupil_covariance))
    factors = Factors(
        np.linalg.cholesky(joint.school_covariance + edge),
        None,
        np.linalg.cholesky(joint.pupil_covariance),
    )
    exact = dense(Pupils(x, y, school, school * 0), factors, reml=True)
    slope = joint.pupil_covariance[0, 1] / joint.pupil_covariance[1, 1]
    line = np.array([1.0, -slope])
    assert result.slopes["joint"][0] == pytest.approx(slope, rel=1e-9)
    np.testing.assert_allclose(
        result.school_effects["estimate"], exact.u @ line, rtol=1e-5, atol=1e-4
    )
    se = result.slopes["joint_se"][0]
    for j in range(10):
        block = exact.pev[2 * j : 2 * j + 2, 2 * j : 2 * j + 2]
        expected = line @ block @ line + (exact.u[j, 1] * se) ** 2
        assert result.school_effects["se_comparative"][j] ** 2 == pytest.approx(expected, rel=1e-4)
        block = exact.conditional[2 * j : 2 * j + 2, 2 * j : 2 * j + 2]
        assert result.school_effects["cond_sd"][j] ** 2 == pytest.approx(
            line @ block @ line, rel=1e-4
        )
    assert result.reml_criterion == pytest.approx(joint.reml_criterion, abs=1e-9)


def test_the_slopes_standard_error_is_that_of_repeated_samples() -> None:
    drawn = [
        value_added_with_missing(
            with_holes(pupils(seed, schools=25, size=16)[0], seed), FORMULA, ["prior"]
        ).slopes.row(0, named=True)
        for seed in range(100, 124)
    ]
    slopes = np.array([each["joint"] for each in drawn])
    stated = np.mean([each["joint_se"] for each in drawn])
    # 24 samples know their SD to 15 %.
    assert np.std(slopes, ddof=1) == pytest.approx(stated, rel=0.4)
    assert abs(slopes.mean() - SLOPE) < 3 * stated / np.sqrt(24)


def test_a_constant_and_a_flag_mislead_even_where_holes_mean_nothing() -> None:
    """Why the missing-indicator method is not offered: holes at random, sex and prior related."""
    whole, truth = pupils(1)
    there = np.random.default_rng(1).random(whole.height) > 0.35
    frame = whole.with_columns(
        prior=pl.when(pl.Series(there)).then("prior"),
        filled=pl.when(pl.Series(there)).then("prior").otherwise(0.0),
        flag=pl.Series(~there).cast(pl.Int8),
    )
    flagged = value_added(cross_products(frame, "score ~ filled + flag + sex + (1 | school)"))
    wrong = dict(flagged.fixed_effects.select("term", "estimate").iter_rows())
    result = value_added_with_missing(frame, FORMULA, ["prior"])
    right = dict(result.fixed_effects.select("term", "estimate").iter_rows())
    assert abs(right["prior"] - SLOPE) < 2 < abs(wrong["filled"] - SLOPE)
    assert abs(right["sex"] - 30) < 4 < 6 < abs(wrong["sex"] - 30)
    of_flag = np.std(centred(flagged.school_effects["estimate"]) - truth)
    joint = np.std(centred(result.school_effects["estimate"]) - truth)
    assert joint < 0.85 * of_flag


def test_two_columns_with_holes_and_an_untouched_rest() -> None:
    frame = with_holes(pupils(5)[0])
    draw = np.random.default_rng(8)
    reading = frame["score"] / 100 - 5 + pl.Series(draw.normal(size=frame.height))
    gone = draw.random(frame.height) < 0.3
    frame = frame.with_columns(
        reading=pl.when(pl.Series(~gone)).then(reading),
        group=pl.Series(draw.choice(["a", "b", "c"], frame.height)),
    )
    formula = "score ~ prior + reading + sex * group + I(sex**2 + 1) : group + (1 | school)"
    with pytest.raises(InputError, match="identified"):
        value_added_with_missing(frame, formula, ["prior", "reading"])
    result = value_added_with_missing(
        frame, "score ~ prior + reading + sex * group + (1 | school)", ["prior", "reading"]
    )
    assert result.slopes["term"].to_list() == ["prior", "reading"]
    assert set(result.fixed_effects["term"]) == set(result.complete.fixed_effects["term"])
    assert result.fixed_effects["se"].is_finite().all()
    assert result.agreement["n_complete"] == frame.drop_nulls().height


def test_years_give_the_persistent_effect_both_ways() -> None:
    frame, truth = pupils(6, schools=150, size=40, years=4)
    formula = "score ~ prior + sex + factor(year) + (1 | school)"
    result = value_added_with_missing(with_holes(frame), formula, ["prior"], year="year")
    assert set(result.school_effects["years"]) == {4}
    assert result.slopes["joint"][0] == pytest.approx(SLOPE, abs=4)
    z = (centred(result.school_effects["estimate"]) - truth) / result.school_effects[
        "se_comparative"
    ].to_numpy()
    assert 0.85 < np.sqrt((z**2).mean()) < 1.15
    assert needs(result.in_pupil_sd("maths")).frame.height == 150


def test_a_school_without_a_complete_pupil_is_there_by_the_joint_model_alone() -> None:
    frame = with_holes(pupils(7, schools=40)[0]).with_columns(
        prior=pl.when(pl.col("school") != "s002").then("prior")
    )
    result = value_added_with_missing(frame, FORMULA, ["prior"])
    row = result.comparison.filter(pl.col("school") == "s002").row(0, named=True)
    assert row["n_complete"] == 0
    assert row["n"] == 30
    assert row["estimate_complete"] is None
    assert row["se_joint"] > result.comparison["se_joint"].median()  # type: ignore[operator]  # polars
    assert result.agreement["schools_only_joint"] == 1


def test_the_same_input_gives_the_same_bytes() -> None:
    frame = with_holes(pupils(8, schools=40)[0])
    one, two = (value_added_with_missing(frame, FORMULA, ["prior"]) for _ in range(2))
    assert one.comparison.equals(two.comparison)
    assert one.provenance == two.provenance


def test_what_cannot_be_done_is_refused_in_words() -> None:
    frame = with_holes(pupils(9, schools=12)[0])

    def refusal(formula: str, incomplete: list[str]) -> str:
        with pytest.raises(InputError) as found:
            value_added_with_missing(frame, formula, incomplete)
        return str(found.value)

    assert "does not hold this column" in refusal("score ~ sex + (1 | school)", ["prior"])
    for fixed in ("prior * sex", "prior + I(prior**2)", "factor(prior)"):
        assert "stands alone" in refusal(f"score ~ {fixed} + (1 | school)", ["prior"])
    assert "one random intercept" in refusal("score ~ prior + (1 + sex | school)", ["prior"])
    assert "No column with holes" in refusal(FORMULA, [])
    assert "must be a column" in refusal("I(score*2) ~ prior + (1 | school)", ["prior"])
    assert "no such column" in refusal("score ~ prior + age + (1 | school)", ["prior"])
