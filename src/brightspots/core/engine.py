"""The engine that scans pupils: Ibis on DuckDB, reading files where they lie.

Rows stay in the engine. What comes back to Python are aggregates, so memory grows with the number
of schools and not with the number of pupils.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import ibis
import ibis.expr.types as ir
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from brightspots.core.csv_layout import FORMATS, begins_with, look_at_csv
from brightspots.core.errors import InputError
from brightspots.core.provenance import hash_file, hash_frame


@dataclass(frozen=True)
class SparkSource:
    """Pupils' rows that Spark scans.

    Parameters
    ----------
    rows : Spark DataFrame, polars frame, path, or sequence of paths
        Paths of Parquet files that Spark can reach, or of one CSV on this machine.
    session : SparkSession, optional
        None takes the session that runs, or starts one as Spark is configured.
    """

    rows: Any
    session: Any = None


Files = str | Path | Sequence[str | Path]
Source = Files | pl.DataFrame | SparkSource
"""A CSV, gzip CSV or Parquet file; a glob or a list of Parquet files; a polars frame; or Spark."""

ENGINES = ("duckdb", "spark")

MISSING_WORDS = ("", "NA")
"""Cells of a text file that hold no value."""

MOST_PARTS, LEAST_PART = 4, 500_000
"""How many parts a table is cut into, and the rows that a part has at least."""

Part = Callable[[Any], None]
"""Shows a cursor one part of the rows, under the table's name."""

_NAME = "pupils"
_ROW_GROUP = 122_880


@dataclass(frozen=True)
class Table:
    """Rows in the engine.

    Parameters
    ----------
    rows : ibis.Table
        An expression; nothing is read until something is asked of it.
    connection : ibis backend
    name : str or None
        Name of the file for messages; None for a frame.
    is_text : bool
        True where every column comes as text (CSV).
    paths : tuple of Path
        Empty for a frame.
    frame : pyarrow.Table or None
    """

    rows: ir.Table
    connection: Any
    name: str | None
    is_text: bool
    paths: tuple[Path, ...] = ()
    frame: pa.Table | None = None
    loose_numbers: ClassVar[bool] = False
    """True where the engine reads "3d" as a number, as Java does; a class may be called so."""

    def ask(self, expression: ir.Table, *, threads: int | None = None) -> pl.DataFrame:
        """Run an expression and return its rows.

        Parameters
        ----------
        threads : int, optional
            One thread gives the same bytes on every run; None takes all.

        Raises
        ------
        InputError
            The engine cannot read the file.
        """
        connection = self.connection.con
        connection.execute("RESET threads" if threads is None else f"SET threads = {int(threads)}")
        try:
            # Run by DuckDB itself: Ibis still fetches through a call that DuckDB deprecates.
            fetched = connection.sql(self.connection.compile(expression)).to_arrow_table()
            return pl.DataFrame(pl.from_arrow(fetched))
        except duckdb.Error as error:
            raise _unreadable(error, self.name) from error

    def count(self) -> int:
        """Rows of the table."""
        return int(self.ask(self.rows.aggregate(n=self.rows.count()))["n"][0])

    def first(self, wrong: ir.BooleanValue, column: str) -> tuple[int | None, str]:
        """Find the first row where `wrong` holds, and what stands in `column` there.

        The row is counted as a spreadsheet does, the header being 1; None where the engine keeps no
        order of rows.
        """
        numbered = self.rows.select(
            place=ibis.row_number(), cell=self.rows[column].cast("string"), wrong=wrong
        )
        found = self.ask(
            numbered.filter(numbered.wrong).order_by("place").limit(1).select("place", "cell"),
            threads=1,
        )
        return int(found["place"][0]) + 2, str(found["cell"][0])

    def one_thread(self) -> None:
        """Let a query run on the thread that asks, so that rows stream in their order."""
        self.connection.con.execute("SET threads = 1")

    def compiled(self, expression: ir.Table) -> str:
        """Write an expression as SQL, for :meth:`read`."""
        return str(self.connection.compile(expression))

    def parts(self, n_rows: int) -> tuple[Part, ...]:
        """Cut the table at row numbers that depend on the table alone.

        Returns
        -------
        tuple of Part
            In the order of the rows; empty where the table cannot be cut (a CSV is read from its
            beginning).
        """
        n = max(1, min(MOST_PARTS, n_rows // LEAST_PART))
        if self.frame is not None:
            edges = [n_rows * i // n for i in range(n + 1)]
            return tuple(_slice(self.frame, a, b) for a, b in pairwise(edges))
        if self.is_text or not self.paths:
            return ()
        if {"file_row_number", "filename"} & {name.lower() for name in self.rows.columns}:
            return (_view(self.paths, "", "true"),)
        if len(self.paths) == 1:
            edges = [n_rows * i // n // _ROW_GROUP * _ROW_GROUP for i in range(n)] + [n_rows]
            row = "file_row_number"
            return tuple(
                _view(self.paths, row, f"{a} <= {row} AND {row} < {b}") for a, b in pairwise(edges)
            )
        rows = [pq.read_metadata(path).num_rows for path in self.paths]
        groups: dict[int, list[Path]] = {}
        done = 0
        for path, height in zip(self.paths, rows, strict=True):
            groups.setdefault(min(n - 1, done * n // n_rows), []).append(path)
            done += height
        return tuple(
            _view(self.paths, "filename", f"filename IN ({', '.join(map(_quoted, group))})")
            for group in groups.values()
        )

    def read(self, sql: str, part: Part, rows: int) -> Iterator[pa.RecordBatch]:
        """Stream a query's answer over one part, in batches of at most `rows`.

        Raises
        ------
        InputError
            The engine cannot read the file.
        """
        cursor = self.connection.con.cursor()
        try:
            part(cursor)
            yield from cursor.sql(sql).to_arrow_reader(rows)
        except duckdb.Error as error:
            raise _unreadable(error, self.name) from error
        finally:
            cursor.close()

    def input_hash(self, columns: Sequence[str] = ()) -> str:
        """SHA-256 of the files' bytes, or of a frame's used columns."""
        if not self.paths:
            return hash_frame(self.ask(self.rows.select(*columns) if columns else self.rows))
        hashes = sorted(hash_file(path) for path in self.paths)
        return hashes[0] if len(hashes) == 1 else combined_hash(hashes)


def _slice(frame: pa.Table, start: int, stop: int) -> Part:
    def show(cursor: Any) -> None:
        cursor.register(_NAME, frame.slice(start, stop - start))

    return show


def _view(paths: Sequence[Path], number: str, where: str) -> Part:
    """Show rows of Parquet files, chosen by a number or name that DuckDB adds as a column."""
    added = f", {number} = true" if number else ""
    # Minima and maxima in the file do not know of NaN: DuckDB would trust them and keep NaN.
    added += ", can_have_nan = true"
    without = f" EXCLUDE ({number})" if number else ""
    listed = ", ".join(map(_quoted, paths))

    def show(cursor: Any) -> None:
        cursor.execute(
            f"CREATE OR REPLACE TEMP VIEW {_NAME} AS SELECT *{without}"  # noqa: S608 # quoted paths and our own names
            f" FROM read_parquet([{listed}]{added}) WHERE {where}"
        )

    return show


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def combined_hash(hashes: Sequence[str]) -> str:
    """SHA-256 over several input hashes, whatever their order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def on_engine(source: Source, engine: str) -> Source:
    """Say which engine scans a source: ``duckdb`` on this machine, or ``spark``.

    Raises
    ------
    InputError
        There is no such engine.
    """
    if engine not in ENGINES:
        raise InputError(f'There is no engine "{engine}".', mend=f"Choose {' or '.join(ENGINES)}.")
    return source if engine == "duckdb" else SparkSource(source)


@contextmanager
def open_table(source: Source) -> Iterator[Table]:
    """Open pupils' rows for reading in the engine.

    Parameters
    ----------
    source : path, glob, list of Parquet paths, polars frame, or SparkSource
        CSV may be compressed with gzip, in UTF-8 (with or without BOM), UTF-16 with BOM, or
        cp1252; separated by commas, semicolons, tabs or bars. It is read as text: what is a number
        is decided by who uses it, so that codes keep their leading zeros.

    Yields
    ------
    Table

    Raises
    ------
    InputError
        The file is missing, empty, or not what its name says.
    """
    with tempfile.TemporaryDirectory(prefix="brightspots-") as scratch:
        if isinstance(source, SparkSource):
            from brightspots.core.spark import open_spark  # Spark is not everybody's

            with open_spark(source, Path(scratch)) as spark_table:
                yield spark_table
            return
        connection = ibis.duckdb.connect(temp_directory=scratch)
        try:
            # No extension is fetched from a network behind the user's back.
            connection.con.execute("SET autoinstall_known_extensions = false")
            connection.con.execute("SET enable_progress_bar = false")
            with warnings.catch_warnings():
                # Ibis learns a table's columns through a call that DuckDB deprecates.
                warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
                table = _table(source, connection, Path(scratch))
            yield table
        finally:
            connection.disconnect()


def _table(source: Files | pl.DataFrame, connection: Any, scratch: Path) -> Table:
    if isinstance(source, pl.DataFrame):
        if not source.columns:
            raise InputError("The table has no columns.")
        frame = source.to_arrow()
        connection.con.register(_NAME, frame)
        return Table(connection.table(_NAME), connection, None, is_text=False, frame=frame)
    paths = local_paths(source)
    name = str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    is_parquet = [begins_with(path, b"PAR1") for path in paths]
    try:
        if all(is_parquet):
            rows = connection.read_parquet(
                [str(path) for path in paths], table_name=_NAME, can_have_nan=True
            )
            return Table(rows, connection, name, is_text=False, paths=paths)
        if len(paths) > 1 or paths[0].suffix.lower() in (".parquet", ".pq"):
            wrong = next(p for p, good in zip(paths, is_parquet, strict=True) if not good)
            raise InputError("This is not a Parquet file.", file=str(wrong))
        rows = _read_csv(paths[0], connection, scratch)
    except duckdb.Error as error:
        raise _unreadable(error, name) from error
    return Table(rows, connection, name, is_text=True, paths=paths)


def local_paths(source: Files) -> tuple[Path, ...]:
    """Return the files that a path, a glob or a list names; each is there and can be read."""
    given = [source] if isinstance(source, str | Path) else list(source)
    paths: list[Path] = []
    for entry in given:
        path = Path(entry)
        if any(sign in path.name for sign in "*?[") and not path.exists():
            paths.extend(sorted(path.parent.glob(path.name)))
        else:
            paths.append(path)
    if not paths:
        raise InputError("There is no such file.", file=", ".join(map(str, given)) or None)
    for path in paths:
        try:
            if path.is_dir():
                raise InputError("This is a folder, not a file.", file=str(path))
            if not path.exists():
                raise InputError("There is no such file.", file=str(path))
            if path.is_file() and path.stat().st_size == 0:
                raise InputError("The file is empty.", file=str(path))
            path.open("rb").close()
        except (OSError, ValueError) as error:
            raise InputError(f"The file cannot be opened ({error}).", file=str(path)) from error
    return tuple(paths)


def _read_csv(path: Path, connection: Any, scratch: Path) -> ir.Table:
    """Read a CSV as text."""
    layout = look_at_csv(path, scratch)
    rows: ir.Table = connection.read_csv(
        str(layout.path),
        table_name=_NAME,
        header=False,
        skip=1,
        delim=layout.delimiter,
        quote='"',
        escape='"',
        columns=dict.fromkeys(layout.names, "VARCHAR"),
        auto_detect=False,
        compression="gzip" if layout.zipped else "none",
        max_line_size=1 << 22,
    )
    return rows


def _unreadable(error: duckdb.Error, name: str | None) -> InputError:
    """One line, in place of the engine's paragraph of advice."""
    text = str(error)
    row = None
    if found := re.search(r"on Line: (\d+)", text):
        row = int(found.group(1))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].startswith("Invalid Input Error: CSV Error"):
        lines = [line for line in lines[1:] if not line.startswith("Original Line")] or lines
    return InputError(f"The file cannot be read ({lines[0]}).", file=name, row=row, mend=FORMATS)
