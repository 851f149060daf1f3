"""Errors that a person can act on."""

from __future__ import annotations


class InputError(Exception):
    """Input that cannot be used: what is wrong, where, and how to mend it.

    The command line prints it as one line and exits with code 2; the web application shows it on
    the page. It is never a traceback in front of a person.

    Parameters
    ----------
    what : str
        What is wrong, in plain words.
    file, row, column : optional
        Where. `row` counts as a person counts in a spreadsheet: the header is row 1.
    mend : str, optional
        What to do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        file: str | None = None,
        row: int | None = None,
        column: str | None = None,
        mend: str | None = None,
    ) -> None:
        self.what = what
        self.file = file
        self.row = row
        self.column = column
        self.mend = mend
        super().__init__(what)

    @property
    def where(self) -> str:
        """The place, as far as it is known: ``results.csv, row 12, column "mean"``."""
        parts = []
        if self.file is not None:
            parts.append(str(self.file))
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column is not None:
            parts.append(f'column "{self.column}"')
        return ", ".join(parts)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        mend = f" {self.mend}" if self.mend else ""
        return f"{place}{self.what}{mend}"
