"""What everybody gets from the addresses of living; a part of the permission matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.web import living_helpers as living
from tests.web.permission_matrix import APPOINTED, Case, Kwargs, allow
from tests.web.world import World

MINISTRY = frozenset({"minister"})
MEMBERS = frozenset({"system_leader", "head", "partner_head", "teacher"})
WRITERS = MEMBERS - {"teacher"}
NOT_FOUND = dict.fromkeys(APPOINTED, 404)


def _reading(world: World) -> dict[str, Any]:
    return {"code": living.priorities(world)[0].code}


def _file(fmt: str) -> Kwargs:
    return lambda world: _reading(world) | {"fmt": fmt}


def _measure(world: World) -> dict[str, Any]:
    reading, _number = living.priorities(world)
    return {"code": reading.code, "pk": living.measured(world, reading).pk}


def _published(world: World) -> dict[str, Any]:
    living.published(world)
    return _measure(world)


def _indicator(world: World) -> dict[str, Any]:
    return {"code": living.indicator(world).code}


def _here(world: World) -> dict[str, Any]:
    """Where Upper partnership says what reading means there; it has not yet."""
    return _reading(world) | {"partnership": "P-UPPER"}


def _said(*, shared: bool) -> Kwargs:
    def kwargs(world: World) -> dict[str, Any]:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading, shared=shared)
        return {"code": reading.code, "partnership": "P-UPPER"}

    return kwargs


def _words(world: World) -> dict[str, Any]:
    return {"words": living.WORDS, "seen": "0"}


def _named(world: World) -> dict[str, Any]:
    return {"name": "Days with a book", "purpose": living.LEARN, "unit": "days", "code": ""}


def _baseline(world: World) -> dict[str, Any]:
    return {name: str(value) for name, value in asdict(living.BASELINE).items()}


def _chosen(world: World) -> dict[str, Any]:
    return {"indicator": living.indicator(world).code}


UNSHARED = allow(MEMBERS, otherwise=404) | {"former_head": 403, "nobody": 403}
SHARED = UNSHARED | dict.fromkeys(("minister", "district_officer"), 200)
WRITE = (
    allow(WRITERS, 302, otherwise=404)
    | {"former_head": 403, "nobody": 403, "teacher": 403}
)  # fmt: skip

LIVING: Mapping[str, Sequence[Case]] = {
    "alignment:priority": [Case(_reading, get=allow(APPOINTED))],
    "alignment:measures_export": [
        Case(_file("csv"), get=allow(APPOINTED)),
        Case(_file("xlsx"), get=allow(APPOINTED)),
    ],
    "alignment:aim": [
        Case(
            _reading,
            get=allow(MINISTRY),
            post=allow(MINISTRY, 302),
            data=lambda world: {"how_good": "Nine in ten read."},
        )
    ],
    "alignment:drivers": [
        Case(
            _reading,
            get=allow(MINISTRY),
            post=allow(MINISTRY, 302),
            data=lambda world: {"drivers": living.OUTLINE},
        )
    ],
    "alignment:measure_add": [
        Case(_reading, get=allow(MINISTRY), post=allow(MINISTRY, 302), data=_chosen)
    ],
    "alignment:measure": [
        Case(_measure, get=allow(MINISTRY), post=allow(MINISTRY, 302), data=_baseline)
    ],
    "alignment:measure_refresh": [
        Case(_published, post=allow(MINISTRY, 302), data=lambda world: {"figure": "mean"})
    ],
    "alignment:measure_remove": [Case(_measure, post=allow(MINISTRY, 302))],
    "alignment:senses": [Case(_reading, get=allow(APPOINTED))],
    "alignment:senses_export": [
        Case(_file("csv"), get=allow(APPOINTED)),
        Case(_file("xlsx"), get=allow(APPOINTED)),
    ],
    "alignment:sense": [
        Case(_here, get=UNSHARED, post=WRITE, data=_words),
        Case(_said(shared=False), get=UNSHARED, post=WRITE, data=_words),
        Case(
            _said(shared=True),
            get=SHARED,
            post=WRITE | dict.fromkeys(("minister", "district_officer"), 403),
            data=lambda world: {"words": "Anew.", "seen": "1"},
        ),
    ],
    "alignment:indicators": [Case(get=allow(APPOINTED))],
    "alignment:indicators_export": [
        Case(lambda world: {"fmt": "csv"}, get=allow(APPOINTED)),
        Case(lambda world: {"fmt": "xlsx"}, get=allow(APPOINTED)),
    ],
    "alignment:indicator_add": [Case(get=allow(MINISTRY), post=allow(MINISTRY, 302), data=_named)],
    "alignment:indicator": [
        Case(_indicator, get=allow(MINISTRY), post=allow(MINISTRY, 302), data=_named)
    ],
}
