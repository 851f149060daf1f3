"""Ways between schools other than the straight one: tables of travel, barriers, and areas.

Where one of these is given, or schools without coordinates stand in for their area, every pair that
may travel is listed beforehand; the rest of the method then looks ways up instead of measuring
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brightspots.core.errors import InputError
from brightspots.core.geography import EARTH_RADIUS_KM, chord

__all__ = ["Travel", "Ways", "list_ways", "no_ways"]

MOST_PAIRS = 150_000_000
"""Pairs that are listed at most: a few gigabytes of memory."""


@dataclass(frozen=True)
class Travel:
    """How schools get to each other, where the straight way over ground is not the answer.

    Parameters
    ----------
    minutes_or_km : DataFrame, optional
        from_school, to_school, travel (number from 0 up, in `unit`). Pairs that are not listed
        cannot travel. A pair may be listed in one direction or in both; the smaller value holds
        for both. The travel limit and every cost are then in `unit`. Rows with schools that are
        not there are passed over.
    unit : str
        Of the table, such as ``minutes``.
    barriers : DataFrame, optional
        school_a, school_b, or area_a, area_b: schools, or areas, that no partnership may join by
        the way between a member and its leader, whether by table or straight over ground.
    """

    minutes_or_km: pl.DataFrame | None = None
    unit: str = "km"
    barriers: pl.DataFrame | None = None

    @property
    def limit_unit(self) -> str:
        """The unit of the travel limit."""
        return "km" if self.minutes_or_km is None else self.unit

    def table(self) -> pl.DataFrame | None:
        """Check the table of travel: from_school, to_school, travel; a way to itself left out.

        Raises
        ------
        InputError
            For a missing column, and with its row for a value that is no way.
        """
        if self.minutes_or_km is None:
            return None
        _need(self.minutes_or_km, ("from_school", "to_school", "travel"), "table of travel")
        try:
            ways = self.minutes_or_km.select(
                pl.col("from_school", "to_school").cast(pl.String).str.strip_chars(),
                pl.col("travel").cast(pl.Float64),
            )
        except pl.exceptions.PolarsError as error:
            raise InputError(
                "a way in the table of travel is not a number.", column="travel"
            ) from error
        value = ways["travel"].to_numpy()
        wrong = np.flatnonzero(~(np.isfinite(value) & (value >= 0)))
        if len(wrong):
            raise InputError(
                f"the way {ways['travel'][int(wrong[0])]} is not a number from 0 up.",
                row=int(wrong[0]) + 2, column="travel",
                mend="Leave out the rows of schools that cannot travel to each other.",
            )  # fmt: skip
        return ways.filter(pl.col("from_school") != pl.col("to_school"))

    def barred(self) -> tuple[str, frozenset[frozenset[str]]]:
        """Return ``school`` or ``area``, and the pairs of these with a barrier between them."""
        if self.barriers is None or self.barriers.height == 0:
            return "school", frozenset()
        by = "area" if "area_a" in self.barriers.columns else "school"
        _need(self.barriers, (f"{by}_a", f"{by}_b"), "list of barriers")
        pairs = self.barriers.select(
            pl.col(f"{by}_a", f"{by}_b").cast(pl.String).fill_null("").str.strip_chars()
        )
        return by, frozenset(frozenset(pair) for pair in pairs.iter_rows() if pair[0] != pair[1])


def _need(frame: pl.DataFrame, columns: tuple[str, ...], what: str) -> None:
    for column in columns:
        if column not in frame.columns:
            raise InputError(
                f"the {what} has no column {column}.", column=column,
                mend=f"Columns found: {', '.join(frame.columns) or 'none'}.",
            )  # fmt: skip


class Ways(NamedTuple):
    """Pairs that may travel, both ways round; n schools.

    `first` (n + 1,) or of length 0 where ways are straight and nothing is listed; school i reaches
    ``to[first[i]:first[i + 1]]`` (rising) by ``km`` (same shape), in the unit of the limit.
    """

    first: NDArray[np.int64]
    to: NDArray[np.int32]
    km: NDArray[np.float64]


def no_ways() -> Ways:
    """Nothing listed: ways are straight."""
    return Ways(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0))


def list_ways(
    codes: Sequence[str],
    xyz: NDArray[np.float64],
    placed: NDArray[np.bool_],
    areas: Sequence[str] | None,
    travel: Travel | None,
    limit: float,
    unknown: float,
) -> Ways:
    """List every pair within the limit, if ways are not all straight.

    Parameters
    ----------
    codes : sequence of str, length n
    xyz : float array, shape (n, 3)
        Unit vectors; of no meaning where not `placed`.
    placed : bool array, shape (n,)
        Schools with coordinates.
    areas : sequence of str, length n, or None
        "" for a school of no area.
    limit, unknown : float
        The travel limit, and the way assumed between a school without coordinates and those of
        its own area.

    Raises
    ------
    InputError
        For a table or a list of barriers that cannot be used.
    """
    travel = travel or Travel()
    table, (by, barred) = travel.table(), travel.barred()
    if table is None and not barred and bool(placed.all()):
        return no_ways()
    if by == "area" and areas is None:
        raise InputError(
            "there are barriers between areas, but the schools have no column area.",
            column="area", mend="Give each school its area, or barriers between schools.",
        )  # fmt: skip
    if table is None:
        one, other, km = _straight(xyz, placed, limit)
        known = placed
    else:
        one, other, km = _listed(table, codes)
        known = np.zeros(len(codes), dtype=bool)
        known[one] = known[other] = True
        known |= placed  # a place that the table leaves out cannot travel
    if areas is not None and not known.all() and unknown <= limit:
        more_one, more_other = _by_area(areas, known)
        one, other = np.concatenate([one, more_one]), np.concatenate([other, more_other])
        km = np.concatenate([km, np.full(len(more_one), unknown)])
    keep = km <= limit + 1e-9
    one, other, km = one[keep], other[keep], km[keep]
    if barred:
        open_ = ~_crossing(codes if by == "school" else areas or (), barred, one, other)
        one, other, km = one[open_], other[open_], km[open_]
    return _both_ways(len(codes), one, other, km)


def _straight(
    xyz: NDArray[np.float64], placed: NDArray[np.bool_], limit: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    schools = np.flatnonzero(placed)
    if not len(schools):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    tree = cKDTree(xyz[schools])
    _check_number(int(tree.count_neighbors(tree, chord(limit))))
    pairs = tree.query_pairs(chord(limit) * (1 + 1e-9) + 1e-12, output_type="ndarray")
    one, other = schools[pairs[:, 0]], schools[pairs[:, 1]]
    gap = np.linalg.norm(xyz[one] - xyz[other], axis=1)
    return one, other, 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(gap / 2, 1.0))


def _check_number(pairs: int) -> None:
    if pairs > MOST_PAIRS:
        raise InputError(
            f"{pairs:,} pairs of schools are within the travel limit: too many to list, as tables,"
            " barriers and schools without coordinates need.",
            mend="Form partnerships region by region, or lower the travel limit.",
        )


def _listed(
    table: pl.DataFrame, codes: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    numbers = pl.DataFrame({"code": list(codes), "number": np.arange(len(codes))})
    found = (
        table.join(numbers.rename({"number": "one"}), left_on="from_school", right_on="code")
        .join(numbers.rename({"number": "other"}), left_on="to_school", right_on="code")
        .select(
            pl.min_horizontal("one", "other").alias("one"),
            pl.max_horizontal("one", "other").alias("other"),
            "travel",
        )
        .group_by("one", "other")
        .agg(pl.col("travel").min())
        .sort("one", "other")
    )
    if found.height == 0 and len(codes) > 1:
        raise InputError(
            "the table of travel names no pair of these schools.",
            column="from_school", mend="Are its codes those of the column school?",
        )  # fmt: skip
    _check_number(2 * found.height)
    return (
        found["one"].to_numpy().astype(np.int64),
        found["other"].to_numpy().astype(np.int64),
        found["travel"].to_numpy().astype(np.float64),
    )


def _by_area(
    areas: Sequence[str], known: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of a school whose place is not known and another of its area."""
    names, number = np.unique(np.array(areas, dtype=np.str_), return_inverse=True)
    ones: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    others: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    total = 0
    for at in np.unique(number[~known]):
        if not names[at]:
            continue
        inside = np.flatnonzero(number == at)
        for i in inside[~known[inside]]:
            # Pairs of two unknown places are listed once, by the one of lower number.
            partners = inside[known[inside] | (inside > i)]
            ones.append(np.full(len(partners), i))
            others.append(partners)
            total += 2 * len(partners)
        _check_number(total)
    return np.concatenate(ones).astype(np.int64), np.concatenate(others).astype(np.int64)


def _crossing(
    names: Sequence[str],
    barred: frozenset[frozenset[str]],
    one: NDArray[np.int64],
    other: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Mark the pairs that a barrier stands between."""
    known, number = np.unique(np.array(names, dtype=np.str_), return_inverse=True)
    at = {name: place for place, name in enumerate(known.tolist())}
    keys = [
        at[a] * len(known) + at[b]
        for pair in barred
        for a, b in (sorted(pair), sorted(pair, reverse=True))
        if a in at and b in at
    ]
    crossing: NDArray[np.bool_] = np.isin(
        number[one].astype(np.int64) * len(known) + number[other], np.array(keys, dtype=np.int64)
    )
    return crossing


def _both_ways(
    n: int, one: NDArray[np.int64], other: NDArray[np.int64], km: NDArray[np.float64]
) -> Ways:
    start, end = np.concatenate([one, other]), np.concatenate([other, one])
    order = np.lexsort((end, start))
    first = np.searchsorted(start[order], np.arange(n + 1)).astype(np.int64)
    return Ways(first, end[order].astype(np.int32), np.concatenate([km, km])[order])
