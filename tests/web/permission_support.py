"""What everybody gets from the addresses of support. N2 asks, N1 gives, both in North county."""

from datetime import timedelta
from typing import Any

from tests.web import support_helpers as helpers
from tests.web.permission_matrix import AREA_WIDE, Case, allow
from tests.web.world import World

SCHOOLS = frozenset(
    {"system_leader", "other_system_leader", "head", "partner_head", "other_head"}
)  # fmt: skip
BROKERS = frozenset({"minister", "district_officer", "other_district_officer"})
OVER_N2 = frozenset({"minister", "district_officer"})
"""Officers of N2's county, and the ministry."""
PAIR = frozenset({"head", "system_leader"})
"""Who answers for N2 and for N1; the latter also leads N2's partnership."""
ELSEWHERE = {"other_district_officer": 404}


def _asked(world: World) -> dict[str, Any]:
    return {"pk": helpers.ready(world, "N3").pk}


def _put(world: World) -> dict[str, Any]:
    return {"pk": helpers.put(world).request_id}


def _put_match(world: World) -> dict[str, Any]:
    return {"pk": helpers.put(world).pk}


def _accepted(world: World) -> dict[str, Any]:
    return {"pk": helpers.accepted(world).pk}


def _listed(world: World) -> dict[str, Any]:
    """A suggestion that is not put to anybody."""
    request = helpers.ready(world)
    helpers.shortlisted(request, [helpers.an_offer(world)], world)
    return {"pk": request.matches.get().pk}


def _proposed(world: World) -> dict[str, Any]:
    from brightspots_web.connectedness import support_actions

    request = support_actions.propose_support(
        world.schools["N2"],
        by=world.cast["minister"],
        priority=helpers.a_priority(),
        what="(Invented.) Reading.",
    )
    return {"pk": request.pk}


def _ready_and_offer(world: World) -> dict[str, Any]:
    return {"pk": helpers.ready(world).pk, "offer": helpers.an_offer(world).pk}


def _offer(world: World) -> dict[str, Any]:
    return {"pk": helpers.an_offer(world).pk}


def _begun(world: World) -> dict[str, Any]:
    deployment = helpers.begun(world)
    helpers.logged(deployment, helpers.a_head(world, "N1"))
    return {"pk": deployment.pk}


def _finished(world: World) -> dict[str, Any]:
    return {"pk": helpers.finished(world).pk}


def _priority(world: World) -> dict[str, Any]:
    helpers.a_priority()
    return {}


def _asks(world: World) -> dict[str, Any]:
    return {"priority": helpers.a_priority().pk, "what": "w", "days": "3", "urgency": "term"}


def _offers(world: World) -> dict[str, Any]:
    return {"priority": helpers.a_priority().pk, "what": "w", "days": "3", "at_once": "1"}


def _proposes(world: World) -> dict[str, Any]:
    return _asks(world) | {"school": "N2"}


def _terms(world: World) -> dict[str, Any]:
    today = helpers.today().isoformat()
    return {"aim": "a", "days": "1", "starts": today, "exit_on": today}


def _log(world: World) -> dict[str, Any]:
    return {"kind": "visit", "on": helpers.today().isoformat(), "days": "0.5", "note": ""}


def _why(world: World) -> dict[str, Any]:
    return {"why": "(Invented.) Because."}


def _later(world: World) -> dict[str, Any]:
    exit_on = (helpers.today() + timedelta(days=90)).isoformat()
    return {"exit_on": exit_on, "days": "4", "why": "(Invented.) Because."}


def _extension(world: World) -> dict[str, Any]:
    """N2 proposes a later end."""
    from brightspots_web.connectedness import support_extension_actions

    deployment = helpers.begun(world)
    made = support_extension_actions.propose_extension(
        deployment,
        by=helpers.a_head(world, "N2"),
        exit_on=helpers.today() + timedelta(days=90),
        days=deployment.days,
        why="(Invented.) Because.",
    )
    return {"pk": made.pk}


def _fmt(fmt: str) -> Any:
    return lambda world: {"fmt": fmt}


SEES_N2 = allow(OVER_N2 | PAIR, otherwise=404)
BROKER_N2 = allow(OVER_N2, 302) | ELSEWHERE

SUPPORT: dict[str, list[Case]] = {
    "connectedness:support": [Case(get=allow(SCHOOLS) | dict.fromkeys(BROKERS, 302))],
    "connectedness:support_export": [Case(_fmt("csv"), get=allow(SCHOOLS))],
    "connectedness:support_ask": [
        Case(_priority, get=allow(SCHOOLS), post=allow(SCHOOLS)),
        Case(get=allow(SCHOOLS), post=allow(SCHOOLS, 302), data=_asks),
    ],
    "connectedness:support_offer_new": [
        Case(_priority, get=allow(SCHOOLS), post=allow(SCHOOLS)),
        Case(get=allow(SCHOOLS), post=allow(SCHOOLS, 302), data=_offers),
    ],
    "connectedness:support_offer": [
        Case(_offer, get=allow(BROKERS | {"system_leader"}, otherwise=404))
    ],
    "connectedness:support_offer_state": [
        Case(
            _offer,
            post=allow({"system_leader"}, 302, otherwise=404) | dict.fromkeys(BROKERS, 403),
            data=lambda world: {"to": "paused"},
        )
    ],
    "connectedness:support_offer_edit": [
        Case(
            _offer,
            get=allow({"system_leader"}, otherwise=404) | dict.fromkeys(BROKERS, 403),
            post=allow({"system_leader"}, 302, otherwise=404) | dict.fromkeys(BROKERS, 403),
            data=lambda world: {"what": "w", "days": "3", "at_once": "1"},
        )
    ],
    "connectedness:support_request": [
        Case(_put, get=SEES_N2),
        Case(_asked, get=allow(OVER_N2 | {"system_leader", "partner_head"}, otherwise=404)),
    ],
    "connectedness:support_agree": [
        Case(
            _proposed,
            post=allow({"head"}, 302, otherwise=404)
            | dict.fromkeys(OVER_N2 | {"system_leader"}, 403),
            data=lambda world: {"agree": "yes"},
        )
    ],
    "connectedness:support_withdraw": [
        Case(
            _put,
            post=allow(OVER_N2 | {"head"}, 302, otherwise=404) | {"system_leader": 403},
            data=_why,
        )
    ],
    "connectedness:support_accept": [
        Case(_put_match, post=allow(PAIR, 302, otherwise=404) | dict.fromkeys(OVER_N2, 403))
    ],
    "connectedness:support_decline": [
        Case(
            _put_match,
            post=allow(PAIR, 302, otherwise=404) | dict.fromkeys(OVER_N2, 403),
            data=_why,
        ),
        Case(_listed, post=allow((), otherwise=404) | dict.fromkeys(OVER_N2, 403), data=_why),
    ],
    "connectedness:support_give_back": [
        Case(_accepted, post=allow(OVER_N2 | PAIR, 302, otherwise=404), data=_why)
    ],
    "connectedness:support_terms": [
        Case(_accepted, post=allow(OVER_N2 | PAIR, 302, otherwise=404), data=_terms)
    ],
    "connectedness:support_days": [Case(get=allow(SCHOOLS))],
    "connectedness:support_days_export": [Case(_fmt("xlsx"), get=allow(SCHOOLS))],
    "connectedness:support_deployment": [Case(_begun, get=SEES_N2), Case(_finished, get=SEES_N2)],
    "connectedness:support_log": [
        Case(
            _begun,
            post=allow({"system_leader"}, 302, otherwise=404)
            | dict.fromkeys(OVER_N2 | {"head"}, 403),
            data=_log,
        )
    ],
    "connectedness:support_report": [
        Case(
            _begun,
            post=allow({"system_leader"}, 302, otherwise=404)
            | dict.fromkeys(OVER_N2 | {"head"}, 403),
            data=lambda world: {"report": "(Invented.) Done."},
        )
    ],
    "connectedness:support_end": [
        Case(_begun, post=allow(OVER_N2 | PAIR, 302, otherwise=404), data=_why)
    ],
    "connectedness:support_view": [
        Case(
            _finished,
            post=allow(PAIR, 302, otherwise=404) | dict.fromkeys(OVER_N2, 403),
            data=lambda world: {"worth": "3", "words": ""},
        )
    ],
    "connectedness:support_extend": [
        Case(
            _begun,
            post=allow(PAIR, 302, otherwise=404) | dict.fromkeys(OVER_N2, 403),
            data=_later,
        )
    ],
    "connectedness:support_extension_agree": [
        Case(
            _extension,
            post=allow({"system_leader"}, 302, otherwise=404)
            | dict.fromkeys(OVER_N2 | {"head"}, 403),
        )
    ],
    "connectedness:support_extension_decline": [
        Case(
            _extension,
            post=allow({"system_leader"}, 302, otherwise=404)
            | dict.fromkeys(OVER_N2 | {"head"}, 403),
            data=_why,
        )
    ],
    "connectedness:support_extension_withdraw": [
        Case(
            _extension,
            post=allow({"head"}, 302, otherwise=404)
            | dict.fromkeys(OVER_N2 | {"system_leader"}, 403),
        )
    ],
    "connectedness:support_logs_export": [
        Case(lambda world: {**_begun(world), "fmt": "csv"}, get=SEES_N2)
    ],
    "connectedness:support_running": [Case(get=allow(BROKERS | SCHOOLS))],
    "connectedness:support_running_export": [
        Case(_fmt("csv"), get=allow(BROKERS | SCHOOLS)),
        Case(_fmt("xlsx"), get=allow(BROKERS | SCHOOLS)),
    ],
    "connectedness:support_queue": [Case(get=allow(BROKERS))],
    "connectedness:support_queue_export": [Case(_fmt("csv"), get=allow(BROKERS))],
    "connectedness:support_propose": [
        Case(_priority, get=allow(BROKERS), post=allow(BROKERS)),
        Case(
            get=allow(BROKERS),
            post=allow(OVER_N2, 302) | {"other_district_officer": 200},
            data=_proposes,
        ),
    ],
    "connectedness:support_match": [Case(post=allow(BROKERS, 302))],
    "connectedness:support_triage": [
        Case(_put, post=BROKER_N2, data=lambda world: {"urgency": "soon", "note": ""})
    ],
    "connectedness:support_shortlist": [
        Case(lambda world: {"pk": helpers.ready(world).pk}, post=BROKER_N2)
    ],
    "connectedness:support_others": [Case(_put, get=allow(OVER_N2) | ELSEWHERE)],
    "connectedness:support_why_not": [
        Case(_ready_and_offer, get=allow(OVER_N2) | ELSEWHERE, post=BROKER_N2)
    ],
    "connectedness:support_put": [Case(_listed, post=BROKER_N2)],
    "connectedness:support_figures": [Case(get=allow(AREA_WIDE))],
    "connectedness:support_figures_export": [Case(_fmt("csv"), get=allow(AREA_WIDE))],
    "connectedness:support_leaders_export": [Case(_fmt("xlsx"), get=allow(BROKERS))],
}
"""The same as `MATRIX`, which takes it in."""
