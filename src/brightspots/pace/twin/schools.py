"""Schools of the twin: where they stand, how large and in what circumstances they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from brightspots.core.coverage import Points
from brightspots.core.fields import AREA_SEPARATOR
from brightspots.pace.twin.land import Land, away_from, no_room, remote_clearance, to_degrees
from brightspots.pace.twin.names import invented_names
from brightspots.pace.twin.parameters import TwinParameters

TOWN, RURAL, REMOTE = 0, 1, 2
_RURALITY = np.array(["town", "rural", "remote"])
_YEARS_OF_PRIMARY = 6
_POVERTY_ODDS = {TOWN: -0.9, RURAL: 0.15, REMOTE: 0.8}  # logit of poverty by rurality


@dataclass(frozen=True)
class Schools:
    """The schools as arrays, sorted by code, with the areas around them.

    Parameters
    ----------
    frame, areas : DataFrame
        As in :class:`~brightspots.pace.twin.system.Twin`.
    area : array of int
        Sub-county of each school.
    cohort : array of float
        Expected size of a cohort.
    tiny : array of bool
    poverty : array of float
        Share of pupils in poverty, 0 to 1.
    rurality : array of int
        Code of rurality.
    first_open : array of int
        Index of the first year with pupils.
    """

    frame: pl.DataFrame
    areas: pl.DataFrame
    area: NDArray[np.int64]
    cohort: NDArray[np.float64]
    tiny: NDArray[np.bool_]
    poverty: NDArray[np.float64]
    rurality: NDArray[np.int64]
    first_open: NDArray[np.int64]


def make_schools(parameters: TwinParameters, land: Land, rng: np.random.Generator) -> Schools:
    """Place the schools and draw their circumstances."""
    points, rurality = _places(parameters, land, rng)
    area = _area_of(points, land)
    order = np.lexsort((points[:, 1], points[:, 0], area))
    points, rurality, area = points[order], rurality[order], area[order]
    taken: set[str] = set()
    areas = _area_table(land, taken, rng)
    poverty = _poverty(land, area, rurality, rng)
    cohort, tiny = _cohorts(parameters, rurality, rng)
    opened, first_open = _opened(parameters, rurality, rng)
    n = len(area)
    leaf = areas.filter(pl.col("level") == 2)
    degrees = np.round(to_degrees(points), 5)
    roll = np.maximum(rng.poisson(np.where(tiny, 6.5, cohort) * _YEARS_OF_PRIMARY), 1)
    free_meals = 100 * rng.binomial(roll, poverty) / roll
    languages = np.array(invented_names(2, rng, taken))
    home = np.where(land.county[area] % 2 == 0, 0.85, 0.3)
    frame = pl.DataFrame(
        {
            "code": _codes(leaf["code"].to_numpy(), area),
            "name": [f"{name} Primary School" for name in invented_names(n, rng, taken)],
            "area_path": leaf["path"].to_numpy()[area],
            "latitude": degrees[:, 1],
            "longitude": degrees[:, 0],
            "phase": np.full(n, "Primary"),
            "sector": rng.choice(["Public", "Faith", "Private"], n, p=[0.82, 0.11, 0.07]),
            "language": languages[(rng.uniform(size=n) > home).astype(int)],
            "roll": roll,
            "poverty": np.round(free_meals, 1),
            "rurality": _RURALITY[rurality],
            "opened": opened,
        }
    )
    return Schools(frame, areas, area, cohort, tiny, poverty, rurality, first_open)


def _places(
    parameters: TwinParameters, land: Land, rng: np.random.Generator
) -> tuple[Points, NDArray[np.int64]]:
    n_others = parameters.n_schools - len(land.remote)
    n_town = round(parameters.town_share * n_others)
    n_rural = n_others - n_town
    clear = remote_clearance(parameters)

    def in_towns(n: int) -> Points:
        town = rng.choice(len(land.towns), n, p=land.town_weight)
        # About one school for 3 km^2 in the middle of a town, fewer towards its edge.
        spread = 0.7 * np.sqrt(land.town_weight * max(n_town, 1) * 3.0 / np.pi) + 0.4
        return land.towns[town] + spread[town, None] * rng.standard_normal((n, 2))

    def in_the_country(n: int) -> Points:
        by_length = shapely.length(land.roads)
        road = rng.choice(len(land.roads), n, p=by_length / by_length.sum())
        at = rng.uniform(size=n)
        spot = shapely.line_interpolate_point(land.roads[road], at, normalized=True)
        aside = np.where(rng.uniform(size=n) < 0.6, 0.9, 3.5)[:, None]
        beside: Points = shapely.get_coordinates(spot) + aside * rng.standard_normal((n, 2))
        return beside

    places = [land.remote]
    for draw, n in ((in_towns, n_town), (in_the_country, n_rural)):
        found = np.zeros((0, 2))
        for _ in range(200):
            points = draw(2 * n + 20)
            kept = (_area_of(points, land) >= 0) & away_from(points, land.remote, clear)
            found = np.vstack([found, points[kept]])[:n]
            if len(found) == n:
                break
        if len(found) < n:
            raise no_room()
        places.append(found)
    rurality = np.repeat([REMOTE, TOWN, RURAL], [len(found) for found in places])
    return np.vstack(places), rurality.astype(np.int64)


def _area_of(points: Points, land: Land) -> NDArray[np.int64]:
    """Sub-county of each point; -1 in the sea."""
    area = np.full(len(points), -1, dtype=np.int64)
    hit = shapely.STRtree(land.shapes).query(shapely.points(points), predicate="within")
    area[hit[0]] = hit[1]
    return area


def _area_table(land: Land, taken: set[str], rng: np.random.Generator) -> pl.DataFrame:
    n_counties = int(land.county.max()) + 1
    names = invented_names(1 + n_counties + len(land.county), rng, taken)
    nation = names[0]
    rows: list[tuple[str, str, str | None, int, str]] = [("0", nation, None, 0, nation)]
    wide = 2 if n_counties < 100 else 3
    for at in range(n_counties):
        name = names[1 + at]
        rows.append((f"{at + 1:0{wide}d}", name, "0", 1, AREA_SEPARATOR.join([nation, name])))
    for at, county in enumerate(land.county):
        parent = rows[1 + int(county)]
        number = at - int(np.argmax(land.county == county)) + 1
        name = names[1 + n_counties + at]
        path = AREA_SEPARATOR.join([parent[4], name])
        rows.append((f"{parent[0]}{number:02d}", name, parent[0], 2, path))
    return pl.DataFrame(rows, schema=["code", "name", "parent", "level", "path"], orient="row")


def _codes(area_codes: NDArray[np.object_], area: NDArray[np.int64]) -> list[str]:
    """Code of the sub-county, then a running number; they begin with a zero, as real ones do."""
    first = np.searchsorted(area, area)
    serial = np.arange(len(area)) - first + 1
    wide = max(4, len(str(serial.max())))
    return [f"{area_codes[a]}{s:0{wide}d}" for a, s in zip(area, serial, strict=True)]


def _poverty(
    land: Land, area: NDArray[np.int64], rurality: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    by_rurality = np.array([_POVERTY_ODDS[code] for code in (TOWN, RURAL, REMOTE)])
    by_area = rng.normal(0, 0.45, len(land.shapes))
    odds = by_rurality[rurality] + by_area[area] + rng.normal(0, 0.55, len(area))
    share: NDArray[np.float64] = 1 / (1 + np.exp(-odds))
    return share


def _cohorts(
    parameters: TwinParameters, rurality: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    n = len(rurality)
    by_rurality = np.array([0.25, -0.15, -0.9])[rurality] * (parameters.cohort_spread > 0)
    cohort = parameters.cohort_median * np.exp(
        by_rurality + parameters.cohort_spread * rng.standard_normal(n)
    )
    tiny = np.zeros(n, dtype=bool)
    country = np.flatnonzero(rurality != TOWN)
    n_tiny = min(round(parameters.tiny_share * n), len(country))
    tiny[rng.choice(country, n_tiny, replace=False)] = True
    return cohort, tiny


def _opened(
    parameters: TwinParameters, rurality: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    n = len(rurality)
    opened = parameters.first_year - rng.integers(5, 70, n)
    first_open = np.zeros(n, dtype=np.int64)
    if parameters.n_years >= 3 and parameters.n_opened_late:
        settled = np.flatnonzero(rurality != REMOTE)
        late = rng.choice(settled, parameters.n_opened_late, replace=False)
        opened[late] = parameters.first_year + 2
        first_open[late] = 2
    return opened, first_open
