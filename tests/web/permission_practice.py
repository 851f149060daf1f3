"""What everybody gets from the addresses of practices; a part of the permission matrix."""

from typing import Any

from tests.web import practice_helpers as practices
from tests.web.permission_matrix import APPOINTED, NORTH, Case, allow
from tests.web.world import World

WRITES_FOR_N2 = NORTH | {"system_leader", "head"}
HEADS = frozenset({"head", "partner_head", "other_head", "system_leader", "other_system_leader"})
WRITERS = HEADS | {"minister", "analyst", "district_officer", "other_district_officer"}
NO_WRITERS = dict.fromkeys(("teacher", "former_head", "nobody"), 403)


def _published(world: World) -> dict[str, Any]:
    """A practice of N2, written by its head and published."""
    return {"code": practices.a_practice(world).code}


def _draft(world: World) -> dict[str, Any]:
    return {"code": practices.a_draft(world).code}


def _as(fmt: str) -> Any:
    return lambda world: _published(world) | {"fmt": fmt}


def _with_a_comment(world: World) -> dict[str, Any]:
    """A comment of the teacher's."""
    from brightspots_web.connectedness import practice_talk_actions as talk

    practice = practices.a_practice(world)
    said = talk.comment(practice, by=world.cast["teacher"], words="It went well.")
    return {"code": practice.code, "pk": said.pk}


def _at_n3(world: World) -> dict[str, Any]:
    practice = practices.a_practice(world)
    practices.adopted(world, practice, "N3")
    return {"code": practice.code}


def _text(world: World) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(practices.text(title="Another")) | {"language": "sw"}


def _why(world: World) -> dict[str, Any]:
    return {"why": "It did not last.", "on": practices.today().isoformat()}


AT_N3 = allow({"partner_head"}, 302, otherwise=403) | dict.fromkeys(
    HEADS - {"partner_head"}, 404
)  # fmt: skip

PRACTICE: dict[str, list[Case]] = {
    "connectedness:practices": [Case(get=allow(APPOINTED))],
    "connectedness:practices_export": [
        Case(lambda world: {"fmt": "csv"}, get=allow(APPOINTED)),
        Case(lambda world: {"fmt": "xlsx"}, get=allow(APPOINTED)),
    ],
    "connectedness:practice_write": [
        Case(
            get=allow(HEADS, otherwise=404) | NO_WRITERS,
            post=allow(HEADS, 302, otherwise=404) | NO_WRITERS,
            data=_text,
        )
    ],
    "connectedness:practice": [
        Case(_published, get=allow(APPOINTED)),
        Case(
            _draft,
            get=allow(WRITES_FOR_N2, otherwise=404) | {"former_head": 403, "nobody": 403},
        ),
    ],
    "connectedness:practice_change": [
        Case(_published, get=allow(WRITES_FOR_N2), post=allow(WRITES_FOR_N2, 302), data=_text),
        Case(
            _draft,
            get=allow(WRITES_FOR_N2, otherwise=404) | NO_WRITERS,
            post=allow(WRITES_FOR_N2, 302, otherwise=404) | NO_WRITERS,
            data=_text,
        ),
    ],
    "connectedness:practice_translate": [
        Case(_published, get=allow(WRITES_FOR_N2), post=allow(WRITES_FOR_N2, 302), data=_text)
    ],
    "connectedness:practice_publish": [
        Case(
            _draft,
            post=allow({"minister", "district_officer", "system_leader"}, 302, otherwise=404)
            | NO_WRITERS
            | {"analyst": 403, "head": 403},
        )
    ],
    "connectedness:practice_retire": [
        Case(
            _published,
            post=allow({"minister", "district_officer", "system_leader", "head"}, 302),
            data=_why,
        )
    ],
    "connectedness:practice_follow": [Case(_published, post=allow(APPOINTED, 302))],
    "connectedness:practice_comment": [
        Case(
            _published,
            post=allow(APPOINTED, 302),
            data=lambda world: {"words": "We tried it; it helps."},
        )
    ],
    "connectedness:practice_hide": [
        Case(
            _with_a_comment,
            post=allow({"minister", "district_officer", "teacher"}, 302),
            data=_why,
        )
    ],
    "connectedness:practice_schools_export": [
        Case(_as("csv"), get=allow(APPOINTED)),
        Case(_as("xlsx"), get=allow(APPOINTED)),
    ],
    "connectedness:practice_adopt": [
        Case(
            _published,
            get=allow(HEADS - {"head"}),
            post=allow(HEADS - {"head"}, 302),
            data=lambda world: {"on": practices.today().isoformat()},
        )
    ],
    "connectedness:practice_ours": [
        Case(
            _at_n3,
            get=allow({"partner_head"}) | dict.fromkeys(HEADS - {"partner_head"}, 404),
        )
    ],
    "connectedness:practice_adapt": [
        Case(_at_n3, post=AT_N3, data=lambda world: {"adapted": "In threes."})
    ],
    "connectedness:practice_stop": [Case(_at_n3, post=AT_N3, data=_why)],
    "connectedness:practice_resume": [Case(_at_n3, post=AT_N3)],
}
