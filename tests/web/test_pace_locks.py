"""Pace: rows are held before the audit trail is waited for, and in one order, as all others do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db.models import QuerySet

from brightspots_web.directory import actions as register
from brightspots_web.notices import actions as notices
from brightspots_web.notices.models import Notice
from brightspots_web.pace import plan_rollout_actions as rollouts
from brightspots_web.pace import pulse_actions as pulse
from brightspots_web.pace import pulse_tell as told
from brightspots_web.pace import pulse_time_actions as timing
from tests.web import plan_helpers as plans
from tests.web import pulse_helpers as pulses
from tests.web.world import World

LOCK = QuerySet.select_for_update


@contextmanager
def locks() -> Iterator[list[QuerySet[Any]]]:
    """What is locked, in the order in which it is asked for."""
    found: list[QuerySet[Any]] = []

    def noted(self: QuerySet[Any], **how: Any) -> QuerySet[Any]:
        found.append(self)
        return LOCK(self, **how)

    with mock.patch.object(QuerySet, "select_for_update", noted):
        yield found


def held_first(found: list[QuerySet[Any]]) -> str:
    return found[0].model.__name__


def test_setting_terms_and_counting_one_at_once_wait_in_the_same_order(world: World) -> None:
    term = pulses.planned(world, (0, 9))[0]

    with locks() as found:
        pulse.set_terms(
            term.cycle, [(pulses.in_days(1), pulses.in_days(9))], by=world.cast["minister"], seen=""
        )

    assert held_first(found) == "PulseTerm"


def test_while_everybody_is_told_nobody_else_waits_for_the_audit_trail(world: World) -> None:
    waited: list[bool] = []
    tell = notices.notify

    with locks() as found:

        def telling(*args: Any, **more: Any) -> int:
            waited.append("AuditHead" in {each.model.__name__ for each in found})
            return tell(*args, **more)

        pulses.switched_on(world)
        term = pulses.planned(world, (0, 9))[0]
        with mock.patch.object(notices, "notify", telling), mock.patch.object(told, "AT_ONCE", 5):
            found.clear()
            pulses.opened(world, term=term)
            n = Notice.objects.filter(kind="pace.pulse_opened").count()
            assert n == pulses.round_of(term).asked > 5
            pulses.answered(term, pulses.all_say("2", "3"))
            found.clear()
            pulses.closed(term)
    assert waited
    assert not any(waited)
    assert Notice.objects.filter(kind="pace.pulse_results").count() == n


def test_adopting_a_plan_and_moving_it_at_once_wait_in_the_same_order(world: World) -> None:
    plan, minister = plans.picked(world), world.cast["minister"]

    with locks() as adopting:
        plan = rollouts.adopt(plan, plans.today(), "", by=minister, seen=None)
    with locks() as taking_back:
        rollouts.take_back(plan, "Too early.", by=minister, seen=None)

    assert held_first(adopting) == "PlanRollout"
    assert held_first(taking_back) == "PlanRollout"


def test_who_answered_is_forgotten_term_by_term_in_the_order_of_the_rows(world: World) -> None:
    pulses.two_terms(world, pulses.all_say("3", "3"), pulses.all_say("3", "3"), teachers=12)
    ordered: list[tuple[Any, ...]] = []
    by = QuerySet.order_by

    def noted(self: QuerySet[Any], *names: Any) -> QuerySet[Any]:
        if self.query.select_for_update:
            ordered.append(names)
        return by(self, *names)

    with mock.patch.object(QuerySet, "order_by", noted):
        timing.forget_who(by=register.command_line_operator())

    assert ordered == [("pk",)]
