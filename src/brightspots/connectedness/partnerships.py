"""Form partnerships: every school that can be served in exactly one, none left out without cause.

The method, the objective and what the bound covers are described in
``docs/methods/partnerships.md``. The answer is a proposal for people to change.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.bound import lower_bound
from brightspots.connectedness.exact import LARGEST_COMPONENT, solve_exactly
from brightspots.connectedness.kept import schools_of_broken
from brightspots.connectedness.pins import Pins, check_pins
from brightspots.connectedness.pricing import cost_of, lead
from brightspots.connectedness.problem import (
    METHOD,
    METHOD_VERSION,
    Parameters,
    Problem,
    Tables,
    Weights,
    make_problem,
)
from brightspots.connectedness.reach import (
    ArcStore,
    Reach,
    neighbours,
    study_reach,
    surroundings,
)
from brightspots.connectedness.result import Partnerships, Plan, make_result, most_splittable
from brightspots.connectedness.schools import PRIORITY
from brightspots.connectedness.search import search
from brightspots.connectedness.start import bisect
from brightspots.connectedness.stopping import StopEarly, Stopping
from brightspots.connectedness.travel import Travel
from brightspots.core.provenance import Provenance, hash_frame

__all__ = [
    "Parameters", "Partnerships", "Pins", "StopEarly", "Travel", "Weights", "form_partnerships",
    "most_splittable",
]  # fmt: skip

COLUMNS = (
    "school", "latitude", "longitude", "strength", "need", "phase", "language", "leader",
    "capacity", "area",
)  # fmt: skip
PIN_ROUNDS, STEPS_A_PIN = 3, 400
"""Searches around pins that are not kept yet, and their steps for each school in one."""
Progress = Callable[[float, str], None]


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()
        self.seconds: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Note the seconds since the last stage."""
        now = time.monotonic()
        self.seconds[stage] = now - self.last
        self.seconds["total"] = now - self.began
        self.last = now


class Telling:
    """Reports progress, and remembers that somebody asked to stop."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.stop = progress, False

    def __call__(self, share: float, stage: str) -> None:
        """Report where nothing can be stopped; the search will stop at once."""
        try:
            if self.progress:
                self.progress(share, stage)
        except StopEarly:
            self.stop = True

    def or_stop(self, share: float, stage: str) -> None:
        """Report where an answer is at hand, and stop if that was asked for."""
        self(share, stage)
        if self.stop:
            raise StopEarly


def form_partnerships(
    schools: pl.DataFrame,
    parameters: Parameters | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    existing: pl.DataFrame | None = None,
    pins: Pins | None = None,
    travel: Travel | None = None,
) -> Partnerships:
    """Form partnerships.

    Parameters
    ----------
    schools : DataFrame
        school, latitude, longitude (degrees), and optionally strength, need (numbers), phase,
        language (text), leader (1 or 0), capacity (the most schools in a partnership that the
        school leads, its own included), area. Up to three priorities instead of one:
        strength_<name> (numbers) or strong_<name> (1 or 0), and need_<name>; a priority without a
        need of its own takes `need`, and leaders are preferred by `strength` if that is there too,
        else by the mean over the priorities. Text or numbers; the order of rows does not matter.
    parameters : Parameters, optional
    seed : int
        Same input, parameters and seed: the same bytes.
    progress : callable, optional
        Called about every second with the share done (0 to 1) and the stage, which carries the
        best cost and its gap where they are known
        (:class:`brightspots.connectedness.stopping.Stage`).
        `StopEarly` ends the search with the best answer so far, as does an interruption by the
        keyboard; anything else that it raises stops the run.
    existing : DataFrame, optional
        school, partnership: the present partnerships. They are the start of the search, and each
        school whose leader comes from another one costs `Weights.disruption`.

    pins : Pins, optional
        Kept before anything else but that schools are served; `Partnerships.broken_pins` names
        those that are not.
    travel : Travel, optional
        A table of travel, barriers, or both.

    Raises
    ------
    InputError
        With row and column where a value cannot be used, and for pins that contradict each other.
    """
    parameters, pins = parameters or Parameters(), pins or Pins()
    tell = Telling(progress)
    watch = Stopwatch()
    deadline = None if parameters.time_limit is None else watch.began + parameters.time_limit
    tell(0.0, "reading")
    if pins:
        check_pins(pins, schools, parameters, travel)
    problem = make_problem(schools, parameters, existing, pins, travel)
    tell(0.01, "finding who can reach whom")
    arcs = ArcStore(problem)
    if problem.priorities:
        tables = problem.tables.with_wanted(surroundings(problem.tables, arcs))
        problem = replace(problem, tables=tables)
    reach = study_reach(problem, arcs)
    watch.lap("reach")
    stopping = Stopping(
        problem.tables, arcs, parameters.bound_steps, parameters.gap, parameters.target_cost
    )
    plan = make_plan(problem, reach, seed, deadline, tell, stopping)
    watch.lap("search")
    bound = bound_shares(
        problem, arcs, plan, stopping,
        lambda share, stage: tell.or_stop(0.85 + 0.14 * share, stage),
    )  # fmt: skip
    watch.lap("bound")
    result = make_result(problem, reach, plan, bound, pins, Provenance(
        method=METHOD, method_version=METHOD_VERSION,
        input_hash=input_hash(schools, pins, problem.travel), seed=seed,
        settings=parameters.as_dict(),
    ), watch.seconds)  # fmt: skip
    watch.lap("result")
    tell(1.0, "done")
    return result


def input_hash(schools: pl.DataFrame, pins: Pins, travel: Travel) -> str:
    """Hash the columns that had a say, and the pins, ways and barriers if there are any."""
    used = [
        name for name in schools.columns if name in COLUMNS or PRIORITY.fullmatch(name) is not None
    ]
    parts = [hash_frame(schools.select(used))]
    if pins:
        together, apart = (sorted(map(sorted, sets)) for sets in (pins.together, pins.apart))
        parts.append(json.dumps([together, apart, sorted(pins.leads), sorted(pins.led_by.items())]))
    for frame in (travel.minutes_or_km, travel.barriers):
        parts.append("" if frame is None else hash_frame(frame))
    if not any(parts[1:]):
        return parts[0]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def make_plan(
    problem: Problem,
    reach: Reach,
    seed: int,
    deadline: float | None,
    tell: Telling,
    stopping: Stopping,
) -> Plan:
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
    stopping.settled = sum(cost_of(problem, group) for group in groups)
    found, over, stopped = search(
        tables,
        start,
        seed=seed,
        steps=problem.parameters.steps_per_school * sum(map(len, start)),
        deadline=deadline,
        progress=lambda share, stage: tell.or_stop(0.05 + 0.8 * share, stage),
        stop=stopping,
        sweeps=problem.parameters.polish_sweeps,
    )
    if tables.pinned and not stopped:
        found, over, stopped = mend_pins(problem, tables, found, over, seed, deadline, tell)
    return Plan(groups + found, sorted(left + over), proved, stopped)


def mend_pins(
    problem: Problem,
    tables: Tables,
    groups: list[NDArray[np.int64]],
    left: list[int],
    seed: int,
    deadline: float | None,
    tell: Telling,
) -> tuple[list[NDArray[np.int64]], list[int], bool]:
    """Search on around pins that are not kept yet."""
    stopped = False
    for turn in range(1, PIN_ROUNDS + 1):
        around = schools_of_broken(tables, [lead(problem, group) for group in groups])
        if stopped or not len(around):
            break
        loose = [np.array([i], dtype=np.int64) for i in left]
        groups, left, stopped = search(
            tables, groups + loose, seed=seed + turn, steps=STEPS_A_PIN * turn * len(around),
            deadline=deadline, progress=lambda _share, _stage: tell.or_stop(0.85, "keeping pins"),
            around=around,
        )  # fmt: skip
    return groups, left, stopped


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


def bound_shares(
    problem: Problem, arcs: ArcStore, plan: Plan, stopping: Stopping, tell: Progress
) -> NDArray[np.float64] | None:
    """Shares of the lower bound by school; a proved component's share is its cost itself.

    It is no lower than what the multipliers give that the search ended with.
    """
    shares = np.zeros(problem.n)
    if problem.parameters.bound_steps == 0:
        return None
    for group in plan.groups:
        shares[group] = cost_of(problem, group) / len(group)
    open_schools = np.zeros(problem.n, dtype=bool)
    for group in plan.groups:
        open_schools[group] = ~plan.proved[group]
    schools = np.flatnonzero(open_schools)
    if len(schools):
        if len(schools) < problem.n:
            arcs = ArcStore(problem, open_schools)
        cost = float(shares[schools].sum())
        # Subgradient steps from good multipliers often end below those from the shares of the
        # cost, so both are looked at.
        starts = [(np.where(open_schools, shares, 0.0), problem.parameters.bound_steps)]
        if stopping.multipliers is not None:
            starts.append((np.where(open_schools, stopping.multipliers[0], 0.0), 0))
        found = [
            lower_bound(problem.tables, arcs, schools, cost, start, steps, tell)
            for start, steps in starts
        ]
        best = max(found, key=lambda one: float(one[schools].sum()))
        shares[schools] = best[schools]
    return shares
