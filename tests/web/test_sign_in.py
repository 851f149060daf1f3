"""Sign-in by email and password, its rules and limits, and the closed doors around it."""

import re
from collections.abc import Iterator

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.views.defaults import server_error
from pytest_django import Settings

from brightspots_web.directory.models import Appointment, Person, System
from tests.web.conftest import SignIn
from tests.web.world import World

PASSWORD = "a long password"
NEUTRAL = "The email address and/or password you specified are not correct."


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    """Rate limits are kept in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


def sign_in_by_form(client: Client, email: str, password: str) -> int:
    return client.post(reverse("account_login"), {"login": email, "password": password}).status_code


def test_email_and_password_open_the_front_page(world: World) -> None:
    client = Client()
    assert sign_in_by_form(client, "head@test.invalid", PASSWORD) == 302
    assert client.get(reverse("home:front")).headers["Location"] == reverse(
        "home:school", args=["N2"]
    )


def test_email_is_taken_whatever_its_capitals(world: World) -> None:
    assert sign_in_by_form(Client(), "Head@Test.INVALID", PASSWORD) == 302


@pytest.mark.parametrize(
    ("email", "password"),
    [("head@test.invalid", "another password"), ("stranger@test.invalid", PASSWORD)],
)
def test_wrong_password_and_unknown_person_read_the_same(
    world: World, email: str, password: str
) -> None:
    page = Client().post(reverse("account_login"), {"login": email, "password": password})
    assert page.status_code == 200
    assert NEUTRAL in page.content.decode()


def test_inactive_person_stays_out(world: World) -> None:
    Person.objects.filter(email="head@test.invalid").update(is_active=False)
    client = Client()
    sign_in_by_form(client, "head@test.invalid", PASSWORD)
    assert client.get(reverse("directory:schools")).status_code == 302


def test_repeated_failures_are_stopped_even_with_the_right_password_then(world: World) -> None:
    client = Client()
    for _attempt in range(5):
        assert sign_in_by_form(client, "head@test.invalid", "wrong") == 200
    assert (
        "Too many"
        in client.post(
            reverse("account_login"), {"login": "head@test.invalid", "password": PASSWORD}
        ).content.decode()
    )
    assert client.get(reverse("directory:schools")).status_code == 302


def test_guessing_at_many_people_from_one_place_answers_429_in_our_look(world: World) -> None:
    client = Client()
    answers = [
        client.post(reverse("account_login"), {"login": f"p{i}@test.invalid", "password": "x"})
        for i in range(31)
    ]
    assert answers[-1].status_code == 429
    assert "<h1>Too many tries</h1>" in answers[-1].content.decode()


def test_nobody_signs_up_alone(world: World) -> None:
    data = {"email": "new@test.invalid", "password1": "a quite long password"}
    page = Client().post(reverse("account_signup"), data)
    assert page.status_code == 200
    assert not Person.objects.filter(email="new@test.invalid").exists()
    assert "signup" not in Client().get(reverse("account_login")).content.decode()


def test_nobody_changes_the_address_that_others_vouched_for(sign_in: SignIn) -> None:
    client = sign_in("head")
    assert client.get("/account/email/").status_code == 404
    data = {"action_add": "", "email": "operator@brightspots.invalid"}
    assert client.post("/account/email/", data).status_code == 404


@pytest.mark.parametrize("password", ["short", "password1234", "head@test.invalid", "Head"])
def test_weak_passwords_are_refused(sign_in: SignIn, password: str) -> None:
    client = sign_in("head")
    page = client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": password, "password2": password},
    )
    assert page.status_code == 200
    assert Person.objects.get(email="head@test.invalid").check_password(PASSWORD)


def test_after_signing_in_one_cannot_be_sent_to_another_site(world: World) -> None:
    page = Client().post(
        reverse("account_login") + "?next=https://elsewhere.invalid/",
        {"login": "head@test.invalid", "password": PASSWORD},
    )
    assert page.headers["Location"] == reverse("home:front")


# Forgotten passwords


def test_without_a_mail_server_the_page_says_whom_to_ask(world: World) -> None:
    page = Client().get(reverse("account_reset_password")).content.decode()
    assert "Ask whoever appointed you" in page
    assert 'type="email"' not in page


def test_with_a_mail_server_people_we_registered_get_a_link_that_works_once(
    world: World, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.test.invalid"
    Client().post(reverse("account_reset_password"), {"email": "head@test.invalid"})
    assert [message.to for message in mail.outbox] == [["head@test.invalid"]]
    found = re.search(r"http://testserver(\S+)", str(mail.outbox[0].body))
    assert found
    client = Client()
    form = client.get(found[1], follow=True)
    new = "an entirely new one"
    client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert sign_in_by_form(Client(), "head@test.invalid", new) == 302
    assert "Bad Token" in Client().get(found[1], follow=True).content.decode()


def test_asking_for_a_strangers_password_tells_nothing_and_sends_nothing(
    world: World, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.test.invalid"
    answers = [
        Client().post(reverse("account_reset_password"), {"email": email})
        for email in ("head@test.invalid", "stranger@test.invalid")
    ]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert [message.to for message in mail.outbox] == [["head@test.invalid"]]


# One click in the sample


@pytest.fixture
def invented_minister(world: World) -> Appointment:
    minister = world.cast["minister"]
    Person.objects.filter(pk=minister.person_id).update(email="minister@sample.invalid")
    return minister


def one_click(appointment: Appointment) -> tuple[int, int, int]:
    client = Client()
    page = client.get(reverse("directory:cast"))
    click = client.post(reverse("directory:sign_in_as", args=[appointment.pk]))
    return page.status_code, click.status_code, client.get(reverse("directory:schools")).status_code


def test_one_click_signs_in_as_a_person_of_the_sample(invented_minister: Appointment) -> None:
    assert one_click(invented_minister) == (200, 302, 200)


def test_one_click_is_not_there_outside_sample_settings(
    invented_minister: Appointment, settings: Settings
) -> None:
    settings.SAMPLE_MODE = False
    assert one_click(invented_minister) == (404, 404, 302)


def test_one_click_is_not_there_on_a_real_system(invented_minister: Appointment) -> None:
    System.objects.update(is_sample=False)
    assert one_click(invented_minister) == (404, 404, 302)


def test_one_click_needs_a_person_of_the_sample_with_a_live_appointment(world: World) -> None:
    assert one_click(world.cast["minister"]) == (200, 404, 302)
    former = world.cast["former_head"]
    Person.objects.filter(pk=former.person_id).update(email="former@sample.invalid")
    assert one_click(former)[1:] == (404, 302)


# Every answer


PLACES = ["/account/login/", "/health/", "/nowhere/", "/sample/sign-in/"]


@pytest.mark.parametrize("path", PLACES)
def test_every_answer_carries_the_content_security_policy(world: World, path: str) -> None:
    answer = Client().get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


INLINE = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", re.I)


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_reset_password",
        "directory:cast",
        "account_change_password",
        "mfa_index",
        "usersessions_list",
        "home:ministry",
        "directory:schools",
        "directory:people",
        "connectedness:partnerships",
        "connectedness:isolation",
        "connectedness:proposals",
        "shared:audit",
        "shared:jobs",
    ],
)
def test_pages_carry_no_inline_style_or_script_that_the_policy_would_stop(
    sign_in: SignIn, name: str
) -> None:
    who = "anonymous" if name in {"account_login", "account_reset_password"} else "minister"
    page = sign_in(who).get(reverse(name), follow=True)
    assert page.status_code == 200
    assert not INLINE.search(page.content.decode())


@pytest.mark.parametrize("code", ["N2", "P-UPPER"])
def test_pages_with_drawings_carry_no_inline_style_or_script(sign_in: SignIn, code: str) -> None:
    path = f"/partnerships/{code}/" if code.startswith("P") else f"/schools/{code}/"
    assert not INLINE.search(sign_in("minister").get(path).content.decode())


def test_posting_needs_the_token_of_the_form(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in_by_form(client, "head@test.invalid", PASSWORD) == 403
    client.force_login(world.person("minister"))
    assert client.post(reverse("directory:people"), {}).status_code == 403
    assert client.post(reverse("account_logout")).status_code == 403


def test_a_stranger_is_sent_to_sign_in_and_back(world: World) -> None:
    answer = Client().get("/schools/N2/?page=2")
    assert answer.headers["Location"] == "/account/login/?next=/schools/N2/%3Fpage%3D2"


def test_health_says_one_word_and_asks_one_question(world: World) -> None:
    from django.db import connection

    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = Client().get("/health/")
    assert answer.content == b"ok"
    assert len(asked) == 1


def test_an_unknown_address_shows_our_page(world: World) -> None:
    answer = Client().get("/nowhere/")
    assert answer.status_code == 404
    assert "<h1>There is no such page</h1>" in answer.content.decode()


def test_the_page_for_an_error_of_ours_needs_no_database() -> None:
    answer = server_error(RequestFactory().get("/"))  # this test may not touch the database
    assert answer.status_code == 500
    assert "<h1>Something went wrong here</h1>" in answer.content.decode()
