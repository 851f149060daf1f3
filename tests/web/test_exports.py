"""Tables as files: the same cells in CSV and XLSX, and nothing a spreadsheet would run."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from brightspots_web.shared import exports
from brightspots_web.shared.exports import STARTS_FORMULA, Column, harmless, respond

COLUMNS = [
    Column("name", "School"),
    Column("roll", "Pupils", "integer"),
    Column("mean", "Mean", "number"),
    Column("share", "Share", "percent"),
    Column("day", "Day", "date"),
]
ROWS: list[dict[str, Any]] = [
    {"name": "Ağaç", "roll": 120, "mean": 1.25, "share": 0.5, "day": date(2024, 9, 1)},
    {"name": "=1+1", "roll": None, "mean": float("nan"), "share": None, "day": None},
    {"name": 'a, "b"\nc', "roll": 0, "mean": -0.5, "share": 1.0},
]


def as_csv(rows: Any, note: str = "") -> list[list[str]]:
    answer = respond("csv", title="T", filename="t", columns=COLUMNS, rows=rows, note=note)
    assert isinstance(answer, StreamingHttpResponse)
    text = b"".join(answer).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def as_xlsx(rows: Any, note: str = "") -> list[tuple[Any, ...]]:
    answer = respond("xlsx", title="T", filename="t", columns=COLUMNS, rows=rows, note=note)
    assert isinstance(answer, HttpResponse)
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    return list(sheet.iter_rows(values_only=True))


def test_csv_holds_the_rows_with_formulas_made_harmless() -> None:
    assert as_csv(ROWS) == [
        ["School", "Pupils", "Mean", "Share", "Day"],
        ["Ağaç", "120", "1.25", "0.5", "2024-09-01"],
        ["'=1+1", "", "", "", ""],
        ['a, "b"\nc', "0", "-0.5", "1.0", ""],
    ]


def test_xlsx_holds_the_same_cells_as_numbers_dates_and_text() -> None:
    assert as_xlsx(ROWS) == [
        ("School", "Pupils", "Mean", "Share", "Day"),
        ("Ağaç", 120, 1.25, 0.5, datetime(2024, 9, 1)),  # noqa: DTZ001 - sheets know no zones
        ("=1+1", None, None, None, None),
        ('a, "b"\nc', 0, -0.5, 1, None),
    ]


def test_a_moment_is_given_in_local_time_in_both() -> None:
    row = {"day": datetime(2024, 9, 1, 12, 30, tzinfo=UTC)}
    assert as_csv([row])[1][4] == "2024-09-01 12:30:00"
    assert as_xlsx([row])[1][4] == datetime(2024, 9, 1, 12, 30)  # noqa: DTZ001 - as above


def test_the_note_stands_below_the_table() -> None:
    assert as_csv(ROWS, "=note")[-1] == ["'=note"]
    assert as_xlsx(ROWS, "Made by hand")[-1][0] == "Made by hand"


def test_an_empty_table_keeps_its_headings() -> None:
    assert as_csv([]) == [["School", "Pupils", "Mean", "Share", "Day"]]
    assert as_xlsx([]) == [("School", "Pupils", "Mean", "Share", "Day")]


@pytest.mark.parametrize("start", [*STARTS_FORMULA, " =", "  @"])
def test_text_that_starts_a_formula_is_marked_as_text(start: str) -> None:
    assert harmless(f"{start}cmd|'/c calc'!A1").startswith("'")


@given(st.text())
def test_no_text_in_csv_starts_a_formula_and_none_is_changed_otherwise(text: str) -> None:
    safe = harmless(text)
    assert not safe.lstrip(" ").startswith(STARTS_FORMULA)
    assert safe in {text, f"'{text}"}


def test_the_file_is_named_by_what_it_holds_and_the_day() -> None:
    answer = respond("csv", title="T", filename="Tëst / ../x", columns=COLUMNS, rows=[])
    assert answer["Content-Disposition"].startswith('attachment; filename="test-x-20')


def test_rows_are_taken_one_by_one_as_they_are_sent() -> None:
    taken = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal taken
        for i in range(100_000):
            taken = i + 1
            yield {"name": "n", "roll": i}

    answer = respond("csv", title="T", filename="t", columns=COLUMNS, rows=rows())
    assert isinstance(answer, StreamingHttpResponse)
    lines = iter(answer)
    next(lines)
    assert taken == 0
    next(lines)
    next(lines)
    assert taken == 2
    assert sum(1 for _line in lines) == 99_998


def test_a_sheet_that_is_full_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_ROWS", 2)
    sheet = as_xlsx([{"name": str(i)} for i in range(5)])
    assert [row[0] for row in sheet[1:3]] == ["0", "1"]
    assert [row[0] for row in sheet[3:] if row[0]] == [
        "Only the first 2 rows fit on a sheet. Take CSV for all."
    ]
