"""From requests and offers to the library's brokering and back to keys of rows."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import polars as pl

from brightspots.connectedness import broker_single
from brightspots.connectedness.broker_parameters import BrokerParameters
from brightspots.connectedness.broker_reasons import Reason
from brightspots_web.connectedness import records
from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness.models import SupportOffer, SupportRequest
from brightspots_web.connectedness.records import Outlook, Record
from brightspots_web.connectedness.support_reasons import SPEAKS_FOR
from brightspots_web.insight import queries as insight

PARAMETERS = BrokerParameters()
"""The library's settings; how far is the ministry's, see :func:`parameters`."""
TEXT = ("school", "language", "phase", "area", "family")
NUMBERS = ("latitude", "longitude", "days")
REQUESTS = {"request": pl.String, "priority": pl.String} | {
    **dict.fromkeys(TEXT, pl.String),
    **dict.fromkeys(NUMBERS, pl.Float64),
}
RECORD = ("gain", "se", "projects")
OFFERS = {"offer": pl.String, "priority": pl.String, "places": pl.Int64, "strength": pl.Float64} | {
    **dict.fromkeys(RECORD, pl.Float64),
    **dict.fromkeys(TEXT, pl.String),
    **dict.fromkeys(NUMBERS, pl.Float64),
}
Rooms = Mapping[int, tuple[int, Decimal]]


@dataclass(frozen=True)
class Found:
    """An offer that was suggested, or held against a request."""

    offer: int
    score: float
    distance_km: float | None
    reasons: Sequence[Mapping[str, Any]]
    more_than_best: float | None = 0.0
    """By how much another offer fits better, as if in km; None where it cannot be suggested."""
    against: Sequence[Mapping[str, Any]] = ()
    rough: bool = False
    """By how much another fits better is not told: a record of few schools is part of it."""


def parameters(known: Outlook) -> BrokerParameters:
    """The library's settings, how far the ministry lets a school come from, how far it explores.

    Records that an app above gives are shrunken already.
    """
    share = PARAMETERS.exploration if known.exploration is None else known.exploration
    return replace(
        PARAMETERS,
        max_km=float(ledger.present_settings().support_km),
        exploration=share,
        shrink=not known.records,
    )


def outlook(offers: Sequence[SupportOffer]) -> Outlook:
    """What earlier support of those who would come lets one expect."""
    priorities = {offer.priority_id: offer.priority for offer in offers}
    leaders = {offer.giver_id for offer in offers if offer.giver_id is not None}
    return records.outlook(leaders, list(priorities.values()))


def record_of(offer: SupportOffer, known: Outlook) -> Record | None:
    return known.records.get((offer.giver_id or 0, offer.priority_id))


def shortlist(request: SupportRequest, but: Iterable[int] = ()) -> list[Found]:
    """The offers that fit one request best and have room, the best first, three at most.

    Parameters
    ----------
    request : SupportRequest
    but : iterable of int
        Offers that came to nothing for this request before.
    """
    gone = set(but)
    offers = [
        each
        for each in queries.open_offers(request.priority, but=request.school)
        if each.pk not in gone
    ]
    known = outlook(offers)
    frame = offers_frame(offers, ledger.rooms(offers), known)
    best = broker_single.shortlist(
        requests_rows([request], offers)[0], frame, parameters(known), known.seed
    )
    by_key = {str(offer.pk): record_of(offer, known) for offer in offers}
    return [
        Found(
            int(each.offer),
            each.score,
            each.distance_km,
            _plain(each.reasons, by_key[each.offer]),
            each.more_than_best,
        )
        for each in best
    ]


def why_not(request: SupportRequest, offer: SupportOffer) -> Found:
    """One offer held against a request: what speaks for it and what against it.

    Nothing is matched here: the pairs of one request are priced and compared, as a shortlist does.
    """
    offers = list(queries.open_offers(request.priority, but=request.school))
    if offer.pk not in {each.pk for each in offers}:
        offers.append(offer)
    known = outlook(offers)
    frame = offers_frame(offers, ledger.rooms(offers), known)
    answer = broker_single.why_not(
        requests_rows([request], offers)[0],
        frame,
        str(offer.pk),
        parameters(known),
        known.seed,
        conflicts=_conflicts([request], frame),
    )
    rough = any(each is not None and each.projects and not each.shown
                for each in (record_of(one, known) for one in offers))  # fmt: skip
    against = _plain(answer.against)
    if rough:
        against = [each for each in against if each["values"].get("part") != "track_record"]
    return Found(
        offer.pk,
        answer.score,
        answer.distance_km,
        _plain(
            (each for each in answer.reasons if each.kind in SPEAKS_FOR), record_of(offer, known)
        ),
        answer.more_than_best,
        against,
        rough,
    )


def _conflicts(requests: Sequence[SupportRequest], frame: pl.DataFrame) -> pl.DataFrame:
    """Pairs that came to nothing before."""
    present = set(frame["offer"].to_list())
    pairs = [
        {"request": str(request.pk), "offer": str(key), "reason": ""}
        for request in requests
        for key in sorted(queries.declined_offers(request))
        if str(key) in present
    ]
    names = ("request", "offer", "reason")
    return pl.DataFrame(pairs, schema=dict.fromkeys(names, pl.String), orient="row")


def match(
    requests: Sequence[SupportRequest], progress: Callable[[float, str], None]
) -> dict[int, list[Found]]:
    """Match all requests with the offers there are; request key -> the match and who is next.

    Places and days of each offer are shared out once. Who is next on a shortlist may be promised
    to another meanwhile: that is looked at again when its turn comes.
    """
    from brightspots.connectedness.brokering import (
        broker,  # its solver is heavy: jobs alone load it
    )

    offers = [
        each
        for priority in {request.priority_id: request.priority for request in requests}.values()
        for each in queries.open_offers(priority, but=None)
    ]
    if not requests or not offers:
        return {}
    known = outlook(offers)
    frame = offers_frame(offers, ledger.rooms(offers), known)
    rows = pl.DataFrame(requests_rows(requests, offers), schema=REQUESTS, orient="row")
    conflicts = _conflicts(requests, frame)
    answer = broker(
        rows, frame, parameters(known), known.seed, conflicts=conflicts, progress=progress
    )
    by_key = {str(offer.pk): record_of(offer, known) for offer in offers}
    listed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in answer.matches.iter_rows(named=True):
        listed[each["request"]].append(each)
    for each in answer.shortlists.iter_rows(named=True):
        taken = listed.get(each["request"])
        if taken and each["offer"] != taken[0]["offer"]:
            taken.append(each)
    return {
        int(code): [
            Found(
                int(each["offer"]),
                float(each["score"]),
                each["distance_km"],
                _plain(answer.reasons(code, each["offer"]), by_key[each["offer"]]),
            )
            for each in these
        ]
        for code, these in listed.items()
    }


def requests_rows(
    requests: Sequence[SupportRequest], offers: Sequence[SupportOffer]
) -> list[dict[str, Any]]:
    """Requests as the library reads them; the family lists those like the school that offer."""
    run = insight.current_run()
    givers = {offer.school_id: offer.school.code for offer in offers}
    rows = []
    for each in requests:
        family = insight.family_of(run, each.school) if run else None
        like = [givers[key] for key in (family.members if family else []) if key in givers]
        rows.append(
            {
                "request": str(each.pk),
                "priority": each.priority.code,
                "school": each.school.code,
                "language": each.school.language or None,
                "phase": each.school.phase or None,
                "area": str(each.school.area_id),
                "family": ";".join(like) or None,
                "latitude": each.school.latitude,
                "longitude": each.school.longitude,
                "days": float(each.days),
            }
        )
    return rows


def offers_frame(
    offers: Sequence[SupportOffer], rooms: Rooms, known: Outlook | None = None
) -> pl.DataFrame:
    """Offers with what is left of each: schools at a time, days of the year; and its record."""
    strength: dict[int, float] = {}
    for subject in {offer.priority.subject for offer in offers}:
        here = [offer for offer in offers if offer.priority.subject == subject]
        shown = queries.strengths_at(subject, [offer.school for offer in here])
        strength |= {
            offer.pk: shown[offer.school_id][0] for offer in here if offer.school_id in shown
        }
    rows = []
    for offer in offers:
        places, days = rooms.get(offer.pk, (0, ledger.NOTHING))
        record = record_of(offer, known) if known else None
        rows.append(
            {
                "offer": str(offer.pk),
                "priority": offer.priority.code,
                "places": max(places, 0),
                "strength": strength.get(offer.pk),
                "school": offer.school.code,
                "language": offer.languages or None,
                "phase": offer.school.phase or None,
                "area": str(offer.school.area_id),
                "family": None,
                "latitude": offer.school.latitude,
                "longitude": offer.school.longitude,
                "days": max(float(days), 0.0),
                "gain": record.gain if record else None,
                "se": record.se if record else None,
                "projects": float(record.projects) if record else None,
            }
        )
    return pl.DataFrame(rows, schema=OFFERS, orient="row")


def _plain(reasons: Iterable[Reason], record: Record | None = None) -> list[dict[str, Any]]:
    """Reasons in JSON types, as they are kept with a match; of a record what may be told."""
    plain = [each.as_dict() for each in reasons]
    if record is None:
        return plain
    return [_told(record) or each if each["kind"] == "record" else each for each in plain]


def _told(record: Record) -> dict[str, Any] | None:
    """What stands in place of a record's figure: too few schools, or none yet; None: nothing."""
    if record.projects == 0 and record.given:
        return {"kind": "not_measured", "values": {"projects": record.given}}
    if record.projects == 0:
        return {"kind": "no_record", "values": {}}
    if not record.shown:
        return {"kind": "few_records", "values": {"projects": record.projects}}
    return None
