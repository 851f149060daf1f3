"""What everybody gets from the addresses of meetings and conversations; part of the matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.web import meeting_helpers as helpers
from tests.web.permission_matrix import AREA_WIDE, LEADERS, Case, allow
from tests.web.world import World

MEMBERS = frozenset({"system_leader", "head", "partner_head", "teacher"})
"""Who meets in Upper partnership."""
ANY_MEMBER = MEMBERS | {"other_system_leader", "other_head"}
"""Who meets in some partnership."""
NOBODY = {"former_head": 403, "nobody": 403}
THERE = allow(MEMBERS, otherwise=404) | NOBODY
LED = allow({"system_leader"}) | {"other_system_leader": 404}
LED_POST = allow({"system_leader"}, 302) | {"other_system_leader": 404}


def _called(world: World) -> dict[str, Any]:
    return {"pk": helpers.called(world).pk}


def _going_on(world: World) -> dict[str, Any]:
    return {"pk": helpers.going_on(world).pk}


def _when(world: World) -> dict[str, Any]:
    on = helpers.in_days(9)
    return {"on": on.date().isoformat(), "hour": "10:30", "minutes_long": 60, "place": "N2"}


def _code(world: World) -> dict[str, Any]:
    return {"code": helpers.going_on(world).code}


def _fmt(fmt: str) -> Any:
    return lambda world: {"fmt": fmt}


def _upper(world: World) -> dict[str, Any]:
    return {"code": "P-UPPER"}


MEETING: Mapping[str, Sequence[Case]] = {
    "devolution:meetings": [Case(get=allow(ANY_MEMBER))],
    "devolution:meetings_export": [
        Case(_fmt("csv"), get=allow(ANY_MEMBER)),
        Case(_fmt("xlsx"), get=allow(ANY_MEMBER)),
    ],
    "devolution:meeting_call": [
        Case(get=allow(LEADERS), post=allow(LEADERS, 302), data=_when),
    ],
    "devolution:meeting_here": [
        Case(
            get=allow(ANY_MEMBER),
            # A code of another partnership is a code of none: the form is shown again.
            post=allow(MEMBERS, 302) | {"other_system_leader": 200, "other_head": 200},
            data=_code,
        )
    ],
    "devolution:meetings_held": [Case(get=allow(AREA_WIDE))],
    "devolution:meetings_held_export": [
        Case(_fmt("csv"), get=allow(AREA_WIDE)),
        Case(_fmt("xlsx"), get=allow(AREA_WIDE)),
    ],
    "devolution:meeting": [Case(_called, get=THERE)],
    "devolution:meeting_calendar": [Case(_called, get=THERE)],
    "devolution:meeting_change": [Case(_called, get=LED, post=LED_POST, data=_when)],
    "devolution:meeting_cancel": [
        Case(_called, get=LED, post=LED_POST, data=lambda world: {"why": "The road is closed."})
    ],
    "devolution:meeting_present": [
        Case(_going_on, get=LED, post=LED_POST, data=lambda world: {"present": ["N1", "N2"]})
    ],
    "devolution:meeting_minutes": [
        Case(
            _going_on,
            get=allow({"system_leader"}, otherwise=404)
            | NOBODY
            | dict.fromkeys(MEMBERS - {"system_leader"}, 403),
            post=allow({"system_leader"}, 302, otherwise=404)
            | NOBODY
            | dict.fromkeys(MEMBERS - {"system_leader"}, 403),
            data=lambda world: {"minutes": "We met."},
        )
    ],
    "devolution:meeting_taker": [
        Case(_called, get=LED, post=LED_POST, data=lambda world: {"person": ""})
    ],
    "devolution:meeting_conversation": [Case(_called, get=THERE)],
    "devolution:meeting_conversation_pdf": [Case(_called, get=THERE)],
    "devolution:conversation": [Case(_upper, get=THERE)],
    "devolution:conversation_pdf": [Case(_upper, get=THERE)],
}
