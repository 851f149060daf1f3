"""How much the schools of many small groups truly differ, and whether that is closing.

Sampling noise is taken out (Paule and Mandel 1982): tau^2 is where Q(tau^2) = sum w (r - r_w)^2,
w = 1 / (s2 + tau^2), equals its degrees of freedom; its limits are where Q meets the quantiles of
chi-square (Viechtbauer 2007, Statistics in Medicine 26:37), which holds for any number of schools.
All groups are solved together by bisection, so that a nation with thousands of wards or
partnerships takes no longer than a province.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from brightspots.core.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MINIMUM_SCHOOLS = 3
"""Fewer schools say nothing about how much schools differ."""
MINIMUM_YEARS = 3
"""Fewer years say nothing about a trend."""
_STEPS = 80
_Z = float(norm.ppf(0.975))


def true_spread(residual: Floats, s2: Floats, group: Integers, groups: int) -> tuple[Floats, ...]:
    """Give the standard deviation between units in each group, noise taken out, with 95 % limits.

    Parameters
    ----------
    residual, s2 : ndarray, shape (n,)
        What is left of each unit's mean, and its sampling variance.
    group : ndarray of int, shape (n,)
        From 0 to groups - 1.

    Returns
    -------
    sd, lower, upper : ndarray, shape (groups,)
        NaN for groups of fewer than 3.
    """
    count = np.bincount(group, minlength=groups)
    df = np.maximum(count - 1, 1).astype(np.float64)
    targets = (df, np.asarray(chi2.ppf(0.975, df)), np.asarray(chi2.ppf(0.025, df)))
    return tuple(
        np.where(
            count >= MINIMUM_SCHOOLS, np.sqrt(_solve(residual, s2, group, groups, target)), np.nan
        )
        for target in targets
    )


def _solve(residual: Floats, s2: Floats, group: Integers, groups: int, target: Floats) -> Floats:
    low: Floats = np.zeros(groups)
    square = np.bincount(group, residual**2, groups)
    high: Floats = np.maximum(square / np.maximum(target, 1e-6), 1e-9) * 4 + 1e-9
    floor = np.maximum(s2, 1e-12)
    at_zero = _q(residual, floor, group, groups, low) <= target
    for _ in range(_STEPS):
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


def spread_by_year(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the true spread of every group in every year.

    Parameters
    ----------
    frame : polars.DataFrame
        group, year, school, residual, sampling_variance; one row a school and year of each group
        it belongs to (groups may overlap: areas of several levels, partnerships).

    Returns
    -------
    polars.DataFrame
        group, year, n_schools, sd, lower, upper (95 %); null for fewer than 3 schools; sorted.
    """
    for name in ("group", "year", "school", "residual", "sampling_variance"):
        if name not in frame.columns:
            raise InputError("This column is needed and not there.", column=name)
    ordered = frame.sort("group", "year", "school")
    keys = ordered.select(pl.struct("group", "year").rank("dense"))
    place = keys.to_series().cast(pl.Int64).to_numpy() - 1
    made = ordered.group_by("group", "year", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("n_schools")
    )
    sd, lower, upper = true_spread(
        ordered["residual"].to_numpy(),
        ordered["sampling_variance"].to_numpy(),
        place,
        made.height,
    )
    return made.with_columns(
        pl.Series("sd", sd).fill_nan(None),
        pl.Series("lower", lower).fill_nan(None),
        pl.Series("upper", upper).fill_nan(None),
    )


def spread_trends(frame: pl.DataFrame) -> pl.DataFrame:
    """Say for every group whether differences between its schools are closing.

    Parameters
    ----------
    frame : polars.DataFrame
        As for :func:`spread_by_year`; years are numbers.

    Returns
    -------
    polars.DataFrame
        group, first_year, last_year, years, slope (change of the SD a year), se, lower, upper
        (95 %), closing (probability that the slope is below 0); groups with 3 years or more in
        which 3 schools or more have a figure.

    Notes
    -----
    Least squares of the yearly SDs, weighted for how well each is known; the SE of a year's SD is
    the width of its interval over 2 x 1.96. Years are taken as independent although the same
    schools return: what lasts in a school moves all years alike and leaves the slope alone, so the
    interval errs on the wide side.
    """
    yearly = spread_by_year(frame).drop_nulls("sd")
    rows = []
    for (group,), part in yearly.group_by("group", maintain_order=True):
        if part.height < MINIMUM_YEARS:
            continue
        time = part["year"].cast(pl.Float64).to_numpy()
        sd = part["sd"].to_numpy()
        width = (part["upper"] - part["lower"]).to_numpy()
        error = np.maximum(width / (2 * _Z), 1e-9)
        weight = 1 / error**2
        centred = time - (weight * time).sum() / weight.sum()
        leverage = float((weight * centred**2).sum())
        slope = float((weight * centred * sd).sum() / leverage)
        se = leverage**-0.5
        years = part["year"].to_list()
        rows.append(
            (
                group, int(min(years)), int(max(years)), len(years), slope, se,
                slope - _Z * se, slope + _Z * se, float(norm.cdf(-slope / se)),
            )
        )  # fmt: skip
    return pl.DataFrame(
        rows,
        schema={
            "group": yearly.schema["group"],
            "first_year": pl.Int64,
            "last_year": pl.Int64,
            "years": pl.Int64,
            "slope": pl.Float64,
            "se": pl.Float64,
            "lower": pl.Float64,
            "upper": pl.Float64,
            "closing": pl.Float64,
        },
        orient="row",
    )
