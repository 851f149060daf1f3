"""Columns as they lie in Parquet files or frames, without the engine between.

pyarrow decodes a column in half the time that DuckDB takes to decode it and hand it over. Where a
scan wants nothing but columns as they are, it may take them from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from brightspots.core.engine import MISSING_WORDS, MOST_PARTS, Table
from brightspots.core.errors import InputError

Stream = Callable[[], Iterator[pa.RecordBatch]]
"""Yields batches of the complete rows of one part of a table, in their order."""

_BLANKS = " \t\n\r\v\f"
"""What Ibis strips from a text."""


def column_streams(
    table: Table, numbers: Sequence[str], keys: Sequence[str], rows: int
) -> tuple[Stream, ...]:
    """Stream the rows that miss no value: a null, NaN in a number, ``""`` or ``NA`` in a text.

    Parameters
    ----------
    table : Table
    numbers, keys : sequence of str
        Columns of numbers; and columns of texts or whole numbers. A batch holds the keys first.
    rows : int
        At most so many a batch.

    Returns
    -------
    tuple of Stream
        Parts in the order of the rows, cut by what lies in the table alone. Empty where a column is
        of another type or the table cannot be cut; the engine serves those.
    """
    names = [*keys, *numbers]
    if table.frame is not None:
        if not _usable(table.frame.schema, numbers, keys):
            return ()
        frame, height = table.frame.select(list(dict.fromkeys(names))), table.frame.num_rows
        edges = [height * part // MOST_PARTS for part in range(MOST_PARTS + 1)]
        slices = [frame.slice(a, b - a) for a, b in pairwise(edges)]
        return tuple(_frame_stream(each, names, len(keys), rows) for each in slices)
    if table.is_text or not table.paths:
        return ()
    pieces = []
    try:
        for path in table.paths:
            if not _usable(pq.read_schema(path), numbers, keys):
                return ()
            pieces += [(path, group) for group in range(pq.read_metadata(path).num_row_groups)]
    except (pa.ArrowException, OSError):
        return ()
    if len(pieces) < MOST_PARTS:
        return ()
    edges = [len(pieces) * part // MOST_PARTS for part in range(MOST_PARTS + 1)]
    return tuple(
        _file_stream(table.name, pieces[a:b], names, len(keys), rows) for a, b in pairwise(edges)
    )


def _usable(schema: pa.Schema, numbers: Sequence[str], keys: Sequence[str]) -> bool:
    """Tell whether columns are there once, and of a type that is the same in the engine."""

    def kind(name: str) -> pa.DataType:
        return schema.field(name).type if schema.names.count(name) == 1 else pa.null()

    whole, text = pa.types.is_integer, (pa.string(), pa.large_string())
    doubles = (pa.float32(), pa.float64())
    return all(whole(kind(name)) or kind(name) in doubles for name in numbers) and all(
        whole(kind(name)) or kind(name) in text for name in keys
    )


def _frame_stream(frame: pa.Table, names: Sequence[str], n_keys: int, rows: int) -> Stream:
    def stream() -> Iterator[pa.RecordBatch]:
        for batch in frame.to_batches(max_chunksize=rows):
            yield _complete(batch, names, n_keys)

    return stream


def _file_stream(
    shown: str | None,
    pieces: Sequence[tuple[Path, int]],
    names: Sequence[str],
    n_keys: int,
    rows: int,
) -> Stream:
    def stream() -> Iterator[pa.RecordBatch]:
        groups: dict[Path, list[int]] = {}
        for path, group in pieces:
            groups.setdefault(path, []).append(group)
        try:
            for path, chosen in groups.items():
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(
                        batch_size=rows,
                        row_groups=chosen,
                        columns=list(dict.fromkeys(names)),
                        use_threads=False,
                    ):
                        yield _complete(batch, names, n_keys)
        except (pa.ArrowException, OSError) as error:
            first = str(error).strip().partition("\n")[0]
            raise InputError(f"The file cannot be read ({first}).", file=shown) from error

    return stream


def _complete(batch: pa.RecordBatch, names: Sequence[str], n_keys: int) -> pa.RecordBatch:
    """Put columns in order, numbers as doubles, and leave out rows with a missing value."""
    arrays = [batch.column(name) for name in names]
    whole = None
    for place, array in enumerate(arrays):
        present = None
        if array.null_count:
            present = array.is_valid()
        if pa.types.is_floating(array.type):
            # A sum is quicker than a look at every value, and NaN where any value is.
            if not array.null_count and not np.isnan(array.to_numpy().sum()):
                continue
            present = pc.fill_null(pc.invert(pc.is_nan(array)), False)
        elif place < n_keys and not pa.types.is_integer(array.type):
            present = _words(array)
        if present is not None:
            whole = present if whole is None else pc.and_(whole, present)
    if whole is not None:
        arrays = [array.filter(whole) for array in arrays]
    for place in range(n_keys, len(arrays)):
        if arrays[place].type != pa.float64():
            arrays[place] = arrays[place].cast(pa.float64(), safe=False)
    return pa.RecordBatch.from_arrays(arrays, names=[str(place) for place in range(len(arrays))])


def _words(keys: pa.Array) -> pa.Array | None:
    """Tell which texts are there, or None where all are; neighbours are looked at once."""
    runs = pc.run_end_encode(keys)
    missing = pc.is_in(
        pc.utf8_trim(runs.values, _BLANKS), pa.array(MISSING_WORDS, type=keys.type), skip_nulls=True
    )
    wrong = pc.fill_null(pc.or_kleene(missing, pc.is_null(runs.values)), True)
    if not pc.any(wrong).as_py():
        return None
    ends = runs.run_ends.to_numpy()
    held = ~wrong.to_numpy(zero_copy_only=False)
    return pa.array(np.repeat(held, np.diff(ends, prepend=0)))
