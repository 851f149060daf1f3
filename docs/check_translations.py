"""Are the catalogues of translations up to date, and complete in every language that is offered?

`python docs/check_translations.py` checks; with `--write` it brings the catalogues up to date, so
that translators find what is new. English is the source: `locale/django.pot` lists every text.
A language is offered (settings.LANGUAGES) only when nothing is missing from its catalogue.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[1]
PLATFORM = ROOT / "src/brightspots_web"
SOURCE = "en"
PATH = os.environ.get("PATH", os.defpath)


def gathered(languages: list[str], folder: Path) -> Path:
    """The catalogues as they would be now: a copy of the platform, read again."""
    copy = folder / PLATFORM.name
    shutil.copytree(PLATFORM, copy, ignore=shutil.ignore_patterns("static", "migrations", "*.pyc"))
    (copy / "locale").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "django", "makemessages", "--keep-pot", "--no-location"]
    command += ["--no-wrap", "--verbosity", "0"]
    for language in languages or [SOURCE]:
        command += ["--locale", language]
    subprocess.run(command, cwd=copy, check=True, env={"PATH": PATH, "LC_ALL": "C.UTF-8"})
    shutil.rmtree(copy / "locale" / SOURCE, ignore_errors=True)
    return copy / "locale"


def without_dates(catalogue: Path) -> str:
    if not catalogue.exists():
        return ""
    text = catalogue.read_text()
    return re.sub(r'^"(POT-Creation|PO-Revision)-Date:.*\n', "", text, flags=re.MULTILINE)


def texts(catalogue: str) -> set[str]:
    return set(re.findall(r'^msgid "(.+)"$', catalogue, re.MULTILINE))


def not_up_to_date(now: Path, kept: Path) -> list[str]:
    """What a catalogue lacks, and what it holds that nobody shows any more."""
    new, old = without_dates(now), without_dates(kept)
    if new == old:
        return []
    name = kept.relative_to(ROOT)
    lines = [f"{name}: not listed: {text}" for text in sorted(texts(new) - texts(old))]
    lines += [f"{name}: no longer shown: {text}" for text in sorted(texts(old) - texts(new))]
    return lines or [f"{name}: not up to date"]


def incomplete(catalogue: Path) -> list[str]:
    """What msgfmt finds wrong: placeholders that differ, texts untranslated or uncertain."""
    command = ["msgfmt", "--check", "--statistics", "--output-file=/dev/null", str(catalogue)]
    environment = {"PATH": PATH, "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    name = catalogue.relative_to(ROOT)
    if done.returncode or "fuzzy" in done.stderr or "untranslated" in done.stderr:
        return [f"{name}: {line}" for line in done.stderr.strip().splitlines()]
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="bring the catalogues up to date")
    write = parser.parse_args().write
    if shutil.which("xgettext") is None:
        print("gettext is not installed: sudo apt-get install gettext", file=sys.stderr)
        return 1
    offered = {code for code, _ in settings.LANGUAGES} - {SOURCE}
    begun = {path.parents[1].name for path in PLATFORM.glob("locale/*/LC_MESSAGES/django.po")}
    problems = [f"{each}: offered, but has no catalogue" for each in sorted(offered - begun)]
    with tempfile.TemporaryDirectory() as folder:
        now = gathered(sorted(begun), Path(folder))
        for new in sorted([now / "django.pot", *now.glob("*/LC_MESSAGES/django.po")]):
            kept = PLATFORM / "locale" / new.relative_to(now)
            if write and without_dates(new) != without_dates(kept):
                shutil.copyfile(new, kept)
            problems += not_up_to_date(new, kept)
    for language in sorted(offered & begun):
        problems += incomplete(PLATFORM / "locale" / language / "LC_MESSAGES" / "django.po")
    for line in problems:
        print(line, file=sys.stderr)
    if problems:
        print("mend with: python docs/check_translations.py --write", file=sys.stderr)
        return 1
    count = len(texts(without_dates(PLATFORM / "locale/django.pot")))
    print(f"{count} texts; languages: {', '.join([SOURCE, *sorted(offered)])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
