"""Moderation by somebody outside the line, and the answer that a consultation is owed."""

from datetime import timedelta
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from brightspots_web.accountability import dialogue_commitment_actions as promises
from brightspots_web.accountability import dialogue_queries as promised
from brightspots_web.accountability import response_actions as actions
from brightspots_web.accountability import response_pages as pages
from brightspots_web.accountability import response_queries as queries
from brightspots_web.accountability import response_time_actions as timing
from brightspots_web.accountability import voice_counting as counting
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Consultation, VoiceComment
from brightspots_web.accountability.response_rules import may_moderate
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Person
from brightspots_web.notices import queries as notices
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import response_helpers as helpers
from tests.web import voice_helpers
from tests.web.world import World

Reason = VoiceComment.Reason


def told(person: Person) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(person))]


def test_nobody_of_the_line_moderates(world: World) -> None:
    asked = Consultation(
        area=world.areas["Upper"], opener=world.person("minister"),
        stakeholder=world.person("district_officer"),
    )  # fmt: skip
    able = {who for who, held in world.cast.items() if may_moderate(held, asked)}
    assert able == {"analyst", "other_district_officer"}
    asked.area = world.areas["Testland"]
    able = {who for who, held in world.cast.items() if may_moderate(held, asked)}
    assert able == {"analyst"}
    asked.opener = world.person("analyst")
    assert not any(may_moderate(held, asked) for held in world.cast.values())


def test_a_reason_is_on_record_without_a_word_and_only_shown_words_are_read(world: World) -> None:
    found = helpers.counted(world)
    analyst, rows = world.cast["analyst"], helpers.comments(found)
    assert queries.shown(found) == []
    for each in rows[:5]:
        actions.show(each, by=analyst)
    with pytest.raises(ValidationError, match="why it is withheld"):
        actions.withhold(rows[5], by=analyst, reason="unwelcome")
    actions.withhold(rows[5], by=analyst, reason=Reason.ABUSE, words="calls somebody names")
    before = AuditEntry.objects.count()
    actions.withhold(rows[5], by=analyst, reason=Reason.ABUSE, words="calls somebody names")
    assert AuditEntry.objects.count() == before  # sent twice
    entry = AuditEntry.objects.order_by("pk").last()
    assert entry is not None
    assert entry.detail["reason"] == "abuse"
    assert entry.detail["comment"] == rows[5].pk
    assert "books" not in str(entry.detail)
    assert "names" not in str(entry.detail)
    [(_question, words)] = queries.shown(found)
    assert words == [each.words for each in rows[:5]]  # in the order of the lot
    assert "withheld 1 of 6" in pages.withheld_words(queries.withheld(voice.comments_of(found)))
    actions.withhold(rows[4], by=analyst, reason=Reason.OFF)
    assert queries.shown(found) == []  # four remain
    with pytest.raises(PermissionDenied):
        actions.show(rows[0], by=world.cast["minister"])


def test_a_malicious_moderator_is_looked_at_by_somebody_else(world: World) -> None:
    found = helpers.counted(world, moderator=world.person("other_district_officer"))
    first, second, rows = world.cast["other_district_officer"], world.cast["analyst"], []
    rows = helpers.comments(found)
    for each in rows[:2]:
        actions.withhold(each, by=first, reason=Reason.OFF)
    assert not any("look again" in each for each in told(second.person))
    actions.withhold(rows[2], by=first, reason=Reason.OFF)
    assert any("look again" in each for each in told(second.person))
    assert {each.pk for each in queries.to_read(second, found)} == {each.pk for each in rows[:3]}
    with pytest.raises(ValidationError, match="nothing to look at again"):
        actions.show(rows[4], by=second)
    with pytest.raises(OvertakenError):  # the page was made before the first moderator decided
        actions.show(rows[0], by=second, seen="unread")
    actions.show(rows[0], by=second, seen=actions.standing(queries.to_read(second, found)[0]))
    assert actions.show(rows[0], by=second).challenged  # sent twice
    with pytest.raises(ValidationError, match="second moderator"):
        actions.withhold(rows[0], by=first, reason=Reason.OFF)
    rows[0].refresh_from_db()
    assert rows[0].state == "shown"


def test_withheld_words_are_gone_after_a_year_and_their_reason_stays(world: World) -> None:
    found = helpers.counted(world, answers=14, mode=Consultation.Mode.CONFIDENTIAL)
    row = helpers.a_comment(found)
    actions.withhold(row, by=world.cast["analyst"], reason=Reason.PUPIL, words="says “Ana”")
    timing.forget()
    row.refresh_from_db()
    assert row.words
    assert row.area
    later = directory.today() + timedelta(days=380)
    with mock.patch.object(directory, "today", return_value=later):
        timing.forget()
    row.refresh_from_db()
    assert (row.words, row.reason_words, row.reason) == ("", "", "pupil")
    assert not any(each.area for each in helpers.comments(found))
    assert all(each.words for each in helpers.comments(found)[1:])


def test_an_answer_needs_points_is_sent_once_and_told_to_everybody_asked(world: World) -> None:
    found = helpers.counted(world, answers=6)
    officer = world.cast["district_officer"]
    with pytest.raises(ValidationError, match="one point at least"):
        actions.send(found, by=officer, seen=None, words="Thank you.")
    with pytest.raises(ValidationError, match="what was done"):
        actions.add_point(found, by=officer, seen=None, said="Too few books.")
    point = helpers.a_point(world, found)
    assert helpers.a_point(world, found) == point  # sent twice
    with pytest.raises(OvertakenError):
        actions.send(found, by=officer, seen=found.version, words="Thank you.")
    for who in ("minister", "analyst", "head"):
        with pytest.raises(PermissionDenied):
            actions.send(found, by=world.cast[who], seen=None, words="Thank you.")
    sent = actions.send(found, by=officer, seen=None, words="Thank you.")
    again = actions.send(found, by=officer, seen=None, words="Other words.")
    assert (sent.state, again.answered_words) == ("answered", "Thank you.")
    with pytest.raises(ValidationError, match="stays as it was"):
        actions.remove_point(point, by=officer)
    asked = list(voice.people_of_area(found))
    assert len(asked) > 10  # more than the six who answered
    assert all(sum("is answered" in line for line in told(each)) == 1 for each in asked)
    part = pages.parts(world.cast["teacher"], sent)[0]["context"]
    assert part["sent"]
    assert [each.said for each in part["points"]] == ["There are too few books."]


def test_where_who_owed_it_left_the_side_that_asked_answers(world: World) -> None:
    found = helpers.counted(world)
    assert not queries.may_answer(world.cast["minister"], found)
    officer = world.cast["district_officer"]
    type(officer).objects.filter(pk=officer.pk).update(ends=directory.today())
    assert queries.may_answer(world.cast["minister"], Consultation.objects.get(pk=found.pk))


def test_a_consultation_with_four_answers_is_owed_an_answer_and_shows_no_words(
    world: World,
) -> None:
    found = helpers.counted(world, answers=4)
    [part] = pages.parts(world.cast["teacher"], found)
    assert part["template"].endswith("answer.html")
    assert not helpers.comments(found)
    assert queries.may_answer(world.cast["district_officer"], found)


def test_an_overdue_answer_stands_on_the_front_page_of_the_ministry(world: World) -> None:
    found = helpers.counted(world)
    minister, officer = world.cast["minister"], world.cast["district_officer"]
    assert pages.overdue_card(minister) is None
    [owed] = pages.front_items(officer)
    assert found.title in owed["text"]
    assert any(
        "wait for you to read" in each["text"] for each in pages.front_items(world.cast["analyst"])
    )
    late = found.answer_due + timedelta(days=1)
    with mock.patch.object(directory, "today", return_value=late):
        card = pages.overdue_card(minister)
        assert card is not None
        assert found.title in card["text"]
        assert card["url"] == pages.url(found)
        assert pages.overdue_card(world.cast["head"]) is None
        timing.look_after()
        assert any("overdue" in each for each in told(officer.person))


def test_the_pages_from_reading_to_the_answer(client: Client, world: World) -> None:
    found = helpers.counted(world)
    rows = helpers.comments(found)
    client.force_login(world.person("analyst"))
    page = client.get(reverse("accountability:moderate", args=[found.pk])).content.decode()
    assert all(each.words in page for each in rows)
    url = reverse("accountability:judge", args=[found.pk, rows[0].pk])
    said = client.post(url, {"reason": ""}, follow=True).content.decode()
    assert "Choose why it is withheld" in said
    client.post(url, {"show": "yes"})
    rows[0].refresh_from_db()
    assert rows[0].state == "shown"
    client.force_login(world.person("district_officer"))
    url = reverse("accountability:answer_for", args=[found.pk])
    typed = {"seen": found.version + 5, "said": "Typed and kept", "did": "Much"}
    late = client.post(url, typed)
    assert late.status_code == 409
    assert b"Typed and kept" in late.content
    found.refresh_from_db()
    assert client.post(url, typed | {"seen": found.version}).status_code == 302
    found.refresh_from_db()
    sending = {"seen": found.version, "words": "We listened."}
    send = reverse("accountability:answer_send", args=[found.pk])
    assert client.post(send, sending).status_code == 302
    assert client.post(send, sending).status_code == 302  # back, and sent again
    found.refresh_from_db()
    assert found.state == "answered"


def test_a_confidential_comment_tells_its_area_to_the_moderator_alone(
    client: Client, world: World
) -> None:
    found = helpers.counted(
        world, answers=14, mode=Consultation.Mode.CONFIDENTIAL,
        moderator=world.person("other_district_officer"),
    )  # fmt: skip
    row = helpers.a_comment(found)
    address = reverse("accountability:moderate", args=[found.pk])
    client.force_login(world.person("other_district_officer"))
    assert row.area is not None
    assert row.area.name.encode() in client.get(address).content
    for each in helpers.comments(found):
        actions.show(each, by=world.cast["other_district_officer"])
    [(_question, words)] = queries.shown(found)
    assert len(words) == 14
    assert row.area.name not in " ".join(words)
    assert found.title == voice_helpers.TITLE
    # The form promised the area to one pair of eyes: whoever looks again reads words alone.
    actions.withhold(row, by=world.cast["other_district_officer"], reason=Reason.OFF)
    client.force_login(world.person("analyst"))
    again = client.get(address).content
    assert row.words.encode() in again
    assert row.area.name.encode() not in again


def test_an_area_in_which_fewer_than_five_answered_is_told_to_nobody() -> None:
    def answered(*areas: int) -> set[int | None]:
        said = [counting.Answer(texts={2: "words"}, area=area) for area in areas]
        return {area for _q, _words, area in counting.count(said, {}, [2], ()).comments}

    assert answered(*[1] * 6, *[2] * 5) == {1, 2}
    assert answered(*[1] * 6, *[2] * 4) == {None}  # by what is left out 2 would be told
    assert answered(*[1] * 9, *[2] * 5, *[3] * 3, *[4] * 2) == {1, 2, None}


def test_what_was_promised_in_an_answer_stands_beside_it_until_it_is_kept(
    client: Client, world: World
) -> None:
    found = helpers.counted(world)
    officer = world.cast["district_officer"]
    client.force_login(world.person("district_officer"))
    page = client.get(reverse("accountability:answer_for", args=[found.pk])).content.decode()
    commit = f"{reverse('accountability:commit')}?consultation={found.pk}"
    assert commit in page
    given = {
        "what": "Forty books for each class", "owner": officer.person_id,
        "due": voice_helpers.in_days(30).isoformat(),
    }  # fmt: skip
    assert client.post(commit, given).status_code == 302
    [promise] = promised.commitments_visible_to(officer).filter(consultation=found)
    page = client.get(reverse("accountability:answer_for", args=[found.pk])).content.decode()
    assert "Forty books for each class" in page
    client.force_login(world.person("teacher"))
    shown = client.get(pages.url(found)).content.decode()
    assert "Forty books for each class" in shown
    assert commit not in shown
    assert client.get(commit).status_code == 403
    promises.end(promise, "They are in every class.", by=officer, seen=None, kept=True)
    shown = client.get(pages.url(found)).content.decode()
    assert "They are in every class." in shown
    assert "kept" in shown
    # Everybody who is asked hears how it ended, not only who spoke.
    asked = list(voice.people_of_area(found))
    assert len(asked) > 10
    assert all(sum("was kept" in line for line in told(each)) == 1 for each in asked)
