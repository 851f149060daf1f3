"""Two numbers of many things against each other, with the line on which both would be equal."""

from collections.abc import Sequence
from dataclasses import dataclass

import svg
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    ACCENT,
    DOT,
    LINE,
    SOFT,
    Chart,
    LegendItem,
    dot,
    drawing,
    known,
    line,
    nothing_to_draw,
    number,
    swatch,
    text,
)
from brightspots_web.shared.charts.scale import Scale, fit

TOP, BOTTOM = 30, 330
START, END = 9, 98
MOST = 600
"""Dots drawn; of more, a grid is drawn with one dot a cell, sized by how many stand there."""
RINGED = 60
"""Dots with a white ring; more would wipe each other out."""
CELLS = 24
NAMED = 200
"""Points listed under the chart; of more, only the marked ones are."""


@dataclass(frozen=True)
class Pair:
    """One thing and its two numbers."""

    label: str
    x: float
    y: float
    marked: bool = False
    """Drawn in the accent and always by itself."""


def scatter(
    *,
    key: str,
    title: str,
    pairs: Sequence[Pair],
    x_label: str,
    y_label: str,
    description: str,
    digits: int = 2,
    equal: bool = True,
    marked_label: str = "",
) -> Chart:
    """Draw each pair as a dot; with `equal` both axes have one scale and the diagonal is drawn."""
    columns = (_("What"), x_label, y_label)
    seen = [p for p in pairs if known(p.x) is not None and known(p.y) is not None]
    if not seen:
        return nothing_to_draw(key, title, columns)
    both = [*(p.x for p in seen), *(p.y for p in seen)]
    across = fit(both if equal else [p.x for p in seen], START, END, zero=False)
    down = fit(both if equal else [p.y for p in seen], BOTTOM, TOP, zero=False)
    marks = _axes(across, down, x_label, y_label)
    if equal:
        (x1, y1), (x2, y2) = (
            (across.place(end), down.place(end)) for end in (across.low, across.high)
        )
        marks.append(line(x1, y1, x2, y2, stroke=SOFT))
    plain = [p for p in seen if not p.marked]
    marked = [p for p in seen if p.marked]
    marks.extend(_dots(plain, across, down))
    marks.extend(dot(across.place(p.x), down.place(p.y), 5, fill=ACCENT) for p in marked)
    listed = seen if len(seen) <= NAMED else marked
    rows = tuple(
        (p.label, *(number(value, digits, signed=True) for value in (p.x, p.y))) for p in listed
    )
    legend: tuple[LegendItem, ...] = ()
    if marked and marked_label:
        legend = (LegendItem(swatch(svg.Circle(cx=9, cy=9, r=5, fill=ACCENT)), marked_label),)
    svg_text = drawing(key, title, description, BOTTOM + 44, marks)
    return Chart(key, svg_text, title, description, columns, rows, legend)


def _axes(across: Scale, down: Scale, x_label: str, y_label: str) -> list[svg.Element]:
    marks: list[svg.Element] = []
    for tick in across.ticks():
        x = across.place(tick)
        marks.append(line(x, TOP, x, BOTTOM, stroke=LINE))
        marks.append(text(x, BOTTOM + 18, across.label(tick), anchor="middle", fill=SOFT, size=12))
    for tick in down.ticks():
        y = down.place(tick)
        marks.append(line(START, y, END, y, stroke=LINE))
        marks.append(text(START - 1, y + 4, down.label(tick), anchor="end", fill=SOFT, size=12))
    marks.append(text(0, 14, y_label, fill=SOFT, size=12))
    marks.append(text(END, BOTTOM + 38, x_label, anchor="end", fill=SOFT, size=12))
    return marks


def _dots(plain: Sequence[Pair], across: Scale, down: Scale) -> list[svg.Element]:
    if len(plain) <= MOST:
        ring = len(plain) <= RINGED
        return [dot(across.place(p.x), down.place(p.y), 3.5, fill=DOT, ring=ring) for p in plain]
    cells: dict[tuple[int, int], int] = {}
    for pair in plain:
        place = (_cell(pair.x, across), _cell(pair.y, down))
        cells[place] = cells.get(place, 0) + 1
    most = max(cells.values())
    marks: list[svg.Element] = []
    for (i, j), count in sorted(cells.items()):
        x = across.low + (i + 0.5) / CELLS * (across.high - across.low)
        y = down.low + (j + 0.5) / CELLS * (down.high - down.low)
        radius = round(1.5 + 5 * (count / most) ** 0.5, 1)
        marks.append(dot(across.place(x), down.place(y), radius, fill=DOT, ring=False))
    return marks


def _cell(value: float, scale: Scale) -> int:
    share = (value - scale.low) / (scale.high - scale.low)
    return min(int(share * CELLS), CELLS - 1)
