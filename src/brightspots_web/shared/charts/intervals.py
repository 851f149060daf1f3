"""Several outcomes, or several years, of one school: a row each."""

from collections.abc import Sequence
from statistics import median

import svg
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.axis import bar_and_dot, unit_row, value_axis, verdict
from brightspots_web.shared.charts.draw import (
    LINE,
    Chart,
    Estimate,
    drawing,
    interval_text,
    line,
    nothing_to_draw,
    number,
    text,
)
from brightspots_web.shared.charts.scale import fit, mirrored

ROW = 52


def intervals(
    *,
    key: str,
    title: str,
    rows: Sequence[Estimate],
    unit: str = "",
    digits: int = 1,
    zero_means: str = "",
) -> Chart:
    """Draw each estimate as a dot on its interval, in the order given.

    `zero_means` stands where 0 is something else than "as expected".
    """
    columns = (_("What"), _("Value"), _("95% interval"), _("Based on"))
    if not any(row.known for row in rows):
        return nothing_to_draw(key, title, columns)
    scale = fit(mirrored([number for row in rows for number in row.numbers()]), 2, 98)
    tight = fit(mirrored(_usual(rows)), 2, 98)
    if scale.high - scale.low > 12 * (tight.high - tight.low):
        scale = tight
    bottom = 26 + ROW * len(rows)
    lanes = [
        (18, 25),
        *((26 + ROW * i + 27, 26 + ROW * i + 49) for i, row in enumerate(rows) if row.known),
    ]
    marks: list[svg.Element] = [*value_axis(scale, bottom, lanes, unit=unit, zero_means=zero_means)]
    for index, row in enumerate(rows):
        y = 26 + ROW * index
        if index:
            marks.append(line(0, y, 100, y, stroke=LINE))
        marks.append(text(0, y + 20, row.label))
        if row.known:
            shown = number(row.value, digits, signed=True)
            marks.append(text(100, y + 20, shown, anchor="end", bold=True))
        marks.extend(bar_and_dot(row, scale, y + 38, r=6))
    say = _plain if zero_means else verdict
    description = " ".join(say(row, digits) for row in rows)
    table = tuple(
        (
            row.label,
            number(row.value, digits, signed=True),
            interval_text(row, digits),
            number(row.n, 0) if row.n is not None else _("not stated"),
        )
        for row in rows
    )
    svg_text = drawing(key, title, description, bottom + 6 + unit_row(unit), marks)
    return Chart(key, svg_text, title, description, columns, table)


def _usual(rows: Sequence[Estimate]) -> list[float]:
    """The values, with half a usual interval around: what one endless interval may not squeeze."""
    values = [row.value for row in rows if row.known and row.value is not None]
    bounds = [found for row in rows if row.known and (found := row.bounds()) is not None]
    half = median([(upper - lower) / 2 for lower, upper in bounds]) if bounds else 0.0
    return [*values, min(values) - half, max(values) + half]


def _plain(row: Estimate, digits: int) -> str:
    """The figures alone, where nothing was expected that they could be above or below."""
    return _("%(label)s: %(value)s (%(interval)s).") % {
        "label": row.label,
        "value": number(row.value, digits, signed=True),
        "interval": interval_text(row, digits),
    }
