"""Meetings: called, changed, called off, reminded of; what becomes of them when people move on."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from brightspots_web.devolution import meeting_actions as actions
from brightspots_web.devolution import meeting_pages as pages
from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution.meeting_actions import Wanted
from brightspots_web.devolution.models import Meeting
from brightspots_web.directory import partnership_actions, succession_actions
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.directory.models import Appointment, Membership, Person
from brightspots_web.notices import queries as notices
from brightspots_web.notices.models import Notice
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Role
from tests.web import meeting_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.meeting_helpers import SECRET, WORDS
from tests.web.world import World

FORM = {"minutes_long": 60, "place": "School N2", "purpose": "", "priorities": []}


def told(kind: str) -> set[str]:
    rows = Notice.objects.filter(kind=f"devolution.meeting_{kind}")
    return {row.person.email.partition("@")[0] for row in rows.select_related("person")}


def words_for(who: str, world: World) -> list[str]:
    return [line.text for line in notices.lines(notices.notices_of(world.person(who)))]


# Calling


def test_who_is_invited_hears_of_it_and_nobody_else(world: World) -> None:
    meeting = helpers.called(world)
    assert told("called") == {"head", "partner_head", "teacher"}  # the leader knows
    said = words_for("head", world)[0]
    assert "you are invited" in said
    assert "14:00 to 15:30, School N1" in said
    assert WORDS not in said
    assert [each.code for each in queries.invited(meeting)] == [f"N{i}" for i in range(1, 7)]


def test_pressed_twice_it_is_called_once(world: World) -> None:
    assert helpers.called(world) == helpers.called(world)
    assert Meeting.objects.count() == 1
    assert Notice.objects.filter(person=world.person("head")).count() == 1


def test_only_the_leader_of_the_partnership_calls(world: World) -> None:
    wanted = Wanted(helpers.in_days(3))
    for who in ("other_system_leader", "head", "minister", "district_officer", "teacher"):
        with pytest.raises(PermissionDenied):
            actions.call(world.partnerships["Upper"], wanted, by=world.cast[who])


def test_a_meeting_in_the_past_is_not_called(world: World, sign_in: SignIn) -> None:
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    answer = sign_in("system_leader").post(
        reverse("devolution:meeting_call"), FORM | {"on": yesterday, "hour": "10:00"}
    )
    assert answer.status_code == 200
    assert "This moment is past" in answer.content.decode()
    assert reverse("connectedness:record_meeting", args=["P-UPPER"]) in answer.content.decode()
    assert not Meeting.objects.exists()


@pytest.mark.parametrize("days", [-1, 500])
def test_a_slip_of_the_year_is_seen(world: World, days: int) -> None:
    with pytest.raises(ValidationError) as problem:
        helpers.called(world, days)
    assert "on" in problem.value.message_dict


def test_two_meetings_do_not_begin_at_one_moment(world: World) -> None:
    first, second = helpers.called(world, 5), helpers.called(world, 6)
    with pytest.raises(ValidationError):
        actions.change(
            second, Wanted(first.starts_at), by=world.cast["system_leader"], seen=second.version
        )


def test_the_agenda_is_what_is_live(world: World, sign_in: SignIn) -> None:
    reading, _singing = helpers.priorities(world)
    on = (timezone.localdate() + timedelta(days=4)).isoformat()
    data = FORM | {"on": on, "hour": "09:15", "priorities": [reading.code]}
    sign_in("system_leader").post(reverse("devolution:meeting_call"), data)
    meeting = Meeting.objects.get()
    assert list(meeting.priorities.all()) == [reading]
    assert timezone.localtime(meeting.starts_at).strftime("%H:%M") == "09:15"
    reading.ends = timezone.localdate()
    reading.save()
    with pytest.raises(ValidationError):
        helpers.called(world, 7, priorities=[reading])


# The hour people live in


def test_the_hour_is_that_of_the_place_through_a_change_of_clocks(
    world: World, sign_in: SignIn
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    with timezone.override(zone):
        summer, winter = _around_the_next_change(zone)
        for day, utc in ((summer, 13), (winter, 14)):
            data = FORM | {"on": day.date().isoformat(), "hour": "15:00"}
            wanted = _form(data).wanted()
            assert wanted.starts_at.astimezone(ZoneInfo("UTC")).hour == utc
            assert timezone.localtime(wanted.starts_at).hour == 15


def test_an_hour_that_the_clocks_leave_out_or_repeat_is_refused() -> None:
    zone = ZoneInfo("Europe/Berlin")
    with timezone.override(zone):
        for day in ("2027-03-28", "2026-10-25"):
            form = _form(FORM | {"on": day, "hour": "02:30"})
            assert "The clocks change in that night" in str(form.errors["hour"])


def _around_the_next_change(zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A day before and one after the clocks go back."""
    return datetime(2027, 10, 29, tzinfo=zone), datetime(2027, 11, 2, tzinfo=zone)


def _form(data: dict[str, object]):  # type: ignore[no-untyped-def] # the form is Django's
    from brightspots_web.devolution.meeting_forms import MeetingForm

    form = MeetingForm(data, offered=[])
    form.is_valid()
    return form


# Changing and calling off


def test_a_change_is_told_and_the_older_notice_says_what_holds_now(world: World) -> None:
    meeting = helpers.called(world)
    leader = world.cast["system_leader"]
    actions.change(meeting, Wanted(helpers.in_days(8, 9), place="N4"), by=leader, seen=1)
    assert told("changed") == {"head", "partner_head", "teacher"}
    changed, invited = words_for("head", world)
    assert "has changed" in changed
    for said in (changed, invited):
        assert "09:00 to 10:30, N4" in said


def test_what_somebody_else_changed_is_not_overwritten(world: World, sign_in: SignIn) -> None:
    meeting = helpers.called(world)
    leader = world.cast["system_leader"]
    actions.change(meeting, Wanted(helpers.in_days(8, 9), place="N4"), by=leader, seen=1)
    with pytest.raises(OvertakenError):
        actions.change(meeting, Wanted(helpers.in_days(9)), by=leader, seen=1)
    data = FORM | {"on": helpers.in_days(9).date(), "hour": "11:00", "place": "Mine", "seen": 1}
    answer = sign_in("system_leader").post(
        reverse("devolution:meeting_change", args=[meeting.pk]), data
    )
    assert answer.status_code == 409
    page = answer.content.decode()
    assert 'value="Mine"' in page
    assert "How it reads by now" in page
    meeting.refresh_from_db()
    assert meeting.place == "N4"


def test_saved_without_a_change_nobody_is_bothered(world: World) -> None:
    meeting = helpers.called(world)
    same = Wanted(meeting.starts_at, 90, "School N1", WORDS)
    actions.change(meeting, same, by=world.cast["system_leader"], seen=1)
    meeting.refresh_from_db()
    assert meeting.version == 1
    assert not told("changed")


def test_called_off_with_a_reason_it_is_gone_from_fronts_and_notices(world: World) -> None:
    meeting, leader = helpers.called(world), world.cast["system_leader"]
    with pytest.raises(ValidationError):
        actions.cancel(meeting, by=leader, why=" ", seen=None)
    actions.cancel(meeting, by=leader, why="The road is closed.", seen=1)
    assert words_for("head", world)[0].startswith(
        "Data conversation of Upper partnership is called"
    )
    assert len(words_for("head", world)) == 1  # the invitation is no longer so
    assert pages.front_card(world.cast["head"]) is None
    with pytest.raises(ValidationError):
        actions.change(meeting, Wanted(helpers.in_days(9)), by=leader, seen=None)


def test_a_meeting_that_did_not_take_place_is_called_off_later_one_that_did_is_not(
    world: World,
) -> None:
    from brightspots_web.devolution import meeting_attendance_actions as attendance

    leader = world.cast["system_leader"]
    took_place = helpers.over(world)
    attendance.tick(took_place, [world.schools["N1"]], by=leader)
    with pytest.raises(ValidationError):
        actions.cancel(took_place, by=leader, why="A mistake.", seen=None)
    other = helpers.over(world, 10)
    Notice.objects.all().delete()
    actions.cancel(other, by=leader, why="Nobody could come.", seen=None)
    assert not Notice.objects.exists()  # of what is past nobody need hear
    with pytest.raises(ValidationError):
        actions.change(took_place, Wanted(helpers.in_days(3)), by=leader, seen=None)


# Reminders


def test_people_are_reminded_once_two_days_before(world: World) -> None:
    meeting = helpers.called(world)
    assert actions.remind(meeting.starts_at - timedelta(days=3)) == 0
    assert actions.remind(meeting.starts_at - timedelta(hours=47)) == 4
    assert actions.remind(meeting.starts_at - timedelta(hours=46)) == 0
    assert told("soon") == {"head", "partner_head", "teacher", "system_leader"}
    assert Meeting.objects.get().version == 1


def test_a_meeting_moved_is_reminded_of_again_and_one_called_off_is_not(world: World) -> None:
    meeting, leader = helpers.called(world), world.cast["system_leader"]
    actions.remind(meeting.starts_at - timedelta(hours=40))
    meeting = actions.change(meeting, Wanted(helpers.in_days(12)), by=leader, seen=1)
    assert actions.remind(meeting.starts_at - timedelta(hours=40)) == 4
    other = helpers.called(world, 20)
    actions.cancel(other, by=leader, why="Holidays.", seen=1)
    assert actions.remind(other.starts_at - timedelta(hours=40)) == 0


def test_called_for_tomorrow_the_invitation_is_the_reminder(world: World) -> None:
    meeting = helpers.called(world, 1)
    assert actions.remind(meeting.starts_at - timedelta(hours=3)) == 0


def test_the_worker_reminds_every_hour(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    from django_q.models import Schedule

    from brightspots_cli import worker

    monkeypatch.setattr("django.core.management.call_command", lambda *args, **kwargs: None)
    worker.work()
    worker.work()
    schedule = Schedule.objects.get(func="brightspots_web.devolution.meeting_actions.remind")
    assert schedule.schedule_type == Schedule.HOURLY


# Who reads, who changes, when people and schools move


def test_when_the_leader_goes_the_next_takes_the_meeting_over(world: World) -> None:
    meeting, leader = helpers.called(world), world.cast["system_leader"]
    leader.ends = timezone.localdate()
    leader.save()
    assert meeting in queries.meetings_visible_to(world.cast["head"])
    assert not any(
        queries.meetings_led_by(each).filter(pk=meeting.pk) for each in Appointment.objects.all()
        if directory.live_appointments(each.person).filter(pk=each.pk).exists()
    )  # fmt: skip
    person = Person.objects.create_user("next@test.invalid", name="Next Leader")
    follower = Appointment.objects.create(
        person=person, role=Role.SYSTEM_LEADER, partnership=world.partnerships["Upper"],
        school=world.schools["N4"], starts=timezone.localdate(),
    )  # fmt: skip
    moved = actions.change(meeting, Wanted(helpers.in_days(6)), by=follower, seen=1)
    assert timezone.localtime(moved.starts_at).date() == helpers.in_days(6).date()


def test_a_school_that_leaves_before_the_day_is_not_invited_and_one_that_joins_is(
    world: World,
) -> None:
    meeting = helpers.called(world)
    tomorrow = timezone.localdate() + timedelta(days=1)
    Membership.objects.filter(school=world.schools["N2"]).update(ends=tomorrow)
    Membership.objects.create(
        partnership=world.partnerships["Upper"], school=world.schools["W1"], starts=tomorrow
    )
    assert "N2" not in {each.code for each in queries.invited(meeting)}
    assert "W1" in {each.code for each in queries.invited(meeting)}
    assert meeting not in queries.meetings_visible_to(world.cast["head"])
    earlier = helpers.over(world)
    assert earlier in queries.meetings_visible_to(world.cast["head"])  # it was there then


def test_a_school_that_closes_before_the_day_leads_to_its_successor_for_what_was(
    world: World,
) -> None:
    past, coming = helpers.over(world), helpers.called(world)
    succession_actions.close_school(
        world.schools["N2"],
        on=timezone.localdate(),
        successors=[world.schools["E2"]],
        by=world.cast["minister"],
    )
    assert "N2" not in {each.code for each in queries.invited(coming)}
    assert past in queries.meetings_visible_to(world.cast["other_head"])
    assert coming not in queries.meetings_visible_to(world.cast["other_head"])


def test_a_partnership_formed_anew_before_the_day_cannot_hold_its_meeting(
    world: World, sign_in: SignIn
) -> None:
    from brightspots_web.devolution import meeting_attendance_actions as attendance

    meeting, held = helpers.called(world), helpers.over(world)
    _form_anew(world)
    meeting.refresh_from_db()
    assert not queries.can_be_held(meeting)
    head = world.cast["head"]
    assert {meeting, held} <= set(queries.meetings_visible_to(head))
    page = sign_in("head").get(reverse("devolution:meeting", args=[meeting.pk]))
    assert "This meeting cannot be held" in page.content.decode()
    assert actions.remind(meeting.starts_at - timedelta(hours=40)) == 0
    assert pages.front_card(head) is None
    helpers.moved(meeting, timezone.now())
    with pytest.raises(ValidationError):
        attendance.arrive(meeting.code, by=head)
    assert not queries.may_take_minutes(world.cast["system_leader"], held)
    # Teachers read what was; what never could be is for those who answer for the schools.
    assert set(queries.meetings_visible_to(world.cast["teacher"])) == {held}


def _form_anew(world: World) -> None:
    group = partnership_actions.Group(
        "NEW", "New", world.schools["N1"].pk, {world.schools[f"N{i}"].pk: 1.0 for i in (1, 2, 3)}
    )
    partnership_actions.form_partnerships(
        [group], by=command_line_operator(), area=world.areas["Upper"]
    )
    world.partnerships["Upper"].refresh_from_db()


def test_no_meeting_is_called_for_a_day_after_the_partnership_ends(world: World) -> None:
    upper = world.partnerships["Upper"]
    upper.closed = timezone.localdate() + timedelta(days=3)
    upper.save()
    world.cast["system_leader"].partnership.refresh_from_db()
    with pytest.raises(ValidationError) as problem:
        helpers.called(world, 5)
    assert "This partnership ends on" in str(problem.value)


# Minutes


def test_minutes_are_written_by_the_leader_or_whom_she_names_and_by_nobody_else(
    world: World, sign_in: SignIn
) -> None:
    meeting, leader = helpers.going_on(world), world.cast["system_leader"]
    with pytest.raises(PermissionDenied):
        actions.write_minutes(meeting, SECRET, by=world.cast["teacher"], seen=None)
    actions.name_minute_taker(meeting, world.person("teacher"), by=leader, seen=1)
    url = reverse("devolution:meeting_minutes", args=[meeting.pk])
    answer = sign_in("teacher").post(url, {"minutes": SECRET, "seen": 2})
    assert answer.status_code == 302
    page = sign_in("partner_head").get(reverse("devolution:meeting", args=[meeting.pk]))
    assert SECRET in page.content.decode()
    with pytest.raises(ValidationError):
        actions.name_minute_taker(meeting, world.person("other_head"), by=leader, seen=None)


def test_two_who_write_minutes_at_once_lose_nothing(world: World, sign_in: SignIn) -> None:
    meeting = helpers.going_on(world)
    url = reverse("devolution:meeting_minutes", args=[meeting.pk])
    leader = sign_in("system_leader")
    assert leader.post(url, {"minutes": "First.", "seen": 1}).status_code == 302
    answer = leader.post(url, {"minutes": "Second.", "seen": 1})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "First." in page
    assert "Second.</textarea>" in page
    meeting.refresh_from_db()
    assert meeting.minutes == "First."
    assert leader.post(url, {"minutes": "First. Second.", "seen": 2}).status_code == 302


def test_minutes_wait_until_the_meeting_begins(world: World) -> None:
    with pytest.raises(ValidationError):
        actions.write_minutes(
            helpers.called(world), "Before.", by=world.cast["system_leader"], seen=None
        )


def test_no_word_of_a_meeting_leaves_the_partnership(world: World, sign_in: SignIn) -> None:
    leader = world.cast["system_leader"]
    meeting = helpers.going_on(world)
    actions.write_minutes(meeting, SECRET, by=leader, seen=1)
    other = helpers.called(world, 9)
    actions.cancel(other, by=leader, why=SECRET, seen=1)
    trail = "\n".join(
        f"{entry.target} {entry.detail}"
        for entry in AuditEntry.objects.filter(action__startswith="devolution.")
    )
    assert "P-UPPER" in trail
    for word in (SECRET, WORDS, meeting.code):
        assert word not in trail
    for who in ("minister", "analyst", "district_officer"):
        client = sign_in(who)
        for name in ("meetings_held", "meetings_held_export"):
            args = ["csv"] if name.endswith("export") else []
            answer = client.get(reverse(f"devolution:{name}", args=args))
            text = b"".join(answer) if answer.streaming else answer.content
            assert b"Upper partnership" in text
            assert SECRET.encode() not in text
            assert WORDS.encode() not in text
        for name in ("meeting", "meeting_conversation", "meeting_calendar"):
            assert client.get(reverse(f"devolution:{name}", args=[meeting.pk])).status_code == 404


# Fronts and lists


def test_the_front_card_says_when_or_asks_kindly(world: World) -> None:
    assert pages.front_card(world.cast["minister"]) is None
    silent = pages.front_card(world.cast["system_leader"])
    assert silent is not None
    assert silent["url"] == reverse("devolution:meeting_call")
    assert pages.front_card(world.cast["head"]) is None
    helpers.called(world)
    for who in ("system_leader", "head", "teacher"):
        card = pages.front_card(world.cast[who])
        assert card is not None
        assert card["heading"] == "Our next data conversation: in 5 days"
        assert not card["code_url"]
    helpers.going_on(world)
    card = pages.front_card(world.cast["teacher"])
    assert card is not None
    assert card["code_url"]


def test_a_leader_is_asked_after_eight_weeks_and_not_before(world: World) -> None:
    from brightspots_web.connectedness import contact_actions

    leader, schools = world.cast["system_leader"], [world.schools["N1"], world.schools["N2"]]
    day = timezone.localdate() - timedelta(weeks=8)
    contact_actions.record_meeting(world.partnerships["Upper"], schools, by=leader, on=day)
    card = pages.front_card(leader)
    assert card is not None
    assert "8 weeks ago" in card["text"]
    contact_actions.record_meeting(
        world.partnerships["Upper"], schools, by=leader, on=day + timedelta(days=1)
    )
    assert pages.front_card(leader) is None


def test_the_list_is_filtered_and_taken_along(world: World, sign_in: SignIn) -> None:
    helpers.called(world)
    past = helpers.over(world)
    client = sign_in("head")
    url = reverse("devolution:meetings")
    assert client.get(url).content.decode().count("to come") >= 1
    shown = client.get(url, {"show": "past"}).context["page"].object_list
    assert list(shown) == [past]
    export = client.get(reverse("devolution:meetings_export", args=["csv"]), {"show": "past"})
    lines = b"".join(export).decode().splitlines()
    assert len([line for line in lines if "Upper partnership" in line]) == 1


def test_lists_cost_the_same_for_one_meeting_as_for_many(
    world: World, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from brightspots_web.devolution import meeting_attendance_actions as attendance

    leader = world.cast["system_leader"]
    costs = {}
    for number in range(1, 7):
        attendance.tick(helpers.over(world, 10 * number), [world.schools["N1"]], by=leader)
        if number in {1, 6}:
            for who, name in (("head", "meetings"), ("minister", "meetings_held")):
                client = sign_in(who)
                client.get(reverse(f"devolution:{name}"))
                with CaptureQueriesContext(
                    connection,
                ) as found:
                    client.get(reverse(f"devolution:{name}"))
                costs.setdefault(name, []).append(len(found))
    for name, (one, many) in costs.items():
        assert many <= one, name
        assert many < 40, name
