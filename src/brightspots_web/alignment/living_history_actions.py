"""Writing down what was so before this installation: since when a local sense has stood."""

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import LocalSense
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit


@transaction.atomic
def date_back_sense(sense: LocalSense, at: datetime, *, by: Appointment) -> LocalSense:
    """Let a local sense have been written earlier, after its priority began.

    For whoever has the machine's shell: a system that had written them before it had this
    software, and the sample.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    found = LocalSense.objects.select_for_update(no_key=True).get(pk=sense.pk)
    if at > found.at or timezone.localtime(at).date() < sense.priority.starts:
        raise ValidationError(_("It was written after the priority began, and not later than now."))
    found.at = at
    found.save(update_fields=["at"])
    audit.record("alignment.date_back_sense", by=by, target=found.partnership)
    return found
