"""A school asks, another gives: from the question to the report, on a phone and at a desk."""

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import looks_right, visit

PRIORITY = "Sense of number in the early years"
NOTE = "(Invented.) Two games were played; the third waits for counters."
REPORT = "(Invented.) Number games stand in the timetable of years 1 and 2."
WORDS = "(Invented.) They listened first, and what they left us works."


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def take_back_what_is_open(head: Page) -> None:
    """The sample's school may ask at this priority already."""
    visit(head, "/support/")
    rows = head.get_by_role("region", name="What we ask for").locator("tbody tr")
    waiting = rows.filter(has_text=PRIORITY).filter(has_text="ready to match")
    if waiting.count() == 0:
        return
    waiting.first.get_by_role("link").click()
    head.get_by_text("Take the request back").click()
    head.get_by_label("Why?").last.fill("(Invented.) We ask anew.")
    press(head, "Take it back")
    expect(head.get_by_text("Taken back.")).to_be_visible()


def ask(head: Page) -> str:
    """Ask with four fields; gives the request's path."""
    visit(head, "/support/")
    head.get_by_role("link", name="Ask for support").click()
    assert head.locator("form.form .field").count() == 4
    head.get_by_label("At which priority").select_option(label=PRIORITY)
    head.get_by_label("What would help?").fill("(Invented.) Games with numbers for year 1.")
    head.get_by_label("About how many days").fill("2")
    press(head, "Ask")
    expect(head.get_by_text("Asked.")).to_be_visible()
    return urlsplit(head.url).path


def offer_anew(leader: Page) -> str:
    """Withdraw what stands at this priority and offer with room; gives the school's name."""
    visit(leader, "/support/")
    school = leader.locator("header .kind").inner_text()
    rows = leader.get_by_role("region", name="What we offer").locator("tbody tr")
    standing = rows.filter(has_text=PRIORITY).filter(has_not_text="withdrawn")
    if standing.count():
        standing.first.get_by_role("link").click()
        press(leader, "Withdraw")
        expect(leader.get_by_text("Saved.")).to_be_visible()
        visit(leader, "/support/")
    leader.get_by_role("link", name="Offer support").click()
    leader.get_by_label("At which priority").select_option(label=PRIORITY)
    leader.get_by_label("What could you share?").fill("(Invented.) Our games with numbers.")
    leader.get_by_label("Schools at a time, at most").fill("6")
    press(leader, "Offer")
    expect(leader.get_by_text("Offered.")).to_be_visible()
    return school


def put_to_both(officer: Page, path: str, school: str) -> None:
    visit(officer, path)
    officer.get_by_label("How soon").select_option(label="within weeks")
    press(officer, "Save")
    press(officer, "Suggest three")
    expect(officer.get_by_role("heading", name="Suggestions")).to_be_visible()
    officer.get_by_role("link", name="Why not another?").click()
    row = officer.get_by_role("region", name="Offers at this priority").locator("tbody tr")
    row.filter(has_text=school).get_by_role("link", name="Why not this one?").click()
    expect(officer.get_by_role("heading", name="What speaks for it")).to_be_visible()
    press(officer, "Put to both schools")
    expect(officer.get_by_text("Put to both schools. They see it and may answer.")).to_be_visible()


def agree_on_terms(leader: Page) -> str:
    leader.get_by_label("What shall be different at the end?").fill("(Invented.) Games each day.")
    leader.get_by_label("It ends on").fill((date.today() + timedelta(days=40)).isoformat())  # noqa: DTZ011 - as the browser's own clock
    press(leader, "Agree on this")
    expect(leader.get_by_text("Agreed. Both schools see it.")).to_be_visible()
    return urlsplit(leader.url).path


def say_what_it_was_worth(page: Page, words: str) -> None:
    page.get_by_label("worth a great deal").check()
    page.get_by_label("In your words").fill(words)
    press(page, "Say it")
    expect(page.get_by_text("Said. Thank you.")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_from_asking_to_the_report_and_both_sides_views(size: str, sign_in: SignIn) -> None:
    script = size == "desk"  # on the phone nothing needs a script
    head = sign_in("Head teacher", size, java_script_enabled=script)
    leader = sign_in("System leader", size, java_script_enabled=script)
    officer = sign_in("Ministry", size, java_script_enabled=script)
    take_back_what_is_open(head)
    path = ask(head)
    put_to_both(officer, path, offer_anew(leader))

    visit(head, "/support/")
    head.get_by_role("link", name="See why, and answer").first.click()
    expect(head.get_by_role("heading", name="A match")).to_be_visible()
    press(head, "Accept")
    visit(leader, path)
    press(leader, "Accept")
    expect(leader.get_by_text("accepted by both")).to_be_visible()

    under_way = agree_on_terms(leader)
    leader.get_by_label("Coaching note").fill(NOTE)
    press(leader, "Write it down")
    expect(leader.get_by_text("Written down.")).to_be_visible()
    leader.get_by_label("What was done, what changed").fill(REPORT)
    press(leader, "Report and finish")
    expect(leader.get_by_text("Reported. Thank you.")).to_be_visible()

    visit(head, under_way)
    expect(head.get_by_text(NOTE)).to_be_visible()
    expect(head.get_by_text(REPORT)).to_be_visible()
    say_what_it_was_worth(head, WORDS)
    visit(leader, under_way)
    expect(leader.get_by_text(WORDS)).to_have_count(0)
    say_what_it_was_worth(leader, "(Invented.) We learnt as much.")
    expect(leader.get_by_text(WORDS)).to_be_visible()

    visit(officer, under_way)
    expect(officer.get_by_text(REPORT)).to_be_visible()
    for private in (NOTE, WORDS):
        expect(officer.get_by_text(private)).to_have_count(0)
    for page in (head, leader, officer):
        fits(page, size)


PAGES = {
    "Head teacher": ("/support/", "/support/ask/", "/support/offer/"),
    "System leader": ("/support/", "/support/days/"),
    "Ministry": ("/support/queue/", "/support/propose/", "/support/figures/"),
}
DEEPER = {
    "Head teacher": ("a[href*='/support/requests/']", "a[href*='/support/under-way/']"),
    "System leader": ("a[href*='/support/offers/']", "a[href*='/support/under-way/']"),
    "Ministry": ("a[href*='/support/requests/']",),
}


@pytest.mark.parametrize("role", PAGES)
def test_the_pages_fit_and_are_open_to_everybody(role: str, sign_in: SignIn) -> None:
    page = sign_in(role, bypass_csp=True)
    visit(page, PAGES[role][0])
    found = [page.locator(f"main {link}").first.get_attribute("href") for link in DEEPER[role]]
    paths = [*PAGES[role], *(str(each) for each in found)]
    if role == "Ministry":
        paths.append(f"{found[0]}others/")
    for path in paths:
        looks_right(page, path)
