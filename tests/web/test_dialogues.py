"""Dialogues: drawn by lot, written down, and what was promised tracked to the end."""

import random
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from icalendar import Calendar

from brightspots_web.accountability import dialogue_actions as actions
from brightspots_web.accountability import dialogue_commitment_actions as promises
from brightspots_web.accountability import dialogue_pages as pages
from brightspots_web.accountability import dialogue_queries as queries
from brightspots_web.accountability import dialogue_time_actions as timing
from brightspots_web.accountability.models import Commitment, CommitmentStep, Dialogue
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.notices.models import Notice
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import dialogue_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import FORMED, World


def told(event: str) -> set[str]:
    found = Notice.objects.filter(kind=f"accountability.dialogue_{event}")
    return set(found.values_list("person__name", flat=True))


def staff(world: World, codes: tuple[str, ...], role: str, each: int) -> None:
    for code in codes:
        for number in range(each):
            person = Person.objects.create_user(
                f"{role}{number}@{code.lower()}.invalid", "a long password", name=f"{role} {number}"
            )
            Appointment.objects.create(
                person=person, role=role, school=world.schools[code], starts=FORMED
            )


def test_the_lot_is_even_over_areas_and_roles_and_asks_nobody_twice(world: World) -> None:
    staff(world, ("N4", "N5"), "teacher", 6)
    staff(world, ("L1", "L2"), "teacher", 2)
    staff(world, ("L1", "L2"), "head", 1)
    dialogue = helpers.called(world)
    actions.draw(dialogue, 8, by=world.cast["district_officer"], lot=random.Random(1))  # noqa: S311
    guests = queries.guests_of(dialogue)
    groups: dict[tuple[str, str], int] = {}
    for each in guests:
        assert each.school is not None
        key = (each.school.code[0], each.role)
        groups[key] = groups.get(key, 0) + 1
    assert groups == {("N", "teacher"): 2, ("N", "head"): 2, ("L", "teacher"): 2, ("L", "head"): 2}
    assert told("asked") == {each.person.name for each in guests}

    # Who cannot come leaves a seat of the same kind, and is not drawn again.
    first = next(each for each in guests if each.role == "teacher")
    held = Appointment.objects.get(person=first.person)
    actions.answer(dialogue, by=held, comes=False)
    assert actions.draw(dialogue, 1, by=world.cast["district_officer"]) == 1
    last = dialogue.guests.latest("pk")
    assert last.role == "teacher"
    assert last.school.code[0] == first.school.code[0]
    assert last.person != first.person
    with pytest.raises(ValidationError):
        actions.draw(dialogue, 40, by=world.cast["district_officer"])


def test_a_dialogue_from_its_call_to_its_minutes(world: World) -> None:
    officer, minister = world.cast["district_officer"], world.cast["minister"]
    dialogue = helpers.called(world, on=helpers.in_days(0), seats=10)
    assert helpers.called(world, on=helpers.in_days(0), seats=10) == dialogue  # sent twice
    assert told("called") == {"Minister"}
    with pytest.raises(PermissionDenied):
        actions.answer(dialogue, by=world.cast["other_head"], comes=True)
    actions.answer(dialogue, by=world.cast["teacher"], comes=True)
    one = actions.add_point(dialogue, "Who covers lessons?", by=officer)
    assert actions.add_point(dialogue, "Who covers lessons?", by=officer) == one
    with pytest.raises(ValidationError, match="pupil"):
        actions.add_point(dialogue, "What the girl Ana said", by=officer)
    with pytest.raises(PermissionDenied):
        actions.add_point(dialogue, "Mine", by=world.cast["other_district_officer"])
    with pytest.raises(OvertakenError):
        actions.write_minutes(dialogue, "Words", [], by=minister, seen=99)
    seat = queries.seat_of(world.cast["teacher"], dialogue)
    assert seat is not None
    actions.write_minutes(dialogue, "We talked of cover.", [seat.pk], by=minister, seen=None)
    assert [each.was_there for each in queries.guests_of(dialogue)].count(True) == 1
    assert told("minutes") >= {"Teacher", "Head"}
    for act in (
        lambda: actions.call_off(dialogue, "Late", by=officer, seen=None),
        lambda: actions.drop_point(one, by=officer),
        lambda: actions.answer(dialogue, by=world.cast["teacher"], comes=False),
    ):
        with pytest.raises(ValidationError, match="held already"):
            act()
    assert "cover" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert audit.first_broken_link() is None


def test_minutes_wait_for_the_day_and_what_is_called_off_stays_so(world: World) -> None:
    officer = world.cast["district_officer"]
    dialogue = helpers.with_guests(world)
    with pytest.raises(ValidationError, match="on the day or after"):
        actions.write_minutes(dialogue, "Words", [], by=officer, seen=None)
    promise = promises.Promise("Early", world.person("minister"), helpers.in_days(9))
    with pytest.raises(ValidationError, match="not before it"):
        promises.commit(dialogue, promise, by=officer)
    off = actions.call_off(dialogue, "The bridge is closed.", by=officer, seen=None)
    assert told("called_off") >= {"Minister", "Teacher"}
    with pytest.raises(ValidationError, match="called off"):
        actions.draw(off, 1, by=officer)
    event = Calendar.from_ical(pages_file(off))
    assert event["METHOD"] == "CANCEL"


def pages_file(dialogue: Dialogue) -> str:
    from brightspots_web.accountability.dialogue_calendar import calendar_file  # one test's

    return calendar_file(dialogue, "https://here.invalid/").decode()


def test_a_promise_moves_in_sight_and_is_kept(world: World) -> None:
    officer, minister = world.cast["district_officer"], world.cast["minister"]
    found = helpers.promised(world)
    promise = promises.Promise(found.what, world.person("district_officer"), found.due)
    assert promises.commit(found.dialogue, promise, by=minister) == found  # sent twice
    assert told("owner") == {"District Officer"}
    for bad in (world.person("head"), world.person("other_district_officer")):
        with pytest.raises(ValidationError):
            promises.commit(found.dialogue, promises.Promise("x", bad, found.due), by=minister)
    with pytest.raises(PermissionDenied):
        promises.report(found, "No", by=world.cast["head"], seen=None)
    later = helpers.in_days(50)
    moved = promises.report(found, "The law is late.", by=officer, seen=1, moved_to=later)
    promises.report(moved, "The law is late.", by=officer, seen=None, moved_to=later)  # twice
    assert CommitmentStep.objects.count() == 1
    assert (moved.first_due, moved.due) == (found.due, later)
    assert "first promised for" in pages.promise_row(moved)["due"]
    assert "Teacher" in told("due_moved")
    with pytest.raises(OvertakenError):
        promises.end(found, "Done", by=officer, seen=1, kept=True)
    ended = promises.end(moved, "Every school has them.", by=officer, seen=2, kept=True)
    assert (ended.state, told("kept") >= {"Teacher", "Head"}) == ("kept", True)
    with pytest.raises(ValidationError, match="already"):
        promises.end(ended, "Again", by=minister, seen=None, kept=False)
    assert audit.first_broken_link() is None


def test_the_worker_reminds_once_and_asks_for_a_new_owner(world: World) -> None:
    dialogue = helpers.called(world, on=helpers.in_days(5), seats=10)
    found = helpers.promised(world, due=6)
    assert timing.look_after() == 2
    assert timing.look_after() == 0
    assert told("soon") >= {"Minister", "Teacher"}
    assert told("due") == {"District Officer"}
    Commitment.objects.filter(pk=found.pk).update(due=helpers.in_days(-1))
    Dialogue.objects.filter(pk=dialogue.pk).update(on=helpers.in_days(-3))
    assert timing.look_after() == 2
    assert told("unwritten") == {"Minister"}
    assert told("overdue") == {"District Officer"}
    assert pages.overdue_card(world.cast["district_officer"]) is None
    card = pages.overdue_card(world.cast["minister"])
    assert card is not None
    assert "1 promise to teachers and heads" in card["text"]

    world.cast["district_officer"].ends = helpers.in_days(0)
    world.cast["district_officer"].save()
    assert timing.look_after() == 1
    assert timing.look_after() == 0
    found.refresh_from_db()
    assert (found.owner, found.owner_name) == (None, "District Officer")
    assert told("no_owner") == {"Minister"}
    promises.hand_over(found, world.person("minister"), by=world.cast["minister"], seen=None)
    found.refresh_from_db()
    assert found.owner == world.person("minister")
    assert timing.look_after(found.due + timedelta(days=1)) == 1  # it is overdue for the new one


def test_the_pages_say_what_waits_and_lose_nothing(
    world: World, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    dialogue = helpers.with_guests(world)
    found = helpers.promised(world, due=3)
    page = reverse("accountability:dialogue", args=[dialogue.pk])
    for who, count in (("teacher", 2), ("district_officer", 2), ("analyst", 2)):
        with django_assert_max_num_queries(count):  # type: ignore[operator] # no type
            pages.front_items(world.cast[who])
    assert [each["url"] for each in pages.front_items(world.cast["teacher"])] == [page]
    officer = pages.front_items(world.cast["district_officer"])
    assert [each["url"] for each in officer] == [pages.commitment_url(found)]

    teacher = sign_in("teacher")
    assert "Can you come?" in teacher.get(page).content.decode()
    teacher.post(reverse("accountability:dialogue_answer", args=[dialogue.pk]), {"comes": "yes"})
    shown = teacher.get(page).content.decode()
    assert "You come." in shown
    assert "Draw more by lot" not in shown
    # Names are for who is asked and who asks; others of the area read numbers.
    analyst = sign_in("analyst").get(page).content.decode()
    assert "Teacher, School N2" not in analyst
    assert "Coming: 1" in analyst

    client = sign_in("district_officer")
    late = client.post(
        reverse("accountability:dialogue_call_off", args=[dialogue.pk]),
        {"why": "The bridge.", "seen": 99},
    )
    assert late.status_code == 409
    assert "The bridge." in late.content.decode()
    address = reverse("accountability:commitment_end", args=[found.pk])
    bad = client.post(address, {"kept": "yes", "outcome": "", "seen": 1})
    assert bad.status_code == 200
    assert not Commitment.objects.filter(state="kept").exists()
    client.post(address, {"kept": "no", "outcome": "The law came late.", "seen": 1})
    again = client.post(address, {"kept": "yes", "outcome": "It was done.", "seen": 1})
    assert "written down already" in again.content.decode()
    listed = client.get(reverse("accountability:commitments"), {"state": "not_kept"})
    assert "The law came late." in listed.content.decode()
    assert sign_in("other_head").get(pages.commitment_url(found)).status_code == 404
