"""Published instances of the capacitated p-median problem, read from a folder outside the repo.

Each file holds the number of points and of clusters, and then for each point x, y, capacity and
demand, separated by spaces. What is solved elsewhere on them is a variant of ours: see README.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BEST_KNOWN = {
    "SJC1": 17288.99, "SJC4b": 52458.02, "u724_200": 28079.97, "rl1304_300": 191224.85,
    "pr2392_500": 316042.97, "fnl4461_0500": 224662.49, "fnl4461_1000": 145862.38,
    "p3038_600": 122711.17, "p3038_700": 109677.30, "p3038_1000": 85854.05,
}  # fmt: skip


class Instance(NamedTuple):
    """`points` (n, 2), `capacity` and `demand` (n,), and the number of clusters."""

    points: NDArray[np.float64]
    capacity: NDArray[np.float64]
    demand: NDArray[np.float64]
    clusters: int


def read(path: Path) -> Instance:
    """Read one file; ValueError says what is wrong with it."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    try:
        n, clusters = int(rows[0][0]), int(rows[0][1])
        table = np.array(rows[1 : n + 1], dtype=float)
    except (IndexError, ValueError) as error:
        raise ValueError(f"{path.name} is not an instance: {error}") from error
    if table.shape != (n, 4):
        raise ValueError(f"{path.name} should have {n} lines of x, y, capacity and demand.")
    return Instance(table[:, :2], table[:, 2], table[:, 3], clusters)


def describe(folder: Path) -> list[dict[str, Any]]:
    """What the instances in a folder ask for, by the names that have a best known value."""
    found = []
    for name, best in BEST_KNOWN.items():
        path = folder / f"{name}.txt"
        if path.exists():
            instance = read(path)
            room = float(np.sort(instance.capacity)[-instance.clusters :].sum())
            found.append({
                "name": name, "points": len(instance.points), "clusters": instance.clusters,
                "filled": float(instance.demand.sum()) / room, "best_known": best,
            })  # fmt: skip
    return found
