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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.compiled import compiled
from brightspots.connectedness.costs import (
    LEFT_OUT,
    NEVER,
    Local,
    fill_local,
    make_local,
    price,
)
from brightspots.connectedness.problem import Tables

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


@compiled
def draw(random):  # type: ignore[no-untyped-def]
    """Next number in [0, 1): SplitMix64 (Steele, Lea and Flood 2014), the same on every machine."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def _loosen(state, i):  # type: ignore[no-untyped-def]
    state.of[i] = -1
    state.place[i] = state.counts[1]
    state.loose[state.counts[1]] = i
    state.counts[1] += 1


@compiled
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


@compiled
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


@compiled
def _grow(tables, local, m, start, size, taken):  # type: ignore[no-untyped-def]
    """Put into row `taken` the best partnership of `size` that holds `start`; False if none.

    For each leader in reach: `start`, the leader, and the schools nearest to the leader. Noise is
    the score of a place, drawn once a step, so that a step stays cheap.
    """
    trial = local.size.shape[0] - 1
    best = NEVER
    for j in range(m):
        limit = min(size, local.capacity[j])
        if local.of[j] != -2 or limit < tables.minimum or local.km[j, start] >= NEVER:
            continue
        phase = local.phase[j] & local.phase[start]
        language = local.language[j] & local.language[start]
        if phase == 0 or language == 0:
            continue
        local.rows[trial, 0] = j
        count = 1
        total = local.preference[j]
        if start != j:
            local.rows[trial, 1] = start
            count = 2
            total += local.km[j, start]
        while count < limit:
            nearest, least = -1, NEVER
            for a in range(m):
                if local.of[a] != -2 or local.km[j, a] >= NEVER:
                    continue
                # Half a kilometre more, so that noise tells schools on one site apart.
                noisy = (local.km[j, a] + 0.5) * local.score[a]
                if noisy >= least:
                    continue
                if phase & local.phase[a] == 0 or language & local.language[a] == 0:
                    continue
                known = False
                for x in range(count):
                    known |= local.rows[trial, x] == a
                if not known:
                    nearest, least = a, noisy
            if nearest < 0:
                break
            local.rows[trial, count] = nearest
            count += 1
            total += local.km[j, nearest]
            phase &= local.phase[nearest]
            language &= local.language[nearest]
        if count < tables.minimum:
            continue
        total = total / count * local.score[j]
        if total < best:
            best = total
            local.size[taken] = count
            for x in range(count):
                local.rows[taken, x] = local.rows[trial, x]
    return best < NEVER


@compiled
def _rebuild(tables, local, m, rows, random):  # type: ignore[no-untyped-def]
    """Build partnerships from one side of the map to the other; return their number.

    While building, `of` is -2 for a school not yet looked at and -1 for one that found no place.
    """
    angle = draw(random) * 2 * math.pi
    height = draw(random) * 2 - 1
    flat = math.sqrt(1 - height * height)
    dx, dy, dz = flat * math.cos(angle), flat * math.sin(angle), height
    # Mostly a little noise, now and then a lot: crowded rules leave few ways, and not the nearest.
    noise = 0.3 if draw(random) < 0.8 else 4.0
    for a in range(m):
        local.of[a] = -2
        local.score[a] = 1.0 + noise * draw(random)
    left, taken = m, 0
    while left >= tables.minimum and taken < rows:
        most, fewest = left // tables.minimum, -(-left // tables.maximum)
        k = round(left / tables.target)
        luck = draw(random)
        if luck < 0.15:
            k -= 1
        elif luck > 0.85:
            k += 1
        k = max(min(k, most), fewest, 1)
        low = max(tables.minimum, left - (k - 1) * tables.maximum)
        high = min(tables.maximum, left - (k - 1) * tables.minimum)
        size = round(left / k) + int(draw(random) * 3) - 1
        size = max(min(size, high), min(low, tables.maximum), tables.minimum)
        start, far = -1, -NEVER
        for a in range(m):
            if local.of[a] == -2:
                i = local.ids[a]
                along = dx * tables.xyz[i, 0] + dy * tables.xyz[i, 1] + dz * tables.xyz[i, 2]
                if along > far:
                    start, far = a, along
        if _grow(tables, local, m, start, size, taken):
            for x in range(local.size[taken]):
                local.of[local.rows[taken, x]] = taken
            left -= local.size[taken]
            local.cost[taken], local.leader[taken] = price(tables, local, taken)
            taken += 1
        else:
            local.of[start] = -1
            left -= 1
    for a in range(m):
        if local.of[a] == -2:
            local.of[a] = -1
    return taken


@compiled
def _without(local, row, a, trial):  # type: ignore[no-untyped-def]
    """Copy `row` into `trial` without the place `a`."""
    count = 0
    for x in range(local.size[row]):
        if local.rows[row, x] != a:
            local.rows[trial, count] = local.rows[row, x]
            count += 1
    local.size[trial] = count


@compiled
def _adopt(tables, local, row, trial):  # type: ignore[no-untyped-def]
    """Make `trial` the content of `row`."""
    local.size[row] = local.size[trial]
    for x in range(local.size[trial]):
        local.rows[row, x] = local.rows[trial, x]
        local.of[local.rows[trial, x]] = row
    local.cost[row], local.leader[row] = price(tables, local, row)


@compiled
def _insert_loose(tables, local, m, rows):  # type: ignore[no-untyped-def]
    """Put each school left out into the partnership where it costs least, if any may take it."""
    trial = local.size.shape[0] - 1
    for a in range(m):
        if local.of[a] >= 0:
            continue
        best, where = NEVER, -1
        for q in range(rows):
            if local.size[q] >= tables.maximum:
                continue
            _without(local, q, -1, trial)
            local.rows[trial, local.size[trial]] = a
            local.size[trial] += 1
            cost, _ = price(tables, local, trial)
            if cost < NEVER and cost - local.cost[q] < best:
                best, where = cost - local.cost[q], q
        if where >= 0:
            local.rows[where, local.size[where]] = a
            local.size[where] += 1
            local.of[a] = where
            local.cost[where], local.leader[where] = price(tables, local, where)


@compiled
def _exchange_loose(tables, local, m):  # type: ignore[no-untyped-def]
    """Leave out another school instead where that is cheaper; True if any were exchanged."""
    trial = local.size.shape[0] - 1
    exchanged = False
    for a in range(m):
        if local.of[a] >= 0:
            continue
        best, instead = -1e-9, -1
        for b in range(m):
            q = local.of[b]
            if q < 0:
                continue
            _without(local, q, b, trial)
            local.rows[trial, local.size[trial]] = a
            local.size[trial] += 1
            cost, _ = price(tables, local, trial)
            if cost - local.cost[q] < best:
                best, instead = cost - local.cost[q], b
        if instead >= 0:
            q = local.of[instead]
            _without(local, q, instead, trial)
            local.rows[trial, local.size[trial]] = a
            local.size[trial] += 1
            local.of[instead] = -1
            _adopt(tables, local, q, trial)
            exchanged = True
    return exchanged


@compiled
def _move(tables, local, m, rows):  # type: ignore[no-untyped-def]
    """Move single schools to another partnership where that is cheaper; True if any moved."""
    out, into = local.size.shape[0] - 1, local.size.shape[0] - 2
    moved = False
    for a in range(m):
        p = local.of[a]
        if p < 0 or local.size[p] <= tables.minimum:
            continue
        _without(local, p, a, out)
        left, _ = price(tables, local, out)
        if left >= NEVER:
            continue
        best, where = -1e-9, -1
        for q in range(rows):
            if q == p or local.size[q] >= tables.maximum:
                continue
            if left - local.cost[p] + local.km[a, local.leader[q]] * 0.5 > 20.0:
                continue
            _without(local, q, -1, into)
            local.rows[into, local.size[into]] = a
            local.size[into] += 1
            cost, _ = price(tables, local, into)
            change = left + cost - local.cost[p] - local.cost[q]
            if cost < NEVER and change < best:
                best, where = change, q
        if where >= 0:
            local.rows[where, local.size[where]] = a
            local.size[where] += 1
            local.of[a] = where
            local.cost[where], local.leader[where] = price(tables, local, where)
            _adopt(tables, local, p, out)
            moved = True
    return moved


@compiled
def _swap(tables, local, m):  # type: ignore[no-untyped-def]
    """Exchange two schools of different partnerships where that is cheaper; True if any were."""
    one, other = local.size.shape[0] - 1, local.size.shape[0] - 2
    swapped = False
    for a in range(m):
        for b in range(a):
            p, q = local.of[a], local.of[b]
            if p < 0 or q < 0 or p == q:
                continue
            lp, lq = local.leader[p], local.leader[q]
            if a != lp and b != lq:
                change = local.km[a, lq] - local.km[a, lp] + local.km[b, lp] - local.km[b, lq]
                if change > 2.0:
                    continue
            _without(local, p, a, one)
            local.rows[one, local.size[one]] = b
            local.size[one] += 1
            cost_p, _ = price(tables, local, one)
            if cost_p - local.cost[p] - local.cost[q] >= 0:
                continue
            _without(local, q, b, other)
            local.rows[other, local.size[other]] = a
            local.size[other] += 1
            cost_q, _ = price(tables, local, other)
            if cost_p + cost_q < local.cost[p] + local.cost[q] - 1e-9:
                _adopt(tables, local, p, one)
                _adopt(tables, local, q, other)
                swapped = True
    return swapped


@compiled
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


@compiled
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
    rows = _rebuild(tables, local, m, local.size.shape[0] - 2, state.random)
    for _ in range(2):
        _insert_loose(tables, local, m, rows)
        moved = _exchange_loose(tables, local, m)
        moved |= _move(tables, local, m, rows)
        if not _swap(tables, local, m) and not moved:
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
def _steps(tables, state, local, chosen, active, number, hot, cold):  # type: ignore[no-untyped-def]
    """Do `number` steps while the temperature falls from `hot` to `cold`; return the change."""
    total = 0.0
    for step in range(number):
        temperature = hot * (cold / hot) ** (step / number)
        seed = active[int(draw(state.random) * len(active))]
        if state.counts[1] > 0 and draw(state.random) < 0.05:
            seed = state.loose[int(draw(state.random) * state.counts[1])]
        total += _step(tables, state, local, chosen, seed, temperature)
    return total


@compiled
def _serve_loose(tables, state, local, chosen, tries):  # type: ignore[no-untyped-def]
    """Rebuild `tries` times around each school left out; only what is not dearer is kept."""
    order = state.loose[: state.counts[1]].copy()
    order.sort()
    for seed in order:
        for _ in range(tries):
            if state.of[seed] >= 0:
                break
            _step(tables, state, local, chosen, seed, 1e-9)


@compiled
def _shake(tables, state, local, chosen, centre, number):  # type: ignore[no-untyped-def]
    """Anneal a few steps around one school only, hotter than elsewhere, down to cold."""
    for step in range(number):
        seed = centre
        for _ in range(int(draw(state.random) * 4)):
            pick = tables.near[seed, int(draw(state.random) * tables.near.shape[1])]
            if pick >= 0:
                seed = pick
        temperature = SHAKE_KM * (COLD_KM / SHAKE_KM) ** (step / number)
        _step(tables, state, local, chosen, seed, temperature)


def _shake_loose(
    tables: Tables, state: State, local: Local, chosen: NDArray[np.int64], most: int,
    tell: Callable[[], None],
) -> None:  # fmt: skip
    """Shake the map around schools left out, `most` of them; a shake that does not help is undone.

    A school that no single step can place may find room once its surroundings have moved.
    """
    for centre in sorted(state.loose[: state.counts[1]].tolist())[:most]:
        if state.of[centre] >= 0:
            continue
        tell()
        before, total = _copy(state), _total(state)
        _shake(tables, state, local, chosen, centre, SHAKE_STEPS)
        if _total(state) > total:
            _restore(state, before)


def _total(state: State) -> float:
    return float(state.cost.sum() + LEFT_OUT * state.counts[1])


def _copy(state: State) -> State:
    return State._make(array.copy() for array in state)


def _restore(state: State, best: State) -> None:
    for name, array in zip(State._fields, state, strict=True):
        if name != "random":
            array[...] = getattr(best, name)


def _make_state(tables: Tables, groups: list[NDArray[np.int64]], left: list[int], seed: int,
                local: Local) -> State:  # fmt: skip
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
    for i in left:
        _loosen(state, i)
    _load(tables, state, local, len(groups))
    return state


def search(
    tables: Tables,
    groups: list[NDArray[np.int64]],
    left: list[int],
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
    left : list of int
        Schools to serve that are in none of `groups`.
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
    active = np.array(
        sorted([int(i) for members in groups for i in members] + left), dtype=np.int64
    )
    places = AT_ONCE * tables.maximum + LOOSE_AT_ONCE
    local = make_local(places, places // tables.minimum + 1, tables.maximum)
    chosen = np.zeros(AT_ONCE, dtype=np.int64)
    state = _make_state(tables, groups, left, seed, local)
    stopped = False
    if len(active):
        for _ in range(3):
            progress(0.0, "placing every school")
            _serve_loose(tables, state, local, chosen, 20)
        stopped = _anneal(tables, state, local, chosen, active, steps, deadline, progress)
        for _ in range(2):
            _shake_loose(
                tables, state, local, chosen, 20 + len(active) // 1000,
                lambda: progress(1.0, "placing every school"),
            )  # fmt: skip
    found = [state.members[g, : state.size[g]].copy() for g in np.flatnonzero(state.size)]
    return found, sorted(int(i) for i in state.loose[: state.counts[1]]), stopped


def _anneal(
    tables: Tables, state: State, local: Local, chosen: NDArray[np.int64],
    active: NDArray[np.int64], steps: int, deadline: float | None,
    progress: Callable[[float, str], None],
) -> bool:  # fmt: skip
    """Anneal in short runs; between them look at the clock and keep the best state.

    A copy of the state costs as much as the system is large, so it is taken at most once for every
    school's worth of steps: a step's cost does not grow with the system.
    """
    best, best_total = _copy(state), _total(state)
    done, since_copy = 0, 0
    stopped = False
    while done < steps:
        number = min(STEPS_BETWEEN_LOOKS, steps - done)
        hot = HOT_KM * (COLD_KM / HOT_KM) ** (done / steps)
        cold = HOT_KM * (COLD_KM / HOT_KM) ** ((done + number) / steps)
        _steps(tables, state, local, chosen, active, number, hot, cold)
        done += number
        since_copy += number
        if since_copy >= len(active) or done >= steps:
            since_copy = 0
            if (total := _total(state)) < best_total:
                best, best_total = _copy(state), total
        progress(done / steps, "improving")
        if deadline is not None and time.monotonic() > deadline and done < steps:
            stopped = True
            break
    if _total(state) > best_total:
        _restore(state, best)
    return stopped
