"""Letting time pass for promises of the sample, whose months are made in minutes."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F

from brightspots_web.accountability.pledge_models import Pledge, PledgeSet, PledgeWitness
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit


@transaction.atomic
def date_pledge_back(pledge: Pledge, days: int, *, by: Appointment) -> Pledge:
    """Let a promise, and what witnesses said, have been made so many days earlier.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    passed = timedelta(days=days)
    back = {name: F(name) - passed for name in ("at", "changed_at", "vowed_at", "withdrawn_at")}
    Pledge.objects.filter(pk=pledge.pk).update(**back)
    PledgeWitness.objects.filter(pledge=pledge).update(
        asked_at=F("asked_at") - passed, answered_at=F("answered_at") - passed
    )
    pledge.refresh_from_db()
    if pledge.baseline:
        on = date.fromisoformat(pledge.baseline["on"]) - passed
        pledge.baseline["on"] = on.isoformat()
        pledge.save(update_fields=["baseline"])
    PledgeSet.objects.filter(pk=pledge.set_id, at__gt=pledge.at).update(at=pledge.at)
    audit.record("accountability.date_pledge_back", by=by, target=pledge, detail={"days": days})
    return pledge
