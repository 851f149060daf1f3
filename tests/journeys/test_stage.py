"""Stages on a phone without JavaScript: rated alone, agreed, a power asked for and accepted."""

from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import looks_right, visit

PHONE = {"size": "phone", "java_script_enabled": False}


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def address(page: Page) -> str:
    """The page of the own partnership's stages, from the list."""
    visit(page, "/pace/stages/")
    fits(page, "phone")
    href = page.locator("main table a").first.get_attribute("href")
    assert href is not None
    return href


def rate(page: Page, stage: int) -> None:
    for group in page.locator("form.form fieldset").all():
        group.locator("input[type=radio]").nth(stage - 1).check()
    for field in page.locator("form.form textarea").all():
        field.fill("(Invented.) Every Friday we look at books together.")


def test_a_round_is_rated_alone_and_agreed_on_phones(sign_in_alone: SignIn) -> None:
    head = sign_in_alone("Head teacher", **PHONE)
    stages = address(head)
    visit(head, stages)
    expect(head.locator("summary", has_text="What shows it")).to_have_count(0)
    head.get_by_role("link", name="Rate it by myself").click()
    fits(head, "phone")
    press(head, "Give our rating")
    expect(head.get_by_text("This field is required.").first).to_be_visible()
    rate(head, 2)
    press(head, "Give our rating")
    expect(head.get_by_text("nobody is told that it is yours")).to_be_visible()
    fits(head, "phone")

    leader = sign_in_alone("System leader", **PHONE)
    visit(leader, stages)
    press(leader, "Close the ratings")
    leader.get_by_role("link", name="Put stages to the group").click()
    for choice in leader.locator("form.form select").all():
        choice.select_option("2")
    fits(leader, "phone")
    press(leader, "Put them to the group")
    expect(leader.get_by_text("put to the group").first).to_be_visible()

    visit(head, stages)
    head.get_by_role("link", name="Say our word").click()
    head.get_by_label("We see it differently").first.check()
    press(head, "Give our word")
    expect(head.get_by_text("Say in a few words how you see it.").first).to_be_visible()
    head.locator("form.form textarea").first.fill("(Invented.) Two schools are seldom there.")
    press(head, "Give our word")
    expect(head.get_by_text("Two schools are seldom there.")).to_be_visible()
    fits(head, "phone")


def test_a_power_is_offered_and_accepted_on_phones(sign_in_alone: SignIn) -> None:
    officer = sign_in_alone("District officer", **PHONE)
    visit(officer, "/pace/powers/?kind=area")
    fits(officer, "phone")
    officer.locator("main .notice a", has_text="Say whether you take it on").first.click()
    fits(officer, "phone")
    officer.get_by_label("We take it on").check()
    press(officer, "Answer")
    expect(officer.get_by_text("It is answered")).to_be_visible()
    expect(officer.locator(".held .badge", has_text="held")).to_have_count(1)
    fits(officer, "phone")


def test_pages_of_stages_and_powers_hold_what_everybody_can_read(sign_in: SignIn) -> None:
    page = sign_in("System leader", bypass_csp=True)
    visit(page, "/pace/stages/")
    found = page.locator("main table a").first.get_attribute("href")
    assert found is not None
    for path in (found, found.replace("stages", "powers"), "/pace/stages/texts/", "/pace/powers/"):
        looks_right(page, path)
