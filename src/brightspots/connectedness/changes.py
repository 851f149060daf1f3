"""Present partnerships, and what has happened to their schools: closed, merged, leader gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from brightspots.connectedness.schools import MISSING, NO, YES
from brightspots.connectedness.small_files import SmallTable, read_small
from brightspots.core.errors import InputError

__all__ = ["Changes", "apply_changes", "open_schools", "read_existing"]

EXISTING = {"school": pl.String, "partnership": pl.String, "leader_school": pl.String}
Place = tuple[str | None, int]
"""File (None for the table of schools) and row."""
MOST_UNKNOWN = 0.5
"""Share of present members not among the schools above which the codes are taken to differ."""


@dataclass(frozen=True)
class Changes:
    """The schools of today beside the partnerships of yesterday.

    Attributes
    ----------
    schools : DataFrame
        The open schools; columns as given, without `closed` and `merged_into`.
    kept : Series of bool
        Which rows of the given table those are.
    existing : DataFrame
        school, partnership, leader_school: the present partnerships of the open schools, for
        :func:`brightspots.connectedness.partnerships.form_partnerships`. A school that others
        were merged into stands in their place; the leader is null where it has gone.
    before : DataFrame
        school, partnership, leader_school as they were.
    closed : frozenset of str
        Schools that have closed, those merged left out.
    merged : mapping
        School -> the open school it is part of now.
    """

    schools: pl.DataFrame
    kept: pl.Series
    existing: pl.DataFrame
    before: pl.DataFrame
    closed: frozenset[str]
    merged: Mapping[str, str]


def read_existing(source: str | Path | pl.DataFrame, *, name: str | None = None) -> SmallTable:
    """Read present partnerships: school, partnership, optionally leader_school and merged_into.

    A file that `brightspots partnerships` has written will do.

    Raises
    ------
    InputError
        A school in two partnerships, a partnership with two leaders, an empty code: with the row.
    """
    table = read_small(source, ("school", "partnership"), "present partnerships", name=name)
    if not table.numbers:
        raise table.error("there are no partnerships in it.", mend="Give one row a school.")
    seen: dict[str, int] = {}
    leaders: dict[str, tuple[str, int]] = {}
    for row, cells in table:
        school = table.school(row, cells, "school")
        if school in seen:
            raise table.error(
                f"a school is in two present partnerships: {school} is already in row"
                f" {seen[school]}.", row, "school", "Give each school one row.",
            )  # fmt: skip
        seen[school] = row
        if not cells["partnership"]:
            raise table.error(
                f"the partnership of {school} is empty.", row, "partnership",
                "Take out the row of a school that is in none.",
            )  # fmt: skip
        leader = cells.get("leader_school", "")
        if leader:
            other, first = leaders.setdefault(cells["partnership"], (leader, row))
            if other != leader:
                raise table.error(
                    f"the partnership {cells['partnership']} has two leaders: {other} (row {first})"
                    f" and {leader}.", row, "leader_school", "Keep one of the two.",
                )  # fmt: skip
    return table


def apply_changes(schools: pl.DataFrame, present: SmallTable | pl.DataFrame) -> Changes:
    """Apply closures and mergers to the present partnerships.

    Parameters
    ----------
    schools : DataFrame
        Today's schools. Optional columns closed (1 or 0) and merged_into (code of the school it is
        part of now): such schools are taken out. A present member that is not in the table at all
        has closed, unless the present partnerships themselves say what it was merged into.
    present : SmallTable or DataFrame
        From :func:`read_existing`, or a frame with its columns.

    Raises
    ------
    InputError
        A merger into an unknown or closed school, or in a circle; most present members unknown.
    """
    table = present if isinstance(present, SmallTable) else read_existing(present)
    codes = schools["school"].cast(pl.String).str.strip_chars().fill_null("").to_list()
    into, shut = _mergers(schools, codes), _closed(schools, codes)
    said: dict[str, Place] = {code: (None, row) for row, code in enumerate(codes, start=2)}
    for row, cells in table:
        if (target := cells.get("merged_into", "")) and cells["school"] not in into:
            into[cells["school"]], said[cells["school"]] = target, (table.name, row)
    kept = [code not in into and code not in shut for code in codes]
    open_now = {code for code, keep in zip(codes, kept, strict=True) if keep}
    merged = {code: _end(code, into, open_now, said[code]) for code in into}
    before = _before(table)
    members = before["school"].to_list()
    gone = [code for code in members if code not in open_now and code not in merged]
    unknown = [code for code in gone if code not in shut]
    if len(unknown) > MOST_UNKNOWN * len(members):
        raise table.error(
            f"{len(unknown)} of the {len(members)} schools of the present partnerships are not"
            f" among the schools ({', '.join(unknown[:3])} ...).", column="school",
            mend="Are the codes written alike in both files (leading zeros)? If one area is formed"
            " anew, keep only its partnerships in this file.",
        )  # fmt: skip
    return Changes(
        schools=schools.filter(pl.Series(kept)).drop("closed", "merged_into", strict=False),
        kept=pl.Series("kept", kept, dtype=pl.Boolean),
        existing=_existing(before, open_now, merged),
        before=before,
        closed=frozenset(gone),
        merged=merged,
    )


def open_schools(schools: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Take out the schools that have closed or merged, by the columns closed and merged_into.

    Returns
    -------
    DataFrame
        The others, without those columns.
    Series of bool
        Which rows they are.
    """
    codes = schools["school"].cast(pl.String).str.strip_chars().fill_null("").to_list()
    gone = {*_mergers(schools, codes), *_closed(schools, codes)}
    kept = pl.Series("kept", [code not in gone for code in codes], dtype=pl.Boolean)
    return schools.filter(kept).drop("closed", "merged_into", strict=False), kept


def _before(table: SmallTable) -> pl.DataFrame:
    leaders: dict[str, str] = {}
    for _row, cells in table:
        if leader := cells.get("leader_school", ""):
            leaders[cells["partnership"]] = leader
    rows = [
        (cells["school"], cells["partnership"], leaders.get(cells["partnership"]))
        for _row, cells in table
    ]
    return pl.DataFrame(rows, schema=EXISTING, orient="row").sort("partnership", "school")


def _cells(schools: pl.DataFrame, column: str) -> list[str]:
    return schools[column].cast(pl.String).str.strip_chars().fill_null("").to_list()


def _mergers(schools: pl.DataFrame, codes: list[str]) -> dict[str, str]:
    if "merged_into" not in schools.columns:
        return {}
    cells = zip(codes, _cells(schools, "merged_into"), strict=True)
    return {code: target for code, target in cells if target.lower() not in MISSING}


def _closed(schools: pl.DataFrame, codes: list[str]) -> set[str]:
    if "closed" not in schools.columns:
        return set()
    closed = set()
    for row, (code, text) in enumerate(zip(codes, _cells(schools, "closed"), strict=True), start=2):
        if text.lower() in YES:
            closed.add(code)
        elif text.lower() not in NO | MISSING:
            raise InputError(f'"{text}" is not yes or no (1 or 0).', row=row, column="closed")
    return closed


def _end(code: str, into: Mapping[str, str], open_now: set[str], said: Place) -> str:
    """Follow mergers to the school that is open now; `said` is where the first of them stands."""
    name, row = said
    passed = [code]
    while passed[-1] in into:
        following = into[passed[-1]]
        if following in passed:
            raise InputError(
                f"the schools {', '.join([*passed, following])} are merged into each other in a"
                " circle.", file=name, row=row, column="merged_into",
            )  # fmt: skip
        passed.append(following)
    if passed[-1] not in open_now:
        raise InputError(
            f"the school {code} is merged into {passed[-1]}, which is not among the open schools.",
            file=name, row=row, column="merged_into",
            mend="Name the school that it is part of now.",
        )  # fmt: skip
    return passed[-1]


def _existing(before: pl.DataFrame, open_now: set[str], merged: Mapping[str, str]) -> pl.DataFrame:
    """Members who are still there, and those who stand in for merged ones."""
    present = {row[0]: row[1] for row in before.iter_rows()}
    leader = {row[1]: row[2] for row in before.iter_rows()}
    now = {code: name for code, name in present.items() if code in open_now}
    # A school that led goes first, so that its partnership is the one that goes on.
    joined = [code for code in merged if code in present]
    joined.sort(key=lambda code: (leader[present[code]] != code, code))
    for code in joined:
        now.setdefault(merged[code], present[code])
    rows = []
    for code, name in sorted(now.items()):
        lead = leader[name]
        lead = merged.get(lead, lead) if lead is not None else None
        rows.append((code, name, lead if lead in open_now else None))
    return pl.DataFrame(rows, schema=EXISTING, orient="row")
