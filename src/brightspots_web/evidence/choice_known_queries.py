"""What was known at a moment: the analysis in force then, and a school's published value in it.

An analysis does not change once it is published, so what was known can be read later as well, as
long as its rows are kept. Only figures that everybody who may open a school's page sees are read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from brightspots_web.directory.models import Appointment
from brightspots_web.evidence.models import Choice
from brightspots_web.insight import disclosure, run_queries
from brightspots_web.insight import queries as insight
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.insight.queries import Scale

GRID = 0.25
"""Standard deviations of pupils that a band is wide where no lottery set one."""
AT_ONCE = 2000
Without = Choice.Without


@dataclass(frozen=True)
class Known:
    """A published value in points, with its interval; or why there is none."""

    without: str = ""
    subject: str = ""
    digits: int = 1
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    run: Run | None = None
    band: tuple[float, float] | None = None


def run_at(moment: datetime, by: Appointment) -> Run | None:
    """The analysis whose figures pages showed at a moment; `by` may see every analysis."""
    runs = run_queries.runs_visible_to(by).filter(
        Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=moment), published_at__lte=moment
    )
    return runs.order_by("-published_at", "-pk").first()


def known_at(run: Run | None, subject: str, schools: Iterable[int]) -> dict[int, Known]:
    """School key -> what the analysis said of it in an outcome, or why it said nothing."""
    keys = list(dict.fromkeys(schools))
    scale = insight.scales(run).get(subject)
    if run is None or scale is None or run.rows_removed_at is not None:
        return dict.fromkeys(keys, Known(_why_not(run, scale), subject, run=run))
    found: dict[int, Known] = {}
    for start in range(0, len(keys), AT_ONCE):
        rows = run.estimates.filter(
            disclosure.shown_across(),
            subject=subject,
            year=None,
            school__in=keys[start : start + AT_ONCE],
        )
        found |= {row.school_id: in_points(row, scale, run) for row in rows}
    few = Known(Without.FEW, subject, scale.digits, run=run)
    return {key: found.get(key, few) for key in keys}


def in_points(row: Estimate, scale: Scale, run: Run) -> Known:
    """A published estimate in points, in the band of a quarter of the pupils' spread it lies in."""
    cell = row.estimate // GRID
    return Known(
        subject=row.subject,
        digits=scale.digits,
        value=row.estimate * scale.pupil_sd,
        lower=row.lower * scale.pupil_sd,
        upper=row.upper * scale.pupil_sd,
        n=row.n,
        run=run,
        band=(cell * GRID * scale.pupil_sd, (cell + 1) * GRID * scale.pupil_sd),
    )


def still_published(run: object) -> bool:
    """Whether an analysis was not taken back since."""
    return insight.runs().filter(uuid=str(run)).exists()


def _why_not(run: Run | None, scale: Scale | None) -> str:
    if run is None:
        return Without.NO_RUN
    return Without.REMOVED if scale is not None else Without.NO_OUTCOME
