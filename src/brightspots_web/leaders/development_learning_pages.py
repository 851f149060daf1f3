"""What the pages of learning show: the list, one offer, who takes part."""

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import development_learning_queries as queries
from brightspots_web.leaders import development_pages
from brightspots_web.leaders import development_queries as development
from brightspots_web.leaders.models import Attendance, Learning
from brightspots_web.shared import charts, words
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]


def url(learning: Learning) -> str:
    return reverse("leaders:learning_one", args=[learning.pk])


def crumbs(*further: Link | str) -> list[Link]:
    return development_pages.crumbs(Link(_("Learning"), reverse("leaders:learning")), *further)


def crumbs_of(learning: Learning, step: str = "") -> list[Link]:
    if not step:
        return crumbs(learning.title)
    return crumbs(Link(learning.title, url(learning)), step)


# The list


def table(page: Page[Learning], query: str, empty: str) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.title, url(each)),
            str(each.get_kind_display()),
            when(each),
            hours(each),
            _names(each) or "–",
            _state(each),
        ]
        for each in page
    ]
    return Table(
        _("Learning"),
        [
            Column(_("Title")),
            Column(_("Kind")),
            Column(_("When")),
            Column(_("Hours"), numeric=True),
            Column(_("For which competences")),
            Column(_("You")),
        ],
        rows,
        exports=export_links("leaders:learning_export", query=query),
        empty=empty,
    )


def when(learning: Learning) -> str:
    return words.day(learning.on) or _("at any time")


def hours(learning: Learning) -> str:
    return development_pages.hours_text(learning.hours)


def _names(learning: Learning) -> str:
    return ", ".join(each.name for each in learning.competences.all())


def _state(learning: Learning) -> Cell:
    if learning.cancelled_why:
        return Badge(_("cancelled"), "unsure")
    return Badge(_("you take part")) if getattr(learning, "takes_part", False) else "–"


def for_whom(learning: Learning) -> str:
    if learning.area is None:
        return _("everybody")
    return _("leaders in {area}").format(area=learning.area.name)


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("title", _("Title")),
        ExportColumn("kind", _("Kind")),
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("place", _("Where")),
        ExportColumn("hours", _("Hours"), "number"),
        ExportColumn("competences", _("For which competences")),
        ExportColumn("for_whom", _("For whom")),
        ExportColumn("offered_by", _("Offered by")),
        ExportColumn("cancelled", _("Cancelled, and why")),
        ExportColumn("takes_part", _("You take part")),
    ]


def rows(found: Iterable[Learning]) -> list[Row]:
    return [
        {
            "title": each.title,
            "kind": str(each.get_kind_display()),
            "on": each.on,
            "place": each.place,
            "hours": float(each.hours),
            "competences": _names(each),
            "for_whom": for_whom(each),
            "offered_by": each.offered_by,
            "cancelled": each.cancelled_why,
            "takes_part": _("yes") if getattr(each, "takes_part", False) else _("no"),
        }
        for each in found
    ]


# One of them


def page(learning: Learning, acting: Appointment | None) -> Row:
    """An offer as everybody sees it; who takes part only for those who run it."""
    runs = queries.may_run(acting, learning)
    mine = queries.own_attendance(acting, learning)
    over = queries.is_over(learning)
    return {
        "learning": learning,
        "facts": _facts(learning),
        "mine": mine,
        "attended_words": _attended(mine),
        "may_enrol": mine is None and not over and development.may_learn(acting),
        "may_leave": mine is not None and mine.attended_on is None and not over,
        "runs": runs,
        "taking_part": queries.taking_part(learning) if runs else [],
        "may_confirm": runs and queries.can_be_confirmed(learning),
        "exports": export_links("leaders:learning_participants", learning.pk) if runs else [],
        "breadcrumb": crumbs_of(learning),
    }


def _facts(learning: Learning) -> list[tuple[str, Cell]]:
    taking = getattr(learning, "taking", 0)
    facts: list[tuple[str, Cell]] = [(_("When"), when(learning))]
    if learning.place:
        facts.append((_("Where"), learning.place))
    facts += [(_("Hours"), hours(learning)), (_("For whom"), for_whom(learning))]
    names = _names(learning)
    if names:
        facts.append((_("For which competences"), names))
    facts.append((_("Offered by"), learning.offered_by))
    said = ngettext("{n} person", "{n} people", taking).format(n=charts.number(taking, 0))
    facts.append((_("Taking part"), said))
    return facts


def _attended(mine: Attendance | None) -> str:
    if mine is None or mine.attended_on is None:
        return ""
    return _("You were there on {day}, as {who} confirmed.").format(
        day=words.day(mine.attended_on), who=mine.confirmed_by
    )


def participant_columns() -> list[ExportColumn]:
    return [
        ExportColumn("name", _("Name")),
        ExportColumn("enrolled", _("Takes part since"), "date"),
        ExportColumn("attended", _("Was there on"), "date"),
        ExportColumn("confirmed_by", _("Confirmed by")),
    ]


def participant_rows(learning: Learning) -> list[Row]:
    return [
        {
            "name": str(row.person),
            "enrolled": row.enrolled_at,
            "attended": row.attended_on,
            "confirmed_by": row.confirmed_by,
        }
        for row in queries.taking_part(learning)
    ]
