"""What the rollout planner assumes: each with a range and where it comes from.

A value that nobody has measured says "assumed". A ministry puts its own in with a file; what it
has seen since the start narrows them (:mod:`brightspots.pace.rollout_learning`).
"""

from __future__ import annotations

import difflib
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.small_files import SmallTable, read_small
from brightspots.core.errors import InputError

__all__ = [
    "ASSUMED",
    "DEFAULTS",
    "Assumption",
    "Draws",
    "assumptions_frame",
    "draw",
    "read_assumptions",
    "triangular",
]

Floats = NDArray[np.float64]
ASSUMED: Final = "assumed"


@dataclass(frozen=True)
class Assumption:
    """A quantity that is not known exactly.

    Parameters
    ----------
    name : str
    low, value, high : float
        Range and most likely value; drawn from the triangular distribution with these corners.
    unit, words : str
        What it is, in plain words.
    source : str
        Where the range comes from, or "assumed".
    least, most : float
        Between which any value has to lie.
    """

    name: str
    low: float
    value: float
    high: float
    unit: str
    words: str
    source: str = ASSUMED
    least: float = 0.0
    most: float = math.inf

    def __post_init__(self) -> None:
        if not all(math.isfinite(each) for each in (self.low, self.value, self.high)):
            raise InputError(f"{self.name}: low, value and high have to be numbers.")
        if not self.low <= self.value <= self.high:
            raise InputError(
                f"{self.name}: {self.low:g}, {self.value:g}, {self.high:g} are not in order.",
                mend="Low may not be above value, nor value above high.",
            )
        if self.low < self.least or self.high > self.most:
            limit = f"from {self.least:g}" + (
                " up" if math.isinf(self.most) else f" to {self.most:g}"
            )
            wrong = self.low if self.low < self.least else self.high
            raise InputError(f"{self.name}: {wrong:g} cannot be.", mend=f"It has to be {limit}.")


def _share(name: str, low: float, value: float, high: float, unit: str, words: str) -> Assumption:
    return Assumption(name, low, value, high, unit, words, most=1.0)


DEFAULTS: Final = (
    Assumption(
        "schools_per_leader", 4, 5, 6, "schools",
        "schools that one available leader can lead, own school included",
        "the house's default caseload of 5 to 6 schools a leader; the low end is assumed",
        least=0.1,
    ),
    _share("leader_leaving", 0.01, 0.03, 0.06, "share a term",
           "available leaders who leave in a term"),
    Assumption("training_terms", 2, 3, 5, "terms",
               "how long training takes, on average, where no end is given", least=1.0),
    _share("training_finished", 0.6, 0.8, 0.95, "share",
           "trainees who become available leaders; the others drop out"),
    _share("training_places", 0.1, 0.25, 0.5, "share a term",
           "places for new trainees in a term, as a share of the leaders an area needs"),
    Assumption("support_days_per_school", 3, 5, 8, "days a term",
               "days that full support takes, for a school that is not ready yet", least=0.01),
    _share("support_arrives", 0.7, 0.9, 1.0, "share",
           "of the days of support that are planned, what really arrives"),
    _share("growth_supported", 0.06, 0.14, 0.25, "share a term",
           "of schools not ready yet, those that become ready in a term of full support"),
    _share("growth_unaided", 0.0, 0.01, 0.03, "share a term",
           "of schools not ready yet, those that become ready in a term without support"),
    _share("fade", 0.0, 0.02, 0.06, "share a term",
           "after support, ready schools that slip back in a term where no leader stays"),
    Assumption("readiness_bias", -0.2, -0.05, 0.1, "share of schools",
               "true readiness less the reading given", least=-1.0, most=1.0),
    _share("readiness_error", 0.0, 0.08, 0.15, "share of schools",
           "spread (SD) of an area's true readiness about its reading"),
    _share("growth_spread", 0.1, 0.25, 0.5, "SD of logarithm",
           "how much areas differ in how fast schools become ready with support"),
    Assumption("gain_ready", 0.0, 0.01, 0.02, "pupil SD a term",
               "gain in a school that is ready and holds responsibility", least=-1.0, most=1.0),
    Assumption("loss_abandoned", 0.0, 0.01, 0.03, "pupil SD a term",
               "loss in a school that is left alone", least=-1.0, most=1.0),
    Assumption("leader_days", 8, 12, 20, "days a term",
               "days that a leader at work is away from the own school"),
    Assumption("training_days", 3, 5, 10, "days a term", "days that training a leader takes"),
)  # fmt: skip
"""The assumptions of the planner. None of the ranges is a finding of ours."""

_COLUMNS: Final = ("name", "low", "value", "high")


def read_assumptions(
    source: str | Path | pl.DataFrame, base: Sequence[Assumption] = DEFAULTS
) -> tuple[Assumption, ...]:
    """Put a table's ranges (name, low, value, high, optionally source) in the place of `base`'s.

    What the table does not name stays as it is; a row without a source counts as assumed.

    Raises
    ------
    InputError
        With file, row and column: an unknown name, a name twice, not a number, out of order.
    """
    table = read_small(source, _COLUMNS, "assumptions")
    known = {each.name: each for each in base}
    seen: dict[str, int] = {}
    for row, cells in table:
        name = cells["name"].lower().replace(" ", "_")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            mend = f'Do you mean "{near[0]}"?' if near else f"There are: {', '.join(known)}."
            raise table.error(f'there is no assumption "{cells["name"]}".', row, "name", mend)
        if name in seen:
            raise table.error(
                f"{name} is already in row {seen[name]}.", row, "name", "Keep one of them."
            )
        seen[name] = row
        low, value, high = (_number(table, row, cells, column) for column in _COLUMNS[1:])
        try:
            known[name] = replace(
                known[name], low=low, value=value, high=high, source=cells.get("source") or ASSUMED
            )
        except InputError as error:
            raise table.error(error.what, row, None, error.mend) from error
    return tuple(known.values())


def _number(table: SmallTable, row: int, cells: dict[str, str], column: str) -> float:
    number = table.number(row, cells, column)
    if number is None:
        raise table.error("the cell is empty.", row, column, "Give a number.")
    return number


def assumptions_frame(assumptions: Sequence[Assumption]) -> pl.DataFrame:
    """Return every assumption, its range and its source; can be read again."""
    return pl.DataFrame(
        [(a.name, a.low, a.value, a.high, a.unit, a.words, a.source) for a in assumptions],
        schema={
            "name": pl.String, "low": pl.Float64, "value": pl.Float64, "high": pl.Float64,
            "unit": pl.String, "words": pl.String, "source": pl.String,
        },
        orient="row",
    )  # fmt: skip


@dataclass(frozen=True)
class Draws:
    """Draws of the assumptions, and of how single areas differ.

    Attributes
    ----------
    values : mapping of str to array, shape (draws,)
    growth, reading : array, shape (draws, areas)
        Standard normal deviates of each area.
    """

    values: Mapping[str, Floats]
    growth: Floats
    reading: Floats

    def __len__(self) -> int:
        return len(self.growth)

    def first(self, count: int) -> Draws:
        """Return the first `count` draws."""
        return self.between(0, count)

    def between(self, since: int, until: int) -> Draws:
        """Return the draws from one number on, up to another without it."""
        part = slice(since, until)
        values = {name: each[part] for name, each in self.values.items()}
        return Draws(values, self.growth[part], self.reading[part])


def draw(assumptions: Sequence[Assumption], areas: int, draws: int, seed: int) -> Draws:
    """Draw each assumption from its range, stratified (Latin hypercube).

    The draws of an assumption depend on the seed and its name alone, so that another range for
    one of them leaves the others' draws as they are. McKay, Beckman and Conover (1979).
    """
    values = {}
    for each in assumptions:
        rng = np.random.default_rng([seed, zlib.crc32(each.name.encode())])
        strata = (rng.permutation(draws) + rng.random(draws)) / draws
        values[each.name] = triangular(each, strata)
    growth, reading = (
        np.random.default_rng([seed, zlib.crc32(part)]).standard_normal((draws, areas))
        for part in (b"areas' growth", b"areas' reading")
    )
    return Draws(values, growth, reading)


def triangular(each: Assumption, at: Floats) -> Floats:
    """Return the quantiles of the triangular distribution of an assumption."""
    width = each.high - each.low
    if width == 0:
        return np.full_like(at, each.value)
    corner = (each.value - each.low) / width
    rising = each.low + np.sqrt(at * width * (each.value - each.low))
    falling = each.high - np.sqrt((1 - at) * width * (each.high - each.value))
    return np.where(at < corner, rising, falling)
