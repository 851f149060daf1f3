"""Is one school's figure above another's? Differences with their error, and intervals for the eye.

Two schools' errors hang together through the coefficients that both are judged by, so the error of
a difference is not the root of the sum of squares. With ``u^_s - u_s`` the prediction error,

    var(d) = PEV_a + PEV_b - 2 cov(a, b),   cov(a, b) = a_a' V_beta a_b for schools apart

where a_s says how school s's estimate moves with the coefficients. See docs/methods/comparisons.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.design import INTERCEPT
from brightspots.insight.diagnostics import with_school_years
from brightspots.insight.influence import nested_groupings, shares
from brightspots.insight.school_years import SchoolYearValueAdded
from brightspots.insight.value_added import ValueAdded

METHOD = "comparison of schools"
METHOD_VERSION = "1"
MOST_SCHOOLS = 200
"""Every pair of more would be 20,000 statements; nobody reads so many."""

Array = NDArray[np.float64]
Fitted = ValueAdded | SchoolYearValueAdded
CAUTION = (
    "Compared were {pairs} pairs. Of pairs that do not differ, {share:.0%} would look different by"
    " chance alone; `adjusted` allows for that."
)


@dataclass(frozen=True)
class Comparison:
    """Result of :func:`compare_schools`, in units of the outcome.

    `difference` is a's effect less b's, `se` its error, `lower` and `upper` its limits,
    `probability` the chance that a's true effect is above b's. `covariance` of the two prediction
    errors is None where it could not be had and was taken as 0.
    """

    a: str
    b: str
    difference: float
    se: float
    lower: float
    upper: float
    probability: float
    covariance: float | None
    confidence: float
    provenance: Provenance = field(repr=False)

    def in_pupil_sd(self, pupil_sd: float) -> Comparison:
        """Give the same in pupil SD."""
        if not pupil_sd > 0:
            raise InputError("pupil_sd must be above 0.")
        return Comparison(
            self.a,
            self.b,
            self.difference / pupil_sd,
            self.se / pupil_sd,
            self.lower / pupil_sd,
            self.upper / pupil_sd,
            self.probability,
            None if self.covariance is None else self.covariance / pupil_sd**2,
            self.confidence,
            self.provenance,
        )


@dataclass(frozen=True)
class PredictionErrors:
    """What pairs of schools need: estimates, PEV, and the maps by which errors hang together.

    Parameters
    ----------
    schools : tuple of str
    estimate, pev : ndarray, shape (J,)
    moves : ndarray, shape (J, p), or None
        ``cov(a, b) = moves[a] @ moves[b]`` for two schools.
    """

    schools: tuple[str, ...]
    estimate: Array
    pev: Array
    moves: Array | None

    def at(self, school: str) -> int:
        """Place of a school.

        Raises
        ------
        InputError
            It is not there.
        """
        if school not in self.schools:
            raise InputError(f'There is no school "{school}" in these results.')
        return self.schools.index(school)

    def covariance(self, a: int, b: int) -> float | None:
        """Covariance of two schools' prediction errors; None where it is not known."""
        return None if self.moves is None else float(self.moves[a] @ self.moves[b])


def prediction_errors(fitted: Fitted, cp: CrossProducts | None = None) -> PredictionErrors:
    """Collect what comparing schools needs.

    Parameters
    ----------
    fitted : ValueAdded or SchoolYearValueAdded
        Of the latter, what lasts.
    cp : CrossProducts, optional
        Of the fit. Covariances come from it where schools are the only or the coarsest grouping
        (random slopes and school-year effects may be there); otherwise they are left out.

    Notes
    -----
    The estimate of school s falls by ``G H_x`` where coefficients rise, so that
    ``cov(a, b) = (G H_x)_a V_beta (G H_x)_b'``; for one random intercept that is
    ``R_a R_b x-bar_a' V_beta x-bar_b``, R = n g / (1 + n g).
    """
    effects = (
        fitted.persistent if isinstance(fitted, SchoolYearValueAdded) else fitted.school_effects
    )
    names = tuple(effects["school"].to_list())
    return PredictionErrors(
        names,
        effects["estimate"].to_numpy(),
        effects["se_comparative"].to_numpy() ** 2,
        None if cp is None else _moves(cp, fitted, names),
    )


def _moves(cp: CrossProducts, fitted: Fitted, names: tuple[str, ...]) -> Array | None:
    components = fitted.variance_components
    if isinstance(fitted, SchoolYearValueAdded):
        if fitted.autocorrelation is not None or len(cp.random) != 1 or len(cp.groups) != 2:
            return None
        year = next(name for name in cp.groups if name != cp.random[0].group[0])
        cp = with_school_years(cp, year)
        named = [part.name for part in cp.random]
        components = pl.DataFrame(
            {
                "group": [*named, "Residual"],
                "term1": [INTERCEPT, INTERCEPT, None],
                "term2": pl.Series([None] * 3, dtype=pl.String),
                "variance": components["variance"],
            }
        )
    try:
        coarsest, parts = nested_groupings(cp)[-1]
    except InputError:
        return None
    if parts[0].terms[0] != INTERCEPT or set(coarsest.plain) != set(names):
        return None
    share = shares(cp, fitted.fixed_effects, components)
    p = share.p
    T = share.S.sum(axis=0)[:p, :p]
    half = np.linalg.cholesky(np.linalg.inv(T)) * np.sqrt(float(components["variance"][-1]))
    found: Array = share.spread[:, 0, :] @ half
    place = {name: i for i, name in enumerate(coarsest.plain)}
    return found[[place[name] for name in names]]


def compare_schools(
    fitted: Fitted,
    a: str,
    b: str,
    *,
    cp: CrossProducts | None = None,
    confidence: float = 0.95,
) -> Comparison:
    """Compare two schools.

    Parameters
    ----------
    fitted : ValueAdded or SchoolYearValueAdded
    a, b : str
        Names as in ``school_effects``.
    cp : CrossProducts, optional
        Of the fit, for the covariance of the two errors; see :func:`prediction_errors`.
    confidence : float

    Raises
    ------
    InputError
        A school is not there, or both are the same.
    """
    if not 0 < confidence < 1:
        raise InputError("confidence must lie between 0 and 1.")
    if a == b:
        raise InputError("A school cannot be compared with itself.")
    errors = prediction_errors(fitted, cp)
    i, j = errors.at(a), errors.at(b)
    difference = float(errors.estimate[i] - errors.estimate[j])
    covariance = errors.covariance(i, j)
    se = float(np.sqrt(max(errors.pev[i] + errors.pev[j] - 2 * (covariance or 0.0), 0.0)))
    z = float(norm.ppf(0.5 + confidence / 2))
    return Comparison(
        a,
        b,
        difference,
        se,
        difference - z * se,
        difference + z * se,
        _above(difference, se),
        covariance,
        confidence,
        Provenance(
            METHOD,
            METHOD_VERSION,
            fitted.provenance.input_hash,
            None,
            {**fitted.provenance.settings, "a": a, "b": b, "confidence": confidence},
        ),
    )


def _above(difference: float, se: float) -> float:
    return float(norm.cdf(difference / se)) if se > 0 else 0.5


@dataclass(frozen=True)
class AllPairs:
    """Result of :func:`compare_all`.

    `pairs` has a, b, difference, se, lower, upper, probability, different, adjusted; sorted by a
    and b. `different`: the interval does not hold 0. `adjusted`: it would not even if limits were
    widened so that, of all pairs together, none is wrongly called different with the confidence
    (Holm).
    """

    pairs: pl.DataFrame
    caution: str
    provenance: Provenance = field(repr=False)


def compare_all(
    fitted: Fitted,
    schools: list[str] | None = None,
    *,
    cp: CrossProducts | None = None,
    confidence: float = 0.95,
) -> AllPairs:
    """Compare every pair of some schools: a partnership, a family, a district.

    Raises
    ------
    InputError
        Fewer than 2 schools, more than 200, or one that is not there.
    """
    errors = prediction_errors(fitted, cp)
    names = sorted(set(schools if schools is not None else errors.schools))
    if not 2 <= len(names) <= MOST_SCHOOLS:
        raise InputError(
            f"{len(names)} schools cannot be compared pair by pair; 2 to {MOST_SCHOOLS} can."
        )
    at = [errors.at(name) for name in names]
    one, two = (np.array(side) for side in zip(*combinations(range(len(names)), 2), strict=True))
    i, j = np.array(at)[one], np.array(at)[two]
    difference = errors.estimate[i] - errors.estimate[j]
    shared = (
        np.zeros(len(i)) if errors.moves is None else (errors.moves[i] * errors.moves[j]).sum(1)
    )
    se = np.sqrt(np.maximum(errors.pev[i] + errors.pev[j] - 2 * shared, 0.0))
    z = float(norm.ppf(0.5 + confidence / 2))
    ratio = np.divide(difference, se, out=np.zeros_like(se), where=se > 0)
    pairs = pl.DataFrame(
        {
            "a": [names[k] for k in one],
            "b": [names[k] for k in two],
            "difference": difference,
            "se": se,
            "lower": difference - z * se,
            "upper": difference + z * se,
            "probability": norm.cdf(ratio),
            "different": np.abs(ratio) > z,
            "adjusted": _holm(2 * norm.sf(np.abs(ratio)), 1 - confidence),
        }
    )
    return AllPairs(
        pairs,
        CAUTION.format(pairs=len(i), share=1 - confidence),
        Provenance(
            METHOD,
            METHOD_VERSION,
            fitted.provenance.input_hash,
            None,
            {**fitted.provenance.settings, "schools": names, "confidence": confidence},
        ),
    )


def _holm(p: Array, alpha: float) -> NDArray[np.bool_]:
    order = np.argsort(p, kind="stable")
    passed = p[order] <= alpha / (len(p) - np.arange(len(p)))
    passed = np.cumprod(passed).astype(bool)
    out = np.zeros(len(p), dtype=bool)
    out[order] = passed
    return out


@dataclass(frozen=True)
class ComparisonIntervals:
    """Result of :func:`comparison_intervals`.

    Attributes
    ----------
    frame : polars.DataFrame
        school, estimate, lower, upper: limits at estimate -+ `factor` times the comparative error.
    factor : float
        About 1.39 where errors are alike and confidence is 95 %.
    confidence : float
    """

    frame: pl.DataFrame
    factor: float
    confidence: float


def comparison_intervals(
    fitted: Fitted, *, confidence: float = 0.95, cp: CrossProducts | None = None
) -> ComparisonIntervals:
    """Give intervals to compare two schools by eye: apart means different, for a pair picked once.

    An interval of 1.96 errors says where one school lies. Two such intervals that just touch differ
    by 1.96 (s_a + s_b), far more than the 1.96 sqrt(s_a^2 + s_b^2) that a difference takes. Shorter
    ones are right for pairs: z k with k chosen so that over all pairs the chance of apart without a
    difference is 1 - confidence **on average** (Goldstein and Healy 1995, JRSS A 158:175). With
    equal errors k z = 1.96 / sqrt(2) = 1.386. For a single pair it is a little more or less.

    Parameters
    ----------
    fitted : ValueAdded or SchoolYearValueAdded
    confidence : float
    cp : CrossProducts, optional
        For the covariances; see :func:`prediction_errors`.

    Notes
    -----
    For one pair picked beforehand. Picking the two that are farthest apart, or saying where one
    school stands among all, needs :func:`compare_all`. Beyond 400 schools the factor is worked out
    on every k-th by size of its error.
    """
    if not 0 < confidence < 1:
        raise InputError("confidence must lie between 0 and 1.")
    errors = prediction_errors(fitted, cp)
    s = np.sqrt(errors.pev)
    order = np.lexsort((errors.estimate, s))
    chosen = order[:: -(-len(order) // 400)]
    i, j = np.triu_indices(len(chosen), 1)
    a, b = chosen[i], chosen[j]
    shared = (
        np.zeros(len(a)) if errors.moves is None else (errors.moves[a] * errors.moves[b]).sum(1)
    )
    pair = np.sqrt(np.maximum(errors.pev[a] + errors.pev[b] - 2 * shared, 1e-300))
    ratio = (s[a] + s[b]) / pair
    alpha = 1 - confidence

    def excess(factor: float) -> float:
        return float(np.mean(2 * norm.sf(factor * ratio))) - alpha

    usable = len(a) > 0 and bool(np.isfinite(ratio).all()) and bool((ratio > 1e-6).all())
    z = float(norm.ppf(0.5 + confidence / 2))
    factor = float(brentq(excess, 0.0, 40.0)) if usable else z / np.sqrt(2)
    frame = pl.DataFrame(
        {
            "school": list(errors.schools),
            "estimate": errors.estimate,
            "lower": errors.estimate - factor * s,
            "upper": errors.estimate + factor * s,
        }
    )
    return ComparisonIntervals(frame, factor, confidence)
