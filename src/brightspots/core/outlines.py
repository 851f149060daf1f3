"""Shapes of areas, drawn around their schools where a ministry has no boundary file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from brightspots.core.coverage import (
    Labels,
    Points,
    Polygons,
    absorb_islands,
    as_geojson,
    components,
    dissolve,
    neighbour_pairs,
    voronoi_cells,
)
from brightspots.core.errors import InputError
from brightspots.core.fields import AREA_SEPARATOR
from brightspots.core.geography import EARTH_RADIUS_KM

_NEIGHBOURS = 10
_LEAST = 5  # points an area needs before a point can be called unlike the others
_BYTES_A_CORNER = 20  # of GeoJSON with three decimals, brackets and the like included
_LEAST_CORNERS = 8  # an area on average, however many areas there are
_MOST_EMPTY_POINTS = 250_000


@dataclass(frozen=True)
class OutlineParameters:
    """How outlines are drawn.

    Parameters
    ----------
    reach_km : float
        An outline reaches at most this far beyond a school.
    least_reach_km : float
        And at least this far, where schools stand close together (half of either where the
        emptiness of a neighbour begins).
    far_factor, far_km : float
        A school is left out as misplaced when it lies farther from its area's median point than
        `far_factor` times the median distance there and than `far_km`.
    kilobytes : float
        About how large the outlines of the lowest areas may be as GeoJSON; more where there are so
        many areas that fewer than 8 corners each would be left.
    """

    reach_km: float = 30.0
    least_reach_km: float = 6.0
    far_factor: float = 8.0
    far_km: float = 60.0
    kilobytes: float = 36.0

    def __post_init__(self) -> None:
        if not 0 < self.least_reach_km <= self.reach_km:
            raise InputError("least_reach_km has to lie between 0 and reach_km.")
        if not (self.far_factor > 1 and self.far_km > 0 and self.kilobytes > 0):
            raise InputError("far_factor has to be above 1; far_km and kilobytes above 0.")


@dataclass(frozen=True)
class AreaOutlines:
    """Outlines and what was left out of them.

    Parameters
    ----------
    outlines : mapping of area path to GeoJSON MultiPolygon
        Every area and every area above it. Areas of one level do not overlap; an area is exactly
        the union of the areas within it.
    misplaced : DataFrame
        area_path, latitude, longitude, km_from_area, reason: schools whose coordinates do not
        fit their area and which had no say.
    not_drawn : list of str
        Areas without any usable point.
    """

    outlines: Mapping[str, dict[str, Any]]
    misplaced: pl.DataFrame
    not_drawn: list[str]


def area_outlines(
    points: pl.DataFrame, parameters: OutlineParameters | None = None
) -> AreaOutlines:
    """Draw each area around its schools.

    Every place belongs to the area of the school nearest to it (Voronoi cells, dissolved by
    area), as far as schools reach: emptiness at the rim is left out, emptiness within the nation
    is filled. Corners are dropped after Visvalingam and Whyatt with shared borders kept shared.

    Parameters
    ----------
    points : DataFrame
        area_path (levels joined by " > ", the largest first), latitude, longitude in degrees.
        Rows without an area or a place are passed over. The order of rows does not matter.
    parameters : OutlineParameters, optional

    Returns
    -------
    AreaOutlines

    Raises
    ------
    InputError
        A column is missing, or there are fewer than 3 places.

    Notes
    -----
    Distances are taken on a plane through the middle of the points: good for a nation that does
    not lie across the date line or a pole.
    """
    parameters = parameters or OutlineParameters()
    rows = _usable(points)
    plane = _Plane.around(rows)
    paths = rows["area_path"].unique().sort().to_list()
    label = rows["area_path"].replace_strict(paths, list(range(len(paths)))).to_numpy()
    xy = plane.km(rows)
    far, reason = _misplaced(xy, label.astype(np.int64), parameters)
    misplaced = rows.with_columns(
        pl.Series("km_from_area", np.round(far, 1)), pl.Series("reason", reason)
    ).filter(pl.col("reason") != "")
    kept = reason == ""
    shapes = _leaf_shapes(xy[kept], label[kept].astype(np.int64), len(paths), plane, parameters)
    drawn = {path: shape for path, shape in zip(paths, shapes, strict=True) if not shape.is_empty}
    every = [path for path in points["area_path"].drop_nulls().unique().sort() if path]
    missing = [path for path in every if path not in drawn]
    return AreaOutlines(_with_parents(drawn), misplaced, missing)


@dataclass(frozen=True)
class _Plane:
    """Equirectangular projection around a middle, km."""

    latitude: float
    longitude: float

    @classmethod
    def around(cls, rows: pl.DataFrame) -> _Plane:
        latitude, longitude = rows.select("latitude", "longitude").median().row(0)
        return cls(float(latitude), float(longitude))

    @property
    def _width(self) -> float:
        return float(np.radians(EARTH_RADIUS_KM) * np.cos(np.radians(self.latitude)))

    def km(self, rows: pl.DataFrame) -> Points:
        x = (rows["longitude"].to_numpy() - self.longitude) * self._width
        y = (rows["latitude"].to_numpy() - self.latitude) * np.radians(EARTH_RADIUS_KM)
        return np.column_stack([x, y])

    def degrees(self, xy: Points) -> Points:
        return np.column_stack(
            [
                self.longitude + xy[:, 0] / self._width,
                self.latitude + xy[:, 1] / np.radians(EARTH_RADIUS_KM),
            ]
        )


def _usable(points: pl.DataFrame) -> pl.DataFrame:
    """One row a place and area, sorted: neither order nor repetition has a say."""
    for column in ("area_path", "latitude", "longitude"):
        if column not in points.columns:
            raise InputError(f'There is no column "{column}".', column=column)
    place = [pl.col(name).cast(pl.Float64).fill_nan(None) for name in ("latitude", "longitude")]
    rows = (
        points.select(pl.col("area_path").cast(pl.String), *place)
        .drop_nulls()
        .filter(
            pl.col("latitude").abs() <= 90,
            pl.col("longitude").abs() <= 180,
            pl.col("area_path") != "",
        )
        # Closer than 10 m is the same place.
        .with_columns(pl.col("latitude", "longitude").round(4))
        .unique()
        .sort("area_path", "latitude", "longitude")
    )
    if rows.select("latitude", "longitude").n_unique() < 3:
        raise InputError(
            "Fewer than 3 different places: no outline can be drawn.",
            mend="Give latitude and longitude of more schools, or a boundary file.",
        )
    return rows


def _misplaced(
    xy: Points, label: Labels, parameters: OutlineParameters
) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Distance of each point from its area's median point, and why it is left out ("": it is not).

    Two rules: far from the area's other schools (by the median distance, which misplaced schools
    hardly move), or none of the nearest schools is of the same area.
    """
    n_labels = int(label.max()) + 1
    far = np.zeros(len(xy))
    limit = np.full(len(xy), np.inf)
    order = np.argsort(label, kind="stable")
    for own in np.split(order, np.searchsorted(label[order], np.arange(1, n_labels))):
        far[own] = np.linalg.norm(xy[own] - np.median(xy[own], axis=0), axis=1)
        if len(own) >= _LEAST:
            limit[own] = max(parameters.far_km, parameters.far_factor * float(np.median(far[own])))
    reason = np.where(far > limit, "far from the other schools of its area", "")
    near = np.asarray(cKDTree(xy).query(xy, k=min(_NEIGHBOURS + 1, len(xy)))[1])[:, 1:]
    alone = (label[near] != label[:, None]).all(axis=1) & np.isfinite(limit)
    reason = np.where((reason == "") & alone, "among the schools of other areas", reason)
    return far, reason.astype(np.str_)


def _leaf_shapes(
    xy: Points, label: Labels, n_labels: int, plane: _Plane, parameters: OutlineParameters
) -> Polygons:
    """Shapes in degrees of the lowest areas; a coverage."""
    xy, first = np.unique(xy, axis=0, return_index=True)  # a place with two areas: the first
    label = label[first]
    empty = _empty_places(xy, parameters)
    sites = np.vstack([xy, empty])
    labels = np.r_[label, np.full(len(empty), n_labels)]
    pairs = neighbour_pairs(sites)
    labels = _fill_inner_emptiness(sites, labels, pairs, n_labels)
    outside = labels == n_labels
    # Splinters of an area within another come from schools put under the wrong area.
    labels = absorb_islands(labels, pairs, largest_island=0.06, fixed=outside)
    shapes = dissolve(voronoi_cells(sites), labels, n_labels + 1)[:n_labels]
    return _light(shapes, plane, parameters)


def _empty_places(xy: Points, parameters: OutlineParameters) -> Points:
    """Points of a fine grid that are farther from every school than schools there reach.

    A border runs half way between a school and emptiness, so emptiness begins at twice the reach.
    """
    tree = cKDTree(xy)
    k = min(6, len(xy))
    spacing = np.asarray(tree.query(xy, k=k)[0])[:, -1]
    reach = np.clip(1.2 * spacing, parameters.least_reach_km, parameters.reach_km)
    low, high = xy.min(axis=0), xy.max(axis=0)
    margin = 3 * parameters.reach_km
    size = high - low + 2 * margin
    step = max(0.8 * parameters.least_reach_km, float(np.sqrt(size.prod() / _MOST_EMPTY_POINTS)))
    columns = np.arange(low[0] - margin, high[0] + margin + step, step)
    lines = np.arange(low[1] - margin, high[1] + margin + step, step)
    grid = np.array(np.meshgrid(columns, lines)).reshape(2, -1).T
    # A regular grid would show as a staircase along the coast. The shaking is fixed: no seed.
    grid = grid + np.random.default_rng(0).uniform(-0.35 * step, 0.35 * step, grid.shape)
    distance, nearest = tree.query(grid)
    kept: Points = grid[distance > 2 * reach[nearest]]
    return kept


def _fill_inner_emptiness(
    sites: Points, labels: Labels, pairs: NDArray[np.int64], empty: int
) -> Labels:
    """Give emptiness that is closed in by areas (a park, a lake) to the nearest school's area."""
    piece = components(labels, pairs)
    outer = piece[int(np.argmin(sites[:, 0]))]  # the grid's margin is all one piece
    inner = (labels == empty) & (piece != outer)
    if not inner.any():
        return labels
    schools = labels != empty
    nearest = cKDTree(sites[schools]).query(sites[inner])[1]
    filled = labels.copy()
    filled[inner] = labels[schools][nearest]
    return filled


def _light(shapes: Polygons, plane: _Plane, parameters: OutlineParameters) -> Polygons:
    """Drop corners, neighbours alike, until the outlines are light; then round them."""
    there = ~shapely.is_empty(shapes)
    target = max(
        parameters.kilobytes * 1000 / _BYTES_A_CORNER, _LEAST_CORNERS * np.count_nonzero(there)
    )
    low, high = 0.05, 50.0
    simple = shapely.coverage_simplify(shapes[there], low)
    if shapely.get_num_coordinates(simple).sum() > target:
        for _ in range(12):
            middle = float(np.sqrt(low * high))
            simple = shapely.coverage_simplify(shapes[there], middle)
            if shapely.get_num_coordinates(simple).sum() > target:
                low = middle
            else:
                high = middle
        simple = shapely.coverage_simplify(shapes[there], high)
    light = shapes.copy()
    light[there] = _rounded(simple, plane)
    return light


def _rounded(shapes: Polygons, plane: _Plane) -> Polygons:
    """Degrees with as few decimals as keep every shape whole and every border shared."""
    for decimals in (3, 4, 5, 6, 7):
        rounded: Polygons = shapely.transform(
            shapes, lambda xy, decimals=decimals: np.round(plane.degrees(xy), decimals)
        )
        rounded = shapely.remove_repeated_points(rounded)
        if shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded):
            return rounded
    exact: Polygons = shapely.transform(shapes, plane.degrees)
    return exact


def _with_parents(drawn: Mapping[str, BaseGeometry]) -> dict[str, dict[str, Any]]:
    """Add to the lowest areas those above them, each the union of what it holds."""
    members: dict[str, list[BaseGeometry]] = {}
    for path, shape in drawn.items():
        levels = path.split(AREA_SEPARATOR)
        for depth in range(1, len(levels) + 1):
            members.setdefault(AREA_SEPARATOR.join(levels[:depth]), []).append(shape)
    return {
        path: as_geojson(shapely.coverage_union_all(np.array(shapes)))
        for path, shapes in sorted(members.items())
    }
