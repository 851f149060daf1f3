"""A school falls into the isolation register and comes out of it again: phone and desk."""

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import looks_right, resize, visit


def number(page: Page, label: str) -> int:
    """The figure of that name, as the page shows it."""
    figure = page.locator(".key", has=page.get_by_role("heading", name=label, exact=True))
    return int(figure.locator(".value bdi").inner_text().replace(",", ""))


def register(page: Page) -> Locator:
    """The rows of the register that the page shows."""
    return page.get_by_role("region", name="Schools, by area and name").locator("tbody tr")


def set_days(page: Page, days: int) -> None:
    visit(page, "/connectedness/settings/")
    page.get_by_label("Days without contact").fill(str(days))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def listed(page: Page, school: str) -> bool:
    """Whether the register has the school on one of its pages."""
    visit(page, "/isolation/")
    while True:
        if register(page).locator("th", has=page.get_by_text(school, exact=True)).count():
            return True
        following = page.get_by_role("link", name="Next →")
        if not following.count():
            return False
        following.click()


@pytest.mark.parametrize("size", SIZES)
def test_time_passes_a_school_is_isolated_and_a_step_and_a_contact_end_it(
    sign_in: SignIn, size: str
) -> None:
    """A week without contact is the rule for a while: most schools fall into the register."""
    minister = sign_in("Ministry", size, java_script_enabled=False)
    set_days(minister, 365)
    visit(minister, "/isolation/?reason=no_contact")
    before = number(minister, "Isolated schools")
    set_days(minister, 7)
    try:
        _in_and_out(minister, before, size)
    finally:
        set_days(minister, 60)


def _in_and_out(minister: Page, before: int, size: str) -> None:
    visit(minister, "/isolation/?reason=no_contact&step=none")
    fits(minister, size)
    now = number(minister, "Isolated schools")
    assert now > before
    led = register(minister).filter(has_not_text="In no partnership")
    row = led.filter(has_not_text="without a leader").first
    expect(row).to_contain_text("Nobody in touch for 7 days or more, since")
    school = row.locator("th").inner_text()
    row.locator("th a").click()
    expect(minister.get_by_text("This school is on the isolation register")).to_be_visible()
    path = urlsplit(minister.url).path

    # Somebody takes it on.
    minister.get_by_role("link", name="Say who will do what").click()
    fits(minister, size)
    minister.get_by_label("What will be done").fill("(Invented.) Ring the head.")
    minister.get_by_label("By when").fill((date.today() + timedelta(days=3)).isoformat())  # noqa: DTZ011 - the browser's own day
    minister.get_by_role("button", name="Save").click()
    expect(minister.get_by_text("What is under way")).to_be_visible()
    assert listed(minister, school)
    expect(minister.get_by_text("(Invented.) Ring the head.").first).to_be_visible()

    # The call itself: three taps.
    visit(minister, path)
    minister.get_by_role("link", name="Write down a contact").click()
    fits(minister, size)
    minister.get_by_role("button", name="Save").click()
    expect(minister.get_by_text("Written down.")).to_be_visible()
    expect(minister.get_by_text("This school is in a led partnership")).to_be_visible()
    minister.get_by_role("link", name="Done").click()
    minister.get_by_label("What came of it").fill("(Invented.) They come to the next meeting.")
    minister.get_by_role("button", name="Save").click()
    expect(minister.get_by_text("(Invented.) They come to the next meeting.")).to_be_visible()
    fits(minister, size)
    assert not listed(minister, school)
    assert number(minister, "Isolated schools") == now - 1


@pytest.mark.parametrize("size", SIZES)
def test_a_leader_s_appointment_ends_and_all_schools_of_the_partnership_are_on_the_register(
    sign_in: SignIn, size: str
) -> None:
    minister = sign_in("Ministry", size)
    visit(minister, "/isolation/?reason=no_leader")
    before = _rows(minister)
    visit(minister, "/people/")
    leaders = minister.locator("ul.rows > li", has_text="System leader").filter(
        has_not_text="until"
    )
    # The first: the leader of the sample's cast, whose page other journeys walk, came after.
    one = leaders.first
    one.get_by_role("button", name="End").click()
    visit(minister, "/isolation/?reason=no_leader")
    after = _rows(minister)
    assert len(after) > len(before)
    expect(minister.get_by_text("Partnership without a leader since").first).to_be_visible()
    fits(minister, size)

    # The register leads to where the next one is appointed.
    gone = next(iter(after - before))
    visit(minister, "/isolation/?reason=no_leader")
    row = register(minister).filter(has_text=gone)
    row.get_by_role("link", name="Appoint a leader").click()
    expect(minister.get_by_role("heading", level=1)).to_have_text("People and their roles")


def _rows(page: Page) -> set[str]:
    found = set(register(page).locator("th").all_inner_texts())
    while page.get_by_role("link", name="Next →").count():
        page.get_by_role("link", name="Next →").click()
        found |= set(register(page).locator("th").all_inner_texts())
    return found


def test_a_leader_writes_down_a_meeting_on_a_phone_without_script(sign_in: SignIn) -> None:
    leader = sign_in("System leader", "phone", java_script_enabled=False)
    leader.get_by_role("link", name="Write down a meeting").click()
    boxes = leader.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(1).check()
    leader.get_by_label("A word on it").fill("(Invented.) We met under the tree.")
    leader.get_by_role("button", name="Save").click()
    expect(leader.get_by_text("Written down for 2 schools.")).to_be_visible()
    expect(leader.get_by_text("(Invented.) We met under the tree.")).to_be_visible()
    fits(leader, "phone")


@pytest.mark.parametrize("role", ["Ministry", "District officer", "System leader", "Head teacher"])
def test_the_pages_fit_and_are_open_to_everybody(role: str, sign_in: SignIn) -> None:
    page = sign_in(role, bypass_csp=True)
    paths = ["/network/", "/"]
    if role in {"Ministry", "District officer"}:
        visit(page, "/isolation/?show=both")
        school = register(page).locator("th a").first.get_attribute("href")
        assert school is not None
        paths += ["/isolation/", "/isolation/?show=near", school, f"{school}new/"]
    if role == "Ministry":
        paths += ["/connectedness/settings/"]
    for path in paths:
        looks_right(page, path)
    # On a phone the list says it; the drawing by name needs the width of a desk.
    visit(page, "/network/")
    drawing = page.locator(".desk-only")
    for size in SIZES if drawing.count() else ():
        resize(page, size)
        expect(drawing).to_be_visible() if size == "desk" else expect(drawing).to_be_hidden()
