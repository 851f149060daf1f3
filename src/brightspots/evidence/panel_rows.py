"""Rows of a panel: cells read into values, and what cannot be meant refused with its rows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl

from brightspots.core.cells import find_decimal_mark, read_numbers
from brightspots.core.errors import InputError
from brightspots.core.nonvalues import known_codes
from brightspots.evidence.periods import Periods, read_first, read_periods

Read = TypeVar("Read")

YES = frozenset({"1", "1.0", "yes", "y", "true"})
NO = frozenset({"0", "0.0", "no", "n", "false"})


@dataclass(frozen=True)
class PanelColumns:
    """Names of the columns of a panel.

    Parameters
    ----------
    unit, time, first_treated, outcome : str
        `first_treated` holds the first period with support, the same in all rows of a unit; empty,
        0 or inf for never.
    covariates : sequence of str
        Columns of numbers, or of words (each word an indicator).
    cluster, weights, eligible : str, optional
        The partnership; a weight above 0 a unit; whether an unsupported unit could have been
        supported (yes or no). A unit without a cluster is one of its own.
    """

    unit: str
    time: str
    first_treated: str
    outcome: str
    covariates: tuple[str, ...] = ()
    cluster: str | None = None
    weights: str | None = None
    eligible: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that is used, each once."""
        others = [self.cluster, self.weights, self.eligible]
        named = (
            self.unit, self.time, self.first_treated, self.outcome, *self.covariates,
            *(name for name in others if name),
        )  # fmt: skip
        return tuple(dict.fromkeys(named))

    @property
    def twice(self) -> str | None:
        """A column named for two things that cannot be one.

        A unit may be its own cluster, and a covariate may be the weight as well.
        """
        cluster = None if self.cluster == self.unit else self.cluster
        apart = [self.unit, self.time, self.first_treated, self.outcome, *self.covariates]
        apart += [name for name in (cluster, self.eligible) if name]
        return next((name for name in apart if apart.count(name) > 1), None)


def require_columns(frame: pl.DataFrame, columns: PanelColumns) -> None:
    """Refuse names that the table does not have, with the one that was probably meant."""
    for name in columns.names:
        if name in frame.columns:
            continue
        near = [each for each in frame.columns if each.strip().lower() == name.strip().lower()]
        near = near or difflib.get_close_matches(name, frame.columns, n=1)
        listed = ", ".join(frame.columns[:12]) + (", ..." if len(frame.columns) > 12 else "")
        raise InputError(
            "There is no such column.", column=name,
            mend=f'Did you mean "{near[0]}"?' if near else f"The file has: {listed}.",
        )  # fmt: skip
    if columns.twice is not None:
        raise InputError(
            "The column is named for two things.", column=columns.twice,
            mend="Name each column once.",
        )  # fmt: skip


def typed_rows(frame: pl.DataFrame, columns: PanelColumns) -> tuple[pl.DataFrame, Periods]:
    """Return row, unit, t, first, outcome, weight, c0, c1, ..., and further columns as text."""
    text = frame.select(
        pl.col(name).cast(pl.String).str.strip_chars().fill_null("")
        for name in columns.names
        if name != columns.outcome
    )
    row = pl.Series("row", np.arange(2, 2 + frame.height))
    for name, what in ((columns.unit, "unit"), (columns.time, "time")):
        empty = text[name] == ""
        if empty.any():
            raise InputError(
                f"The {what} is empty.", row=_first_row(row, empty), column=name,
                mend="Fill it in, or leave the row out.",
            )  # fmt: skip
    if not frame.height:
        raise InputError("The table has no rows.", mend="Give one row a unit and period.")
    periods, place = _at_row(text[columns.time], row, columns.time, read_periods)
    first = _at_row(
        text[columns.first_treated], row, columns.first_treated,
        lambda labels, column: read_first(labels, periods, column),
    )  # fmt: skip
    weight = _weights(frame, columns, row)
    rows = pl.DataFrame(
        {
            "row": row,
            "unit": text[columns.unit],
            "t": text[columns.time].replace_strict(place, return_dtype=pl.Int32),
            "first": text[columns.first_treated].replace_strict(first, return_dtype=pl.Float64),
            "outcome": numbers(frame[columns.outcome], row),
            "weight": weight,
            "cluster": text[columns.cluster] if columns.cluster else text[columns.unit],
            "eligible": _eligible(text, columns, row),
        }
    )
    covariates = {f"c{at}": _covariate(text[name], row) for at, name in
                  enumerate(columns.covariates)}  # fmt: skip
    return rows.with_columns(**covariates), periods


def _at_row(
    text: pl.Series,
    row: pl.Series,
    column: str,
    read: Callable[[Sequence[str], str], Read],
) -> Read:
    """Read distinct labels; say in which row the one that cannot be read stands."""
    labels = text.unique().sort().to_list()
    try:
        return read(labels, column)
    except InputError as error:
        found = next((label for label in labels if error.what.startswith(f'"{label}"')), None)
        if found is not None:
            error.row = _first_row(row, text == found)
        raise


def _first_row(row: pl.Series, wrong: pl.Series) -> int:
    return int(row.filter(wrong.fill_null(False))[0])


def numbers(column: pl.Series, row: pl.Series) -> pl.Series:
    """Read a column of numbers; null where there is none (an empty cell, a known code).

    Raises
    ------
    InputError
        With the row of the first cell that is neither.
    """
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.Float64)
        return values.set(~values.is_finite().fill_null(False), None)
    text = column.cast(pl.String).fill_null("")
    mark, _ = find_decimal_mark([text])
    found = read_numbers(text, mark, known_codes())
    if found.bad.any():
        at = _first_row(row, found.bad)
        shown = str(text.filter(found.bad)[0])[:40]
        raise InputError(
            f'"{shown}" is not a number.', row=at, column=column.name,
            mend="Write a number, or leave the cell empty where it is not known.",
        )  # fmt: skip
    return found.value


def _weights(frame: pl.DataFrame, columns: PanelColumns, row: pl.Series) -> pl.Series:
    if columns.weights is None:
        return pl.Series(np.ones(frame.height))
    weight = numbers(frame[columns.weights], row)
    wrong = weight.fill_null(0.0) <= 0
    if wrong.any():
        raise InputError(
            "A weight is empty, 0 or below.", row=_first_row(row, wrong), column=columns.weights,
            mend="Give every row a weight above 0, such as the number of pupils.",
        )  # fmt: skip
    return weight


def _eligible(text: pl.DataFrame, columns: PanelColumns, row: pl.Series) -> pl.Series:
    if columns.eligible is None:
        return pl.Series(np.ones(text.height, dtype=bool))
    said = text[columns.eligible].str.to_lowercase()
    wrong = ~said.is_in(list(YES | NO))
    if wrong.any():
        raise InputError(
            f'"{said.filter(wrong)[0]}" is not yes or no.', row=_first_row(row, wrong),
            column=columns.eligible, mend="Write yes or no (1 or 0).",
        )  # fmt: skip
    return said.is_in(list(YES))


def _covariate(text: pl.Series, row: pl.Series) -> pl.Series:
    """Numbers where any cell is one; words otherwise (null where empty)."""
    filled = text.set(text.str.to_uppercase().is_in(list(known_codes())), "")
    some = filled.filter(filled != "").unique()
    mark, _ = find_decimal_mark([some])
    read = read_numbers(some, mark, known_codes())
    if read.value.is_not_null().any():
        return numbers(filled, row)
    return filled.set(filled == "", None)


def refuse_duplicates(rows: pl.DataFrame, columns: PanelColumns) -> pl.DataFrame:
    """Refuse a unit-period that comes twice; return the rows by unit and period."""
    ordered = rows.sort("unit", "t", "row")
    same = (ordered["unit"] == ordered["unit"].shift(1)) & (ordered["t"] == ordered["t"].shift(1))
    same = same.fill_null(False)
    if same.any():
        unit, t = ordered.filter(same).select("unit", "t").row(0)
        mine = ordered.filter((pl.col("unit") == unit) & (pl.col("t") == t))["row"].to_list()
        total = int(same.sum())
        more = f" There are {total:,} such rows in all." if total > 1 else ""
        raise InputError(
            f'The unit "{unit}" has this period {len(mine)} times: rows '
            f"{', '.join(map(str, mine[:5]))}.{more}",
            row=mine[1], column=columns.time, mend="Keep one row for each unit and period.",
        )  # fmt: skip
    return ordered


def refuse_changes(rows: pl.DataFrame, columns: PanelColumns) -> None:
    """Refuse what has to be the same in all rows of a unit and is not."""
    named = {"first": columns.first_treated, "cluster": columns.cluster,
             "eligible": columns.eligible}  # fmt: skip
    for name, column in named.items():
        if column is None:
            continue
        changes = (rows["unit"] == rows["unit"].shift(1)) & (rows[name] != rows[name].shift(1))
        changes = changes.fill_null(False)
        if changes.any():
            at = int(changes.arg_true()[0])
            a, b = int(rows["row"][at - 1]), int(rows["row"][at])
            raise InputError(
                f'The unit "{rows["unit"][at]}" has two values: rows {min(a, b)} and {max(a, b)}.',
                row=max(a, b), column=column,
                mend="It must be the same in every row of a unit.",
            )  # fmt: skip
