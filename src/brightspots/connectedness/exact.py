"""The best partition of a small component, proved: every feasible set, and HiGHS to choose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from brightspots.connectedness.compiled import compiled
from brightspots.connectedness.costs import NEVER, Local, fill_local, make_local, price
from brightspots.connectedness.problem import Tables

LARGEST_COMPONENT = 14
"""All subsets are listed, so the work doubles with each school."""


@compiled
def _all_sets(tables, local, m, costs):  # type: ignore[no-untyped-def]
    """Cost of each subset of the first `m` places, by its bit mask; NEVER where not allowed."""
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


def solve_exactly(
    tables: Tables, schools: NDArray[np.int64]
) -> tuple[list[NDArray[np.int64]], list[int]]:
    """Serve as many of `schools` as possible, at the least cost; both proved.

    Set packing over all feasible sets S, solved twice: the largest sum of |S| x_S, then the least
    sum of c(S) x_S among those, with each school in one set at most.

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
    fill_local(tables, local, m)
    costs = np.full(1 << m, NEVER)
    _all_sets(tables, local, m, costs)
    sets = np.flatnonzero(costs < NEVER)
    if not len(sets):
        return [], schools.tolist()
    inside = (sets[None, :] >> np.arange(m)[:, None]) & 1
    sizes = inside.sum(axis=0)
    once = LinearConstraint(csr_array(inside), -np.inf, 1)
    whole = np.ones(len(sets), dtype=np.int64)
    most = milp(
        -sizes,
        constraints=once,
        integrality=whole,
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if most.fun is None:
        raise RuntimeError(f"HiGHS: {most.message}")
    served = round(-float(most.fun))
    all_served = LinearConstraint(sizes[None, :], served, served)
    best = milp(
        costs[sets],
        constraints=[once, all_served],
        integrality=whole,
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if best.x is None:
        raise RuntimeError(f"HiGHS: {best.message}")
    picked = np.flatnonzero(best.x > 0.5)
    groups = [schools[inside[:, s] == 1] for s in picked]
    left = schools[inside[:, picked].sum(axis=1) == 0]
    return groups, left.tolist()
