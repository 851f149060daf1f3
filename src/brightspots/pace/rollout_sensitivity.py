"""Which assumptions matter: rank correlations, shares of variance, and a tornado."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.pace.rollout import Rollout
from brightspots.pace.rollout_assumptions import Draws
from brightspots.pace.rollout_measures import MEASURES, TOTAL, measure
from brightspots.pace.rollout_simulate import world

__all__ = ["rank_correlation", "sensitivity", "share_of_variance", "tornado"]

Floats = NDArray[np.float64]
_BINS: Final = 10
_RESAMPLES: Final = 200
_NORMAL: Final = 1.959963984540054


def sensitivity(rollout: Rollout, plan: str, *, seed: int = 0) -> pl.DataFrame:
    """Say which assumptions move which measure of a plan, and by how much.

    Parameters
    ----------
    rollout : Rollout
    plan : str
        Its name.
    seed : int
        Of the resamples behind the intervals of the shares of variance.

    Returns
    -------
    DataFrame
        One row an assumption and measure, the widest swing of each measure first:

        - rank_correlation, with lower and upper: Spearman's, over the draws;
        - variance_share, with lower and upper: first-order share of the variance, that is what
          would vanish on average if the assumption were known (Sobol's index). The rest is due to
          interactions and to how single areas differ;
        - at_low, at_value, at_high: the tornado. The measure with this assumption at its low end,
          all at their most likely values, and with this one at its high end; no area differs then.

        Empty where an assumption has no range.
    """
    measured = rollout.plan(plan)
    totals = {name: measured.values[name, TOTAL] for name in MEASURES}
    ends = tornado(rollout, plan)
    drawn = rollout.drawn
    rng = np.random.default_rng([seed, 11])
    rows = []
    for place, each in enumerate(rollout.assumptions):
        known = each.low == each.high
        for name, values in totals.items():
            low, middle, high = (float(ends[name][at]) for at in (1 + 2 * place, 0, 2 + 2 * place))
            rank = (None,) * 3 if known else rank_correlation(drawn[each.name], values)
            share = (None,) * 3 if known else share_of_variance(drawn[each.name], values, rng)
            rows.append(
                (
                    each.name, name, MEASURES[name], *rank, *share,
                    each.low, each.value, each.high, low, middle, high, abs(high - low),
                )
            )  # fmt: skip
    triples = [f"{kind}{end}" for kind in ("rank_correlation", "variance_share")
               for end in ("", "_lower", "_upper")]  # fmt: skip
    numbers = [*triples, "low", "value", "high", "at_low", "at_value", "at_high", "swing"]
    schema = dict.fromkeys(("assumption", "measure", "unit"), pl.String)
    return (
        pl.DataFrame(rows, schema=schema | dict.fromkeys(numbers, pl.Float64), orient="row")
        .with_columns(pl.col("measure").cast(pl.Enum(list(MEASURES))))
        .sort("measure", "swing", "assumption", descending=[False, True, False])
        .with_columns(pl.col("measure").cast(pl.String))
    )


def tornado(rollout: Rollout, plan: str) -> dict[str, Floats]:
    """Return each measure at every assumption's ends, in a moment.

    First with all at their most likely values, then with each at its low and at its high end; no
    area differs.
    """
    assumptions = rollout.assumptions
    rows = 1 + 2 * len(assumptions)
    values = {each.name: np.full(rows, each.value) for each in assumptions}
    for place, each in enumerate(assumptions):
        values[each.name][1 + 2 * place : 3 + 2 * place] = each.low, each.high
    none = np.zeros((rows, len(rollout.areas)))
    alike = world(rollout.areas, rollout.parameters, Draws(_no_spread(values), none, none))
    found = measure(alike, rollout.plan(plan).plan)
    return {name: found.values[name, TOTAL] for name in MEASURES}


def _no_spread(values: dict[str, Floats]) -> dict[str, Floats]:
    """Keep areas alike: the growth of a log-normal area's middle would fall with its spread."""
    return values | {"growth_spread": np.zeros_like(values["growth_spread"])}


def rank_correlation(drawn: Floats, values: Floats) -> tuple[float, float, float]:
    """Spearman's correlation with its 95 % interval by Fisher's z (Bonett and Wright 2000)."""
    n = len(drawn)
    if np.ptp(values) == 0 or n < 5:
        return 0.0, -1.0 if n < 5 else 0.0, 1.0 if n < 5 else 0.0
    r = float(np.corrcoef(_ranks(drawn), _ranks(values))[0, 1])
    bounded = min(max(r, -0.999999), 0.999999)
    half = _NORMAL * math.sqrt((1 + bounded**2 / 2) / (n - 3))
    middle = math.atanh(bounded)
    return r, math.tanh(middle - half), math.tanh(middle + half)


def _ranks(values: Floats) -> Floats:
    """Ranks, the mean one for equal values."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse], dtype=np.float64)


def share_of_variance(
    drawn: Floats, values: Floats, rng: np.random.Generator
) -> tuple[float, float, float]:
    """First-order share of variance, from the draws there are, with a bootstrap interval.

    Adjusted R2 of the means in equal bins of the assumption (Plischke, Borgonovo and Smith 2013
    estimate the same from given data; the adjustment takes away what bins of pure noise would
    explain). 95 % basic interval from resampled draws, within 0 and 1.
    """
    if np.ptp(values) == 0:
        return 0.0, 0.0, 0.0
    n = len(values)
    found = _adjusted(drawn, values)
    again = np.array(
        [_adjusted(drawn[at], values[at]) for at in rng.integers(0, n, (_RESAMPLES, n))]
    )
    low, high = np.quantile(again, [0.025, 0.975])
    # Resampled draws repeat, which adds to what bins explain: the basic interval takes it back.
    lower, upper = np.clip([2 * found - high, 2 * found - low], 0.0, 1.0)
    inside = min(max(found, 0.0), 1.0)
    return inside, min(float(lower), inside), max(float(upper), inside)


def _adjusted(drawn: Floats, values: Floats) -> float:
    n = len(values)
    bins = min(_BINS, max(2, n // 10))
    total = float(((values - values.mean()) ** 2).sum())
    if total == 0 or n <= bins:
        return 0.0
    place = np.empty(n, dtype=np.int64)
    place[np.argsort(drawn, kind="stable")] = np.arange(n) * bins // n
    counts = np.bincount(place, minlength=bins)
    means = np.bincount(place, weights=values, minlength=bins) / counts
    within = float(((values - means[place]) ** 2).sum())
    return 1 - (within / (n - bins)) / (total / (n - 1))
