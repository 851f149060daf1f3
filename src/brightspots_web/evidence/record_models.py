"""Track records: what each project brought, and what is expected of the next one."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import School
from brightspots_web.insight.models import Run


class RecordSettings(models.Model):
    """How far brokering explores: one row, once somebody changed it."""

    personal_data = "The name of the person who changed it last."
    kept_for = "As long as the system runs."

    exploration = models.PositiveSmallIntegerField(default=10)
    """Of 100 requests, so many go by a draw, so that new leaders get their chance."""
    changed_by = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = _("record settings")
        constraints = [
            models.CheckConstraint(
                name="record_exploration_half_at_most", condition=Q(exploration__lte=50)
            )
        ]

    def __str__(self) -> str:
        return f"{self.exploration} of 100"


class RecordSet(models.Model):
    """One reckoning of all records, from one published analysis."""

    personal_data = "The name of the person who asked for it."
    kept_for = "As long as the system runs; the rows of older ones are removed (see actions)."

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    job = models.BigIntegerField(unique=True)
    made_at = models.DateTimeField()
    asked_by = models.CharField(max_length=300)
    method = models.CharField(max_length=100)
    method_version = models.CharField(max_length=40)
    input_hash = models.CharField(max_length=130)
    settings = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    """Means of the priorities and the estimated differences, of leaders and of practices."""
    rows_removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.made_at:%Y-%m-%d}: {self.run_id}"


class ProjectEffect(models.Model):
    """One project and what it brought; or why that is not known."""

    personal_data = "Who led the project."
    kept_for = "With the newest reckonings; see record_actions.KEEP."

    class Why(models.TextChoices):
        KNOWN = "", _("measured")
        NO_OUTCOME = "no_outcome", _("no published outcome belongs to this priority")
        NOT_YET = "not_yet", _("the results of the year after are not published yet")
        NO_BEFORE = "no_before", _("no result of the school before it may be shown")
        NO_AFTER = "no_after", _("no result of the school after it may be shown")
        TOO_FEW = "too_few", _("too few schools without help to compare with")

    set = models.ForeignKey(RecordSet, on_delete=models.CASCADE, related_name="effects")
    deployment = models.ForeignKey(
        "connectedness.Deployment", null=True, on_delete=models.CASCADE, related_name="+"
    )
    adoption = models.ForeignKey(
        "connectedness.PracticeAdoption", null=True, on_delete=models.CASCADE, related_name="+"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    practice = models.ForeignKey(
        "connectedness.Practice", null=True, on_delete=models.CASCADE, related_name="+"
    )
    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="+")
    topic = models.CharField(max_length=200)
    """The outcome of the priority, or its code where it has none."""
    effect = models.FloatField(null=True)
    """In standard deviations of pupils."""
    se = models.FloatField(null=True)
    why = models.CharField(max_length=12, choices=Why.choices, blank=True)
    before = models.PositiveSmallIntegerField(null=True)
    after = models.PositiveSmallIntegerField(null=True)
    n = models.PositiveIntegerField(null=True)
    """Pupils behind the result after."""
    n_comparison = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="effect_of_one_project",
                condition=Q(deployment__isnull=False, adoption__isnull=True)
                | Q(deployment__isnull=True, adoption__isnull=False),
            ),
            models.CheckConstraint(
                name="effect_with_its_error",
                condition=Q(effect__isnull=True, se__isnull=True)
                | Q(effect__isnull=False, se__gt=0),
            ),
            models.UniqueConstraint(
                fields=["set", "deployment"],
                condition=Q(deployment__isnull=False),
                name="effect_once_a_deployment",
            ),
            models.UniqueConstraint(
                fields=["set", "adoption"],
                condition=Q(adoption__isnull=False),
                name="effect_once_an_adoption",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_id} {self.topic}: {self.why or self.effect}"


class TrackRecord(models.Model):
    """What is expected of a leader's or a practice's next project at one priority."""

    personal_data = "Whose record it is."
    kept_for = "With the newest reckonings; see record_actions.KEEP."

    set = models.ForeignKey(RecordSet, on_delete=models.CASCADE, related_name="records")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    practice = models.ForeignKey(
        "connectedness.Practice", null=True, on_delete=models.CASCADE, related_name="+"
    )
    topic = models.CharField(max_length=200)
    priority = models.ForeignKey(Priority, null=True, on_delete=models.CASCADE, related_name="+")
    """The newest priority of this outcome, for its title."""
    n_projects = models.PositiveIntegerField()
    n_measured = models.PositiveIntegerField()
    n_schools = models.PositiveIntegerField()
    """Schools behind the measured projects."""
    estimate = models.FloatField()
    se = models.FloatField()
    lower = models.FloatField()
    upper = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["set", "person", "topic"],
                condition=Q(person__isnull=False),
                name="record_once_a_leader",
            ),
            models.UniqueConstraint(
                fields=["set", "practice", "topic"],
                condition=Q(practice__isnull=False),
                name="record_once_a_practice",
            ),
            models.CheckConstraint(
                name="record_of_one",
                condition=Q(person__isnull=False, practice__isnull=True)
                | Q(person__isnull=True, practice__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id or self.practice_id} {self.topic}: {self.estimate:+.2f}"


class ProjectWords(models.Model):
    """What a leader says beside a project of theirs."""

    personal_data = "Whose words they are, and the words."
    kept_for = "As long as the project."

    deployment = models.OneToOneField(
        "connectedness.Deployment", on_delete=models.CASCADE, related_name="+"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    words = models.TextField(max_length=1000, blank=True)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = _("project words")

    def __str__(self) -> str:
        return f"{self.deployment_id}: {self.words[:40]}"
