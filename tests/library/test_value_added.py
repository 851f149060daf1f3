"""Value added against lme4's published fits, and what must not change it.

The reference values were made with lme4 1.1-31 (see PROVENANCE.md beside the data). Their "tight"
block is lme4 run on to a closer optimum, so coefficients and variances are held to 1e-6 there (the
promise is 1e-4); school effects were stored at lme4's default stop and are held to 1e-5.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import cross_products
from brightspots.insight.value_added import ValueAdded, value_added, value_added_of

CASES = {
    "inner_london": (
        "exam.csv",
        "exam_ri",
        "normexam ~ standLRT + sex + schgend + (1 | school)",
    ),
    "high_school_and_beyond": (
        "hsb82.csv",
        "hsb82_ri",
        "mAch ~ cses * sx + meanses + (1 | school)",
    ),
    "state_pupil_panel": (
        "value_added_math_2024_25.csv",
        "sgp_va_math_2025",
        "math_2025 ~ math_2024 + read_2024 + frl + ell + iep + female + factor(grade)"
        " + (1 | school)",
    ),
}

# Our reference level is the first in sorted order; the stored fits have others. The models are the
# same: effects, variances and criterion must agree as they are, coefficients after this rewriting.
# Stored term -> the same quantity as a sum of our coefficients.
REWRITTEN: dict[str, dict[str, dict[str, float]]] = {
    "inner_london": {  # stored reference: mixed; ours: boys
        "(Intercept)": {"(Intercept)": 1, "schgendmixed": 1},
        "schgendboys": {"schgendmixed": -1},
        "schgendgirls": {"schgendgirls": 1, "schgendmixed": -1},
    },
    "high_school_and_beyond": {  # stored reference: Male; ours: Female
        "(Intercept)": {"(Intercept)": 1, "sxMale": 1},
        "cses": {"cses": 1, "cses:sxMale": 1},
        "sxFemale": {"sxMale": -1},
        "cses:sxFemale": {"cses:sxMale": -1},
    },
    "state_pupil_panel": {f"grade{g}": {f"factor(grade){g}": 1} for g in range(4, 11)},
}


def fitted(real_data: Path, case: str) -> tuple[ValueAdded, dict[str, Any], pl.DataFrame]:
    file, stored, formula = CASES[case]
    folder = real_data / case
    reference = json.loads((folder / f"{stored}.json").read_text())
    effects = pl.read_csv(folder / f"{stored}_blups.csv", schema_overrides={"grp": pl.String})
    return value_added_of(folder / file, formula), reference, effects


@pytest.mark.real_data
@pytest.mark.parametrize("case", CASES)
def test_variances_and_criterion_are_those_of_lme4(real_data: Path, case: str) -> None:
    ours, reference, _ = fitted(real_data, case)
    tight = reference["tight"]
    assert ours.n_pupils == reference["n_obs"]
    assert ours.reml_criterion == pytest.approx(tight["REML_criterion"], abs=1e-6)
    variances = [part["vcov"] for part in tight["variance_components"]]
    assert ours.variance_components["variance"].to_list() == pytest.approx(variances, rel=1e-6)
    assert ours.icc == pytest.approx(variances[0] / sum(variances), rel=1e-6)
    assert not ours.singular


@pytest.mark.real_data
@pytest.mark.parametrize("case", CASES)
def test_coefficients_are_those_of_lme4(real_data: Path, case: str) -> None:
    ours, reference, _ = fitted(real_data, case)
    estimates = dict(ours.fixed_effects.select("term", "estimate").iter_rows())
    errors = dict(ours.fixed_effects.select("term", "se").iter_rows())
    for part in reference["tight"]["fixed_effects"]:
        sums = REWRITTEN[case].get(part["term"], {part["term"]: 1.0})
        estimate = sum(weight * estimates[term] for term, weight in sums.items())
        # 1e-6 of the standard error where the coefficient itself is next to nothing
        assert estimate == pytest.approx(part["estimate"], rel=1e-6, abs=1e-6 * part["se"])
        if len(sums) == 1:
            assert errors[next(iter(sums))] == pytest.approx(part["se"], rel=1e-6)


@pytest.mark.real_data
@pytest.mark.parametrize("case", CASES)
def test_school_effects_and_their_conditional_sds_are_those_of_lme4(
    real_data: Path, case: str
) -> None:
    ours, _, stored = fitted(real_data, case)
    both = ours.school_effects.join(stored, left_on="school", right_on="grp", validate="1:1")
    assert both.height == stored.height == ours.n_schools
    largest = float(both["condval"].abs().max())  # type: ignore[arg-type]
    np.testing.assert_allclose(both["estimate"], both["condval"], rtol=1e-4, atol=1e-6 * largest)
    np.testing.assert_allclose(both["cond_sd"], both["condsd"], rtol=1e-5)


FORMULA = "score ~ prior + sex + (1 | school)"


def pupils(seed: int = 0, n: int = 240, J: int = 12, between: float = 3.0) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    school = np.concatenate([np.arange(J), draw.integers(0, J, n - J)])
    prior = draw.normal(0, 1, n)
    sex = draw.integers(0, 2, n)
    noise = between * draw.normal(size=J)[school] + draw.normal(0, 8, n)
    return pl.DataFrame(
        {
            "school": [f"{j:03d}" for j in school],
            "prior": prior,
            "sex": [("F", "M")[i] for i in sex],
            "score": 50 + 5 * prior - 2 * sex + noise,
        }
    )


def assert_same(left: ValueAdded, right: ValueAdded, rel: float = 1e-7) -> None:
    for frame in ("fixed_effects", "variance_components", "school_effects"):
        a, b = getattr(left, frame), getattr(right, frame)
        for column in a.columns:
            if a.schema[column].is_float():
                np.testing.assert_allclose(a[column], b[column], rtol=rel, atol=rel)
            else:
                assert a[column].to_list() == b[column].to_list()
    assert left.reml_criterion == pytest.approx(right.reml_criterion, abs=1e-7)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_shuffled_rows_change_nothing(seed: int) -> None:
    frame = pupils(seed)
    assert_same(
        value_added_of(frame, FORMULA),
        value_added_of(frame.sample(fraction=1, shuffle=True, seed=seed), FORMULA),
    )


@settings(deadline=None, max_examples=10)
@given(
    shift=st.floats(-1e6, 1e6),
    scale=st.floats(1e-4, 1e4),
    outcome_shift=st.floats(-1e5, 1e5),
    outcome_scale=st.floats(1e-3, 1e3),
)
def test_other_units_change_the_units_and_nothing_else(
    shift: float, scale: float, outcome_shift: float, outcome_scale: float
) -> None:
    frame = pupils(4)
    moved = frame.with_columns(
        pl.col("prior") * scale + shift, pl.col("score") * outcome_scale + outcome_shift
    )
    a, b = value_added_of(frame, FORMULA), value_added_of(moved, FORMULA)
    for column in ("estimate", "cond_sd", "se_comparative", "lower", "upper"):
        np.testing.assert_allclose(
            b.school_effects[column] / outcome_scale, a.school_effects[column], rtol=1e-5, atol=1e-5
        )
    np.testing.assert_allclose(
        b.school_effects["reliability"], a.school_effects["reliability"], rtol=1e-6
    )
    slope = b.fixed_effects["estimate"][1] * scale / outcome_scale
    assert slope == pytest.approx(a.fixed_effects["estimate"][1], rel=1e-6)
    n, p = a.n_pupils, a.fixed_effects.height
    expected = a.reml_criterion + 2 * (n - p) * np.log(outcome_scale) + 2 * np.log(scale)
    assert b.reml_criterion == pytest.approx(expected, abs=1e-4)


def test_relabelled_schools_keep_their_effects() -> None:
    frame = pupils(1)
    names = {f"{j:03d}": f"School {97 * (j + 1) % 89}" for j in range(12)}
    other = frame.with_columns(pl.col("school").replace_strict(names))
    a = value_added_of(frame, FORMULA).school_effects
    b = value_added_of(other, FORMULA).school_effects
    joined = a.with_columns(pl.col("school").replace_strict(names)).join(b, on="school")
    assert joined.height == 12
    np.testing.assert_allclose(joined["estimate"], joined["estimate_right"], rtol=1e-8)


def test_parts_merged_give_the_values_of_the_whole() -> None:
    frame = pupils(2)
    parts = [cross_products(part, FORMULA) for part in (frame[:100], frame[100:])]
    assert_same(value_added(parts[0].merge(parts[1])), value_added_of(frame, FORMULA))


def test_every_pupil_twice_keeps_the_coefficients_of_ml_at_a_given_variance_smaller_errors() -> (
    None
):
    frame = pupils(3)
    once = value_added_of(frame, FORMULA)
    twice = value_added_of(pl.concat([frame, frame]), FORMULA)
    assert twice.n_pupils == 2 * once.n_pupils
    assert (twice.school_effects["reliability"] > once.school_effects["reliability"]).all()
    assert twice.fixed_effects["se"][1] < once.fixed_effects["se"][1]


def test_uncertainty_adds_up() -> None:
    result = value_added_of(pupils(), FORMULA)
    between = result.variance_components["variance"][0]
    effects = result.school_effects
    total = effects["se_comparative"] ** 2 + effects["se_diagnostic"] ** 2
    np.testing.assert_allclose(total, between)
    np.testing.assert_allclose(effects["reliability"], effects["se_diagnostic"] ** 2 / between)
    assert (effects["cond_sd"] < effects["se_comparative"]).all()
    assert effects["school"].is_sorted()


def test_no_difference_between_schools_gives_singular_and_zero_effects() -> None:
    frame = pl.DataFrame({"school": ["a", "b", "c"] * 8, "score": np.repeat(range(8), 3)})
    result = value_added_of(frame, "score ~ (1 | school)")
    assert result.singular
    assert result.icc == 0
    assert result.school_effects["estimate"].to_list() == [0, 0, 0]
    assert result.school_effects["reliability"].to_list() == [0, 0, 0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (pl.lit("one").alias("school"), "one group"),
        (pl.int_range(pl.len()).alias("school"), "one pupil"),
        (pl.lit(4.0).alias("score"), "outcome is the same"),
        (pl.lit(1e9 + 0.1).alias("score"), "outcome is the same"),
        (pl.lit(4.0).alias("prior"), '"prior" is the same for every pupil'),
        ((pl.col("sex") == "M").cast(pl.Float64).alias("prior"), '"sexM" cannot be identified'),
        ((pl.col("sex") == "M").cast(pl.Float64).alias("score"), "explain the outcome entirely"),
        (pl.lit(float("inf")).alias("prior"), "not finite"),
        (pl.lit(None, dtype=pl.Float64).alias("prior"), "Every row has a missing value"),
        (pl.lit("M").alias("sex"), "one level"),
        (pl.lit("high").alias("score"), "the outcome needs one"),
        (pl.int_range(pl.len()).cast(pl.String).add("x").alias("sex"), "240 levels"),
        (pl.lit("2024-01-01").str.to_date().alias("prior"), "neither a number nor a word"),
    ],
)
def test_what_cannot_be_fitted_is_said_in_words(change: pl.Expr, words: str) -> None:
    with pytest.raises(InputError) as refused:
        value_added_of(pupils().with_columns(change), FORMULA)
    assert words in str(refused.value)
