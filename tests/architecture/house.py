"""Where things are, for the tests of the house."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
WEB = SRC / "brightspots_web"


def settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def layers() -> list[str]:
    """The apps from the lowest to the highest, as the contract of import-linter has them."""
    contracts = settings()["tool"]["importlinter"]["contracts"]
    order = next(each["layers"] for each in contracts if each["id"] == "web-layers")
    return list(reversed(order))


def committed() -> list[Path]:
    """Every file that git knows or would add, as it stands in the working tree."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = {ROOT / name for name in listing.stdout.split("\0") if name}
    return sorted(each for each in files if each.is_file())


def modules(*packages: str) -> Iterator[Path]:
    """The modules of these packages, what Django generates left out."""
    for package in packages:
        for path in sorted((SRC / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def app_of(path: Path) -> str:
    """The app a file of the platform stands in; "cli" for the command line."""
    package, *rest = path.relative_to(SRC).parts
    return rest[0].removesuffix(".py") if package == "brightspots_web" else "cli"


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def paths_named_in(text: str) -> list[str]:
    """Paths in a page of documentation: in back-quotes, or where a link leads."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    quoted = [
        word
        for word in re.findall(r"`([^`\n]+)`", text)
        if re.fullmatch(r"[\w./*-]+", word) and ("/" in word or word.endswith((".md", ".toml")))
    ]
    return [name for name in [*links, *quoted] if not re.match(r"https?:|mailto:", name)]
