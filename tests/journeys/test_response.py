"""A consultation from its opening to what was done and what could not be, on a small phone."""

import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.conftest import environment
from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_dialogue import choose, name_of, press
from tests.journeys.test_pages import RULES, visit

PHONE = {"size": "phone", "java_script_enabled": False}
TITLE = "(Invented.) One form for leave"

SEED = """
import sys
from datetime import timedelta
from pathlib import Path
from brightspots_cli import platform
platform.start(Path(sys.argv[1]))
from brightspots_web.accountability import voice_answer_actions as answering
from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability import voice_time_actions as timing
from brightspots_web.directory import actions, queries as directory
found = next(each for each in queries.open_ones() if each.pk == int(sys.argv[2]))
scale, text = found.questions.all()
asked = queries.asked_rows(found)[:8]
assert len(asked) == 8
for number, (row, by) in enumerate(asked):
    words = {text.pk: f"(Invented.) Words {number}."}
    given = answering.Given({scale.pk: str(1 + number % 5)}, words)
    answering.answer(found, given, answering.token_of(row, found), by=by)
today = directory.today()
timing.date_back(found, opens=today - timedelta(days=20), closes=today,
                 answer_due=today + timedelta(days=20), by=actions.command_line_operator())
assert timing.close_when_over(found).answers == 8
"""
"""Eight people answer, and its day has come: by the actions of the pages and of the worker."""


def day(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011 - the machine's own day


def opened(ministry: Page) -> str:
    """Ask, with the ministry's person for the answer and an analyst to moderate; its address."""
    me = name_of(ministry).strip()
    visit(ministry, "/voice/new/")
    ministry.get_by_label("What you ask about").fill(TITLE)
    ministry.get_by_label("the design of a policy").check()
    ministry.get_by_label("The policy, in plain words").fill("(Invented.) Leave is asked for once.")
    ministry.get_by_label("Question 1").fill("One form is enough.")
    ministry.get_by_label("Question 2").fill("What would you leave out?")
    ministry.get_by_label("How it is answered").nth(1).select_option("text")
    ministry.get_by_label("Closes on").fill(day(10))
    ministry.get_by_label("Answered by").fill(day(25))
    choose(ministry, "Who owes the answer", me)
    choose(ministry, "Who moderates", ", Analyst")
    press(ministry, "Save the draft")
    ministry.get_by_role("link", name="Look once more, then open it").click()
    fits(ministry, "phone")
    press(ministry, "Open it")
    expect(ministry.get_by_text("everybody who is asked is told")).to_be_visible()
    return urlsplit(ministry.url).path


def test_you_said_we_did_and_we_could_not_because(sign_in_alone: SignIn, tmp_path: Path) -> None:
    ministry = sign_in_alone("Ministry", **PHONE)
    # An answer of the sample is overdue: in front of the ministry itself.
    visit(ministry, "/")
    overdue = ministry.get_by_text(re.compile("Answers that are overdue.*owed an answer by"))
    expect(overdue.first).to_be_visible()
    place = opened(ministry)

    pk = place.strip("/").rsplit("/", 1)[1]
    command = [sys.executable, "-c", SEED, str(tmp_path / "home"), pk]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    analyst = sign_in_alone("Analyst", **PHONE)
    visit(analyst, "/voice/moderate/")
    fits(analyst, "phone")
    analyst.get_by_role("link", name=TITLE).click()
    expect(analyst.get_by_role("listitem").filter(has_text="(Invented.) Words")).to_have_count(8)
    first = analyst.locator(".judged > li").first
    first.locator("summary").click()
    first.get_by_label("More on it").fill("(Invented.) Names somebody.")
    first.get_by_role("button", name="Withhold it").click()
    expect(analyst.get_by_text("Choose why it is withheld").first).to_be_visible()
    fits(analyst, "phone")
    first = analyst.locator(".judged > li").first
    expect(first.get_by_label("More on it")).to_have_value("(Invented.) Names somebody.")
    first.get_by_label("Why it is withheld").select_option("identifies")
    first.get_by_role("button", name="Withhold it").click()
    expect(analyst.get_by_text("It is withheld.").first).to_be_visible()
    for number in range(1, 8):
        one = analyst.locator(".judged > li").nth(number)
        one.get_by_role("button", name="Show it").click()
        expect(analyst.get_by_text("It is shown.").first).to_be_visible()

    visit(ministry, place)
    ministry.get_by_role("link", name="Answer it").click()
    for said, did, could_not in (
        ("(Invented.) Too many signatures.", "(Invented.) Two are gone.", ""),
        ("(Invented.) Let us send it by phone.", "", "(Invented.) The law asks for paper."),
    ):
        ministry.get_by_label("You said").fill(said)
        ministry.get_by_label("We did").fill(did)
        ministry.get_by_label("We could not, because").fill(could_not)
        press(ministry, "Write it down")
        expect(ministry.get_by_role("heading", name=said)).to_be_visible()
    fits(ministry, "phone")
    ministry.get_by_role("link", name="Write a promise down").click()
    ministry.get_by_label("What is promised").fill("(Invented.) Ask for another law")
    choose(ministry, "Who sees to it", name_of(ministry).strip())
    ministry.get_by_label("By when").fill(day(60))
    press(ministry, "Promise it")
    visit(ministry, f"{place}answer-for/")
    ministry.get_by_label("What you say to everybody").fill("(Invented.) Thank you for this.")
    press(ministry, "Send it to everybody who was asked")
    expect(ministry.get_by_text("Everybody who was asked is told.")).to_be_visible()

    teacher = sign_in_alone("Teacher", **PHONE)
    visit(teacher, place)
    fits(teacher, "phone")
    expect(teacher.get_by_role("heading", name="You said, we did")).to_be_visible()
    for words in (
        *("Two are gone.", "The law asks for paper.", "Ask for another law", "Thank you for this."),
        "The moderator withheld 1 of 8: 1 because it would tell who somebody is.",
    ):
        expect(teacher.get_by_text(words).first).to_be_visible()
    expect(teacher.locator(".said > li")).to_have_count(7)
    teacher.get_by_text("Something is withheld, or shown, that should not be?").click()
    fits(teacher, "phone")
    press(teacher, "Ask for a second look")
    expect(teacher.get_by_text("Somebody asked for a second look.").first).to_be_visible()
    expect(teacher.get_by_role("button", name="Ask for a second look")).to_have_count(0)

    for role, paths in (
        ("Analyst", ("/voice/moderate/", f"/voice/moderate/{pk}/")),
        ("Ministry", (f"{place}answer-for/", "/voice/")),
        ("Head teacher", ("/suggestions/", place)),
    ):
        for size in SIZES:
            page = sign_in_alone(role, size, bypass_csp=True)
            for path in paths:
                open_to_everybody(page, size, path)


def open_to_everybody(page: Page, size: str, path: str) -> None:
    visit(page, path)
    for disclosure in page.locator("main details:not([open]) > summary").all()[:3]:
        if disclosure.is_visible():
            disclosure.click()
    fits(page, size)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
