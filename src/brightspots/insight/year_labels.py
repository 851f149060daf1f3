"""Years as they stand in files, and what is taken for a year and is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

EXCEL_DAYS: Final = (29_221, 55_153)
"""1 January 1980 to 31 December 2050, in days as Excel counts them."""
_FIRST, _LAST = 1900, 2100
_SPAN = re.compile(r"^\d{4}\s*[/_\-–]\s*(\d{2}|\d{4})$")
_DATE = re.compile(
    r"^(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}|\d{1,2}-[A-Za-z]{3})"
)
_WHOLE = re.compile(r"^\d+$")
_NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$")
_A_YEAR = "Give the column of the school year: 2024, 2023/24 or 1, 2, 3."


@dataclass(frozen=True)
class YearFault:
    """What is wrong, the label that shows it (None for the whole column), and what to do."""

    what: str
    label: str | None
    mend: str


def day_of_excel(number: float) -> date:
    """Day number of Excel (1900 system; right from March 1900 on) as a date."""
    return date(1899, 12, 30) + timedelta(days=int(number))


def check_years(labels: Sequence[str], most: int) -> YearFault | None:
    """Say what is wrong with the distinct labels of a year column, the most common first.

    Good are years 1900 to 2100, spans of two (2023/24, 2022_2023) and whole numbers from 0 to 99,
    as in "year 3 of the programme"; all of one kind, and at most `most` of them.
    """
    if not labels:
        return YearFault("The column holds no value at all.", None, "Fill it in.")
    for label in labels:
        day = _as_date(label)
        if day is not None:
            return YearFault(f'"{label}" is {day}, not a year.', label, _A_YEAR)
    if len(labels) > most:
        shown = ", ".join(sorted(labels)[:3])
        return YearFault(
            f"The column has more than {most} different values ({shown}, ...); is it the year?",
            None,
            _A_YEAR,
        )
    kinds = {label: _kind(label) for label in labels}
    common = max(sorted(set(kinds.values())), key=list(kinds.values()).count)
    for label, kind in kinds.items():
        if kind == "number" or (kind == "word" and common == "word"):
            return YearFault(f'"{label}" is not a year.', label, _A_YEAR)
        if kind != common:
            return YearFault(
                f'"{label}" is not a year like the others ({_one(kinds, common)}).',
                label,
                "Write all years in one way; leave the cell empty where it is not known.",
            )
    return None


def _one(kinds: dict[str, str], kind: str) -> str:
    return next(label for label in sorted(kinds) if kinds[label] == kind)


def _kind(label: str) -> str:
    if _SPAN.match(label):
        return "span"
    text = label.removesuffix(".0")  # as pandas writes whole numbers beside empty cells
    if _WHOLE.match(text):
        value = int(text)
        if _FIRST <= value <= _LAST:
            return "year"
        return "count" if value < 100 else "number"
    return "number" if _NUMBER.match(label) else "word"


def _as_date(label: str) -> str | None:
    """Describe a label that is a date; None where it is none."""
    if _DATE.match(label) and not _SPAN.match(label):
        return "a date"
    text = label.removesuffix(".0")
    if not _WHOLE.match(text):
        return None
    value = int(text)
    if EXCEL_DAYS[0] <= value <= EXCEL_DAYS[1]:
        return f"the number of a day in Excel ({day_of_excel(value)})"
    if len(text) == 8:
        try:
            return f"the date {date(value // 10_000, value // 100 % 100, value % 100)}"
        except ValueError:
            return None
    return None
