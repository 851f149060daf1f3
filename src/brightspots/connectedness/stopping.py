"""When a search may stop: at a gap that is proved, or at a cost that is good enough.

Time is the third way and is the search's own business. What is decided here depends on the input
and the seed alone: it is asked after fixed numbers of steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.bound import Bounding
from brightspots.connectedness.problem import Tables
from brightspots.connectedness.reach import ArcStore
from brightspots.connectedness.settings import StopEarly

__all__ = ["Stage", "StopEarly", "Stopping"]

REFINE_AT = (0.25, 0.5, 0.75, 0.9)
"""Shares of the search at which the bound is refined when the search may stop at a gap."""
FIRST_SHARE = 0.8
"""What a first answer's cost falls to, about: subgradient steps towards it are of a good length."""


class Stage(str):
    """The words of a stage, with the best cost so far and its proven gap where they are known."""

    cost: float | None
    gap: float | None

    def __new__(cls, words: str, cost: float | None = None, gap: float | None = None) -> Stage:
        """Words, cost in km, and gap as a share of the bound."""
        stage = super().__new__(cls, words)
        stage.cost, stage.gap = cost, gap
        return stage


@dataclass
class Stopping:
    """Looks at each answer of a search, and says whether it is good enough.

    A first bound comes from a third of `steps` at the first answer. Where a gap is asked for it is
    refined as the search goes on. The bound at the end is never below what these multipliers give.

    Parameters
    ----------
    tables : Tables
    arcs : ArcStore
        Among all schools, or at least those of the search.
    steps : int
        Subgradient steps of the bound at the end; 0 for no bound, and then no gap is known.
    gap : float, optional
        Stop when the proven gap is this or less.
    target_cost : float, optional
        Stop when the cost is this or less.
    settled : float
        Cost of partnerships outside the search that are proved to be the best, km.
    """

    tables: Tables
    arcs: ArcStore
    steps: int
    gap: float | None = None
    target_cost: float | None = None
    settled: float = 0.0
    _bound: tuple[Bounding, NDArray[np.float64]] | None = field(default=None, init=False)
    _refined: int = field(default=0, init=False)

    @property
    def multipliers(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Those of schools and those of leaders, each of shape (n,), once there is a bound."""
        if self._bound is None:
            return None
        bounding, shares = self._bound
        return bounding.u, shares - bounding.u

    def start(self, cost: float, shares: NDArray[np.float64], served: NDArray[np.bool_]) -> None:
        """Bound from the first answer.

        Parameters
        ----------
        cost : float
            Of the partnerships of the search.
        shares : float array, shape (n,)
            Of that cost by school, 0 for schools that are not served.
        served : bool array, shape (n,)
        """
        if self.steps and self.arcs.chunks:
            schools = np.flatnonzero(served)
            bounding = Bounding(self.tables, self.arcs, schools, FIRST_SHARE * shares)
            self._refine(bounding, FIRST_SHARE * cost, self.steps // 3)

    def look(self, done: float, cost: float, served: NDArray[np.bool_]) -> float | None:
        """Refine the bound when it is time, and return the proven gap of `cost`, None if unknown.

        Parameters
        ----------
        done : float
            Share of the search, 0 to 1.
        cost : float
            Of the partnerships of the search, which serve exactly `served`, shape (n,).
        """
        if self._bound is None:
            return None
        if (
            self.gap is not None
            and self._refined < len(REFINE_AT)
            and done >= REFINE_AT[self._refined]
        ):
            self._refined += 1
            self._refine(self._bound[0], cost, self.steps // 12)
        least = self.settled + float(self._bound[1][served].sum())
        total = self.settled + cost
        if least <= 0:
            return 0.0 if total <= 0 else None
        return max(total - least, 0.0) / least

    def settle(self, cost: float, shares: NDArray[np.float64]) -> None:
        """Bound anew from a good answer's cost, as a polish wants good multipliers."""
        if self._bound is not None:
            bounding = Bounding(self.tables, self.arcs, self._bound[0].schools, shares)
            self._refine(bounding, cost, self.steps * 2 // 3)

    def enough(self, cost: float, gap: float | None) -> bool:
        """Tell whether an answer of this cost and gap is good enough to stop."""
        if self.target_cost is not None and self.settled + cost <= self.target_cost:
            return True
        return self.gap is not None and gap is not None and gap <= self.gap

    def _refine(self, bounding: Bounding, cost: float, steps: int) -> None:
        bounding.refine(cost, steps)
        self._bound = bounding, bounding.shares()
