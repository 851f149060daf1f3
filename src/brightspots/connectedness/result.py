"""What forming partnerships gives back, and how it is put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.exact import must_stay_out
from brightspots.connectedness.kept import broken_pins
from brightspots.connectedness.pins import Pins
from brightspots.connectedness.placing import Taken, place_everyone
from brightspots.connectedness.pricing import Led, lead, part_names, parts_of
from brightspots.connectedness.problem import Problem
from brightspots.connectedness.reach import Reach
from brightspots.core.geography import great_circle_km
from brightspots.core.provenance import Provenance


@dataclass(frozen=True)
class Partnerships:
    """Proposed partnerships.

    Attributes
    ----------
    members : DataFrame
        school, partnership (P0001 ... in the order of the leaders' codes), leader_school,
        distance_km (great circle, to the leader; null where a place is not known); sorted by
        partnership and school. With a table of travel also `travel`, the way to the leader in its
        unit. With `Parameters.serve_all` also `exception`: why a school is here against the rules,
        "" for the others.
    isolated : DataFrame
        school, reason; sorted by school.
    objective : mapping
        The parts of the cost and their `total`, in km or the unit of the table of travel. Schools
        taken in as exceptions count in none of them.
    lower_bound : float or None
        No partition that serves the same schools and keeps the pins costs less; None if it was
        not asked for.
    gap : float or None
        (total - lower_bound) / lower_bound.
    n_schools, n_partnerships : int
    n_proved : int
        Schools in components that were solved to proved optimality.
    stopped_early : bool
        The time limit or a person cut the search short; the answer depends on the machine.
    seconds : mapping
        By stage, and `total`.
    provenance : Provenance
    broken_pins : DataFrame
        kind (together, apart, leader, led_by), school_a, school_b ("" for a leader), reason: the
        pins that are not kept; empty where all are.
    """

    members: pl.DataFrame
    isolated: pl.DataFrame
    objective: Mapping[str, float]
    lower_bound: float | None
    gap: float | None
    n_schools: int
    n_partnerships: int
    n_proved: int
    stopped_early: bool
    seconds: Mapping[str, float]
    provenance: Provenance
    broken_pins: pl.DataFrame


@dataclass(frozen=True)
class Plan:
    """Partnerships as arrays of school numbers, those left over, and what was proved."""

    groups: list[NDArray[np.int64]]
    left: list[int]
    proved: NDArray[np.bool_]
    stopped_early: bool


def make_result(
    problem: Problem,
    reach: Reach,
    plan: Plan,
    bound: NDArray[np.float64] | None,
    pins: Pins,
    provenance: Provenance,
    seconds: Mapping[str, float],
) -> Partnerships:
    """Name the partnerships and their leaders, add up the cost, and say who is left out and why."""
    led = [lead(problem, group) for group in plan.groups]
    led.sort(key=lambda one: str(problem.codes[one.leader]))
    objective = dict.fromkeys(part_names(problem), 0.0)
    for one in led:
        for part, value in parts_of(problem, one).items():
            objective[part] += value
    total = sum(objective.values())
    least = None if bound is None else min(float(bound.sum()), total)
    gap = None
    if least is not None and (least > 0 or total == 0):
        gap = (total - least) / least if least > 0 else 0.0
    reasons = {**reach.reasons, **left_over(problem, reach, plan)}
    taken = []
    if problem.parameters.serve_all:
        taken = place_everyone(problem, led, reasons, pins)
    members = _members(problem, led, taken)
    isolated = {str(problem.codes[i]): reason for i, reason in reasons.items()}
    isolated |= {school.code: school.reason for school in problem.unplaced}
    for school in taken:
        del isolated[school.code]
    return Partnerships(
        members=members,
        isolated=pl.DataFrame(sorted(isolated.items()), orient="row", schema={
            "school": pl.String, "reason": pl.String,
        }),
        objective=objective | {"total": total},
        lower_bound=least,
        gap=gap,
        n_schools=problem.n + len(problem.unplaced),
        n_partnerships=len(led),
        n_proved=int(plan.proved.sum()),
        stopped_early=plan.stopped_early,
        seconds=seconds,
        provenance=provenance,
        broken_pins=broken_pins(problem, pins, members, isolated, reach.component, plan.proved),
    )  # fmt: skip


def _members(problem: Problem, led: list[Led], taken: list[Taken]) -> pl.DataFrame:
    """Lay out the members, exceptions included."""
    table = problem.travel.minutes_or_km is not None
    number = {code: i for i, code in enumerate(problem.codes.tolist())} if taken else {}
    inside: list[list[tuple[str, float | None, float | None, str]]] = []
    for one in led:
        km = one.way
        if problem.tables.listed:
            km = great_circle_km(
                problem.latitude[one.group], problem.longitude[one.group],
                problem.latitude[one.leader], problem.longitude[one.leader],
            )  # fmt: skip
            km[one.group == one.leader] = 0.0
        distances = [None if np.isnan(value) else value for value in km.tolist()]
        codes = problem.codes[one.group].tolist()
        inside.append([(*row, "") for row in zip(codes, distances, one.way.tolist(), strict=True)])
    for school in taken:
        i, leader = number.get(school.code), led[school.partnership].leader
        distance = None
        if i is not None:
            value = float(great_circle_km(
                problem.latitude[i], problem.longitude[i],
                problem.latitude[leader], problem.longitude[leader],
            ))  # fmt: skip
            distance = None if np.isnan(value) else value
        inside[school.partnership].append((school.code, distance, school.way, school.reason))
    rows = []
    for place, (one, members) in enumerate(zip(led, inside, strict=True), start=1):
        leader_code = str(problem.codes[one.leader])
        rows += [
            (code, f"P{place:04d}", leader_code, *rest)
            for code, *rest in sorted(members, key=lambda row: row[0])
        ]
    frame = pl.DataFrame(rows, orient="row", schema={
        "school": pl.String, "partnership": pl.String, "leader_school": pl.String,
        "distance_km": pl.Float64, "travel": pl.Float64, "exception": pl.String,
    })  # fmt: skip
    unused = [] if table else ["travel"]
    unused += [] if problem.parameters.serve_all else ["exception"]
    return frame.drop(unused)


def most_splittable(schools: int, minimum: int, maximum: int) -> int:
    """Count the most of `schools` that can be split into groups of `minimum` to `maximum`."""
    groups = schools // minimum
    return min(schools, groups * maximum)


def left_over(problem: Problem, reach: Reach, plan: Plan) -> dict[int, str]:
    """Why the search left these schools out, and how sure that is."""
    low, high = problem.parameters.minimum, problem.parameters.maximum
    sizes = np.bincount(reach.component[reach.served]) if reach.served.any() else np.zeros(0)
    left = np.bincount(reach.component[plan.left], minlength=len(sizes)) if plan.left else sizes
    reasons: dict[int, str] = {}
    for i in plan.left:
        size, over = int(sizes[reach.component[i]]), int(left[reach.component[i]])
        if size - over == most_splittable(size, low, high):
            groups = f"groups of {low}" if low == high else f"groups of {low} to {high}"
            reasons[i] = f"the {size} reachable schools cannot be split into {groups}"
        elif plan.proved[i]:
            reasons[i] = (
                f"no arrangement of the {size} reachable schools serves more than {size - over}"
                " of them (all were checked)"
            )
        elif must_stay_out(problem.tables, i, plan.left, reach.served):
            reasons[i] = (
                "no arrangement of the schools around it serves all of them, and serving this one"
                " leaves out as many others (all were checked)"
            )
        else:
            reasons[i] = (
                f"no arrangement was found that serves more than {size - over} of the {size}"
                " connected schools here"
            )
    return reasons
