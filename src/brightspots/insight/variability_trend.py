"""Trend of the spread of each tier, with errors from a bootstrap in which the same schools return.

    y_st = mean_t + sum over tiers k of tau_kt (sqrt(rho_k) z_i + sqrt(1 - rho_k) z_it) + e_st

i is the unit of tier k in which school s lies, z standard normal, var(e) known. rho_k, the share of
a tier's variance that lasts, makes neighbouring years move together; without it a trend would look
less sure than it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from brightspots.insight.nested_reml import Nest, NestedFit, effects, fit_nested

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_FEWEST_YEARS = 3


@dataclass(frozen=True)
class Year:
    """One year's fit.

    Parameters
    ----------
    label : int or str
    nest : Nest
    fit : NestedFit
    columns : tuple of arrays (rows,)
        Group of each row within this year, finest tier first.
    everywhere : tuple of arrays (rows,)
        School, then group of each row, finest tier first, numbered over all years.
    """

    label: Any
    nest: Nest
    fit: NestedFit
    columns: tuple[Integers, ...]
    everywhere: tuple[Integers, ...]

    def units(self, level: int) -> Integers:
        """Give the number over all years of each unit of a level of this year."""
        if level == 0:
            return self.everywhere[0]
        _, first = np.unique(self.columns[level - 1], return_index=True)
        return self.everywhere[level][first]


def groups_of(areas: pl.DataFrame) -> list[Integers]:
    """Row-wise group numbers, finest tier first, numbered by content, not by name."""
    columns = []
    for depth in range(len(areas.columns), 0, -1):
        path = areas.select(pl.struct(areas.columns[:depth]).rank("dense")).to_series().to_numpy()
        _, first, inverse = np.unique(path, return_index=True, return_inverse=True)
        renumber = np.empty(len(first), dtype=np.int64)
        renumber[np.argsort(first)] = np.arange(len(first))  # rows are in content order
        columns.append(renumber[inverse.reshape(-1)])
    return columns


def persistence_of(years: Sequence[Year]) -> Floats:
    """Share of each level's variance that lasts, from its predicted effects in pairs of years.

    Predicted effects are shrunken: the covariance of a unit's in two years is
    ``R_t R_r rho tau_t tau_r`` with R their reliabilities, which is taken out.
    """
    levels = years[0].nest.levels
    found = np.zeros(levels)
    if len(years) < 2:
        return found
    for level in range(levels):
        size = max(int(year.units(level).max()) for year in years) + 1
        estimate, expected = (
            np.full((len(years), size), np.nan),
            np.full((len(years), size), np.nan),
        )
        for t, year in enumerate(years):
            own = effects(year.nest, year.fit, level)
            if own.prior <= 0:
                continue
            estimate[t, year.units(level)] = own.estimate
            expected[t, year.units(level)] = (1 - own.pev / own.prior) * np.sqrt(own.prior)
        above = below = 0.0
        for t in range(len(years)):
            for r in range(t + 1, len(years)):
                above += float(np.nansum(estimate[t] * estimate[r]))
                below += float(np.nansum(expected[t] * expected[r]))
        found[level] = min(max(above / below, 0.0), 1.0) if below > 0 else 0.0
    return found


def draw_years(
    years: Sequence[Year], lasting: Floats, replicates: int, rng: np.random.Generator
) -> list[Floats]:
    """Variance components (replicates, levels) of each year, of systems drawn from the fits."""
    levels = years[0].nest.levels
    sizes = [max(int(year.units(k).max()) for year in years) + 1 for k in range(levels)]
    out = [np.empty((replicates, levels)) for _ in years]
    for b in range(replicates):
        z = [rng.standard_normal(size) for size in sizes]
        for drawn, year in zip(out, years, strict=True):
            nest, fit = year.nest, year.fit
            y = rng.standard_normal(len(nest.s2)) * np.sqrt(nest.s2)
            for level in range(levels):
                units = year.units(level)
                own = rng.standard_normal(len(units))
                mixed = np.sqrt(lasting[level]) * z[level][units]
                mixed += np.sqrt(1 - lasting[level]) * own
                mixed *= np.sqrt(fit.variances[level])
                y = y + (mixed if level == 0 else mixed[year.columns[level - 1]])
            A = nest.A.copy()
            A[:, -1] = y
            again = fit_nested(Nest(A, nest.s2, nest.parents), start=fit.variances)
            drawn[b] = again.variances
    return out


_SCHEMA = {
    "tier": pl.String, "slope": pl.Float64, "lower": pl.Float64, "upper": pl.Float64,
    "se": pl.Float64, "probability_closing": pl.Float64, "persistence": pl.Float64,
}  # fmt: skip


def trend_of(
    years: Sequence[Year],
    draws: Sequence[Floats],
    lasting: Floats,
    names: list[str],
    confidence: float,
) -> pl.DataFrame:
    """Least-squares slope of each tier's SD over the years; errors are those of the bootstrap.

    `names` coarsest first. Years that are not numbers count 0, 1, 2.
    """
    labels = [year.label for year in years]
    if len(labels) < _FEWEST_YEARS:
        return pl.DataFrame(schema=_SCHEMA)
    numeric = all(isinstance(label, int | float) for label in labels)
    time = np.array(labels if numeric else range(len(labels)), dtype=np.float64)
    weight = (time - time.mean()) / ((time - time.mean()) ** 2).sum()
    sd = np.sqrt(np.array([year.fit.variances for year in years]))
    slope = (weight @ sd)[::-1]
    frame = {"tier": names, "slope": slope, "persistence": lasting[::-1]}
    if len(draws[0]) == 0:
        nothing = dict.fromkeys(("lower", "upper", "se", "probability_closing"))
        return pl.DataFrame({**frame, **nothing}, schema_overrides=_SCHEMA).select(list(_SCHEMA))
    drawn = np.sqrt(np.stack(draws))
    se = np.tensordot(weight, drawn, axes=1).std(axis=0, ddof=1)[::-1]
    z = float(norm.ppf(0.5 + confidence / 2))
    closing = norm.cdf(-slope / np.where(se > 0, se, 1.0))
    return pl.DataFrame(
        {
            **frame,
            "lower": slope - z * se,
            "upper": slope + z * se,
            "se": se,
            "probability_closing": np.where(se > 0, closing, 0.5),
        },
        schema_overrides=_SCHEMA,
    ).select(list(_SCHEMA))
