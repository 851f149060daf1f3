"""What a partnership costs: compiled, for the search, on a small local table of schools."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from brightspots.connectedness.settings import MOST_PRIORITIES
from brightspots.connectedness.tables import APART, FIXED, GROUP_SIZE, TOGETHER, WANTED, WAYS
from brightspots.core.compiled import compiled, compiled_helper, compiled_inline
from brightspots.core.geography import EARTH_RADIUS_KM

NEVER = 1e18
"""Cost of what is not allowed."""
LEFT_OUT = 1e7
"""Cost of a school left out: more than any change of travel, so isolation always comes first."""
PIN_BROKEN = 1e5
"""Cost of a pin that is not kept: far above travel, and far below a school left out."""
DIAMETER_KM = 2 * EARTH_RADIUS_KM


class Local(NamedTuple):
    """A few schools taken out for a closer look; p places, of which the first are in use.

    `ids` (p,) their numbers; `km` (p, p) cost of member and leader: the way, plus disruption,
    or NEVER beyond the limit; then their columns; `rows` (r, maximum) places of the members of
    partnership r, with `size`, `cost`, `leader` (place), and `of` (p,) the partnership of a place,
    -1 if left out.
    """

    ids: NDArray[np.int64]
    km: NDArray[np.float64]
    phase: NDArray[np.int64]
    language: NDArray[np.int64]
    strong: NDArray[np.int64]
    need: NDArray[np.float64]
    preference: NDArray[np.float64]
    capacity: NDArray[np.int64]
    rows: NDArray[np.int64]
    size: NDArray[np.int64]
    cost: NDArray[np.float64]
    leader: NDArray[np.int64]
    of: NDArray[np.int64]
    score: NDArray[np.float64]


def make_local(places: int, partnerships: int, maximum: int) -> Local:
    """Room for `places` schools in `partnerships` partnerships, and two rows to try things in."""
    rows = partnerships + 2
    return Local(
        ids=np.zeros(places, dtype=np.int64),
        km=np.zeros((places, places)),
        phase=np.zeros(places, dtype=np.int64),
        language=np.zeros(places, dtype=np.int64),
        strong=np.zeros(places, dtype=np.int64),
        need=np.zeros((places, MOST_PRIORITIES)),
        preference=np.zeros(places),
        capacity=np.zeros(places, dtype=np.int64),
        rows=np.zeros((rows, maximum + 1), dtype=np.int64),
        size=np.zeros(rows, dtype=np.int64),
        cost=np.zeros(rows),
        leader=np.zeros(rows, dtype=np.int64),
        of=np.zeros(places, dtype=np.int64),
        score=np.zeros(places),
    )


@compiled
def distance_km(xyz, i, j):  # type: ignore[no-untyped-def]
    """Great-circle distance of two unit vectors, from the straight line between them."""
    dx = xyz[i, 0] - xyz[j, 0]
    dy = xyz[i, 1] - xyz[j, 1]
    dz = xyz[i, 2] - xyz[j, 2]
    return DIAMETER_KM * math.asin(min(0.5 * math.sqrt(dx * dx + dy * dy + dz * dz), 1.0))


@compiled_helper
def _listed_way(rare, i, j):  # type: ignore[no-untyped-def]
    if i == j:
        return 0.0
    low, high = rare.extra[WAYS, i], rare.extra[WAYS, i + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if rare.links[middle] < j:
            low = middle + 1
        else:
            high = middle
    if low < end and rare.links[low] == j:
        return rare.way_km[low]
    return NEVER


@compiled_helper
def _way(tables, rare, i, j):  # type: ignore[no-untyped-def]
    # As an argument of its own, so that numba leaves this branch out where `rare` is None.
    if rare is not None:  # noqa: SIM102 - one condition would not be left out
        if rare.listed:
            return _listed_way(rare, i, j)
    km = distance_km(tables.xyz, i, j)
    return km if km <= tables.max_km else NEVER


@compiled_inline
def way(tables, i, j):  # type: ignore[no-untyped-def]
    """Look up the way between two schools: straight or as listed, NEVER beyond the limit."""
    return _way(tables, tables.rare, i, j)


@compiled_helper
def _fill_listed_ways(tables, rare, local, m):  # type: ignore[no-untyped-def]
    for a in range(m):
        i = local.ids[a]
        for b in range(a):
            j = local.ids[b]
            km = _listed_way(rare, i, j)
            if km < NEVER and tables.disruption > 0 and tables.present[i] != tables.present[j]:
                km += tables.disruption
            local.km[a, b] = km
            local.km[b, a] = km


@compiled_helper
def _fill_local(tables, rare, local, m):  # type: ignore[no-untyped-def]
    straight = True
    if rare is not None:
        if rare.listed:
            straight = False
            _fill_listed_ways(tables, rare, local, m)
        for a in range(m):
            for p in range(1, tables.need.shape[1]):
                local.need[a, p] = tables.need[local.ids[a], p]
    for a in range(m):
        i = local.ids[a]
        local.phase[a] = tables.phase[i]
        local.language[a] = tables.language[i]
        local.strong[a] = tables.strong[i]
        local.need[a, 0] = tables.need[i, 0]
        local.preference[a] = tables.preference[i]
        local.capacity[a] = tables.capacity[i]
        local.km[a, a] = 0.0
        for b in range(a if straight else 0):
            j = local.ids[b]
            km = distance_km(tables.xyz, i, j)
            if km > tables.max_km:
                km = NEVER
            elif tables.disruption > 0 and tables.present[i] != tables.present[j]:
                km += tables.disruption
            local.km[a, b] = km
            local.km[b, a] = km


@compiled_inline
def fill_local(tables, local, m):  # type: ignore[no-untyped-def]
    """Copy the columns and ways of the first `m` places."""
    _fill_local(tables, tables.rare, local, m)


@compiled_helper
def are_apart(rare, i, j):  # type: ignore[no-untyped-def]
    """Whether two schools are to be apart."""
    apart = False
    for at in range(rare.extra[APART, i], rare.extra[APART, i + 1]):
        apart |= rare.links[at] == j
    return apart


@compiled_helper
def pins_broken(rare, local, row):  # type: ignore[no-untyped-def]
    """Count how badly pins are broken in a row, whoever leads it.

    1 a pair that is not apart, and for a group of which c of g are here c (g - c) / g, so that each
    member that finds the others helps.
    """
    size = local.size[row]
    broken = 0.0
    for x in range(size):
        a = local.rows[row, x]
        group = rare.extra[TOGETHER, local.ids[a]]
        if group >= 0:
            here = 0
            for y in range(size):
                here += rare.extra[TOGETHER, local.ids[local.rows[row, y]]] == group
            all_of_it = rare.extra[GROUP_SIZE, local.ids[a]]
            broken += (all_of_it - here) / all_of_it  # once for each of the c members
        for y in range(x):
            broken += are_apart(rare, local.ids[a], local.ids[local.rows[row, y]])
    return broken


@compiled_helper
def _price_rare(tables, rare, local, row):  # type: ignore[no-untyped-def]
    """Price with several priorities or pins; kept apart, since it would slow the usual way."""
    size = local.size[row]
    if size < tables.minimum or size > tables.maximum:
        return NEVER, -1
    members = local.rows[row]
    phase, language = local.phase[members[0]], local.language[members[0]]
    strong = 0
    need, need1, need2 = 0.0, 0.0, 0.0
    several = rare.several
    for x in range(size):
        a = members[x]
        phase &= local.phase[a]
        language &= local.language[a]
        strong |= local.strong[a]
        need += local.need[a, 0]
        if several:
            need1 += local.need[a, 1]
            need2 += local.need[a, 2]
    if phase == 0 or language == 0:
        return NEVER, -1
    leading = 0
    if rare.pinned:
        for x in range(size):
            leading += rare.extra[FIXED, local.ids[members[x]]]
    best, leader = NEVER, -1
    for x in range(size):
        a = members[x]
        if local.capacity[a] < size:
            continue
        total = local.preference[a]
        if several:
            missing = rare.extra[WANTED, local.ids[a]] & ~strong
            if missing & 1:
                total += tables.complement + need
            if missing & 2:
                total += tables.complement + need1
            if missing & 4:
                total += tables.complement + need2
        if leading > 0:
            total += PIN_BROKEN * (leading - rare.extra[FIXED, local.ids[a]])
        for y in range(size):
            total += local.km[a, members[y]]
            if total >= best:
                break
        if total < best:
            best, leader = total, a
    if leader < 0:
        return NEVER, -1
    off = size - tables.target
    best += tables.partnership + tables.balance * off * off
    if strong == 0:
        best += rare.all_weak if several else tables.complement + need
    if rare.pinned:
        best += PIN_BROKEN * pins_broken(rare, local, row)
    return best, leader


def _price_usual(tables, local, row):  # type: ignore[no-untyped-def]
    size = local.size[row]
    if size < tables.minimum or size > tables.maximum:
        return NEVER, -1
    members = local.rows[row]
    phase, language = local.phase[members[0]], local.language[members[0]]
    strong = 0
    need = 0.0
    for x in range(size):
        a = members[x]
        phase &= local.phase[a]
        language &= local.language[a]
        strong |= local.strong[a]
        need += local.need[a, 0]
    if phase == 0 or language == 0:
        return NEVER, -1
    best, leader = NEVER, -1
    for x in range(size):
        a = members[x]
        if local.capacity[a] < size:
            continue
        total = local.preference[a]
        for y in range(size):
            total += local.km[a, members[y]]
            if total >= best:
                break
        if total < best:
            best, leader = total, a
    if leader < 0:
        return NEVER, -1
    off = size - tables.target
    best += tables.partnership + tables.balance * off * off
    if strong == 0:
        best += tables.complement + need
    return best, leader


_price_usual_helper = compiled_helper(_price_usual)


def _price_any(tables, local, row):  # type: ignore[no-untyped-def]
    if tables.rare.several or tables.rare.pinned:
        return _price_rare(tables, tables.rare, local, row)
    return _price_usual_helper(tables, local, row)


def price(tables: Any, local: Any, row: Any) -> Any:
    """Cost of the partnership in `row` under its cheapest leader, and that leader's place.

    For compiled code alone, which takes one of the two functions above by the type of its tables. A
    choice while it runs, or an inlined one as in :func:`way`, makes the search 1.4 to 1.8 times as
    long.

    Raises
    ------
    TypeError
        From Python: the functions it would call have no door there.
    """
    raise TypeError("price is called by compiled code alone.")


@overload(price)
def _choose_price(tables, local, row):  # type: ignore[no-untyped-def]
    rare = tables.types[tables.fields.index("rare")]
    return _price_usual if isinstance(rare, types.NoneType) else _price_any
