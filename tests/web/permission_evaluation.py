"""What everybody gets from the addresses of evaluation; a part of the matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.web import evaluation_helpers as evaluations
from tests.web.permission_matrix import APPOINTED, SYSTEM_WIDE, Case, allow
from tests.web.world import World

STRANGERS = {"former_head": 403, "nobody": 403}
EVALUATORS = allow(SYSTEM_WIDE, otherwise=404) | STRANGERS
"""What was never published is not there for others."""


def _planned(world: World) -> dict[str, Any]:
    return {"pk": evaluations.planned(world).pk}


def _run(world: World) -> dict[str, Any]:
    found = evaluations.planned(world)
    evaluations.a_made_up_result(found)
    return {"pk": found.pk}


def _published(world: World) -> dict[str, Any]:
    """Published by the minister, though it found nothing."""
    from brightspots_web.evidence import evaluation_actions as actions

    found = evaluations.planned(world)
    evaluations.a_made_up_result(found)
    actions.publish(found, by=world.cast["minister"], seen=None)
    return {"pk": found.pk}


def _as(kwargs: Any, fmt: str) -> Any:
    return lambda world: kwargs(world) | {"fmt": fmt}


def _fmt(fmt: str) -> Any:
    return lambda world: {"fmt": fmt}


def _why(world: World) -> dict[str, Any]:
    return {"reason": "The figures of a district were wrong."}


def _plan(world: World) -> dict[str, Any]:
    """A plan that is refused for what it leaves out: the form is shown again."""
    return {"title": "Something"}


EVALUATION: Mapping[str, Sequence[Case]] = {
    "evidence:works": [Case(get=allow(APPOINTED))],
    "evidence:works_export": [
        Case(_fmt("csv"), get=allow(APPOINTED)),
        Case(_fmt("xlsx"), get=allow(APPOINTED)),
    ],
    "evidence:power": [Case(get=allow(SYSTEM_WIDE))],
    "evidence:evaluation_new": [Case(get=allow(SYSTEM_WIDE), post=allow(SYSTEM_WIDE), data=_plan)],
    "evidence:evaluation": [
        Case(_planned, get=EVALUATORS),
        Case(_run, get=EVALUATORS),
        Case(_published, get=allow(APPOINTED)),
    ],
    "evidence:evaluation_export": [
        Case(_as(_planned, "csv"), get=allow((), otherwise=404) | STRANGERS),
        Case(_as(_run, "csv"), get=EVALUATORS),
        Case(_as(_published, "csv"), get=allow(APPOINTED)),
        Case(_as(_published, "xlsx"), get=allow(APPOINTED)),
    ],
    "evidence:evaluation_record": [
        Case(_run, get=EVALUATORS),
        Case(_published, get=allow(APPOINTED)),
    ],
    "evidence:evaluation_change": [
        Case(_planned, get=allow(SYSTEM_WIDE), post=allow(SYSTEM_WIDE), data=_plan)
    ],
    "evidence:evaluation_run": [Case(_planned, post=allow(SYSTEM_WIDE, 302))],
    "evidence:evaluation_publish": [Case(_run, post=allow({"minister"}, 302))],
    "evidence:evaluation_withdraw": [
        Case(_run, post=allow(SYSTEM_WIDE, 302, otherwise=404) | STRANGERS, data=_why),
        Case(_published, post=allow({"minister"}, 302), data=_why),
    ],
}
