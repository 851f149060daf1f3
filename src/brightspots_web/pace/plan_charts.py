"""Charts of rollout plans: the trade-off curve, the tornado, the timetable."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import svg
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
from brightspots_web.shared.charts.scale import Scale, fit

TOP, BOTTOM = 36, 336
START, END = 12, 96
ROW = 46
"""Pixels that a row of the tornado or the timetable takes."""
MOST_BARS = 8
ROOM_ACROSS, ROOM_DOWN = 4.0, 12.0
"""Per cent and pixels that a number on the curve needs for itself."""


@dataclass(frozen=True)
class Point:
    """A plan: the middle and the ends of 8 in 10 futures for both measures."""

    label: str
    short: str
    """Its number on the curve, its letter beside it."""
    held_back: tuple[float, float, float]
    """Low, middle, high."""
    abandoned: tuple[float, float, float]
    on_curve: bool
    chosen: bool = False


def curve(*, key: str, title: str, points: Sequence[Point]) -> Chart:
    """Held back across, left alone upwards; nearer to the lower left is better."""
    columns = (_("Plan"), _("Held back, school-terms"), _("Left alone, school-terms"))
    if not points:
        return nothing_to_draw(key, title, columns)
    line_of = sorted((p for p in points if p.on_curve), key=lambda p: p.held_back[1])
    across = fit([v for p in points for v in _reach(p, p.held_back)], START, END, about=3)
    down = fit([v for p in points for v in _reach(p, p.abandoned)], BOTTOM, TOP)
    marks: list[svg.Element] = _axes(across, down)
    for one, other in pairwise(line_of):
        marks.append(line(
            across.place(one.held_back[1]), down.place(one.abandoned[1]),
            across.place(other.held_back[1]), down.place(other.abandoned[1]),
            stroke=ACCENT, width=1.5,
        ))  # fmt: skip
    for point in sorted(points, key=lambda p: (p.chosen, p.on_curve)):
        marks.extend(_point(point, across, down))
    marks.extend(_labels([*line_of, *(p for p in points if not p.on_curve)], across, down))
    told = "; ".join(
        _("{plan}: {held} held back, {alone} left alone").format(
            plan=p.label, held=_with_ends(p.held_back), alone=_with_ends(p.abandoned)
        )
        for p in line_of
    )
    chosen = next((p.label for p in points if p.chosen), "")
    description = _("School-terms of the plans on the curve, the middle of all futures. {plans}.")
    words = description.format(plans=told)
    if chosen:
        words += " " + _("Looked at: {plan}.").format(plan=chosen)
    rows = tuple(
        (p.label, _with_ends(p.held_back), _with_ends(p.abandoned)) for p in [
            *line_of, *(p for p in points if not p.on_curve)
        ]
    )  # fmt: skip
    legend = (
        LegendItem(swatch(svg.Circle(cx=9, cy=9, r=5, fill=ACCENT)), _("plans on the curve")),
        LegendItem(
            swatch(svg.Circle(cx=9, cy=9, r=4, fill="#fff", stroke=SOFT, stroke_width=1.5)),
            _("usual plans, by their letters"),
        ),
        LegendItem(
            swatch(svg.Rect(x=1, y=6, width=16, height=6, rx=3, fill=ACCENT, fill_opacity=0.3)),
            _("8 in 10 futures of the plan looked at"),
        ),
    )
    return Chart(
        key, drawing(key, title, words, BOTTOM + 48, marks), title, words, columns, rows, legend
    )


def _reach(point: Point, ends: tuple[float, float, float]) -> tuple[float, ...]:
    return ends if point.chosen else (ends[1],)


def _with_ends(ends: tuple[float, float, float]) -> str:
    low, middle, high = (number(each, 0) for each in ends)
    return _("{middle} ({low} to {high})").format(middle=middle, low=low, high=high)


def _axes(across: Scale, down: Scale) -> list[svg.Element]:
    marks: list[svg.Element] = []
    for tick in across.ticks():
        x = across.place(tick)
        marks.append(line(x, TOP, x, BOTTOM, stroke="#e3e6ec"))
        marks.append(text(x, BOTTOM + 18, across.label(tick), anchor="middle", fill=SOFT, size=12))
    for tick in down.ticks():
        y = down.place(tick)
        marks.append(line(START, y, END, y, stroke="#e3e6ec"))
        marks.append(text(START - 1, y + 4, down.label(tick), anchor="end", fill=SOFT, size=12))
    marks.append(text(0, 14, "↑ " + _("left alone: too fast"), fill=SOFT, size=13))
    marks.append(
        text(100, BOTTOM + 42, _("held back: too slow") + " →", anchor="end", fill=SOFT, size=13)
    )
    marks.append(text(START + 2, BOTTOM - 12, "↙ " + _("better: less of both"), fill=SOFT, size=13))
    return marks


def _point(point: Point, across: Scale, down: Scale) -> list[svg.Element]:
    x, y = across.place(point.held_back[1]), down.place(point.abandoned[1])
    marks: list[svg.Element] = []
    if point.chosen:
        for bar in (
            line(across.place(point.held_back[0]), y, across.place(point.held_back[2]), y,
                 stroke=ACCENT, width=6),
            line(x, down.place(point.abandoned[0]), x, down.place(point.abandoned[2]),
                 stroke=ACCENT, width=6),
        ):  # fmt: skip
            bar.stroke_opacity, bar.stroke_linecap = 0.3, "round"
            marks.append(bar)
    if point.on_curve:
        marks.append(dot(x, y, 10 if point.chosen else 7, fill=ACCENT))
    else:
        if point.chosen:
            marks.append(svg.Circle(cx=pct(x), cy=round(y, 1), r=9, fill=ACCENT, fill_opacity=0.3))
        marks.append(svg.Circle(cx=pct(x), cy=round(y, 1), r=4, fill="#fff", stroke=SOFT,
                                stroke_width=1.5))  # fmt: skip
    return marks


def _labels(points: Sequence[Point], across: Scale, down: Scale) -> list[svg.Element]:
    """Numbers and letters, those that have room on a phone: the plan looked at, ends, the rest."""
    numbered = [p for p in points if p.on_curve]
    order = [*(p for p in points if p.chosen), *numbered[:1], *numbered[-1:], *points]
    spots = [(across.place(p.held_back[1]), down.place(p.abandoned[1])) for p in points]
    taken: list[tuple[float, float]] = []
    done: set[str] = set()
    marks: list[svg.Element] = []
    for point in order:
        x, own = spots[points.index(point)]
        others = [*taken, *((a, b + 4) for a, b in spots if (a, b) != (x, own))]
        free = [
            y
            for y in (own - 13, own + 23)
            if not any(abs(x - a) < ROOM_ACROSS and abs(y - b) < ROOM_DOWN for a, b in others)
        ]
        if point.short in done or not (free or point.chosen):
            continue
        y = free[0] if free else own - 13
        done.add(point.short)
        taken.append((x, y))
        fill = INK if point.on_curve else SOFT
        label = text(x, y, point.short, anchor="middle", fill=fill, size=13, bold=point.chosen)
        # A ring of paper around the number keeps it readable on lines.
        label.stroke, label.stroke_width, label.paint_order = "#fff", 3, "stroke"
        marks.append(label)
    return marks


@dataclass(frozen=True)
class Swing:
    """What a measure comes to with one assumption at its ends, all others at their values."""

    label: str
    low: str
    high: str
    """The ends of the assumption, as text."""
    at_low: float
    at_value: float
    at_high: float


def tornado(*, key: str, title: str, unit: str, swings: Sequence[Swing]) -> Chart:
    """The assumptions that move a measure most, the widest first."""
    columns = (_("Assumption"), _("At its low end"), _("At its value"), _("At its high end"))
    shown = [s for s in swings if abs(s.at_high - s.at_low) > 0][:MOST_BARS]
    if not shown:
        return nothing_to_draw(key, title, columns)
    scale = fit([v for s in shown for v in (s.at_low, s.at_high)], 3, 97, zero=False, about=3)
    middle = scale.place(shown[0].at_value)
    bottom = ROW * len(shown) + 6
    marks: list[svg.Element] = []
    for tick in scale.ticks():
        x = scale.place(tick)
        anchor = "start" if x < 6 else "end" if x > 94 else "middle"
        marks.append(line(x, bottom, x, bottom + 5))
        marks.append(text(x, bottom + 19, scale.label(tick), anchor=anchor, fill=SOFT, size=12))  # type: ignore[arg-type] # one of the three
    marks.append(line(3, bottom, 97, bottom))
    for place, swing in enumerate(shown):
        y = ROW * place + 34
        low, high = scale.place(swing.at_low), scale.place(swing.at_high)
        marks.append(text(0, y - 16, swing.label, size=13))
        for end, colour in ((low, STEPS[1]), (high, STEPS[3])):
            marks.append(svg.Rect(
                x=pct(min(end, middle)), y=y - 8, width=pct(abs(end - middle)), height=16,
                fill=colour,
            ))  # fmt: skip
        marks.append(line(middle, y - 10, middle, y + 10, stroke=INK, width=1.5))
    marks.append(text(50, bottom + 40, unit, anchor="middle", fill=SOFT, size=13))
    rows = tuple(
        (
            _("{assumption} ({low} to {high})").format(assumption=s.label, low=s.low, high=s.high),
            *(number(value, 0) for value in (s.at_low, s.at_value, s.at_high)),
        )
        for s in swings
    )
    first = shown[0]
    words = _(
        "{assumption} matters most: {low} at its low end, {high} at its high end, {middle} at its "
        "value."
    ).format(
        assumption=first.label, low=number(first.at_low, 0), high=number(first.at_high, 0),
        middle=number(first.at_value, 0),
    )  # fmt: skip
    legend = (
        LegendItem(swatch(svg.Rect(x=1, y=4, width=16, height=10, fill=STEPS[1])),
                   _("assumption at its low end")),
        LegendItem(swatch(svg.Rect(x=1, y=4, width=16, height=10, fill=STEPS[3])),
                   _("at its high end")),
    )  # fmt: skip
    return Chart(
        key, drawing(key, title, words, bottom + 48, marks), title, words, columns, rows, legend
    )


@dataclass(frozen=True)
class Wave:
    """An area on the timetable."""

    label: str
    start: int
    speed: int
    when: str
    """The same in words."""
    was: tuple[int, int] | None = None
    """Start and terms of support in the picked plan, where they were others."""


def timetable(*, key: str, title: str, waves: Sequence[Wave], terms: int) -> Chart:
    """Areas down, terms across; a bar as long as support lasts."""
    columns = (_("Area"), _("When"))
    if not waves:
        return nothing_to_draw(key, title, columns)
    width = 100 / terms
    bottom = ROW * len(waves) + 26
    marks: list[svg.Element] = []
    step = 1 if terms <= 8 else 2 if terms <= 16 else 5
    for at in range(terms + 1):
        marks.append(line(at * width, 22, at * width, bottom, stroke="#e9ecf1"))
    for at in range(1, terms + 1, step):
        marks.append(text((at - 0.5) * width, 14, str(at), anchor="middle", fill=SOFT, size=12))
    for place, wave in enumerate(waves):
        y = ROW * place + 34
        if wave.was is not None:
            marks.append(svg.Rect(
                x=pct((wave.was[0] - 1) * width), y=y + 12, width=pct(wave.was[1] * width),
                height=14, rx=3, fill="none", stroke=SOFT, stroke_width=1, stroke_dasharray=[4, 3],
            ))  # fmt: skip
        marks.append(svg.Rect(
            x=pct((wave.start - 1) * width), y=y + 12, width=pct(wave.speed * width), height=14,
            rx=3, fill=ACCENT,
        ))  # fmt: skip
        label = text(0, y + 7, wave.label, size=13)
        label.stroke, label.stroke_width, label.paint_order = "#fff", 3, "stroke"
        marks.append(label)
    marks.append(line(0, bottom, 100, bottom, stroke=LINE))
    words = "; ".join(f"{wave.label}: {wave.when}" for wave in waves) + "."
    rows = tuple((wave.label, wave.when) for wave in waves)
    legend: tuple[LegendItem, ...] = ()
    if any(wave.was is not None for wave in waves):
        dashes = svg.Rect(x=1, y=4, width=16, height=10, fill="none", stroke=SOFT,
                          stroke_dasharray=[4, 3])  # fmt: skip
        legend = (LegendItem(swatch(dashes), _("where it stood in the plan that was picked")),)
    return Chart(
        key, drawing(key, title, words, bottom + 6, marks), title, words, columns, rows, legend
    )
