"""Writing down meetings that were before this installation, or before the sample began."""

from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution.meeting_actions import Wanted, free_code
from brightspots_web.devolution.models import Meeting, MeetingAttendance
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment, Partnership, School
from brightspots_web.shared import audit


@transaction.atomic
def write_past(
    partnership: Partnership,
    wanted: Wanted,
    present: Sequence[School],
    *,
    by: Appointment,
    leader: Appointment,
    minutes: str = "",
) -> Meeting:
    """Put a meeting of the past on record, as its leader would have called and kept it.

    Writes no contacts: where its day is on record as a contact of the schools, it stays so once.

    Parameters
    ----------
    leader
        In whose name it was called and its minutes were written.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    ValidationError
        The day is to come, the partnership did not hold then, or a school was not in it.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    now = timezone.now()
    if wanted.starts_at > now:
        raise ValidationError(_("This day is to come: call the meeting instead."))
    meeting = Meeting(
        partnership=partnership,
        starts_at=wanted.starts_at,
        minutes_long=wanted.minutes_long,
        place=wanted.place,
        purpose=wanted.purpose,
        code=free_code(),
        called_by=leader.label[:300],
        appointment=str(leader.pk),
        called_at=wanted.starts_at - timedelta(days=14),
        reminded_at=wanted.starts_at - timedelta(days=2),
        minutes=minutes,
        minutes_by=leader.label[:300] if minutes else "",
        minutes_at=wanted.starts_at + timedelta(hours=3) if minutes else None,
    )
    members = {school.pk for school in queries.invited(meeting)}
    if not queries.can_be_held(meeting) or not {school.pk for school in present} <= members:
        raise ValidationError(_("These schools were not in this partnership on that day."))
    meeting.save(force_insert=True)
    meeting.priorities.set(wanted.priorities)
    MeetingAttendance.objects.bulk_create(
        MeetingAttendance(meeting=meeting, school=school, at=wanted.starts_at) for school in present
    )
    audit.record(
        "devolution.write_past_meeting",
        by=by,
        target=meeting,
        detail={"partnership": partnership.code, "present": [each.code for each in present]},
    )
    return meeting
