"""A note from the classroom to the partnership's table, and to nobody else's."""

from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import looks_right, visit


def a_photograph(folder: Path) -> Path:
    """As a phone makes it: large, turned, with the place it was taken at."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "S", 2: (1.0, 57.0, 13.0), 3: "E", 4: (30.0, 3.0, 41.0)})
    drawn = Image.new("RGB", (2400, 1200), "#8c6f52")
    drawn.paste("#fdfdf8", (300, 200, 2000, 900))
    path = folder / "IMG_0001.jpg"
    drawn.save(path, "JPEG", exif=exif)
    return path


def served(page: Page, address: str) -> tuple[int, bytes]:
    answer = page.request.get(address)
    return answer.status, answer.body()


@pytest.mark.parametrize("size", SIZES)
def test_a_note_is_written_without_a_script_shared_by_the_head_and_seen_by_the_leader(
    size: str, sign_in: SignIn, tmp_path: Path
) -> None:
    words = f"A girl of class 3 explains the page to another ({size}, invented)."
    teacher = sign_in("Teacher", size, java_script_enabled=False)
    visit(teacher, "/small-data/write/")
    fits(teacher, size)
    teacher.get_by_label("What did you see or hear?").fill(f"{words} With Amina Were.")
    teacher.get_by_label("A photograph", exact=True).set_input_files(a_photograph(tmp_path))
    teacher.get_by_label("What is on the photograph").fill("An exercise book, open (invented)")
    teacher.get_by_label("It is about").select_option(index=1)
    teacher.get_by_label("Ask our head to share it").check()
    teacher.get_by_role("button", name="Save").click()
    # A name: asked about, and neither words nor photograph are lost.
    expect(teacher.get_by_text("“Amina Were” may say who a pupil is")).to_be_visible()
    expect(teacher.get_by_text("Your photograph is kept meanwhile")).to_be_visible()
    fits(teacher, size)
    teacher.get_by_label("What did you see or hear?").fill(words)
    teacher.get_by_role("button", name="Save").click()
    expect(teacher.get_by_text("Kept.")).to_be_visible()
    expect(teacher.get_by_text("waits for the head")).to_be_visible()
    fits(teacher, size)
    path = urlsplit(teacher.url).path
    picture = f"{path}photo.jpg"
    status, jpeg = served(teacher, picture)
    assert status == 200
    assert b"Exif" not in jpeg
    assert Image.open(BytesIO(jpeg)).size == (800, 1600)  # upright, and small

    leader = sign_in("System leader", size)
    assert leader.goto(path).status == 404  # type: ignore[union-attr] # a page answers
    assert served(leader, picture)[0] == 404
    head = sign_in("Head teacher", size)
    visit(head, path)
    head.get_by_role("button", name="Share it with").click()
    expect(head.get_by_text("The schools of your partnership can read it now.")).to_be_visible()
    fits(head, size)

    visit(leader, path)
    expect(leader.get_by_text(words)).to_be_visible()
    expect(leader.get_by_role("img", name="An exercise book, open (invented)")).to_be_visible()
    visit(leader, "/small-data/?whose=shared&q=explains")
    expect(leader.get_by_text(words)).to_be_visible()
    for role in ("Ministry", "District officer", "Analyst"):
        other = sign_in(role, size)
        assert other.goto(path).status == 404  # type: ignore[union-attr] # as above
        assert served(other, picture)[0] == 404


@pytest.mark.parametrize("size", SIZES)
def test_who_prepares_is_seen_by_school_and_never_by_name(size: str, sign_in: SignIn) -> None:
    teacher = sign_in("Teacher", size, java_script_enabled=False)
    visit(teacher, "/small-data/")
    teacher.get_by_role("link", name="Prepare for it").click()
    path = urlsplit(teacher.url).path
    teacher.get_by_role("link", name="Look at this").first.click()
    expect(teacher.get_by_role("heading", name="What we see and hear").first).to_be_visible()
    visit(teacher, path)
    teacher.get_by_label("A question I would like to ask the others").fill("How do you begin?")
    teacher.get_by_role("button", name="I have looked").or_(
        teacher.get_by_role("button", name="Keep my question")
    ).click()
    expect(teacher.get_by_role("heading", name="You have looked")).to_be_visible()
    fits(teacher, size)
    leader = sign_in("System leader", size)
    visit(leader, path)
    expect(leader.get_by_text("1 person has looked").first).to_be_visible()
    expect(leader.get_by_text("How do you begin?")).to_be_visible()
    assert "The teacher" not in leader.locator("main").inner_text()
    fits(leader, size)


def test_the_pages_are_open_to_everybody_and_fit(sign_in: SignIn) -> None:
    for role, paths in {
        "System leader": (
            "/small-data/",
            "/small-data/?kind=observation",
            "/small-data/write/",
            "/small-data/write/?rubric=1",
            "/small-data/forms/",
            "/small-data/forms/1/",
            "/small-data/forms/1/change/",
        ),
        "Ministry": ("/data-use/", "/small-data/forms/make/"),
        "District officer": ("/data-use/",),
    }.items():
        page = sign_in(role, bypass_csp=True)
        for path in paths:
            looks_right(page, path)
