"""Serve unmatched requests over pairs that were not listed, without solving everything again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brightspots.core.compiled import compiled

__all__ = ["augment", "costs_held"]

Ints = NDArray[np.int64]
FAR = np.iinfo(np.int64).max // 4


def costs_held(
    pairs: tuple[Ints, Ints, Ints], exception: Ints, offers: int, offer_of: Ints
) -> Ints:
    """Cost of what each request has: of its pair, or its exception where it stays unmatched.

    Parameters
    ----------
    pairs : arrays, shape (pairs,)
        Request, offer, cost; sorted by request and offer.
    exception, offer_of : arrays, shape (requests,)
    offers : int
        How many there are.
    """
    i, j, cost = pairs
    own = exception.copy()
    held = np.flatnonzero(offer_of >= 0)
    own[held] = cost[np.searchsorted(i * offers + j, held * offers + offer_of[held])]
    return own


def augment(
    pairs: tuple[Ints, Ints, Ints],
    exception: Ints,
    room: Ints,
    prices: Ints,
    offer_of: Ints,
    requests: Ints,
) -> Ints:
    """Bring in each of `requests` by the cheapest chain of moves, if that lowers the cost.

    A chain: the request takes a place, who held it takes another, and so on, up to a free place or
    to somebody who stays unmatched for less. If `offer_of` was the best over all pairs but those of
    `requests`, the answer is the best over all (successive shortest paths).

    Parameters
    ----------
    pairs : arrays, shape (pairs,)
        Request, offer, cost; sorted by request and offer, the new ones among them.
    exception : array, shape (requests,)
    room, prices : arrays, shape (offers,)
        Places of each offer, and the least price of one: below it no chain ends, which keeps the
        search near.
    offer_of : array, shape (all requests,)
    requests : array
        Unmatched so far.
    """
    i, j, cost = pairs
    start = np.searchsorted(i, np.arange(len(offer_of) + 1))
    taken = offer_of.copy()
    own = costs_held(pairs, exception, len(room), taken)
    left = room - np.bincount(taken[taken >= 0], minlength=len(room))
    _chains(start, j, cost, exception, left, prices, taken, own, requests)
    return taken


def _chains_loop(
    start: Ints, j: Ints, cost: Ints, exception: Ints, left: Ints, prices: Ints, taken: Ints,
    own: Ints, requests: Ints,
) -> None:  # fmt: skip
    m = len(left)
    first, after, before = np.full(m, -1), np.full(len(taken), -1), np.full(len(taken), -1)
    for request in range(len(taken)):
        if taken[request] >= 0:
            after[request] = first[taken[request]]
            if after[request] >= 0:
                before[after[request]] = request
            first[taken[request]] = request
    way = np.full(m, FAR)
    mover, mover_cost = np.full(m, -1), np.zeros(m, dtype=np.int64)
    waiting = np.zeros(m, dtype=np.bool_)
    queue, touched = np.empty(m, dtype=np.int64), np.empty(m, dtype=np.int64)
    for request in requests:
        head, size, n_touched = 0, 0, 0
        best, end, loser = exception[request], -1, -1
        for arc in range(start[request], start[request + 1]):
            k = j[arc]
            way[k], mover[k], mover_cost[k] = cost[arc], request, cost[arc]
            touched[n_touched] = k
            n_touched += 1
            queue[(head + size) % m] = k
            size += 1
            waiting[k] = True
        while size > 0:
            k = queue[head]
            head = (head + 1) % m
            size -= 1
            waiting[k] = False
            if way[k] + prices[k] >= best:
                continue
            if left[k] > 0:
                best, end, loser = way[k], k, -1
                continue
            other = first[k]
            while other >= 0:
                base = way[k] - own[other]
                if base + exception[other] < best:
                    best, end, loser = base + exception[other], k, other
                for arc in range(start[other], start[other + 1]):
                    to = j[arc]
                    if base + cost[arc] < way[to]:
                        if way[to] == FAR:
                            touched[n_touched] = to
                            n_touched += 1
                        way[to] = base + cost[arc]
                        mover[to], mover_cost[to] = other, cost[arc]
                        if not waiting[to]:
                            waiting[to] = True
                            queue[(head + size) % m] = to
                            size += 1
                other = after[other]
        if end >= 0:
            if loser >= 0:
                _leave(loser, taken, first, after, before)
                own[loser] = exception[loser]
            else:
                left[end] -= 1
            k = end
            while k >= 0:
                other = mover[k]
                previous = taken[other]
                if previous >= 0:
                    _leave(other, taken, first, after, before)
                taken[other], own[other] = k, mover_cost[k]
                before[other], after[other] = -1, first[k]
                if first[k] >= 0:
                    before[first[k]] = other
                first[k] = other
                k = previous
        for at in range(n_touched):
            way[touched[at]] = FAR


def _leave_loop(request: int, taken: Ints, first: Ints, after: Ints, before: Ints) -> None:
    if before[request] >= 0:
        after[before[request]] = after[request]
    else:
        first[taken[request]] = after[request]
    if after[request] >= 0:
        before[after[request]] = before[request]
    taken[request] = -1
    before[request] = after[request] = -1


_leave = compiled(_leave_loop)
_chains = compiled(_chains_loop)
