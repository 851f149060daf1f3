"""How much results differ and where: the system by tiers, an area and a partnership by schools."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Partnership
from brightspots_web.insight import variability_charts as drawn
from brightspots_web.insight import variability_queries as queries
from brightspots_web.insight import variability_words as words
from brightspots_web.insight import words as plain
from brightspots_web.insight.models import Run
from brightspots_web.insight.queries import scales
from brightspots_web.insight.variability_queries import Spread, Tiers
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]


def chosen(subject: str, run: Run | None) -> str:
    """The outcome asked for, or the first."""
    names = list(scales(run))
    return subject if subject in names else (names[0] if names else "")


def system(acting: Appointment | None, run: Run | None, subject: str) -> Row:
    """The whole system: shares by tier, years, whether they close, and every area by name."""
    found = queries.of_system(run)
    one = next((each for each in found if each.subject == subject), None)
    exports = export_links("insight:variability_export")
    return _frame(run, subject) | {
        "heading": _("How different are results, and where?"),
        "lead": _(
            "Of all differences between pupils’ results, how much lies between areas, between "
            "schools, and within schools; and is it closing?"
        ),
        "sentence": words.shares(one.rows) if one else "",
        "shares": drawn.shares_chart(subject, run) if one else None,
        "trend": _tier_trend(one),
        "trend_caption": _trend_caption(),
        "closing": _tiers_closing(one),
        "tiers": _tier_table(one, exports),
        "outcomes": _outcomes_by_tier(found, exports),
        "inner": inner_table(acting, None, run, subject, exports),
    }


def area(found: Area, acting: Appointment | None, run: Run | None, subject: str) -> Row:
    spreads = queries.of_area(found, run)
    exports = export_links("insight:variability_area_export", found.pk)
    return _frame(run, subject) | {
        "kind": _("Area"),
        "heading": _("How much do schools in {place} differ?").format(place=found.name),
        "breadcrumb": [
            Link(found.name, reverse("home:area", args=[found.pk])),
            Link(_("Differences")),
        ],
        **_of_place(spreads, subject, found.name, exports),
        "inner": inner_table(acting, found, run, subject, exports),
    }


def partnership(found: Partnership, run: Run | None, subject: str) -> Row:
    spreads = queries.of_partnership(found, run)
    if spreads and not any(each.all_years or each.by_year or each.withheld for each in spreads):
        return _frame(run, "") | _of_none(found)
    exports = export_links("insight:variability_partnership_export", found.code)
    return _frame(run, subject) | {
        **_partnership_head(found),
        **_of_place(spreads, subject, found.name, exports),
    }


def _partnership_head(found: Partnership) -> Row:
    return {
        "kind": _("Partnership"),
        "heading": _("How much do schools in {place} differ?").format(place=found.name),
        "breadcrumb": [
            Link(found.name, reverse("connectedness:partnership", args=[found.code])),
            Link(_("Differences")),
        ],
    }


def _of_none(found: Partnership) -> Row:
    """A partnership that the published analysis does not know yet."""
    return _partnership_head(found) | {
        "nothing_heading": _("This comes with the next analysis"),
        "nothing_text": _(
            "The published analysis does not know this partnership: it was formed after it, or has "
            "too few schools with figures. Year by year, and whether it is closing, stand here "
            "once results are analysed again. How much the schools differ now stands on the "
            "partnership’s page."
        ),
        "nothing_url": reverse("connectedness:partnership", args=[found.code]),
        "nothing_link": _("To the partnership"),
    }


def _frame(run: Run | None, subject: str) -> Row:
    return {
        "run": run,
        "subject": subject,
        "subjects": [(name, name, name == subject) for name in scales(run)],
        "made_url": reverse("insight:run", args=[run.uuid]) if run else "",
        "as_of": plain.as_of(run) if run else "",
    }


def _of_place(spreads: Sequence[Spread], subject: str, place: str, exports: Sequence[Link]) -> Row:
    one = next((each for each in spreads if each.subject == subject), None)
    return {
        "lead": _(
            "The true differences between schools, with chance taken out: what the schools here "
            "can learn from each other."
        ),
        "sentence": words.spread(one, place) if one else "",
        "within": _within(one) if one else "",
        "closing": [("", _closing(one))] if one else [],
        "trend": _place_trend(one),
        "trend_caption": _trend_caption(),
        "outcomes": _outcomes_of_place(spreads, exports),
    }


def _closing(one: Spread) -> str:
    return words.closing(
        one.scale,
        one.trend,
        len(one.by_year),
        withheld=one.withheld or len(one.by_year) < len(one.scale.years),
    )


def _within(one: Spread) -> str:
    newest = one.newest
    share = words.percent(newest.share_within) if newest else None
    if newest is None or share is None:
        return ""
    return _(
        "In {year}, {share} of all differences between pupils lay within schools, not between them."
    ).format(year=newest.year, share=share)


def _trend_caption() -> str:
    return _(
        "A typical difference from the middle, in points, chance taken out. Bars show where it "
        "very likely lies; where they overlap widely nobody can tell one year from another."
    )


# The system


def _tier_trend(one: Tiers | None) -> charts.Chart | None:
    if one is None:
        return None
    by_tier: dict[str, list[charts.Estimate]] = {}
    for row in one.by_year:
        if row.tier == "pupil" or not drawn.tells(row):
            continue
        point = charts.Estimate(str(row.year), row.sd, row.sd_lower, row.sd_upper, row.units)
        by_tier.setdefault(row.tier, []).append(point)
    series = [
        charts.Series(drawn.tier_label(tier), tuple(points))
        for tier, points in list(by_tier.items())[:4]
    ]
    return _years_chart(series, one.scale.digits)


def _years_chart(series: Sequence[charts.Series], digits: int) -> charts.Chart | None:
    if not series or max(len(each.points) for each in series) < 2:
        return None
    return charts.trend(
        key="spread",
        title=_("Differences from year to year"),
        series=series,
        unit=_("points"),
        signed=False,
        baseline=0.0,
        digits=digits,
    )


def _tiers_closing(one: Tiers | None) -> list[tuple[str, str]]:
    """A sentence for each tier above the pupil that can tell."""
    if one is None:
        return []
    years = len({row.year for row in one.by_year})
    told = []
    for row in one.rows:
        trend = one.trends.get(row.tier)
        if row.tier == "school" or (trend is not None and drawn.tells(row)):
            told.append((drawn.tier_label(row.tier), words.closing(one.scale, trend, years)))
    return told


def _tier_table(one: Tiers | None, exports: Sequence[Link]) -> Table | None:
    if one is None or not one.rows:
        return None
    digits = one.scale.digits
    rows: list[list[Cell]] = [
        [
            drawn.tier_label(row.tier),
            words.percent(row.share),
            words.percents(row.lower, row.upper),
            charts.number(row.sd, digits),
            _range(row.sd_lower, row.sd_upper, digits),
            row.units or None,
        ]
        for row in one.rows
    ]
    return Table(
        _("Where the differences lie: {outcome}").format(outcome=one.subject),
        [
            Column(_("Differences")),
            Column(_("Share"), numeric=True),
            Column(_("Likely between"), numeric=True),
            Column(_("Typical difference, points"), numeric=True),
            Column(_("Likely between"), numeric=True),
            Column(_("Number"), numeric=True),
        ],
        rows,
        exports=exports,
    )


def _range(lower: float | None, upper: float | None, digits: int) -> str:
    if lower is None:
        return _("not known")
    if upper is None:
        return _("{low} and more").format(low=charts.number(lower, digits))
    return _("{low} to {high}").format(
        low=charts.number(lower, digits), high=charts.number(upper, digits)
    )


def _outcomes_by_tier(found: Sequence[Tiers], exports: Sequence[Link]) -> Table | None:
    """All outcomes side by side, in the pages' order."""
    tiers: dict[str, None] = {}
    for each in found:
        tiers |= dict.fromkeys(row.tier for row in each.rows)
    if not tiers:
        return None
    rows: list[list[Cell]] = []
    for each in found:
        share = {row.tier: row.share for row in each.rows}
        cells: list[Cell] = [words.percent(share.get(tier)) for tier in tiers]
        rows.append([each.subject, *cells, words.closing_short(each.trends.get("school"))])
    return Table(
        _("All outcomes"),
        [
            Column(_("Outcome")),
            *(Column(drawn.tier_column(tier), numeric=True) for tier in tiers),
            Column(_("Schools: closing?")),
        ],
        rows,
        exports=exports,
    )


# An area or a partnership


def _place_trend(one: Spread | None) -> charts.Chart | None:
    if one is None:
        return None
    points = tuple(
        charts.Estimate(
            str(row.year),
            one.scale.points(row.spread),
            one.scale.points(row.spread_lower),
            one.scale.points(row.spread_upper),
            row.n_schools,
        )
        for row in one.by_year
    )
    return _years_chart([charts.Series(one.subject, points)] if points else [], one.scale.digits)


def _outcomes_of_place(spreads: Sequence[Spread], exports: Sequence[Link]) -> Table | None:
    if not spreads:
        return None
    return Table(
        _("All outcomes"),
        [Column(_("Outcome")), *_spread_columns()],
        [[each.subject, *_spread_cells(each)] for each in spreads],
        exports=exports,
    )


def _spread_columns() -> list[Column]:
    return [
        Column(_("Typical difference, points"), numeric=True),
        Column(_("Likely between"), numeric=True),
        Column(_("Within schools"), numeric=True),
        Column(_("Schools"), numeric=True),
        Column(_("Pupils"), numeric=True),
        Column(_("Closing?")),
    ]


def _spread_cells(each: Spread) -> list[Cell]:
    figure = each.all_years
    if figure is None:
        return [_("too few to show") if each.withheld else None, *[""] * 5]
    newest = each.newest
    return [
        charts.number(each.scale.points(figure.spread), each.scale.digits),
        words.interval(each.scale, figure.spread_lower, figure.spread_upper),
        words.percent(newest.share_within) if newest else None,
        figure.n_schools,
        figure.n_pupils,
        words.closing_short(each.trend),
    ]


def inner_table(
    acting: Appointment | None,
    outer: Area | None,
    run: Run | None,
    subject: str,
    exports: Sequence[Link],
) -> Table | None:
    """The areas one step down by name: how much their schools differ, never who is ahead."""
    found = queries.of_areas(inner_areas(acting, outer), subject, run)
    if not found:
        return None
    return Table(
        _("Areas, by name: {outcome}").format(outcome=subject),
        [Column(_("Area")), *_spread_columns()],
        [
            [
                Link(each.name, reverse("insight:variability_area", args=[each.pk])
                     + f"?{_query(subject)}"),
                *_spread_cells(spread),
            ]
            for each, spread in found
        ],
        exports=exports,
    )  # fmt: skip


def _query(subject: str) -> str:
    return urlencode({"subject": subject})


def inner_areas(acting: Appointment | None, outer: Area | None) -> list[Area]:
    return sorted(directory.inner_areas(acting, outer), key=lambda each: (each.name, each.pk))
