"""Writing down where working time went: a week at a time, the four together. All the writes."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.leaders import time_queries as queries
from brightspots_web.leaders.models import TimeSpent
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Capability, may

On = TimeSpent.On
BACK = timedelta(weeks=26)
"""So far back hours can be written: nobody remembers further."""
MOST_HOURS = Decimal(80)
"""Of a week, whatever they were for."""
LONGEST_NOTE = 300


@transaction.atomic
def write_week(
    monday: date,
    hours: Mapping[str, Decimal],
    *,
    by: Appointment,
    school: School | None = None,
    note: str = "",
) -> None:
    """Write down a week's hours, in place of what was written of it before.

    Parameters
    ----------
    hours : mapping
        One of the four -> hours; one that is missing or 0 is no longer on record.
    school : School, optional
        Hours for one school; they stand beside those for no school in particular.
    """
    if not may(by, Capability.RECORD_TIME):
        raise PermissionDenied
    _check_week(monday)
    if school is not None and school.pk not in {each.pk for each in queries.schools_for(by)}:
        raise PermissionDenied
    note = note.replace("\0", "").strip()
    problems: dict[str, str] = {}
    for on, spent in hours.items():
        if on not in On.values:
            raise PermissionDenied
        if not 0 <= spent <= MOST_HOURS:
            problems[on] = _("Between 0 and 80 hours.")
    if len(note) > LONGEST_NOTE:
        problems["note"] = _("Keep it under {n} characters.").format(n=LONGEST_NOTE)
    if problems:
        raise ValidationError(problems)
    _write(monday, hours, by, school, note)
    audit.record("leaders.write_time", by=by, detail={"week": monday})


def _write(
    monday: date, hours: Mapping[str, Decimal], by: Appointment, school: School | None, note: str
) -> None:
    audit.one_at_a_time()  # the week is held against all of its rows
    mine = TimeSpent.objects.filter(person=by.person_id, week=monday)
    others = sum((row.hours for row in mine if row.school_id != (school.pk if school else None)),
                 Decimal(0))  # fmt: skip
    if others + sum(hours.values(), Decimal(0)) > MOST_HOURS:
        raise ValidationError(
            _(
                "That makes more than {n} hours in one week, together with what you wrote for "
                "other schools. Check the numbers."
            ).format(n=MOST_HOURS)
        )
    mine.filter(school=school).delete()
    now = timezone.now()
    TimeSpent.objects.bulk_create(
        TimeSpent(
            person=by.person, week=monday, on=on, hours=hours[on], school=school, note=note, at=now
        )
        for on in On.values
        if hours.get(on)
    )


def _check_week(monday: date) -> None:
    today = directory.today()
    if monday.weekday() != 0:
        raise ValidationError({"week": _("A week begins on Monday.")})
    if monday > today:
        raise ValidationError({"week": _("This week is still to come.")})
    if monday < queries.monday_of(today) - BACK:
        raise ValidationError({"week": _("This is more than half a year ago.")})
