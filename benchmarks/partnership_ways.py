"""Ways to form partnerships that are measured, and one price for what each of them returns.

`python -m benchmarks.partnership_ways CASE WAY` measures one way on one system in this process,
which does nothing else, so that its peak memory is the way's own; it prints a line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.partnership_systems import SEED, SYSTEMS, haversine_km, nearest_to_middle, tanzania
from brightspots.connectedness.partnerships import Parameters, form_partnerships
from brightspots.connectedness.regions import Nation, form_in_parts
from brightspots.connectedness.stopping import Stage

MINIMUM, MAXIMUM, TARGET, MAX_KM, A_PARTNERSHIP_KM = 4, 8, 6, 25.0, 6.0
Row = dict[str, Any]


def priced(schools: pl.DataFrame, label: NDArray[np.int64]) -> dict[str, float]:
    """Cost of a grouping under each group's best leader; how many schools lie beyond the limit.

    A leader that keeps the travel limit is taken where there is one; where there is none, as a
    kept library does not know the limit, the nearest to all is, and members beyond are counted.
    """
    lat, lon = schools["latitude"].to_numpy(), schools["longitude"].to_numpy()
    may_lead = np.ones(len(label), dtype=bool)
    if "leader" in schools.columns:
        may_lead = schools["leader"].to_numpy() == 1
    cost, beyond, wrong_size, led_by_others = 0.0, 0, 0, 0
    order = np.argsort(label, kind="stable")
    order = order[label[order] >= 0]
    groups = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    for at in groups:
        km = haversine_km(lat[at][:, None], lon[at][:, None], lat[at][None, :], lon[at][None, :])
        leads = may_lead[at] if may_lead[at].any() else np.ones(len(at), dtype=bool)
        led_by_others += not may_lead[at].any()
        within = (km.max(axis=0) <= MAX_KM + 1e-6) & leads
        total = km.sum(axis=0) + np.where(leads, 0.0, np.inf)
        leader = int(np.argmin(np.where(within | ~within.any(), total, np.inf)))
        cost += float(km[:, leader].sum()) + (len(at) - TARGET) ** 2 + A_PARTNERSHIP_KM
        beyond += int((km[:, leader] > MAX_KM + 1e-6).sum())
        wrong_size += not MINIMUM <= len(at) <= MAXIMUM
    return {
        "cost": cost,
        "partnerships": len(groups),
        "left_out": int((label < 0).sum()),
        "beyond_limit": beyond,
        "wrong_size": wrong_size,
        "without_leader": led_by_others,
    }


def ours(
    schools: pl.DataFrame, *, most: int = 0, within: float | None = None, **settings: Any
) -> Row:
    """Form partnerships as a whole, or in parts of `most`; `within` seconds, the bound included."""
    first: list[tuple[float, float]] = []
    began, cpu = time.perf_counter(), time.process_time()

    def note(_share: float, stage: str) -> None:
        if isinstance(stage, Stage) and stage == "first answer" and stage.cost is not None:
            first.append((time.perf_counter() - began, stage.cost))

    if within is not None:
        # The bound and the result come after the search.
        settings |= {"time_limit": within * 0.88, "steps_per_school": 100_000}
    parameters = Parameters(minimum=MINIMUM, maximum=MAXIMUM, max_km=MAX_KM, **settings)
    if most:
        result = form_in_parts(Nation(schools, parameters, SEED, most=most))
    else:
        result = form_partnerships(schools, parameters, seed=SEED, progress=note)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    number = dict(result.members.select("school", "partnership").iter_rows())
    label = np.array([int(number.get(code, "P-1")[1:]) for code in schools["school"].to_list()])
    row: Row = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "gap": result.gap,
        "lower_bound": result.lower_bound,
        "first_answer_seconds": first[0][0] if first else None,
    }
    row |= priced(schools, label)
    if abs(row["cost"] - result.objective["total"]) > 1e-6 * row["cost"]:
        raise RuntimeError("the cost reported is not the cost counted here")
    return row | {"seconds_by_stage": dict(result.seconds)}


def flat_km(schools: pl.DataFrame) -> NDArray[np.float64]:
    """Kilometres east and north; good enough over one compact area."""
    lat, lon = schools["latitude"].to_numpy(), schools["longitude"].to_numpy()
    flat: NDArray[np.float64] = (
        np.column_stack([lon * np.cos(np.radians(lat.mean())), lat]) * 111.195
    )
    return flat


def k_means_constrained(schools: pl.DataFrame) -> Row:
    from k_means_constrained import KMeansConstrained

    flat = flat_km(schools)
    began, cpu = time.perf_counter(), time.process_time()
    model = KMeansConstrained(
        n_clusters=round(len(flat) / TARGET), size_min=MINIMUM, size_max=MAXIMUM,
        random_state=SEED, n_init=1,
    )  # fmt: skip
    label = model.fit_predict(flat)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    label = np.asarray(label, dtype=np.int64)
    return {"seconds": seconds, "cpu_seconds": cpu, "gap": None, **priced(schools, label)}


def _with_children() -> float:
    """Processor seconds of this process and of the solvers that it started."""
    return sum(os.times()[:4])


def spopt(schools: pl.DataFrame) -> Row:
    """spopt's p-median with capacities, solved by the CBC that PuLP brings, 300 s at most."""
    import pulp
    from spopt.locate import PMedian

    flat = flat_km(schools)
    km = np.linalg.norm(flat[:, None] - flat[None, :], axis=2)
    n = len(flat)
    began, cpu = time.perf_counter(), _with_children()
    model = PMedian.from_cost_matrix(
        km, np.ones(n), p_facilities=round(n / TARGET), facility_capacities=np.full(n, MAXIMUM),
    )  # fmt: skip
    model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=300))
    seconds, cpu = time.perf_counter() - began, _with_children() - cpu
    label = np.full(n, -1, dtype=np.int64)
    for facility, clients in enumerate(model.fac2cli):
        label[clients] = facility
    return {"seconds": seconds, "cpu_seconds": cpu, "gap": None, **priced(schools, label)}


WAYS: dict[str, Callable[[pl.DataFrame], Row]] = {
    "first answer": lambda schools: ours(schools, steps_per_school=0, bound_steps=0),
    "brightspots": ours,
    "polished": lambda schools: ours(schools, polish_sweeps=1),
    "within 90 s": lambda schools: ours(schools, within=90.0),
    "within 3 min": lambda schools: ours(schools, within=180.0, polish_sweeps=1),
    "within 10 min": lambda schools: ours(schools, within=600.0),
    "in parts of 5,000": lambda schools: ours(schools, most=5000),
    "in parts of 1,000": lambda schools: ours(schools, most=1000),
    "k-means-constrained": k_means_constrained,
    "spopt p-median": spopt,
}


def main(case: str, way: str) -> None:
    schools = SYSTEMS[case]()
    ours(nearest_to_middle(tanzania(), 60), steps_per_school=1, polish_sweeps=1)  # compile first
    load = os.getloadavg()[0]
    row = WAYS[way](schools)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({
        "case": case, "schools": schools.height, "way": way, **row, "peak_mb": peak,
        "load": [load, os.getloadavg()[0]],
    }))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
