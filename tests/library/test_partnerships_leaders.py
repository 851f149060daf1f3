"""The list of leaders: who may lead, how many, strong at what; what is refused and where."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from brightspots.connectedness.leaders import read_leaders, with_leaders
from brightspots.connectedness.partnerships import Parameters, form_partnerships
from brightspots.core.errors import InputError

SCHOOLS = pl.DataFrame(
    {
        "school": [f"00{i}" for i in range(1, 9)],
        "latitude": [-3.0 - i / 100 for i in range(8)],
        "longitude": [36.0] * 8,
    }
)


def write(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "leaders.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_the_list_sets_who_may_lead_their_capacity_and_their_strengths(tmp_path: Path) -> None:
    path = write(
        tmp_path, "leader_school,capacity,Reading,maths,note",
        "007,5,1,0.5,", "002,,no,-,asked", "003,4,yes,,",
    )  # fmt: skip
    leaders = read_leaders(path)
    assert leaders.priorities == ("reading", "maths")
    frame = with_leaders(SCHOOLS.with_columns(leader=pl.lit("1"), area=pl.lit("north")), leaders)
    assert frame["school"].to_list() == SCHOOLS["school"].to_list()
    assert frame["leader"].to_list() == [0, 1, 1, 0, 0, 0, 1, 0]
    assert frame["capacity"].to_list() == [None, None, 4, None, None, None, 5, None]
    # Yes and no alone: a school that nobody calls strong is not.
    assert frame["strong_reading"].to_list() == [0, 0, 1, 0, 0, 0, 1, 0]
    assert frame["strength_maths"].to_list() == [None] * 6 + [0.5, None]
    assert frame["area"].to_list() == ["north"] * 8


def test_two_scales_of_one_priority_are_never_mixed() -> None:
    leaders = read_leaders(pl.DataFrame({"leader_school": ["001"], "maths": [1]}))
    frame = with_leaders(
        SCHOOLS.with_columns(strength_maths=pl.lit(0.7), strength_reading=pl.lit(0.2)), leaders
    )
    assert "strength_maths" not in frame.columns
    assert frame["strong_maths"].sum() == 1
    assert frame["strength_reading"].to_list() == [0.2] * 8


def test_only_schools_of_the_list_lead_and_none_beyond_its_capacity() -> None:
    leaders = read_leaders(pl.DataFrame({"leader_school": ["001", "008"], "capacity": [5, 3]}))
    frame = with_leaders(SCHOOLS, leaders)
    result = form_partnerships(frame, Parameters(minimum=3, maximum=6))
    sizes = dict(result.members.group_by("leader_school").len().iter_rows())
    assert sizes == {"001": 5, "008": 3}


@pytest.mark.parametrize(
    ("rows", "row", "column", "text"),
    [
        (["leader_school,capacity", "001,5", "001,6"], 3, "leader_school", "already in row 2"),
        (["leader_school,capacity", "001,0"], 2, "capacity", "not a whole number from 1 up"),
        (["leader_school,capacity", "001,-4"], 2, "capacity", "not a whole number from 1 up"),
        (["leader_school,capacity", "001,4.5"], 2, "capacity", "not a whole number from 1 up"),
        (["leader_school,capacity", "001,many"], 2, "capacity", '"many" is not a number'),
        (["leader_school,maths", "001,good"], 2, "maths", '"good" is not a number'),
        (["leader_school,maths", "001,inf"], 2, "maths", '"inf" is not a number'),
        (["leader_school,maths", ",1"], 2, "leader_school", "the school code is empty"),
        (["school,capacity", "001,4"], None, "leader_school", "leader_school is missing"),
        (["leader_school,a,b,c,d", "001,1,1,1,1"], None, None, "never more than three"),
        (["leader_school,a,strong_a", "001,1,1"], None, None, "a priority stands twice"),
        (["leader_school,capacity"], None, None, "leaders.csv"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, rows: list[str], row: int | None, column: str | None, text: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_leaders(write(tmp_path, *rows))
    assert text in str(caught.value)
    assert caught.value.file == "leaders.csv"
    if row is not None:
        assert (caught.value.row, caught.value.column) == (row, column)


def test_an_unknown_leader_is_refused_with_its_row(tmp_path: Path) -> None:
    leaders = read_leaders(write(tmp_path, "leader_school", "001", "099", "098"))
    with pytest.raises(InputError) as caught:
        with_leaders(SCHOOLS, leaders)
    assert str(caught.value).startswith(
        'leaders.csv, row 3, column "leader_school": the leader 099'
    )
    assert "1 more" in str(caught.value)


def test_capacities_that_are_all_below_the_smallest_size_are_refused(tmp_path: Path) -> None:
    leaders = read_leaders(write(tmp_path, "leader_school,capacity", "001,2", "002,3"))
    with pytest.raises(InputError, match="no leader has a capacity of 4 or more"):
        with_leaders(SCHOOLS, leaders, minimum=4)
    assert with_leaders(SCHOOLS, leaders, minimum=3)["leader"].sum() == 2


def test_a_row_that_says_no_does_not_lead(tmp_path: Path) -> None:
    leaders = read_leaders(write(tmp_path, "leader_school,leader", "001,1", "002,0"))
    assert leaders.frame["school"].to_list() == ["001"]
