"""Peer reviews of the invented system, made by the same actions as the pages use.

The host is N2 of Upper, whose head begins them; the team is the head of N3, of the same
partnership, and the head of E2, of East, who leads it.
"""

from datetime import date, timedelta
from typing import Any

from brightspots_web.accountability import review_actions as actions
from brightspots_web.accountability import review_champion_actions as championing
from brightspots_web.accountability import review_team_actions as team
from brightspots_web.accountability.models import ImprovementChampion, PeerReview, Reviewer
from brightspots_web.directory import queries as directory
from tests.web.world import World

State = PeerReview.State
QUESTION = "How do we find early who is stuck in reading?"


def in_days(days: int) -> date:
    return directory.today() + timedelta(days=days)


def text(**changes: Any) -> actions.SelfReview:
    given: dict[str, Any] = {
        "question": QUESTION,
        "strengths": "Every class reads aloud for ten minutes.",
        "to_improve": "We notice late who cannot follow.",
        "evidence": "Exercise books of two classes.",
    }
    return actions.SelfReview(**given | changes)


def begun(world: World, who: str = "head", **changes: Any) -> PeerReview:
    return actions.begin(text(**changes), by=world.cast[who])


def seeking(world: World) -> PeerReview:
    """The own view is there; nobody was asked yet."""
    return actions.seek_team(begun(world), by=world.cast["head"], seen=None)


def asked(world: World, who: str = "other_head", *, leads: bool = False) -> Reviewer:
    """A seat that waits for an answer, in the review of N2, which is begun where there is none."""
    review = PeerReview.objects.filter(school=world.schools["N2"]).first() or seeking(world)
    return team.invite(review, world.person(who), by=world.cast["head"], leads=leads)


def with_team(world: World) -> PeerReview:
    """Two peers come, one of another partnership, who leads; the visit has no date yet."""
    for who in ("other_head", "partner_head"):
        team.accept(asked(world, who, leads=who == "other_head"), by=world.cast[who])
    return fresh(PeerReview.objects.get(school=world.schools["N2"]))


def scheduled(world: World, on: date | None = None) -> PeerReview:
    visit = actions.Visit(on or in_days(0), None, "Lessons in the morning, talks after.")
    return actions.schedule(with_team(world), visit, by=world.cast["head"], seen=None)


def a_review(world: World, state: str = State.SCHEDULED) -> PeerReview:
    """A review of N2 in a state up to the visit's date; the date is today."""
    make = {
        State.SELF_REVIEW: begun,
        State.TEAM: with_team,
        State.SCHEDULED: scheduled,
        State.CALLED_OFF: called_off,
    }
    return make[State(state)](world)


def called_off(world: World) -> PeerReview:
    return actions.call_off(
        with_team(world), "The road is closed.", by=world.cast["head"], seen=None
    )


def seat(review: PeerReview, world: World, who: str) -> Reviewer:
    return review.team.get(person=world.person(who))


def fresh(review: PeerReview) -> PeerReview:
    return PeerReview.objects.select_related("school__area", "partnership").get(pk=review.pk)


def champion(world: World) -> ImprovementChampion:
    """The teacher of N2, named by its head."""
    words = "Leads a talk in which everybody speaks."
    return championing.name_champion(world.cast["teacher"], words, by=world.cast["head"])
