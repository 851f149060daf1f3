"""Writing down when something was decided or tried that was before this installation, or sample."""

from datetime import date, datetime, time, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.devolution.models import (
    Decision,
    DecisionAction,
    DecisionConsent,
    DecisionText,
    Pdsa,
    PdsaPoint,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit


@transaction.atomic
def date_decision_back(decision: Decision, days: int, *, by: Appointment) -> Decision:
    """Let a decision, its words and what is done because of it lie so many days earlier.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    """
    _check(by)
    gap = timedelta(days=days)
    found = Decision.objects.select_for_update(no_key=True).get(pk=decision.pk)
    found.at -= gap
    found.changed_at -= gap
    found.by_when -= gap
    if found.made_at is not None:
        found.made_at -= gap
    said = dict(found.data_said)
    for name in ("on", "published"):
        if said.get(name):
            said[name] = (date.fromisoformat(said[name]) - gap).isoformat()
    found.data_said = said
    found.save()
    for rows in (DecisionConsent.objects, DecisionText.objects):
        rows.filter(decision=found).update(at=F("at") - gap)
    for action in DecisionAction.objects.filter(decision=found):
        action.at -= gap
        action.due -= gap
        if action.done_on is not None:
            action.done_on -= gap
        action.save()
    audit.record("devolution.date_decision_back", by=by, target=found, detail={"days": days})
    return found


@transaction.atomic
def date_cycle(
    cycle: Pdsa, planned: date, *, by: Appointment, finished: date | None = None
) -> Pdsa:
    """Let a cycle have been planned, and finished, on days that are past.

    Its values are taken for written down on their own days.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    ValidationError
        A day is to come, or the cycle is not finished.
    """
    _check(by)
    found = Pdsa.objects.select_for_update(of=("self",), no_key=True).get(pk=cycle.pk)
    if max(planned, finished or planned) > directory.today():
        raise ValidationError(_("This day is yet to come."))
    if (finished is not None) != (found.finished_on is not None):
        raise ValidationError(_("Say when it was finished if it is, and only then."))
    found.at, found.finished_on = _noon(planned), finished
    found.save()
    for point in PdsaPoint.objects.filter(cycle=found):
        point.at = _noon(point.on)
        point.save(update_fields=["at"])
    audit.record("devolution.date_cycle", by=by, target=found)
    return found


def _check(by: Appointment) -> None:
    if by.person.email != OPERATOR:
        raise PermissionDenied


def _noon(on: date) -> datetime:
    return timezone.make_aware(datetime.combine(on, time(12)))
