"""Small data at once, on a database that lets two write at once: once is once, nobody fails."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection

from brightspots_web.devolution import note_actions as actions
from brightspots_web.devolution import note_share_actions as sharing
from brightspots_web.devolution import preparation_actions as preparing
from brightspots_web.devolution.models import (
    DataNote,
    DataUse,
    HeldPhoto,
    Preparation,
    PreparationReminder,
)
from brightspots_web.devolution.note_actions import Said
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import note_helpers as helpers
from tests.web.note_helpers import a_meeting, a_note, a_photo, today
from tests.web.test_races import at_once
from tests.web.world import World

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="one writer at a time: SQLite locks the whole file"
    ),
]


def writing(world: World, who: str, words: str, key: object) -> Callable[[], DataNote]:
    said = Said(words, today())
    return lambda: actions.write(said, by=world.cast[who], client_key=key)  # type: ignore[arg-type] # a UUID


def test_a_form_sent_twice_at_once_is_kept_once(world: World) -> None:
    key = uuid4()
    one, other = at_once(*[writing(world, "teacher", "They read in pairs.", key)] * 2)
    assert one == other
    assert DataNote.objects.count() == 1
    assert DataUse.objects.get(what="contributed").times == 1


def test_one_key_for_two_notes_at_two_schools_keeps_one_and_refuses_the_other(
    world: World,
) -> None:
    key = uuid4()
    found = at_once(
        writing(world, "teacher", "Here.", key), writing(world, "other_head", "There.", key)
    )
    assert sum(isinstance(each, OvertakenError) for each in found) == 1
    assert DataNote.objects.count() == 1


def test_first_notes_of_a_day_at_once_are_all_counted(world: World) -> None:
    at_once(
        *[writing(world, who, f"By {who}.", uuid4()) for who in ("teacher", "head", "teacher")]
    )  # fmt: skip
    counted = dict(DataUse.objects.values_list("role", "times"))
    assert counted == {"teacher": 2, "head": 1}


def test_what_is_deleted_while_it_is_shared_is_gone(world: World) -> None:
    note = a_note(world)
    at_once(
        lambda: sharing.share(note, by=world.cast["head"], seen=None),
        lambda: actions.remove(note, by=world.cast["teacher"]),
    )
    assert not DataNote.objects.exists()


def test_what_is_changed_while_it_is_shared_is_not_shared_unread(world: World) -> None:
    note = a_note(world)
    said = Said("Quite another thing.", today())
    at_once(
        lambda: sharing.share(note, by=world.cast["head"], seen=1),
        lambda: actions.change(note, said, by=world.cast["teacher"], seen=1),
    )
    note.refresh_from_db()
    assert note.shared_with is None or note.words != said.words


def test_a_photograph_held_twice_at_once_is_held_once(world: World) -> None:
    key, photo = uuid4(), a_photo()
    at_once(*[lambda: actions.hold_photo(photo, key, by=world.cast["teacher"])] * 2)
    assert HeldPhoto.objects.count() == 1


def test_two_presses_prepare_once_and_remind_once(world: World) -> None:
    helpers.priorities(world)
    meeting, leader = a_meeting(world), world.cast["system_leader"]
    at_once(*[lambda: preparing.prepare(meeting, by=world.cast["teacher"])] * 2)
    assert Preparation.objects.count() == 1
    found = at_once(*[lambda: preparing.remind(meeting, by=leader)] * 2)
    assert PreparationReminder.objects.count() == 1
    assert sum(isinstance(each, Exception) for each in found) == 1
