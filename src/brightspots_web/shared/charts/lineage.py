"""How a practice travelled: a tree from top to bottom, a school a row, moved in by generation.

A row a school keeps it readable at 320 px, where a tree that grows sideways is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Literal

import svg
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.shared.charts.draw import (
    ACCENT,
    DOT,
    LINE,
    SOFT,
    Chart,
    LegendItem,
    drawing,
    swatch,
    text,
)

State = Literal["source", "kept", "changed", "stopped"]
ROW = 46
TOP = 24
STEP = 18
"""Pixels that a generation moves in; on a phone there is room for `DEEPEST` of them."""
DEEPEST = 6
BEFORE_TEXT = 18
LONGEST = 34
"""Characters of a name: what fits beside the tree at 320 px, less two for each generation."""


@dataclass(frozen=True)
class Branch:
    """A school in a lineage; `parent` is its place in the sequence, None for the source."""

    label: str
    note: str
    """What stands below its name: since when, and what became of it."""
    state: State
    parent: int | None = None
    href: str = ""


def lineage(*, key: str, title: str, branches: Sequence[Branch]) -> Chart:
    """Draw a tree of schools: each below the one it learned from, the source first.

    A parent stands before its children. What happens deeper than six generations is drawn no
    further in; the lines still say from whom.
    """
    if not branches:
        raise ValueError("the source stands first, and there is none")
    for at, branch in enumerate(branches):
        if (branch.parent is None) != (at == 0) or (branch.parent or 0) >= max(at, 1):
            raise ValueError("the source stands first, and a school below whom it learned from")
    columns = (_("School"), _("Learned from"), _("What became of it"))
    levels = _levels(branches)
    lines: list[svg.Element] = []
    marks: list[svg.Element] = []
    for at, branch in enumerate(branches):
        x, y = _x(levels[at]), _y(at)
        if branch.parent is not None:
            lines.append(_branch_line(_x(levels[branch.parent]), _y(branch.parent), x, y, branch))
        marks.extend(_row(branch, x, y, levels[at]))
    rows = tuple(
        (each.label, branches[each.parent].label if each.parent is not None else "", each.note)
        for each in branches
    )
    words = _described(branches, levels)
    role = "group" if any(each.href for each in branches) else "img"
    height = _y(len(branches) - 1) + 34
    return Chart(
        key,
        drawing(key, title, words, height, [*lines, *marks], role),
        title,
        words,
        columns,
        rows,
        _legend({each.state for each in branches}),
    )


def _levels(branches: Sequence[Branch]) -> list[int]:
    found: list[int] = []
    for branch in branches:
        found.append(0 if branch.parent is None else found[branch.parent] + 1)
    return found


def _x(level: int) -> float:
    return 10 + STEP * min(level, DEEPEST)


def _y(at: int) -> float:
    return TOP + ROW * at


def _branch_line(x1: float, y1: float, x2: float, y2: float, branch: Branch) -> svg.Element:
    """Down from the school it was learned from, then across; a little out where it is as deep."""
    across = max(x2 - 1, x1 + 1) if x2 <= x1 else x2
    start = x1 if x2 > x1 else x1 - 7
    path = [svg.MoveTo(x1, y1), svg.LineTo(start, y1), svg.LineTo(start, y2),
            svg.LineTo(across, y2)]  # fmt: skip
    return svg.Path(
        d=list(path),
        fill="none",
        stroke=DOT if branch.state == "stopped" else ACCENT,
        stroke_width=1.5,
        stroke_opacity=None if branch.state == "stopped" else 0.55,
        stroke_dasharray=[4, 4] if branch.state == "stopped" else None,
    )


def _row(branch: Branch, x: float, y: float, level: int) -> list[svg.Element]:
    room = LONGEST - 2 * min(level, DEEPEST)
    name = text(0, y, shorten(branch.label, room, placeholder="…") or branch.label[:room],
                bold=branch.state == "source")  # fmt: skip
    note = text(0, y, shorten(branch.note, room + 4, placeholder="…"), fill=SOFT, size=13)
    words: list[svg.Element] = [name, note]
    for line, drop in ((name, 1), (note, 18)):
        line.x, line.y = x + BEFORE_TEXT, y + drop
    name.y = y + 4
    if branch.href:
        name.fill = ACCENT
        words = [svg.A(href=escape(branch.href), elements=[name]), note]
    return [mark(branch.state, x, y), *words]


def mark(state: State, x: float, y: float) -> svg.Element:
    """Told apart by shape and filling: the source, as it is, changed, stopped."""
    if state == "source":
        return svg.Circle(cx=x, cy=y, r=8, fill=ACCENT)
    if state == "kept":
        return svg.Circle(cx=x, cy=y, r=5.5, fill=ACCENT, stroke="#fff", stroke_width=1)
    if state == "changed":
        return svg.Circle(cx=x, cy=y, r=5.5, fill="#fff", stroke=ACCENT, stroke_width=3)
    cross = [svg.MoveTo(x - 5, y - 5), svg.LineTo(x + 5, y + 5),
             svg.MoveTo(x - 5, y + 5), svg.LineTo(x + 5, y - 5)]  # fmt: skip
    return svg.G(
        elements=[
            svg.Circle(cx=x, cy=y, r=8, fill="#fff", stroke=LINE, stroke_width=1),
            svg.Path(d=list(cross), stroke=SOFT, stroke_width=2, fill="none"),
        ]
    )


def _legend(states: set[State]) -> tuple[LegendItem, ...]:
    words: dict[State, str] = {
        "source": _("the source school"),
        "kept": _("as it is written"),
        "changed": _("with a change"),
        "stopped": _("stopped"),
    }
    return tuple(
        LegendItem(swatch(mark(state, 9, 9)), label)
        for state, label in words.items()
        if state in states
    )


def _described(branches: Sequence[Branch], levels: Sequence[int]) -> str:
    schools = len(branches) - 1
    if schools == 0:
        return _("No school has taken it up yet.")
    reached = ngettext(
        "From %(source)s it reached %(n)s school",
        "From %(source)s it reached %(n)s schools",
        schools,
    ) % {"source": branches[0].label, "n": schools}
    deep = ngettext(
        "over %(n)s generation.", "over %(n)s generations.", max(levels)
    ) % {"n": max(levels)}  # fmt: skip
    return f"{reached} {deep}"
