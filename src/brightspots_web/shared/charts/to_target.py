"""Counts of days on their way to a target: true to time, the target a line of its own."""

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
    SOFT,
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
from brightspots_web.shared.charts.scale import Scale, fit

TOP, BOTTOM = 18, 190
LEFT, RIGHT = 12.0, 86.0
APART = 16
"""Labels at the end of two lines stand at least so many pixels apart."""
MOST_POINTS = 110
STYLES = ((ACCENT, ""), (SOFT, "4 3"))
"""Told apart by lightness and by dashes."""


@dataclass(frozen=True)
class Count:
    """How many there were on a day, out of how many."""

    on: date
    value: int
    n: int


@dataclass(frozen=True)
class Counted:
    """One line: its label and its counts, the oldest first."""

    label: str
    counts: tuple[Count, ...]


def to_target(
    *, key: str, title: str, lines: Sequence[Counted], target: int = 0, target_label: str = ""
) -> Chart:
    """Draw one or two lines of counts over time towards a target.

    Days stand where they are in time, so a gap in counting shows as one. Above about a hundred
    days only the last of each week or so is drawn; the table keeps to what is drawn.
    """
    if len(lines) > len(STYLES):
        raise ValueError("at most two lines stay readable")
    columns = (_("Day"), *(one.label for one in lines), _("Out of"))
    days = _thinned(sorted({count.on for one in lines for count in one.counts}))
    if not days:
        return nothing_to_draw(key, title, columns)
    found = [{count.on: count for count in one.counts} for one in lines]
    values = [each[day].value for each in found for day in days if day in each]
    scale = fit([*values, target, 1], BOTTOM, TOP)
    across = _across(days)
    marks = [*_grid(scale), *_target(scale, target, target_label), *_days(days, across)]
    for each, style in zip(found, STYLES, strict=False):
        marks.extend(_line([each[day] for day in days if day in each], scale, across, *style))
    marks.extend(_ends(found, days, scale, across))
    rows = tuple(
        (
            _day(day),
            *(number(each[day].value, 0) if day in each else _("not counted") for each in found),
            number(next(each[day].n for each in found if day in each), 0),
        )
        for day in reversed(days)
    )
    description = " ".join(_describe(one, days, target) for one in lines)
    legend = tuple(
        LegendItem(swatch(_stroke(0, 9, 18, 9, *style, plain=True)), one.label)
        for one, style in zip(lines, STYLES, strict=False)
        if len(lines) > 1
    )
    shape = drawing(key, title, description, BOTTOM + 52, marks)
    return Chart(key, shape, title, description, columns, rows, legend)


def _thinned(days: list[date]) -> list[date]:
    """At most about a hundred days, evenly apart in time, the first and the last among them."""
    if len(days) <= MOST_POINTS:
        return days
    gap = (days[-1] - days[0]).days / (MOST_POINTS - 10)
    last = {int((day - days[0]).days // gap): day for day in days}
    return sorted({days[0], *last.values(), days[-1]})


def _across(days: Sequence[date]) -> dict[date, float]:
    span = (days[-1] - days[0]).days
    if not span:
        return dict.fromkeys(days, (LEFT + RIGHT) / 2)
    return {day: LEFT + (RIGHT - LEFT) * (day - days[0]).days / span for day in days}


def _day(day: date) -> str:
    return str(formats.date_format(day, "DATE_FORMAT"))


def _grid(scale: Scale) -> list[svg.Element]:
    marks: list[svg.Element] = []
    for tick in scale.ticks():
        if abs(tick - round(tick)) > 1e-9:
            continue  # half a school
        y = scale.place(tick)
        marks.append(line(0, y, 100, y, stroke="#e3e6ec"))
        marks.append(text(0, y - 4, scale.label(round(tick)), fill=SOFT, size=13))
    return marks


def _target(scale: Scale, target: int, label: str) -> list[svg.Element]:
    y = scale.place(target)
    words = label or _("target: %(n)s") % {"n": number(target, 0)}
    return [
        line(0, y, 100, y, stroke=INK, width=2),
        # Below the line: the lines of counts end just above it.
        text(0, BOTTOM + 18, words, size=13),
    ]


def _days(days: Sequence[date], across: dict[date, float]) -> list[svg.Element]:
    """The first and the last day below the drawing."""
    if len(days) == 1:
        return [text(across[days[0]], BOTTOM + 42, _day(days[0]), anchor="middle", fill=SOFT,
                     size=13)]  # fmt: skip
    return [
        text(0, BOTTOM + 42, _day(days[0]), fill=SOFT, size=13),
        text(100, BOTTOM + 42, _day(days[-1]), anchor="end", fill=SOFT, size=13),
    ]


def _line(
    counts: Sequence[Count], scale: Scale, across: dict[date, float], colour: str, dashes: str
) -> list[svg.Element]:
    marks: list[svg.Element] = [
        _stroke(across[a.on], scale.place(a.value), across[b.on], scale.place(b.value), colour,
                dashes)
        for a, b in pairwise(counts)
    ]  # fmt: skip
    if counts:
        last = counts[-1]
        marks.append(dot(across[last.on], scale.place(last.value), 5, fill=colour))
    return marks


def _ends(
    found: Sequence[dict[date, Count]],
    days: Sequence[date],
    scale: Scale,
    across: dict[date, float],
) -> list[svg.Element]:
    """The last count of each line, beside its dot; moved apart where they would overlap."""
    lasts = [max((day for day in days if day in each), default=None) for each in found]
    ends = sorted(
        (scale.place(each[day].value) + 5, across[day], each[day].value)
        for each, day in zip(found, lasts, strict=True)
        if day is not None
    )
    if len(ends) == 2 and ends[1][0] - ends[0][0] < APART:
        middle = (ends[0][0] + ends[1][0]) / 2
        places = [middle - APART / 2, middle + APART / 2]
    else:
        places = [y for y, _x, _value in ends]
    return [
        text(x + 2.5, y, number(value, 0), bold=True)
        for (_y, x, value), y in zip(ends, places, strict=True)
    ]


def _stroke(
    x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str, *, plain: bool = False
) -> svg.Line:
    return svg.Line(
        x1=x1 if plain else pct(x1),
        y1=round(y1, 1),
        x2=x2 if plain else pct(x2),
        y2=round(y2, 1),
        stroke=colour,
        stroke_width=2,
        extra={"stroke-dasharray": dashes} if dashes else {},
    )


def _describe(one: Counted, days: Sequence[date], target: int) -> str:
    counts = [count for count in one.counts if count.on in set(days)]
    if not counts:
        return _("%(label)s: not counted yet.") % {"label": one.label}
    first, last = counts[0], counts[-1]
    names = {
        "label": one.label,
        "first": number(first.value, 0),
        "first_day": _day(first.on),
        "last": number(last.value, 0),
        "last_day": _day(last.on),
        "target": number(target, 0),
    }
    if first.on == last.on:
        return _("%(label)s: %(last)s on %(last_day)s; the target is %(target)s.") % names
    return (
        _(
            "%(label)s: %(first)s on %(first_day)s, %(last)s on %(last_day)s; the target is "
            "%(target)s."
        )
        % names
    )
