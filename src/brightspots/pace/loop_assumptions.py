"""What the simulated system of the loop is assumed to be like, each with its source.

Chosen before any result was looked at; only the learning policy was tuned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import polars as pl

from brightspots.core.errors import InputError

__all__ = ["ASSUMPTIONS", "Assumption", "LoopAssumptions", "assumptions_frame"]


@dataclass(frozen=True)
class Assumption:
    """One figure of the simulated system.

    Attributes
    ----------
    low, high : float
        What may be set; wider than what is likely.
    meaning, source : str
        In plain words; the source is "assumed" where we know of none.
    """

    low: float
    high: float
    meaning: str
    source: str


@dataclass(frozen=True)
class LoopAssumptions:
    """The simulated system; SDs and gains in SD of pupils. Meaning and source: `ASSUMPTIONS`."""

    n_priorities: int = 3
    school_sd: float = 0.15
    school_year_sd: float = 0.10
    priority_correlation: float = 0.7
    drift: float = 0.95
    cohort_median: float = 38.0
    cohort_spread: float = 0.55
    residual_sd: float = 0.75
    km2_per_school: float = 36.0
    town_share: float = 0.45
    ability_mean: float = 0.05
    leader_sd: float = 0.08
    leader_priority_sd: float = 0.06
    ability_with_own_school: float = 0.5
    project_sd: float = 0.05
    gain_kept: float = 0.7
    willing_share: float = 0.5
    leader_share: float = 0.2
    days_low: int = 10
    days_high: int = 40
    project_days: int = 10
    caseload: int = 5
    max_km: float = 25.0
    leaving: float = 0.10
    asking: float = 0.8
    refusing: float = 0.15
    visits: int = 6
    km_per_hour: float = 30.0

    def __post_init__(self) -> None:
        for name, about in ASSUMPTIONS.items():
            value = getattr(self, name)
            if not about.low <= value <= about.high:
                raise InputError(
                    f"{name} is {value:g}; it must be from {about.low:g} to {about.high:g}.",
                    mend=f"It is: {about.meaning}.",
                )
        if self.days_low > self.days_high:
            raise InputError("days_low is above days_high.")

    def changed(self, changes: Mapping[str, float]) -> LoopAssumptions:
        """Return the same with some figures changed.

        Raises
        ------
        InputError
            There is no such assumption, or it cannot have that value.
        """
        values: dict[str, Any] = asdict(self)
        for name, value in changes.items():
            if name not in values:
                raise InputError(
                    f'There is no assumption "{name}".', mend=f"There are: {', '.join(values)}."
                )
            if isinstance(values[name], int) and value != int(value):
                raise InputError(f"{name} is {value:g}; a whole number is needed.")
            values[name] = int(value) if isinstance(values[name], int) else float(value)
        return LoopAssumptions(**values)


_TWIN = "as the twin of this software (docs/methods/twin.md); "
ASSUMPTIONS: Final[dict[str, Assumption]] = {
    "n_priorities": Assumption(1, 3, "live priorities", "never more than three at a time"),
    "school_sd": Assumption(0, 1, "SD of schools' lasting effects",
        _TWIN + "the rule for bright spots was chosen on it"),
    "school_year_sd": Assumption(0, 1, "SD of what one year brings and takes away",
        _TWIN + "the rule for bright spots was chosen on it"),
    "priority_correlation": Assumption(0, 1, "correlation of a school's effects between priorities",
        _TWIN + "assumed"),
    "drift": Assumption(0, 1, "correlation of a lasting effect with that of the year before",
        "assumed; that effects of several years ago say little of the future is shown by Leckie and"
        " Goldstein 2009, doi 10.1111/j.1467-985X.2009.00597.x"),
    "cohort_median": Assumption(5, 1000, "median number of pupils measured a year", _TWIN +
        "assumed"),
    "cohort_spread": Assumption(0, 2, "SD of its logarithm over schools", _TWIN + "assumed"),
    "residual_sd": Assumption(0.1, 2, "SD among pupils of a school, prior attainment taken out",
        _TWIN + "assumed"),
    "km2_per_school": Assumption(0.1, 10_000, "land a school, square km", _TWIN + "assumed"),
    "town_share": Assumption(0, 1, "share of schools in towns", _TWIN + "assumed"),
    "ability_mean": Assumption(-1, 1, "mean gain a head would bring to another school in a year",
        "the true effect in the simulation by which the rules of evidence were chosen; assumed"),
    "leader_sd": Assumption(0, 1, "SD between heads of that gain, over all priorities",
        "assumed; with the next, SD .10 in all, inside the .05 to .21 that a principal one SD above"
        " the average brings to the own school (Branch, Hanushek and Rivkin 2013, Education Next"
        " 13(1):62)"),
    "leader_priority_sd": Assumption(0, 1, "SD of the same head's gains between priorities",
        "assumed; see leader_sd"),
    "ability_with_own_school": Assumption(0, 1,
        "correlation of what a head can pass on with the own school's effect", _TWIN + "assumed"),
    "project_sd": Assumption(0, 1, "SD of what luck adds to one project", "assumed"),
    "gain_kept": Assumption(0, 1, "share of a gain that is left a year later", "assumed"),
    "willing_share": Assumption(0.01, 1, "share of heads who would lead", _TWIN + "assumed"),
    "leader_share": Assumption(0.005, 0.9, "leaders for each school",
        "about 20 % of heads lead in Rwanda"),
    "days_low": Assumption(1, 200, "fewest days a year a leader has for others", _TWIN + "assumed"),
    "days_high": Assumption(1, 200, "most days; in steps of 5", _TWIN + "assumed"),
    "project_days": Assumption(1, 200, "days of one project", "assumed"),
    "caseload": Assumption(1, 50, "most schools a leader supports at once",
        "5 to 6 schools a mentor in Delhi"),
    "max_km": Assumption(0.1, 2000, "longest way between the two schools, km",
        "default of brokering; assumed"),
    "leaving": Assumption(0, 1, "share of heads who stop being one in a year",
        "10 to 11 % of public principals in the United States (NCES, Principal Turnover, 2019 and"
        " 2024)"),
    "asking": Assumption(0, 1, "share of schools with a likely gap who ask in a year", "assumed"),
    "refusing": Assumption(0, 1, "share of suggested matches that one side declines", "assumed"),
    "visits": Assumption(0, 200, "visits a project, for the cost of travel", "assumed"),
    "km_per_hour": Assumption(1, 200, "speed of travel, for its cost", "assumed"),
}  # fmt: skip


def assumptions_frame(assumptions: LoopAssumptions) -> pl.DataFrame:
    """Every assumption: name, value, default, low, high, meaning, source."""
    default = LoopAssumptions()
    names = [each.name for each in fields(assumptions)]
    return pl.DataFrame(
        {
            "name": names,
            "value": [float(getattr(assumptions, name)) for name in names],
            "default": [float(getattr(default, name)) for name in names],
            "lowest": [ASSUMPTIONS[name].low for name in names],
            "highest": [ASSUMPTIONS[name].high for name in names],
            "meaning": [ASSUMPTIONS[name].meaning for name in names],
            "source": [ASSUMPTIONS[name].source for name in names],
        },
        schema_overrides={"lowest": pl.Float64, "highest": pl.Float64},
    )
