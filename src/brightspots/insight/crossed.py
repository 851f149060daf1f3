"""Groupings that cross each other: primary school by secondary school, school by ward.

The grouping with most effects is eliminated block by block, as in :mod:`reml`; what is left of the
others is one dense matrix, factorised whole. With Z_1 of the first grouping, Z_2 of all others and
V_1 the covariance under the first alone,

    B = Z_1'Z_2,   K~ = Z_2'V_1^-1 Z_2 = Z_2'Z_2 - B'P_1 B,
    P_2 = Lambda_2 (I + Lambda_2'K~ Lambda_2)^-1 Lambda_2'

and ``V^-1 = V_1^-1 - V_1^-1 Z_2 P_2 Z_2'V_1^-1`` gives everything else (Bates et al. 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack, solve_triangular

from brightspots.core.errors import InputError
from brightspots.insight.reml import (
    Effects,
    Eliminated,
    Fit,
    at_the_top,
    derivative_of,
    effects_of,
)

Array = NDArray[np.float64]
Integers = NDArray[np.intp]

LARGEST_DENSE = 6_000
"""Effects of all groupings but the largest: a dense matrix of this order takes 0.3 GB."""
LARGEST_FILLED = 50_000_000
"""Entries of the largest sparse matrix that is written out: 0.4 GB."""
ROWS_AT_ONCE = 4_096
SMALL = 1e-2
"""A Lambda below this, where 1 is a reliability of one half, leaves I - M^-1 too few digits."""


@dataclass(frozen=True)
class Grouping:
    """One grouping: columns of A with an effect, and the unit of every cell, numbered from 0."""

    z: tuple[int, ...]
    unit: Integers
    n_units: int

    @property
    def q(self) -> int:
        """Random effects a unit."""
        return len(self.z)

    @property
    def effects(self) -> int:
        """Random effects in all."""
        return self.q * self.n_units


@dataclass(frozen=True)
class Dense(Eliminated):
    """What all groupings but the first leave; their P is Lambda M_inverse Lambda'."""

    M_inverse: Array


@dataclass(frozen=True)
class Crossed:
    """Cross products of ``A = [X | E | y]`` by cell, and the groupings of the cells.

    Parameters
    ----------
    rows : ndarray, shape (C, m, k)
        Those rows of A'A of every cell that any Z is made of; all of A'A of a million cells would
        not fit.
    z : tuple of int
        The columns of A that these rows are of; m of them.
    total : ndarray, shape (k, k)
        A'A.
    groupings : tuple of Grouping
        The one with most effects first.
    n : int
        Rows.
    kept : tuple of int
        Places of X and y in A.

    Raises
    ------
    InputError
        The groupings but the first have more than ``LARGEST_DENSE`` effects together.
    """

    rows: Array
    z: tuple[int, ...]
    total: Array
    groupings: tuple[Grouping, ...]
    n: int
    kept: tuple[int, ...]

    def __post_init__(self) -> None:
        dense = sum(each.effects for each in self.groupings[1:])
        if dense > LARGEST_DENSE:
            raise InputError(
                f"The smaller of the crossed groupings have {dense:,} effects together;"
                f" {LARGEST_DENSE:,} is the limit.",
                mend="Leave one out, or use groupings that lie within each other (a/b).",
            )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Random effects a unit, by grouping."""
        return tuple(each.q for each in self.groupings)

    def typical(self, place: int) -> Array:
        """Mean of the diagonal of Z'Z over the units of a grouping, shape (q,)."""
        each = self.groupings[place]
        found: Array = np.diagonal(self.total)[list(each.z)] / each.n_units
        return found

    def _rows(self, each: Grouping) -> Array:
        """Z'A of every cell for the Z of a grouping, shape (C, q, k)."""
        places = [self.z.index(column) for column in each.z]
        return self.rows if places == list(range(len(self.z))) else self.rows[:, places, :]

    @cached_property
    def _first(self) -> tuple[Array, Array]:
        """F = Z_1'[X | y], shape (J, q, p + 1), and K = Z_1'Z_1, shape (J, q, q)."""
        first = self.groupings[0]
        rows = self._rows(first)
        F = np.zeros((first.n_units, first.q, rows.shape[2]))
        np.add.at(F, first.unit, rows)
        return F[:, :, list(self.kept)], F[:, :, list(first.z)]

    def _places(self, each: Grouping, offset: int) -> Integers:
        """Place of every effect of a cell's unit among all effects, shape (C, q)."""
        return offset + each.unit[:, None] * each.q + np.arange(each.q)[None, :]

    @cached_property
    def _offsets(self) -> list[int]:
        sizes = [0, *(each.effects for each in self.groupings[1:])]
        return [sum(sizes[: place + 1]) for place in range(len(sizes))]

    def _block(
        self, one: Grouping, other: Grouping, at: int, beside: int, whole: tuple[int, int]
    ) -> sparse.coo_array:
        """Z'Z of two groupings, its first row and column at (`at`, `beside`) of a matrix."""
        values = self._rows(one)[:, :, list(other.z)]
        rows, columns = self._places(one, at), self._places(other, beside)
        shape = values.shape
        return sparse.coo_array(
            (
                values.ravel(),
                (
                    np.broadcast_to(rows[:, :, None], shape).ravel(),
                    np.broadcast_to(columns[:, None, :], shape).ravel(),
                ),
            ),
            shape=whole,
        )

    @cached_property
    def _rest(self) -> tuple[sparse.csr_array, Array, Array, Array]:
        """B = Z_1'Z_2 (sparse), Z_2'Z_2, Z_2'[X | y] and [X | y]'[X | y]."""
        first, others = self.groupings[0], self.groupings[1:]
        size = self._offsets[-1]
        B = sparse.csr_array((first.effects, size))
        K = np.zeros((size, size))
        F = np.zeros((size, len(self.kept)))
        for each, offset in zip(others, self._offsets, strict=False):
            B = B + self._block(first, each, 0, offset, (first.effects, size)).tocsr()
            np.add.at(F, self._places(each, offset), self._rows(each)[:, :, list(self.kept)])
            for other, beside in zip(others, self._offsets, strict=False):
                K += self._block(each, other, offset, beside, (size, size)).toarray()
        return sparse.csr_array(B), K, F, self.total[np.ix_(self.kept, self.kept)]

    def _spread(self, blocks: Array) -> sparse.csr_array:
        """Blocks of the first grouping on the diagonal of a sparse matrix."""
        J, rows, columns = blocks.shape
        at = np.arange(J)[:, None, None]
        row = np.broadcast_to(at * rows + np.arange(rows)[None, :, None], blocks.shape)
        column = np.broadcast_to(at * columns + np.arange(columns)[None, None, :], blocks.shape)
        return sparse.csr_array(
            (blocks.ravel(), (row.ravel(), column.ravel())), shape=(J * rows, J * columns)
        )

    def _scale(self, Lambdas: tuple[Array, ...]) -> sparse.csr_array:
        """Lambda_2: every unit's Lambda on the diagonal."""
        parts = [
            sparse.kron(sparse.eye_array(each.n_units), Lambda)
            for each, Lambda in zip(self.groupings[1:], Lambdas[1:], strict=True)
        ]
        return sparse.csr_array(sparse.block_diag(parts))

    def solve(self, Lambdas: tuple[Array, ...], *, reml: bool = True) -> Fit:
        """Criterion, coefficients and sigma^2 at given Lambdas."""
        F, K = self._first
        B, K2, F2, S = self._rest
        L = Lambdas[0]
        C = np.linalg.cholesky(np.eye(len(L)) + L.T @ K @ L)
        half = np.linalg.inv(C) @ L.T
        logdet = 2 * float(np.log(np.diagonal(C, axis1=1, axis2=2)).sum())
        RB = self._spread(half) @ B
        RF = (half @ F).reshape(-1, F.shape[2])
        K2 = K2 - _product(RB, RB)
        F2 = F2 - RB.T @ RF
        scale = self._scale(Lambdas)
        scaled = scale.T @ (scale.T @ K2).T
        C2 = np.linalg.cholesky(np.eye(len(K2)) + scaled)
        logdet += 2 * float(np.log(np.diagonal(C2)).sum())
        R2 = solve_triangular(C2, scale.T @ F2, lower=True)
        T = S - RF.T @ RF - R2.T @ R2
        M_inverse = _inverse(C2)
        P2 = scale @ (scale @ M_inverse).T
        eliminated = (
            Eliminated(F, K, half.transpose(0, 2, 1) @ half),
            Dense(F2, K2, P2, M_inverse),
        )
        return at_the_top(T, self.n, logdet, Lambdas, eliminated, reml)

    def _first_under_full(self, fit: Fit) -> tuple[Array, Array, sparse.csr_array]:
        """H and the first part of Q of the first grouping, and Z_1'V_1^-1 Z_2."""
        one, two = fit.eliminated
        left = np.eye(one.K.shape[1]) - one.K @ one.P
        B = self._spread(left) @ self._rest[0]
        J, q, k = one.F.shape
        H = left @ one.F - (B @ (two.P @ two.F)).reshape(J, q, k)
        return H, left @ one.K, sparse.csr_array(B)

    def _others_under_full(self, fit: Fit) -> list[tuple[Array, Array]]:
        """H and the blocks of Q of every grouping but the first.

        K P = Lambda^-T (I - M^-1) Lambda' spares the product of two large matrices, where no Lambda
        is so small that the difference has no digits.
        """
        two = fit.eliminated[1]
        if not isinstance(two, Dense):
            raise TypeError("the fit is not one of crossed groupings")
        small = [
            np.linalg.svd(np.sqrt(self.typical(place))[:, None] * Lambda, compute_uv=False).min()
            < SMALL
            for place, Lambda in enumerate(fit.Lambdas)
            if place
        ]
        if any(small):
            KP = two.K @ two.P
            H, whole = two.F - KP @ two.F, KP
        else:
            first, *others = fit.Lambdas  # the first may be 0: it is not inverted
            inverses = (first, *(np.asarray(np.linalg.inv(each), np.float64) for each in others))
            back, scale = self._scale(inverses), self._scale(fit.Lambdas)
            H, whole = back.T @ (two.M_inverse @ (scale.T @ two.F)), two.M_inverse
        found = []
        for place, (each, offset) in enumerate(
            zip(self.groupings[1:], self._offsets, strict=False), start=1
        ):
            own = slice(offset, offset + each.effects)
            if any(small):
                rows = whole[own].reshape(each.n_units, each.q, -1)
                columns = two.K[own].reshape(each.n_units, each.q, -1).transpose(0, 2, 1)
                Q = _diagonal_blocks(two.K[own, own], each.q) - rows @ columns
            else:
                less = np.eye(each.q) - _diagonal_blocks(whole[own, own], each.q)
                Q = inverses[place].T @ less @ inverses[place]
            found.append((H[own].reshape(each.n_units, each.q, -1), Q))
        return found

    def derivatives(self, fit: Fit) -> tuple[Array, ...]:
        """W of every grouping, see :func:`brightspots.insight.reml.derivative`."""
        H, Q, B = self._first_under_full(fit)
        q = Q.shape[1]
        P = fit.eliminated[1].P
        less = np.empty((q, q))
        for i in range(q):
            for j in range(q):
                less[i, j] = float(np.vdot(_product(B[i::q], B[j::q]), P))
        found = [derivative_of(H, Q.sum(axis=0) - less, fit)]
        found.extend(derivative_of(H, Q.sum(axis=0), fit) for H, Q in self._others_under_full(fit))
        return tuple(found)

    def effects(self, fit: Fit, place: int) -> Effects:
        """Predicted effects of one grouping."""
        if place == 0:
            H, Q, B = self._first_under_full(fit)
            q, P = Q.shape[1], fit.eliminated[1].P
            less = np.empty_like(Q)
            step = max(1, ROWS_AT_ONCE // q)
            for start in range(0, len(Q), step):
                rows = B[start * q : (start + step) * q]
                spread = (rows @ P).reshape(-1, q, B.shape[1])
                filled = rows.toarray().reshape(-1, q, B.shape[1])
                less[start : start + step] = spread @ filled.transpose(0, 2, 1)
            return effects_of(H, Q - less, fit, 0)
        H, Q = self._others_under_full(fit)[place - 1]
        return effects_of(H, Q, fit, place)


def _inverse(C: Array) -> Array:
    """Inverse of C C' from its Cholesky factor."""
    lower, info = lapack.dpotri(C, lower=1)
    if info:
        raise np.linalg.LinAlgError("no inverse")
    whole: Array = np.tril(lower) + np.tril(lower, -1).T
    return whole


def _product(one: sparse.csr_array, other: sparse.csr_array) -> Array:
    """one'other; sparse algebra pays where a tenth of the entries or less are there."""
    rows, columns = one.shape
    size = rows * columns
    if size <= LARGEST_FILLED and max(one.nnz, other.nnz) > size / 10:
        left = one.toarray()
        filled: Array = left.T @ (left if other is one else other.toarray())
        return filled
    found: Array = (one.T @ other).toarray()
    return found


def _diagonal_blocks(Q: Array, q: int) -> Array:
    """Blocks of q by q on the diagonal, shape (J, q, q)."""
    J = len(Q) // q
    blocks: Array = Q.reshape(J, q, J, q)[np.arange(J), :, np.arange(J), :]
    return blocks
