"""Who was at a meeting: ticked by the leader, or said by each with the code of the room.

Presence is written down as a contact of the school by the same action as any other meeting, once a
school and day, so that the isolation register knows and nobody is asked twice.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import contact_actions, contact_queries
from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution.meeting_actions import plain_code
from brightspots_web.devolution.models import Meeting, MeetingAttendance
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared import audit

TRIES, WITHIN = 8, timedelta(minutes=10)
"""So many wrong codes of one person within so long."""


class TooManyTriesError(ValidationError):
    """Somebody tries codes instead of reading one: wait, or ask the leader."""


@transaction.atomic
def tick(meeting: Meeting, schools: Sequence[School], *, by: Appointment) -> Meeting:
    """Say which schools were there: these, and whoever said so with the code.

    May be done again when somebody came later, or was ticked by mistake.

    Raises
    ------
    PermissionDenied
        For whoever does not lead the partnership, or a school that is not invited.
    ValidationError
        The meeting has not begun, was called off, or its partnership ended before it.
    """
    meeting = _held(meeting)
    if not queries.meetings_led_by(by).filter(pk=meeting.pk).exists():
        raise PermissionDenied
    _check_held(meeting)
    if not queries.has_opened(meeting):
        raise ValidationError(
            _("The meeting has not begun yet. Tick who is there from an hour before.")
        )
    chosen = {school.pk: school for school in schools}
    if not set(chosen) <= {school.pk for school in queries.invited(meeting)}:
        raise PermissionDenied
    there = list(queries.attendances(meeting))
    ticked = {row.school_id: row for row in there if not row.by_code}
    said = {row.school_id for row in there if row.by_code}
    now = timezone.now()
    MeetingAttendance.objects.bulk_create(
        MeetingAttendance(meeting=meeting, school=school, at=now)
        for key, school in chosen.items()
        if key not in ticked and key not in said
    )
    gone = [row for key, row in ticked.items() if key not in chosen]
    MeetingAttendance.objects.filter(pk__in=[row.pk for row in gone]).delete()
    audit.record(
        "devolution.tick_attendance",
        by=by,
        target=meeting,
        detail={"present": sorted(school.code for school in queries.schools_present(meeting))},
    )
    for row in gone:
        if row.school_id not in said:
            _take_back_contact(meeting, row.school, by)
    _keep_contacts(meeting)
    return meeting


@transaction.atomic
def _arrive(meeting: Meeting, school: School, by: Appointment) -> MeetingAttendance:
    meeting = _held(meeting)
    _check_held(meeting)
    row, made = MeetingAttendance.objects.get_or_create(
        meeting=meeting,
        school=school,
        person=by.person,
        defaults={"by_code": True, "at": timezone.now()},
    )
    if made:
        audit.record("devolution.arrive", by=by, target=meeting, detail={"school": school.code})
        _keep_contacts(meeting)
    return row


def arrive(code: str, *, by: Appointment) -> MeetingAttendance:
    """Say with the code of the room that one is there. Said twice, it is on record once.

    Raises
    ------
    TooManyTriesError
        After several wrong codes in a row.
    ValidationError
        The code is of no meeting of the person's partnership, or does not hold now.
    """
    key = f"devolution.code_tries:{by.person_id}"
    if cache.get(key, 0) >= TRIES:
        raise TooManyTriesError(
            _("That were many tries. Wait ten minutes, or ask the leader to tick your school.")
        )
    meeting = queries.meeting_with_code(by, plain_code(code))
    school = queries.seat_of(by, meeting) if meeting is not None else None
    if meeting is None or school is None:
        cache.add(key, 0, timeout=int(WITHIN.total_seconds()))
        with suppress(ValueError):  # it ran out this very moment: counting begins anew
            cache.incr(key)
        raise ValidationError(
            {
                "code": _(
                    "No meeting of your partnership has this code. It has six letters or digits; "
                    "ask the leader to show it once more."
                )
            }
        )
    if not queries.code_holds(meeting):
        raise ValidationError(
            {
                "code": _(
                    "This code holds from one hour before the meeting until twelve hours after it "
                    "began. The leader can still tick your school."
                )
            }
        )
    return _arrive(meeting, school, by)


def _held(meeting: Meeting) -> Meeting:
    rows = Meeting.objects.select_for_update(of=("self",), no_key=True).select_related(
        "partnership"
    )
    return rows.get(pk=meeting.pk)


def _check_held(meeting: Meeting) -> None:
    if meeting.cancelled_at is not None:
        raise ValidationError(_("This meeting was called off."))
    if not queries.can_be_held(meeting):
        raise ValidationError(
            _("The partnership ended before this day: the meeting could not take place.")
        )


def _keep_contacts(meeting: Meeting) -> None:
    """Write down those present that are not on record for the day yet, in the leader's name.

    Without a leader nothing is written: whoever leads next writes it with the first tick.
    """
    leader, day = queries.leader_of(meeting.partnership), queries.day_of(meeting)
    if leader is None or day > directory.today():
        return
    on_record = contact_queries.at_meeting(meeting.partnership, day)
    members = contact_queries.members_to_record(leader, meeting.partnership)
    may_record = {school.pk for school in members}
    missing = [
        school
        for school in queries.schools_present(meeting)
        if school.pk in may_record and school.pk not in on_record
    ]
    if missing:
        contact_actions.record_meeting(meeting.partnership, missing, by=leader, on=day)


def _take_back_contact(meeting: Meeting, school: School, by: Appointment) -> None:
    """Remove the contact of a school that was ticked by mistake, where the leader wrote it."""
    found = contact_queries.contacts_to_take_back(by).filter(
        school=school, partnership=meeting.partnership, kind="meeting", on=queries.day_of(meeting)
    )
    for contact in found:
        contact_actions.take_back_contact(contact, by=by)
