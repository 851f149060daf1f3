"""Whether the treated moved like the others before they were treated, and the raw paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2
from scipy.stats import f as fisher

from brightspots.evidence.aggregates import by_share
from brightspots.evidence.group_time import GroupTime, compared_with
from brightspots.evidence.panel import Panel
from brightspots.evidence.parameters import Estimate, ImpactParameters
from brightspots.evidence.uncertainty import covariance, in_any

PATHS = {"group": pl.String, "time": pl.String, "n": pl.Int64, "mean": pl.Float64,
         "sd": pl.Float64}  # fmt: skip
BALANCE = {
    "measure": pl.String, "treated": pl.Float64, "comparison": pl.Float64,
    "difference": pl.Float64, "standardised": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True)
class PreTrends:
    """A test of equal trends before treatment.

    Attributes
    ----------
    n : int
        Effects before treatment (and before the anticipation) tested together.
    statistic, p_value : float or None
        Wald statistic and its probability if trends were equal; None where it cannot be tested.
    reference : str
        Distribution: chi-square with n degrees of freedom; F where clusters were given or groups
        had to be put together by time before treatment.
    drift : Estimate
        Average change of the treated beside the others, a step between periods, before treatment.
    would_explain : float or None
        What the same drift would add up to by the average treated period.
    why : str
        Why it cannot be tested.
    """

    n: int
    statistic: float | None
    p_value: float | None
    reference: str
    drift: Estimate
    would_explain: float | None
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the same in JSON types."""
        return {**vars(self), "drift": self.drift.as_dict()}


def pre_trends(found: GroupTime, parameters: ImpactParameters, n_clusters: int) -> PreTrends:
    """Test together that no effect before treatment differs from 0.

    Parameters
    ----------
    found : GroupTime
        From :func:`brightspots.evidence.group_time.att_gt`.
    parameters : ImpactParameters
    n_clusters : int

    Notes
    -----
    Not rejecting does not show equal trends (Roth 2022): `would_explain` says how large an effect
    the drift seen would feign, its interval how large one it could.
    """
    before = (found.time + found.anticipation < found.group) & np.isfinite(found.att)
    before &= (found.influence != 0).any(axis=1)
    cells = np.flatnonzero(before)
    drift, explained = _drift(found, cells, parameters)
    trusted = np.array(
        [found.in_group[place].sum() > 1 for place in found.place[cells]], dtype=bool
    )
    trusted &= found.comparison_clusters[cells] > 1
    used = cells[trusted]
    if not len(used):
        return PreTrends(0, None, None, "", drift, explained, "there is no earlier period to test")
    # Where there are too few units for every group and period, groups are put together.
    for together in (False, True):
        tested = _test(found, used, n_clusters, together)
        if tested is not None:
            return PreTrends(*tested, drift, explained)
    why = "there are too few units or clusters for this many effects before treatment"
    return PreTrends(len(used), None, None, "", drift, explained, why)


def _test(
    found: GroupTime, used: NDArray[np.int64], n_clusters: int, together: bool
) -> tuple[int, float, float, str] | None:
    """Return number, Wald statistic, p and distribution; None where it cannot be told."""
    att, influence = found.att[used], found.influence[used]
    if together:
        age = found.time[used] - found.group[used]
        parts = [by_share(found, used[age == each]) for each in np.unique(age)]
        att, influence = np.array([part[0] for part in parts]), np.array([p[1] for p in parts])
    cov = covariance(influence, in_any(found.in_group), clustered=found.clustered)
    scale = np.sqrt(np.diag(cov))
    q, free = len(att), n_clusters - len(att)
    if (scale <= 0).any() or np.linalg.eigvalsh(cov / np.outer(scale, scale))[0] < 1e-9:
        return None
    wald = float(att @ np.linalg.solve(cov, att))
    if not found.clustered and not together:
        return q, wald, float(chi2.sf(wald, q)), f"chi-square({q})"
    if free < 5:
        return None
    value = wald * free / (q * (n_clusters - 1))
    return q, wald, float(fisher.sf(value, q, free)), f"F({q}, {free})"


def _drift(
    found: GroupTime, cells: NDArray[np.int64], parameters: ImpactParameters
) -> tuple[Estimate, float | None]:
    """Average change before treatment, and what it would add up to."""
    if parameters.base_period != "varying" or not len(cells):
        return Estimate(None, why="no change from one period to the next is known"), None
    att, influence = by_share(found, cells)
    drift = found.estimate(att, influence, cells)
    post = np.flatnonzero(found.post)
    if not len(post):
        return drift, None
    steps = np.unique(found.time)
    step = float(np.diff(steps).min()) if len(steps) > 1 else 1.0
    share = found.share[found.place[post]]
    age = (found.time[post] - found.group[post] + found.anticipation) / step + 1
    return drift, float(att * (share @ age) / share.sum())


def raw_paths(panel: Panel) -> pl.DataFrame:
    """Mean outcome of each group in each period, before any model.

    Returns
    -------
    DataFrame
        group (its first treated period; "never"), time, n, mean, sd; in the unit of the outcome.
    """
    last = panel.periods.values[-1]
    rows = []
    for first in [*panel.groups, np.inf]:
        here = panel.first == first if np.isfinite(first) else panel.first > last
        if not here.any():
            continue
        name = panel.periods.label_of(first) if np.isfinite(first) else "never"
        values, w = panel.outcome[here], panel.weights[here]
        means = w @ values / w.sum()
        spread = values.std(axis=0, ddof=1) if here.sum() > 1 else [None] * len(means)
        rows += [
            (name, label, int(here.sum()), float(mean), None if sd is None else float(sd))
            for label, mean, sd in zip(panel.periods.labels, means, spread, strict=True)
        ]
    return pl.DataFrame(rows, schema=PATHS, orient="row")


def balance(panel: Panel, found: GroupTime, parameters: ImpactParameters) -> pl.DataFrame:
    """Compare treated and comparison units in the last untreated period.

    Returns
    -------
    DataFrame
        measure, treated, comparison, difference, standardised (by the SD of units to compare
        with); groups weighted by their share. Covariates are in SD already.
    """
    values = panel.periods.values
    sums: dict[str, list[float]] = {}
    total = 0.0
    for place, g in enumerate(found.groups):
        base = int(np.flatnonzero(values + parameters.anticipation < g)[-1])
        treated = panel.first == g
        others = compared_with(panel, float(g), float(g), parameters)
        if others.sum() < 2:
            continue
        share = float(found.share[place])
        total += share
        columns = {"outcome": panel.outcome[:, base]} | {
            name: panel.covariates[:, base, at] for at, name in enumerate(panel.covariate_names)
        }
        for name, x in columns.items():
            a = float(np.average(x[treated], weights=panel.weights[treated]))
            b = float(np.average(x[others], weights=panel.weights[others]))
            sd = float(x[others].std(ddof=1))
            row = sums.setdefault(name, [0.0, 0.0, 0.0, 0.0])
            part = (a, b, a - b, (a - b) / sd if sd > 0 else 0.0)
            for at, value in enumerate(part):
                row[at] += share * value
    rows = [(name, *(value / total for value in row)) for name, row in sums.items()]
    return pl.DataFrame(rows, schema=BALANCE, orient="row")
