"""What everybody gets from the addresses of stages; a part of the matrix."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.web import stage_helpers as helpers
from tests.web.permission_matrix import APPOINTED, SYSTEM_WIDE, UPPER, Case, Statuses, allow
from tests.web.stage_helpers import SEATS
from tests.web.world import World

OTHERS = dict.fromkeys(("other_district_officer", "other_system_leader", "other_head"), 404)
"""Belong elsewhere, and are not told that this exists."""
OUT = {"former_head": 403, "nobody": 403}
READ_NORTH = SYSTEM_WIDE | {"district_officer", "system_leader"}
"""Who reads the stages of North county: its officer, the leader who rates it, the system."""


def read(who: Iterable[str]) -> Statuses:
    return {**allow(who, otherwise=404), **OUT}


def act(who: Iterable[str], status: int = 200) -> Statuses:
    """In Upper partnership: the others there are told 403."""
    return {**allow(who, status), **OTHERS}


def upper(world: World) -> dict[str, Any]:
    return {"kind": "partnership", "pk": world.partnerships["Upper"].pk}


def north(world: World) -> dict[str, Any]:
    return {"kind": "area", "pk": world.areas["North"].pk}


def _pk(make: Callable[[World], Any]) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk}


def _to_open(world: World) -> dict[str, Any]:
    helpers.a_cycle(world)
    return upper(world)


def _day(world: World) -> dict[str, Any]:
    return {"closes_on": helpers.in_days(20).isoformat()}


LEADER = {"system_leader"}
STAGE: Mapping[str, Sequence[Case]] = {
    "pace:stages": [Case(get=allow(APPOINTED))],
    "pace:stages_export": [Case(lambda world: {"fmt": "csv"}, get=allow(APPOINTED))],
    "pace:stage_texts": [Case(get=allow(APPOINTED))],
    "pace:stage_text": [
        Case(
            lambda world: {"strand": "leaders"},
            get=allow(SYSTEM_WIDE),
            post=allow(SYSTEM_WIDE, 302),
            data=lambda world: (
                {f"stage_{n}": f"Words of {n}." for n in range(1, 5)}
                | {f"seen_{n}": 0 for n in range(1, 5)}
            ),
        )
    ],
    "pace:stage": [Case(upper, get=read(UPPER)), Case(north, get=read(READ_NORTH))],
    "pace:stage_open": [Case(_to_open, get=act(LEADER), post=act(LEADER, 302), data=_day)],
    "pace:stage_rate": [
        Case(
            _pk(helpers.opened),
            get=act(SEATS),
            post=act(SEATS, 302),
            data=lambda world: helpers.rate_form(),
        )
    ],
    "pace:stage_day": [
        Case(_pk(helpers.opened), get=act(LEADER), post=act(LEADER, 302), data=_day)
    ],
    "pace:stage_close": [Case(_pk(helpers.rated), post=act(LEADER, 302))],
    "pace:stage_put": [
        Case(
            _pk(helpers.closed),
            get=act(SEATS),
            post=act(SEATS, 302),
            data=lambda world: {"stage_leaders": 2},
        )
    ],
    "pace:stage_say": [
        Case(
            _pk(helpers.put),
            get=act(SEATS),
            post=act(SEATS, 302),
            data=lambda world: {"agrees_leaders": "yes"},
        )
    ],
    "pace:stage_settle": [
        Case(
            _pk(helpers.put),
            get=act(LEADER),
            post=act(LEADER, 302),
            data=lambda world: {"why": "We look again in the next round."},
        )
    ],
}
