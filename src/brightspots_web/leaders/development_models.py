"""How leaders grow, and where their time goes."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import Area, School


class Competence(models.Model):
    """What a leader has to be good at; the ministry edits the framework."""

    personal_data = "None."
    kept_for = "As long as the system runs; one taken out keeps its ratings."

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    what_it_is = models.TextField(blank=True, max_length=1000)
    levels = models.JSONField(default=list)
    """Four sentences: beginning, developing, embedding, leading."""
    place = models.PositiveSmallIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["place", "pk"]

    def __str__(self) -> str:
        return self.name


class CompetenceRating(models.Model):
    """How far a leader is in a competence, by the leader or a colleague, and what shows it."""

    personal_data = "Who rates whom, how, and what they say shows it."
    kept_for = "Five years."

    leader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="competence_ratings"
    )
    competence = models.ForeignKey(Competence, on_delete=models.PROTECT, related_name="ratings")
    rater = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    """The leader for a self-rating; a colleague whom the leader asked otherwise."""
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    """1 to 4; empty while a colleague has been asked and has not answered."""
    said = models.CharField(max_length=400, blank=True)
    """The sentence of the level as it read that day: a framework changed since changes nothing."""
    competence_version = models.PositiveIntegerField(null=True, blank=True)
    evidence = models.TextField(blank=True, max_length=2000)
    asked_at = models.DateTimeField()
    at = models.DateTimeField(null=True, blank=True)
    """When it was said; the newest of each rater counts."""

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="competence_levels_1_to_4",
                condition=Q(level__isnull=True) | Q(level__gte=1, level__lte=4),
            ),
            models.UniqueConstraint(
                fields=["leader", "competence", "rater"],
                condition=Q(level__isnull=True), name="asked_to_rate_once",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.leader}, {self.competence}: {self.level}"


class DevelopmentShare(models.Model):
    """A leader lets a colleague see how they grow: nobody else sees it."""

    personal_data = "Who lets whom see it."
    kept_for = "Until the leader takes it back."

    leader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="development_shares"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["leader", "person"], name="development_shared_once")
        ]

    def __str__(self) -> str:
        return f"{self.leader} with {self.person}"


class Learning(models.Model):
    """A learning module, or a session of a community of practice."""

    personal_data = "Who offers it."
    kept_for = "As long as the system runs."

    class Kind(models.TextChoices):
        MODULE = "module", _("learning module")
        COMMUNITY = "community", _("community of practice")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    title = models.CharField(max_length=160)
    about = models.TextField(blank=True, max_length=2000)
    competences = models.ManyToManyField(Competence, blank=True, related_name="learning")
    on = models.DateField(null=True, blank=True)
    """The day it takes place; empty for a module taken at any time."""
    place = models.CharField(max_length=200, blank=True)
    hours = models.DecimalField(max_digits=5, decimal_places=1, default=0)
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """For whom: the people of an area; None for everybody."""
    offerer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    offered_by = models.CharField(max_length=300)
    at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    """When those who take part were reminded, in the week before."""
    cancelled_why = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-on", "-pk"]

    def __str__(self) -> str:
        return self.title


class Attendance(models.Model):
    """A leader takes part in learning."""

    personal_data = "Who took part in what."
    kept_for = "Seven years."

    learning = models.ForeignKey(Learning, on_delete=models.CASCADE, related_name="attendances")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="learning_attendances"
    )
    enrolled_at = models.DateTimeField()
    attended_on = models.DateField(null=True, blank=True)
    """Confirmed by who offers it; empty until then."""
    confirmed_by = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["learning", "person"], name="takes_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.learning}"


class CoachingPair(models.Model):
    """Two people, one of whom coaches the other."""

    personal_data = "Who coaches whom."
    kept_for = "Seven years after it ends."

    coach = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="coaches"
    )
    coached = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="coached_by"
    )
    asked_by = models.CharField(max_length=300)
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    """The one of the two who asked; the other one answers."""
    starts = models.DateField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    """When the one asked agreed; no coaching before."""
    ends = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(name="coaching_takes_two", condition=~Q(coach=F("coached"))),
            models.UniqueConstraint(
                fields=["coach", "coached"],
                condition=Q(ends__isnull=True),
                name="one_pair_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coach} coaches {self.coached}"


class CoachingNote(models.Model):
    """What was said in a coaching session: for the two of the pair and nobody else."""

    personal_data = "What two people said to each other in confidence."
    kept_for = "Until its author deletes it; a year after the coaching ends at the latest."

    pair = models.ForeignKey(CoachingPair, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    on = models.DateField()
    words = models.TextField(max_length=4000)
    next_step = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-on", "-pk"]

    def __str__(self) -> str:
        return f"{self.on}"


class TimeSpent(models.Model):
    """Hours of the middle tier, by what they were for."""

    personal_data = "How a person spent working time."
    kept_for = "Three years."

    class On(models.TextChoices):
        SUPPORT = "support", _("support")
        COLLABORATION = "collaboration", _("collaboration")
        ACCOUNTABILITY = "accountability", _("accountability")
        DIRECTION = "direction", _("instructional direction")

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="time_spent"
    )
    week = models.DateField()
    """The Monday of it."""
    on = models.CharField(max_length=15, choices=On.choices)
    hours = models.DecimalField(max_digits=5, decimal_places=1)
    school = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-week", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "week", "on", "school"], name="hours_said_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="hours_of_a_week", condition=Q(hours__gte=0) & Q(hours__lte=80)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.person}, {self.week}: {self.hours} h {self.on}"
