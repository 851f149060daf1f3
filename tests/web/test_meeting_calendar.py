"""The calendar file of a meeting, read back by what other programs read it with."""

from datetime import timedelta
from typing import Any

from django.urls import reverse
from icalendar import Calendar

from brightspots_web.devolution import meeting_actions as actions
from brightspots_web.devolution.meeting_actions import Wanted
from brightspots_web.devolution.models import Meeting
from tests.web import meeting_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World


def read(sign_in: SignIn, meeting: Meeting) -> tuple[Any, Any]:
    answer = sign_in("head").get(reverse("devolution:meeting_calendar", args=[meeting.pk]))
    assert answer["Content-Type"].startswith("text/calendar")
    lines = answer.content.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 75 for line in lines)  # folded, as RFC 5545 wants
    calendar = Calendar.from_ical(answer.content)
    (event,) = calendar.walk("VEVENT")
    assert not event.errors
    return calendar, event


def test_a_meeting_goes_into_a_calendar_at_the_right_moment(world: World, sign_in: SignIn) -> None:
    long = "A question, with commas; semicolons and a \\ that goes on for longer than a line may."
    meeting = helpers.called(world, purpose=long)
    calendar, event = read(sign_in, meeting)
    assert calendar["METHOD"] == "PUBLISH"
    assert event.decoded("DTSTART") == meeting.starts_at
    assert event.decoded("DTSTART").utcoffset() == timedelta(0)
    assert event["DTSTART"].to_ical().endswith(b"Z")
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=90)
    assert event["SUMMARY"] == "Data conversation of Upper partnership"
    assert event["LOCATION"] == "School N1"
    assert event["DESCRIPTION"].startswith(long)
    assert event["STATUS"] == "CONFIRMED"
    assert event.decoded("SEQUENCE") == 0
    for needed in ("UID", "DTSTAMP", "ORGANIZER"):
        assert needed in event


def test_a_change_replaces_it_and_calling_off_takes_it_out(world: World, sign_in: SignIn) -> None:
    meeting, leader = helpers.called(world), world.cast["system_leader"]
    _calendar, first = read(sign_in, meeting)
    meeting = actions.change(meeting, Wanted(helpers.in_days(8, 9)), by=leader, seen=1)
    _calendar, second = read(sign_in, meeting)
    assert second["UID"] == first["UID"]
    assert second.decoded("SEQUENCE") > first.decoded("SEQUENCE")
    assert second.decoded("DTSTART") == meeting.starts_at
    meeting = actions.cancel(meeting, by=leader, why="The road is closed.", seen=2)
    calendar, third = read(sign_in, meeting)
    assert calendar["METHOD"] == "CANCEL"
    assert third["STATUS"] == "CANCELLED"
    assert third["UID"] == first["UID"]
    assert third.decoded("SEQUENCE") > second.decoded("SEQUENCE")
    other = helpers.called(world, 9)
    assert read(sign_in, other)[1]["UID"] != first["UID"]
