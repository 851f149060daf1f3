"""Each person of the cast reaches their own front page, and nothing beyond what they may see."""

import csv
import io

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import ROLES, SignIn

FRONT = {
    "Ministry": ("/ministry/", "Isolated schools"),
    "Analyst": ("/ministry/", "Bright spot candidates"),
    "District officer": ("/areas/", "Schools and their partnerships"),
    "System leader": ("/partnerships/", "Strengths and needs"),
    "Head teacher": ("/schools/", "Who near us can help"),
    "Teacher": ("/schools/", "Who near us can help"),
}


def schools_seen(page: Page) -> set[str]:
    answer = page.request.get("/schools.csv")
    assert answer.ok
    return {row["Code"] for row in csv.DictReader(io.StringIO(answer.text().lstrip("\ufeff")))}


@pytest.mark.parametrize("role", ROLES)
def test_one_click_leads_to_the_own_front_page_on_a_phone(role: str, sign_in: SignIn) -> None:
    page = sign_in(role, "phone")
    path, words = FRONT[role]
    assert path in page.url
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(words).first).to_be_visible()
    expect(page.get_by_text("Invented data: no such school exists.")).to_be_visible()


@pytest.mark.parametrize("role", ["District officer", "System leader", "Head teacher", "Teacher"])
def test_a_school_one_may_not_see_is_not_found(role: str, sign_in: SignIn) -> None:
    everything = schools_seen(sign_in("Ministry"))
    page = sign_in(role)
    seen = schools_seen(page)
    assert seen < everything
    hidden, open_to_them = sorted(everything - seen)[0], sorted(seen)[0]
    answer = page.goto(f"/schools/{hidden}/")
    assert answer is not None
    assert answer.status == 404
    assert hidden not in page.inner_text("main")
    answer = page.goto(f"/schools/{open_to_them}/")
    assert answer is not None
    assert answer.status == 200
