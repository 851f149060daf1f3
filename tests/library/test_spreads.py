"""Spread of many groups at once, and its trend: one at a time, and in simulation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.insight.spreads import spread_of_groups, spread_trend
from brightspots.insight.variability import spread_within


def panel(
    seed: int,
    groups: int = 300,
    schools: int = 12,
    years: int = 4,
    sd: tuple[float, ...] = (0.2, 0.18, 0.16, 0.14),
    lasting: float = 0.7,
    noise: float = 0.01,
) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    count = groups * schools
    z = np.repeat(draw.normal(size=count), years) * np.sqrt(lasting)
    z += np.sqrt(1 - lasting) * draw.normal(size=count * years)
    year = np.tile(np.arange(years), count)
    s2 = noise * draw.uniform(0.5, 2, count * years)
    name = np.repeat(np.arange(count), years)
    return pl.DataFrame(
        {
            "group": [f"g{i // schools:03}" for i in name],
            "school": [f"s{i:05}" for i in name],
            "year": 2020 + year,
            "residual": z * np.array(sd)[year] + draw.normal(0, np.sqrt(s2)),
            "sampling_variance": s2,
        }
    )


def test_many_groups_at_once_have_the_limits_of_one_at_a_time() -> None:
    frame = panel(1, groups=20).filter(pl.col("year") == 2020)
    group = frame["group"].rank("dense").to_numpy().astype(np.int64) - 1
    y, s2 = frame["residual"].to_numpy(), frame["sampling_variance"].to_numpy()
    sd, lower, upper = spread_of_groups(y, s2, group, 20)
    for g in range(20):
        alone = spread_within(y[group == g], s2[group == g])
        assert lower[g] == pytest.approx(alone.lower, abs=1e-6)
        assert upper[g] == pytest.approx(alone.upper, rel=1e-6)
        assert lower[g] <= sd[g] <= upper[g]


def test_equally_known_schools_have_a_closed_form_and_two_schools_have_none() -> None:
    y = np.array([1.0, 4.0, 2.0, 9.0, 6.0, 3.0, 5.0])
    group = np.array([0, 0, 0, 0, 0, 1, 1])
    sd, _, _ = spread_of_groups(y, np.full(7, 2.0), group, 2)
    assert sd[0] == pytest.approx(np.sqrt(y[:5].var(ddof=1) - 2), rel=1e-9)
    assert np.isnan(sd[1])


@pytest.mark.parametrize(("schools", "lasting"), [(6, 0.7), (20, 0.7), (20, 0.0), (60, 0.9)])
def test_intervals_of_slopes_hold_the_truth(schools: int, lasting: float) -> None:
    """400 groups: Monte Carlo error .011, so 91.7 % is 3 below; small groups may be wider."""
    made = spread_trend(panel(2, groups=400, schools=schools, lasting=lasting)).trends
    held = (made["lower"] <= -0.02) & (made["upper"] >= -0.02)
    assert made.height == 400
    assert held.mean() >= 0.917  # type: ignore[operator]  # a mean of truths is a number
    if schools >= 20:
        # Errors are of the size of the scatter they describe: not simply wide.
        assert made["se"].median() == pytest.approx(made["slope"].std(), rel=0.2)


def test_schools_that_return_with_their_differences_make_trends_surer() -> None:
    same = spread_trend(panel(3, schools=30, lasting=0.95))
    new = spread_trend(panel(3, schools=30, lasting=0.0))
    assert same.persistence > 0.8
    assert new.persistence < 0.1
    assert same.trends["se"].median() < 0.8 * new.trends["se"].median()  # type: ignore[operator]


def test_a_closing_gap_is_called_closing_and_its_mirror_is_not() -> None:
    closing = spread_trend(panel(4, groups=1, schools=400)).trends.row(0, named=True)
    mirror = panel(4, groups=1, schools=400).with_columns(year=4043 - pl.col("year"))
    widening = spread_trend(mirror).trends.row(0, named=True)
    assert closing["probability_closing"] > 0.95
    assert closing["upper"] < 0
    assert widening["slope"] == pytest.approx(-closing["slope"], rel=1e-9)
    assert widening["probability_closing"] == pytest.approx(
        1 - closing["probability_closing"], abs=1e-9
    )
    assert (closing["first_year"], closing["last_year"], closing["years"]) == (2020, 2023, 4)


def test_each_group_is_judged_by_its_own_years_and_schools() -> None:
    frame = panel(5, groups=4, schools=8)
    thin = frame.filter(
        ~((pl.col("group") == "g000") & (pl.col("year") == 2021))
        & ~((pl.col("group") == "g001") & (pl.col("year") > 2021))
        & ~((pl.col("group") == "g002") & (pl.col("school").str.slice(-1).is_in(["6", "7", "8"])))
    )
    made = spread_trend(thin).trends
    assert made["group"].to_list() == ["g000", "g002", "g003"]
    assert made["years"].to_list() == [3, 4, 4]
    alone = spread_trend(frame.filter(pl.col("group") == "g003")).trends.row(0, named=True)
    last = made.row(2, named=True)
    assert last["slope"] == pytest.approx(alone["slope"], rel=1e-9)


def test_a_school_may_be_in_several_groups() -> None:
    frame = panel(6, groups=3, schools=10)
    whole = pl.concat([frame, frame.with_columns(group=pl.lit("nation"))])
    both = spread_trend(whole).trends
    assert both["group"].to_list() == ["g000", "g001", "g002", "nation"]
    alone = spread_trend(frame.with_columns(group=pl.lit("nation"))).trends.row(0, named=True)
    assert both.row(3, named=True)["slope"] == pytest.approx(alone["slope"], rel=1e-9)


def test_order_and_names_change_nothing() -> None:
    frame = panel(7, groups=5)
    first = spread_trend(frame)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=2).with_columns(
        pl.col("school").str.reverse()
    )
    assert spread_trend(shuffled).trends.equals(first.trends)
    assert spread_trend(shuffled).yearly.equals(first.yearly)


def test_schools_that_do_not_differ_have_no_trend_and_no_false_certainty() -> None:
    frame = panel(8, groups=1).with_columns(residual=pl.col("residual") * 1e-6)
    row = spread_trend(frame).trends.row(0, named=True)
    assert row["slope"] == 0.0
    assert row["lower"] < 0 < row["upper"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (pl.lit("spring").alias("year"), '"spring" is not a year'),
        (pl.lit("s").alias("school"), "occurs twice"),
    ],
)
def test_bad_rows_are_refused_in_words(change: pl.Expr, words: str) -> None:
    with pytest.raises(InputError, match=words):
        spread_trend(panel(9, groups=2).with_columns(change))
    with pytest.raises(InputError, match="needed"):
        spread_trend(panel(9, groups=2).drop("group"))
