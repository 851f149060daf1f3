"""The partnership problem: settings, and the schools as arrays in an order of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.pins import Pins
from brightspots.connectedness.schools import SchoolColumns, read_schools
from brightspots.connectedness.settings import LARGEST, MOST_PRIORITIES, Parameters, Weights
from brightspots.connectedness.tables import (
    APART,
    FIXED,
    GROUP_SIZE,
    TOGETHER,
    WANTED,
    WAYS,
    Rare,
    Tables,
)
from brightspots.connectedness.travel import Travel, Ways, list_ways
from brightspots.core.errors import InputError
from brightspots.core.geography import unit_vectors

__all__ = [
    "LARGEST",
    "METHOD",
    "METHOD_VERSION",
    "Parameters",
    "Problem",
    "Tables",
    "Weights",
    "make_problem",
    "ranks",
]

METHOD = "partnerships"
METHOD_VERSION = "2"


class Unplaced(NamedTuple):
    """A school that nothing is known of how to get to: its code, why, and its bit masks."""

    code: str
    reason: str
    phase: int
    language: int


@dataclass(frozen=True)
class Problem:
    """Schools that can be got to, in an order that depends on neither row order nor school codes.

    They are sorted by place, then by their other columns, and by code only where two schools are
    otherwise the same, so that shuffled rows or new codes lead to the same partnerships.

    Attributes
    ----------
    codes : array of str, shape (n,)
    latitude, longitude : arrays, shape (n,)
        NaN for a school without coordinates that stands in for its area, or is in the table of
        travel.
    areas : list of str or None
        "" for a school of no area; None without the column.
    tables : Tables
    parameters : Parameters
    unplaced : list of Unplaced
        Schools without coordinates that cannot be got to.
    priorities : tuple of str
        Names, if schools come with more than the one strength.
    travel : Travel
    """

    codes: NDArray[np.str_]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    areas: list[str] | None
    tables: Tables
    parameters: Parameters
    unplaced: list[Unplaced]
    priorities: tuple[str, ...]
    travel: Travel

    @property
    def n(self) -> int:
        """Number of schools that can be got to."""
        return len(self.codes)


def make_problem(
    schools: pl.DataFrame,
    parameters: Parameters,
    existing: pl.DataFrame | None = None,
    pins: Pins | None = None,
    travel: Travel | None = None,
) -> Problem:
    """Check the schools and lay them out as arrays.

    Raises
    ------
    InputError
        With row and column, for anything in `schools` that cannot be used.
    """
    read, travel = read_schools(schools), travel or Travel()
    reasons = _unplaced(read, travel)
    order = _order(read, reasons)
    unplaced = [
        Unplaced(str(read.codes[i]), reason, int(read.phase[i]), int(read.language[i]))
        for i, reason in enumerate(reasons)
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
    placed = np.array([not read.missing_place[i] for i in order], dtype=bool)
    codes = read.codes[order]
    areas = None if read.area is None else [read.area[i] for i in order]
    latitude = np.where(placed, read.latitude[order], np.nan)
    longitude = np.where(placed, read.longitude[order], np.nan)
    xyz = _points(latitude, longitude, placed, areas)
    ways = list_ways(
        codes.tolist(), xyz, placed, areas, travel, parameters.max_km, parameters.unknown_way
    )
    return Problem(
        codes=codes,
        latitude=latitude,
        longitude=longitude,
        areas=areas,
        tables=_tables(
            read, order, parameters, _present(codes, existing), xyz, ways, pins or Pins()
        ),
        parameters=parameters,
        unplaced=sorted(unplaced),
        priorities=tuple(priority.name for priority in read.priorities),
        travel=travel,
    )


def _unplaced(read: SchoolColumns, travel: Travel) -> list[str]:
    """Why a school cannot be got to, by row; "" for the others.

    A school without coordinates can where the table of travel lists it or its area is known.
    """
    table = travel.table()
    listed = set() if table is None else {*table["from_school"], *table["to_school"]}
    reasons = []
    for code, reason, area in zip(
        read.codes.tolist(), read.missing_place, read.area or [""] * len(read.codes), strict=True
    ):
        if not reason or area or code in listed:
            reasons.append("")
        elif read.area is None:
            reasons.append(reason)
        else:
            reasons.append(reason.replace("no coordinates", "no coordinates and no area", 1))
    return reasons


def _order(read: SchoolColumns, reasons: list[str]) -> NDArray[np.intp]:
    keys: list[NDArray[Any]] = [read.codes]
    if read.area is not None:
        keys.append(np.array(read.area, dtype=np.str_))
    for priority in read.priorities:
        for values in (priority.strength, priority.strong, priority.need):
            if values is not None:
                keys.append(np.nan_to_num(values, nan=-np.inf))
    keys += [
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
    kept: NDArray[np.intp] = order[np.array([not reason for reason in reasons], dtype=bool)[order]]
    return kept


def _points(
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
    placed: NDArray[np.bool_],
    areas: list[str] | None,
) -> NDArray[np.float64]:
    """Give unit vectors; a school without coordinates stands in the middle of its area.

    Only the search's sense of direction comes from there; no way is measured from it.
    """
    xyz = np.ascontiguousarray(unit_vectors(np.nan_to_num(latitude), np.nan_to_num(longitude)))
    if placed.all():
        return xyz
    inside: dict[str, list[int]] = {}
    for i in np.flatnonzero(placed).tolist():
        inside.setdefault(areas[i] if areas else "", []).append(i)
    everyone = np.flatnonzero(placed).tolist()
    middles: dict[str, NDArray[np.float64]] = {}
    for i in np.flatnonzero(~placed).tolist():
        area = areas[i] if areas else ""
        if area not in middles:
            rows = xyz[(inside.get(area) if area else None) or everyone]
            # fsum, so that the middle does not depend on the order of the schools.
            middle = np.array([math.fsum(column) for column in rows.T])
            length = float(np.linalg.norm(middle))
            middles[area] = middle / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
        xyz[i] = middles[area]
    return xyz


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


def _strong_and_rank(
    strength: NDArray[np.float64], flags: NDArray[np.float64] | None, share: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]] | None:
    """Who is strong, and the rank in strength; None where nothing is known."""
    known = strength[np.isfinite(strength)]
    if flags is not None:
        if not np.isfinite(flags).any():
            return None
        return flags == 1, ranks(strength if len(known) else flags)
    if not len(known):
        return None
    edge = np.quantile(known, 1 - share, method="lower")
    return np.nan_to_num(strength, nan=-np.inf) >= edge, ranks(strength)


def _strengths(
    read: SchoolColumns, order: NDArray[np.intp], parameters: Parameters
) -> dict[str, Any]:
    """Lay out strength and need."""
    weights, n = parameters.weights, len(order)
    columns: list[tuple[NDArray[np.float64], NDArray[np.float64] | None, NDArray[np.float64]]]
    columns = [(read.strength, None, read.need)]
    if read.priorities:
        columns = [(item.strength, item.strong, item.need) for item in read.priorities]
    strong, wanted = np.zeros(n, dtype=np.int64), 0
    need = np.zeros((n, MOST_PRIORITIES if read.priorities else 1))
    preferences = []
    for bit, (strength, flags, needs) in enumerate(columns):
        flags = None if flags is None else flags[order]
        found = _strong_and_rank(strength[order], flags, parameters.strong_share)
        if found is None:
            continue  # there is nothing to complement and no leader to prefer
        strong |= found[0].astype(np.int64) << bit
        wanted |= 1 << bit
        preferences.append(weights.leader_strength * (1 - found[1]))
        if np.isfinite(needs[order]).any():
            need[:, bit] = weights.need * ranks(needs[order])
    if read.priorities and np.isfinite(read.strength[order]).any():
        preferences = [weights.leader_strength * (1 - ranks(read.strength[order]))]
    known = wanted.bit_count()
    if not known:
        strong[:] = 1
    return {
        "strong": strong,
        "wanted": wanted,
        "need": need,
        "preference": sum(preferences) / len(preferences) if preferences else np.zeros(n),
        "complement": float(weights.complement) if known else 0.0,
        "all_weak": float(weights.all_weak) if known > 1 else 0.0,
    }


def _tables(
    read: SchoolColumns,
    order: NDArray[np.intp],
    parameters: Parameters,
    present: NDArray[np.int64],
    xyz: NDArray[np.float64],
    ways: Ways,
    pins: Pins,
) -> Tables:
    weights, n = parameters.weights, len(order)
    strengths = _strengths(read, order, parameters)
    all_weak = strengths.pop("all_weak")
    extra = np.zeros((6, n + 1), dtype=np.int64)
    extra[WANTED] = strengths.pop("wanted")
    if len(ways.first):
        extra[WAYS] = ways.first
    apart = _pin(extra, read.codes[order], pins)
    extra[APART] += len(ways.to)
    rare = Rare(
        extra=extra,
        links=np.concatenate([ways.to, apart]),
        way_km=ways.km,
        several=bool(read.priorities),
        pinned=bool(pins),
        listed=len(ways.first) > 0,
        all_weak=all_weak,
    )
    return Tables(
        xyz=xyz,
        phase=read.phase[order],
        language=read.language[order],
        capacity=_capacity(read, parameters)[order],
        present=present,
        near=np.empty((n, 0), dtype=np.int32),
        near_leaders=np.empty((n, 0), dtype=np.int32),
        minimum=int(parameters.minimum),
        maximum=int(parameters.maximum),
        max_km=float(parameters.max_km) + 1e-9,  # a school exactly at the limit may come
        target=float(parameters.target_size),
        balance=float(weights.balance),
        partnership=float(weights.partnership),
        disruption=float(weights.disruption) if (present >= 0).any() else 0.0,
        rare=rare if rare.several or rare.pinned or rare.listed else None,
        **strengths,
    )


def _pin(extra: NDArray[np.int64], codes: NDArray[np.str_], pins: Pins) -> NDArray[np.int32]:
    """Lay out the pins in `extra`, and return whom each school is to be apart from.

    Schools that cannot be got to are passed over.
    """
    extra[TOGETHER] = -1
    number = {code: place for place, code in enumerate(codes.tolist())} if pins else {}
    for at, group in enumerate(pins.groups()):
        inside = [number[code] for code in group if code in number]
        extra[TOGETHER, inside] = at
        extra[GROUP_SIZE, inside] = len(inside)
    extra[FIXED, [number[code] for code in pins.leaders if code in number]] = 1
    pairs = {
        (number[one], number[other])
        for group in pins.apart
        for one in group
        for other in group
        if one != other and one in number and other in number
    }
    apart = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    extra[APART] = np.searchsorted(apart[:, 0], np.arange(len(codes) + 1))
    return apart[:, 1].astype(np.int32)


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
