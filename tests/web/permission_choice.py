"""What everybody gets from the addresses of choice; a part of the matrix."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.web import choice_helpers as helpers
from tests.web.permission_matrix import APPOINTED, SYSTEM_WIDE, Case, allow
from tests.web.world import World

STRANGERS = {"former_head": 403, "nobody": 403}
LISTS = APPOINTED - {"teacher"}
"""Teachers read of no support."""
PREPARED = allow(SYSTEM_WIDE, otherwise=404) | STRANGERS
"""What is still prepared is not there for others."""
OPEN = allow(APPOINTED)
"""That there is a lottery, and how it is drawn, is for everybody."""


def _pk(make: Callable[[World], Any]) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk}


def _file(world: World) -> dict[str, Any]:
    return {"pk": helpers.drawn(world).pk, "fmt": "csv"}


def _form(world: World) -> dict[str, Any]:
    given = helpers.terms(world)
    helpers.a_run(world)
    return {
        "title": given.title,
        "words": given.words,
        "kind": given.kind,
        "priority": given.priority.pk,
        "places": 2,
        "draws_on": given.draws_on.isoformat(),
        "upper": "0",
    }


def _changed(world: World) -> dict[str, Any]:
    return _form(world) | {"places": 3}


def _own_place(world: World) -> dict[str, Any]:
    """The place of N2, whose head is one of the cast: six places for seven schools."""
    lottery = helpers.drawn(world, places=6)
    mine = helpers.entry_of(lottery, "N2")
    mine.place = mine.drawn = True
    mine.save()
    return {"pk": mine.pk}


CHOICE: Mapping[str, Sequence[Case]] = {
    "evidence:choices": [Case(get=allow(LISTS))],
    "evidence:choices_export": [
        Case(lambda world: {"fmt": "csv"}, get=allow(LISTS)),
        Case(lambda world: {"fmt": "xlsx"}, get=allow(LISTS)),
    ],
    "evidence:choice": [
        # Support of N2: its head, the officers above it, and no school beside it.
        Case(
            _pk(helpers.a_choice),
            get=allow(SYSTEM_WIDE | {"district_officer", "head"}, otherwise=404)
            | STRANGERS
            | {"teacher": 403},
        )
    ],
    "evidence:lotteries": [Case(get=OPEN)],
    "evidence:lottery_new": [
        Case(
            get=allow(SYSTEM_WIDE), post=allow(SYSTEM_WIDE, 302), data=_form,
        )
    ],
    "evidence:lottery": [
        Case(_pk(helpers.prepared), get=PREPARED),
        Case(_pk(helpers.opened), get=OPEN),
        Case(_pk(helpers.drawn), get=OPEN),
    ],
    "evidence:lottery_change": [
        Case(
            _pk(helpers.prepared),
            get=allow(SYSTEM_WIDE), post=allow(SYSTEM_WIDE, 302), data=_changed,
        )
    ],
    "evidence:lottery_answer": [
        Case(
            _pk(helpers.prepared),
            post=allow({"minister"}, 302),
            data=lambda world: {"agrees": "yes"},
        )
    ],
    "evidence:lottery_open": [Case(_pk(helpers.agreed), post=allow(SYSTEM_WIDE, 302))],
    "evidence:lottery_draw": [Case(_pk(helpers.opened), post=allow(SYSTEM_WIDE, 302))],
    "evidence:lottery_again": [Case(_pk(helpers.opened), post=allow(SYSTEM_WIDE, 302))],
    "evidence:lottery_call_off": [
        Case(
            _pk(helpers.opened),
            post=allow(SYSTEM_WIDE, 302),
            data=lambda world: {"why": "The money was needed elsewhere."},
        )
    ],
    "evidence:lottery_file": [
        Case(_pk(helpers.opened), get=OPEN),
        Case(_pk(helpers.prepared), get=allow((), otherwise=404) | STRANGERS),
    ],
    "evidence:lottery_file_names": [Case(_pk(helpers.drawn), get=allow(SYSTEM_WIDE))],
    "evidence:lottery_export": [Case(_file, get=OPEN)],
    "evidence:lottery_let_go": [
        Case(
            _own_place,
            get=allow(SYSTEM_WIDE | {"head"}, otherwise=404)
            | STRANGERS
            | {"district_officer": 403},
            post=allow(SYSTEM_WIDE | {"head"}, 302, otherwise=404)
            | STRANGERS
            | {"district_officer": 403},
            data=lambda world: {"why": "Our teachers are on a course."},
        )
    ],
}  # fmt: skip
