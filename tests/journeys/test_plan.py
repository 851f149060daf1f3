"""Rollout plans on a phone without JavaScript: a point is picked, a wave moved, it is adopted."""

from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import visit

PHONE = {"size": "phone", "java_script_enabled": False}


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def test_a_ministry_picks_a_point_moves_a_wave_and_districts_read_it(
    sign_in_alone: SignIn,
) -> None:
    ministry = sign_in_alone("Ministry", **PHONE)
    visit(ministry, "/pace/plans/")
    fits(ministry, "phone")
    ministry.locator("section[aria-labelledby=studies] a").first.click()
    fits(ministry, "phone")
    follow(ministry, "Support, terms, speeds")
    ministry.get_by_label("Speeds to choose from").fill("2, forty")
    press(ministry, "Save")
    expect(ministry.get_by_text("Give whole numbers of terms with commas").first).to_be_visible()
    ministry.go_back()
    ministry.go_back()
    ministry.locator("section[aria-labelledby=found] a").first.click()
    expect(ministry.get_by_text("It is no forecast.")).to_be_visible()
    fits(ministry, "phone")

    ministry.locator("table.stack a").first.click()  # another plan of the curve
    fits(ministry, "phone")
    press(ministry, "Pick this plan, and see its waves")
    expect(ministry.get_by_text("nothing is adopted yet")).to_be_visible()
    fits(ministry, "phone")
    follow(ministry, "Move waves by hand")
    fits(ministry, "phone")
    ministry.locator("form.form input[type=checkbox]").first.check()
    ministry.get_by_label("Begin in term").fill("99")
    press(ministry, "Move")
    expect(ministry.locator(".errors")).to_be_visible()
    ministry.get_by_label("Begin in term").fill("5")
    ministry.get_by_label("Terms of support", exact=True).select_option(index=1)
    press(ministry, "Move")
    expect(ministry.get_by_text("What your changes come to")).to_be_visible()
    fits(ministry, "phone")

    ministry.get_by_role("link", name="Adopt", exact=True).click()
    ministry.get_by_label("What an area gets when it begins").fill("(Invented.) A coach comes.")
    press(ministry, "Adopt")
    expect(ministry.get_by_text("Every area can read now when it begins.")).to_be_visible()

    officer = sign_in_alone("District officer", **PHONE)
    visit(officer, "/pace/plan/")
    expect(officer.get_by_text("Begins in term").first).to_be_visible()
    expect(officer.get_by_text("(Invented.) A coach comes.")).to_be_visible()
    fits(officer, "phone")
    head = sign_in_alone("Head teacher", **PHONE)
    visit(head, "/pace/plan/")
    expect(head.get_by_text("Begins in term").first).to_be_visible()
    fits(head, "phone")
