"""Meetings of the invented world: called, going on, over."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from brightspots_web.alignment.actions import Wanted as WantedPriority
from brightspots_web.alignment.actions import set_priorities
from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import meeting_actions as actions
from brightspots_web.devolution.meeting_actions import Wanted
from brightspots_web.devolution.models import DataNote, Meeting
from tests.web.world import World

WORDS = "Which lessons do we open to each other?"
"""The purpose of the meetings made here: to be found nowhere outside the partnership."""
SECRET = "We do not yet dare to say this to anybody else."
"""Said in minutes and notes."""


def priorities(world: World) -> list[Priority]:
    """Reading and Singing are live, as the hand-made results have them."""
    return set_priorities(
        [
            WantedPriority("Every child reads", why="Because.", subject="Reading"),
            WantedPriority("Every child sings", why="Because.", subject="Singing"),
        ],
        by=world.cast["minister"],
    )


def in_days(days: int, hour: int = 14) -> datetime:
    day = timezone.localdate() + timedelta(days=days)
    return timezone.make_aware(datetime(day.year, day.month, day.day, hour))  # noqa: DTZ001 - made aware


def called(world: World, days: int = 5, **more: Any) -> Meeting:
    """A meeting of Upper partnership some days from now."""
    wanted = {"place": "School N1", "purpose": WORDS} | more
    starts_at = wanted.pop("starts_at", None) or in_days(days)
    return actions.call(
        world.partnerships["Upper"], Wanted(starts_at, **wanted), by=world.cast["system_leader"]
    )


def going_on(world: World, minutes: int = 30) -> Meeting:
    """A meeting of Upper partnership that began some minutes ago."""
    return moved(called(world, 200), timezone.now() - timedelta(minutes=minutes))


def over(world: World, days: int = 20) -> Meeting:
    return moved(called(world, 200 + days), in_days(-days))


def moved(meeting: Meeting, starts_at: datetime) -> Meeting:
    """As if time had passed."""
    meeting.starts_at = starts_at
    meeting.called_at = starts_at - timedelta(days=10)
    meeting.save()
    return meeting


def a_note(world: World, code: str, priority: Priority, words: str = SECRET) -> DataNote:
    """A note that a school of Upper partnership shared."""
    now = timezone.now()
    return DataNote.objects.create(
        school=world.schools[code],
        priority=priority,
        on=timezone.localdate(),
        words=words,
        by="Head",
        at=now,
        shared_at=now,
        shared_by="Head",
        shared_with=world.partnerships["Upper"],
    )
