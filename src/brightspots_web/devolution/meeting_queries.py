"""All reads of meetings: whose they are, who is invited, who was there.

A meeting belongs to the schools that are in its partnership on its day. Its words (purpose,
minutes) stay with them; officers and the ministry see days and numbers, in `meeting_held_queries`.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from brightspots_web.connectedness import contact_queries
from brightspots_web.connectedness import queries as connectedness
from brightspots_web.devolution.models import Meeting, MeetingAttendance
from brightspots_web.directory import people_queries, record_queries
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership, Person, School
from brightspots_web.shared.permissions import Capability, Role, may

OPENS = timedelta(hours=1)
"""So long before it begins a meeting may be attended."""
CLOSES = timedelta(hours=12)
"""So long after it began the code said in the room holds."""
OVERDUE = timedelta(weeks=8)
"""After so long without a meeting the leader is asked, kindly."""


def meetings_visible_to(acting: Appointment | None) -> QuerySet[Meeting]:
    """Meetings this appointment may open, the latest first.

    The leader: all of the partnership led. A school's people: those on whose day their school (or
    one whose work it carries on) is in the partnership. Where the partnership has ended before the
    day: the heads of the schools it had at its end. Nobody else, officers and ministry included.
    """
    meetings = Meeting.objects.select_related("partnership__lead_school")
    if acting is None or (acting.school is None and acting.partnership_id is None):
        return meetings.none()
    ours = Q(pk__in=[])
    if acting.partnership_id is not None:
        ours |= Q(partnership=acting.partnership_id)
    if acting.school is not None:
        ours |= _of_school(acting.school, head=acting.role != Role.TEACHER)
    return meetings.annotate(day=TruncDate("starts_at")).filter(ours)


def _of_school(school: School, *, head: bool) -> Q:
    held = record_queries.memberships().filter(
        directory.line_of(school.pk, "school"),
        partnership=OuterRef("partnership"),
        starts__lte=OuterRef("day"),
    )
    there = Exists(held.filter(Q(ends__isnull=True) | Q(ends__gt=OuterRef("day"))))
    if not head:
        return Q(there)
    last = Exists(held.filter(Q(ends__isnull=True) | Q(ends__gte=OuterRef("partnership__closed"))))
    return Q(there) | Q(last, partnership__closed__lte=F("day"))


def meetings_led_by(acting: Appointment | None) -> QuerySet[Meeting]:
    """Meetings this appointment may change: those of the partnership it leads today."""
    if not leads(acting):
        return Meeting.objects.none()
    assert acting is not None
    return Meeting.objects.filter(partnership=acting.partnership_id)


def leads(acting: Appointment | None) -> bool:
    """Whether the appointment leads a partnership that holds today."""
    return (
        acting is not None
        and may(acting, Capability.LEAD_CONVERSATIONS)
        and acting.partnership is not None
        and directory.live_partnerships().filter(pk=acting.partnership.pk).exists()
    )


def our_partnership(acting: Appointment | None) -> Partnership | None:
    """The partnership whose schools this appointment meets with today."""
    if acting is None or (acting.school_id is None and acting.partnership_id is None):
        return None
    return directory.partnerships_visible_to(acting).first()


def may_take_minutes(acting: Appointment | None, meeting: Meeting) -> bool:
    """The leader, and whom the leader named for it; while the partnership holds."""
    if acting is None or not is_open(meeting.partnership):
        return False
    named = meeting.minute_taker_id is not None and meeting.minute_taker_id == acting.person_id
    return named or (leads(acting) and acting.partnership_id == meeting.partnership_id)


def is_open(partnership: Partnership, on: date | None = None) -> bool:
    """Whether the partnership has not ended by the day."""
    return partnership.closed is None or partnership.closed > (on or directory.today())


# The day, and who is there


def day_of(meeting: Meeting) -> date:
    """The day of the meeting where people live."""
    return timezone.localtime(meeting.starts_at).date()


def can_be_held(meeting: Meeting) -> bool:
    """Not called off, and its partnership still holds on its day."""
    return meeting.cancelled_at is None and is_open(meeting.partnership, day_of(meeting))


def has_opened(meeting: Meeting, now: datetime | None = None) -> bool:
    """Whether people may say by now that they are there."""
    return (now or timezone.now()) >= meeting.starts_at - OPENS


def has_begun(meeting: Meeting, now: datetime | None = None) -> bool:
    return (now or timezone.now()) >= meeting.starts_at


def code_holds(meeting: Meeting, now: datetime | None = None) -> bool:
    moment = now or timezone.now()
    return has_opened(meeting, moment) and moment < meeting.starts_at + CLOSES


def invited(meeting: Meeting) -> list[School]:
    """The schools that are in the partnership on the day; of one that ended, those of its end."""
    day = day_of(meeting)
    closed = meeting.partnership.closed
    if closed is not None and closed <= day:
        day = closed - timedelta(days=1)
    members = directory.live_memberships(day).filter(partnership=meeting.partnership)
    rows = members.select_related("school__area").order_by("school__name", "school__code")
    return [row.school for row in rows]


def people_invited(meeting: Meeting) -> list[Person]:
    """Everybody of the schools invited, and the leaders of the partnership today."""
    people = [
        *people_queries.people_of(invited(meeting)),
        *people_queries.leaders_of(meeting.partnership),
    ]
    return list({person.pk: person for person in people}.values())


def seat_of(acting: Appointment | None, meeting: Meeting) -> School | None:
    """The school for which somebody is at a meeting; None for who is of none that is invited."""
    if acting is None or acting.school_id is None:
        return None
    return next((each for each in invited(meeting) if each.pk == acting.school_id), None)


def attendances(meeting: Meeting) -> QuerySet[MeetingAttendance]:
    rows = MeetingAttendance.objects.filter(meeting=meeting)
    return rows.select_related("school", "person").order_by("school__name", "pk")


def schools_present(meeting: Meeting) -> list[School]:
    """Each school once, by name."""
    return list({row.school_id: row.school for row in attendances(meeting)}.values())


def meeting_with_code(acting: Appointment | None, code: str) -> Meeting | None:
    """The meeting of the person's partnership that goes by this code."""
    return meetings_visible_to(acting).filter(code=code).first() if code else None


def open_for_code(acting: Appointment | None) -> list[Meeting]:
    """Meetings at which this person could say now that they are there."""
    now = timezone.now()
    soon = meetings_visible_to(acting).filter(
        cancelled_at=None, starts_at__lte=now + OPENS, starts_at__gt=now - CLOSES
    )
    return [each for each in soon.order_by("starts_at") if can_be_held(each)]


def leader_of(partnership: Partnership) -> Appointment | None:
    """In whose name the partnership's contacts are written down."""
    return connectedness.leaders_of(partnership).order_by("pk").first()


# When


def next_meeting(partnership: Partnership, now: datetime | None = None) -> Meeting | None:
    """The next that is to be held; one going on still counts."""
    moment = now or timezone.now()
    coming = Meeting.objects.filter(
        partnership=partnership, cancelled_at=None, starts_at__gt=moment - timedelta(hours=8)
    ).select_related("partnership")
    for each in coming.order_by("starts_at", "pk"):
        if moment < ends_at(each) and can_be_held(each):
            return each
    return None


def ends_at(meeting: Meeting) -> datetime:
    return meeting.starts_at + timedelta(minutes=meeting.minutes_long)


def last_met(partnership: Partnership) -> date | None:
    """The day of the last meeting on record, whichever way it was written down."""
    return next((each.on for each in contact_queries.meetings_of(partnership)), None)


def silent_since(partnership: Partnership) -> date | None:
    """Since when there was no meeting, where that is too long and none is called; else None."""
    since = last_met(partnership) or partnership.formed
    overdue = since <= directory.today() - OVERDUE
    return since if overdue and next_meeting(partnership) is None else None


def to_remind_of(now: datetime, until: datetime) -> QuerySet[Meeting]:
    """Meetings between two moments of which nobody was reminded yet."""
    return Meeting.objects.filter(
        starts_at__gt=now, starts_at__lte=until, cancelled_at=None, reminded_at=None
    ).order_by("starts_at", "pk")


def by_keys(keys: Iterable[int]) -> dict[int, Meeting]:
    """Meetings by key, for the notices about them."""
    found = Meeting.objects.filter(pk__in=list(keys)).select_related("partnership")
    return {meeting.pk: meeting for meeting in found}


def search(acting: Appointment | None, state: str = "") -> QuerySet[Meeting]:
    """The meetings a person may open: to come, past, called off, or all; and who was there."""
    found = meetings_visible_to(acting).prefetch_related("priorities", "attendances")
    now = timezone.now()
    wanted = {
        "coming": Q(cancelled_at=None, starts_at__gt=now),
        "past": Q(cancelled_at=None, starts_at__lte=now),
        "cancelled": Q(cancelled_at__isnull=False),
    }
    return found.filter(wanted.get(state, Q()))


def called_at_that_time(partnership: Partnership, starts_at: datetime) -> Meeting | None:
    same = Meeting.objects.filter(
        partnership=partnership, starts_at=starts_at, cancelled_at=None
    )  # fmt: skip
    return same.select_related("partnership").first()


def codes_taken(codes: Iterable[str]) -> set[str]:
    return set(Meeting.objects.filter(code__in=list(codes)).values_list("code", flat=True))
