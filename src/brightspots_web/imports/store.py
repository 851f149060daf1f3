"""Imported rows as Parquet in the data folder; the database only says which files are live.

A file is written under a temporary name and renamed when it is complete. It counts from the
moment its batch is confirmed in the database, so that a stop at any point leaves the state
before or the state after.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
from django.conf import settings

ORDER = ("school", "year", "subject", "pupil")
RESULT_KEY = ("school", "year", "subject")
ORPHAN_SECONDS = 24 * 3600
FOLDERS = ("schools", "school_results", "pupil_results", "boundaries", "staging", "problems")


@dataclass(frozen=True)
class LiveBatch:
    """A confirmed batch whose rows count."""

    batch: int
    order: int
    path: Path
    sha256: str
    """Of the uploaded file."""
    data_sha256: str
    """Of the Parquet file."""
    file_name: str
    confirmed_at: datetime


def folder(name: str) -> Path:
    path = Path(settings.DATA_FOLDER) / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def data_file(kind: str, batch: int) -> Path:
    return folder(kind) / f"batch-{batch}.parquet"


def staging_file(batch: int) -> Path:
    return folder("staging") / f"batch-{batch}.parquet"


def look_file(batch: int) -> Path:
    """The first rows as they stand in the file: they may be pupils', so not in the database."""
    return folder("staging") / f"batch-{batch}.first-rows.json"


def problems_file(batch: int) -> Path:
    return folder("problems") / f"batch-{batch}.parquet"


def below_data(path: Path) -> str:
    return str(path.relative_to(settings.DATA_FOLDER))


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame whole or not at all."""
    part = _part(path)
    try:
        frame.write_parquet(part, compression="zstd", row_group_size=250_000, statistics=True)
        _complete(part, path)
    finally:
        part.unlink(missing_ok=True)


def adopt(staged: Path, path: Path) -> str:
    """Copy checked rows to where they will count, whole or not at all; give back the SHA-256."""
    part = _part(path)
    digest = hashlib.sha256()
    try:
        with staged.open("rb") as source, part.open("wb") as copy:
            while block := source.read(1 << 20):
                digest.update(block)
                copy.write(block)
        _complete(part, path)
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest()


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def _complete(part: Path, path: Path) -> None:
    """Give a file that is complete its name; file and name outlive a power cut."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def ordered(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows by school, year, subject and pupil, whatever their order in the file."""
    keys = [name for name in ORDER if name in frame.columns]
    return frame.sort([*keys, "row"], maintain_order=True)


def remove(batch: int) -> None:
    for path in (staging_file(batch), look_file(batch), problems_file(batch)):
        path.unlink(missing_ok=True)


def clean_up(keep: Iterable[Path]) -> int:
    """Delete what stopped work left behind: older than a day and named by no batch."""
    kept = set(keep)
    before = time.time() - ORPHAN_SECONDS
    gone = 0
    for name in FOLDERS:
        for path in folder(name).iterdir():
            if path not in kept and path.is_file() and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                gone += 1
    return gone


def key_of(columns: Iterable[str]) -> tuple[str, ...]:
    """What names a row: the pupil too, where pupils have codes."""
    return (*RESULT_KEY, "pupil") if "pupil" in set(columns) else RESULT_KEY


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def scan_sql(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


def combined_sql(live: Sequence[LiveBatch]) -> str:
    """The rows of all live batches; a later batch supersedes an earlier one on the same key.

    A batch without pupil codes supersedes all earlier rows of the same school, year and subject.
    Columns that only some batches have are null in the others.
    """
    if not live:
        raise ValueError("no live batch to combine")
    columns = {batch.path: list(pl.read_parquet_schema(batch.path)) for batch in live}
    parts = []
    for i, batch in enumerate(live):
        conditions = [
            f"NOT EXISTS (SELECT 1 FROM {scan_sql(later.path)} AS later WHERE {_same_key(names)})"  # noqa: S608 - names quoted, paths our own
            for later in live[i + 1 :]
            for names in [key_of(set(columns[batch.path]) & set(columns[later.path]))]
        ]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        source = scan_sql(batch.path)
        parts.append(f"SELECT {batch.batch}::BIGINT AS batch, this.* FROM {source} AS this{where}")  # noqa: S608 - as above
    return " UNION ALL BY NAME ".join(parts)


def _same_key(names: Sequence[str]) -> str:
    return " AND ".join(f"later.{quoted(name)} = this.{quoted(name)}" for name in names)


def query(sql: str) -> pl.DataFrame:
    with duckdb.connect() as connection:
        frame: pl.DataFrame = connection.sql(sql).pl()
    return frame


def compare(rows: Path, live: Sequence[LiveBatch]) -> dict[str, int]:
    """How many rows of a staged file are new, changed, or the same as the live ones."""
    mine = list(pl.read_parquet_schema(rows))
    if not live:
        return {"new": _height(rows), "changed": 0, "same": 0}
    theirs = {name for batch in live for name in pl.read_parquet_schema(batch.path)}
    coded = {"pupil" in mine, "pupil" in theirs}
    if coded == {True, False} or (coded == {False} and _has_repeats(rows)):
        return _compare_groups(rows, live)
    keys = key_of(mine)
    values = [name for name in mine if name not in {*keys, "row", "batch"}]
    differ = [
        f"this.{quoted(name)} IS DISTINCT FROM "
        + (f"old.{quoted(name)}" if name in theirs else "NULL")
        for name in values
    ]
    # A figure the new file does not give is lost when it supersedes the row: that is a change.
    differ += [
        f"old.{quoted(name)} IS NOT NULL" for name in sorted(theirs - set(mine) - {"batch", "row"})
    ]
    on = " AND ".join(f"this.{quoted(name)} = old.{quoted(name)}" for name in keys)
    found = query(
        f"SELECT count(*) FILTER (WHERE old.row IS NULL) AS new, "  # noqa: S608 - names quoted, paths our own
        f"count(*) FILTER (WHERE old.row IS NOT NULL AND ({' OR '.join(differ) or 'false'})) "
        f"AS changed, count(*) AS total "
        f"FROM {scan_sql(rows)} AS this LEFT JOIN ({combined_sql(live)}) AS old ON {on}"
    ).row(0, named=True)
    new, changed = int(found["new"]), int(found["changed"])
    return {"new": new, "changed": changed, "same": int(found["total"]) - new - changed}


def _height(rows: Path) -> int:
    return int(pl.scan_parquet(rows).select(pl.len()).collect().item())


def _has_repeats(rows: Path) -> bool:
    keys = list(RESULT_KEY)
    counted = pl.scan_parquet(rows).group_by(keys).len().select((pl.col("len") > 1).any())
    return bool(counted.collect().item())


def _compare_groups(rows: Path, live: Sequence[LiveBatch]) -> dict[str, int]:
    """Compare without pupil codes: a school's rows of a year and subject as one whole."""
    keys = ", ".join(quoted(name) for name in RESULT_KEY)
    mine = [name for name in pl.read_parquet_schema(rows) if name not in {"row", "batch"}]
    old = combined_sql(live)
    theirs = set(query(f"SELECT * FROM ({old}) LIMIT 0").columns)  # noqa: S608 - as above
    shared = [name for name in mine if name in theirs]
    extra = sorted((set(mine) ^ theirs) - {"row", "batch"})
    content = ", ".join(quoted(name) for name in shared)
    digest = f"list_sort(list(hash({content})))"
    missing = " OR ".join(f"count({quoted(name)}) > 0" for name in extra if name in theirs)
    more = " OR ".join(f"count({quoted(name)}) > 0" for name in extra if name in mine)
    found = query(
        f"WITH this AS (SELECT {keys}, count(*) AS n, {digest} AS d, "  # noqa: S608 - as above
        f"({more or 'false'}) AS more FROM {scan_sql(rows)} GROUP BY {keys}), "
        f"old AS (SELECT {keys}, {digest} AS d, ({missing or 'false'}) AS more "
        f"FROM ({old}) GROUP BY {keys}) "
        f"SELECT coalesce(sum(this.n) FILTER (WHERE old.d IS NULL), 0) AS new, "
        f"coalesce(sum(this.n) FILTER (WHERE old.d IS NOT NULL AND "
        f"(old.d <> this.d OR this.more OR old.more)), 0) AS changed, "
        f"coalesce(sum(this.n), 0) AS total FROM this LEFT JOIN old USING ({keys})"
    ).row(0, named=True)
    new, changed = int(found["new"]), int(found["changed"])
    return {"new": new, "changed": changed, "same": int(found["total"]) - new - changed}
