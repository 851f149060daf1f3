"""What a finished partnership costs, part by part, and who leads it: in plain arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.costs import NEVER, PIN_BROKEN
from brightspots.connectedness.problem import Problem
from brightspots.core.geography import great_circle_km

PARTS = (
    "travel_km", "balance", "complement", "need", "leader_strength", "partnerships", "disruption",
)  # fmt: skip


class Led(NamedTuple):
    """A partnership with its leader: school numbers, the leader's, and each school's way to it."""

    group: NDArray[np.int64]
    leader: int
    way: NDArray[np.float64]


def part_names(problem: Problem) -> tuple[str, ...]:
    """Names of the parts of the objective."""
    return (*PARTS, "all_weak") if len(problem.priorities) > 1 else PARTS


def ways_within(problem: Problem, group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ways from each school of a group to each other; shape (k, k), NEVER where there is none."""
    tables = problem.tables
    if not tables.listed:
        return great_circle_km(
            problem.latitude[group][:, None], problem.longitude[group][:, None],
            problem.latitude[group][None, :], problem.longitude[group][None, :],
        )  # fmt: skip
    ways = np.full((len(group), len(group)), NEVER)
    first, all_to, km = tables.ways
    for row, i in enumerate(group.tolist()):
        listed = slice(first[i], first[i + 1])
        to = all_to[listed]
        at = np.searchsorted(to, group)
        found = at < len(to)
        found[found] = to[at[found]] == group[found]
        ways[row, found] = km[listed][at[found]]
        ways[row, row] = 0.0
    return ways


def lead(problem: Problem, group: NDArray[np.int64]) -> Led:
    """Find the cheapest leader of a group; ties by code."""
    tables = problem.tables
    way = ways_within(problem, group)
    differs = tables.present[group][:, None] != tables.present[group][None, :]
    total = way.sum(axis=0) + tables.disruption * differs.sum(axis=0) + tables.preference[group]
    if problem.priorities:
        total = total + [sum(_missed(problem, group, j)) for j in group.tolist()]
    fixed = tables.fixed[group]
    total = total + PIN_BROKEN * (fixed.sum() - fixed)
    may = (tables.capacity[group] >= len(group)) & (way.max(axis=0) <= tables.max_km)
    cost = np.where(may, total, np.inf)
    close = np.flatnonzero(cost <= cost.min() + 1e-9)
    leader = min(close.tolist(), key=lambda place: str(problem.codes[group[place]]))
    return Led(group, int(group[leader]), way[:, leader])


def _missed(problem: Problem, group: NDArray[np.int64], leader: int) -> tuple[float, float]:
    """Return the cost of priorities without a strong school, and of the needs in them."""
    tables = problem.tables
    strong = int(np.bitwise_or.reduce(tables.strong[group]))
    if not problem.priorities:
        return (0.0, 0.0) if strong else (tables.complement, float(tables.need[group].sum()))
    missing = int(tables.wanted[leader]) & ~strong
    bits = [bit for bit in range(tables.need.shape[1]) if missing >> bit & 1]
    return tables.complement * len(bits), float(tables.need[group][:, bits].sum())


def parts_of(problem: Problem, led: Led) -> dict[str, float]:
    """Cost of one partnership by part; pins that are not kept cost nothing here."""
    tables, size = problem.tables, len(led.group)
    complement, need = _missed(problem, led.group, led.leader)
    moved = int((tables.present[led.group] != tables.present[led.leader]).sum())
    parts = {
        "travel_km": float(led.way.sum()),
        "balance": tables.balance * (size - tables.target) ** 2,
        "complement": complement,
        "need": need,
        "leader_strength": float(tables.preference[led.leader]),
        "partnerships": tables.partnership,
        "disruption": tables.disruption * moved,
    }
    if len(problem.priorities) > 1:
        weak = int(np.bitwise_or.reduce(tables.strong[led.group])) == 0
        parts["all_weak"] = tables.rare.all_weak if tables.rare is not None and weak else 0.0
    return parts


def cost_of(problem: Problem, group: NDArray[np.int64]) -> float:
    """Cost of one partnership under its cheapest leader."""
    return sum(parts_of(problem, lead(problem, group)).values())
