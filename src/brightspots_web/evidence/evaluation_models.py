"""An evaluation: a question, who counts as supported, and what was found each time it was run."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority


class Evaluation(models.Model):
    """What is asked and how it is to be answered; written before the answer is known.

    A plan is run as often as its makers wish; every run is kept and counted on the page. A person
    publishes one. What was once run never disappears from the list.
    """

    personal_data = "Who planned, published or withdrew it."
    kept_for = "As long as the system runs."

    class Kind(models.TextChoices):
        SUPPORT = "support", _("support at a priority")
        PRACTICE = "practice", _("a practice that schools took up")
        PARTNERSHIP = "partnership", _("partnerships that began")

    class Control(models.TextChoices):
        NEVER = "never", _("schools that never had it")
        NOT_YET = "notyet", _("schools that did not have it yet, or never")
        NONE = "none", _("nobody: only before and after")

    class Design(models.TextChoices):
        LOTTERY = "lottery", _("a lottery decided who began first")
        ELIGIBLE = "eligible", _("schools that had asked for it")
        COMPARISON = "comparison", _("other schools, as it came")

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        RUN = "run", _("run, not published")
        PUBLISHED = "published", _("published")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Per(models.TextChoices):
        SCHOOL = "school", _("for each school and year")
        PUPIL = "pupil", _("for each pupil and year")
        WHOLE = "whole", _("for all of it")

    title = models.CharField(max_length=160)
    question = models.TextField(max_length=1000)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    priority = models.ForeignKey(
        Priority, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    practice = models.ForeignKey(
        "connectedness.Practice", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    subject = models.CharField(max_length=200)
    """The outcome, as the published analysis names it."""
    control = models.CharField(max_length=10, choices=Control.choices, default=Control.NOT_YET)
    design = models.CharField(max_length=12, choices=Design.choices, default=Design.COMPARISON)
    lottery = models.ForeignKey(
        "evidence.Lottery", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """The drawn lottery, where one decided: its schools are compared as it drew them."""
    design_words = models.TextField(max_length=2000)
    """How it came about who began when, in plain words."""
    covariates = models.JSONField(default=list, blank=True)
    """Circumstances of schools to adjust for, as the register names them."""
    cluster = models.BooleanField(default=True)
    """Whether schools of one partnership count as one piece of evidence."""
    anticipation = models.PositiveSmallIntegerField(default=1)
    results_month = models.PositiveSmallIntegerField(default=11)
    """The month at whose end the results of a year are taken."""
    least_days = models.PositiveSmallIntegerField(default=90)
    """A school counts from the first results at least so many days after it began."""
    seed = models.PositiveIntegerField(default=0)
    cost_amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    cost_currency = models.CharField(max_length=10, blank=True)
    cost_per = models.CharField(max_length=10, choices=Per.choices, blank=True)
    cost_includes = models.TextField(blank=True, max_length=2000)
    change_our_mind = models.TextField(max_length=2000)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    power = models.JSONField(default=dict, blank=True)
    """What the plan could detect, as it was reckoned before the first run."""
    changed_after = models.PositiveSmallIntegerField(default=0)
    """How often the plan was changed after a result had been seen."""
    problem = models.CharField(max_length=1000, blank=True)
    """Why the last run gave nothing; "" where it did."""
    planned_by = models.CharField(max_length=300)
    planned_at = models.DateTimeField()
    published_by = models.CharField(max_length=300, blank=True)
    published_at = models.DateTimeField(null=True, blank=True, db_index=True)
    withdrawn_by = models.CharField(max_length=300, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_why = models.CharField(max_length=500, blank=True)
    published_result = models.ForeignKey(
        "EvaluationResult", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-planned_at", "-pk"]

    def __str__(self) -> str:
        return self.title


class EvaluationResult(models.Model):
    """What one run found, frozen with all that is needed to find it again. Never changed."""

    personal_data = "Who asked for it. Figures are of groups of at least three schools."
    kept_for = "As long as the system runs."

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="results")
    job = models.BigIntegerField(unique=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=300)
    run = models.UUIDField()
    """The published analysis whose yearly figures went in; a name, as old runs lose their rows."""
    run_input_hash = models.CharField(max_length=64)
    method = models.CharField(max_length=100)
    method_version = models.CharField(max_length=40)
    seed = models.PositiveBigIntegerField(default=0)
    input_hash = models.CharField(max_length=64)
    settings = models.JSONField(default=dict)
    plan = models.JSONField(default=dict)
    """The plan as it was when this was run."""
    found = models.JSONField(default=dict)
    """Estimates, checks, paths and counts; groups of fewer than three schools are not in it."""

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.evaluation}, {self.made_at:%Y-%m-%d}"
