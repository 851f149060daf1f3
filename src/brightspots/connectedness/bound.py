"""A lower bound on the cost: Lagrangian relaxation of "each school once".

With a multiplier u_i for each school i, every partition of the schools into sets S costs at least

    L(u) = sum_i u_i + sum_j min(0, v_j),    v_j = min over S led by j of c(S, j) - sum_{i in S} u_i

since each leader leads at most one partnership (the one it belongs to). The cheapest set of a
leader is found exactly, size by size: the schools of smallest km + ... - u, with the two cases "a
strong school is in it" and "none is". Any u gives a valid bound; subgradient steps with Polyak's
step size look for a good one (Held, Wolfe and Crowder 1974, "Validation of subgradient
optimization", Mathematical Programming 6). Phase and language are checked between leader and member
only, which is exact unless schools have several of them and never makes the bound too large.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.costs import NEVER
from brightspots.connectedness.problem import Tables
from brightspots.connectedness.reach import Arcs, ArcStore
from brightspots.core.compiled import compiled, compiled_helper

NEAREST = 64
"""Schools of a star used in the steps when not all arcs fit in memory; the last look uses all."""
PATIENCE = 12
"""Steps without a better bound after which the step size is halved."""


@compiled_helper
def _keep_smallest(values, places, count, limit, value, place):  # type: ignore[no-untyped-def]
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


@compiled
def _price_leaders(  # type: ignore[no-untyped-def]
    tables, leaders, first, school, km, u, nearest, values, times
):
    """Set `values[j]` to min(0, v_j); add 1 to `times[i]` for each school of the cheapest sets."""
    others = tables.maximum - 1
    all_value, all_place = np.empty(others), np.empty(others, np.int64)
    weak_value, weak_place = np.empty(others), np.empty(others, np.int64)
    for a in range(len(leaders)):
        j = leaders[a]
        values[j] = 0.0
        n_all, n_weak = 0, 0
        strong_value, strong_place = NEVER, -1
        for at in range(first[a], min(first[a + 1], first[a] + nearest)):
            i = school[at]
            value = km[at] - u[i]
            if tables.disruption > 0 and tables.present[i] != tables.present[j]:
                value += tables.disruption
            n_all = _keep_smallest(all_value, all_place, n_all, others, value, i)
            if tables.strong[i]:
                if value < strong_value:
                    strong_value, strong_place = value, i
            else:
                value += tables.need[i]
                n_weak = _keep_smallest(weak_value, weak_place, n_weak, others, value, i)
        base = tables.preference[j] + tables.partnership - u[j]
        best, best_size, best_case = 0.0, 0, 0
        sum_all, sum_weak = 0.0, 0.0
        has_strong = tables.strong[j]
        for size in range(1, min(tables.maximum, tables.capacity[j]) + 1):
            last = size - 2
            if last >= 0:
                if last < n_all:
                    sum_all += all_value[last]
                    has_strong = has_strong or tables.strong[all_place[last]]
                if last < n_weak:
                    sum_weak += weak_value[last]
            if size < tables.minimum or last >= n_all:
                continue
            off = size - tables.target
            fixed = base + tables.balance * off * off
            if has_strong:
                if fixed + sum_all < best:
                    best, best_size, best_case = fixed + sum_all, size, 1
            elif strong_place >= 0:
                value = fixed + sum_all - all_value[last] + strong_value
                if value < best:
                    best, best_size, best_case = value, size, 2
            if not tables.strong[j] and last < n_weak:
                value = fixed + sum_weak + tables.complement + tables.need[j]
                if value < best:
                    best, best_size, best_case = value, size, 3
        if best_size == 0:
            continue
        values[j] = best
        times[j] += 1
        for x in range(best_size - 1):
            if best_case == 3:
                times[weak_place[x]] += 1
            elif best_case == 2 and x == best_size - 2:
                times[strong_place] += 1
            else:
                times[all_place[x]] += 1


def _evaluate(
    tables: Tables, arcs: list[Arcs] | ArcStore, u: NDArray[np.float64], nearest: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    values = np.zeros(len(u))
    times = np.zeros(len(u), dtype=np.int64)
    for part in arcs:
        _price_leaders(
            tables, part.leaders, part.first, part.school, part.km, u, nearest, values, times
        )
    return values, times


def _shortened(part: Arcs) -> Arcs:
    """Keep the nearest schools of each star only; arcs are sorted by distance."""
    sizes = np.minimum(np.diff(part.first), NEAREST)
    first = np.concatenate([[0], np.cumsum(sizes)])
    keep = np.repeat(part.first[:-1] - first[:-1], sizes) + np.arange(first[-1])
    return Arcs(part.leaders, first, part.school[keep], part.km[keep])


def lower_bound(
    tables: Tables,
    arcs: ArcStore,
    schools: NDArray[np.int64],
    cost: float,
    start: NDArray[np.float64],
    steps: int,
    progress: Callable[[float, str], None],
) -> NDArray[np.float64]:
    """Bound the cost of serving exactly `schools`.

    Parameters
    ----------
    arcs : ArcStore
        Among `schools` only.
    cost : float
        Of a known partition; sets the step size and nothing else.
    start : float array, shape (n,)
        First multipliers: each school's share of that cost.
    steps : int

    Returns
    -------
    float array, shape (n,)
        Shares of the bound: u_i + min(0, v_i). Their sum over any union of connected components is
        a valid bound for these schools. Evaluated over all arcs within the limit.
    """
    some = [arcs.complete] if arcs.complete else [_shortened(part) for part in arcs]
    u, best_u, best = start.copy(), start.copy(), -np.inf
    direction = np.zeros(len(u))
    scale, since = 1.0, 0
    for step in range(steps):
        values, times = _evaluate(tables, some, u, 1 << 30)
        bound = float(u[schools].sum() + values[schools].sum())
        if bound > best:
            best, best_u, since = bound, u.copy(), 0
        else:
            since += 1
            if since >= PATIENCE:
                scale, since, u = scale / 2, 0, best_u.copy()
                direction[:] = 0.0
                continue
        slope = np.zeros(len(u))
        slope[schools] = 1.0 - times[schools]
        direction = 0.7 * slope + 0.3 * direction  # deflected: less zigzag
        length = float(direction @ direction)
        if length < 1e-12 or cost - best < 1e-9:
            break
        u = u + scale * max(cost - bound, 1e-6 * abs(cost)) / length * direction
        progress((step + 1) / steps, "bounding")
    values, _ = _evaluate(tables, arcs, best_u, 1 << 30)
    return best_u + values
