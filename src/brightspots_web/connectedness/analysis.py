"""From the register to the optimiser and back to rows."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import polars as pl

from brightspots.connectedness.partnerships import Partnerships, form_partnerships
from brightspots.connectedness.problem import Parameters
from brightspots.core.errors import InputError
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
