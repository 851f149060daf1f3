"""External challenge: a visit by somebody from outside the area, and what is agreed there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import School


class ChallengeSettings(models.Model):
    """How often every school has a challenge visit, and how soon it is followed up: one row."""

    personal_data = "None."
    kept_for = "As long as the system runs."

    years_between = models.PositiveSmallIntegerField(default=4)
    """By rotation every school is visited at least once in so many years."""
    by_evidence_share = models.PositiveSmallIntegerField(default=50)
    """Hundredths of the suggested visits that are chosen by evidence; the rest by rotation."""
    follow_up_days = models.PositiveSmallIntegerField(default=90)
    visits_a_challenger = models.PositiveSmallIntegerField(default=6)
    """At most so many visits a challenger in a cycle."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="challenge_share_is_a_share", condition=Q(by_evidence_share__lte=100)
            )
        ]

    def __str__(self) -> str:
        return f"{self.years_between}"


class ChallengeVisit(models.Model):
    """One visit: why, by whom, what both saw, what was agreed, and when it is looked at again."""

    personal_data = "Who planned it, who visits, and what both wrote."
    kept_for = "Seven years."

    class Why(models.TextChoices):
        EVIDENCE = "evidence", _("by evidence")
        ROTATION = "rotation", _("by rotation")
        ASKED = "asked", _("the school asked for it")

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        READY = "ready", _("both are prepared")
        HELD = "held", _("held, record to agree")
        AGREED = "agreed", _("follow-up agreed")
        CLOSED = "closed", _("followed up")
        CALLED_OFF = "called_off", _("called off")

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="challenge_visits")
    challenger = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    challenger_name = models.CharField(max_length=300)
    why = models.CharField(max_length=10, choices=Why.choices)
    why_words = models.CharField(max_length=500)
    """What the evidence or the rotation says, in a sentence that stigmatises nobody."""
    on = models.DateField()
    brief = models.JSONField(default=dict, blank=True)
    """What was published of the school when the brief was drawn: frozen, with run and date."""
    brief_at = models.DateTimeField(null=True, blank=True)
    self_view = models.TextField(blank=True, max_length=3000)
    """The school's own view, before the visit."""
    self_view_by = models.CharField(max_length=300, blank=True)
    self_view_at = models.DateTimeField(null=True, blank=True)
    record = models.TextField(blank=True, max_length=4000)
    """The conversation: what was asked, what was shown."""
    strengths = models.TextField(blank=True, max_length=2000)
    record_at = models.DateTimeField(null=True, blank=True)
    school_words = models.TextField(blank=True, max_length=2000)
    """What the school adds to the record or sees differently; stands beside it."""
    school_words_by = models.CharField(max_length=300, blank=True)
    follow_up_on = models.DateField(null=True, blank=True)
    followed_on = models.DateField(null=True, blank=True)
    followed_words = models.TextField(blank=True, max_length=2000)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    called_off_why = models.CharField(max_length=500, blank=True)
    reminded = models.CharField(max_length=12, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-on", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="challenge_agreed_with_a_date",
                condition=~Q(state__in=["agreed", "closed"]) | Q(follow_up_on__isnull=False),
            ),
            models.CheckConstraint(
                name="challenge_called_off_with_a_reason",
                condition=~Q(state="called_off") | ~Q(called_off_why=""),
            ),
            models.UniqueConstraint(
                fields=["school"],
                condition=Q(state__in=["planned", "ready", "held"]),
                name="one_challenge_visit_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school}, {self.on}"


class ChallengeStep(models.Model):
    """Something agreed in a challenge visit: what, who, by when."""

    personal_data = "Who does it."
    kept_for = "As long as the visit."

    class Side(models.TextChoices):
        SCHOOL = "school", _("the school")
        SYSTEM = "system", _("the system: district or ministry")

    visit = models.ForeignKey(ChallengeVisit, on_delete=models.CASCADE, related_name="steps")
    what = models.CharField(max_length=300)
    side = models.CharField(max_length=8, choices=Side.choices)
    """Both sides owe something: a challenge that asks only of the school is half a one."""
    owner_name = models.CharField(max_length=300)
    due = models.DateField()
    done_on = models.DateField(null=True, blank=True)
    outcome = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = [F("done_on").asc(nulls_first=True), "due", "pk"]

    def __str__(self) -> str:
        return f"{self.visit_id}, {self.due}"


class Escalation(models.Model):
    """More attention from above after a visit; never without an offer of support."""

    personal_data = "Who raised it, and the school's answer."
    kept_for = "As long as the visit."

    class State(models.TextChoices):
        RAISED = "raised", _("raised, support offered")
        TAKEN = "taken", _("support taken up")
        OTHERWISE = "otherwise", _("the school goes another way, and says which")
        ENDED = "ended", _("ended")

    visit = models.ForeignKey(ChallengeVisit, on_delete=models.CASCADE, related_name="escalations")
    why = models.CharField(max_length=500)
    support = models.TextField(max_length=1000)
    """What support is offered with it: who, what, how many days."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.RAISED)
    answer = models.TextField(blank=True, max_length=1000)
    answered_by = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(name="escalation_offers_support", condition=~Q(support="")),
            models.UniqueConstraint(
                fields=["visit"], condition=~Q(state="ended"), name="one_escalation_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.visit}"
