"""Small multiples: the years of each school in a drawing of its own, all on one scale."""

from collections.abc import Sequence

import svg
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    ACCENT,
    LINE,
    SOFT,
    Chart,
    Estimate,
    dot,
    interval_text,
    line,
    nothing_to_draw,
    number,
    pct,
    text,
)
from brightspots_web.shared.charts.scale import Scale, fit
from brightspots_web.shared.charts.trend import Series

TOP, BOTTOM, HEIGHT = 12, 92, 114


def multiples(
    *, key: str, title: str, panels: Sequence[Series], unit: str = "", digits: int = 1
) -> Chart:
    """Draw each series by itself over the same years, around the line "as expected".

    The order is the caller's; what is missing in a year is left out and never joined across.
    """
    columns = (_("School"), _("Year"), _("Value"), _("95% interval"))
    numbers = [value for one in panels for point in one.points for value in point.numbers()]
    if not numbers:
        return nothing_to_draw(key, title, columns)
    scale = fit([*numbers, 0.0], BOTTOM, TOP, about=3)
    years = sorted({point.label for one in panels for point in one.points})
    body = format_html_join(
        "\n",
        '<li><p class="name">{}</p>{}<span class="unseen">{}</span></li>',
        ((one.label, _panel(one, scale, years, unit), _words(one, digits)) for one in panels),
    )
    drawn = format_html(
        '<ul class="multiples" aria-describedby="{0}-d">{1}</ul>'
        '<p class="unseen" id="{0}-d">{2}</p>',
        key,
        body,
        _describe(),
    )
    rows = tuple(
        (one.label, point.label, number(point.value, digits, signed=True),
         interval_text(point, digits))
        for one in panels
        for point in one.points
    )  # fmt: skip
    return Chart(key, drawn, title, _describe(), columns, rows, shape="table")


def _describe() -> str:
    return _(
        "A drawing for each school, all on one scale. The upright bars show how sure each year is; "
        "the line across is what is expected."
    )


def _panel(one: Series, scale: Scale, years: Sequence[str], unit: str) -> SafeString:
    across = _places(years)
    marks: list[svg.Element] = []
    ticks = scale.ticks()
    for tick in ticks:
        y = scale.place(tick)
        zero = abs(tick) < scale.step / 1e6
        marks.append(line(0, y, 100, y, stroke=SOFT if zero else LINE))
        if tick in {ticks[0], ticks[-1]} or zero:
            marks.append(text(0, y - 3, scale.label(tick, signed=True), fill=SOFT, size=12))
    if unit:
        marks.append(text(100, TOP - 3, unit, anchor="end", fill=SOFT, size=12))
    for year in {years[0], years[-1]}:
        marks.append(text(across[year], HEIGHT - 4, year, anchor="middle", fill=SOFT, size=12))
    marks.extend(_line(one, scale, across))
    root = svg.SVG(
        width=pct(100), height=HEIGHT, class_=["chart"], overflow="visible",
        extra={"aria-hidden": "true", "font-family": "system-ui, 'Noto Sans', sans-serif"},
        elements=marks,
    )  # fmt: skip
    return mark_safe(root.as_str())  # noqa: S308  # numbers and our own markup only


def _line(one: Series, scale: Scale, across: dict[str, float]) -> list[svg.Element]:
    joins: list[svg.Element] = []
    marks: list[svg.Element] = []
    before: tuple[float, float] | None = None
    at = {point.label: point for point in one.points}
    for year, x in across.items():
        point = at.get(year, Estimate(year, None))
        if not point.known or point.value is None:
            before = None
            continue
        y = scale.place(point.value)
        if before is not None:
            joins.append(line(*before, x, y, stroke=ACCENT, width=1.5))
        bounds = point.bounds()
        if bounds is not None:
            bar = line(x, scale.place(bounds[0]), x, scale.place(bounds[1]), stroke=ACCENT, width=6)
            bar.stroke_opacity, bar.stroke_linecap = 0.3, "round"
            marks.append(bar)
        marks.append(dot(x, y, 5))
        before = (x, y)
    return [*joins, *marks]


def _places(years: Sequence[str]) -> dict[str, float]:
    if len(years) == 1:
        return {years[0]: 56.0}
    start, end = 24.0, 90.0
    return {
        year: start + (end - start) * index / (len(years) - 1) for index, year in enumerate(years)
    }


def _words(one: Series, digits: int) -> str:
    said = [
        _("{year}: {value} ({interval})").format(
            year=point.label,
            value=number(point.value, digits, signed=True),
            interval=interval_text(point, digits),
        )
        for point in one.points
        if point.known
    ]
    return "; ".join(said) or _("no year shown")
