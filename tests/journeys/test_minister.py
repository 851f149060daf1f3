"""A minister goes from the whole system to one school, and asks how a figure was made."""

import csv
import io
import re

from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn


def test_the_first_screen_holds_the_key_figures_and_the_map(sign_in: SignIn) -> None:
    page = sign_in("Ministry")
    for part in (".key >> nth=0", ".key >> nth=3", "svg.map"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, part


def test_from_the_front_page_to_an_area_to_a_school(sign_in: SignIn) -> None:
    page = sign_in("Ministry")
    area = page.get_by_role("region", name="Areas, by name").get_by_role("link").first
    name = area.inner_text()
    area.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    school = page.get_by_role("region", name="Schools, by name").get_by_role("link").first
    name = school.inner_text()
    school.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_the_table_of_areas_downloads_as_it_is_shown(sign_in: SignIn) -> None:
    page = sign_in("Ministry")
    table = page.get_by_role("region", name="Areas, by name")
    shown = table.locator("tbody th").all_inner_texts()
    with page.expect_download() as waiting:
        table.locator("xpath=following-sibling::*[1]").get_by_role("link", name="CSV").click()
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    assert [row["Area"] for row in csv.DictReader(io.StringIO(text))] == shown


def test_how_this_was_made_leads_to_run_settings_and_source_files(sign_in: SignIn) -> None:
    page = sign_in("Ministry")
    page.locator(".key", has_text="pupils in the newest year").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How these figures were made")
    expect(page.get_by_text("brightspots analyse --run")).to_be_visible()
    assert {"Seed", "Method", "Run"} <= set(page.locator(".facts-list dt").all_inner_texts())
    files = rows(page, "Source files")
    assert any("results_by_school.csv" in row for row in files)
    assert all(re.search(r"\b[0-9a-f]{64}\b", row) for row in files)


def rows(page: Page, table: str) -> list[str]:
    return page.get_by_role("region", name=table).locator("tbody tr").all_inner_texts()
