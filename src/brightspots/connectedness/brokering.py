"""Broker support: which offer each request for support goes to, with reasons people can weigh.

The method, its settings and limits are described in ``docs/methods/brokering.md``. A match is a
suggestion: both schools accept it before anything happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness import broker_answers
from brightspots.connectedness.broker_flow import Flow, solve
from brightspots.connectedness.broker_pairs import METRES, Facts, Market, listed_pairs
from brightspots.connectedness.broker_parameters import (
    METHOD,
    METHOD_VERSION,
    BrokerParameters,
    BrokerWeights,
)
from brightspots.connectedness.broker_reasons import Reason, pair_reasons, sentences
from brightspots.connectedness.broker_single import Suggestion, market_of, shortlist
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame

__all__ = [
    "BrokerParameters", "BrokerWeights", "Brokering", "Reason", "Suggestion", "broker", "shortlist",
]  # fmt: skip

Ints = NDArray[np.int64]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Brokering:
    """Suggested matches.

    Attributes
    ----------
    matches : DataFrame
        request, offer, score (km, the lower the better), distance_km (null if not known), reasons
        (English); sorted by request.
    shortlists : DataFrame
        request, rank (1 is best), offer, score, more_than_best, distance_km, reasons; of every
        request with any permitted offer, whether it has room left or not.
    unmatched : DataFrame
        request, kind, reason; sorted by request.
    by_area : DataFrame
        area ("" where not given), requests, unmatched, share, limit (most that may stay unmatched;
        null without the rule), kept, note.
    cost_km, bound_km : float
        Cost of the answer, exceptions included, and what no answer over the same pairs costs less.
    gap : float
        (cost - bound) / cost; 0 where the answer is proved best.
    proved_over : str
        "all pairs" or "pairs listed".
    unmatched_reasons : mapping
        Request -> Reason.
    notes : tuple of str
        What a person should know about the input.
    n_requests, n_offers : int
    seconds : mapping
        By stage, and `total`.
    provenance : Provenance
    """

    matches: pl.DataFrame
    shortlists: pl.DataFrame
    unmatched: pl.DataFrame
    by_area: pl.DataFrame
    cost_km: float
    bound_km: float
    gap: float
    proved_over: str
    unmatched_reasons: Mapping[str, Reason]
    notes: tuple[str, ...]
    n_requests: int
    n_offers: int
    seconds: Mapping[str, float]
    provenance: Provenance
    _market: Market
    _flow: Flow

    def reasons(self, request: str, offer: str) -> tuple[Reason, ...]:
        """Reasons for a pair, matched or not.

        Raises
        ------
        InputError
            There is no such request or offer.
        """
        return pair_reasons(self._market, *self._numbers(request, offer))

    def why_not_reasons(self, request: str, offer: str) -> list[Reason]:
        """Say why the request does not go to the offer, as kinds with values.

        Raises
        ------
        InputError
            There is no such request or offer.
        """
        return broker_answers.why_not(self._market, self._flow, *self._numbers(request, offer))

    def why_not(self, request: str, offer: str) -> list[str]:
        """Say the same in English, a reason each."""
        return [reason.english for reason in self.why_not_reasons(request, offer)]

    def _numbers(self, request: str, offer: str) -> tuple[int, int]:
        tables = self._market.tables
        found = []
        for name, code, codes in (
            ("request", request, tables.requests.codes), ("offer", offer, tables.offers.codes),
        ):  # fmt: skip
            at = int(np.searchsorted(np.array(codes), code))
            if at == len(codes) or codes[at] != code:
                raise InputError(f"there is no {name} {code}.")
            found.append(at)
        return found[0], found[1]


def broker(
    requests: pl.DataFrame,
    offers: pl.DataFrame,
    parameters: BrokerParameters | None = None,
    seed: int = 0,
    *,
    conflicts: pl.DataFrame | None = None,
    progress: Progress | None = None,
) -> Brokering:
    """Match requests for support with offers: as many as can be, then at the least cost.

    Parameters
    ----------
    requests : DataFrame
        request (code), school, priority, and optionally days (of support), latitude, longitude
        (degrees), language, phase, family (several with ";"; a family, or the schools like it),
        area, weight (above 0: how much more an unmatched request counts; 1 if empty).
    offers : DataFrame
        offer (code), school or leader, priority (several with ";", or "all"), and optionally places
        or capacity (requests at once, a whole number; empty for no limit), days (in all), latitude,
        longitude, language or languages, phase, family, area; for each priority asked for
        strength_<priority> (any scale, or 1 and 0), gain_<priority> with se_<priority> (SD of
        pupils) and projects_<priority>; or strength, gain, se, projects for all. A priority's name
        is written with "_" and small letters in a column's name.
    parameters : BrokerParameters, optional
    seed : int
        Of what is drawn to explore. Same input, parameters and seed: the same answer, in whatever
        order the rows stand.
    conflicts : DataFrame, optional
        Pairs ruled out: request or school; offer or offer_school; reason.
    progress : callable, optional
        Called with the share done (0 to 1) and the stage; what it raises stops the run.

    Raises
    ------
    InputError
        With file ("requests", "offers", "conflicts"), row and column.
    """
    parameters = parameters or BrokerParameters()
    tell = progress or (lambda _share, _stage: None)
    watch: dict[str, float] = {}
    began = last = time.monotonic()

    def lap(stage: str, share: float, following: str) -> None:
        nonlocal last
        now = time.monotonic()
        watch[stage], last = now - last, now
        tell(share, following)

    tell(0.0, "reading")
    market = market_of(requests, offers, parameters, seed, conflicts)
    lap("reading", 0.1, "finding who is near whom")
    i, j, cost, complete = listed_pairs(market)
    lap("pairs", 0.3, "matching")
    flow = solve(market, i, j, cost, complete)
    lap("matching", 0.7, "writing reasons")
    unmatched = broker_answers.why_unmatched(market, flow)
    tables = market.tables
    codes = tables.requests.codes
    result_frames = {
        "matches": _matches(market, flow),
        "shortlists": _shortlists(market, *flow.pairs, parameters.shortlist),
        "unmatched": pl.DataFrame(
            [(codes[at], reason.kind, reason.english) for at, reason in unmatched], orient="row",
            schema={"request": pl.String, "kind": pl.String, "reason": pl.String},
        ),
        "by_area": _by_area(market, flow),
    }  # fmt: skip
    hashes = [hash_frame(frame) for frame in (requests, offers, conflicts) if frame is not None]
    lap("reasons", 1.0, "done")
    watch["total"] = time.monotonic() - began
    return Brokering(
        **result_frames,
        cost_km=flow.cost / METRES,
        bound_km=flow.bound / METRES,
        gap=(flow.cost - flow.bound) / flow.cost if flow.cost > 0 else 0.0,
        proved_over=flow.proved_over,
        unmatched_reasons={codes[at]: reason for at, reason in unmatched},
        notes=_notes(market),
        n_requests=len(tables.requests),
        n_offers=len(tables.offers),
        seconds=watch,
        provenance=Provenance(METHOD, METHOD_VERSION, "+".join(hashes), seed, parameters.as_dict()),
        _market=market,
        _flow=flow,
    )


def _pair_frame(market: Market, i: Ints, j: Ints, facts: Facts) -> pl.DataFrame:
    tables = market.tables
    codes = pl.Series(tables.requests.codes, dtype=pl.String)
    others = pl.Series(tables.offers.codes, dtype=pl.String)
    return pl.DataFrame({
        "request": codes.gather(i),
        "offer": others.gather(j),
        "score": facts.cost.round(3),
        "distance_km": pl.Series(facts.km.round(3), dtype=pl.Float64).fill_nan(None),
        "reasons": sentences(market, i, j, facts),
    })  # fmt: skip


def _matches(market: Market, flow: Flow) -> pl.DataFrame:
    i = np.flatnonzero(flow.offer_of >= 0)
    j = flow.offer_of[i]
    return _pair_frame(market, i, j, market.facts(i, j))


def _shortlists(market: Market, i: Ints, j: Ints, metres: Ints, length: int) -> pl.DataFrame:
    """Return the best of the pairs listed for each request; ties by the offer's code."""
    order = np.lexsort((j, metres, i))
    first = np.searchsorted(i, i, side="left")  # i is sorted: lexsort keeps the requests in place
    rank = np.arange(len(i)) - first
    order, rank = order[rank < length], rank[rank < length]
    facts = market.facts(i[order], j[order])
    frame = _pair_frame(market, i[order], j[order], facts)
    best = facts.cost[np.maximum.accumulate(np.where(rank == 0, np.arange(len(rank)), 0))]
    return frame.select(
        "request",
        pl.Series("rank", rank + 1, dtype=pl.Int64),
        "offer",
        "score",
        pl.Series("more_than_best", np.maximum(facts.cost - best, 0.0).round(3)),
        "distance_km",
        "reasons",
    )


def _by_area(market: Market, flow: Flow) -> pl.DataFrame:
    requests, areas = market.tables.requests, (*market.tables.areas, "")
    group = np.where(requests.area >= 0, requests.area, len(areas) - 1)
    asked = np.bincount(group, minlength=len(areas))
    out = flow.offer_of < 0
    unmet = np.bincount(group[out], minlength=len(areas))
    listed = np.bincount(flow.pairs[0], minlength=len(requests)) > 0
    hopeless = np.bincount(group[~listed], minlength=len(areas))
    rows = []
    for at, area in sorted(enumerate(areas), key=lambda each: each[1]):
        if not asked[at]:
            continue
        limit = float(flow.rule.limit[at])
        kept, note = bool(unmet[at] <= limit), ""
        if not kept and hopeless[at] > limit:
            note = f"cannot be kept: for {hopeless[at]} of its {asked[at]} no offer may be matched"
        elif not kept:
            note = "cannot be kept: the offers that suit are too few, or other areas' limits bind"
        if not kept and flow.in_days:
            note += " (as far as was found)"
        rows.append((
            area, int(asked[at]), int(unmet[at]), float(unmet[at] / asked[at]),
            None if np.isinf(limit) else int(limit), kept, note,
        ))  # fmt: skip
    return pl.DataFrame(rows, orient="row", schema={
        "area": pl.String, "requests": pl.Int64, "unmatched": pl.Int64, "share": pl.Float64,
        "limit": pl.Int64, "kept": pl.Boolean, "note": pl.String,
    })  # fmt: skip


def _notes(market: Market) -> tuple[str, ...]:
    requests, offers = market.tables.requests, market.tables.offers
    notes = list(market.tables.notes)
    if market.nobody_placed:
        notes.append("Nobody has coordinates: distance counts for nothing, and has no limit.")
    elif not requests.placed.all() or not offers.placed.all():
        notes.append(
            f"{int((~requests.placed).sum())} requests and {int((~offers.placed).sum())} offers"
            " have no coordinates; they can be matched within their area only."
        )
    if (offers.school < 0).any():
        notes.append(
            f"{int((offers.school < 0).sum())} offers name a leader but no school: whether a school"
            " would support itself cannot be checked for them."
        )
    return tuple(notes)
