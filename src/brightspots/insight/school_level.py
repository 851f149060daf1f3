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
from scipy.stats import chi2

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
from brightspots.insight.school_context import (
    Design,
    Pattern,
    check_context,
    design,
    known_by_unit,
    patterns,
)
from brightspots.insight.school_rows import (
    SchoolLevelParameters,
    SchoolRows,
    prepare_rows,
    pupil_sd,
)

__all__ = ["SchoolLevelParameters", "SchoolLevelValueAdded", "school_level_value_added"]

METHOD_VERSION = "1"
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


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

    def unexplained(self) -> pl.DataFrame:
        """Give what context leaves of each mean, as ``variance_decomposition`` takes it."""
        return self.yearly_effects.select(
            "school",
            "year",
            pl.col("residual").alias("mean"),
            pl.col("n").alias("candidates"),
            "sampling_variance",
        )


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
    rows = prepare_rows(frame, parameters)
    known = known_by_unit(rows.frame, parameters.context, rows.unit)
    found = patterns(known, parameters.context, rows.unit, parameters.minimum_pattern)
    parts = [_fit_pattern(rows, pattern, parameters) for pattern in found]
    sd_unit = pupil_sd(rows)
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


@dataclass(frozen=True)
class _Part:
    schools: pl.DataFrame
    yearly: pl.DataFrame
    fixed: pl.DataFrame
    variances: pl.DataFrame
    not_identified: tuple[str, ...]
    singular: bool
    about: dict[str, Any]


def _fit_pattern(rows: SchoolRows, pattern: Pattern, p: SchoolLevelParameters) -> _Part:
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
        # Far from 0 where what is missing goes with the outcome.
        "mean_estimate_judged": float(persistent.estimate[judged_units].mean()),
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


def _yearly(
    rows: SchoolRows,
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
            **level.columns(p.confidence),
            "expected": expected,
            "observed": rows.y[at],
            "residual": rows.y[at] - expected,
            "sampling_variance": rows.sampling.s2[at],
            "context_used": [pattern.label] * len(at),
            "spread_pooled": rows.sampling.pooled[at],
        }
    )


def _schools(
    rows: SchoolRows,
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
            **level.columns(p.confidence),
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
