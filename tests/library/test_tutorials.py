"""The tutorials tell the truth: every block runs, and what it prints is what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.run_tutorials import PAGES, run

TUTORIALS = sorted(PAGES.glob("*.md"))


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_prints_what_its_page_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert run(text, tmp_path) == text, "run: python docs/run_tutorials.py"


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_pictures_of_a_tutorial_are_there(page: Path) -> None:
    named = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (page.parent / name).exists()] == []


def test_a_page_that_says_something_else_would_be_seen(tmp_path: Path) -> None:
    text = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    assert run(text, tmp_path) == text.replace("3", "2")
