"""Dialogues of the invented system, made by the same actions as the pages use."""

from datetime import date, time, timedelta
from typing import Any

from brightspots_web.accountability import dialogue_actions as actions
from brightspots_web.accountability import dialogue_commitment_actions as promises
from brightspots_web.accountability.models import Commitment, Dialogue, DialogueItem
from brightspots_web.directory import queries as directory
from tests.web.world import World


def in_days(days: int) -> date:
    return directory.today() + timedelta(days=days)


def called(world: World, *, seats: int = 0, **changes: Any) -> Dialogue:
    """A dialogue of North county, called by its officer, in which the minister answers."""
    given: dict[str, Any] = {
        "title": "Time for planning",
        "on": in_days(10),
        "begins": time(14, 0),
        "place": "The town hall",
        "stakeholder": world.person("minister"),
    }
    plan = actions.Plan(**given | changes)
    return actions.call(world.areas["North"], plan, seats, by=world.cast["district_officer"])


def with_guests(world: World) -> Dialogue:
    """Everybody of North who may come is asked: heads, the leader, a teacher."""
    return called(world, seats=10)


def point(world: World) -> DialogueItem:
    return actions.add_point(
        called(world), "Who covers lessons?", by=world.cast["district_officer"]
    )


def held(world: World) -> Dialogue:
    """A dialogue of today, with its minutes."""
    found = called(world, on=in_days(0), seats=10)
    there = [each.pk for each in found.guests.all()[:2]]
    return actions.write_minutes(
        found, "We talked about time.", there, by=world.cast["minister"], seen=None
    )


def promised(world: World, *, due: int = 20, owner: str = "district_officer") -> Commitment:
    promise = promises.Promise("Two days of cover a term", world.person(owner), in_days(due))
    return promises.commit(held(world), promise, by=world.cast["minister"])
