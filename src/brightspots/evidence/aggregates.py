"""Group-time effects put together: over all, by time since treatment, by group, by period.

Weights are the groups' shares, estimated, so that their own error comes in too (Callaway and
Sant'Anna 2021, section 3; the same sums as `aggte` of R's `did`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.evidence.group_time import GroupTime
from brightspots.evidence.parameters import Estimate
from brightspots.evidence.periods import Periods
from brightspots.evidence.uncertainty import covariance, critical, in_any, simultaneous

Array = NDArray[np.float64]
Kind = Literal["simple", "dynamic", "group", "calendar"]

PARTS = {
    "att": pl.Float64, "se": pl.Float64, "lower": pl.Float64, "upper": pl.Float64,
    "band_lower": pl.Float64, "band_upper": pl.Float64, "df": pl.Float64,
    "treated_units": pl.Int64, "treated_clusters": pl.Int64, "comparison_clusters": pl.Int64,
    "why": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Aggregate:
    """Effects put together in one way.

    Attributes
    ----------
    kind : {"simple", "dynamic", "group", "calendar"}
    overall : Estimate
        Simple: the average over treated units and periods. Dynamic: over event times from 0 on,
        each as one. Group: over groups by their size. Calendar: over periods, each as one.
    parts : DataFrame
        A row for each event time, group or period (none for simple): its name, att, se, lower,
        upper, band_lower, band_upper (that hold together), df, treated_units, treated_clusters,
        comparison_clusters, why.
    influence : array, shape (C,)
        Contribution of each cluster to the overall effect.
    """

    kind: Kind
    overall: Estimate
    parts: pl.DataFrame
    influence: Array

    def as_dict(self) -> dict[str, Any]:
        """Return the same in JSON types."""
        if self.kind == "simple":
            return self.overall.as_dict()
        named = {"dynamic": "event_times", "group": "groups", "calendar": "times"}
        return {"overall": self.overall.as_dict(), named[self.kind]: self.parts.to_dicts()}


def aggregate_att(
    found: GroupTime, kind: Kind, periods: Periods, *, seed: int = 0, draws: int = 20_000
) -> Aggregate:
    """Put group-time effects together.

    Parameters
    ----------
    found : GroupTime
    kind : {"simple", "dynamic", "group", "calendar"}
    periods : Periods
        For the names of groups and periods.
    seed, draws : int
        For the simultaneous bands.
    """
    if kind == "simple":
        cells = np.flatnonzero(found.post)
        att, influence = by_share(found, cells)
        return Aggregate(kind, _estimate(found, att, influence, cells), _frame(kind, []), influence)
    keys = _keys(found, kind)
    parts: list[tuple[Any, float, Array, NDArray[np.int64]]] = []
    for key in np.unique(keys[np.isfinite(keys)]):
        cells = np.flatnonzero(keys == key)
        # A group's periods count alike; groups in one period count by their size.
        put = _alike if kind == "group" else by_share
        name = float(key) if kind == "dynamic" else periods.label_of(float(key))
        parts.append((name, *put(found, cells), cells))
    estimates = [_estimate(found, att, psi, cells) for _, att, psi, cells in parts]
    bands = _bands(found, parts, estimates, seed, draws)
    rows = [
        {"name": name, **estimate.as_dict(), "band_lower": low, "band_upper": high}
        for (name, *_), estimate, (low, high) in zip(parts, estimates, bands, strict=True)
    ]
    overall, influence = _overall(found, kind, parts)
    return Aggregate(kind, overall, _frame(kind, rows), influence)


def by_share(found: GroupTime, cells: NDArray[np.int64]) -> tuple[float, Array]:
    """Average effects, each by the share of its group; return it and its influence function."""
    if not len(cells):
        return float("nan"), np.zeros(found.influence.shape[1])
    place = found.place[cells]
    share = found.share[place]
    weight = share / share.sum()
    att = float(weight @ found.att[cells])
    # The weights are estimated: d att / d share of a group.
    slope = np.bincount(
        place, weights=(found.att[cells] - att) / share.sum(), minlength=len(found.groups)
    )
    return att, weight @ found.influence[cells] + slope @ found.share_influence


def _alike(found: GroupTime, cells: NDArray[np.int64]) -> tuple[float, Array]:
    return float(found.att[cells].mean()), found.influence[cells].mean(axis=0)


def _keys(found: GroupTime, kind: Kind) -> Array:
    """Return what each effect is put together by; NaN where it does not count."""
    if kind == "dynamic":
        return np.where(np.isfinite(found.att), found.time - found.group, np.nan)
    return np.where(found.post, found.group if kind == "group" else found.time, np.nan)


def _estimate(found: GroupTime, att: float, influence: Array, cells: NDArray[np.int64]) -> Estimate:
    if not len(cells):
        return Estimate(None, why="no effect of a treated period could be estimated")
    return found.estimate(att, influence, cells)


def _overall(
    found: GroupTime, kind: Kind, parts: Sequence[tuple[Any, float, Array, NDArray[np.int64]]]
) -> tuple[Estimate, Array]:
    used = [part for part in parts if kind != "dynamic" or part[0] >= 0]
    if not used:
        nothing = np.zeros(found.influence.shape[1])
        return _estimate(found, float("nan"), nothing, np.zeros(0, dtype=np.int64)), nothing
    atts = np.array([att for _, att, _, _ in used])
    influences = np.array([psi for _, _, psi, _ in used])
    cells = np.concatenate([cells for *_, cells in used])
    if kind != "group":
        influence = influences.mean(axis=0)
        return _estimate(found, float(atts.mean()), influence, cells), influence
    place = np.array([found.place[each[0]] for *_, each in used])
    share = found.share[place]
    weight = share / share.sum()
    att = float(weight @ atts)
    slope = (atts - att) / share.sum()
    influence = weight @ influences + slope @ found.share_influence[place]
    return _estimate(found, att, influence, cells), influence


def _bands(
    found: GroupTime, parts: Sequence[tuple[Any, float, Array, NDArray[np.int64]]],
    estimates: Sequence[Estimate], seed: int, draws: int,
) -> list[tuple[float | None, float | None]]:  # fmt: skip
    """Intervals that hold together, for the parts that have one."""
    has = [at for at, each in enumerate(estimates) if each.lower is not None]
    bands: list[tuple[float | None, float | None]] = [(None, None)] * len(estimates)
    if not has:
        return bands
    treated = in_any(found.in_group)
    cov = covariance(np.array([parts[at][2] for at in has]), treated, clustered=found.clustered)
    df = min(estimates[at].df or np.inf for at in has)
    if len(has) == 1:
        value = critical(found.level, df)
    else:
        value = simultaneous(cov, df, found.level, seed, draws)
    for at in has:
        att, se = estimates[at].att, estimates[at].se
        if att is not None and se is not None:
            bands[at] = (att - value * se, att + value * se)
    return bands


def _frame(kind: Kind, rows: list[dict[str, Any]]) -> pl.DataFrame:
    names = {"dynamic": "event_time", "group": "group", "calendar": "time", "simple": "name"}
    name = names[kind]
    schema = {name: pl.Float64 if kind == "dynamic" else pl.String, **PARTS}
    return pl.DataFrame(
        [{name: row["name"], **{key: row[key] for key in PARTS}} for row in rows], schema=schema
    )
