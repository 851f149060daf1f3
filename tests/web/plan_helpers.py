"""Rollout plans of the invented world: small, and searched once in each process of a test run."""

from copy import deepcopy
from datetime import date, timedelta
from functools import cache
from typing import Any

from django.utils import timezone

from brightspots_web.directory import cycle_actions
from brightspots_web.directory import queries as directory
from brightspots_web.pace import plan_actions as actions
from brightspots_web.pace import plan_after_actions as after
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_rollout_actions as rollouts
from brightspots_web.pace.models import (
    PlanLesson,
    PlanResult,
    PlanRollout,
    PlanStudy,
    StageAgreement,
    StageRound,
)
from brightspots_web.shared import jobs
from brightspots_web.shared.models import Job
from tests.web.world import World

DISTRICTS = 2
"""The level of Upper, Lower, East and West."""
READINGS = {"Upper": 0.5, "Lower": 0.3, "East": 0.2, "West": 0.1}


def today() -> date:
    return directory.today()


def months_ago(months: int) -> date:
    """The first of a month."""
    on = today().replace(day=1)
    for _month in range(months):
        on = (on - timedelta(days=1)).replace(day=1)
    return on


def settings(**changed: Any) -> actions.Settings:
    given: dict[str, Any] = {
        "name": "Shift (invented)",
        "support_days": 20.0,
        "terms": 4,
        "speeds": (1, 2),
        "settle": 2,
        "first_day": months_ago(0),
        "term_months": 4,
        "draws": 20,
    }
    return actions.Settings(**given | changed)


def unread(world: World, **changed: Any) -> PlanStudy:
    """A study of which nobody has said how ready the areas are."""
    return actions.make_study(settings(**changed), DISTRICTS, by=world.cast["minister"])


def study(world: World, **changed: Any) -> PlanStudy:
    """A study with a reading of every area, and leaders to lead them."""
    made = unread(world, **changed)
    readings = {world.areas[name].pk: share for name, share in READINGS.items()}
    actions.set_readings(made, readings, by=world.cast["minister"], seen=None)
    for row in queries.areas_of(made):
        row.leaders = 1
        row.save()
    made.refresh_from_db()
    return made


@cache
def _outcome() -> dict[str, Any]:
    """What a search finds for the invented world, its areas by name."""
    from brightspots_web.pace.analysis import plan as library

    schools = {"Upper": 6, "Lower": 4, "East": 3, "West": 1}
    inputs = {
        "areas": [
            {"area": name, "name": name, "schools": n, "leaders": 1, "readiness": READINGS[name]}
            for name, n in schools.items()
        ],
        "settings": {"support_days": 20.0, "terms": 4, "speeds": [1, 2], "settle": 2,
                     "draws": 20, "seed": 1},
        "assumptions": library.assumptions(),
    }  # fmt: skip
    return library.plan(inputs, lambda share, stage: None)


def result(world: World, **changed: Any) -> PlanResult:
    """Plans found, without searching again in every test."""
    made = study(world, **changed)
    found = deepcopy(_outcome())
    for plan in found["plans"].values():
        plan["waves"] = {str(world.areas[k].pk): v for k, v in plan["waves"].items()}
        plan["by_area"] = {
            name: {str(world.areas[k].pk): v for k, v in by_area.items()}
            for name, by_area in plan["by_area"].items()
        }
    return actions.keep_result(
        made, found, queries.inputs_of(made), made.version, job=10_000 + made.pk,
        by=world.cast["minister"],
    )  # fmt: skip


def agreed_stages(world: World, area: str, stages: dict[str, int], days: int) -> None:
    """A round of an area in a cycle that began so many days from today, agreed."""
    starts = today() + timedelta(days=days)
    cycle = cycle_actions.make_cycle(
        f"From {starts}", starts, starts + timedelta(days=300), by=world.cast["minister"]
    )
    found = StageRound.objects.create(
        area=world.areas[area], cycle=cycle, closes_on=starts + timedelta(days=14), by="x",
        at=timezone.now(),
    )  # fmt: skip
    for strand, stage in stages.items():
        StageAgreement.objects.create(
            round=found, strand=strand, stage=stage, state=StageAgreement.State.AGREED,
            agreed_on=starts, by="x", at=timezone.now(),
        )  # fmt: skip


def picked(world: World, plan: str = "", **changed: Any) -> PlanRollout:
    found = result(world, **changed)
    name = plan or found.outcome["even_handed"]
    return rollouts.pick(found, name, by=world.cast["minister"])


def at_once(world: World) -> PlanRollout:
    """Every area begins in term 1, with one term of support: everything can be moved."""
    return picked(world, "all-at-once-1")


def adopted(world: World, **changed: Any) -> PlanRollout:
    made = picked(world, **changed)
    return rollouts.adopt(
        made, today(), "A coach comes every second week. (Invented.)", by=world.cast["minister"],
        seen=None,
    )  # fmt: skip


def moved(world: World) -> PlanRollout:
    """Changed by hand: West begins as late as it may."""
    made = at_once(world)
    return rollouts.move(
        made, [world.areas["West"]], 4, 1, note="The bridge opens then.",
        by=world.cast["minister"], seen=None,
    )  # fmt: skip


def lesson(world: World) -> PlanLesson:
    """An adopted plan of a year ago, held against what happened since."""
    plan = adopted(world, first_day=months_ago(13))
    job = after.ask_lesson(plan, by=world.cast["minister"])
    done(job)
    found = queries.lesson_of_job(job.pk)
    assert found is not None
    return found


def done(job: Job) -> Job:
    """Do a job here."""
    finished = jobs.run_here(job)
    assert finished.status == Job.Status.DONE, finished.problem
    return finished
