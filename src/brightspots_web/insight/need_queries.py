"""How much need the published figures see in one outcome, over the whole system: for everybody.

Totals of areas as they were published, small ones withheld; nobody's name stands here, and no
school's figure can be had from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from django.db.models import Count, F, QuerySet, Sum

from brightspots_web.insight import disclosure
from brightspots_web.insight.models import AreaFigure, Estimate, Run
from brightspots_web.insight.queries import current_run, runs, scales

MOST_AREAS = 5
LIKELY = 1.96
"""Standard deviations to each side in which a count lies in 19 of 20 cases."""


@dataclass(frozen=True)
class Counted:
    """An expected number and where it likely lies."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Need:
    """What a published analysis says of the need in one outcome."""

    run: Run
    subject: str
    schools: int
    """With a figure that may be shown."""
    pupils: int
    in_need: Counted | None
    """Schools whose pupils likely achieve less than pupils like theirs; None where withheld."""
    touched: Counted | None
    """Pupils a year in such schools."""
    areas: tuple[AreaFigure, ...] = ()
    """Where most of these pupils are, by name of the area."""


def needs_of_system(subjects: Sequence[str], run: Run | None = None) -> list[Need]:
    """The need in each of these outcomes that has figures, in the order given."""
    run = run or current_run()
    if run is None:
        return []
    named = [each for each in subjects if each in scales(run)]
    return [_need(run, subject) for subject in named]


def need_of_system(subject: str, run: Run | None = None) -> Need | None:
    """The need in one outcome; None where no published analysis speaks of it."""
    return next(iter(needs_of_system([subject], run)), None)


def still_published(uuid: str) -> bool:
    """Whether the analysis that somebody quoted was not withdrawn since."""
    return runs().filter(uuid=uuid).exists()


def _need(run: Run, subject: str) -> Need:
    whole = AreaFigure.objects.filter(run=run, subject=subject, year=None)
    roots = list(whole.filter(area__parent=None))
    shown = Estimate.objects.filter(
        disclosure.shown_across(), run=run, subject=subject, year=None, need_probability__gt=0
    )
    p, t = F("need_probability"), F("pupils_touched")
    spread = shown.aggregate(
        schools=Count("pk"),
        in_need=Sum(p * (1 - p)),
        touched=Sum(t * t * (1 - p) / p),
    )
    withheld = (
        not roots
        or any(each.suppressed or each.schools_in_need is None for each in roots)
        or spread["schools"] < disclosure.FEWEST_SCHOOLS
    )
    if withheld:
        return Need(run, subject, 0, 0, None, None)
    schools = sum(each.n_schools or 0 for each in roots)
    return Need(
        run,
        subject,
        schools,
        sum(each.n_pupils or 0 for each in roots),
        counted(sum(each.schools_in_need or 0.0 for each in roots), spread["in_need"], schools),
        counted(sum(each.pupils_touched or 0.0 for each in roots), spread["touched"]),
        _areas(whole, sum(each.pupils_touched or 0.0 for each in roots)),
    )


def _areas(whole: QuerySet[AreaFigure], total: float) -> tuple[AreaFigure, ...]:
    """The areas with most of these pupils, by name: small ones if they are not mostly withheld.

    Of the areas of each level some are withheld; the smallest whose figures hold half of the pupils
    at least say where they are, else those that hold most.
    """
    shown = whole.filter(pupils_touched__gt=0, suppressed=False, area__parent__isnull=False)
    by_level = shown.order_by().values_list("area__level").annotate(held=Sum("pupils_touched"))
    held = dict(by_level)
    if not held:
        return ()
    enough = [level for level, pupils in held.items() if pupils >= total / 2]
    level = max(enough) if enough else max(held, key=lambda each: held[each])
    most = shown.filter(area__level=level).select_related("area__parent")
    found = most.order_by("-pupils_touched", "area")[:MOST_AREAS]
    return tuple(sorted(found, key=lambda each: (each.area.name, each.area_id)))


def counted(value: float, variance: float | None, most: float | None = None) -> Counted:
    """A sum of chances, each school's judged by itself, and its interval.

    The variance of a sum of independent yes-or-noes with chances p is the sum of p (1 - p); of
    pupils m who count only if their school does, the sum of m^2 p (1 - p) with m = touched / p.
    """
    reach = LIKELY * sqrt(max(variance or 0.0, 0.0))
    upper = value + reach
    return Counted(value, max(value - reach, 0.0), upper if most is None else min(upper, most))
