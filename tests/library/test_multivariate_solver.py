"""Several outcomes with holes, against dense linear algebra: V written out and inverted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import block_diag

from brightspots.insight.joint_solver import (
    Factors,
    JointSums,
    PatternSums,
    posterior,
    school_effects,
    slopes,
    solve_joint,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pupils:
    """Raw rows; `y` holds NaN where an outcome is missing."""

    x: Array
    y: Array
    school: NDArray[np.intp]
    year: NDArray[np.intp]


def pupils(seed: int, k: int = 3, n: int = 60, schools: int = 6, years: int = 3) -> Pupils:
    draw = np.random.default_rng(seed)
    school = np.sort(np.concatenate([np.arange(schools), draw.integers(0, schools, n - schools)]))
    x = np.column_stack([np.ones(n), draw.normal(size=n)])
    y = draw.normal(size=(n, k)) + draw.normal(size=(schools, k))[school] + x[:, 1:] * 0.5
    y[draw.random((n, k)) < 0.3] = np.nan
    y[np.isnan(y).all(axis=1), 0] = 0.3
    return Pupils(x, y, school, draw.integers(0, years, n))


def sums_of(data: Pupils, by_year: bool) -> JointSums:
    """The sums that a scan would give, by plain loops."""
    key = data.school * 100 + (data.year if by_year else 0)
    cells, cell = np.unique(key, return_inverse=True)
    seen = ~np.isnan(data.y)
    parts = []
    for pattern in np.unique(seen, axis=0):
        rows = (seen == pattern).all(axis=1)
        here = np.unique(cell[rows])
        A = np.column_stack([data.x[rows], np.nan_to_num(data.y[rows])])
        into = (cell[rows][None, :] == here[:, None]).astype(float)
        p = data.x.shape[1]
        sums = into @ A
        parts.append(PatternSums(pattern, here, into.sum(1), sums[:, :p], sums[:, p:], A.T @ A))
    parent = None
    if by_year:
        parent = np.unique(cells // 100, return_inverse=True)[1]
    p, k = data.x.shape[1], data.y.shape[1]
    return JointSums(tuple(parts), p, k, len(cells), len(np.unique(data.school)), parent)


def factors_of(seed: int, k: int, by_year: bool) -> Factors:
    draw = np.random.default_rng(seed + 1)
    made = [np.tril(draw.normal(size=(k, k))) * 0.4 for _ in range(3)]
    # Pupils' own covariance stays well away from singular, where the dense inverse loses digits.
    own = np.tril(made[2], -1) + np.diag(draw.uniform(0.6, 1.4, k))
    return Factors(made[0], made[1] if by_year else None, own)


@dataclass(frozen=True)
class Dense:
    """All of it by n k x n k matrices over the outcomes that are there."""

    criterion: float
    beta: Array
    covariance: Array
    u: Array
    conditional: Array
    pev: Array


def dense(data: Pupils, factors: Factors, reml: bool) -> Dense:
    n, k = data.y.shape
    seen = ~np.isnan(data.y).ravel()
    Su, Se = factors.u @ factors.u.T, factors.e @ factors.e.T
    Z = np.kron(np.eye(data.school.max() + 1)[data.school], np.eye(k))
    G = np.kron(np.eye(data.school.max() + 1), Su)
    V = Z @ G @ Z.T + block_diag(*[Se] * n)
    if factors.v is not None:
        same = (data.school[:, None] == data.school) & (data.year[:, None] == data.year)
        V += np.kron(same.astype(float), factors.v @ factors.v.T)
    X = np.stack([np.kron(np.eye(k), row[None, :]) for row in data.x]).reshape(n * k, -1)
    y = data.y.ravel()
    V, X, Z, y = V[np.ix_(seen, seen)], X[seen], Z[seen], y[seen]
    inverse = np.linalg.inv(V)
    T = X.T @ inverse @ X
    beta = np.linalg.solve(T, X.T @ inverse @ y)
    r = y - X @ beta
    criterion = np.linalg.slogdet(V)[1] + r @ inverse @ r
    criterion += (len(y) - (X.shape[1] if reml else 0)) * math.log(2 * math.pi)
    criterion += np.linalg.slogdet(T)[1] if reml else 0.0
    P = inverse - inverse @ X @ np.linalg.inv(T) @ X.T @ inverse
    return Dense(
        float(criterion),
        beta,
        np.linalg.inv(T),
        (G @ Z.T @ inverse @ r).reshape(-1, k),
        G - G @ Z.T @ inverse @ Z @ G,
        G - G @ Z.T @ P @ Z @ G,
    )


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 4), by_year=st.booleans(), reml=st.booleans())
def test_any_missing_pattern_equals_dense_algebra(
    seed: int, k: int, by_year: bool, reml: bool
) -> None:
    data, factors = pupils(seed, k), factors_of(seed, k, by_year)
    sums = sums_of(data, by_year)
    assert sums.n_values == int((~np.isnan(data.y)).sum())
    fit, expected = solve_joint(sums, factors, reml=reml), dense(data, factors, reml)
    assert fit.criterion == pytest.approx(expected.criterion, abs=1e-8)
    np.testing.assert_allclose(fit.beta, expected.beta, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(fit.T_xx_inverse, expected.covariance, rtol=1e-7, atol=1e-11)
    found = school_effects(fit)
    np.testing.assert_allclose(found.estimate, expected.u, rtol=1e-7, atol=1e-10)
    for j in range(sums.schools):
        block = slice(j * k, (j + 1) * k)
        np.testing.assert_allclose(
            found.conditional[j], expected.conditional[block, block], rtol=1e-7, atol=1e-10
        )
        np.testing.assert_allclose(
            found.comparative[j], expected.pev[block, block], rtol=1e-7, atol=1e-10
        )
    assert np.linalg.eigvalsh(posterior(sums, fit)).min() > -1e-12


@pytest.mark.parametrize("by_year", [False, True])
@pytest.mark.parametrize("reml", [False, True])
def test_the_slopes_are_the_criterions_derivatives(by_year: bool, reml: bool) -> None:
    k, step = 3, 1e-5
    data, factors = pupils(7, k), factors_of(7, k, by_year)
    sums = sums_of(data, by_year)
    found = slopes(sums, solve_joint(sums, factors, reml=reml))
    for name in ("u", "v", "e") if by_year else ("u", "e"):
        L, W = getattr(factors, name), getattr(found, name)
        for i in range(k):
            for j in range(i + 1):
                values = []
                for sign in (1, -1):
                    moved = L.copy()
                    moved[i, j] += sign * step
                    changed = Factors(**{**vars(factors), name: moved})
                    values.append(solve_joint(sums, changed, reml=reml).criterion)
                numeric = (values[0] - values[1]) / (2 * step)
                assert 2 * (W @ L)[i, j] == pytest.approx(numeric, rel=1e-6, abs=1e-6)
