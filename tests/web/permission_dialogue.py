"""What everybody gets from the addresses of dialogue; a part of the matrix."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.web import dialogue_helpers as helpers
from tests.web.permission_matrix import APPOINTED, UPPER, Case, allow
from tests.web.world import World

CALL = frozenset({"minister", "district_officer", "other_district_officer"})
RUN = frozenset({"minister", "district_officer"})
NOBODY = {"former_head": 403, "nobody": 403}
READ = allow(UPPER, otherwise=404) | NOBODY
SEND = allow(RUN, 302, otherwise=404) | dict.fromkeys(UPPER - RUN, 403) | NOBODY
OPEN = allow(RUN, otherwise=404) | dict.fromkeys(UPPER - RUN, 403) | NOBODY


def _pk(make: Callable[[World], Any]) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk}


def _plan(world: World) -> dict[str, Any]:
    return {
        "title": "Books", "on": helpers.in_days(9).isoformat(), "begins": "10:00",
        "place": "Here", "stakeholder": world.person("minister").pk, "seats": 4,
    }  # fmt: skip


DIALOGUE: dict[str, Sequence[Case]] = {
    "accountability:dialogues": [Case(get=allow(APPOINTED))],
    "accountability:dialogues_export": [Case(lambda world: {"fmt": "csv"}, get=allow(APPOINTED))],
    "accountability:dialogue_new": [
        # Sent without an area it comes back with what is missing.
        Case(get=allow(CALL), post=allow(CALL), data=_plan)
    ],
    "accountability:dialogue": [Case(_pk(helpers.with_guests), get=READ)],
    "accountability:dialogue_change": [Case(_pk(helpers.called), get=OPEN, post=SEND, data=_plan)],
    "accountability:dialogue_answer": [
        Case(
            _pk(helpers.with_guests),
            post=allow({"system_leader", "head", "partner_head", "teacher"}, 302)
            | dict.fromkeys(("other_system_leader", "other_head"), 404),
            data=lambda world: {"comes": "yes"},
        )
    ],
    "accountability:dialogue_draw": [
        Case(_pk(helpers.called), post=SEND, data=lambda world: {"seats": 2})
    ],
    "accountability:dialogue_point_add": [
        Case(_pk(helpers.called), post=SEND, data=lambda world: {"words": "Books for all"})
    ],
    "accountability:dialogue_point_drop": [Case(_pk(helpers.point), post=SEND)],
    "accountability:dialogue_minutes": [
        Case(
            _pk(lambda world: helpers.called(world, on=helpers.in_days(0))),
            get=OPEN,
            post=SEND,
            data=lambda world: {"minutes": "We talked."},
        )
    ],
    "accountability:dialogue_call_off": [
        Case(_pk(helpers.called), post=SEND, data=lambda world: {"why": "The bridge is closed."})
    ],
    "accountability:dialogue_calendar": [Case(_pk(helpers.called), get=READ)],
    "accountability:commitments": [Case(get=allow(APPOINTED))],
    "accountability:commitments_export": [Case(lambda world: {"fmt": "csv"}, get=allow(APPOINTED))],
    # Without saying where it is promised there is nothing.
    "accountability:commit": [Case(get=allow(CALL, 404), post=allow(CALL, 404))],
    "accountability:commitment": [Case(_pk(helpers.promised), get=READ)],
    "accountability:commitment_report": [
        Case(_pk(helpers.promised), post=SEND, data=lambda world: {"words": "It is on its way."})
    ],
    "accountability:commitment_end": [
        Case(
            _pk(helpers.promised),
            post=SEND,
            data=lambda world: {"kept": "yes", "outcome": "Done."},
        )
    ],
    "accountability:commitment_hand_over": [
        Case(
            _pk(helpers.promised),
            post=SEND,
            data=lambda world: {"owner": world.person("minister").pk},
        )
    ],
}
