"""Writing down what was so before this installation: since when partnerships and cycles are."""

from collections.abc import Mapping
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.directory import queries
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment, Cycle, Partnership
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Role


@transaction.atomic
def date_back(partnership: Partnership, formed: date, *, by: Appointment) -> Partnership:
    """Let a partnership have begun earlier, its first members and leaders with it.

    For whoever has the machine's shell: a system that had partnerships before it had this
    software, and the sample.

    Raises
    ------
    PermissionDenied
        For anybody else.
    ValidationError
        When the day lies after the one on record, or a school was in another partnership then.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    found = Partnership.objects.select_for_update(no_key=True).get(pk=partnership.pk)
    if formed > found.formed:
        raise ValidationError(_("This day lies after the one on record."))
    first = found.memberships.filter(starts=found.formed)
    elsewhere = queries.live_memberships(formed).filter(school__in=first.values("school"))
    if elsewhere.exclude(partnership=found).exists():
        raise ValidationError(_("A school was in another partnership on that day."))
    before = found.formed
    Appointment.objects.filter(role=Role.SYSTEM_LEADER, partnership=found, starts=before).update(
        starts=formed
    )
    first.update(starts=formed)
    found.formed = formed
    found.save(update_fields=["formed"])
    audit.record(
        "directory.date_back",
        by=by,
        target=found,
        detail={"from": before.isoformat(), "to": formed.isoformat()},
    )
    return found


@transaction.atomic
def date_back_service(starts: Mapping[int, date], *, by: Appointment) -> int:
    """Let appointments at schools have begun earlier: of people who served before this software.

    Parameters
    ----------
    starts
        Appointment's key -> the day it began. One that began earlier already stays as it is.

    Returns
    -------
    int
        How many begin earlier now.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    held = Appointment.objects.filter(
        pk__in=list(starts), role__in=[Role.HEAD, Role.TEACHER], school__isnull=False
    )
    changed = [
        each for each in held.select_for_update(no_key=True) if starts[each.pk] < each.starts
    ]
    for each in changed:
        each.starts = starts[each.pk]
    Appointment.objects.bulk_update(changed, ["starts"], batch_size=1000)
    audit.record("directory.date_back_service", by=by, detail={"appointments": len(changed)})
    return len(changed)


@transaction.atomic
def date_cycle_back(cycle: Cycle, days: int, *, by: Appointment) -> Cycle:
    """Let a cycle have begun and ended so many days earlier; for whoever has the shell."""
    if by.person.email != OPERATOR:
        raise PermissionDenied
    found = Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk)
    found.starts -= timedelta(days=days)
    found.ends -= timedelta(days=days)
    found.save(update_fields=["starts", "ends"])
    audit.record("directory.date_cycle_back", by=by, target=found, detail={"days": days})
    return found
