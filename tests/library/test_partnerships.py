"""Forming partnerships: rules, optimality on small maps, bounds, and what must change nothing."""

from __future__ import annotations

import io
import random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightspots.connectedness import partnerships as module
from brightspots.connectedness.exact import fewest_left_out
from brightspots.connectedness.partnerships import (
    Parameters,
    Partnerships,
    Weights,
    form_partnerships,
    most_splittable,
)
from brightspots.connectedness.problem import make_problem
from brightspots.core.errors import InputError
from tests.library.partnership_checker import Checker

SCHEMA: dict[str, Any] = {
    "school": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "strength": pl.Float64,
    "need": pl.Float64,
    "phase": pl.String,
    "language": pl.String,
    "leader": pl.Int64,
    "capacity": pl.Int64,
}
SHORT = {"steps_per_school": 40, "bound_steps": 100}


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: SCHEMA[name] for name in rows[0]})


def line(n: int, spacing_km: float = 1.0, **columns: Any) -> list[dict[str, Any]]:
    """Schools S00, S01 ... on the equator, one after the other."""
    degree = spacing_km / 111.195
    return [
        {"school": f"S{i:02d}", "latitude": 0.0, "longitude": 30 + i * degree, **columns}
        for i in range(n)
    ]


def scattered(n: int, seed: int, width: float = 0.5, full: bool = True) -> list[dict[str, Any]]:
    """Schools at random places, some on one site, some without a place."""
    rng = random.Random(seed)  # noqa: S311 - test data
    rows: list[dict[str, Any]] = []
    for i in range(n):
        row: dict[str, Any] = {
            "school": f"{i:03d}",
            "latitude": rng.uniform(-width, width) - 3,
            "longitude": rng.uniform(-width, width) + 36,
        }
        if rows and rng.random() < 0.1:
            row["latitude"], row["longitude"] = rows[-1]["latitude"], rows[-1]["longitude"]
        if full:
            row |= {
                "strength": rng.choice([None, *range(8)]),
                "need": rng.random(),
                "phase": rng.choice(["primary", "primary", "secondary", "primary;secondary"]),
                "language": rng.choice(["en", "en", "sw", "all", None]),
                "leader": int(rng.random() < 0.6),
                "capacity": rng.choice([None, 3, 4, 5]),
            }
        if rng.random() < 0.05:
            row["latitude"] = None
        rows.append(row)
    return rows


def run(rows: list[dict[str, Any]], *, seed: int = 0, **settings_: Any) -> Partnerships:
    return form_partnerships(frame(rows), Parameters(**SHORT | settings_), seed=seed)


def checker(rows: list[dict[str, Any]], parameters: Parameters) -> Checker:
    return Checker(rows, parameters.minimum, parameters.maximum, parameters.max_km)


def reasons(result: Partnerships) -> dict[str, str]:
    return dict(result.isolated.iter_rows())


def as_bytes(result: Partnerships) -> bytes:
    out = io.BytesIO()
    result.members.write_csv(out)
    result.isolated.write_csv(out)
    return out.getvalue() + repr((dict(result.objective), result.lower_bound)).encode()


# --- small maps that a person can check -------------------------------------------------------


def test_six_schools_in_a_row_are_one_partnership_led_from_the_middle() -> None:
    result = run(line(6))
    assert result.n_partnerships == 1
    assert result.members["school"].to_list() == [f"S{i:02d}" for i in range(6)]
    # 2 + 1 + 0 + 1 + 2 + 3 km; S03 costs the same, so the first code leads.
    assert result.members["leader_school"].unique().to_list() == ["S02"]
    assert result.objective["travel_km"] == pytest.approx(9.0, abs=1e-3)
    assert result.objective["total"] == pytest.approx(15.0, abs=1e-3)
    assert result.lower_bound == pytest.approx(result.objective["total"])
    assert result.gap == pytest.approx(0.0)
    assert result.n_proved == 6


def test_two_clusters_far_apart_never_share_a_partnership() -> None:
    far = [row | {"school": f"T{i}", "latitude": 5.0} for i, row in enumerate(line(5))]
    result = run(line(5) + far)
    assert result.n_partnerships == 2
    letters = result.members.with_columns(pl.col("school").str.head(1).alias("letter"))
    assert letters.group_by("partnership").agg(pl.col("letter").n_unique())["letter"].max() == 1


def test_only_designated_schools_lead() -> None:
    rows = [row | {"leader": int(row["school"] == "S05")} for row in line(6)]
    assert run(rows).members["leader_school"].unique().to_list() == ["S05"]


def test_stronger_school_leads_where_travel_is_the_same() -> None:
    rows = line(6)
    for row in rows:
        row["strength"] = 9.0 if row["school"] == "S03" else 1.0
    assert run(rows).members["leader_school"].unique().to_list() == ["S03"]


def test_capacity_counts_the_leaders_own_school() -> None:
    rows = [row | {"capacity": 4} for row in line(8)]
    result = run(rows)
    assert result.members.group_by("partnership").len()["len"].to_list() == [4, 4]


def test_capacity_too_small_for_any_partnership_is_refused_with_the_reason() -> None:
    with pytest.raises(InputError, match="capacity of 4 or more"):
        run([row | {"capacity": 3} for row in line(8)])


def test_phases_are_never_mixed_and_a_school_with_both_joins_either() -> None:
    rows = [row | {"phase": "primary" if i < 4 else "secondary"} for i, row in enumerate(line(8))]
    rows.append(line(10)[9] | {"phase": "secondary; primary"})
    result = run(rows)
    assert result.n_partnerships == 2
    assert result.isolated.is_empty()
    first = result.members.filter(pl.col("school").is_in(["S00", "S01", "S02", "S03"]))
    assert first["partnership"].n_unique() == 1


@pytest.mark.parametrize("wildcard", ["all", "ALL", "", None, "any"])
def test_school_of_all_phases_or_none_named_fits_everywhere(wildcard: str | None) -> None:
    rows = [row | {"phase": "primary"} for row in line(5)]
    rows[2]["phase"] = wildcard
    assert run(rows).isolated.is_empty()


def test_schools_on_one_site_are_served() -> None:
    result = run([row | {"longitude": 30.0} for row in line(12)])
    assert result.isolated.is_empty()
    assert result.objective["travel_km"] == 0.0


def test_schools_across_the_date_line_are_neighbours() -> None:
    rows = line(6)
    for i, row in enumerate(rows):
        row["longitude"] = 179.98 + i * 0.01 if i < 3 else -180 + (i - 3) * 0.01
    assert run(rows).isolated.is_empty()


# --- schools that cannot be served, and why ---------------------------------------------------


def test_reasons_say_what_is_missing() -> None:
    rows = [
        *line(5),
        {"school": "none", "latitude": None, "longitude": None},
        {"school": "half", "latitude": 1.0, "longitude": None},
        {"school": "zero", "latitude": 0.0, "longitude": 0.0},
        {"school": "alone", "latitude": 10.0, "longitude": 30.0},
        {"school": "pair1", "latitude": 20.0, "longitude": 30.0},
        {"school": "pair2", "latitude": 20.0, "longitude": 30.01},
    ]
    assert reasons(run(rows)) == {
        "none": "no coordinates",
        "half": "no coordinates (the longitude is missing)",
        "zero": "no coordinates (0, 0 stands for an unknown place)",
        "alone": "no other school within 25 km",
        "pair1": "only 1 other school within 25 km",
        "pair2": "only 1 other school within 25 km",
    }


def test_no_leader_in_reach_is_the_reason_where_there_is_none() -> None:
    rows = [row | {"leader": 0} for row in line(5)]
    rows += [row | {"school": f"T{i}", "latitude": 5.0, "leader": 1}
             for i, row in enumerate(line(5))]  # fmt: skip
    result = run(rows)
    assert set(reasons(result).values()) == {"no school that may lead within 25 km"}
    assert sorted(reasons(result)) == [f"S{i:02d}" for i in range(5)]


def test_leader_that_reaches_too_few_is_the_reason() -> None:
    # 10 km apart, limit 10 km: the only leader stands at the end and reaches one neighbour.
    rows = [row | {"leader": int(i == 0)} for i, row in enumerate(line(4, spacing_km=10))]
    result = run(rows, max_km=10.5, minimum=3)
    assert reasons(result)["S00"] == "only 1 other school within 10.5 km"
    assert reasons(result)["S01"] == (
        "no leader within 10.5 km reaches enough schools: the best reaches 2 with its own,"
        " a partnership needs 3"
    )
    assert reasons(result)["S03"] == "only 1 other school within 10.5 km"


def test_sizes_that_cannot_be_leave_out_as_few_as_possible() -> None:
    result = run(line(9), minimum=6, maximum=8)
    assert result.members.height == 8
    assert list(reasons(result).values()) == [
        "the 9 reachable schools cannot be split into groups of 6 to 8"
    ]


def test_other_phase_nearby_is_named_in_the_reason() -> None:
    rows = [row | {"phase": "primary"} for row in line(5)]
    rows[4]["phase"] = "secondary"
    assert reasons(run(rows)) == {"S04": "no other school of its phase and language within 25 km"}


@pytest.mark.parametrize(
    ("schools", "minimum", "maximum", "most"),
    [(9, 6, 8, 8), (11, 6, 8, 8), (12, 6, 8, 12), (17, 6, 8, 16), (18, 6, 8, 18), (4, 4, 4, 4),
     (7, 4, 4, 4), (13, 4, 8, 13), (3, 4, 8, 0)],
)  # fmt: skip
def test_most_schools_that_sizes_allow(schools: int, minimum: int, maximum: int, most: int) -> None:
    assert most_splittable(schools, minimum, maximum) == most


# --- against every partition ------------------------------------------------------------------

SMALL: dict[str, Any] = {"minimum": 3, "maximum": 5, "max_km": 30.0}


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("exact", [True, False])
def test_best_partition_of_nine_schools_is_found(
    seed: int, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both the exact way and the search reach what brute force finds on these 25 maps."""
    if not exact:
        monkeypatch.setattr(module, "LARGEST_COMPONENT", 0)
    rows = scattered(9, seed, width=0.2, full=seed % 2 == 0)
    parameters = Parameters(**SMALL, steps_per_school=100)
    result = form_partnerships(frame(rows), parameters)
    rules = checker(rows, parameters)
    total = rules.check(result)
    left, cost = rules.best()
    unplaced = sum(row["latitude"] is None for row in rows)
    assert result.isolated.height == left + unplaced
    assert total == pytest.approx(cost, abs=1e-6)
    if exact:
        assert result.lower_bound == pytest.approx(cost, abs=1e-6)
    else:
        assert result.lower_bound is not None
        # Where the search leaves out the same number but not the same schools as the best would,
        # the bound is one for those it serves: never above their cost.
        assert result.lower_bound <= cost + 1e-6


maps = st.builds(
    scattered,
    n=st.integers(1, 40),
    seed=st.integers(0, 10**6),
    width=st.sampled_from([0.05, 0.3, 1.0, 3.0]),
    full=st.booleans(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=maps, minimum=st.integers(2, 5), extra=st.integers(0, 4))
def test_every_rule_holds_on_random_maps(
    rows: list[dict[str, Any]], minimum: int, extra: int
) -> None:
    parameters = Parameters(
        minimum=minimum, maximum=minimum + extra, max_km=25, steps_per_school=10, bound_steps=40
    )
    capacities = [row.get("capacity") or minimum for row in rows if row.get("leader", 1)]
    if "capacity" in rows[0] and capacities and max(capacities) < minimum:
        with pytest.raises(InputError, match="capacity"):
            form_partnerships(frame(rows), parameters)
        return
    result = form_partnerships(frame(rows), parameters)
    checker(rows, parameters).check(result)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=maps, shuffle=st.randoms(use_true_random=False))
def test_order_of_rows_changes_no_byte(rows: list[dict[str, Any]], shuffle: random.Random) -> None:
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    quick = {"minimum": 3, "maximum": 6, "steps_per_school": 10, "bound_steps": 20}
    assert as_bytes(run(rows, **quick)) == as_bytes(run(shuffled, **quick))


def partition(result: Partnerships, rename: dict[str, str]) -> set[frozenset[str]]:
    groups = result.members.group_by("partnership").agg("school")["school"].to_list()
    return {frozenset(rename[code] for code in group) for group in groups}


def test_new_codes_for_the_schools_lead_to_the_same_partnerships() -> None:
    rows = [row for row in scattered(60, 5) if row["latitude"] is not None]
    sites = {(row["latitude"], row["longitude"]) for row in rows}
    rows = [next(row for row in rows if (row["latitude"], row["longitude"]) == site)
            for site in sorted(sites)]  # fmt: skip
    codes = [row["school"] for row in rows]
    new = dict(zip(codes, reversed(codes), strict=True))
    renamed = [row | {"school": new[row["school"]]} for row in rows]
    same = {code: code for code in codes}
    assert partition(run(rows), new) == partition(run(renamed), same)


def test_same_seed_gives_the_same_bytes_and_another_seed_keeps_the_rules() -> None:
    rows = scattered(120, 3, full=False)
    assert as_bytes(run(rows, seed=7)) == as_bytes(run(rows, seed=7))
    checker(rows, Parameters()).check(run(rows, seed=8))


def test_more_steps_cost_no_more_and_the_gap_is_small_on_an_open_map() -> None:
    rows = [row for row in scattered(150, 11, full=False) if row["latitude"] is not None]
    short = run(rows, steps_per_school=0)
    long = run(rows, steps_per_school=60, bound_steps=300)
    assert long.objective["total"] < short.objective["total"]
    assert long.gap is not None
    assert 0 <= long.gap < 0.05


def test_bound_over_arcs_in_pieces_equals_the_bound_in_one_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = scattered(80, 2)
    whole = run(rows)
    monkeypatch.setattr("brightspots.connectedness.reach.ARCS_AT_ONCE", 100)
    pieces = run(rows)
    assert pieces.members.equals(whole.members)
    assert pieces.lower_bound == pytest.approx(whole.lower_bound, rel=1e-9)


# --- re-forming, progress, settings -----------------------------------------------------------


def test_present_partnerships_are_kept_where_moving_is_dear() -> None:
    rows = line(12)
    existing = pl.DataFrame(
        {"school": [row["school"] for row in rows], "partnership": ["A", "B"] * 6}
    )
    dear = Parameters(weights=Weights(disruption=100.0), **SHORT)  # type: ignore[arg-type]
    kept = form_partnerships(frame(rows), dear, existing=existing)
    assert kept.objective["disruption"] == 0.0
    assert partition(kept, {row["school"]: row["school"] for row in rows}) == {
        frozenset(f"S{i:02d}" for i in range(0, 12, 2)),
        frozenset(f"S{i:02d}" for i in range(1, 12, 2)),
    }
    free = Parameters(weights=Weights(disruption=0.0), **SHORT)  # type: ignore[arg-type]
    moved = form_partnerships(frame(rows), free, existing=existing)
    assert moved.objective["total"] < kept.objective["total"]
    rules = Checker(rows, 4, 8, 25.0, dict(existing.iter_rows()))
    usual = form_partnerships(frame(rows), Parameters(), existing=existing)
    rules.check(usual)


def test_progress_rises_to_one_and_can_stop_the_run() -> None:
    class StoppedError(Exception):
        pass

    seen: list[float] = []

    def stop_half_way(share: float, stage: str) -> None:
        assert stage
        seen.append(share)
        if stage == "improving":
            raise StoppedError

    rows = scattered(60, 1, full=False)
    with pytest.raises(StoppedError):
        form_partnerships(frame(rows), Parameters(), progress=stop_half_way)
    seen.clear()
    form_partnerships(frame(rows), Parameters(), progress=lambda share, _: seen.append(share))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_time_limit_stops_early_with_every_rule_kept() -> None:
    rows = scattered(300, 4, full=False)
    result = run(rows, steps_per_school=10**7, time_limit=0.5)
    assert result.stopped_early
    checker(rows, Parameters()).check(result)


@pytest.mark.parametrize(
    "wrong",
    [{"minimum": 1}, {"minimum": 9}, {"max_km": 0.0}, {"max_km": float("nan")}, {"target": 9.0},
     {"maximum": 1000}, {"time_limit": 0.0}, {"strong_share": 0.0}, {"steps_per_school": -1}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Parameters(**wrong)


def test_negative_weight_is_refused() -> None:
    with pytest.raises(InputError, match="balance"):
        Weights(balance=-1)


@pytest.mark.parametrize(
    ("change", "row", "column", "words"),
    [
        ({"latitude": "91"}, 4, "latitude", "swapped"),
        ({"longitude": "200"}, 4, "longitude", "outside"),
        ({"latitude": "north"}, 4, "latitude", "not a number"),
        ({"school": "S01"}, 4, "school", "already in row 3"),
        ({"school": " "}, 4, "school", "empty"),
        ({"leader": "perhaps"}, 4, "leader", "yes or no"),
        ({"capacity": "4.5"}, 4, "capacity", "whole number"),
        ({"strength": "inf"}, 4, "strength", "infinite"),
        ({"latitude": "30.001", "longitude": "0"}, 4, "latitude", "swapped"),
    ],
)
def test_value_that_cannot_be_used_is_named_by_row_and_column(
    change: dict[str, str], row: int, column: str, words: str
) -> None:
    rows = [
        {name: str(value) for name, value in school.items()}
        | {"leader": "yes", "capacity": "", "strength": "NA"}
        for school in line(12)
    ]
    rows[2] |= change
    with pytest.raises(InputError) as caught:
        form_partnerships(pl.DataFrame(rows), Parameters())
    assert (caught.value.row, caught.value.column) == (row, column)
    assert words in str(caught.value)


@pytest.mark.parametrize("column", ["school", "latitude", "longitude"])
def test_missing_column_is_named(column: str) -> None:
    with pytest.raises(InputError) as caught:
        form_partnerships(frame(line(5)).drop(column), Parameters())
    assert caught.value.column == column


def test_table_without_schools_is_refused() -> None:
    with pytest.raises(InputError, match="no schools"):
        form_partnerships(frame(line(1)).clear(), Parameters())


@pytest.mark.parametrize("seed", range(20))
def test_proof_of_who_must_stay_out_agrees_with_every_partition(seed: int) -> None:
    rows = [row for row in scattered(9, seed, width=0.25) if row["latitude"] is not None]
    parameters = Parameters(**SMALL)
    problem = make_problem(frame(rows), parameters)
    everyone = np.arange(problem.n)
    left, _ = checker(rows, parameters).best()
    # All schools at once: exact. Fewer of them: never more than really stay out among these.
    assert fewest_left_out(problem.tables, everyone, everyone) == left
    out = set(run(rows, **SMALL).isolated["school"])
    for size in (2, 4, 6):
        some = everyone[:size]
        stay_out = sum(str(code) in out for code in problem.codes[some])
        assert fewest_left_out(problem.tables, some, everyone) <= stay_out


def test_stored_settings_make_the_same_parameters() -> None:
    parameters = Parameters(minimum=3, target=5.0, weights=Weights(balance=2.0))
    assert Parameters(**parameters.as_dict()) == parameters
