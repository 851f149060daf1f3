"""Making and changing the rounds of improvement: a year or a term."""

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment, Cycle
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Capability, may

LONGEST_NAME = 100


@transaction.atomic
def make_cycle(name: str, starts: date, ends: date, *, by: Appointment) -> Cycle:
    """Make a cycle. The one that has this name already takes the days.

    Parameters
    ----------
    ends
        The first day that is no longer in it.

    Raises
    ------
    ValidationError
        A day or the name cannot be, or another cycle holds some of these days.
    """
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    audit.one_at_a_time()
    known = Cycle.objects.filter(name__iexact=name.strip()).first()
    return _kept(known or Cycle(), name, starts, ends, by)


@transaction.atomic
def change_cycle(cycle: Cycle, name: str, starts: date, ends: date, *, by: Appointment) -> Cycle:
    """Give a cycle another name or other days."""
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    audit.one_at_a_time()
    return _kept(
        Cycle.objects.select_for_update(no_key=True).get(pk=cycle.pk), name, starts, ends, by
    )


def _kept(cycle: Cycle, name: str, starts: date, ends: date, by: Appointment) -> Cycle:
    name = " ".join(name.replace("\0", "").split())
    _check(cycle, name, starts, ends)
    before = {"name": cycle.name, "starts": cycle.starts, "ends": cycle.ends}
    wanted = {"name": name, "starts": starts, "ends": ends}
    if cycle.pk is not None and before == wanted:
        return cycle
    new = cycle.pk is None
    cycle.name, cycle.starts, cycle.ends = name, starts, ends
    cycle.full_clean()
    cycle.save()
    audit.record(
        "directory.make_cycle" if new else "directory.change_cycle",
        by=by,
        target=cycle,
        detail=wanted if new else {"before": before, "after": wanted},
    )
    return cycle


def _check(cycle: Cycle, name: str, starts: date, ends: date) -> None:
    if not name:
        raise ValidationError({"name": _("Give the cycle a name, such as “2027”.")})
    if len(name) > LONGEST_NAME:
        raise ValidationError({"name": _("Keep it under {n} characters.").format(n=LONGEST_NAME)})
    if ends <= starts:
        raise ValidationError({"ends": _("A cycle ends after it has begun: give a later day.")})
    others = Cycle.objects.exclude(pk=cycle.pk)
    if others.filter(name__iexact=name).exists():
        raise ValidationError({"name": _("Another cycle has this name. Choose a different one.")})
    meanwhile = others.filter(starts__lt=ends, ends__gt=starts).first()
    if meanwhile is not None:
        raise ValidationError(
            {
                "starts": _(
                    "The cycle “{name}” holds some of these days. One cycle follows the other: "
                    "choose other days, or change that one first."
                ).format(name=meanwhile.name)
            }
        )
