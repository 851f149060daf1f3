"""Settings of brokering: what each part of a match is worth, in kilometres."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from brightspots.core.errors import InputError

__all__ = ["METHOD", "METHOD_VERSION", "BrokerParameters", "BrokerWeights"]

METHOD = "brokering"
METHOD_VERSION = "1"


@dataclass(frozen=True)
class BrokerWeights:
    """What each part of a match costs, in kilometres of travel.

    Parameters
    ----------
    distance : float
        For each kilometre (great circle) between the two schools.
    dissimilarity : float
        For an offer from a school of another family; half of it where a family is not known.
    language : float
        For a pair without a language in common; half of it where a language is not known.
    phase : float
        For a pair of different phases; nothing where a phase is not known.
    strength : float
        Times (1 - the offer's rank from 0 to 1 in strength at the priority; 0.5 if not known).
    track_record : float
        For each SD of gain by which the expected gain lies below the best of the priority.
    exception : float
        Price of leaving a request of weight 1 unmatched. It stands for "serve as many as can be":
        keep it far above what a match can cost.
    """

    distance: float = 1.0
    dissimilarity: float = 6.0
    language: float = 15.0
    phase: float = 6.0
    strength: float = 8.0
    track_record: float = 60.0
    exception: float = 1000.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (math.isfinite(value) and 0 <= value <= 100_000):
                raise InputError(
                    f"the weight {name} is {value}; it must be a number from 0 to 100,000."
                )


@dataclass(frozen=True)
class BrokerParameters:
    """Settings of :func:`brightspots.connectedness.brokering.broker`.

    Parameters
    ----------
    max_km : float
        Longest great-circle distance between the two schools.
    weights : BrokerWeights
        A mapping with the same names will do, as it comes back from stored settings.
    same_language, same_phase : bool
        Forbid pairs that are known to share no language, or no phase.
    askers_may_give : bool
        Whether a school that asks for support in a priority may also give support in it.
    unknown_km : float, optional
        Distance that is counted for a pair of the same area where a place is not known; half of
        `max_km` when None. Pairs of different areas cannot be matched without both places, unless
        nobody at all has a place.
    exploration : float
        Share of requests (0 to 1), drawn with the seed, for which the expected gain of each offer
        is drawn from what is believed of it in place of its mean (Thompson sampling), so that
        offers with little or no record get their chance. 0 draws nothing.
    fairness : float, optional
        The share of requests left unmatched in an area may pass the system's share by this much
        (0 to 1), as far as that can be kept; None for no such rule.
    shrink : bool
        Shrink recorded gains towards the mean of their priority. False where they are posterior
        means already (`se` is then their posterior SD).
    prior_mean, prior_sd : float, optional
        What is believed of the gain of an offer without a record, SD of pupils. Estimated from the
        offers of the priority where None and at least 5 have a record; else 0 and 0.1.
    default_days : float
        Days of a request that does not say.
    shortlist : int
        Offers on the shortlist of each request.
    nearest : int
        Length of the lists from each request to offers and from each offer to requests. Used only
        above `all_pairs` pairs; up to there every possible pair is weighed.
    all_pairs : int

    Raises
    ------
    InputError
        A setting outside its range.
    """

    max_km: float = 25.0
    weights: BrokerWeights = field(default_factory=BrokerWeights)
    same_language: bool = False
    same_phase: bool = False
    askers_may_give: bool = False
    unknown_km: float | None = None
    exploration: float = 0.1
    fairness: float | None = 0.1
    shrink: bool = True
    prior_mean: float | None = None
    prior_sd: float | None = None
    default_days: float = 5.0
    shortlist: int = 3
    nearest: int = 24
    all_pairs: int = 2_000_000

    def __post_init__(self) -> None:
        if isinstance(self.weights, Mapping):
            object.__setattr__(self, "weights", BrokerWeights(**self.weights))
        self._between("max_km", self.max_km, 0.001, 20_100)
        self._between("exploration", self.exploration, 0, 1)
        self._between("default_days", self.default_days, 0.1, 1000)
        self._between("shortlist", self.shortlist, 1, 20)
        self._between("nearest", self.nearest, 4, 1000)
        self._between("all_pairs", self.all_pairs, 0, 20_000_000)
        if self.fairness is not None:
            self._between("fairness", self.fairness, 0, 1)
        if self.unknown_km is not None:
            self._between("unknown_km", self.unknown_km, 0, 20_100)
        if self.prior_mean is not None:
            self._between("prior_mean", self.prior_mean, -5, 5)
        if self.prior_sd is not None:
            self._between("prior_sd", self.prior_sd, 0, 5)

    @staticmethod
    def _between(name: str, value: float, low: float, high: float) -> None:
        if not low <= value <= high:
            raise InputError(f"{name} is {value}; it must be from {low:g} to {high:,g}.")

    @property
    def assumed_km(self) -> float:
        """Distance counted where a place is not known."""
        return self.max_km / 2 if self.unknown_km is None else self.unknown_km

    def as_dict(self) -> dict[str, Any]:
        """Return the settings in JSON types."""
        return asdict(self)
