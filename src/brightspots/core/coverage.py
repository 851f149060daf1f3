"""Areas of a map drawn from labelled points: shared borders are the same line on both sides.

A *coverage* is a set of polygons that do not overlap and whose shared borders have the same
corners. Voronoi cells of points are one, and so is what is left after cells of one label are
dissolved; nothing here cuts a polygon, so the property is never lost to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay
from shapely.geometry.base import BaseGeometry

Points = NDArray[np.float64]
Labels = NDArray[np.int64]
Polygons = NDArray[np.object_]


def voronoi_cells(points: Points) -> Polygons:
    """Voronoi cell of each point, in the order of the points.

    Parameters
    ----------
    points : array (n, 2)
        Distinct points, n >= 4, not all on one line.
    """
    cells: Polygons = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(points), ordered=True)
    )
    return cells


def neighbour_pairs(points: Points) -> NDArray[np.int64]:
    """Pairs (i, j), i < j, of points whose Voronoi cells touch; shape (m, 2)."""
    triangles = Delaunay(points).simplices
    pairs = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]])
    unique: NDArray[np.int64] = np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int64)
    return unique


def components(labels: Labels, pairs: NDArray[np.int64]) -> Labels:
    """Find connected pieces of cells of one label: the number of the piece of each cell."""
    same = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    inside = pairs[same]
    graph = coo_array(
        (np.ones(len(inside), dtype=np.int8), (inside[:, 0], inside[:, 1])),
        shape=(len(labels), len(labels)),
    )
    piece: Labels = connected_components(graph, directed=False)[1].astype(np.int64)
    return piece


def absorb_islands(
    labels: Labels,
    pairs: NDArray[np.int64],
    largest_island: float = 1.0,
    fixed: NDArray[np.bool_] | None = None,
) -> Labels:
    """Give small pieces cut off from their label's main piece to the label around them.

    Parameters
    ----------
    labels : array (n,)
    pairs : array (m, 2)
        Neighbours, as from :func:`neighbour_pairs`.
    largest_island : float
        A piece is small when it holds fewer than this share of its label's cells; with 1 only the
        main piece stays.
    fixed : array (n,) of bool, optional
        Cells that are neither moved nor give their label to others (emptiness, open sea).
    """
    labels = labels.copy()
    fixed = np.zeros(len(labels), dtype=bool) if fixed is None else fixed
    for _ in range(20):  # an island beside an island needs a further round; a few are enough
        piece = components(labels, pairs)
        size = np.bincount(piece)
        total = np.zeros(int(labels.max()) + 1)
        np.add.at(total, labels, 1.0)
        label_of = np.zeros(len(size), dtype=np.int64)
        label_of[piece] = labels
        order = np.lexsort((np.arange(len(size)), -size, label_of))
        main = np.zeros(len(size), dtype=bool)
        main[order[np.r_[True, np.diff(label_of[order]) != 0]]] = True
        small = ~main & (size < largest_island * total[label_of])
        loose = small[piece] & ~fixed
        moved = _labels_around(labels, pairs, piece, loose, fixed)
        if not moved:
            break
        for at, label in moved.items():
            labels[piece == at] = label
    return labels


def _labels_around(
    labels: Labels,
    pairs: NDArray[np.int64],
    piece: Labels,
    loose: NDArray[np.bool_],
    fixed: NDArray[np.bool_],
) -> dict[int, int]:
    """For each loose piece the label that most of its settled neighbours have."""
    both = np.vstack([pairs, pairs[:, ::-1]])
    out = both[loose[both[:, 0]] & ~loose[both[:, 1]] & ~fixed[both[:, 1]]]
    if not len(out):
        return {}
    votes = np.column_stack([piece[out[:, 0]], labels[out[:, 1]]])
    found, counts = np.unique(votes, axis=0, return_counts=True)
    order = np.lexsort((found[:, 1], -counts, found[:, 0]))
    first = order[np.r_[True, np.diff(found[order, 0]) != 0]]
    return {int(found[at, 0]): int(found[at, 1]) for at in first}


def dissolve(cells: Polygons, labels: Labels, n_labels: int) -> Polygons:
    """One polygon or multipolygon a label 0 .. n_labels - 1; empty where no cell has it."""
    order = np.argsort(labels, kind="stable")
    ends = np.searchsorted(labels[order], np.arange(n_labels + 1))
    united = np.empty(n_labels, dtype=object)
    for label in range(n_labels):
        united[label] = shapely.coverage_union_all(cells[order[ends[label] : ends[label + 1]]])
    return united


def as_geojson(shape: BaseGeometry) -> dict[str, Any]:
    """GeoJSON MultiPolygon, outer rings anticlockwise (RFC 7946, section 3.1.6)."""
    parts = [
        shapely.geometry.polygon.orient(part)
        for part in shapely.get_parts(shape)
        if part.geom_type == "Polygon" and not part.is_empty
    ]
    rings = [[_ring(part.exterior), *map(_ring, part.interiors)] for part in parts]
    return {"type": "MultiPolygon", "coordinates": rings}


def _ring(ring: BaseGeometry) -> list[list[float]]:
    corners: list[list[float]] = shapely.get_coordinates(ring).tolist()
    return corners
