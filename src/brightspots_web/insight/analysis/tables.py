"""The tables of a run as Parquet files beside its inputs, for analysts and their own tools."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
from django.db import models

from brightspots_web.directory import queries as directory
from brightspots_web.insight import downloads, run_queries
from brightspots_web.insight.models import Run

CHUNK = 20_000
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""Date of the files in the ZIP: the same run gives the same bytes."""


def write_stored_tables(run: Run) -> list[Path]:
    """Write every table of a run that has rows; schools by code, areas and partnerships by name."""
    folder = downloads.folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    codes = dict(directory.all_schools().order_by("code").values_list("pk", "code"))
    areas = {key: " > ".join(path) for key, path in directory.area_names().items()}
    written = []
    for model, rows in run_queries.stored(run):
        name = str(model._meta.model_name)
        frame = _frame(model, rows, codes, areas)
        if frame.is_empty():
            continue
        path = folder / f"{name}.parquet"
        part = path.with_suffix(f".{os.getpid()}.part")
        frame.write_parquet(part, compression="zstd")
        part.replace(path)
        written.append(path)
    return written


def zip_tables(run: Run) -> Path:
    """Put all tables of a run into one file."""
    folder = downloads.folder(run)
    path = folder / "tables.zip"
    part = path.with_suffix(f".{os.getpid()}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for each in sorted(folder.glob("*.parquet")):
            with each.open("rb") as source:
                entry = zipfile.ZipInfo(each.name, _MOMENT)
                with archive.open(entry, "w", force_zip64=True) as target:
                    while block := source.read(1 << 20):
                        target.write(block)
    part.replace(path)
    return path


def _frame(
    model: type[models.Model],
    rows: Any,
    codes: Mapping[int, str],
    areas: Mapping[int, str],
) -> pl.DataFrame:
    kept = [f for f in model._meta.concrete_fields if f.name not in {"id", "run"}]
    schema = {_column(f): _type(f) for f in kept}
    parts: list[pl.DataFrame] = []
    names = [f.attname for f in kept]
    found = rows.values_list(*names).iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        columns = list(zip(*chunk, strict=True))
        parts.append(
            pl.DataFrame(
                {
                    _column(field): _values(field, values, codes, areas)
                    for field, values in zip(kept, columns, strict=True)
                },
                schema=schema,
            )
        )
    if not parts:
        return pl.DataFrame(schema=schema)
    order = [
        name for name in ("subject", "school", "area", "partnership", "year") if name in schema
    ]
    others = [name for name in schema if name not in order and schema[name] == pl.String]
    return pl.concat(parts).sort([*order, *others], maintain_order=True)


def _column(field: Any) -> str:
    return str(field.name)


def _type(field: Any) -> Any:
    if field.name in {"school", "area"} or isinstance(field, models.CharField | models.TextField):
        return pl.String
    if field.name == "members":
        return pl.List(pl.String)
    if isinstance(field, models.JSONField):
        return pl.String
    if isinstance(field, models.FloatField):
        return pl.Float64
    if isinstance(field, models.BooleanField):
        return pl.Boolean
    return pl.Int64


def _values(
    field: Any, values: Sequence[Any], codes: Mapping[int, str], areas: Mapping[int, str]
) -> list[Any]:
    if field.name == "school":
        return [codes.get(key) for key in values]
    if field.name == "area":
        return [areas.get(key) for key in values]
    if field.name == "members":
        return [[codes[key] for key in members if key in codes] for members in values]
    if isinstance(field, models.JSONField):
        return [json.dumps(value, sort_keys=True, ensure_ascii=False) for value in values]
    return list(values)
