"""From the register to the optimiser and back to rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import polars as pl

from brightspots.connectedness.problem import Parameters
from brightspots.core.errors import InputError
from brightspots.insight.variability import spread_within
from brightspots_web.connectedness import record_lead_queries
from brightspots_web.directory import queries as directory
from brightspots_web.insight import queries as insight
from brightspots_web.shared.jobs import CannotError

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from brightspots.connectedness.partnerships import Partnerships
    from brightspots.connectedness.regions import Nation as Nation
    from brightspots_web.directory.models import School

SCHEMA = {
    "school": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "phase": pl.String,
    "language": pl.String,
    "strength": pl.Float64,
    "need": pl.Float64,
}


def schools_frame(
    schools: QuerySet[School] | None = None, subjects: Sequence[str] = ()
) -> pl.DataFrame:
    """Every open school with its place and, where an analysis is published, strength and need.

    Of these schools alone where some are named. For each of `subjects` (the outcomes of the live
    priorities) there are strength and need of its own: `strength_p1`, `need_p1` and so on; the
    strength that all have in common then says who is preferred to lead, and knows of records.
    """
    names = ("pk", "code", "latitude", "longitude", "phase", "language")
    strengths = insight.strength_and_need()
    if subjects:
        leads = record_lead_queries.lead_strengths(strengths, subjects)
        strengths = {pk: (leads[pk], need) for pk, (_strength, need) in strengths.items()}
    chosen = directory.open_schools() if schools is None else schools
    rows = [
        (code, latitude, longitude, phase, language, *strengths.get(pk, (None, None)))
        for pk, code, latitude, longitude, phase, language in chosen.order_by("code").values_list(
            *names
        )
    ]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame if not subjects else with_priorities(frame, _by_code(chosen, subjects))


def _by_code(
    schools: QuerySet[School], subjects: Sequence[str]
) -> dict[str, list[tuple[float | None, float | None]]]:
    """School's code -> (strength, need) in each of the subjects."""
    figures = insight.strength_and_need_in(subjects)
    return {
        code: [figures.get(pk, {}).get(subject, (None, None)) for subject in subjects]
        for pk, code in schools.values_list("pk", "code")
    }


def with_priorities(
    frame: pl.DataFrame, figures: Mapping[str, Sequence[tuple[float | None, float | None]]]
) -> pl.DataFrame:
    """Add strength and need in each priority, by the school's code."""
    codes = frame["school"].to_list()
    most = max((len(each) for each in figures.values()), default=0)
    columns = [
        pl.Series(
            f"{name}_p{number + 1}", [figures[code][number][place] for code in codes], pl.Float64
        )
        for number in range(most)
        for place, name in enumerate(("strength", "need"))
    ]
    return frame.with_columns(columns)


def propose(
    settings: Mapping[str, Any],
    seed: int,
    progress: Callable[[float, str], None],
    subjects: Sequence[str] = (),
) -> Partnerships:
    """Form partnerships of all open schools.

    Raises
    ------
    CannotError
        When the settings or the register make it impossible; the message says what to do.
    """
    from brightspots.connectedness.partnerships import form_partnerships  # compiled: jobs alone

    frame = schools_frame(subjects=subjects)
    if frame.is_empty():
        raise CannotError("There are no schools yet. Import the schools first.")
    try:
        return form_partnerships(frame, Parameters(**settings), seed=seed, progress=progress)
    except InputError as error:
        raise CannotError(str(error)) from error


def nation(
    settings: Mapping[str, Any], seed: int, most: int, subjects: Sequence[str] = ()
) -> Nation:
    """All open schools, cut into parts of `most` schools at most.

    Raises
    ------
    CannotError
        As :func:`propose`.
    """
    from brightspots.connectedness.regions import Nation  # compiled: jobs alone

    frame = schools_frame(subjects=subjects)
    if frame.is_empty():
        raise CannotError("There are no schools yet. Import the schools first.")
    try:
        return Nation(frame, Parameters(**settings), seed, most=most)
    except InputError as error:
        raise CannotError(str(error)) from error


def solve(
    nation: Nation, number: int, progress: Callable[[float, str], None]
) -> dict[str, Any]:  # fmt: skip
    """Form the partnerships of one part; what is returned goes through JSON to :func:`join`."""
    from brightspots.connectedness.regions import solve_part  # compiled: jobs alone

    return asdict(solve_part(nation.part(number), progress))


def join(
    nation: Nation,
    results: list[Mapping[str, Any]],
    progress: Callable[[float, str], None],
) -> Partnerships:
    """Join what :func:`solve` returned for each part, and repair the borders."""
    from brightspots.connectedness.regions import Solved  # compiled: jobs alone

    try:
        return nation.join([Solved(**result) for result in results], progress)
    except InputError as error:
        raise CannotError(str(error)) from error


def spreads(progress: Callable[[float, str], None]) -> tuple[UUID | None, list[dict[str, Any]]]:
    """Measure how much the schools of each live partnership differ, outcome by outcome.

    The published estimates are shrunken, and their spread is too small. With reliability r and
    comparative standard error s, the estimate before shrinking is estimate / r and its sampling
    variance s squared / r (r = G / (G + s2) and the posterior variance is s2 r).
    """
    run = insight.current_run()
    if run is None:
        return None, []
    members = directory.members_by_partnership()
    rows = []
    for number, (partnership, schools) in enumerate(members.items()):
        if number % 50 == 0:
            progress(number / len(members), "Differences between schools")
        for subject, figures in insight.figures_by_subject(schools, run).items():
            usable = [f for f in figures if f.reliability > 0.01]
            spread = spread_within(
                np.array([f.estimate / f.reliability for f in usable]),
                np.array([f.se_comparative**2 / f.reliability for f in usable]),
            )
            if not spread.too_few:
                rows.append(
                    {
                        "partnership_id": partnership,
                        "subject": subject,
                        "n_schools": spread.n_schools,
                        "spread": spread.sd,
                        "lower": spread.lower,
                        "upper": spread.upper,
                    }
                )
    return run.uuid, rows
