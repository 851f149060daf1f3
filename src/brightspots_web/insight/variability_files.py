"""The figures of the pages about differences as one long table, inner areas included."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment, Area, Partnership
from brightspots_web.insight import variability_charts as drawn
from brightspots_web.insight import variability_queries as queries
from brightspots_web.insight import words as plain
from brightspots_web.insight.models import Run, SpreadTrend
from brightspots_web.insight.queries import Scale, scales
from brightspots_web.insight.variability_pages import inner_areas
from brightspots_web.insight.variability_queries import Spread
from brightspots_web.shared.exports import Column as ExportColumn

Row = dict[str, Any]


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("place", _("Place")),
        ExportColumn("outcome", _("Outcome")),
        ExportColumn("year", _("Year")),
        ExportColumn("tier", _("Differences")),
        ExportColumn("share", _("Share of all differences, 0 to 1"), "number"),
        ExportColumn("share_lower", _("Share, lower end"), "number"),
        ExportColumn("share_upper", _("Share, upper end"), "number"),
        ExportColumn("spread", _("Typical difference, points"), "number"),
        ExportColumn("lower", _("Lower end of the 95 % interval"), "number"),
        ExportColumn("upper", _("Upper end of the 95 % interval"), "number"),
        ExportColumn("within", _("Share within schools, 0 to 1"), "number"),
        ExportColumn("slope", _("Change a year, points"), "number"),
        ExportColumn("slope_lower", _("Change, lower end"), "number"),
        ExportColumn("slope_upper", _("Change, upper end"), "number"),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("pupils", _("Pupils"), "integer"),
        ExportColumn("note", _("Note")),
    ]


def system_rows(acting: Appointment | None, run: Run | None) -> Iterator[Row]:
    place = _("the whole system")
    for one in queries.of_system(run):
        for row in (*one.rows, *(each for each in one.by_year if each not in one.rows)):
            trend = one.trends.get(row.tier) if row in one.rows else None
            yield {
                "place": place,
                "outcome": one.subject,
                "year": row.year or _("all years"),
                "tier": drawn.tier_label(row.tier),
                "share": row.share,
                "share_lower": row.lower,
                "share_upper": row.upper,
                "spread": row.sd,
                "lower": row.sd_lower,
                "upper": row.sd_upper,
                **_slope(one.scale, trend),
                "note": "" if drawn.tells(row) else _("too few areas to tell"),
            }
    yield from _areas_rows(acting, None, run)


def area_rows(found: Area, acting: Appointment | None, run: Run | None) -> Iterator[Row]:
    for spread in queries.of_area(found, run):
        yield from _place_rows(found.name, spread)
    yield from _areas_rows(acting, found, run)


def partnership_rows(found: Partnership, run: Run | None) -> Iterator[Row]:
    for spread in queries.of_partnership(found, run):
        yield from _place_rows(found.name, spread)


def _areas_rows(acting: Appointment | None, outer: Area | None, run: Run | None) -> Iterator[Row]:
    inner = inner_areas(acting, outer)
    for subject in scales(run):
        for each, spread in queries.of_areas(inner, subject, run):
            yield from _place_rows(each.name, spread)


def _place_rows(place: str, one: Spread) -> Iterator[Row]:
    start = {
        "place": place,
        "outcome": one.subject,
        "tier": _("between schools"),
    }
    if one.all_years is None:
        yield start | {
            "year": _("all years"),
            "note": _("too few to show") if one.withheld else _("no figure"),
        }
    together = [one.all_years] if one.all_years else []
    for row in [*together, *(each for each in one.by_year if each is not one.all_years)]:
        whole = row is one.all_years
        yield start | {
            "year": row.year or _("all years"),
            "spread": one.scale.points(row.spread),
            "lower": one.scale.points(row.spread_lower),
            "upper": one.scale.points(row.spread_upper),
            "within": row.share_within,
            **_slope(one.scale, one.trend if whole else None),
            "schools": row.n_schools,
            "pupils": row.n_pupils,
        }


def _slope(scale: Scale, trend: SpreadTrend | None) -> Row:
    if trend is None:
        return {}
    return {
        "slope": scale.points(trend.slope),
        "slope_lower": scale.points(trend.lower),
        "slope_upper": scale.points(trend.upper),
    }


def note(run: Run | None) -> str:
    if run is None:
        return ""
    return _(
        "Chance is taken out. Published on {date} (run {run}). By name, never ranked; figures of "
        "fewer than three schools or ten pupils are not shown."
    ).format(date=plain.published_on(run), run=run.uuid)
