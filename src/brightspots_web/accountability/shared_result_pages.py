"""What the shared result of an area shows: its pupils' progress, and who answers for it."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import ceremony_page_queries as ceremonies
from brightspots_web.accountability import ceremony_pages, pledge_pages
from brightspots_web.accountability import shared_result_queries as queries
from brightspots_web.accountability.pledge_models import Pledge
from brightspots_web.accountability.shared_result_queries import Complete
from brightspots_web.alignment import living_pages
from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import Appointment, Area, Cycle, Partnership
from brightspots_web.insight import queries as insight
from brightspots_web.insight import words as plain
from brightspots_web.insight.area_progress_queries import AreaProgress
from brightspots_web.insight.models import Run
from brightspots_web.insight.progress_queries import Level
from brightspots_web.shared import charts
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as FileColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]
PAGE = 20
MOST_PARTNERSHIPS = 20
"""So many are named; the list of partnerships has all."""


def url(area: Area) -> str:
    return reverse("accountability:shared_result", args=[area.pk])


def page(acting: Appointment | None, area: Area, asked: str = "") -> Row:
    """Everything the page needs; `asked` is the page of the promises."""
    run, cycle = insight.current_run(), ceremonies.cycle_now()
    priorities = queries.priorities_with_results(run)
    found = queries.progress_of(acting, area, priorities, run)
    return {
        "area": area,
        "breadcrumb": _crumbs(acting, area),
        "lead": _(
            "How all pupils here get on, in the priorities that every school works on. No school "
            "makes this result alone: the schools of the area answer for it together."
        ),
        "parts": [part(each, found[each.subject]) for each in priorities if each.subject in found],
        "whole": queries.is_whole_system(area),
        "nothing": _nothing(area, run, priorities),
        "table": _table(area, priorities, found),
        "basis": _basis() if found else "",
        "as_of": plain.as_of(run) if run is not None and found else "",
        "made_url": reverse("insight:run", args=[run.uuid]) if run is not None else "",
        "inside": queries.looks_after(acting, area),
        "beside": [Link(each.name, url(each)) for each in queries.areas_beside(acting, area)],
        **_together(acting, area, cycle, asked),
    }


def _crumbs(acting: Appointment | None, area: Area) -> list[Link]:
    if queries.looks_after(acting, area):
        above = Link(area.name, reverse("home:area", args=[area.pk]))
    else:
        above = Link(_("Accountability"), reverse("accountability:home"))
    return [above, Link(_("Shared result"))]


def _nothing(area: Area, run: Run | None, priorities: Sequence[Priority]) -> str:
    """Why there is no figure at all; "" where the analysis speaks of a live priority."""
    if queries.is_whole_system(area):
        return _(
            "The figures compare the pupils of an area with pupils like them in the whole system. "
            "Of the whole system itself they say nothing. Choose an area inside it below."
        )
    if run is None:
        return _("No analysis is published yet. The shared result stands here as soon as one is.")
    if not priorities:
        return _(
            "The published analysis has no results for the priorities of today. An analyst can "
            "say which outcome each is measured by."
        )
    return ""


def _basis() -> str:
    return _(
        "Points beyond (+) or below (−) what pupils in similar circumstances reach in the whole "
        "system, averaged over the pupils of the area. An area moves up when its pupils gained "
        "more than pupils like them elsewhere. The interval is what chance among the pupils "
        "leaves open."
    )


# One priority


def part(priority: Priority, found: AreaProgress) -> Row:
    return {
        "title": priority.title,
        "url": living_pages.url(priority),
        "stands": stands(found),
        "moved": moved(found),
        "chart": _chart(priority, found),
        "scale": plain.scale_sentence(found.scale),
    }


def _points(found: AreaProgress, value: float) -> float:
    return found.scale.points(value) or 0.0


def between(found: AreaProgress, level: Level) -> str:
    """`−1.2 and +0.4`, read after "likely between"."""
    low, high = (
        number(_points(found, each), found.scale.digits, signed=True)
        for each in (level.lower, level.upper)
    )
    return _("{low} and {high}").format(low=low, high=high)


def behind(level: Level) -> str:
    """`360 results of pupils in 6 schools`."""
    results = ngettext("{n} result of a pupil", "{n} results of pupils", level.pupils)
    return _("{results} in {schools} schools").format(
        results=results.format(n=number(level.pupils, 0)), schools=number(level.schools, 0)
    )


def stands(found: AreaProgress) -> str:
    """The newest year beside what is expected, and how sure that is."""
    now = found.now
    if now is None:
        return _(
            "The figure of {year} is not shown. Too few schools or pupils stand behind it, or "
            "what you know of some of its schools would tell you the figure of another."
        ).format(year=found.last_year)
    said = {
        "year": found.last_year,
        "subject": found.scale.subject,
        "points": plain.points(found.scale, now.value),
        "between": between(found, now),
        "behind": behind(now),
    }
    return {
        "up": _(
            "In {year}, pupils here reached about {points} more in {subject} than pupils like "
            "them elsewhere (likely between {between}; {behind})."
        ),
        "down": _(
            "In {year}, pupils here reached about {points} less in {subject} than pupils like "
            "them elsewhere (likely between {between}; {behind})."
        ),
        "unclear": _(
            "In {year}, what pupils here reached in {subject} cannot be told from what pupils "
            "like them reach elsewhere (likely between {between}; {behind})."
        ),
    }[found.stands].format(**said)


def moved(found: AreaProgress) -> str:
    """How it moved from the first to the newest year, and whether that is more than chance."""
    if len(found.scale.years) < 2:
        return _("The analysis has one year only. One year cannot show how a result moves.")
    change = found.moved
    said: Row = {"first": found.first_year, "last": found.last_year}
    if change is None:
        return _(
            "How it moved from {first} to {last} is not known: the figures of both years would "
            "have to be shown."
        ).format(**said)
    said |= {
        "points": plain.points(found.scale, change.value),
        "between": between(found, change),
    }
    return {
        "up": _(
            "From {first} to {last} it moved up by about {points} (likely between {between}). "
            "That can be told from no change."
        ),
        "down": _(
            "From {first} to {last} it moved down by about {points} (likely between {between}). "
            "That can be told from no change."
        ),
        "unclear": _(
            "From {first} to {last} it cannot be told from no change: anything between {between} "
            "points is possible."
        ),
    }[found.verdict].format(**said)


def _chart(priority: Priority, found: AreaProgress) -> charts.Chart | None:
    if not found.years:
        return None
    known = dict(found.years)
    points = tuple(_estimate(found, year, known.get(year)) for year in found.scale.years)
    return charts.trend(
        key=f"shared-{priority.pk}",
        title=_("{subject}, year by year").format(subject=found.scale.subject),
        series=[charts.Series(found.area.name, points)],
        unit=_("points"),
        digits=found.scale.digits,
    )


def _estimate(found: AreaProgress, year: int, level: Level | None) -> charts.Estimate:
    if level is None:
        return charts.Estimate(str(year), None)
    value, low, high = (_points(found, e) for e in (level.value, level.lower, level.upper))
    return charts.Estimate(str(year), value, low, high, level.pupils)


# The table, and its files


def _table(
    area: Area, priorities: Sequence[Priority], found: dict[str, AreaProgress]
) -> Table | None:
    rows = list(figure_rows(priorities, found))
    if not rows:
        return None
    cells: list[list[Cell]] = [
        [
            row["priority"],
            row["period"],
            _number(row, row["value"]),
            _("{low} to {high}").format(
                low=_number(row, row["low"]), high=_number(row, row["high"])
            ),
            row["schools"],
            row["pupils"],
        ]
        for row in rows
    ]
    return Table(
        _("The figures"),
        [
            Column(_("Live priority")),
            Column(_("Year")),
            Column(_("Points"), numeric=True),
            Column(_("Likely between"), numeric=True),
            Column(_("Schools"), numeric=True),
            Column(_("Results of pupils"), numeric=True),
        ],
        cells,
        exports=export_links("accountability:shared_result_export", area.pk),
    )


def _number(row: Row, value: float) -> str:
    return number(value, row["digits"], signed=True)


def columns() -> list[FileColumn]:
    return [
        FileColumn("priority", _("Live priority")),
        FileColumn("subject", _("Outcome")),
        FileColumn("period", _("Year")),
        FileColumn("value", _("Points"), "number"),
        FileColumn("low", _("Likely from"), "number"),
        FileColumn("high", _("Likely to"), "number"),
        FileColumn("schools", _("Schools"), "integer"),
        FileColumn("pupils", _("Results of pupils"), "integer"),
    ]


def figure_rows(priorities: Sequence[Priority], found: dict[str, AreaProgress]) -> Iterator[Row]:
    """A line for each year that may be told, and one for how far it moved."""
    for each in priorities:
        if each.subject not in found:
            continue
        of = found[each.subject]
        levels = [(str(year), level) for year, level in of.years]
        if of.moved is not None:
            period = _("change, {first} to {last}").format(first=of.first_year, last=of.last_year)
            levels.append((period, of.moved))
        for period, level in levels:
            yield {
                "priority": each.title,
                "subject": each.subject,
                "period": period,
                "value": _points(of, level.value),
                "low": _points(of, level.lower),
                "high": _points(of, level.upper),
                "schools": level.schools,
                "pupils": level.pupils,
                "digits": of.scale.digits,
            }


def file_rows(acting: Appointment | None, area: Area) -> tuple[list[Row], str]:
    """The same lines, and what stands below them: what the points are, and of when."""
    run = insight.current_run()
    priorities = queries.priorities_with_results(run)
    found = queries.progress_of(acting, area, priorities, run)
    note = f"{_basis()} ({plain.as_of(run)})" if run is not None else _basis()
    return list(figure_rows(priorities, found)), note


# Who answers for it


def _together(acting: Appointment | None, area: Area, cycle: Cycle | None, asked: str) -> Row:
    partnerships = list(queries.partnerships_here(acting, area)[: MOST_PARTNERSHIPS + 1])
    found: Row = {
        "cycle": cycle,
        "partnerships": [_partnership(each, cycle) for each in partnerships[:MOST_PARTNERSHIPS]],
        "more_partnerships": len(partnerships) > MOST_PARTNERSHIPS,
        "promises": [],
        "page_obj": None,
        "complete": "",
    }
    if cycle is None:
        return found
    listed: Page[Pledge] = Paginator(queries.promised_here(acting, area, cycle), PAGE).get_page(
        asked
    )
    return found | {
        "promises": pledge_pages.pledge_rows(listed),
        "page_obj": listed,
        "complete": complete(queries.complete_here(acting, area, cycle), cycle),
    }


def _partnership(each: Partnership, cycle: Cycle | None) -> Row:
    return {
        "name": each.name,
        "url": reverse("connectedness:partnership", args=[each.code]),
        "ceremony": ceremony_pages.url(each.code, cycle.pk) if cycle is not None else "",
    }


def complete(found: Complete, cycle: Cycle) -> str:
    """How many schools promised both halves, where that tells of no single school."""
    if found.n is None:
        return _(
            "How many schools have promised both halves in {cycle} is not shown: of so few "
            "schools it would say which."
        ).format(cycle=cycle.name)
    said = {
        "cycle": cycle.name,
        "n": number(found.n, 0),
        "of": number(found.schools, 0),
        "fewest": number(queries.FEWEST, 0),
    }
    if found.few:
        return _(
            "In {cycle}, fewer than {fewest} of the {of} open schools here have promised both "
            "halves so far: one for their own pupils, one for those of another school."
        ).format(**said)
    return ngettext(
        "In {cycle}, {n} of the {of} open schools here has promised both halves: one for its own "
        "pupils, one for those of another school.",
        "In {cycle}, {n} of the {of} open schools here have promised both halves: one for their "
        "own pupils, one for those of another school.",
        found.n,
    ).format(**said)


def home_card(acting: Appointment | None) -> Row | None:
    """The shared result on the front page of the three directions."""
    area = queries.nearest(acting)
    if area is None:
        return None
    return {
        "heading": _("Shared result"),
        "text": _("How all pupils of {area} get on: the schools answer for it together.").format(
            area=area.name
        ),
        "url": url(area),
        "link": _("See the shared result"),
    }
