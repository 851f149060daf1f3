"""What every app leans on: the audit trail and the queue of jobs.

Both name the acting appointment in plain text: a record of what was done outlives the record of
the person, and the lowest layer knows nothing of the layers above.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One action of one appointment, chained to the entry before it."""

    personal_data = "The acting person's name and appointment."
    kept_for = "As long as the system runs: an entry cannot change without breaking the chain."

    at = models.DateTimeField(db_index=True)
    appointment = models.CharField(max_length=40, blank=True)
    actor = models.CharField(max_length=300)
    role = models.CharField(max_length=40, blank=True)
    action = models.CharField(max_length=100, db_index=True)
    target_type = models.CharField(max_length=100, blank=True)
    target_id = models.CharField(max_length=100, blank=True)
    target = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    entry_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor}: {self.action} {self.target}"


class AuditHead(models.Model):
    """The last link of the chain: one row, locked while an entry is added."""

    personal_data = "None."
    kept_for = "As long as the system runs."

    last_hash = models.CharField(max_length=64)
    entries = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.entries}: {self.last_hash}"


class Job(models.Model):
    """A piece of work too long for a request: queued, worked on, done."""

    personal_data = "The name of the person who asked for it."
    kept_for = "Two years."

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("at work")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        STOPPED = "stopped", _("stopped")

    kind = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    parameters = models.JSONField(default=dict)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.QUEUED, db_index=True
    )
    fraction = models.FloatField(default=0.0)
    stage = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    stop_requested = models.BooleanField(default=False)
    result = models.JSONField(default=dict)
    problem = models.TextField(blank=True)
    appointment = models.CharField(max_length=40, blank=True)
    actor = models.CharField(max_length=300)
    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_status_display()})"

    @property
    def is_over(self) -> bool:
        return self.status in {self.Status.DONE, self.Status.FAILED, self.Status.STOPPED}

    @property
    def percent(self) -> int:
        return round(100 * self.fraction)
