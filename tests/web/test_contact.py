"""Contacts, steps, settings and notices: who may write them, what is refused, what follows."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone, translation

from brightspots_web.connectedness import contact_actions as actions
from brightspots_web.connectedness import contact_definition_queries as definition
from brightspots_web.connectedness import contact_queries as queries
from brightspots_web.connectedness.contact_actions import Wanted
from brightspots_web.connectedness.models import (
    ConnectednessSettings,
    Contact,
    IsolationCount,
    IsolationStep,
)
from brightspots_web.directory import actions as directory
from brightspots_web.directory import history_actions
from brightspots_web.directory.models import Appointment, Membership
from brightspots_web.notices import queries as notices
from brightspots_web.shared import jobs
from brightspots_web.shared.models import AuditEntry, Job
from tests.web.conftest import SignIn
from tests.web.world import World


def today(days: int = 0) -> date:
    return timezone.localdate() + timedelta(days=days)


def trail() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


# Contacts


def test_a_contact_is_written_down_on_a_phone_with_two_taps(world: World, sign_in: SignIn) -> None:
    leader = sign_in("system_leader")
    url = reverse("connectedness:record_contact", args=["N2"])
    page = leader.get(url).content.decode()
    assert "checked" in page  # a call is chosen
    assert f'value="{today().isoformat()}"' in page  # and today
    done = leader.post(url, {"kind": "call", "on": today().isoformat(), "note": ""}, follow=True)
    assert b"Written down." in done.content
    contact = Contact.objects.get()
    assert (contact.school.code, contact.kind, contact.on) == ("N2", "call", today())
    assert contact.by == world.cast["system_leader"].label
    assert trail() == ["connectedness.record_contact"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"kind": "call", "on": today(1).isoformat()}, "This day is to come"),
        ({"kind": "call", "on": "2026-02-31"}, "Enter a valid date"),
        ({"kind": "support", "on": "2026-01-05"}, "is not one of the available choices"),
        ({"on": "2026-01-05"}, "Choose a visit or a call."),
        ({"kind": "visit", "on": "2026-01-05", "note": "x" * 501}, "at most 500 characters"),
    ],
)
def test_a_wrong_contact_is_refused_with_words_and_nothing_typed_is_lost(
    world: World, sign_in: SignIn, data: dict[str, str], words: str
) -> None:
    url = reverse("connectedness:record_contact", args=["N2"])
    page = sign_in("district_officer").post(url, {"note": "We spoke.", **data})
    assert page.status_code == 200
    assert words in page.content.decode()
    assert data.get("note", "We spoke.") in page.content.decode()
    assert not Contact.objects.exists()


def test_the_same_form_sent_twice_is_one_contact(world: World) -> None:
    by = world.cast["minister"]
    actions.record_contact(world.schools["W1"], "visit", by=by, note="n")
    with pytest.raises(ValidationError, match="already"):
        actions.record_contact(world.schools["W1"], "visit", by=by, note="n ")
    actions.record_contact(world.schools["W1"], "visit", by=by, note="another")
    assert Contact.objects.count() == 2


@pytest.mark.parametrize("who", ["analyst", "head", "teacher", "other_system_leader"])
def test_who_may_not_record_is_refused_by_the_action_itself(world: World, who: str) -> None:
    by = world.cast[who]
    with pytest.raises(PermissionDenied):
        actions.record_contact(world.schools["N2"], "call", by=by)
    with pytest.raises(PermissionDenied):
        actions.record_meeting(world.partnerships["Upper"], [world.schools["N2"]], by=by)
    with pytest.raises(PermissionDenied):
        actions.add_step(world.schools["N2"], by=by, owner=by.person, what="w", due=today())
    assert not trail()


def test_only_who_wrote_a_contact_takes_it_back(world: World, sign_in: SignIn) -> None:
    contact = actions.record_contact(world.schools["N2"], "call", by=world.cast["system_leader"])
    with pytest.raises(PermissionDenied):
        actions.take_back_contact(contact, by=world.cast["minister"])
    page = sign_in("minister").get(reverse("connectedness:school_contacts", args=["N2"]))
    assert b"Take back" not in page.content
    leader = sign_in("system_leader")
    assert b"Take back" in leader.get(reverse("connectedness:school_contacts", args=["N2"])).content
    leader.post(reverse("connectedness:take_back_contact", args=[contact.pk]))
    assert not Contact.objects.exists()
    assert trail()[-1] == "connectedness.take_back_contact"
    with pytest.raises(ValidationError, match="already"):
        actions.take_back_contact(contact, by=world.cast["system_leader"])


def test_a_day_of_support_is_not_taken_back_and_its_words_stay_with_the_pair(
    world: World, sign_in: SignIn
) -> None:
    leader = world.cast["system_leader"]
    contact = Contact.objects.create(
        school=world.schools["N2"], kind="support", on=today(), note="between us",
        by=leader.label, at=timezone.now(),
    )  # fmt: skip
    with pytest.raises(PermissionDenied):
        actions.take_back_contact(contact, by=leader)
    client = sign_in("system_leader")
    for url in (
        reverse("connectedness:school_contacts", args=["N2"]),
        reverse("home:school", args=["N2"]),
    ):
        page = client.get(url).content.decode()
        assert "day of support" in page
        assert "between us" not in page
    export = client.get(reverse("connectedness:contacts_export", args=["N2", "csv"]))
    assert "between us" not in b"".join(export).decode()


# Meetings


def test_a_meeting_is_one_contact_for_each_school_that_was_there(
    world: World, sign_in: SignIn
) -> None:
    url = reverse("connectedness:record_meeting", args=["P-UPPER"])
    leader = sign_in("system_leader")
    assert leader.get(url).content.decode().count('type="checkbox"') == 6
    data = {"on": today(-1).isoformat(), "present": ["N1", "N3", "N4"], "note": "Books."}
    done = leader.post(url, data, follow=True).content.decode()
    assert "Written down for 3 schools." in done
    found = Contact.objects.order_by("school__code").values_list("school__code", "kind", "note")
    assert list(found) == [(code, "meeting", "Books.") for code in ("N1", "N3", "N4")]
    assert "Our last meetings" in done
    assert trail() == ["connectedness.record_meeting"]


def test_a_school_forgotten_in_the_list_is_added_and_nobody_counted_twice(world: World) -> None:
    leader, upper = world.cast["system_leader"], world.partnerships["Upper"]
    first = [world.schools["N1"], world.schools["N2"]]
    actions.record_meeting(upper, first, by=leader)
    made = actions.record_meeting(upper, [*first, world.schools["N3"]], by=leader)
    assert [each.school.code for each in made] == ["N3"]
    assert Contact.objects.count() == 3
    with pytest.raises(ValidationError, match="already"):
        actions.record_meeting(upper, first, by=leader)
    with pytest.raises(ValidationError, match="Tick"):
        actions.record_meeting(upper, [], by=leader)


def test_a_meeting_has_no_school_of_another_partnership(world: World, sign_in: SignIn) -> None:
    with pytest.raises(PermissionDenied):
        actions.record_meeting(
            world.partnerships["Upper"], [world.schools["L1"]], by=world.cast["minister"]
        )
    url = reverse("connectedness:record_meeting", args=["P-UPPER"])
    page = sign_in("minister").post(url, {"on": today().isoformat(), "present": ["L1"]})
    assert "not one of the available choices" in page.content.decode()
    assert not Contact.objects.exists()


# Steps


def test_a_notice_of_a_step_says_nothing_once_the_appointment_there_has_ended(
    world: World, sign_in: SignIn
) -> None:
    leader = world.cast["system_leader"]
    actions.add_step(
        world.schools["N2"], by=world.cast["minister"], owner=leader.person, what="SECRET",
        due=today(7),
    )  # fmt: skip
    assert len(notices.lines(notices.notices_of(leader.person))) == 1
    type(leader).objects.filter(pk=leader.pk).update(ends=today())
    elsewhere = type(leader)(person=leader.person, role="teacher", school=world.schools["E1"])
    elsewhere.save()
    assert notices.lines(notices.notices_of(leader.person)) == []


def test_many_notices_of_steps_ask_as_often_as_one(
    world: World, django_assert_num_queries: Any
) -> None:
    leader, minister = world.cast["system_leader"], world.cast["minister"]
    for n in range(4):
        actions.add_step(
            world.schools["N2"], by=minister, owner=leader.person, what=f"Step {n}", due=today(7)
        )
        mine = list(notices.notices_of(leader.person))
        with django_assert_num_queries(3):
            assert len(notices.lines(mine)) == n + 1


def test_a_step_is_given_its_owner_is_told_and_it_is_done_with_an_outcome(
    world: World, sign_in: SignIn
) -> None:
    officer = sign_in("district_officer")
    owner = world.cast["system_leader"].person
    url = reverse("connectedness:add_step", args=["N2"])
    data = {"what": "Visit the head.", "owner": owner.pk, "due": today(7).isoformat()}
    done = officer.post(url, data, follow=True).content.decode()
    assert "Visit the head." in done
    assert "What is under way" in done
    (line,) = notices.lines(notices.notices_of(owner))
    assert line.text.startswith("A step for School N2 is with you: Visit the head., by ")
    assert line.url == reverse("connectedness:school_contacts", args=["N2"])
    step = IsolationStep.objects.get()
    leader = sign_in("system_leader")
    done = leader.post(
        reverse("connectedness:finish_step", args=[step.pk]),
        {"outcome": "They come on Thursday.", "on": today().isoformat()},
        follow=True,
    ).content.decode()
    assert "They come on Thursday." in done
    assert "What is under way" not in done
    assert not notices.lines(notices.notices_of(owner))  # no longer so
    assert trail() == ["connectedness.add_step", "connectedness.finish_step"]


def test_who_takes_a_step_on_is_not_told_of_it(world: World) -> None:
    by = world.cast["system_leader"]
    actions.add_step(world.schools["N2"], by=by, owner=by.person, what="Call.", due=today())
    assert not notices.notices_of(by.person).exists()


def test_two_at_once_do_not_both_finish_a_step(world: World) -> None:
    by = world.cast["system_leader"]
    step = actions.add_step(world.schools["N2"], by=by, owner=by.person, what="w", due=today())
    actions.finish_step(step, by=world.cast["minister"], outcome="Seen.")
    with pytest.raises(ValidationError, match=r"In the meantime.*Seen"):
        actions.finish_step(step, by=by, outcome="Called.")
    assert IsolationStep.objects.get().outcome == "Seen."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"due": today(-1)}, "past"),
        ({"what": " "}, "cannot be blank"),
        ({"owner": "teacher"}, "answer for this school"),
        ({"owner": "other_district_officer"}, "answer for this school"),
    ],
)
def test_a_step_that_cannot_be_is_refused(
    world: World, change: dict[str, object], words: str
) -> None:
    by = world.cast["district_officer"]
    given = {"owner": "system_leader", "what": "Call.", "due": today(), **change}
    given["owner"] = world.cast[str(given["owner"])].person
    with pytest.raises(ValidationError, match=words):
        actions.add_step(world.schools["N2"], by=by, **given)  # type: ignore[arg-type]
    assert not IsolationStep.objects.exists()


def test_a_step_without_an_outcome_is_not_done(world: World) -> None:
    by = world.cast["minister"]
    step = actions.add_step(world.schools["N2"], by=by, owner=by.person, what="w", due=today())
    for outcome, on, words in ((" ", None, "few words"), ("Done.", today(1), "to come")):
        with pytest.raises(ValidationError, match=words):
            actions.finish_step(step, by=by, outcome=outcome, on=on)
    assert IsolationStep.objects.get().done_on is None


# Settings

SEEN = {"seen": "60,6,40,60"}
"""What the form showed where nothing is set yet."""


def test_the_ministry_sets_the_days_and_the_register_follows(world: World, sign_in: SignIn) -> None:
    Membership.objects.update(starts=today(-30))
    minister, url = sign_in("minister"), reverse("connectedness:settings")
    assert definition.counts(world.cast["minister"]).no_contact == 1  # W1 alone
    data: dict[str, object] = {
        "contact_days": 30,
        "caseload_cap": 5,
        "leader_days": 38,
        "support_km": 90,
    }
    data |= SEEN
    assert minister.post(url, data, follow=True).status_code == 200
    assert definition.counts(world.cast["minister"]).no_contact == 14
    found = ConnectednessSettings.objects.get()
    assert (found.contact_days, found.caseload_cap, found.leader_days) == (30, 5, 38)
    assert found.support_km == 90
    assert IsolationCount.objects.get(area=None).no_contact == 14
    entry = AuditEntry.objects.get(action="connectedness.change_settings")
    assert (entry.detail["before"]["contact_days"], entry.detail["after"]["contact_days"]) == (
        60,
        30,
    )


def test_what_somebody_else_set_meanwhile_is_not_overwritten(world: World, sign_in: SignIn) -> None:
    actions.change_settings(Wanted(30, 6, 40), by=world.cast["minister"])
    data: dict[str, object] = {
        "contact_days": 90,
        "caseload_cap": 6,
        "leader_days": 40,
        "support_km": 60,
    }
    data |= SEEN
    page = sign_in("minister").post(reverse("connectedness:settings"), data).content.decode()
    assert "In the meantime" in page
    assert ConnectednessSettings.objects.get().contact_days == 30


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(6, 6, 40),
        Wanted(366, 6, 40),
        Wanted(60, 0, 40),
        Wanted(60, 6, 221),
        Wanted(60, 6, 40, 4),
    ],
)
def test_settings_out_of_range_are_refused(world: World, wanted: Wanted) -> None:
    with pytest.raises(ValidationError, match="Choose between"):
        actions.change_settings(wanted, by=world.cast["minister"])
    assert not ConnectednessSettings.objects.exists()


@pytest.mark.parametrize("who", ["analyst", "district_officer", "system_leader", "head"])
def test_nobody_but_the_ministry_sets_them(world: World, who: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.change_settings(Wanted(30, 6, 40), by=world.cast[who])


# What follows by itself


def test_a_leader_is_told_once_of_schools_one_step_from_isolation(world: World) -> None:
    leader = world.cast["system_leader"].person
    Membership.objects.update(starts=today(-50))
    for code in ("N1", "N3", "N4", "N5", "N6"):
        actions.record_contact(world.schools[code], "call", by=world.cast["minister"])
    actions.count_and_tell()
    actions.count_and_tell()
    (line,) = notices.lines(notices.notices_of(leader))
    assert line.text == "Upper partnership: a school is one step from isolation: School N2"
    assert line.url == reverse("connectedness:partnership", args=["P-UPPER"])
    Contact.objects.filter(school__code="N3").delete()
    actions.tell_leaders()
    assert "2 schools" in notices.lines(notices.notices_of(leader))[0].text


def test_an_adoption_is_followed_by_a_new_count(world: World) -> None:
    from brightspots_web.connectedness import actions as partnerships

    job = jobs.enqueue(partnerships.MEASURE, by=world.cast["minister"], title="t", parameters={})
    jobs.run_here(job)
    kinds = set(Job.objects.values_list("kind", "status"))
    assert ("connectedness.count_isolation", "done") in kinds
    assert IsolationCount.objects.filter(area=None, on=today()).exists()


def test_the_worker_counts_every_hour(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    from django_q.models import Schedule

    from brightspots_cli import worker

    monkeypatch.setattr("django.core.management.call_command", lambda *args, **kwargs: None)
    worker.work()
    worker.work()
    schedule = Schedule.objects.get(func__endswith="contact_actions.count_and_tell")
    assert schedule.schedule_type == Schedule.HOURLY


# Who reads it


def test_neighbours_do_not_read_what_was_written_about_a_school(
    world: World, sign_in: SignIn
) -> None:
    actions.record_contact(
        world.schools["N2"], "visit", by=world.cast["minister"], note="A hard week."
    )
    for who, reads in (
        ("head", True),
        ("system_leader", True),
        ("partner_head", False),
        ("teacher", False),
    ):
        client = sign_in(who)
        page = client.get(reverse("home:school", args=["N2"])).content.decode()
        assert ("A hard week." in page) == reads, who
        together = client.get(reverse("connectedness:partnership", args=["P-UPPER"]))
        assert ("Who was in touch with our schools" in together.content.decode()) == (
            who == "system_leader"
        )


def test_owners_are_those_who_answer_for_the_school(world: World) -> None:
    people = queries.owners_for(world.schools["N2"], world.cast["district_officer"])
    assert {str(person) for person in people} == {
        "District Officer",
        "System Leader",
        "Minister",
    }


def test_a_partnership_from_before_the_software_is_dated_back(world: World) -> None:
    operator = directory.command_line_operator()
    upper = world.partnerships["Upper"]
    with pytest.raises(PermissionDenied):
        history_actions.date_back(upper, date(2020, 1, 1), by=world.cast["minister"])
    with pytest.raises(ValidationError, match="after"):
        history_actions.date_back(upper, today(), by=operator)
    history_actions.date_back(upper, date(2020, 1, 1), by=operator)
    starts = {m.starts for m in Membership.objects.filter(partnership=upper)}
    assert starts == {date(2020, 1, 1)}
    leader = Appointment.objects.get(pk=world.cast["system_leader"].pk)
    assert leader.starts == date(2020, 1, 1)
    assert trail() == ["directory.date_back"]


def test_the_pages_speak_in_words_in_every_language_they_are_shown_in(world: World) -> None:
    by = definition.rules()
    with translation.override("en"):
        from brightspots_web.connectedness import contact_words as words

        for name in (*definition.REASONS, *definition.NEAR_REASONS):
            text = words.sentence(queries.Reason(name, today()), by)
            assert text
            assert "{" not in text
