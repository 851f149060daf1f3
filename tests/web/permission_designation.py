"""What everybody gets from the addresses of designation; a part of the permission matrix."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.web import designation_helpers as helpers
from tests.web.permission_matrix import APPOINTED, AREA_WIDE, NORTH, Case, allow
from tests.web.world import World

FINDERS = AREA_WIDE - {"analyst"}
APPLY = frozenset(
    {"system_leader", "other_system_leader", "head", "partner_head", "other_head", "teacher"}
)
GONE = {"former_head": 403, "nobody": 403}
NORTH_FINDERS = NORTH - {"analyst"}
Kwargs = Callable[[World], dict[str, Any]]


def _fmt(fmt: str) -> Kwargs:
    return lambda world: {"fmt": fmt}


def _files(name: str, who: frozenset[str]) -> dict[str, list[Case]]:
    return {
        f"leaders:{name}": [
            Case(_fmt("csv"), get=allow(who)), Case(_fmt("xlsx"), get=allow(who)),
        ]
    }  # fmt: skip


def _draft(world: World) -> dict[str, Any]:
    """A draft of the head of N2 that nobody else has been shown."""
    return {"pk": helpers.a_draft(world).pk}


def _asked(world: World) -> dict[str, Any]:
    return {"pk": helpers.asked(world).pk}


def _backed(world: World) -> dict[str, Any]:
    return {"pk": helpers.backed(world).pk}


def _short(world: World) -> dict[str, Any]:
    """A draft shown to the officers that lacks years."""
    return {"pk": helpers.asked(world, head_since=None).pk}


def _handed_in(world: World) -> dict[str, Any]:
    return {"pk": helpers.handed_in(world).pk}


def _called(world: World) -> dict[str, Any]:
    return {"pk": helpers.called(world).pk}


def _free(world: World) -> dict[str, Any]:
    """Members have declared that nothing binds them."""
    from brightspots_web.leaders import panel_actions

    found = helpers.called(world)
    for who in helpers.PANEL:
        panel_actions.declare_free(helpers.seat(found, world, who), by=world.cast[who])
    return {"pk": found.pk}


def _said(world: World) -> dict[str, Any]:
    return {"pk": helpers.said(world).pk}


def _seat(world: World) -> dict[str, Any]:
    found = helpers.called(world)
    return {"pk": found.pk, "member": helpers.seat(found, world, "analyst").pk}


def _seat_said(world: World) -> dict[str, Any]:
    found = helpers.said(world)
    return {"pk": found.pk, "member": helpers.seat(found, world, "analyst").pk}


def _to_call(world: World) -> dict[str, Any]:
    return _handed_in(world) | {"person": world.person("analyst").pk}


def _designation(world: World) -> dict[str, Any]:
    return {"pk": helpers.designated(world).pk}


def _leaderless(world: World) -> dict[str, Any]:
    """A leader in office; nobody leads Lower."""
    return _designation(world)


def _soon_over(world: World) -> dict[str, Any]:
    ends = helpers.today() + timedelta(days=60)
    return {"pk": helpers.designated(world, ends=ends).pk}


def _school(world: World) -> dict[str, Any]:
    helpers.ground(world)
    return {"code": "N2"}


def _invite(world: World) -> dict[str, Any]:
    return {"person": world.person("head").pk, "words": "(Invented.)"}


def _criteria(world: World) -> dict[str, Any]:
    return {
        "years_as_head": 2, "years_to_stay": 1, "years_of_results": 3, "term_years": 4,
        "panel_size": 3, "days": 30, "few_per_schools": 5, "seen": 1,
    }  # fmt: skip


def _written(world: World) -> dict[str, Any]:
    return {"grade": "leader", "days": 30, "head_since": "2015-01-01", "seen": ""}


SEES_DRAFT = NORTH_FINDERS | {"head"}
"""Once backing was asked for: its writer, officers over the school, the ministry."""
ON_PANEL = frozenset(helpers.PANEL)

DESIGNATION: dict[str, list[Case]] = {
    "leaders:leaders": [Case(get=allow(APPOINTED))],
    **_files("leaders_export", APPOINTED),
    "leaders:criteria": [
        Case(get=allow(APPOINTED), post=allow({"minister"}, 302), data=_criteria)
    ],
    "leaders:undesignated": [Case(get=allow(FINDERS))],
    **_files("undesignated_export", FINDERS),
    "leaders:finding": [Case(get=allow(FINDERS))],
    **_files("finding_export", FINDERS),
    "leaders:finding_areas": [Case(get=allow(FINDERS))],
    **_files("finding_areas_export", FINDERS),
    "leaders:finding_school": [
        Case(
            _school,
            get=allow(NORTH_FINDERS) | {"other_district_officer": 404},
            post=allow(NORTH_FINDERS, 302) | {"other_district_officer": 404},
            data=_invite,
        )
    ],
    "leaders:nominations": [Case(get=allow(FINDERS))],
    **_files("nominations_export", FINDERS),
    "leaders:nominate": [
        Case(
            get=allow(APPLY),
            post=allow(APPLY, 302),
            data=lambda world: {"person": "me", "words": "(Invented.)"},
        )
    ],
    "leaders:asked": [Case(get=allow(APPOINTED))],
    "leaders:not_now": [Case(post=allow(APPOINTED, 302))],
    "leaders:apply": [Case(get=allow(APPLY), post=allow(APPLY, 302))],
    "leaders:applications": [Case(get=allow(FINDERS))],
    **_files("applications_export", FINDERS),
    "leaders:application": [
        Case(_draft, get=allow({"head"}, otherwise=404) | GONE),
        Case(_asked, get=allow(SEES_DRAFT, otherwise=404) | GONE),
        Case(_called, get=allow(SEES_DRAFT | ON_PANEL, otherwise=404) | GONE),
    ],
    "leaders:application_change": [
        Case(
            _draft,
            get=allow({"head"}) | dict.fromkeys(APPLY - {"head"}, 404),
            post=allow({"head"}, 302) | dict.fromkeys(APPLY - {"head"}, 404),
            data=_written,
        )
    ],
    "leaders:application_ask_backing": [
        Case(_draft, post=allow({"head"}, 302) | dict.fromkeys(APPLY - {"head"}, 404))
    ],
    "leaders:application_back": [
        Case(_asked, post=allow(NORTH_FINDERS, 302) | {"other_district_officer": 404}),
        Case(_draft, post=allow(set()) | dict.fromkeys(FINDERS, 404)),
    ],
    "leaders:application_take_without": [
        Case(
            _short,
            post=allow({"minister"}, 302),
            data=lambda world: {"keys": ["years_as_head"], "why": "(Invented.)"},
        )
    ],
    "leaders:application_hand_in": [
        Case(_backed, post=allow({"head"}, 302) | dict.fromkeys(APPLY - {"head"}, 404))
    ],
    "leaders:application_withdraw": [
        Case(
            _asked,
            post=allow({"head"}, 302, otherwise=404)
            | GONE | {"minister": 403, "district_officer": 403},
        )
    ],
    "leaders:panel": [
        Case(_called, get=allow({"minister"})),
        Case(_asked, get=allow(set()) | {"minister": 404}),
    ],
    "leaders:panel_call": [Case(_to_call, post=allow({"minister"}, 302))],
    "leaders:panel_take_off": [Case(_seat, post=allow({"minister"}, 302))],
    "leaders:panel_set_aside": [
        Case(
            _seat_said,
            post=allow({"minister"}, 302),
            data=lambda world: {"why": "(Invented.) A cousin."},
        )
    ],
    "leaders:panel_free": [
        Case(
            _called,
            post=allow(ON_PANEL, 302, otherwise=404)
            | GONE | {"minister": 403, "district_officer": 403, "head": 403},
        )
    ],
    "leaders:panel_bound": [
        Case(
            _called,
            post=allow(ON_PANEL, 302, otherwise=404)
            | GONE | {"minister": 403, "district_officer": 403, "head": 403},
            data=lambda world: {"why": "(Invented.)"},
        )
    ],
    "leaders:panel_view": [
        Case(
            _free,
            post=allow(ON_PANEL, 302, otherwise=404)
            | GONE | {"minister": 403, "district_officer": 403, "head": 403},
            data=lambda world: {"view": "yes", "reason": "(Invented.)"},
        )
    ],
    "leaders:panel_decide": [
        Case(
            _said,
            post=allow({"minister"}, 302),
            data=lambda world: {"result": "designated", "reason": "(Invented.)"},
        )
    ],
    "leaders:designation": [Case(_designation, get=allow(APPOINTED))],
    "leaders:designation_partnership": [
        Case(
            _leaderless,
            post=allow({"minister", "district_officer"}, 302),
            data=lambda world: {"partnership": "P-LOWER"},
        )
    ],
    "leaders:designation_resign": [
        Case(
            _designation,
            get=allow({"head"}),
            post=allow({"head"}, 302),
            data=lambda world: {"last_day": helpers.today().isoformat(), "why": "(Invented.)"},
        )
    ],
    "leaders:designation_renew": [Case(_soon_over, post=allow({"head"}, 302))],
}  # fmt: skip
