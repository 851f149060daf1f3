"""A dialogue: called, talked in and written down; what is promised there is kept."""

import re
from datetime import date, timedelta

from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import looks_right, visit

PHONE = {"size": "phone", "java_script_enabled": False}


def day(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011 - the machine's own day


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def choose(page: Page, label: str, words: str) -> None:
    option = page.get_by_label(label).locator("option", has_text=words).first
    page.get_by_label(label).select_option(value=option.get_attribute("value"))


def name_of(page: Page) -> str:
    """The person's name, as the frame of every page has it."""
    return page.locator(".acting").inner_text().split(",")[0].removeprefix("You are acting as")


def test_a_dialogue_is_called_on_a_phone_and_what_is_promised_is_kept(sign_in: SignIn) -> None:
    title, promise = "(Invented.) Time to talk", "(Invented.) One form less a term"
    officer = sign_in("District officer", **PHONE)
    me = name_of(officer).strip()
    visit(officer, "/dialogues/")
    fits(officer, "phone")
    officer.get_by_role("link", name="Call a dialogue").click()
    officer.get_by_label("What it is about").fill(title)
    choose(officer, "Who answers there", me)
    officer.get_by_label("Day").fill(day(0))
    officer.get_by_label("Begins at").fill("14:00")
    officer.get_by_label("Place").fill("(Invented.) The library")
    officer.get_by_label("How many to ask").fill("6")
    fits(officer, "phone")
    press(officer, "Call it and ask them")
    expect(officer.get_by_text("Drawn by lot:")).to_be_visible()
    officer.get_by_label("The point, in own words").fill("(Invented.) Which forms do we need?")
    press(officer, "Put it on the agenda")
    expect(officer.get_by_text("Which forms do we need?").first).to_be_visible()
    fits(officer, "phone")

    officer.get_by_role("link", name="Write down what was said").click()
    press(officer, "Write it down")
    expect(officer.get_by_text("This field is required.").first).to_be_visible()
    officer.get_by_label("What was said").fill("(Invented.) Eleven forms ask for the same.")
    officer.locator("input[name=there]").first.check()
    press(officer, "Write it down")
    expect(officer.get_by_text("1 teacher or head was there.").first).to_be_visible()
    officer.get_by_role("link", name="Promise something").click()
    officer.get_by_label("What is promised").fill(promise)
    choose(officer, "Who sees to it", me)
    officer.get_by_label("By when").fill(day(20))
    fits(officer, "phone")
    press(officer, "Promise it")
    expect(officer.get_by_role("heading", name=promise)).to_be_visible()

    officer.get_by_text("Say how it stands").click()
    officer.get_by_label("How it stands").fill("(Invented.) The forms are counted.")
    officer.get_by_label("It needs longer, until").fill(day(40))
    press(officer, "Say it")
    expect(officer.get_by_text("first promised for").first).to_be_visible()
    officer.get_by_text("Say how it ended").click()
    officer.get_by_label("kept", exact=True).check()
    officer.get_by_label("What was done, or why not").fill("(Invented.) The form is gone.")
    fits(officer, "phone")
    press(officer, "Write down how it ended")
    expect(officer.get_by_role("heading", name="Kept: what was done")).to_be_visible()

    head = sign_in("Head teacher", **PHONE)
    visit(head, "/commitments/?state=kept")
    fits(head, "phone")
    head.get_by_role("link", name=promise).click()
    expect(head.get_by_text("The form is gone.")).to_be_visible()
    fits(head, "phone")
    head.get_by_role("link", name=re.compile("Time to talk")).click()
    expect(head.get_by_text("Eleven forms ask for the same.")).to_be_visible()
    expect(head.get_by_role("link", name="Promise something")).to_have_count(0)
    fits(head, "phone")


def test_dialogues_and_promises_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    for role in ("District officer", "Head teacher"):
        page = sign_in(role, bypass_csp=True)
        paths = ["/dialogues/", "/commitments/"]
        for listed, link in (("/dialogues/", "dialogues"), ("/commitments/", "commitments")):
            visit(page, listed)
            found = page.locator(f"main td a[href*='/{link}/'], main a[href^='/{link}/']").all()
            paths += [each.get_attribute("href") or listed for each in found[:3]]
        for path in dict.fromkeys(paths):
            if "commitments." in path:
                continue  # a file
            looks_right(page, path)
