"""Cells of the tables of brokering, read as text, with the rows they came from."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.schools import MISSING
from brightspots.core.errors import InputError

__all__ = ["Cells"]

Floats = NDArray[np.float64]


class Cells:
    """One table of text, sorted by code, that knows its name and the rows as they were given."""

    def __init__(self, frame: pl.DataFrame, name: str, code: str) -> None:
        self.name = name
        names = {column: column.strip().lower() for column in frame.columns}
        if len(set(names.values())) == len(names):
            frame = frame.rename(names)
        self.columns = set(frame.columns)
        self.frame = frame
        self.need(code)
        if frame.height == 0:
            raise InputError(f"there are no {name} in it.", file=name, mend="Give one row each.")
        self.rows: list[int] = list(range(2, frame.height + 2))
        codes = self.text(code)
        seen: dict[str, int] = {}
        for value, row in zip(codes, self.rows, strict=True):
            if not value:
                raise self.error(f"the code of the {code} is empty.", row, code)
            if value in seen:
                raise self.error(
                    f"the {code} {value} is already in row {seen[value]}.", row, code,
                    f"Give each {code} one row.",
                )  # fmt: skip
            seen[value] = row
        order = sorted(range(len(codes)), key=codes.__getitem__)
        self.frame = frame[order]
        self.rows = [self.rows[at] for at in order]
        self.codes = [codes[at] for at in order]

    def error(
        self, what: str, row: int | None = None, column: str | None = None, mend: str | None = None
    ) -> InputError:
        """Build the error that says where."""
        return InputError(what, file=self.name, row=row, column=column, mend=mend)

    def need(self, column: str) -> None:
        """Refuse a table without the column."""
        if column not in self.columns:
            found = ", ".join(self.frame.columns) or "none"
            raise self.error(
                f"the column {column} is missing.", None, column, f"Columns found: {found}."
            )

    def text(self, column: str) -> list[str]:
        """Return stripped text, "" where missing or without the column."""
        if column not in self.columns:
            return [""] * self.frame.height
        cells = self.frame[column].cast(pl.String).str.strip_chars().fill_null("")
        missing = cells.str.to_lowercase().is_in(sorted(MISSING))
        kept: list[str] = cells.set(missing, "").to_list()
        return kept

    def numbers(
        self,
        column: str,
        good: Callable[[Floats], NDArray[np.bool_]] | None = None,
        wanted: str = "a number",
    ) -> Floats:
        """Return numbers, NaN where missing; what `good` does not hold for is refused."""
        cells = pl.Series(self.text(column), dtype=pl.String)
        value = cells.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
        wrong = (cells != "").to_numpy() & ~np.isfinite(value)
        if good is not None:
            wrong |= ~np.isnan(value) & ~good(value)
        if wrong.any():
            at = min(np.flatnonzero(wrong).tolist(), key=self.rows.__getitem__)
            raise self.error(f'"{cells[at]}" is not {wanted}.', self.rows[at], column)
        return np.array(value, dtype=np.float64)

    def sets(self, column: str, between: str = "[;,/|+&]") -> list[frozenset[str]]:
        """Return the values between marks, in small letters."""
        known: dict[str, frozenset[str]] = {}
        for text in set(self.text(column)):
            parts = {part.strip().casefold() for part in re.split(between, text)}
            known[text] = frozenset(parts - MISSING)
        return [known[text] for text in self.text(column)]
