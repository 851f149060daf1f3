"""Making one of two proposals, when the authors of both agree."""

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import agreement_words
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment.models import MergeWish, PriorityProposal
from brightspots_web.alignment.proposal_actions import (
    MERGE_DECLINED,
    decline_wishes,
    tell_answering,
)
from brightspots_web.directory.models import Appointment
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit

State = PriorityProposal.State
Wish = MergeWish.State
LONGEST_WORDS = 500
WISHED = "alignment.merge_wished"
MERGED = "alignment.merged"
DECLINED = MERGE_DECLINED


@transaction.atomic
def wish(
    proposal: PriorityProposal, into: PriorityProposal, *, by: Appointment, words: str = ""
) -> MergeWish:
    """Wish that a proposal go into another; whoever wishes agrees for the own side.

    Both authors may, and the ministry, which agrees for nobody but itself. Pressed twice, it is
    wished once. One who answers for both has thereby merged them.

    Raises
    ------
    PermissionDenied
        The appointment is neither the ministry nor answers for one of the two.
    ValidationError
        The two cannot be merged (any more), or a wish the other way round is waiting.
    """
    one, other = _both(proposal, into)
    if not (queries.may_wish(by, one) or queries.may_wish(by, other)):
        _must_be_mergeable(one, other)
        raise PermissionDenied
    _must_be_mergeable(one, other)
    words = words.replace("\0", "").strip()
    if len(words) > LONGEST_WORDS:
        raise ValidationError({"words": _("Keep it under {n} characters.").format(n=LONGEST_WORDS)})
    waiting = MergeWish.objects.filter(
        proposal__in=[one.pk, other.pk], into__in=[one.pk, other.pk], state=Wish.OPEN
    ).first()
    if waiting is not None:
        if waiting.proposal_id == one.pk:
            return waiting
        raise ValidationError(
            _("There is a wish to merge these two already, the other way round: answer that one.")
        )
    now = timezone.now()
    made = MergeWish.objects.create(
        proposal=one,
        into=other,
        words=words,
        by=by.label[:300],
        appointment=str(by.pk),
        at=now,
        consented_at=_consent(by, one, now),
        into_consented_at=_consent(by, other, now),
    )
    audit.record(
        "alignment.wish_merge", by=by, target=one, detail={"wish": made.pk, "into": other.pk}
    )
    if made.consented_at and made.into_consented_at:
        return _merge(made, by)
    for side, consented in ((one, made.consented_at), (other, made.into_consented_at)):
        if not consented:
            tell_answering(side, WISHED, {"wish": made.pk}, key=f"wish-{made.pk}", but=by)
    return made


@transaction.atomic
def agree(wished: MergeWish, *, by: Appointment) -> MergeWish:
    """Agree for the side one answers for; when both have, the two are one."""
    held = _waiting(wished)
    now = timezone.now()
    sides = (_consent(by, held.proposal, now), _consent(by, held.into, now))
    if not any(sides):
        raise PermissionDenied
    if held.state == Wish.AGREED:
        return held
    _must_wait(held)
    _must_be_mergeable(held.proposal, held.into)
    held.consented_at = held.consented_at or sides[0]
    held.into_consented_at = held.into_consented_at or sides[1]
    held.save(update_fields=["consented_at", "into_consented_at"])
    audit.record("alignment.agree_merge", by=by, target=held.proposal, detail={"wish": held.pk})
    if held.consented_at and held.into_consented_at:
        return _merge(held, by)
    return held


@transaction.atomic
def decline(wished: MergeWish, *, by: Appointment) -> MergeWish:
    """Decline, or take one's own wish back. Both proposals stay as they are, and that is fine."""
    held = _waiting(wished)
    if not may_decline(by, held):
        raise PermissionDenied
    if held.state == Wish.DECLINED:
        return held
    _must_wait(held)
    held.state = Wish.DECLINED
    held.save(update_fields=["state"])
    audit.record("alignment.decline_merge", by=by, target=held.proposal, detail={"wish": held.pk})
    _tell_all(held, DECLINED, by)
    return held


def may_decline(acting: Appointment | None, wished: MergeWish) -> bool:
    """Whoever answers for one of the two, and whoever wished it."""
    return (
        queries.may_answer(acting, wished.proposal)
        or queries.may_answer(acting, wished.into)
        or (acting is not None and wished.appointment == str(acting.pk))
    )


def _merge(held: MergeWish, by: Appointment) -> MergeWish:
    """One carries on; the other leads to it, with its text, its author and what was said to it."""
    gone, stays = held.proposal, held.into
    gone.state, gone.merged_into = State.MERGED, stays
    gone.version += 1
    gone.changed_at = timezone.now()
    gone.save()
    held.state = Wish.AGREED
    held.save(update_fields=["state"])
    decline_wishes(gone, by=by, but=held.pk)
    audit.record(
        "alignment.merge_proposals", by=by, target=gone,
        detail={"into": stays.pk, "wish": held.pk},
    )  # fmt: skip
    _tell_all(held, MERGED, by)
    return held


def _tell_all(held: MergeWish, kind: str, by: Appointment) -> None:
    """Whoever answers for either, and whoever wished it."""
    sides = (queries.answering_for(held.proposal), queries.answering_for(held.into))
    people = [each.person for side in sides for each in side.appointments]
    people += queries.people_of_appointment(held.appointment)
    others = [each for each in people if each.pk != by.person_id]
    notices.notify(others, kind, {"wish": held.pk}, key=f"wish-{held.pk}")


def _consent(by: Appointment, proposal: PriorityProposal, now: datetime) -> datetime | None:
    return now if queries.may_answer(by, proposal) else None


def _both(
    proposal: PriorityProposal, into: PriorityProposal
) -> tuple[PriorityProposal, PriorityProposal]:
    """Both rows, held in the order of their keys, so that two who wish at once do not wait."""
    audit.one_at_a_time()
    rows = (
        PriorityProposal.objects.select_for_update(of=("self",), no_key=True)
        .select_related(
            "agreement__cycle", "school__area", "partnership__lead_school__area", "area"
        )
        .filter(pk__in=[proposal.pk, into.pk])
        .order_by("pk")
    )
    found = {each.pk: each for each in rows}
    return found[proposal.pk], found[into.pk]


def _waiting(wished: MergeWish) -> MergeWish:
    one, other = _both(wished.proposal, wished.into)
    held = MergeWish.objects.select_for_update(no_key=True).get(pk=wished.pk)
    held.proposal, held.into = one, other
    return held


def _must_wait(held: MergeWish) -> None:
    if held.state != Wish.OPEN:
        raise ValidationError(
            _("This wish is {state} by now.").format(state=held.get_state_display())
        )


def _must_be_mergeable(one: PriorityProposal, other: PriorityProposal) -> None:
    if one.pk == other.pk:
        raise ValidationError(_("Choose another proposal: one cannot go into itself."))
    if one.agreement_id != other.agreement_id:
        raise ValidationError(_("Only proposals of the same cycle can become one."))
    for each in (one, other):
        if each.state != State.OPEN:
            raise ValidationError(
                _("“{title}” is {state}: only proposals on the table can become one.").format(
                    title=each.title, state=each.get_state_display()
                )
            )
    if not queries.can_be_merged(one):
        raise ValidationError(
            _("Proposals can become one until the consultation ends. {now}").format(
                now=agreement_words.where_we_are(one.agreement)
            )
        )
