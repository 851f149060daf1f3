"""The Lambdas with the smallest criterion, for any number of groupings and effects.

The criterion is smooth in the elements of the Lambdas, and its gradient 2 W Lambda is exact, so a
quasi-Newton search with Newton steps at its end finds the bottom of a valley to the last digits.
Two things need care. The criterion is even in every column of Lambda: a column of zeros is always
stationary, whether or not it is a minimum, so there W itself is asked (it is the derivative in
G = Lambda Lambda', where zero is no special place). And small data may have several valleys, so
there the search starts from several places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from brightspots.insight.reml import Fit, NotIdentifiedError, System

Array = NDArray[np.float64]

LARGEST = 1e4
"""A typical effect this many times the residual means that the criterion falls without end."""
STARTS = (1.0, 0.1, 4.0)
NOTHING = 1e-6
"""An eigenvalue of G below this, where 1 is a reliability of one half, is looked at as a zero."""
CLOSE = 1e-5
"""A gradient of this times the root of the criterion's size is left to the Newton steps: a further
fall would be smaller than the criterion's rounding, and a line search would look for it in vain."""
FLAT = 1e-12
ROUNDS = 12


@dataclass(frozen=True)
class Pattern:
    """The lower triangles of the Lambdas as one vector.

    `units` has, for each Lambda, what a typical effect is, shape (q,): elements are searched in
    these units.
    """

    units: tuple[Array, ...]

    def unpack(self, theta: Array) -> tuple[Array, ...]:
        """Lambdas from free elements."""
        found, start = [], 0
        for unit in self.units:
            rows, columns = np.tril_indices(len(unit))
            Lambda = np.zeros((len(unit), len(unit)))
            Lambda[rows, columns] = theta[start : start + len(rows)]
            found.append(unit[:, None] * Lambda)
            start += len(rows)
        return tuple(found)

    def pack(self, matrices: tuple[Array, ...], *, slopes: bool = False) -> Array:
        """Free elements of Lambdas, or of derivatives in the Lambdas."""
        return np.concatenate(
            [
                (each * unit[:, None] if slopes else each / unit[:, None])[
                    np.tril_indices(len(unit))
                ]
                for each, unit in zip(matrices, self.units, strict=True)
            ]
        )


def fit_system(system: System, *, reml: bool = True, small: bool = True) -> Fit:
    """Minimise the criterion over the Lambdas.

    Parameters
    ----------
    system : System
    reml : bool
    small : bool
        Start from several places: the data are small enough for several valleys.

    Returns
    -------
    Fit
        A Lambda that is not needed is exactly 0.

    Raises
    ------
    NotIdentifiedError
        The criterion falls without end, or the terms explain the outcome entirely.
    """
    units = tuple(
        1.0 / np.sqrt(np.maximum(system.typical(place), 1e-300))
        for place in range(len(system.sizes))
    )
    search = _Search(system, Pattern(units), reml)
    found = [
        search.descend(search.pattern.pack(tuple(np.diag(start * unit) for unit in units)))
        for start in (STARTS if small else STARTS[:1])
    ]
    _, theta = min(found, key=lambda each: each[0])
    return system.solve(search.pattern.unpack(search.finish(theta)), reml=reml)


class _Search:
    def __init__(self, system: System, pattern: Pattern, reml: bool) -> None:
        self.system, self.pattern, self.reml = system, pattern, reml

    def at(self, theta: Array) -> tuple[float, Array]:
        """Criterion and gradient in the free elements."""
        Lambdas = self.pattern.unpack(theta)
        fit = self.system.solve(Lambdas, reml=self.reml)
        W = self.system.derivatives(fit)
        slopes = tuple(2 * w @ L for w, L in zip(W, Lambdas, strict=True))
        return fit.criterion, self.pattern.pack(slopes, slopes=True)

    def descend(self, theta: Array) -> tuple[float, Array]:
        """Go down by quasi-Newton until the criterion has no digits to tell by, then by Newton."""
        enough = CLOSE * (1 + abs(self.at(theta)[0])) ** 0.5
        answer = minimize(
            self.at, theta, jac=True, method="BFGS", options={"gtol": enough, "maxiter": 500}
        )
        found = np.asarray(answer.x, dtype=np.float64)
        if np.abs(found).max() > LARGEST:
            raise NotIdentifiedError("unbounded")
        return self.polish(found)

    def polish(self, theta: Array) -> tuple[float, Array]:
        """Newton steps, the Hessian from central differences of the gradient."""
        value, slope = self.at(theta)
        for _ in range(ROUNDS):
            if np.abs(slope).max() < FLAT * (1 + abs(value)):
                break
            H = self.hessian(theta)
            scale, V = np.linalg.eigh(H)
            # A direction in which Lambda may turn without changing G has no curvature: stay.
            floor = 1e-8 * max(float(np.abs(scale).max()), 1e-300)
            step = V @ np.where(scale > floor, (V.T @ slope) / np.maximum(scale, floor), 0.0)
            for shorter in (1.0, 0.5, 0.25, 0.1):
                move = theta - shorter * step
                new_value, new_slope = self.at(move)
                better = new_value <= value + 1e-12 * abs(value)
                if better and np.abs(new_slope).max() < np.abs(slope).max():
                    break
            else:
                break
            theta, value, slope = move, new_value, new_slope
        return value, theta

    def hessian(self, theta: Array) -> Array:
        """Hessian of the criterion, shape (m, m)."""
        H = np.empty((len(theta), len(theta)))
        for i in range(len(theta)):
            step = np.zeros(len(theta))
            step[i] = 1e-4 * max(abs(theta[i]), 0.01)
            H[i] = (self.at(theta + step)[1] - self.at(theta - step)[1]) / (2 * step[i])
        return (H + H.T) / 2

    def finish(self, theta: Array) -> Array:
        """Set to 0 what is 0, and leave a zero that is no minimum."""
        for _ in range(ROUNDS):
            value, _ = self.at(theta)
            lower = self._flatten(theta, value)
            if lower is not None:
                theta = lower
            away = self._away_from_zero(theta)
            if away is None:
                return theta
            found, moved = self.descend(away)
            if found >= value - 1e-10:
                return theta
            theta = moved
        return theta

    def _flatten(self, theta: Array, value: float) -> Array | None:
        """Drop the directions of G that are as good as 0 where that costs nothing."""
        Lambdas = list(self.pattern.unpack(theta))
        changed = False
        for place, (Lambda, unit) in enumerate(zip(Lambdas, self.pattern.units, strict=True)):
            scale, V = np.linalg.eigh(_of(Lambda, unit))
            if (scale > NOTHING).all() or not scale.any():
                continue
            trial = [*Lambdas]
            trial[place] = unit[:, None] * _lower(V * np.sqrt(np.where(scale > NOTHING, scale, 0)))
            flat = self.pattern.pack(tuple(trial))
            if self.at(flat)[0] <= value + 1e-6:
                Lambdas, changed = trial, True
        if not changed:
            return None
        flat = self.pattern.pack(tuple(Lambdas))
        moves = flat != 0
        if not moves.any():
            return flat
        inner = _Held(self, flat, moves)
        return inner.back(inner.polish(flat[moves])[1])

    def _away_from_zero(self, theta: Array) -> Array | None:
        """Step off a zero along which the criterion falls; None where there is none."""
        Lambdas = self.pattern.unpack(theta)
        W = self.system.derivatives(self.system.solve(Lambdas, reml=self.reml))
        moved = [*Lambdas]
        found = False
        for place, (Lambda, w, unit) in enumerate(zip(Lambdas, W, self.pattern.units, strict=True)):
            G = _of(Lambda, unit)
            scale, V = np.linalg.eigh(G)
            null = V[:, scale <= 1e-12 * max(float(scale[-1]), 1.0)]
            if null.shape[1] == 0:
                continue
            falls, directions = np.linalg.eigh(null.T @ (w * np.outer(unit, unit)) @ null)
            if falls[0] < -1e-7:
                v = null @ directions[:, 0]
                spread, U = np.linalg.eigh(G + 0.0025 * np.outer(v, v))
                moved[place] = unit[:, None] * _lower(U * np.sqrt(np.maximum(spread, 0.0)))
                found = True
        return self.pattern.pack(tuple(moved)) if found else None


class _Held(_Search):
    """The same search with some elements held where they are."""

    def __init__(self, outer: _Search, theta: Array, moves: NDArray[np.bool_]) -> None:
        super().__init__(outer.system, outer.pattern, outer.reml)
        self.theta, self.moves = theta, moves

    def back(self, some: Array) -> Array:
        """All elements from those that move."""
        whole = self.theta.copy()
        whole[self.moves] = some
        return whole

    def at(self, theta: Array) -> tuple[float, Array]:
        """Criterion and gradient in the elements that move."""
        value, slope = super().at(self.back(theta))
        return value, slope[self.moves]


def _of(Lambda: Array, unit: Array) -> Array:
    """G in units of typical effects."""
    scaled = Lambda / unit[:, None]
    G: Array = scaled @ scaled.T
    return G


def _lower(root: Array) -> Array:
    """Lower triangular L with L L' = root root', diagonal not negative."""
    L = np.asarray(np.linalg.qr(root.T, mode="r")).T
    signs = np.where(np.diag(L) < 0, -1.0, 1.0)
    return np.asarray(L * signs[None, :], dtype=np.float64)
