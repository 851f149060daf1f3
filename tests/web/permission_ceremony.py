"""What everybody gets from the addresses of scoring and of ceremonies; a part of the matrix."""

from collections.abc import Callable, Sequence
from typing import Any

from brightspots_web.accountability.pledge_models import Pledge
from tests.web import ceremony_helpers as helpers
from tests.web.permission_ceremony_page import CEREMONY_PAGE
from tests.web.permission_matrix import Case, allow
from tests.web.permission_pledge import OTHERS, OWN, READ
from tests.web.world import World

SCORE = {"score": "7", "reason": "In seven of ten lessons they read."}
WHY = {"why": "Our schools share a teacher."}
PEER = allow({"partner_head"}) | OTHERS
"""The head of N3, whom the head of N2 has asked; the others of the partnership are told 403."""


def _pk(make: Callable[[World], Pledge]) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk}


def _asked(world: World) -> Pledge:
    return helpers.asked(world, who=("partner_head",))


def _one_scored(world: World) -> Pledge:
    pledge = _asked(world)
    helpers.verify(world, pledge)
    return pledge


def _the_score(world: World) -> dict[str, Any]:
    return {"score": helpers.peer(Pledge.objects.get()).pk, **WHY}


CEREMONY: dict[str, Sequence[Case]] = {
    **CEREMONY_PAGE,
    "accountability:pledge_settings": [
        Case(
            get=allow({"minister"}),
            post=allow({"minister"}, 302),
            data=lambda world: {
                "highest_score": 5, "own_weight": 60, "verifiers": 1, "check_in_days": 30,
            },
        )
    ],
    "accountability:score": [
        Case(
            _pk(helpers.self_scored),
            get=READ,
            post=READ | dict.fromkeys(("system_leader", "partner_head", "teacher"), 403)
            | {"head": 302},
            data=lambda world: SCORE,
        )
    ],
    "accountability:score_peers": [
        Case(
            _pk(helpers.self_scored),
            post=OWN,
            data=lambda world: {"first": world.person("partner_head").pk},
        )
    ],
    "accountability:score_outcome": [
        Case(
            _pk(helpers.verified),
            post=OWN,
            data=lambda world: {"outcome": "kept", "words": "They read."},
        )
    ],
    "accountability:score_weigh": [
        Case(
            _pk(_one_scored),
            post=allow({"system_leader", "partner_head"}, 302) | OTHERS,
            data=_the_score,
        )
    ],
    "accountability:verify": [
        Case(_pk(_asked), get=PEER, post=PEER | {"partner_head": 302}, data=lambda world: SCORE)
    ],
    "accountability:verify_cannot": [
        Case(_pk(_asked), post=PEER | {"partner_head": 302}, data=lambda world: WHY)
    ],
}  # fmt: skip
