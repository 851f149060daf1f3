"""Counting how often data is looked at and contributed: by day, area and role, never by person.

Nothing here goes to the audit trail: an entry there would say who looked when, and that is what
these counts are made not to know.
"""

from datetime import date

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F

from brightspots_web.devolution.models import DataUse
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area

LOOKED = DataUse.What.LOOKED
CONTRIBUTED = DataUse.What.CONTRIBUTED


def count(acting: Appointment | None, what: str, times: int = 1) -> None:
    """Count once that somebody of this role looked at data, or contributed some.

    Call it where a page of data is shown, or inside the transaction that keeps what is contributed.
    A count is worth less than the page: where the database cannot take it in time, it is let go.
    """
    if acting is None:
        return
    try:
        _add(directory.today(), area_of(acting), acting.role, what, times)
    except OperationalError:
        if transaction.get_connection().in_atomic_block:
            raise  # whoever keeps something with it has to know


def _add(on: date, area: Area | None, role: str, what: str, times: int) -> None:
    """One statement where the day's row is there; two for its first."""
    rows = DataUse.objects.filter(on=on, area=area, role=role, what=what)
    try:
        with transaction.atomic():
            if not rows.update(times=F("times") + times):
                DataUse.objects.create(on=on, area=area, role=role, what=what, times=times)
    except IntegrityError:  # somebody else's was the first of the day, a moment ago
        rows.update(times=F("times") + times)


def area_of(acting: Appointment) -> Area | None:
    """The area a count stands for: of the school, else the officer's own; none above them."""
    if acting.school is not None:
        return acting.school.area
    if acting.partnership is not None and acting.partnership.lead_school is not None:
        return acting.partnership.lead_school.area
    return acting.area
