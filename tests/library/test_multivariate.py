"""Several outcomes together: from a file to effects, their covariances, and refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.bright_spots import bright_spots
from brightspots.insight.cross_products import cross_products
from brightspots.insight.joint_fit import fit_joint
from brightspots.insight.joint_layout import lay_out_outcomes
from brightspots.insight.joint_scan import scan_outcomes
from brightspots.insight.joint_solver import Factors, slopes, solve_joint
from brightspots.insight.multivariate import MultivariateValueAdded, multivariate_value_added
from brightspots.insight.value_added import value_added
from tests.library.test_multivariate_solver import Pupils, dense

Array = NDArray[np.float64]
OUTCOMES = ["maths", "reading", "science"]
LASTING = np.array([[0.16, 0.10, 0.05], [0.10, 0.12, 0.04], [0.05, 0.04, 0.09]])
OWN = np.array([[0.8, 0.4, 0.3], [0.4, 0.9, 0.3], [0.3, 0.3, 0.7]])


def pupils(
    seed: int, *, schools: int = 40, size: int = 20, missing: float = 0.25, years: int = 1
) -> tuple[pl.DataFrame, Array]:
    """Marks of pupils (maths in points of 100, reading shifted), and the schools' true effects."""
    draw = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), size)
    n = len(school)
    year = np.tile(np.arange(size) % years, schools)
    u = draw.multivariate_normal(np.zeros(3), LASTING, schools)
    v = 0.2 * draw.normal(size=(schools * years, 3)) * (years > 1)
    prior = draw.normal(size=n)
    y = u[school] + v[school * years + year] + 0.5 * prior[:, None]
    y = y + draw.multivariate_normal(np.zeros(3), OWN, n)
    y[draw.random((n, 3)) < missing] = np.nan
    frame = pl.DataFrame(
        {
            "school": [f"s{i:03}" for i in school],
            "year": 2020 + year,
            "prior": prior,
            "maths": 500 + 100 * y[:, 0],
            "reading": 1e4 + y[:, 1],
            "science": y[:, 2],
        }
    )
    return frame.with_columns(pl.col(*OUTCOMES).fill_nan(None)), u


def fit(frame: pl.DataFrame, **settings: str) -> MultivariateValueAdded:
    return multivariate_value_added(frame, OUTCOMES, "prior", **settings)  # type: ignore[arg-type]  # strings only here


def raw(frame: pl.DataFrame) -> Pupils:
    """The same rows for the dense algebra, without those that have no outcome."""
    frame = frame.filter(~pl.all_horizontal(pl.col(*OUTCOMES).is_null()))
    y = frame.select(pl.col(*OUTCOMES).fill_null(float("nan"))).to_numpy()
    x = np.column_stack([np.ones(frame.height), frame["prior"]])
    school = frame["school"].rank("dense").to_numpy().astype(np.intp) - 1
    return Pupils(x, y, school, frame["year"].to_numpy().astype(np.intp))


@pytest.mark.parametrize("year", [None, "year"])
def test_the_optimum_equals_dense_algebra_and_nothing_near_is_better(year: str | None) -> None:
    frame, _ = pupils(3, schools=8, size=10, years=2 if year else 1)
    result = multivariate_value_added(frame, OUTCOMES, "prior", year=year)
    # A matrix at its edge has no Cholesky factor; a sliver of its size changes nothing visible.
    edge = 1e-13 * np.diag(np.diag(result.pupil_covariance))
    lasting, passing = result.school_covariance, result.school_year_covariance
    factors = Factors(
        np.linalg.cholesky(lasting + edge),
        None if passing is None else np.linalg.cholesky(passing + edge),
        np.linalg.cholesky(result.pupil_covariance),
    )
    exact = dense(raw(frame), factors, reml=True)
    assert result.reml_criterion == pytest.approx(exact.criterion, abs=1e-6)
    np.testing.assert_allclose(result.fixed_effects["estimate"], exact.beta, rtol=1e-7, atol=1e-8)
    se = np.sqrt(np.diag(exact.covariance))
    np.testing.assert_allclose(result.fixed_effects["se"], se, rtol=1e-7)
    pev = np.diag(exact.pev).reshape(-1, 3)
    for place, name in enumerate(OUTCOMES):
        mine = result.effects.filter(pl.col("outcome") == name)
        unit = result.pupil_sd[name]
        np.testing.assert_allclose(mine["estimate"], exact.u[:, place], atol=1e-6 * unit)
        np.testing.assert_allclose(mine["se_comparative"], np.sqrt(pev[:, place]), rtol=1e-6)
    pair = result.error_covariance.filter(
        (pl.col("outcome1") == "maths") & (pl.col("outcome2") == "science")
    )
    expected = [exact.pev[3 * j, 3 * j + 2] for j in range(8)]
    np.testing.assert_allclose(pair["covariance"], expected, rtol=1e-5, atol=1e-8)
    assert result.summary["gradient"] < 1e-5
    draw = np.random.default_rng(1)
    for _ in range(20):
        names = ["u", "e"] if year is None else ["u", "v", "e"]
        moved = {
            name: getattr(factors, name) * (1 + 0.02 * draw.normal(size=(3, 3))) for name in names
        }
        assert dense(raw(frame), replace(factors, **moved), True).criterion > exact.criterion


def test_without_covariances_it_is_the_outcomes_one_by_one() -> None:
    frame, _ = pupils(5)
    layout = lay_out_outcomes(scan_outcomes(frame, OUTCOMES, "prior", school="school"))
    sds, criteria = [], 0.0
    for name, unit in zip(OUTCOMES, layout.y_scale, strict=True):
        one = value_added(cross_products(frame, f"{name} ~ prior + (1 | school)"))
        sds.append(np.sqrt(one.variance_components["variance"].to_numpy()) / unit)
        criteria += one.reml_criterion
    between, within = np.array(sds).T
    alone = solve_joint(layout.sums, Factors(np.diag(between), None, np.diag(within)))
    assert layout.criterion(alone) == pytest.approx(criteria, abs=1e-6)
    # At each outcome's own optimum the derivatives by the variances vanish.
    found = slopes(layout.sums, alone)
    size = layout.sums.schools / between**2
    assert np.abs(np.diag(found.u) / size).max() < 1e-6
    assert fit(frame).reml_criterion < criteria


def test_balanced_pupils_with_the_same_terms_have_the_variances_of_separate_fits() -> None:
    """With equal schools and nothing missing REML solves the mean squares, outcome by outcome."""
    frame, _ = pupils(6, missing=0.0)
    result = multivariate_value_added(frame, OUTCOMES)
    for place, name in enumerate(OUTCOMES):
        one = value_added(cross_products(frame, f"{name} ~ 1 + (1 | school)"))
        u, e = one.variance_components["variance"]
        assert result.school_covariance[place, place] == pytest.approx(u, rel=1e-6)
        assert result.pupil_covariance[place, place] == pytest.approx(e, rel=1e-6)
        average = result.fixed_effects.filter(pl.col("outcome") == name)["estimate"][0]
        assert average == pytest.approx(one.fixed_effects["estimate"][0], rel=1e-9)


def test_true_correlations_are_found_where_those_of_estimates_are_biased() -> None:
    frame, _ = pupils(11, schools=300, size=12, missing=0.3)
    result = fit(frame)
    pair = (pl.col("outcome1") == "maths") & (pl.col("outcome2") == "reading")
    row = result.covariances.filter((pl.col("level") == "school") & pair).row(0, named=True)
    truth = 0.10 / np.sqrt(0.16 * 0.12)
    assert row["lower"] < truth < row["upper"]
    assert row["upper"] - row["lower"] < 0.4
    wide = result.effects.pivot(on="outcome", index="school", values="estimate")
    of_estimates = float(np.corrcoef(wide["maths"], wide["reading"])[0, 1])
    assert abs(of_estimates - truth) > abs(row["correlation"] - truth)
    unit = np.array([100.0, 1.0, 1.0])
    # 300 schools of about 8 pupils an outcome: variances near .16 are known to .02.
    np.testing.assert_allclose(result.school_covariance / np.outer(unit, unit), LASTING, atol=0.06)
    np.testing.assert_allclose(result.pupil_covariance / np.outer(unit, unit), OWN, atol=0.1)


def test_intervals_of_effects_hold_the_truth() -> None:
    frame, u = pupils(12, schools=300)
    result = fit(frame)
    for place, name in enumerate(OUTCOMES):
        rows = result.effects.filter(pl.col("outcome") == name)
        truth = u[:, place] * (100 if name == "maths" else 1)
        inside = (rows["lower"].to_numpy() <= truth) & (truth <= rows["upper"].to_numpy())
        assert 0.91 < inside.mean() < 0.99


def test_what_goes_missing_with_another_outcome_does_not_bias_it() -> None:
    """Science is taken by those good at maths: its mean among takers is too high."""
    frame, _ = pupils(13, schools=200, missing=0.0)
    low = frame["maths"] < 500
    some = frame.with_columns(science=pl.when(~low).then("science"))
    average = pl.col("outcome") == "science"
    joint = fit(some).fixed_effects.filter(average)["estimate"][0]
    everybody = fit(frame).fixed_effects.filter(average)["estimate"][0]
    alone = value_added(cross_products(some, "science ~ prior + (1 | school)"))
    assert abs(joint - everybody) < 0.06
    assert alone.fixed_effects["estimate"][0] - everybody > 0.15


def test_a_school_without_an_outcome_borrows_from_the_others_and_is_no_evidence() -> None:
    frame, _ = pupils(14)
    without = frame.with_columns(
        science=pl.when(pl.col("school") != "s003").then(pl.col("science"))
    )
    result = fit(without)
    row = result.effects.filter((pl.col("school") == "s003") & (pl.col("outcome") == "science"))
    assert row["n"][0] == 0
    assert 0 < row["reliability"][0] < 0.9
    evidence = result.in_pupil_sd()
    assert evidence.height == 3 * 40 - 1
    assert evidence.filter(pl.col("school") == "s003").height == 2
    assert bright_spots(evidence).n_bright == 0  # one year cannot show one
    assert result.patterns["n"].sum() == result.summary["n_pupils"]


def test_years_part_what_lasts_from_what_passes() -> None:
    frame, _ = pupils(15, schools=250, size=40, years=4)
    result = multivariate_value_added(frame, OUTCOMES, "prior + factor(year)", year="year")
    unit = np.array([100.0, 1.0, 1.0])
    assert result.school_year_covariance is not None
    passing = result.school_year_covariance / np.outer(unit, unit)
    np.testing.assert_allclose(np.diag(passing), 0.04, atol=0.015)
    np.testing.assert_allclose(result.school_covariance / np.outer(unit, unit), LASTING, atol=0.045)
    assert set(result.effects["years"]) == {4}
    assert bright_spots(result.in_pupil_sd()).n_bright > 0


def test_a_covariance_at_its_edge_is_a_true_edge_and_says_so() -> None:
    draw = np.random.default_rng(4)
    school = np.repeat(np.arange(30), 12)
    u = 0.3 * draw.normal(size=30)
    shared = {name: u[school] * size for name, size in (("a", 1.0), ("b", 0.8), ("c", 0.0))}
    frame = pl.DataFrame(
        {"school": school, **{k: v + draw.normal(size=360) for k, v in shared.items()}}
    )
    result = multivariate_value_added(frame, ["a", "b", "c"])
    assert result.singular
    assert result.boundary == ("school",)
    at_edge = result.covariances.filter(pl.col("level") == "school")
    assert at_edge["lower"].null_count() == at_edge.height
    layout = lay_out_outcomes(scan_outcomes(frame, ["a", "b", "c"], "1", school="school"))
    found = fit_joint(layout.sums)
    values, vectors = np.linalg.eigh(found.fit.factors.u @ found.fit.factors.u.T)
    lacking = vectors[:, values < 1e-7]
    slope = lacking.T @ slopes(layout.sums, found.fit).u @ lacking
    assert np.linalg.eigvalsh(slope).min() > 0  # the criterion rises in every direction lacking


def test_names_order_and_threads_change_nothing() -> None:
    frame, _ = pupils(16)
    plain, again = fit(frame), fit(frame)
    assert plain.effects.equals(again.effects)  # to the last bit
    assert plain.provenance == again.provenance
    new = {f"s{i:03}": f"n{(i * 7) % 40:03}" for i in range(40)}
    renamed = fit(frame.with_columns(pl.col("school").replace(new))).effects
    back = renamed.with_columns(pl.col("school").replace({b: a for a, b in new.items()}))
    assert back.sort("school", "outcome").equals(plain.effects)  # to the last bit
    shuffled = fit(frame.sample(fraction=1, shuffle=True, seed=2))
    np.testing.assert_allclose(
        shuffled.effects["estimate"], plain.effects["estimate"], rtol=1e-6, atol=1e-8
    )
    turned = multivariate_value_added(frame, OUTCOMES[::-1], "prior")
    assert turned.reml_criterion == pytest.approx(plain.reml_criterion, abs=1e-7)
    np.testing.assert_allclose(
        turned.effects["estimate"], plain.effects["estimate"], rtol=1e-5, atol=1e-6
    )


def test_a_csv_with_empty_cells_gives_the_same(tmp_path: Path) -> None:
    frame, _ = pupils(17, schools=12)
    path = tmp_path / "pupils.csv"
    frame.write_csv(path)
    written = multivariate_value_added(path, OUTCOMES, "prior")
    np.testing.assert_allclose(written.effects["estimate"], fit(frame).effects["estimate"])
    assert written.summary["n_dropped"] == raw_dropped(frame)
    path.write_text(path.read_text().replace("s004,2020", "s004,2020", 1).replace(",1", ",x1", 1))
    with pytest.raises(InputError, match=r"pupils\.csv.*row"):
        multivariate_value_added(path, OUTCOMES, "prior")


def raw_dropped(frame: pl.DataFrame) -> int:
    return frame.filter(pl.all_horizontal(pl.col(*OUTCOMES).is_null())).height


def refusal(frame: pl.DataFrame, outcomes: list[str], fixed: str = "prior", **more: str) -> str:
    with pytest.raises(InputError) as found:
        multivariate_value_added(frame, outcomes, fixed, **more)  # type: ignore[arg-type]  # strings only here
    return str(found.value)


def test_what_cannot_be_used_is_refused_in_words() -> None:
    frame, _ = pupils(18, schools=12)
    two = ["maths", "reading"]
    assert "two at the least" in refusal(frame, ["maths"])
    assert "named twice" in refusal(frame, ["maths", "maths"])
    assert "both sides" in refusal(frame, two, "prior + reading")
    assert "no such column" in refusal(frame, ["maths", "music"])
    assert "more than the fixed part" in refusal(frame, two, "prior + (1 | school)")
    same = frame.with_columns(reading=pl.col("maths") * 2 + 1)
    assert "say the same" in refusal(same, two)
    total = frame.with_columns(science=pl.col("maths") + pl.col("reading"))
    assert "follows from maths, reading" in refusal(total, OUTCOMES)
    split = frame.with_columns(
        maths=pl.when(pl.col("school") < "s006").then("maths"),
        reading=pl.when(pl.col("school") >= "s006").then("reading"),
    )
    assert 'No school has both "maths" and "reading"' in refusal(split, two)
    odd = pl.int_range(pl.len()) % 2 == 0
    apart = frame.with_columns(
        maths=pl.when(odd).then("maths"), reading=pl.when(~odd).then("reading")
    )
    assert 'Too few pupils have both "maths" and "reading"' in refusal(apart, two)
    nothing = frame.with_columns(maths=pl.lit(None, dtype=pl.Float64))
    assert "No pupil has this outcome" in refusal(nothing, two)
    flat = frame.with_columns(reading=pl.lit(7.0))
    assert "same for every pupil" in refusal(flat, two)
    words = frame.with_columns(reading=pl.lit("good"))
    assert "is not a number" in refusal(words, two)
    endless = frame.with_columns(reading=pl.lit(float("inf")))
    assert '"reading" holds a value that is not finite' in refusal(endless, two)
    one = frame.with_columns(school=pl.lit("s"))
    assert "comparing needs two" in refusal(one, two)
    single = frame.with_columns(school=pl.int_range(pl.len()))
    assert "one pupil" in refusal(single, two)
    assert "No school has this outcome in two years" in refusal(frame, two, year="year")
    dates = frame.with_columns(year=pl.lit("2024-06-30"))
    assert "not a year" in refusal(dates, two, year="year")
    doubled = frame.with_columns(twice=pl.col("prior") * 2)
    assert "cannot be identified" in refusal(doubled, two, "prior + twice")


@pytest.mark.real_data
def test_reading_and_mathematics_of_a_state(real_data: Path) -> None:
    """Real pupils, one year: two subjects with holes; better than two fits that know no other."""
    long = pl.read_csv(
        real_data / "state_pupil_panel" / "pupil_results_long.csv.gz", infer_schema_length=None
    ).filter((pl.col("YEAR") == "2024_2025") & pl.col("SCHOOL_NUMBER").is_not_null())
    frame = long.pivot(
        on="CONTENT_AREA",
        index=["ID", "SCHOOL_NUMBER", "GRADE"],
        values="SCALE_SCORE",
        aggregate_function="first",
    )
    subjects = ["MATHEMATICS", "READING"]
    fixed = "factor(GRADE)"
    result = multivariate_value_added(frame, subjects, fixed, school="SCHOOL_NUMBER")
    alone = [
        value_added(cross_products(frame, f"{name} ~ {fixed} + (1 | SCHOOL_NUMBER)"))
        for name in subjects
    ]
    assert result.reml_criterion < sum(one.reml_criterion for one in alone) - 1000
    for place, one in enumerate(alone):
        separate = one.variance_components["variance"][0]
        assert result.school_covariance[place, place] == pytest.approx(separate, rel=0.1)
    row = result.covariances.filter(
        (pl.col("level") == "school") & (pl.col("outcome1") != pl.col("outcome2"))
    ).row(0, named=True)
    assert 0.8 < row["lower"] < row["correlation"] < row["upper"] < 1
