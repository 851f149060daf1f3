"""Rollout plans on the curve between too fast and too slow: when each area begins, how fast.

The method, its words and its limits: ``docs/methods/pace.md``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.settings import StopEarly
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.pace.rollout_areas import Areas
from brightspots.pace.rollout_assumptions import DEFAULTS, Assumption, draw
from brightspots.pace.rollout_measures import (
    TOTAL,
    Measured,
    difference_frame,
    measure,
    measures_frame,
)
from brightspots.pace.rollout_parameters import RolloutParameters
from brightspots.pace.rollout_plan import Fixed, Plan, choices, usual_plans
from brightspots.pace.rollout_search import Found, Progress, not_beaten, search
from brightspots.pace.rollout_simulate import World, world

__all__ = [
    "METHOD",
    "METHOD_VERSION",
    "Change",
    "Rollout",
    "StopEarly",
    "plan_rollout",
    "provenance",
]

Floats = NDArray[np.float64]

METHOD: Final = "rollout plans"
METHOD_VERSION: Final = "1"
_CANDIDATES: Final = 24
_SEARCHING: Final = 0.7
"""Share of the progress bar that the search has."""


@dataclass(frozen=True)
class Change:
    """What people's changes to a plan come to.

    Attributes
    ----------
    plan : Plan
        The changed plan.
    difference : DataFrame
        See :func:`brightspots.pace.rollout_measures.difference_frame`.
    areas : DataFrame
        area, start and speed before and after, of the areas that change.
    """

    plan: Plan
    difference: pl.DataFrame
    areas: pl.DataFrame


@dataclass(frozen=True)
class Rollout:
    """Plans on the curve, the usual plans beside them, and what is needed to go on from there.

    Attributes
    ----------
    areas : Areas
    parameters : RolloutParameters
    assumptions : tuple of Assumption
    curve : tuple of str
        Names of the plans on the curve, the fewest school-terms abandoned first.
    measured : mapping of str to Measured
        All plans by name: curve-1, curve-2, ... and the usual ones.
    found : Found
        What was searched, with bounds and gaps.
    seconds : float
    provenance : Provenance
    world, drawn
        Areas and draws as they were simulated; the draws of each assumption by name.
    fixed : mapping
        What people had fixed beforehand.
    """

    areas: Areas
    parameters: RolloutParameters
    assumptions: tuple[Assumption, ...]
    curve: tuple[str, ...]
    measured: dict[str, Measured]
    found: Found
    seconds: float
    provenance: Provenance
    world: World
    drawn: Mapping[str, Floats]
    fixed: Fixed = field(default_factory=dict)

    @property
    def even_handed(self) -> str:
        """The plan with the fewest school-terms abandoned and held back together."""
        return min(
            self.curve,
            key=lambda name: sum(self.measured[name].mean(m) for m in ("abandoned", "held_back")),
        )

    def plan(self, name: str) -> Measured:
        """Return a plan by its name.

        Raises
        ------
        InputError
            If there is none.
        """
        if name not in self.measured:
            raise InputError(
                f'there is no plan "{name}".', mend=f"There are: {', '.join(self.measured)}."
            )
        return self.measured[name]

    def plans_frame(self) -> pl.DataFrame:
        """One row a plan, the curve first: means and medians of every measure."""
        names = [*self.curve, *(name for name in self.measured if name not in self.curve)]
        frame = measures_frame([self.measured[name] for name in names])
        totals = frame.filter(pl.col("part") == TOTAL)
        wide: list[dict[str, Any]] = []
        for name in names:
            each = self.measured[name]
            row: dict[str, Any] = {
                "plan": name,
                "on_curve": name in self.curve,
                "words": each.plan.words,
                "waves": len(set(each.plan.start.tolist())),
                "handed_over": each.plan.handed_over,
            }
            for cells in totals.filter(pl.col("plan") == name).iter_rows(named=True):
                for column in ("mean", "median", "low95", "high95"):
                    row[f"{cells['measure']}_{column}"] = cells[column]
            row["not_covered"] = each.not_covered
            wide.append(row)
        return pl.DataFrame(wide)

    def measures_frame(self) -> pl.DataFrame:
        """See :func:`brightspots.pace.rollout_measures.measures_frame`."""
        return measures_frame(list(self.measured.values()))

    def waves_frame(self, name: str) -> pl.DataFrame:
        """When each area begins under a plan, with what it is expected to come to there."""
        each = self.plan(name)
        return pl.DataFrame(
            {
                "area": self.areas.codes,
                "name": self.areas.names,
                "region": self.areas.regions,
                "schools": self.areas.schools,
                "start": each.plan.start,
                "speed": each.plan.speed,
                "handed_over": each.plan.start + each.plan.speed,
                "abandoned": each.by_area["abandoned"],
                "held_back": each.by_area["held_back"],
                "support_days": each.by_area["support_days"],
            }
        ).sort("start", "area")

    def schedules_frame(self) -> pl.DataFrame:
        """Start and speed of every area under every plan."""
        return pl.concat(
            [
                pl.DataFrame(
                    {"area": self.areas.codes, "start": each.plan.start, "speed": each.plan.speed}
                ).select(pl.lit(name).alias("plan"), pl.all())
                for name, each in self.measured.items()
            ]
        )

    def changed(self, name: str, changes: Fixed, new_name: str = "changed") -> Change:
        """Say what it comes to when people move areas of a plan by hand.

        The same draws go through both plans, so that an interval is that of the difference.

        Parameters
        ----------
        name : str
            The plan they start from.
        changes : mapping of str to (int, int or None)
            Area -> start term, and speed; None keeps the plan's.

        Raises
        ------
        InputError
            An unknown plan or area, or a term in which the area's support cannot end in time.
        """
        before = self.plan(name)
        start, speed = before.plan.start.copy(), before.plan.speed.copy()
        position = self.areas.position
        whole: dict[str, tuple[int, int]] = {}
        for code, (term, length) in changes.items():
            kept = int(speed[position[code]]) if code in position else 1
            whole[code] = (term, kept if length is None else length)
        choices(self.areas, self.parameters, whole)  # refuses what cannot be
        for code, (term, terms) in whole.items():
            start[position[code]], speed[position[code]] = term, terms
        plan = Plan(new_name, f"{name}, changed by hand in {len(whole)} areas", start, speed)
        after = measure(self.world, plan)
        areas = pl.DataFrame(
            {
                "area": self.areas.codes,
                "start_before": before.plan.start, "start_after": start,
                "speed_before": before.plan.speed, "speed_after": speed,
            }
        ).filter(
            (pl.col("start_before") != pl.col("start_after"))
            | (pl.col("speed_before") != pl.col("speed_after"))
        )  # fmt: skip
        return Change(plan, difference_frame(before, after), areas)


def plan_rollout(
    areas: Areas,
    parameters: RolloutParameters,
    seed: int = 0,
    *,
    assumptions: Sequence[Assumption] = DEFAULTS,
    fixed: Fixed | None = None,
    known: Sequence[Plan] = (),
    found: Found | None = None,
    progress: Progress | None = None,
) -> Rollout:
    """Search for plans on the curve, and measure them and the usual ones with all draws.

    Parameters
    ----------
    areas : Areas
        From :func:`brightspots.pace.rollout_areas.read_areas`.
    parameters : RolloutParameters
    seed : int
    assumptions : sequence of Assumption
    fixed : mapping of str to (int, int or None), optional
        Area -> start term, and speed or None, that no plan may change.
    known : sequence of Plan
        Plans met in an earlier search of the same input, from which this one goes on.
    found : Found, optional
        What an earlier search of the same input came to: nothing is searched then.
    progress : callable, optional
        Gets the share done and the stage; may raise StopEarly, and then the best so far is
        measured.

    Returns
    -------
    Rollout
        The same for the same input, settings and seed, in whatever order the rows stand, unless
        it was stopped early.

    Raises
    ------
    InputError
    """
    began = time.perf_counter()
    offered = choices(areas, parameters, fixed)
    draws = draw(assumptions, len(areas), parameters.draws, seed)
    whole = world(areas, parameters, draws)
    usual = usual_plans(areas, parameters, offered)
    searching = world(areas, parameters, draws.first(parameters.search_draws))

    def tell(share: float, stage: str) -> None:
        if progress is not None:
            progress(_SEARCHING * share, stage)

    if found is None:
        found = search(
            searching, offered, usual, parameters, seed=seed, known=known, progress=tell
        )  # fmt: skip
    candidates = max(_CANDIDATES, 2 * parameters.points)
    if found.stopped_early:  # somebody is waiting
        candidates = parameters.points
    met = _evenly(found.plans, candidates)
    measured, on_curve = _measure_all(whole, usual, met, parameters.points, progress)
    return Rollout(
        areas, parameters, tuple(assumptions), on_curve, measured, found,
        time.perf_counter() - began,
        provenance(areas, parameters, seed, assumptions=assumptions, fixed=fixed),
        whole, draws.values, fixed or {},
    )  # fmt: skip


def provenance(
    areas: Areas,
    parameters: RolloutParameters,
    seed: int,
    *,
    assumptions: Sequence[Assumption] = DEFAULTS,
    fixed: Fixed | None = None,
) -> Provenance:
    """Say what a rollout is made from."""
    settings = parameters.as_dict() | {
        "assumptions": {a.name: [a.low, a.value, a.high] for a in assumptions},
        "fixed": {code: list(pair) for code, pair in sorted((fixed or {}).items())},
    }
    return Provenance(METHOD, METHOD_VERSION, areas.input_hash, seed, settings)


def _measure_all(
    whole: World,
    usual: Sequence[Plan],
    met: Sequence[Plan],
    points: int,
    progress: Progress | None,
) -> tuple[dict[str, Measured], tuple[str, ...]]:
    """Measure with all draws; return the plans by name, and the names of those on the curve."""
    known: list[Measured] = []
    for plan in [*usual, *met]:
        if progress is not None:
            share = len(known) / (len(usual) + len(met))
            with suppress(StopEarly):  # what is left is short, and a curve needs it
                progress(_SEARCHING + (1 - _SEARCHING) * share, "Measuring the plans")
        known.append(measure(whole, plan))
    pairs = [(each.mean("abandoned"), each.mean("held_back")) for each in known]
    measured: dict[str, Measured] = {}
    curve = []
    for place, at in enumerate(_thinned(not_beaten(pairs), pairs, len(usual), points), start=1):
        each = known[at]
        if at >= len(usual):
            each = replace(each, plan=replace(each.plan, name=f"curve-{place}", words="searched"))
        curve.append(each.plan.name)
        measured[each.plan.name] = each
    for each in known[: len(usual)]:
        measured.setdefault(each.plan.name, each)
    return measured, tuple(curve)


def _evenly(plans: Sequence[Plan], count: int) -> list[Plan]:
    """Take plans along the curve, both ends included."""
    if len(plans) <= count:
        return list(plans)
    return [plans[round(at * (len(plans) - 1) / (count - 1))] for at in range(count)]


def _thinned(
    front: list[int], pairs: Sequence[tuple[float, float]], usual: int, most: int
) -> list[int]:
    """Leave away the points whose loss costs the curve least, and never one that is needed.

    A usual plan on the curve stays, and so does the last plan that is as good as a usual one: the
    curve is nowhere below the usual plans.
    """
    front = list(front)

    def needed(at: int) -> bool:
        if at < usual:
            return True
        others = [pairs[other] for other in front if other != at]
        return any(
            not any(o[0] <= pairs[u][0] and o[1] <= pairs[u][1] for o in others)
            for u in range(usual)
        )

    while len(front) > max(most, 2):
        inner = [place for place in range(1, len(front) - 1) if not needed(front[place])]
        if not inner:
            break

        def loss(place: int) -> float:
            """Area that the curve gives up."""
            left, here, right = (pairs[front[place + step]] for step in (-1, 0, 1))
            return (right[0] - here[0]) * (left[1] - here[1])

        front.pop(min(inner, key=loss))
    return front
