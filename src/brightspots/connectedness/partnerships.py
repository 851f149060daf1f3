"""Form partnerships: every school that can be served in exactly one, none left out without cause.

The method, the objective and what the bound covers are described in
``docs/methods/partnerships.md``. The answer is a proposal for people to change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.bound import lower_bound
from brightspots.connectedness.exact import LARGEST_COMPONENT, must_stay_out, solve_exactly
from brightspots.connectedness.problem import (
    METHOD,
    METHOD_VERSION,
    Parameters,
    Problem,
    Weights,
    make_problem,
)
from brightspots.connectedness.reach import ArcStore, Reach, neighbours, study_reach
from brightspots.connectedness.search import search
from brightspots.connectedness.start import bisect
from brightspots.core.geography import great_circle_km
from brightspots.core.provenance import Provenance, hash_frame

__all__ = ["Parameters", "Partnerships", "Weights", "form_partnerships"]

COLUMNS = (
    "school", "latitude", "longitude", "strength", "need", "phase", "language", "leader",
    "capacity",
)  # fmt: skip
PARTS = (
    "travel_km", "balance", "complement", "need", "leader_strength", "partnerships", "disruption",
)  # fmt: skip
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Partnerships:
    """Proposed partnerships.

    Attributes
    ----------
    members : DataFrame
        school, partnership (P0001 ... in the order of the leaders' codes), leader_school,
        distance_km (great circle, to the leader); sorted by partnership and school.
    isolated : DataFrame
        school, reason; sorted by school.
    objective : mapping
        The parts of the cost and their `total`, in km; `moved` counts schools whose leader comes
        from another present partnership.
    lower_bound : float or None
        No partition that serves the same schools costs less; None if it was not asked for.
    gap : float or None
        (total - lower_bound) / lower_bound.
    n_schools, n_partnerships : int
    n_proved : int
        Schools in components that were solved to proved optimality.
    stopped_early : bool
        The time limit cut the search short; the answer depends on the machine.
    seconds : mapping
        By stage, and `total`.
    provenance : Provenance
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


class _Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()
        self.seconds: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage] = now - self.last
        self.seconds["total"] = now - self.began
        self.last = now


def form_partnerships(
    schools: pl.DataFrame,
    parameters: Parameters | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    existing: pl.DataFrame | None = None,
) -> Partnerships:
    """Form partnerships.

    Parameters
    ----------
    schools : DataFrame
        school, latitude, longitude (degrees), and optionally strength, need (numbers), phase,
        language (text), leader (1 or 0), capacity (the most schools in a partnership that the
        school leads, its own included). Text or numbers; the order of rows does not matter.
    parameters : Parameters, optional
    seed : int
        Same input, parameters and seed: the same bytes.
    progress : callable, optional
        Called about every second with the share done (0 to 1) and the stage; what it raises stops
        the run.
    existing : DataFrame, optional
        school, partnership: the present partnerships. They are the start of the search, and each
        school whose leader comes from another one costs `Weights.disruption`.

    Raises
    ------
    InputError
        With row and column where a value cannot be used.
    """
    parameters = parameters or Parameters()
    tell = progress or (lambda _share, _stage: None)
    watch = _Stopwatch()
    deadline = None if parameters.time_limit is None else watch.began + parameters.time_limit
    tell(0.0, "reading")
    problem = make_problem(schools, parameters, existing)
    tell(0.01, "finding who can reach whom")
    arcs = ArcStore(problem)
    reach = study_reach(problem, arcs)
    watch.lap("reach")
    plan = _plan(problem, reach, seed, deadline, tell)
    watch.lap("search")
    bound = _bound(problem, arcs, plan, lambda share, stage: tell(0.85 + 0.14 * share, stage))
    watch.lap("bound")
    used = schools.select([name for name in COLUMNS if name in schools.columns])
    result = _result(problem, reach, plan, bound, Provenance(
        method=METHOD, method_version=METHOD_VERSION, input_hash=hash_frame(used), seed=seed,
        settings=parameters.as_dict(),
    ), watch)  # fmt: skip
    tell(1.0, "done")
    return result


@dataclass(frozen=True)
class _Plan:
    """Partnerships as arrays of school numbers, those left over, and what was proved.

    `present` tells that schools brought present partnerships with them.
    """

    groups: list[NDArray[np.int64]]
    left: list[int]
    proved: NDArray[np.bool_]
    stopped_early: bool


def _plan(
    problem: Problem, reach: Reach, seed: int, deadline: float | None, tell: Progress
) -> _Plan:
    """Solve the small components exactly and search the rest together."""
    near, near_leaders = neighbours(problem, reach)
    tables = problem.tables._replace(near=near, near_leaders=near_leaders)
    served = np.flatnonzero(reach.served)
    by_component = served[np.argsort(reach.component[served], kind="stable")]
    cuts = np.flatnonzero(np.diff(reach.component[by_component])) + 1
    groups: list[NDArray[np.int64]] = []
    left: list[int] = []
    start: list[NDArray[np.int64]] = []
    proved = np.zeros(problem.n, dtype=bool)
    tell(0.04, "drawing the first partnerships")
    for component in np.split(by_component, cuts):
        if 0 < len(component) <= LARGEST_COMPONENT:
            best, over = solve_exactly(tables, component)
            groups += best
            left += over
            proved[component] = True
        elif len(component):
            start += _start(problem, component)
    found, over, stopped = search(
        tables,
        start,
        seed=seed,
        steps=problem.parameters.steps_per_school * sum(map(len, start)),
        deadline=deadline,
        progress=lambda share, stage: tell(0.05 + 0.8 * share, stage),
    )
    return _Plan(groups + found, sorted(left + over), proved, stopped)


def _start(problem: Problem, component: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Present partnerships that are still whole enough, and the rest of the map halved."""
    present = problem.tables.present[component]
    kept = []
    rest = component[present < 0]
    for number in np.unique(present[present >= 0]):
        members = component[present == number]
        if problem.tables.minimum <= len(members) <= problem.tables.maximum:
            kept.append(members)
        else:
            rest = np.concatenate([rest, members])
    return kept + (bisect(problem.tables, np.sort(rest)) if len(rest) else [])


def _leader(problem: Problem, group: NDArray[np.int64]) -> tuple[int, NDArray[np.float64]]:
    """Find the cheapest leader of a group and the members' distances to it; ties by code."""
    tables = problem.tables
    km = great_circle_km(
        problem.latitude[group][:, None], problem.longitude[group][:, None],
        problem.latitude[group][None, :], problem.longitude[group][None, :],
    )  # fmt: skip
    differs = tables.present[group][:, None] != tables.present[group][None, :]
    total = km.sum(axis=0) + tables.disruption * differs.sum(axis=0) + tables.preference[group]
    may = (tables.capacity[group] >= len(group)) & (km.max(axis=0) <= tables.max_km)
    cost = np.where(may, total, np.inf)
    close = np.flatnonzero(cost <= cost.min() + 1e-9)
    leader = min(close.tolist(), key=lambda place: str(problem.codes[group[place]]))
    return int(group[leader]), km[:, leader]


def _parts(
    problem: Problem, group: NDArray[np.int64], leader: int, km: NDArray[np.float64]
) -> dict[str, float]:
    """Return the cost of one partnership by part."""
    tables = problem.tables
    strong = bool(tables.strong[group].any())
    moved = int((tables.present[group] != tables.present[leader]).sum())
    return {
        "travel_km": float(km.sum()),
        "balance": tables.balance * (len(group) - tables.target) ** 2,
        "complement": 0.0 if strong else tables.complement,
        "need": 0.0 if strong else float(tables.need[group].sum()),
        "leader_strength": float(tables.preference[leader]),
        "partnerships": tables.partnership,
        "disruption": tables.disruption * moved,
    }


def _bound(
    problem: Problem, arcs: ArcStore, plan: _Plan, tell: Progress
) -> NDArray[np.float64] | None:
    """Shares of the lower bound by school; a proved component's share is its cost itself."""
    shares = np.zeros(problem.n)
    if problem.parameters.bound_steps == 0:
        return None
    for group in plan.groups:
        shares[group] = sum(_parts(problem, group, *_leader(problem, group)).values()) / len(group)
    open_schools = np.zeros(problem.n, dtype=bool)
    for group in plan.groups:
        open_schools[group] = ~plan.proved[group]
    schools = np.flatnonzero(open_schools)
    if len(schools):
        if len(schools) < problem.n:
            arcs = ArcStore(problem, open_schools)
        found = lower_bound(
            problem.tables, arcs, schools, float(shares[schools].sum()),
            np.where(open_schools, shares, 0.0), problem.parameters.bound_steps, tell,
        )  # fmt: skip
        shares[schools] = found[schools]
    return shares


def _result(
    problem: Problem,
    reach: Reach,
    plan: _Plan,
    bound: NDArray[np.float64] | None,
    provenance: Provenance,
    watch: _Stopwatch,
) -> Partnerships:
    led = [(group, *_leader(problem, group)) for group in plan.groups]
    led.sort(key=lambda item: str(problem.codes[item[1]]))
    objective = dict.fromkeys(PARTS, 0.0)
    rows: list[tuple[str, str, str, float]] = []
    for number, (group, leader, km) in enumerate(led, start=1):
        for part, value in _parts(problem, group, leader, km).items():
            objective[part] += value
        name, leader_code = f"P{number:04d}", str(problem.codes[leader])
        members = zip(problem.codes[group].tolist(), km.tolist(), strict=True)
        rows += [(code, name, leader_code, distance) for code, distance in sorted(members)]
    total = sum(objective.values())
    least = None if bound is None else min(float(bound.sum()), total)
    gap = None
    if least is not None and (least > 0 or total == 0):
        gap = (total - least) / least if least > 0 else 0.0
    reasons = {**reach.reasons, **_left_over(problem, reach, plan)}
    isolated = [(str(problem.codes[i]), reason) for i, reason in reasons.items()]
    watch.lap("result")
    return Partnerships(
        members=pl.DataFrame(rows, orient="row", schema={
            "school": pl.String, "partnership": pl.String, "leader_school": pl.String,
            "distance_km": pl.Float64,
        }),
        isolated=pl.DataFrame(sorted(isolated + problem.unplaced), orient="row", schema={
            "school": pl.String, "reason": pl.String,
        }),
        objective=objective | {"total": total},
        lower_bound=least,
        gap=gap,
        n_schools=problem.n + len(problem.unplaced),
        n_partnerships=len(led),
        n_proved=int(plan.proved.sum()),
        stopped_early=plan.stopped_early,
        seconds=watch.seconds,
        provenance=provenance,
    )  # fmt: skip


def most_splittable(schools: int, minimum: int, maximum: int) -> int:
    """Count the most of `schools` that can be split into groups of `minimum` to `maximum`."""
    groups = schools // minimum
    return min(schools, groups * maximum)


def _left_over(problem: Problem, reach: Reach, plan: _Plan) -> dict[int, str]:
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
