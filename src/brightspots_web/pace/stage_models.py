"""Stages: rated separately by each seat, then agreed; one round a place and cycle."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import Area, Cycle, Partnership


class Strand(models.TextChoices):
    """The elements of the vision along which a place moves."""

    CONNECTEDNESS = "connectedness", _("Connectedness")
    ALIGNMENT = "alignment", _("Alignment")
    LEADERS = "leaders", _("Leaders")
    DEVOLUTION = "devolution", _("Devolution")
    ACCOUNTABILITY = "accountability", _("Accountability")
    EVIDENCE = "evidence", _("Evidence")


class Stage(models.IntegerChoices):
    """How far a place is in a strand: a description, never a mark."""

    BEGINNING = 1, _("beginning")
    DEVELOPING = 2, _("developing")
    EMBEDDING = 3, _("embedding")
    LEADING = 4, _("leading")


class StageText(models.Model):
    """What a stage of a strand looks like, where the ministry has put it in its own words."""

    personal_data = "Who wrote it."
    kept_for = "As long as the system runs."

    strand = models.CharField(max_length=16, choices=Strand.choices)
    stage = models.PositiveSmallIntegerField(choices=Stage.choices)
    text = models.CharField(max_length=400)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["strand", "stage"]
        constraints = [models.UniqueConstraint(fields=["strand", "stage"], name="one_text_a_stage")]

    def __str__(self) -> str:
        return f"{self.strand}, {self.stage}"


class StageRound(models.Model):
    """One round of a partnership or an area: everybody rates alone, then the group agrees."""

    personal_data = "Who opened and closed it."
    kept_for = "As long as the system runs."

    class State(models.TextChoices):
        OPEN = "open", _("everybody rates alone")
        CLOSED = "closed", _("to be agreed")

    partnership = models.ForeignKey(
        Partnership, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="+")
    texts = models.JSONField(default=dict, blank=True)
    """What the ministry's own texts said when it was opened: "strand.stage" -> text."""
    closes_on = models.DateField()
    """The last day on which one rates."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    reminded = models.CharField(max_length=8, blank=True)
    """"soon" once those who had not rated were reminded, "agree" once the group was."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-cycle__starts", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="stage_round_of_one_place",
                condition=Q(partnership__isnull=False, area=None)
                | Q(partnership=None, area__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["partnership", "cycle"], name="one_round_a_partnership_and_cycle"
            ),
            models.UniqueConstraint(fields=["area", "cycle"], name="one_round_an_area_and_cycle"),
        ]

    def __str__(self) -> str:
        return f"{self.partnership or self.area}, {self.cycle}"


class StageRating(models.Model):
    """Where one seat sees the place in a strand, and what shows it. Nobody is told whose it is."""

    personal_data = "Who rated, and their words; shown only where several have rated."
    kept_for = "As long as the round."

    round = models.ForeignKey(StageRound, on_delete=models.CASCADE, related_name="ratings")
    seat = models.CharField(max_length=40)
    """The school, partnership or area one speaks for: see :class:`Seat`."""
    strand = models.CharField(max_length=16, choices=Strand.choices)
    stage = models.PositiveSmallIntegerField(choices=Stage.choices)
    shows = models.CharField(max_length=400)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["round", "seat", "strand"], name="one_rating_a_seat"),
            models.CheckConstraint(
                name="stage_rated_is_one_of_four", condition=Q(stage__gte=1, stage__lte=4)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.round_id}, {self.strand}"


class StageAgreement(models.Model):
    """The stage a group is asked to agree on in a strand, and what came of it."""

    personal_data = "Who proposed it, and who closed it."
    kept_for = "As long as the system runs."

    class State(models.TextChoices):
        PROPOSED = "proposed", _("put to the group")
        AGREED = "agreed", _("agreed")

    round = models.ForeignKey(StageRound, on_delete=models.CASCADE, related_name="agreements")
    strand = models.CharField(max_length=16, choices=Strand.choices)
    stage = models.PositiveSmallIntegerField(choices=Stage.choices)
    words = models.CharField(max_length=400, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROPOSED)
    agreed_on = models.DateField(null=True, blank=True)
    agreed_why = models.CharField(max_length=500, blank=True)
    """Why it was closed although not every seat carried it."""
    asked = models.PositiveSmallIntegerField(default=0)
    """How many seats there were on the day it was agreed."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["round", "strand"], name="one_agreement_a_strand"),
            models.CheckConstraint(
                name="stage_agreed_is_one_of_four", condition=Q(stage__gte=1, stage__lte=4)
            ),
            models.CheckConstraint(
                name="stage_agreed_on_a_day",
                condition=Q(state="proposed") | Q(agreed_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.round_id}, {self.strand}"


class StageConsent(models.Model):
    """What one seat says to the stage put to the group: it carries it, or why not."""

    personal_data = "Who spoke for a place, and their words."
    kept_for = "As long as the agreement."

    agreement = models.ForeignKey(StageAgreement, on_delete=models.CASCADE, related_name="consents")
    seat = models.CharField(max_length=40)
    seat_name = models.CharField(max_length=300)
    agrees = models.BooleanField()
    words = models.CharField(max_length=400, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    agreement_version = models.PositiveIntegerField()
    """What was agreed to: a stage put anew asks again."""

    class Meta:
        ordering = ["seat_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "seat"], name="one_word_a_seat")
        ]

    def __str__(self) -> str:
        return f"{self.seat_name}: {'yes' if self.agrees else 'no'}"
