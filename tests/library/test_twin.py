"""The twin keeps to its parameters, and keeps its truth to itself."""

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from shapely.geometry import shape

from brightspots.core.coverage import as_geojson
from brightspots.core.errors import InputError
from brightspots.core.geography import chord, great_circle_km, unit_vectors
from brightspots.pace.twin import Twin, TwinParameters, pupil_batches, simulate

PLAIN = TwinParameters(
    n_schools=600, n_remote=0, n_planted=0, n_opened_late=0, tiny_share=0.0, missing_prior_share=0.0
)


@pytest.fixture(scope="module")
def twin() -> Twin:
    return simulate(TwinParameters(), seed=1)


@pytest.fixture(scope="module")
def plain() -> Twin:
    return simulate(PLAIN, seed=11)


def km_to_next(schools: pl.DataFrame) -> np.ndarray:
    points = unit_vectors(schools["latitude"], schools["longitude"])
    nearest = cKDTree(points).query(points, k=2)[1][:, 1]
    place = schools.select("latitude", "longitude").to_numpy()
    return great_circle_km(*place.T, *place[nearest].T)


# Sizes


def test_the_default_system_has_its_schools_years_and_one_cohort_a_year(twin: Twin) -> None:
    assert twin.schools.height == 300
    assert twin.pupils["year"].unique().sort().to_list() == [2021, 2022, 2023, 2024]
    assert twin.pupils["school"].n_unique() == 300
    assert twin.pupils["pupil"].is_unique().all()


def test_pupils_lie_sorted_by_school_year_and_pupil(twin: Twin) -> None:
    key = twin.pupils.select("school", "year", "pupil")
    assert key.equals(key.sort("school", "year", "pupil"))


def test_some_schools_are_tiny_and_their_cohorts_have_5_to_8_pupils(twin: Twin) -> None:
    sizes = twin.pupils.group_by("school", "year").len()
    smallest = sizes.group_by("school").agg(pl.col("len").max()).filter(pl.col("len") <= 8)
    assert smallest.height == 12  # 4 % of 300
    assert sizes["len"].min() >= 5


def test_a_school_opened_in_the_third_year_has_two_years_and_is_new_before(twin: Twin) -> None:
    late = twin.schools.filter(pl.col("opened") == 2023)["code"].to_list()
    assert len(late) == 1
    years = twin.pupils.filter(pl.col("school") == late[0])["year"].unique().sort().to_list()
    assert years == [2023, 2024]
    science = twin.school_results.filter(pl.col("school") == late[0]).sort("year")
    assert science["mean"].to_list()[:2] == ["NEW", "NEW"]
    assert science["candidates"].to_list()[:2] == ["NEW", "NEW"]
    assert "NEW" not in science["mean"].to_list()[2:]


def test_figures_of_fewer_than_5_candidates_are_suppressed_and_only_those() -> None:
    parameters = TwinParameters(n_schools=40, tiny_share=0.3, missing_score_share=0.3, n_remote=0)
    twin = simulate(parameters, seed=2)
    sat = twin.school_results.filter(pl.col("candidates") != "NEW")
    few = pl.col("candidates").cast(pl.Int64) < 5
    assert sat.filter(few).height > 0
    assert sat.filter(few != (pl.col("mean") == "SUPP")).height == 0
    assert sat.filter(few != (pl.col("spread") == "SUPP")).height == 0


def test_results_by_school_have_a_row_for_every_school_and_year(twin: Twin) -> None:
    assert twin.school_results.select("school", "year").is_unique().all()
    assert twin.school_results.height == 300 * 4


# Places


def test_areas_form_a_tree_and_every_school_hangs_on_a_leaf(twin: Twin) -> None:
    areas = twin.areas
    assert areas.filter(pl.col("level") == 0).height == 1
    above = areas.join(areas, left_on="parent", right_on="code", suffix="_above")
    assert above.height == areas.height - 1
    assert (above["level"] == above["level_above"] + 1).all()
    assert (above["path"] == above["path_above"] + " > " + above["name"]).all()
    leaves = areas.filter(pl.col("level") == 2)
    assert leaves.height == 9
    assert set(twin.schools["area_path"]) <= set(leaves["path"])


def test_names_and_codes_are_unique_and_codes_begin_with_a_zero(twin: Twin) -> None:
    assert twin.schools["name"].is_unique().all()
    assert twin.areas["name"].is_unique().all()
    assert twin.schools["code"].is_unique().all()
    assert twin.schools["code"].str.starts_with("0").all()


def test_every_school_stands_in_its_own_sub_county(twin: Twin) -> None:
    shapes = {
        feature["properties"]["path"]: shape(feature["geometry"])
        for feature in twin.boundaries["features"]
    }
    for row in twin.schools.iter_rows(named=True):
        point = shapely.Point(row["longitude"], row["latitude"])
        # Coordinates have five decimals on both sides: 2 m.
        assert shapes[row["area_path"]].distance(point) < 2e-5


def test_boundaries_do_not_overlap_and_a_county_is_the_union_of_its_parts(twin: Twin) -> None:
    by_level: dict[int, list] = {1: [], 2: []}
    for feature in twin.boundaries["features"]:
        by_level[feature["properties"]["level"]].append(feature)
    for features in by_level.values():
        shapes = [shape(feature["geometry"]) for feature in features]
        assert all(each.is_valid for each in shapes)
        assert shapely.coverage_is_valid(shapes)
    for county in by_level[1]:
        own = [
            shape(part["geometry"])
            for part in by_level[2]
            if part["properties"]["parent"] == county["properties"]["code"]
        ]
        united = as_geojson(shapely.coverage_union_all(np.array(own)))
        assert shape(united).equals(shape(county["geometry"]))


def test_boundaries_say_that_they_are_invented(twin: Twin) -> None:
    assert "Invented" in twin.boundaries["name"]
    assert all(each["properties"]["invented"] is True for each in twin.boundaries["features"])


def test_remote_schools_have_nobody_within_25_km_and_the_others_have(twin: Twin) -> None:
    away = km_to_next(twin.schools)
    remote = (twin.schools["rurality"] == "remote").to_numpy()
    assert remote.sum() == 3
    assert (away[remote] > 25).all()
    assert (away[~remote] < 25).all()


def test_schools_stand_closer_together_in_towns(twin: Twin) -> None:
    points = unit_vectors(twin.schools["latitude"], twin.schools["longitude"])
    within = cKDTree(points).query_ball_point(points, chord(3.0), return_length=True)
    town = (twin.schools["rurality"] == "town").to_numpy()
    assert np.median(within[town]) >= 2 * np.median(within[~town])


def test_poverty_is_higher_outside_towns(twin: Twin) -> None:
    mean = dict(twin.schools.group_by("rurality").agg(pl.col("poverty").mean()).iter_rows())
    assert mean["town"] + 10 < mean["rural"] < mean["remote"] + 30


# Moments. Every tolerance is four standard errors of the figure under the model.


def test_school_and_year_effects_have_the_stated_spread(plain: Twin) -> None:
    n = 600
    school = plain.truth["school_effects"].filter(pl.col("subject") == "reading")
    assert school["effect"].std() == pytest.approx(0.15, abs=4 * 0.15 / np.sqrt(2 * n))
    yearly = plain.truth["school_year_effects"].filter(pl.col("subject") == "reading")
    assert yearly["effect"].std() == pytest.approx(0.10, abs=4 * 0.10 / np.sqrt(2 * 4 * n))


def test_effects_on_two_subjects_have_the_stated_correlation(plain: Twin) -> None:
    wide = plain.truth["school_effects"].pivot("subject", index="school", values="effect")
    found = np.corrcoef(wide["reading"], wide["mathematics"])[0, 1]
    assert found == pytest.approx(0.7, abs=4 * (1 - 0.7**2) / np.sqrt(600))


def test_effects_of_years_do_not_persist_by_default_and_do_when_asked() -> None:
    for rho in (0.0, 0.6):
        parameters = TwinParameters(
            n_schools=600, n_remote=0, n_planted=0, cohort_median=10, persistence_of_years=rho
        )
        yearly = simulate(parameters, seed=3).truth["school_year_effects"]
        wide = yearly.filter(pl.col("subject") == "reading").pivot(
            "year", index="school", values="effect"
        )
        found = np.corrcoef(wide["2021"], wide["2022"])[0, 1]
        assert found == pytest.approx(rho, abs=4 * (1 - rho**2) / np.sqrt(600))


def test_scores_less_their_truth_give_back_coefficients_and_residual(plain: Twin) -> None:
    truth = plain.truth
    lasting = truth["school_effects"].filter(pl.col("subject") == "reading")
    yearly = truth["school_year_effects"].filter(pl.col("subject") == "reading")
    pupils = (
        plain.pupils.drop_nulls("reading")
        .join(lasting.select("school", "effect_with_area"), on="school")
        .join(
            yearly.select("school", pl.col("year").cast(pl.Int32), "effect"), on=["school", "year"]
        )
    )
    z = (pupils["reading"] - 500) / 100 - pupils["effect_with_area"] - pupils["effect"]
    design = np.column_stack(
        [
            np.ones(len(pupils)),
            pupils["year"] - 2021,
            pupils["prior"],
            pupils["poverty"],
            pupils["sex"] == "F",
        ]
    ).astype(float)
    found, squares, *_ = np.linalg.lstsq(design, z.to_numpy(), rcond=None)
    n = len(pupils)
    residual = np.sqrt(squares[0] / (n - 5))
    se = 0.75 * np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    assert residual == pytest.approx(0.75, abs=4 * 0.75 / np.sqrt(2 * n))
    assert np.abs(found - np.array([0.0, 0.03, 0.6, -0.25, 0.08])) == pytest.approx(
        0, abs=4 * se.max()
    )
    assert (np.abs(found - np.array([0.0, 0.03, 0.6, -0.25, 0.08])) < 4 * se).all()


def test_scores_are_missing_at_the_stated_rate(plain: Twin) -> None:
    n = len(plain.pupils)
    share = plain.pupils["mathematics"].null_count() / n
    assert share == pytest.approx(0.03, abs=4 * np.sqrt(0.03 * 0.97 / n))


def test_published_means_are_those_of_the_pupils_who_sat() -> None:
    """With no residual, effect or missing score a science mean is the pupils' expected score."""
    parameters = TwinParameters(
        n_schools=20,
        n_remote=0,
        n_planted=0,
        residual_sd=1e-9,
        school_sd=0.0,
        school_year_sd=0.0,
        area_sd=0.0,
        missing_score_share=0.0,
    )
    twin = simulate(parameters, seed=4)
    reading = twin.pupils.group_by("school", "year").agg(
        pl.col("reading").mean(), pl.col("reading").std().alias("sd"), pl.len()
    )
    both = twin.school_results.filter(pl.col("mean") != "NEW").join(reading, on=["school", "year"])
    assert both.height == reading.height
    assert both["mean"].cast(float).to_numpy() == pytest.approx(
        both["reading"].to_numpy(), abs=0.01
    )
    assert both["spread"].cast(float).to_numpy() == pytest.approx(both["sd"].to_numpy(), abs=0.01)
    assert (both["candidates"].cast(int) == both["len"]).all()


def test_planted_schools_are_poorer_than_most_not_in_towns_and_do_much_better(twin: Twin) -> None:
    effects = twin.truth["school_effects"].filter(pl.col("planted"))
    planted = twin.schools.filter(pl.col("code").is_in(effects["school"].to_list()))
    assert planted.height == 6
    assert effects["effect"].is_between(0.3, 0.45).all()
    assert (planted["rurality"] != "town").all()
    assert (planted["poverty"] > twin.schools["poverty"].median()).all()


def test_a_head_who_can_give_days_has_been_one_for_three_years(twin: Twin) -> None:
    giving = twin.leaders.filter(pl.col("capacity_days") > 0)
    assert 0.2 < giving.height / 300 < 0.6
    assert giving["years_as_head"].min() >= 3
    strengths = twin.leaders.select(pl.col("^strength_.*$"))
    assert strengths.columns == ["strength_reading", "strength_mathematics", "strength_science"]
    assert set(strengths["strength_reading"]) == {1, 2, 3, 4}


# Seeds, blocks, refusals


def test_the_same_seed_gives_the_same_system_and_another_seed_another() -> None:
    parameters = TwinParameters(n_schools=40, n_years=2, n_remote=1, n_planted=2)
    one, same, other = (simulate(parameters, seed=seed) for seed in (5, 5, 6))
    assert one.schools.equals(same.schools)
    assert one.pupils.equals(same.pupils)
    assert one.boundaries == same.boundaries
    assert all(one.truth[name].equals(same.truth[name]) for name in one.truth)
    assert not one.schools.equals(other.schools)


def test_batches_of_pupils_put_together_are_the_pupils() -> None:
    parameters = TwinParameters(n_schools=1100, n_years=1, cohort_median=10, n_remote=0)
    batches = list(pupil_batches(parameters, seed=2))
    assert [batch["school"].n_unique() for batch in batches] == [500, 500, 100]
    assert pl.concat(batches).equals(simulate(parameters, seed=2).pupils)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"n_schools": 3}, "n_schools"),
        ({"n_years": 0}, "n_years"),
        ({"sub_counties": ()}, "sub_counties"),
        ({"n_remote": 7}, "n_remote"),
        ({"school_sd": -0.1}, "school_sd"),
        ({"residual_sd": 0.0}, "residual_sd"),
        ({"residual_sd": float("nan")}, "residual_sd"),
        ({"subject_correlation": 1.5}, "subject_correlation"),
        ({"planted_low": 0.9}, "planted_low"),
        ({"n_planted": 200}, "n_planted"),
        ({"subjects": ("science",)}, "subjects"),
    ],
)
def test_parameters_that_no_system_can_have_are_refused_by_name(wrong: dict, named: str) -> None:
    with pytest.raises(InputError, match=named):
        TwinParameters(**wrong)


def test_a_land_too_small_for_its_remote_schools_is_refused() -> None:
    with pytest.raises(InputError, match="no room"):
        simulate(TwinParameters(n_schools=60, n_remote=6, remote_km=60, n_planted=0), seed=1)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.builds(
        TwinParameters,
        n_schools=st.integers(24, 60),
        n_years=st.integers(1, 4),
        sub_counties=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
        town_share=st.floats(0, 1),
        n_remote=st.integers(0, 2),
        cohort_median=st.floats(2, 40),
        cohort_spread=st.floats(0, 1),
        tiny_share=st.floats(0, 1),
        n_planted=st.integers(0, 3),
        school_sd=st.floats(0, 0.5),
        subject_correlation=st.floats(0, 1),
        persistence_of_years=st.floats(0, 1),
        missing_score_share=st.floats(0, 1),
        missing_prior_share=st.floats(0, 1),
    ),
    st.integers(0, 2**32),
)
def test_every_small_system_is_whole(parameters: TwinParameters, seed: int) -> None:
    twin = simulate(parameters, seed)
    assert twin.schools.height == parameters.n_schools
    assert twin.schools.null_count().sum_horizontal().item() == 0
    assert twin.schools["poverty"].is_between(0, 100).all()
    assert (twin.schools["rurality"] == "remote").sum() == parameters.n_remote
    away = km_to_next(twin.schools)
    assert (away[(twin.schools["rurality"] == "remote").to_numpy()] > 25).all()
    assert set(twin.pupils["school"]) == set(twin.schools["code"])
    assert twin.pupils["pupil"].is_unique().all()
    assert twin.school_results.height == parameters.n_schools * parameters.n_years
    shapes = [
        shape(each["geometry"])
        for each in twin.boundaries["features"]
        if each["properties"]["level"] == 2
    ]
    assert len(shapes) == sum(parameters.sub_counties)
    assert shapely.coverage_is_valid(shapes)
    assert all(
        frame["effect"].is_finite().all() for frame in twin.truth.values() if "effect" in frame
    )
