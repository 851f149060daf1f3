"""Readiness, and powers handed over one by one, accepted, and taken back with support."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import Area, Partnership

ONE_PLACE = Q(partnership__isnull=False, area=None) | Q(partnership=None, area__isnull=False)


class Power(models.TextChoices):
    """What a partnership or area may come to decide by itself."""

    TARGETS = "targets", _("setting its targets")
    BUDGET = "budget", _("its budget for support")
    TRAINING = "training", _("choosing its training")
    REVIEW = "review", _("reviewing its own work")


class GateSettings(models.Model):
    """What readiness asks for, and how long is too long to wait after it: one row, all assumed."""

    personal_data = "None."
    kept_for = "As long as the system runs."

    meetings = models.PositiveSmallIntegerField(default=3)
    """Meetings in the last twelve months."""
    schools_share = models.PositiveSmallIntegerField(default=60)
    """Of 100 schools (in an area: partnerships), so many do it."""
    kept_share = models.PositiveSmallIntegerField(default=60)
    """Of 100 steps that were decided and fell due, so many are done."""
    wait_days = models.PositiveSmallIntegerField(default=90)
    """Ready for longer without a further power: marked as waiting long."""
    answer_days = models.PositiveSmallIntegerField(default=21)
    """A question or an offer unanswered for longer is reminded of."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="gate_shares_are_shares",
                condition=Q(schools_share__lte=100, kept_share__lte=100),
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}"


class GateCheck(models.Model):
    """A place asks whether it is ready; whoever hands powers over answers, with what is missing."""

    personal_data = "Who asked and who answered, and their words."
    kept_for = "As long as the system runs."

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        READY = "ready", _("ready")
        NOT_YET = "not_yet", _("not yet")

    partnership = models.ForeignKey(
        Partnership, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    words = models.TextField(max_length=2000)
    """How the place sees itself, and what the system cannot know."""
    conditions = models.JSONField(default=list)
    """What was known, frozen when it was asked and again when it was answered."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    answer = models.TextField(max_length=1000, blank=True)
    asked_by = models.CharField(max_length=300)
    asked_at = models.DateTimeField()
    answered_by = models.CharField(max_length=300, blank=True)
    answered_on = models.DateField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(name="gate_check_of_one_place", condition=ONE_PLACE),
            models.CheckConstraint(
                name="gate_answered_on_a_day",
                condition=Q(state="asked") | Q(answered_on__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["partnership"], condition=Q(state="asked"),
                name="one_gate_question_a_partnership",
            ),
            models.UniqueConstraint(
                fields=["area"], condition=Q(state="asked"), name="one_gate_question_an_area"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.partnership or self.area}, {self.asked_at:%Y-%m-%d}"


class PowerTransfer(models.Model):
    """One power on its way to a place, held there, and perhaps back again."""

    personal_data = "Who handed it over, accepted it and took it back, and their reasons."
    kept_for = "As long as the system runs."

    class State(models.TextChoices):
        OFFERED = "offered", _("offered")
        HELD = "held", _("held")
        DECLINED = "declined", _("not now")
        WITHDRAWN = "withdrawn", _("offer withdrawn")
        TAKEN_BACK = "taken_back", _("taken back")
        GIVEN_BACK = "given_back", _("given back")

    partnership = models.ForeignKey(
        Partnership, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    power = models.CharField(max_length=10, choices=Power.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OFFERED)
    starts = models.DateField()
    """From this day, once accepted."""
    why = models.CharField(max_length=500)
    before_gate = models.BooleanField(default=False)
    """The place had not been found ready; `why_before` says why nevertheless."""
    why_before = models.CharField(max_length=500, blank=True)
    offered_by = models.CharField(max_length=300)
    offered_at = models.DateTimeField()
    answered_by = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    """The first day on which it is no longer held."""
    ended_by = models.CharField(max_length=300, blank=True)
    ended_why = models.CharField(max_length=500, blank=True)
    support = models.CharField(max_length=500, blank=True)
    """What help is offered with taking it back."""
    reminded_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(name="power_of_one_place", condition=ONE_PLACE),
            models.CheckConstraint(
                name="power_before_the_gate_with_a_reason",
                condition=Q(before_gate=False) | ~Q(why_before=""),
            ),
            models.CheckConstraint(
                name="power_taken_back_with_reason_and_support",
                condition=~Q(state="taken_back")
                | (~Q(ended_why="") & ~Q(support="") & Q(ended_on__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["partnership", "power"], condition=Q(state__in=["offered", "held"]),
                name="one_live_transfer_a_partnership_and_power",
            ),
            models.UniqueConstraint(
                fields=["area", "power"], condition=Q(state__in=["offered", "held"]),
                name="one_live_transfer_an_area_and_power",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.partnership or self.area}: {self.power}"
