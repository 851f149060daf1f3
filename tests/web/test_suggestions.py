"""Suggestions: sealed, released only with others, moderated, answered."""

import logging
from datetime import timedelta
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.test import Client
from django.urls import reverse

from brightspots_web.accountability import response_time_actions as timing
from brightspots_web.accountability import suggestion_actions as actions
from brightspots_web.accountability import suggestion_queries as queries
from brightspots_web.accountability import voice_seal
from brightspots_web.accountability.models import (
    SealedSuggestion,
    SuggestionSettings,
    SuggestionUse,
)
from brightspots_web.directory import queries as directory
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import response_helpers as helpers
from tests.web import voice_helpers
from tests.web.world import World


def test_putting_in_leaves_no_trace_but_a_count(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    box = helpers.a_box(world)
    before = AuditEntry.objects.count()
    with caplog.at_level(logging.DEBUG):
        actions.put_in(box, "Start at eight.", by=world.cast["teacher"], used=0)
        actions.put_in(box, "é😀" * 500, by=world.cast["head"], used=0)
    assert AuditEntry.objects.count() == before
    assert not caplog.records
    sealed = [bytes(each.content) for each in SealedSuggestion.objects.all()]
    assert len({len(each) for each in sealed}) == 1
    assert not any(b"eight" in each for each in sealed)
    assert {field.name for field in SuggestionUse._meta.fields} == {"id", "person", "month", "used"}


def test_three_a_month_and_the_same_page_twice_is_one(world: World) -> None:
    box, teacher = helpers.a_box(world), world.cast["teacher"]
    actions.put_in(box, "One", by=teacher, used=0)
    with pytest.raises(OvertakenError, match="it is in"):
        actions.put_in(box, "One", by=teacher, used=0)
    actions.put_in(box, "Two", by=teacher, used=1)
    actions.put_in(box, "Three", by=teacher, used=2)
    with pytest.raises(ValidationError, match="next month"):
        actions.put_in(box, "Four", by=teacher, used=3)
    assert SealedSuggestion.objects.count() == 3
    for who in ("minister", "district_officer", "other_head"):
        with pytest.raises(PermissionDenied):
            actions.put_in(box, "Not mine", by=world.cast[who], used=None)


def test_they_wait_until_five_people_wrote_and_the_key_is_destroyed_with_the_release(
    world: World, django_capture_on_commit_callbacks: object
) -> None:
    box, teacher = helpers.a_box(world), world.cast["teacher"]
    for number in range(3):
        actions.put_in(box, f"Mine {number}", by=teacher, used=number)
    helpers.filled(world, box, people=3)
    assert actions.release(box, by=world.cast["analyst"]) == 0  # six suggestions of four people
    actions.put_in(box, "The fifth", by=world.cast["head"], used=0)
    box.refresh_from_db()
    key = box.key_id
    assert key is not None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert actions.release(box, by=world.cast["analyst"]) == 7
    assert actions.release(box, by=world.cast["analyst"]) == 0
    box.refresh_from_db()
    assert box.key_id is None
    assert not SealedSuggestion.objects.exists()
    with pytest.raises(voice_seal.SealError):
        voice_seal.token(key, "")
    assert {each.released_on for each in queries.of_box(box)} == {directory.today()}
    assert not queries.visible_to(teacher).exists()  # the moderator reads first


def test_a_lost_key_is_said_and_nothing_is_lost(
    client: Client, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    box = helpers.a_box(world)
    helpers.filled(world, box)
    box.refresh_from_db()
    assert box.key_id is not None
    voice_seal.destroy(box.key_id)
    with pytest.raises(voice_seal.SealError), transaction.atomic():
        actions.release(box, by=world.cast["analyst"])
    timing.look_after()  # goes on with the other boxes
    assert SealedSuggestion.objects.count() == 5
    client.force_login(world.person("teacher"))
    url = reverse("accountability:suggestion_put_in", args=[box.pk])
    caplog.clear()
    answer = client.post(url, {"used": 0, "words": "Typed and kept"})
    assert answer.status_code == 503
    assert not caplog.records
    assert b"Typed and kept" in answer.content


def test_moderated_looked_at_again_answered_and_overdue(world: World) -> None:
    rows = helpers.released(world)
    analyst, officer = world.cast["analyst"], world.cast["district_officer"]
    with pytest.raises(PermissionDenied):
        actions.show(rows[0], by=officer)
    with pytest.raises(ValidationError, match="not shown"):
        actions.answer(rows[0], by=officer, did="Done.", could_not="")
    actions.show(rows[0], by=analyst)
    for each in rows[1:3]:
        actions.withhold(each, by=analyst, reason="off")
    second = world.cast["other_district_officer"]  # the only other one outside the line
    with pytest.raises(OvertakenError):  # the page was made before it was withheld
        actions.show(rows[1], by=second, seen="unread")
    actions.show(rows[1], by=second)
    actions.show(rows[1], by=second)
    with pytest.raises(ValidationError, match="second moderator"):
        actions.withhold(rows[1], by=analyst, reason="off")
    assert set(queries.visible_to(world.cast["teacher"])) == {rows[0], rows[1]}
    assert not queries.visible_to(world.cast["other_head"]).exists()
    late = directory.today() + timedelta(days=31)
    with mock.patch.object(directory, "today", return_value=late):
        assert queries.overdue(world.cast["minister"]).count() == 2
    with pytest.raises(PermissionDenied):
        actions.answer(rows[0], by=world.cast["minister"], did="Done.", could_not="")
    actions.answer(rows[0], by=officer, did="", could_not="Buses come at nine.")
    actions.answer(rows[0], by=officer, did="", could_not="Buses come at nine.")
    with pytest.raises(OvertakenError):
        actions.answer(rows[0], by=officer, did="Other", could_not="")
    details = str(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert "Buses" not in details
    assert "eight" not in details


def test_a_leader_without_a_school_reads_those_of_where_the_partnership_is_led_from(
    world: World,
) -> None:
    rows = helpers.released(world)
    actions.show(rows[0], by=world.cast["analyst"])
    for who, seen in (("system_leader", [rows[0]]), ("other_system_leader", [])):
        leader = world.cast[who]
        leader.school = None
        assert leader.partnership is not None
        assert list(queries.visible_to(leader)) == seen


def test_a_box_names_somebody_outside_the_line_and_is_held_against_its_version(
    client: Client, world: World
) -> None:
    box = helpers.a_box(world)
    given = {
        "stakeholder": world.person("district_officer"), "moderator": world.person("analyst"),
        "answer_days": 20,
    }  # fmt: skip
    minister = world.cast["minister"]
    with pytest.raises(ValidationError, match="outside the line"):
        actions.set_box(
            box.area, by=minister, seen=None,
            **(given | {"moderator": world.person("district_officer")}),
        )  # fmt: skip
    with pytest.raises(OvertakenError):
        actions.set_box(box.area, by=minister, seen=box.version + 1, **given)
    client.force_login(world.person("minister"))
    url = reverse("accountability:suggestion_box", args=[box.area_id])
    form = {name: getattr(each, "pk", each) for name, each in given.items()}
    assert client.post(url, form | {"answer_days": 3}).status_code == 200
    assert client.post(url, form | {"seen": box.version}).status_code == 302
    assert SuggestionSettings.objects.get().answer_days == 20


def test_the_page_warns_once_of_what_tells_who_wrote_it(
    client: Client, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    box = helpers.a_box(world)
    client.force_login(world.person("teacher"))
    url = reverse("accountability:suggestion_put_in", args=[box.pk])
    typed = {"used": 0, "words": "At School N2 we start too early."}
    first = client.post(url, typed)
    assert b"Look again" in first.content
    assert not SealedSuggestion.objects.exists()
    assert client.post(url, typed | {"looked": "yes"}).status_code == 302
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    twice = client.post(url, typed | {"looked": "yes"})
    assert twice.status_code == 409
    assert not caplog.records  # a line in the log would be a time
    assert b"too early" in twice.content
    assert SealedSuggestion.objects.count() == 1
    assert b"You have put in 1 this month" in client.get(url).content
    assert client.get(reverse("accountability:suggestions")).status_code == 200


def test_counts_of_past_months_are_forgotten(world: World) -> None:
    box = helpers.a_box(world)
    actions.put_in(box, "One", by=voice_helpers.teacher_at(world, "N2"), used=0)
    later = directory.today() + timedelta(days=40)
    with mock.patch.object(directory, "today", return_value=later):
        timing.forget()
    assert not SuggestionUse.objects.exists()
