"""A dialogue as a calendar file (RFC 5545) that phones and offices read; times are in UTC."""

import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone
from icalendar import Calendar, Event, vCalAddress, vText

from brightspots_web.accountability.models import Dialogue

PRODUCT = "-//Brightspots//Dialogues//EN"
LENGTH = timedelta(minutes=90)
"""A dialogue has no set end."""


def calendar_file(dialogue: Dialogue, url: str) -> bytes:
    """The dialogue for a person's own calendar; one called off takes itself out of it."""
    off = dialogue.state == Dialogue.State.CALLED_OFF
    begins = timezone.make_aware(datetime.combine(dialogue.on, dialogue.begins)).astimezone(UTC)
    named = f"dialogue {dialogue.pk} {dialogue.at.isoformat()}"
    calendar, event = Calendar(), Event()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if off else "PUBLISH")
    event.add("uid", str(uuid.uuid5(uuid.NAMESPACE_URL, named)))
    event.add("sequence", dialogue.version - 1)
    event.add("dtstamp", timezone.now().astimezone(UTC))
    event.add("dtstart", begins)
    event.add("dtend", begins + LENGTH)
    event.add("summary", dialogue.title)
    event.add("status", "CANCELLED" if off else "CONFIRMED")
    event.add("location", dialogue.place)
    points = [each.words for each in dialogue.items.all()]
    event.add("description", "\n".join([*points, url]))
    event.add("url", url)
    # Nobody's own address goes into files that are passed on.
    organizer = vCalAddress(f"mailto:{settings.DEFAULT_FROM_EMAIL}")
    organizer.params["cn"] = vText(dialogue.area.name)
    event.add("organizer", organizer)
    calendar.add_component(event)
    return bytes(calendar.to_ical())
