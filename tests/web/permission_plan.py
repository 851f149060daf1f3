"""What everybody gets from the addresses of rollout plans; a part of the matrix."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.web import plan_helpers as helpers
from tests.web.permission_matrix import APPOINTED, SYSTEM_WIDE, Case, allow
from tests.web.world import World

PLANNERS = SYSTEM_WIDE
"""Whoever plans; everybody else is told 403."""


def _pk(make: Callable[[World], Any], **more: Any) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk} | more


def _area(make: Callable[[World], Any], name: str) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk, "area": world.areas[name].pk}


def _adopted(world: World) -> dict[str, Any]:
    """A plan is adopted; its page is for everybody, each for their own areas."""
    helpers.adopted(world)
    return {}


def _settings(world: World) -> dict[str, Any]:
    return {
        "name": "Another (invented)", "level": "2", "support_days": "30", "terms": "4",
        "speeds": "1, 2", "first_day": helpers.today().isoformat(), "term_months": "4",
        "settle": "2", "draws": "20",
    }  # fmt: skip


def _one_area(world: World) -> dict[str, Any]:
    return {"readiness": "40", "leaders": "1", "in_training": "0", "earliest": "1"}


def _move(world: World) -> dict[str, Any]:
    return {"areas": [str(world.areas["West"].pk)], "start": "4", "speed": "1", "note": ""}


def _names(world: World) -> dict[str, Any]:
    return {"names": ["leader_leaving"], "why": ""}


READ = allow(PLANNERS)
SEND = allow(PLANNERS, 302)
WRITES_IN_NORTH = {**allow(PLANNERS | {"district_officer"}, otherwise=404)}
"""Upper lies in North: its officer writes down when it began; its schools read it alone."""
READS_ALONE = dict.fromkeys(("system_leader", "head", "partner_head", "teacher"), 403)
NOBODY = {"former_head": 403, "nobody": 403}

PLAN: Mapping[str, Sequence[Case]] = {
    "pace:plan_adopted": [Case(get=allow(APPOINTED))],
    "pace:plan_adopted_export": [
        Case(lambda world: _adopted(world) | {"fmt": "csv"}, get=allow(APPOINTED))
    ],
    "pace:plan_adopted_pdf": [
        Case(_adopted, get=allow(APPOINTED))
    ],
    "pace:plans": [Case(get=READ)],
    "pace:plan_new": [Case(get=READ, post=SEND, data=_settings)],
    "pace:plan_study": [Case(_pk(helpers.unread), get=READ)],
    "pace:plan_study_change": [Case(_pk(helpers.unread), get=READ, post=SEND, data=_settings)],
    "pace:plan_areas_export": [Case(_pk(helpers.unread, fmt="csv"), get=READ)],
    "pace:plan_area": [
        Case(_area(helpers.unread, "West"), get=READ, post=SEND, data=_one_area)
    ],
    "pace:plan_readings": [
        Case(
            _pk(helpers.unread), get=READ, post=SEND,
            data=lambda world: {"readings": "Upper; 50\nWest; 10"},
        )
    ],
    "pace:plan_draw": [Case(_pk(helpers.unread), post=SEND)],
    "pace:plan_stages": [Case(_pk(helpers.unread), post=SEND)],
    "pace:plan_assumptions": [Case(_pk(helpers.unread), get=READ)],
    "pace:plan_assumptions_export": [Case(_pk(helpers.unread, fmt="xlsx"), get=READ)],
    "pace:plan_assumption": [
        Case(
            _pk(helpers.unread, name="fade"), get=READ, post=SEND,
            data=lambda world: {"low": "0", "value": "0.01", "high": "0.02", "source": "assumed"},
        )
    ],
    "pace:plan_search": [Case(_pk(helpers.unread), post=SEND)],
    "pace:plan_result": [Case(_pk(helpers.result), get=READ)],
    "pace:plan_points_export": [Case(_pk(helpers.result, fmt="csv"), get=READ)],
    "pace:plan_sensitivity_export": [
        Case(_pk(helpers.result, plan="all-at-once-1", fmt="csv"), get=READ)
    ],
    "pace:plan_pick": [
        Case(_pk(helpers.result), post=SEND, data=lambda world: {"plan": "all-at-once-1"})
    ],
    "pace:plan_rollout": [Case(_pk(helpers.picked), get=READ)],
    "pace:plan_pdf": [Case(_pk(helpers.picked), get=READ)],
    "pace:plan_waves_export": [Case(_pk(helpers.picked, fmt="csv"), get=READ)],
    "pace:plan_move": [Case(_pk(helpers.at_once), get=READ, post=SEND, data=_move)],
    "pace:plan_undo": [Case(_pk(helpers.moved), post=SEND)],
    "pace:plan_adopt": [
        Case(
            _pk(helpers.picked), get=allow({"minister"}), post=allow({"minister"}, 302),
            data=lambda world: {"on": helpers.today().isoformat(), "comes_with": ""},
        )
    ],
    "pace:plan_take_back": [
        Case(
            _pk(helpers.adopted), get=allow({"minister"}), post=allow({"minister"}, 302),
            data=lambda world: {"why": "A flood. (Invented.)"},
        )
    ],
    "pace:plan_copy": [Case(_pk(helpers.adopted), post=SEND)],
    "pace:plan_compare": [Case(_pk(helpers.adopted), get=READ, post=SEND)],
    "pace:plan_compare_export": [Case(_pk(helpers.adopted, fmt="csv"), get=READ)],
    "pace:plan_start": [
        Case(
            _area(helpers.adopted, "Upper"),
            get=WRITES_IN_NORTH | READS_ALONE | NOBODY,
            post=WRITES_IN_NORTH
            | dict.fromkeys((*PLANNERS, "district_officer"), 302)
            | READS_ALONE
            | NOBODY,
            data=lambda world: {"what": "not_yet", "seen": "0"},
        )
    ],
    "pace:plan_lesson": [Case(_pk(helpers.lesson), get=READ)],
    "pace:plan_accept": [Case(_pk(helpers.lesson), post=SEND, data=_names)],
    "pace:plan_leave": [
        Case(_pk(helpers.lesson), post=SEND, data=lambda world: {"why": "Too early to say."})
    ],
}  # fmt: skip
