"""Power before the fact: what could be detected with so many schools, in SD of pupils.

Bloom 1995; Dong and Maynard 2013 (PowerUp!, model 3.1: two levels, schools allocated); repeated
measures after Frison and Pocock 1992, Statistics in Medicine 11:1685, and McKenzie 2012, Journal of
Development Economics 99:210.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from scipy.stats import nct
from scipy.stats import t as student

from brightspots.core.errors import InputError

MOST_SCHOOLS = 1_000_000


@dataclass(frozen=True)
class PowerDesign:
    """A plan: schools allocated to support or not, pupils in schools, one or several years.

    Parameters
    ----------
    schools : int
        In all, supported and not. Where partnerships are allocated, their number.
    share : float
        Share supported.
    pupils : float
        Pupils a school (or partnership) and period who are tested.
    icc : float
        Share of pupils' variance that lies between schools, in one period.
    r2_school, r2_pupil : float
        Share of the variance between schools, and within, that covariates other than the outcome's
        own past explain.
    covariates : int
        Covariates of schools; each costs a degree of freedom.
    pre_periods, post_periods : int
        Periods measured before and with the support; 0 before: only afterwards.
    stability : float
        Correlation of a school's effect from one period to another.
    adjust : bool
        With periods before: adjust for them (the best use); False: difference-in-differences.
    alpha, power : float
        Two-sided level of the test, and the chance to find the effect.

    Raises
    ------
    InputError
        A value outside its range.
    """

    schools: int
    share: float = 0.5
    pupils: float = 30.0
    icc: float = 0.15
    r2_school: float = 0.0
    r2_pupil: float = 0.0
    covariates: int = 0
    pre_periods: int = 0
    post_periods: int = 1
    stability: float = 0.7
    adjust: bool = True
    alpha: float = 0.05
    power: float = 0.8

    def __post_init__(self) -> None:
        for name in ("share", "alpha", "power"):
            _inside(name, getattr(self, name), 0, 1, open_=True)
        for name in ("icc", "r2_school", "r2_pupil", "stability"):
            _inside(name, getattr(self, name), 0, 1, open_=False)
        for name, least in (("schools", 1), ("covariates", 0), ("pre_periods", 0),
                            ("post_periods", 1)):  # fmt: skip
            _inside(name, getattr(self, name), least, MOST_SCHOOLS, open_=False)
        if not (math.isfinite(self.pupils) and self.pupils >= 1):
            raise InputError(f"pupils is {self.pupils}; it must be 1 or more.")
        if self.power <= self.alpha / 2:
            raise InputError(f"power is {self.power}; it must be above half of alpha.")
        if self.icc in (0, 1) and self.r2_school == 1 and self.r2_pupil == 1:
            raise InputError("Nothing is left unexplained; give r2 below 1.")
        if (
            self.df < 1
            or min(self.schools * self.share, self.schools * (1 - self.share)) < 2 - 1e-9
        ):
            raise InputError(
                f"{self.schools} schools with {self.share:.0%} supported are too few: at least 2"
                " supported, 2 others and a degree of freedom are needed.",
                mend="Plan with more schools or fewer covariates.",
            )

    @property
    def df(self) -> int:
        """Degrees of freedom: schools - 2 - covariates (one more where adjusted for the past)."""
        return self.schools - 2 - self.covariates - (1 if self.pre_periods and self.adjust else 0)


def _inside(name: str, value: float, least: float, most: float, *, open_: bool) -> None:
    good = math.isfinite(value) and (least < value < most if open_ else least <= value <= most)
    if not good:
        words = f"between {least:g} and {most:g}" if open_ else f"from {least:g} to {most:,.0f}"
        raise InputError(f"{name} is {value}; it must be {words}.")


@dataclass(frozen=True)
class Power:
    """What a plan can detect.

    Attributes
    ----------
    detectable : float
        Minimum detectable effect, SD of pupils: a true effect of this size is found with the
        power asked for.
    se : float
        Standard error of the effect, SD of pupils.
    df : int
    design_effect : float
        How many times more schools' variance counts than if pupils were independent.
    design : PowerDesign
    """

    detectable: float
    se: float
    df: int
    design_effect: float
    design: PowerDesign

    def as_dict(self) -> dict[str, Any]:
        """Return the same in JSON types."""
        return {**asdict(self), "design": asdict(self.design)}


def detectable_effect(design: PowerDesign) -> Power:
    """Return the smallest effect that a plan can detect.

    Notes
    -----
    (t(1 - alpha/2) + t(power)) x standard error, with schools - 2 - covariates degrees of freedom.
    The variance of a school's mean in a period is icc (1 - r2_school) + (1 - icc)(1 - r2_pupil) /
    pupils; different pupils each period, so that only schools' effects carry over.
    """
    df = design.df
    multiplier = float(student.ppf(1 - design.alpha / 2, df) + student.ppf(design.power, df))
    se = _standard_error(design)
    simple = 1 + (design.pupils - 1) * design.icc
    return Power(multiplier * se, se, df, simple, design)


def power_of(design: PowerDesign, effect: float) -> float:
    """Return the chance that a plan finds a true effect.

    Parameters
    ----------
    design : PowerDesign
        Its own `power` does not count.
    effect : float
        SD of pupils.
    """
    if not math.isfinite(effect):
        raise InputError(f"The effect is {effect}; it must be a number.")
    df, shift = design.df, abs(effect) / _standard_error(design)
    edge = float(student.ppf(1 - design.alpha / 2, df))
    return float(nct.sf(edge, df, shift) + nct.cdf(-edge, df, shift))


def schools_needed(design: PowerDesign, effect: float) -> int:
    """Return how many schools a plan needs to detect an effect.

    Parameters
    ----------
    design : PowerDesign
        Its own number of schools does not count.
    effect : float
        SD of pupils, above 0.

    Raises
    ------
    InputError
        If a million schools are too few.
    """
    if not (math.isfinite(effect) and effect > 0):
        raise InputError(f"The effect is {effect}; it must be above 0.")
    low = max(
        math.ceil(2 / min(design.share, 1 - design.share)),
        3 + design.covariates + int(bool(design.pre_periods and design.adjust)),
    )

    def enough(schools: int) -> bool:
        return detectable_effect(replace(design, schools=schools)).detectable <= effect

    if enough(low):
        return low
    high = low
    while not enough(high):
        low, high = high, high * 2
        if high > MOST_SCHOOLS:
            raise InputError(
                f"Not even {MOST_SCHOOLS:,} schools could detect {effect:g} SD of pupils.",
                mend="Test more pupils a school, or measure more periods.",
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _standard_error(design: PowerDesign) -> float:
    between = design.icc * (1 - design.r2_school)
    within = (1 - design.icc) * (1 - design.r2_pupil) / design.pupils
    mean = between + within
    carried = between * design.stability  # covariance of a school's means in two periods
    m, r = design.pre_periods, design.post_periods
    variance = (mean + (r - 1) * carried) / r
    if m:
        past = (mean + (m - 1) * carried) / m
        if design.adjust:
            variance -= carried**2 / past if past > 0 else 0.0
        else:
            variance += past - 2 * carried
    P = design.share
    return math.sqrt(max(variance, 0.0) / (P * (1 - P) * design.schools))
