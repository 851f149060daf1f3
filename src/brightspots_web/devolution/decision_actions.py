"""Writing decisions down, saying one's word to them, making, changing, replacing and dropping them.

The audit trail is read outside the partnership: it says that something was done, never its words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import decision_queries as queries
from brightspots_web.devolution import decision_tell
from brightspots_web.devolution.models import Decision, DecisionConsent, DecisionText, Meeting
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, Partnership, Person
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

State = Decision.State
LONGEST = {"question": 300, "decision": 2000, "would_change": 1000}
MOST_OPTIONS = 8
LONGEST_OPTION = 300
LONGEST_WORDS = 500


@dataclass(frozen=True)
class Text:
    """What the schools are asked to carry: all of it is theirs to agree to."""

    question: str
    decision: str
    would_change: str
    options: Sequence[str]
    owner: Person
    by_when: date


@dataclass(frozen=True)
class Basis:
    """What a decision rests on: the meeting, the priority, and what the data said."""

    meeting: Meeting | None = None
    priority: Priority | None = None
    data_said: Mapping[str, Any] | None = None


@transaction.atomic
def propose(
    partnership: Partnership, text: Text, *, by: Appointment, basis: Basis | None = None
) -> Decision:
    """Write a decision down and ask the schools of the partnership; sent twice, it is one.

    The school that proposes carries it by doing so.

    Raises
    ------
    PermissionDenied
        Somebody who does not decide in this partnership today.
    ValidationError
        Something is missing, too long, or the owner is nobody of the partnership.
    """
    _check_belongs(by, partnership)
    checked = _checked(text, partnership)
    basis = basis or Basis()
    if basis.meeting is not None and basis.meeting.partnership_id != partnership.pk:
        raise PermissionDenied
    _one_of_a_person(by)
    same = queries.same_proposal(
        partnership, by.label[:300], checked["question"], checked["decision"]
    )
    if same is not None:
        return same
    return _created(partnership, checked, basis, by)


def _created(
    partnership: Partnership,
    checked: dict[str, Any],
    basis: Basis,
    by: Appointment,
    replaces: Decision | None = None,
) -> Decision:
    now = timezone.now()
    made = Decision.objects.create(
        partnership=partnership,
        meeting=basis.meeting,
        priority=basis.priority,
        data_said=dict(basis.data_said or {}),
        replaces=replaces,
        by=by.label[:300],
        at=now,
        changed_at=now,
        **checked,
    )
    audit.record("devolution.propose_decision", by=by, target=made)
    _carried_by_its_writer(made, by)
    decision_tell.asked(made, by=by)
    if made.owner_id != by.person_id:
        decision_tell.owner(made, by=by)
    _settle(made, by)
    return made


@transaction.atomic
def change(decision: Decision, text: Text, *, by: Appointment, seen: int | None) -> Decision:
    """Change what is proposed: its version rises, and every school is asked anew.

    What is made is not changed: a later decision replaces it.

    Raises
    ------
    OvertakenError
        Somebody else was quicker; nothing is saved.
    """
    found = _held(decision)
    _check_belongs(by, found.partnership)
    _check_state(found, State.PROPOSED)
    _check_seen(found, seen)
    checked = _checked(text, found.partnership)
    if all(getattr(found, name) == value for name, value in checked.items()):
        return found
    DecisionText.objects.create(
        decision=found,
        version=found.version,
        text=said(found),
        by=by.label[:300],
        at=timezone.now(),
    )
    for name, value in checked.items():
        setattr(found, name, value)
    found.owner_missed_at = None
    _save(found)
    audit.record(
        "devolution.change_decision", by=by, target=found, detail={"version": found.version}
    )
    _carried_by_its_writer(found, by)
    decision_tell.changed(found, by=by)
    _settle(found, by)
    return found


def said(decision: Decision) -> dict[str, Any]:
    """The text of a decision in JSON types, as it is kept and compared."""
    return {
        "question": decision.question,
        "decision": decision.decision,
        "options": list(decision.options),
        "would_change": decision.would_change,
        "owner": decision.owner_name,
        "by_when": decision.by_when.isoformat(),
    }


@transaction.atomic
def say(
    decision: Decision, *, by: Appointment, agrees: bool, seen: int | None, words: str = ""
) -> Decision:
    """Say for one's school that it carries a decision, or why not: one word a school.

    When every school that is asked on this day has said that it carries it, it is made.

    Raises
    ------
    PermissionDenied
        The school is not asked, or somebody else speaks for it.
    ValidationError
        It is made or gone already, or an objection gives no reason.
    OvertakenError
        The text was changed since: whoever agrees should know to what.
    """
    found = _held(decision)
    if not may(by, Capability.DECIDE_TOGETHER):
        raise PermissionDenied
    school = queries.school_to_speak_for(by, found)
    if school is None:
        raise PermissionDenied
    _check_state(found, State.PROPOSED)
    _check_seen(found, seen)
    words = plain(words)
    if not agrees and not words:
        raise ValidationError(
            {"words": _("Say why not: the others can answer a reason, not a no.")}
        )
    if len(words) > LONGEST_WORDS:
        raise ValidationError({"words": _too_long(LONGEST_WORDS)})
    _say(found, by, agrees=agrees, words=words)
    audit.record(
        "devolution.say_to_decision", by=by, target=found, detail={"version": found.version}
    )
    if not agrees:
        decision_tell.objected(found, school, by=by)
    _settle(found, by)
    return found


@transaction.atomic
def close(decision: Decision, *, by: Appointment, seen: int | None, why: str = "") -> Decision:
    """The leader makes a decision that not every school carries: openly, with a reason.

    Who objects and who said nothing stays on its page.
    """
    found = _held(decision)
    if not queries.leads(by, found.partnership):
        raise PermissionDenied
    _check_state(found, State.PROPOSED)
    _check_seen(found, seen)
    words = queries.words_of(found)
    if not queries.everybody_carries_it(words):
        why = required(why, "why", LONGEST_WORDS)
    _make(found, words, by, why=plain(why))
    return found


@transaction.atomic
def settle(decision: Decision, *, by: Appointment) -> bool:
    """Make a proposal that all schools carry since one that had not answered has left."""
    found = _held(decision)
    return found.state == State.PROPOSED and _settle(found, by)


@transaction.atomic
def drop(decision: Decision, *, by: Appointment, seen: int | None, why: str) -> Decision:
    """Give a decision up, and say why; its page stays."""
    found = _held(decision)
    _check_belongs(by, found.partnership)
    _check_may_end(found, by)
    _check_state(found, State.PROPOSED, State.MADE)
    _check_seen(found, seen)
    found.dropped_why = required(why, "why", 500)
    if found.state == State.PROPOSED:
        found.replaces = None  # it never took the earlier one's place: another may
    found.state, found.changed_at = State.DROPPED, timezone.now()
    found.save(update_fields=["state", "dropped_why", "replaces", "changed_at"])
    audit.record("devolution.drop_decision", by=by, target=found)
    decision_tell.dropped(found, by=by)
    return found


@transaction.atomic
def replace(
    decision: Decision,
    text: Text,
    *,
    by: Appointment,
    seen: int | None,
    basis: Basis | None = None,
) -> Decision:
    """Propose a later decision in the place of one that was made; both stay, each leads on."""
    found = _held(decision)
    _check_belongs(by, found.partnership)
    later = Decision.objects.filter(replaces=found).first()
    if later is not None:
        raise ValidationError(_("A later decision is in its place already. Change that one."))
    _check_state(found, State.MADE)
    _check_seen(found, seen)
    checked = _checked(text, found.partnership)
    basis = basis or Basis(found.meeting, found.priority)
    return _created(found.partnership, checked, basis, by, replaces=found)


@transaction.atomic
def hand_over(decision: Decision, owner: Person, *, by: Appointment) -> Decision:
    """Give a decision another owner; what was decided stays as it is."""
    found = _held(decision)
    if not queries.may_hand_over(by, found):
        raise PermissionDenied
    check_owner(owner, found.partnership)
    if found.owner_id == owner.pk:
        return found
    found.owner, found.owner_name, found.owner_missed_at = owner, str(owner)[:300], None
    found.save(update_fields=["owner", "owner_name", "owner_missed_at"])
    audit.record("devolution.hand_over_decision", by=by, target=found)
    decision_tell.owner(found, by=by)
    return found


# What several of them need


def _held(decision: Decision) -> Decision:
    """The row, held until the transaction ends."""
    rows = Decision.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("partnership", "priority", "meeting").get(pk=decision.pk)


def _check_belongs(by: Appointment, partnership: Partnership) -> None:
    if not may(by, Capability.DECIDE_TOGETHER) or not queries.belongs(by, partnership):
        raise PermissionDenied


def _check_may_end(decision: Decision, by: Appointment) -> None:
    """What is proposed its writer may take back; what is made its owner or the leader ends."""
    wrote = decision.by == by.label[:300]
    owns = decision.owner_id == by.person_id
    if not (wrote or owns or queries.leads(by, decision.partnership)):
        raise PermissionDenied


def _check_seen(decision: Decision, seen: int | None) -> None:
    if seen is not None and seen != decision.version:
        raise OvertakenError(
            _(
                "Somebody changed this decision since you opened it. What you wrote is still here "
                "and was not saved: look at both texts, then send yours if it still holds."
            )
        )


def _check_state(decision: Decision, *states: str) -> None:
    if decision.state in states:
        return
    words = {
        State.PROPOSED: _("It is not made yet: change what is proposed instead."),
        State.MADE: _(
            "It is made: words to it are closed, and its text stays as it was agreed. "
            "Propose a later decision if something has changed."
        ),
        State.REPLACED: _("A later decision has taken its place."),
        State.DROPPED: _("It was dropped; its page says why."),
    }
    raise ValidationError(words[State(decision.state)])


def _one_of_a_person(by: Appointment) -> None:
    """Let the same form, sent twice at once, write one decision."""
    if by.school is not None:
        hold_school(by.school)
    else:
        audit.one_at_a_time()


def _checked(text: Text, partnership: Partnership) -> dict[str, Any]:
    checked: dict[str, Any] = {
        name: required(getattr(text, name), name, most) for name, most in LONGEST.items()
    }
    options = [line for line in (plain(each) for each in text.options) if line]
    if len(options) > MOST_OPTIONS or any(len(each) > LONGEST_OPTION for each in options):
        raise ValidationError(
            {
                "options": _("At most {n} lines, each of at most {most} characters.").format(
                    n=MOST_OPTIONS, most=LONGEST_OPTION
                )
            }
        )
    if text.by_when < directory.today():
        raise ValidationError({"by_when": _("This day is past. Choose one to come.")})
    check_owner(text.owner, partnership)
    owner = {"owner": text.owner, "owner_name": str(text.owner)[:300]}
    return {**checked, "options": options, "by_when": text.by_when, **owner}


def check_owner(owner: Person, partnership: Partnership) -> None:
    if owner.pk not in queries.people_of(partnership):
        raise ValidationError({"owner": _("Choose somebody who is in the partnership today.")})


def _say(decision: Decision, by: Appointment, *, agrees: bool, words: str = "") -> None:
    DecisionConsent.objects.update_or_create(
        decision=decision,
        school=by.school,
        defaults={
            "agrees": agrees,
            "words": words,
            "by": by.label[:300],
            "at": timezone.now(),
            "decision_version": decision.version,
        },
    )


def _carried_by_its_writer(decision: Decision, by: Appointment) -> None:
    if queries.school_to_speak_for(by, decision) is not None:
        _say(decision, by, agrees=True)


def _settle(decision: Decision, by: Appointment) -> bool:
    words = queries.words_of(decision)
    if not queries.everybody_carries_it(words):
        return False
    _make(decision, words, by)
    return True


def _make(
    decision: Decision, words: Sequence[queries.Word], by: Appointment, why: str = ""
) -> None:
    decision.state = State.MADE
    decision.made_at, decision.made_by = timezone.now(), by.label[:300]
    decision.made_why = why
    decision.asked = [{"code": each.school.code, "name": each.school.name} for each in words]
    decision.save(update_fields=["state", "made_at", "made_by", "made_why", "asked", "changed_at"])
    audit.record("devolution.make_decision", by=by, target=decision, detail={"asked": len(words)})
    if decision.replaces is not None and decision.replaces.state == State.MADE:
        Decision.objects.filter(pk=decision.replaces.pk).update(state=State.REPLACED)
    decision_tell.made(decision, by=by)


def _save(decision: Decision) -> None:
    decision.version += 1
    decision.changed_at = timezone.now()
    decision.save()


def plain(text: str) -> str:
    return text.replace("\0", "").strip()


def required(text: str, name: str, most: int) -> str:
    text = plain(text)
    if not text:
        raise ValidationError({name: _("Say it in a few words.")})
    if len(text) > most:
        raise ValidationError({name: _too_long(most)})
    return text


def _too_long(most: int) -> str:
    return _("Keep it under {n} characters.").format(n=most)
