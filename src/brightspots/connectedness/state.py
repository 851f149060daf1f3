"""A partition of the schools that changes in place: what the search works on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.costs import LEFT_OUT, NEVER, Local, fill_local, price
from brightspots.connectedness.problem import Tables
from brightspots.core.compiled import compiled, compiled_helper


class State(NamedTuple):
    """A partition that changes in place.

    `of` (n,) partnership of a school, -1 if none; `members` (g, maximum), `size`, `cost` (g,);
    `free` a stack of unused partnership numbers, `loose` the schools without one and `place` (n,)
    where they stand in it; `counts`: [free numbers, loose schools]; `random` the generator's state.
    """

    of: NDArray[np.int64]
    members: NDArray[np.int64]
    size: NDArray[np.int64]
    cost: NDArray[np.float64]
    free: NDArray[np.int64]
    loose: NDArray[np.int64]
    place: NDArray[np.int64]
    counts: NDArray[np.int64]
    random: NDArray[np.uint64]


@compiled_helper
def loosen(state, i):  # type: ignore[no-untyped-def]
    """Put a school on the stack of those without a partnership."""
    state.of[i] = -1
    state.place[i] = state.counts[1]
    state.loose[state.counts[1]] = i
    state.counts[1] += 1


@compiled_helper
def tighten(state, i):  # type: ignore[no-untyped-def]
    """Take a school off that stack."""
    last = state.loose[state.counts[1] - 1]
    state.loose[state.place[i]] = last
    state.place[last] = state.place[i]
    state.counts[1] -= 1


@compiled
def load(tables, state, local, groups):  # type: ignore[no-untyped-def]
    """Price the first `groups` partnerships; those not allowed are dissolved."""
    for g in range(groups):
        size = state.size[g]
        for x in range(size):
            local.ids[x] = state.members[g, x]
            local.rows[0, x] = x
        local.size[0] = size
        fill_local(tables, local, size)
        cost, _ = price(tables, local, 0)
        if cost < NEVER:
            state.cost[g] = cost
            continue
        for x in range(size):
            loosen(state, state.members[g, x])
        state.size[g] = 0
        state.cost[g] = 0.0
        state.free[state.counts[0]] = g
        state.counts[0] += 1


def total_of(state: State) -> float:
    """Cost of all partnerships and of the schools left out."""
    return float(state.cost.sum() + LEFT_OUT * state.counts[1])


def copy_of(state: State) -> State:
    """Copy every array."""
    return State._make(array.copy() for array in state)


def restore(state: State, best: State) -> None:
    """Put a copy back; the random numbers go on."""
    for name, array in zip(State._fields, state, strict=True):
        if name != "random":
            array[...] = getattr(best, name)


def make_state(
    tables: Tables, groups: list[NDArray[np.int64]], seed: int, local: Local
) -> State:  # fmt: skip
    """Lay out disjoint groups; those that are not allowed are dissolved."""
    n = len(tables.xyz)
    room = max(n // tables.minimum, len(groups)) + 1
    state = State(
        of=np.full(n, -1, dtype=np.int64),
        members=np.zeros((room, tables.maximum), dtype=np.int64),
        size=np.zeros(room, dtype=np.int64),
        cost=np.zeros(room),
        free=np.zeros(room, dtype=np.int64),
        loose=np.zeros(n + 1, dtype=np.int64),
        place=np.zeros(n, dtype=np.int64),
        counts=np.zeros(2, dtype=np.int64),
        random=np.array([np.uint64(seed % 2**64)], dtype=np.uint64),
    )
    unused = np.arange(room - 1, len(groups) - 1, -1)
    state.free[: len(unused)] = unused
    state.counts[0] = len(unused)
    for g, members in enumerate(groups):
        state.size[g] = len(members)
        state.members[g, : len(members)] = members
        state.of[members] = g
    load(tables, state, local, len(groups))
    return state
