"""Many schools with figures made by hand, and support that is over, for track records."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils import timezone

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness.models import (
    Deployment,
    Practice,
    PracticeAdoption,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.directory.models import School
from brightspots_web.evidence import record_actions as actions
from brightspots_web.evidence import record_queries as queries
from brightspots_web.evidence.models import ProjectEffect, RecordSet, TrackRecord
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.shared import jobs
from brightspots_web.shared.models import Job
from tests.web import support_helpers
from tests.web.world import World

YEARS = (2021, 2022, 2023, 2024)
SD = 10.0
GAIN = 0.4
"""What support brings in these figures, SD of pupils."""


def more_schools(world: World, n: int = 30) -> None:
    """Schools without any support, in Lower district: X01 and so on."""
    for number in range(1, n + 1):
        code = f"X{number:02}"
        world.schools[code] = School.objects.create(
            code=code,
            name=f"School {code}",
            area=world.areas["Lower"],
            latitude=0.5,
            longitude=30.0,
            phase="primary",
        )


def a_run(
    world: World,
    gains: dict[tuple[str, int], float] | None = None,
    *,
    small: dict[tuple[str, int], float] | None = None,
    marked: dict[tuple[str, int], float] | None = None,
    pupils: int = 100,
    seed: int = 1,
) -> Run:
    """A published run: 100 pupils a school and year, unless it is said how many.

    `gains` come on top; `small` and `marked` are values of figures that are withheld: seven pupils,
    or beside a year of so few.
    """
    small, marked = small or {}, marked or {}
    run = Run.objects.create(
        method="invented", method_version="1", input_hash="0" * 64, started_at=timezone.now(),
        finished_at=timezone.now(), published_at=timezone.now(), published_by="Analyst",
        summary={"outcomes": {"Reading": {
            "pupil_sd": SD, "mean": 100.0, "digits": 1, "years": list(YEARS), "way": "pupil",
            "model": {"variances": [{"component": "pupil", "variance": 90.0}]},
        }}},
    )  # fmt: skip
    random = np.random.default_rng(seed)
    rows = []
    for school in School.objects.order_by("code"):
        lasting = random.normal(0, 0.2)
        for year in YEARS:
            at = (school.code, year)
            value = lasting + random.normal(0, 0.8 / pupils**0.5) + (gains or {}).get(at, 0.0)
            value = small.get(at, marked.get(at, value))
            rows.append(_estimate(run, school, year, value, 7 if at in small else pupils,
                                  at in marked))  # fmt: skip
    Estimate.objects.bulk_create(rows)
    return run


def _estimate(run: Run, school: School, year: int, value: float, n: int, hidden: bool) -> Estimate:
    return Estimate(
        run=run, school=school, subject="Reading", year=year, n=n, observed=100 + SD * value,
        expected=100.0, estimate=value * 0.8, se_comparative=0.1, se_diagnostic=0.1, cond_sd=0.1,
        lower=value - 0.2, upper=value + 0.2, reliability=0.8, complementary=hidden,
    )  # fmt: skip


def an_offer(world: World, giver: str = "N1", priority: Priority | None = None) -> SupportOffer:
    priority = priority or support_helpers.a_priority()
    leader = support_helpers.a_head(world, giver).person
    found, _made = SupportOffer.objects.get_or_create(
        school=world.schools[giver], priority=priority, giver=leader,
        defaults={"giver_name": str(leader), "what": "(Invented.)", "days": Decimal(30),
                  "at_once": 9, "offered_by": "x", "offered_at": timezone.now()},
    )  # fmt: skip
    return found


def project(
    world: World,
    code: str,
    giver: str = "N1",
    *,
    year: int = 2022,
    state: str = Deployment.State.FINISHED,
    priority: Priority | None = None,
) -> Deployment:
    """Support from February to November of a year that is over; or still under way."""
    offer = an_offer(world, giver, priority)
    school = School.objects.get(code=code)
    at = timezone.now()
    request = SupportRequest.objects.create(
        school=school, priority=offer.priority, what="(Invented.)", state="met",
        asked_by="x", asked_at=at, agreed_at=at,
    )  # fmt: skip
    match = SupportMatch.objects.create(
        request=request, offer=offer, state="accepted", rank=1, score=1.0,
        suggested_by="x", suggested_at=at, put_at=at,
    )  # fmt: skip
    over = state != Deployment.State.RUNNING
    return Deployment.objects.create(
        match=match, receiving=school, giving=offer.school, priority=offer.priority,
        giver=offer.giver, giver_name=offer.giver_name, aim="(Invented.)", days=Decimal(4),
        starts=date(year, 2, 1), exit_on=date(year, 12, 1), state=state,
        ended_on=date(year, 11, 1) if over else None, agreed_by="x", agreed_at=at,
    )  # fmt: skip


def practice(world: World, code: str = "N1", priority: Priority | None = None) -> Practice:
    return Practice.objects.create(
        code="reading-aloud", title="Reading aloud", school=world.schools[code],
        priority=priority or support_helpers.a_priority(), language="en", summary="s", context="c",
        what_to_do="w", what_it_takes="t", state=Practice.State.PUBLISHED, written_by="x",
        written_at=timezone.now(), changed_at=timezone.now(), published_at=timezone.now(),
    )  # fmt: skip


def adopted(found: Practice, code: str, year: int = 2022) -> PracticeAdoption:
    return PracticeAdoption.objects.create(
        practice=found, school=School.objects.get(code=code), on=date(year, 3, 1), by="x",
        at=timezone.now() - timedelta(days=1),
    )  # fmt: skip


def gains(*codes: str, year: int = 2023, gain: float = GAIN) -> dict[tuple[str, int], float]:
    """What these schools gain from a year on."""
    return {(code, each): gain for code in codes for each in YEARS if each >= year}


def reckoned(world: World) -> RecordSet:
    """Ask for the records and do the job in this process."""
    job = jobs.run_here(actions.ask(by=world.cast["minister"]))
    assert job.status == Job.Status.DONE, job.problem
    found = queries.current_set()
    assert found is not None
    return found


def effect_of(made: RecordSet, deployment: Deployment) -> ProjectEffect:
    return ProjectEffect.objects.get(set=made, deployment=deployment)


def record_of(made: RecordSet, world: World, giver: str = "N1") -> TrackRecord:
    person: Any = support_helpers.a_head(world, giver).person
    return TrackRecord.objects.get(set=made, person=person, topic="Reading")
