"""What the ministry made of a ballot: which proposals it adopted, and why others where it did."""

from django.db import models

from brightspots_web.alignment.agreement_models import Agreement


class Adoption(models.Model):
    """The day on which proposals became the priorities of a cycle."""

    personal_data = "Who adopted."
    kept_for = "As long as the system runs."

    agreement = models.OneToOneField(Agreement, on_delete=models.PROTECT, related_name="adoption")
    adopted = models.JSONField(default=list)
    """Keys and titles of the proposals: [{"key": 3, "title": "…"}, …]."""
    chosen = models.JSONField(default=list)
    """Keys of those that the ballot chose; [] where none was held, or nothing was chosen."""
    why = models.CharField(max_length=1000, blank=True)
    """Why others than the ballot chose; shown to everybody. "" where they are the same."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Adoption of {self.agreement.cycle}"
