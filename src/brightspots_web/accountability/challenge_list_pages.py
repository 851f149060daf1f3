"""The lists of challenge visits: those in sight, whom to visit next, progress by partnership."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import challenge_pages as pages
from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability import challenge_words as words
from brightspots_web.accountability.challenge_suggestion_queries import Suggestion
from brightspots_web.accountability.models import ChallengeVisit
from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.insight import progress_queries
from brightspots_web.insight import queries as insight
from brightspots_web.insight import words as plain
from brightspots_web.insight.models import Run
from brightspots_web.insight.progress_queries import Level, Movement
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
LABEL = 26
"""Characters of a name in a drawing."""


def parts(acting: Appointment | None) -> list[tuple[str, Any]]:
    """The parts somebody may have in visits, to narrow the list to."""
    offered = (
        ("plan", _("I plan it"), Capability.PLAN_CHALLENGE),
        ("go", _("I go"), Capability.CHALLENGE),
        ("host", _("it comes to my school"), Capability.ASK_SUPPORT),
    )
    return [(key, label) for key, label, capability in offered if may(acting, capability)]


def table(visits: Iterable[ChallengeVisit], query: str, *, filtered: bool) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.school.name, pages.url(each)),
            each.school.area.name,
            day(each.on),
            words.badge(each),
            each.challenger_name or Badge(_("nobody yet"), "unsure"),
            day(each.followed_on or each.follow_up_on) or "",
        ]
        for each in visits
    ]
    return Table(
        _("Challenge visits"),
        [
            Column(_("School")),
            Column(_("Area")),
            Column(_("Day of the visit")),
            Column(_("How it stands")),
            Column(_("Challenger")),
            Column(_("Looked at again")),
        ],
        rows,
        exports=export_links("accountability:challenges_export", query=query),
        empty=_("None fits. Take a filter away.")
        if filtered
        else _("There is no challenge visit yet in which you have a part."),
    )


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("school", _("School")),
        ExportColumn("code", _("Code")),
        ExportColumn("area", _("Area")),
        ExportColumn("on", _("Day of the visit"), "date"),
        ExportColumn("why", _("Chosen")),
        ExportColumn("state", _("How it stands")),
        ExportColumn("challenger", _("Challenger")),
        ExportColumn("follow_up_on", _("To be looked at again on"), "date"),
        ExportColumn("followed_on", _("Looked at again on"), "date"),
    ]


def rows(visits: Iterable[ChallengeVisit]) -> Iterator[Row]:
    """Days and names; what was said stays on the page."""
    for each in visits:
        yield {
            "school": each.school.name,
            "code": each.school.code,
            "area": each.school.area.name,
            "on": each.on,
            "why": each.get_why_display(),
            "state": each.get_state_display(),
            "challenger": each.challenger_name,
            "follow_up_on": each.follow_up_on,
            "followed_on": each.followed_on,
        }


def coverage(acting: Appointment | None) -> str:
    """How many of the schools a planner sees had a visit, in a sentence."""
    if not may(acting, Capability.PLAN_CHALLENGE):
        return ""
    visited, schools, years = queries.coverage(acting)
    said = ngettext(
        "{visited} of {schools} schools had a challenge visit in the last year.",
        "{visited} of {schools} schools had a challenge visit in the last {years} years.",
        years,
    )
    return said.format(visited=visited, schools=schools, years=years)


def suggestion_rows(found: Sequence[Suggestion]) -> list[Row]:
    address = reverse("accountability:challenge_new")
    return [
        {
            "school": each.school,
            "area": each.school.area.name,
            "why": Badge(
                _("by evidence") if each.why == ChallengeVisit.Why.EVIDENCE else _("by turns")
            ),
            "words": each.why_words,
            "url": f"{address}?{urlencode({'school': each.school.code})}",
        }
        for each in found
    ]


# Progress by partnership


def measured_priorities(run: Run | None) -> list[Priority]:
    """The live priorities of which a published analysis speaks."""
    known = insight.scales(run)
    return [each for each in alignment.live_priorities() if each.subject in known]


def partnerships(acting: Appointment | None, named: str = "") -> list[Partnership]:
    """By name, never by value."""
    found = directory.partnerships_visible_to(acting)
    if named:
        found = found.filter(name__icontains=named.strip())
    return list(found.order_by("name", "code"))


def chosen(priorities: Sequence[Priority], code: str) -> Priority | None:
    return next((each for each in priorities if each.code == code), next(iter(priorities), None))


def progress(
    shown: Sequence[Partnership],
    priorities: Sequence[Priority],
    priority: Priority | None,
    run: Run | None,
    named: str,
) -> Row:
    """The partnerships of one page at one priority."""
    if priority is None or run is None:
        return {"nothing": _nothing(run)}
    found = progress_queries.movements(shown, priority.subject, run)
    address = reverse("accountability:challenge_progress")
    query = {"priority": priority.code} | ({"q": named} if named else {})
    return {
        "priority": priority,
        "tabs": [
            (each.title, f"{address}?{urlencode({'priority': each.code})}", each == priority)
            for each in priorities
        ],
        "table": _progress_table(found, urlencode(query)),
        "chart": _progress_chart(found),
        "basis": words.progress_basis(found[0]) if found else "",
        "scale": plain.scale_sentence(found[0].scale) if found else "",
        "as_of": plain.as_of(run),
        "made_url": reverse("insight:run", args=[run.uuid]),
    }


def _nothing(run: Run | None) -> str:
    if run is None:
        return _("No analysis is published yet. Progress is shown here as soon as one is.")
    return _(
        "The published analysis has no results for the priorities of today. An analyst can say "
        "which outcome each is measured by."
    )


def _progress_table(found: Sequence[Movement], query: str) -> Table:
    cells: list[list[Cell]] = [
        [
            each.partnership.name,
            _number(each.now, each),
            _number(each.moved, each),
            words.movement(each),
            each.now.schools if each.now else None,
            each.now.pupils if each.now else None,
        ]
        for each in found
    ]
    return Table(
        _("Progress by partnership, by name"),
        [
            Column(_("Partnership")),
            Column(_("Newest year, points (likely between)")),
            Column(_("Change, points (likely between)")),
            Column(_("In words")),
            Column(_("Schools"), numeric=True),
            Column(_("Pupils"), numeric=True),
        ],
        cells,
        exports=export_links("accountability:challenge_progress_export", query=query),
        empty=_("No partnership fits."),
    )


def _number(level: Level | None, of: Movement) -> str:
    """A level with its interval; none where it is withheld, or the analysis is older."""
    if level is None:
        return _("not shown")
    value, low, high = (
        charts.number((of.scale.points(each) or 0.0), of.scale.digits, signed=True)
        for each in (level.value, level.lower, level.upper)
    )
    return _("{value} ({low} to {high})").format(value=value, low=low, high=high)


def _progress_chart(found: Sequence[Movement]) -> Any:
    """How each moved, in the order of their names."""
    drawn = [each for each in found if each.moved is not None]
    if not drawn:
        return None
    lines = []
    for each in drawn:
        assert each.moved is not None
        moved, points = each.moved, each.scale.points
        lines.append(
            charts.Estimate(
                _short(each.partnership.name),
                points(moved.value),
                points(moved.lower),
                points(moved.upper),
                moved.pupils,
            )
        )
    first = drawn[0]
    return charts.intervals(
        key="moved",
        title=_("Moved from {first} to {last}, beside what was expected").format(
            first=first.first_year, last=first.last_year
        ),
        rows=lines,
        unit=_("points"),
        digits=first.scale.digits,
    )


def _short(name: str) -> str:
    """A name that leaves room for its value on a phone."""
    return name if len(name) <= LABEL else f"{name[: LABEL - 1].rstrip()}…"


def progress_columns() -> list[ExportColumn]:
    return [
        ExportColumn("partnership", _("Partnership")),
        ExportColumn("code", _("Code")),
        ExportColumn("outcome", _("Outcome")),
        ExportColumn("year", _("Newest year"), "integer"),
        ExportColumn("value", _("Beyond what is expected, points"), "number"),
        ExportColumn("low", _("likely from"), "number"),
        ExportColumn("high", _("likely to"), "number"),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("pupils", _("Pupils"), "integer"),
        ExportColumn("since", _("First year"), "integer"),
        ExportColumn("moved", _("Change, points"), "number"),
        ExportColumn("moved_low", _("Change, likely from"), "number"),
        ExportColumn("moved_high", _("Change, likely to"), "number"),
    ]


def progress_rows(found: Iterable[Movement]) -> Iterator[Row]:
    for each in found:
        now, moved, points = each.now, each.moved, each.scale.points
        yield {
            "partnership": each.partnership.name,
            "code": each.partnership.code,
            "outcome": each.scale.subject,
            "year": each.last_year,
            "value": points(now.value) if now else None,
            "low": points(now.lower) if now else None,
            "high": points(now.upper) if now else None,
            "schools": now.schools if now else None,
            "pupils": now.pupils if now else None,
            "since": each.first_year,
            "moved": points(moved.value) if moved else None,
            "moved_low": points(moved.lower) if moved else None,
            "moved_high": points(moved.upper) if moved else None,
        }
