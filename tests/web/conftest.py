"""Fixtures for the web application."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.web import world as invented

SignIn = Callable[[str], Client]


@pytest.fixture
def world(db: None) -> invented.World:
    """The invented system of `tests/web/world.py`."""
    return invented.build()


@pytest.fixture
def sign_in(world: invented.World) -> SignIn:
    """A client signed in as one of the cast, as "nobody" or as "anonymous"."""

    def as_person(who: str) -> Client:
        client = Client()
        if who != "anonymous":
            client.force_login(
                world.person(who), backend="allauth.account.auth_backends.AuthenticationBackend"
            )
        return client

    return as_person
