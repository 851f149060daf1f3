"""Maps without a tile server: areas shaded by a value, schools by partnership."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import svg
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    SOFT,
    STEPS,
    Chart,
    LegendItem,
    known,
    labelled,
    nothing_to_draw,
    number,
    pct,
    swatch,
    words_for,
)
from brightspots_web.shared.charts.projection import (
    Projection,
    Ring,
    compact_path,
    simplified,
)
from brightspots_web.shared.charts.scale import nice_step

MAX_LINKS = 150


@dataclass(frozen=True)
class Area:
    """An area of the map. Rings hold (longitude, latitude); centre serves where none are known."""

    label: str
    value: float | None = None
    rings: tuple[Ring, ...] = ()
    href: str = ""
    centre: tuple[float, float] | None = None  # latitude, longitude
    n: int | None = None


def rings_of(geometry: dict[str, object]) -> tuple[Ring, ...]:
    """The rings of a GeoJSON Polygon or MultiPolygon."""
    coordinates = geometry["coordinates"]
    if not isinstance(coordinates, list | tuple):
        raise ValueError("a geometry needs a list of coordinates")
    polygons = [coordinates] if geometry["type"] == "Polygon" else coordinates
    return tuple(
        tuple((float(x), float(y)) for x, y, *_height in ring)
        for polygon in polygons
        for ring in polygon
    )


def area_map(
    *,
    key: str,
    title: str,
    areas: Sequence[Area],
    value_label: str,
    digits: int = 1,
    signed: bool = False,
    percent: bool = False,
    classes: int = 5,
) -> Chart:
    """Shade areas in up to five steps of lightness, equal numbers of areas in each."""
    columns = (_("Area"), value_label, _("Schools"))
    drawn = [area for area in areas if area.rings or area.centre]
    if not drawn:
        return nothing_to_draw(key, title, columns)
    corners = [corner for area in drawn for ring in area.rings for corner in ring]
    corners += [(area.centre[1], area.centre[0]) for area in drawn if area.centre]
    projection = Projection.around(corners)
    cuts = _cuts([value for area in drawn if (value := known(area.value)) is not None], classes)

    def paint(value: float | None) -> str:
        return _colour(value, cuts) or f"url(#{escape(key)}-hatch)"

    def shown(value: float | None) -> str:
        words = number(value, digits, signed=signed)
        return (
            _("%(share)s%%") % {"share": words} if percent and known(value) is not None else words
        )

    shapes = simplified([area.rings for area in drawn], projection)
    marks = [_hatch(key), _areas(drawn, shapes, projection, paint, shown)]
    description = _("%(n)s areas, shaded from light (low) to dark (high): %(what)s.") % {
        "n": len(drawn),
        "what": value_label,
    }
    rows = tuple(
        (area.label, shown(area.value), number(area.n, 0) if area.n is not None else "")
        for area in areas
    )
    drawing = map_drawing(key, title, description, projection, marks)
    return Chart(key, drawing, title, description, columns, rows, _legend(drawn, cuts, shown),
                 shape=map_shape(projection))  # fmt: skip


def map_shape(projection: Projection) -> Literal["tall", "narrow"]:
    """A country much taller than wide gets less width, or it would fill more than a screen."""
    return "narrow" if projection.height > 1.2 * projection.width else "tall"


def map_drawing(
    key: str, title: str, description: str, projection: Projection, marks: Sequence[svg.Element]
) -> SafeString:
    root = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, round(projection.width, 1), round(projection.height, 1)),
        class_=["map"],
        # A group, not an image: the links within must reach a screen reader.
        extra=labelled(key, "group"),
        elements=[*words_for(key, title, description), *marks],
    )
    return mark_safe(root.as_str() + _scale_bar(projection))  # noqa: S308  # escaped where it entered


def _scale_bar(projection: Projection) -> str:
    """A strip as wide as the map, so that its text keeps reading size at any width."""
    km = nice_step(projection.width / projection.per_km * 0.3, 1)
    km = km if km * projection.per_km < 0.6 * projection.width else km / 2
    share = 100 * km * projection.per_km / projection.width
    words = _("%(km)s km") % {"km": number(km, 0 if km >= 1 else 1)}
    marks: list[svg.Element] = [
        svg.Line(x1=0, x2=pct(share), y1=6, y2=6, stroke=SOFT, stroke_width=2),
        svg.Line(x1=1, x2=1, y1=2, y2=10, stroke=SOFT, stroke_width=2),
        svg.Line(x1=pct(share), x2=pct(share), y1=2, y2=10, stroke=SOFT, stroke_width=2),
        svg.Text(x=0, y=26, text=escape(words), fill=SOFT, font_size=13),
        svg.Text(x=pct(100), y=26, text="↑ " + escape(_("north")), fill=SOFT, font_size=13,
                 text_anchor="end"),
    ]  # fmt: skip
    return svg.SVG(
        width=pct(100), height=32, class_=["chart"], extra={"aria-hidden": "true"}, elements=marks
    ).as_str()


def _areas(
    areas: Sequence[Area],
    shapes: Sequence[Sequence[Ring]],
    projection: Projection,
    paint: Callable[[float | None], str],
    shown: Callable[[float | None], str],
) -> svg.G:
    marks: list[svg.Element] = []
    if len(areas) <= MAX_LINKS:
        for area, shape in zip(areas, shapes, strict=True):
            marks.append(_area(area, shape, projection, paint(area.value), shown(area.value)))
    else:
        # Very many areas: one path a class keeps the page light; the table names them.
        paths: dict[str, list[str]] = {}
        for area, shape in zip(areas, shapes, strict=True):
            paths.setdefault(paint(area.value), []).append(compact_path(shape))
        for fill, pieces in sorted(paths.items()):
            marks.append(svg.Path(extra={"d": "".join(pieces)}, fill=fill, fill_rule="evenodd"))
    return svg.G(stroke="#fff", stroke_width=0.7, elements=marks)


def _hatch(key: str) -> svg.Element:
    """Not known is hatched: another kind of thing than a low value."""
    strokes = svg.Path(extra={"d": "M0 4L4 0"}, stroke="#a7afbf", stroke_width=0.8)
    ground = svg.Rect(width=4, height=4, fill="#f1f2f4")
    pattern = svg.Pattern(
        id=f"{escape(key)}-hatch",
        width=4,
        height=4,
        patternUnits="userSpaceOnUse",
        elements=[ground, strokes],
    )
    return svg.Defs(elements=[pattern])


def _area(
    area: Area, shape: Sequence[Ring], projection: Projection, fill: str, shown: str
) -> svg.Element:
    mark: svg.Element
    if shape:
        mark = svg.Path(extra={"d": compact_path(shape)}, fill=fill, fill_rule="evenodd")
    else:
        latitude, longitude = area.centre or (0.0, 0.0)
        x, y = projection.place(longitude, latitude)
        mark = svg.Circle(cx=x, cy=y, r=9, fill=fill)
    mark.elements = [svg.Title(text=escape(f"{area.label}: {shown}"))]
    if not area.href:
        return mark
    return svg.A(href=escape(area.href), elements=[mark], tabindex=-1)


def _cuts(values: Sequence[float], classes: int) -> list[float]:
    """Quantiles between the classes; fewer where values repeat."""
    ordered = sorted(values)
    classes = max(1, min(classes, len(STEPS), len(set(ordered))))
    cuts = [ordered[len(ordered) * index // classes] for index in range(1, classes)]
    return sorted({cut for cut in cuts if cut > ordered[0]})


def _colour(value: float | None, cuts: Sequence[float]) -> str:
    """The step of lightness of a value; "" where it is not known."""
    given = known(value)
    if given is None:
        return ""
    return _ramp(len(cuts) + 1)[sum(given >= cut for cut in cuts)]


def _ramp(classes: int) -> tuple[str, ...]:
    chosen = {1: (2,), 2: (1, 3), 3: (0, 2, 4), 4: (0, 1, 3, 4), 5: (0, 1, 2, 3, 4)}
    return tuple(STEPS[index] for index in chosen[classes])


def _legend(
    areas: Sequence[Area], cuts: Sequence[float], shown: Callable[[float | None], str]
) -> tuple[LegendItem, ...]:
    values = sorted(value for area in areas if (value := known(area.value)) is not None)
    items = []
    if values:
        edges = [values[0], *cuts, values[-1]]
        for colour, low, high in zip(_ramp(len(cuts) + 1), edges, edges[1:], strict=False):
            words = _("%(low)s to %(high)s") % {"low": shown(low), "high": shown(high)}
            items.append(LegendItem(_box(colour), shown(low) if low == high else words))
    if len(values) < len(areas):
        items.append(LegendItem(_hatched_box(), _("not enough evidence")))
    return tuple(items)


def _box(fill: str) -> SafeString:
    return swatch(svg.Rect(x=1, y=1, width=16, height=16, fill=fill, stroke=SOFT))


def _hatched_box() -> SafeString:
    # Drawn out: a pattern of another drawing cannot be reached from here on paper.
    ground = svg.Rect(x=1, y=1, width=16, height=16, fill="#f1f2f4", stroke=SOFT)
    strokes = svg.Path(extra={"d": "M1 9L9 1M1 17L17 1M9 17L17 9"}, stroke="#a7afbf")
    return swatch(svg.G(elements=[ground, strokes]))
