"""What everybody gets from every address. A route missing here fails the build.

`allow({"minister", "analyst"}, 200, otherwise=403)` says who gets what; signed-in people without
an appointment get what `otherwise` says, strangers are sent to sign in (302).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.web.world import World

CAST = (
    "minister",
    "analyst",
    "district_officer",
    "other_district_officer",
    "system_leader",
    "other_system_leader",
    "head",
    "partner_head",
    "other_head",
    "teacher",
    "former_head",
    "nobody",
    "anonymous",
)
SIGNED_IN = frozenset(CAST) - {"anonymous"}
APPOINTED = SIGNED_IN - {"former_head", "nobody"}
SYSTEM_WIDE = frozenset({"minister", "analyst"})
NORTH = SYSTEM_WIDE | {"district_officer"}
"""Who sees every school of North county."""
UPPER = NORTH | {"system_leader", "head", "partner_head", "teacher"}
"""Who sees the schools of Upper partnership."""

Statuses = Mapping[str, int]


def allow(
    who: Iterable[str], status: int = 200, *, otherwise: int = 403, anonymous: int = 302
) -> Statuses:
    chosen = set(who)
    return {
        person: status if person in chosen else (anonymous if person == "anonymous" else otherwise)
        for person in CAST
    }


def everyone(status: int = 200) -> Statuses:
    return dict.fromkeys(CAST, status)


@dataclass(frozen=True)
class Case:
    """One address with its arguments; `post` None means POST must answer 405."""

    kwargs: Callable[[World], dict[str, Any]] = field(default=lambda world: {})
    get: Statuses | None = None
    post: Statuses | None = None
    data: Callable[[World], dict[str, Any]] = field(default=lambda world: {})
    """What is posted."""


def _an_import(world: World) -> dict[str, Any]:
    """A list of schools that was uploaded and looked at."""
    import io  # only these cases need a file

    from brightspots_web.imports import actions

    analyst = world.cast["analyst"]
    batch = actions.upload(io.BytesIO(b"code\nN1\n"), name="a.csv", kind="schools", by=analyst)
    actions.look(batch, by=analyst)
    return {"pk": batch.pk}


MATRIX: dict[str, list[Case]] = {
    "shared:health": [Case(get=everyone())],
    "home:front": [Case(get=allow(SIGNED_IN))],
    "imports:batches": [Case(get=allow({"analyst"}))],
    "imports:batches_export": [Case(kwargs=lambda world: {"fmt": "csv"}, get=allow({"analyst"}))],
    "imports:new": [Case(get=allow({"analyst"}), post=allow({"analyst"}))],
    "imports:batch": [Case(kwargs=_an_import, get=allow({"analyst"}))],
    "imports:problems_export": [
        Case(kwargs=lambda world: {**_an_import(world), "fmt": "xlsx"}, get=allow({"analyst"}))
    ],
    "imports:mapping": [Case(kwargs=_an_import, get=allow({"analyst"}), post=allow({"analyst"}))],
    "imports:use_saved": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
    "imports:read_again": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
    "imports:confirm": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
    "imports:undo": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
    "imports:discard": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
}
