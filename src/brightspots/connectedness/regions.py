"""A nation in parts: each part on its own, on any machine, and the borders repaired afterwards.

A part is cut out of the whole problem and not out of the table of schools, so that ranks, strong
schools and pins mean the same in it. :func:`solve_part` takes a part and returns plain arrays; both
can be pickled, so parts run in this process, in others, as jobs on workers or on a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.partnerships import (
    Progress,
    Stopwatch,
    Telling,
    bound_shares,
    input_hash,
    make_plan,
    mend_pins,
)
from brightspots.connectedness.pins import Pins, check_pins
from brightspots.connectedness.polish import halve
from brightspots.connectedness.problem import (
    METHOD,
    METHOD_VERSION,
    Parameters,
    Problem,
    Tables,
    make_problem,
)
from brightspots.connectedness.reach import ArcStore, neighbours, study_reach, surroundings
from brightspots.connectedness.result import Partnerships, Plan, make_result
from brightspots.connectedness.search import search
from brightspots.connectedness.stopping import Stopping
from brightspots.connectedness.travel import Travel
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance

MOST = 5000
"""Schools in a part; smaller parts have more border, larger ones keep fewer workers busy."""
BORDER_NEIGHBOURS = 12
"""A school is at a border if one of so many nearest schools is in another part."""
BORDER_STEPS = 1.0
"""Steps of the repair for each school at a border, as a share of those of the search."""


@dataclass(frozen=True)
class Part:
    """Some schools of a whole: `ids` (m,) their numbers there, and their own problem."""

    number: int
    ids: NDArray[np.int64]
    problem: Problem
    seed: int


@dataclass(frozen=True)
class Solved:
    """Partnerships of a part by school code, schools left out, and whether it was cut short."""

    number: int
    groups: list[list[str]]
    left: list[str]
    stopped_early: bool


class Nation:
    """A system of schools that is formed in parts.

    Parameters
    ----------
    schools, parameters, seed, existing, pins, travel
        As of :func:`brightspots.connectedness.partnerships.form_partnerships`. A time limit holds
        for each part.
    most : int
        Most schools in a part.
    regions : mapping, optional
        Region by school code. Parts are whole regions, those of more than `most` schools are cut;
        without it the map is halved.
    """

    def __init__(
        self,
        schools: pl.DataFrame,
        parameters: Parameters | None = None,
        seed: int = 0,
        existing: pl.DataFrame | None = None,
        pins: Pins | None = None,
        travel: Travel | None = None,
        *,
        most: int = MOST,
        regions: Mapping[str, str] | None = None,
    ) -> None:
        self.watch = Stopwatch()
        self.parameters, self.pins, self.seed = parameters or Parameters(), pins or Pins(), seed
        if self.pins:
            check_pins(self.pins, schools, self.parameters, travel)
        problem = make_problem(schools, self.parameters, existing, self.pins, travel)
        self.input_hash = input_hash(schools, self.pins, problem.travel)
        self.arcs = ArcStore(problem)
        if problem.priorities:
            wanted = surroundings(problem.tables, self.arcs)
            problem = replace(problem, tables=problem.tables.with_wanted(wanted))
        self.problem = problem
        self.parts = split(problem, most, regions)
        self.watch.lap("reach")

    def part(self, number: int) -> Part:
        """Cut out one part."""
        ids = self.parts[number]
        return Part(number, ids, cut_out(self.problem, ids), self.seed + number)

    def join(self, solved: Iterable[Solved], progress: Progress | None = None) -> Partnerships:
        """Put parts together, repair the borders, bound the whole.

        Raises
        ------
        InputError
            When the parts are not those of these schools.
        """
        tell = Telling(progress)
        answers = sorted(solved, key=lambda answer: answer.number)
        groups = self._numbered(answers)
        self.watch.lap("parts")
        reach = study_reach(self.problem, self.arcs)
        # A school that its part could not serve may be served from across a border.
        left = sorted({*np.flatnonzero(reach.served).tolist()}.difference(*map(set, groups)))
        near, near_leaders = neighbours(self.problem, reach)
        tables = self.problem.tables._replace(near=near, near_leaders=near_leaders)
        groups, left, stopped = repair_borders(
            tables, self.parts, groups, left, seed=self.seed,
            steps_per_school=BORDER_STEPS * self.parameters.steps_per_school,
            progress=lambda share, _stage: tell.or_stop(0.6 * share, "repairing borders"),
        )  # fmt: skip
        if tables.pinned and not stopped:
            groups, left, stopped = mend_pins(
                self.problem, tables, groups, left, self.seed, None, tell
            )
        stopped |= any(answer.stopped_early for answer in answers)
        plan = Plan(groups, sorted(left), np.zeros(self.problem.n, dtype=bool), stopped)
        self.watch.lap("borders")
        bound = bound_shares(
            self.problem, self.arcs, plan,
            Stopping(self.problem.tables, self.arcs, self.parameters.bound_steps),
            lambda share, stage: tell.or_stop(0.6 + 0.39 * share, stage),
        )  # fmt: skip
        self.watch.lap("bound")
        provenance = Provenance(
            method=METHOD, method_version=METHOD_VERSION, input_hash=self.input_hash,
            seed=self.seed, settings=self.parameters.as_dict() | {"parts": len(self.parts)},
        )  # fmt: skip
        return make_result(
            self.problem, reach, plan, bound, self.pins, provenance, self.watch.seconds
        )

    def _numbered(self, answers: Sequence[Solved]) -> list[NDArray[np.int64]]:
        """Turn codes into numbers, once it is sure that these are answers to these parts."""
        number_of = {str(code): i for i, code in enumerate(self.problem.codes)}
        good = [answer.number for answer in answers] == list(range(len(self.parts)))
        for answer, ids in zip(answers, self.parts, strict=False):
            named = [*answer.left, *(code for group in answer.groups for code in group)]
            own = set(self.problem.codes[ids].tolist())
            good &= set(named) <= own and len(named) == len(set(named))
        if not good:
            raise InputError(
                "the parts are not parts of these schools.",
                mend="Form all parts again from one table of schools.",
            )
        return [
            np.array([number_of[code] for code in group], dtype=np.int64)
            for answer in answers
            for group in answer.groups
        ]


def form_in_parts(
    nation: Nation,
    progress: Progress | None = None,
    solve: Callable[[Iterator[Part]], Iterable[Solved]] | None = None,
) -> Partnerships:
    """Form partnerships part by part.

    Parameters
    ----------
    solve : callable, optional
        Takes the parts and returns the answers in any order, on whatever machines;
        :func:`solve_part` one by one when None.
    """
    tell = progress or (lambda _share, _stage: None)
    count = len(nation.parts)
    answers = []
    parts = (nation.part(number) for number in range(count))
    for answer in solve(parts) if solve else map(solve_part, parts):
        answers.append(answer)
        tell(0.8 * len(answers) / count, "forming partnerships part by part")
    return nation.join(answers, lambda share, stage: tell(0.8 + 0.2 * share, stage))


def solve_part(part: Part, progress: Progress | None = None) -> Solved:
    """Form the partnerships of one part; it can be pickled, as can its answer."""
    problem = part.problem
    watch = Stopwatch()
    limit = problem.parameters.time_limit
    arcs = ArcStore(problem)
    plan = make_plan(
        problem,
        study_reach(problem, arcs),
        part.seed,
        None if limit is None else watch.began + limit,
        Telling(progress),
        Stopping(problem.tables, arcs, 0),
    )
    codes = problem.codes
    return Solved(
        number=part.number,
        groups=[codes[group].tolist() for group in plan.groups],
        left=codes[plan.left].tolist() if plan.left else [],
        stopped_early=plan.stopped_early,
    )


def split(
    problem: Problem, most: int = MOST, regions: Mapping[str, str] | None = None
) -> list[NDArray[np.int64]]:
    """Cut a whole into parts of at most `most` schools, by region first if there are any.

    Schools that are pinned together stay in one part, which may make it a little larger.
    """
    if most < 1:
        raise InputError(f"a part of {most} schools cannot be; it needs 1 at least.")
    labels = [(regions or {}).get(str(code), "") for code in problem.codes]
    xyz, part = problem.tables.xyz, np.full(problem.n, -1, dtype=np.int64)
    count = 0
    for label in sorted(set(labels)):
        inside = np.array([i for i, own in enumerate(labels) if own == label], dtype=np.int64)
        for piece in halve(xyz[inside], np.ones(len(inside), dtype=np.int64), most):
            part[inside[piece]] = count
            count += 1
    together = problem.tables.together
    for group in np.unique(together[together >= 0]):
        members = np.flatnonzero(together == group)
        part[members] = part[members[0]]
    parts = [np.flatnonzero(part == number) for number in range(count)]
    return [ids for ids in parts if len(ids)]


def cut_out(problem: Problem, ids: NDArray[np.int64]) -> Problem:
    """Make the problem of some schools alone, with ranks and strengths as in the whole.

    Parameters
    ----------
    ids : int array, shape (m,)
        In rising order.
    """
    return replace(
        problem,
        codes=problem.codes[ids],
        latitude=problem.latitude[ids],
        longitude=problem.longitude[ids],
        areas=None if problem.areas is None else [problem.areas[i] for i in ids.tolist()],
        tables=problem.tables.cut(ids),
        unplaced=[],
        travel=Travel(),
    )


def repair_borders(
    tables: Tables,
    parts: Sequence[NDArray[np.int64]],
    groups: list[NDArray[np.int64]],
    left: list[int],
    *,
    seed: int,
    steps_per_school: float,
    progress: Progress,
) -> tuple[list[NDArray[np.int64]], list[int], bool]:
    """Search on along the borders, across which no part could look.

    Parameters
    ----------
    tables : Tables
        Of the whole, with neighbour lists.
    parts : sequence of int arrays
    groups : list of int arrays
        Partnerships of all parts, by numbers of the whole.
    left : list of int
        Schools in none of them.

    Returns
    -------
    groups, left, stopped_early
        As of :func:`brightspots.connectedness.search.search`; no dearer than `groups`.
    """
    if len(parts) < 2 or not groups:
        return groups, left, False
    part = np.full(len(tables.xyz), -1, dtype=np.int64)
    for number, ids in enumerate(parts):
        part[ids] = number
    near = tables.near[:, :BORDER_NEIGHBOURS]
    across: NDArray[np.bool_] = np.any((part[near] != part[:, None]) & (near >= 0), axis=1)
    at_border = [group for group in groups if across[group].any()]
    loose = [np.array([i], dtype=np.int64) for i in left]
    if not at_border and not loose:
        return groups, left, False
    around = np.concatenate([*at_border, *loose])
    return search(
        tables, groups + loose, seed=seed, steps=round(steps_per_school * len(around)),
        deadline=None, progress=progress, around=around,
    )  # fmt: skip
