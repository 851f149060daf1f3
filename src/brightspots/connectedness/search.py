"""Ruin and recreate: take a few neighbouring partnerships apart and put them together better.

A step picks a school, takes out its partnership and up to three around it, builds new ones from
one side of the map to the other with some noise, mends them by single moves and swaps, and keeps
the result by the rule of simulated annealing. It touches a few dozen schools however large the
system is. After Schrimpf et al. (2000), "Record breaking optimization results using the ruin and
recreate principle", Journal of Computational Physics 159; the building step is our own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.costs import (
    LEFT_OUT,
    NEVER,
    Local,
    fill_local,
    make_local,
    price,
)
from brightspots.connectedness.problem import Tables
from brightspots.connectedness.rebuild import (
    draw,
    exchange_loose,
    insert_loose,
    move,
    rebuild,
    swap,
)
from brightspots.core.compiled import compiled, compiled_helper

HOT_KM, COLD_KM = 2.0, 0.05
"""Temperatures of the annealing, first and last, km."""
SHAKE_KM, SHAKE_STEPS = 10.0, 1500
"""First temperature and number of steps of a search around one school that was left out."""
AT_ONCE = 4
"""Most partnerships a step takes apart."""
LOOSE_AT_ONCE = 6
"""Most schools without a partnership that a step takes in."""
STEPS_BETWEEN_LOOKS = 4000
"""Steps between two reports of progress: well under a second."""


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
def _loosen(state, i):  # type: ignore[no-untyped-def]
    state.of[i] = -1
    state.place[i] = state.counts[1]
    state.loose[state.counts[1]] = i
    state.counts[1] += 1


@compiled_helper
def _tighten(state, i):  # type: ignore[no-untyped-def]
    last = state.loose[state.counts[1] - 1]
    state.loose[state.place[i]] = last
    state.place[last] = state.place[i]
    state.counts[1] -= 1


@compiled
def _load(tables, state, local, groups):  # type: ignore[no-untyped-def]
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
            _loosen(state, state.members[g, x])
        state.size[g] = 0
        state.cost[g] = 0.0
        state.free[state.counts[0]] = g
        state.counts[0] += 1


@compiled_helper
def _gather(tables, state, seed, wanted, chosen, local):  # type: ignore[no-untyped-def]
    """Choose partnerships around `seed`; return their number and how many loose schools go along.

    Loose schools are put at the front of `local.ids`.
    """
    count, loose = 0, 0
    if state.of[seed] >= 0:
        chosen[0] = state.of[seed]
        count = 1
    else:
        local.ids[0] = seed
        loose = 1
    for lists in range(2):
        # A school without a partnership asks the leaders in reach first.
        near = tables.near if (lists == 0) == (state.of[seed] >= 0) else tables.near_leaders
        for x in range(near.shape[1]):
            i = near[seed, x]
            if i < 0:
                break
            if draw(state.random) < 0.15:
                continue
            g = state.of[i]
            if g < 0:
                known = loose >= LOOSE_AT_ONCE
                for y in range(loose):
                    known |= local.ids[y] == i
                if not known:
                    local.ids[loose] = i
                    loose += 1
            elif count < wanted:
                known = False
                for y in range(count):
                    known |= chosen[y] == g
                if not known:
                    chosen[count] = g
                    count += 1
    # Every school left out next to these partnerships comes along: room for one of them may need
    # room for another.
    for c in range(count if state.counts[1] > loose else 0):
        for y in range(state.size[chosen[c]]):
            member = state.members[chosen[c], y]
            for x in range(tables.near.shape[1]):
                i = tables.near[member, x]
                if i < 0 or loose >= LOOSE_AT_ONCE:
                    break
                if state.of[i] < 0:
                    known = False
                    for z in range(loose):
                        known |= local.ids[z] == i
                    if not known:
                        local.ids[loose] = i
                        loose += 1
    return count, loose


@compiled_helper
def _write_back(state, local, m, rows, chosen, count, loose):  # type: ignore[no-untyped-def]
    """Replace the chosen partnerships of the state by the local ones."""
    for x in range(loose):
        _tighten(state, local.ids[x])
    for x in range(count):
        state.size[chosen[x]] = 0
        state.cost[chosen[x]] = 0.0
        state.free[state.counts[0]] = chosen[x]
        state.counts[0] += 1
    for r in range(rows):
        state.counts[0] -= 1
        g = state.free[state.counts[0]]
        state.size[g] = local.size[r]
        state.cost[g] = local.cost[r]
        for x in range(local.size[r]):
            i = local.ids[local.rows[r, x]]
            state.members[g, x] = i
            state.of[i] = g
    for a in range(m):
        if local.of[a] < 0:
            _loosen(state, local.ids[a])


@compiled_helper
def _step(tables, state, local, chosen, seed, temperature):  # type: ignore[no-untyped-def]
    """Take apart, build, mend, and keep or drop; return the change kept (0 if dropped)."""
    wanted = 2 + int(draw(state.random) * (AT_ONCE - 1))
    count, loose = _gather(tables, state, seed, wanted, chosen, local)
    m = loose
    before = loose * LEFT_OUT
    for x in range(count):
        g = chosen[x]
        before += state.cost[g]
        for y in range(state.size[g]):
            local.ids[m] = state.members[g, y]
            m += 1
    fill_local(tables, local, m)
    rows = rebuild(tables, local, m, local.size.shape[0] - 2, state.random)
    for _ in range(2):
        insert_loose(tables, local, m, rows)
        moved = exchange_loose(tables, local, m)
        moved |= move(tables, local, m, rows)
        if not swap(tables, local, m) and not moved:
            break
    after = 0.0
    for r in range(rows):
        after += local.cost[r]
    for a in range(m):
        if local.of[a] < 0:
            after += LEFT_OUT
    change = after - before
    if change > 0 and draw(state.random) >= math.exp(-change / temperature):
        return 0.0
    _write_back(state, local, m, rows, chosen, count, loose)
    return change


@compiled
def _steps(  # type: ignore[no-untyped-def]
    tables, state, local, chosen, active, centre, hops, number, hot, cold
):
    """Do `number` steps while the temperature falls from `hot` to `cold`.

    Around schools of `active` drawn at random, one in twenty times around one left out; or, with a
    `centre`, up to `hops` neighbours away from it, and with no hops only until it is served. One
    function for all of them, since it is the one that takes long to compile.
    """
    for step in range(number):
        temperature = hot * (cold / hot) ** (step / number)
        if centre >= 0:
            if hops == 0 and state.of[centre] >= 0:
                return
            seed = centre
            for _ in range(int(draw(state.random) * (hops + 1)) if hops > 0 else 0):
                pick = tables.near[seed, int(draw(state.random) * tables.near.shape[1])]
                if pick >= 0:
                    seed = pick
        else:
            seed = active[int(draw(state.random) * len(active))]
            if state.counts[1] > 0 and draw(state.random) < 0.05:
                seed = state.loose[int(draw(state.random) * state.counts[1])]
        _step(tables, state, local, chosen, seed, temperature)


@dataclass(frozen=True)
class _Search:
    """The state and the room to work in."""

    tables: Tables
    state: State
    local: Local
    chosen: NDArray[np.int64]
    active: NDArray[np.int64]
    progress: Callable[[float, str], None]

    def steps(
        self, number: int, hot: float, cold: float, *, centre: int = -1, hops: int = 0
    ) -> None:
        _steps(
            self.tables, self.state, self.local, self.chosen, self.active, centre, hops, number,
            hot, cold,
        )  # fmt: skip

    def left_out(self) -> list[int]:
        return sorted(self.state.loose[: self.state.counts[1]].tolist())

    def serve_left_out(self, tries: int) -> None:
        """Rebuild up to `tries` times around each school left out; nothing dearer is kept."""
        for centre in self.left_out():
            self.progress(0.0, "placing every school")
            self.steps(tries, 1e-9, 1e-9, centre=centre)

    def shake_left_out(self, most: int) -> None:
        """Anneal around schools left out, `most` of them; what does not help is undone.

        A school that no single step can place may find room once its surroundings have moved.
        """
        for centre in self.left_out()[:most]:
            if self.state.of[centre] >= 0:
                continue
            self.progress(1.0, "placing every school")
            before, total = _copy(self.state), _total(self.state)
            self.steps(SHAKE_STEPS, SHAKE_KM, COLD_KM, centre=centre, hops=3)
            if _total(self.state) > total:
                _restore(self.state, before)

    def anneal(self, steps: int, deadline: float | None) -> bool:
        """Anneal in short runs; between them look at the clock and keep the best state.

        A copy of the state costs as much as the system is large, so it is taken at most once for
        every school's worth of steps: a step's cost does not grow with the system.
        """
        best, best_total = _copy(self.state), _total(self.state)
        done, since_copy = 0, 0
        stopped = False
        while done < steps and not stopped:
            number = min(STEPS_BETWEEN_LOOKS, steps - done)
            fall = COLD_KM / HOT_KM
            self.steps(
                number, HOT_KM * fall ** (done / steps), HOT_KM * fall ** ((done + number) / steps)
            )
            done += number
            since_copy += number
            if since_copy >= len(self.active) or done >= steps:
                since_copy = 0
                if (total := _total(self.state)) < best_total:
                    best, best_total = _copy(self.state), total
            self.progress(done / steps, "improving")
            stopped = deadline is not None and time.monotonic() > deadline and done < steps
        if _total(self.state) > best_total:
            _restore(self.state, best)
        return stopped


def _total(state: State) -> float:
    return float(state.cost.sum() + LEFT_OUT * state.counts[1])


def _copy(state: State) -> State:
    return State._make(array.copy() for array in state)


def _restore(state: State, best: State) -> None:
    for name, array in zip(State._fields, state, strict=True):
        if name != "random":
            array[...] = getattr(best, name)


def _make_state(
    tables: Tables, groups: list[NDArray[np.int64]], seed: int, local: Local
) -> State:  # fmt: skip
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
    _load(tables, state, local, len(groups))
    return state


def search(
    tables: Tables,
    groups: list[NDArray[np.int64]],
    *,
    seed: int,
    steps: int,
    deadline: float | None,
    progress: Callable[[float, str], None],
) -> tuple[list[NDArray[np.int64]], list[int], bool]:
    """Improve a partition; the best state met is kept.

    Parameters
    ----------
    tables : Tables
        With neighbour lists.
    groups : list of int arrays
        Disjoint, of `maximum` schools at most; those not allowed are taken apart first.
    seed : int
    steps : int
    deadline : float, optional
        Value of ``time.monotonic()`` at which to stop early.
    progress : callable
        Called with the share done and the stage; may raise to stop.

    Returns
    -------
    groups : list of int arrays
    left : list of int
        Schools still in no partnership.
    stopped_early : bool
    """
    if not groups:
        return [], [], False
    places = AT_ONCE * tables.maximum + LOOSE_AT_ONCE
    local = make_local(places, places // tables.minimum + 1, tables.maximum)
    state = _make_state(tables, groups, seed, local)
    chosen = np.zeros(AT_ONCE, dtype=np.int64)
    run = _Search(tables, state, local, chosen, np.sort(np.concatenate(groups)), progress)
    for _ in range(3):
        run.serve_left_out(20)
    stopped = run.anneal(steps, deadline)
    for _ in range(2):
        run.shake_left_out(20 + len(run.active) // 1000)
    found = [state.members[g, : state.size[g]].copy() for g in np.flatnonzero(state.size)]
    return found, run.left_out(), stopped
