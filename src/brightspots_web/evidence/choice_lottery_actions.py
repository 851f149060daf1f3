"""Preparing a lottery: what there is to get, among whom; the ministry agrees, or it does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.evidence import choice_lottery_queries as queries
from brightspots_web.evidence import choice_seed, choice_tell
from brightspots_web.evidence.models import Lottery
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

State = Lottery.State
MOST_PLACES = 10_000
FARTHEST = timedelta(days=366)
AGAIN_IN = timedelta(days=7)
"""So soon a lottery is drawn anew whose seed was lost; the day can be changed."""


@dataclass(frozen=True)
class Terms:
    """What a lottery is about."""

    title: str
    words: str
    kind: str
    priority: Priority
    places: int
    draws_on: date
    area: Area | None = None
    lower: float | None = None
    upper: float | None = None
    need_at_least: int | None = None
    by_area: bool = False
    follows: Lottery | None = None


@transaction.atomic
def prepare(terms: Terms, *, by: Appointment) -> Lottery:
    """Put a lottery to the ministry. Sent twice, it is there once.

    Raises
    ------
    PermissionDenied
        Somebody who prepares none.
    ValidationError
        Something in it makes no sense; the field is named.
    """
    if not queries.prepares(by):
        raise PermissionDenied
    given = _checked(terms)
    audit.one_at_a_time()
    same = Lottery.objects.filter(**given, state=State.PREPARED, by=by.label[:300]).first()
    if same is not None:
        return same
    lottery = Lottery.objects.create(**given, by=by.label[:300], at=timezone.now())
    audit.record("evidence.prepare_lottery", by=by, target=lottery, detail=_detail(lottery))
    choice_tell.ministry(lottery, "put", by=by)
    return lottery


@transaction.atomic
def change(lottery: Lottery, terms: Terms, *, by: Appointment, seen: int | None) -> Lottery:
    """Change what it is about, before the list is closed; the ministry has to agree anew."""
    if not queries.prepares(by):
        raise PermissionDenied
    found = held(lottery, seen)
    check_state(found, *queries.BEFORE)
    given = _checked(terms, but=found)
    if all(getattr(found, name) == value for name, value in given.items()):
        return found
    for name, value in given.items():
        setattr(found, name, value)
    found.state = State.PREPARED
    found.answer_words, found.answered_by, found.answered_at = "", "", None
    save(found)
    audit.record("evidence.change_lottery", by=by, target=found, detail=_detail(found))
    choice_tell.ministry(found, "put", by=by)
    return found


@transaction.atomic
def answer(
    lottery: Lottery, *, agrees: bool, words: str, by: Appointment, seen: int | None
) -> Lottery:
    """The ministry agrees that places are drawn, or does not, and says why."""
    if not queries.answers(by):
        raise PermissionDenied
    found = held(lottery, seen)
    to = State.AGREED if agrees else State.DECLINED
    if found.state == to:
        return found
    check_state(found, *queries.BEFORE)
    words = required(words, "words", 500) if not agrees else within(words, "words", 500)
    found.state, found.answer_words = to, words
    found.answered_by, found.answered_at = by.label[:300], timezone.now()
    save(found)
    audit.record("evidence.answer_lottery", by=by, target=found, detail={"agrees": agrees})
    choice_tell.evaluators(found, "agreed" if agrees else "declined", by=by)
    return found


@transaction.atomic
def call_off(lottery: Lottery, why: str, *, by: Appointment, seen: int | None) -> Lottery:
    """Draw nothing; once drawn, a lottery cannot be called off.

    Raises
    ------
    ValidationError
        It was drawn, or no reason is given.
    """
    if not queries.prepares(by):
        raise PermissionDenied
    found = held(lottery, seen)
    if found.state == State.CALLED_OFF:
        return found
    check_state(found, *queries.BEFORE, State.OPEN)
    was = found.state
    found.state, found.called_off_why = State.CALLED_OFF, required(why, "why", 500)
    save(found)
    audit.record("evidence.call_off_lottery", by=by, target=found, detail={"was": was})
    if was == State.OPEN:
        choice_tell.listed(found, "called_off", by=by)
        transaction.on_commit(lambda: choice_seed.forget(found.code))
    return found


@transaction.atomic
def begin_again(lottery: Lottery, *, by: Appointment, seen: int | None) -> Lottery:
    """The seed is lost: call this one off, and put the same to the ministry with a new seed to be.

    Nobody can do this to get another result: as long as the promised seed is there it is refused.
    """
    if not queries.prepares(by):
        raise PermissionDenied
    found = held(lottery, seen)
    check_state(found, State.OPEN)
    if choice_seed.is_there(found.code, found.seed_hash):
        raise ValidationError(_("The seed is there: this lottery can be drawn, and has to be."))
    found.state = State.CALLED_OFF
    found.called_off_why = _(
        "The seed was lost before the draw. Nothing was drawn; another lottery takes its place."
    )
    save(found)
    soon = directory.today() + AGAIN_IN
    names = (
        "title", "words", "kind", "priority", "area", "lower", "upper", "need_at_least",
        "places", "by_area", "follows",
    )  # fmt: skip
    later = Lottery.objects.create(
        **{name: getattr(found, name) for name in names},
        draws_on=max(found.draws_on, soon),
        by=by.label[:300],
        at=timezone.now(),
    )
    detail = {"later": later.pk, "seed_hash": found.seed_hash}
    audit.record("evidence.lose_seed", by=by, target=found, detail=detail)
    choice_tell.listed(found, "called_off", by=by)
    choice_tell.ministry(later, "put", by=by)
    return later


# What several of them need


def held(lottery: Lottery, seen: int | None) -> Lottery:
    """The row, held until the transaction ends; as it was when the person looked at it."""
    rows = Lottery.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related("priority", "area", "follows").get(pk=lottery.pk)
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody changed this lottery since you opened it; it is now “{state}”. What you "
                "wrote is still here and was not saved: look at it, then send yours if it still "
                "holds."
            ).format(state=found.get_state_display())
        )
    return found


def save(lottery: Lottery) -> None:
    lottery.version += 1
    lottery.save()


def check_state(lottery: Lottery, *states: str) -> None:
    if lottery.state in states:
        return
    words = {
        State.PREPARED: _("The ministry has not agreed yet."),
        State.DECLINED: _("The ministry does not agree; its page says why."),
        State.AGREED: _("Its list of schools is not closed yet."),
        State.OPEN: _("Its list of schools is closed: nothing about it can be changed."),
        State.DRAWN: _("It was drawn already; the result stands."),
        State.CALLED_OFF: _("It was called off; its page says why."),
    }
    raise ValidationError(words[State(lottery.state)])


def required(text: str, field: str, most: int) -> str:
    text = within(text, field, most)
    if not text:
        raise ValidationError({field: _("Say it in a sentence.")})
    return text


def within(text: str, field: str, most: int) -> str:
    text = text.replace("\0", "").strip()
    if len(text) > most:
        raise ValidationError({field: _("Keep it under {n} characters.").format(n=most)})
    return text


def check_day(on: date) -> None:
    today = directory.today()
    if on <= today:
        raise ValidationError(
            {"draws_on": _("Choose a day after today: what decides must still be unknown.")}
        )
    if on > today + FARTHEST:
        raise ValidationError({"draws_on": _("This is more than a year away. Check the year.")})


def _checked(terms: Terms, but: Lottery | None = None) -> Mapping[str, Any]:
    """The fields of the row."""
    given = {name: getattr(terms, name) for name in terms.__dataclass_fields__}
    given["title"] = required(terms.title, "title", 160)
    given["words"] = required(terms.words, "words", 1000)
    if terms.kind not in Lottery.What.values:
        raise ValidationError({"kind": _("Choose one of these.")})
    if not 1 <= terms.places <= MOST_PLACES:
        raise ValidationError(
            {"places": _("Between 1 and {n} places.").format(n=MOST_PLACES)}
        )  # fmt: skip
    if terms.lower is not None and terms.upper is not None and terms.lower >= terms.upper:
        raise ValidationError({"upper": _("The upper limit must be above the lower.")})
    if terms.need_at_least is not None and not 1 <= terms.need_at_least <= 100:
        raise ValidationError({"need_at_least": _("Between 1 and 100.")})
    check_day(terms.draws_on)
    _check_follows(terms, but)
    return given


def _check_follows(terms: Terms, but: Lottery | None) -> None:
    earlier = terms.follows
    if earlier is None:
        return
    if earlier.state != State.DRAWN or (but is not None and earlier.pk == but.pk):
        raise ValidationError({"follows": _("Choose a lottery that was drawn.")})
    if (earlier.kind, earlier.priority_id) != (terms.kind, terms.priority.pk):
        raise ValidationError(
            {"follows": _("That one was for other help: choose one for the same priority.")}
        )


def _detail(lottery: Lottery) -> dict[str, Any]:
    return {
        "kind": lottery.kind,
        "priority": lottery.priority.code,
        "places": lottery.places,
        "draws_on": lottery.draws_on.isoformat(),
        "lower": lottery.lower,
        "upper": lottery.upper,
        "need_at_least": lottery.need_at_least,
        "by_area": lottery.by_area,
        "area": lottery.area.name if lottery.area else "",
    }
