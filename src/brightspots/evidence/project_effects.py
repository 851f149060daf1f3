"""The effect of each project of support, held against schools that had none.

    after_s = a + before_s' b + left_s + e_s,     var(e_s) = sampling variance, known

is fitted (Fay-Herriot, REML) to the schools without support; a project's effect is what its school
reached less what that says of a school with the same past. Support goes where results were weak,
and weak results rise by themselves: it is the adjustment for the past, of *every* outcome that had
a say in choosing the school, that keeps such a rise from passing for an effect.
See ``docs/methods/track-records.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.nested_reml import Nest, fit_nested

METHOD_VERSION: Final = "1"
Floats = NDArray[np.float64]

_FEWEST_COMPARISONS: Final = 10
"""Schools without support beyond the number of coefficients."""
_FEWEST_WITH: Final = 5
"""Comparison schools that must differ from the most frequent value, for a column to be used."""


@dataclass(frozen=True)
class ProjectEffects:
    """Result of :func:`project_effects`.

    Attributes
    ----------
    frame : polars.DataFrame
        school, effect, se of each supported school, in the order given.
    coefficients : mapping
        Name of the column (and "intercept") -> coefficient among the schools without support.
    sd_unexplained : float
        SD of `left`: what the past and sampling leave open.
    n_comparison : int
    left_out : tuple of str
        Columns that hardly vary among schools without support, and were not used.
    """

    frame: pl.DataFrame
    coefficients: Mapping[str, float]
    sd_unexplained: float
    n_comparison: int
    left_out: tuple[str, ...]


def project_effects(schools: pl.DataFrame, before: Sequence[str]) -> ProjectEffects:
    """Estimate the effect of each project.

    Parameters
    ----------
    schools : polars.DataFrame
        One row a school: school, after (its result, adjusted for pupils' background),
        sampling_variance (of it), supported (true or false), and the columns of `before`. Schools
        whose result is not known are passed over.
    before : sequence of str
        Columns with what was known when schools were chosen: shrunken effects of every outcome the
        choice went by, earlier support.

    Raises
    ------
    InputError
        A column is missing or holds no numbers, or too few schools had no support.

    Notes
    -----
    The errors of projects of one year share that of the coefficients; a track record takes them
    as independent, which matters little from some hundred comparison schools on.
    """
    _check(schools, before)
    frame = schools.filter(pl.col("after").is_not_null() & pl.col("after").is_not_nan())
    y, s2 = frame["after"].to_numpy(), frame["sampling_variance"].to_numpy()
    supported = frame["supported"].to_numpy().astype(np.bool_)
    columns = {name: frame[name].to_numpy().astype(np.float64) for name in before}
    used = _usable(columns, ~supported)
    X = np.column_stack([np.ones(len(y)), *(columns[name] for name in used)])
    spare = int((~supported).sum()) - X.shape[1]
    if spare < _FEWEST_COMPARISONS:
        raise InputError(
            f"{int((~supported).sum())} schools without support are too few to compare with.",
            mend=f"At least {X.shape[1] + _FEWEST_COMPARISONS} are needed here.",
        )
    free = ~supported
    fit = fit_nested(Nest(np.column_stack([X[free], y[free]]), s2[free]))
    left = float(fit.variances[0])
    effect = y[supported] - X[supported] @ fit.beta
    doubt = ((X[supported] @ fit.V_beta) * X[supported]).sum(axis=1)
    return ProjectEffects(
        pl.DataFrame(
            {
                "school": frame["school"].filter(pl.Series(supported)),
                "effect": effect,
                "se": np.sqrt(s2[supported] + left + doubt),
            }
        ),
        dict(zip(["intercept", *used], fit.beta.tolist(), strict=True)),
        float(np.sqrt(left)),
        int(free.sum()),
        tuple(name for name in before if name not in used),
    )


def _check(schools: pl.DataFrame, before: Sequence[str]) -> None:
    for name in ("school", "after", "sampling_variance", "supported", *before):
        if name not in schools.columns:
            raise InputError("This column is needed and not there.", column=name)
    for name in ("after", "sampling_variance", *before):
        if not (schools[name].dtype.is_numeric() or schools[name].dtype == pl.Boolean):
            raise InputError("Numbers are needed here.", column=name)
    known = schools.filter(pl.col("after").is_not_null() & pl.col("after").is_not_nan())
    for name in ("sampling_variance", "supported", *before):
        column = known[name]
        gap = column.is_null() | ~column.cast(pl.Float64).is_finite()
        if gap.any():
            raise InputError(
                f"School {known['school'][int(gap.arg_max() or 0)]} has a result but nothing here.",
                column=name, mend="Fill the gap, or leave the school out.",
            )  # fmt: skip
    if (known["sampling_variance"] < 0).any():
        raise InputError("A sampling variance below 0.", column="sampling_variance")


def _usable(columns: Mapping[str, Floats], free: NDArray[np.bool_]) -> list[str]:
    """Columns that vary among the comparison schools and are not made of earlier ones."""
    used: list[str] = []
    X = np.ones((int(free.sum()), 1))
    for name, column in columns.items():
        values = column[free]
        _, counts = np.unique(values, return_counts=True)
        if len(values) - counts.max(initial=0) < _FEWEST_WITH:
            continue
        rest = values - X @ np.linalg.lstsq(X, values, rcond=None)[0]
        if rest @ rest <= 1e-10 * float(((values - values.mean()) ** 2).sum()):
            continue
        X = np.column_stack([X, values])
        used.append(name)
    return used
