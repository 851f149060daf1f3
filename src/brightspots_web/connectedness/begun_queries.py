"""Which schools began with something, and on which day: for those above who ask what came of it.

All of the system, whoever looks: the caller answers for who may read what is worked out from it.
"""

from datetime import date

from django.db.models import F, Q

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness.models import (
    Deployment,
    Practice,
    PracticeAdoption,
    SupportRequest,
)
from brightspots_web.connectedness.practice_queries import PUBLIC

NOT_CALLED_OFF = Q(ended_on=None) | Q(ended_on__gte=F("starts"))
"""Support that was ended before its first day never was."""


def supported_since(priority: Priority) -> dict[int, date]:
    """School -> the first day of its first support at a priority."""
    rows = Deployment.objects.filter(NOT_CALLED_OFF, priority=priority).order_by("-starts", "pk")
    return dict(rows.values_list("receiving", "starts"))


def giving_at(priority: Priority) -> set[int]:
    """Schools that gave support at a priority: they are no schools to compare with."""
    rows = Deployment.objects.filter(NOT_CALLED_OFF, priority=priority).order_by()
    return set(rows.values_list("giving", flat=True))


def asked_for(priority: Priority) -> set[int]:
    """Schools that asked for support at a priority and did not take it back.

    A school that was proposed for it asks once it has agreed.
    """
    rows = SupportRequest.objects.filter(priority=priority).order_by()
    rows = rows.exclude(state=SupportRequest.State.WITHDRAWN)
    rows = rows.exclude(origin=SupportRequest.Origin.DESIGNATED, agreed_at=None)
    return set(rows.values_list("school", flat=True))


def taken_up_since(practice: int) -> dict[int, date]:
    """School -> the day on which it took a practice up."""
    rows = PracticeAdoption.objects.filter(practice=practice).order_by()
    return dict(rows.values_list("school", "on"))


def public_practices() -> list[Practice]:
    """Practices that are or were published, each once whatever its languages, by title."""
    rows = Practice.objects.filter(state__in=PUBLIC, translation_of=None)
    return list(rows.select_related("school", "priority", "bright_spot__school").order_by("title"))
