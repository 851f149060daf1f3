"""Settings of the partnership problem, checked when they are made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from brightspots.core.errors import InputError

__all__ = ["LARGEST", "MOST_PRIORITIES", "Parameters", "StopEarly", "Weights"]

MOST_PRIORITIES = 3
"""Priorities that partnerships are formed for: never more."""

LARGEST = 40
"""The greatest `maximum`: beyond it a partnership is no longer one, and a step gets slow."""


class StopEarly(Exception):  # noqa: N818 - no error: it asks for the best answer so far
    """Raised by `progress` to end the search with the best answer so far."""


@dataclass(frozen=True)
class Weights:
    """What each part of the objective costs, in kilometres of travel.

    Parameters
    ----------
    balance : float
        For (size - target) squared, each partnership.
    complement : float
        For a partnership with no strong school in it; with two or three priorities, for each
        that no member is strong in though a school around the leader is.
    need : float
        For each member of such a partnership, times its need (rank from 0 to 1); with two or
        three priorities, its need in each of those.
    all_weak : float
        More for a partnership with no strong school in any of two or three priorities.
    leader_strength : float
        Times (1 - the leader's rank in strength from 0 to 1), the mean over the priorities.
    partnership : float
        For one more partnership.
    disruption : float
        For a school whose leader comes from another present partnership; only when re-forming.
    """

    balance: float = 1.0
    complement: float = 8.0
    need: float = 4.0
    leader_strength: float = 4.0
    partnership: float = 6.0
    disruption: float = 2.0
    all_weak: float = 8.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"the weight {name} is {value}; it must be a number from 0 up.")


@dataclass(frozen=True)
class Parameters:
    """Settings of :func:`brightspots.connectedness.partnerships.form_partnerships`.

    Parameters
    ----------
    minimum, maximum : int
        Fewest and most schools in a partnership, the leader's own included.
    max_km : float
        Longest way from a school to its leader: great-circle distance in km, or in the unit of
        the travel table where there is one.
    target : float, optional
        Size that costs nothing; the middle of `minimum` and `maximum` when None.
    weights : Weights
        A mapping with the same names will do, as it comes back from stored settings.
    strong_share : float
        Share of schools, by strength, that count as strong.
    steps_per_school : int
        Length of the search: this many steps for each school that can be served. The search stops
        by this count and not by the clock, so that the same input gives the same answer anywhere.
    bound_steps : int
        Subgradient steps of the lower bound; 0 leaves the bound out.
    polish_sweeps : int
        How often the whole map is gone over after the search, block by block, to combine the
        partnerships met on the way anew.
    time_limit : float, optional
        Seconds after which the search stops early with the best answer so far. The answer then
        depends on the speed of the machine; `Partnerships.stopped_early` tells.
    gap : float, optional
        Stop when the proven gap is this or less, as a share: 0.01 for one per cent.
    target_cost : float, optional
        Stop when the total cost is this or less.
    serve_all : bool
        Take schools that no partnership can serve into the least bad one; they are marked in the
        column `exception` of the members.
    unknown_km : float, optional
        The way, in the unit of `max_km`, that is assumed between a school without coordinates and
        the schools of its own area; half of `max_km` when None.
    """

    minimum: int = 4
    maximum: int = 8
    max_km: float = 25.0
    target: float | None = None
    weights: Weights = field(default_factory=Weights)
    strong_share: float = 0.25
    steps_per_school: int = 40
    bound_steps: int = 300
    polish_sweeps: int = 0
    time_limit: float | None = None
    gap: float | None = None
    target_cost: float | None = None
    serve_all: bool = False
    unknown_km: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.weights, Mapping):
            object.__setattr__(self, "weights", Weights(**self.weights))
        if self.minimum < 2:
            raise InputError(f"the smallest size is {self.minimum}; a partnership needs 2 schools.")
        if self.maximum < self.minimum:
            raise InputError(
                f"the smallest size {self.minimum} is above the largest size {self.maximum}."
            )
        if self.maximum > LARGEST:
            raise InputError(f"the largest size is {self.maximum}; it may be {LARGEST} at most.")
        if not (math.isfinite(self.max_km) and self.max_km > 0):
            raise InputError(f"the travel limit is {self.max_km} km; it must be above 0.")
        if self.target is not None and not self.minimum <= self.target <= self.maximum:
            raise InputError(
                f"the target size {self.target} is not between {self.minimum} and {self.maximum}."
            )
        if not 0 < self.strong_share <= 1:
            raise InputError(f"the share of strong schools is {self.strong_share}, not in (0, 1].")
        if min(self.steps_per_school, self.bound_steps, self.polish_sweeps) < 0:
            raise InputError("the numbers of steps must not be below 0.")
        limit = self.time_limit
        if limit is not None and not (math.isfinite(limit) and limit > 0):
            raise InputError(f"the time limit is {limit} s; it must be a number above 0.")
        for name, value in (("gap", self.gap), ("target cost", self.target_cost)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"the {name} to stop at is {value}; it must be 0 or more.")
        if self.unknown_km is not None and not 0 <= self.unknown_km <= self.max_km:
            raise InputError(
                f"the way assumed for schools without coordinates is {self.unknown_km}; it must"
                f" lie between 0 and the travel limit {self.max_km}."
            )

    @property
    def target_size(self) -> float:
        """The size that costs nothing."""
        return (self.minimum + self.maximum) / 2 if self.target is None else self.target

    @property
    def unknown_way(self) -> float:
        """The way assumed between a school without coordinates and those of its own area."""
        return self.max_km / 2 if self.unknown_km is None else self.unknown_km

    def as_dict(self) -> dict[str, Any]:
        """Return the settings in JSON types."""
        return asdict(self) | {"target": self.target_size}
