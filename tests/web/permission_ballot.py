"""What everybody gets from the addresses of ballots; a part of the permission matrix."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.web import ballot_helpers as ballots
from tests.web.permission_matrix import APPOINTED, IN_A_MONTH, Case, allow
from tests.web.world import World

EVERYBODY = allow(APPOINTED)
MINISTRY = {"minister"}
NO_VOTE_AT_ALL = dict.fromkeys(("analyst", "teacher", "former_head", "nobody"), 403)
HEADS = frozenset({"head", "partner_head", "other_head", "system_leader", "other_system_leader"})


def _agreement(phase: str) -> Callable[[World], dict[str, Any]]:
    def kwargs(world: World) -> dict[str, Any]:
        agreement = ballots.an_agreement(phase)
        ballots.proposals(agreement)
        return {"pk": agreement.pk}

    return kwargs


def _open(**more: Any) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": ballots.opened(world).pk} | more


def _closed(**more: Any) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": ballots.closed(world).pk} | more


def _over(world: World) -> dict[str, Any]:
    return {"pk": ballots.over(ballots.opened(world)).pk}


def _of_all_tiers(tier: str) -> Callable[[World], dict[str, Any]]:
    weights = {"school": 1, "partnership": 1, "district": 1, "ministry": 1}
    return lambda world: {"pk": ballots.opened(world, weights=weights).pk, "tier": tier}


def _paper(world: World) -> dict[str, Any]:
    return {"abstain": "on", "step": "cast"}


BALLOT: Mapping[str, Sequence[Case]] = {
    "alignment:ballots": [Case(get=EVERYBODY)],
    "alignment:ballot_open": [
        Case(
            _agreement("ballot"),
            get=allow(MINISTRY),
            post=allow(MINISTRY, 302),
            data=lambda world: {
                "seats": "2",
                "closes_on": ballots.Agreement.objects.get().adopt_from.isoformat(),
            },
        )
    ],
    "alignment:ballot": [Case(_open(), get=EVERYBODY), Case(_closed(), get=EVERYBODY)],
    "alignment:ballot_time": [
        Case(
            _open(),
            get=allow(MINISTRY),
            post=allow(MINISTRY, 200),
            data=lambda world: {"closes_on": IN_A_MONTH},
        )
    ],
    "alignment:ballot_close": [Case(_over, post=allow(MINISTRY, 302))],
    "alignment:ballot_vote": [
        Case(
            _open(tier="school"), get=allow(HEADS), post=allow(HEADS, 302), data=_paper,
        ),
        Case(
            _of_all_tiers("partnership"),
            get=allow({"system_leader", "other_system_leader"}),
            post=allow({"system_leader", "other_system_leader"}, 302),
            data=_paper,
        ),
        Case(
            _of_all_tiers("district"),
            get=allow({"district_officer", "other_district_officer"}),
            post=allow({"district_officer", "other_district_officer"}, 302),
            data=_paper,
        ),
        Case(
            _of_all_tiers("ministry"), get=allow(MINISTRY), post=allow(MINISTRY, 302), data=_paper,
        ),
        Case(
            _open(tier="ministry"),
            get=allow((), otherwise=404) | NO_VOTE_AT_ALL,
            post=allow((), otherwise=404) | NO_VOTE_AT_ALL,
        ),
    ],
    "alignment:ballot_turnout_export": [
        Case(_open(fmt="csv"), get=EVERYBODY), Case(_open(fmt="xlsx"), get=EVERYBODY),
    ],
    "alignment:ballot_rounds_export": [
        Case(_closed(fmt="csv"), get=EVERYBODY),
        Case(_closed(fmt="xlsx"), get=EVERYBODY),
        Case(_open(fmt="csv"), get=allow((), otherwise=404) | {"former_head": 403, "nobody": 403}),
    ],
    "alignment:ballot_papers": [
        Case(_closed(fmt="json"), get=EVERYBODY),
        Case(_closed(fmt="csv"), get=EVERYBODY),
        Case(_open(fmt="json"), get=allow((), otherwise=404) | {"former_head": 403, "nobody": 403}),
    ],
    "alignment:adopt": [
        Case(_agreement("adopt"), get=allow(MINISTRY), post=allow(MINISTRY)),
    ],
}  # fmt: skip
