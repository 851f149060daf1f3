"""How each policy of the loop brings requests and leaders together, through the real brokering.

The policies differ in what they believe of a leader's gain, and in nothing else: capacity, consent,
the rules of who may support whom and the solver are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from brightspots.connectedness.broker_flow import solve
from brightspots.connectedness.broker_frames import Offers, Requests, Tables
from brightspots.connectedness.broker_pairs import Market, listed_pairs
from brightspots.connectedness.broker_parameters import BrokerParameters, BrokerWeights
from brightspots.connectedness.broker_record import study_record
from brightspots.core.errors import InputError
from brightspots.core.geography import great_circle_km
from brightspots.pace.loop_world import World, hashed

__all__ = ["POLICIES", "Belief", "Matches", "Policy", "PolicySettings", "match"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Policy = Literal["learning", "nearest", "random", "never-updated", "oracle"]
POLICIES: Final[tuple[Policy, ...]] = (
    "learning", "nearest", "random", "never-updated", "oracle",
)  # fmt: skip
_ROUNDS: Final = 2
"""A school whose match was declined is suggested one more leader in the same cycle."""
_SURE: Final = 1e-6


@dataclass(frozen=True)
class PolicySettings:
    """What a ministry may choose; the world has no say in it.

    Parameters
    ----------
    exploration : float
        Share of requests for which a leader's gain is drawn from what is believed of it
        (`learning` only).
    km_per_sd : float
        Kilometres that a gain of one SD of pupils is worth (weight of the track record).
    rest_below : float
        A leader is not asked for support in a priority in which the probability of doing any good
        is below this; 0 never lets anyone rest. The oracle lets those rest who truly do harm.
    """

    exploration: float = 0.2
    km_per_sd: float = 250.0
    rest_below: float = 0.2

    def __post_init__(self) -> None:
        for name, high in (
            ("exploration", 1), ("km_per_sd", 100_000), ("rest_below", 1),
        ):  # fmt: skip
            if not 0 <= getattr(self, name) <= high:
                raise InputError(
                    f"{name} is {getattr(self, name):g}; it must be from 0 to {high:,}."
                )


@dataclass(frozen=True)
class Belief:
    """What is believed of each leader's gain, shape (leaders, priorities)."""

    mean: Floats
    sd: Floats


@dataclass(frozen=True)
class Matches:
    """Support agreed by both sides.

    Attributes
    ----------
    request, leader : array
        Places in the lists that were given.
    km : array
    declined : int
        Suggested matches that one side declined.
    """

    request: Ints
    leader: Ints
    km: Floats
    declined: int


def match(
    policy: Policy,
    world: World,
    year: int,
    asked: tuple[Ints, Ints],
    leaders: Ints,
    belief: Belief | None,
    settings: PolicySettings,
    key: int,
) -> Matches:
    """Bring the schools that asked and the leaders together.

    Parameters
    ----------
    asked : pair of arrays
        School and priority of each request; schools ascending.
    leaders : array
        Schools of the leaders, ascending.
    belief : Belief, optional
        Of the leaders; not for "nearest" and "random".
    key : int
        Seed of what this policy draws.
    """
    a = world.assumptions
    schools, priority = asked
    parameters = _parameters(policy, a.max_km, settings)
    gain, se = _gains(policy, belief, len(leaders), a.n_priorities)
    covers = _covers(policy, belief, len(leaders), a.n_priorities, settings)
    own = np.flatnonzero(np.isin(leaders, schools))
    # Also once it has been served: brokering sees only those who still ask.
    covers[own, priority[np.searchsorted(schools, leaders[own])]] = False
    places = np.full(len(leaders), a.caseload, dtype=np.int64)
    days = world.days_now(year)[leaders]
    leader_of = np.full(len(schools), -1, dtype=np.int64)
    refused: list[tuple[int, int]] = []
    for turn in range(_ROUNDS):
        open_ = np.flatnonzero(leader_of < 0)
        gives = np.flatnonzero(covers.any(axis=1) & (places > 0) & (days >= a.project_days))
        if not len(open_) or not len(gives) or (turn > 0 and not refused):
            break
        requests = _requests(world, schools[open_], priority[open_])
        offers = _offers(
            world, leaders[gives], covers[gives], places[gives], days[gives], gain[gives], se[gives]
        )
        tables = Tables(
            requests, offers, tuple(f"p{p}" for p in range(a.n_priorities)), (),
            _conflicts(refused, open_, gives), (),
        )  # fmt: skip
        market = Market(tables, study_record(tables, parameters, key), parameters)
        i, j, cost, complete = listed_pairs(market)
        if policy == "random":
            cost = a.max_km * hashed(key, turn, schools[open_[i]], leaders[gives[j]])
            complete = True  # other pairs would be added at their price in km
        to = solve(market, i, j, cost, complete).offer_of
        matched = np.flatnonzero(to >= 0)
        r, g = open_[matched], gives[to[matched]]
        no = world.refuses(year, schools[r], leaders[g])
        refused += list(zip(r[no].tolist(), g[no].tolist(), strict=True))
        leader_of[r[~no]] = g[~no]
        taken = np.bincount(g[~no], minlength=len(leaders))
        places, days = places - taken, days - taken * a.project_days
    request = np.flatnonzero(leader_of >= 0)
    leader = leader_of[request]
    at, to_school = schools[request], leaders[leader]
    km = great_circle_km(
        world.latitude[at], world.longitude[at], world.latitude[to_school],
        world.longitude[to_school],
    )  # fmt: skip
    return Matches(request, leader, km, len(refused))


def _parameters(policy: Policy, max_km: float, settings: PolicySettings) -> BrokerParameters:
    """Set up brokering: distance alone, or distance against what is believed of the gain."""
    plain = policy in ("nearest", "random")
    weights = BrokerWeights(
        distance=1.0,
        dissimilarity=0.0,
        language=0.0,
        phase=0.0,
        strength=0.0,  # the own school's strength has a say in the track record
        track_record=0.0 if plain else settings.km_per_sd,
        exception=max(1000.0, 4 * (max_km + settings.km_per_sd)),
    )
    return BrokerParameters(
        max_km=max_km,
        weights=weights,
        exploration=settings.exploration if policy == "learning" else 0.0,
        fairness=None,
        shrink=False,
    )


def _covers(
    policy: Policy, belief: Belief | None, n: int, k: int, settings: PolicySettings
) -> NDArray[np.bool_]:
    """Tell which leaders are asked in which priorities."""
    if belief is None or policy in ("nearest", "random"):
        return np.ones((n, k), dtype=np.bool_)
    if policy == "oracle":
        return np.asarray(belief.mean > 0, dtype=np.bool_)
    good = norm.cdf(belief.mean / np.maximum(belief.sd, _SURE))
    return np.asarray(good >= settings.rest_below, dtype=np.bool_)


def _gains(policy: Policy, belief: Belief | None, n: int, k: int) -> tuple[Floats, Floats]:
    """Say what brokering is told of gains: nothing, where the policy goes by nothing."""
    if belief is None or policy in ("nearest", "random"):
        return np.full((n, k), np.nan), np.full((n, k), np.nan)
    return belief.mean, np.maximum(belief.sd, _SURE)


def _party(world: World, letter: str, schools: Ints) -> dict[str, Any]:
    """Give what requests and offers have in common, as brokering reads it from tables."""
    n, nothing = len(schools), np.zeros(0, dtype=np.int64)
    return {
        "codes": [f"{letter}{school:06d}" for school in schools],
        "schools": [f"s{school:06d}" for school in schools],
        "school": schools,
        "latitude": world.latitude[schools],
        "longitude": world.longitude[schools],
        "placed": np.ones(n, dtype=np.bool_),
        "language": np.zeros(n, dtype=np.int64),
        "phase": np.zeros(n, dtype=np.int64),
        "area": np.full(n, -1, dtype=np.int64),
        "family": (nothing, nothing),
    }


def _requests(world: World, schools: Ints, priority: Ints) -> Requests:
    n = len(schools)
    days = np.full(n, float(world.assumptions.project_days))
    return Requests(**_party(world, "r", schools), priority=priority, days=days, weight=np.ones(n))


def _offers(
    world: World, schools: Ints, covers: NDArray[np.bool_], places: Ints, days: Floats,
    gain: Floats, se: Floats,
) -> Offers:  # fmt: skip
    nothing = np.full(covers.shape, np.nan)
    return Offers(
        **_party(world, "l", schools), covers=covers, strength=nothing, gain=gain, se=se,
        projects=nothing, places=places, days=days, days_given=True,
    )  # fmt: skip


def _conflicts(
    refused: list[tuple[int, int]], open_: Ints, gives: Ints
) -> dict[tuple[int, int], str]:
    """Pairs that were declined in this cycle, as far as both are still to be matched."""
    asks = {int(r): at for at, r in enumerate(open_)}
    offers = {int(g): at for at, g in enumerate(gives)}
    return {(asks[r], offers[g]): "declined" for r, g in refused if r in asks and g in offers}
