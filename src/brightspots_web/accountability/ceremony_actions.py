"""Scoring: by the school itself, and by peers beside it; and by which rules.

The audit trail is read outside the partnership: it says that something was done, never a score or
a word of it.
"""

from collections.abc import Iterable, Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import ceremony_queries as queries
from brightspots_web.accountability import ceremony_tell as tell
from brightspots_web.accountability import pledge_actions as promises
from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability import pledge_value_queries as values
from brightspots_web.accountability.pledge_actions import check_seen, check_state, held, lock, save
from brightspots_web.accountability.pledge_models import Pledge, PledgeScore, PledgeSettings
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared import audit
from brightspots_web.shared import settings_actions as settings

State = Pledge.State
Peer = PledgeScore.State
LONGEST = {"reason": 1000, "why": 500}
LIMITS = {
    "highest_score": (2, 100),
    "own_weight": (0, 100),
    "verifiers": (1, 4),
    "check_in_days": (7, 180),
}
"""Between which numbers the ministry may choose."""
MOST_ASKED = 8


@transaction.atomic
def score(
    pledge: Pledge,
    points: int,
    reason: str,
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> Pledge:
    """Score one's own promise, with the reason; the published value is kept as it is known now.

    The same sent twice is one score. It may be put right until the first peer has scored.

    Raises
    ------
    ValidationError
        It does not run, the score is not on the scale, no reason is given, a peer has scored.
    OvertakenError
        Somebody else was quicker; nothing is saved.
    """
    found = held(pledge, by)
    reason_kept = promises.plain(reason)
    if found.state in queries.SCORED and (found.self_score, found.self_reason) == (
        points,
        reason_kept,
    ):
        return found
    check_state(found, *pledges.RUNS, State.SCORED, State.VERIFIED)
    if any(each.score is not None for each in queries.scores_of(found)):
        raise ValidationError(
            _("A peer has scored it by now: your own score stays as the peer read it.")
        )
    check_seen(found, seen)
    reason = promises.required(reason, "reason", LONGEST["reason"])
    check_names(found, reason, names_no_pupil)
    audit.one_at_a_time()  # the scale is not changed meanwhile
    _check_points(points, pledges.settings())
    found.self_score, found.self_reason = points, reason
    found.self_known = _published(found)
    found.self_by, found.self_at = by.label[:300], timezone.now()
    found.state = State.SCORED
    save(found)
    audit.record("accountability.score_pledge", by=by, target=found)
    return found


@transaction.atomic
def ask(pledge: Pledge, people: Iterable[Person], *, by: Appointment) -> list[PledgeScore]:
    """Ask heads or leaders of other schools to verify a promise; asked twice, asked once.

    Raises
    ------
    ValidationError
        It is not scored yet, enough are asked, or somebody who cannot be asked.
    """
    found = held(pledge, by)
    check_scored(found)
    if found.outcome:
        raise ValidationError(_("You have said what became of it: nobody is asked any more."))
    chosen = {each.pk: each for each in people}
    rows = PledgeScore.objects.filter(pledge=found)
    for key in rows.filter(state__in=[Peer.ASKED, Peer.SCORED]).values_list("person", flat=True):
        chosen.pop(key or 0, None)
    if not chosen:
        return []
    able = {each.person_id: each for each in queries.may_verify(found)}
    if any(key not in able for key in chosen):
        raise ValidationError(
            {"first": _("Choose heads or leaders of other schools, one of each school.")}
        )
    schools = {able[key].school_id for key in chosen}
    free = queries.places_free(found, pledges.settings())
    if len(schools) < len(chosen):
        raise ValidationError({"first": _("Choose people of different schools.")})
    if len(chosen) > free:
        raise ValidationError({"first": _too_many(free)})
    if rows.count() + len(chosen) > MOST_ASKED:
        raise ValidationError(
            {"first": _("Eight have been asked by now: wait for those who may still score.")}
        )
    return [_ask(found, able[key], by) for key in chosen]


def _too_many(free: int) -> str:
    if not free:
        return _("Enough peers are asked. Once one has left or cannot, you may ask another.")
    return ngettext(
        "You may ask {n} more peer at present.", "You may ask {n} more peers at present.", free
    ).format(n=free)


def _ask(pledge: Pledge, appointment: Appointment, by: Appointment) -> PledgeScore:
    row, _made = PledgeScore.objects.update_or_create(
        pledge=pledge,
        school=appointment.school,
        defaults={
            "person": appointment.person,
            "name": appointment.label[:300],
            "state": Peer.ASKED,
            "asked_at": timezone.now(),
            "asked_by": by.label[:300],
            "why": "",
            "why_by": "",
            "why_at": None,
        },
    )
    row.pledge = pledge
    audit.record("accountability.ask_peer", by=by, target=pledge, detail={"peer": row.pk})
    tell.asked(row, by=by)
    return row


@transaction.atomic
def verify(
    pledge: Pledge,
    points: int,
    reason: str,
    *,
    by: Appointment,
    names_no_pupil: bool = False,
) -> PledgeScore:
    """Score the promise of another school as a peer; said once, and not changed afterwards.

    Raises
    ------
    PermissionDenied
        Somebody who was not asked, or answers for that school no longer.
    ValidationError
        It was withdrawn, it is closed, a conflict stands between, or the score cannot be.
    """
    found = lock(pledge)
    mine = _asked(found, by)
    if (mine.score, mine.reason) == (points, promises.plain(reason)):
        return mine
    if mine.score is not None:
        raise ValidationError(_("You have scored it already, and what you said stays."))
    check_scored(found)
    _check_open(found)
    if mine.state == Peer.CANNOT:
        raise ValidationError(
            _("You said that you cannot. If you can now, ask the school to ask you again.")
        )
    if queries.is_of_school(by.person_id, found.set.school):
        raise ValidationError(
            _("You work at the school that promises, or answer for it. Say that you cannot.")
        )
    reason = promises.required(reason, "reason", LONGEST["reason"])
    check_names(found, reason, names_no_pupil)
    rule = pledges.settings()
    _check_points(points, rule)
    mine.score, mine.reason, mine.state = points, reason, Peer.SCORED
    mine.known, mine.scored_at = _published(found), timezone.now()
    mine.save()
    _settle(found, rule)
    audit.record("accountability.verify_pledge", by=by, target=found, detail={"peer": mine.pk})
    tell.verified(mine, by=by)
    return mine


@transaction.atomic
def cannot(pledge: Pledge, why: str, *, by: Appointment) -> PledgeScore:
    """Say that one cannot verify a promise, and why; the school asks another."""
    found = lock(pledge)
    mine = _asked(found, by)
    if mine.state == Peer.CANNOT:
        return mine
    if mine.score is not None:
        raise ValidationError(_("You have scored it already, and what you said stays."))
    check_scored(found)
    mine.why = promises.required(why, "why", LONGEST["why"])
    mine.state, mine.why_by, mine.why_at = Peer.CANNOT, by.label[:300], timezone.now()
    mine.save()
    audit.record("accountability.cannot_verify", by=by, target=found, detail={"peer": mine.pk})
    tell.freed(mine, "cannot", by=by)
    return mine


@transaction.atomic
def leave(score: PledgeScore, *, by: Appointment) -> bool:
    """Mark a peer who left before scoring, once, and tell the school to ask another."""
    pledge = lock(score.pledge)
    here = PledgeScore.objects.filter(pk=score.pk, state=Peer.ASKED, person=score.person_id)
    if not here.update(state=Peer.LEFT):
        return False
    audit.record("accountability.peer_left", by=by, target=pledge, detail={"peer": score.pk})
    score.pledge = pledge
    tell.freed(score, "left", by=by)
    return True


@transaction.atomic
def weigh(
    score: PledgeScore, why: str, *, by: Appointment, counts: bool, seen: int | None = None
) -> PledgeScore:
    """Set a peer's score aside for a conflict of interest, or let it count again, with a reason.

    It stays on the page, struck through, with who set it aside and why; the place is free for
    another peer. Where fewer count than are asked for, the promise is self-scored again.

    Raises
    ------
    PermissionDenied
        Somebody of the school that promises, or without a part in the promise.
    """
    found = lock(score.pledge)
    rows = {each.pk: each for each in queries.scores_of(found)}
    row = rows.get(score.pk)
    if row is None or row.pk not in {
        e.pk for e in queries.to_weigh(by, found, list(rows.values()))
    }:
        if found.state == State.WITHDRAWN:
            check_state(found)
        raise PermissionDenied
    wanted = Peer.SCORED if counts else Peer.ASIDE
    if row.state == wanted:
        return row
    check_seen(found, seen)
    row.pledge = found
    row.why = promises.required(why, "why", LONGEST["why"])
    row.state, row.why_by, row.why_at = wanted, by.label[:300], timezone.now()
    row.save()
    _settle(found, pledges.settings())
    event = "again" if counts else "aside"
    verb = "count_score_again" if counts else "set_score_aside"
    audit.record(f"accountability.{verb}", by=by, target=found, detail={"peer": row.pk})
    tell.weighed(row, event, by=by)
    return row


@transaction.atomic
def set_rules(given: Mapping[str, int], *, by: Appointment, seen: int | None) -> PledgeSettings:
    """Set the scale, the weight of the own half, how many peers verify, and days to check in.

    Where fewer peers are asked for, promises that so many have scored are verified.

    Raises
    ------
    ValidationError
        A number cannot be, or something is scored on the scale by now.
    OvertakenError
        Somebody else set them meanwhile; nothing is saved.
    """
    if not queries.may_set(by):
        raise PermissionDenied
    # In the order in which scoring holds them: promises, then the trail.
    list(
        Pledge.objects.select_for_update(no_key=True)
        .filter(state=State.SCORED)
        .order_by("pk")
        .values("pk")
    )
    found = settings.held(PledgeSettings, seen=seen)
    wanted = {name: given[name] for name in LIMITS}
    _check_rules(found, wanted)
    if not settings.set_in(found, wanted, event="accountability.set_pledges", by=by):
        return found
    for each in queries.verified_by_now(found):
        _settle(each, found)
    return found


def _check_rules(found: PledgeSettings, wanted: Mapping[str, int]) -> None:
    wrong = {
        name: _("Choose a number from {low} to {high}.").format(low=low, high=high)
        for name, (low, high) in LIMITS.items()
        if not low <= wanted[name] <= high
    }
    if wanted["highest_score"] != found.highest_score and queries.scale_is_fixed():
        wrong["highest_score"] = _(
            "Promises are scored from 0 to {highest} already. Two scales cannot be read side by "
            "side: it stays."
        ).format(highest=found.highest_score)
    if wrong:
        raise ValidationError(wrong)


# What several of them need


def check_scored(pledge: Pledge) -> None:
    if pledge.state in queries.SCORED:
        return
    if pledge.state == State.WITHDRAWN:
        raise ValidationError(
            _("It is withdrawn: it is scored and verified no more. Its page says why.")
        )
    raise ValidationError(_("Its school has not scored it yet: its own score comes first."))


def _check_open(pledge: Pledge) -> None:
    if not queries.is_open(pledge):
        raise ValidationError(
            _("Its school has said what became of it: it is closed for scores. Thank you.")
        )


def _check_points(points: int, rule: PledgeSettings) -> None:
    if not 0 <= points <= rule.highest_score:
        raise ValidationError(
            {
                "score": _("Give a whole number from 0 to {highest}.").format(
                    highest=rule.highest_score
                )
            }
        )


def check_names(pledge: Pledge, text: str, names_no_pupil: bool) -> None:
    known = [*promises.known_names(pledge.set.school, pledge.other_school)]
    known += [pledge.priority.title, pledge.indicator.name]
    promises.check_names(text, known, names_no_pupil)


def _published(pledge: Pledge) -> values.Known:
    school = pledge.other_school or pledge.set.school
    return values.published(school, pledge.priority, pledge.indicator)


def _asked(pledge: Pledge, by: Appointment) -> PledgeScore:
    """The row by which somebody was asked; the promise is held, and so is this."""
    row = queries.asked_to_verify(by, pledge)
    if row is None:
        raise PermissionDenied
    row.pledge = pledge
    return row


def _settle(pledge: Pledge, rule: PledgeSettings) -> None:
    """A promise is verified as long as enough peers' scores count."""
    wanted = State.VERIFIED if queries.enough(pledge, rule) else State.SCORED
    if pledge.state != wanted:
        pledge.state = wanted
        save(pledge)
