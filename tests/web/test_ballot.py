"""A ballot: who may vote in it, once, in secret; how it is closed and counted."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.alignment import ballot_actions as actions
from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment import ballot_vote_actions as voting
from brightspots_web.alignment.models import Ballot, Vote, Voter
from brightspots_web.directory.models import Partnership, School
from brightspots_web.notices.models import Notice
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import ballot_helpers as helpers
from tests.web.world import World

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()


def close(ballot: Ballot, world: World) -> Ballot:
    return actions.close_ballot(helpers.over(ballot), by=world.cast["minister"])


# Opening


def test_the_paper_is_drawn_weights_are_frozen_and_voters_are_told(world: World) -> None:
    ballot = helpers.opened(world)
    keys = [each["key"] for each in ballot.choices]
    assert sorted(each["title"] for each in ballot.choices) == sorted(helpers.TITLES)
    assert keys == [each.pk for each in queries.drawn(ballot.agreement)]
    assert ballot.weights == {"school": 1}
    assert ballot.voters.count() == 14
    assert set(ballot.voters.values_list("tier", flat=True)) == {"school"}
    told = Notice.objects.filter(kind=actions.OPENED).values_list("person__email", flat=True)
    assert {each.partition("@")[0] for each in told} == {
        "head", "partner_head", "other_head", "system_leader", "other_system_leader",
    }  # fmt: skip
    ballot.agreement.weights = {"school": 9}
    ballot.agreement.save()
    assert Ballot.objects.get().weights == {"school": 1}


def test_every_tier_with_a_weight_votes(world: World) -> None:
    weights = {"school": 1, "partnership": 2, "district": 3, "ministry": 4}
    ballot = helpers.opened(world, weights=weights)
    listed = [(each.label, each.voters) for each in queries.turnout_by_tier(ballot)]
    assert listed == [("schools", 14), ("partnerships", 3), ("districts", 2), ("ministry", 1)]
    held = {
        who: [each.tier for each in queries.votes_held(world.cast[who], ballot)]
        for who in ("minister", "analyst", "district_officer", "system_leader", "head", "teacher")
    }
    assert held == {
        "minister": ["ministry"], "analyst": [], "district_officer": ["district"],
        "system_leader": ["school", "partnership"], "head": ["school"], "teacher": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "titles", "seats", "days", "words"),
    [
        ("consult", helpers.TITLES, 2, 5, "can be opened from"),
        ("adopt", helpers.TITLES, 2, 5, "can be opened from"),
        ("ballot", helpers.TITLES[:3], 3, 5, "nobody needs to vote: choose two"),
        ("ballot", helpers.TITLES[:2], 2, 5, "Ask for more proposals"),
        ("ballot", helpers.TITLES, 4, 5, "Two or three"),
        ("ballot", helpers.TITLES, 1, 5, "Two or three"),
        ("ballot", helpers.TITLES, 2, 0, "a day at least"),
        ("ballot", helpers.TITLES, 2, 11, "Adoption begins on"),
    ],
)
def test_what_is_no_ballot_is_refused_with_the_reason(
    world: World, phase: str, titles: tuple[str, ...], seats: int, days: int, words: str
) -> None:
    agreement = helpers.an_agreement(phase)
    helpers.proposals(agreement, titles)
    with pytest.raises(ValidationError, match=words):
        actions.open_ballot(
            agreement, seats=seats, closes_on=TODAY + timedelta(days=days),
            by=world.cast["minister"],
        )  # fmt: skip
    assert not Ballot.objects.exists()


@pytest.mark.parametrize("who", ["analyst", "district_officer", "system_leader", "head", "teacher"])
def test_the_ministry_alone_opens_it(world: World, who: str) -> None:
    agreement = helpers.an_agreement()
    helpers.proposals(agreement)
    with pytest.raises(PermissionDenied):
        actions.open_ballot(
            agreement, seats=2, closes_on=agreement.adopt_from, by=world.cast[who]
        )  # fmt: skip


def test_a_cycle_has_one_ballot(world: World) -> None:
    ballot = helpers.opened(world)
    with pytest.raises(ValidationError, match="ballot of this cycle already"):
        actions.open_ballot(
            ballot.agreement, seats=2, closes_on=ballot.closes_on, by=world.cast["minister"]
        )


def test_a_paper_drawn_before_a_proposal_came_is_shown_again(world: World) -> None:
    agreement = helpers.an_agreement()
    seen = queries.seed_for(agreement, helpers.proposals(agreement))
    helpers.proposals(agreement, ["One more"])
    with pytest.raises(OvertakenError, match="came or went"):
        actions.open_ballot(
            agreement, seats=2, closes_on=agreement.adopt_from, by=world.cast["minister"],
            seen=seen,
        )  # fmt: skip


# Voting


def test_a_vote_is_cast_once_and_leads_back_to_nobody(world: World) -> None:
    ballot = helpers.opened(world)
    entries = AuditEntry.objects.count()
    keys = [each["key"] for each in ballot.choices]
    voting.cast(ballot, "school", keys[:2], by=world.cast["head"])
    vote = Vote.objects.get()
    assert vote.ranking == keys[:2]
    assert vote.pk > 2**20  # drawn by lot, not counted up
    assert {field.name for field in Vote._meta.get_fields()} == {"id", "ballot", "tier", "ranking"}
    assert {field.name for field in Voter._meta.get_fields()} == {
        "id", "ballot", "tier", "school", "partnership", "area", "voted",
    }  # fmt: skip
    assert Voter.objects.filter(voted=True).get().school == world.schools["N2"]
    assert AuditEntry.objects.count() == entries
    with pytest.raises(voting.NotTakenError, match="final, and counts once"):
        voting.cast(ballot, "school", keys, by=world.cast["head"])
    assert Vote.objects.count() == 1


def test_keys_of_papers_say_nothing_of_the_order_in_which_they_came(world: World) -> None:
    keys = [actions.free_keys(1).pop() for _ in range(200)]
    assert keys != sorted(keys)
    assert len(set(keys)) == 200
    assert all(0 < key < 2**63 for key in keys)


def test_the_leader_votes_for_the_own_school_and_for_the_partnership(world: World) -> None:
    ballot = helpers.opened(world, weights={"school": 1, "partnership": 5})
    leader = world.cast["system_leader"]
    voting.cast(ballot, "school", [], by=leader)
    voting.cast(ballot, "partnership", [helpers.key_of(ballot, "Talk in lessons")], by=leader)
    assert sorted(Vote.objects.values_list("tier", flat=True)) == ["partnership", "school"]
    with pytest.raises(PermissionDenied):
        voting.cast(ballot, "district", [], by=leader)


@pytest.mark.parametrize("who", ["minister", "analyst", "district_officer", "teacher"])
def test_who_has_no_vote_casts_none(world: World, who: str) -> None:
    ballot = helpers.opened(world)
    for tier in ("school", "ministry", "district"):
        with pytest.raises(PermissionDenied):
            voting.cast(ballot, tier, [], by=world.cast[who])


def test_the_head_and_a_leader_who_is_head_there_have_one_vote_together(world: World) -> None:
    ballot = helpers.opened(world)
    voting.cast(ballot, "school", [], by=helpers.a_head(world, "N1"))
    with pytest.raises(voting.NotTakenError, match="cast for your school"):
        voting.cast(ballot, "school", [], by=world.cast["system_leader"])


def test_after_the_end_no_vote_is_taken_counted_or_not(world: World) -> None:
    ballot = helpers.over(helpers.opened(world))
    for _time in range(2):
        with pytest.raises(voting.NotTakenError, match="closed at the end of"):
            voting.cast(ballot, "school", [], by=world.cast["head"])
        actions.close_ballot(ballot, by=world.cast["minister"])
    assert not Vote.objects.exists()


@pytest.mark.parametrize("ranking", [[0], ["twice"]])
def test_a_paper_of_something_else_is_refused(world: World, ranking: list[Any]) -> None:
    ballot = helpers.opened(world)
    key = ballot.choices[0]["key"]
    wrong = [key, key] if ranking == ["twice"] else ranking
    with pytest.raises(ValidationError, match="not the paper"):
        voting.cast(ballot, "school", wrong, by=world.cast["head"])
    assert not Voter.objects.filter(voted=True).exists()


# Schools that come and go meanwhile


def test_a_school_that_closes_before_it_votes_loses_its_vote(world: World) -> None:
    ballot = helpers.opened(world)
    School.objects.filter(code="N3").update(closed=TODAY)
    actions.keep_voters(ballot)
    assert ballot.voters.count() == 13
    with pytest.raises(PermissionDenied):
        voting.cast(ballot, "school", [], by=world.cast["partner_head"])


def test_a_school_that_voted_and_closes_stays_counted(world: World) -> None:
    ballot = helpers.opened(world)
    voting.cast(ballot, "school", [ballot.choices[0]["key"]], by=world.cast["head"])
    School.objects.filter(code="N2").update(closed=TODAY)
    actions.keep_voters(ballot)
    assert ballot.voters.filter(school=world.schools["N2"], voted=True).exists()
    assert close(ballot, world).result["papers"] == {"school": 1}


def test_a_school_that_merges_leaves_one_vote_with_the_one_that_goes_on(world: World) -> None:
    from brightspots_web.directory import succession_actions

    ballot = helpers.opened(world)
    succession_actions.close_school(
        world.schools["N3"], on=TODAY, successors=[world.schools["N2"]], by=world.cast["minister"]
    )
    actions.keep_voters(ballot)
    assert not ballot.voters.filter(school=world.schools["N3"]).exists()
    assert ballot.voters.filter(school=world.schools["N2"]).count() == 1


def test_a_new_school_gets_a_vote_at_once(world: World) -> None:
    ballot = helpers.opened(world)
    world.schools["N7"] = School.objects.create(code="N7", name="New", area=world.areas["Upper"])
    voting.cast(ballot, "school", [], by=helpers.a_head(world, "N7"))
    assert ballot.voters.count() == 15
    assert ballot.voters.filter(voted=True).count() == 1


def test_partnerships_and_districts_come_and_go_too(world: World) -> None:
    ballot = helpers.opened(world, weights={"school": 1, "partnership": 1, "district": 1})
    Partnership.objects.filter(code="P-LOWER").update(closed=TODAY)
    Partnership.objects.create(code="P-NEW", name="New", formed=TODAY)
    world.cast["district_officer"].ends = TODAY
    world.cast["district_officer"].save()
    actions.keep_voters(ballot)
    listed = set(
        ballot.voters.exclude(tier="school").values_list("partnership__code", "area__name")
    )
    assert listed == {
        ("P-UPPER", None), ("P-EAST", None), ("P-NEW", None), (None, "South"),
    }  # fmt: skip


def test_the_list_of_voters_takes_as_many_statements_for_many_schools_as_for_few(
    world: World, django_assert_max_num_queries: Any
) -> None:
    agreement = helpers.an_agreement()
    helpers.proposals(agreement)
    area = world.areas["West"]
    School.objects.bulk_create(
        School(code=f"B{n}", name=f"B{n}", area=area) for n in range(1500)
    )  # fmt: skip
    with django_assert_max_num_queries(45):
        ballot = actions.open_ballot(
            agreement, seats=2, closes_on=agreement.adopt_from, by=world.cast["minister"]
        )
    assert ballot.voters.count() == 1514
