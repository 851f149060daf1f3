"""Run the tutorials and put what they print under each step: `python docs/run_tutorials.py`.

A tutorial is a page of Markdown. Its ``python`` blocks run one after the other in one namespace,
in an empty folder; what a block prints stands in the ``text`` block below it. Pictures that a
block writes to ``images/`` are kept beside the page. With ``--check`` nothing is written: the exit
code is 1 where what is printed differs from the page.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parent / "tutorials"
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run(text: str, folder: Path) -> str:
    """Run a page's blocks in `folder`; give the page with what they print now."""
    names: dict[str, Any] = {"__name__": "__tutorial__"}

    def block(match: re.Match[str]) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(match[1], "tutorial", "exec"), names)  # noqa: S102 - our own page
        said = printed.getvalue().rstrip("\n")
        shown = f"\n```text\n{said}\n```\n" if said else ""
        return f"```python\n{match[1]}```\n{shown}"

    (folder / "images").mkdir(exist_ok=True)
    with _inside(folder):
        return BLOCK.sub(block, text)


def main(check: bool) -> int:
    """Run every page; write it anew, or only say whether it tells the truth."""
    wrong = 0
    for page in sorted(PAGES.glob("*.md")):
        with tempfile.TemporaryDirectory(prefix="brightspots-tutorial-") as scratch:
            before = page.read_text(encoding="utf-8")
            after = run(before, Path(scratch))
            if after != before:
                wrong += 1
                print(f"{page.name}: what the steps print has changed")
            if not check:
                page.write_text(after, encoding="utf-8")
                for image in (Path(scratch) / "images").iterdir():
                    (PAGES / "images").mkdir(exist_ok=True)
                    shutil.copy(image, PAGES / "images" / image.name)
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
