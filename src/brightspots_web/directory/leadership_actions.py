"""A system leader lays the office down; a partnership is led from another school."""

from collections.abc import Mapping
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.directory import queries
from brightspots_web.directory.actions import OPERATOR, hold_school
from brightspots_web.directory.models import Appointment, Membership, Partnership, School
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Capability, Role, may


@transaction.atomic
def lay_down(appointment: Appointment, *, last_day: date, by: Appointment) -> Appointment:
    """A person no longer leads a partnership after a day. Their school keeps its head.

    For the leader in person. Who answered for a school only as its leader is its head from then
    on: the school does not lose its head by it.

    Raises
    ------
    PermissionDenied
        For anybody but the person and whoever has the machine's shell.
    ValidationError
        It is no leader's appointment, it has ended, or the day is past or after its end.
    """
    if by.person_id != appointment.person_id and by.person.email != OPERATOR:
        raise PermissionDenied
    if appointment.school is not None:
        hold_school(appointment.school)
    found = Appointment.objects.select_for_update(of=("self",), no_key=True).select_related(
        "person", "school", "partnership"
    ).get(pk=appointment.pk)  # fmt: skip
    today, ends = queries.today(), last_day + timedelta(days=1)
    if found.role != Role.SYSTEM_LEADER or (found.ends is not None and found.ends <= today):
        raise ValidationError(_("This person does not lead a partnership."))
    if last_day < today:
        raise ValidationError(_("The last day lies in the past. Choose today or a later day."))
    if found.ends is not None and found.ends < ends:
        raise ValidationError(_("The appointment ends before that day."))
    found.ends = ends
    found.save(update_fields=["ends"])
    detail = {"last_day": last_day.isoformat(), "head": _stays_head(found, ends)}
    audit.record("directory.lay_down", by=by, target=found, detail=detail)
    return found


def _stays_head(ended: Appointment, on: date) -> bool:
    """Make a leader the head of the school, where nothing else says so after that day."""
    if ended.school is None or (ended.school.closed is not None and ended.school.closed <= on):
        return False
    held = Appointment.objects.filter(person=ended.person, school=ended.school)
    if held.exclude(pk=ended.pk).filter(queries.live(on)).exists():
        return False
    Appointment.objects.create(person=ended.person, role=Role.HEAD, school=ended.school, starts=on)
    return True


@transaction.atomic
def lead_from(
    partnership: Partnership,
    school: School,
    *,
    distances: Mapping[int, float | None],
    by: Appointment,
) -> Partnership:
    """Let a member's school be the one from which its partnership is led.

    Parameters
    ----------
    distances
        School key -> kilometres to the new leader's school.

    Raises
    ------
    PermissionDenied
        For whoever may not appoint the partnership's leader.
    ValidationError
        The school is not in the partnership, or leads another.
    """
    if not may(by, Capability.APPOINT) or not (
        queries.partnerships_led_from(by).filter(pk=partnership.pk).exists()
    ):
        raise PermissionDenied
    found = Partnership.objects.select_for_update(of=("self",), no_key=True).get(pk=partnership.pk)
    members = queries.live_memberships().filter(partnership=found)
    if not members.filter(school=school).exists():
        raise ValidationError(_("{school} is not in this partnership.").format(school=school))
    others = queries.live_partnerships().filter(lead_school=school).exclude(pk=found.pk)
    if others.exists():
        raise ValidationError(_("{school} leads another partnership.").format(school=school))
    before = found.lead_school
    found.lead_school = school
    found.save(update_fields=["lead_school"])
    for pk, member in list(members.values_list("pk", "school")):
        Membership.objects.filter(pk=pk).update(distance_km=distances.get(member))
    audit.record(
        "directory.lead_from", by=by, target=found,
        detail={"from": before.code if before else "", "to": school.code},
    )  # fmt: skip
    return found
