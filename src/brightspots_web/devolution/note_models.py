"""Small data: what teachers and heads see, and how much of all data is looked at."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution.meeting_models import Meeting
from brightspots_web.directory.models import Area, Indicator, School
from brightspots_web.shared.permissions import Role


class Rubric(models.Model):
    """A short form for a structured observation, that a partnership or the ministry made."""

    personal_data = "Who made it."
    kept_for = "As long as the system runs; one taken out keeps its observations."

    name = models.CharField(max_length=120)
    about = models.CharField(max_length=500, blank=True)
    priority = models.ForeignKey(
        Priority, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    partnership = models.ForeignKey(
        "directory.Partnership", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """Whose it is; none for one of the whole system."""
    items = models.JSONField(default=list)
    """[{"code", "question", "kind": "count" | "scale" | "yes_no", "most": 5}, …]."""
    made_by = models.CharField(max_length=300)
    made_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    """The form it was changed from: that one keeps its questions and its observations."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class DataNote(models.Model):
    """A small data note: what somebody saw or heard. The school's alone until it shares it."""

    personal_data = "Who wrote it, and what they saw; no pupil's name."
    kept_for = "Seven years."

    class Kind(models.TextChoices):
        SEEN = "seen", _("what I saw")
        HEARD = "heard", _("what pupils said")
        HUNCH = "hunch", _("a hunch")
        OBSERVATION = "observation", _("an observation with a form")

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="data_notes")
    priority = models.ForeignKey(
        Priority, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    indicator = models.ForeignKey(
        Indicator, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.SEEN)
    on = models.DateField()
    words = models.TextField(max_length=1000)
    tags = models.JSONField(default=list, blank=True)
    """Lower-case words, each of at most 40 characters, at most 6."""
    rubric = models.ForeignKey(
        Rubric, null=True, blank=True, on_delete=models.PROTECT, related_name="observations"
    )
    observed = models.JSONField(default=dict, blank=True)
    """Item's code -> value."""
    client_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """Made where the note was written, so that a note sent twice is kept once."""
    sent = models.CharField(max_length=64, blank=True, editable=False)
    """The hash of what was sent with that key: the same sent again is no second note."""
    by = models.CharField(max_length=300)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()
    suggested_at = models.DateTimeField(null=True, blank=True)
    """When its author asked the head to share it."""
    shared_at = models.DateTimeField(null=True, blank=True)
    """When the school shared it with its partnership."""
    shared_by = models.CharField(max_length=300, blank=True)
    shared_with = models.ForeignKey(
        "directory.Partnership", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """The partnership it was shared with: another that the school joins later does not see it."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-on", "-pk"]
        indexes = [models.Index(fields=["school", "-on"], name="notes_of_a_school")]
        constraints = [
            models.CheckConstraint(
                name="shared_with_somebody",
                condition=Q(shared_at__isnull=True, shared_with__isnull=True)
                | Q(shared_at__isnull=False, shared_with__isnull=False),
            )
        ]

    def __str__(self) -> str:
        """Where and when, without a word of it: the audit trail writes this down."""
        return f"{self.school}, {self.on}"


class NoteTag(models.Model):
    """A tag of a note, by which notes are found and counted; in step with `DataNote.tags`."""

    personal_data = "None: a word."
    kept_for = "As long as the note."

    note = models.ForeignKey(DataNote, on_delete=models.CASCADE, related_name="tagged")
    word = models.CharField(max_length=40, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["note", "word"], name="tagged_once")]

    def __str__(self) -> str:
        return self.word


class NotePhoto(models.Model):
    """The photograph of a note, apart from it so that lists stay light."""

    personal_data = "What is on the photograph: no pupil's face is asked for."
    kept_for = "As long as the note."

    note = models.OneToOneField(DataNote, on_delete=models.CASCADE, related_name="photo")
    jpeg = models.BinaryField()
    """Written anew by the server: smaller, and without where, when and by which camera."""
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    says = models.CharField(max_length=200)
    """What is on it, for who cannot see it."""

    def __str__(self) -> str:
        return f"{self.note_id}: {self.width} × {self.height}"


class HeldPhoto(models.Model):
    """A photograph sent with words that its writer is asked to look at again."""

    personal_data = "What is on the photograph."
    kept_for = "A day: it goes to its note, or is forgotten."

    client_key = models.UUIDField(unique=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    jpeg = models.BinaryField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.width} × {self.height}"


class Preparation(models.Model):
    """A person looked at what a meeting is about before it."""

    personal_data = "Who prepared for which meeting."
    kept_for = "A year after the meeting."

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="preparations")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    looked_at = models.DateTimeField(null=True, blank=True)
    question = models.CharField(max_length=300, blank=True)
    """What the person wants to ask the others."""

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["meeting", "person"], name="prepares_once")]

    def __str__(self) -> str:
        return f"{self.person} for {self.meeting}"


class PreparationReminder(models.Model):
    """On a day, those who had not yet prepared were reminded: once, whoever presses how often."""

    personal_data = "None."
    kept_for = "As long as the meeting."

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="+")
    on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meeting", "on"], name="reminded_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.meeting}: {self.on}"


class DataUse(models.Model):
    """How often data was looked at or contributed on a day, by role and area: never by person."""

    personal_data = "None: counts of an area and role."
    kept_for = "Five years."

    class What(models.TextChoices):
        LOOKED = "looked", _("looked at data")
        CONTRIBUTED = "contributed", _("contributed data")

    on = models.DateField()
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    """None for the tiers above all areas."""
    role = models.CharField(max_length=40, choices=Role.choices)
    what = models.CharField(max_length=12, choices=What.choices)
    times = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["on", "area", "role", "what"], name="data_use_counted_once",
                nulls_distinct=False,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.on}, {self.role}: {self.times} {self.what}"
