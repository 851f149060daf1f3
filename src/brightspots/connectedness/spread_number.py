"""The reproduction number: further adoptions an adopter, with an interval that few can carry.

Adopters pass on unequally, so counts are negative binomial: mean R, variance R + R^2 / k (Lloyd-
Smith et al. 2005, Nature 438:355). k is the same for all practices and known from all of them
together; each R has a prior of its own. Both are integrated on grids, so that there is an interval
even for two adopters, and it is wide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

__all__ = ["posterior_of_dispersion", "reproduction"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
R_GRID = np.geomspace(1e-4, 100.0, 600)
K_GRID = np.geomspace(0.05, 50.0, 40)
PRIOR_SHAPE, PRIOR_RATE = 0.5, 0.1


def _prior() -> Floats:
    """Log prior weight of each point of the grid: Gamma(0.5, rate 0.1), uniform steps of log R."""
    logs = PRIOR_SHAPE * np.log(R_GRID) - PRIOR_RATE * R_GRID
    weights: Floats = logs - logsumexp(logs)
    return weights


def _terms(k: Floats) -> tuple[Floats, Floats]:
    """Return what an adopter and an adoption add to the log likelihood, each of shape (k, R)."""
    r, k_ = R_GRID[None, :], k[:, None]
    return k_ * np.log(k_ / (k_ + r)), np.log(r / (k_ + r))


def _log_likelihood(passed: Ints, k: Floats, terms: tuple[Floats, Floats]) -> Floats:
    """Log likelihood of counts over both grids, shape (k, R), but for what depends on neither."""
    values, times = np.unique(passed, return_counts=True)
    own = (times[None, :] * (gammaln(values[None, :] + k[:, None]) - gammaln(k)[:, None])).sum(1)
    found: Floats = own[:, None] + len(passed) * terms[0] + int(passed.sum()) * terms[1]
    return found


def posterior_of_dispersion(samples: Sequence[Ints]) -> tuple[Floats, Floats]:
    """Return a grid of k and its posterior weights from all practices; flat prior in log k.

    The grid is refined once where the weight is, so that many counts do not fall on one point.

    Parameters
    ----------
    samples : sequence of arrays
        Adoptions passed on by each adopter that counts, an array a practice.
    """
    weight = _weights(samples, K_GRID)
    share = np.cumsum(weight)
    low = max(int(np.searchsorted(share, 1e-4)) - 1, 0)
    high = min(int(np.searchsorted(share, 1 - 1e-4)) + 1, len(K_GRID) - 1)
    finer = np.geomspace(K_GRID[low], K_GRID[high], len(K_GRID))
    return finer, _weights(samples, finer)


def _weights(samples: Sequence[Ints], k: Floats) -> Floats:
    logs, terms, prior = np.zeros(len(k)), _terms(k), _prior()[None, :]
    for passed in samples:
        if len(passed):
            logs += logsumexp(_log_likelihood(passed, k, terms) + prior, axis=1)
    weights: Floats = np.exp(logs - logsumexp(logs))
    return weights


def reproduction(
    samples: Sequence[Ints], k: Floats, weight: Floats, level: float = 0.95
) -> tuple[float, float, float, float] | None:
    """Return mean, lower and upper end, and the probability of more than 1; None without adopters.

    The mean is the plain mean of the counts. The interval has equal tails in the posterior; it
    begins at 0 where nothing was passed on.
    """
    passed = np.concatenate([np.zeros(0, dtype=np.int64), *samples])
    if not len(passed):
        return None
    logs = _log_likelihood(passed, k, _terms(k)) + _prior()[None, :]
    logs -= logsumexp(logs, axis=1)[:, None]  # p(R | k, counts)
    density = (np.exp(logs) * weight[:, None]).sum(axis=0)
    middle = np.cumsum(density) - density / 2
    tail = (1 - level) / 2
    lower, upper = (float(np.interp(q, middle, R_GRID)) for q in (tail, 1 - tail))
    mean = float(passed.mean())
    above = float(density[R_GRID > 1].sum())
    return mean, 0.0 if mean == 0 else min(lower, mean), max(upper, mean), above
