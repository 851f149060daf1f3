"""All reads of moderation and answers: what may be shown of own words, who reads them first."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import (
    Consultation,
    ResponsePoint,
    VoiceComment,
    VoiceQuestion,
)
from brightspots_web.accountability.response_rules import may_moderate
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared.permissions import Capability, Role, may

State = VoiceComment.State
Stage = Consultation.State
AGAIN = Q(state=State.WITHHELD) | Q(challenged=True)
"""What a second moderator reads."""
MANY = 3
"""More than one in so many withheld: somebody else looks again without being asked."""


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
    found = {(each["state"], each["reason"]): each["n"] for each in counted}
    reasons = tuple((key, found.get((State.WITHHELD, key), 0)) for key in VoiceComment.Reason)
    kept = tuple((str(key), n) for key, n in reasons if n)
    return Withheld(sum(n for _key, n in kept), sum(found.values()), kept)


# Who moderates


def moderates(by: Appointment | None, consultation: Consultation) -> bool:
    """Whether somebody is the moderator, and may still be: their office may have changed."""
    return voice.is_moderator(by, consultation) and may_moderate(by, consultation)


def looks_again(by: Appointment | None, consultation: Consultation) -> bool:
    """Whether somebody may look again at what the moderator withheld.

    The ministry's analyst always; where much is withheld, whoever is outside the line.
    """
    if by is None or by.person_id == consultation.moderator_id:
        return False
    if consultation.closed_at is None or not may_moderate(by, consultation):
        return False
    rows = voice.comments_of(consultation)
    if not rows.filter(AGAIN).exists():
        return False
    return by.role == Role.ANALYST or withheld(rows).many or rows.filter(challenged=True).exists()


def to_moderate(by: Appointment | None) -> list[Consultation]:
    """Counted consultations in which somebody moderates, those with unread words first."""
    if by is None or not may(by, Capability.MODERATE_VOICE):
        return []
    unread = Count("questions__comments", filter=Q(questions__comments__state=State.UNREAD))
    held_back = Count("questions__comments", filter=Q(questions__comments__state=State.WITHHELD))
    rows = (
        Consultation.objects.filter(closed_at__isnull=False, answers__isnull=False)
        .select_related("area")
        .annotate(unread=unread, held_back=held_back)
        .order_by("-unread", "-pk")
    )
    mine = Q(moderator=by.person_id)
    return [
        each
        for each in rows.filter(mine | Q(held_back__gt=0))
        if moderates(by, each) or looks_again(by, each)
    ]


def moderated_with(by: Appointment | None, pk: int) -> Consultation | None:
    """A counted consultation in which somebody moderates or looks again."""
    found = Consultation.objects.select_related("area").filter(pk=pk, closed_at__isnull=False)
    one = found.first()
    return one if one is not None and (moderates(by, one) or looks_again(by, one)) else None


def others_outside(consultation: Consultation) -> list[Person]:
    """Who looks again where much is withheld: the ministry's analysts, else whoever may."""
    able = [
        each
        for each in voice.who_moderate()
        if each.person_id != consultation.moderator_id and may_moderate(each, consultation)
    ]
    analysts = [each.person for each in able if each.role == Role.ANALYST]
    return analysts or [each.person for each in able]


# Comments


def to_read(by: Appointment | None, consultation: Consultation) -> QuerySet[VoiceComment]:
    """What somebody reads to moderate: the moderator all of it, a second one what is withheld."""
    rows = voice.comments_of(consultation).select_related("question", "area")
    if moderates(by, consultation):
        return rows.order_by("question__order", "pk")
    if looks_again(by, consultation):
        return rows.filter(AGAIN).order_by("question__order", "pk")
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


def unread_for(person: int) -> QuerySet[Consultation]:
    """Consultations of a moderator in which words wait to be read."""
    return (
        Consultation.objects.filter(moderator=person, questions__comments__state=State.UNREAD)
        .distinct()
        .order_by("pk")
    )
