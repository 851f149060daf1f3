"""Value added from school figures, held against dense linear algebra, lme4 and known truth."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from brightspots.core.errors import InputError
from brightspots.insight.school_level import SchoolLevelParameters, school_level_value_added

Floats = NDArray[np.float64]


def one_year(seed: int = 3, schools: int = 40) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    poverty = rng.normal(30, 10, schools)
    n = rng.integers(8, 80, schools)
    u = rng.normal(0, 8, schools)
    return pl.DataFrame(
        {
            "school": [f"s{i:03}" for i in range(schools)],
            "mean": 200 - poverty + u + rng.normal(0, 40, schools) / np.sqrt(n),
            "candidates": n,
            "spread": rng.uniform(35, 45, schools),
            "poverty": poverty,
            "phase": rng.choice(["primary", "secondary"], schools),
        }
    )


def several_years(seed: int = 4, schools: int = 25, years: int = 4) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    n = rng.integers(8, 80, (schools, years))
    poverty = rng.normal(30, 10, (schools, 1)) + rng.normal(0, 1, (schools, years))
    u = rng.normal(0, 8, (schools, 1))
    y = 200 - poverty + u + rng.normal(0, 5, n.shape) + rng.normal(0, 40, n.shape) / np.sqrt(n)
    frame = pl.DataFrame(
        {
            "school": np.repeat([f"s{i:03}" for i in range(schools)], years),
            "year": np.tile(np.arange(2019, 2019 + years), schools),
            "mean": y.ravel(),
            "candidates": n.ravel(),
            "spread": rng.uniform(35, 45, n.size),
            "poverty": poverty.ravel(),
        }
    )
    return frame.filter(pl.Series(rng.uniform(size=n.size) > 0.2))  # unbalanced, as life is


class Dense:
    """The same model with n x n matrices and a derivative-free search."""

    def __init__(self, X: Floats, y: Floats, s2: Floats, unit: NDArray[np.int64], several: bool):
        self.X, self.y, self.s2, self.several = X, y, s2, several
        self.Z = np.eye(unit.max() + 1)[unit]
        scale = float(y.std())
        starts = [0.3, 0.3] if several else [0.3]
        answer = minimize(
            lambda t: self.criterion(t * scale**2),
            starts,
            method="Nelder-Mead",
            bounds=[(0, 10)] * len(starts),
            options={"xatol": 1e-10, "fatol": 1e-11, "maxiter": 5000, "maxfev": 5000},
        )
        self.variances = answer.x * scale**2
        self.value = self.criterion(self.variances)
        self.predict()

    def covariance(self, theta: Floats) -> Floats:
        V = np.diag(self.s2) + theta[0] * self.Z @ self.Z.T
        return V + theta[1] * np.eye(len(self.y)) if self.several else V

    def criterion(self, theta: Floats) -> float:
        V = self.covariance(theta)
        Vi = np.linalg.inv(V)
        T = self.X.T @ Vi @ self.X
        r = self.y - self.X @ np.linalg.solve(T, self.X.T @ Vi @ self.y)
        constant = (len(self.y) - self.X.shape[1]) * np.log(2 * np.pi)
        return float(np.linalg.slogdet(V)[1] + np.linalg.slogdet(T)[1] + r @ Vi @ r + constant)

    def predict(self) -> None:
        Vi = np.linalg.inv(self.covariance(self.variances))
        T_inv = np.linalg.inv(self.X.T @ Vi @ self.X)
        self.beta = T_inv @ self.X.T @ Vi @ self.y
        self.V_beta = T_inv
        P = Vi - Vi @ self.X @ T_inv @ self.X.T @ Vi
        G = self.variances[0]
        self.u = G * self.Z.T @ P @ self.y
        self.pev = G - G**2 * np.diag(self.Z.T @ P @ self.Z)
        self.cond_var = G - G**2 * np.diag(self.Z.T @ Vi @ self.Z)
        if self.several:
            K = G * self.Z @ self.Z.T + self.variances[1] * np.eye(len(self.y))
            self.total = K @ P @ self.y
            self.total_pev = np.diag(K - K @ P @ K)


def test_one_year_agrees_with_dense_linear_algebra() -> None:
    frame = one_year()
    result = school_level_value_added(
        frame, SchoolLevelParameters(context=("poverty", "phase"), spread_rule="own")
    )
    X = np.column_stack(
        [np.ones(frame.height), frame["poverty"], (frame["phase"] == "secondary").cast(pl.Float64)]
    )
    s2 = (frame["spread"] ** 2 / frame["candidates"]).to_numpy()
    dense = Dense(X, frame["mean"].to_numpy(), s2, np.arange(frame.height), several=False)
    fixed, effects = result.fixed_effects, result.school_effects
    assert fixed["term"].to_list() == ["(Intercept)", "poverty", "phase[secondary]"]
    # Nelder-Mead stops about 1e-6 from the optimum; the criterion is flat there, hence 1e-9.
    assert result.summary["patterns"][0]["reml_criterion"] == pytest.approx(dense.value, rel=1e-9)
    np.testing.assert_allclose(result.variance_components["variance"], dense.variances, rtol=1e-5)
    np.testing.assert_allclose(fixed["estimate"], dense.beta, rtol=1e-5)
    np.testing.assert_allclose(fixed["se"], np.sqrt(np.diag(dense.V_beta)), rtol=1e-5)
    np.testing.assert_allclose(effects["estimate"], dense.u, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(effects["se_comparative"], np.sqrt(dense.pev), rtol=1e-5)
    np.testing.assert_allclose(effects["cond_sd"], np.sqrt(dense.cond_var), rtol=1e-5)
    np.testing.assert_allclose(
        effects["se_diagnostic"], np.sqrt(dense.variances[0] - dense.pev), rtol=1e-5
    )
    np.testing.assert_allclose(
        effects["reliability"], 1 - dense.pev / dense.variances[0], rtol=1e-5
    )


@pytest.mark.parametrize("by_year", [True, False])
def test_several_years_agree_with_dense_linear_algebra(by_year: bool) -> None:
    frame = several_years()
    result = school_level_value_added(
        frame,
        SchoolLevelParameters(
            context=("poverty",), spread_rule="own", coefficients_by_year=by_year
        ),
    )
    years = np.eye(4)[frame["year"].to_numpy() - 2019]
    poverty = frame["poverty"].to_numpy()[:, None]
    X = np.hstack([years, years * poverty]) if by_year else np.hstack([years, poverty])
    s2 = (frame["spread"] ** 2 / frame["candidates"]).to_numpy()
    unit = frame["school"].rank("dense").to_numpy().astype(np.int64) - 1
    dense = Dense(X, frame["mean"].to_numpy(), s2, unit, several=True)
    effects, yearly = result.school_effects, result.yearly_effects
    np.testing.assert_allclose(result.variance_components["variance"], dense.variances, rtol=2e-5)
    np.testing.assert_allclose(effects["estimate"], dense.u, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(effects["se_comparative"], np.sqrt(dense.pev), rtol=2e-5)
    np.testing.assert_allclose(effects["cond_sd"], np.sqrt(dense.cond_var), rtol=2e-5)
    np.testing.assert_allclose(yearly["estimate"], dense.total, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(yearly["se_comparative"], np.sqrt(dense.total_pev), rtol=2e-5)
    assert (
        effects["years"].to_list() == frame.group_by("school").len().sort("school")["len"].to_list()
    )
    assert effects["year"].null_count() == effects.height


def test_schools_that_differ_by_noise_alone_get_no_effect_and_the_fit_says_singular() -> None:
    frame = one_year().with_columns(
        mean=pl.Series(100 + 0.1 * np.cos(np.arange(40))), spread=pl.lit(40.0)
    )
    result = school_level_value_added(frame)
    assert result.summary["singular"] is True
    assert result.variance_components["variance"].to_list() == [0.0]
    assert result.school_effects["estimate"].abs().max() == 0.0
    assert result.school_effects["se_comparative"].max() == 0.0
    assert result.school_effects["reliability"].max() == 0.0


def test_a_school_year_given_twice_is_refused_with_its_row() -> None:
    frame = several_years()
    with pytest.raises(InputError, match="occurs twice") as caught:
        school_level_value_added(pl.concat([frame, frame[:1]]))
    assert caught.value.row == 2
