"""A ballot on its way to the count: what is withdrawn, more time, reminders, turnout, the end."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.alignment import ballot_actions as actions
from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment import ballot_vote_actions as voting
from brightspots_web.alignment.ballot_count import count
from brightspots_web.alignment.models import Ballot, PriorityProposal, Vote
from brightspots_web.directory.models import Area, School
from brightspots_web.notices.models import Notice
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import ballot_helpers as helpers
from tests.web.world import World

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()


def close(ballot: Ballot, world: World) -> Ballot:
    return actions.close_ballot(helpers.over(ballot), by=world.cast["minister"])


def test_a_withdrawn_proposal_is_struck_out_and_the_next_choice_moves_up(world: World) -> None:
    ballot = helpers.opened(world, seats=2)
    keys = {title: helpers.key_of(ballot, title) for title in helpers.TITLES}
    gone = PriorityProposal.objects.get(title="Early reading")
    first = [keys["Early reading"], keys["Number sense"]]
    voting.cast(ballot, "school", first, by=world.cast["head"])
    actions.note_withdrawal(gone, by=world.cast["head"])
    actions.note_withdrawal(gone, by=world.cast["head"])
    assert AuditEntry.objects.filter(action="alignment.note_withdrawal").count() == 1
    with pytest.raises(OvertakenError, match="“Early reading” was withdrawn"):
        voting.cast(ballot, "school", first, by=world.cast["partner_head"])
    voting.cast(ballot, "school", [keys["Attendance"]], by=world.cast["partner_head"])
    counted = close(ballot, world)
    assert Vote.objects.filter(ranking=first).exists()  # the paper stays as it was cast
    assert set(queries.chosen(counted)) == {keys["Number sense"], keys["Attendance"]}


def test_a_proposal_withdrawn_without_a_ballot_is_nobody_s_matter_here(world: World) -> None:
    proposal = helpers.proposals(helpers.an_agreement())[0]
    actions.note_withdrawal(proposal, by=world.cast["head"])
    assert not AuditEntry.objects.exists()


def test_nobody_closes_it_before_its_day(world: World) -> None:
    ballot = helpers.opened(world)
    with pytest.raises(ValidationError, match="Votes can be cast until"):
        actions.close_ballot(ballot, by=world.cast["minister"])
    with pytest.raises(PermissionDenied):
        actions.close_ballot(helpers.over(ballot), by=world.cast["analyst"])


def test_at_the_end_all_papers_are_written_anew_in_another_order(world: World) -> None:
    ballot = helpers.opened(world)
    keys = [each["key"] for each in ballot.choices]
    cast = {}
    for number, code in enumerate(("N2", "N3", "N4", "N5", "N6", "L1", "L2", "L3", "L4", "E2")):
        head = helpers.a_head(world, code)
        voting.cast(ballot, "school", keys[: number % 4], by=head)
        cast[code] = number % 4
    before = set(Vote.objects.values_list("pk", flat=True))
    counted = close(ballot, world)
    after = list(Vote.objects.order_by("pk"))
    assert not before & {vote.pk for vote in after}
    assert sorted(len(vote.ranking) for vote in after) == sorted(cast.values())
    again = count(queries.rules(counted), queries.papers(counted))
    assert list(again.chosen) == counted.result["chosen"]
    entry = AuditEntry.objects.get(action="alignment.close_ballot")
    assert set(entry.detail) == {"chosen", "papers", "papers_sha256"}


def test_closed_twice_it_is_counted_once(world: World) -> None:
    ballot = helpers.closed(world)
    again = actions.close_ballot(ballot, by=world.cast["minister"])
    assert again.closed_at == ballot.closed_at
    assert AuditEntry.objects.filter(action="alignment.close_ballot").count() == 1


def test_no_paper_can_be_read_before_the_end(world: World) -> None:
    ballot = helpers.opened(world)
    voting.cast(ballot, "school", [ballot.choices[0]["key"]], by=world.cast["head"])
    assert queries.papers(ballot) == []
    assert queries.counted(ballot) is None
    assert queries.chosen(ballot) == []


# Time


def test_time_is_given_but_never_taken(world: World) -> None:
    ballot = helpers.opened(world)
    ballot.closes_on = TODAY + timedelta(days=2)
    ballot.save()
    minister = world.cast["minister"]
    with pytest.raises(ValidationError, match="can only be later"):
        actions.give_more_time(ballot, TODAY + timedelta(days=1), by=minister)
    with pytest.raises(ValidationError, match="Adoption begins"):
        actions.give_more_time(ballot, TODAY + timedelta(days=90), by=minister)
    Ballot.objects.update(closes_on=TODAY)  # over: it is not opened again
    with pytest.raises(ValidationError, match="closed at the end of"):
        actions.give_more_time(ballot, TODAY + timedelta(days=5), by=minister)
    ballot.save()
    longer = actions.give_more_time(ballot, TODAY + timedelta(days=5), by=minister, seen=1)
    assert longer.closes_on == TODAY + timedelta(days=5)
    with pytest.raises(OvertakenError):
        actions.give_more_time(ballot, TODAY + timedelta(days=6), by=minister, seen=1)


def reminded() -> set[str]:
    told = Notice.objects.filter(kind=actions.REMINDER).values_list("person__email", flat=True)
    return {each.partition("@")[0] for each in told}


def at(ballot: Ballot, days_left: int) -> Ballot:
    ballot.closes_on = TODAY + timedelta(days=days_left)
    ballot.save(update_fields=["closes_on"])
    return ballot


def test_those_who_have_not_voted_are_reminded_twice(world: World) -> None:
    ballot = helpers.opened(world)
    voting.cast(ballot, "school", [], by=world.cast["head"])
    assert actions.remind(at(ballot, 8)) == 0
    assert actions.remind(at(ballot, 7)) == 4
    assert reminded() == {"partner_head", "other_head", "system_leader", "other_system_leader"}
    assert actions.remind(at(ballot, 6)) == 0
    voting.cast(ballot, "school", [], by=world.cast["other_head"])
    ballot.refresh_from_db()
    assert actions.remind(at(ballot, 1)) == 3
    assert actions.remind(at(ballot, 1)) == 0


def test_the_worker_closes_and_counts_what_is_over(world: World) -> None:
    ballot = helpers.opened(world)
    voting.cast(ballot, "school", [ballot.choices[0]["key"]], by=world.cast["head"])
    actions.keep_time()
    assert Ballot.objects.get().closed_at is None
    helpers.over(ballot)
    actions.keep_time()
    actions.keep_time()
    counted = Ballot.objects.get()
    assert counted.closed_by == "by itself, on the day announced"
    assert counted.result["papers"] == {"school": 1}
    assert Notice.objects.filter(kind=actions.COUNTED).exists()


# Turnout


def test_turnout_is_known_to_all_but_not_of_few(world: World) -> None:
    ballot = helpers.opened(world, weights={"school": 1, "partnership": 1, "ministry": 1})
    voting.cast(ballot, "school", [], by=world.cast["head"])
    voting.cast(ballot, "ministry", [], by=world.cast["minister"])
    assert (queries.turnout(ballot).voters, queries.turnout(ballot).voted) == (18, 2)
    shown = {each.label: each.voted for each in queries.turnout_by_tier(ballot)}
    # Of 2 that have voted in all: with schools and partnerships shown the ministry's were known.
    assert shown == {"schools": 1, "partnerships": None, "ministry": None}
    areas = {each.label: (each.voters, each.voted) for each in queries.turnout_by_area(ballot)}
    assert areas == {"North": (10, 1), "South": (4, 0)}
    north = queries.turnout_by_area(ballot, world.areas["North"].path)
    assert {each.label: (each.voters, each.voted) for each in north} == {
        "Upper": (6, 1), "Lower": (4, 0),
    }  # fmt: skip


def test_what_is_not_shown_cannot_be_had_by_subtraction(world: World) -> None:
    """West has one school: neither its turnout is shown nor that of East, the only other part."""
    ballot = helpers.opened(world)
    south = queries.turnout_by_area(ballot, world.areas["South"].path)
    assert [(each.label, each.voters, each.voted) for each in south] == [
        ("East", 3, None), ("West", 1, None),
    ]  # fmt: skip


def test_turnout_by_area_asks_few_questions(
    world: World, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        area = Area.objects.create(
            name=f"A{number}", parent=world.areas["South"], level=2, path=f"x{number}"
        )
        area.path = f"{world.areas['South'].path}{area.pk}/"
        area.save()
        School.objects.create(code=f"X{number}", name="X", area=area)
    ballot = helpers.opened(world)
    with django_assert_max_num_queries(2):
        assert len(queries.turnout_by_area(ballot, world.areas["South"].path)) == 22


def test_dates_are_said_as_last_days(world: World) -> None:
    from brightspots_web.alignment import ballot_words

    ballot = helpers.opened(world)
    ballot.closes_on = date(2027, 3, 1)
    ballot.agreement.adopt_from = date(2027, 3, 9)
    assert ballot_words.last_day(ballot) == "28 February 2027"


# A ballot held before


def test_a_ballot_that_was_held_before_is_written_down_counted_and_adopted(world: World) -> None:
    from brightspots_web.alignment import adoption_actions as adopting
    from brightspots_web.alignment import ballot_history_actions as history
    from brightspots_web.alignment import queries as priorities
    from brightspots_web.directory.actions import command_line_operator
    from tests.web.test_adoption import taken

    agreement = helpers.an_agreement("work")
    those = helpers.proposals(agreement)
    operator = command_line_operator()
    papers = {
        world.schools["N2"].pk: [those[0].pk], world.schools["N3"].pk: [those[1].pk],
        world.schools["N4"].pk: [],
    }  # fmt: skip
    how: dict[str, Any] = {"seats": 2, "opened_by": "The ministry"}
    with pytest.raises(PermissionDenied):
        history.write_down(agreement, papers, by=world.cast["minister"], **how)
    ballot = history.write_down(agreement, papers, by=operator, **how)
    assert timezone.localtime(ballot.closed_at).date() == agreement.adopt_from
    assert (queries.turnout(ballot).voters, queries.turnout(ballot).voted) == (14, 3)
    assert set(queries.chosen(ballot)) == {each.pk for each in those[:2]}
    assert not Notice.objects.exists()
    with pytest.raises(ValidationError, match="is not there"):
        history.write_down(agreement, papers, by=operator, **how)
    adoption = adopting.adopt(
        agreement, taken(*helpers.TITLES[:2]), by=world.cast["minister"]
    )  # fmt: skip
    history.date_back(adoption, agreement.adopt_from, by=operator)
    assert {each.starts for each in priorities.live_priorities()} == {agreement.adopt_from}


def test_a_ballot_still_to_come_is_not_written_down(world: World) -> None:
    from brightspots_web.alignment import ballot_history_actions as history
    from brightspots_web.directory.actions import command_line_operator

    agreement = helpers.an_agreement("ballot")
    helpers.proposals(agreement)
    with pytest.raises(ValidationError, match="that is over"):
        history.write_down(
            agreement, {}, by=command_line_operator(), seats=2, opened_by="The ministry"
        )
