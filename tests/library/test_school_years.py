"""Schools over several years, against dense linear algebra and known truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import chi2

from brightspots.core.errors import InputError
from brightspots.insight.bright_spots import bright_spots
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.needs import needs
from brightspots.insight.school_year_solver import Theta
from brightspots.insight.school_years import (
    SchoolYearValueAdded,
    compare_drift,
    school_year_value_added,
)
from brightspots.insight.value_added import value_added
from brightspots.insight.variability import VariabilityParameters, variance_decomposition

Array = NDArray[np.float64]
FORMULA = "score ~ prior + factor(year) + (1 | school)"


def pupils(
    seed: int,
    *,
    schools: int = 30,
    years: tuple[int, ...] = (2020, 2021, 2022, 2023),
    persistent: float = 0.4,
    yearly: float = 0.3,
    rho: float = 0.0,
    size: int = 8,
    gone: float = 0.15,
) -> pl.DataFrame:
    """Pupils of an unbalanced system in marks (SD of a pupil 100); some school-years are gone."""
    draw = np.random.default_rng(seed)
    when = np.array(years, dtype=float)
    shape = np.linalg.cholesky(
        float(rho) ** np.abs(when[:, None] - when) + 1e-12 * np.eye(len(when))
    )
    parts = []
    for school in range(schools):
        u, v = persistent * draw.normal(), yearly * shape @ draw.normal(size=len(years))
        for place, year in enumerate(years):
            n = int(draw.integers(1, 2 * size))
            prior = draw.normal(size=n)
            luck = 0.5 * prior + 0.1 * place + u + v[place] + draw.normal(size=n)
            if draw.random() < gone:
                continue
            parts.append(
                pl.DataFrame({"prior": prior, "score": 500 + 100 * luck}).with_columns(
                    school=pl.lit(f"s{school:03}"), year=pl.lit(year)
                )
            )
    return pl.concat(parts)


def scan(frame: pl.DataFrame, formula: str = FORMULA) -> CrossProducts:
    return cross_products(frame, formula, by=("year",))


@dataclass(frozen=True)
class Dense:
    """The same model with n x n matrices at given ratios of variances."""

    criterion: float
    beta: Array
    se: Array
    sigma2: float
    inverse: Array
    P: Array
    residual: Array


def dense(frame: pl.DataFrame, theta: Theta, reml: bool = True) -> Dense:
    y, year = frame["score"].to_numpy(), frame["year"].to_numpy()
    school = frame["school"].to_numpy()
    X = np.column_stack(
        [np.ones(len(y)), frame["prior"]] + [(year == t) * 1.0 for t in np.unique(year)[1:]]
    )
    V = np.eye(len(y)) + (school[:, None] == school) * (
        theta.persistent + theta.yearly * theta.rho ** np.abs(year[:, None] - year)
    )
    inverse = np.linalg.inv(V)
    T = X.T @ inverse @ X
    beta = np.linalg.solve(T, X.T @ inverse @ y)
    r = y - X @ beta
    m = len(y) - X.shape[1] if reml else len(y)
    sigma2 = float(r @ inverse @ r) / m
    criterion = np.linalg.slogdet(V)[1] + m * (1 + math.log(2 * math.pi * sigma2))
    criterion += np.linalg.slogdet(T)[1] if reml else 0.0
    P = inverse - inverse @ X @ np.linalg.inv(T) @ X.T @ inverse
    se = np.sqrt(np.diag(sigma2 * np.linalg.inv(T)))
    return Dense(float(criterion), beta, se, sigma2, inverse, P, r)


def theta_of(result: SchoolYearValueAdded) -> Theta:
    u, v, e = result.variance_components["variance"]
    return Theta(u / e, v / e, result.autocorrelation or 0.0)


@pytest.mark.parametrize(("drift", "rho"), [("none", 0.0), ("ar1", 0.7)])
@pytest.mark.parametrize("reml", [True, False])
def test_everything_equals_dense_algebra_at_an_optimum_nothing_beats(
    drift: str, rho: float, reml: bool
) -> None:
    # Years with a gap: distance in time counts, not the place in the list.
    frame = pupils(5, rho=rho, yearly=0.5, years=(2018, 2019, 2020, 2023), schools=12, size=3)
    result = school_year_value_added(scan(frame), year="year", drift=drift, reml=reml)  # type: ignore[arg-type]  # a str here
    theta = theta_of(result)
    exact = dense(frame, theta, reml)
    assert result.reml_criterion == pytest.approx(exact.criterion, abs=1e-7)
    np.testing.assert_allclose(result.fixed_effects["estimate"], exact.beta, rtol=1e-9)
    np.testing.assert_allclose(result.fixed_effects["se"], exact.se, rtol=1e-8)
    assert result.variance_components["variance"][2] == pytest.approx(exact.sigma2, rel=1e-9)

    school, year = frame["school"].to_numpy(), frame["year"].to_numpy()

    def predicted(prior: float, rows: list[Array]) -> tuple[Array, Array]:
        c = np.array(rows)
        pev = exact.sigma2 * (prior - np.einsum("ij,jk,ik->i", c, exact.P, c))
        return c @ exact.inverse @ exact.residual, np.sqrt(pev)

    names = sorted(set(school))
    rows = [(school == name) * theta.persistent for name in names]
    estimate, se = predicted(theta.persistent, rows)
    np.testing.assert_allclose(result.persistent["estimate"], estimate, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(result.persistent["se_comparative"], se, rtol=1e-8)
    for when in (2019, 2021, 2023, 2026):
        near = theta.rho ** np.abs(year - float(when))
        rows = [(school == name) * (theta.persistent + theta.yearly * near) for name in names]
        estimate, se = predicted(theta.total, rows)
        forecast = result.forecast(when)
        np.testing.assert_allclose(forecast["estimate"], estimate, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(forecast["se_comparative"], se, rtol=1e-8)
        of_year = result.yearly.filter(pl.col("year") == when)
        assert of_year.equals(forecast.filter(pl.col("n") > 0))

    def criterion(x: Array) -> float:
        at = Theta(abs(x[0]), abs(x[1]), min(max(x[2], 0.0), 0.99) if drift == "ar1" else 0.0)
        return dense(frame, at, reml).criterion

    for start in ([theta.persistent, theta.yearly, theta.rho], [0.3, 0.3, 0.3]):
        best = minimize(criterion, start, method="Nelder-Mead", options={"maxfev": 80})
        # 80 steps of a search without derivatives may stop short, but must not end lower.
        assert result.reml_criterion <= best.fun + 1e-7


def test_without_drift_it_is_the_nested_model_of_schools_and_their_years() -> None:
    """(1 | school) + (1 | school:year) by the general solver, which is held to lme4."""
    frame = pupils(8, schools=60)
    ours = school_year_value_added(scan(frame), year="year")
    general = value_added(cross_products(frame, "score ~ prior + factor(year) + (1 | school/year)"))
    assert ours.reml_criterion == pytest.approx(general.reml_criterion, abs=1e-6)
    theirs = dict(general.variance_components.select("group", "variance").iter_rows())
    expected = [theirs["school"], theirs["year:school"], theirs["Residual"]]
    np.testing.assert_allclose(ours.variance_components["variance"], expected, rtol=1e-5)
    same = general.effects.filter(pl.col("group") == "school").sort("level")
    for column in ("estimate", "cond_sd", "se_comparative", "se_diagnostic", "reliability"):
        np.testing.assert_allclose(ours.persistent[column], same[column], rtol=1e-4, atol=1e-4)


def test_truth_is_recovered_and_intervals_hold_it() -> None:
    draw = np.random.default_rng(2)
    schools, years = 400, 5
    u, v = 0.15 * draw.normal(size=schools), 0.10 * draw.normal(size=(schools, years))
    school, year = np.divmod(np.repeat(np.arange(schools * years), 25), years)
    score = u[school] + v[school, year] + draw.normal(size=school.size)
    frame = pl.DataFrame({"school": school + 1000, "year": year + 2019, "score": score})
    result = school_year_value_added(
        scan(frame, "score ~ factor(year) + (1 | school)"), year="year"
    )
    sd = result.variance_components["sd"]
    # 400 schools: the SD of u is known to about 6 %, that of v to about 8 %.
    assert sd[0] == pytest.approx(0.15, rel=0.15)
    assert sd[1] == pytest.approx(0.10, rel=0.25)
    lower, upper = (result.persistent[name].to_numpy() for name in ("lower", "upper"))
    inside = (lower <= u) & (u <= upper)
    assert 0.92 <= inside.mean() <= 0.98
    to_come = u + 0.10 * draw.normal(size=schools)
    forecast = result.forecast(2024)
    z = (forecast["estimate"] - to_come) / forecast["se_comparative"]
    assert float((z**2).mean()) == pytest.approx(1.0, abs=0.2)  # type: ignore[arg-type]  # polars


def test_drift_is_found_where_it_is_and_not_where_it_is_not() -> None:
    with_drift = compare_drift(scan(pupils(3, schools=150, rho=0.8, yearly=0.6)), year="year")
    assert with_drift.autocorrelation == pytest.approx(0.8, abs=0.25)
    assert with_drift.p_value < 0.01
    assert with_drift.p_value == pytest.approx(0.5 * chi2.sf(with_drift.likelihood_ratio, 1))
    without = compare_drift(scan(pupils(3, schools=150)), year="year")
    assert without.likelihood_ratio >= 0
    assert without.p_value > 0.05
    assert without.criterion_ar1 <= without.criterion_none + 1e-8


def test_a_forecast_is_less_certain_than_a_year_seen_and_drift_makes_it_worse_with_distance() -> (
    None
):
    result = school_year_value_added(
        scan(pupils(3, schools=80, rho=0.7, yearly=0.6)), year="year", drift="ar1"
    )
    seen, near, far = result.forecast(2023), result.forecast(2024), result.forecast(2030)
    assert near["n"].sum() == 0
    assert (near["se_comparative"] > seen["se_comparative"]).all()
    assert (far["se_comparative"] > near["se_comparative"]).all()
    assert near["estimate"].std() > far["estimate"].std()


@pytest.mark.parametrize("drift", ["none", "ar1"])
def test_no_false_zero_and_a_true_boundary_says_so(drift: str) -> None:
    passing = school_year_value_added(
        scan(pupils(0, persistent=0.0, yearly=0.5, schools=40)),
        year="year",
        drift=drift,  # type: ignore[arg-type]  # a str here
    )
    lasting = school_year_value_added(
        scan(pupils(12, persistent=0.5, yearly=0.0, schools=40)), year="year"
    )
    assert lasting.variance_components["sd"][0] == pytest.approx(50, rel=0.3)
    assert lasting.variance_components["p_zero"][0] < 1e-6
    if passing.singular:
        assert "school" in passing.boundary
        assert (passing.persistent["estimate"] == 0).all()
        assert (passing.persistent["reliability"] == 0).all()
        assert passing.variance_components["p_zero"][0] == 1.0
    else:
        assert passing.variance_components["p_zero"][0] > 0.05


def test_singular_only_where_the_dense_criterion_rises_from_zero() -> None:
    zeros = 0
    for seed in range(12):
        frame = pupils(seed, persistent=0.0, yearly=0.5, schools=12, size=3)
        result = school_year_value_added(scan(frame), year="year")
        theta = theta_of(result)
        zeros += result.singular
        for factor in (0.01, 0.1):
            moved = Theta(theta.persistent + factor * theta.total, theta.yearly, 0.0)
            assert dense(frame, moved).criterion >= result.reml_criterion - 1e-8
    assert 0 < zeros < 12  # both happen, so both were tested


def test_residuals_and_the_pupil_sd_are_what_the_rows_say() -> None:
    frame = pupils(4)
    result = school_year_value_added(scan(frame), year="year")
    slope = dict(result.fixed_effects.select("term", "estimate").iter_rows())
    expected = (
        frame.with_columns(
            fitted=slope["(Intercept)"]
            + slope["prior"] * pl.col("prior")
            + pl.col("year").replace_strict(
                {2020: 0.0} | {t: slope[f"factor(year){t}"] for t in (2021, 2022, 2023)}
            )
        )
        .group_by("school", "year")
        .agg(n=pl.len(), observed=pl.col("score").mean(), expected=pl.col("fitted").mean())
        .sort("school", "year")
    )
    found = result.residuals
    assert (
        found.select("school", "year", "n").rows() == expected.select("school", "year", "n").rows()
    )
    np.testing.assert_allclose(found["observed"], expected["observed"], rtol=1e-12)
    np.testing.assert_allclose(found["expected"], expected["expected"], rtol=1e-12)
    np.testing.assert_allclose(found["residual"], found["observed"] - found["expected"])
    variance = result.variance_components["variance"][2]
    np.testing.assert_allclose(found["sampling_variance"] * found["n"], variance)
    about = (frame["score"] - frame.select(pl.col("score").mean().over("year"))["score"]) ** 2
    assert result.pupil_sd == pytest.approx(math.sqrt(about.sum() / (frame.height - 4)), rel=1e-10)
    assert result.summary["n_one_year"] == sum(result.persistent["years"] == 1)


def test_it_feeds_bright_spots_needs_and_variability() -> None:
    result = school_year_value_added(scan(pupils(6, schools=60)), year="year")
    frame = result.in_pupil_sd("math")
    assert frame["estimate"].to_list() == pytest.approx(
        (result.persistent["estimate"] / result.pupil_sd).to_list()
    )
    assert bright_spots(frame).n_bright > 0
    assert needs(frame).frame.height == 60
    means = result.unexplained().with_columns(area=pl.col("school").str.slice(0, 3))
    chosen = VariabilityParameters(tiers=("area",), replicates=0)
    found = variance_decomposition(means, chosen).summary["years"]
    assert set(found) == {"2020", "2021", "2022", "2023"}


def test_names_order_and_scale_change_nothing() -> None:
    frame = pupils(9)
    plain = school_year_value_added(scan(frame), year="year", drift="ar1")
    again = school_year_value_added(scan(frame), year="year", drift="ar1")
    assert plain.yearly.equals(again.yearly)  # to the last bit
    assert plain.provenance == again.provenance
    names = {f"s{i:03}": f"n{(i * 7) % 30:03}" for i in range(30)}
    renamed = school_year_value_added(
        scan(frame.with_columns(pl.col("school").replace(names))), year="year", drift="ar1"
    )
    back = {new: old for old, new in names.items()}
    same = renamed.persistent.with_columns(pl.col("school").replace(back)).sort("school")
    assert same.equals(plain.persistent)  # to the last bit
    moved = frame.sample(fraction=1, shuffle=True, seed=1).with_columns(pl.col("score") * 10 - 1e4)
    other = school_year_value_added(scan(moved), year="year", drift="ar1")
    assert other.autocorrelation == pytest.approx(plain.autocorrelation, abs=1e-6)
    for column in ("estimate", "se_comparative"):
        np.testing.assert_allclose(
            other.persistent[column] / 10, plain.persistent[column], rtol=1e-6, atol=1e-6
        )


def test_years_may_be_spans_and_come_back_as_written() -> None:
    frame = pupils(4)
    spans = frame.with_columns(year=pl.format("{}/{}", "year", (pl.col("year") + 1) % 100))
    result = school_year_value_added(scan(spans), year="year")
    assert result.years == ("2020/21", "2021/22", "2022/23", "2023/24")
    plain = school_year_value_added(scan(frame), year="year")
    assert plain.years == (2020, 2021, 2022, 2023)
    assert result.persistent.equals(plain.persistent)
    assert result.forecast("2024/25")["year"][0] == "2024/25"
    assert result.forecast("2024/25").drop("year").equals(plain.forecast(2024).drop("year"))
    assert plain.forecast("2024/25")["year"][0] == 2024
    assert plain.forecast("2021.0").equals(plain.forecast(2021))


def test_weights_count_as_precision() -> None:
    frame = pupils(4).with_columns(w=pl.lit(2.0))
    heavy = school_year_value_added(
        cross_products(frame, FORMULA, by=("year",), weights="w"), year="year"
    )
    plain = school_year_value_added(scan(frame), year="year")
    # Weights of 2 halve the variance of a pupil of weight 1; effects and counts stay.
    np.testing.assert_allclose(
        heavy.persistent["estimate"], plain.persistent["estimate"], rtol=1e-6
    )
    np.testing.assert_array_equal(heavy.persistent["n"], plain.persistent["n"])
    assert heavy.variance_components["variance"][2] == pytest.approx(
        2 * plain.variance_components["variance"][2], rel=1e-7
    )
    assert heavy.reml_criterion == pytest.approx(plain.reml_criterion, abs=1e-6)
    assert heavy.pupil_sd == pytest.approx(plain.pupil_sd)


def refusal(frame: pl.DataFrame, formula: str = FORMULA, drift: str = "none") -> InputError:
    with pytest.raises(InputError) as found:
        school_year_value_added(scan(frame, formula), year="year", drift=drift)  # type: ignore[arg-type]  # a str here
    return found.value


def test_what_cannot_be_used_is_refused_in_words() -> None:
    frame = pupils(4)
    plain = "score ~ prior + (1 | school)"
    assert "one year" in str(refusal(frame.filter(pl.col("year") == 2020), plain))
    alternating = frame.filter(
        (pl.col("year") == 2020) == (pl.col("school") < "s015"), pl.col("year") < 2022
    )
    assert "No school has pupils in two years" in str(refusal(alternating, plain))
    assert refusal(alternating, plain).column == "year"
    two = frame.filter(pl.col("year") < 2022)
    assert "Drift cannot be told" in str(refusal(two, drift="ar1"))
    assert "no drift" in str(refusal(frame, drift="random walk"))
    dates = frame.with_columns(year=pl.format("{}-06-30", "year"))
    assert "a date, not a year" in str(refusal(dates))
    days = frame.with_columns(year=pl.date(pl.col("year"), 6, 30))
    assert "a date, not a year" in str(refusal(days, plain))
    assert "a date, not a year" in str(refusal(days))
    words = frame.with_columns(year=pl.format("year {}", "year"))
    assert "is not a year" in str(refusal(words))
    excel = frame.with_columns(year=(pl.col("year") - 2020) * 365 + 44_000)
    assert "day in Excel" in str(refusal(excel))
    both = frame.with_columns(
        year=pl.when(pl.col("school") < "s010").then(pl.format("{}.0", "year")).otherwise("year")
    )
    assert "are the same year" in str(refusal(both, plain))
    single = frame.unique(["school", "year"], keep="first", maintain_order=True)
    assert "one pupil a year" in str(refusal(single))
    assert "same for every pupil" in str(refusal(frame.with_columns(score=pl.lit(1.0)), plain))
    means = frame.with_columns(score=pl.col("score").mean().over("school", "year"))
    assert "do not differ" in str(refusal(means, "score ~ factor(year) + (1 | school)"))
    assert "cannot be identified" in str(
        refusal(
            frame.with_columns(twice=2 * pl.col("prior")), "score ~ prior + twice + (1 | school)"
        )
    )
    assert "one random intercept" in str(refusal(frame, "score ~ prior + (1 + prior | school)"))
    with pytest.raises(InputError, match="not scanned by"):
        school_year_value_added(cross_products(frame, plain), year="year")
    result = school_year_value_added(scan(frame), year="year")
    with pytest.raises(InputError, match="not a year"):
        result.forecast("next")


def test_a_factor_of_schools_leaves_nothing_to_estimate_and_says_so() -> None:
    frame = pupils(4, schools=6).with_columns(who=pl.col("school"))
    assert "cannot be told" in str(refusal(frame, "score ~ who + factor(year) + (1 | school)"))


@pytest.mark.real_data
def test_a_state_panel_of_pupils_over_five_years(real_data: Path) -> None:
    """Real pupils' mathematics, last year's score as prior: the general solver agrees."""
    raw = pl.read_csv(
        real_data / "state_pupil_panel" / "pupil_results_long.csv.gz", infer_schema_length=None
    ).filter(pl.col("CONTENT_AREA") == "MATHEMATICS")
    score = raw.select(
        "ID",
        "GRADE",
        year=pl.col("YEAR"),
        start=pl.col("YEAR").str.slice(0, 4).cast(pl.Int64),
        score=pl.col("SCALE_SCORE"),
        school=pl.col("SCHOOL_NUMBER"),
    ).drop_nulls(["score", "school"])
    before = score.select("ID", start=pl.col("start") + 1, prior="score").unique(["ID", "start"])
    frame = score.join(before, on=["ID", "start"])
    cp = cross_products(frame, "score ~ prior + factor(GRADE) + factor(year) + (1 | school/year)")
    ours, general = school_year_value_added(cp, year="year"), value_added(cp)
    assert ours.years == ("2021_2022", "2022_2023", "2023_2024", "2024_2025")
    assert ours.reml_criterion == pytest.approx(general.reml_criterion, rel=1e-10)
    theirs = dict(general.variance_components.select("group", "variance").iter_rows())
    expected = [theirs["school"], theirs["year:school"], theirs["Residual"]]
    np.testing.assert_allclose(ours.variance_components["variance"], expected, rtol=1e-5)


def test_school_years_may_also_stand_in_the_formula() -> None:
    frame = pupils(4)
    plain = school_year_value_added(scan(frame), year="year")
    fixed = "score ~ prior + factor(year)"
    for random in ("(1 | school/year)", "(1 | school) + (1 | school:year)"):
        written = school_year_value_added(cross_products(frame, f"{fixed} + {random}"), year="year")
        assert written.persistent.equals(plain.persistent)
