"""A promise taken back after peers have verified it: what they said stays."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.accountability import ceremony_actions as actions
from brightspots_web.accountability import pledge_actions
from brightspots_web.accountability.pledge_models import Pledge
from tests.web import ceremony_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.pledge_helpers import fresh
from tests.web.test_ceremony_scores import told
from tests.web.world import World

REBUILT = "We are rebuilt."


def test_verified_scores_stand_on_the_page_of_a_promise_that_is_withdrawn_afterwards(
    world: World, sign_in: SignIn
) -> None:
    pledge = helpers.verified(world, points=(3, 4))
    head = world.cast["head"]
    withdrawn = pledge_actions.withdraw(pledge, REBUILT, by=head, seen=None)
    assert withdrawn.state == Pledge.State.WITHDRAWN
    # Peers who scored are told, and everybody who reads it still reads what they said.
    for who in helpers.PEERS:
        assert "School N2 has withdrawn a promise, and says why." in told(world, who)
    for who in ("head", "partner_head", "teacher"):
        client = sign_in(who)
        for name in ("score", "pledge"):
            page = client.get(reverse(f"accountability:{name}", args=[pledge.pk])).content.decode()
            assert REBUILT in page
            assert "8 of 10" in page
            assert "3 of 10" in page
            assert "4 of 10" in page
    # Nothing is added to it, and none of it is set aside any more.
    with pytest.raises(ValidationError, match="scored and verified no more"):
        helpers.say(world, pledge, "kept")
    with pytest.raises((ValidationError, PermissionDenied)):
        actions.weigh(
            helpers.peer(pledge), "They are cousins.", by=world.cast["system_leader"], counts=False
        )


def test_what_a_school_said_became_of_its_promise_is_not_undone_by_withdrawing_it(
    world: World, sign_in: SignIn
) -> None:
    pledge = helpers.ended(world, "not_kept")
    address = reverse("accountability:pledge_withdraw", args=[pledge.pk])
    head = sign_in("head")
    page = reverse("accountability:pledge", args=[pledge.pk])
    assert address not in head.get(page).content.decode()
    late = head.post(address, {"why": REBUILT, "seen": pledge.version})
    assert late.status_code == 200
    said = late.content.decode()
    assert "Your school has said what became of it: that stays, and so do its scores." in said
    assert REBUILT in said  # nothing typed is lost
    found = fresh(pledge)
    assert (found.state, found.outcome) == (Pledge.State.VERIFIED, "not_kept")
