"""Where outcomes vary: against dense likelihood, known truth and exact small-sample theory."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

from brightspots.core.errors import InputError
from brightspots.insight.variability import (
    VariabilityParameters,
    spread_within,
    variance_decomposition,
)

TIERS = VariabilityParameters(("region", "council"), replicates=40)


def system(
    seed: int,
    regions: int = 6,
    councils: int = 4,
    schools: int = 6,
    sd: tuple[float, ...] = (6, 5, 8),
) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    region = np.repeat(np.arange(regions), councils * schools)
    council = np.repeat(np.arange(councils * regions), schools)
    n = rng.integers(10, 60, len(region))
    y = (
        150
        + rng.normal(0, sd[0], regions)[region]
        + rng.normal(0, sd[1], regions * councils)[council]
        + rng.normal(0, sd[2], len(region))
        + rng.normal(0, 30, len(region)) / np.sqrt(n)
    )
    return pl.DataFrame(
        {
            "school": [f"s{i:04}" for i in range(len(region))],
            "region": [f"r{i}" for i in region],
            "council": [f"c{i % councils}" for i in council],  # the same names in every region
            "mean": y,
            "candidates": n,
            "spread": 30.0,
        }
    )


def test_components_agree_with_dense_likelihood() -> None:
    frame = system(1)
    result = variance_decomposition(frame, TIERS)
    path = frame.select(pl.concat_str("region", "council")).to_series()
    designs = [
        np.eye(path.n_unique())[path.rank("dense").to_numpy() - 1],
        np.eye(6)[frame["region"].rank("dense").to_numpy() - 1],
    ]
    y = frame["mean"].to_numpy()
    s2 = (frame["spread"] ** 2 / frame["candidates"]).to_numpy()
    one = np.ones(len(y))

    def criterion(theta: np.ndarray) -> float:
        V = np.diag(s2 + theta[0])
        for variance, Z in zip(theta[1:], designs, strict=True):
            V = V + variance * Z @ Z.T
        Vi = np.linalg.inv(V)
        T = one @ Vi @ one
        r = y - (one @ Vi @ y) / T
        return float(np.linalg.slogdet(V)[1] + np.log(T) + r @ Vi @ r)

    best = minimize(
        criterion,
        [50.0, 20.0, 20.0],
        method="Nelder-Mead",
        bounds=[(0, 1000)] * 3,
        options={"xatol": 1e-7, "fatol": 1e-11, "maxiter": 5000, "maxfev": 5000},
    )
    ours = result.tiers.filter(pl.col("tier") != "pupil")["variance"].to_numpy()
    np.testing.assert_allclose(ours, best.x[::-1], rtol=1e-4)  # Nelder-Mead's own accuracy
    # At an end of the profile interval the minimum over the others is chi-square(.95) higher.
    region = result.tiers.row(0, named=True)
    for end in (region["sd_lower"], region["sd_upper"]):
        others = minimize(
            lambda t, fixed=end**2: criterion(np.array([t[0], t[1], fixed])),
            best.x[:2],
            method="Nelder-Mead",
            bounds=[(0, 1000)] * 2,
            options={"xatol": 1e-6, "fatol": 1e-9},
        )
        if end > 0:
            assert others.fun - best.fun == pytest.approx(3.8415, abs=5e-3)


def test_shares_add_up_and_lie_in_their_intervals() -> None:
    tiers = variance_decomposition(system(2), TIERS).tiers
    between = tiers.filter(pl.col("tier") != "pupil")
    assert tiers["tier"].to_list() == ["region", "council", "school", "pupil"]
    assert tiers["units"].to_list()[:3] == [6, 24, 144]
    assert between["share"].sum() == pytest.approx(1)
    assert tiers["share_of_pupil_variance"].sum() == pytest.approx(1)
    assert (between["share_lower"] <= between["share_upper"]).all()
    assert (between["sd_lower"] <= between["sd"]).all()
    assert (between["sd"] <= between["sd_upper"]).all()


def test_schools_that_differ_by_noise_alone_show_no_variance() -> None:
    frame = system(3).with_columns(mean=100 + pl.int_range(144).cast(pl.Float64).cos() * 0.1)
    tiers = variance_decomposition(frame, TIERS).tiers
    assert tiers.filter(pl.col("tier") != "pupil")["variance"].to_list() == [0.0, 0.0, 0.0]


def test_same_seed_same_bytes_whatever_the_order_and_names() -> None:
    frame = system(4)
    first = variance_decomposition(frame, TIERS, seed=7).tiers
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1).with_columns(
        pl.col("school").str.replace("s", "z"),
        pl.col("region").replace({"r0": "north", "r3": "a"}),
    )
    assert variance_decomposition(shuffled, TIERS, seed=7).tiers.equals(first)


def test_intervals_hold_the_true_spread_of_regions_as_often_as_they_say() -> None:
    """60 systems of 12 regions: 95 % nominal, Monte Carlo error .028, so 86 % is 3 below."""
    held = 0
    few = VariabilityParameters(("region", "council"), replicates=0)
    for seed in range(60):
        row = variance_decomposition(system(seed + 50, 12, 3, 4), few).tiers.row(0, named=True)
        held += row["sd_lower"] <= 6 <= row["sd_upper"]
    assert held >= 52


def test_trend_over_years_recovers_a_widening_gap() -> None:
    years = [
        system(10 + i, regions=30, sd=(4 + i, 3, 6)).with_columns(year=2018 + i) for i in range(5)
    ]
    trend = variance_decomposition(pl.concat(years), TIERS).trend
    region = trend.filter(pl.col("tier") == "region").row(0, named=True)
    assert region["lower"] <= 1.0 <= region["upper"]
    assert region["lower"] > 0
    assert variance_decomposition(years[0], TIERS).trend.height == 0


def test_a_school_without_an_area_is_refused_with_its_row() -> None:
    frame = system(1).with_columns(
        council=pl.when(pl.col("school") != "s0002").then(pl.col("council"))
    )
    with pytest.raises(InputError) as caught:
        variance_decomposition(frame, TIERS)
    assert (caught.value.row, caught.value.column) == (4, "council")


def test_two_schools_are_too_few_to_speak_of_spread() -> None:
    result = spread_within(np.array([1.0, 2.0]), np.array([0.1, 0.1]))
    assert result.too_few
    assert result.sd is None


def test_spread_of_equally_known_schools_has_a_closed_form() -> None:
    # Equal variances: REML is max(0, s^2 - v); the interval inverts (k - 1) s^2 / (v + t).
    y = np.array([1.0, 4.0, 2.0, 9.0, 6.0])
    result = spread_within(y, np.full(5, 2.0))
    assert result.sd == pytest.approx(np.sqrt(y.var(ddof=1) - 2), rel=1e-6)
    total = 4 * y.var(ddof=1)
    assert result.lower == pytest.approx(np.sqrt(max(total / 11.143287 - 2, 0)), rel=1e-5)
    assert result.upper == pytest.approx(np.sqrt(total / 0.484419 - 2), rel=1e-5)


def test_interval_of_a_small_partnership_covers_as_stated() -> None:
    """6 schools, 600 partnerships: Monte Carlo error .009, so 92.3 to 97.7 % is 3 of them."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(600):
        s2 = rng.uniform(0.5, 4, 6)
        result = spread_within(rng.normal(0, np.sqrt(1.5**2 + s2)), s2)
        assert result.lower is not None
        assert result.upper is not None
        held += result.lower <= 1.5 <= result.upper
    assert 0.923 <= held / 600 <= 0.977


@pytest.mark.real_data
def test_tanzania_most_variance_lies_within_councils(real_data: Path) -> None:
    frame = pl.read_csv(
        real_data / "tanzania" / "necta_psle_2022_school_results.csv.gz",
        infer_schema_length=None,
        null_values=["", "NA"],
    ).select(
        school="school_id",
        mean="average_300",
        candidates="num_sitters",
        region="region_name",
        council="council_name",
    )
    result = variance_decomposition(
        frame.with_columns(spread=pl.lit(40.0)),
        VariabilityParameters(("region", "council"), replicates=20),
    )
    share = dict(result.tiers.select("tier", "share").iter_rows())
    assert result.tiers["units"].to_list()[:3] == [26, 184, 17_900]
    assert share["school"] > 0.5
    assert 0.05 < share["region"] < 0.2
