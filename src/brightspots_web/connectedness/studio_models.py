"""What people do with a proposal before they adopt it: pins, moves, and the schools' answers."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import School


class Pin(models.Model):
    """A wish that the optimiser must respect."""

    personal_data = "The name of the person who set it."
    kept_for = "As long as the proposal."

    class Kind(models.TextChoices):
        TOGETHER = "together", _("must be together")
        APART = "apart", _("must be apart")
        LEADS = "leads", _("must lead")
        LED_BY = "led_by", _("must be led by")

    proposal = models.ForeignKey(
        "connectedness.Proposal", on_delete=models.CASCADE, related_name="pins"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "kind", "school", "other"],
                name="pin_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.get_kind_display()} {self.other or ''}".strip()


class ProposalChange(models.Model):
    """One change that a person made to a proposal: its history."""

    personal_data = "The name of the person who made it."
    kept_for = "As long as the proposal."

    proposal = models.ForeignKey(
        "connectedness.Proposal", on_delete=models.CASCADE, related_name="changes"
    )
    version = models.PositiveIntegerField()
    """The version of the proposal that the change made."""
    kind = models.CharField(max_length=40)
    detail = models.JSONField(default=dict)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-version", "-pk"]

    def __str__(self) -> str:
        return f"{self.proposal_id} v{self.version}: {self.kind}"


class ConsultationReply(models.Model):
    """A school's answer to the partnership proposed for it."""

    personal_data = "Who answered for the school, and their words."
    kept_for = "As long as the proposal."

    class Answer(models.TextChoices):
        AGREES = "agrees", _("agrees")
        CONCERN = "concern", _("has a concern")

    proposal = models.ForeignKey(
        "connectedness.Proposal", on_delete=models.CASCADE, related_name="replies"
    )
    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="+")
    answer = models.CharField(max_length=10, choices=Answer.choices)
    reason = models.TextField(blank=True, max_length=1000)
    about = models.JSONField(default=list)
    """Codes of the schools that were proposed together when it answered, the leader's first."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = _("consultation replies")
        constraints = [
            models.UniqueConstraint(fields=["proposal", "school"], name="one_reply_a_school")
        ]

    def __str__(self) -> str:
        return f"{self.school}: {self.answer}"
