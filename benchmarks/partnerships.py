"""Partnerships on real coordinates and made ones, and kept libraries beside ours.

`python -m benchmarks partnerships` runs every case and writes `results/partnerships.json` and its
picture; `--only CASE` (part of a name) runs some of them again and keeps the others. Each
way runs in a process of its own. All answers are priced by one function, which shares no code with
the library.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import instances
from benchmarks.partnership_report import draw, section

RESULTS = Path(__file__).parent / "results" / "partnerships.json"
CASES: dict[str, tuple[str, ...]] = {
    "150 of Tanzania's": ("brightspots", "polished", "k-means-constrained", "spopt p-median"),
    "300 of Tanzania's": ("brightspots", "polished", "k-means-constrained", "spopt p-median"),
    "1,000 of Tanzania's": ("brightspots", "polished", "k-means-constrained"),
    "4,000 of Tanzania's": ("brightspots", "k-means-constrained"),
    "10,000 made": ("first answer", "brightspots", "polished", "within 90 s", "within 3 min"),
    "Tanzania": ("first answer", "brightspots", "in parts of 5,000", "in parts of 1,000"),
    "Tanzania, 35 % may lead": ("brightspots",),
    "England's primaries": ("first answer", "brightspots"),
    "Kenya": ("first answer", "brightspots"),
    "100,000 made": ("first answer", "within 10 min"),
}


def stored() -> dict[str, Any]:
    """Return the last results."""
    if RESULTS.exists():
        found: dict[str, Any] = json.loads(RESULTS.read_text())
        return found
    return {"cases": [], "instances": []}


def keep(row: dict[str, Any]) -> None:
    """Put a row in place of an earlier one of the same case and way."""
    results = stored()
    results["machine"] = {"cores": os.cpu_count(), "python": platform.python_version()}
    key = (row["case"], row["way"])
    rows = [old for old in results["cases"] if (old["case"], old["way"]) != key] + [row]
    order = [(case, way) for case, ways in CASES.items() for way in ways]
    rows = [old for old in rows if (old["case"], old["way"]) in order]
    results["cases"] = sorted(rows, key=lambda old: order.index((old["case"], old["way"])))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


def measure(case: str, way: str) -> None:
    command = [sys.executable, "-m", "benchmarks.partnership_ways", case, way]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no words"])[-1]
        print(f"{case}, {way}: {last}", flush=True)
        return
    row = json.loads(done.stdout.strip().splitlines()[-1])
    keep(row)
    print(json.dumps(row), flush=True)


def main(argv: list[str] | None = None) -> None:
    """Run the cases and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="systems of 1,000 schools at most")
    parser.add_argument("--only", metavar="CASE", help="this case, or all named so in part")
    parser.add_argument("--way", help="this way only")
    parser.add_argument("--instances", metavar="DIR", type=Path, help="published instances")
    chosen = parser.parse_args(argv)
    for case, ways in CASES.items():
        if chosen.only and (
            chosen.only != case if chosen.only in CASES else chosen.only.lower() not in case.lower()
        ):
            continue
        if chosen.quick and "of Tanzania's" not in case:
            continue
        for way in ways:
            if not chosen.way or way == chosen.way:
                measure(case, way)
    if chosen.instances:
        results = stored()
        results["instances"] = instances.describe(chosen.instances)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    draw(stored(), RESULTS.with_suffix(".svg"))


def markdown() -> str:
    """Return the last results as tables."""
    if not RESULTS.exists():
        return "## Partnerships\n\nNo results yet: run `python -m benchmarks partnerships`."
    return section(stored())


if __name__ == "__main__":
    main()
