"""What a partnership talks about: the priorities on the agenda and what the figures say of them.

A data conversation is its schools' own: it is read by them and by who leads them, by nobody above.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from brightspots_web.alignment import living_queries
from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import LocalSense, Priority
from brightspots_web.connectedness import queries as connectedness
from brightspots_web.devolution.models import Meeting
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.insight import partnership_queries, variability_queries
from brightspots_web.insight import queries as insight
from brightspots_web.insight.models import Run
from brightspots_web.insight.partnership_queries import Figures
from brightspots_web.insight.variability_queries import Spread


@dataclass(frozen=True)
class Measured:
    """How much the schools differ, as measured since the partnership was formed; pupil SD."""

    spread: float
    lower: float | None
    upper: float | None
    schools: int


@dataclass(frozen=True)
class Said:
    """What the figures say of one priority in one partnership."""

    priority: Priority
    figures: Figures | None
    """None where no outcome speaks of the priority, or nothing is published yet."""
    spread: Spread | None
    measured: Measured | None = None
    """For a partnership that the published analysis does not know yet."""


def open_to(acting: Appointment | None) -> QuerySet[Partnership]:
    """Partnerships whose conversations this appointment takes part in."""
    found = directory.partnerships_visible_to(acting)
    takes_part = acting is not None and (acting.school_id or acting.partnership_id)
    return found if takes_part else found.none()


def agenda(meeting: Meeting | None = None) -> list[Priority]:
    """The priorities a meeting is about; without one, or without a choice, all that are live."""
    chosen = list(meeting.priorities.all()) if meeting is not None else []
    return chosen or alignment.live_priorities()


def said_of(
    partnership: Partnership, priorities: Iterable[Priority], run: Run | None = None
) -> list[Said]:
    """What the published figures say of each priority; the caller has checked who may read it."""
    run = run or insight.current_run()
    figures = partnership_queries.figures_of(partnership, run)
    spreads = {each.subject: each for each in variability_queries.of_partnership(partnership, run)}
    measured = {
        row.subject: Measured(row.spread, row.lower, row.upper, row.n_schools)
        for row in connectedness.variability_of(partnership)
    }
    return [
        Said(
            each,
            figures.get(each.subject),
            spreads.get(each.subject),
            measured.get(each.subject),
        )
        for each in priorities
    ]


def senses(
    acting: Appointment | None, partnership: Partnership, priorities: Sequence[Priority]
) -> dict[int, LocalSense]:
    """Priority's key -> what it means here, in the partnership's own words."""
    return living_queries.senses_in(acting, partnership, priorities)
