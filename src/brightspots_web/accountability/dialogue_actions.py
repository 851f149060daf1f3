"""Calling dialogues, drawing who is asked, coming or not, the agenda, the minutes.

The audit trail says that something was done, never the words of minutes or points.
"""

import random
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import dialogue_queries as queries
from brightspots_web.accountability import dialogue_tell as tell
from brightspots_web.accountability.models import (
    Consultation,
    Dialogue,
    DialogueGuest,
    DialogueItem,
    Suggestion,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.pupil_names import look_again

State = Dialogue.State
MOST_SEATS = 40
MOST_POINTS = 20


@dataclass(frozen=True)
class Plan:
    """When and where a dialogue is, about what, and who answers there."""

    title: str
    on: date
    begins: time
    place: str
    stakeholder: Person
    consultation: Consultation | None = None


@transaction.atomic
def call(area: Area, plan: Plan, seats: int, *, by: Appointment) -> Dialogue:
    """Call a dialogue and ask as many teachers and heads as there are seats, drawn by lot.

    Sent twice, it is one.
    """
    if not queries.calls_in(by, area):
        raise PermissionDenied
    _check(plan, area)
    audit.one_at_a_time()
    same = Dialogue.objects.filter(
        area=area, title=plan.title, on=plan.on, state=State.CALLED, by=by.label[:300]
    ).first()
    if same is not None:
        return same
    made = Dialogue.objects.create(
        area=area,
        title=plan.title,
        consultation=plan.consultation,
        stakeholder=plan.stakeholder,
        stakeholder_name=str(plan.stakeholder)[:300],
        on=plan.on,
        begins=plan.begins,
        place=plan.place,
        by=by.label[:300],
        at=timezone.now(),
    )
    audit.record("accountability.call_dialogue", by=by, target=made)
    tell.stakeholder(made, "called", by=by)
    if seats:
        draw(made, seats, by=by)
    return made


@transaction.atomic
def change(dialogue: Dialogue, plan: Plan, *, by: Appointment, seen: int | None) -> Dialogue:
    """Move a dialogue, or let somebody else answer there; whoever comes is told."""
    found = _held(dialogue, by, seen)
    _check_called(found)
    _check(plan, found.area)
    found.title, found.on, found.begins, found.place = plan.title, plan.on, plan.begins, plan.place
    found.consultation, found.stakeholder = plan.consultation, plan.stakeholder
    found.stakeholder_name, found.reminded = str(plan.stakeholder)[:300], ""
    _save(found)
    audit.record("accountability.change_dialogue", by=by, target=found)
    tell.everybody(found, "moved", by=by)
    return found


@transaction.atomic
def draw(
    dialogue: Dialogue, seats: int, *, by: Appointment, lot: random.Random | None = None
) -> int:
    """Ask more people, drawn by lot; how many were found."""
    found = _held(dialogue, by)
    _check_called(found)
    there = found.guests.exclude(state=DialogueGuest.State.CANNOT).count()
    if not 1 <= seats <= MOST_SEATS - there:
        raise ValidationError(
            {
                "seats": _("At most {n} people come to one dialogue; {there} are asked.").format(
                    n=MOST_SEATS, there=there
                )
            }
        )
    chosen = queries.drawn(found, seats, lot or secrets.SystemRandom())
    DialogueGuest.objects.bulk_create(
        DialogueGuest(
            dialogue=found,
            person=each.person,
            name=each.label[:300],
            school=each.school,
            role="teacher" if each.role == "teacher" else "head",
        )
        for each in chosen
    )
    audit.record("accountability.draw_guests", by=by, target=found, detail={"asked": len(chosen)})
    tell.people([each.person for each in chosen], found, "asked", by=by)
    return len(chosen)


@transaction.atomic
def answer(dialogue: Dialogue, *, by: Appointment, comes: bool) -> DialogueGuest:
    """Say whether one comes; it can be said anew until the day."""
    found = Dialogue.objects.select_for_update(of=("self",), no_key=True).get(pk=dialogue.pk)
    seat = queries.seat_of(by, found)
    if seat is None or not may(by, Capability.SPEAK_UP):
        raise PermissionDenied
    _check_called(found)
    said = DialogueGuest.State.COMES if comes else DialogueGuest.State.CANNOT
    if seat.state != said:
        seat.state = said
        seat.save(update_fields=["state"])
        audit.record("accountability.answer_dialogue", by=by, target=found)
    return seat


@transaction.atomic
def add_point(
    dialogue: Dialogue,
    words: str,
    *,
    by: Appointment,
    consultation: Consultation | None = None,
    suggestion: Suggestion | None = None,
    names_no_pupil: bool = False,
) -> DialogueItem:
    """Put a point on the agenda, in own words; the same twice is one."""
    found = _held(dialogue, by)
    _check_called(found)
    look_again(words, [found.title, found.area.name, by.label], names_no_pupil)
    points = found.items.all()
    same = points.filter(words=words).first()
    if same is not None:
        return same
    if points.count() >= MOST_POINTS:
        raise ValidationError(_("Twenty points are more than one meeting holds."))
    last = points.last()
    made = DialogueItem.objects.create(
        dialogue=found,
        words=words,
        consultation=consultation,
        suggestion=suggestion,
        order=last.order + 1 if last else 1,
    )
    audit.record("accountability.add_point", by=by, target=found)
    return made


@transaction.atomic
def drop_point(point: DialogueItem, *, by: Appointment) -> None:
    """Take a point off the agenda; already gone is as good."""
    found = _held(point.dialogue, by)
    _check_called(found)
    gone, _rows = found.items.filter(pk=point.pk).delete()
    if gone:
        audit.record("accountability.drop_point", by=by, target=found)


@transaction.atomic
def write_minutes(
    dialogue: Dialogue,
    minutes: str,
    there: Collection[int],
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> Dialogue:
    """Write down what was said, and who was there; it can be mended afterwards.

    Parameters
    ----------
    there
        Keys of the guests who came.
    """
    found = _held(dialogue, by, seen)
    if found.state == State.CALLED_OFF:
        raise ValidationError(_("It was called off: there is nothing to write down."))
    if found.on > directory.today():
        raise ValidationError(_("Minutes are written on the day or after it."))
    look_again(minutes, [found.title, found.area.name, by.label], names_no_pupil)
    first = found.state == State.CALLED
    found.minutes, found.minutes_by, found.minutes_at = minutes, by.label[:300], timezone.now()
    found.state = State.HELD
    _save(found)
    found.guests.update(was_there=False)
    found.guests.filter(pk__in=list(there)).update(was_there=True)
    audit.record("accountability.write_minutes", by=by, target=found)
    if first:
        tell.everybody(found, "minutes", by=by)
    return found


@transaction.atomic
def call_off(dialogue: Dialogue, why: str, *, by: Appointment, seen: int | None) -> Dialogue:
    """Call a dialogue off, and say why; its page stays."""
    found = _held(dialogue, by, seen)
    _check_called(found)
    found.state, found.called_off_why = State.CALLED_OFF, why
    _save(found)
    audit.record("accountability.call_off_dialogue", by=by, target=found)
    tell.everybody(found, "called_off", by=by)
    return found


# What several of them need


def _held(dialogue: Dialogue, by: Appointment, seen: int | None = None) -> Dialogue:
    """The row, held until the transaction ends.

    `no_key`: whoever promises something in it refers to it while the audit trail is theirs, for
    which we wait next.
    """
    rows = Dialogue.objects.select_for_update(of=("self",), no_key=True).select_related(
        "area", "stakeholder"
    )
    found = rows.get(pk=dialogue.pk)
    if not queries.runs(by, found):
        raise PermissionDenied
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody changed this dialogue since you opened it. What you wrote is still here "
                "and was not saved: look at it as it is now, then send yours if it still holds."
            )
        )
    return found


def _save(dialogue: Dialogue) -> None:
    dialogue.version += 1
    dialogue.save()


def _check_called(dialogue: Dialogue) -> None:
    if dialogue.state == State.HELD:
        raise ValidationError(_("It was held already: its minutes say what was talked about."))
    if dialogue.state == State.CALLED_OFF:
        raise ValidationError(_("It was called off; its page says why."))


def _check(plan: Plan, area: Area) -> None:
    if plan.on < directory.today():
        raise ValidationError({"on": _("This day is past. Choose one to come.")})
    if plan.stakeholder.pk not in {each.pk for each in queries.owners(area)}:
        raise ValidationError(
            {"stakeholder": _("Choose somebody of the ministry, or an officer for this area.")}
        )
