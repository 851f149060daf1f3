"""Writing down when support was that lies before this installation, or is a sample."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from brightspots_web.connectedness.models import (
    Contact,
    Deployment,
    DeploymentLog,
    DeploymentView,
    PracticeAdoption,
)
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit


@transaction.atomic
def date_support_back(key: int, days: int, *, by: Appointment) -> None:
    """Let support that is over, and all that led to it and came of it, lie so many days earlier.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    ValidationError
        It is still under way.
    """
    _only_by_shell(by)
    gap = timedelta(days=days)
    found = Deployment.objects.select_for_update(no_key=True).get(pk=key)
    if found.state == Deployment.State.RUNNING:
        raise ValidationError(_("This support is still under way."))
    _earlier(found, gap, "starts", "exit_on", "ended_on", "agreed_at")
    match = found.match
    _earlier(match, gap, "suggested_at", "put_at", "asker_accepted_at", "giver_accepted_at")
    _earlier(match.request, gap, "asked_at", "agreed_at", "triaged_at", "closed_at")
    for log in DeploymentLog.objects.filter(deployment=found):
        _earlier(log, gap, "on", "at")
    for view in DeploymentView.objects.filter(deployment=found):
        _earlier(view, gap, "at")
    for contact in Contact.objects.filter(deployment=found):
        _earlier(contact, gap, "on", "at")
    audit.record("connectedness.date_support_back", by=by, target=found, detail={"days": days})


@transaction.atomic
def date_adoption_back(key: int, days: int, *, by: Appointment) -> None:
    """Let the day on which a school took a practice up lie so many days earlier.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    """
    _only_by_shell(by)
    found = PracticeAdoption.objects.select_for_update(no_key=True).get(pk=key)
    _earlier(found, timedelta(days=days), "on", "at", "stopped_on")
    audit.record("connectedness.date_adoption_back", by=by, target=found, detail={"days": days})


def _only_by_shell(by: Appointment) -> None:
    if by.person.email != OPERATOR:
        raise PermissionDenied(_("Only whoever has the machine’s shell dates back."))


def _earlier(row: models.Model, gap: timedelta, *names: str) -> None:
    for name in names:
        value = getattr(row, name)
        if value is not None:
            setattr(row, name, value - gap)
    row.save(update_fields=names)
