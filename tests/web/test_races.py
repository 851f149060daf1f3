"""Two at once, on a database that lets two write at once: nothing is done twice, nobody fails.

SQLite lets one write at a time for the whole file; there each of these holds by itself.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from brightspots_web.alignment import (
    adoption_actions,
    ballot_actions,
    ballot_queries,
)
from brightspots_web.alignment import ballot_vote_actions as voting
from brightspots_web.alignment.models import Ballot, Priority, Vote, Voter
from brightspots_web.connectedness import actions, contact_actions, support_actions
from brightspots_web.connectedness import practice_actions as practices
from brightspots_web.connectedness import practice_talk_actions as talk
from brightspots_web.connectedness import studio_consult_actions as consulting
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness.models import (
    Contact,
    IsolationStep,
    Practice,
    PracticeComment,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Membership, Partnership
from brightspots_web.evidence import evaluation_actions
from brightspots_web.evidence.models import Evaluation
from brightspots_web.shared import audit
from tests.web import ballot_helpers as ballots
from tests.web import evaluation_helpers as evaluations
from tests.web import support_helpers as helpers
from tests.web.studio_helpers import GROUPS, proposed
from tests.web.world import World

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
    ),
]


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Let all begin while nobody can finish, then let go; what each gave back or was refused.

    Any other error than a refusal in words would be shown to a person as a fault: it is raised.
    """
    found: list[Any] = [None] * len(acts)

    def run(number: int) -> None:
        try:
            found[number] = acts[number]()
        except Exception as problem:
            found[number] = problem
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    with transaction.atomic():
        audit.one_at_a_time()
        for thread in threads:
            thread.start()
        time.sleep(0.7)
    for thread in threads:
        thread.join()
    for each in found:
        if isinstance(each, Exception) and not isinstance(each, ValidationError):
            raise each
    return found


def test_asking_twice_at_once_is_asking_once(world: World) -> None:
    head = helpers.a_head(world, "N2")
    helpers.a_priority()
    one, other = at_once(*[lambda: helpers.a_request(world, "N2")] * 2)
    assert one == other
    assert SupportRequest.objects.count() == 1
    assert head.school == one.school


def test_a_plan_of_an_evaluation_sent_twice_at_once_is_one(world: World) -> None:
    asked = evaluations.a_plan(evaluations.practices.a_practice(world))
    by = world.cast["analyst"]
    one, other = at_once(*[lambda: evaluation_actions.plan(asked, by=by)] * 2)
    assert one == other
    assert Evaluation.objects.count() == 1


def test_an_officer_and_a_head_at_once_make_one_request(world: World) -> None:
    helpers.a_head(world, "N2")
    priority = helpers.a_priority()

    def propose() -> Any:
        return support_actions.propose_support(
            world.schools["N2"], by=world.cast["minister"], priority=priority, what="(Invented.)"
        )

    found = at_once(propose, lambda: helpers.a_request(world, "N2"))
    assert SupportRequest.objects.count() == 1
    assert sum(isinstance(each, ValidationError) for each in found) == 1


def test_offering_twice_at_once_is_offering_once(world: World) -> None:
    helpers.a_head(world, "N2")
    helpers.a_priority()
    one, other = at_once(*[lambda: helpers.an_offer(world, "N2")] * 2)
    assert one == other
    assert SupportOffer.objects.count() == 1


def test_two_proposals_at_once_never_put_a_school_in_two_partnerships(world: World) -> None:
    one = proposed(world, {"N2": ["N1", "N2"], "L1": GROUPS["L1"]}, job=8)
    other = proposed(world, {"N3": ["N1", "N3"], "L2": GROUPS["L1"]}, job=9)
    minister = world.cast["minister"]
    at_once(
        lambda: actions.adopt(one, by=minister),
        lambda: actions.adopt(other, by=minister),
    )
    live = directory.live_memberships()
    schools = list(live.values_list("school", flat=True))
    assert len(schools) == len(set(schools))
    leads = Partnership.objects.filter(closed=None).values_list("lead_school", flat=True)
    assert len(leads) == len(set(leads))
    assert not Membership.objects.filter(ends=None, partnership__closed__isnull=False).exists()


TEXT = practices.Text("Fours by turns", "Say.", "Here.", "Do it.", "An hour.")


def test_a_practice_written_twice_at_once_is_written_once(world: World) -> None:
    head = helpers.a_head(world, "N2")

    def write() -> Practice:
        return practices.write(world.schools["N2"], TEXT, by=head, language="en")

    one, other = at_once(write, write)
    assert one == other
    assert Practice.objects.count() == 1


def test_a_comment_sent_twice_at_once_is_said_once(world: World) -> None:
    head = helpers.a_head(world, "N2")
    practice = practices.write(world.schools["N2"], TEXT, by=head, language="en")
    Practice.objects.update(state=Practice.State.PUBLISHED)
    practice.refresh_from_db()
    at_once(*[lambda: talk.comment(practice, by=head, words="We try it.")] * 2)
    assert PracticeComment.objects.count() == 1


def test_a_step_sent_twice_at_once_is_one(world: World) -> None:
    minister = world.cast["minister"]
    due = timezone.localdate() + timedelta(days=9)

    def add() -> IsolationStep:
        return contact_actions.add_step(
            world.schools["N2"], by=minister, owner=minister.person, what="Ring up.", due=due
        )

    at_once(add, add)
    assert IsolationStep.objects.count() == 1


def test_a_contact_taken_back_twice_at_once_is_no_fault(world: World) -> None:
    minister = world.cast["minister"]
    contact = contact_actions.record_contact(world.schools["N2"], "call", by=minister)
    at_once(*[lambda: contact_actions.take_back_contact(contact, by=minister)] * 2)
    assert not Contact.objects.exists()


def test_an_answer_sent_twice_at_once_is_taken_once(world: World) -> None:
    head = helpers.a_head(world, "N2")
    proposal = proposed(world)
    until = timezone.localdate() + timedelta(days=9)
    consulting.consult(proposal, until, by=world.cast["minister"], version=None)

    def answer() -> Any:
        return consulting.reply(proposal, by=head, answer="agrees", seen="")

    one, other = at_once(answer, answer)
    assert one == other


def test_a_leader_s_last_days_are_promised_once(world: World) -> None:
    helpers.an_offer(world, "L2", days=Decimal(8), at_once=5)
    matches = []
    for code in ("N2", "N3"):
        request = helpers.ready(world, code)
        helpers.shortlisted(request, list(SupportOffer.objects.all()), world)
        match = matching.put(SupportMatch.objects.get(request=request), by=world.cast["minister"])
        matching.accept(match, by=helpers.a_head(world, code))
        matches.append(match)
    giver = helpers.a_head(world, "L2")
    found = at_once(*[partial(matching.accept, match, by=giver) for match in matches])
    assert sum(isinstance(each, ValidationError) for each in found) == 1
    assert SupportMatch.objects.filter(state="accepted").count() == 1


def test_two_phones_at_once_cast_one_vote(world: World) -> None:
    ballot = ballots.opened(world)
    by = (helpers.a_head(world, "N1"), world.cast["system_leader"])
    keys = [each["key"] for each in ballot.choices]
    found = at_once(
        *[partial(voting.cast, ballot, "school", [key], by=by[n % 2]) for n, key in enumerate(keys)]
    )
    assert sum(isinstance(each, voting.NotTakenError) for each in found) == 3
    assert Vote.objects.count() == 1
    assert Voter.objects.filter(voted=True).count() == 1


def test_a_vote_and_the_closing_at_once_leave_no_vote_uncounted(world: World) -> None:
    """Whoever comes first: a vote that was taken is in the count, and none comes after it."""
    ballot = ballots.opened(world)
    heads = [helpers.a_head(world, f"N{n}") for n in range(1, 7)]
    key = ballot.choices[0]["key"]
    over = threading.Event()  # the end of the last day, while votes are on their way

    def close() -> str:
        over.set()
        ballot_actions.close_ballot(ballot, by=world.cast["minister"])
        return "closed"

    acts = [partial(voting.cast, ballot, "school", [key], by=head) for head in heads]
    still = mock.patch.object(
        ballot_queries, "is_open", lambda each: each.closed_at is None and not over.is_set()
    )
    with still:
        found = at_once(*acts[:3], close, *acts[3:])
    taken = sum(each is None for each in found)
    papers = Ballot.objects.get().result["papers"]
    assert papers == ({"school": taken} if taken else {})
    assert Voter.objects.filter(voted=True).count() == taken == Vote.objects.count()


def test_a_new_school_voting_twice_at_once_is_listed_and_votes_once(world: World) -> None:
    from brightspots_web.directory.models import School

    ballot = ballots.opened(world)
    world.schools["N7"] = School.objects.create(code="N7", name="New", area=world.areas["Upper"])
    head = helpers.a_head(world, "N7")
    at_once(*[partial(voting.cast, ballot, "school", [], by=head)] * 3)
    assert Voter.objects.filter(school=head.school).count() == 1
    assert Vote.objects.count() == 1


def test_a_ballot_opened_twice_at_once_is_opened_once(world: World) -> None:
    agreement = ballots.an_agreement()
    ballots.proposals(agreement)
    opening = partial(
        ballot_actions.open_ballot, agreement, seats=2, closes_on=agreement.adopt_from,
        by=world.cast["minister"],
    )  # fmt: skip
    found = at_once(opening, opening)
    assert sum(isinstance(each, ValidationError) for each in found) == 1
    assert Voter.objects.count() == 14


def test_adopted_twice_at_once_there_are_two_priorities(world: World) -> None:
    from tests.web.test_adoption import taken

    agreement = ballots.closed(world).agreement
    both = taken("Early reading", "Number sense")
    adopting = partial(adoption_actions.adopt, agreement, both, by=world.cast["minister"])
    one, other = at_once(adopting, adopting)
    assert one == other
    assert Priority.objects.count() == 2
