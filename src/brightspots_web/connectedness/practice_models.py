"""Ways of working that a school wrote up, and how they travel."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import School
from brightspots_web.insight.models import BrightSpot


class Practice(models.Model):
    """A described way of working with its source school, context and evidence."""

    personal_data = "Who wrote it."
    kept_for = "As long as the system runs."

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        RETIRED = "retired", _("no longer recommended")

    code = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=160)
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="practices")
    priority = models.ForeignKey(
        Priority, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    bright_spot = models.ForeignKey(
        BrightSpot, null=True, blank=True, on_delete=models.SET_NULL, related_name="practices"
    )
    """The confirmed bright spot it was learned from; none for a practice that a school offers."""
    language = models.CharField(max_length=10)
    """The language it is written in, as a code: en, sw."""
    translation_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="translations"
    )
    summary = models.CharField(max_length=300)
    context = models.TextField(max_length=4000)
    what_to_do = models.TextField(max_length=8000)
    what_it_takes = models.TextField(max_length=4000)
    evidence = models.TextField(blank=True, max_length=4000)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    written_by = models.CharField(max_length=300)
    appointment = models.CharField(max_length=40, blank=True)
    """Of who wrote it: somebody else is to publish it where there is somebody."""
    written_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=300, blank=True)
    retired_why = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-published_at", "-pk"]

    def __str__(self) -> str:
        return self.title


class PracticeAdoption(models.Model):
    """A school took a practice up, from the source or from a school that had: its lineage."""

    personal_data = "Who wrote it down."
    kept_for = "As long as the system runs."

    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="adoptions")
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="adoptions")
    source = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="passed_on"
    )
    """The adoption it was learned from; none when it came from the source school itself."""
    on = models.DateField()
    adapted = models.TextField(blank=True, max_length=2000)
    """What was changed; "" for a practice taken up as it is."""
    stopped_on = models.DateField(null=True, blank=True)
    stopped_why = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "school"], name="adopted_once_a_school")
        ]

    def __str__(self) -> str:
        return f"{self.school}: {self.practice}"


class PracticeFollow(models.Model):
    """A person wants to hear of a practice."""

    personal_data = "Who follows what."
    kept_for = "Until the person stops."

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="follows")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "person"], name="follow_once")]

    def __str__(self) -> str:
        return f"{self.person_id} follows {self.practice_id}"


class PracticeComment(models.Model):
    """What somebody who tried it, or thinks of it, says."""

    personal_data = "Who said it, and their words."
    kept_for = "As long as the practice."

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="comments")
    words = models.TextField(max_length=2000)
    by = models.CharField(max_length=300)
    appointment = models.CharField(max_length=40)
    at = models.DateTimeField()
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.CharField(max_length=300, blank=True)
    hidden_why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.practice}: {self.words[:40]}"
