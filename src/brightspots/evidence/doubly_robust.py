"""Effect on the treated from a change in the outcome, adjusted for covariates.

Sant'Anna and Zhao 2020, Journal of Econometrics 219:101: regression and doubly robust estimators
for panels, with their influence functions. Weighted logit and weighted least squares, as in R's
`DRDID` with `did`'s default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST_PROPENSITY = 0.999
"""At or above it a unit has nobody to be compared with (as in `did`)."""
TRIM = 0.995
"""Comparison units at or above it are left out (as in `DRDID`)."""
_STEPS = 50
_RANK = 1e-9

NOT_TOLD_APART = "the covariates cannot be told apart among the units to compare with"
NO_OVERLAP = "some treated units have no units like them to compare with"
NO_FIT = "the model of who is treated does not settle"


@dataclass(frozen=True)
class Effect:
    """An effect, and the contribution of each unit to it.

    Attributes
    ----------
    att : float
        NaN where there is none; `problem` says why.
    influence : array, shape (n,)
        Influence function divided by n: the variance is the sum of squares.
    problem : str
    """

    att: float
    influence: Array
    problem: str = ""


@dataclass(frozen=True)
class Propensity:
    """Probability of being treated, shape (n,), and the part of each unit in its coefficients."""

    score: Array
    representation: Array
    problem: str = ""


def effect(
    change: Array,
    treated: NDArray[np.bool_],
    weights: Array,
    X: Array | None,
    method: Literal["dr", "reg"] = "dr",
    propensity: Propensity | None = None,
) -> Effect:
    """Estimate the effect on the treated.

    Parameters
    ----------
    change : array, shape (n,)
        The outcome less what it was before.
    treated : array of bool, shape (n,)
    weights : array, shape (n,)
    X : array, shape (n, p), or None
        Covariates with a column of ones first; None for a plain difference in means.
    method : {"dr", "reg"}
    propensity : Propensity, optional
        From :func:`fit_propensity`, where it was fitted before.
    """
    if X is None or X.shape[1] == 1:
        return _difference(change, treated, weights)
    outcome = _regression(change, ~treated, weights, X)
    if outcome is None:
        return _none(len(change), NOT_TOLD_APART)
    fitted, representation = outcome
    if method == "reg":
        return _by_regression(change, treated, weights, X, fitted, representation)
    propensity = propensity or fit_propensity(treated, weights, X)
    if propensity.problem:
        return _none(len(change), propensity.problem)
    return _doubly_robust(change, treated, weights, X, fitted, representation, propensity)


def _none(n: int, problem: str) -> Effect:
    return Effect(float("nan"), np.zeros(n), problem)


def _difference(change: Array, treated: NDArray[np.bool_], weights: Array) -> Effect:
    influence = np.empty_like(change)
    means = []
    for side, sign in ((treated, 1.0), (~treated, -1.0)):
        w = weights[side]
        mean = float(w @ change[side] / w.sum())
        influence[side] = sign * w * (change[side] - mean) / w.sum()
        means.append(mean)
    return Effect(means[0] - means[1], influence)


def _regression(
    y: Array, used: NDArray[np.bool_], weights: Array, X: Array
) -> tuple[Array, Array] | None:
    """Fit among the used; return fitted values of all and the representation, both over all.

    None where the normal equations are singular.
    """
    n = len(y)
    Xu, w = X[used], weights[used]
    cross = (Xu * w[:, None]).T @ Xu / n
    if used.sum() <= X.shape[1] or not _regular(cross):
        return None
    inverse = np.linalg.inv(cross)
    beta = inverse @ ((Xu * w[:, None]).T @ y[used] / n)
    fitted = X @ beta
    representation = np.zeros_like(X)
    representation[used] = ((w * (y[used] - fitted[used]))[:, None] * Xu) @ inverse
    return fitted, representation


def _regular(cross: Array) -> bool:
    scale = np.sqrt(np.diag(cross))
    if (scale <= 0).any():
        return False
    return bool(np.linalg.eigvalsh(cross / np.outer(scale, scale))[0] > _RANK)


def fit_propensity(treated: NDArray[np.bool_], weights: Array, X: Array) -> Propensity:
    """Fit the logit of being treated on X by Newton's steps.

    Parameters
    ----------
    treated : array of bool, shape (n,)
    weights : array, shape (n,)
    X : array, shape (n, p)
    """
    n, p = X.shape
    D = treated.astype(np.float64)
    w = weights / weights.mean()
    beta = np.zeros(p)
    score = np.full(n, 0.5)
    nothing = np.zeros((0, p))
    share = float(w @ D) / n
    beta[0] = np.log(share / (1 - share))
    for _ in range(_STEPS):
        score = 1.0 / (1.0 + np.exp(-np.clip(X @ beta, -40.0, 40.0)))
        curve = (X * (w * score * (1 - score))[:, None]).T @ X / n
        if not _regular(curve):
            far = float(score[treated].max()) >= MOST_PROPENSITY
            return Propensity(score, nothing, NO_OVERLAP if far else NOT_TOLD_APART)
        step = np.linalg.solve(curve, X.T @ (w * (D - score)) / n)
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
        if float(np.abs(beta).max()) > 1e3:
            return Propensity(score, nothing, NO_OVERLAP)
    else:
        far = float(score[treated].max()) >= MOST_PROPENSITY
        return Propensity(score, nothing, NO_OVERLAP if far else NO_FIT)
    if float(score.max()) >= MOST_PROPENSITY:
        return Propensity(score, nothing, NO_OVERLAP)
    representation = ((w * (D - score))[:, None] * X) @ np.linalg.inv(curve)
    return Propensity(score, representation)


def _by_regression(
    change: Array, treated: NDArray[np.bool_], weights: Array, X: Array, fitted: Array,
    representation: Array,
) -> Effect:  # fmt: skip
    n = len(change)
    w = weights * treated
    size = float(w.mean())
    gain = change - fitted
    att = float((w * gain).mean()) / size
    # The treated are compared with what the fit foresees for them; the fit's own error comes in
    # through its coefficients.
    influence = (w * (gain - att) - representation @ (w @ X / n)) / size
    return Effect(att, influence / n)


def _doubly_robust(
    change: Array, treated: NDArray[np.bool_], weights: Array, X: Array, fitted: Array,
    representation: Array, propensity: Propensity,
) -> Effect:  # fmt: skip
    n = len(change)
    score = np.minimum(propensity.score, 1 - 1e-6)
    kept = treated | (score < TRIM)
    rest = change - fitted
    w1 = weights * treated
    w0 = np.where(treated | ~kept, 0.0, weights * score / (1 - score))
    size1, size0 = float(w1.mean()), float(w0.mean())
    if size0 <= 0:
        return _none(n, NO_OVERLAP)
    gain1, gain0 = float((w1 * rest).mean()) / size1, float((w0 * rest).mean()) / size0
    of_fit1, of_fit0 = w1 @ X / n, w0 @ X / n
    of_score = (w0 * (rest - gain0)) @ X / n
    side1 = (w1 * (rest - gain1) - representation @ of_fit1) / size1
    side0 = (
        w0 * (rest - gain0) + propensity.representation @ of_score - representation @ of_fit0
    ) / size0
    return Effect(gain1 - gain0, (side1 - side0) / n)
