"""A whole simulated school system: made, held beside its truth, written as a ministry would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely

from brightspots.core.coverage import as_geojson
from brightspots.pace.twin import files
from brightspots.pace.twin.effects import Effects, leaders_frame, make_effects, truth_frames
from brightspots.pace.twin.land import Land, make_land, to_degrees
from brightspots.pace.twin.parameters import TwinParameters
from brightspots.pace.twin.pupils import blocks
from brightspots.pace.twin.schools import Schools, make_schools


@dataclass(frozen=True)
class Twin:
    """A simulated school system. All of it is invented.

    Parameters
    ----------
    parameters : TwinParameters
    seed : int
    areas : DataFrame
        code, name, parent, level (0 nation, 1 county, 2 sub-county), path.
    schools : DataFrame
        code, name, area_path, latitude, longitude, phase, sector, language, roll, poverty (share
        of pupils on free meals, %), rurality (town, rural, remote), opened (year).
    pupils : DataFrame
        school, year, pupil, sex, poverty (0 or 1), prior, one column a subject; missing values
        are null. Sorted by school, year, pupil.
    school_results : DataFrame
        school, year, subject, mean, candidates, spread as text, as published: NEW for a year
        before the school opened, SUPP below 5 candidates.
    leaders : DataFrame
        school, role, years_as_head, capacity_days, and a panel's view of each strength, 1 to 4.
    boundaries : dict
        GeoJSON FeatureCollection of counties and sub-counties.
    truth : mapping of str to DataFrame
        What no ministry could know: parameters, area_effects, school_effects,
        school_year_effects, leader_effects, poverty.
    """

    parameters: TwinParameters
    seed: int
    areas: pl.DataFrame
    schools: pl.DataFrame
    pupils: pl.DataFrame
    school_results: pl.DataFrame
    leaders: pl.DataFrame
    boundaries: Mapping[str, Any]
    truth: Mapping[str, pl.DataFrame]

    def write(self, folder: str | Path) -> None:
        """Write the files a ministry would have, and the truth apart from them.

        schools.csv, pupils.parquet, results_by_school.csv, leaders.csv, boundaries.geojson,
        README.txt, truth/*.csv. The same parameters and seed give the same bytes.
        """
        rest = files.Rest(
            self.areas, self.schools, self.leaders, self.boundaries, self.truth, self.seed
        )
        files.write(Path(folder), rest, iter([(self.pupils, self.school_results)]))


@dataclass(frozen=True)
class _Plan:
    """Everything but the pupils."""

    land: Land
    schools: Schools
    effects: Effects
    leaders: pl.DataFrame
    pupil_seed: np.random.SeedSequence

    def rest(self, parameters: TwinParameters, seed: int) -> files.Rest:
        return files.Rest(
            self.schools.areas,
            self.schools.frame,
            self.leaders,
            _boundaries(self.land, self.schools.areas),
            truth_frames(parameters, self.schools, self.effects),
            seed,
        )


def simulate(parameters: TwinParameters, seed: int) -> Twin:
    """Simulate a school system.

    Score of pupil i in school s, year t (years from the first), subject k, in pupil SD:

        z = intercept + growth t + prior x_i + poverty p_i + female f_i
            + area_a(s)k + school_sk + school_year_stk + e_ik

    with normal effects, correlated between subjects.

    Parameters
    ----------
    parameters : TwinParameters
    seed : int
        Not negative. Each part of the system has its own stream of random numbers.

    Returns
    -------
    Twin

    Raises
    ------
    InputError
        The land has no room for the schools (many remote schools in a small system).
    """
    plan = _plan(parameters, seed)
    both = list(blocks(parameters, plan.schools, plan.effects, plan.pupil_seed))
    rest = plan.rest(parameters, seed)
    return Twin(
        parameters,
        seed,
        rest.areas,
        rest.schools,
        pl.concat([pupils for pupils, _ in both]),
        pl.concat([results for _, results in both]),
        rest.leaders,
        rest.boundaries,
        rest.truth,
    )


def pupil_batches(parameters: TwinParameters, seed: int) -> Iterator[pl.DataFrame]:
    """Yield the pupils of :func:`simulate`, 500 schools at a time, in the same order."""
    plan = _plan(parameters, seed)
    for pupils, _ in blocks(parameters, plan.schools, plan.effects, plan.pupil_seed):
        yield pupils


def write_twin(parameters: TwinParameters, seed: int, folder: str | Path) -> None:
    """Do as ``simulate(parameters, seed).write(folder)``, with one block of pupils in memory."""
    plan = _plan(parameters, seed)
    stream = blocks(parameters, plan.schools, plan.effects, plan.pupil_seed)
    files.write(Path(folder), plan.rest(parameters, seed), stream)


def _plan(parameters: TwinParameters, seed: int) -> _Plan:
    land_seed, school_seed, effect_seed, leader_seed, pupil_seed = np.random.SeedSequence(
        seed
    ).spawn(5)
    land = make_land(parameters, np.random.default_rng(land_seed))
    schools = make_schools(parameters, land, np.random.default_rng(school_seed))
    effects = make_effects(parameters, schools, np.random.default_rng(effect_seed))
    leaders = leaders_frame(parameters, schools, effects, np.random.default_rng(leader_seed))
    return _Plan(land, schools, effects, leaders, pupil_seed)


def _boundaries(land: Land, areas: pl.DataFrame) -> dict[str, Any]:
    """GeoJSON of counties and sub-counties; a county is the union of its sub-counties."""
    # Five decimals are a metre. Both sides of a border are rounded alike, so they stay together.
    shapes = shapely.transform(land.shapes, lambda points: np.round(to_degrees(points), 5))
    features: list[dict[str, Any]] = []
    county = -1
    for row in areas.filter(pl.col("level") > 0).iter_rows(named=True):
        if row["level"] == 1:
            county += 1
            shape = shapely.coverage_union_all(shapes[land.county == county])
        else:
            shape = shapes[len(features) - land.county.max() - 1]
        own = {key: row[key] for key in ("code", "name", "parent", "level", "path")}
        features.append(
            {
                "type": "Feature",
                "properties": {**own, "invented": True},
                "geometry": as_geojson(shape),
            }
        )
    return {
        "type": "FeatureCollection",
        "name": "Invented areas of a simulated school system",
        "features": features,
    }
