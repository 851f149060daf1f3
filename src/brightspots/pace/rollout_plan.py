"""A plan (when each area begins, and how fast), the choices there are, and the usual plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.small_files import read_small
from brightspots.core.errors import InputError
from brightspots.pace.rollout_areas import Areas
from brightspots.pace.rollout_parameters import RolloutParameters

__all__ = ["Choices", "Fixed", "Plan", "choices", "read_fixed", "usual_plans"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Fixed = Mapping[str, tuple[int, int | None]]
"""Area -> start term, and speed or None: what people have fixed."""

USUAL: Final = {
    "all-at-once": "every area begins as early as it may",
    "one-per-term": "area after area in the given order, evenly over the terms",
    "by-readiness": "area after area, the readiest first, evenly over the terms",
    "region-by-region": "region after region, evenly over the terms",
}


@dataclass(frozen=True)
class Plan:
    """When each area's support begins, and for how many terms it lasts.

    Attributes
    ----------
    name, words : str
    start, speed : array of int, shape (areas,)
        In the order of the areas' codes. Terms are counted from 1.
    """

    name: str
    words: str
    start: Ints
    speed: Ints

    @property
    def handed_over(self) -> int:
        """Term in which the last area holds all responsibility."""
        return int((self.start + self.speed).max())

    @property
    def key(self) -> bytes:
        """The same for two plans that do the same."""
        return self.start.tobytes() + self.speed.tobytes()


@dataclass(frozen=True)
class Choices:
    """Every (start, speed) there is, and which of them each area may have.

    Attributes
    ----------
    start, speed : array of int, shape (choices,)
    allowed : array of bool, shape (areas, choices)
    """

    start: Ints
    speed: Ints
    allowed: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.start)

    def plan(self, at: Ints, name: str = "", words: str = "") -> Plan:
        """Return the plan that takes choice `at` in each area."""
        return Plan(name, words, self.start[at], self.speed[at])

    def index(self, start: Ints, speed: Ints) -> Ints:
        """Return the choice of each area."""
        where = {
            pair: at for at, pair in enumerate(zip(self.start, self.speed, strict=True))
        }  # fmt: skip
        return np.array([where[pair] for pair in zip(start, speed, strict=True)], dtype=np.int64)


def choices(areas: Areas, parameters: RolloutParameters, fixed: Fixed | None = None) -> Choices:
    """List the choices: support has to end within the terms, and begins no earlier than allowed.

    Raises
    ------
    InputError
        An area that can begin in no term, or something fixed that cannot be.
    """
    pairs = [
        (start, speed)
        for speed in parameters.speeds
        for start in range(1, parameters.terms - speed + 2)
    ]
    start, speed = (np.array(each, dtype=np.int64) for each in zip(*pairs, strict=True))
    allowed = start[None, :] >= areas.earliest[:, None]
    for at in np.flatnonzero(~allowed.any(axis=1)):
        raise InputError(
            f"the area {areas.codes[at]} may begin in term {areas.earliest[at]} at the earliest;"
            f" the shortest support of {parameters.speeds[0]} terms then ends after term"
            f" {parameters.terms}.",
            column="earliest",
            mend="Give more terms, a shorter support, or an earlier term.",
        )
    for code, (term, length) in (fixed or {}).items():
        if code not in areas.position:
            raise InputError(f"there is no area {code}.", mend="Give a code of the list of areas.")
        fits = (start == term) & ((speed == length) if length is not None else True)
        if not fits.any():
            raise InputError(
                f"the area {code} cannot begin in term {term}"
                f"{'' if length is None else f' with {length} terms of support'}.",
                mend=f"Support ends within {parameters.terms} terms and lasts"
                f" {', '.join(map(str, parameters.speeds))} of them.",
            )
        allowed[areas.position[code]] = fits  # a person's word goes before the earliest term
    return Choices(start, speed, allowed)


def read_fixed(
    source: str | Path | pl.DataFrame, areas: Areas, parameters: RolloutParameters
) -> dict[str, tuple[int, int | None]]:
    """Read what people have fixed or changed: area, start, optionally speed.

    Raises
    ------
    InputError
        With file, row and column.
    """
    table = read_small(source, ("area", "start"), "areas' terms")
    fixed: dict[str, tuple[int, int | None]] = {}
    for row, cells in table:
        code = cells["area"]
        if code in fixed:
            raise table.error(
                f"the area {code} is there twice.", row, "area", "Keep one of the rows."
            )
        numbers: list[int | None] = []
        for column in ("start", "speed"):
            number = table.number(row, cells, column) if column in cells else None
            if number is not None and (number != int(number) or number < 1):
                raise table.error(
                    f"{number:g} is no number of terms.", row, column, "Give 1, 2, 3 or so."
                )
            numbers.append(None if number is None else int(number))
        start, speed = numbers
        if start is None:
            raise table.error("the cell is empty.", row, "start", "Give a term.")
        try:
            choices(areas, parameters, {code: (start, speed)})
        except InputError as error:
            if error.column is not None:  # it is about the list of areas
                raise
            raise table.error(error.what, row, None, error.mend) from error
        fixed[code] = (start, speed)
    return fixed


def usual_plans(areas: Areas, parameters: RolloutParameters, offered: Choices) -> list[Plan]:
    """Return the plans a ministry would make without a planner, at each speed.

    With more areas than terms "one per term" means the fewest areas a term that get all of them
    begun. An area that may not begin in its turn begins in the nearest term it may.
    """
    codes = np.arange(len(areas))
    orders = {
        "all-at-once": None,
        "one-per-term": np.lexsort((codes, areas.priority)),
        "by-readiness": np.lexsort((codes, areas.priority, -areas.readiness)),
    }
    if len(set(areas.regions)) > 1:
        first: dict[str, float] = {}
        for region, priority in zip(areas.regions, areas.priority, strict=True):
            first[region] = min(priority, first.get(region, np.inf))
        rank = {each: at for at, each in enumerate(sorted(first, key=lambda r: (first[r], r)))}
        orders["region-by-region"] = np.lexsort(
            (codes, np.array([rank[each] for each in areas.regions]))
        )
    plans = []
    for name, order in orders.items():
        for speed in parameters.speeds:
            wanted = np.ones(len(areas), dtype=np.int64)
            if order is not None:
                slots = parameters.terms - speed + 1
                turn = np.empty(len(areas), dtype=np.int64)
                turn[order] = _turns(areas, order, slots, by_region=name == "region-by-region")
                wanted = turn
            at = _nearest(offered, wanted, speed)
            plan = offered.plan(at, f"{name}-{speed}", f"{USUAL[name]}; {speed} terms of support")
            plans.append(plan)
    return plans


def _turns(areas: Areas, order: Ints, slots: int, *, by_region: bool) -> Ints:
    """Term of each area along the order: one after the other, spread evenly where terms are few."""
    if by_region:
        named = [areas.regions[at] for at in order]
        steps = np.cumsum([0, *(a != b for a, b in pairwise(named))])
    else:
        steps = np.arange(len(order))
    together = -(-(int(steps[-1]) + 1) // slots)
    return np.asarray(1 + steps // together, dtype=np.int64)


def _nearest(offered: Choices, start: Ints, speed: int) -> Ints:
    """For each area the allowed choice nearest to what is wanted; the speed counts most."""
    away = 1000 * np.abs(offered.speed - speed)[None, :] + np.abs(
        offered.start[None, :] - start[:, None]
    )
    return np.asarray(np.where(offered.allowed, away, 10**9).argmin(axis=1), dtype=np.int64)
