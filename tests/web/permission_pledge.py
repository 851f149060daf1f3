"""What everybody gets from the addresses of promises; a part of the matrix."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brightspots_web.alignment.models import PriorityIndicator
from tests.web import pledge_helpers as helpers
from tests.web.permission_matrix import APPOINTED, Case, allow
from tests.web.world import World

MEMBERS = frozenset({"system_leader", "head", "partner_head", "teacher"})
"""Who belongs to Upper partnership, to which the head of N2 promises."""
OTHERS = dict.fromkeys(("other_system_leader", "other_head"), 404)
"""Promise elsewhere, and are not told that this exists."""
ANY_PLEDGE = (MEMBERS - {"teacher"}) | set(OTHERS)
READ = allow(MEMBERS, otherwise=404) | {"former_head": 403, "nobody": 403}
DRAFT = allow({"head"}, 302) | OTHERS | dict.fromkeys(("system_leader", "partner_head"), 404)
OWN = allow({"head"}, 302) | OTHERS
"""Whoever promises; the others of the partnership read it and are told 403."""


def _pk(make: Callable[[World], Any]) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk}


def _file(world: World) -> Any:
    pledge = helpers.witnessed(world)
    return helpers.evidence(
        world, pledge, kind="file", file_name="a.pdf", content=b"%PDF-1.4 invented"
    )


def _form(world: World) -> dict[str, Any]:
    helpers.a_cycle(world)
    helpers.a_priority(world)
    measure = PriorityIndicator.objects.get(indicator__name="Results in reading")
    return {
        "promise": "Every child reads every day.",
        "measure": measure.pk,
        "target": "3",
        "due": helpers.in_days(100).isoformat(),
        "will_do": "Twenty minutes a day.",
        "audience": "partnership",
    }


PLEDGE: Mapping[str, Sequence[Case]] = {
    "accountability:home": [Case(get=allow(APPOINTED))],
    "accountability:pledges": [Case(get=allow(APPOINTED))],
    "accountability:pledges_export": [Case(lambda world: {"fmt": "csv"}, get=allow(APPOINTED))],
    "accountability:pledge_new": [
        Case(
            lambda world: {"half": "own"},
            get=allow(ANY_PLEDGE),
            post=allow(ANY_PLEDGE, 302),
            data=_form,
        )
    ],
    "accountability:pledge_set": [Case(_pk(helpers.a_set), get=READ)],
    "accountability:pledge": [
        Case(_pk(helpers.witnessed), get=READ),
        Case(
            _pk(helpers.drafted),
            get=allow({"head"}, otherwise=404) | {"former_head": 403, "nobody": 403},
        ),
    ],
    "accountability:pledge_change": [
        Case(
            _pk(helpers.drafted),
            get={**DRAFT, "head": 200},
            post=DRAFT,
            data=_form,
        )
    ],
    "accountability:pledge_discard": [Case(_pk(helpers.drafted), post=DRAFT)],
    "accountability:pledge_vow": [Case(_pk(helpers.drafted), post=DRAFT)],
    "accountability:pledge_audience": [
        Case(_pk(helpers.vowed), post=OWN, data=lambda world: {"audience": "area"})
    ],
    "accountability:pledge_withdraw": [
        Case(_pk(helpers.vowed), post=OWN, data=lambda world: {"why": "We were rebuilt."})
    ],
    "accountability:pledge_witnesses": [
        Case(
            _pk(helpers.vowed),
            post=OWN,
            data=lambda world: {"first": world.person("partner_head").pk},
        )
    ],
    "accountability:pledge_answer": [
        Case(
            _pk(lambda world: helpers.asked(world, helpers.vowed(world))),
            post=allow({"partner_head"}, 302) | OTHERS,
            data=lambda world: {"accepts": "yes", "words": ""},
        )
    ],
    "accountability:pledge_check_in": [
        Case(
            _pk(helpers.vowed),
            post=OWN,
            data=lambda world: {
                "going": "well",
                "words": "Two classes read.",
                "on": helpers.today().isoformat(),
            },
        )
    ],
    "accountability:pledge_evidence": [
        Case(
            _pk(helpers.witnessed),
            get=allow({"head", "partner_head"}) | OTHERS,
            post=allow({"head", "partner_head"}, 302) | OTHERS,
            data=lambda world: {
                "kind": "visit",
                "words": "Three lessons were open.",
                "on": helpers.today().isoformat(),
            },
        )
    ],
    "accountability:pledge_value": [Case(_pk(helpers.vowed), post=OWN)],
    "accountability:pledge_evidence_file": [Case(_pk(_file), get=READ)],
    "accountability:pledge_evidence_remove": [Case(_pk(_file), post=OWN)],
}
