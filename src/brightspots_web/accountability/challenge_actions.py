"""Planning a challenge visit: whom, when, by whom; both prepare; called off, somebody else goes.

The audit trail is read outside the conversation: it says that something was done, never its words.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import challenge_brief_queries as briefs
from brightspots_web.accountability import challenge_people_queries as challengers
from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability import challenge_tell as tell
from brightspots_web.accountability.models import ChallengeSettings, ChallengeVisit
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.shared import audit
from brightspots_web.shared import settings_actions as settings
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.pupil_names import look_again

State = ChallengeVisit.State
Why = ChallengeVisit.Why
LONGEST = {
    "why_words": 500,
    "self_view": 3000,
    "record": 4000,
    "strengths": 2000,
    "school_words": 2000,
    "followed_words": 2000,
    "why": 500,
}
"""Characters a text may have."""
AGAIN_IN = timedelta(days=14)
"""So soon somebody else makes a visit anew; the day can be changed."""


@dataclass(frozen=True)
class Plan:
    """Why a school is visited, and when; by whom, where that is known already."""

    why: str
    why_words: str
    on: date
    challenger: Person | None = None


@transaction.atomic
def plan(school: School, given: Plan, *, by: Appointment) -> ChallengeVisit:
    """Plan a visit to a school. Sent twice, it is planned once.

    Raises
    ------
    PermissionDenied
        Somebody who plans no visits to this school.
    ValidationError
        The school has a visit under way, the day is past, or the challenger is not from outside.
    """
    if not queries.plans(by, school):
        raise PermissionDenied
    _check_open(school)
    if given.why not in Why.values:
        raise ValidationError({"why": _("Choose one of these.")})
    words = required(given.why_words, "why_words", LONGEST["why_words"])
    _check_day(given.on)
    same = _under_way(school)
    if same is not None:
        person = given.challenger.pk if given.challenger else None
        if (same.why_words, same.on, same.challenger_id) == (words, given.on, person):
            return same
        raise ValidationError(
            _("A visit to {school} is under way already. Open that one, or call it off.").format(
                school=school.name
            )
        )
    visit = _made(school, given.why, words, given.on, by)
    audit.record("accountability.plan_challenge", by=by, target=visit, detail={"why": given.why})
    if given.challenger is not None:
        _give(visit, given.challenger)
        visit.save()
        tell.challenger(visit, "to_go", by=by)
    tell.school(visit, "planned", by=by)
    return visit


@transaction.atomic
def ask(*, by: Appointment, words: str, on: date) -> ChallengeVisit:
    """A school asks for a visit itself; whoever plans visits there finds a challenger."""
    if not may(by, Capability.ASK_SUPPORT) or by.school is None:
        raise PermissionDenied
    _check_open(by.school)
    words = required(words, "words", LONGEST["why_words"])
    _check_day(on)
    same = _under_way(by.school)
    if same is not None:
        if same.why == Why.ASKED and same.why_words == words and same.on == on:
            return same
        raise ValidationError(_("A visit to your school is under way already."))
    visit = _made(by.school, Why.ASKED, words, on, by)
    audit.record("accountability.ask_challenge", by=by, target=visit)
    tell.planners(visit, "asked", by=by)
    return visit


@transaction.atomic
def assign(
    visit: ChallengeVisit, challenger: Person, *, by: Appointment, seen: int | None
) -> ChallengeVisit:
    """Ask somebody from outside to go; whoever was asked before need not."""
    found = held(visit, seen)
    if not queries.plans(by, found.school):
        raise PermissionDenied
    check_state(found, *queries.BEFORE)
    if found.challenger_id == challenger.pk:
        return found
    if found.challenger is not None:
        tell.challenger(found, "called_off", by=by)
    _give(found, challenger)
    save(found)
    audit.record("accountability.assign_challenger", by=by, target=found)
    tell.challenger(found, "to_go", by=by)
    return found


@transaction.atomic
def confirm(visit: ChallengeVisit, *, by: Appointment, seen: int | None) -> ChallengeVisit:
    """The challenger comes, and says that nothing stands against it; the brief is drawn now."""
    found = held(visit, seen)
    if not queries.challenges(by, found):
        raise PermissionDenied
    check_state(found, *queries.BEFORE)
    if found.brief_at is not None:
        return found
    found.brief, found.brief_at = briefs.drawn(found.school), timezone.now()
    _prepared(found)
    save(found)
    audit.record(
        "accountability.confirm_challenge", by=by, target=found,
        detail={"run": found.brief.get("run", "")},
    )  # fmt: skip
    tell.school(found, "comes", by=by)
    tell.planners(found, "comes", by=by)
    return found


@transaction.atomic
def step_back(visit: ChallengeVisit, *, by: Appointment, seen: int | None) -> ChallengeVisit:
    """The challenger cannot come, or should not; whoever plans finds somebody else."""
    found = held(visit, seen)
    if not queries.challenges(by, found):
        raise PermissionDenied
    check_state(found, *queries.BEFORE)
    release(found)
    audit.record("accountability.step_back_challenge", by=by, target=found)
    tell.planners(found, "cannot", by=by)
    return found


@transaction.atomic
def move(visit: ChallengeVisit, on: date, *, by: Appointment, seen: int | None) -> ChallengeVisit:
    """Put a visit on another day; everybody is told."""
    found = held(visit, seen)
    if not (queries.plans(by, found.school) or queries.challenges(by, found)):
        raise PermissionDenied
    check_state(found, *queries.BEFORE)
    if found.on == on:
        return found
    _check_day(on)
    found.on, found.reminded = on, ""
    save(found)
    audit.record("accountability.move_challenge", by=by, target=found)
    tell.everybody(found, "moved", by=by)
    return found


@transaction.atomic
def write_self_view(
    visit: ChallengeVisit,
    words: str,
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> ChallengeVisit:
    """The school's own view before the visit; it may be changed until the visit took place."""
    found = held(visit, seen)
    if not queries.hosts(by, found):
        raise PermissionDenied
    check_state(found, *queries.BEFORE)
    words = required(words, "self_view", LONGEST["self_view"])
    look_again(words, known(found, by), names_no_pupil)
    if words == found.self_view:
        return found
    first = found.self_view_at is None
    found.self_view, found.self_view_by = words, by.label[:300]
    found.self_view_at = timezone.now()
    _prepared(found)
    save(found)
    audit.record("accountability.write_self_view", by=by, target=found)
    if first:
        tell.challenger(found, "self_view", by=by)
    return found


@transaction.atomic
def call_off(
    visit: ChallengeVisit, why: str, *, by: Appointment, seen: int | None
) -> ChallengeVisit:
    """Call a visit off, and say why; its page stays. What was agreed is followed up instead."""
    found = held(visit, seen)
    if not may_call_off(by, found):
        raise PermissionDenied
    check_state(found, *queries.OPEN)
    found.called_off_why = required(why, "why", LONGEST["why"])
    found.state = State.CALLED_OFF
    save(found)
    audit.record("accountability.call_off_challenge", by=by, target=found)
    tell.everybody(found, "called_off", by=by)
    return found


def may_call_off(by: Appointment | None, visit: ChallengeVisit) -> bool:
    """Who plans visits there; the school itself as long as nobody was asked to come."""
    asked = visit.why == Why.ASKED and visit.challenger_id is None and visit.state == State.PLANNED
    return queries.plans(by, visit.school) or (asked and queries.hosts(by, visit))


@transaction.atomic
def stand_down(
    visit: ChallengeVisit,
    why: str,
    *,
    by: Appointment,
    seen: int | None,
    challenger: Person | None = None,
) -> ChallengeVisit:
    """A conflict of interest is found: the visit does not count, and another takes its place.

    What the challenger wrote stays on the old page, marked as not used. The school's own view goes
    with the school to the new visit, which is returned.

    Raises
    ------
    ValidationError
        It was followed up already, no reason is given, or the other one is not from outside.
    """
    found = held(visit, seen)
    if not (queries.plans(by, found.school) or queries.challenges(by, found)):
        raise PermissionDenied
    if found.state in queries.BEFORE:
        raise ValidationError(_("Nothing is written yet: choose somebody else instead."))
    check_state(found, State.HELD, State.AGREED)
    why = required(why, "why", 400)
    if _under_way(found.school, but=found) is not None:
        raise ValidationError(
            _("A visit to {school} is under way already. Open that one, or call it off.").format(
                school=found.school.name
            )
        )
    words = _("A conflict of interest was found, and somebody else goes: {why}").format(why=why)
    found.called_off_why, before = words[: LONGEST["why"]], found.state
    found.state = State.CALLED_OFF
    save(found)
    on = directory.today() + AGAIN_IN
    later = _made(found.school, found.why, found.why_words, on, by)
    later.self_view, later.self_view_by = found.self_view, found.self_view_by
    later.self_view_at = found.self_view_at
    if challenger is not None:
        _give(later, challenger)
    later.save()
    audit.record(
        "accountability.stand_down_challenger", by=by, target=found,
        detail={"was": before, "later": later.pk},
    )  # fmt: skip
    tell.challenger(found, "called_off", by=by)
    tell.school(later, "replaced", by=by)
    if challenger is None:
        tell.planners(later, "nobody", by=by)
    else:
        tell.challenger(later, "to_go", by=by)
    return later


@transaction.atomic
def set_settings(given: dict[str, int], *, by: Appointment, seen: int | None) -> ChallengeSettings:
    """Set how often every school is visited, and how soon what was agreed is looked at again."""
    if not may(by, Capability.SET_ACCOUNTABILITY):
        raise PermissionDenied
    found = settings.held(ChallengeSettings, seen=seen)
    settings.set_in(found, given, event="accountability.set_challenge", by=by)
    return found


# What several of them need


def held(visit: ChallengeVisit, seen: int | None) -> ChallengeVisit:
    """The row, held until the transaction ends; as it was when the person looked at it.

    Raises
    ------
    OvertakenError
        Somebody changed it since; nothing is saved.
    """
    rows = ChallengeVisit.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related("school__area", "challenger").get(pk=visit.pk)
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody changed this visit since you opened it; it is now “{state}”. What you "
                "wrote is still here and was not saved: look at it, then send yours if it still "
                "holds."
            ).format(state=found.get_state_display())
        )
    return found


def save(visit: ChallengeVisit) -> None:
    visit.version += 1
    visit.save()


def check_state(visit: ChallengeVisit, *states: str) -> None:
    if visit.state in states:
        return
    words = {
        State.PLANNED: _("The visit has not taken place yet."),
        State.READY: _("The visit has not taken place yet."),
        State.HELD: _("The visit took place, and its record is here already."),
        State.AGREED: _("What both sides do is agreed already."),
        State.CLOSED: _("This visit was followed up and is closed."),
        State.CALLED_OFF: _("This visit was called off; its page says why."),
    }
    raise ValidationError(words[State(visit.state)])


def release(visit: ChallengeVisit) -> None:
    """Nobody goes at present: what was drawn for the one who went is drawn anew for the next."""
    visit.challenger, visit.challenger_name = None, ""
    visit.brief, visit.brief_at = {}, None
    visit.state = State.PLANNED
    save(visit)


def known(visit: ChallengeVisit, by: Appointment) -> list[str]:
    """Names that are no pupils'."""
    return [visit.school.name, visit.school.area.name, visit.challenger_name, by.label]


def required(text: str, name: str, most: int) -> str:
    text = text.replace("\0", "").strip()
    if not text:
        raise ValidationError({name: _("Say it in a few words.")})
    if len(text) > most:
        raise ValidationError({name: _("Keep it under {n} characters.").format(n=most)})
    return text


def _made(school: School, why: str, words: str, on: date, by: Appointment) -> ChallengeVisit:
    return ChallengeVisit.objects.create(
        school=school, why=why, why_words=words, on=on, by=by.label[:300], at=timezone.now()
    )


def _give(visit: ChallengeVisit, person: Person) -> None:
    audit.one_at_a_time()  # of two who plan at once, the second sees the visits the first gave out
    judged = challengers.candidate(person, visit.school, visit.on)
    if judged is None:
        raise ValidationError(
            {"challenger": _("Choose a challenger from outside the area and the partnership.")}
        )
    if not judged.may_go:
        raise ValidationError(
            {"challenger": _("{who} should not go: {why}.").format(who=person, why=judged.why_not)}
        )
    visit.challenger, visit.challenger_name = person, str(judged.appointment.label)[:300]
    visit.brief, visit.brief_at = {}, None
    visit.state = State.PLANNED


def _prepared(visit: ChallengeVisit) -> None:
    if visit.brief_at is not None and visit.self_view_at is not None:
        visit.state = State.READY


def _under_way(school: School, but: Any = None) -> ChallengeVisit | None:
    """The open visit of a school, which is held: there is one at most, and none comes now."""
    hold_school(school)
    rows = ChallengeVisit.objects.filter(school=school, state__in=queries.OPEN)
    return rows.exclude(pk=but.pk if but else 0).first()


def _check_open(school: School) -> None:
    if school.closed is not None and school.closed <= directory.today():
        raise ValidationError(_("{school} is closed.").format(school=school.name))


def _check_day(on: date) -> None:
    if on < directory.today():
        raise ValidationError({"on": _("This day is past. Choose one to come.")})
