"""Simulated systems of known truth for the calibration: settings, pupils, true effects."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.insight.school_years import Drift
from brightspots.pace.twin.effects import make_effects
from brightspots.pace.twin.land import Land, make_land
from brightspots.pace.twin.parameters import TwinParameters
from brightspots.pace.twin.pupils import blocks
from brightspots.pace.twin.schools import make_schools

Floats = NDArray[np.float64]
Tails = Literal["normal", "t4"]

SUBJECT: Final = "reading"
FORMULA: Final = f"{SUBJECT} ~ prior + poverty + sex + (1 | school)"
_BASE = TwinParameters(
    n_schools=300,
    n_years=3,
    subjects=(SUBJECT,),
    cohort_median=25.0,
    n_planted=0,
    area_sd=0.0,
    n_remote=0,
    n_opened_late=0,
)
"""Persistent SD .15 and yearly SD .10 as in the simulation the rule was chosen by; cohorts of 25
(log-normal, some of 5 to 8). Planted schools and areas would bend the distribution on purpose."""


@dataclass(frozen=True)
class Setting:
    """One kind of system.

    Parameters
    ----------
    name, words : str
        Short name (part of the seed), and as it stands in the table.
    twin : TwinParameters
    tails : {"normal", "t4"}
        Distribution of persistent effects; "t4" is Student's t with 4 degrees of freedom, scaled
        to the same SD.
    drift : {"none", "ar1"}
        The model that is fitted, see :mod:`brightspots.insight.school_years`.
    rivals : bool
        Also try the rules that the rule for bright spots is compared with.
    """

    name: str
    words: str
    twin: TwinParameters
    tails: Tails = "normal"
    drift: Drift = "none"
    rivals: bool = False


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("base", "300 schools, 3 years", _BASE, rivals=True),
    Setting("schools-100", "100 schools, 3 years", replace(_BASE, n_schools=100)),
    Setting("schools-1000", "1,000 schools, 3 years", replace(_BASE, n_schools=1000)),
    Setting("years-1", "300 schools, 1 year", replace(_BASE, n_years=1)),
    Setting("years-5", "300 schools, 5 years", replace(_BASE, n_years=5), rivals=True),
    Setting("weak", "weak effects (SD .08, yearly .08)",
            replace(_BASE, school_sd=0.08, school_year_sd=0.08)),
    Setting("strong", "strong effects (SD .25, yearly .10)", replace(_BASE, school_sd=0.25)),
    Setting("small", "small schools (cohorts of 12)", replace(_BASE, cohort_median=12.0)),
    Setting("heavy", "heavy tails (t with 4 df)", _BASE, tails="t4"),
    Setting("drift", "years that hang on (autocorrelation .5)",
            replace(_BASE, persistence_of_years=0.5)),
    Setting("drift-5", "years that hang on, 5 years",
            replace(_BASE, persistence_of_years=0.5, n_years=5)),
    Setting("drift-5-modelled", "years that hang on, 5 years, `--drift ar1`",
            replace(_BASE, persistence_of_years=0.5, n_years=5), drift="ar1"),
    Setting("areas", "areas differ (SD .06), 6 planted schools",
            replace(_BASE, area_sd=0.06, n_planted=6)),
)  # fmt: skip


@dataclass(frozen=True)
class System:
    """One simulated system.

    Parameters
    ----------
    pupils : polars.DataFrame
        school, year, sex, poverty, prior and the score.
    schools : tuple of str
        Codes in sorted order.
    persistent : array (n_schools,)
        True lasting effects in units of the score, around their mean.
    yearly : array (n_schools, n_years)
        Lasting effect and that of the year together, around the mean of the year.
    years : tuple of int
    """

    pupils: pl.DataFrame
    schools: tuple[str, ...]
    persistent: Floats
    yearly: Floats
    years: tuple[int, ...]

    def of_latest_year(self) -> System:
        """Return the same system with the pupils of its last year alone."""
        return replace(self, pupils=self.pupils.filter(pl.col("year") == self.years[-1]))


@lru_cache(maxsize=32)
def _land(parameters: TwinParameters, seed: int) -> Land:
    """One land a setting: where schools stand plays no part here, and it is slow to make."""
    return make_land(parameters, np.random.default_rng([seed, 0]))


def make_system(setting: Setting, seed: int, index: int) -> System:
    """Draw system `index` of a setting; the same seed gives the same pupils whatever else is drawn.

    The twin's own parts do it: schools and their cohorts, effects, pupils.
    """
    twin = setting.twin
    key = zlib.crc32(setting.name.encode())
    children = np.random.SeedSequence([seed, key, index]).spawn(4)
    school_rng, effect_rng, tail_rng = (np.random.default_rng(each) for each in children[:3])
    schools = make_schools(twin, _land(twin, seed), school_rng)
    effects = make_effects(twin, schools, effect_rng)
    if setting.tails == "t4":
        heavy = twin.school_sd / np.sqrt(2) * tail_rng.standard_t(4, effects.school.shape)
        effects = replace(effects, school=heavy)
    pupils = pl.concat([some for some, _ in blocks(twin, schools, effects, children[3])])
    lasting = effects.school[:, 0] + effects.area[schools.area, 0]
    total = lasting[:, None] + effects.school_year[:, :, 0]
    return System(
        pupils.drop("pupil"),
        tuple(schools.frame["code"].to_list()),
        twin.score_sd * (lasting - lasting.mean()),
        twin.score_sd * (total - total.mean(axis=0)),
        tuple(twin.years),
    )
