"""The rollout plan of the sample: its curve, a wave moved by hand, adopted, held against life."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.directory.models import Appointment
    from brightspots_web.pace.models import PlanRollout, PlanStudy

COMES_WITH = (
    "(Invented.) A coach comes to each partnership every second week. The partnership chooses its "
    "own training and has a small budget for support. Ask the district office; it knows your coach."
)
WHY = "(Invented.) The road over the pass is closed in that term."
FUTURES = 60
MOST_AREAS = 40


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Plan, pick, move one wave, adopt, write down which areas have begun, and compare."""
    from brightspots_web.pace import plan_queries as queries

    levels = [(level, n) for level, n, _names in queries.levels() if 2 <= n <= MOST_AREAS]
    if not levels:
        return
    study = _study(rng, cast["minister"], levels[-1][0])
    plan = _picked(study, cast["minister"])
    if plan is not None:
        _adopted(plan, cast["minister"])


def _study(rng: random.Random, by: Appointment, level: int) -> PlanStudy:
    from brightspots_web.directory import queries as directory
    from brightspots_web.pace import plan_actions as actions
    from brightspots_web.pace import plan_queries as queries

    today = directory.today()
    settings = actions.Settings(
        name="Shift of responsibility, area by area (invented)",
        support_days=600.0,
        terms=15,
        speeds=(3, 6, 9),
        settle=6,
        first_day=_months_before(today, 8),
        term_months=4,
        draws=FUTURES,
    )
    study = actions.make_study(settings, level, by=by)
    readings = {
        each.area_id: round(0.15 + 0.4 * rng.random(), 2)
        for each in queries.areas_of(study)
        if each.readiness is None
    }
    if readings:
        actions.set_readings(study, readings, by=by, seen=None)
    actions.set_assumption(
        study, "support_arrives", 0.6, 0.8, 0.95, "(Invented.) Days of coaches, counted last year",
        by=by, seen=None,
    )  # fmt: skip
    return study


def _months_before(day: date, months: int) -> date:
    """Return the first of a month."""
    at = 12 * day.year + day.month - 1 - months
    return date(at // 12, at % 12 + 1, 1)


def _picked(study: PlanStudy, by: Appointment) -> PlanRollout | None:
    from brightspots_web.pace import plan_actions as actions
    from brightspots_web.pace import plan_queries as queries
    from brightspots_web.pace import plan_rollout_actions as rollouts
    from brightspots_web.shared import jobs

    job = jobs.run_here(actions.ask_search(study, by=by))
    result = queries.results_visible_to(by).filter(job=job.pk).first()
    if result is None:
        return None
    plan = rollouts.pick(result, result.outcome["even_handed"], by=by)
    areas = queries.areas_in(plan)
    last = max(areas, key=lambda each: (plan.waves[str(each.pk)][0], each.name))
    start, speed = plan.waves[str(last.pk)]
    later = start + 1 if start + speed <= study.terms else start - 1
    if later >= 1:
        plan = rollouts.move(plan, [last], later, None, note=WHY, by=by, seen=None)
    return plan


def _adopted(plan: PlanRollout, by: Appointment) -> None:
    from brightspots_web.pace import plan_after_actions as after
    from brightspots_web.pace import plan_calendar as calendar
    from brightspots_web.pace import plan_queries as queries
    from brightspots_web.pace import plan_rollout_actions as rollouts
    from brightspots_web.shared import jobs

    study = plan.result.study
    plan = rollouts.adopt(plan, study.first_day, COMES_WITH, by=by, seen=None)
    for number, area in enumerate(queries.areas_in(plan)):
        start = plan.waves[str(area.pk)][0]
        if start == 1 and number % 2 == 0:
            began = calendar.first_day(study, 1)
            after.record_start(plan, area, began, "(Invented.)", by=by, seen=0)
    jobs.run_here(after.ask_lesson(plan, by=by))
