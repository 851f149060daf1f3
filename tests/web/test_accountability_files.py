"""Every list of accountability leads to its file, and the file says what its reader may read."""

import ast
import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import brightspots_web.accountability
from brightspots_web.accountability import dialogue_actions, response_actions, suggestion_actions
from tests.web import dialogue_helpers, response_helpers, voice_helpers
from tests.web.conftest import SignIn
from tests.web.world import World

PAGES = sorted(Path(brightspots_web.accountability.__file__).parent.glob("*_pages.py"))


def without_file(source: str) -> Iterator[int]:
    """The lines of tables that name no files of theirs."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "Table":
            continue
        if "exports" not in {keyword.arg for keyword in node.keywords}:
            yield node.lineno


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_table_leads_to_its_file(path: Path) -> None:
    assert list(without_file(path.read_text())) == []


def test_a_table_without_its_file_is_found() -> None:
    assert list(without_file("a = 1\nTable(_('Names'), [], [])")) == [2]


def lines(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type] # a stream
    return list(csv.DictReader(io.StringIO(text)))


def test_a_consultation_stands_with_each_point_of_its_answer_once_that_is_sent(
    world: World, sign_in: SignIn
) -> None:
    asked = response_helpers.counted(world)
    response_helpers.a_point(world, asked)
    [row] = lines(sign_in("head"), "/voice.csv")
    assert (row["What is asked about"], row["Answers"]) == (asked.title, "6 of 14")
    assert row["You said"] == row["What was done"] == row["Answered"] == ""  # not sent yet
    officer = world.cast["district_officer"]
    response_actions.add_point(
        asked, by=officer, seen=None, said="A later bus.", did="", could_not="None was to be had."
    )
    response_actions.send(asked, by=officer, seen=None, words="Thank you.")
    first, second = lines(sign_in("head"), "/voice.csv")
    assert first["You said"] == "There are too few books."
    assert first["What was done"] == "A box of forty for each class."
    assert second["Why it could not be done"] == "None was to be had."
    assert first["How it stands"] == second["How it stands"] == "answered"
    assert first["Answered"]
    assert lines(sign_in("head"), "/voice.csv?state=open") == []
    assert lines(sign_in("other_head"), "/voice.csv") == []


def test_below_five_answers_the_file_says_no_more_than_the_page(
    world: World, sign_in: SignIn
) -> None:
    voice_helpers.a_consultation(world, state="closed", answers=4)
    [row] = lines(sign_in("minister"), "/voice.csv")
    assert row["Answers"] == "fewer than five"
    assert "4" not in {value for name, value in row.items() if name not in {"Last day", "By when"}}


def test_a_draft_is_in_the_file_of_its_own_side_alone(world: World, sign_in: SignIn) -> None:
    voice_helpers.a_consultation(world, state="draft")
    assert len(lines(sign_in("district_officer"), "/voice.csv")) == 1
    assert lines(sign_in("head"), "/voice.csv") == []


def test_dialogues_stand_with_their_minutes_and_without_who_was_drawn(
    world: World, sign_in: SignIn
) -> None:
    dialogue_helpers.held(world)
    off = dialogue_helpers.called(world, title="Books", seats=10)
    officer = world.cast["district_officer"]
    dialogue_actions.call_off(off, "The bridge is closed.", by=officer, seen=None)
    rows = {row["About"]: row for row in lines(sign_in("head"), "/dialogues.csv")}
    assert rows["Time for planning"]["Minutes"] == "We talked about time."
    assert rows["Books"]["Why"] == "The bridge is closed."
    drawn = world.person("teacher").name
    assert not any(drawn in value for row in rows.values() for value in row.values())
    assert lines(sign_in("other_head"), "/dialogues.csv") == []


def test_suggestions_stand_with_what_came_of_them_once_they_are_shown(
    world: World, sign_in: SignIn
) -> None:
    shown = response_helpers.shown(world)
    [row] = lines(sign_in("teacher"), "/suggestions.csv")  # four more are not read yet
    assert (row["You said"], row["What was done"]) == (shown.words, "")
    suggestion_actions.answer(
        shown, by=world.cast["district_officer"], did="From Monday on.", could_not=""
    )
    [row] = lines(sign_in("teacher"), "/suggestions.csv")
    assert (row["What was done"], row["How it stands"]) == ("From Monday on.", "answered")
    assert lines(sign_in("other_head"), "/suggestions.csv") == []


@pytest.mark.parametrize(
    ("page", "make"),
    [
        ("/voice", response_helpers.counted),
        ("/dialogues", dialogue_helpers.held),
        ("/suggestions", response_helpers.shown),
    ],
)
def test_the_page_leads_to_the_file(
    page: str, make: Callable[[World], Any], world: World, sign_in: SignIn
) -> None:
    make(world)
    shown = sign_in("head").get(f"{page}/").content.decode()
    assert f'href="{page}.csv"' in shown
    assert f'href="{page}.xlsx"' in shown
