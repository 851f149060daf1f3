"""Models within a model, from the same cross products: no pupil is read again.

``S_j`` of fewer columns is a block of ``S_j``; a column that is the same for all pupils of a school
adds multiples of the sums that are there; fewer years are fewer cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts

Array = NDArray[np.float64]


def only_terms(cp: CrossProducts, terms: Sequence[str]) -> CrossProducts:
    """Keep the intercept and these terms of the fixed part.

    Raises
    ------
    InputError
        A term is not in the model, or a term that varies between groups would go.
    """
    missing = [term for term in terms if term not in cp.terms]
    if missing:
        raise InputError(f'The term "{missing[0]}" is not in the model.', column=missing[0])
    keep = [0, *(i for i, term in enumerate(cp.terms) if i and term in terms)]
    if any(column not in keep for each in cp.random for column in each.columns):
        raise InputError("A term that varies between groups cannot be left out.")
    return _with_columns(cp, keep)


def only_cells(cp: CrossProducts, cells: pl.Expr) -> CrossProducts:
    """Keep some cells, e.g. one year; terms that no longer vary go."""
    keep = cp.cells.select(cells.alias("keep"))["keep"].to_numpy()
    part = replace(
        cp, cells=cp.cells.filter(pl.Series(keep)), counts=cp.counts[keep], packed=cp.packed[keep]
    )
    total = part.total()
    spread = np.diagonal(total) - total[0] ** 2 / total[0, 0]
    varies = spread > 1e-10 * np.maximum(np.diagonal(total), np.finfo(float).tiny)
    needed = {column for each in part.random for column in each.columns}
    columns = [i for i in range(len(part.terms)) if i == 0 or varies[i] or i in needed]
    return _with_columns(part, columns)


def with_group_mean(cp: CrossProducts, term: str, group: str) -> CrossProducts:
    """Add the mean of a term over all pupils of a group: ``mean of prior``.

    The mean is that of the pupils in the cells, in units of the data.
    """
    if term not in cp.terms:
        raise InputError(f'The term "{term}" is not in the model.', column=term)
    at, p, k = cp.terms.index(term), len(cp.terms), cp.width
    sums = cp.rows((0,))[:, 0, :]
    totals = cp.cells.select(group).with_columns(
        pl.Series("sum", sums[:, at]), pl.Series("weight", sums[:, 0])
    )
    value = totals.select(pl.col("sum").sum().over(group) / pl.col("weight").sum().over(group))
    mean = value.to_series().to_numpy()
    S = cp.matrices()
    wide = np.zeros((len(S), k + 1, k + 1))
    order = [*range(p), *range(p + 1, k + 1)]
    wide[:, np.array(order)[:, None], np.array(order)[None, :]] = S
    row = mean[:, None] * sums
    wide[:, p, order] = row
    wide[:, order, p] = row
    wide[:, p, p] = mean**2 * sums[:, 0]
    upper = np.triu_indices(k + 1)
    return replace(
        cp,
        terms=(*cp.terms, f"mean of {term}"),
        packed=wide[:, upper[0], upper[1]],
        shift=np.insert(cp.shift, p, cp.shift[at]),
        scale=np.insert(cp.scale, p, cp.scale[at]),
        random=tuple(
            replace(each, columns=tuple(c if c < p else c + 1 for c in each.columns))
            for each in cp.random
        ),
    )


def _with_columns(cp: CrossProducts, keep: Sequence[int]) -> CrossProducts:
    """Keep these columns of X, all of E, and y."""
    p, k = len(cp.terms), cp.width
    columns = [*keep, *range(p, k)]
    S = cp.matrices()[:, np.array(columns)[:, None], np.array(columns)[None, :]]
    upper = np.triu_indices(len(columns))
    place = {old: new for new, old in enumerate(columns)}
    return replace(
        cp,
        terms=tuple(cp.terms[i] for i in keep),
        packed=S[:, upper[0], upper[1]],
        shift=cp.shift[columns],
        scale=cp.scale[columns],
        random=tuple(
            replace(each, columns=tuple(place[c] for c in each.columns)) for each in cp.random
        ),
    )
