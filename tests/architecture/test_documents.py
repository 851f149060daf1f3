"""What the documents of the house say is there, is there."""

import json
import re
from pathlib import Path

import pytest

from tests.architecture.house import ROOT, committed, paths_named_in

DECISIONS = ROOT / "docs/decisions"
ADRS = sorted(DECISIONS.glob("[0-9]*.md"))


def missing(document: Path) -> list[str]:
    """Paths that a document names and nobody finds, from the root or beside the document."""
    return [
        name
        for name in paths_named_in(document.read_text())
        if not any(
            (base / name).exists() or _matches(base, name) for base in (ROOT, document.parent)
        )
    ]


def _matches(base: Path, name: str) -> bool:
    return "*" in name and next(base.glob(name), None) is not None


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "docs/where-to-change.md", "docs/security.md"]
)
def test_every_path_a_guide_names_exists(name: str) -> None:
    assert not missing(ROOT / name)


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.name)
def test_every_path_a_decision_names_exists(path: Path) -> None:
    assert not missing(path)


def test_every_test_the_ledger_of_security_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/security.md").read_text())
    assert named
    missing_tests = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"def {name}\(", (ROOT / file).read_text())
    ]
    assert not missing_tests


def test_what_the_page_on_partnerships_says_was_measured_is_what_was_measured() -> None:
    measured = json.loads((ROOT / "benchmarks/results/partnerships.json").read_text())["cases"]
    rows = {(row["case"], row["way"]): row for row in measured}
    page = (ROOT / "docs/methods/partnerships.md").read_text().split("## Measured", 1)[1]
    table = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    assert len(table) > 3
    for said in table[2:]:
        row = rows[said[0].strip(), said[1].strip()]
        gap = "" if row["gap"] is None else f"{100 * row['gap']:.2f}%"
        wanted = [
            *(f"{row['schools']:,}", f"{row['seconds']:.1f}", f"{row['cpu_seconds']:.1f}"),
            *(f"{row['cost']:,.0f}", gap, str(row["left_out"]), str(row["beyond_limit"])),
        ]
        assert [cell.strip() for cell in said[2:]] == wanted


def test_a_path_that_leads_nowhere_would_be_seen(tmp_path: Path) -> None:
    document = tmp_path / "guide.md"
    document.write_text("See `src/nowhere.py`, `src/brightspots` and [this](docs/absent.md).")
    assert missing(document) == ["docs/absent.md", "src/nowhere.py"]


def test_where_to_change_answers_for_every_app_and_every_part_of_the_library() -> None:
    text = (ROOT / "docs/where-to-change.md").read_text()
    folders = [*(ROOT / "src/brightspots").iterdir(), *(ROOT / "src/brightspots_web").iterdir()]
    for folder in folders:
        if folder.is_dir() and (folder / "__init__.py").exists():
            assert f"{folder.relative_to(ROOT)}/" in text, f"{folder.name} is not mentioned"


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    numbers = [int(path.name[:4]) for path in ADRS]
    assert numbers == list(range(1, len(numbers) + 1))
    index = (DECISIONS / "README.md").read_text()
    for path in ADRS:
        assert f"({path.name})" in index, f"{path.name} is not in the list"


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.name)
def test_a_decision_says_context_decision_and_consequence_on_half_a_page(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {int(path.name[:4])}. ")
    parts = re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequence"]
    assert len(text.split()) < 450


def test_the_changelog_has_an_entry_for_this_version() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "([^"]+)"', pyproject, re.MULTILINE)
    assert version
    entry = re.search(
        rf"^## {re.escape(version[1])}\b.*?\n(.*?)(?=^## |\Z)",
        (ROOT / "CHANGELOG.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert entry
    assert re.search(r"^- \w", entry[1], re.MULTILINE)


def test_every_dependency_says_why_it_is_there() -> None:
    silent, inside = [], False
    for line in (ROOT / "pyproject.toml").read_text().splitlines():
        if re.match(r"(dependencies|web|dev|bench) = \[$", line):
            inside = True
        elif line == "]":
            inside = False
        elif inside and re.match(r'\s*"', line) and not re.search(r"#\s+\S+", line):
            silent.append(line.strip())
    assert not silent


def test_what_is_installed_is_locked_with_hashes_and_names_no_index() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        pins = re.findall(r"^[\w.\[\]-]+==", text, re.MULTILINE)
        assert len(pins) > 10
        assert text.count("--hash=sha256:") >= len(pins)
        assert not re.search(r"^--|https?://", text, re.MULTILINE)


TEXT = {".py", ".md", ".html", ".css", ".toml", ".sh", ".txt", ".yml", ".json", ".svg", ".po", ""}
OF_A_MACHINE = re.compile(r"(?<![\w.~$}*-])/(?:work|tmp|home|root|Users|mnt|opt)/\w")


def test_nothing_names_a_path_of_one_machine() -> None:
    found = []
    for path in committed():
        if path.suffix in TEXT and "requirements" not in path.parts:
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if OF_A_MACHINE.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found


def test_a_path_of_one_machine_would_be_seen() -> None:
    assert OF_A_MACHINE.search('open("/' + 'home/somebody/file.csv")')
    assert not OF_A_MACHINE.search("templates/home/area.html and src/home/views.py")


LIMIT = {"src": 450, "tests": 650, "benchmarks": 450}
LONG = {
    "src/brightspots/core/delimited.py": "one reader; its parts share the state of a single pass",
}
"""Longer than a reader likes, and why it stays in one piece."""


def test_files_stay_short_enough_to_read_or_say_why_not() -> None:
    long = set()
    for path in committed():
        name = path.relative_to(ROOT)
        limit = LIMIT.get(name.parts[0])
        if path.suffix != ".py" or "migrations" in path.parts or limit is None:
            continue
        if path.read_text().count("\n") > limit:
            long.add(str(name))
    assert not long - set(LONG), "split these, or say in LONG why they stay in one piece"
    assert not set(LONG) - long, "no longer long: take these off the list"
