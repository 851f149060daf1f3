"""Build partnerships anew for a few dozen schools, and mend them by single moves and swaps."""

from __future__ import annotations

import math

import numpy as np

from brightspots.connectedness.costs import NEVER, are_apart, price
from brightspots.connectedness.tables import FIXED, TOGETHER
from brightspots.core.compiled import compiled_helper


@compiled_helper
def draw(random):  # type: ignore[no-untyped-def]
    """Next number in [0, 1): SplitMix64 (Steele, Lea and Flood 2014), the same on every machine."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled_helper
def _may_join(rare, local, row, count, a, leader):  # type: ignore[no-untyped-def]
    """Whether pins let a place into a row that another leads."""
    apart = False
    if rare is not None:  # noqa: SIM102 - one condition would not be left out
        if rare.pinned:
            apart = rare.extra[FIXED, local.ids[a]] == 1 and a != leader
            for x in range(0 if apart else count):
                apart |= are_apart(rare, local.ids[a], local.ids[local.rows[row, x]])
    return not apart


@compiled_helper
def _bring_along(rare, local, m, row, count, leader, most):  # type: ignore[no-untyped-def]
    """Add the free schools that are to be together with those in a row, up to `most` in all.

    Returns
    -------
    count : int
        As it was without pins; 0 where they cannot all come.
    """
    if rare is None:
        return count
    x = 0
    while rare.pinned and x < count:
        group = rare.extra[TOGETHER, local.ids[local.rows[row, x]]]
        for a in range(m if group >= 0 else 0):
            if local.of[a] != -2 or rare.extra[TOGETHER, local.ids[a]] != group:
                continue
            known = False
            for y in range(count):
                known |= local.rows[row, y] == a
            if known:
                continue
            if count >= most or local.km[leader, a] >= NEVER:
                return 0
            if not _may_join(rare, local, row, count, a, leader):
                return 0
            local.rows[row, count] = a
            count += 1
        x += 1
    return count


@compiled_helper
def _grow(tables, rare, local, m, start, size, taken):  # type: ignore[no-untyped-def]
    """Put into row `taken` the best partnership of `size` that holds `start`; False if none.

    For each leader in reach: `start`, the leader, and the schools nearest to the leader; those that
    are to be together come together. Noise is the score of a place, drawn once a step, so that a
    step stays cheap.
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
            if not _may_join(rare, local, trial, 1, start, j):
                continue
            local.rows[trial, 1] = start
            count = 2
            total += local.km[j, start]
        most = min(tables.maximum, local.capacity[j])
        came = _bring_along(rare, local, m, trial, count, j, most)
        if came == 0:
            continue
        limit = max(limit, came)
        for x in range(count, came):
            total += local.km[j, local.rows[trial, x]]
            phase &= local.phase[local.rows[trial, x]]
            language &= local.language[local.rows[trial, x]]
        count = came
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
                if known or not _may_join(rare, local, trial, count, a, j):
                    continue
                if rare is not None:
                    local.rows[trial, count] = a
                    if _bring_along(rare, local, m, trial, count + 1, j, limit) == 0:
                        continue
                nearest, least = a, noisy
            if nearest < 0:
                break
            local.rows[trial, count] = nearest
            came = _bring_along(rare, local, m, trial, count + 1, j, limit)
            for x in range(count, came):
                total += local.km[j, local.rows[trial, x]]
                phase &= local.phase[local.rows[trial, x]]
                language &= local.language[local.rows[trial, x]]
            count = came
        if count < tables.minimum or phase == 0 or language == 0:
            continue
        total = total / count * local.score[j]
        if total < best:
            best = total
            local.size[taken] = count
            for x in range(count):
                local.rows[taken, x] = local.rows[trial, x]
    return best < NEVER


@compiled_helper
def rebuild(tables, local, m, rows, random):  # type: ignore[no-untyped-def]
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
        if _grow(tables, tables.rare, local, m, start, size, taken):
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


@compiled_helper
def _without(local, row, a, trial):  # type: ignore[no-untyped-def]
    """Copy `row` into `trial` without the place `a`."""
    count = 0
    for x in range(local.size[row]):
        if local.rows[row, x] != a:
            local.rows[trial, count] = local.rows[row, x]
            count += 1
    local.size[trial] = count


@compiled_helper
def _adopt(tables, local, row, trial):  # type: ignore[no-untyped-def]
    """Make `trial` the content of `row`."""
    local.size[row] = local.size[trial]
    for x in range(local.size[trial]):
        local.rows[row, x] = local.rows[trial, x]
        local.of[local.rows[trial, x]] = row
    local.cost[row], local.leader[row] = price(tables, local, row)


@compiled_helper
def insert_loose(tables, local, m, rows):  # type: ignore[no-untyped-def]
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


@compiled_helper
def exchange_loose(tables, local, m):  # type: ignore[no-untyped-def]
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


@compiled_helper
def move(tables, local, m, rows):  # type: ignore[no-untyped-def]
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


@compiled_helper
def _longest_swap(tables, rare):  # type: ignore[no-untyped-def]
    """How much longer a swap may make the ways and still be looked at, km."""
    if rare is not None:
        if rare.pinned:
            return NEVER
        if rare.several:  # it may bring a strength to where it is missing
            return 2.0 + tables.complement
    return 2.0


@compiled_helper
def swap(tables, local, m):  # type: ignore[no-untyped-def]
    """Exchange two schools of different partnerships where that is cheaper; True if any were."""
    one, other = local.size.shape[0] - 1, local.size.shape[0] - 2
    swapped = False
    longer = _longest_swap(tables, tables.rare)
    for a in range(m):
        for b in range(a):
            p, q = local.of[a], local.of[b]
            if p < 0 or q < 0 or p == q:
                continue
            lp, lq = local.leader[p], local.leader[q]
            if a != lp and b != lq:
                change = local.km[a, lq] - local.km[a, lp] + local.km[b, lp] - local.km[b, lq]
                if change > longer:
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
