"""Counts of months or weeks as bars: how much there was, small beside what it was."""

from collections.abc import Sequence
from dataclasses import dataclass

import svg
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    ACCENT,
    SOFT,
    Chart,
    drawing,
    line,
    nothing_to_draw,
    number,
    pct,
    text,
)
from brightspots_web.shared.charts.scale import Scale, fit

TOP, BOTTOM = 14, 96
LEFT, RIGHT = 9.0, 100.0
WIDEST = 9.0
WITHHELD = 10
"""So high is the open bar of a count that is not shown, whatever it is."""


@dataclass(frozen=True)
class Period:
    """A month or week and its count; None where it is withheld."""

    label: str
    value: int | None


def counts(*, key: str, title: str, periods: Sequence[Period], column: str, of: str) -> Chart:
    """Draw the counts of periods that follow each other, the oldest first.

    Parameters
    ----------
    column
        What a period is called over its column: "Month".
    of
        What is counted, over the other: "Notes".
    """
    columns = (column, of)
    if not any(each.value for each in periods) and all(each.value == 0 for each in periods):
        return nothing_to_draw(key, title, columns)
    scale = fit([*(each.value or 0 for each in periods), 1], BOTTOM, TOP, about=2)
    gap = (RIGHT - LEFT) / len(periods)
    marks = _grid(scale)
    for at, each in enumerate(periods):
        marks += _bar(LEFT + gap * at, gap, each, scale)
    marks += _ends(periods)
    rows = tuple((each.label, _shown(each)) for each in reversed(periods))
    description = _describe(periods)
    shape = drawing(key, title, description, BOTTOM + 26, marks)
    return Chart(key, shape, title, description, columns, rows)


def _grid(scale: Scale) -> list[svg.Element]:
    marks: list[svg.Element] = []
    for tick in scale.ticks():
        if abs(tick - round(tick)) > 1e-9:
            continue  # half a note
        y = scale.place(tick)
        marks.append(line(0, y, 100, y, stroke="#e3e6ec"))
        if tick:
            marks.append(text(0, y - 3, number(tick, 0), fill=SOFT, size=12))
    return marks


def _bar(left: float, gap: float, each: Period, scale: Scale) -> list[svg.Element]:
    start, end = _sides(left, gap)
    x, width = pct(start), pct(end - start)
    if each.value is None:
        return [
            svg.Rect(
                x=x, y=BOTTOM - WITHHELD, width=width, height=WITHHELD, fill="none", stroke=SOFT,
                stroke_dasharray=[3, 2],
            )
        ]  # fmt: skip
    if not each.value:
        return []
    top = scale.place(each.value)
    return [svg.Rect(x=x, y=round(top, 1), width=width, height=round(BOTTOM - top, 1), fill=ACCENT)]


def _sides(left: float, gap: float) -> tuple[float, float]:
    """Where a bar begins and ends across: in the middle of its period, never very wide."""
    width = min(gap * 0.7, WIDEST)
    return left + (gap - width) / 2, left + (gap + width) / 2


def _ends(periods: Sequence[Period]) -> list[svg.Element]:
    """The first and the last period below their bars."""
    gap = (RIGHT - LEFT) / len(periods)
    first = text(_sides(LEFT, gap)[0], BOTTOM + 18, periods[0].label, fill=SOFT, size=12)
    if len(periods) == 1:
        return [first]
    end = _sides(RIGHT - gap, gap)[1]
    return [first, text(end, BOTTOM + 18, periods[-1].label, anchor="end", fill=SOFT, size=12)]


def _shown(each: Period) -> str:
    return _("too few to show") if each.value is None else number(each.value, 0)


def _describe(periods: Sequence[Period]) -> str:
    most = max((each for each in periods if each.value is not None), default=None,
               key=lambda each: each.value or 0)  # fmt: skip
    last = periods[-1]
    words = {"last": _shown(last), "when": last.label}
    if most is None:
        return _("Too few in each to show.")
    words |= {"most": number(most.value, 0), "most_when": most.label}
    return _("%(last)s in the last, %(when)s; at most %(most)s, in %(most_when)s.") % words
