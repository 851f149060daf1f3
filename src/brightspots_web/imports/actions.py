"""All writes of imports: upload, map, check, confirm, undo. The long ones are done by jobs."""

import hashlib
import json
import uuid
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import actions as directory
from brightspots_web.directory import succession_actions as successions
from brightspots_web.directory.models import Appointment
from brightspots_web.imports import analysis, boundaries, queries, store
from brightspots_web.imports.models import OPEN, Batch, Kind, Mapping, RecordChange
from brightspots_web.shared import audit, jobs
from brightspots_web.shared.models import Job

BLOCK = 1 << 20


def upload(file: BinaryIO, *, name: str, kind: str, by: Appointment) -> Batch:
    """Keep a file under a name of our own, with its SHA-256; its own name is only shown."""
    if kind not in Kind.values:
        raise ValidationError(_("Choose what the file holds."))
    folder = Path(settings.MEDIA_ROOT) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / uuid.uuid4().hex
    try:
        size, digest = _copy(file, path)
        with transaction.atomic():
            batch = Batch.objects.create(
                kind=kind,
                file_name=shown_name(name),
                stored=str(path.relative_to(settings.MEDIA_ROOT)),
                size=size,
                sha256=digest,
                created_by=by.label[:300],
            )
            audit.record("imports.upload", by=by, target=batch, detail={"sha256": digest})
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return batch


def shown_name(name: str) -> str:
    """The last part of a file's name, without what does not print."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(letter for letter in last if letter.isprintable()).strip()
    return clean[:200] or _("file without a name")


def look(batch: Batch, *, by: Appointment) -> Job | None:
    """Find columns and first rows: at once, or by a job where the format makes that long."""
    if batch.kind == Kind.BOUNDARIES or analysis.looks_quick(queries.upload_path(batch)):
        find_columns(batch)
        return None
    return _enqueue("imports.look", batch, by, _("Look at %(file)s"))


def read_again(batch: Batch, options: AnyMapping[str, Any], *, by: Appointment) -> Job | None:
    """Open the file in another way: other letters, delimiter, header row or sheet."""
    with transaction.atomic():
        batch = _locked(batch)
        if not batch.can_be_mapped:
            raise ValidationError(_("This import is past mapping."))
        batch.mapping = {name: value for name, value in options.items() if value is not None}
        batch.counts = {}
        batch.save()
    return look(batch, by=by)


def find_columns(batch: Batch) -> None:
    """Keep the columns and first rows of the file, or why it cannot be read."""
    path = queries.upload_path(batch)
    # Confirmed or given up in the meantime: its state stays as it is.
    still_open = Batch.objects.filter(pk=batch.pk, status__in=OPEN)
    try:
        if batch.kind == Kind.BOUNDARIES:
            header = boundaries.look(path, batch.file_name)
        else:
            header = analysis.look(path, batch.file_name, batch.mapping)
    except analysis.InputError as error:
        still_open.update(header={}, status=Batch.Status.REFUSED, refusal=str(error))
    else:
        store.look_file(batch.pk).write_text(json.dumps(header.pop("rows")))
        still_open.update(header=header, status=Batch.Status.UPLOADED, refusal="")
    batch.refresh_from_db()


@transaction.atomic
def save_mapping(
    definition: AnyMapping[str, Any], *, name: str, kind: str, by: Appointment
) -> Mapping:
    """Keep a mapping under a name; saving under the same name again replaces it."""
    saved, _created = Mapping.objects.update_or_create(
        kind=kind,
        name=name,
        defaults={
            "definition": _checked({**definition, "name": name, "kind": kind}),
            "made_by": by.label[:300],
        },
    )
    audit.record("imports.save_mapping", by=by, target=saved)
    return saved


@transaction.atomic
def set_mapping(
    batch: Batch, definition: AnyMapping[str, Any], *, by: Appointment, name: str = ""
) -> Batch:
    """Say how the file is to be read; what was checked before has to be checked again."""
    batch = _locked(batch)
    if not batch.can_be_mapped:
        raise ValidationError(
            _("This import is past mapping: it is %(status)s."),
            params={"status": batch.get_status_display()},
        )
    plain = {**definition, "kind": str(batch.kind), "name": name or definition.get("name", "")}
    batch.mapping = _checked(plain)
    batch.mapping_name = name[:100]
    batch.status, batch.refusal, batch.counts = Batch.Status.UPLOADED, "", {}
    batch.save()
    return batch


@transaction.atomic
def check(batch: Batch, *, by: Appointment) -> Job:
    """Ask for the dry run."""
    batch = _locked(batch)
    if not batch.can_be_mapped:
        raise ValidationError(_("This import cannot be checked now."))
    return _enqueue("imports.check", batch, by, _("Check %(file)s"))


@transaction.atomic
def confirm(batch: Batch, *, by: Appointment, leave_out_refused: bool = False) -> Job:
    """Ask for the import of what was checked: all of it, or all but the refused rows."""
    batch = _locked(batch)
    if not batch.can_be_confirmed:
        raise ValidationError(_("There is nothing to import here, or it is at work already."))
    refused = int(batch.counts.get("refused", 0))
    if refused and not leave_out_refused:
        raise ValidationError(
            _("%(refused)d rows are refused. Mend them, or choose to leave them out."),
            params={"refused": refused},
        )
    return _enqueue("imports.confirm", batch, by, _("Import %(file)s"), leave_out=refused)


@transaction.atomic
def undo(batch: Batch, *, by: Appointment) -> Job:
    """Ask for everything to be put back as it was before this import."""
    batch = _locked(batch)
    if batch.status != Batch.Status.CONFIRMED or batch.busy:
        raise ValidationError(_("Only an import that is live and not at work can be undone."))
    why_not(batch)
    return _enqueue("imports.undo", batch, by, _("Undo the import of %(file)s"))


@transaction.atomic
def discard(batch: Batch, *, by: Appointment) -> Batch:
    """Give up an import that was never confirmed; its files are deleted."""
    batch = _locked(batch)
    if not batch.can_be_mapped:
        raise ValidationError(_("Only an import that was not confirmed can be discarded."))
    batch.status, batch.header = Batch.Status.DISCARDED, {}
    batch.save()
    audit.record("imports.discard", by=by, target=batch)
    transaction.on_commit(lambda: _delete_files(batch))
    return batch


def why_not(batch: Batch) -> None:
    """Say, by a ValidationError, why an import cannot be undone."""
    if batch.kind not in queries.REGISTER_KINDS:
        return
    newer = queries.newer_than(batch)
    if newer is not None:
        raise ValidationError(
            _("Imports into the register are undone newest first: undo “%(file)s” first."),
            params={"file": str(newer)},
        )
    created = [
        change.after["code"]
        for change in queries.changes_of(batch).filter(record="school", before__isnull=True)
    ]
    held = queries.results_of_schools(created) if created else None
    if held is not None:
        raise ValidationError(
            _("“%(file)s” holds results of schools that this import added: undo it first."),
            params={"file": str(held)},
        )


# What the jobs write


@transaction.atomic
def mark_refused(batch: Batch, reason: str) -> None:
    Batch.objects.filter(pk=batch.pk).update(
        status=Batch.Status.REFUSED, refusal=reason, counts={}, checked_at=timezone.now()
    )


@transaction.atomic
def mark_checked(batch: Batch, counts: AnyMapping[str, int]) -> None:
    nothing = not (counts["new"] or counts["changed"] or counts["refused"])
    status = Batch.Status.UNCHANGED if nothing else Batch.Status.CHECKED
    Batch.objects.filter(pk=batch.pk).update(
        status=status, refusal="", counts=dict(counts), checked_at=timezone.now()
    )


@transaction.atomic
def publish(
    batch: Batch,
    *,
    by: Appointment,
    data_path: Path,
    data_sha256: str,
    left_out: int,
    schools: list[directory.SchoolRow] | None = None,
    outlines: AnyMapping[int, AnyMapping[str, Any]] | None = None,
    links: list[successions.Link] | None = None,
) -> None:
    """Make a checked batch live: register and batch in one transaction, or neither."""
    batch = _locked(batch)
    if batch.status != Batch.Status.CHECKED:
        raise ValidationError(_("This import was confirmed or given up by somebody else."))
    changes: list[directory.Change] = []
    if schools is not None:
        changes += directory.import_schools(schools, by=by)
    if outlines is not None:
        changes += directory.draw_outlines(outlines, by=by)
    if links is not None:
        made = successions.import_links(links, by=by)
        changes += [directory.Change("link", key, None, {}) for key in made]
    _keep(batch, changes)
    # The audit trail is one chain: holding its head orders confirmations too.
    audit.record(
        "imports.confirm",
        by=by,
        target=batch,
        detail={"sha256": batch.sha256, "counts": batch.counts, "left out": left_out},
    )
    last = Batch.objects.aggregate(last=Max("confirmed_order"))["last"] or 0
    batch.status, batch.confirmed_order = Batch.Status.CONFIRMED, last + 1
    batch.confirmed_by, batch.confirmed_at = by.label[:300], timezone.now()
    batch.left_out = left_out
    batch.data_path, batch.data_sha256 = store.below_data(data_path), data_sha256
    batch.save()


@transaction.atomic
def publish_outlines(
    batch: Batch, outlines: AnyMapping[int, AnyMapping[str, Any]], *, by: Appointment
) -> None:
    """Keep the outlines drawn after a schools import, as part of it."""
    batch = _locked(batch)
    if batch.status == Batch.Status.CONFIRMED and queries.newer_than(batch) is None:
        _keep(batch, directory.draw_outlines(outlines, by=by))


@transaction.atomic
def take_back(batch: Batch, *, by: Appointment) -> None:
    """Put everything back as it was before this batch."""
    batch = _locked(batch)
    if batch.status == Batch.Status.UNDONE:
        return
    why_not(batch)
    changes = [
        directory.Change(change.record, change.key, change.before, change.after)  # type: ignore[arg-type] # written from a Change
        for change in queries.changes_of(batch)
    ]
    links = [each.key for each in changes if each.record == "link"]
    if links:
        successions.forget_links(links, by=by)
    elif changes:
        directory.restore_schools(changes, by=by)
    if changes:
        RecordChange.objects.filter(batch=batch).delete()
    batch.status = Batch.Status.UNDONE
    batch.undone_by, batch.undone_at = by.label[:300], timezone.now()
    batch.save()
    audit.record("imports.undo", by=by, target=batch, detail={"changes": len(changes)})


def _checked(definition: AnyMapping[str, Any]) -> dict[str, Any]:
    if definition["kind"] == Kind.BOUNDARIES:
        return boundaries.checked_mapping(definition)
    return analysis.checked_mapping(definition)


def _keep(batch: Batch, changes: list[directory.Change]) -> None:
    RecordChange.objects.bulk_create(
        (
            RecordChange(
                batch=batch,
                record=change.record,
                key=change.key,
                before=change.before,
                after=change.after,
            )
            for change in changes
        ),
        batch_size=1000,
    )


def _delete_files(batch: Batch) -> None:
    queries.upload_path(batch).unlink(missing_ok=True)
    store.remove(batch.pk)


def _locked(batch: Batch) -> Batch:
    return (
        Batch.objects.select_for_update(of=("self",), no_key=True)
        .select_related("job")
        .get(pk=batch.pk)
    )


def _enqueue(kind: str, batch: Batch, by: Appointment, title: str, **more: Any) -> Job:
    job = jobs.enqueue(
        kind,
        by=by,
        title=(title % {"file": batch.file_name})[:200],
        parameters={"batch": batch.pk, "by": by.pk, **more},
    )
    Batch.objects.filter(pk=batch.pk).update(job=job)
    return job


def _copy(file: BinaryIO, path: Path) -> tuple[int, str]:
    """Copy block by block, whatever the size; refuse what is too large or empty."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as out:
        while block := file.read(BLOCK):
            size += len(block)
            if size > settings.UPLOAD_LIMIT:
                raise ValidationError(
                    _("The file is larger than %(limit)d MB."),
                    params={"limit": settings.UPLOAD_LIMIT // 10**6},
                )
            digest.update(block)
            out.write(block)
    if not size:
        raise ValidationError(_("The file is empty."))
    return size, digest.hexdigest()
