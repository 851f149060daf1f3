"""Notices, and the message that gathers them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from brightspots_web.notices import actions, kinds, queries
from brightspots_web.notices.models import Digest, Notice
from brightspots_web.shared.components import Link
from tests.web.conftest import SignIn
from tests.web.world import World

pytestmark = pytest.mark.django_db
KIND = "test.happened"


@pytest.fixture(autouse=True)
def kind() -> Iterator[None]:
    @kinds.register(KIND)
    def render(data: dict[str, str]) -> Link | None:
        return None if data.get("gone") else Link(f"It happened: {data['what']}", "/there/")

    yield
    kinds._RENDER.pop(KIND)


@pytest.fixture
def mail_server(settings: object) -> None:
    settings.EMAIL_HOST = "mail.invalid"  # type: ignore[attr-defined]
    settings.PUBLIC_ADDRESS = "https://schools.example"  # type: ignore[attr-defined]


def test_each_person_is_told_once_and_sees_only_their_own(world: World, sign_in: SignIn) -> None:
    head, teacher = world.person("head"), world.person("teacher")
    assert actions.notify([head, head], KIND, {"what": "a meeting"}) == 1
    actions.notify([teacher], KIND, {"what": "a secret"})
    page = sign_in("head").get("/notices/").content.decode()
    assert "It happened: a meeting" in page
    assert "secret" not in page


def test_a_newer_one_with_the_same_key_takes_the_place_of_an_unseen_one(world: World) -> None:
    head = world.person("head")
    for what in ("first", "second"):
        actions.notify([head], KIND, {"what": what}, key="same")
    assert [line.text for line in queries.lines(queries.notices_of(head))] == [
        "It happened: second"
    ]
    actions.see(head, up_to=queries.notices_of(head)[0].pk)
    actions.notify([head], KIND, {"what": "third"}, key="same")
    assert Notice.objects.filter(person=head).count() == 2


def test_what_came_after_the_page_was_opened_stays_new(world: World, sign_in: SignIn) -> None:
    head = world.person("head")
    actions.notify([head], KIND, {"what": "before"})
    before = Notice.objects.get().pk
    actions.notify([head], KIND, {"what": "after"})
    sign_in("head").post("/notices/seen/", {"up_to": before})
    assert queries.unseen_count(head) == 1


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "9" * 40])
def test_nonsense_marks_nothing_wrongly_and_breaks_nothing(
    world: World, sign_in: SignIn, nonsense: str
) -> None:
    assert sign_in("head").post("/notices/seen/", {"up_to": nonsense}).status_code == 302


def test_one_message_gathers_what_is_new_and_is_sent_once(world: World, mail_server: None) -> None:
    head = world.person("head")
    for what in ("one", "two"):
        actions.notify([head], KIND, {"what": what})
    actions.notify([head], KIND, {"gone": True})
    assert actions.send_digests() == 1
    assert actions.send_digests() == 0
    (message,) = mail.outbox
    assert message.to == [head.email]
    assert "2 things" in message.subject
    assert "It happened: one\n  https://schools.example/there/" in message.body


def test_the_rhythm_is_each_persons_own(world: World, mail_server: None, sign_in: SignIn) -> None:
    head, teacher = world.person("head"), world.person("teacher")
    sign_in("head").post("/notices/rhythm/", {"rhythm": "weekly"})
    sign_in("teacher").post("/notices/rhythm/", {"rhythm": "never"})
    actions.notify([head, teacher], KIND, {"what": "one"})
    now = timezone.now()
    assert actions.send_digests(now=now) == 1
    actions.notify([head, teacher], KIND, {"what": "two"})
    assert actions.send_digests(now=now + timedelta(days=2)) == 0
    assert actions.send_digests(now=now + timedelta(days=7)) == 1
    assert {message.to[0] for message in mail.outbox} == {head.email}


def test_an_unknown_rhythm_is_refused(world: World, sign_in: SignIn) -> None:
    sign_in("head").post("/notices/rhythm/", {"rhythm": "hourly"})
    assert not Digest.objects.exists()


def test_nothing_is_sent_to_who_left_or_without_a_server(world: World, mail_server: None) -> None:
    actions.notify([world.person("former_head")], KIND, {"what": "one"})
    assert actions.send_digests() == 0


def test_without_a_mail_server_nothing_is_lost(world: World) -> None:
    actions.notify([world.person("head")], KIND, {"what": "one"})
    assert actions.send_digests() == 0
    assert Notice.objects.get().sent_at is None


def test_a_notice_of_a_kind_that_is_gone_breaks_no_page(world: World, sign_in: SignIn) -> None:
    actions.notify([world.person("head")], "of.an.app.taken.away")
    assert sign_in("head").get("/notices/").status_code == 200
