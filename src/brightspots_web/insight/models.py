"""Published estimates: every row belongs to a run that says how it was made."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.insight.bright_spot_models import BrightSpot as BrightSpot
from brightspots_web.insight.bright_spot_models import BrightSpotStep as BrightSpotStep


class Run(models.Model):
    """One analysis: what went in, how it was done, when it was published.

    Rows are written under a run that nobody sees yet. A person publishes it: that sets
    `published_at`, and with that one write every page shows the new figures. Taking it back sets
    `withdrawn_at`. Pages show the newest published run that was not withdrawn.
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
    published_by = models.CharField(max_length=300, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.CharField(max_length=300, blank=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)
    note = models.CharField(max_length=500, blank=True)
    """What the analyst wants to remember about it."""
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
    because = models.JSONField(default=dict)
    """Of what lasts: circumstance -> points by which it moves what is expected here, beside what is
    expected of all schools together, in the newest year."""
    complementary = models.BooleanField(default=False)
    """Withheld from all but the school though ten pupils stand behind it: another year's figure of
    fewer could be had by subtraction. See `disclosure`."""
    complementary_inside = models.BooleanField(default=False)
    """The same for the school itself, which sees figures of five pupils and more."""

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
    balance = models.JSONField(default=dict)
    """Circumstance -> the school minus its family's mean in standard deviations; of kinds, the
    share of the family at another."""

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
    complementary = models.BooleanField(default=False)
    """Suppressed only so that another, too small figure cannot be had by subtraction."""

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


class SubgroupFigure(models.Model):
    """One school, one outcome, one group of its pupils, all years together.

    A group has at least ten pupils and leaves at least ten others: smaller ones are never written.
    """

    personal_data = "None: figures of ten pupils and more. A group that leaves fewer is left out."
    kept_for = "With the newest runs; see actions.KEEP_RUNS."

    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="subgroup_figures", db_index=False
    )
    school = models.ForeignKey("directory.School", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200)
    dimension = models.CharField(max_length=100)
    """The circumstance by which pupils are told apart, e.g. `sex`."""
    group = models.CharField(max_length=100)
    n = models.PositiveIntegerField()
    observed = models.FloatField()
    """Mean score of the group, on the scale of the scores."""
    estimate = models.FloatField()
    """What the group's pupils achieve beyond pupils like them elsewhere, shrunken; pupil SD."""
    se_comparative = models.FloatField()
    lower = models.FloatField()
    upper = models.FloatField()

    class Meta:
        ordering = ["subject", "dimension", "group"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "school", "subject", "dimension", "group"], name="subgroup_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.school_id} {self.subject} {self.dimension}={self.group}: {self.n}"


class Sensitivity(models.Model):
    """A school's lasting figure under another reasonable way of reckoning."""

    personal_data = "None: figures of schools. Small numbers are withheld where they are read."
    kept_for = "With the newest runs; see actions.KEEP_RUNS."

    class Variant(models.TextChoices):
        NO_BACKGROUND = "no_background", _("without the pupils' background")
        PRIOR_ONLY = "prior_only", _("with earlier results only")
        SCHOOL_MEAN = "school_mean", _("with the intake of the whole school")
        HEAVY_TAILS = "heavy_tails", _("allowing for a few very unusual schools")
        MISSING_PRIOR = "missing_prior", _("with pupils whose earlier result is missing")
        LATEST_YEAR = "latest_year", _("with the latest year alone")
        WITHOUT_LATEST = "without_latest", _("without the latest year")

    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="sensitivities", db_index=False
    )
    school = models.ForeignKey("directory.School", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200)
    variant = models.CharField(max_length=30, choices=Variant.choices)
    n = models.PositiveIntegerField()
    estimate = models.FloatField()
    se_comparative = models.FloatField()
    lower = models.FloatField()
    upper = models.FloatField()

    class Meta:
        ordering = ["subject", "variant"]
        verbose_name_plural = _("sensitivities")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "school", "subject", "variant"], name="sensitivity_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.school_id} {self.subject} {self.variant}: {self.estimate:+.2f}"


class PartnershipFigure(models.Model):
    """How much the schools of a partnership differ in one outcome; withheld when small."""

    personal_data = "None: aggregates of at least 3 schools and 10 pupils."
    kept_for = "With the newest runs; see actions.KEEP_RUNS."

    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="partnership_figures", db_index=False
    )
    partnership = models.ForeignKey(
        "directory.Partnership", on_delete=models.CASCADE, related_name="+"
    )
    subject = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    n_schools = models.PositiveIntegerField(null=True)
    n_pupils = models.PositiveIntegerField(null=True)
    mean = models.FloatField(null=True)
    spread = models.FloatField(null=True)
    """True standard deviation between the schools, sampling noise taken out; pupil SD."""
    spread_lower = models.FloatField(null=True)
    spread_upper = models.FloatField(null=True)
    share_within = models.FloatField(null=True)
    suppressed = models.BooleanField(default=False)
    complementary = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "partnership", "subject", "year"],
                name="partnership_figure_once_a_year",
            ),
            models.UniqueConstraint(
                fields=["run", "partnership", "subject"],
                condition=Q(year__isnull=True),
                name="partnership_figure_all_years_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partnership_id} {self.subject} {self.year or ''}"


class SpreadTrend(models.Model):
    """Whether differences are closing: slope of the true spread over the years, with interval.

    Of the system (neither area nor partnership), of an area, or of a partnership.
    """

    personal_data = "None: aggregates of at least 3 schools and 10 pupils a year."
    kept_for = "With the newest runs; see actions.KEEP_RUNS."

    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="spread_trends", db_index=False
    )
    area = models.ForeignKey(
        "directory.Area", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    partnership = models.ForeignKey(
        "directory.Partnership", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    subject = models.CharField(max_length=200)
    tier = models.CharField(max_length=40, default="school")
    """Between what: `school`, `area:1` and so on."""
    first_year = models.PositiveSmallIntegerField()
    last_year = models.PositiveSmallIntegerField()
    years = models.PositiveSmallIntegerField()
    slope = models.FloatField()
    """Change of the standard deviation a year, in pupil SD."""
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="spread_trend_of_one_place",
                condition=Q(area__isnull=True) | Q(partnership__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["run", "subject", "tier", "area"],
                condition=Q(area__isnull=False),
                name="spread_trend_once_an_area",
            ),
            models.UniqueConstraint(
                fields=["run", "subject", "tier", "partnership"],
                condition=Q(partnership__isnull=False),
                name="spread_trend_once_a_partnership",
            ),
            models.UniqueConstraint(
                fields=["run", "subject", "tier"],
                condition=Q(area__isnull=True, partnership__isnull=True),
                name="spread_trend_of_system_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.tier}: {self.slope:+.3f}"
