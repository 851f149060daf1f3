"""Writing down when a challenge visit was that lies before this installation, or is a sample."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.accountability.models import ChallengeStep, ChallengeVisit, Escalation
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit


@transaction.atomic
def date_visit_back(visit: ChallengeVisit, days: int, *, by: Appointment) -> ChallengeVisit:
    """Let a visit and all that came of it lie so many days earlier.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied(_("Only whoever has the machine’s shell dates back."))
    gap = timedelta(days=days)
    found = ChallengeVisit.objects.select_for_update(no_key=True).get(pk=visit.pk)
    for name in ("on", "at", "brief_at", "self_view_at", "record_at", "follow_up_on"):
        if getattr(found, name) is not None:
            setattr(found, name, getattr(found, name) - gap)
    if found.followed_on is not None:
        found.followed_on -= gap
    if found.brief.get("on"):
        found.brief = found.brief | {
            "on": (date.fromisoformat(found.brief["on"]) - gap).isoformat()
        }
    found.save()
    for step in ChallengeStep.objects.filter(visit=found):
        step.at, step.due = step.at - gap, step.due - gap
        step.done_on = step.done_on - gap if step.done_on else None
        step.save()
    for closer in Escalation.objects.filter(visit=found):
        closer.at -= gap
        closer.answered_at = closer.answered_at - gap if closer.answered_at else None
        closer.save()
    audit.record("accountability.date_challenge_back", by=by, target=found, detail={"days": days})
    return found
