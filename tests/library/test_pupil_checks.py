"""Faults of pupil files that a model would not notice: each has its own message and its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from brightspots.core.engine import open_table
from brightspots.core.errors import InputError
from brightspots.insight.formula import parse_formula
from brightspots.insight.pupil_checks import PupilChecks, PupilFile, check_pupils, parse_scale
from brightspots.insight.year_labels import check_years, day_of_excel

FORMULA = "score ~ prior + sex + (1 | school)"


def pupils(n: int = 60) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "school": [f"{i % 5:03d}" for i in range(n)],
            "year": [2022 + i % 3 for i in range(n)],
            "pupil": [f"p{i}" for i in range(n)],
            "sex": ["FM"[i % 2] for i in range(n)],
            "prior": [float(i * 7 % 11) for i in range(n)],
            "score": [float(i * 5 % 13) for i in range(n)],
        }
    )


def check(
    source: pl.DataFrame | Path, checks: PupilChecks | None = None, formula: str = FORMULA
) -> PupilFile:
    with open_table(source) as table:
        return check_pupils(table, [parse_formula(formula)], checks)


def refused(frame: pl.DataFrame, checks: PupilChecks, folder: Path, formula: str = FORMULA) -> str:
    """Give the message, the same for Parquet and CSV but for the file's name."""
    said = []
    for name in ("pupils.parquet", "pupils.csv"):
        file = folder / name
        frame.write_parquet(file) if name.endswith("t") else frame.write_csv(file)
        with pytest.raises(InputError) as caught:
            check(file, checks, formula)
        assert caught.value.file == str(file)
        said.append(str(caught.value).replace(str(file), "FILE"))
    assert said[0] == said[1]
    return said[0]


def put(frame: pl.DataFrame, column: str, row: int, value: object) -> pl.DataFrame:
    """Put a value into a row as a spreadsheet counts."""
    values = frame[column].to_list()
    values[row - 2] = value
    return frame.with_columns(pl.Series(column, values, dtype=frame.schema[column], strict=False))


def test_a_good_file_passes_and_its_years_are_told() -> None:
    found = check(pupils(), PupilChecks(year="year", scale={"": (0, 12)}))
    assert found == PupilFile(60, {"score": ("2022", "2023", "2024")}, "pupil")


def test_a_year_without_any_score_is_not_counted() -> None:
    frame = pupils().with_columns(
        score=pl.when(pl.col("year") == 2023).then(None).otherwise(pl.col("score"))
    )
    assert check(frame, PupilChecks(year="year")).years == {"score": ("2022", "2024")}


def test_the_same_pupil_twice_in_a_year_is_named_with_the_second_row(tmp_path: Path) -> None:
    frame = put(pupils(), "pupil", 23, "p18")  # row 20 is p18, both of 2022
    assert frame["year"][18] == frame["year"][21]
    said = refused(frame, PupilChecks(year="year"), tmp_path)
    assert 'FILE, row 23, column "pupil": Pupil "p18" has a second value of score in 2022.' in said
    assert "--pupil none" in said


def test_the_same_pupil_in_another_year_or_without_a_second_score_is_fine() -> None:
    assert check(put(pupils(), "pupil", 24, "p18"), PupilChecks(year="year")).n_rows == 60
    frame = put(put(pupils(), "pupil", 23, "p18"), "score", 23, None)
    assert check(frame, PupilChecks(year="year")).n_rows == 60
    frame = put(put(pupils(), "pupil", 20, None), "pupil", 23, None)  # no code: nothing to compare
    assert check(frame, PupilChecks(year="year")).n_rows == 60


def test_duplicates_are_looked_for_by_the_column_given_or_not_at_all(tmp_path: Path) -> None:
    frame = put(pupils(), "pupil", 23, "p18")
    assert check(frame, PupilChecks(year="year", pupil="")).pupil is None
    other = frame.rename({"pupil": "id"})
    assert check(other, PupilChecks(year="year")).pupil is None
    assert 'column "id"' in refused(other, PupilChecks(year="year", pupil="id"), tmp_path)
    # Without --year a column of that name parts the years all the same.
    assert check(put(pupils(), "pupil", 24, "p18")).pupil == "pupil"


def test_two_tests_in_two_rows_of_one_pupil_are_no_duplicate() -> None:
    frame = pl.concat([pupils(), pupils()]).with_columns(
        score=pl.Series([*pupils()["score"], *[None] * 60], dtype=pl.Float64),
        reading=pl.Series([*[None] * 60, *pupils()["prior"]], dtype=pl.Float64),
    )
    with open_table(frame) as table:
        both = [parse_formula(f"{name} ~ sex + (1 | school)") for name in ("score", "reading")]
        assert check_pupils(table, both, PupilChecks(year="year")).n_rows == 120


def test_a_score_off_the_scale_is_named_with_its_row_and_the_range(tmp_path: Path) -> None:
    said = refused(put(pupils(), "score", 33, 999.0), PupilChecks(scale={"": (0, 100)}), tmp_path)
    assert 'row 33, column "score": 999 is off the scale 0 to 100' in said
    assert "a code such as 999" in said
    assert check(pupils(), PupilChecks(scale={"reading": (50, 100)})).n_rows == 60


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("0:100", {"": (0.0, 100.0)}),
        ("-3:3.5", {"": (-3.0, 3.5)}),
        ("a=0:9, b c=1:2", {"a": (0.0, 9.0), "b c": (1.0, 2.0)}),
    ],
)
def test_scales_are_read(text: str, scale: dict[str, tuple[float, float]]) -> None:
    assert parse_scale(text) == scale


@pytest.mark.parametrize("text", ["", "100", "100:0", "a:b", "0:inf", "nan:1"])
def test_what_is_no_scale_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a scale"):
        parse_scale(text)


def test_a_few_scores_that_excel_made_dates_of_are_found(tmp_path: Path) -> None:
    said = refused(put(pupils(), "score", 41, 45355.0), PupilChecks(), tmp_path)
    assert 'row 41, column "score": 45355 is the number of a day in Excel (2024-03-04)' in said


def test_a_column_of_nothing_but_days_is_no_score_unless_its_scale_is_given(tmp_path: Path) -> None:
    frame = pupils().with_columns(score=pl.col("score") + 45_000)
    assert "is the number of a day in Excel" in refused(frame, PupilChecks(), tmp_path)
    assert check(frame, PupilChecks(scale={"score": (45_000, 46_000)})).n_rows == 60


def test_scores_on_a_scale_that_reaches_into_the_days_are_left_alone() -> None:
    frame = pupils().with_columns(score=pl.col("score") * 4_000)  # 0 to 48,000, some in the range
    assert check(frame).n_rows == 60


def test_dates_written_out_in_the_outcome(tmp_path: Path) -> None:
    frame = pupils().with_columns(pl.col("score").cast(pl.String))
    said = refused(put(frame, "score", 12, "3-Apr"), PupilChecks(), tmp_path)
    assert 'row 12, column "score": "3-Apr" is a date, not a score.' in said
    dated = pupils().with_columns(score=pl.lit(date(2024, 5, 1)))
    with pytest.raises(InputError, match="The outcome is a date"):
        check(dated)


YEARS = {
    "excel": (45291, '"45291" is the number of a day in Excel (2023-12-31), not a year'),
    "digits": (20240101, '"20240101" is the date 2024-01-01, not a year'),
    "iso": ("2024-05-01", '"2024-05-01" is a date, not a year'),
    "slashes": ("01/05/2024", '"01/05/2024" is a date, not a year'),
    "typo": (20204, '"20204" is not a year'),
    "fraction": (2023.5, '"2023.5" is not a year'),
    "word": ("unknown", '"unknown" is not a year like the others (2022)'),
    "negative": (-1, '"-1" is not a year'),
}


@pytest.mark.parametrize("case", YEARS)
def test_one_cell_that_is_no_year_is_named_with_its_row(case: str, tmp_path: Path) -> None:
    value, words = YEARS[case]
    frame = pupils()
    if not isinstance(value, int):
        kind = pl.String if isinstance(value, str) else pl.Float64
        frame = frame.with_columns(pl.col("year").cast(kind))
    said = refused(put(frame, "year", 14, value), PupilChecks(year="year"), tmp_path)
    assert said.startswith('FILE, row 14, column "year": ' + words), said


@pytest.mark.parametrize(
    "labels",
    [
        ["2021", "2022"],
        ["2021/22", "2022/23"],
        ["2022_2023", "2023_2024"],
        ["1", "2", "3"],
        ["2021.0", "2022.0"],
    ],
)
def test_what_may_be_a_year(labels: list[str]) -> None:
    assert check_years(labels, 60) is None


def test_words_are_no_years() -> None:
    fault = check_years(["Autumn", "Spring"], 60)
    assert fault is not None
    assert fault.what == '"Autumn" is not a year.'


def test_other_faults_of_the_year_column(tmp_path: Path) -> None:
    checks = PupilChecks(year="year")
    empty = pupils().with_columns(year=pl.lit(None, dtype=pl.Int64))
    assert 'column "year": The column holds no value' in refused(empty, checks, tmp_path)
    assert "Did you mean" in refused(pupils(), PupilChecks(year="Year"), tmp_path)
    codes = pupils(200).with_columns(year=pl.Series([f"s{i}" for i in range(200)]))
    assert "more than 60 different values" in refused(codes, checks, tmp_path)
    assert "cannot be the outcome" in refused(pupils(), PupilChecks(year="score"), tmp_path)
    dated = pupils().with_columns(year=pl.lit(date(2024, 5, 1)))
    with pytest.raises(InputError, match="holds dates, not years"):
        check(dated, checks)


def test_days_of_excel() -> None:
    assert day_of_excel(45291) == date(2023, 12, 31)
    assert day_of_excel(29221) == date(1980, 1, 1)


@pytest.mark.parametrize("column", ["score", "prior", "sex", "school"])
def test_a_column_without_any_value_is_named(column: str, tmp_path: Path) -> None:
    frame = pupils().with_columns(pl.lit(None, dtype=pupils().schema[column]).alias(column))
    said = refused(frame, PupilChecks(), tmp_path)
    assert f'column "{column}": The column holds no value at all.' in said


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("score", "there is nothing to compare"),
        ("prior", "it explains nothing. Leave it out of the formula"),
        ("sex", "it explains nothing"),
        ("school", "All pupils are in one group"),
    ],
)
def test_a_constant_column_is_named(column: str, words: str, tmp_path: Path) -> None:
    frame = pupils().with_columns(pl.lit(pupils()[column][0]).alias(column))
    said = refused(frame, PupilChecks(), tmp_path)
    assert f'column "{column}"' in said
    assert words in said


def test_an_unknown_name_and_an_empty_table(tmp_path: Path) -> None:
    said = refused(pupils(), PupilChecks(), tmp_path, "score ~ Prior + (1 | school)")
    assert 'column "Prior": There is no such column. Did you mean "prior"?' in said
    assert 'column "id"' in refused(pupils(), PupilChecks(pupil="id"), tmp_path)
    assert "no rows under the header" in refused(pupils(0), PupilChecks(), tmp_path)
