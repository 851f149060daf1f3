"""Families: schools like yours.

The k schools nearest in context (never in outcomes), each school at the centre of its own family.
Who is near on the map is another question: that is a partnership.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame
from brightspots.insight.school_context import check_context

METHOD_VERSION = "2"
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

ONE_UNKNOWN = 2.0
"""Squared distance for a covariate known of one school only: what two schools drawn at random
differ by on average. To leave it out would make strangers look alike."""
BOTH_UNKNOWN = 1.0
"""Squared distance for a covariate unknown of both: half of that, since what is missing is often
missing for the same reason."""
FAR = 0.25
"""A school further than this from its family (SD; for a factor, share at another level) is not
like it: say so beside the comparison (Rubin 2001, doi 10.1023/A:1020363010465)."""
MAX_K = 1_000
_DIGITS = 12
"""Distances equal to this many decimals are a tie, settled by school code."""
_CHUNK = 20_000


@dataclass(frozen=True)
class FamilyParameters:
    """Settings of :func:`similar_schools`.

    Parameters
    ----------
    context : tuple of str
        Columns that describe circumstances; numeric ones are standardised, others are factors.
    k : int
        Size of a family, the school itself not counted.
    match : tuple of str
        Factors that must be equal outright (phase, say); a missing value matches a missing value.
    factor_weight : float
        Distance, in standard deviations, between two levels of a factor in `context`.
    school : str
        Column with the school's code.
    """

    context: tuple[str, ...]
    k: int = 50
    match: tuple[str, ...] = ()
    factor_weight: float = 1.0
    school: str = "school"

    def __post_init__(self) -> None:
        if not self.context:
            raise InputError("Families need at least one context column.")
        if not 1 <= self.k <= MAX_K:
            raise InputError(
                f"A family of {self.k:,} is not possible.", mend=f"Use k from 1 to {MAX_K:,}."
            )
        if not (np.isfinite(self.factor_weight) and self.factor_weight > 0):
            raise InputError("factor_weight must be above 0.")


@dataclass(frozen=True)
class Families:
    """Result of :func:`similar_schools`.

    Attributes
    ----------
    schools : tuple of str
        Codes in sorted order.
    members : array (n, k)
        Row i: the family of ``schools[i]``, nearest first, as positions in `schools`; -1 where
        there are fewer than k others.
    distances : array (n, k)
        In standard deviations over all context columns; nan where there is no member.
    frame : polars.DataFrame
        school, member, rank, distance.
    balance : polars.DataFrame
        school, variable, difference: the school minus its family's mean in standard deviations
        (numeric) or the share of the family at another level (factor); null where unknown.
    balance_summary : polars.DataFrame
        variable, is_factor, mean_difference, mean_absolute_difference,
        largest_absolute_difference, schools_far (more than ``FAR`` from their family).
    """

    schools: tuple[str, ...]
    members: Integers
    distances: Floats
    frame: pl.DataFrame
    balance: pl.DataFrame
    balance_summary: pl.DataFrame
    provenance: Provenance = field(repr=False)


@dataclass(frozen=True)
class _Space:
    """Coordinates: `points` (n, d), nan where unknown, and the covariate of each dimension."""

    points: Floats
    owner: Integers
    numeric: tuple[bool, ...]
    known: Booleans


def similar_schools(frame: pl.DataFrame, parameters: FamilyParameters) -> Families:
    """Find each school's family.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a school: the code, the context columns and those of `match`.
    parameters : FamilyParameters

    Raises
    ------
    InputError
        A column is missing, a school occurs twice or has no code.

    Notes
    -----
    d(i, j)^2 = (q / q_ij) sum over the q_ij covariates known for both of (z_i - z_j)^2, where q is
    the number of covariates and a differing factor adds factor_weight^2. Two schools with no
    covariate in common are never in one family. Ties go to the smaller code; nothing is random and
    the order of rows does not matter.
    """
    check_context(frame, [*parameters.context, *parameters.match])
    ordered = _ordered(frame, parameters.school)
    schools = tuple(ordered["school"].to_list())
    space = _space(ordered, parameters)
    members = np.full((len(schools), parameters.k), -1, dtype=np.int64)
    distances = np.full(members.shape, np.nan)
    for group in _match_groups(ordered, parameters.match):
        found, distance = _nearest(space, group, parameters.k)
        members[group], distances[group] = found, distance
    balance = _balance(space, members, schools, parameters.context)
    return Families(
        schools,
        members,
        distances,
        _long(schools, members, distances),
        balance,
        _balance_summary(balance, dict(zip(parameters.context, space.numeric, strict=True))),
        Provenance("families", METHOD_VERSION, hash_frame(frame), None, asdict(parameters)),
    )


def _ordered(frame: pl.DataFrame, school: str) -> pl.DataFrame:
    if school not in frame.columns:
        raise InputError("This column is needed and not there.", column=school)
    code = frame[school].cast(pl.String)
    if code.null_count():
        row = int(np.argmax(code.is_null().to_numpy())) + 2
        raise InputError("A school has no code.", row=row, column=school)
    again = ~code.is_first_distinct().to_numpy()
    if again.any():
        row = int(np.argmax(again))
        raise InputError(
            f'School "{code[row]}" occurs twice.',
            row=row + 2,
            column=school,
            mend="Give one row a school; of several years, the latest.",
        )
    return frame.with_columns(code.alias("school")).sort("school")


def _space(frame: pl.DataFrame, p: FamilyParameters) -> _Space:
    blocks: list[Floats] = []
    owner: list[int] = []
    numeric, known = [], []
    for j, name in enumerate(p.context):
        column = frame[name]
        numeric.append(column.dtype.is_numeric())
        if numeric[-1]:
            block = _standardised(column)
        else:
            text = column.cast(pl.String)
            levels = sorted(text.drop_nulls().unique().to_list()) or [""]
            block = np.column_stack(
                [(text == level).cast(pl.Float64).fill_null(np.nan).to_numpy() for level in levels]
            )
            block = block * p.factor_weight / np.sqrt(2)  # so that two levels lie a weight apart
        blocks.append(block)
        owner.extend([j] * block.shape[1])
        known.append(~np.isnan(block).any(axis=1))
    return _Space(np.column_stack(blocks), np.array(owner), tuple(numeric), np.column_stack(known))


def _standardised(column: pl.Series) -> Floats:
    values = column.cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
    values[~np.isfinite(values)] = np.nan
    present = np.sort(values[~np.isnan(values)])  # one order of summing, whatever the codes
    if present.size == 0:
        return values[:, None]
    sd = float(present.std())
    centred: Floats = values - present.mean()
    varies = sd > 1e-12 * max(1.0, float(abs(present.mean())))
    scaled: Floats = centred / sd if varies else 0 * centred
    return scaled[:, None]


def _match_groups(frame: pl.DataFrame, match: tuple[str, ...]) -> list[Integers]:
    if not match:
        return [np.arange(frame.height)]
    group = frame.select(pl.struct(match).rank("dense")).to_series().to_numpy()
    return [np.flatnonzero(group == g) for g in np.unique(group)]


def _nearest(space: _Space, group: Integers, k: int) -> tuple[Integers, Floats]:
    """Exact k nearest within a group, pattern of known covariates by pattern."""
    patterns, label = np.unique(space.known[group], axis=0, return_inverse=True)
    label = label.reshape(-1)
    members = np.full((len(group), k), -1, dtype=np.int64)
    distances = np.full(members.shape, np.nan)
    for i, mine in enumerate(patterns):
        at = np.flatnonzero(label == i)
        for start in range(0, len(at), _CHUNK):
            rows = at[start : start + _CHUNK]
            parts = []
            for j, theirs in enumerate(patterns):
                shared = mine & theirs
                if shared.any():
                    dims = shared[space.owner]
                    unknown = (
                        ONE_UNKNOWN * (mine ^ theirs).sum() + BOTH_UNKNOWN * (~mine & ~theirs).sum()
                    )
                    pool = group[label == j]
                    parts.append(
                        _candidates(space.points[:, dims], group[rows], pool, k, float(unknown))
                    )
            if parts:
                row, school, distance = (np.concatenate(x) for x in zip(*parts, strict=True))
                members[rows], distances[rows] = _best(row, school, distance, len(rows), k)
    return members, distances


def _candidates(
    points: Floats, rows: Integers, pool: Integers, k: int, unknown: float
) -> tuple[Integers, Integers, Floats]:
    """Enough of the pool's schools for each row: the k + 1 nearest and all that tie with them.

    The tree holds distinct points only, so that a thousand schools with the same context cannot
    crowd each other out in an order of the tree's own.
    """
    unique, inverse = np.unique(points[pool], axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    by_point = np.argsort(inverse, kind="stable")  # within a point by code, as the pool is sorted
    counts = np.bincount(inverse, minlength=len(unique))
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    tree = cKDTree(unique)
    out_row: list[Integers] = []
    out_school: list[Integers] = []
    out_distance: list[Floats] = []
    todo = np.arange(len(rows))
    ask = min(k + 9, len(unique))
    while todo.size:
        raw, found = tree.query(points[rows[todo]], k=np.arange(1, ask + 1))
        at = np.asarray(found, dtype=np.int64)
        square = np.asarray(raw, dtype=np.float64) ** 2 + unknown
        distance = np.round(np.sqrt(square), _DIGITS)
        reached = np.cumsum(np.minimum(counts[at], k + 1), axis=1) >= k + 1
        last = np.where(reached.any(axis=1), reached.argmax(axis=1), ask - 1)
        border = distance[np.arange(len(todo)), last]
        settled = (distance[:, -1] > border) | (ask == len(unique))
        keep = (distance <= border[:, None]) & settled[:, None]
        r, c = np.nonzero(keep)
        size = np.minimum(counts[at[r, c]], k + 1)
        offset = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        out_row.append(np.repeat(todo[r], size))
        out_school.append(pool[by_point[np.repeat(first[at[r, c]], size) + offset]])
        out_distance.append(np.repeat(distance[r, c], size))
        todo = todo[~settled]
        ask = min(2 * ask, len(unique))
    row, school = np.concatenate(out_row), np.concatenate(out_school)
    distance_all = np.concatenate(out_distance)
    other = school != rows[row]
    return row[other], school[other], distance_all[other]


def _best(
    row: Integers, school: Integers, distance: Floats, count: int, k: int
) -> tuple[Integers, Floats]:
    """First k of each row by (distance, code)."""
    order = np.lexsort((school, distance, row))
    row, school, distance = row[order], school[order], distance[order]
    start = np.searchsorted(row, np.arange(count))
    place = np.arange(len(row)) - start[row]
    keep = place < k
    members = np.full((count, k), -1, dtype=np.int64)
    distances = np.full((count, k), np.nan)
    members[row[keep], place[keep]] = school[keep]
    distances[row[keep], place[keep]] = distance[keep]
    return members, distances


def _long(schools: tuple[str, ...], members: Integers, distances: Floats) -> pl.DataFrame:
    names = pl.Series("school", schools)
    row, column = np.nonzero(members >= 0)
    return pl.DataFrame(
        {
            "school": names.gather(row),
            "member": names.gather(members[row, column]),
            "rank": column + 1,
            "distance": distances[row, column],
        }
    )


def _balance(
    space: _Space, members: Integers, schools: tuple[str, ...], context: tuple[str, ...]
) -> pl.DataFrame:
    parts = []
    for j, name in enumerate(context):
        points = space.points[:, space.owner == j]
        there = (members >= 0) & space.known[members, j]
        n = there.sum(axis=1)
        if space.numeric[j]:
            values = np.where(there, points[members, 0], 0.0)
            difference = points[:, 0] - values.sum(axis=1) / np.maximum(n, 1)
        else:
            level = np.argmax(np.nan_to_num(points), axis=1)
            other = there & (level[members] != level[:, None])
            difference = other.sum(axis=1) / np.maximum(n, 1)
        difference = np.where((n > 0) & space.known[:, j], difference, np.nan)
        parts.append(
            pl.DataFrame(
                {
                    "school": schools,
                    "variable": [name] * len(schools),
                    "difference": pl.Series(difference).fill_nan(None),
                }
            )
        )
    return pl.concat(parts).sort("school", maintain_order=True)


def _balance_summary(balance: pl.DataFrame, numeric: dict[str, bool]) -> pl.DataFrame:
    size = pl.col("difference").abs()
    found = balance.group_by("variable", maintain_order=True).agg(
        pl.col("difference").mean().alias("mean_difference"),
        size.mean().alias("mean_absolute_difference"),
        size.max().alias("largest_absolute_difference"),
        (size > FAR).sum().cast(pl.Int64).alias("schools_far"),
    )
    is_factor = pl.Series("is_factor", [not numeric[name] for name in found["variable"]])
    return found.insert_column(1, is_factor)
