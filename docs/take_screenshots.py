"""Take the pictures of the README anew, from a running sample system.

make run                                # in one terminal
.venv/bin/python docs/take_screenshots.py http://127.0.0.1:8000            # or some: … variability
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent / "images"
PAGES = {
    "ministry": ("Ministry", "", ""),
    "area": ("District officer", "", ""),
    "partnership": ("System leader", "", ""),
    "school": ("Head teacher", "", ""),
    "bright-spots": ("District officer", "/insight/bright-spots/", ""),
    "variability": ("Ministry", "/insight/variability/", ""),
    "studio": ("District officer", "/proposals/", "Fewer schools in each partnership"),
    "isolation": ("District officer", "/isolation/", ""),
    "support": ("Head teacher", "/support/", ""),
    "shortlist": ("District officer", "/support/queue/?state=ready", "Primary School"),
    "practice": ("Teacher", "/practices/", "Fours by turns"),
    "network": ("Ministry", "/network/", ""),
    "priorities": ("Teacher", "/priorities/", ""),
    "proposals": ("Head teacher", "/priorities/proposals/", ""),
    "ballot": ("Head teacher", "/priorities/ballot/1/", ""),
    "priority": ("System leader", "/priorities/live/every-child-reads-by-ten/", ""),
    "finding": ("Ministry", "/leaders/finding/", ""),
    "leader": ("System leader", "/leaders/me/", ""),
    "conversation": ("System leader", "", "Open our data conversation"),
    "small-data": ("Head teacher", "/small-data/", ""),
    "decision": ("Head teacher", "/decisions/", "How do we find early who is stuck in reading?"),
    "cycle": ("Head teacher", "/cycles/1/", ""),
    "accountability": ("Ministry", "/accountability/", ""),
    "pledge": ("Head teacher", "/pledges/2/", ""),
    "ceremony": ("Head teacher", "/pledges/ceremony/", "partnership"),
    "shared-result": ("District officer", "", "Shared result"),
    "review": ("Head teacher", "/reviews/1/", ""),
    "challenge": ("Head teacher", "/challenge/1/", ""),
    "answer": ("Teacher", "/voice/1/", ""),
    "evaluation": ("Teacher", "/evidence/works/", "Friday"),
    "works": ("Teacher", "/evidence/works/", ""),
    "record": ("System leader", "/leaders/me/", "See each project"),
    "lottery": ("Head teacher", "/evidence/lotteries/1/", ""),
    "stage": ("Head teacher", "/pace/stages/", "Hufas Primary School partnership"),
    "power": ("District officer", "/pace/powers/", "Hufas"),
    "pulse": ("Ministry", "/pace/pulse/", ""),
    "plan": ("Ministry", "/pace/plans/results/1/", ""),
}
"""Name -> whose page, its address (empty for their front page), and a link there to follow."""
SIZES = {1280: 1400, 320: 1100}
"""Width of the window and the height at which a picture is cut, in CSS pixels."""


def take(browser: Browser, address: str, name: str, width: int) -> None:
    """Sign in as one of the cast and keep the upper part of a page."""
    role, path, link = PAGES[name]
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        page.goto(f"{address}/sample/sign-in/")
        page.locator(".cast button", has=page.get_by_text(role, exact=True)).click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        if path:
            page.goto(address + path)
        if link:
            page.locator("main").get_by_role("link", name=link).first.click()
            page.wait_for_load_state()
        tall = page.evaluate("document.documentElement.scrollHeight")
        size = {"x": 0, "y": 0, "width": width, "height": min(SIZES[width], tall)}
        picture = page.screenshot(clip=size, full_page=True)
    # Few colours are used: a palette keeps a picture a third of its size.
    image = Image.open(BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    image.save(HERE / f"{name}-{width}.png", optimize=True)


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if len(sys.argv) < 2 or chromium is None:
        sys.exit("Give the address of a running sample system; Chromium has to be installed.")
    HERE.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in sys.argv[2:] or PAGES:
            for width in SIZES:
                take(browser, sys.argv[1].rstrip("/"), name, width)
        browser.close()


if __name__ == "__main__":
    main()
