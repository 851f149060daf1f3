"""Answering: once a person, sealed, with nothing that leads back to who answered.

There is no entry in the audit trail, no line in a log, no notice and no message: any of them would
be a time. Who holds the own row waits for nobody but a second phone of the same person; whoever
closes holds all rows before the answers are opened, so that none comes in after the count.
"""

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unicodedata import category

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability import voice_seal
from brightspots_web.accountability import voice_words as words
from brightspots_web.accountability.models import (
    Consultation,
    Eligible,
    SealedAnswer,
    VoiceQuestion,
)
from brightspots_web.accountability.voice_actions import LONGEST_TEXT
from brightspots_web.accountability.voice_counting import Answer
from brightspots_web.alignment.ballot_actions import free_keys
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.permissions import Capability, may

FRAME = 120
"""Bytes around the answers: role, area, brackets."""
A_QUESTION = 40
"""Bytes around the answer to one question."""

HIDDEN = ("Cc", "Cs")
"""Categories of characters that no text needs: controls, and halves of a character."""


class NotTakenError(ValidationError):
    """The answer cannot be taken, now or later: it is closed, or one was given already."""


@dataclass(frozen=True)
class Given:
    """What somebody answers. A question that is left out is left out."""

    options: Mapping[int, str] = field(default_factory=dict)
    texts: Mapping[int, str] = field(default_factory=dict)


def token_of(eligible: Eligible, consultation: Consultation) -> str:
    """What the form carries: only this installation can make it, for this person and round."""
    if consultation.key_id is None:
        raise NotTakenError(words.closed(consultation))
    return voice_seal.token(consultation.key_id, f"{consultation.pk}/{eligible.pk}")


@transaction.atomic
def answer(consultation: Consultation, given: Given, token: str, *, by: Appointment) -> None:
    """Seal an answer and put it with the others; it is final.

    Raises
    ------
    PermissionDenied
        The person is not asked.
    NotTakenError
        It is closed, or the person has answered, perhaps at this moment on another device.
    ValidationError
        Nothing is answered, or an answer is none of the choices; or the key is missing.
    """
    if not may(by, Capability.SPEAK_UP):
        raise PermissionDenied
    mine = (
        Eligible.objects.select_for_update(no_key=True)
        .filter(consultation=consultation, person=by.person_id)
        .first()
    )
    now = Consultation.objects.get(pk=consultation.pk)  # read once the row is held
    if not queries.is_open(now):
        raise NotTakenError(words.closed(now))
    if mine is None:
        raise PermissionDenied
    if mine.answered:
        raise NotTakenError(words.answered_already())
    if not hmac.compare_digest(token.encode(), token_of(mine, now).encode()):
        raise ValidationError(
            _("This page was not made for you, or is an old one. It is made anew: send it again.")
        )
    questions = list(now.questions.all())
    said = _said(questions, given)
    if "role" in now.slices:
        said["r"] = mine.role
    if "area" in now.slices or now.mode == Consultation.Mode.CONFIDENTIAL:
        said["p"] = mine.area_id
    assert now.key_id is not None
    SealedAnswer.objects.create(
        id=free_keys(1).pop(),
        consultation=now,
        content=voice_seal.seal(now.key_id, _packed(said), length_of(questions)),
    )
    mine.answered = True
    mine.save(update_fields=["answered"])


def length_of(questions: Iterable[VoiceQuestion]) -> int:
    """Bytes that the longest answer takes: all of a round are filled up to it."""
    length = FRAME
    for each in questions:
        length += A_QUESTION
        if each.kind == VoiceQuestion.Kind.TEXT:
            length += 4 * LONGEST_TEXT  # a character of UTF-8 takes four bytes at most
    return length


def _packed(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _said(questions: Iterable[VoiceQuestion], given: Given) -> dict[str, Any]:
    """Answers by question: the place of an option, or own words."""
    chosen, written = {}, {}
    for each in questions:
        options = list(queries.options_of(each))
        if each.kind == VoiceQuestion.Kind.TEXT:
            text = _clean(given.texts.get(each.pk, ""))
            if len(text) > LONGEST_TEXT:
                raise ValidationError(
                    {f"q{each.pk}": _("At most {n} characters.").format(n=LONGEST_TEXT)}
                )
            if text:
                written[str(each.pk)] = text
        elif given.options.get(each.pk):
            if given.options[each.pk] not in options:
                raise ValidationError({f"q{each.pk}": _("Choose one of the answers.")})
            chosen[str(each.pk)] = options.index(given.options[each.pk])
    if not chosen and not written:
        raise ValidationError(_("Answer one of the questions at least: nothing is answered yet."))
    return {"o": chosen, "t": written}


def _clean(text: str) -> str:
    """Without control characters: sealed, one of them would take six bytes."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(each for each in lines if each == "\n" or category(each) not in HIDDEN).strip()


def opened(text: str, questions: Mapping[int, VoiceQuestion]) -> Answer:
    """An answer as it was sealed, for the count."""
    said = json.loads(text)
    return Answer(
        options={
            int(key): queries.options_of(questions[int(key)])[place]
            for key, place in said["o"].items()
        },
        texts={int(key): words for key, words in said["t"].items()},
        role=said.get("r", ""),
        area=said.get("p"),
    )
