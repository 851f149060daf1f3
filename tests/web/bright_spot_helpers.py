"""A published run made by hand: who is flagged is written down here, and nothing is computed."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from brightspots_web.insight.models import Estimate, Run
from tests.web.world import World

BRIGHT, VISIT = Estimate.Label.BRIGHT_SPOT, Estimate.Label.WORTH_A_VISIT
FLAGS = {
    ("N2", "Reading"): BRIGHT,
    ("N5", "Reading"): VISIT,
    ("L1", "Reading"): BRIGHT,
    ("E1", "Reading"): BRIGHT,
    ("E1", "Singing"): VISIT,
}
"""Reading: everybody has a figure; Singing: the three schools of East alone."""


def outcome(**more: Any) -> dict[str, Any]:
    about = {"pupil_sd": 10.0, "mean": 100.0, "digits": 1, "years": [2021, 2022, 2023]}
    context = {"columns": [], "left_out": {}, "how": {}}
    return about | {"way": "school", "delta": 0.12, "context": context} | more


def a_run(
    world: World,
    flags: dict[tuple[str, str], str] | None = None,
    *,
    input_hash: str = "first",
    minutes: int = 0,
    small: tuple[str, ...] = (),
) -> Run:
    """A published run with a figure for each school; schools named in `small` have 7 pupils."""
    at = timezone.now() + timedelta(minutes=minutes)
    run = Run.objects.create(
        method="by hand", method_version="1", input_hash=input_hash, started_at=at,
        finished_at=at, published_at=at, published_by="The analyst",
        summary={"outcomes": {"Reading": outcome(), "Singing": outcome()},
                 "coverage": {"schools": 14, "pupils": 900, "years": [2021, 2022, 2023]}},
    )  # fmt: skip
    chosen = FLAGS if flags is None else flags
    Estimate.objects.bulk_create(
        _figure(run, school.pk, subject, chosen.get((code, subject), ""), code in small, year)
        for code, school in world.schools.items()
        for subject in ("Reading", "Singing")
        if subject == "Reading" or code.startswith("E")
        for year in (None, 2021, 2022, 2023)
    )
    return run


def _figure(
    run: Run, school: int, subject: str, label: str, small: bool, year: int | None
) -> Estimate:
    height = {BRIGHT: 0.5, VISIT: 0.3}.get(label, 0.0)  # type: ignore[call-overload] # "" is none
    n = 7 if small else 180
    return Estimate(
        run=run, school_id=school, subject=subject, year=year, label="" if year else label,
        n=n if year is None else n // 3, years=1 if year else 3, observed=100 + 10 * height,
        expected=100.0, estimate=height, lower=height - 0.2, upper=height + 0.2,
        se_comparative=0.1, se_diagnostic=0.1, cond_sd=0.1, reliability=0.8,
        probability={BRIGHT: 0.97, VISIT: 0.85}.get(label, 0.1),  # type: ignore[call-overload] # "" is none
    )  # fmt: skip
