"""What stands beside an estimate: bracket, trends, security, months, and power before the fact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_ind

from brightspots.core.errors import InputError
from brightspots.evidence.effect_sizes import effect_size, months_of_progress, percentile_gain
from brightspots.evidence.impact import partnership_impact
from brightspots.evidence.parameters import ImpactParameters
from brightspots.evidence.power import (
    PowerDesign,
    detectable_effect,
    power_of,
    schools_needed,
)
from brightspots.evidence.pretrends import pre_trends, raw_paths
from brightspots.evidence.security import SecurityFacts, evidence_security
from tests.library.evidence_panels import COLUMNS, both, staggered


def chosen_on_results(seed: int, n: int = 4000, effect: float = 0.05) -> pl.DataFrame:
    """Schools with the weakest results in year 3 are supported from year 4 on.

    Persistent SD .15, school-year SD .10: what returns to the mean is luck.
    """
    rng = np.random.default_rng(seed)
    T = 6
    score = rng.normal(0, 0.15, (n, 1)) + rng.normal(0, 0.10, (n, T))
    first = np.where(score[:, 2] < np.quantile(score[:, 2], 0.25), 4, 0)
    year = np.arange(1, T + 1)
    score = score + np.where((first[:, None] > 0) & (year >= 4), effect, 0.0)
    return pl.DataFrame({
        "school": np.repeat([f"s{i}" for i in range(n)], T), "year": np.tile(year, n),
        "first": np.repeat(first, T), "score": score.ravel(),
    })  # fmt: skip


def test_support_for_the_weakest_feigns_an_effect_unless_one_looks_further_back() -> None:
    """Truth .05; from the year of the choice it looks three times as large."""
    frame = chosen_on_results(1)
    naive = partnership_impact(frame, COLUMNS)
    further = partnership_impact(frame, COLUMNS, ImpactParameters(anticipation=1))
    assert naive.simple.att is not None
    assert naive.simple.att > 0.12
    assert naive.bracket is not None
    assert naive.bracket.lagged.att == pytest.approx(0.05, abs=0.015)
    assert naive.bracket.low is not None
    assert naive.bracket.high is not None
    assert naive.bracket.low - 0.015 < 0.05 < naive.bracket.high
    assert naive.bracket.agree is False
    assert naive.security.rating <= 2
    assert further.simple.att == pytest.approx(0.05, abs=0.015)
    assert further.imputation is not None
    assert further.imputation.overall.att == pytest.approx(0.05, abs=0.015)


def test_different_trends_are_seen_and_lower_the_security() -> None:
    frame = staggered(20, n=300)
    same = partnership_impact(frame, COLUMNS)
    steeper = frame.with_columns(
        score=pl.col("score") + pl.when(pl.col("first") > 0).then(0.3 * pl.col("year"))
        .otherwise(0.0)
    )  # fmt: skip
    apart = partnership_impact(steeper, COLUMNS)
    assert same.pre_trends is not None
    assert apart.pre_trends is not None
    assert (same.pre_trends.p_value or 0) > 0.05
    assert apart.pre_trends.p_value is not None
    assert apart.pre_trends.p_value < 1e-3
    assert apart.pre_trends.drift.att == pytest.approx(0.3, abs=0.1)
    # Nearly the whole gain in the estimate is what the drift explains.
    gain = (apart.simple.att or 0) - (same.simple.att or 0)
    explained = (apart.pre_trends.would_explain or 0) - (same.pre_trends.would_explain or 0)
    assert explained == pytest.approx(gain, rel=0.01)
    assert apart.security.rating == 1


def test_the_test_of_trends_rejects_as_often_as_it_says() -> None:
    """20 partnerships: F, where a chi-square would reject twice as often as it says."""
    columns, runs, rejected = replace(COLUMNS, cluster="partnership"), 200, 0
    parameters = ImpactParameters()
    for seed in range(runs):
        frame = staggered(seed, n=80, T=5, per_cluster=2, cluster_sd=0.3)
        panel, found = both(frame, columns)
        p = pre_trends(found, parameters, panel.n_clusters).p_value
        rejected += p is not None and p < 0.05
    assert rejected / runs <= 0.1


def test_paths_are_plain_means() -> None:
    frame = staggered(21)
    panel, _ = both(frame)
    paths = raw_paths(panel)
    plain = frame.group_by("first", "year").agg(pl.col("score").mean(), n=pl.len())
    assert paths.height == plain.height
    row = paths.filter((pl.col("group") == "never") & (pl.col("time") == "2"))
    mine = plain.filter((pl.col("first") == 0) & (pl.col("year") == 2))
    assert row["mean"].item() == pytest.approx(mine["score"].item())
    assert row["n"].item() == mine["n"].item()


@pytest.mark.parametrize(
    ("effect", "months"),
    [(0.0, 0), (0.01, 0), (0.0149, 0), (0.015, 1), (0.09, 1), (0.10, 2), (0.18, 2), (0.19, 3),
     (0.26, 3), (0.27, 4), (0.35, 4), (0.36, 5), (0.45, 6), (0.53, 7), (0.62, 8), (0.70, 9),
     (0.79, 10), (0.88, 11), (0.95, 11), (0.96, 12), (1.0, 12), (3.0, 12), (-0.05, -1),
     (-0.19, -3)],
)  # fmt: skip
def test_months_are_those_of_the_table(effect: float, months: int) -> None:
    assert months_of_progress(effect) == months


def test_percentile_gain_and_both_ends() -> None:
    assert percentile_gain(0.0) == 0
    assert percentile_gain(0.25) == pytest.approx(9.87, abs=0.01)
    size = effect_size(0.2, -0.05, 0.45, months=True)
    assert (size.months, size.months_lower, size.months_upper) == (3, -1, 6)
    assert effect_size(0.2, 0.1, 0.3, months=False).months is None
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(InputError):
            months_of_progress(wrong)
        with pytest.raises(InputError):
            percentile_gain(wrong)


GOOD = SecurityFacts(
    "lottery", attrition=0.05, imbalance=0.05, detectable=0.15, treated_clusters=30,
    comparison_clusters=30, pre_trend_p=0.5, answers_agree=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "rating", "reason"),
    [
        ({}, 5, "lottery"),
        ({"design": "eligible"}, 4, "eligible"),
        ({"design": "comparison"}, 3, "without a lottery"),
        ({"design": "before_after"}, 0, "change over time is not an effect"),
        ({"attrition": 0.25}, 3, "25% of the schools were lost"),
        ({"attrition": 0.25, "attrition_difference": 0.2}, 2, "20% apart"),
        ({"attrition": 0.6}, 0, "60%"),
        ({"imbalance": 0.4}, 3, "0.40 SD apart"),
        ({"imbalance": None}, 2, "not known how alike"),
        ({"detectable": 0.45}, 2, "0.45 SD of pupils"),
        ({"treated_clusters": 1}, 0, "1 supported"),
        ({"treated_clusters": 4}, 1, "4 supported"),
        ({"comparison_clusters": 9}, 3, "9 other"),
        ({"design": "comparison", "pre_trend_p": 0.01}, 1, "trends differed"),
        ({"design": "comparison", "pre_trend_p": None}, 2, "could not be compared"),
        ({"design": "comparison", "answers_agree": False}, 2, "another answer"),
    ],
)  # fmt: skip
def test_security_is_the_least_of_its_parts_and_says_why(
    change: dict[str, Any], rating: int, reason: str
) -> None:
    found = evidence_security(replace(GOOD, **change))
    assert found.rating == rating
    assert any(reason in why for why in found.reasons)
    assert found.months_allowed == (rating > 0)


def test_security_refuses_what_cannot_be() -> None:
    with pytest.raises(InputError, match="design"):
        replace(GOOD, design="guess")
    with pytest.raises(InputError, match="attrition"):
        replace(GOOD, attrition=1.5)


def test_all_supported_at_once_is_no_evidence_whatever_the_change() -> None:
    frame = staggered(22).with_columns(first=pl.lit(4))
    found = partnership_impact(frame, COLUMNS, ImpactParameters(pupil_sd=1.0))
    assert found.security.rating == 0
    assert found.size is None
    assert found.simple.att is None
    assert found.cells.height == 0
    assert found.paths.height == 6
    assert "change over time" in found.notes[0]


def test_a_lottery_and_a_list_of_the_eligible_count_for_more() -> None:
    frame = staggered(23, n=240).with_columns(
        ok=pl.when(pl.col("school").str.ends_with("7") & (pl.col("first") == 0))
        .then(pl.lit("no")).otherwise(pl.lit("yes"))
    )  # fmt: skip
    plain = partnership_impact(frame, COLUMNS)
    listed = partnership_impact(frame, replace(COLUMNS, eligible="ok"))
    drawn = partnership_impact(frame, COLUMNS, ImpactParameters(design="lottery"))
    assert (plain.security.rating, listed.security.rating) == (3, 4)
    assert drawn.security.rating == 5
    assert set(listed.left_out["reason"]) == {"not treated and not eligible"}


def test_gaps_count_as_attrition_and_late_treatment_does_not() -> None:
    frame = staggered(24, n=200)
    some = [f"s{i:04d}" for i in range(0, 200, 4)]
    gaps = frame.filter(~(pl.col("school").is_in(some) & (pl.col("year") == 6)))
    found = partnership_impact(gaps, COLUMNS)
    parts = {name: (most, why) for name, most, why in found.security.parts}
    assert parts["attrition"] == (3, "25% of the schools were lost")


# Power.

PLAN = PowerDesign(40)


def test_forty_schools_by_hand() -> None:
    """PowerUp!'s formula: (2.0244 + 0.8512) x root of (.15 + .85 / 30) / (.25 x 40)."""
    found = detectable_effect(PLAN)
    assert found.df == 38
    assert found.detectable == pytest.approx(2.8756 * 0.13354, abs=2e-4)


def simulated(plan: PowerDesign, effect: float, runs: int, seed: int) -> float:
    """Share of simulated trials in which a test on schools' means (or changes) finds the effect."""
    rng = np.random.default_rng(seed)
    J, m, r = plan.schools, plan.pre_periods, plan.post_periods
    treated = np.arange(J) < round(J * plan.share)
    lasting = rng.normal(0, np.sqrt(plan.icc * plan.stability), (runs, J, 1))
    yearly = plan.icc * (1 - plan.stability) + (1 - plan.icc) / plan.pupils
    means = lasting + rng.normal(0, np.sqrt(yearly), (runs, J, m + r))
    means[:, treated, m:] += effect
    after = means[:, :, m:].mean(axis=2)
    if m and not plan.adjust:
        after = after - means[:, :, :m].mean(axis=2)
    elif m:
        before = means[:, :, :m].mean(axis=2)
        X = np.stack([np.ones_like(before), np.broadcast_to(treated, before.shape), before], -1)
        inverse = np.linalg.inv(np.einsum("rji,rjk->rik", X, X))
        beta = np.einsum("rik,rjk,rj->ri", inverse, X, after)
        rest = after - np.einsum("rji,ri->rj", X, beta)
        sigma = (rest**2).sum(axis=1) / plan.df
        t = beta[:, 1] / np.sqrt(sigma * inverse[:, 1, 1])
        from scipy.stats import t as student

        return float((2 * student.sf(np.abs(t), plan.df) < plan.alpha).mean())
    p = ttest_ind(after[:, treated], after[:, ~treated], axis=1).pvalue
    return float((p < plan.alpha).mean())


@pytest.mark.parametrize(
    "plan",
    [PLAN, replace(PLAN, share=0.3, post_periods=2), replace(PLAN, pre_periods=2),
     replace(PLAN, pre_periods=3, post_periods=2, adjust=False)],
)  # fmt: skip
def test_trials_of_the_detectable_size_are_found_as_often_as_planned(plan: PowerDesign) -> None:
    effect = detectable_effect(plan).detectable
    # Standard error of the share .009; adjusting for chance differences costs a little more.
    assert simulated(plan, effect, 2000, 7) == pytest.approx(0.8, abs=0.035)
    assert power_of(plan, effect) == pytest.approx(0.8, abs=0.005)


def test_years_before_and_covariates_help_and_more_pupils_do_little() -> None:
    plain = detectable_effect(PLAN).detectable
    assert detectable_effect(replace(PLAN, pre_periods=3)).detectable < 0.75 * plain
    helped = detectable_effect(replace(PLAN, r2_school=0.5, covariates=1)).detectable
    assert helped < 0.8 * plain
    assert detectable_effect(replace(PLAN, pupils=3000.0)).detectable > 0.9 * plain
    adjusted = detectable_effect(replace(PLAN, pre_periods=1, stability=0.4)).detectable
    change = detectable_effect(replace(PLAN, pre_periods=1, stability=0.4, adjust=False)).detectable
    assert adjusted < change


def test_schools_needed_is_the_least_number_that_does() -> None:
    need = schools_needed(PLAN, 0.2)
    assert detectable_effect(replace(PLAN, schools=need)).detectable <= 0.2
    assert detectable_effect(replace(PLAN, schools=need - 1)).detectable > 0.2
    assert power_of(replace(PLAN, schools=need), 0.2) >= 0.795
    assert power_of(PLAN, 0.0) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "match"),
    [({"schools": 3}, "too few"), ({"schools": 6, "covariates": 4}, "too few"),
     ({"icc": 1.2}, "icc"), ({"share": 0.0}, "share"), ({"pupils": 0.0}, "pupils"),
     ({"post_periods": 0}, "post_periods"), ({"power": 1.0}, "power"),
     ({"stability": float("nan")}, "stability")],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_refused(change: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        replace(PLAN, **change)


def test_an_effect_that_no_number_of_schools_would_show_is_refused() -> None:
    with pytest.raises(InputError, match="Not even"):
        schools_needed(PLAN, 1e-4)
    with pytest.raises(InputError, match="above 0"):
        schools_needed(PLAN, 0.0)
