"""Random pupils and random formulas, fitted here and by lme4: do they find the same?

`python -m benchmarks lme4-shapes --fits 300 --seed 1`. Needs R with lme4 (Debian: r-cran-lme4).
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.value_added import ValueAdded, value_added_of

RESULTS = Path(__file__).parent / "results" / "lme4_shapes.json"
SCRIPT = Path(__file__).with_suffix(".R")
FIXED = (
    *("1", "x", "x + sex", "x * sex + z", "x + year", "big + x", "sex * band", "x + I(x^2)"),
    *("x:sex", "(x + z)^2", "band/x", "x * band * sex"),
)
RANDOM = {
    "one grouping": (
        *("(1 | school)", "(x | school)", "(x + z | school)", "(0 + x | school)", "(x || school)"),
        *("(x + z || school)", "(sex | school)", "(0 + sex | school)", "(year | school)"),
        *("(year || school)", "(big | school)", "(I(x^2) | school)", "(hidden | school)"),
        *("(x:z | school)", "(1 | number:district)", "(band | district)", "(x * sex | district)"),
    ),
    "within each other": (
        *("(1 | district/school)", "(x | district/school)", "(1 | region/district/school)"),
        *("(1 | district/number)", "(1 | district) + (x | school)", "(1 | school/year)"),
        *("(1 | school) + (0 + year | district)", "(1 | school) + (x - 1 | district)"),
        *("(x | school) + (z | district)",),
    ),
    "across": (
        *("(1 | school) + (1 | primary)", "(x | school) + (1 | primary)"),
        *("(x || school) + (1 | primary)", "(1 | school) + (1 | primary) + (1 | ward)"),
        *("(x | district/school) + (1 | primary)", "(1 | district/school) + (z || primary)"),
    ),
}
SAME = 1e-6
"""Criteria this close, relative to their size, are one optimum."""


def pupils(draw: np.random.Generator) -> pl.DataFrame:
    """Pupils of an invented system: even, wild or tiny schools, any variance, any units."""
    J = int(draw.choice([6, 12, 30, 80]))
    D, P = max(2, J // int(draw.choice([3, 4, 6]))), int(draw.choice([4, 9, 20]))
    kind = draw.choice(["even", "wild", "tiny"])
    sizes = draw.integers(12, 18, J) if kind == "even" else draw.integers(1, 8, J)
    if kind == "wild":
        sizes = np.maximum(1, draw.lognormal(2, 1.2, J).astype(int))
    sizes = sizes + 2 if sizes.sum() < 2.5 * J else sizes
    school = np.repeat(np.arange(J), sizes)
    n = len(school)
    district = np.concatenate([np.arange(D), draw.integers(0, D, J - D)])
    number = np.array([int((district[:j] == district[j]).sum()) for j in range(J)])
    x, z, hidden = draw.normal(size=(3, n))
    year, primary = draw.integers(2018, 2024, n), draw.integers(0, P, n)
    sex, band, weight = draw.integers(0, 2, n), draw.integers(0, 3, n), draw.uniform(0.3, 3, n)

    def effects(groups: int) -> NDArray[np.float64]:
        return float(draw.choice([0, 0.2, 0.5, 1.0])) * draw.normal(size=groups)

    y = 0.5 * x + 0.2 * z + 0.1 * sex + effects(J)[school] + effects(J)[school] * x
    y += effects(D)[district[school]] + effects(P)[primary] + effects(J)[school] * (year - 2020)
    y = (y + draw.normal(size=n) / np.sqrt(weight)) * draw.choice([1, 100, 0.01])
    return pl.DataFrame(
        {
            "school": [f"s{j:02d}" for j in school],
            "district": [f"d{district[j]:02d}" for j in school],
            "region": [f"r{district[j] % max(2, D // 2)}" for j in school],
            "number": [f"n{number[j]}" for j in school],
            "primary": [f"p{j}" for j in primary],
            "ward": [f"w{j}" for j in draw.integers(0, 7, n)],
            **{"x": x, "z": z, "hidden": hidden, "year": year},
            "big": draw.normal(1e5, 80, n),
            "sex": [("F", "M")[j] for j in sex],
            "band": [("A", "B", "C")[j] for j in band],
            "y": y + draw.choice([0, 500, 1e4]),
            "w": weight,
        }
    )


def ours(found: ValueAdded) -> dict[tuple[str, str], float]:
    """All numbers of a fit under the names that the R script gives them."""
    numbers = {("criterion", ""): found.reml_criterion}
    for row in found.fixed_effects.iter_rows(named=True):
        numbers["estimate", row["term"]] = row["estimate"]
        numbers["se", row["term"]] = row["se"]
    for row in found.variance_components.iter_rows(named=True):
        key = "|".join((row["group"], row["term1"] or "", row["term2"] or ""))
        numbers["variance", key] = row["variance"]
    for row in found.effects.iter_rows(named=True):
        key = "|".join((row["group"], row["level"], row["term"]))
        numbers["effect", key] = row["estimate"]
        numbers["cond_sd", key] = row["cond_sd"]
    return numbers


def compare(
    mine: dict[tuple[str, str], float], theirs: dict[tuple[str, str], float]
) -> dict[str, float]:
    """Largest differences by kind, each relative to what makes it large or small.

    Coefficients: to the larger of itself and its standard error; covariances: to both standard
    deviations; effects and their SDs: to the standard deviation of such effects; a variance next to
    nothing: to a millionth of the residual's.
    """
    if mine.keys() != theirs.keys():
        raise ValueError(f"other names: {sorted(mine.keys() ^ theirs.keys())[:4]}")
    residual = theirs["variance", "Residual||"]
    sd = {
        (key.split("|")[0], key.split("|")[1]): math.sqrt(max(value, 1e-6 * residual))
        for (kind, key), value in theirs.items()
        if kind == "variance" and key.endswith("|")
    }
    worst: dict[str, float] = {}
    for (kind, key), value in theirs.items():
        size = abs(value)
        if kind == "estimate":
            size = max(size, theirs["se", key])
        elif kind == "variance":
            group, one, other = key.split("|")
            size = sd[group, one] * sd[group, other or one]
        elif kind in ("effect", "cond_sd"):
            group, _, term = key.split("|")
            size = sd[group, term]
        worst[kind] = max(worst.get(kind, 0.0), abs(mine[kind, key] - value) / max(size, 1e-300))
    worst["criterion"] = abs(mine["criterion", ""] - theirs["criterion", ""])
    return worst


def measure(fits: int, seed: int, folder: Path) -> dict[str, Any]:
    """Fit all here, then all with lme4, and sort the pairs."""
    cases: list[dict[str, Any]] = []
    for place in range(fits):
        draw = np.random.default_rng([seed, place])
        family = list(RANDOM)[place % len(RANDOM)]
        formula = f"y ~ {draw.choice(FIXED)} + {draw.choice(RANDOM[family])}"
        frame = pupils(draw)
        frame.write_csv(folder / f"{place}.csv")
        case = {"id": place, "formula": formula, "family": family}
        case |= {"reml": int(draw.random() < 0.7), "weighted": int(draw.random() < 0.3)}
        weights = "w" if case["weighted"] else None
        try:
            fitted = value_added_of(frame, formula, reml=bool(case["reml"]), weights=weights)
            case |= {"numbers": ours(fitted), "singular": fitted.singular}
        except InputError as error:
            case["refused"] = str(error)
        cases.append(case)
    listed = [{k: c[k] for k in ("id", "formula", "reml", "weighted")} for c in cases]
    pl.DataFrame(listed).write_csv(folder / "fits.csv")
    r = shutil.which("Rscript") or sys.exit("R is not installed (Debian: r-cran-lme4)")
    said = subprocess.run(
        [r, str(SCRIPT), str(folder)], check=True, capture_output=True, text=True
    ).stdout
    table = pl.read_csv(folder / "found.csv", schema_overrides={"key": pl.String})
    for case in cases:
        own = table.filter(pl.col("id") == case["id"])
        keys = zip(own["kind"], (key or "" for key in own["key"]), strict=True)
        case["theirs"] = dict(zip(keys, own["value"], strict=True))
    return {"versions": said.strip(), "seed": seed, "fits": [judged(case) for case in cases]}


def judged(case: dict[str, Any]) -> dict[str, Any]:
    """Say how one pair came out."""
    kept = {k: case[k] for k in ("id", "formula", "family", "reml", "weighted")}
    theirs, kind = case["theirs"], next(iter(case["theirs"]))[0]
    if "refused" in case:
        outcome = "refused by both" if kind == "refused" else "refused here"
        return {**kept, "outcome": outcome, "why": case["refused"]}
    if kind == "refused":
        return {**kept, "outcome": "refused by lme4", "why": next(iter(theirs))[1]}
    lower = case["numbers"]["criterion", ""] - theirs["criterion", ""]
    if abs(lower) > SAME * (1 + abs(theirs["criterion", ""])):
        outcome = "lower here" if lower < 0 else "lower in lme4"
        return {**kept, "outcome": outcome, "by": abs(lower)}
    differences = compare(case["numbers"], theirs)
    return {
        **kept,
        "outcome": "same",
        "singular": case["singular"],
        "above": lower,
        "differences": differences,
    }


def main(argv: list[str]) -> None:
    """Measure and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks lme4-shapes")
    parser.add_argument("--fits", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(given.fits, given.seed, Path(folder))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def markdown() -> str:
    """Render what is stored."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    fits = found["fits"]
    outcomes = ("same", "lower here", "lower in lme4", "refused here", "refused by both")
    lines = [
        "## The same as lme4?",
        "",
        f"{len(fits)} random formulas on random pupils (6 to 80 schools, some of one pupil; years,"
        " offsets of 1e5, factors, weights, ML and REML), each fitted here and by lme4 with three"
        f" searches and a tight stop ({found['versions']}; seed {found['seed']}). *Same*: criteria"
        " within 1e-6 of each other, relative; *lower*: one of them missed the optimum by more.",
        "",
        f"| groupings | {' | '.join(outcomes)} |",
        f"| --- |{' --- |' * len(outcomes)}",
    ]
    for family in (*RANDOM, "all"):
        own = Counter(f["outcome"] for f in fits if family in (f["family"], "all"))
        lines.append(f"| {family} | {' | '.join(str(own[each]) for each in outcomes)} |")
    other = [f for f in fits if f["outcome"] not in outcomes]
    plain = [f["differences"] for f in fits if f["outcome"] == "same" and not f["singular"]]
    same = [f for f in fits if f["outcome"] == "same"]
    above = [f["above"] for f in same]
    lines += [
        "",
        f"Where both are the same, lme4's criterion is lower by {max(*above, 0):.0e} at most, ours"
        f" by {-min(*above, 0):.0e}; {sum(f['singular'] for f in same)} of these are singular.",
    ]
    kinds = ("criterion", "estimate", "se", "variance", "effect", "cond_sd")
    lines += [
        "",
        f"Differences over the {len(plain)} fits with the same optimum that are not singular"
        " (criterion absolute; others relative to the larger of value and standard error, to the"
        " standard deviations, to that of the effects):",
        "",
        f"| | {' | '.join(kinds)} |",
        f"| --- |{' --- |' * len(kinds)}",
    ]
    for name, share in {
        "half of the fits within": 0.5,
        "99 % within": 0.99,
        "all within": 1,
    }.items():
        cells = (f"{np.quantile([d[k] for d in plain], share):.0e}" for k in kinds)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    close = [d for d in plain if d["criterion"] < 1e-9]
    cells = (f"{max(d[k] for d in close):.0e}" for k in kinds)
    lines.append(f"| all {len(close)} whose criteria agree to 1e-9 | {' | '.join(cells)} |")
    lines += [
        "",
        "Larger differences are of two kinds: lme4 stopped above the optimum, or an outcome near"
        " 10,000 with a spread of 0.01 cost it digits, since it does not centre.",
    ]
    if other:
        lines += ["", f"Refused by lme4 alone: {len(other)}."]
    reasons = Counter(
        re.sub(r'^column "[^"]*": ', "", f["why"]).split(". ")[0]
        for f in fits
        if f["outcome"] == "refused here"
    )
    if reasons:
        lines += ["", "Refused here alone, because:", ""]
        lines += [f"- {why} ({count})" for why, count in sorted(reasons.items())]
    return "\n".join(lines)
