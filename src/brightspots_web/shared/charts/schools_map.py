"""Schools as points, joined to their leader; at a distance, merged into counts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import hypot, sqrt
from typing import Protocol

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
from brightspots_web.shared.charts.projection import Projection, compact_path, simplified

# Neighbouring partnerships never share a style; far ones may, so six are enough.
STYLES = (
    ("circle", ACCENT),
    ("square", "#3c4658"),
    ("diamond", STEPS[3]),
    ("triangle", INK),
    ("square", STEPS[3]),
    ("circle", "#6f7b91"),
)
MAX_LINKS = 250
MAX_NUMBERED = 12


class Placed(Protocol):
    """Anything that has a place."""

    @property
    def latitude(self) -> float: ...
    @property
    def longitude(self) -> float: ...


@dataclass(frozen=True)
class Point:
    """A school on the map. group is its partnership ("" for none)."""

    label: str
    latitude: float
    longitude: float
    href: str = ""
    group: str = ""
    leader: bool = False
    isolated: bool = False


def school_map(
    *,
    key: str,
    title: str,
    points: Sequence[Point],
    outlines: Sequence[Area] = (),
    max_points: int = 1500,
) -> Chart:
    """Draw schools by partnership; above max_points merge them into cells with counts.

    All of the outlines is kept in view, so pass only those of the area shown.
    """
    columns = (_("Partnership"), _("Schools"), _("Leading school"))
    if not points:
        return nothing_to_draw(key, title, columns)
    placed = [(point.longitude, point.latitude) for point in points]
    placed += [corner for area in outlines for ring in area.rings for corner in ring]
    projection = Projection.around(placed, margin=14)
    marks: list[svg.Element] = outlines_drawn(outlines, projection)
    groups: dict[str, list[Point]] = defaultdict(list)
    ordered = sorted(points, key=lambda point: (point.group, not point.leader, point.label))
    for point in ordered:
        groups[point.group].append(point)
    numbered = len(points) <= MAX_NUMBERED
    merged = len(points) > max_points
    if merged:
        marks.extend(cells_drawn(points, projection))
    else:
        styles = _styles(groups, projection)
        pen = _Pen(projection, linked=len(points) <= MAX_LINKS, size=mark_size(len(points)))
        for name, members in groups.items():
            marks.extend(_group(members, styles.get(name), pen))
        if numbered:
            marks.extend(_numbers(ordered, projection))
    isolated = sum(point.isolated for point in points)
    rows = tuple(
        (
            name or _("no partnership"),
            number(len(members), 0),
            ", ".join(point.label for point in members if point.leader) if name else "",
        )
        for name, members in groups.items()
    )
    n_groups = sum(1 for name in groups if name)
    description = _describe(len(points), n_groups, isolated)
    drawing = map_drawing(key, title, description, projection, marks)
    if numbered:
        legend = _numbered_legend(ordered)
    else:
        legend = merged_legend() if merged else _legend(n_groups > 0, isolated > 0)
    return Chart(
        key, drawing, title, description, columns, rows, legend, shape=map_shape(projection)
    )


def _describe(schools: int, groups: int, isolated: int) -> str:
    parts = [
        ngettext("%(n)s school", "%(n)s schools", schools) % {"n": number(schools, 0)},
        ngettext("%(n)s partnership", "%(n)s partnerships", groups) % {"n": number(groups, 0)},
        ngettext("%(n)s isolated school", "%(n)s isolated schools", isolated)
        % {"n": number(isolated, 0)},
    ]
    return ", ".join(parts) + "."


def outlines_drawn(outlines: Sequence[Area], projection: Projection) -> list[svg.Element]:
    if not outlines:
        return []
    shapes = simplified([area.rings for area in outlines], projection)
    paths = [
        svg.Path(
            extra={"d": compact_path(shape)},
            elements=[svg.Title(text=escape(area.label))],
        )
        for area, shape in zip(outlines, shapes, strict=True)
        if shape
    ]
    return [svg.G(fill="#f6f7f9", stroke="#c9ced8", stroke_width=0.8, elements=list(paths))]


def _styles(
    groups: Mapping[str, Sequence[Point]], projection: Projection
) -> dict[str, tuple[str, str]]:
    """Give each partnership the style least used by those nearest to it."""
    centres = {
        name: projection.place(
            sum(point.longitude for point in members) / len(members),
            sum(point.latitude for point in members) / len(members),
        )
        for name, members in groups.items()
        if name
    }
    chosen: dict[str, tuple[str, str]] = {}
    for name, (x, y) in sorted(centres.items(), key=lambda item: (item[1], item[0])):
        near = sorted(chosen, key=lambda other: hypot(centres[other][0] - x, centres[other][1] - y))
        distance = {style: len(near) + 1 for style in STYLES}
        for position, other in reversed(list(enumerate(near))):
            distance[chosen[other]] = position
        chosen[name] = max(STYLES, key=lambda style: (distance[style], -STYLES.index(style)))
    return chosen


@dataclass(frozen=True)
class _Pen:
    projection: Projection
    linked: bool
    size: float

    def place(self, point: Point) -> tuple[float, float]:
        return self.projection.place(point.longitude, point.latitude)


def mark_size(n: int) -> float:
    """Large marks for few schools; on a phone a unit is about three quarters of a pixel."""
    return 10 if n <= MAX_NUMBERED else 5.5 if n <= 60 else 4.2 if n <= 250 else 3


def _group(members: Sequence[Point], style: tuple[str, str] | None, pen: _Pen) -> list[svg.Element]:
    marks: list[svg.Element] = []
    shape, colour = style or ("circle", "#fff")
    leaders = [point for point in members if point.leader] if style else []
    if leaders:
        x, y = pen.place(leaders[0])
        spokes = "".join(
            f"M{x} {y}L{px} {py}" for px, py in map(pen.place, members) if (px, py) != (x, y)
        )
        if spokes:
            marks.append(svg.Path(extra={"d": spokes}, stroke=colour, stroke_width=1,
                                  stroke_opacity=0.6, fill="none"))  # fmt: skip
    drawn = [_point(point, shape, pen) for point in members]
    outline = None if style else SOFT
    marks.append(svg.G(fill=colour, stroke=outline or "#fff", stroke_width=0.8, elements=drawn))
    return marks


def _point(point: Point, shape: str, pen: _Pen) -> svg.Element:
    x, y = pen.place(point)
    size = pen.size * (1.5 if point.leader and pen.size < 10 else 1)
    mark = svg.Path(extra={"d": outline(shape, x, y, size)})
    if point.isolated:
        # Ringed, with a centre: found by shape, not by colour.
        wide = max(pen.size, 6)
        mark = svg.Path(
            extra={"d": outline("circle", x, y, wide) + outline("circle", x, y, wide / 4)},
            fill="#fff",
            stroke=INK,
            stroke_width=1.4,
        )
    if not pen.linked:
        return mark
    mark.elements = [svg.Title(text=escape(point.label))]
    if not point.href:
        return mark
    return svg.A(href=escape(point.href), tabindex=-1, elements=[mark])


def outline(shape: str, x: float, y: float, size: float) -> str:
    s = round(size, 1)
    if shape == "square":
        side = round(s * 1.8, 1)
        return f"M{x - side / 2:.1f} {y - side / 2:.1f}h{side}v{side}h-{side}z"
    if shape == "diamond":
        d = round(s * 1.3, 1)
        return f"M{x} {y - d:.1f}l{d} {d}l-{d} {d}l-{d}-{d}z"
    if shape == "triangle":
        d = round(s * 1.25, 1)
        return f"M{x} {y - d:.1f}l{d} {d * 1.8:.1f}h-{d * 2:.1f}z"
    return f"M{x - s:.1f} {y}a{s} {s} 0 1 0 {2 * s:.1f} 0a{s} {s} 0 1 0-{2 * s:.1f} 0z"


def cells_drawn(
    points: Sequence[Placed], projection: Projection, size: float = 12
) -> list[svg.Element]:
    """Merge schools in square cells; the disc's area is their number, so none is hidden."""
    cells: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for point in points:
        x, y = projection.place(point.longitude, point.latitude)
        cells[int(x // size), int(y // size)].append((x, y))
    most = max(len(cell) for cell in cells.values())
    discs: list[svg.Element] = []
    for _cell, members in sorted(cells.items()):
        x = round(sum(x for x, _y in members) / len(members), 1)
        y = round(sum(y for _x, y in members) / len(members), 1)
        r = round(max(size * 0.58 * sqrt(len(members) / most), 0.8), 1)
        words = ngettext("%(n)s school", "%(n)s schools", len(members)) % {
            "n": number(len(members), 0)
        }
        discs.append(svg.Circle(cx=x, cy=y, r=r, elements=[svg.Title(text=escape(words))]))
    return [svg.G(fill=ACCENT, fill_opacity=0.75, elements=discs)]


def _legend(grouped: bool, isolated: bool) -> tuple[LegendItem, ...]:
    items = []
    if grouped:
        big = svg.Path(extra={"d": outline("circle", 9, 9, 6)}, fill=ACCENT)
        small = svg.Path(extra={"d": outline("circle", 9, 9, 3.6)}, fill=ACCENT)
        items.append(LegendItem(swatch(big), _("leading school of a partnership")))
        items.append(LegendItem(swatch(small), _("member, joined to its leading school")))
    if isolated:
        ring = svg.Path(
            extra={"d": outline("circle", 9, 9, 7) + outline("circle", 9, 9, 1.8)},
            fill="#fff",
            stroke=INK,
            stroke_width=1.4,
        )
        items.append(LegendItem(swatch(ring), _("isolated school")))
    return tuple(items)


def _numbers(points: Sequence[Point], projection: Projection) -> list[svg.Element]:
    """A number on each mark, for a legend that names the schools."""
    marks: list[svg.Element] = []
    for position, point in enumerate(points, start=1):
        x, y = projection.place(point.longitude, point.latitude)
        marks.append(numeral(x, y, position, INK if point.isolated or not point.group else "#fff"))
    return [svg.G(extra={"pointer-events": "none"}, elements=marks)]


def numeral(x: float, y: float, position: int, fill: str) -> svg.Text:
    return svg.Text(x=x, y=round(y + 4.6, 1), text=str(position), text_anchor="middle", fill=fill,
                    font_size=13, font_weight="600", font_family="sans-serif")  # fmt: skip


def _numbered_legend(points: Sequence[Point]) -> tuple[LegendItem, ...]:
    items = []
    for position, point in enumerate(points, start=1):
        words = point.label
        if point.leader:
            words = _("%(school)s (leading school)") % {"school": point.label}
        elif point.isolated:
            words = _("%(school)s (isolated)") % {"school": point.label}
        plain = point.isolated or not point.group
        disc = svg.Circle(cx=9, cy=9, r=8.5, fill="#fff" if plain else ACCENT, stroke=INK,
                          stroke_width=1 if plain else 0)  # fmt: skip
        mark = svg.G(elements=[disc, numeral(9, 9, position, INK if plain else "#fff")])
        items.append(LegendItem(swatch(mark), words))
    return tuple(items)


def merged_legend() -> tuple[LegendItem, ...]:
    disc = svg.Circle(cx=9, cy=9, r=7, fill=ACCENT, fill_opacity=0.75)
    words = _("schools close together are drawn as one disc; its area is their number")
    return (LegendItem(swatch(disc), words),)
