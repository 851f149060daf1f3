"""The same effects with the outcome of earlier periods as covariates, and the bracket of the two.

If units were chosen on their earlier results, a difference-in-differences says too much where
results return to their mean; if units differ for good, the adjustment for earlier results says too
little. With a true effect above 0 in the one world or the other, the two bracket it (Angrist and
Pischke 2009, section 5.4; Ding and Li 2019, Political Analysis 27:605).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.evidence.aggregates import by_share
from brightspots.evidence.doubly_robust import Effect, effect
from brightspots.evidence.group_time import CELLS, GroupTime, compared_with, interval
from brightspots.evidence.panel import Panel
from brightspots.evidence.parameters import Estimate, ImpactParameters
from brightspots.evidence.uncertainty import within_clusters

Array = NDArray[np.float64]

MOST_LAGS = 3


@dataclass(frozen=True)
class Bracket:
    """Two answers under two assumptions, and what lies between them.

    Attributes
    ----------
    difference, lagged : Estimate
        Difference-in-differences; adjustment for earlier outcomes.
    lags : int
        Most earlier periods adjusted for.
    low, high : float or None
        The smaller and the larger of the two estimates.
    lower, upper : float or None
        The lowest and highest end of their intervals.
    agree : bool or None
        Whether each lies within the other's interval; None where there is no interval.
    """

    difference: Estimate
    lagged: Estimate
    lags: int
    low: float | None
    high: float | None
    lower: float | None
    upper: float | None
    agree: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Return the same in JSON types, without the difference-in-differences itself."""
        return {
            "lagged_outcome": self.lagged.as_dict(), "lags": self.lags, "low": self.low,
            "high": self.high, "lower": self.lower, "upper": self.upper, "agree": self.agree,
        }  # fmt: skip


def lagged_outcome_att(
    panel: Panel, like: GroupTime, parameters: ImpactParameters | None = None
) -> tuple[GroupTime, int]:
    """Estimate effects of treated periods by regression on the outcome before treatment.

    Parameters
    ----------
    panel : Panel
    like : GroupTime
        From :func:`brightspots.evidence.group_time.att_gt`: which groups and periods.
    parameters : ImpactParameters, optional

    Returns
    -------
    GroupTime, int
        Effects by group and time, and the most earlier periods adjusted for: up to 3, the latest
        before treatment, those of the anticipation included (units may have been chosen on them).
    """
    parameters = parameters or ImpactParameters()
    cells = np.flatnonzero(like.time >= like.group)
    rows, atts, influences, comparisons, most = [], [], [], [], 0
    for at in cells:
        g, t = float(like.group[at]), int(np.searchsorted(panel.periods.values, like.time[at]))
        found, lags, total, row = _one(panel, g, t, parameters)
        most = max(most, lags)
        atts.append(found.att)
        influences.append(total)
        comparisons.append(row[11])
        rows.append(row)
    return GroupTime(
        cells=pl.DataFrame(rows, schema=CELLS, orient="row"),
        att=np.array(atts, dtype=np.float64),
        influence=np.array(influences).reshape(-1, panel.n_clusters),
        group=like.group[cells], time=like.time[cells], groups=like.groups, share=like.share,
        share_influence=like.share_influence, in_group=like.in_group, n_group=like.n_group,
        comparison_clusters=np.array(comparisons, dtype=np.int64), clustered=like.clustered,
        anticipation=like.anticipation, level=like.level,
    ), most  # fmt: skip


def _one(
    panel: Panel, g: float, t: int, parameters: ImpactParameters
) -> tuple[Effect, int, Array, tuple[Any, ...]]:
    values = panel.periods.values
    treated = panel.first == g
    comparison = compared_with(panel, g, float(values[t]), parameters)
    used = treated | comparison
    before = np.flatnonzero(values < g)[-MOST_LAGS:]
    # A regression needs more units than columns; with few, the latest result is what counts most.
    while len(before) > 1 and comparison.sum() < 5 * (len(before) + 1):
        before = before[1:]
    lags = panel.outcome[:, before]
    spread = lags.std(axis=0)
    lags = (lags - lags.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    X = np.column_stack([np.ones(panel.n), lags, panel.covariates[:, before[-1], :]])
    found = effect(panel.outcome[used, t], treated[used], panel.weights[used], X[used], "reg")
    total = within_clusters(found.influence, panel.cluster[used], panel.n_clusters)
    of = [np.bincount(panel.cluster[side], minlength=panel.n_clusters) > 0
          for side in (treated, comparison)]  # fmt: skip
    estimate = interval(
        found.att, total, of[0], clustered=panel.clustered, level=parameters.level,
        treated_units=int(treated.sum()), comparison_clusters=int(of[1].sum()),
        alone=panel.treated_clusters < 2,
    )  # fmt: skip
    row = (
        panel.periods.label_of(g), panel.periods.labels[t], estimate.att, estimate.se,
        estimate.lower, estimate.upper, panel.periods.labels[before[-1]], float(values[t] - g),
        int(treated.sum()), int(comparison.sum()), int(of[0].sum()), int(of[1].sum()),
        estimate.df, found.problem or estimate.why,
    )  # fmt: skip
    return found, len(before), total, row


def bracket(difference: Estimate, lagged: GroupTime, lags: int) -> Bracket:
    """Put the average of the lagged-outcome effects beside the difference-in-differences.

    Parameters
    ----------
    difference : Estimate
        The simple average of the group-time effects.
    lagged : GroupTime
        From :func:`lagged_outcome_att`.
    lags : int
    """
    cells = np.flatnonzero(lagged.post)
    other = (
        lagged.estimate(*by_share(lagged, cells), cells)
        if len(cells)
        else Estimate(None, why="no effect could be estimated this way")
    )
    pair = [each for each in (difference, other) if each.att is not None]
    atts = [each.att for each in pair if each.att is not None]
    ends = [end for each in pair for end in (each.lower, each.upper) if end is not None]
    both = len(atts) == 2
    agree = None
    if both and len(ends) == 4:
        agree = bool(ends[0] <= atts[1] <= ends[1] and ends[2] <= atts[0] <= ends[3])
    return Bracket(
        difference, other, lags,
        min(atts) if both else None, max(atts) if both else None,
        min(ends) if both and ends else None, max(ends) if both and ends else None, agree,
    )  # fmt: skip
