"""Published estimates: every row belongs to a run that says how it was made."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Run(models.Model):
    """One analysis: what went in, how it was done, when it was published.

    Rows are written under a run that is not published yet; publishing sets `published_at`, and
    with that one write every page shows the new figures. Pages show the newest published run.
    """

    personal_data = "The name of the person who asked for it."
    kept_for = "As long as the system runs; the rows of older runs are removed (see actions)."

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    method = models.CharField(max_length=100)
    method_version = models.CharField(max_length=40)
    seed = models.PositiveBigIntegerField(default=0)
    input_hash = models.CharField(max_length=64)
    settings = models.JSONField(default=dict)
    """What was asked for: subjects, context, delta and so on; enough to compute it again."""
    sources = models.JSONField(default=list)
    """Imported files: name, kind, rows, SHA-256, date of import."""
    summary = models.JSONField(default=dict)
    """Counts, seconds by stage, and for each outcome its scale, years, way and terms."""
    asked_by = models.CharField(max_length=300, blank=True)
    job = models.BigIntegerField(null=True, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True, db_index=True)
    rows_removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.uuid)


class Estimate(models.Model):
    """One school, one outcome, one year: or all years, the persistent part (`year` empty).

    `observed` and `expected` are on the scale of the scores; everything from `estimate` on is in
    standard deviations of pupils.
    """

    personal_data = "None: figures of schools. Small numbers are withheld where they are read."
    kept_for = "With the newest runs; see actions.KEEP_RUNS."

    class Label(models.TextChoices):
        NONE = "", _("not enough evidence to say more")
        WORTH_A_VISIT = "worth_a_visit", _("worth a visit")
        BRIGHT_SPOT = "bright_spot", _("bright spot (candidate)")

    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="estimates", db_index=False
    )  # the unique index below begins with it
    school = models.ForeignKey("directory.School", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    n = models.PositiveIntegerField()
    years = models.PositiveSmallIntegerField(default=1)
    observed = models.FloatField(null=True)
    expected = models.FloatField(null=True)
    estimate = models.FloatField()
    se_comparative = models.FloatField()
    se_diagnostic = models.FloatField()
    cond_sd = models.FloatField()
    lower = models.FloatField()
    upper = models.FloatField()
    reliability = models.FloatField()
    label = models.CharField(max_length=20, choices=Label.choices, blank=True)
    probability = models.FloatField(null=True)
    """That the effect is above delta."""
    need_probability = models.FloatField(null=True)
    """That the effect is below minus delta: help from a neighbour would be well spent."""
    gap = models.FloatField(null=True)
    """Expected shortfall below what is expected of schools like it: 0 or more."""
    pupils_touched = models.FloatField(null=True)
    """Pupils a year whom closing the gap would reach, weighted by the need's probability."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "school", "subject", "year"], name="estimate_once_a_year"
            ),
            models.UniqueConstraint(
                fields=["run", "school", "subject"],
                condition=Q(year__isnull=True),
                name="estimate_persistent_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "subject"], condition=~Q(label=""), name="estimate_flagged"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_id} {self.subject} {self.year or ''}: {self.estimate:+.2f}"


class Family(models.Model):
    """The schools most like one school, on context and never on results."""

    personal_data = "None: it names schools."
    kept_for = "With the newest runs; see actions.KEEP_RUNS."

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="families", db_index=False)
    school = models.ForeignKey("directory.School", on_delete=models.CASCADE, related_name="+")
    members = models.JSONField()
    """Keys of the schools, nearest in context first."""
    distance_median = models.FloatField(null=True)
    distance_max = models.FloatField(null=True)

    class Meta:
        verbose_name_plural = _("families")
        constraints = [
            models.UniqueConstraint(fields=["run", "school"], name="family_once_a_school")
        ]

    def __str__(self) -> str:
        return f"{self.school_id}: {len(self.members)}"


class AreaFigure(models.Model):
    """One area, one outcome, one year (or all): level, spread, numbers; withheld when small."""

    personal_data = "None: aggregates of at least 3 schools and 10 pupils."
    kept_for = "With the newest runs; see actions.KEEP_RUNS."

    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="area_figures", db_index=False
    )
    area = models.ForeignKey("directory.Area", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    n_schools = models.PositiveIntegerField(null=True)
    n_pupils = models.PositiveIntegerField(null=True)
    mean = models.FloatField(null=True)
    """Mean effect of the area's schools weighted by pupils, in pupil SD."""
    observed = models.FloatField(null=True)
    """Mean score, on the scale of the scores."""
    spread = models.FloatField(null=True)
    """True standard deviation between the area's schools, sampling noise taken out; pupil SD."""
    spread_lower = models.FloatField(null=True)
    spread_upper = models.FloatField(null=True)
    share_within = models.FloatField(null=True)
    """Of the area's variance among pupils, the part that lies within schools."""
    schools_in_need = models.FloatField(null=True)
    """Sum of the probabilities of need."""
    pupils_touched = models.FloatField(null=True)
    suppressed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "subject", "area", "year"], name="area_figure_once_a_year"
            ),
            models.UniqueConstraint(
                fields=["run", "subject", "area"],
                condition=Q(year__isnull=True),
                name="area_figure_all_years_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.area_id} {self.subject} {self.year or ''}"


class Variance(models.Model):
    """How much of the differences between pupils lies at each tier."""

    personal_data = "None: figures of the whole system."
    kept_for = "With the newest runs; see actions.KEEP_RUNS."

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="variances")
    subject = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    tier = models.CharField(max_length=40)
    """`area:1` and so on from the largest areas down, `school`, `pupil`."""
    rank = models.PositiveSmallIntegerField()
    """Largest tier first."""
    units = models.PositiveIntegerField(default=0)
    sd = models.FloatField()
    """On the scale of the scores, sampling noise taken out."""
    sd_lower = models.FloatField(null=True)
    sd_upper = models.FloatField(null=True)
    share = models.FloatField()
    """Of all differences between pupils."""
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)

    class Meta:
        ordering = ["subject", "year", "rank"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "subject", "year", "tier"], name="variance_once_a_tier"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.year or ''} {self.tier}: {self.share:.0%}"
