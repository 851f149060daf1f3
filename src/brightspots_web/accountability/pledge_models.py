"""Promises between equals, in the spirit of Imihigo: for my school, and for another one too."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution.models import DataNote
from brightspots_web.directory.models import Cycle, Indicator, Partnership, School


class PledgeSettings(models.Model):
    """How promises are scored in this system: one row."""

    personal_data = "None."
    kept_for = "As long as the system runs."

    highest_score = models.PositiveSmallIntegerField(default=10)
    """Scores go from 0 to this."""
    own_weight = models.PositiveSmallIntegerField(default=50)
    """Hundredths that the promises for the own school weigh; the rest is for other schools."""
    verifiers = models.PositiveSmallIntegerField(default=2)
    """How many peers from other schools verify a promise."""
    check_in_days = models.PositiveSmallIntegerField(default=42)
    """Days after which a promise without a check-in is kindly asked for one."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="pledge_weight_is_a_share", condition=Q(own_weight__lte=100)
            ),
            models.CheckConstraint(
                name="pledge_scale_has_steps", condition=Q(highest_score__gte=2)
            ),
        ]

    def __str__(self) -> str:
        return f"0 to {self.highest_score}"


class PledgeSet(models.Model):
    """What one school promises in one cycle; complete once it counts another school too."""

    personal_data = "Who began it."
    kept_for = "Seven years."

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="pledge_sets")
    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="+")
    """To whom it is promised: the partnership of the school when the set was begun."""
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="+")
    learned = models.TextField(blank=True, max_length=2000)
    """What the school learned, told at the end of the cycle."""
    learned_by = models.CharField(max_length=300, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["school", "cycle"], name="one_pledge_set_a_cycle")
        ]

    def __str__(self) -> str:
        return f"{self.school}, {self.cycle}"


class Pledge(models.Model):
    """One promise: from where to where, by when, on a live priority's indicator."""

    personal_data = "Who promises, and their words."
    kept_for = "Seven years."

    class Half(models.TextChoices):
        OWN = "own", _("for my school")
        OTHER = "other", _("for another school")

    class Audience(models.TextChoices):
        PARTNERSHIP = "partnership", _("the partnership")
        AREA = "area", _("everybody in the area")
        SYSTEM = "system", _("everybody in the system")

    class State(models.TextChoices):
        DRAFT = "draft", _("being written")
        VOWED = "vowed", _("promised, witnesses asked")
        WITNESSED = "witnessed", _("promised before witnesses")
        SCORED = "scored", _("self-scored")
        VERIFIED = "verified", _("verified by peers")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Outcome(models.TextChoices):
        KEPT = "kept", _("kept")
        PARTLY = "partly", _("partly kept")
        NOT_KEPT = "not_kept", _("not kept")
        CARRIED = "carried", _("carried over")

    set = models.ForeignKey(PledgeSet, on_delete=models.CASCADE, related_name="pledges")
    half = models.CharField(max_length=10, choices=Half.choices)
    other_school = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.PROTECT, related_name="promised_to"
    )
    """Whose pupils the second half counts."""
    priority = models.ForeignKey(Priority, on_delete=models.PROTECT, related_name="+")
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    baseline = models.JSONField(default=dict, blank=True)
    """Drawn from published results and frozen: {"value", "low", "high", "n", "on", "run",
    "source"}; {} while there is none, and then the promise says so."""
    target = models.FloatField()
    due = models.DateField()
    promise = models.CharField(max_length=300)
    """The vow in one sentence."""
    will_do = models.TextField(max_length=2000)
    needs = models.TextField(blank=True, max_length=1000)
    """What help the school needs to keep it."""
    audience = models.CharField(
        max_length=12, choices=Audience.choices, default=Audience.PARTNERSHIP
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    vowed_at = models.DateTimeField(null=True, blank=True)
    vowed_by = models.CharField(max_length=300, blank=True)
    withdrawn_why = models.CharField(max_length=500, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    self_score = models.PositiveSmallIntegerField(null=True, blank=True)
    self_reason = models.TextField(blank=True, max_length=1000)
    self_known = models.JSONField(default=dict, blank=True)
    """The published value as it was known when the school scored itself; as `baseline`."""
    self_by = models.CharField(max_length=300, blank=True)
    self_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    outcome_words = models.TextField(blank=True, max_length=1000)
    carried_from = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="carried_to"
    )
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    changed_at = models.DateTimeField()
    reminded = models.CharField(max_length=12, blank=True)
    """"check_in" or "due": what was last asked for, so that nobody is asked twice."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["half", "pk"]
        constraints = [
            models.CheckConstraint(
                name="pledge_second_half_names_a_school",
                condition=Q(half="own", other_school__isnull=True)
                | Q(half="other", other_school__isnull=False),
            ),
            models.CheckConstraint(
                name="pledge_withdrawn_with_a_reason",
                condition=~Q(state="withdrawn") | ~Q(withdrawn_why=""),
            ),
            models.CheckConstraint(
                name="pledge_self_score_has_a_reason",
                condition=Q(self_score__isnull=True) | ~Q(self_reason=""),
            ),
        ]

    def __str__(self) -> str:
        # The audit trail writes this down, and people outside the partnership read it: no words.
        return f"{self.set}: {self.get_half_display()}"


class PledgeWitness(models.Model):
    """Somebody of another school who stands by a promise."""

    personal_data = "Who witnesses, and their words."
    kept_for = "As long as the promise."

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        ACCEPTED = "accepted", _("stands by it")
        DECLINED = "declined", _("does not")
        LEFT = "left", _("has left")

    pledge = models.ForeignKey(Pledge, on_delete=models.CASCADE, related_name="witnesses")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=300)
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    words = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["pledge", "school"], name="one_witness_a_school")
        ]

    def __str__(self) -> str:
        return f"{self.pledge_id}: {self.school}"


class PledgeCheckIn(models.Model):
    """How a promise goes, said by who promised."""

    personal_data = "Who wrote it, and their words."
    kept_for = "As long as the promise."

    class Going(models.TextChoices):
        WELL = "well", _("goes well")
        HARD = "hard", _("goes, but is hard")
        STUCK = "stuck", _("is stuck: we need help")

    pledge = models.ForeignKey(Pledge, on_delete=models.CASCADE, related_name="check_ins")
    client_key = models.UUIDField(unique=True)
    """Given by the form: the same form sent twice is one check-in."""
    on = models.DateField()
    going = models.CharField(max_length=6, choices=Going.choices)
    words = models.TextField(max_length=1000)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-on", "-pk"]

    def __str__(self) -> str:
        return f"{self.pledge_id}, {self.on}"


class PledgeEvidence(models.Model):
    """Something that shows whether a promise is kept."""

    personal_data = "Who added it, and their words."
    kept_for = "As long as the promise."

    class Kind(models.TextChoices):
        WORDS = "words", _("what was seen")
        FILE = "file", _("a file")
        NOTE = "note", _("a small data note")
        VISIT = "visit", _("a visit")
        VALUE = "value", _("a published value")

    pledge = models.ForeignKey(Pledge, on_delete=models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    words = models.TextField(max_length=1000)
    on = models.DateField()
    note = models.ForeignKey(
        DataNote, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    file_name = models.CharField(max_length=200, blank=True)
    file = models.BinaryField(null=True, blank=True)
    """At most 5 MB: a PDF, or a picture drawn anew without what it says of place and camera."""
    file_kind = models.CharField(max_length=60, blank=True)
    known = models.JSONField(default=dict, blank=True)
    """The published value, frozen; as `Pledge.baseline`."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-on", "-pk"]
        verbose_name_plural = _("pledge evidence")

    def __str__(self) -> str:
        return f"{self.pledge_id}: {self.kind}"


class PledgeScore(models.Model):
    """What one peer from another school scores, beside the school's own score."""

    personal_data = "Who verified, and their reason."
    kept_for = "As long as the promise."

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        SCORED = "scored", _("has scored")
        CANNOT = "cannot", _("cannot")
        LEFT = "left", _("has left")
        ASIDE = "aside", _("set aside")

    pledge = models.ForeignKey(Pledge, on_delete=models.CASCADE, related_name="scores")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=300)
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=300)
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    """None while the peer was asked and has not scored."""
    reason = models.TextField(blank=True, max_length=1000)
    known = models.JSONField(default=dict, blank=True)
    """The published value as it was known then; as `Pledge.baseline`."""
    scored_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    why = models.CharField(max_length=500, blank=True)
    """Why the peer cannot; or why a conflict of interest sets aside what they said, or did not."""
    why_by = models.CharField(max_length=300, blank=True)
    why_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["pledge", "school"], name="one_verifier_a_school"),
            models.CheckConstraint(
                name="verifier_counts_with_a_score",
                condition=~Q(state="scored") | Q(score__isnull=False),
            ),
            models.CheckConstraint(
                name="verifier_does_not_count_with_a_reason",
                condition=~Q(state__in=["cannot", "aside"]) | ~Q(why=""),
            ),
            models.CheckConstraint(
                name="verified_score_has_a_reason",
                condition=Q(score__isnull=True) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="verified_score_has_a_time",
                condition=Q(score__isnull=True, scored_at__isnull=True)
                | Q(score__isnull=False, scored_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pledge_id}: {self.school}"
