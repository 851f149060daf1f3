"""What the page of a local sense shows: the words, and beside them what is known of the schools."""

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from brightspots_web.alignment import living_pages as pages
from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment import living_words as words
from brightspots_web.alignment.models import LocalSense, Priority
from brightspots_web.directory.models import Appointment, Partnership, School
from brightspots_web.insight import queries as insight
from brightspots_web.insight import variability_queries, variability_words
from brightspots_web.insight import words as insight_words
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]


def page(
    priority: Priority, partnership: Partnership, sense: LocalSense | None,
    acting: Appointment | None,
) -> Row:  # fmt: skip
    """The words as this person may read them, and the partnership's data in the outcome."""
    return {
        "priority": priority,
        "partnership": partnership,
        "aim": words.aim(priority),
        "sense": pages.sense_row(sense) if sense else None,
        "breadcrumb": pages.crumbs(priority, partnership.name),
        "ended": "" if queries.is_live(priority) else day(priority.ends),
        "ours": acting is not None and acting.role in queries.MEMBERS,
        "partnership_url": reverse("connectedness:partnership", args=[partnership.code]),
        **_data(priority, partnership),
    }


def _data(priority: Priority, partnership: Partnership) -> Row:
    """What is published of these schools in the priority's outcome; small ones withheld."""
    run = insight.current_run()
    scale = insight.scales(run).get(priority.subject)
    if run is None or scale is None:
        return {"chart": None, "spread": "", "no_data": _no_data(priority)}
    spreads = variability_queries.of_partnership(partnership, run)
    spread = next((each for each in spreads if each.subject == priority.subject), None)
    figure = spread.all_years if spread else None
    grid = insight.partnership_grid(partnership, run)
    query = urlencode({"subject": priority.subject})
    return {
        "chart": _chart(grid, scale),
        "spread": variability_words.spread(spread, partnership.name) if spread else "",
        "spread_n": figure.n_schools if figure else None,
        "as_of": insight_words.as_of(run),
        "made_url": reverse("insight:run", args=[run.uuid]),
        "spread_url": reverse("insight:variability_partnership", args=[partnership.code])
        + f"?{query}",
    }


def _no_data(priority: Priority) -> str:
    if not priority.subject:
        return _("No outcome of the analyses speaks of this priority: your own eyes do.")
    return _("No analysis is published yet. What you see in your schools counts all the same.")


def _chart(grid: insight.Grid, scale: insight.Scale) -> charts.Chart | None:
    """Each school by name, in points against what is expected of schools like it."""
    rows = [
        _estimate(school, grid, scale)
        for school in sorted(grid.members, key=lambda each: (each.name, each.code))
    ]
    if not any(row.known for row in rows):
        return None
    return charts.intervals(
        key="schools",
        title=_("Our schools beside what is expected: {outcome}").format(outcome=scale.subject),
        rows=rows,
        unit=_("points"),
        digits=scale.digits,
    )


def _estimate(school: School, grid: insight.Grid, scale: insight.Scale) -> charts.Estimate:
    row = grid.cells.get((school.pk, scale.subject))
    if row is None:
        return charts.Estimate(school.name, None)
    value, lower, upper = (scale.points(each) for each in (row.estimate, row.lower, row.upper))
    return charts.Estimate(school.name, value, lower, upper, row.n)


# All that may be read


def table(priority: Priority, page: Page[LocalSense], query: str) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.partnership.name, reverse("alignment:sense",
                                                args=[priority.code, each.partnership.code])),
            each.words,
            day(each.at),
            Badge(_("shared")) if each.shared else "",
        ]
        for each in page
    ]  # fmt: skip
    return Table(
        _("What it means to the partnerships"),
        [
            Column(_("Partnership")),
            Column(_("In their words")),
            Column(_("Written")),
            Column(_("With the district and the ministry")),
        ],
        rows,
        exports=export_links("alignment:senses_export", priority.code, query=query),
        empty=_("Nothing that you may read is written yet. Partnerships decide what they share."),
    )


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("partnership", _("Partnership")),
        ExportColumn("words", _("In their words")),
        ExportColumn("by", _("Written by")),
        ExportColumn("at", _("Written"), "date"),
        ExportColumn("shared", _("With the district and the ministry")),
    ]


def rows(senses: Iterable[LocalSense]) -> list[Row]:
    return [
        {
            "code": each.partnership.code,
            "partnership": each.partnership.name,
            "words": each.words,
            "by": each.by,
            "at": each.at.date(),
            "shared": _("yes") if each.shared else _("no"),
        }
        for each in senses
    ]
