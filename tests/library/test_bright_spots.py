"""The rule for bright spots: by hand, and on simulated systems whose truth is known."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightspots.core.errors import InputError
from brightspots.insight.bright_spots import BrightSpotParameters, bright_spots, flag
from brightspots.insight.school_level import SchoolLevelParameters, school_level_value_added


def pairs(estimate: list[float], se: float, years: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "school": [f"s{i}" for i in range(len(estimate))],
            "outcome": "reading",
            "years": years,
            "estimate": estimate,
            "se_comparative": se,
        }
    )


def test_flags_stop_where_the_mean_chance_of_a_false_one_passes_the_limit() -> None:
    # 1 - p: .02, .10, .15, .30; running means .02, .06, .09, .1425.
    p = np.array([0.70, 0.98, 0.85, 0.90])
    assert flag(p, 0.10).tolist() == [False, True, True, True]


def test_schools_that_tie_share_their_fate() -> None:
    assert flag(np.array([0.99, 0.85, 0.85, 0.85]), 0.10).tolist() == [True, False, False, False]


def test_nothing_is_flagged_when_even_the_best_is_too_uncertain() -> None:
    assert not flag(np.array([0.5, 0.6]), 0.10).any()
    assert flag(np.array([]), 0.10).size == 0


def test_fewer_than_three_years_are_never_called_a_bright_spot() -> None:
    out = bright_spots(pairs([0.9, 0.9, 0.0], 0.1, [1, 3, 3])).frame
    assert out["evidence"].to_list() == ["worth a visit", "bright spot", "not enough evidence"]


def test_expected_false_flags_are_counted() -> None:
    result = bright_spots(pairs([0.5, -0.5], 0.25, [4, 4]))
    p = result.frame["probability"].to_numpy()
    assert result.n_bright == 1
    assert result.expected_false_bright == pytest.approx(1 - p[0])


@pytest.mark.parametrize(
    "settings", [{"delta": 0.0}, {"minimum_years": 2}, {"fdr_bright": 0.3, "fdr_visit": 0.2}]
)
def test_settings_that_would_break_the_rule_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(InputError):
        BrightSpotParameters(**settings)  # type: ignore[arg-type]  # one case sets an int field


@given(st.lists(st.floats(0, 1), max_size=40), st.floats(0.01, 0.5))
def test_flags_keep_the_limit_and_no_further_school_could_be_added(
    chances: list[float], q: float
) -> None:
    p = np.array(chances)
    flagged = flag(p, q)
    if flagged.any():
        assert (1 - p[flagged]).mean() <= q + 1e-12
        assert p[flagged].min() > (p[~flagged].max() if (~flagged).any() else -1.0)
    if (~flagged).any():
        wider = p >= p[~flagged].max()
        assert (1 - p[wider]).mean() > q - 1e-12


def simulated(rng: np.random.Generator, schools: int = 250) -> tuple[pl.DataFrame, np.ndarray]:
    years = 4
    n = rng.integers(12, 90, (schools, years))
    u = rng.normal(0, 0.15, (schools, 1))
    poverty = rng.normal(size=(schools, 1))
    noise = rng.normal(size=n.shape) / np.sqrt(n)
    y = u + rng.normal(0, 0.10, n.shape) - 0.3 * poverty + noise
    # The pupils' SD is 1 within schools; the unit of effects is the SD of all pupils of a year.
    frame = pl.DataFrame(
        {
            "school": np.repeat([f"s{i:03}" for i in range(schools)], years),
            "year": np.tile(np.arange(years), schools),
            "mean": y.ravel(),
            "candidates": n.ravel(),
            "spread": np.sqrt(rng.chisquare(n - 1) / (n - 1)).ravel(),
            "poverty": np.repeat(poverty[:, 0], years),
        }
    )
    return frame, u[:, 0]


def test_on_200_simulated_systems_false_flags_and_intervals_are_as_stated() -> None:
    """Persistent SD .15, yearly SD .10, four years, as in the study behind the rule."""
    rng = np.random.default_rng(20_260)
    settings = SchoolLevelParameters(context=("poverty",))
    false = flagged = covered = total = 0
    expected = 0.0
    for _ in range(200):
        frame, truth = simulated(rng)
        result = school_level_value_added(frame, settings)
        effects = result.school_effects
        covered += int(
            ((effects["lower"].to_numpy() <= truth) & (truth <= effects["upper"].to_numpy())).sum()
        )
        total += truth.size
        found = bright_spots(result.in_pupil_sd("reading"))
        bright = (found.frame["evidence"] == "bright spot").to_numpy()
        unit = result.sd_unit
        assert unit is not None
        false += int((truth[bright] / unit <= 0.10).sum())
        flagged += int(bright.sum())
        expected += found.expected_false_bright
    # 50,000 intervals: Monte Carlo error of the coverage is .001, the promise is 93 to 97 %.
    assert 0.93 <= covered / total <= 0.97
    # About 5,000 flags: Monte Carlo error of the rate is about .005 (flags of one system share
    # their variance estimates, so take twice that); the stated rate is .10.
    assert flagged > 2000
    assert 0.08 <= false / flagged <= 0.12
    assert expected == pytest.approx(false, rel=0.15)
