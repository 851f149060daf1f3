"""Every page of the cast: fits a phone, open to everybody, light, and works by keyboard alone."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SIZES, SignIn, fits

PAGES = {
    "Ministry": ("/ministry/", "/schools/", "/partnerships/", "/isolation/", "/methods/"),
    "Ministry (at work)": (
        *("/people/", "/proposals/", "/proposals/1/", "/audit/", "/insight/runs/", "/jobs/"),
    ),
    "Analyst": ("/imports/", "/imports/new/", "/imports/1/", "/imports/4/", "/insight/start/"),
    "District officer": ("/", "/isolation/"),
    "System leader": ("/", "/schools/"),
    "Head teacher": ("/",),
    "Teacher": ("/",),
}
DEEPER = {
    "Ministry": ("a[href*='/areas/']", "a[href*='/insight/runs/']"),
    "Head teacher": ("a[href*='/partnerships/']",),
}
AXE = Axe()
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
}


def role_of(part: str) -> str:
    return part.partition(" (")[0]


def visit(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, path


def looks_right(page: Page, path: str | None) -> None:
    """Open a page and what it hides: on a phone and at a desk it fits, and axe finds nothing."""
    assert path is not None
    resize(page, "phone")
    visit(page, path)
    for disclosure in page.locator("main details:not([open]) > summary").all()[:8]:
        if disclosure.is_visible():
            disclosure.click()
    for size in SIZES:
        resize(page, size)
        fits(page, size)
        found = AXE.run(page, options=RULES)
        assert found.violations_count == 0, f"{path} on a {size}\n{found.generate_report()}"


def resize(page: Page, size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})


def addresses(page: Page, part: str) -> list[str]:
    """The pages of a role (or part of them), and those one click below its front page."""
    found = list(PAGES[part])
    visit(page, "/")
    for link in DEEPER.get(part, ()):
        href = page.locator(f"main {link}").first.get_attribute("href")
        assert href is not None
        found.append(href)
    return found


@pytest.mark.parametrize("part", PAGES)
def test_no_page_scrolls_sideways_and_axe_finds_nothing(part: str, sign_in: SignIn) -> None:
    # axe is put into the page by script, which our own policy forbids: it alone is let through.
    page = sign_in(role_of(part), bypass_csp=True)
    for path in addresses(page, part):
        looks_right(page, path)


def test_sign_in_and_error_pages_are_open_to_everybody(sign_in: SignIn) -> None:
    page = sign_in("Teacher", "phone", bypass_csp=True)
    axe = Axe()
    for path in ("/account/login/", "/sample/sign-in/", "/no-such-page/", "/ministry/"):
        page.goto(path)
        found = axe.run(page, options=RULES)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"


def test_with_the_keyboard_alone_one_skips_opens_the_menu_and_filters(sign_in: SignIn) -> None:
    page = sign_in("Ministry", "phone")
    visit(page, "/schools/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    reach(page, "summary", "Find a school")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("zzz no such school")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No school fits.")).to_be_visible()
    visit(page, "/schools/")
    reach(page, "summary", "Menu")
    page.keyboard.press("Enter")
    reach(page, "a", "Partnerships")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Partnerships")


def reach(page: Page, tag: str, words: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(
            "([tag, words]) => document.activeElement.matches(tag)"
            " && document.activeElement.textContent.trim() === words",
            [tag, words],
        ):
            return
    pytest.fail(f"{words} cannot be reached with the Tab key")


class Traffic:
    """Bytes over the network as the browser counts them, headers included."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        self.script = 0
        self._scripts: set[str] = set()
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _received(self, event: dict[str, Any]) -> None:
        if event["type"] == "Script":
            self._scripts.add(event["requestId"])

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])
        if event["requestId"] in self._scripts:
            self.script += int(event["encodedDataLength"])


@pytest.mark.parametrize("role", ["Ministry", "District officer", "System leader", "Head teacher"])
def test_a_front_page_is_light_and_the_second_visit_lighter(role: str, sign_in: SignIn) -> None:
    page = sign_in(role, "phone")
    state = page.context.storage_state()
    browser = page.context.browser
    assert browser is not None
    fresh = browser.new_context(storage_state=state, viewport={"width": 320, "height": 640})
    page_url, page = page.url, fresh.new_page()
    traffic = Traffic(page)
    page.goto(page_url, wait_until="networkidle")
    first, script = traffic.bytes, traffic.script
    assert 5_000 < first <= 100_000
    assert script <= 30_000
    page.goto(page_url, wait_until="networkidle")
    assert traffic.bytes - first <= 20_000
    fresh.close()


def test_the_core_tasks_need_no_script(sign_in: SignIn) -> None:
    page = sign_in("Head teacher", "phone", java_script_enabled=False)
    expect(page.get_by_role("heading", name="Who near us can help")).to_be_visible()
    page.locator("nav.nav summary").click()
    page.locator("nav.nav").get_by_role("link", name="Schools", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Schools")
    page.get_by_text("Find a school").click()
    page.get_by_label("Name or code").fill("zzz no such school")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No school fits.")).to_be_visible()
