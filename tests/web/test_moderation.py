"""A moderator who hides, shows or leaves lying what they should not: what becomes of it."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from brightspots_web.accountability import overview, voice_actions
from brightspots_web.accountability import response_actions as actions
from brightspots_web.accountability import response_pages as pages
from brightspots_web.accountability import response_queries as queries
from brightspots_web.accountability import response_time_actions as timing
from brightspots_web.accountability import suggestion_actions as suggestions
from brightspots_web.accountability import suggestion_queries as boxes
from brightspots_web.accountability.models import (
    Consultation,
    Suggestion,
    SuggestionSettings,
    VoiceComment,
)
from brightspots_web.accountability.response_rules import may_moderate
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.notices import queries as notices
from tests.web import response_helpers as helpers
from tests.web import voice_helpers
from tests.web.conftest import SignIn
from tests.web.world import FORMED, World

Reason = VoiceComment.Reason
State = VoiceComment.State


def told(person: Person) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(person))]


def in_days(days: int) -> Any:
    """Let it be so many days later."""
    later = directory.today() + timedelta(days=days)
    return mock.patch.object(directory, "today", return_value=later)


def by_the_officer(world: World, **changes: Any) -> Consultation:
    """A counted consultation of North that the officer of the other county moderates."""
    return helpers.counted(world, moderator=world.person("other_district_officer"), **changes)


# The line


@pytest.mark.parametrize(
    ("role", "place"), [("district_officer", "North"), ("teacher", "N2"), ("minister", "")]
)
def test_a_second_office_in_the_line_takes_the_right_to_moderate(
    world: World, role: str, place: str
) -> None:
    analyst, asked = world.cast["analyst"], Consultation(area=world.areas["North"])
    assert may_moderate(analyst, asked)
    at: dict[str, Any] = {}
    if place:
        at = {"school": world.schools[place]} if place == "N2" else {"area": world.areas[place]}
    Appointment.objects.create(person=analyst.person, role=role, starts=FORMED, **at)
    assert not may_moderate(analyst, asked)
    with pytest.raises(ValidationError, match="outside the line"):
        voice_helpers.a_consultation(world, state="draft", by="minister")
    with pytest.raises(ValidationError, match="outside the line"):
        helpers.a_box(world)


# Leaving it lying


def test_what_a_moderator_does_not_read_for_two_weeks_others_read(world: World) -> None:
    found = by_the_officer(world)
    analyst, row = world.cast["analyst"], helpers.a_comment(found)
    assert not queries.looks_again(analyst, found)
    with pytest.raises(PermissionDenied):
        actions.show(row, by=analyst)
    with in_days(15):
        timing.remind()
        assert any("has not read" in line for line in told(analyst.person))
        assert found in queries.to_moderate(analyst)
        assert len(queries.to_read(analyst, found)) == 6
        actions.show(row, by=analyst)
        with pytest.raises(ValidationError, match="second moderator"):
            actions.withhold(row, by=world.cast["other_district_officer"], reason=Reason.OFF)
        for who in ("minister", "district_officer"):  # of the line
            with pytest.raises(PermissionDenied):
                actions.withhold(row, by=world.cast[who], reason=Reason.OFF)


def test_where_the_moderator_left_others_read_at_once(world: World) -> None:
    found = by_the_officer(world)
    officer, analyst = world.cast["other_district_officer"], world.cast["analyst"]
    Appointment.objects.filter(pk=officer.pk).update(ends=directory.today())
    found = Consultation.objects.get(pk=found.pk)
    for each in helpers.comments(found):
        actions.show(each, by=analyst)
    assert len(queries.shown(found)) == 1


def test_suggestions_that_lie_unread_are_read_by_others(world: World) -> None:
    rows = helpers.released(world)
    other = world.cast["other_district_officer"]
    with pytest.raises(PermissionDenied):
        suggestions.show(rows[0], by=other)
    with in_days(15):
        timing.remind()
        assert any("has not read" in line for line in told(other.person))
        assert set(boxes.to_read(other, rows[0].box)) == set(rows)
        suggestions.show(rows[0], by=other)
    assert list(boxes.visible_to(world.cast["teacher"])) == [rows[0]]


def test_where_nobody_else_is_outside_the_line_the_ministry_hears_of_it(world: World) -> None:
    found = helpers.counted(
        world, area=world.areas["Testland"], stakeholder=world.person("minister")
    )
    assert queries.others_outside(found) == []
    for each in helpers.comments(found):
        actions.withhold(each, by=world.cast["analyst"], reason=Reason.OFF)
    assert any("Appoint somebody" in line for line in told(world.person("minister")))


# Hiding


def test_all_that_is_hidden_is_counted_with_reasons_and_flagged(
    world: World, sign_in: SignIn
) -> None:
    found = by_the_officer(world)
    for each in helpers.comments(found):
        actions.withhold(each, by=world.cast["other_district_officer"], reason=Reason.OFF)
    said = "withheld 6 of 6: 6 because it is about something else"
    for who in ("minister", "analyst", "teacher", "district_officer"):
        assert said in sign_in(who).get(pages.url(found)).content.decode()
    for who, name in (("minister", "voice"), ("analyst", "moderation")):
        page = sign_in(who).get(reverse(f"accountability:{name}")).content.decode()
        assert "What moderators withheld" in page
        assert said in page
    # Not to those who neither moderate nor head the ministry, nor to moderators of the line.
    assert pages.withheld_rows(world.cast["teacher"]) == []
    assert pages.withheld_rows(world.cast["district_officer"]) == []
    [card] = [
        each for each in overview.overdue(world.cast["minister"]) if "three" in each["heading"]
    ]
    assert found.title in card["text"]
    for each in helpers.comments(found):
        actions.show(each, by=world.cast["analyst"])
    assert pages.withheld_card(world.cast["minister"]) is None
    assert len(queries.shown(found)[0][1]) == 6


def test_hiding_what_was_said_to_one_question_is_flagged(world: World) -> None:
    kind = voice_helpers.Kind.TEXT
    asked = [voice_actions.Question(kind, "First?"), voice_actions.Question(kind, "Second?")]
    found = by_the_officer(world, answers=12, questions=asked)
    first = [each for each in helpers.comments(found) if each.question.order == 1]
    for each in first[:5]:  # five of twelve to this question, of 24 together
        actions.withhold(each, by=world.cast["other_district_officer"], reason=Reason.OFF)
    assert not queries.withheld(VoiceComment.objects.all()).many
    assert queries.much_withheld(found)
    assert any("look again" in line for line in told(world.person("analyst")))


def test_what_was_fair_for_long_does_not_cover_what_is_hidden_today(world: World) -> None:
    rows = helpers.released(world)
    for each in rows:
        suggestions.show(each, by=world.cast["analyst"])
    other = world.person("other_district_officer")
    with in_days(1):
        box = rows[0].box
        helpers.filled(world, box, people=5)
        suggestions.release(box, by=world.cast["analyst"])
        for each in boxes.of_box(box).filter(state=State.UNREAD)[:2]:
            suggestions.withhold(each, by=world.cast["analyst"], reason="off")
        assert any("More than one in three suggestions" in line for line in told(other))
        assert boxes.flagged() == [box]


def test_words_that_are_gone_are_not_shown(world: World) -> None:
    found = helpers.counted(world)
    row = helpers.a_comment(found)
    actions.withhold(row, by=world.cast["analyst"], reason=Reason.PUPIL)
    suggestion = helpers.released(world)[0]
    suggestions.withhold(suggestion, by=world.cast["analyst"], reason="off")
    with in_days(380):
        timing.forget()
    with pytest.raises(ValidationError, match="gone"):
        actions.show(row, by=world.cast["analyst"])
    with pytest.raises(ValidationError, match="gone"):
        suggestions.show(suggestion, by=world.cast["analyst"])


# Asking for a second look


def everything() -> dict[str, list[tuple[Any, ...]]]:
    return {
        model._meta.db_table: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
    }


def test_a_reader_asks_for_a_second_look_and_leaves_no_trace_of_who(
    client: Client, world: World
) -> None:
    found = by_the_officer(world)
    rows, officer = helpers.comments(found), world.cast["other_district_officer"]
    address = reverse("accountability:look_again", args=[found.pk])
    client.force_login(world.person("teacher"))
    assert client.post(address).status_code == 403  # nothing is moderated yet
    actions.withhold(rows[0], by=officer, reason=Reason.OFF)
    for each in rows[1:]:
        actions.show(each, by=officer)
    page = client.get(pages.url(found)).content.decode()
    assert address in page
    before = everything()
    assert client.post(address).status_code == 302
    after = everything()
    changed = {table for table, kept in before.items() if kept != after[table]}
    assert changed == {"accountability_consultation", "notices_notice"}
    analyst = world.cast["analyst"]
    new = [row for row in after["notices_notice"] if row not in before["notices_notice"]]
    assert len(new) == 1
    assert any("asked for a second look" in line for line in told(analyst.person))
    assert client.post(address).status_code == 302  # sent twice, or asked by another
    assert everything()["notices_notice"] == after["notices_notice"]
    assert "Somebody asked for a second look" in client.get(pages.url(found)).content.decode()
    # The second moderator reads all of it, and decides both ways.
    found.refresh_from_db()
    assert len(queries.to_read(analyst, found)) == 6
    actions.show(rows[0], by=analyst)
    actions.withhold(rows[1], by=analyst, reason=Reason.IDENTIFIES)
    for row in rows[:2]:
        with pytest.raises(ValidationError, match="second moderator"):
            actions.withhold(row, by=officer, reason=Reason.OFF)


@pytest.mark.parametrize("who", ["minister", "district_officer", "analyst", "other_head"])
def test_nobody_but_readers_who_may_be_writers_ask_for_a_second_look(
    world: World, who: str
) -> None:
    found = helpers.counted(world)
    for each in helpers.comments(found):
        actions.show(each, by=world.cast["analyst"])
    with pytest.raises(PermissionDenied):
        actions.ask_again(found, by=world.cast[who])
    box = helpers.released(world)[0].box
    with pytest.raises(PermissionDenied):
        suggestions.ask_again(box, by=world.cast[who])


def test_a_second_look_at_suggestions_is_asked_for_once_a_release(
    client: Client, world: World
) -> None:
    rows = helpers.released(world)
    analyst, other = world.cast["analyst"], world.cast["other_district_officer"]
    box = rows[0].box
    suggestions.withhold(rows[0], by=analyst, reason="off")
    for each in rows[1:]:
        suggestions.show(each, by=analyst)
    assert not boxes.looks_again(other, box)  # one of five
    client.force_login(world.person("teacher"))
    address = reverse("accountability:suggestion_look_again", args=[box.pk])
    assert address in client.get(reverse("accountability:suggestions")).content.decode()
    assert client.post(address).status_code == 302
    box = SuggestionSettings.objects.get(pk=box.pk)
    assert box.look_again == directory.today()
    assert not boxes.may_ask_again(world.cast["teacher"], box)
    assert len(boxes.to_read(other, box)) == 5
    suggestions.show(rows[0], by=other)
    with pytest.raises(ValidationError, match="second moderator"):
        suggestions.withhold(rows[0], by=analyst, reason="off")
    assert Suggestion.objects.get(pk=rows[0].pk).challenged


# The pages lose nothing


def test_what_was_typed_comes_back_with_what_is_wrong(client: Client, world: World) -> None:
    found = by_the_officer(world)
    row = helpers.a_comment(found)
    client.force_login(world.person("other_district_officer"))
    page = client.get(reverse("accountability:moderate", args=[found.pk])).content.decode()
    assert 'name="seen" value="unread"' in page
    address = reverse("accountability:judge", args=[found.pk, row.pk])
    answer = client.post(address, {"reason": "", "reason_words": "Typed and kept"})
    assert answer.status_code == 200
    assert "Choose why it is withheld" in answer.content.decode()
    assert "Typed and kept" in answer.content.decode()
    actions.withhold(row, by=world.cast["other_district_officer"], reason=Reason.ABUSE)
    late = client.post(
        address, {"reason": "off", "reason_words": "Typed and kept", "seen": "unread"}
    )
    assert late.status_code == 409
    assert "Typed and kept" in late.content.decode()
    row.refresh_from_db()
    assert row.reason == "abuse"


def test_what_waits_stands_on_the_front_pages(world: World, sign_in: SignIn) -> None:
    rows = helpers.released(world)
    analyst, officer = world.cast["analyst"], world.cast["district_officer"]
    assert any("wait for you to read" in each["text"] for each in pages.front_items(analyst))
    assert pages.front_items(officer) == []
    for each in rows:
        suggestions.show(each, by=analyst)
    assert not any("wait for you to read" in each["text"] for each in pages.front_items(analyst))
    [item] = pages.front_items(officer)
    assert "5 suggestions of North wait for your answer" in item["text"]
    page = reverse("accountability:suggestions")
    assert "answer overdue" not in sign_in("teacher").get(page).content.decode()
    with in_days(31):
        timing.remind()
        assert "answer overdue" in sign_in("teacher").get(page).content.decode()
    assert any("5 suggestions of North" in line and "too long" in line
               for line in told(officer.person))  # fmt: skip
