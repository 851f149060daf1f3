"""All writes of estimates: asked for, written under a run, published by a person, taken back.

A run is *being made* (no `finished_at`), a *draft* (finished, never published), *published*, or
*withdrawn*. Pages show the newest published run that is not withdrawn and whose rows are kept, so
that publishing and taking back are one write each and nothing in between is ever seen.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.insight import after_publishing, bright_spot_actions, queries
from brightspots_web.insight.findings import TABLES
from brightspots_web.insight.findings import Findings as Findings
from brightspots_web.insight.models import Run
from brightspots_web.shared import audit, jobs
from brightspots_web.shared.models import Job
from brightspots_web.shared.permissions import Actor, Capability, may

KEEP_RUNS = 5
"""Published runs whose rows are kept. Of older ones the record stays (method, settings, hashes)
and the rows go: they can be computed again from it while their inputs are kept."""
KEEP_DRAFTS = 5
"""Drafts and withdrawn runs whose rows are kept besides."""

CHUNK = 2000
"""Rows written at a time; between chunks the database is free for everybody else."""


@transaction.atomic
def start(
    *,
    by: Appointment,
    subjects: Sequence[str] | None = None,
    context: Sequence[str] | None = None,
    delta: float | None = None,
    seed: int = 1,
    formula: str = "",
    earlier: str = "",
    drift: str = "none",
    note: str = "",
    publish_when_done: bool = False,
) -> Job:
    """Ask for an analysis; None means every subject, or the default context.

    It ends as a draft, unless the person who asks says now that it shall be published when done.
    """
    if not may(by, Capability.ANALYSE):
        raise PermissionDenied
    asked = {
        "subjects": sorted(set(subjects)) if subjects else None,
        "context": sorted(set(context)) if context is not None else None,
        "delta": delta,
        "seed": seed,
        "formula": " ".join(formula.split()),
        "earlier": earlier,
        "drift": drift,
        "note": note.strip()[:500],
        "publish": publish_when_done,
    }
    job = jobs.enqueue("insight.analyse", by=by, title=_("Analyse results"), parameters=asked)
    audit.record("insight.start", by=by, target=job, detail=asked)
    return job


def open_run(
    findings: Findings, *, by: Actor, job: int, started_at: datetime, note: str = ""
) -> Run:
    """Make the run under which rows are written; it is a draft once it is finished."""
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
        note=note,
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
def finish(run: Run, *, by: Actor, seconds: Mapping[str, float]) -> Run:
    """All rows are there: the run is a draft that analysts see, and nobody else."""
    run.finished_at = timezone.now()
    run.summary = {**run.summary, "seconds": {k: round(v, 2) for k, v in seconds.items()}}
    run.save(update_fields=["finished_at", "summary"])
    audit.record("insight.finish", by=by, target=run, detail=_named(run))
    return run


@transaction.atomic
def publish(run: Run, *, by: Actor, instead_of: UUID | str | None = None) -> Run:
    """Show this run's figures on every page, all of them from one moment to the next.

    Parameters
    ----------
    instead_of
        The run that the person saw as the published one ("" for none). Where another has taken its
        place in the meantime nothing is published, so that nobody covers up a colleague's decision
        without knowing of it. None: whatever is published now.

    Raises
    ------
    PermissionDenied
        The appointment may not analyse.
    ValidationError
        The run is not finished, its rows are gone, or another was published in the meantime. Of two
        people who publish at once, the first does and the second is told.
    """
    if not may(by, Capability.ANALYSE):
        raise PermissionDenied
    run, now = _locked(run)
    if run.finished_at is None:
        raise ValidationError(_("This analysis is not finished yet."))
    if run.rows_removed_at is not None:
        raise ValidationError(
            _("The figures of this analysis are no longer kept. Start it again to publish it.")
        )
    if now is not None and now.pk == run.pk:
        return run  # pressed twice
    if instead_of is not None and str(instead_of) != (str(now.uuid) if now else ""):
        raise ValidationError(_("In the meantime {change}. Look again, then decide.").format(
            change=_what_changed(now)))  # fmt: skip
    again = run.published_at is not None
    run.published_at = _after_all_others()
    run.published_by = by.label[:300]
    run.withdrawn_at, run.withdrawn_by, run.withdrawn_reason = None, "", ""
    run.save()
    detail = {**_named(run), "again": again, "instead_of": str(now.uuid) if now else None}
    audit.record("insight.publish", by=by, target=run, detail=detail)
    bright_spot_actions.note_candidates(run, by=by)
    after_publishing.tell(by)
    return run


@transaction.atomic
def withdraw(run: Run, *, by: Actor, reason: str) -> Run | None:
    """Take a published run back; gives the run that pages show from now on.

    That is the one published before it whose rows are kept. Nothing is removed: the run can be
    published again.

    Raises
    ------
    ValidationError
        The run is not published, or no reason is given.
    """
    if not may(by, Capability.ANALYSE):
        raise PermissionDenied
    reason = " ".join(reason.split())
    if not reason:
        raise ValidationError(_("Say why, so that people who saw the figures can understand."))
    run, _now = _locked(run)
    if run.published_at is None or run.withdrawn_at is not None:
        raise ValidationError(_("This analysis is not published."))
    run.withdrawn_at = timezone.now()
    run.withdrawn_by = by.label[:300]
    run.withdrawn_reason = reason[:500]
    run.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    back = queries.current_run()
    detail = {**_named(run), "reason": reason[:500], "now": str(back.uuid) if back else None}
    audit.record("insight.withdraw", by=by, target=run, detail=detail)
    after_publishing.tell(by)
    return back


def discard_draft(run: Run, *, by: Actor) -> None:
    """Throw a draft away by hand: the run, its rows and its kept inputs.

    Raises
    ------
    ValidationError
        It was published once: what people have seen stays on record.
    """
    if not may(by, Capability.ANALYSE):
        raise PermissionDenied
    with transaction.atomic():
        run, _now = _locked(run)
        if run.published_at is not None:
            raise ValidationError(_("It was published once, so it stays on record."))
        if run.finished_at is None:
            raise ValidationError(_("This analysis is not finished yet."))
        audit.record("insight.discard", by=by, target=run, detail=_named(run))
        # From here on nobody can publish it, whatever happens to the removal of its rows.
        run.rows_removed_at = timezone.now()
        run.save(update_fields=["rows_removed_at"])
    discard(run)


def discard(run: Run) -> None:
    """Remove a run that was never published, with its rows and kept inputs."""
    if run.published_at is None:
        _remove_rows(run)
        run.delete()
        shutil.rmtree(Path(settings.DATA_FOLDER) / "analysis" / str(run.uuid), ignore_errors=True)


def discard_leftovers(*, job: int) -> None:
    """Remove what a killed attempt of this job left behind; nobody has seen it."""
    for run in Run.objects.filter(job=job, finished_at__isnull=True, published_at__isnull=True):
        discard(run)


def prune(keep: int = KEEP_RUNS, keep_drafts: int = KEEP_DRAFTS) -> list[Run]:
    """Remove the rows of all but the newest runs; gives the runs that lost them.

    The published run is always kept. A run is marked before its rows go, so that nobody can publish
    it half removed; rows that a killed attempt left are removed by the next.
    """
    with transaction.atomic():
        finished = (
            Run.objects.select_for_update(no_key=True)
            .filter(finished_at__isnull=False)
            .order_by("pk")
        )
        runs = [run for run in finished if run.rows_removed_at is None]
        shown = sorted((run for run in runs if _is_published(run)), key=_published_order)
        others = sorted((run for run in runs if not _is_published(run)), key=lambda r: -r.pk)
        old = [*shown[keep:], *others[keep_drafts:]]
        for run in old:
            run.rows_removed_at = timezone.now()
            run.save(update_fields=["rows_removed_at"])
    for run in Run.objects.filter(rows_removed_at__isnull=False):
        _remove_rows(run)
    return old


def _is_published(run: Run) -> bool:
    return run.published_at is not None and run.withdrawn_at is None


def _published_order(run: Run) -> tuple[float, int]:
    """Newest first."""
    return -run.published_at.timestamp() if run.published_at else 0.0, -run.pk


def _locked(run: Run) -> tuple[Run, Run | None]:
    """The run as it is now, and the published one; decisions about runs come one after another.

    Every finished run is locked, in one order, so that of two people one waits for the other.
    """
    list(
        Run.objects.select_for_update(no_key=True).filter(finished_at__isnull=False).order_by("pk")
    )
    return Run.objects.get(pk=run.pk), queries.current_run()


def _after_all_others() -> datetime:
    """Now, and later than whatever was published before, whatever clocks say."""
    last = Run.objects.aggregate(last=Max("published_at"))["last"]
    now = timezone.now()
    return max(now, last + timedelta(microseconds=1)) if last else now


def _what_changed(now: Run | None) -> str:
    if now is None:
        return _("the published analysis was withdrawn")
    return _("another analysis was published by {person}").format(person=now.published_by)


def _named(run: Run) -> dict[str, Any]:
    return {
        "run": str(run.uuid),
        "input_hash": run.input_hash,
        "method_version": run.method_version,
    }


def _remove_rows(run: Run) -> None:
    for model in TABLES:
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
