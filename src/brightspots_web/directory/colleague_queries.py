"""Who works with whom: the people somebody may turn to as colleagues."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from brightspots_web.directory import queries
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.shared.permissions import Role

AT_SCHOOLS = (Role.HEAD, Role.SYSTEM_LEADER, Role.TEACHER)


def near(acting: Appointment | None) -> QuerySet[Appointment]:
    """Colleagues one meets: of the own partnership, leaders nearby, the officers over the school.

    For an officer: the leaders of the area, and the officers in it and above it. A person with
    several roles is there with each.
    """
    if acting is None:
        return Appointment.objects.none()
    if acting.area is not None:
        path = acting.area.path
        where = Q(role=Role.SYSTEM_LEADER, school__area__path__startswith=path)
        where |= Q(role=Role.SYSTEM_LEADER, partnership__lead_school__area__path__startswith=path)
        where |= Q(role=Role.DISTRICT_OFFICER, area__path__startswith=path)
        where |= Q(role=Role.DISTRICT_OFFICER, area__path__in=queries.paths_to(acting.area))
    else:
        school = school_of(acting)
        if school is None:
            return Appointment.objects.none()
        around = school.area.parent or school.area
        partnerships = _partnerships(acting)
        members = queries.live_memberships().filter(partnership__in=partnerships).values("school")
        where = Q(role__in=AT_SCHOOLS, school__in=members) | Q(role__in=AT_SCHOOLS, school=school)
        where |= Q(role=Role.SYSTEM_LEADER, partnership__in=partnerships)
        where |= Q(role=Role.SYSTEM_LEADER, school__area__path__startswith=around.path)
        officers = queries.paths_to(school.area)
        where |= Q(role=Role.DISTRICT_OFFICER, area__path__in=officers)
    return _others(acting).filter(where)


def leaders_named(acting: Appointment, words: str, most: int = 20) -> list[Appointment]:
    """System leaders anywhere whose name has these words; nobody without words."""
    if not words.strip():
        return []
    return list(_leaders(acting).filter(person__name__icontains=words.strip())[:most])


def is_colleague(acting: Appointment, person: int) -> bool:
    """Whether somebody may turn to a person: one of those nearby, or any system leader."""
    chosen = Q(person=person)
    return near(acting).filter(chosen).exists() or _leaders(acting).filter(chosen).exists()


def school_of(acting: Appointment) -> School | None:
    """Where an appointment is at home: its school, or the one its partnership is led from."""
    if acting.school is not None:
        return acting.school
    return acting.partnership.lead_school if acting.partnership is not None else None


def area_of(acting: Appointment) -> Area | None:
    """Where an appointment stands: its area, or that of the school where it is at home."""
    if acting.area is not None:
        return acting.area
    school = school_of(acting)
    return school.area if school is not None else None


def holders(roles: Iterable[str], acting: Appointment | None) -> QuerySet[Appointment]:
    """Live appointments in these roles at places that somebody sees, by the school's area.

    An officer sees those of leaders at home in the area and of officers in it; whoever sees the
    whole system sees all.
    """
    found = _live().filter(role__in=list(roles))
    if acting is None:
        return found.none()
    if acting.role in {Role.MINISTER, Role.ANALYST}:
        return found
    if acting.area is None:
        return found.none()
    path = acting.area.path
    home = Q(school__area__path__startswith=path) | Q(area__path__startswith=path)
    return found.filter(
        home | Q(school=None, partnership__lead_school__area__path__startswith=path)
    )


def _partnerships(acting: Appointment) -> list[int]:
    if acting.partnership_id is not None:
        return [acting.partnership_id]
    mine = queries.live_memberships().filter(school=acting.school_id)
    return list(mine.values_list("partnership", flat=True))


def _live() -> QuerySet[Appointment]:
    found = Appointment.objects.filter(queries.live(), person__is_active=True)
    return found.select_related(
        "person", "school__area", "area", "partnership__lead_school__area"
    ).order_by("person__name", "person", "pk")


def _others(acting: Appointment) -> QuerySet[Appointment]:
    return _live().exclude(person=acting.person_id)


def _leaders(acting: Appointment) -> QuerySet[Appointment]:
    return _others(acting).filter(role=Role.SYSTEM_LEADER)


def appointments_of(person: int) -> list[Appointment]:
    """A person's live appointments, the first one first."""
    return list(_live().filter(person=person).order_by("pk"))
