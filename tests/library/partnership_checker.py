"""Rules and costs of partnerships written down a second time, plainly, to check the library by.

Nothing here is imported from the code under test: distances, ranks, rules and costs are worked out
from the raw rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WEIGHTS = {
    "balance": 1.0,
    "complement": 8.0,
    "need": 4.0,
    "leader_strength": 4.0,
    "partnership": 6.0,
    "disruption": 2.0,
    "all_weak": 8.0,
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


def priorities_of(rows: Sequence[Row]) -> list[str]:
    """Names of the priorities; the one without a name is ""."""
    found = {
        column.split("_", 1)[1] for column in rows[0] if column.startswith(("strength_", "strong_"))
    }
    return sorted(found) or [""]


@dataclass
class Checker:
    """The rules for one table of schools.

    `table` holds ways by (from, to) where there is a table of travel; `barred` pairs of schools, or
    of areas with `by_area`; `unknown` the way assumed for a school without coordinates.
    """

    schools: Sequence[Row]
    minimum: int
    maximum: int
    max_km: float
    present: Mapping[str, str] = field(default_factory=dict)
    table: Mapping[tuple[str, str], float] | None = None
    barred: frozenset[frozenset[str]] = frozenset()
    by_area: bool = False
    unknown: float | None = None
    leads: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.target = (self.minimum + self.maximum) / 2
        self.by_code = {row["school"]: row for row in self.schools}
        rows = [row for row in self.schools if self.reachable(row)]
        self.names = priorities_of(self.schools) if self.schools else [""]
        self.strong: dict[str, set[str]] = {}
        self.needs: dict[str, dict[str, float]] = {}
        ranks = []
        for name in self.names:
            strength, need = self._columns(name)
            found = self._strong(rows, name)
            if found is None:
                continue
            self.strong[name] = found
            flags = f"strong_{name}" if strength not in rows[0] else strength
            ranks.append(self._ranks(rows, flags))
            if any(row.get(need) is not None for row in rows):
                self.needs[name] = self._ranks(rows, need)
        if self.names != [""] and any(row.get("strength") is not None for row in rows):
            ranks = [self._ranks(rows, "strength")]
        self.leader_rank = {
            row["school"]: sum(rank[row["school"]] for rank in ranks) / len(ranks) for row in rows
        } if ranks else {}  # fmt: skip
        self.wanted: dict[str, set[str]] = {}

    @staticmethod
    def _columns(name: str) -> tuple[str, str]:
        return (f"strength_{name}", f"need_{name}") if name else ("strength", "need")

    def _strong(self, rows: Sequence[Row], name: str) -> set[str] | None:
        """Codes of the schools that are strong; None where nothing is known."""
        flags = [row for row in rows if row.get(f"strong_{name}") is not None]
        if flags:
            return {row["school"] for row in flags if row[f"strong_{name}"] == 1}
        column, _ = self._columns(name)
        known = sorted(row[column] for row in rows if row.get(column) is not None)
        if not known:
            return None
        edge = known[math.floor(0.75 * (len(known) - 1))]
        return {
            row["school"] for row in rows if row.get(column) is not None and row[column] >= edge
        }

    def reachable(self, row: Row) -> bool:
        """Whether anything is known of how to get to a school."""
        if placed(row) or row.get("area"):
            return True
        return self.table is not None and any(row["school"] in pair for pair in self.table)

    def way(self, one: Row, other: Row) -> float:
        """The way between two schools, infinite where there is none."""
        if one["school"] == other["school"]:
            return 0.0
        key = "area" if self.by_area else "school"
        if one[key] != other[key] and frozenset((one[key], other[key])) in self.barred:
            return math.inf
        known = [placed(one), placed(other)]
        if self.table is not None:
            pairs = ((one["school"], other["school"]), (other["school"], one["school"]))
            listed = [self.table[pair] for pair in pairs if pair in self.table]
            if listed:
                return min(listed)
            named = {code for pair in self.table for code in pair}
            known = [placed(row) or row["school"] in named for row in (one, other)]
            if all(known):
                return math.inf
        elif all(known):
            return haversine_km(one, other)
        if one.get("area") and one["area"] == other.get("area"):
            return self.max_km / 2 if self.unknown is None else self.unknown
        return math.inf

    def wanted_of(self, leader: Row) -> set[str]:
        """Priorities in which some school that could be led by this one is strong."""
        if self.names == [""]:
            return set(self.strong)
        if leader["school"] not in self.wanted:
            around = {
                row["school"] for row in self.schools
                if self.reachable(row) and self.way(row, leader) <= self.max_km + 1e-9
                and share_a_kind([row, leader], "phase")
                and share_a_kind([row, leader], "language")
            }  # fmt: skip
            self.wanted[leader["school"]] = {
                name for name, strong in self.strong.items() if strong & around
            }
        return self.wanted[leader["school"]]

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
        km = [self.way(row, leader) for row in members]
        if max(km) > self.max_km + 1e-6:
            return None
        codes = {row["school"] for row in members}
        missing = [name for name in self.wanted_of(leader) if not self.strong[name] & codes]
        preference = 0.0
        if self.leader_rank:
            preference = WEIGHTS["leader_strength"] * (1 - self.leader_rank[leader["school"]])
        need = sum(self.needs[name][code] for name in missing if name in self.needs
                   for code in codes)  # fmt: skip
        home = self.present.get(leader["school"])
        moved = sum(self.present.get(row["school"]) != home for row in members)
        parts = {
            "travel_km": sum(km),
            "balance": WEIGHTS["balance"] * (size - self.target) ** 2,
            "complement": WEIGHTS["complement"] * len(missing),
            "need": WEIGHTS["need"] * need,
            "leader_strength": preference,
            "partnerships": WEIGHTS["partnership"],
            "disruption": WEIGHTS["disruption"] * moved if self.present else 0.0,
        }
        if len(self.names) > 1:
            weak = not any(strong & codes for strong in self.strong.values())
            parts["all_weak"] = WEIGHTS["all_weak"] if weak and len(self.strong) > 1 else 0.0
        return parts

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
        exceptions = {row["school"]: row for row in members if row.get("exception")}
        served = [row["school"] for row in members]
        isolated = result.isolated["school"].to_list()
        assert sorted(served + isolated) == sorted(self.by_code)
        assert result.n_schools == len(self.schools)
        assert all(result.isolated["reason"].to_list())
        for code in isolated:
            if not self.reachable(self.by_code[code]):
                reason = result.isolated.filter(result.isolated["school"] == code)["reason"][0]
                assert reason.startswith("no coordinates")
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in members:
            groups.setdefault(row["partnership"], []).append(row)
        names = [f"P{number:04d}" for number in range(1, len(groups) + 1)]
        assert sorted(groups) == names
        leaders = [groups[name][0]["leader_school"] for name in names]
        assert leaders == sorted(leaders)
        totals: dict[str, float] = {}
        for name in names:
            regular = [row for row in groups[name] if row["school"] not in exceptions]
            rows = [self.by_code[row["school"]] for row in regular]
            assert len({row["leader_school"] for row in groups[name]}) == 1
            leader = self.by_code[groups[name][0]["leader_school"]]
            assert leader in rows
            assert len(groups[name]) <= self.maximum + 1
            for row in groups[name]:
                member = self.by_code[row["school"]]
                if row["school"] == leader["school"]:
                    assert row["distance_km"] == 0
                elif placed(member) and placed(leader):
                    assert abs(row["distance_km"] - haversine_km(member, leader)) < 1e-6
                else:
                    assert row["distance_km"] is None
                if self.table is not None and row in regular:
                    assert abs(row["travel"] - self.way(member, leader)) < 1e-9
            parts = self.parts(rows, leader)
            assert parts is not None, f"{name} breaks a rule"
            least = self.cheapest(rows)
            assert least is not None
            fixed = self.leads & {row["school"] for row in rows}
            assert fixed or abs(sum(parts.values()) - least) < 1e-6
            for part, value in parts.items():
                totals[part] = totals.get(part, 0.0) + value
        total = sum(totals.values())
        assert {"total", *totals} == set(result.objective) or not groups
        for part, value in totals.items():
            assert abs(result.objective[part] - value) < 1e-6 * max(1.0, value), part
        assert abs(result.objective["total"] - total) < 1e-6 * max(1.0, total)
        if result.lower_bound is not None:
            assert result.lower_bound <= total + 1e-6
        return total

    def best(self, allowed: Callable[[Sequence[Row]], bool] | None = None) -> tuple[int, float]:
        """Fewest placed schools left out, and the least cost of that, over all partitions.

        With `allowed` only partnerships that it lets through are used.
        """
        rows = [row for row in self.schools if self.reachable(row)]
        n = len(rows)
        sets: dict[int, list[tuple[int, float]]] = {a: [] for a in range(n)}
        for mask in range(1, 1 << n):
            if self.minimum <= mask.bit_count() <= self.maximum:
                inside = [rows[a] for a in range(n) if mask >> a & 1]
                cost = self.cheapest(inside)
                if cost is not None and (allowed is None or allowed(inside)):
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
