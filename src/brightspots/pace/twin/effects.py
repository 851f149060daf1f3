"""The truth of the twin: effects of areas, schools and school-years, and of heads who lead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.pace.twin.parameters import TwinParameters
from brightspots.pace.twin.schools import TOWN, Schools

Array = NDArray[np.float64]

_LEADS_AFTER = 3  # years as head before anyone is asked to lead other schools
_MOST_DAYS = 40


@dataclass(frozen=True)
class Effects:
    """Effects in pupil standard deviations; K subjects, the school-level one last.

    Parameters
    ----------
    area : array (n_areas, K)
    school : array (n_schools, K)
        Persistent, without the area's.
    school_year : array (n_schools, n_years, K)
    planted : array (n_schools,) of bool
        Schools given a large persistent effect on purpose.
    leader : array (n_schools, K)
        What a head can pass on to another school.
    """

    area: Array
    school: Array
    school_year: Array
    planted: NDArray[np.bool_]
    leader: Array

    def total(self, schools: Schools) -> Array:
        """Mean shift of a pupil by area, school and year; (n_schools, n_years, K)."""
        lasting = self.area[schools.area] + self.school
        total: Array = lasting[:, None, :] + self.school_year
        return total


def make_effects(parameters: TwinParameters, schools: Schools, rng: np.random.Generator) -> Effects:
    """Draw every effect; see ``docs/methods/twin.md`` for the model."""
    n, n_subjects = len(schools.area), len(parameters.every_subject)
    among = parameters.subject_correlation
    n_areas = int(schools.areas["level"].eq(2).sum())
    area = parameters.area_sd * correlated((n_areas, n_subjects), among, rng)
    school = parameters.school_sd * correlated((n, n_subjects), among, rng)
    planted = _plant(parameters, schools, school, rng)
    years = np.empty((n, parameters.n_years, n_subjects))
    rho = parameters.persistence_of_years
    for year in range(parameters.n_years):
        fresh = parameters.school_year_sd * correlated((n, n_subjects), among, rng)
        years[:, year] = (
            fresh if year == 0 else rho * years[:, year - 1] + np.sqrt(1 - rho**2) * fresh
        )
    own = parameters.school_sd * correlated((n, n_subjects), among, rng)
    leader = 0.5 * school + np.sqrt(1 - 0.5**2) * own
    return Effects(area, school, years, planted, leader)


def correlated(shape: tuple[int, ...], correlation: float, rng: np.random.Generator) -> Array:
    """Draw standard normal numbers, equally correlated along the last axis."""
    shared = rng.standard_normal((*shape[:-1], 1))
    own = rng.standard_normal(shape)
    draws: Array = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    return draws


def _plant(
    parameters: TwinParameters, schools: Schools, school: Array, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Raise the persistent effect of a few schools in hard circumstances, in place."""
    planted = np.zeros(len(school), dtype=bool)
    if parameters.n_planted == 0:
        return planted
    settled = schools.first_open == 0
    hard = np.flatnonzero(settled & (schools.rurality != TOWN) & ~schools.tiny)
    hard = hard[np.argsort(-schools.poverty[hard], kind="stable")]
    n_hard = max(parameters.n_planted, len(hard) // 3)
    chosen = rng.permutation(hard[:n_hard])[: parameters.n_planted]
    planted[chosen] = True
    shape = (len(chosen), school.shape[1])
    school[chosen] = rng.uniform(parameters.planted_low, parameters.planted_high, shape)
    return planted


def leaders_frame(
    parameters: TwinParameters, schools: Schools, effects: Effects, rng: np.random.Generator
) -> pl.DataFrame:
    """One head a school: years in post, days to give, and a panel's view of strengths, 1 to 4."""
    n = len(schools.area)
    years = np.minimum(np.floor(rng.gamma(1.6, 4.0, n)), 30).astype(int)
    days = rng.integers(2, _MOST_DAYS // 5 + 1, n) * 5
    willing = (years >= _LEADS_AFTER) & (rng.uniform(size=n) < 0.5)
    strengths = {}
    for at, subject in enumerate(parameters.every_subject):
        scale = max(parameters.school_sd, 1e-9)
        seen = effects.leader[:, at] / scale + 0.8 * rng.standard_normal(n)
        strengths[f"strength_{subject}"] = 1 + np.searchsorted([-0.9, 0.3, 1.3], seen)
    return pl.DataFrame(
        {
            "school": schools.frame["code"],
            "role": np.full(n, "Head teacher"),
            "years_as_head": years,
            "capacity_days": np.where(willing, days, 0),
            **strengths,
        }
    )


def truth_frames(
    parameters: TwinParameters, schools: Schools, effects: Effects
) -> dict[str, pl.DataFrame]:
    """Everything that was drawn and that no ministry could know."""
    subjects = parameters.every_subject
    code = schools.frame["code"].to_numpy()
    leaf = schools.areas.filter(pl.col("level") == 2)["code"].to_numpy()
    n, n_years, k = effects.school_year.shape
    by_school = {"school": np.repeat(code, k), "subject": np.tile(subjects, n)}
    settings = {
        name: value
        for name, value in parameters.as_dict().items()
        if isinstance(value, int | float)
    }
    return {
        "parameters": pl.DataFrame(
            {"name": list(settings), "value": [float(value) for value in settings.values()]}
        ),
        "area_effects": pl.DataFrame(
            {
                "area": np.repeat(leaf, k),
                "subject": np.tile(subjects, len(leaf)),
                "effect": effects.area.ravel(),
            }
        ),
        "school_effects": pl.DataFrame(
            {
                **by_school,
                "effect": effects.school.ravel(),
                "effect_with_area": (effects.school + effects.area[schools.area]).ravel(),
                "planted": np.repeat(effects.planted, k),
            }
        ),
        "school_year_effects": pl.DataFrame(
            {
                "school": np.repeat(code, n_years * k),
                "year": np.tile(np.repeat(parameters.years, k), n),
                "subject": np.tile(subjects, n * n_years),
                "effect": effects.school_year.ravel(),
            }
        ),
        "leader_effects": pl.DataFrame({**by_school, "effect": effects.leader.ravel()}),
        "poverty": pl.DataFrame({"school": code, "share": schools.poverty}),
    }
