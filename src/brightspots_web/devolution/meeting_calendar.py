"""A meeting as a calendar file (RFC 5545, iCalendar) that phones and offices read.

Times are in UTC, so that no zone has to be described and none is misread. The identifier stays
through every change and the sequence grows, so a calendar replaces what it had.
"""

import uuid
from datetime import UTC

from django.conf import settings
from django.utils import timezone
from icalendar import Calendar, Event, vCalAddress, vText

from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution import meeting_words as words
from brightspots_web.devolution.models import Meeting

PRODUCT = "-//Brightspots//Meetings//EN"


def identifier(meeting: Meeting) -> str:
    """The same for a meeting whenever it is asked for; nothing is told by it."""
    named = f"meeting {meeting.pk} {meeting.called_at.isoformat()} {meeting.partnership_id}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, named))


def calendar_file(meeting: Meeting, url: str) -> bytes:
    """The meeting for the people invited; one called off takes itself out of their calendars."""
    off = meeting.cancelled_at is not None or not queries.can_be_held(meeting)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if off else "PUBLISH")
    calendar.add_component(_event(meeting, url, off=off))
    return bytes(calendar.to_ical())


def _event(meeting: Meeting, url: str, *, off: bool) -> Event:
    event = Event()
    event.add("uid", identifier(meeting))
    event.add("sequence", meeting.version - 1)
    event.add("dtstamp", timezone.now().astimezone(UTC))
    event.add("dtstart", meeting.starts_at.astimezone(UTC))
    event.add("dtend", queries.ends_at(meeting).astimezone(UTC))
    event.add("summary", words.title(meeting))
    event.add("status", "CANCELLED" if off else "CONFIRMED")
    if meeting.place:
        event.add("location", meeting.place)
    agenda = [each.title for each in meeting.priorities.all()]
    lines = [meeting.purpose, *agenda, meeting.cancelled_why if off else "", url]
    event.add("description", "\n".join(line for line in lines if line))
    event.add("url", url)
    event.add("organizer", _organizer(meeting))
    return event


def _organizer(meeting: Meeting) -> vCalAddress:
    """The partnership; nobody's own address goes into files that are passed on."""
    address = vCalAddress(f"mailto:{settings.DEFAULT_FROM_EMAIL}")
    address.params["cn"] = vText(meeting.partnership.name)
    return address
