"""The pulse: when it is asked, and what it takes to compare terms without telling on anybody.

What is answered stands in accountability: each term's pulse is a consultation that no person asks.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.accountability.models import Consultation
from brightspots_web.directory.models import Cycle


class PulseSettings(models.Model):
    """Whether teachers and heads are asked each term, and by which areas it is shown: one row."""

    personal_data = "None."
    kept_for = "As long as the system runs."

    on = models.BooleanField(default=False)
    level = models.PositiveSmallIntegerField(default=1)
    """Steps below the whole system at which areas are shown apart."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(name="pulse_level_is_below_the_top", condition=Q(level__gte=1))
        ]
        verbose_name_plural = _("pulse settings")

    def __str__(self) -> str:
        return f"{self.on}"


class PulseTerm(models.Model):
    """One term of a cycle: when the two questions are asked, and what became of it."""

    personal_data = "Sealed for a year: who answered in the term, never what."
    kept_for = "As long as the cycle; the sealed list two terms."

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    opens = models.DateField()
    closes = models.DateField()
    """The first day on which nobody can answer any more."""
    consultation = models.OneToOneField(
        Consultation, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """None until it opens."""
    asked_by = models.JSONField(default=dict, blank=True)
    """How many were asked by slice, as voice names them: "all", "role:head", "area:12"."""
    too_alike = models.BooleanField(default=False)
    """Counted, but not kept: fewer than five people made the difference to a term before."""
    why_not = models.CharField(max_length=300, blank=True)
    """Why it did not open."""
    reminded = models.BooleanField(default=False)
    who = models.BinaryField(null=True, blank=True)
    """Who answered, sealed with a key outside the database: for the terms that come after."""
    who_key = models.UUIDField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["closes", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "number"], name="one_pulse_term_a_number"),
            models.CheckConstraint(
                name="pulse_closes_after_it_opens", condition=Q(closes__gt=F("opens"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle}, {self.number}"
