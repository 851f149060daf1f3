"""The twin as files: what a ministry would have, and the truth in a folder of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from brightspots.core.fields import AREA_SEPARATOR

_ROWS_A_GROUP = 131_072
_README = """\
INVENTED DATA

Everything in this folder was made by a computer: a simulated school system. No school, place,
pupil or head in it exists. Do not draw conclusions about any real school from it.

Made by: brightspots twin
Seed: {seed}
Schools: {n_schools}

schools.csv              the register of schools
pupils.parquet           one row a pupil, sorted by school
results_by_school.csv    a subject that is published for schools only
leaders.csv              heads: years in post, days to give, a panel's view of strengths (1 to 4)
boundaries.geojson       counties and sub-counties
truth/                   what was put into the simulation; no ministry would have it, so it is
                         never imported: compare results with it
"""


@dataclass(frozen=True)
class Rest:
    """Everything but pupils' and schools' results."""

    areas: pl.DataFrame
    schools: pl.DataFrame
    leaders: pl.DataFrame
    boundaries: Mapping[str, Any]
    truth: Mapping[str, pl.DataFrame]
    seed: int


def write(folder: Path, rest: Rest, results: Iterator[tuple[pl.DataFrame, pl.DataFrame]]) -> None:
    """Write all files; `results` is a stream of (pupils, results by school)."""
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    register(rest.schools).write_csv(folder / "schools.csv")
    rest.leaders.write_csv(folder / "leaders.csv")
    by_school = _write_pupils(folder / "pupils.parquet", results)
    by_school.write_csv(folder / "results_by_school.csv")
    text = json.dumps(rest.boundaries, ensure_ascii=False, separators=(",", ":"))
    (folder / "boundaries.geojson").write_text(text + "\n", encoding="utf-8")
    for name, frame in rest.truth.items():
        frame.write_csv(folder / "truth" / f"{name}.csv")
    readme = _README.format(seed=rest.seed, n_schools=len(rest.schools))
    (folder / "README.txt").write_text(readme, encoding="utf-8")


def register(schools: pl.DataFrame) -> pl.DataFrame:
    """Schools with a column for each level of area, as a ministry's register has them."""
    levels = pl.col("area_path").str.split(AREA_SEPARATOR)
    area = [levels.list.get(1).alias("county"), levels.list.get(2).alias("sub_county")]
    return schools.select("code", "name", *area, pl.exclude("code", "name", "area_path"))


def _write_pupils(path: Path, results: Iterator[tuple[pl.DataFrame, pl.DataFrame]]) -> pl.DataFrame:
    """Write row groups of one size, however the stream is cut; give back results by school."""
    by_school: list[pl.DataFrame] = []
    writer: pq.ParquetWriter | None = None
    waiting: pl.DataFrame | None = None
    part = path.with_name(path.name + ".part")
    try:
        for pupils, schools in results:
            by_school.append(schools)
            writer = writer or pq.ParquetWriter(part, _plain(pupils.head(0)).schema)
            waiting = pupils if waiting is None else pl.concat([waiting, pupils])
            while len(waiting) >= _ROWS_A_GROUP:
                writer.write_table(_plain(waiting.head(_ROWS_A_GROUP)))
                waiting = waiting.slice(_ROWS_A_GROUP)
        if writer is not None and waiting is not None and len(waiting):
            writer.write_table(_plain(waiting))
    finally:
        if writer is not None:
            writer.close()
    os.replace(part, path)
    return pl.concat(by_school)


def _plain(frame: pl.DataFrame) -> pa.Table:
    """As an Arrow table with ordinary strings and one chunk a column: the same bytes each time."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    return table.cast(
        pa.schema(
            [
                pa.field(
                    each.name, pa.string() if pa.types.is_large_string(each.type) else each.type
                )
                for each in table.schema
            ]
        )
    )
