"""Exact REML and ML for schools over several years, from sums per school and year.

    y_ist = x_ist' beta + u_s + v_st + e_ist,   var(e) = sigma^2,
    cov(u + v of a school) = sigma^2 G,   G_tt' = g_u + g_v rho^|t - t'|   (0^0 = 1)

With rho = 0 years are exchangeable. Z'Z of a school is diag(n_st), so that with d = sqrt(n_s.),
F = d^-1 Z'A (A = [X | y]) and B = I + G o dd' = CC', both over the years,

    A'V^-1 A = sum within cells + sum (C^-1 F)'(C^-1 F),   log|V| = sum log|B|,
    Omega = Z'V^-1 Z = dd' o B^-1,   E = Z'V^-1 A = d B^-1 F.

A year without pupils has d = 0 and drops out by itself, which is how gaps and years to come are
handled. G is the same matrix for every school, so the criterion's gradient is one inner product
with ``W = sum Omega - E_x T_xx^-1 E_x' - ee'/sigma^2``, e = E (-beta, 1), whatever G's parameters.

Loops run over years, arrays over schools. Sources: Searle, Casella and McCulloch, Variance
Components (1992), ch. 6; Robinson 1991 (effects and their prediction error).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from brightspots.insight.reml import NotIdentifiedError

Array = NDArray[np.float64]

RHO_MOST = 0.99
"""Beyond, a drift fades so slowly (half of it in 69 years) that it cannot be told from lasting."""
_SMALL = 5_000
"""Up to this many schools the search starts from several places; it costs little there."""


@dataclass(frozen=True)
class Cells:
    """Sums per school and year, in units in which X and y have spread near 1.

    Parameters
    ----------
    root_n : ndarray, shape (T, J)
        Square root of the pupils (or of the sum of their weights); 0 where a school has none.
    F : ndarray, shape (T, J, k)
        Sums of A = [X | y] over the pupils, divided by `root_n`; 0 where there are none.
    within : ndarray, shape (k, k)
        Cross products of A within cells, summed over all cells.
    times : ndarray, shape (T,)
        Years as numbers.
    n : int
        Pupils.
    """

    root_n: Array
    F: Array
    within: Array
    times: Array
    n: int

    @property
    def p(self) -> int:
        """Columns of X."""
        return int(self.F.shape[2]) - 1


@dataclass(frozen=True)
class Theta:
    """Variances in units of sigma^2, and the correlation of v from one year to the next."""

    persistent: float
    yearly: float
    rho: float

    @property
    def total(self) -> float:
        """Variance of u + v."""
        return self.persistent + self.yearly

    def covariance(self, times: Array, others: Array) -> Array:
        """Cov(u + v at `times`, u + v at `others`)."""
        distance = np.abs(times[:, None] - others[None, :])
        found: Array = self.persistent + self.yearly * self.rho**distance
        return found


@dataclass(frozen=True)
class YearFit:
    """The model at given variances; C, E as above with schools as the last but one axis of E."""

    theta: Theta
    criterion: float
    beta: Array
    T_xx_inverse: Array
    sigma2: float
    C: Array
    E: Array
    reml: bool


@dataclass(frozen=True)
class YearEffects:
    """One effect a school: EBLUP, variance given beta, PEV, and the prior variance; (J,) each."""

    estimate: Array
    conditional: Array
    comparative: Array
    prior: float


def _cholesky(B: Array) -> Array:
    """Lower factors of (T, T, J) symmetric matrices; loops over T, vectors over J."""
    T = B.shape[0]
    C = np.zeros_like(B)
    for t in range(T):
        left = B[t:, t] - np.einsum("ilj,lj->ij", C[t:, :t], C[t, :t])
        C[t, t] = np.sqrt(left[0])
        C[t + 1 :, t] = left[1:] / C[t, t]
    return C


def _forward(C: Array, right: Array) -> Array:
    """C^-1 right, `right` of shape (T, J) or (T, J, columns)."""
    out = np.empty_like(right)
    wide = (...,) if right.ndim == 2 else (..., None)
    for t in range(C.shape[0]):
        rest = right[t].copy()
        for earlier in range(t):
            rest -= C[t, earlier][wide] * out[earlier]
        out[t] = rest / C[t, t][wide]
    return out


def _backward(C: Array, right: Array) -> Array:
    """C'^-1 right."""
    out = np.empty_like(right)
    wide = (...,) if right.ndim == 2 else (..., None)
    T = C.shape[0]
    for t in range(T - 1, -1, -1):
        rest = right[t].copy()
        for later in range(t + 1, T):
            rest -= C[later, t][wide] * out[later]
        out[t] = rest / C[t, t][wide]
    return out


def solve_years(cells: Cells, theta: Theta, *, reml: bool = True) -> YearFit:
    """Criterion, coefficients and sigma^2 at given variances.

    Raises
    ------
    NotIdentifiedError
        Nothing of the outcome is left.
    numpy.linalg.LinAlgError
        X is rank deficient; callers check that first and name the term.
    """
    p, d = cells.p, cells.root_n
    G = theta.covariance(cells.times, cells.times)
    B = G[:, :, None] * (d[:, None] * d[None])
    diagonal = np.arange(len(G))
    B[diagonal, diagonal] += 1.0
    C = _cholesky(B)
    R = _forward(C, cells.F)
    flat = R.reshape(-1, p + 1)
    T = cells.within + flat.T @ flat
    factor = cho_factor(T[:p, :p], lower=True)
    beta = cho_solve(factor, T[:p, p])
    r2 = float(T[p, p] - T[p, :p] @ beta)
    if r2 <= 0:
        raise NotIdentifiedError("residual")
    degrees = cells.n - p if reml else cells.n
    sigma2 = r2 / degrees
    criterion = 2 * float(np.log(C[diagonal, diagonal]).sum())
    criterion += degrees * (1 + math.log(2 * math.pi * sigma2))
    if reml:
        criterion += 2 * float(np.log(np.diagonal(factor[0])).sum())
    E = _backward(C, R) * d[..., None]
    return YearFit(theta, criterion, beta, cho_solve(factor, np.eye(p)), sigma2, C, E, reml)


def gradient(cells: Cells, fit: YearFit) -> Array:
    """Differentiate the criterion by g_u, g_v and rho."""
    d, T = cells.root_n, len(cells.times)
    own = np.broadcast_to(np.eye(T)[:, :, None], fit.C.shape)
    inverse = np.zeros_like(fit.C)
    for column in range(T):
        inverse[:, column] = _forward(fit.C, np.ascontiguousarray(own[:, column]))
    scaled = inverse * d[None]
    W = np.einsum("ltj,lsj->ts", scaled, scaled, optimize=True)
    e = fit.E[..., -1] - fit.E[..., :-1] @ fit.beta
    W -= e @ e.T / fit.sigma2
    if fit.reml:
        half = (fit.E[..., :-1] @ np.linalg.cholesky(fit.T_xx_inverse)).reshape(T, -1)
        W -= half @ half.T
    distance = np.abs(cells.times[:, None] - cells.times[None, :])
    rho, g_v = fit.theta.rho, fit.theta.yearly
    slope = np.where(distance > 0, distance * rho ** np.maximum(distance - 1, 0), 0.0)
    return np.array([W.sum(), (W * rho**distance).sum(), g_v * (W * slope).sum()])


def predict(cells: Cells, fit: YearFit, when: float | None = None) -> YearEffects:
    """Predict u (`when` None) or u + v of a year, also one that nobody has seen.

    With c the covariances of the effect with the school's seen years,
    estimate = c e, conditional = g - c Omega c', PEV adds (cE_x) T_xx^-1 (cE_x)'.
    """
    theta = fit.theta
    if when is None:
        prior, c = theta.persistent, np.full(len(cells.times), theta.persistent)
    else:
        prior = theta.total
        c = theta.covariance(np.array([when]), cells.times)[0]
    H = np.tensordot(c, fit.E, axes=1)
    known = _forward(fit.C, c[:, None] * cells.root_n)
    conditional = np.maximum(prior - (known**2).sum(axis=0), 0.0)
    doubt = ((H[:, :-1] @ fit.T_xx_inverse) * H[:, :-1]).sum(axis=1)
    return YearEffects(
        H[:, -1] - H[:, :-1] @ fit.beta,
        fit.sigma2 * conditional,
        fit.sigma2 * np.minimum(conditional + doubt, prior),
        fit.sigma2 * prior,
    )


def fit_years(cells: Cells, *, drift: bool, reml: bool = True, persistent: bool = True) -> YearFit:
    """Find the variances.

    The search runs over variances, not standard deviations, in which the criterion is even and 0
    always stationary: a variance of 0 is only returned where the criterion rises from there.
    `persistent` False holds g_u at 0, for testing it.

    Raises
    ------
    NotIdentifiedError
        "residual", "unbounded" (pupils of a school-year do not differ) or "flat".
    """
    search = _Search(cells, reml, _typical(cells))
    _refuse_flat(search)
    held = np.array([not persistent, False, not drift])
    best, best_value = None, math.inf
    for start in _starts(drift, persistent, len(cells.root_n[0])):
        bounds = [(0.0, 0.0 if hold else top) for hold, top in zip(held, _TOPS, strict=True)]
        answer = minimize(
            search,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 1e-12, "gtol": 1e-5, "maxiter": 100},
        )
        if answer.fun < best_value:
            best, best_value = np.asarray(answer.x, dtype=np.float64), float(answer.fun)
    if best is None:
        raise NotIdentifiedError("unbounded")
    if drift and best[1] <= 0:
        best[2] = 0.0  # nothing drifts; leave no number that means nothing
    polished = _polish(search, best, held)
    return solve_years(cells, search.theta(polished), reml=reml)


_TOPS = (math.inf, math.inf, RHO_MOST)


def _starts(drift: bool, persistent: bool, schools: int) -> list[Array]:
    u = 0.5 if persistent else 0.0
    if drift:
        rhos = (0.1, 0.5, 0.9) if schools <= _SMALL else (0.3, 0.8)
        starts = [np.array([u, 0.5, rho]) for rho in rhos]
    else:
        starts = [np.array([u, 0.5, 0.0])]
    if schools <= _SMALL and persistent:
        starts += [np.array([0.95, 0.05, starts[0][2]]), np.array([0.05, 0.95, starts[-1][2]])]
    return starts


@dataclass(frozen=True)
class _Search:
    """The criterion in (g_u / scale, g_v / scale, rho), with its gradient."""

    cells: Cells
    reml: bool
    scale: float

    def theta(self, x: Array) -> Theta:
        return Theta(float(x[0]) * self.scale, float(x[1]) * self.scale, float(x[2]))

    def __call__(self, x: Array) -> tuple[float, Array]:
        fit = solve_years(self.cells, self.theta(x), reml=self.reml)
        return fit.criterion, gradient(self.cells, fit) * [self.scale, self.scale, 1.0]


def _typical(cells: Cells) -> float:
    """Variance of u + v in units of sigma^2 by moments, at OLS; only its size matters."""
    p = cells.p
    total = cells.within + np.einsum("tja,tjb->ab", cells.F, cells.F, optimize=True)
    beta = np.linalg.lstsq(total[:p, :p], total[:p, p], rcond=None)[0]
    c = np.append(-beta, 1.0)
    filled = int((cells.root_n > 0).sum())
    free = np.linalg.lstsq(cells.within[:p, :p], cells.within[:p, p], rcond=None)[0]
    left = float(cells.within[p, p] - cells.within[p, :p] @ free)
    if left <= 1e-12 * total[p, p]:
        raise NotIdentifiedError("unbounded")
    inside = float(c @ cells.within @ c) / max(cells.n - filled, 1)
    between = float(((cells.F @ c) ** 2).sum()) / max(inside, 1e-300) - filled
    weight = float((cells.root_n**2).sum())
    return max(between / weight, 0.1 * filled / weight)


def _refuse_flat(search: _Search) -> None:
    """Refuse where the criterion does not depend on a variance: as many terms as schools."""
    slopes = [np.abs(search(np.array([x, x, 0.0]))[1][:2]) * x for x in (1e-3, 1.0, 1e3)]
    if (np.max(slopes, axis=0) < 1e-7).any():
        raise NotIdentifiedError("flat")


def _polish(search: _Search, start: Array, held: NDArray[np.bool_], rounds: int = 8) -> Array:
    """Newton steps on the parameters off their bounds, the Hessian from differences of slopes."""
    x: Array = start.copy()
    value, slope = search(x)
    for _ in range(rounds):
        at_top = x >= np.array(_TOPS) - 1e-12
        moves = ~held & ((x > 0) | (slope < 0)) & (~at_top | (slope > 0))
        if x[1] <= 0:
            moves[2] = False
        free = np.flatnonzero(moves)
        if free.size == 0 or np.abs(slope[free] * np.maximum(x[free], 1e-6)).max() < 1e-8:
            break
        step_to = _newton_step(search, x, slope, free)
        if step_to is None:
            break
        for shorter in (1.0, 0.5, 0.25, 0.1):
            move: Array = x.copy()
            move[free] = np.clip(x[free] - shorter * step_to, 0.0, np.array(_TOPS)[free])
            new_value, new_slope = search(move)
            if new_value <= value + 1e-10 * (1 + abs(value)):
                break
        else:
            break
        x, value, slope = move, new_value, new_slope
    return _snap(search, x, value)


def _newton_step(search: _Search, x: Array, slope: Array, free: NDArray[np.intp]) -> Array | None:
    hessian = np.empty((free.size, free.size))
    for column, place in enumerate(free):
        step = 1e-5 * max(x[place], 1e-2)
        moved = x.copy()
        moved[place] += -step if moved[place] + step > _TOPS[place] else step
        hessian[:, column] = (search(moved)[1] - slope)[free] / (moved[place] - x[place])
    symmetric: Array = (hessian + hessian.T) / 2
    if np.linalg.eigvalsh(symmetric)[0] <= 0:
        return None
    return np.asarray(np.linalg.solve(symmetric, slope[free]), dtype=np.float64)


def _snap(search: _Search, x: Array, value: float) -> Array:
    """Put a variance that is 0 but for rounding at 0, where the criterion does not mind."""
    for place in (0, 1):
        if 0 < x[place] < 1e-7 * (x[0] + x[1]):
            move = x.copy()
            move[place] = 0.0
            if search(move)[0] <= value + 1e-9:
                x = move
    return x
