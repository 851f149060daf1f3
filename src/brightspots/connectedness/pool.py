"""Partnerships met on the way: a search sees many good sets, and a polish combines them anew."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.costs import NEVER, fill_local, make_local, price, way
from brightspots.connectedness.problem import Tables
from brightspots.core.compiled import compiled, compiled_helper

SLOTS_A_SCHOOL = 24
"""Sets kept for each school; four times as many made no difference after 40 steps a school."""
PROBES = 4
"""Places a set may stand in; the dearest there gives way."""
KEEP_BELOW_KM = 20.0
"""A set whose reduced cost is above this will be in no good partition."""


class Pool(NamedTuple):
    """Sets of schools in a table by hash; p places, 0 for a search that keeps nothing.

    `members` (p, maximum) school numbers, `size` (p,) 0 where empty, `leader` (p,), `cost` (p,),
    `reduced` (p,) the cost less the multipliers of the members and of the leader, `key` (p,); `u`
    and `v` (n,) the multipliers of "each school once" and of "each leader leads one at most", the
    latter never above 0.
    """

    members: NDArray[np.int32]
    size: NDArray[np.int64]
    leader: NDArray[np.int32]
    cost: NDArray[np.float64]
    reduced: NDArray[np.float64]
    key: NDArray[np.uint64]
    u: NDArray[np.float64]
    v: NDArray[np.float64]


def make_pool(n: int, maximum: int, places: int) -> Pool:
    """Room for `places` sets of `n` schools; the multipliers are 0 until they are known."""
    return Pool(
        members=np.zeros((places, maximum), dtype=np.int32),
        size=np.zeros(places, dtype=np.int64),
        leader=np.zeros(places, dtype=np.int32),
        cost=np.zeros(places),
        reduced=np.zeros(places),
        key=np.zeros(places, dtype=np.uint64),
        u=np.zeros(n),
        v=np.zeros(n),
    )


@compiled_helper
def collect(pool, local, row):  # type: ignore[no-untyped-def]
    """Keep the set in a row of `local`, unless it is known or too dear."""
    places = len(pool.size)
    size = local.size[row]
    leader = local.ids[local.leader[row]]
    reduced = local.cost[row] - pool.v[leader]
    key = np.uint64(0)
    for x in range(size):
        i = local.ids[local.rows[row, x]]
        reduced -= pool.u[i]
        z = np.uint64(i + 1) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        key += z ^ (z >> np.uint64(31))  # a sum: the order of members does not matter
    if reduced > KEEP_BELOW_KM:
        return
    first = np.int64(key % np.uint64(places))
    worst, where = reduced, np.int64(-1)
    for probe in range(PROBES):
        at = (first + probe) % places
        if pool.size[at] == 0:
            where = at
            break
        if pool.key[at] == key:
            return
        if pool.reduced[at] > worst:
            worst, where = pool.reduced[at], at
    if where < 0:
        return
    pool.size[where], pool.leader[where], pool.cost[where] = size, leader, local.cost[row]
    pool.reduced[where], pool.key[where] = reduced, key
    for x in range(size):
        pool.members[where, x] = local.ids[local.rows[row, x]]


def judge_anew(
    pool: Pool, multipliers: tuple[NDArray[np.float64], NDArray[np.float64]] | None
) -> None:
    """Reduced costs by better multipliers, in place; with None those of before stay."""
    if multipliers is None:
        return
    pool.u[:], pool.v[:] = multipliers
    for first in range(0, len(pool.size), 400_000):
        part = slice(first, first + 400_000)
        inside = np.arange(pool.members.shape[1])[None, :] < pool.size[part][:, None]
        worth = np.where(inside, pool.u[pool.members[part]], 0.0).sum(axis=1)
        pool.reduced[part] = pool.cost[part] - pool.v[pool.leader[part]] - worth


def add_near_best(tables: Tables, pool: Pool, limit_km: float, most: int) -> None:
    """Add sets whose reduced cost is at most `limit_km`, up to `most` for each leader.

    Listed leader by leader among its nearest schools, those of least distance less multiplier
    first. What depends on the set as a whole is not known while a set grows; it is never below 0,
    so that no set is passed over for it.
    """
    local = make_local(tables.maximum + 1, 1, tables.maximum)
    _add_near_best(tables, pool, local, limit_km, most)


@compiled
def _add_near_best(tables, pool, local, limit, most):  # type: ignore[no-untyped-def]
    k = tables.near.shape[1]
    worth, place = np.empty(k), np.empty(k, np.int64)
    chosen, partial = np.empty(tables.maximum, np.int64), np.empty(tables.maximum + 1)
    for j in range(len(tables.xyz)):
        if tables.capacity[j] < tables.minimum or tables.near[j, 0] < 0:
            continue
        count = 0
        for x in range(k):
            i = tables.near[j, x]
            if i < 0:
                break
            value = way(tables, i, j) - pool.u[i]
            if tables.disruption > 0 and tables.present[i] != tables.present[j]:
                value += tables.disruption
            at = count
            while at > 0 and worth[at - 1] > value:
                worth[at], place[at] = worth[at - 1], place[at - 1]
                at -= 1
            worth[at], place[at] = value, i
            count += 1
        base = tables.preference[j] + tables.partnership - pool.u[j] - pool.v[j]
        found, looked = 0, 0
        for size in range(tables.minimum, min(tables.maximum, tables.capacity[j]) + 1):
            off = size - tables.target
            others = size - 1
            partial[0] = base + tables.balance * off * off
            # Depth first through the choices of `others` places in rising order of worth.
            depth, following = 0, 0
            while depth >= 0 and found < most and looked < 50 * most:
                if following + (others - depth) > count:
                    depth -= 1
                    if depth >= 0:
                        following = chosen[depth] + 1
                    continue
                looked += 1
                least = partial[depth]
                for x in range(others - depth):
                    least += worth[following + x]
                if least > limit:  # later places are worth no less
                    depth -= 1
                    if depth >= 0:
                        following = chosen[depth] + 1
                    continue
                chosen[depth] = following
                partial[depth + 1] = partial[depth] + worth[following]
                following += 1
                depth += 1
                if depth < others:
                    continue
                local.ids[0] = j
                local.rows[0, 0] = 0
                for x in range(others):
                    local.ids[x + 1] = place[chosen[x]]
                    local.rows[0, x + 1] = x + 1
                local.size[0] = size
                fill_local(tables, local, size)
                local.cost[0], local.leader[0] = price(tables, local, 0)
                if local.cost[0] < NEVER:
                    collect(pool, local, 0)
                    found += 1
                depth -= 1
                following = chosen[depth] + 1
