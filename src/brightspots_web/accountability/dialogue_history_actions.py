"""Dialogues of the past for the sample, whose life is made in one day."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.accountability.models import Dialogue
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit


@transaction.atomic
def date_dialogue_back(dialogue: Dialogue, days: int, *, by: Appointment) -> Dialogue:
    """Let a dialogue, and what was promised in it, lie so many days earlier.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied(_("Only whoever has the machine’s shell dates back."))
    back = timedelta(days=days)
    found = Dialogue.objects.select_for_update(of=("self",), no_key=True).get(pk=dialogue.pk)
    found.on, found.at = found.on - back, found.at - back
    if found.minutes_at is not None:
        found.minutes_at -= back
    found.save(update_fields=["on", "at", "minutes_at"])
    for each in found.commitments.all():
        each.at, each.due, each.first_due = each.at - back, each.due - back, each.first_due - back
        each.save(update_fields=["at", "due", "first_due"])
    audit.record("accountability.date_dialogue_back", by=by, target=found, detail={"days": days})
    return found
