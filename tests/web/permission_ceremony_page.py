"""What everybody gets from ceremonies and the shared result; a part of that of ceremony."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.web import pledge_helpers as helpers
from tests.web.permission_matrix import APPOINTED, UPPER, Case, allow
from tests.web.world import World

OUTSIDE = {"former_head": 403, "nobody": 403}
READ = allow(UPPER, otherwise=404) | OUTSIDE
"""Who may open Upper partnership; what they read there is what they may read anyway."""


def _ceremony(fmt: str = "") -> Callable[[World], dict[str, Any]]:
    def kwargs(world: World) -> dict[str, Any]:
        cycle = helpers.a_set(world).cycle_id
        return {"code": "P-UPPER", "cycle": cycle} | ({"fmt": fmt} if fmt else {})

    return kwargs


def _area(fmt: str = "") -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": world.areas["Upper"].pk} | ({"fmt": fmt} if fmt else {})


CEREMONY_PAGE: Mapping[str, Sequence[Case]] = {
    "accountability:ceremonies": [Case(get=allow(APPOINTED))],
    "accountability:ceremony": [Case(_ceremony(), get=READ)],
    "accountability:ceremony_pdf": [Case(_ceremony(), get=READ)],
    "accountability:ceremony_export": [Case(_ceremony("csv"), get=READ)],
    "accountability:ceremony_learned": [
        Case(
            _ceremony(),
            post=allow({"head"}, 302) | {"other_system_leader": 404, "other_head": 404},
            data=lambda world: {"learned": "Reading aloud works.", "seen": 1},
        )
    ],
    "accountability:shared_result": [Case(_area(), get=READ)],
    "accountability:shared_result_export": [Case(_area("csv"), get=READ)],
}
