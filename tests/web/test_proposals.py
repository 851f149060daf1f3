"""Proposals for priorities: who writes for whom, when, what is frozen with them, what becomes."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.alignment import proposal_actions as actions
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment.models import PriorityProposal
from brightspots_web.directory import answering_queries
from brightspots_web.directory.models import Appointment, Indicator
from brightspots_web.directory.succession_actions import close_school
from brightspots_web.insight import actions as insight_actions
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from tests.web.insight_helpers import drafted, published
from tests.web.practice_helpers import head_of
from tests.web.proposal_helpers import a_draft, an_agreement, move_to, proposed, text, today
from tests.web.world import World

State = PriorityProposal.State


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


@pytest.mark.parametrize(
    ("who", "voices"),
    [
        ("minister", ["ministry:"]),
        ("district_officer", ["district:North"]),
        ("system_leader", ["partnership:Upper partnership", "school:School N1"]),
        ("head", ["school:School N2"]),
        ("teacher", []),
        ("analyst", []),
    ],
)
def test_each_tier_proposes_for_its_own_place(world: World, who: str, voices: list[str]) -> None:
    found = [f"{each.tier}:{each.place or ''}" for each in queries.voices_of(world.cast[who])]
    assert found == voices


def test_a_place_one_does_not_act_for_is_refused(world: World) -> None:
    agreement = an_agreement(world)
    voice = queries.voices_of(world.cast["head"])[0]
    for who in ("partner_head", "minister", "teacher"):
        with pytest.raises(PermissionDenied):
            actions.write_draft(agreement, voice, text(), by=world.cast[who])


def test_the_same_press_twice_writes_once(world: World) -> None:
    agreement = an_agreement(world)
    first = a_draft(agreement, world.cast["head"])
    assert a_draft(agreement, world.cast["head"]) == first
    assert actions.propose(first, by=world.cast["head"], seen=first.version).state == State.OPEN
    assert actions.propose(first, by=world.cast["head"], seen=first.version).state == State.OPEN
    assert audit.first_broken_link() is None


def test_a_draft_is_seen_by_its_own_place_alone(world: World) -> None:
    draft = a_draft(an_agreement(world), world.cast["head"])
    for who in world.cast:
        seen = queries.visible_to(world.cast[who]).filter(pk=draft.pk).exists()
        assert seen == (who in {"head", "former_head"}), who  # the latter acts no more: no request


def test_the_need_is_frozen_when_it_is_proposed_and_renewed_only_on_wish(world: World) -> None:
    run = published(world)
    agreement = an_agreement(world)
    proposal = proposed(agreement, world.cast["head"], subject="Reading")
    kept = proposal.evidence
    assert kept["run"] == str(run.uuid)
    assert kept["as_of"] == today().isoformat()
    assert kept["schools"] == 14
    value, lower, upper = kept["in_need"]
    assert lower <= value <= upper <= 14
    assert {"name": "Upper", "in": "North"}.items() <= kept["areas"][-1].items()
    # West has one school: a figure of it would be that school's.
    assert "West" not in {each["name"] for each in kept["areas"]}

    newer = drafted(world.cast["analyst"], note="newer")
    insight_actions.publish(newer, by=world.cast["analyst"])
    changed = actions.change(
        proposal, text(subject="Reading", why="More."), by=world.cast["head"], seen=None
    )
    assert changed.evidence == kept
    renewed = actions.change(
        changed, text(subject="Reading", why="More."), by=world.cast["head"], seen=None, renew=True
    )
    assert renewed.evidence["run"] == str(newer.uuid)


def test_of_an_outcome_without_figures_there_is_no_evidence(world: World) -> None:
    assert proposed(an_agreement(world), world.cast["head"]).evidence == {}


def test_problems_are_named_field_by_field(world: World) -> None:
    agreement = an_agreement(world)
    with pytest.raises(ValidationError) as refused:
        a_draft(agreement, world.cast["head"], title=" ", why="w" * 2001, subject="Dancing",
                drivers="One\n      three steps at once", indicators=("no-such",))  # fmt: skip
    assert set(refused.value.message_dict) == {"title", "why", "subject", "drivers", "indicators"}
    assert "2" in refused.value.message_dict["drivers"][0]  # the line


def test_indicators_come_from_the_directory_and_are_few(world: World) -> None:
    agreement = an_agreement(world)
    codes = [f"i{n}" for n in range(7)]
    for code in codes:
        Indicator.objects.create(code=code, name=code)
    with pytest.raises(ValidationError, match="at most 6"):
        a_draft(agreement, world.cast["head"], indicators=tuple(codes))
    draft = a_draft(agreement, world.cast["head"], indicators=("i1", "i2"))
    assert [each.code for each in draft.indicators.all()] == ["i1", "i2"]


@pytest.mark.parametrize(
    ("phase", "message"),
    [("before", "can be made from"), ("consult", "could be made until"), ("ballot", "until")],
)
def test_outside_its_phase_proposing_is_refused_with_the_days(
    world: World, phase: str, message: str
) -> None:
    agreement = an_agreement(world)
    draft = a_draft(agreement, world.cast["head"])
    wanted = ("propose", -5) if phase == "before" else (phase, 5)
    agreement = move_to(world, agreement, *wanted)
    draft.refresh_from_db()
    with pytest.raises(ValidationError, match=message) as refused:
        actions.propose(draft, by=world.cast["head"], seen=None)
    assert str(agreement.propose_from.year) in refused.value.messages[0]
    draft.refresh_from_db()
    assert draft.state == State.DRAFT


def test_after_the_days_of_proposals_no_draft_is_begun(world: World) -> None:
    agreement = an_agreement(world, "consult")
    with pytest.raises(ValidationError, match="could be made until"):
        a_draft(agreement, world.cast["head"])


def test_a_proposal_changes_until_the_consultation_ends(world: World) -> None:
    agreement = an_agreement(world)
    proposal = proposed(agreement, world.cast["head"])
    move_to(world, agreement, "consult")
    assert actions.change(
        proposal, text(why="Better said."), by=world.cast["head"], seen=proposal.version
    ).why == "Better said."  # fmt: skip
    move_to(world, agreement, "ballot")
    with pytest.raises(ValidationError, match="The text holds"):
        actions.change(proposal, text(why="Too late."), by=world.cast["head"], seen=None)


def test_two_who_change_one_proposal_the_second_is_told(world: World) -> None:
    proposal = proposed(an_agreement(world), world.cast["head"])
    actions.change(proposal, text(why="First."), by=world.cast["head"], seen=proposal.version)
    with pytest.raises(OvertakenError):
        actions.change(proposal, text(why="Second."), by=world.cast["head"], seen=proposal.version)
    proposal.refresh_from_db()
    assert proposal.why == "First."


def test_two_titles_that_are_the_same_are_not_both_on_the_table(world: World) -> None:
    agreement = an_agreement(world)
    proposed(agreement, world.cast["head"])
    draft = a_draft(agreement, world.cast["partner_head"], title="every child READS by ten")
    with pytest.raises(ValidationError, match="already"):
        actions.propose(draft, by=world.cast["partner_head"], seen=None)
    assert queries.similar_to(draft.title, agreement, but=draft)


@pytest.mark.parametrize(
    ("title", "near"),
    [
        ("All children read at ten", True),
        ("Reading for every child", True),
        ("Every child reads by ten!", True),
        ("Sense of number in the early years", False),
        ("Fewer days lost", False),
    ],
)
def test_titles_much_like_another_are_found(world: World, title: str, near: bool) -> None:
    agreement = an_agreement(world)
    first = proposed(agreement, world.cast["head"])
    assert queries.similar_to(title, agreement) == ([first] if near else [])


def test_a_draft_is_thrown_away_and_a_proposal_is_withdrawn_with_a_reason(world: World) -> None:
    agreement = an_agreement(world)
    head = world.cast["head"]
    draft = a_draft(agreement, head)
    with pytest.raises(PermissionDenied):
        actions.discard(draft, by=world.cast["partner_head"], seen=None)
    actions.discard(draft, by=head, seen=draft.version)
    assert not PriorityProposal.objects.exists()
    proposal = proposed(agreement, head)
    with pytest.raises(ValidationError, match="withdraw it"):
        actions.discard(proposal, by=head, seen=None)
    with pytest.raises(ValidationError, match="Say why"):
        actions.withdraw(proposal, by=head, why=" ", seen=proposal.version)
    gone = actions.withdraw(proposal, by=head, why="Ours is in the other.", seen=proposal.version)
    assert (gone.state, gone.closed_why) == (State.WITHDRAWN, "Ours is in the other.")
    assert queries.on_the_table(agreement) == []
    with pytest.raises(ValidationError, match="withdrawn"):
        actions.change(gone, text(why="x"), by=head, seen=None)


def test_after_adoption_each_knows_what_became_of_it(world: World) -> None:
    agreement = an_agreement(world)
    reading = proposed(agreement, world.cast["head"])
    number = proposed(agreement, world.cast["system_leader"], title="Number sense")
    draft = a_draft(agreement, world.cast["partner_head"], title="Never proposed")
    with pytest.raises(PermissionDenied):
        actions.close_after_adoption(agreement, [reading], by=world.cast["head"])
    actions.close_after_adoption(agreement, [reading], by=world.cast["minister"])
    for each in (reading, number, draft):
        each.refresh_from_db()
    assert [reading.state, number.state, draft.state] == ["adopted", "not_adopted", "draft"]
    assert "is adopted" in told(world, "head")[0]
    assert "not adopted this time" in told(world, "system_leader")[0]
    with pytest.raises(ValidationError, match="nothing to withdraw"):
        actions.withdraw(reading, by=world.cast["head"], why="w", seen=None)


# Who answers when places and people change


def test_the_successor_in_office_answers_for_it(world: World) -> None:
    proposal = proposed(an_agreement(world), world.cast["head"])
    Appointment.objects.filter(pk=world.cast["head"].pk).update(ends=today())
    assert not queries.may_answer(world.cast["head"], proposal)
    new = head_of(world, "N2")
    assert queries.answering_for(proposal).step == "place"
    assert queries.may_answer(new, proposal)


def test_of_a_school_that_closed_who_carries_it_on_answers_else_the_leader_then_the_officer(
    world: World,
) -> None:
    proposal = proposed(an_agreement(world), world.cast["head"])
    day = timezone.localdate()
    close_school(world.schools["N2"], on=day, by=world.cast["minister"])
    found = queries.visible_to(world.cast["teacher"]).get(pk=proposal.pk)
    answer = queries.answering_for(found)
    assert (answer.step, answer.appointments) == ("partnership", (world.cast["system_leader"],))
    Appointment.objects.filter(pk=world.cast["system_leader"].pk).update(ends=day)
    assert queries.answering_for(found).step == "district"
    assert queries.may_answer(world.cast["district_officer"], found)
    Appointment.objects.filter(pk=world.cast["district_officer"].pk).update(ends=day)
    assert queries.answering_for(found).step == "ministry"


def test_of_schools_that_merged_the_head_of_the_new_one_answers_and_sees_its_draft(
    world: World,
) -> None:
    agreement = an_agreement(world)
    proposal = proposed(agreement, world.cast["head"])
    draft = a_draft(agreement, world.cast["head"], title="Another")
    close_school(
        world.schools["N2"], on=today(), successors=[world.schools["N3"]],
        by=world.cast["minister"],
    )  # fmt: skip
    found = queries.visible_to(world.cast["partner_head"]).get(pk=proposal.pk)
    assert queries.answering_for(found).step == "successor"
    assert queries.may_answer(world.cast["partner_head"], found)
    assert draft in queries.drafts_of(world.cast["partner_head"])
    changed = actions.change(
        found, text(why="Now for both."), by=world.cast["partner_head"], seen=None
    )
    assert changed.school == world.schools["N2"]  # who proposed it stays


def test_a_partnership_that_closed_leaves_it_to_the_officer(world: World) -> None:
    proposal = proposed(an_agreement(world), world.cast["system_leader"])
    partnership = world.partnerships["Upper"]
    partnership.closed = today() - timedelta(days=1)
    partnership.save()
    answer = answering_queries.answering_for(partnership)
    assert (answer.step, answer.appointments) == ("district", (world.cast["district_officer"],))
    assert not queries.may_answer(world.cast["system_leader"], proposal)
