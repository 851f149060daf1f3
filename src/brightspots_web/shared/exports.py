"""Every table a page shows, as CSV and XLSX.

The caller passes the same rows the page shows, so permission and suppression are the same.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from brightspots_web.shared.components import Link

Kind = Literal["text", "integer", "number", "percent", "date"]
FORMATS = {"integer": "#,##0", "number": "0.00", "percent": "0 %", "date": "yyyy-mm-dd"}
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MOST_ROWS = 1_048_000
"""What fits on a sheet, with room for heading and note."""
LONGEST_CELL = 32_767
"""Characters, as the format has it."""


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    kind: Kind = "text"


def export_links(name: str, *args: Any, query: str = "") -> list[Link]:
    """The table's files: `name` is a URL that takes the format last, `query` what narrows it."""
    suffix = f"?{query}" if query else ""
    return [Link(fmt.upper(), reverse(name, args=[*args, fmt]) + suffix) for fmt in ("csv", "xlsx")]


def respond(
    fmt: str,
    *,
    title: str,
    filename: str,
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Any]],
    note: str = "",
) -> HttpResponseBase:
    """Send the rows as a file; `note` (source, date, how sure) goes below the table."""
    name = f"{slugify(filename) or 'table'}-{timezone.localdate():%Y-%m-%d}.{fmt}"
    response: HttpResponseBase
    if fmt == "csv":
        lines = _csv_lines(columns, rows, note)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    else:
        response = HttpResponse(
            _workbook(title, columns, rows, note),
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _csv_lines(
    columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], note: str
) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")

    def line(cells: Sequence[Any]) -> str:
        writer.writerow(cells)
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    yield "\ufeff" + line([harmless(str(column.label)) for column in columns])
    for row in rows:
        yield line([_csv_cell(row.get(column.key)) for column in columns])
    if note:
        yield line([])
        yield line([harmless(note)])


def harmless(text: str) -> str:
    """Keep a spreadsheet from taking text for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(STARTS_FORMULA) else text


def _csv_cell(value: Any) -> Any:
    if _empty(value):
        return ""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return _local(value).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return harmless(str(value))


def _empty(value: Any) -> bool:
    """No value, or a number that is none."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _local(value: datetime) -> datetime:
    """The hour people here know, without a zone: spreadsheets know none."""
    return timezone.make_naive(value) if timezone.is_aware(value) else value


def _workbook(
    title: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], note: str
) -> bytes:
    import xlsxwriter  # 60 ms to import; only exports need it

    buffer = io.BytesIO()
    options = {
        "constant_memory": True,  # each row goes to a file as it is written
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet(slugify(title)[:31] or "table")
        heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        formats = {kind: book.add_format({"num_format": code}) for kind, code in FORMATS.items()}
        for position, column in enumerate(columns):
            sheet.write_string(0, position, str(column.label), heading)
            sheet.set_column(position, position, 28 if column.kind == "text" else 14)
        last = 0
        for last, row in enumerate(rows, start=1):
            if last > MOST_ROWS:
                note = _("Only the first {rows} rows fit on a sheet. Take CSV for all.").format(
                    rows=MOST_ROWS
                )
                break
            for position, column in enumerate(columns):
                _write(sheet, last, position, row.get(column.key), formats.get(column.kind))
        sheet.freeze_panes(1, 1)
        if last:
            sheet.autofilter(0, 0, last, len(columns) - 1)
        if note:
            sheet.write_string(last + 2, 0, note)
    return buffer.getvalue()


def _write(sheet: Any, row: int, column: int, value: Any, form: Any) -> None:
    if _empty(value):
        sheet.write_blank(row, column, None)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, form)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, _local(value), form)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, form)
    else:
        sheet.write_string(row, column, str(value)[:LONGEST_CELL])
