"""Preparing for a meeting: having looked, a question to bring, one gentle reminder a day."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.devolution import preparation_queries as queries
from brightspots_web.devolution.models import Meeting, Preparation, PreparationReminder
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.pupil_names import MayNamePupilError, may_identify_pupil

REMINDER = "devolution.preparation_reminder"
LONGEST_QUESTION = 300


@transaction.atomic
def prepare(
    meeting: Meeting, *, by: Appointment, question: str = "", names_nobody: bool = False
) -> Preparation:
    """Write down that a person has looked, and what they would like to ask the others.

    It is not in the audit trail: that somebody has not looked yet is between them and the meeting.
    """
    if not queries.may_prepare(by, meeting):
        raise PermissionDenied
    assert by.school is not None
    question = " ".join(question.replace("\0", "").split())
    if len(question) > LONGEST_QUESTION:
        raise ValidationError(
            {"question": _("Keep it under {n} characters.").format(n=LONGEST_QUESTION)}
        )
    suspect = may_identify_pupil(question, [by.school.name, by.school.area.name, by.label])
    if suspect and not names_nobody:
        raise MayNamePupilError(
            _(
                "“{words}” may say who a pupil is. Take it out, or say below that nobody can be "
                "known by it."
            ).format(words=suspect)
        )
    found, _made = Preparation.objects.update_or_create(
        meeting=meeting,
        person=by.person,
        defaults={"school": by.school, "question": question},
        create_defaults={"school": by.school, "question": question, "looked_at": timezone.now()},
    )
    return found


@transaction.atomic
def remind(meeting: Meeting, *, by: Appointment) -> int:
    """Remind, kindly, those who have not looked yet; once a day. Gives how many were told."""
    if not queries.leads(by, meeting):
        raise PermissionDenied
    if not queries.is_coming(meeting):
        raise ValidationError(_("This meeting is over, or called off."))
    _reminder, made = PreparationReminder.objects.get_or_create(
        meeting=meeting, on=directory.today()
    )
    if not made:
        raise ValidationError(_("A reminder went out today already. Tomorrow is another day."))
    waiting = [each for each in queries.not_yet(meeting) if each.pk != by.person_id]
    audit.record(
        "devolution.remind_to_prepare",
        by=by,
        detail={"meeting": meeting.pk, "partnership": meeting.partnership.code},
    )
    notices.notify(waiting, REMINDER, {"meeting": meeting.pk}, key=f"{REMINDER}:{meeting.pk}")
    return len(waiting)
