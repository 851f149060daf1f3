"""Every address, every person, every method."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.web.conftest import SignIn
from tests.web.permission_matrix import CAST, MATRIX, Case
from tests.web.world import World

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
    got = {who: answer(sign_in(who), url, data) for who in CAST}
    wanted = {
        who: (case.get[who] if case.get else 405, case.post[who] if case.post else 405)
        for who in CAST
    }
    mismatches = {who: (got[who], wanted[who]) for who in CAST if not fits(got[who], wanted[who])}
    assert not mismatches, f"{url}: (got, wanted) = {mismatches}"


def answer(client: Client, url: str, data: dict[str, object]) -> tuple[int, int]:
    """What GET and POST answer; what they changed is taken back before the next person comes."""
    with transaction.atomic():
        get = client.get(url).status_code
        post = client.post(url, data).status_code
        transaction.set_rollback(True)
    return get, post


def fits(got: tuple[int, int], wanted: tuple[int, int]) -> bool:
    """405 is also kept when the guard in front of the view answers 302, 403 or 404 first."""
    return all(
        a == b or (b == 405 and a in {302, 403, 404}) for a, b in zip(got, wanted, strict=True)
    )
