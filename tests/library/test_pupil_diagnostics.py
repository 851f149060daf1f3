"""Residuals of single pupils against the same worked out row by row."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import cross_products
from brightspots.insight.pupil_diagnostics import PupilResiduals, pupil_residuals
from brightspots.insight.school_years import school_year_value_added
from brightspots.insight.value_added import ValueAdded, value_added

FORMULA = "score ~ prior + (1 | school)"


def pupils(seed: int = 0, bend: float = 0.0, schools: int = 30, n: int = 3000) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    school = draw.integers(0, schools, n)
    prior = draw.normal(0, 1, n)
    score = 5 * prior + bend * prior**2 + draw.normal(0, 2, schools)[school]
    return pl.DataFrame(
        {
            "school": [f"s{j:02}" for j in school],
            "prior": prior,
            "score": 100 + score + draw.normal(0, 6, n),
        }
    )


def made(frame: pl.DataFrame) -> tuple[PupilResiduals, ValueAdded, np.ndarray]:
    cp = cross_products(frame, FORMULA)
    fit = value_added(cp)
    b = fit.fixed_effects["estimate"].to_numpy()
    by_hand = frame.join(fit.school_effects.select("school", "estimate"), on="school").select(
        pl.col("score") - b[0] - b[1] * pl.col("prior") - pl.col("estimate")
    )
    return pupil_residuals(frame, cp, fit, against=["prior"]), fit, by_hand.to_series().to_numpy()


def test_shape_and_counts_are_those_of_the_rows() -> None:
    ours, _, r = made(pupils(1))
    z = r / r.std()
    assert ours.n == len(r)
    assert ours.sd == pytest.approx(r.std(), rel=1e-9)
    away = (r - r.mean()) / r.std()
    assert ours.skewness == pytest.approx((away**3).mean(), abs=1e-8)
    assert ours.excess_kurtosis == pytest.approx((away**4).mean() - 3, abs=1e-8)
    for low, high, n, _ in ours.histogram.iter_rows():
        inside = (z >= (low if low is not None else -99)) & (z < (high if high is not None else 99))
        assert n == inside.sum()
    assert ours.histogram["n"].sum() == len(r)
    assert ours.histogram["expected"].sum() == pytest.approx(len(r))
    assert (ours.histogram["n"][[0, -1]] >= 10).all()
    shares = dict(ours.tails.select("beyond", "share").iter_rows())
    assert shares[2.0] == pytest.approx((np.abs(z) >= 2).mean(), abs=1e-3)


def test_parts_along_a_column_are_those_of_the_rows() -> None:
    frame = pupils(2)
    ours, fit, _ = made(frame)
    assert ours.along["n"].sum() == frame.height
    assert ours.along.height == 20
    b = fit.fixed_effects["estimate"].to_numpy()
    first = frame.join(fit.school_effects.select("school", "estimate"), on="school").filter(
        pl.col("prior") <= frame["prior"].quantile(0.05, "linear")
    )
    r = first["score"] - b[0] - b[1] * first["prior"] - first["estimate"]
    row = ours.along.row(0, named=True)
    assert row["n"] == first.height
    assert row["value"] == pytest.approx(first["prior"].mean())
    assert row["residual"] == pytest.approx(r.mean() / ours.sd, abs=1e-9)  # type: ignore[operator]  # numbers
    assert row["spread"] == pytest.approx(r.std() / ours.sd, rel=1e-9)  # type: ignore[operator]  # numbers
    assert row["se"] == pytest.approx(row["spread"] / np.sqrt(row["n"]))


def test_a_bend_is_found_and_a_straight_line_has_none() -> None:
    bent, _, _ = made(pupils(3, bend=2.0))
    assert bent.bends["p"][0] < 1e-6
    # 2 marks per squared SD of prior, in SD of what is left
    assert bent.bends["curvature"][0] == pytest.approx(2.0 / bent.sd, rel=0.15)
    straight, _, _ = made(pupils(4))
    assert straight.bends["p"][0] > 0.001
    assert abs(straight.bends["curvature"][0]) < 0.1


def test_years_take_off_the_effect_of_school_and_year() -> None:
    draw = np.random.default_rng(55)
    frame = pupils(5).with_columns(year=pl.Series(draw.integers(2020, 2023, 3000)))
    cp = cross_products(frame, "score ~ prior + factor(year) + (1 | school)", by=("year",))
    fit = school_year_value_added(cp, year="year")
    ours = pupil_residuals(frame, cp, fit)
    pupil = fit.variance_components.filter(pl.col("component") == "pupil")["sd"].item()
    assert ours.sd == pytest.approx(pupil, rel=0.03)
    assert ours.along.is_empty()


def test_numbers_that_repeat_make_fewer_parts_and_words_are_refused() -> None:
    frame = pupils(6).with_columns(step=(pl.col("prior") > 0).cast(pl.Int64), word=pl.lit("x"))
    cp = cross_products(frame, FORMULA)
    fit = value_added(cp)
    steps = pupil_residuals(frame, cp, fit, against=["step"])
    assert steps.along.height == 2
    assert steps.bends.is_empty()
    with pytest.raises(InputError, match="No pupil has a number"):
        pupil_residuals(frame, cp, fit, against=["word"])
    with pytest.raises(InputError, match="not the pupils of the fit"):
        pupil_residuals(frame[1:], cp, fit)


def test_same_pupils_same_bytes_whatever_the_order() -> None:
    frame = pupils(7)
    a, b = made(frame)[0], made(frame)[0]
    assert a.along.equals(b.along)
    shuffled = made(frame.sample(fraction=1, shuffle=True, seed=1))[0]
    assert shuffled.histogram["n"].to_list() == a.histogram["n"].to_list()
    np.testing.assert_allclose(shuffled.along["residual"], a.along["residual"], atol=1e-8)
