"""All reads of coaching: the two of a pair see it, and nobody else, whatever their office."""

from django.db.models import Q, QuerySet

from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import development_queries as development
from brightspots_web.leaders.models import CoachingNote, CoachingPair


def may_coach(acting: Appointment | None) -> bool:
    """Whether somebody acts in a role in which people coach each other."""
    return development.may_learn(acting)


def pairs_visible_to(acting: Appointment | None) -> QuerySet[CoachingPair]:
    """The pairs that the acting person is one of; not under an office of the ministry."""
    if acting is None or not may_coach(acting):
        return CoachingPair.objects.none()
    mine = Q(coach=acting.person_id) | Q(coached=acting.person_id)
    return CoachingPair.objects.filter(mine).select_related("coach", "coached", "asker")


def asking(acting: Appointment | None) -> list[CoachingPair]:
    """Pairs that nobody has answered yet, asked of or by the acting person."""
    return list(pairs_visible_to(acting).filter(accepted_at=None, ends=None))


def at_work(acting: Appointment | None) -> list[CoachingPair]:
    return list(pairs_visible_to(acting).filter(accepted_at__isnull=False, ends=None))


def over(acting: Appointment | None) -> list[CoachingPair]:
    """Coaching that ended; what was never answered or was declined is not among it."""
    found = pairs_visible_to(acting).filter(accepted_at__isnull=False, ends__isnull=False)
    return list(found.order_by("-ends", "-pk"))


def notes_visible_to(acting: Appointment | None) -> QuerySet[CoachingNote]:
    """Notes of the acting person's pairs."""
    pairs = pairs_visible_to(acting).values("pk")
    return CoachingNote.objects.filter(pair__in=pairs).select_related("author", "pair")


def other_of(pair: CoachingPair, person: int) -> Person:
    """The one of the two whom a person meets."""
    return pair.coached if pair.coach_id == person else pair.coach


def has_to_answer(acting: Appointment | None, pair: CoachingPair) -> bool:
    """Whether it is the acting person who was asked."""
    return (
        acting is not None
        and pair.accepted_at is None
        and pair.ends is None
        and pair.asker_id != acting.person_id
    )


def waits_for(acting: Appointment | None) -> int:
    """How many ask the acting person for coaching or to be coached."""
    return sum(has_to_answer(acting, each) for each in asking(acting))
