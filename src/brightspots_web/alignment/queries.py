"""All reads about priorities. Everybody may know what the system works on."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory


def live_priorities() -> list[Priority]:
    """The two or three priorities of today, in the order they were set; none before the first."""
    today = directory.today()
    live = Q(starts__lte=today) & (Q(ends__isnull=True) | Q(ends__gt=today))
    return list(Priority.objects.filter(live))


def mark_of(priorities: Iterable[Priority]) -> str:
    """What tells these priorities, in these words, from any others; short enough for a form."""
    said = [[each.code, each.title, each.why, each.subject] for each in priorities]
    return hashlib.sha256(json.dumps(sorted(said)).encode()).hexdigest()[:16]


def all_priorities() -> QuerySet[Priority]:
    """Every priority there ever was, the newest first."""
    return Priority.objects.order_by("-starts", "pk")


def priorities_among(keys: QuerySet[Any, Any]) -> list[Priority]:
    """The priorities whose keys a query of another app finds, live or earlier, by title."""
    return list(Priority.objects.filter(pk__in=keys).order_by("title", "pk"))
