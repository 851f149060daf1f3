"""What everybody gets from the addresses of pulse; a part of the matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.web import pulse_helpers as helpers
from tests.web.permission_matrix import AREA_WIDE, Case, allow
from tests.web.world import World

SPEAKS = frozenset(
    {"system_leader", "other_system_leader", "head", "partner_head", "other_head", "teacher"}
)
ANYBODY = AREA_WIDE | SPEAKS
NORTH = frozenset(
    {"minister", "analyst", "district_officer", "system_leader", "head", "partner_head", "teacher"}
)


def _fmt(fmt: str) -> Any:
    return lambda world: {"fmt": fmt}


def _north(world: World) -> dict[str, Any]:
    helpers.switched_on(world)
    return {"pk": world.areas["North"].pk}


def _open(world: World) -> dict[str, Any]:
    helpers.opened(world)
    return {}


def _open_term(world: World) -> dict[str, Any]:
    return {"pk": helpers.opened(world).pk}


PULSE: Mapping[str, Sequence[Case]] = {
    "pace:pulse": [Case(get=allow(ANYBODY))],
    "pace:pulse_export": [
        Case(_fmt("csv"), get=allow(ANYBODY)),
        Case(_fmt("xlsx"), get=allow(ANYBODY)),
    ],
    "pace:pulse_area": [
        Case(_north, get=allow(NORTH, otherwise=404) | {"former_head": 403, "nobody": 403})
    ],
    # Without the token of the page nothing is taken: the page is shown again.
    "pace:pulse_answer": [Case(_open, get=allow(SPEAKS), post=allow(SPEAKS))],
    "pace:pulse_settings": [
        Case(
            get=allow({"minister"}),
            post=allow({"minister"}, 302),
            data=lambda world: {"on": "on", "level": "1"},
        )
    ],
    "pace:pulse_terms": [
        Case(
            lambda world: {"pk": helpers.a_cycle().pk},
            get=allow({"minister"}),
            post=allow({"minister"}, 302),
            data=lambda world: {
                "opens1": helpers.in_days(5).isoformat(),
                "last1": helpers.in_days(15).isoformat(),
            },
        )
    ],
    "pace:pulse_stop": [Case(_open_term, post=allow({"minister"}, 302))],
}
