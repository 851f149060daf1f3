"""Small cells are not shown.

First line of disclosure control: a figure that rests on too few pupils, or an aggregate of too few
schools, becomes null with a flag. Where totals stand beside their parts, a second cell has to go so
that the first cannot be had by subtraction: see `brightspots.core.complementary`.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from brightspots.core.errors import InputError

MINIMUM_PUPILS_PUBLIC = 10
"""Fewest pupils behind a figure shown across schools or in public."""
MINIMUM_PUPILS_OWN_TIER = 5
"""Fewest pupils behind a figure shown within the tier that owns it."""
MINIMUM_SCHOOLS = 3
"""Fewest schools behind an aggregate: of two, each could work out the other."""


def suppress(
    frame: pl.DataFrame,
    count_column: str,
    value_columns: Sequence[str],
    minimum: int = MINIMUM_PUPILS_PUBLIC,
    schools_column: str | None = None,
) -> pl.DataFrame:
    """Set figures that rest on too few to null and say so in `suppressed`.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a figure (or several with the same base).
    count_column : str
        Pupils behind the row. The count itself is set to null too where it is small: it is the
        cell that would be disclosed. An unknown count suppresses.
    value_columns : sequence of str
        Figures to hide.
    minimum : int
        10 across schools or in public, 5 within the owning tier.
    schools_column : str, optional
        For aggregates: number of schools behind the row, at least 3.

    Returns
    -------
    polars.DataFrame
        The same rows in the same order, with a boolean column `suppressed`. Where the frame
        already has one, a row stays suppressed.

    Raises
    ------
    InputError
        A column is not there, or `minimum` is below 1.
    """
    if minimum < 1:
        raise InputError(f"The minimum is {minimum}.", mend="Give a count of at least 1.")
    needed = [count_column, *value_columns, *([schools_column] if schools_column else [])]
    for name in needed:
        if name not in frame.columns:
            raise InputError("This column is not in the table.", column=name)
    hidden = _too_few(count_column, frame, minimum)
    if schools_column is not None:
        hidden = hidden | _too_few(schools_column, frame, MINIMUM_SCHOOLS)
    if "suppressed" in frame.columns:
        hidden = hidden | pl.col("suppressed").fill_null(True)
    masked = dict.fromkeys([*value_columns, count_column, *needed])
    return frame.with_columns(hidden.alias("suppressed")).with_columns(
        pl.when(~pl.col("suppressed")).then(pl.col(name)).alias(name) for name in masked
    )


def _too_few(column: str, frame: pl.DataFrame, minimum: int) -> pl.Expr:
    count = pl.col(column)
    small = (count < minimum).fill_null(True)
    return small | count.is_nan().fill_null(True) if frame.schema[column].is_float() else small
