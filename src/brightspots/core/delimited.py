"""CSV and its relatives: which delimiter, which row is the header, and every cell as text.

Two ways lead to the same cells. A file in which every record has the same number of fields and
every quotation mark stands where it should is parsed by polars; anything else goes row by row
through the csv module, which can say in which row something is wrong.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.core.files import Limits
from brightspots.core.problems import gather, one_problem, problems_where

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SAMPLE_BYTES = 1 << 18
_SAMPLE_RECORDS = 200
_SCAN_BLOCK = 1 << 24
_BATCH = 50_000
_END = "\x00"  # cannot stand in the text: zeros are refused before
_NUMBER = re.compile(r"^\s*[-+\u2212]?[\d .,\u00a0']*\d\s*%?\s*$")


@dataclass(frozen=True)
class Grid:
    """Cells as text, before checks: names of the columns, cells, row numbers, what was noticed."""

    frame: pl.DataFrame
    row_numbers: pl.Series
    header: tuple[str, ...]
    header_row: int
    delimiter: str | None
    problems: pl.DataFrame
    n_blank: int


@dataclass(frozen=True)
class Header:
    """Names of the columns and where they stand: `row` counts from 1, `width` in fields."""

    names: tuple[str, ...]
    row: int
    width: int
    problems: pl.DataFrame


def parse(
    utf8: bytes,
    name: str,
    *,
    delimiter: str | None,
    header_row: int | None,
    columns: Sequence[str] | None,
    limits: Limits,
) -> Grid:
    """Parse delimited text into a grid of cells.

    Raises
    ------
    InputError
        When there is no table in it: no records, no header row, an unclosed quotation mark, a
        cell or a number of columns beyond the limits.
    """
    sample = _sample(utf8)
    if delimiter is None:
        delimiter = find_delimiter(sample)
    elif len(delimiter) != 1 or delimiter in '"\r\n':
        raise InputError(
            f"{delimiter!r} cannot be a delimiter.", mend="Choose one character, such as a comma."
        )
    head = list(itertools.islice(_records(sample, delimiter, limits), _SAMPLE_RECORDS))
    header = find_header(head, name, header_row, limits)
    grid = _parse_regular(utf8, delimiter, header, columns, limits)
    if grid is None:
        grid = _parse_by_row(utf8, name, delimiter, header, columns, limits)
    _refuse_huge(grid, name, limits)
    return grid


def _sample(utf8: bytes) -> str:
    """Return the start of the text, up to the end of a line if it is cut."""
    if len(utf8) <= _SAMPLE_BYTES:
        return utf8.decode()
    text = utf8[:_SAMPLE_BYTES].decode(errors="ignore")
    cut = max(text.rfind("\n"), text.rfind("\r"))
    return text[: cut + 1] if cut > 0 else text


def _records(text: str, delimiter: str, limits: Limits) -> Iterator[list[str]]:
    # The limit of the csv module is one for the whole process: raised, never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), 2 * limits.max_cell))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error:
        return


def find_delimiter(sample: str) -> str:
    """Return the delimiter for which most records have the same number of fields, more than one.

    Fields are counted outside quotation marks. Text with one column has no delimiter to find;
    a comma is returned for it.
    """
    first = sample.split("\n", 1)[0].strip().lower()
    if re.fullmatch(r'"?sep=[,;|\t]"?', first):  # a line that Excel writes and reads
        return first.strip('"')[-1]
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        counts = [
            len(record)
            for record in itertools.islice(_records(sample, delimiter, Limits()), _SAMPLE_RECORDS)
            if any(cell.strip() for cell in record)
        ]
        several = Counter(count for count in counts if count > 1)
        if not several:
            continue
        width, times = max(several.items(), key=lambda item: (item[1], item[0]))
        score = (times / len(counts), width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _filled(record: Sequence[str]) -> int:
    return sum(1 for cell in record if cell.strip())


def find_header(
    records: Sequence[Sequence[str]], name: str, header_row: int | None, limits: Limits
) -> Header:
    """Find the row with the names of the columns, below any title lines.

    It is the first record as wide as most records with at least six in ten cells filled. Where
    the row above it is as wide and has two or more cells filled, as merged cells leave behind,
    each name is put together from both.

    Raises
    ------
    InputError
        When no row can be the header, or the row asked for is not there or is blank.
    """
    filled = [_filled(record) for record in records]
    if not any(filled):
        raise InputError("There is no text in the file.", file=name, mend="Export it again.")
    if header_row is not None:
        if not 1 <= header_row <= len(records) or not filled[header_row - 1]:
            raise InputError(
                f"Row {header_row} cannot be the header: it is blank or not there.",
                file=name,
                row=header_row,
                mend="Give the row that holds the names of the columns.",
            )
        at = header_row - 1
        return _header(records[at], None, at, records[at + 1 :], limits, name)
    at = _first_wide(records, filled)
    here = records[at]
    above = records[at - 1] if at else ()
    if len(above) == len(here) and _filled(above) >= 2 and not _numeric(above):
        return _header(here, above, at, records[at + 1 :], limits, name)
    if _is_upper_half(records[at : at + 3]):
        return _header(records[at + 1], here, at + 1, records[at + 2 :], limits, name)
    return _header(here, None, at, records[at + 1 :], limits, name)


def _first_wide(records: Sequence[Sequence[str]], filled: Sequence[int]) -> int:
    """Return the place of the first record as wide as most, with six in ten cells filled."""
    full = [record for record, n in zip(records, filled, strict=True) if n]
    widths = Counter(len(record) for record in full)
    width = max(widths.items(), key=lambda item: (item[1], item[0]))[0]
    typical = [record for record in full if len(record) == width]
    # delimiters at the end of every row do not count
    while width > 1 and not any(record[width - 1].strip() for record in typical):
        width -= 1
    wide = (
        at
        for at, record in enumerate(records)
        if len(record) >= width and filled[at] >= 0.6 * width
    )
    return next(wide, next(at for at, n in enumerate(filled) if n))


def _is_upper_half(records: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first of three records is the upper half of a header with merged cells.

    The second fills every gap the first leaves, holds no number, and stands above one.
    """
    if len(records) < 3 or len(records[0]) != len(records[1]):
        return False
    upper, lower, data = records
    gaps = [low for top, low in zip(upper, lower, strict=True) if not top.strip()]
    if not gaps or not all(low.strip() for low in gaps) or _numeric(lower) or _numeric(upper):
        return False
    return any(low.strip() and _NUMBER.match(cell) for low, cell in zip(lower, data, strict=False))


def _numeric(record: Sequence[str]) -> bool:
    return any(_NUMBER.match(cell) for cell in record if cell.strip())


def _header(
    record: Sequence[str],
    above: Sequence[str] | None,
    at: int,
    below: Sequence[Sequence[str]],
    limits: Limits,
    name: str,
) -> Header:
    row = at + 1
    if len(record) > limits.max_columns:
        raise InputError(
            f"There are {len(record):,} columns; at most {limits.max_columns:,} can be read.",
            file=name,
            row=row,
            mend="Check the delimiter, or leave columns out.",
        )
    names = [" ".join(cell.split()) for cell in record]
    problems = []
    if above is not None:
        names = _joined_names(above, names)
        problems.append(
            one_problem(
                "The header has two rows (merged cells); each name is put together from both.",
                severity="warning",
                mend="Check the names of the columns.",
                row=row,
            )
        )
    # Delimiters at the end of every row make columns without a name and without content.
    while (
        len(names) > 1
        and not names[-1]
        and not any(len(each) >= len(names) and each[len(names) - 1].strip() for each in below)
    ):
        names.pop()
    distinct, more = _distinct(names, row)
    problems += more
    if all(_NUMBER.match(each) for each in names if each) and any(names):
        problems.append(
            one_problem(
                "The header holds only numbers: it is probably a row of data.",
                severity="warning",
                mend="Add a row with the names of the columns, or choose the header row.",
                row=row,
            )
        )
    return Header(tuple(distinct), row, len(distinct), gather(problems))


def _joined_names(above: Sequence[str], names: Sequence[str]) -> list[str]:
    group = ""
    joined = []
    for top, low in zip(above, names, strict=True):
        group = " ".join(top.split()) or group
        joined.append(f"{group} {low}".strip())
    return joined


def _distinct(names: Sequence[str], row: int) -> tuple[list[str], list[pl.DataFrame]]:
    """Give every column a name of its own: "mean", "mean (2)", "column 7"."""
    taken = {each for each in names if each}
    seen: set[str] = set()
    out: list[str] = []
    problems = []
    for place, given in enumerate(names, start=1):
        label = given or f"column {place}"
        if label in seen or (not given and label in taken):
            number = 2
            while f"{label} ({number})" in taken | seen:
                number += 1
            label = f"{label} ({number})"
        if label != given:
            what = "Two columns have the same name." if given else "A column has no name."
            problems.append(
                one_problem(
                    what,
                    severity="warning",
                    mend=f'Here it is called "{label}".',
                    row=row,
                    column=label,
                    value=given,
                )
            )
        seen.add(label)
        out.append(label)
    return out, problems


@dataclass(frozen=True)
class _Scan:
    """Fields in each record and where each record ends, from one pass over the bytes."""

    fields: NDArray[np.int32]
    ends: NDArray[np.int64]


def _scan(utf8: bytes, delimiter: str) -> _Scan | None:
    """Count the fields of every record, or return None where quotes or line ends are irregular.

    Inside or outside quotation marks is the parity of the marks so far. That is right when an
    opening mark follows a delimiter or a line end and a closing mark comes before one; doubled
    marks inside a field close and open at once and cancel out.
    """
    if b"\r" in utf8:
        return None
    array = np.frombuffer(utf8, dtype=np.uint8)
    quote, mark, line = ord('"'), ord(delimiter), ord("\n")
    has_quotes = b'"' in utf8
    inside = False
    marks_before = 0
    counts: list[NDArray[np.int64]] = []
    ends: list[NDArray[np.int64]] = []
    for start in range(0, len(array), _SCAN_BLOCK):
        block = array[start : start + _SCAN_BLOCK]
        is_mark, is_line = block == mark, block == line
        if has_quotes:
            quotes = block == quote
            parity = np.logical_xor.accumulate(quotes) ^ inside
            before = np.concatenate(([array[start - 1] if start else line], block[:-1]))
            stop = start + len(block)
            after = np.concatenate((block[1:], [array[stop] if stop < len(array) else line]))
            opening, closing = quotes & parity, quotes & ~parity
            if not _ends_field(before[opening], mark).all():
                return None
            if not _ends_field(after[closing], mark).all():
                return None
            inside = bool(parity[-1])
            is_mark &= ~parity
            is_line &= ~parity
        lines = np.flatnonzero(is_line)
        marks = np.cumsum(is_mark, dtype=np.int64)
        counts.append(marks_before + marks[lines])
        marks_before += int(marks[-1])
        ends.append(lines + start)
    if inside:
        return None
    total = np.concatenate(counts)
    stops = np.concatenate(ends)
    if len(array) and (not len(stops) or stops[-1] != len(array) - 1):
        total = np.append(total, marks_before)
        stops = np.append(stops, len(array) - 1)
    return _Scan((np.diff(total, prepend=0) + 1).astype(np.int32), stops)


def _ends_field(neighbours: NDArray[np.uint8], mark: int) -> NDArray[np.bool_]:
    return np.isin(neighbours, [mark, ord("\n"), ord('"')])


def _parse_regular(
    utf8: bytes, delimiter: str, header: Header, columns: Sequence[str] | None, limits: Limits
) -> Grid | None:
    """Parse a regular file with polars; return None where the csv module has to look."""
    if not delimiter.isascii():
        return None
    if b"\r" in utf8:
        plain = utf8.replace(b"\r\n", b"\n")
        # A line end inside a quoted cell would be changed by this, so the cells are left alone.
        if b"\r" in plain or b'"' in utf8:
            return None
        utf8 = plain
    scan = _scan(utf8, delimiter)
    if scan is None or len(scan.fields) <= header.row:
        return None
    fields = scan.fields[header.row :]
    if header.width < 2 or (fields != fields[0]).any() or fields[0] < header.width:
        return None
    wanted = _wanted(header, columns)
    width = int(fields[0])
    body = utf8[int(scan.ends[header.row - 1]) + 1 :]
    places = sorted({*wanted, *range(header.width, width)})
    try:
        frame = pl.read_csv(
            body,
            has_header=False,
            separator=delimiter,
            infer_schema=False,
            columns=places,
        ).fill_null("")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return None
    if frame.height != len(fields):
        return None
    by_place = dict(zip(places, frame.columns, strict=True))
    extra = [by_place[place] for place in range(header.width, width)]
    if extra and not frame.select(pl.all_horizontal(pl.col(extra) == "").all()).item():
        return None
    frame = frame.select(pl.col(by_place[at]).alias(header.names[at]) for at in wanted)
    rows = pl.Series("row", np.arange(header.row + 1, header.row + 1 + len(fields)))
    if columns is None:
        frame, rows, n_blank = _without_blank(frame, rows)
    else:
        n_blank = 0
    return Grid(frame, rows, header.names, header.row, delimiter, header.problems, n_blank)


def _wanted(header: Header, columns: Sequence[str] | None) -> list[int]:
    if columns is None:
        return list(range(header.width))
    asked = set(columns)
    return [at for at, each in enumerate(header.names) if each in asked]


def _without_blank(frame: pl.DataFrame, rows: pl.Series) -> tuple[pl.DataFrame, pl.Series, int]:
    """Take out rows in which every cell is empty."""
    blank = frame.select(pl.all_horizontal(pl.all().str.strip_chars() == "")).to_series()
    n_blank = int(blank.sum())
    if not n_blank:
        return frame, rows, 0
    return frame.filter(~blank), rows.filter(~blank), n_blank


def _parse_by_row(
    utf8: bytes,
    name: str,
    delimiter: str,
    header: Header,
    columns: Sequence[str] | None,
    limits: Limits,
) -> Grid:
    text = utf8.decode()
    if text and text[-1] not in "\r\n":
        text += "\n"
    records = enumerate(_checked_records(text, name, delimiter, limits), start=1)
    return from_records(
        itertools.islice(records, header.row, None), name, header, columns, limits, delimiter
    )


def _checked_records(text: str, name: str, delimiter: str, limits: Limits) -> Iterator[list[str]]:
    """Yield every record; an unclosed quotation mark shows by swallowing the end mark."""
    csv.field_size_limit(max(csv.field_size_limit(), 2 * limits.max_cell))
    lines = itertools.chain(io.StringIO(text, newline=""), [_END])
    reader = csv.reader(lines, delimiter=delimiter)
    row = 0
    try:
        for record in reader:
            row += 1
            if record == [_END]:
                return
            if record and record[-1].endswith(_END):
                raise InputError(
                    "A quotation mark is opened in this row and never closed.",
                    file=name,
                    row=row,
                    mend="Close it, or double it if it belongs to the text.",
                )
            yield record
    except csv.Error as error:
        raise InputError(
            f"The row cannot be read: {error}.",
            file=name,
            row=row + 1,
            mend="Look for a quotation mark that is not closed, or a very long cell.",
        ) from error


def from_records(
    records: Iterator[tuple[int, list[str]]],
    name: str,
    header: Header,
    columns: Sequence[str] | None,
    limits: Limits,
    delimiter: str | None,
) -> Grid:
    """Build a grid from numbered records, setting aside those that do not fit the header."""
    wanted = _wanted(header, columns)
    names = [header.names[at] for at in wanted]
    schema = dict.fromkeys(names, pl.String)
    frames: list[pl.DataFrame] = []
    row_lists: list[pl.Series] = []
    problems = [header.problems]
    n_blank = n_rows = 0
    while batch := list(itertools.islice(records, _BATCH)):
        full = [(row, record) for row, record in batch if _filled(record)]
        n_blank += len(batch) - len(full)
        n_rows += len(full)
        if n_rows > limits.max_rows:
            raise InputError(
                f"There are more than {limits.max_rows:,} rows.",
                file=name,
                mend="Split the file, or send it as Parquet.",
            )
        fit = [(row, record) for row, record in full if _fits(record, header.width)]
        if len(fit) < len(full):
            problems.append(_misfits(full, header.width))
        cells = list(zip(*(record for _, record in fit), strict=False)) if fit else []
        frames.append(
            pl.DataFrame(
                {
                    label: list(cells[at]) if cells else []
                    for at, label in zip(wanted, names, strict=True)
                },
                schema=schema,
            )
        )
        row_lists.append(pl.Series("row", [row for row, _ in fit], dtype=pl.Int64))
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=schema)
    rows = pl.concat(row_lists) if row_lists else pl.Series("row", [], dtype=pl.Int64)
    return Grid(frame, rows, header.names, header.row, delimiter, gather(problems), n_blank)


def _fits(record: Sequence[str], width: int) -> bool:
    return len(record) == width or (len(record) > width and not _filled(record[width:]))


def _misfits(full: Sequence[tuple[int, list[str]]], width: int) -> pl.DataFrame:
    bad = [(row, record) for row, record in full if not _fits(record, width)]
    rows = pl.Series([row for row, _ in bad], dtype=pl.Int64)
    counts = pl.Series([len(record) for _, record in bad], dtype=pl.Int64)
    shown = pl.Series([" | ".join(record)[:200] for _, record in bad], dtype=pl.String)
    return pl.concat(
        problems_where(
            mask,
            rows=rows,
            values=shown,
            problem=f"The row has too {which} fields; the header has {width}.",
            severity="error",
            mend=mend,
        )
        for which, mask, mend in (
            ("few", counts < width, "Look for a missing delimiter, or a note below the table."),
            ("many", counts > width, "Look for a delimiter inside a text without quotation marks."),
        )
    )


def _refuse_huge(grid: Grid, name: str, limits: Limits) -> None:
    if not grid.frame.height:
        return
    for column in grid.frame.iter_columns():
        sizes = column.str.len_bytes()
        largest = sizes.max()
        if isinstance(largest, int) and largest > limits.max_cell:
            at = sizes.arg_max()
            raise InputError(
                f"A cell is longer than {limits.max_cell:,} characters.",
                file=name,
                row=None if at is None else int(grid.row_numbers[at]),
                column=column.name,
                mend="Look for a quotation mark that is not closed.",
            )


def delimiter_name(delimiter: str) -> str:
    """Return the delimiter in words, for people."""
    return _NAMES.get(delimiter, repr(delimiter))
