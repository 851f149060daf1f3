"""The long parts of an import: look, check, confirm, undo. Each can be run again."""

from collections.abc import Mapping
from typing import Any

import polars as pl
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory import actions as directory
from brightspots_web.directory import queries as register
from brightspots_web.directory import succession_actions as successions
from brightspots_web.directory.models import Appointment
from brightspots_web.imports import actions, analysis, boundaries, queries, store
from brightspots_web.imports.models import Batch, Kind
from brightspots_web.shared import jobs
from brightspots_web.shared.components import Link
from brightspots_web.shared.jobs import CannotError, Progress
from brightspots_web.shared.models import Job


def _to_batch(job: Job) -> Link:
    return Link(_("See the import"), reverse("imports:batch", args=[job.parameters["batch"]]))


@jobs.register("imports.look", follow=_to_batch)
def look(parameters: Mapping[str, Any], progress: Progress) -> None:
    progress(0.0, _("Finding the columns"))
    actions.find_columns(_batch(parameters))


@jobs.register("imports.check", follow=_to_batch)
def check(parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """The dry run: nothing but the report is written."""
    batch = _batch(parameters)
    if batch.status in {Batch.Status.CONFIRMED, Batch.Status.UNDONE, Batch.Status.DISCARDED}:
        return {}
    store.clean_up(queries.files_in_use())
    path = queries.upload_path(batch)
    progress(0.05, _("Reading the file"))
    try:
        if batch.kind == Kind.BOUNDARIES:
            checked = boundaries.check(path, batch.file_name, batch.mapping)
        else:
            checked = analysis.check(path, batch.file_name, batch.mapping)
    except analysis.InputError as error:
        store.remove(batch.pk)
        actions.mark_refused(batch, str(error))
        return {"refused": str(error)}
    progress(0.7, _("Comparing with what is there"))
    # What is refused comes first in the report: it is what a person has to mend.
    problems = checked.problems.sort("severity", "row", nulls_last=False, maintain_order=True)
    store.write(problems, store.problems_file(batch.pk))
    store.write(checked.rows, store.staging_file(batch.pk))
    counts = {**checked.counts, **_compare(batch, checked.rows)}
    progress(0.95, _("Writing the report"))
    actions.mark_checked(batch, counts)
    return counts


@jobs.register("imports.confirm", follow=_to_batch)
def confirm(parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Everything or nothing. Run again after a stop, it finishes or finds itself finished."""
    batch, by = _batch(parameters), register.appointment(parameters["by"])
    if batch.status == Batch.Status.CHECKED:
        _publish(batch, by, int(parameters["leave_out"]), progress)
    elif batch.status != Batch.Status.CONFIRMED:
        raise CannotError(_("This import was given up in the meantime."))
    if batch.kind == Kind.SCHOOLS and {"latitude", "area_path"} & set(batch.mapping["columns"]):
        progress(0.7, _("Drawing the outlines of areas around their schools"))
        actions.publish_outlines(batch, analysis.drawn_outlines(), by=by)
    store.staging_file(batch.pk).unlink(missing_ok=True)
    store.look_file(batch.pk).unlink(missing_ok=True)
    return dict(batch.counts)


@jobs.register("imports.undo", follow=_to_batch)
def undo(parameters: Mapping[str, Any], progress: Progress) -> None:
    progress(0.1, _("Putting everything back"))
    try:
        actions.take_back(_batch(parameters), by=register.appointment(parameters["by"]))
    except ValidationError as error:
        raise CannotError(" ".join(error.messages)) from error


def _batch(parameters: Mapping[str, Any]) -> Batch:
    batch = queries.batch(parameters["batch"])
    if batch is None:
        raise CannotError(_("This import is not there any more."))
    return batch


def _compare(batch: Batch, rows: pl.DataFrame) -> dict[str, int]:
    if batch.kind == Kind.SCHOOLS:
        found = directory.compare_schools(analysis.school_rows(rows))
        if found.unknown:
            raise CannotError(_("The register changed while the file was checked; check again."))
        return {"new": len(found.new), "changed": len(found.changed), "same": len(found.same)}
    if batch.kind == Kind.BOUNDARIES:
        return boundaries.compare(rows)
    if batch.kind == Kind.SCHOOL_LINKS:
        new = len(successions.missing_links(analysis.link_rows(rows)))
        return {"new": new, "changed": 0, "same": rows.height - new}
    return store.compare(store.staging_file(batch.pk), queries.live_results(batch.kind))


def _publish(batch: Batch, by: Appointment, left_out: int, progress: Progress) -> None:
    staged = store.staging_file(batch.pk)
    if not staged.exists():
        raise CannotError(_("The checked rows are not there any more; check the file again."))
    progress(0.05, _("Comparing with what is there"))
    # Results are not read here: they may not fit into memory.
    rows = pl.read_parquet(staged) if batch.changes_register else pl.DataFrame()
    lost = 0 if batch.changes_register else analysis.unregistered(staged)
    now = _compare(batch, rows)
    if lost or any(batch.counts.get(name) != count for name, count in now.items()):
        raise CannotError(
            _("What is there has changed since the dry run; check the file again. Nothing changed.")
        )
    progress(0.2, _("Importing"))
    path = store.data_file(batch.kind, batch.pk)
    digest = store.adopt(staged, path)
    progress(0.3, _("Importing"))
    try:
        actions.publish(
            batch,
            by=by,
            data_path=path,
            data_sha256=digest,
            left_out=left_out,
            schools=analysis.school_rows(rows) if batch.kind == Kind.SCHOOLS else None,
            outlines=boundaries.outlines(rows) if batch.kind == Kind.BOUNDARIES else None,
            links=analysis.link_rows(rows) if batch.kind == Kind.SCHOOL_LINKS else None,
        )
    except ValidationError as error:
        raise CannotError(" ".join(error.messages)) from error
