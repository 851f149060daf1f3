"""From a data conversation over a decision and its words to a small test that is studied."""

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import looks_right, visit

PHONE = {"size": "phone", "java_script_enabled": False}


def day(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011 - the machine's own day


def written_down(leader: Page, question: str) -> str:
    """A decision from the conversation's page; the address of its own."""
    visit(leader, "/meetings/")
    leader.get_by_role("link", name="Open our data conversation").click()
    leader.get_by_role("link", name=re.compile("Write down a decision")).first.click()
    assert leader.get_by_label("About which priority").input_value() != ""
    leader.get_by_label("The question").fill(question)
    leader.get_by_label("What was considered").fill("(Invented.) This\n(Invented.) That")
    leader.get_by_label("What is decided").fill("(Invented.) We look at ten books on Fridays.")
    leader.get_by_label("By when").fill(day(40))
    leader.get_by_label("What would make us change our mind").fill("(Invented.) Nobody is found.")
    fits(leader, "desk")
    leader.get_by_role("button", name="Ask the schools").click()
    expect(leader.get_by_role("heading", name="What the data said")).to_be_visible()
    return urlsplit(leader.url).path


def test_a_decision_is_carried_on_phones_made_and_something_is_done(
    sign_in_alone: SignIn,
) -> None:
    question = "(Invented.) Which pupils do we look for first?"
    leader = sign_in_alone("System leader")
    decision = written_down(leader, question)

    head = sign_in_alone("Head teacher", **PHONE)
    visit(head, "/decisions/")
    fits(head, "phone")
    head.get_by_role("link", name=question).first.click()
    fits(head, "phone")
    # A no without a reason is asked for one; nothing is lost.
    head.get_by_label("We do not carry it").check()
    head.get_by_role("button", name="Give our word").click()
    expect(head.get_by_text("the others can answer a reason, not a no").first).to_be_visible()
    fits(head, "phone")
    head.get_by_label("In a few words").fill("(Invented.) Fridays are market days here.")
    head.get_by_role("button", name="Give our word").click()
    expect(head.get_by_text("Your school's word is written down.")).to_be_visible()

    # The leader hears it and changes the text: every school is asked again.
    visit(leader, decision)
    expect(leader.get_by_text("Fridays are market days here.")).to_be_visible()
    leader.get_by_role("link", name="Change the text").click()
    leader.get_by_label("What is decided").fill("(Invented.) We look at ten books on Mondays.")
    leader.get_by_role("button", name="Save and ask the schools again").click()
    expect(leader.get_by_text("Every school is asked again and sees what is new.")).to_be_visible()
    visit(head, decision)
    expect(head.get_by_text("This is new since:")).to_be_visible()
    expect(head.get_by_text("(Invented.) We look at ten books on Fridays.").first).to_be_visible()
    head.get_by_label("We carry it").check()
    head.get_by_role("button", name="Give our word").click()
    expect(head.get_by_text("2 of")).to_be_visible()

    # A second word on a phone: the decision of the sample that waits for this head.
    visit(head, "/decisions/mine/")
    head.get_by_role("link", name="Do we open our reading lessons to each other?").click()
    head.get_by_label("We carry it").check()
    head.get_by_role("button", name="Give our word").click()
    expect(head.get_by_text("Your school's word is written down.")).to_be_visible()

    visit(leader, decision)
    leader.get_by_text("Make it, though not every school carries it").click()
    leader.get_by_label("Why it is made all the same").fill("(Invented.) They said so by phone.")
    leader.get_by_role("button", name="Make it", exact=True).click()
    expect(leader.get_by_text("They said so by phone.")).to_be_visible()
    leader.get_by_text("Add something to do").click()
    leader.get_by_role("textbox", name="What is to be done").fill(
        "(Invented.) Find an hour on Mondays"
    )
    option = leader.locator("#action_owner option", has_text=re.compile("."))
    owner = head_name(head)
    leader.get_by_label("Who does it").select_option(
        value=option.filter(has_text=owner).first.get_attribute("value")
    )
    leader.locator("#action_due").fill(day(7))
    leader.get_by_role("button", name="Put it on the list").click()
    expect(leader.get_by_text("It is on the list, and whoever does it is told.")).to_be_visible()

    visit(head, "/decisions/mine/")
    head.get_by_role("link", name=re.compile("^It is done.*Find an hour on Mondays")).click()
    fits(head, "phone")
    head.get_by_label("What came of it").fill("(Invented.) Monday, the third lesson.")
    head.get_by_role("button", name="It is done").click()
    expect(head.get_by_text("Monday, the third lesson.")).to_be_visible()

    for role in ("Ministry", "District officer", "Analyst"):
        above = sign_in_alone(role)
        for path in (decision, urlsplit(head.url).path):
            answer = above.goto(path)
            assert answer is not None
            assert answer.status == 404, role


def head_name(page: Page) -> str:
    """The person's name, as the frame of every page has it."""
    return page.locator(".acting").inner_text().split(",")[0].removeprefix("You are acting as")


def test_a_cycle_is_predicted_measured_and_studied_on_a_phone(sign_in: SignIn) -> None:
    head = sign_in("Head teacher", **PHONE)
    visit(head, "/decisions/")
    head.get_by_role("link", name="What we try out").click()
    head.get_by_role("link", name="Plan a cycle").click()
    head.get_by_label("What you try").fill("(Invented.) A word a day")
    head.get_by_label("What you predict").fill("(Invented.) From three to six of ten.")
    head.get_by_label("The test").fill("(Invented.) Year 2, every morning.")
    head.get_by_label("What you measure").fill("pupils who use the word")
    head.get_by_label("Begins on").fill(day(-30))
    fits(head, "phone")
    head.get_by_role("button", name="Begin").click()
    expect(head.get_by_text("Planned. Write the first value down")).to_be_visible()
    fits(head, "phone")
    cycle = urlsplit(head.url).path

    write(head, 1, "3")
    expect(head.get_by_text("This day is yet to come.").first).to_be_visible()
    values = ("3", "4", "3", "2", "3", "4", "6", "7", "6", "8", "7", "8")
    for number, value in enumerate(values):
        write(head, 2 * number - 25, value)
        expect(head.get_by_text("Written down.", exact=True)).to_be_visible()
    shift = head.locator(".reading li", has_text="A shift: 6 points in a row on the better side")
    expect(shift).to_be_visible()
    expect(head.locator("svg.chart")).to_be_visible()
    fits(head, "phone")
    head.get_by_role("link", name=re.compile("^Correct")).first.click()
    head.get_by_label("Value", exact=True).fill("9")
    head.get_by_role("button", name="Save").click()
    expect(head.get_by_text("it was 8 before")).to_be_visible()

    head.get_by_role("link", name="Study it").click()
    expect(head.get_by_text("From three to six of ten.")).to_be_visible()
    head.get_by_label("What you found").fill("(Invented.) More than we thought.")
    head.get_by_label("Adopt: it does what we hoped").check()
    head.get_by_label("The next step").fill("(Invented.) Year 3 begins.")
    fits(head, "phone")
    head.get_by_role("button", name="Finish the cycle").click()
    expect(head.get_by_role("heading", name="What was found")).to_be_visible()
    expect(head.get_by_role("link", name="Write it up as a practice")).to_be_visible()
    expect(head.get_by_role("button", name="Write it down")).to_have_count(0)
    for role in ("Ministry", "District officer"):
        answer = sign_in(role).goto(cycle)
        assert answer is not None
        assert answer.status == 404


def write(page: Page, days: int, value: str) -> None:
    page.get_by_label("Day", exact=True).fill(day(days))
    page.get_by_label("Value", exact=True).fill(value)
    page.get_by_role("button", name="Write it down").click()


def test_the_pages_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    page = sign_in("Head teacher", bypass_csp=True)
    visit(page, "/decisions/")
    place = urlsplit(page.url).path.removesuffix("decisions/")
    for path in (
        f"{place}decisions/", f"{place}cycles/", "/decisions/new/", "/decisions/mine/",
        "/decisions/1/", "/decisions/2/", "/decisions/2/change/", "/decisions/to-do/3/",
        "/cycles/new/", "/cycles/1/", "/cycles/2/", "/cycles/2/study/", "/cycles/5/",
    ):  # fmt: skip
        looks_right(page, path)
    above = sign_in("Ministry", bypass_csp=True)
    looks_right(above, "/decisions/figures/")
