"""Other ways of reckoning from the same cross products, against fits from the pupils themselves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm
from scipy.stats import t as student

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import cross_products
from brightspots.insight.heavy_tails import NORMAL, heavy_tails
from brightspots.insight.school_years import school_year_value_added
from brightspots.insight.sensitivity import sensitivities
from brightspots.insight.submodels import only_cells, only_terms, with_group_mean
from brightspots.insight.value_added import value_added, value_added_of

Array = NDArray[np.float64]
FORMULA = "score ~ prior + poor + factor(year) + (1 | school)"


def pupils(seed: int = 0, J: int = 40, years: int = 3) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    size = draw.integers(8, 30, (J, years))
    school = np.repeat(np.repeat(np.arange(J), years), size.ravel())
    year = np.repeat(np.tile(np.arange(years), J), size.ravel())
    poor = draw.random(len(school)) < draw.random(J)[school]
    prior = draw.normal(0, 1, len(school)) - 0.5 * poor
    lasting, once = draw.normal(0, 3, J), draw.normal(0, 2, (J, years))
    score = 50 + 6 * prior - 2 * poor + year + lasting[school] + once[school, year]
    return pl.DataFrame(
        {
            "school": [f"{j:02d}" for j in school],
            "year": 2021 + year,
            "prior": prior,
            "poor": poor.astype(int),
            "score": score + draw.normal(0, 8, len(school)),
        }
    )


def test_fewer_terms_and_fewer_years_equal_fits_of_the_pupils() -> None:
    frame = pupils()
    cp = cross_products(frame, FORMULA, by=("year",))
    bare = value_added(only_terms(cp, ["prior", "factor(year)2022", "factor(year)2023"]))
    direct = value_added_of(frame, "score ~ prior + factor(year) + (1 | school)")
    assert bare.reml_criterion == pytest.approx(direct.reml_criterion, abs=1e-6)
    np.testing.assert_allclose(
        bare.school_effects["estimate"], direct.school_effects["estimate"], atol=1e-7
    )
    latest = value_added(only_cells(cp, pl.col("year") == "2023"))
    again = value_added_of(
        frame.filter(pl.col("year") == 2023), "score ~ prior + poor + (1 | school)"
    )
    assert latest.fixed_effects["term"].to_list() == ["(Intercept)", "prior", "poor"]
    np.testing.assert_allclose(
        latest.school_effects["estimate"], again.school_effects["estimate"], atol=1e-7
    )


def test_the_mean_of_a_school_equals_a_column_in_the_file() -> None:
    frame = pupils().with_columns(mean=pl.col("prior").mean().over("school"))
    cp = cross_products(frame, FORMULA, by=("year",))
    ours = value_added(with_group_mean(cp, "prior", "school"))
    direct = value_added_of(frame, "score ~ prior + poor + factor(year) + mean + (1 | school)")
    assert ours.fixed_effects["term"][-1] == "mean of prior"
    assert ours.fixed_effects["estimate"][-1] == pytest.approx(
        direct.fixed_effects.filter(pl.col("term") == "mean")["estimate"][0], rel=1e-6
    )
    np.testing.assert_allclose(
        ours.school_effects["estimate"], direct.school_effects["estimate"], atol=1e-6
    )


def test_what_is_not_in_the_model_cannot_be_kept() -> None:
    cp = cross_products(pupils(), "score ~ prior + (prior | school)")
    with pytest.raises(InputError, match="not in the model"):
        only_terms(cp, ["poor"])
    with pytest.raises(InputError, match="varies between groups"):
        only_terms(cp, [])


def test_every_way_is_there_and_in_pupil_sd_of_the_main_model() -> None:
    frame = pupils()
    cp = cross_products(frame, FORMULA, by=("year",))
    main = school_year_value_added(cp, year="year")
    found = sensitivities(cp, prior=["prior"], year="year")
    assert found.frame["variant"].unique().sort().to_list() == [
        "heavy_tails", "latest_year", "no_background", "school_mean", "without_latest",
    ]  # fmt: skip
    assert found.frame.group_by("variant").len()["len"].unique().to_list() == [40]
    bare = school_year_value_added(
        cross_products(frame, "score ~ prior + factor(year) + (1 | school)", by=("year",)),
        year="year",
    )
    ours = found.frame.filter(pl.col("variant") == "no_background")
    np.testing.assert_allclose(
        ours["estimate"], bare.persistent["estimate"] / main.pupil_sd, atol=1e-6
    )
    agreement = found.agreement(main.in_pupil_sd("score"))
    assert agreement.filter(pl.col("variant") == "heavy_tails")["correlation"][0] > 0.98


def test_one_year_without_background_says_what_is_skipped_and_why() -> None:
    cp = cross_products(pupils(years=1), "score ~ prior + (1 | school)", by=("year",))
    found = sensitivities(cp, prior=["prior"], year="year")
    assert sorted(found.skipped) == ["latest_year", "no_background", "without_latest"]
    assert found.frame["variant"].unique().sort().to_list() == ["heavy_tails", "school_mean"]


def test_order_and_names_change_nothing() -> None:
    frame = pupils()
    other = frame.sample(fraction=1.0, shuffle=True, seed=3).with_columns(
        school="z" + pl.col("school")
    )
    one, two = (
        sensitivities(cross_products(each, FORMULA, by=("year",)), prior=["prior"], year="year")
        for each in (frame, other)
    )
    np.testing.assert_allclose(one.frame["estimate"], two.frame["estimate"], atol=1e-9)


def posterior(y: float, v: float, freedom: float, scale: float) -> tuple[float, float]:
    def joint(u: float, power: int) -> float:
        return float(u**power * student.pdf(u / scale, freedom) / scale * norm.pdf(y, u, v**0.5))

    moments = [quad(joint, -60, 60, args=(k,), points=[0, y], limit=400)[0] for k in range(3)]
    mean = moments[1] / moments[0]
    return mean, (moments[2] / moments[0] - mean**2) ** 0.5


def test_heavy_tails_equal_the_integral() -> None:
    draw = np.random.default_rng(1)
    v = draw.uniform(0.2, 1.0, 400)
    y = 0.8 * draw.standard_t(3, 400) + np.sqrt(v) * draw.normal(size=400)
    found = heavy_tails(y, v)
    assert found.freedom <= 7
    assert found.gain > 5
    weight = 1 / (v + max(float(y.var() - v.mean()), 0.01 * float(y.var())))
    centred = y - (weight * y).sum() / weight.sum()
    for place in (0, 7, int(np.argmax(y))):
        mean, sd = posterior(centred[place], v[place], found.freedom, found.scale)
        assert found.estimate[place] == pytest.approx(mean, rel=0.01, abs=0.005)
        assert found.se[place] == pytest.approx(sd, rel=0.02)


def test_normal_effects_are_not_taken_for_heavy_tails() -> None:
    draw = np.random.default_rng(2)
    v = draw.uniform(0.2, 1.0, 500)
    y = draw.normal(size=500) + np.sqrt(v) * draw.normal(size=500)
    found = heavy_tails(y, v)
    assert found.freedom >= 15
    tau2 = found.scale**2
    if found.freedom == NORMAL:
        np.testing.assert_allclose(found.se**2, tau2 * v / (tau2 + v), rtol=1e-9)


def test_a_school_far_out_is_drawn_in_less_under_heavy_tails() -> None:
    draw = np.random.default_rng(3)
    v = np.full(200, 0.5)
    y = 0.5 * draw.normal(size=200) + np.sqrt(v) * draw.normal(size=200)
    y[:4] = 6.0
    found = heavy_tails(y, v)
    normal_scale2 = max(float(y.var() - 0.5), 0.0)
    assert found.estimate[0] / 6.0 > normal_scale2 / (normal_scale2 + 0.5)
