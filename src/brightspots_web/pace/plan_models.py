"""Rollout plans: a study, what was found, the plan that was picked, what happened, lessons."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import Area


class PlanStudy(models.Model):
    """What is planned: areas of one level, support, terms, and everything that is assumed."""

    personal_data = "Who began it."
    kept_for = "Seven years."

    name = models.CharField(max_length=120)
    level = models.PositiveSmallIntegerField()
    """Of the areas in it."""
    support_days = models.FloatField()
    """Days of support that the whole system can give in a term."""
    terms = models.PositiveSmallIntegerField(default=15)
    speeds = models.JSONField(default=list)
    """Terms of support to choose from."""
    settle = models.PositiveSmallIntegerField(default=6)
    first_day = models.DateField()
    """On which term 1 begins."""
    term_months = models.PositiveSmallIntegerField(default=4)
    draws = models.PositiveSmallIntegerField(default=200)
    seed = models.PositiveIntegerField(default=1)
    assumptions = models.JSONField(default=list)
    """[{"name", "low", "value", "high", "source"}], every one that the planner has."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    changed_by = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="plan_support_not_below_zero", condition=Q(support_days__gte=0)
            ),
            models.CheckConstraint(name="plan_has_terms", condition=Q(terms__gte=1)),
            models.CheckConstraint(
                name="plan_term_has_months", condition=Q(term_months__gte=1, term_months__lte=12)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlanArea(models.Model):
    """An area of a study, with what the directory says of it and what people typed."""

    personal_data = "None: counts of leaders by area."
    kept_for = "As long as its study."

    class Reading(models.TextChoices):
        TYPED = "typed", _("typed")
        STAGES = "stages", _("from the stages agreed")

    study = models.ForeignKey(PlanStudy, on_delete=models.CASCADE, related_name="areas")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    schools = models.PositiveIntegerField()
    leaders = models.PositiveIntegerField(default=0)
    """Leaders available."""
    in_training = models.PositiveIntegerField(default=0)
    in_training_term = models.PositiveSmallIntegerField(null=True, blank=True)
    """From which they are available, where that is known."""
    readiness = models.FloatField(null=True, blank=True)
    """Share of its schools that are ready, 0 to 1; None until somebody says."""
    reading = models.CharField(max_length=8, choices=Reading.choices, blank=True)
    reading_by = models.CharField(max_length=300, blank=True)
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    """The ministry's own order, small numbers first."""
    earliest = models.PositiveSmallIntegerField(default=1)
    fixed_start = models.PositiveSmallIntegerField(null=True, blank=True)
    """The term that no plan may change: a promise given, or a wave that has begun."""

    class Meta:
        ordering = ["area__name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "area"], name="plan_area_once"),
            models.CheckConstraint(
                name="plan_readiness_is_a_share",
                condition=Q(readiness__isnull=True) | Q(readiness__gte=0, readiness__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.area}, {self.study}"


class PlanResult(models.Model):
    """What a search found, with everything it was made from; never changed afterwards."""

    personal_data = "Who asked for it."
    kept_for = "As long as its study."

    study = models.ForeignKey(PlanStudy, on_delete=models.CASCADE, related_name="results")
    job = models.PositiveBigIntegerField(unique=True)
    study_version = models.PositiveIntegerField()
    inputs = models.JSONField()
    """Areas, settings and assumptions as they were."""
    outcome = models.JSONField()
    """Curve, plans with their waves and measures, sensitivity, what was searched, provenance."""
    stopped_early = models.BooleanField(default=False)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.study}, {self.at:%Y-%m-%d}"


class PlanRollout(models.Model):
    """A plan that the ministry picked: changed by hand, adopted, taken back; versions are kept."""

    personal_data = "Who picked and who adopted it."
    kept_for = "Seven years."

    class State(models.TextChoices):
        DRAFT = "draft", _("being worked on")
        ADOPTED = "adopted", _("adopted")

    result = models.ForeignKey(PlanResult, on_delete=models.PROTECT, related_name="rollouts")
    base = models.CharField(max_length=60)
    """The plan of the result that it began from."""
    waves = models.JSONField()
    """Key of the area -> [term in which it begins, terms of support]."""
    figures = models.JSONField(default=dict, blank=True)
    """Measures of these waves, and the paired difference to the picked plan."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    holds_from = models.DateField(null=True, blank=True)
    holds_until = models.DateField(null=True, blank=True)
    """The first day on which the next adopted plan holds in its place."""
    replaced_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced"
    )
    comes_with = models.TextField(blank=True, max_length=2000)
    """What an area gets when it begins, in the ministry's words."""
    adopted_by = models.CharField(max_length=300, blank=True)
    adopted_at = models.DateTimeField(null=True, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="adopted_plan_has_a_day",
                condition=Q(state="draft", holds_from__isnull=True)
                | Q(state="adopted", holds_from__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state="adopted", replaced_by__isnull=True),
                name="one_plan_adopted_last",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.result.study}, {self.base}"


class PlanChange(models.Model):
    """One step in the life of a picked plan."""

    personal_data = "Who did it."
    kept_for = "As long as its plan."

    class Kind(models.TextChoices):
        PICKED = "picked", _("picked")
        MOVED = "moved", _("waves moved by hand")
        UNDONE = "undone", _("last change undone")
        ADOPTED = "adopted", _("adopted")
        TAKEN_BACK = "taken_back", _("adoption taken back")

    rollout = models.ForeignKey(PlanRollout, on_delete=models.CASCADE, related_name="changes")
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    waves = models.JSONField()
    """All waves after it."""
    detail = models.JSONField(default=dict, blank=True)
    undone = models.BooleanField(default=False)
    note = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["rollout", "version"], name="plan_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.rollout}, {self.version}"


class PlanStart(models.Model):
    """When an area of an adopted plan really began, or that it has not yet."""

    personal_data = "Who wrote it down."
    kept_for = "As long as its plan."

    rollout = models.ForeignKey(PlanRollout, on_delete=models.CASCADE, related_name="starts")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    began = models.DateField(null=True, blank=True)
    """None: not yet."""
    note = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["began", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["rollout", "area"], name="plan_start_once_an_area")
        ]

    def __str__(self) -> str:
        return f"{self.area}: {self.began or '-'}"


class PlanLesson(models.Model):
    """What happened beside what was foretold, and ranges narrowed by it; people accept them."""

    personal_data = "Who asked and who decided."
    kept_for = "As long as its plan."

    class State(models.TextChoices):
        PROPOSED = "proposed", _("waits for a decision")
        ACCEPTED = "accepted", _("accepted")
        LEFT = "left", _("left as it was")

    rollout = models.ForeignKey(PlanRollout, on_delete=models.CASCADE, related_name="lessons")
    job = models.PositiveBigIntegerField(unique=True)
    observed = models.JSONField()
    """Rows of area and term, as they were taken from the system."""
    outcome = models.JSONField()
    """Ranges before and after, what was foretold and what was seen, notes, how much is left."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROPOSED)
    accepted = models.JSONField(default=list, blank=True)
    """Names of the assumptions whose new range was taken over."""
    why = models.CharField(max_length=500, blank=True)
    decided_by = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.rollout}, {self.at:%Y-%m-%d}"
