"""A run chart: values in the order of their days, their median, and what the rules say of them.

The rules and their sources are in `run_rules.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import svg
from django.utils import formats
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    ACCENT,
    INK,
    LINE,
    SOFT,
    STEPS,
    Chart,
    LegendItem,
    dot,
    drawing,
    line,
    nothing_to_draw,
    number,
    pct,
    swatch,
    text,
)
from brightspots_web.shared.charts.run_rules import Reading, read
from brightspots_web.shared.charts.run_words import reading
from brightspots_web.shared.charts.scale import Scale, digits_for, fit

TOP, BOTTOM = 44, 264
LEFT, RIGHT = 13.0, 95.0
BETTER, OTHER = "#e9eefb", "#f1f1ef"
"""The ground behind a shift on the better side, and on the other."""
OVER = 14
"""Labels of marked days stand so far above the drawing."""
MOST_DIGITS = 6


@dataclass(frozen=True)
class RunPoint:
    """One value: its day, how many pupils or lessons stand behind it, and a note."""

    on: date
    value: float
    n: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Mark:
    """A day that matters: the start of the test, a change."""

    on: date
    label: str


def run_chart(
    *,
    key: str,
    title: str,
    points: Sequence[RunPoint],
    marks: Sequence[Mark] = (),
    unit: str = "",
    up_is_better: bool = True,
) -> Chart:
    """Draw values true to time with their median, and read them by the rules of run charts.

    What the rules found stands out in grey print too: a shift has a ground of its own, a trend a
    thicker line; points on the median, which the rules pass over, are open. Below ten points off
    the median the rules are silent.
    """
    columns = (_("Day"), _with_unit(_("Value"), unit), _("Out of"), _("Note"))
    ordered = sorted(points, key=lambda point: point.on)
    if not ordered:
        return nothing_to_draw(key, title, columns)
    values = [point.value for point in ordered]
    found = read(values)
    assert found.median is not None
    scale = fit([*values, found.median], BOTTOM, TOP + 8, zero=False)
    shown = _marks_shown(marks, ordered)
    across = _across([*(point.on for point in ordered), *(mark.on for mark in shown)])
    digits = _digits(values)
    drawn = [
        *_bands(found, ordered, across, up_is_better),
        *_grid(scale),
        *_marked(shown, across),
        *_line(found, ordered, scale, across),
        *_median(found.median, scale, digits),
        *_dots(found, ordered, scale, across),
        *_ends(ordered, across),
        _better(up_is_better),
    ]
    rows = tuple(
        (
            _day(point.on),
            number(point.value, digits),
            number(point.n, 0) if point.n is not None else "",
            point.note,
        )
        for point in reversed(ordered)
    )
    description = " ".join([_describe(found, ordered, digits, unit), *reading(found, up_is_better)])
    picture = drawing(key, title, description, BOTTOM + 34, drawn)
    legend = _legend(found, up_is_better)
    return Chart(key, picture, title, description, columns, rows, legend)


def run_reading(points: Sequence[RunPoint], *, up_is_better: bool = True) -> list[str]:
    """What the rules say of values, a sentence each, for the list beside the chart."""
    ordered = sorted(points, key=lambda point: point.on)
    return reading(read([point.value for point in ordered]), up_is_better) if ordered else []


def _describe(found: Reading, points: Sequence[RunPoint], digits: int, unit: str) -> str:
    names = {
        "median": _with_unit(_exact(found.median, digits), unit),
        "first": _day(points[0].on),
        "last": _day(points[-1].on),
        "n": number(found.n, 0),
    }
    if found.n == 1:
        return _("One value, of {first}: {median}.").format(**names)
    return _("{n} values from {first} to {last}; the median is {median}.").format(**names)


def _with_unit(words: str, unit: str) -> str:
    return f"{words} ({unit})" if unit else words


# Drawing


def _digits(values: Sequence[float]) -> int:
    """As many decimals as people wrote, as far as they can be told."""
    for digits in range(MOST_DIGITS):
        if all(abs(round(value, digits) - value) < 1e-9 for value in values):
            return digits
    return min(MOST_DIGITS, digits_for(max(max(values) - min(values), 1e-6) / 10))


def _marks_shown(marks: Sequence[Mark], points: Sequence[RunPoint]) -> list[Mark]:
    """Marks within the time of the values, or at most a third of it before or after."""
    first, last = points[0].on, points[-1].on
    room = max((last - first).days // 3, 7)
    return [
        mark
        for mark in sorted(marks, key=lambda mark: mark.on)
        if (first - mark.on).days <= room and (mark.on - last).days <= room
    ]


def _across(days: Sequence[date]) -> dict[date, float]:
    first, last = min(days), max(days)
    span = (last - first).days
    if not span:
        return dict.fromkeys(days, (LEFT + RIGHT) / 2)
    return {day: LEFT + (RIGHT - LEFT) * (day - first).days / span for day in days}


def _day(day: date) -> str:
    return str(formats.date_format(day, "DATE_FORMAT"))


def _short_day(day: date) -> str:
    return str(formats.date_format(day, "MONTH_DAY_FORMAT"))


def _bands(
    found: Reading, points: Sequence[RunPoint], across: dict[date, float], up_is_better: bool
) -> list[svg.Element]:
    """A light ground behind each shift."""
    return [
        svg.Rect(
            x=pct((start := across[points[each.first].on]) - 1.6),
            y=TOP,
            width=pct(across[points[each.last].on] - start + 3.2),
            height=BOTTOM - TOP + 6,
            rx=4,
            fill=BETTER if each.up is up_is_better else OTHER,
        )
        for each in found.shifts
    ]


def _grid(scale: Scale) -> list[svg.Element]:
    """A value above each line, where it leaves the points their room."""
    drawn: list[svg.Element] = []
    for tick in scale.ticks():
        y = scale.place(tick)
        drawn.append(line(0, y, 100, y, stroke="#e3e6ec"))
        drawn.append(text(0, y - 4, scale.label(tick), fill=SOFT, size=13))
    return drawn


def _marked(marks: Sequence[Mark], across: dict[date, float]) -> list[svg.Element]:
    """An upright line for each marked day, its label above it and never over another's."""
    drawn: list[svg.Element] = []
    row, before = 0, -100.0
    for mark in marks:
        x = across[mark.on]
        row = (row + 1) % 2 if x - before < 45 else 0
        before = x
        y = 13 + OVER * row
        upright = line(x, y + 6, x, BOTTOM + 6, stroke=SOFT, width=1.25)
        upright.extra = {"stroke-dasharray": "2 3"}
        drawn.append(upright)
        end = x > 60
        drawn.append(text(x, y, mark.label, anchor="end" if end else "start", fill=SOFT, size=13))
    return drawn


def _median(value: float, scale: Scale, digits: int) -> list[svg.Element]:
    y = scale.place(value)
    words = _("median {value}").format(value=_exact(value, digits))
    return [
        line(0, y, 100, y, stroke=INK, width=1.5),
        _haloed(text(100, y - 6, words, anchor="end", size=13)),
    ]


def _exact(value: float | None, digits: int) -> str:
    """The median lies between two values where their number is even."""
    between = value is not None and abs(round(value, digits) - value) > 1e-9
    return number(value, digits + 1 if between else digits)


def _haloed(words: svg.Text) -> svg.Text:
    """Text that stays readable where a line runs behind it."""
    words.extra = {
        "paint-order": "stroke", "stroke": "#fff", "stroke-width": "4", "stroke-linejoin": "round",
    }  # fmt: skip
    return words


def _line(
    found: Reading, points: Sequence[RunPoint], scale: Scale, across: dict[date, float]
) -> list[svg.Element]:
    """From each point to the next; thicker along a trend."""
    in_trend = {place for each in found.trends for place in range(each.first, each.last)}
    return [
        line(
            across[a.on],
            scale.place(a.value),
            across[b.on],
            scale.place(b.value),
            stroke=ACCENT if place in in_trend else STEPS[2],
            width=3 if place in in_trend else 1.75,
        )
        for place, (a, b) in enumerate(pairwise(points))
    ]


def _dots(
    found: Reading, points: Sequence[RunPoint], scale: Scale, across: dict[date, float]
) -> list[svg.Element]:
    """Open where a point lies on the median."""
    size = 5.5 if len(points) <= 40 else 3.5
    return [
        _open(across[point.on], scale.place(point.value), size)
        if point.value == found.median
        else dot(across[point.on], scale.place(point.value), size)
        for point in points
    ]


def _open(x: float, y: float, size: float) -> svg.Circle:
    return svg.Circle(
        cx=pct(x), cy=round(y, 1), r=size - 0.5, fill="#fff", stroke=ACCENT, stroke_width=2
    )


def _ends(points: Sequence[RunPoint], across: dict[date, float]) -> list[svg.Element]:
    """The first and the last day below the drawing."""
    drawn: list[svg.Element] = [line(0, BOTTOM + 6, 100, BOTTOM + 6, stroke=LINE)]
    first, last = points[0], points[-1]
    if first.on == last.on:
        at = across[first.on]
        return [*drawn, text(at, BOTTOM + 25, _day(first.on), anchor="middle", fill=SOFT, size=13)]
    whole = first.on.year != last.on.year
    words = _day if whole else _short_day
    return [
        *drawn,
        text(0, BOTTOM + 25, words(first.on), fill=SOFT, size=13),
        text(100, BOTTOM + 25, words(last.on), anchor="end", fill=SOFT, size=13),
    ]


def _better(up: bool) -> svg.Element:
    """Which way is better, at the foot where nothing else stands."""
    words = _("↑ better") if up else _("↓ better")
    return text(50, BOTTOM + 25, words, anchor="middle", fill=SOFT, size=13)


def _legend(found: Reading, up_is_better: bool) -> tuple[LegendItem, ...]:
    """Only what is drawn."""
    items = []
    for up, words, fill in (
        (up_is_better, _("a shift on the better side"), BETTER),
        (not up_is_better, _("a shift on the other side"), OTHER),
    ):
        if any(each.up is up for each in found.shifts):
            ground = svg.Rect(x=0, y=2, width=18, height=14, rx=3, fill=fill, stroke=LINE)
            items.append(LegendItem(swatch(ground), words))
    if found.trends:
        thick = svg.Line(x1=0, y1=9, x2=18, y2=9, stroke=ACCENT, stroke_width=3)
        items.append(LegendItem(swatch(thick), _("a trend")))
    return tuple(items)
