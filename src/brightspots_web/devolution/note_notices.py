"""The words of notices about notes and preparing: which note and when, never a word of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.devolution import meeting_queries as meetings
from brightspots_web.devolution import note_share_actions as sharing
from brightspots_web.devolution import preparation_actions as preparing
from brightspots_web.devolution import preparation_queries as preparation
from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day


@kinds.register(sharing.SUGGESTED)
def suggested(data: Mapping[str, Any]) -> Link:
    words = _("A colleague would like to share a note with your partnership. Have a look.")
    return Link(words, reverse("devolution:note", args=[data["note"]]))


@kinds.register(sharing.SHARED)
def shared(data: Mapping[str, Any]) -> Link:
    words = _("Your note is shared with your partnership.")
    return Link(words, reverse("devolution:note", args=[data["note"]]))


@kinds.register_many(preparing.REMINDER)
def reminders(many: Sequence[Mapping[str, Any]]) -> list[Link | None]:
    """As long as the meeting is to come."""
    found = meetings.by_keys(each["meeting"] for each in many)
    return [_reminder(found.get(each["meeting"])) for each in many]


def _reminder(meeting: Any) -> Link | None:
    if meeting is None or not preparation.is_coming(meeting):
        return None
    words = _(
        "You meet on {day}. A few minutes to look at what is on the table, and a line on what you "
        "have seen, help everybody."
    ).format(day=day(meetings.day_of(meeting)))
    return Link(words, reverse("devolution:preparation", args=[meeting.pk]))
