"""What the pages of stages show, and what waits for somebody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import Appointment
from brightspots_web.pace import stage_drawing as drawing
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace import stage_queries as queries
from brightspots_web.pace import stage_words as words
from brightspots_web.pace.models import StageConsent, StageRound
from brightspots_web.pace.stage_models import Strand
from brightspots_web.pace.stage_place_queries import Place, Seat
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = StageRound.State


def url(place: Place) -> str:
    return reverse("pace:stage", args=[place.kind, place.pk])


def crumbs(*further: Link | str) -> list[Link]:
    found = [
        Link(_("Pace"), reverse("pace:home")), Link(_("Stages"), reverse("pace:stages"))
    ]  # fmt: skip
    return [*found, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of(place: Place, step: str = "") -> list[Link]:
    return crumbs(Link(place.name, url(place)), step) if step else crumbs(place.name)


def kind_words(place: Place) -> str:
    return _("Partnership") if place.kind == places.PARTNERSHIP else _("Area")


# The list


def table(page: Page[Any], query: str, *, filtered: bool) -> Table:
    rows: list[list[Cell]] = [
        [Link(each["name"], each["url"]), each["lies_in"], each["badge"], each["agreed"]]
        for each in place_rows(Place(row) for row in page)
    ]
    return Table(
        _("Stages"),
        [
            Column(_("Name")), Column(_("Area")), Column(_("This cycle")),
            Column(_("Strands agreed")),
        ],
        rows,
        exports=export_links("pace:stages_export", query=query),
        empty=_("None fits. Clear the search to see all.")
        if filtered
        else _("You are in no partnership at present."),
    )  # fmt: skip


def place_rows(chosen: Iterable[Place]) -> Iterator[Row]:
    """How each place stands in this cycle; a few statements for all of them."""
    them = list(chosen)
    now = queries.rounds_in_cycle(them)
    agreed = queries.agreed_strands(now.values())
    for place in them:
        found = now.get((place.kind, place.pk))
        n = agreed.get(found.pk, 0) if found else 0
        badge = words.badge(found, n)
        yield {
            "name": place.name,
            "url": url(place),
            "lies_in": place.above,
            "badge": badge,
            "state": badge.label,
            "agreed": _("{n} of {all}").format(n=number(n, 0), all=number(len(Strand), 0))
            if found
            else "",
        }


def export_columns() -> list[ExportColumn]:
    return [
        ExportColumn("name", _("Name")),
        ExportColumn("lies_in", _("Area")),
        ExportColumn("state", _("This cycle")),
        ExportColumn("agreed", _("Strands agreed")),
    ]


# The page of a place


def page(place: Place, acting: Appointment | None) -> Row:
    """Everything the page of a place needs."""
    now = queries.round_now(place)
    there = places.seats(place)
    seat = next((each for each in there if acting and acting.pk in each.holders), None)
    if not may(acting, Capability.RATE_STAGE):
        seat = None
    answers = places.answers_for(acting, place)
    past = queries.history(place, acting)
    context: Row = {
        "place": place,
        "kind": kind_words(place),
        "rule": words.rule(),
        "round": now,
        "may_open": answers and now is None,
        "no_cycle": queries.cycle_now() is None,
        "answers": answers,
        "chart": drawing.history(f"stages-{place.kind}-{place.pk}", past)
        if any(each.agreed or each.spreads for each in past)
        else None,
        "breadcrumb": crumbs_of(place),
        "few": False,
    }
    if now is not None:
        context |= _round(now, there, seat, acting, answers=answers)
    return context


def _round(
    now: StageRound,
    there: Sequence[Seat],
    seat: Seat | None,
    acting: Appointment | None,
    *,
    answers: bool,
) -> Row:
    put = queries.agreements(now, there)
    rated = queries.rated_by(now)
    agreed = sum(each.agreed for each in put.values())
    shown = queries.spreads(now, acting, seat)
    inside = seat is not None
    open_ones = [each for each in put.values() if not each.agreed]
    mine = seat is not None and seat.key in rated
    return {
        "badge": words.badge(now, agreed),
        "standing": words.standing(now, len(rated), len(there), agreed),
        "strands": [
            _strand(now, strand, put.get(strand), shown.get(strand), inside=inside)
            for strand in Strand.values
        ],
        "rated": mine,
        "may_rate": queries.may_rate(now, seat),
        "may_close": answers and now.state == State.OPEN,
        "may_put": inside and now.state == State.CLOSED and agreed < len(Strand),
        "may_say": inside and bool(open_ones),
        "may_settle": answers and bool(open_ones),
        "few": now.state == State.CLOSED and len(rated) < queries.FEWEST,
        "hidden": now.state == State.OPEN,
    }


def _strand(
    now: StageRound,
    strand: str,
    put: queries.Agreement | None,
    spread: queries.Spread | None,
    *,
    inside: bool,
) -> Row:
    texts = {each.stage: each for each in queries.texts(strand, now.texts)}
    row: Row = {"name": words.strand(strand), "spread": "", "shows": [], "put": put}
    if spread is not None:
        row["spread"] = words.spread(spread.counts)
        row["differs"] = spread.differs
        row["shows"] = spread.shows
    if put is not None:
        text = texts[put.row.stage]
        row |= {
            "stage": words.stage(put.row.stage),
            "text": text.text,
            "assumed": text.assumed,
            "agreed_on": day(put.row.agreed_on),
            "carried": words.carried(len(put.yes), len(put.no), put.asked),
            "no": [_word(each) for each in put.no] if inside else [],
            "n_no": len(put.no),
        }
    return row


def _word(each: StageConsent) -> Mapping[str, str]:
    return {"who": each.seat_name, "words": each.words}


def put_hints(found: StageRound, acting: Appointment | None) -> dict[str, str]:
    """Strand still open -> how it was rated, for the form that puts stages to the group."""
    put = queries.agreements(found)
    shown = queries.spreads(found, acting)
    return {
        strand: _("Rated: {spread}").format(spread=words.spread(shown[strand].counts))
        if strand in shown
        else ""
        for strand in Strand.values
        if strand not in put or not put[strand].agreed
    }


def put_initial(found: StageRound) -> Row:
    initial: Row = {"seen": found.version}
    for strand, each in queries.agreements(found).items():
        initial |= {f"stage_{strand}": each.row.stage, f"words_{strand}": each.row.words}
    return initial


def open_ones(found: StageRound) -> dict[str, int]:
    """Strand -> the stage that is put to the group and not agreed yet."""
    put = queries.agreements(found)
    return {strand: each.row.stage for strand, each in put.items() if not each.agreed}


def say_initial(found: StageRound, seat: Seat | None) -> Row:
    """What a seat said before, so that it need not be said anew."""
    initial: Row = {"seen": found.version}
    for strand, each in queries.agreements(found).items():
        for word in (*each.yes, *each.no):
            if seat is not None and word.seat == seat.key:
                initial[f"agrees_{strand}"] = "yes" if word.agrees else "no"
                initial[f"words_{strand}"] = word.words
    return initial


def rate_initial(found: StageRound, seat: Seat | None) -> Row:
    initial: Row = {}
    for strand, each in queries.own_ratings(found, seat).items():
        initial |= {f"stage_{strand}": each.stage, f"shows_{strand}": each.shows}
    return initial


def all_texts() -> list[Row]:
    """The texts of all strands."""
    return [
        {
            "strand": strand,
            "name": words.strand(strand),
            "texts": [
                {"stage": words.stage(each.stage), "text": each.text, "assumed": each.assumed}
                for each in queries.texts(strand)
            ],
        }
        for strand in Strand.values
    ]


# What waits


def home_card(acting: Appointment | None) -> Mapping[str, Any] | None:
    """The card of stages on the overview; None for somebody without an appointment."""
    if acting is None:
        return None
    text = _("Where partnerships and areas stand, as they see it themselves.")
    if may(acting, Capability.SEE_AREA):
        agreed, under_way = queries.how_many(acting)
        text = ngettext(
            "In this cycle {agreed} has agreed on its stages; {n} round is under way.",
            "In this cycle {agreed} have agreed on their stages; {n} rounds are under way.",
            under_way,
        ).format(agreed=number(agreed, 0), n=number(under_way, 0))
    return {
        "heading": _("Stages"),
        "text": text,
        "url": reverse("pace:stages"),
        "link": _("See the stages"),
    }


def summary(place: Place) -> Row:
    """For the pages of the place itself: how this cycle's round stands, what was agreed last."""
    now = queries.round_now(place)
    agreed = queries.agreed_strands([now]).get(now.pk, 0) if now is not None else 0
    said, on = queries.agreed_last(place)
    return {"badge": words.badge(now, agreed), "text": words.summary(said, on), "url": url(place)}


def front_items(acting: Appointment | None) -> Sequence[Mapping[str, str]]:
    """Rounds to rate, and stages to agree."""
    if acting is None:
        return []
    said = {
        "rate": (_("How far is {name}? Rate it by yourself."), _("Rate it"), "pace:stage_rate"),
        "say": (
            _("Stages of {name} are put to the group."), _("Say your word"), "pace:stage_say"
        ),
        "propose": (
            _("The ratings of {name} are closed. Put stages to the group."),
            _("Put them"), "pace:stage_put",
        ),
    }  # fmt: skip
    found = []
    for each in queries.waiting_for(acting):
        text, link, name = said[each.what]
        found.append(
            {
                "text": text.format(name=each.place.name),
                "url": reverse(name, args=[each.round.pk]),
                "link": link,
            }
        )
    return found
