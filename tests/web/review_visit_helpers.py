"""Peer reviews from the visit on, made by the same actions as the pages use.

The host is N2; in the team are the heads of N3 (`partner_head`) and of E2 (`other_head`), who
leads it; the head of N1 leads their partnership.
"""

from typing import Any
from uuid import uuid4

from brightspots_web.accountability import review_team_actions as team
from brightspots_web.accountability import visit_actions as actions
from brightspots_web.accountability import visit_after_actions as after
from brightspots_web.accountability.models import (
    PeerReview,
    ReviewAction,
    ReviewEvidence,
    ReviewFinding,
)
from brightspots_web.connectedness.practice_actions import Text
from tests.web import peer_review_helpers as reviews
from tests.web.peer_review_helpers import fresh, in_days
from tests.web.world import World

Kind = ReviewFinding.Kind
LEAD, PEER = "other_head", "partner_head"
STRENGTH = "Every pupil we asked could say what the lesson was for."
WORK_ON = "Those at the back were asked once in five lessons."
PRACTICE = Text("Ten minutes aloud", "All read aloud.", "A school.", "Read.", "Ten minutes.")


def saw(words: str = "Nine of ten hands went up.", **changes: Any) -> actions.Saw:
    given: dict[str, Any] = {"kind": "lesson", "strength": True, "on": in_days(0)}
    return actions.Saw(words=words, **given | changes)


def evidence(world: World, review: PeerReview, who: str = LEAD, **changes: Any) -> ReviewEvidence:
    return actions.keep_evidence(review, uuid4(), saw(**changes), by=world.cast[who])


def finding(
    world: World, review: PeerReview, kind: str = Kind.STRENGTH, who: str = LEAD, words: str = ""
) -> ReviewFinding:
    text = words or (STRENGTH if kind == Kind.STRENGTH else WORK_ON)
    return actions.add_finding(review, actions.Found(kind, text), by=world.cast[who])


def seen(world: World) -> PeerReview:
    """The visit is today; the lead has kept one piece of evidence."""
    review = reviews.scheduled(world)
    evidence(world, review)
    return review


def visited(world: World) -> PeerReview:
    """A strength and something to work on wait for the host."""
    review = seen(world)
    finding(world, review)
    finding(world, review, Kind.WORK_ON)
    return fresh(review)


def answered(world: World) -> PeerReview:
    review = visited(world)
    for each in review.findings.all():
        actions.answer_finding(each, True, "", by=world.cast["head"])
    return fresh(review)


def agreed(world: World, days: int = 14) -> PeerReview:
    """Agreed; the check-back is near enough to be written down today."""
    review = answered(world)
    return fresh(actions.agree(review, in_days(days), by=world.cast[LEAD], seen=None))


def step(world: World, review: PeerReview, **changes: Any) -> ReviewAction:
    given: dict[str, Any] = {"what": "Ask by lot", "owner": "The deputy", "due": in_days(30)}
    return after.add_action(review, after.Step(**given | changes), by=world.cast["head"])


def workshop(world: World) -> PeerReview:
    review = agreed(world)
    step(world, review)
    given = after.Workshop(in_days(0), "We chose one thing.")
    return fresh(after.hold_workshop(review, given, by=world.cast["head"], seen=None))


def excellent(world: World) -> PeerReview:
    review = agreed(world)
    words = "Ten minutes of reading aloud, everywhere."
    return fresh(after.praise(review, words, by=world.cast[LEAD], seen=None))


def stand_down(world: World, review: PeerReview, who: str = PEER) -> None:
    """A conflict of a peer is found."""
    team.stand_down(reviews.seat(review, world, who), "They are cousins.", by=world.cast["head"])
