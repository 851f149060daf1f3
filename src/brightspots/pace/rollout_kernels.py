"""The simulator's equations again, compiled and only for what the search needs.

`rollout_simulate` is the reference and gives every part; a test holds the two against each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brightspots.core.compiled import compiled, compiled_helper
from brightspots.pace.rollout_simulate import World

__all__ = ["arrays_of", "each_choice", "value_of_support", "whole_plan"]

Floats = NDArray[np.float64]


def arrays_of(w: World) -> tuple[Any, ...]:
    """Return the arrays of a world in the order in which the kernels take them."""
    trainees = np.zeros(len(w.schools))
    term = np.zeros(len(w.schools), dtype=np.int64)
    for when, count in w.arrivals.items():
        trainees += count
        term[count > 0] = when
    per_area = (w.schools, np.ascontiguousarray(w.leaders[0]), np.ascontiguousarray(w.pool[0]))
    per_draw = (w.leaving, w.finishing, w.finished, w.places)
    moving = (w.unaided, w.fade, w.days)
    return (
        *per_area, trainees, term, np.ascontiguousarray(w.needed),
        *(np.ascontiguousarray(each[:, 0]) for each in per_draw), w.train_ahead,
        np.ascontiguousarray(w.ready), np.ascontiguousarray(w.growth),
        *(np.ascontiguousarray(each[:, 0]) for each in moving), w.settle,
    )  # fmt: skip


@compiled_helper
def _lead(leaders, pool, trainees, term, needed, leaving, finishing, finished, places, ahead,  # type: ignore[no-untyped-def]
          start, lead):  # fmt: skip
    """Fill `lead` with the share of schools with a leader, term by term, of one area."""
    available, training, waiting = leaders, pool, trainees
    for at in range(len(lead)):
        if term == at + 1:
            available += finished * waiting
            waiting = 0.0
        lead[at] = min(1.0, available / needed)
        begin = 0.0
        if at + 1 >= start - ahead:
            begin = min(places * needed, max(0.0, needed - available - training - waiting))
        end = finishing * training
        available += finished * end - leaving * available
        training += begin - end


@compiled_helper
def _step(q, k, speed, lead, share, growth, unaided, fade, settle):  # type: ignore[no-untyped-def]
    """One term of one area: abandoned, held back (shares of schools), and the next q."""
    moved = min(1.0, max(0.0, k / speed))
    early, behind = max(0.0, moved - q), max(0.0, q - moved)
    following = q + unaided * (1.0 - q)
    if k < 0:
        return 0.0, behind, following
    if k < speed:
        support = lead * share
        missing = (1.0 - support) * (1.0 - max(moved, q))
        return early + missing, behind, following + growth * support * (1.0 - q)
    following -= fade * q * (1.0 - lead)
    return (early if k < speed + settle else 0.0), 0.0, following


@compiled
def whole_plan(schools, leaders, pool, trainees, term, needed, leaving, finishing, finished,  # type: ignore[no-untyped-def]
               places, ahead, ready, growth, unaided, fade, days, settle, capacity, start, speed,
               came, wanted):  # fmt: skip
    """Means over draws of (abandoned, held back); fills `came` and `wanted` (draws, horizon)."""
    draws, areas = ready.shape
    horizon = came.shape[1]
    # Terms first: the loops below run over areas within a term.
    leads, lead, q = np.empty((horizon, areas)), np.empty(horizon), np.empty(areas)
    abandoned = held = 0.0
    for d in range(draws):
        for a in range(areas):
            _lead(leaders[a], pool[a], trainees[a], term[a], needed[d, a], leaving[d],
                  finishing[d], finished[d], places[d], ahead, start[a], lead)  # fmt: skip
            leads[:, a] = lead
            q[a] = ready[d, a]
        for at in range(horizon):
            total = 0.0
            for a in range(areas):
                k = at + 1 - start[a]
                if 0 <= k < speed[a]:
                    total += schools[a] * (1.0 - q[a]) * days[d] * leads[at, a]
            share = min(1.0, capacity[d] / total) if total > 0 else 1.0
            came[d, at], wanted[d, at] = share, total
            for a in range(areas):
                alone, behind, q[a] = _step(
                    q[a], at + 1 - start[a], speed[a], leads[at, a], share, growth[d, a],
                    unaided[d], fade[d], settle,
                )  # fmt: skip
                abandoned += schools[a] * alone
                held += schools[a] * behind
    return abandoned / draws, held / draws


@compiled
def each_choice(schools, leaders, pool, trainees, term, needed, leaving, finishing, finished,  # type: ignore[no-untyped-def]
                places, ahead, ready, growth, unaided, fade, days, settle, starts, speeds, allowed,
                came, prices, abandoned, held, priced):  # fmt: skip
    """Fill the three tables (areas, choices) with means over draws, at the support that `came`."""
    draws, areas = ready.shape
    horizon = came.shape[1]
    lead = np.empty(horizon)
    for a in range(areas):
        for d in range(draws):
            known = -1
            for o in range(len(starts)):
                if not allowed[a, o]:
                    continue
                if starts[o] != known:
                    known = starts[o]
                    _lead(leaders[a], pool[a], trainees[a], term[a], needed[d, a], leaving[d],
                          finishing[d], finished[d], places[d], ahead, known, lead)  # fmt: skip
                q = ready[d, a]
                alone_sum = behind_sum = price = 0.0
                for at in range(horizon):
                    k = at + 1 - known
                    if 0 <= k < speeds[o]:
                        price += prices[d, at] * (1.0 - q) * days[d] * lead[at]
                    alone, behind, q = _step(
                        q, k, speeds[o], lead[at], came[d, at], growth[d, a], unaided[d], fade[d],
                        settle,
                    )  # fmt: skip
                    alone_sum += alone
                    behind_sum += behind
                    if k >= speeds[o] + settle:
                        break
                weight = schools[a] / draws
                abandoned[a, o] += weight * alone_sum
                held[a, o] += weight * behind_sum
                priced[a, o] += weight * price


@compiled
def value_of_support(schools, leaders, pool, trainees, term, needed, leaving, finishing, finished,  # type: ignore[no-untyped-def]
                     places, ahead, ready, growth, unaided, fade, days, settle, start, speed, came,
                     weight, slope):  # fmt: skip
    """Fill `slope` (draws, horizon): change of the weighed sum with the share that came.

    `weight` is that of a school-term abandoned; one held back has 1 - weight. Backwards through
    time (the adjoint of the recursion), with the share of every other term held as it is.
    """
    draws, areas = ready.shape
    horizon = came.shape[1]
    lead, path = np.empty(horizon), np.empty(horizon)
    for d in range(draws):
        for a in range(areas):
            _lead(leaders[a], pool[a], trainees[a], term[a], needed[d, a], leaving[d],
                  finishing[d], finished[d], places[d], ahead, start[a], lead)  # fmt: skip
            q = ready[d, a]
            for at in range(horizon):
                path[at] = q
                _, _, q = _step(q, at + 1 - start[a], speed[a], lead[at], came[d, at],
                                growth[d, a], unaided[d], fade[d], settle)  # fmt: skip
            worth = 0.0
            for back in range(horizon):
                at = horizon - 1 - back
                k, q = at + 1 - start[a], path[at]
                moved = min(1.0, max(0.0, k / speed[a]))
                on = 0 <= k < speed[a]
                support = lead[at] * came[d, at] if on else 0.0
                here = 0.0
                if on:
                    slope[d, at] += (
                        schools[a]
                        * lead[at]
                        * (worth * growth[d, a] * (1.0 - q) - weight * (1.0 - max(moved, q)))
                    )
                if q > moved:
                    here += 1.0 - weight
                    if on:
                        here -= weight * (1.0 - support)
                elif q < moved and k < speed[a] + settle:
                    here -= weight
                keep = 1.0 - unaided[d] - growth[d, a] * support
                if k >= speed[a]:
                    keep -= fade[d] * (1.0 - lead[at])
                worth = here + worth * keep
