"""Parts of a whole week by week: a bar each, on one scale, the parts in the same order."""

from collections.abc import Sequence
from dataclasses import dataclass

import svg
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    LINE,
    SOFT,
    STEPS,
    Chart,
    LegendItem,
    drawing,
    known,
    line,
    nothing_to_draw,
    number,
    pct,
    swatch,
    text,
)

ROW, BAR = 34, 18
LEFT, RIGHT = 20.0, 88.0
COLOURS = (STEPS[4], STEPS[2], STEPS[1], STEPS[3])


@dataclass(frozen=True)
class Stack:
    """One bar: its label, and as many values as there are parts. All None: nothing on record."""

    label: str
    values: tuple[float | None, ...]

    @property
    def total(self) -> float:
        return sum(max(known(value) or 0.0, 0.0) for value in self.values)


def stacks(
    *, key: str, title: str, parts: Sequence[str], rows: Sequence[Stack], digits: int = 1
) -> Chart:
    """Draw up to four parts of each row, side by side, the longest bar as wide as there is room."""
    if len(parts) > len(COLOURS):
        raise ValueError("at most four parts stay readable")
    columns = (_("When"), *parts, _("All together"))
    most = max((row.total for row in rows), default=0.0)
    if most <= 0:
        return nothing_to_draw(key, title, columns)
    marks: list[svg.Element] = []
    for index, row in enumerate(rows):
        y = ROW * index
        marks.append(text(0, y + 19, row.label, fill=SOFT, size=13))
        marks.extend(_bar(row, y + 5, most))
        shown = number(row.total, digits) if row.total else "–"
        marks.append(text(100, y + 19, shown, anchor="end", size=13))
        if index:
            marks.append(line(0, y, 100, y, stroke=LINE))
    table = tuple(
        (
            row.label,
            *(number(known(value) or 0.0, digits) for value in row.values),
            number(row.total, digits),
        )
        for row in rows
    )
    description = " ".join(_describe(row, parts, digits) for row in rows if row.total)
    legend = tuple(
        LegendItem(swatch(svg.Rect(x=1, y=1, width=16, height=16, fill=colour)), part)
        for colour, part in zip(COLOURS, parts, strict=False)
    )
    drawn = drawing(key, title, description, ROW * len(rows), marks)
    return Chart(key, drawn, title, description, columns, table, legend)


def _bar(row: Stack, y: float, most: float) -> list[svg.Element]:
    marks: list[svg.Element] = []
    at = LEFT
    for value, colour in zip(row.values, COLOURS, strict=False):
        width = (RIGHT - LEFT) * max(known(value) or 0.0, 0.0) / most
        if width > 0:
            # A hairline of paper between parts, never over a small one.
            seen = width - 0.3 if width > 1 else width
            marks.append(svg.Rect(x=pct(at), y=y, width=pct(seen), height=BAR, fill=colour))
        at += width
    return marks


def _describe(row: Stack, parts: Sequence[str], digits: int) -> str:
    said = ", ".join(
        f"{part} {number(known(value) or 0.0, digits)}"
        for part, value in zip(parts, row.values, strict=True)
    )
    return _("%(label)s: %(said)s.") % {"label": row.label, "said": said}
