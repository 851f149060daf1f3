"""Places from ordered grades: known truth, numerical integrals, and what must not matter."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from brightspots.core.errors import InputError
from brightspots.insight.grade_orders import ordered_summary
from brightspots.insight.school_level import SchoolLevelParameters, school_level_value_added

GRADES = ["E", "D", "C", "B", "A"]


def counted(seed: int, schools: int = 200, between: float = 0.4) -> tuple[pl.DataFrame, np.ndarray]:
    """Counts of grades of pupils whose hidden scores are known; cuts are uneven on purpose."""
    draw = np.random.default_rng(seed)
    u = between * draw.normal(size=schools)
    rows = []
    for place in u:
        hidden = place + np.sqrt(1 - between**2) * draw.normal(size=int(draw.integers(8, 60)))
        rows.append(np.bincount(np.digitize(hidden, [-1.5, -0.2, 0.1, 1.4]), minlength=5))
    frame = pl.DataFrame(np.array(rows), schema=GRADES)
    return frame.with_columns(school=pl.Series([f"s{i:03}" for i in range(schools)])), u


def test_places_follow_the_hidden_scores_with_the_stated_error() -> None:
    frame, u = counted(1, schools=400)
    made = ordered_summary(frame, GRADES)
    error = made["ordered_mean"].to_numpy() - u
    z = error / made["ordered_sampling_variance"].sqrt().to_numpy()
    assert np.polyfit(u, made["ordered_mean"].to_numpy(), 1)[0] == pytest.approx(1.0, abs=0.08)
    assert 0.92 <= (np.abs(z) < 1.96).mean() <= 0.98
    assert made["graded"].to_list() == frame.select(pl.sum_horizontal(GRADES)).to_series().to_list()


def test_effects_come_out_as_sure_as_they_are() -> None:
    frame, u = counted(2, schools=400)
    made = school_level_value_added(
        ordered_summary(frame, GRADES),
        SchoolLevelParameters(
            outcome="ordered_mean", sampling_variance="ordered_sampling_variance", candidates="none"
        ),
    )
    assert made.variance_components["sd"][0] == pytest.approx(0.4, abs=0.05)
    effects = made.school_effects
    held = (effects["lower"].to_numpy() <= u) & (u <= effects["upper"].to_numpy())
    assert 0.92 <= held.mean() <= 0.98


def test_moments_of_one_school_are_those_of_numerical_integrals() -> None:
    frame, _ = counted(3)
    made = ordered_summary(frame, GRADES)
    r, s2 = made["ordered_mean"][5], made["ordered_sampling_variance"][5]
    # The normal stand-in with prior tau^2 must give the moments of the exact posterior, any tau^2
    # being found from another school: tau^2 = v r / (m) with m, v the posterior's own moments.
    shares = frame.select(GRADES).sum().row(0)
    cuts = norm.ppf(np.cumsum(shares)[:-1] / sum(shares))
    edges = np.concatenate([[-np.inf], cuts, [np.inf]])
    counts = frame.select(GRADES).row(5)

    def likelihood(u: float, tau2: float) -> float:
        chance = np.diff(norm.cdf((edges - u) / np.sqrt(1 - tau2)))
        return float(np.prod(chance ** np.array(counts)) * norm.pdf(u, 0, np.sqrt(tau2)))

    found = []
    for tau2 in (0.10, 0.16, 0.25):
        whole, first, second = (
            quad(lambda u, k=k, t=tau2: u**k * likelihood(u, t), -3, 3, epsabs=1e-22)[0]
            for k in range(3)
        )
        m, v = first / whole, second / whole - (first / whole) ** 2
        found.append((m / (1 - v / tau2), v / (1 - v / tau2)))
    means, variances = np.array(found).T
    assert min(means) - 0.02 <= r <= max(means) + 0.02
    assert min(variances) * 0.97 <= s2 <= max(variances) * 1.03


def test_a_school_with_the_best_grade_only_keeps_a_finite_place_and_a_wide_error() -> None:
    frame, _ = counted(4)
    best = pl.DataFrame([[0, 0, 0, 0, 6, "top"]], schema=[*GRADES, "school"], orient="row")
    made = ordered_summary(pl.concat([frame, best]), GRADES).filter(pl.col("school") == "top")
    assert 1 < made["ordered_mean"].item() < 6
    ordinary = ordered_summary(frame, GRADES)["ordered_sampling_variance"].median()
    assert made["ordered_sampling_variance"].item() > ordinary  # type: ignore[operator]  # a number


def test_joining_two_grades_loses_precision_and_hardly_moves_places() -> None:
    frame, _ = counted(5)
    fine = ordered_summary(frame, GRADES)
    joined = frame.with_columns(AB=pl.col("A") + pl.col("B"))
    coarse = ordered_summary(joined, ["E", "D", "C", "AB"])
    assert np.corrcoef(fine["ordered_mean"], coarse["ordered_mean"])[0, 1] > 0.9
    wider = coarse["ordered_sampling_variance"].mean() > fine["ordered_sampling_variance"].mean()  # type: ignore[operator]  # numbers
    assert wider


def test_other_order_of_rows_and_years_apart() -> None:
    frame, _ = counted(6)
    made = ordered_summary(frame, GRADES)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
    again = ordered_summary(shuffled, GRADES).sort("school")
    np.testing.assert_allclose(again["ordered_mean"], made["ordered_mean"], rtol=1e-9)
    hard = counted(7)[0].with_columns(year=pl.lit(2024))
    both = pl.concat([frame.with_columns(year=pl.lit(2023)), hard])
    apart = ordered_summary(both, GRADES, year="year")
    np.testing.assert_allclose(
        apart.filter(pl.col("year") == 2023)["ordered_mean"], made["ordered_mean"], rtol=1e-9
    )


@pytest.mark.parametrize(
    ("frame", "grades", "words"),
    [
        (pl.DataFrame({"A": [3] * 12, "B": [0] * 12}), ["B", "A"], "Fewer than two grades"),
        (pl.DataFrame({"A": [3, 1], "B": [1, 2]}), ["B", "A"], "too few"),
        (pl.DataFrame({"A": [3], "B": [-1]}), ["B", "A"], "cannot be -1"),
        (pl.DataFrame({"A": [3], "B": [1]}), ["A"], "two columns"),
    ],
)
def test_counts_that_place_nobody_are_refused(
    frame: pl.DataFrame, grades: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        ordered_summary(frame, grades)
