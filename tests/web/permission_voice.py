"""What everybody gets from the addresses of voice; a part of the matrix."""

from collections.abc import Sequence
from typing import Any

from tests.web import voice_helpers as helpers
from tests.web.permission_matrix import AREA_WIDE, Case, allow
from tests.web.world import World

ANYBODY = AREA_WIDE | {
    "system_leader", "other_system_leader", "head", "partner_head", "other_head", "teacher",
}  # fmt: skip
NORTH = frozenset({"system_leader", "head", "partner_head", "teacher"})
ELSEWHERE = frozenset({"other_system_leader", "other_head"})
CONSULT = frozenset({"minister", "district_officer", "other_district_officer"})
FOREIGN = {"other_district_officer": 404}
READS = NORTH | {"minister", "analyst", "district_officer"}
READ = allow(READS, otherwise=404) | {"former_head": 403, "nobody": 403}
SIDE = allow({"district_officer"}) | FOREIGN
SEND = allow({"district_officer"}, 302) | FOREIGN
DRAFT = SIDE | {"minister": 404}
SEND_DRAFT = SEND | {"minister": 404}


def _draft(world: World) -> dict[str, Any]:
    return {"pk": helpers.a_consultation(world, state="draft", teachers=2).pk}


def _open(world: World) -> dict[str, Any]:
    return {"pk": helpers.a_consultation(world, teachers=2).pk}


def _closed(world: World) -> dict[str, Any]:
    return {"pk": helpers.a_consultation(world, state="closed", teachers=2, answers=5).pk}


def _file(fmt: str) -> Any:
    return lambda world: _closed(world) | {"fmt": fmt}


def _form(world: World) -> dict[str, Any]:
    """As the officer of North fills it in."""
    return {
        "title": "The new timetable", "about": "design", "policy": "School begins at eight.",
        "area": world.areas["North"].pk, "audience": "both", "mode": "anonymous",
        "closes": helpers.in_days(9).isoformat(), "answer_due": helpers.in_days(20).isoformat(),
        "stakeholder": world.person("minister").pk, "moderator": world.person("analyst").pk,
        "q1_words": "Eight is early enough.", "q1_kind": "scale",
    }  # fmt: skip


VOICE: dict[str, Sequence[Case]] = {
    "accountability:voice": [Case(get=allow(ANYBODY))],
    "accountability:voice_export": [Case(lambda world: {"fmt": "csv"}, get=allow(ANYBODY))],
    "accountability:voice_new": [
        Case(
            get=allow(CONSULT),
            # In the South the area of the North is none to choose; the minister may not answer
            # to an own consultation's moderator, but may ask in the North.
            post=allow({"minister", "district_officer"}, 302) | {"other_district_officer": 200},
            data=_form,
        )
    ],
    "accountability:consultation": [Case(_open, get=READ)],
    "accountability:consultation_change": [Case(_draft, get=DRAFT, post=SEND_DRAFT, data=_form)],
    "accountability:consultation_discard": [Case(_draft, post=SEND_DRAFT)],
    "accountability:consultation_open": [Case(_draft, get=DRAFT, post=SEND_DRAFT)],
    "accountability:consultation_withdraw": [
        Case(_open, get=SIDE, post=SEND, data=lambda world: {"why": "It comes too early."})
    ],
    "accountability:consultation_close": [Case(_open, post=SEND)],
    "accountability:consultation_answer": [
        Case(
            _open,
            get=allow(NORTH) | dict.fromkeys(ELSEWHERE, 404),
            # Without the token of the page nothing is taken: the page is shown again.
            post=allow(NORTH) | dict.fromkeys(ELSEWHERE, 404),
        )
    ],
    "accountability:consultation_results_export": [
        Case(_file("csv"), get=READ),
        Case(_file("xlsx"), get=READ),
    ],
}
