"""Proofs by listing every set: the best partition of a few schools, and how many must stay out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.costs import (
    NEVER,
    Local,
    distance_km,
    fill_local,
    make_local,
    price,
)
from brightspots.connectedness.problem import Tables
from brightspots.connectedness.reach import close_to
from brightspots.core.compiled import compiled
from brightspots.core.geography import chord

LARGEST_COMPONENT = 14
"""The work triples with each school; this many take a few hundredths of a second."""


@compiled
def _all_sets(tables, local, m, costs):  # type: ignore[no-untyped-def]
    """Cost of each subset of the first `m` places, by its bit mask; NEVER where not allowed."""
    fill_local(tables, local, m)
    for mask in range(1, 1 << m):
        costs[mask] = NEVER
        size = 0
        for a in range(m):
            size += mask >> a & 1
        if size < tables.minimum or size > tables.maximum:
            continue
        at = 0
        for a in range(m):
            if mask >> a & 1:
                local.rows[0, at] = a
                at += 1
        local.size[0] = size
        costs[mask], _ = price(tables, local, 0)


@compiled
def _best_partitions(costs, m, out, total, choice):  # type: ignore[no-untyped-def]
    """Find for each subset the fewest left out, the least cost of that, and its first school's set.

    The first school of a subset is left out (choice 0) or in one of the sets that hold it; what
    remains is a smaller subset, solved before.
    """
    for mask in range(1, 1 << m):
        first = mask & -mask
        rest = mask ^ first
        out[mask], total[mask], choice[mask] = out[rest] + 1, total[rest], 0
        part = rest
        while True:
            cost = costs[part | first]
            if cost < NEVER:
                left = rest ^ part
                value = total[left] + cost
                if out[left] < out[mask] or (out[left] == out[mask] and value < total[mask]):
                    out[mask], total[mask], choice[mask] = out[left], value, part | first
            if part == 0:
                break
            part = (part - 1) & rest


def _solve(costs: NDArray[np.float64], m: int) -> tuple[list[int], int]:
    """Bit masks of the sets in the best partition, and how many it leaves out."""
    out = np.zeros(1 << m, dtype=np.int64)
    total = np.zeros(1 << m)
    choice = np.zeros(1 << m, dtype=np.int64)
    _best_partitions(costs, m, out, total, choice)
    sets, rest = [], (1 << m) - 1
    while rest:
        chosen = int(choice[rest])
        if chosen:
            sets.append(chosen)
        rest ^= chosen or rest & -rest
    return sets, int(out[-1])


def solve_exactly(
    tables: Tables, schools: NDArray[np.int64]
) -> tuple[list[NDArray[np.int64]], list[int]]:
    """Serve as many of `schools` as possible, at the least cost; both proved.

    A dynamic programme over all subsets; its work is 3^m for m schools.

    Parameters
    ----------
    schools : int array
        At most `LARGEST_COMPONENT`.

    Returns
    -------
    groups : list of int arrays
    left : list of int
    """
    m = len(schools)
    local: Local = make_local(m, 1, tables.maximum)
    local.ids[:m] = schools
    costs = np.full(1 << m, NEVER)
    _all_sets(tables, local, m, costs)
    sets, _ = _solve(costs, m)
    inside = (np.array(sets, dtype=np.int64)[:, None] >> np.arange(m)) & 1
    return [schools[row == 1] for row in inside], schools[inside.sum(axis=0) == 0].tolist()


def fewest_left_out(tables: Tables, schools: NDArray[np.int64], around: NDArray[np.int64]) -> int:
    """At least how many of `schools` any arrangement of the whole system leaves out.

    Every partnership of the system, cut down to `schools`, is one of the sets listed here: part of
    one leader's star, small enough for the leader's capacity, and with enough schools of the star
    outside to make up `minimum`. Outside schools may be used any number of times, so the answer
    errs only towards 0.

    Parameters
    ----------
    schools : int array
        At most `LARGEST_COMPONENT`.
    around : int array
        All schools that may be in a partnership with one of `schools` and may lead; others do no
        harm.
    """
    m = len(schools)
    masks = np.arange(1 << m)
    inside = (masks[None, :] >> np.arange(m)[:, None]) & 1
    sizes = inside.sum(axis=0)
    phase = np.full(1 << m, -1, dtype=np.int64)
    language = np.full(1 << m, -1, dtype=np.int64)
    for a in range(m):
        phase[inside[a] == 1] &= tables.phase[schools[a]]
        language[inside[a] == 1] &= tables.language[schools[a]]
    alike = (phase != 0) & (language != 0)
    allowed = np.zeros(1 << m, dtype=bool)
    place = {int(i): a for a, i in enumerate(schools)}
    for leader in around[tables.capacity[around] > 0].tolist():
        star = _star(tables, leader)
        reach = sum(1 << place[i] for i in star.tolist() if i in place)
        outside = len(star) - reach.bit_count()
        fits = alike & (masks & ~reach == 0) & (sizes <= tables.capacity[leader])
        fits &= sizes + outside >= tables.minimum
        if leader in place:
            fits &= inside[place[leader]] == 1
        else:
            fits &= sizes < tables.capacity[leader]  # the leader takes a place too
        allowed |= fits
    return _solve(np.where(allowed, 0.0, NEVER), m)[1]


def _star(tables: Tables, leader: int) -> NDArray[np.intp]:
    """Compatible schools within the limit of a leader, itself included."""
    close = close_to(tables, leader, chord(tables.max_km) * (1 + 1e-9) + 1e-12)
    fits = (tables.phase[close] & tables.phase[leader] != 0) & (
        tables.language[close] & tables.language[leader] != 0
    )
    if tables.listed:
        listed: NDArray[np.intp] = close[fits]
        return listed
    within = [distance_km(tables.xyz, leader, i) <= tables.max_km for i in close.tolist()]
    star: NDArray[np.intp] = close[fits & np.array(within, dtype=bool)]
    return star


def must_stay_out(tables: Tables, school: int, left: list[int], served: NDArray[np.bool_]) -> bool:
    """Tell whether it is proved that no arrangement leaves out fewer schools around `school`.

    Looks at the schools nearest to it, first few and then more, and compares the fewest that must
    be left out with those that are.
    """
    gap = np.linalg.norm(tables.xyz - tables.xyz[school], axis=1)
    nearest = np.argsort(np.where(served, gap, np.inf), kind="stable")[: int(served.sum())]
    for size in (6, 10, LARGEST_COMPONENT):
        chosen = nearest[:size]
        # A leader of a partnership with any of these lies within the limit of it.
        around = np.flatnonzero(served & _close_to(tables, chosen))
        out = len(set(chosen.tolist()) & set(left))
        if fewest_left_out(tables, chosen, around) >= out:
            return True
    return False


def _close_to(tables: Tables, schools: NDArray[np.intp]) -> NDArray[np.bool_]:
    limit = chord(tables.max_km) * (1 + 1e-9) + 1e-12
    close = np.zeros(len(tables.xyz), dtype=bool)
    for i in schools.tolist():
        close[close_to(tables, i, limit)] = True
    return close
