"""The standing box: put in sealed, released in shuffled batches, moderated, answered.

What is put in is on no record: a time would tell whose it is. Only how many somebody has put in
this month is kept, without which box, and never beside what was written.
"""

import json
import logging
from datetime import date, timedelta
from secrets import SystemRandom

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.accountability import response_tell as tell
from brightspots_web.accountability import suggestion_queries as queries
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability import voice_seal
from brightspots_web.accountability.models import (
    SealedSuggestion,
    Suggestion,
    SuggestionSettings,
    SuggestionUse,
)
from brightspots_web.accountability.response_actions import (
    check_judging,
    check_reason,
    same_again,
)
from brightspots_web.accountability.response_rules import may_moderate_box, places_of
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.alignment.ballot_actions import free_keys
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

State = Suggestion.State
LONGEST = 1000
LENGTH = 6 * LONGEST + 200
"""Bytes of the longest: every character as JSON writes it, and who it is under this key."""
DAYS = range(7, 91)
LOT = SystemRandom()
log = logging.getLogger(__name__)


@transaction.atomic
def set_box(
    area: Area,
    *,
    by: Appointment,
    seen: int | None,
    stakeholder: Person,
    moderator: Person,
    answer_days: int,
) -> SuggestionSettings:
    """Set up the box of an area, or change who answers, who moderates, and within how long."""
    if area not in queries.areas_to_set(by):
        raise PermissionDenied
    rows = SuggestionSettings.objects.select_for_update(no_key=True)
    box, made = rows.get_or_create(area=area)
    if not made and seen is not None and seen != box.version:
        raise OvertakenError(
            _("Somebody changed this box since you opened the page. Look at both, then send yours.")
        )
    box.stakeholder, box.stakeholder_name = stakeholder, str(stakeholder)[:300]
    box.moderator, box.moderator_name = moderator, str(moderator)[:300]
    _check(box, answer_days)
    box.answer_days = answer_days
    box.version += 0 if made else 1
    box.save()
    audit.record(
        "accountability.set_suggestion_box", by=by, target=box,
        detail={"answer_days": answer_days},
    )  # fmt: skip
    return box


def _check(box: SuggestionSettings, answer_days: int) -> None:
    if box.stakeholder not in voice.seniors(box.area):
        raise ValidationError(
            {"stakeholder": _("Choose somebody of the ministry or an officer over this area.")}
        )
    held = [each for each in voice.who_moderate() if each.person_id == box.moderator_id]
    places = places_of(held)
    if not any(may_moderate_box(each, box, places) for each in held):
        raise ValidationError(
            {"moderator": _("Choose somebody outside the line of who writes and who answers.")}
        )
    if answer_days not in DAYS:
        raise ValidationError({"answer_days": _("Between 7 and 90 days.")})


@transaction.atomic
def put_in(box: SuggestionSettings, words: str, *, by: Appointment, used: int | None) -> None:
    """Seal a suggestion and put it into the box.

    Parameters
    ----------
    used
        How many the person had put in when the page was made: the same page sent twice counts once.

    Raises
    ------
    OvertakenError
        One was put in since: this very one, perhaps.
    ValidationError
        Nothing is written, it is too long, or three were put in this month; or the key is missing.
    """
    if not queries.boxes_to_fill(by).filter(pk=box.pk).exists():
        raise PermissionDenied
    words = words.replace("\r\n", "\n").strip()
    if not words:
        raise ValidationError({"words": _("Write something here.")})
    if len(words) > LONGEST:
        raise ValidationError({"words": _("At most {n} characters.").format(n=LONGEST)})
    held = SuggestionSettings.objects.select_for_update(no_key=True).get(pk=box.pk)
    use, _made = SuggestionUse.objects.select_for_update(no_key=True).get_or_create(
        person=by.person, month=queries.month()
    )
    if used is not None and used != use.used:
        raise OvertakenError(
            _("You have put one in since this page was made. If it was this one, it is in.")
        )
    if use.used >= queries.MOST_A_MONTH:
        raise ValidationError(_("You have put in three this month. The next month has room again."))
    if held.key_id is None:
        held.key_id = voice_seal.new_key()
        held.save(update_fields=["key_id"])
    who = voice_seal.token(held.key_id, f"person {by.person_id}")
    sealed = voice_seal.seal(
        held.key_id, json.dumps({"w": words, "p": who}, ensure_ascii=False), LENGTH
    )
    SealedSuggestion.objects.create(id=free_keys(1).pop(), box=held, content=sealed)
    use.used += 1
    use.save(update_fields=["used"])


@transaction.atomic
def release(box: SuggestionSettings, *, by: Appointment) -> int:
    """Release what waits once five people wrote it, shuffled; return how many.

    Raises
    ------
    SealError
        The key is missing: nothing is changed.
    """
    held = _held_box(box)
    if held.key_id is None:
        return 0
    found, people, broken = _opened(held)
    if len(people) < FEWEST:
        return 0
    LOT.shuffle(found)
    today = directory.today()
    due = today + timedelta(days=held.answer_days)
    rows = [
        Suggestion(id=key, box=held, words=words, released_on=today, answer_due=due)
        for key, words in zip(free_keys(len(found)), found, strict=True)
    ]
    Suggestion.objects.bulk_create(sorted(rows, key=lambda each: each.pk))
    SealedSuggestion.objects.filter(box=held).delete()
    key, held.key_id = held.key_id, None
    held.save(update_fields=["key_id"])
    audit.record(
        "accountability.release_suggestions", by=by, target=held,
        detail={"released": len(rows), "seals_that_did_not_open": broken},
    )  # fmt: skip
    tell.released(held, len(rows))
    transaction.on_commit(lambda: voice_seal.destroy(key))
    return len(rows)


def _opened(held: SuggestionSettings) -> tuple[list[str], set[str], int]:
    assert held.key_id is not None
    voice_seal.token(held.key_id, "")  # a key that is missing is no broken seal
    found, people, broken = [], set(), 0
    for content in held.sealed.values_list("content", flat=True):
        try:
            said = json.loads(voice_seal.unseal(held.key_id, content))
        except voice_seal.BrokenSealError:
            broken += 1
            continue
        found.append(said["w"])
        people.add(said["p"])
    return found, people, broken


# Moderating and answering


@transaction.atomic
def show(suggestion: Suggestion, *, by: Appointment, seen: str = "") -> Suggestion:
    """Let everybody of the area read it; an answer is owed.

    Parameters
    ----------
    seen
        How it stood on the page, from `response_actions.standing`.
    """
    return _judge(suggestion, State.SHOWN, "", "", by, seen)


@transaction.atomic
def withhold(
    suggestion: Suggestion, *, by: Appointment, reason: str, words: str = "", seen: str = ""
) -> Suggestion:
    """Withhold it for one of the reasons; more than one in three, and somebody else looks again."""
    check_reason(reason, words)
    return _judge(suggestion, State.WITHHELD, reason, words.strip(), by, seen)


def _judge(
    suggestion: Suggestion, state: str, reason: str, words: str, by: Appointment, seen: str
) -> Suggestion:
    box = _held_box(suggestion.box)  # before the row: of two who decide at once, one sees the other
    row = _held(suggestion)
    first = queries.moderates(by, box)
    if not first and not queries.looks_again(by, box):
        raise PermissionDenied
    if row.state == State.ANSWERED:
        raise ValidationError(_("It is answered: what people have read stays as it was."))
    mine = first or queries.read_again(by, box).filter(pk=row.pk).exists()
    if same_again(row, state, reason, words, by, first=first):
        return row
    check_judging(row, state, seen, first=first, mine=mine)
    before = queries.days_much_withheld(box)
    row.state, row.reason, row.reason_words = state, reason, words
    row.moderated_by = by.label[:300]
    row.challenged = row.challenged or not first
    row.save()
    audit.record(
        "accountability.moderate_suggestion", by=by, target=box,
        detail={"suggestion": row.pk, "state": state, "reason": reason, "again": not first},
    )  # fmt: skip
    if state == State.SHOWN:
        tell.suggestion_shown(box)
    elif first and queries.days_much_withheld(box) - before:
        tell.box_withheld(box)
    return row


@transaction.atomic
def ask_again(box: SuggestionSettings, *, by: Appointment) -> None:
    """Ask that somebody else outside the line look again at what was released so far.

    Who asks is on no record: it may be who wrote it.
    """
    held = _held_box(box)
    if queries.may_ask_again(by, held):
        held.look_again = directory.today()
        held.save(update_fields=["look_again"])
        tell.box_asked_again(held)
    elif not queries.boxes_to_fill(by).filter(pk=held.pk).exists():
        raise PermissionDenied


@transaction.atomic
def answer(suggestion: Suggestion, *, by: Appointment, did: str, could_not: str) -> Suggestion:
    """Say what was done, or why it could not be; everybody of the area is told."""
    row = _held(suggestion)
    if not queries.answers(by, row.box):
        raise PermissionDenied
    did, could_not = did.strip(), could_not.strip()
    if row.state == State.ANSWERED:
        if (row.did, row.could_not) == (did, could_not):
            return row  # sent twice
        raise OvertakenError(_("It was answered already: what people have read stays as it was."))
    if row.state != State.SHOWN:
        raise ValidationError(_("The moderator has not shown it."))
    if not did and not could_not:
        raise ValidationError({"did": _("Write what was done, or below why it could not be done.")})
    for name, text in (("did", did), ("could_not", could_not)):
        if len(text) > LONGEST:
            raise ValidationError({name: _("At most {n} characters.").format(n=LONGEST)})
    row.did, row.could_not, row.state = did, could_not, State.ANSWERED
    row.answered_by, row.answered_on = by.label[:300], directory.today()
    row.save()
    audit.record(
        "accountability.answer_suggestion", by=by, target=row.box, detail={"suggestion": row.pk}
    )
    tell.suggestion_answered(row.box)
    return row


def _held_box(box: SuggestionSettings) -> SuggestionSettings:
    rows = SuggestionSettings.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("area", "stakeholder", "moderator").get(pk=box.pk)


def _held(suggestion: Suggestion) -> Suggestion:
    rows = Suggestion.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("box", "box__area", "box__stakeholder", "box__moderator").get(
        pk=suggestion.pk
    )


@transaction.atomic
def date_back(
    suggestion: Suggestion, *, released_on: date, answer_due: date, by: Appointment
) -> None:
    """Let an invented suggestion of the sample have been released on an earlier day."""
    row = _held(suggestion)
    row.released_on, row.answer_due = released_on, answer_due
    row.save(update_fields=["released_on", "answer_due"])
    audit.record("accountability.date_suggestion_back", by=by, target=row.box)
