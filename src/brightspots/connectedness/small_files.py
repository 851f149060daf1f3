"""The small files beside the schools: read as text, with the row that each line stands in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from brightspots.connectedness.schools import MISSING, NO, YES
from brightspots.core.errors import InputError
from brightspots.core.tables import read_table

__all__ = ["SmallTable", "read_small"]


@dataclass(frozen=True)
class SmallTable:
    """A table of text.

    Attributes
    ----------
    name : str or None
        Name of the file, for messages; None when it came as a frame.
    columns : tuple of str
        Stripped and in small letters.
    frame : DataFrame
        Stripped text; a missing value is "".
    numbers : tuple of int
        Row of the file for each row of the frame; the header of a frame counts as row 1.
    """

    name: str | None
    columns: tuple[str, ...]
    frame: pl.DataFrame
    numbers: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Give the row's number and its cells by column."""
        return zip(self.numbers, self.frame.iter_rows(named=True), strict=True)

    def error(
        self, what: str, row: int | None = None, column: str | None = None, mend: str | None = None
    ) -> InputError:
        """Build the error that says where."""
        return InputError(what, file=self.name, row=row, column=column, mend=mend)

    def school(self, row: int, cells: dict[str, str], column: str) -> str:
        """Return the school code, which must be there."""
        if not cells[column]:
            raise self.error("the school code is empty.", row, column)
        return cells[column]

    def number(self, row: int, cells: dict[str, str], column: str) -> float | None:
        """Return the number, None for a missing one."""
        text = cells[column]
        if text.lower() in MISSING:
            return None
        try:
            number = float(text)
        except ValueError:
            raise self.error(f'"{text}" is not a number.', row, column) from None
        if number != number or number in (float("inf"), float("-inf")):
            raise self.error(f'"{text}" is not a number.', row, column)
        return number

    def yes(self, row: int, cells: dict[str, str], column: str) -> bool | None:
        """Return whether the cell says yes, None for a missing one."""
        text = cells[column].lower()
        if text in MISSING:
            return None
        if text in YES:
            return True
        if text in NO:
            return False
        raise self.error(f'"{cells[column]}" is not yes or no (1 or 0).', row, column)


def read_small(
    source: str | Path | pl.DataFrame, needed: Sequence[str], what: str, *, name: str | None = None
) -> SmallTable:
    """Read a file (CSV, gzip, Parquet, XLSX) or take a frame, and check that its columns are there.

    Parameters
    ----------
    source : path or DataFrame
    needed : sequence of str
        Columns that must be there.
    what : str
        What the table holds, for the message: "pins", "barriers".
    name : str, optional
        Name for messages; the file's own otherwise.

    Raises
    ------
    InputError
        If it cannot be read, a row does not fit the header, or a column is missing.
    """
    if isinstance(source, pl.DataFrame):
        frame, numbers = source, tuple(range(2, source.height + 2))
    else:
        table = read_table(source, name=name)
        name = table.name
        for problem in table.problems.filter(pl.col("severity") == "error").iter_rows(named=True):
            raise InputError(
                problem["problem"], file=name, row=problem["row"], column=problem["column"],
                mend=problem["mend"],
            )  # fmt: skip
        frame, numbers = table.frame, tuple(table.row_numbers.to_list())
    names = {column: column.strip().lower().replace(" ", "_") for column in frame.columns}
    if len(set(names.values())) < len(names):
        raise InputError("two columns have the same name.", file=name)
    frame = frame.rename(names).select(pl.all().cast(pl.String).str.strip_chars().fill_null(""))
    for column in needed:
        if column not in frame.columns:
            raise InputError(
                f"the column {column} is missing from the {what}.", file=name, column=column,
                mend=f"Columns needed: {', '.join(needed)}; found:"
                f" {', '.join(frame.columns) or 'none'}.",
            )  # fmt: skip
    return SmallTable(name, tuple(frame.columns), frame, numbers)
