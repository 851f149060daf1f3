"""Rounds of the past for the sample, whose life is made in one day."""

from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment, Cycle
from brightspots_web.pace.models import StageAgreement, StageRound
from brightspots_web.pace.stage_actions import held
from brightspots_web.shared import audit


@transaction.atomic
def date_round(found: StageRound, cycle: Cycle, on: date, *, by: Appointment) -> StageRound:
    """Let a round have been held in an earlier cycle, and agreed on a day of it.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied(_("Only whoever has the machine’s shell dates back."))
    row = held(found)
    back = row.closes_on - on
    row.cycle, row.closes_on, row.at = cycle, on, row.at - back
    if row.closed_at is not None:
        row.closed_at -= back
    row.save()
    StageAgreement.objects.filter(round=row, agreed_on__isnull=False).update(agreed_on=on)
    audit.record("pace.date_round", by=by, target=row)
    return row
