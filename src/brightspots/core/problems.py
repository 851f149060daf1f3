"""Problems found while reading: where, what, and how to mend it, as rows of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

Severity = Literal["error", "warning"]

#: Columns of every frame of problems. `row` and `also_row` count as a person counts in a
#: spreadsheet; both are empty for a problem of the whole file or column.
PROBLEM_SCHEMA: dict[str, pl.DataType] = {
    "row": pl.Int64(),
    "column": pl.String(),
    "value": pl.String(),
    "problem": pl.String(),
    "mend": pl.String(),
    "severity": pl.String(),
    "also_row": pl.Int64(),
}

#: A quoted value is cut to this many characters: it is there to be recognised.
SHOWN_CHARACTERS = 80


def no_problems() -> pl.DataFrame:
    """Return an empty frame of problems."""
    return pl.DataFrame(schema=PROBLEM_SCHEMA)


def one_problem(
    problem: str,
    *,
    severity: Severity,
    mend: str,
    row: int | None = None,
    column: str | None = None,
    value: str | None = None,
) -> pl.DataFrame:
    """Return a frame with one problem."""
    shown = None if value is None else value[:SHOWN_CHARACTERS]
    record = (row, column, shown, problem, mend, severity, None)
    return pl.DataFrame([record], schema=PROBLEM_SCHEMA, orient="row")


def problems_where(
    mask: pl.Series,
    *,
    rows: pl.Series,
    problem: str,
    severity: Severity,
    mend: str,
    column: str | None = None,
    values: pl.Series | None = None,
    also_rows: pl.Series | None = None,
) -> pl.DataFrame:
    """Return one problem for each place where `mask` is true.

    Parameters
    ----------
    mask, rows, values, also_rows : polars.Series, shape (n,)
        Whether there is a problem, the row numbers, the texts as they stand in the file, and the
        other row concerned (for repeated keys). A null in `mask` counts as false.
    problem, mend, severity, column : str
        The same for all of them, so that problems of one kind can be counted together.
    """
    found = mask.fill_null(False)
    if not found.any():
        return no_problems()
    n = int(found.sum())
    shown = (
        pl.Series([None] * n, dtype=pl.String)
        if values is None
        else values.filter(found).cast(pl.String).str.slice(0, SHOWN_CHARACTERS)
    )
    also = (
        pl.Series([None] * n, dtype=pl.Int64)
        if also_rows is None
        else also_rows.filter(found).cast(pl.Int64)
    )
    return pl.DataFrame(
        {"row": rows.filter(found).cast(pl.Int64), "value": shown, "also_row": also}
    ).select(
        pl.col("row"),
        pl.lit(column, dtype=pl.String).alias("column"),
        pl.col("value"),
        pl.lit(problem).alias("problem"),
        pl.lit(mend).alias("mend"),
        pl.lit(severity).alias("severity"),
        pl.col("also_row"),
    )


def gather(problems: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Put frames of problems together, by row and then column; those without a row come first."""
    full = [frame for frame in problems if frame.height]
    if not full:
        return no_problems()
    order = ["row", "column", "severity", "problem"]
    return pl.concat(full).sort(order, nulls_last=False, maintain_order=True)
