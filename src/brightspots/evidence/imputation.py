"""Effects by imputation, after Borusyak, Jaravel and Spiess (2024, Review of Economic Studies).

Unit and period effects (with covariates, effects of their first values in each period) are fitted
on untreated rows alone; each treated row's effect is its outcome less what they foresee.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.evidence.group_time import interval
from brightspots.evidence.panel import Panel
from brightspots.evidence.parameters import Estimate, ImpactParameters
from brightspots.evidence.uncertainty import in_any, within_clusters

Array = NDArray[np.float64]

EVENTS = {
    "event_time": pl.Float64, "att": pl.Float64, "se": pl.Float64, "lower": pl.Float64,
    "upper": pl.Float64, "treated_units": pl.Int64, "treated_clusters": pl.Int64, "why": pl.String,
}  # fmt: skip
_RANK = 1e-10


@dataclass(frozen=True)
class Imputation:
    """Effects by imputation, in the unit of the outcome.

    Attributes
    ----------
    overall : Estimate
        Average over treated units and periods.
    events : DataFrame
        event_time, att, se, lower, upper, treated_units, treated_clusters, why.
    left_out : int
        Treated unit-periods in which nobody was untreated, so that nothing could be imputed.
    """

    overall: Estimate
    events: pl.DataFrame
    left_out: int

    def as_dict(self) -> dict[str, Any]:
        """Return the same in JSON types."""
        return {
            "overall": self.overall.as_dict(), "event_times": self.events.to_dicts(),
            "left_out": self.left_out,
        }  # fmt: skip


def imputation_att(panel: Panel, parameters: ImpactParameters | None = None) -> Imputation:
    """Estimate effects by imputation, beside the group-time effects.

    Parameters
    ----------
    panel : Panel
    parameters : ImpactParameters, optional
        Rows from the anticipation on are neither fitted on nor counted before treatment.

    Notes
    -----
    All units of a group share their untreated periods, so the normal equations are sums over groups
    of (covariates' cross product) x (centring over these periods): nothing of the size of the
    table is ever solved. The variance is the conservative one of the paper, clustered, with the
    residual of a treated row taken from the average of its group and period.
    """
    parameters = parameters or ImpactParameters()
    fit = _Fit(panel, parameters)
    values = panel.periods.values
    age = values[None, :] - panel.first[:, None]
    counted = (age >= 0) & fit.known[None, :]
    rows = []
    for event in np.unique(age[counted]):
        target = counted & (age == event)
        estimate = fit.average(target)
        rows.append({"event_time": float(event), **estimate.as_dict()})
    events = pl.DataFrame([{key: row[key] for key in EVENTS} for row in rows], schema=EVENTS)
    return Imputation(fit.average(counted), events, int(((age >= 0) & ~counted).sum()))


class _Fit:
    """Effects of units and periods from untreated rows."""

    def __init__(self, panel: Panel, parameters: ImpactParameters) -> None:
        self.panel, self.level = panel, parameters.level
        values = panel.periods.values
        n, T = panel.outcome.shape
        self.Z = np.column_stack([np.ones(n), panel.covariates[:, 0, :]])
        p = self.Z.shape[1]
        firsts, self.group = np.unique(panel.first, return_inverse=True)
        self.untreated = values[None, :] + parameters.anticipation < firsts[:, None]
        self.size = self.untreated.sum(axis=1)
        centring = np.array([
            np.diag(S.astype(float)) - np.outer(S, S) / max(S.sum(), 1) for S in self.untreated
        ])  # fmt: skip
        self.centring = centring
        A = np.zeros((p * T, p * T))
        b = np.zeros((p, T))
        for g in range(len(firsts)):
            here = self.group == g
            Zg, w = self.Z[here], panel.weights[here]
            A += np.kron((Zg * w[:, None]).T @ Zg, centring[g])
            b += (Zg * w[:, None]).T @ (panel.outcome[here] @ centring[g])
        # Per covariate one sum over periods is free: units' effects take it up.
        self.inverse = np.linalg.pinv(A, rcond=_RANK, hermitian=True)
        self.normal = A
        gamma = (self.inverse @ b.ravel()).reshape(p, T)
        self.known = in_any(self.untreated)
        foreseen = self.Z @ gamma
        S = self.untreated[self.group].astype(float)
        unit = ((panel.outcome - foreseen) * S).sum(axis=1) / self.size[self.group]
        self.effect = panel.outcome - foreseen - unit[:, None]

    def average(self, target: NDArray[np.bool_]) -> Estimate:
        """Average effect over the target rows, shape (n, T), by the weights of units."""
        panel = self.panel
        if not target.any():
            return Estimate(None, why="nothing could be imputed")
        W = target * panel.weights[:, None]
        W = W / W.sum()
        att = float((W * self.effect).sum())
        by_unit = self._influence(W)
        if by_unit is None:
            return Estimate(None, why="too few untreated units in a period for these covariates")
        influence = within_clusters(by_unit, panel.cluster, panel.n_clusters)
        treated = target.any(axis=1)
        clusters = np.bincount(panel.cluster[treated], minlength=panel.n_clusters) > 0
        others = np.bincount(panel.cluster[~treated], minlength=panel.n_clusters) > 0
        return interval(
            att, influence, clusters, clustered=panel.clustered, level=self.level,
            treated_units=int(treated.sum()), comparison_clusters=int(others.sum()),
            alone=panel.treated_clusters < 2,
        )  # fmt: skip

    def _influence(self, W: Array) -> Array | None:
        """Sum over a unit's rows of the weight of the row in the estimate times its residual.

        None where untreated rows do not say what is asked of them.
        """
        panel = self.panel
        _, T = W.shape
        p = self.Z.shape[1]
        total = W.sum(axis=1)
        # What the target rows ask of the coefficients of periods, less what units' effects take.
        per_group = self.untreated / np.maximum(self.size, 1)[:, None]
        asked = self.Z.T @ (W - total[:, None] * per_group[self.group])
        solution = self.inverse @ asked.ravel()
        if np.abs(self.normal @ solution - asked.ravel()).max() > 1e-6 * np.abs(asked).max():
            return None
        solved = solution.reshape(p, T)
        influence = np.empty(panel.n)
        for g in range(len(self.untreated)):
            here = self.group == g
            Z, w = self.Z[here], panel.weights[here]
            weight = (
                -total[here, None] * per_group[g] - w[:, None] * (Z @ solved) @ self.centring[g]
            )
            influence[here] = (weight * self.effect[here] * self.untreated[g]).sum(axis=1)
            mine = W[here]
            if mine.any():
                column = mine.sum(axis=0)
                mean = (mine * self.effect[here]).sum(axis=0) / np.where(column > 0, column, 1.0)
                influence[here] += (mine * (self.effect[here] - mean)).sum(axis=1)
        return influence
