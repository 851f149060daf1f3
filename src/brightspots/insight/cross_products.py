"""One pass over the pupils: cross products per school.

A linear mixed model for pupils in schools depends on the pupils' rows only through
``S_j = A_j' A_j`` with ``A = [1 | X | y]`` (statistics known since Henderson; for one pass see
Bates on lme4 issue 387). ``S_j`` add up, so districts can be scanned apart and merged.

The cross products of a small school disclose its pupils: treat them as pupils' data.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from brightspots.core.engine import Source, Table, combined_hash, open_table
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.design import (
    INTERCEPT,
    Design,
    build_design,
    group_labels,
    near_means,
)
from brightspots.insight.formula import parse_formula

METHOD = "cross products per school"
METHOD_VERSION = "1"
ONE_THREAD_ROWS = 1_000_000
"""Up to here a scan takes well under a second on one thread, whose order of sums is fixed."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CrossProducts:
    """Cross products of ``A = [1 | X | y]`` per school, in shifted and scaled units.

    Parameters
    ----------
    formula : str
    terms : tuple of str
        Names of the columns of X, the intercept first; p of them.
    outcome, group : str
        Names of the outcome and of the grouping column.
    schools : tuple of str
        J names in sorted order.
    packed : ndarray, shape (J, k(k+1)/2), k = p + 1
        Upper triangles of S_j by rows. ``packed[:, 0]`` counts pupils.
    shift, scale : ndarray, shape (k,)
        A column of A is (raw - shift) / scale; 0 and 1 for the intercept.
    levels : mapping
        Factor -> its levels; the first is the reference.
    n_rows, n_dropped : int
        Rows read, and rows left out for a missing value.
    provenance : Provenance
    seconds : mapping
        Stage -> seconds taken.
    """

    formula: str
    terms: tuple[str, ...]
    outcome: str
    group: str
    schools: tuple[str, ...]
    packed: Array
    shift: Array
    scale: Array
    levels: Mapping[str, tuple[str, ...]]
    n_rows: int
    n_dropped: int
    provenance: Provenance
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def n(self) -> Array:
        """Pupils a school, shape (J,)."""
        return self.packed[:, 0]

    @property
    def n_pupils(self) -> int:
        """Pupils in the model."""
        return round(float(self.n.sum()))

    def total(self) -> Array:
        """Sum of S_j over schools, shape (k, k)."""
        k = len(self.terms) + 1
        whole: Array = unpack(self.packed.sum(axis=0)[None, :], k)[0]
        return whole

    def rows(self, columns: tuple[int, ...]) -> Array:
        """Rows `columns` of every S_j, that is Z'A for Z made of these columns; (J, q, k)."""
        k = len(self.terms) + 1
        places = _places(k)
        return self.packed[:, places[list(columns), :]]

    def matrices(self) -> Array:
        """Every S_j in full, shape (J, k, k)."""
        return unpack(self.packed, len(self.terms) + 1)

    def merge(self, other: CrossProducts) -> CrossProducts:
        """Join two parts of a system, scanned apart; a school in both gets its pupils together.

        Raises
        ------
        InputError
            The parts have another formula or other levels of a factor.
        """
        if (self.formula, self.terms) != (other.formula, other.terms) or dict(self.levels) != dict(
            other.levels
        ):
            raise InputError(
                "These parts cannot be merged: their formula or the levels of a factor differ.",
                mend="Scan both with the same formula and the same levels=.",
            )
        moved = _rebase(other, self.shift, self.scale)
        schools = sorted({*self.schools, *other.schools})
        place = {school: i for i, school in enumerate(schools)}
        packed = np.zeros((len(schools), self.packed.shape[1]))
        packed[[place[school] for school in self.schools]] += self.packed
        packed[[place[school] for school in other.schools]] += moved
        mine, others = self.provenance, other.provenance
        return replace(
            self,
            schools=tuple(schools),
            packed=packed,
            n_rows=self.n_rows + other.n_rows,
            n_dropped=self.n_dropped + other.n_dropped,
            provenance=replace(
                mine, input_hash=combined_hash([mine.input_hash, others.input_hash])
            ),
            seconds={
                stage: self.seconds.get(stage, 0.0) + other.seconds.get(stage, 0.0)
                for stage in {**self.seconds, **other.seconds}
            },
        )


def _places(k: int) -> NDArray[np.intp]:
    """Place of entry (i, j) of a symmetric matrix in its packed upper triangle, shape (k, k)."""
    places = np.empty((k, k), dtype=np.intp)
    upper = np.triu_indices(k)
    places[upper] = np.arange(len(upper[0]))
    places.T[upper] = places[upper]
    return places


def unpack(packed: Array, k: int) -> Array:
    """Full symmetric matrices (J, k, k) from packed upper triangles (J, k(k+1)/2)."""
    return packed[:, _places(k)]


def _rebase(part: CrossProducts, shift: Array, scale: Array) -> Array:
    """Packed cross products of a part in other units: A' = A B, S' = B'SB."""
    k = len(part.terms) + 1
    B = np.diag(part.scale / scale)
    B[0, 1:] = ((part.shift - shift) / scale)[1:]
    S = np.einsum("ai,jab,bl->jil", B, part.matrices(), B, optimize=True)
    upper = np.triu_indices(k)
    moved: Array = S[:, upper[0], upper[1]]
    return moved


def cross_products(
    source: Source,
    formula: str,
    *,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    input_hash: str | None = None,
    threads: int | None = None,
) -> CrossProducts:
    """Scan pupils once and return the cross products per school.

    Parameters
    ----------
    source : path, glob, list of Parquet paths, or polars frame
    formula : str
        lme4's notation with ``(1 | column)``.
    levels : mapping, optional
        Levels of factors, reference first, for parts that will be merged.
    input_hash : str, optional
        SHA-256 of the source, where the caller knows it already.
    threads : int, optional
        Threads of the scan. With 1 the same input gives the same bytes; with more, sums differ
        from run to run in about the 14th digit. None takes 1 up to ``ONE_THREAD_ROWS`` rows and
        all of the machine's beyond.

    Returns
    -------
    CrossProducts

    Raises
    ------
    InputError
        Whatever keeps the model from being fitted, with its place.
    """
    parsed = parse_formula(formula)
    seconds: dict[str, float] = {}
    with open_table(source) as table:
        clock = _Clock(seconds)
        digest = input_hash or table.input_hash(parsed.columns)
        clock.stop("hash")
        n_rows = int(table.ask(table.rows.aggregate(n=table.rows.count()))["n"][0])
        if n_rows == 0:
            raise InputError("There are no rows under the header.", file=table.name)
        design = build_design(table, parsed, levels)
        shift, scale = near_means(table, design)
        clock.stop("look")
        if threads is None and n_rows <= ONE_THREAD_ROWS:
            threads = 1
        labels, packed = _scan(table, design, shift, scale, threads)
        clock.stop("scan")
    n_pupils = round(float(packed[:, 0].sum()))
    provenance = Provenance(
        method=METHOD,
        method_version=METHOD_VERSION,
        input_hash=digest,
        settings={"formula": parsed.text, "levels": {k: list(v) for k, v in design.levels.items()}},
    )
    return CrossProducts(
        formula=parsed.text,
        terms=(INTERCEPT, *(column.name for column in design.columns)),
        outcome=parsed.outcome.name,
        group=parsed.group,
        schools=tuple(labels),
        packed=packed,
        shift=np.array([0.0, *shift]),
        scale=np.array([1.0, *scale]),
        levels=design.levels,
        n_rows=n_rows,
        n_dropped=n_rows - n_pupils,
        provenance=provenance,
        seconds=seconds,
    )


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self.started = time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self.started
        self.started = now


def _scan(
    table: Table, design: Design, shift: list[float], scale: list[float], threads: int | None
) -> tuple[list[str], Array]:
    """Sum products by school in the engine; only what symmetry and indicators leave open."""
    m = len(design.values)
    shifted = {
        f"v{i}": (value - shift[i]) * (1.0 / scale[i]) if (shift[i], scale[i]) != (0, 1) else value
        for i, value in enumerate(design.values)
    }
    rows = design.rows.select(school=design.group, **shifted)
    indicators = [*(column.is_indicator for column in design.columns), False]
    sums = {"n": rows.count()} | {f"s{i}": rows[f"v{i}"].sum() for i in range(m)}
    for i in range(m):
        for j in range(i, m):
            if not (i == j and indicators[i]) and not _never_together(design, i, j):
                sums[f"p{i}_{j}"] = (rows[f"v{i}"] * rows[f"v{j}"]).sum()
    found = table.ask(rows.group_by("school").aggregate(**sums), threads=threads)
    if found.height == 0:
        raise InputError("Every row has a missing value in a used column.", file=table.name)
    labels = group_labels(found["school"])
    order = sorted(range(len(labels)), key=labels.__getitem__)
    labels = [labels[i] for i in order]
    packed = np.zeros((found.height, (m + 1) * (m + 2) // 2))
    places = _places(m + 1)
    packed[:, 0] = found["n"].to_numpy()[order]
    for i in range(m):
        packed[:, places[0, i + 1]] = found[f"s{i}"].to_numpy()[order]
        for j in range(i, m):
            name = f"p{i}_{j}" if f"p{i}_{j}" in sums else f"s{i}"
            if name in sums and (name[0] == "p" or i == j):
                packed[:, places[i + 1, j + 1]] = found[name].to_numpy()[order]
    if not np.isfinite(packed).all():
        _refuse_infinite(table, design)
    return labels, packed


def _never_together(design: Design, i: int, j: int) -> bool:
    """Tell whether two columns hold different levels of one factor: their product is 0."""
    if max(i, j) >= len(design.columns) or i == j:
        return False
    mine = {f.variable.name: f.level for f in design.columns[i].factors if f.level is not None}
    return any(
        f.level is not None and mine.get(f.variable.name, f.level) != f.level
        for f in design.columns[j].factors
    )


def _refuse_infinite(table: Table, design: Design) -> None:
    """Name the column that holds a value without end, or one too large to be squared."""
    names = [*(column.name for column in design.columns), "the outcome"]
    for name, value in zip(names, design.values, strict=True):
        rows = design.rows.select(value=value)
        wrong = rows.value.isinf() | rows.value.isnan() | (rows.value.abs() > math.sqrt(1e300))
        if table.ask(rows.aggregate(n=wrong.sum()))["n"][0]:
            raise InputError(
                f"{name} holds a value that is not finite (or is larger than 1e150).",
                file=table.name,
                mend="Correct it, or leave the cell empty if it is not known.",
            )
    raise InputError("The sums over the pupils are not finite.", file=table.name)
