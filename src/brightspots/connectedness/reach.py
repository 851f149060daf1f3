"""Who can reach whom: leaders' stars, schools that no partnership can serve, components.

The *star* of a leader is the leader and every compatible school within the travel limit. A feasible
partnership is part of one star, so a school can be served only if it is in a star of `minimum`
schools or more; and every star of that size is itself a reason why all its schools can be served,
one by one. Whether they can be served *together* is the search's question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brightspots.connectedness.problem import Problem, Tables
from brightspots.connectedness.schools import EVERY_BIT
from brightspots.core.compiled import compiled
from brightspots.core.geography import EARTH_RADIUS_KM, chord

ARCS_AT_ONCE = 8_000_000
"""Arcs held in memory at a time; a system with fewer keeps them all for the whole run."""


@dataclass(frozen=True)
class Arcs:
    """Compatible schools within the limit of some leaders, the leader itself left out.

    Leader ``leaders[a]`` reaches ``school[first[a]:first[a + 1]]``, at ``km`` (same shape).
    """

    leaders: NDArray[np.int64]
    first: NDArray[np.int64]
    school: NDArray[np.int32]
    km: NDArray[np.float64]


@dataclass(frozen=True)
class Reach:
    """What the travel limit allows.

    Attributes
    ----------
    served : bool array, shape (n,)
        Schools that some feasible partnership could take.
    reasons : dict
        Why not, for the others: index -> words.
    component : int array, shape (n,)
        Number of the connected component (through stars that can be partnerships); -1 if not
        served. Schools of different components never share a partnership.
    """

    served: NDArray[np.bool_]
    reasons: dict[int, str]
    component: NDArray[np.int64]


class ArcStore:
    """All arcs, in chunks; kept when they are few, made again on each pass when they are many."""

    def __init__(self, problem: Problem, members: NDArray[np.bool_] | None = None) -> None:
        tables = problem.tables
        keep = np.ones(problem.n, dtype=bool) if members is None else members
        self.tables = tables
        self.schools = np.flatnonzero(keep)
        self.leaders = np.flatnonzero(keep & (tables.capacity > 0))
        self.limit = chord(tables.max_km)
        self.chunks: list[NDArray[np.int64]] = []
        self.kept: list[Arcs] | None = None
        if len(self.leaders):
            if tables.listed:
                self.inside = keep
                counts = np.asarray(np.diff(tables.ways.first)[self.leaders])
            else:
                self.tree = cKDTree(tables.xyz[self.schools])
                counts = np.asarray(
                    self.tree.query_ball_point(
                        tables.xyz[self.leaders], self.limit, return_length=True
                    )
                )
            # Making a piece takes several times the memory of the piece itself.
            few = int(counts.sum()) <= ARCS_AT_ONCE
            edges = np.cumsum(counts) // (ARCS_AT_ONCE if few else max(ARCS_AT_ONCE // 4, 1))
            self.chunks = np.split(self.leaders, np.flatnonzero(np.diff(edges)) + 1)
            if len(self.chunks) == 1:
                self.kept = list(self)

    @property
    def complete(self) -> Arcs | None:
        """All arcs as one piece, or None when they are too many to hold."""
        return self.kept[0] if self.kept else None

    def __iter__(self) -> Iterator[Arcs]:
        if self.kept is not None:
            yield from self.kept
            return
        for leaders in self.chunks:
            yield self._arcs(leaders)

    def _arcs(self, leaders: NDArray[np.int64]) -> Arcs:
        tables = self.tables
        if tables.listed:
            row, school, km = listed_ways(tables, leaders)
            row, school, km = (values[self.inside[school]] for values in (row, school, km))
        else:
            pairs = cKDTree(tables.xyz[leaders]).sparse_distance_matrix(
                self.tree, self.limit, output_type="ndarray"
            )
            row, school = pairs["i"], self.schools[pairs["j"]]
            km = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(pairs["v"] / 2, 1.0))
        leader = leaders[row]
        fits = (
            (leader != school)
            & ((tables.phase[leader] & tables.phase[school]) != 0)
            & ((tables.language[leader] & tables.language[school]) != 0)
        )
        row, school, km = row[fits], school[fits], km[fits]
        order = np.lexsort((school, km, row))
        first = np.searchsorted(row[order], np.arange(len(leaders) + 1))
        return Arcs(leaders, first.astype(np.int64), school[order].astype(np.int32), km[order])


def listed_ways(
    tables: Tables, schools: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Ways listed from `schools`: place in `schools`, the other school, and the way."""
    first, to, km = tables.ways
    counts = np.diff(first)[schools]
    row = np.repeat(np.arange(len(schools)), counts)
    at = np.repeat(first[schools] - np.cumsum(counts) + counts, counts)
    at += np.arange(len(row))
    return row, to[at].astype(np.int64), km[at]


def close_to(tables: Tables, school: int, limit: float) -> NDArray[np.intp]:
    """Schools that may travel to a school, itself included, whatever their kind.

    `limit` is the chord that stands for the travel limit where ways are straight.
    """
    if tables.listed:
        first, to, _ = tables.ways
        listed = to[first[school] : first[school + 1]]
        return np.sort(np.append(listed, school)).astype(np.intp)
    gap = np.linalg.norm(tables.xyz - tables.xyz[school], axis=1)
    close: NDArray[np.intp] = np.flatnonzero(gap <= limit)
    return close


def _bits(masks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the single bits that occur; one bit stands for all when every school has them all."""
    used = int(np.bitwise_or.reduce(masks[masks != EVERY_BIT], initial=0))
    bits = [1 << place for place in range(62) if used >> place & 1]
    return np.array(bits or [1], dtype=np.int64)


@compiled
def _count_stars(  # type: ignore[no-untyped-def]
    tables, leaders, first, school, phases, languages, best_star, served, nearby, leader_nearby
):
    """Mark the schools that a large enough star can take, and the largest star each could be in.

    Members of a partnership share a phase and a language, so a star counts per pair of these.
    """
    for a in range(len(leaders)):
        j = leaders[a]
        for at in range(first[a], first[a + 1]):
            leader_nearby[school[at]] = True
        nearby[j] = max(nearby[j], first[a + 1] - first[a] + 1)
        for phase in phases:
            if tables.phase[j] & phase == 0:
                continue
            for language in languages:
                if tables.language[j] & language == 0:
                    continue
                count = 1
                for at in range(first[a], first[a + 1]):
                    i = school[at]
                    if tables.phase[i] & phase != 0 and tables.language[i] & language != 0:
                        count += 1
                best_star[j] = max(best_star[j], count)
                served[j] = served[j] or count >= tables.minimum
                for at in range(first[a], first[a + 1]):
                    i = school[at]
                    if tables.phase[i] & phase != 0 and tables.language[i] & language != 0:
                        best_star[i] = max(best_star[i], count)
                        served[i] = served[i] or count >= tables.minimum


def surroundings(tables: Tables, arcs: ArcStore) -> NDArray[np.int64]:
    """Priorities that some school in each leader's star is strong in, by leader, shape (n,)."""
    found = tables.strong.copy()
    for part in arcs:
        if len(part.school):
            sizes = np.diff(part.first)
            some = np.flatnonzero(sizes)
            found[part.leaders[some]] |= np.bitwise_or.reduceat(
                tables.strong[part.school], part.first[some]
            )
    result: NDArray[np.int64] = found & tables.wanted
    return result


@compiled
def _root(parent, i):  # type: ignore[no-untyped-def]
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def _join(leaders, first, school, served, parent):  # type: ignore[no-untyped-def]
    """Join each leader with the schools of its star; the lower number becomes the root."""
    for a in range(len(leaders)):
        if not served[leaders[a]]:
            continue
        for at in range(first[a], first[a + 1]):
            if not served[school[at]]:
                continue
            one, other = _root(parent, leaders[a]), _root(parent, school[at])
            if one < other:
                parent[other] = one
            elif other < one:
                parent[one] = other


def study_reach(problem: Problem, arcs: ArcStore) -> Reach:
    """Find the schools that no partnership can serve, with the reason, and the components."""
    n, tables = problem.n, problem.tables
    best_star = np.zeros(n, dtype=np.int64)
    served = np.zeros(n, dtype=bool)
    nearby = np.zeros(n, dtype=np.int64)
    leader_nearby = tables.capacity > 0
    phases, languages = _bits(tables.phase), _bits(tables.language)
    for part in arcs:
        _count_stars(
            tables, part.leaders, part.first, part.school, phases, languages,
            best_star, served, nearby, leader_nearby,
        )  # fmt: skip
    parent = np.arange(n)
    for part in arcs:
        _join(part.leaders, part.first, part.school, served, parent)
    component = np.full(n, -1, dtype=np.int64)
    numbers: dict[int, int] = {}
    for i in np.flatnonzero(served).tolist():
        component[i] = numbers.setdefault(int(_root(parent, i)), len(numbers))
    reasons = {
        i: _reason(problem, i, int(best_star[i]), bool(leader_nearby[i]))
        for i in np.flatnonzero(~served).tolist()
    }
    return Reach(served, reasons, component)


def _reason(problem: Problem, i: int, best_star: int, leader_nearby: bool) -> str:
    """Why no partnership can take school `i`, in words that a person can check on a map."""
    tables, parameters = problem.tables, problem.parameters
    within = f"within {parameters.max_km:g} {problem.travel.limit_unit}"
    limit = chord(tables.max_km)
    if problem.travel.barriers is not None and problem.travel.barriers.height:
        within += " on its side of the barriers"
    if np.isnan(problem.latitude[i]) and problem.areas is not None and problem.areas[i]:
        within += f" (its place is not known: those of {problem.areas[i]} count as near)"
    close = close_to(tables, i, limit)
    alike = (tables.phase[close] & tables.phase[i] != 0) & (
        tables.language[close] & tables.language[i] != 0
    )
    kind = "" if alike.all() else " of its phase and language"
    others = int(alike.sum()) - 1
    if others == 0:
        return f"no other school{kind} {within}"
    if others + 1 < parameters.minimum:
        schools = "school" if others == 1 else "schools"
        return f"only {others} other {schools}{kind} {within}"
    if not leader_nearby:
        return f"no school that may lead{kind} {within}"
    return (
        f"no leader {within} reaches enough schools: the best reaches {best_star} with its own,"
        f" a partnership needs {parameters.minimum}"
    )


def neighbours(
    problem: Problem, reach: Reach, near: int = 24, near_leaders: int = 8
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Nearest compatible schools, and nearest compatible leaders, within the limit.

    Returns
    -------
    near : int array, shape (n, near)
    near_leaders : int array, shape (n, near_leaders)
        Nearest first, padded with -1; schools that cannot be served have and are no neighbours.
        Nor are two within the limit that no partnership can hold together: components are solved
        apart, and a search that saw a school of another would use it twice.
    """
    tables = problem.tables
    leads = reach.served & (tables.capacity > 0)
    nearest = _nearest_listed if tables.listed else _nearest
    found = nearest(tables, reach.served, reach.served, near)
    if tables.pinned:
        found = _pinned_first(tables, found, reach.served)
    leaders = nearest(tables, reach.served, leads, near_leaders)
    return _of_one_component(found, reach), _of_one_component(leaders, reach)


def _of_one_component(near: NDArray[np.int32], reach: Reach) -> NDArray[np.int32]:
    """Drop neighbours in another component; those that stay close up, nearest first."""
    other = (near >= 0) & (reach.component[near] != reach.component[:, None])
    if not other.any():
        return near
    result = np.where(other, -1, near)
    order = np.argsort(result < 0, axis=1, kind="stable")
    return np.take_along_axis(result, order, axis=1).astype(np.int32)


def _pinned_first(
    tables: Tables, near: NDArray[np.int32], served: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Put the schools that are to be together with a school before its neighbours."""
    result = near.copy()
    for i in np.flatnonzero((tables.together >= 0) & served).tolist():
        mates = np.flatnonzero((tables.together == tables.together[i]) & served)
        mates = mates[mates != i]
        others = near[i][~np.isin(near[i], mates)]
        result[i] = np.concatenate([mates, others, np.full(len(mates), -1)])[: near.shape[1]]
    return result


def _nearest_listed(
    tables: Tables, askers: NDArray[np.bool_], among: NDArray[np.bool_], k: int
) -> NDArray[np.int32]:
    """Find the nearest where ways are listed."""
    result = np.full((len(askers), k), -1, dtype=np.int32)
    asking = np.flatnonzero(askers).astype(np.int64)
    row, school, km = listed_ways(tables, asking)
    asker = asking[row]
    fits = (
        among[school]
        & ((tables.phase[asker] & tables.phase[school]) != 0)
        & ((tables.language[asker] & tables.language[school]) != 0)
    )
    row, school, km = row[fits], school[fits], km[fits]
    order = np.lexsort((school, km, row))
    row, school = row[order], school[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    result[asking[row[rank < k]], rank[rank < k]] = school[rank < k]
    return result


def _nearest(
    tables: Tables, askers: NDArray[np.bool_], among: NDArray[np.bool_], k: int
) -> NDArray[np.int32]:
    result = np.full((len(askers), k), -1, dtype=np.int32)
    kinds = np.unique(np.column_stack([tables.phase, tables.language])[askers], axis=0)
    for phase, language in kinds:
        asking = np.flatnonzero(askers & (tables.phase == phase) & (tables.language == language))
        pool = np.flatnonzero(
            among & (tables.phase & phase != 0) & (tables.language & language != 0)
        )
        if not len(pool):
            continue
        wanted = min(k + 1, len(pool))  # one more, since a school finds itself
        distance, place = cKDTree(tables.xyz[pool]).query(tables.xyz[asking], k=wanted)
        distance = np.asarray(distance).reshape(-1, wanted)
        place = np.asarray(place).reshape(-1, wanted)
        found = np.where(distance <= chord(tables.max_km), pool[place], -1)
        found[found == asking[:, None]] = -1
        # Known neighbours first, in their order.
        order = np.argsort(found < 0, axis=1, kind="stable")[:, :k]
        result[asking, : order.shape[1]] = np.take_along_axis(found, order, axis=1)
    return result
