"""Brokering: the flow beside taking the best offer left, and SciPy's assignment, in one run.

`python -m benchmarks brokering` runs it and writes `benchmarks/results/brokering.json`. All ways
get the same invented requests, offers and prices of pairs. *Greedy* goes through the requests in
the order of their codes and gives each the best offer that has a place left, over the same pairs.
SciPy's `linear_sum_assignment` wants every place as a column of a full matrix, so it runs on the
smaller sizes. Costs of all answers are added up by one function here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.broker_frames import read_tables
from brightspots.connectedness.broker_pairs import Market, listed_pairs
from brightspots.connectedness.broker_record import study_record
from brightspots.connectedness.brokering import BrokerParameters, broker

RESULTS = Path(__file__).parent / "results" / "brokering.json"
PRIORITIES = ("early reading", "maths", "attendance")
SIZES = (300, 1500, 5000, 40_000, 200_000)
LARGEST_MATRIX = 5000
SEED = 1
Ints = NDArray[np.int64]


def country(n: int, seed: int = SEED) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `n` invented requests and half as many offers with 2 places each on average.

    Places are drawn around towns, so that some areas have more offers than others.
    """
    rng = np.random.default_rng(seed)
    m, width = n // 2, 1.2 * np.sqrt(n / 1500)
    towns = rng.uniform(0, width, (max(4, n // 100), 2))

    def places(k: int) -> NDArray[np.float64]:
        return towns[rng.integers(0, len(towns), k)] + rng.normal(0, 0.12, (k, 2))

    a, b = places(n), places(m)
    languages, families = ["en", "sw", "en;sw"], [f"F{k}" for k in range(8)]
    requests = pl.DataFrame({
        "request": [f"R{at:06d}" for at in range(n)], "school": [f"S{at:06d}" for at in range(n)],
        "priority": rng.choice(PRIORITIES, n), "latitude": a[:, 0] - 1, "longitude": a[:, 1] + 30,
        "language": rng.choice(languages, n), "family": rng.choice(families, n),
        "area": [f"A{int(4 * x / width)}{int(4 * y / width)}" for x, y in a],
    })  # fmt: skip
    offers = pl.DataFrame({
        "offer": [f"O{at:06d}" for at in range(m)], "school": [f"T{at:06d}" for at in range(m)],
        "priority": [
            ";".join(sorted(set(pair))) for pair in rng.choice(PRIORITIES, (m, 2)).tolist()
        ],
        "latitude": b[:, 0] - 1, "longitude": b[:, 1] + 30,
        "languages": rng.choice(languages, m), "family": rng.choice(families, m),
        "strength": rng.normal(size=m), "places": rng.integers(0, 5, m),
    })  # fmt: skip
    return requests, offers


def market(n: int) -> tuple[Market, BrokerParameters]:
    parameters = BrokerParameters(exploration=0, fairness=None)
    tables = read_tables(*country(n), default_days=parameters.default_days)
    return Market(tables, study_record(tables, parameters, 0), parameters), parameters


def priced(where: Market, offer_of: Ints) -> dict[str, Any]:
    """Cost of an answer in km, and how many it serves; no offer may be overfull."""
    i = np.flatnonzero(offer_of >= 0)
    facts = where.facts(i, offer_of[i])
    taken = np.bincount(offer_of[i], minlength=len(where.tables.offers))
    if facts.forbidden.any() or (taken > where.tables.offers.places).any():
        raise RuntimeError("the answer is not permitted")
    out = len(offer_of) - len(i)
    km = float(facts.cost.sum())
    return {"unmatched": out, "per_match": km / len(i), "cost": km + 1000 * out}


def flow(n: int, fairness: float | None) -> dict[str, Any]:
    requests, offers = country(n)
    began, cpu = time.perf_counter(), time.process_time()
    result = broker(requests, offers, BrokerParameters(exploration=0, fairness=fairness))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    row = priced(market(n)[0], result._flow.offer_of)
    over = result.by_area.filter(~pl.col("kept")).height
    return {
        "seconds": seconds, "cpu_seconds": cpu, **row, "areas_over": over,
        "proved_over": result.proved_over, "by_stage": dict(result.seconds),
    }  # fmt: skip


def greedy(n: int) -> dict[str, Any]:
    where, _ = market(n)
    began, cpu = time.perf_counter(), time.process_time()
    i, j, cost, _ = listed_pairs(where)
    order = np.lexsort((j, cost, i))
    left = where.tables.offers.places.tolist()
    offer_of = np.full(len(where.tables.requests), -1, dtype=np.int64)
    for request, offer in zip(i.tolist(), j[order].tolist(), strict=True):
        if offer_of[request] < 0 and left[offer]:
            offer_of[request] = offer
            left[offer] -= 1
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"seconds": seconds, "cpu_seconds": cpu, **priced(where, offer_of)}


def assignment(n: int) -> dict[str, Any]:
    from scipy.optimize import linear_sum_assignment

    where, parameters = market(n)
    places = where.tables.offers.places
    began, cpu = time.perf_counter(), time.process_time()
    i, j, cost, complete = listed_pairs(where)
    if not complete:  # all pairs, whatever the size
        where.parameters = BrokerParameters(exploration=0, fairness=None, all_pairs=20_000_000)
        i, j, cost, complete = listed_pairs(where)
    full = np.full((n, len(places)), 1e7)
    full[i, j] = cost
    column = np.repeat(np.arange(len(places)), places)
    alone = np.full((n, n), 1e7)
    np.fill_diagonal(alone, parameters.weights.exception)
    rows, chosen = linear_sum_assignment(np.hstack([full[:, column], alone]))
    offer_of = np.full(n, -1, dtype=np.int64)
    real = chosen < len(column)
    offer_of[rows[real]] = column[chosen[real]]
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"seconds": seconds, "cpu_seconds": cpu, **priced(where, offer_of)}


WAYS = {
    "flow": lambda n: flow(n, None),
    "flow, fair by area": lambda n: flow(n, 0.1),
    "greedy": greedy,
    "linear_sum_assignment": assignment,
}


def measure(n: int, way: str) -> dict[str, Any]:
    """Run one case in a process of its own, so that memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.brokering", "--one", str(n), way],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def main(argv: list[str] | None = None) -> None:
    """Run every case and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the two smallest sizes only")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv)
    if chosen.one:
        size, way = int(chosen.one[0]), chosen.one[1]
        WAYS["flow"](200)  # load and compile before the clock runs
        row = WAYS[way](size)
        row["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(json.dumps(row))
        return
    cases: list[dict[str, Any]] = []
    for n in SIZES[:2] if chosen.quick else SIZES:
        for way in WAYS:
            if way == "linear_sum_assignment" and n > LARGEST_MATRIX:
                continue
            cases.append({"requests": n, "way": way, **measure(n, way)})
            print(json.dumps(cases[-1]), flush=True)
            machine = {"cores": os.cpu_count(), "python": platform.python_version(),
                       "load_at_end": os.getloadavg()[0]}  # fmt: skip
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps({"machine": machine, "cases": cases}, indent=2) + "\n")


def markdown() -> str:
    """Render the stored results."""
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    machine = stored["machine"]
    lines = [
        "## Brokering",
        "",
        "Invented requests around towns, half as many offers with 2 places each on average, at most"
        " 25 km. Cost counts 1,000 km for a request left unmatched; all answers are priced by one"
        " function. Seconds from the tables to the answer (flow: reasons and shortlists included);"
        f" {machine['cores']} cores, Python {machine['python']}, load"
        f" {machine['load_at_end']:.1f} at the end: with a load above the number of cores, look at"
        " CPU.",
        "",
        "| requests | way | seconds | CPU | unmatched | km a match | cost, km | areas over"
        " the limit | GB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in stored["cases"]:
        lines.append(
            f"| {case['requests']:,} | {case['way']} | {case['seconds']:.1f} |"
            f" {case['cpu_seconds']:.1f} | {case['unmatched']:,} | {case['per_match']:.2f} |"
            f" {case['cost']:,.0f} | {case.get('areas_over', '')} | {case['gigabytes']:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
