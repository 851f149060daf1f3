"""A meeting from its call to its minutes: on a desk, on a phone, on the wall, on paper."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import looks_right, visit


def call_one(leader: Page, purpose: str, minutes: int = 30) -> str:
    """Call a meeting that begins in a moment; the address of its page."""
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    visit(leader, "/meetings/call/")
    leader.get_by_label("On which day").fill(at.date().isoformat())
    leader.get_by_label("At what hour").fill(f"{at:%H:%M}")
    leader.get_by_label("Where", exact=True).fill("(Invented.) Under the tree")
    leader.get_by_label("What do we want to have decided").fill(purpose)
    leader.get_by_role("button", name="Call the meeting").click()
    expect(leader.get_by_text("The meeting is called.")).to_be_visible()
    return urlsplit(leader.url).path


def our_conversation(leader: Page) -> str:
    visit(leader, "/meetings/")
    href = leader.get_by_role("link", name="Open our data conversation").get_attribute("href")
    assert href is not None
    return href


def test_from_the_call_over_a_phone_in_the_room_to_the_minutes(sign_in_alone: SignIn) -> None:
    leader = sign_in_alone("System leader")
    meeting = call_one(leader, "(Invented.) Whom do we visit first?")
    code = leader.locator(".room-code .code").inner_text()
    assert re.fullmatch(r"[A-Z0-9]{3} [A-Z0-9]{3}", code)

    # The head has a phone, a weak network and no JavaScript.
    head = sign_in_alone("Head teacher", "phone", java_script_enabled=False)
    visit(head, "/notices/")
    head.get_by_role("link", name=re.compile("you are invited")).first.click()
    assert urlsplit(head.url).path == meeting
    expect(head.get_by_text("Whom do we visit first?")).to_be_visible()
    expect(head.get_by_text(code)).to_have_count(0)
    fits(head, "phone")
    file = head.get_by_role("link", name="Into my calendar").get_attribute("href")
    assert file is not None
    (event,) = Calendar.from_ical(head.request.get(file).body()).walk("VEVENT")
    assert "Under the tree" in event["LOCATION"]
    head.get_by_role("link", name="Open the conversation").click()
    expect(head.get_by_role("heading", name="What the figures say")).to_be_visible()
    expect(head.get_by_role("heading", name="What we see and hear")).to_be_visible()
    fits(head, "phone")
    visit(head, "/meetings/here/")
    head.get_by_label("The code shown in the room").fill("AAA AAA")
    head.get_by_role("button", name="I am here").click()
    expect(head.get_by_text("No meeting of your partnership has this code").first).to_be_visible()
    fits(head, "phone")
    head.get_by_label("The code shown in the room").fill(code.lower())
    head.get_by_role("button", name="I am here").click()
    expect(head.get_by_text("You are on the list. Welcome.")).to_be_visible()

    visit(leader, meeting)
    expect(leader.get_by_text(re.compile(r"1 of \d+ schools were there"))).to_be_visible()
    leader.get_by_role("link", name="Tick who is there").click()
    leader.locator("main input[type=checkbox]:not(:checked)").first.check()
    leader.get_by_role("button", name="Save").click()
    expect(leader.get_by_text(re.compile(r"2 of \d+ schools were there"))).to_be_visible()
    leader.get_by_role("link", name="Write the minutes").click()
    leader.get_by_label("Minutes").fill("(Invented.) We visit the school by the river first.")
    leader.get_by_role("button", name="Save").click()
    visit(head, meeting)
    expect(head.get_by_text("We visit the school by the river first.")).to_be_visible()

    for role in ("District officer", "Ministry"):
        above = sign_in_alone(role)
        for path in (meeting, f"{meeting}conversation/", our_conversation(leader)):
            answer = above.goto(path)
            assert answer is not None
            assert answer.status == 404
        visit(above, "/meetings/held/")
        assert "by the river" not in above.content()


def test_the_pages_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    leader = sign_in("System leader", bypass_csp=True)
    meeting = call_one(leader, "(Invented.) What do we try?", 40)
    ours = our_conversation(leader)
    visit(leader, ours)
    other = leader.get_by_role("navigation", name="Priorities").get_by_role("link").nth(1)
    second = other.get_attribute("href")
    assert second is not None
    paths = [
        *("/meetings/", "/meetings/call/", "/meetings/here/", meeting, ours, second),
        *(f"{meeting}conversation/", f"{meeting}conversation/?wall=1", f"{second}&wall=1"),
        *(f"{meeting}{page}/" for page in ("change", "call-off", "who-is-there", "minutes")),
        f"{meeting}minute-taker/",
    ]
    for path in paths:
        looks_right(leader, path)
    ministry = sign_in("Ministry", bypass_csp=True)
    looks_right(ministry, "/meetings/held/")


def test_on_a_phone_neither_large_nor_small_data_is_always_first(sign_in: SignIn) -> None:
    page = sign_in("Teacher", "phone")
    visit(page, "/meetings/")
    page.get_by_role("link", name="Open our data conversation").click()
    first = []
    for number in range(2):
        page.get_by_role("navigation", name="Priorities").get_by_role("link").nth(number).click()
        expect(page.locator(".tabs [aria-current]")).to_have_count(1)
        tops = [page.locator(f".side:has(#p{number + 1}-{kind})").bounding_box() for kind in
                ("large", "small")]  # fmt: skip
        assert tops[0] is not None
        assert tops[1] is not None
        first.append("large" if tops[0]["y"] < tops[1]["y"] else "small")
    assert first == ["large", "small"]


def test_on_a_desk_both_have_the_same_room(sign_in: SignIn) -> None:
    page = sign_in("System leader")
    visit(page, our_conversation(page))
    large, small = (page.locator(f".side:has(#p1-{kind})").bounding_box() for kind in
                    ("large", "small"))  # fmt: skip
    assert large is not None
    assert small is not None
    assert large["width"] == pytest.approx(small["width"], abs=1)
    assert large["y"] == pytest.approx(small["y"], abs=1)


def test_the_wall_is_walked_without_javascript_and_the_paper_has_all(sign_in: SignIn) -> None:
    page = sign_in("System leader", java_script_enabled=False)
    ours = our_conversation(page)
    visit(page, ours)
    page.get_by_role("link", name="Show on the wall").click()
    titles = [page.get_by_role("heading", level=1).inner_text()]
    expect(page.locator("header, footer, script")).to_have_count(0)
    page.get_by_role("link", name="Next").click()
    titles.append(page.get_by_role("heading", level=1).inner_text())
    assert len(set(titles)) == 2
    page.get_by_role("link", name="Previous").click()
    assert page.get_by_role("heading", level=1).inner_text() == titles[0]
    page.get_by_role("link", name="Leave the wall").click()
    paper = page.get_by_role("link", name="Print all (PDF)").get_attribute("href")
    assert paper is not None
    answer = page.request.get(paper)
    assert answer.headers["content-type"] == "application/pdf"
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="To talk about")).to_be_visible()
    for button in page.locator("main button, main .tabs, main .button").all():
        expect(button).to_be_hidden()
