"""Value added of schools from pupils' results: the random-intercept model.

``y_ij = x_ij' beta + u_j + e_ij`` with ``u_j ~ N(0, sigma_u^2)``, ``e_ij ~ N(0, sigma^2)``. A
school's value added is the shrunken estimate of ``u_j``; it comes with an interval, always.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.engine import Source
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.reml import (
    Effects,
    Fit,
    Level,
    NotIdentifiedError,
    Problem,
    effects,
    fit_intercept,
    unidentified,
)

METHOD = "value added: random intercept, pupils"
METHOD_VERSION = "1"
Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ValueAdded:
    """A fitted value-added model.

    Parameters
    ----------
    fixed_effects : polars.DataFrame
        term, estimate, se.
    variance_components : polars.DataFrame
        group, term1, term2, variance; the last row is the group ``Residual``.
    icc : float
        Share of the variance left that lies between schools.
    criterion_name : str
        ``REML`` or ``ML``.
    reml_criterion : float
        -2 restricted log-likelihood, or -2 log-likelihood where `criterion_name` is ``ML``.
    singular : bool
        True where the variance between schools is estimated as 0; then every effect is 0.
    school_effects : polars.DataFrame
        school, n, estimate, cond_sd, se_comparative, se_diagnostic, lower, upper, reliability;
        sorted by school. `lower` and `upper` hold the effect with 95 % (given the variances).
    n_pupils, n_schools, n_dropped : int
    provenance : Provenance
    seconds : mapping
        Stage -> seconds taken.
    """

    fixed_effects: pl.DataFrame
    variance_components: pl.DataFrame
    icc: float
    criterion_name: str
    reml_criterion: float
    singular: bool
    school_effects: pl.DataFrame
    n_pupils: int
    n_schools: int
    n_dropped: int
    provenance: Provenance
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)


def value_added(cp: CrossProducts, *, reml: bool = True) -> ValueAdded:
    """Fit the random-intercept model from cross products.

    Parameters
    ----------
    cp : CrossProducts
    reml : bool
        Restricted maximum likelihood (the default) or maximum likelihood.

    Returns
    -------
    ValueAdded
        In the units of the data.

    Raises
    ------
    InputError
        The model cannot be identified from these pupils; the message names the reason or the term.
    """
    started = time.perf_counter()
    _check(cp)
    problem, shift, scale = _standardised(cp)
    try:
        fit = fit_intercept(problem, reml=reml)
    except NotIdentifiedError as reason:
        raise InputError(_REASONS[str(reason)]) from reason
    predicted = effects(problem, fit)
    beta, se, criterion = _in_data_units(cp, fit, shift, scale)
    unit = float(scale[-1])
    between, within = float(predicted.prior[0, 0]) * unit**2, fit.sigma2 * unit**2
    seconds = {**cp.seconds, "fit": time.perf_counter() - started}
    return ValueAdded(
        fixed_effects=pl.DataFrame({"term": list(cp.terms), "estimate": beta, "se": se}),
        variance_components=pl.DataFrame(
            {
                "group": [cp.group, "Residual"],
                "term1": ["(Intercept)", None],
                "term2": pl.Series([None, None], dtype=pl.String),
                "variance": [between, within],
            }
        ),
        icc=between / (between + within),
        criterion_name="REML" if reml else "ML",
        reml_criterion=criterion,
        singular=between == 0.0,
        school_effects=_school_effects(cp, predicted, unit),
        n_pupils=cp.n_pupils,
        n_schools=len(cp.schools),
        n_dropped=cp.n_dropped,
        provenance=Provenance(
            method=METHOD,
            method_version=METHOD_VERSION,
            input_hash=cp.provenance.input_hash,
            settings={**cp.provenance.settings, "criterion": "REML" if reml else "ML"},
        ),
        seconds=seconds,
    )


def value_added_of(
    source: Source,
    formula: str,
    *,
    reml: bool = True,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    input_hash: str | None = None,
    threads: int | None = None,
) -> ValueAdded:
    """Scan pupils and fit the model; see :func:`cross_products` and :func:`value_added`."""
    cp = cross_products(source, formula, levels=levels, input_hash=input_hash, threads=threads)
    try:
        return value_added(cp, reml=reml)
    except InputError as error:
        if error.file is None and isinstance(source, str | Path):
            error.file = str(source)  # the cross products alone do not know their file
        raise


_REASONS = {
    "flat": "The variance between schools cannot be told from the rest: "
    "there are as many school-level terms as schools.",
    "unbounded": "The variance between schools grows without end: "
    "the pupils of a school do not differ once the terms are known.",
    "residual": "The terms explain the outcome entirely; there is nothing left to compare.",
}


def _check(cp: CrossProducts) -> None:
    """Refuse what no solver could fit, in words."""
    n, p = cp.n_pupils, len(cp.terms)
    if len(cp.schools) < 2:
        raise InputError(
            f'All pupils are in one group of "{cp.group}"; comparing needs two at the least.',
            column=cp.group,
        )
    if n <= p:
        raise InputError(f"{n} pupils are too few for a model with {p} terms.")
    if len(cp.schools) >= n:
        raise InputError(
            f'Every group of "{cp.group}" has one pupil; a school\'s share cannot be told apart.',
            column=cp.group,
        )
    total = cp.total()
    outcome_left = total[-1, -1] - total[0, -1] ** 2 / total[0, 0]
    # The raw size of the outcome says what its rounding is: 1e9 everywhere is constant.
    size = total[-1, -1] + n * (cp.shift[-1] / cp.scale[-1]) ** 2
    if outcome_left <= 1e-20 * size or outcome_left <= 0:
        raise InputError("The outcome is the same for every pupil.", column=cp.outcome)
    found = unidentified(total, (*cp.terms, cp.outcome))
    if found:
        term, causes = found[0]
        if term == cp.outcome:
            raise InputError(_REASONS["residual"], column=cp.outcome)
        if causes == [cp.terms[0]]:
            raise InputError(f'The term "{term}" is the same for every pupil.', mend=_LEAVE_OUT)
        raise InputError(
            f'The term "{term}" cannot be identified: {", ".join(causes)} already say the same.',
            mend=_LEAVE_OUT,
        )


_LEAVE_OUT = "Leave it out of the formula."


def _standardised(cp: CrossProducts) -> tuple[Problem, Array, Array]:
    """Centre and scale exactly, now that the sums are known; also the shift and scale to undo it.

    Shifts of X leave REML unchanged; scales are accounted for in the criterion.
    """
    total = cp.total()
    n = total[0, 0]
    mean = total[0] / n
    mean[0] = 0.0
    spread = np.sqrt(np.maximum(np.diagonal(total) / n - mean**2, 0.0))
    spread[0] = 1.0
    first = cp.rows((0,))
    F = (first - first[:, :, :1] * mean) / spread
    F[:, :, 0] = first[:, :, 0]
    centre = np.eye(len(mean))
    centre[0, 1:] = -mean[1:]
    S = centre.T @ total @ centre / np.outer(spread, spread)
    level = Level(z=(0,), parent=None, n_units=len(cp.schools))
    problem = Problem(F=F, S=S, levels=(level,), n=cp.n_pupils)
    return problem, cp.shift + cp.scale * mean, cp.scale * spread


def _in_data_units(
    cp: CrossProducts, fit: Fit, shift: Array, scale: Array
) -> tuple[Array, Array, float]:
    """Coefficients, standard errors and criterion in the units of the data."""
    p = len(cp.terms)
    # beta_raw = back @ beta + (shift of the outcome, 0, ...)
    back = np.diag(scale[-1] / scale[:p])
    back[0, 1:] = -back.diagonal()[1:] * shift[1:p]
    beta = back @ fit.beta
    beta[0] += shift[-1]
    covariance = fit.sigma2 * back @ fit.T_xx_inverse @ back.T
    degrees = cp.n_pupils - p if fit.reml else cp.n_pupils
    criterion = fit.criterion + 2 * degrees * float(np.log(scale[-1]))
    if fit.reml:
        criterion += 2 * float(np.log(scale[:p]).sum())
    return beta, np.sqrt(np.diagonal(covariance)), criterion


def _school_effects(cp: CrossProducts, predicted: Effects, unit: float) -> pl.DataFrame:
    estimate = predicted.estimate[:, 0] * unit
    comparative = _root(predicted.comparative[:, 0, 0]) * unit
    prior = float(predicted.prior[0, 0])
    reliability = np.zeros(len(estimate))
    if prior > 0:
        reliability = 1 - predicted.comparative[:, 0, 0] / prior
    return pl.DataFrame(
        {
            "school": list(cp.schools),
            "n": np.rint(cp.n).astype(np.int64),
            "estimate": estimate,
            "cond_sd": _root(predicted.conditional[:, 0, 0]) * unit,
            "se_comparative": comparative,
            "se_diagnostic": _root(predicted.diagnostic[:, 0, 0]) * unit,
            "lower": estimate - Z_95 * comparative,
            "upper": estimate + Z_95 * comparative,
            "reliability": reliability,
        }
    )


def _root(variance: Array) -> Array:
    """Square root; rounding may leave a variance of 0 a little below it."""
    root: Array = np.sqrt(np.maximum(variance, 0.0))
    return root
