"""The solver against dense linear algebra: V written out and inverted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from brightspots.insight.intercept import fit_intercept
from brightspots.insight.reml import (
    Level,
    NotIdentifiedError,
    Problem,
    derivative,
    effects,
    solve,
    unidentified,
)

Array = NDArray[np.float64]


def data(seed: int, J: int = 6, n: int = 40, between: float = 0.7) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    school = np.sort(np.concatenate([np.arange(J), draw.integers(0, J, n - J)]))
    X = np.column_stack([np.ones(n), draw.normal(size=n), draw.integers(0, 2, n)])
    y = X @ [1.0, 0.5, -0.3] + between * draw.normal(size=J)[school] + draw.normal(size=n)
    return np.column_stack([X, y]), school


def problem_of(A: Array, school: NDArray[np.intp], z: tuple[int, ...] = (0,)) -> Problem:
    S = np.array([A[school == j].T @ A[school == j] for j in np.unique(school)])
    return Problem(S[:, list(z), :], S.sum(axis=0), (Level(z, None, len(S)),), len(A))


def dense(
    A: Array, Z: Array, G: Array, reml: bool
) -> tuple[float, Array, Array, float, Array, Array]:
    """Criterion, beta, cov(beta), sigma^2, effects and their prediction error variance."""
    X, y = A[:, :-1], A[:, -1]
    n, p = X.shape
    V = np.linalg.inv(Z @ G @ Z.T + np.eye(n))
    T = X.T @ V @ X
    beta = np.linalg.solve(T, X.T @ V @ y)
    r = y - X @ beta
    m = n - p if reml else n
    sigma2 = float(r @ V @ r) / m
    criterion = -np.linalg.slogdet(V)[1] + m * (1 + math.log(2 * math.pi * sigma2))
    criterion += np.linalg.slogdet(T)[1] if reml else 0.0
    u = G @ Z.T @ V @ r
    P = V - V @ X @ np.linalg.inv(T) @ X.T @ V
    pev = sigma2 * (G - G @ Z.T @ P @ Z @ G)
    return criterion, beta, sigma2 * np.linalg.inv(T), sigma2, u, pev


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), theta=st.floats(0.0, 3.0), reml=st.booleans())
def test_intercept_model_equals_dense_algebra(seed: int, theta: float, reml: bool) -> None:
    A, school = data(seed)
    problem = problem_of(A, school)
    fit = solve(problem, (np.array([[theta]]),), reml=reml)
    Z = np.eye(6)[school]
    criterion, beta, covariance, sigma2, u, pev = dense(A, Z, theta**2 * np.eye(6), reml)
    assert fit.criterion == pytest.approx(criterion, abs=1e-9)
    np.testing.assert_allclose(fit.beta, beta, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(fit.sigma2 * fit.T_xx_inverse, covariance, rtol=1e-8, atol=1e-12)
    assert fit.sigma2 == pytest.approx(sigma2, rel=1e-10)
    found = effects(problem, fit)
    np.testing.assert_allclose(found.estimate[:, 0], u, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(found.comparative[:, 0, 0], np.diag(pev), rtol=1e-8, atol=1e-11)
    n_j = np.bincount(school)
    np.testing.assert_allclose(  # lme4's condVar, by its formula
        found.conditional[:, 0, 0], sigma2 * theta**2 / (1 + theta**2 * n_j), atol=1e-12
    )


@pytest.mark.parametrize("reml", [True, False])
def test_random_slopes_equal_dense_algebra(reml: bool) -> None:
    A, school = data(3, n=60)
    Lambda = np.array([[0.8, 0.0], [0.3, 0.5]])
    problem = problem_of(A, school, (0, 1))
    fit = solve(problem, (Lambda,), reml=reml)
    Z = np.zeros((60, 12))
    for row, j in enumerate(school):
        Z[row, 2 * j : 2 * j + 2] = A[row, :2]
    criterion, beta, _, _, u, pev = dense(A, Z, np.kron(np.eye(6), Lambda @ Lambda.T), reml)
    assert fit.criterion == pytest.approx(criterion, abs=1e-9)
    np.testing.assert_allclose(fit.beta, beta, rtol=1e-9)
    found = effects(problem, fit)
    np.testing.assert_allclose(found.estimate.ravel(), u, rtol=1e-8, atol=1e-11)
    for j in range(6):
        block = pev[2 * j : 2 * j + 2, 2 * j : 2 * j + 2]
        np.testing.assert_allclose(found.comparative[j], block, rtol=1e-8, atol=1e-11)


def three_levels() -> tuple[Problem, Array, NDArray[np.intp], NDArray[np.intp]]:
    A, school = data(11, J=9, n=80)
    district = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    S = np.array([A[school == j].T @ A[school == j] for j in range(9)])
    summed = np.array([S[district == d].sum(axis=0) for d in range(3)])
    levels = (Level((0,), district, 9), Level((0,), None, 3))
    return Problem(S[:, [0], :], summed, levels, 80), A, school, district


def test_schools_in_districts_equal_dense_algebra() -> None:
    problem, A, school, district = three_levels()
    fit = solve(problem, (np.array([[0.6]]), np.array([[0.4]])))
    Z = np.hstack([np.eye(9)[school], np.eye(3)[district[school]]])
    criterion, beta, _, _, u, pev = dense(A, Z, np.diag([0.36] * 9 + [0.16] * 3), True)
    assert fit.criterion == pytest.approx(criterion, abs=1e-9)
    np.testing.assert_allclose(fit.beta, beta, rtol=1e-9)
    for level, part in ((0, slice(0, 9)), (1, slice(9, 12))):
        found = effects(problem, fit, level)
        np.testing.assert_allclose(found.estimate[:, 0], u[part], rtol=1e-8)
        np.testing.assert_allclose(found.comparative[:, 0, 0], np.diag(pev)[part], rtol=1e-8)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("level", [0, 1])
def test_derivative_equals_the_difference_quotient_at_every_level(level: int, reml: bool) -> None:
    problem, *_ = three_levels()
    theta, step = [0.6, 0.4], 1e-5

    def criterion(move: float) -> float:
        moved = [t + move * (i == level) for i, t in enumerate(theta)]
        return solve(problem, tuple(np.array([[t]]) for t in moved), reml=reml).criterion

    fit = solve(problem, tuple(np.array([[t]]) for t in theta), reml=reml)
    analytic = 2 * derivative(problem, fit, level)[0, 0] * theta[level]
    assert analytic == pytest.approx((criterion(step) - criterion(-step)) / (2 * step), rel=1e-6)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), reml=st.booleans())
def test_no_other_ratio_has_a_lower_criterion(seed: int, reml: bool) -> None:
    A, school = data(seed, between=0.3)
    problem = problem_of(A, school)
    fit = fit_intercept(problem, reml=reml)
    for theta in np.linspace(0, 4, 81):
        other = solve(problem, (np.array([[theta]]),), reml=reml)
        assert fit.criterion <= other.criterion + 1e-9


def test_a_small_variance_is_not_taken_for_zero() -> None:
    """Zero is stationary in Lambda whatever the data; the derivative in Lambda^2 tells."""
    A, school = data(2, J=40, n=800, between=0.15)
    problem = problem_of(A, school)
    at_zero = solve(problem, (np.zeros((1, 1)),))
    fit = fit_intercept(problem)
    assert derivative(problem, at_zero, 0)[0, 0] < 0
    assert fit.Lambdas[0][0, 0] > 0.05
    assert fit.criterion < at_zero.criterion


def test_schools_more_alike_than_chance_give_the_true_boundary() -> None:
    y = np.tile([0.0, 1.0, 2.0, 3.0], 5)
    A = np.column_stack([np.ones(20), y])
    fit = fit_intercept(problem_of(A, np.repeat(np.arange(5), 4)))
    assert fit.Lambdas[0][0, 0] == 0.0
    assert fit.sigma2 == pytest.approx(y.var() * 20 / 19)


def test_as_many_school_terms_as_schools_cannot_be_identified() -> None:
    A, school = data(1, J=2, n=20)
    A[:, 2] = school
    with pytest.raises(NotIdentifiedError, match="flat"):
        fit_intercept(problem_of(A, school))


def test_the_term_that_says_the_same_again_is_named_with_its_cause() -> None:
    draw = np.random.default_rng(0)
    x, z = draw.normal(size=(2, 50))
    X = np.column_stack([np.ones(50), x, z, 2 * x + 1, np.full(50, 3.0)])
    found = unidentified(X.T @ X, ("(Intercept)", "prior", "poverty", "again", "same"))
    assert found == [("again", ["prior"]), ("same", ["(Intercept)"])]
    assert unidentified((X.T @ X)[:3, :3], ("(Intercept)", "prior", "poverty")) == []
