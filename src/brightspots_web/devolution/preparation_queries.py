"""All reads of how a partnership prepares for a meeting: by school, never by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.utils import timezone

from brightspots_web.devolution import meeting_queries as meetings
from brightspots_web.devolution.models import DataNote, Meeting, Preparation, PreparationReminder
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.shared.permissions import Capability, may

BEFORE_THE_FIRST = timedelta(days=60)
"""What was shared so long before a first meeting counts as shared for it."""


@dataclass(frozen=True)
class SchoolPrepared:
    """How many people of a school have looked, and how many notes it shared since last time."""

    school: School
    looked: int
    shared: int


def meeting_visible_to(acting: Appointment | None, pk: int) -> Meeting | None:
    """A meeting this appointment has a part in."""
    return meetings.meetings_visible_to(acting).filter(pk=pk).first()


def coming_meeting(acting: Appointment | None) -> Meeting | None:
    """The next meeting this appointment can prepare for; None where there is none."""
    partnership = meetings.our_partnership(acting)
    if partnership is None or not may(acting, Capability.WRITE_NOTES):
        return None
    found = meetings.next_meeting(partnership)
    return found if found is not None and meetings.seat_of(acting, found) is not None else None


def may_prepare(acting: Appointment | None, meeting: Meeting) -> bool:
    """People of the schools invited, until the meeting is over or called off."""
    return (
        may(acting, Capability.WRITE_NOTES)
        and is_coming(meeting)
        and meetings.seat_of(acting, meeting) is not None
    )


def is_coming(meeting: Meeting) -> bool:
    return meetings.can_be_held(meeting) and timezone.now() < meetings.ends_at(meeting)


def leads(acting: Appointment | None, meeting: Meeting) -> bool:
    """Whether somebody sees how all schools prepare: the leader of the partnership."""
    return meetings.meetings_led_by(acting).filter(pk=meeting.pk).exists()


def own(meeting: Meeting, person: Person) -> Preparation | None:
    return Preparation.objects.filter(meeting=meeting, person=person).first()


def who_prepared(meeting: Meeting) -> list[SchoolPrepared]:
    """Every school invited, by name, with how many have looked and what it shared since last time.

    For the meeting's people; the caller has checked. No names: who looked is nobody else's.
    """
    schools = meetings.invited(meeting)
    looked = _by_school(meeting)
    shared = dict(
        DataNote.objects.filter(
            shared_with=meeting.partnership, shared_at__gte=since(meeting), school__in=schools
        )
        .order_by()
        .values_list("school")
        .annotate(n=Count("pk"))
    )
    return [
        SchoolPrepared(each, looked.get(each.pk, 0), shared.get(each.pk, 0)) for each in schools
    ]


def _by_school(meeting: Meeting) -> dict[int, int]:
    rows = Preparation.objects.filter(meeting=meeting, looked_at__isnull=False).order_by()
    return dict(rows.values_list("school").annotate(n=Count("pk")))


def since(meeting: Meeting) -> datetime:
    """From when on what is shared is for this meeting: since the one before began."""
    before = (
        Meeting.objects.filter(
            partnership=meeting.partnership, cancelled_at=None, starts_at__lt=meeting.starts_at
        )
        .order_by("-starts_at")
        .values_list("starts_at", flat=True)
        .first()
    )
    return before or meeting.starts_at - BEFORE_THE_FIRST


def questions_of(meeting: Meeting) -> list[tuple[School, str]]:
    """What people want to ask the others: the school and the words, without a name."""
    rows = Preparation.objects.filter(meeting=meeting).exclude(question="")
    return [
        (row.school, row.question)
        for row in rows.select_related("school").order_by("school__name", "pk")
    ]


def not_yet(meeting: Meeting) -> Sequence[Person]:
    """The people invited who have not looked, for a reminder; never shown."""
    looked = Preparation.objects.filter(meeting=meeting, looked_at__isnull=False)
    invited = people.people_of(meetings.invited(meeting))
    return list(invited.exclude(pk__in=looked.values("person")))


def reminded_today(meeting: Meeting) -> bool:
    today = directory.today()
    return PreparationReminder.objects.filter(meeting=meeting, on=today).exists()
