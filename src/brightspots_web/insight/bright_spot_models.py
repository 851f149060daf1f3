"""What people saw and decided about bright spots: it outlives the runs that found them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BrightSpot(models.Model):
    """A school that may do, or does, markedly better at one outcome, and how far people got.

    It outlives the run that found it. What the figures say now stands in `Estimate`; what people
    saw and decided stands here. Nothing about it is ever a rank.
    """

    personal_data = "None: it names a school. Who did what stands in its steps."
    kept_for = "As long as the system runs."

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("candidate")
        VISITED = "visited", _("visited")
        CONFIRMED = "confirmed", _("confirmed")
        WRITTEN_UP = "written_up", _("practice written up")
        RE_TESTED = "re_tested", _("re-tested")
        SET_ASIDE = "set_aside", _("set aside")

    school = models.ForeignKey("directory.School", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=State.choices, default=State.CANDIDATE)
    found_at = models.DateTimeField()
    found_by_run = models.UUIDField()
    """The run that first flagged it; kept as a name, since old runs lose their rows."""
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "subject"], name="bright_spot_once")
        ]

    def __str__(self) -> str:
        return f"{self.school}, {self.subject}"


class BrightSpotStep(models.Model):
    """One step of a bright spot: from which state to which, who, when, and what they saw."""

    personal_data = "Who took the step, and their words about a school."
    kept_for = "As long as the system runs."

    bright_spot = models.ForeignKey(BrightSpot, on_delete=models.CASCADE, related_name="steps")
    from_state = models.CharField(max_length=20, choices=BrightSpot.State.choices, blank=True)
    to_state = models.CharField(max_length=20, choices=BrightSpot.State.choices)
    on = models.DateField()
    """The day it happened, which may be before it was written down."""
    at = models.DateTimeField()
    by = models.CharField(max_length=300)
    appointment = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True, max_length=4000)
    figure = models.JSONField(default=dict, blank=True)
    """What the newest published figure said that day: older runs lose their rows, and a re-test
    compares with what was known when the school was found."""

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.from_state} > {self.to_state}"
