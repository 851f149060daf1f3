"""What those above may know of meetings: that they take place, and how many schools were there."""

from datetime import datetime, timedelta

from django.db.models import Count, DateTimeField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from brightspots_web.connectedness import queries as connectedness
from brightspots_web.devolution.meeting_queries import OVERDUE
from brightspots_web.devolution.models import Meeting, MeetingAttendance
from brightspots_web.directory.models import Appointment, Area, Partnership

YEAR = 365
"""Days in which meetings are counted."""


def partnerships_meeting(
    acting: Appointment | None, area: Area | None = None, *, silent: bool = False
) -> QuerySet[Partnership]:
    """Partnerships the appointment may see, each with when it met and how many schools came.

    A meeting counts once somebody was there. `met` in the last year, `last_at` and `last_schools`
    of the last, `next_at` of the next; by area and name.
    """
    now = timezone.now()
    held = _held(now)
    coming = Meeting.objects.filter(
        partnership=OuterRef("pk"), cancelled_at=None, starts_at__gt=now
    ).order_by("starts_at")
    schools = (
        MeetingAttendance.objects.filter(meeting=OuterRef("last_key"))
        .order_by()
        .values("meeting")
        .annotate(n=Count("school", distinct=True))
        .values("n")
    )
    recent = held.filter(starts_at__gt=now - timedelta(days=YEAR))
    counted = recent.order_by().values("partnership").annotate(n=Count("pk", distinct=True))
    last = held.order_by("-starts_at", "-pk")
    found = connectedness.partnership_list(acting, area).annotate(
        met=Coalesce(Subquery(counted.values("n")), 0),
        last_key=Subquery(last.values("pk")[:1]),
        last_at=Subquery(last.values("starts_at")[:1], output_field=DateTimeField()),
        next_at=Subquery(coming.values("starts_at")[:1], output_field=DateTimeField()),
    )
    found = found.annotate(last_schools=Subquery(schools))
    if silent:
        found = found.filter(Q(last_at=None) | Q(last_at__lt=now - OVERDUE))
    return found


def _held(now: datetime) -> QuerySet[Meeting]:
    return Meeting.objects.filter(
        partnership=OuterRef("pk"),
        cancelled_at=None,
        starts_at__lte=now,
        attendances__isnull=False,
    ).distinct()
