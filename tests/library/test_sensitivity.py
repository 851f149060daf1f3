"""Other ways of reckoning: each equals the model fitted afresh; tails against integrals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from scipy.stats import t as student

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.heavy_tails import heavy_tailed_effects, unshrunken
from brightspots.insight.school_level import SchoolLevelParameters, school_level_value_added
from brightspots.insight.school_years import school_year_value_added
from brightspots.insight.sensitivity import (
    VARIANTS,
    sensitivity_of_school_figures,
    sensitivity_table,
)
from brightspots.insight.submodels import (
    identified,
    only_cells,
    term_columns,
    with_group_means,
    without_terms,
)
from brightspots.insight.value_added import value_added

YEARS = "score ~ prior + poor + sex + factor(year) + (1 | school)"
ONE = "score ~ prior + poor + sex + (1 | school)"


def pupils(seed: int = 0, schools: int = 40, years: int = 3) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    n = schools * years * 20
    school = draw.integers(0, schools, n)
    year = draw.integers(0, years, n)
    u, v = draw.normal(0, 20, schools), draw.normal(0, 10, (schools, years))
    intake = draw.normal(0, 0.5, schools)
    prior = intake[school] + draw.normal(0, 1, n)
    poor, sex = draw.integers(0, 2, n), draw.integers(0, 2, n)
    noise = draw.normal(0, 80, n)
    score = 500 + 60 * prior + 15 * intake[school] - 20 * poor + u[school] + v[school, year] + noise
    return pl.DataFrame(
        {
            "school": [f"s{j:03}" for j in school],
            "year": 2020 + year,
            "prior": prior,
            "poor": poor,
            "sex": [("boy", "girl")[i] for i in sex],
            "score": score,
        }
    )


def assert_same_fit(a: CrossProducts, b: CrossProducts) -> None:
    left, right = value_added(a), value_added(b)
    assert left.reml_criterion == pytest.approx(right.reml_criterion, abs=1e-6)
    np.testing.assert_allclose(
        left.effects["estimate"], right.effects["estimate"], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(left.fixed_effects["se"], right.fixed_effects["se"], rtol=1e-6)


def test_a_model_without_terms_is_a_sub_block() -> None:
    frame = pupils(1, years=1)
    whole = cross_products(frame, ONE)
    fewer = without_terms(whole, ["poor", "sexgirl"])
    assert fewer.terms == ("(Intercept)", "prior")
    assert_same_fit(fewer, cross_products(frame, "score ~ prior + (1 | school)"))


def test_a_slope_stays_when_its_term_goes() -> None:
    frame = pupils(2, years=1)
    whole = cross_products(frame, "score ~ prior + poor + (1 + poor | school)")
    fewer = without_terms(whole, ["poor"])
    assert (fewer.terms, fewer.extra) == (("(Intercept)", "prior"), ("poor",))
    assert_same_fit(fewer, cross_products(frame, "score ~ prior + (1 + poor | school)"))


def test_the_mean_of_a_school_needs_no_second_scan() -> None:
    frame = pupils(3, years=1)
    made = with_group_means(cross_products(frame, ONE), ["prior", "sexgirl"], ("school",))
    assert made.terms[-2:] == ("mean(prior)", "mean(sexgirl)")
    by_hand = frame.with_columns(
        m=pl.col("prior").mean().over("school"),
        g=(pl.col("sex") == "girl").mean().over("school"),
    )
    assert_same_fit(
        made, cross_products(by_hand, "score ~ prior + poor + sex + m + g + (1 | school)")
    )


def test_weights_and_slopes_carry_over_to_school_means() -> None:
    frame = pupils(4, years=1).with_columns(w=1.0 + pl.col("poor"))
    formula = "score ~ prior + (1 + poor | school)"
    made = with_group_means(cross_products(frame, formula, weights="w"), ["prior"], ("school",))
    weighted = (pl.col("w") * pl.col("prior")).sum() / pl.col("w").sum()
    by_hand = frame.with_columns(m=weighted.over("school"))
    again = cross_products(by_hand, "score ~ prior + m + (1 + poor | school)", weights="w")
    assert_same_fit(made, again)


def test_a_year_alone_is_some_of_the_cells() -> None:
    frame = pupils(5)
    cp = cross_products(frame, YEARS, by=("year",))
    one = identified(only_cells(cp, (cp.cells["year"] == "2021").to_numpy(), "2021"))
    assert one.terms == ("(Intercept)", "prior", "poor", "sexgirl")
    assert_same_fit(one, cross_products(frame.filter(pl.col("year") == 2021), ONE))


def test_every_term_knows_its_columns() -> None:
    formula = "score ~ prior * sex + I(prior**2) + factor(year) + (1 | school)"
    found = term_columns(cross_products(pupils(6), formula))
    assert found["prior:sexgirl"] == {"prior", "sex"}
    assert found["I(prior**2)"] == {"prior"}
    assert found["factor(year)2022"] == {"year"}
    assert found["(Intercept)"] == set()


def test_each_variant_is_the_model_it_says() -> None:
    frame = pupils(7)
    cp = cross_products(frame, YEARS, by=("year",))
    made = sensitivity_table(cp, prior=["prior"], background=["poor"], year="year")
    assert made.left_out == {}
    assert made.summary["variant"].to_list() == ["base", *VARIANTS]
    unit = made.pupil_sd

    def of(name: str) -> pl.Series:
        return made.table.filter(pl.col("variant") == name)["estimate"] * unit

    def afresh(formula: str, rows: pl.DataFrame) -> pl.Series:
        again = cross_products(rows, formula, by=("year",))
        return school_year_value_added(again, year="year").persistent["estimate"]

    early = frame.filter(pl.col("year") < 2022)
    mean = frame.with_columns(m=pl.col("prior").mean().over("school", "year"))
    late = cross_products(frame.filter(pl.col("year") == 2022), ONE)
    expected = {
        "base": afresh(YEARS, frame),
        "no_background": afresh(YEARS.replace("poor + ", ""), frame),
        "prior_only": afresh(YEARS.replace("poor + sex + ", ""), frame),
        "school_mean": afresh(YEARS.replace("prior", "prior + m", 1), mean),
        "without_latest": afresh(YEARS, early),
        "latest_year": value_added(late).school_effects["estimate"],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(of(name), values, rtol=2e-4, atol=1e-3, err_msg=name)
    base = made.summary.row(0, named=True)
    assert (base["sd_change"], base["changed"], base["reversed"]) == (0.0, 0, 0)


def test_the_base_may_be_given_and_then_nothing_changes() -> None:
    cp = cross_products(pupils(8, years=1), ONE)
    a = sensitivity_table(cp, prior=["prior"])
    b = sensitivity_table(cp, prior=["prior"], fitted=value_added(cp))
    assert a.table.equals(b.table)
    assert a.left_out["prior_only"] == "The same as without background."
    assert a.left_out["latest_year"] == "Years are not told apart."


def test_schools_intervals_that_come_to_hold_zero_are_counted() -> None:
    made = sensitivity_table(cross_products(pupils(9, years=1), ONE), prior=["prior"])

    def side(name: str) -> pl.Series:
        rows = made.table.filter(pl.col("variant") == name)
        return (rows["lower"] > 0).cast(pl.Int8) - (rows["upper"] < 0).cast(pl.Int8)

    for row in made.summary.iter_rows(named=True):
        assert row["changed"] == int((side("base") != side(row["variant"])).sum())


def test_school_figures_have_the_same_variants() -> None:
    draw = np.random.default_rng(10)
    schools, years = 60, 3
    prior, poor = draw.normal(0, 1, schools), draw.normal(0, 1, schools)
    u = draw.normal(0, 8, schools)
    frame = pl.DataFrame(
        {
            "school": np.repeat([f"s{i:02}" for i in range(schools)], years),
            "year": np.tile([2021, 2022, 2023], schools),
            "mean": np.repeat(200 + 9 * prior - 6 * poor + u, years)
            + draw.normal(0, 7, schools * years),
            "candidates": draw.integers(20, 90, schools * years),
            "spread": 40.0,
            "prior": np.repeat(prior, years),
            "poor": np.repeat(poor, years),
        }
    )
    parameters = SchoolLevelParameters(context=("prior", "poor"))
    made = sensitivity_of_school_figures(frame, parameters, prior=["prior"])
    without = school_level_value_added(frame, SchoolLevelParameters(context=("prior",)))
    ours = made.table.filter(pl.col("variant") == "no_background")["estimate"] * made.pupil_sd
    np.testing.assert_allclose(ours, without.school_effects["estimate"])
    assert set(made.left_out) == {"prior_only", "school_mean"}
    assert made.variants()["variant"].unique().sort().to_list() == [
        "heavy_tails", "latest_year", "no_background", "without_latest",
    ]  # fmt: skip


def test_unshrunken_gives_mean_residuals_and_sampling_variances_back() -> None:
    frame = pupils(11, years=1)
    cp = cross_products(frame, ONE)
    fitted = value_added(cp)
    back = unshrunken(fitted.school_effects)
    beta = dict(fitted.fixed_effects.select("term", "estimate").iter_rows())
    girl = (pl.col("sex") == "girl").cast(pl.Float64)
    expected = beta["(Intercept)"] + pl.col("prior") * beta["prior"] + pl.col("poor") * beta["poor"]
    by = frame.group_by("school").agg(
        (pl.col("score") - expected - girl * beta["sexgirl"]).mean().alias("r"), pl.len()
    )
    both = back.join(by, on="school")
    sigma2 = fitted.variance_components["variance"][-1]
    np.testing.assert_allclose(both["residual"], both["r"], atol=1e-6)
    np.testing.assert_allclose(both["sampling_variance"], sigma2 / both["len"], rtol=1e-6)


def test_schools_that_do_not_differ_have_no_tails_and_every_other_variant() -> None:
    frame = pl.DataFrame(
        {"school": ["a", "b", "c"] * 8, "x": [1.0, 2.0] * 12, "score": np.repeat(range(8), 3)}
    )
    made = sensitivity_table(cross_products(frame, "score ~ x + (1 | school)"))
    assert made.left_out["heavy_tails"].startswith("Schools do not differ")
    assert made.table["estimate"].to_list() == [0.0] * made.table.height
    assert made.summary["correlation"].drop_nulls().to_list() == []


def figures(
    seed: int, schools: int, nu: float, sd: float = 0.15
) -> tuple[pl.DataFrame, np.ndarray]:
    draw = np.random.default_rng(seed)
    s2 = draw.uniform(0.002, 0.04, schools)
    u = sd * (draw.standard_t(nu, schools) if np.isfinite(nu) else draw.normal(size=schools))
    frame = pl.DataFrame(
        {
            "school": [f"s{i:04}" for i in range(schools)],
            "residual": u + draw.normal(0, np.sqrt(s2)),
            "sampling_variance": s2,
        }
    )
    return frame, u


def test_heavy_tails_agree_with_numerical_integrals() -> None:
    """Likelihood ratio and posterior means at our optimum, integrated over u itself."""
    frame, _ = figures(1, 25, 2.5)
    made = heavy_tailed_effects(frame)
    assert np.isfinite(made.nu)
    prior = student(made.nu, scale=made.scale)
    log_likelihood = 0.0
    for r, s2, estimate in made.effects.select(
        "residual", "sampling_variance", "estimate"
    ).iter_rows():
        d, s = r - made.centre, np.sqrt(s2)

        def density(u: float, d: float = d, s: float = s) -> float:
            return float(prior.pdf(u) * norm.pdf(d, u, s))

        options = {"points": [0.0, d], "limit": 400, "epsabs": 1e-13}
        whole = quad(density, d - 12 * s, d + 12 * s, **options)[0]
        mean = quad(lambda u, f=density: u * f(u), d - 12 * s, d + 12 * s, **options)[0] / whole
        log_likelihood += np.log(whole)
        assert estimate == pytest.approx(mean, abs=1e-7)
    r, s2 = made.effects["residual"].to_numpy(), made.effects["sampling_variance"].to_numpy()
    best_normal = max(
        norm.logpdf(r, mu, np.sqrt(s2 + made.normal_sd**2)).sum()
        for mu in np.linspace(-0.2, 0.2, 4001)
    )
    assert made.likelihood_ratio == pytest.approx(2 * (log_likelihood - best_normal), abs=1e-4)


def test_normal_effects_are_not_called_heavy() -> None:
    frame, _ = figures(2, 800, np.inf)
    made = heavy_tailed_effects(frame)
    assert made.nu > 20
    assert made.p_value > 0.05
    assert made.unusual == ()


def test_heavy_effects_are_found_and_intervals_hold_them() -> None:
    frame, u = figures(3, 1500, 3)
    made = heavy_tailed_effects(frame)
    assert 2.3 < made.nu < 4.2
    assert made.p_value < 1e-6
    held = (made.effects["lower"].to_numpy() <= u) & (u <= made.effects["upper"].to_numpy())
    assert 0.93 <= held.mean() <= 0.97


def test_three_outliers_no_longer_decide_about_the_others() -> None:
    frame, u = figures(4, 200, np.inf)
    wild = frame.with_columns(
        residual=pl.when(pl.col("school").is_in(["s0003", "s0050", "s0120"]))
        .then(pl.lit(2.5))
        .otherwise(pl.col("residual"))
    )
    made = heavy_tailed_effects(wild)
    assert set(made.unusual) >= {"s0003", "s0050", "s0120"}
    ordinary = ~made.effects["school"].is_in(["s0003", "s0050", "s0120"]).to_numpy()
    truth = u[ordinary]
    error = made.effects["estimate"].to_numpy()[ordinary] - truth
    normal = made.effects["estimate_normal"].to_numpy()[ordinary] - truth
    assert (error**2).mean() < (normal**2).mean()
    far = made.effects.filter(pl.col("school") == "s0003").row(0, named=True)
    assert far["estimate"] > far["estimate_normal"]  # what is far out is shrunken less


def test_units_names_and_order_change_nothing_but_themselves() -> None:
    frame, _ = figures(5, 60, 3)
    a = heavy_tailed_effects(frame)
    moved = frame.sample(fraction=1, shuffle=True, seed=1).with_columns(
        pl.col("residual") * 100 + 7, pl.col("sampling_variance") * 1e4
    )
    b = heavy_tailed_effects(moved)
    assert b.nu == pytest.approx(a.nu, rel=1e-3)
    np.testing.assert_allclose(b.effects["estimate"] / 100, a.effects["estimate"], atol=1e-5)
    again = frame.with_columns(pl.col("school").str.replace("s", "z"))
    assert heavy_tailed_effects(again).effects["estimate"].equals(a.effects["estimate"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"variants": ["everything"]}, 'no variant "everything"'),
        ({"prior": ["priors"]}, "No term of the formula reads"),
        ({"year": "year"}, "not scanned by"),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(options: dict[str, object], words: str) -> None:
    cp = cross_products(pupils(12, years=1), ONE)
    with pytest.raises(InputError) as refused:
        sensitivity_table(cp, **options)  # type: ignore[arg-type]
    assert words in str(refused.value)


def test_too_few_schools_to_speak_of_unusual_ones() -> None:
    frame, _ = figures(6, 9, 3)
    with pytest.raises(InputError, match="too few"):
        heavy_tailed_effects(frame)
    with pytest.raises(InputError, match="above 0") as refused:
        heavy_tailed_effects(figures(6, 12, 3)[0].with_columns(sampling_variance=0.0))
    assert refused.value.row == 2


@pytest.mark.real_data
def test_englands_schools_under_other_ways(real_data: Path) -> None:
    """With official limits and three years: every variant there can be, in pupil SD."""
    frame = pl.read_csv(
        real_data / "england" / "ks2_maths_panel_long.csv",
        null_values=["", "NA"],
        infer_schema_length=None,
    )
    parameters = SchoolLevelParameters(
        context=("TKS1AVERAGE", "PTFSM6CLA1A"),
        outcome="MATPROG",
        school="URN",
        candidates="TELIG",
        lower="MATPROG_LOWER",
        upper="MATPROG_UPPER",
    )
    made = sensitivity_of_school_figures(frame, parameters, prior=["TKS1AVERAGE"])
    assert set(made.left_out) == {"prior_only", "school_mean"}
    rows = {row["variant"]: row for row in made.summary.iter_rows(named=True)}
    assert rows["base"]["schools"] == 554
    # One cohort says something else than three; one outlier more or less does not.
    assert rows["latest_year"]["correlation"] < 0.9
    assert rows["heavy_tails"]["correlation"] > 0.99
    assert made.heavy_tails is not None
    assert made.heavy_tails.p_value <= 1
    assert made.table["estimate"].abs().max() < 2  # type: ignore[operator]  # pupil SD
