"""Value added from school figures: the library's school-level model, made ready and read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from brightspots.core.errors import InputError
from brightspots.insight.grade_counts import Band, grade_summary
from brightspots.insight.school_level import SchoolLevelParameters, school_level_value_added
from brightspots_web.insight import circumstances
from brightspots_web.insight.analysis import diagnostics, expectation, formulas, other_ways
from brightspots_web.insight.analysis.outcome import (
    EFFECTS,
    SCALED,
    Outcome,
    Settings,
    in_pupil_sd,
    with_latest,
)

GRADE = "grade:"
Z_95 = 1.959963984540054
SCHOOLS_A_TERM = 10
"""Schools that must stand behind every coefficient of the expectation."""


def from_school_results(
    subject: str, results: pl.DataFrame, schools: pl.DataFrame, settings: Settings
) -> Outcome:
    """Estimate effects of one subject from means, candidates and spreads or counts of grades.

    Official limits, where a file has them, say how sure each mean is: the sampling variance is that
    of the published interval.
    """
    frame, points = with_spread(results)
    frame, official = _with_official(frame)
    frame = _with_context(frame, schools)
    if frame.is_empty():
        raise InputError(
            f"{subject} has no school with a mean and a number of candidates.",
            column="mean",
            mend="Look at the codes that stand in place of figures (NA, SUPP) in the file.",
        )
    made, kept, crowded = _chosen(frame, settings)
    parameters = SchoolLevelParameters(
        context=tuple(kept),
        pupil_sd=_pupil_sd_from_scatter(frame),
        coefficients_by_year=True,
        lower="lower" if official else None,
        upper="upper" if official else None,
    )
    limits = ["lower", "upper"] if official else []
    wanted = made.frame.select("school", "year", "mean", "candidates", "spread", *limits, *kept)
    result = school_level_value_added(wanted, parameters)
    only_year = None if frame["year"].n_unique() > 1 else int(frame["year"][0])
    yearly = result.yearly_effects.with_columns(
        pl.col("year").cast(pl.Int64).fill_null(only_year or 0), n_latest=None, years=1
    )
    persistent = with_latest(result.school_effects, yearly)
    sd = result.sd_unit or float(np.sqrt(np.average((frame["mean"] - frame["mean"].mean()) ** 2)))
    noise = [pl.col("residual") / sd, pl.col("sampling_variance") / sd**2]
    weight = frame["candidates"].cast(pl.Float64).to_numpy()
    return Outcome(
        subject=subject,
        way="school",
        persistent=in_pupil_sd(persistent.select(EFFECTS), sd),
        yearly=in_pupil_sd(
            yearly.select([*EFFECTS, "residual", "sampling_variance"]), sd
        ).with_columns(noise),
        pupil_sd=sd,
        mean=float(np.average(frame["mean"].cast(pl.Float64).to_numpy(), weights=weight)),
        context={
            **made.as_dict(),
            "columns": kept,
            "left_out": {**made.left_out, **dict.fromkeys(crowded, "too few schools for it")},
        },
        because=expectation.parts_of_schools(
            made.frame, kept, result.fixed_effects.to_dicts(), _used(result.school_effects)
        ),
        unplaced=_unplaced(result.school_effects, kept),
        diagnostics=diagnostics.of_schools(result),
        ways=other_ways.of_schools(wanted, parameters, result, sd),
        about={
            **dict(result.summary),
            "not_identified": list(result.not_identified),
            "grade_points": points,
            "official_limits": official,
            "coefficients": result.fixed_effects.to_dicts(),
            "variances": result.variance_components.to_dicts(),
            "notes": _notes(settings),
        },
    )


def _notes(settings: Settings) -> list[str]:
    """What was asked for and does not go with schools' figures."""
    notes = []
    if settings.earlier:
        notes.append("Earlier results of the same pupil need results by pupil.")
    if settings.drift != "none":
        notes.append("School figures are analysed with years that are exchangeable.")
    return notes


def _chosen(
    frame: pl.DataFrame, settings: Settings
) -> tuple[circumstances.Circumstances, list[str], list[str]]:
    """What is taken into account: by formula as asked, by ticking as far as schools suffice."""
    if not settings.formula:
        made = circumstances.choose(frame, settings.context)
        return made, *_affordable(made)
    named = {
        name: name.removeprefix(circumstances.PREFIX) for name in circumstances.candidates(frame)
    }
    plain = frame.rename({old: new for old, new in named.items() if new not in frame.columns})
    back = {new: old for old, new in named.items()}
    columns = formulas.as_columns(formulas.parsed(settings.formula), plain, back)
    named_again = {back.get(name, name): column for name, column in columns.items()}
    ready = plain.with_columns(**named_again)
    how = dict.fromkeys(named_again, "formula")
    return circumstances.Circumstances(ready, tuple(how), how), list(how), []


def _with_official(frame: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Fill in the spread among pupils that official 95 % limits stand for, where there are any."""
    if not {"lower", "upper"} <= set(frame.columns):
        return frame, False
    low, high = pl.col("lower").cast(pl.Float64), pl.col("upper").cast(pl.Float64)
    variance = pl.when(high > low).then(((high - low) / (2 * Z_95)) ** 2)
    made = frame.with_columns(
        pl.coalesce("spread", (variance * pl.col("candidates")).sqrt()), _known=variance
    )
    known = made["_known"].drop_nulls().len()
    return made.drop("_known"), known > 0


def _used(effects: pl.DataFrame) -> dict[str, str]:
    """School -> the circumstances of the model it was judged by."""
    return dict(zip(effects["school"].to_list(), effects["context_used"].to_list(), strict=True))


def _unplaced(effects: pl.DataFrame, context: Sequence[str]) -> frozenset[str]:
    if not context:
        return frozenset()
    return frozenset(effects.filter(pl.col("context_used") == "none")["school"].to_list())


def with_spread(results: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, float]]:
    """Rows with `mean`, `candidates` and `spread`, taken from counts of grades where needed.

    Where the import gave the marks of each grade, those are used. Where it did not, nothing is
    guessed: the points of each grade are those with which the schools' counts give the schools'
    own published means back (least squares over all schools).
    """
    grades = sorted(name for name in results.columns if name.startswith(GRADE))
    for name in ("mean", "candidates", "spread"):
        if name not in results.columns:
            results = results.with_columns(pl.lit(None, dtype=pl.Float64).alias(name))
    usable = results.filter(pl.col("mean").is_not_null() & (pl.col("candidates") > 0))
    if not grades or usable.height < 10 * len(grades):
        return usable, {}
    bands, points = _given_bands(usable, grades), None
    if bands is None:
        points = _grade_points(usable, grades)
        if points is None:
            return usable, {}
        bands = _bands(grades, points)
    made = grade_summary(usable, bands, step=0)
    # Only counts that cover about everybody who sat tell how far they lie apart.
    whole = (pl.col("graded") >= 0.9 * pl.col("candidates")) & (pl.col("graded") >= 2)
    spread = pl.coalesce("spread", pl.when(whole).then(pl.col("grade_spread")))
    worth = points or [(band.low + band.high) / 2 for band in bands]
    return made.with_columns(spread), {
        name.removeprefix(GRADE): round(value, 3) for name, value in zip(grades, worth, strict=True)
    }


def _given_bands(frame: pl.DataFrame, grades: Sequence[str]) -> list[Band] | None:
    """The marks of each grade as the import's mapping gave them; None unless it gave them all."""
    if "grade_bands" not in frame.columns:
        return None
    texts = frame["grade_bands"].drop_nulls().unique()
    if len(texts) != 1:
        return None
    given = {str(label): (float(low), float(high)) for label, low, high in json.loads(texts[0])}
    names = [name.removeprefix(GRADE) for name in grades]
    if not set(names) <= set(given):
        return None
    return [Band(name, *given[label]) for name, label in zip(grades, names, strict=True)]


def _grade_points(frame: pl.DataFrame, grades: Sequence[str]) -> list[float] | None:
    counts = frame.select(pl.col(g).cast(pl.Float64).fill_null(0.0) for g in grades).to_numpy()
    total = counts.sum(axis=1)
    rows = total > 0
    shares = counts[rows] / total[rows, None]
    weight = np.sqrt(total[rows])
    mean = frame["mean"].cast(pl.Float64).to_numpy()[rows]
    points, _residual, rank, _sv = np.linalg.lstsq(
        shares * weight[:, None], mean * weight, rcond=1e-9
    )
    if rank < len(grades):
        return None
    order = np.diff(points)
    # Grades in order of their names must lie in one order on the scale, or they are no scale.
    return points.tolist() if (order < 0).all() or (order > 0).all() else None


def _bands(grades: Sequence[str], points: Sequence[float]) -> list[Band]:
    """Bands that meet half-way between the points of neighbouring grades."""
    order = np.argsort(points)
    sorted_points = np.asarray(points)[order]
    middles = (sorted_points[1:] + sorted_points[:-1]) / 2
    low = np.concatenate([[2 * sorted_points[0] - middles[0]], middles])
    high = np.concatenate([middles, [2 * sorted_points[-1] - middles[-1]]])
    edge = 1e-9 * (high[-1] - low[0])  # bands may not share a mark
    return [
        Band(grades[place], float(a + edge), float(b))
        for place, a, b in zip(order, low, high, strict=True)
    ]


def _with_context(results: pl.DataFrame, schools: pl.DataFrame) -> pl.DataFrame:
    """Add what the register says of a school; what a year's results say themselves goes first."""
    columns = circumstances.candidates(schools)
    joined = results.join(
        schools.select("school", *columns), on="school", how="left", suffix="__register"
    )
    twice = [name for name in columns if f"{name}__register" in joined.columns]
    return joined.with_columns(
        pl.coalesce(pl.col(name).cast(pl.String), pl.col(f"{name}__register").cast(pl.String))
        if joined.schema[name] != joined.schema[f"{name}__register"]
        else pl.coalesce(name, f"{name}__register")
        for name in twice
    ).drop(f"{name}__register" for name in twice)


def _affordable(made: circumstances.Circumstances) -> tuple[list[str], list[str]]:
    """The circumstances that so many schools can bear, in their order, and those too many."""
    years = max(made.frame["year"].n_unique(), 1)
    room = made.frame["school"].n_unique() * 1.0 / SCHOOLS_A_TERM - 1
    kept: list[str] = []
    crowded: list[str] = []
    for name in made.columns:
        terms = 1 if made.how[name] != "kinds" else made.frame[name].drop_nulls().n_unique() - 1
        rows = made.frame.height / made.frame["school"].n_unique() / years
        if terms <= room * max(rows, 1.0):
            kept.append(name)
            room -= terms
        else:
            crowded.append(name)
    return kept, crowded


def _pupil_sd_from_scatter(frame: pl.DataFrame) -> float | None:
    """Spread among pupils where no school publishes one: from how means scatter by size.

    Means of small schools scatter more than means of large ones, by sigma^2 / n: the slope of
    squared deviations on 1 / n estimates sigma^2. None where a school has a spread, or where the
    slope is not above 0.
    """
    if frame["spread"].drop_nulls().len() > 0:
        return None
    n = frame["candidates"].cast(pl.Float64).to_numpy()
    y = frame["mean"].cast(pl.Float64).to_numpy()
    squared = (y - np.average(y, weights=n)) ** 2
    design = np.column_stack([np.ones_like(n), 1 / n])
    _between, within = np.linalg.lstsq(design, squared, rcond=None)[0]
    return float(np.sqrt(within)) if within > 0 else float(np.sqrt(squared.mean()))


def weights(frame: pl.DataFrame) -> dict[str, Any]:
    """For the page that explains: how many schools, rows and pupils stand behind an outcome."""
    return {
        "schools": frame["school"].n_unique(),
        "rows": frame.height,
        "pupils": int(frame["candidates"].sum() or 0),
    }


__all__ = ["SCALED", "from_school_results", "weights", "with_spread"]
