"""Search for the covariances of several outcomes, and how well they are known.

A few EM steps (they never leave the covariance matrices) come near, a quasi-Newton search on
Cholesky factors nearer, and Newton steps on the exact gradient finish; their Hessian, from
differences of gradients, also says how well each covariance is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from brightspots.insight.joint_solver import Factors, JointFit, JointSums, slopes, solve_joint

Array = NDArray[np.float64]

_EM_STEPS = 12
_SINGULAR = 1e-7
"""Smallest eigenvalue of a covariance, of standardised outcomes, that still counts as above 0."""
_SPENT = 1e-9
"""Change of the criterion that is lost in its rounding, relative to its size."""


@dataclass(frozen=True)
class Estimated:
    """A fit at the optimum.

    Parameters
    ----------
    fit : JointFit
    x : ndarray
        Free parameters: entries of the Cholesky factors, scaled.
    covariance : ndarray
        Of `x`; what lies at an edge (a singular covariance matrix) counts as known.
    singular : tuple of str
        "u", "v": covariance matrices with an eigenvalue of 0.
    slope : float
        Largest absolute entry of the gradient left, in scaled parameters.
    """

    fit: JointFit
    x: Array
    covariance: Array
    singular: tuple[str, ...]
    slope: float
    search: Search

    def standard_error(self, of: Callable[[Factors], float]) -> float:
        """Give a function of the covariances its standard error (delta method)."""
        rise = self.gradient_of(of)
        return math.sqrt(max(float(rise @ self.covariance @ rise), 0.0))

    def gradient_of(self, of: Callable[[Factors], float]) -> Array:
        """Differentiate a function of the covariances by the free parameters."""
        rise = np.empty(len(self.x))
        for place in range(len(self.x)):
            step = 1e-6 * max(abs(self.x[place]), 1.0)
            ahead, behind = self.x.copy(), self.x.copy()
            ahead[place] += step
            behind[place] -= step
            values = of(self.search.factors(ahead)) - of(self.search.factors(behind))
            rise[place] = values / (2 * step)
        return rise


@dataclass(frozen=True)
class Search:
    """The criterion and its gradient in the entries of the factors.

    An entry is scaled by the root of the number of its units, so that every direction of the
    criterion is curved about alike.
    """

    sums: JointSums
    reml: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Levels, in the order of the parameters."""
        return ("u", "e") if self.sums.parent is None else ("u", "v", "e")

    def _units(self, name: str) -> float:
        sizes = {
            "u": self.sums.schools,
            "v": self.sums.cells,
            "e": sum(part.pupils for part in self.sums.patterns),
        }
        return math.sqrt(sizes[name])

    def factors(self, x: Array) -> Factors:
        """Unpack parameters."""
        lower = np.tril_indices(self.sums.k)
        made: dict[str, Array] = {}
        for name, part in zip(self.names, np.split(x, len(self.names)), strict=True):
            made[name] = np.zeros((self.sums.k, self.sums.k))
            made[name][lower] = part / self._units(name)
        return Factors(made["u"], made.get("v"), made["e"])

    def pack(self, factors: Factors) -> Array:
        """Parameters of factors."""
        lower = np.tril_indices(self.sums.k)
        return np.concatenate(
            [getattr(factors, name)[lower] * self._units(name) for name in self.names]
        )

    def fit(self, x: Array) -> JointFit:
        """Fit at given parameters."""
        return solve_joint(self.sums, self.factors(x), reml=self.reml)

    def slope(self, fit: JointFit) -> Array:
        """Gradient by the parameters: 2 W L, lower triangles."""
        lower = np.tril_indices(self.sums.k)
        found = slopes(self.sums, fit)
        return np.concatenate(
            [
                2 * (getattr(found, name) @ getattr(fit.factors, name))[lower] / self._units(name)
                for name in self.names
            ]
        )

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Criterion and gradient; without end where Sigma_e is singular."""
        try:
            fit = self.fit(x)
        except np.linalg.LinAlgError:
            return math.inf, np.zeros(len(x))
        return fit.criterion, self.slope(fit)


def fit_joint(sums: JointSums, *, reml: bool = True) -> Estimated:
    """Estimate all covariances.

    Notes
    -----
    A matrix that comes out singular is only accepted where the criterion does not fall along any
    direction that it lacks; otherwise the search goes on from there.
    """
    search = Search(sums, reml)
    x = search.pack(_em(search, _first_guess(sums)))
    for _ in range(4):
        answer = minimize(
            search, x, jac=True, method="BFGS", options={"gtol": 1e-4, "maxiter": 500}
        )
        x = np.asarray(answer.x, dtype=np.float64)
        x, hessian, steep = _newton(search, x)
        better = _off_a_false_edge(search, x)
        if better is None:
            break
        x = better
    fit = search.fit(x)
    singular = tuple(
        name for name in search.names if name != "e" and _least(getattr(fit.factors, name)) == 0.0
    )
    # The criterion is -2 log-likelihood, so the information is half its Hessian.
    return Estimated(fit, x, 2 * _inverse(hessian), singular, steep, search)


def _first_guess(sums: JointSums) -> Factors:
    """Half-way covariances of standardised outcomes, from pairs of outcomes that pupils share."""
    p, k = sums.p, sums.k
    products, both = np.zeros((k, k)), np.zeros((k, k))
    for part in sums.patterns:
        products += part.S[p:, p:]
        both += part.pupils * np.outer(part.observed, part.observed)
    root = np.sqrt(np.maximum(np.diagonal(products) / np.maximum(np.diagonal(both), 1), 1e-12))
    pairs = products / np.maximum(both, 1) / np.outer(root, root)
    values, vectors = np.linalg.eigh((pairs + pairs.T) / 2)
    whole = (vectors * np.maximum(values, 0.05)) @ vectors.T * np.outer(root, root)
    v = None if sums.parent is None else np.linalg.cholesky(0.1 * whole)
    return Factors(np.linalg.cholesky(0.2 * whole), v, np.linalg.cholesky(0.7 * whole))


def _em(search: Search, factors: Factors) -> Factors:
    """EM steps: Sigma <- Sigma - Sigma W Sigma / units (Laird, Lange and Stram 1987)."""
    sums = search.sums
    for _ in range(_EM_STEPS):
        W = slopes(sums, solve_joint(sums, factors, reml=search.reml))
        moved: dict[str, Array | None] = {"v": None}
        for name in search.names:
            L = getattr(factors, name)
            units = search._units(name) ** 2
            # In L's own coordinates the new matrix is I - L'WL / units, which stays positive.
            inner = np.eye(sums.k) - L.T @ getattr(W, name) @ L / units
            values, vectors = np.linalg.eigh((inner + inner.T) / 2)
            half = L @ (vectors * np.sqrt(np.maximum(values, 1e-10)))
            moved[name] = np.asarray(np.linalg.qr(half.T, mode="r")).T
        factors = Factors(moved["u"], moved["v"], moved["e"])  # type: ignore[arg-type]  # u, e are there
    return factors


def _newton(search: Search, x: Array, rounds: int = 12) -> tuple[Array, Array, float]:
    """Finish on the gradient alone: the criterion's own rounding hides the last digits."""
    value, slope = search(x)
    hessian = _hessian(search, x, slope)
    for turn in range(rounds):
        if np.abs(slope).max() < 1e-8:
            break
        step = _inverse(hessian) @ slope
        moved_value, moved_slope = search(x - step)
        worse = not moved_value <= value + _SPENT * (1 + abs(value))
        if worse or np.abs(moved_slope).max() >= np.abs(slope).max():
            if turn == 0 and not worse:
                break
            if np.abs(slope).max() < 1e-5 or turn > rounds // 2:
                break
            hessian = _hessian(search, x, slope)
            step = _inverse(hessian) @ slope
            moved_value, moved_slope = search(x - step / 2)
            if np.abs(moved_slope).max() >= np.abs(slope).max():
                break
            step = step / 2
        x, value, slope = x - step, moved_value, moved_slope
    return x, hessian, float(np.abs(slope).max())


def _hessian(search: Search, x: Array, slope: Array) -> Array:
    out = np.empty((len(x), len(x)))
    for place in range(len(x)):
        step = 1e-5 * max(abs(x[place]), 1.0)
        moved = x.copy()
        moved[place] += step
        out[:, place] = (search(moved)[1] - slope) / step
    return (out + out.T) / 2


def _inverse(hessian: Array) -> Array:
    """Inverse over the directions in which the criterion is curved upwards.

    At an edge some directions of the factors change nothing; they are left alone.
    """
    values, vectors = np.linalg.eigh(hessian)
    usable = values > 1e-7 * values.max()
    inverse: Array = (vectors[:, usable] / values[usable]) @ vectors[:, usable].T
    return inverse


def _least(L: Array) -> float:
    """Smallest eigenvalue of LL' relative to its own diagonal; exactly 0 where it is rounding."""
    Sigma = L @ L.T
    root = np.sqrt(np.maximum(np.diagonal(Sigma), 0.0))
    if (root**2 < _SINGULAR).any():
        return 0.0
    least = float(np.linalg.eigvalsh(Sigma / np.outer(root, root))[0])
    return 0.0 if least < _SINGULAR else least


def _off_a_false_edge(search: Search, x: Array) -> Array | None:
    """Return parameters beyond an edge at which the criterion still falls, or None."""
    fit = search.fit(x)
    found = slopes(search.sums, fit)
    moved = {name: getattr(fit.factors, name) for name in search.names}
    falls = False
    for name in search.names:
        if name == "e":
            continue
        Sigma = moved[name] @ moved[name].T
        values, vectors = np.linalg.eigh(Sigma)
        lacking = vectors[:, values < _SINGULAR]
        if lacking.shape[1] == 0:
            continue
        inner = lacking.T @ getattr(found, name) @ lacking
        steep, directions = np.linalg.eigh((inner + inner.T) / 2)
        if steep[0] < -1e-3:
            direction = lacking @ directions[:, 0]
            lifted = Sigma + 0.01 * np.outer(direction, direction) + 1e-9 * np.eye(len(Sigma))
            moved[name] = np.linalg.cholesky(lifted)
            falls = True
    if not falls:
        return None
    return search.pack(Factors(moved["u"], moved.get("v"), moved["e"]))
