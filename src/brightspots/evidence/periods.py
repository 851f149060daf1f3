"""Periods of a panel as they stand in files: years, school years, dates or plain numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.cells import read_dates, read_years
from brightspots.core.errors import InputError
from brightspots.core.nonvalues import known_codes

Kind = Literal["number", "span", "date"]

NEVER = frozenset({"", "0", "0.0", "inf", "+inf", "infinity", "na", "nan", "null", "none", "never"})
"""What stands, in small letters, for "never treated" in the column of the first treated period."""

MOST_PERIODS = 400
_WHOLE = re.compile(r"^[+-]?\d+(\.0+)?$")
_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_MEND = "Write years (2024), school years (2023/24), dates (2024-03-31) or numbers 1, 2, 3."


@dataclass(frozen=True)
class Periods:
    """The periods of a panel, in order.

    Parameters
    ----------
    labels : tuple of str, length T
        As they stand in the file.
    values : array, shape (T,)
        Years or numbers as they are (a school year is the year it ends in); dates are counted
        0, 1, 2 in their order. Event time and anticipation are differences of these.
    kind : {"number", "span", "date"}
    keys : tuple of float, length T
        What labels were ordered by; for dates the day.
    """

    labels: tuple[str, ...]
    values: NDArray[np.float64]
    kind: Kind
    keys: tuple[float, ...]

    @property
    def even(self) -> bool:
        """Whether the steps between periods are all the same."""
        steps = np.diff(self.values)
        return bool(steps.size == 0 or (steps == steps[0]).all())

    def label_of(self, value: float) -> str:
        """Return the label of a value that is one of the periods'."""
        return self.labels[int(np.searchsorted(self.values, value))]


def read_periods(labels: Sequence[str], column: str) -> tuple[Periods, dict[str, int]]:
    """Order the distinct labels of a time column; return also the place (0 to T-1) of each label.

    Raises
    ------
    InputError
        With the label that is no period, or if there are fewer than 2 or more than 400.
    """
    _few_enough(labels, column)
    kind = _kind(labels)
    keys = {label: _key(label, kind) for label in labels}
    for label, key in keys.items():
        if key is None:
            raise InputError(f'"{label}" is not a period.', column=column, mend=_MEND)
    ordered = sorted({key for key in keys.values() if key is not None})
    if len(ordered) < 2:
        raise InputError(
            "There is only one period; a change cannot be seen.",
            column=column, mend="Give at least one period before and one with the support.",
        )  # fmt: skip
    place = {key: at for at, key in enumerate(ordered)}
    where = {label: place[key] for label, key in keys.items() if key is not None}
    shown: dict[int, str] = {}
    for label in sorted(labels, key=lambda label: (len(label), label)):
        shown.setdefault(where[label], label)
    values = np.arange(len(ordered)) if kind == "date" else np.array(ordered)
    names = tuple(_tidy(shown[at], kind) for at in range(len(ordered)))
    return Periods(names, values.astype(np.float64), kind, tuple(ordered)), where


def read_first(labels: Sequence[str], periods: Periods, column: str) -> dict[str, float]:
    """Read distinct labels of the first treated period into values on the scale of the periods.

    Returns
    -------
    dict
        Label -> value; ``inf`` for never; below the first period's value for one treated before
        the panel begins, above the last's for one treated after it ends.

    Raises
    ------
    InputError
        A label that cannot be read as a period, or one that lies between periods and is none.
    """
    _few_enough(labels, column)
    found: dict[str, float] = {}
    keys = np.array(periods.keys)
    for label in labels:
        if label.lower() in NEVER:
            found[label] = np.inf
            continue
        key = _key(label, periods.kind)
        if key is None:
            raise InputError(
                f'"{label}" is not a period like those of the time ({_some(periods)}).',
                column=column,
                mend="Write it as the time is written; leave it empty, or 0, for never.",
            )
        if np.isposinf(key):
            found[label] = np.inf
        elif key < keys[0]:
            found[label] = periods.values[0] - 1 if periods.kind == "date" else key
        elif key > keys[-1]:
            found[label] = periods.values[-1] + 1 if periods.kind == "date" else key
        elif key in periods.keys:
            found[label] = float(periods.values[periods.keys.index(key)])
        else:
            after = int(np.searchsorted(keys, key))
            raise InputError(
                f'"{label}" is not one of the periods; it lies between '
                f"{periods.labels[after - 1]} and {periods.labels[after]}.",
                column=column,
                mend="Write the first period in which the support was at work:"
                f" {periods.labels[after]}?",
            )
    return found


def _few_enough(labels: Sequence[str], column: str) -> None:
    if len(labels) > MOST_PERIODS:
        raise InputError(
            f"There are {len(labels):,} different values, more than {MOST_PERIODS}; is it a time?",
            column=column, mend=_MEND,
        )  # fmt: skip


def _some(periods: Periods) -> str:
    shown = ", ".join(periods.labels[:3])
    return shown if len(periods.labels) <= 3 else f"{shown}, ..."


def _kind(labels: Sequence[str]) -> Kind:
    """Find the kind that most labels are of, so that the odd one out is named."""
    tried: list[Kind] = ["number", "span", "date"]
    counts = [sum(_key(label, kind) is not None for label in labels) for kind in tried]
    return tried[int(np.argmax(counts))]


def _key(label: str, kind: Kind) -> float | None:
    if kind == "number":
        return float(label) if _WHOLE.match(label) and len(label) < 16 else None
    cell = pl.Series([label])
    if kind == "span":
        if _WHOLE.match(label):
            return None
        value = read_years(cell, known_codes())[0].item()
        return None if value is None else float(value)
    if _WHOLE.match(label):
        return None
    if _MONTH.match(label):
        cell = pl.Series([f"{label}-01"])
    day = read_dates(cell, "auto", known_codes())[0].item()
    return None if day is None else float(day.toordinal())


def _tidy(label: str, kind: Kind) -> str:
    return str(int(float(label))) if kind == "number" else label
