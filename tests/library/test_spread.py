"""Spread of practices: hand-made trees, simulated branching with known R, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brightspots.connectedness.spread import SpreadParameters, spread
from brightspots.connectedness.spread_number import (
    R_GRID,
    posterior_of_dispersion,
    reproduction,
)
from brightspots.core.errors import InputError

TODAY = dt.date(2026, 1, 1)


def table(*rows: tuple[str, str, str], practice: str = "P", **more: list[Any]) -> pl.DataFrame:
    """School, source and date of each adoption."""
    school, source, date = zip(*rows, strict=True)
    return pl.DataFrame({"practice": [practice] * len(rows), "school": school,
                         "source_school": source, "date": date, **more})  # fmt: skip


TREE = table(
    ("A", "S", "2023-01-01"),
    ("B", "S", "2023-06-01"),
    ("C", "A", "2023-05-01"),
    ("D", "A", "2023-12-01"),
    ("E", "A", "2024-06-01"),  # 517 days after A: out of A's window
    ("F", "C", "2023-09-01"),
    ("G", "F", "2025-11-01"),  # has not had a year; 792 days after F
    adapted=["1", "no", "shorter", "", "0", "yes", ""],
    stopped=["", "2024-01-01", "", "", "", "", ""],
    stopped_reason=["", "new head", "", "", "", "", ""],
    distance_km=["3", "", "10", "5", "1", "8", "2"],
)


def test_a_tree_by_hand() -> None:
    result = spread(TREE, TODAY)
    row = result.practices.row(0, named=True)
    assert row["source_school"] == "S"
    assert (row["schools_reached"], row["generations"]) == (7, 4)
    assert (row["adapted"], row["stopped"]) == (3, 1)
    # A passed it on to C and D, C to F within their year; B, D, E, F to nobody.
    assert (row["adopters"], row["too_recent"], row["passed_on"]) == (6, 1, 3)
    assert row["mean"] == 0.5
    assert row["lower"] < 0.5 < row["upper"]
    assert (row["median_km"], row["farthest_km"]) == (4.0, 10.0)
    assert (row["first"], row["last"]) == (dt.date(2023, 1, 1), dt.date(2025, 11, 1))
    schools = {each["school"]: each for each in result.schools.to_dicts()}
    assert {name: each["generation"] for name, each in schools.items()} == {
        "S": 0, "A": 1, "B": 1, "C": 2, "D": 2, "E": 2, "F": 3, "G": 4,
    }  # fmt: skip
    assert {name: each["children"] for name, each in schools.items() if each["children"]} == {
        "S": 2, "A": 3, "C": 1, "F": 1,
    }  # fmt: skip
    assert {name: schools[name]["descendants"] for name in "SACFG"} == {
        "S": 7, "A": 5, "C": 2, "F": 1, "G": 0,
    }  # fmt: skip
    assert schools["S"]["date"] is None
    assert result.ends["school"].to_list() == ["B", "D", "E", "G"]
    ends = {each["school"]: each for each in result.ends.to_dicts()}
    assert ends["G"]["days_since"] == 61
    assert ends["B"]["stopped_reason"] == "new head"


def test_the_source_counts_if_asked_and_from_its_own_date_if_known() -> None:
    result = spread(TREE, TODAY, SpreadParameters(with_source=True))
    assert result.practices["adopters"].item() == 7
    assert result.practices["passed_on"].item() == 5
    dated = pl.concat([TREE, table(("S", "", "2020-01-01"))], how="diagonal")
    result = spread(dated, TODAY, SpreadParameters(with_source=True))
    assert result.practices["schools_reached"].item() == 7
    assert result.practices["passed_on"].item() == 3  # A and B came after its first year


def test_codes_of_adoptions_say_the_same_as_schools() -> None:
    codes = dict(zip(TREE["school"], [f"a{at}" for at in range(7)], strict=True))
    by_code = TREE.with_columns(
        adoption=pl.col("school").replace_strict(codes),
        source_adoption=pl.col("source_school").replace_strict(codes, default=None),
        source_school=pl.when(pl.col("source_school") == "S").then(pl.lit("S")),
    )
    for name in ("practices", "schools", "ends"):
        assert_frame_equal(
            getattr(spread(by_code, TODAY), name), getattr(spread(TREE, TODAY), name)
        )


def test_two_sources_of_one_practice_are_two_lineages() -> None:
    both = pl.concat([table(("A", "S", "2023-01-01")), table(("B", "T", "2023-01-01")),
                      table(("B", "S", "2023-01-01"), practice="Q")])  # fmt: skip
    result = spread(both, TODAY)
    assert result.practices.select("practice", "source_school").rows() == [
        ("P", "S"), ("P", "T"), ("Q", "S"),
    ]  # fmt: skip
    assert result.overall["adopters"] == 3


@pytest.mark.parametrize(
    ("rows", "row", "column", "message"),
    [
        ([("A", "B", "2023-01-01"), ("B", "C", "2023-01-01"), ("C", "A", "2023-01-01")],
         2, "source_school", "in a circle: A from B from C from A"),
        ([("A", "S", "2023-02-01"), ("B", "A", "2023-01-01")], 3, "date", "before A, from which"),
        ([("A", "A", "2023-02-01")], 2, "source_school", "from itself"),
        ([("A", "S", "2023-02-01"), ("A", "T", "2023-02-01")], 3, "school", "in row 2 already"),
        ([("A", "S", "2023-02-30")], 2, "date", "is not a date"),
        ([("A", "S", "2023-02-0130")], 2, "date", "is not a date"),
        ([("A", "S", "2027-02-01")], 2, "date", "is after 2026-01-01"),
        ([("A", "S", "")], 2, "date", "the date is empty"),
        ([("", "S", "2023-01-01")], 2, "school", "the school is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_with_row_and_column(
    rows: list[tuple[str, str, str]], row: int, column: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        spread(table(*rows), TODAY)
    assert (caught.value.row, caught.value.column) == (row, column)


def test_a_time_may_follow_the_date() -> None:
    for text in ("2023-01-01 00:00:00", "2023-01-01T08:30"):
        assert spread(table(("A", "S", text)), TODAY).schools["date"][-1] == dt.date(2023, 1, 1)


def test_further_columns_are_checked() -> None:
    one = table(("A", "S", "2023-01-01"))
    for column, value, message in (
        ("stopped", "2022-01-01", "before it was taken up"),
        ("distance_km", "-2", "not a distance"),
        ("source_adoption", "x", "there is no adoption x"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            spread(one.with_columns(pl.lit(value).alias(column)), TODAY)
    with pytest.raises(InputError, match="neither source_school"):
        spread(one.drop("source_school"), TODAY)


def test_no_adoption_and_no_time_yet_give_no_number() -> None:
    empty = spread(TREE.clear(), TODAY)
    assert empty.practices.height == 0
    assert empty.overall["mean"] is None
    new = spread(table(("A", "S", "2025-12-01")), TODAY)
    assert new.practices.row(0, named=True)["mean"] is None
    assert new.practices.row(0, named=True)["too_recent"] == 1


def branching(rng: np.random.Generator, r: float, k: float, seeds: int, days: int) -> pl.DataFrame:
    """Simulate a practice: each adopter passes it on to NB(r, k) schools on days 1 to 365."""
    rows: list[tuple[str, str, str]] = []
    start = TODAY - dt.timedelta(days=days)
    waiting = [(f"A{at}", "S", start + dt.timedelta(days=at)) for at in range(seeds)]
    for name, source, date in waiting:  # grows while it is read
        if date > TODAY or len(rows) > 400:
            continue
        rows.append((name, source, date.isoformat()))
        children = int(rng.poisson(rng.gamma(k, r / k)))
        waiting += [
            (f"{name}.{at}", name, date + dt.timedelta(days=int(rng.integers(1, 366))))
            for at in range(children)
        ]
    return table(*rows)


@pytest.mark.parametrize(("r", "k"), [(0.6, 0.5), (1.0, 1.0), (1.2, 5.0), (0.3, 0.3)])
def test_the_interval_covers_the_true_number(r: float, k: float) -> None:
    rng = np.random.default_rng(20260101)
    runs, covered, means, n = 200, 0, 0.0, 0
    for _ in range(runs):
        result = spread(branching(rng, r, k, seeds=12, days=900), TODAY)
        row = result.practices.row(0, named=True)
        covered += row["lower"] <= r <= row["upper"]
        means += row["passed_on"]
        n += row["adopters"]
    assert means / n == pytest.approx(r, abs=0.08)  # nothing lost to the edge of what is known
    assert 0.92 <= covered / runs <= 0.995, covered / runs


def test_leaving_out_the_window_would_count_too_few() -> None:
    """The plain count, children of all adopters, is biased down: what the window is there for."""
    rng = np.random.default_rng(5)
    plain = ours = adopters = counted = 0
    for _ in range(60):
        frame = branching(rng, 1.0, 1.0, seeds=6, days=700)
        result = spread(frame, TODAY)
        plain += int((frame["source_school"] != "S").sum())
        adopters += frame.height
        ours += result.overall["passed_on"]
        counted += result.overall["adopters"]
    assert plain / adopters < 0.85
    assert ours / counted == pytest.approx(1.0, abs=0.12)


def test_the_posterior_is_the_closed_form_when_k_is_known() -> None:
    # With k = 50 and few counts nearly Poisson: Gamma(0.5 + 9, 0.1 + 12).
    from scipy.stats import gamma

    passed = np.array([1] * 9 + [0] * 3)
    k = np.array([5e6])
    found = reproduction([passed], k, np.array([1.0]))
    assert found is not None
    exact = gamma(9.5, scale=1 / 12.1)
    step = R_GRID[1] / R_GRID[0] - 1
    assert found[1] == pytest.approx(exact.ppf(0.025), rel=step / 2)
    assert found[2] == pytest.approx(exact.ppf(0.975), rel=step / 2)
    assert found[3] == pytest.approx(exact.sf(1.0), abs=step)


def test_dispersion_is_found_from_all_practices_together() -> None:
    rng = np.random.default_rng(3)
    for k in (0.3, 2.0):
        samples = [rng.poisson(rng.gamma(k, 1 / k, 40)) for _ in range(30)]
        grid, weight = posterior_of_dispersion(samples)
        assert float((grid * weight).sum()) == pytest.approx(k, rel=0.4)
        assert weight.max() < 0.5  # the grid is fine enough to show how well k is known


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rows_may_stand_in_any_order_and_descendants_add_up(seed: int) -> None:
    frame = branching(np.random.default_rng(seed), 0.9, 1.0, seeds=4, days=900)
    result = spread(frame, TODAY)
    other = spread(frame.sample(fraction=1, shuffle=True, seed=seed), TODAY)
    for name in ("practices", "schools", "ends"):
        assert_frame_equal(getattr(result, name), getattr(other, name))
    schools = result.schools
    assert schools["children"].sum() == frame.height
    above = {row["school"]: row["taken_from"] for row in schools.to_dicts()}
    counts = dict.fromkeys(above, 0)
    for name in above:
        up = above[name]
        while up is not None:
            counts[up] += 1
            up = above[up]
    assert counts == dict(schools.select("school", "descendants").rows())
    assert schools.filter(children=0).height == result.ends.height
