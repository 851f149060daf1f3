"""Exact REML for nested random intercepts over rows with known sampling variance.

    y_i = x_i' beta + u_{top(i)} + ... + u_{g(i)} + v_i + e_i,    var(e_i) = s2_i known

Rows lie in groups, groups in coarser groups. Level 0 is the row itself (v). Value added from school
figures (row = school-year, group = school) and the split of variance over regions, councils and
schools are both this model; nothing here knows about schools.

Every level is a rank-one change a group (Sherman-Morrison), so one evaluation costs O(rows) and no
matrix larger than p x p is formed. With A = [X | y], w_i = 1 / (s2_i + var_0) and, for a group g of
level k, K_g = 1'V^-1 1 and F_g = 1'V^-1 A over its rows under all finer levels:

    d_g = 1 + var_k K_g,  log|V| += log d_g,  A'V^-1 A -= var_k F_g F_g' / d_g,
    K and F of the next level = sums of K_g / d_g and F_g / d_g.

A downward pass gives, for each group, the posterior mean and variance of the sum of its own and
all coarser effects, and with these H = Z'V^-1 A and Q = diag(Z'V^-1 Z) under the full V: all that
the gradient, the effects and their standard errors need.

Sources: Searle, Casella and McCulloch, Variance Components (1992), ch. 6 and 7; Fay and Herriot
1979; Rao and Molina, Small Area Estimation (2015), ch. 6 and 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import brentq, minimize
from scipy.stats import chi2, norm

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_GRID = 48
"""Points at which the slope is looked at before the exact one-dimensional solve."""
_GRID_LARGE = 12
"""The same in large data, where the criterion is close to a parabola."""
_NARROW = 4
_SMALL = 5_000
"""Up to this many rows the search starts from several places; it costs nothing there."""


@dataclass(frozen=True)
class Nest:
    """Rows, their known sampling variances and the groups they lie in.

    Parameters
    ----------
    A : array (n, p + 1)
        Design with the outcome as last column.
    s2 : array (n,)
        Known sampling variances, not negative.
    parents : sequence of arrays
        ``parents[0]`` (n,) gives the level-1 group of each row, ``parents[1]`` the level-2 group of
        each level-1 group, and so on; groups are numbered from 0 without gaps. May be empty.
    """

    A: Floats
    s2: Floats
    parents: tuple[Integers, ...] = ()

    @property
    def levels(self) -> int:
        """Number of variance components, level 0 (the row) included."""
        return 1 + len(self.parents)

    @cached_property
    def adders(self) -> tuple[sparse.csr_array, ...]:
        """By level, the 0/1 matrix that sums members into groups, always in row order."""
        return tuple(
            sparse.csr_array(
                (np.ones(len(parent)), (parent, np.arange(len(parent)))),
                shape=(int(parent.max()) + 1, len(parent)),
            )
            for parent in self.parents
        )


@dataclass(frozen=True)
class LevelEffects:
    """What is known of the units of one level, the outcome's own units throughout.

    `estimate` is the EBLUP, `cond_var` its variance given beta, `pev` its prediction error variance
    with the uncertainty of beta, `prior` the variance component(s) it was shrunken with.
    """

    estimate: Floats
    cond_var: Floats
    pev: Floats
    prior: float

    def columns(self, confidence: float = 0.95) -> dict[str, Floats]:
        """Estimates and their errors as every table of effects has them."""
        z = float(norm.ppf(0.5 + confidence / 2))
        se = np.sqrt(self.pev)
        known = self.prior > 0
        return {
            "estimate": self.estimate,
            "cond_sd": np.sqrt(self.cond_var),
            "se_comparative": se,
            "se_diagnostic": np.sqrt(np.maximum(self.prior - self.pev, 0.0)),
            "lower": self.estimate - z * se,
            "upper": self.estimate + z * se,
            "reliability": 1 - self.pev / self.prior if known else np.zeros_like(self.pev),
        }


@dataclass(frozen=True)
class NestedFit:
    """REML estimates: `variances` by level (0 = row), `beta`, `V_beta`, the criterion."""

    variances: Floats
    beta: Floats
    V_beta: Floats
    criterion: float
    gradient: Floats
    n: int


@dataclass(frozen=True)
class _Pass:
    """One evaluation: upward sums, downward posteriors."""

    w: Floats
    K: tuple[Floats, ...]
    F: tuple[Floats, ...]
    d: tuple[Floats, ...]
    E: tuple[Floats, ...]
    C: tuple[Floats, ...]
    T: Floats
    logdet: float


def _gram(a: Floats, b: Floats) -> Floats:
    """a'b; narrow ones without BLAS, whose threads cost more than they give there."""
    if a.shape[1] <= _NARROW:
        return np.asarray(np.einsum("ij,ik->jk", a, b), dtype=np.float64)
    return np.asarray(a.T @ b, dtype=np.float64)


def _sweep(nest: Nest, variances: Floats) -> _Pass:
    A, w = nest.A, 1.0 / (nest.s2 + variances[0])
    wA = A * w[:, None]
    T, logdet = _gram(A, wA), -float(np.log(w).sum())
    K: list[Floats] = []
    F: list[Floats] = []
    d: list[Floats] = []
    k_in, f_in = w, wA
    for level, adder in enumerate(nest.adders, start=1):
        k, f = adder @ k_in, adder @ f_in
        scale = 1.0 + variances[level] * k
        T = T - variances[level] * _gram(f, f / scale[:, None])
        logdet += float(np.log(scale).sum())
        K.append(k)
        F.append(f)
        d.append(scale)
        k_in, f_in = k / scale, f / scale[:, None]
    # Downward: E, C = posterior mean (as a linear map of A) and variance of own + coarser effects.
    E: list[Floats] = []
    C: list[Floats] = []
    for level in range(len(nest.parents), 0, -1):
        e = variances[level] * F[level - 1] / d[level - 1][:, None]
        c = variances[level] / d[level - 1]
        if E:
            above = nest.parents[level]
            e = e + E[-1][above] / d[level - 1][:, None]
            c = c + C[-1][above] / d[level - 1] ** 2
        E.append(e)
        C.append(c)
    return _Pass(w, tuple(K), tuple(F), tuple(d), tuple(E[::-1]), tuple(C[::-1]), T, logdet)


def _solve(T: Floats) -> tuple[Floats, Floats, float]:
    """Give beta, (X'V^-1 X)^-1 and the residual quadratic form from T = A'V^-1 A."""
    inverse = np.asarray(np.linalg.inv(T[:-1, :-1]), dtype=np.float64)
    beta = inverse @ T[:-1, -1]
    return beta, inverse, float(T[-1, -1] - T[:-1, -1] @ beta)


def _level_maps(nest: Nest, sweep: _Pass, level: int) -> tuple[Floats, Floats]:
    """H = Z'V^-1 A and Q = diag(Z'V^-1 Z) of one level under the full V."""
    if level == 0:
        k, f = sweep.w, nest.A * sweep.w[:, None]
    else:
        scale = sweep.d[level - 1]
        k, f = sweep.K[level - 1] / scale, sweep.F[level - 1] / scale[:, None]
    if level == len(nest.parents):
        return f, k
    above = nest.parents[level]
    e, c = sweep.E[level][above], sweep.C[level][above]
    return f - k[:, None] * e, k - k**2 * c


def reml_criterion(variances: Floats, nest: Nest) -> tuple[float, Floats]:
    """-2 log restricted likelihood and its gradient with respect to the variances.

    Formula: log|V| + log|X'V^-1 X| + r'V^-1 r + (n - p) log 2 pi, as lme4 reports it with fixed
    residual weights; gradient tr(P Z_k Z_k') - y'P Z_k Z_k'P y.
    """
    sweep = _sweep(nest, variances)
    beta, inverse, quadratic = _solve(sweep.T)
    n, p = nest.A.shape[0], nest.A.shape[1] - 1
    logdet_x = float(np.linalg.slogdet(sweep.T[:-1, :-1])[1])
    criterion = sweep.logdet + logdet_x + quadratic + (n - p) * float(np.log(2 * np.pi))
    contrast = np.append(-beta, 1.0)
    gradient = np.empty(nest.levels)
    for level in range(nest.levels):
        H, Q = _level_maps(nest, sweep, level)
        HH = _gram(H, H)
        gradient[level] = Q.sum() - (inverse * HH[:-1, :-1]).sum() - contrast @ HH @ contrast
    return criterion, gradient


def _exact_1d(nest: Nest, floor: float, ceiling: float) -> Floats:
    """All stationary points between floor and ceiling by sign changes of the slope; keep the best.

    The restricted likelihood of a Fay-Herriot model may have more than one maximum in small data,
    so the slope is looked at on a grid first.
    """

    def slope(variance: float) -> float:
        return float(reml_criterion(np.array([variance]), nest)[1][0])

    points = _GRID if len(nest.s2) <= _SMALL else _GRID_LARGE
    grid = np.concatenate([[floor], np.geomspace(max(floor, 1e-8) * 1.0001, ceiling, points)])
    slopes = [slope(v) for v in grid]
    found = [floor] if slopes[0] >= 0 else []
    for a, b, left, right in zip(grid[:-1], grid[1:], slopes[:-1], slopes[1:], strict=True):
        if left < 0 <= right:
            found.append(float(brentq(slope, a, b, xtol=1e-15, rtol=1e-14)))
    if not found:
        found = [float(ceiling)]
    values = [reml_criterion(np.array([v]), nest)[0] for v in found]
    return np.array([found[int(np.argmin(values))]])


def _polish(
    nest: Nest,
    start: Floats,
    floors: Floats,
    rounds: int = 6,
    tolerance: float = 1e-9,
    held: int | None = None,
) -> tuple[Floats, float]:
    """Newton steps on the components off the boundary, the Hessian from differences of slopes.

    `held` keeps one component where it is. Returns the variances and the criterion there.
    """
    theta = start.copy()
    value, gradient = reml_criterion(theta, nest)
    for _ in range(rounds):
        moves = (theta > floors) | (gradient < 0)
        if held is not None:
            moves[held] = False
        free = np.flatnonzero(moves)
        slope = np.abs(gradient[free] * np.maximum(theta[free], 1e-6))
        if free.size == 0 or slope.max() < tolerance:
            break
        hessian = np.empty((free.size, free.size))
        for column, k in enumerate(free):
            step = 1e-5 * max(theta[k], 1e-4)
            up = theta.copy()
            up[k] += step
            hessian[:, column] = (reml_criterion(up, nest)[1] - gradient)[free] / step
        hessian = (hessian + hessian.T) / 2
        if np.linalg.eigvalsh(hessian)[0] <= 0:
            break
        step_to = np.linalg.solve(hessian, gradient[free])
        for shorter in (1.0, 0.5, 0.25, 0.1):
            move = theta.copy()
            move[free] = np.maximum(theta[free] - shorter * step_to, floors[free])
            new_value, new_gradient = reml_criterion(move, nest)
            if new_value <= value + 1e-9 * (1 + abs(value)):
                break
        else:
            break
        theta, value, gradient = move, new_value, new_gradient
    return theta, value


def fit_nested(nest: Nest, start: Floats | None = None) -> NestedFit:
    """REML estimates of the variance components and beta.

    Parameters
    ----------
    nest : Nest
        The rows. X must have full column rank and fewer columns than rows.
    start : array (levels,), optional
        A near solution; only Newton steps are taken from there (for bootstrap refits).

    Returns
    -------
    NestedFit
        A component at its boundary is exactly 0 (the criterion's slope there is not negative).

    Notes
    -----
    The search runs over variances, not standard deviations: the criterion is even in the standard
    deviation, so 0 would always be stationary; in the variance a true boundary shows by its slope.
    """
    X, y = nest.A[:, :-1], nest.A[:, -1]
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    degrees = max(len(y) - X.shape[1], 1)
    scale = float(np.sqrt(max(residual @ residual / degrees, np.finfo(float).tiny)))
    A = nest.A.copy()
    A[:, -1] = residual / scale  # REML does not see X beta; the residual loses fewer digits
    scaled = Nest(A, nest.s2 / scale**2, nest.parents)
    # A row known without error needs some variance of its own, or V would be singular.
    floors = np.zeros(nest.levels)
    floors[0] = 1e-9 if (scaled.s2 <= 1e-12).any() else 0.0
    if start is not None:
        theta, _ = _polish(scaled, np.maximum(start / scale**2, floors), floors, 4, 1e-3)
    elif nest.levels == 1:
        theta = _exact_1d(scaled, floors[0], 20.0)
    else:
        theta = _search(scaled, floors)
    _, gradient = reml_criterion(theta, scaled)
    theta = np.where(theta <= np.maximum(floors, 1e-9), 0.0, theta)
    return _finish(nest, theta * scale**2, scale, gradient)


def _search(scaled: Nest, floors: Floats) -> Floats:
    levels = scaled.levels
    spare = max(1.0 - float(scaled.s2.mean()), 0.1)
    starts = [np.full(levels, spare / levels)]
    if len(scaled.s2) <= _SMALL:
        for k in range(levels):
            lean = np.full(levels, 0.05 * spare)
            lean[k] = 0.9 * spare
            starts.append(lean)
    best, best_value = starts[0], np.inf
    for begin in starts:
        answer = minimize(
            reml_criterion,
            begin,
            args=(scaled,),
            jac=True,
            method="L-BFGS-B",
            bounds=[(floor, 50.0) for floor in floors],
            options={"ftol": 1e-13, "gtol": 1e-6, "maxiter": 200},
        )
        if answer.fun < best_value:
            best, best_value = np.asarray(answer.x), float(answer.fun)
    return _polish(scaled, best, floors)[0]


def profile_interval(
    nest: Nest, fit: NestedFit, level: int, confidence: float
) -> tuple[float, float]:
    """Interval of one variance by its profile restricted likelihood.

    The values v for which the criterion, minimised over the other components, lies less than the
    chi-square quantile (1 df) above its minimum. Starts at 0 where 0 is among them.
    """
    scale = float(fit.variances.sum() + nest.s2.mean())
    A = nest.A.copy()
    A[:, -1] = (A[:, -1] - A[:, :-1] @ fit.beta) / np.sqrt(scale)
    scaled = Nest(A, nest.s2 / scale, nest.parents)
    floors = np.zeros(nest.levels)
    floors[0] = 1e-9 if (scaled.s2 <= 1e-12).any() else 0.0
    best = np.maximum(fit.variances / scale, floors)
    base = reml_criterion(best, scaled)[0]
    allowed = float(chi2.ppf(confidence, 1))

    def rise(variance: float) -> float:
        begin = best.copy()
        begin[level] = variance
        return _polish(scaled, begin, floors, 8, 1e-3, level)[1] - base - allowed

    centre, floor = float(best[level]), float(floors[level])
    lower = 0.0
    if centre > floor and rise(floor) > 0:
        lower = float(brentq(rise, floor, centre, xtol=1e-8, rtol=1e-4))
    top = max(2 * centre, 1e-3)
    while rise(top) < 0 and top < 1e4:
        top *= 2
    if top >= 1e4:
        return lower * scale, float("inf")
    return lower * scale, float(brentq(rise, max(centre, floor), top, xtol=1e-8, rtol=1e-4)) * scale


def _finish(nest: Nest, variances: Floats, scale: float, gradient: Floats) -> NestedFit:
    usable = variances.copy()
    if ((nest.s2 + usable[0]) <= 0).any():
        usable[0] = 1e-9 * scale**2
    sweep = _sweep(nest, usable)
    beta, inverse, _ = _solve(sweep.T)
    criterion, _ = reml_criterion(usable, nest)
    return NestedFit(usable, beta, inverse, criterion, gradient / scale**2, nest.A.shape[0])


def effects(nest: Nest, fit: NestedFit, level: int) -> LevelEffects:
    """Effects of one level's units: u = var H (y - X beta), PEV = G - G Z'PZ G.

    Comparative variance = PEV, diagnostic variance = G - PEV, reliability = 1 - PEV / G.
    """
    sweep = _sweep(nest, fit.variances)
    H, Q = _level_maps(nest, sweep, level)
    prior = float(fit.variances[level])
    cond_var = np.maximum(prior - prior**2 * Q, 0.0)
    doubt = ((H[:, :-1] @ fit.V_beta) * H[:, :-1]).sum(axis=1)
    estimate = prior * (H @ np.append(-fit.beta, 1.0))
    return LevelEffects(estimate, cond_var, np.minimum(cond_var + prior**2 * doubt, prior), prior)


def row_totals(nest: Nest, fit: NestedFit) -> LevelEffects:
    """Sum of a row's own and all its groups' effects, with its uncertainty."""
    sweep = _sweep(nest, fit.variances)
    own = float(fit.variances[0])
    share = nest.s2 * sweep.w
    E = own * nest.A * sweep.w[:, None]
    C = own * share
    if nest.parents:
        E = E + sweep.E[0][nest.parents[0]] * share[:, None]
        C = C + sweep.C[0][nest.parents[0]] * share**2
    doubt = ((E[:, :-1] @ fit.V_beta) * E[:, :-1]).sum(axis=1)
    prior = float(fit.variances.sum())
    estimate = E @ np.append(-fit.beta, 1.0)
    return LevelEffects(estimate, C, np.minimum(C + doubt, prior), prior)


def nest_of(columns: Sequence[Integers]) -> tuple[Integers, ...]:
    """Turn row-wise group numbers, finest first, into parents of each level.

    A coarser group is read off the first row of each finer group: the caller has checked that
    groups are nested.
    """
    parents: list[Integers] = []
    first: Integers | None = None
    for column in columns:
        at_level = column if first is None else column[first]
        parents.append(at_level.astype(np.int64))
        _, first = np.unique(column, return_index=True)
    return tuple(parents)
