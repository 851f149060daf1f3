"""How the estimates of many schools are spread."""

from collections.abc import Sequence
from math import ceil, floor

import svg
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.shared.charts.axis import unit_row, value_axis
from brightspots_web.shared.charts.draw import (
    ACCENT,
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
from brightspots_web.shared.charts.scale import Scale, digits_for, fit, nice_step

TOP, BOTTOM = 52, 214


def histogram(
    *,
    key: str,
    title: str,
    values: Sequence[float | None],
    unit: str = "",
    marker: float | None = None,
    marker_label: str = "",
    suppress_below: int = 3,
    about_bins: int = 20,
) -> Chart:
    """Count schools in equal bins; a bin of fewer than suppress_below is not counted out."""
    columns = (_("From"), _("To"), _("Schools"))
    seen = [value for value in map(known, values) if value is not None]
    if not seen:
        return nothing_to_draw(key, title, columns)
    scale = fit(seen, 2, 98)
    width = nice_step(scale.high - scale.low, about_bins)
    counts = _count(seen, scale.low, width, scale.high)
    tallest = max(counts)
    marks: list[svg.Element] = []
    hidden = False
    rows: list[tuple[str, ...]] = []
    for index, count in enumerate(counts):
        low = scale.low + index * width
        few = 0 < count < suppress_below
        hidden = hidden or few
        # A suppressed bin is drawn at one height whatever it holds, and left open.
        height = (BOTTOM - TOP) * (max(suppress_below - 1, 1) if few else count) / tallest
        if count:
            marks.append(_bar(scale, low, width, max(min(height, BOTTOM - TOP), 3), few))
            shown = (
                _("fewer than %(limit)s") % {"limit": suppress_below} if few else number(count, 0)
            )
            edges = (number(edge, digits_for(width), signed=True) for edge in (low, low + width))
            rows.append((*edges, shown))
    marks.extend(value_axis(scale, BOTTOM, ((TOP - 8, BOTTOM),), unit=unit))
    place = known(marker)
    if place is not None and not scale.outside(place):
        x = scale.place(place)
        late = x > 50
        marks.append(line(x, TOP - 14, x, BOTTOM, stroke=ACCENT, width=3))
        marks.append(
            text(
                x + (-1.5 if late else 1.5),
                TOP - 16,
                marker_label,
                anchor="end" if late else "start",
                fill=ACCENT,
                bold=True,
            )
        )
    description = ngettext(
        "%(n)s school; from %(low)s to %(high)s.", "%(n)s schools; from %(low)s to %(high)s.",
        len(seen),
    ) % {
        "n": number(len(seen), 0),
        "low": number(min(seen), signed=True),
        "high": number(max(seen), signed=True),
    }  # fmt: skip
    legend = (_few(suppress_below),) if hidden else ()
    svg_text = drawing(key, title, description, BOTTOM + 6 + unit_row(unit), marks)
    return Chart(key, svg_text, title, description, columns, tuple(rows), legend)


def _count(seen: Sequence[float], low: float, width: float, high: float) -> list[int]:
    counts = [0] * max(1, ceil((high - low) / width - 1e-9))
    for value in seen:
        counts[min(max(floor((value - low) / width + 1e-9), 0), len(counts) - 1)] += 1
    return counts


def _bar(scale: Scale, low: float, width: float, height: float, few: bool) -> svg.Rect:
    x1, x2 = scale.place(low), scale.place(low + width)
    return svg.Rect(
        x=pct(x1),
        width=pct(x2 - x1),
        y=round(BOTTOM - height, 1),
        height=round(height, 1),
        fill="#fff" if few else STEPS[2],
        stroke=SOFT if few else "#fff",
        stroke_width=1,
        stroke_dasharray=[3, 2] if few else None,
    )


def _few(limit: int) -> LegendItem:
    box = svg.Rect(x=2, y=4, width=14, height=11, fill="#fff", stroke=SOFT, stroke_dasharray=[3, 2])
    return LegendItem(swatch(box), _("fewer than %(limit)s schools") % {"limit": limit})
