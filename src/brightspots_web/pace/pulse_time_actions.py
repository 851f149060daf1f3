"""What the worker does for the pulse: opening, reminding, counting, forgetting who answered."""

import json
import logging
from collections.abc import Sequence
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.accountability import (
    voice_machine_actions,
    voice_queries,
    voice_seal,
    voice_time_actions,
)
from brightspots_web.accountability.models import Consultation
from brightspots_web.directory import actions as register
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Cycle
from brightspots_web.pace import pulse_queries as queries
from brightspots_web.pace import pulse_tell as tell
from brightspots_web.pace import pulse_words as words
from brightspots_web.pace.models import PulseTerm
from brightspots_web.pace.pulse_comparing import Answered, kept_together
from brightspots_web.shared import audit

REMIND_BEFORE = timedelta(days=3)
FORGET_AFTER = timedelta(days=400)
log = logging.getLogger(__name__)


def keep_time() -> None:
    """The worker's hourly work."""
    operator = register.command_line_operator()
    for term in queries.open_terms():
        try:
            close(term, by=operator)
        except voice_seal.SealError:
            log.error("A pulse cannot be counted: its key is missing. See the guide to voice.")
    if queries.settings_now().on:
        for term in queries.due_to_open():
            open_or_say_why(term, by=operator)
    for term in queries.open_terms():
        remind(term)
    forget_who(by=operator)


def open_or_say_why(term: PulseTerm, *, by: Appointment) -> PulseTerm:
    """Open a term; where it cannot be, its page says why, and it is tried again."""
    try:
        return open_up(term, by=by)
    except ValidationError as problem:
        with transaction.atomic():
            held = _held(term)
            held.why_not = " ".join(problem.messages)[:300]
            held.save(update_fields=["why_not"])
        return held


@transaction.atomic
def open_up(term: PulseTerm, *, by: Appointment, quiet: bool = False) -> PulseTerm:
    """Ask everybody: who may answer is listed, a key is made, all are told alike.

    Parameters
    ----------
    quiet
        Nobody is told: for terms of the sample that are long since over.

    Raises
    ------
    ValidationError
        Fewer than five would be asked, or no area is the whole system.
    """
    held = _held(term)
    top = queries.whole()
    if held.consultation_id is not None:
        return held
    if top is None:
        raise ValidationError(_("There is no area that is the whole system."))
    asked = voice_machine_actions.Round(
        title=words.title(held)[:160],
        area=top,
        blocks=queries.blocks(),
        questions=queries.QUESTIONS,
        closes=held.closes,
    )

    def told(made: Consultation) -> None:
        held.consultation = made
        if not quiet:
            tell.opened(held)

    held.consultation = voice_machine_actions.open_round(asked, by=by, told=told)
    held.asked_by = voice_queries.asked_by_slice(held.consultation)
    held.why_not, held.version = "", held.version + 1
    held.save()
    audit.record(
        "pace.open_pulse", by=by, target=held,
        detail={"asked": held.consultation.asked, "closes": held.closes.isoformat()},
    )  # fmt: skip
    return held


@transaction.atomic
def close(term: PulseTerm, *, by: Appointment, quiet: bool = False) -> PulseTerm:
    """Count a term that is over, and keep what may be kept beside the terms before.

    Parameters
    ----------
    quiet
        See `open_up`.

    Raises
    ------
    SealError
        The key of its answers is missing: nothing is changed, and nothing lost.
    """
    held = _held(term)
    if held.consultation is None or not voice_queries.is_over(held.consultation):
        return held
    consultation = held.consultation
    before, unread = _before(held)
    who: list[tuple[int, str, int | None]] = []
    aside: list[str] = []

    def narrow(wanted: Sequence[str]) -> list[str]:
        who.extend(voice_queries.who_answered(consultation))
        kept = kept_together(before, who, wanted)
        aside.extend(sorted(set(wanted) - set(kept)))
        return kept

    asked = list(voice_queries.people_asked(consultation).values_list("pk", flat=True))
    kept: list[str] = []

    def told(counted: Consultation) -> None:
        kept.extend(voice_queries.released(counted))
        held.consultation = counted
        held.too_alike = counted.answers is not None and not kept
        if not quiet:
            tell.counted(held, asked)

    counted = voice_time_actions.close_round(consultation, narrow, by=by, told=told)
    if kept:
        _seal_who(held, who)
    held.version += 1
    held.save()
    audit.record(
        "pace.count_pulse", by=by, target=held,
        detail={
            "asked": counted.asked, "answers": counted.answers, "slices": kept,
            "left_out_beside_terms_before": aside, "compared_with": len(before),
            "not_compared_as_the_key_is_missing": unread,
        },
    )  # fmt: skip
    return held


def _before(held: PulseTerm) -> tuple[list[tuple[Answered, list[str]]], int]:
    """Who answered the terms before, with what was released of them; how many cannot be read."""
    found: list[tuple[Answered, list[str]]] = []
    unread = 0
    for each in queries.compared_terms(held):
        assert each.who_key is not None
        assert each.who is not None
        assert each.consultation is not None
        try:
            rows = json.loads(voice_seal.unseal(each.who_key, each.who))
        except voice_seal.SealError:
            log.error("Who answered an earlier pulse cannot be read: it is not compared with.")
            unread += 1
            continue
        names = voice_queries.released(each.consultation)
        found.append(([(person, role, area) for person, role, area in rows], names))
    return found, unread


def _seal_who(held: PulseTerm, who: Answered) -> None:
    text = json.dumps(who, separators=(",", ":"))
    held.who_key = voice_seal.new_key()
    held.who = voice_seal.seal(held.who_key, text, len(text.encode()))


@transaction.atomic
def remind(term: PulseTerm) -> int:
    """Tell everybody who is asked, once and all alike, a few days before it ends."""
    held = _held(term)
    if held.consultation is None or not voice_queries.is_open(held.consultation) or held.reminded:
        return 0
    today = directory.today()
    if today < held.closes - REMIND_BEFORE or today <= held.opens:
        return 0
    held.reminded = True
    held.save(update_fields=["reminded"])
    return tell.reminder(held)


@transaction.atomic
def forget_who(*, by: Appointment) -> int:
    """Destroy lists of who answered that no term to come is held against; return how many.

    A term that is over and still to be counted is held against those before it: it waits.
    """
    rows = PulseTerm.objects.select_for_update(no_key=True, of=("self",)).exclude(who_key=None)
    held = sorted(rows.order_by("pk"), key=lambda each: (each.closes, each.pk), reverse=True)
    old = directory.today() - FORGET_AFTER
    late = any(queries.is_over(each) for each in queries.open_terms())
    kept = held if late else held[: queries.COMPARED]
    gone = [each for each in held if each not in kept or each.closes < old]
    for each in gone:
        key, each.who_key, each.who = each.who_key, None, None
        each.save(update_fields=["who", "who_key"])
        if key is not None:
            transaction.on_commit(lambda key=key: voice_seal.destroy(key))  # type: ignore[misc]
    if gone:
        audit.record("pace.forget_who_answered", by=by, detail={"terms": len(gone)})
    return len(gone)


@transaction.atomic
def stop(term: PulseTerm, *, by: Appointment) -> PulseTerm:
    """Stop a term that is open, where its key is gone for good: its answers go unread."""
    held = _held(term)
    if held.consultation is not None:
        held.consultation = voice_machine_actions.drop_round(held.consultation, by=by)
        held.version += 1
        held.save()
        audit.record("pace.stop_pulse", by=by, target=held)
    return held


@transaction.atomic
def date_back(term: PulseTerm, *, opens: date, closes: date, by: Appointment) -> PulseTerm:
    """Let an invented term of the sample have been asked on earlier days."""
    held = _held(term)
    held.opens, held.closes = opens, closes
    held.save(update_fields=["opens", "closes"])
    if held.consultation is not None:
        held.consultation = voice_time_actions.date_back(
            held.consultation, opens=opens, closes=closes,
            answer_due=closes + timedelta(days=1), by=by,
        )  # fmt: skip
    audit.record("pace.date_pulse_back", by=by, target=held)
    return held


@transaction.atomic
def invented_term(cycle: Cycle, *, by: Appointment) -> PulseTerm:
    """A further term of the sample, from today on; dated back once it is answered."""
    taken = PulseTerm.objects.filter(cycle=cycle).order_by("-number").values_list("number").first()
    today = directory.today()
    made = PulseTerm.objects.create(
        cycle=cycle,
        number=taken[0] + 1 if taken else 1,
        opens=today,
        closes=today + timedelta(days=14),
    )
    audit.record("pace.invent_pulse_term", by=by, target=made)
    return made


def _held(term: PulseTerm) -> PulseTerm:
    rows = PulseTerm.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("cycle", "consultation__area").get(pk=term.pk)
