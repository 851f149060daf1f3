"""A school begins a peer review and asks its team on a phone; what everybody else sees of it."""

from datetime import date, timedelta
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import looks_right, visit

PHONE = {"size": "phone", "java_script_enabled": False}
QUESTION = "(Invented.) Who is asked in our lessons, and who never?"


def day(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011 - the machine's own day


def test_a_review_is_begun_and_its_days_wait_for_a_team_on_a_phone(sign_in: SignIn) -> None:
    leader = sign_in("System leader", **PHONE)
    visit(leader, "/reviews/")
    fits(leader, "phone")
    leader.get_by_role("link", name="Begin a review of our school").click()
    leader.get_by_label("Our question").fill(QUESTION)
    leader.get_by_label("What we do well").fill("(Invented.) Every lesson begins with a story.")
    fits(leader, "phone")
    leader.get_by_role("button", name="Keep it").click()
    expect(leader.get_by_text("The school looks at itself.")).to_be_visible()
    review = urlsplit(leader.url).path
    leader.get_by_role("link", name="Go on with our own view").click()
    leader.get_by_label("What we want to get better at").fill("(Invented.) Five pupils answer.")
    leader.get_by_role("button", name="Keep it").click()
    leader.get_by_role("button", name="Ask for peers").click()
    expect(leader.get_by_text("Now ask peers to come.")).to_be_visible()

    head = sign_in("Head teacher", **PHONE)
    leader.get_by_role("link", name="Ask a peer").first.click()
    fits(leader, "phone")
    leader.get_by_label("another partnership").first.check()
    leader.get_by_label("Ask this peer to lead the team").check()
    leader.get_by_role("button", name="Ask them to come").click()
    expect(leader.get_by_text("leads the team")).to_be_visible()
    expect(leader.get_by_text("0 peers come so far")).to_be_visible()
    fits(leader, "phone")

    # Days before the team is complete are refused with what is missing; nothing is lost.
    visit(leader, f"{review}schedule/")
    leader.get_by_label("First day").fill(day(20))
    leader.get_by_label("What happens when").fill("(Invented.) Lessons first.")
    leader.get_by_role("button", name="Set these days").click()
    expect(leader.get_by_text("0 peers come so far").first).to_be_visible()
    expect(leader.get_by_label("What happens when")).to_have_value("(Invented.) Lessons first.")

    # The head moves the visit to its own school: the team of the sample is complete.
    visit(head, "/reviews/?mine=host")
    head.get_by_role("link", name="Our review").click()
    head.get_by_role("link", name="Change the days of the visit").click()
    head.get_by_label("First day").fill(day(30))
    head.get_by_role("button", name="Set these days").click()
    expect(head.get_by_text("The visit has its days, and the team is told.")).to_be_visible()
    fits(head, "phone")
    mine = urlsplit(head.url).path

    for role, status in (("Ministry", 403), ("District officer", 403), ("Teacher", 403)):
        above = sign_in(role)
        for path in (review, mine):
            answer = above.goto(path)
            assert answer is not None
            assert answer.status == status, role


def test_the_pages_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    page = sign_in("Head teacher", bypass_csp=True)
    visit(page, "/reviews/")
    page.get_by_role("link", name="Our review").click()
    own = urlsplit(page.url).path
    for path in (
        "/reviews/", own, f"{own}self-review/", f"{own}team/", f"{own}schedule/",
        "/reviews/champions/",
    ):  # fmt: skip
        looks_right(page, path)
    looks_right(sign_in("Ministry", bypass_csp=True), "/reviews/coverage/")
    looks_right(sign_in("System leader", bypass_csp=True), "/reviews/new/")
