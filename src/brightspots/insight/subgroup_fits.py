"""Groups of pupils: which may be given out, and the shrunken effects and gaps of one dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from brightspots.insight.nested_reml import (
    LevelEffects,
    Nest,
    NestedFit,
    effects,
    fit_nested,
    nest_of,
    row_totals,
)

MINIMUM = 10
"""Pupils a group must have, and must leave, to be given out."""
PAIRS_UP_TO = 5
"""Up to this many groups every pair is compared; beyond, each with the largest."""
FEWEST_SCHOOLS = 3

Floats = NDArray[np.float64]


def figures_of_dimension(
    cells: pl.DataFrame, dimension: str, minimum: int, confidence: float
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Figures, differences and facts of the groups of one dimension, from sums over its cells.

    Parameters
    ----------
    cells : polars.DataFrame
        school, year ("" without years), ``dimension:<name>`` and the sums n, w, wy, wr, wrr.
    dimension : str
    minimum : int
    confidence : float
    """
    sums = ("n", "w", "wy", "wr", "wrr")
    by = (
        cells.group_by("school", "year", pl.col(f"dimension:{dimension}").alias("group"))
        .agg(pl.col(name).sum() for name in sums)
        .sort("school", "year", "group")
    )
    schools = (
        by.group_by("school", "group")
        .agg(pl.col("n").sum(), (pl.col("wy").sum() / pl.col("w").sum()).alias("observed"))
        .sort("school", "group")
    )
    shown = shown_groups(schools.select("school", "group", "n"), minimum)
    known = by.filter(pl.col("group").is_not_null()).with_columns(
        (pl.col("wr") / pl.col("w")).alias("r")
    )
    figures, about = [], []
    noise: dict[str, float] = {}
    for group in known["group"].unique().sort().to_list():
        rows = known.filter(pl.col("group") == group)
        frame, facts, noise[group] = _one_group(rows, confidence)
        figures.append(_of_group(frame, schools, shown, dimension, group))
        about.append({"dimension": dimension, "group": group, **facts})
        about[-1]["shown"] = figures[-1].height
    differences = [
        _difference(known, one, other, noise, shown, dimension, confidence)
        for one, other in _pairs(known)
        if noise[one] > 0 and noise[other] > 0
    ]
    return (
        pl.concat([pl.DataFrame(schema=_FIGURES), *figures]),
        pl.concat([pl.DataFrame(schema=_DIFFERENCES), *differences]),
        pl.DataFrame(about, schema=_GROUPS),
    )


_EFFECT = dict.fromkeys(
    ("estimate", "cond_sd", "se_comparative", "se_diagnostic", "lower", "upper", "reliability"),
    pl.Float64,
)
_FIGURES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "school": pl.String, "dimension": pl.String, "group": pl.String, "n": pl.Int64,
    "observed": pl.Float64, **_EFFECT,
}  # fmt: skip
_DIFFERENCES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "school": pl.String, "dimension": pl.String, "group": pl.String, "other": pl.String,
    "n": pl.Int64, "n_other": pl.Int64, "gap": pl.Float64, "usual": pl.Float64, **_EFFECT,
    "probability": pl.Float64,
}  # fmt: skip
_GROUPS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "dimension": pl.String, "group": pl.String, "n": pl.Int64, "schools": pl.Int64,
    "shown": pl.Int64, "usual": pl.Float64, "sd": pl.Float64, "pupil_sd": pl.Float64,
    "why_not": pl.String,
}  # fmt: skip


def shown_groups(counts: pl.DataFrame, minimum: int = MINIMUM) -> pl.DataFrame:
    """Say which groups of one dimension may be given out, school by school.

    A group needs `minimum` pupils. What is not given out, pupils without a group included, is what
    an attacker gets by subtraction from the school's own figure: it must be nobody or `minimum` at
    least, so the smallest groups are held back until it is.

    Parameters
    ----------
    counts : polars.DataFrame
        school, group (null for pupils without one), n.

    Returns
    -------
    polars.DataFrame
        school, group, n of the groups that may be given out.
    """
    large = pl.col("group").is_not_null() & (pl.col("n") >= minimum)
    whole = counts.group_by("school").agg(pl.col("n").sum().alias("all"))
    ordered = (
        counts.filter(large)
        .join(whole, on="school")
        .sort("school", "n", "group", descending=[False, True, False])
        .with_columns((pl.col("all") - pl.col("n").cum_sum().over("school")).alias("left"))
        .with_columns(((pl.col("left") == 0) | (pl.col("left") >= minimum)).alias("good"))
    )
    # Largest first; keep up to the last place at which the rest is nobody or enough.
    upto = pl.col("good").cast(pl.Int64).cum_sum(reverse=True).over("school") > 0
    alone = pl.len().over("school") == 1
    kept = ordered.filter(upto).filter(~(alone & (pl.col("left") == 0)))
    return kept.select("school", "group", "n").sort("school", "group")


def _of_group(
    frame: pl.DataFrame, schools: pl.DataFrame, shown: pl.DataFrame, dimension: str, group: str
) -> pl.DataFrame:
    mine = pl.col("group") == group
    joined = (
        shown.filter(mine)
        .join(schools.filter(mine).select("school", "observed"), on="school")
        .join(frame, on="school", how="inner")
    )
    return joined.with_columns(pl.lit(dimension).alias("dimension")).select(
        pl.col(name).cast(kind) for name, kind in _FIGURES.items()
    )


def _one_group(
    rows: pl.DataFrame, confidence: float
) -> tuple[pl.DataFrame, dict[str, object], float]:
    """Effects of all schools on one group, what is told of the group, and its pupil variance."""
    n, w = rows["n"].to_numpy().astype(np.float64), rows["w"].to_numpy()
    r = rows["r"].to_numpy()
    freedom = float((n - 1).sum())
    squares = float((rows["wrr"].to_numpy() - w * r**2).sum())
    noise = max(squares, 0.0) / freedom if freedom > 0 else 0.0
    schools = rows["school"].n_unique()
    facts: dict[str, object] = {
        "n": int(n.sum()), "schools": schools, "shown": 0, "usual": None, "sd": None,
        "pupil_sd": float(np.sqrt(noise)) if noise > 0 else None, "why_not": None,
    }  # fmt: skip
    nothing = pl.DataFrame(schema={"school": pl.String, **_EFFECT})
    if schools < FEWEST_SCHOOLS or noise <= 0:
        facts["why_not"] = "too few schools" if schools < FEWEST_SCHOOLS else "no spread"
        return nothing, facts, noise
    fit = _fit(rows["school"], rows["year"], r, noise / w)
    if fit is None:
        facts["why_not"] = "too few schools"
        return nothing, facts, noise
    facts |= {"usual": fit.usual, "sd": float(np.sqrt(fit.level.prior))}
    return pl.DataFrame({"school": fit.schools, **fit.level.columns(confidence)}), facts, noise


@dataclass(frozen=True)
class _Fit:
    schools: list[str]
    level: LevelEffects
    usual: float


def _fit(school: pl.Series, year: pl.Series, r: Floats, s2: Floats) -> _Fit | None:
    """Shrink residuals of schools (and years); schools numbered by content, not by name."""
    order = np.lexsort((s2, r))
    names, unit = np.unique(school.to_numpy()[order].astype(str), return_inverse=True)
    years, at_year = np.unique(year.to_numpy()[order].astype(str), return_inverse=True)
    X = np.eye(len(years))[at_year]
    if len(r) - len(years) < 2:
        return None
    separable = bool(np.bincount(unit).max() > 1)
    first = np.full(len(names), len(unit))
    np.minimum.at(first, unit, np.arange(len(unit)))
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(names))
    by_unit = rank[unit]
    A = np.column_stack([X, r[order]])
    nest = Nest(A, s2[order], nest_of([by_unit]) if separable else ())
    fit: NestedFit = fit_nested(nest)
    level = effects(nest, fit, 1) if separable else row_totals(nest, fit)
    usual = float(np.average(X @ fit.beta, weights=1 / s2[order]))
    ordered = np.empty(len(names), dtype=object)
    ordered[rank] = names
    shown = [str(name) for name in ordered] if separable else [str(names[i]) for i in unit]
    return _Fit(shown, level, usual)


def _pairs(known: pl.DataFrame) -> list[tuple[str, str]]:
    sizes = (
        known.group_by("group").agg(pl.col("n").sum()).sort("n", "group", descending=[True, False])
    )
    groups = sizes["group"].to_list()
    if len(groups) <= PAIRS_UP_TO:
        return list(combinations(sorted(groups), 2))
    return [(group, groups[0]) for group in sorted(groups[1:])]


def _difference(
    known: pl.DataFrame,
    one: str,
    other: str,
    noise: Mapping[str, float],
    shown: pl.DataFrame,
    dimension: str,
    confidence: float,
) -> pl.DataFrame:
    """Gap between two groups of a school against the usual gap, shrunken."""
    keys = ["school", "year"]
    both = (
        known.filter(pl.col("group") == one)
        .join(known.filter(pl.col("group") == other), on=keys, suffix="_other")
        .sort(keys)
    )
    empty = pl.DataFrame(schema=_DIFFERENCES)
    if both["school"].n_unique() < FEWEST_SCHOOLS:
        return empty
    gap = (both["r"] - both["r_other"]).to_numpy()
    s2 = noise[one] / both["w"].to_numpy() + noise[other] / both["w_other"].to_numpy()
    fit = _fit(both["school"], both["year"], gap, s2)
    if fit is None:
        return empty
    frame = pl.DataFrame({"school": fit.schools, **fit.level.columns(confidence)})
    weight = 1 / pl.col("s2")
    raw = (
        both.with_columns(pl.Series("gap", gap), pl.Series("s2", s2))
        .group_by("school")
        .agg(((pl.col("gap") * weight).sum() / weight.sum()).alias("gap"))
    )
    sides = [
        shown.filter(pl.col("group") == group).select("school", pl.col("n").alias(name))
        for group, name in ((one, "n"), (other, "n_other"))
    ]
    se = frame["se_comparative"].to_numpy()
    certain = np.where(
        se > 0, norm.cdf(frame["estimate"].to_numpy() / np.where(se > 0, se, 1)), 0.5
    )
    return (
        frame.with_columns(
            pl.Series("probability", certain),
            pl.lit(fit.usual).alias("usual"),
            pl.lit(dimension).alias("dimension"),
            pl.lit(one).alias("group"),
            pl.lit(other).alias("other"),
        )
        .join(sides[0], on="school")
        .join(sides[1], on="school")
        .join(raw, on="school")
        .select(pl.col(name).cast(kind) for name, kind in _DIFFERENCES.items())
    )
