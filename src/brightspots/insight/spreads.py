"""True spread between the schools of many small groups at once, and whether it is closing.

Sampling noise is taken out (Paule and Mandel 1982): tau^2 is where

    Q(tau^2) = sum w (r - r_w)^2,   w = 1 / (s2 + tau^2),   r_w = sum w r / sum w

equals its degrees of freedom; its limits are where Q meets the quantiles of chi-square, exact for
any number of schools under normality (Viechtbauer 2007, Statistics in Medicine 26:37). All groups
are solved together, so a nation with thousands of areas or partnerships takes no longer than a
province. See docs/methods/variability.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2
from scipy.stats import t as student

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame
from brightspots.insight.school_year_cells import year_number

METHOD_VERSION = "1"
MINIMUM_SCHOOLS = 3
"""Fewer schools than this say nothing about how much schools differ."""
MINIMUM_YEARS = 3
"""Fewer years than this are no trend."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def spread_of_groups(
    residual: Floats,
    sampling_variance: Floats,
    group: Integers,
    groups: int,
    *,
    confidence: float = 0.95,
    minimum: int = MINIMUM_SCHOOLS,
) -> tuple[Floats, Floats, Floats]:
    """Estimate the SD between units in each group, noise taken out, with its limits.

    Parameters
    ----------
    residual, sampling_variance : array (n,)
        Means of schools, or what a model leaves of them (never shrunken estimates, whose spread is
        too small), and their known sampling variances.
    group : array of int (n,)
        Group of each unit, 0 to `groups` - 1.
    groups : int
    confidence : float
    minimum : int
        Groups of fewer units give NaN.

    Returns
    -------
    sd, lower, upper : array (groups,)
    """
    count = np.bincount(group, minlength=groups)
    df = np.maximum(count - 1, 1).astype(np.float64)
    tail = (1 - confidence) / 2
    targets = (df, np.asarray(chi2.ppf(1 - tail, df)), np.asarray(chi2.ppf(tail, df)))
    sd, lower, upper = (
        np.where(
            count >= minimum,
            np.sqrt(_solve(residual, sampling_variance, group, groups, target)),
            np.nan,
        )
        for target in targets
    )
    return sd, lower, upper


def _solve(r: Floats, s2: Floats, group: Integers, groups: int, target: Floats) -> Floats:
    """Bisection for Q = target, every group at once."""
    low: Floats = np.zeros(groups)
    square = np.bincount(group, r**2, groups)
    high: Floats = np.maximum(square / np.maximum(target, 1e-6), 1e-9) * 4 + 1e-9
    floor = np.maximum(s2, 1e-12)
    at_zero = _q(r, floor, group, groups, low) <= target
    for _ in range(80):
        middle = (low + high) / 2
        above = _q(r, floor, group, groups, middle) > target
        low = np.where(above, middle, low)
        high = np.where(above, high, middle)
    return np.where(at_zero, 0.0, (low + high) / 2)


def _q(r: Floats, s2: Floats, group: Integers, groups: int, tau2: Floats) -> Floats:
    weight = 1 / (s2 + tau2[group])
    total = np.maximum(np.bincount(group, weight, groups), 1e-300)
    centre = np.bincount(group, weight * r, groups) / total
    return np.asarray(np.bincount(group, weight * (r - centre[group]) ** 2, groups))


@dataclass(frozen=True)
class SpreadTrends:
    """Result of :func:`spread_trend`.

    Attributes
    ----------
    trends : polars.DataFrame
        group, first_year, last_year, years, schools (a year, on average), slope (change of the true
        SD a year, in the units of `residual`), se, lower, upper, probability_closing (that the SD
        falls); sorted by group. Groups with fewer than 3 years of 3 schools are not there.
    yearly : polars.DataFrame
        group, year, schools, sd, lower, upper of every group and year with 3 schools.
    persistence : float
        Share of the true variance between schools of one group that lasts from year to year, from
        all groups together; it says how far the same schools return with the same differences.
    """

    trends: pl.DataFrame
    yearly: pl.DataFrame
    persistence: float
    provenance: Provenance = field(repr=False)


_COLUMNS = ("group", "school", "year", "residual", "sampling_variance")


def spread_trend(
    frame: pl.DataFrame, *, confidence: float = 0.95, minimum: int = MINIMUM_SCHOOLS
) -> SpreadTrends:
    """Say, for many groups at once, whether the differences between their schools are closing.

    Parameters
    ----------
    frame : polars.DataFrame
        group, school, year, residual, sampling_variance; one row a group, school and year. A school
        may be in several groups, such as its area, the nation and a partnership.
    confidence : float
    minimum : int
        Schools a year for that year to count.

    Raises
    ------
    InputError
        A column is missing, a school occurs twice in a group and year, or years are none.

    Notes
    -----
    The slope is that of a straight line through the years' SDs (least squares). Its error takes in
    that the same schools return: with K = tr(A_t A_r) over the schools seen in both years, A the
    centred weights and c the covariance that lasts,

        var(tau_t^2) = 2 (k - 1) / g_t^2,   cov(tau_t^2, tau_r^2) = 2 c^2 K / (g_t g_r),
        g = sum w - sum w^2 / sum w,

    carried over to the SDs. c is the group's mean tau^2 times `persistence`.
    """
    rows = _checked(frame, confidence)
    groups, g = np.unique(rows["group"].to_numpy().astype(str), return_inverse=True)
    times, t = np.unique(rows["__time"].to_numpy(), return_inverse=True)
    y, s2 = rows["residual"].to_numpy(), np.maximum(rows["sampling_variance"].to_numpy(), 1e-12)
    T, G = len(times), len(groups)
    cell = (g * T + t).astype(np.int64)
    sd, lower, upper = spread_of_groups(
        y, s2, cell, G * T, confidence=confidence, minimum=max(minimum, 3)
    )
    count = np.bincount(cell, minlength=G * T).reshape(G, T)
    tau2 = (sd**2).reshape(G, T)
    seen = np.isfinite(tau2)
    panel = _panel(rows, g, t, T, seen, np.nan_to_num(tau2))
    persistence = panel.persistence()
    slope, se, freedom = _slopes(panel, np.nan_to_num(tau2), seen, times, persistence)
    enough = seen.sum(axis=1) >= MINIMUM_YEARS
    labels = _year_labels(rows, times)
    named = pl.col("group").cast(frame.schema["group"])
    trends = _trend_frame(groups, enough, seen, count, labels, slope, se, freedom, confidence)
    yearly = _yearly_frame(groups, labels, count, sd, lower, upper)
    return SpreadTrends(
        trends.with_columns(named).sort("group"),
        yearly.with_columns(named).sort("group", "year"),
        persistence,
        Provenance(
            "spread trend",
            METHOD_VERSION,
            hash_frame(frame.select(_COLUMNS)),
            None,
            {"confidence": confidence, "minimum": minimum},
        ),
    )


def _checked(frame: pl.DataFrame, confidence: float) -> pl.DataFrame:
    for name in _COLUMNS:
        if name not in frame.columns:
            raise InputError(
                "This column is needed and not there.",
                column=name,
                mend=f"Columns found: {', '.join(frame.columns)}.",
            )
    if not 0 < confidence < 1:
        raise InputError("confidence must lie between 0 and 1.")
    finite = [pl.col(c).cast(pl.Float64).is_finite() for c in ("residual", "sampling_variance")]
    known = [pl.col(c).is_not_null() for c in _COLUMNS]
    rows = frame.select(_COLUMNS).filter(*known).filter(*finite)
    if rows.is_empty():
        raise InputError("No row has a group, school, year, residual and sampling variance.")
    labels = rows["year"].cast(pl.String).unique().to_list()
    when = {label: year_number(label) for label in labels}
    wrong = [label for label, number in when.items() if number is None]
    if wrong:
        raise InputError(
            f'"{min(wrong)}" is not a year.', column="year", mend="Give 2024 or 2023/24."
        )
    twice = rows.select("group", "school", "year").is_duplicated()
    if twice.any():
        row = rows.filter(twice).row(0, named=True)
        raise InputError(
            f'School "{row["school"]}" occurs twice in "{row["group"]}" in {row["year"]}.',
            column="school",
            mend="Give one row a group, school and year.",
        )
    timed = rows.with_columns(
        pl.col("group").cast(pl.String),
        pl.col("school").cast(pl.String),
        pl.col("residual", "sampling_variance").cast(pl.Float64),
        pl.col("year")
        .cast(pl.String)
        .replace_strict(when, return_dtype=pl.Float64)
        .alias("__time"),
    )
    # By content, so that neither the order of rows nor names decide the last digit of a sum.
    return timed.sort("__time", "residual", "sampling_variance", "group", "school")


@dataclass(frozen=True)
class _Panel:
    """Rows (school in a group) by years: deviations d and weights w at one tau^2 a group."""

    group: Integers
    groups: int
    deviation: Floats
    weight: Floats
    total: Floats
    common: Floats

    def share(self, t: int) -> Floats:
        """Weights of a year as shares of the group's."""
        found: Floats = self.weight[:, t] / self.total[self.group, t]
        return found

    def sum(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.group, values, self.groups))

    def persistence(self) -> float:
        """Pooled covariance of a school's deviations in two years over tau_t tau_r."""
        above, below = 0.0, 0.0
        T = self.weight.shape[1]
        for t in range(T):
            for r in range(t + 1, T):
                both = (self.weight[:, t] > 0) & (self.weight[:, r] > 0)
                a, b = self.share(t) * both, self.share(r) * both
                left = 1 - a - b + self.sum(a * b)[self.group]
                trust = np.where(both, self.weight[:, t] * self.weight[:, r], 0.0)
                size = self.common[self.group]
                # Groups differ in scale; products of weight and size have none.
                above += float((trust * size * self.deviation[:, t] * self.deviation[:, r]).sum())
                below += float((trust * size**2 * left).sum())
        return min(max(above / below, 0.0), 1.0) if below > 0 else 0.0


def _panel(
    rows: pl.DataFrame, g: Integers, t: Integers, T: int, seen: Booleans, tau2: Floats
) -> _Panel:
    G = len(seen)
    school = np.unique(rows["school"].to_numpy().astype(str), return_inverse=True)[1]
    pair = g.astype(np.int64) * (int(school.max(initial=0)) + 1) + school
    _, first, row = np.unique(pair, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))  # by first place in content order, not by name
    row = order[row]
    size = len(first)
    group = np.empty(size, dtype=np.int64)
    group[row] = g
    mean = tau2.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    y, s2 = rows["residual"].to_numpy(), np.maximum(rows["sampling_variance"].to_numpy(), 1e-12)
    counts = seen[g, t]
    weight = np.zeros((size, T))
    value = np.zeros((size, T))
    weight[row, t] = np.where(counts, 1 / (s2 + mean[g]), 0.0)
    value[row, t] = y
    total = np.stack([np.bincount(group, weight[:, k], G) for k in range(T)], axis=1)
    safe = np.where(total > 0, total, 1.0)
    centre = np.stack([np.bincount(group, weight[:, k] * value[:, k], G) for k in range(T)], axis=1)
    deviation = np.where(weight > 0, value - (centre / safe)[group], 0.0)
    return _Panel(group, G, deviation, weight, safe, mean)


def _slopes(
    panel: _Panel, tau2: Floats, seen: Booleans, times: Floats, persistence: float
) -> tuple[Floats, Floats, Floats]:
    """Least-squares slopes of the SDs over the years seen, their errors, degrees of freedom."""
    years = np.maximum(seen.sum(axis=1), 1)
    mean_time = (seen * times).sum(axis=1) / years
    away = np.where(seen, times - mean_time[:, None], 0.0)
    b = away / np.maximum((away**2).sum(axis=1), 1e-300)[:, None]
    slope = (b * np.sqrt(tau2)).sum(axis=1)
    level = np.sqrt(panel.common)
    # The fitted line stands for each year's SD; a year's own estimate would be too noisy for that.
    line = np.clip(
        level[:, None] + slope[:, None] * away, 0.25 * level[:, None], 2 * level[:, None]
    )
    covariance = _covariance(panel, seen, line, persistence)
    # d sqrt(x) over a step of one standard error: finite where x is 0, 1 / (2 sqrt x) where not.
    error = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))
    chord = 1 / np.maximum(np.sqrt(line**2 + error) + line, 1e-300)
    pull = b * np.where(seen, chord, 0.0)
    variance = np.einsum("gt,gtr,gr->g", pull, covariance, pull)
    # The error is about proportional to the SD, itself estimated: Satterthwaite's degrees.
    of_level = np.einsum("gt,gtr,gr->g", seen * 1.0, covariance, seen * 1.0) / years**2
    freedom = 2 * panel.common**2 / np.maximum(of_level, 1e-300)
    return slope, np.sqrt(np.maximum(variance, 0.0)), np.clip(freedom, 4.0, 1e6)


def _covariance(panel: _Panel, seen: Booleans, line: Floats, persistence: float) -> Floats:
    """Covariance of the yearly tau^2 of each group, shape (groups, T, T); 0 where not seen."""
    T = seen.shape[1]
    g = np.stack(
        [
            panel.total[:, k] - panel.sum(panel.weight[:, k] ** 2) / panel.total[:, k]
            for k in range(T)
        ],
        axis=1,
    )
    g = np.where(seen & (g > 0), g, np.inf)
    found = np.zeros((len(seen), T, T))
    for k in range(T):
        found[:, k, k] = 2 * _own(panel, k, line[:, k] ** 2) / g[:, k] ** 2
        for m in range(k + 1, T):
            lasting = persistence * line[:, k] * line[:, m]
            pair = 2 * lasting**2 * _trace(panel, k, m) / (g[:, k] * g[:, m])
            found[:, k, m] = found[:, m, k] = pair
    return found


def _own(panel: _Panel, k: int, tau2: Floats) -> Floats:
    """tr(A V A V) of one year with V = s2 + tau2, where w is 1 / (s2 + common)."""
    w = panel.weight[:, k]
    V = np.where(w > 0, 1 / np.where(w > 0, w, 1.0) + (tau2 - panel.common)[panel.group], 0.0)
    V = np.maximum(V, 0.0)
    W = panel.total[:, k]
    return (
        panel.sum((w * V) ** 2)
        - 2 * panel.sum(w**3 * V**2) / W
        + (panel.sum(w**2 * V) / W) ** 2
    )  # fmt: skip


def _trace(panel: _Panel, k: int, m: int) -> Floats:
    """tr(A_k A_m) over a group's schools, A = diag(w) - w w' / sum w, both years' own schools."""
    a, b = panel.weight[:, k], panel.weight[:, m]
    A, B = panel.total[:, k], panel.total[:, m]
    product = panel.sum(a * b)
    return (
        product
        - panel.sum(a * b**2) / B
        - panel.sum(a**2 * b) / A
        + product**2 / (A * B)
    )  # fmt: skip


def _year_labels(rows: pl.DataFrame, times: Floats) -> pl.Series:
    first = rows.group_by("__time").agg(pl.col("year").first()).sort("__time")
    return first["year"]


def _trend_frame(
    groups: NDArray[np.str_],
    enough: Booleans,
    seen: Booleans,
    count: Integers,
    labels: pl.Series,
    slope: Floats,
    se: Floats,
    freedom: Floats,
    confidence: float,
) -> pl.DataFrame:
    z = student.ppf(0.5 + confidence / 2, freedom)
    first = seen.argmax(axis=1)
    last = seen.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    known = se > 0
    closing = np.where(known, student.cdf(-slope / np.where(known, se, 1.0), freedom), np.nan)
    years = seen.sum(axis=1)
    frame = pl.DataFrame(
        {
            "group": groups.tolist(),
            "first_year": labels.gather(first),
            "last_year": labels.gather(last),
            "years": years,
            "schools": (count * seen).sum(axis=1) / np.maximum(years, 1),
            "slope": slope,
            "se": np.where(known, se, np.nan),
            "lower": np.where(known, slope - z * se, np.nan),
            "upper": np.where(known, slope + z * se, np.nan),
            "probability_closing": closing,
        },
        schema_overrides={"group": pl.String, "years": pl.Int64},
    )
    floats = ("se", "lower", "upper", "probability_closing")
    return frame.filter(pl.Series(enough)).with_columns(pl.col(floats).fill_nan(None))


def _yearly_frame(
    groups: NDArray[np.str_],
    labels: pl.Series,
    count: Integers,
    sd: Floats,
    lower: Floats,
    upper: Floats,
) -> pl.DataFrame:
    G, T = count.shape
    frame = pl.DataFrame(
        {
            "group": np.repeat(groups, T).tolist(),
            "year": pl.concat([labels] * G) if G else labels.clear(),
            "schools": count.ravel(),
            "sd": sd,
            "lower": lower,
            "upper": upper,
        },
        schema_overrides={"group": pl.String, "schools": pl.Int64},
    )
    return frame.filter(pl.col("sd").is_finite())
