"""Small cells are not shown."""

import polars as pl
import pytest

from brightspots.core.disclosure import (
    MINIMUM_PUPILS_OWN_TIER,
    MINIMUM_PUPILS_PUBLIC,
    MINIMUM_SCHOOLS,
    suppress,
)
from brightspots.core.errors import InputError


def test_the_thresholds_are_those_promised() -> None:
    assert (MINIMUM_PUPILS_PUBLIC, MINIMUM_PUPILS_OWN_TIER, MINIMUM_SCHOOLS) == (10, 5, 3)


def test_figures_on_fewer_than_ten_pupils_and_their_counts_are_hidden() -> None:
    frame = pl.DataFrame({"n": [9, 10, None], "mean": [1.0, 2.0, 3.0], "name": ["a", "b", "c"]})
    out = suppress(frame, "n", ["mean"])
    assert out["mean"].to_list() == [None, 2.0, None]
    assert out["n"].to_list() == [None, 10, None]
    assert out["suppressed"].to_list() == [True, False, True]
    assert out["name"].to_list() == ["a", "b", "c"]


def test_an_unknown_count_written_as_nan_hides_too() -> None:
    out = suppress(pl.DataFrame({"n": [float("nan")], "mean": [1.0]}), "n", ["mean"])
    assert out["mean"].to_list() == [None]


def test_an_aggregate_of_two_schools_is_hidden_however_large() -> None:
    frame = pl.DataFrame({"n": [500, 500], "schools": [2, 3], "mean": [1.0, 2.0]})
    out = suppress(frame, "n", ["mean"], schools_column="schools")
    assert out["mean"].to_list() == [None, 2.0]


def test_a_row_hidden_before_stays_hidden_under_a_lower_threshold() -> None:
    frame = pl.DataFrame({"n": [7], "mean": [1.0], "suppressed": [True]})
    assert suppress(frame, "n", ["mean"], minimum=5)["mean"].to_list() == [None]


def test_a_minimum_of_nothing_is_refused() -> None:
    with pytest.raises(InputError):
        suppress(pl.DataFrame({"n": [1], "mean": [1.0]}), "n", ["mean"], minimum=0)
