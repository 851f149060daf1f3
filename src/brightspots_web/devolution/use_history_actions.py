"""Writing down how much data was used before this installation counted it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.devolution.models import DataUse
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.shared import audit


@dataclass(frozen=True)
class Used:
    """How often people of a role in an area did something on a day."""

    on: date
    area: Area | None
    role: str
    what: str
    times: int


@transaction.atomic
def write_back(counts: Iterable[Used], *, by: Appointment) -> int:
    """Keep the counts of days that are past, and of which none is kept yet.

    For whoever has the machine's shell: a system whose pages were counted before, and the sample.

    Raises
    ------
    PermissionDenied
        For anybody else.
    ValidationError
        A day is not past, or counts of it are kept already.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    rows = [DataUse(on=c.on, area=c.area, role=c.role, what=c.what, times=c.times) for c in counts]
    days = {row.on for row in rows}
    if any(day >= directory.today() for day in days):
        raise ValidationError(_("Only days that are past can be written back."))
    if DataUse.objects.filter(on__in=days).exists():
        raise ValidationError(_("Counts of some of these days are kept already."))
    DataUse.objects.bulk_create(rows, batch_size=2000)
    audit.record("devolution.write_back_use", by=by, detail={"days": len(days), "rows": len(rows)})
    return len(rows)
