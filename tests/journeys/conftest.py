"""A small sample system made and served by the command itself, and a real browser to walk it."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.conftest import COMMAND, environment, made_once

SIZES = {"phone": (320, 640), "desk": (1280, 900)}
ROLES = ("Ministry", "Analyst", "District officer", "System leader", "Head teacher", "Teacher")

expect.set_options(timeout=15_000)  # a busy machine is no failure

SignIn = Callable[..., Page]


def fits(page: Page, size: str) -> None:
    """Hold that the page is no wider than the screen; one still loading is waited for.

    Asked from outside: in a page without JavaScript nothing asks twice.
    """
    until, wide = time.monotonic() + 15, None
    while time.monotonic() < until:
        with contextlib.suppress(PlaywrightError):  # the page was just replaced by the next
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide <= SIZES[size][0]:
                return
        page.wait_for_timeout(100)
    pytest.fail(f"{page.url} is {wide} wide on a {size}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is. Without it the journeys are skipped, visibly; in CI that is a failure."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "no Chromium on this machine: the browser journeys cannot be walked"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def built(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of 60 schools, built once for all test processes of this run."""

    def make(home: Path) -> None:
        made = subprocess.run(
            [COMMAND, "sample", "--home", home, "--schools", "60", "--years", "3"],
            env=environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stdout + made.stderr

    return made_once(tmp_path_factory, "journey-sample", make)


@pytest.fixture(scope="session")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a copy of the sample, served with its worker as `make run` does."""
    yield from serve(built, tmp_path_factory.mktemp("journeys") / "home")


@pytest.fixture
def own_site(built: Path, tmp_path: Path) -> Iterator[str]:
    """As `site`, for one test alone: what it changes for the whole system, no other test sees."""
    yield from serve(built, tmp_path / "home")


def serve(built: Path, home: Path) -> Iterator[str]:
    shutil.copytree(built, home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home.with_name("server.log")
    command = [COMMAND, "sample", "--home", home, "--serve", "--port", str(port)]
    command += ["--processes", "1"]  # one person at a time walks here
    with log.open("w") as out:
        server = subprocess.Popen(command, env=environment(), stdout=out, stderr=out)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, server, log)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 240
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/sample/sign-in/", timeout=5):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not come up:\n{log.read_text()}")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # A module's own: while Playwright's loop runs, Django refuses the database to other tests.
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def sign_in(browser: Browser, site: str) -> Iterator[SignIn]:
    """Sign in as one of the cast, by one click on the sample's first page."""
    yield from signing_in(browser, site)


@pytest.fixture
def sign_in_alone(browser: Browser, own_site: str) -> Iterator[SignIn]:
    """As `sign_in`, at the site that this test has for itself."""
    yield from signing_in(browser, own_site)


def signing_in(browser: Browser, site: str) -> Iterator[SignIn]:
    opened: list[BrowserContext] = []

    def as_person(role: str, size: str = "desk", **options: bool) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            base_url=site, viewport={"width": width, "height": height}, **options
        )
        context.set_default_timeout(30_000)
        opened.append(context)
        page = context.new_page()
        page.goto("/sample/sign-in/")
        page.locator(".cast button", has=page.get_by_text(role, exact=True)).click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    yield as_person
    for context in opened:
        context.close()
