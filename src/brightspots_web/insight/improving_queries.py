"""Which schools rise over the years at an outcome, and for how many years a school has results.

"Rises" is said of a school only where the interval of the last year lies wholly above that of the
first: of 1,000 schools that stand still, about three would seem to rise so far by chance.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.insight import disclosure, queries
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.shared.permissions import Capability, may


@dataclass(frozen=True)
class Rise:
    """A school at an outcome in its first and its last year; pupil SD."""

    first: Estimate
    last: Estimate


def rising(acting: Appointment | None, subject: str, run: Run | None) -> QuerySet[Estimate]:
    """The last year's figures of schools in sight that rise; those that may be shown alone.

    Each carries `before`, the upper end of the first year's interval.
    """
    scale = queries.scales(run).get(subject)
    if run is None or scale is None or len(scale.years) < 2:
        return Estimate.objects.none()
    shown = Estimate.objects.filter(disclosure.shown_across(), run=run, subject=subject)
    first = shown.filter(year=scale.years[0], school=OuterRef("school"))
    last = shown.filter(year=scale.years[-1]).annotate(before=Subquery(first.values("upper")[:1]))
    last = last.filter(lower__gt=F("before"))
    if may(acting, Capability.SEE_SYSTEM):
        return last
    return last.filter(school__in=directory.schools_visible_to(acting).order_by().values("pk"))


def rises(schools: Iterable[int], subjects: Sequence[str], run: Run | None) -> dict[Any, Rise]:
    """(School's key, outcome) -> first and last year, for those of a page that rise."""
    found: dict[tuple[int, str], dict[int, Estimate]] = {}
    scales = queries.scales(run)
    known = [name for name in subjects if name in scales and len(scales[name].years) > 1]
    if run is None or not known:
        return {}
    ends = {year for name in known for year in (scales[name].years[0], scales[name].years[-1])}
    rows = Estimate.objects.filter(
        disclosure.shown_across(), run=run, school__in=list(schools), subject__in=known,
        year__in=ends,
    )  # fmt: skip
    for row in rows:
        assert row.year is not None
        found.setdefault((row.school_id, row.subject), {})[row.year] = row
    result = {}
    for (school, name), years in found.items():
        first, last = years.get(scales[name].years[0]), years.get(scales[name].years[-1])
        if first is not None and last is not None and last.lower > first.upper:
            result[school, name] = Rise(first, last)
    return result


def years_published(school: School, run: Run | None = None) -> list[int]:
    """The years of which the newest analysis has results of a school, at whatever outcome.

    Years are no figures: those whose figure is withheld count, as the school did take part.
    """
    run = run or queries.current_run()
    if run is None:
        return []
    rows = Estimate.objects.filter(run=run, school=school, year__isnull=False)
    found = rows.order_by("year").values_list("year", flat=True).distinct()
    return [year for year in found if year is not None]


def seen_lately(schools: Iterable[int], years: int, run: Run | None = None) -> set[int] | None:
    """Which of these schools have a result in the newest so many years of the analysis.

    None where no analysis is published: then nobody can say.
    """
    run = run or queries.current_run()
    if run is None:
        return None
    newest = sorted({year for scale in queries.scales(run).values() for year in scale.years})
    wanted = newest[-years:] if years else newest
    rows = Estimate.objects.filter(run=run, school__in=list(schools), year__in=wanted)
    return set(rows.order_by().values_list("school", flat=True).distinct())
