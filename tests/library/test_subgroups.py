"""Groups of pupils: against dense algebra, known truth, and an attacker who subtracts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import cross_products
from brightspots.insight.school_years import school_year_value_added
from brightspots.insight.subgroup_fits import shown_groups
from brightspots.insight.subgroups import Bands, SubgroupValueAdded, subgroup_value_added
from brightspots.insight.value_added import value_added

FORMULA = "score ~ prior + sex + (1 | school)"


def pupils(seed: int = 0, schools: int = 40, size: int = 60, gap: float = 0.3) -> pl.DataFrame:
    """Pupils in marks; the gap between the sexes differs from school to school by `gap`."""
    draw = np.random.default_rng(seed)
    n = draw.integers(size // 2, 2 * size, schools)
    school = np.repeat(np.arange(schools), n)
    girl = draw.integers(0, 2, n.sum())
    u, own = draw.normal(0, 0.2, schools), draw.normal(0, gap, schools)
    prior = draw.normal(0, 1, n.sum())
    score = 0.6 * prior + 0.1 * girl + u[school] + own[school] * (girl - 0.5)
    return pl.DataFrame(
        {
            "school": [f"s{j:03}" for j in school],
            "prior": prior,
            "sex": [("boy", "girl")[i] for i in girl],
            "home": draw.choice(["here", "abroad", ""], n.sum(), p=[0.7, 0.2, 0.1]),
            "score": 500 + 100 * (score + draw.normal(0, 0.8, n.sum())),
        }
    )


def made(frame: pl.DataFrame, **options: object) -> SubgroupValueAdded:
    cp = cross_products(frame, FORMULA)
    return subgroup_value_added(frame, cp, value_added(cp), ["sex"], **options)  # type: ignore[arg-type]


def test_effects_of_a_group_are_those_of_dense_algebra() -> None:
    frame = pupils(1)
    cp = cross_products(frame, FORMULA)
    fitted = value_added(cp)
    ours = subgroup_value_added(frame, cp, fitted, ["sex"]).figures.filter(
        pl.col("group") == "girl"
    )
    beta = dict(fitted.fixed_effects.select("term", "estimate").iter_rows())
    girls = frame.filter(pl.col("sex") == "girl").with_columns(
        r=pl.col("score") - beta["(Intercept)"] - beta["sexgirl"] - beta["prior"] * pl.col("prior")
    )
    by = girls.group_by("school").agg(pl.col("r").mean(), pl.len().alias("n")).sort("school")
    within = girls.select((pl.col("r") - pl.col("r").mean().over("school")) ** 2).sum().item()
    s2 = within / (girls.height - by.height) / by["n"].to_numpy()
    r, one = by["r"].to_numpy(), np.ones(by.height)

    def parts(tau2: float) -> tuple[np.ndarray, float]:
        inverse = np.linalg.inv(np.diag(s2) + tau2 * np.eye(len(s2)))
        return inverse, float(one @ inverse @ one)

    def criterion(tau2: float) -> float:
        inverse, information = parts(tau2)
        left = r - (one @ inverse @ r) / information
        return float(-np.linalg.slogdet(inverse)[1] + np.log(information) + left @ inverse @ left)

    tau2 = float(
        minimize_scalar(criterion, bounds=(0, 5000), method="bounded", options={"xatol": 1e-9}).x
    )
    inverse, information = parts(tau2)
    P = inverse - np.outer(inverse @ one, one @ inverse) / information
    assert ours["school"].to_list() == by["school"].to_list()
    np.testing.assert_allclose(ours["estimate"], tau2 * P @ r, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        ours["se_comparative"], np.sqrt(tau2 - tau2**2 * np.diag(P)), rtol=1e-5
    )
    np.testing.assert_allclose(
        ours["observed"],
        girls.group_by("school").agg(pl.col("score").mean()).sort("school")["score"],
    )


def test_a_gap_is_compared_with_the_usual_gap() -> None:
    """Schools' own gaps are known here: intervals hold them, and estimates follow them."""
    frame = pupils(2, schools=150)
    ours = made(frame)
    about = ours.groups
    assert about["usual"].abs().max() < 5  # sex is in the formula: nothing usual is left
    gaps = ours.differences
    assert gaps.select("group", "other").unique().rows() == [("boy", "girl")]
    raw = gaps["gap"] - gaps["usual"]
    shrink = gaps["estimate"] / raw
    assert ((shrink > 0) & (shrink < 1)).all()
    sd = float((gaps["se_comparative"] ** 2 + gaps["se_diagnostic"] ** 2).sqrt()[0])
    assert sd == pytest.approx(30, rel=0.2)  # .3 of 100 marks; SE of an SD of 150 schools 6 %
    above = gaps.filter(pl.col("lower") > 0)
    assert (above["probability"] > 0.975 - 1e-9).all()


def test_schools_that_treat_groups_alike_show_no_gap_of_their_own() -> None:
    ours = made(pupils(3, gap=0.0))
    sd = (ours.differences["se_comparative"] ** 2 + ours.differences["se_diagnostic"] ** 2).sqrt()
    assert float(sd.max() or 0) < 12  # marks, of 100
    wide = ours.differences["lower"].le(0) & ours.differences["upper"].ge(0)
    assert wide.mean() > 0.9


@settings(deadline=None, max_examples=100)
@given(
    counts=st.lists(
        st.tuples(
            st.integers(0, 2), st.sampled_from(["a", "b", "c", "d", None]), st.integers(1, 30)
        ),
        min_size=1,
        max_size=15,
        unique_by=lambda row: (row[0], row[1]),
    )
)
def test_nobody_learns_of_fewer_than_ten_by_subtraction(
    counts: list[tuple[int, str | None, int]],
) -> None:
    frame = pl.DataFrame(
        [(f"s{school}", group, n) for school, group, n in counts],
        schema={"school": pl.String, "group": pl.String, "n": pl.Int64},
        orient="row",
    )
    shown = shown_groups(frame, 10)
    for (school,), rows in frame.group_by("school"):
        given_out = shown.filter(pl.col("school") == school)
        assert (given_out["n"] >= 10).all()
        left = int(rows["n"].sum()) - int(given_out["n"].sum())
        assert given_out.is_empty() or left == 0 or left >= 10
        for n in given_out["n"]:
            assert int(rows["n"].sum()) - n >= 10


def test_groups_large_enough_are_given_out() -> None:
    frame = pl.DataFrame({"school": ["s"] * 3, "group": ["a", "b", None], "n": [10, 11, 12]})
    assert shown_groups(frame, 10)["group"].to_list() == ["a", "b"]


def test_small_groups_and_small_rests_are_held_back() -> None:
    frame = pupils(4, schools=30, size=24)
    ours = made(frame)
    sizes = frame.group_by("school", "sex").len()
    for school, group, n in ours.figures.select("school", "group", "n").iter_rows():
        rest = sizes.filter((pl.col("school") == school) & (pl.col("sex") != group))["len"].sum()
        assert n >= 10
        assert rest >= 10
    assert 0 < ours.figures.height < sizes.height


def test_thirds_of_a_number_hold_a_third_each_and_are_named() -> None:
    frame = pupils(5)
    cp = cross_products(frame, FORMULA)
    ours = subgroup_value_added(frame, cp, value_added(cp), ["home", Bands("prior")])
    thirds = ours.groups.filter(pl.col("dimension") == "prior")
    assert thirds["group"].to_list() == ["high", "low", "middle"]
    assert thirds["n"].sum() == frame.height
    assert thirds["n"].max() - thirds["n"].min() <= 1
    low = frame.filter(pl.col("prior") <= frame["prior"].quantile(1 / 3, "linear"))
    assert thirds.filter(pl.col("group") == "low")["n"].item() == low.height
    assert "" not in ours.groups["group"].to_list()  # no home known: in no group, but in the rest


def test_one_scan_gives_what_each_dimension_alone_gives() -> None:
    frame = pupils(6)
    cp = cross_products(frame, FORMULA)
    fitted = value_added(cp)
    both = subgroup_value_added(frame, cp, fitted, ["sex", "home"])
    for name in ("sex", "home"):
        alone = subgroup_value_added(frame, cp, fitted, [name]).figures
        same = both.figures.filter(pl.col("dimension") == name)
        assert same.select("school", "group", "n").equals(alone.select("school", "group", "n"))
        np.testing.assert_allclose(same["estimate"], alone["estimate"], rtol=1e-7, atol=1e-9)


def test_shuffled_rows_and_other_names_change_nothing() -> None:
    frame = pupils(7)
    names = {f"s{j:03}": f"z{97 * (j + 1) % 89:03}" for j in range(40)}
    other = frame.sample(fraction=1, shuffle=True, seed=3).with_columns(
        pl.col("school").replace_strict(names)
    )
    a = made(frame).figures.with_columns(pl.col("school").replace_strict(names))
    both = a.join(made(other).figures, on=["school", "group"], validate="1:1")
    assert both.height == a.height
    np.testing.assert_allclose(both["estimate"], both["estimate_right"], rtol=1e-7, atol=1e-8)
    assert made(frame).figures.equals(made(frame).figures)


def test_several_years_give_what_lasts_and_say_less_than_one_year_of_as_many_pupils() -> None:
    draw = np.random.default_rng(8)
    years = []
    for year in range(4):
        one = pupils(8, schools=60, size=30).with_columns(year=pl.lit(2020 + year))
        luck = pl.DataFrame({"school": one["school"].unique().sort()}).with_columns(
            luck=pl.Series(draw.normal(0, 30, 60))
        )
        one = one.join(luck, on="school").with_columns(
            pl.col("score") + pl.col("luck") + draw.normal(0, 80, one.height)
        )
        years.append(one.drop("luck"))
    frame = pl.concat(years)
    cp = cross_products(frame, "score ~ prior + sex + factor(year) + (1 | school)", by=("year",))
    fitted = school_year_value_added(cp, year="year")
    lasting = subgroup_value_added(frame, cp, fitted, ["sex"], year="year")
    pooled = subgroup_value_added(frame, cp, fitted, ["sex"])
    assert lasting.pupil_sd == fitted.pupil_sd
    both = lasting.figures.join(pooled.figures, on=["school", "group"])
    assert both.height == lasting.figures.height
    assert (both["se_comparative"] > both["se_comparative_right"]).mean() > 0.9
    assert both["n"].to_list() == both["n_right"].to_list()


def test_weights_of_one_change_nothing() -> None:
    frame = pupils(9).with_columns(weight=pl.lit(1.0))
    plain = cross_products(frame, FORMULA)
    weighted = cross_products(frame, FORMULA, weights="weight")
    a = subgroup_value_added(frame, plain, value_added(plain), ["sex"]).figures
    b = subgroup_value_added(frame, weighted, value_added(weighted), ["sex"]).figures
    np.testing.assert_allclose(a["estimate"], b["estimate"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("dimensions", "words"),
    [
        (["gender"], "no such column"),
        (["prior"], "groups; 20 is the limit"),
        ([], "Name a column"),
        (["sex", "sex"], "named once"),
        ([Bands("sex")], "No pupil has a number"),
    ],
)
def test_what_cannot_be_told_apart_is_said_in_words(
    dimensions: list[str | Bands], words: str
) -> None:
    frame = pupils(10, schools=8)
    cp = cross_products(frame, FORMULA)
    with pytest.raises(InputError) as refused:
        subgroup_value_added(frame, cp, value_added(cp), dimensions)
    assert words in str(refused.value)


def test_other_pupils_than_those_of_the_fit_are_refused() -> None:
    frame = pupils(11, schools=8)
    cp = cross_products(frame, FORMULA)
    with pytest.raises(InputError, match="not the pupils of the fit"):
        subgroup_value_added(frame[:-1], cp, value_added(cp), ["sex"])


@pytest.mark.real_data
def test_state_panel_gives_groups_of_pupils_in_one_scan(real_data: Path) -> None:
    file = real_data / "state_pupil_panel" / "value_added_math_2024_25.csv"
    cp = cross_products(file, "math_2025 ~ math_2024 + frl + ell + female + (1 | school)")
    fitted = value_added(cp)
    ours = subgroup_value_added(file, cp, fitted, ["frl", "ell", Bands("math_2024")])
    assert ours.figures["n"].min() >= 10
    assert set(ours.figures["dimension"].unique()) == {"frl", "ell", "math_2024"}
    whole = fitted.school_effects.join(ours.figures, on="school")
    poor = whole.filter(pl.col("dimension") == "frl")
    assert float(np.corrcoef(poor["estimate"], poor["estimate_right"])[0, 1]) > 0.7
