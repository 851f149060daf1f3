"""A partnership's data conversation as a meeting: agenda, who came, minutes."""

from django.conf import settings
from django.db import models

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import Partnership, School


class Meeting(models.Model):
    """A data conversation of a partnership, from invitation to minutes."""

    personal_data = "Who called it, and what the minutes say."
    kept_for = "Seven years."

    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="meetings")
    starts_at = models.DateTimeField()
    minutes_long = models.PositiveSmallIntegerField(default=90)
    place = models.CharField(max_length=200, blank=True)
    purpose = models.CharField(max_length=300, blank=True)
    """What the group wants to have decided by the end."""
    priorities = models.ManyToManyField(Priority, blank=True, related_name="+")
    """The agenda: all live priorities unless the leader takes one out."""
    code = models.CharField(max_length=12, unique=True)
    """Told in the room: who types it on a phone was there."""
    called_by = models.CharField(max_length=300)
    appointment = models.CharField(max_length=40)
    called_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_why = models.CharField(max_length=300, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    minute_taker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Whom the leader asked to write the minutes; none where the leader does."""
    minutes = models.TextField(blank=True, max_length=8000)
    minutes_by = models.CharField(max_length=300, blank=True)
    minutes_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-starts_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.partnership}, {self.starts_at:%Y-%m-%d}"


class MeetingAttendance(models.Model):
    """A school was at a meeting, through this person."""

    personal_data = "Who was at which meeting."
    kept_for = "Seven years."

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="attendances")
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    """None where the leader ticked the school."""
    by_code = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "school", "person"], name="present_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.school} at {self.meeting}"
