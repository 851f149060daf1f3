"""School effects with heavy tails: the answer where a few schools are very unusual.

    r_s = u_s + e_s,   e_s ~ N(0, v_s) known,   u_s ~ t with nu degrees of freedom and scale tau

A t distribution is a normal one whose variance itself varies: u | lambda ~ N(0, tau^2 / lambda)
with lambda ~ Gamma(nu / 2, nu / 2). Given lambda all is normal and known, so that the likelihood
and the posterior are finite sums over values of lambda: exact but for their number. Under heavy
tails a school far out is drawn in less, and the others a little more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import gamma

Array = NDArray[np.float64]

NODES = 200
NORMAL = 1e6
"""Degrees of freedom that stand for a normal distribution."""
FREEDOMS = (3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 25.0, 50.0, NORMAL)
_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class HeavyTails:
    """Result of :func:`heavy_tails`.

    Attributes
    ----------
    estimate, se : ndarray, shape (n,)
        Posterior mean and SD of each effect.
    freedom : float
        Degrees of freedom that fit best, of a grid; ``NORMAL`` where tails are not heavy.
    scale : float
        tau.
    gain : float
        By how much -2 log-likelihood is below that of the normal distribution.
    """

    estimate: Array
    se: Array
    freedom: float
    scale: float
    gain: float


def heavy_tails(residual: Array, variance: Array) -> HeavyTails:
    """Fit effects with heavy tails to residuals of known variance.

    Parameters
    ----------
    residual, variance : ndarray, shape (n,)
        What is left of each school's mean, and its error variance, above 0.

    Notes
    -----
    Maximum likelihood in tau for each nu of a grid; the best nu is taken as known. The residuals'
    mean, weighted for precision, is taken out. Nothing is random.
    """
    y, v = np.asarray(residual, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    spread = max(float(y.var() - v.mean()), 0.01 * float(y.var()), 1e-12)
    weight = 1 / (v + spread)
    y = y - float((weight * y).sum() / weight.sum())
    fits = {freedom: _best_scale(y, v, freedom, spread) for freedom in FREEDOMS}
    freedom = min(FREEDOMS, key=lambda each: (fits[each][1], -each))
    scale, value = fits[freedom]
    estimate, se = _posterior(y, v, freedom, scale)
    return HeavyTails(estimate, se, freedom, scale, fits[NORMAL][1] - value)


def _nodes(freedom: float) -> Array:
    """Values of 1 / lambda, all equally likely."""
    if freedom >= NORMAL:
        return np.ones(1)
    middle = (np.arange(NODES) + 0.5) / NODES
    precision: Array = gamma.ppf(middle, freedom / 2, scale=2 / freedom)
    return 1 / precision


def _log_parts(y: Array, v: Array, freedom: float, scale: float) -> tuple[Array, Array]:
    """Log density of each school under each node, and the node's variance of u."""
    prior = scale**2 * _nodes(freedom)
    whole = v[:, None] + prior
    return -0.5 * (_LOG_2PI + np.log(whole) + y[:, None] ** 2 / whole), prior


def _best_scale(y: Array, v: Array, freedom: float, spread: float) -> tuple[float, float]:
    def deviance(log_scale: float) -> float:
        parts, _ = _log_parts(y, v, freedom, float(np.exp(log_scale)))
        top = parts.max(axis=1)
        inner = np.log(np.exp(parts - top[:, None]).mean(axis=1))
        return -2 * float((top + inner).sum())

    centre = 0.5 * float(np.log(spread))
    found = minimize_scalar(deviance, bounds=(centre - 6, centre + 3), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def _posterior(y: Array, v: Array, freedom: float, scale: float) -> tuple[Array, Array]:
    parts, prior = _log_parts(y, v, freedom, scale)
    share = np.exp(parts - parts.max(axis=1)[:, None])
    share /= share.sum(axis=1)[:, None]
    shrink = prior / (v[:, None] + prior)
    means = shrink * y[:, None]
    estimate = (share * means).sum(axis=1)
    variance = (share * (shrink * v[:, None] + means**2)).sum(axis=1) - estimate**2
    return estimate, np.sqrt(np.maximum(variance, 0.0))
