"""What re-forming changes: schools, partnerships, leaders and why; closures and mergers."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import polars as pl
import pytest

from brightspots.connectedness.changes import apply_changes, read_existing
from brightspots.connectedness.difference import difference
from brightspots.connectedness.partnerships import Parameters, Weights, form_partnerships
from brightspots.core.errors import InputError

KM = 1 / 111.195


def at(*places: float, **columns: Any) -> pl.DataFrame:
    """Schools A, B ... on the equator at these km."""
    return pl.DataFrame(
        {
            "school": [chr(ord("A") + i) for i in range(len(places))],
            "latitude": [0.0] * len(places),
            "longitude": [30 + place * KM for place in places],
            **columns,
        }
    )


def present(**members: str) -> pl.DataFrame:
    """Present partnerships by name, the first letter of each leads: X="ABC"."""
    rows = [(s, name, codes[0]) for name, codes in members.items() for s in codes]
    return pl.DataFrame(rows, schema=["school", "partnership", "leader_school"], orient="row")


def compare(
    schools: pl.DataFrame, existing: pl.DataFrame, **settings: Any
) -> tuple[Any, dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    changes = apply_changes(schools, existing)
    parameters = Parameters(**{"minimum": 2, "maximum": 4, "max_km": 20} | settings)
    result = form_partnerships(changes.schools, parameters, existing=changes.existing)
    found = difference(changes, result)
    by_school = {row["school"]: row for row in found.schools.iter_rows(named=True)}
    by_old = {
        row["partnership_before"]: row
        for row in found.partnerships.iter_rows(named=True)
        if row["partnership_before"] and row["change"] != "split off"
    }
    return found, by_school, by_old


def test_partnerships_that_fit_are_kept_with_their_leaders() -> None:
    existing = present(X="BAC", Y="EDF")
    found, schools, partnerships = compare(at(0, 1, 2, 10, 11, 12), existing)
    assert {row["change"] for row in schools.values()} == {"stays"}
    assert [row["change"] for row in partnerships.values()] == ["kept", "kept"]
    assert [row["leader"] for row in partnerships.values()] == ["same", "same"]
    assert found.moved == 0
    assert found.as_dict()["share_moved"] == 0
    assert found.price == 2


def test_a_new_and_a_closed_school_change_the_partnership_only_there() -> None:
    existing = present(X="BACZ", Y="EDF")
    _, schools, partnerships = compare(at(0, 1, 2, 10, 11, 12, 2.5), existing)
    assert schools["Z"]["change"] == "closed"
    assert schools["Z"]["partnership_before"] == "X"
    assert schools["Z"]["partnership_after"] is None
    assert schools["G"]["change"] == "new"
    assert schools["G"]["partnership_after"] == schools["A"]["partnership_after"]
    row = partnerships["X"]
    assert (row["change"], row["leader"]) == ("changed", "same")
    assert (row["schools_before"], row["schools_after"]) == (4, 4)
    assert (row["stay"], row["come"], row["go"], row["closed"]) == (3, 1, 0, 1)
    assert partnerships["Y"]["change"] == "kept"


def test_a_merged_school_hands_its_place_and_its_lead_to_the_one_it_is_part_of_now() -> None:
    # B led X and is part of the new school G now.
    schools = at(0, 1, 2, 10, 11, 12, 1.0, merged_into=["", "G", "", "", "", "", ""])
    existing = present(X="BAC", Y="EDF")
    changes = apply_changes(schools, existing)
    assert changes.schools["school"].to_list() == list("ACDEFG")
    assert "merged_into" not in changes.schools.columns
    assert changes.kept.to_list() == [True, False, True, True, True, True, True]
    assert changes.existing.filter(pl.col("partnership") == "X").rows() == [
        ("A", "X", "G"), ("C", "X", "G"), ("G", "X", "G"),
    ]  # fmt: skip
    found, by_school, partnerships = compare(schools, existing)
    assert (by_school["B"]["change"], by_school["B"]["why"]) == ("merged", "merged into G")
    assert by_school["B"]["partnership_after"] == by_school["A"]["partnership_after"]
    assert by_school["G"]["change"] == "stays"
    assert partnerships["X"]["leader"] == "same"
    assert partnerships["X"]["why"] == "the leader's school B was merged into G"
    assert found.moved == 0


def test_a_merger_may_stand_in_the_present_partnerships() -> None:
    existing = present(X="BAC", Y="EDF").with_columns(
        merged_into=pl.when(pl.col("school") == "B").then(pl.lit("A"))
    )
    changes = apply_changes(at(0, 1, 2, 10, 11, 12).filter(pl.col("school") != "B"), existing)
    assert changes.merged == {"B": "A"}
    assert changes.closed == frozenset()
    assert changes.existing.filter(pl.col("partnership") == "X").rows() == [
        ("A", "X", "A"), ("C", "X", "A"),
    ]  # fmt: skip


def test_mergers_of_mergers_are_followed_and_circles_refused() -> None:
    existing = present(X="ABCDEF")
    schools = at(0, 1, 2, 3, 4, 5, merged_into=["B", "C", "", "", "", ""])
    assert apply_changes(schools, existing).merged == {"A": "C", "B": "C"}
    with pytest.raises(InputError, match="in a circle"):
        apply_changes(at(0, 1, 2, 3, merged_into=["B", "A", "", ""]), existing)
    with pytest.raises(InputError, match="merged into Q, which is not among the open schools"):
        apply_changes(at(0, 1, 2, 3, merged_into=["Q", "", "", ""]), existing)


@pytest.mark.parametrize(
    ("columns", "removed", "why"),
    [
        ({}, "B", "the leader's school B has closed"),
        ({"leader": [1, 0, 1, 1, 1, 1]}, "", "the leader of B has left (it may not lead now)"),
        ({"capacity": [4, 2, 4, 4, 4, 4]}, "", "B has a capacity of 2, and 3 schools are here now"),
    ],
)
def test_a_new_leader_is_named_with_the_reason(
    columns: dict[str, Any], removed: str, why: str
) -> None:
    schools = at(0, 1, 2, 10, 11, 12, **columns).filter(pl.col("school") != removed)
    _, by_school, partnerships = compare(schools, present(X="BAC", Y="EDF"))
    row = partnerships["X"]
    assert row["leader"] == "new"
    assert row["leader_before"] == "B"
    assert row["leader_after"] in ("A", "C")
    assert row["why"] == why
    assert by_school["A"]["change"] == "stays"
    assert partnerships["Y"]["why"] == ""


def test_a_leader_who_is_dearer_than_another_member_is_said_to_stay_as_one() -> None:
    _, _, partnerships = compare(at(0, 1, 2, 10, 11, 12), present(X="ABC", Y="EDF"))
    assert partnerships["X"]["why"] == "A stays as a member; led from B it costs less in all"


def test_schools_that_move_say_what_becomes_of_the_partnership_they_leave() -> None:
    # Y has lost all but one school, which is too few.
    schools = at(0, 1, 2, 10, 11, 12, 13)
    found, by_school, partnerships = compare(
        schools.filter(~pl.col("school").is_in(["E", "F"])), present(X="BAC", Y="EDF", Z="GQ")
    )
    assert by_school["D"]["change"] in ("stays", "moves")
    ended = [row for row in partnerships.values() if row["change"] == "ended"]
    assert len(ended) == 1
    assert ended[0]["go"] == 1
    assert found.moved == 1
    moved = next(row for row in by_school.values() if row["change"] == "moves")
    assert moved["why"].startswith(f"{moved['partnership_before']} ends")


def test_a_partnership_that_is_divided_goes_on_once_and_splits_off_once() -> None:
    found, by_school, partnerships = compare(
        at(0, 1, 2, 3, 4, 15, 16, 17), present(X="BACDEFGH"), maximum=5, max_km=10
    )
    assert Counter(row["change"] for row in by_school.values()) == {"stays": 5, "splits off": 3}
    assert partnerships["X"]["change"] == "changed"
    assert (partnerships["X"]["stay"], partnerships["X"]["go"]) == (5, 3)
    assert found.counts["partnerships"]["split off"] == 1
    assert found.moved == 0  # nobody gets a leader from elsewhere, which is what is priced


def test_schools_left_out_keep_their_reason() -> None:
    _, by_school, _ = compare(at(0, 1, 2, 500), present(X="BACD"))
    assert by_school["D"]["change"] == "left out"
    assert by_school["D"]["why"] == "no other school within 20 km"


def test_the_moves_counted_are_those_that_are_paid_for() -> None:
    """Every served school is in one row; moves and newcomers together are what was priced."""
    rng = random.Random(5)  # noqa: S311 - test data
    n = 120
    schools = pl.DataFrame(
        {
            "school": [f"S{i:03d}" for i in range(n)],
            "latitude": [rng.uniform(0, 0.4) for _ in range(n)],
            "longitude": [rng.uniform(30, 30.4) for _ in range(n)],
        }
    )
    settings: dict[str, Any] = {"steps_per_school": 60, "bound_steps": 0}
    first = form_partnerships(schools, Parameters(**settings)).members
    today = schools.with_columns(closed=pl.Series([i % 17 == 3 for i in range(n)]))
    changes = apply_changes(today, first)
    price = 3.0
    parameters = Parameters(**settings, weights=Weights(disruption=price))
    result = form_partnerships(changes.schools, parameters, existing=changes.existing)
    found = difference(changes, result)
    assert sorted(found.schools["school"]) == sorted(schools["school"])
    assert found.counts["schools"]["closed"] == today["closed"].sum()
    assert found.moved * price == pytest.approx(result.objective["disruption"])
    assert found.cost + found.moved * price == pytest.approx(result.objective["total"])
    rows = found.partnerships
    assert rows["schools_after"].sum() == result.members.height
    assert rows["schools_before"].sum() == first.height
    assert (rows["stay"] + rows["come"] == rows["schools_after"]).all()
    lost = rows.filter(pl.col("schools_before") > 0)
    assert (lost["stay"] + lost["go"] + lost["closed"] == lost["schools_before"]).all()


@pytest.mark.parametrize(
    ("rows", "row", "text"),
    [
        ([("A", "X", ""), ("A", "Y", "")], 3, "already in row 2"),
        ([("A", "X", "A"), ("B", "X", "B")], 3, "two leaders: A (row 2) and B"),
        ([("A", "", "A")], 2, "the partnership of A is empty"),
        ([("", "X", "A")], 2, "the school code is empty"),
        ([], None, "no partnerships"),
    ],
)
def test_present_partnerships_that_cannot_be_are_refused_with_their_row(
    rows: list[tuple[str, str, str]], row: int | None, text: str
) -> None:
    columns = ["school", "partnership", "leader_school"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    with pytest.raises(InputError) as caught:
        read_existing(frame)
    assert text in str(caught.value)
    assert caught.value.row == row


def test_codes_that_do_not_match_are_not_taken_for_closures() -> None:
    existing = present(X="BAC").with_columns(school="0" + pl.col("school"))
    with pytest.raises(InputError, match="3 of the 3 schools of the present partnerships"):
        apply_changes(at(0, 1, 2), existing)


def test_a_word_that_is_not_yes_or_no_is_refused_in_closed() -> None:
    with pytest.raises(InputError) as caught:
        apply_changes(at(0, 1, 2, closed=["", "no", "soon"]), present(X="BAC"))
    assert (caught.value.row, caught.value.column) == (4, "closed")
