"""Tables of travel and barriers: what is read, what is said of it, what is refused and where."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from brightspots.connectedness.pins import Pins, contradictions
from brightspots.connectedness.problem import Parameters
from brightspots.connectedness.travel_files import read_travel
from brightspots.core.errors import InputError

SCHOOLS = pl.DataFrame(
    {
        "school": ["001", "002", "003", "004"],
        "latitude": [0.0, 0.01, 0.02, 0.03],
        "longitude": [30.0] * 4,
        "area": ["north", "north", "south", "south"],
    }
)


def write(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "file.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_table_is_read_in_the_unit_of_its_column_and_what_is_odd_is_said(tmp_path: Path) -> None:
    path = write(
        tmp_path, "from_school,to_school,Minutes", "001,002,12.5", "002,001,14", "002,003,20",
        "003,004,", "001,099,5", "004,004,0", "001,004,90", "004,001,90",
    )  # fmt: skip
    read = read_travel(SCHOOLS, path)
    assert read.travel.unit == "minutes"
    assert read.travel.minutes_or_km is not None
    assert read.travel.minutes_or_km.rows() == [
        ("001", "002", 12.5), ("002", "001", 14.0), ("002", "003", 20.0), ("001", "004", 90.0),
        ("004", "001", 90.0),
    ]  # fmt: skip
    assert read.notes == (
        "1 row of the travel table names a school that is not in the list and is left out.",
        "1 pair is listed in one direction only; its value holds for both.",
        "1 pair differs by direction; the smaller value holds for both.",
    )
    assert read.travel.barriers is None


@pytest.mark.parametrize(("column", "unit"), [("km", "km"), ("travel", "units")])
def test_the_other_columns_of_travel(column: str, unit: str) -> None:
    frame = pl.DataFrame({"from_school": ["001"], "to_school": ["002"], column: [3]})
    assert read_travel(SCHOOLS, frame).travel.unit == unit


@pytest.mark.parametrize(
    ("rows", "row", "column", "text"),
    [
        (["from_school,to_school,km", "001,002,-1"], 2, "km", '"-1" is not a number from 0 up'),
        (["from_school,to_school,km", "001,002,far"], 2, "km", '"far" is not a number'),
        (["from_school,to_school,km", "001,002,inf"], 2, "km", '"inf" is not a number'),
        (["from_school,to_school,km", "001,,4"], 2, "to_school", "is empty"),
        (["from_school,to_school,km", "001,002,4", "001,002,4"], 3, "to_school", "stands twice"),
        (["from_school,to_school,km", "1,2,4"], None, "from_school", "leading zeros"),
        (["from_school,to_school", "001,002"], None, "travel", "it has none"),
        (["from_school,to_school,km,minutes", "001,002,1,2"], None, None, "minutes and km"),
        (["from,to,km", "001,002,1"], None, "from_school", "is missing from the travel table"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, rows: list[str], row: int | None, column: str | None, text: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_travel(SCHOOLS, write(tmp_path, *rows))
    assert text in str(caught.value)
    assert (caught.value.file, caught.value.row) == ("file.csv", row)
    if column:
        assert caught.value.column == column


def test_barriers_between_schools_and_between_areas(tmp_path: Path) -> None:
    schools = read_travel(SCHOOLS, None, write(tmp_path, "school_a,school_b", "001,002", "001,9"))
    assert schools.travel.barriers is not None
    assert schools.travel.barriers.rows() == [("001", "002")]
    assert schools.notes == ("1 barrier names a school that is not in the list and is left out.",)
    areas = read_travel(SCHOOLS, None, write(tmp_path, "area_a,area_b", "north,south"))
    assert areas.travel.barriers is not None
    assert areas.travel.barriers.columns == ["area_a", "area_b"]
    assert areas.notes == ()


@pytest.mark.parametrize(
    ("rows", "row", "text"),
    [
        (["school_a,school_b", "001,001"], 2, "between the school 001 and itself"),
        (["school_a,school_b", "001,"], 2, "the school is empty"),
        (["area_a,area_b", "north,north"], 2, "between the area north and itself"),
        (["area_a,area_b", "north,east"], None, "no barrier is between two areas"),
        (["school_a,area_b", "001,north"], None, "barriers need the columns"),
        (["school_a,school_b,area_a,area_b", "001,002,north,south"], None, "and not both"),
    ],
)
def test_barriers_that_cannot_be_used_are_refused(
    tmp_path: Path, rows: list[str], row: int | None, text: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_travel(SCHOOLS, None, write(tmp_path, *rows))
    assert text in str(caught.value)
    assert (caught.value.file, caught.value.row) == ("file.csv", row)


def test_barriers_between_areas_need_the_areas_of_the_schools() -> None:
    frame = pl.DataFrame({"area_a": ["north"], "area_b": ["south"]})
    with pytest.raises(InputError, match="the schools have no column area"):
        read_travel(SCHOOLS.drop("area"), None, frame)


def test_pins_are_checked_by_the_table_and_the_barriers() -> None:
    parameters = Parameters(minimum=2, maximum=4, max_km=15)
    pins = Pins(led_by={"001": "002"})
    ways = pl.DataFrame({"from_school": ["002", "001"], "to_school": ["001", "003"],
                         "minutes": [14, 3]})  # fmt: skip
    table = read_travel(SCHOOLS, ways).travel
    assert contradictions(pins, SCHOOLS, parameters, table) == ()
    slow = read_travel(SCHOOLS, ways.with_columns(minutes=pl.Series([16, 3]))).travel
    found = contradictions(pins, SCHOOLS, parameters, slow)
    assert "it is 16.0 minutes away and the limit is 15 minutes" in found[0].words
    far = contradictions(Pins(led_by={"001": "004"}), SCHOOLS, parameters, table)
    assert "there is no way between them" in far[0].words
    river = read_travel(SCHOOLS, None, pl.DataFrame({"area_a": ["south"], "area_b": ["north"]}))
    across = contradictions(Pins(led_by={"002": "003"}), SCHOOLS, parameters, river.travel)
    assert [item.words for item in across] == [
        "002 is to be led by 003, but there is no way between them and the limit is 15 km."
    ]
    assert contradictions(pins, SCHOOLS, parameters, river.travel) == ()
