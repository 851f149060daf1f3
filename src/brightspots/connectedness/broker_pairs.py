"""Which request may go to which offer, what each pair costs, and the lists of pairs to weigh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brightspots.connectedness.broker_frames import Tables
from brightspots.connectedness.broker_parameters import BrokerParameters
from brightspots.connectedness.broker_record import Record
from brightspots.core.geography import chord, great_circle_km, unit_vectors

__all__ = ["FORBIDDEN", "METRES", "PARTS", "Facts", "Market", "listed_pairs", "within_reach"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PARTS = ("distance", "dissimilarity", "language", "phase", "strength", "track_record")
FORBIDDEN = (
    "", "not_offered", "same_school", "conflict", "asks_itself", "no_places", "too_far",
    "place_unknown", "other_language", "other_phase",
)  # fmt: skip
"""Why a pair may not be, by number; the first that holds is told first."""
METRES = 1000
"""Costs count in whole metres, so that which of two is less never hangs on a last digit."""
BLOCK = 250_000
"""Pairs priced at once: what a processor's cache holds is quicker than all at once."""


@dataclass(frozen=True)
class Facts:
    """What is known of pairs; every array has one value a pair.

    `km` is NaN where a place is not known. `like`, `language` and `phase` are 1 (the same), 0
    (another) or NaN (not known). `strength` is a rank from 0 to 1 or NaN.
    """

    km: Floats
    like: Floats
    language: Floats
    phase: Floats
    strength: Floats
    forbidden: Ints
    parts: Floats
    """Shape (pairs, parts), km."""

    @property
    def cost(self) -> Floats:
        """Sum of the parts, km."""
        total: Floats = self.parts.sum(axis=1)
        return total


class Market:
    """Requests and offers with what is needed to price a pair.

    Parameters
    ----------
    tables : Tables
    record : Record
    parameters : BrokerParameters
    """

    def __init__(self, tables: Tables, record: Record, parameters: BrokerParameters) -> None:
        self.tables, self.record, self.parameters = tables, record, parameters
        requests, offers = tables.requests, tables.offers
        self.nobody_placed = not (requests.placed.any() or offers.placed.any())
        self.asks_itself = self._asks_itself()
        self.families = 1 + max(
            int(party.family[1].max(initial=-1)) for party in (requests, offers)
        )
        row, family = requests.family
        self.family_keys = row * self.families + family
        of_request = np.bincount(row, minlength=len(requests))
        self.one_family: Ints | None = None
        if of_request.max(initial=0) <= 1:  # the usual case, and much quicker
            self.one_family = np.full(len(requests), -2)
            self.one_family[row] = family
        counts = np.bincount(offers.family[0], minlength=len(offers))
        self.family_known = (of_request > 0, counts > 0)
        self.offer_families = np.full((len(offers), int(counts.max(initial=0))), -1)
        place = np.arange(len(offers.family[0])) - np.repeat(np.cumsum(counts) - counts, counts)
        self.offer_families[offers.family[0], place] = offers.family[1]
        keys = [i * len(offers) + j for i, j in tables.conflicts]
        self.conflict_keys = np.array(sorted(keys), dtype=np.int64)
        covered = np.where(offers.covers, record.mean, -np.inf).max(axis=0, initial=-np.inf)
        drawn = np.where(offers.covers, record.drawn, -np.inf).max(axis=0, initial=-np.inf)
        self.best = np.nan_to_num(np.array([covered, drawn]), neginf=0.0)

    def _asks_itself(self) -> Bools:
        """Tell whether the school of an offer asks for the priority; shape (offers, priorities)."""
        requests, offers = self.tables.requests, self.tables.offers
        n = max(1, len(self.tables.priorities))
        asked = np.unique(requests.school * n + requests.priority)
        keys = offers.school[:, None] * n + np.arange(n)[None, :]
        found = _in_sorted(keys.ravel(), asked).reshape(keys.shape)
        return found & (offers.school >= 0)[:, None] & (not self.parameters.askers_may_give)

    def facts(self, i: Ints, j: Ints) -> Facts:
        """Price the pairs of request numbers `i` and offer numbers `j`, both of shape (pairs,)."""
        requests, offers, parameters = self.tables.requests, self.tables.offers, self.parameters
        weights = parameters.weights
        p = requests.priority[i]
        km = great_circle_km(
            requests.latitude[i], requests.longitude[i], offers.latitude[j], offers.longitude[j]
        )
        like = self._like(i, j)
        language = _shared(requests.language[i], offers.language[j])
        phase = _shared(requests.phase[i], offers.phase[j])
        strength = offers.strength[j, p]
        explores = self.record.explores[i]
        value = np.where(explores, self.record.drawn[j, p], self.record.mean[j, p])
        best = np.where(explores, self.best[1][p], self.best[0][p])
        assumed = 0.0 if self.nobody_placed else parameters.assumed_km
        parts = np.empty((len(i), len(PARTS)))
        parts[:, 0] = weights.distance * np.where(np.isnan(km), assumed, km)
        parts[:, 1] = weights.dissimilarity * (1 - _or_half(like))
        parts[:, 2] = weights.language * (1 - _or_half(language))
        parts[:, 3] = weights.phase * (phase == 0)
        parts[:, 4] = weights.strength * (1 - _or_half(strength))
        parts[:, 5] = weights.track_record * np.maximum(best - value, 0.0)
        return Facts(km, like, language, phase, strength,
                     self._forbidden(i, j, km, language, phase), parts)  # fmt: skip

    def _like(self, i: Ints, j: Ints) -> Floats:
        known = self.family_known[0][i] & self.family_known[1][j]
        shared = np.zeros(len(i), dtype=bool)
        for place in range(self.offer_families.shape[1]):
            family = self.offer_families[j, place]
            if self.one_family is not None:
                shared |= family == self.one_family[i]
                continue
            has = family >= 0
            shared[has] |= _in_sorted(i[has] * self.families + family[has], self.family_keys)
        return np.where(known, shared.astype(np.float64), np.nan)

    def _forbidden(
        self, i: Ints, j: Ints, km: Floats, language: Floats, phase: Floats
    ) -> NDArray[np.int64]:
        requests, offers, parameters = self.tables.requests, self.tables.offers, self.parameters
        p = requests.priority[i]
        same_area = (requests.area[i] == offers.area[j]) & (requests.area[i] >= 0)
        giver = offers.school[j]
        rules: list[tuple[str, Bools]] = [
            ("not_offered", ~offers.covers[j, p]),
            ("same_school", (giver == requests.school[i]) & (giver >= 0)),
            ("conflict", _in_sorted(i * len(offers) + j, self.conflict_keys)),
            ("asks_itself", self.asks_itself[j, p]),
            ("no_places", (offers.places[j] == 0) | (offers.days[j] < requests.days[i] - 1e-9)),
            ("too_far", km > parameters.max_km + 1e-9),
            ("place_unknown", np.isnan(km) & ~same_area & (not self.nobody_placed)),
            ("other_language", (language == 0) & parameters.same_language),
            ("other_phase", (phase == 0) & parameters.same_phase),
        ]
        found = np.zeros(len(i), dtype=np.int64)
        for name, holds in reversed(rules):
            found[holds] = FORBIDDEN.index(name)
        return found


def _or_half(values: Floats) -> Floats:
    return np.where(np.isnan(values), 0.5, values)


def _shared(a: Ints, b: Ints) -> Floats:
    return np.where((a == 0) | (b == 0), np.nan, ((a & b) != 0).astype(np.float64))


def _in_sorted(keys: Ints, among: Ints) -> Bools:
    if not len(among):
        return np.zeros(len(keys), dtype=bool)
    at = np.searchsorted(among, keys).clip(max=len(among) - 1)
    found: Bools = among[at] == keys
    return found


def listed_pairs(market: Market) -> tuple[Ints, Ints, Floats, bool]:
    """Return permitted pairs sorted by request and offer, their costs, and whether they are all.

    Above `all_pairs` pairs the lists are, for each priority, the nearest offers of every request
    and the nearest requests of every offer; those without a place are spread evenly over the
    offers of their area (of everywhere, if nobody has a place).
    """
    requests, offers = market.tables.requests, market.tables.offers
    room = (offers.places > 0) & (offers.days > 0)
    groups = [
        (np.flatnonzero(requests.priority == p), np.flatnonzero(offers.covers[:, p] & room))
        for p in range(len(market.tables.priorities))
    ]
    complete = sum(len(a) * len(b) for a, b in groups) <= market.parameters.all_pairs
    keys = [np.zeros(0, dtype=np.int64)]
    for asks, gives in groups:
        if not len(asks) or not len(gives):
            continue
        if complete:
            a, b = within_reach(market, asks, gives)
            keys.append(a * len(offers) + b)
        else:
            keys += [a * len(offers) + b for a, b in _nearest(market, asks, gives)]
            keys += [a * len(offers) + b for a, b in _unplaced(market, asks, gives)]
    every = np.sort(np.concatenate(keys))  # numpy's own unique hashes, and takes thrice as long
    every = every[np.diff(every, prepend=-1) > 0]
    kept, costs = [], []
    for block in np.array_split(every, max(1, len(every) // BLOCK)):
        facts = market.facts(block // len(offers), block % len(offers))
        good = facts.forbidden == 0
        kept.append(block[good])
        costs.append(facts.cost[good])
    pairs = np.concatenate(kept)
    return pairs // len(offers), pairs % len(offers), np.concatenate(costs), complete


def _nearest(market: Market, asks: Ints, gives: Ints) -> list[tuple[Ints, Ints]]:
    requests, offers = market.tables.requests, market.tables.offers
    asks, gives = asks[requests.placed[asks]], gives[offers.placed[gives]]
    if not len(asks) or not len(gives):
        return []
    at = unit_vectors(requests.latitude[asks], requests.longitude[asks])
    to = unit_vectors(offers.latitude[gives], offers.longitude[gives])
    a, b = _lists(at, to, market.parameters)
    d, c = _lists(to, at, market.parameters)
    return [(asks[a], gives[b]), (asks[c], gives[d])]


def _lists(at: Floats, to: Floats, parameters: BrokerParameters) -> tuple[Ints, Ints]:
    k = min(parameters.nearest, len(to))
    reach = chord(parameters.max_km) * (1 + 1e-9) + 1e-12
    _, found = cKDTree(to).query(at, k=k, distance_upper_bound=reach)
    found = np.asarray(found, dtype=np.int64).reshape(len(at), k)
    row, place = np.nonzero(found < len(to))
    return row.astype(np.int64), found[row, place]


def _unplaced(market: Market, asks: Ints, gives: Ints) -> list[tuple[Ints, Ints]]:
    """Within an area, the r-th of n requests starts its list at the (r m / n)-th of m offers."""
    requests, offers = market.tables.requests, market.tables.offers
    ask_area, give_area = requests.area[asks], offers.area[gives]
    if market.nobody_placed:
        ask_area, give_area = np.zeros_like(ask_area), np.zeros_like(give_area)
    found = []
    for area in np.intersect1d(ask_area, give_area):
        a, b = asks[ask_area == area], gives[give_area == area]
        if area < 0 or (requests.placed[a].all() and offers.placed[b].all()):
            continue
        k = min(market.parameters.nearest, len(b))
        start = np.arange(len(a)) * len(b) // len(a)
        near = (start[:, None] + np.arange(k)[None, :]) % len(b)
        found.append((np.repeat(a, k), b[near].ravel()))
        k = min(market.parameters.nearest, len(a))
        start = np.arange(len(b)) * len(a) // len(b)
        near = (start[:, None] + np.arange(k)[None, :]) % len(a)
        found.append((a[near].ravel(), np.repeat(b, k)))
    return found


def within_reach(market: Market, asks: Ints, gives: Ints) -> tuple[Ints, Ints]:
    """Return all pairs that may be near enough."""
    requests, offers = market.tables.requests, market.tables.offers
    at = unit_vectors(requests.latitude[asks], requests.longitude[asks])
    to = unit_vectors(offers.latitude[gives], offers.longitude[gives])
    far = at @ to.T < 1 - chord(market.parameters.max_km) ** 2 / 2 - 1e-9
    row, place = np.nonzero(~far)  # unknown places give NaN, which is not far
    return asks[row], gives[place]
