"""What everybody gets from the addresses of decisions and cycles; a part of the matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.web import decision_helpers as helpers
from tests.web.permission_matrix import AREA_WIDE, Case, allow
from tests.web.world import World

MEMBERS = frozenset({"system_leader", "head", "partner_head", "teacher"})
"""Who belongs to Upper partnership."""
DECIDE = MEMBERS - {"teacher"}
ANY_MEMBER = MEMBERS | {"other_system_leader", "other_head"}
ANY_DECIDE = ANY_MEMBER - {"teacher"}
NOBODY = {"former_head": 403, "nobody": 403}
READ = allow(MEMBERS, otherwise=404) | NOBODY
OTHERS = dict.fromkeys(("other_system_leader", "other_head"), 404)
"""Decide elsewhere, and are not told that this exists."""
SEND = allow(DECIDE, 302) | OTHERS
FORM = allow(DECIDE) | OTHERS


def _proposed(world: World) -> dict[str, Any]:
    return {"pk": helpers.proposed(world).pk}


def _made(world: World) -> dict[str, Any]:
    return {"pk": helpers.made(world).pk}


def _action(world: World) -> dict[str, Any]:
    return {"pk": helpers.action(world).pk}


def _cycle(world: World) -> dict[str, Any]:
    return {"pk": helpers.cycle(world).pk}


def _alone(world: World) -> dict[str, Any]:
    return {"pk": helpers.cycle(world, shared=False).pk}


def _value(world: World) -> dict[str, Any]:
    cycle = helpers.cycle(world)
    return {"pk": cycle.pk, "point": helpers.value(world, cycle).pk}


def _upper(world: World) -> dict[str, Any]:
    return {"code": "P-UPPER"}


def _file(of: Any, fmt: str) -> Any:
    return lambda world: of(world) | {"fmt": fmt}


def _fmt(fmt: str) -> Any:
    return lambda world: {"fmt": fmt}


def _decision_form(world: World) -> dict[str, Any]:
    """As somebody of Upper partnership fills it in; elsewhere its owner is nobody there."""
    return {
        "question": "What do we try first?",
        "options": "This\nThat",
        "decision": "Fours by turns.",
        "owner": world.person("partner_head").pk,
        "by_when": helpers.in_days(30).isoformat(),
        "would_change": "If it takes more than an hour a week.",
    }


def _plan_form(world: World) -> dict[str, Any]:
    return {
        "title": "Pairs",
        "prediction": "More pupils read.",
        "test": "Pairs every day.",
        "measure": "pupils who read",
        "up_is_better": "yes",
        "starts": helpers.in_days(-3).isoformat(),
        "study_on": helpers.in_days(20).isoformat(),
        "where": "all",
        "shared": "on",
    }


def _value_form(world: World) -> dict[str, Any]:
    return {"on": helpers.in_days(-2).isoformat(), "value": "4", "n": "10", "note": ""}


def _study_form(world: World) -> dict[str, Any]:
    return {"found": "Nothing changed.", "act": "abandon", "next_step": "We leave it."}


DECISION: Mapping[str, Sequence[Case]] = {
    "devolution:decisions": [
        Case(get=allow(ANY_MEMBER | AREA_WIDE, 302)),
    ],
    "devolution:decide": [
        Case(
            get=allow(ANY_DECIDE),
            post=allow(DECIDE, 302) | dict.fromkeys(OTHERS, 200),
            data=_decision_form,
        )
    ],
    "devolution:my_decisions": [Case(get=allow(ANY_MEMBER))],
    "devolution:decision_figures": [Case(get=allow(AREA_WIDE))],
    "devolution:decision_figures_export": [
        Case(_fmt("csv"), get=allow(AREA_WIDE)),
        Case(_fmt("xlsx"), get=allow(AREA_WIDE)),
    ],
    "devolution:partnership_decisions": [Case(_upper, get=READ)],
    "devolution:partnership_decisions_export": [
        Case(_file(_upper, "csv"), get=READ),
        Case(_file(_upper, "xlsx"), get=READ),
    ],
    "devolution:partnership_cycles": [Case(_upper, get=READ)],
    "devolution:partnership_cycles_export": [Case(_file(_upper, "csv"), get=READ)],
    "devolution:decision": [Case(_proposed, get=READ), Case(_made, get=READ)],
    "devolution:decision_change": [Case(_proposed, get=FORM, post=SEND, data=_decision_form)],
    "devolution:decision_replace": [Case(_made, get=FORM, post=SEND, data=_decision_form)],
    "devolution:decision_say": [
        Case(_proposed, post=SEND, data=lambda world: {"agrees": "yes", "words": ""})
    ],
    "devolution:decision_close": [
        Case(
            _proposed,
            post=allow({"system_leader"}, 302) | OTHERS,
            data=lambda world: {"why": "We cannot wait."},
        )
    ],
    "devolution:decision_drop": [
        Case(
            _proposed,
            # Its writer, its owner (the head of N3) and the leader may.
            post=SEND,
            data=lambda world: {"why": "Settled otherwise."},
        )
    ],
    "devolution:decision_hand_over": [
        Case(
            _made,
            post=allow({"system_leader", "partner_head"}, 302) | OTHERS,
            data=lambda world: {"owner": world.person("head").pk},
        )
    ],
    "devolution:action_add": [
        Case(
            _made,
            post=SEND,
            data=lambda world: {
                "what": "Ask the office",
                "owner": world.person("teacher").pk,
                "due": helpers.in_days(5).isoformat(),
                "school": "N2",
            },
        )
    ],
    "devolution:action_done": [
        Case(
            _action,
            get=READ,
            # Its owner is the head of N2; the leader may too.
            post=allow({"head", "system_leader"}, 302, otherwise=404)
            | {"partner_head": 403, "teacher": 403}
            | NOBODY,
            data=lambda world: {"outcome": "Done.", "on": helpers.today().isoformat()},
        )
    ],
    "devolution:action_change": [
        Case(
            _action,
            get=allow(DECIDE, otherwise=404) | {"teacher": 403} | NOBODY,
            post=allow(DECIDE, 302, otherwise=404) | {"teacher": 403} | NOBODY,
            data=lambda world: {
                "owner": world.person("partner_head").pk,
                "due": helpers.in_days(20).isoformat(),
            },
        )
    ],
    "devolution:cycle_new": [
        Case(get=allow(ANY_DECIDE), post=allow(ANY_DECIDE, 302), data=_plan_form)
    ],
    "devolution:cycle": [
        Case(_cycle, get=READ),
        Case(_alone, get=allow({"head", "teacher"}, otherwise=404) | NOBODY),
    ],
    "devolution:cycle_export": [
        Case(_file(_cycle, "csv"), get=READ),
        Case(_file(_alone, "xlsx"), get=allow({"head", "teacher"}, otherwise=404) | NOBODY),
    ],
    "devolution:cycle_change": [
        Case(
            _cycle,
            get=allow({"head"}) | OTHERS,
            post=allow({"head"}, 302) | OTHERS,
            data=_plan_form,
        )
    ],
    "devolution:cycle_study": [
        Case(
            _cycle,
            get=allow({"head"}) | OTHERS,
            post=allow({"head"}, 302) | OTHERS,
            data=_study_form,
        ),
        Case(
            _alone,
            get=allow({"head"}) | OTHERS | dict.fromkeys(("system_leader", "partner_head"), 404),
            post=allow({"head"}, 302)
            | OTHERS
            | dict.fromkeys(("system_leader", "partner_head"), 404),
            data=_study_form,
        ),
    ],
    "devolution:value_add": [
        Case(_cycle, post=allow({"head", "teacher"}, 302) | OTHERS, data=_value_form)
    ],
    "devolution:value_change": [
        Case(
            _value,
            # A teacher corrects what the teacher wrote: this is the head's.
            get=allow({"head"}) | OTHERS,
            post=allow({"head"}, 302) | OTHERS,
            data=_value_form,
        )
    ],
    "devolution:value_remove": [Case(_value, post=allow({"head"}, 302) | OTHERS)],
}
