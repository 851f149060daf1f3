"""Other models from the same cross products: fewer terms, means of groups, fewer cells.

``S_j`` of a model holds those of every model with some of its terms (a sub-block), and of every
model with means of its columns over groups of cells, so none of this looks at a pupil again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts, RandomEffects, unpack
from brightspots.insight.design import INTERCEPT
from brightspots.insight.formula import parse_formula
from brightspots.insight.random_terms import units_of
from brightspots.insight.reml import unidentified

Array = NDArray[np.float64]


def term_columns(cp: CrossProducts) -> dict[str, frozenset[str]]:
    """Term of X -> the columns of the data that it reads; none for the intercept."""
    found: dict[str, frozenset[str]] = {INTERCEPT: frozenset()}
    for term in parse_formula(cp.formula).terms:
        columns = frozenset(name for variable in term for name in variable.columns)
        names = [
            [variable.name + level for level in ("", *cp.levels.get(variable.name, ()))]
            for variable in term
        ]
        for parts in product(*names):
            if (name := ":".join(parts)) in cp.terms:
                found[name] = columns
    return found


def _places(k: int) -> NDArray[np.intp]:
    """Place of entry (i, j) in a packed triangle, shape (k, k)."""
    numbers = np.arange(k * (k + 1) // 2, dtype=np.float64)
    places: NDArray[np.intp] = unpack(numbers[None, :], k)[0].astype(np.intp)
    return places


def _noted(cp: CrossProducts, **notes: object) -> Provenance:
    return replace(cp.provenance, settings={**cp.provenance.settings, **notes})


def without_terms(cp: CrossProducts, dropped: Collection[str]) -> CrossProducts:
    """Take terms out of X. One with a random effect keeps that, as a column of E.

    Raises
    ------
    InputError
        A term is not in the model, or is the intercept.
    """
    for name in dropped:
        if name not in cp.terms or name == INTERCEPT:
            raise InputError(f'The model has no term "{name}" that could be left out.')
    if not dropped:
        return cp
    p = len(cp.terms)
    varying = {column for each in cp.random for column in each.columns}
    kept = [i for i, name in enumerate(cp.terms) if name not in dropped]
    moved = [i for i, name in enumerate(cp.terms) if name in dropped and i in varying]
    order = [*kept, *moved, *range(p, cp.width)]
    back = {old: new for new, old in enumerate(order)}
    names = [*cp.terms, *cp.extra]
    places = _places(cp.width)[np.ix_(order, order)]
    return replace(
        cp,
        terms=tuple(names[i] for i in kept),
        extra=tuple(names[i] for i in order[len(kept) : -1]),
        random=tuple(
            replace(each, columns=tuple(back[i] for i in each.columns)) for each in cp.random
        ),
        packed=cp.packed[:, places[np.triu_indices(len(order))]],
        shift=cp.shift[order],
        scale=cp.scale[order],
        provenance=_noted(cp, without=sorted(dropped)),
    )


def with_group_means(
    cp: CrossProducts, terms: Sequence[str], groups: tuple[str, ...]
) -> CrossProducts:
    """Add to X the mean of each term over the pupils of a group: the intake of a whole school.

    With m the mean in a pupil's group, which is the same for every pupil of a cell j,
    ``m'A = m_j 1'A`` and ``m'm = m_j^2 n_j``; weights enter means as they do sums.

    Parameters
    ----------
    cp : CrossProducts
    terms : sequence of str
        Terms of X; the new ones are called ``mean(<term>)`` and stand last.
    groups : tuple of str
        Grouping columns of `cp` whose combinations are the groups.
    """
    p, k, q = len(cp.terms), cp.width, len(terms)
    at = [cp.terms.index(name) for name in terms]
    units = units_of(cp, groups)
    count = len(units.labels)
    first = cp.packed[:, _places(k)[0]]
    weight = np.bincount(units.of, first[:, 0], count)
    means = np.column_stack([np.bincount(units.of, first[:, i], count) / weight for i in at])
    m = means[units.of]
    size = k + q
    # Columns of the new A: an old one, or (new) m times the intercept.
    old = [*range(p), *([0] * q), *range(p, k)]
    factor: list[Array | None] = [*([None] * p), *(m[:, i] for i in range(q)), *([None] * (k - p))]
    places = _places(k)
    packed = np.empty((len(cp.packed), size * (size + 1) // 2))
    for place, (i, j) in enumerate(zip(*np.triu_indices(size), strict=True)):
        column = cp.packed[:, places[old[i], old[j]]]
        for each in (factor[i], factor[j]):
            column = column if each is None else column * each
        packed[:, place] = column

    def moved(each: RandomEffects) -> RandomEffects:
        return replace(each, columns=tuple(c if c < p else c + q for c in each.columns))

    return replace(
        cp,
        terms=(*cp.terms, *(f"mean({name})" for name in terms)),
        random=tuple(moved(each) for each in cp.random),
        packed=packed,
        shift=np.concatenate([cp.shift[:p], cp.shift[at], cp.shift[p:]]),
        scale=np.concatenate([cp.scale[:p], cp.scale[at], cp.scale[p:]]),
        provenance=_noted(cp, means={"terms": list(terms), "of": list(groups)}),
    )


def only_cells(cp: CrossProducts, keep: NDArray[np.bool_], note: str) -> CrossProducts:
    """Keep some of the cells, one year for instance; `note` says which in the provenance.

    The sum of the logarithms of weights is not known by cell: the criterion of a weighted model
    lacks that constant.
    """
    counts = cp.counts[keep]
    return replace(
        cp,
        cells=cp.cells.filter(keep),
        counts=counts,
        packed=cp.packed[keep],
        n_rows=round(float(counts.sum())),
        n_dropped=0,
        sum_log_w=0.0,
        provenance=_noted(cp, cells=note),
    )


def identified(cp: CrossProducts) -> CrossProducts:
    """Leave out the terms that earlier ones explain: a year's own one without that year."""
    kept = list(cp.kept)
    total = cp.total()[np.ix_(kept, kept)]
    found = unidentified(total[:-1, :-1], cp.terms)
    return without_terms(cp, [name for name, _ in found])
