"""Closing and counting, reminders, keys that nobody needs any more."""

import logging
from collections.abc import Callable
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import voice_counting as counting
from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability import voice_seal
from brightspots_web.accountability import voice_tell as tell
from brightspots_web.accountability import voice_words as words
from brightspots_web.accountability.models import (
    Consultation,
    Eligible,
    SealedAnswer,
    VoiceComment,
    VoiceQuestion,
    VoiceTally,
)
from brightspots_web.accountability.voice_actions import AT_ONCE
from brightspots_web.accountability.voice_answer_actions import opened
from brightspots_web.alignment.ballot_actions import free_keys
from brightspots_web.directory import actions as register
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit

State = Consultation.State
log = logging.getLogger(__name__)


def keep_time() -> None:
    """The worker's hourly work: reminders, what is over counted, forgotten keys destroyed."""
    for consultation in queries.open_ones():
        remind(consultation)
        try:
            close_when_over(consultation)
        except voice_seal.SealError:
            log.error("A consultation cannot be counted: its key is missing. Its page says more.")
            _say_key_lost(consultation)
    voice_seal.destroy_all_but(queries.keys_in_use())


@transaction.atomic
def remind(consultation: Consultation) -> int:
    """Tell everybody who is asked, seven days and one day before it closes; return how many."""
    held = _held(consultation)
    days = tell.due(held) if queries.is_open(held) else None
    if days is None:
        return 0
    held.reminded = str(days)
    held.save(update_fields=["reminded"])
    return tell.reminder(held)


@transaction.atomic
def close_when_over(consultation: Consultation) -> Consultation:
    """Close and count what is over, without anybody's asking for it."""
    held = _held(consultation)
    if not queries.is_over(held) or queries.asked_by_machine(held):
        return held  # a machine's round is narrowed first: `close_round`
    return _close(held, register.command_line_operator())


@transaction.atomic
def close(consultation: Consultation, *, by: Appointment) -> Consultation:
    """Close and count by hand what is over, where the worker has not come yet.

    Raises
    ------
    ValidationError
        Answers are still taken.
    SealError
        The key is missing: nothing is changed, and nothing lost that could still be had.
    """
    if not queries.manages(by, consultation):
        raise PermissionDenied
    held = _held(consultation)
    if held.state != State.OPEN:
        return held
    if not queries.is_over(held):
        raise ValidationError(
            _("Answers are taken until the end of {day}. They are counted after that.").format(
                day=words.last_day(held)
            )
        )
    return _close(held, by)


@transaction.atomic
def close_round(
    consultation: Consultation, narrow: counting.Narrow, *, by: Appointment,
    told: Callable[[Consultation], object] | None = None,
) -> Consultation:  # fmt: skip
    """Close and count a round that a machine asked: see `voice_machine_actions`.

    Parameters
    ----------
    narrow
        Called while everybody's row is held, so that it may ask who answered.
    told
        Tells what came of it, before the audit trail is written, which all who act wait for.
    """
    held = _held(consultation)
    if not queries.is_over(held) or not queries.asked_by_machine(held):
        return held
    return _close(held, by, narrow, told)


def _close(
    held: Consultation, by: Appointment, narrow: counting.Narrow | None = None,
    told: Callable[[Consultation], object] | None = None,
) -> Consultation:  # fmt: skip
    """Open all seals, count, and destroy what is not to be kept. The caller holds the row."""
    list(held.eligible.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    questions = {each.pk: each for each in held.questions.all()}
    answers, broken = _opened(held, questions)
    counting.LOT.shuffle(answers)
    counted = counting.count(
        answers,
        closed={
            key: queries.options_of(each)
            for key, each in questions.items()
            if each.kind != VoiceQuestion.Kind.TEXT
        },
        texts=[key for key, each in questions.items() if each.kind == VoiceQuestion.Kind.TEXT],
        by=held.slices,
        narrow=narrow,
    )
    _write(held, counted)
    asked = [] if queries.asked_by_machine(held) else list(queries.people_asked(held))
    SealedAnswer.objects.filter(consultation=held).delete()
    Eligible.objects.filter(consultation=held).delete()
    key, held.key_id = held.key_id, None
    held.answers = counted.answers
    held.state, held.closed_at = State.CLOSED, timezone.now()
    held.version += 1
    held.save()
    if told is not None:
        told(held)
    elif not queries.asked_by_machine(held):
        tell.counted(held, asked)
    audit.record(
        "accountability.close_consultation", by=by, target=held,
        detail={
            "asked": held.asked, "answers": counted.answers, "slices": list(counted.slices),
            "comments": len(counted.comments), "seals_that_did_not_open": broken,
        },
    )  # fmt: skip
    if key is not None:
        transaction.on_commit(lambda: voice_seal.destroy(key))
    return held


def _opened(
    held: Consultation, questions: dict[int, VoiceQuestion]
) -> tuple[list[counting.Answer], int]:
    """All answers, and how many seals do not open, as somebody changed them on the server."""
    if held.key_id is None:
        raise voice_seal.lost()
    voice_seal.token(held.key_id, "")  # a key that is missing is no broken seal
    answers, broken = [], 0
    sealed = SealedAnswer.objects.filter(consultation=held).values_list("content", flat=True)
    for content in sealed.iterator(chunk_size=AT_ONCE):
        try:
            answers.append(opened(voice_seal.unseal(held.key_id, content), questions))
        except voice_seal.BrokenSealError:
            broken += 1
    return answers, broken


def _write(held: Consultation, counted: counting.Counted) -> None:
    VoiceTally.objects.bulk_create(
        [
            VoiceTally(question_id=question, slice=name, option=option, n=n)
            for question, name, option, n in counted.tallies
        ],
        batch_size=AT_ONCE,
    )
    confidential = held.mode == Consultation.Mode.CONFIDENTIAL
    keys = list(free_keys(len(counted.comments)))
    counting.LOT.shuffle(keys)
    rows = [
        VoiceComment(
            id=key, question_id=question, words=said, area_id=area if confidential else None
        )
        for key, (question, said, area) in zip(keys, counted.comments, strict=True)
    ]
    VoiceComment.objects.bulk_create(
        sorted(rows, key=lambda each: each.pk), batch_size=AT_ONCE
    )  # fmt: skip


def _say_key_lost(consultation: Consultation) -> None:
    """Tell who opened it, once."""
    with transaction.atomic():
        held = _held(consultation)
        if held.reminded != LOST:
            held.reminded = LOST
            held.save(update_fields=["reminded"])
            tell.key_lost(held)


LOST = "key lost"
"""In `reminded`: who opened it has heard that it cannot be counted."""


def _held(consultation: Consultation) -> Consultation:
    rows = Consultation.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("area", "stakeholder", "moderator", "opener").get(pk=consultation.pk)


@transaction.atomic
def date_back(
    consultation: Consultation, *, opens: date, closes: date, answer_due: date, by: Appointment
) -> Consultation:
    """Let an invented consultation of the sample have been opened and closed on earlier days."""
    held = _held(consultation)
    held.opens, held.closes, held.answer_due = opens, closes, answer_due
    held.save(update_fields=["opens", "closes", "answer_due"])
    audit.record("accountability.date_consultation_back", by=by, target=held)
    return held
