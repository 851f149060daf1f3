"""Partnerships for Tanzania's primary schools with coordinates (PSLE 2022)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from brightspots.connectedness.partnerships import Parameters, Partnerships, form_partnerships
from tests.library.partnership_checker import Checker

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def tanzania(real_data: Path) -> pl.DataFrame:
    schools = pl.read_csv(real_data / "tanzania" / "school_coordinates_population.csv.gz")
    return schools.select(pl.col("school_id").alias("school"), "latitude", "longitude")


@pytest.fixture(scope="module")
def result(tanzania: pl.DataFrame) -> Partnerships:
    return form_partnerships(tanzania, Parameters(steps_per_school=3, bound_steps=60))


def distances(frame: pl.DataFrame, code: str) -> NDArray[np.float64]:
    """Haversine distances from one school to all, written down again."""
    lat, lon = (np.radians(frame[name].to_numpy()) for name in ("latitude", "longitude"))
    at = frame["school"].to_list().index(code)
    a = (
        np.sin((lat - lat[at]) / 2) ** 2
        + np.cos(lat) * np.cos(lat[at]) * np.sin((lon - lon[at]) / 2) ** 2
    )
    km: NDArray[np.float64] = 2 * 6371.0088 * np.arcsin(np.sqrt(a))
    return km


def test_every_rule_holds_in_a_nation(tanzania: pl.DataFrame, result: Partnerships) -> None:
    Checker(tanzania.to_dicts(), 4, 8, 25.0).check(result)
    assert result.lower_bound is not None
    assert result.lower_bound > 0.9 * result.objective["total"]


def test_every_reason_for_isolation_can_be_checked_on_the_map(
    tanzania: pl.DataFrame, result: Partnerships
) -> None:
    codes = np.array(tanzania["school"].to_list())
    members = result.members
    assert result.isolated.height < 0.002 * tanzania.height
    for code, reason in result.isolated.iter_rows():
        near = codes[distances(tanzania, code) <= 25.0]
        if counted := re.fullmatch(r"(no|only (\d+)) other schools? within 25 km", reason):
            assert len(near) - 1 == int(counted[2] or 0)
            continue
        stars = {leader: set(codes[distances(tanzania, leader) <= 25.0]) for leader in near}
        if "reaches enough schools" in reason:
            assert max(map(len, stars.values())) < 4
            continue
        assert "no arrangement" in reason
        # No partnership around it can simply take it in.
        around = set().union(*stars.values())
        for (name,), group in members.group_by("partnership"):
            inside = set(group["school"].to_list())
            if inside & around and len(inside) < 8:
                assert not any(
                    inside | {code} <= star for j, star in stars.items() if j in inside | {code}
                ), name
