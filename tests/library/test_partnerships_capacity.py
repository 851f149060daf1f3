"""More schools than leaders have room for: by how much and where, before and after the run."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from brightspots.connectedness.capacity_checks import left_out_by_area, room_of_leaders
from brightspots.connectedness.partnerships import Parameters, form_partnerships

KM = 1 / 111.195
SETTINGS = Parameters(minimum=2, maximum=4, max_km=20)


def two_towns(capacity: list[int], **columns: Any) -> pl.DataFrame:
    """Six schools in a town in the north, four in another 500 km away."""
    places = [0, 1, 2, 3, 4, 5, 500, 501, 502, 503]
    return pl.DataFrame(
        {
            "school": [f"S{i}" for i in range(10)],
            "latitude": [0.0] * 10,
            "longitude": [30 + place * KM for place in places],
            "capacity": capacity,
            "area": ["north"] * 6 + ["south"] * 4,
            **columns,
        }
    )


def test_with_room_for_all_nothing_is_said() -> None:
    found = room_of_leaders(two_towns([4, 0, 0, 0, 4, 0, 4, 0, 0, 0]), SETTINGS)
    assert (found.schools, found.leaders, found.room, found.short) == (10, 3, 12, 0)
    assert found.messages() == ()


def test_room_in_one_part_of_the_map_does_not_help_another() -> None:
    schools = two_towns([3, 0, 0, 0, 0, 0, 4, 4, 4, 0])
    found = room_of_leaders(schools, SETTINGS)
    # 15 places for 10 schools in all, and three too few in the north.
    assert (found.room, found.short) == (15, 3)
    assert found.parts.rows() == [
        (1, "S0", "north", 6, 1, 3, 3),
        (2, "S6", "south", 4, 3, 12, 0),
    ]
    assert found.areas.rows() == [("north", 6, 1, 3, 3), ("south", 4, 3, 12, 0)]
    assert found.messages() == (
        "Leaders have room for too few: 10 schools can be reached, 4 leaders have room for 15, and"
        " 3 schools at least must be left out.",
        "Around school S0 (north): 6 schools, room for 3, 3 too many.",
        "Areas with more schools than room of their own leaders: north 3 of 6.",
    )
    assert found.as_dict()["short_by_part"][0]["short"] == 3
    result = form_partnerships(schools, SETTINGS)
    assert result.isolated.height == 3
    assert left_out_by_area(result, schools).rows() == [("north", 6, 3)]


def test_a_leader_has_no_more_room_than_the_schools_it_reaches() -> None:
    # S6 reaches four schools with its own, whatever its capacity.
    found = room_of_leaders(
        two_towns([6, 0, 0, 0, 0, 0, 6, 0, 0, 0]), Parameters(minimum=2, maximum=6, max_km=20)
    )
    assert found.parts["room"].to_list() == [6, 4]


def test_leaders_below_the_smallest_size_have_no_room() -> None:
    found = room_of_leaders(
        two_towns([6, 0, 2, 0, 0, 0, 4, 0, 2, 0]), Parameters(minimum=3, maximum=6, max_km=20)
    )
    assert (found.leaders, found.room) == (2, 10)


@pytest.mark.parametrize("seed", range(4))
def test_at_least_as_many_are_left_out_as_are_said_to_be_short(seed: int) -> None:
    rng = np.random.default_rng(seed)
    schools = pl.DataFrame(
        {
            "school": [f"S{i:02d}" for i in range(40)],
            "latitude": rng.uniform(0, 0.6, 40),
            "longitude": rng.uniform(30, 30.6, 40),
            "capacity": rng.choice([0, 0, 0, 0, 3, 5], 40),
        }
    )
    found = room_of_leaders(schools, SETTINGS)
    result = form_partnerships(schools, SETTINGS)
    unreached = 40 - found.schools
    assert result.isolated.height >= unreached + found.short
    assert left_out_by_area(result, schools)["left_out"].sum() == result.isolated.height


def test_without_areas_the_parts_still_say_where() -> None:
    found = room_of_leaders(two_towns([3, 0, 0, 0, 0, 0, 4, 0, 0, 0]).drop("area"), SETTINGS)
    assert found.areas.is_empty()
    assert found.messages()[1] == "Around school S0: 6 schools, room for 3, 3 too many."
