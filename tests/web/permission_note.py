"""What everybody gets from the addresses of note; a part of the permission matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.web import note_helpers as notes
from tests.web.permission_matrix import APPOINTED, AREA_WIDE, Case, allow
from tests.web.world import World

WRITERS = frozenset(
    {
        "system_leader", "other_system_leader", "head", "partner_head", "other_head", "teacher",
    }
)  # fmt: skip
AT_N2 = frozenset({"head", "teacher"})
IN_UPPER = AT_N2 | {"system_leader", "partner_head"}
NOBODY = dict.fromkeys(("former_head", "nobody"), 403)
NO_WRITERS = AREA_WIDE | {"former_head", "nobody"}
LEADERS = frozenset({"system_leader", "other_system_leader"})
MAKERS = LEADERS | {"minister"}


def only(who: frozenset[str] | set[str], status: int = 200) -> dict[str, int]:
    """All others get 404, officers and the ministry too: a note is none of their business."""
    return dict(allow(who, status, otherwise=404)) | NOBODY


def only_writers(who: frozenset[str] | set[str]) -> dict[str, int]:
    """Whoever writes no notes makes no observations either: 403."""
    return only(who) | dict.fromkeys(NO_WRITERS, 403)


def _note(world: World) -> dict[str, Any]:
    """A note of N2's teacher, not shared."""
    return {"pk": notes.a_note(world).pk}


def _shared(world: World) -> dict[str, Any]:
    return {"pk": notes.shared(world).pk}


def _pictured(world: World) -> dict[str, Any]:
    return {"pk": notes.a_note(world, photo=notes.a_photo()).pk}


def _pictured_and_shared(world: World) -> dict[str, Any]:
    return {"pk": notes.shared(world, photo=notes.a_photo()).pk}


def _words(world: World) -> dict[str, Any]:
    return {"words": "Two girls explained it to each other.", "kind": "seen"}


def _rubric(world: World) -> dict[str, Any]:
    """A form of Upper partnership."""
    return {"pk": notes.a_rubric(world).pk}


def _systems_rubric(world: World) -> dict[str, Any]:
    return {"pk": notes.a_rubric(world, "minister").pk}


def _meeting(world: World) -> dict[str, Any]:
    return {"pk": notes.a_meeting(world).pk}


def _a_month_of_use(world: World) -> dict[str, Any]:
    from datetime import timedelta

    from brightspots_web.devolution.models import DataUse

    DataUse.objects.create(
        on=notes.today() - timedelta(days=70), role="head", what="looked", times=30,
        area=world.areas["Upper"],
    )  # fmt: skip
    return {"fmt": "csv"}


CSV = {"fmt": "csv"}

NOTE: Mapping[str, Sequence[Case]] = {
    "devolution:notes": [Case(get=allow(WRITERS))],
    "devolution:notes_export": [Case(lambda world: CSV, get=allow(WRITERS))],
    "devolution:note_write": [
        Case(get=allow(WRITERS), post=allow(WRITERS, 302), data=_words),
    ],
    "devolution:note": [Case(_note, get=only(AT_N2)), Case(_shared, get=only(IN_UPPER))],
    "devolution:note_photo": [
        Case(_note, get=only(set())),
        Case(_pictured, get=only(AT_N2)),
        Case(_pictured_and_shared, get=only(IN_UPPER)),
    ],
    "devolution:note_change": [
        Case(
            _note,
            get=only({"teacher"}) | {"head": 403},
            post=only({"teacher"}, 302) | {"head": 403},
            data=_words,
        )
    ],
    "devolution:note_suggest": [Case(_note, post=only({"teacher"}, 302) | {"head": 403})],
    "devolution:note_share": [Case(_note, post=only({"head"}, 302) | {"teacher": 403})],
    "devolution:note_take_back": [
        Case(
            _shared,
            post=only({"head"}, 302)
            | dict.fromkeys(("teacher", "system_leader", "partner_head"), 403),
        )
    ],
    "devolution:note_delete": [
        Case(_note, post=only(AT_N2, 302)),
        Case(
            _shared,
            post=only({"head"}, 302)
            | dict.fromkeys(("teacher", "system_leader", "partner_head"), 403),
        ),
    ],
    "devolution:rubrics": [Case(get=allow(WRITERS | {"minister"}))],
    "devolution:rubric_make": [
        Case(
            get=allow(MAKERS),
            post=allow(MAKERS, 302),
            data=lambda world: {"name": "A look", "question_1": "Did they read?"},
        )
    ],
    "devolution:rubric": [
        Case(_rubric, get=only_writers(IN_UPPER) | {"minister": 404}),
        Case(_systems_rubric, get=only_writers(WRITERS) | {"minister": 200}),
    ],
    "devolution:rubric_change": [
        Case(
            _rubric,
            get=only_writers({"system_leader"})
            | {"minister": 404}
            | dict.fromkeys(("head", "partner_head", "teacher"), 403),
            post=only_writers({"system_leader"})
            | {"minister": 404, "system_leader": 302}
            | dict.fromkeys(("head", "partner_head", "teacher"), 403),
            data=lambda world: {"name": "Another look", "question_1": "Did they read?"},
        ),
    ],
    "devolution:rubric_retire": [
        Case(_systems_rubric, post=allow({"minister"}, 302)),
    ],
    "devolution:rubric_export": [
        Case(lambda world: _rubric(world) | CSV, get=only_writers(IN_UPPER) | {"minister": 404})
    ],
    "devolution:preparation": [
        Case(_meeting, get=only(IN_UPPER), post=only(IN_UPPER, 302)),
    ],
    "devolution:preparation_remind": [
        Case(
            _meeting,
            post=allow({"system_leader"}, 302) | {"other_system_leader": 404},
        )
    ],
    "devolution:data_use": [Case(get=allow(APPOINTED))],
    "devolution:data_use_tiers": [Case(lambda world: CSV, get=allow(APPOINTED))],
    "devolution:data_use_areas": [Case(_a_month_of_use, get=allow(AREA_WIDE))],
}
