"""Decisions and cycles of the invented system, made by the same actions as the pages use."""

from datetime import date, timedelta
from typing import Any

from brightspots_web.devolution import decision_actions as actions
from brightspots_web.devolution import decision_follow_actions as follow
from brightspots_web.devolution import pdsa_actions as cycles
from brightspots_web.devolution.models import Decision, DecisionAction, Pdsa, PdsaPoint
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared.permissions import Role
from tests.web.world import FORMED, World

QUESTION = "How do we find early who is stuck in reading?"


def today() -> date:
    return directory.today()


def in_days(days: int) -> date:
    return today() + timedelta(days=days)


def text(world: World, **changes: Any) -> actions.Text:
    given: dict[str, Any] = {
        "question": QUESTION,
        "decision": "Two teachers look at the exercise books together every Friday.",
        "would_change": "If after six weeks nobody is found whom we did not know of.",
        "options": ["A test every month", "Looking at books together"],
        "owner": world.person("partner_head"),
        "by_when": in_days(60),
    }
    return actions.Text(**given | changes)


def head_of(world: World, code: str) -> Appointment:
    """The head of a school that has none in the cast, appointed on the spot."""
    person, _made = Person.objects.get_or_create(
        email=f"head-{code.lower()}@test.invalid", defaults={"name": f"Head {code}"}
    )
    return Appointment.objects.get_or_create(
        person=person, role=Role.HEAD, school=world.schools[code], defaults={"starts": FORMED}
    )[0]


def speakers(world: World) -> list[Appointment]:
    """Who speaks for the six schools of Upper partnership, N1 to N6."""
    cast = world.cast
    named = [cast["system_leader"], cast["head"], cast["partner_head"]]
    return [*named, *(head_of(world, code) for code in ("N4", "N5", "N6"))]


def proposed(world: World, by: str = "head", **changes: Any) -> Decision:
    """Proposed by the head of N2: N2 carries it, five others are asked."""
    return actions.propose(world.partnerships["Upper"], text(world, **changes), by=world.cast[by])


def made(world: World, **changes: Any) -> Decision:
    decision = proposed(world, **changes)
    for by in speakers(world):
        if by.pk != world.cast["head"].pk:
            decision = actions.say(decision, by=by, agrees=True, seen=None)
    return decision


def action(world: World, decision: Decision | None = None, **changes: Any) -> DecisionAction:
    given: dict[str, Any] = {
        "what": "Find an hour on Fridays",
        "owner": world.person("head"),
        "due": in_days(10),
    }
    return follow.add_action(
        decision or made(world), by=world.cast["system_leader"], **given | changes
    )


def plan(**changes: Any) -> cycles.Plan:
    given: dict[str, Any] = {
        "title": "Fours by turns in year 3",
        "test": "Four pupils at a time, ten minutes a day.",
        "prediction": "Six of ten read the page aloud by week six.",
        "measure": "pupils who read the page aloud",
        "unit": "of 10",
        "starts": in_days(-30),
        "study_on": in_days(12),
    }
    return cycles.Plan(**given | changes)


def cycle(world: World, by: str = "head", *, everywhere: bool = False, **changes: Any) -> Pdsa:
    acting = world.cast[by]
    partnership = world.partnerships["East" if by.startswith("other") else "Upper"]
    return cycles.begin(
        partnership, plan(**changes), by=acting, school=None if everywhere else acting.school
    )


def value(world: World, of: Pdsa, amount: float = 3, days: int = -5, by: str = "head") -> PdsaPoint:
    return cycles.add_point(of, cycles.Value(in_days(days), amount), by=world.cast[by])


def studied(world: World, of: Pdsa, act: str = "adopt", by: str = "head") -> Pdsa:
    return cycles.study(
        of, by=world.cast[by], found="More than we thought.", act=act,
        next_step="Year 4 begins on Monday.", seen=None,
    )  # fmt: skip
