"""A nation in parts: the same rules, pickled parts, borders repaired, little lost."""

from __future__ import annotations

import gc
import os
import pickle
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from brightspots.connectedness.partnerships import Parameters, Pins, form_partnerships
from brightspots.connectedness.regions import (
    Nation,
    Part,
    Solved,
    cut_out,
    form_in_parts,
    repair_borders,
    solve_part,
    split,
)
from brightspots.connectedness.travel import Travel
from brightspots.core.errors import InputError
from tests.library.partnership_checker import Checker
from tests.library.test_spark import spark as spark

# Spark's workers are to be this Python, which has the library.
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
QUICK = Parameters(steps_per_school=20, bound_steps=60)


def town(n: int, seed: int = 1) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    return [
        {
            "school": f"S{i:04d}",
            "latitude": float(random.uniform(0, 0.9)),
            "longitude": float(random.uniform(30, 30.9)),
            "strength": float(random.normal()),
            "need": float(random.uniform()),
            "leader": int(random.random() < 0.5),
        }
        for i in range(n)
    ]


def check(rows: list[dict[str, Any]], result: Any) -> float:
    return Checker(rows, 4, 8, 25.0).check(result)


def through_pickle(parts: Iterator[Part]) -> Iterable[Solved]:
    """Each part and each answer crosses to another machine and back, the last first."""
    sent = [pickle.dumps(part) for part in parts]
    return [
        pickle.loads(pickle.dumps(solve_part(pickle.loads(one))))  # noqa: S301 - our own
        for one in reversed(sent)
    ]


def test_parts_hold_each_school_once_and_no_more_than_asked_for() -> None:
    nation = Nation(pl.DataFrame(town(300)), QUICK, most=70)
    assert len(nation.parts) > 3
    assert max(map(len, nation.parts)) <= 70
    assert sorted(np.concatenate(nation.parts).tolist()) == list(range(300))


def test_parts_keep_to_regions() -> None:
    rows = town(200)
    regions = {row["school"]: "north" if row["latitude"] > 0.45 else "south" for row in rows}
    nation = Nation(pl.DataFrame(rows), QUICK, most=60, regions=regions)
    for ids in nation.parts:
        assert len({regions[code] for code in nation.problem.codes[ids].tolist()}) == 1


def test_nation_in_parts_keeps_every_rule_and_loses_little() -> None:
    rows = town(400)
    whole = form_partnerships(pl.DataFrame(rows), QUICK)
    parts = form_in_parts(Nation(pl.DataFrame(rows), QUICK, most=100), solve=through_pickle)
    cost = check(rows, parts)
    assert parts.isolated.height <= whole.isolated.height
    assert cost <= 1.02 * whole.objective["total"]
    assert parts.lower_bound is not None
    assert parts.lower_bound <= min(cost, whole.objective["total"]) + 1e-6
    assert parts.provenance.settings["parts"] == 4


def test_repair_of_borders_lowers_the_cost_and_serves_schools_cut_off() -> None:
    rows = town(400)
    nation = Nation(pl.DataFrame(rows), QUICK, most=40)
    answers = [solve_part(nation.part(number)) for number in range(len(nation.parts))]
    alone = pl.DataFrame([
        {"school": code, "partnership": f"{answer.number}-{number}"}
        for answer in answers for number, group in enumerate(answer.groups) for code in group
    ])  # fmt: skip
    rules = Checker(rows, 4, 8, 25.0)
    costs = [
        rules.cheapest([rules.by_code[code] for code in group])
        for answer in answers for group in answer.groups
    ]  # fmt: skip
    assert None not in costs
    before = sum(cost for cost in costs if cost is not None)
    joined = nation.join(answers)
    assert check(rows, joined) < before
    assert joined.members.height >= alone.height


def test_same_seed_gives_the_same_answer_whoever_solves_the_parts() -> None:
    frame = pl.DataFrame(town(200))
    one = form_in_parts(Nation(frame, QUICK, seed=3, most=60))
    other = form_in_parts(Nation(frame, QUICK, seed=3, most=60), solve=through_pickle)
    assert one.members.equals(other.members)
    assert one.lower_bound == other.lower_bound


def test_answers_to_other_schools_are_refused() -> None:
    frame = pl.DataFrame(town(200))
    nation = Nation(frame, QUICK, most=60)
    answers = [solve_part(nation.part(number)) for number in range(len(nation.parts))]
    with pytest.raises(InputError, match="not parts of these schools"):
        nation.join(answers[1:])
    with pytest.raises(InputError, match="not parts of these schools"):
        Nation(frame.head(199), QUICK, most=60).join(answers)


def test_schools_pinned_together_stay_in_one_part_and_are_kept_together() -> None:
    rows = town(200)
    by_place = sorted(rows, key=lambda row: (row["latitude"] - 0.45) ** 2)
    first = by_place[0]
    near = sorted(
        rows,
        key=lambda row: (
            (row["latitude"] - first["latitude"]) ** 2
            + (row["longitude"] - first["longitude"]) ** 2
        ),
    )
    pins = Pins(together=(frozenset(row["school"] for row in near[:3]),))
    nation = Nation(pl.DataFrame(rows), QUICK, pins=pins, most=30)
    held = [set(nation.problem.codes[ids].tolist()) for ids in nation.parts]
    assert sum(bool(codes & pins.together[0]) for codes in held) == 1
    result = form_in_parts(nation)
    of = dict(result.members.select("school", "partnership").iter_rows())
    assert len({of[code] for code in pins.together[0]}) == 1


def test_part_knows_the_ways_strengths_and_pins_of_the_whole() -> None:
    rows = town(60)
    codes = [row["school"] for row in rows]
    ways = pl.DataFrame(
        [(a, b, float(i + j)) for i, a in enumerate(codes) for j, b in enumerate(codes) if i < j],
        schema=["from_school", "to_school", "travel"],
        orient="row",
    )
    nation = Nation(
        pl.DataFrame(rows),
        Parameters(max_km=40.0, steps_per_school=20, bound_steps=0),
        pins=Pins(apart=(frozenset(codes[:2]), frozenset(codes[4:6]))),
        travel=Travel(ways, "minutes", None),
        most=30,
    )
    whole = nation.problem.tables
    ids = np.arange(1, 60, 2)
    for chosen in (ids, np.array([0, 1, 2, 3, 4, 5, 40])):
        part = cut_out(nation.problem, chosen).tables
        for x, i in enumerate(chosen.tolist()):
            assert part.strong[x] == whole.strong[i]
            assert part.preference[x] == whole.preference[i]
            first, to, km = part.ways
            ours = slice(first[x], first[x + 1])
            first, whole_to, whole_km = whole.ways
            theirs = slice(first[i], first[i + 1])
            listed = dict(zip(whole_to[theirs].tolist(), whole_km[theirs], strict=True))
            assert {
                int(chosen[other]): way for other, way in zip(to[ours], km[ours], strict=True)
            } == {other: way for other, way in listed.items() if other in chosen}
            assert set(chosen[part.apart_from(x)].tolist()) == set(
                whole.apart_from(i).tolist()
            ) & set(chosen.tolist())


def test_one_part_needs_no_repair() -> None:
    problem = Nation(pl.DataFrame(town(30)), QUICK).problem
    groups = [np.arange(5)]
    found = repair_borders(
        problem.tables, split(problem), groups, [7], seed=0, steps_per_school=1.0,
        progress=lambda *_: None,
    )  # fmt: skip
    assert found == (groups, [7], False)


def test_part_of_no_schools_is_refused() -> None:
    with pytest.raises(InputError, match="at least"):
        Nation(pl.DataFrame(town(30)), QUICK, most=0)


# Spark leaves the socket that answers come through to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_parts_run_on_spark_as_they_run_here(spark: Any) -> None:
    frame = pl.DataFrame(town(200))

    def solve_rows(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            parts = map(pickle.loads, batch.column("part").to_pylist())
            solved = [pickle.dumps(solve_part(part)) for part in parts]
            yield pa.RecordBatch.from_pydict({"solved": pa.array(solved, pa.binary())})

    def on_spark(parts: Iterator[Part]) -> Iterable[Solved]:
        rows = [(part.number, pickle.dumps(part)) for part in parts]
        sent = spark.createDataFrame(rows, "number int, part binary").repartition(2, "number")
        solved = sent.mapInArrow(solve_rows, "solved binary").collect()
        gc.collect()
        return [pickle.loads(row.solved) for row in solved]  # noqa: S301 - our own

    here = form_in_parts(Nation(frame, QUICK, most=100))
    there = form_in_parts(Nation(frame, QUICK, most=100), solve=on_spark)
    assert there.members.equals(here.members)
