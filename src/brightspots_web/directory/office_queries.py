"""Who holds which office where, for parts that ask, draw or tell many people at once."""

from collections.abc import Iterable

from django.db.models import Exists, Q, QuerySet

from brightspots_web.directory import queries
from brightspots_web.directory.models import Appointment, Area, Person


def in_office(*fits: Q | Exists, **fields: object) -> QuerySet[Appointment]:
    """Appointments that hold today, of people who can sign in."""
    return Appointment.objects.filter(queries.live(), *fits, person__is_active=True, **fields)


def ever_in_office(**fields: object) -> QuerySet[Appointment]:
    """Appointments that fit, whether they hold today or held once."""
    return Appointment.objects.filter(**fields)


def in_schools_of(area: Area, roles: Iterable[str]) -> QuerySet[Appointment]:
    """Who holds one of these roles today at an open school of an area, whatever is inside it."""
    return in_office(
        queries.unclosed(prefix="school__"),
        role__in=list(roles),
        school__area__path__startswith=area.path,
    )


def people(*fits: Q | Exists) -> QuerySet[Person]:
    """People who can sign in and fit."""
    return Person.objects.filter(*fits, is_active=True)


def directly_inside(area: Area) -> QuerySet[Area]:
    """The areas one step down, by name."""
    return Area.objects.filter(parent=area).order_by("name")


def names_of_areas(keys: Iterable[int]) -> dict[int, str]:
    """The names of areas by their keys."""
    return dict(Area.objects.filter(pk__in=list(keys)).values_list("pk", "name"))


def top_area() -> Area | None:
    """The area that is the whole system; None where there is none, or more than one at the top."""
    found = list(Area.objects.filter(parent=None).order_by("pk")[:2])
    return found[0] if len(found) == 1 else None


def areas_inside(area: Area, steps: int) -> QuerySet[Area]:
    """The areas so many steps below an area, by name."""
    found = Area.objects.filter(path__startswith=area.path, level=area.level + steps)
    return found.order_by("name", "pk")
