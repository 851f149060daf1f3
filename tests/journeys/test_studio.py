"""An officer changes a proposal, asks the schools, and adopts it; a phone, a desk, two at once."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SIZES, SignIn
from tests.journeys.test_pages import looks_right, visit


def newest(page: Page) -> str:
    """The address of the newest proposal this person may see."""
    visit(page, "/proposals/")
    link = page.get_by_role("region", name="Proposals, newest first").get_by_role("link").first
    href = link.get_attribute("href")
    assert href is not None
    return href


def a_member(page: Page) -> tuple[str, str]:
    """Name and address of a school that leads nothing."""
    item = page.locator(".group li", has_not=page.get_by_text("leads", exact=True)).first
    link = item.get_by_role("link")
    return link.inner_text(), str(link.get_attribute("href"))


@pytest.mark.parametrize("size", SIZES)
def test_a_move_is_shown_done_undone_and_never_laid_over_anothers(
    size: str, sign_in: SignIn
) -> None:
    officer = sign_in("District officer", size, java_script_enabled=size == "desk")
    proposal = newest(officer)
    visit(officer, proposal)
    name, link = a_member(officer)
    visit(officer, link)
    officer.get_by_label("Move it to").select_option(index=0)
    officer.get_by_role("button", name="See what that would do").click()
    expect(officer.get_by_role("heading", name="What that would do")).to_be_visible()

    minister = sign_in("Ministry", size)  # has the same page open
    visit(minister, officer.url)
    minister.get_by_label("Why").fill("(Invented.) The minister's reason.")
    officer.get_by_label("Why").fill("(Invented.) They share a bus.")
    officer.get_by_role("button", name="Move it").click()
    expect(officer.get_by_text("Done. You can undo it.")).to_be_visible()
    expect(officer.get_by_text(f"Last change: {name} moved")).to_be_visible()

    minister.get_by_role("button", name="Move it").click()
    expect(minister.get_by_text("Somebody changed this proposal")).to_be_visible()
    expect(minister.get_by_text(f"{name} moved from")).to_be_visible()

    officer.get_by_role("button", name="Undo").click()
    expect(officer.get_by_text("Undone. The history keeps both.")).to_be_visible()
    officer.get_by_role("link", name="History").click()
    expect(officer.get_by_text(f"Undone: {name} moved").first).to_be_visible()
    expect(officer.get_by_text("They share a bus.").first).to_be_visible()


def test_dragging_opens_the_same_page_as_choosing(sign_in: SignIn) -> None:
    page = sign_in("District officer")
    visit(page, newest(page))
    name, _link = a_member(page)
    item = page.locator(".group li", has=page.get_by_role("link", name=name, exact=True))
    item.scroll_into_view_if_needed()
    start = item.get_by_role("link").bounding_box()
    end = page.locator(".group").nth(1).locator("h3").bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 20, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + 20, end["y"] + 5, steps=8)
    page.mouse.move(end["x"] + 22, end["y"] + 6)
    page.mouse.up()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("heading", name="What that would do")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_a_head_agrees_another_says_why_not_and_the_officer_reads_it(
    size: str, sign_in: SignIn
) -> None:
    words = f"(Invented.) The road floods, seen on a {size}."
    head = sign_in("Head teacher", size, java_script_enabled=False)
    if size == "phone":
        head.get_by_role("link", name="See it and answer").click()
    else:
        visit(head, newest(sign_in("District officer")).replace("proposals", "consultations"))
    expect(head.get_by_role("region", name="Schools that would work together")).to_be_visible()
    head.get_by_label("We agree").check()
    head.get_by_role("button", name="Send the answer").click()
    expect(head.get_by_text("your school agrees")).to_be_visible()

    leader = sign_in("System leader", size)
    visit(leader, newest(sign_in("District officer")).replace("proposals", "consultations"))
    leader.get_by_label("Something speaks against it").check()
    leader.get_by_label("What speaks against it").fill("")
    leader.get_by_role("button", name="Send the answer").click()
    expect(leader.get_by_text("Say in a few words").first).to_be_visible()
    leader.get_by_label("What speaks against it").fill(words)
    leader.get_by_role("button", name="Send the answer").click()
    expect(leader.get_by_text("something speaks against it.")).to_be_visible()

    officer = sign_in("District officer", size)
    visit(officer, newest(officer) + "replies/")
    officer.get_by_role("link", name="with a concern").click()
    expect(officer.get_by_text(words)).to_be_visible()


def test_the_pages_fit_and_are_open_to_everybody(sign_in: SignIn) -> None:
    page = sign_in("District officer", bypass_csp=True)
    own = newest(page)
    visit(page, own)
    _name, move = a_member(page)
    visit(page, move)
    to = page.get_by_label("Move it to").locator("option").last.get_attribute("value")
    paths = ["", "pins/", "replies/", "compare/", "history/", "ask/", "adopt/", "again/"]
    for path in [*(own + path for path in paths), move, f"{move}&to={to}"]:
        looks_right(page, path)
    head = sign_in("Head teacher", bypass_csp=True)
    looks_right(head, own.replace("proposals", "consultations"))


def test_in_the_end_it_is_adopted_for_a_later_day_and_could_be_called_off(
    sign_in: SignIn,
) -> None:
    """Last in this file: what is adopted changes no more."""
    day = timezone.localdate() + timedelta(days=60)
    officer = sign_in("District officer", "phone", java_script_enabled=False)
    visit(officer, newest(officer))
    officer.get_by_role("link", name="Adopt", exact=True).click()
    officer.get_by_label("The partnerships begin on").fill(day.isoformat())
    officer.get_by_role("button", name="Adopt these partnerships").click()
    expect(officer.get_by_text("until then the present partnerships hold").first).to_be_visible()
    head = sign_in("Head teacher", "phone")
    visit(head, newest(officer).replace("proposals", "consultations"))
    said = f"This was adopted and holds from {day.day} {day:%B} {day.year}"
    expect(head.get_by_text(re.compile(said))).to_be_visible()
    visit(officer, newest(officer))
    officer.get_by_role("button", name="Call it off").click()
    expect(officer.get_by_text("The old partnerships go on.")).to_be_visible()
