"""How precisely a school's mean is known: n and the spread among its pupils.

The variance of a mean is s^2 / n. The spread of a handful of pupils is itself hardly known, and a
school whose three pupils happened to land in one grade would look almost certain; so by default
spreads are moderated towards the pooled one, the more so the fewer the pupils.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import polygamma, psi

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

SpreadRule = Literal["moderated", "own", "pooled"]
_DF_CEILING = 1e6


@dataclass(frozen=True)
class SamplingVariance:
    """Sampling variances s2 (n,) of means, which used the pooled spread, and what was pooled."""

    s2: Floats
    pooled: Booleans
    pooled_sd: float
    prior_df: float


def pooled_spread(spread: Floats, n: Floats) -> float:
    """sqrt(sum (n - 1) s^2 / sum (n - 1)) over rows with a usable spread; nan when there is none.

    Rows with n < 2 or a missing spread say nothing about it.
    """
    usable = np.isfinite(spread) & (n >= 2)
    weight = np.where(usable, n - 1, 0.0)
    if weight.sum() <= 0:
        return float("nan")
    return float(np.sqrt((weight * np.where(usable, spread, 0.0) ** 2).sum() / weight.sum()))


def prior_degrees(spread: Floats, n: Floats) -> float:
    """Degrees of freedom d0 of the pooled spread, by moments of log s^2.

    s_i^2 ~ s0^2 F(n_i - 1, d0): var(log s_i^2) = psi'((n_i - 1)/2) + psi'(d0/2). Source: Smyth
    2004, Statistical Applications in Genetics and Molecular Biology 3:3, section 6.2. Infinite
    where spreads differ no more than chance allows.
    """
    usable = np.isfinite(spread) & (spread > 0) & (n >= 3)
    if usable.sum() < 10:
        return _DF_CEILING
    half = (n[usable] - 1) / 2
    centred = 2 * np.log(spread[usable]) - psi(half) + np.log(half)
    excess = float(centred.var(ddof=1) - polygamma(1, half).mean())
    if excess <= 1e-6:
        return _DF_CEILING
    return min(2 * _inverse_trigamma(excess), _DF_CEILING)


def _inverse_trigamma(value: float) -> float:
    """Newton's method on 1/psi'(x), convex, from Smyth's start."""
    x = 0.5 + 1 / value
    for _ in range(50):
        tri = float(polygamma(1, x))
        step = tri * (1 - tri / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-12 * x:
            break
    return x


def sampling_variance(
    spread: Floats, n: Floats, rule: SpreadRule, fallback_sd: float | None = None
) -> SamplingVariance:
    """Give s2_i = spread_i^2 / n_i under one of three rules.

    own : the school's spread as it is; the pooled one where it is missing or n < 2.
    moderated : ((n - 1) s^2 + d0 s0^2) / (n - 1 + d0), s0 pooled, d0 from :func:`prior_degrees`.
    pooled : one spread for all.

    A spread of exactly 0 counts as missing: no school's mean is known without error.
    """
    usable = np.isfinite(spread) & (spread > 0) & (n >= 2)
    cleaned = np.where(usable, spread, np.nan)
    pooled_sd = pooled_spread(cleaned, n)
    if not np.isfinite(pooled_sd):
        pooled_sd = float("nan") if fallback_sd is None else fallback_sd
    own = np.where(usable, cleaned, pooled_sd) ** 2
    prior = 0.0
    if rule == "pooled":
        variance = np.full_like(n, pooled_sd**2)
        usable = np.zeros_like(usable)
    elif rule == "moderated":
        prior = prior_degrees(cleaned, n)
        df = np.where(usable, n - 1, 0.0)
        variance = (df * own + prior * pooled_sd**2) / (df + prior)
    else:
        variance = own
    return SamplingVariance(variance / n, ~usable, pooled_sd, prior)
