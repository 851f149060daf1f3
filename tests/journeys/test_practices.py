"""A practice from a bright spot to a second school: written up, published, taken up twice."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import looks_right, visit


def a_confirmed_spot(page: Page) -> str:
    """The address of a bright spot whose practice can be written up."""
    for state in ("confirmed", "written_up"):
        visit(page, f"/insight/bright-spots/?state={state}")
        found = page.get_by_role("region", name="Bright spots, by name of the school")
        if found.locator("tbody tr").count():
            href = found.locator("tbody td a").first.get_attribute("href")
            assert href is not None
            return href
    raise AssertionError("the sample has no confirmed bright spot")


@pytest.mark.parametrize("size", SIZES)
def test_from_a_bright_spot_over_one_school_to_another(size: str, sign_in: SignIn) -> None:
    title = f"Two at a time ({size})"
    analyst = sign_in("Analyst", size)
    spot = a_confirmed_spot(analyst)
    visit(analyst, spot)
    analyst.get_by_role("link", name="Write up the practice").click()
    expect(analyst.get_by_label("Evidence so far")).to_have_value(
        # What is published is filled in, with how sure it is.
        re.compile("likely between")
    )
    analyst.get_by_label("Title").fill(title)
    analyst.get_by_label("In two sentences").fill("(Invented.) Two pupils explain to each other.")
    analyst.get_by_label("What to do").fill("Pair them.\nLet one explain.\nChange over.")
    analyst.get_by_label("What it takes").fill("Ten minutes a day.")
    fits(analyst, size)
    analyst.get_by_role("button", name="Save the draft").click()
    expect(analyst.get_by_text("This is a draft")).to_be_visible()
    expect(analyst.get_by_role("button", name="Publish it")).to_have_count(0)
    path = urlsplit(analyst.url).path

    minister = sign_in("Ministry", size)
    visit(minister, path)
    minister.get_by_role("button", name="Publish it").click()
    expect(minister.get_by_text("Published.").first).to_be_visible()
    visit(minister, spot)
    expect(minister.get_by_text("practice written up").first).to_be_visible()

    head = sign_in("Head teacher", size)
    visit(head, "/practices/")
    if size == "phone":
        head.get_by_text("Find a practice").click()
    head.get_by_label("Words").fill("two at a ti")
    head.get_by_role("button", name="Show").click()
    head.get_by_role("link", name=title).click()
    head.get_by_role("link", name="Take it up at our school").click()
    fits(head, size)
    head.get_by_role("button", name="Take it up").click()
    expect(head.get_by_text("Your school stands in its lineage now.")).to_be_visible()

    leader = sign_in("System leader", size)
    visit(leader, path)
    leader.get_by_role("link", name="Take it up at our school").click()
    learned = leader.get_by_label("From which school did you learn it?")
    learned.select_option(index=1)
    leader.get_by_label("What do you do otherwise?").fill("(Invented.) In threes.")
    leader.get_by_role("button", name="Take it up").click()

    lineage = leader.locator("#journey ~ .columns figure")
    names = lineage.locator("svg.chart text").all_text_contents()
    assert any("changed" in each for each in names)
    leader.get_by_text("Show it as a list").click()
    # The leader's school stands below the head's, and that below the source.
    third = leader.locator(".lineage > ul > li > ul > li > ul > li")
    expect(third).to_have_count(1)
    expect(third).to_contain_text("In threes.")
    expect(leader.locator(".lineage > ul > li > ul > li")).to_have_count(1)
    expect(leader.get_by_text("passed it on to 1 school")).to_be_visible()
    fits(leader, size)

    # The head hears of it, says something, and is asked about what looks like a name.
    visit(head, "/notices/")
    expect(head.get_by_text(f"took up “{title}”").first).to_be_visible()
    visit(head, path)
    head.get_by_label("What would you like to say?").fill("We began with Amina Were.")
    head.get_by_role("button", name="Say it").click()
    expect(head.get_by_text("looks like the name of a pupil")).to_be_visible()
    head.get_by_label("What would you like to say?").fill("We began with the older ones.")
    head.get_by_role("button", name="Say it").click()
    expect(head.get_by_text("We began with the older ones.")).to_be_visible()


def test_the_pages_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    page = sign_in("Head teacher", bypass_csp=True)
    for path in (
        "/practices/",
        "/practices/?q=fours",
        "/practices/write/",
        "/practices/fours-by-turns/",
        "/practices/fours-by-turns/?language=sw",
        "/practices/fours-by-turns/ours/",
        "/practices/lessons-on-saturday/",
        "/practices/we-plan-on-thursdays/take-up/",
        "/practices/words-on-the-wall/change/",
        "/practices/words-on-the-wall/translate/",
    ):
        looks_right(page, path)


def test_on_paper_there_is_the_practice_and_nothing_to_press(sign_in: SignIn) -> None:
    page = sign_in("Teacher")
    visit(page, "/practices/fours-by-turns/")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    expect(page.locator("svg.chart").first).to_be_visible()
    for button in page.locator("main button, main textarea").all():
        expect(button).to_be_hidden()
