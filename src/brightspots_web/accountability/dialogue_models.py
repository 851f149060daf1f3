"""Dialogues of heads and teachers with senior stakeholders, and what is promised there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.accountability.voice_models import Consultation, Suggestion
from brightspots_web.directory.models import Area, School


class Dialogue(models.Model):
    """One meeting: date, agenda from the voices, minutes, commitments."""

    personal_data = "Who called it and who answers there."
    kept_for = "Seven years."

    class State(models.TextChoices):
        CALLED = "called", _("called")
        HELD = "held", _("held")
        CALLED_OFF = "called_off", _("called off")

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=160)
    consultation = models.ForeignKey(
        Consultation, null=True, blank=True, on_delete=models.SET_NULL, related_name="dialogues"
    )
    stakeholder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    stakeholder_name = models.CharField(max_length=300)
    on = models.DateField()
    begins = models.TimeField()
    place = models.CharField(max_length=200)
    minutes = models.TextField(blank=True, max_length=4000)
    minutes_by = models.CharField(max_length=300, blank=True)
    minutes_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CALLED)
    called_off_why = models.CharField(max_length=500, blank=True)
    reminded = models.CharField(max_length=12, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-on", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="dialogue_held_with_minutes", condition=~Q(state="held") | ~Q(minutes="")
            ),
            models.CheckConstraint(
                name="dialogue_called_off_with_a_reason",
                condition=~Q(state="called_off") | ~Q(called_off_why=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.on}"


class DialogueItem(models.Model):
    """A point of the agenda: from a consultation, a suggestion, or in own words."""

    personal_data = "None: a point has no author."
    kept_for = "As long as the dialogue."

    dialogue = models.ForeignKey(Dialogue, on_delete=models.CASCADE, related_name="items")
    words = models.CharField(max_length=300)
    consultation = models.ForeignKey(
        Consultation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    suggestion = models.ForeignKey(
        Suggestion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.words


class DialogueGuest(models.Model):
    """A head or teacher who is asked to come, and whether they were there."""

    personal_data = "Who is asked, and who came."
    kept_for = "As long as the dialogue."

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        COMES = "comes", _("comes")
        CANNOT = "cannot", _("cannot")

    dialogue = models.ForeignKey(Dialogue, on_delete=models.CASCADE, related_name="guests")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=300)
    school = models.ForeignKey(School, null=True, on_delete=models.SET_NULL, related_name="+")
    role = models.CharField(max_length=10)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    was_there = models.BooleanField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["dialogue", "person"], name="one_seat_a_guest")
        ]

    def __str__(self) -> str:
        return f"{self.dialogue_id}"


class Commitment(models.Model):
    """Something a senior stakeholder promised, tracked to the end."""

    personal_data = "Who owns it."
    kept_for = "Seven years."

    class State(models.TextChoices):
        OPEN = "open", _("promised")
        KEPT = "kept", _("kept")
        NOT_KEPT = "not_kept", _("not kept, and why")

    dialogue = models.ForeignKey(
        Dialogue, null=True, blank=True, on_delete=models.CASCADE, related_name="commitments"
    )
    consultation = models.ForeignKey(
        Consultation, null=True, blank=True, on_delete=models.CASCADE, related_name="commitments"
    )
    """One of the two: where it was given."""
    what = models.CharField(max_length=300)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    owner_name = models.CharField(max_length=300)
    due = models.DateField()
    first_due = models.DateField()
    """The first date promised: one that moves is seen to move."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    ended_on = models.DateField(null=True, blank=True)
    outcome = models.TextField(blank=True, max_length=1000)
    reminded = models.CharField(max_length=12, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = [F("ended_on").asc(nulls_first=True), "due", "pk"]
        constraints = [
            models.CheckConstraint(
                name="commitment_given_somewhere",
                condition=Q(dialogue__isnull=False) | Q(consultation__isnull=False),
            ),
            models.CheckConstraint(
                name="commitment_ends_with_words",
                condition=Q(state="open") | (~Q(outcome="") & Q(ended_on__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what}, {self.due}"


class CommitmentStep(models.Model):
    """What was said about a commitment on the way: progress, a moved date and why."""

    personal_data = "Who wrote it."
    kept_for = "As long as the commitment."

    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, related_name="told")
    words = models.CharField(max_length=500)
    moved_to = models.DateField(null=True, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.commitment_id}"
