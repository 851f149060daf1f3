"""A small sample system made and served by the command itself, and a real browser to walk it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

COMMAND = Path(sys.executable).with_name("brightspots")
SIZES = {"phone": (320, 640), "desk": (1280, 900)}
ROLES = ("Ministry", "Analyst", "District officer", "System leader", "Head teacher", "Teacher")

expect.set_options(timeout=15_000)  # a busy machine is no failure

SignIn = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.journey)


def environment() -> dict[str, str]:
    """Ours without what belongs to the tests or to somebody's own installation."""
    foreign = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "BRIGHTSPOTS_HOME"}
    return {name: value for name, value in os.environ.items() if name not in foreign}


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
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    home, ready = shared / "journey-sample", shared / "journey-sample-built"
    try:
        (shared / "journey-sample-lock").mkdir()
    except FileExistsError:
        until = time.monotonic() + 300
        while not ready.exists():
            assert time.monotonic() < until, "the sample was not built in five minutes"
            time.sleep(0.5)
        return home
    made = subprocess.run(
        [COMMAND, "sample", "--home", home, "--schools", "60", "--years", "3"],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    ready.touch()
    return home


@pytest.fixture(scope="session")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a copy of the sample, served with its worker as `make run` does."""
    home = tmp_path_factory.mktemp("journeys") / "home"
    shutil.copytree(built, home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home.with_name("server.log")
    command = [COMMAND, "sample", "--home", home, "--serve", "--port", str(port)]
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
    until = time.monotonic() + 60
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
