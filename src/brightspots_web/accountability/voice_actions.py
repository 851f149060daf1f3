"""Writing a consultation, opening it, withdrawing it. Answers: see `voice_answer_actions`.

Once it is open nothing of it changes: whoever answered has answered to what they read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from secrets import SystemRandom

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import response_rules, voice_seal
from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability import voice_tell as tell
from brightspots_web.accountability import voice_words as words
from brightspots_web.accountability.models import (
    Consultation,
    Eligible,
    SealedAnswer,
    VoiceQuestion,
)
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, Role, may

State = Consultation.State
Kind = VoiceQuestion.Kind
MOST_QUESTIONS = 8
MOST_TEXTS = 3
OPTIONS = range(2, 7)
LONGEST = {"title": 160, "policy": 2000, "words": 300, "option": 100}
LONGEST_TEXT = 1000
AT_ONCE = 2000
SLICES = ("role", "area")


@dataclass(frozen=True)
class Question:
    """One question as it is written."""

    kind: str
    words: str
    options: Sequence[str] = ()


@dataclass(frozen=True)
class Draft:
    """All that is fixed once the consultation is open."""

    title: str
    about: str
    policy: str
    area: Area
    audience: str
    mode: str
    slices: Sequence[str]
    closes: date
    answer_due: date
    stakeholder: Person
    moderator: Person
    questions: Sequence[Question]


@transaction.atomic
def write(
    draft: Draft, *, by: Appointment, follows: Consultation | None = None
) -> Consultation:  # fmt: skip
    """Write a consultation down; nobody is asked yet. Sent twice, it is one.

    Parameters
    ----------
    follows
        The round before, counted by now, in whose place the next one asks.
    """
    if not may(by, Capability.CONSULT):
        raise PermissionDenied
    audit.one_at_a_time()  # the same form, sent twice at once, writes one
    checked = _checked(draft, by)
    if follows is not None:
        _check_follows(follows, by)
    same = Consultation.objects.filter(
        opener=by.person, state=State.DRAFT, title=checked["title"], follows=follows
    ).first()
    if same is not None:
        return same
    made = Consultation.objects.create(
        **checked,
        opens=directory.today(),
        round=follows.round + 1 if follows else 1,
        follows=follows,
        by=by.label[:300],
        opener=by.person,
        at=timezone.now(),
    )
    _write_questions(made, draft.questions)
    audit.record("accountability.write_consultation", by=by, target=made)
    return made


@transaction.atomic
def change(
    consultation: Consultation, draft: Draft, *, by: Appointment, seen: int | None
) -> Consultation:
    """Change what is still being written."""
    held = _held(consultation, by)
    _check_draft(held)
    _check_seen(held, seen)
    for name, value in _checked(draft, by, held).items():
        setattr(held, name, value)
    held.opens = directory.today()
    held.version += 1
    held.save()
    held.questions.all().delete()
    _write_questions(held, draft.questions)
    audit.record("accountability.change_consultation", by=by, target=held)
    return held


@transaction.atomic
def discard(consultation: Consultation, *, by: Appointment) -> None:
    """Throw a draft away; nobody was asked."""
    held = _held(consultation, by)
    _check_draft(held)
    audit.record("accountability.discard_consultation", by=by, target=held)
    held.delete()


@transaction.atomic
def open_up(consultation: Consultation, *, by: Appointment, seen: int | None) -> Consultation:
    """Open a consultation: who may answer is listed, a key is made, everybody asked is told.

    Raises
    ------
    ValidationError
        A date has passed meanwhile, too few would be asked, or somebody named may not be.
    OvertakenError
        It was changed since: whoever opens it should know what.
    """
    held = _held(consultation, by)
    if held.state == State.OPEN:
        return held
    _check_draft(held)
    _check_seen(held, seen)
    _check_days(held.closes, held.answer_due)
    if not held.questions.exists():
        raise ValidationError(_("There is no question yet. Write one first."))
    _check_named(held)
    held.asked = list_eligible(held, queries.areas_below(held.area))
    if held.asked < FEWEST:
        raise ValidationError(words.too_few_asked(held.asked))
    held.key_id = voice_seal.new_key()
    held.state, held.opens, held.opened_at = State.OPEN, directory.today(), timezone.now()
    held.reminded = tell.not_at_once(held)
    held.version += 1
    held.save()
    audit.record(
        "accountability.open_consultation", by=by, target=held,
        detail={
            "asked": held.asked, "closes": held.closes.isoformat(), "mode": held.mode,
            "slices": held.slices, "answer_due": held.answer_due.isoformat(),
        },
    )  # fmt: skip
    tell.opened(held)
    return held


def list_eligible(held: Consultation, blocks: Iterable[Area]) -> int:
    """One row a person, made together in shuffled order: their keys tell nothing later.

    Parameters
    ----------
    blocks
        Areas inside the one that is asked, none within another: the slices by area.
    """
    below = {each.path: each.pk for each in blocks}
    found: dict[int, Eligible] = {}
    rows = queries.asked_today(held).values_list("person", "role", "school__area__path")
    for person, role, path in rows.iterator(chunk_size=AT_ONCE):
        as_asked = queries.AS_ASKED[Role(role)]
        if person in found and as_asked != "head":
            continue  # somebody who is both is asked as a head
        found[person] = Eligible(
            consultation=held, person_id=person, role=as_asked, area_id=_below(path, below)
        )
    listed = list(found.values())
    SystemRandom().shuffle(listed)
    Eligible.objects.bulk_create(listed, batch_size=AT_ONCE)
    return len(listed)


def _below(path: str, below: dict[str, int]) -> int | None:
    return next((key for start, key in below.items() if path.startswith(start)), None)


@transaction.atomic
def withdraw(
    consultation: Consultation, *, by: Appointment, seen: int | None, why: str
) -> Consultation:
    """Withdraw what is open: answers, key and the list of who was asked are destroyed unread.

    What is counted cannot be withdrawn: its answer is owed.
    """
    held = _held(consultation, by)
    if held.state == State.WITHDRAWN:
        return held
    if held.state != State.OPEN:
        raise ValidationError(_cannot_withdraw(held))
    _check_seen(held, seen)
    why = _required(why, "why", 500)
    tell.withdrawn(held)
    list(held.eligible.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    SealedAnswer.objects.filter(consultation=held).delete()
    Eligible.objects.filter(consultation=held).delete()
    key, held.key_id = held.key_id, None
    held.state, held.withdrawn_why, held.follows = State.WITHDRAWN, why, None
    held.version += 1
    held.save()
    audit.record("accountability.withdraw_consultation", by=by, target=held)
    if key is not None:
        transaction.on_commit(lambda: voice_seal.destroy(key))
    return held


def _cannot_withdraw(held: Consultation) -> str:
    if held.state == State.DRAFT:
        return _("It is not open yet: throw the draft away instead.")
    return _("It is counted, and an answer is owed: it cannot be withdrawn any more.")


# What several of them need


def _held(consultation: Consultation, by: Appointment) -> Consultation:
    """The row, held until the transaction ends, for the side that asks.

    `no_key`: whoever answers at this moment refers to it, and must not wait for us.
    """
    if not queries.manages(by, consultation):
        raise PermissionDenied
    rows = Consultation.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("area", "stakeholder", "moderator").get(pk=consultation.pk)


def _check_draft(held: Consultation) -> None:
    if held.state != State.DRAFT:
        raise ValidationError(
            _("It was opened: what people answer to stays as they read it. Nothing was changed.")
        )


def _check_seen(held: Consultation, seen: int | None) -> None:
    if seen is not None and seen != held.version:
        raise OvertakenError(
            _(
                "Somebody changed this consultation since you opened the page. What you wrote is "
                "still here and was not saved: look at both, then send yours if it still holds."
            )
        )


def _checked(draft: Draft, by: Appointment, held: Consultation | None = None) -> dict[str, object]:
    allowed = queries.areas_to_ask(by)
    if draft.area not in allowed and (held is None or held.area_id != draft.area.pk):
        raise ValidationError({"area": _("Choose an area whose teachers and heads you may ask.")})
    _check_days(draft.closes, draft.answer_due)
    checked: dict[str, object] = {
        "title": _required(draft.title, "title", LONGEST["title"]),
        "policy": _required(draft.policy, "policy", LONGEST["policy"]),
        "about": Consultation.About(draft.about),
        "area": draft.area,
        "audience": Consultation.Audience(draft.audience),
        "mode": Consultation.Mode(draft.mode),
        "slices": [each for each in SLICES if each in draft.slices],
        "closes": draft.closes,
        "answer_due": draft.answer_due,
        "stakeholder": draft.stakeholder,
        "stakeholder_name": str(draft.stakeholder)[:300],
        "moderator": draft.moderator,
        "moderator_name": str(draft.moderator)[:300],
    }
    if draft.audience != Consultation.Audience.BOTH and "role" in draft.slices:
        raise ValidationError({"slices": _("Only one of the two is asked: nothing to set apart.")})
    _check_questions(draft.questions)
    opener = held.opener if held is not None else by.person
    _check_named(Consultation(**checked, opener=opener))
    return checked


def _check_days(closes: date, answer_due: date) -> None:
    if closes <= directory.today():
        raise ValidationError({"closes": _("Give people a day at least to answer.")})
    if answer_due <= closes:
        raise ValidationError({"answer_due": _("The answer comes after the day it closes.")})


def _check_named(consultation: Consultation) -> None:
    """Hold that whoever is named may be: both may have changed office since it was written."""
    area, stakeholder = consultation.area, consultation.stakeholder
    if stakeholder is None or stakeholder not in queries.seniors(area):
        raise ValidationError(
            {"stakeholder": _("Choose somebody of the ministry or an officer over this area.")}
        )
    moderator = consultation.moderator
    if moderator is None or not may_be_moderator(moderator, consultation):
        raise ValidationError(
            {
                "moderator": _(
                    "Choose a moderator outside the line of who writes and who answers: neither "
                    "you, nor who owes the answer, nor an officer over or within this area."
                )
            }
        )


def may_be_moderator(person: Person, consultation: Consultation) -> bool:
    """Whether one of a person's offices lets them read what is written."""
    held = [each for each in queries.who_moderate() if each.person_id == person.pk]
    places = response_rules.places_of(held)
    return any(response_rules.may_moderate(each, consultation, places) for each in held)


def _check_follows(follows: Consultation, by: Appointment) -> None:
    if not queries.manages(by, follows):
        raise PermissionDenied
    if follows.closed_at is None:
        raise ValidationError(_("The round before is not counted yet."))
    later = Consultation.objects.filter(follows=follows).first()
    if later is not None and later.state != State.DRAFT:
        raise ValidationError(_("There is a next round already."))


def _check_questions(questions: Sequence[Question]) -> None:
    if not questions:
        raise ValidationError(_("Write at least one question."))
    if len(questions) > MOST_QUESTIONS:
        raise ValidationError(_("At most {n} questions.").format(n=MOST_QUESTIONS))
    if sum(each.kind == Kind.TEXT for each in questions) > MOST_TEXTS:
        raise ValidationError(
            _("At most {n} questions in own words: a phone is small, and time short.").format(
                n=MOST_TEXTS
            )
        )
    for place, each in enumerate(questions, start=1):
        _check_question(place, each)


def _check_question(place: int, question: Question) -> None:
    name = f"q{place}_options"
    if question.kind not in Kind.values:
        raise ValidationError({f"q{place}_kind": _("Choose how it is answered.")})
    _required(question.words, f"q{place}_words", LONGEST["words"])
    if question.kind != Kind.CHOICE:
        return
    options = list(question.options)
    if len(options) not in OPTIONS:
        raise ValidationError({name: _("Write two to six answers, a line for each.")})
    if len({each.casefold() for each in options}) < len(options):
        raise ValidationError({name: _("Two of the answers are the same.")})
    if any(len(each) > LONGEST["option"] for each in options):
        raise ValidationError({name: _too_long(LONGEST["option"])})


def _write_questions(held: Consultation, questions: Iterable[Question]) -> None:
    VoiceQuestion.objects.bulk_create(
        [
            VoiceQuestion(
                consultation=held,
                order=order,
                kind=each.kind,
                words=_plain(each.words),
                options=list(each.options) if each.kind == Kind.CHOICE else [],
            )
            for order, each in enumerate(questions, start=1)
        ]
    )


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _required(text: str, name: str, most: int) -> str:
    found = _plain(text)
    if not found:
        raise ValidationError({name: _("Write something here.")})
    if len(found) > most:
        raise ValidationError({name: _too_long(most)})
    return found


def _too_long(most: int) -> str:
    return _("At most {n} characters.").format(n=most)
