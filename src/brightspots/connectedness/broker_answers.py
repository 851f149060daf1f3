"""Answers about single requests: why it is unmatched, why another offer was not taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brightspots.connectedness.broker_flow import Flow
from brightspots.connectedness.broker_pairs import FORBIDDEN, METRES, PARTS, Market
from brightspots.connectedness.broker_reasons import SMALL_KM, Reason, forbidden_reason
from brightspots.core.geography import great_circle_km, unit_vectors

__all__ = ["why_not", "why_unmatched"]

Ints = NDArray[np.int64]
MOST_LOOKED_AT = 20_000_000
SHOWN = 3


def why_not(market: Market, flow: Flow, i: int, j: int) -> list[Reason]:
    """Say why request `i` does not go to offer `j`."""
    match = int(flow.offer_of[i])
    if match == j:
        return [Reason("is_match")]
    facts = market.facts(np.array([i, i]), np.array([j, max(match, 0)]))
    forbidden = FORBIDDEN[int(facts.forbidden[0])]
    if forbidden:
        return [forbidden_reason(market, i, j, forbidden, float(facts.km[0]))]
    offers = market.tables.offers
    reasons = []
    price = 0.0 if flow.prices is None else flow.prices[j] / METRES
    if match >= 0:
        more = float(facts.cost[0] - facts.cost[1])
        kind = "fits_as_well" if abs(more) < SMALL_KM else "fits_less" if more > 0 else "fits_more"
        reasons.append(Reason(kind, {"offer": offers.codes[match], "km": round(abs(more), 3)}))
        difference = facts.parts[0] - facts.parts[1]
        order = np.argsort(-np.abs(difference), kind="stable")
        reasons += [
            Reason("part", {"part": PARTS[at], "km": round(float(difference[at]), 3)})
            for at in order.tolist() if abs(difference[at]) >= SMALL_KM
        ]  # fmt: skip
        price -= 0.0 if flow.prices is None else flow.prices[match] / METRES
    elif facts.cost[0] > market.parameters.weights.exception * market.tables.requests.weight[i]:
        reasons.append(Reason("too_dear", {"km": round(float(facts.cost[0]), 3)}))
    holders = np.flatnonzero(flow.offer_of == j)
    places, days = _room_left(market, flow)
    if len(holders) and (places[j] < 1 or days[j] < market.tables.requests.days[i] - 1e-9):
        codes = [market.tables.requests.codes[at] for at in holders.tolist()]
        reasons.append(
            Reason("taken", {"requests": codes[:SHOWN], "more": max(0, len(codes) - SHOWN)})
        )
        if flow.prices is not None and price >= SMALL_KM:
            reasons.append(Reason("worth_more", {"km": round(price, 3)}))
    return reasons


def _room_left(market: Market, flow: Flow) -> tuple[Ints, NDArray[np.float64]]:
    """Places and days left at each offer."""
    requests, offers = market.tables.requests, market.tables.offers
    taken = flow.offer_of >= 0
    at, n = flow.offer_of[taken], len(offers)
    places = offers.places - np.bincount(at, minlength=n)
    return places, offers.days - np.bincount(at, weights=requests.days[taken], minlength=n)


def why_unmatched(market: Market, flow: Flow) -> list[tuple[int, Reason]]:
    """Say of each unmatched request, in order, why it is."""
    requests, offers = market.tables.requests, market.tables.offers
    out = np.flatnonzero(flow.offer_of < 0)
    listed = np.bincount(flow.pairs[0], minlength=len(requests))
    reasons: dict[int, Reason] = {}
    room = (offers.places > 0) & (offers.days > 0)
    for p in np.unique(requests.priority[out]).tolist():
        these = out[requests.priority[out] == p]
        name: dict[str, object] = {"priority": market.tables.priorities[p]}
        gives = np.flatnonzero(offers.covers[:, p])
        if not len(gives):
            reasons |= dict.fromkeys(these.tolist(), Reason("nobody_offers", name))
        elif not room[gives].any():
            reasons |= dict.fromkeys(these.tolist(), Reason("nobody_has_places", name))
        else:
            reasons |= _none_near(market, these[listed[these] == 0], gives[room[gives]], name)
    looked = 0
    left = _room_left(market, flow)
    for i in out.tolist():
        if i in reasons:
            continue
        if listed[i]:
            reasons[i] = _taken(market, flow, i, *left)
            continue
        looked += len(offers)
        reasons[i] = _ruled_out(market, i, enough=looked > MOST_LOOKED_AT)
    return [(i, reasons[i]) for i in out.tolist()]


def _none_near(
    market: Market, asks: Ints, gives: Ints, name: dict[str, object]
) -> dict[int, Reason]:
    """Find requests with no offer in reach at all; the others are left to a closer look."""
    requests, offers = market.tables.requests, market.tables.offers
    if market.nobody_placed:
        return {}
    placed = gives[offers.placed[gives]]
    areas = np.unique(offers.area[gives])
    found: dict[int, Reason] = {}
    tree = cKDTree(unit_vectors(offers.latitude[placed], offers.longitude[placed]))
    for i in asks.tolist():
        elsewhere = requests.area[i] < 0 or requests.area[i] not in areas
        if not requests.placed[i]:
            if elsewhere:
                found[i] = Reason("no_place_known", name)
            continue
        if not len(placed):
            continue
        _, at = tree.query(unit_vectors([requests.latitude[i]], [requests.longitude[i]])[0])
        j = placed[int(at)]
        km = float(great_circle_km(requests.latitude[i], requests.longitude[i],
                                   offers.latitude[j], offers.longitude[j]))  # fmt: skip
        if km > market.parameters.max_km and (elsewhere or offers.placed[gives].all()):
            values = {"max_km": market.parameters.max_km, "km": round(km, 1)}
            found[i] = Reason("none_near", {**name, **values})
    return found


def _taken(market: Market, flow: Flow, i: int, places: Ints, days: NDArray[np.float64]) -> Reason:
    low, high = np.searchsorted(flow.pairs[0], [i, i + 1])
    suited = flow.pairs[1][low:high]
    fits = (places[suited] >= 1) & (days[suited] >= market.tables.requests.days[i] - 1e-9)
    return Reason("left_out") if fits.any() else Reason("all_taken", {"offers": len(suited)})


def _ruled_out(market: Market, i: int, *, enough: bool) -> Reason:
    p = int(market.tables.requests.priority[i])
    name = {"priority": market.tables.priorities[p]}
    if enough:
        return Reason("none_suits", name)
    gives = np.flatnonzero(market.tables.offers.covers[:, p])
    kinds = market.facts(np.full(len(gives), i), gives).forbidden
    counts = {FORBIDDEN[k]: int((kinds == k).sum()) for k in np.unique(kinds).tolist() if k}
    return Reason("all_ruled_out", {**name, "kinds": counts})
