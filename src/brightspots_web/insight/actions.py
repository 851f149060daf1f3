"""All writes of published estimates."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.insight.models import AreaFigure, Estimate, Family, Run, Variance
from brightspots_web.shared import audit, jobs
from brightspots_web.shared.models import Job
from brightspots_web.shared.permissions import Actor, Capability, may

KEEP_RUNS = 5
"""Published runs whose rows are kept. Of older ones the record stays (method, settings, hashes)
and the rows go: they can be computed again from it while their inputs are kept."""

CHUNK = 2000
"""Rows written at a time; between chunks the database is free for everybody else."""


@dataclass(frozen=True)
class Findings:
    """What an analysis found: rows as mappings that fit the models, and how it came about.

    Rows name schools and areas by key. The run is added when they are written.
    """

    method: str
    method_version: str
    input_hash: str
    settings: Mapping[str, Any]
    sources: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]
    estimates: Sequence[Mapping[str, Any]] = field(repr=False)
    families: Sequence[Mapping[str, Any]] = field(repr=False)
    area_figures: Sequence[Mapping[str, Any]] = field(repr=False)
    variances: Sequence[Mapping[str, Any]] = field(repr=False)

    def tables(self) -> Iterator[tuple[type[models.Model], Sequence[Mapping[str, Any]]]]:
        yield Estimate, self.estimates
        yield Family, self.families
        yield AreaFigure, self.area_figures
        yield Variance, self.variances


@transaction.atomic
def start(
    *,
    by: Appointment,
    subjects: Sequence[str] | None = None,
    context: Sequence[str] | None = None,
    delta: float | None = None,
    seed: int = 1,
) -> Job:
    """Ask for an analysis; None means every subject, or the default context."""
    if not may(by, Capability.ANALYSE):
        raise PermissionDenied
    settings = {
        "subjects": sorted(set(subjects)) if subjects else None,
        "context": sorted(set(context)) if context is not None else None,
        "delta": delta,
        "seed": seed,
    }
    job = jobs.enqueue("insight.analyse", by=by, title=_("Analyse results"), parameters=settings)
    audit.record("insight.start", by=by, target=job, detail=settings)
    return job


def open_run(findings: Findings, *, by: Actor, job: int, started_at: datetime) -> Run:
    """Make the run under which rows are written; nobody sees it before it is published."""
    return Run.objects.create(
        method=findings.method,
        method_version=findings.method_version,
        seed=int(findings.settings.get("seed") or 0),
        input_hash=findings.input_hash,
        settings=_plain(findings.settings),
        sources=_plain(findings.sources),
        summary=_plain(findings.summary),
        asked_by=by.label[:300],
        job=job,
        started_at=started_at,
    )


def write_rows(run: Run, findings: Findings) -> Iterator[float]:
    """Write the rows in chunks; after each, the share that is written."""
    total = sum(len(rows) for _model, rows in findings.tables()) or 1
    done = 0
    for model, rows in findings.tables():
        for chunk in _chunks(rows, CHUNK):
            model._default_manager.bulk_create([model(run=run, **row) for row in chunk])
            done += len(chunk)
            yield done / total


@transaction.atomic
def publish(run: Run, *, by: Actor, seconds: Mapping[str, float]) -> Run:
    """Show this run's figures on every page, all of them from one moment to the next."""
    run.published_at = run.finished_at = timezone.now()
    run.summary = {**run.summary, "seconds": {k: round(v, 2) for k, v in seconds.items()}}
    run.save()
    detail = {"input_hash": run.input_hash, "method_version": run.method_version}
    audit.record("insight.publish", by=by, target=run, detail=detail)
    return run


def discard(run: Run) -> None:
    """Remove a run that was never published, with its rows."""
    if run.published_at is None:
        _remove_rows(run)
        run.delete()


def discard_leftovers(*, job: int) -> None:
    """Remove what a killed attempt of this job left behind; nobody has seen it."""
    for run in Run.objects.filter(job=job, published_at__isnull=True):
        discard(run)


def prune(keep: int = KEEP_RUNS) -> list[Run]:
    """Remove the rows of all but the newest published runs; gives the runs that lost them."""
    published = Run.objects.filter(published_at__isnull=False).order_by("-published_at", "-pk")
    old = [run for run in published[keep:] if run.rows_removed_at is None]
    for run in old:
        _remove_rows(run)
        run.rows_removed_at = timezone.now()
        run.save(update_fields=["rows_removed_at"])
    return old


def _remove_rows(run: Run) -> None:
    for model in (Estimate, Family, AreaFigure, Variance):
        rows = model._default_manager.filter(run=run)
        while keys := list(rows.values_list("pk", flat=True)[:CHUNK]):
            rows.filter(pk__in=keys).delete()


def _chunks(rows: Iterable[Mapping[str, Any]], size: int) -> Iterator[list[Mapping[str, Any]]]:
    each = iter(rows)
    while chunk := list(islice(each, size)):
        yield chunk


def _plain(value: Any) -> Any:
    """JSON types only, dates as text."""
    return json.loads(json.dumps(value, default=str))
