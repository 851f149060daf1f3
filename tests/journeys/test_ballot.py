"""From proposals over a vote on a phone to three adopted priorities, and to a fourth refused."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.conftest import COMMAND, environment
from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import RULES, visit

TODAY = dt.date.today()  # noqa: DTZ011 - the day of the machine that serves the page, as a person has it
DAYS_PASS = """
import sys
from datetime import timedelta
from pathlib import Path
from brightspots_cli import platform
platform.start(Path(sys.argv[1]), settings="sample")
from brightspots_web.alignment.models import Ballot
ballot = Ballot.objects.select_related("agreement").get(closed_at=None)
agreement, by = ballot.agreement, timedelta(days=9)
for name in ("propose", "consult", "ballot", "adopt", "work", "review"):
    setattr(agreement, name + "_from", getattr(agreement, name + "_from") - by)
ballot.opened_at -= by
ballot.closes_on -= by
agreement.save()
ballot.save()
"""
"""Nobody can end a ballot before its day; so nine days pass."""


def in_days(days: int) -> str:
    return (TODAY + dt.timedelta(days=days)).isoformat()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def is_open_to_all(page: Page, size: str) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
    fits(page, size)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"


def test_from_the_calendar_over_votes_to_three_priorities(
    sign_in_alone: SignIn, tmp_path: Path
) -> None:
    minister = sign_in_alone("Ministry", bypass_csp=True)

    # The ministry moves the calendar on, and opens the ballot.
    visit(minister, "/priorities/calendar/")
    minister.get_by_role("link", name="Change days and weights").last.click()
    for label, days in (("Consultation", -20), ("Ballot", 0), ("Adoption", 8)):
        minister.get_by_label(f"{label}: from").fill(in_days(days))
    minister.get_by_label("Proposals: from").fill(in_days(-60))
    press(minister, "Save")
    sure = minister.get_by_label("Yes: the present phase ends today")
    expect(sure.or_(minister.get_by_text("Now: Ballot")).first).to_be_visible()
    if sure.count():
        sure.check()
        press(minister, "Save")
    visit(minister, "/priorities/")
    minister.get_by_role("link", name="Open the ballot").click()
    is_open_to_all(minister, "desk")
    press(minister, "Open the ballot")
    expect(minister.get_by_text("The ballot is open.")).to_be_visible()
    path = minister.url.partition("/priorities")[2]
    ballot = f"/priorities{path}"

    # A head and a system leader vote on a phone, without JavaScript.
    head = sign_in_alone("Head teacher", "phone", java_script_enabled=False)
    visit(head, "/priorities/")
    head.get_by_role("link", name="Vote for").click()
    fits_without_script(head)
    places = head.locator("form.paper select")
    names = head.locator("form.paper label").all_text_contents()
    places.nth(0).select_option("1")
    places.nth(1).select_option("1")
    press(head, "Look once more")
    expect(head.locator("p.error")).to_contain_text("Give each place once")
    expect(places.nth(0)).to_have_value("1")  # nothing typed is lost
    places.nth(1).select_option("2")
    press(head, "Look once more")
    expect(head.locator("dl dd").first).to_have_text(names[0].strip())
    press(head, "Change it")
    expect(head.locator("form.paper select").nth(1)).to_have_value("2")
    press(head, "Look once more")
    press(head, "Cast this vote")
    expect(head.get_by_text("Your vote is in the urn.")).to_be_visible()
    fits_without_script(head)

    leader = sign_in_alone("System leader", "phone", java_script_enabled=False)
    visit(leader, ballot)
    leader.get_by_role("link", name="Vote for").first.click()
    for place in range(3):
        leader.locator("form.paper select").nth(place).select_option(str(place + 1))
    press(leader, "Look once more")
    press(leader, "Cast this vote")
    expect(leader.get_by_text("vote cast")).to_be_visible()

    # Everybody sees how many voted, and nobody what.
    teacher = sign_in_alone("Teacher", "phone", bypass_csp=True)
    visit(teacher, ballot)
    expect(teacher.get_by_text("2 of 60 votes cast")).to_be_visible()
    expect(teacher.get_by_text("Round 1")).to_have_count(0)
    is_open_to_all(teacher, "phone")

    done = subprocess.run(
        [sys.executable, "-c", DAYS_PASS, str(tmp_path / "home")],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    # Too late, said with the day.
    visit(leader, f"{ballot}vote/school/")
    expect(leader.get_by_text("The ballot closed at the end of")).to_be_visible()

    # The votes are counted where all can see it, and again by the command.
    visit(minister, "/priorities/")
    minister.get_by_role("link", name="Count the ballot").click()
    press(minister, "Count the votes")
    expect(minister.get_by_role("heading", name="Round 1")).to_be_visible()
    is_open_to_all(minister, "desk")
    with minister.expect_download() as download:
        minister.get_by_role("link", name="JSON").click()
    file = tmp_path / "ballot.json"
    download.value.save_as(file)
    again = subprocess.run(
        [COMMAND, "count-ballot", file], env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr
    visit(teacher, ballot)
    chosen = teacher.locator("#chosen + ol li").all_text_contents()
    assert len(chosen) == 3
    assert f"Chosen: {'; '.join(chosen)}" in again.stdout
    is_open_to_all(teacher, "phone")

    adopt_three_and_be_refused_a_fourth(minister)
    visit(teacher, "/priorities/")
    titles = teacher.locator(".priority h2").all_text_contents()
    assert sorted(each.strip() for each in titles) == sorted(chosen)
    is_open_to_all(teacher, "phone")


def fits_without_script(page: Page) -> None:
    wide = page.locator("main").evaluate("() => document.documentElement.scrollWidth")
    assert wide <= SIZES["phone"][0]


def adopt_three_and_be_refused_a_fourth(minister: Page) -> None:
    minister.get_by_role("link", name="Adopt the priorities").click()
    boxes = minister.locator("input[name=p]")
    assert sum(each.is_checked() for each in boxes.all()) == 3
    is_open_to_all(minister, "desk")

    boxes.nth(3).check()
    press(minister, "Go on to their aims")
    expect(minister.get_by_role("alert")).to_contain_text("More than three priorities are none")
    for number in range(4):
        boxes.nth(number).set_checked(number == 0)
    press(minister, "Go on to their aims")
    expect(minister.get_by_role("alert")).to_contain_text("A single priority leaves too much out")
    for number in range(4):
        boxes.nth(number).set_checked(number < 3)
    press(minister, "Go on to their aims")

    minister.get_by_label("How good").first.fill("(Invented.) Nine in ten can.")
    press(minister, "Adopt these priorities")
    expect(minister.get_by_role("alert")).to_contain_text("Say for whom")
    is_open_to_all(minister, "desk")
    for number in range(3):
        minister.get_by_label("How good").nth(number).fill("(Invented.) Nine in ten can.")
        minister.get_by_label("For whom").nth(number).fill("every child in its fifth year")
        minister.get_by_label("By when").nth(number).fill(in_days(700))
    press(minister, "Adopt these priorities")
    expect(minister.get_by_text("Adopted: these are the priorities from today.")).to_be_visible()
    expect(minister.locator(".priority")).to_have_count(3)


@pytest.mark.parametrize("size", SIZES)
def test_the_front_door_and_past_ballots_are_open_to_everybody_and_fit(
    size: str, sign_in: SignIn
) -> None:
    page = sign_in("Head teacher", size, bypass_csp=True)
    for path in ("/priorities/", "/priorities/ballot/", "/priorities/ballot/1/"):
        visit(page, path)
        is_open_to_all(page, size)
