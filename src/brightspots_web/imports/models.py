"""What was imported, by whom, from which file, and what it changed."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from brightspots_web.shared.models import Job


class Kind(models.TextChoices):
    """What a file holds; all but boundaries are the library's kinds."""

    SCHOOLS = "schools", _("Schools")
    SCHOOL_RESULTS = "school_results", _("Results by school")
    PUPIL_RESULTS = "pupil_results", _("Results by pupil")
    BOUNDARIES = "boundaries", _("Boundaries of areas")
    SCHOOL_LINKS = "school_links", _("Who took over from which school")


class Mapping(models.Model):
    """How the columns of a kind of file are read: made once, named, reused."""

    personal_data = "The name of the person who made it."
    kept_for = "As long as the system runs; names are cut after seven years."

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    definition = models.JSONField(default=dict)
    made_by = models.CharField(max_length=300)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "name"], name="mapping_name_once_a_kind")
        ]

    def __str__(self) -> str:
        return self.name


class Batch(models.Model):
    """One file on its way in: uploaded, checked, confirmed, perhaps undone."""

    personal_data = (
        "The name of the person who imported it; the uploaded file of results by pupil holds "
        "pupils' results under codes, outside the database."
    )
    kept_for = "As long as the system runs; the files of discarded batches are deleted at once."

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("uploaded")
        CHECKED = "checked", _("checked")
        REFUSED = "refused", _("refused")
        UNCHANGED = "unchanged", _("nothing to change")
        CONFIRMED = "confirmed", _("imported")
        UNDONE = "undone", _("undone")
        DISCARDED = "discarded", _("discarded")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.UPLOADED, db_index=True
    )
    file_name = models.CharField(max_length=200)
    stored = models.CharField(max_length=200)
    """The uploaded file, below MEDIA_ROOT, under a name of our own."""
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    header = models.JSONField(default=dict)
    """What was found on looking at the file: its columns, format, encoding, header row."""
    mapping = models.JSONField(default=dict)
    mapping_name = models.CharField(max_length=100, blank=True)
    counts = models.JSONField(default=dict)
    """Of the dry run: rows, new, changed, same, refused, skipped, repeated, warnings."""
    left_out = models.PositiveIntegerField(default=0)
    """Refused rows that were left out by choice when the rest was confirmed."""
    refusal = models.TextField(blank=True)
    """Why the whole file cannot be used."""
    data_path = models.CharField(max_length=200, blank=True)
    """The rows as Parquet, below DATA_FOLDER."""
    data_sha256 = models.CharField(max_length=64, blank=True)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL)
    """The last job for this batch."""
    created_by = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=300, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_order = models.PositiveBigIntegerField(null=True, unique=True)
    """1, 2, 3 in the order of confirmation: a later one supersedes an earlier one."""
    undone_by = models.CharField(max_length=300, blank=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("import")

    def __str__(self) -> str:
        return f"{self.file_name} ({self.pk})"

    @property
    def busy(self) -> bool:
        return self.job is not None and not self.job.is_over

    @property
    def can_be_mapped(self) -> bool:
        return self.status in OPEN and not self.busy

    @property
    def changes(self) -> int:
        return int(self.counts.get("new", 0)) + int(self.counts.get("changed", 0))

    @property
    def can_be_confirmed(self) -> bool:
        return self.status == self.Status.CHECKED and not self.busy and self.changes > 0

    @property
    def changes_register(self) -> bool:
        return self.kind in {Kind.SCHOOLS, Kind.BOUNDARIES, Kind.SCHOOL_LINKS}


OPEN = frozenset(
    {
        Batch.Status.UPLOADED,
        Batch.Status.CHECKED,
        Batch.Status.REFUSED,
        Batch.Status.UNCHANGED,
    }
)
"""States in which an import can still be mapped, checked or given up."""


class RecordChange(models.Model):
    """One record of the register as an import found it and left it, so that it can be undone."""

    personal_data = "None: it is about schools and areas."
    kept_for = "Until the import is undone."

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="record_changes")
    record = models.CharField(max_length=10)
    key = models.BigIntegerField()
    before = models.JSONField(null=True)
    """None: the record was not there."""
    after: Any = models.JSONField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.record} {self.key}"
