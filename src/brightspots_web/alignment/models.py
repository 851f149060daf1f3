"""The two or three priorities that the whole system works on, and how it agrees on them."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.adoption_models import Adoption as Adoption
from brightspots_web.alignment.agreement_models import Agreement as Agreement
from brightspots_web.alignment.agreement_models import Ballot as Ballot
from brightspots_web.alignment.agreement_models import MergeWish as MergeWish
from brightspots_web.alignment.agreement_models import PriorityProposal as PriorityProposal
from brightspots_web.alignment.agreement_models import ProposalComment as ProposalComment
from brightspots_web.alignment.agreement_models import Tier as Tier
from brightspots_web.alignment.agreement_models import Vote as Vote
from brightspots_web.alignment.agreement_models import Voter as Voter
from brightspots_web.directory.models import Indicator, Partnership

FEWEST, MOST = 2, 3
"""How many priorities a system has at a time."""


class Priority(models.Model):
    """What the system has agreed to get better at: two or three live at a time, never more."""

    personal_data = "The name of the person who set it."
    kept_for = "As long as the system runs."

    code = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    why = models.CharField(max_length=500, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    """The outcome of the analyses whose figures speak of it; "" when none does."""
    starts = models.DateField()
    ends = models.DateField(null=True, blank=True)
    """The first day on which it is no longer live."""
    set_by = models.CharField(max_length=300, blank=True)
    proposal = models.OneToOneField(
        PriorityProposal, null=True, blank=True, on_delete=models.PROTECT, related_name="priority"
    )
    """The proposal it was adopted from; none for one that the ministry set by itself."""
    how_good = models.CharField(max_length=300, blank=True)
    """The aim: how good, for whom, by when."""
    for_whom = models.CharField(max_length=300, blank=True)
    by_when = models.DateField(null=True, blank=True)
    drivers = models.TextField(blank=True, max_length=4000)
    """The driver diagram, as an outline: a line a driver, two blanks deeper for its own."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["starts", "pk"]
        verbose_name_plural = _("priorities")
        constraints = [
            models.CheckConstraint(
                name="priority_ends_after_it_starts",
                condition=Q(ends__isnull=True) | Q(ends__gte=F("starts")),
            )
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Refuse a fourth: on the day it begins, two others at most may be live."""
        live = Q(starts__lte=self.starts) & (Q(ends__isnull=True) | Q(ends__gt=self.starts))
        others = Priority.objects.filter(live).exclude(pk=self.pk)
        if (self.ends is None or self.ends > self.starts) and others.count() >= MOST:
            raise ValidationError(
                _(
                    "There are three priorities already, and a fourth would be one too many: what "
                    "is everybody's work at once is nobody's. Let one of the three go first."
                )
            )


class PriorityIndicator(models.Model):
    """By what a priority is measured, and where it stood when it was adopted."""

    personal_data = "None."
    kept_for = "As long as the priority."

    class Figure(models.TextChoices):
        MEAN = "mean", _("average result of pupils")
        SPREAD = "spread", _("typical difference between schools")
        IN_NEED = "in_need", _("schools that may need help")
        TOUCHED = "touched", _("pupils who would gain, a year")

    priority = models.ForeignKey(Priority, on_delete=models.CASCADE, related_name="measures")
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    baseline = models.FloatField(null=True, blank=True)
    lower = models.FloatField(null=True, blank=True)
    upper = models.FloatField(null=True, blank=True)
    n = models.PositiveIntegerField(null=True, blank=True)
    n_of = models.CharField(max_length=60, blank=True)
    as_of = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=300, blank=True)
    """Where the baseline comes from: a published analysis, or what people wrote."""
    figure = models.CharField(max_length=20, choices=Figure.choices, blank=True)
    """The published figure that the baseline is; "" where people wrote it."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["indicator__name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["priority", "indicator"], name="measured_once")
        ]

    def __str__(self) -> str:
        return f"{self.priority}: {self.indicator}"


class LocalSense(models.Model):
    """What a priority means in one partnership, in its own words."""

    personal_data = "Who wrote it."
    kept_for = "As long as the priority."

    priority = models.ForeignKey(Priority, on_delete=models.CASCADE, related_name="local_senses")
    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="+")
    words = models.TextField(max_length=2000)
    shared = models.BooleanField(default=False)
    """Whether the partnership lets the district and the ministry read it."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["partnership__name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["priority", "partnership"], name="one_sense_each")
        ]

    def __str__(self) -> str:
        return f"{self.partnership}: {self.priority}"
