"""What is promised in a dialogue or in an answer: given, told of, moved, ended, handed over."""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import dialogue_queries as queries
from brightspots_web.accountability import dialogue_tell as tell
from brightspots_web.accountability.models import (
    Commitment,
    CommitmentStep,
    Consultation,
    Dialogue,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

State = Commitment.State


@dataclass(frozen=True)
class Promise:
    """What somebody does until when."""

    what: str
    owner: Person
    due: date


@transaction.atomic
def commit(given: Dialogue | Consultation, promise: Promise, *, by: Appointment) -> Commitment:
    """Promise something where it was asked for; the same twice is one."""
    if not queries.may_commit(by, given):
        raise PermissionDenied
    place: dict[str, Dialogue | Consultation]
    if isinstance(given, Dialogue):
        place = {"dialogue": given}
        if given.state == Dialogue.State.CALLED_OFF or given.on > directory.today():
            raise ValidationError(_("Promises are given in the dialogue, not before it."))
    else:
        place = {"consultation": given}
        if given.closed_at is None:
            raise ValidationError(_("The consultation is not closed yet: hear everybody first."))
    if promise.due < directory.today():
        raise ValidationError({"due": _("This day is past. Choose one to come.")})
    _check_owner(promise.owner, given.area)
    audit.one_at_a_time()
    same = Commitment.objects.filter(
        **place, what=promise.what, owner=promise.owner, first_due=promise.due
    ).first()
    if same is not None:
        return same
    made = Commitment.objects.create(
        **place,
        what=promise.what,
        owner=promise.owner,
        owner_name=str(promise.owner)[:300],
        due=promise.due,
        first_due=promise.due,
        by=by.label[:300],
        at=timezone.now(),
    )
    audit.record("accountability.commit", by=by, target=made)
    tell.owner(made, "owner", by=by)
    return made


@transaction.atomic
def report(
    commitment: Commitment,
    words: str,
    *,
    by: Appointment,
    seen: int | None,
    moved_to: date | None = None,
) -> Commitment:
    """Say how a promise stands, or that it needs longer: the first day stays on the page."""
    found = _held(commitment, by, seen)
    if moved_to is not None and moved_to < directory.today():
        raise ValidationError({"moved_to": _("This day is past. Choose one to come.")})
    moved = moved_to if moved_to != found.due else None
    last = found.told.last()
    if last is not None and (last.words, last.moved_to) == (words, moved_to):
        return found
    CommitmentStep.objects.create(
        commitment=found, words=words, moved_to=moved, by=by.label[:300], at=timezone.now()
    )
    if moved is not None:
        found.due, found.reminded = moved, ""
    _save(found)
    audit.record(
        "accountability.report_commitment",
        by=by,
        target=found,
        detail={"moved_to": moved.isoformat() if moved else None},
    )
    if moved is not None:
        tell.who_was_there(found, "due_moved", by=by)
    return found


@transaction.atomic
def end(
    commitment: Commitment, outcome: str, *, by: Appointment, seen: int | None, kept: bool
) -> Commitment:
    """Say that a promise was kept, or was not and why: for good."""
    found = _held(commitment, by, seen)
    found.state = State.KEPT if kept else State.NOT_KEPT
    found.outcome, found.ended_on = outcome, directory.today()
    _save(found)
    audit.record(
        "accountability.end_commitment", by=by, target=found, detail={"state": found.state}
    )
    tell.ended(found, "kept" if kept else "not_kept", by=by)
    return found


@transaction.atomic
def hand_over(
    commitment: Commitment, owner: Person, *, by: Appointment, seen: int | None
) -> Commitment:
    """Give a promise a new owner; what was promised, and by when, stays."""
    found = _held(commitment, by, seen)
    _check_owner(owner, queries.area_of(found))
    if found.owner_id == owner.pk:
        return found
    found.owner, found.owner_name, found.reminded = owner, str(owner)[:300], ""
    _save(found)
    audit.record("accountability.hand_over_commitment", by=by, target=found)
    tell.owner(found, "owner", by=by)
    return found


def _held(commitment: Commitment, by: Appointment, seen: int | None) -> Commitment:
    rows = Commitment.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related("dialogue__area", "consultation__area").get(pk=commitment.pk)
    if not queries.answers_for(by, found):
        raise PermissionDenied
    if found.state != State.OPEN:
        raise ValidationError(_("How it ended is written down already; its page says it."))
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody wrote to this promise since you opened it. What you wrote is still here "
                "and was not saved: look at it as it is now, then send yours if it still holds."
            )
        )
    return found


def _save(commitment: Commitment) -> None:
    commitment.version += 1
    commitment.save()


def _check_owner(owner: Person, area: Area) -> None:
    if owner.pk not in {each.pk for each in queries.owners(area)}:
        raise ValidationError(
            {"owner": _("Choose somebody of the ministry, or an officer for this area.")}
        )
