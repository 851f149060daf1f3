"""From the register to the optimiser and back to rows."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl

from brightspots.connectedness.partnerships import Partnerships, form_partnerships
from brightspots.connectedness.problem import Parameters
from brightspots.core.errors import InputError
from brightspots.insight.variability import spread_within
from brightspots_web.directory import queries as directory
from brightspots_web.insight import queries as insight
from brightspots_web.shared.jobs import CannotError

SCHEMA = {
    "school": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "phase": pl.String,
    "language": pl.String,
    "strength": pl.Float64,
    "need": pl.Float64,
}


def schools_frame() -> pl.DataFrame:
    """Every open school with its place and, where an analysis is published, strength and need."""
    names = ("pk", "code", "latitude", "longitude", "phase", "language")
    strengths = insight.strength_and_need()
    rows = [
        (code, latitude, longitude, phase, language, *strengths.get(pk, (None, None)))
        for pk, code, latitude, longitude, phase, language in directory.open_schools()
        .order_by("code")
        .values_list(*names)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def propose(
    settings: Mapping[str, Any], seed: int, progress: Callable[[float, str], None]
) -> Partnerships:
    """Form partnerships of all open schools.

    Raises
    ------
    CannotError
        When the settings or the register make it impossible; the message says what to do.
    """
    frame = schools_frame()
    if frame.is_empty():
        raise CannotError("There are no schools yet. Import the schools first.")
    try:
        return form_partnerships(frame, Parameters(**settings), seed=seed, progress=progress)
    except InputError as error:
        raise CannotError(str(error)) from error


def defaults() -> dict[str, Any]:
    """The optimiser's default settings, for the form and for the page that explains them."""
    return asdict(Parameters())


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
