"""Who was there: ticked or said with the code, written down as a contact once."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness import contact_queries
from brightspots_web.connectedness.models import Contact
from brightspots_web.devolution import meeting_actions as actions
from brightspots_web.devolution import meeting_attendance_actions as attendance
from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution.models import MeetingAttendance
from brightspots_web.directory.models import Membership
from tests.web import meeting_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World

HERE = "devolution:meeting_here"


@pytest.fixture(autouse=True)
def _no_tries_yet() -> None:
    cache.clear()


def contacts(world: World) -> list[tuple[str, str]]:
    rows = Contact.objects.filter(kind="meeting").order_by("school__code")
    return [(row.school.code, row.by) for row in rows.select_related("school")]


def schools(world: World, *codes: str) -> list:  # type: ignore[type-arg] # of schools
    return [world.schools[code] for code in codes]


def test_a_tick_and_a_code_are_one_contact_a_school(world: World) -> None:
    meeting, leader = helpers.going_on(world), world.cast["system_leader"]
    attendance.arrive(meeting.code, by=world.cast["head"])
    attendance.tick(meeting, schools(world, "N1", "N2"), by=leader)
    attendance.arrive(meeting.code, by=world.cast["teacher"])
    attendance.tick(meeting, schools(world, "N1", "N2", "N3"), by=leader)
    attendance.tick(meeting, schools(world, "N1", "N2", "N3"), by=leader)
    # In the leader's name, so that she is not asked to write it down herself.
    assert contacts(world) == [(code, leader.label) for code in ("N1", "N2", "N3")]
    assert {row.on for row in Contact.objects.all()} == {queries.day_of(meeting)}
    assert not any(row.note for row in Contact.objects.all())
    assert [each.code for each in queries.schools_present(meeting)] == ["N1", "N2", "N3"]


def test_what_was_written_down_by_hand_the_same_day_is_not_doubled(world: World) -> None:
    from brightspots_web.connectedness import contact_actions

    meeting, leader = helpers.going_on(world), world.cast["system_leader"]
    contact_actions.record_meeting(
        world.partnerships["Upper"], schools(world, "N2"), by=leader, on=queries.day_of(meeting)
    )
    attendance.tick(meeting, schools(world, "N2", "N3"), by=leader)
    assert [code for code, _by in contacts(world)] == ["N2", "N3"]


def test_a_school_ticked_by_mistake_is_taken_back_with_its_contact(world: World) -> None:
    meeting, leader = helpers.going_on(world), world.cast["system_leader"]
    attendance.arrive(meeting.code, by=world.cast["head"])
    attendance.tick(meeting, schools(world, "N3", "N4"), by=leader)
    attendance.tick(meeting, schools(world, "N4"), by=leader)
    # Who said so with the code stays, whatever is ticked.
    assert [each.code for each in queries.schools_present(meeting)] == ["N2", "N4"]
    assert [code for code, _by in contacts(world)] == ["N2", "N4"]


def test_the_isolation_register_knows(world: World) -> None:
    before = contact_queries.entry_of(world.schools["N2"])
    assert before.last_contact is None
    attendance.arrive(helpers.going_on(world).code, by=world.cast["head"])
    assert contact_queries.entry_of(world.schools["N2"]).last_contact == timezone.localdate()


def test_a_code_used_twice_counts_once(world: World) -> None:
    meeting = helpers.going_on(world)
    first = attendance.arrive(meeting.code, by=world.cast["head"])
    spoken = f" {meeting.code[:3].lower()}-{meeting.code[3:].lower()} "
    assert attendance.arrive(spoken, by=world.cast["head"]) == first
    assert MeetingAttendance.objects.count() == 1


def test_a_code_is_nothing_to_people_of_another_partnership(world: World, sign_in: SignIn) -> None:
    meeting = helpers.going_on(world)
    for who in ("other_head", "other_system_leader"):
        answer = sign_in(who).post(reverse(HERE), {"code": meeting.code})
        assert answer.status_code == 200
        assert "No meeting of your partnership has this code" in answer.content.decode()
    assert not MeetingAttendance.objects.exists()
    assert not contacts(world)


def test_a_code_holds_from_an_hour_before_until_twelve_hours_after(world: World) -> None:
    meeting = helpers.called(world)
    start = meeting.starts_at
    for minutes, holds in ((-61, False), (-60, True), (0, True), (719, True), (720, False)):
        assert queries.code_holds(meeting, start + timedelta(minutes=minutes)) is holds
    with pytest.raises(ValidationError) as problem:
        attendance.arrive(meeting.code, by=world.cast["head"])
    assert "from one hour before" in str(problem.value)
    late = helpers.over(world, 2)
    with pytest.raises(ValidationError):
        attendance.arrive(late.code, by=world.cast["head"])
    attendance.tick(late, schools(world, "N2"), by=world.cast["system_leader"])
    assert contacts(world)


def test_who_tries_codes_is_asked_to_wait_and_a_right_one_is_no_try(
    world: World, sign_in: SignIn
) -> None:
    meeting = helpers.going_on(world)
    client = sign_in("head")
    for _try in range(attendance.TRIES):
        assert client.post(reverse(HERE), {"code": "AAAAAA"}).status_code == 200
    answer = client.post(reverse(HERE), {"code": meeting.code})
    assert answer.status_code == 429
    assert "many tries" in answer.content.decode()
    assert sign_in("teacher").post(reverse(HERE), {"code": meeting.code}).status_code == 302


def test_codes_have_no_letter_that_looks_like_another(world: World) -> None:
    code = helpers.called(world).code
    assert len(code) == actions.CODE_LENGTH
    assert not set(actions.LETTERS) & set("BILOSZ01258")
    assert set(code) <= set(actions.LETTERS)


def test_the_code_is_shown_to_the_leader_alone(world: World, sign_in: SignIn) -> None:
    meeting = helpers.going_on(world)
    spoken = f"{meeting.code[:3]} {meeting.code[3:]}"
    urls = [
        reverse("devolution:meeting", args=[meeting.pk]),
        reverse("devolution:meeting_conversation", args=[meeting.pk]) + "?wall=1",
    ]
    for url in urls:
        assert spoken in sign_in("system_leader").get(url).content.decode()
        page = sign_in("head").get(url).content.decode()
        assert spoken not in page
        assert meeting.code not in page
    calendar = sign_in("head").get(reverse("devolution:meeting_calendar", args=[meeting.pk]))
    assert meeting.code.encode() not in calendar.content


def test_nothing_is_ticked_before_the_meeting_or_of_schools_not_invited(world: World) -> None:
    leader = world.cast["system_leader"]
    with pytest.raises(ValidationError):
        attendance.tick(helpers.called(world), schools(world, "N1"), by=leader)
    meeting = helpers.going_on(world)
    for by, codes in ((leader, ["E1"]), (world.cast["head"], ["N2"]),
                      (world.cast["other_system_leader"], ["N2"])):  # fmt: skip
        with pytest.raises(PermissionDenied):
            attendance.tick(meeting, schools(world, *codes), by=by)


def test_without_a_leader_attendance_is_kept_and_the_next_leader_writes_the_contacts(
    world: World,
) -> None:
    from brightspots_web.directory.models import Appointment, Person
    from brightspots_web.shared.permissions import Role

    meeting, leader = helpers.going_on(world), world.cast["system_leader"]
    leader.ends = timezone.localdate()
    leader.save()
    attendance.arrive(meeting.code, by=world.cast["head"])
    assert not contacts(world)
    person = Person.objects.create_user("next@test.invalid", name="Next Leader")
    follower = Appointment.objects.create(
        person=person, role=Role.SYSTEM_LEADER, partnership=world.partnerships["Upper"],
        school=world.schools["N4"], starts=timezone.localdate(),
    )  # fmt: skip
    attendance.tick(meeting, schools(world, "N4"), by=follower)
    assert contacts(world) == [("N2", follower.label), ("N4", follower.label)]


def test_a_school_that_left_since_stays_on_the_list_of_the_day(
    world: World, sign_in: SignIn
) -> None:
    meeting, leader = helpers.over(world, 3), world.cast["system_leader"]
    attendance.tick(meeting, schools(world, "N2", "N3"), by=leader)
    Membership.objects.filter(school=world.schools["N3"]).update(ends=timezone.localdate())
    attendance.tick(meeting, schools(world, "N1", "N2", "N3"), by=leader)
    assert [each.code for each in queries.schools_present(meeting)] == ["N1", "N2", "N3"]
    page = sign_in("system_leader").get(reverse("devolution:meeting", args=[meeting.pk]))
    assert "3 of 6 schools were there." in page.content.decode()


def test_officers_see_how_many_schools_were_there(world: World, sign_in: SignIn) -> None:
    meeting = helpers.over(world, 3)
    attendance.tick(meeting, schools(world, "N1", "N2"), by=world.cast["system_leader"])
    helpers.called(world)
    rows = (
        sign_in("district_officer").get(reverse("devolution:meetings_held")).context["table"].rows
    )
    upper = next(row for row in rows if row[0] == "Upper partnership")
    assert upper[2] == 1
    assert upper[4] == "2 of 6"
    lower = next(row for row in rows if row[0] == "Lower partnership")
    assert (lower[2], lower[3]) == (0, "not yet")
    silent = sign_in("minister").get(reverse("devolution:meetings_held"), {"silent": "on"})
    assert {row[0] for row in silent.context["table"].rows} == {
        "Lower partnership", "East partnership",
    }  # fmt: skip
