"""What a school of an earlier match may no longer see of a request, and what comes in between."""

import pytest
from django.test import Client
from django.urls import reverse

from brightspots_web.connectedness import support_actions as asking
from brightspots_web.connectedness import support_deployment_actions as under_way
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness.models import SupportMatch
from brightspots_web.directory.models import Appointment
from tests.web import support_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World

NEXT_OFFER = "(Invented.) What the next school offers."


def as_head(appointment: Appointment) -> Client:
    client = Client()
    client.force_login(
        appointment.person, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


@pytest.mark.parametrize("form", ["support_decline", "support_give_back", "support_terms"])
def test_a_school_that_declined_does_not_get_the_request_back_by_an_empty_form(
    world: World, form: str
) -> None:
    match = helpers.put(world, "N2", "L2", "N3")
    matching.decline(match, by=helpers.a_head(world, "L2"), why="No time.")
    client = as_head(helpers.a_head(world, "L2"))
    page = reverse("connectedness:support_request", args=[match.request_id])
    assert client.get(page).status_code == 404
    answer = client.post(reverse(f"connectedness:{form}", args=[match.pk]), {}, follow=True)
    assert answer.redirect_chain == [(reverse("connectedness:support"), 302)]
    words = answer.content.decode()
    assert "no longer open to your school" in words
    assert match.request.what not in words
    assert world.schools["N3"].name not in words


def test_why_a_head_does_not_agree_is_read_by_the_officers_alone(
    world: World, sign_in: SignIn
) -> None:
    """The form says so; the leader of the partnership saw it as well."""
    head = helpers.a_head(world, "N2")
    request = asking.propose_support(
        world.schools["N2"], by=world.cast["minister"], priority=helpers.a_priority(),
        what="(Invented.) Reading.",
    )  # fmt: skip
    asking.answer_proposal(request, by=head, agree=False, why="MY REASON")
    page = reverse("connectedness:support_request", args=[request.pk])
    for who, reads in (("head", True), ("district_officer", True), ("system_leader", False)):
        answer = sign_in(who).get(page)
        assert answer.status_code == 200
        assert ("MY REASON" in answer.content.decode()) is reads, who


def test_who_supported_before_sees_nothing_of_who_comes_now(world: World) -> None:
    before = helpers.begun(world, "N2", "L2")
    giver = helpers.a_head(world, "L2")
    under_way.end_early(before, by=giver, why="Ill.")
    request = before.match.request
    offer = helpers.an_offer(world, "N3", what=NEXT_OFFER)
    helpers.shortlisted(request, [offer], world)
    now = SupportMatch.objects.get(request=request, state="suggested")
    matching.put(now, by=world.cast["minister"])
    page = reverse("connectedness:support_request", args=[request.pk])
    words = as_head(giver).get(page).content.decode()
    assert request.what in words
    assert NEXT_OFFER not in words
    assert NEXT_OFFER in as_head(helpers.a_head(world, "N2")).get(page).content.decode()
