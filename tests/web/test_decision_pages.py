"""The pages of decisions: what the data said, two at once, lists, files, what leaves to whom."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.devolution import (
    conversation_pages,
    decision_list_pages,
    decision_notices,
    decision_pages,
    decision_said,
    pdsa_pages,
)
from brightspots_web.devolution import decision_actions as actions
from brightspots_web.devolution.models import Decision, DecisionConsent, Pdsa
from brightspots_web.insight.models import Run
from tests.web import decision_helpers as helpers
from tests.web import meeting_helpers as meetings
from tests.web.conftest import SignIn
from tests.web.decision_helpers import QUESTION, in_days, made, proposed
from tests.web.world import World

LIST = "/partnerships/P-UPPER/decisions/"
OUTSIDE = ("minister", "analyst", "district_officer", "other_district_officer", "other_head")


def form(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "question": "What do we try first?",
        "options": "This\n\nThat",
        "decision": "Fours by turns.",
        "owner": world.person("partner_head").pk,
        "by_when": in_days(30).isoformat(),
        "would_change": "If it takes more than an hour.",
    } | changes


def body(answer: Any) -> str:
    return str(answer.getvalue().decode())


# What the data said

VIEW: dict[str, Any] = {
    "partnership": "P-UPPER", "on": "2026-03-02", "published": "2026-02-20", "unit": "points",
    "run": None,
    "priorities": [
        {
            "code": "reading", "title": "Every child reads", "subject": "Reading", "digits": 1,
            "cells": [
                {"school": "N1", "name": "School N1", "value": 5.4, "lower": 1.0, "upper": 9.8,
                 "n": 60},
                {"school": "N2", "name": "School N2", "value": -3.2, "lower": -8.0, "upper": 1.6,
                 "n": 60},
            ],
            "spread": None,
            "words": ["Nobody can tell whether it is closing."],
            "notes": [{"key": 7, "school": "School N2", "on": "2026-02-27",
                       "words": "They guess from the first letter."}],
        }
    ],
}  # fmt: skip


def with_data(world: World, run: Run | None = None) -> Decision:
    said = VIEW | {"run": str(run.uuid) if run else None}
    return actions.propose(
        world.partnerships["Upper"], helpers.text(world), by=world.cast["head"],
        basis=actions.Basis(data_said=said),
    )  # fmt: skip


def a_run(**more: Any) -> Run:
    now = timezone.now()
    given = {"method": "by hand", "input_hash": "", "started_at": now, "finished_at": now,
             "published_at": now}  # fmt: skip
    return Run.objects.create(**given | more)


def test_what_the_data_said_is_shown_as_it_was(world: World, sign_in: SignIn) -> None:
    run = a_run()
    page = body(sign_in("partner_head").get(decision_pages.url(with_data(world, run))))
    for shown in ("School N1", "+5.4", "−3.2", "They guess from the first letter.",
                  "Nobody can tell whether it is closing.", "as it stood on"):  # fmt: skip
        assert shown in page
    assert "School N3" not in page.partition('id="data"')[2]  # withheld then, and so it stays
    assert "Not what is published today" not in page


def test_newer_figures_stand_beside_those_of_then(world: World, sign_in: SignIn) -> None:
    decision = with_data(world, a_run())
    a_run()
    now = VIEW | {
        "on": "2026-04-01",
        "priorities": [VIEW["priorities"][0] | {"words": ["It is closing."], "cells": []}],
    }
    with mock.patch.object(conversation_pages, "frozen_view", return_value=now):
        page = body(sign_in("head").get(decision_pages.url(decision)))
    assert "Newer figures were published on" in page
    assert "Nobody can tell whether it is closing." in page
    assert "It is closing." in page
    assert "Then: what the group had before it" in page


def test_figures_that_were_withdrawn_say_so_and_stay_visible(world: World) -> None:
    run = a_run()
    decision = with_data(world, run)
    Run.objects.filter(pk=run.pk).update(
        withdrawn_at=timezone.now(), withdrawn_reason="Two files were mixed up."
    )
    shown = decision_said.shown(decision, world.cast["head"])
    assert shown is not None
    assert "Two files were mixed up" in shown["changed"]
    assert shown["then"]["parts"][0]["chart"].rows
    assert shown["now"] is None


def test_without_a_priority_no_data_are_kept(world: World, sign_in: SignIn) -> None:
    meetings.priorities(world)
    sign_in("head").post("/decisions/new/", form(world))
    decision = Decision.objects.get()
    assert decision.data_said == {}
    assert decision.options == ["This", "That"]
    assert "What the data said" not in body(sign_in("head").get(decision_pages.url(decision)))


def test_from_a_data_conversation_the_view_is_frozen_with_it(world: World, sign_in: SignIn) -> None:
    priority = meetings.priorities(world)[0]
    meeting = meetings.called(world)
    meetings.a_note(world, "N3", priority)
    path = f"/decisions/new/?meeting={meeting.pk}&priority={priority.code}"
    client = sign_in("system_leader")
    assert client.get(path).context["form"].initial["priority"] == priority.code
    client.post(path, form(world, priority=priority.code))
    decision = Decision.objects.get()
    assert decision.meeting == meeting
    assert decision.priority == priority
    assert [each["code"] for each in decision.data_said["priorities"]] == [priority.code]
    assert decision.data_said["priorities"][0]["notes"][0]["words"] == meetings.SECRET
    page = body(sign_in("head").get(decision_pages.url(decision)))
    assert meetings.SECRET in page
    for who in OUTSIDE:
        assert sign_in(who).get(decision_pages.url(decision)).status_code in {403, 404}


def test_a_meeting_of_others_is_not_taken(world: World, sign_in: SignIn) -> None:
    meeting = meetings.called(world)
    client = sign_in("other_system_leader")
    owner = world.person("other_head").pk
    client.post(f"/decisions/new/?meeting={meeting.pk}", form(world, owner=owner))
    assert Decision.objects.get().meeting is None
    assert Decision.objects.get().partnership.code == "P-EAST"


# Two at once


def test_of_two_who_change_it_the_later_sees_both_texts(world: World, sign_in: SignIn) -> None:
    decision = proposed(world)
    leader, head = sign_in("system_leader"), sign_in("partner_head")
    path = reverse("devolution:decision_change", args=[decision.pk])
    opened = head.get(path).context["form"].initial["seen"]
    leader.post(path, form(world, decision="The leader's words.", seen=decision.version))
    answer = head.post(path, form(world, decision="My words.", seen=opened))
    assert answer.status_code == 409
    page = body(answer)
    assert "The leader&#x27;s words." in page
    assert page.count("My words.") == 2  # beside the other text, and still in the form
    assert "Both texts side by side" in page
    # Having seen both, the person saves.
    again = form(world, decision="My words.", seen=answer.context["form"]["seen"].value())
    assert head.post(path, again).status_code == 302
    decision.refresh_from_db()
    assert decision.decision == "My words."


def test_a_word_to_an_older_text_comes_back_with_what_was_typed(
    world: World, sign_in: SignIn
) -> None:
    decision = proposed(world)
    actions.change(decision, helpers.text(world, decision="Other."), by=world.cast["head"], seen=1)
    answer = sign_in("partner_head").post(
        reverse("devolution:decision_say", args=[decision.pk]),
        {"agrees": "yes", "words": "With pleasure.", "seen": 1},
    )
    assert answer.status_code == 409
    assert "With pleasure." in body(answer)
    assert "The text has changed since you opened this page" in body(answer)
    assert DecisionConsent.objects.filter(school=world.schools["N3"]).count() == 0


def test_a_word_that_comes_after_it_was_made_is_told_so(world: World, sign_in: SignIn) -> None:
    decision = proposed(world)
    client = sign_in("partner_head")
    client.get(decision_pages.url(decision))
    actions.close(decision, by=world.cast["system_leader"], seen=None, why="We begin.")
    sent = {"agrees": "no", "words": "Too late?", "seen": decision.version}
    answer = client.post(reverse("devolution:decision_say", args=[decision.pk]), sent)
    assert answer.status_code == 200
    assert answer.context["decision"].state == "made"
    page = body(answer)
    assert "words to it are closed" in page
    assert "Too late?" in page


def test_a_form_that_was_open_when_the_appointment_ended_is_refused(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("head")
    client.get("/decisions/new/")
    type(world.cast["head"]).objects.filter(pk=world.cast["head"].pk).update(
        ends=timezone.localdate()
    )
    assert client.post("/decisions/new/", form(world)).status_code == 403
    assert not Decision.objects.exists()


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    world: World, sign_in: SignIn
) -> None:
    answer = sign_in("head").post(
        "/decisions/new/", form(world, by_when=in_days(-3).isoformat(), decision="Kept.")
    )
    assert answer.context["form"].errors["by_when"] == ["This day is past. Choose one to come."]
    assert "Kept." in body(answer)


# Lists


def test_the_list_is_filtered_and_its_file_says_the_same(world: World, sign_in: SignIn) -> None:
    made(world)
    proposed(world, question="Another?", owner=world.person("head"))
    client = sign_in("head")
    for query, expected in (
        ("", ["Another?", QUESTION]),
        ("?state=made", [QUESTION]),
        ("?q=anoth", ["Another?"]),
        ("?mine=on", ["Another?"]),
        ("?state=dropped", []),
        ("?state=nonsense", ["Another?", QUESTION]),
    ):
        page = client.get(LIST + query)
        found = [each.question for each in page.context["page"]]
        assert found == expected, query
        lines = body(client.get(f"{LIST[:-1]}.csv{query}")).splitlines()
        assert sum(QUESTION in line or "Another?" in line for line in lines) == len(expected)
    assert "No decision fits" in body(client.get(f"{LIST}?state=dropped"))


def test_what_waits_comes_first_and_pages_turn(world: World, sign_in: SignIn) -> None:
    first = made(world)
    for number in range(22):
        proposed(world, question=f"Question {number}?")
    pages = [
        [each.pk for each in sign_in("head").get(f"{LIST}?page={number}").context["page"]]
        for number in (1, 2)
    ]
    assert [len(each) for each in pages] == [20, 3]
    assert pages[1][-1] == first.pk


def queries_of(client: Client, path: str) -> int:
    from django.db import connection

    client.get(path)
    with CaptureQueriesContext(connection, ) as captured:  # fmt: skip
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "path", [LIST, "/partnerships/P-UPPER/cycles/", "/decisions/mine/", "/decisions/figures/"]
)
def test_a_longer_list_asks_the_database_no_more_often(
    path: str, world: World, sign_in: SignIn
) -> None:
    client = sign_in("minister" if "figures" in path else "head")

    def more(number: int) -> None:
        decision = proposed(world, question=f"{number}?", owner=world.person("head"))
        actions.close(decision, by=world.cast["system_leader"], seen=None, why="So.")
        helpers.action(world, decision)
        helpers.value(world, helpers.cycle(world, title=f"Test {number}"))

    more(1)
    few = queries_of(client, path)
    for number in range(2, 8):
        more(number)
    assert queries_of(client, path) <= few
    assert few < 40


def test_what_somebody_owns_stands_on_one_page(world: World, sign_in: SignIn) -> None:
    decision = made(world, owner=world.person("teacher"))
    helpers.action(world, decision, owner=world.person("teacher"), what="Count on Fridays")
    page = body(sign_in("teacher").get("/decisions/mine/"))
    assert "Count on Fridays" in page
    assert QUESTION in page
    assert "It is done" in page
    assert "Count on Fridays" not in body(sign_in("head").get("/decisions/mine/"))


def test_what_is_overdue_is_said_kindly_to_the_owner(world: World, sign_in: SignIn) -> None:
    action = helpers.action(world)
    type(action).objects.update(due=in_days(-4))
    path = reverse("devolution:action_done", args=[action.pk])
    assert "choose a new day or ask for help" in body(sign_in("head").get(path))
    assert "choose a new day or ask for help" not in body(sign_in("partner_head").get(path))


# The front card, the notices


def test_the_front_card_gathers_what_waits(world: World) -> None:
    decision = proposed(world)
    assert decision_pages.front_card(world.cast["head"]) is None
    card = decision_pages.front_card(world.cast["partner_head"])
    assert card is not None
    assert [each.url for each in card["items"]] == [decision_pages.url(decision)]
    helpers.action(world, decision, owner=world.person("head"), due=in_days(2))
    helpers.action(world, decision, owner=world.person("head"), due=in_days(9), what="Later")
    cycle = helpers.cycle(world, study_on=in_days(0))
    card = decision_pages.front_card(world.cast["head"])
    assert card is not None
    assert len(card["items"]) == 2
    assert card["items"][1].url == f"/cycles/{cycle.pk}/study/"
    for who in OUTSIDE:
        assert decision_pages.front_card(world.cast[who]) is None


def test_sections_are_for_members_alone(world: World) -> None:
    upper = world.partnerships["Upper"]
    proposed(world)
    helpers.cycle(world)
    section = decision_list_pages.section_of(upper, world.cast["teacher"])
    assert section is not None
    assert len(section["decisions"]) == 1
    assert len(pdsa_pages.section_of(upper, world.cast["teacher"])) == 1
    for who in OUTSIDE:
        assert decision_list_pages.section_of(upper, world.cast[who]) is None
        assert pdsa_pages.section_of(upper, world.cast[who]) == []


def test_every_notice_has_words_and_leads_somewhere(world: World, sign_in: SignIn) -> None:
    action = helpers.action(world)
    data = {
        "decision": action.decision_id, "question": QUESTION, "school": "School N1",
        "what": action.what, "due": action.due.isoformat(), "action": action.pk,
    }  # fmt: skip
    for event in decision_notices.EVENTS:
        assert "{" not in decision_notices.words(event, data)
    page = body(sign_in("head").get("/notices/"))
    assert f"/decisions/to-do/{action.pk}/" in page


# Nothing leaves


def test_no_word_of_it_reaches_officers_ministry_analysts_or_other_partnerships(
    world: World, sign_in: SignIn
) -> None:
    secret = "Zebra"
    decision = made(world, question=f"{secret}?", decision=secret)
    helpers.action(world, decision, what=secret)
    cycle = helpers.cycle(world, title=secret, prediction=secret)
    helpers.value(world, cycle)
    helpers.studied(world, cycle, "abandon")
    paths = ("/decisions/figures/", "/decisions/figures.csv", "/audit/", "/notices/",
             "/partnerships/P-UPPER/")  # fmt: skip
    for who in OUTSIDE:
        client = sign_in(who)
        for path in paths:
            answer = client.get(path)
            if answer.status_code == 200:
                assert secret not in body(answer), (who, path)
        for found in (decision_pages.url(decision), pdsa_pages.url(cycle)):
            assert client.get(found).status_code in {403, 404}


def test_the_decision_of_a_closed_partnership_can_still_be_opened(
    world: World, sign_in: SignIn
) -> None:
    decision = proposed(world)
    Decision.objects.update(at=timezone.now() - timedelta(days=9))
    upper = world.partnerships["Upper"]
    upper.memberships.update(ends=timezone.localdate())
    type(upper).objects.filter(pk=upper.pk).update(closed=timezone.localdate())
    client = sign_in("head")
    assert client.get(decision_pages.url(decision)).status_code == 200
    assert QUESTION in body(client.get(LIST))
    assert client.get("/decisions/new/").status_code == 403


def test_the_pages_stand_without_a_script(world: World, sign_in: SignIn) -> None:
    decision = proposed(world)
    assert django_settings.DEBUG is False
    for path in (LIST, decision_pages.url(decision), pdsa_pages.url(helpers.cycle(world))):
        assert "<script" not in body(sign_in("head").get(path))
    assert Pdsa.objects.count() == 1
