"""Two at once in moderation, answers, suggestions and dialogues, and a vote with its closing."""

import threading
import time
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from brightspots_web.accountability import dialogue_actions as dialogues
from brightspots_web.accountability import dialogue_commitment_actions as promises
from brightspots_web.accountability import response_actions as actions
from brightspots_web.accountability import suggestion_actions as suggestions
from brightspots_web.accountability.models import (
    Commitment,
    CommitmentStep,
    Consultation,
    Dialogue,
    DialogueItem,
    ResponsePoint,
    SealedSuggestion,
    Suggestion,
    SuggestionSettings,
    VoiceComment,
)
from brightspots_web.alignment import ballot_actions, ballot_queries
from brightspots_web.alignment import ballot_vote_actions as voting
from brightspots_web.alignment.models import Ballot, Vote
from brightspots_web.notices.models import Notice
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import ballot_helpers as ballots
from tests.web import dialogue_helpers, voice_helpers
from tests.web import response_helpers as helpers
from tests.web.test_races import at_once
from tests.web.world import World

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
    ),
]
Reason = VoiceComment.Reason


def refused(found: list[object]) -> int:
    return sum(isinstance(each, ValidationError) for each in found)


def entries(action: str) -> int:
    return AuditEntry.objects.filter(action=f"accountability.{action}").count()


# Moderation


def test_two_who_look_again_at_once_do_not_overrule_each_other_unseen(world: World) -> None:
    found = helpers.counted(world, moderator=world.person("other_district_officer"))
    row = helpers.a_comment(found)
    actions.withhold(row, by=world.cast["other_district_officer"], reason=Reason.OFF)
    row.refresh_from_db()
    seen, analyst = actions.standing(row), world.cast["analyst"]
    came = at_once(
        lambda: actions.show(row, by=analyst, seen=seen),
        lambda: actions.withhold(row, by=analyst, reason=Reason.ABUSE, seen=seen),
    )
    assert sum(isinstance(each, OvertakenError) for each in came) == 1
    assert entries("moderate_comment") == 2
    assert audit.first_broken_link() is None


def test_a_moderator_and_a_second_one_at_once_the_second_one_s_word_stands(world: World) -> None:
    found = helpers.counted(world, moderator=world.person("other_district_officer"))
    row, first = helpers.a_comment(found), world.cast["other_district_officer"]
    actions.withhold(row, by=first, reason=Reason.OFF)
    at_once(
        lambda: actions.withhold(row, by=first, reason=Reason.ABUSE),
        lambda: actions.show(row, by=world.cast["analyst"]),
    )
    row.refresh_from_db()
    assert (row.state, row.challenged) == ("shown", True)


def test_two_moderators_of_suggestions_at_once_are_told_once_that_much_is_withheld(
    world: World,
) -> None:
    rows, analyst = helpers.released(world), world.cast["analyst"]
    at_once(*[
        lambda each=each: suggestions.withhold(each, by=analyst, reason="off") for each in rows[:3]
    ])  # fmt: skip
    assert Suggestion.objects.filter(state="withheld").count() == 3
    kind = "accountability.response_box_withheld"
    assert Notice.objects.filter(kind=kind).count() == 1
    came = at_once(
        lambda: suggestions.show(rows[0], by=analyst, seen="withheld off"),
        lambda: suggestions.withhold(rows[0], by=analyst, reason="abuse", seen="withheld off"),
    )
    assert sum(isinstance(each, OvertakenError) for each in came) == 1


# Answers


def test_a_suggestion_answered_twice_at_once_has_one_answer(world: World) -> None:
    row, officer = helpers.shown(world), world.cast["district_officer"]
    came = at_once(
        lambda: suggestions.answer(row, by=officer, did="From Monday on.", could_not=""),
        lambda: suggestions.answer(row, by=officer, did="", could_not="Buses come at nine."),
    )
    assert sum(isinstance(each, OvertakenError) for each in came) == 1
    assert entries("answer_suggestion") == 1
    row.refresh_from_db()
    assert bool(row.did) != bool(row.could_not)


def test_a_suggestion_withheld_and_answered_at_once_is_one_of_both(world: World) -> None:
    row = helpers.shown(world)
    came = at_once(
        lambda: suggestions.answer(row, by=world.cast["district_officer"], did="Yes", could_not=""),
        lambda: suggestions.withhold(row, by=world.cast["analyst"], reason="off"),
    )
    assert refused(came) == 1
    row.refresh_from_db()
    assert (row.state, row.did) in {("answered", "Yes"), ("withheld", "")}


def test_a_point_and_an_answer_sent_twice_at_once_are_one(world: World) -> None:
    found, officer = helpers.counted(world), world.cast["district_officer"]
    at_once(*[lambda: helpers.a_point(world, found)] * 3)
    assert ResponsePoint.objects.count() == 1
    at_once(*[lambda: actions.send(found, by=officer, seen=None, words="Thank you.")] * 2)
    assert entries("answer_consultation") == 1
    kind = "accountability.response_answered"
    assert Notice.objects.filter(kind=kind, person=world.person("teacher")).count() == 1


def test_one_page_sent_from_two_phones_is_one_suggestion(world: World) -> None:
    box, teacher = helpers.a_box(world), world.cast["teacher"]
    came = at_once(*[lambda: suggestions.put_in(box, "Start at eight.", by=teacher, used=0)] * 3)
    assert sum(isinstance(each, OvertakenError) for each in came) == 2
    assert SealedSuggestion.objects.count() == 1


def test_what_is_put_in_while_the_box_is_released_is_lost_to_nobody(world: World) -> None:
    box = helpers.a_box(world)
    helpers.filled(world, box)
    late = voice_helpers.teacher_at(world, "L1", 90)
    at_once(
        *[lambda: suggestions.release(box, by=world.cast["analyst"])] * 2,
        lambda: suggestions.put_in(box, "The sixth", by=late, used=0),
    )
    assert Suggestion.objects.count() + SealedSuggestion.objects.count() == 6
    assert Suggestion.objects.count() in {5, 6}
    box = SuggestionSettings.objects.get(pk=box.pk)
    assert bool(box.key_id) == SealedSuggestion.objects.exists()


# Dialogues


def test_two_who_close_a_commitment_at_once_one_is_told(world: World) -> None:
    found, officer = dialogue_helpers.promised(world), world.cast["district_officer"]
    came = at_once(
        lambda: promises.end(found, "It is there.", by=officer, seen=1, kept=True),
        lambda: promises.end(found, "Too late.", by=world.cast["minister"], seen=1, kept=False),
    )
    assert refused(came) == 1
    assert entries("end_commitment") == 1
    ended = Commitment.objects.get(pk=found.pk)
    assert (ended.state, ended.outcome) in {("kept", "It is there."), ("not_kept", "Too late.")}


def test_a_word_on_a_commitment_and_its_end_at_once(world: World) -> None:
    found, officer = dialogue_helpers.promised(world), world.cast["district_officer"]
    came = at_once(
        lambda: promises.report(found, "On its way.", by=officer, seen=1),
        lambda: promises.end(found, "It is there.", by=officer, seen=1, kept=True),
    )
    assert refused(came) == 1
    assert CommitmentStep.objects.count() + entries("end_commitment") == 1


def test_of_two_minutes_written_at_once_one_is_asked_to_look_again(world: World) -> None:
    dialogue = dialogue_helpers.called(world, on=dialogue_helpers.in_days(0), seats=10)
    minister, officer = world.cast["minister"], world.cast["district_officer"]
    came = at_once(
        lambda: dialogues.write_minutes(dialogue, "One.", [], by=minister, seen=1),
        lambda: dialogues.write_minutes(dialogue, "Other.", [], by=officer, seen=1),
    )
    assert sum(isinstance(each, OvertakenError) for each in came) == 1
    assert Dialogue.objects.get(pk=dialogue.pk).minutes in {"One.", "Other."}


def test_a_promise_while_the_minutes_are_mended_waits_for_nobody_for_ever(world: World) -> None:
    """Whoever promises has the trail and refers to the dialogue; whoever writes, the other way."""
    dialogue, minister = dialogue_helpers.held(world), world.cast["minister"]
    promise = promises.Promise("Cover", world.person("minister"), dialogue_helpers.in_days(9))

    def mend() -> Dialogue:
        time.sleep(0.2)
        return dialogues.write_minutes(dialogue, "Mended.", [], by=minister, seen=None)

    came = at_once(lambda: promises.commit(dialogue, promise, by=minister), mend)
    assert refused(came) == 0
    assert Commitment.objects.count() == 1
    assert Dialogue.objects.get(pk=dialogue.pk).minutes == "Mended."


def test_a_promise_sent_twice_at_once_is_one(world: World) -> None:
    found, officer = helpers.counted(world), world.cast["district_officer"]
    promise = promises.Promise("Cover", officer.person, dialogue_helpers.in_days(9))
    at_once(*[lambda: promises.commit(found, promise, by=officer)] * 3)
    assert Commitment.objects.count() == 1


def test_a_suggestion_moderated_while_it_is_put_on_an_agenda(world: World) -> None:
    row, officer = helpers.shown(world), world.cast["district_officer"]
    dialogue = dialogue_helpers.called(world)
    at_once(
        lambda: dialogues.add_point(dialogue, "When we start", by=officer, suggestion=row),
        lambda: suggestions.withhold(row, by=world.cast["analyst"], reason="off"),
    )
    assert DialogueItem.objects.get().suggestion_id == row.pk


def test_a_consultation_answered_while_something_is_promised_in_it(world: World) -> None:
    found, officer = helpers.counted(world), world.cast["district_officer"]
    helpers.a_point(world, found)
    promise = promises.Promise("Cover", officer.person, dialogue_helpers.in_days(9))

    def send() -> Consultation:
        time.sleep(0.2)
        return actions.send(found, by=officer, seen=None, words="Thank you.")

    assert refused(at_once(lambda: promises.commit(found, promise, by=officer), send)) == 0


# The ballot


def test_a_vote_on_its_way_does_not_stop_the_closing_nor_the_closing_the_vote(
    world: World,
) -> None:
    """A vote holds its voter and refers to the ballot as it ends; whoever closes, the other way."""
    ballot = ballots.opened(world)
    over, cast = threading.Event(), threading.Event()
    problems: list[Exception] = []

    def run(act: object) -> None:
        try:
            act()  # type: ignore[operator] # one of the two below
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    def vote() -> None:
        with transaction.atomic():
            key = ballot.choices[0]["key"]
            voting.cast(ballot, "school", [key], by=world.cast["head"])
            over.set()
            cast.set()
            time.sleep(1)  # whoever closes holds the ballot by now, and waits for the voter

    def close() -> None:
        cast.wait()
        ballot_actions.close_ballot(ballot, by=world.cast["minister"])

    def is_open(each: Ballot) -> bool:
        return each.closed_at is None and not over.is_set()

    with mock.patch.object(ballot_queries, "is_open", is_open):
        threads = [threading.Thread(target=run, args=(act,)) for act in (vote, close)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not problems
    assert Ballot.objects.get(pk=ballot.pk).closed_at is not None
    assert Vote.objects.count() == 1
