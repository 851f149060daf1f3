"""Distance on the globe."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth (IUGG), km."""


def unit_vectors(latitude: ArrayLike, longitude: ArrayLike) -> NDArray[np.float64]:
    """Points on the unit sphere, shape (n, 3), from degrees.

    Euclidean neighbours of these points are great-circle neighbours, so an ordinary k-d tree finds
    them everywhere, poles and date line included.
    """
    phi = np.radians(np.asarray(latitude, dtype=np.float64))
    lam = np.radians(np.asarray(longitude, dtype=np.float64))
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def great_circle_km(
    latitude1: ArrayLike, longitude1: ArrayLike, latitude2: ArrayLike, longitude2: ArrayLike
) -> NDArray[np.float64]:
    """Great-circle distance in km by the haversine formula; arrays broadcast."""
    phi1, phi2 = np.radians(np.asarray(latitude1)), np.radians(np.asarray(latitude2))
    half_phi = (phi2 - phi1) / 2
    half_lam = np.radians(np.asarray(longitude2) - np.asarray(longitude1)) / 2
    a = np.sin(half_phi) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(half_lam) ** 2
    distance: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(a, 0.0, 1.0)))
    return distance


def chord(distance_km: float) -> float:
    """Length of the straight line between two unit vectors `distance_km` apart on the globe."""
    return float(2 * np.sin(min(distance_km / EARTH_RADIUS_KM, np.pi) / 2))
