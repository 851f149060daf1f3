"""The calibration's figures as tables of a page, between two marks that stay where they are."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from brightspots.core.errors import InputError

PAGE: Final = "calibration.md"
RESULTS: Final = "calibration.json"
BEGIN: Final = "<!-- calibration: begin; written by `brightspots calibrate`, do not edit -->"
END: Final = "<!-- calibration: end -->"

_NUMBERS = re.compile(r"\[[-\d.,e\s]+\]")
_RULES = {
    "bright": "**persistent effect, Bayesian FDR at most .10** (bright spot)",
    "pooled": "all years as one, P(effect > .10) above .8",
    "interval": "latest year, 95 % interval above 0 (the usual official way)",
    "top-tenth": "latest year, top tenth",
}


def write_results(results: Mapping[str, Any], folder: Path) -> None:
    """Write ``calibration.json``, and the tables into ``calibration.md`` (made if needed).

    Raises
    ------
    InputError
        The folder cannot be written to, or the page has lost its marks.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / PAGE
        text = (
            page.read_text(encoding="utf-8")
            if page.exists()
            else f"# Calibration\n\n{BEGIN}\n{END}\n"
        )
        with_tables = put_tables(text, results, str(page))
        # A figure and its interval on one line, so that a change is seen in a comparison.
        plain = json.dumps(results, indent=1, ensure_ascii=False)
        _write(folder / RESULTS, _NUMBERS.sub(lambda m: " ".join(m[0].split()), plain) + "\n")
        _write(page, with_tables)
    except OSError as error:
        raise InputError(
            f"The results cannot be written ({error.strerror or error}).",
            file=str(folder),
            mend="Give a folder that you may write to.",
        ) from error


def put_tables(text: str, results: Mapping[str, Any], file: str) -> str:
    """Replace what stands between the marks."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise InputError(
            "The marks between which the tables stand are not there.",
            file=file,
            mend=f"Put these two lines where they belong: {BEGIN} and {END}",
        )
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{tables(results)}\n{END}{after}"


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".calibration-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(0o644)
    os.replace(name, path)


def tables(results: Mapping[str, Any]) -> str:
    """Render four tables in Markdown: coverage, flags, rules side by side, needs."""
    made = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    intro = (
        f"{results['systems']:,} systems of each kind, seed {results['seed']}. In brackets: 95 % "
        f"interval over systems. Versions: {made}."
    )
    kinds: Sequence[Mapping[str, Any]] = results["settings"]
    parts = [intro, _coverage(kinds), _flags(kinds), _side_by_side(kinds), _needs(kinds)]
    return "\n\n".join(part for part in parts if part)


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"**{title}**", "", "| " + " | ".join(header) + " |"]
    lines.append("| " + " | ".join(["---"] * len(header)) + " |")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _share(triple: Sequence[float] | None, digits: int = 3) -> str:
    """As in .951 [.948, .954]; a dash where nothing was flagged."""
    if triple is None:
        return "-"
    value, low, high = (_plain(each, digits) for each in triple)
    return f"{value} [{low}, {high}]"


def _plain(value: float, digits: int) -> str:
    text = f"{max(value, 0.0):.{digits}f}"
    return text[1:] if text.startswith("0.") else text


def _coverage(kinds: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for kind in kinds:
        cells = [kind["words"]]
        persistent = kind["coverage"].get("persistent")
        for part in ("all", "small", "middle", "large"):
            cells.append("-" if persistent is None else _share(persistent[part]))
        yearly = kind["coverage"]["yearly"]
        cells += [_share(yearly["all"]), _share(yearly["small"])]
        rows.append(cells)
    header = ["system", "persistent effect", "small third", "middle", "large", "year's effect"]
    return _table(
        "Share of true effects inside their 95 % interval", [*header, "small third"], rows
    )


def _flags(kinds: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for kind in kinds:
        bright, visit = kind["rules"]["bright"], kind["rules"]["visit"]
        rows.append(
            [
                kind["words"],
                f"{bright['flagged_a_system']:.1f}",
                _share(bright["stated"]).split(" ")[0],
                _share(bright["false"]),
                _share(bright["stated_among_small"]).split(" ")[0],
                _share(bright["false_among_small"]),
                _share(bright["sensitivity"], 2),
                f"{visit['flagged_a_system']:.1f}",
                _share(visit["stated"]).split(" ")[0],
                _share(visit["false"]),
            ]
        )
    header = ["system", "bright spots a system", "stated false", "achieved false"]
    header += ["stated, small third", "achieved, small third", "sensitivity"]
    header += ["worth a visit or better", "stated false", "achieved false"]
    return _table(
        "Flags: lasting effect above .10 pupil SD, stated rates .10 and .20", header, rows
    )


def _side_by_side(kinds: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for kind in kinds:
        if "pooled" not in kind["rules"]:
            continue
        for name, words in _RULES.items():
            rule = kind["rules"][name]
            rows.append(
                [
                    kind["words"],
                    words,
                    f"{rule['flagged_a_system']:.1f}",
                    _share(rule["false"], 2),
                    _share(rule["false_among_small"], 2),
                    _share(rule["sensitivity"], 2),
                ]
            )
    if not rows:
        return ""
    header = [
        "system",
        "rule",
        "flags a system",
        "false",
        "false in the small third",
        "sensitivity",
    ]
    return _table("The rule beside the rules in use", header, rows)


def _needs(kinds: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for kind in kinds:
        each = kind["needs"]
        rows.append(
            [
                kind["words"],
                _share(each["expected_over_actual"], 2),
                f"{each['sure_a_system']:.1f}",
                _share(each["stated_when_sure"]).split(" ")[0],
                _share(each["below_when_sure"]),
            ]
        )
    header = ["system", "schools expected below / truly below", "P at least .8, a system"]
    header += ["stated", "truly below"]
    return _table("Needs: lasting effect below -.10 pupil SD", header, rows)
