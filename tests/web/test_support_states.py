"""From asking to the end: what may follow what, and that nothing else does."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from brightspots_web.connectedness import support_actions as asking
from brightspots_web.connectedness import support_deployment_actions as under_way
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness import support_states as states
from brightspots_web.connectedness.models import (
    Deployment,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from tests.web import support_helpers as helpers
from tests.web.world import World

LEGAL = {
    "REQUEST": {
        *(("asked", "ready"), ("asked", "withdrawn"), ("ready", "matched")),
        *(("ready", "withdrawn"), ("matched", "ready"), ("matched", "met")),
        ("matched", "withdrawn"),
    },
    "OFFER": {
        *(("open", "paused"), ("paused", "open")),
        *(("open", "withdrawn"), ("paused", "withdrawn")),
    },
    "MATCH": {
        *(("suggested", "accepted"), ("suggested", "declined"), ("suggested", "withdrawn")),
        ("accepted", "withdrawn"),
    },
    "DEPLOYMENT": {("running", "finished"), ("running", "ended")},
}
"""Written down by hand, apart from the code."""
KINDS = {
    "REQUEST": SupportRequest.State,
    "OFFER": SupportOffer.State,
    "MATCH": SupportMatch.State,
    "DEPLOYMENT": Deployment.State,
}
EVERY = [
    (machine, now, to) for machine, kind in KINDS.items() for now in kind for to in kind
]  # fmt: skip


@pytest.mark.parametrize(("machine", "now", "to"), EVERY)
def test_every_step_is_legal_or_refused_with_words(machine: str, now: Any, to: Any) -> None:
    table = getattr(states, machine)
    if (str(now), str(to)) in LEGAL[machine]:
        assert states.follow(table, now, to) == to
        return
    with pytest.raises(ValidationError) as caught:
        states.follow(table, now, to)
    assert str(now.label) in " ".join(caught.value.messages)


def test_every_state_stands_in_its_machine() -> None:
    for machine, kind in KINDS.items():
        assert set(getattr(states, machine)) == set(kind)


Act = Callable[[World, SupportRequest], object]


def _accept(world: World, request: SupportRequest) -> object:
    match = SupportMatch.objects.filter(request=request).latest("pk")
    return matching.accept(match, by=helpers.a_head(world, "N2"))


def _decline(world: World, request: SupportRequest) -> object:
    match = SupportMatch.objects.filter(request=request).latest("pk")
    return matching.decline(match, by=helpers.a_head(world, "N2"), why="no")


def _put(world: World, request: SupportRequest) -> object:
    match = SupportMatch.objects.filter(request=request).latest("pk")
    return matching.put(match, by=world.cast["minister"])


def _shortlist(world: World, request: SupportRequest) -> object:
    return matching.keep_shortlist(request, [], by=world.cast["minister"])


def _triage(world: World, request: SupportRequest) -> object:
    return asking.triage(request, by=world.cast["minister"], urgency="soon")


def _withdraw(world: World, request: SupportRequest) -> object:
    return asking.withdraw_request(request, by=helpers.a_head(world, "N2"), why="done")


def _agree(world: World, request: SupportRequest) -> object:
    return asking.answer_proposal(request, by=helpers.a_head(world, "N2"), agree=True)


def _begin(world: World, request: SupportRequest) -> object:
    match = SupportMatch.objects.filter(request=request).latest("pk")
    return under_way.begin(
        match, by=helpers.a_head(world, "N2"), aim="a", days=helpers.Decimal(1),
        starts=helpers.today(), exit_on=helpers.today(),
    )  # fmt: skip


def _finish(world: World, request: SupportRequest) -> object:
    deployment = Deployment.objects.get(match__request=request)
    return under_way.finish(deployment, by=helpers.a_head(world, "N1"), report="r")


def _end_early(world: World, request: SupportRequest) -> object:
    deployment = Deployment.objects.get(match__request=request)
    return under_way.end_early(deployment, by=helpers.a_head(world, "N1"), why="w")


def _give_back(world: World, request: SupportRequest) -> object:
    match = SupportMatch.objects.filter(request=request).latest("pk")
    return matching.withdraw_match(match, by=helpers.a_head(world, "N1"), why="w")


REFUSED: list[tuple[str, Callable[[World], object], list[Act]]] = [
    ("asked", helpers.a_request, [_shortlist, _agree]),
    ("ready", helpers.ready, [_agree]),
    ("put", helpers.put, [_shortlist, _begin, _agree, _give_back]),
    ("accepted", helpers.accepted, [_shortlist, _decline, _put, _agree]),
    (
        "under way",
        helpers.begun,
        [_shortlist, _decline, _put, _begin, _give_back, _withdraw, _finish],
    ),
    (
        "finished",
        helpers.finished,
        [
            *(_shortlist, _decline, _put, _begin, _give_back, _withdraw),
            *(_finish, _end_early, _triage, _agree),
        ],
    ),
]
CASES = [
    pytest.param(make, act, id=f"{name}-{act.__name__}")
    for name, make, acts in REFUSED
    for act in acts
]


@pytest.mark.parametrize(("make", "act"), CASES)
def test_an_action_out_of_turn_is_refused_and_changes_nothing(
    make: Callable[[World], object], act: Act, world: World
) -> None:
    make(world)
    request = SupportRequest.objects.get()
    before = _picture()
    with pytest.raises((ValidationError, PermissionDenied)):
        act(world, request)
    assert _picture() == before


def _picture() -> list[tuple[Any, ...]]:
    return [
        *SupportRequest.objects.values_list("pk", "state", "version").order_by("pk"),
        *SupportMatch.objects.values_list("pk", "state", "version", "put_at").order_by("pk"),
        *Deployment.objects.values_list("pk", "state", "version").order_by("pk"),
    ]


def test_a_withdrawn_request_stays_so(world: World) -> None:
    request = helpers.a_request(world)
    _withdraw(world, request)
    for act in (_triage, _withdraw, _shortlist, _agree):
        with pytest.raises(ValidationError):
            act(world, request)


def test_a_match_declined_or_taken_back_takes_no_more_answers(world: World) -> None:
    match = helpers.put(world)
    matching.decline(match, by=helpers.a_head(world, "N1"), why="Too far for us.")
    for act in (_accept, _decline, _begin):
        with pytest.raises(ValidationError):
            act(world, match.request)


def test_an_offer_withdrawn_cannot_be_opened_again(world: World) -> None:
    offer = helpers.an_offer(world)
    head = helpers.a_head(world, "N1")
    for to in ("paused", "open", "withdrawn"):
        offer = asking.set_offer_state(offer, to, by=head)
        assert offer.state == to
    for to in ("paused", "open", "withdrawn"):
        with pytest.raises(ValidationError):
            asking.set_offer_state(offer, to, by=head)
