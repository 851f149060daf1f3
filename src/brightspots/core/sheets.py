"""XLSX workbooks: one sheet as text, as a person sees it, within limits."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import zipfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

from brightspots.core.delimited import Grid, find_header, from_records
from brightspots.core.errors import InputError
from brightspots.core.files import Limits

_SAMPLE_RECORDS = 200
# Formats such as 00000, which keep the zeros of a code, and 0.00 %, which show a percentage.
_ZEROS = re.compile(r"^0+$")
_PERCENT = re.compile(r"%(?=[^\"]*$)")


def parse(
    data: bytes,
    name: str,
    *,
    sheet: str | None,
    header_row: int | None,
    columns: Sequence[str] | None,
    limits: Limits,
) -> tuple[Grid, str]:
    """Read one sheet of a workbook; return its grid and the sheet's name.

    Formulas count as the value last computed for them, as the file holds it. Whole numbers have
    no decimals, a number shown as 00042 keeps its zeros, a number shown in per cent carries the
    sign, dates are ISO dates.

    Raises
    ------
    InputError
        When openpyxl is not installed, the workbook is damaged or beyond the limits, or there is
        no such sheet.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise InputError(
            "Excel files need the package openpyxl, which is not installed.",
            file=name,
            mend='Install it with: pip install "brightspots[web]", or save the sheet as CSV.',
        ) from error
    _refuse_bomb(data, name, limits)
    try:
        book = openpyxl.load_workbook(
            BytesIO(data), read_only=True, data_only=True, keep_links=False
        )
    except Exception as error:
        # A damaged workbook makes openpyxl raise almost anything, from KeyError to ParseError.
        raise _damaged(name) from error
    try:
        if not book.worksheets:
            raise InputError("The workbook has no sheet with cells.", file=name)
        page = _choose(book, name, sheet)
        grid = _read(page, name, header_row, columns, limits)
    except InputError:
        raise
    except Exception as error:
        raise _damaged(name) from error
    finally:
        book.close()
    return grid, str(page.title)


def _damaged(name: str) -> InputError:
    return InputError(
        "The Excel file is damaged or is no workbook.",
        file=name,
        mend="Open it in a spreadsheet, save it again as XLSX or CSV, and try again.",
    )


def _refuse_bomb(data: bytes, name: str, limits: Limits) -> None:
    """Refuse by the sizes that the zip directory states; zipfile stops at those when reading."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > limits.max_bytes or (size > 64 << 20 and size > limits.max_ratio * len(data)):
        raise InputError(
            "The Excel file unpacks to far more than a table would.",
            file=name,
            mend="Save the sheet as CSV and try again.",
        )


def _choose(book: Any, name: str, sheet: str | None) -> Any:
    if sheet is None:
        return book.worksheets[0]
    for page in book.worksheets:
        if page.title == sheet:
            return page
    titles = ", ".join(f'"{page.title}"' for page in book.worksheets)
    raise InputError(
        f'There is no sheet called "{sheet}".', file=name, mend=f"The sheets are: {titles}."
    )


def _read(
    page: Any, name: str, header_row: int | None, columns: Sequence[str] | None, limits: Limits
) -> Grid:
    page.reset_dimensions()  # the stated size of a sheet is often wrong
    records = _records(page, name, limits)
    head = list(itertools.islice(records, _SAMPLE_RECORDS))
    width = max((len(record) for _, record in head), default=0)
    padded = [record + [""] * (width - len(record)) for _, record in head]
    header = find_header(padded, name, header_row, limits)
    rest = itertools.chain(head[header.row :], records)
    full = (
        (row, record + [""] * (header.width - len(record))) for row, record in rest
    )  # a sheet does not store the empty cells at the end of a row
    return from_records(full, name, header, columns, limits, None)


def _records(page: Any, name: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    for row, cells in enumerate(page.iter_rows(max_col=limits.max_columns + 1), start=1):
        record = [_as_text(cell.value, getattr(cell, "number_format", "")) for cell in cells]
        for at, text in enumerate(record, start=1):
            if len(text) > limits.max_cell:
                raise InputError(
                    f"A cell is longer than {limits.max_cell:,} characters.",
                    file=name,
                    row=row,
                    column=str(at),
                )
        while record and not record[-1]:
            record.pop()
        yield row, record


def _as_text(value: object, number_format: str | None) -> str:
    """Return a cell as a person sees it, with all the digits that the file holds."""
    shown = number_format or ""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        if _PERCENT.search(shown):
            # Decimal moves the point without adding digits: 0.07 is 7 %, not 7.000000000000001 %.
            percent = (Decimal(repr(value)) * 100).normalize()
            return f"{percent:f}%"
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if isinstance(value, int) and value >= 0 and _ZEROS.match(shown):
            return str(value).zfill(len(shown))
        return str(value) if isinstance(value, int) else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time(0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
