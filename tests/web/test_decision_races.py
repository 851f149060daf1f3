"""Two at once about one decision or one cycle: nothing is done twice, nothing is lost.

As in `test_races.py`: on SQLite, where one writes at a time, each of these holds by itself.
"""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection  # noqa: F401 - the condition below asks it

from brightspots_web.devolution import decision_actions as actions
from brightspots_web.devolution import decision_follow_actions as follow
from brightspots_web.devolution.models import (
    Decision,
    DecisionAction,
    DecisionConsent,
    DecisionText,
    Pdsa,
    PdsaPoint,
)
from brightspots_web.notices.models import Notice
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import decision_helpers as helpers
from tests.web.decision_helpers import head_of, proposed, speakers, text
from tests.web.test_races import at_once
from tests.web.world import World

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
    ),
]


def waiting_for_two(world: World) -> Decision:
    decision = proposed(world)
    for by in speakers(world):
        if by.school is not None and by.school.code not in {"N2", "N5", "N6"}:
            actions.say(decision, by=by, agrees=True, seen=None)
    return decision


def test_the_last_two_words_at_once_make_it_once(world: World) -> None:
    decision = waiting_for_two(world)
    five, six = head_of(world, "N5"), head_of(world, "N6")
    at_once(
        lambda: actions.say(decision, by=five, agrees=True, seen=decision.version),
        lambda: actions.say(decision, by=six, agrees=True, seen=decision.version),
    )
    decision.refresh_from_db()
    assert decision.state == Decision.State.MADE
    assert AuditEntry.objects.filter(action="devolution.make_decision").count() == 1
    assert DecisionConsent.objects.filter(decision=decision).count() == 6


def test_a_word_and_a_change_at_once_never_carry_what_was_not_read(world: World) -> None:
    decision = waiting_for_two(world)
    six = head_of(world, "N6")
    at_once(
        lambda: actions.say(decision, by=six, agrees=True, seen=1),
        lambda: actions.change(
            decision, text(world, decision="Other."), by=world.cast["head"], seen=1
        ),
    )
    decision.refresh_from_db()
    assert decision.version == 2
    now = DecisionConsent.objects.filter(decision=decision, decision_version=2)
    assert [each.school.code for each in now] == ["N2"]


def test_of_two_changes_at_once_one_is_told(world: World) -> None:
    decision = proposed(world)
    found = at_once(
        *(
            lambda who=who: actions.change(
                decision, text(world, decision=who), by=world.cast[who], seen=1
            )
            for who in ("head", "partner_head")
        )
    )
    assert sum(isinstance(each, OvertakenError) for each in found) == 1
    assert DecisionText.objects.count() == 1


def test_proposing_and_promising_twice_at_once_is_done_once(world: World) -> None:
    one, other = at_once(*[lambda: proposed(world)] * 2)
    assert one == other
    at_once(*[lambda: helpers.action(world, one)] * 2)
    assert DecisionAction.objects.count() == 1


def test_closing_and_the_last_word_at_once_make_it_once(world: World) -> None:
    decision = waiting_for_two(world)
    actions.say(decision, by=head_of(world, "N5"), agrees=True, seen=None)
    six, leader = head_of(world, "N6"), world.cast["system_leader"]
    at_once(
        lambda: actions.say(decision, by=six, agrees=True, seen=None),
        lambda: actions.close(decision, by=leader, seen=None, why="We begin."),
    )
    assert AuditEntry.objects.filter(action="devolution.make_decision").count() == 1


def test_two_workers_at_once_remind_once(world: World) -> None:
    action = helpers.action(world, due=helpers.in_days(10))
    kind = "devolution.decision_action_due"
    assert sum(at_once(*[lambda: follow.remind_of_actions(action.due)] * 2)) == 1
    assert Notice.objects.filter(kind=kind).count() == 1


def test_two_values_of_a_day_at_once_are_one(world: World) -> None:
    of = helpers.cycle(world)
    found = at_once(
        lambda: helpers.value(world, of, 3), lambda: helpers.value(world, of, 4, by="teacher")
    )
    assert sum(isinstance(each, ValidationError) for each in found) == 1
    assert PdsaPoint.objects.count() == 1


def test_a_value_and_the_end_of_a_cycle_at_once_leave_nothing_half(world: World) -> None:
    of = helpers.cycle(world)
    found = at_once(
        lambda: helpers.value(world, of, 3), lambda: helpers.studied(world, of, "abandon")
    )
    of.refresh_from_db()
    assert of.finished_on is not None
    refused = isinstance(found[0], ValidationError)
    assert PdsaPoint.objects.count() == (0 if refused else 1)


def test_planned_twice_at_once_it_is_one(world: World) -> None:
    one, other = at_once(*[lambda: helpers.cycle(world)] * 2)
    assert one == other
    assert Pdsa.objects.count() == 1
