"""From evidence to a designated leader with a partnership: asked, backed, decided, appointed."""

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import looks_right, visit

TODAY = date.today()  # noqa: DTZ011 - as the browser's own clock
IN_FOUR_YEARS = (TODAY + timedelta(days=1461)).isoformat()
LAST_WEEK = (TODAY - timedelta(days=7)).isoformat()


def two_views_decide(minister: Page) -> None:
    """The sample's cast has two people whom nothing binds: the ministry asks for two views."""
    visit(minister, "/leaders/criteria/")
    minister.get_by_label("Views that a decision needs").fill("2")
    minister.get_by_role("button", name="Save").click()
    expect(minister.get_by_text("rests on the views of 2 people")).to_be_visible()


def say(member: Page, path: str, size: str, words: str) -> None:
    """A member says that nothing binds, reads, and says a view."""
    visit(member, path)
    expect(member.get_by_text("I have taught here for years.")).to_have_count(0)
    member.get_by_role("button", name="Nothing binds me").click()
    expect(member.get_by_text("I have taught here for years.")).to_be_visible()
    member.get_by_label("ready now").check()
    member.get_by_label("Why").fill(words)
    fits(member, size)
    member.get_by_role("button", name="Say my view").click()
    expect(member.get_by_text("Your view is kept")).to_be_visible()


@pytest.mark.parametrize("size", ["phone"])
def test_from_evidence_to_a_leader_with_a_partnership(size: str, sign_in_alone: SignIn) -> None:
    minister = sign_in_alone("Ministry", size)
    two_views_decide(minister)

    # The officer looks at the evidence and asks. The head's phone runs no JavaScript.
    head = sign_in_alone("Head teacher", size, java_script_enabled=False)
    school = urlsplit(head.url).path.strip("/").split("/")[-1]
    officer = sign_in_alone("District officer", size)
    visit(officer, "/leaders/finding/")
    expect(officer.get_by_text("no order of people follows from them")).to_be_visible()
    fits(officer, size)
    visit(officer, f"/leaders/finding/schools/{school}/")
    officer.get_by_label("Head teacher").check()
    officer.get_by_label("A word with it").fill("(Invented.) Others could learn from you.")
    officer.get_by_role("button", name="Ask").click()
    expect(officer.get_by_text("Asked. The person reads it")).to_be_visible()

    # The head reads who asks and why, and applies: what is known is not asked.
    visit(head, "/notices/")
    head.get_by_role("link", name="Would you consider leading? You are asked.").click()
    expect(head.get_by_text("Others could learn from you.")).to_be_visible()
    head.get_by_role("button", name="Begin an application").click()
    expect(head.get_by_label("Since when have you been a head?")).to_have_count(0)
    head.get_by_label("Until when do you expect to stay").fill(IN_FOUR_YEARS)
    head.get_by_label("Why would you like to lead?").fill(
        "(Invented.) I have taught here for years."
    )
    head.get_by_label("Who of the governors backs you?").fill("(Invented.) The chair")
    head.get_by_label("On which day did they say so?").fill(LAST_WEEK)
    fits_without_script(head, size)
    head.get_by_role("button", name="Save").click()
    expect(head.get_by_text("Only you see this draft")).to_be_visible()
    path = urlsplit(head.url).path
    head.get_by_role("button", name="Ask the district's office to back it").click()
    expect(head.get_by_text("the officer has not answered yet")).to_be_visible()
    head.get_by_role("button", name="Hand it in").click()
    expect(head.get_by_text("the officer has not answered yet").first).to_be_visible()

    visit(officer, "/leaders/applications/?waits=backing")
    officer.locator(f"a[href='{path}']").click()
    fits(officer, size)
    officer.get_by_role("button", name="I back it").click()
    expect(officer.get_by_text("You back this application.")).to_be_visible()

    visit(head, path)
    head.get_by_role("button", name="Hand it in").click()
    expect(head.get_by_text("It is handed in. The ministry calls a panel.")).to_be_visible()

    # Who is bound cannot be called, and it is said why; two others are called.
    visit(minister, path)
    minister.get_by_role("link", name="The panel and the decision").click()
    panel = urlsplit(minister.url).path
    visit(minister, f"{panel}?q=A teacher at")
    expect(minister.get_by_text("they serve at the same school").first).to_be_visible()
    expect(minister.get_by_role("button", name="Call")).to_have_count(0)
    fits(minister, size)
    for name in ("The ministry's analyst", "The minister"):
        visit(minister, f"{panel}?q={name}")
        minister.get_by_role("button", name="Call").click()
        expect(minister.get_by_text("Called.")).to_be_visible()
    say(sign_in_alone("Analyst", size), path, size, "(Invented.) Clear and honest.")
    say(minister, path, size, "(Invented.) The school can spare the days.")

    # Decided with a reason that the head reads.
    visit(minister, panel)
    minister.get_by_label("Designated", exact=True).check()
    minister.get_by_label("Why").last.fill("(Invented.) You let others speak first.")
    fits(minister, size)
    minister.get_by_role("button", name="Decide").click()
    expect(minister.get_by_text("Decided. The applicant reads the reason.")).to_be_visible()
    visit(head, path)
    expect(head.get_by_text("You let others speak first.")).to_be_visible()
    expect(head.get_by_text("Clear and honest.")).to_have_count(0)

    # And a partnership that nobody leads.
    minister.get_by_role("link", name="To the designation").click()
    minister.get_by_label("Partnership without a leader").select_option(index=0)
    minister.get_by_role("button", name="Appoint as its leader").click()
    expect(minister.get_by_text("Appointed. The leader and the heads")).to_be_visible()
    fits(minister, size)
    visit(head, "/leaders/")
    listed = head.get_by_role("region", name="Leaders in office, by name")
    expect(listed.get_by_role("link", name="The head of").first).to_be_visible()
    visit(head, "/notices/")
    expect(head.get_by_text("a system leader is appointed").first).to_be_visible()


def fits_without_script(page: Page, size: str) -> None:
    """As `fits`, for a page that runs no script of its own: the browser still measures it."""
    box = page.locator("main").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= SIZES[size][0]


PAGES = {
    "Ministry": (
        "/leaders/", "/leaders/criteria/", "/leaders/finding/", "/leaders/finding/areas/",
        "/leaders/nominations/", "/leaders/applications/", "/leaders/undesignated/",
        "/leaders/applications/1/", "/leaders/applications/1/panel/", "/leaders/designations/1/",
    ),
    "Analyst": ("/leaders/",),
    "Teacher": ("/leaders/apply/", "/leaders/nominate/", "/leaders/asked/"),
}  # fmt: skip


def test_the_pages_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    for role, paths in PAGES.items():
        page = sign_in(role, bypass_csp=True)
        for path in paths:
            looks_right(page, path)


def test_a_member_of_a_panel_is_asked_first_whether_something_binds(sign_in: SignIn) -> None:
    """The sample's open application waits for the analyst."""
    analyst = sign_in("Analyst", "phone", java_script_enabled=False)
    visit(analyst, "/notices/")
    analyst.get_by_role("link", name="You are asked to a panel").first.click()
    expect(analyst.get_by_role("button", name="Nothing binds me")).to_be_visible()
    expect(analyst.get_by_text("In their own words")).to_have_count(0)
    analyst.get_by_role("button", name="Nothing binds me").click()
    expect(analyst.get_by_text("In their own words")).to_be_visible()
    expect(analyst.get_by_text("ready now:")).to_have_count(0)
