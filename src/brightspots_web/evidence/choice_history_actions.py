"""Letting a lottery lie earlier, for a sample: only whoever has the machine's shell may.

The value that the draw added stays what it was, so that the draw can still be checked; that it was
the last link before noon cannot be true of a lottery that was dated back.
"""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.evidence.choice_lottery_actions import held
from brightspots_web.evidence.models import Lottery
from brightspots_web.shared import audit


@transaction.atomic
def date_back(lottery: Lottery, days: int, *, by: Appointment) -> Lottery:
    """Let a lottery and its draw lie so many days earlier."""
    if by.person.email != OPERATOR:
        raise PermissionDenied(_("Only whoever has the machine’s shell dates back."))
    gap = timedelta(days=days)
    found = held(lottery, None)
    names = ("at", "answered_at", "run_on", "opened_at", "draws_on", "beacon_at", "drawn_at")
    for name in names:
        if getattr(found, name) is not None:
            setattr(found, name, getattr(found, name) - gap)
    found.save()
    audit.record("evidence.date_lottery_back", by=by, target=found, detail={"days": days})
    return found
