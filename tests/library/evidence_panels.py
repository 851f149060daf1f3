"""Invented panels with known truth, and short ways to evaluate them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from brightspots.evidence.aggregates import Aggregate, Kind, aggregate_att
from brightspots.evidence.group_time import GroupTime, att_gt
from brightspots.evidence.panel import Panel, PanelColumns, read_panel
from brightspots.evidence.parameters import ImpactParameters

COLUMNS = PanelColumns("school", "year", "first", "score")


def staggered(
    seed: int, n: int = 120, T: int = 6, *, effect: float = 0.3, confounded: float = 0.0,
    per_cluster: int = 1, cluster_sd: float = 0.0, never: float = 0.4,
) -> pl.DataFrame:  # fmt: skip
    """Schools first supported in year 3, 4, 5 or never; the effect grows by half a year.

    `confounded`: slope of a trend in x, which also makes support likelier.
    """
    rng = np.random.default_rng(seed)
    n_clusters = n // per_cluster
    cluster = np.repeat(np.arange(n_clusters), per_cluster)
    x = rng.standard_normal(n)
    chance = rng.uniform(size=n_clusters)[cluster]
    if confounded:
        chance = 1 / (1 + np.exp(-(x + rng.logistic(size=n))))
        first = np.where(chance < 0.5, 0, rng.integers(3, T, n))
    else:
        of_cluster = np.where(
            rng.uniform(size=n_clusters) < never, 0, rng.integers(3, T, n_clusters)
        )
        first = of_cluster[cluster]
    year = np.arange(1, T + 1)
    shocks = rng.normal(0, cluster_sd, (n_clusters, T))[cluster]
    since = np.where(first[:, None] > 0, year[None, :] - first[:, None], -99)
    gain = np.where(since >= 0, effect * (1 + since / 2), 0.0)
    score = (
        rng.normal(0, 1, (n, 1)) + 0.1 * year + confounded * x[:, None] * year + gain + shocks
        + rng.normal(0, 0.5, (n, T))
    )  # fmt: skip
    return pl.DataFrame(
        {
            "school": np.repeat([f"s{i:04d}" for i in range(n)], T),
            "year": np.tile(year, n),
            "first": np.repeat(first, T),
            "score": score.ravel(),
            "x": np.repeat(x, T),
            "partnership": np.repeat([f"p{i:03d}" for i in cluster], T),
            "pupils": np.repeat(rng.integers(20, 200, n), T),
        }
    )


def truth(frame: pl.DataFrame, effect: float = 0.3) -> float:
    """Average true effect over supported schools and years."""
    treated = frame.filter((pl.col("first") > 0) & (pl.col("year") >= pl.col("first")))
    return float((effect * (1 + (treated["year"] - treated["first"]) / 2)).mean())  # type: ignore[arg-type]


def both(
    frame: pl.DataFrame, columns: PanelColumns = COLUMNS, **settings: Any
) -> tuple[Panel, GroupTime]:
    """Read a panel and estimate its group-time effects."""
    parameters = ImpactParameters(**settings)
    panel = read_panel(frame, columns, anticipation=parameters.anticipation)
    return panel, att_gt(panel, parameters)


def put_together(panel: Panel, found: GroupTime, kind: Kind = "simple") -> Aggregate:
    return aggregate_att(found, kind, panel.periods, draws=2_000)
