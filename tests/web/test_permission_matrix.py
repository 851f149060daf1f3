"""Every address, every person, every method."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse

from tests.web.conftest import SignIn, on_second_database
from tests.web.permission_matrix import CAST, MATRIX, Case
from tests.web.world import World

FORM = re.compile(r"<form\b[^>]*\saction=\"([^\"]*)\"")
ALLAUTH = ("account_", "mfa_", "usersessions_")
"""allauth guards its own pages; tests/web/test_sign_in.py covers the ones we lean on."""


def routes(
    patterns: list[URLPattern | URLResolver], namespace: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner)
        else:
            yield f"{namespace}{pattern.name}", pattern


def own_routes() -> set[str]:
    found = {name for name, _ in routes(get_resolver().url_patterns)}
    return {name for name in found if not name.startswith(ALLAUTH)}


def test_every_route_has_a_name_and_stands_in_the_matrix() -> None:
    assert "None" not in {name.rpartition(":")[2] for name in own_routes()}
    assert own_routes() == set(MATRIX)


def test_every_case_says_what_everybody_gets() -> None:
    for name, cases in MATRIX.items():
        assert cases, name
        for case in cases:
            for statuses in (case.get, case.post):
                assert statuses is None or set(statuses) == set(CAST), name


CASES = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name, cases in MATRIX.items()
    for number, case in enumerate(cases)
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_everybody_gets_what_the_matrix_says(
    name: str, case: Case, world: World, sign_in: SignIn
) -> None:
    url = reverse(name, kwargs=case.kwargs(world))
    data = case.data(world)
    mismatches = {}
    people = welcome(case)[:1] if on_second_database() else CAST
    for who in people:
        asked = [method for method in ("get", "post") if is_asked(case, method, who)]
        got = answers(sign_in(who), url, data, asked) if asked else {}
        wanted = {method: wants(case, method, who) for method in asked}
        if not all(fits(got[method], wanted[method]) for method in asked):
            mismatches[who] = (got, wanted)
    assert not mismatches, f"{url}: (got, wanted) = {mismatches}"


def wants(case: Case, method: str, who: str) -> int:
    statuses = case.get if method == "get" else case.post
    return statuses[who] if statuses else 405


def is_asked(case: Case, method: str, who: str) -> bool:
    """A method that is not served is asked of who comes furthest with the other, and of a stranger.

    Whoever the other method refuses may be refused before the method is looked at.
    """
    if (case.get if method == "get" else case.post) is not None:
        return True
    return who in {*welcome(case)[:2], "anonymous"}


def welcome(case: Case) -> list[str]:
    """Who gets an answer to what is served, strangers apart."""
    served = case.get or case.post or {}
    return [who for who in CAST if served.get(who, 500) < 400 and who != "anonymous"]


def answers(
    client: Client, url: str, data: dict[str, object], methods: list[str]
) -> dict[str, int]:
    """What each method answers; what it changed is taken back before the next person comes."""
    got = {}
    with transaction.atomic():
        if "get" in methods:
            page = client.get(url)
            lead_somewhere(page)
            got["get"] = page.status_code
        if "post" in methods:
            got["post"] = client.post(url, data).status_code
        transaction.set_rollback(True)
    return got


def lead_somewhere(page: HttpResponseBase) -> None:
    """Hold that every form of a page is sent to an address there is."""
    if page.streaming or not page.headers.get("Content-Type", "").startswith("text/html"):
        return
    assert isinstance(page, HttpResponse)
    for found in FORM.findall(page.content.decode()):
        try:
            resolve(urlsplit(unescape(found)).path or "/")
        except Resolver404:
            pytest.fail(f"a form is sent to {found!r}")


def fits(got: int, wanted: int) -> bool:
    """405 is also kept when the guard in front of the view answers 302, 403 or 404 first."""
    return got == wanted or (wanted == 405 and got in {302, 403, 404})


def test_a_method_that_is_not_served_is_still_asked_of_somebody() -> None:
    case = Case(get=dict.fromkeys(CAST, 404) | {"head": 200, "anonymous": 302})
    assert [who for who in CAST if is_asked(case, "post", who)] == ["head", "anonymous"]
    assert all(is_asked(case, "get", who) for who in CAST)
