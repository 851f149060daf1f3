"""What goes into an analysis: gathered from the register and the imports, kept beside the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from django.conf import settings

from brightspots.core.engine import combined_hash
from brightspots.core.provenance import hash_file, hash_frame
from brightspots_web.directory import queries as directory
from brightspots_web.imports import analysis as imports
from brightspots_web.imports import queries as imported
from brightspots_web.insight.circumstances import PREFIX
from brightspots_web.shared.jobs import CannotError

DATA = "{data folder}"
"""Stands for the data folder in kept queries, so that an installation can be moved."""
CODE = "__code"
"""Ending of columns that say why a figure is missing."""
RESULT_COLUMNS = ("school", "year", "subject", "mean", "candidates", "spread", "lower", "upper")


@dataclass(frozen=True)
class Inputs:
    """Schools as the register had them, results by school, and where pupils' results lie."""

    schools: pl.DataFrame
    """school (code), key, area_path, roll, sector, phase, language, context:*"""
    results: pl.DataFrame
    """school, year, subject, mean, candidates, spread, lower, upper, grade:*, context:*"""
    pupils: dict[str, list[int]] = field(default_factory=dict)
    """Subject -> years for which there are pupils."""
    pupil_sql: str = ""
    pupil_files: dict[str, str] = field(default_factory=dict)
    """Path below the data folder -> SHA-256."""
    sources: Sequence[dict[str, Any]] = ()
    partnerships: pl.DataFrame = field(default_factory=lambda: no_partnerships())
    """partnership (key), school (code): who worked with whom when the analysis was made."""

    def subjects(self) -> list[str]:
        return sorted(set(self.results["subject"].drop_nulls().unique()) | set(self.pupils))

    def input_hash(self) -> str:
        """SHA-256 over everything that has a say; the order of rows has none."""
        parts = [hash_frame(self.schools.drop("key")), hash_frame(self.results)]
        if not self.partnerships.is_empty():
            first = pl.col("school").min().over("partnership").alias("with")
            parts.append(hash_frame(self.partnerships.select("school", first).sort(pl.all())))
        return combined_hash([*parts, *self.pupil_files.values()])


def gather() -> Inputs:
    """Take what is imported now."""
    school_files = imported.live_results("school_results")
    pupil_files = imported.live_results("pupil_results")
    results = _results(imports.school_results())
    source = imports.pupil_results_source()
    folder = str(settings.DATA_FOLDER)
    sql = source.sql.replace(folder, DATA) if source else ""
    files = {
        str(each.path.relative_to(settings.DATA_FOLDER)): each.data_sha256 for each in pupil_files
    }
    pupils = _catalogue(source.sql) if source else {}
    if results.is_empty() and not pupils:
        raise CannotError("There are no results yet. Import results by school or by pupil first.")
    sources = [
        _source(each, kind)
        for kind, group in (("school_results", school_files), ("pupil_results", pupil_files))
        for each in group
    ]
    schools = _schools()
    return Inputs(schools, results, pupils, sql, files, sources, _partnerships(schools))


def no_partnerships() -> pl.DataFrame:
    return pl.DataFrame(schema={"partnership": pl.Int64, "school": pl.String})


def _partnerships(schools: pl.DataFrame) -> pl.DataFrame:
    codes = dict(zip(schools["key"], schools["school"], strict=True))
    rows = [
        (partnership, codes[school])
        for partnership, members in sorted(directory.members_by_partnership().items())
        for school in members
        if school in codes
    ]
    return pl.DataFrame(rows, schema=no_partnerships().schema, orient="row")


def _source(each: Any, kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "file": each.file_name,
        "sha256": each.sha256,
        "data_sha256": each.data_sha256,
        "imported": each.confirmed_at.isoformat(),
        "batch": each.batch,
    }


def _schools() -> pl.DataFrame:
    """Every school of the register, closed ones too: their results count for the past."""
    names = ("code", "pk", "area__path", "roll", "sector", "phase", "language", "context")
    rows = list(directory.all_schools().order_by("code").values_list(*names))
    schema = {
        "school": pl.String,
        "key": pl.Int64,
        "area_path": pl.String,
        "roll": pl.Float64,
        "sector": pl.String,
        "phase": pl.String,
        "language": pl.String,
    }
    frame = pl.DataFrame([row[:7] for row in rows], schema=schema, orient="row")
    contexts = [row[7] or {} for row in rows]
    known = sorted({name for each in contexts for name in each})
    return frame.with_columns(
        _context_column(f"{PREFIX}{name}", [each.get(name) for each in contexts]) for name in known
    )


def _context_column(name: str, values: list[Any]) -> pl.Series:
    """Numbers where all that is known is a number, else text."""
    numeric = all(value is None or isinstance(value, int | float) for value in values)
    if numeric:
        return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)
    return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)


def _results(frame: pl.DataFrame) -> pl.DataFrame:
    kept = [
        name
        for name in frame.columns
        if name in RESULT_COLUMNS
        or (name.startswith(("grade:", PREFIX)) and not name.endswith(CODE))
        or name == "grade_bands"
    ]
    made = frame.select(kept)
    figures = ("mean", "candidates", "spread", "lower", "upper")
    numbers = [name for name in kept if name in figures or name.startswith("grade:")]
    whole = pl.col("year").cast(pl.Int64)
    return made.with_columns([pl.col(name).cast(pl.Float64) for name in numbers] + [whole])


def _catalogue(sql: str) -> dict[str, list[int]]:
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT DISTINCT subject, year FROM ({sql}) WHERE score IS NOT NULL ORDER BY ALL"  # noqa: S608 - our own query
        ).fetchall()
    found: dict[str, list[int]] = {}
    for subject, year in rows:
        found.setdefault(str(subject), []).append(int(year))
    return found


# Kept beside the run, so that it can be computed again


def folder_of(run: Any) -> Path:
    return Path(settings.DATA_FOLDER) / "analysis" / str(run.uuid)


def keep(inputs: Inputs, run: Any) -> None:
    """Keep the tables; pupils' files stay where they lie and are named with their SHA-256."""
    folder = folder_of(run)
    folder.mkdir(parents=True, exist_ok=True)
    inputs.schools.write_parquet(folder / "schools.parquet")
    inputs.results.write_parquet(folder / "results.parquet")
    inputs.partnerships.write_parquet(folder / "partnerships.parquet")
    rest = {
        "pupils": inputs.pupils,
        "pupil_sql": inputs.pupil_sql,
        "pupil_files": inputs.pupil_files,
        "sources": list(inputs.sources),
    }
    (folder / "inputs.json").write_text(json.dumps(rest, indent=1), encoding="utf-8")


def kept(run: Any) -> Inputs:
    """Read back what a run was made from; whatever is gone or changed is named."""
    folder = folder_of(run)
    if not (folder / "inputs.json").exists():
        raise CannotError(f"The inputs of run {run.uuid} are not kept any more.")
    rest = json.loads((folder / "inputs.json").read_text(encoding="utf-8"))
    for name, sha256 in rest["pupil_files"].items():
        path = Path(settings.DATA_FOLDER) / name
        if not path.exists():
            raise CannotError(f"The imported file {name} is gone; the run needs it.")
        if hash_file(path) != sha256:
            raise CannotError(f"The imported file {name} was changed since the run was made.")
    return Inputs(
        pl.read_parquet(folder / "schools.parquet"),
        pl.read_parquet(folder / "results.parquet"),
        {name: list(years) for name, years in rest["pupils"].items()},
        rest["pupil_sql"],
        rest["pupil_files"],
        rest["sources"],
        _kept_partnerships(folder),
    )


def _kept_partnerships(folder: Path) -> pl.DataFrame:
    path = folder / "partnerships.parquet"
    return pl.read_parquet(path) if path.exists() else no_partnerships()


def own_sql(inputs: Inputs) -> str:
    """The query of the pupils' rows in this installation's data folder."""
    return inputs.pupil_sql.replace(DATA, str(settings.DATA_FOLDER))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
