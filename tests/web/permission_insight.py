"""Who gets bright spots, and where results vary; a part of the permission matrix."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.web.permission_matrix import (
    EAST,
    ELSEWHERE,
    NORTH,
    SYSTEM_WIDE,
    UPPER,
    Case,
    Kwargs,
    allow,
    as_csv,
    by_area,
    by_code,
)
from tests.web.world import World

SPOT_N2 = NORTH | {"system_leader", "head", "teacher"}
"""Who opens a bright spot at N2: those who may visit it, and the school itself."""


def _a_spot(fmt: str = "") -> Kwargs:
    """School N2, named by a published run in Reading."""

    def kwargs(world: World) -> dict[str, Any]:
        from tests.web.bright_spot_helpers import a_run

        a_run(world)
        return {"code": "N2"} | ({"fmt": fmt} if fmt else {"subject": "Reading"})

    return kwargs


def _a_step(to: str) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"to": to, "on": "2026-01-05", "note": "Seen.", "seen": "0"}


INSIGHT: Mapping[str, Sequence[Case]] = {
    "insight:bright_spot": [
        Case(
            _a_spot(),
            get=allow(SPOT_N2, otherwise=404),
            post=allow(NORTH | {"system_leader"}, 302, otherwise=404)
            | dict.fromkeys(("head", "teacher"), 403),
            data=_a_step("visited"),
        ),
        Case(
            _a_spot(),
            get=allow(SPOT_N2, otherwise=404),
            post=allow(NORTH, 302, otherwise=404)
            | dict.fromkeys(("system_leader", "head", "teacher"), 403),
            data=_a_step("set_aside"),
        ),
    ],
    "insight:bright_spot_sheet": [Case(_a_spot(), get=allow(SPOT_N2, otherwise=404))],
    "insight:bright_spot_steps": [Case(_a_spot("csv"), get=allow(SPOT_N2, otherwise=404))],
    "insight:variability": [Case(get=allow(SYSTEM_WIDE))],
    "insight:variability_export": [Case(as_csv, get=allow(SYSTEM_WIDE))],
    "insight:variability_area": [
        Case(by_area("Upper"), get=allow(NORTH) | ELSEWHERE),
        Case(by_area("Testland"), get=allow(SYSTEM_WIDE) | ELSEWHERE | {"district_officer": 404}),
    ],
    "insight:variability_area_export": [
        Case(
            lambda world: {"pk": world.areas["North"].pk, "fmt": "xlsx"},
            get=allow(NORTH) | ELSEWHERE,
        )
    ],
    "insight:variability_partnership": [
        Case(by_code("P-UPPER"), get=allow(UPPER, otherwise=404)),
        Case(by_code("P-EAST"), get=allow(EAST, otherwise=404)),
    ],
    "insight:variability_partnership_export": [
        Case(by_code("P-UPPER", "csv"), get=allow(UPPER, otherwise=404))
    ],
}
