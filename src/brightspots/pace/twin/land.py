"""An invented country: its coast, counties and sub-counties, towns and roads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brightspots.core.coverage import (
    Labels,
    Points,
    Polygons,
    absorb_islands,
    dissolve,
    neighbour_pairs,
    voronoi_cells,
)
from brightspots.core.errors import InputError
from brightspots.core.geography import EARTH_RADIUS_KM
from brightspots.pace.twin.parameters import TwinParameters

ORIGIN_LATITUDE, ORIGIN_LONGITUDE = -1.5, -28.0
"""Open water in the Atlantic: nobody can take the invented country for a real one."""

_REMOTE_KM2 = 1500.0  # about the half circle around a remote school at the coast
_CELLS_A_SUB_COUNTY = 420
_SEA = -1


@dataclass(frozen=True)
class Land:
    """The country on a plane, in km around its middle.

    Parameters
    ----------
    radius : float
        Of a disc of the same area, km.
    shapes : array of polygons
        One a sub-county; they form a coverage.
    county : array of int
        County of each sub-county.
    remote, towns : array (., 2)
        Places of the remote schools and of the towns, the largest town first.
    town_weight : array
        Share of the schools in towns that each holds.
    roads : array of lines
    """

    radius: float
    shapes: Polygons
    county: Labels
    remote: Points
    towns: Points
    town_weight: NDArray[np.float64]
    roads: Polygons


def make_land(parameters: TwinParameters, rng: np.random.Generator) -> Land:
    """Draw the country: coast, areas, remote places, towns, roads."""
    area = parameters.n_schools * parameters.km2_per_school + parameters.n_remote * _REMOTE_KM2
    radius = float(np.sqrt(area / np.pi))
    shapes, county = _areas(parameters.sub_counties, radius, rng)
    nation = shapely.coverage_union_all(shapes)
    remote = _remote_places(nation, parameters.n_remote, parameters.remote_km, rng)
    towns, weight = _towns(nation, radius, remote, parameters, rng)
    villages = _villages(nation, remote, parameters, rng)
    return Land(radius, shapes, county, remote, towns, weight, _roads(towns, villages, rng))


def to_degrees(points: Points) -> Points:
    """Longitude and latitude of points in km; areas and distances hold near the origin."""
    latitude = ORIGIN_LATITUDE + np.degrees(points[:, 1] / EARTH_RADIUS_KM)
    width = EARTH_RADIUS_KM * np.cos(np.radians(ORIGIN_LATITUDE))
    longitude = ORIGIN_LONGITUDE + np.degrees(points[:, 0] / width)
    return np.column_stack([longitude, latitude])


def _areas(
    sub_counties: tuple[int, ...], radius: float, rng: np.random.Generator
) -> tuple[Polygons, Labels]:
    """Sub-counties as dissolved cells of a fine Voronoi diagram, so that borders wind."""
    n_cells = max(2500, _CELLS_A_SUB_COUNTY * sum(sub_counties))
    reach = 1.5 * radius
    step = 2 * reach / np.sqrt(n_cells * 4 * 1.5**2 / np.pi)
    axis = np.arange(-reach, reach + step, step)
    grid = np.array(np.meshgrid(axis, axis)).reshape(2, -1).T
    points = grid + rng.uniform(-0.4 * step, 0.4 * step, grid.shape)
    bent = points + _winding(points, radius, rng)
    on_land = np.linalg.norm(bent, axis=1) < radius
    county, sub_county = np.full(len(points), _SEA), np.full(len(points), _SEA)
    county[on_land] = _bisect(bent[on_land], np.array(sub_counties))
    first = 0
    for at, n_parts in enumerate(sub_counties):
        here = county == at
        sub_county[here] = first + _parts(bent[here], n_parts, rng)
        first += n_parts
    sea = sub_county == _SEA
    labels = np.where(sea, first, sub_county).astype(np.int64)
    labels = absorb_islands(labels, neighbour_pairs(points), fixed=sea)
    shapes = dissolve(voronoi_cells(points), labels, first + 1)[:first]
    shapes = shapely.coverage_simplify(shapes, 0.6 * step)
    return shapes, np.repeat(np.arange(len(sub_counties)), sub_counties).astype(np.int64)


def _winding(points: Points, radius: float, rng: np.random.Generator) -> Points:
    """Displacement of each point by waves of falling length and height, as a fractal has."""
    moved = np.zeros_like(points)
    for octave in range(1, 7):
        length, height = 2.2 * radius / 1.9**octave, 0.3 * radius / 1.9**octave
        for _ in range(4):
            turn, phase = rng.uniform(0, 2 * np.pi, 2)
            push = rng.uniform(0, 2 * np.pi)
            along = points @ np.array([np.cos(turn), np.sin(turn)])
            wave = height / 2 * np.sin(2 * np.pi * along / length + phase)
            moved += wave[:, None] * np.array([np.cos(push), np.sin(push)])
    return moved


def _bisect(points: Points, weights: NDArray[np.int64]) -> Labels:
    """Cut points into compact parts in proportion to `weights`, across the longer axis."""
    labels = np.zeros(len(points), dtype=np.int64)
    if len(weights) == 1:
        return labels
    half = int(np.argmin(np.abs(np.cumsum(weights)[:-1] - weights.sum() / 2))) + 1
    centred = points - points.mean(axis=0)
    axis = np.linalg.svd(centred.T @ centred)[0][:, 0]
    along = centred @ axis
    left = along <= np.quantile(along, weights[:half].sum() / weights.sum())
    labels[left] = _bisect(points[left], weights[:half])
    labels[~left] = half + _bisect(points[~left], weights[half:])
    return labels


def _parts(points: Points, n_parts: int, rng: np.random.Generator) -> Labels:
    """Lloyd's algorithm: parts of about equal size around their middles."""
    middles = points[rng.choice(len(points), n_parts, replace=False)]
    for _ in range(25):
        label = cKDTree(middles).query(points)[1]
        counts = np.maximum(np.bincount(label, minlength=n_parts), 1)
        sums = np.stack([np.bincount(label, points[:, k], n_parts) for k in (0, 1)], axis=1)
        middles = sums / counts[:, None]
    return np.asarray(cKDTree(middles).query(points)[1], dtype=np.int64)


def _inside(nation: shapely.Geometry, n: int, rng: np.random.Generator) -> Points:
    low_x, low_y, high_x, high_y = nation.bounds
    shapely.prepare(nation)
    points = rng.uniform([low_x, low_y], [high_x, high_y], (n, 2))
    kept: Points = points[shapely.contains_xy(nation, points)]
    return kept


def _remote_places(
    nation: shapely.Geometry, n: int, remote_km: float, rng: np.random.Generator
) -> Points:
    """Places near the coast, as far from each other as can be."""
    if n == 0:
        return np.zeros((0, 2))
    points = _inside(nation, 6000, rng)
    to_coast = shapely.distance(nation.boundary, shapely.points(points))
    low, high = np.quantile(to_coast, [0.08, 0.3])
    rim = points[(to_coast >= low) & (to_coast <= high)]
    chosen = [rim[rng.integers(len(rim))]]
    while len(chosen) < n:
        nearest = cKDTree(np.array(chosen)).query(rim)[0]
        chosen.append(rim[int(np.argmax(nearest * rng.uniform(0.85, 1.0, len(rim))))])
    return np.array(chosen)


def away_from(points: Points, places: Points, km: float) -> NDArray[np.bool_]:
    """Whether each point lies farther than `km` from every place."""
    if len(places) == 0:
        return np.ones(len(points), dtype=bool)
    far: NDArray[np.bool_] = np.asarray(cKDTree(places).query(points)[0]) > km
    return far


def _towns(
    nation: shapely.Geometry,
    radius: float,
    remote: Points,
    parameters: TwinParameters,
    rng: np.random.Generator,
) -> tuple[Points, NDArray[np.float64]]:
    """Towns apart from each other; their sizes follow the rank-size rule of cities."""
    n_towns = max(2, round(parameters.n_schools / 40))
    points = _inside(nation, 400 * n_towns, rng)
    to_coast = shapely.distance(nation.boundary, shapely.points(points))
    clear = remote_clearance(parameters)
    points = points[(to_coast > 0.06 * radius) & away_from(points, remote, clear + 3)]
    apart = 1.1 * radius / np.sqrt(n_towns)
    towns: list[Points] = []
    for point in points:
        if len(towns) == n_towns:
            break
        if not towns or np.linalg.norm(np.array(towns) - point, axis=1).min() > apart:
            towns.append(point)
    if not towns:
        raise no_room()
    weight = 1.0 / np.arange(1, len(towns) + 1) ** 0.8
    return np.array(towns), weight / weight.sum()


def no_room() -> InputError:
    """Say that the remote schools leave no land for the others."""
    return InputError(
        "The invented country has no room for the schools between its remote ones.",
        mend="Ask for fewer remote schools, or more land a school.",
    )


def remote_clearance(parameters: TwinParameters) -> float:
    """Kilometres around a remote school in which no other is built (with some margin)."""
    return 1.04 * parameters.remote_km + 0.5


def _roads(towns: Points, villages: Points, rng: np.random.Generator) -> Polygons:
    """Link each place to the nearest before it, and towns to their nearest neighbour besides."""
    places = np.vstack([towns, villages])
    links: set[tuple[int, int]] = set()
    for at in range(1, len(places)):
        apart = np.linalg.norm(places[: max(at, len(towns))] - places[at], axis=1)
        links.add((int(np.argmin(apart[:at])), at))
        if at < len(towns):
            apart[at] = np.inf
            nearest = int(np.argmin(apart))
            links.add((min(nearest, at), max(nearest, at)))
    return np.array([_winding_line(places[a], places[b], rng) for a, b in sorted(links)])


def _villages(
    nation: shapely.Geometry, remote: Points, parameters: TwinParameters, rng: np.random.Generator
) -> Points:
    """Places spread over the whole land, each as far as can be from those before it."""
    n_villages = max(2, round(parameters.n_schools * (1 - parameters.town_share) / 6))
    points = _inside(nation, 60 * n_villages, rng)
    points = points[away_from(points, remote, remote_clearance(parameters) + 1)]
    if not len(points):
        raise no_room()
    # One place a square of a grid: even, and quick for 50,000 schools.
    side = np.sqrt(shapely.area(nation) / n_villages)
    square = np.floor(points / side).astype(np.int64)
    _, first = np.unique(square, axis=0, return_index=True)
    return points[np.sort(first)]


def _winding_line(start: Points, end: Points, rng: np.random.Generator) -> shapely.Geometry:
    """Midpoints displaced sideways again and again, each time by less."""
    line = np.array([start, end])
    for _ in range(5):
        step = np.diff(line, axis=0)
        aside = np.column_stack([-step[:, 1], step[:, 0]])
        middle = line[:-1] + step / 2 + aside * rng.normal(0, 0.09, (len(step), 1))
        joined = np.empty((len(line) + len(middle), 2))
        joined[::2], joined[1::2] = line, middle
        line = joined
    return shapely.linestrings(line)
