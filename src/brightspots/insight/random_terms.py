"""From cross products to a system of groupings that the solver takes, and back to the data's units.

Columns of X are centred and scaled exactly, now that the sums are known; that leaves REML unchanged
but for the scales. What varies between groups may be centred only where an intercept varies with
it and both may correlate: otherwise the model would be another one, so the column stays where its
zero is and is only scaled.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.insight.cross_products import CrossProducts, RandomEffects, unpack
from brightspots.insight.crossed import Crossed, Grouping
from brightspots.insight.identified import (
    check_collinear,
    check_groups,
    check_left,
    check_slopes,
)
from brightspots.insight.reml import Level, Problem
from brightspots.insight.scan import places

Array = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Units:
    """The groups of one grouping.

    Parameters
    ----------
    columns : tuple of str
        Grouping columns, the inner one first.
    labels : tuple of str
        Values joined by ``:``, in sorted order of the columns.
    of : ndarray of int, shape (J,)
        The group of each cell.
    n : ndarray, shape (number of groups,)
        Pupils.
    plain : tuple of str
        Names by the inner column alone where that tells groups apart, else `labels`.
    """

    columns: tuple[str, ...]
    labels: tuple[str, ...]
    of: Integers
    n: Array
    plain: tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """One grouping in the solver: its groups, its columns of A', and the way back.

    Parameters
    ----------
    effects : RandomEffects
        One independent part of it, where effects do not correlate.
    units : Units
    z : tuple of int
        Places in A'.
    back : ndarray, shape (q, q)
        Effects in units of the data, but for the outcome's scale, are ``back @ u``.
    """

    effects: RandomEffects
    units: Units
    z: tuple[int, ...]
    back: Array


@dataclass(frozen=True)
class Model:
    """What is solved.

    Parameters
    ----------
    terms : tuple of Term
        In the order of the solver's groupings.
    written : tuple of int
        Places in `terms` in the order in which the formula has them.
    shift, scale : ndarray, shape (p + 1,)
        Of X and y: a column is (raw - shift) / scale.
    second_moments : ndarray, shape (k', k')
        Mean of A'A over pupils (weighted where there are weights).
    transform : ndarray, shape (k, k')
        A' = A T with A as scanned.
    """

    system: Problem | Crossed
    terms: tuple[Term, ...]
    written: tuple[int, ...]
    shift: Array
    scale: Array
    second_moments: Array
    transform: Array


def units_of(cp: CrossProducts, columns: tuple[str, ...]) -> Units:
    """Find the groups of these columns, and the group of every cell."""
    outer_first = list(reversed(columns))
    groups = cp.cells.select(outer_first).unique().sort(outer_first)
    of = cp.cells.select(outer_first).join(
        groups.with_row_index("__unit"), on=outer_first, how="left", maintain_order="left"
    )["__unit"]
    labels = groups.select(pl.concat_str(list(columns), separator=":"))[columns[0]].to_list()
    inner = groups[columns[0]]
    unit = of.to_numpy().astype(np.intp)
    plain = inner.to_list() if inner.n_unique() == len(inner) else labels
    n = np.asarray(np.bincount(unit, cp.counts, len(labels)), dtype=np.float64)
    return Units(columns, tuple(labels), unit, n, tuple(plain))


def independent(random: tuple[RandomEffects, ...]) -> list[RandomEffects]:
    """Take ``||`` apart: each effect by itself."""
    found = []
    for each in random:
        if each.correlated:
            found.append(each)
            continue
        found.extend(
            RandomEffects(each.group, (column,), (term,), True)
            for column, term in zip(each.columns, each.terms, strict=True)
        )
    return found


def make_model(cp: CrossProducts) -> Model:
    """Lay out the system of a model from its cross products.

    Raises
    ------
    InputError
        No pupils could tell what the random part asks for; see :mod:`identified`.
    """
    random = independent(cp.random)
    units = {each.group: units_of(cp, each.group) for each in random}
    check_groups(cp, units, random)
    transform, places, backs = _transform(cp, random)
    terms = [
        Term(each, units[each.group], z, back)
        for each, z, back in zip(random, places, backs, strict=True)
    ]
    order = sorted(range(len(terms)), key=lambda i: -len(terms[i].units.labels) * len(terms[i].z))
    chain = sorted(range(len(terms)), key=lambda i: -len(terms[i].units.labels))
    parents = _parents([terms[i].units for i in chain])
    p = len(cp.terms)
    system: Problem | Crossed
    if parents is not None:
        order = chain
        system = _nested(cp, [terms[i] for i in chain], parents, transform)
    else:
        system = _crossed(cp, [terms[i] for i in order], transform)
    total = transform.T @ cp.total() @ transform
    model = Model(
        system,
        tuple(terms[i] for i in order),
        tuple(order.index(i) for i in range(len(terms))),
        *_units_of_columns(cp, p),
        total / total[0, 0],
        transform,
    )
    _check_effects(cp, model)
    return model


def _check_effects(cp: CrossProducts, model: Model) -> None:
    """Refuse effects that no pupils could tell apart."""
    p = len(cp.terms)
    random = [term.effects for term in model.terms]
    units = {term.effects.group: term.units for term in model.terms}
    if any(place for each in random for place in each.columns):
        check_slopes(random, {group: _within(cp, each) for group, each in units.items()})
    total = model.transform.T @ cp.total() @ model.transform
    for term in model.terms:
        z = list(term.z)
        check_collinear(term.effects, total[np.ix_(z, z)])
        F = _rows(cp, term, model.transform)[:, :, :p]
        explained = [
            float(np.trace(np.linalg.solve(total[:p, :p], F[:, i].T @ F[:, i]))) / total[j, j]
            for i, j in enumerate(z)
        ]
        check_left(term.effects, np.array(explained))


def _within(cp: CrossProducts, units: Units) -> tuple[Array, Array]:
    """Products of A about the means of groups, and squares about 0, summed over the groups."""
    first = _packed(cp, units)[:, places(cp.width)[0]]
    total = cp.total()
    between = first.T @ (first / first[:, :1])
    return total - between, np.diagonal(total)


def _units_of_columns(cp: CrossProducts, p: int) -> tuple[Array, Array]:
    mean, spread = _moments(cp)
    kept = list(cp.kept)
    return (cp.shift + cp.scale * mean)[kept], (cp.scale * spread)[kept]


def _moments(cp: CrossProducts) -> tuple[Array, Array]:
    """Mean and spread of the columns of A as scanned; 0 and 1 for the intercept."""
    total = cp.total()
    mean = total[0] / total[0, 0]
    spread = np.sqrt(np.maximum(np.diagonal(total) / total[0, 0] - mean**2, 0.0))
    mean[0], spread[0] = 0.0, 1.0
    return mean, np.where(spread > 0, spread, 1.0)


def _transform(
    cp: CrossProducts, random: list[RandomEffects]
) -> tuple[Array, list[tuple[int, ...]], list[Array]]:
    """Matrix T with A' = A T, the places of each term's columns in A', and the way back."""
    k, p = cp.width, len(cp.terms)
    mean, spread = _moments(cp)
    raw_square = np.diagonal(cp.total()) / cp.total()[0, 0]
    columns: list[Array] = []
    names: dict[tuple[int, bool], int] = {}

    def centred(i: int) -> Array:
        column = np.zeros(k)
        column[i] = 1 / spread[i]
        column[0] -= mean[i] / spread[i] if i else 0.0
        return column

    def raw(i: int) -> tuple[Array, float]:
        """Raw column over the root of its mean square."""
        square = cp.scale[i] ** 2 * raw_square[i] + 2 * cp.scale[i] * cp.shift[i] * mean[i]
        size = float(np.sqrt(max(square + cp.shift[i] ** 2, 1e-300)))
        column = np.zeros(k)
        column[i] = cp.scale[i] / size
        column[0] += cp.shift[i] / size
        return column, size

    for i in range(p):
        names[(i, True)] = len(columns)
        columns.append(centred(i))
    places: list[tuple[int, ...]] = []
    backs: list[Array] = []
    for each in random:
        free = 0 in each.columns
        back = np.eye(len(each.columns))
        z = []
        for place, i in enumerate(each.columns):
            if i == 0:
                z.append(0)
                continue
            made, size = (centred(i), cp.scale[i] * spread[i]) if free else raw(i)
            if (i, free) not in names:
                names[(i, free)] = len(columns)
                columns.append(made)
            z.append(names[(i, free)])
            back[place, place] = 1 / size
            if free:
                back[each.columns.index(0), place] = -(cp.shift[i] + cp.scale[i] * mean[i]) / size
        places.append(tuple(z))
        backs.append(back)
    columns.append(centred(k - 1))
    return np.column_stack(columns), places, backs


def _parents(units: list[Units]) -> list[Integers | None] | None:
    """Find the unit of the next grouping to which each unit belongs; None where it has several."""
    found: list[Integers | None] = []
    for fine, coarse in pairwise(units):
        parent = np.zeros(len(fine.labels), dtype=np.intp)
        parent[fine.of] = coarse.of
        if (parent[fine.of] != coarse.of).any():
            return None
        found.append(parent)
    return [*found, None]


def _nested(
    cp: CrossProducts, terms: list[Term], parents: list[Integers | None], transform: Array
) -> Problem:
    size = transform.shape[1]
    F = _rows(cp, terms[0], transform)
    above = transform.T @ cp.total() @ transform
    if len(terms) > 1:
        above = _summed(cp, terms[1].units, transform)
    levels = tuple(
        Level(term.z, parent, len(term.units.labels))
        for term, parent in zip(terms, parents, strict=True)
    )
    return Problem(F, above, levels, cp.n_pupils, extra=size - len(cp.terms) - 1)


def _crossed(cp: CrossProducts, terms: list[Term], transform: Array) -> Crossed:
    groupings = tuple(Grouping(t.z, t.units.of, len(t.units.labels)) for t in terms)
    kept = (*range(len(cp.terms)), transform.shape[1] - 1)
    z = tuple(sorted({column for term in terms for column in term.z}))
    rows = _rows_of(cp, cp.packed, z, transform)
    total = transform.T @ cp.total() @ transform
    return Crossed(rows, z, total, groupings, cp.n_pupils, kept)


def _packed(cp: CrossProducts, units: Units) -> Array:
    """Packed cross products of every unit."""
    if len(units.labels) == len(cp.packed) and not (np.diff(units.of) < 0).any():
        return cp.packed
    order = np.argsort(units.of, kind="stable")
    starts = np.flatnonzero(np.diff(units.of[order], prepend=-1))
    found: Array = np.add.reduceat(cp.packed[order], starts, axis=0)
    return found


def _summed(cp: CrossProducts, units: Units, transform: Array) -> Array:
    """A'A of every unit, shape (number of units, k', k')."""
    made: Array = transform.T @ unpack(_packed(cp, units), cp.width) @ transform
    return made


def _rows(cp: CrossProducts, term: Term, transform: Array) -> Array:
    """Z'A of every unit of a term, shape (number of units, q, k').

    Only the rows that Z is made of are unpacked: the whole of A'A for 100,000 schools is large.
    """
    return _rows_of(cp, _packed(cp, term.units), term.z, transform)


def _rows_of(cp: CrossProducts, packed: Array, z: tuple[int, ...], transform: Array) -> Array:
    """Rows `z` of A'A from packed cross products, shape (J, len(z), k')."""
    made = transform[:, list(z)]
    needed = np.flatnonzero(made.any(axis=1))
    found: Array = made[needed].T @ (packed[:, places(cp.width)[needed]] @ transform)
    return found
