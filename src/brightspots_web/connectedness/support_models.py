"""Asking for support, offering it, agreeing on it, and what came of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import School


class SupportRequest(models.Model):
    """A school asks for support at a priority: a strength of its head, never a failing."""

    personal_data = "Who asked, and their words about their school."
    kept_for = "Seven years."

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        READY = "ready", _("ready to match")
        MATCHED = "matched", _("matched")
        MET = "met", _("support given")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Origin(models.TextChoices):
        SCHOOL = "school", _("asked by the school")
        DESIGNATED = "designated", _("proposed by the middle tier, agreed by the school")

    class Urgency(models.TextChoices):
        SOON = "soon", _("within weeks")
        TERM = "term", _("this term")
        YEAR = "year", _("this year")

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="support_requests")
    priority = models.ForeignKey(Priority, on_delete=models.PROTECT, related_name="+")
    what = models.TextField(max_length=1000)
    days = models.DecimalField(max_digits=5, decimal_places=1, default=5)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.SCHOOL)
    agreed_at = models.DateTimeField(null=True, blank=True)
    """When the school agreed to a designated request; a school's own request is agreed as asked."""
    urgency = models.CharField(max_length=10, choices=Urgency.choices, default=Urgency.TERM)
    asked_by = models.CharField(max_length=300)
    asked_at = models.DateTimeField()
    triaged_by = models.CharField(max_length=300, blank=True)
    triaged_at = models.DateTimeField(null=True, blank=True)
    triage_note = models.CharField(max_length=500, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-asked_at", "-pk"]
        indexes = [models.Index(fields=["state", "priority"], name="support_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "priority"],
                condition=Q(state__in=["asked", "ready", "matched"]),
                name="one_open_request_a_priority",
            )
        ]

    def __str__(self) -> str:
        return f"{self.school}, {self.priority}"


class SupportOffer(models.Model):
    """A school offers what it does well at a priority."""

    personal_data = "Who offers, who would come, and their words."
    kept_for = "Seven years."

    class State(models.TextChoices):
        OPEN = "open", _("open")
        PAUSED = "paused", _("paused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="support_offers")
    priority = models.ForeignKey(Priority, on_delete=models.PROTECT, related_name="+")
    giver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    """The leader who would come; the days are counted for this person."""
    giver_name = models.CharField(max_length=300)
    what = models.TextField(max_length=1000)
    days = models.DecimalField(max_digits=5, decimal_places=1)
    """Days a year on offer."""
    at_once = models.PositiveSmallIntegerField(default=2)
    """Most schools supported at a time."""
    languages = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    offered_by = models.CharField(max_length=300)
    offered_at = models.DateTimeField()
    until = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-offered_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "priority", "giver"],
                condition=Q(state__in=["open", "paused"]),
                name="one_offer_a_giver_and_priority",
            )
        ]

    def __str__(self) -> str:
        return f"{self.school}, {self.priority}"


class SupportMatch(models.Model):
    """A request and an offer that may fit, and what both sides said to it."""

    personal_data = "Who accepted or declined, and their reasons."
    kept_for = "Seven years."

    class State(models.TextChoices):
        SUGGESTED = "suggested", _("suggested")
        ACCEPTED = "accepted", _("accepted by both")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    request = models.ForeignKey(SupportRequest, on_delete=models.CASCADE, related_name="matches")
    offer = models.ForeignKey(SupportOffer, on_delete=models.CASCADE, related_name="matches")
    state = models.CharField(max_length=10, choices=State.choices, default=State.SUGGESTED)
    rank = models.PositiveSmallIntegerField()
    score = models.FloatField()
    distance_km = models.FloatField(null=True, blank=True)
    reasons = models.JSONField(default=list)
    """Why it was suggested, as it stood that day: kinds and values."""
    asker_accepted_at = models.DateTimeField(null=True, blank=True)
    asker_accepted_by = models.CharField(max_length=300, blank=True)
    giver_accepted_at = models.DateTimeField(null=True, blank=True)
    giver_accepted_by = models.CharField(max_length=300, blank=True)
    ended_by = models.CharField(max_length=300, blank=True)
    ended_why = models.CharField(max_length=500, blank=True)
    suggested_by = models.CharField(max_length=300)
    suggested_at = models.DateTimeField()
    put_by = models.CharField(max_length=300, blank=True)
    put_at = models.DateTimeField(null=True, blank=True)
    """When it was put to both schools. Until then it is a suggestion that officers alone see."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["rank", "pk"]
        verbose_name_plural = _("support matches")
        constraints = [
            models.UniqueConstraint(
                fields=["request", "offer"],
                condition=Q(state__in=["suggested", "accepted"]),
                name="match_once",
            ),
            models.UniqueConstraint(
                fields=["request"], condition=Q(state="accepted"), name="one_match_a_request"
            ),
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(state="suggested", put_at__isnull=False),
                name="one_match_put_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer} for {self.request}"


class Deployment(models.Model):
    """Support under way: an aim, days and a day on which it ends, agreed by both sides."""

    personal_data = "Who supports, and their report."
    kept_for = "Seven years."

    class State(models.TextChoices):
        RUNNING = "running", _("under way")
        FINISHED = "finished", _("finished")
        ENDED = "ended", _("ended early")

    match = models.OneToOneField(SupportMatch, on_delete=models.PROTECT, related_name="deployment")
    receiving = models.ForeignKey(School, on_delete=models.PROTECT, related_name="support_received")
    giving = models.ForeignKey(School, on_delete=models.PROTECT, related_name="support_given")
    priority = models.ForeignKey(Priority, on_delete=models.PROTECT, related_name="+")
    giver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    giver_name = models.CharField(max_length=300)
    aim = models.TextField(max_length=1000)
    days = models.DecimalField(max_digits=5, decimal_places=1)
    starts = models.DateField()
    exit_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    report = models.TextField(blank=True, max_length=4000)
    """What was done, what changed, what the school goes on with."""
    report_by = models.CharField(max_length=300, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    ended_why = models.CharField(max_length=500, blank=True)
    agreed_by = models.CharField(max_length=300)
    agreed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-starts", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="deployment_exits_after_it_starts",
                condition=Q(exit_on__gte=models.F("starts")),
            ),
            models.CheckConstraint(
                name="no_support_to_oneself", condition=~Q(receiving=models.F("giving"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.giving} with {self.receiving}, {self.priority}"


class DeploymentExtension(models.Model):
    """A later day on which support ends, proposed by one school and agreed by the other."""

    personal_data = "Who proposed and who answered, and their reasons."
    kept_for = "Seven years."

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        AGREED = "agreed", _("agreed by both")
        DECLINED = "declined", _("not agreed")
        WITHDRAWN = "withdrawn", _("taken back")

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="extensions")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    side = models.CharField(max_length=10)
    """Whose school proposes: `receiving` or `giving`, as in :class:`DeploymentView`."""
    exit_before = models.DateField()
    days_before = models.DecimalField(max_digits=5, decimal_places=1)
    exit_on = models.DateField()
    days = models.DecimalField(max_digits=5, decimal_places=1)
    """Days of the whole support, those agreed before included."""
    why = models.CharField(max_length=500)
    proposed_by = models.CharField(max_length=300)
    proposed_at = models.DateTimeField()
    answered_by = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answer_why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["proposed_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["deployment"],
                condition=Q(state="proposed"),
                name="one_extension_proposed_at_a_time",
            ),
            models.CheckConstraint(
                name="extension_ends_later", condition=Q(exit_on__gt=models.F("exit_before"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.exit_before} to {self.exit_on}"


class DeploymentLog(models.Model):
    """One visit or piece of work of a deployment, with the days it took."""

    personal_data = "Who wrote it, and their words about a school."
    kept_for = "Seven years."

    class Kind(models.TextChoices):
        VISIT = "visit", _("visit")
        REMOTE = "remote", _("call or message")
        PREPARATION = "preparation", _("preparation")

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="logs")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.VISIT)
    on = models.DateField()
    days = models.DecimalField(max_digits=4, decimal_places=2)
    note = models.TextField(blank=True, max_length=2000)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["on", "pk"]

    def __str__(self) -> str:
        return f"{self.on}: {self.days}"


class DeploymentView(models.Model):
    """How one side saw the support: both sides' views stand side by side."""

    personal_data = "Who said it, and their words."
    kept_for = "Seven years."

    class Side(models.TextChoices):
        RECEIVING = "receiving", _("the school that asked")
        GIVING = "giving", _("the school that gave")

    class Worth(models.IntegerChoices):
        NOT = 1, _("not worth the time")
        LITTLE = 2, _("worth a little")
        GOOD = 3, _("worth it")
        MUCH = 4, _("worth a great deal")

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="views")
    side = models.CharField(max_length=10, choices=Side.choices)
    worth = models.PositiveSmallIntegerField(choices=Worth.choices)
    words = models.TextField(blank=True, max_length=2000)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deployment", "side"], name="one_view_a_side")
        ]

    def __str__(self) -> str:
        return f"{self.side}: {self.worth}"
