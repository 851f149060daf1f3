"""Rules and costs of partnerships written down a second time, plainly, to check the library by.

Nothing here is imported from the code under test: distances, ranks, rules and costs are worked out
from the raw rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WEIGHTS = {
    "balance": 1.0,
    "complement": 8.0,
    "need": 4.0,
    "leader_strength": 4.0,
    "partnership": 6.0,
    "disruption": 2.0,
}
Row = Mapping[str, Any]


def haversine_km(one: Row, other: Row) -> float:
    phi1, phi2 = math.radians(one["latitude"]), math.radians(other["latitude"])
    lam = math.radians(other["longitude"] - one["longitude"])
    a = math.sin((phi2 - phi1) / 2) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(lam / 2) ** 2
    return 2 * 6371.0088 * math.asin(min(1.0, math.sqrt(a)))


def kinds(row: Row, column: str) -> set[str] | None:
    """Phases or languages of a school; None stands for all of them."""
    text = row.get(column)
    if not text or text == "all":
        return None
    return set(text.split(";"))


def share_a_kind(rows: Sequence[Row], column: str) -> bool:
    known = [found for row in rows if (found := kinds(row, column)) is not None]
    return not known or bool(set.intersection(*known))


def placed(row: Row) -> bool:
    lat, lon = row["latitude"], row["longitude"]
    return lat is not None and lon is not None and (lat, lon) != (0, 0)


@dataclass
class Checker:
    """The rules for one table of schools."""

    schools: Sequence[Row]
    minimum: int
    maximum: int
    max_km: float
    present: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.target = (self.minimum + self.maximum) / 2
        self.by_code = {row["school"]: row for row in self.schools}
        rows = [row for row in self.schools if placed(row)]
        self.strength_rank = self._ranks(rows, "strength")
        self.need_rank = self._ranks(rows, "need")
        known = sorted(row["strength"] for row in rows if row.get("strength") is not None)
        self.has_strength = bool(known)
        self.has_need = any(row.get("need") is not None for row in rows)
        self.strong_from = known[math.floor(0.75 * (len(known) - 1))] if known else None

    @staticmethod
    def _ranks(rows: Sequence[Row], column: str) -> dict[str, float]:
        known = [row[column] for row in rows if row.get(column) is not None]
        ranks = {}
        for row in rows:
            value = row.get(column)
            if value is None:
                ranks[row["school"]] = 0.5
            else:
                below = sum(other < value for other in known)
                equal = sum(other == value for other in known)
                ranks[row["school"]] = (below + equal / 2) / len(known)
        return ranks

    def may_lead(self, row: Row, size: int) -> bool:
        if "leader" in row and row["leader"] != 1:
            return False
        capacity = row.get("capacity")
        return capacity is None or capacity >= size

    def parts(self, members: Sequence[Row], leader: Row) -> dict[str, float] | None:
        """Cost by part under this leader, or None if a rule is broken."""
        size = len(members)
        if not self.minimum <= size <= self.maximum or not self.may_lead(leader, size):
            return None
        if not share_a_kind(members, "phase") or not share_a_kind(members, "language"):
            return None
        km = [haversine_km(row, leader) for row in members]
        if max(km) > self.max_km + 1e-6:
            return None
        complement = need = preference = 0.0
        if self.has_strength:
            preference = WEIGHTS["leader_strength"] * (1 - self.strength_rank[leader["school"]])
            strong = any(
                row.get("strength") is not None and row["strength"] >= self.strong_from
                for row in members
            )
            if not strong:
                complement = WEIGHTS["complement"]
                if self.has_need:
                    need = WEIGHTS["need"] * sum(self.need_rank[row["school"]] for row in members)
        home = self.present.get(leader["school"])
        moved = sum(self.present.get(row["school"]) != home for row in members)
        return {
            "travel_km": sum(km),
            "balance": WEIGHTS["balance"] * (size - self.target) ** 2,
            "complement": complement,
            "need": need,
            "leader_strength": preference,
            "partnerships": WEIGHTS["partnership"],
            "disruption": WEIGHTS["disruption"] * moved if self.present else 0.0,
        }

    def cheapest(self, members: Sequence[Row]) -> float | None:
        costs = [
            sum(parts.values())
            for leader in members
            if (parts := self.parts(members, leader)) is not None
        ]
        return min(costs, default=None)

    def check(self, result: Any) -> float:
        """Assert every rule and every reported figure; return the total cost."""
        members = result.members.to_dicts()
        served = [row["school"] for row in members]
        isolated = result.isolated["school"].to_list()
        assert sorted(served + isolated) == sorted(self.by_code)
        assert result.n_schools == len(self.schools)
        assert all(result.isolated["reason"].to_list())
        for code in isolated:
            if not placed(self.by_code[code]):
                reason = result.isolated.filter(result.isolated["school"] == code)["reason"][0]
                assert reason.startswith("no coordinates")
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in members:
            groups.setdefault(row["partnership"], []).append(row)
        names = [f"P{number:04d}" for number in range(1, len(groups) + 1)]
        assert sorted(groups) == names
        leaders = [groups[name][0]["leader_school"] for name in names]
        assert leaders == sorted(leaders)
        totals = dict.fromkeys(
            ("travel_km", "balance", "complement", "need", "leader_strength", "partnerships",
             "disruption"), 0.0,
        )  # fmt: skip
        for name in names:
            rows = [self.by_code[row["school"]] for row in groups[name]]
            assert len({row["leader_school"] for row in groups[name]}) == 1
            leader = self.by_code[groups[name][0]["leader_school"]]
            assert leader in rows
            for row, member in zip(groups[name], rows, strict=True):
                assert abs(row["distance_km"] - haversine_km(member, leader)) < 1e-6
            parts = self.parts(rows, leader)
            assert parts is not None, f"{name} breaks a rule"
            least = self.cheapest(rows)
            assert least is not None
            assert abs(sum(parts.values()) - least) < 1e-6
            for part, value in parts.items():
                totals[part] += value
        total = sum(totals.values())
        for part, value in totals.items():
            assert abs(result.objective[part] - value) < 1e-6 * max(1.0, value), part
        assert abs(result.objective["total"] - total) < 1e-6 * max(1.0, total)
        if result.lower_bound is not None:
            assert result.lower_bound <= total + 1e-6
        return total

    def best(self) -> tuple[int, float]:
        """Fewest placed schools left out, and the least cost of that, over all partitions."""
        rows = [row for row in self.schools if placed(row)]
        n = len(rows)
        sets: dict[int, list[tuple[int, float]]] = {a: [] for a in range(n)}
        for mask in range(1, 1 << n):
            if self.minimum <= mask.bit_count() <= self.maximum:
                cost = self.cheapest([rows[a] for a in range(n) if mask >> a & 1])
                if cost is not None:
                    sets[(mask & -mask).bit_length() - 1].append((mask, cost))
        best: dict[int, tuple[int, float]] = {0: (0, 0.0)}

        def solve(mask: int) -> tuple[int, float]:
            if mask not in best:
                first = (mask & -mask).bit_length() - 1
                out, cost = solve(mask & (mask - 1))
                found = (out + 1, cost)
                for members, price in sets[first]:
                    if members & mask == members:
                        out, cost = solve(mask ^ members)
                        found = min(found, (out, cost + price))
                best[mask] = found
            return best[mask]

        return solve((1 << n) - 1)
