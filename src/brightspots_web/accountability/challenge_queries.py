"""All reads of challenge visits: who sees which, what waits, how many schools had one.

Seen by the ministry, by officers whose area holds the school, by whoever visits it as a challenger,
and by who answers for the school. Nobody else: a record is a conversation, no publication.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from brightspots_web.accountability.models import (
    ChallengeSettings,
    ChallengeStep,
    ChallengeVisit,
    Escalation,
)
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person, School
from brightspots_web.shared.permissions import Capability, Role, may

State = ChallengeVisit.State
BEFORE = (State.PLANNED, State.READY)
OPEN = (State.PLANNED, State.READY, State.HELD)
"""One of these at a time at a school."""
HAPPENED = (State.HELD, State.AGREED, State.CLOSED)
SOON = timedelta(days=7)


def settings_now() -> ChallengeSettings:
    """The settings in force; those that are built in before anybody set them."""
    return ChallengeSettings.objects.order_by("pk").first() or ChallengeSettings()


def takes_part(by: Appointment | None) -> bool:
    """Whether a role has any part in challenge visits."""
    wanted = (Capability.PLAN_CHALLENGE, Capability.CHALLENGE, Capability.ASK_SUPPORT)
    return any(may(by, each) for each in wanted)


def visible_to(by: Appointment | None) -> QuerySet[ChallengeVisit]:
    """Visits whose page this appointment may open."""
    found = ChallengeVisit.objects.select_related("school__area", "challenger")
    return found.filter(_planned(by) | _challenged(by) | _hosted(by))


def _planned(by: Appointment | None) -> Q:
    if not may(by, Capability.PLAN_CHALLENGE):
        return Q(pk__in=[])
    assert by is not None
    if by.role == Role.MINISTER:
        return Q(pk__isnull=False)
    return Q(school__area__path__startswith=by.area.path) if by.area else Q(pk__in=[])


def _challenged(by: Appointment | None) -> Q:
    if by is None or not may(by, Capability.CHALLENGE):
        return Q(pk__in=[])
    return Q(challenger=by.person_id)


def _hosted(by: Appointment | None) -> Q:
    if by is None or by.school_id is None or not may(by, Capability.ASK_SUPPORT):
        return Q(pk__in=[])
    return directory.line_of(by.school_id, "school")


def plans(by: Appointment | None, school: School) -> bool:
    """Whether somebody plans visits to this school."""
    return (
        may(by, Capability.PLAN_CHALLENGE)
        and directory.schools_visible_to(by).filter(pk=school.pk).exists()
    )


def challenges(by: Appointment | None, visit: ChallengeVisit) -> bool:
    return (
        by is not None
        and may(by, Capability.CHALLENGE)
        and visit.challenger_id is not None
        and visit.challenger_id == by.person_id
    )


def hosts(by: Appointment | None, visit: ChallengeVisit) -> bool:
    """Whether somebody answers for the school that is visited, or for its successor."""
    if by is None or by.school_id is None or not may(by, Capability.ASK_SUPPORT):
        return False
    return (
        by.school_id == visit.school_id
        or directory.all_schools()
        .filter(directory.line_of(by.school_id), pk=visit.school_id)
        .exists()
    )


def schools_planned_by(by: Appointment | None) -> QuerySet[School]:
    """Open schools to which this appointment may plan a visit."""
    found = directory.schools_visible_to(by).filter(directory.unclosed())
    return found if may(by, Capability.PLAN_CHALLENGE) else found.none()


def planners_of(school: School) -> list[Person]:
    """Officers whose area holds the school; the ministry where there is none."""
    return list(people.officers_over(school))


def current(school: School) -> ChallengeVisit | None:
    """The visit a school prepares, or whose record is to be agreed."""
    return ChallengeVisit.objects.filter(school=school, state__in=OPEN).first()


@dataclass(frozen=True)
class Search:
    """What the list of visits is narrowed to."""

    words: str = ""
    state: str = ""
    mine: str = ""
    """`plan`, `go` or `host`; everything where it is empty."""


def search(by: Appointment | None, asked: Search) -> QuerySet[ChallengeVisit]:
    found = visible_to(by)
    if asked.words:
        words = asked.words.strip()
        found = found.filter(Q(school__name__icontains=words) | Q(school__code__istartswith=words))
    if asked.state:
        found = found.filter(state=asked.state)
    if asked.mine:
        part = {"go": _challenged, "host": _hosted}.get(asked.mine, _planned)
        found = found.filter(part(by))
    return found.order_by("-on", "-pk")


def steps_of(visit: ChallengeVisit) -> list[ChallengeStep]:
    return list(visit.steps.all())


def both_sides(visit: ChallengeVisit) -> bool:
    """Whether school and system have each something to do."""
    sides = set(visit.steps.values_list("side", flat=True))
    return sides >= set(ChallengeStep.Side.values)


def step_seen_by(by: Appointment | None, pk: int) -> ChallengeStep | None:
    found = ChallengeStep.objects.select_related("visit__school__area")
    return found.filter(pk=pk, visit__in=visible_to(by).values("pk")).first()


def escalations_of(visit: ChallengeVisit) -> list[Escalation]:
    return list(visit.escalations.all())


def escalation_seen_by(by: Appointment | None, pk: int) -> Escalation | None:
    found = Escalation.objects.select_related("visit__school__area")
    return found.filter(pk=pk, visit__in=visible_to(by).values("pk")).first()


def others_of(by: Appointment | None, visit: ChallengeVisit) -> list[ChallengeVisit]:
    """Other visits to the same school, as far as this appointment sees them."""
    return list(visible_to(by).filter(school=visit.school_id).exclude(pk=visit.pk)[:5])


# Who had a visit


def last_visits(schools: Iterable[int]) -> dict[int, date]:
    """School's key -> the day of its last visit that took place."""
    rows = ChallengeVisit.objects.filter(school__in=list(schools), state__in=HAPPENED)
    return dict(rows.order_by().values_list("school").annotate(Max("on")))


def busy() -> QuerySet[ChallengeVisit, Any]:
    """Keys of schools that prepare a visit, or whose agreed steps are not followed up yet."""
    rows = ChallengeVisit.objects.filter(state__in=[*OPEN, State.AGREED])
    return rows.order_by().values("school")


def visited_since(day: date) -> QuerySet[ChallengeVisit, Any]:
    """Keys of schools that had a visit since a day."""
    return (
        ChallengeVisit.objects.filter(state__in=HAPPENED, on__gte=day).order_by().values("school")
    )


def coverage(by: Appointment | None) -> tuple[int, int, int]:
    """Schools with a visit in the last so many years, schools in all, and the years."""
    years = settings_now().years_between
    schools = schools_planned_by(by)
    since = directory.today() - timedelta(days=round(365.25 * years))
    return schools.filter(pk__in=visited_since(since)).count(), schools.count(), years


# What waits


def waiting_for(by: Appointment | None) -> list[ChallengeVisit]:
    """Visits at which it is this person's turn, the nearest first; one statement.

    Each carries `raised` (support is offered and not answered), `theirs` (a step of the system
    is there) and `ours`.
    """
    if by is None or not takes_part(by):
        return []
    today = directory.today()
    raised = Escalation.objects.filter(visit=OuterRef("pk"), state=Escalation.State.RAISED)
    steps = ChallengeStep.objects.filter(visit=OuterRef("pk"))
    found = ChallengeVisit.objects.select_related("school").annotate(
        raised=Exists(raised),
        theirs=Exists(steps.filter(side=ChallengeStep.Side.SYSTEM)),
        ours=Exists(steps.filter(side=ChallengeStep.Side.SCHOOL)),
    )
    turn = Q(pk__in=[])
    if may(by, Capability.PLAN_CHALLENGE):
        # The ministry sees every visit; it is asked only about those it planned itself.
        scope = Q(by=by.label[:300]) if by.role == Role.MINISTER else _planned(by)
        turn |= scope & (
            Q(state__in=BEFORE, challenger=None)
            | Q(state=State.HELD, theirs=False)
            | Q(state=State.AGREED, follow_up_on__lte=today)
        )
    turn |= _challenged(by) & (
        Q(state=State.PLANNED, brief_at=None)
        | Q(state__in=BEFORE, brief_at__isnull=False, on__lte=today)
        | Q(state=State.AGREED, follow_up_on__lte=today + SOON)
    )
    turn |= _hosted(by) & (
        Q(state__in=BEFORE, self_view_at=None) | Q(state=State.HELD, theirs=True) | Q(raised=True)
    )
    return list(found.filter(turn).order_by("on", "pk")[:5])


def open_count(by: Appointment | None) -> int:
    """Visits in sight that are prepared, to be agreed or to be followed up."""
    return visible_to(by).filter(state__in=[*OPEN, State.AGREED]).count()


def count_by_state(by: Appointment | None) -> dict[str, int]:
    rows = visible_to(by).order_by().values_list("state")
    return dict(rows.annotate(Count("pk")))


# What the worker looks after


def to_look_after() -> QuerySet[ChallengeVisit]:
    """Visits of which somebody may have to be reminded."""
    found = ChallengeVisit.objects.filter(state__in=[*OPEN, State.AGREED])
    return found.select_related("school__area", "challenger").order_by("on", "pk")


def steps_due(until: date) -> QuerySet[ChallengeStep]:
    """Steps that are not done and due by a day, of visits that were agreed."""
    found = ChallengeStep.objects.filter(
        done_on=None, due__lte=until, visit__state__in=[State.AGREED, State.CLOSED]
    )
    return found.select_related("visit__school__area").order_by("due", "pk")


def areas_planned_by(by: Appointment | None) -> list[Area]:
    found = directory.areas_visible_to(by)
    return list(found.order_by("path")) if may(by, Capability.PLAN_CHALLENGE) else []
