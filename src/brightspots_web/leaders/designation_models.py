"""From evidence to a designated leader: nominations, applications, panels, terms."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import Person, School


class Grade(models.TextChoices):
    LEADER = "leader", _("leads a partnership")
    SPECIALIST = "specialist", _("specialist in a priority")


class Criteria(models.Model):
    """What the ministry asks of a leader: one row. 0 or False: it is not asked."""

    personal_data = "The name of the person who changed it last."
    kept_for = "As long as the system runs."

    years_as_head = models.PositiveSmallIntegerField(default=3)
    years_to_stay = models.PositiveSmallIntegerField(default=2)
    years_of_results = models.PositiveSmallIntegerField(default=3)
    governors = models.BooleanField(default=True)
    """The backing of the school's governors is asked."""
    director = models.BooleanField(default=True)
    """The backing of the district's director is asked."""
    term_years = models.PositiveSmallIntegerField(default=3)
    panel_size = models.PositiveSmallIntegerField(default=3)
    days = models.PositiveSmallIntegerField(default=40)
    """Days a year that a leader has for other schools, where none are agreed."""
    few_per_schools = models.PositiveSmallIntegerField(default=6)
    """An area has few leaders when one would have to lead more schools than this."""
    changed_by = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = _("criteria")

    def __str__(self) -> str:
        return f"{self.years_as_head} years, term of {self.term_years}"


class Nomination(models.Model):
    """Somebody says that a person should lead: the evidence, a peer, or the person."""

    personal_data = "Who is nominated, by whom, and why."
    kept_for = "Three years."

    class Kind(models.TextChoices):
        EVIDENCE = "evidence", _("by the evidence")
        PEER = "peer", _("by a colleague")
        SELF = "self", _("by the person")

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="nominations"
    )
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    priority = models.ForeignKey(
        Priority, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    words = models.TextField(blank=True, max_length=2000)
    by = models.CharField(max_length=300)
    by_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who nominates: a colleague who does so does not sit on the panel."""
    appointment = models.CharField(max_length=40)
    at = models.DateTimeField()
    declined_at = models.DateTimeField(null=True, blank=True)
    """The person does not want to, now."""
    declined_why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "appointment", "priority"],
                condition=Q(declined_at=None), name="nominated_once", nulls_distinct=False,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.person}: {self.get_kind_display()}"


class Application(models.Model):
    """A person applies, with evidence and backing; a panel decides with a reason."""

    personal_data = "Who applies, their career, backing and words; the panel's decision."
    kept_for = "Seven years."

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("handed in")
        PANEL = "panel", _("with the panel")
        DESIGNATED = "designated", _("designated")
        NOT_YET = "not_yet", _("not yet")
        WITHDRAWN = "withdrawn", _("withdrawn")

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="applications"
    )
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    grade = models.CharField(max_length=12, choices=Grade.choices)
    priorities = models.ManyToManyField(Priority, blank=True, related_name="+")
    """In which the person's school is strong: a leader's too, a specialist's at least one."""
    head_since = models.DateField(null=True, blank=True)
    stays_until = models.DateField(null=True, blank=True)
    governors_by = models.CharField(max_length=200, blank=True)
    """Who of the governors backs it; "" while nobody does."""
    governors_on = models.DateField(null=True, blank=True)
    director_by = models.CharField(max_length=300, blank=True)
    """The officer who backs it, by a press on the page; "" while nobody does."""
    director_on = models.DateField(null=True, blank=True)
    director = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    """The same officer as a person: who backs does not sit on the panel."""
    backing_asked_at = models.DateTimeField(null=True, blank=True)
    """When the person asked the officers to back it; until then nobody else sees the draft."""
    exceptions = models.JSONField(default=dict, blank=True)
    """Criterion -> why the ministry takes the application without it, by whom and when."""
    statement = models.TextField(blank=True, max_length=4000)
    days = models.PositiveSmallIntegerField(default=0)
    """Days a year the person can give to other schools."""
    evidence = models.JSONField(default=dict, blank=True)
    """Published figures of the school as they stood when it was handed in."""
    criteria = models.JSONField(default=dict, blank=True)
    """The criteria of that day and which were met."""
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    renews = models.ForeignKey(
        "leaders.Designation", null=True, blank=True, on_delete=models.PROTECT,
        related_name="renewals",
    )  # fmt: skip
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=300, blank=True)
    reason = models.TextField(blank=True, max_length=2000)
    """Why the decision was as it was, for the person to read."""
    next_steps = models.TextField(blank=True, max_length=2000)
    """What would make it a yes, where the answer is "not yet"."""
    reopened_at = models.DateTimeField(null=True, blank=True)
    reopened_why = models.CharField(max_length=500, blank=True)
    """The panel has to decide anew, as too few of its views count any longer."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(state__in=["draft", "submitted", "panel"]),
                name="one_open_application",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.person}: {self.get_grade_display()}"


class PanelMember(models.Model):
    """Somebody who decides on an application, having said that nothing binds them to it."""

    personal_data = "Who sits on a panel, what binds them, and what they think."
    kept_for = "Seven years."

    class View(models.TextChoices):
        YES = "yes", _("ready now")
        NOT_YET = "not_yet", _("not yet")

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="panel")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_by = models.CharField(max_length=300)
    asked_at = models.DateTimeField()
    no_conflict_at = models.DateTimeField(null=True, blank=True)
    """When the member declared that nothing binds them to the applicant."""
    conflict = models.CharField(max_length=300, blank=True)
    """What binds them, found or said: then they do not decide, and their view counts no longer."""
    set_aside_at = models.DateTimeField(null=True, blank=True)
    view = models.CharField(max_length=10, choices=View.choices, blank=True)
    reason = models.TextField(blank=True, max_length=2000)
    said_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["application", "person"], name="on_panel_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.application}"


class Designation(models.Model):
    """A person may lead or support other schools, for a term."""

    personal_data = "Who is designated, for what and how long, and how it ended."
    kept_for = "Seven years after it ends."

    class State(models.TextChoices):
        LIVE = "live", _("in office")
        LAPSED = "lapsed", _("lapsed")
        RESIGNED = "resigned", _("resigned")
        OVER = "over", _("term over")

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="designations"
    )
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    grade = models.CharField(max_length=12, choices=Grade.choices)
    priorities = models.ManyToManyField(Priority, blank=True, related_name="+")
    application = models.OneToOneField(
        Application, on_delete=models.PROTECT, related_name="designation"
    )
    days = models.PositiveSmallIntegerField()
    """Days a year for other schools."""
    caseload = models.PositiveSmallIntegerField(null=True, blank=True)
    """Most schools at a time; None: the cap of the system."""
    starts = models.DateField()
    ends = models.DateField()
    """The first day on which it no longer holds, whatever the state."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.LIVE)
    ended_why = models.CharField(max_length=500, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    """When the leader was told which criterion no longer holds; it lapses a while later."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-starts", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(state="live"), name="one_live_designation"
            ),
            models.CheckConstraint(
                name="designation_ends_after_it_starts", condition=Q(ends__gte=F("starts"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.get_grade_display()}"
