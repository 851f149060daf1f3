"""The school systems that partnerships are measured on: three real maps and made ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SEED = 1


def tanzania() -> pl.DataFrame:
    """Codes and coordinates of all schools that have them."""
    frame = pl.read_csv(DATA / "tanzania" / "school_coordinates_population.csv.gz")
    return frame.select(pl.col("school_id").alias("school"), "latitude", "longitude").sort("school")


def kenya() -> pl.DataFrame:
    """All points of the list of 2016; several schools on one site are kept."""
    frame = pl.read_csv(DATA / "kenya" / "kenya_schools_2016_points.csv.gz", infer_schema_length=0)
    return frame.select(
        pl.col("objectid").alias("school"),
        pl.col("latitude").cast(pl.Float64),
        pl.col("longitude").cast(pl.Float64),
    ).sort("school")


def england() -> pl.DataFrame:
    """Open primaries with a place, from their national grid references."""
    path = DATA / "england" / "gias_england_primary_easting_northing.csv.gz"
    frame = pl.read_csv(path, infer_schema_length=0).with_columns(
        pl.col("easting", "northing").cast(pl.Float64, strict=False)
    )
    frame = frame.drop_nulls(["easting", "northing"]).unique("school_key", maintain_order=True)
    latitude, longitude = from_grid(frame["easting"].to_numpy(), frame["northing"].to_numpy())
    return frame.select(
        pl.col("school_key").alias("school"),
        pl.Series("latitude", latitude),
        pl.Series("longitude", longitude),
    ).sort("school")


def from_grid(
    easting: NDArray[np.float64], northing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude of British National Grid references, on the grid's own ellipsoid.

    Ordnance Survey, "A guide to coordinate systems in Great Britain", annexe C.2; the shift to
    WGS 84 (about 100 m) is left out, since it moves neighbours alike.
    """
    a, b, f0 = 6377563.396, 6356256.909, 0.9996012717
    lat0, lon0, n0, e0 = math.radians(49), math.radians(-2), -100000.0, 400000.0
    e2, n = 1 - (b / a) ** 2, (a - b) / (a + b)

    def arc(phi: NDArray[np.float64]) -> NDArray[np.float64]:
        d, s = phi - lat0, phi + lat0
        meridian: NDArray[np.float64] = (
            b
            * f0
            * (
                (1 + n + 1.25 * n**2 + 1.25 * n**3) * d
                - (3 * n + 3 * n**2 + 2.625 * n**3) * np.sin(d) * np.cos(s)
                + (1.875 * n**2 + 1.875 * n**3) * np.sin(2 * d) * np.cos(2 * s)
                - 35 / 24 * n**3 * np.sin(3 * d) * np.cos(3 * s)
            )
        )
        return meridian

    phi = lat0 + (northing - n0) / (a * f0)
    for _ in range(8):
        phi = phi + (northing - n0 - arc(phi)) / (a * f0)
    sin, tan, sec = np.sin(phi), np.tan(phi), 1 / np.cos(phi)
    nu = a * f0 / np.sqrt(1 - e2 * sin**2)
    rho = a * f0 * (1 - e2) / (1 - e2 * sin**2) ** 1.5
    eta2, x = nu / rho - 1, (easting - e0) / nu
    latitude = phi - tan * nu / rho * (
        x**2 / 2
        - x**4 / 24 * (5 + 3 * tan**2 + eta2 - 9 * tan**2 * eta2)
        + x**6 / 720 * (61 + 90 * tan**2 + 45 * tan**4)
    )
    longitude = lon0 + sec * (
        x - x**3 / 6 * (nu / rho + 2 * tan**2) + x**5 / 120 * (5 + 28 * tan**2 + 24 * tan**4)
    )
    return np.degrees(latitude), np.degrees(longitude)


def made(n: int) -> pl.DataFrame:
    """A clustered map of `n` invented schools, 35 % of which may lead."""
    random = np.random.default_rng(3)
    towns = max(n // 60, 1)
    side = math.sqrt(n / 0.25)  # one school for each 4 square km
    middle = random.uniform(0, side, (towns, 2))
    weight = random.pareto(1.2, towns) + 1
    town = random.choice(towns, n, p=weight / weight.sum())
    spread = random.uniform(2, 15, towns)[town]
    place = middle[town] + random.normal(0, 1, (n, 2)) * spread[:, None]
    return pl.DataFrame({
        "school": [f"S{i:06d}" for i in range(n)],
        "latitude": place[:, 1] / 111.195 - 5,
        "longitude": place[:, 0] / 111.195 + 30,
        "leader": (random.random(n) < 0.35).astype(np.int64),
    })  # fmt: skip


def some_lead(schools: pl.DataFrame) -> pl.DataFrame:
    """Let 35 % of the schools lead."""
    random = np.random.default_rng(SEED)
    may = (random.random(schools.height) < 0.35).astype(np.int64)
    return schools.with_columns(leader=pl.Series(may))


def nearest_to_middle(schools: pl.DataFrame, n: int) -> pl.DataFrame:
    """Return the `n` schools nearest to the school in the middle: a compact area."""
    lat, lon = schools["latitude"].to_numpy(), schools["longitude"].to_numpy()
    away = haversine_km(lat, lon, float(np.median(lat)), float(np.median(lon)))
    return schools[np.sort(np.argsort(away, kind="stable")[:n])]


def haversine_km(
    lat1: NDArray[np.float64], lon1: NDArray[np.float64], lat2: Any, lon2: Any
) -> NDArray[np.float64]:
    """Great-circle distance, written down apart from the library."""
    p1, p2 = np.radians(lat1), np.radians(lat2)
    a = (
        np.sin((p2 - p1) / 2) ** 2
        + np.cos(p1) * np.cos(p2) * np.sin((np.radians(lon2) - np.radians(lon1)) / 2) ** 2
    )
    km: NDArray[np.float64] = 2 * 6371.0088 * np.arcsin(np.sqrt(a))
    return km


SYSTEMS: dict[str, Callable[[], pl.DataFrame]] = {
    "150 of Tanzania's": lambda: nearest_to_middle(tanzania(), 150),
    "300 of Tanzania's": lambda: nearest_to_middle(tanzania(), 300),
    "1,000 of Tanzania's": lambda: nearest_to_middle(tanzania(), 1000),
    "4,000 of Tanzania's": lambda: nearest_to_middle(tanzania(), 4000),
    "10,000 made": lambda: made(10_000),
    "Tanzania": tanzania,
    "Tanzania, 35 % may lead": lambda: some_lead(tanzania()),
    "England's primaries": england,
    "Kenya": kenya,
    "100,000 made": lambda: made(100_000),
}
