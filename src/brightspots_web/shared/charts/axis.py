"""The parts several charts share: the value axis in plain words, the dot with its bar."""

import svg
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    ACCENT,
    LINE,
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


def value_axis(scale: Scale, top: float, bottom: float, *, unit: str = "") -> list[svg.Element]:
    """Ticks below, the line "as expected" through, and the two directions in words."""
    marks: list[svg.Element] = []
    for tick in scale.ticks():
        x = scale.place(tick)
        anchor = "start" if x < 5 else "end" if x > 95 else "middle"
        shown = scale.label(tick, signed=True)
        marks.append(line(x, bottom, x, bottom + 5))
        marks.append(text(x, bottom + 19, shown, anchor=anchor, fill=SOFT, size=13))  # type: ignore[arg-type]  # one of the three words above
    marks.append(line(scale.start, bottom, scale.end, bottom))
    if not scale.outside(0.0):
        zero = scale.place(0.0)
        anchor = "start" if zero < 20 else "end" if zero > 80 else "middle"
        marks.append(line(zero, top - 6, zero, bottom, stroke=SOFT, width=1.25))
        marks.append(text(zero, top - 11, _("as expected"), anchor=anchor, fill=SOFT, size=13))  # type: ignore[arg-type]  # as above
    marks.extend(directions(bottom + 38, scale.low < 0, scale.high > 0))
    if unit:
        marks.append(text(50, bottom + 38, unit, anchor="middle", fill=SOFT, size=13))
    return marks


def directions(y: float, down: bool = True, up: bool = True) -> list[svg.Element]:
    marks: list[svg.Element] = []
    if down:
        marks.append(text(0, y, "← " + _("lower"), fill=SOFT, size=13))
    if up:
        marks.append(text(100, y, _("higher") + " →", anchor="end", fill=SOFT, size=13))
    return marks


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


def zero_line(scale: Scale, top: float, bottom: float) -> svg.Element:
    x = scale.place(0.0)
    return line(x, top, x, bottom, stroke=LINE)
