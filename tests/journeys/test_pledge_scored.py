"""Promises scored on phones without scripts: for the own school and for another one, by peers."""

import re
from datetime import date, timedelta

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import RULES, visit

PHONE = {"size": "phone", "java_script_enabled": False}
VOWS = {
    "own": "(Invented.) Our second year counts with things before it counts with signs.",
    "other": "(Invented.) We lend our number games to the school next door every month.",
}


def vowed(leader: Page, half: str) -> str:
    """Written and promised by the leader; the address of its page."""
    visit(leader, f"/pledges/new/{half}/")
    if half == "other":
        option = leader.get_by_label("For the pupils of which school").locator("option").nth(1)
        leader.get_by_label("For the pupils of which school").select_option(
            option.get_attribute("value")
        )
    leader.get_by_label("What you promise, in one sentence").fill(VOWS[half])
    measure = leader.locator("option", has_text=re.compile("Results in mathematics"))
    leader.get_by_label("By what it is measured").select_option(
        measure.first.get_attribute("value")
    )
    leader.get_by_label("The target").fill("900")
    in_time = date.today() + timedelta(days=120)  # noqa: DTZ011 - the machine's own day
    leader.get_by_label("By when").fill(in_time.isoformat())
    leader.get_by_role("textbox", name="What we will do").fill("(Invented.) One game a week.")
    leader.get_by_role("button", name="Save as a draft").click()
    leader.get_by_role("button", name="Promise it").click()
    expect(leader.get_by_text("It is promised, and your partnership is told.")).to_be_visible()
    return leader.url


def scored_and_asked(leader: Page, head: Page) -> None:
    """The leader scores the promise that is open, and asks the head to verify it."""
    leader.get_by_role("link", name="Score it yourselves").click()
    fits(leader, "phone")
    leader.get_by_label("How far was it kept?").fill("11")
    leader.get_by_role("textbox", name="Why so").fill("(Invented.) Nine of ten count so now.")
    leader.get_by_role("button", name="Score it").click()
    expect(leader.get_by_text("Give a whole number from 0 to 10.").first).to_be_visible()
    expect(leader.get_by_role("textbox", name="Why so")).to_have_value(
        "(Invented.) Nine of ten count so now."
    )
    leader.get_by_label("How far was it kept?").fill("8")
    leader.get_by_role("button", name="Score it").click()
    expect(leader.get_by_text("Your score stands.")).to_be_visible()
    fits(leader, "phone")
    name = head.locator(".acting").first.inner_text()
    options = leader.get_by_label("Ask as a peer").locator("option")
    wanted = next(each for each in options.all() if names(each.inner_text(), name))
    leader.get_by_label("Ask as a peer").select_option(wanted.get_attribute("value"))
    leader.get_by_role("button", name="Ask them").click()
    expect(leader.get_by_text("They are asked, and told.")).to_be_visible()


def names(option: str, acting: str) -> bool:
    person = option.rpartition(": ")[2].strip()
    return bool(person) and person in acting


def verified(head: Page, promise: str) -> None:
    """The head reads what is known and gives a score of their own."""
    visit(head, f"{promise}verify/")
    fits(head, "phone")
    expect(head.get_by_text("What the school says of itself")).to_be_visible()
    head.get_by_label("How far was it kept?").fill("5")
    head.get_by_role("textbox", name="Why so").fill("(Invented.) In two lessons of four.")
    head.get_by_role("button", name="Give my score").click()
    expect(head.get_by_text("Your score stands beside the school’s own")).to_be_visible()
    expect(head.get_by_text("5 of 10", exact=True)).to_be_visible()
    expect(head.get_by_text("they do not see it alike")).to_be_visible()
    fits(head, "phone")


def test_promises_for_both_schools_go_from_the_vow_to_a_verified_score(sign_in: SignIn) -> None:
    leader, head = sign_in("System leader", **PHONE), sign_in("Head teacher", **PHONE)
    for half in VOWS:
        promise = vowed(leader, half)
        scored_and_asked(leader, head)
        verified(head, promise)
        visit(leader, promise)
        expect(leader.get_by_text("8 of 10").first).to_be_visible()
        leader.get_by_role("link", name="Read the scores with their reasons").click()
        expect(leader.get_by_text("(Invented.) In two lessons of four.")).to_be_visible()
        fits(leader, "phone")


def test_what_waits_for_the_head_leads_to_a_blind_score_and_pages_are_sound(
    sign_in: SignIn,
) -> None:
    head = sign_in("Head teacher", size="phone", bypass_csp=True)
    visit(head, "/accountability/")
    head.get_by_role("link", name="Read it and score").first.click()
    axe = Axe()
    address = head.url
    for path in (address, address.replace("/verify/", "/score/")):
        visit(head, path)
        fits(head, "phone")
        found = axe.run(head, options=RULES)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
    visit(head, address.replace("/verify/", "/score/"))
    expect(head.get_by_text("What the others said is shown once")).to_be_visible()
    expect(head.get_by_text("6 of 10")).to_have_count(0)


def test_the_ministry_sets_how_promises_are_scored(sign_in: SignIn) -> None:
    ministry = sign_in("Ministry", **PHONE)
    visit(ministry, "/pledges/")
    ministry.get_by_role("link", name="How promises are scored").click()
    fits(ministry, "phone")
    ministry.get_by_label("After so many days without a check-in").fill("40")
    ministry.get_by_role("button", name="Save").click()
    expect(ministry.get_by_text("Saved. It holds for all promises")).to_be_visible()
