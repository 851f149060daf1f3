"""Reads of how much schools differ: in the system, an area, a partnership; withheld when small.

What is suppressed stays so whatever it stands in: a trend that counts a withheld year is withheld
too, since the other years and the slope would give that year away.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from brightspots_web.directory.models import Area, Partnership
from brightspots_web.insight import queries
from brightspots_web.insight.models import (
    AreaFigure,
    PartnershipFigure,
    Run,
    SpreadTrend,
    Variance,
)
from brightspots_web.insight.queries import Scale

Figure = AreaFigure | PartnershipFigure


@dataclass(frozen=True)
class Spread:
    """How much the schools of one place differ in one outcome."""

    scale: Scale
    all_years: Figure | None = None
    """None where there is no figure, or it is withheld (`withheld`)."""
    by_year: tuple[Figure, ...] = ()
    trend: SpreadTrend | None = None
    withheld: bool = False

    @property
    def subject(self) -> str:
        return self.scale.subject

    @property
    def newest(self) -> Figure | None:
        return self.by_year[-1] if self.by_year else None


@dataclass(frozen=True)
class Tiers:
    """How the differences between all pupils split over the tiers of the system, in one outcome."""

    scale: Scale
    rows: tuple[Variance, ...] = ()
    """Of all years together where there are several, largest tier first."""
    by_year: tuple[Variance, ...] = ()
    trends: dict[str, SpreadTrend] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        return self.scale.subject


def of_system(run: Run | None) -> list[Tiers]:
    """Every outcome, by tier."""
    if run is None:
        return []
    rows: dict[str, list[Variance]] = defaultdict(list)
    for row in queries.variability(run=run):
        rows[row.subject].append(row)
    trends: dict[str, dict[str, SpreadTrend]] = defaultdict(dict)
    for trend in SpreadTrend.objects.filter(run=run, area=None, partnership=None):
        trends[trend.subject][trend.tier] = trend
    return [_tiers(scale, rows[name], trends[name]) for name, scale in queries.scales(run).items()]


def _tiers(scale: Scale, rows: Sequence[Variance], trends: dict[str, SpreadTrend]) -> Tiers:
    together = [row for row in rows if row.year is None]
    yearly = sorted((row for row in rows if row.year), key=lambda row: (row.rank, row.year or 0))
    if not together and yearly:
        newest = max(row.year or 0 for row in yearly)
        together = [row for row in yearly if row.year == newest]
    return Tiers(scale, tuple(together), tuple(yearly), trends)


def of_area(area: Area, run: Run | None) -> list[Spread]:
    """Every outcome of one area; the caller has checked that it may be opened."""
    if run is None:
        return []
    figures = AreaFigure.objects.filter(run=run, area=area).order_by("year")
    trends = SpreadTrend.objects.filter(run=run, area=area, tier="school")
    return _spreads(run, figures, trends)


def of_partnership(partnership: Partnership, run: Run | None) -> list[Spread]:
    """Every outcome of one partnership; the caller has checked that it may be opened."""
    if run is None:
        return []
    figures = PartnershipFigure.objects.filter(run=run, partnership=partnership).order_by("year")
    trends = SpreadTrend.objects.filter(run=run, partnership=partnership, tier="school")
    return _spreads(run, figures, trends)


def of_areas(areas: Iterable[Area], subject: str, run: Run | None) -> list[tuple[Area, Spread]]:
    """One outcome in several areas, in the order given."""
    scale = queries.scales(run).get(subject)
    if run is None or scale is None:
        return []
    listed = list(areas)
    here = Q(run=run, subject=subject, area__in=[area.pk for area in listed])
    figures: dict[int, list[AreaFigure]] = defaultdict(list)
    for row in AreaFigure.objects.filter(here).order_by("year"):
        figures[row.area_id].append(row)
    trends = {row.area_id: row for row in SpreadTrend.objects.filter(here, tier="school")}
    return [(area, _spread(scale, figures[area.pk], trends.get(area.pk))) for area in listed]


def _spreads(run: Run, figures: Iterable[Figure], trends: Iterable[SpreadTrend]) -> list[Spread]:
    by_subject: dict[str, list[Figure]] = defaultdict(list)
    for row in figures:
        by_subject[row.subject].append(row)
    trend_of = {row.subject: row for row in trends}
    return [
        _spread(scale, by_subject[name], trend_of.get(name))
        for name, scale in queries.scales(run).items()
    ]


def _spread(scale: Scale, rows: Sequence[Figure], trend: SpreadTrend | None) -> Spread:
    """What may be shown of these rows."""
    together = next((row for row in rows if row.year is None), None)
    yearly = sorted((row for row in rows if row.year), key=lambda row: row.year or 0)
    shown = tuple(row for row in yearly if not row.suppressed and row.spread is not None)
    if together is None and len(yearly) == 1:
        together = yearly[0]
    hidden = together is not None and together.suppressed
    tells = trend is not None and trend.years > sum(not row.suppressed for row in yearly)
    known = together is not None and not hidden and together.spread is not None
    return Spread(
        scale,
        together if known else None,
        shown,
        None if hidden or tells else trend,
        withheld=hidden,
    )
