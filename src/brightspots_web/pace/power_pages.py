"""What the pages of readiness and powers show, and what waits for somebody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import Appointment
from brightspots_web.pace import power_gate_queries as gates
from brightspots_web.pace import power_queries as queries
from brightspots_web.pace import power_words as words
from brightspots_web.pace import stage_pages
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import GateCheck, PowerTransfer
from brightspots_web.pace.power_models import Power
from brightspots_web.pace.stage_place_queries import Place
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = PowerTransfer.State
LAST = 20


def url(place: Place) -> str:
    return reverse("pace:powers_of", args=[place.kind, place.pk])


def crumbs(*further: Link | str) -> list[Link]:
    found = [
        Link(_("Pace"), reverse("pace:home")),
        Link(_("Readiness and powers"), reverse("pace:powers")),
    ]
    return [*found, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of(place: Place, step: str = "") -> list[Link]:
    return crumbs(Link(place.name, url(place)), step) if step else crumbs(place.name)


def summary(place: Place) -> Row:
    """For the page of the place's stages."""
    now = queries.standing(place)
    return {"text": f"{words.standing(now)} {words.waits(now)}".strip(), "url": url(place)}


# The list


def table(page: Page[Any], query: str, *, filtered: bool) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each["name"], each["url"]), each["lies_in"], day(each["ready"]) or "",
            each["held"], each["mark"],
        ]
        for each in rows_of(Place(row) for row in page)
    ]  # fmt: skip
    return Table(
        _("Readiness and powers"),
        [
            Column(_("Name")), Column(_("Area")), Column(_("Ready since")),
            Column(_("Powers held")), Column(_("To look at")),
        ],
        rows,
        exports=export_links("pace:powers_export", query=query),
        empty=_("None fits. Clear the search to see all.")
        if filtered
        else _("You are in no partnership at present."),
    )  # fmt: skip


def rows_of(chosen: Iterable[Place]) -> Iterator[Row]:
    them = list(chosen)
    now = queries.standings(them)
    for place in them:
        found = now[(place.kind, place.pk)]
        mark = ""
        if found.long:
            mark = _("ready, waiting long")
        elif found.before_gate:
            mark = _("handed over before it was found ready")
        yield {
            "name": place.name,
            "url": url(place),
            "lies_in": place.above,
            "ready": found.ready_since,
            "held": _("{n} of {all}").format(
                n=number(found.held, 0), all=number(len(Power), 0)
            ),
            "mark": Badge(mark, "unsure") if mark else "",
            "mark_words": mark,
        }  # fmt: skip


def export_columns() -> list[ExportColumn]:
    return [
        ExportColumn("name", _("Name")),
        ExportColumn("lies_in", _("Area")),
        ExportColumn("ready", _("Ready since"), "date"),
        ExportColumn("held", _("Powers held")),
        ExportColumn("mark_words", _("To look at")),
    ]


def waiting_long(acting: Appointment | None) -> list[Row]:
    """Places that have been ready for long, for whoever may hand something over."""
    return [
        {"name": place.name, "url": url(place), "text": words.waits(now)}
        for place, now in queries.waiting_long(acting)[:5]
    ]


# The page of a place


def page(place: Place, acting: Appointment | None) -> Row:
    """Everything the page of a place needs."""
    now = queries.standing(place)
    answers = places.answers_for(acting, place)
    hands = places.hands_to(acting, place)
    inside = places.seat_of(acting, place) is not None
    asked, last = gates.open_check(place), gates.last_answer(place)
    moves = list(queries.transfers_of(place))
    return {
        "place": place,
        "kind": stage_pages.kind_words(place),
        "rule": words.rule(),
        "standing": words.standing(now),
        "waits": words.waits(now),
        "answers": answers,
        "hands": hands,
        "may_ask": answers and asked is None,
        "asked": _check(asked, inside=inside) if asked else None,
        "last": _check(last, inside=inside) if last else None,
        "powers": [_power(each, moves, answers=answers, hands=hands) for each in Power],
        "may_offer": hands and bool(queries.to_offer(place)),
        "history": [
            _transfer(each) for each in moves if each.state not in queries.LIVE
        ][:LAST],
        "settings": words.settings(gates.settings_now()),
        "may_set": gates.may_set(acting),
        "stages_url": stage_pages.url(place),
        "breadcrumb": crumbs_of(place),
    }  # fmt: skip


def _check(found: GateCheck, *, inside: bool) -> Row:
    known = gates.from_json(found.conditions)
    return {
        "check": found,
        "badge": words.check_badge(found),
        "known": words.checked(known, inside=inside),
        "on": day(found.answered_on) or day(found.asked_at),
    }


def _power(
    power: Power, moves: Sequence[PowerTransfer], *, answers: bool, hands: bool
) -> Row:  # fmt: skip
    live = next(
        (each for each in moves if each.power == power.value and each.state in queries.LIVE), None
    )
    row: Row = {"name": words.power(power.value), "live": live, "have": False}
    if live is None:
        return row
    offered = live.state == State.OFFERED
    return {
        **row,
        **_transfer(live),
        "have": queries.held(live),
        "may_answer": answers and offered,
        "may_withdraw": hands and offered,
        "may_give_back": answers and not offered,
        "may_take_back": hands and not offered,
    }


def _transfer(found: PowerTransfer) -> Row:
    return {
        "transfer": found,
        "power": words.power(found.power),
        "badge": words.badge(found),
        "since": day(found.starts),
        "story": words.story(found),
        "before": words.before(found),
    }


def known_now(place: Place, acting: Appointment | None) -> list[Mapping[str, str]]:
    """What the system knows of each condition today, for the forms of asking and answering."""
    inside = places.seat_of(acting, place) is not None
    return words.checked(gates.conditions(place), inside=inside)


# What waits


def home_card(acting: Appointment | None) -> Mapping[str, Any] | None:
    """The card of powers on the overview; None for somebody without an appointment."""
    if acting is None:
        return None
    text = _("What partnerships and areas decide themselves, and what moves next.")
    if may(acting, Capability.SEE_AREA):
        n, held = len(queries.waiting_long(acting)), queries.held_in_sight(acting)
        text = ngettext(
            "{n} power is held by partnerships and areas today.",
            "{n} powers are held by partnerships and areas today.",
            held,
        ).format(n=number(held, 0))
        if n:
            long = ngettext(
                "{n} place has been ready for long, and nothing has moved.",
                "{n} places have been ready for long, and nothing has moved.",
                n,
            ).format(n=number(n, 0))
            text = f"{text} {long}"
    return {
        "heading": _("Readiness and powers"),
        "text": text,
        "url": reverse("pace:powers"),
        "link": _("See the powers"),
    }


def front_items(acting: Appointment | None) -> Sequence[Mapping[str, str]]:
    """Questions and offers to answer."""
    if acting is None:
        return []
    found = [
        {
            "text": _("{name} asks whether it is ready.").format(name=places.of(each).name),
            "url": reverse("pace:gate_answer", args=[each.pk]),
            "link": _("Answer it"),
        }
        for each in gates.asked_of(acting)[:3]
    ]
    found += [
        {
            "text": _("A power is offered to {name}: {power}.").format(
                name=places.of(offered).name, power=words.power(offered.power)
            ),
            "url": reverse("pace:power_answer", args=[offered.pk]),
            "link": _("Say whether you take it on"),
        }
        for offered in queries.offers_to_answer(acting)[:3]
    ]
    return found
