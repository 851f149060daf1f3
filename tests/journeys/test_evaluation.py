"""What works and what does not: two finished evaluations, and one that is planned and run."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import RULES, visit

WORKED = "Books go home on Fridays: what it did at other schools"


@pytest.mark.parametrize("size", SIZES)
def test_what_works_is_read_with_how_sure_it_is(size: str, sign_in: SignIn) -> None:
    head = sign_in("Head teacher", size)
    visit(head, "/evidence/")
    head.get_by_role("link", name="What works and what does not").first.click()
    expect(head.get_by_text("A test every Monday: what it did at other schools")).to_be_visible()
    fits(head, size)
    head.get_by_role("link", name=WORKED).click()
    for heading in ("What was found", "Who was left out", "What would change our mind"):
        expect(head.get_by_text(heading).first).to_be_visible()
    expect(head.get_by_text("How far to trust it")).to_be_visible()
    expect(head.locator("svg.chart").first).to_be_visible()
    fits(head, size)
    found = Axe().run(head, options=RULES).response["violations"]
    assert not found, [(each["id"], each["nodes"][0]["html"]) for each in found]
    head.get_by_text("Evaluation · The practice").wait_for()
    visit(head, "/practices/books-go-home-on-fridays/")
    expect(head.get_by_role("heading", name="What it did at other schools")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_an_evaluation_is_planned_before_its_answer_is_known(size: str, sign_in: SignIn) -> None:
    analyst = sign_in("Analyst", size)
    visit(analyst, "/evidence/works/")
    analyst.get_by_role("link", name="What could we detect?").click()
    analyst.get_by_label("Schools in all, with it and without").fill("40")
    analyst.get_by_role("button", name="Reckon").click()
    expect(analyst.get_by_text("would be found four times out of five")).to_be_visible()
    fits(analyst, size)
    visit(analyst, "/evidence/works/")
    analyst.get_by_role("link", name="Plan an evaluation").click()
    fits(analyst, size)
    title = f"Games from the yard ({size})"
    analyst.get_by_label("Name of the evaluation").fill(title)
    analyst.get_by_label("The question").fill("(Invented.) Do pupils reckon better with games?")
    analyst.get_by_label("What is evaluated").select_option(label="a practice that schools took up")
    analyst.get_by_label("Which practice").select_option(label="Number games from the yard")
    analyst.get_by_label("Outcome by which it is judged").select_option(label="mathematics")
    analyst.get_by_label("The same in plain words").fill("(Invented.) As they heard of it.")
    analyst.get_by_label("What would change our mind").fill("(Invented.) Twice as many schools.")
    analyst.get_by_role("button", name="Save").click()
    expect(analyst.get_by_text("Nothing is found yet")).to_be_visible()
    fits(analyst, size)

    head = sign_in("Head teacher", size)
    visit(head, "/evidence/works/")
    expect(head.get_by_text(title)).to_be_visible()
    expect(head.get_by_role("link", name=title)).to_have_count(0)
