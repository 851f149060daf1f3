"""A leader rates, asks, learns and writes down a week; what two say in coaching stays with them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import looks_right, visit

SECRET = "We worry about the second year, both of us"


def rate(page: Page, name: str, level: str, evidence: str) -> None:
    visit(page, "/leaders/development/")
    page.get_by_role("link", name=re.compile(rf"Say .*: {name}")).click()
    page.get_by_role("radio", name=re.compile(level)).check()
    page.get_by_label("What shows it?").fill(evidence)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Only you see it, and those you share it with.")).to_be_visible()


@pytest.mark.parametrize("size", ["phone"])
def test_from_a_rating_over_a_colleague_and_a_module_to_the_certificate(
    size: str, sign_in_alone: SignIn
) -> None:
    minister = sign_in_alone("Ministry", size)
    title = "One need, seen together"
    visit(minister, "/leaders/development/learning/offer/")
    minister.get_by_label("learning module").check()
    minister.get_by_label("Title").fill(title)
    minister.get_by_label("What people can do afterwards").fill("(Invented.) Diagnose together.")
    minister.get_by_label("Leading a review").check()
    minister.get_by_label("Hours").fill("2.5")
    fits(minister, size)
    minister.get_by_role("button", name="Offer it").click()
    expect(minister.get_by_text("It is on offer.")).to_be_visible()
    offered = minister.url

    leader = sign_in_alone("System leader", size)
    evidence = "(Invented.) I was in one review and spoke too soon."
    rate(leader, "Leading a review", "Beginning", evidence)
    fits(leader, size)
    leader.get_by_role("link", name="Ask colleagues").click()
    leader.get_by_role("checkbox", name=re.compile("Head teacher")).first.check()
    leader.get_by_role("checkbox", name=re.compile("District officer")).check()
    fits(leader, size)
    leader.get_by_role("button", name="Ask them").click()
    expect(leader.get_by_text("2 colleagues are asked.")).to_be_visible()

    officer = sign_in_alone("District officer", size)
    visit(officer, "/leaders/development/")
    officer.get_by_role("link", name=re.compile("^Answer")).click()
    group = officer.get_by_role("group", name="Leading a review")
    group.get_by_role("radio", name=re.compile("Embedding")).check()
    words = "(Invented.) The school began one thing within the month."
    # The words that belong to the fourth of the five.
    officer.get_by_label("What have you seen that shows it?").nth(3).fill(words)
    fits(officer, size)
    officer.get_by_role("button", name="Send it").click()
    expect(officer.get_by_text("Thank you.")).to_be_visible()

    visit(leader, "/leaders/development/")
    card = leader.locator("#c-reviewing")
    expect(card.get_by_text(evidence)).to_be_visible()
    expect(card.get_by_text(words)).to_be_visible()
    expect(card.get_by_text("from “beginning” to “embedding”")).to_be_visible()

    visit(leader, "/leaders/me/")
    expect(leader.get_by_text("talk about what lies behind it").first).to_be_visible()
    leader.get_by_role("link", name=title).click()
    leader.get_by_role("button", name="Take part").click()
    expect(leader.get_by_text("You are reminded in the week before.")).to_be_visible()

    visit(minister, offered)
    minister.get_by_role("checkbox").check()  # one person takes part
    today = minister.evaluate("new Date().toLocaleDateString('sv')")
    minister.get_by_label("Finished on").fill(today)
    minister.get_by_role("button", name="Confirm").click()
    expect(minister.get_by_text("It stands on their record.")).to_be_visible()

    visit(leader, "/leaders/me/certificate/")
    expect(leader.get_by_role("rowheader", name=title)).to_be_visible()
    check = leader.locator("strong.number").inner_text()
    fits(leader, size)
    expect(leader.get_by_text("This paper has no seal")).to_be_visible()
    page = leader.get_by_text(re.compile(r"/leaders/\d+/")).inner_text()
    open_page = re.search(r"/leaders/\d+/", page)
    assert open_page is not None
    visit(officer, open_page.group())
    expect(officer.get_by_text(check)).to_be_visible()
    expect(officer.get_by_text(evidence)).to_have_count(0)


def test_a_week_is_written_down_on_a_phone_without_javascript(sign_in_alone: SignIn) -> None:
    page = sign_in_alone("System leader", "phone", java_script_enabled=False)
    visit(page, "/leaders/time/")
    page.get_by_role("spinbutton", name="Support").fill("6.5")
    page.get_by_role("spinbutton", name="Collaboration").fill("2")
    page.get_by_role("spinbutton", name="Accountability").fill("1.5")
    page.get_by_role("spinbutton", name="Instructional direction").fill("1")
    page.get_by_label("A word for yourself").fill("A full week.")
    page.get_by_role("button", name="Save the week").click()
    expect(page.get_by_text("Written down for this week: 11 hours")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Support")).to_have_value("6.5")
    page.get_by_role("link", name="The week before").click()
    page.get_by_role("spinbutton", name="Support").fill("81")
    page.get_by_role("button", name="Save the week").click()
    expect(page.locator(".errors")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Support")).to_have_value("81")
    expect(page.locator("svg.chart").first).to_be_visible()


@pytest.mark.parametrize("size", ["phone"])
def test_what_two_say_in_coaching_is_nowhere_for_the_ministry(
    size: str, sign_in_alone: SignIn
) -> None:
    head = sign_in_alone("Head teacher", size)
    leader = sign_in_alone("System leader", size)
    visit(leader, "/leaders/coaching/")
    leader.get_by_role("button", name="Agree").click()
    leader.get_by_label("What you want to remember").fill(f"(Invented.) {SECRET}.")
    leader.get_by_role("button", name="Save the note").click()
    expect(leader.get_by_text(SECRET)).to_be_visible()
    fits(leader, size)
    pair = leader.url
    assert head.goto(pair) is not None
    expect(head.get_by_text(SECRET)).to_be_visible()
    expect(head.get_by_role("button", name=re.compile("Delete"))).to_have_count(0)

    for role in ("Ministry", "Analyst", "District officer", "Teacher"):
        other = sign_in_alone(role, size)
        answer = other.goto(pair)
        assert answer is not None
        assert answer.status == 404, role
        assert SECRET not in other.content()
        if role == "Ministry":
            for path in ("/audit/?q=coaching", "/leaders/development/", "/people/", "/notices/"):
                visit(other, path)
                assert SECRET not in other.content(), path


PAGES = {
    "System leader": (
        "/leaders/me/", "/leaders/development/", "/leaders/development/ask/?q=head",
        "/leaders/development/rate/coaching/", "/leaders/development/share/",
        "/leaders/development/learning/", "/leaders/development/learning/4/",
        "/leaders/development/learning/offer/", "/leaders/coaching/", "/leaders/coaching/1/",
        "/leaders/coaching/ask/", "/leaders/time/", "/leaders/me/certificate/",
    ),
    "Ministry": (
        "/leaders/development/", "/leaders/development/framework/",
        "/leaders/development/framework/coaching/", "/leaders/development/framework/add/",
        "/leaders/development/learning/4/", "/leaders/development/learning/4/change/",
        "/leaders/time/middle-tier/",
    ),
    "Head teacher": ("/leaders/me/", "/leaders/development/"),
}  # fmt: skip


@pytest.mark.parametrize("role", PAGES)
def test_the_pages_are_open_to_everybody_and_fit(role: str, sign_in: SignIn) -> None:
    page = sign_in(role, bypass_csp=True)
    for path in PAGES[role]:
        looks_right(page, path)


def test_on_paper_the_certificate_has_nothing_to_press(sign_in: SignIn) -> None:
    page = sign_in("System leader")
    visit(page, "/leaders/me/certificate/")
    page.emulate_media(media="print")
    expect(page.get_by_text("How this can be checked")).to_be_visible()
    for button in page.locator("main button").all():
        expect(button).to_be_hidden()
