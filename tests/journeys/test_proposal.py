"""From the calendar over two proposals that become one to a teacher's amendment and its answer."""

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import looks_right, visit

WRITES = "Every child writes a page that others understand"
ALL_WRITE = "All children write a page that others understand"


def begin_consultation(minister: Page, day: date) -> None:
    """Set the day on which the consultation on the next cycle begins; what ends by it is meant."""
    visit(minister, "/priorities/calendar/")
    minister.get_by_role("link", name="Change days and weights").last.click()
    minister.get_by_label("Consultation: from").fill(day.isoformat())
    minister.get_by_role("button", name="Save").click()
    expect(minister.get_by_text("would end today")).to_be_visible()
    minister.get_by_label("Yes: the present phase ends today").check()
    minister.get_by_role("button", name="Save").click()
    expect(minister.get_by_text("The calendar is changed")).to_be_visible()


def open_writing(page: Page) -> None:
    visit(page, "/priorities/proposals/")
    page.get_by_role("link", name="Propose a priority").click()
    expect(page.get_by_text("may need help; likely between").first).to_be_visible()


def save_and_propose(page: Page) -> str:
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("heading", name="This is a draft")).to_be_visible()
    page.get_by_role("button", name="Propose it to the whole system").click()
    expect(page.get_by_text("It is proposed: everybody can read it")).to_be_visible()
    return urlsplit(page.url).path


@pytest.mark.parametrize("size", ["phone"])
def test_from_the_calendar_to_an_answer(size: str, sign_in_alone: SignIn) -> None:
    today = date.today()  # noqa: DTZ011 - the day of the machine, as the server's
    minister = sign_in_alone("Ministry", size)
    begin_consultation(minister, today + timedelta(days=10))
    fits(minister, size)

    head = sign_in_alone("Head teacher", size)
    open_writing(head)
    head.get_by_label("What the whole system should get better at").fill(WRITES)
    head.get_by_label("Why", exact=True).fill("(Invented.) They copy and say nothing of their own.")
    head.get_by_label("Outcome whose figures speak of it").select_option("reading")
    head.get_by_label("Children who read a page aloud by ten (for improvement)").check()
    head.get_by_label("What drives it").fill("Ten minutes a day\n  A book of one's own")
    fits(head, size)
    heads = save_and_propose(head)
    expect(head.get_by_text("In reading, about")).to_be_visible()
    expect(head.get_by_text("for improvement")).to_be_visible()
    fits(head, size)

    leader = sign_in_alone("System leader", size)
    open_writing(leader)
    leader.get_by_label("We propose it as").select_option(index=0)
    leader.get_by_label("What the whole system should get better at").fill(ALL_WRITE)
    leader.get_by_label("Why", exact=True).fill("(Invented.) Writing is thinking on paper.")
    leader.get_by_role("button", name="Save the draft").click()
    expect(leader.get_by_text("Somebody proposed something like this")).to_be_visible()
    expect(leader.locator(".notice").get_by_role("link", name=WRITES)).to_be_visible()
    leader.get_by_role("button", name="Propose it to the whole system").click()
    leaders = urlsplit(leader.url).path
    leader.get_by_role("link", name="Make one of this and another").click()
    expect(leader.get_by_label("With which proposal?").locator("option:checked")).to_have_text(
        WRITES
    )
    leader.get_by_label("A word to its authors").fill("(Invented.) Yours says it better.")
    fits(leader, size)
    leader.get_by_role("button", name="Wish it").click()
    expect(leader.get_by_role("button", name="Take the wish back")).to_be_visible()

    visit(head, "/notices/")
    head.get_by_role("link", name="become one. What do you say?").first.click()
    visit(head, heads)
    expect(head.get_by_text("Yours says it better.")).to_be_visible()
    head.get_by_role("button", name="Agree").click()
    expect(head.get_by_text("The two are one now.")).to_be_visible()
    expect(head.get_by_role("heading", name="Became part of it")).to_be_visible()
    visit(leader, leaders)
    leader.locator(".notice").get_by_role("link", name=WRITES).click()
    expect(leader.get_by_role("heading", name=WRITES, level=1)).to_be_visible()

    begin_consultation(minister, today)
    teacher = sign_in_alone("Teacher", size, java_script_enabled=False)
    teacher.goto(heads)
    teacher.get_by_label("something I want changed in it").check()
    teacher.get_by_label("What would you like to say?").fill("Two minutes, says Amina Were.")
    teacher.get_by_role("button", name="Say it").click()
    expect(teacher.get_by_text("looks like the name of a pupil")).to_be_visible()
    teacher.get_by_label("What would you like to say?").fill("(Invented.) Begin with five minutes.")
    teacher.get_by_role("button", name="Say it").click()
    expect(teacher.get_by_text("Begin with five minutes.")).to_be_visible()

    visit(head, "/notices/")
    head.get_by_role("link", name=f"“{WRITES}”: one comment waits for an answer").click()
    head.get_by_role("link", name="Answer").click()
    head.get_by_label("yes: we change the proposal").check()
    head.get_by_label("Your answer").fill("(Invented.) Five it is.")
    fits(head, size)
    head.get_by_role("button", name="Answer").click()
    expect(head.get_by_text("Five it is.")).to_be_visible()
    expect(head.get_by_text("Nothing waits for an answer.")).to_be_visible()
    teacher.goto("/notices/")
    expect(
        teacher.get_by_text(f"What you wanted changed in “{WRITES}” is taken up")
    ).to_be_visible()


def test_the_pages_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    page = sign_in("Head teacher", bypass_csp=True)
    visit(page, "/priorities/proposals/")
    mine = page.get_by_role("link", name="Children explain how they found it").get_attribute("href")
    withdrawn = page.get_by_role("link", name="A test every Friday").get_attribute("href")
    visit(page, f"{mine}consultation/")
    answer = page.get_by_role("link", name=re.compile("^Answer")).first.get_attribute("href")
    for path in (
        "/priorities/calendar/",
        "/priorities/proposals/?tier=school",
        "/priorities/proposals/write/",
        mine,
        withdrawn,
        f"{mine}change/",
        f"{mine}merge/",
        f"{mine}consultation/?answered=no",
        answer,
    ):
        assert path is not None
        looks_right(page, path)
    minister = sign_in("Ministry", bypass_csp=True)
    looks_right(minister, "/priorities/calendar/new/")
