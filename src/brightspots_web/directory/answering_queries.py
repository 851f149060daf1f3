"""Who answers today for what a school, partnership, district or the ministry began.

Whoever holds the place. Where nobody does, the school's successor; else whoever stands nearest:
the leader of its partnership, the officer for its area, the ministry.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from brightspots_web.directory import queries
from brightspots_web.directory.models import (
    Appointment,
    Area,
    Membership,
    Partnership,
    Person,
    School,
)
from brightspots_web.directory.succession_queries import successors_of
from brightspots_web.shared.permissions import Role

Place = School | Partnership | Area | None
"""None is the ministry."""


@dataclass(frozen=True)
class Answering:
    """By which appointments somebody answers, and how far from the place that began it."""

    appointments: tuple[Appointment, ...]
    step: str
    """`place`, `successor`, `partnership`, `district` or `ministry`."""

    def includes(self, acting: Appointment | None) -> bool:
        return acting is not None and acting.pk in {each.pk for each in self.appointments}

    @property
    def names(self) -> str:
        return "; ".join(each.label for each in self.appointments)


def answering_for(place: Place) -> Answering:
    """The appointments that answer for a place today; none where not even the ministry has one."""
    for step, found in _steps(place):
        held = tuple(found.select_related("person", "school", "partnership", "area").order_by("pk"))
        if held:
            return Answering(held, step)
    return Answering((), "ministry")


def people_with_roles(roles: Iterable[str]) -> QuerySet[Person]:
    """Everybody who can sign in and holds one of these roles today."""
    held = _held().filter(role__in=list(roles))
    return Person.objects.filter(pk__in=held.values("person")).order_by("pk")


def _steps(place: Place) -> Iterator[tuple[str, QuerySet[Appointment]]]:
    if isinstance(place, School):
        yield from _of_school(place)
    elif isinstance(place, Partnership):
        if queries.live_partnerships().filter(pk=place.pk).exists():
            yield "place", _leaders(place.pk)
        if place.lead_school is not None:
            yield "district", _officers(place.lead_school.area)
    elif place is not None:
        yield "place", _held().filter(role=Role.DISTRICT_OFFICER, area=place)
        yield "district", _officers(place)
    yield ("place" if place is None else "ministry"), _held().filter(role=Role.MINISTER)


def _of_school(school: School) -> Iterator[tuple[str, QuerySet[Appointment]]]:
    yield "place", queries.heads().filter(school=school)
    after = [each.pk for each in successors_of(school) if each.pk != school.pk]
    yield "successor", queries.heads().filter(school__in=after)
    last = Membership.objects.filter(school=school, starts__lte=queries.today())
    last_one = last.order_by("-starts", "-pk").values_list("partnership", flat=True).first()
    if queries.live_partnerships().filter(pk=last_one or 0).exists():
        yield "partnership", _leaders(last_one or 0)
    yield "district", _officers(school.area)


def _held() -> QuerySet[Appointment]:
    return Appointment.objects.filter(queries.live(), person__is_active=True)


def _leaders(partnership: int) -> QuerySet[Appointment]:
    return _held().filter(role=Role.SYSTEM_LEADER, partnership=partnership)


def _officers(area: Area) -> QuerySet[Appointment]:
    return _held().filter(Q(area__path__in=queries.paths_to(area)), role=Role.DISTRICT_OFFICER)
