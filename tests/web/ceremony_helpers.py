"""Scores of promises in the invented world, made by the same actions as the pages use."""

from typing import Any

from brightspots_web.accountability import ceremony_actions as actions
from brightspots_web.accountability import ceremony_outcome_actions as outcomes
from brightspots_web.accountability.pledge_models import Pledge, PledgeScore, PledgeSettings
from brightspots_web.directory.models import Cycle
from tests.web import pledge_helpers as helpers
from tests.web.world import World

WHY = "In six of eight lessons every child read aloud."
PEERS = ("partner_head", "system_leader")
"""The heads of N3 and of N1 verify what the head of N2 promises."""


def self_scored(world: World, half: str = "own", points: int = 8, **changes: Any) -> Pledge:
    """Promised before the head of N3 and scored by the head of N2."""
    pledge = helpers.witnessed(world, half, **changes)
    return score(world, pledge, points)


def score(world: World, pledge: Pledge, points: int = 8, reason: str = WHY) -> Pledge:
    return actions.score(pledge, points, reason, by=world.cast["head"], seen=None)


def asked(world: World, half: str = "own", who: tuple[str, ...] = PEERS, **changes: Any) -> Pledge:
    pledge = self_scored(world, half, **changes)
    actions.ask(pledge, [world.person(each) for each in who], by=world.cast["head"])
    return helpers.fresh(pledge)


def verify(
    world: World, pledge: Pledge, who: str = "partner_head", points: int = 5, reason: str = WHY
) -> PledgeScore:
    return actions.verify(pledge, points, reason, by=world.cast[who])


def verified(
    world: World, half: str = "own", points: tuple[int, int] = (5, 7), **changes: Any
) -> Pledge:
    """Scored by both peers, the head of N3 first."""
    pledge = asked(world, half, **changes)
    for who, given in zip(PEERS, points, strict=True):
        verify(world, pledge, who, given)
    return helpers.fresh(pledge)


def ended(world: World, outcome: str = "partly", half: str = "own", **changes: Any) -> Pledge:
    """Its school has said what became of it."""
    pledge = verified(world, half, **changes)
    return say(world, pledge, outcome)


def say(
    world: World, pledge: Pledge, outcome: str = "partly", words: str = "We came half the way."
) -> Pledge:
    return outcomes.say_outcome(pledge, outcome, words, by=world.cast["head"], seen=None)


def next_cycle(world: World) -> Cycle:
    helpers.a_cycle(world)
    return helpers.a_cycle(world, "Next year", 240, 600)


def peer(pledge: Pledge, code: str = "N3") -> PledgeScore:
    return PledgeScore.objects.select_related("school", "person", "pledge__set__school").get(
        pledge=pledge, school__code=code
    )


def set_rules(world: World, **changes: int) -> PledgeSettings:
    given = {"highest_score": 10, "own_weight": 50, "verifiers": 2, "check_in_days": 42}
    return actions.set_rules(given | changes, by=world.cast["minister"], seen=None)
