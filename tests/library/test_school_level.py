"""Value added from school figures, held against dense linear algebra, lme4 and known truth."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from brightspots.core.errors import InputError
from brightspots.insight.grade_counts import grade_summary, necta_psle_bands
from brightspots.insight.nested_reml import Nest, effects, fit_nested, nest_of
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
    fixed, schools = result.fixed_effects, result.school_effects
    assert fixed["term"].to_list() == ["(Intercept)", "poverty", "phase[secondary]"]
    # Nelder-Mead stops about 1e-6 from the optimum; the criterion is flat there, hence 1e-9.
    assert result.summary["patterns"][0]["reml_criterion"] == pytest.approx(dense.value, rel=1e-9)
    np.testing.assert_allclose(result.variance_components["variance"], dense.variances, rtol=1e-5)
    np.testing.assert_allclose(fixed["estimate"], dense.beta, rtol=1e-5)
    np.testing.assert_allclose(fixed["se"], np.sqrt(np.diag(dense.V_beta)), rtol=1e-5)
    np.testing.assert_allclose(schools["estimate"], dense.u, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(schools["se_comparative"], np.sqrt(dense.pev), rtol=1e-5)
    np.testing.assert_allclose(schools["cond_sd"], np.sqrt(dense.cond_var), rtol=1e-5)
    np.testing.assert_allclose(
        schools["se_diagnostic"], np.sqrt(dense.variances[0] - dense.pev), rtol=1e-5
    )
    np.testing.assert_allclose(
        schools["reliability"], 1 - dense.pev / dense.variances[0], rtol=1e-5
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
    schools, yearly = result.school_effects, result.yearly_effects
    np.testing.assert_allclose(result.variance_components["variance"], dense.variances, rtol=2e-5)
    np.testing.assert_allclose(schools["estimate"], dense.u, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(schools["se_comparative"], np.sqrt(dense.pev), rtol=2e-5)
    np.testing.assert_allclose(schools["cond_sd"], np.sqrt(dense.cond_var), rtol=2e-5)
    np.testing.assert_allclose(yearly["estimate"], dense.total, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(yearly["se_comparative"], np.sqrt(dense.total_pev), rtol=2e-5)
    assert (
        schools["years"].to_list() == frame.group_by("school").len().sort("school")["len"].to_list()
    )
    assert schools["year"].null_count() == schools.height


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


def test_missing_context_is_judged_by_the_model_of_what_is_known() -> None:
    frame = one_year(schools=120).with_columns(
        poverty=pl.when(pl.int_range(120) >= 40).then(pl.col("poverty"))
    )
    chosen = SchoolLevelParameters(context=("poverty", "phase"), spread_rule="own")
    result = school_level_value_added(frame, chosen).school_effects
    assert result["context_used"].to_list() == ["phase"] * 40 + ["poverty + phase"] * 80
    complete = school_level_value_added(frame.drop_nulls("poverty"), chosen).school_effects
    reduced = school_level_value_added(
        frame, SchoolLevelParameters(context=("phase",), spread_rule="own")
    )
    for column in ("estimate", "se_comparative", "expected"):
        np.testing.assert_allclose(result[column][40:], complete[column], rtol=1e-6)
        np.testing.assert_allclose(
            result[column][:40], reduced.school_effects[column][:40], rtol=1e-6
        )


def test_a_rare_pattern_falls_back_to_the_largest_common_part() -> None:
    frame = one_year(schools=120).with_columns(
        poverty=pl.when(pl.int_range(120) >= 5).then(pl.col("poverty")),
        phase=pl.when(pl.int_range(120) < 80).then(pl.col("phase")),
    )
    used = school_level_value_added(
        frame, SchoolLevelParameters(context=("poverty", "phase"))
    ).school_effects["context_used"]
    # 75 schools have both, 40 poverty alone; 5 with phase alone are too few for a model.
    assert used.to_list() == ["none"] * 5 + ["poverty + phase"] * 75 + ["poverty"] * 40


def test_a_term_that_cannot_be_identified_is_named_and_changes_nothing() -> None:
    frame = one_year().with_columns(twice=pl.col("poverty") * 2 + 1, same=pl.lit(3.0))
    with_both = school_level_value_added(
        frame, SchoolLevelParameters(context=("poverty", "twice", "same"))
    )
    alone = school_level_value_added(frame, SchoolLevelParameters(context=("poverty",)))
    assert with_both.not_identified == ("twice", "same")
    np.testing.assert_allclose(
        with_both.school_effects["estimate"], alone.school_effects["estimate"], rtol=1e-8
    )


def test_a_school_without_a_spread_gets_the_pooled_one_and_says_so() -> None:
    frame = one_year().with_columns(
        spread=pl.when(pl.col("school") != "s007").then(pl.col("spread"))
    )
    result = school_level_value_added(frame, SchoolLevelParameters(spread_rule="own"))
    flagged = result.school_effects.filter("spread_pooled")
    assert flagged["school"].to_list() == ["s007"]
    known = frame.drop_nulls("spread")
    weight = known["candidates"] - 1
    pooled = float((weight * known["spread"] ** 2).sum() / weight.sum())
    row = result.yearly_effects.filter(pl.col("school") == "s007")
    n = frame.filter(pl.col("school") == "s007")["candidates"].item()
    assert row["sampling_variance"].item() == pytest.approx(pooled / n)


def test_two_pupils_with_nearly_equal_marks_do_not_make_a_school_certain() -> None:
    frame = one_year().with_columns(
        candidates=pl.when(pl.col("school") == "s000").then(2).otherwise(pl.col("candidates")),
        spread=pl.when(pl.col("school") == "s000").then(1.0).otherwise(pl.col("spread")),
    )
    row = school_level_value_added(frame).school_effects.row(0, named=True)
    assert row["reliability"] < 0.3


def test_no_spread_anywhere_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="pupil_sd"):
        school_level_value_added(one_year().drop("spread"))
    given = school_level_value_added(one_year().drop("spread"), SchoolLevelParameters(pupil_sd=40))
    assert given.school_effects["spread_pooled"].all()


def test_rows_without_an_outcome_are_dropped_and_counted() -> None:
    frame = one_year().with_columns(
        mean=pl.when(pl.col("school") != "s003").then(pl.col("mean")),
        candidates=pl.when(pl.col("school") != "s004").then(pl.col("candidates")).otherwise(0),
    )
    assert school_level_value_added(frame).summary["n_dropped"] == 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 1000), st.floats(-1000, 1000))
def test_order_names_and_scale_do_not_matter(seed: int, scale: float, shift: float) -> None:
    frame = several_years()
    chosen = SchoolLevelParameters(context=("poverty",))
    plain = school_level_value_added(frame, chosen).school_effects
    rng = np.random.default_rng(seed)
    names = sorted(frame["school"].unique())
    new = dict(zip(names, rng.permutation([f"n{i:03}" for i in range(len(names))]), strict=True))
    shuffled = frame[rng.permutation(frame.height).tolist()].with_columns(
        pl.col("school").replace(new)
    )
    again = school_level_value_added(shuffled, chosen).school_effects
    back = again.with_columns(pl.col("school").replace({v: k for k, v in new.items()}))
    assert back.sort("school").equals(plain)  # to the last bit
    moved = frame.with_columns(mean=pl.col("mean") * scale + shift, spread=pl.col("spread") * scale)
    other = school_level_value_added(moved, chosen).school_effects
    # The optimum is found to about 1e-9 and 200 / .01 costs digits; 1e-5 is far below any use.
    for column in ("estimate", "se_comparative"):
        np.testing.assert_allclose(
            other[column] / scale, plain[column], rtol=1e-5, atol=1e-5 * plain[column].std()
        )


@pytest.mark.real_data
def test_england_ks2_panel_agrees_with_lme4(real_data: Path) -> None:
    """`MATPROG ~ year + PTFSM6CLA1A + TKS1AVERAGE + (1 | LEA/URN)`, REML, lme4 1.1-31, tight.

    No sampling variances there: lme4's residual is our school-year component with var(e) = 0. The
    one thing school-level value added does not have is a random effect of the two counties. A
    Gaussian effect is the same as a coefficient with a pseudo-observation "0 = b_county + error,
    var = lme4's county variance"; scaled by 1e4 the pseudo-schools' own components vanish in it
    (relative 1e-7), so given that variance everything else must agree.
    """
    folder = real_data / "england"
    stored = json.loads((folder / "ks2_maths_progress_panel.json").read_text())["tight"]
    frame = (
        pl.read_csv(folder / "ks2_maths_panel_long.csv", infer_schema_length=None, null_values="NA")
        .select("URN", "LEA", "year", "MATPROG", "PTFSM6CLA1A", "TKS1AVERAGE")
        .drop_nulls()
    )
    assert frame.height == 1553
    years = sorted(frame["year"].unique())
    rows = np.column_stack(
        [np.ones(frame.height)]
        + [(frame["year"] == y).cast(pl.Float64) for y in years[1:]]
        + [frame["PTFSM6CLA1A"], frame["TKS1AVERAGE"]]
        + [(frame["LEA"] == area).cast(pl.Float64) for area in sorted(frame["LEA"].unique())]
    )
    big = 1e4
    county_variance = {v["grp"]: v["vcov"] for v in stored["variance_components"]}["LEA"]
    pseudo = np.hstack([np.zeros((2, 5)), big * np.eye(2)])
    X = np.vstack([rows, pseudo])
    y = np.append(frame["MATPROG"].to_numpy(), [0.0, 0.0])
    s2 = np.append(np.zeros(frame.height), np.full(2, big**2 * county_variance))
    unit = frame["URN"].rank("dense").to_numpy().astype(np.int64) - 1
    unit = np.append(unit, [unit.max() + 1, unit.max() + 2])
    nest = Nest(np.column_stack([X, y]), s2, nest_of([unit]))
    fit = fit_nested(nest)
    expected = {v["grp"]: v["vcov"] for v in stored["variance_components"]}
    assert fit.variances[0] == pytest.approx(expected["Residual"], rel=1e-4)
    assert fit.variances[1] == pytest.approx(expected["URN:LEA"], rel=1e-4)
    se = np.sqrt(np.diag(fit.V_beta))
    for k, term in enumerate(stored["fixed_effects"]):
        assert fit.beta[k] == pytest.approx(term["estimate"], rel=1e-4, abs=1e-4 * se[k])
        assert se[k] == pytest.approx(term["se"], rel=1e-4)
    blups = pl.read_csv(folder / "ks2_maths_progress_panel_blups.csv").filter(
        pl.col("grpvar") == "URN:LEA"
    )
    schools = frame["URN"].unique().sort().to_list()
    ours = dict(zip(schools, effects(nest, fit, 1).estimate[:-2], strict=True))
    theirs = {int(g.split(":")[0]): v for g, v in blups.select("grp", "condval").iter_rows()}
    assert ours.keys() == theirs.keys()
    # Relative to the spread of effects: an effect near 0 has no relative accuracy in lme4 either.
    difference = np.array([ours[s] - theirs[s] for s in schools])
    assert np.abs(difference).max() < 1e-4 * np.std(list(theirs.values()))


@pytest.mark.real_data
def test_england_ks2_panel_through_the_front_door_with_counties_as_a_factor(
    real_data: Path,
) -> None:
    """Counties fixed instead of random: the same schools' components to within their noise."""
    frame = pl.read_csv(
        real_data / "england" / "ks2_maths_panel_long.csv",
        infer_schema_length=None,
        null_values="NA",
        schema_overrides={"LEA": pl.String},
    ).drop_nulls(["MATPROG", "PTFSM6CLA1A", "TKS1AVERAGE"])
    result = school_level_value_added(
        frame.with_columns(sampling_variance=pl.lit(0.0)),
        SchoolLevelParameters(
            context=("PTFSM6CLA1A", "TKS1AVERAGE", "LEA"),
            outcome="MATPROG",
            school="URN",
            coefficients_by_year=False,
        ),
    )
    variance = dict(result.variance_components.select("component", "variance").iter_rows())
    # lme4, counties random: 2.2031 and 2.2727. One more fixed effect in 554 schools: under .5 %.
    assert variance["school"] == pytest.approx(2.2031, rel=5e-3)
    assert variance["school_year"] == pytest.approx(2.2727, rel=5e-3)
    slope = dict(result.fixed_effects.select("term", "estimate").iter_rows())
    assert slope["PTFSM6CLA1A"] == pytest.approx(-0.03912, rel=0.02)


@pytest.mark.real_data
def test_tanzania_from_grade_counts_to_value_added(real_data: Path) -> None:
    folder = real_data / "tanzania"
    read = {"infer_schema_length": None, "null_values": ["", "NA"]}
    results = pl.read_csv(folder / "necta_psle_2022_school_results.csv.gz", **read)
    people = pl.read_csv(folder / "school_coordinates_population.csv.gz", **read)
    graded = grade_summary(results, necta_psle_bands([f"n_all_{g}" for g in "ABCDE"]))
    both = graded.drop_nulls(["average_300", "grade_mean"])
    # The published average and that of the bands, 17,900 schools: the bands are the right ones.
    assert float(np.corrcoef(both["average_300"], both["grade_mean"])[0, 1]) > 0.99
    frame = graded.join(people, on="school_id", how="left").select(
        school="school_id",
        mean="average_300",
        candidates="graded",
        spread="grade_spread",
        log_population=pl.when(pl.col("pop_3km") > 0).then(pl.col("pop_3km")).log(),
    )
    result = school_level_value_added(frame, SchoolLevelParameters(context=("log_population",)))
    effects_frame = result.school_effects
    assert result.summary["n_schools"] == 17_900
    assert result.summary["n_dropped"] == 35
    assert not result.summary["singular"]
    assert dict(effects_frame["context_used"].value_counts().iter_rows()) == {
        "log_population": 16_329,
        "none": 1_571,
    }
    assert result.sd_unit is not None
    assert 45 < result.sd_unit < 55
    assert effects_frame["reliability"].is_between(0, 1).all()
    assert effects_frame["estimate"].is_finite().all()
