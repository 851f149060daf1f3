"""Readiness and powers of the past for the sample, whose life is made in one day."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.pace.models import GateCheck, PowerTransfer
from brightspots_web.shared import audit


@transaction.atomic
def date_check_back(check: GateCheck, days: int, *, by: Appointment) -> GateCheck:
    """Let a place have asked, and been answered, so many days earlier."""
    _check(by)
    back = timedelta(days=days)
    found = GateCheck.objects.select_for_update(of=("self",), no_key=True).get(pk=check.pk)
    found.asked_at -= back
    if found.answered_on is not None:
        found.answered_on -= back
    found.save(update_fields=["asked_at", "answered_on"])
    audit.record("pace.date_gate_back", by=by, target=found, detail={"days": days})
    return found


@transaction.atomic
def date_transfer_back(
    transfer: PowerTransfer, days: int, *, by: Appointment, end: int = 0
) -> PowerTransfer:
    """Let a power have been offered, begun and answered so many days earlier, and ended `end`."""
    _check(by)
    back = timedelta(days=days)
    rows = PowerTransfer.objects.select_for_update(of=("self",), no_key=True)
    found = rows.get(pk=transfer.pk)
    found.starts, found.offered_at = found.starts - back, found.offered_at - back
    if found.answered_at is not None:
        found.answered_at -= back
    if found.ended_on is not None:
        found.ended_on -= timedelta(days=end)
    found.save(update_fields=["starts", "offered_at", "answered_at", "ended_on"])
    audit.record("pace.date_power_back", by=by, target=found, detail={"days": days})
    return found


def _check(by: Appointment) -> None:
    if by.person.email != OPERATOR:
        raise PermissionDenied(_("Only whoever has the machine’s shell dates back."))
