"""How much need the published figures see in an area or the whole system, outcome by outcome.

Two statements at most however many outcomes: front pages ask for all of a system's priorities.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, Q, Sum

from brightspots_web.directory.models import Area
from brightspots_web.insight import disclosure
from brightspots_web.insight.models import AreaFigure, Estimate, Run
from brightspots_web.insight.need_queries import Need, counted
from brightspots_web.insight.queries import current_run, scales

KEPT = 24 * 60 * 60
"""Seconds."""


def needs_within(
    area: Area | None, subjects: Sequence[str], run: Run | None = None
) -> dict[str, Need]:
    """Outcome -> the need within an area, the whole system if none is named.

    The caller has checked that the area may be opened. Outcomes without figures are left out;
    what is withheld stays so.
    """
    run = run or current_run()
    named = [each for each in subjects if each in scales(run)]
    if run is None or not named:
        return {}
    here = Q(run=run, subject__in=named, year=None)
    wholes: dict[str, list[AreaFigure]] = defaultdict(list)
    of_whom = Q(area=area) if area is not None else Q(area__parent=None)
    for row in AreaFigure.objects.filter(here, of_whom):
        wholes[row.subject].append(row)
    spreads = _spreads(run, tuple(named), area)
    return {name: _need(run, name, wholes[name], spreads.get(name)) for name in named}


def _spreads(run: Run, subjects: tuple[str, ...], area: Area | None) -> dict[str, dict[str, Any]]:
    """Outcome -> how many schools' chances were added up, and the variances of their sums.

    Kept for a day: the rows of a published run never change, and a nation's are many to add up
    for a page that is looked at all day.
    """
    asked = "\n".join([str(run.uuid), str(area.pk if area else ""), *subjects])
    key = f"need:{sha256(asked.encode()).hexdigest()}"
    kept: dict[str, dict[str, Any]] | None = cache.get(key)
    if kept is not None:
        return kept
    p, t = F("need_probability"), F("pupils_touched")
    shown = Estimate.objects.filter(
        disclosure.shown_across(), run=run, subject__in=subjects, year=None, need_probability__gt=0
    )
    if area is not None:
        shown = shown.filter(school__area__path__startswith=area.path)
    sums = shown.order_by().values("subject").annotate(
        schools=Count("pk"), in_need=Sum(p * (1 - p)), touched=Sum(t * t * (1 - p) / p)
    )  # fmt: skip
    found = {str(row["subject"]): dict(row) for row in sums}
    cache.set(key, found, KEPT)
    return found


def _need(
    run: Run, subject: str, wholes: Sequence[AreaFigure], spread: dict[str, Any] | None
) -> Need:
    if (
        not wholes
        or spread is None
        or spread["schools"] < disclosure.FEWEST_SCHOOLS
        or any(each.suppressed or each.schools_in_need is None for each in wholes)
    ):
        return Need(run, subject, 0, 0, None, None)
    schools = sum(each.n_schools or 0 for each in wholes)
    return Need(
        run,
        subject,
        schools,
        sum(each.n_pupils or 0 for each in wholes),
        counted(sum(each.schools_in_need or 0.0 for each in wholes), spread["in_need"], schools),
        counted(sum(each.pupils_touched or 0.0 for each in wholes), spread["touched"]),
    )


@dataclass(frozen=True)
class Mean:
    """What pupils of the whole system reached on average in a year, on the scale of the scores."""

    year: int
    value: float
    pupils: int
    schools: int


def newest_mean(subject: str, run: Run | None = None) -> Mean | None:
    """The average result of the newest year; None where there is none or it is withheld."""
    run = run or current_run()
    if run is None:
        return None
    rows = AreaFigure.objects.filter(run=run, subject=subject, area__parent=None, year__gt=0)
    newest: dict[int, list[AreaFigure]] = defaultdict(list)
    for row in rows:
        newest[row.year or 0].append(row)
    if not newest:
        return None
    year = max(newest)
    total, pupils, schools = 0.0, 0, 0
    for row in newest[year]:
        if row.suppressed or row.observed is None or row.n_pupils is None:
            return None
        total += row.observed * row.n_pupils
        pupils += row.n_pupils
        schools += row.n_schools or 0
    return Mean(year, total / pupils, pupils, schools) if pupils else None
