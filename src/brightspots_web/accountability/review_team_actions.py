"""The team of a peer review: asked, comes or cannot, a conflict declared or found, who leads."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import review_people_queries as peers
from brightspots_web.accountability import review_queries as queries
from brightspots_web.accountability import review_tell as tell
from brightspots_web.accountability.models import PeerReview, Reviewer
from brightspots_web.accountability.review_actions import (
    LONGEST,
    check_state,
    held,
    host_only,
    required,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared import audit

State = PeerReview.State
Seat = Reviewer.State
MOST_PEERS = 6
WEEK = timedelta(days=7)
BEFORE_VISIT = (State.TEAM, State.SCHEDULED)


@transaction.atomic
def invite(
    review: PeerReview, person: Person, *, by: Appointment, leads: bool = False
) -> Reviewer:  # fmt: skip
    """Ask a peer to come. Asked twice, one is asked once; who declined may be asked again.

    Raises
    ------
    ValidationError
        The team is full, somebody leads it already, or something speaks against this person.
    """
    found = held(review, None)
    host_only(found, by)
    check_state(found, *BEFORE_VISIT)
    seat = Reviewer.objects.filter(review=found, person=person).first()
    if seat is not None and seat.state in queries.SEATED:
        return seat
    if seat is not None and seat.state == Seat.STOOD_DOWN:
        raise ValidationError(
            {"person": _("{who} stood down: a conflict of interest.").format(who=person)}
        )
    audit.one_at_a_time()  # of two hosts who ask at once, the second sees what the first took
    if found.team.filter(state__in=queries.SEATED).count() >= MOST_PEERS:
        raise ValidationError(_("A team has six peers at most. See who answers first."))
    judged = peers.candidate(person, found)
    if judged is None:
        raise ValidationError({"person": _("Choose somebody who heads another school.")})
    if not judged.may_come:
        words = _("{who} cannot be asked: {why}.").format(who=person, why=judged.why_not)
        raise ValidationError({"person": words})
    seat = seat or Reviewer(review=found, person=person)
    seat.name, seat.school = judged.person.name[:300], judged.school
    if leads and _leading(found):
        raise ValidationError(
            {"leads": _("Somebody leads the team already. You can change that on the page.")}
        )
    seat.state, seat.leads = Seat.ASKED, leads
    seat.asked_at, seat.asked_by, seat.answered_at = timezone.now(), by.label[:300], None
    seat.save()
    audit.record(
        "accountability.invite_reviewer", by=by, target=found, detail={"school": seat.school.code}
    )
    tell.peer(seat, "asked", by=by)
    return seat


@transaction.atomic
def accept(seat: Reviewer, *, by: Appointment) -> Reviewer:
    """The peer comes, and says that nothing stands between them and the host."""
    found = _own(seat, by)
    if found.state == Seat.ACCEPTED:
        return found
    _check_waits(found)
    judged = peers.candidate(by.person, found.review)
    if judged is None:
        raise ValidationError(_("Peers head a school themselves; you do not at present."))
    if judged.conflicts:
        raise ValidationError(
            _(
                "Something stands between you and this school now: {why}. Say that you have a "
                "conflict; nobody thinks less of you."
            ).format(why="; ".join(judged.conflicts))
        )
    found.state, found.answered_at = Seat.ACCEPTED, timezone.now()
    found.save()
    audit.record("accountability.accept_review", by=by, target=found.review)
    tell.host(found.review, "comes", by=by, seat=found.pk)
    return found


@transaction.atomic
def decline(seat: Reviewer, *, by: Appointment) -> Reviewer:
    """The peer cannot come, before the visit; no reason is asked for."""
    found = _own(seat, by)
    if found.state == Seat.DECLINED:
        return found
    if found.state == Seat.STOOD_DOWN:
        raise ValidationError(_("You stood down from this review already."))
    check_state(found.review, *queries.BEFORE)
    found.state, found.answered_at = Seat.DECLINED, timezone.now()
    found.save()
    audit.record("accountability.decline_review", by=by, target=found.review)
    tell.host(found.review, "cannot", by=by, seat=found.pk)
    return found


@transaction.atomic
def stand_down(seat: Reviewer, why: str, *, by: Appointment) -> Reviewer:
    """A conflict of interest: declared by the peer, or found by host or leader, then or later.

    What the peer wrote by then stays and is marked; findings made afterwards do not rest on it.
    """
    found = _held(seat)
    own = _is_own(found, by)
    review = found.review
    if not (own or queries.is_host(by, review) or queries.is_leader(by, review)):
        raise PermissionDenied
    if found.state == Seat.STOOD_DOWN:
        return found
    if found.state == Seat.DECLINED:
        raise ValidationError(_("{who} does not come: there is nothing to find.").format(
            who=found.name
        ))  # fmt: skip
    if review.state == State.CALLED_OFF:
        check_state(review)
    found.conflict = required(why, "why", LONGEST["why"])
    now = timezone.now()
    if review.state in queries.HAPPENED or found.evidence.exists():
        found.conflict_found_at, found.conflict_found_by = now, by.label[:300]
    found.state, found.answered_at = Seat.STOOD_DOWN, now
    found.save()
    audit.record(
        "accountability.stand_down_reviewer", by=by, target=review,
        detail={"school": found.school.code, "review_was": review.state},
    )  # fmt: skip
    tell.host(review, "conflict", by=by, seat=found.pk)
    if not own:
        tell.peer(found, "stood_down", by=by)
    return found


@transaction.atomic
def make_lead(seat: Reviewer, *, by: Appointment) -> Reviewer:
    """Somebody else of the team leads it."""
    found = _held(seat)
    host_only(found.review, by)
    check_state(found.review, *BEFORE_VISIT)
    if found.state not in queries.SEATED:
        raise ValidationError(_("{who} does not come.").format(who=found.name))
    if found.leads:
        return found
    found.review.team.filter(leads=True).update(leads=False)
    found.leads = True
    found.save()
    audit.record("accountability.lead_review", by=by, target=found.review)
    return found


@transaction.atomic
def take_back(seat: Reviewer, *, by: Appointment) -> None:
    """Ask no longer for somebody who has not answered."""
    found = _held(seat)
    host_only(found.review, by)
    if found.state != Seat.ASKED:
        raise ValidationError(_("{who} has answered already.").format(who=found.name))
    check_state(found.review, *BEFORE_VISIT)
    audit.record(
        "accountability.take_back_invitation", by=by, target=found.review,
        detail={"school": found.school.code},
    )  # fmt: skip
    found.delete()


# What the worker does every day


def look_after(on: date | None = None) -> int:
    """Remind of visits soon, and let nobody stand in a team who heads no school any longer."""
    today = on or directory.today()
    return _release() + _remind(today)


def _release() -> int:
    seats = list(queries.seats_to_look_after())
    still = peers.still_heads(each.person_id for each in seats if each.person_id is not None)
    told = 0
    for each in seats:
        if each.person_id in still:
            continue
        with transaction.atomic():
            found = _held(each)
            if found.state not in queries.SEATED or found.review.state not in queries.BEFORE:
                continue
            found.state, found.answered_at = Seat.DECLINED, timezone.now()
            found.save()
            audit.record(
                "accountability.release_reviewer", by=command_line_operator(), target=found.review
            )
            tell.host(found.review, "left", seat=found.pk)
            told += 1
    return told


def _remind(today: date) -> int:
    told = 0
    for each in queries.to_look_after(today, today + WEEK):
        with transaction.atomic():
            mine = PeerReview.objects.filter(
                pk=each.pk, state=State.SCHEDULED, visit_on=each.visit_on, reminded=each.reminded
            )
            if mine.update(reminded=queries.SOON):
                tell.everybody(each, "soon")
                told += 1
    return told


# What several of them need


def _held(seat: Reviewer) -> Reviewer:
    """The seat and its review, held until the transaction ends."""
    review = held(seat.review, None)
    rows = Reviewer.objects.select_for_update(of=("self",), no_key=True).select_related(
        "school", "person"
    )
    found = rows.filter(pk=seat.pk).first()
    if found is None:
        raise ValidationError(_("The invitation was taken back."))
    found.review = review
    return found


def _is_own(seat: Reviewer, by: Appointment) -> bool:
    return queries.takes_part(by) and seat.person_id == by.person_id


def _own(seat: Reviewer, by: Appointment) -> Reviewer:
    found = _held(seat)
    if not _is_own(found, by):
        raise PermissionDenied
    return found


def _check_waits(seat: Reviewer) -> None:
    check_state(seat.review, *BEFORE_VISIT)
    if seat.state != Seat.ASKED:
        raise ValidationError(_("You answered already. If you can come now, ask the school."))


def _leading(review: PeerReview) -> bool:
    return review.team.filter(leads=True, state__in=queries.SEATED).exists()
