"""Sums of products by cell, compiled: what :mod:`scan` does with a stream of rows.

Rows come in batches as columns of doubles. Neighbouring rows of one cell form a run; a run's
products are summed while its columns are in the processor's cache, and only then added to the
cell. Every sum is taken in an order that the rows alone decide (four interleaved sums within a
run), so that the same rows give the same bytes on any machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brightspots.core.compiled import compiled, compiled_helper

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCK = 256
"""Rows whose products are taken at a time; they stay in the processor's nearest cache."""


def _load(values: Array, shift: float, factor: float, out: Array) -> None:
    """Write (values - shift) * factor."""
    for row in range(len(values)):
        out[row] = (values[row] - shift) * factor


def _turn(columns: Array, weights: Array, start: int, stop: int, left: Array, right: Array) -> None:
    """Write columns as rows, which products want; `left` with the weights, where there are any."""
    for row in range(start, stop):
        for i in range(columns.shape[0]):
            right[row - start, i] = columns[i, row]
    if len(weights):
        for row in range(start, stop):
            for i in range(columns.shape[0]):
                left[row - start, i] = weights[row] * columns[i, row]


def _hashed(keys: Integers, column: int, mask: np.uint64) -> np.uint64:
    """Place of a key in the table; the mixing is splitmix64's (Steele, Lea and Flood 2014)."""
    mixed = np.uint64(0)
    for part in range(keys.shape[0]):
        mixed += np.uint64(keys[part, column]) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed & mask


def _find(keys: Integers, row: int, table: Integers, cells: Integers, n_cells: int) -> int:
    """Return the cell of a row's key, or `n_cells` when the key is new."""
    mask = np.uint64(len(table) - 1)
    slot = hashed(keys, row, mask)
    while table[slot] >= 0:
        cell = int(table[slot])
        same = True
        for part in range(keys.shape[0]):
            same &= cells[part, cell] == keys[part, row]
        if same:
            return cell
        slot = (slot + np.uint64(1)) & mask
    return n_cells


def _enter(keys: Integers, row: int, table: Integers, cells: Integers, cell: int) -> None:
    """Give a new cell its key and its place in the table."""
    mask = np.uint64(len(table) - 1)
    slot = hashed(keys, row, mask)
    while table[slot] >= 0:
        slot = (slot + np.uint64(1)) & mask
    table[slot] = cell
    for part in range(keys.shape[0]):
        cells[part, cell] = keys[part, row]


def _enter_all(table: Integers, cells: Integers, n_cells: int) -> None:
    """Enter the known cells into an empty, larger table."""
    for cell in range(n_cells):
        enter(cells, cell, table, cells, cell)


def _add_run(
    left: Array, right: Array, start: int, stop: int, square: Array, packed: Array
) -> None:
    """Add the products of a run's rows to a cell's packed upper triangle."""
    k = left.shape[1]
    halves = k < 9  # with more columns whole rows of the square are quicker than halves
    square[:, :] = 0.0
    whole = start + (stop - start) // 4 * 4
    for row in range(start, whole, 4):
        for i in range(k):
            a, b, c, d = left[row, i], left[row + 1, i], left[row + 2, i], left[row + 3, i]
            for j in range(i if halves else 0, k):
                square[i, j] += (a * right[row, j] + b * right[row + 1, j]) + (
                    c * right[row + 2, j] + d * right[row + 3, j]
                )
    for row in range(whole, stop):
        for i in range(k):
            x = left[row, i]
            for j in range(k):
                square[i, j] += x * right[row, j]
    place = 0
    for i in range(k):
        for j in range(i, k):
            packed[place] += square[i, j]
            place += 1


def _add_rows(
    keys: Integers,
    columns: Array,
    weights: Array,
    start: int,
    n: int,
    table: Integers,
    cells: Integers,
    n_cells: int,
    counts: Integers,
    sums: Array,
) -> tuple[int, int]:
    """Add rows `start` to `n` of a batch to their cells.

    Parameters
    ----------
    keys : shape (groups, at least n)
    columns : shape (k, at least n)
        Columns of A.
    weights : shape (at least n,) or (0,)
    table, cells, n_cells
        Hash table from key to cell, keys of the cells, and how many are known.
    counts : shape (room for cells,)
    sums : shape (room for cells, k(k+1)/2)

    Returns
    -------
    row, n_cells
        The first row not added, because a new cell found no room; or n.
    """
    k = columns.shape[0]
    right = np.empty((BLOCK, k))
    left = np.empty((BLOCK, k)) if len(weights) else right
    square = np.empty((k, k))
    for block in range(start, n, BLOCK):
        stop = min(block + BLOCK, n)
        turn(columns, weights, block, stop, left, right)
        row = block
        while row < stop:
            end = row + 1
            while end < stop and keys[0, end] == keys[0, row]:
                going = True
                for part in range(1, keys.shape[0]):
                    going &= keys[part, end] == keys[part, row]
                if not going:
                    break
                end += 1
            cell = find(keys, row, table, cells, n_cells)
            if cell == n_cells:
                if n_cells == len(counts):
                    return row, n_cells
                enter(keys, row, table, cells, n_cells)
                n_cells += 1
            counts[cell] += end - row
            add_run(left, right, row - block, end - block, square, sums[cell])
            row = end
    return n, n_cells


hashed = compiled_helper(_hashed)
find = compiled_helper(_find)
enter = compiled_helper(_enter)
turn = compiled_helper(_turn)
add_run = compiled_helper(_add_run)
load = compiled(_load, nogil=True)
enter_all = compiled(_enter_all, nogil=True)
add_rows = compiled(_add_rows, nogil=True)
