"""Challenge visits of the invented system, made by the same actions as the pages use.

Schools of North are planned by its officer; challengers come from South: the leader of East, and
the officer there.
"""

from datetime import date, timedelta
from typing import Any

from brightspots_web.accountability import challenge_actions as actions
from brightspots_web.accountability import challenge_visit_actions as later
from brightspots_web.accountability.models import ChallengeStep, ChallengeVisit, Escalation
from brightspots_web.directory import queries as directory
from tests.web.world import World

State = ChallengeVisit.State
Side = ChallengeStep.Side


def in_days(days: int) -> date:
    return directory.today() + timedelta(days=days)


def fresh(visit: ChallengeVisit) -> ChallengeVisit:
    visit.refresh_from_db()
    return visit


def planned(world: World, *, who: str | None = "other_system_leader", **changes: Any) -> Any:
    """A visit to N2 by the leader of East, asked to go and not answered yet."""
    given: dict[str, Any] = {
        "why": ChallengeVisit.Why.ROTATION,
        "why_words": "Every school has its turn.",
        "on": in_days(10),
        "challenger": world.person(who) if who else None,
    }
    plan = actions.Plan(**given | changes)
    return actions.plan(world.schools["N2"], plan, by=world.cast["district_officer"])


def confirmed(world: World, **changes: Any) -> ChallengeVisit:
    visit = planned(world, **changes)
    return actions.confirm(visit, by=world.cast["other_system_leader"], seen=None)


def ready(world: World) -> ChallengeVisit:
    """Both are prepared, and the day is today."""
    visit = confirmed(world, on=in_days(0))
    return actions.write_self_view(
        visit, "We read every day.", by=world.cast["head"], seen=visit.version
    )


def held(world: World) -> ChallengeVisit:
    visit = ready(world)
    return later.write_record(
        visit, by=world.cast["other_system_leader"], strengths="Quiet reading in every class.",
        record="What do you do for those who read least?", seen=visit.version,
    )  # fmt: skip


def step(world: World, visit: ChallengeVisit, side: str = "school", **changes: Any) -> Any:
    given: dict[str, Any] = {
        "what": "Read with ten pupils",
        "side": side,
        "owner": "The deputy",
        "due": in_days(20),
    }
    by = world.cast["head" if side == "school" else "district_officer"]
    return later.add_step(visit, later.Step(**given | changes), by=by)


def to_agree(world: World) -> ChallengeVisit:
    """Both sides have something to do; the school has not agreed yet."""
    visit = held(world)
    step(world, visit)
    step(world, visit, "system", what="A reading coach for a day a week")
    return fresh(visit)


def agreed(world: World) -> ChallengeVisit:
    visit = to_agree(world)
    return later.agree(visit, in_days(90), by=world.cast["head"], seen=visit.version)


def escalated(world: World) -> Escalation:
    offer = later.Offer("Nobody teaches reading at present.", "A specialist for ten days.")
    return later.escalate(agreed(world), offer, by=world.cast["district_officer"], seen=None)
