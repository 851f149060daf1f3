"""From longitude and latitude to a place on the drawing, and outlines made light."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from math import cos, radians

import shapely

Ring = tuple[tuple[float, float], ...]

WIDTH = 360.0
KM_PER_DEGREE = 111.195  # on a sphere of radius 6371 km
MAX_CORNERS = 3500  # what keeps a nation's areas under 40 kB


@dataclass(frozen=True)
class Projection:
    """Equirectangular about the middle latitude: true to scale there, north up."""

    west: float
    north: float
    squeeze: float
    per_degree: float
    width: float
    height: float
    margin: float

    @classmethod
    def around(
        cls, corners: Iterable[tuple[float, float]], margin: float = 8, tallest: float = 480
    ) -> "Projection":
        """Fit all (longitude, latitude) in a drawing 360 units wide, or as tall as allowed."""
        xs, ys = zip(*corners, strict=True)
        middle = (min(ys) + max(ys)) / 2
        squeeze = cos(radians(middle))
        # At least about a kilometre across, so that one point can be drawn too.
        across = max((max(xs) - min(xs)) * squeeze, 0.01)
        up = max(max(ys) - min(ys), 0.01)
        per_degree = min((WIDTH - 2 * margin) / across, (tallest - 2 * margin) / up)
        width = max(across * per_degree + 2 * margin, 240)
        height = max(up * per_degree + 2 * margin, 120)
        west = (min(xs) + max(xs)) / 2 - width / 2 / per_degree / squeeze
        north = middle + height / 2 / per_degree
        return cls(west, north, squeeze, per_degree, width, height, margin)

    @property
    def per_km(self) -> float:
        return self.per_degree / KM_PER_DEGREE

    def place(self, longitude: float, latitude: float) -> tuple[float, float]:
        x, y = self.exactly(longitude, latitude)
        return round(x, 1), round(y, 1)

    def exactly(self, longitude: float, latitude: float) -> tuple[float, float]:
        x = (longitude - self.west) * self.squeeze * self.per_degree
        return x, (self.north - latitude) * self.per_degree


def simplified(areas: Sequence[Sequence[Ring]], projection: Projection) -> list[list[Ring]]:
    """Project all areas and drop corners until they are light, neighbours still meeting.

    coverage_simplify takes the areas together: a border shared by two stays shared. Where
    the source's borders do not match it cannot, and each outline is simplified alone; the
    white line between areas is wider than the seams that leaves.
    """
    return _simplified(tuple(tuple(rings) for rings in areas), projection)


@lru_cache(maxsize=32)  # outlines change once a year, and a page is read many times a day
def _simplified(areas: tuple[tuple[Ring, ...], ...], projection: Projection) -> list[list[Ring]]:
    lighter = [_polygon(rings, projection) for rings in areas]
    tolerance = 0.3
    most = max(MAX_CORNERS, 16 * len(lighter))
    while shapely.get_num_coordinates(lighter).sum() > most and tolerance < 4:
        lighter = list(shapely.coverage_simplify(lighter, tolerance))
        if shapely.get_num_coordinates(lighter).sum() > most:
            lighter = list(shapely.simplify(lighter, tolerance))
        tolerance *= 1.4
    return [_rings(shape) for shape in lighter]


def _polygon(rings: Sequence[Ring], projection: Projection) -> shapely.Geometry:
    """The rings as one valid geometry; a ring inside another is a hole."""
    solid = [
        shapely.make_valid(shapely.Polygon([projection.exactly(x, y) for x, y in ring]))
        for ring in rings
        if len(set(ring)) >= 3
    ]
    found = reduce(shapely.symmetric_difference, solid, shapely.MultiPolygon())
    parts = [part for part in shapely.get_parts(found) if part.geom_type == "Polygon"]
    return _without_islets(shapely.MultiPolygon(parts))


def _without_islets(shape: shapely.Geometry) -> shapely.Geometry:
    """Leave out islets and holes smaller than the pen, but never the whole area."""
    parts = sorted(shapely.get_parts(shape), key=lambda part: -part.area)
    return shapely.MultiPolygon(
        [
            shapely.Polygon(part.exterior, [hole for hole in part.interiors if _size(hole) >= 1])
            for index, part in enumerate(parts)
            if index == 0 or part.area >= 1
        ]
    )


def _size(ring: shapely.LinearRing) -> float:
    return float(shapely.Polygon(ring).area)


def _rings(shape: shapely.Geometry) -> list[Ring]:
    return [
        tuple((round(x, 1), round(y, 1)) for x, y in ring.coords)
        for part in shapely.get_parts(shape)
        for ring in (part.exterior, *part.interiors)
    ]


def compact_path(rings: Sequence[Ring]) -> str:
    """Path data in relative steps of a tenth of a unit: a third of the absolute form."""
    pieces = []
    for ring in rings:
        corners = [(round(x * 10), round(y * 10)) for x, y in ring]
        (x0, y0), *rest = corners
        steps = []
        x, y = x0, y0
        for nx, ny in rest[:-1] if rest and rest[-1] == corners[0] else rest:
            if (nx, ny) != (x, y):
                steps.append(_pair(nx - x, ny - y))
                x, y = nx, ny
        joined = " ".join(steps).replace(" -", "-")
        pieces.append(f"M{_pair(x0, y0)}l{joined}z" if steps else "")
    return "".join(pieces)


def _pair(x: int, y: int) -> str:
    first, second = _tenths(x), _tenths(y)
    return first + ("" if second.startswith("-") else " ") + second


def _tenths(value: int) -> str:
    whole, rest = divmod(abs(value), 10)
    digits = f"{whole or ''}.{rest}" if rest else str(whole)
    return f"-{digits}" if value < 0 and digits != "0" else digits
