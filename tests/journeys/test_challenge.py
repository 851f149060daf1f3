"""A challenge visit: planned, prepared and held on a phone; agreed, supported and followed up."""

import re
from datetime import date, timedelta

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import RULES, visit

PHONE = {"size": "phone", "java_script_enabled": False}


def day(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011 - the machine's own day


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def name_of(page: Page) -> str:
    """The person's name, as the frame of every page has it."""
    return page.locator(".acting").inner_text().split(",")[0].removeprefix("You are acting as")


def planned(officer: Page, challenger: str) -> str:
    """Plan a visit for today by this person, at the first suggested school it is outside of."""
    visit(officer, "/challenge/plan/")
    fits(officer, "desk")
    links = officer.get_by_role("link", name=re.compile(r"^Plan a visit\s*:")).all()
    for address in [each.get_attribute("href") for each in links]:
        visit(officer, address or "")
        option = officer.locator("#id_challenger option", has_text=challenger)
        if option.count():
            break
    officer.get_by_label("On which day").fill(day(0))
    officer.get_by_label("Who goes").select_option(value=option.first.get_attribute("value"))
    press(officer, "Plan it")
    expect(officer.get_by_text("It is planned, and the school is told.")).to_be_visible()
    return officer.get_by_role("heading", level=1).inner_text()


def test_a_visit_is_planned_by_evidence_or_turn_and_held_on_a_phone(sign_in: SignIn) -> None:
    leader = sign_in("System leader", **PHONE)
    officer = sign_in("District officer")
    school = planned(officer, name_of(leader))

    visit(leader, "/challenge/")
    fits(leader, "phone")
    leader.get_by_role("link", name=f"You are asked to visit {school}").click()
    fits(leader, "phone")
    press(leader, "I come")
    expect(leader.get_by_role("heading", name="What was published of the school")).to_be_visible()
    fits(leader, "phone")
    leader.get_by_role("link", name="Write down what you saw").first.click()
    leader.get_by_label("What you asked").fill("(Invented.) Who reads least, and who knows it?")
    press(leader, "Keep the record")
    expect(leader.get_by_text("Begin with what the school does well").first).to_be_visible()
    fits(leader, "phone")
    leader.get_by_label("What the school does well").fill("(Invented.) Quiet reading everywhere.")
    press(leader, "Keep the record")
    expect(leader.get_by_text("It is kept. The school is told")).to_be_visible()
    expect(leader.get_by_text("Who reads least, and who knows it?")).to_be_visible()
    fits(leader, "phone")
    # Nobody of another school reads it.
    answer = sign_in("Head teacher").goto(leader.url)
    assert answer is not None
    assert answer.status == 404


def test_what_both_sides_owe_is_agreed_supported_and_looked_at_again(sign_in: SignIn) -> None:
    head = sign_in("Head teacher", **PHONE)
    visit(head, "/challenge/?state=held")
    head.locator("main table a").first.click()
    fits(head, "phone")
    head.get_by_text("Add our own words").click()
    head.get_by_label("The school’s own words").fill("(Invented.) The list is a month old.")
    press(head, "Put them beside the record")
    expect(head.get_by_text("Your school’s words stand beside the record.")).to_be_visible()
    # Without a day it is refused, and said why.
    head.get_by_label("On which day do you look again").fill("")
    press(head, "We agree")
    expect(head.get_by_text("without one it is not kept").first).to_be_visible()
    head.get_by_label("On which day do you look again").fill(day(60))
    press(head, "We agree")
    expect(head.get_by_text("It is agreed.")).to_be_visible()

    officer = sign_in("District officer")
    visit(officer, head.url.split("#")[0])
    officer.get_by_role("link", name="Look closer, with an offer of support").click()
    officer.get_by_label("Why a closer look").fill("(Invented.) A post is empty.")
    press(officer, "Offer support and look closer")
    expect(officer.get_by_text("Closer attention without help").first).to_be_visible()
    officer.get_by_label("What support comes with it").fill("(Invented.) A specialist for a week.")
    press(officer, "Offer support and look closer")
    expect(officer.get_by_text("with the support it is offered")).to_be_visible()

    visit(head, head.url.split("#")[0])
    head.get_by_label("We take the support up").check()
    press(head, "Give our answer")
    expect(head.get_by_text("support taken up").first).to_be_visible()
    fits(head, "phone")
    head.get_by_role("link", name=re.compile("^What came of it")).first.click()
    head.get_by_label("What came of it").fill("(Invented.) The page is on the wall.")
    press(head, "Write it down")
    expect(head.get_by_text("The page is on the wall.")).to_be_visible()

    visit(officer, officer.url.split("#")[0])
    officer.locator("#follow > summary").click()
    officer.get_by_label("What came of it, on both sides").fill("(Invented.) It is done.")
    press(officer, "Write it down and close the visit")
    expect(officer.get_by_text("It is followed up.")).to_be_visible()

    # The school asks for the next one itself, and says first how it sees itself.
    visit(head, "/challenge/")
    head.get_by_role("link", name="Ask for a visit to our school").click()
    head.get_by_label("What would you like").fill("(Invented.) Why do few come on Fridays?")
    head.get_by_label("On which day would it suit").fill(day(30))
    press(head, "Ask for it")
    head.get_by_role("link", name="Write our own view").click()
    head.get_by_label("How you see your school").fill("(Invented.) We worry about the pupil Amina.")
    press(head, "Keep it")
    expect(head.get_by_text("looks like the name of a pupil").first).to_be_visible()
    fits(head, "phone")
    head.get_by_label("How you see your school").fill("(Invented.) Market days empty our benches.")
    press(head, "Keep it")
    expect(head.get_by_text("Market days empty our benches.")).to_be_visible()


def test_axe_finds_nothing_on_pages_of_challenge_visits(sign_in: SignIn) -> None:
    officer = sign_in("District officer", "phone", bypass_csp=True)
    axe = Axe()
    visit(officer, "/challenge/?state=agreed")
    one = officer.locator("main table a").first.get_attribute("href")
    for path in ("/challenge/plan/", "/challenge/progress/", one or ""):
        visit(officer, path)
        fits(officer, "phone")
        found = axe.run(officer, options=RULES)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
