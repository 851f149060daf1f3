"""`brightspots bright-spots` and `needs`: files, the rule, one clear line for bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import typer
from scipy.stats import norm
from typer.testing import CliRunner

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import cross_products
from brightspots.insight.multivariate import multivariate_value_added
from brightspots.insight.pupil_outcomes import formulas_of
from brightspots.insight.school_years import school_year_value_added
from brightspots.insight.value_added import value_added_of
from brightspots_cli import bright_spots, needs, value_added

FORMULA = "reading ~ prior + sex + (1 | school)"
BOTH = "cbind(reading, mathematics) ~ prior + sex + (1 | school)"
COLUMNS = ["school", "outcome", "estimate", "se", "probability", "label", "n", "years"]


def app_of(command: Callable[..., None]) -> typer.Typer:
    app = typer.Typer()
    app.command()(command)
    return app


FLAGS, NEEDS = app_of(bright_spots.command), app_of(needs.command)
VALUE_ADDED = app_of(value_added.command)


def run(app: typer.Typer, file: Path, out: Path, *more: str, formula: str = FORMULA) -> str:
    result = CliRunner().invoke(
        app, [str(file), "--formula", formula, "--out", str(out), *more], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def spots(out: Path) -> pl.DataFrame:
    return pl.read_csv(out / "bright_spots.csv", schema_overrides={"school": pl.String})


def about(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return found


def pupils(years: int = 4, schools: int = 60, seed: int = 5) -> pl.DataFrame:
    """Schools 000 to 003 are .5 SD better in reading, lastingly; the test of 2023 is a hard one."""
    rng = np.random.default_rng(seed)
    each = 20
    school, year, _ = (a.ravel() for a in np.mgrid[0:schools, 0:years, 0:each])
    n = school.size
    lasting = np.where(np.arange(schools) < 4, 0.5, rng.normal(0, 0.1, schools))
    yearly = rng.normal(0, 0.1, (schools, years))
    prior = rng.normal(size=n)
    hard = np.where(year == 1, -2.0, 0.0)
    reading = lasting[school] + yearly[school, year] + 0.6 * prior + hard + rng.normal(size=n) * 0.8
    mathematics = 0.6 * prior + rng.normal(0, 0.1, schools)[school] + rng.normal(size=n) * 0.8
    return pl.DataFrame(
        {
            "school": [f"{s:03d}" for s in school],
            "year": 2022 + year,
            "pupil": np.arange(n),
            "sex": np.where(rng.uniform(size=n) < 0.5, "F", "M"),
            "prior": prior.round(3),
            "reading": (50 + 10 * reading).round(1),
            "mathematics": (50 + 10 * mathematics).round(1),
        }
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pupils") / "pupils.parquet"
    pupils().write_parquet(path)
    return path


def test_planted_schools_are_bright_spots_and_the_files_agree_with_the_library(
    file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "out"
    said = run(FLAGS, file, out, "--year", "year", "--delta", "0.10", "--fdr", "0.10")
    assert sorted(path.name for path in out.iterdir()) == ["bright_spots.csv", "summary.json"]
    table, summary = spots(out), about(out)
    assert table.columns == [*COLUMNS, "reliability"]
    assert table["school"].to_list() == [f"{s:03d}" for s in range(60)]
    bright = table.filter(pl.col("label") == "bright spot")
    assert set(bright["school"]) >= {"000", "001", "002", "003"}
    assert summary["flagged"] == bright.height
    assert summary["expected_false"] == pytest.approx((1 - bright["probability"]).sum())
    assert summary["expected_false"] <= 0.10 * bright.height
    assert f"{bright.height} are bright spots" in said
    # The same from the library, by hand: persistent effects over the SD of pupils within years.
    cp = cross_products(file, f"{FORMULA} + factor(year)", by=("year",))
    fit = school_year_value_added(cp, year="year")
    frame = pupils()
    freedom = frame.height - 4
    sd = (frame["reading"] - frame.select(pl.col("reading").mean().over("year")).to_series()).pow(2)
    unit = float(np.sqrt(sd.sum() / freedom))
    np.testing.assert_allclose(table["estimate"], fit.persistent["estimate"] / unit, rtol=1e-9)
    np.testing.assert_allclose(table["se"], fit.persistent["se_comparative"] / unit, rtol=1e-9)
    p = norm.sf((0.10 - table["estimate"]) / table["se"])
    np.testing.assert_allclose(table["probability"], p, atol=1e-12)
    assert table["years"].unique().to_list() == [4]
    (model,) = summary["outcomes"]
    assert model["pupil_sd"] == pytest.approx(unit)
    assert model["years"] == ["2022", "2023", "2024", "2025"]
    assert set(model["variance_components"]) == {"school", "school_year", "pupil"}


def test_a_hard_test_in_one_year_is_no_effect_of_schools(tmp_path: Path) -> None:
    """Half of the schools were there in the hard year only: their means are 20 points lower."""
    frame = pupils().filter((pl.col("school") < "030") | (pl.col("year") == 2023))
    frame.write_parquet(tmp_path / "p.parquet")
    run(FLAGS, tmp_path / "p.parquet", tmp_path, "--year", "year")
    table, summary = spots(tmp_path), about(tmp_path)
    late = table.filter(pl.col("school") >= "030")["estimate"]
    assert abs(late.mean()) < 0.1  # type: ignore[operator,arg-type]  # a mean of numbers
    assert summary["outcomes"][0]["year_added_to_formula"]
    assert summary["outcomes"][0]["formula"].endswith("+ factor(`year`)")
    assert set(table.filter(pl.col("school") >= "030")["label"]) <= {
        "worth a visit", "not enough evidence",
    }  # fmt: skip
    # Written by the user, it is not added again, and the numbers are the same.
    by_hand = "reading ~ prior + sex + factor(year) + (1 | school)"
    run(FLAGS, tmp_path / "p.parquet", tmp_path / "b", "--year", "year", formula=by_hand)
    assert not about(tmp_path / "b")["outcomes"][0]["year_added_to_formula"]
    np.testing.assert_allclose(spots(tmp_path / "b")["estimate"], table["estimate"], atol=1e-6)


@pytest.mark.parametrize(("years", "option"), [(1, True), (2, True), (4, False)])
def test_fewer_than_three_years_are_at_most_worth_a_visit(
    years: int, option: bool, tmp_path: Path
) -> None:
    pupils(years).write_parquet(tmp_path / "p.parquet")
    more = ("--year", "year") if option else ()
    formula = FORMULA if option else "reading ~ prior + factor(year) + (1 | school)"
    said = run(FLAGS, tmp_path / "p.parquet", tmp_path, *more, formula=formula)
    table, summary = spots(tmp_path), about(tmp_path)
    assert "bright spot" not in set(table["label"])
    assert "worth a visit" in set(table["label"])
    assert summary["flagged"] == 0
    assert "can only show schools worth a visit" in said
    assert summary["outcomes"][0]["effect"] == (
        "persistent" if option and years > 1 else "one year"
    )
    assert table["years"].unique().to_list() == [years if option else 1]


def test_one_year_gives_the_numbers_of_value_added(tmp_path: Path) -> None:
    pupils(1).write_parquet(tmp_path / "p.parquet")
    run(FLAGS, tmp_path / "p.parquet", tmp_path)
    effects = value_added_of(tmp_path / "p.parquet", FORMULA).school_effects
    unit = pupils(1)["reading"].std()
    np.testing.assert_allclose(spots(tmp_path)["estimate"], effects["estimate"] / unit, rtol=1e-9)


def test_drift_is_the_model_with_years_that_carry_on(file: Path, tmp_path: Path) -> None:
    run(FLAGS, file, tmp_path, "--year", "year", "--drift", "ar1")
    cp = cross_products(file, f"{FORMULA} + factor(year)", by=("year",))
    fit = school_year_value_added(cp, year="year", drift="ar1")
    expected = fit.in_pupil_sd("reading")["estimate"]
    np.testing.assert_allclose(spots(tmp_path)["estimate"], expected, rtol=1e-9)
    assert about(tmp_path)["settings"]["drift"] == "ar1"


def test_several_outcomes_are_one_family(file: Path, tmp_path: Path) -> None:
    run(FLAGS, file, tmp_path / "two", "--year", "year", "--separate", formula=BOTH)
    table = spots(tmp_path / "two")
    assert table.height == 120
    assert table["outcome"].to_list()[:2] == ["mathematics", "reading"]
    bright = table.filter(pl.col("label") == "bright spot")
    assert (1 - bright["probability"]).mean() <= 0.10  # type: ignore[operator]  # of all pairs
    assert about(tmp_path / "two")["flagged"] == bright.height
    run(FLAGS, file, tmp_path / "one", "--year", "year")
    reading = table.filter(pl.col("outcome") == "reading")
    np.testing.assert_allclose(reading["estimate"], spots(tmp_path / "one")["estimate"], rtol=1e-9)


def test_several_outcomes_learn_from_each_other_unless_they_are_separate(
    file: Path, tmp_path: Path
) -> None:
    said = run(FLAGS, file, tmp_path / "a", "--year", "year", formula=BOTH)
    fit = multivariate_value_added(
        file, ["reading", "mathematics"], "prior + sex + factor(year)", year="year"
    )
    table, summary = spots(tmp_path / "a"), about(tmp_path / "a")
    expected = fit.in_pupil_sd()
    assert table["outcome"].to_list() == expected["outcome"].to_list()
    np.testing.assert_allclose(table["estimate"], expected["estimate"], rtol=1e-9)
    assert summary["settings"]["joint"]
    (pair,) = [each for each in summary["correlations"] if each["level"] == "school"]
    assert f"correlate by {pair['correlation']:.2f}" in said
    assert set(summary["outcomes"][0]["variance_components"]) == {"school", "school_year", "pupil"}
    assert [each["year_added_to_formula"] for each in summary["outcomes"]] == [True, True]
    run(FLAGS, file, tmp_path / "b", "--year", "year", "--separate", formula=BOTH)
    assert not about(tmp_path / "b")["settings"]["joint"]
    assert about(tmp_path / "b")["correlations"] == []
    # Both are right; they differ where the other outcome has something to say.
    assert np.abs(table["estimate"] - spots(tmp_path / "b")["estimate"]).max() > 1e-4


def test_several_outcomes_of_one_year(tmp_path: Path) -> None:
    pupils(1).write_parquet(tmp_path / "p.parquet")
    run(NEEDS, tmp_path / "p.parquet", tmp_path, "--year", "year", formula=BOTH)
    assert [each["effect"] for each in about(tmp_path)["outcomes"]] == ["one year"] * 2


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("a ~ x", ("a ~ x",)),
        ("cbind(a, `b, c`) ~ x + (1|s)", ("a ~ x + (1|s)", "`b, c` ~ x + (1|s)")),
        (" cbind( a,I(b*(c+d)) ) ~ x", ("a ~ x", "I(b*(c+d)) ~ x")),
    ],
)
def test_cbind_is_one_formula_an_outcome(text: str, formulas: tuple[str, ...]) -> None:
    assert formulas_of(text) == formulas


def test_order_of_rows_and_names_of_schools_change_nothing(file: Path, tmp_path: Path) -> None:
    run(FLAGS, file, tmp_path / "a", "--year", "year")
    run(FLAGS, file, tmp_path / "again", "--year", "year")
    assert (tmp_path / "a" / "bright_spots.csv").read_bytes() == (
        tmp_path / "again" / "bright_spots.csv"
    ).read_bytes()
    renamed = pupils().with_columns(
        school=pl.lit("x") + (99 - pl.col("school").cast(pl.Int64)).cast(pl.String)
    )
    renamed.sample(fraction=1, shuffle=True, seed=1).write_csv(tmp_path / "b.csv")
    run(FLAGS, tmp_path / "b.csv", tmp_path / "b", "--year", "year")
    first, second = spots(tmp_path / "a"), spots(tmp_path / "b").reverse()
    assert first["label"].to_list() == second["label"].to_list()
    np.testing.assert_allclose(first["estimate"], second["estimate"], atol=1e-7)


def test_needs_name_the_gap_and_the_pupils_it_touches(file: Path, tmp_path: Path) -> None:
    said = run(NEEDS, file, tmp_path / "needs", "--year", "year", "--delta", "0.15")
    assert sorted(path.name for path in (tmp_path / "needs").iterdir()) == [
        "needs.csv", "summary.json",
    ]  # fmt: skip
    table = pl.read_csv(tmp_path / "needs" / "needs.csv", schema_overrides={"school": pl.String})
    assert table.columns == [
        *("school", "outcome", "n", "estimate", "se", "probability", "gap"),
        *("pupils_touched", "reliability"),
    ]
    assert table["n"].to_list() == [80] * 60
    p = norm.cdf((-0.15 - table["estimate"]) / table["se"])
    np.testing.assert_allclose(table["probability"], p, atol=1e-12)
    np.testing.assert_allclose(table["pupils_touched"], 20 * p, rtol=1e-9)  # 20 pupils a year
    run(FLAGS, file, tmp_path / "spots", "--year", "year")
    for name in ("estimate", "se", "reliability"):  # one model for both commands
        assert table[name].to_list() == spots(tmp_path / "spots")[name].to_list()
    summary = about(tmp_path / "needs")
    assert summary["expected_below"] == pytest.approx(p.sum())
    assert "lie more than 0.15 pupil SD below" in said


BAD: dict[str, tuple[tuple[str, ...], str, str]] = {
    "unknown name": ((), "reading ~ Prior + (1 | school)", 'Did you mean "prior"?'),
    "unknown year": (("--year", "jahr"), FORMULA, 'column "jahr": There is no such column'),
    "year is no year": (("--year", "pupil"), FORMULA, "is it the year?"),
    "year is the school": (("--year", "school"), FORMULA, "cannot be the column of the schools"),
    "delta": (("--delta", "0"), FORMULA, "delta is 0"),
    "fdr": (("--fdr", "1"), FORMULA, "shares of false flags"),
    "drift": (("--year", "year", "--drift", "some"), FORMULA, 'no drift "some"'),
    "drift in one year": (("--drift", "ar1"), FORMULA, "only be told from several years"),
    "scale": (("--scale", "100"), FORMULA, "is not a scale"),
    "off the scale": (("--scale", "0:60"), FORMULA, "is off the scale 0 to 60"),
    "no such pupil column": (("--pupil", "id"), FORMULA, 'column "id"'),
    "cbind": ((), "cbind(reading, reading) ~ prior + (1 | school)", "each once"),
    "drift of several": (("--year", "year", "--drift", "ar1"), BOTH, "(--separate)"),
    "arithmetic": ((), BOTH.replace("cbind(", "cbind(I(reading / 2), "), "(--separate)"),
    "slope": ((), "reading ~ prior + (1 + prior | school)", "a school has one effect"),
    "nested": ((), "reading ~ prior + (1 | sex/school)", "a school has one effect"),
    "no random part": ((), "reading ~ prior", "(1 | school)"),
    "crossed": ((), "reading ~ prior + (1 | school) + (1 | sex)", "a school has one effect"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings_get_one_message_and_leave_the_results_before_them(
    case: str, file: Path, tmp_path: Path
) -> None:
    options, formula, words = BAD[case]
    (tmp_path / "bright_spots.csv").write_text("from before")
    arguments = [str(file), "--formula", formula, "--out", str(tmp_path), *options]
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(FLAGS, arguments, catch_exceptions=False)
    assert words in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["bright_spots.csv"]
    assert (tmp_path / "bright_spots.csv").read_text() == "from before"


def damaged(case: str) -> tuple[pl.DataFrame, str]:
    """Give a file with one fault, and words its message must hold."""
    frame = pupils(3, schools=8)
    if case == "duplicate":
        return pl.concat([frame, frame[:1]]), 'row 482, column "pupil": Pupil "0" has a second'
    if case == "excel":
        days = pl.when(pl.col("pupil") == 7).then(45355.0).otherwise(pl.col("reading"))
        return frame.with_columns(reading=days), 'row 9, column "reading": 45355 is the number'
    if case == "dates for years":
        return frame.with_columns(year=pl.col("year") * 10_000 + 501), "the date 2022-05-01"
    if case == "one school":
        return frame.filter(pl.col("school") == "000"), 'All pupils are in one group, "000"'
    if case == "all missing":
        return frame.with_columns(reading=pl.lit(None, pl.Float64)), "holds no value at all"
    if case == "constant":
        return frame.with_columns(prior=pl.lit(1.0)), 'column "prior": Every pupil has "1'
    return frame.with_columns(twin=2 * pl.col("prior") + 1), 'The term "twin" cannot be identified'


@pytest.mark.parametrize(
    "case",
    ["duplicate", "excel", "dates for years", "one school", "all missing", "constant", "collinear"],
)
@pytest.mark.parametrize("app", [NEEDS, VALUE_ADDED], ids=["needs", "value-added"])
def test_bad_files_get_one_message_with_file_and_place(
    case: str, app: typer.Typer, tmp_path: Path
) -> None:
    frame, words = damaged(case)
    file = tmp_path / "pupils.csv"
    frame.write_csv(file)
    formula = FORMULA.replace("sex", "sex + twin") if case == "collinear" else FORMULA
    arguments = [str(file), "--formula", formula, "--year", "year", "--out", str(tmp_path / "out")]
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert not (tmp_path / "out").exists()


@pytest.mark.real_data
def test_the_state_panel_gives_bright_spots_over_five_years(
    real_data: Path, tmp_path: Path
) -> None:
    panel = pl.read_csv(
        real_data / "state_pupil_panel" / "pupil_results_long.csv.gz",
        columns=["CONTENT_AREA", "YEAR", "ID", "GRADE", "SCALE_SCORE", "SCHOOL_NUMBER",
                 "FREE_REDUCED_LUNCH_STATUS", "VALID_CASE"],
        schema_overrides={"SCHOOL_NUMBER": pl.String},
        null_values="NA",
    )  # fmt: skip
    maths = panel.filter(
        pl.col("CONTENT_AREA") == "MATHEMATICS", pl.col("VALID_CASE") == "VALID_CASE"
    )
    maths.write_parquet(tmp_path / "maths.parquet")
    formula = "SCALE_SCORE ~ factor(GRADE) + FREE_REDUCED_LUNCH_STATUS + (1 | SCHOOL_NUMBER)"
    more = ("--year", "YEAR", "--pupil", "ID")
    run(FLAGS, tmp_path / "maths.parquet", tmp_path, *more, formula=formula)
    table, summary = spots(tmp_path), about(tmp_path)
    assert summary["outcomes"][0]["years"][0] == "2020_2021"
    assert table["years"].max() == 5
    assert 0 < summary["flagged"] < table.height / 2
    assert summary["expected_false"] <= 0.10 * summary["flagged"]
