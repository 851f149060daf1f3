"""Effects against published and dense reference values, known truth, and what must not matter."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

from brightspots.evidence.aggregates import Kind
from brightspots.evidence.imputation import imputation_att
from brightspots.evidence.panel import PanelColumns, read_panel
from brightspots.evidence.parameters import ImpactParameters
from brightspots.evidence.pretrends import pre_trends
from brightspots.evidence.uncertainty import simultaneous
from tests.library.evidence_panels import COLUMNS, both, put_together, staggered, truth

MPDTA = PanelColumns("countyreal", "year", "first.treat", "lemp")
CASTLE = PanelColumns("sid", "year", "treatment_date", "l_homicide")
CASES = [
    "mpdta|nevertreated|dr|none", "mpdta|notyettreated|dr|none", "mpdta|nevertreated|reg|lemp~lpop",
    "mpdta|nevertreated|dr|lemp~lpop", "castle|nevertreated|reg|none",
    "castle|notyettreated|reg|none",
]  # fmt: skip


def case(real_data: Path, name: str) -> tuple[pl.DataFrame, PanelColumns, dict[str, Any], Any]:
    """Data, columns, settings and csdid's answers."""
    data, control, method, formula = name.split("|")
    frame = pl.read_csv(real_data / "staggered" / f"{data}.csv", infer_schema_length=None)
    columns = MPDTA if data == "mpdta" else CASTLE
    if "lpop" in formula:
        columns = replace(columns, covariates=("lpop",))
    reference = json.loads((real_data / "staggered" / "did_reference.json").read_text())[name]
    settings = {"control": "never" if control == "nevertreated" else "notyet", "method": method}
    return frame, columns, settings, reference


@pytest.mark.real_data
@pytest.mark.parametrize("name", CASES)
def test_effects_and_errors_are_those_of_csdid(real_data: Path, name: str) -> None:
    """Analytic standard errors; those csdid gives for cells are from a bootstrap with a seed.

    The agreement reached is 1e-13; 1e-9 leaves room for other linear algebra.
    """
    frame, columns, settings, reference = case(real_data, name)
    panel, found = both(frame, columns, **settings)
    ours = {(float(g), float(t)): att for g, t, att in
            found.cells.select("group", "time", "att").iter_rows()}  # fmt: skip
    assert ours == pytest.approx(
        {(each["group"], each["t"]): each["att"] for each in reference["attgt"]}, abs=1e-9
    )
    simple = put_together(panel, found).overall
    assert simple.att == pytest.approx(reference["simple_att"], abs=1e-9)
    assert simple.se == pytest.approx(reference["simple_se"], abs=1e-9)
    for kind in ("dynamic", "group"):
        whole = put_together(panel, found, kind).overall
        assert whole.att == pytest.approx(reference[f"{kind}_overall"], abs=1e-9)
        assert whole.se == pytest.approx(reference[f"{kind}_overall_se"], abs=1e-9)
    events = put_together(panel, found, "dynamic").parts
    assert events["event_time"].to_list() == reference["egt"]
    assert events["att"].to_list() == pytest.approx(reference["att_egt"], abs=1e-9)
    assert events["se"].to_list() == pytest.approx(reference["se_egt"], abs=1e-9)


@pytest.mark.real_data
def test_imputation_on_mpdta_is_the_published_value(real_data: Path) -> None:
    frame, columns, _, _ = case(real_data, CASES[0])
    found = imputation_att(read_panel(frame, columns)).overall
    assert found.att == pytest.approx(-0.0477, abs=5e-5)


@pytest.mark.real_data
@pytest.mark.parametrize(("covariates", "p"), [((), 0.16812), (("lpop",), 0.23267)])
def test_the_test_of_equal_trends_is_that_of_r_did(
    real_data: Path, covariates: tuple[str, ...], p: float
) -> None:
    """P-values that the introduction of R's did prints for mpdta."""
    frame, _, _, _ = case(real_data, CASES[0])
    parameters = ImpactParameters(method="dr")
    panel, found = both(frame, replace(MPDTA, covariates=covariates), method="dr")
    assert pre_trends(found, parameters, panel.n).p_value == pytest.approx(p, abs=1e-4)


@pytest.mark.real_data
def test_with_few_states_trends_are_tested_by_time_before_treatment(real_data: Path) -> None:
    frame, columns, settings, _ = case(real_data, CASES[4])
    panel, found = both(frame, columns, **settings)
    tested = pre_trends(found, ImpactParameters(), panel.n)
    assert (tested.n, tested.reference) == (7, "F(7, 43)")
    assert tested.p_value is not None
    assert 0 < tested.p_value < 1


@pytest.mark.real_data
def test_a_group_of_one_state_has_no_interval(real_data: Path) -> None:
    frame, columns, settings, _ = case(real_data, CASES[4])
    _, found = both(frame, columns, **settings)
    alone = found.cells.filter(pl.col("treated_units") == 1)
    assert alone["group"].unique().sort().to_list() == ["2009"]
    assert alone["lower"].null_count() == alone.height
    assert alone["why"].str.contains("one treated cluster").all()


def by_hand(frame: pl.DataFrame, g: int, t: int, base: int, covariates: bool) -> float:
    """Doubly robust effect with a general optimiser and least squares on dummies."""
    wide = frame.pivot("year", index=["school", "first", "x"], values="score")
    used = wide.filter(pl.col("first").is_in([g, 0]))
    y = (used[str(t)] - used[str(base)]).to_numpy()
    D = (used["first"] == g).to_numpy().astype(float)
    X = np.column_stack([np.ones(len(y)), used["x"].to_numpy() * covariates])[:, : 1 + covariates]

    def loss(beta: Any) -> float:
        eta = X @ beta
        return float(np.logaddexp(0, eta).sum() - D @ eta)

    beta = minimize(loss, np.zeros(X.shape[1]), method="BFGS", options={"gtol": 1e-9}).x
    odds = np.exp(X @ beta)
    fit = X @ np.linalg.lstsq(X[D == 0], y[D == 0], rcond=None)[0]
    rest = y - fit
    w0 = odds * (1 - D)
    return float(rest[D == 1].mean() - (w0 @ rest) / w0.sum())


@pytest.mark.parametrize("covariates", [False, True])
def test_effects_are_those_of_a_general_optimiser(covariates: bool) -> None:
    frame = staggered(3, confounded=0.1)
    columns = replace(COLUMNS, covariates=("x",)) if covariates else COLUMNS
    _, found = both(frame, columns)
    cells = {(row[0], row[1]): row[2] for row in found.cells.iter_rows()}
    for g, t, base in ((3, 5, 2), (4, 6, 3), (5, 2, 1), (5, 5, 4)):
        dense = by_hand(frame, g, t, base, covariates)
        assert cells[(str(g), str(t))] == pytest.approx(dense, abs=1e-6)


@pytest.mark.parametrize("method", ["dr", "reg"])
def test_errors_are_those_of_the_jackknife(method: str) -> None:
    """Leaving units out one at a time knows nothing of influence functions."""
    kinds: tuple[Kind, ...] = ("simple", "dynamic", "group", "calendar")
    frame = staggered(4, n=90, confounded=0.1)
    columns = replace(COLUMNS, covariates=("x",), weights="pupils")
    panel, found = both(frame, columns, method=method)
    parts = frame.partition_by("school", maintain_order=True)
    left = []
    for at in range(len(parts)):
        rest, without = both(pl.concat(parts[:at] + parts[at + 1 :]), columns, method=method)
        left.append([put_together(rest, without, kind).overall.att or 0.0 for kind in kinds])
    n = len(left)
    spread = np.square(np.array(left) - np.mean(left, axis=0)).sum(axis=0)
    jackknife = np.sqrt((n - 1) / n * spread)
    ours = [put_together(panel, found, kind).overall.se for kind in kinds]
    assert ours == pytest.approx(jackknife.tolist(), rel=0.15)  # larger by a term of order 1/n


def test_covariates_mend_what_a_plain_comparison_gets_wrong() -> None:
    frame = staggered(5, n=1500, confounded=0.15)
    plain = put_together(*both(frame)).overall
    adjusted = put_together(*both(frame, replace(COLUMNS, covariates=("x",)))).overall
    assert adjusted.lower is not None
    assert plain.lower is not None
    assert adjusted.lower < truth(frame) < adjusted.upper  # type: ignore[operator]
    assert plain.lower > truth(frame)


def dense_imputation(
    frame: pl.DataFrame, x: bool, anticipation: int, weight: str | None
) -> tuple[float, float]:
    """Imputation with a dummy for every unit and period, and its variance, written out."""
    frame = frame.sort("school", "year")
    first = frame["first"].to_numpy()
    year = frame["year"].to_numpy()
    untreated = (first == 0) | (year + anticipation < first)
    treated = (first > 0) & (year >= first)
    w = frame[weight].to_numpy().astype(float) if weight else np.ones(frame.height)
    dummies = [frame["school"].to_dummies().to_numpy(), frame["year"].to_dummies().to_numpy()]
    if x:
        dummies.append(dummies[1] * frame["x"].to_numpy()[:, None])
    Z = np.hstack(dummies).astype(float)
    y = frame["score"].to_numpy()
    Z0, root = Z[untreated], np.sqrt(w[untreated])
    beta = np.linalg.lstsq(Z0 * root[:, None], y[untreated] * root, rcond=None)[0]
    tau = y - Z @ beta
    w1 = w[treated] / w[treated].sum()
    att = float(w1 @ tau[treated])
    v = np.zeros(len(y))
    v[treated] = w1
    # Weights of untreated rows: the estimate is linear in y.
    inner = np.linalg.pinv((Z0 * w[untreated][:, None]).T @ Z0)
    v[untreated] = -w[untreated] * (Z0 @ (inner @ (Z[treated].T @ w1)))
    residual = tau.copy()
    for g in np.unique(first[treated]):
        for t in np.unique(year):
            here = treated & (first == g) & (year == t)
            if here.any():
                residual[here] -= (v[here] @ tau[here]) / v[here].sum()
    residual[~(treated | untreated)] = 0.0
    school = frame["school"].to_numpy()
    sums = [((v * residual)[school == each]).sum() for each in np.unique(school)]
    return att, float(np.sqrt(np.square(sums).sum()))


@pytest.mark.parametrize(
    ("x", "anticipation", "weight"), [(False, 0, None), (True, 0, None), (True, 1, "pupils")]
)
def test_imputation_is_that_of_a_dummy_for_everything(
    x: bool, anticipation: int, weight: str | None
) -> None:
    frame = staggered(6, n=60)
    columns = replace(COLUMNS, covariates=("x",) if x else (), weights=weight)
    panel = read_panel(frame, columns, anticipation=anticipation)
    ours = imputation_att(panel, ImpactParameters(anticipation=anticipation)).overall
    used = frame.filter(pl.col("school").is_in(panel.units.implode()))
    att, se = dense_imputation(used, x, anticipation, weight)
    assert ours.att == pytest.approx(att, abs=1e-8)
    assert ours.se == pytest.approx(se, abs=1e-8)


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_hold_the_truth_as_often_as_they_say(clustered: bool) -> None:
    """Standard error of a share of 200 is about 1.6 %."""
    runs = 200
    columns = replace(COLUMNS, cluster="partnership") if clustered else COLUMNS
    held = {"group-time": 0, "imputation": 0}
    for seed in range(runs):
        frame = staggered(
            1000 + seed, n=80, T=5, per_cluster=4 if clustered else 1,
            cluster_sd=0.3 if clustered else 0.0,
        )  # fmt: skip
        panel, found = both(frame, columns, control="notyet")
        true = truth(frame)
        estimates = {
            "group-time": put_together(panel, found).overall,
            "imputation": imputation_att(panel).overall,
        }
        for name, each in estimates.items():
            held[name] += (each.lower or 99.0) <= true <= (each.upper or -99.0)
    for name, times in held.items():
        assert 0.91 <= times / runs <= 0.99, (name, times / runs)


def test_clusters_widen_what_schools_alone_would_claim() -> None:
    frame = staggered(8, n=200, per_cluster=5, cluster_sd=0.5)
    apart = put_together(*both(frame)).overall
    together = put_together(*both(frame, replace(COLUMNS, cluster="partnership"))).overall
    assert together.att == pytest.approx(apart.att)
    assert together.se is not None
    assert apart.se is not None
    assert together.se > 1.4 * apart.se
    assert together.df is not None
    assert together.df < 40


def test_a_cluster_for_each_school_changes_errors_by_little() -> None:
    frame = staggered(8)
    apart = put_together(*both(frame)).overall
    own = frame.with_columns(own="c" + pl.col("school"))
    each = put_together(*both(own, replace(COLUMNS, cluster="own"))).overall
    assert each.se == pytest.approx(apart.se, rel=0.02)


def test_rows_names_and_the_unit_of_the_outcome_do_not_matter() -> None:
    frame = staggered(9, confounded=0.1)
    columns = replace(COLUMNS, covariates=("x",))
    panel, found = both(frame, columns)
    first = put_together(panel, found, "dynamic")
    shuffled = put_together(*both(frame.sample(fraction=1, shuffle=True, seed=1), columns),
                            "dynamic")  # fmt: skip
    assert shuffled.parts.equals(first.parts)
    other = frame.with_columns(
        school=pl.col("school").str.reverse(), score=pl.col("score") * 100 + 500,
        x=pl.col("x") * 3 - 7,
    )  # fmt: skip
    renamed = put_together(*both(other, columns), "dynamic")
    assert renamed.overall.att == pytest.approx(100 * (first.overall.att or 0), rel=1e-9)
    assert renamed.overall.se == pytest.approx(100 * (first.overall.se or 0), rel=1e-9)


def test_anticipation_moves_the_base_and_takes_its_groups_out() -> None:
    frame = staggered(10)
    panel, found = both(frame, anticipation=1)
    bases = {(g, t): base for g, t, base in found.cells.select("group", "time", "base").iter_rows()}
    assert bases[("4", "6")] == "2"
    assert bases[("5", "4")] == "3"
    dip = frame.with_columns(
        score=pl.col("score") - pl.when(pl.col("year") == pl.col("first") - 1).then(2.0)
        .otherwise(0.0)
    )  # fmt: skip
    with_dip = put_together(*both(dip, anticipation=1)).overall
    assert with_dip.att == pytest.approx(put_together(panel, found).overall.att, abs=1e-9)


def test_a_universal_base_gives_the_same_effects_after_treatment() -> None:
    frame = staggered(11)
    varying = both(frame)[1].cells.filter(pl.col("event_time") >= 0)
    universal = both(frame, base_period="universal")[1].cells
    assert universal.filter(pl.col("event_time") >= 0)["att"].equals(varying["att"])
    base = universal.filter(pl.col("event_time") == -1)
    assert base["att"].to_list() == [0.0] * base.height
    assert base["lower"].null_count() == base.height


def test_bands_that_hold_together_are_wider_and_hold() -> None:
    """The bands' share of misses over a family of 5 correlated normals, known covariance."""
    rng = np.random.default_rng(0)
    root = rng.standard_normal((5, 5)) + 0.5
    cov = root @ root.T
    value = simultaneous(cov, np.inf, 0.95, seed=3, draws=100_000)
    z = rng.standard_normal((100_000, 5)) @ root.T / np.sqrt(np.diag(cov))
    assert (np.abs(z).max(axis=1) > value).mean() == pytest.approx(0.05, abs=0.004)
    events = put_together(*both(staggered(12)), "dynamic").parts.drop_nulls("lower")
    assert (events["band_lower"] < events["lower"]).all()
    assert (events["band_upper"] > events["upper"]).all()
    same = put_together(*both(staggered(12)), "dynamic").parts.drop_nulls("lower")
    assert same.equals(events)
