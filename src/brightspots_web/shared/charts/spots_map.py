"""Bright spots on a map: how far people got with each is told by shape and lightness."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import svg
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.shared.charts.draw import (
    ACCENT,
    INK,
    SOFT,
    STEPS,
    Chart,
    LegendItem,
    nothing_to_draw,
    number,
    swatch,
)
from brightspots_web.shared.charts.maps import Area, map_drawing, map_shape
from brightspots_web.shared.charts.projection import Projection
from brightspots_web.shared.charts.schools_map import (
    MAX_LINKS,
    MAX_NUMBERED,
    cells_drawn,
    mark_size,
    merged_legend,
    numeral,
    outline,
    outlines_drawn,
)

Stage = Literal["found", "visited", "sure", "rest"]
STYLES: dict[str, tuple[str, str, str, str]] = {
    "found": ("circle", "#fff", ACCENT, INK),
    "visited": ("circle", STEPS[2], ACCENT, INK),
    "sure": ("diamond", ACCENT, "#fff", "#fff"),
    "rest": ("square", "#e3e6ec", SOFT, INK),
}
"""Stage -> shape, fill, edge, and the colour of a number on it."""


@dataclass(frozen=True)
class SpotMark:
    """A school that may be a bright spot; `stage` says how far people got."""

    label: str
    latitude: float
    longitude: float
    stage: Stage
    href: str = ""


def spots_map(
    *,
    key: str,
    title: str,
    points: Sequence[SpotMark],
    outlines: Sequence[Area] = (),
    max_points: int = 1500,
) -> Chart:
    """Draw schools by how far people got; above max_points merge them into cells with counts."""
    columns = (_("Stage"), _("Schools"))
    if not points:
        return nothing_to_draw(key, title, columns)
    placed = [(point.longitude, point.latitude) for point in points]
    placed += [corner for area in outlines for ring in area.rings for corner in ring]
    projection = Projection.around(placed, margin=14)
    marks: list[svg.Element] = outlines_drawn(outlines, projection)
    ordered = sorted(points, key=lambda point: (point.label, point.longitude))
    numbered, merged = len(points) <= MAX_NUMBERED, len(points) > max_points
    if merged:
        marks.extend(cells_drawn(points, projection))
    else:
        marks.extend(_marks(ordered, projection, numbered=numbered))
    counts = [(stage, sum(point.stage == stage for point in points)) for stage in STYLES]
    rows = tuple((stage_label(stage), number(n, 0)) for stage, n in counts if n)
    schools = ngettext("%(n)s school", "%(n)s schools", len(points)) % {"n": number(len(points), 0)}
    parts = ", ".join(f"{label}: {n}" for label, n in rows)
    description = f"{schools}. {parts}."
    drawing = map_drawing(key, title, description, projection, marks)
    if numbered:
        legend = tuple(_numbered(place, point) for place, point in enumerate(ordered, start=1))
    else:
        legend = merged_legend() if merged else tuple(_plain(s) for s, n in counts if n)
    return Chart(
        key, drawing, title, description, columns, rows, legend, shape=map_shape(projection)
    )


def stage_label(stage: str) -> str:
    return {
        "found": _("named by the figures, not visited yet"),
        "visited": _("visited"),
        "sure": _("confirmed by people, and beyond"),
        "rest": _("set aside, or no longer named by the figures"),
    }[stage]


def _marks(
    points: Sequence[SpotMark], projection: Projection, *, numbered: bool
) -> list[svg.Element]:
    size = mark_size(len(points))
    drawn: list[svg.Element] = []
    for place, point in enumerate(points, start=1):
        x, y = projection.place(point.longitude, point.latitude)
        mark: svg.Element = _mark(point.stage, x, y, size)
        if len(points) <= MAX_LINKS:
            mark.elements = [svg.Title(text=escape(f"{point.label}: {stage_label(point.stage)}"))]
            if point.href:
                mark = svg.A(href=escape(point.href), tabindex=-1, elements=[mark])
        drawn.append(mark)
        if numbered:
            drawn.append(numeral(x, y, place, STYLES[point.stage][3]))
    return drawn


def _mark(stage: str, x: float, y: float, size: float) -> svg.Path:
    shape, fill, edge, _ink = STYLES[stage]
    return svg.Path(
        extra={"d": outline(shape, x, y, size)}, fill=fill, stroke=edge, stroke_width=1.6
    )


def _plain(stage: str) -> LegendItem:
    return LegendItem(swatch(_mark(stage, 9, 9, 6)), stage_label(stage))


def _numbered(place: int, point: SpotMark) -> LegendItem:
    mark = svg.G(
        elements=[_mark(point.stage, 9, 9, 6.6), numeral(9, 9, place, STYLES[point.stage][3])]
    )
    words = _("%(school)s (%(stage)s)") % {
        "school": point.label, "stage": stage_label(point.stage),
    }  # fmt: skip
    return LegendItem(swatch(mark), words)
