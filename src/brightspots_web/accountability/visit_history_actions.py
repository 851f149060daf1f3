"""Writing down when a peer review was that lies before this installation, or is a sample."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model

from brightspots_web.accountability.models import PeerReview
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit


@transaction.atomic
def date_review_back(review: PeerReview, days: int, *, by: Appointment) -> PeerReview:
    """Let a review and all that came of it lie so many days earlier.

    Raises
    ------
    PermissionDenied
        For whoever does not have the machine's shell.
    """
    if by.person.email != OPERATOR:
        raise PermissionDenied
    gap = timedelta(days=days)
    found = PeerReview.objects.select_for_update(no_key=True).get(pk=review.pk)
    own = ("at", "visit_on", "visit_until", "workshop_on", "check_back_on", "checked_on")
    _back(found, own, gap)
    inner: tuple[tuple[Iterable[Model], Sequence[str]], ...] = (
        (found.team.all(), ("asked_at", "answered_at", "conflict_found_at")),
        (found.evidence.all(), ("on", "at")),
        (found.findings.all(), ("at",)),
        (found.actions.all(), ("at", "due", "done_on")),
    )
    for rows, names in inner:
        for row in rows:
            _back(row, names, gap)
    audit.record("accountability.date_review_back", by=by, target=found, detail={"days": days})
    return found


def _back(row: Model, names: Sequence[str], gap: timedelta) -> None:
    for name in names:
        if getattr(row, name) is not None:
            setattr(row, name, getattr(row, name) - gap)
    row.save()
