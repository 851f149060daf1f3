"""Adoptions as a forest: each school under the one it took the practice from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from brightspots.connectedness.schools import MISSING, NO, YES
from brightspots.core.errors import InputError

__all__ = ["Lineage", "read_lineage"]


@dataclass
class Lineage:
    """Nodes (a school in a practice) as lists; sources without a row of their own come last.

    `parent` is -1 for a root; `tree` numbers the roots; `dated` is false for a source without a
    row, which counts from the first adoption of its lineage.
    """

    practice: list[str] = field(default_factory=list)
    school: list[str] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    date: list[dt.date] = field(default_factory=list)
    dated: list[bool] = field(default_factory=list)
    adapted: list[bool] = field(default_factory=list)
    stopped: list[dt.date | None] = field(default_factory=list)
    reason: list[str] = field(default_factory=list)
    km: list[float | None] = field(default_factory=list)
    generation: list[int] = field(default_factory=list)
    children: list[int] = field(default_factory=list)
    descendants: list[int] = field(default_factory=list)
    tree: list[int] = field(default_factory=list)
    roots: list[tuple[str, str]] = field(default_factory=list)
    members: list[list[int]] = field(default_factory=list)


def read_lineage(frame: pl.DataFrame, as_of: dt.date) -> Lineage:
    """Read the adoptions and put each under its source.

    Raises
    ------
    InputError
        See :func:`brightspots.connectedness.spread.spread`.
    """
    for column in ("practice", "school", "date"):
        if column not in frame.columns:
            found = ", ".join(frame.columns) or "none"
            raise InputError(
                f"the column {column} is missing.", column=column, mend=f"Columns found: {found}."
            )
    if not {"source_school", "source_adoption"} & set(frame.columns):
        raise InputError(
            "there is neither source_school nor source_adoption.", column="source_school",
            mend="Say from which school each took the practice.",
        )  # fmt: skip
    cells = {name: _text(frame, name) for name in frame.columns}
    lineage = Lineage()
    place: dict[tuple[str, str], int] = {}
    for at in range(frame.height):
        _add(lineage, cells, at, as_of, place)
    sources = _sources(lineage, cells, place)
    for at, parent in enumerate(sources):
        lineage.parent[at] = parent
        if parent >= 0 and lineage.dated[parent] and lineage.date[at] < lineage.date[parent]:
            raise InputError(
                f"{lineage.school[at]} took it up on {lineage.date[at]}, before"
                f" {lineage.school[parent]}, from which it came ({lineage.date[parent]}).",
                row=at + 2, column="date",
            )  # fmt: skip
    _measure(lineage)
    return lineage


def _text(frame: pl.DataFrame, column: str) -> list[str]:
    values = frame[column].cast(pl.String).to_list()
    text = ["" if value is None else value.strip() for value in values]
    return ["" if value.lower() in MISSING else value for value in text]


def _add(
    lineage: Lineage, cells: dict[str, list[str]], at: int, as_of: dt.date,
    place: dict[tuple[str, str], int],
) -> None:  # fmt: skip
    row = at + 2
    practice, school = cells["practice"][at], cells["school"][at]
    for column, value in (("practice", practice), ("school", school)):
        if not value:
            raise InputError(f"the {column} is empty.", row=row, column=column)
    if (practice, school) in place:
        raise InputError(
            f"{school} has taken up {practice} in row {place[practice, school] + 2} already.",
            row=row, column="school", mend="Give a school one row for each practice.",
        )  # fmt: skip
    place[practice, school] = at
    date = _date(cells, "date", at, as_of)
    if date is None:
        raise InputError("the date is empty.", row=row, column="date")
    stopped = _date(cells, "stopped", at, as_of)
    if stopped is not None and stopped < date:
        raise InputError(
            f"it was stopped on {stopped}, before it was taken up ({date}).",
            row=row, column="stopped",
        )  # fmt: skip
    adapted = cells.get("adapted", [""] * (at + 1))[at].lower()
    lineage.practice.append(practice)
    lineage.school.append(school)
    lineage.parent.append(-1)
    lineage.date.append(date)
    lineage.dated.append(True)
    lineage.adapted.append(adapted in YES or bool(adapted and adapted not in NO))
    lineage.stopped.append(stopped)
    lineage.reason.append(cells.get("stopped_reason", [""] * (at + 1))[at])
    lineage.km.append(_km(cells, at))


def _date(cells: dict[str, list[str]], column: str, at: int, as_of: dt.date) -> dt.date | None:
    text = cells[column][at] if column in cells else ""
    if not text:
        return None
    try:
        if text[10:11] not in ("", " ", "T"):  # a time may follow, nothing else
            raise ValueError
        date = dt.date.fromisoformat(text[:10])
    except ValueError:
        raise InputError(
            f'"{text}" is not a date.', row=at + 2, column=column, mend="Write 2025-03-31."
        ) from None
    if date > as_of:
        raise InputError(
            f"{date} is after {as_of}, the day up to which adoptions are known.",
            row=at + 2, column=column,
        )  # fmt: skip
    return date


def _km(cells: dict[str, list[str]], at: int) -> float | None:
    name = next((name for name in ("distance_km", "distance") if name in cells), None)
    text = cells[name][at] if name else ""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 20_100:
        raise InputError(f'"{text}" is not a distance in km.', row=at + 2, column=name)
    return value


def _sources(
    lineage: Lineage, cells: dict[str, list[str]], place: dict[tuple[str, str], int]
) -> list[int]:
    """Return the node that each node came from; sources without a row are added on the way."""
    n = len(lineage.school)
    by_code: dict[str, int] = {}
    for at, code in enumerate(cells.get("adoption", [])):
        if code in by_code:
            raise InputError(
                f"the adoption {code} is already in row {by_code[code] + 2}.",
                row=at + 2, column="adoption",
            )  # fmt: skip
        if code:
            by_code[code] = at
    found = []
    for at in range(n):
        code = cells["source_adoption"][at] if "source_adoption" in cells else ""
        school = cells["source_school"][at] if "source_school" in cells else ""
        practice = lineage.practice[at]
        if code:
            if code not in by_code:
                raise InputError(
                    f"there is no adoption {code}.", row=at + 2, column="source_adoption"
                )
            parent = by_code[code]
            if lineage.practice[parent] != practice:
                raise InputError(
                    f"the adoption {code} is of another practice ({lineage.practice[parent]}).",
                    row=at + 2, column="source_adoption",
                )  # fmt: skip
        elif not school:
            parent = -1
        else:
            if (practice, school) not in place:
                place[practice, school] = _add_source(lineage, practice, school)
            parent = place[practice, school]
            first = min(lineage.date[at], lineage.date[parent])
            if not lineage.dated[parent]:
                lineage.date[parent] = first
        if parent == at:
            raise InputError(
                f"{lineage.school[at]} took it from itself.", row=at + 2,
                column="source_adoption" if code else "source_school",
                mend="Leave the source of the school empty that the practice comes from.",
            )  # fmt: skip
        found.append(parent)
    return found + [-1] * (len(lineage.school) - n)


def _add_source(lineage: Lineage, practice: str, school: str) -> int:
    lineage.practice.append(practice)
    lineage.school.append(school)
    lineage.parent.append(-1)
    lineage.date.append(dt.date.max)
    lineage.dated.append(False)
    lineage.adapted.append(False)
    lineage.stopped.append(None)
    lineage.reason.append("")
    lineage.km.append(None)
    return len(lineage.school) - 1


def _measure(lineage: Lineage) -> None:
    """Fill in generations, children, descendants and trees, from the roots down."""
    n = len(lineage.school)
    below: list[list[int]] = [[] for _ in range(n)]
    for at, parent in enumerate(lineage.parent):
        if parent >= 0:
            below[parent].append(at)
    lineage.children = [len(each) for each in below]
    lineage.generation, lineage.tree, lineage.descendants = [-1] * n, [-1] * n, [0] * n
    order = []
    for root in [at for at in range(n) if lineage.parent[at] < 0]:
        lineage.roots.append((lineage.practice[root], lineage.school[root]))
        lineage.generation[root] = 0
        members = [root]
        for at in members:  # grows while it is read
            lineage.tree[at] = len(lineage.roots) - 1
            for child in below[at]:
                lineage.generation[child] = lineage.generation[at] + 1
                members.append(child)
        lineage.members.append(members)
        order += members
    if len(order) < n:
        raise _circle(lineage)
    for at in reversed(order):
        parent = lineage.parent[at]
        if parent >= 0:
            lineage.descendants[parent] += 1 + lineage.descendants[at]


def _circle(lineage: Lineage) -> InputError:
    at = min(at for at, tree in enumerate(lineage.tree) if tree < 0)
    seen: list[int] = []
    while at not in seen:
        seen.append(at)
        at = lineage.parent[at]
    circle = seen[seen.index(at) :]
    circle = circle[circle.index(min(circle)) :] + circle[: circle.index(min(circle))]
    names = [lineage.school[each] for each in [*circle, circle[0]]]
    return InputError(
        f"schools took {lineage.practice[circle[0]]} from each other in a circle:"
        f" {' from '.join(names)}.",
        row=circle[0] + 2,
        column="source_school",
        mend="One of them must have had it from elsewhere.",
    )
