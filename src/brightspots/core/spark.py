"""The same expressions on Spark, for systems whose pupils lie on a cluster.

Everything that is asked of a table is an Ibis expression, which this module hands to Spark. Three
things differ from DuckDB. Sums are taken in whatever order the cluster works, so that results agree
to about 1e-12 and not to the byte. Rows have no numbers, so that a message names the cell and not
its row. And a frame of Spark has no bytes: its input hash is taken from its rows, in any order.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import ibis
import ibis.expr.types as ir
import polars as pl

from brightspots.core.csv_layout import begins_with, look_at_csv
from brightspots.core.engine import Part, SparkSource, Table, local_paths
from brightspots.core.errors import InputError

_SETTINGS = {
    # Arithmetic that has no answer gives null, as in DuckDB, and is refused by us with its column.
    "spark.sql.ansi.enabled": "false",
    # Ibis sets these two; they are put back as well.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
}


@dataclass(frozen=True)
class SparkTable(Table):
    """Rows in Spark."""

    loose_numbers: ClassVar[bool] = True

    def ask(self, expression: ir.Table, *, threads: int | None = None) -> pl.DataFrame:
        """Run an expression and return its rows; Spark decides on its threads."""
        del threads
        with _spoken(self.name):
            answer = self.connection._session.sql(self.compiled(expression))
            return pl.DataFrame(pl.from_arrow(answer.toArrow()))

    def first(self, wrong: ir.BooleanValue, column: str) -> tuple[int | None, str]:
        """Find a row where `wrong` holds: what stands in `column` there, without its number."""
        cells = self.rows.select(cell=self.rows[column].cast("string"), wrong=wrong)
        found = self.ask(cells.filter(cells.wrong).aggregate(cell=cells.cell.min()))
        return None, str(found["cell"][0])

    def parts(self, n_rows: int) -> tuple[Part, ...]:
        """Spark cuts its tables itself."""
        del n_rows
        return ()

    def input_hash(self, columns: Sequence[str] = ()) -> str:
        """SHA-256 of the files' bytes; else of the used columns' rows, in any order."""
        if self.paths:
            return super().input_hash(columns)
        names = sorted(columns or self.rows.columns)
        listed = ", ".join(f"`{name.replace('`', '``')}`" for name in names)
        query = (
            "SELECT count(*) AS n, bit_xor(h) AS x, sum(CAST(h AS DECIMAL(38, 0))) AS s FROM"  # noqa: S608 # names are quoted
            f" (SELECT xxhash64({listed}) AS h FROM `{self.rows.get_name()}`)"
        )
        with _spoken(self.name):
            found = self.connection._session.sql(query).collect()[0]
        kinds = [f"{name}: {self.rows[name].type()}" for name in names]
        told = "\n".join([*kinds, *(str(found[place]) for place in range(3))])
        return hashlib.sha256(told.encode()).hexdigest()


@contextmanager
def open_spark(source: SparkSource, scratch: Path) -> Iterator[SparkTable]:
    """Open rows for reading in Spark; the session's settings are put back afterwards.

    Raises
    ------
    InputError
        Spark is not installed or cannot start, or cannot read the source.
    """
    session = source.session or _session(source.rows)
    name = f"brightspots_{uuid4().hex}"
    before = {key: session.conf.get(key, None) for key in _SETTINGS}
    try:
        connection = ibis.pyspark.connect(session)
        for key, value in _SETTINGS.items():
            session.conf.set(key, value)
        with _spoken(_name_of(source.rows)):
            shown, is_text, paths = _frame(source.rows, session, scratch)
            shown.createOrReplaceTempView(name)
            rows = connection.table(name)
        yield SparkTable(rows, connection, _name_of(source.rows), is_text, paths)
    finally:
        session.catalog.dropTempView(name)
        for key, value in before.items():
            if value is None:
                session.conf.unset(key)
            else:
                session.conf.set(key, value)


def _session(rows: Any) -> Any:
    """Take the session of a frame, else the one that runs, else start one."""
    mend = (
        "Install the group `spark` (pip install 'pyspark>=4.0,<4.1') and Java 17"
        " (deploy/system-packages.sh), or choose the engine duckdb."
    )
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError("Spark is not installed.", mend=mend) from error
    if (own := getattr(rows, "sparkSession", None)) is not None:
        return own
    try:
        return SparkSession.builder.appName("Brightspots").getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"Spark does not start ({first}).", mend=mend) from error


def _name_of(rows: Any) -> str | None:
    if isinstance(rows, str | Path):
        return str(rows)
    if isinstance(rows, list | tuple) and rows:
        return str(rows[0]) if len(rows) == 1 else f"{rows[0]} and {len(rows) - 1} more"
    return None


def _frame(rows: Any, session: Any, scratch: Path) -> tuple[Any, bool, tuple[Path, ...]]:
    """Return a Spark frame of the rows, whether all is text, and the files on this machine."""
    if hasattr(rows, "createOrReplaceTempView"):
        return rows, False, ()
    if isinstance(rows, pl.DataFrame):
        return session.createDataFrame(rows.to_arrow()), False, ()
    given = [str(each) for each in ([rows] if isinstance(rows, str | Path) else rows)]
    if any("://" in each for each in given):
        return session.read.parquet(*given), False, ()
    paths = local_paths(given)
    if all(begins_with(path, b"PAR1") for path in paths):
        return session.read.parquet(*(path.resolve().as_uri() for path in paths)), False, paths
    if len(paths) > 1 or paths[0].suffix.lower() in (".parquet", ".pq"):
        raise InputError("This is not a Parquet file.", file=str(paths[0]))
    return _csv(paths[0], session, scratch), True, paths


def _csv(path: Path, session: Any, scratch: Path) -> Any:
    """Read a CSV as text, as DuckDB does."""
    layout = look_at_csv(path, scratch)
    return session.read.csv(
        layout.path.resolve().as_uri(),
        schema=", ".join(f"`{name.replace('`', '``')}` STRING" for name in layout.names),
        sep=layout.delimiter,
        header=True,
        enforceSchema=True,
        quote='"',
        escape='"',
        multiLine=True,
        mode="FAILFAST",
    )


@contextmanager
def _spoken(name: str | None) -> Iterator[None]:
    """Say Spark's errors in one line; its sockets are closed by Python, which warns of it."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "unclosed.*socket", ResourceWarning)
            yield
    except (PySparkException, Py4JError) as error:
        said = re.search(r"\[[A-Z_.]+\] [^\n]+", str(error))
        first = said.group() if said else str(error).strip().partition("\n")[0]
        raise InputError(
            f"Spark cannot read this ({first or type(error).__name__}).", file=name
        ) from error
