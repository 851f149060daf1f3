"""What the page on the use of data shows: each tier over weeks, areas in a month."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.devolution import use_queries as queries
from brightspots_web.devolution.models import DataUse
from brightspots_web.devolution.use_queries import AreaMonth, TierWeek
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import charts
from brightspots_web.shared.charts import Chart
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Role
from brightspots_web.shared.words import day

Row = dict[str, Any]
CONTRIBUTE = (Role.SYSTEM_LEADER, Role.HEAD, Role.TEACHER)
"""Who writes notes: of the other tiers no contribution is counted."""


def page(acting: Appointment | None, asked: str) -> Row:
    area = queries.area_of_view(acting)
    found = queries.tiers(acting)
    months = queries.months()
    month = chosen(months, asked)
    return {
        "area": area,
        "looked": charts_of(found, DataUse.What.LOOKED),
        "contributed": charts_of(found, DataUse.What.CONTRIBUTED),
        "tier_exports": export_links("devolution:data_use_tiers") if found else [],
        "sees_areas": queries.may_see_areas(acting),
        "months": [_month_link(each, each == month) for each in months],
        "table": _area_table(acting, month) if month else None,
    }


def chosen(months: Sequence[date], asked: str) -> date | None:
    """The month asked for, if it is over and counted; else the newest."""
    return next((each for each in months if each.isoformat() == asked), next(iter(months), None))


def charts_of(found: Sequence[TierWeek], what: str) -> list[tuple[Chart, str]]:
    """A small drawing for each tier, the school first, and how much of it there was lately."""
    drawn = []
    for role in reversed(Role.values):
        if what == DataUse.What.CONTRIBUTED and role not in CONTRIBUTE:
            continue
        weeks = [each for each in found if each.role == role and each.what == what]
        if weeks:
            drawn.append((_chart(role, what, weeks), _so_many_weeks(weeks)))
    return drawn


def _chart(role: str, what: str, weeks: Sequence[TierWeek]) -> Chart:
    return charts.counts(
        key=f"use-{what}-{role}",
        title=str(Role(role).label),
        periods=[charts.Period(date_format(each.monday, "j M"), each.times) for each in weeks],
        column=_("Week from"),
        of=_("Times"),
    )


def _so_many_weeks(weeks: Sequence[TierWeek]) -> str:
    if all(each.times is None for each in weeks):
        return _("Too few people, or too few times, to show.")
    active = sum(1 for each in weeks if each.times != 0)
    if not active:
        return _("Not in these {weeks} weeks.").format(weeks=len(weeks))
    return _("In {active} of {weeks} weeks.").format(active=active, weeks=len(weeks))


def _month_link(month: date, current: bool) -> tuple[Link, bool]:
    address = f"{reverse('devolution:data_use')}?month={month.isoformat()}#areas"
    return Link(date_format(month, "M Y"), address), current


def _area_table(acting: Appointment | None, month: date) -> Table:
    rows: list[list[Cell]] = [
        [
            each.area.name,
            each.schools,
            _times(each.looked, each.schools),
            _times(each.contributed, each.schools),
        ]
        for each in queries.areas(acting, month)
    ]
    return Table(
        _("Areas by name, {month}").format(month=date_format(month, "F Y")),
        [
            Column(_("Area")),
            Column(_("Schools"), numeric=True),
            Column(_("Looked at data")),
            Column(_("Contributed data")),
        ],
        rows,
        exports=export_links("devolution:data_use_areas", query=f"month={month.isoformat()}"),
        empty=_("There are no areas below this one."),
    )


def _times(times: int | None, schools: int) -> str:
    if times is None:
        return _("too few to show")
    counted = ngettext("{n} time", "{n} times", times).format(n=charts.number(times, 0))
    if not times or not schools:
        return counted
    return _("{counted}, {each} a school").format(
        counted=counted, each=charts.number(times / schools, 1)
    )


def tier_columns() -> list[ExportColumn]:
    return [
        ExportColumn("tier", _("Tier")),
        ExportColumn("what", _("What")),
        ExportColumn("monday", _("Week from"), "date"),
        ExportColumn("times", _("Times"), "integer"),
    ]


def tier_rows(acting: Appointment | None) -> Iterator[Row]:
    for each in queries.tiers(acting):
        if each.what == DataUse.What.CONTRIBUTED and each.role not in CONTRIBUTE:
            continue
        yield {
            "tier": str(Role(each.role).label),
            "what": str(DataUse.What(each.what).label),
            "monday": each.monday,
            "times": each.times,
        }


def area_columns() -> list[ExportColumn]:
    return [
        ExportColumn("area", _("Area")),
        ExportColumn("month", _("Month"), "date"),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("looked", _("Looked at data"), "integer"),
        ExportColumn("contributed", _("Contributed data"), "integer"),
    ]


def area_rows(found: Sequence[AreaMonth], month: date) -> Iterator[Row]:
    for each in found:
        yield {
            "area": each.area.name,
            "month": month,
            "schools": each.schools,
            "looked": each.looked,
            "contributed": each.contributed,
        }


def note() -> str:
    return _(
        "Times that a page of data was opened or something was contributed, on {day}; of tiers and "
        "areas, never of persons. Empty: fewer than 10 times, fewer than five people of "
        "a tier, or withheld to protect those."
    ).format(day=day(directory.today()))
