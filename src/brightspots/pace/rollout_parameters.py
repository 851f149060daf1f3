"""Settings of the rollout planner, checked when they are made."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from brightspots.core.errors import InputError

__all__ = ["RolloutParameters"]

LONGEST = 120
"""Most terms a plan may span."""
USUAL_SPEEDS = (3, 6, 9)


@dataclass(frozen=True)
class RolloutParameters:
    """Settings of :func:`brightspots.pace.rollout.plan_rollout`.

    Parameters
    ----------
    support_days : float
        Days of support that the system can give in a term, over all areas. What really arrives is
        an assumption (``support_arrives``).
    terms : int
        Terms in which support may be given: a wave begins early enough for its support to end
        within them.
    speeds : tuple of int
        Terms of support, from the beginning of an area's wave until all responsibility has moved
        and support ends. A plan chooses one for each area. Of the usual ones those that fit.
    settle : int
        Terms that are counted after support has ended, in every area alike, so that an area that
        begins late does not look better for being looked at for a shorter time.
    train_ahead : int
        Terms before its wave from which an area trains leaders.
    covered : float
        Share of all schools that have to be ready and responsible for "full coverage".
    draws : int
        Draws of the assumptions; the same ones for every plan.
    search_draws : int
        Draws with which plans are searched; the plans found are measured again with all.
    points : int
        Most plans on the curve.
    sweeps, moves : int
        Length of the search for each way of weighing: rounds over all areas, and steps of a few
        areas. The search stops by these counts and not by the clock.
    exhaustive : int
        Look at every plan there is when there are at most so many; 0 never does.
    time_limit : float, optional
        Seconds after which the search stops early with the best so far; the answer then depends
        on the machine.

    Raises
    ------
    InputError
        A value that cannot be, with what to do.
    """

    support_days: float
    terms: int = 15
    speeds: tuple[int, ...] = USUAL_SPEEDS
    settle: int = 6
    train_ahead: int = 2
    covered: float = 0.9
    draws: int = 200
    search_draws: int = 24
    points: int = 9
    sweeps: int = 8
    moves: int = 300
    exhaustive: int = 20_000
    time_limit: float | None = None

    def __post_init__(self) -> None:
        speeds = self.speeds
        if speeds == USUAL_SPEEDS and self.terms >= 1:
            speeds = tuple(each for each in speeds if each <= self.terms) or (self.terms,)
        object.__setattr__(self, "speeds", tuple(sorted(set(speeds))))
        if not (math.isfinite(self.support_days) and self.support_days >= 0):
            raise InputError(
                f"the days of support a term are {self.support_days}; they cannot be below 0.",
                mend="Say how many days of support the whole system can give in a term.",
            )
        self._between("terms", 1, LONGEST)
        self._between("settle", 0, 60)
        self._between("train_ahead", 0, 60)
        self._between("draws", 2, 20_000)
        object.__setattr__(self, "search_draws", min(self.search_draws, self.draws))
        self._between("search_draws", 1, 500)
        self._between("points", 1, 50)
        self._between("sweeps", 0, 1000)
        self._between("moves", 0, 1_000_000)
        self._between("exhaustive", 0, 1_000_000)
        self._check_speeds()
        if not 0 < self.covered <= 1:
            raise InputError(f"the share that counts as covered is {self.covered}, not in (0, 1].")
        if self.time_limit is not None and not self.time_limit > 0:
            raise InputError(f"the time limit is {self.time_limit} s; it must be above 0.")

    def _between(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise InputError(
                f"{name.replace('_', ' ')} is {value}; it has to lie between {low} and {high:,}."
            )

    def _check_speeds(self) -> None:
        if not self.speeds:
            raise InputError("no speed is given.", mend="Give terms of support, such as 3,6,9.")
        if self.speeds[0] < 1 or self.speeds[-1] > self.terms:
            wrong = self.speeds[0] if self.speeds[0] < 1 else self.speeds[-1]
            raise InputError(
                f"a speed of {wrong} terms of support does not fit into {self.terms} terms.",
                mend="Give speeds from 1 to the number of terms, or more terms.",
            )

    @property
    def horizon(self) -> int:
        """Terms that are simulated."""
        return self.terms + self.settle

    def as_dict(self) -> dict[str, Any]:
        """Return every setting in JSON types."""
        return asdict(self) | {"speeds": list(self.speeds)}
