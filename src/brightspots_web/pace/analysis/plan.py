"""Rollout plans by the library: search, what a change comes to, what happened teaches.

Everything goes in and comes out as JSON types, since that is how it is kept. `inputs` holds
`areas` (a row an area, its key as its code), `settings`, `assumptions` and `fixed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from django.core.exceptions import ValidationError

from brightspots.connectedness.settings import StopEarly
from brightspots.core.errors import InputError
from brightspots.pace.rollout_areas import STAGES, Areas, read_areas
from brightspots.pace.rollout_assumptions import DEFAULTS, Assumption, draw
from brightspots.pace.rollout_measures import (
    TOTAL,
    Measured,
    difference_frame,
    measure,
    measures_frame,
)
from brightspots.pace.rollout_parameters import RolloutParameters
from brightspots.pace.rollout_plan import Fixed, Plan, choices
from brightspots.pace.rollout_simulate import world

if TYPE_CHECKING:
    from brightspots.pace.rollout import Rollout

__all__ = ["STAGES", "Stop", "assumptions", "check", "compare", "learn", "limits", "plan"]

Inputs = Mapping[str, Any]
Waves = Mapping[str, Sequence[int]]
Report = Callable[[float, str], None]
SHOWN = ("abandoned", "held_back")
"""Measures for which it is said which assumptions matter."""


class Stop(Exception):  # noqa: N818 - it ends a search as `StopIteration` ends a loop
    """A report raises it to end the search and keep the best so far."""


def assumptions() -> list[dict[str, Any]]:
    """Every assumption of the planner with its range and source."""
    return [_row(each) for each in DEFAULTS]


def limits() -> dict[str, tuple[float, float]]:
    """Between which any value of an assumption has to lie, by name."""
    return {each.name: (each.least, each.most) for each in DEFAULTS}


def check(inputs: Inputs) -> None:
    """Say what is wrong with areas, settings and assumptions before anything is searched.

    Raises
    ------
    ValidationError
    """
    _read(inputs)


def plan(inputs: Inputs, report: Report, known: Sequence[Waves] = ()) -> dict[str, Any]:
    """Search for the curve, measure its plans, and say which assumptions matter for each.

    Parameters
    ----------
    report
        Gets the share done and the stage; may raise :class:`Stop`.
    known
        Waves of plans that an earlier search of the same inputs had found, to go on from.
    """
    from brightspots.pace.rollout import plan_rollout  # compiled code that web processes spare
    from brightspots.pace.rollout_sensitivity import rank_correlation, tornado

    areas, parameters, ranges, fixed = _read(inputs)
    seed = int(inputs["settings"]["seed"])

    def progress(share: float, stage: str) -> None:
        try:
            report(0.85 * share, stage)
        except Stop as stop:
            raise StopEarly from stop

    try:
        found = plan_rollout(
            areas, parameters, seed, assumptions=ranges, fixed=fixed, progress=progress,
            known=[_plan("known", areas, waves) for waves in known],
        )  # fmt: skip
    except InputError as error:
        raise _wrong(error) from error
    frame = measures_frame(list(found.measured.values()))
    return {
        "curve": list(found.curve),
        "even_handed": found.even_handed,
        "plans": {name: _told(areas, each, frame) for name, each in found.measured.items()},
        "sensitivity": {
            name: _swings(found, name, tornado(found, name), rank_correlation)
            for name in found.measured
        },
        "search": {
            "weighed": found.found.weighed,
            "looked_at": found.found.looked_at,
            "complete": found.found.complete,
            "stopped_early": found.found.stopped_early,
        },
        "provenance": _plain(found.provenance.as_dict()),
        "seconds": round(found.seconds, 2),
    }


def compare(inputs: Inputs, before: Waves, after: Waves) -> dict[str, Any]:
    """Measures of waves changed by hand, and the difference, paired draw by draw.

    Raises
    ------
    ValidationError
        A term in which an area's support cannot end in time.
    """
    areas, parameters, ranges, _fixed = _read(inputs)
    moved = {
        code: (int(after[code][0]), int(after[code][1]))
        for code in areas.codes
        if list(after[code]) != list(before[code])
    }
    try:
        # What people change by hand may go before the earliest term, and beside what was fixed.
        choices(areas, parameters, moved)
    except InputError as error:
        raise _wrong(error, _names(areas)) from error
    w = world(areas, parameters, draw(ranges, len(areas), parameters.draws, _seed(inputs)))
    old, new = (
        measure(w, _plan(name, areas, waves)) for name, waves in (("a", before), ("b", after))
    )
    return {
        **_told(areas, new, measures_frame([new])),
        "difference": _plain(difference_frame(old, new).to_dicts()),
    }


def learn(
    inputs: Inputs, waves: Waves, observed: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:  # fmt: skip
    """Hold a plan against what happened, and narrow the ranges by it.

    Parameters
    ----------
    observed
        Rows of area and term: started (a term, or "no"), leaders, abandoned, held_back, answers.

    Raises
    ------
    ValidationError
    """
    from brightspots.pace.rollout import Rollout, provenance
    from brightspots.pace.rollout_learning import learn as library
    from brightspots.pace.rollout_learning import read_observed
    from brightspots.pace.rollout_search import Found

    areas, parameters, ranges, fixed = _read(inputs)
    seed = _seed(inputs)
    draws = draw(ranges, len(areas), parameters.draws, seed)
    w = world(areas, parameters, draws)
    rollout = Rollout(
        areas, parameters, ranges, ("adopted",),
        {"adopted": measure(w, _plan("adopted", areas, waves))},
        Found([], [], 0, 0, complete=False, stopped_early=False), 0.0,
        provenance(areas, parameters, seed, assumptions=ranges, fixed=fixed),
        w, draws.values, fixed,
    )  # fmt: skip
    columns = ("area", "term", "started", "leaders", "abandoned", "held_back", "answers")
    table = pl.DataFrame(
        {name: [_text(row.get(name)) for row in observed] for name in columns},
        schema=dict.fromkeys(columns, pl.String),
    )
    try:
        seen = read_observed(table, areas, parameters)
        learned = library(rollout, "adopted", seen, seed=seed)
    except InputError as error:
        raise _wrong(error, _names(areas)) from error
    return {
        "assumptions": [_row(each) for each in learned.assumptions],
        "changes": _plain(learned.changes.to_dicts()),
        "compared": _plain(learned.compared.to_dicts()),
        "draws": learned.draws,
        "effective": learned.effective,
        "power": learned.power,
    }


# Reading


def _read(
    inputs: Inputs,
) -> tuple[Areas, RolloutParameters, tuple[Assumption, ...], Fixed]:
    settings = inputs["settings"]
    columns = (
        "area", "name", "region", "schools", "leaders", "in_training", "in_training_term",
        "readiness", "priority", "earliest",
    )  # fmt: skip
    rows = inputs["areas"]
    table = pl.DataFrame(
        {name: [_text(row.get(name)) for row in rows] for name in columns},
        schema=dict.fromkeys(columns, pl.String),
    )
    try:
        areas = read_areas(table)
        parameters = RolloutParameters(
            support_days=float(settings["support_days"]), terms=int(settings["terms"]),
            speeds=tuple(int(each) for each in settings["speeds"]),
            settle=int(settings["settle"]), draws=int(settings["draws"]),
        )  # fmt: skip
        ranges = _ranges(inputs["assumptions"])
        fixed = {code: (int(term), None) for code, term in inputs.get("fixed", {}).items()}
        choices(areas, parameters, fixed)
    except InputError as error:
        raise _wrong(error, {str(row["area"]): str(row["name"]) for row in rows}) from error
    return areas, parameters, ranges, fixed


def _ranges(rows: Sequence[Mapping[str, Any]]) -> tuple[Assumption, ...]:
    given = {row["name"]: row for row in rows}
    found = []
    for each in DEFAULTS:
        row = given.get(each.name)
        if row is not None:
            low, value, high = (float(row[name]) for name in ("low", "value", "high"))
            source = row.get("source") or each.source
            each = replace(each, low=low, value=value, high=high, source=source)
        found.append(each)
    return tuple(found)


def _plan(name: str, areas: Areas, waves: Waves) -> Plan:
    start, speed = (
        np.array([int(waves[code][at]) for code in areas.codes], dtype=np.int64) for at in (0, 1)
    )
    return Plan(name, "", start, speed)


def _seed(inputs: Inputs) -> int:
    return int(inputs["settings"]["seed"])


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _names(areas: Areas) -> dict[str, str]:
    return dict(zip(areas.codes, areas.names, strict=True))


def _wrong(error: InputError, names: Mapping[str, str] | None = None) -> ValidationError:
    """The library's words; areas by their names, since nobody knows their keys."""
    words = " ".join(each for each in (error.what, error.mend) if each)
    for code, name in (names or {}).items():
        words = words.replace(f"the area {code} ", f"the area {name} ")
    return ValidationError(words[:1].upper() + words[1:])


# Telling


def _row(each: Assumption) -> dict[str, Any]:
    return {
        "name": each.name, "low": float(each.low), "value": float(each.value),
        "high": float(each.high), "source": each.source,
    }  # fmt: skip


def _told(areas: Areas, each: Measured, frame: pl.DataFrame) -> dict[str, Any]:
    own = frame.filter(pl.col("plan") == each.plan.name)
    return {
        "waves": {
            code: [int(start), int(speed)]
            for code, start, speed in zip(
                areas.codes, each.plan.start, each.plan.speed, strict=True
            )
        },
        "measures": _plain(own.drop("plan").to_dicts()),
        "not_covered": each.not_covered,
        "by_area": {
            name: dict(zip(areas.codes, (round(float(v), 3) for v in values), strict=True))
            for name, values in each.by_area.items()
        },
    }


def _swings(
    found: Rollout, name: str, ends: Mapping[str, Any],
    correlation: Callable[[Any, Any], tuple[float, float, float]],
) -> list[dict[str, Any]]:  # fmt: skip
    """Each measure with one assumption at its ends and all others at their values, widest first."""
    rows: list[dict[str, Any]] = []
    for place, each in enumerate(found.assumptions):
        if each.low == each.high:
            continue
        for measured in SHOWN:
            low, middle, high = (
                float(ends[measured][at]) for at in (1 + 2 * place, 0, 2 + 2 * place)
            )
            rank, lower, upper = correlation(
                found.drawn[each.name], found.measured[name].values[measured, TOTAL]
            )
            rows.append({
                "assumption": each.name, "measure": measured, "low": each.low, "high": each.high,
                "at_low": low, "at_value": middle, "at_high": high, "swing": abs(high - low),
                "rank": rank, "rank_lower": lower, "rank_upper": upper,
            })  # fmt: skip
    rows.sort(key=lambda row: (row["measure"], -row["swing"], row["assumption"]))
    told: list[dict[str, Any]] = _plain(rows)
    return told


def _plain(value: Any) -> Any:
    """JSON without numbers that are none."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    return value
