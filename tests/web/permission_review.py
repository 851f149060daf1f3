"""What everybody gets from the addresses of peer reviews; a part of the matrix.

The host is N2; in the team are the heads of N3 (its own partnership) and of E2; the leader of Upper
reads along.
"""

from collections.abc import Callable, Sequence
from typing import Any

from brightspots_web.accountability.models import Reviewer
from tests.web import peer_review_helpers as helpers
from tests.web.permission_matrix import AREA_WIDE, Case, Statuses, allow
from tests.web.world import World

HEADS = frozenset({"system_leader", "other_system_leader", "head", "partner_head", "other_head"})
HOST = {"head"}
READ_ALONG = {"system_leader", "partner_head", "other_head"}


def _of(who: set[str], status: int, hidden: set[str] | None = None) -> Statuses:
    """Those of whom it is asked; 404 for heads who do not see it, else 403."""
    found = dict(allow(who, status, otherwise=403))
    for person in {"other_system_leader", *(hidden or set())} - who:
        found[person] = 404
    return found


def _review(make: Callable[[World], Any]) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk}


def _seat(world: World) -> dict[str, Any]:
    return {"pk": helpers.seat(helpers.with_team(world), world, "partner_head").pk}


def _csv(world: World) -> dict[str, Any]:
    return {"fmt": "csv"}


def _text(world: World) -> dict[str, Any]:
    return {"question": helpers.QUESTION, "strengths": "Calm.", "to_improve": "Reading."}


def _stands_down(world: World) -> dict[str, Any]:
    seat = Reviewer.objects.get(person=world.person("other_head"))
    return {"seat": seat.pk, "why": "They are cousins."}


NAMES: Statuses = (
    dict(allow({"head", "system_leader"}, 302))
    | {"partner_head": 200, "other_head": 200, "other_system_leader": 200}
)  # fmt: skip
"""The form comes back where the teacher of another school is named."""

REVIEW: dict[str, Sequence[Case]] = {
    "accountability:reviews": [Case(get=allow(HEADS))],
    "accountability:reviews_export": [Case(_csv, get=allow(HEADS))],
    "accountability:review_new": [Case(get=allow(HEADS), post=allow(HEADS, 302), data=_text)],
    "accountability:review_coverage": [Case(get=allow(AREA_WIDE))],
    "accountability:review_coverage_export": [Case(_csv, get=allow(AREA_WIDE))],
    "accountability:champions": [
        Case(
            get=allow(HEADS | AREA_WIDE),
            post=NAMES,
            data=lambda world: {"who": world.cast["teacher"].pk, "good_at": "Listens."},
        )
    ],
    "accountability:champion_end": [
        Case(
            _review(helpers.champion),
            post=_of({"head", "system_leader"}, 302, hidden={"other_head"}),
        )
    ],
    "accountability:review": [Case(_review(helpers.scheduled), get=_of(HOST | READ_ALONG, 200))],
    "accountability:review_self": [
        Case(_review(helpers.scheduled), get=_of(HOST, 200), post=_of(HOST, 302), data=_text)
    ],
    "accountability:review_seek": [
        Case(_review(helpers.begun), post=_of(HOST, 302, hidden={"partner_head", "other_head"}))
    ],
    "accountability:review_team": [
        Case(
            _review(helpers.with_team),
            get=_of(HOST, 200),
            post=_of(HOST, 302),
            data=lambda world: {"person": world.person("other_system_leader").pk},
        )
    ],
    "accountability:review_schedule": [
        Case(
            _review(helpers.with_team),
            get=_of(HOST, 200),
            post=_of(HOST, 302),
            data=lambda world: {"on": helpers.in_days(9).isoformat()},
        )
    ],
    "accountability:review_call_off": [
        Case(
            _review(helpers.scheduled), post=_of(HOST, 302), data=lambda world: {"why": "The rain."}
        )
    ],
    "accountability:review_stand_down": [
        Case(
            _review(helpers.scheduled),
            # A peer says it of nobody else: the form comes back.
            post=dict(_of({"head", "system_leader", "other_head"}, 302)) | {"partner_head": 200},
            data=_stands_down,
        )
    ],
    "accountability:review_answer": [
        Case(
            _review(helpers.asked),
            post=_of({"other_head"}, 302),
            data=lambda world: {"answer": "yes"},
        )
    ],
    "accountability:review_lead": [Case(_seat, post=_of(HOST, 302))],
    "accountability:review_take_back": [Case(_review(helpers.asked), post=_of(HOST, 302))],
}
