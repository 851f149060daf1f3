"""Years of one or a few series, each value with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import svg
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    ACCENT,
    SOFT,
    STEPS,
    Chart,
    Estimate,
    LegendItem,
    drawing,
    interval_text,
    line,
    nothing_to_draw,
    number,
    pct,
    swatch,
    text,
)
from brightspots_web.shared.charts.scale import Scale, fit

TOP, BOTTOM = 14, 214
# Told apart by lightness and by shape, never by hue alone.
STYLES = ((ACCENT, "circle"), ("#4a5263", "square"), (STEPS[2], "diamond"), (SOFT, "triangle"))


@dataclass(frozen=True)
class Series:
    """One line: the label of each point is its year (or round)."""

    label: str
    points: tuple[Estimate, ...]


def trend(
    *,
    key: str,
    title: str,
    series: Sequence[Series],
    unit: str = "",
    digits: int = 1,
    signed: bool = True,
    baseline: float | None = 0.0,
) -> Chart:
    """Draw up to four series over the same years.

    baseline is a value the scale must hold and mark (0 "as expected"); None for
    quantities without one, such as a spread.
    """
    if len(series) > len(STYLES):
        raise ValueError("at most four series stay readable")
    columns = (_("Series"), _("Year"), _("Value"), _("95% interval"))
    numbers = [value for one in series for point in one.points for value in point.numbers()]
    if not numbers:
        return nothing_to_draw(key, title, columns)
    held = numbers if baseline is None else [*numbers, baseline]
    scale = fit(held, BOTTOM, TOP, zero=not signed)
    years = list(dict.fromkeys(point.label for one in series for point in one.points))
    across = _places(years, len(series))
    marks: list[svg.Element] = [*_grid(scale, baseline, signed)]
    for year in years:
        marks.append(text(across[year], BOTTOM + 24, year, anchor="middle", fill=SOFT, size=13))
    for index, one in enumerate(series):
        shift = (index - (len(series) - 1) / 2) * 2.2
        marks.extend(_series(one, scale, across, shift, *STYLES[index]))
    if unit:
        marks.append(text(0, BOTTOM + 46, unit, fill=SOFT, size=13))
    table = tuple(
        (
            one.label,
            point.label,
            number(point.value, digits, signed=signed),
            interval_text(point, digits) if signed else _plain_interval(point, digits),
        )
        for one in series
        for point in one.points
    )
    description = _describe(series, digits, signed)
    legend = tuple(
        LegendItem(swatch(_shape(9, 9, *STYLES[index])), one.label)
        for index, one in enumerate(series)
        if len(series) > 1
    )
    svg_text = drawing(key, title, description, BOTTOM + (56 if unit else 34), marks)
    return Chart(key, svg_text, title, description, columns, table, legend)


def _places(years: Sequence[str], n_series: int) -> dict[str, float]:
    if len(years) == 1:
        return {years[0]: 54.0}
    start, end = 16.0, 92.0 if n_series == 1 else 90.0
    gap = (end - start) / (len(years) - 1)
    return {year: start + gap * index for index, year in enumerate(years)}


def _grid(scale: Scale, baseline: float | None, signed: bool) -> list[svg.Element]:
    marks: list[svg.Element] = []
    for tick in scale.ticks():
        y = scale.place(tick)
        strong = baseline is not None and abs(tick - baseline) < scale.step / 1e6
        marks.append(line(0, y, 100, y, stroke=SOFT if strong else "#e3e6ec"))
        shown = scale.label(tick, signed=signed)
        marks.append(text(0, y - 4, shown, fill=SOFT, size=13))
        if strong and signed:
            marks.append(text(100, y - 4, _("as expected"), anchor="end", fill=SOFT, size=13))
    return marks


def _series(
    one: Series, scale: Scale, across: dict[str, float], shift: float, colour: str, shape: str
) -> list[svg.Element]:
    joins: list[svg.Element] = []
    marks: list[svg.Element] = []
    before: tuple[float, float] | None = None
    for point in one.points:
        if not point.known or point.value is None:
            before = None  # a missing year breaks the line: nothing is drawn across it
            continue
        x, y = across[point.label] + shift, scale.place(point.value)
        if before is not None:
            joins.append(line(*before, x, y, stroke=colour, width=1.5))
        bounds = point.bounds()
        if bounds is not None:
            bar = line(x, scale.place(bounds[0]), x, scale.place(bounds[1]), stroke=colour, width=6)
            bar.stroke_opacity, bar.stroke_linecap = 0.3, "round"
            marks.append(bar)
        marks.append(_shape(x, y, colour, shape, per_cent=True))
        before = (x, y)
    return [*joins, *marks]


def _shape(x: float, y: float, colour: str, shape: str, *, per_cent: bool = False) -> svg.Element:
    outlines = {
        "square": [(-5, -5), (5, -5), (5, 5), (-5, 5)],
        "diamond": [(0, -7), (7, 0), (0, 7), (-7, 0)],
        "triangle": [(0, -6), (6, 5), (-6, 5)],
    }
    mark: svg.Element
    if shape == "circle":
        mark = svg.Circle(r=6, fill=colour, stroke="#fff", stroke_width=1.5)
    else:
        corners = [svg.Point(x, y) for x, y in outlines[shape]]
        mark = svg.Polygon(points=corners, fill=colour, stroke="#fff", stroke_width=1.5)
    return svg.SVG(
        xmlns=None, x=pct(x) if per_cent else x, y=round(y, 1), overflow="visible", elements=[mark]
    )


def _plain_interval(point: Estimate, digits: int) -> str:
    bounds = point.bounds()
    if bounds is None:
        return _("no interval")
    lower, upper = (number(bound, digits) for bound in bounds)
    return _("%(lower)s to %(upper)s") % {"lower": lower, "upper": upper}


def _describe(series: Sequence[Series], digits: int, signed: bool) -> str:
    parts = []
    for one in series:
        seen = [point for point in one.points if point.known]
        if not seen:
            parts.append(_("%(label)s: no figures yet.") % {"label": one.label})
            continue
        first, last = seen[0], seen[-1]
        names = {
            "label": one.label,
            "first": number(first.value, digits, signed=signed),
            "first_year": first.label,
            "last": number(last.value, digits, signed=signed),
            "last_year": last.label,
        }
        if first is last:
            parts.append(_("%(label)s: %(first)s in %(first_year)s.") % names)
        else:
            parts.append(
                _("%(label)s: %(first)s in %(first_year)s, %(last)s in %(last_year)s.") % names
            )
    return " ".join(parts)
