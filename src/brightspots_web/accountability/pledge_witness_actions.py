"""Witnesses: asked from other schools, answering, leaving."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_tell as tell
from brightspots_web.accountability.pledge_actions import (
    check_state,
    held,
    lock,
    plain,
    save,
    too_long,
)
from brightspots_web.accountability.pledge_models import Pledge, PledgeWitness
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared import audit

State = PledgeWitness.State
LONGEST_WORDS = 300
MOST = 6


@transaction.atomic
def ask(pledge: Pledge, people: Iterable[Person], *, by: Appointment) -> list[PledgeWitness]:
    """Ask heads or leaders of other schools to stand by a promise; asked twice, asked once.

    Where somebody of a school declined or left, another of that school may be asked in its place.

    Raises
    ------
    ValidationError
        It is no promise that runs, nobody is chosen, or somebody who cannot witness it.
    """
    found = held(pledge, by)
    check_state(found, *queries.RUNS)
    chosen = {each.pk: each for each in people}
    now_there = PledgeWitness.objects.filter(pledge=found, state__in=[State.ASKED, State.ACCEPTED])
    for key in now_there.values_list("person", flat=True):
        chosen.pop(key or 0, None)
    able = {each.person_id: each for each in queries.may_witness(found)}
    if any(key not in able for key in chosen):
        raise ValidationError(
            {"people": _("Choose heads or leaders of other schools, one of each school.")}
        )
    if now_there.count() + len(chosen) > MOST:
        raise ValidationError(
            {"people": _("Six witnesses are enough: two who come and look are worth more.")}
        )
    return [_ask(found, able[key], by) for key in chosen]


def _ask(pledge: Pledge, appointment: Appointment, by: Appointment) -> PledgeWitness:
    row, _made = PledgeWitness.objects.update_or_create(
        pledge=pledge,
        school=appointment.school,
        defaults={
            "person": appointment.person,
            "name": appointment.label[:300],
            "state": State.ASKED,
            "words": "",
            "asked_at": timezone.now(),
            "answered_at": None,
        },
    )
    audit.record("accountability.ask_witness", by=by, target=pledge, detail={"witness": row.pk})
    tell.asked(pledge, appointment.person, by=by)
    return row


@transaction.atomic
def answer(pledge: Pledge, *, by: Appointment, accepts: bool, words: str = "") -> PledgeWitness:
    """Say whether one stands by a promise; a no says why, kindly. One may change one's mind.

    Raises
    ------
    PermissionDenied
        Somebody who was not asked, or answers for that school no longer.
    """
    found = lock(pledge)
    witness = queries.witness_asked(by, found)
    if witness is None:
        raise PermissionDenied
    check_state(found, *queries.RUNS)
    words = plain(words)
    if not accepts and not words:
        raise ValidationError(
            {"words": _("Say why in a few words: the school can answer a reason, not a no.")}
        )
    if len(words) > LONGEST_WORDS:
        raise ValidationError({"words": too_long(LONGEST_WORDS)})
    state = State.ACCEPTED if accepts else State.DECLINED
    if (witness.state, witness.words) == (state, words):
        return witness
    witness.pledge = found
    witness.state, witness.words, witness.answered_at = state, words, timezone.now()
    witness.save(update_fields=["state", "words", "answered_at"])
    _settle(found)
    audit.record(
        "accountability.answer_as_witness", by=by, target=found, detail={"accepts": accepts}
    )
    tell.answered(witness, by=by)
    return witness


def _settle(pledge: Pledge) -> None:
    """A promise is made before witnesses as long as one of those asked has stood by it."""
    stood = pledge.witnesses.filter(
        state__in=[State.ACCEPTED, State.LEFT], answered_at__isnull=False
    )
    wanted = Pledge.State.WITNESSED if stood.exists() else Pledge.State.VOWED
    if pledge.state != wanted:
        pledge.state = wanted
        save(pledge)


@transaction.atomic
def leave(witness: PledgeWitness, *, by: Appointment) -> bool:
    """Mark a witness who answers for the school no longer, once, and ask for another.

    What was witnessed stays so: the promise was made before somebody.
    """
    pledge = lock(witness.pledge)
    here = PledgeWitness.objects.filter(pk=witness.pk, state__in=[State.ASKED, State.ACCEPTED])
    if not here.update(state=State.LEFT):
        return False
    audit.record(
        "accountability.witness_left", by=by, target=pledge, detail={"witness": witness.pk}
    )
    witness.pledge = pledge
    tell.left(witness)
    return True
