"""Preparing for a meeting: by one's own word, seen by school, reminded once a day."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.devolution import note_pages
from brightspots_web.devolution import preparation_actions as actions
from brightspots_web.devolution import preparation_pages as pages
from brightspots_web.devolution import preparation_queries as queries
from brightspots_web.devolution.models import DataNote, Meeting, Preparation
from brightspots_web.directory.models import Appointment, Membership
from brightspots_web.notices import queries as notices
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.pupil_names import MayNamePupilError
from tests.web import note_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.note_helpers import a_meeting, shared, today
from tests.web.world import World


def prepared(meeting: Meeting) -> dict[str, tuple[int, int]]:
    return {
        each.school.code: (each.looked, each.shared) for each in queries.who_prepared(meeting)
    }  # fmt: skip


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def test_looking_at_the_page_is_not_yet_saying_so(world: World, sign_in: SignIn) -> None:
    meeting = a_meeting(world)
    teacher, address = sign_in("teacher"), f"/small-data/prepare/{meeting.pk}/"
    page = teacher.get(address).content.decode()
    assert "Have you looked?" in page
    assert not Preparation.objects.exists()
    done = teacher.post(address, {"question": "What do you do in the first week?"})
    assert done.status_code == 302
    teacher.post(address, {"question": "What do you do on the first day?"})
    kept = Preparation.objects.get()
    assert kept.question == "What do you do on the first day?"
    assert kept.looked_at is not None
    assert "You have looked" in teacher.get(address).content.decode()


def test_the_leader_sees_schools_and_numbers_and_no_names(world: World, sign_in: SignIn) -> None:
    meeting = a_meeting(world)
    for who in ("teacher", "head", "partner_head"):
        actions.prepare(meeting, by=world.cast[who], question="")
    shared(world)
    note = shared(world)
    long_ago = timezone.now() - timedelta(days=300)
    DataNote.objects.filter(pk=note.pk).update(shared_at=long_ago)
    assert prepared(meeting) == {
        "N1": (0, 0), "N2": (2, 1), "N3": (1, 0), "N4": (0, 0), "N5": (0, 0), "N6": (0, 0),
    }  # fmt: skip
    page = sign_in("system_leader").get(f"/small-data/prepare/{meeting.pk}/").content.decode()
    assert "2 people have looked" in page
    assert "From 2 of 6 schools" in page
    for who in ("teacher", "head", "partner_head"):
        assert str(world.person(who)) not in page
    assert "people have looked" not in sign_in("head").get(
        f"/small-data/prepare/{meeting.pk}/"
    ).content.decode()  # fmt: skip


def test_what_was_shared_for_the_last_meeting_is_not_counted_for_the_next(world: World) -> None:
    a_meeting(world, days=-30)
    meeting = a_meeting(world)
    old = shared(world)
    DataNote.objects.filter(pk=old.pk).update(shared_at=timezone.now() - timedelta(days=31))
    shared(world)
    assert prepared(meeting)["N2"] == (0, 1)


def test_that_somebody_has_looked_is_not_in_the_audit_trail(world: World) -> None:
    before = AuditEntry.objects.count()
    actions.prepare(a_meeting(world), by=world.cast["teacher"], question="Why?")
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("who", ["minister", "district_officer", "other_head", "analyst"])
def test_nobody_else_prepares_or_sees(world: World, sign_in: SignIn, who: str) -> None:
    meeting = a_meeting(world)
    with pytest.raises(PermissionDenied):
        actions.prepare(meeting, by=world.cast[who])
    address = f"/small-data/prepare/{meeting.pk}/"
    assert sign_in(who).get(address).status_code == 404
    assert pages.on_conversation_page(meeting, world.cast[who]) is None


def test_after_the_meeting_and_when_it_is_called_off_nobody_prepares(world: World) -> None:
    for meeting in (a_meeting(world, days=-2), a_meeting(world)):
        Meeting.objects.filter(pk=meeting.pk, starts_at__gt=timezone.now()).update(
            cancelled_at=timezone.now()
        )
        meeting.refresh_from_db()
        with pytest.raises(PermissionDenied):
            actions.prepare(meeting, by=world.cast["teacher"])
        with pytest.raises(ValidationError, match="over, or called off"):
            actions.remind(meeting, by=world.cast["system_leader"])


def test_a_school_that_left_before_the_day_does_not_prepare(world: World) -> None:
    meeting = a_meeting(world)
    Membership.objects.filter(school=world.schools["N2"]).update(ends=today())
    with pytest.raises(PermissionDenied):
        actions.prepare(meeting, by=world.cast["teacher"])
    assert "N2" not in prepared(meeting)


def test_one_gentle_reminder_a_day_to_those_who_have_not_looked(world: World) -> None:
    meeting, leader = a_meeting(world), world.cast["system_leader"]
    actions.prepare(meeting, by=world.cast["teacher"])
    assert actions.remind(meeting, by=leader) == 2  # head and partner head
    assert len(told(world, "head")) == 1
    assert told(world, "teacher") == told(world, "system_leader") == told(world, "other_head") == []
    assert not queries.reminded_today(a_meeting(world, days=9))
    with pytest.raises(ValidationError, match="today already"):
        actions.remind(meeting, by=leader)
    for who in ("head", "minister", "other_system_leader"):
        with pytest.raises(PermissionDenied):
            actions.remind(meeting, by=world.cast[who])


def test_a_reminder_of_what_is_over_says_nothing(world: World) -> None:
    meeting = a_meeting(world)
    actions.remind(meeting, by=world.cast["system_leader"])
    Meeting.objects.update(starts_at=timezone.now() - timedelta(days=1))
    assert told(world, "head") == []


def test_a_question_is_shown_with_the_school_and_names_no_pupil(world: World) -> None:
    meeting = a_meeting(world)
    with pytest.raises(MayNamePupilError):
        actions.prepare(meeting, by=world.cast["teacher"], question="How is Amina Were taught?")
    assert not Preparation.objects.exists()
    actions.prepare(meeting, by=world.cast["teacher"], question="How do you begin?")
    found = queries.questions_of(meeting)
    assert [(school.code, question) for school, question in found] == [("N2", "How do you begin?")]


def test_the_front_card_leads_to_the_coming_meeting_until_one_has_looked(world: World) -> None:
    teacher = world.cast["teacher"]
    card = note_pages.front_card(teacher)
    assert card is not None
    assert card.meeting is None
    meeting = a_meeting(world)
    card = note_pages.front_card(teacher)
    assert card is not None
    assert card.meeting == meeting
    actions.prepare(meeting, by=teacher)
    card = note_pages.front_card(teacher)
    assert card is not None
    assert card.meeting is None
    assert note_pages.front_card(world.cast["minister"]) is None


def test_each_priority_has_a_question_to_begin_with(world: World, sign_in: SignIn) -> None:
    helpers.priorities(world)
    meeting = a_meeting(world)
    page = sign_in("teacher").get(f"/small-data/prepare/{meeting.pk}/")
    looks = page.context["looks"]
    assert [each["priority"].title for each in looks] == ["Reading", "Number"]
    assert all(each["question"] for each in looks)
    assert looks[0]["write_url"] == "/small-data/write/?priority=reading"


def test_somebody_whose_appointment_ended_is_not_reminded(world: World) -> None:
    meeting = a_meeting(world)
    Appointment.objects.filter(pk=world.cast["head"].pk).update(ends=today())
    actions.remind(meeting, by=world.cast["system_leader"])
    assert told(world, "head") == []
