"""The partnership problem: settings, and the schools as arrays in an order of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.schools import SchoolColumns, read_schools
from brightspots.core.errors import InputError
from brightspots.core.geography import unit_vectors

METHOD = "partnerships"
METHOD_VERSION = "1"
LARGEST = 40
"""The greatest `maximum`: beyond it a partnership is no longer one, and a step gets slow."""


@dataclass(frozen=True)
class Weights:
    """What each part of the objective costs, in kilometres of travel.

    Parameters
    ----------
    balance : float
        For (size - target) squared, each partnership.
    complement : float
        For a partnership with no strong school in it.
    need : float
        For each member of such a partnership, times its need (rank from 0 to 1).
    leader_strength : float
        Times (1 - the leader's rank in strength from 0 to 1).
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
        Longest great-circle distance from a school to its leader, km.
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
    time_limit : float, optional
        Seconds after which the search stops early with the best answer so far. The answer then
        depends on the speed of the machine; `Partnerships.stopped_early` tells.
    """

    minimum: int = 4
    maximum: int = 8
    max_km: float = 25.0
    target: float | None = None
    weights: Weights = field(default_factory=Weights)
    strong_share: float = 0.25
    steps_per_school: int = 40
    bound_steps: int = 300
    time_limit: float | None = None

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
        if self.steps_per_school < 0 or self.bound_steps < 0:
            raise InputError("the numbers of steps must not be below 0.")
        if self.time_limit is not None and not self.time_limit > 0:
            raise InputError(f"the time limit is {self.time_limit} s; it must be above 0.")

    @property
    def target_size(self) -> float:
        """The size that costs nothing."""
        return (self.minimum + self.maximum) / 2 if self.target is None else self.target

    def as_dict(self) -> dict[str, Any]:
        """Return the settings in JSON types."""
        return asdict(self) | {"target": self.target_size}


class Tables(NamedTuple):
    """The schools as the compiled code sees them; n schools in the order of :class:`Problem`.

    `xyz` (n, 3) unit vectors; `phase`, `language` (n,) bit masks; `strong` (n,); `need` (n,) the
    cost of a school's need when no strong school is there, km; `preference` (n,) the cost of having
    the school lead, km; `capacity` (n,) the largest partnership the school may lead, 0 for none;
    `present` (n,) number of the present partnership, -1 for none; `near` (n, k) and `near_leaders`
    (n, l) neighbours within reach, nearest first, padded with -1.
    """

    xyz: NDArray[np.float64]
    phase: NDArray[np.int64]
    language: NDArray[np.int64]
    strong: NDArray[np.bool_]
    need: NDArray[np.float64]
    preference: NDArray[np.float64]
    capacity: NDArray[np.int64]
    present: NDArray[np.int64]
    near: NDArray[np.int32]
    near_leaders: NDArray[np.int32]
    minimum: int
    maximum: int
    max_km: float
    target: float
    balance: float
    complement: float
    partnership: float
    disruption: float


@dataclass(frozen=True)
class Problem:
    """Schools with coordinates, in an order that depends on neither row order nor school codes.

    They are sorted by place, then by their other columns, and by code only where two schools are
    otherwise the same, so that shuffled rows or new codes lead to the same partnerships.

    Attributes
    ----------
    codes : array of str, shape (n,)
    latitude, longitude : arrays, shape (n,)
    tables : Tables
    parameters : Parameters
    unplaced : list of (code, reason)
        Schools without coordinates.
    """

    codes: NDArray[np.str_]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    tables: Tables
    parameters: Parameters
    unplaced: list[tuple[str, str]]

    @property
    def n(self) -> int:
        """Number of schools with coordinates."""
        return len(self.codes)


def make_problem(
    schools: pl.DataFrame, parameters: Parameters, existing: pl.DataFrame | None = None
) -> Problem:
    """Check the schools and lay them out as arrays.

    Raises
    ------
    InputError
        With row and column, for anything in `schools` that cannot be used.
    """
    read = read_schools(schools)
    order = _order(read)
    unplaced = [
        (str(code), reason)
        for code, reason in zip(read.codes, read.missing_place, strict=True)
        if reason
    ]
    if (
        read.capacity is not None
        and (read.leader > 0).any()
        and not (_capacity(read, parameters) >= parameters.minimum).any()
    ):
        raise InputError(
            f"no school that may lead has a capacity of {parameters.minimum} or more.",
            column="capacity",
            mend="Capacity counts the schools of a partnership, the leader's own included.",
        )
    return Problem(
        codes=read.codes[order],
        latitude=read.latitude[order],
        longitude=read.longitude[order],
        tables=_tables(read, order, parameters, _present(read.codes[order], existing)),
        parameters=parameters,
        unplaced=sorted(unplaced),
    )


def _order(read: SchoolColumns) -> NDArray[np.intp]:
    keys = [
        read.codes,
        read.capacity if read.capacity is not None else np.zeros(len(read.codes)),
        read.leader,
        read.language,
        read.phase,
        np.nan_to_num(read.need, nan=-np.inf),
        np.nan_to_num(read.strength, nan=-np.inf),
        read.longitude,
        read.latitude,
    ]
    order = np.lexsort(keys)  # the last key is the first to sort by
    placed = np.array([not reason for reason in read.missing_place], dtype=bool)
    kept: NDArray[np.intp] = order[placed[order]]
    return kept


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mid-ranks from 0 to 1 of the known values; ties share theirs, unknown values get 0.5."""
    result = np.full(len(values), 0.5)
    known = np.isfinite(values)
    if known.any():
        ordered = np.sort(values[known])
        left = np.searchsorted(ordered, values[known], side="left")
        right = np.searchsorted(ordered, values[known], side="right")
        result[known] = (left + right) / (2 * len(ordered))
    return result


def _capacity(read: SchoolColumns, parameters: Parameters) -> NDArray[np.int64]:
    capacity = np.full(len(read.codes), parameters.maximum, dtype=np.int64)
    if read.capacity is not None:
        capacity = np.minimum(capacity, read.capacity)
    may = (read.leader > 0) & (capacity >= parameters.minimum)
    allowed: NDArray[np.int64] = np.where(may, capacity, 0)
    return allowed


def _tables(
    read: SchoolColumns,
    order: NDArray[np.intp],
    parameters: Parameters,
    present: NDArray[np.int64],
) -> Tables:
    weights = parameters.weights
    strength, need = read.strength[order], read.need[order]
    known = strength[np.isfinite(strength)]
    if len(known):
        edge = np.quantile(known, 1 - parameters.strong_share, method="lower")
        strong = np.nan_to_num(strength, nan=-np.inf) >= edge
        preference = weights.leader_strength * (1 - ranks(strength))
        complement = weights.complement
    else:
        # With no strengths there is nothing to complement and no leader to prefer.
        strong = np.ones(len(order), dtype=bool)
        preference = np.zeros(len(order))
        complement = 0.0
    has_need = np.isfinite(need).any()
    return Tables(
        xyz=np.ascontiguousarray(unit_vectors(read.latitude[order], read.longitude[order])),
        phase=read.phase[order],
        language=read.language[order],
        strong=strong,
        need=weights.need * ranks(need) if has_need else np.zeros(len(order)),
        preference=preference,
        capacity=_capacity(read, parameters)[order],
        present=present,
        near=np.empty((len(order), 0), dtype=np.int32),
        near_leaders=np.empty((len(order), 0), dtype=np.int32),
        minimum=int(parameters.minimum),
        maximum=int(parameters.maximum),
        max_km=float(parameters.max_km) + 1e-9,  # a school exactly at the limit may come
        target=float(parameters.target_size),
        balance=float(weights.balance),
        complement=float(complement),
        partnership=float(weights.partnership),
        disruption=float(weights.disruption) if (present >= 0).any() else 0.0,
    )


def _present(codes: NDArray[np.str_], existing: pl.DataFrame | None) -> NDArray[np.int64]:
    if existing is None:
        return np.full(len(codes), -1, dtype=np.int64)
    for column in ("school", "partnership"):
        if column not in existing.columns:
            raise InputError(f"the present partnerships have no column {column}.", column=column)
    school = existing["school"].cast(pl.String).to_list()
    partnership = existing["partnership"].cast(pl.String).to_list()
    if len(set(school)) != len(school):
        raise InputError("a school is in two present partnerships.", column="school")
    lookup = dict(zip(school, partnership, strict=True))
    # Numbered in the problem's own order, so that the names of partnerships do not matter.
    numbers: dict[str, int] = {}
    result = np.full(len(codes), -1, dtype=np.int64)
    for index, code in enumerate(codes.tolist()):
        name = lookup.get(code)
        if name is not None:
            result[index] = numbers.setdefault(name, len(numbers))
    return result
