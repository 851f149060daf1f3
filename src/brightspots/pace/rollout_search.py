"""Search for plans on the trade-off curve between abandoned and held-back school-terms.

For each of several ways of weighing the two, rounds over all areas: at the support that came under
the present plan, every choice of every area is tried alone (a table), with a price on support that
says what a day taken here costs the others; the areas that would gain most change together, fewer
of them where that makes things worse. Then single steps. Everything met on the way that nothing
else beats is kept, the usual plans first of all.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.settings import StopEarly
from brightspots.pace.rollout_kernels import arrays_of, each_choice, value_of_support, whole_plan
from brightspots.pace.rollout_parameters import RolloutParameters
from brightspots.pace.rollout_plan import Choices, Plan
from brightspots.pace.rollout_simulate import World

__all__ = ["WEIGHTS", "Found", "Progress", "not_beaten", "search"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[float, str], None]

WEIGHTS: Final = (1 / 2, 2 / 3, 1 / 3, 4 / 5, 1 / 5, 8 / 9, 1 / 9)
"""Of a school-term abandoned; one held back has the rest: 1:1, 2:1, 1:2, 4:1, 1:4, 8:1, 1:8."""

_SHARES: Final = (1.0, 0.5, 0.25, 0.1, 0.03)
_BEST: Final = 6
_KEPT: Final = 400
_SMALL: Final = 1e-9


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes
    ----------
    plans : list of Plan
        Those that nothing met beats, by mean over the search's draws; the usual ones not included.
    weighed : list of dict
        For each way of weighing: weight, best (weighed sum), bound (no plan has less), gap.
    looked_at : int
        Plans simulated whole; and `choices_tried`, choices of single areas.
    complete : bool
        Every plan there is was looked at.
    stopped_early : bool
    """

    plans: list[Plan]
    weighed: list[dict[str, float]]
    looked_at: int
    choices_tried: int
    complete: bool
    stopped_early: bool


@dataclass(frozen=True)
class _Point:
    at: Ints
    abandoned: float
    held: float
    came: Floats
    wanted: Floats

    def weighed(self, weight: float) -> float:
        return weight * self.abandoned + (1 - weight) * self.held


def not_beaten(pairs: Sequence[tuple[float, float]]) -> list[int]:
    """Return which pairs no other is as good as in both and better in one; of equals the first."""
    order = sorted(range(len(pairs)), key=lambda at: (*pairs[at], at))
    kept, least = [], math.inf
    for at in order:
        if pairs[at][1] < least:
            kept.append(at)
            least = pairs[at][1]
    return kept


class _Search:
    """State of a search."""

    def __init__(
        self, w: World, offered: Choices, parameters: RolloutParameters, seed: int,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        self.w, self.offered, self.parameters = w, offered, parameters
        self.arrays = arrays_of(w)
        self.shape = (w.ready.shape[0], w.terms + w.settle)
        self.rng = np.random.default_rng([seed, 7])
        self.progress = progress
        self.began = time.monotonic()
        self.kept: list[_Point] = []
        self.looked_at = self.choices_tried = 0
        self.share = 0.0

    def tell(self, share: float, stage: str) -> None:
        """Show progress; stop when the time is over."""
        self.share = share
        if self.progress is not None:
            self.progress(share, stage)
        limit = self.parameters.time_limit
        if limit is not None and time.monotonic() - self.began > limit:
            raise StopEarly

    def look(self, at: Ints) -> _Point:
        """Simulate a plan, and keep it if nothing kept beats it."""
        came, wanted = np.empty(self.shape), np.empty(self.shape)
        abandoned, held = whole_plan(
            *self.arrays, self.w.capacity, self.offered.start[at], self.offered.speed[at],
            came, wanted,
        )  # fmt: skip
        self.looked_at += 1
        point = _Point(at.copy(), abandoned, held, came, wanted)
        if not any(k.abandoned <= abandoned and k.held <= held for k in self.kept):
            self.kept = [
                k for k in self.kept if not (abandoned <= k.abandoned and held <= k.held)
            ]  # fmt: skip
            self.kept.append(point)
            if len(self.kept) > _KEPT:
                self._thin()
        return point

    def _thin(self) -> None:
        """Keep every other point, the best by each weight whatever happens."""
        best = {id(self.best(weight)) for weight in WEIGHTS}
        line = sorted(self.kept, key=lambda k: k.abandoned)
        self.kept = [
            k for n, k in enumerate(line) if n % 2 == 0 or n == len(line) - 1 or id(k) in best
        ]  # fmt: skip

    def best(self, weight: float) -> _Point:
        """Return the best point kept."""
        return min(self.kept, key=lambda k: k.weighed(weight))

    def tables(self, came: Floats, prices: Floats) -> tuple[Floats, Floats, Floats]:
        """Abandoned, held back and price of each choice of each area alone."""
        shape = self.offered.allowed.shape
        abandoned, held, priced = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        each_choice(
            *self.arrays, self.offered.start, self.offered.speed, self.offered.allowed, came,
            prices, abandoned, held, priced,
        )  # fmt: skip
        self.choices_tried += int(self.offered.allowed.sum())
        return abandoned, held, priced

    def scores(self, point: _Point, weight: float) -> Floats:
        """Weighed sum of each choice with what its support costs the others."""
        slope = np.zeros(self.shape)
        value_of_support(
            *self.arrays, self.offered.start[point.at], self.offered.speed[point.at], point.came,
            weight, slope,
        )  # fmt: skip
        short = point.came < 1
        prices = np.where(short, -slope * point.came / np.where(short, point.wanted, 1.0), 0.0)
        abandoned, held, priced = self.tables(point.came, prices)
        total = weight * abandoned + (1 - weight) * held + priced
        return np.where(self.offered.allowed, total, np.inf)

    def round(self, point: _Point, weight: float, scores: Floats) -> _Point | None:
        """Change the areas that would gain most; None if no number of them makes it better."""
        areas = np.arange(len(point.at))
        choice = scores.argmin(axis=1)
        gain = scores[areas, point.at] - scores[areas, choice]
        gainers = np.argsort(-gain, kind="stable")[: int((gain > _SMALL).sum())]
        tried = set()
        for share in _SHARES:
            count = math.ceil(share * len(gainers))
            if count in tried or not count:
                continue
            tried.add(count)
            at = point.at.copy()
            at[gainers[:count]] = choice[gainers[:count]]
            new = self.look(at)
            if new.weighed(weight) < point.weighed(weight) - _SMALL:
                return new
        return None

    def steps(self, point: _Point, weight: float, scores: Floats) -> _Point:
        """Small steps: every single one where there are few, else some at random."""
        allowed = self.offered.allowed
        if allowed.sum() <= self.parameters.moves:
            better = True
            while better:
                better = False
                for area, choice in np.argwhere(allowed):
                    new = self._with(point, [area], [choice], weight)
                    better |= new is not point
                    point = new
            return point
        likely = np.argsort(scores, axis=1, kind="stable")[:, :_BEST]
        for _ in range(self.parameters.moves):
            areas = self.rng.choice(len(point.at), min(2, len(point.at)), replace=False)
            if len(areas) == 2 and self.rng.random() < 0.3:  # these two change places
                to = point.at[areas[::-1]]
            else:
                areas = areas[: self.rng.integers(1, len(areas) + 1)]
                to = likely[areas, self.rng.integers(0, likely.shape[1], len(areas))]
            if allowed[areas, to].all():
                point = self._with(point, areas, to, weight)
        return point

    def _with(self, point: _Point, areas: Any, to: Any, weight: float) -> _Point:
        at = point.at.copy()
        at[areas] = to
        if (at == point.at).all():
            return point
        new = self.look(at)
        return new if new.weighed(weight) < point.weighed(weight) - _SMALL else point

    def all_plans(self, count: int) -> None:
        """Look at every plan there is."""
        each = [np.flatnonzero(row) for row in self.offered.allowed]
        for number, at in enumerate(itertools.product(*each)):
            self.look(np.array(at, dtype=np.int64))
            if number % 500 == 0:
                self.tell(number / count, "Looking at every plan there is")

    def by_weight(self) -> None:
        """Search by each way of weighing, each from the best so far."""
        parts = len(WEIGHTS) * (self.parameters.sweeps + 1)
        for number, weight in enumerate(WEIGHTS):
            point = self.best(weight)
            scores = self.scores(point, weight)
            for sweep in range(self.parameters.sweeps):
                done = number * (self.parameters.sweeps + 1) + sweep
                self.tell(done / parts, f"Looking for plans, {_weighing(weight)}")
                new = self.round(point, weight, scores)
                if new is None:
                    break
                point = new
                scores = self.scores(point, weight)
            done = number * (self.parameters.sweeps + 1) + self.parameters.sweeps
            self.tell(done / parts, f"Moving single areas, {_weighing(weight)}")
            self.steps(point, weight, scores)

    def bounds(self) -> list[dict[str, float]]:
        """Per way of weighing: the best found, what no plan can go below, and the gap.

        Readiness rises with support. So an area is abandoned least if all its support always
        comes, and held back least if none does; the sum over areas of the least of both together
        is a lower bound, whatever the plan. It is loose where support is short.
        """
        nothing = np.zeros(self.shape)
        least_abandoned = self.tables(np.ones(self.shape), nothing)[0]
        least_held = self.tables(nothing, nothing)[1]
        rows = []
        for weight in sorted(WEIGHTS):
            each = weight * least_abandoned + (1 - weight) * least_held
            bound = float(np.where(self.offered.allowed, each, np.inf).min(axis=1).sum())
            best = self.best(weight).weighed(weight)
            gap = (best - bound) / best if best > 0 else 0.0
            rows.append({"weight": weight, "best": best, "bound": bound, "gap": max(0.0, gap)})
        return rows


def _weighing(weight: float) -> str:
    ratio = weight / (1 - weight)
    words = f"{ratio:.0f} to 1" if ratio >= 1 else f"1 to {1 / ratio:.0f}"
    return f"abandoned to held back {words}"


def search(
    w: World,
    offered: Choices,
    usual: Sequence[Plan],
    parameters: RolloutParameters,
    *,
    seed: int,
    known: Sequence[Plan] = (),
    progress: Progress | None = None,
) -> Found:
    """Search; the best so far is returned when `progress` raises StopEarly or the time is over.

    Parameters
    ----------
    w : World
        With the search's draws.
    offered : Choices
    usual : sequence of Plan
        Where the search starts.
    parameters : RolloutParameters
    seed : int
    known : sequence of Plan
        Further plans to start from.
    progress : callable, optional
    """
    state = _Search(w, offered, parameters, seed, progress)
    stopped = False
    try:
        state.tell(0.0, "Compiling, the first time only")
    except StopEarly:  # the usual plans are looked at all the same
        stopped = True
    for plan in (*usual, *known):
        state.look(offered.index(plan.start, plan.speed))
    count = math.prod(int(row.sum()) for row in offered.allowed)
    complete = count <= parameters.exhaustive
    try:
        if stopped:
            raise StopEarly
        if complete:
            state.all_plans(count)
        else:
            state.by_weight()
    except StopEarly:
        stopped, complete = True, False
    weighed = state.bounds()
    if complete:
        weighed = [row | {"bound": row["best"], "gap": 0.0} for row in weighed]
    reported = {plan.key for plan in usual}
    line = sorted(state.kept, key=lambda k: k.abandoned)
    plans = [plan for k in line if (plan := offered.plan(k.at)).key not in reported]
    return Found(plans, weighed, state.looked_at, state.choices_tried, complete, stopped)
