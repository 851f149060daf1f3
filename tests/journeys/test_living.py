"""A priority at work: drawn on a phone, made a partnership's own, read on the front pages."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import looks_right, visit

OUTLINE = """- Children read every day
-- Books in every class
--- (Invented.) A box of forty
- Teachers see how each child reads
"""


def address(page: Page, place: int = 0) -> str:
    """The page of a live priority, by a press on a front page."""
    visit(page, "/")
    page.locator(".priorities-here h3 a").nth(place).click()
    return urlsplit(page.url).path


def test_the_ministry_writes_what_drives_a_priority_on_a_phone_without_scripts(
    sign_in: SignIn,
) -> None:
    page = sign_in("Ministry", "phone", java_script_enabled=False)
    path = address(page)
    before = page.locator(".driver-diagram .as-list")
    expect(before).to_be_visible()
    expect(page.locator(".driver-diagram svg.drivers")).to_be_hidden()
    page.get_by_role("link", name="Change what drives it").click()
    box = page.get_by_label("What drives it")
    box.fill("Children read every day\n      Too far in")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Line 2 is six blanks deeper than line 1").first).to_be_visible()
    expect(box).to_have_value("Children read every day\n      Too far in")
    box.fill(OUTLINE)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.").first).to_be_visible()
    assert urlsplit(page.url).path == path
    third = page.locator(".as-list > ul > li > ul > li > ul > li")
    expect(third).to_have_text("(Invented.) A box of forty")

    # At a desk the same is drawn, on paper too, and says in words what it draws.
    desk = sign_in("Ministry")
    visit(desk, path)
    drawn = desk.get_by_role("img", name="What drives it")
    expect(drawn).to_be_visible()
    expect(drawn.locator("rect")).to_have_count(5)
    expect(drawn.locator("desc")).to_contain_text("2 primary drivers, 1 secondary driver")
    box_of = drawn.bounding_box()
    assert box_of is not None
    assert box_of["width"] <= SIZES["desk"][0]
    desk.emulate_media(media="print")
    expect(drawn).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_a_leader_writes_beside_the_data_and_the_head_reads_it_on_the_front_page(
    size: str, sign_in: SignIn
) -> None:
    words = f"(Invented.) With us it begins with games before the first lesson ({size})."
    leader = sign_in("System leader", size)
    visit(leader, "/")
    theirs = leader.locator(".priorities-here li").nth(1)
    # The second size finds what the first has written.
    not_yet = theirs.get_by_role("link", name="Say what it means here")
    not_yet.or_(theirs.get_by_role("link", name="Beside our data")).click()
    expect(leader.get_by_text("What our data say")).to_be_visible()
    expect(leader.get_by_text("chance taken out").first).to_be_visible()
    expect(leader.locator("svg.chart").first).to_be_visible()
    fits(leader, size)
    leader.get_by_label("What this priority means here").fill(words)
    leader.get_by_label("The district and the ministry may read it too").uncheck()
    leader.get_by_role("button", name="Save").click()
    expect(
        leader.get_by_text("The leader and the heads of the partnership are told.")
    ).to_be_visible()
    path = urlsplit(leader.url).path

    head = sign_in("Head teacher", size)
    expect(head.locator(".priorities-here")).to_contain_text(words)
    fits(head, size)
    visit(head, "/notices/")
    expect(head.get_by_text("means to us is written anew").first).to_be_visible()

    # It is not shared: the ministry reads how many have written, and not a word of this.
    minister = sign_in("Ministry", size)
    answer = minister.goto(path)
    assert answer is not None
    assert answer.status == 404
    address(minister, 1)
    expect(minister.get_by_text("partnerships have written what it means").first).to_be_visible()
    assert words not in minister.content()

    head.goto(path)
    head.get_by_label("The district and the ministry may read it too").check()
    head.get_by_role("button", name="Save").click()
    expect(head.get_by_text("are told.")).to_be_visible()
    visit(minister, path)
    expect(minister.get_by_text(words)).to_be_visible()


def test_the_pages_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    page = sign_in("Ministry", bypass_csp=True)
    path = address(page)
    measure = page.locator("#measures a", has_text="Change").first.get_attribute("href")
    assert measure is not None
    for each in (
        path,
        f"{path}aim/",
        f"{path}drivers/",
        f"{path}measures/add/",
        f"{path}here/",
        measure,
        "/priorities/indicators/",
        "/priorities/indicators/add/",
        "/ministry/",
    ):
        looks_right(page, each)


def test_a_baseline_is_taken_from_what_is_published_by_one_press(sign_in: SignIn) -> None:
    page = sign_in("Ministry")
    address(page)
    row = page.locator("#measures tbody tr", has_text="Results in").first
    row.get_by_role("link", name="Change").click()
    page.get_by_label("typical difference between schools").check()
    page.get_by_role("button", name="Take the published figure").click()
    expect(page.get_by_text("Taken from the published analysis.").first).to_be_visible()
    visit(page, "/audit/?q=take_published")
    expect(page.get_by_text("alignment.take_published").first).to_be_visible()
