"""The analysis itself: inputs and settings in, findings out; nothing is written."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from brightspots.core.errors import InputError
from brightspots.insight.bright_spots import (
    BRIGHT_SPOT,
    WORTH_A_VISIT,
    BrightSpotParameters,
    bright_spots,
)
from brightspots.insight.families import FamilyParameters, similar_schools
from brightspots.insight.needs import NeedsParameters, needs
from brightspots_web.insight import circumstances
from brightspots_web.insight.analysis import areas, other_ways, spreads, withheld
from brightspots_web.insight.analysis.inputs import Inputs
from brightspots_web.insight.analysis.outcome import LEAST_DELTA, Outcome, Settings
from brightspots_web.insight.analysis.pupil_way import from_pupils
from brightspots_web.insight.analysis.school_way import from_school_results, with_spread
from brightspots_web.insight.findings import Findings
from brightspots_web.insight.models import Estimate
from brightspots_web.insight.words import digits_for
from brightspots_web.shared.jobs import CannotError

METHOD = "value added of schools, families, variability, needs"
METHOD_VERSION = "3"
"""Changes whenever the same input could give another figure."""

Progress = Callable[[float, str], None]
LABELS = {BRIGHT_SPOT: Estimate.Label.BRIGHT_SPOT, WORTH_A_VISIT: Estimate.Label.WORTH_A_VISIT}


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def compute(inputs: Inputs, settings: Settings, progress: Progress) -> Findings:
    """Analyse every subject asked for.

    Raises
    ------
    CannotError
        No subject can be analysed; the message says why and what to do.
    """
    clock = Clock()
    with clock.stage("value added"):
        outcomes, problems = _outcomes(inputs, settings, progress)
    schools = inputs.schools
    with clock.stage("bright spots and needs"):
        progress(0.55, "Looking for bright spots and needs")
        above, below = _pairs(outcomes, settings, -1), _pairs(outcomes, settings, 1)
        unplaced = {(school, each.subject) for each in outcomes for school in each.unplaced}
        flags = bright_spots(_placed(above, unplaced), BrightSpotParameters(delta=LEAST_DELTA))
        # `n` is already a year's pupils; the library takes it for those of all `years`.
        need = needs(below.with_columns(years=pl.lit(1)), NeedsParameters(LEAST_DELTA))
    with clock.stage("families"):
        progress(0.6, "Finding schools like each other")
        families, about_families = _families(outcomes, inputs, settings)
    with clock.stage("areas"):
        progress(0.75, "Working out figures of areas")
        places = areas.memberships_of(schools), areas.parents_of(schools)
        together = inputs.partnerships.rename({"partnership": "area"})
        area_rows, partnership_rows = [], []
        for each in outcomes:
            needed = need.frame.filter(pl.col("outcome") == each.subject)
            area_rows.append(areas.figures(each, places[0], needed, places[1]))
            partnership_rows.append(areas.figures(each, together, needed, {}))
    with clock.stage("variability"):
        variances = spreads.variances(outcomes, inputs, settings, progress)
        trends = spreads.trends(outcomes, (places[0], area_rows), (together, partnership_rows))
    summary = {
        "outcomes": {each.subject: _about(each, settings) for each in outcomes},
        "coverage": _coverage(outcomes),
        "problems": problems,
        "families": about_families,
        "bright_spots": {
            "flagged": flags.n_bright,
            "worth_a_visit": flags.n_visit,
            "expected_false": round(flags.expected_false_bright, 2),
            "expected_false_visit": round(flags.expected_false_visit, 2),
            "schools": _flagged_schools(flags.frame),
            "not_judged": len(unplaced),
        },
        "compute_seconds": {name: round(took, 2) for name, took in clock.seconds.items()},
    }
    keys = dict(zip(schools["school"], schools["key"], strict=True))
    return Findings(
        method=METHOD,
        method_version=METHOD_VERSION,
        input_hash=inputs.input_hash(),
        settings=settings.as_dict(),
        sources=inputs.sources,
        summary=summary,
        estimates=_estimate_rows(outcomes, flags.frame, need.frame, keys),
        families=families,
        area_figures=_area_rows(area_rows),
        variances=variances,
        subgroup_figures=[
            row
            for each in outcomes
            for row in other_ways.subgroup_rows(each.subgroups, each.subject, keys)
        ],
        sensitivities=[
            row
            for each in outcomes
            for row in other_ways.sensitivity_rows(each.ways.table, each.subject, keys)
        ],
        partnership_figures=spreads.partnership_rows(partnership_rows),
        spread_trends=trends,
        diagnostics={each.subject: each.diagnostics for each in outcomes},
    )


def _outcomes(
    inputs: Inputs, settings: Settings, progress: Progress
) -> tuple[list[Outcome], dict[str, str]]:
    wanted = [s for s in inputs.subjects() if not settings.subjects or s in settings.subjects]
    if not wanted:
        raise CannotError(
            f"No results of {', '.join(settings.subjects or ())} are imported. "
            f"There are: {', '.join(inputs.subjects())}."
        )
    found: list[Outcome] = []
    problems: dict[str, str] = {}
    for place, subject in enumerate(wanted):
        start, end = (0.05 + 0.5 * (place + step) / len(wanted) for step in (0, 1))

        def tell(share: float, detail: str, subject: str = subject) -> None:
            progress(start + (end - start) * share, f"{subject} {detail}".strip())  # noqa: B023 - called within this round

        tell(0.0, "")
        try:
            found.append(withheld.mark(_one(subject, inputs, settings, tell)))
        except InputError as error:
            # One subject that cannot be analysed must not lose the others; the run's page says so.
            problems[subject] = str(error)
    if not found:
        raise CannotError(" ".join(f"{name}: {why}" for name, why in problems.items()))
    return found, problems


def _one(subject: str, inputs: Inputs, settings: Settings, tell: Progress) -> Outcome:
    if subject in inputs.pupils:
        with tempfile.TemporaryDirectory(prefix="brightspots-") as scratch:
            return from_pupils(subject, inputs, settings, Path(scratch), tell)
    rows = inputs.results.filter(pl.col("subject") == subject)
    return from_school_results(subject, rows, inputs.schools, settings)


def _pairs(outcomes: Sequence[Outcome], settings: Settings, side: int) -> pl.DataFrame:
    """School x outcome, pupil SD: one family of statements.

    The library asks of all pairs whether they pass one delta. Outcomes may differ in theirs:
    effects are moved by the difference, so that passing the common delta is passing their own.
    """
    return pl.concat(
        [
            each.persistent.select(
                "school",
                pl.lit(each.subject).alias("outcome"),
                pl.col("n_latest").fill_null(pl.col("n")).alias("n"),
                pl.col("years").cast(pl.Int64),
                pl.col("estimate") + side * (each.markedly(settings.delta) - LEAST_DELTA),
                "se_comparative",
            )
            for each in outcomes
        ]
    )


def _placed(pairs: pl.DataFrame, unplaced: set[tuple[str, str]]) -> pl.DataFrame:
    """Without the pairs of schools of whose circumstances nothing is known."""
    if not unplaced:
        return pairs
    out = pl.DataFrame(sorted(unplaced), schema=["school", "outcome"], orient="row")
    return pairs.join(out, on=["school", "outcome"], how="anti", maintain_order="left")


def _flagged_schools(flags: pl.DataFrame) -> dict[str, int]:
    """How many schools have a flag; one with flags in several outcomes counts once."""

    def count(*evidence: str) -> int:
        return flags.filter(pl.col("evidence").is_in(evidence))["school"].n_unique()

    return {
        "bright_spot": count(BRIGHT_SPOT),
        "worth_a_visit": count(WORTH_A_VISIT),
        "schools": count(BRIGHT_SPOT, WORTH_A_VISIT),
    }


def _families(
    outcomes: Sequence[Outcome], inputs: Inputs, settings: Settings
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Schools with figures, nearest in circumstances and size; never in results."""
    size = pl.concat([each.persistent.select("school", "n_latest") for each in outcomes])
    sizes = size.group_by("school").agg(pl.col("n_latest").max().alias("candidates"))
    frame = inputs.schools.join(sizes, on="school", how="inner")
    made = circumstances.choose(frame, settings.context)
    match = ("phase",) if frame["phase"].n_unique() > 1 else ()
    columns = [name for name in made.columns if name not in match]
    ready = made.frame
    if "roll" not in columns:
        # No roll in the register: the number of candidates says how large a school is.
        ready = ready.with_columns((pl.col("candidates").cast(pl.Float64) + 1).log())
        columns.append("candidates")
    parameters = FamilyParameters(tuple(columns), k=settings.family_size, match=match)
    result = similar_schools(ready.select("school", *columns, *match), parameters)
    keys = dict(zip(inputs.schools["school"], inputs.schools["key"], strict=True))
    by_position = np.array([keys[code] for code in result.schools], dtype=np.int64)
    balance: dict[str, dict[str, float]] = defaultdict(dict)
    for code, name, apart in result.balance.select("school", "variable", "difference").iter_rows():
        if apart is not None:
            balance[code][name] = round(apart, 6)
    rows = []
    for code, members, distances in zip(
        result.schools, result.members, result.distances, strict=True
    ):
        count = int((members >= 0).sum())  # nearest first, so the middle one is the median
        rows.append(
            {
                "school_id": keys[code],
                "members": by_position[members[:count]].tolist(),
                "distance_median": float(distances[count // 2]) if count else None,
                "distance_max": float(distances[count - 1]) if count else None,
                "balance": balance[code],
            }
        )
    return rows, {
        "columns": columns,
        "match": list(match),
        "size": settings.family_size,
        "balance": result.balance_summary.to_dicts(),
    }


def _estimate_rows(
    outcomes: Sequence[Outcome], flags: pl.DataFrame, need: pl.DataFrame, keys: Mapping[str, int]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for each in outcomes:
        judged = flags.filter(pl.col("outcome") == each.subject).select(
            "school", "probability", "evidence"
        )
        needed = need.filter(pl.col("outcome") == each.subject).select(
            "school", "pupils_touched", pl.col("probability").alias("need_probability")
        )
        lasting = (
            each.persistent.with_columns(pl.lit(None, dtype=pl.Int64).alias("year"))
            .join(judged, on="school", how="left")
            .join(needed, on="school", how="left")
            .with_columns(gap=_shortfall())
        )
        yearly = each.yearly.drop("residual", "sampling_variance")
        for frame in (lasting, yearly):
            frame = frame.filter(pl.col("school").is_in(list(keys)))
            rows += [_estimate_row(row, each, keys) for row in frame.sort("school").to_dicts()]
    return rows


def _shortfall() -> pl.Expr:
    """How far below what is expected: no more than it is, 0 where it is not."""
    return (-pl.col("estimate")).clip(lower_bound=0.0)


def _estimate_row(row: Mapping[str, Any], each: Outcome, keys: Mapping[str, int]) -> dict[str, Any]:
    names = (
        "year", "observed", "expected", "estimate", "se_comparative", "se_diagnostic", "cond_sd",
        "lower", "upper", "reliability",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "school_id": keys[row["school"]],
        "subject": each.subject,
        "because": _rounded(each.because.get(row["school"], {})) if row["year"] is None else {},
        "n": round(row["n"] or 0),
        "years": int(row["years"]),
        "label": LABELS.get(row.get("evidence", ""), ""),
        "probability": row.get("probability"),
        "need_probability": row.get("need_probability"),
        "gap": row.get("gap"),
        "pupils_touched": row.get("pupils_touched"),
        "complementary": row["complementary"],
        "complementary_inside": row["complementary_inside"],
    }


def _rounded(parts: Mapping[str, float]) -> dict[str, float]:
    """Points with digits enough for people and few enough to come out the same again."""
    return {name: round(points, 6) for name, points in parts.items()}


def _area_rows(frames: Sequence[pl.DataFrame]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for frame in frames:
        for row in frame.to_dicts():
            suppressed = row["suppressed"]
            rows.append(
                {
                    **{name: row[name] for name in areas.FIGURES},
                    "area_id": row["area"],
                    "subject": row["subject"],
                    "year": row["year"],
                    "n_schools": row["n_schools"],
                    "n_pupils": None if row["n_pupils"] is None else round(row["n_pupils"]),
                    "suppressed": suppressed,
                    "complementary": row["complementary"],
                }
            )
    return rows


def _about(each: Outcome, settings: Settings) -> dict[str, Any]:
    return {
        "delta": each.markedly(settings.delta),
        "pupil_sd": each.pupil_sd,
        "mean": each.mean,
        "digits": digits_for(each.pupil_sd),
        "years": each.years,
        "way": each.way,
        "schools": each.persistent.height,
        "pupils": each.pupils,
        "context": each.context,
        "model": each.about,
        "sensitivity": {"ways": each.ways.summary, "left_out": each.ways.left_out},
    }


def _coverage(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "schools": pl.concat([each.persistent["school"] for each in outcomes]).n_unique(),
        "pupils": max(each.pupils for each in outcomes),
        "years": sorted({year for each in outcomes for year in each.years}),
    }


__all__ = ["METHOD", "METHOD_VERSION", "compute", "with_spread"]
