"""One door for the files ministries have: any of them in, a table of text cells out.

Reading comes in two steps, so that nothing is changed unseen. :func:`read_table` gives every cell
as the text that stands in the file; :func:`brightspots.core.checks.apply` turns cells into typed
values by a mapping and explains every row it refuses::

    table = read_table("results.csv.gz")
    mapping = suggest_mapping("school_results", table.columns)
    checked = apply(table, mapping)

Formats: CSV with commas, semicolons, tabs or vertical bars; UTF-8, UTF-16, cp1252, latin-1;
gzip; XLSX (with the package openpyxl); Parquet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from brightspots.core import delimited, files, sheets
from brightspots.core.delimited import Grid
from brightspots.core.errors import InputError
from brightspots.core.files import Limits
from brightspots.core.problems import gather, no_problems, one_problem

Format = Literal["csv", "xlsx", "parquet"]

__all__ = ["Limits", "Table", "read_table"]


@dataclass(frozen=True)
class Table:
    """A table as it stands in a file.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    frame : polars.DataFrame
        Every column as text (``pl.String``), every cell as in the file; an empty cell is "".
        Blank rows and rows that do not fit the header are left out.
    row_numbers : polars.Series of int, shape (rows,)
        The row of each record as a person counts in a spreadsheet: records from the top of the
        file, title lines and blank rows included, so that a header in the first row is row 1. A
        quoted field with several lines is one record, as in a spreadsheet; in a text editor the
        line numbers below it are larger.
    format : {"csv", "xlsx", "parquet"}
    encoding, delimiter, compression, sheet : str or None
        What was found; None where it does not apply.
    header_row : int
        Row of the names of the columns.
    problems : polars.DataFrame
        As in :mod:`brightspots.core.problems`: rows with too many or too few fields (errors),
        names made distinct, an encoding that was guessed (warnings).
    n_blank : int
        Blank rows left out.
    header : tuple of str
        Names of all columns of the file, those that were not asked for included.
    """

    name: str
    frame: pl.DataFrame
    row_numbers: pl.Series
    format: Format
    encoding: str | None
    delimiter: str | None
    compression: str | None
    header_row: int
    sheet: str | None
    problems: pl.DataFrame
    n_blank: int
    header: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """Names of the columns that were read, each once."""
        return self.frame.columns


def read_table(
    path: str | Path,
    *,
    name: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_row: int | None = None,
    sheet: str | None = None,
    columns: Sequence[str] | None = None,
    limits: Limits | None = None,
) -> Table:
    """Read a file into a table of text cells.

    Parameters
    ----------
    path : str or Path
        The file. Its name does not matter: the content says what it is.
    name : str, optional
        The name to use in messages, such as that of the uploaded file.
    encoding, delimiter, header_row, sheet : optional
        Chosen by a person; None means found by evidence. `header_row` counts from 1.
    columns : sequence of str, optional
        Read only these columns (those of them that are there), to save memory on pupil files.
    limits : Limits, optional

    Returns
    -------
    Table

    Raises
    ------
    InputError
        When the file holds no table that can be read; the message says what it looks like.

    Notes
    -----
    The whole table is held in memory as text: about 16 bytes a cell plus the text of long cells.
    Reading and checking 10 million pupils with 6 mapped columns peaks at about 4.3 GB.
    """
    limits = limits or Limits()
    path = Path(path)
    name = name or path.name
    data, compression = files.read_bytes(path, name, limits)
    kind = files.kind_of(data, name)
    if kind == "parquet":
        grid = _parse_parquet(data, name, columns, limits)
        return _table(name, grid, "parquet", compression=compression)
    if kind == "xlsx":
        grid, title = sheets.parse(
            data, name, sheet=sheet, header_row=header_row, columns=columns, limits=limits
        )
        return _table(name, grid, "xlsx", compression=compression, sheet=title)
    letters = files.to_utf8(data, name, encoding)
    del data
    grid = delimited.parse(
        letters.utf8,
        name,
        delimiter=delimiter,
        header_row=header_row,
        columns=columns,
        limits=limits,
    )
    notes = _encoding_note(letters)
    return _table(
        name, grid, "csv", compression=compression, encoding=letters.encoding, notes=notes
    )


def _table(
    name: str,
    grid: Grid,
    format_: Format,
    *,
    compression: str | None,
    encoding: str | None = None,
    sheet: str | None = None,
    notes: pl.DataFrame | None = None,
) -> Table:
    problems = grid.problems if notes is None else gather([notes, grid.problems])
    return Table(
        name=name,
        frame=grid.frame,
        row_numbers=grid.row_numbers,
        format=format_,
        encoding=encoding,
        delimiter=grid.delimiter,
        compression=compression,
        header_row=grid.header_row,
        sheet=sheet,
        problems=problems,
        n_blank=grid.n_blank,
        header=grid.header,
    )


def _encoding_note(letters: files.Letters) -> pl.DataFrame:
    if not letters.guessed:
        return no_problems()
    return one_problem(
        f"The file is not UTF-8 and does not name its encoding; it was read as {letters.encoding}.",
        severity="warning",
        mend="Look at names with accents; if they are wrong, choose the encoding.",
    )


# polars panics, which is no Exception, on some damaged files.
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)
_PLAIN = (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Date, pl.Datetime, pl.Time, pl.Null)


def _parse_parquet(data: bytes, name: str, columns: Sequence[str] | None, limits: Limits) -> Grid:
    """Read Parquet and write its typed cells as text that reads back to the same value."""
    try:
        schema = pl.read_parquet_schema(BytesIO(data))
        asked = None if columns is None else set(columns)
        wanted = [each for each in schema if asked is None or each in asked]
        n_rows = pl.scan_parquet(BytesIO(data)).select(pl.len()).collect().item()
        # A few bytes of Parquet can stand for any number of equal cells of 16 bytes each.
        if n_rows * len(wanted) * 16 > 4 * limits.max_bytes:
            raise InputError(
                f"There are {n_rows:,} rows of {len(wanted)} columns, more than can be held.",
                file=name,
                mend="Split the file, or map fewer columns.",
            )
        frame = pl.read_parquet(BytesIO(data), columns=wanted)
    except _UNREADABLE as error:
        raise InputError(
            "The Parquet file is damaged.", file=name, mend="Write it again."
        ) from error
    for column, type_ in frame.schema.items():
        if not type_.is_numeric() and not isinstance(type_, _PLAIN):
            raise InputError(
                f"The column holds {type_}, which is not one value a row.",
                file=name,
                column=column,
                mend="Leave the column out or make it text.",
            )
    try:
        text = frame.select(pl.all().cast(pl.String).fill_null(""))
    except _UNREADABLE as error:
        raise InputError(
            "A column of the Parquet file cannot be written as text.",
            file=name,
            mend="Write the columns as numbers, dates or text.",
        ) from error
    for cells in text.iter_columns():
        longest = cells.str.len_chars().max()
        if isinstance(longest, int) and longest > limits.max_cell:
            raise InputError(
                f"A cell is longer than {limits.max_cell:,} characters.",
                file=name,
                column=cells.name,
            )
    rows = pl.Series("row", np.arange(2, 2 + text.height))
    return Grid(text, rows, tuple(schema), 1, None, no_problems(), 0)
