"""Two or three priorities: never one, never four."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from brightspots_web.alignment import actions, queries
from brightspots_web.alignment.actions import Wanted
from brightspots_web.alignment.models import Priority
from brightspots_web.shared.models import AuditEntry
from tests.web.conftest import SignIn
from tests.web.world import World

READING, NUMBER = Wanted("Early reading", "Too few read at ten."), Wanted("Number sense")
pytestmark = pytest.mark.django_db


def titles() -> list[str]:
    return [each.title for each in queries.live_priorities()]


def test_two_are_set_and_a_third_joins_them(world: World) -> None:
    minister = world.cast["minister"]
    reading, number = actions.set_priorities([READING, NUMBER], by=minister)
    kept = [Wanted(each.title, code=each.code) for each in (reading, number)]
    actions.set_priorities([*kept, Wanted("Attendance")], by=minister)
    assert titles() == ["Early reading", "Number sense", "Attendance"]
    assert Priority.objects.get(title="Early reading").pk == reading.pk
    assert AuditEntry.objects.filter(action="alignment.set_priorities").count() == 2


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ([], "two or three"),
        ([READING], "single"),
        ([READING, NUMBER, Wanted("C"), Wanted("D")], "More than three"),
        ([READING, Wanted(" early READING ")], "same title"),
        ([READING, Wanted("  ")], "needs a title"),
        ([READING, Wanted("Gone", code="gone")], "changed meanwhile"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    world: World, wanted: list[Wanted], words: str
) -> None:
    actions.set_priorities([READING, NUMBER], by=world.cast["minister"])
    with pytest.raises(ValidationError, match=words):
        actions.set_priorities(wanted, by=world.cast["minister"])
    assert titles() == ["Early reading", "Number sense"]


@pytest.mark.parametrize("who", ["analyst", "district_officer", "system_leader", "head", "teacher"])
def test_nobody_but_the_ministry_sets_them(world: World, who: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.set_priorities([READING, NUMBER], by=world.cast[who])


def test_one_that_is_left_out_ends_today_and_may_come_back(world: World) -> None:
    minister = world.cast["minister"]
    actions.set_priorities([READING, NUMBER], by=minister)
    Priority.objects.update(starts=timezone.localdate() - timedelta(days=300))
    number = Priority.objects.get(title="Number sense")
    actions.set_priorities([Wanted("Number sense", code=number.code), Wanted("Talk")], by=minister)
    assert titles() == ["Number sense", "Talk"]
    assert Priority.objects.get(title="Early reading").ends == timezone.localdate()
    actions.set_priorities([READING, NUMBER], by=minister)
    assert Priority.objects.filter(title="Early reading").count() == 2
    assert len(set(Priority.objects.values_list("code", flat=True))) == Priority.objects.count()


def test_the_page_shows_them_to_all_and_the_form_to_the_ministry(
    world: World, sign_in: SignIn
) -> None:
    empty = sign_in("teacher").get("/priorities/").content.decode()
    assert "No priorities yet" in empty
    assert "<form" not in empty.split("<main")[1]
    minister = sign_in("minister")
    answer = minister.post(
        "/priorities/", {"title_1": "Early reading", "title_2": "Number sense", "why_1": "Why so"}
    )
    assert answer.status_code == 302
    assert "Why so" in sign_in("teacher").get("/priorities/").content.decode()
    page = minister.post("/priorities/", {"title_1": "Only one"}).content.decode()
    assert "A single priority leaves too much out" in page
    assert "Only one" in page  # what was typed is not lost


def fields(answer: Any) -> dict[str, Any]:
    """What the form on a page would send."""
    return {each.html_name: each.value() or "" for each in answer.context["form"]}


def test_what_somebody_else_set_meanwhile_is_not_ended_silently(
    world: World, sign_in: SignIn
) -> None:
    minister = world.cast["minister"]
    actions.set_priorities([READING, NUMBER], by=minister)
    client = sign_in("minister")
    sent = fields(client.get("/priorities/")) | {"why_1": "MINE"}
    kept = [Wanted(each.title, each.why, code=each.code) for each in queries.live_priorities()]
    actions.set_priorities([*kept, Wanted("Attendance")], by=minister)
    answer = client.post("/priorities/", sent)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Somebody else changed" in page
    assert "Attendance" in page
    assert "MINE" in page
    assert len(titles()) == 3
    assert client.post("/priorities/", fields(answer)).status_code == 302
    assert titles() == ["Early reading", "Number sense"]


def test_pressed_twice_they_are_set_once(world: World, sign_in: SignIn) -> None:
    client = sign_in("minister")
    sent = fields(client.get("/priorities/"))
    sent |= {"title_1": "Early reading", "title_2": "Number sense"}
    for _press in range(2):
        assert client.post("/priorities/", sent).status_code == 302
    assert Priority.objects.count() == 2
    assert AuditEntry.objects.filter(action="alignment.set_priorities").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_ministers_at_once_never_make_four(world: World) -> None:
    from django.db import connection

    if connection.vendor == "sqlite":
        pytest.skip("one writer at a time: SQLite locks the whole file")
    minister = world.cast["minister"]
    problems: list[Exception] = []

    def set_them(number: int) -> None:
        try:
            actions.set_priorities([Wanted(f"A{number}"), Wanted(f"B{number}")], by=minister)
        except ValidationError as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=set_them, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert len(titles()) == 2
