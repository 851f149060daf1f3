"""The schools as the compiled code sees them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.travel import Ways, no_ways

WANTED, TOGETHER, GROUP_SIZE, FIXED, APART, WAYS = range(6)
"""Rows of :attr:`Rare.extra`."""


class Rare(NamedTuple):
    """What is needed with two or three priorities, pins, or ways that are not straight.

    `extra` (6, n + 1): by row the priorities that count in a partnership that a school leads, as
    bits; the number of the group that it is to be together with, -1 for none; the size of that
    group; 1 if it is to lead; and where in `links` those begin that it is to be apart from, and
    those that it has a way to, with `way_km` (the first of `links`, rising).
    """

    extra: NDArray[np.int64]
    links: NDArray[np.int32]
    way_km: NDArray[np.float64]
    several: bool
    pinned: bool
    listed: bool
    all_weak: float


class Tables(NamedTuple):
    """The schools as the compiled code sees them; n schools in the order of the problem.

    `xyz` (n, 3) unit vectors; `phase`, `language` (n,) bit masks; `strong` (n,) a bit for each
    priority; `need` (n, 1) the cost of a school's need when no strong school is there, km, or
    (n, 3) with priorities; `preference` (n,) the cost of having the school lead, km; `capacity`
    (n,) the largest partnership the school may lead, 0 for none; `present` (n,) number of the
    present partnership, -1 for none; `near` (n, k) and `near_leaders` (n, l) neighbours within
    reach, nearest first, padded with -1.

    `rare` is None in the usual case. The compiled code is then another, without what is rare in it:
    each further array would make every call in it dearer.
    """

    xyz: NDArray[np.float64]
    phase: NDArray[np.int64]
    language: NDArray[np.int64]
    strong: NDArray[np.int64]
    need: NDArray[np.float64]
    preference: NDArray[np.float64]
    capacity: NDArray[np.int64]
    present: NDArray[np.int64]
    near: NDArray[np.int32]
    near_leaders: NDArray[np.int32]
    minimum: int
    maximum: int
    max_km: float
    target: float
    balance: float
    complement: float
    partnership: float
    disruption: float
    rare: Rare | None

    @property
    def several(self) -> bool:
        """Whether there are named priorities."""
        return self.rare is not None and self.rare.several

    @property
    def pinned(self) -> bool:
        """Whether there are pins."""
        return self.rare is not None and self.rare.pinned

    @property
    def listed(self) -> bool:
        """Whether ways are listed, and not straight."""
        return self.rare is not None and self.rare.listed

    @property
    def wanted(self) -> NDArray[np.int64]:
        """The priorities that count in a partnership that a school leads, as bits; shape (n,)."""
        return self._row(WANTED, 1)

    @property
    def together(self) -> NDArray[np.int64]:
        """Number of the group that a school is to be together with, -1 for none; shape (n,)."""
        return self._row(TOGETHER, -1)

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """Whether a school is to lead; shape (n,)."""
        fixed: NDArray[np.bool_] = self._row(FIXED, 0) == 1
        return fixed

    def _row(self, row: int, usual: int) -> NDArray[np.int64]:
        if self.rare is None:
            return np.full(len(self.xyz), usual, dtype=np.int64)
        return self.rare.extra[row, :-1]

    def apart_from(self, school: int) -> NDArray[np.int32]:
        """Schools that a school is to be apart from."""
        if self.rare is None:
            return np.empty(0, dtype=np.int32)
        first = self.rare.extra[APART]
        return self.rare.links[first[school] : first[school + 1]]

    @property
    def ways(self) -> Ways:
        """The ways, if they are listed."""
        if self.rare is None or not self.rare.listed:
            return no_ways()
        rare = self.rare
        return Ways(rare.extra[WAYS], rare.links[: rare.extra[WAYS, -1]], rare.way_km)

    def with_wanted(self, wanted: NDArray[np.int64]) -> Tables:
        """Put in the priorities that count, shape (n,)."""
        if self.rare is None:
            return self
        extra = self.rare.extra.copy()
        extra[WANTED, :-1] = wanted
        return self._replace(rare=self.rare._replace(extra=extra))

    def cut(self, ids: NDArray[np.int64]) -> Tables:
        """Cut out some schools, `ids` in rising order, with all that is known of them."""
        empty = np.empty((len(ids), 0), dtype=np.int32)
        by_school = ("xyz", "phase", "language", "strong", "need", "preference", "capacity",
                     "present")  # fmt: skip
        rows = {name: getattr(self, name)[ids] for name in by_school}
        cut = self._replace(**rows, near=empty, near_leaders=empty)
        if self.rare is None:
            return cut
        place = np.full(len(self.xyz), -1, dtype=np.int64)
        place[ids] = np.arange(len(ids))
        extra = np.zeros((6, len(ids) + 1), dtype=np.int64)
        extra[:WAYS, :-1] = self.rare.extra[:WAYS, ids]
        ways, extra[WAYS] = _links(self.rare, WAYS, place, ids)
        apart, extra[APART] = _links(self.rare, APART, place, ids)
        extra[APART] += len(ways)
        links = place[self.rare.links[np.concatenate([ways, apart])]].astype(np.int32)
        km = self.rare.way_km[ways] if self.rare.listed else self.rare.way_km
        return cut._replace(rare=self.rare._replace(extra=extra, links=links, way_km=km))


def _links(
    rare: Rare, row: int, place: NDArray[np.int64], ids: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places in `links` of some schools' entries that lead to such schools; where each begins."""
    first = rare.extra[row]
    counts = np.diff(first)[ids]
    at = np.repeat(first[ids] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    stay = place[rare.links[at]] >= 0
    kept = np.bincount(np.repeat(np.arange(len(ids)), counts)[stay], minlength=len(ids))
    return at[stay], np.concatenate([[0], np.cumsum(kept)])
