"""Polish: choose anew, block by block, among the partnerships that a search has met on the way.

In a block of a few hundred schools HiGHS picks the cheapest sets that hold each school once (set
partitioning). The present partnerships are among the sets, so an answer never gets dearer. Blocks
are cut across the map at a random angle, another one in each sweep, so that their borders move.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array

from brightspots.connectedness.costs import make_local
from brightspots.connectedness.pool import Pool
from brightspots.connectedness.problem import Tables
from brightspots.connectedness.state import make_state
from brightspots.connectedness.stopping import StopEarly

BLOCK = 350
"""Most schools in a block: some seconds of work for HiGHS."""
MOST_SETS = 6_000
"""Sets of a block, those of least reduced cost; three times as many took eight times as long."""
NODES = 10
"""Branch and bound gives up here: a number and not a time, so that answers do not depend on it."""
AT_ONCE = 400_000
"""Sets of the pool looked at in one piece, to save memory."""


def polish(
    tables: Tables,
    groups: list[NDArray[np.int64]],
    pool: Pool,
    *,
    seed: int,
    sweeps: int,
    deadline: float | None,
    progress: Callable[[float, str], None],
) -> tuple[list[NDArray[np.int64]], bool]:
    """Improve a partition by set partitioning on blocks.

    Parameters
    ----------
    groups : list of int arrays
        Allowed partnerships; each school in one of them at most.
    pool : Pool
        Further sets; those with a school of no partnership are passed over.
    seed : int
        Of the angles at which the map is cut.
    sweeps : int
        How often the whole map is gone over; it ends sooner when a sweep finds nothing.
    deadline : float, optional
        Value of ``time.monotonic()`` at which to stop early.
    progress : callable
        Called with the share done and the stage.

    Returns
    -------
    groups : list of int arrays
    stopped_early : bool
    """
    random = np.random.default_rng(seed)
    groups, cost = list(groups), costs_of(tables, groups)
    for sweep in range(sweeps):
        blocks = cut(tables, groups, random.uniform(0, math.pi), BLOCK)
        by_block = _sets_by_block(len(tables.xyz), groups, blocks, pool)
        better = 0
        todo = [
            ([groups[g] for g in block], cost[block], pool, places)
            for block, places in zip(blocks, by_block, strict=True)
        ]
        # HiGHS works outside Python's lock; answers are taken in the order of the blocks.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            waiting = [threads.submit(_solve, *one) for one in todo]
            try:
                for number, (block, answer) in enumerate(zip(blocks, waiting, strict=True)):
                    found, prices = answer.result()
                    if found:
                        better += 1
                        for g in block:
                            groups[g] = np.empty(0, dtype=np.int64)
                        groups += found
                        cost = np.concatenate([cost, prices])
                    progress((sweep + (number + 1) / len(blocks)) / sweeps, "polishing")
                    if deadline is not None and time.monotonic() > deadline:
                        raise StopEarly
            except (KeyboardInterrupt, StopEarly):
                threads.shutdown(cancel_futures=True)
                return [group for group in groups if len(group)], True
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
        keep = [g for g, group in enumerate(groups) if len(group)]
        groups, cost = [groups[g] for g in keep], cost[keep]
        if not better:
            break
    return groups, False


def costs_of(tables: Tables, groups: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Cost of each partnership under its cheapest leader; all must be allowed."""
    local = make_local(tables.maximum, 1, tables.maximum)
    state = make_state(tables, groups, 0, local)
    result: NDArray[np.float64] = state.cost[: len(groups)].copy()
    return result


def cut(
    tables: Tables, groups: list[NDArray[np.int64]], angle: float, most: int
) -> list[NDArray[np.int64]]:
    """Split partnerships into neighbouring blocks of at most `most` schools.

    The map is halved again and again, along `angle` or across it.
    """
    middle = np.array([tables.xyz[group].mean(axis=0) for group in groups])
    sizes = np.array([len(group) for group in groups])
    up = middle.mean(axis=0)
    up /= max(float(np.linalg.norm(up)), 1e-9)
    east = np.cross([0.0, 0.0, 1.0] if abs(up[2]) < 0.9 else [1.0, 0.0, 0.0], up)
    east /= np.linalg.norm(east)
    north = np.cross(up, east)
    flat = middle @ np.column_stack([
        math.cos(angle) * east + math.sin(angle) * north,
        math.cos(angle) * north - math.sin(angle) * east,
    ])  # fmt: skip
    return halve(flat, sizes, most)


def halve(
    points: NDArray[np.float64], sizes: NDArray[np.int64], most: int
) -> list[NDArray[np.int64]]:
    """Halve a map across its longer side until no piece weighs more than `most`.

    Parameters
    ----------
    points : float array, shape (m, d)
    sizes : int array, shape (m,)
        What each point weighs.

    Returns
    -------
    list of int arrays
        Numbers of points; ties fall by their order.
    """
    pieces, waiting = [], [np.arange(len(points))]
    while waiting:
        part = waiting.pop()
        count = int(sizes[part].sum())
        if count <= most or len(part) == 1:
            pieces.append(part)
            continue
        axis = int(np.argmax(np.ptp(points[part], axis=0)))
        order = part[np.argsort(points[part, axis], kind="stable")]
        at = int(np.searchsorted(np.cumsum(sizes[order]), count / 2)) + 1
        at = min(max(at, 1), len(order) - 1)
        waiting += [order[at:], order[:at]]
    return pieces


def _sets_by_block(
    n: int, groups: list[NDArray[np.int64]], blocks: list[NDArray[np.int64]], pool: Pool
) -> list[NDArray[np.int64]]:
    """Places in the pool of the sets that lie within each block."""
    block_of = np.full(n, -1, dtype=np.int32)
    for at, block in enumerate(blocks):
        for g in block:
            block_of[groups[g]] = at
    found = [np.empty(0, dtype=np.int64)]
    numbers = [np.empty(0, dtype=np.int32)]
    columns = np.arange(pool.members.shape[1])
    for first in range(0, len(pool.size), AT_ONCE):
        used = first + np.flatnonzero(pool.size[first : first + AT_ONCE])
        of = block_of[pool.members[used]]
        absent = columns[None, :] >= pool.size[used][:, None]
        inside = (of[:, 0] >= 0) & ((of == of[:, :1]) | absent).all(axis=1)
        found.append(used[inside])
        numbers.append(of[inside, 0])
    place, number = np.concatenate(found), np.concatenate(numbers)
    order = np.argsort(number, kind="stable")
    edges = np.searchsorted(number[order], np.arange(len(blocks) + 1))
    return [place[order[a:b]] for a, b in pairwise(edges)]


def _solve(
    kept: list[NDArray[np.int64]],
    costs: NDArray[np.float64],
    pool: Pool,
    places: NDArray[np.int64],
) -> tuple[list[NDArray[np.int64]], NDArray[np.float64]]:
    """Cheapest partition of the schools of `kept`, and its costs; empty if it is no cheaper."""
    total = float(costs.sum())
    schools = np.sort(np.concatenate(kept))
    # No partition that is cheaper than the present one holds a set whose reduced cost is above
    # what the present one lies above the multipliers' sum, as far as no reduced cost is negative.
    slack = total - float((pool.u + pool.v)[schools].sum())
    places = places[pool.reduced[places] <= max(slack, 1e-6)]
    if len(places) > MOST_SETS:
        places = places[np.argsort(pool.reduced[places], kind="stable")[:MOST_SETS]]
    if not len(places):
        return [], np.empty(0)
    sizes = np.concatenate([[len(group) for group in kept], pool.size[places]])
    members = pool.members[places]
    inside = np.arange(members.shape[1])[None, :] < pool.size[places][:, None]
    rows = np.searchsorted(schools, np.concatenate([*kept, members[inside]]))
    first = np.concatenate([[0], np.cumsum(sizes)])
    matrix = csc_array((np.ones(len(rows)), rows, first), shape=(len(schools), len(sizes)))
    prices = np.concatenate([costs, pool.cost[places]])
    answer = milp(
        prices,
        integrality=np.ones(len(sizes), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, 1.0, 1.0),
        options={"node_limit": NODES, "mip_rel_gap": 1e-4},
    )
    if answer.x is None or answer.fun is None or answer.fun >= total - 1e-7:
        return [], np.empty(0)
    chosen = np.flatnonzero(np.round(answer.x) == 1)
    found = [schools[rows[first[c] : first[c + 1]]] for c in chosen]
    # HiGHS keeps to its tolerances; the answer is used only if it is a partition to the school.
    if not np.array_equal(np.sort(np.concatenate(found)), schools):
        return [], np.empty(0)
    return found, prices[chosen]
