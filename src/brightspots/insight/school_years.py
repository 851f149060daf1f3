"""What a school adds lastingly, and what one year alone shows: several years of pupils.

    y_ist = x_ist' beta + u_s + v_st + e_ist

u is the persistent effect of school s. v belongs to a school-year: a cohort, a teacher on leave, an
examination that suited. ``drift="none"`` takes the years of a school as exchangeable;
``drift="ar1"`` lets what happened last year carry on in part, ``corr(v_st, v_sr) = rho^|t - r|``.
Years without pupils are allowed anywhere; a year to come is a year without pupils.

Sources: Leckie and Goldstein 2009, doi 10.1111/j.1467-985X.2009.00597.x (why years must be told
apart, and forecasts); Leckie 2018, doi 10.3102/1076998618755351 (school and school-year effects).
See docs/methods/school-years.md.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy.stats import chi2

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.reml import NotIdentifiedError
from brightspots.insight.school_year_cells import Layout, lay_out, year_number
from brightspots.insight.school_year_solver import RHO_MOST, YearFit, fit_years, predict
from brightspots.insight.school_year_tables import (
    components_table,
    effect_columns,
    persistent_table,
    residuals_table,
    yearly_table,
)

__all__ = [
    "Drift",
    "DriftComparison",
    "SchoolYearValueAdded",
    "compare_drift",
    "school_year_value_added",
]

METHOD = "value added: schools over several years, pupils"
METHOD_VERSION = "1"
Drift = Literal["none", "ar1"]

_REASONS = {
    "flat": "The variance between schools, or between a school's years, cannot be told from the "
    "rest: there are as many terms as schools or school-years.",
    "unbounded": "The variance between school-years grows without end: "
    "the pupils of a school-year do not differ once the terms are known.",
    "residual": "The terms explain the outcome entirely; there is nothing left to compare.",
}


@dataclass(frozen=True)
class SchoolYearValueAdded:
    """Result of :func:`school_year_value_added`, in units of the outcome.

    Attributes
    ----------
    persistent : polars.DataFrame
        One row a school, sorted: school, n (pupils of all years), years (with pupils), estimate
        (EBLUP of u_s), cond_sd (SD given beta and the variances), se_comparative = sqrt(PEV),
        se_diagnostic = sqrt(G - PEV), lower, upper (95 %), reliability = 1 - PEV / G.
    yearly : polars.DataFrame
        One row a school and year with pupils: school, year, n, then the same of u_s + v_st.
    residuals : polars.DataFrame
        One row a school and year: school, year, n, observed (mean outcome), expected (x'beta),
        residual, sampling_variance (pupil variance / n).
    variance_components : polars.DataFrame
        component ("school", "school_year", "pupil"), variance, sd, share, singular (estimated as
        0), p_zero (test of no school component, half chi-square mixture; null for the others).
    autocorrelation : float or None
        rho, from one year to the next; None without drift.
    boundary : tuple of str
        Parameters at the edge of what they can be: "school", "school_year", "autocorrelation 0",
        "autocorrelation 0.99".
    fixed_effects : polars.DataFrame
        term, estimate, se.
    reml_criterion : float
        -2 restricted log-likelihood, or -2 log-likelihood where `criterion_name` is ``ML``.
    pupil_sd : float
        SD among all pupils of a year, within and between schools, year means removed.
    singular : bool
        True where the persistent variance is estimated as 0; then every persistent effect is 0.
    years : tuple
        Years with pupils, in order: whole numbers, or spans as written (``2023/24``).
    summary : mapping
        n_pupils, n_dropped, n_schools, n_school_years, n_one_year (schools seen in one year only:
        what they add is told from that year's luck by the other schools' example), year_in_formula.
    """

    persistent: pl.DataFrame
    yearly: pl.DataFrame
    residuals: pl.DataFrame
    variance_components: pl.DataFrame
    autocorrelation: float | None
    boundary: tuple[str, ...]
    fixed_effects: pl.DataFrame
    criterion_name: str
    reml_criterion: float
    pupil_sd: float
    singular: bool
    years: tuple[int, ...] | tuple[str, ...]
    summary: Mapping[str, Any]
    provenance: Provenance = field(repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)
    _layout: Layout | None = field(default=None, compare=False, repr=False)
    _fit: YearFit | None = field(default=None, compare=False, repr=False)

    def forecast(self, year: int | str) -> pl.DataFrame:
        """Give u_s + v_st of any year, also one to come: n is 0 there and the interval wider.

        The forecast is against the average of that year, whatever its examination will be like.

        Parameters
        ----------
        year : int or str
            As the years of the file are written: 2025 or ``2024/25``.

        Returns
        -------
        polars.DataFrame
            One row a school: the columns of `yearly`.

        Raises
        ------
        InputError
            This is not a year.
        """
        if self._layout is None or self._fit is None:
            raise TypeError("This result was not made by school_year_value_added.")
        layout = self._layout
        label = str(year)
        when = year_number(label)
        if when is None:
            raise InputError(f'"{label}" is not a year.', mend="Give 2025, or 2024/25.")
        at = np.flatnonzero(layout.cells.times == when)
        n = layout.counts[at[0]] if at.size else np.zeros(len(layout.schools), dtype=np.int64)
        shown: int | str = int(when) if isinstance(layout.years[0], int) else label
        if at.size:
            shown = layout.years[int(at[0])]
        frame = pl.DataFrame(
            {
                "school": layout.schools,
                "year": pl.Series([shown] * len(layout.schools)),
                "n": n,
                **effect_columns(predict(layout.cells, self._fit, when), layout.unit),
            }
        )
        return frame.sort("school")

    def in_pupil_sd(self, outcome: str) -> pl.DataFrame:
        """Give persistent effects in pupil SD, as ``bright_spots`` and ``needs`` take them.

        Parameters
        ----------
        outcome : str
            What the frame's column `outcome` shall say.
        """
        scaled = ["estimate", "se_comparative", "se_diagnostic", "cond_sd", "lower", "upper"]
        return self.persistent.select(
            "school",
            pl.lit(outcome).alias("outcome"),
            "n",
            "years",
            *[pl.col(name) / self.pupil_sd for name in scaled],
            "reliability",
        )

    def unexplained(self) -> pl.DataFrame:
        """Give what the terms leave of each mean, as ``variance_decomposition`` takes it."""
        return self.residuals.select(
            "school",
            "year",
            pl.col("residual").alias("mean"),
            pl.col("n").alias("candidates"),
            "sampling_variance",
        )


def school_year_value_added(
    cp: CrossProducts, *, year: str, drift: Drift = "none", reml: bool = True
) -> SchoolYearValueAdded:
    """Estimate what each school adds lastingly, from several years of pupils scanned once.

    Parameters
    ----------
    cp : CrossProducts
        ``cross_products(pupils, "score ~ prior + factor(year) + (1 | school)", by=("year",))``.
        With ``factor(year)`` in the formula every year has its own average, so that examinations of
        different difficulty do no harm; without it their differences count as school-years.
    year : str
        The column of the year, one of those `cp` was scanned by.
    drift : "none" or "ar1"
        Exchangeable years, or a stationary autoregression with 0 <= rho <= 0.99.
    reml : bool
        Restricted maximum likelihood (the default) or maximum likelihood.

    Returns
    -------
    SchoolYearValueAdded

    Raises
    ------
    InputError
        Fewer than two years (three for "ar1"), no school with two of them, a column of dates or
        words, or a model that cannot be identified; the message names the reason.

    Notes
    -----
    Intervals take the variances as known. Nothing is random. Schools are put in an order given by
    their figures, so that names change nothing.
    """
    started = time.perf_counter()
    _check_drift(drift)
    layout = lay_out(cp, year)
    _check_years(layout, year, drift)
    fit = _fitted(layout, cp, drift, reml)
    without = _fitted(layout, cp, drift, reml, persistent=False) if fit.theta.persistent else None
    estimate, se, criterion = layout.in_data_units(fit)
    rho = fit.theta.rho if drift == "ar1" else None
    name = "REML" if reml else "ML"
    return SchoolYearValueAdded(
        persistent=persistent_table(layout, fit),
        yearly=yearly_table(layout, fit),
        residuals=residuals_table(layout, estimate, fit),
        variance_components=components_table(layout, fit, without),
        autocorrelation=rho,
        boundary=_boundary(fit, rho),
        fixed_effects=pl.DataFrame({"term": list(cp.terms), "estimate": estimate, "se": se}),
        criterion_name=name,
        reml_criterion=criterion,
        pupil_sd=layout.pupil_sd,
        singular=fit.theta.persistent == 0.0,
        years=layout.years,
        summary={
            "n_pupils": layout.cells.n,
            "n_dropped": cp.n_dropped,
            "n_schools": len(layout.schools),
            "n_school_years": int((layout.counts > 0).sum()),
            "n_one_year": int(((layout.counts > 0).sum(axis=0) == 1).sum()),
            "year_in_formula": layout.year_in_formula,
        },
        provenance=Provenance(
            METHOD,
            METHOD_VERSION,
            cp.provenance.input_hash,
            None,
            {**cp.provenance.settings, "year": year, "drift": drift, "criterion": name},
        ),
        seconds={**cp.seconds, "fit": time.perf_counter() - started},
        _layout=layout,
        _fit=fit,
    )


@dataclass(frozen=True)
class DriftComparison:
    """Result of :func:`compare_drift`.

    Attributes
    ----------
    criterion_none, criterion_ar1 : float
        -2 (restricted) log-likelihoods; the smaller fits better, and "ar1" cannot fit worse.
    likelihood_ratio : float
        Their difference.
    p_value : float
        Chance of such a difference where nothing drifts. rho = 0 is the edge of its range, so this
        is half the chi-square tail with 1 degree of freedom. An upper bound (2 degrees) where the
        model without drift has no school-year variance, since rho has no meaning there.
    boundary : str
        What was done about the edge, in words.
    autocorrelation : float
        rho under "ar1".
    """

    criterion_none: float
    criterion_ar1: float
    likelihood_ratio: float
    p_value: float
    boundary: str
    autocorrelation: float
    none: SchoolYearValueAdded = field(repr=False)
    ar1: SchoolYearValueAdded = field(repr=False)


def compare_drift(cp: CrossProducts, *, year: str, reml: bool = True) -> DriftComparison:
    """Fit both ways and say whether drift is needed; see :func:`school_year_value_added`.

    The fixed part is the same in both, so restricted likelihoods may be compared.
    """
    none = school_year_value_added(cp, year=year, drift="none", reml=reml)
    ar1 = school_year_value_added(cp, year=year, drift="ar1", reml=reml)
    ratio = max(none.reml_criterion - ar1.reml_criterion, 0.0)
    if "school_year" in none.boundary:
        p_value = float(chi2.sf(ratio, 2)) if ratio > 0 else 1.0
        words = "no school-year variance without drift: chi-square with 2 df, an upper bound"
    else:
        p_value = float(0.5 * chi2.sf(ratio, 1)) if ratio > 0 else 1.0
        words = "autocorrelation 0 is the edge of its range: half a chi-square with 1 df"
    return DriftComparison(
        none.reml_criterion,
        ar1.reml_criterion,
        ratio,
        p_value,
        words,
        float(ar1.autocorrelation or 0.0),
        none,
        ar1,
    )


def _check_drift(drift: str) -> None:
    if drift not in ("none", "ar1"):
        raise InputError(f'There is no drift "{drift}".', mend='Use "none" or "ar1".')


def _check_years(layout: Layout, year: str, drift: Drift) -> None:
    """Refuse data whose years cannot tell lasting from passing."""
    if len(layout.years) < 2:
        raise InputError(
            f"All pupils are of one year ({layout.years[0]}); one year cannot tell what lasts.",
            column=year,
            mend="Give two years at the least, or fit one year with value_added.",
        )
    seen = (layout.counts > 0).astype(np.int64)
    together = seen @ seen.T > 0
    times = layout.cells.times
    distances = np.unique(np.abs(times[:, None] - times[None, :])[together])
    if len(distances) < 2:  # only 0: a year with itself
        raise InputError(
            "No school has pupils in two years, so what lasts cannot be told from what passes.",
            column=year,
            mend="Are schools named in the same way every year?",
        )
    if drift == "ar1" and len(distances) < 3:
        raise InputError(
            "Drift cannot be told from lasting differences: schools must be seen at two different "
            "distances in time, three years in a row for instance.",
            column=year,
            mend='Use drift="none".',
        )


def _fitted(
    layout: Layout, cp: CrossProducts, drift: Drift, reml: bool, *, persistent: bool = True
) -> YearFit:
    try:
        return fit_years(layout.cells, drift=drift == "ar1", reml=reml, persistent=persistent)
    except NotIdentifiedError as reason:
        raise InputError(_REASONS[str(reason)], column=cp.outcome) from reason


def _boundary(fit: YearFit, rho: float | None) -> tuple[str, ...]:
    found = [
        *(["school"] if fit.theta.persistent == 0 else []),
        *(["school_year"] if fit.theta.yearly == 0 else []),
    ]
    if rho is not None and rho <= 0:
        found.append("autocorrelation 0")
    if rho is not None and rho >= RHO_MOST:
        found.append(f"autocorrelation {RHO_MOST}")
    return tuple(found)
