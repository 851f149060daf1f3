"""Which circumstances of schools are taken into account, and how: the default is stated here.

Numbers known for at least half of the schools, and text with two to twelve different values. Counts
of people and the like are taken in logarithms when they are heavily skewed: between a village of
500 and one of 1,000 lies as much as between towns of 50,000 and 100,000.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

REGISTER = ("roll", "sector", "phase", "language")
"""Fields of the register that describe circumstances."""
PREFIX = "context:"
"""Further context by its own name, in the register and in results."""

COVERAGE = 0.5
LEVELS = (2, 12)
RARE = 10
"""A value that fewer schools share becomes "other": it would be a model of its own."""
SKEWED = 2.0
"""From this skewness on, numbers of 0 and more are taken in logarithms."""
OTHER = "other"


@dataclass(frozen=True)
class Circumstances:
    """The columns used, made ready, and what was done to each, for the page that explains."""

    frame: pl.DataFrame
    columns: tuple[str, ...]
    how: dict[str, str] = field(default_factory=dict)
    """Column -> `number`, `logarithm` or `kinds`."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Column -> why it was not used."""

    def as_dict(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "how": self.how, "left_out": self.left_out}


def candidates(frame: pl.DataFrame) -> list[str]:
    """Columns of a frame that describe circumstances, in a fixed order."""
    named = sorted(name for name in frame.columns if name.startswith(PREFIX))
    return [name for name in REGISTER if name in frame.columns] + named


def full_name(name: str, frame: pl.DataFrame) -> str:
    """The column a person means: `poverty` is `context:poverty`."""
    return name if name in frame.columns else f"{PREFIX}{name}"


def choose(
    frame: pl.DataFrame, wanted: Sequence[str] | None = None, coverage: float = COVERAGE
) -> Circumstances:
    """Choose and make ready the columns; `wanted` None means the default.

    A column named on purpose is used whatever its coverage, as long as it says anything at all.
    """
    names = candidates(frame)
    if wanted is not None:
        asked = {full_name(name, frame) for name in wanted}
        names = [name for name in names if name in asked]
    made: list[pl.Series] = []
    how: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for name in names:
        column, way, why_not = _ready(frame[name], 0.0 if wanted is not None else coverage)
        if why_not:
            left_out[name] = why_not
        else:
            made.append(column)
            how[name] = way
    ready = frame.with_columns(made) if made else frame
    return Circumstances(ready, tuple(how), how, left_out)


def _ready(column: pl.Series, coverage: float) -> tuple[pl.Series, str, str]:
    """The column made ready, how it enters, and why it cannot (empty when it can)."""
    column = _clean(column)
    known = column.drop_nulls()
    if known.n_unique() < 2:
        return column, "", "the same everywhere, or unknown"
    if len(known) < coverage * len(column):
        return column, "", f"known for only {len(known) / len(column):.0%}"
    if column.dtype.is_numeric():
        if float(known.min() or 0) >= 0 and abs(float(known.skew() or 0)) > SKEWED:  # type: ignore[arg-type] # numeric: checked above
            return (column + 1).log(), "logarithm", ""
        return column, "number", ""
    return _kinds(column)


def _kinds(column: pl.Series) -> tuple[pl.Series, str, str]:
    counts = column.drop_nulls().value_counts(sort=True)
    rare = counts.filter(pl.col("count") < RARE)[column.name].to_list()
    merged = column.replace(rare, [OTHER] * len(rare)) if rare else column
    levels = merged.drop_nulls().n_unique()
    if not LEVELS[0] <= levels <= LEVELS[1]:
        return column, "", f"{levels} kinds with {RARE} schools or more each"
    return merged, "kinds", ""


def _clean(column: pl.Series) -> pl.Series:
    """Numbers as floats without NaN; text without empty cells."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.cast(pl.Float64).fill_nan(None).alias(column.name)
    text = column.cast(pl.String).str.strip_chars()
    return text.replace("", None).alias(column.name)
