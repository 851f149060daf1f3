"""Effects in words: percentile gain and months of progress."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy.stats import norm

from brightspots.core.errors import InputError

UPPER_ENDS = (0.01, 0.09, 0.18, 0.26, 0.35, 0.44, 0.52, 0.61, 0.69, 0.78, 0.87, 0.95, 1.00)
"""Largest effect of 0, 1, 2, ... 12 months (table of the EEF's toolkit, attainment)."""


@dataclass(frozen=True)
class EffectSize:
    """An effect in SD of pupils and what it amounts to; each with both ends of its interval.

    Attributes
    ----------
    effect, lower, upper : float
        In SD of pupils.
    percentile_gain, percentile_lower, percentile_upper : float
        Points that a pupil at the middle moves up (Baird and Pane 2019 found it read best).
    months, months_lower, months_upper : int or None
        Months of progress; None where the design does not allow them.
    """

    effect: float
    lower: float
    upper: float
    percentile_gain: float
    percentile_lower: float
    percentile_upper: float
    months: int | None
    months_lower: int | None
    months_upper: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return the same in JSON types."""
        return dict(vars(self))


def months_of_progress(effect: float) -> int:
    """Turn an effect in SD of pupils into months of progress; 12 also for all above 1.

    Parameters
    ----------
    effect : float
        In SD of pupils. Below 0 the months are below 0.

    Raises
    ------
    InputError
        The effect is not a number.
    """
    if not math.isfinite(effect):
        raise InputError(f"The effect is {effect}; it must be a number.")
    # Half a hundredth counts upwards whatever its last binary digit.
    size = math.floor(abs(effect) * 100 + 0.5 + 1e-9) / 100
    months = next((at for at, end in enumerate(UPPER_ENDS) if size <= end + 1e-12), 12)
    return months if effect >= 0 else -months


def percentile_gain(effect: float) -> float:
    """Percentile points that a pupil at the middle of the others would move.

    Parameters
    ----------
    effect : float
        In SD of pupils, taken as normally distributed.
    """
    if not math.isfinite(effect):
        raise InputError(f"The effect is {effect}; it must be a number.")
    return float(100 * norm.cdf(effect) - 50)


def effect_size(effect: float, lower: float, upper: float, *, months: bool) -> EffectSize:
    """Put an effect with its interval in words.

    Parameters
    ----------
    effect, lower, upper : float
        In SD of pupils.
    months : bool
        Whether the design allows months of progress.
    """
    told = [months_of_progress(each) if months else None for each in (effect, lower, upper)]
    return EffectSize(
        effect, lower, upper,
        percentile_gain(effect), percentile_gain(lower), percentile_gain(upper), *told,
    )  # fmt: skip
