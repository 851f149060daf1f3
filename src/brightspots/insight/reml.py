"""Exact REML and ML for nested random effects from cross products.

The model is ``y = X beta + sum over levels of Z b + e`` with ``Z`` made of columns of
``A = [X | E | y]``, ``cov(b) = sigma^2 Lambda Lambda'`` and Lambda lower triangular (lme4's theta).
Levels are eliminated from the finest to the coarsest; with F = Z'V^-1 A and K = Z'V^-1 Z of a unit
under the levels below it,

    M = I + Lambda' K Lambda = C C',   R = C^-1 Lambda' F,   S <- S - R'R,   logdet += log|M|

and at the top ``T = A'V^-1 A`` (units of sigma^2) gives everything. Bates et al. 2015
(doi 10.18637/jss.v067.i01) section 3 has the criterion; the recursion is block elimination.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Array = NDArray[np.float64]


class NotIdentifiedError(Exception):
    """The data cannot tell the variance between units from the rest."""


class System(Protocol):
    """What the search for the best Lambdas needs to know of a model; one Lambda a grouping."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Random effects a unit, by grouping."""

    def solve(self, Lambdas: tuple[Array, ...], *, reml: bool = True) -> Fit:
        """Criterion, coefficients and sigma^2 at given Lambdas."""

    def derivatives(self, fit: Fit) -> tuple[Array, ...]:
        """W of every grouping, see :func:`derivative`."""

    def effects(self, fit: Fit, place: int) -> Effects:
        """Predicted effects of one grouping."""

    def typical(self, place: int) -> Array:
        """Mean of the diagonal of Z'Z over the units of a grouping, shape (q,)."""


@dataclass(frozen=True)
class Level:
    """One level of grouping.

    Parameters
    ----------
    z : tuple of int
        Columns of A with a random effect at this level; q of them.
    parent : ndarray of int, shape (J,), or None
        The unit of the next coarser level to which each unit belongs; None at the top.
    n_units : int
    """

    z: tuple[int, ...]
    parent: NDArray[np.intp] | None
    n_units: int

    @property
    def q(self) -> int:
        """Random effects a unit."""
        return len(self.z)

    @cached_property
    def by_parent(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Units in the order of their parents, and where each parent's begin."""
        parent = np.zeros(self.n_units, dtype=np.intp) if self.parent is None else self.parent
        order = np.argsort(parent, kind="stable")
        return order, np.flatnonzero(np.diff(parent[order], prepend=-1))


@dataclass(frozen=True)
class Problem:
    """Cross products of ``A = [X | E | y]`` in groups that lie within each other.

    Parameters
    ----------
    F : ndarray, shape (J, q, k)
        ``Z'A`` of every unit of the finest level.
    S : ndarray, shape (k, k), or (J2, k, k) under a second level
        ``A'A`` summed over the units of the finest level that have the same parent.
    levels : tuple of Level
        Finest first.
    n : int
        Rows.
    extra : int
        Columns of E: they have a random effect and are not in X.
    """

    F: Array
    S: Array
    levels: tuple[Level, ...]
    n: int
    extra: int = 0

    @property
    def p(self) -> int:
        """Columns of X."""
        return int(self.F.shape[2]) - 1 - self.extra

    @property
    def kept(self) -> list[int]:
        """Places of X and y among the columns of A."""
        return [*range(self.p), int(self.F.shape[2]) - 1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Random effects a unit, by level."""
        return tuple(level.q for level in self.levels)

    def solve(self, Lambdas: tuple[Array, ...], *, reml: bool = True) -> Fit:
        """See :func:`solve`."""
        return solve(self, Lambdas, reml=reml)

    def derivatives(self, fit: Fit) -> tuple[Array, ...]:
        """See :func:`derivative`."""
        return tuple(derivative(self, fit, level) for level in range(len(self.levels)))

    def effects(self, fit: Fit, place: int) -> Effects:
        """See :func:`effects`."""
        return effects(self, fit, place)

    def typical(self, place: int) -> Array:
        """Mean of the diagonal of Z'Z over the units of a level, shape (q,)."""
        z = list(self.levels[place].z)
        S = self.S if self.S.ndim == 2 else self.S.sum(axis=0)
        found: Array = np.diagonal(S)[z] / self.levels[place].n_units
        return found


@dataclass(frozen=True)
class Eliminated:
    """What one level leaves: F and K before it was eliminated, and P = Lambda M^-1 Lambda'."""

    F: Array
    K: Array
    P: Array


@dataclass(frozen=True)
class Fit:
    """A solution at given Lambda.

    Parameters
    ----------
    Lambdas : tuple of ndarray, shape (q, q)
    T : ndarray, shape (k, k)
        ``A'V^-1 A`` in units of sigma^2.
    beta : ndarray, shape (p,)
    T_xx_inverse : ndarray, shape (p, p)
        ``cov(beta) / sigma^2``.
    sigma2 : float
    criterion : float
        -2 restricted log-likelihood (REML) or -2 log-likelihood (ML).
    eliminated : tuple of Eliminated
    reml : bool
    """

    Lambdas: tuple[Array, ...]
    T: Array
    beta: Array
    T_xx_inverse: Array
    sigma2: float
    criterion: float
    eliminated: tuple[Eliminated, ...]
    reml: bool


def solve(problem: Problem, Lambdas: tuple[Array, ...], *, reml: bool = True) -> Fit:
    """Criterion, coefficients and sigma^2 at given Lambda.

    Raises
    ------
    numpy.linalg.LinAlgError
        X is rank deficient; callers check that first and name the term.
    """
    F, S = problem.F, problem.S
    logdet = 0.0
    eliminated = []
    for place, (level, Lambda) in enumerate(zip(problem.levels, Lambdas, strict=True)):
        if place:
            F = S[:, list(level.z), :]
            S = _sum_within(S, level)
        K = F[:, :, list(level.z)]
        M = np.eye(level.q) + Lambda.T @ K @ Lambda
        C = np.linalg.cholesky(M)
        C_inverse = 1 / C if level.q == 1 else np.linalg.inv(C)
        R = C_inverse @ (Lambda.T @ F)
        logdet += 2 * float(np.log(np.diagonal(C, axis1=1, axis2=2)).sum())
        S = S - _sum_of_squares(R, level)
        half = C_inverse @ Lambda.T
        eliminated.append(Eliminated(F, K, half.transpose(0, 2, 1) @ half))
    T = S[0] if S.ndim == 3 else S
    T = T[np.ix_(problem.kept, problem.kept)]
    return at_the_top(T, problem.n, logdet, Lambdas, tuple(eliminated), reml)


def _sum_within(S: Array, level: Level) -> Array:
    if level.parent is None:
        total: Array = S.sum(axis=0)
        return total
    order, starts = level.by_parent
    if len(starts) == len(order):  # each parent has one unit: two groupings of the same schools
        alone: Array = S[order]
        return alone
    summed: Array = np.add.reduceat(S[order], starts, axis=0)
    return summed


def _sum_of_squares(R: Array, level: Level) -> Array:
    """R'R of every unit, summed within the parent."""
    if level.parent is None:
        flat = R.reshape(-1, R.shape[2])
        return flat.T @ flat
    return _sum_within(R.transpose(0, 2, 1) @ R, level)


def at_the_top(
    T: Array,
    n: int,
    logdet: float,
    Lambdas: tuple[Array, ...],
    eliminated: tuple[Eliminated, ...],
    reml: bool,
) -> Fit:
    """Fit from ``T = A'V^-1 A`` of X and y, and ``logdet = log|V|``, in units of sigma^2."""
    p = len(T) - 1
    factor = cho_factor(T[:p, :p], lower=True)
    beta = cho_solve(factor, T[:p, p])
    r2 = float(T[p, p] - T[p, :p] @ beta)
    degrees = n - p if reml else n
    if r2 <= 0:
        raise NotIdentifiedError("residual")
    sigma2 = r2 / degrees
    criterion = logdet + degrees * (1 + math.log(2 * math.pi * sigma2))
    if reml:
        criterion += 2 * float(np.log(np.diagonal(factor[0])).sum())
    inverse: Array = cho_solve(factor, np.eye(p))
    return Fit(Lambdas, T, beta, inverse, sigma2, criterion, eliminated, reml)


def under_full_covariance(problem: Problem, fit: Fit, level: int) -> tuple[Array, Array]:
    """H = Z'V^-1 A, shape (J, q, k), and Q = Z'V^-1 Z, shape (J, q, q), of every unit of a level.

    V in units of sigma^2 and with every level in it.
    """
    own = fit.eliminated[level]
    H = own.F - own.K @ own.P @ own.F
    Q = own.K - own.K @ own.P @ own.K
    parent = problem.levels[level].parent
    for coarser in range(level + 1, len(problem.levels)):
        if parent is None:
            raise ValueError("only the coarsest level has no parent")
        above = fit.eliminated[coarser]
        H_z = H[:, :, list(problem.levels[coarser].z)]
        weighted = H_z @ above.P[parent]
        H = H - weighted @ above.F[parent]
        Q = Q - weighted @ H_z.transpose(0, 2, 1)
        further = problem.levels[coarser].parent
        parent = None if further is None else further[parent]
    return H, Q


def derivative(problem: Problem, fit: Fit, level: int) -> Array:
    """W, shape (q, q): the criterion changes by tr(W dG) with G = Lambda Lambda' of a level.

    ``W = sum of Q - H_x T_xx^-1 H_x' - h h'/sigma^2`` with ``h = H (-beta, 1)``; the gradient in
    Lambda is ``2 W Lambda``. ML has no middle term.
    """
    H, Q = under_full_covariance(problem, fit, level)
    return derivative_of(H[:, :, problem.kept], Q.sum(axis=0), fit)


def derivative_of(H: Array, Q: Array, fit: Fit) -> Array:
    """W from H = Z'V^-1 [X | y] of every unit, shape (J, q, p + 1), and the sum of Z'V^-1 Z."""
    h = _residual(H, fit)
    W: Array = Q - np.einsum("ji,jl->il", h, h) / fit.sigma2
    if fit.reml:
        J, q, p = H.shape[0], H.shape[1], H.shape[2] - 1
        H_x = H[:, :, :-1].reshape(J, q * p)
        products = (H_x.T @ H_x).reshape(q, p, q, p)
        W = W - np.einsum("ialb,ab->il", products, fit.T_xx_inverse)
    return W


def _residual(H: Array, fit: Fit) -> Array:
    """Z'V^-1 (y - X beta) of every unit, shape (J, q)."""
    residual: Array = H[:, :, -1] - H[:, :, :-1] @ fit.beta
    return residual


@dataclass(frozen=True)
class Effects:
    """Predicted random effects of one level and their uncertainty.

    Parameters
    ----------
    estimate : ndarray, shape (J, q)
    conditional : ndarray, shape (J, q, q)
        ``sigma^2 P``, lme4's condVar: as if beta were known.
    comparative : ndarray, shape (J, q, q)
        Prediction error variance, with the uncertainty of beta in it.
    prior : ndarray, shape (q, q)
        G = sigma^2 Lambda Lambda'.
    """

    estimate: Array
    conditional: Array
    comparative: Array
    prior: Array

    @property
    def diagnostic(self) -> Array:
        """Variance of the estimates themselves, G - PEV."""
        return self.prior - self.comparative

    def transformed(self, D: Array) -> Effects:
        """Effects ``D u`` in place of ``u``, shape of D (q, q)."""
        return Effects(
            estimate=self.estimate @ D.T,
            conditional=D @ self.conditional @ D.T,
            comparative=D @ self.comparative @ D.T,
            prior=D @ self.prior @ D.T,
        )


def effects(problem: Problem, fit: Fit, level: int = 0) -> Effects:
    """Predict the random effects of a level (Robinson 1991; conditional on theta)."""
    H, Q = under_full_covariance(problem, fit, level)
    return effects_of(H[:, :, problem.kept], Q, fit, level)


def effects_of(H: Array, Q: Array, fit: Fit, level: int) -> Effects:
    """Effects from H = Z'V^-1 [X | y], shape (J, q, p + 1), and Q = Z'V^-1 Z, shape (J, q, q)."""
    G = fit.Lambdas[level] @ fit.Lambdas[level].T
    spread = G @ H[:, :, :-1]
    conditional = G - G @ Q @ G
    known = spread @ fit.T_xx_inverse @ spread.transpose(0, 2, 1)
    return Effects(
        estimate=_residual(H, fit) @ G.T,
        conditional=fit.sigma2 * conditional,
        comparative=fit.sigma2 * (conditional + known),
        prior=fit.sigma2 * G,
    )


def unidentified(
    S: Array, names: tuple[str, ...], tolerance: float = 1e-10
) -> list[tuple[str, list[str]]]:
    """Terms that earlier terms explain entirely, each with the terms that do.

    Parameters
    ----------
    S : ndarray, shape (p, p)
        ``X'X`` with the intercept first.
    names : tuple of str
        Of the p columns.
    tolerance : float
        On the share of a column's variation that is left; cross products of centred and scaled
        columns carry about 1e-13.

    Returns
    -------
    list of (term, explained by)
        Empty when X has full rank.
    """
    p = len(names)
    centred = S - np.outer(S[:, 0], S[0]) / S[0, 0]
    spread = np.diagonal(centred).copy()
    raw = np.diagonal(S)
    # A column that does not vary at all is explained by the intercept.
    still = spread <= tolerance * np.maximum(raw, np.finfo(float).tiny)
    scale = np.where(still, 1.0, np.sqrt(np.maximum(spread, np.finfo(float).tiny)))
    correlation = centred / np.outer(scale, scale)
    kept: list[int] = []
    found: list[tuple[str, list[str]]] = []
    for column in range(1, p):
        if still[column]:
            found.append((names[column], [names[0]]))
            continue
        weights = np.zeros(0)
        left = float(correlation[column, column])
        if kept:
            block = correlation[np.ix_(kept, kept)]
            weights = np.linalg.solve(block, correlation[kept, column])
            left -= float(correlation[column, kept] @ weights)
        if left <= tolerance:
            causes = [
                names[i] for i, weight in zip(kept, weights, strict=True) if abs(weight) > 1e-4
            ]
            found.append((names[column], causes or [names[0]]))
        else:
            kept.append(column)
    return found
