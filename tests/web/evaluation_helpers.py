"""Evaluations of an invented panel whose truth is known: yearly figures, and who began when."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from django.utils import timezone

from brightspots_web.connectedness.models import Practice, PracticeAdoption
from brightspots_web.directory.models import School
from brightspots_web.evidence import evaluation_actions as actions
from brightspots_web.evidence.models import Evaluation, EvaluationResult
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.shared import jobs
from brightspots_web.shared.models import Job
from tests.web import practice_helpers as practices
from tests.web.bright_spot_helpers import outcome
from tests.web.world import World

YEARS = (2019, 2020, 2021, 2022, 2023, 2024)
PUPIL_SD = 10.0
PLAN = actions.Plan(
    title="Fours by turns, at other schools",
    question="Did pupils read better where schools took up Fours by turns?",
    kind=Evaluation.Kind.PRACTICE,
    subject="Reading",
    design_words="Schools took it up as they heard of it; nobody chose them.",
    change_our_mind="An effect at or below nought with twice as many schools.",
    cluster=False,
)


def a_panel(
    world: World,
    effect: float = 0.25,
    *,
    began: Mapping[int, int] | None = None,
    others: int = 40,
    years: tuple[int, ...] = YEARS,
    seed: int = 3,
    spread: float = 0.06,
) -> Practice:
    """A published run over invented schools, and a practice that some of them took up.

    `began` says how many schools began in which year; all of them gain `effect` SD of pupils from
    that year on. Everything else is luck of the size `spread`.
    """
    random = np.random.default_rng(seed)
    practice = practices.a_practice(world)
    firsts = [
        first for first, n in (began or {2022: 12, 2023: 12}).items() for _at in range(n)
    ]  # fmt: skip
    schools = School.objects.bulk_create(
        School(code=f"S{at:03}", name=f"School S{at:03}", area=world.areas["Upper"],
               phase="primary", roll=200, context={"poverty": float(at % 50)})
        for at in range(len(firsts) + others)
    )  # fmt: skip
    at = timezone.now()
    run = Run.objects.create(
        method="by hand", method_version="1", input_hash="panel", started_at=at, finished_at=at,
        published_at=at, published_by="The analyst",
        summary={"outcomes": {"Reading": outcome(years=list(years), pupil_sd=PUPIL_SD)}},
    )  # fmt: skip
    rows = []
    for place, school in enumerate(schools):
        first = firsts[place] if place < len(firsts) else 9999
        lasting = random.normal(0, 0.15)
        for year in years:
            value = lasting + random.normal(0, spread) + (effect if year >= first else 0.0)
            rows.append(_figure(run, school, year, value if spread else 0.0))
    Estimate.objects.bulk_create(rows)
    PracticeAdoption.objects.bulk_create(
        PracticeAdoption(practice=practice, school=school, on=date(first, 2, 1), by="x", at=at)
        for school, first in zip(schools, firsts, strict=False)
    )
    return practice


def _figure(run: Run, school: School, year: int, value: float) -> Estimate:
    return Estimate(
        run=run, school=school, subject="Reading", year=year, n=60, years=1,
        observed=100 + PUPIL_SD * value, expected=100.0, estimate=value / 2, lower=value - 0.2,
        upper=value + 0.2, se_comparative=0.1, se_diagnostic=0.1, cond_sd=0.1, reliability=0.8,
    )  # fmt: skip


def a_plan(practice: Practice, **changed: Any) -> actions.Plan:
    return replace(PLAN, practice=practice, **changed)


def planned(world: World, practice: Practice | None = None, **changed: Any) -> Evaluation:
    practice = practice or practices.a_practice(world)
    return actions.plan(a_plan(practice, **changed), by=world.cast["analyst"])


def run_it(evaluation: Evaluation, world: World) -> Job:
    """Run it as the worker does."""
    evaluation.refresh_from_db()
    return jobs.run_here(actions.start(evaluation, by=world.cast["analyst"], seen=None))


def found(evaluation: Evaluation, world: World) -> EvaluationResult:
    job = run_it(evaluation, world)
    assert job.status == Job.Status.DONE, job.problem
    evaluation.refresh_from_db()
    return EvaluationResult.objects.get(job=job.pk)


def published(world: World, effect: float = 0.25, **changed: Any) -> Evaluation:
    """An evaluation over the panel, run and published."""
    evaluation = planned(world, a_panel(world, effect), **changed)
    found(evaluation, world)
    return actions.publish(evaluation, by=world.cast["minister"], seen=None)


def a_made_up_result(evaluation: Evaluation, job: int = 900) -> EvaluationResult:
    """A result that nothing was reckoned for, where only what may be done with it matters."""
    evaluation.state = Evaluation.State.RUN
    evaluation.version += 1
    evaluation.save()
    nothing = {"att": None, "se": None, "lower": None, "upper": None}
    return EvaluationResult.objects.create(
        evaluation=evaluation, job=job, made_at=timezone.now(), made_by="The analyst",
        run="12345678-1234-5678-1234-567812345678", run_input_hash="x", method="evidence",
        method_version="1", input_hash="y", plan=actions.plan_of(evaluation),
        found={
            "simple": nothing, "events": [], "cells": [], "paths": [], "balance": [],
            "size": None, "facts": {}, "hidden_groups": 0, "left": {}, "context": [],
            "years": [2021, 2022],
            "security": {"rating": 0, "reasons": [], "parts": [], "months_allowed": False},
            "counts": {"units": 6, "treated_units": 3, "comparison_units": 3, "clusters": None,
                       "periods": ["2021", "2022"], "left_out": {}},
        },
    )  # fmt: skip
