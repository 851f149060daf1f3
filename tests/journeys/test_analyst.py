"""An analyst brings a file in, mends it, and takes it back, without any script."""

import csv
import io
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn

JOB = 90_000
"""Milliseconds to wait for the worker; a busy machine needs a while to start it."""
HEAD = "school,year,subject,mean,candidates,spread"


def upload(page: Page, file: Path) -> None:
    page.goto("/imports/new/")
    page.get_by_label("Results by school").check()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.locator("main form button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What the columns mean")
    page.get_by_role("button", name="Check the file", exact=True).click()


def test_a_file_is_checked_mended_imported_and_undone(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("Analyst", java_script_enabled=False)
    schools = page.request.get("/schools.csv").text().lstrip("\ufeff")
    codes = [row["Code"] for row in csv.DictReader(io.StringIO(schools))][:3]
    good = [f"{code},2031,reading,{250 + place},30,40" for place, code in enumerate(codes)]
    file = tmp_path / "results 2031.csv"

    file.write_text("\n".join([HEAD, good[0], good[1].replace(",251,", ",many,"), good[2]]) + "\n")
    upload(page, file)
    problem = page.get_by_role("row").filter(has_text="many").first
    expect(problem).to_be_visible(timeout=JOB)
    expect(problem).to_contain_text("3")  # the header is row 1
    expect(problem).to_contain_text("mean")

    file.write_text("\n".join([HEAD, *good]) + "\n")
    upload(page, file)
    expect(page.get_by_role("heading", name="Import it?")).to_be_visible(timeout=JOB)
    page.get_by_role("button", name="Import", exact=True).click()
    undo = page.get_by_role("button", name="Undo this import")
    expect(undo).to_be_visible(timeout=JOB)
    undo.click()
    expect(page.get_by_text("This import was undone")).to_be_visible(timeout=JOB)
