"""Who was in touch with a school, who works against its isolation, and how the numbers go."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import Area, Partnership, School


class ConnectednessSettings(models.Model):
    """What the ministry set: one row."""

    personal_data = "The name of the person who changed it last."
    kept_for = "As long as the system runs."

    contact_days = models.PositiveIntegerField(default=60)
    """A school that nobody was in touch with for so many days counts as without contact."""
    caseload_cap = models.PositiveSmallIntegerField(default=6)
    """Most schools that one leader supports at a time."""
    leader_days = models.PositiveSmallIntegerField(default=40)
    """Days a year that a leader has for other schools, where none are agreed with the leader."""
    support_km = models.PositiveSmallIntegerField(default=60)
    """Farthest that a school is suggested to another for support, in km as the crow flies."""
    changed_by = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("connectedness settings")

    def __str__(self) -> str:
        return f"{self.contact_days} days, {self.caseload_cap} schools"


class Contact(models.Model):
    """One time that somebody outside a school was in touch with it: a meeting, a visit, a call."""

    personal_data = "Who wrote it down, and their words about a school."
    kept_for = "Seven years."

    class Kind(models.TextChoices):
        MEETING = "meeting", _("partnership meeting")
        VISIT = "visit", _("visit")
        CALL = "call", _("call")
        SUPPORT = "support", _("day of support")

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="contacts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    on = models.DateField()
    partnership = models.ForeignKey(
        Partnership, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    deployment = models.ForeignKey(
        "connectedness.Deployment", null=True, blank=True, on_delete=models.CASCADE,
        related_name="contacts",
    )  # fmt: skip
    note = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-on", "-pk"]
        indexes = [models.Index(fields=["school", "-on"], name="contact_last")]

    def __str__(self) -> str:
        return f"{self.school}, {self.on}: {self.kind}"


class IsolationStep(models.Model):
    """What somebody does so that a school is not alone, and by when."""

    personal_data = "Who does it, who wrote it down, and their words about a school."
    kept_for = "Seven years."

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="isolation_steps")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    owner_name = models.CharField(max_length=300)
    what = models.CharField(max_length=300)
    due = models.DateField()
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    done_on = models.DateField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["done_on", "due", "pk"]

    def __str__(self) -> str:
        return f"{self.school}: {self.what}"


class IsolationCount(models.Model):
    """How many schools were isolated on a day, by area: the trend."""

    personal_data = "None."
    kept_for = "As long as the system runs."

    on = models.DateField()
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    """Nobody's area means the whole system; each area counts all below it."""
    schools = models.PositiveIntegerField()
    no_partnership = models.PositiveIntegerField()
    no_leader = models.PositiveIntegerField()
    no_contact = models.PositiveIntegerField()
    isolated = models.PositiveIntegerField()
    """Schools with at least one of the three."""
    near = models.PositiveIntegerField()
    """Schools one step from isolation."""

    class Meta:
        ordering = ["on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["on", "area"], name="isolation_counted_once_a_day", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="isolated_within_schools", condition=Q(isolated__lte=models.F("schools"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on}: {self.isolated} of {self.schools}"
