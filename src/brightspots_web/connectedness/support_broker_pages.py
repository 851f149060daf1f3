"""What officers see: the queue, the shortlist, why not another offer, the figures."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_figures_queries as figures_of
from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness import support_reasons as reasons
from brightspots_web.connectedness import support_words as words
from brightspots_web.connectedness.models import SupportMatch, SupportOffer, SupportRequest
from brightspots_web.connectedness.support_reasons import Comparison
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]


def queue_table(page: Page[SupportRequest], query: str) -> Table:
    """Requests in the order in which they are wanted; nobody is ranked."""
    rows: list[list[Cell]] = [
        [
            Link(each.school.name, reverse("connectedness:support_request", args=[each.pk])),
            each.school.area.name,
            each.priority.title,
            each.get_urgency_display(),
            words.day(each.asked_at),
            _state(each),
        ]
        for each in page
    ]
    return Table(
        _("Requests for support"),
        [
            Column(_("School")),
            Column(_("Area")),
            Column(_("Priority")),
            Column(_("How soon")),
            Column(_("Since")),
            Column(_("State")),
        ],
        rows,
        exports=export_links("connectedness:support_queue_export", query=query),
        empty=_("Nobody waits here."),
    )


def _state(request: SupportRequest) -> Badge:
    if getattr(request, "put", False):
        return Badge(_("lies with both schools"), "visit")
    if getattr(request, "suggested", False):
        return Badge(_("suggestions to look at"), "visit")
    return words.request_badge(request)


def queue_columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("urgency", _("How soon")),
        ExportColumn("days", _("Days"), "number"),
        ExportColumn("since", _("Since"), "date"),
        ExportColumn("origin", _("How it came")),
        ExportColumn("state", _("State")),
        ExportColumn("note", _("Note for officers")),
    ]


def queue_rows(found: Iterable[SupportRequest]) -> Iterator[Row]:
    for each in found:
        yield {
            "code": each.school.code,
            "school": each.school.name,
            "area": each.school.area.name,
            "priority": each.priority.title,
            "urgency": each.get_urgency_display(),
            "days": float(each.days),
            "since": timezone.localdate(each.asked_at),
            "origin": each.get_origin_display(),
            "state": _state(each).label,
            "note": each.triage_note,
        }


def officer_part(found: SupportRequest) -> Row:
    """What officers do with a request: its shortlist, and whether one may be made."""
    listed = queries.shortlist_of(found)
    lies = any(match.put_at is not None for match in listed)
    ready = found.state == SupportRequest.State.READY
    return {
        "shortlist": [_on_the_list(match, ready and not lies) for match in listed],
        "may_suggest": ready and not lies,
        "others_url": reverse("connectedness:support_others", args=[found.pk]),
    }


def _on_the_list(match: SupportMatch, may_put: bool) -> Row:
    return {
        "match": match,
        "school": match.offer.school.name,
        "area": match.offer.school.area.name,
        "url": reverse("connectedness:support_offer", args=[match.offer_id]),
        "reasons": reasons.in_words(match.reasons),
        "way": words.way(match.distance_km),
        "room": _room(match.offer),
        "state": words.match_words(match),
        "may_put": may_put and match.put_at is None,
    }


def _room(offer: SupportOffer) -> str:
    places, days = ledger.room_left(offer)
    return _("{days} left this year, room for {schools} more").format(
        days=words.number_of_days(max(days, ledger.NOTHING)),
        schools=words.number_of_schools(max(places, 0)),
    )


def others_table(request: SupportRequest, page: Page[Any]) -> Table:
    """Every offer in sight at the request's priority, by the school's name."""
    rooms = ledger.rooms(page)
    rows: list[list[Cell]] = [
        [
            offer.school.name,
            offer.school.area.name,
            words.number_of_days(max(rooms.get(offer.pk, (0, ledger.NOTHING))[1], ledger.NOTHING)),
            Link(
                _("Why not this one?"),
                reverse("connectedness:support_why_not", args=[request.pk, offer.pk]),
            ),
        ]
        for offer in page
    ]
    return Table(
        _("Offers at this priority"),
        [
            Column(_("School")),
            Column(_("Area")),
            Column(_("Days left")),
            Column(_("Compare")),
        ],
        rows,
        empty=_("Nobody offers support at this priority now."),
    )


def figure_page(found: figures_of.Figures, query: str) -> Row:
    """The figures, each with what it rests on."""
    since = _("since {day}").format(day=words.day(found.since))
    waited = found.waited
    return {
        "figures": [
            KeyFigure(
                label=_("Days from asking to a match"),
                value=charts.number(waited.median, 0) if waited.median is not None else "–",
                sentence=_("Half of the schools waited less, half waited longer.")
                if waited.median is not None
                else _("Too few matches to give a figure: it takes three."),
                certainty=_("made from the matches of a year: {n}").format(n=words.count(waited.n)),
                as_of=since,
            ),
            _key(_("Requests ready to match"), found.counts["waiting"], _("as of today")),
            _key(_("Asked by schools themselves"), found.counts["asked"], since),
            _key(_("Proposed by officers"), found.counts["designated"], since),
            _key(_("Schools that gave support"), found.counts["given"], since),
            _key(_("Schools that received support"), found.counts["received"], since),
        ],
        "table": _by_area(found, query),
    }


def _key(label: str, count: figures_of.Bounds, as_of: str) -> KeyFigure:
    return KeyFigure(label=label, value=words.count(count), as_of=as_of)


def _by_area(found: figures_of.Figures, query: str) -> Table:
    rows: list[list[Cell]] = [
        [row.area.name, *(words.count(row.counts[name]) for name in figures_of.COLUMNS)]
        for row in found.rows
    ]
    labels = [label for _name, label in count_columns()]
    return Table(
        _("Area by area, by name"),
        [Column(_("Area")), *(Column(label, numeric=True) for label in labels)],
        rows,
        exports=export_links("connectedness:support_figures_export", query=query),
        empty=_("There are no areas below this one."),
    )


def count_columns() -> list[tuple[str, str]]:
    labels = {
        "waiting": _("Ready to match"),
        "asked": _("Asked"),
        "designated": _("Proposed"),
        "received": _("Received"),
        "given": _("Gave"),
    }
    return [(name, labels[name]) for name in figures_of.COLUMNS]


def figure_columns() -> list[ExportColumn]:
    return [
        ExportColumn("area", _("Area")),
        *(ExportColumn(name, label) for name, label in count_columns()),
    ]


def figure_rows(found: figures_of.Figures) -> Iterator[Row]:
    for row in found.rows:
        counts: Mapping[str, Any] = row.counts
        yield {"area": row.area.name} | {name: words.count(counts[name]) for name in counts}


def leaders(givers: list[ledger.GiverRow], query: str) -> Table:
    """Who gives support, with their days."""
    rows: list[list[Cell]] = [
        [
            each.name,
            each.school,
            words.in_days(each.ledger.agreed),
            words.in_days(each.ledger.used),
            words.in_days(each.ledger.left),
            _("{n} of {cap}").format(n=each.ledger.schools, cap=each.ledger.cap),
        ]
        for each in givers
    ]
    return Table(
        _("Days of those who give support, this year, by name"),
        [
            Column(_("Who")),
            Column(_("School")),
            Column(_("Days agreed"), numeric=True),
            Column(_("Used"), numeric=True),
            Column(_("Left"), numeric=True),
            Column(_("Schools now"), numeric=True),
        ],
        rows,
        exports=export_links("connectedness:support_leaders_export", query=query),
        empty=_("Nobody here offers support yet."),
    )


def leader_columns() -> list[ExportColumn]:
    return [
        ExportColumn("name", _("Who")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("limit", _("Days a year"), "number"),
        ExportColumn("agreed", _("Days agreed"), "number"),
        ExportColumn("used", _("Used"), "number"),
        ExportColumn("left", _("Left"), "number"),
        ExportColumn("schools", _("Schools now"), "integer"),
        ExportColumn("cap", _("Schools at most"), "integer"),
    ]


def leader_rows(givers: Iterable[ledger.GiverRow]) -> Iterator[Row]:
    for each in givers:
        yield {
            "name": each.name,
            "school": each.school,
            "area": each.area,
            "limit": float(each.ledger.limit),
            "agreed": float(each.ledger.agreed),
            "used": float(each.ledger.used),
            "left": float(each.ledger.left),
            "schools": each.ledger.schools,
            "cap": each.ledger.cap,
        }


def why_not_page(request: SupportRequest, offer: SupportOffer, answer: Comparison) -> Row:
    """One offer held against a request: what speaks for it, what stands against it."""
    stands = offer.state == SupportOffer.State.OPEN
    return {
        "found": request,
        "offer": offer,
        "facts": [
            (_("School"), offer.school.name),
            (_("Area"), offer.school.area.name),
            (_("What they offer"), offer.what),
            (_("Way"), words.way(answer.distance_km)),
            (_("Room"), _room(offer)),
        ],
        "reasons": reasons.in_words(answer.reasons),
        "against": [
            *([] if stands else [_("the school has paused it")]),
            *reasons.in_words(answer.against),
        ],
        "compared": reasons.compared(answer)
        if stands
        else _("It cannot be suggested for this request."),
    }
