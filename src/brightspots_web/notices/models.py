"""What a person should know of, gathered into one message a day or a week instead of many."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Notice(models.Model):
    """Something that happened, for one person; its words are made in the reader's language."""

    personal_data = "Who was told what."
    kept_for = "One year."

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    kind = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    """What the words of this kind are made of; never personal data of others."""
    key = models.CharField(max_length=200, blank=True)
    """Two notices of one person with the same key are one: the newer replaces the unsent older."""
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["person", "seen_at"], name="notices_unseen")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.person_id}"


class Digest(models.Model):
    """How often a person wants the notices by email."""

    personal_data = "A person's choice."
    kept_for = "As long as the person is registered."

    class Rhythm(models.TextChoices):
        DAILY = "daily", _("once a day")
        WEEKLY = "weekly", _("once a week")
        NEVER = "never", _("never: I look here")

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digest"
    )
    rhythm = models.CharField(max_length=10, choices=Rhythm.choices, default=Rhythm.DAILY)
    last_sent_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.person_id}: {self.rhythm}"
