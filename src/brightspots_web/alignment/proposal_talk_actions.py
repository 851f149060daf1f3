"""The consultation: saying something to a proposal, wanting it changed, answering."""

from hashlib import sha256

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import agreement_words
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment.models import PriorityProposal, ProposalComment
from brightspots_web.alignment.proposal_actions import tell_answering
from brightspots_web.directory.models import Appointment
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import look_again

Kind = ProposalComment.Kind
LONGEST_COMMENT = 2000
LONGEST_REASON = 500
COMMENTED = "alignment.proposal_commented"
ANSWERED = "alignment.comment_answered"


@transaction.atomic
def comment(
    proposal: PriorityProposal,
    *,
    by: Appointment,
    words: str,
    kind: str = Kind.COMMENT,
    names_no_pupil: bool = False,
) -> ProposalComment:
    """Say something to a proposal, or what should be changed in it. Twice the same is once.

    Parameters
    ----------
    names_no_pupil
        The person looked again and says that no pupil is named.

    Raises
    ------
    MayNamePupilError
        The words look as if they named one; nothing is saved.
    ValidationError
        It is not the time, or there are no words.
    """
    held = _on_the_table(proposal)
    if not queries.can_be_talked_about(held):
        raise ValidationError(agreement_words.not_in_this_phase(held.agreement, "consult"))
    words = _required(words, "words", LONGEST_COMMENT)
    if kind not in Kind.values:
        raise ValidationError({"kind": _("Choose whether it is a comment or an amendment.")})
    mine = ProposalComment.objects.filter(proposal=held, appointment=str(by.pk), hidden_at=None)
    last = mine.order_by("pk").last()
    if last is not None and (last.words, last.kind) == (words, kind):
        return last
    place = queries.place_of(held)
    known = [held.title, str(by.place or ""), str(place or ""), by.label, held.by]
    look_again(words, known, names_no_pupil)
    said = ProposalComment.objects.create(
        proposal=held, kind=kind, tier=queries.tier_of(by), words=words, by=by.label[:300],
        appointment=str(by.pk), at=timezone.now(),
    )  # fmt: skip
    audit.record("alignment.comment_proposal", by=by, target=held, detail=_detail(said, said.words))
    tell_answering(held, COMMENTED, {"proposal": held.pk}, key=f"proposal-{held.pk}", but=by)
    return said


@transaction.atomic
def answer(
    said: ProposalComment,
    *,
    by: Appointment,
    words: str,
    taken_up: bool | None = None,
    seen: str | None,
    names_no_pupil: bool = False,
) -> ProposalComment:
    """Answer for the proposal; of an amendment, whether it is taken up. It may be put better later.

    Parameters
    ----------
    seen
        :func:`mark_of` the comment as the person saw it; None to take whatever is there.

    Raises
    ------
    OvertakenError
        Somebody else answered meanwhile.
    """
    held = _held_comment(said)
    if not queries.may_answer(by, held.proposal):
        raise PermissionDenied
    if held.proposal.state != PriorityProposal.State.OPEN or held.hidden_at is not None:
        raise ValidationError(
            _("This proposal is {state}: it is answered as it stands.").format(
                state=held.proposal.get_state_display()
            )
        )
    if seen is not None and seen != mark_of(held):
        raise OvertakenError(
            _("Somebody answered this since you opened it. What you wrote is still here and was "
              "not saved: look at the answer, then save yours if it says more.")
        )  # fmt: skip
    words = _required(words, "words", LONGEST_COMMENT)
    if held.kind == Kind.AMENDMENT and taken_up is None:
        raise ValidationError({"taken_up": _("Say whether you take the amendment up.")})
    taken_up = taken_up if held.kind == Kind.AMENDMENT else None
    if (held.answer, held.taken_up) == (words, taken_up):
        return held
    look_again(words, [held.proposal.title, held.by, by.label], names_no_pupil)
    held.answer, held.taken_up = words, taken_up
    held.answered_at, held.answered_by = timezone.now(), by.label[:300]
    held.save(update_fields=["answer", "taken_up", "answered_at", "answered_by"])
    audit.record(
        "alignment.answer_comment", by=by, target=held.proposal,
        detail=_detail(held, held.answer) | {"taken_up": taken_up},
    )  # fmt: skip
    told = [each for each in queries.people_of_appointment(held.appointment)
            if each.pk != by.person_id]  # fmt: skip
    notices.notify(told, ANSWERED, {"comment": held.pk}, key=f"comment-{held.pk}")
    return held


@transaction.atomic
def hide_comment(said: ProposalComment, *, by: Appointment, why: str = "") -> ProposalComment:
    """Hide a comment: the ministry with a reason, or whoever wrote it. It is kept, and logged."""
    held = _held_comment(said)
    own = held.appointment == str(by.pk)
    if not own and not queries.may_hide(by):
        raise PermissionDenied
    if held.hidden_at is not None:
        return held
    held.hidden_why = (
        _("taken back by its writer") if own else _required(why, "why", LONGEST_REASON)
    )
    held.hidden_at, held.hidden_by = timezone.now(), by.label[:300]
    held.save(update_fields=["hidden_at", "hidden_by", "hidden_why"])
    audit.record(
        "alignment.hide_comment", by=by, target=held.proposal,
        detail={"comment": held.pk, "why_sha256": _digest(held.hidden_why)},
    )  # fmt: skip
    return held


def mark_of(said: ProposalComment) -> str:
    """What tells the present answer from another; short enough for a form."""
    return said.answered_at.isoformat() if said.answered_at else ""


def _on_the_table(proposal: PriorityProposal) -> PriorityProposal:
    """The proposal, which nobody withdraws or merges until this is done."""
    audit.one_at_a_time()
    found = (
        PriorityProposal.objects.select_related(
            "agreement__cycle", "school__area", "partnership__lead_school__area", "area"
        )
    ).get(pk=proposal.pk)
    if found.state == PriorityProposal.State.DRAFT:
        raise PermissionDenied
    if found.state != PriorityProposal.State.OPEN:
        raise ValidationError(
            _("This proposal is {state}: nothing more can be said to it.").format(
                state=found.get_state_display()
            )
        )
    return found


def _held_comment(said: ProposalComment) -> ProposalComment:
    audit.one_at_a_time()
    return (
        ProposalComment.objects.select_for_update(of=("self",), no_key=True)
        .select_related(
            "proposal__agreement__cycle", "proposal__school__area", "proposal__area",
            "proposal__partnership__lead_school__area",
        )
        .get(pk=said.pk)
    )  # fmt: skip


def _required(words: str, name: str, most: int) -> str:
    words = words.replace("\0", "").replace("\r\n", "\n").strip()
    if not words:
        raise ValidationError({name: _("Say it in a few words.")})
    if len(words) > most:
        raise ValidationError({name: _("Keep it under {n} characters.").format(n=most)})
    return words


def _detail(said: ProposalComment, words: str) -> dict[str, object]:
    """Which words they were, without the words themselves."""
    return {"comment": said.pk, "kind": said.kind, "words_sha256": _digest(words)}


def _digest(words: str) -> str:
    return sha256(words.encode()).hexdigest()
