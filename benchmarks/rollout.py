"""Rollout plans: seconds, gap, and how far the usual plans lie behind the curve, in one run.

`python -m benchmarks rollout` runs it and writes `benchmarks/results/rollout.json`. The areas are
invented. Seconds are those of the whole: search, and measuring the plans with all draws.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from brightspots.pace.rollout import plan_rollout
from brightspots.pace.rollout_areas import read_areas
from brightspots.pace.rollout_measures import measure
from brightspots.pace.rollout_parameters import RolloutParameters

RESULTS = Path(__file__).parent / "results" / "rollout.json"
SIZES = (20, 100, 300)
TERMS = 30
SEED = 1


def districts(n: int, seed: int = SEED) -> pl.DataFrame:
    """Return `n` invented districts."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame({
        "area": [f"D{at:04d}" for at in range(n)], "schools": rng.integers(20, 120, n),
        "leaders": rng.integers(0, 10, n), "in_training": rng.integers(0, 5, n),
        "in_training_term": [2] * n, "readiness": rng.uniform(0.1, 0.7, n).round(2),
        "region": [f"R{at % 8}" for at in range(n)],
    })  # fmt: skip


def run(n: int) -> dict[str, Any]:
    """Plan for `n` districts, with 30 days of support a term for each."""
    parameters = RolloutParameters(support_days=30.0 * n, terms=TERMS)
    areas = read_areas(districts(n))
    began = time.perf_counter()
    found = plan_rollout(areas, parameters, SEED)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    measure(found.world, found.measured[found.even_handed].plan)
    one = time.perf_counter() - began
    together = {
        name: each.mean("abandoned") + each.mean("held_back")
        for name, each in found.measured.items()
    }
    usual = {name: value for name, value in together.items() if not name.startswith("curve-")}
    best_usual = min(usual, key=usual.__getitem__)
    gaps = [row["gap"] for row in found.found.weighed]
    return {
        "areas": n, "seconds": seconds, "seconds_of_one_plan": one, "draws": parameters.draws,
        "looked_at": found.found.looked_at, "choices_tried": found.found.choices_tried,
        "gap_low": min(gaps), "gap_high": max(gaps), "best_usual": best_usual,
        "below_usual": 1 - together[found.even_handed] / usual[best_usual],
        "load": os.getloadavg()[0],
    }  # fmt: skip


def main(argv: list[str]) -> None:
    """Measure, and store what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks rollout")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    sizes = parser.parse_args(argv).sizes
    run(3)  # compiles
    rows = []
    for n in sizes:
        rows.append(run(n))
        print(rows[-1])
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    RESULTS.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


def markdown() -> str:
    """Render what is stored."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = [
        "## Rollout plans",
        "",
        f"Invented districts, {TERMS} terms, three speeds, 30 days of support a term for each"
        " district; one process. The gap is above our lower bound, over seven ways of weighing;"
        " the bound is loose where support is short. *Below it*: school-terms abandoned"
        " and held back together, under the assumptions of `docs/methods/pace.md`, which nobody has"
        f" measured. {results['machine']['cores']} cores, Python {results['machine']['python']}.",
        "",
        "| districts | seconds | one plan, 200 draws, s | plans looked at | gap | best usual plan |"
        " below it | load |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {r['areas']:,} | {r['seconds']:.1f} | {r['seconds_of_one_plan']:.2f} |"
        f" {r['looked_at']:,} | {r['gap_low']:.0%} to {r['gap_high']:.0%} | {r['best_usual']} |"
        f" {r['below_usual']:.0%} | {r['load']:.1f} |"
        for r in results["rows"]
    ]
    return "\n".join(lines)
