"""Track records: a leader reads what each project brought and says something beside it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import RULES, visit


def open_to_everybody(page: Page, size: str) -> None:
    fits(page, size)
    found = Axe().run(page, options=RULES).response["violations"]
    assert not found, [(each["id"], each["nodes"][0]["html"]) for each in found]


@pytest.mark.parametrize("size", SIZES)
def test_a_leader_reads_each_project_and_puts_words_beside_one(size: str, sign_in: SignIn) -> None:
    leader = sign_in("System leader", size, java_script_enabled=False)
    visit(leader, "/leaders/me/")
    leader.get_by_role("link", name="See each project").click()
    expect(leader.get_by_text("What it brought").first).to_be_visible()
    expect(leader.get_by_text("schools without help in the same years").first).to_be_visible()
    expect(leader.get_by_text("ended early").first).to_be_visible()
    leader.get_by_role("link", name="your words").last.click()
    fits(leader, size)
    words = f"(Invented.) What stayed is the plan, {size}."
    leader.get_by_label("What should stand beside this project").fill(words)
    leader.get_by_role("button", name="Save").click()
    expect(leader.get_by_text(words)).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_the_ministry_reads_the_list_by_name_and_sets_how_far_to_explore(
    size: str, sign_in: SignIn
) -> None:
    minister = sign_in("Ministry", size)
    visit(minister, "/evidence/")
    minister.get_by_role("link", name="Track records").click()
    expect(minister.get_by_text("No record yet.").first).to_be_visible()
    expect(minister.get_by_text("expected, likely between").first).to_be_visible()
    open_to_everybody(minister, size)
    names = minister.locator("tbody th").all_inner_texts()
    assert names == sorted(names, key=str.casefold)
    minister.locator("tbody th a").first.click()
    open_to_everybody(minister, size)
    visit(minister, "/evidence/records/exploration/")
    share = minister.get_by_label("Of 100 requests for support, so many go by a draw")
    share.fill("60")
    minister.get_by_role("button", name="Save").click()
    expect(minister.get_by_text("less than or equal to 50").first).to_be_visible()
    share.fill("10")
    minister.get_by_role("button", name="Save").click()
    expect(minister.get_by_text("Saved.")).to_be_visible()
