"""Designs from school context: numeric columns standardised, factors as contrasts, years.

A school whose covariate is missing is never given a made-up value with an indicator (that biases
the other coefficients). It is judged by the model of the covariates it does have, fitted on all
schools that have them: its *pattern*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_RANK_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Design:
    """X (n, p) of full column rank, its terms, the map to original units, terms left out.

    `to_original` (p, p) turns coefficients of the standardised columns into those of the columns
    as the ministry gave them.
    """

    X: Floats
    terms: tuple[str, ...]
    to_original: Floats
    not_identified: tuple[str, ...]


@dataclass(frozen=True)
class Pattern:
    """Context covariates used for some schools: who is fitted, who is judged by the fit."""

    context: tuple[str, ...]
    fitted: Booleans
    judged: Booleans

    @property
    def label(self) -> str:
        """``log_population + phase``, or ``none``."""
        return " + ".join(self.context) or "none"


def known_by_unit(frame: pl.DataFrame, context: Sequence[str], unit: NDArray[np.int64]) -> Booleans:
    """Which covariates a school has in *all* its rows, repeated by row: (rows, covariates)."""
    count = int(unit.max()) + 1
    known = np.empty((frame.height, len(context)), dtype=np.bool_)
    for j, name in enumerate(context):
        column = frame[name]
        missing = column.is_null()
        if column.dtype.is_float():
            missing = missing | column.is_infinite() | column.is_nan().fill_null(True)
        lacking = np.bincount(unit, missing.to_numpy().astype(float), count) > 0
        known[:, j] = ~lacking[unit]
    return known


def patterns(
    known: Booleans, context: Sequence[str], unit: NDArray[np.int64], minimum: int
) -> list[Pattern]:
    """Patterns with a model of their own, and which schools each judges.

    A pattern has its own model where at least `minimum` schools show it, or no pattern is more
    common. A rarer one uses the largest of those that it contains (then the one with most schools,
    then the first by name), at worst the model without context.
    """
    _, first = np.unique(unit, return_index=True)
    rows, inverse, counts = np.unique(known[first], axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.reshape(-1)
    wide = [i for i in range(len(rows)) if counts[i] >= minimum or counts[i] == counts.max()]
    chosen: dict[tuple[int, ...], list[int]] = {}
    for i, row in enumerate(rows):
        options = [w for w in wide if not (rows[w] & ~row).any()]
        options.sort(key=lambda w: (-rows[w].sum(), -counts[w], tuple(~rows[w])))
        key = tuple(np.flatnonzero(rows[options[0]]).tolist()) if options else ()
        chosen.setdefault(key, []).append(i)
    out = []
    for key, members in sorted(chosen.items(), key=lambda item: (-len(item[0]), item[0])):
        fitted: Booleans = np.asarray(known[:, list(key)].all(axis=1))
        judged = np.isin(inverse, members)[unit]
        out.append(Pattern(tuple(context[j] for j in key), fitted, judged))
    return out


def _numeric_block(column: pl.Series) -> tuple[Floats, list[str], Floats, Floats]:
    values = column.cast(pl.Float64).to_numpy()
    mean = float(values.mean())
    sd = float(values.std())
    if not sd > 1e-12 * max(abs(mean), 1e-300):
        sd = 1.0
    return ((values - mean) / sd)[:, None], [column.name], np.array([mean]), np.array([sd])


def _factor_block(column: pl.Series) -> tuple[Floats, list[str], Floats, Floats]:
    text = column.cast(pl.String)
    levels = sorted(text.unique().to_list())
    values = text.to_numpy()
    block = np.column_stack([values == level for level in levels[1:]] or [np.zeros(len(values))])
    names = [f"{column.name}[{level}]" for level in levels[1:]] or [f"{column.name}[{levels[0]}]"]
    return block.astype(np.float64), names, np.zeros(len(names)), np.ones(len(names))


def _covariates(
    frame: pl.DataFrame, context: Sequence[str]
) -> tuple[Floats, list[str], Floats, Floats]:
    blocks, names, means, sds = [np.empty((frame.height, 0))], [], [np.empty(0)], [np.empty(0)]
    for name in context:
        make = _numeric_block if frame.schema[name].is_numeric() else _factor_block
        block, block_names, mean, sd = make(frame[name])
        blocks.append(block)
        names.extend(block_names)
        means.append(mean)
        sds.append(sd)
    Z: Floats = np.column_stack(blocks)
    return Z, names, np.concatenate(means), np.concatenate(sds)


def design(
    frame: pl.DataFrame, context: Sequence[str], year: pl.Series | None, by_year: bool
) -> Design:
    """Build X for rows without missing context.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows to fit.
    context : sequence of str
        Numeric columns are standardised over these rows; others are factors whose first level in
        sorted order is the reference.
    year : polars.Series or None
        With several years: `by_year` gives every year its own intercept and slopes
        (x_st' beta_t); otherwise years differ in the intercept only.

    Notes
    -----
    Columns that are constant or a combination of earlier ones are left out and named; the
    expectation X beta does not depend on which of them stays.
    """
    Z, names, means, sds = _covariates(frame, context)
    n, q = Z.shape
    back = np.eye(q + 1)  # coefficients of (1, z) -> of (1, x)
    back[1:, 1:] = np.diag(1 / sds)
    back[0, 1:] = -means / sds
    one = np.ones((n, 1))
    if year is None:
        X, terms, original = np.hstack([one, Z]), ["(Intercept)", *names], back
    elif by_year:
        X, terms, original = _by_year(np.hstack([one, Z]), names, year, back)
    else:
        years = sorted(year.unique().to_list())
        dummies = np.column_stack([(year == y).to_numpy() for y in years[1:]]).astype(np.float64)
        X = np.hstack([one, dummies, Z])
        terms = ["(Intercept)", *[f"year[{y}]" for y in years[1:]], *names]
        original = np.eye(X.shape[1])
        place = [0, *range(len(years), X.shape[1])]
        original[np.ix_(place, place)] = back
    return _full_rank(X, terms, original)


def _by_year(
    base: Floats, names: list[str], year: pl.Series, back: Floats
) -> tuple[Floats, list[str], Floats]:
    years = sorted(year.unique().to_list())
    X: Floats = np.hstack([base * (year == y).to_numpy()[:, None] for y in years])
    terms = [t for y in years for t in (f"year[{y}]", *[f"year[{y}]:{name}" for name in names])]
    original: Floats = np.asarray(np.kron(np.eye(len(years)), back), dtype=np.float64)
    return X, terms, original


def _full_rank(X: Floats, terms: list[str], original: Floats) -> Design:
    """Keep columns that add something to those before them (Gram-Schmidt on scaled columns)."""
    length: Floats = np.sqrt((X**2).sum(axis=0))
    basis: list[Floats] = []
    keep = []
    for j in range(X.shape[1]):
        if length[j] == 0:
            continue
        residual = X[:, j] / length[j]
        for _ in range(2):  # twice is enough (Kahan)
            for b in basis:
                residual = residual - (b @ residual) * b
        norm = float(np.sqrt(residual @ residual))
        if norm > _RANK_TOLERANCE**0.5 * 1e-2:
            basis.append(residual / norm)
            keep.append(j)
    dropped = tuple(terms[j] for j in range(X.shape[1]) if j not in keep)
    return Design(
        np.ascontiguousarray(X[:, keep]),
        tuple(terms[j] for j in keep),
        original[np.ix_(keep, keep)],
        dropped,
    )


def check_context(frame: pl.DataFrame, context: Sequence[str]) -> None:
    """Refuse context columns that are not there or given twice."""
    if len(set(context)) != len(context):
        raise InputError("A context column is named twice.", mend="Name each column once.")
    for name in context:
        if name not in frame.columns:
            raise InputError(
                "This context column is not in the table.",
                column=name,
                mend=f"Columns found: {', '.join(frame.columns)}.",
            )
