"""Letting time pass for an agreement that was made and talked about before this installation."""

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import (
    Adoption,
    Agreement,
    Ballot,
    MergeWish,
    Priority,
    PriorityProposal,
    ProposalComment,
)
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.history_actions import date_cycle_back
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit


@transaction.atomic
def let_time_pass(agreement: Agreement, days: int, *, by: Appointment) -> Agreement:
    """Let everything of an agreement have been so many days earlier than it is on record.

    Its calendar moves, and with it when things were proposed, said, answered, voted and adopted,
    as if time had passed meanwhile. Figures that were published after a proposal was made are
    taken off it: nobody had them then. For whoever has the machine's shell: a system that agreed
    before it had this software, and the sample.

    Raises
    ------
    PermissionDenied
        For anybody else.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    if days < 1:
        raise ValidationError(_("Time passes by a day at least."))
    rows = Agreement.objects.select_for_update(of=("self",), no_key=True)
    held = rows.select_related("cycle").get(pk=agreement.pk)
    back = timedelta(days=days)
    date_cycle_back(held.cycle, days, by=by)
    phases = ("propose_from", "consult_from", "ballot_from", "adopt_from", "work_from",
              "review_from")  # fmt: skip
    _move(Agreement.objects.filter(pk=held.pk), back, *phases, "changed_at")
    proposals = PriorityProposal.objects.filter(agreement=held)
    _move(proposals, back, "at", "changed_at")
    of_them = {"proposal__in": proposals.values("pk")}
    comments = ProposalComment.objects.filter(**of_them)
    _move(comments, back, "at", "answered_at", "hidden_at")
    wishes = MergeWish.objects.filter(**of_them)
    _move(wishes, back, "at", "consented_at", "into_consented_at")
    _move(Ballot.objects.filter(agreement=held), back, "opened_at", "closes_on", "closed_at")
    _move(Adoption.objects.filter(agreement=held), back, "at")
    _move(Priority.objects.filter(**of_them), back, "starts")
    for each in proposals.exclude(evidence={}):
        if each.at.date() < date.fromisoformat(each.evidence["as_of"]):
            proposals.filter(pk=each.pk).update(evidence={})
    audit.record("alignment.let_time_pass", by=by, target=held, detail={"days": days})
    return Agreement.objects.select_related("cycle").get(pk=held.pk)


def _move(rows: QuerySet[Any], back: timedelta, *names: str) -> None:
    """Move moments and days; what has not happened stays so."""
    found = list(rows)
    for row in found:
        for name in names:
            moment = getattr(row, name)
            setattr(row, name, None if moment is None else moment - back)
    rows.model._default_manager.bulk_update(found, names, batch_size=500)
