"""Requests to offers at the least cost: min-cost flow, prices of places, fairness by area.

Costs are whole metres. One request is one unit of flow where capacity is in places, or where all
requests ask for as many days; the answer is then exact over the pairs listed. Where requests ask
for different numbers of days, the flow of days is a lower bound, and what it splits between offers
is put together again afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.broker_augment import augment, costs_held
from brightspots.connectedness.broker_pairs import METRES, Market, within_reach
from brightspots.connectedness.broker_repair import packed_exactly, put_together
from brightspots.core.compiled import compiled
from brightspots.core.errors import InputError

__all__ = ["AreaRule", "Flow", "solve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FINER = 1000
"""A flow of days costs so many parts of a metre, so that a day's share of a cost is whole."""
MOST_PRICED = 60_000_000
ROUNDS = 3
"""Times that the whole flow is solved again at most."""
MOST_LOOKS = 8


@dataclass(frozen=True)
class AreaRule:
    """The rule of fairness by area.

    Attributes
    ----------
    limit : array, shape (areas,)
        Most requests that may stay unmatched; infinite where there is no rule.
    acted : bool
        Whether the answer without the rule broke it, so that it had a say.
    """

    limit: Floats
    acted: bool


@dataclass(frozen=True)
class Flow:
    """An assignment.

    Attributes
    ----------
    offer_of : array, shape (requests,)
        Number of the offer, -1 for unmatched.
    pairs : tuple of arrays
        Request, offer, cost (m) of the pairs listed; sorted by request and offer.
    prices : array, shape (offers,)
        The least price (m) of a place at which nobody would rather have another; None for days.
    cost, bound : int
        Metres, exceptions included; no answer over the pairs listed costs less than `bound`.
    proved_over : str
        "all pairs" or "pairs listed": what the bound was proved over.
    rule : AreaRule
    in_days : bool
    """

    offer_of: Ints
    pairs: tuple[Ints, Ints, Ints]
    prices: Ints | None
    cost: int
    bound: int
    proved_over: str
    rule: AreaRule
    in_days: bool


@dataclass(frozen=True)
class _Network:
    """What the flow is solved over; `group` is the area of a request, the last for none."""

    i: Ints
    j: Ints
    cost: Ints
    supply: Ints
    room: Ints
    exception: Ints
    group: Ints
    allowed: Ints
    excess: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.supply), len(self.room), len(self.allowed)


def solve(market: Market, i: Ints, j: Ints, cost_km: Floats, complete: bool) -> Flow:
    """Match requests to offers over the pairs (`i`, `j`), sorted, at the least cost.

    Pairs that were not listed are added while that would lower the cost, as far as all of them can
    be looked at.
    """
    network, in_days = _network(market, i, j, cost_km)
    rule = AreaRule(np.full(len(network.allowed), np.inf), False)
    looked_at_all, prices = complete, None
    more: tuple[Ints, Ints, Ints] | None = None
    solve_again, answer = ROUNDS, _assign(market, network, in_days)
    for _ in range(MOST_LOOKS):
        rule, allowed = _area_rule(market, network, answer.offer_of, rule)
        if not in_days:
            prices = _priced(network, answer.offer_of)
        more = None
        if prices is not None and not complete:
            more, looked_at_all = _worth_adding(market, network, answer.offer_of, prices)
        if more is None and (allowed == network.allowed).all():
            break
        ruled = replace(network, allowed=allowed)
        network = ruled if more is None else _with_pairs(ruled, more)
        if prices is not None and more is not None and not rule.acted:
            asks = np.unique(more[0])
            if (answer.offer_of[asks] < 0).all():
                offer_of = augment(_pairs(network), network.exception, network.room,
                                   prices[: len(network.room)], answer.offer_of, asks)  # fmt: skip
                answer = _answer(network, offer_of)
                continue
        if solve_again == 0:
            break
        solve_again -= 1
        answer = _assign(market, network, in_days)
    return replace(
        answer,
        prices=None if prices is None else prices[: len(network.room)],
        proved_over="all pairs" if looked_at_all and more is None else "pairs listed",
        rule=rule,
    )


def _network(market: Market, i: Ints, j: Ints, cost_km: Floats) -> tuple[_Network, bool]:
    requests, offers = market.tables.requests, market.tables.offers
    n, price = len(requests), market.parameters.weights.exception
    some = np.unique(requests.days[i]) if len(i) else np.zeros(0)
    in_days = offers.days_given and len(some) > 1
    if in_days:
        supply = np.round(requests.days * 10).astype(np.int64)
        most = np.minimum(offers.days, offers.places * float(some.max()))
        room = np.floor(most * 10 + 1e-6).astype(np.int64)
    else:
        supply = np.ones(n, dtype=np.int64)
        days = float(some[0]) if len(some) else 1.0
        room = np.minimum(offers.places, np.floor(offers.days / days + 1e-9)).astype(np.int64)
        if not offers.days_given:
            room = offers.places
    exception = np.round(price * METRES * requests.weight).astype(np.int64)
    areas = len(market.tables.areas)
    return _Network(
        i, j, np.round(cost_km * METRES).astype(np.int64), supply, room, exception,
        np.where(requests.area >= 0, requests.area, areas),
        np.full(areas + 1, int(supply.sum()), dtype=np.int64), 4 * int(exception.max(initial=1)),
    ), in_days  # fmt: skip


def _area_rule(
    market: Market, network: _Network, offer_of: Ints, before: AreaRule
) -> tuple[AreaRule, Ints]:
    """Return the rule at this answer's share of unmatched, and what the flow is to allow an area.

    Nothing is asked of the flow as long as the answers keep the rule by themselves.
    """
    share = market.parameters.fairness
    if share is None or not len(market.tables.areas):
        return before, network.allowed
    of = np.bincount(network.group, minlength=len(network.allowed)).astype(np.float64)
    out = offer_of < 0
    unmet = np.bincount(network.group[out], minlength=len(of))
    limit = np.floor((out.mean() + share) * of + 1e-9)
    limit[-1] = np.inf
    if (unmet <= limit).all() and not before.acted:
        return AreaRule(limit, False), network.allowed
    hopeless = np.ones(len(out), dtype=bool)
    hopeless[network.i] = False
    allowed = np.where(np.isinf(limit), of, limit)
    allowed = np.maximum(allowed - np.bincount(network.group[hopeless], minlength=len(of)), 0)
    # In a flow of days a request counts as its area's mean number of days.
    days = np.bincount(network.group, weights=network.supply, minlength=len(of))
    allowed = np.floor(allowed * days / np.maximum(of, 1) + 1e-6).astype(np.int64)
    return AreaRule(limit, True), allowed


def _assign(market: Market, network: _Network, in_days: bool) -> Flow:
    if in_days:
        return _answer(network, *_packed(market, network))
    flow, _ = _solve_flow(network, 1)
    return _answer(network, _whole(network, flow))


def _pairs(network: _Network) -> tuple[Ints, Ints, Ints]:
    return network.i, network.j, network.cost


def _held(network: _Network, offer_of: Ints) -> Ints:
    """Cost of what each request has, in metres, exceptions included."""
    return costs_held(_pairs(network), network.exception, len(network.room), offer_of)


def _answer(network: _Network, offer_of: Ints, bound: int | None = None) -> Flow:
    """Put an answer into its place; without a bound it is the best."""
    cost = int(_held(network, offer_of).sum())
    least = cost if bound is None else min(cost, bound)
    rule = AreaRule(np.zeros(0), False)
    return Flow(offer_of, _pairs(network), None, cost, least, "", rule, bound is not None)


def _whole(network: _Network, flow: Ints) -> Ints:
    """Return the offer that has all of a request, -1 where none has."""
    offer_of = np.full(len(network.supply), -1, dtype=np.int64)
    whole = flow == network.supply[network.i]
    offer_of[network.i[whole]] = network.j[whole]
    return offer_of


def _packed(market: Market, network: _Network) -> tuple[Ints, int]:
    """Pack requests of different lengths into days and places: the offer of each, and a bound.

    The flow of days counts places as if every request took the most days, and the flow of requests
    counts days as if each took the fewest. Both are bounds; the answer starts from the higher.
    """
    pairs = _pairs(network)
    of = np.bincount(network.group, minlength=len(network.allowed))
    days = np.bincount(network.group, weights=network.supply, minlength=len(of))
    whole = np.round(network.allowed * of / np.maximum(days, 1)).astype(np.int64)
    exact = packed_exactly(market, pairs, network.exception, (network.group, whole, network.excess))
    if exact is not None:
        return exact, int(_held(network, exact).sum())
    least = np.floor(market.tables.offers.days * 10 + 1e-6) // network.supply.min()
    single = replace(
        network,
        supply=np.ones_like(network.supply),
        room=np.minimum(market.tables.offers.places, least).astype(np.int64),
        allowed=whole,
    )
    by_days, least_by_days = _solve_flow(network, FINER)
    by_places, least_by_places = _solve_flow(single, 1)
    if least_by_places > least_by_days:
        start = _whole(single, by_places)
    else:
        start = _whole(network, by_days)
    bound = max(least_by_days, least_by_places)
    return put_together(market, pairs, network.exception, start), bound


def _solve_flow(network: _Network, finer: int) -> tuple[Ints, int]:
    """Flow of each pair, and a lower bound on the cost in metres without the price of excess."""
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow  # heavy

    n, m, groups = network.shape
    has = np.zeros(n, dtype=bool)
    has[network.i] = True
    asks, gives = np.flatnonzero(has), np.arange(m)
    sink = n + m + groups
    areas = np.arange(groups) + n + m
    unit = _unit(network.cost, network.supply[network.i], finer)
    price = _unit(network.exception[asks], network.supply[asks], finer)
    total = int(network.supply[asks].sum())
    tails = [network.i, asks, gives + n, areas, areas]
    heads = [
        network.j + n,
        network.group[asks] + n + m,
        *(np.full(k, sink) for k in (m, groups, groups)),
    ]
    room = [network.supply[network.i], network.supply[asks], np.minimum(network.room, total),
            network.allowed, np.full(groups, total)]  # fmt: skip
    costs = [unit, price, np.zeros(m), np.zeros(groups), np.full(groups, _excess(network, finer))]
    problem = SimpleMinCostFlow()
    arcs = problem.add_arcs_with_capacity_and_unit_cost(
        np.concatenate(tails).astype(np.int32), np.concatenate(heads).astype(np.int32),
        np.concatenate(room).astype(np.int64), np.concatenate(costs).astype(np.int64),
    )  # fmt: skip
    problem.set_nodes_supplies(asks.astype(np.int32), network.supply[asks])
    problem.set_node_supply(sink, -total)
    status = problem.solve()
    if status != problem.OPTIMAL:
        raise InputError(
            f"the flow could not be solved ({status.name.lower()}).",
            mend="Are weights or prices very large? Make them smaller.",
        )
    flows = np.asarray(problem.flows(arcs), dtype=np.int64)
    paid = problem.optimal_cost() - int(flows[-groups:].sum()) * _excess(network, finer)
    alone = int(network.exception[~has].sum())
    slack = (total + 1) // 2 if finer > 1 else 0
    return flows[: len(network.i)], (paid - slack) // finer + alone


def _excess(network: _Network, finer: int) -> int:
    smallest = int(network.supply.min(initial=1))
    return network.excess * finer // max(smallest, 1) if finer > 1 else network.excess


def _unit(cost: Ints, supply: Ints, finer: int) -> Ints:
    if finer == 1:
        return cost
    return np.round(cost * (finer / supply)).astype(np.int64)


def _priced(network: _Network, offer_of: Ints) -> Ints:
    """Prices of places and of staying unmatched by area; see `_least_prices`."""
    n, m, groups = network.shape
    taken = np.where(offer_of >= 0, offer_of, m + network.group)
    start = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(network.i, minlength=n), out=start[1:])
    own = _held(network, offer_of)
    prices = np.zeros(m + groups, dtype=np.int64)
    unmet = np.bincount(network.group[offer_of < 0], minlength=groups)
    hopeless = np.bincount(network.group[(np.diff(start) == 0)], minlength=groups)
    prices[m:][unmet - hopeless > network.allowed] = network.excess
    members = np.argsort(taken, kind="stable")
    member_start = np.zeros(m + groups + 1, dtype=np.int64)
    np.cumsum(np.bincount(taken, minlength=m + groups), out=member_start[1:])
    _least_prices(
        start, network.j, network.cost, network.exception, network.group + m, taken, own,
        members, member_start, prices,
    )  # fmt: skip
    return prices


def _least_prices_loop(
    start: Ints, j: Ints, cost: Ints, exception: Ints, unmatched: Ints, taken: Ints, own: Ints,
    members: Ints, member_start: Ints, prices: Ints,
) -> None:  # fmt: skip
    """Raise prices until nobody would rather have another place than the one they have.

    A request with cost c of what it has, at price v, wants place k when c_k + v_k < c + v; then v_k
    rises to c + v - c_k. At an optimum this ends, and gives the least such prices: those of
    Demange, Gale and Sotomayor (1986, J. Polit. Econ. 94:863).
    """
    n, nodes = len(start) - 1, len(prices)
    waiting = np.zeros(nodes, dtype=np.bool_)
    queue = np.empty(nodes, dtype=np.int64)
    for node in range(nodes):
        waiting[node] = member_start[node + 1] > member_start[node]
    head, size = 0, 0
    for node in range(nodes):
        if waiting[node]:
            queue[size] = node
            size += 1
    budget = 2000 * (nodes + 1)
    while size > 0 and budget > 0:
        budget -= 1
        node = queue[head]
        head = (head + 1) % nodes
        size -= 1
        waiting[node] = False
        for place in range(member_start[node], member_start[node + 1]):
            i = members[place]
            if i >= n or start[i + 1] == start[i]:
                continue
            u = own[i] + prices[taken[i]]
            for arc in range(start[i], start[i + 1] + 1):
                if arc < start[i + 1]:
                    k, c = j[arc], cost[arc]
                else:
                    k, c = unmatched[i], exception[i]
                if u - c > prices[k]:
                    prices[k] = u - c
                    if not waiting[k] and member_start[k + 1] > member_start[k]:
                        waiting[k] = True
                        queue[(head + size) % nodes] = k
                        size += 1


_least_prices = compiled(_least_prices_loop)


def _worth_adding(
    market: Market, network: _Network, offer_of: Ints, prices: Ints
) -> tuple[tuple[Ints, Ints, Ints] | None, bool]:
    """Pairs outside the lists that would lower the cost, and whether all pairs were looked at."""
    requests, offers = market.tables.requests, market.tables.offers
    n, m = len(requests), len(offers)
    taken = np.where(offer_of >= 0, offer_of, m + network.group)
    own = _held(network, offer_of) + prices[taken]
    everything = n * m <= MOST_PRICED
    look = np.arange(n) if everything else np.flatnonzero(offer_of < 0)[: MOST_PRICED // m]
    found = [(network.i[:0], network.j[:0], network.cost[:0])]
    for p in range(len(market.tables.priorities)):
        asks = look[requests.priority[look] == p]
        gives = np.flatnonzero(offers.covers[:, p] & (offers.places > 0) & (offers.days > 0))
        for block in np.array_split(asks, 1 + len(asks) * len(gives) // 4_000_000):
            i, j = within_reach(market, block, gives)
            worth = prices[j] < own[i]
            i, j = i[worth], j[worth]
            facts = market.facts(i, j)
            cost = np.round(facts.cost * METRES).astype(np.int64)
            good = (facts.forbidden == 0) & (cost + prices[j] < own[i])
            found.append((i[good], j[good], cost[good]))
    i, j, cost = (np.concatenate(column) for column in zip(*found, strict=True))
    return ((i, j, cost) if len(i) else None), everything


def _with_pairs(network: _Network, more: tuple[Ints, Ints, Ints]) -> _Network:
    i, j, cost = (
        np.concatenate([old, new])
        for old, new in zip((network.i, network.j, network.cost), more, strict=True)
    )
    _, first = np.unique(i * len(network.room) + j, return_index=True)
    return replace(network, i=i[first], j=j[first], cost=cost[first])
