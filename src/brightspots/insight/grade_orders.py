"""Schools' places from counts of ordered grades, without marks or points.

Grades are slices of one normal scale, cut where all pupils together are cut:

    pupil:   y* = u_s + e,  u_s ~ N(0, tau^2),  e ~ N(0, 1 - tau^2);  grade g: c_g-1 < y* <= c_g
    cuts:    c_g = Phi^-1(share of all pupils with grade g or a lower one)

so a unit is one pupil SD. tau^2 is found by marginal maximum likelihood. Each school's likelihood
is then put as a normal one, with the mean and the variance that give the same first two moments of
the posterior: a school all of whose pupils have the best grade keeps a finite place and a wide
error.

Sources: McCullagh 1980, JRSS B 42:109 (cumulative models); Reardon, Shear, Castellano and Ho 2017,
doi 10.3102/1076998616666279 (means from coarsened scores).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import ndtr
from scipy.stats import norm

from brightspots.core.errors import InputError
from brightspots.insight.grade_counts import grade_counts

FEWEST_SCHOOLS = 10
_NODES = np.linspace(-7.0, 7.0, 141)

Floats = NDArray[np.float64]


def ordered_summary(
    frame: pl.DataFrame, grades: Sequence[str], *, year: str | None = None
) -> pl.DataFrame:
    """Add `graded`, `ordered_mean` and `ordered_sampling_variance` to a frame with counts.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a school (or school-year) with the counts of its grades; a missing count is 0 where
        another grade of the row has a count.
    grades : sequence of str
        Columns of counts, the lowest grade first.
    year : str, optional
        Column of the year: each year has its own cuts and its own tau^2.

    Returns
    -------
    polars.DataFrame
        The mean in pupil SD, 0 for the average pupil, and its sampling variance, as
        ``school_level_value_added`` takes them (`outcome`, `sampling_variance`); null without
        graded pupils.

    Raises
    ------
    InputError
        Fewer than two grades have pupils, fewer than 10 schools have any, or a count is wrong.
    """
    if len(set(grades)) < max(2, len(grades)):
        raise InputError("Name two columns of grades or more, the lowest first, each once.")
    counts = np.nan_to_num(grade_counts(frame, grades))
    n = counts.sum(axis=1)
    mean, variance = np.full(len(n), np.nan), np.full(len(n), np.nan)
    parts = [np.ones(len(n), dtype=np.bool_)]
    if year is not None:
        if year not in frame.columns:
            raise InputError("This column is needed and not there.", column=year)
        labels = frame[year].cast(pl.String).fill_null("").to_numpy()
        parts = [labels == label for label in np.unique(labels)]
    for part in parts:
        at = np.flatnonzero(part & (n > 0))
        mean[at], variance[at] = _places(counts[at])
    return frame.with_columns(
        pl.Series("graded", n),
        pl.Series("ordered_mean", mean).fill_nan(None),
        pl.Series("ordered_sampling_variance", variance).fill_nan(None),
    )


def _places(counts: Floats) -> tuple[Floats, Floats]:
    """Means and variances of schools that all have graded pupils."""
    totals = counts.sum(axis=0)
    if (totals > 0).sum() < 2:
        raise InputError("Fewer than two grades have pupils, so nobody can be told apart.")
    if len(counts) < FEWEST_SCHOOLS:
        raise InputError(
            f"{len(counts)} schools are too few; {FEWEST_SCHOOLS} are needed to place grades."
        )
    counts = counts[:, totals > 0]
    shares = counts.sum(axis=0) / counts.sum()
    cuts = np.concatenate([[-np.inf], norm.ppf(np.cumsum(shares)[:-1]), [np.inf]])
    # By content, so that the order of rows does not decide the last digit of tau.
    ordered = counts[np.lexsort(counts.T)]

    def loss(tau2: float) -> float:
        log_f, top = _posterior(ordered, cuts, tau2)
        return -float((np.log(log_f.sum(axis=1)) + top).sum())

    best = minimize_scalar(loss, bounds=(1e-5, 0.98), method="bounded", options={"xatol": 1e-7})
    tau2 = float(best.x)
    weight, _ = _posterior(counts, cuts, tau2)
    weight /= weight.sum(axis=1, keepdims=True)
    u = _NODES * np.sqrt(tau2)
    mean = weight @ u
    inner = np.maximum(weight @ u**2 - mean**2, 1e-12)
    trust = np.clip(1 - inner / tau2, 1e-9, 1.0)
    return mean / trust, inner / trust


def _posterior(counts: Floats, cuts: Floats, tau2: float) -> tuple[Floats, Floats]:
    """Prior times likelihood at the nodes over its largest value, and that value's logarithm."""
    u = _NODES * np.sqrt(tau2)
    within = np.sqrt(1 - tau2)
    edges = (cuts[None, :] - u[:, None]) / within
    # From the side on which the tail lies, so that far slices keep their digits.
    left, right = edges[:, :-1], edges[:, 1:]
    chance = np.where(left > 0, ndtr(-left) - ndtr(-right), ndtr(right) - ndtr(left))
    log_prior = -0.5 * _NODES**2 - 0.5 * np.log(2 * np.pi) + np.log(_NODES[1] - _NODES[0])
    log_f = counts @ np.log(np.maximum(chance, 1e-300)).T + log_prior
    top = log_f.max(axis=1)
    return np.exp(log_f - top[:, None]), top
