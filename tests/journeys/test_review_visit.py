"""A peer review on phones, from the visit to the check-back; what everybody else sees of it."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.conftest import environment
from tests.journeys.conftest import SignIn, fits
from tests.journeys.test_pages import looks_right, visit

PHONE = {"size": "phone", "java_script_enabled": False}
PREPARED = """
import sys
from datetime import timedelta
from pathlib import Path

from brightspots_cli import platform

platform.start(Path(sys.argv[1]))

from brightspots_cli.sample_life import review as sample
from brightspots_web.accountability import review_actions as actions
from brightspots_web.accountability import visit_history_actions as history
from brightspots_web.connectedness.models import Deployment
from brightspots_web.directory import queries
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.directory.models import Appointment

cast = Appointment.objects.filter(queries.live(), person__email__endswith="@sample.invalid")
leader, head = (cast.filter(role=role).order_by("pk")[0] for role in ("system_leader", "head"))
# Who helps each other at present does not review each other: no help runs in this copy.
Deployment.objects.filter(state="running").delete()
review = sample._reviewed(leader, sample._about("(Invented.) Who speaks, who never?"), [head])
days = actions.Visit(queries.today(), queries.today() + timedelta(days=1), sample.PLAN)
review = actions.schedule(review, days, by=leader, seen=None)
history.date_review_back(review, 1, by=command_line_operator())
"""
"""The cast's leader has looked at their school and is visited, since yesterday, by the cast's head
and a peer from elsewhere: both sides of one review, where others count on there being none."""


def day(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011 - the machine's own day


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def test_a_review_goes_from_the_visit_to_the_check_back_on_phones(
    sign_in_alone: SignIn, tmp_path: Path
) -> None:
    made = subprocess.run(
        [sys.executable, "-c", PREPARED, tmp_path / "home"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr

    peer = sign_in_alone("Head teacher", **PHONE)
    visit(peer, "/reviews/?mine=team&state=scheduled")
    peer.locator("main table a").first.click()
    review = urlsplit(peer.url).path
    fits(peer, "phone")
    peer.get_by_role("link", name="Write down what I see").click()
    peer.get_by_role("radio", name="a lesson").check()
    peer.get_by_label("What you saw or heard").fill("(Invented.) The pupil Amina Otieno spoke.")
    peer.get_by_role("radio", name="something that works well").check()
    press(peer, "Keep it")
    expect(peer.get_by_text("looks like the name of a pupil").first).to_be_visible()
    fits(peer, "phone")
    peer.get_by_label("What you saw or heard").fill("(Invented.) All eight pupils spoke.")
    press(peer, "Keep it")
    expect(peer.get_by_text("It is kept. Write down the next thing").first).to_be_visible()
    expect(peer.get_by_text("All eight pupils spoke.").first).to_be_visible()
    fits(peer, "phone")

    peer.get_by_role("link", name="The findings").click()
    peer.get_by_text("What the team saw, to draw on").click()
    expect(peer.get_by_text("All eight pupils spoke.").first).to_be_visible()
    peer.get_by_role("radio", name="something to work on").check()
    peer.get_by_label("What you found").fill("(Invented.) The back rows are seldom asked.")
    press(peer, "Write it down")
    expect(peer.get_by_text("Strengths come first").first).to_be_visible()
    fits(peer, "phone")
    peer.get_by_role("radio", name="a strength").check()
    peer.get_by_label("What you found").fill("(Invented.) Pupils say why they read.")
    press(peer, "Write it down")
    peer.get_by_role("radio", name="something to work on").check()
    peer.get_by_label("What you found").fill("(Invented.) The back rows are seldom asked.")
    press(peer, "Write it down")
    expect(peer.get_by_text("The host has not answered 2 findings.").first).to_be_visible()
    fits(peer, "phone")

    host = sign_in_alone("System leader", **PHONE)
    visit(host, review)
    host.get_by_role("link", name="Answer the findings").click()
    fits(host, "phone")
    host.get_by_label("We agree").first.check()
    press(host, "Give this answer")
    expect(host.get_by_text("the school agrees").first).to_be_visible()
    second = host.locator("article").nth(1)
    second.get_by_label("We see it differently").check()
    second.get_by_label("In your own words").fill("(Invented.) In two classes of six.")
    second.get_by_role("button").click()
    expect(host.get_by_text("the school sees it differently").first).to_be_visible()
    fits(host, "phone")

    visit(peer, review)
    peer.get_by_role("link", name="Agree on the findings").click()
    press(peer, "Agree, and check back")
    expect(peer.get_by_text("Without a day to check back").first).to_be_visible()
    fits(peer, "phone")
    peer.get_by_label("The day to check back").fill(day(14))
    press(peer, "Agree, and check back")
    expect(peer.get_by_text("It is agreed.").first).to_be_visible()
    fits(peer, "phone")
    peer.get_by_role("link", name="Name what others could learn from").click()
    peer.get_by_label("What others could learn").fill("(Invented.) Ten minutes of reading aloud.")
    press(peer, "Name it")

    visit(host, f"{review}reply/")
    host.get_by_label("What you say to the findings").fill("(Invented.) We begin at the back.")
    press(host, "Put it below the findings")
    visit(host, f"{review}workshop/")
    host.get_by_label("What you talked about").fill("(Invented.) Who is asked.")
    press(host, "Keep it")
    expect(host.get_by_text("This field is required.").first).to_be_visible()
    host.get_by_label("What you do").fill("(Invented.) Names by lot")
    host.get_by_label("Who sees to it").fill("The deputy")
    host.get_by_label("Until when").fill(day(20))
    press(host, "Keep it")
    expect(host.get_by_text("Names by lot").first).to_be_visible()
    fits(host, "phone")
    host.get_by_role("link", name="Write it up for the library").click()
    fits(host, "phone")
    host.get_by_label("Title").fill("(Invented.) Reading aloud")
    host.get_by_label("In two sentences").fill("(Invented.) Ten minutes, in every lesson.")
    host.get_by_label("What to do").fill("(Invented.) Open the book; read together.")
    host.get_by_label("What it takes").fill("(Invented.) Ten minutes.")
    press(host, "Save the draft")
    expect(host.get_by_text("The draft is in the library.").first).to_be_visible()

    visit(peer, review)
    peer.get_by_role("link", name="Write down the check-back").click()
    fits(peer, "phone")
    peer.get_by_label("What you found").fill("(Invented.) All rows speak.")
    peer.get_by_label("Names by lot").fill("(Invented.) In all six classes.")
    peer.get_by_label("It is done").check()
    press(peer, "This is what we found")
    expect(peer.get_by_text("It is checked back, and everybody is told.").first).to_be_visible()
    expect(peer.get_by_text("In all six classes.").first).to_be_visible()
    fits(peer, "phone")
    answer = sign_in_alone("District officer").goto(review)
    assert answer is not None
    assert answer.status == 403


def test_the_pages_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    page = sign_in("Head teacher", bypass_csp=True)
    visit(page, "/reviews/?mine=team&state=workshop")
    page.locator("main table a").first.click()
    review = urlsplit(page.url).path
    for name in ("", "evidence/", "findings/", "check-back/"):
        looks_right(page, f"{review}{name}")
