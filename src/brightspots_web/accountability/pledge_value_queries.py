"""Published values of a school, as promises draw and freeze them: nobody types a baseline.

Drawn as everybody sees it who may open the school's page: figures of few pupils are withheld here
from the school itself too, because a promise is read outside it.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from brightspots_web.alignment import living_queries as living
from brightspots_web.alignment.models import Priority, PriorityIndicator
from brightspots_web.directory.models import Indicator, School
from brightspots_web.insight import queries as insight
from brightspots_web.insight import words as plain
from brightspots_web.insight.models import Run

Known = dict[str, Any]
Figure = PriorityIndicator.Figure
COUNTS = frozenset({Figure.IN_NEED, Figure.TOUCHED})
LEARNING_UNITS = ("%", "percent", "point", "score", "words a minute", "level", "sd")
"""A unit that holds one of these speaks of what pupils learn or can; any other counts things."""


def figure_of(priority: Priority, indicator: Indicator) -> str:
    """Which published figure an indicator of a priority is; "" where people write it by hand."""
    measures = living.measures_of(priority)
    return next((each.figure for each in measures if each.indicator_id == indicator.pk), "")


def published(school: School, priority: Priority, indicator: Indicator) -> Known:
    """The school's value that is published today for an indicator; {} where there is none.

    The results of a school are published as points above or below what schools in similar
    circumstances reach. Other figures of the system have no value for one school.
    """
    if figure_of(priority, indicator) != Figure.MEAN:
        return {}
    return of_subject(school, priority.subject)


def of_subject(school: School, subject: str, run: Run | None = None) -> Known:
    """What the analysis that is published says of a school's pupils in an outcome; or {}."""
    run = run or insight.current_run()
    if run is None or run.published_at is None or not subject:
        return {}
    found = next((s for s in insight.standing(school, None, run) if s.subject == subject), None)
    if found is None or found.now is None:
        return {}
    scale, now = found.scale, found.now
    return {
        "value": scale.points(now.estimate),
        "low": scale.points(now.lower),
        "high": scale.points(now.upper),
        "n": now.n,
        "on": timezone.localtime(run.published_at).date().isoformat(),
        "run": str(run.uuid),
        "source": plain.published_on(run),
        "digits": scale.digits,
        "subject": subject,
        "years": list(found.years),
    }


def corrected(known: Mapping[str, Any], now: Mapping[str, Any]) -> Known:
    """The value of today where it corrects the one that was known; else {}.

    A correction speaks of the same years in another analysis, with another value. An analysis of
    more years is news, and no correction; one that was taken back is corrected by whatever is
    published in its place.
    """
    if not known or not now or known.get("run") == now.get("run"):
        return {}
    same = all(known.get(name) == now.get(name) for name in ("value", "low", "high", "n"))
    if same:
        return {}
    if known.get("years") == now.get("years") or taken_back(known):
        return dict(now)
    return {}


def taken_back(known: Mapping[str, Any]) -> bool:
    """Whether the analysis behind a frozen value was withdrawn after it was drawn."""
    run = known.get("run")
    return bool(run) and not insight.runs().filter(uuid=str(run)).exists()


def counts_things(priority: Priority, indicator: Indicator) -> bool:
    """Whether an indicator counts things, schools or hours instead of what pupils learn."""
    figure = figure_of(priority, indicator)
    if figure:
        return figure in COUNTS
    unit = indicator.unit.casefold()
    return not any(each in unit for each in LEARNING_UNITS)
