"""What everybody gets from the addresses of record; a part of the matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.web import record_helpers as helpers
from tests.web.permission_matrix import Case, allow
from tests.web.world import World

FINDERS = frozenset({"minister", "district_officer", "other_district_officer"})
NO_ROLE = {"former_head": 403, "nobody": 403}


def _record(world: World) -> dict[str, Any]:
    """The leader of N1, who supported N2: North sees it, and the leader."""
    helpers.project(world, "N2")
    return {"pk": world.person("system_leader").pk}


def _project(world: World) -> dict[str, Any]:
    return {"pk": helpers.project(world, "N2").pk}


def _say(world: World) -> dict[str, Any]:
    return {"words": "The weekly plan stayed.", "seen": "0"}


OWN = allow({"system_leader"}, otherwise=404) | NO_ROLE

RECORD: Mapping[str, Sequence[Case]] = {
    "evidence:records": [Case(get=allow(FINDERS))],
    "evidence:records_export": [Case(lambda world: {"fmt": "csv"}, get=allow(FINDERS))],
    "evidence:record": [
        Case(
            _record,
            get=allow({"minister", "district_officer", "system_leader"}, otherwise=404) | NO_ROLE,
        )
    ],
    "evidence:record_words": [
        Case(_project, get=OWN, post={**OWN, "system_leader": 302}, data=_say)
    ],
    "evidence:record_exploration": [
        Case(
            get=allow({"minister"}),
            post=allow({"minister"}, 302),
            data=lambda world: {"exploration": "20"},
        )
    ],
    "evidence:record_reckon": [Case(post=allow({"minister", "analyst"}, 302))],
}
