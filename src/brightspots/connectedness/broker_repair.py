"""Whole requests of different lengths into days and places: exactly if few, else from a flow."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from brightspots.connectedness.broker_pairs import Market

__all__ = ["packed_exactly", "put_together"]

Ints = NDArray[np.int64]
MOST_MOVES = 40
MOST_EXACT = 150
"""Pairs up to which the packing is solved by branch and bound, with a limit of nodes, not time."""
MOST_NODES = 500
Choices = Callable[[int], list[tuple[int, int]]]


def packed_exactly(
    market: Market,
    pairs: tuple[Ints, Ints, Ints],
    exception: Ints,
    rule: tuple[Ints, Ints, int],
) -> Ints | None:
    """Return the offer of each request at the least cost, or None where that would take long.

    Parameters
    ----------
    pairs : arrays, shape (pairs,)
        Request, offer and cost, sorted by request and offer.
    exception : array, shape (requests,)
    rule : tuple
        Area of each request, requests with a pair that may stay unmatched in each area, price of
        each one more.
    """
    i, j, cost = pairs
    requests, offers = market.tables.requests, market.tables.offers
    if not 0 < len(i) <= MOST_EXACT:
        return None
    asks = np.unique(i)
    group, allowed, excess = rule
    n_pairs, n_areas = len(i), len(allowed)
    columns, extra = np.arange(n_pairs), n_pairs + np.arange(n_areas)
    in_area = np.bincount(group[asks], minlength=n_areas)
    rows = [i, len(requests) + j, len(requests) + len(offers) + j]
    last = len(requests) + 2 * len(offers)
    rows += [last + group[i], last + np.arange(n_areas)]
    values = [np.ones(n_pairs), np.ones(n_pairs), requests.days[i], np.ones(n_pairs),
              np.ones(n_areas)]  # fmt: skip
    entry = (np.concatenate(rows), np.concatenate([columns, columns, columns, columns, extra]))
    matrix = coo_array(
        (np.concatenate(values), entry), shape=(last + n_areas, n_pairs + n_areas)
    ).tocsr()
    most = np.concatenate([
        np.ones(len(requests)), offers.places, offers.days + 1e-7, np.full(n_areas, np.inf)
    ])  # fmt: skip
    least = np.concatenate([np.full(last, -np.inf), in_area - allowed])
    found = milp(
        np.concatenate([(cost - exception[i]) / 1000, np.full(n_areas, excess / 1000)]),
        constraints=LinearConstraint(matrix, least, most),
        integrality=np.ones(n_pairs + n_areas, dtype=np.int64),
        bounds=Bounds(0, np.concatenate([np.ones(n_pairs), np.full(n_areas, np.inf)])),
        options={"mip_rel_gap": 0.0, "node_limit": MOST_NODES},
    )
    if found.status != 0:
        return None
    taken = found.x[:n_pairs] > 0.5
    offer_of = np.full(len(requests), -1, dtype=np.int64)
    offer_of[i[taken]] = j[taken]
    return offer_of


class _Room:
    """Tenths of days and places left at each offer, and who is there."""

    def __init__(self, market: Market, offer_of: Ints) -> None:
        requests, offers = market.tables.requests, market.tables.offers
        self.need = np.round(requests.days * 10).astype(np.int64).tolist()
        days = np.floor(offers.days * 10 + 1e-6).astype(np.int64)
        taken = offer_of >= 0
        used = np.bincount(offer_of[taken], weights=np.round(requests.days * 10)[taken],
                           minlength=len(offers))  # fmt: skip
        count = np.bincount(offer_of[taken], minlength=len(offers))
        self.days: list[int] = (days - used.astype(np.int64)).tolist()
        self.places: list[int] = (offers.places - count).tolist()
        self.members: dict[int, list[int]] = {}
        for i in np.flatnonzero(taken).tolist():
            self.members.setdefault(int(offer_of[i]), []).append(i)

    def fits(self, i: int, j: int) -> bool:
        return self.days[j] >= self.need[i] and self.places[j] >= 1

    def put(self, i: int, j: int, sign: int = 1) -> None:
        self.days[j] -= sign * self.need[i]
        self.places[j] -= sign
        if sign > 0:
            self.members.setdefault(j, []).append(i)
        else:
            self.members[j].remove(i)


def put_together(
    market: Market, pairs: tuple[Ints, Ints, Ints], exception: Ints, offer_of: Ints
) -> Ints:
    """Give each request without a whole place the cheapest that has room, or that one move makes.

    Offers whose places are overfull (the flow counts days alone) first give back their dearest
    requests. Requests of the greatest price go first, ties by code.

    Parameters
    ----------
    pairs : arrays, shape (pairs,)
        Request, offer and cost, sorted by request and offer.
    exception : array, shape (requests,)
    offer_of : array, shape (requests,)
        What the flow served whole; -1 elsewhere.
    """
    i, j, cost = pairs
    start = np.searchsorted(i, np.arange(len(offer_of) + 1)).tolist()

    order = np.lexsort((j, cost, i))
    cost, j = cost[order], j[order]

    @cache
    def choices(request: int) -> list[tuple[int, int]]:
        part = slice(start[request], start[request + 1])
        return list(zip(cost[part].tolist(), j[part].tolist(), strict=True))

    room = _Room(market, offer_of)
    best = offer_of.copy()
    for offer in [o for o in sorted(room.members) if room.places[o] < 0 or room.days[o] < 0]:
        price = {r: c for r in room.members[offer] for c, o in choices(r) if o == offer}
        for request in sorted(room.members[offer], key=lambda r: (-price[r], r)):
            if room.places[offer] >= 0 and room.days[offer] >= 0:
                break
            room.put(request, offer, -1)
            best[request] = -1
    open_ = [r for r in np.flatnonzero(best < 0).tolist() if start[r + 1] > start[r]]
    for request in sorted(open_, key=lambda r: (-int(exception[r]), r)):
        _place(request, choices, int(exception[request]), room, best)
    return best


def _place(request: int, choices: Choices, most: int, room: _Room, best: Ints) -> None:
    """Place one request: directly, or after one other request has moved."""
    found: tuple[int, int, int, int] | None = None
    for cost, offer in choices(request):
        if cost >= (most if found is None else found[0]):
            break
        if room.fits(request, offer):
            found = (cost, offer, -1, -1)
            break
        for other in sorted(room.members.get(offer, ()))[:MOST_MOVES]:
            if room.days[offer] + room.need[other] < room.need[request]:
                continue
            if room.places[offer] < 0:
                continue
            options = choices(other)
            now = next(c for c, o in options if o == offer)
            for c, o in options:
                if o != offer and room.fits(other, o):
                    extra = cost + c - now
                    if extra < (most if found is None else found[0]):
                        found = (extra, offer, other, o)
                    break
    if found is None:
        return
    _, offer, other, to = found
    if other >= 0:
        room.put(other, offer, -1)
        room.put(other, to)
        best[other] = to
    room.put(request, offer)
    best[request] = offer
