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

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.costs import LEFT_OUT, Local, fill_local, make_local
from brightspots.connectedness.polish import polish
from brightspots.connectedness.pool import (
    SLOTS_A_SCHOOL,
    Pool,
    add_near_best,
    collect,
    judge_anew,
    make_pool,
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
from brightspots.connectedness.state import (
    State,
    copy_of,
    loosen,
    make_state,
    restore,
    tighten,
    total_of,
)
from brightspots.connectedness.stopping import Stage, StopEarly, Stopping
from brightspots.core.compiled import compiled, compiled_helper

HOT_KM, COLD_KM = 2.0, 0.05
"""Temperatures of the annealing, first and last, km."""
SHAKE_KM, SHAKE_STEPS = 10.0, 1500
"""First temperature and number of steps of a search around one school that was left out."""
TIMES_THE_USUAL = 4.0
"""With pins, a first partnership counts for the bound with this many usual costs at most."""
AT_ONCE = 4
"""Most partnerships a step takes apart."""
LOOSE_AT_ONCE = 6
"""Most schools without a partnership that a step takes in."""
STEPS_BETWEEN_LOOKS = 4000
"""Steps between two reports of progress: well under a second."""
COLLECT_BELOW_KM = 25.0
"""What a step built is kept for the polish if it is dearer than what stood there by less."""
POLISH_SHARE = 0.4
"""Share of a time limit that is kept for the polish, if there is to be one."""
NEAR_BEST_KM, NEAR_BEST_A_LEADER = 1.0, 100
"""Sets added to the polish by their reduced cost alone: up to this, and as many for a leader."""
COLLECT_FROM = 0.3
"""Share of the search from which on sets are kept: those of its hot start are seldom good."""


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
        tighten(state, local.ids[x])
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
            loosen(state, local.ids[a])


@compiled_helper
def _step(tables, state, local, chosen, pool, seed, temperature):  # type: ignore[no-untyped-def]
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
    if len(pool.size) > 0 and change < COLLECT_BELOW_KM:
        for r in range(rows):
            collect(pool, local, r)
    if change > 0 and draw(state.random) >= math.exp(-change / temperature):
        return 0.0
    _write_back(state, local, m, rows, chosen, count, loose)
    return change


@compiled
def _steps(  # type: ignore[no-untyped-def]
    tables, state, local, chosen, pool, active, centre, hops, number, hot, cold
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
        _step(tables, state, local, chosen, pool, seed, temperature)


@dataclass
class _Search:
    """The state and the room to work in."""

    tables: Tables
    state: State
    local: Local
    active: NDArray[np.int64]
    progress: Callable[[float, str], None]
    stop: Stopping | None
    pool: Pool

    def __post_init__(self) -> None:
        self.chosen = np.zeros(AT_ONCE, dtype=np.int64)
        self.by_hand = False  # whether a person cut it short
        self.nothing = make_pool(len(self.tables.xyz), self.tables.maximum, 0)

    def steps(
        self, number: int, hot: float, cold: float, *, centre: int = -1, hops: int = 0,
        pool: Pool | None = None,
    ) -> None:  # fmt: skip
        _steps(
            self.tables, self.state, self.local, self.chosen, pool or self.nothing, self.active,
            centre, hops, number, hot, cold,
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
            before, total = copy_of(self.state), total_of(self.state)
            self.steps(SHAKE_STEPS, SHAKE_KM, COLD_KM, centre=centre, hops=3)
            if total_of(self.state) > total:
                restore(self.state, before)

    def shares(self) -> NDArray[np.float64]:
        """Each school's share of the cost; 0 for those left out."""
        shares = np.zeros(len(self.state.of))
        served = self.state.of >= 0
        costs = self.state.cost
        if self.tables.pinned and (costs > 0).any():
            # The price of a pin that is not kept yet is no cost: multipliers that begin with it
            # would never recover.
            costs = np.minimum(costs, TIMES_THE_USUAL * np.median(costs[costs > 0]))
        shares[served] = (costs / np.maximum(self.state.size, 1))[self.state.of[served]]
        return shares

    def first_answer(self) -> None:
        """Tell the first answer's cost, and bound it."""
        self.progress(0.0, Stage("first answer", float(self.state.cost.sum())))
        if self.stop:
            shares = self.shares()
            self.stop.start(float(shares.sum()), shares, self.state.of >= 0)
            judge_anew(self.pool, self.stop.multipliers)

    def look(self, done: float, words: str = "improving") -> bool:
        """Report how far the search is; True if the present answer is good enough to stop."""
        cost, gap, enough = float(self.state.cost.sum()), None, False
        if self.stop:
            gap = self.stop.look(done, cost, self.state.of >= 0)
            enough = self.stop.enough(cost, gap)
        self.progress(done, Stage(words, cost, gap))
        return enough

    def anneal(self, steps: int, deadline: float | None) -> bool:
        """Anneal in short runs; between them look at the clock and keep the best state.

        A copy of the state costs as much as the system is large, so it is taken at most once for
        every school's worth of steps: a step's cost does not grow with the system. With a
        deadline the temperature falls by the clock if that is faster, so that the search is cold
        when time is up.

        Returns
        -------
        bool
            Whether it was cut short by the clock or by a person.
        """
        best, best_total = copy_of(self.state), total_of(self.state)
        done, since_copy, share = 0, 0, 0.0
        began, fall = time.monotonic(), COLD_KM / HOT_KM
        stopped = False
        try:
            while share < 1.0 and not stopped:
                number = min(STEPS_BETWEEN_LOOKS, steps - done)
                after = (done + number) / steps
                if deadline is not None:
                    passed = time.monotonic() - began
                    after = max(after, min(passed / max(deadline - began, 1e-9), 1.0))
                pool = self.pool if share >= COLLECT_FROM else None
                self.steps(number, HOT_KM * fall**share, HOT_KM * fall**after, pool=pool)
                done, share = done + number, after
                since_copy += number
                if since_copy >= len(self.active) or share >= 1.0:
                    since_copy = 0
                    if (total := total_of(self.state)) < best_total:
                        best, best_total = copy_of(self.state), total
                if self.look(share):
                    best, best_total = copy_of(self.state), total_of(self.state)
                    break
                stopped = deadline is not None and time.monotonic() > deadline and done < steps
            stopped |= share >= 1.0 and done < steps
        except (KeyboardInterrupt, StopEarly):
            stopped = self.by_hand = True
        if total_of(self.state) > best_total:
            restore(self.state, best)
        return stopped


def search(
    tables: Tables,
    groups: list[NDArray[np.int64]],
    *,
    seed: int,
    steps: int,
    deadline: float | None,
    progress: Callable[[float, str], None],
    stop: Stopping | None = None,
    sweeps: int = 0,
    around: NDArray[np.int64] | None = None,
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
        Called with the share done and the stage, a :class:`Stage` where cost and gap are known;
        may raise to stop: `StopEarly` and `KeyboardInterrupt` keep the best answer so far.
    stop : Stopping, optional
        Bounds the answers on the way, and says when one is good enough.
    sweeps : int
        Of the polish after the search, see :func:`brightspots.connectedness.polish.polish`.
    around : int array, optional
        Schools to search around; all when None.

    Returns
    -------
    groups : list of int arrays
    left : list of int
        Schools still in no partnership.
    stopped_early : bool
        By the clock or by a person, and not because an answer was good enough.
    """
    if not groups:
        return [], [], False
    places = AT_ONCE * tables.maximum + LOOSE_AT_ONCE
    local = make_local(places, places // tables.minimum + 1, tables.maximum)
    state = make_state(tables, groups, seed, local)
    everyone = np.sort(np.concatenate(groups))
    room = SLOTS_A_SCHOOL * len(everyone) if sweeps and steps else 0
    pool = make_pool(len(tables.xyz), tables.maximum, room)
    active = everyone if around is None else np.sort(around)
    run = _Search(tables, state, local, active, progress, stop, pool)
    stopped = enough = False
    until = deadline
    if deadline is not None and room:
        until = deadline - POLISH_SHARE * max(deadline - time.monotonic(), 0.0)
    try:
        for _ in range(3):
            run.serve_left_out(20)
        run.first_answer()
        enough = run.look(0.0)
    except (KeyboardInterrupt, StopEarly):
        stopped = run.by_hand = True
    if steps and len(active) and not (stopped or enough):
        stopped = run.anneal(steps, until)
    try:
        for _ in range(0 if stopped else 2):
            run.shake_left_out(20 + len(run.active) // 1000)
    except (KeyboardInterrupt, StopEarly):
        stopped = run.by_hand = True
    found = [state.members[g, : state.size[g]].copy() for g in np.flatnonzero(state.size)]
    if room and not (run.by_hand or enough):
        if stop:
            stop.settle(float(state.cost.sum()), run.shares())
            judge_anew(pool, stop.multipliers)
            add_near_best(tables, pool, NEAR_BEST_KM, NEAR_BEST_A_LEADER)
        found, cut_short = polish(
            tables, found, pool, seed=seed, sweeps=sweeps, deadline=deadline, progress=progress
        )
        stopped |= cut_short
    return found, run.left_out(), stopped
