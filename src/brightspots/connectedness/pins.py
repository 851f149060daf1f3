"""What people have fixed beforehand: who stays together or apart, and who leads.

A pin is a decision of people, and the search keeps to it. Pins that contradict each other or the
settings are refused before any search, each named in plain words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from brightspots.connectedness.pin_checks import Contradiction, check_pins, contradictions
from brightspots.connectedness.small_files import SmallTable, read_small
from brightspots.core.errors import InputError

__all__ = ["Contradiction", "Pins", "check_pins", "contradictions", "read_pins"]

KINDS = {
    "together": "together", "apart": "apart", "leader": "leader", "leads": "leader",
    "led_by": "led_by", "led by": "led_by",
}  # fmt: skip


@dataclass(frozen=True)
class Pins:
    """What the partnerships have to keep to; all by school code.

    Parameters
    ----------
    together : tuple of frozenset of str
        Schools of a set share a partnership. Sets may overlap; :meth:`groups` joins them.
    apart : tuple of frozenset of str
        No two schools of a set share a partnership.
    leads : frozenset of str
        Schools that lead a partnership.
    led_by : mapping
        School -> the school that leads its partnership (which then leads, and is in it too).
    rows : mapping
        (kind, school_a, school_b) -> row of the file the pin stands in, for messages; may be empty.
    """

    together: tuple[frozenset[str], ...] = ()
    apart: tuple[frozenset[str], ...] = ()
    leads: frozenset[str] = frozenset()
    led_by: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[tuple[str, str, str], int] = field(default_factory=dict, compare=False)

    def __bool__(self) -> bool:
        return bool(self.together or self.apart or self.leads or self.led_by)

    @property
    def leaders(self) -> frozenset[str]:
        """Every school that has to lead: those of `leads`, and the leaders of `led_by`."""
        return self.leads | frozenset(self.led_by.values())

    def groups(self) -> tuple[frozenset[str], ...]:
        """Schools that have to share a partnership: `together` and `led_by`, overlaps joined.

        Disjoint, of two schools or more, in the order of their first codes.
        """
        found: dict[str, set[str]] = {}
        for pinned in (*self.together, *(frozenset(pair) for pair in self.led_by.items())):
            joined = set(pinned).union(*(found[code] for code in pinned if code in found))
            for code in joined:
                found[code] = joined
        return tuple(
            frozenset(found[code]) for code in sorted(found)
            if len(found[code]) > 1 and code == min(found[code])
        )  # fmt: skip


def read_pins(source: str | Path | pl.DataFrame, *, name: str | None = None) -> Pins:
    """Read pins from a file or a frame.

    Parameters
    ----------
    source : path or DataFrame
        kind, school_a, school_b: ``together`` and ``apart`` for two schools, ``led_by`` for
        school_a in the partnership that school_b leads, ``leader`` for school_a leading one
        (school_b empty). The same pin twice is one pin.
    name : str, optional
        Name for messages; the file's own otherwise.

    Raises
    ------
    InputError
        For a missing column, an unknown kind, a missing school, a school pinned to itself, or a
        school led by two: with row and column.
    """
    table = read_small(source, ("kind", "school_a", "school_b"), "pins", name=name)
    rows: dict[tuple[str, str, str], int] = {}
    pairs: dict[str, list[tuple[str, str]]] = {kind: [] for kind in KINDS.values()}
    for row, cells in table:
        kind = KINDS.get(cells["kind"].lower())
        if kind is None:
            raise table.error(
                f'"{cells["kind"]}" is no kind of pin.', row, "kind",
                "Say together, apart, leader or led_by.",
            )  # fmt: skip
        pair = _pair(table, row, kind, cells)
        if kind == "led_by" and pair[0] == pair[1]:
            kind, pair = "leader", (pair[0], "")
        if ((kind, *pair) not in rows and (kind, pair[1], pair[0]) not in rows) or kind == "led_by":
            pairs[kind].append(pair)
        rows.setdefault((kind, *pair), row)
    return Pins(
        together=tuple(frozenset(pair) for pair in pairs["together"]),
        apart=tuple(frozenset(pair) for pair in pairs["apart"]),
        leads=frozenset(school for school, _ in pairs["leader"]),
        led_by=_led_by(table, pairs["led_by"], rows),
        rows=rows,
    )


def _pair(table: SmallTable, row: int, kind: str, cells: dict[str, str]) -> tuple[str, str]:
    """Return the two schools of a pin; the second is "" for a leader."""
    one, other = table.school(row, cells, "school_a"), cells["school_b"]
    if kind == "leader":
        if other not in ("", one):
            raise table.error(
                f"{one} is to lead, and {other} stands beside it.", row, "school_b",
                f"Leave it empty; for {other} led by {one} write led_by,{other},{one}.",
            )  # fmt: skip
        return one, ""
    table.school(row, cells, "school_b")
    if one == other and kind != "led_by":
        raise table.error(f"{one} is to be {kind} with itself.", row, "school_b")
    return one, other


def _led_by(
    table: SmallTable, pairs: list[tuple[str, str]], rows: dict[tuple[str, str, str], int]
) -> dict[str, str]:
    """Return the leader of each school; one at most."""
    led_by: dict[str, str] = {}
    for school, leader in pairs:
        first = led_by.setdefault(school, leader)
        if first != leader:
            earlier, row = rows["led_by", school, first], rows["led_by", school, leader]
            raise InputError(
                f"{school} is led by two: by {first} (row {earlier}) and by {leader} (row {row}).",
                file=table.name, row=row, column="school_b", mend="Keep one of the two.",
            )  # fmt: skip
    return led_by
