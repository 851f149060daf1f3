"""Pins: read from a file, and every contradiction named in plain words before any search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from brightspots.connectedness.partnerships import form_partnerships
from brightspots.connectedness.pins import Pins, check_pins, contradictions, read_pins
from brightspots.connectedness.problem import Parameters
from brightspots.connectedness.travel import Travel
from brightspots.core.errors import InputError

KM = 1 / 111.195
FOUR = Parameters(minimum=2, maximum=4, max_km=10)


def line(n: int, spacing_km: float = 1.0, **columns: Any) -> pl.DataFrame:
    """Schools S0, S1 ... on the equator, one after the other."""
    return pl.DataFrame(
        {
            "school": [f"S{i}" for i in range(n)],
            "latitude": [0.1] * n,
            "longitude": [30 + i * spacing_km * KM for i in range(n)],
            **columns,
        }
    )


def pins_of(*rows: str) -> Pins:
    cells = [(row + ",").split(",")[:3] for row in rows]
    return read_pins(pl.DataFrame(cells, schema=["kind", "school_a", "school_b"], orient="row"))


def words(schools: pl.DataFrame, *rows: str, parameters: Parameters = FOUR) -> list[str]:
    return [item.words for item in contradictions(pins_of(*rows), schools, parameters)]


def test_a_file_is_read_with_the_rows_its_pins_stand_in(tmp_path: Path) -> None:
    path = tmp_path / "pins.csv"
    path.write_text(
        "kind,school_a,school_b\ntogether,001,002\n\nApart,002,003\nleader,004,\nled_by,005,004\n"
    )
    pins = read_pins(path)
    assert pins.together == (frozenset({"001", "002"}),)
    assert pins.apart == (frozenset({"002", "003"}),)
    assert pins.leads == {"004"}
    assert pins.led_by == {"005": "004"}
    assert pins.leaders == {"004"}
    assert pins.rows["apart", "002", "003"] == 4
    assert pins.groups() == (frozenset({"001", "002"}), frozenset({"004", "005"}))


def test_overlapping_pins_join_into_one_group() -> None:
    pins = pins_of("together,d,c", "together,a,b", "together,b,c", "led_by,e,a", "together,x,y")
    assert pins.groups() == (frozenset("abcde"), frozenset("xy"))


def test_pins_that_can_be_kept_are_no_contradiction() -> None:
    pins = pins_of("together,S0,S1", "apart,S1,S2", "leader,S1", "led_by,S3,S2", "together,S0,S1")
    assert contradictions(pins, line(8), FOUR) == ()
    check_pins(pins, line(8), FOUR)
    check_pins(Pins(), line(8), FOUR)


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        ("beside,S0,S1", "kind", '"beside" is no kind of pin'),
        ("together,S0", "school_b", "the school code is empty"),
        ("apart,,S0", "school_a", "the school code is empty"),
        ("together,S0,S0", "school_b", "together with itself"),
        ("leader,S0,S1", "school_b", "write led_by,S1,S0"),
    ],
)
def test_a_row_that_says_nothing_is_refused_with_its_place(
    row: str, column: str, text: str
) -> None:
    with pytest.raises(InputError) as caught:
        pins_of("together,S5,S6", row)
    assert caught.value.row == 3
    assert caught.value.column == column
    assert text in str(caught.value)


def test_a_school_led_by_two_is_refused_with_both_rows() -> None:
    with pytest.raises(InputError, match=r"S1 is led by two: by S2 \(row 2\) and by S3 \(row 3\)"):
        pins_of("led_by,S1,S2", "led_by,S1,S3")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="school_b"):
        read_pins(pl.DataFrame({"kind": [], "school_a": []}))


def test_together_and_apart_is_named_with_its_rows() -> None:
    assert words(line(4), "together,S0,S1", "apart,S1,S0") == [
        "S0 and S1 are to be apart (row 3), but other pins put them together (row 2)."
    ]


def test_together_through_others_and_apart_names_the_chain_and_nothing_else() -> None:
    assert words(line(9), "together,S0,S1", "apart,S0,S3", "led_by,S1,S3", "together,S3,S4") == [
        "S0 and S3 are to be apart (row 3), but other pins put them together (rows 2, 4)."
    ]


def test_two_fixed_leaders_in_one_partnership() -> None:
    found = words(line(9), "leader,S0", "led_by,S1,S2", "together,S0,S1")
    assert found == [
        "S0 and S2 are both to lead, but the pins put them into one partnership, so that S1 would"
        " be led by both (rows 2, 3, 4)."
    ]


def test_a_leader_who_is_led_by_another() -> None:
    assert "S0 and S1 are both to lead" in words(line(9), "leader,S0", "led_by,S0,S1")[0]


def test_a_group_above_the_largest_size() -> None:
    rows = [f"together,S{i},S{i + 1}" for i in range(4)]
    assert words(line(9), *rows) == [
        "5 schools are to be together (S0, S1, S2, S3, S4) (rows 2, 3, 4, 5), but a partnership"
        " has 4 at most."
    ]
    assert words(line(9), *rows[:3]) == []


def test_a_member_beyond_the_limit_of_its_fixed_leader() -> None:
    assert words(line(9, 6.0), "led_by,S0,S2") == [
        "S0 is to be led by S2 (row 2), but it is 12.0 km away and the limit is 10 km."
    ]


def test_a_group_that_no_leader_can_reach_is_refused_and_one_with_a_leader_between_is_not() -> None:
    assert words(line(9, 6.0), "together,S0,S2") == []
    found = words(line(9, 6.0), "together,S0,S4")
    assert found == [
        "S0, S4 are to be together (row 2), but no school that may lead that many is within 10 km"
        " of all of them."
    ]
    may_not_lead = line(9, 6.0, leader=[1, 0, 1, 1, 1, 1, 1, 1, 1])
    assert len(words(may_not_lead, "together,S0,S2")) == 1


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"leader": [0, 1, 1, 1, 1, 1]}, "S0 is to lead (row 2), but may not"),
        ({"capacity": [1, 4, 4, 4, 4, 4]}, "S0 is to lead (row 2), but its capacity is 1"),
    ],
)
def test_a_fixed_leader_who_cannot_lead(columns: dict[str, Any], text: str) -> None:
    found = words(line(6, **columns), "leader,S0")
    assert len(found) == 1
    assert text in found[0]


def test_a_fixed_leader_whose_capacity_is_below_its_group() -> None:
    schools = line(6, capacity=[2, 4, 4, 4, 4, 4])
    assert words(schools, "led_by,S1,S0", "led_by,S2,S0") == [
        "3 schools are to be led by S0 (rows 2, 3), but its capacity is 2, its own school included."
    ]


def test_a_fixed_leader_with_too_few_schools_around() -> None:
    found = words(line(9, 12.0), "leader,S3")
    assert found == [
        "S3 is to lead (row 2), but no other school is within 10 km of it; a partnership has"
        " 2 schools at least."
    ]


def test_more_fixed_leaders_than_partnerships_are_possible() -> None:
    parameters = Parameters(minimum=4, maximum=6, max_km=50)
    found = words(line(9), "leader,S0", "leader,S4", "leader,S8", parameters=parameters)
    assert found == [
        "3 schools are to lead: 3 partnerships of 4 or more need 12 schools, and there are 9."
    ]


@pytest.mark.parametrize("column", ["phase", "language"])
def test_schools_without_a_phase_or_language_in_common(column: str) -> None:
    kinds = pl.Series(column, ["a", "a;b", "b", "b", "a", "b"])
    schools = line(6).with_columns(kinds)
    assert words(schools, "together,S0,S1") == []
    for row in ("together,S0,S2", "led_by,S0,S2"):
        assert words(schools, row) == [
            f"S0, S2 are to be together (row 2), but have no {column} in common."
        ]
    # Two and two go together, all three do not.
    assert len(words(schools, "together,S0,S1", "together,S1,S2")) == 1


def test_unknown_and_closed_schools_are_told_apart() -> None:
    pins = pins_of("together,S0,X9", "leader,S99")
    found = contradictions(pins, line(4), FOUR, closed={"S99"})
    assert [item.words for item in found] == [
        "the school S99 (row 3) has closed or was merged.",
        "the school X9 (row 2) is not among the schools.",
    ]


def test_every_contradiction_is_named_in_one_message_with_the_file() -> None:
    pins = pins_of("together,S0,X9", "leader,X8", "together,S1,S2", "apart,S1,S2")
    with pytest.raises(InputError) as caught:
        check_pins(pins, line(6), FOUR, name="pins.csv")
    message = str(caught.value)
    assert message.startswith("pins.csv: 3 contradictions in the pins:")
    for text in ("X8", "X9", "S1 and S2"):
        assert text in message


def test_one_contradiction_is_a_message_with_its_row() -> None:
    with pytest.raises(InputError) as caught:
        check_pins(pins_of("leader,S0", "together,S1,X9"), line(6), FOUR, name="pins.csv")
    assert str(caught.value).startswith("pins.csv, row 3: the school X9")


def test_pins_without_a_file_are_checked_without_rows() -> None:
    pins = Pins(together=(frozenset({"S0", "S1"}),), apart=(frozenset({"S0", "S1", "S2"}),))
    found = contradictions(pins, line(6), FOUR)
    assert [item.words for item in found] == [
        "S0 and S1 are to be apart, but other pins put them together."
    ]


def test_a_school_without_a_place_is_not_held_to_be_too_far() -> None:
    schools = line(6).with_columns(
        pl.when(pl.col("school") == "S0").then(None).otherwise(pl.col("latitude")).alias("latitude")
    )
    assert words(schools, "together,S0,S5", "led_by,S0,S4") == []


def test_a_school_that_neither_map_nor_table_knows_is_not_held_to_be_too_far() -> None:
    """The method places it in its area; whether that will do is the search's question."""
    schools = line(6).with_columns(
        pl.when(pl.col("school") == "S0").then(None).otherwise(pl.col("latitude")).alias("latitude")
    )
    ways = [(f"S{i}", f"S{i + 1}", 5.0) for i in range(1, 5)]
    columns = ["from_school", "to_school", "travel"]
    travel = Travel(pl.DataFrame(ways, schema=columns, orient="row"), unit="minutes")
    assert contradictions(pins_of("led_by,S0,S4"), schools, FOUR, travel) == ()
    found = contradictions(pins_of("led_by,S1,S4"), schools, FOUR, travel)
    assert "there is no way between them" in found[0].words


@pytest.mark.parametrize("seed", range(12))
def test_no_pins_are_refused_that_a_partnership_could_keep(seed: int) -> None:
    """Pins read off an answer are kept by that answer, so there is nothing wrong with them."""
    rng = np.random.default_rng(seed)
    n = 40
    schools = pl.DataFrame(
        {
            "school": [f"S{i:02d}" for i in range(n)],
            "latitude": rng.uniform(0, 0.4, n),
            "longitude": rng.uniform(30, 30.4, n),
            "phase": rng.choice(["primary", "secondary", "all"], n),
            "capacity": rng.choice([0, 2, 3, 4], n),
        }
    )
    members = form_partnerships(schools, FOUR).members
    of, lead = members["partnership"].to_list(), members["leader_school"].to_list()
    codes = members["school"].to_list()
    pins = Pins(
        together=tuple(
            frozenset((codes[i], codes[i + 1]))
            for i in range(len(codes) - 1) if of[i] == of[i + 1] and rng.random() < 0.6
        ),
        apart=tuple(
            frozenset((codes[i], codes[i + 1]))
            for i in range(len(codes) - 1) if of[i] != of[i + 1]
        ),
        leads=frozenset(code for code in lead if rng.random() < 0.5),
        led_by={c: j for c, j in zip(codes, lead, strict=True) if rng.random() < 0.3},
    )  # fmt: skip
    assert contradictions(pins, schools, FOUR) == ()


def test_the_bound_is_of_use_where_the_first_answer_keeps_no_pin() -> None:
    rng = np.random.default_rng(4)
    n = 120
    schools = pl.DataFrame(
        {
            "school": [f"S{i:03d}" for i in range(n)],
            "latitude": rng.uniform(0, 0.5, n),
            "longitude": rng.uniform(30, 30.5, n),
        }
    )
    settings = Parameters(steps_per_school=100)
    free = form_partnerships(schools, settings)
    # A leader moved to the neighbouring partnership, far from the first answer.
    lead = free.members["leader_school"].to_list()
    pins = Pins(led_by={lead[0]: lead[-1]})
    if contradictions(pins, schools, settings):
        pins = Pins(together=(frozenset({lead[0], free.members["school"][10]}),))
    kept = form_partnerships(schools, settings, existing=free.members, pins=pins)
    assert kept.broken_pins.is_empty()
    assert kept.gap is not None
    assert 0 <= kept.gap < 0.2
