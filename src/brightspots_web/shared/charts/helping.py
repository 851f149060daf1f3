"""Who helps whom, by name: those who give at the left, those who receive at the right.

A school that does both stands on both sides: giving and asking are equally visible. The order is
worked out from the arrows alone, so that few of them cross; it says nothing about the schools.
"""

from collections.abc import Mapping, Sequence
from html import escape

import svg
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    ACCENT,
    INK,
    SOFT,
    Chart,
    drawing,
    nothing_to_draw,
    pct,
    text,
)
from brightspots_web.shared.charts.help_map import (
    DASHES,
    Arrow,
    Helper,
    arrow_legend,
    arrow_rows,
    describe,
    tip,
)

MOST_NAMES = 60
"""Above so many names on a side the drawing is left out: the list is easier to read."""
STEP, TOP = 30, 44
LEFT, RIGHT = 37.0, 63.0
LONGEST = 38


def fits(arrows: Sequence[Arrow]) -> bool:
    """Whether so much help can be drawn by name."""
    sides = {a.giving for a in arrows}, {a.receiving for a in arrows}
    return all(len(side) <= MOST_NAMES for side in sides)


def helping(*, key: str, title: str, schools: Sequence[Helper], arrows: Sequence[Arrow]) -> Chart:
    """Draw each school that gives and each that receives by name, with an arrow for each help.

    The same schools and arrows give the same drawing, in whatever order they come.

    Raises
    ------
    ValueError
        More names on a side than :data:`MOST_NAMES`; ask :func:`fits` first.
    """
    columns = (_("Gives"), _("Receives"), _("What"))
    if not arrows:
        return nothing_to_draw(key, title, columns)
    if not fits(arrows):
        raise ValueError(f"more than {MOST_NAMES} names on a side cannot be read")
    named = {school.key: school for school in schools}
    pairs = sorted({(a.giving, a.receiving, a.kind) for a in arrows})
    giving, receiving = _order(pairs, named)
    tall = max(len(giving), len(receiving))
    left = {name: TOP + STEP * (i + (tall - len(giving)) / 2) for i, name in enumerate(giving)}
    right = {
        name: TOP + STEP * (i + (tall - len(receiving)) / 2) for i, name in enumerate(receiving)
    }
    marks: list[svg.Element] = [
        svg.Defs(elements=[tip(key)]),
        text(LEFT - 1, 16, _("gives"), anchor="end", fill=SOFT, size=13),
        text(RIGHT + 1, 16, _("receives"), fill=SOFT, size=13),
        *(_arrow(key, left[a], right[b], kind) for a, b, kind in pairs),
        *(_name(named[name], LEFT, y, "end") for name, y in left.items()),
        *(_name(named[name], RIGHT, y, "start") for name, y in right.items()),
    ]
    description = describe(len(arrows), len(giving), len(receiving))
    found = drawing(key, title, description, TOP + STEP * tall, marks, role="group")
    return Chart(
        key, found, title, description, columns, arrow_rows(named, arrows),
        arrow_legend([a.kind for a in arrows]),
    )  # fmt: skip


def _order(
    pairs: Sequence[tuple[str, str, str]], named: Mapping[str, Helper]
) -> tuple[list[str], list[str]]:
    """Both sides in an order with few crossings: by the mean place of those across, in turns.

    Sugiyama, Tagawa and Toda (1981), the barycentre method; ties by name and key.
    """

    def by_name(name: str) -> tuple[str, str]:
        return named[name].label, name

    giving = sorted({a for a, _b, _kind in pairs}, key=by_name)
    receiving = sorted({b for _a, b, _kind in pairs}, key=by_name)
    for _round in range(12):
        receiving = _by_mean(receiving, [(b, a) for a, b, _kind in pairs], giving, named)
        giving = _by_mean(giving, [(a, b) for a, b, _kind in pairs], receiving, named)
    return giving, receiving


def _by_mean(
    side: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    across: Sequence[str],
    named: Mapping[str, Helper],
) -> list[str]:
    place = {name: index for index, name in enumerate(across)}
    facing: dict[str, list[int]] = {name: [] for name in side}
    for name, other in pairs:
        facing[name].append(place[other])
    return sorted(
        side,
        key=lambda name: (sum(facing[name]) / len(facing[name]), named[name].label, name),
    )


def _name(school: Helper, x: float, y: float, anchor: str) -> svg.Element:
    end = anchor == "end"
    words = school.label
    if len(words) > LONGEST:
        words = words[: LONGEST - 1].rstrip() + "…"
    mark = text(x - 1.2 if end else x + 1.2, y + 5, words, anchor="end" if end else "start")
    if words != school.label:
        mark = svg.Text(
            x=mark.x, y=mark.y, text=escape(words), text_anchor=mark.text_anchor,
            elements=[svg.Title(text=escape(school.label))],
        )  # fmt: skip
    spot = svg.Circle(cx=pct(x), cy=y, r=4, fill="#fff", stroke=INK, stroke_width=1.4)
    if not school.href:
        return svg.G(elements=[spot, mark])
    return svg.A(href=escape(school.href), elements=[spot, mark])


def _arrow(key: str, y1: float, y2: float, kind: str) -> svg.Element:
    return svg.Line(
        x1=pct(LEFT + 0.8),
        y1=round(y1, 1),
        x2=pct(RIGHT - 0.8),
        y2=round(y2, 1),
        stroke=ACCENT,
        stroke_width=1.6,
        stroke_opacity=0.8,
        extra={"marker-end": f"url(#{escape(key)}-tip)"}
        | ({"stroke-dasharray": DASHES[kind]} if DASHES[kind] else {}),
    )
