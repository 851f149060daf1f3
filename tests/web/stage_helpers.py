"""Stages, readiness and powers of the invented world, made by the same actions as the pages use."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from brightspots_web.directory import cycle_actions
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Cycle
from brightspots_web.pace import power_actions as powers
from brightspots_web.pace import power_gate_actions as gates
from brightspots_web.pace import stage_actions as actions
from brightspots_web.pace import stage_agree_actions as agree
from brightspots_web.pace.models import GateCheck, PowerTransfer, StageRound
from brightspots_web.pace.stage_models import Strand
from brightspots_web.pace.stage_place_queries import Place
from tests.web.world import World

SHOWS = "Every Friday we look at books together."
SEATS = ("system_leader", "head", "partner_head")
"""Who has a seat in Upper partnership: N1, N2 and N3."""


def in_days(days: int) -> date:
    return directory.today() + timedelta(days=days)


def upper(world: World) -> Place:
    return Place(world.partnerships["Upper"])


def north(world: World) -> Place:
    return Place(world.areas["North"])


def a_cycle(world: World) -> Cycle:
    found = Cycle.objects.filter(name="This year").first()
    return found or cycle_actions.make_cycle(
        "This year", in_days(-60), in_days(240), by=world.cast["minister"]
    )


def opened(world: World, place: Place | None = None, by: str = "system_leader") -> StageRound:
    """A round of Upper partnership, or of another place."""
    a_cycle(world)
    return actions.open_round(place or upper(world), in_days(14), by=world.cast[by])


def ratings(stage: int = 2, shows: str = SHOWS) -> dict[str, actions.Rating]:
    return {strand: actions.Rating(stage, shows) for strand in Strand.values}


def rated(world: World, stages: Mapping[str, int] | None = None) -> StageRound:
    """Rated by all three seats, at different stages."""
    found = opened(world)
    for who, stage in (stages or dict(zip(SEATS, (2, 3, 3), strict=True))).items():
        actions.rate(found, ratings(stage, f"{SHOWS} {who}"), by=world.cast[who])
    return found


def closed(world: World) -> StageRound:
    return actions.close(rated(world), by=world.cast["system_leader"])


def put(world: World, stage: int = 3) -> StageRound:
    """All strands put to the group by its leader, at one stage."""
    given = {strand: agree.Put(stage, "We talked it over.") for strand in Strand.values}
    return agree.put(closed(world), given, by=world.cast["system_leader"], seen=None)


def words(*, agrees: bool = True, why: str = "") -> dict[str, agree.Word]:
    return {strand: agree.Word(agrees, why) for strand in Strand.values}


def agreed(world: World) -> StageRound:
    """Carried by all three seats."""
    found = put(world)
    for who in ("head", "partner_head"):
        agree.say(found, words(), by=world.cast[who], seen=None)
    return found


def rate_form(stage: int = 2) -> dict[str, Any]:
    return {f"stage_{each}": stage for each in Strand.values} | {
        f"shows_{each}": SHOWS for each in Strand.values
    }


# Readiness and powers


def asked(world: World, place: Place | None = None, by: str = "system_leader") -> GateCheck:
    return gates.ask(place or upper(world), "We would like to try.", by=world.cast[by])


def offer(**changes: Any) -> powers.Offer:
    given: dict[str, Any] = {
        "power": "training",
        "starts": in_days(0),
        "why": "You know best what you need to learn.",
        "why_before": "The course begins next week.",
    }
    return powers.Offer(**given | changes)


def offered(
    world: World, place: Place | None = None, by: str = "district_officer", **changes: Any
) -> PowerTransfer:
    return powers.offer(place or upper(world), offer(**changes), by=world.cast[by])


def held(world: World, **changes: Any) -> PowerTransfer:
    return powers.answer(
        offered(world, **changes), accepts=True, words="Gladly.", by=world.cast["system_leader"],
        seen=None,
    )  # fmt: skip
