"""Who helps whom, on a map: an arrow from the school that gives to the school that receives."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import hypot

import svg
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.shared.charts.draw import (
    ACCENT,
    INK,
    SOFT,
    Chart,
    LegendItem,
    nothing_to_draw,
    number,
    swatch,
)
from brightspots_web.shared.charts.maps import Area, map_drawing, map_shape
from brightspots_web.shared.charts.projection import Projection
from brightspots_web.shared.charts.schools_map import MAX_LINKS, mark_size, outline, outlines_drawn

MAX_ARROWS = 400
"""Above so many, arrows between the same neighbourhoods are drawn as one."""
CELL = 60.0
KINDS = ("support", "practice")
DASHES = {"support": "", "practice": "4 3"}


@dataclass(frozen=True)
class Helper:
    """A school in the picture. Both None where its place is not known: no arrow can be drawn."""

    key: str
    label: str
    latitude: float | None = None
    longitude: float | None = None
    href: str = ""


@dataclass(frozen=True)
class Arrow:
    """Help from one school to another; `kind` is support or practice."""

    giving: str
    receiving: str
    kind: str = "support"
    what: str = ""


def kind_label(kind: str) -> str:
    return {"support": _("support"), "practice": _("a practice taken up")}[kind]


def help_map(
    *,
    key: str,
    title: str,
    schools: Sequence[Helper],
    arrows: Sequence[Arrow],
    outlines: Sequence[Area] = (),
    max_arrows: int = MAX_ARROWS,
) -> Chart:
    """Draw arrows between schools whose places are known; the table has all of them."""
    columns = (_("Gives"), _("Receives"), _("What"))
    named = {school.key: school for school in schools}
    placed = {
        school.key: (school.longitude, school.latitude)
        for school in schools
        if school.longitude is not None and school.latitude is not None
    }
    drawn = [a for a in arrows if a.giving in placed and a.receiving in placed]
    rows = arrow_rows(named, arrows)
    if not drawn:
        empty = nothing_to_draw(key, title, columns)
        return Chart(key, empty.svg, title, empty.description, columns, rows, empty=True)
    corners = list(placed.values())
    corners += [corner for area in outlines for ring in area.rings for corner in ring]
    projection = Projection.around(corners, margin=14)
    places = {name: projection.place(*place) for name, place in placed.items()}
    merged = len(drawn) > max_arrows
    marks = outlines_drawn(outlines, projection)
    marks.append(_tips(key))
    if merged:
        marks.extend(_merged(drawn, places, key))
    else:
        marks.extend(_arrows(drawn, places, key))
        marks.append(_marks(named, places))
    description = describe(len(drawn), len({a.giving for a in drawn}),
                           len({a.receiving for a in drawn}))  # fmt: skip
    if len(drawn) < len(arrows):
        description += " " + _("For %(n)s more the place of a school is not known.") % {
            "n": number(len(arrows) - len(drawn), 0)
        }
    found = map_drawing(key, title, description, projection, marks)
    legend = arrow_legend([a.kind for a in drawn])
    if merged:
        words = _("arrows between the same neighbourhoods are drawn as one; thicker is more")
        mark = svg.Line(x1=0, y1=9, x2=18, y2=9, stroke=ACCENT, stroke_width=4)
        legend = (LegendItem(swatch(mark), words),)
    return Chart(key, found, title, description, columns, rows, legend,
                 shape=map_shape(projection))  # fmt: skip


def describe(arrows: int, giving: int, receiving: int) -> str:
    """How much help there is, giving and receiving named alike."""
    first = ngettext("%(n)s arrow", "%(n)s arrows", arrows) % {"n": number(arrows, 0)}
    gives = ngettext("%(n)s school gives", "%(n)s schools give", giving) % {"n": number(giving, 0)}
    takes = ngettext("%(n)s school receives", "%(n)s schools receive", receiving) % {
        "n": number(receiving, 0)
    }
    return f"{first}: {gives}, {takes}."


def arrow_rows(
    named: dict[str, Helper], arrows: Sequence[Arrow]
) -> tuple[tuple[str, str, str], ...]:
    found = (
        (named[a.giving].label, named[a.receiving].label, a.what or kind_label(a.kind))
        for a in arrows
    )
    return tuple(sorted(found))


def arrow_legend(kinds: Sequence[str]) -> tuple[LegendItem, ...]:
    """What solid and dashed arrows are, for the kinds that are there."""
    return tuple(
        LegendItem(
            swatch(
                svg.Line(
                    x1=0, y1=9, x2=18, y2=9, stroke=ACCENT, stroke_width=2,
                    extra={"stroke-dasharray": DASHES[kind]} if DASHES[kind] else {},
                )
            ),
            kind_label(kind),
        )
        for kind in KINDS
        if kind in kinds
    )  # fmt: skip


def tip(key: str) -> svg.Marker:
    """The head of an arrow."""
    return svg.Marker(
        id=f"{escape(key)}-tip",
        viewBox=svg.ViewBoxSpec(0, 0, 8, 8),
        refX=7,
        refY=4,
        markerWidth=7,
        markerHeight=7,
        orient="auto",
        markerUnits="userSpaceOnUse",
        elements=[svg.Path(extra={"d": "M0 0L8 4L0 8z"}, fill=ACCENT)],
    )


def _tips(key: str) -> svg.Defs:
    return svg.Defs(elements=[tip(key)])


def _bow(start: tuple[float, float], end: tuple[float, float], gap: float) -> str:
    """A slight curve that leaves room at both ends; the way back bows to the other side."""
    (x1, y1), (x2, y2) = start, end
    length = hypot(x2 - x1, y2 - y1) or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    room = min(gap, length / 3)
    mx, my = (x1 + x2) / 2 - uy * length * 0.12, (y1 + y2) / 2 + ux * length * 0.12
    ax, ay, bx, by = x1 + ux * room, y1 + uy * room, x2 - ux * room, y2 - uy * room
    return f"M{ax:.1f} {ay:.1f}Q{mx:.1f} {my:.1f} {bx:.1f} {by:.1f}"


def _arrows(
    arrows: Sequence[Arrow], places: dict[str, tuple[float, float]], key: str
) -> list[svg.Element]:
    gap = mark_size(len(places)) + 1
    drawn: dict[str, list[str]] = {}
    for giving, receiving, kind in sorted({(a.giving, a.receiving, a.kind) for a in arrows}):
        drawn.setdefault(kind, []).append(_bow(places[giving], places[receiving], gap))
    # A marker stands at the end of a whole path, so each arrow is a path of its own.
    return [
        svg.G(
            fill="none",
            stroke=ACCENT,
            stroke_width=1.4,
            stroke_opacity=0.8,
            extra={"stroke-dasharray": DASHES[kind]} if DASHES[kind] else {},
            elements=[
                svg.Path(extra={"d": path, "marker-end": f"url(#{escape(key)}-tip)"})
                for path in paths
            ],
        )
        for kind, paths in sorted(drawn.items())
    ]


def _marks(named: dict[str, Helper], places: dict[str, tuple[float, float]]) -> svg.G:
    """One mark for all schools: who gives and who receives is the arrows' to say."""
    size = mark_size(len(places)) * (0.6 if len(places) <= 12 else 1)
    marks: list[svg.Element] = []
    for name, (x, y) in sorted(places.items()):
        mark: svg.Element = svg.Path(extra={"d": outline("circle", x, y, size)})
        if len(places) <= MAX_LINKS:
            mark.elements = [svg.Title(text=escape(named[name].label))]
            if named[name].href:
                mark = svg.A(href=escape(named[name].href), tabindex=-1, elements=[mark])
        marks.append(mark)
    return svg.G(fill="#fff", stroke=INK, stroke_width=1.4, elements=marks)


def _merged(
    arrows: Sequence[Arrow], places: dict[str, tuple[float, float]], key: str
) -> list[svg.Element]:
    """Arrows between cells of the map, as thick as they are many; within a cell, a disc."""

    def cell(name: str) -> tuple[float, float]:
        x, y = places[name]
        return (x // CELL + 0.5) * CELL, (y // CELL + 0.5) * CELL

    found = Counter((cell(a.giving), cell(a.receiving)) for a in arrows)
    most = max(found.values())
    discs: list[svg.Element] = []
    lines: dict[float, list[svg.Element]] = {}
    for (start, end), n in sorted(found.items()):
        words = ngettext("%(n)s arrow", "%(n)s arrows", n) % {"n": number(n, 0)}
        title: list[svg.Element] = [svg.Title(text=escape(words))]
        if start == end:
            radius = round(2 + 8 * (n / most) ** 0.5, 1)
            discs.append(svg.Circle(cx=start[0], cy=start[1], r=radius, elements=title))
        else:
            path = svg.Path(extra={"d": _bow(start, end, 3)}, elements=title)
            lines.setdefault(round(0.6 + 3.4 * n / most, 1), []).append(path)
    groups: list[svg.Element] = [svg.G(fill=SOFT, fill_opacity=0.5, elements=discs)]
    for width, paths in sorted(lines.items()):
        # Said once a group: a nation's arrows stay light.
        tips = {"marker-end": f"url(#{escape(key)}-tip)"}
        groups.append(svg.G(fill="none", stroke=ACCENT, stroke_width=width, stroke_opacity=0.7,
                            extra=tips, elements=paths))  # fmt: skip
    return groups
