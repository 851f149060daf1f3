"""Group-time average effects after Callaway and Sant'Anna 2021, Journal of Econometrics 225:200.

A group is the units first treated in one period. Each effect compares the group's change since its
last untreated period with the change of units never treated, or not treated yet. Described in
``docs/methods/evidence.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.evidence.doubly_robust import Effect, Propensity, effect, fit_propensity
from brightspots.evidence.panel import Panel
from brightspots.evidence.parameters import Estimate, ImpactParameters
from brightspots.evidence.uncertainty import (
    NO_SPREAD,
    SINGLE_COMPARISON,
    SINGLE_TREATED,
    critical,
    in_any,
    standard_error,
    within_clusters,
)

Array = NDArray[np.float64]

CELLS = {
    "group": pl.String, "time": pl.String, "att": pl.Float64, "se": pl.Float64,
    "lower": pl.Float64, "upper": pl.Float64, "base": pl.String, "event_time": pl.Float64,
    "treated_units": pl.Int64, "comparison_units": pl.Int64, "treated_clusters": pl.Int64,
    "comparison_clusters": pl.Int64, "df": pl.Float64, "why": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class GroupTime:
    """Effects by group and time, with what is needed to put them together.

    Attributes
    ----------
    cells : DataFrame
        group, time, att, se, lower, upper, base, event_time, treated_units, comparison_units,
        treated_clusters, comparison_clusters, df, why (no estimate, or no interval, and the
        reason). In the unit of the outcome.
    att : array, shape (k,)
        NaN where there is none.
    influence : array, shape (k, C)
        Contribution of each cluster; the variance of an effect is the sum of squares.
    group, time : array, shape (k,)
        Values of the periods.
    groups : array, shape (m,)
        Values of the groups.
    share : array, shape (m,)
        Weighted share of each group among all units.
    share_influence : array, shape (m, C)
        Contribution of each cluster to these.
    in_group : array of bool, shape (m, C)
        Clusters with a unit of the group.
    n_group : array of int, shape (m,)
        Units of each group.
    comparison_clusters : array of int, shape (k,)
    clustered : bool
    anticipation, level : float
    """

    cells: pl.DataFrame
    att: Array
    influence: Array
    group: Array
    time: Array
    groups: Array
    share: Array
    share_influence: Array
    in_group: NDArray[np.bool_]
    n_group: NDArray[np.int64]
    comparison_clusters: NDArray[np.int64]
    clustered: bool
    anticipation: float
    level: float

    @property
    def post(self) -> NDArray[np.bool_]:
        """Which effects are of treated periods and could be estimated."""
        return (self.time >= self.group) & np.isfinite(self.att)

    @property
    def place(self) -> NDArray[np.int64]:
        """Place in `groups` of each effect's group."""
        return np.searchsorted(self.groups, self.group)

    def estimate(self, att: float, influence: Array, cells: NDArray[np.int64]) -> Estimate:
        """Give an estimate put together from cells its error and interval."""
        involved = np.unique(self.place[cells])
        treated = in_any(self.in_group[involved])
        comparison = int(self.comparison_clusters[cells].min())
        return interval(
            att, influence, treated, clustered=self.clustered, level=self.level,
            treated_units=int(self.n_group[involved].sum()), comparison_clusters=comparison,
            alone=int(in_any(self.in_group).sum()) < 2,
        )  # fmt: skip


def interval(
    att: float, influence: Array, treated: NDArray[np.bool_], *, clustered: bool, level: float,
    treated_units: int, comparison_clusters: int, alone: bool,
) -> Estimate:  # fmt: skip
    """Give one estimate its standard error and interval, or the reason why it has none.

    Parameters
    ----------
    att : float
    influence : array, shape (C,)
    treated : array of bool, shape (C,)
    clustered : bool
    level : float
    treated_units, comparison_clusters : int
    alone : bool
        Only one cluster is treated in the whole panel: then there is no error either. An effect of
        one cluster beside others keeps what R's `did` gives, which knows the others' luck alone.
    """
    n_treated = int(treated.sum())
    if not np.isfinite(att):
        return Estimate(None, treated_units=treated_units, treated_clusters=n_treated)
    se, df = standard_error(influence, treated, clustered=clustered)
    why = ""
    if n_treated < 2:
        why = SINGLE_TREATED
    elif comparison_clusters < 2:
        why = SINGLE_COMPARISON
    elif se <= 1e-10 * max(1.0, abs(att)):
        why = NO_SPREAD
    margin = critical(level, df) * se
    return Estimate(
        att=float(att), se=None if alone or why == NO_SPREAD else se,
        lower=None if why else float(att - margin), upper=None if why else float(att + margin),
        df=None if why else df, treated_units=treated_units, treated_clusters=n_treated,
        comparison_clusters=comparison_clusters, why=why,
    )  # fmt: skip


def compared_with(panel: Panel, group: float, until: float, parameters: ImpactParameters
                  ) -> NDArray[np.bool_]:  # fmt: skip
    """Tell which units a group is compared with, up to the period `until`; shape (n,)."""
    first, K = panel.first, parameters.anticipation
    if parameters.control == "never":
        chosen: NDArray[np.bool_] = first > panel.periods.values[-1] + K
    else:
        chosen = (first > until + K) & (first != group)
    return chosen


def att_gt(panel: Panel, parameters: ImpactParameters | None = None) -> GroupTime:
    """Estimate the effect on each group in each period.

    Parameters
    ----------
    panel : Panel
        From :func:`brightspots.evidence.panel.read_panel`, with the same anticipation.
    parameters : ImpactParameters, optional

    Returns
    -------
    GroupTime
        With R `did`'s defaults: long differences from the last period before treatment (less the
        anticipation); before treatment the change since the period before. An effect whose
        covariates leave nobody to compare with has no value.

    Raises
    ------
    InputError
        Nobody is never treated although that is who should be compared with.
    """
    parameters = parameters or ImpactParameters()
    if not has_comparison(panel, parameters):
        raise InputError(
            "No unit is never treated, so there is nobody to compare with."
            if parameters.control == "never"
            else "All units are treated at the same time, so there is nobody to compare with.",
            mend="Compare with units not treated yet (--control notyet), or add units that were"
            " not supported.",
        )  # fmt: skip
    work = _Cells(panel, parameters)
    values = panel.periods.values
    for g in panel.groups:
        before = np.flatnonzero(values + parameters.anticipation < g)
        if not len(before):
            continue
        for t in range(len(values)):
            base = int(before[-1])
            if values[t] < g and parameters.base_period == "varying":
                base = t - 1
            if base >= 0 and (base != t or parameters.base_period == "universal"):
                work.add(float(g), t, base)
    return work.result()


def has_comparison(panel: Panel, parameters: ImpactParameters) -> bool:
    """Tell whether any group has somebody to be compared with in any treated period."""
    return any(compared_with(panel, float(g), float(g), parameters).any() for g in panel.groups)


class _Cells:
    """The effects found so far."""

    def __init__(self, panel: Panel, parameters: ImpactParameters) -> None:
        self.panel, self.parameters = panel, parameters
        self.rows: list[tuple[object, ...]] = []
        self.influence: list[Array] = []
        self.att: list[float] = []
        self.where: list[tuple[float, float]] = []
        self.comparison: list[int] = []
        self.known: dict[tuple[float, float, int], Propensity] = {}
        changes = np.ptp(panel.covariates, axis=1).max(initial=0.0)
        self.constant = bool(changes <= 1e-12)

    def add(self, g: float, t: int, base: int) -> None:
        panel, values = self.panel, self.panel.periods.values
        treated = panel.first == g
        until = float(max(values[t], values[base]))
        comparison = compared_with(panel, g, until, self.parameters)
        used = treated | comparison
        n_clusters = [int(np.count_nonzero(self._clusters(side))) for side in (treated, comparison)]
        total = np.zeros(panel.n_clusters)
        if not comparison.any():
            found = Effect(float("nan"), np.zeros(0), "nobody is left to compare with")
        elif t == base:
            found = Effect(0.0, np.zeros(int(used.sum())))
        else:
            found = self._effect(g, t, base, treated, comparison)
            total = within_clusters(found.influence, panel.cluster[used], panel.n_clusters)
        estimate = interval(
            found.att, total, self._clusters(treated), clustered=panel.clustered,
            level=self.parameters.level, treated_units=int(treated.sum()),
            comparison_clusters=n_clusters[1], alone=panel.treated_clusters < 2,
        )  # fmt: skip
        why = found.problem or ("the period compared with" if t == base else estimate.why)
        self.rows.append((
            panel.periods.label_of(g), panel.periods.labels[t], estimate.att, estimate.se,
            estimate.lower, estimate.upper, panel.periods.labels[base], float(values[t] - g),
            int(treated.sum()), int(comparison.sum()), *n_clusters, estimate.df, why,
        ))  # fmt: skip
        self.att.append(found.att)
        self.influence.append(total)
        self.where.append((g, float(values[t])))
        self.comparison.append(n_clusters[1])

    def _clusters(self, units: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.bincount(self.panel.cluster[units], minlength=self.panel.n_clusters) > 0

    def _effect(
        self, g: float, t: int, base: int, treated: NDArray[np.bool_],
        comparison: NDArray[np.bool_],
    ) -> Effect:  # fmt: skip
        panel = self.panel
        used = treated | comparison
        change = panel.outcome[used, t] - panel.outcome[used, base]
        D, w = treated[used], panel.weights[used]
        if not panel.covariate_names:
            return effect(change, D, w, None)
        earlier = min(t, base)
        X = np.column_stack([np.ones(len(D)), panel.covariates[used, earlier]])
        scores = None
        if self.parameters.method == "dr":
            # Who is treated does not change from one period to the next; often X does not either.
            key = (g, float(comparison.sum()), -1 if self.constant else earlier)
            if key not in self.known:
                self.known[key] = fit_propensity(D, w, X)
            scores = self.known[key]
        return effect(change, D, w, X, self.parameters.method, scores)

    def result(self) -> GroupTime:
        panel, C = self.panel, self.panel.n_clusters
        groups = np.array([g for g in panel.groups if any(g == each for each, _ in self.where)])
        of_group = panel.first[None, :] == groups[:, None]
        share = (of_group * panel.weights).mean(axis=1)
        deviation = (of_group * panel.weights - share[:, None]) / panel.n
        where = np.array(self.where).reshape(-1, 2)
        return GroupTime(
            cells=pl.DataFrame(self.rows, schema=CELLS, orient="row"),
            att=np.array(self.att),
            influence=np.array(self.influence).reshape(-1, C),
            group=where[:, 0],
            time=where[:, 1],
            groups=groups,
            share=share,
            share_influence=np.array(
                [within_clusters(each, panel.cluster, C) for each in deviation]
            ).reshape(-1, C),
            in_group=np.array([self._clusters(each) for each in of_group]).reshape(-1, C),
            n_group=of_group.sum(axis=1),
            comparison_clusters=np.array(self.comparison, dtype=np.int64),
            clustered=panel.clustered,
            anticipation=self.parameters.anticipation,
            level=self.parameters.level,
        )
