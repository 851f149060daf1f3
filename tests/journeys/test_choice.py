"""A lottery is prepared, agreed and closed; one that was drawn is drawn again by the command."""

import re
import subprocess
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.conftest import COMMAND, environment
from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import visit

PHONE = {"size": "phone", "java_script_enabled": False}
TITLE = "(Invented.) Support for the autumn"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def address_of(page: Page, title: str) -> str:
    visit(page, "/evidence/lotteries/")
    return page.get_by_role("link", name=title).first.get_attribute("href") or ""


def verified(page: Page, address: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Download the lottery's file and let the command draw it again."""
    got = page.request.get(f"{page.url.split('/evidence')[0]}{address}lottery.json")
    assert got.ok
    path.write_bytes(got.body())
    return subprocess.run(
        [COMMAND, "lottery", "verify", path], env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_a_lottery_is_prepared_agreed_and_closed(sign_in: SignIn, tmp_path: Path) -> None:
    analyst, minister = sign_in("Analyst"), sign_in("Ministry", **PHONE)
    visit(analyst, "/evidence/lotteries/new/")
    fits(analyst, "desk")
    analyst.get_by_label("Title").fill(TITLE)
    analyst.get_by_label("What there is to get").fill("(Invented.) Five days by another school.")
    analyst.get_by_label("Places", exact=True).fill("3")
    day = date.today() + timedelta(days=9)  # noqa: DTZ011 - the machine's own day
    analyst.get_by_label("Day of the draw").fill(day.isoformat())
    press(analyst, "Put it to the ministry")
    expect(analyst.get_by_text("It is put to the ministry.")).to_be_visible()
    address = address_of(minister, TITLE)
    visit(minister, address)
    fits(minister, "phone")
    minister.get_by_label("We agree", exact=True).check()
    press(minister, "Answer")
    expect(minister.get_by_text("Your answer is on record")).to_be_visible()
    visit(analyst, address)
    press(analyst, "Close the list and publish the fingerprints")
    expect(analyst.get_by_text("The list is closed")).to_be_visible()
    expect(analyst.get_by_role("table", name="Schools on the list")).to_be_visible()
    done = verified(analyst, address, tmp_path / "a.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not drawn yet" in done.stdout


def test_everybody_can_check_a_lottery_that_was_drawn(sign_in: SignIn, tmp_path: Path) -> None:
    head = sign_in("Head teacher", **PHONE)
    address = address_of(head, "Reading support in spring")
    visit(head, address)
    fits(head, "phone")
    expect(head.get_by_text(re.compile("comes? first next time")).first).to_be_visible()
    expect(head.get_by_role("table", name="Schools on the list")).to_have_count(0)
    done = verified(head, address, tmp_path / "a.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything holds." in done.stdout


def test_what_support_was_chosen_on_is_read_and_narrowed(sign_in: SignIn) -> None:
    analyst = sign_in("Analyst")
    visit(analyst, "/evidence/choices/?kind=deployment")
    fits(analyst, "desk")
    analyst.get_by_role("table").get_by_role("link").first.click()
    expect(analyst.get_by_role("heading", name="What was known that day")).to_be_visible()
    teacher = sign_in("Teacher", **PHONE)
    answer = teacher.goto("/evidence/choices/")
    assert answer is not None
    assert answer.status == 403
