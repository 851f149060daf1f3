"""Rounds that no person asks: the same few questions again and again, without own words.

They are consultations, so that sealing, listing, counting and destroying are one and the same.
Nobody is named in them: nobody owes an answer, and there are no words to moderate. The part that
asks (an app above) has the pages, the reminders and the calendar; `voice_time_actions.close_round`
counts. What is kept of a round is narrowed by what was kept of the rounds before, as the same
people answer again: the part that asks says how, as it knows which rounds belong together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
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
from brightspots_web.accountability.voice_actions import list_eligible
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.shared import audit

State = Consultation.State
Told = Callable[[Consultation], object]


@dataclass(frozen=True)
class Round:
    """What a machine asks whom, and until when."""

    title: str
    area: Area
    blocks: Sequence[Area]
    """Areas inside it, none within another, by which answers are shown apart."""
    questions: Sequence[str]
    """Answered on five steps. A name from the code is enough: words may be in many languages."""
    closes: date


@transaction.atomic
def open_round(asked: Round, *, by: Appointment, told: Told | None = None) -> Consultation:
    """List who may answer, make a key, and take answers from now on. Nobody is told: see above.

    Parameters
    ----------
    told
        Tells them. It is called before the audit trail is written, which all who act wait for:
        to tell a nation takes minutes.

    Raises
    ------
    ValidationError
        Fewer than five would be asked, or it would close at once. Nothing is changed.
    """
    today = directory.today()
    if asked.closes <= today:
        raise ValidationError({"closes": _("Give people a day at least to answer.")})
    held = Consultation.objects.create(
        area=asked.area,
        title=asked.title,
        about=Consultation.About.IMPLEMENTATION,
        audience=Consultation.Audience.BOTH,
        mode=Consultation.Mode.ANONYMOUS,
        slices=["role", "area"],
        opens=today,
        closes=asked.closes,
        answer_due=asked.closes + timedelta(days=1),
        state=State.OPEN,
        opened_at=timezone.now(),
        by=by.label[:300],
        at=timezone.now(),
    )
    VoiceQuestion.objects.bulk_create(
        VoiceQuestion(consultation=held, order=order, kind=VoiceQuestion.Kind.SCALE, words=each)
        for order, each in enumerate(asked.questions, start=1)
    )
    held.asked = list_eligible(held, asked.blocks)
    if held.asked < FEWEST:
        raise ValidationError(words.too_few_asked(held.asked))
    held.key_id = voice_seal.new_key()
    held.save(update_fields=["asked", "key_id"])
    if told is not None:
        told(held)
    audit.record(
        "accountability.open_consultation", by=by, target=held,
        detail={"asked": held.asked, "closes": held.closes.isoformat(), "by_machine": True},
    )  # fmt: skip
    return held


@transaction.atomic
def drop_round(consultation: Consultation, *, by: Appointment) -> Consultation:
    """Stop a round that is open: answers, key and the list of who was asked go unread."""
    rows = Consultation.objects.select_for_update(of=("self",), no_key=True)
    held = rows.select_related("area").get(pk=consultation.pk)
    if held.state != State.OPEN or not queries.asked_by_machine(held):
        return held
    list(held.eligible.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    SealedAnswer.objects.filter(consultation=held).delete()
    Eligible.objects.filter(consultation=held).delete()
    key, held.key_id = held.key_id, None
    held.state, held.follows = State.WITHDRAWN, None
    held.version += 1
    held.save()
    audit.record("accountability.withdraw_consultation", by=by, target=held)
    if key is not None:
        transaction.on_commit(lambda: voice_seal.destroy(key))
    return held
