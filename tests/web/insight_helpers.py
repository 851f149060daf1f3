"""Results made by hand for the schools of the invented world, and the way to published figures."""

from typing import Any

import numpy as np

from brightspots_web.directory.models import Appointment
from brightspots_web.insight import actions
from brightspots_web.insight.models import Run
from brightspots_web.shared import jobs
from brightspots_web.shared.models import Job
from tests.web.import_helpers import bring_in
from tests.web.world import World

YEARS = (2021, 2022, 2023)
CODES = ("N1", "N2", "N3", "N4", "N5", "N6", "L1", "L2", "L3", "L4", "E1", "E2", "E3", "W1")
LEVELS = {"N1": 112.0, "N2": 88.0, "E1": 111.0}
"""Two schools far above the others' 100, one far below; pupils spread by 10."""

RESULTS_MAPPING: dict[str, Any] = {
    "name": "",
    "kind": "school_results",
    "columns": {
        name: name for name in ("school", "year", "subject", "mean", "candidates", "spread")
    },
}
PUPILS_MAPPING: dict[str, Any] = {
    "name": "",
    "kind": "pupil_results",
    "columns": {
        **{name: name for name in ("school", "year", "subject", "pupil", "score")},
        "context:prior": "prior",
    },
}


def results(years: tuple[int, ...] = YEARS) -> str:
    """Reading for everybody; Singing with 7 candidates at N2 and N3, 4 at N4, 30 elsewhere."""
    few = {"N2": 7, "N3": 7, "N4": 4}
    rows = ["school,year,subject,mean,candidates,spread"]
    for year in years:
        for place, code in enumerate(CODES):
            wobble = ((place * 7 + year * 3) % 5 - 2) * 0.4
            rows.append(f"{code},{year},Reading,{LEVELS.get(code, 100.0) + wobble:.2f},60,10")
            if year == years[-1]:
                rows.append(f"{code},{year},Singing,{50 + wobble:.2f},{few.get(code, 30)},8")
    return "\n".join(rows) + "\n"


def pupils(years: tuple[int, ...] = (2022, 2023), each: int = 30) -> str:
    """Writing, pupil by pupil: 2 points a point of prior attainment, N1 10 points above."""
    random = np.random.default_rng(5)
    rows = ["school,year,subject,pupil,score,prior"]
    for year in years:
        for code in CODES:
            for number in range(each):
                prior = random.normal()
                lift = 10.0 if code == "N1" else random.normal(0.0, 0.2)
                score = 200 + 2 * prior + lift + random.normal(0, 4)
                rows.append(f"{code},{year},Writing,{code}{year}{number},{score:.3f},{prior:.3f}")
    return "\n".join(rows) + "\n"


def analyse(by: Appointment, *, publish: bool = True, **settings: Any) -> Job:
    """Ask for an analysis and do it in this process; published when done, unless told otherwise."""
    return jobs.run_here(actions.start(by=by, publish_when_done=publish, **settings))


def drafted(by: Appointment, **settings: Any) -> Run:
    """Analyse what is imported, and leave it a draft."""
    job = analyse(by, publish=False, **settings)
    assert job.status == Job.Status.DONE, job.problem
    return Run.objects.get(uuid=job.result["run"])


def published(world: World, years: tuple[int, ...] = YEARS, **settings: Any) -> Run:
    """Bring in results by school and publish an analysis of them."""
    analyst = world.cast["analyst"]
    bring_in(results(years), RESULTS_MAPPING, analyst)
    job = analyse(analyst, **settings)
    assert job.status == Job.Status.DONE, job.problem
    return Run.objects.get(uuid=job.result["run"])
