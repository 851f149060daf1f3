"""A promise on phones without scripts: written, warned of, vowed, witnessed, checked on, shown."""

import re
from datetime import date, timedelta

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import RULES, visit

PHONE = {"size": "phone", "java_script_enabled": False}
OWN = "(Invented.) Our third year solves problems in two steps by summer."


def written(head: Page) -> None:
    """The own half, aimed too low at first."""
    visit(head, "/pledges/")
    fits(head, "phone")
    head.get_by_role("link", name="Promise for our school").click()
    head.get_by_label("What you promise, in one sentence").fill(OWN)
    measure = head.locator("option", has_text=re.compile("Results in mathematics"))
    head.get_by_label("By what it is measured").select_option(measure.first.get_attribute("value"))
    head.get_by_label("The target").fill("-900")
    in_time = date.today() + timedelta(days=150)  # noqa: DTZ011 - the machine's own day
    head.get_by_label("By when").fill(in_time.isoformat())
    head.get_by_role("textbox", name="What we will do").fill(
        "(Invented.) Three tasks every second Friday, and time to go back."
    )
    fits(head, "phone")
    head.get_by_role("button", name="Save as a draft").click()
    expect(head.get_by_text("The target is reached already")).to_be_visible()
    fits(head, "phone")
    head.get_by_role("link", name="Change the draft").click()
    head.get_by_label("The target").fill("900")
    head.get_by_role("button", name="Save as a draft").click()
    expect(head.get_by_text("The target is reached already")).to_have_count(0)


def test_a_promise_is_vowed_witnessed_checked_on_and_shown(sign_in: SignIn) -> None:
    head = sign_in("Head teacher", **PHONE)
    written(head)
    head.get_by_role("button", name="Promise it").click()
    expect(head.get_by_text("It is promised, and your partnership is told.")).to_be_visible()
    fits(head, "phone")
    page = head.url
    leader = sign_in("System leader", **PHONE)
    name = leader.locator(".acting").first.inner_text()
    options = head.get_by_label("Ask as a witness").locator("option")
    wanted = next(each for each in options.all() if leads(each.inner_text(), name))
    head.get_by_label("Ask as a witness").select_option(wanted.get_attribute("value"))
    head.get_by_role("button", name="Ask them").click()
    expect(head.get_by_text("They are asked, and told.")).to_be_visible()

    visit(leader, "/pledges/")
    leader.get_by_role("link", name=re.compile(re.escape(OWN))).first.click()
    leader.get_by_label("I stand by it").check()
    leader.get_by_role("textbox", name="In a few words").fill("(Invented.) I come in March.")
    leader.get_by_role("button", name="Give my word").click()
    expect(leader.get_by_text("Your word is written down")).to_be_visible()
    leader.get_by_role("link", name="Add what was seen").click()
    fits(leader, "phone")
    leader.get_by_label("a visit", exact=True).check()
    leader.get_by_label("What it shows").fill("(Invented.) Seven of nine said how they found it.")
    leader.get_by_role("button", name="Add it").click()
    expect(leader.get_by_text("Seven of nine said how they found it.")).to_be_visible()

    visit(head, page)
    head.get_by_text("Say how it goes").click()
    head.get_by_label("goes, but is hard").check()
    head.get_by_role("textbox", name="In a few words").fill("(Invented.) Fridays are short.")
    head.get_by_role("button", name="Write it down").click()
    head.get_by_role("button", name="Draw the published value of today").click()
    expect(head.get_by_text("The published value is kept as it is known today.")).to_be_visible()
    expect(head.get_by_text("Seven of nine said how they found it.")).to_be_visible()
    fits(head, "phone")


def leads(option: str, acting: str) -> bool:
    """Whether an option names the person who is signed in."""
    person = option.rpartition(": ")[2].strip()
    return bool(person) and person in acting


def test_the_second_half_makes_it_complete_and_pages_are_sound(sign_in: SignIn) -> None:
    head = sign_in("Head teacher", size="phone", bypass_csp=True)
    visit(head, "/pledges/?mine=on")
    expect(
        head.get_by_text("Incomplete: the second half is not promised yet").first
    ).to_be_visible()
    head.get_by_role("link", name=re.compile("plan reading together")).first.click()
    expect(head.get_by_text("Incomplete: the second half is not promised yet")).to_be_visible()
    axe = Axe()
    for step in ("draft", "promised"):
        found = axe.run(head, options=RULES)
        assert found.violations_count == 0, f"{step}\n{found.generate_report()}"
        if step == "draft":
            head.get_by_role("button", name="Promise it").click()
            expect(head.get_by_text("It is promised")).to_be_visible()
    expect(head.get_by_text("Incomplete:")).to_have_count(0)
    fits(head, "phone")
    for path in ("/pledges/", "/pledges/new/other/"):
        visit(head, path)
        fits(head, "phone")
        found = axe.run(head, options=RULES)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
