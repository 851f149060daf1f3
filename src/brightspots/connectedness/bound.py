"""A lower bound on the cost: Lagrangian relaxation of "each school once".

With a multiplier u_i for each school i, every partition of the schools into sets S costs at least

    L(u) = sum_i u_i + sum_j min(0, v_j),    v_j = min over S led by j of c(S, j) - sum_{i in S} u_i

since each leader leads at most one partnership (the one it belongs to). The cheapest set of a
leader is found exactly, size by size: the schools of smallest km + ... - u, with the two cases "a
strong school is in it" and "none is"; with two or three priorities by a dynamic programme
(:mod:`brightspots.connectedness.bound_many`). Any u gives a valid bound; subgradient steps with
Polyak's step size look for a good one (Held, Wolfe and Crowder 1974, "Validation of subgradient
optimization", Mathematical Programming 6). Phase and language are checked between leader and member
only, which is exact unless schools have several of them and never makes the bound too large. Pins
are left out: what keeps to them is one of the partitions bounded here, so the bound holds for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.bound_many import keep_smallest, price_leaders_many
from brightspots.connectedness.costs import NEVER
from brightspots.connectedness.problem import Tables
from brightspots.connectedness.reach import Arcs, ArcStore
from brightspots.connectedness.settings import StopEarly
from brightspots.core.compiled import compiled

NEAREST = 64
"""Schools of a star used in the steps when not all arcs fit in memory; the last look uses all."""
PATIENCE = 12
"""Steps without a better bound after which the step size is halved."""


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
            n_all = keep_smallest(all_value, all_place, n_all, others, value, i)
            if tables.strong[i] != 0:
                if value < strong_value:
                    strong_value, strong_place = value, i
            else:
                value += tables.need[i, 0]
                n_weak = keep_smallest(weak_value, weak_place, n_weak, others, value, i)
        base = tables.preference[j] + tables.partnership - u[j]
        best, best_size, best_case = 0.0, 0, 0
        sum_all, sum_weak = 0.0, 0.0
        has_strong = tables.strong[j] != 0
        for size in range(1, min(tables.maximum, tables.capacity[j]) + 1):
            last = size - 2
            if last >= 0:
                if last < n_all:
                    sum_all += all_value[last]
                    has_strong = has_strong or tables.strong[all_place[last]] != 0
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
            if tables.strong[j] == 0 and last < n_weak:
                value = fixed + sum_weak + tables.complement + tables.need[j, 0]
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
    price_leaders = price_leaders_many if tables.several else _price_leaders
    for part in arcs:
        price_leaders(
            tables, part.leaders, part.first, part.school, part.km, u, nearest, values, times
        )
    return values, times


def _shortened(part: Arcs) -> Arcs:
    """Keep the nearest schools of each star only; arcs are sorted by distance."""
    sizes = np.minimum(np.diff(part.first), NEAREST)
    first = np.concatenate([[0], np.cumsum(sizes)])
    keep = np.repeat(part.first[:-1] - first[:-1], sizes) + np.arange(first[-1])
    return Arcs(part.leaders, first, part.school[keep], part.km[keep])


class Bounding:
    """Multipliers that get better bit by bit: a bound early in a search, and a better one later.

    Attributes
    ----------
    u : float array, shape (n,)
        The best multipliers so far.
    """

    def __init__(
        self, tables: Tables, arcs: ArcStore, schools: NDArray[np.int64], start: NDArray[np.float64]
    ) -> None:
        """Take `arcs` among `schools` only, and multipliers to start from, shape (n,)."""
        self.tables, self.arcs, self.schools = tables, arcs, schools
        self.some = [arcs.complete] if arcs.complete else [_shortened(part) for part in arcs]
        self.u = start.copy()
        self._at, self._best = start.copy(), -np.inf
        self._direction = np.zeros(len(start))
        self._scale, self._since = 1.0, 0

    def refine(
        self, cost: float, steps: int, progress: Callable[[float, str], None] | None = None
    ) -> None:
        """Take up to `steps` subgradient steps; `cost` of a known partition sets their size."""
        schools = self.schools
        for step in range(steps):
            values, times = _evaluate(self.tables, self.some, self._at, 1 << 30)
            bound = float(self._at[schools].sum() + values[schools].sum())
            if bound > self._best:
                self._best, self.u, self._since = bound, self._at.copy(), 0
            else:
                self._since += 1
                if self._since >= PATIENCE:
                    self._scale, self._since, self._at = self._scale / 2, 0, self.u.copy()
                    self._direction[:] = 0.0
                    continue
            slope = np.zeros(len(self._at))
            slope[schools] = 1.0 - times[schools]
            self._direction = 0.7 * slope + 0.3 * self._direction  # deflected: less zigzag
            length = float(self._direction @ self._direction)
            if length < 1e-12 or cost - self._best < 1e-9:
                break
            size = self._scale * max(cost - bound, 1e-6 * abs(cost)) / length
            self._at = self._at + size * self._direction
            if progress:
                progress((step + 1) / steps, "bounding")

    def shares(self) -> NDArray[np.float64]:
        """Shares of the bound by school, u_i + min(0, v_i), over all arcs within the limit.

        Their sum over any union of connected components is a valid bound for serving exactly the
        schools of these components.
        """
        values, _ = _evaluate(self.tables, self.arcs, self.u, 1 << 30)
        result: NDArray[np.float64] = self.u + values
        return result


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
        See :meth:`Bounding.shares`.
    """
    bounding = Bounding(tables, arcs, schools, start)
    with contextlib.suppress(KeyboardInterrupt, StopEarly):  # any multipliers give a bound
        bounding.refine(cost, steps, progress)
    return bounding.shares()
