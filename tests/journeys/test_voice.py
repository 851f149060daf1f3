"""A consultation from a draft to answers on phones; what is counted is read by everybody."""

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import looks_right, visit

PHONE = {"size": "phone", "java_script_enabled": False}


def day(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011 - the machine's own day


def test_teachers_and_heads_are_asked_and_answer_on_phones(sign_in: SignIn) -> None:
    title = "(Invented.) Later buses in winter"
    ministry = sign_in("Ministry")
    visit(ministry, "/voice/")
    ministry.get_by_role("link", name="Ask teachers and heads").click()
    ministry.get_by_label("What you ask about").fill(title)
    ministry.get_by_label("the design of a policy").check()
    ministry.get_by_label("The policy, in plain words").fill("(Invented.) Buses leave at four.")
    ministry.get_by_label("Question 1").fill("Four is a good time.")
    ministry.get_by_label("Question 2").fill("What would change?")
    ministry.get_by_label("How it is answered").nth(1).select_option("text")
    ministry.get_by_label("Closes on").fill(day(10))
    ministry.get_by_label("Answered by").fill(day(5))
    for named in ("Who owes the answer", "Who moderates"):
        ministry.get_by_label(named).select_option(index=1)
    ministry.get_by_label("Who moderates").select_option(
        ministry.locator("#id_moderator option", has_text=", Analyst").first.get_attribute("value")
    )
    ministry.get_by_role("button", name="Save the draft").click()
    expect(ministry.get_by_text("The answer comes after the day it closes.").first).to_be_visible()
    ministry.get_by_label("Answered by").fill(day(25))
    ministry.get_by_role("button", name="Save the draft").click()
    expect(ministry.get_by_text("Nobody is asked until it is opened.")).to_be_visible()
    ministry.get_by_role("link", name="Look once more, then open it").click()
    fits(ministry, "desk")
    ministry.get_by_role("button", name="Open it").click()
    expect(ministry.get_by_text("everybody who is asked is told")).to_be_visible()
    place = urlsplit(ministry.url).path

    teacher = sign_in("Teacher", **PHONE)
    visit(teacher, "/voice/")
    fits(teacher, "phone")
    teacher.get_by_role("link", name=re.compile("^Answer.*Later buses")).click()
    fits(teacher, "phone")
    teacher.get_by_label("disagree strongly").check()
    teacher.get_by_label("What would change?").fill("(Invented.) Call me: 0712 345 678.")
    teacher.get_by_role("button", name="Seal and send").click()
    expect(teacher.get_by_text("Look again: this may tell who wrote it")).to_be_visible()
    fits(teacher, "phone")
    teacher.get_by_label("What would change?").fill("(Invented.) The little ones get home.")
    teacher.get_by_role("button", name="Send it as it stands").click()
    expect(teacher.get_by_role("heading", name="You have answered")).to_be_visible()
    fits(teacher, "phone")
    # The back button, and sending once more: one answer counts.
    visit(teacher, f"{place}answer/")
    expect(teacher.get_by_text("One answer counts: the first.")).to_be_visible()
    fits(teacher, "phone")

    # Who asked sees nothing of it, and cannot change what people answer to.
    visit(ministry, place)
    expect(ministry.get_by_text("nobody sees how many there are")).to_be_visible()
    expect(ministry.get_by_role("link", name="Change it")).to_have_count(0)
    ministry.get_by_role("link", name="Withdraw it").click()
    ministry.get_by_label("Why it is withdrawn").fill("(Invented.) The buses were sold.")
    ministry.get_by_role("button", name="Withdraw it").click()
    expect(ministry.get_by_text("All answers were destroyed unread").first).to_be_visible()
    visit(teacher, f"{place}answer/")
    expect(teacher.get_by_text("It was withdrawn.").first).to_be_visible()


def test_what_was_answered_is_read_by_everybody_and_fits(sign_in: SignIn) -> None:
    page = sign_in("Head teacher", bypass_csp=True)
    visit(page, "/voice/")
    counted = page.get_by_role("link", name="The reading hour: how is it going?")
    place = counted.first.get_attribute("href")
    asked = page.get_by_role("link", name=re.compile("^Answer.*Time to visit"))
    answering = asked.first.get_attribute("href")
    assert place
    assert answering
    for path in ("/voice/", place, answering):
        looks_right(page, path)
    visit(page, place)
    expect(page.get_by_role("heading", name="What was answered")).to_be_visible()
    expect(page.locator("svg.chart").first).to_be_visible()
    ministry = sign_in("Ministry", bypass_csp=True)
    looks_right(ministry, "/voice/new/")
