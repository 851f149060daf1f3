"""Peer review: a school asks a question of itself, and peers look with it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import Partnership, School


class PeerReview(models.Model):
    """One review, from the school's own view to the check-back."""

    personal_data = "Who asked for it, and the host's words."
    kept_for = "Seven years."

    class State(models.TextChoices):
        SELF_REVIEW = "self_review", _("self-review")
        TEAM = "team", _("team being found")
        SCHEDULED = "scheduled", _("visit has a date")
        VISITED = "visited", _("visited, findings to agree")
        AGREED = "agreed", _("findings agreed")
        WORKSHOP = "workshop", _("improvement workshop held")
        CHECKED = "checked", _("checked back")
        CALLED_OFF = "called_off", _("called off")

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="peer_reviews")
    """The host."""
    partnership = models.ForeignKey(
        Partnership, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """The host's partnership when the review began."""
    priority = models.ForeignKey(
        Priority, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    question = models.CharField(max_length=300, blank=True)
    """The enquiry question, chosen by the host."""
    strengths_seen = models.TextField(blank=True, max_length=2000)
    to_improve_seen = models.TextField(blank=True, max_length=2000)
    evidence_seen = models.TextField(blank=True, max_length=2000)
    """The self-review: what the host sees, and what it rests on."""
    state = models.CharField(max_length=12, choices=State.choices, default=State.SELF_REVIEW)
    visit_on = models.DateField(null=True, blank=True)
    visit_until = models.DateField(null=True, blank=True)
    plan = models.TextField(blank=True, max_length=2000)
    """The timetable of the visit."""
    workshop_on = models.DateField(null=True, blank=True)
    workshop_notes = models.TextField(blank=True, max_length=2000)
    check_back_on = models.DateField(null=True, blank=True)
    """A must once the findings are agreed."""
    checked_on = models.DateField(null=True, blank=True)
    checked_found = models.TextField(blank=True, max_length=2000)
    checked_by = models.CharField(max_length=300, blank=True)
    reply = models.TextField(blank=True, max_length=2000)
    """The host's reply to the findings."""
    replied_by = models.CharField(max_length=300, blank=True)
    excellence = models.TextField(blank=True, max_length=1000)
    """The area of excellence that the team saw."""
    practice = models.ForeignKey(
        "connectedness.Practice", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """What was written up of it for the practice library."""
    called_off_why = models.CharField(max_length=500, blank=True)
    reminded = models.CharField(max_length=12, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="review_agreed_with_a_check_back",
                condition=~Q(state__in=["agreed", "workshop", "checked"])
                | Q(check_back_on__isnull=False),
            ),
            models.CheckConstraint(
                name="review_scheduled_with_a_date",
                condition=Q(state__in=["self_review", "team", "called_off"])
                | Q(visit_on__isnull=False),
            ),
            models.CheckConstraint(
                name="review_visit_ends_after_it_begins",
                condition=Q(visit_until__isnull=True) | Q(visit_until__gte=F("visit_on")),
            ),
            models.CheckConstraint(
                name="review_called_off_with_a_reason",
                condition=~Q(state="called_off") | ~Q(called_off_why=""),
            ),
        ]

    def __str__(self) -> str:
        # As in Pledge: the audit trail is read outside the partnership.
        return f"{self.school}, {self.at:%Y-%m-%d}"


class Reviewer(models.Model):
    """A peer in the team of a review."""

    personal_data = "Who reviews, and what stands between them and the host."
    kept_for = "As long as the review."

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        ACCEPTED = "accepted", _("comes")
        DECLINED = "declined", _("cannot")
        STOOD_DOWN = "stood_down", _("stood down")

    review = models.ForeignKey(PeerReview, on_delete=models.CASCADE, related_name="team")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=300)
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    """Where the peer comes from."""
    leads = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ASKED)
    conflict = models.CharField(max_length=500, blank=True)
    """What they declared themselves, or what was found afterwards."""
    conflict_found_at = models.DateTimeField(null=True, blank=True)
    """When it was found after they had taken part: what they wrote is marked, not erased."""
    conflict_found_by = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=300)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-leads", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["review", "person"], name="one_seat_a_reviewer"),
            models.UniqueConstraint(
                fields=["review"],
                condition=Q(leads=True) & ~Q(state__in=["declined", "stood_down"]),
                name="one_lead_reviewer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review_id}: {self.school}"


class ReviewEvidence(models.Model):
    """What one reviewer saw, written down on a phone during the visit."""

    personal_data = "Who saw it, and their words."
    kept_for = "As long as the review."

    class Kind(models.TextChoices):
        LESSON = "lesson", _("a lesson")
        WORK = "work", _("pupils' work")
        VOICE = "voice", _("what pupils or teachers said")
        PAPER = "paper", _("a plan or record")

    review = models.ForeignKey(PeerReview, on_delete=models.CASCADE, related_name="evidence")
    reviewer = models.ForeignKey(Reviewer, on_delete=models.CASCADE, related_name="evidence")
    client_key = models.UUIDField(unique=True)
    """Given by the form: the same form sent twice is one piece of evidence."""
    kind = models.CharField(max_length=6, choices=Kind.choices)
    words = models.TextField(max_length=1000)
    strength = models.BooleanField(default=True)
    """Speaks of a strength; otherwise of something to work on."""
    on = models.DateField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = _("review evidence")

    def __str__(self) -> str:
        return f"{self.review_id}: {self.kind}"


class ReviewFinding(models.Model):
    """A finding of the team; strengths come first, and host and team agree each."""

    personal_data = "Who wrote it."
    kept_for = "As long as the review."

    class Kind(models.TextChoices):
        STRENGTH = "a_strength", _("a strength")
        WORK_ON = "b_work_on", _("something to work on")

    review = models.ForeignKey(PeerReview, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    words = models.TextField(max_length=1000)
    rests_on = models.CharField(max_length=500, blank=True)
    """The evidence it rests on, in a sentence."""
    host_agrees = models.BooleanField(null=True)
    """None until the host has answered."""
    host_words = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["kind", "pk"]

    def __str__(self) -> str:
        return f"{self.review_id}: {self.kind}"


class ReviewAction(models.Model):
    """Something the host does after the improvement workshop."""

    personal_data = "Who does it."
    kept_for = "As long as the review."

    review = models.ForeignKey(PeerReview, on_delete=models.CASCADE, related_name="actions")
    what = models.CharField(max_length=300)
    owner_name = models.CharField(max_length=300)
    due = models.DateField()
    done_on = models.DateField(null=True, blank=True)
    outcome = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = [F("done_on").asc(nulls_first=True), "due", "pk"]

    def __str__(self) -> str:
        return f"{self.review_id}, {self.due}"


class ImprovementChampion(models.Model):
    """A teacher or head who helps schools turn findings into change, in workshops."""

    personal_data = "Who it is."
    kept_for = "Seven years after it ended."

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="championships"
    )
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="champions")
    good_at = models.CharField(max_length=300)
    since = models.DateField()
    until = models.DateField(null=True, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["since", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "school"],
                condition=Q(until__isnull=True),
                name="one_championship_a_school",
            )
        ]

    def __str__(self) -> str:
        return f"{self.school}, {self.since}"
