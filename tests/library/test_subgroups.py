"""Figures of groups of pupils: hand-checked means, shrinkage, and what may not be shown."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import cross_products
from brightspots.insight.subgroups import subgroup_value_added
from brightspots.insight.value_added import value_added_of

FORMULA = "score ~ prior + sex + (1 | school)"


def pupils(seed: int = 0, J: int = 60, girls_gain: float = 0.0) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    size = draw.integers(50, 80, J)
    school = np.repeat(np.arange(J), size)
    sex = np.where(draw.random(len(school)) < 0.5, "F", "M")
    prior = draw.normal(size=len(school))
    girls = girls_gain * draw.normal(size=J)
    score = 2 * prior + draw.normal(0, 1, J)[school] + girls[school] * (sex == "F")
    return pl.DataFrame(
        {
            "school": [f"{j:02d}" for j in school],
            "sex": sex,
            "prior": prior,
            "score": score + draw.normal(0, 3, len(school)),
        }
    )


def test_means_and_shrinkage_follow_the_formula() -> None:
    frame = pupils()
    found = subgroup_value_added(cross_products(frame, FORMULA, by=("sex",)), group="sex")
    fit = value_added_of(frame, FORMULA)
    beta = dict(fit.fixed_effects.select("term", "estimate").iter_rows())
    sigma2 = fit.variance_components["variance"][-1]
    girls = frame.filter(pl.col("sex") == "F").with_columns(
        r=pl.col("score") - beta["(Intercept)"] - beta["prior"] * pl.col("prior")
    )
    by_hand = girls.group_by("school").agg(
        pl.len().alias("n"), pl.col("r").mean(), pl.col("score").mean().alias("observed")
    ).sort("school")  # fmt: skip
    ours = found.frame.filter(pl.col("group") == "F")
    assert ours["n"].to_list() == by_hand["n"].to_list()
    np.testing.assert_allclose(ours["observed"], by_hand["observed"], rtol=1e-9)
    facts = found.groups.filter(pl.col("group") == "F").row(0, named=True)
    tau2, s2 = facts["sd"] ** 2, sigma2 / by_hand["n"].to_numpy()
    shrunken = tau2 / (tau2 + s2) * (by_hand["r"].to_numpy() - facts["mean"])
    np.testing.assert_allclose(ours["estimate"], shrunken, atol=1e-6)


def test_a_true_difference_within_schools_is_found_and_no_other() -> None:
    apart = subgroup_value_added(
        cross_products(pupils(1, girls_gain=3.0), FORMULA, by=("sex",)), group="sex"
    ).differences
    alike = subgroup_value_added(
        cross_products(pupils(1, girls_gain=0.0), FORMULA, by=("sex",)), group="sex"
    ).differences
    clear = (pl.col("lower") > 0) | (pl.col("upper") < 0)
    assert apart.filter(clear).height > 20
    assert alike.filter(clear).height <= 6
    assert apart["group"].unique().to_list() == ["F"]
    assert apart["other"].unique().to_list() == ["M"]


def test_a_small_group_takes_another_with_it_so_that_nothing_can_be_subtracted() -> None:
    """School 00 has 4 pupils of group a, 30 of b and 25 of c: a alone would be 59 - 30 - 25."""
    draw = np.random.default_rng(5)
    rows = []
    for j in range(12):
        for name, n in {"a": 4 if j == 0 else 20, "b": 30, "c": 25}.items():
            rows += [(f"{j:02d}", name, float(draw.normal())) for _ in range(n)]
    frame = pl.DataFrame(rows, schema=["school", "kind", "score"], orient="row")
    cp = cross_products(frame, "score ~ kind + (1 | school)", by=("kind",))
    found = subgroup_value_added(cp, group="kind")
    assert found.frame.filter(pl.col("school") == "00")["group"].to_list() == ["b"]
    assert found.frame.filter(pl.col("school") == "01")["group"].to_list() == ["a", "b", "c"]
    assert found.n_withheld == 2


def test_a_school_of_two_groups_shows_neither_where_one_is_small() -> None:
    draw = np.random.default_rng(6)
    rows = []
    for j in range(10):
        for name, n in {"F": 3 if j == 0 else 15, "M": 40}.items():
            rows += [(f"{j:02d}", name, float(draw.normal())) for _ in range(n)]
    frame = pl.DataFrame(rows, schema=["school", "sex", "score"], orient="row")
    cp = cross_products(frame, "score ~ sex + (1 | school)", by=("sex",))
    assert "00" not in subgroup_value_added(cp, group="sex").frame["school"].to_list()


def test_a_group_that_was_not_scanned_is_named() -> None:
    with pytest.raises(InputError, match="not scanned") as refused:
        subgroup_value_added(cross_products(pupils(), FORMULA), group="sex")
    assert refused.value.column == "sex"


def test_order_and_names_change_nothing() -> None:
    frame = pupils()
    other = frame.sample(fraction=1.0, shuffle=True, seed=1).with_columns(
        school="x" + pl.col("school")
    )
    one, two = (
        subgroup_value_added(cross_products(each, FORMULA, by=("sex",)), group="sex").frame
        for each in (frame, other)
    )
    np.testing.assert_allclose(one["estimate"], two["estimate"], atol=1e-9)
