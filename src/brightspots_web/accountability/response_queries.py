"""All reads of moderation and answers: what may be shown of own words, who reads them first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localdate

from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import (
    Consultation,
    ResponsePoint,
    VoiceComment,
    VoiceQuestion,
)
from brightspots_web.accountability.response_rules import Places, may_moderate, places_of
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared.permissions import Capability, Role, may

State = VoiceComment.State
Stage = Consultation.State
AGAIN = Q(state=State.WITHHELD) | Q(challenged=True)
"""What a second moderator reads unasked."""
READ = ~Q(state=State.UNREAD)
MANY = 3
"""More than one in so many withheld: somebody else looks again without being asked."""
PATIENCE = timedelta(days=14)
"""So long words wait for the moderator alone. Then others outside the line read them."""
YEAR = timedelta(days=365)
LATEST = 30


@dataclass(frozen=True)
class Withheld:
    """How much is withheld, of how many, and why."""

    n: int
    of: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def many(self) -> bool:
        return self.n * MANY > self.of


def withheld(rows: QuerySet[Any]) -> Withheld:
    """Count what is withheld by reason; rows are comments, or the suggestions of a box."""
    counted = rows.order_by().values("state", "reason").annotate(n=Count("pk"))
    return _withheld({(each["state"], each["reason"]): each["n"] for each in counted})


def withheld_by(rows: QuerySet[Any], *parts: str) -> dict[tuple[Any, ...], Withheld]:
    """The same for each part of the rows: a question, a consultation, a day of release."""
    counted = rows.order_by().values(*parts, "state", "reason").annotate(n=Count("pk"))
    found: dict[tuple[Any, ...], dict[tuple[str, str], int]] = {}
    for each in counted:
        part = tuple(each[name] for name in parts)
        found.setdefault(part, {})[each["state"], each["reason"]] = each["n"]
    return {part: _withheld(counts) for part, counts in found.items()}


def _withheld(counts: Mapping[tuple[str, str], int]) -> Withheld:
    reasons = tuple((key, counts.get((State.WITHHELD, key), 0)) for key in VoiceComment.Reason)
    kept = tuple((str(key), n) for key, n in reasons if n)
    return Withheld(sum(n for _key, n in kept), sum(counts.values()), kept)


def much_withheld(consultation: Consultation) -> bool:
    """Whether more than one in three is withheld, of all or of what was said to one question."""
    found = withheld_by(voice.comments_of(consultation), "question")
    n, of = (sum(getattr(each, name) for each in found.values()) for name in ("n", "of"))
    return Withheld(n, of, ()).many or any(each.many for each in found.values())


# Who moderates


def moderates(
    by: Appointment | None, consultation: Consultation, places: Places | None = None
) -> bool:
    """Whether somebody is the moderator, and may still be: their office may have changed."""
    return voice.is_moderator(by, consultation) and may_moderate(by, consultation, places)


def looks_again(
    by: Appointment | None, consultation: Consultation, places: Places | None = None
) -> bool:
    """Whether somebody else than the moderator reads something: see :func:`read_again`."""
    if by is None or by.person_id == consultation.moderator_id or consultation.closed_at is None:
        return False
    return may_moderate(by, consultation, places) and read_again(by, consultation).exists()


def read_again(by: Appointment, consultation: Consultation) -> QuerySet[VoiceComment]:
    """What somebody outside the line reads and decides beside the moderator.

    What was withheld: the ministry's analyst always; others where much is, or where somebody looked
    again already. All that was moderated, where somebody who reads it asked for a second look. What
    nobody has read, where the moderator may not moderate any more or has let it wait too long.
    """
    rows = voice.comments_of(consultation)
    seen = Q(pk__in=[])
    if consultation.look_again:
        seen |= READ
    elif (
        by.role == Role.ANALYST
        or rows.filter(challenged=True).exists()
        or much_withheld(consultation)
    ):
        seen |= AGAIN
    if waits_too_long(consultation):
        seen |= Q(state=State.UNREAD)
    return rows.filter(seen)


def waits_too_long(consultation: Consultation) -> bool:
    """Whether words wait for a moderator who left, or who has let them wait for two weeks."""
    closed = consultation.closed_at
    if closed is None:
        return False
    if not voice.comments_of(consultation).filter(state=State.UNREAD).exists():
        return False
    return localdate(closed) + PATIENCE < directory.today() or not _is_moderated(consultation)


def _is_moderated(consultation: Consultation) -> bool:
    """Whether the moderator holds an office with which they still may be."""
    person = consultation.moderator
    held = list(directory.live_appointments(person)) if person is not None else []
    places = places_of(held)
    return any(may_moderate(each, consultation, places) for each in held)


def to_moderate(by: Appointment | None) -> list[Consultation]:
    """Counted consultations in which somebody reads, those with unread words first."""
    if by is None or not may(by, Capability.MODERATE_VOICE):
        return []
    unread = Count("questions__comments", filter=Q(questions__comments__state=State.UNREAD))
    held_back = Count("questions__comments", filter=Q(questions__comments__state=State.WITHHELD))
    rows = (
        Consultation.objects.filter(closed_at__isnull=False, answers__isnull=False)
        .select_related("area", "moderator")
        .annotate(unread=unread, held_back=held_back)
        .order_by("-unread", "-pk")
    )
    mine = Q(moderator=by.person_id)
    others = Q(held_back__gt=0) | Q(unread__gt=0) | Q(look_again=True)
    places = places_of([by])
    return [
        each
        for each in rows.filter(mine | others)
        if moderates(by, each, places) or looks_again(by, each, places)
    ]


def moderated_with(by: Appointment | None, pk: int) -> Consultation | None:
    """A counted consultation in which somebody moderates or looks again."""
    found = Consultation.objects.exclude(voice.BY_MACHINE).select_related("area", "moderator")
    one = found.filter(pk=pk, closed_at__isnull=False).first()
    return one if one is not None and (moderates(by, one) or looks_again(by, one)) else None


def others_outside(consultation: Consultation) -> list[Person]:
    """Who looks again where much is withheld: the ministry's analysts, else whoever may."""
    held = voice.who_moderate()
    places = places_of(held)
    able = [
        each
        for each in held
        if each.person_id != consultation.moderator_id and may_moderate(each, consultation, places)
    ]
    analysts = [each.person for each in able if each.role == Role.ANALYST]
    return analysts or [each.person for each in able]


def may_ask_again(by: Appointment | None, consultation: Consultation) -> bool:
    """Whether somebody may ask for a second look: teachers and heads who read it, once for all."""
    if by is None or not may(by, Capability.SPEAK_UP) or consultation.look_again:
        return False
    if consultation.closed_at is None or voice.consultation_with(by, consultation.pk) is None:
        return False
    return voice.comments_of(consultation).filter(READ).exists()


def with_words_waiting() -> list[Consultation]:
    """Counted consultations with words that nobody has read, for the worker."""
    rows = Consultation.objects.filter(questions__comments__state=State.UNREAD)
    return list(rows.select_related("area", "moderator").distinct().order_by("pk"))


def withheld_in_sight(by: Appointment | None) -> list[tuple[Consultation, Withheld]]:
    """What moderators withheld, for the ministry and for moderators of others, the newest first."""
    if by is None or not (may(by, Capability.MODERATE_VOICE) or by.role == Role.MINISTER):
        return []
    some = VoiceComment.objects.filter(question__consultation=OuterRef("pk"), state=State.WITHHELD)
    found = Consultation.objects.filter(Exists(some)).select_related("area").order_by("-pk")
    rows = list(found[:LATEST])
    if by.role not in {Role.MINISTER, Role.ANALYST}:
        places = places_of([by])
        rows = [each for each in rows if may_moderate(by, each, places)]
    comments = VoiceComment.objects.filter(question__consultation__in=rows)
    counts = withheld_by(comments, "question__consultation")
    return [(each, counts[each.pk,]) for each in rows]


def flagged() -> list[Consultation]:
    """Consultations of a year of which much is withheld that nobody has looked at again."""
    some = VoiceComment.objects.filter(
        question__consultation=OuterRef("pk"), state=State.WITHHELD, challenged=False
    )
    since = directory.today() - YEAR
    rows = Consultation.objects.filter(Exists(some), closed_at__date__gte=since)
    return [each for each in rows.order_by("-pk")[:LATEST] if much_withheld(each)]


# Comments


def to_read(by: Appointment | None, consultation: Consultation) -> QuerySet[VoiceComment]:
    """What somebody reads to moderate: the moderator all of it, others what they look at again."""
    rows = voice.comments_of(consultation).select_related("question", "area")
    if moderates(by, consultation):
        return rows.order_by("question__order", "pk")
    if by is not None and looks_again(by, consultation):
        again = read_again(by, consultation).select_related("question", "area")
        return again.order_by("question__order", "pk")
    return rows.none()


def shown(consultation: Consultation) -> list[tuple[VoiceQuestion, list[str]]]:
    """Own words as everybody reads them, in the order drawn by lot.

    Of a question to which fewer than five shown or unread remain, none is shown.
    """
    found: dict[int, list[str]] = {}
    left: dict[int, int] = {}
    questions: dict[int, VoiceQuestion] = {}
    rows = voice.comments_of(consultation).exclude(state=State.WITHHELD)
    for each in rows.select_related("question").order_by("question__order", "pk"):
        questions[each.question_id] = each.question
        left[each.question_id] = left.get(each.question_id, 0) + 1
        if each.state == State.SHOWN:
            found.setdefault(each.question_id, []).append(each.words)
    return [(questions[key], words) for key, words in found.items() if left[key] >= FEWEST]


# The answer


def may_answer(by: Appointment | None, consultation: Consultation) -> bool:
    """Whether somebody writes the answer: who owes it; where they left, the side that asked."""
    if by is None or consultation.closed_at is None:
        return False
    if voice.is_stakeholder(by, consultation):
        return may(by, Capability.CONSULT)
    return _is_orphan(consultation) and voice.manages(by, consultation)


def _is_orphan(consultation: Consultation) -> bool:
    person = consultation.stakeholder
    return person is None or person not in voice.seniors(consultation.area)


def points(consultation: Consultation) -> QuerySet[ResponsePoint]:
    return ResponsePoint.objects.filter(consultation=consultation)


def overdue(by: Appointment | None, on: date | None = None) -> QuerySet[Consultation]:
    """Consultations in sight whose answer is overdue, the longest owed first."""
    today = on or directory.today()
    found = voice.visible_to(by).filter(state=Stage.CLOSED, answer_due__lt=today)
    return found.order_by("answer_due", "pk")


def owed_by(person: int) -> QuerySet[Consultation]:
    """What somebody owes an answer to now, the nearest first."""
    rows = Consultation.objects.filter(stakeholder=person, state=Stage.CLOSED)
    return rows.order_by("answer_due", "pk")


def unread_for(by: Appointment) -> list[Consultation]:
    """Consultations of a moderator in which words wait to be read."""
    rows = Consultation.objects.filter(
        moderator=by.person_id, questions__comments__state=State.UNREAD
    )
    places = places_of([by])
    found = rows.select_related("area").distinct().order_by("pk")
    return [each for each in found if moderates(by, each, places)]
