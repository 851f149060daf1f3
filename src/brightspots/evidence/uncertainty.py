"""Standard errors and intervals from influence functions, summed within clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

Array = NDArray[np.float64]

SINGLE_TREATED = "one treated cluster alone: nothing tells its luck from an effect"
SINGLE_COMPARISON = "one cluster alone to compare with: nothing tells its luck from an effect"
NO_SPREAD = "the changes do not differ between units, so the error cannot be told"


def within_clusters(influence: Array, cluster: NDArray[np.int64], n_clusters: int) -> Array:
    """Sum contributions of units, shape (n,), within clusters, shape (C,)."""
    if n_clusters == len(influence):
        total = np.zeros(n_clusters)
        total[cluster] = influence
        return total
    summed: Array = np.bincount(cluster, weights=influence, minlength=n_clusters).astype(np.float64)
    return summed


def in_any(rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which columns of an array, shape (k, C), hold True in any row."""
    found: NDArray[np.bool_] = np.logical_or.reduce(rows, axis=0)
    return found


def standard_error(
    influence: Array, treated: NDArray[np.bool_], *, clustered: bool
) -> tuple[float, float]:
    """Return the standard error and degrees of freedom of one estimate.

    Parameters
    ----------
    influence : array, shape (C,)
        Contribution of each cluster to the estimate; the variance is the sum of squares.
    treated : array of bool, shape (C,)
        Clusters with a treated unit.
    clustered : bool
        Whether clusters were given. Then each side's sum of squares is multiplied by m / (m - 1),
        m its clusters; without, it is left as in R's `did`.

    Notes
    -----
    Degrees of freedom after Welch and Satterthwaite, from the two sides' parts of the variance.
    """
    parts, frees = [], []
    for side in (treated, ~treated):
        values = influence[side]
        m = int(np.count_nonzero(values))
        part = float(values @ values)
        if clustered and m > 1:
            part *= m / (m - 1)
        parts.append(part)
        frees.append(max(m - 1, 1))
    variance = sum(parts)
    if variance <= 0:
        return 0.0, 1.0
    df = variance**2 / sum(part**2 / free for part, free in zip(parts, frees, strict=True))
    return float(np.sqrt(variance)), float(df)


def covariance(influence: Array, treated: NDArray[np.bool_], *, clustered: bool) -> Array:
    """Covariance of k estimates, shape (k, k), from contributions of shape (k, C)."""
    if not clustered:
        return influence @ influence.T
    total = np.zeros((len(influence), len(influence)))
    for side in (treated, ~treated):
        m = int(side.sum())
        part = influence[:, side] @ influence[:, side].T
        total += part * (m / (m - 1) if m > 1 else 1.0)
    return total


def critical(level: float, df: float) -> float:
    """Two-sided critical value of Student's t."""
    return float(student.ppf(0.5 + level / 2, df))


def simultaneous(cov: Array, df: float, level: float, seed: int, draws: int) -> float:
    """Critical value with which all intervals of a family hold together.

    The multiplier bootstrap with normal multipliers, over clusters, makes draws that are normal
    with the covariance of the influence functions; so they are drawn from it at once, divided by
    a root of chi-square over its degrees of freedom for few clusters, and the quantile of the
    largest is taken (Callaway and Sant'Anna 2021, algorithm 1; Montiel Olea and Plagborg-Moller).
    """
    scale = np.sqrt(np.diag(cov))
    if len(scale) < 2 or (scale <= 0).any():
        return critical(level, df)
    values, vectors = np.linalg.eigh(cov / np.outer(scale, scale))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((draws, len(scale))) @ root.T
    largest = np.abs(normal).max(axis=1)
    if df < 1e6:
        largest /= np.sqrt(rng.chisquare(df, draws) / df)
    return max(float(np.quantile(largest, level)), critical(level, df))
