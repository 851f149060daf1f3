"""Coaching stays between two: nobody else reads it, wherever they look."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import coaching_actions as coaching
from brightspots_web.leaders import coaching_queries as queries
from brightspots_web.leaders.models import CoachingNote, CoachingPair
from brightspots_web.notices import queries as notices
from brightspots_web.notices.models import Notice
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Role
from tests.web.conftest import SignIn
from tests.web.development_helpers import SECRET, a_note, pair, today
from tests.web.permission_matrix import CAST
from tests.web.world import FORMED, World

THE_TWO = {"system_leader", "head"}
OTHERS = sorted(set(CAST) - THE_TWO)


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def urls_of(note: CoachingNote) -> list[str]:
    """Every address at which a note or its pair could be read or touched."""
    found, own = [note.pair_id], [note.pair_id, note.pk]
    return [
        reverse("leaders:coaching_pair", args=found),
        reverse("leaders:coaching_accept", args=found),
        reverse("leaders:coaching_end", args=found),
        reverse("leaders:coaching_note", args=own),
        reverse("leaders:coaching_note_delete", args=own),
    ]


PLACES = (
    ("leaders:coaching", []), ("leaders:development", []), ("leaders:me", []),
    ("leaders:learning", []), ("leaders:time", []), ("leaders:time_balance", []),
    ("shared:audit", []), ("shared:audit_export", ["csv"]), ("directory:people", []),
    ("leaders:development_export", ["csv"]), ("leaders:time_export", ["csv"]),
    ("notices:notices", []), ("connectedness:practices", []),
)  # fmt: skip
"""Where somebody might come upon it: lists, exports, the audit trail, notices, searches."""


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_else_reads_finds_or_touches_it(world: World, sign_in: SignIn, who: str) -> None:
    note = a_note(world)
    client = sign_in(who)
    refused = {404} if who not in {"anonymous", "former_head", "nobody"} else {302, 403}
    for url in urls_of(note):
        for answer in (client.get(url), client.post(url, {"words": "x", "on": "2026-01-01"})):
            # A page that only takes a press says so to a reader, before it says anything else.
            assert answer.status_code in refused | {405}, url
            assert SECRET not in answer.content.decode()
    profile = ("leaders:profile", [world.person("system_leader").pk])
    for name, args in (*PLACES, profile):
        for query in ("", f"?q={SECRET[:20]}"):
            body = client.get(reverse(name, args=args) + query).getvalue().decode()
            assert SECRET not in body, name
            assert "Sit in on Tuesday" not in body, name
    note.refresh_from_db()
    assert note.words == SECRET
    assert CoachingPair.objects.get().ends is None


@pytest.mark.parametrize("who", sorted(THE_TWO))
def test_the_two_read_it(world: World, sign_in: SignIn, who: str) -> None:
    note = a_note(world)
    page = sign_in(who).get(reverse("leaders:coaching_pair", args=[note.pair_id]))
    assert SECRET in page.content.decode()
    assert page["Cache-Control"].startswith("max-age=0")


def test_one_of_the_two_who_acts_for_the_ministry_does_not_read_it(
    world: World, sign_in: SignIn
) -> None:
    note = a_note(world)
    person = world.person("head")
    Appointment.objects.filter(person=person).update(ends=today())
    Appointment.objects.create(person=person, role=Role.MINISTER, starts=FORMED)
    url = reverse("leaders:coaching_pair", args=[note.pair_id])
    assert sign_in("head").get(url).status_code == 404


def test_the_audit_trail_says_one_word_for_everything_and_with_whom_never(world: World) -> None:
    note = a_note(world)
    leader, head = world.cast["system_leader"], world.cast["head"]
    coaching.change_note(
        note, "Other words.", by=leader, on=today(), next_step="", seen=note.version
    )
    coaching.delete_note(note, by=leader)
    coaching.end(note.pair, by=head)
    entries = list(AuditEntry.objects.filter(action__startswith="leaders."))
    assert len(entries) == 6
    for entry in entries:
        assert entry.action == "leaders.coaching"
        assert (entry.target, entry.target_id, entry.target_type) == ("", "", "")
        assert entry.detail == {}
    assert audit.first_broken_link() is None


def test_notices_say_that_there_is_something_and_nothing_else(world: World) -> None:
    a_note(world)
    assert set(told(world, "head")) == {"There is something new in your coaching."}
    assert set(told(world, "system_leader")) == {"There is something new in your coaching."}
    for each in Notice.objects.filter(kind="leaders.coaching"):
        assert each.data == {}


def test_it_begins_when_the_one_who_was_asked_agrees(world: World) -> None:
    leader, head = world.cast["system_leader"], world.cast["head"]
    asked = coaching.ask(head.person, by=leader, as_coach=True)
    assert coaching.ask(head.person, by=leader, as_coach=True) == asked
    with pytest.raises(ValidationError, match="while the coaching goes on"):
        coaching.write_note(asked, "Early.", by=leader, on=today())
    with pytest.raises(PermissionDenied):
        coaching.accept(asked, by=leader)  # nobody agrees for the other
    with pytest.raises(PermissionDenied):
        coaching.accept(asked, by=world.cast["partner_head"])
    found = coaching.accept(asked, by=head)
    assert (found.coach, found.coached) == (leader.person, head.person)
    assert coaching.accept(found, by=head).accepted_at == found.accepted_at


def test_declined_leaves_nothing_behind_for_the_lists(world: World) -> None:
    leader, head = world.cast["system_leader"], world.cast["head"]
    asked = coaching.ask(head.person, by=leader, as_coach=False)
    coaching.end(asked, by=head)
    assert queries.asking(leader) == queries.at_work(leader) == queries.over(leader) == []
    with pytest.raises(ValidationError, match="taken back"):
        coaching.accept(asked, by=head)
    again = coaching.ask(head.person, by=leader, as_coach=False)
    assert again.pk != asked.pk


def test_strangers_oneself_and_the_ministry_are_not_asked(world: World) -> None:
    leader = world.cast["system_leader"]
    for who in ("other_head", "minister", "analyst"):
        with pytest.raises(PermissionDenied):
            coaching.ask(world.person(who), by=leader, as_coach=True)
    with pytest.raises(ValidationError, match="takes two"):
        coaching.ask(leader.person, by=leader, as_coach=True)
    with pytest.raises(PermissionDenied):
        coaching.ask(leader.person, by=world.cast["minister"], as_coach=True)


def test_each_changes_and_deletes_the_own_notes_alone(world: World, sign_in: SignIn) -> None:
    note = a_note(world)
    leader, head = world.cast["system_leader"], world.cast["head"]
    for act in (
        lambda: coaching.delete_note(note, by=head),
        lambda: coaching.change_note(note, "x", by=head, on=today(), next_step="", seen=None),
        lambda: coaching.delete_note(note, by=world.cast["minister"]),
        lambda: coaching.write_note(note.pair, "x", by=world.cast["partner_head"], on=today()),
    ):
        with pytest.raises(PermissionDenied):
            act()
    for url in urls_of(note)[3:]:
        assert sign_in("head").post(url, {}).status_code == 404
    with pytest.raises(OvertakenError):
        coaching.change_note(note, "x", by=leader, on=today(), next_step="", seen=99)
    coaching.delete_note(note, by=leader)
    assert not CoachingNote.objects.exists()


def test_an_overtaken_change_answers_409_and_keeps_what_was_written(
    world: World, sign_in: SignIn
) -> None:
    note = a_note(world)
    leader = world.cast["system_leader"]
    coaching.change_note(note, "In another window.", by=leader, on=today(), next_step="", seen=1)
    data = {"words": "Typed here.", "on": today().isoformat(), "seen": 1}
    answer = sign_in("system_leader").post(urls_of(note)[3], data)
    assert answer.status_code == 409
    assert "Typed here." in answer.content.decode()
    note.refresh_from_db()
    assert note.words == "In another window."


def test_a_note_is_of_a_day_that_was_and_is_written_once(world: World) -> None:
    found, leader = pair(world), world.cast["system_leader"]
    first = coaching.write_note(found, "Once.", by=leader, on=today())
    assert coaching.write_note(found, "Once.", by=leader, on=today()) == first
    for words, on, key in (
        ("Later.", today() + timedelta(days=1), "on"),
        ("Long ago.", today() - timedelta(days=400), "on"),
        (" ", today(), "words"),
        ("x" * 4001, today(), "words"),
    ):
        with pytest.raises(ValidationError) as problem:
            coaching.write_note(found, words, by=leader, on=on)
        assert set(problem.value.error_dict) == {key}


def test_notes_outlive_the_coaching_by_a_year_and_then_are_gone(
    world: World, sign_in: SignIn
) -> None:
    note = a_note(world)
    coaching.end(note.pair, by=world.cast["head"])
    with pytest.raises(ValidationError):
        coaching.write_note(note.pair, "After.", by=world.cast["head"], on=today())
    url = reverse("leaders:coaching_pair", args=[note.pair_id])
    assert SECRET in sign_in("head").get(url).content.decode()
    assert coaching.delete_old_notes(today() + timedelta(days=364)) == 0
    assert coaching.delete_old_notes(today() + timedelta(days=365)) == 1
    assert not CoachingNote.objects.exists()
    assert CoachingPair.objects.count() == 1


def test_the_old_notes_of_others_stay(world: World) -> None:
    ended = a_note(world)
    going_on = coaching.write_note(
        pair(world, "partner_head"), "We go on.", by=world.cast["system_leader"], on=today()
    )
    coaching.end(ended.pair, by=world.cast["head"])
    coaching.delete_old_notes(today() + timedelta(days=900))
    assert list(CoachingNote.objects.all()) == [going_on]
