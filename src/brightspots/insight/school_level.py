"""Value added from school figures: a mean, the number of candidates and their spread.

    one year       y_s  = x_s'b + u_s + e_s
    several years  y_st = x_st'b_t + u_s + v_st + e_st,     var(e) = spread^2 / n known

u is what a school adds persistently, v what only one year shows. REML, exact, on schools alone.
See docs/methods/school-level-value-added.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame
from brightspots.insight.nested_reml import (
    LevelEffects,
    Nest,
    NestedFit,
    effects,
    fit_nested,
    nest_of,
    reml_criterion,
    row_totals,
)
from brightspots.insight.sampling import SamplingVariance, SpreadRule, sampling_variance
from brightspots.insight.school_context import (
    Design,
    Pattern,
    check_context,
    design,
    known_by_unit,
    patterns,
)

METHOD_VERSION = "1"
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
        if not 0 < self.confidence < 1:
            raise InputError("confidence must lie between 0 and 1.")
        if self.minimum_pattern < 1:
            raise InputError("minimum_pattern must be at least 1.")
        if self.pupil_sd is not None and not (np.isfinite(self.pupil_sd) and self.pupil_sd > 0):
            raise InputError("pupil_sd must be above 0.")


@dataclass(frozen=True)
class SchoolLevelValueAdded:
    """Result of :func:`school_level_value_added`; every frame is sorted by school (and year).

    Attributes
    ----------
    school_effects : polars.DataFrame
        One row a school. With several years `estimate` is the persistent effect u and `year` is
        null. `observed` and `expected` are means over the school's years weighted by candidates.
        `se_comparative` = sqrt(PEV), `se_diagnostic` = sqrt(G - PEV), `cond_sd` is the SD given b,
        reliability = 1 - PEV / G. Units of the outcome.
    yearly_effects : polars.DataFrame
        One row a school-year: u + v, `residual` = observed - expected and its `sampling_variance`.
    fixed_effects, variance_components : polars.DataFrame
        One block a context pattern.
    sd_unit : float or None
        SD among all pupils of a year, within and between schools: divide by it to get pupil SD.
    """

    school_effects: pl.DataFrame
    yearly_effects: pl.DataFrame
    fixed_effects: pl.DataFrame
    variance_components: pl.DataFrame
    sd_unit: float | None
    not_identified: tuple[str, ...]
    summary: Mapping[str, Any]
    provenance: Provenance = field(repr=False)

    def in_pupil_sd(self, outcome: str) -> pl.DataFrame:
        """Give school effects in pupil SD, as ``needs`` and ``bright_spots`` take them.

        Raises
        ------
        InputError
            The pupil SD is not known (no spreads and no numbers of candidates).
        """
        if self.sd_unit is None:
            raise InputError(
                "The spread among pupils is not known, so effects have no common unit.",
                mend="Give the spread among pupils, or pupil_sd.",
            )
        scaled = ["estimate", "se_comparative", "se_diagnostic", "cond_sd", "lower", "upper"]
        return self.school_effects.select(
            "school",
            pl.lit(outcome).alias("outcome"),
            "n",
            "years",
            *[pl.col(name) / self.sd_unit for name in scaled],
            "reliability",
            "context_used",
        )


@dataclass(frozen=True)
class _Rows:
    """Checked rows in an order that depends on their content only."""

    frame: pl.DataFrame
    unit: Integers
    y: Floats
    n: Floats
    spread: Floats
    sampling: SamplingVariance
    several: bool


def school_level_value_added(
    frame: pl.DataFrame, parameters: SchoolLevelParameters | None = None
) -> SchoolLevelValueAdded:
    """Estimate what each school adds beyond schools in the same circumstances.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a school, or a school and year: `school`, `mean`, `candidates` with `spread` (SD
        among pupils, n - 1), or `sampling_variance`; optional `year` and context columns. Rows
        without an outcome or a number of candidates are dropped and counted.
    parameters : SchoolLevelParameters

    Raises
    ------
    InputError
        A column is missing or unusable, a school-year occurs twice, or there are too few schools.

    Notes
    -----
    Nothing is random: there is no seed. Rows are put in an order given by their figures, not by
    names or by the order of the file, so relabelled or shuffled input gives the same bytes.
    """
    parameters = parameters or SchoolLevelParameters()
    check_context(frame, parameters.context)
    rows = _prepare(frame, parameters)
    known = known_by_unit(rows.frame, parameters.context, rows.unit)
    found = patterns(known, parameters.context, rows.unit, parameters.minimum_pattern)
    parts = [_fit_pattern(rows, pattern, parameters) for pattern in found]
    sd_unit = _pupil_sd(rows)
    joined = {
        name: pl.concat([getattr(part, name) for part in parts])
        for name in ("schools", "yearly", "fixed", "variances")
    }
    dropped = frame.height - rows.frame.height
    summary = {
        "n_schools": joined["schools"].height,
        "n_rows": rows.frame.height,
        "n_dropped": dropped,
        "n_years": rows.frame["year"].n_unique() if rows.several else 1,
        "n_spread_pooled": int(rows.sampling.pooled.sum()),
        "pooled_sd": _or_none(rows.sampling.pooled_sd),
        "spread_prior_df": rows.sampling.prior_df,
        "sd_unit": sd_unit,
        "singular": any(part.singular for part in parts),
        "patterns": [part.about for part in parts],
        "method_version": METHOD_VERSION,
    }
    return SchoolLevelValueAdded(
        joined["schools"].sort("school"),
        joined["yearly"].sort("school", "year"),
        joined["fixed"],
        joined["variances"],
        sd_unit,
        tuple(dict.fromkeys(term for part in parts for term in part.not_identified)),
        summary,
        Provenance(
            "school-level-value-added", METHOD_VERSION, hash_frame(frame), None, asdict(parameters)
        ),
    )


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


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


def _prepare(frame: pl.DataFrame, p: SchoolLevelParameters) -> _Rows:
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
    usable = np.isfinite(y) & (np.isfinite(given) | (np.isfinite(n) & (n >= 1)))
    usable &= frame[p.school].is_not_null().to_numpy()
    has_year = p.year in frame.columns
    if has_year:
        usable &= frame[p.year].is_not_null().to_numpy()
    if not usable.any():
        raise InputError(
            "No row has an outcome together with a number of candidates or a sampling variance.",
            mend=f'Give "{p.outcome}" with "{p.candidates}" or "{p.sampling_variance}".',
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


def _ordered(kept: pl.DataFrame, p: SchoolLevelParameters, several: bool) -> _Rows:
    """Order schools by their figures, rows of a school by year; then work out var(e)."""
    content = [name for name in kept.columns if name != "school"]
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
    return _Rows(
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


def _pupil_sd(rows: _Rows) -> float | None:
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


@dataclass(frozen=True)
class _Part:
    schools: pl.DataFrame
    yearly: pl.DataFrame
    fixed: pl.DataFrame
    variances: pl.DataFrame
    not_identified: tuple[str, ...]
    singular: bool
    about: dict[str, Any]


def _fit_pattern(rows: _Rows, pattern: Pattern, p: SchoolLevelParameters) -> _Part:
    at = np.flatnonzero(pattern.fitted)
    frame = rows.frame[at]
    year = frame["year"] if rows.several and frame["year"].n_unique() > 1 else None
    made = design(frame, pattern.context, year, p.coefficients_by_year)
    schools, unit = np.unique(rows.unit[at], return_inverse=True)
    freedom = len(schools) - made.X.shape[1]
    if freedom < 1:
        raise InputError(
            f"{len(schools)} schools are too few for {made.X.shape[1]} coefficients"
            f" ({', '.join(made.terms)}).",
            mend="Use fewer context columns or more schools.",
        )
    separable = bool(np.bincount(unit).max() > 1)
    nest = Nest(
        np.column_stack([made.X, rows.y[at]]),
        rows.sampling.s2[at],
        nest_of([unit.astype(np.int64)]) if separable else (),
    )
    fit = fit_nested(nest)
    yearly = row_totals(nest, fit)
    persistent = effects(nest, fit, 1) if separable else yearly
    expected = made.X @ fit.beta
    judged = pattern.judged[at]
    yearly_frame = _yearly(rows, at, yearly, expected, pattern, p)
    school_frame = _schools(rows, at, unit, persistent, expected, pattern, p)
    judged_units = np.zeros(len(schools), dtype=np.bool_)
    judged_units[unit[judged]] = True
    variances = _variances(nest, fit, separable, pattern)
    about = {
        "context_used": pattern.label,
        "n_schools_fitted": len(schools),
        "n_schools_judged": int(judged_units.sum()),
        # In the units of the covariates as given: X_standardised = X_given @ to_original.
        "reml_criterion": fit.criterion - 2 * float(np.linalg.slogdet(made.to_original)[1]),
        "singular": bool(variances["singular"].any()),
        "persistent_separable": separable,
        "not_identified": list(made.not_identified),
    }
    return _Part(
        school_frame.filter(pl.Series(judged_units)),
        yearly_frame.filter(pl.Series(judged)),
        _fixed(made, fit, pattern),
        variances,
        made.not_identified,
        bool(about["singular"]),
        about,
    )


def _columns(level: LevelEffects, confidence: float) -> dict[str, Floats]:
    z = float(norm.ppf(0.5 + confidence / 2))
    se = np.sqrt(level.pev)
    reliability = 1 - level.pev / level.prior if level.prior > 0 else np.zeros_like(level.pev)
    return {
        "estimate": level.estimate,
        "cond_sd": np.sqrt(level.cond_var),
        "se_comparative": se,
        "se_diagnostic": np.sqrt(np.maximum(level.prior - level.pev, 0.0)),
        "lower": level.estimate - z * se,
        "upper": level.estimate + z * se,
        "reliability": reliability,
    }


def _yearly(
    rows: _Rows,
    at: Integers,
    level: LevelEffects,
    expected: Floats,
    pattern: Pattern,
    p: SchoolLevelParameters,
) -> pl.DataFrame:
    frame = rows.frame[at]
    return pl.DataFrame(
        {
            "school": frame["school"],
            "year": frame["year"],
            "n": pl.Series(rows.n[at]).fill_nan(None),
            **_columns(level, p.confidence),
            "expected": expected,
            "observed": rows.y[at],
            "residual": rows.y[at] - expected,
            "sampling_variance": rows.sampling.s2[at],
            "context_used": [pattern.label] * len(at),
            "spread_pooled": rows.sampling.pooled[at],
        }
    )


def _schools(
    rows: _Rows,
    at: Integers,
    unit: Integers,
    level: LevelEffects,
    expected: Floats,
    pattern: Pattern,
    p: SchoolLevelParameters,
) -> pl.DataFrame:
    count = int(unit.max()) + 1
    _, first = np.unique(unit, return_index=True)
    weight = np.where(np.isnan(rows.n[at]), 1.0, rows.n[at])
    total = np.bincount(unit, weight, count)
    n = np.bincount(unit, rows.n[at], count)
    frame = rows.frame[at][first]
    year = pl.Series([None] * count, dtype=frame.schema["year"]) if rows.several else frame["year"]
    return pl.DataFrame(
        {
            "school": frame["school"],
            "year": year,
            "n": pl.Series(n).fill_nan(None),
            "years": np.bincount(unit, minlength=count),
            **_columns(level, p.confidence),
            "expected": np.bincount(unit, weight * expected, count) / total,
            "observed": np.bincount(unit, weight * rows.y[at], count) / total,
            "context_used": [pattern.label] * count,
            "spread_pooled": np.bincount(unit, rows.sampling.pooled[at], count) > 0,
        }
    )


def _fixed(made: Design, fit: NestedFit, pattern: Pattern) -> pl.DataFrame:
    estimate = made.to_original @ fit.beta
    se = np.sqrt(np.diag(made.to_original @ fit.V_beta @ made.to_original.T))
    return pl.DataFrame(
        {
            "context_used": [pattern.label] * len(made.terms),
            "term": made.terms,
            "estimate": estimate,
            "se": se,
            "estimate_per_sd": fit.beta,
        }
    )


def _variances(nest: Nest, fit: NestedFit, separable: bool, pattern: Pattern) -> pl.DataFrame:
    names = ["school_year", "school"] if separable else ["school"]
    at = names.index("school")
    variance = float(fit.variances[at])
    p_zero = 1.0
    if variance > 0 and (separable or (nest.s2 > 0).all()):
        p_zero = _p_zero(nest, fit, separable)
    return pl.DataFrame(
        {
            "context_used": [pattern.label] * len(names),
            "component": names[::-1],
            "variance": fit.variances[::-1],
            "sd": np.sqrt(fit.variances)[::-1],
            "singular": fit.variances[::-1] <= 0,
            "p_zero": [p_zero] + [None] * (len(names) - 1),
        },
        schema_overrides={"p_zero": pl.Float64},
    )


def _p_zero(nest: Nest, fit: NestedFit, separable: bool) -> float:
    """Test "no school effect": half chi-square mixture (Self and Liang 1987)."""
    if separable:
        without = fit_nested(Nest(nest.A, nest.s2)).criterion
    else:
        without = reml_criterion(np.zeros(1), nest)[0]
    return float(0.5 * chi2.sf(max(without - fit.criterion, 0.0), 1))
