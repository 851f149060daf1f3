"""All reads of what was chosen on what: who sees which line.

Support is between two schools: the ministry, analysts and the officers of the area read of all
they may open; a head or leader reads of the own school alone, teachers of none. Values are those
that everybody who may open the school's page saw on the day; no others are ever written down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.evidence.models import Choice
from brightspots_web.shared.permissions import Capability, may


@dataclass(frozen=True)
class Search:
    """What the list is narrowed to."""

    words: str = ""
    kind: str = ""
    way: str = ""
    priority: Priority | None = None
    area: Area | None = None
    since: date | None = None
    until: date | None = None


def may_list(by: Appointment | None) -> bool:
    """Those who look after schools, and whoever answers for one."""
    wanted = (Capability.EVALUATE, Capability.SEE_AREA, Capability.ASK_SUPPORT)
    return any(may(by, each) for each in wanted)


def visible_to(by: Appointment | None) -> QuerySet[Choice]:
    found = Choice.objects.select_related(
        "school__area", "giving", "priority", "entry__lottery"
    )  # fmt: skip
    if by is None or not may_list(by):
        return found.none()
    if may(by, Capability.EVALUATE):
        return found
    if may(by, Capability.SEE_AREA):
        return found.filter(school__in=directory.schools_visible_to(by).order_by().values("pk"))
    return found.filter(directory.line_of(by.school_id, "school"))


def search(by: Appointment | None, asked: Search) -> QuerySet[Choice]:
    found = visible_to(by)
    if asked.words:
        words = asked.words.strip()
        found = found.filter(Q(school__name__icontains=words) | Q(school__code__istartswith=words))
    for name in ("kind", "way", "priority"):
        if getattr(asked, name):
            found = found.filter(**{name: getattr(asked, name)})
    if asked.area is not None:
        found = found.filter(school__area__path__startswith=asked.area.path)
    if asked.since is not None:
        found = found.filter(begins__gte=asked.since)
    if asked.until is not None:
        found = found.filter(begins__lte=asked.until)
    return found.order_by("-begins", "-pk")


def priorities_of(by: Appointment | None) -> list[Priority]:
    """The priorities that lines in sight serve, by title."""
    rows = visible_to(by).filter(priority__isnull=False).order_by()
    return alignment.priorities_among(rows.values("priority"))


def areas_of(by: Appointment | None) -> list[Area]:
    return list(directory.areas_visible_to(by).order_by("path"))


def counts(by: Appointment | None) -> Mapping[str, int]:
    """Kind -> lines in sight."""
    rows: QuerySet[Choice, Any] = visible_to(by).order_by().values_list("kind")
    return dict(rows.annotate(Count("pk")))


def seen_schools(by: Appointment | None, choice: Choice) -> set[int]:
    """Which of the two schools of a line this appointment may open."""
    keys = [key for key in (choice.school_id, choice.giving_id) if key is not None]
    visible = directory.schools_visible_to(by).filter(pk__in=keys)
    return set(visible.values_list("pk", flat=True))
