"""The parts several charts share: the value axis in plain words, the dot with its bar."""

from collections.abc import Sequence
from typing import Literal

import svg
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    ACCENT,
    SOFT,
    Estimate,
    dot,
    interval_text,
    line,
    number,
    pct,
    text,
)
from brightspots_web.shared.charts.scale import Scale


def value_axis(
    scale: Scale,
    bottom: float,
    lanes: Sequence[tuple[float, float]],
    *,
    unit: str = "",
    zero_means: str = "",
) -> list[svg.Element]:
    """Ticks below, the line "as expected" in each lane, and the two directions in words.

    The line leaves out what lies between lanes, where labels stand.
    """
    marks: list[svg.Element] = [line(scale.start, bottom, scale.end, bottom)]
    for tick in scale.ticks():
        x = scale.place(tick)
        shown = scale.label(tick, signed=True)
        marks.append(line(x, bottom, x, bottom + 5))
        marks.append(text(x, bottom + 19, shown, anchor=_anchor(x, 5), fill=SOFT, size=13))
    if not scale.outside(0.0):
        zero = scale.place(0.0)
        means = zero_means or _("as expected")
        marks.append(text(zero, 13, means, anchor=_anchor(zero, 20), fill=SOFT, size=13))
        marks.extend(line(zero, y1, zero, y2, stroke=SOFT, width=1.25) for y1, y2 in lanes)
    if scale.low < 0:
        marks.append(text(0, bottom + 38, "← " + _("lower"), fill=SOFT, size=13))
    if scale.high > 0:
        marks.append(text(100, bottom + 38, _("higher") + " →", anchor="end", fill=SOFT, size=13))
    if unit:
        marks.append(text(50, bottom + unit_row(unit), unit, anchor="middle", fill=SOFT, size=13))
    return marks


def unit_row(unit: str) -> int:
    """A long unit has a row of its own, or it would meet the two directions on a phone."""
    return 56 if len(unit) > 14 else 38


def _anchor(x: float, edge: float) -> Literal["start", "middle", "end"]:
    """Keep a label within the drawing near its edges."""
    return "start" if x < edge else "end" if x > 100 - edge else "middle"


def bar_and_dot(
    estimate: Estimate, scale: Scale, y: float, *, colour: str = ACCENT, r: float = 7
) -> list[svg.Element]:
    """An interval as a bar, the estimate as a dot on it; arrow heads where it runs on."""
    if not estimate.known or estimate.value is None:
        return [text(0, y + 5, _("not enough evidence yet"), fill=SOFT)]
    marks: list[svg.Element] = []
    bounds = estimate.bounds()
    if bounds is not None:
        lower, upper = bounds
        x1, x2 = scale.place(lower), scale.place(upper)
        bar = line(x1, y, x2, y, stroke=colour, width=6)
        bar.stroke_opacity = 0.35
        bar.stroke_linecap = "round"
        marks.append(bar)
        if scale.outside(lower):
            marks.append(arrow(x1, y, -1, colour))
        if scale.outside(upper):
            marks.append(arrow(x2, y, 1, colour))
    place = scale.place(estimate.value)
    if bounds is None:
        # No interval: an open dot, so that it never looks as sure as the others.
        marks.append(svg.Circle(cx=pct(place), cy=y, r=r - 1, fill="#fff", stroke=colour,
                                stroke_width=2))  # fmt: skip
    else:
        marks.append(dot(place, y, r, fill=colour))
    return marks


def arrow(x: float, y: float, way: int, colour: str) -> svg.Element:
    tip = [svg.MoveTo(-5 * way, -6), svg.LineTo(4 * way, 0), svg.LineTo(-5 * way, 6)]
    path = svg.Path(d=list(tip), fill="none", stroke=colour, stroke_width=2)
    return svg.SVG(xmlns=None, x=pct(x), y=y, overflow="visible", elements=[path])


def verdict(estimate: Estimate, digits: int = 1) -> str:
    """One plain sentence: higher, lower, or not distinguishable from expected."""
    names = {
        "label": estimate.label,
        "value": number(estimate.value, digits, signed=True),
        "interval": interval_text(estimate, digits),
    }
    bounds = estimate.bounds()
    if not estimate.known:
        return _("%(label)s: there is not enough evidence yet.") % names
    if bounds is None:
        return _("%(label)s: %(value)s, and how sure this is cannot be said yet.") % names
    if bounds[0] > 0:
        return _("%(label)s: %(value)s (%(interval)s), higher than expected.") % names
    if bounds[1] < 0:
        return _("%(label)s: %(value)s (%(interval)s), lower than expected.") % names
    return _("%(label)s: %(value)s (%(interval)s), about as expected.") % names
