"""What a partnership decides, who does it, and how it is tried out in short cycles."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution.meeting_models import Meeting
from brightspots_web.directory.models import Indicator, Partnership, School


class Decision(models.Model):
    """What a group decided, on what, and what would make it change its mind."""

    personal_data = "Who wrote it down, and who owns it."
    kept_for = "Seven years."

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed to the schools")
        MADE = "made", _("made")
        REPLACED = "replaced", _("replaced by a later one")
        DROPPED = "dropped", _("dropped")

    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="decisions")
    meeting = models.ForeignKey(
        Meeting, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )
    priority = models.ForeignKey(
        Priority, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    question = models.CharField(max_length=300)
    data_said = models.JSONField(default=dict, blank=True)
    """The view the group had in front of it, frozen: run, date, cells, keys and words of notes."""
    options = models.JSONField(default=list)
    """What was considered: sentences."""
    decision = models.TextField(max_length=2000)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    owner_name = models.CharField(max_length=300)
    by_when = models.DateField()
    would_change = models.TextField(max_length=1000)
    """What would make the group change its mind."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    dropped_why = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    changed_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    made_by = models.CharField(max_length=300, blank=True)
    """With whose word it was made; the leader's where it was closed with objections."""
    made_why = models.CharField(max_length=500, blank=True)
    """Why it was made although not every school carried it."""
    asked = models.JSONField(default=list, blank=True)
    """The schools asked on the day it was made: [{"code", "name"}, …]."""
    owner_missed_at = models.DateTimeField(null=True, blank=True)
    """When the leader was told that the owner is no longer in the partnership."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        # The audit trail writes this down, and people outside the partnership read it: no words.
        return f"{self.partnership}, {self.at:%Y-%m-%d}"


class DecisionText(models.Model):
    """How a decision read before it was changed, so that schools see what is new."""

    personal_data = "Who wrote it."
    kept_for = "As long as the decision."

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="earlier")
    version = models.PositiveIntegerField()
    text = models.JSONField()
    """Question, decision, options, what would change it, owner's name, by when: in JSON types."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "version"], name="one_text_a_version")
        ]

    def __str__(self) -> str:
        return f"{self.decision_id}: {self.version}"


class DecisionConsent(models.Model):
    """What one school says to a decision: it carries it, or why not."""

    personal_data = "Who spoke for a school, and their words."
    kept_for = "As long as the decision."

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="consents")
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    agrees = models.BooleanField()
    words = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    decision_version = models.PositiveIntegerField()
    """What was agreed to: a decision changed since asks again."""

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "school"], name="one_word_a_school")
        ]

    def __str__(self) -> str:
        return f"{self.school}: {'yes' if self.agrees else 'no'}"


class DecisionAction(models.Model):
    """Something somebody does because of a decision."""

    personal_data = "Who does it."
    kept_for = "As long as the decision."

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="actions")
    what = models.CharField(max_length=300)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    owner_name = models.CharField(max_length=300)
    school = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    due = models.DateField()
    done_on = models.DateField(null=True, blank=True)
    outcome = models.CharField(max_length=500, blank=True)
    reminded = models.CharField(max_length=8, blank=True)
    """"soon" once the owner was reminded before the day, "due" once on it."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = [F("done_on").asc(nulls_first=True), "due", "pk"]

    def __str__(self) -> str:
        return f"{self.decision_id}, {self.due}"


class Pdsa(models.Model):
    """One plan-do-study-act cycle: a prediction, a small test, what came of it, what next."""

    personal_data = "Who runs it, and their words."
    kept_for = "Seven years."

    class Act(models.TextChoices):
        ADOPT = "adopt", _("adopt")
        ADAPT = "adapt", _("adapt")
        ABANDON = "abandon", _("abandon")

    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="cycles")
    school = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """Where it is tried; none for all schools of the partnership."""
    decision = models.ForeignKey(
        Decision, null=True, blank=True, on_delete=models.PROTECT, related_name="cycles"
    )
    priority = models.ForeignKey(
        Priority, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    title = models.CharField(max_length=160)
    test = models.TextField(max_length=2000)
    """What is done, where, with whom, for how long."""
    prediction = models.TextField(max_length=1000)
    measure = models.CharField(max_length=200)
    """The improvement measure of the run chart, in words."""
    indicator = models.ForeignKey(
        Indicator, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.CharField(max_length=60, blank=True)
    up_is_better = models.BooleanField(default=True)
    starts = models.DateField()
    study_on = models.DateField()
    found = models.TextField(blank=True, max_length=2000)
    """What was found, beside what was predicted."""
    act = models.CharField(max_length=10, choices=Act.choices, blank=True)
    next_step = models.TextField(blank=True, max_length=1000)
    finished_on = models.DateField(null=True, blank=True)
    follows = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="followed_by"
    )
    """The cycle whose "adapt" this is."""
    shared = models.BooleanField(default=True)
    """Seen by the whole partnership; otherwise by the school alone."""
    reminded = models.CharField(max_length=8, blank=True)
    """"due" once those who run it were told that the day to study it has come."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="pdsa_finished_with_an_act",
                condition=Q(finished_on__isnull=True) | ~Q(act=""),
            ),
            models.CheckConstraint(
                name="pdsa_of_a_school_or_shared",
                condition=Q(shared=True) | Q(school__isnull=False),
            ),
            models.CheckConstraint(
                name="pdsa_studied_after_it_starts", condition=Q(study_on__gt=F("starts"))
            ),
        ]

    def __str__(self) -> str:
        # As in Decision: the audit trail is read outside the partnership.
        return f"{self.partnership}, {self.starts}"


class PdsaTrace(models.Model):
    """What a cycle said before somebody changed it: a prediction, or a value."""

    personal_data = "Who changed it."
    kept_for = "As long as the cycle."

    class Kind(models.TextChoices):
        PREDICTION = "prediction", _("prediction")
        CORRECTED = "corrected", _("value corrected")
        REMOVED = "removed", _("value taken out")

    cycle = models.ForeignKey(Pdsa, on_delete=models.CASCADE, related_name="traces")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    on = models.DateField(null=True, blank=True)
    """The day of the value."""
    point = models.PositiveBigIntegerField(null=True, blank=True)
    """Key of the value that was corrected or taken out; None for a prediction."""
    was = models.CharField(max_length=1000)
    values = models.PositiveIntegerField(default=0)
    """How many values there were when it was changed."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.cycle_id}: {self.kind}"


class PdsaPoint(models.Model):
    """One value of the improvement measure."""

    personal_data = "Who wrote it down."
    kept_for = "As long as the cycle."

    cycle = models.ForeignKey(Pdsa, on_delete=models.CASCADE, related_name="points")
    on = models.DateField()
    value = models.FloatField()
    n = models.PositiveIntegerField(null=True, blank=True)
    """Pupils or lessons behind the value."""
    note = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=300)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["on", "pk"]
        constraints = [models.UniqueConstraint(fields=["cycle", "on"], name="one_value_a_day")]

    def __str__(self) -> str:
        return f"{self.cycle_id}, {self.on}"
