"""What everybody gets from the addresses of challenge visits; a part of the matrix."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.web import challenge_helpers as helpers
from tests.web.permission_matrix import AREA_WIDE, Case, Statuses, allow
from tests.web.world import World

PLAN = frozenset({"minister", "district_officer", "other_district_officer"})
HEADS = frozenset({"system_leader", "other_system_leader", "head", "partner_head", "other_head"})
PART = PLAN | HEADS
SEES = frozenset({"minister", "district_officer", "other_system_leader", "head"})
"""The ministry, the officer over N2, its challenger, its head."""
NO_PART = {"analyst": 403, "teacher": 403, "former_head": 403, "nobody": 403}


def _seen(who: set[str], status: int = 200, needs: frozenset[str] = PART) -> Statuses:
    """Those of whom it is asked; 403 for who sees the visit or has no such part, else 404."""
    found = dict(allow(who, status, otherwise=404)) | NO_PART
    for person in (SEES | (PART | set(NO_PART)) - needs) - who:
        found[person] = 403
    return found


PLANNERS = {"minister", "district_officer"}
LEADERS = frozenset({"district_officer", "other_district_officer"}) | {
    "system_leader", "other_system_leader",
}  # fmt: skip
"""Roles of challengers."""
CHALLENGER = {"other_system_leader"}


def _visit(make: Callable[[World], Any]) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk}


def _asked(world: World) -> Any:
    return helpers.planned(world, on=helpers.in_days(0))


def _step(world: World) -> Any:
    return helpers.step(world, helpers.held(world))


def _step_to_finish(world: World) -> Any:
    return helpers.agreed(world).steps.get(side="school")


def _day(days: int, name: str = "on") -> dict[str, str]:
    return {name: helpers.in_days(days).isoformat()}


def _fmt(fmt: str) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"fmt": fmt}


def _other(world: World) -> dict[str, Any]:
    return {"challenger": world.person("other_district_officer").pk}


def _settings(world: World) -> dict[str, Any]:
    return {
        "years_between": 3, "by_evidence_share": 40, "follow_up_days": 60, "visits_a_challenger": 5,
    }  # fmt: skip


WHY = {"why": "It does not fit."}

CHALLENGE: dict[str, Sequence[Case]] = {
    "accountability:challenges": [Case(get=allow(PART))],
    "accountability:challenges_export": [Case(_fmt("csv"), get=allow(PART))],
    "accountability:challenge_plan": [Case(get=allow(PLAN))],
    # Without a school it leads to the suggestions.
    "accountability:challenge_new": [Case(get=allow(PLAN, 302), post=allow(PLAN, 302))],
    "accountability:challenge_ask": [
        Case(
            get=allow(HEADS),
            post=allow(HEADS, 302),
            data=lambda world: {"words": "Why do few come on Fridays?"} | _day(20),
        )
    ],
    "accountability:challenge_settings": [
        Case(get=allow({"minister"}), post=allow({"minister"}, 302), data=_settings)
    ],
    "accountability:challenge_progress": [Case(get=allow(AREA_WIDE))],
    "accountability:challenge_progress_export": [Case(_fmt("csv"), get=allow(AREA_WIDE))],
    "accountability:challenge": [Case(_visit(helpers.held), get=_seen(set(SEES)))],
    "accountability:challenge_challenger": [
        Case(
            _visit(_asked),
            get=_seen(PLANNERS, needs=PLAN),
            post=_seen(PLANNERS, 302, needs=PLAN),
            data=_other,
        )
    ],
    "accountability:challenge_confirm": [
        Case(_visit(_asked), post=_seen(CHALLENGER, 302, needs=LEADERS))
    ],
    "accountability:challenge_step_back": [
        Case(_visit(_asked), post=_seen(CHALLENGER, 302, needs=LEADERS))
    ],
    "accountability:challenge_move": [
        Case(_visit(_asked), post=_seen(PLANNERS | CHALLENGER, 302), data=lambda world: _day(9))
    ],
    "accountability:challenge_self_view": [
        Case(
            _visit(_asked),
            get=_seen({"head"}, needs=HEADS),
            post=_seen({"head"}, 302, needs=HEADS),
            data=lambda world: {"self_view": "We read."},
        )
    ],
    "accountability:challenge_call_off": [
        Case(_visit(_asked), post=_seen(PLANNERS, 302), data=lambda world: WHY)
    ],
    "accountability:challenge_stand_down": [
        Case(_visit(helpers.held), post=_seen(PLANNERS | CHALLENGER, 302), data=lambda world: WHY)
    ],
    "accountability:challenge_record": [
        Case(
            _visit(helpers.ready),
            get=_seen(CHALLENGER, needs=LEADERS),
            post=_seen(CHALLENGER, 302, needs=LEADERS),
            data=lambda world: {"strengths": "Calm.", "record": "Who reads least?"},
        )
    ],
    "accountability:challenge_words": [
        Case(
            _visit(helpers.held),
            post=_seen({"head"}, 302, needs=HEADS),
            data=lambda world: {"words": "We add this."},
        )
    ],
    "accountability:challenge_step_add": [
        Case(
            _visit(helpers.held),
            post=_seen(set(SEES), 302),
            data=lambda world: {"what": "Read", "side": "school", "owner": "Us"} | _day(9, "due"),
        )
    ],
    "accountability:challenge_step": [
        Case(
            _visit(_step_to_finish),
            get=_seen(set(SEES)),
            post=_seen(set(SEES), 302),
            data=lambda world: {"outcome": "Done."} | _day(0),
        )
    ],
    "accountability:challenge_step_drop": [Case(_visit(_step), post=_seen(set(SEES), 302))],
    "accountability:challenge_agree": [
        Case(
            _visit(helpers.to_agree),
            post=_seen({"head"}, 302, needs=HEADS),
            data=lambda world: _day(90, "follow_up_on"),
        )
    ],
    "accountability:challenge_follow_up": [
        Case(
            _visit(helpers.agreed),
            post=_seen(PLANNERS | CHALLENGER, 302),
            data=lambda world: {"words": "The coach comes."} | _day(0),
        )
    ],
    "accountability:challenge_escalate": [
        Case(
            _visit(helpers.held),
            get=_seen(PLANNERS, needs=PLAN),
            post=_seen(PLANNERS, 302, needs=PLAN),
            data=lambda world: {"why": "We worry.", "support": "A coach for ten days."},
        )
    ],
    "accountability:challenge_answer": [
        Case(
            _visit(helpers.escalated),
            post=_seen({"head"}, 302, needs=HEADS),
            data=lambda world: {"takes": "yes", "words": ""},
        )
    ],
    "accountability:challenge_closer_end": [
        Case(_visit(helpers.escalated), post=_seen(PLANNERS, 302, needs=PLAN), data=lambda _: WHY)
    ],
}
