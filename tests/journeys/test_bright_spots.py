"""An officer visits a candidate, the ministry confirms it: on a phone and without script."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn
from tests.journeys.test_pages import looks_right, visit


def record(page: Page, what: str, note: str) -> None:
    """Fill in the form at the foot of the page and send it."""
    page.get_by_label(what).check()
    page.get_by_label("What you saw, or why").fill(note)
    page.get_by_role("button", name="Record").click()


def choose(page: Page, state: str) -> None:
    """Narrow the list to one state."""
    visit(page, "/insight/bright-spots/")
    page.get_by_text("Search and filter").click()
    page.get_by_label("How far people got", exact=True).select_option(label=state)
    page.get_by_role("button", name="Show").click()


def test_from_candidate_to_practice_written_up_on_a_phone_without_script(sign_in: SignIn) -> None:
    officer = sign_in("District officer", "phone", java_script_enabled=False)
    officer.locator("nav.nav summary").click()
    officer.locator("nav.nav").get_by_role("link", name="Bright spots").click()
    choose(officer, "candidate")
    listed = officer.get_by_role("region", name="Bright spots, by name of the school")
    first = listed.locator("tbody tr").first
    school = first.locator("th a").inner_text()
    first.locator("td a").click()
    expect(officer.get_by_role("heading", level=1)).to_contain_text(school)
    expect(officer.get_by_text("would truly be ahead of what is expected")).to_be_visible()
    path = urlsplit(officer.url).path
    record(officer, "The school was visited", "(Invented.) Both lessons began on the minute.")
    expect(officer.get_by_text("Recorded: visited.")).to_be_visible()
    expect(officer.get_by_text("Both lessons began on the minute.")).to_be_visible()

    minister = sign_in("Ministry", "phone", java_script_enabled=False)
    visit(minister, path)
    expect(minister.get_by_text("Both lessons began on the minute.")).to_be_visible()
    record(minister, "Confirm it", "(Invented.) We saw the same.")
    record(minister, "The practice is written up", "(Invented.) Three pages.")
    expect(minister.get_by_text("Recorded: practice written up.")).to_be_visible()
    steps = minister.get_by_role("region", name="What happened, in order").locator("tbody tr")
    expect(steps).to_have_count(4)
    choose(minister, "practice written up")
    expect(minister.get_by_role("link", name=school).first).to_be_visible()

    # Meanwhile the officer's page is old: what is typed there is not lost.
    record(officer, "Set it aside", "(Invented.) A doubt.")
    expect(officer.get_by_text("In the meantime The minister")).to_be_visible()
    expect(officer.get_by_label("What you saw, or why")).to_have_value("(Invented.) A doubt.")


def pages(page: Page, role: str) -> list[str]:
    """The list, one bright spot, its sheet, and the pages about differences."""
    visit(page, "/insight/bright-spots/")
    spot = page.locator("tbody td a").first.get_attribute("href")
    assert spot is not None
    found = ["/insight/bright-spots/", "/insight/bright-spots/?state=candidate", spot]
    found.append(spot.replace("/bright-spots/", "/visit-sheets/"))
    if role == "Ministry":
        visit(page, "/insight/variability/")
        area = page.get_by_role("region", name="Areas, by name").get_by_role("link").first
        found += ["/insight/variability/", str(area.get_attribute("href"))]
    return found


@pytest.mark.parametrize("role", ["Ministry", "District officer"])
def test_the_pages_fit_and_are_open_to_everybody(role: str, sign_in: SignIn) -> None:
    page = sign_in(role, bypass_csp=True)
    for path in pages(page, role):
        looks_right(page, path)


def test_the_ministry_goes_from_its_number_to_the_schools_and_to_an_area(sign_in: SignIn) -> None:
    page = sign_in("Ministry")
    page.get_by_role("link", name="See who and where").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bright spots")
    expect(page.locator("svg.map")).to_be_visible()
    visit(page, "/ministry/")
    page.get_by_role("link", name="All differences, and whether they are closing").click()
    page.get_by_role("region", name="Areas, by name").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("How much do schools in")
