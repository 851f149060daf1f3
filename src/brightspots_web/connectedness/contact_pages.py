"""What the isolation register shows: its table, its counts, its trend and their files."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness import contact_queries as queries
from brightspots_web.connectedness import contact_words as words
from brightspots_web.connectedness.contact_definition_queries import Counts, Rules
from brightspots_web.connectedness.contact_queries import Entry
from brightspots_web.connectedness.models import IsolationCount
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may

Row = dict[str, Any]


def figures(counts: Counts, by: Rules, area: Area | None, query: str = "") -> list[KeyFigure]:
    """How many are isolated and how many one step from it, with n and date."""
    as_of = words.day(by.on)
    n_of = ngettext("open school", "open schools", counts.schools)
    return [
        KeyFigure(
            label=_("Isolated schools"),
            value=charts.number(counts.isolated, 0),
            n=counts.schools,
            n_of=n_of,
            as_of=as_of,
            sentence=since_sentence(counts.isolated, area),
        ),
        KeyFigure(
            label=_("One step from isolation"),
            value=charts.number(counts.near, 0),
            n=counts.schools,
            n_of=n_of,
            as_of=as_of,
            sentence=_("One event would isolate them: here is time to act before it comes."),
            more=Link(_("See which"), reverse("connectedness:isolation") + f"?show=near{query}"),
        ),
    ]


def since_sentence(now: int, area: Area | None) -> str:
    """The number against that of four weeks ago; the target."""
    before = queries.earlier_count(area)
    if before is None:
        return _("The target is none.")
    return _("{n} on {date}. The target is none.").format(
        date=words.day(before.on), n=charts.number(before.isolated, 0)
    )


def why_counts(counts: Counts) -> list[tuple[str, Cell]]:
    """How many have each of the three reasons; a school may have several."""
    return [
        (_("In no partnership"), counts.no_partnership),
        (_("In a partnership without a leader"), counts.no_leader),
        (_("Nobody in touch"), counts.no_contact),
    ]


def trend_chart(rows: Sequence[IsolationCount], key: str = "isolation-trend") -> charts.Chart:
    """The counts of past days on their way to none."""
    lines = [
        charts.Counted(
            _("isolated"), tuple(charts.Count(row.on, row.isolated, row.schools) for row in rows)
        ),
        charts.Counted(
            _("one step from isolation"),
            tuple(charts.Count(row.on, row.near, row.schools) for row in rows),
        ),
    ]
    return charts.to_target(
        key=key,
        title=_("Isolated schools, day by day"),
        lines=lines,
        target_label=_("target: none"),
    )


def front_trend(area: Area | None) -> charts.Chart | None:
    """The trend for a front page; None until there are counts of two days."""
    rows = queries.trend(area)
    return trend_chart(rows) if len(rows) > 1 else None


def table(
    page: Page[School], found: Sequence[Entry], by: Rules, acting: Appointment | None, query: str
) -> Table:
    """Each school with all its reasons, who is on it, and what helps."""
    rows: list[list[Cell]] = [
        [
            Link(
                each.school.name, reverse("connectedness:school_contacts", args=[each.school.code])
            ),
            each.school.area.name,
            _lines([words.sentence(reason, by) for reason in each.reasons]),
            words.last_contact(each),
            _lines([words.step(step) for step in each.steps]) if each.steps else _("nobody yet"),
            _next(each, acting),
        ]
        for each in found
    ]
    return Table(
        _("Schools, by area and name"),
        [
            Column(_("School")),
            Column(_("Area")),
            Column(_("Why")),
            Column(_("Last contact")),
            Column(_("Who does what about it")),
            Column(_("What helps next")),
        ],
        rows,
        exports=export_links("connectedness:isolation_export", query=query),
    )


def _lines(texts: Sequence[str]) -> SafeString:
    if len(texts) == 1:
        return format_html("{}", texts[0])
    inner = format_html_join("", "<li>{}</li>", ((text,) for text in texts))
    return format_html('<ul class="lines">{}</ul>', inner)


def _next(entry: Entry, acting: Appointment | None) -> SafeString | str:
    """What helps, and where to say who will do it."""
    links = [link for link in (words.next_step(entry, acting),) if link]
    if may(acting, Capability.RECORD_CONTACT) and not entry.steps:
        url = reverse("connectedness:add_step", args=[entry.school.code])
        links.append(Link(_("Say who will do what"), url))
    shown = [
        format_html(
            '<a href="{}">{}<span class="unseen">: {}</span></a>',
            link.url, link.label, entry.school.name,
        )
        if link.url
        else format_html("{}", link.label)
        for link in links
    ]  # fmt: skip
    inner = format_html_join("", "<li>{}</li>", ((each,) for each in shown))
    return format_html('<ul class="lines">{}</ul>', inner)


def empty(show: str, filtered: bool, total: Counts | None) -> str:
    """Why the table has no rows: the target is reached, or the filter leaves none."""
    if filtered:
        return _("No school fits. Clear the filter to see all of them.")
    if total is not None and not total.schools:
        return _("There are no open schools here yet.")
    if show == "near":
        return _("No school is one step from isolation.")
    return _("Every school is in a led partnership and in touch. That is the target.")


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("state", _("State")),
        ExportColumn("why", _("Why")),
        ExportColumn("since", _("Isolated since"), "date"),
        ExportColumn("last", _("Last contact"), "date"),
        ExportColumn("kind", _("What it was")),
        ExportColumn("steps", _("Who does what about it")),
    ]


def rows(found: Iterable[Entry], by: Rules) -> Iterator[Row]:
    for each in found:
        yield {
            "code": each.school.code,
            "school": each.school.name,
            "area": each.school.area.name,
            "state": _("isolated") if each.isolated else _("one step from isolation"),
            "why": "; ".join(words.sentence(reason, by) for reason in each.reasons),
            "since": each.since,
            "last": each.last_contact,
            "kind": words.kind(each.last_kind),
            "steps": "; ".join(words.step(step) for step in each.steps),
        }


def count_columns() -> list[ExportColumn]:
    return [
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("schools", _("Open schools"), "integer"),
        ExportColumn("isolated", _("Isolated"), "integer"),
        ExportColumn("no_partnership", _("In no partnership"), "integer"),
        ExportColumn("no_leader", _("In a partnership without a leader"), "integer"),
        ExportColumn("no_contact", _("Nobody in touch"), "integer"),
        ExportColumn("near", _("One step from isolation"), "integer"),
    ]


def count_rows(area: Area | None) -> Iterator[Row]:
    for row in queries.trend(area):
        yield {column.key: getattr(row, column.key) for column in count_columns()}
