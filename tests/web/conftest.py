"""Fixtures for the web application."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client, override_settings

from brightspots_web.directory.models import Person
from tests.web import world as invented

SignIn = Callable[[str], Client]

BY_DATABASE = {
    *("test_permission_matrix", "test_races", "test_decision_races", "test_meeting_races"),
    *("test_note_races", "test_practice_search", "test_notes", "test_jobs", "test_audit"),
    *("test_imports", "test_insight", "test_insight_runs", "test_exports"),
    *("test_ballot", "test_ballot_end", "test_disclosure_attack", "test_support_matching"),
    *("test_voice", "test_voice_privacy", "test_audit_chain", "test_suggestions"),
    "test_pulse_privacy",
}
"""Files whose tests rest on what databases do differently: locks, constraints, full-text search,
JSON, the order of rows, and a page of every kind. CI runs them on PostgreSQL too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        own = item.get_closest_marker("django_db")
        if item.path.stem in BY_DATABASE or (own and own.kwargs.get("transaction")):
            item.add_marker(pytest.mark.by_database)


def on_second_database() -> bool:
    """Whether the whole suite runs on another database beside this run."""
    return connection.vendor == "postgresql"


@pytest.fixture
def world(db: None) -> invented.World:
    """The invented system of `tests/web/world.py`."""
    return invented.build()


@pytest.fixture
def own_keys(tmp_path: Path) -> Iterator[None]:
    """Sealing keys of this test alone: the processes of a run share a home, and sweep it."""
    with override_settings(HOME=tmp_path):
        yield


def signed_in(client: Client, person: Person) -> None:
    """As `client.force_login`, without what only the pages of sign-in look at: half the time."""
    session = SessionStore()
    session.update(
        {
            SESSION_KEY: str(person.pk),
            BACKEND_SESSION_KEY: "allauth.account.auth_backends.AuthenticationBackend",
            HASH_SESSION_KEY: person.get_session_auth_hash(),
        }
    )
    session.create()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key


@pytest.fixture
def sign_in(world: invented.World) -> SignIn:
    """A client signed in as one of the cast, as "nobody" or as "anonymous"."""

    def as_person(who: str) -> Client:
        client = Client()
        if who != "anonymous":
            signed_in(client, world.person(who))
        return client

    return as_person
