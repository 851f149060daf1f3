"""Settings of an evaluation, and the form in which its estimates come."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from brightspots.core.errors import InputError

Control = Literal["never", "notyet"]
Design = Literal["lottery", "eligible", "comparison"]


@dataclass(frozen=True)
class ImpactParameters:
    """Settings of :func:`brightspots.evidence.group_time.att_gt` and what is built on it.

    Parameters
    ----------
    control : {"never", "notyet"}
        Who is compared with: units never treated, or those not treated yet at the time.
    anticipation : float
        Periods before the first treated one in which the outcome may already move (what schools
        are chosen on counts: 1 where they were chosen on the latest result). In the unit of the
        time column.
    method : {"dr", "reg"}
        With covariates: doubly robust (logit and regression), or regression alone.
    base_period : {"varying", "universal"}
        Before treatment: change since the period before, or since the last untreated period.
    level : float
        Coverage of the intervals.
    seed : int
        Of the draws behind the simultaneous bands.
    draws : int
        Their number.
    design : {"lottery", "eligible", "comparison"}
        How it was decided who is supported first: by lottery; among schools that were all eligible;
        otherwise.
    pupil_sd : float or None
        Standard deviation of pupils in the unit of the outcome; 1 where the outcome is in SD of
        pupils. None: not known, and then there are no months of progress.

    Raises
    ------
    InputError
        A setting outside its range.
    """

    control: Control = "never"
    anticipation: float = 0.0
    method: Literal["dr", "reg"] = "dr"
    base_period: Literal["varying", "universal"] = "varying"
    level: float = 0.95
    seed: int = 0
    draws: int = 20_000
    design: Design = "comparison"
    pupil_sd: float | None = None

    def __post_init__(self) -> None:
        _one_of("control", self.control, ("never", "notyet"))
        _one_of("method", self.method, ("dr", "reg"))
        _one_of("base period", self.base_period, ("varying", "universal"))
        _one_of("design", self.design, ("lottery", "eligible", "comparison"))
        if not (math.isfinite(self.anticipation) and self.anticipation >= 0):
            raise InputError(f"The anticipation is {self.anticipation}; it must be 0 or more.")
        if not 0.5 <= self.level < 1:
            raise InputError(f"The level is {self.level}; it must be from 0.5 to below 1.")
        if not 100 <= self.draws <= 1_000_000:
            raise InputError(f"The draws are {self.draws}; they must be from 100 to 1,000,000.")
        if self.seed < 0:
            raise InputError(f"The seed is {self.seed}; it must be 0 or more.")
        if self.pupil_sd is not None and not (math.isfinite(self.pupil_sd) and self.pupil_sd > 0):
            raise InputError(f"The SD of pupils is {self.pupil_sd}; it must be above 0.")

    def as_dict(self) -> dict[str, Any]:
        """Return the settings in JSON types."""
        return asdict(self)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(
            f'The {name} is "{value}"; it must be one of {", ".join(allowed)}.',
            mend=f"Write {allowed[0]}.",
        )


@dataclass(frozen=True)
class Estimate:
    """One estimate, in the unit of the outcome.

    Attributes
    ----------
    att : float or None
        Average effect on the treated; None where there is none.
    se : float or None
        Standard error; None where nothing can be said of it.
    lower, upper : float or None
        Interval; None where it cannot be trusted, and `why` says why.
    df : float or None
        Degrees of freedom of the interval (Welch, Satterthwaite).
    treated_units, treated_clusters, comparison_clusters : int
        What the estimate rests on; the last is the fewest of any group and time in it.
    why : str
        Why there is no interval, or no estimate; empty where there is.
    """

    att: float | None
    se: float | None = None
    lower: float | None = None
    upper: float | None = None
    df: float | None = None
    treated_units: int = 0
    treated_clusters: int = 0
    comparison_clusters: int = 0
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the same in JSON types."""
        return asdict(self)
