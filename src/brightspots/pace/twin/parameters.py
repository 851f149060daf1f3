"""What a simulated school system is like; every figure can be changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from brightspots.core.errors import InputError

_POSITIVE = ("km2_per_school", "cohort_median", "score_sd", "residual_sd")
_NOT_NEGATIVE = (
    "cohort_spread",
    "school_sd",
    "school_year_sd",
    "area_sd",
    "n_remote",
    "n_planted",
    "n_opened_late",
)
_SHARES = (
    "town_share",
    "tiny_share",
    "missing_score_share",
    "missing_prior_share",
    "subject_correlation",
    "pupil_subject_correlation",
    "persistence_of_years",
)


@dataclass(frozen=True)
class TwinParameters:
    """The parameters of a simulated school system.

    Effects are in standard deviations of pupils' scores. The persistent and the yearly spread
    of schools (.15 and .10) are those of the simulation by which the rule for bright spots was
    chosen; sources and reasons for the others stand in ``docs/methods/twin.md``.

    Parameters
    ----------
    n_schools, n_years, first_year : int
        Size; one cohort of pupils a school and year.
    sub_counties : tuple of int
        Number of sub-counties of each county.
    km2_per_school : float
        Land a school, km^2.
    town_share : float
        Share of schools in towns; the others stand along roads and beside them.
    n_remote : int
        Schools with no other school within `remote_km`.
    remote_km : float
    cohort_median, cohort_spread : float
        Log-normal size of a cohort over schools (spread: SD of the logarithm).
    tiny_share : float
        Share of schools whose cohort has 5 to 8 pupils.
    n_opened_late : int
        Schools opened in the third year (none when there are fewer than 3 years).
    subjects : tuple of str
        With a score for each pupil.
    school_level_subject : str
        Published for schools only: mean, candidates, spread.
    intercept, growth : float
        Level in the first year and growth a year.
    prior, poverty, female : float
        Effects on the score: of a standard deviation of prior attainment, of poverty, of a girl.
    poverty_on_prior : float
        Effect of poverty on prior attainment.
    school_sd, school_year_sd, area_sd : float
        Standard deviations of persistent school effects, of school-year effects, and of effects
        of sub-counties.
    persistence_of_years : float
        Correlation of a school-year effect with that of the year before (0: no drift).
    subject_correlation, pupil_subject_correlation : float
        Between subjects: of the effects above, and of pupils' residuals.
    residual_sd : float
        Of pupils, given everything else.
    n_planted : int
        Schools in hard circumstances that are given a large persistent effect.
    planted_low, planted_high : float
        Its range.
    missing_score_share, missing_prior_share : float
        Missing completely at random.
    score_mean, score_sd : float
        The scale on which scores are published.

    Raises
    ------
    InputError
        A value that no system can have, with what to do.
    """

    n_schools: int = 300
    n_years: int = 4
    first_year: int = 2021
    sub_counties: tuple[int, ...] = (4, 5)
    km2_per_school: float = 36.0
    town_share: float = 0.45
    n_remote: int = 3
    remote_km: float = 25.0
    cohort_median: float = 38.0
    cohort_spread: float = 0.55
    tiny_share: float = 0.04
    n_opened_late: int = 1
    subjects: tuple[str, ...] = ("reading", "mathematics")
    school_level_subject: str = "science"
    intercept: float = 0.0
    growth: float = 0.03
    prior: float = 0.6
    poverty: float = -0.25
    female: float = 0.08
    poverty_on_prior: float = -0.4
    school_sd: float = 0.15
    school_year_sd: float = 0.10
    area_sd: float = 0.06
    persistence_of_years: float = 0.0
    subject_correlation: float = 0.7
    pupil_subject_correlation: float = 0.5
    residual_sd: float = 0.75
    n_planted: int = 6
    planted_low: float = 0.3
    planted_high: float = 0.45
    missing_score_share: float = 0.03
    missing_prior_share: float = 0.02
    score_mean: float = 500.0
    score_sd: float = 100.0

    def __post_init__(self) -> None:
        self._check_counts()
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise _refusal(name, "has to be above 0")
        for name in _NOT_NEGATIVE:
            if not getattr(self, name) >= 0:
                raise _refusal(name, "cannot be below 0")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise _refusal(name, "has to lie between 0 and 1")
        if self.planted_low > self.planted_high:
            raise _refusal("planted_low", "cannot be above planted_high")
        every = (*self.subjects, self.school_level_subject)
        if not self.subjects or len(set(every)) < len(every):
            raise _refusal("subjects", "needs at least one subject, and no subject twice")

    def _check_counts(self) -> None:
        if not 1 <= self.n_years <= 50:
            raise _refusal("n_years", "has to lie between 1 and 50")
        if not self.sub_counties or min(self.sub_counties) < 1:
            raise _refusal("sub_counties", "needs at least one sub-county in each county")
        needed = max(12, 2 * sum(self.sub_counties))
        if not needed <= self.n_schools <= 200_000:
            raise _refusal("n_schools", f"has to lie between {needed} and 200,000 here")
        if self.n_remote > min(6, self.n_schools // 10):
            raise _refusal("n_remote", "has to be at most 6, and a tenth of the schools")
        if not 5 <= self.remote_km <= 60:
            raise _refusal("remote_km", "has to lie between 5 and 60")
        if self.n_planted + self.n_opened_late > self.n_schools // 3:
            raise _refusal("n_planted", "and n_opened_late take more than a third of the schools")

    @property
    def years(self) -> list[int]:
        """The years, the first first."""
        return list(range(self.first_year, self.first_year + self.n_years))

    @property
    def every_subject(self) -> tuple[str, ...]:
        """The subjects of pupils, then the one published for schools only."""
        return (*self.subjects, self.school_level_subject)

    def as_dict(self) -> dict[str, Any]:
        """Return every parameter."""
        return asdict(self)


def _refusal(name: str, what: str) -> InputError:
    return InputError(f"{name} {what}.", mend="Change this parameter of the twin.")
