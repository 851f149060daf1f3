"""The scan over pupils: sums of products by cell, said once as an expression of the engine.

:func:`_by_expression` runs on any engine. Large tables that DuckDB can cut into parts take
:func:`_by_kernel`: the engine reads, filters and computes the columns of A by the same expressions,
and compiled code sums their products. Where these expressions are columns as they lie in the file,
the file is read without the engine, which halves the time of reading. Parts are cut by what lies in
the table, not by threads, and each is summed in the order of its rows, so that the same rows give
the same bytes however many threads there are.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import ibis.expr.types as ir
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr import operations
from numpy.typing import NDArray

from brightspots.core.columns import Stream, column_streams
from brightspots.core.engine import Table
from brightspots.core.errors import InputError
from brightspots.insight.design import Design, DesignColumn, group_labels

ONE_THREAD_ROWS = 1_000_000
"""Below it an expression takes well under a second on one thread, whose order of sums is fixed;
from it on compiled code is worth the half second that loading it takes."""
MOST_COLUMNS = 64
"""Up to here compiled code, which takes every product, is quicker than an expression, which leaves
out those that are 0 (of two levels of one factor)."""
BATCH_ROWS = 32_768

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Scanned:
    """What a scan brings back; the fields are those of CrossProducts."""

    cells: pl.DataFrame
    counts: Array
    packed: Array
    sum_log_w: float


def scan(
    table: Table,
    design: Design,
    shift: Sequence[float],
    scale: Sequence[float],
    n_rows: int,
    threads: int | None = None,
) -> Scanned:
    """Sum the products of A's columns by cell.

    Parameters
    ----------
    table : Table
    design : Design
    shift, scale : sequence of float
        A column of A is (value - shift) / scale; one each a column, the outcome last.
    n_rows : int
        Rows of the table, which decide the way.
    threads : int, optional
        All of the machine's where it is None.

    Raises
    ------
    InputError
        No row is complete, or a value is not finite.
    """
    found = None
    if n_rows >= ONE_THREAD_ROWS and len(design.values) < MOST_COLUMNS:
        found = _by_kernel(table, design, shift, scale, n_rows, threads)
    if found is None:
        if threads is None and n_rows <= ONE_THREAD_ROWS:
            threads = 1
        found = _by_expression(table, design, shift, scale, threads)
    if not np.isfinite(found.packed).all():
        _refuse_infinite(table, design)
    return found


def places(k: int) -> NDArray[np.intp]:
    """Place of entry (i, j) of a symmetric matrix in its packed upper triangle, shape (k, k)."""
    where = np.empty((k, k), dtype=np.intp)
    upper = np.triu_indices(k)
    where[upper] = np.arange(len(upper[0]))
    where.T[upper] = where[upper]
    return where


def _keys(design: Design) -> dict[str, ir.Value]:
    return {f"g{place}": value for place, value in enumerate(design.groups.values())}


def _by_expression(
    table: Table,
    design: Design,
    shift: Sequence[float],
    scale: Sequence[float],
    threads: int | None,
) -> Scanned:
    """Sum products by cell in the engine; only what symmetry and indicators leave open."""
    m = len(design.values)
    shifted = {
        f"v{i}": (value - shift[i]) * (1.0 / scale[i]) if (shift[i], scale[i]) != (0, 1) else value
        for i, value in enumerate(design.values)
    }
    keys = _keys(design)
    weight = {} if design.weight is None else {"w": design.weight}
    rows = design.rows.select(**keys, **shifted, **weight)
    columns = [*design.columns, *design.extra]
    indicators = [*(column.is_indicator for column in columns), False]
    sums: dict[str, Any] = {"n": rows.count()}
    if weight:
        sums |= {"w": rows.w.sum(), "log_w": rows.w.ln().sum()}

    def weighted(value: ir.NumericValue) -> ir.NumericValue:
        return rows.w * value if weight else value

    sums |= {f"s{i}": weighted(rows[f"v{i}"]).sum() for i in range(m)}
    for i in range(m):
        for j in range(i, m):
            if not (i == j and indicators[i]) and not _never_together(columns, i, j):
                sums[f"p{i}_{j}"] = weighted(rows[f"v{i}"] * rows[f"v{j}"]).sum()
    found = table.ask(rows.group_by(list(keys)).aggregate(**sums), threads=threads)
    if found.height == 0:
        raise _nothing_left(table)
    names = dict(zip(keys, design.groups, strict=True))
    labels = pl.DataFrame({names[key]: group_labels(found[key]) for key in keys})
    order = labels.with_row_index("__row").sort(labels.columns)["__row"].to_numpy()
    packed = np.zeros((found.height, (m + 1) * (m + 2) // 2))
    where = places(m + 1)
    packed[:, 0] = found["w" if weight else "n"].to_numpy()[order]
    for i in range(m):
        packed[:, where[0, i + 1]] = found[f"s{i}"].to_numpy()[order]
        for j in range(i, m):
            name = f"p{i}_{j}" if f"p{i}_{j}" in sums else f"s{i}"
            if name in sums and (name[0] == "p" or i == j):
                packed[:, where[i + 1, j + 1]] = found[name].to_numpy()[order]
    return Scanned(
        cells=labels[order],
        counts=found["n"].to_numpy()[order].astype(np.float64),
        packed=packed,
        sum_log_w=float(found["log_w"].to_numpy()[order].sum()) if weight else 0.0,
    )


def _by_kernel(
    table: Table,
    design: Design,
    shift: Sequence[float],
    scale: Sequence[float],
    n_rows: int,
    threads: int | None,
) -> Scanned | None:
    """Sum products by cell in compiled code, or None where the table cannot be cut into parts."""
    streams = _streams(table, design, n_rows)
    if not streams:
        return None
    weighted, n_keys = design.weight is not None, len(design.groups)

    def summed(stream: Stream) -> _Sums:
        sums = _Sums(n_keys, shift, scale, weighted=weighted)
        for batch in stream():
            sums.add(batch)
        return sums

    workers = min(len(streams), threads or len(os.sched_getaffinity(0)))
    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(summed, streams))
    found = pl.concat([each.labels(list(design.groups)) for each in done])
    if found.height == 0:
        raise _nothing_left(table)
    cells = found.unique().sort(found.columns)
    place = found.join(
        cells.with_row_index("__place"), on=found.columns, how="left", maintain_order="left"
    )["__place"].to_numpy()
    counts = np.zeros(cells.height)
    packed = np.zeros((cells.height, done[0].sums.shape[1]))
    start = 0
    for each in done:  # in the order of the rows
        here = place[start : start + each.n_cells]
        counts[here] += each.counts[: each.n_cells]
        packed[here] += each.sums[: each.n_cells]
        start += each.n_cells
    return Scanned(cells, counts, packed, sum(each.sum_log_w for each in done))


def _streams(table: Table, design: Design, n_rows: int) -> Sequence[Stream]:
    """Stream keys, values and weight, from the file itself or through the engine."""
    keys = _keys(design)
    values = {f"v{i}": value.cast("float64") for i, value in enumerate(design.values)}
    weight = {} if design.weight is None else {"w": design.weight.cast("float64")}
    parts = table.parts(n_rows)
    if not parts or not all(k.type().is_integer() or k.type().is_string() for k in keys.values()):
        return ()
    numbers = [_column(value) for value in (values | weight).values()]
    named = [_column(key) for key in keys.values()]
    if None not in numbers and None not in named:  # every column is as it lies in the table
        streams = column_streams(
            table, [each for each in numbers if each], [each for each in named if each], BATCH_ROWS
        )
        if streams:
            return streams
    sql = table.compiled(design.rows.select(**keys, **values, **weight))
    table.one_thread()  # of the engine's for each of ours
    return [partial(table.read, sql, part, BATCH_ROWS) for part in parts]


def _column(value: ir.Value) -> str | None:
    """Name the column that an expression is, as it stands or as a double; None for any other."""
    node = value.op()
    if isinstance(node, operations.Cast):
        node = node.arg
        if not isinstance(node, operations.Field) or not node.dtype.is_numeric():
            return None
    return str(node.name) if isinstance(node, operations.Field) else None


class _Sums:
    """Sums of products by cell over one part of the rows."""

    def __init__(
        self, n_keys: int, shift: Sequence[float], scale: Sequence[float], *, weighted: bool
    ) -> None:
        from brightspots.insight import kernel  # compiled code that small tables spare

        self.kernel = kernel
        self.shift, self.scale, self.weighted = shift, scale, weighted
        k = len(shift) + 1
        room = 4096
        self.n_cells = 0
        self.cells: Integers = np.empty((n_keys, room), dtype=np.int64)
        self.counts: Integers = np.zeros(room, dtype=np.int64)
        self.sums: Array = np.zeros((room, k * (k + 1) // 2))
        self.table: Integers = np.full(4 * room, -1, dtype=np.int64)
        self.keys: Integers = np.empty((n_keys, BATCH_ROWS), dtype=np.int64)
        # A few columns more than needed, or all rows of A would share places of the cache.
        self.columns: Array = np.empty((k, BATCH_ROWS + 24))
        self.columns[0] = 1.0
        self.coders: list[_Coder] = [_Coder() for _ in range(n_keys)]
        self.sum_log_w = 0.0

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch of at most BATCH_ROWS rows: keys, values, weight."""
        n = batch.num_rows
        arrays = batch.columns
        for place, coder in enumerate(self.coders):
            self.keys[place, :n] = coder.codes(arrays[place])
        arrays = arrays[len(self.coders) :]
        for i, (shift, scale) in enumerate(zip(self.shift, self.scale, strict=True)):
            self.kernel.load(_doubles(arrays[i]), shift, 1.0 / scale, self.columns[i + 1])
        weights = _doubles(arrays[-1]) if self.weighted else _NO_WEIGHTS
        if self.weighted:
            self.sum_log_w += float(np.log(weights).sum())
        row = 0
        while True:
            row, self.n_cells = self.kernel.add_rows(
                self.keys, self.columns, weights, row, n,
                self.table, self.cells, self.n_cells, self.counts, self.sums,
            )  # fmt: skip
            if row == n:
                return
            self._make_room()

    def _make_room(self) -> None:
        """Double the room for cells."""
        self.cells = np.concatenate([self.cells, np.empty_like(self.cells)], axis=1)
        self.counts = np.concatenate([self.counts, np.zeros_like(self.counts)])
        self.sums = np.concatenate([self.sums, np.zeros_like(self.sums)])
        self.table = np.full(2 * len(self.table), -1, dtype=np.int64)
        self.kernel.enter_all(self.table, self.cells, self.n_cells)

    def labels(self, names: Sequence[str]) -> pl.DataFrame:
        """Keys of the cells as text."""
        return pl.DataFrame(
            {
                name: pl.Series(coder.labels(self.cells[place, : self.n_cells]), dtype=pl.String)
                for place, (name, coder) in enumerate(zip(names, self.coders, strict=True))
            }
        )


class _Coder:
    """Keys of one column as whole numbers: the numbers themselves, or numbers given to texts."""

    def __init__(self) -> None:
        self.known: dict[str, int] | None = None
        self.kind: Any = np.int64

    def codes(self, keys: pa.Array) -> Integers:
        """One number a row."""
        if pa.types.is_integer(keys.type):
            numbers = keys.to_numpy(zero_copy_only=False)
            self.kind = numbers.dtype
            wide: Integers = numbers.view(np.int64) if self.kind == np.uint64 else numbers
            return wide
        self.known = {} if self.known is None else self.known
        runs = pc.run_end_encode(keys)
        if 4 * len(runs.values) <= len(keys):
            ends = runs.run_ends.to_numpy()
            return np.repeat(self._numbers(runs.values), np.diff(ends, prepend=0))
        coded = keys.dictionary_encode()
        indices: Integers = coded.indices.to_numpy()
        return self._numbers(coded.dictionary)[indices]

    def _numbers(self, texts: pa.Array) -> Integers:
        known = self.known if self.known is not None else {}
        return np.array(
            [known.setdefault(text, len(known)) for text in texts.to_pylist()], dtype=np.int64
        )

    def labels(self, codes: Integers) -> pl.Series:
        """Keys as text."""
        if self.known is not None:
            return pl.Series(np.array([*self.known], dtype=object)[codes].tolist(), dtype=pl.String)
        return pl.Series(codes.view(np.uint64) if self.kind == np.uint64 else codes).cast(pl.String)


_NO_WEIGHTS: Array = np.empty(0)


def _doubles(values: pa.Array) -> Array:
    """Values as they lie in memory; a missing one cannot be, since rows are complete."""
    if values.type != pa.float64():  # the engine may hold a literal as a decimal
        values = values.cast(pa.float64())
    numbers: Array = values.to_numpy(zero_copy_only=True)
    return numbers


def _nothing_left(table: Table) -> InputError:
    return InputError("Every row has a missing value in a used column.", file=table.name)


def _never_together(columns: Sequence[DesignColumn], i: int, j: int) -> bool:
    """Tell whether two columns hold different levels of one factor: their product is 0."""
    if max(i, j) >= len(columns) or i == j:
        return False
    mine = {f.variable.name: f.level for f in columns[i].factors if f.level is not None}
    return any(
        f.level is not None and mine.get(f.variable.name, f.level) != f.level
        for f in columns[j].factors
    )


def _refuse_infinite(table: Table, design: Design) -> None:
    """Name the column that holds a value without end, or one too large to be squared."""
    columns = [*design.columns, *design.extra]
    names = [*(column.name for column in columns), "the outcome"]
    for name, value in zip(names, design.values, strict=True):
        rows = design.rows.select(value=value)
        # Not a number compares as larger than any, in every engine.
        if table.ask(rows.aggregate(n=(rows.value.abs() > 1e150).sum()))["n"][0]:
            raise InputError(
                f"{name} holds a value that is not finite (or is larger than 1e150).",
                file=table.name,
                mend="Correct it, or leave the cell empty if it is not known.",
            )
    raise InputError("The sums over the pupils are not finite.", file=table.name)
