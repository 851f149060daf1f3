"""The calendar of a cycle: who sets it, what it refuses, what everybody sees, who hears of it."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.alignment import agreement_actions as actions
from brightspots_web.alignment import agreement_queries as queries
from brightspots_web.alignment import agreement_reminder_actions as reminders
from brightspots_web.alignment import ballot_actions
from brightspots_web.alignment import proposal_actions as proposing
from brightspots_web.alignment import proposal_talk_actions as talk
from brightspots_web.alignment.history_actions import let_time_pass
from brightspots_web.alignment.models import Agreement, Ballot
from brightspots_web.directory import cycle_actions
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.directory.models import Cycle, Person
from brightspots_web.notices import queries as notices
from brightspots_web.notices.models import Notice
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from tests.web.conftest import SignIn
from tests.web.proposal_helpers import (
    a_draft,
    an_agreement,
    calendar,
    move_to,
    one,
    proposed,
    today,
)
from tests.web.world import World

URL = "/priorities/calendar/"


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def form(wanted: actions.Calendar, **more: Any) -> dict[str, Any]:
    data = actions.as_dict(wanted)
    weights = data.pop("weights")
    assert isinstance(weights, dict)
    return data | {f"weight_{tier}": weight for tier, weight in weights.items()} | more


# Phases


def test_a_phase_lasts_from_its_first_day_until_the_next_begins(world: World) -> None:
    agreement = an_agreement(world)
    for name in queries.PHASES:
        starts = getattr(agreement, f"{name}_from")
        assert queries.phase_of(agreement, starts) == name
        assert queries.phase_of(agreement, starts - timedelta(days=1)) != name
    assert queries.phase_of(agreement, agreement.propose_from - timedelta(days=1)) == "before"
    assert queries.phase_of(agreement, agreement.cycle.ends - timedelta(days=1)) == "review"
    assert queries.phase_of(agreement, agreement.cycle.ends) == "over"


def test_adoption_and_work_may_begin_on_the_same_day(world: World) -> None:
    wanted = calendar()
    agreement = actions.make_agreement(
        replace(wanted, adopt_from=wanted.work_from), by=world.cast["minister"]
    )
    assert queries.phase_of(agreement, agreement.work_from) == "work"
    assert queries.phase_of(agreement, agreement.work_from - timedelta(days=1)) == "ballot"


def test_the_current_one_is_that_whose_cycle_holds_today_else_the_next(world: World) -> None:
    assert queries.current_agreement() is None
    following = an_agreement(world, "propose", name="Next")
    assert queries.current_agreement() == following
    now = an_agreement(world, "work", name="This", day=205)
    assert queries.current_agreement() == now
    assert queries.open_agreements() == [now, following]
    assert queries.being_agreed() == [following]
    assert queries.taking_proposals() == [following]
    assert queries.current_agreement(now.cycle.ends) == following


# Setting and changing


def test_only_the_ministry_sets_days_and_twice_the_same_is_once(world: World) -> None:
    for who in ("analyst", "district_officer", "head"):
        with pytest.raises(PermissionDenied):
            actions.make_agreement(calendar(), by=world.cast[who])
        with pytest.raises(PermissionDenied):
            cycle_actions.make_cycle("C", today(), today(), by=world.cast[who])
    first = an_agreement(world)
    assert an_agreement(world) == first
    assert queries.weights_of(first) == {
        "school": 1, "partnership": 0, "district": 0, "ministry": 0,
    }  # fmt: skip
    with pytest.raises(ValidationError, match="has a calendar"):
        actions.make_agreement(
            replace(calendar(), weights={"school": 2}), by=world.cast["minister"]
        )
    assert audit.first_broken_link() is None


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"consult_from": -40}, "consult_from", "Consultation cannot begin on"),
        ({"ballot_from": -40}, "ballot_from", "Ballot cannot begin on"),
        ({"adopt_from": 200}, "work_from", "Work cannot begin on"),
        ({"review_from": -500}, "review_from", "Review cannot begin on"),
        ({"review_from": 500}, "review_from", "before the cycle is over"),
        ({"starts": 10}, "work_from", "begins with the cycle or later"),
    ],
)
def test_a_day_out_of_order_is_named(
    world: World, change: dict[str, int], field: str, words: str
) -> None:
    wanted = calendar()
    moved = {name: getattr(wanted, name) + timedelta(days=by) for name, by in change.items()}
    with pytest.raises(ValidationError) as refused:
        actions.make_agreement(replace(wanted, **moved), by=world.cast["minister"])
    assert words in refused.value.message_dict[field][0]
    assert not Agreement.objects.exists()
    assert not Cycle.objects.exists()


@pytest.mark.parametrize("weights", [{"school": 0}, {"district": -1}, {"ministry": 100}])
def test_weights_are_whole_and_schools_always_vote(world: World, weights: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=r"vote|whole number"):
        actions.make_agreement(replace(calendar(), weights=weights), by=world.cast["minister"])


def test_cycles_follow_each_other(world: World) -> None:
    an_agreement(world, name="This")
    with pytest.raises(ValidationError, match="“This” holds some of these days"):
        an_agreement(world, name="Other")


def test_a_change_made_on_an_old_page_is_refused_and_stays_in_the_form(
    world: World, sign_in: SignIn
) -> None:
    agreement = an_agreement(world)
    client, url = sign_in("minister"), f"{URL}{agreement.pk}/"
    seen = client.get(url).context["form"].initial["seen"]
    wanted = replace(calendar(), weights={"school": 3})
    actions.change_agreement(agreement, wanted, by=world.cast["minister"], seen=seen)
    with pytest.raises(OvertakenError):
        actions.change_agreement(agreement, calendar(), by=world.cast["minister"], seen=seen)
    sent = form(replace(calendar(), weights={"school": 5}), seen=seen)
    page = client.post(url, sent)
    assert page.status_code == 409
    assert 'name="weight_school" value="5"' in page.content.decode()
    again = client.post(url, sent | {"seen": page.context["form"]["seen"].value()})
    assert again.status_code == 302
    agreement.refresh_from_db()
    assert queries.weights_of(agreement)["school"] == 5


def test_ending_the_present_phase_is_asked_about_once_more(world: World, sign_in: SignIn) -> None:
    agreement = an_agreement(world, "propose")
    client, url = sign_in("minister"), f"{URL}{agreement.pk}/"
    sent = form(calendar("consult"), seen=agreement.version)
    page = client.post(url, sent).content.decode()
    assert "would end today" in page
    assert 'type="checkbox" name="sure"' in page
    agreement.refresh_from_db()
    assert queries.phase_of(agreement) == "propose"
    assert client.post(url, sent | {"sure": "on"}).status_code == 302
    assert queries.phase_of(queries.open_agreements()[0]) == "consult"


def test_a_longer_phase_is_not_asked_about(world: World, sign_in: SignIn) -> None:
    agreement = an_agreement(world, "propose")
    longer = replace(calendar(), consult_from=calendar().consult_from + timedelta(days=5))
    sent = form(longer, seen=agreement.version)
    assert sign_in("minister").post(f"{URL}{agreement.pk}/", sent).status_code == 302


def test_a_ballot_that_was_opened_keeps_its_days_and_weights(world: World) -> None:
    agreement = an_agreement(world)
    for title in ("One thing", "Another", "Third matter", "Something else"):
        proposed(agreement, world.cast["head"], title=title)
    agreement = move_to(world, agreement, "ballot")
    minister = world.cast["minister"]
    ballot_actions.open_ballot(agreement, seats=2, closes_on=agreement.adopt_from, by=minister)
    kept = actions.calendar_of(agreement)
    day = timedelta(days=1)
    for change, words in (
        ({"ballot_from": kept.ballot_from - day}, "it stays"),
        ({"adopt_from": kept.adopt_from - day}, "can vote until"),
        ({"weights": {"school": 2}}, "with these weights"),
    ):
        with pytest.raises(ValidationError, match=words):
            actions.change_agreement(
                agreement, replace(kept, **change), by=minister, seen=None, sure=True
            )
    longer = replace(kept, adopt_from=kept.adopt_from + day)
    assert actions.change_agreement(agreement, longer, by=minister, seen=None)


# What everybody sees


def test_everybody_sees_where_we_are_what_comes_next_and_what_a_vote_weighs(
    world: World, sign_in: SignIn
) -> None:
    assert "The ministry sets the days" in sign_in("teacher").get(URL).content.decode()
    assert "Set the calendar" in sign_in("minister").get(URL).content.decode()
    agreement = an_agreement(world)
    page = sign_in("teacher").get(URL).content.decode()
    for words in ("Now: Proposals.", "Next: Consultation, from", "What a vote weighs",
                  "one vote counts once", "no vote of their own"):  # fmt: skip
        assert words in page, words
    assert page.count('aria-current="step"') == 1
    assert "Change days" not in page
    assert f"{URL}{agreement.pk}/" in sign_in("minister").get(URL).content.decode()


def test_the_calendar_costs_the_same_for_one_agreement_and_for_three(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in("teacher")
    an_agreement(world, "work", name="This", day=205)
    an_agreement(world, "propose", name="Next")
    client.get(URL)
    with django_assert_max_num_queries(14):
        client.get(URL)


# Reminders


def test_when_a_phase_begins_those_concerned_hear_of_it_once(world: World) -> None:
    agreement = an_agreement(world, "propose", day=1)
    assert reminders.tell_of_calendar() == 8  # heads, leaders, officers, the ministry
    assert "Proposals." in told(world, "head")[0]
    assert told(world, "teacher") == []
    Notice.objects.update(seen_at="2026-01-01T00:00Z")
    assert reminders.tell_of_calendar() == 0
    move_to(world, agreement, "consult", day=0)
    assert reminders.tell_of_calendar() == Person.objects.exclude(
        email__startswith="nobody"
    ).exclude(email__startswith="former").count()  # fmt: skip
    assert "Consultation." in told(world, "teacher")[0]
    # That proposals can be made is no longer so.
    assert not any("Next year: Proposals" in each for each in told(world, "head"))


def test_a_phase_that_began_long_ago_is_no_news(world: World) -> None:
    an_agreement(world, "propose", day=10)
    assert reminders.tell_of_calendar() == 0


def test_seven_days_before_the_end_of_proposals_those_with_a_draft_hear_of_it(
    world: World,
) -> None:
    agreement = an_agreement(world, "propose", day=22)
    draft = a_draft(agreement, world.cast["head"])
    proposed(agreement, world.cast["partner_head"], title="On the table")
    assert reminders.tell_of_calendar() == 0
    move_to(world, agreement, "propose", day=23)
    assert reminders.tell_of_calendar() == 1
    assert reminders.tell_of_calendar() == 0
    assert "is still a draft" in told(world, "head")[0]
    assert told(world, "partner_head") == []
    proposing.propose(one(draft.pk), by=world.cast["head"], seen=None)
    assert told(world, "head") == []  # it is one no longer


def test_seven_days_before_the_end_of_the_consultation_who_owes_an_answer_hears_of_it(
    world: World,
) -> None:
    agreement = an_agreement(world)
    proposal = proposed(agreement, world.cast["head"])
    proposed(agreement, world.cast["partner_head"], title="Nothing said to it")
    move_to(world, agreement, "consult", day=24)
    said = talk.comment(one(proposal.pk), by=world.cast["teacher"], words="How?")
    Notice.objects.all().delete()
    assert reminders.tell_of_calendar() == 1
    assert "one comment waits for an answer" in told(world, "head")[0]
    talk.answer(said, by=world.cast["head"], words="Like this.", seen=None)
    assert told(world, "head") == []
    assert reminders.tell_of_calendar() == 0


# What was before


def test_time_is_let_pass_for_everything_of_an_agreement(world: World) -> None:
    agreement = an_agreement(world)
    proposal = proposed(agreement, world.cast["head"])
    proposal.evidence = {"run": "r", "as_of": today().isoformat(), "subject": "s"}
    proposal.save()
    with pytest.raises(PermissionDenied):
        let_time_pass(agreement, 30, by=world.cast["minister"])
    later = let_time_pass(agreement, 30, by=command_line_operator())
    assert queries.phase_of(later) == "consult"
    assert later.cycle.starts == agreement.cycle.starts - timedelta(days=30)
    moved = one(proposal.pk)
    assert moved.at == proposal.at - timedelta(days=30)
    assert moved.evidence == {}  # these figures came after it
    talk.comment(moved, by=world.cast["teacher"], words="Yes.")
    ballot = Ballot.objects.create(
        agreement=later, seed=1, opened_at=moved.at, opened_by="w", closes_on=date(2026, 5, 1)
    )
    let_time_pass(later, 1, by=command_line_operator())
    ballot.refresh_from_db()
    assert ballot.closes_on == date(2026, 4, 30)
    assert ballot.closed_at is None
    assert moved.comments.get().at.date() == today() - timedelta(days=1)


def test_addresses_of_the_calendar(world: World, sign_in: SignIn) -> None:
    assert reverse("alignment:calendar") == URL
    assert sign_in("minister").get(f"{URL}9999/").status_code == 404
