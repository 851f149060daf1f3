"""What a partnership costs: compiled, for the search, on a small local table of schools."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brightspots.core.compiled import compiled, compiled_helper
from brightspots.core.geography import EARTH_RADIUS_KM

NEVER = 1e18
"""Cost of what is not allowed."""
LEFT_OUT = 1e7
"""Cost of a school left out: more than any change of travel, so isolation always comes first."""
DIAMETER_KM = 2 * EARTH_RADIUS_KM


class Local(NamedTuple):
    """A few schools taken out for a closer look; p places, of which the first are in use.

    `ids` (p,) their numbers; `km` (p, p) cost of member and leader: distance, plus disruption,
    or NEVER beyond the limit; then their columns; `rows` (r, maximum) places of the members of
    partnership r, with `size`, `cost`, `leader` (place), and `of` (p,) the partnership of a place,
    -1 if left out.
    """

    ids: NDArray[np.int64]
    km: NDArray[np.float64]
    phase: NDArray[np.int64]
    language: NDArray[np.int64]
    strong: NDArray[np.bool_]
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
        strong=np.zeros(places, dtype=bool),
        need=np.zeros(places),
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
def fill_local(tables, local, m):  # type: ignore[no-untyped-def]
    """Copy the columns and distances of the first `m` places."""
    for a in range(m):
        i = local.ids[a]
        local.phase[a] = tables.phase[i]
        local.language[a] = tables.language[i]
        local.strong[a] = tables.strong[i]
        local.need[a] = tables.need[i]
        local.preference[a] = tables.preference[i]
        local.capacity[a] = tables.capacity[i]
        local.km[a, a] = 0.0
        for b in range(a):
            j = local.ids[b]
            km = distance_km(tables.xyz, i, j)
            if km > tables.max_km:
                km = NEVER
            elif tables.disruption > 0 and tables.present[i] != tables.present[j]:
                km += tables.disruption
            local.km[a, b] = km
            local.km[b, a] = km


@compiled_helper
def price(tables, local, row):  # type: ignore[no-untyped-def]
    """Cost of the partnership in `row` under its cheapest leader, and that leader's place."""
    size = local.size[row]
    if size < tables.minimum or size > tables.maximum:
        return NEVER, -1
    members = local.rows[row]
    phase, language = local.phase[members[0]], local.language[members[0]]
    strong = False
    need = 0.0
    for x in range(size):
        a = members[x]
        phase &= local.phase[a]
        language &= local.language[a]
        strong |= local.strong[a]
        need += local.need[a]
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
    if not strong:
        best += tables.complement + need
    return best, leader
