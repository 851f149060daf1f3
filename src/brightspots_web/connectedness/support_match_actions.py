"""From a shortlist to a match that both schools accept: the writes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness import support_states as states
from brightspots_web.connectedness.models import SupportMatch as Match
from brightspots_web.connectedness.models import SupportOffer as Offer
from brightspots_web.connectedness.models import SupportRequest as Request
from brightspots_web.connectedness.support_lock_actions import (
    check_open,
    check_room,
    held_match,
    held_request,
    names_of,
    required,
    saved,
    tell,
    tell_both,
    tell_officers,
    when,
)
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit, jobs
from brightspots_web.shared.models import Job
from brightspots_web.shared.permissions import Capability, may

MATCH = "connectedness.match_support"
SHORTLIST = 3


class Suggested(Protocol):
    """What brokering suggests, as far as it is kept."""

    @property
    def offer(self) -> int: ...
    @property
    def score(self) -> float: ...
    @property
    def distance_km(self) -> float | None: ...
    @property
    def reasons(self) -> Sequence[Mapping[str, Any]]: ...


@transaction.atomic
def keep_shortlist(
    request: Request, found: Sequence[Suggested], *, by: Appointment, seen: int | None = None
) -> list[Match]:
    """Keep what was suggested for a request, in the place of what nobody but officers saw."""
    request = held_request(request.pk, seen)
    if not queries.brokers_for(by, request.school):
        raise PermissionDenied
    _check_ready(request)
    made = _keep(request, found[:SHORTLIST], by=by)
    saved(request)
    detail = {"offers": [match.offer_id for match in made]}
    audit.record("connectedness.shortlist_support", by=by, target=request, detail=detail)
    return made


def _keep(request: Request, found: Iterable[Suggested], *, by: Appointment) -> list[Match]:
    """Write suggestions; those of an earlier list that were never put to anybody go."""
    Match.objects.filter(request=request, state=Match.State.SUGGESTED, put_at=None).delete()
    offers = {each.pk: each for each in queries.open_offers(request.priority, but=request.school)}
    now = timezone.now()
    made: list[Match] = []
    for each in found:
        if each.offer not in offers:
            continue  # taken back while the list was made
        made.append(
            Match.objects.create(
                request=request,
                offer=offers[each.offer],
                rank=len(made) + 1,
                score=each.score,
                distance_km=each.distance_km,
                reasons=[dict(reason) for reason in each.reasons],
                suggested_by=by.label[:300],
                suggested_at=now,
            )
        )
    return made


@transaction.atomic
def put(match: Match, *, by: Appointment, seen: int | None = None) -> Match:
    """An officer confirms a suggestion: from now on both schools see it and may answer."""
    match = held_match(match.pk, seen)
    request = match.request
    if not queries.brokers_for(by, request.school):
        raise PermissionDenied
    if match.state == Match.State.SUGGESTED and match.put_at is not None:
        return match  # pressed twice
    if match.state != Match.State.SUGGESTED:
        states.follow(states.MATCH, match.state, Match.State.ACCEPTED)
        raise ValidationError(_("This has been accepted already."))
    _check_ready(request)
    check_open(request.school)
    check_open(match.offer.school)
    check_room(match.offer, request.days, year=directory.today().year)
    match.offer.refresh_from_db(fields=["state", "until"])  # it is held now
    _check_stands(match.offer)
    _put(match, by=by)
    audit.record("connectedness.put_match", by=by, target=match, detail=names_of(match))
    return match


@transaction.atomic
def put_offer(
    request: Request, suggestion: Suggested, *, by: Appointment, seen: int | None = None
) -> Match:
    """An officer puts an offer to both schools that was not on the shortlist."""
    request = held_request(request.pk, seen)
    if not queries.brokers_for(by, request.school):
        raise PermissionDenied
    _check_ready(request)
    listed = Match.objects.filter(
        request=request, offer=suggestion.offer, state=Match.State.SUGGESTED
    ).first()
    if listed is None:
        offers = queries.offers_visible_to(by).filter(priority=request.priority)
        chosen = offers.exclude(school=request.school).filter(pk=suggestion.offer).first()
        if chosen is None:
            raise ValidationError(_("This offer does not fit the request any longer."))
        last = Match.objects.filter(request=request, state=Match.State.SUGGESTED).count()
        listed = Match.objects.create(
            request=request,
            offer=chosen,
            rank=last + 1,
            score=suggestion.score,
            distance_km=suggestion.distance_km,
            reasons=[dict(reason) for reason in suggestion.reasons],
            suggested_by=by.label[:300],
            suggested_at=timezone.now(),
        )
    saved(request)
    return put(listed, by=by)


@transaction.atomic
def accept(
    match: Match, *, by: Appointment, seen: int | None = None, at: datetime | None = None
) -> Match:
    """One side accepts. When both have, the leader's days are promised and nobody else's.

    `at` says when, where that is written down later; never before the request was asked.

    Raises
    ------
    ValidationError
        It lies with nobody any more, a school closed, or the leader has no days or no room left.
    """
    match = held_match(match.pk, seen)
    asker, giver = _sides(match, by)
    if match.state != Match.State.SUGGESTED:
        if match.state == Match.State.ACCEPTED:
            return match  # pressed twice
        states.follow(states.MATCH, match.state, Match.State.ACCEPTED)
    check_open(match.request.school)
    check_open(match.offer.school)
    check_room(match.offer, match.request.days, year=directory.today().year)
    now = max(when(at), match.request.agreed_at or match.request.asked_at)
    if asker and match.asker_accepted_at is None:
        match.asker_accepted_at, match.asker_accepted_by = now, by.label[:300]
    if giver and match.giver_accepted_at is None:
        match.giver_accepted_at, match.giver_accepted_by = now, by.label[:300]
    both = match.asker_accepted_at is not None and match.giver_accepted_at is not None
    if both:
        match.state = states.follow(states.MATCH, match.state, Match.State.ACCEPTED)
    saved(
        match,
        *("state", "asker_accepted_at", "asker_accepted_by"),
        *("giver_accepted_at", "giver_accepted_by"),
    )
    audit.record("connectedness.accept_match", by=by, target=match, detail=names_of(match))
    if both:
        _matched(match, by)
    else:
        school = match.offer.school if asker else match.request.school
        tell(people.heads_of(school), "accepted", match.request, by=by, **names_of(match))
    return match


def _matched(match: Match, by: Appointment) -> None:
    request = match.request
    request.state = states.follow(states.REQUEST, request.state, Request.State.MATCHED)
    saved(request, "state")
    for other in Match.objects.filter(request=request, state=Match.State.SUGGESTED):
        other.state = states.follow(states.MATCH, other.state, Match.State.WITHDRAWN)
        saved(other, "state")
    tell_both(match, "matched", by=by)
    tell_officers(request, "matched", by=by, gives=match.offer.school.name)


@transaction.atomic
def decline(match: Match, *, by: Appointment, why: str, seen: int | None = None) -> Match | None:
    """One side declines, and says why to the officers; the next on the shortlist is put.

    Returns
    -------
    SupportMatch or None
        The match that is put next; None when the shortlist has no more.
    """
    match = held_match(match.pk, seen)
    _sides(match, by)
    to = states.follow(states.MATCH, match.state, Match.State.DECLINED)
    why = required(why, "why", _("Say why, so that the next suggestion fits better."))
    _end(match, to, by, why)
    audit.record("connectedness.decline_match", by=by, target=match, detail=names_of(match))
    following = put_next(match.request, by=by)
    tell_both(match, "declined", by=by)
    tell_officers(match.request, "declined" if following else "no_more", by=by)
    return following


def put_next(request: Request, *, by: Appointment) -> Match | None:
    """Put the next suggestion that still stands to both schools; the request is held."""
    waiting = Match.objects.filter(request=request, state=Match.State.SUGGESTED, put_at=None)
    for match in waiting.select_related("offer__school").order_by("rank", "pk"):
        try:
            check_open(match.offer.school)
            _check_stands(match.offer)
            check_room(match.offer, request.days, year=directory.today().year)
        except ValidationError as problem:
            to = states.follow(states.MATCH, match.state, Match.State.WITHDRAWN)
            _end(match, to, by, " ".join(problem.messages)[:500])
            continue
        _put(match, by=by)
        audit.record("connectedness.put_match", by=by, target=match, detail=names_of(match))
        return match
    return None


def drop(match: Match, *, by: Appointment, why: str) -> None:
    """Take back a suggestion whose offer does not stand any more; the next takes its place."""
    was_put = match.put_at is not None
    to = states.follow(states.MATCH, match.state, Match.State.WITHDRAWN)
    _end(match, to, by, why)
    if was_put:
        tell_both(match, "declined", by=by)
        following = put_next(match.request, by=by)
        tell_officers(match.request, "declined" if following else "no_more", by=by)


@transaction.atomic
def withdraw_match(match: Match, *, by: Appointment, why: str, seen: int | None = None) -> Match:
    """Take back a match: after acceptance the request returns to the queue, its priority kept.

    Either school may, and an officer of the area. Where support is under way already, it is ended
    on its own page.
    """
    match = held_match(match.pk, seen)
    officer = queries.brokers_for(by, match.request.school)
    if not officer:
        _sides(match, by)
        if match.state == Match.State.SUGGESTED:
            raise ValidationError(_("You have not both accepted yet: decline it instead."))
    if queries.deployment_of(match) is not None:
        raise ValidationError(_("Support is under way or over: see its own page."))
    was_accepted = match.state == Match.State.ACCEPTED
    to = states.follow(states.MATCH, match.state, Match.State.WITHDRAWN)
    why = required(why, "why", _("Say why, so that the others understand."))
    was_put = match.put_at is not None
    _end(match, to, by, why)
    if was_accepted:
        back_to_queue(match.request)
    audit.record("connectedness.withdraw_match", by=by, target=match, detail=names_of(match))
    if was_put:
        tell_both(match, "returned", by=by)
        tell_officers(match.request, "returned", by=by)
    return match


def back_to_queue(request: Request) -> None:
    """Ready to match again: how soon, and since when it was asked, stay as they were."""
    request.state = states.follow(states.REQUEST, request.state, Request.State.READY)
    saved(request, "state")


@transaction.atomic
def ask_for_matching(*, by: Appointment) -> Job:
    """Queue the matching of all requests in sight that are ready; officers confirm each."""
    if not may(by, Capability.BROKER):
        raise PermissionDenied
    job = jobs.enqueue(MATCH, by=by, title=_("Suggest matches for support"), parameters={})
    audit.record("connectedness.ask_for_matching", by=by, target=job)
    return job


@transaction.atomic
def keep_matching(found: Mapping[int, Sequence[Suggested]], *, by: Appointment) -> int:
    """Keep what the matching suggests; requests that moved on meanwhile are left alone.

    Safe to run twice: a request that has suggestions keeps them.
    """
    kept = 0
    for key in sorted(found):
        request = Request.objects.select_for_update(no_key=True).filter(pk=key).first()
        if request is None or request.state != Request.State.READY or not found[key]:
            continue
        if Match.objects.filter(request=request, state=Match.State.SUGGESTED).exists():
            continue
        if _keep(request, found[key][:SHORTLIST], by=by):
            saved(request)
            kept += 1
    if kept:
        audit.record("connectedness.match_support", by=by, detail={"requests": kept})
    return kept


def _put(match: Match, *, by: Appointment) -> None:
    match.put_by, match.put_at = by.label[:300], timezone.now()
    saved(match, "put_by", "put_at")
    tell_both(match, "put", by=by)


def _end(match: Match, to: Match.State, by: Appointment, why: str) -> None:
    match.state, match.ended_by, match.ended_why = to, by.label[:300], why
    saved(match, "state", "ended_by", "ended_why")


def _sides(match: Match, by: Appointment) -> tuple[bool, bool]:
    """Whether somebody answers for the school that asks, and for the one that gives."""
    asker = queries.answers_for(by, match.request.school_id)
    giver = queries.answers_for(by, match.offer.school_id)
    if match.put_at is None or not (asker or giver):
        raise PermissionDenied
    return asker, giver


def _check_ready(request: Request) -> None:
    if request.state == Request.State.ASKED and request.agreed_at is None:
        raise ValidationError(_("The school's head has not agreed yet."))
    if request.state != Request.State.READY:
        states.follow(states.REQUEST, request.state, Request.State.MATCHED)
        raise ValidationError(
            _("This request is “{state}”: there is nothing to match now.").format(
                state=request.get_state_display()
            )
        )
    lies = Match.objects.filter(
        request=request, state=Match.State.SUGGESTED, put_at__isnull=False
    ).exists()
    if lies:
        raise ValidationError(
            _("A match lies with both schools. Wait for their answer, or take it back first.")
        )


def _check_stands(offer: Offer) -> None:
    late = offer.until is not None and offer.until < directory.today()
    if offer.state != Offer.State.OPEN or late:
        raise ValidationError(
            _("The offer of {school} does not stand at this time.").format(school=offer.school.name)
        )
