"""How a practice spreads from school to school: its lineage, and its reproduction number.

The method and its limits are described in ``docs/methods/spread.md``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.spread_lineage import Lineage, read_lineage
from brightspots.connectedness.spread_number import posterior_of_dispersion, reproduction
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame

__all__ = ["Spread", "SpreadParameters", "spread"]

METHOD = "spread"
METHOD_VERSION = "1"


@dataclass(frozen=True)
class SpreadParameters:
    """Settings of :func:`spread`.

    Parameters
    ----------
    window_days : int
        A school counts once it has had a practice for this long, with what was taken up from it in
        these days: so all that count had the same time.
    with_source : bool
        Whether the school that a practice comes from counts as well.
    level : float
        Probability that the interval covers.

    Raises
    ------
    InputError
        A setting outside its range.
    """

    window_days: int = 365
    with_source: bool = False
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 1 <= self.window_days <= 36_500:
            raise InputError(f"window_days is {self.window_days}; it must be from 1 to 36,500.")
        if not 0.5 <= self.level < 1:
            raise InputError(f"level is {self.level}; it must be from 0.5 to below 1.")


@dataclass(frozen=True)
class Spread:
    """Lineages of practices.

    Attributes
    ----------
    practices : DataFrame
        A row for each practice and source school: practice, source_school, schools_reached (the
        source not counted), generations, adapted, stopped, adopters (that had the window's time),
        too_recent (that had not yet), passed_on (adoptions from these adopters in the window),
        mean, lower, upper (further adoptions an adopter: the reproduction number; null without
        adopters), above_one (probability that it is above 1), median_km, farthest_km (of the steps;
        null if not known), first, last (dates).
    schools : DataFrame
        A row for each school in each lineage, the source included: practice, source_school, school,
        generation (0 is the source), taken_from, date, adapted, children (took it from here),
        descendants (all below), stopped.
    ends : DataFrame
        Schools from which nobody has taken it (yet): practice, source_school, school, generation,
        date, days_since, stopped, stopped_reason.
    overall : mapping
        adopters, too_recent, passed_on, mean, lower, upper, above_one over all practices together.
    dispersion : mapping
        k (median), lower, upper: how unequal adopters are in passing on; small k means few pass on
        most.
    as_of : date
    provenance : Provenance
    """

    practices: pl.DataFrame
    schools: pl.DataFrame
    ends: pl.DataFrame
    overall: dict[str, Any]
    dispersion: dict[str, float]
    as_of: dt.date
    provenance: Provenance


def spread(
    adoptions: pl.DataFrame,
    as_of: dt.date,
    parameters: SpreadParameters | None = None,
) -> Spread:
    """Follow each practice from school to school, and say how far and how well it spreads.

    Parameters
    ----------
    adoptions : DataFrame
        practice, school, date (of taking it up), and where it was taken from: source_school, empty
        for the school that the practice comes from; or adoption (a code) with source_adoption. A
        source school without a row of its own is where a lineage begins. Optionally adapted (yes or
        no, or a text that says how), stopped (date), stopped_reason, distance_km. Dates as
        2025-03-31, or typed.
    as_of : date
        The day up to which adoptions are known.
    parameters : SpreadParameters, optional

    Raises
    ------
    InputError
        With row and column: a date that is none, or after `as_of`; an adoption before its source's;
        a school twice for one practice; a source of another practice; schools that took it from
        each other in a circle.
    """
    parameters = parameters or SpreadParameters()
    lineage = read_lineage(adoptions, as_of)
    counts = _Counts(lineage, as_of, parameters)
    order = sorted(range(len(lineage.roots)), key=lambda at: lineage.roots[at])
    samples = [counts.of(tree) for tree in order]
    k_grid, k_weight = posterior_of_dispersion([sample[0] for sample in samples])
    rows = []
    for tree, (passed, recent) in zip(order, samples, strict=True):
        found = reproduction([passed], k_grid, k_weight, parameters.level)
        rows.append(_practice(lineage, tree) | _number(passed, recent, found))
    every = np.concatenate([np.zeros(0, dtype=np.int64), *(sample[0] for sample in samples)])
    whole = reproduction([every], k_grid, k_weight, parameters.level)
    share = np.cumsum(k_weight) - k_weight / 2
    low, middle, high = (float(np.interp(q, share, k_grid)) for q in (0.025, 0.5, 0.975))
    return Spread(
        practices=pl.DataFrame(rows, schema=PRACTICES).select(list(PRACTICES)),
        schools=_schools(lineage),
        ends=_ends(lineage, as_of),
        overall=_number(every, sum(sample[1] for sample in samples), whole),
        dispersion={"k": middle, "lower": low, "upper": high},
        as_of=as_of,
        provenance=Provenance(
            METHOD, METHOD_VERSION, hash_frame(adoptions), None,
            asdict(parameters) | {"as_of": as_of.isoformat()},
        ),
    )  # fmt: skip


PRACTICES = {
    "practice": pl.String, "source_school": pl.String, "schools_reached": pl.Int64,
    "generations": pl.Int64, "adapted": pl.Int64, "stopped": pl.Int64, "adopters": pl.Int64,
    "too_recent": pl.Int64, "passed_on": pl.Int64, "mean": pl.Float64, "lower": pl.Float64,
    "upper": pl.Float64, "above_one": pl.Float64, "median_km": pl.Float64,
    "farthest_km": pl.Float64, "first": pl.Date, "last": pl.Date,
}  # fmt: skip


class _Counts:
    """What was taken up from each school within its window."""

    def __init__(self, lineage: Lineage, as_of: dt.date, parameters: SpreadParameters) -> None:
        n = len(lineage.school)
        day = np.array([date.toordinal() for date in lineage.date], dtype=np.int64)
        within = np.zeros(n, dtype=np.int64)
        for at, parent in enumerate(lineage.parent):
            if parent >= 0 and day[at] - day[parent] <= parameters.window_days:
                within[parent] += 1
        self.within = within
        self.counts = np.array(lineage.generation) >= (0 if parameters.with_source else 1)
        self.long_enough = as_of.toordinal() - day >= parameters.window_days
        self.tree = np.array(lineage.tree)

    def of(self, tree: int) -> tuple[NDArray[np.int64], int]:
        here = self.counts & (self.tree == tree)
        return self.within[here & self.long_enough], int((here & ~self.long_enough).sum())


def _number(
    passed: NDArray[np.int64], recent: int, found: tuple[float, float, float, float] | None
) -> dict[str, Any]:
    mean, lower, upper, above = found or (None, None, None, None)
    return {
        "adopters": len(passed), "too_recent": recent, "passed_on": int(passed.sum()),
        "mean": mean, "lower": lower, "upper": upper, "above_one": above,
    }  # fmt: skip


def _practice(lineage: Lineage, tree: int) -> dict[str, Any]:
    practice, source = lineage.roots[tree]
    here = [at for at in lineage.members[tree] if lineage.generation[at] > 0]
    km = [lineage.km[at] for at in here if lineage.km[at] is not None]
    dates = [lineage.date[at] for at in here]
    return {
        "practice": practice,
        "source_school": source,
        "schools_reached": len(here),
        "generations": max((lineage.generation[at] for at in here), default=0),
        "adapted": sum(lineage.adapted[at] for at in here),
        "stopped": sum(lineage.stopped[at] is not None for at in here),
        "median_km": float(np.median(np.array(km, dtype=float))) if km else None,
        "farthest_km": max((float(x or 0) for x in km), default=None),
        "first": min(dates, default=None),
        "last": max(dates, default=None),
    }


def _in_order(lineage: Lineage) -> list[int]:
    return sorted(
        range(len(lineage.school)),
        key=lambda at: (*lineage.roots[lineage.tree[at]], lineage.generation[at],
                        lineage.date[at], lineage.school[at]),
    )  # fmt: skip


def _schools(lineage: Lineage) -> pl.DataFrame:
    rows = []
    for at in _in_order(lineage):
        practice, source = lineage.roots[lineage.tree[at]]
        parent = lineage.parent[at]
        rows.append((
            practice, source, lineage.school[at], lineage.generation[at],
            lineage.school[parent] if parent >= 0 else None,
            lineage.date[at] if lineage.dated[at] else None, lineage.adapted[at],
            lineage.children[at], lineage.descendants[at], lineage.stopped[at],
        ))  # fmt: skip
    return pl.DataFrame(rows, orient="row", schema={
        "practice": pl.String, "source_school": pl.String, "school": pl.String,
        "generation": pl.Int64, "taken_from": pl.String, "date": pl.Date, "adapted": pl.Boolean,
        "children": pl.Int64, "descendants": pl.Int64, "stopped": pl.Date,
    })  # fmt: skip


def _ends(lineage: Lineage, as_of: dt.date) -> pl.DataFrame:
    rows = []
    for at in _in_order(lineage):
        if lineage.children[at]:
            continue
        practice, source = lineage.roots[lineage.tree[at]]
        rows.append((
            practice, source, lineage.school[at], lineage.generation[at], lineage.date[at],
            (as_of - lineage.date[at]).days, lineage.stopped[at], lineage.reason[at],
        ))  # fmt: skip
    return pl.DataFrame(rows, orient="row", schema={
        "practice": pl.String, "source_school": pl.String, "school": pl.String,
        "generation": pl.Int64, "date": pl.Date, "days_since": pl.Int64, "stopped": pl.Date,
        "stopped_reason": pl.String,
    })  # fmt: skip
