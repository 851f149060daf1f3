"""Two at once at a meeting, on a database that lets two write at once."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from brightspots_web.connectedness.models import Contact
from brightspots_web.devolution import meeting_actions as actions
from brightspots_web.devolution import meeting_attendance_actions as attendance
from brightspots_web.devolution.meeting_actions import Wanted
from brightspots_web.devolution.models import Meeting, MeetingAttendance
from brightspots_web.notices.models import Notice
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import meeting_helpers as helpers
from tests.web.test_races import at_once
from tests.web.world import World

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="one writer at a time: SQLite locks the whole file"
    ),
]


def test_calling_twice_at_once_is_calling_once(world: World) -> None:
    one, other = at_once(*[lambda: helpers.called(world)] * 2)
    assert one == other
    assert Meeting.objects.count() == 1
    assert Notice.objects.filter(person=world.person("head")).count() == 1


def test_two_meetings_are_not_moved_to_one_moment_at_once(world: World) -> None:
    leader, there = world.cast["system_leader"], Wanted(helpers.in_days(9))
    one, other = helpers.called(world, 5), helpers.called(world, 6)
    found = at_once(
        lambda: actions.change(one, there, by=leader, seen=None),
        lambda: actions.change(other, there, by=leader, seen=None),
    )
    assert sum(isinstance(each, ValidationError) for each in found) == 1
    assert Meeting.objects.filter(starts_at=there.starts_at).count() == 1


def test_a_code_and_a_tick_at_once_are_one_contact(world: World) -> None:
    meeting = helpers.going_on(world)
    at_once(
        lambda: attendance.arrive(meeting.code, by=world.cast["head"]),
        lambda: attendance.arrive(meeting.code, by=world.cast["head"]),
        lambda: attendance.tick(meeting, [world.schools["N2"]], by=world.cast["system_leader"]),
    )
    assert Contact.objects.filter(school=world.schools["N2"]).count() == 1
    assert MeetingAttendance.objects.filter(by_code=True).count() == 1


def test_of_two_minutes_saved_at_once_one_is_asked_to_look_again(world: World) -> None:
    meeting, leader = helpers.going_on(world), world.cast["system_leader"]
    found = at_once(
        lambda: actions.write_minutes(meeting, "One.", by=leader, seen=1),
        lambda: actions.write_minutes(meeting, "Other.", by=leader, seen=1),
    )
    assert sum(isinstance(each, OvertakenError) for each in found) == 1


def test_two_workers_remind_once(world: World) -> None:
    meeting = helpers.called(world, 1)
    Meeting.objects.update(reminded_at=None)
    at_once(*[lambda: actions.remind()] * 2)
    assert Notice.objects.filter(kind=actions.SOON, person=world.person("head")).count() == 1
    assert meeting in Meeting.objects.all()
