"""Tables of travel, barriers, schools without coordinates, exceptions, and hard moments."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightspots.connectedness import partnerships as module
from brightspots.connectedness.partnerships import (
    Parameters,
    Partnerships,
    Pins,
    StopEarly,
    Travel,
    form_partnerships,
)
from brightspots.core.errors import InputError
from tests.library.partnership_checker import Checker
from tests.library.test_partnerships import SCHEMA, as_bytes, line, reasons, scattered

SCHEMA_HERE = SCHEMA | {"area": pl.String}


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: SCHEMA_HERE[name] for name in rows[0]})


def form(
    rows: list[dict[str, Any]], travel: Travel | None = None, **more: Any
) -> Partnerships:  # fmt: skip
    quick = {"steps_per_school": 40, "bound_steps": 60}
    return form_partnerships(frame(rows), Parameters(**quick | more), travel=travel)


def table(ways: dict[tuple[str, str], float], unit: str = "minutes") -> Travel:
    rows = [(one, other, way) for (one, other), way in ways.items()]
    columns = ["from_school", "to_school", "travel"]
    return Travel(pl.DataFrame(rows, schema=columns, orient="row"), unit=unit)


def bars(pairs: list[tuple[str, str]], by: str = "school") -> Travel:
    return Travel(
        barriers=pl.DataFrame(pairs, schema=[f"{by}_a", f"{by}_b"], orient="row")
    )  # fmt: skip


# --- tables of travel -------------------------------------------------------------------------


def test_table_replaces_distance_and_the_smaller_of_two_directions_holds() -> None:
    rows = line(4)
    ways = {("S00", f"S{i:02d}"): 10.0 * i for i in range(1, 4)} | {("S03", "S00"): 12.0}
    result = form(rows, table(ways), max_km=45)
    assert result.members["leader_school"].unique().to_list() == ["S00"]
    assert result.members["travel"].to_list() == [0.0, 10.0, 20.0, 12.0]
    assert result.objective["travel_km"] == 42.0
    assert result.members["distance_km"].to_list() == pytest.approx([0, 1, 2, 3], abs=1e-3)


def test_pair_that_is_not_listed_cannot_travel() -> None:
    ways = {("S00", "S01"): 1.0, ("S00", "S02"): 1.0, ("S01", "S02"): 1.0}
    result = form(line(4), table(ways), minimum=3)
    assert reasons(result) == {"S03": "no other school within 25 minutes"}


def test_school_without_coordinates_is_served_where_the_table_lists_it() -> None:
    rows = [row | {"latitude": None, "longitude": None} for row in line(4)]
    ways = {("S00", f"S{i:02d}"): 5.0 for i in range(1, 4)}
    result = form(rows, table(ways))
    assert result.isolated.is_empty()
    assert result.members["distance_km"].to_list() == [0.0, None, None, None]


@pytest.mark.parametrize(
    ("ways", "words"),
    [({("S00", "S01"): -1.0}, "from 0 up"), ({("S00", "S01"): float("nan")}, "from 0 up"),
     ({("A", "B"): 1.0}, "names no pair")],
)  # fmt: skip
def test_table_that_cannot_be_used_is_refused(
    ways: dict[tuple[str, str], float], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        form(line(4), table(ways))


def test_missing_column_of_table_or_barriers_is_named() -> None:
    with pytest.raises(InputError, match="no column travel"):
        form(line(4), Travel(pl.DataFrame({"from_school": ["S00"], "to_school": ["S01"]})))
    with pytest.raises(InputError, match="no column school_b"):
        form(line(4), Travel(barriers=pl.DataFrame({"school_a": ["S00"]})))
    with pytest.raises(InputError, match="no column area"):
        form(line(4), bars([("A", "B")], "area"))


# --- barriers and islands ---------------------------------------------------------------------


def test_barrier_between_areas_splits_what_is_near() -> None:
    rows = [row | {"area": "isle" if i < 4 else "land"} for i, row in enumerate(line(8))]
    result = form(rows, bars([("land", "isle")], "area"))
    groups = result.members.group_by("partnership").agg("school").sort("partnership")
    assert groups["school"].to_list() == [[f"S{i:02d}" for i in range(4)],
                                          [f"S{i:02d}" for i in range(4, 8)]]  # fmt: skip


def test_one_school_alone_on_an_island_is_isolated_with_the_reason() -> None:
    rows = [row | {"area": "isle" if i == 0 else "land"} for i, row in enumerate(line(8))]
    result = form(rows, bars([("land", "isle")], "area"))
    assert reasons(result) == {"S00": "no other school within 25 km on its side of the barriers"}


def test_barrier_between_two_schools_keeps_neither_from_leading_the_other_s_neighbours() -> None:
    rows = line(4)
    result = form(rows, bars([("S01", "S02")]))
    leader = result.members["leader_school"][0]
    assert leader in ("S00", "S03")


# --- schools without coordinates --------------------------------------------------------------


def test_school_without_coordinates_joins_its_area_at_the_stated_way() -> None:
    rows = [row | {"area": "A"} for row in line(6)]
    rows.append({"school": "X", "latitude": 0.0, "longitude": 0.0, "area": "A"})
    result = form(rows, unknown_km=7.0)
    assert result.isolated.is_empty()
    found = {row["school"]: row["distance_km"] for row in result.members.to_dicts()}
    assert found["X"] is None
    assert result.objective["travel_km"] == pytest.approx(9.0 + 7.0, abs=1e-2)
    usual = form(rows)
    assert usual.objective["travel_km"] == pytest.approx(9.0 + 12.5, abs=1e-2)


def test_schools_without_coordinates_form_a_partnership_of_their_area() -> None:
    rows = [{"school": f"X{i}", "latitude": None, "longitude": None, "area": "A"}
            for i in range(5)]  # fmt: skip
    result = form(rows)
    assert result.n_partnerships == 1
    assert result.members.filter(pl.col("school") != "X0")["distance_km"].to_list() == [None] * 4


def test_school_without_coordinates_and_area_is_isolated() -> None:
    rows = [row | {"area": "A"} for row in line(5)]
    rows.append({"school": "X", "latitude": None, "longitude": 3.0, "area": " "})
    assert reasons(form(rows)) == {"X": "no coordinates and no area (the latitude is missing)"}


def random_world(n: int, seed: int) -> tuple[list[dict[str, Any]], Checker, Travel | None]:
    """Schools with areas, some without coordinates, and a table, barriers, or neither."""
    rng = random.Random(seed)  # noqa: S311 - test data
    rows = [row | {"area": rng.choice(["A", "B", "C", ""])} for row in scattered(n, seed, 0.2)]
    for row in rows:
        row.pop("capacity")
        if rng.random() < 0.2:
            row["latitude"] = row["longitude"] = None
    rules = Checker(rows, 3, 5, 25.0)
    ways, pairs = None, None
    if rng.random() < 0.5:
        ways = {}
        for one in rows[: rng.randint(2, n)]:
            for other in rows:
                if one is not other and rng.random() < 0.4:
                    ways[one["school"], other["school"]] = rng.choice(
                        [3.0, 12.5, rng.random() * 40]
                    )
        ways[rows[0]["school"], rows[1]["school"]] = 4.0
    by = rng.choice(["area", "school", ""])
    if by:
        ends = ["A", "B", "C"] if by == "area" else [row["school"] for row in rows]
        drawn = [rng.sample(ends, 2) for _ in range(2 if by == "area" else n)]
        pairs = [(one, other) for one, other in drawn]
    if ways is None and pairs is None:
        return rows, rules, None
    travel = Travel(
        None if ways is None else table(ways).minutes_or_km, "minutes",
        None if pairs is None else bars(pairs, by).barriers,
    )  # fmt: skip
    rules = Checker(
        rows, 3, 5, 25.0, table=ways, by_area=by == "area",
        barred=frozenset(map(frozenset, pairs or ())),
    )  # fmt: skip
    return rows, rules, travel


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("exact", [True, False])
def test_best_partition_is_found_whatever_the_ways(
    seed: int, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exact:
        monkeypatch.setattr(module, "LARGEST_COMPONENT", 0)
    rows, rules, travel = random_world(9, seed)
    result = form(rows, travel, minimum=3, maximum=5, steps_per_school=100)
    total = rules.check(result)
    left, cost = rules.best()
    assert result.isolated.height == left + sum(not rules.reachable(row) for row in rows)
    assert total == pytest.approx(cost, abs=1e-6)
    assert result.lower_bound is not None
    assert result.lower_bound <= cost + 1e-6


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(n=st.integers(2, 50), seed=st.integers(0, 10**6), shuffle=st.randoms())
def test_rules_hold_and_order_changes_no_byte_in_random_worlds(
    n: int, seed: int, shuffle: random.Random
) -> None:
    rows, rules, travel = random_world(n, seed)
    quick = {"minimum": 3, "maximum": 5, "steps_per_school": 10, "bound_steps": 20}
    serve_all = seed % 2 == 0
    result = form(rows, travel, **quick, serve_all=serve_all)
    rules.check(result)
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    if travel is not None and travel.minutes_or_km is not None:
        shuffle_rows = travel.minutes_or_km.sample(fraction=1, shuffle=True, seed=seed)
        travel = Travel(shuffle_rows, travel.unit, travel.barriers)
    assert as_bytes(form(shuffled, travel, **quick, serve_all=serve_all)) == as_bytes(result)


def test_ways_count_in_the_hash_of_the_input() -> None:
    rows = line(8)
    hashes = {form(rows, travel).provenance.input_hash
              for travel in (None, bars([("S00", "S01")]), bars([("S00", "S02")]))}  # fmt: skip
    assert len(hashes) == 3


# --- nobody left out --------------------------------------------------------------------------


def exceptions(result: Partnerships) -> dict[str, str]:
    marked = result.members.filter(pl.col("exception") != "")
    return dict(marked.select("school", "exception").iter_rows())


def test_far_school_joins_the_nearest_partnership_with_room() -> None:
    rows = [*line(5), {"school": "far", "latitude": 0.3, "longitude": 30.0}]
    result = form(rows, serve_all=True)
    assert result.isolated.is_empty()
    assert exceptions(result) == {
        "far": "no other school within 25 km; taken in all the same: 33.4 km to the leader,"
        " the limit is 25"
    }
    Checker(rows, 4, 8, 25.0).check(result)


def test_full_partnership_grows_by_one_before_a_school_travels_across_the_land() -> None:
    far = [row | {"school": f"T{i}", "latitude": 5.0} for i, row in enumerate(line(4))]
    rows = [*line(8), *far, {"school": "near", "latitude": 0.3, "longitude": 30.0}]
    result = form(rows, serve_all=True)
    assert "9 schools, the most there is room for is 8" in exceptions(result)["near"]


def test_school_left_over_by_sizes_is_taken_in() -> None:
    result = form(line(9), minimum=6, maximum=8, serve_all=True)
    assert result.isolated.is_empty()
    (reason,) = exceptions(result).values()
    assert reason.endswith("9 schools, the most there is room for is 8")


def test_phase_is_mixed_only_where_there_is_nothing_else() -> None:
    rows = [row | {"phase": "primary"} for row in line(5)]
    rows += [{"school": f"T{i}", "latitude": 4.0, "longitude": 30.0 + i / 100,
              "phase": "secondary"} for i in range(4)]  # fmt: skip
    rows.append({"school": "near", "latitude": 0.01, "longitude": 30.0, "phase": "secondary"})
    other = form(rows, serve_all=True)
    assert "no phase in common" not in exceptions(other)["near"]
    alone = form([*rows[:5], rows[-1]], serve_all=True)
    assert "no phase in common" in exceptions(alone)["near"]


def test_barrier_is_crossed_last_and_named() -> None:
    rows = [row | {"area": "isle" if i == 0 else "land"} for i, row in enumerate(line(8))]
    travel = bars([("land", "isle")], "area")
    result = form_partnerships(frame(rows), Parameters(serve_all=True), travel=travel)
    assert "a barrier stands between" in exceptions(result)["S00"]


def test_school_of_unknown_place_is_taken_in_and_its_way_is_not_known() -> None:
    rows = [*line(5), {"school": "X", "latitude": None, "longitude": None}]
    result = form(rows, serve_all=True)
    assert exceptions(result) == {
        "X": "no coordinates; taken in all the same: its way to the leader is not known"
    }
    assert result.members.filter(school="X")["distance_km"].to_list() == [None]


def test_where_there_is_no_partnership_nobody_can_be_taken_in() -> None:
    result = form(line(3), serve_all=True)
    assert result.isolated.height == 3
    assert result.members.columns[-1] == "exception"


def test_exceptions_keep_to_pins_where_they_can() -> None:
    far = [row | {"school": f"T{i}", "latitude": 0.5} for i, row in enumerate(line(4))]
    rows = [*line(4), *far, {"school": "X", "latitude": 0.24, "longitude": 29.7}]
    settings_ = Parameters(serve_all=True, max_km=20)
    free = form_partnerships(frame(rows), settings_)
    with_whom = free.members.filter(school="X")["leader_school"][0]
    pins = Pins(apart=(frozenset({"X", with_whom}),))
    pinned = form_partnerships(frame(rows), settings_, pins=pins)
    assert pinned.members.filter(school="X")["leader_school"][0] != with_whom
    assert pinned.broken_pins.is_empty()


# --- hard moments -----------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["reading", "improving", "bounding"])
def test_stopping_early_gives_the_best_so_far_with_every_rule_kept(when: str) -> None:
    rows = scattered(300, 4, full=False)

    def stop(_share: float, stage: str) -> None:
        if stage == when:
            raise StopEarly

    result = form_partnerships(frame(rows), Parameters(), progress=stop)
    Checker(rows, 4, 8, 25.0).check(result)
    assert result.members.height > 280
    assert result.stopped_early == (when != "bounding")


@pytest.mark.parametrize(
    ("when", "least"),
    [("improving", 0.2), ("placing every school", 0), ("placing every school", 0.8),
     ("bounding", 0)],
)  # fmt: skip
def test_interruption_by_the_keyboard_gives_the_best_so_far(when: str, least: float) -> None:
    rows = scattered(300, 4, full=False)
    told: list[str] = []

    def interrupt(share: float, stage: str) -> None:
        if stage == when and when not in told and share > least:
            told.append(stage)
            raise KeyboardInterrupt

    # Groups of seven leave some of the schools over, so that they are looked at again at the end.
    parameters = Parameters(minimum=7, maximum=7)
    result = form_partnerships(frame(rows), parameters, progress=interrupt)
    Checker(rows, 7, 7, 25.0).check(result)
    assert told
    assert result.stopped_early == (when != "bounding")


def test_search_stops_at_a_gap_or_at_a_cost() -> None:
    rows = [row for row in scattered(300, 4, full=False) if row["latitude"] is not None]
    long: dict[str, Any] = {"steps_per_school": 2000}
    gap = form(rows, **long, gap=0.2, bound_steps=300)
    assert gap.gap is not None
    assert gap.gap <= 0.2
    cost = form(rows, **long, target_cost=gap.objective["total"] * 1.02)
    assert cost.objective["total"] <= gap.objective["total"] * 1.02
    for result in (gap, cost):
        assert not result.stopped_early
        Checker(rows, 4, 8, 25.0).check(result)


def test_capacity_of_none_and_duplicates_on_one_site() -> None:
    rows = [row | {"longitude": 30.0, "capacity": 0 if i < 6 else None}
            for i, row in enumerate(line(12))]  # fmt: skip
    result = form(rows)
    assert set(result.members["leader_school"]) <= {f"S{i:02d}" for i in range(6, 12)}
    assert result.isolated.is_empty()
    with pytest.raises(InputError, match="capacity of 4 or more"):
        form([row | {"capacity": 0} for row in rows])


def test_one_school_alone_and_nobody_placed() -> None:
    assert reasons(form(line(1))) == {"S00": "no other school within 25 km"}
    rows = [row | {"latitude": 0.0, "longitude": 0.0} for row in line(5)]
    assert set(reasons(form(rows)).values()) == {
        "no coordinates (0, 0 stands for an unknown place)"
    }


@pytest.mark.parametrize("wrong", [{"gap": -0.1}, {"target_cost": float("nan")},
                                   {"unknown_km": 30.0}, {"unknown_km": -1.0}])  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Parameters(**wrong)
