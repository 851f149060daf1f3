"""Who serves at which school since when, who leads which partnership, and which have no leader."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from brightspots_web.directory import queries
from brightspots_web.directory.models import Appointment, Partnership, Person
from brightspots_web.shared.permissions import Role

GAP = timedelta(days=92)
"""So long somebody may be between two schools and has served without a break all the same."""
HEADS = (Role.HEAD, Role.SYSTEM_LEADER)
SCHOOL_ROLES = (*HEADS, Role.TEACHER)


def head_since(person: Person, on: date | None = None) -> date | None:
    """The day since which a person has been head without a break, at whichever schools.

    None for somebody who is not head of a school that day.
    """
    return _since(person, HEADS, on)


def serves_since(person: Person, on: date | None = None) -> date | None:
    """As :func:`head_since`, for whatever role at a school."""
    return _since(person, SCHOOL_ROLES, on)


def _since(person: Person, roles: Iterable[str], on: date | None) -> date | None:
    day = on or queries.today()
    held = Appointment.objects.filter(
        person=person, role__in=list(roles), school__isnull=False, starts__lte=day
    )
    since: date | None = None
    until: date | None = None
    for starts, ends in held.order_by("starts", "pk").values_list("starts", "ends"):
        if since is None or (until is not None and starts > until + GAP):
            since, until = starts, ends
        elif until is not None:
            until = None if ends is None else max(until, ends)
    return since if since is not None and (until is None or until > day) else None


def serving(schools: Iterable[int]) -> QuerySet[Appointment]:
    """Live appointments at these schools: heads, leaders who head one, teachers; heads first."""
    held = Appointment.objects.filter(
        queries.live(),
        role__in=SCHOOL_ROLES,
        school__in=list(schools),
        person__is_active=True,
    )
    return held.select_related("person", "school__area").order_by("school", "role", "pk")


def schools_served(people: Iterable[int]) -> dict[int, set[int]]:
    """Person's key -> keys of the schools where the person holds an appointment today."""
    found: dict[int, set[int]] = {}
    held = Appointment.objects.filter(
        queries.live(), person__in=list(people), role__in=SCHOOL_ROLES, school__isnull=False
    )
    for person, school in held.values_list("person", "school"):
        found.setdefault(person, set()).add(school or 0)
    return found


def led_by(people: Iterable[int]) -> dict[int, Appointment]:
    """Person's key -> the live appointment by which the person leads a partnership."""
    held = queries.live_leaders().filter(person__in=list(people))
    held = held.filter(queries.unclosed(prefix="partnership__"))
    found: dict[int, Appointment] = {}
    for each in held.select_related("partnership", "person", "school").order_by("pk"):
        found.setdefault(each.person_id, each)
    return found


def without_leader(acting: Appointment | None) -> QuerySet[Partnership]:
    """Partnerships nobody leads today whose leader this appointment may appoint, by name."""
    led = queries.live_leaders().filter(partnership=OuterRef("pk"))
    open_to = queries.partnerships_led_from(acting).filter(~Exists(led))
    return open_to.select_related("lead_school__area").order_by("name", "code")


def held_by(people: Iterable[int]) -> dict[int, list[Appointment]]:
    """Person's key -> all that the person holds today, with its places."""
    found: dict[int, list[Appointment]] = {}
    held = Appointment.objects.filter(queries.live(), person__in=list(people))
    for each in held.select_related("person", "area", "school", "partnership").order_by("pk"):
        found.setdefault(each.person_id, []).append(each)
    return found


def named(people: QuerySet[Person], words: str) -> QuerySet[Person]:
    """Those of some people whose name, or whose school's or area's, has these words; by name."""
    held = Appointment.objects.filter(queries.live(), person=OuterRef("pk")).filter(
        Q(school__name__icontains=words) | Q(area__name__icontains=words)
    )
    return people.filter(Q(name__icontains=words) | Q(Exists(held))).order_by("name", "pk")


def heads_first(schools: Iterable[int]) -> QuerySet[Appointment]:
    """Who answers for these schools today: of each its head, before a leader who heads it."""
    held = queries.heads().filter(school__in=list(schools)).select_related("person")
    return held.order_by("school", "role", "pk")
