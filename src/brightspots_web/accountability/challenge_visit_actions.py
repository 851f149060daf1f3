"""What comes of a challenge visit: the record, the school's words, steps, follow-up, support."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability import challenge_tell as tell
from brightspots_web.accountability.challenge_actions import (
    LONGEST,
    check_state,
    held,
    known,
    required,
    save,
)
from brightspots_web.accountability.models import ChallengeStep, ChallengeVisit, Escalation
from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import support_actions
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit
from brightspots_web.shared.pupil_names import look_again

State = ChallengeVisit.State
Side = ChallengeStep.Side
MOST_STEPS = 12


@transaction.atomic
def write_record(
    visit: ChallengeVisit,
    *,
    by: Appointment,
    strengths: str,
    record: str,
    seen: int | None,
    names_no_pupil: bool = False,
) -> ChallengeVisit:
    """What the challenger was shown and asked, what the school does well before anything else.

    Raises
    ------
    ValidationError
        There is no strength yet, or the day is still to come.
    """
    found = held(visit, seen)
    if not queries.challenges(by, found):
        raise PermissionDenied
    check_state(found, *queries.OPEN)
    if found.brief_at is None:
        raise ValidationError(_("Say first that you come: the brief is drawn then."))
    if found.on > directory.today():
        raise ValidationError(_("The visit is still to come. Its record is written after it."))
    if not strengths.strip():
        raise ValidationError(
            {"strengths": _("Begin with what the school does well: what did you see?")}
        )
    strengths = required(strengths, "strengths", LONGEST["strengths"])
    record = required(record, "record", LONGEST["record"])
    look_again(f"{strengths}\n{record}", known(found, by), names_no_pupil)
    if (found.strengths, found.record) == (strengths, record):
        return found
    first = found.state != State.HELD
    found.strengths, found.record = strengths, record
    found.record_at = found.record_at or timezone.now()
    found.state = State.HELD
    if first:
        found.reminded = ""
    save(found)
    audit.record("accountability.write_challenge_record", by=by, target=found)
    tell.school(found, "record", by=by)
    if first:
        tell.planners(found, "to_agree", by=by)
    return found


@transaction.atomic
def add_words(
    visit: ChallengeVisit,
    words: str,
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> ChallengeVisit:
    """What the school adds or sees differently; it stands beside the record, which stays."""
    found = held(visit, seen)
    if not queries.hosts(by, found):
        raise PermissionDenied
    check_state(found, State.HELD, State.AGREED)
    words = required(words, "school_words", LONGEST["school_words"])
    look_again(words, known(found, by), names_no_pupil)
    if words == found.school_words:
        return found
    found.school_words, found.school_words_by = words, by.label[:300]
    save(found)
    audit.record("accountability.add_school_words", by=by, target=found)
    tell.challenger(found, "words", by=by)
    tell.planners(found, "words", by=by)
    return found


@dataclass(frozen=True)
class Step:
    """What is to be done after a visit."""

    what: str
    side: str
    owner: str
    due: date


def sides_of(by: Appointment | None, visit: ChallengeVisit) -> list[str]:
    """For which side somebody may write down steps: nobody promises for the system but itself."""
    found = []
    plans = queries.plans(by, visit.school)
    if plans or queries.challenges(by, visit) or queries.hosts(by, visit):
        found.append(str(Side.SCHOOL))
    if plans:
        found.append(str(Side.SYSTEM))
    return found


@transaction.atomic
def add_step(
    visit: ChallengeVisit, step: Step, *, by: Appointment, seen: int | None = None
) -> ChallengeStep:
    """Write down something to do; sent twice, it is there once.

    Until both agree, school, challenger and planner write steps for the school; those of the
    system are written by whoever plans visits there.
    """
    found = held(visit, seen)
    sides = sides_of(by, found)
    if not sides:
        raise PermissionDenied
    check_state(found, State.HELD)
    if step.side not in Side.values:
        raise ValidationError({"side": _("Choose one of these.")})
    if step.side not in sides:
        raise ValidationError(
            {"side": _("What the system does is promised by whoever plans the visits.")}
        )
    what = required(step.what, "what", 300)
    owner = required(step.owner, "owner", 300)
    if step.due < directory.today():
        raise ValidationError({"due": _("This day is past. Choose one to come.")})
    rows = ChallengeStep.objects.filter(visit=found)
    same = rows.filter(what=what, side=step.side, owner_name=owner, due=step.due).first()
    if same is not None:
        return same
    if rows.count() >= MOST_STEPS:
        raise ValidationError(
            _("That is much after one visit. A few steps are kept, many are not.")
        )
    made = ChallengeStep.objects.create(
        visit=found, what=what, side=step.side, owner_name=owner, due=step.due,
        by=by.label[:300], at=timezone.now(),
    )  # fmt: skip
    save(found)
    audit.record(
        "accountability.add_challenge_step", by=by, target=found, detail={"side": step.side}
    )
    if step.side == Side.SYSTEM:
        tell.school(found, "step", by=by)
    return made


@transaction.atomic
def drop_step(step: ChallengeStep, *, by: Appointment) -> ChallengeVisit:
    """Take a step away again, before both agree."""
    visit = held(step.visit, None)
    if step.side not in sides_of(by, visit):
        raise PermissionDenied
    check_state(visit, State.HELD)
    if ChallengeStep.objects.filter(pk=step.pk).delete()[0]:
        save(visit)
        audit.record("accountability.drop_challenge_step", by=by, target=visit)
    return visit


@transaction.atomic
def finish_step(step: ChallengeStep, *, by: Appointment, outcome: str, on: date) -> ChallengeStep:
    """Say what came of a step: done, or not done and why."""
    visit = held(step.visit, None)
    if step.side not in sides_of(by, visit):
        raise PermissionDenied
    check_state(visit, State.AGREED, State.CLOSED)
    found = ChallengeStep.objects.select_for_update(no_key=True).get(pk=step.pk)
    outcome = required(outcome, "outcome", 500)
    if found.done_on is not None:
        if (found.done_on, found.outcome) == (on, outcome):
            return found
        raise ValidationError(
            _("This is on record already: “{outcome}”").format(outcome=found.outcome)
        )
    if on > directory.today():
        raise ValidationError({"on": _("This day is yet to come.")})
    if on < visit.on:
        raise ValidationError({"on": _("This is before the visit.")})
    found.done_on, found.outcome = on, outcome
    found.save(update_fields=["done_on", "outcome"])
    audit.record("accountability.finish_challenge_step", by=by, target=visit)
    return found


@transaction.atomic
def agree(
    visit: ChallengeVisit, follow_up_on: date | None, *, by: Appointment, seen: int | None
) -> ChallengeVisit:
    """The school agrees to what both sides do, and to the day on which they look again.

    Raises
    ------
    ValidationError
        A side has nothing to do yet, or there is no day.
    """
    found = held(visit, seen)
    if not queries.hosts(by, found):
        raise PermissionDenied
    check_state(found, State.HELD)
    if not queries.both_sides(found):
        raise ValidationError(
            _(
                "Both sides owe something: there has to be a step of the school and one of the "
                "system before it can be agreed."
            )
        )
    if follow_up_on is None:
        raise ValidationError(
            {
                "follow_up_on": _(
                    "Choose the day on which you look again: without one it is not kept."
                )
            }
        )
    if follow_up_on <= directory.today():
        raise ValidationError({"follow_up_on": _("Choose a day to come.")})
    found.follow_up_on, found.state, found.reminded = follow_up_on, State.AGREED, ""
    save(found)
    audit.record("accountability.agree_challenge", by=by, target=found)
    tell.everybody(found, "agreed", by=by)
    return found


@transaction.atomic
def follow_up(
    visit: ChallengeVisit, words: str, on: date, *, by: Appointment, seen: int | None
) -> ChallengeVisit:
    """Look again at what was agreed, and say what came of it; steps still open stay open."""
    found = held(visit, seen)
    if not (queries.plans(by, found.school) or queries.challenges(by, found)):
        raise PermissionDenied
    check_state(found, State.AGREED)
    if on > directory.today():
        raise ValidationError({"on": _("This day is yet to come.")})
    if on < found.on:
        raise ValidationError({"on": _("This is before the visit.")})
    found.followed_words = required(words, "words", LONGEST["followed_words"])
    found.followed_on, found.state = on, State.CLOSED
    save(found)
    audit.record("accountability.follow_up_challenge", by=by, target=found)
    tell.everybody(found, "followed", by=by)
    return found


# More attention, never without support


@dataclass(frozen=True)
class Offer:
    """Support that is offered with closer attention; a request for it, where it is to be found."""

    why: str
    support: str
    priority: Priority | None = None
    days: Decimal = Decimal(5)


@transaction.atomic
def escalate(
    visit: ChallengeVisit, offer: Offer, *, by: Appointment, seen: int | None
) -> Escalation:
    """Look at a school more closely; refused without an offer of support.

    With a priority, support is proposed to the school in the ordinary way as well: nothing is
    matched before its head agrees.

    Raises
    ------
    ValidationError
        No support is offered, or closer attention is under way already.
    """
    found = held(visit, seen)
    if not queries.plans(by, found.school):
        raise PermissionDenied
    check_state(found, *queries.HAPPENED)
    if not offer.support.strip():
        raise ValidationError(
            {
                "support": _(
                    "Say what support comes with it: who, what, how many days. Closer attention "
                    "without help is not offered here."
                )
            }
        )
    why = required(offer.why, "why", LONGEST["why"])
    support = required(offer.support, "support", 1000)
    running = Escalation.objects.filter(visit=found).exclude(state=Escalation.State.ENDED).first()
    if running is not None:
        if (running.why, running.support) == (why, support):
            return running
        raise ValidationError(_("Closer attention is under way already. End that one first."))
    made = Escalation.objects.create(
        visit=found, why=why, support=support, by=by.label[:300], at=timezone.now()
    )
    save(found)
    audit.record("accountability.escalate_challenge", by=by, target=found)
    if offer.priority is not None:
        support_actions.propose_support(
            found.school, by=by, priority=offer.priority, what=support, days=offer.days
        )
    tell.school(found, "escalated", by=by)
    return made


@transaction.atomic
def answer(escalation: Escalation, *, by: Appointment, takes: bool, words: str = "") -> Escalation:
    """The school takes the support up, or says which other way it goes."""
    visit = held(escalation.visit, None)
    if not queries.hosts(by, visit):
        raise PermissionDenied
    found = Escalation.objects.select_for_update(no_key=True).get(pk=escalation.pk)
    if found.state == Escalation.State.ENDED:
        raise ValidationError(_("This has ended; nothing waits for an answer any more."))
    words = words.replace("\0", "").strip()
    if not takes and not words:
        raise ValidationError({"words": _("Say which way your school goes instead.")})
    if len(words) > 1000:
        raise ValidationError({"words": _("Keep it under {n} characters.").format(n=1000)})
    found.state = Escalation.State.TAKEN if takes else Escalation.State.OTHERWISE
    found.answer, found.answered_by, found.answered_at = words, by.label[:300], timezone.now()
    found.save()
    audit.record("accountability.answer_escalation", by=by, target=visit, detail={"takes": takes})
    tell.planners(visit, "answered", by=by)
    return found


@transaction.atomic
def end_escalation(escalation: Escalation, why: str, *, by: Appointment) -> Escalation:
    """Closer attention ends, with a reason everybody who takes part reads."""
    visit = held(escalation.visit, None)
    if not queries.plans(by, visit.school):
        raise PermissionDenied
    found = Escalation.objects.select_for_update(no_key=True).get(pk=escalation.pk)
    if found.state == Escalation.State.ENDED:
        return found
    found.ended_why, found.state = required(why, "why", LONGEST["why"]), Escalation.State.ENDED
    found.save(update_fields=["ended_why", "state"])
    audit.record("accountability.end_escalation", by=by, target=visit)
    tell.school(visit, "ended", by=by)
    return found
