"""Which school took over from which: closed schools keep their history, and lead to who carries on.

A file of links may hold a circle (two schools that were divided and merged again): whoever follows
the links passes each school once.
"""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from brightspots_web.directory import queries
from brightspots_web.directory.models import Person, School, Succession

FARTHEST = 10
"""So many successions in a row are followed."""


def successors_of(school: School, on: date | None = None) -> list[School]:
    """The schools that carry on a school's work on a day: open ones, through all between.

    A school that is open carries on its own work. Empty for one that closed with nobody after it.
    """
    day = on or queries.today()
    found: dict[int, School] = {}
    front, passed = [school], {school.pk}
    for _step in range(FARTHEST):
        for each in front:
            if each.closed is None or each.closed > day:
                found[each.pk] = each
        ended = [each.pk for each in front if each.pk not in found]
        front = list(
            School.objects.filter(origins__predecessor__in=ended)
            .filter(Q(origins__on__isnull=True) | Q(origins__on__lte=day))
            .exclude(pk__in=passed)
            .select_related("area")
            .distinct()
        )
        if not front:
            break
        passed |= {each.pk for each in front}
    return sorted(found.values(), key=lambda each: (each.name, each.code))


def predecessors_of(school: School) -> list[School]:
    """The schools whose work a school carries on, theirs before them included."""
    found: dict[int, School] = {}
    front = [school.pk]
    for _step in range(FARTHEST):
        earlier = School.objects.filter(successions__successor__in=front).exclude(
            pk__in=[school.pk, *found]
        )
        fresh = {each.pk: each for each in earlier.select_related("area")}
        if not fresh:
            break
        found |= fresh
        front = list(fresh)
    return sorted(found.values(), key=lambda each: (each.name, each.code))


def links_of(schools: Iterable[School]) -> QuerySet[Succession]:
    """The successions from or to these schools."""
    keys = [each.pk for each in schools]
    return Succession.objects.filter(
        Q(predecessor__in=keys) | Q(successor__in=keys)
    ).select_related("predecessor__area", "successor__area")


def answering_now(school: School) -> QuerySet[Person]:
    """Who answers today for what a school began: its head, or those of who carries it on."""
    heads = queries.heads().filter(school__in=[each.pk for each in successors_of(school)])
    return Person.objects.filter(pk__in=heads.values("person")).order_by("pk")
