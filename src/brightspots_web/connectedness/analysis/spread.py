"""From adoptions to the library's figures of how practices spread, and back to plain values."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl

from brightspots.connectedness.spread import SpreadParameters, spread
from brightspots_web.connectedness.models import PracticeAdoption

WINDOW_DAYS = 365
"""A school counts once it has had a practice for so long, with whom it passed it on to in it."""
SCHEMA = {
    "practice": pl.String,
    "school": pl.String,
    "date": pl.Date,
    "source_school": pl.String,
    "stopped": pl.Date,
}
FIGURES = ("adopters", "too_recent", "passed_on", "mean", "lower", "upper")


def figures(adoptions: Iterable[PracticeAdoption], as_of: date) -> Mapping[str, Any]:
    """Reproduction numbers, in JSON types.

    Returns
    -------
    mapping
        `as_of` (ISO date), `window_days`, `sources` (source schools whose practice went on),
        `reached` (schools reached, once for each practice), `overall` and, by the code of a
        practice, `practices`: each with `adopters` (that had the window's time), `too_recent`,
        `passed_on`, `mean`, `lower`, `upper` (further schools a school; null without adopters).
    """
    rows = [
        (
            each.practice.code,
            each.school.code,
            each.on,
            each.source.school.code if each.source else each.practice.school.code,
            each.stopped_on,
        )
        for each in adoptions
    ]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    found = spread(frame, as_of, SpreadParameters(window_days=WINDOW_DAYS))
    return {
        "as_of": as_of.isoformat(),
        "window_days": WINDOW_DAYS,
        "sources": found.practices["source_school"].n_unique(),
        "reached": len(rows),
        "overall": {name: found.overall[name] for name in FIGURES},
        "practices": {
            row["practice"]: {name: row[name] for name in FIGURES}
            for row in found.practices.iter_rows(named=True)
        },
    }
