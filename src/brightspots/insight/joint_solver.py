"""Exact REML and ML for several outcomes at once, with any pattern of missing outcomes.

    y_il = x_i' beta_l + u_sl (+ v_stl) + e_il,    cov(u_s) = Sigma_u, cov(v_st) = Sigma_v,
    cov(e_i) = Sigma_e, all unstructured; l = 1..k

A pupil whose outcomes o are there (pattern P) has e with covariance Sigma_oo. With
``W_P = Sigma_oo^-1`` padded with zeros, sums over the pupils of a cell (school, or school and year)
and pattern are all that is needed:

    X'V0^-1 X = sum W_P (x) X'X_P,   K_c = Z'V0^-1 Z = sum n_cP W_P,   F_c = Z'V0^-1 [X | y],
    log|V| = sum n_P log|Sigma_oo| + sum log|I + L'K L|,   cov = LL',

levels eliminated from the finest to the coarsest as in :mod:`brightspots.insight.reml`. With
``b_c`` the sum of the effects of a cell, ``D_c`` its covariance given the data and beta,
``M_i = I (x) x_i' - B_c`` (B_c maps X's columns to b_c) and r_i the residual,

    d criterion / d Sigma_e = sum over P of
        n_P W_P - W_P [sum over i in P of D_c + M_i T_xx^-1 M_i' + (r_i - b_c)(r_i - b_c)'] W_P.

Coefficients are ordered by outcome, then by term. Source of the criterion and of the gradient in
the covariances: Searle, Casella and McCulloch, Variance Components (1992), ch. 6; of outcomes that
are missing at random: Little and Rubin, Statistical Analysis with Missing Data (2019), ch. 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class PatternSums:
    """Sums over the pupils who have the same outcomes.

    Parameters
    ----------
    observed : ndarray of bool, shape (k,)
    cell : ndarray of int, shape (m,)
        Cells in which such pupils are, each once.
    n : ndarray, shape (m,)
    x : ndarray, shape (m, p)
    y : ndarray, shape (m, k)
        0 where the outcome is missing.
    S : ndarray, shape (p + k, p + k)
        Cross products of [X | Y] over all cells; 0 where an outcome is missing.
    """

    observed: NDArray[np.bool_]
    cell: Places
    n: Array
    x: Array
    y: Array
    S: Array

    @property
    def pupils(self) -> float:
        """Pupils with this pattern."""
        return float(self.n.sum())


@dataclass(frozen=True)
class JointSums:
    """All that the criterion depends on.

    Parameters
    ----------
    patterns : tuple of PatternSums
    p, k : int
        Columns of X, outcomes.
    cells, schools : int
        Cells are sorted by school.
    parent : ndarray of int, shape (cells,), or None
        School of each cell; None where cells are schools.
    """

    patterns: tuple[PatternSums, ...]
    p: int
    k: int
    cells: int
    schools: int
    parent: Places | None

    @property
    def n_values(self) -> int:
        """Outcomes observed, over all pupils."""
        return round(sum(part.pupils * int(part.observed.sum()) for part in self.patterns))


@dataclass(frozen=True)
class Factors:
    """Lower Cholesky factors of Sigma_u, Sigma_v (None without years) and Sigma_e; (k, k) each."""

    u: Array
    v: Array | None
    e: Array


@dataclass(frozen=True)
class LevelState:
    """One level after elimination: K, F under the finer level, P = L M^-1 L' (units first)."""

    K: Array
    F: Array
    P: Array


@dataclass(frozen=True)
class JointFit:
    """The model at given covariances.

    Parameters
    ----------
    beta : ndarray, shape (k p,)
    T_xx_inverse : ndarray, shape (k p, k p)
        cov(beta).
    school, cell : LevelState
        `cell` is None without years.
    B_school, B_cell : ndarray, shape (units, k, k p + 1)
        Predicted u, and u + v, for each column of [X | y]; the same without years.
    """

    factors: Factors
    criterion: float
    beta: Array
    T_xx_inverse: Array
    W: tuple[Array, ...]
    school: LevelState
    cell: LevelState | None
    B_school: Array
    B_cell: Array
    reml: bool


def _start(sums: JointSums, Sigma: Array) -> tuple[Array, Array, Array, float, tuple[Array, ...]]:
    """K and F of every cell, T at the pupils' level, log|V0| and the weights W_P."""
    p, k = sums.p, sums.k
    K, F = np.zeros((sums.cells, k, k)), np.zeros((sums.cells, k, k * p + 1))
    T = np.zeros((k * p + 1, k * p + 1))
    logdet, weights = 0.0, []
    for part in sums.patterns:
        seen = np.flatnonzero(part.observed)
        C = np.linalg.cholesky(Sigma[np.ix_(seen, seen)])
        W = np.zeros((k, k))
        W[np.ix_(seen, seen)] = cho_solve((C, True), np.eye(len(seen)))
        weights.append(W)
        logdet += 2 * part.pupils * float(np.log(np.diagonal(C)).sum())
        K[part.cell] += part.n[:, None, None] * W
        spread = W[None, :, :, None] * part.x[:, None, None, :]
        F[part.cell, :, :-1] += spread.reshape(len(part.cell), k, k * p)
        F[part.cell, :, -1] += part.y @ W
        XX, XY, YY = part.S[:p, :p], part.S[:p, p:], part.S[p:, p:]
        T[:-1, :-1] += np.kron(W, XX)
        T[:-1, -1] += (W @ XY.T).ravel()
        T[-1, -1] += float((W * YY).sum())
    T[-1, :-1] = T[:-1, -1]
    return K, F, T, logdet, tuple(weights)


def _eliminate(K: Array, F: Array, T: Array, L: Array) -> tuple[LevelState, Array, float]:
    """Eliminate one level; return its state, P F, and log|M|. T is changed in place."""
    M = np.eye(len(L)) + L.T @ K @ L
    C = np.linalg.cholesky(M)
    logdet = 2 * float(np.log(np.diagonal(C, axis1=1, axis2=2)).sum())
    half = np.linalg.solve(C, np.broadcast_to(L.T, C.shape))
    P = half.transpose(0, 2, 1) @ half
    R = (half @ F).reshape(-1, F.shape[2])
    T -= R.T @ R
    return LevelState(K, F, P), P @ F, logdet


def solve_joint(sums: JointSums, factors: Factors, *, reml: bool = True) -> JointFit:
    """Criterion, coefficients and predictions at given covariances.

    Raises
    ------
    numpy.linalg.LinAlgError
        Sigma_e is not positive definite, or X is rank deficient.
    """
    K, F, T, logdet, weights = _start(sums, factors.e @ factors.e.T)
    cell, PF = None, None
    if factors.v is not None and sums.parent is not None:
        cell, PF, more = _eliminate(K, F, T, factors.v)
        logdet += more
        first = np.flatnonzero(np.diff(sums.parent, prepend=-1))
        K, F = (
            np.add.reduceat(K - K @ cell.P @ K, first),
            np.add.reduceat(F - K @ PF, first),
        )
    school, B_school, more = _eliminate(K, F, T, factors.u)
    logdet += more
    B_cell = B_school
    if cell is not None and PF is not None and sums.parent is not None:
        B_cell = PF + _kept(cell) @ B_school[sums.parent]
    q = sums.k * sums.p
    factor = cho_factor(T[:q, :q], lower=True)
    beta = cho_solve(factor, T[:q, q])
    degrees = sums.n_values - q if reml else sums.n_values
    criterion = logdet + float(T[q, q] - T[q, :q] @ beta) + degrees * math.log(2 * math.pi)
    if reml:
        criterion += 2 * float(np.log(np.diagonal(factor[0])).sum())
    inverse = cho_solve(factor, np.eye(q))
    return JointFit(
        factors, criterion, beta, inverse, weights, school, cell, B_school, B_cell, reml
    )


def _kept(cell: LevelState) -> Array:
    """I - P K: the share of the school's effect that the cell's own effect does not take up."""
    kept: Array = np.eye(cell.K.shape[1]) - cell.P @ cell.K
    return kept


def posterior(sums: JointSums, fit: JointFit) -> Array:
    """Covariance of u + v of every cell given the data and beta, shape (cells, k, k)."""
    if fit.cell is None or sums.parent is None:
        return fit.school.P
    kept = _kept(fit.cell)
    found: Array = fit.cell.P + kept @ fit.school.P[sums.parent] @ kept.transpose(0, 2, 1)
    return found


def _effect_slope(fit: JointFit, K: Array, F: Array, B: Array, D: Array, half: Array) -> Array:
    """W of a level: sum of Q - H_x T_xx^-1 H_x' - hh', with H = F - K B, Q = K - K D K."""
    H = F - K @ B
    W: Array = (K - K @ D @ K).sum(axis=0)
    h = H[:, :, -1] - H[:, :, :-1] @ fit.beta
    W -= h.T @ h
    if fit.reml:
        scaled = H[:, :, :-1] @ half
        flat = scaled.transpose(1, 0, 2).reshape(W.shape[0], -1)
        W -= flat @ flat.T
    return W


def slopes(sums: JointSums, fit: JointFit) -> Factors:
    """Differentiate by Sigma_u, Sigma_v, Sigma_e: the criterion changes by tr(W dSigma)."""
    half: Array = np.linalg.cholesky(fit.T_xx_inverse).astype(np.float64)
    D = posterior(sums, fit)
    u = _effect_slope(fit, fit.school.K, fit.school.F, fit.B_school, fit.school.P, half)
    v = None
    if fit.cell is not None:
        v = _effect_slope(fit, fit.cell.K, fit.cell.F, fit.B_cell, D, half)
    return Factors(u, v, _residual_slope(sums, fit, D))


def _residual_slope(sums: JointSums, fit: JointFit, D: Array) -> Array:
    p, k = sums.p, sums.k
    coefficients = fit.beta.reshape(k, p)
    b = fit.B_cell[:, :, -1] - fit.B_cell[:, :, :-1] @ fit.beta
    squares = D + b[:, :, None] * b[:, None, :]
    N = None
    if fit.reml:
        B = fit.B_cell[:, :, :-1]
        N = (B @ fit.T_xx_inverse).reshape(-1, k, k, p)  # cell, row of B, outcome, term
        squares = squares + (B @ fit.T_xx_inverse) @ B.transpose(0, 2, 1)
    T4 = fit.T_xx_inverse.reshape(k, p, k, p)
    out = np.zeros((k, k))
    for part, W in zip(sums.patterns, fit.W, strict=True):
        XX, XY, YY = part.S[:p, :p], part.S[:p, p:], part.S[p:, p:]
        fitted = coefficients @ XY
        R = YY - fitted - fitted.T + coefficients @ XX @ coefficients.T
        left = part.y - part.x @ coefficients.T
        cross = left.T @ b[part.cell]
        inner = R - cross - cross.T + np.tensordot(part.n, squares[part.cell], axes=1)
        if N is not None:
            inner += np.einsum("lamb,ab->lm", T4, XX)
            mixed = np.einsum("ca,cmla->lm", part.x, N[part.cell], optimize=True)
            inner -= mixed + mixed.T
        out += part.pupils * W - W @ inner @ W
    return out


@dataclass(frozen=True)
class JointEffects:
    """Predicted u of every school: (J, k), (J, k, k) given beta, PEV (J, k, k), Sigma_u."""

    estimate: Array
    conditional: Array
    comparative: Array
    prior: Array


def school_effects(fit: JointFit) -> JointEffects:
    """EBLUP of u, its covariance given beta, and with the uncertainty of beta (PEV)."""
    B = fit.B_school[:, :, :-1]
    half = B @ np.linalg.cholesky(fit.T_xx_inverse)
    return JointEffects(
        fit.B_school[:, :, -1] - B @ fit.beta,
        fit.school.P,
        fit.school.P + half @ half.transpose(0, 2, 1),
        fit.factors.u @ fit.factors.u.T,
    )
