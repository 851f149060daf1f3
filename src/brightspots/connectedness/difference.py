"""What re-forming changes: school by school, partnership by partnership, and who leads and why.

A school *stays* when its new leader comes from the school's present partnership: that is the move
that the objective prices (``Weights.disruption``). Of several new partnerships whose leaders come
from one present partnership, the one with most of its members goes on; the others split off.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from brightspots.connectedness.changes import Changes
from brightspots.connectedness.partnerships import Partnerships
from brightspots.connectedness.schools import read_schools

__all__ = ["Difference", "difference"]

SCHOOLS = {
    "school": pl.String, "change": pl.String, "partnership_before": pl.String,
    "partnership_after": pl.String, "leader_before": pl.String, "leader_after": pl.String,
    "why": pl.String,
}  # fmt: skip
PARTNERSHIPS = {
    "partnership_before": pl.String, "partnership_after": pl.String, "change": pl.String,
    "schools_before": pl.Int64, "schools_after": pl.Int64, "stay": pl.Int64, "come": pl.Int64,
    "go": pl.Int64, "closed": pl.Int64, "leader_before": pl.String, "leader_after": pl.String,
    "leader": pl.String, "why": pl.String,
}  # fmt: skip
SCHOOL_CHANGES = ("stays", "splits off", "moves", "new", "left out", "merged", "closed")
PARTNERSHIP_CHANGES = ("kept", "changed", "ended", "split off", "new")


@dataclass(frozen=True)
class Difference:
    """The difference between present and new partnerships.

    Attributes
    ----------
    schools : DataFrame
        school, change, partnership_before, partnership_after, leader_before, leader_after, why;
        one row for every school that was or is there; sorted by school. `change` is

        - stays: its leader comes from its present partnership,
        - splits off: likewise, but most of its partnership goes on under another leader,
        - moves: its leader comes from another present partnership, or from none,
        - new: it was in no partnership,
        - left out: it is in no partnership now,
        - merged, closed: it is no school of its own any more.
    partnerships : DataFrame
        partnership_before, partnership_after, change (kept: same schools and leader; changed;
        ended; split off; new), schools_before, schools_after, stay, come, go, closed (with merged),
        leader_before, leader_after, leader (same, new, none, or unknown), why.
    counts : mapping
        Schools by change, partnerships by change, and new leaders.
    moved : int
        Schools that move.
    before : int
        Open schools that were in a partnership, or stand in for one that was.
    price : float
        What one moved school cost in this run, km of travel.
    cost : float
        Cost of the new partnerships without what moving cost, km.
    """

    schools: pl.DataFrame
    partnerships: pl.DataFrame
    counts: Mapping[str, Mapping[str, int]]
    moved: int
    before: int
    price: float
    cost: float

    def as_dict(self) -> dict[str, Any]:
        """Return the figures in JSON types."""
        return {
            "moved": self.moved,
            "share_moved": self.moved / self.before if self.before else 0.0,
            "price_per_move": self.price,
            "cost_without_moving": self.cost,
            **{name: dict(values) for name, values in self.counts.items()},
        }


def difference(changes: Changes, result: Partnerships) -> Difference:
    """Compare present partnerships with the answer that was formed from them.

    Parameters
    ----------
    changes : Changes
        From :func:`brightspots.connectedness.changes.apply_changes`; `result` was formed with its
        `schools` and `existing`.
    result : Partnerships
    """
    return _Compare(changes, result).answer()


class _Compare:
    """The two sides as plain mappings."""

    def __init__(self, changes: Changes, result: Partnerships) -> None:
        self.changes, self.result = changes, result
        self.before = {code: name for code, name, _ in changes.before.iter_rows()}
        self.old_leader = {name: lead for _, name, lead in changes.before.iter_rows()}
        self.now = {code: name for code, name, _ in changes.existing.iter_rows()}
        columns = result.members.select("school", "partnership", "leader_school")
        self.after = {code: name for code, name, _ in columns.iter_rows()}
        self.new_leader = {name: lead for _, name, lead in columns.iter_rows()}
        # The present partnership that a new one comes from is its leader's.
        self.home = {name: self.now.get(lead) for name, lead in self.new_leader.items()}
        self.goes_on = self._goes_on()
        self.schools_of = _schools(changes.schools)
        self.left = dict(result.isolated.select("school", "reason").iter_rows())
        self.sizes = Counter(self.after.values())

    def _goes_on(self) -> dict[str, str]:
        """Find the new partnership that each present one goes on as."""
        shared = Counter(
            name for code, name in self.after.items() if self.now.get(code) == self.home[name]
        )
        chosen: dict[str, str] = {}
        for name in sorted(self.new_leader):
            home = self.home[name]
            if home is None:
                continue
            best = chosen.setdefault(home, name)
            lead = self._successor(self.old_leader[home])
            if (shared[name], self.new_leader[name] == lead) > (
                shared[best], self.new_leader[best] == lead,
            ):  # fmt: skip
                chosen[home] = name
        return chosen

    def _successor(self, code: str | None) -> str | None:
        """Return the school itself, or the one it was merged into."""
        return code if code is None else self.changes.merged.get(code, code)

    def answer(self) -> Difference:
        rows = [
            self._school(code)
            for code in sorted({*self.before, *self.after, *self.result.isolated["school"],
                                *self.changes.merged})
        ]  # fmt: skip
        schools = pl.DataFrame(rows, schema=SCHOOLS, orient="row")
        partnerships = pl.DataFrame(self._partnerships(), schema=PARTNERSHIPS, orient="row")
        by_change = Counter(schools["change"].to_list())
        by_fate = Counter(partnerships["change"].to_list())
        objective = self.result.objective
        settings = self.result.provenance.settings
        return Difference(
            schools=schools,
            partnerships=partnerships,
            counts={
                "schools": {name: by_change[name] for name in SCHOOL_CHANGES},
                "partnerships": {name: by_fate[name] for name in PARTNERSHIP_CHANGES},
                "leaders": {
                    name: partnerships.filter(pl.col("leader") == name).height
                    for name in ("same", "new")
                },
            },
            moved=by_change["moves"],
            before=self.changes.existing.height,
            price=float(settings["weights"]["disruption"]),
            cost=float(objective["total"] - objective["disruption"]),
        )

    def _school(self, code: str) -> tuple[str | None, ...]:
        merged = self.changes.merged.get(code)
        old, new = self.before.get(code), self.after.get(merged or code)
        if old is None and merged is None:
            old = self.now.get(code)  # it stands in for a school that was merged into it
        lead_before = None if old is None else self.old_leader[old]
        lead_after = None if new is None else self.new_leader[new]
        if merged is not None:
            change, why = "merged", f"merged into {merged}"
        elif code in self.changes.closed:
            change, why = "closed", "the school has closed"
        elif new is None:
            change, why = "left out", self.left[code]
        elif old is None:
            change, why = "new", "it was in no partnership"
        elif self.home[new] == old:
            goes_on = self.goes_on[old] == new
            change = "stays" if goes_on else "splits off"
            why = "" if goes_on else f"{old} is split"
        else:
            change, why = "moves", self._why_moved(old)
        return code, change, old, new, lead_before, lead_after, why

    def _why_moved(self, old: str) -> str:
        if old in self.goes_on:
            return f"{old} goes on without it: the new place costs less in all"
        lead = self.old_leader[old]
        gone = "" if lead is None else self._gone(lead)
        return f"{old} ends" + (f": {gone}" if gone else "")

    def _gone(self, lead: str) -> str:
        """Why a leader can lead no more; "" if it can."""
        if lead in self.changes.merged:
            return f"the leader's school {lead} was merged into {self.changes.merged[lead]}"
        if lead not in self.schools_of:
            return f"the leader's school {lead} has closed"
        may, _capacity = self.schools_of[lead]
        return "" if may else f"the leader of {lead} has left (it may not lead now)"

    def _why_leader(self, lead: str, new: str) -> str:
        """Why another school leads now."""
        if gone := self._gone(lead):
            return gone
        capacity = self.schools_of[lead][1]
        size = self.sizes[new]
        if capacity is not None and capacity < size:
            return f"{lead} has a capacity of {capacity}, and {size} schools are here now"
        there = self.after.get(lead)
        if there is None:
            return f"{lead} is left out"
        if there != new:
            return f"{lead} is in {there} now"
        return f"{lead} stays as a member; led from {self.new_leader[new]} it costs less in all"

    def _partnerships(self) -> list[tuple[Any, ...]]:
        members_before: dict[str, set[str]] = defaultdict(set)
        for code, name in self.before.items():
            members_before[name].add(code)
        members_after: dict[str, set[str]] = defaultdict(set)
        for code, name in self.after.items():
            members_after[name].add(code)
        rows: list[tuple[Any, ...]] = []
        for old in sorted(members_before):
            ours = members_before[old]
            gone = {code for code in ours if code in self.changes.merged
                    or code in self.changes.closed}  # fmt: skip
            new = self.goes_on.get(old)
            if new is None:
                lead = self.old_leader[old]
                why = "" if lead is None else self._gone(lead)
                rows.append((old, None, "ended", len(ours), 0, 0, 0, len(ours - gone), len(gone),
                             lead, None, "none", why))  # fmt: skip
                continue
            here = members_after[new]
            lead, led, leader, why = self._leaders(old, new)
            stay = sum(self.now.get(code) == old for code in here)
            kept = here == ours and leader != "new"
            rows.append((old, new, "kept" if kept else "changed", len(ours), len(here), stay,
                         len(here) - stay, len(ours - gone - here), len(gone), lead, led,
                         leader, why))  # fmt: skip
        for new in sorted(set(self.new_leader) - set(self.goes_on.values())):
            here, home = members_after[new], self.home[new]
            stay = 0 if home is None else sum(self.now.get(code) == home for code in here)
            change, why = ("new", "") if home is None else ("split off", f"{home} is split")
            rows.append((home, new, change, 0, len(here), stay, len(here) - stay, 0, 0, None,
                         self.new_leader[new], "new", why))  # fmt: skip
        return rows

    def _leaders(self, old: str, new: str) -> tuple[str | None, str, str, str]:
        """Return the leader before and after, whether it is the same, and why not."""
        lead, led = self.old_leader[old], self.new_leader[new]
        if lead is None:
            return lead, led, "unknown", "the present leader is not given"
        if lead == led:
            return lead, led, "same", ""
        if self._successor(lead) == led:
            return lead, led, "same", self._gone(lead)
        return lead, led, "new", self._why_leader(lead, new)


def _schools(schools: pl.DataFrame) -> dict[str, tuple[bool, int | None]]:
    """Return whether each open school may lead, and its capacity."""
    read = read_schools(schools)
    capacities: list[int | None] = [None] * len(read.codes)
    if read.capacity is not None:
        capacities = list(read.capacity.tolist())
    return {
        str(code): (bool(may), capacity)
        for code, may, capacity in zip(read.codes, read.leader, capacities, strict=True)
    }
