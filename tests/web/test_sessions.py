"""Where one is signed in, and how that ends."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.web.conftest import SignIn
from tests.web.world import World

PASSWORD = "a long password"


def signed_in(email: str = "head@test.invalid") -> Client:
    """Through the form: the list of sessions hears of it by the signal of a real sign-in."""
    client = Client()
    client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    assert is_in(client)
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("directory:schools")).status_code == 200


def test_the_other_places_are_listed_and_ended_at_their_next_request(world: World) -> None:
    here, elsewhere, somebody = signed_in(), signed_in(), signed_in("partner_head@test.invalid")
    page = here.get(reverse("usersessions_list"))
    assert page.status_code == 200
    assert len(page.context["sessions"]) == 2
    here.post(reverse("usersessions_list"))
    assert (is_in(here), is_in(elsewhere), is_in(somebody)) == (True, False, True)


def test_a_new_password_ends_every_session(world: World) -> None:
    here, elsewhere = signed_in(), signed_in()
    new = "an entirely new one"
    answer = here.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    assert answer.status_code == 302
    assert not is_in(elsewhere)
    assert not is_in(here)


def test_signing_out_takes_a_post_and_forgets_the_session(world: World) -> None:
    client = signed_in()
    assert client.get(reverse("account_logout")).status_code == 200
    assert is_in(client)
    client.post(reverse("account_logout"))
    assert not is_in(client)


@pytest.mark.parametrize("flag", ["httponly", "samesite"])
def test_scripts_and_other_sites_do_not_get_the_session(world: World, flag: str) -> None:
    cookie = signed_in().cookies["sessionid"]
    assert cookie[flag]


def test_somebody_else_is_not_in_ones_list(sign_in: SignIn) -> None:
    signed_in("partner_head@test.invalid")
    assert len(signed_in().get(reverse("usersessions_list")).context["sessions"]) == 1
