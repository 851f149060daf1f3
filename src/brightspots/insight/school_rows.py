"""Rows of school figures: settings, checks, an order no name decides, sampling variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from brightspots.core.errors import InputError
from brightspots.insight.sampling import SamplingVariance, SpreadRule, sampling_variance

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SchoolLevelParameters:
    """Settings of :func:`school_level_value_added`.

    Parameters
    ----------
    context : tuple of str
        Columns a school is not responsible for. Numeric columns enter linearly (take logarithms
        beforehand), others as factors.
    outcome, candidates, spread, school, year : str
        Column names. `year` and `spread` need not be in the frame.
    sampling_variance : str
        Column with var(e) where it is published; rows with a value use it instead of the spread.
    lower, upper : str, optional
        Columns with published limits of the mean, such as those of England's progress scores; rows
        with both, and without a sampling variance, get it from them.
    limits_confidence : float
        What `lower` and `upper` hold.
    spread_rule : {"moderated", "own", "pooled"}
        See :mod:`brightspots.insight.sampling`.
    pupil_sd : float, optional
        Spread among pupils to use where no school has one.
    coefficients_by_year : bool
        Every year its own intercept and slopes; otherwise its own intercept only.
    minimum_pattern : int
        Schools with the same missing context needed for a model of their own.
    confidence : float
        Of the intervals.
    """

    context: tuple[str, ...] = ()
    outcome: str = "mean"
    candidates: str = "candidates"
    spread: str = "spread"
    sampling_variance: str = "sampling_variance"
    school: str = "school"
    year: str = "year"
    lower: str | None = None
    upper: str | None = None
    limits_confidence: float = 0.95
    spread_rule: SpreadRule = "moderated"
    pupil_sd: float | None = None
    coefficients_by_year: bool = True
    minimum_pattern: int = 30
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.spread_rule not in ("moderated", "own", "pooled"):
            raise InputError(
                f'There is no spread rule "{self.spread_rule}".',
                mend='Use "moderated", "own" or "pooled".',
            )
        if not (0 < self.confidence < 1 and 0 < self.limits_confidence < 1):
            raise InputError("confidence must lie between 0 and 1.")
        if (self.lower is None) != (self.upper is None):
            raise InputError("Name the columns of both limits, the lower and the upper one.")
        if self.minimum_pattern < 1:
            raise InputError("minimum_pattern must be at least 1.")
        if self.pupil_sd is not None and not (np.isfinite(self.pupil_sd) and self.pupil_sd > 0):
            raise InputError("pupil_sd must be above 0.")


@dataclass(frozen=True)
class SchoolRows:
    """Checked rows in an order that depends on their content only."""

    frame: pl.DataFrame
    unit: Integers
    y: Floats
    n: Floats
    spread: Floats
    sampling: SamplingVariance
    several: bool


def _column(frame: pl.DataFrame, name: str, lowest: float | None = None) -> Floats:
    """Read a numeric column as floats, nan where missing; refuse text and values below `lowest`."""
    if not frame.schema[name].is_numeric():
        raise InputError(
            f"This column holds {frame.schema[name]}, not numbers.",
            column=name,
            mend="Clean the codes for missing values first.",
        )
    values = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
    values[np.isinf(values)] = np.nan
    if lowest is not None:
        with np.errstate(invalid="ignore"):
            bad = values < lowest
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f"{values[row]:g} is not possible here.", row=row + 2, column=name)
    return values


def _variance_of_limits(
    frame: pl.DataFrame, lower: str, upper: str, y: Floats, confidence: float
) -> Floats:
    """Give ((upper - lower) / 2z)^2 where both limits and the mean are there, nan elsewhere.

    Published limits are rounded, so their middle may miss the mean by one unit of the last digit;
    farther off they belong to another figure, and are refused.
    """
    for name in (lower, upper):
        if name not in frame.columns:
            raise InputError(
                "This column is needed and not there.",
                column=name,
                mend=f"Columns found: {', '.join(frame.columns)}.",
            )
    low, high = _column(frame, lower), _column(frame, upper)
    there = np.isfinite(low) & np.isfinite(high) & np.isfinite(y)
    unit = max(_last_digit(values[there]) for values in (low, high, y)) if there.any() else 1.0

    def refuse(bad: NDArray[np.bool_], what: str, mend: str) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                what.format(low=low[row], high=high[row], mean=y[row]),
                row=row + 2,
                column=lower,
                mend=mend,
            )

    with np.errstate(invalid="ignore"):
        refuse(
            there & (low > high),
            "The lower limit {low:g} is above the upper one, {high:g}.",
            "Are the two columns the wrong way round?",
        )
        refuse(
            there & (low == high),
            "Both limits are {low:g}: no school's mean is known without error.",
            "Leave both empty if they are not known.",
        )
        refuse(
            there & (np.abs((low + high) / 2 - y) > unit * (1 + 1e-9)),
            "The limits {low:g} and {high:g} do not lie evenly about the mean {mean:g}.",
            "Give the limits of this outcome; limits on another scale cannot be used.",
        )
    z = float(norm.ppf(0.5 + confidence / 2))
    return np.where(there, ((high - low) / (2 * z)) ** 2, np.nan)


def _last_digit(values: Floats) -> float:
    """Find the unit of the last digit written: 0.1 for 1.2 and 3; 1e-6 at the least."""
    for digits in range(6):
        if np.abs(np.round(values, digits) - values).max(initial=0.0) < 1e-9:
            return 10.0**-digits
    return 1e-6


def prepare_rows(frame: pl.DataFrame, p: SchoolLevelParameters) -> SchoolRows:
    """Check the rows, drop those without a figure, put them in content order, work out var(e)."""
    for name in (p.school, p.outcome):
        if name not in frame.columns:
            raise InputError(
                "This column is needed and not there.",
                column=name,
                mend=f"Columns found: {', '.join(frame.columns)}.",
            )
    nothing = np.full(frame.height, np.nan)
    y = _column(frame, p.outcome)
    n = _column(frame, p.candidates, 0) if p.candidates in frame.columns else nothing
    spread = _column(frame, p.spread, 0) if p.spread in frame.columns else nothing
    given = (
        _column(frame, p.sampling_variance, 0) if p.sampling_variance in frame.columns else nothing
    )
    if p.lower is not None and p.upper is not None:
        limits = _variance_of_limits(frame, p.lower, p.upper, y, p.limits_confidence)
        given = np.where(np.isfinite(given), given, limits)
    usable = np.isfinite(y) & (np.isfinite(given) | (np.isfinite(n) & (n >= 1)))
    usable &= frame[p.school].is_not_null().to_numpy()
    has_year = p.year in frame.columns and frame[p.year].null_count() < frame.height
    if has_year:
        usable &= frame[p.year].is_not_null().to_numpy()
    if not usable.any():
        or_limits = "" if p.lower is None else f', or both "{p.lower}" and "{p.upper}"'
        raise InputError(
            "No row has an outcome together with a number of candidates or a sampling variance.",
            mend=f'Give "{p.outcome}" with "{p.candidates}" or "{p.sampling_variance}"{or_limits}.',
        )
    work = frame.select(
        pl.col(p.school).cast(pl.String).alias("school"),
        (pl.col(p.year) if has_year else pl.lit(None, dtype=pl.Int64)).alias("year"),
        *[pl.col(name) for name in p.context if name not in ("school", "year")],
    ).with_columns(
        pl.Series("__y", y), pl.Series("__n", n), pl.Series("__s", spread), pl.Series("__v", given)
    )
    kept = work.filter(pl.Series(usable))
    if kept.select("school", "year").is_duplicated().any():
        row = int(np.flatnonzero(kept.select("school", "year").is_duplicated().to_numpy())[0])
        raise InputError(
            f'School "{kept["school"][row]}" occurs twice'
            + (f" in {kept['year'][row]}." if has_year else "."),
            row=int(np.flatnonzero(usable)[row]) + 2,
            column=p.school,
            mend="Give one row a school (and year).",
        )
    several = has_year and kept["year"].n_unique() > 1
    return _ordered(kept, p, several)


def _ordered(kept: pl.DataFrame, p: SchoolLevelParameters, several: bool) -> SchoolRows:
    """Order schools by their figures, rows of a school by year; then work out var(e)."""
    # Figures first, names of factor levels last: they only part schools with equal figures.
    figures = ["__y", "__n", "__s", "__v", "year"]
    context = [name for name in kept.columns if name not in {*figures, "school"}]
    context.sort(key=lambda name: not kept.schema[name].is_numeric())
    content = [*figures, *context]
    coded = kept.with_columns(pl.struct(content).rank("dense").alias("__code"))
    signature = (
        coded.sort("school", "__code")
        .group_by("school", maintain_order=True)
        .agg(pl.col("__code").cast(pl.String).str.zfill(10).str.join("").alias("__signature"))
        .sort("__signature", "school")
        .with_row_index("__unit")
        .select("school", "__unit")
    )
    ordered = kept.join(signature, on="school", how="left").sort("__unit", "year")
    get = {c: ordered[c].to_numpy().copy() for c in ("__y", "__n", "__s", "__v")}
    n = np.where(np.isfinite(get["__n"]) & (get["__n"] >= 1), get["__n"], np.nan)
    sampling = _sampling(get["__s"], n, get["__v"], p)
    return SchoolRows(
        ordered.drop("__y", "__n", "__s", "__v", "__unit"),
        ordered["__unit"].to_numpy().astype(np.int64),
        get["__y"],
        n,
        get["__s"],
        sampling,
        several,
    )


def _sampling(
    spread: Floats, n: Floats, given: Floats, p: SchoolLevelParameters
) -> SamplingVariance:
    counted = np.where(np.isnan(n), 1.0, n)
    usable_spread = np.where(np.isnan(n), np.nan, spread)
    out = sampling_variance(usable_spread, counted, p.spread_rule, p.pupil_sd)
    published = np.isfinite(given)
    s2 = np.where(published, given, out.s2)
    if not np.isfinite(s2).all():
        raise InputError(
            "No school has a spread among its pupils, so nobody can tell noise from effect.",
            column=p.spread,
            mend=f'Give "{p.spread}" (see grade_counts), "{p.sampling_variance}" or pupil_sd.',
        )
    return SamplingVariance(s2, out.pooled & ~published, out.pooled_sd, out.prior_df)


def pupil_sd(rows: SchoolRows) -> float | None:
    """SD among pupils of one year: sqrt(((N_t - 1)-weighted) within + between school means).

    Within: moderated or published variances n s2; between: candidates-weighted, year means removed.
    """
    if np.isnan(rows.n).any():
        return None
    weight = rows.n
    _, year = np.unique(
        rows.frame["year"].rank("dense").fill_null(0).to_numpy(), return_inverse=True
    )
    totals = np.bincount(year, weight)
    mean = np.bincount(year, weight * rows.y) / totals
    between = (weight * (rows.y - mean[year]) ** 2).sum()
    within = ((weight - 1) * weight * rows.sampling.s2).sum()
    freedom = weight.sum() - len(totals)
    return float(np.sqrt((between + within) / freedom)) if freedom > 0 else None
