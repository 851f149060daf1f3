"""Who answers for a place: whom the other apps tell when something happens there."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from brightspots_web.directory import queries
from brightspots_web.directory.models import Appointment, Area, Partnership, Person, School
from brightspots_web.shared.permissions import Role


def heads_of(school: School) -> QuerySet[Person]:
    """People who answer for a school today: its head, and a system leader who serves there."""
    held = queries.heads().filter(school=school, person=OuterRef("pk"))
    return Person.objects.filter(Exists(held)).order_by("pk")


def officers_over(school: School) -> QuerySet[Person]:
    """District officers whose area holds the school; the ministry where there is none."""
    found = _people(Q(role=Role.DISTRICT_OFFICER, area__path__in=queries.paths_to(school.area)))
    return found if found.exists() else ministry()


def officers() -> QuerySet[Appointment]:
    """Every district officer's appointment that holds today, of people who can sign in."""
    return Appointment.objects.filter(
        queries.live(), role=Role.DISTRICT_OFFICER, area__isnull=False, person__is_active=True
    )


def ministry() -> QuerySet[Person]:
    """People who hold office in the ministry today."""
    return _people(Q(role=Role.MINISTER))


def heads_there(school: OuterRef | int, person: OuterRef | int) -> QuerySet[Appointment]:
    """The appointments by which a person answers for a school today."""
    return queries.heads().filter(school=school, person=person)


def leaders_of(partnership: Partnership | None) -> QuerySet[Person]:
    """The live system leaders of a partnership; nobody where there is none."""
    if partnership is None:
        return Person.objects.none()
    return _people(Q(role=Role.SYSTEM_LEADER, partnership=partnership))


def active(people: Iterable[int]) -> QuerySet[Person]:
    """Those of these people who can sign in; whoever asks has checked whom they may know of."""
    return Person.objects.filter(pk__in=list(people), is_active=True)


def people_of(schools: Iterable[School]) -> QuerySet[Person]:
    """Everybody with a live appointment at one of these schools: heads, teachers, leaders there."""
    return _people(Q(school__in=[school.pk for school in schools]))


@dataclass(frozen=True)
class Held:
    """How many people act in a role, and for how many schools they are appointed."""

    people: int
    schools: int


def roles_held(area: Area | None) -> dict[str, Held]:
    """Role -> who acts in it today, in an area or in the whole system."""
    found = Appointment.objects.filter(queries.live(), person__is_active=True)
    if area is not None:
        led = Q(school=None, partnership__lead_school__area__path__startswith=area.path)
        there = Q(school__area__path__startswith=area.path) | Q(area__path__startswith=area.path)
        found = found.filter(there | led)
    rows = found.order_by().values_list("role")
    counted = rows.annotate(Count("person", distinct=True), Count("school", distinct=True))
    return {role: Held(people, schools) for role, people, schools in counted}


def _people(where: Q) -> QuerySet[Person]:
    held = Appointment.objects.filter(queries.live(), where, person=OuterRef("pk"))
    return Person.objects.filter(Exists(held), is_active=True).order_by("pk")


def answering() -> dict[int, Appointment]:
    """School key -> the appointment that answers for it today: its head, before a leader there."""
    held = queries.heads().select_related("person", "school__area", "partnership")
    found: dict[int, Appointment] = {}
    for each in held.order_by("school", "role", "pk"):  # "head" comes before "system_leader"
        assert each.school_id is not None
        found.setdefault(each.school_id, each)
    return found
