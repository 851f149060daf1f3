"""Results of :mod:`brightspots.insight.school_years` as tables, in units of the outcome."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2

from brightspots.insight.school_year_cells import Layout
from brightspots.insight.school_year_solver import YearEffects, YearFit, predict

Z_95 = 1.959963984540054
Array = NDArray[np.float64]


def effect_columns(level: YearEffects, unit: float) -> dict[str, Array]:
    """Write estimates, their uncertainties, 95 % limits and reliability in units of the outcome."""
    estimate = level.estimate * unit
    se = np.sqrt(level.comparative) * unit
    reliability = np.zeros(len(estimate))
    if level.prior > 0:
        reliability = 1 - level.comparative / level.prior
    return {
        "estimate": estimate,
        "cond_sd": np.sqrt(level.conditional) * unit,
        "se_comparative": se,
        "se_diagnostic": np.sqrt(np.maximum(level.prior - level.comparative, 0.0)) * unit,
        "lower": estimate - Z_95 * se,
        "upper": estimate + Z_95 * se,
        "reliability": reliability,
    }


def persistent_table(layout: Layout, fit: YearFit) -> pl.DataFrame:
    """One row a school: u."""
    frame = pl.DataFrame(
        {
            "school": layout.schools,
            "n": layout.counts.sum(axis=0),
            "years": (layout.counts > 0).sum(axis=0),
            **effect_columns(predict(layout.cells, fit), layout.unit),
        }
    )
    return frame.sort("school")


def yearly_table(layout: Layout, fit: YearFit) -> pl.DataFrame:
    """One row a school and year with pupils: u + v."""
    parts = []
    for place, (label, when) in enumerate(zip(layout.years, layout.cells.times, strict=True)):
        n = layout.counts[place]
        part = pl.DataFrame(
            {
                "school": layout.schools,
                "year": pl.Series([label] * len(layout.schools)),
                "n": n,
                **effect_columns(predict(layout.cells, fit, float(when)), layout.unit),
            }
        )
        parts.append(part.filter(pl.Series(n > 0)))
    return pl.concat(parts).sort("school", "year")


def residuals_table(layout: Layout, beta: Array, fit: YearFit) -> pl.DataFrame:
    """One row a school and year: mean outcome, what the terms expect, and sampling variance."""
    at_year, at_school = np.nonzero(layout.counts > 0)
    means = layout.means()[at_year, at_school]
    expected = means[:, :-1] @ beta
    return pl.DataFrame(
        {
            "school": [layout.schools[i] for i in at_school],
            "year": pl.Series([layout.years[i] for i in at_year]),
            "n": layout.counts[at_year, at_school],
            "observed": means[:, -1],
            "expected": expected,
            "residual": means[:, -1] - expected,
            "sampling_variance": fit.sigma2
            * layout.unit**2
            / layout.cells.root_n[at_year, at_school] ** 2,
        }
    ).sort("school", "year")


def components_table(layout: Layout, fit: YearFit, without: YearFit | None) -> pl.DataFrame:
    """Variances of schools, school-years and pupils; `without` has no persistent effects."""
    ratios = np.array([fit.theta.persistent, fit.theta.yearly, 1.0])
    variance = ratios * fit.sigma2 * layout.unit**2
    p_zero = 1.0
    if without is not None:
        p_zero = float(0.5 * chi2.sf(max(without.criterion - fit.criterion, 0.0), 1))
    return pl.DataFrame(
        {
            "component": ["school", "school_year", "pupil"],
            "variance": variance,
            "sd": np.sqrt(variance),
            "share": variance / variance.sum(),
            "singular": ratios <= 0,
            "p_zero": [p_zero, None, None],
        },
        schema_overrides={"p_zero": pl.Float64},
    )
