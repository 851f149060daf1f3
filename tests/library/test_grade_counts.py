"""Means and spreads from counts of grades."""

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.insight.grade_counts import Band, grade_summary, necta_psle_bands


def test_mean_and_spread_of_two_bands_by_hand() -> None:
    # Marks 0-1 and 2-3, two pupils each: middles .5 and 2.5, mean 1.5.
    # Between: 4 x 1 / 3 = 4/3; within: two equally likely whole marks, variance 1/4.
    bands = (Band("low", 0, 1), Band("high", 2, 3))
    out = grade_summary(pl.DataFrame({"low": [2], "high": [2]}), bands)
    assert out["graded"].item() == 4
    assert out["grade_mean"].item() == pytest.approx(1.5)
    assert out["grade_spread"].item() == pytest.approx((4 / 3 + 1 / 4) ** 0.5)


def test_spread_is_that_of_uniform_marks_when_marks_are_uniform() -> None:
    # Every whole mark from 0 to 300 once is not quite what the bands say (E holds 61 marks).
    counts = pl.DataFrame({"A": [60], "B": [60], "C": [60], "D": [60], "E": [61]})
    out = grade_summary(counts, necta_psle_bands())
    marks = np.arange(301)
    assert out["grade_mean"].item() == pytest.approx(marks.mean(), rel=1e-12)
    assert out["grade_spread"].item() == pytest.approx(marks.std(ddof=1), rel=1e-3)


def test_no_pupils_give_no_mean_and_one_pupil_gives_no_spread() -> None:
    counts = pl.DataFrame({"A": [0, 1, None], "B": [0, 0, None]})
    out = grade_summary(counts, (Band("A", 50, 100), Band("B", 0, 49)))
    assert out["graded"].to_list() == [0, 1, None]
    assert out["grade_mean"].to_list() == [None, 75.0, None]
    assert out["grade_spread"].to_list() == [None, None, None]


@pytest.mark.parametrize(("count", "row"), [(-1, 3), (1.5, 3)])
def test_an_impossible_count_is_refused_with_row_and_column(count: float, row: int) -> None:
    frame = pl.DataFrame({"A": [1.0, count]})
    with pytest.raises(InputError) as caught:
        grade_summary(frame, (Band("A", 0, 10),))
    assert (caught.value.row, caught.value.column) == (row, "A")


def test_bands_that_share_a_mark_are_refused() -> None:
    with pytest.raises(InputError, match="share a mark"):
        grade_summary(pl.DataFrame({"A": [1], "B": [1]}), (Band("A", 50, 100), Band("B", 0, 50)))
