"""All reads of imports."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from django.conf import settings
from django.db.models import QuerySet

from brightspots_web.directory import queries as register
from brightspots_web.imports import store
from brightspots_web.imports.models import OPEN, Batch, Kind, Mapping, RecordChange
from brightspots_web.shared.permissions import Actor, Capability, may

REGISTER_KINDS = (Kind.SCHOOLS, Kind.BOUNDARIES, Kind.SCHOOL_LINKS)
"""Kinds that change the register; they are undone in reverse order, all together."""


def batches_visible_to(acting: Actor | None) -> QuerySet[Batch]:
    """Whoever may import sees the whole history of imports."""
    if not may(acting, Capability.IMPORT):
        return Batch.objects.none()
    return Batch.objects.select_related("job")


def mappings(kind: str) -> QuerySet[Mapping]:
    return Mapping.objects.filter(kind=kind)


def mapping(kind: str, name: str) -> Mapping | None:
    return Mapping.objects.filter(kind=kind, name=name).first()


def batch(key: int) -> Batch | None:
    return Batch.objects.select_related("job").filter(pk=key).first()


def upload_path(batch: Batch) -> Path:
    return Path(settings.MEDIA_ROOT) / batch.stored


def confirmed() -> QuerySet[Batch]:
    """Live batches in the order of their confirmation."""
    return Batch.objects.filter(status=Batch.Status.CONFIRMED).order_by("confirmed_order")


def live_results(kind: str) -> list[store.LiveBatch]:
    """Batches whose rows count, in the order of confirmation."""
    return [
        store.LiveBatch(
            batch=batch.pk,
            order=batch.confirmed_order or 0,
            path=Path(settings.DATA_FOLDER) / batch.data_path,
            sha256=batch.sha256,
            data_sha256=batch.data_sha256,
            file_name=batch.file_name,
            confirmed_at=batch.confirmed_at or batch.created_at,
        )
        for batch in confirmed().filter(kind=kind)
    ]


def same_file(batch: Batch) -> Batch | None:
    """A live batch of the very same file, by its SHA-256."""
    return confirmed().filter(sha256=batch.sha256, kind=batch.kind).exclude(pk=batch.pk).last()


def changes_of(batch: Batch) -> QuerySet[RecordChange]:
    return RecordChange.objects.filter(batch=batch).order_by("pk")


def newer_than(batch: Batch) -> Batch | None:
    """The newest live batch that changed the register after this one."""
    later = confirmed().filter(kind__in=REGISTER_KINDS, confirmed_order__gt=batch.confirmed_order)
    return later.last()


def results_of_schools(keys: Sequence[str]) -> Batch | None:
    """A live batch that holds results of one of these schools."""
    wanted = pl.Series("school", list(keys), dtype=pl.String)
    for kind in (Kind.SCHOOL_RESULTS, Kind.PUPIL_RESULTS):
        for live in reversed(live_results(kind)):
            schools = pl.scan_parquet(live.path).select("school").unique().collect()["school"]
            if schools.is_in(wanted.implode()).any():
                return batch(live.batch)
    return None


def areas_with_given_outline() -> set[int]:
    """Areas whose outline came from a boundary file and is not to be drawn over."""
    keys = RecordChange.objects.filter(
        batch__kind=Kind.BOUNDARIES, batch__status=Batch.Status.CONFIRMED, record="area"
    )
    return set(keys.values_list("key", flat=True))


def problems(batch: Batch, limit: int | None = None) -> list[dict[str, Any]]:
    """What is wrong, by row: row, column, value, problem, mend, severity, also_row."""
    path = store.problems_file(batch.pk)
    if not path.exists():
        return []
    rows = pl.scan_parquet(path)
    return (rows if limit is None else rows.head(limit)).collect().to_dicts()


def first_rows(batch: Batch) -> list[list[str]]:
    path = store.look_file(batch.pk)
    rows: list[list[str]] = json.loads(path.read_text()) if path.exists() else []
    return rows


def problem_counts(batch: Batch) -> list[dict[str, Any]]:
    """Problems of one kind counted together, refusals first: severity, problem, column, count."""
    path = store.problems_file(batch.pk)
    if not path.exists():
        return []
    counted = pl.scan_parquet(path).group_by("severity", "problem", "column").len("count")
    order = ["severity", "count", "problem", "column"]
    return counted.sort(order, descending=[False, True, False, False]).collect().to_dicts()


def levels() -> dict[int, list[str]]:
    """Each level of areas below the root, with the names of its first areas."""
    found: dict[int, list[str]] = {}
    for names in sorted(register.area_names().values()):
        if len(names) > 1:
            found.setdefault(len(names) - 1, []).append(names[-1])
    return {level: found[level][:4] for level in sorted(found)}


def files_in_use() -> set[Path]:
    """Files of the data folder that some batch still needs."""
    kept: set[Path] = set()
    for each in Batch.objects.exclude(status=Batch.Status.DISCARDED):
        kept.add(store.problems_file(each.pk))
        if each.status in OPEN:
            kept |= {store.staging_file(each.pk), store.look_file(each.pk)}
        if each.data_path:
            kept.add(Path(settings.DATA_FOLDER) / each.data_path)
    return kept
