"""The cheapest set of each leader with two or three priorities, for the lower bound.

A set pays for each priority that is wanted around its leader and that no member is strong in. For a
leader and a choice M of priorities left without, every school has one price: its way, less its
multiplier, plus its need in M. The cheapest set of each size that covers the other wanted
priorities needs at most three schools to cover them, each the cheapest of those strong in the same
priorities, and else the cheapest schools of all. So a dynamic programme over (size, covered
priorities) on these few finds it exactly; the least over M is the cheapest set, since a set is
charged right where M is what it is left without, and never too little elsewhere.
"""

from __future__ import annotations

import numpy as np

from brightspots.connectedness.costs import NEVER
from brightspots.connectedness.tables import WANTED
from brightspots.core.compiled import compiled, compiled_helper

MASKS = 8
"""Combinations of three priorities."""
FEWEST_FIRST = np.array([0, 1, 2, 4, 3, 5, 6, 7])
"""These combinations by how many priorities are in them."""


@compiled_helper
def keep_smallest(values, places, count, limit, value, place):  # type: ignore[no-untyped-def]
    """Insert into a sorted list of at most `limit`; return the new length."""
    if count == limit and value >= values[count - 1]:
        return count
    at = count if count < limit else limit - 1
    while at > 0 and values[at - 1] > value:
        values[at] = values[at - 1]
        places[at] = places[at - 1]
        at -= 1
    values[at] = value
    places[at] = place
    return min(count + 1, limit)


@compiled_helper
def _candidates(tables, school, km, first, last, u, j, without, others, values, places, best_of):  # type: ignore[no-untyped-def]
    """Collect the cheapest `others` schools of a star, then the cheapest of each kind of strength.

    A school's price includes its need in the priorities `without`. Returns how many there are.
    """
    count = 0
    for strong in range(MASKS):
        best_of[strong] = -1
    kind_value = np.full(MASKS, NEVER)
    for at in range(first, last):
        i = school[at]
        value = km[at] - u[i]
        if tables.disruption > 0 and tables.present[i] != tables.present[j]:
            value += tables.disruption
        for p in range(tables.need.shape[1]):
            if without >> p & 1:
                value += tables.need[i, p]
        count = keep_smallest(values, places, count, others, value, i)
        strong = tables.strong[i]
        if strong > 0 and value < kind_value[strong]:
            kind_value[strong], best_of[strong] = value, i
    for strong in range(1, MASKS):
        i = best_of[strong]
        known = i < 0
        for x in range(count):
            known = known or places[x] == i
        if not known:
            values[count], places[count] = kind_value[strong], i
            count += 1
    return count


@compiled_helper
def _cover(tables, values, places, count, own, most, cost, chosen):  # type: ignore[no-untyped-def]
    """Least `cost[size, covered]` of sets of others, and which they are, by dynamic programme.

    `own` is what the leader itself is strong in; `chosen` holds a bit for each candidate.
    """
    cost[: most + 1, :] = NEVER
    cost[0, own] = 0.0
    chosen[0, own] = 0
    for x in range(count):
        strong = tables.strong[places[x]]
        for size in range(min(x, most - 1), -1, -1):
            for covered in range(MASKS):
                if cost[size, covered] >= NEVER:
                    continue
                value = cost[size, covered] + values[x]
                after = covered | strong
                if value < cost[size + 1, after]:
                    cost[size + 1, after] = value
                    chosen[size + 1, after] = chosen[size, covered] | (1 << x)


@compiled
def price_leaders_many(  # type: ignore[no-untyped-def]
    tables, leaders, first, school, km, u, nearest, values, times
):
    """Set `values[j]` to min(0, v_j); add 1 to `times[i]` for each school of the cheapest sets."""
    others = tables.maximum - 1
    value, place = np.empty(others + MASKS), np.empty(others + MASKS, np.int64)
    best_place = np.empty(others + MASKS, np.int64)
    best_of = np.empty(MASKS, np.int64)
    cost = np.empty((others + 1, MASKS))
    chosen = np.zeros((others + 1, MASKS), np.int64)
    for a in range(len(leaders)):
        j = leaders[a]
        own, wanted = tables.strong[j], tables.rare.extra[WANTED, j]
        last = min(first[a + 1], first[a] + nearest)
        base = tables.preference[j] + tables.partnership - u[j]
        best, best_set = 0.0, np.int64(-1)
        least = -NEVER
        for without in FEWEST_FIRST:
            if without & ~(wanted & ~own) != 0:
                continue
            # No set is cheaper than the one that nothing has to be covered by, and what it is
            # left without comes on top.
            few = (without & 1) + (without >> 1 & 1) + (without >> 2 & 1)
            if least + few * tables.complement >= best + 1e-9:
                continue
            count = _candidates(
                tables, school, km, first[a], last, u, j, without, others, value, place, best_of
            )
            most = min(tables.maximum, tables.capacity[j]) - 1
            if without == 0:
                least, total = NEVER, base
                for size in range(1, min(most, min(count, last - first[a])) + 2):
                    if size >= 2:
                        total += value[size - 2]
                    if size >= tables.minimum:
                        off = size - tables.target
                        least = min(least, total + tables.balance * off * off)
                if least >= 1e-9:
                    break
            _cover(tables, value, place, count, own, most, cost, chosen)
            charge = base
            for p in range(tables.need.shape[1]):
                if without >> p & 1:
                    charge += tables.complement + tables.need[j, p]
            for size in range(tables.minimum, most + 2):
                off = size - tables.target
                fixed = charge + tables.balance * off * off
                for covered in range(MASKS):
                    if cost[size - 1, covered] >= NEVER or wanted & ~covered & ~without != 0:
                        continue
                    total = fixed + cost[size - 1, covered]
                    if covered == 0:
                        total += tables.rare.all_weak
                    if total < best:
                        best, best_set = total, chosen[size - 1, covered]
                        for x in range(count):
                            best_place[x] = place[x]
        values[j] = best
        if best_set < 0:
            continue
        times[j] += 1
        for x in range(others + MASKS):
            if best_set >> x & 1:
                times[best_place[x]] += 1
