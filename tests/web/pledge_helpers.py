"""Promises of the invented world, made by the same actions as the pages use."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from brightspots_web.accountability import pledge_actions as actions
from brightspots_web.accountability import pledge_check_in_actions as check_ins
from brightspots_web.accountability import pledge_witness_actions as witnesses
from brightspots_web.accountability.pledge_models import (
    Pledge,
    PledgeCheckIn,
    PledgeEvidence,
    PledgeSet,
    PledgeWitness,
)
from brightspots_web.alignment.models import Priority, PriorityIndicator
from brightspots_web.directory import cycle_actions, indicator_actions
from brightspots_web.directory import queries as directory
from brightspots_web.directory.indicator_actions import Measure
from brightspots_web.directory.models import Cycle, Indicator
from tests.web import living_helpers
from tests.web.world import World

PROMISE = "More of our pupils read a page and say what it tells."


def today() -> date:
    return directory.today()


def in_days(days: int) -> date:
    return today() + timedelta(days=days)


def a_cycle(world: World, name: str = "This year", starts: int = -60, ends: int = 240) -> Cycle:
    found = Cycle.objects.filter(name=name).first()
    if found is not None:
        return found
    return cycle_actions.make_cycle(name, in_days(starts), in_days(ends), by=world.cast["minister"])


def a_priority(world: World) -> Priority:
    """Early reading, measured by results that are published, and by books, which are counted."""
    found = Priority.objects.filter(subject="Reading").first()
    if found is not None:
        return found
    found = living_helpers.priorities(world)[0]
    for name, unit, figure in (
        ("Results in reading", "points", PriorityIndicator.Figure.MEAN),
        ("Books read in a month", "books", ""),
    ):
        measure = Measure(name, Indicator.Purpose.ACCOUNTABILITY, unit)
        indicator = indicator_actions.add(measure, by=world.cast["minister"])
        PriorityIndicator.objects.create(priority=found, indicator=indicator, figure=figure)
    return found


def indicator(world: World, name: str = "Results in reading") -> Indicator:
    a_priority(world)
    return Indicator.objects.get(name=name)


def words(world: World, half: str = "own", **changes: Any) -> actions.Words:
    """In the words of the head of N2; the second half counts the pupils of N3."""
    given: dict[str, Any] = {
        "half": half,
        "priority": a_priority(world),
        "indicator": indicator(world),
        "target": 2.0,
        "due": in_days(200),
        "promise": PROMISE,
        "will_do": "We read with each class every day, and look at books on Fridays.",
        "needs": "Somebody who shows us how.",
        "other_school": world.schools["N3"] if half == "other" else None,
    }
    return actions.Words(**given | changes)


def drafted(world: World, half: str = "own", by: str = "head", **changes: Any) -> Pledge:
    return actions.write(words(world, half, **changes), a_cycle(world), by=world.cast[by])


def vowed(world: World, half: str = "own", by: str = "head", **changes: Any) -> Pledge:
    made = drafted(world, half, by, **changes)
    return actions.vow(made, by=world.cast[by], seen=None)


def asked(world: World, pledge: Pledge, by: str = "head", who: str = "partner_head") -> Pledge:
    witnesses.ask(pledge, [world.person(who)], by=world.cast[by])
    return fresh(pledge)


def witnessed(
    world: World, half: str = "own", by: str = "head", who: str = "partner_head", **changes: Any
) -> Pledge:
    """Promised by the head of N2 before the head of N3."""
    pledge = asked(world, vowed(world, half, by, **changes), by, who)
    witnesses.answer(pledge, by=world.cast[who], accepts=True, words="We come and look.")
    return fresh(pledge)


def a_pledge(world: World, state: str = "vowed", half: str = "own", **changes: Any) -> Pledge:
    """A promise of N2 in a state up to witnessed, or withdrawn."""
    if state == "draft":
        return drafted(world, half, **changes)
    if state == "vowed":
        return vowed(world, half, **changes)
    if state == "witnessed":
        return witnessed(world, half, **changes)
    assert state == "withdrawn", state
    return withdrawn(world, half, **changes)


def withdrawn(world: World, half: str = "own", by: str = "head", **changes: Any) -> Pledge:
    made = vowed(world, half, by, **changes)
    return actions.withdraw(made, "The school is rebuilt.", by=world.cast[by], seen=None)


def a_set(world: World, by: str = "head", *, complete: bool = True) -> PledgeSet:
    """What N2 promises this year: for itself and, if complete, for N3."""
    made = vowed(world, by=by)
    if complete:
        vowed(world, "other", by)
    return made.set


def a_check_in(world: World, pledge: Pledge, **changes: Any) -> PledgeCheckIn:
    given: dict[str, Any] = {"on": today(), "going": "well", "words": "Two classes read daily."}
    return check_ins.check_in(pledge, uuid4(), by=world.cast["head"], **given | changes)


def evidence(world: World, pledge: Pledge, by: str = "head", **changes: Any) -> PledgeEvidence:
    given: dict[str, Any] = {"kind": "words", "words": "Seen in three lessons.", "on": today()}
    return check_ins.show(pledge, check_ins.Shown(**given | changes), by=world.cast[by])


def fresh(pledge: Pledge) -> Pledge:
    return Pledge.objects.select_related(
        "set__school__area", "set__partnership", "set__cycle", "other_school"
    ).get(pk=pledge.pk)


def witness(pledge: Pledge) -> PledgeWitness:
    return PledgeWitness.objects.get(pledge=pledge)
