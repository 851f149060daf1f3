"""The second factor: who must set one up, and that the whole way of it can be walked."""

import re
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from brightspots_web.directory import actions
from tests.web.world import World

PASSWORD = "a long password"
MUST = ["minister", "analyst", "district_officer"]
NEED_NOT = ["system_leader", "head", "teacher", "former_head", "nobody"]


@pytest.fixture(autouse=True)
def required(settings: Settings) -> Iterator[None]:
    settings.SECOND_FACTOR_REQUIRED = True
    cache.clear()
    yield
    cache.clear()


def by_password(who: str) -> Client:
    client = Client()
    data = {"login": f"{who}@test.invalid", "password": PASSWORD}
    assert client.post(reverse("account_login"), data).status_code == 302
    return client


def code(secret: str, step: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step)))


def activate(client: Client) -> str:
    """Set up an authenticator, the password given again before that, and return its secret."""
    asked = client.get(reverse("mfa_activate_totp"), follow=True)
    assert asked.request["PATH_INFO"] == reverse("account_reauthenticate")
    page = client.post(asked.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
    assert page.request["PATH_INFO"] == reverse("mfa_activate_totp")
    secret = str(page.context["form"].secret)
    answer = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert answer.status_code == 302, answer.context["form"].errors
    return secret


@pytest.mark.parametrize("who", MUST)
@pytest.mark.parametrize("path", ["/", "/schools/", "/schools.csv", "/jobs/", "/nowhere/"])
def test_who_sees_much_sees_nothing_before_a_second_factor(
    who: str, path: str, world: World
) -> None:
    answer = by_password(who).get(path)
    assert answer.headers["Location"] == reverse("mfa_activate_totp")


@pytest.mark.parametrize("who", NEED_NOT)
def test_the_others_need_none(who: str, world: World) -> None:
    answer = by_password(who).get(reverse("directory:schools"))
    assert answer.status_code == 200


def test_one_of_several_appointments_is_enough_to_need_one(world: World) -> None:
    appointment = world.cast["analyst"]
    appointment.person = world.person("head")
    appointment.save()
    assert by_password("head").get("/schools/").headers["Location"] == reverse("mfa_activate_totp")


@pytest.mark.parametrize("who", MUST)
def test_setting_one_up_leads_no_circle(who: str, world: World) -> None:
    client = by_password(who)
    landing = client.get("/", follow=True)
    assert landing.status_code == 200
    assert len(landing.redirect_chain) == 2
    activate(client)
    assert client.get(reverse("directory:schools")).status_code == 200


def test_one_can_always_leave_instead(world: World) -> None:
    client = by_password("minister")
    client.post(reverse("account_logout"))
    assert client.get("/").headers["Location"].startswith(reverse("account_login"))


def test_signing_in_then_takes_password_and_code(world: World) -> None:
    secret = activate(by_password("minister"))
    client = by_password("minister")
    assert client.get(reverse("directory:schools")).status_code == 302  # password alone: not in
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 200
    assert client.get(reverse("directory:schools")).status_code == 302
    right = client.post(reverse("mfa_authenticate"), {"code": code(secret, 1)})
    assert right.headers["Location"] == reverse("home:front")
    assert client.get(reverse("directory:schools")).status_code == 200


def test_a_code_works_once(world: World) -> None:
    secret = activate(by_password("minister"))
    used = code(secret, 1)
    assert (
        by_password("minister").post(reverse("mfa_authenticate"), {"code": used}).status_code == 302
    )
    assert (
        by_password("minister").post(reverse("mfa_authenticate"), {"code": used}).status_code == 200
    )


def test_each_recovery_code_opens_once(world: World) -> None:
    client = by_password("minister")
    activate(client)
    page = client.get(reverse("mfa_view_recovery_codes"))
    assert page.status_code == 200
    codes = re.findall(r"\b[0-9a-f]{8}\b", page.content.decode())
    assert len(codes) == 10
    first = by_password("minister")
    assert first.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code == 302
    assert first.get(reverse("directory:schools")).status_code == 200
    second = by_password("minister")
    assert second.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code == 200
    assert second.post(reverse("mfa_authenticate"), {"code": codes[1]}).status_code == 302


def test_taking_it_away_leads_back_to_setting_one_up(world: World) -> None:
    client = by_password("minister")
    activate(client)
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    assert not Authenticator.objects.filter(user=world.person("minister")).exists()
    assert client.get("/schools/").headers["Location"] == reverse("mfa_activate_totp")


def test_guessing_codes_is_stopped(world: World) -> None:
    secret = activate(by_password("minister"))
    client = by_password("minister")
    for guess in range(6):
        client.post(reverse("mfa_authenticate"), {"code": f"{guess:06}"})
    client.post(reverse("mfa_authenticate"), {"code": code(secret, 1)})
    assert client.get(reverse("directory:schools")).status_code == 302


def test_whoever_has_the_shell_removes_a_lost_authenticator_and_nobody_else(world: World) -> None:
    activate(by_password("analyst"))
    person, minister = world.person("analyst"), world.cast["minister"]
    with pytest.raises(PermissionDenied):
        actions.forget_second_factor(person, by=minister)
    assert Authenticator.objects.filter(user=person).exists()
    actions.forget_second_factor(person, by=actions.command_line_operator())
    assert not Authenticator.objects.filter(user=person).exists()
    answer = by_password("analyst").get("/")
    assert answer.headers["Location"] == reverse("mfa_activate_totp")
