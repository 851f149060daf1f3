"""One random intercept: the exact optimum from sums over groups of one size.

All that the criterion depends on is the number of pupils of each group and sums over the groups of
one size, so that it costs the same for 50,000 schools as for 500.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from brightspots.insight.reml import Fit, NotIdentifiedError, Problem, at_the_top, solve

Array = NDArray[np.float64]


def fit_intercept(problem: Problem, *, reml: bool = True) -> Fit:
    """Fit one level with one random effect.

    The criterion is a function of the ratio g = Lambda^2 whose derivative W(g) is exact. As a
    function of Lambda it is even, so that Lambda = 0 is always stationary; in g it is not, and a
    zero is only reported where W(0) >= 0 and no other minimum lies lower.

    Raises
    ------
    NotIdentifiedError
        The criterion does not depend on g, or falls without end.
    """
    classes = _classes(problem)

    def at(g: float) -> tuple[float, float]:
        return _criterion_and_slope(problem, classes, g, reml)

    g = _minimum(at, _typical_ratio(problem))
    return solve(problem, (np.array([[math.sqrt(g)]]),), reml=reml)


@dataclass(frozen=True)
class _Classes:
    """Units with the same K, summed: all that the criterion of one random effect depends on.

    `K` and `count` have shape (C,), `squares` (sums of F'F) shape (C, k, k). With an intercept K is
    the number of pupils, so that there are a few hundred classes whatever the number of schools.
    """

    K: Array
    count: Array
    squares: Array


def _classes(problem: Problem) -> _Classes:
    F = problem.F[:, 0, :]
    K, first, count = np.unique(
        F[:, problem.levels[0].z[0]], return_inverse=True, return_counts=True
    )
    F = F[:, problem.kept]
    ordered = F[np.argsort(first, kind="stable")]
    ends = np.cumsum(count)
    parts = [ordered[end - n : end] for end, n in zip(ends, count, strict=True)]
    return _Classes(K, count.astype(float), np.array([part.T @ part for part in parts]))


def _criterion_and_slope(
    problem: Problem, classes: _Classes, g: float, reml: bool
) -> tuple[float, float]:
    """Criterion at the ratio g and its derivative W in g, from sums over classes.

    The same formulas as :func:`solve` and :func:`derivative` for one level and q = 1.
    """
    k = problem.p + 1
    M = 1 + g * classes.K
    squares = classes.squares.reshape(-1, k * k)
    S = problem.S[np.ix_(problem.kept, problem.kept)]
    T = S - ((g / M) @ squares).reshape(k, k)
    logdet = float(classes.count @ np.log(M))
    fit = at_the_top(T, problem.n, logdet, (), (), reml)
    middle = ((1 / M**2) @ squares).reshape(k, k)
    c = np.append(-fit.beta, 1.0)
    W = float(classes.count @ (classes.K / M)) - float(c @ middle @ c) / fit.sigma2
    if reml:
        W -= float(np.sum(fit.T_xx_inverse * middle[:-1, :-1]))
    return fit.criterion, W


def _typical_ratio(problem: Problem) -> float:
    """Return the ratio at which an average unit's effect has a reliability of one half."""
    K = problem.F[:, 0, problem.levels[0].z[0]]
    return float(1.0 / K.mean())


def _minimum(at: Callable[[float], tuple[float, float]], typical: float) -> float:
    """Search a grid in g, refine every minimum between its points by the derivative's root."""
    grid = [0.0, *(typical * np.logspace(-6, 8, 29))]
    criteria, slopes = zip(*(at(g) for g in grid), strict=True)
    if max(abs(g * slope) for g, slope in zip(grid, slopes, strict=True)) < 1e-7:
        raise NotIdentifiedError("flat")
    candidates = [(criteria[0], 0.0)] if slopes[0] >= 0 else []
    for left, right, falls, rises in zip(grid, grid[1:], slopes, slopes[1:], strict=False):
        if falls < 0 <= rises:
            root = brentq(lambda g: at(g)[1], left, right, xtol=typical * 1e-16, rtol=1e-14)
            candidates.append((at(root)[0], float(root)))
    if not candidates or (slopes[-1] < 0 and criteria[-1] < min(candidates)[0]):
        raise NotIdentifiedError("unbounded")
    return min(candidates)[1]
