"""Each contract of pyproject.toml holds, and catches a deliberate violation.

The violations are planted in an emptied copy of `src`: the same packages and modules, no code.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.house import ROOT, SRC, settings

CONTRACTS = {each["id"]: each["name"] for each in settings()["tool"]["importlinter"]["contracts"]}


def broken(root: Path) -> set[str]:
    """The identifiers of the contracts that the sources under `root` break."""
    command = "from importlinter.cli import lint_imports_command as lint; lint()"
    config = str(ROOT / "pyproject.toml")
    done = subprocess.run(
        [sys.executable, "-c", command, "--config", config, "--no-cache", "--no-logo"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    words = re.sub(r"\s+", " ", done.stdout)
    verdicts = {
        key: match[1]
        for key, name in CONTRACTS.items()
        if (match := re.search(re.escape(name) + r" ?(KEPT|BROKEN)", words))
    }
    assert set(verdicts) == set(CONTRACTS), done.stdout + done.stderr
    return {key for key, verdict in verdicts.items() if verdict == "BROKEN"}


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("emptied") / "src"
    for path in SRC.rglob("*.py"):
        copy = root / path.relative_to(SRC)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    return root


@pytest.fixture
def plant(emptied: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(emptied, tmp_path / "src"))


def test_our_own_sources_keep_every_contract() -> None:
    assert broken(SRC) == set()


def test_sources_without_an_import_break_nothing(emptied: Path) -> None:
    assert broken(emptied) == set()


VIOLATIONS = [
    ("brightspots/core/a.py", "import django.db", {"library-stands-alone"}),
    ("brightspots/core/a.py", "import brightspots_cli.main", {"library-stands-alone"}),
    (
        "brightspots/insight/a.py",
        "from brightspots_web.shared import jobs",
        {"library-stands-alone"},
    ),
    ("brightspots/core/a.py", "import brightspots.insight.reml", {"library-layers"}),
    ("brightspots/insight/a.py", "import brightspots.connectedness.costs", {"library-layers"}),
    ("brightspots/connectedness/a.py", "import brightspots.pace.twin", {"library-layers"}),
    ("brightspots/unplaced/__init__.py", "", {"library-layers"}),
    ("brightspots_web/shared/a.py", "import brightspots_web.directory.queries", {"web-layers"}),
    ("brightspots_web/insight/a.py", "import brightspots_web.home.views", {"web-layers"}),
    ("brightspots_web/home/a.py", "import brightspots_web.config.urls", {"web-layers"}),
    ("brightspots_web/unplaced/__init__.py", "", {"web-layers"}),
    ("brightspots_web/home/a.py", "import brightspots_cli.main", {"platform-below-command-line"}),
    ("brightspots_web/insight/views.py", "import brightspots.core", {"library-through-analysis"}),
    (
        "brightspots_web/insight/jobs.py",
        "def later():\n    from brightspots.insight import families",
        {"library-through-analysis"},
    ),
    (
        "brightspots_web/insight/a.py",
        "import brightspots_web.imports.models",
        {"models-of-imports"},
    ),
    (
        "brightspots_web/home/a.py",
        "from brightspots_web.connectedness.models import Proposal",
        {"models-of-connectedness"},
    ),
]


@pytest.mark.parametrize(
    ("file", "code", "contracts"), VIOLATIONS, ids=[f"{v[0]}: {v[1]}" for v in VIOLATIONS]
)
def test_a_deliberate_violation_is_caught(
    plant: Path, file: str, code: str, contracts: set[str]
) -> None:
    target = plant / file
    target.parent.mkdir(exist_ok=True)
    target.write_text(code)
    assert broken(plant) == contracts


def test_every_contract_has_a_violation_that_it_alone_catches() -> None:
    assert set(CONTRACTS) == set().union(*(caught for _, _, caught in VIOLATIONS))


def test_analysis_may_import_the_library_as_a_module_and_as_a_package(plant: Path) -> None:
    (plant / "brightspots_web/imports/analysis.py").write_text("import brightspots.core.tables")
    (plant / "brightspots_web/insight/analysis/compute.py").write_text("import brightspots.core")
    assert broken(plant) == set()
