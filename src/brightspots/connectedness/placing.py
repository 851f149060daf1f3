"""Take schools that no partnership can serve into the least bad one, each with its reason.

A person asked that nobody be left out, so a rule gives way, and which one is said. The rules give
way in this order: the travel limit (up to twice the limit); the largest size, by one school; then
any distance; then a barrier; and phase or language only where there is nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.pins import Pins
from brightspots.connectedness.pricing import Led
from brightspots.connectedness.problem import Problem
from brightspots.core.geography import EARTH_RADIUS_KM

__all__ = ["Taken", "place_everyone"]

TIMES_THE_LIMIT = 2.0
"""Beyond this many times the travel limit a nearer partnership grows by one instead."""


@dataclass(frozen=True)
class Taken:
    """A school taken into a partnership (its number) against a rule; `way` None if unknown."""

    code: str
    partnership: int
    way: float | None
    reason: str


class _Partnerships:
    """The partnerships as they fill up."""

    def __init__(self, problem: Problem, led: list[Led], pins: Pins) -> None:
        tables = problem.tables
        self.problem, self.pins = problem, pins
        self.leaders = np.array([one.leader for one in led], dtype=np.int64)
        self.size = np.array([len(one.group) for one in led])
        self.room = np.minimum(tables.capacity[self.leaders], tables.maximum)
        self.phase = [int(np.bitwise_and.reduce(tables.phase[one.group])) for one in led]
        self.language = [int(np.bitwise_and.reduce(tables.language[one.group])) for one in led]
        self.codes = [set(problem.codes[one.group].tolist()) for one in led]
        self.by, self.barred = problem.travel.barred()
        self.listed = _listed(problem)

    @property
    def full(self) -> bool:
        """Whether every partnership is one school above its limit."""
        return bool((self.size > self.room).all())

    def _ways(self, code: str, i: int | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ways to the leaders, infinite where not known, and straight distances to break ties."""
        problem, leaders = self.problem, self.leaders
        straight = np.full(len(leaders), np.inf)
        if i is not None:
            gap = np.linalg.norm(problem.tables.xyz[leaders] - problem.tables.xyz[i], axis=1)
            straight = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(gap / 2, 1.0))
        codes = problem.codes[leaders].tolist()
        if self.listed is not None:
            found = [self.listed.get((code, leader), np.inf) for leader in codes]
            return np.array(found), straight
        if i is None:
            return straight, straight
        known = ~np.isnan(problem.latitude[leaders]) & ~np.isnan(problem.latitude[i])
        ways = np.where(known, straight, np.inf)
        if problem.areas is not None and problem.areas[i]:
            same = np.array([problem.areas[j] == problem.areas[i] for j in leaders.tolist()])
            ways = np.where(~known & same, problem.parameters.unknown_way, ways)
        return ways, straight

    def _crossing(self, code: str, i: int | None) -> NDArray[np.bool_]:
        """Whether a barrier stands between a school and each leader."""
        problem = self.problem
        if not self.barred or (self.by == "area" and (i is None or problem.areas is None)):
            return np.zeros(len(self.leaders), dtype=bool)
        names: list[str] = problem.codes[self.leaders].tolist()
        own = code
        if self.by == "area" and problem.areas is not None and i is not None:
            names, own = [problem.areas[j] for j in self.leaders.tolist()], problem.areas[i]
        return np.array([frozenset((own, name)) in self.barred for name in names], dtype=bool)

    def take(self, code: str, i: int | None, phase: int, language: int, why: str) -> Taken:
        """Take a school into the least bad partnership."""
        limit = self.problem.parameters.max_km
        ways, straight = self._ways(code, i)
        over = np.maximum(self.size + 1 - self.room, 0)
        near = ways <= TIMES_THE_LIMIT * limit
        level = np.where(near, 0, 2) + over
        crossing = self._crossing(code, i)
        other_phase = np.array([phase & kind == 0 for kind in self.phase])
        other_language = np.array([language & kind == 0 for kind in self.language])
        mixed = other_phase.astype(int) + other_language
        order = np.lexsort([
            self.problem.codes[self.leaders], self.size, straight, ways, level, crossing, mixed,
            self._pins_broken(code), over > 1,
        ])  # fmt: skip
        g = int(order[0])
        words, unit = [], self.problem.travel.limit_unit
        if not np.isfinite(ways[g]):
            words.append("its way to the leader is not known")
        elif ways[g] > limit:
            words.append(f"{ways[g]:.1f} {unit} to the leader, the limit is {limit:g}")
        if over[g]:
            words.append(
                f"{self.size[g] + 1} schools, the most there is room for is {self.room[g]}"
            )
        if crossing[g]:
            words.append("a barrier stands between")
        if other_phase[g]:
            words.append("no phase in common")
        if other_language[g]:
            words.append("no language in common")
        self.size[g] += 1
        self.codes[g].add(code)
        if not other_phase[g]:
            self.phase[g] &= phase
        if not other_language[g]:
            self.language[g] &= language
        reason = "; taken in all the same: ".join(filter(None, (why, ", ".join(words))))
        return Taken(code, g, float(ways[g]) if np.isfinite(ways[g]) else None, reason)

    def _pins_broken(self, code: str) -> NDArray[np.int64]:
        """How many pins the school breaks in each partnership."""
        apart = {other for group in self.pins.apart if code in group for other in group} - {code}
        mates = {other for group in self.pins.groups() if code in group for other in group}
        leader = self.pins.led_by.get(code)
        return np.array([
            len(apart & inside) - (len(mates & inside) + 2 * (leader in inside))
            for inside in self.codes
        ])  # fmt: skip


def _listed(problem: Problem) -> Mapping[tuple[str, str], float] | None:
    table = problem.travel.table()
    if table is None:
        return None
    found: dict[tuple[str, str], float] = {}
    for one, other, way in table.iter_rows():
        for pair in ((one, other), (other, one)):
            found[pair] = min(way, found.get(pair, np.inf))
    return found


def place_everyone(
    problem: Problem, led: list[Led], reasons: Mapping[int, str], pins: Pins
) -> list[Taken]:
    """Take every school without a partnership into one.

    Parameters
    ----------
    led : list of Led
        The partnerships that keep the rules; they and their leaders stay as they are.
    reasons : mapping
        School number -> why no partnership serves it.

    Returns
    -------
    list of Taken
        In the order of the problem, those that cannot be got to last; empty where there is no
        partnership to take them in. A partnership is at most one school above its limit, so
        where all are full, the rest is in none either.
    """
    if not led:
        return []
    tables, partnerships = problem.tables, _Partnerships(problem, led, pins)
    waiting = [
        (str(problem.codes[i]), i, int(tables.phase[i]), int(tables.language[i]), reasons[i])
        for i in sorted(reasons)
    ]
    found: list[Taken] = []
    for code, i, phase, language, why in waiting:
        if partnerships.full:
            return found
        found.append(partnerships.take(code, i, phase, language, why))
    for school in problem.unplaced:
        if partnerships.full:
            return found
        found.append(
            partnerships.take(school.code, None, school.phase, school.language, school.reason)
        )
    return found
