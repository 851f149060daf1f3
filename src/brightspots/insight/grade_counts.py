"""Means and spreads from counts of grades.

Many ministries publish how many pupils reached each grade, not their marks. With the bands known,
a school's mean and standard deviation follow under one assumption: within a band, marks lie
uniformly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError


@dataclass(frozen=True)
class Band:
    """One grade: the column with its count and the lowest and highest mark that earn it."""

    column: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low <= self.high):
            raise InputError(
                f"The band runs from {self.low} to {self.high}.",
                column=self.column,
                mend="Give two finite marks, the lower one first.",
            )


def necta_psle_bands(columns: Sequence[str] = ("A", "B", "C", "D", "E")) -> tuple[Band, ...]:
    """Bands of Tanzania's Primary School Leaving Examination, total of 300, best grade first.

    A 241-300, B 181-240, C 121-180, D 61-120, E 0-60 (NECTA).
    """
    edges = ((241.0, 300.0), (181.0, 240.0), (121.0, 180.0), (61.0, 120.0), (0.0, 60.0))
    return tuple(Band(c, low, high) for c, (low, high) in zip(columns, edges, strict=True))


def grade_summary(frame: pl.DataFrame, bands: Sequence[Band], step: float = 1.0) -> pl.DataFrame:
    """Add `graded`, `grade_mean` and `grade_spread` to a frame with counts of grades.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a school (or school-year); a missing count is taken as 0 where another grade of the
        row has a count, and as unknown where none has.
    bands : sequence of Band
        Must not overlap.
    step : float
        Distance between two possible marks (1 for whole marks, 0 for a continuous scale).

    Returns
    -------
    polars.DataFrame
        `graded` (pupils with a grade), `grade_mean` and `grade_spread` in marks. The spread is the
        standard deviation with n - 1; null for fewer than 2 pupils.

    Raises
    ------
    InputError
        A column is missing, a count is negative, not finite or not whole, bands overlap.

    Notes
    -----
    With m_g the middle of a band and k_g = high - low + step its width, marks uniform within it
    have variance (k_g^2 - step^2) / 12, and

        mean = sum n_g m_g / n,
        spread^2 = sum n_g (m_g - mean)^2 / (n - 1) + sum n_g (k_g^2 - step^2) / (12 n),

    the expectation of the sample variance. In the outer bands real marks crowd towards the centre
    of the scale: where the ministry publishes the mean itself, use that and take only the spread.

    Grades are ordered, not measured: where their marks are not known, points put on them are a
    choice by which schools can change places. :func:`grade_orders.ordered_summary` makes none.
    """
    counts = grade_counts(frame, [band.column for band in bands])
    low = np.array([b.low for b in bands])
    high = np.array([b.high for b in bands])
    order = np.argsort(low)
    if (low[order][1:] <= high[order][:-1]).any():
        raise InputError("Two bands share a mark.", mend="Give bands that do not overlap.")
    middle = (low + high) / 2
    within = ((high - low + step) ** 2 - step**2) / 12
    known: NDArray[np.bool_] = np.asarray(~np.isnan(counts).all(axis=1))
    counts = np.nan_to_num(counts)
    n = counts.sum(axis=1)
    safe = np.maximum(n, 1.0)
    mean = counts @ middle / safe
    between = (counts * (middle[None, :] - mean[:, None]) ** 2).sum(axis=1)
    spread = np.sqrt(between / np.maximum(n - 1, 1.0) + counts @ within / safe)
    return frame.with_columns(
        _with_nulls("graded", n, known),
        _with_nulls("grade_mean", mean, known & (n >= 1)),
        _with_nulls("grade_spread", spread, known & (n >= 2)),
    )


def _with_nulls(name: str, values: np.ndarray, keep: np.ndarray) -> pl.Series:
    return pl.Series(name, np.where(keep, values, np.nan)).fill_nan(None)


def grade_counts(frame: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Read and check counts of grades, shape (rows, columns); nan where a cell is empty.

    Raises
    ------
    InputError
        A column is missing, or a count is negative, not finite or not whole.
    """
    found = []
    for column in columns:
        if column not in frame.columns:
            raise InputError(
                "The column with the counts of this grade is not there.",
                column=column,
                mend=f"Columns found: {', '.join(frame.columns)}.",
            )
        if not frame.schema[column].is_numeric():
            raise InputError("Counts of pupils must be numbers.", column=column)
        values = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
        with np.errstate(invalid="ignore"):
            bad = (values < 0) | np.isinf(values) | (values != np.floor(values)) & ~np.isnan(values)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"A count of pupils cannot be {values[row]:g}.", row=row + 2, column=column
            )
        found.append(values)
    return np.column_stack(found)
