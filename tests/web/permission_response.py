"""What everybody gets from the addresses of response; a part of the matrix."""

from collections.abc import Sequence
from typing import Any

from tests.web import response_helpers as helpers
from tests.web.permission_matrix import Case, Statuses, allow
from tests.web.world import World

MODERATORS = frozenset({"analyst", "district_officer", "other_district_officer"})
CONSULT = frozenset({"minister", "district_officer", "other_district_officer"})
SPEAK = frozenset(
    {"system_leader", "other_system_leader", "head", "partner_head", "other_head", "teacher"}
)
NO_PART = {"former_head": 403, "nobody": 403}
NORTH = frozenset({"system_leader", "head", "partner_head", "teacher"})


def _only(who: set[str], status: int = 200, *, needs: frozenset[str]) -> Statuses:
    """Those of whom it is asked; 404 for who has the part elsewhere, 403 for all others."""
    return allow((), otherwise=403) | dict.fromkeys(needs, 404) | dict.fromkeys(who, status)


def _owes(status: int = 200) -> Statuses:
    """The officer who owes the answer; 403 for who only sees the consultation."""
    found = allow((), otherwise=403) | dict.fromkeys(SPEAK - NORTH, 404)
    return found | {"other_district_officer": 404, "district_officer": status}


def _counted(world: World) -> dict[str, Any]:
    return {"pk": helpers.counted(world).pk}


def _comment(world: World) -> dict[str, Any]:
    found = helpers.counted(world)
    return {"pk": found.pk, "comment": helpers.a_comment(found).pk}


def _pointed(world: World) -> dict[str, Any]:
    found = helpers.counted(world)
    helpers.a_point(world, found)
    return {"pk": found.pk}


def _point(world: World) -> dict[str, Any]:
    found = helpers.counted(world)
    return {"pk": found.pk, "point": helpers.a_point(world, found).pk}


def _box(world: World) -> dict[str, Any]:
    return {"pk": helpers.a_box(world).pk}


def _released(world: World) -> dict[str, Any]:
    row = helpers.released(world)[0]
    return {"pk": row.box_id, "suggestion": row.pk}


def _released_box(world: World) -> dict[str, Any]:
    return {"pk": helpers.shown(world).box_id}


RESPONSE: dict[str, Sequence[Case]] = {
    "accountability:moderation": [Case(get=allow(MODERATORS))],
    "accountability:moderate": [Case(_counted, get=_only({"analyst"}, needs=MODERATORS))],
    "accountability:judge": [
        Case(
            _comment,
            post=_only({"analyst"}, 302, needs=MODERATORS),
            data=lambda world: {"show": "yes"},
        )
    ],
    "accountability:look_again": [
        Case(
            lambda world: {"pk": helpers.moderated(world).pk},
            post=allow((), otherwise=403)
            | dict.fromkeys(SPEAK - NORTH, 404)
            | dict.fromkeys(NORTH, 302),
        )
    ],
    "accountability:answer_for": [
        Case(
            _counted,
            get=_owes(),
            post=_owes(302),
            data=lambda world: {"said": "Too few books.", "did": "Forty more."},
        )
    ],
    "accountability:answer_send": [
        Case(_pointed, post=_owes(302), data=lambda world: {"words": "Thank you."})
    ],
    "accountability:answer_point_remove": [Case(_point, post=_owes(302))],
    "accountability:suggestions": [Case(get=allow(MODERATORS | CONSULT | SPEAK))],
    "accountability:suggestions_export": [
        Case(lambda world: {"fmt": "csv"}, get=allow(MODERATORS | CONSULT | SPEAK))
    ],
    "accountability:suggestion_put_in": [
        Case(
            _box,
            get=_only(set(NORTH), needs=SPEAK),
            post=_only(set(NORTH), 302, needs=SPEAK),
            data=lambda world: {"words": "Start at eight."},
        )
    ],
    "accountability:suggestion_moderation": [Case(_box, get=_only({"analyst"}, needs=MODERATORS))],
    "accountability:suggestion_judge": [
        Case(
            _released,
            post=_only({"analyst"}, 302, needs=MODERATORS),
            data=lambda world: {"show": "yes"},
        )
    ],
    "accountability:suggestion_look_again": [
        Case(_released_box, post=_only(set(NORTH), 302, needs=SPEAK))
    ],
    "accountability:suggestion_box": [
        Case(
            lambda world: {"area": world.areas["North"].pk},
            get=_only({"minister", "district_officer"}, needs=CONSULT),
            post=_only({"minister", "district_officer"}, 302, needs=CONSULT),
            data=lambda world: {
                "stakeholder": world.person("minister").pk,
                "moderator": world.person("analyst").pk,
                "answer_days": 30,
            },
        )
    ],
    "accountability:suggestion_answer": [
        Case(
            lambda world: {"pk": helpers.shown(world).pk},
            get=_only({"district_officer"}, needs=CONSULT) | {"minister": 403},
            post=_only({"district_officer"}, 302, needs=CONSULT) | {"minister": 403},
            data=lambda world: {"did": "Done."},
        )
    ],
}
