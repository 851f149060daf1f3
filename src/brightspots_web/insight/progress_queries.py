"""How far the schools of a partnership moved together, and where help would likely be well spent.

Both rest on what is published: a partnership's figure of a year as the analysis has it, withheld
where it is withheld there; schools' figures that everybody who sees schools may see.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from django.db.models import QuerySet

from brightspots_web.directory.models import Partnership
from brightspots_web.insight import disclosure, queries
from brightspots_web.insight.models import AreaFigure, Estimate, PartnershipFigure, Run
from brightspots_web.insight.need_queries import LIKELY
from brightspots_web.insight.queries import Scale


@dataclass(frozen=True)
class Level:
    """What the pupils of several schools reached beyond pupils like them; pupil SD."""

    value: float
    lower: float
    upper: float
    schools: int
    pupils: int
    """Of the newest of the years."""


@dataclass(frozen=True)
class Movement:
    """A partnership at one outcome: where it is in the newest year, and how it moved."""

    partnership: Partnership
    scale: Scale
    now: Level | None
    """None where it is withheld or there is none."""
    moved: Level | None
    """The newest year minus the first."""
    first_year: int
    last_year: int

    @property
    def verdict(self) -> str:
        """`up`, `down`, `unclear` or `none`."""
        if self.moved is None:
            return "none"
        if self.moved.lower > 0:
            return "up"
        return "down" if self.moved.upper < 0 else "unclear"


def movements(
    partnerships: Sequence[Partnership], subject: str, run: Run | None = None
) -> list[Movement]:
    """Each partnership at one outcome, in the order given: one statement for all of them.

    The caller has checked that these partnerships may be opened.
    """
    run = run or queries.current_run()
    scale = queries.scales(run).get(subject)
    if run is None or scale is None or not scale.years:
        return []
    first, last = scale.years[0], scale.years[-1]
    figures = PartnershipFigure.objects.filter(
        run=run, subject=subject, suppressed=False, mean__isnull=False, year__in={first, last},
        partnership__in=[each.pk for each in partnerships],
    )  # fmt: skip
    found = {(each.partnership_id, each.year): level_of(each) for each in figures}
    listed = []
    for each in partnerships:
        before, now = found.get((each.pk, first)), found.get((each.pk, last))
        moved = change(before, now) if last > first else None
        listed.append(Movement(each, scale, now, moved, first, last))
    return listed


def level_of(figure: PartnershipFigure | AreaFigure) -> Level | None:
    """The published mean, and how far chance among its pupils may have moved it.

    Of a mean over N pupils the sampling variance is that of the pupils within schools over N. Their
    part of all differences in the group is published beside the spread between its schools,
    which gives it back; where schools do not differ it is taken as all there is among pupils.
    """
    schools, pupils = figure.n_schools or 0, figure.n_pupils or 0
    if figure.mean is None or schools < disclosure.FEWEST_SCHOOLS or not pupils:
        return None
    within, share = 1.0, figure.share_within or 1.0
    if figure.spread and share < 1:
        within = min(figure.spread**2 * share / (1 - share), 1.0)
    return _around(figure.mean, within / pupils, schools, pupils)


def change(before: Level | None, after: Level | None) -> Level | None:
    """The later minus the earlier, where both may be shown."""
    if before is None or after is None:
        return None
    variance = sum(((each.upper - each.value) / LIKELY) ** 2 for each in (before, after))
    return _around(after.value - before.value, variance, after.schools, after.pupils)


def _around(value: float, variance: float, schools: int, pupils: int) -> Level:
    reach = LIKELY * sqrt(variance)
    return Level(value, value - reach, value + reach, schools, pupils)


def likely_in_need(
    schools: QuerySet[Any, Any], subjects: Iterable[str], *, at_least: float, run: Run | None = None
) -> QuerySet[Estimate]:
    """Lasting figures of these schools that say so at least this surely; those that may be shown.

    Those first where closing the gap would reach most pupils. `schools` gives keys; the caller has
    checked that they may be opened.
    """
    run = run or queries.current_run()
    if run is None:
        return Estimate.objects.none()
    found = Estimate.objects.filter(
        disclosure.shown_across(), run=run, year=None, subject__in=list(subjects),
        need_probability__gte=at_least, school__in=schools,
    )  # fmt: skip
    return found.select_related("school__area").order_by("-pupils_touched", "pk")
