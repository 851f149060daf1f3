"""Hours that a person met with others, offered where the person writes down working time."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.devolution.models import Meeting
from brightspots_web.directory import colleague_queries
from brightspots_web.leaders import time_known
from brightspots_web.leaders.models import TimeSpent
from brightspots_web.shared import words


@time_known.register
def hours_met(person: int, first: date, last: date) -> Sequence[time_known.Known]:
    """Meetings from one day to another at which a person was, or that the person called.

    One that nobody is on record as having been at may not have taken place: it is not offered.
    """
    start, end = (
        timezone.make_aware(datetime.combine(day, time.min))
        for day in (first, last + timedelta(days=1))
    )
    called = [str(each.pk) for each in colleague_queries.appointments_of(person)]
    found = (
        Meeting.objects.filter(Q(attendances__person=person) | Q(appointment__in=called))
        .filter(starts_at__gte=start, starts_at__lt=min(end, timezone.now()), cancelled_at=None)
        .filter(attendances__isnull=False)
        .select_related("partnership")
        .distinct()
        .order_by("starts_at", "pk")
    )
    return [
        time_known.Known(
            TimeSpent.On.COLLABORATION,
            (Decimal(each.minutes_long) / 60).quantize(Decimal("0.1")),
            _("The meeting of {partnership} on {day}").format(
                partnership=each.partnership.name, day=words.day(each.starts_at)
            ),
        )
        for each in found
    ]
