"""Outlines drawn around schools: whole, nested, light, and not led astray by wrong places."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from brightspots.core.errors import InputError
from brightspots.core.outlines import AreaOutlines, OutlineParameters, area_outlines


def block(path: str, west: float, south: float, n: int = 6, step: float = 0.02) -> pl.DataFrame:
    """Return n x n schools on a square grid; .02 degrees are 2.2 km."""
    east, north = np.meshgrid(west + step * np.arange(n), south + step * np.arange(n))
    return pl.DataFrame({"area_path": path, "latitude": north.ravel(), "longitude": east.ravel()})


def two_by_two() -> pl.DataFrame:
    """Two regions of two districts each, side by side, four squares of 13 km."""
    return pl.concat(
        [
            block("North > Left", 10.0, 1.12),
            block("North > Right", 10.12, 1.12),
            block("South > Left", 10.0, 1.0),
            block("South > Right", 10.12, 1.0),
        ]
    )


def shapes_of(drawn: AreaOutlines, depth: int) -> dict[str, shapely.Geometry]:
    return {
        path: shape(outline)
        for path, outline in drawn.outlines.items()
        if path.count(" > ") == depth - 1
    }


def assert_whole(drawn: AreaOutlines, depth: int) -> None:
    """Every shape valid, no overlap at any level, each area the union of those within it."""
    for level in range(1, depth + 1):
        shapes = list(shapes_of(drawn, level).values())
        assert all(each.is_valid and not each.is_empty for each in shapes)
        assert shapely.coverage_is_valid(shapes)
    for path, outline in shapes_of(drawn, 1).items():
        own = [
            shape(each)
            for key, each in drawn.outlines.items()
            if key == path or key.startswith(f"{path} > ")
        ]
        within = [each for each in own if not each.equals(outline)] or own
        assert shapely.union_all(within).equals(outline)


def test_every_area_and_every_area_above_it_gets_an_outline() -> None:
    drawn = area_outlines(two_by_two())
    assert list(drawn.outlines) == [
        "North",
        "North > Left",
        "North > Right",
        "South",
        "South > Left",
        "South > Right",
    ]
    assert all(outline["type"] == "MultiPolygon" for outline in drawn.outlines.values())
    assert drawn.not_drawn == []
    assert drawn.misplaced.height == 0
    assert_whole(drawn, 2)


def test_every_school_lies_in_the_outline_of_its_area() -> None:
    points = two_by_two()
    leaves = shapes_of(area_outlines(points), 2)
    for path, latitude, longitude in points.iter_rows():
        assert leaves[path].covers(shapely.Point(longitude, latitude))


def test_outer_rings_run_anticlockwise_as_the_standard_asks() -> None:
    for outline in area_outlines(two_by_two()).outlines.values():
        for rings in outline["coordinates"]:
            assert shapely.is_ccw(shapely.linearrings(rings[0]))
            assert rings[0][0] == rings[0][-1]


def test_neighbours_share_their_border_and_it_runs_half_way_between_their_schools() -> None:
    leaves = shapes_of(area_outlines(two_by_two()), 2)
    border = leaves["South > Left"].intersection(leaves["South > Right"])
    assert border.length > 0.1
    # Schools end at 10.10 and begin at 10.12.
    inner = border.intersection(shapely.box(9.9, 1.0, 10.3, 1.1))
    assert np.abs(shapely.get_coordinates(inner)[:, 0] - 10.11).max() < 0.01


def test_an_outline_reaches_beyond_schools_but_not_across_open_sea() -> None:
    islands = pl.concat([block("West", 10.0, 1.0), block("East", 13.0, 1.0)])
    drawn = area_outlines(islands)
    sea = shapely.box(10.6, 0.5, 12.6, 1.6)  # 55 km off either island's schools
    for each in shapes_of(drawn, 1).values():
        assert not each.intersects(sea)
        assert each.area > 0.12**2


def test_emptiness_closed_in_by_schools_belongs_to_the_areas_around_it() -> None:
    ring = block("Around", 10.0, 1.0, n=60).filter(
        ~(pl.col("latitude").is_between(1.2, 2.0) & pl.col("longitude").is_between(10.2, 11.0))
    )
    outline = shapes_of(area_outlines(ring), 1)["Around"]
    assert outline.covers(shapely.Point(10.6, 1.6))
    assert not outline.geoms[0].interiors


def test_a_school_with_a_place_far_from_its_area_has_no_say_and_is_reported() -> None:
    stray = pl.DataFrame({"area_path": ["South > Left"], "latitude": [5.0], "longitude": [14.0]})
    drawn = area_outlines(pl.concat([two_by_two(), stray]))
    assert drawn.misplaced.height == 1
    row = drawn.misplaced.row(0, named=True)
    assert (row["latitude"], row["longitude"]) == (5.0, 14.0)
    assert row["reason"] == "far from the other schools of its area"
    assert row["km_from_area"] == pytest.approx(622, abs=5)
    assert drawn.outlines == area_outlines(two_by_two()).outlines


def test_a_school_among_those_of_another_area_makes_no_splinter_and_is_reported() -> None:
    stray = pl.DataFrame(
        {"area_path": ["South > Left"], "latitude": [1.171], "longitude": [10.171]}
    )
    drawn = area_outlines(pl.concat([two_by_two(), stray]))
    assert drawn.misplaced["reason"].to_list() == ["among the schools of other areas"]
    assert len(shapes_of(drawn, 2)["South > Left"].geoms) == 1


def test_an_island_with_enough_schools_stays_part_of_its_area() -> None:
    points = pl.concat([block("Coast", 10.0, 1.0), block("Coast", 10.9, 1.0, n=4)])
    drawn = area_outlines(points, OutlineParameters(far_km=500))
    assert len(shapes_of(drawn, 1)["Coast"].geoms) == 2


def test_repeated_rows_rows_without_place_and_the_order_of_rows_change_nothing() -> None:
    points = two_by_two()
    nowhere = pl.DataFrame(
        {
            "area_path": ["South > Left", None, "South > Left"],
            "latitude": [None, 1.0, float("nan")],
            "longitude": [10.0, 10.0, 10.0],
        },
        schema=points.schema,
    )
    again = pl.concat([points, points, nowhere]).sample(fraction=1, shuffle=True, seed=3)
    assert area_outlines(again).outlines == area_outlines(points).outlines


def test_an_area_without_any_place_is_named() -> None:
    none = pl.DataFrame(
        {"area_path": ["East > Far"], "latitude": [None], "longitude": [None]},
        schema=two_by_two().schema,
    )
    assert area_outlines(pl.concat([two_by_two(), none])).not_drawn == ["East > Far"]


def test_schools_along_one_straight_road_still_get_an_outline() -> None:
    road = pl.DataFrame(
        {
            "area_path": ["A"] * 5 + ["B"] * 5,
            "latitude": [1.0] * 10,
            "longitude": [10 + 0.05 * at for at in range(10)],
        }
    )
    drawn = area_outlines(road)
    assert_whole(drawn, 1)
    assert set(drawn.outlines) == {"A", "B"}


def test_a_smaller_budget_gives_fewer_corners_and_the_borders_stay_shared() -> None:
    rng = np.random.default_rng(5)
    place = rng.uniform(0, 3, (3000, 2))
    path = [f"{int(x)} > {int(3 * x)}{int(3 * y)}" for x, y in place]
    points = pl.DataFrame({"area_path": path, "latitude": place[:, 1], "longitude": place[:, 0]})
    sizes = []
    for kilobytes in (15.0, 30.0):
        drawn = area_outlines(points, OutlineParameters(kilobytes=kilobytes))
        assert_whole(drawn, 2)
        leaves = [drawn.outlines[each] for each in shapes_of(drawn, 2)]
        sizes.append(len(json.dumps(leaves, separators=(",", ":"))))
    assert sizes[0] < 17_000 < sizes[1] < 34_000


def test_too_few_places_and_missing_columns_are_refused() -> None:
    with pytest.raises(InputError, match="Fewer than 3 different places"):
        area_outlines(two_by_two().head(2))
    with pytest.raises(InputError, match="latitude"):
        area_outlines(two_by_two().drop("latitude"))
    with pytest.raises(InputError, match="least_reach_km"):
        OutlineParameters(least_reach_km=40)


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 60), st.integers(1, 6), st.floats(0.01, 3.0), st.integers(0, 10**6))
def test_scattered_schools_of_any_areas_give_whole_outlines(
    n: int, n_areas: int, width: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    points = pl.DataFrame(
        {
            "area_path": [f"N > {each}" for each in rng.integers(n_areas, size=n)],
            "latitude": rng.uniform(-width, width, n),
            "longitude": rng.uniform(-width, width, n),
        }
    )
    if points.with_columns(pl.col("latitude", "longitude").round(4)).n_unique() < 3:
        return
    drawn = area_outlines(points)
    assert_whole(drawn, 2)
    assert set(drawn.outlines) | set(drawn.not_drawn) == {"N", *points["area_path"]}


# A real nation


@pytest.fixture(scope="module")
def tanzania(real_data: Path) -> pl.DataFrame:
    folder = real_data / "tanzania"
    results = pl.read_csv(folder / "necta_psle_2022_school_results.csv.gz")
    places = pl.read_csv(folder / "school_coordinates_population.csv.gz")
    path = pl.concat_str("region_name", "council_name", separator=" > ")
    return results.join(places, on="school_id").select(
        path.alias("area_path"), "latitude", "longitude"
    )


@pytest.mark.real_data
def test_tanzania_gets_26_regions_and_184_councils_each_within_40_kilobytes(
    tanzania: pl.DataFrame,
) -> None:
    drawn = area_outlines(tanzania)
    assert drawn.not_drawn == []
    assert_whole(drawn, 2)
    for depth, n_areas in ((1, 26), (2, 184)):
        paths = list(shapes_of(drawn, depth))
        assert len(paths) == n_areas
        text = json.dumps([drawn.outlines[path] for path in paths], separators=(",", ":"))
        assert len(text) < 40_000


@pytest.mark.real_data
def test_tanzanias_outline_holds_its_cities_and_not_the_sea_or_its_neighbours(
    tanzania: pl.DataFrame,
) -> None:
    regions = shapes_of(area_outlines(tanzania), 1)
    nation = shapely.union_all(list(regions.values()))
    cities = {"Dodoma": (35.74, -6.17), "Mwanza": (32.9, -2.52), "Mbeya": (33.45, -8.9)}
    for region, place in cities.items():
        assert regions[region].covers(shapely.Point(place))
    # Nairobi, Lake Victoria, the Indian Ocean, Lake Tanganyika's western shore, Lilongwe.
    for place in ((36.82, -1.29), (33.0, -1.0), (41.0, -7.5), (28.8, -6.5), (33.77, -13.96)):
        assert not nation.covers(shapely.Point(place))
    # Tanzania has 885,800 km2 of land (World Factbook; Zanzibar's 2,500 are in it, not here).
    # Outlines follow schools, so a tenth off is what can be asked.
    km2 = nation.area * 111.19**2 * np.cos(np.radians(6.2))
    assert km2 == pytest.approx(885_800, rel=0.1)


@pytest.mark.real_data
def test_few_of_tanzanias_schools_are_reported_as_misplaced(tanzania: pl.DataFrame) -> None:
    drawn = area_outlines(tanzania)
    assert 0 < drawn.misplaced.height < 0.03 * tanzania.height
