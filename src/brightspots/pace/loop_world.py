"""The truth of the loop's simulated system, drawn before any policy decides.

Whatever chance brings is drawn here, by school, head and cycle, so that every policy meets the
same: the same drift, the same luck in measurement, the same heads leaving, the same refusals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from brightspots.core.geography import EARTH_RADIUS_KM
from brightspots.pace.loop_assumptions import LoopAssumptions
from brightspots.pace.twin.effects import correlated

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HISTORY: Final = 3
"""Years measured before any support: what the rule for bright spots asks for."""
_LATITUDE, _LONGITUDE = -1.5, -28.0
_SMALLEST: Final = 5
_SCHOOLS_A_TOWN: Final = 25
_TOWN_KM: Final = 3.0


@dataclass(frozen=True)
class World:
    """One system. Years are those of history, then one a cycle (the pilot first).

    Attributes
    ----------
    latitude, longitude : array (schools,)
    effect : array (years, schools, priorities)
        Lasting effects as they would be without any support.
    shock : array (years, schools, priorities)
        What the year brings.
    noise : array (years, schools, priorities)
        Error of measurement, drawn from `sampling_variance`, shape (years, schools).
    ability : array (heads, schools, priorities)
        What the first, second, ... head of a school brings to another school in a year.
    days : array (heads, schools)
        Days for others; 0 for a head who would not lead.
    head : array (years, schools)
        Which head a school has.
    luck : array (years, schools, priorities)
        What chance adds to a project there.
    asks : array (years, schools) of bool
        Whether a school with a likely gap would ask.
    key : int
        Of the refusals, see :meth:`refuses`.
    """

    assumptions: LoopAssumptions
    latitude: Floats
    longitude: Floats
    effect: Floats
    shock: Floats
    noise: Floats
    sampling_variance: Floats
    ability: Floats
    days: Floats
    head: Ints
    luck: Floats
    asks: Bools
    key: int

    @property
    def n_schools(self) -> int:
        """Schools."""
        return len(self.latitude)

    def refuses(self, year: int, school: Ints, leader_school: Ints) -> Bools:
        """Tell whether one side declines; the same answer whenever the pair is asked again."""
        head = self.head[year][leader_school]
        draws = hashed(self.key, year, school, leader_school, head)
        found: Bools = draws < self.assumptions.refusing
        return found

    def ability_now(self, year: int) -> Floats:
        """Ability of the present head of each school; (schools, priorities)."""
        now: Floats = self.ability[self.head[year], np.arange(self.n_schools)]
        return now

    def days_now(self, year: int) -> Floats:
        """Days of the present head of each school."""
        now: Floats = self.days[self.head[year], np.arange(self.n_schools)]
        return now


def hashed(*parts: int | Ints) -> Floats:
    """Numbers in (0, 1) that depend on the parts alone (splitmix64 over each in turn)."""
    state: NDArray[np.uint64] = np.array(0x9E3779B97F4A7C15, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for part in parts:
            state = state ^ np.asarray(part, dtype=np.int64).astype(np.uint64)
            state = state + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return np.asarray((state >> np.uint64(11)) + 0.5, dtype=np.float64) / 2.0**53


def make_world(
    assumptions: LoopAssumptions, n_schools: int, n_cycles: int, seed: int, replicate: int
) -> World:
    """Draw a system of `n_cycles` cycles and the pilot before them."""
    a, k, n = assumptions, assumptions.n_priorities, n_schools
    years = HISTORY + 1 + n_cycles
    parts = np.random.SeedSequence([seed, replicate]).spawn(8)
    place, size, school, year, measure, heads, moves, consent = map(np.random.default_rng, parts)
    latitude, longitude = _places(a, n, place)
    effect = np.empty((years, n, k))
    effect[0] = a.school_sd * correlated((n, k), a.priority_correlation, school)
    for at in range(1, years):
        fresh = a.school_sd * correlated((n, k), a.priority_correlation, school)
        effect[at] = a.drift * effect[at - 1] + np.sqrt(1 - a.drift**2) * fresh
    shock = a.school_year_sd * correlated((years, n, k), a.priority_correlation, year)
    typical = np.exp(np.log(a.cohort_median) + a.cohort_spread * size.standard_normal(n))
    pupils = np.maximum(size.poisson(np.broadcast_to(typical, (years, n))), _SMALLEST)
    variance = a.residual_sd**2 / pupils
    noise = np.sqrt(variance)[:, :, None] * measure.standard_normal((years, n, k))
    luck = a.project_sd * measure.standard_normal((years, n, k))
    leaves = moves.random((years, n)) < a.leaving
    leaves[: HISTORY + 1] = False  # nobody leads before the pilot: who the head was does not matter
    head = np.cumsum(leaves, axis=0, dtype=np.int64)
    count = int(head.max()) + 1
    asks = consent.random((years, n)) < a.asking
    return World(
        a, latitude, longitude, effect, shock, noise, variance,
        _abilities(a, effect[0], count, heads), _days(a, (count, n), heads), head, luck, asks,
        int(consent.integers(2**62)),
    )  # fmt: skip


def _abilities(a: LoopAssumptions, effect: Floats, count: int, rng: np.random.Generator) -> Floats:
    n, k = effect.shape
    sd = np.hypot(a.leader_sd, a.leader_priority_sd)
    own = rng.standard_normal((count, n, 1)) * a.leader_sd
    own = own + rng.standard_normal((count, n, k)) * a.leader_priority_sd
    like_school = effect / a.school_sd if a.school_sd > 0 else np.zeros_like(effect)
    shared = a.ability_with_own_school
    drawn: Floats = a.ability_mean + shared * sd * like_school + np.sqrt(1 - shared**2) * own
    return drawn


def _days(a: LoopAssumptions, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    steps = (a.days_high - a.days_low) // 5 + 1
    days = a.days_low + 5 * rng.integers(0, steps, shape)
    willing = rng.random(shape) < a.willing_share
    return np.where(willing, days, 0).astype(np.float64)


def _places(a: LoopAssumptions, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Put some schools in towns, the others anywhere, on a square in the open Atlantic."""
    side = float(np.sqrt(n * a.km2_per_school))
    x, y = rng.random((2, n)) * side
    town = rng.random(n) < a.town_share
    centres = rng.random((max(1, n // _SCHOOLS_A_TOWN), 2)) * side
    of = rng.integers(0, len(centres), n)
    spread = _TOWN_KM * rng.standard_normal((n, 2)) * min(1.0, side / 30)
    x = np.where(town, centres[of, 0] + spread[:, 0], x)
    y = np.where(town, centres[of, 1] + spread[:, 1], y)
    degree = np.pi * EARTH_RADIUS_KM / 180
    latitude = _LATITUDE + (y - side / 2) / degree
    longitude = _LONGITUDE + (x - side / 2) / (degree * np.cos(np.radians(_LATITUDE)))
    return np.round(latitude, 6), np.round(longitude, 6)
