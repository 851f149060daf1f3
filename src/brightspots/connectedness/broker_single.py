"""One request against all offers: its shortlist, and why not another offer.

Nothing is matched here, so neither the solver of flows is loaded nor anything compiled: a page may
ask while a person waits. The prices of pairs are those of the whole system's brokering.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from brightspots.connectedness.broker_frames import read_tables
from brightspots.connectedness.broker_pairs import FORBIDDEN, METRES, PARTS, Facts, Market
from brightspots.connectedness.broker_parameters import BrokerParameters
from brightspots.connectedness.broker_reasons import (
    SMALL_KM,
    Reason,
    forbidden_reason,
    pair_reasons,
)
from brightspots.connectedness.broker_record import study_record
from brightspots.core.errors import InputError

__all__ = ["Comparison", "Suggestion", "market_of", "shortlist", "why_not"]


@dataclass(frozen=True)
class Suggestion:
    """One offer on the shortlist of a request.

    Attributes
    ----------
    rank : int
        1 for the best.
    offer : str
        Its code.
    score : float
        Cost of the pair, km; the lower, the better it suits. Only differences mean anything.
    more_than_best : float
        Score less that of rank 1, km.
    distance_km : float or None
        Great circle; None where a place is not known.
    reasons : tuple of Reason
    """

    rank: int
    offer: str
    score: float
    more_than_best: float
    distance_km: float | None
    reasons: tuple[Reason, ...]

    @property
    def english(self) -> str:
        """The reasons as one line of plain English."""
        return "; ".join(reason.english for reason in self.reasons)


@dataclass(frozen=True)
class Comparison:
    """One offer held against the one that suits a request best, places of others left aside.

    Attributes
    ----------
    offer : str
        Its code.
    best : str or None
        The offer that suits best; None where none may be matched.
    score : float
        Cost of the pair, km, permitted or not.
    more_than_best : float or None
        Score less that of the best, km; None where the pair may not be.
    distance_km : float or None
        Great circle; None where a place is not known.
    reasons : tuple of Reason
        What is the case, as on a shortlist.
    against : tuple of Reason
        What rules the pair out; else the parts that cost at least 0.05 km more than with the best,
        the largest first.
    """

    offer: str
    best: str | None
    score: float
    more_than_best: float | None
    distance_km: float | None
    reasons: tuple[Reason, ...]
    against: tuple[Reason, ...]


def market_of(
    requests: pl.DataFrame,
    offers: pl.DataFrame,
    parameters: BrokerParameters,
    seed: int,
    conflicts: pl.DataFrame | None,
) -> Market:
    """Read and check the tables of :func:`brightspots.connectedness.brokering.broker`."""
    tables = read_tables(
        requests, offers, default_days=parameters.default_days, conflicts=conflicts
    )
    return Market(tables, study_record(tables, parameters, seed), parameters)


def shortlist(
    request: Mapping[str, Any],
    offers: pl.DataFrame,
    parameters: BrokerParameters | None = None,
    seed: int = 0,
    *,
    conflicts: pl.DataFrame | None = None,
) -> tuple[Suggestion, ...]:
    """Return the offers that suit one request best, the best first; empty where none may be.

    Parameters
    ----------
    request : mapping
        One row of the requests of :func:`brightspots.connectedness.brokering.broker`.
    offers, parameters, seed, conflicts
        As there. Give what is left of each offer as its places and days.

    Raises
    ------
    InputError
        As there.
    """
    parameters = parameters or BrokerParameters()
    if offers.height == 0:
        return ()
    market, facts = _alone(request, offers, parameters, seed, conflicts)
    j = np.arange(len(market.tables.offers))
    order = np.lexsort((j, np.round(facts.cost * METRES), facts.forbidden != 0))
    best = order[: min(parameters.shortlist, int((facts.forbidden == 0).sum()))].tolist()
    return tuple(
        Suggestion(
            rank, market.tables.offers.codes[at], float(facts.cost[at]),
            max(0.0, float(facts.cost[at] - facts.cost[best[0]])), _km(facts, at),
            pair_reasons(market, 0, at),
        )
        for rank, at in enumerate(best, start=1)
    )  # fmt: skip


def why_not(
    request: Mapping[str, Any],
    offers: pl.DataFrame,
    offer: str,
    parameters: BrokerParameters | None = None,
    seed: int = 0,
    *,
    conflicts: pl.DataFrame | None = None,
) -> Comparison:
    """Hold one offer against the one that suits the request best.

    Where the request gives offers with little record their chance, records are drawn: they say
    nothing of the offer then, and are left out of what stands against it.

    Parameters
    ----------
    request, offers, parameters, seed, conflicts
        As for :func:`shortlist`.
    offer : str
        Code of an offer among `offers`.

    Raises
    ------
    InputError
        As :func:`shortlist`, and where there is no such offer.
    """
    parameters = parameters or BrokerParameters()
    if offers.height == 0:
        raise InputError(f"there is no offer {offer}.")
    market, facts = _alone(request, offers, parameters, seed, conflicts)
    codes = list(market.tables.offers.codes)
    if offer not in codes:
        raise InputError(f"there is no offer {offer}.")
    at, permitted = codes.index(offer), facts.forbidden == 0
    best = int(np.argmin(np.where(permitted, facts.cost, np.inf)))
    kind = FORBIDDEN[int(facts.forbidden[at])]
    more: float | None = None
    if kind:
        against = [forbidden_reason(market, 0, at, kind, float(facts.km[at]))]
    else:
        more = max(0.0, float(facts.cost[at] - facts.cost[best]))
        against = _parts(market, facts, at, best)
    return Comparison(
        offer=offer,
        best=codes[best] if permitted.any() else None,
        score=float(facts.cost[at]),
        more_than_best=more,
        distance_km=_km(facts, at),
        reasons=pair_reasons(market, 0, at),
        against=tuple(against),
    )


def _alone(
    request: Mapping[str, Any],
    offers: pl.DataFrame,
    parameters: BrokerParameters,
    seed: int,
    conflicts: pl.DataFrame | None,
) -> tuple[Market, Facts]:
    """One request and every offer, priced."""
    cells = {name: None if value is None else str(value) for name, value in request.items()}
    frame = pl.DataFrame([cells], schema=dict.fromkeys(cells, pl.String), orient="row")
    market = market_of(frame, offers, parameters, seed, conflicts)
    j = np.arange(len(market.tables.offers))
    return market, market.facts(np.zeros_like(j), j)


def _parts(market: Market, facts: Facts, at: int, best: int) -> list[Reason]:
    difference = facts.parts[at] - facts.parts[best]
    drawn = bool(market.record.explores[0])
    return [
        Reason("part", {"part": PARTS[part], "km": round(float(difference[part]), 3)})
        for part in np.argsort(-difference, kind="stable").tolist()
        if difference[part] >= SMALL_KM and not (drawn and PARTS[part] == "track_record")
    ]


def _km(facts: Facts, at: int) -> float | None:
    km = float(facts.km[at])
    return None if np.isnan(km) else km
