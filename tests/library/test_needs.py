"""Probability and size of a gap."""

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.insight.needs import NeedsParameters, needs


def pairs(estimate: list[float], se: list[float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "school": [f"s{i}" for i in range(len(estimate))],
            "outcome": "reading",
            "n": 120,
            "years": 3,
            "estimate": estimate,
            "se_comparative": se,
        }
    )


def test_an_estimate_at_the_threshold_is_an_even_bet() -> None:
    out = needs(pairs([-0.10], [0.2])).frame
    assert out["probability"].item() == pytest.approx(0.5)
    assert out["pupils_touched"].item() == pytest.approx(20)  # 40 pupils a year, half of a chance


def test_the_gap_is_the_mean_shortfall_of_draws_from_the_posterior() -> None:
    out = needs(pairs([0.05], [0.2])).frame
    draws = np.random.default_rng(1).normal(0.05, 0.2, 400_000)
    # Standard error of the mean of the draws is about 0.0002; five of them.
    assert out["gap"].item() == pytest.approx(np.maximum(-draws, 0).mean(), abs=1e-3)


def test_effects_known_without_doubt_give_certainty() -> None:
    out = needs(pairs([-0.2, 0.0], [0.0, 0.0])).frame
    assert out["probability"].to_list() == [1.0, 0.0]
    assert out["gap"].to_list() == pytest.approx([0.2, 0.0])


@pytest.mark.parametrize("delta", [0.0, -0.1, float("nan")])
def test_a_threshold_that_is_not_above_zero_is_refused(delta: float) -> None:
    with pytest.raises(InputError):
        NeedsParameters(delta=delta)


def test_two_estimates_for_one_school_and_outcome_are_refused_with_the_row() -> None:
    frame = pairs([0.1, 0.2], [0.1, 0.1]).with_columns(school=pl.lit("s0"))
    with pytest.raises(InputError, match="two estimates"):
        needs(frame)


def test_without_numbers_of_pupils_the_gap_is_still_given() -> None:
    out = needs(pairs([-0.3], [0.1]).drop("n", "years")).frame
    assert out["pupils_touched"].to_list() == [None]
    assert out["gap"].item() > 0.29
