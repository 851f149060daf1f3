"""The simulator: leaders, readiness, support and responsibility, area by area and term by term.

The equations, with one term from t to t+1 (``docs/methods/pace.md`` has them in words):

- leaders: available + finished - left; in training + begun - finished - dropped out;
- lead, the share of schools with a leader: min(1, available x schools per leader / schools);
- support wanted: schools x (1 - q) x days x lead, in areas under support; if all areas together
  want more than there is, each gets the same share of what it wants;
- q, the share of schools that are ready: grows by (g u + g0)(1 - q) under support, u being lead
  times the share of support that came; by g0 (1 - q) without; after support it also falls by
  f q (1 - lead);
- p, the share of responsibility moved: k / h in the k-th term after the start (k = 0, 1, ...).

A school-term is *abandoned* where responsibility is ahead of readiness (max(0, p - q)), or where
promised support is missing in schools neither ready nor responsible yet. It is *held back* where
readiness is ahead of responsibility (max(0, q - p)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brightspots.pace.rollout_areas import Areas
from brightspots.pace.rollout_assumptions import Draws
from brightspots.pace.rollout_parameters import RolloutParameters

__all__ = ["ABANDONED", "COST", "HELD_BACK", "PARTS", "Run", "World", "simulate", "world"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ABANDONED: Final = ("responsibility_early", "support_missing", "support_ended_early")
HELD_BACK: Final = ("waiting_to_begin", "held_back_in_steps")
COST: Final = ("support", "leaders_time", "training")
PARTS: Final = (*ABANDONED, *HELD_BACK, "ready_and_responsible", *COST)


@dataclass(frozen=True)
class World:
    """Areas and draws, ready to be simulated; arrays have shape (draws, areas) or (draws, 1)."""

    schools: Floats
    needed: Floats
    ready: Floats
    leaders: Floats
    pool: Floats
    arrivals: dict[int, Floats]
    growth: Floats
    unaided: Floats
    fade: Floats
    leaving: Floats
    finishing: Floats
    finished: Floats
    places: Floats
    days: Floats
    capacity: Floats
    leader_days: Floats
    training_days: Floats
    gain_ready: Floats
    loss_abandoned: Floats
    terms: int
    settle: int
    train_ahead: int
    covered: float


@dataclass(frozen=True)
class Run:
    """What came of a plan.

    Attributes
    ----------
    parts : mapping of str to array, shape (draws, areas)
        Sums over the terms, see `PARTS`: school-terms, or days.
    came : array, shape (draws, horizon)
        Share of the wanted support that came.
    wanted : array, shape (draws, horizon)
        Days of support wanted over all areas.
    responsible : array, shape (draws, horizon)
        Schools that are ready and hold responsibility.
    priced : array, shape (draws, areas)
        Wanted days times the prices given.
    leaders : mapping of str to array, shape (draws, areas)
        The account of leaders: at_first, begun; available, in_training, left, dropped_out at last.
    paths : mapping of int to (abandoned, held back, leaders) of shape (draws, areas)
        Of the terms asked for: schools, schools, leaders.
    """

    parts: dict[str, Floats]
    came: Floats
    wanted: Floats
    responsible: Floats
    priced: Floats
    leaders: dict[str, Floats]
    paths: dict[int, tuple[Floats, Floats, Floats]] = field(default_factory=dict)

    @property
    def abandoned(self) -> Floats:
        """School-terms abandoned, shape (draws, areas)."""
        return self._sum(ABANDONED)

    @property
    def held_back(self) -> Floats:
        """School-terms held back, shape (draws, areas)."""
        return self._sum(HELD_BACK)

    def _sum(self, names: Sequence[str]) -> Floats:
        total = self.parts[names[0]].copy()
        for name in names[1:]:
            total += self.parts[name]
        return total


def world(areas: Areas, parameters: RolloutParameters, draws: Draws) -> World:
    """Put areas and draws together."""
    value = {name: each[:, None] for name, each in draws.values.items()}
    spread = value["growth_spread"]
    unaided = value["growth_unaided"]
    growth = value["growth_supported"] * np.exp(spread * draws.growth - spread**2 / 2)
    reading = areas.readiness + value["readiness_bias"] + value["readiness_error"] * draws.reading
    shape = (len(draws), len(areas))
    given = areas.trainee_term > 0
    arrivals = {
        int(term): np.where(areas.trainee_term == term, areas.trainees, 0.0)
        for term in np.unique(areas.trainee_term[given & (areas.trainees > 0)])
    }
    return World(
        schools=areas.schools,
        needed=areas.schools / value["schools_per_leader"],
        ready=np.clip(reading, 0.0, 1.0),
        leaders=np.broadcast_to(areas.leaders, shape),
        pool=np.broadcast_to(np.where(given, 0.0, areas.trainees), shape),
        arrivals=arrivals,
        growth=np.minimum(growth, np.maximum(0.0, 1.0 - unaided)),
        unaided=unaided,
        fade=np.minimum(value["fade"], 1.0 - unaided),
        leaving=value["leader_leaving"],
        finishing=1.0 / value["training_terms"],
        finished=value["training_finished"],
        places=value["training_places"],
        days=value["support_days_per_school"],
        capacity=parameters.support_days * draws.values["support_arrives"],
        leader_days=value["leader_days"],
        training_days=value["training_days"],
        gain_ready=draws.values["gain_ready"],
        loss_abandoned=draws.values["loss_abandoned"],
        terms=parameters.terms,
        settle=parameters.settle,
        train_ahead=parameters.train_ahead,
        covered=parameters.covered,
    )


@dataclass
class _Leaders:
    """Stocks of leaders, with what went in and out."""

    w: World
    available: Floats
    pool: Floats
    waiting: Floats
    begun: Floats
    left: Floats
    dropped: Floats

    def arrive(self, term: int) -> None:
        """Trainees with a given end are there at the beginning of their term."""
        arriving = self.w.arrivals.get(term)
        if arriving is not None:
            self.available += self.w.finished * arriving
            self.dropped += (1 - self.w.finished) * arriving
            self.waiting = self.waiting - arriving

    def step(self, training: NDArray[np.bool_]) -> None:
        """One term: some leave, some finish, some begin where places are and leaders lack."""
        w = self.w
        lacking = np.maximum(0.0, w.needed - self.available - self.pool - self.waiting)
        begin = np.minimum(w.places * w.needed, lacking) * training
        left = w.leaving * self.available
        end = w.finishing * self.pool
        self.available += w.finished * end - left
        self.pool += begin - end
        self.begun += begin
        self.left += left
        self.dropped += (1 - w.finished) * end


def simulate(
    w: World,
    start: Ints,
    speed: Ints,
    *,
    came: Floats | None = None,
    prices: Floats | None = None,
    watch: Sequence[int] = (),
    until: int | None = None,
) -> Run:
    """Follow a plan through all terms, for all draws and areas at once.

    Parameters
    ----------
    w : World
    start, speed : array of int, shape (areas,)
    came : array, shape (draws, horizon), optional
        Share of support that comes, given from outside: then areas do not share what there is.
    prices : array, shape (draws, horizon), optional
        Of a day of support wanted, for the search.
    watch : sequence of int
        Terms whose paths are kept.
    until : int, optional
        Last term; that of the world otherwise.
    """
    shape, horizon = w.ready.shape, until or w.terms + w.settle
    parts = {name: np.zeros(shape) for name in PARTS}
    shares = np.ones((shape[0], horizon)) if came is None else came
    wanted_days, responsible = np.zeros((shape[0], horizon)), np.zeros((shape[0], horizon))
    priced = np.zeros(shape)
    waiting = sum(w.arrivals.values(), np.zeros(shape[1]))
    zeros = (np.zeros(shape) for _ in range(3))
    stock = _Leaders(w, w.leaders.copy(), w.pool.copy(), waiting, *zeros)
    ready, n, paths = w.ready.copy(), w.schools, {}
    for term in range(1, horizon + 1):
        k = term - start
        before, during = k < 0, (k >= 0) & (k < speed)
        after = (k >= speed).astype(np.float64)
        settling = (k >= speed) & (k < speed + w.settle)
        moved = np.clip(k / speed, 0.0, 1.0)
        stock.arrive(term)
        lead = np.minimum(1.0, stock.available / w.needed)
        n_during = n * during
        want = n_during * (1 - ready) * w.days * lead
        wanted_days[:, term - 1] = total = want.sum(axis=1)
        if came is None:
            shares[:, term - 1] = np.minimum(1.0, w.capacity / np.maximum(total, 1e-300))
        share = shares[:, term - 1][:, None]
        support = lead * share
        early = np.maximum(0.0, moved - ready)
        behind = np.maximum(0.0, ready - moved)
        missing = (1 - support) * (1 - np.maximum(moved, ready))
        parts["responsibility_early"] += n_during * early
        parts["support_missing"] += n_during * missing
        parts["support_ended_early"] += (n * settling) * early
        parts["waiting_to_begin"] += (n * before) * behind
        parts["held_back_in_steps"] += n_during * behind
        held = n * np.minimum(moved, ready)
        parts["ready_and_responsible"] += held
        responsible[:, term - 1] = held.sum(axis=1)
        parts["support"] += want * share
        parts["leaders_time"] += (k >= 0) * w.leader_days * np.minimum(stock.available, w.needed)
        parts["training"] += w.training_days * (stock.pool + stock.waiting)
        if prices is not None:
            priced += want * prices[:, term - 1][:, None]
        if term in watch:
            alone = n_during * (early + missing) + (n * after) * early
            paths[term] = (alone, n * behind, stock.available.copy())
        change = (w.growth * support * during + w.unaided) * (1 - ready)
        ready += change - after * w.fade * ready * (1 - lead)
        stock.step(k >= -w.train_ahead)
    account = {
        "at_first": w.leaders + w.pool + sum(w.arrivals.values(), np.zeros(shape[1])),
        "begun": stock.begun,
        "available": stock.available,
        "in_training": stock.pool + stock.waiting,
        "left": stock.left,
        "dropped_out": stock.dropped,
    }
    return Run(parts, shares, wanted_days, responsible, priced, account, paths)
