"""Figures of areas: level, true spread between schools, how much lies within schools.

The spread takes sampling noise out (Paule and Mandel 1982): tau^2 is where
Q(tau^2) = sum w (r - r_w)^2, w = 1 / (s2 + tau^2), equals its degrees of freedom; its 95 % limits
are where Q meets the quantiles of chi-square (Viechtbauer 2007, Q-profile). All areas are solved at
once by bisection, so a nation with thousands of wards takes no longer than a province.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2

from brightspots.core.disclosure import MINIMUM_PUPILS_PUBLIC, suppress
from brightspots_web.insight.analysis import withheld
from brightspots_web.insight.analysis.outcome import Outcome

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FIGURES = (
    "mean", "observed", "spread", "spread_lower", "spread_upper", "share_within",
    "schools_in_need", "pupils_touched",
)  # fmt: skip


def true_spread(residual: Floats, s2: Floats, group: Integers, groups: int) -> tuple[Floats, ...]:
    """Standard deviation between units in each group, noise taken out, with 95 % limits.

    Groups of fewer than 3 give NaN.
    """
    count = np.bincount(group, minlength=groups)
    df = np.maximum(count - 1, 1).astype(np.float64)
    targets = (df, np.asarray(chi2.ppf(0.975, df)), np.asarray(chi2.ppf(0.025, df)))
    found = []
    for target in targets:
        tau2 = _solve(residual, s2, group, groups, target)
        found.append(np.where(count >= 3, np.sqrt(tau2), np.nan))
    return tuple(found)


def _solve(residual: Floats, s2: Floats, group: Integers, groups: int, target: Floats) -> Floats:
    low: Floats = np.zeros(groups)
    square = np.bincount(group, residual**2, groups)
    high: Floats = np.maximum(square / np.maximum(target, 1e-6), 1e-9) * 4 + 1e-9
    floor = np.maximum(s2, 1e-12)
    at_zero = _q(residual, floor, group, groups, low) <= target
    for _ in range(80):
        middle = (low + high) / 2
        above = _q(residual, floor, group, groups, middle) > target
        low = np.where(above, middle, low)
        high = np.where(above, high, middle)
    return np.where(at_zero, 0.0, (low + high) / 2)


def _q(residual: Floats, s2: Floats, group: Integers, groups: int, tau2: Floats) -> Floats:
    weight = 1 / (s2 + tau2[group])
    total = np.maximum(np.bincount(group, weight, groups), 1e-300)
    centre = np.bincount(group, weight * residual, groups) / total
    return np.asarray(np.bincount(group, weight * (residual - centre[group]) ** 2, groups))


def figures(
    outcome: Outcome,
    memberships: pl.DataFrame,
    needs: pl.DataFrame,
    parents: dict[int, int | None],
) -> pl.DataFrame:
    """All areas (or partnerships), all years and (year null) what lasts; small ones withheld.

    An area's figures are those of its schools that may be shown: a school or year that is withheld
    is not in them, or it could be had by subtraction.
    `memberships` has `school` and `area`, a row for each area a school lies in; `parents` says in
    which area an area lies; `needs` has `school`, `probability`, `pupils_touched`.
    """
    shown = ~pl.col("withheld")
    lasting = _residuals_of_effects(outcome.persistent.filter(shown)).join(
        needs.select("school", "probability", "pupils_touched"), on="school", how="left"
    )
    nothing = pl.lit(None, dtype=pl.Float64)
    yearly = outcome.yearly.filter(shown).with_columns(
        nothing.alias("probability"), nothing.alias("pupils_touched")
    )
    columns = [
        "school", "year", "n", "observed", "residual", "sampling_variance", "probability",
        "pupils_touched",
    ]  # fmt: skip
    rows = pl.concat(
        [lasting.with_columns(pl.lit(None, dtype=pl.Int64).alias("year")).select(columns),
         yearly.with_columns(pl.col("year").cast(pl.Int64)).select(columns)],
        how="vertical_relaxed",
    )  # fmt: skip
    spread_out = rows.join(memberships, on="school", how="inner")
    if spread_out.is_empty():
        return pl.DataFrame()
    return _withhold(_aggregate(spread_out, outcome), parents)


def parents_of(schools: pl.DataFrame) -> dict[int, int | None]:
    """Area -> the area it lies in."""
    found: dict[int, int | None] = {}
    for path in schools["area_path"].unique().to_list():
        keys = [int(key) for key in path.strip("/").split("/")]
        found |= dict(zip(keys, [None, *keys], strict=False))
    return found


def memberships_of(schools: pl.DataFrame) -> pl.DataFrame:
    """One row for a school and each area it lies in, the smallest up to the nation."""
    return (
        schools.select("school", pl.col("area_path").str.strip_chars("/").str.split("/"))
        .explode("area_path")
        .select("school", pl.col("area_path").cast(pl.Int64).alias("area"))
    )


def _residuals_of_effects(persistent: pl.DataFrame) -> pl.DataFrame:
    """Unshrunken deviations behind the lasting effects, with their error variances.

    estimate = R r with R = 1 - cond_sd^2 / tau^2 and error variance tau^2 (1 - R) / R. A school
    with R = 0 says nothing and is left out.
    """
    tau2 = persistent["se_comparative"] ** 2 + persistent["se_diagnostic"] ** 2
    reliability = 1 - (persistent["cond_sd"] ** 2 / tau2).fill_nan(1.0)
    return (
        persistent.with_columns(reliability.alias("_r"), tau2.alias("_tau2"))
        .filter(pl.col("_r") > 1e-6)
        .with_columns(
            (pl.col("estimate") / pl.col("_r")).alias("residual"),
            (pl.col("_tau2") * (1 - pl.col("_r")) / pl.col("_r")).alias("sampling_variance"),
        )
    )


def _aggregate(rows: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    weight = pl.col("n") / pl.col("n").sum()
    keys = rows.select(pl.struct("area", "year").rank("dense").alias("g"))["g"].cast(pl.Int64) - 1
    rows = rows.with_columns(keys.alias("g")).sort("g", "school")
    totals = (
        rows.group_by("g", "area", "year")
        .agg(
            pl.len().alias("n_schools"),
            pl.col("n").sum().alias("n_pupils"),
            (pl.col("residual") * weight).sum().alias("mean"),
            (pl.col("observed") * weight).sum().alias("observed"),
            pl.col("probability").sum().alias("schools_in_need"),
            pl.col("pupils_touched").sum(),
            (pl.col("sampling_variance") * pl.col("n")).mean().alias("_within"),
        )
        .sort("g")
    )
    group = rows["g"].to_numpy()
    spread, lower, upper = true_spread(
        rows["residual"].to_numpy(), rows["sampling_variance"].to_numpy(), group, totals.height
    )
    within = totals["_within"].to_numpy()
    share = within / (within + spread**2)
    return totals.with_columns(
        pl.Series("spread", spread).fill_nan(None),
        pl.Series("spread_lower", lower).fill_nan(None),
        pl.Series("spread_upper", upper).fill_nan(None),
        # Of what lasts, pupils' scatter within a year is no part.
        pl.when(pl.col("year").is_not_null()).then(pl.Series("share_within", share)).fill_nan(None),
        pl.lit(outcome.subject).alias("subject"),
    ).drop("g", "_within")


def _withhold(figures: pl.DataFrame, parents: dict[int, int | None]) -> pl.DataFrame:
    """Take away what rests on too few, and what would tell it."""

    def without(frame: pl.DataFrame) -> pl.DataFrame:
        least = MINIMUM_PUPILS_PUBLIC
        return suppress(frame, "n_pupils", FIGURES, minimum=least, schools_column="n_schools")

    few = without(figures)["suppressed"]
    return without(withheld.protect_areas(figures.with_columns(few), parents))
