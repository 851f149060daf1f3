"""What everybody gets from the addresses of readiness and powers; a part of the matrix."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.web import stage_helpers as helpers
from tests.web.permission_matrix import APPOINTED, SYSTEM_WIDE, UPPER, Case, allow
from tests.web.permission_stage import LEADER, READ_NORTH, act, north, read, upper
from tests.web.world import World

HANDS = {"minister", "district_officer"}
"""Who hands powers to Upper partnership."""


def _pk(make: Callable[[World], Any]) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk}


OWN_AREA = read({"minister"}) | dict.fromkeys(("district_officer", "system_leader", "analyst"), 403)
"""North county: only the ministry hands powers to the area itself."""


POWER: Mapping[str, Sequence[Case]] = {
    "pace:powers": [Case(get=allow(APPOINTED))],
    "pace:powers_export": [Case(lambda world: {"fmt": "csv"}, get=allow(APPOINTED))],
    "pace:gate_settings": [
        Case(
            get=allow(SYSTEM_WIDE),
            post=allow(SYSTEM_WIDE, 302),
            data=lambda world: {
                "meetings": 2,
                "schools_share": 50,
                "kept_share": 50,
                "wait_days": 60,
                "answer_days": 14,
            },
        )
    ],
    "pace:powers_of": [Case(upper, get=read(UPPER)), Case(north, get=read(READ_NORTH))],
    "pace:gate_ask": [
        Case(
            upper,
            get=act(LEADER),
            post=act(LEADER, 302),
            data=lambda world: {"words": "We would like to try."},
        )
    ],
    "pace:power_offer": [
        Case(
            upper,
            get=act(HANDS),
            post=act(HANDS, 302),
            data=lambda world: {
                "power": "review",
                "starts": helpers.in_days(1).isoformat(),
                "why": "You look at your own work closely.",
                "why_before": "The term begins.",
            },
        ),
        Case(  # nobody hands a power to the own area
            north,
            get=OWN_AREA,
            post=OWN_AREA,  # nothing is filled in: the form again
        ),
    ],
    "pace:gate_answer": [
        Case(
            _pk(helpers.asked),
            get=act(HANDS),
            post=act(HANDS, 302),
            data=lambda world: {"ready": "no", "answer": "Meet once more, then ask again."},
        )
    ],
    "pace:power_answer": [
        Case(
            _pk(helpers.offered),
            get=act(LEADER),
            post=act(LEADER, 302),
            data=lambda world: {"accepts": "yes", "words": ""},
        )
    ],
    "pace:power_withdraw": [
        Case(
            _pk(helpers.offered),
            get=act(HANDS),
            post=act(HANDS, 302),
            data=lambda world: {"why": "It was meant for another."},
        )
    ],
    "pace:power_take_back": [
        Case(
            _pk(helpers.held),
            get=act(HANDS),
            post=act(HANDS, 302),
            data=lambda world: {"why": "The leader left.", "support": "A leader comes weekly."},
        )
    ],
    "pace:power_give_back": [
        Case(
            _pk(helpers.held),
            get=act(LEADER),
            post=act(LEADER, 302),
            data=lambda world: {"why": "It took too much time."},
        )
    ],
}
