"""What was chosen on what, frozen as it was known that day; and places that were drawn by lot."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import Area, Partnership, School


class Lottery(models.Model):
    """More schools could gain than there are places: who comes first is drawn, and can be checked.

    The seed lies in a file of the installation until the draw (`choice_seed`); its hash, and that
    of the list of schools, are on record before.
    """

    personal_data = "Who asked for it, who agreed, who opened it."
    kept_for = "As long as the system runs: comparisons rest on it."

    class State(models.TextChoices):
        PREPARED = "prepared", _("waits for the ministry")
        DECLINED = "declined", _("the ministry does not agree")
        AGREED = "agreed", _("agreed, list not closed yet")
        OPEN = "open", _("list closed, to be drawn")
        DRAWN = "drawn", _("drawn")
        CALLED_OFF = "called_off", _("called off")

    class What(models.TextChoices):
        DEPLOYMENT = "deployment", _("support by another school")
        ADOPTION = "adoption", _("taking up a practice")
        PARTNERSHIP = "partnership", _("joining a partnership")

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=160)
    words = models.TextField(max_length=1000)
    """What there is to get, in plain words."""
    kind = models.CharField(max_length=12, choices=What.choices, default=What.DEPLOYMENT)
    priority = models.ForeignKey(Priority, on_delete=models.PROTECT, related_name="+")
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """Where the schools are; none for the whole system."""
    lower = models.FloatField(null=True, blank=True)
    upper = models.FloatField(null=True, blank=True)
    """The band: published values in points of the priority's outcome; none for no limit."""
    need_at_least = models.PositiveSmallIntegerField(null=True, blank=True)
    """Hundredths of the chance that help would be well spent; none for no limit."""
    places = models.PositiveIntegerField()
    by_area = models.BooleanField(default=False)
    """Whether every area has its share of the places."""
    follows = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """An earlier lottery: its schools without a place come first in this one."""
    draws_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARED)
    answer_words = models.CharField(max_length=500, blank=True)
    answered_by = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    opened_by = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    run = models.UUIDField(null=True, blank=True)
    run_on = models.DateField(null=True, blank=True)
    """The published analysis whose values made the list, and the day it was published."""
    seed_hash = models.CharField(max_length=64, blank=True)
    labels_key = models.CharField(max_length=64, blank=True)
    """Makes the numbers of schools; whoever has it can tell which number is which school."""
    list_hash = models.CharField(max_length=64, blank=True)
    too_few = models.PositiveIntegerField(default=0)
    """Schools left out since too few pupils stand behind their figure."""
    helped = models.PositiveIntegerField(default=0)
    """Schools left out since they had this help already."""
    seed = models.CharField(max_length=64, blank=True)
    """Empty until it is disclosed by the draw."""
    beacon = models.CharField(max_length=64, blank=True)
    beacon_at = models.DateTimeField(null=True, blank=True)
    """The last link of the audit trail before the hour of the draw, and when it was added."""
    drawn_at = models.DateTimeField(null=True, blank=True)
    called_off_why = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = _("lotteries")
        constraints = [
            models.CheckConstraint(name="lottery_has_places", condition=Q(places__gte=1)),
            models.CheckConstraint(
                name="lottery_band_is_a_band",
                condition=Q(lower__isnull=True) | Q(upper__isnull=True) | Q(upper__gt=F("lower")),
            ),
            models.CheckConstraint(
                name="lottery_open_is_committed",
                condition=~Q(state__in=["open", "drawn"]) | (~Q(seed_hash="") & ~Q(list_hash="")),
            ),
            models.CheckConstraint(
                name="lottery_drawn_is_disclosed",
                condition=~Q(state="drawn") | (~Q(seed="") & ~Q(beacon="")),
            ),
            models.CheckConstraint(
                name="lottery_called_off_with_a_reason",
                condition=~Q(state="called_off") | ~Q(called_off_why=""),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class LotteryEntry(models.Model):
    """A school on the closed list of a lottery, and what the draw said."""

    personal_data = "Who let a place go, and why."
    kept_for = "As long as the lottery."

    lottery = models.ForeignKey(Lottery, on_delete=models.CASCADE, related_name="entries")
    school = models.ForeignKey(School, null=True, on_delete=models.SET_NULL, related_name="+")
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    """As they were when the list was closed."""
    label = models.CharField(max_length=12)
    """The school's number in the lottery: files for everybody name it by this alone."""
    stratum = models.CharField(max_length=200, blank=True)
    waited = models.BooleanField(default=False)
    value = models.FloatField(null=True, blank=True)
    lower = models.FloatField(null=True, blank=True)
    upper = models.FloatField(null=True, blank=True)
    n = models.PositiveIntegerField(null=True, blank=True)
    position = models.PositiveIntegerField(null=True, blank=True)
    """In the order that the draw gave its area, from 1."""
    chance = models.FloatField(null=True, blank=True)
    """The chance of a place that it had, as known before the draw."""
    drawn = models.BooleanField(default=False)
    """Whether the draw itself gave it a place; this never changes afterwards."""
    place = models.BooleanField(default=False)
    """Whether it has a place now."""
    out = models.BooleanField(default=False)
    """Passed over in the draw: it had closed since the list was."""
    gone = models.BooleanField(default=False)
    """Let its place go, or closed, after the draw."""
    why = models.CharField(max_length=500, blank=True)
    changed_by = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["stratum", "position", "label"]
        verbose_name_plural = _("lottery entries")
        constraints = [
            models.UniqueConstraint(fields=["lottery", "label"], name="lottery_label_once"),
            models.UniqueConstraint(fields=["lottery", "code"], name="lottery_school_once"),
            models.CheckConstraint(
                name="lottery_passed_over_has_no_place",
                condition=~Q(place=True) | Q(out=False, gone=False),
            ),
        ]

    def __str__(self) -> str:
        return self.label


class Choice(models.Model):
    """Something began for a school: on what it was chosen, as that was known on the day."""

    personal_data = "Who agreed on it."
    kept_for = "As long as the system runs: comparisons rest on it."

    class Kind(models.TextChoices):
        DEPLOYMENT = "deployment", _("support by another school")
        ADOPTION = "adoption", _("practice taken up")
        PARTNERSHIP = "partnership", _("partnership joined")

    class Way(models.TextChoices):
        ASKED = "asked", _("the school asked")
        DESIGNATED = "designated", _("proposed by the middle tier, agreed by the school")
        LOTTERY = "lottery", _("drawn by lot")
        OWN = "own", _("the school’s own decision")
        FORMED = "formed", _("partnerships were formed anew")

    class ScoreOf(models.TextChoices):
        VALUE = "value", _("published value")
        DISTANCE = "distance", _("kilometres to the leader’s school")
        NONE = "", _("no score")

    class Without(models.TextChoices):
        """Why there is no score."""

        NONE = "", ""
        NO_OUTCOME = "no_outcome", _("the priority has no outcome with published figures")
        NO_RUN = "no_run", _("no analysis was published that day")
        REMOVED = "removed", _("the figures of that day’s analysis are no longer kept")
        FEW = "few", _("no figure of this school could be shown: too few pupils, or none")
        NO_PRIORITY = "no_priority", _("it serves no priority")
        NO_DISTANCE = "no_distance", _("the way to the leader’s school is not known")

    class Band(models.TextChoices):
        NONE = "", _("no band")
        GRID = "grid", _("a quarter of the spread among pupils")
        LOTTERY = "lottery", _("the band of the lottery")

    kind = models.CharField(max_length=12, choices=Kind.choices)
    deployment = models.ForeignKey(
        "connectedness.Deployment", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    adoption = models.ForeignKey(
        "connectedness.PracticeAdoption", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    partnership = models.ForeignKey(
        Partnership, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    giving = models.ForeignKey(School, null=True, on_delete=models.PROTECT, related_name="+")
    """Who supports, whose practice it is, who leads; none where it is the school itself."""
    what = models.CharField(max_length=200)
    """The title of the practice, the name of the partnership, the priority of support."""
    priority = models.ForeignKey(Priority, null=True, on_delete=models.PROTECT, related_name="+")
    begins = models.DateField()
    chosen_on = models.DateField()
    way = models.CharField(max_length=10, choices=Way.choices)
    by = models.CharField(max_length=300, blank=True)
    reasons = models.JSONField(default=dict, blank=True)
    """Of support: the place on the shortlist, the score there, the kilometres and the reasons."""
    score_of = models.CharField(max_length=10, choices=ScoreOf.choices, blank=True)
    without = models.CharField(max_length=12, choices=Without.choices, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    digits = models.PositiveSmallIntegerField(default=1)
    score = models.FloatField(null=True)
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    n = models.PositiveIntegerField(null=True)
    run = models.UUIDField(null=True)
    run_on = models.DateField(null=True)
    band = models.CharField(max_length=8, choices=Band.choices, blank=True)
    band_lower = models.FloatField(null=True)
    band_upper = models.FloatField(null=True)
    entry = models.ForeignKey(
        LotteryEntry, null=True, on_delete=models.PROTECT, related_name="choices"
    )
    """Its line in a lottery for the same help: with a place, or helped although it had none."""
    chance = models.FloatField(null=True)
    noticed_at = models.DateTimeField()

    class Meta:
        ordering = ["-begins", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["deployment"], name="choice_once_a_deployment"),
            models.UniqueConstraint(fields=["adoption"], name="choice_once_an_adoption"),
            models.UniqueConstraint(
                fields=["partnership", "school", "begins"], name="choice_once_a_membership"
            ),
            models.CheckConstraint(
                name="choice_value_has_its_interval",
                condition=~Q(score_of="value")
                | Q(score__isnull=False, lower__isnull=False, upper__isnull=False, n__gte=1),
            ),
            models.CheckConstraint(
                name="choice_without_score_says_why", condition=~Q(score_of="") | ~Q(without="")
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "priority", "begins"], name="choice_found"),
        ]

    def __str__(self) -> str:
        return f"{self.school}, {self.begins}"
