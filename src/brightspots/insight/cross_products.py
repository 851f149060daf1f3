"""One pass over the pupils: cross products per cell, which is a school as a rule.

A linear mixed model for pupils in groups depends on the pupils' rows only through
``S_j = A_j' W A_j`` with ``A = [1 | X | E | y]``, one for each combination of groups that occurs
(statistics known since Henderson; for one pass see Bates on lme4 issue 387). ``S_j`` add up, so
districts can be scanned apart and merged.

The cross products of a small school disclose its pupils: treat them as pupils' data.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.engine import Source, Table, combined_hash, open_table
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.column_kinds import check_columns
from brightspots.insight.design import (
    INTERCEPT,
    RandomColumns,
    build_design,
    near_means,
)
from brightspots.insight.formula import Formula, parse_formula
from brightspots.insight.scan import ONE_THREAD_ROWS, places, scan

__all__ = ["ONE_THREAD_ROWS", "CrossProducts", "cross_products", "cross_products_of", "unpack"]

METHOD = "cross products per school"
METHOD_VERSION = "1"
FILE_FORMAT = 1
_CELLS, _ABOUT = "cells.parquet", "about.json"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RandomEffects:
    """The effects that vary between the groups of one random term, as columns of A.

    Parameters
    ----------
    group : tuple of str
        Grouping columns, the inner one first; their combinations are the groups.
    columns : tuple of int
        Places in A; 0 is the intercept.
    terms : tuple of str
        Names of the effects, ``(Intercept)`` for the intercept.
    correlated : bool
    """

    group: tuple[str, ...]
    columns: tuple[int, ...]
    terms: tuple[str, ...]
    correlated: bool

    @property
    def name(self) -> str:
        """As lme4 names it: ``school``, ``school:district``."""
        return ":".join(self.group)


@dataclass(frozen=True)
class CrossProducts:
    """Cross products of ``A = [1 | X | E | y]`` per cell, in shifted and scaled units.

    A cell is a combination of the grouping columns that occurs: a school where schools are the only
    grouping, a school and year where pupils are grouped by both.

    Parameters
    ----------
    formula : str
    terms : tuple of str
        Names of the columns of X, the intercept first; p of them.
    extra : tuple of str
        Names of the columns of E: with a random effect, and not in X.
    random : tuple of RandomEffects
    outcome : str
    groups : tuple of str
        Grouping columns, those of the formula first.
    cells : polars.DataFrame
        One row a cell: the grouping columns as text, sorted.
    counts : ndarray, shape (J,)
        Pupils a cell.
    packed : ndarray, shape (J, k(k+1)/2), k = p + number of extra columns + 1
        Upper triangles of S_j by rows. ``packed[:, 0]`` is the sum of weights: the pupils where
        there are none.
    shift, scale : ndarray, shape (k,)
        A column of A is (raw - shift) / scale; 0 and 1 for the intercept.
    levels : mapping
        Factor -> its levels; the first is the reference.
    n_rows, n_dropped : int
        Rows read, and rows left out for a missing value.
    sum_log_w : float
        Sum of the logarithms of the weights.
    weights : str or None
        Column of precision weights.
    provenance : Provenance
    seconds : mapping
        Stage -> seconds taken.
    """

    formula: str
    terms: tuple[str, ...]
    extra: tuple[str, ...]
    random: tuple[RandomEffects, ...]
    outcome: str
    groups: tuple[str, ...]
    cells: pl.DataFrame
    counts: Array
    packed: Array
    shift: Array
    scale: Array
    levels: Mapping[str, tuple[str, ...]]
    n_rows: int
    n_dropped: int
    provenance: Provenance
    sum_log_w: float = 0.0
    weights: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def width(self) -> int:
        """Columns of A."""
        return len(self.terms) + len(self.extra) + 1

    @property
    def kept(self) -> tuple[int, ...]:
        """Places of X and y in A."""
        return (*range(len(self.terms)), self.width - 1)

    @property
    def group(self) -> str:
        """The first grouping column, the school as a rule."""
        return self.groups[0]

    @property
    def schools(self) -> tuple[str, ...]:
        """Names of the cells where there is one grouping column, sorted."""
        if len(self.groups) != 1:
            raise ValueError("there are several grouping columns; take .cells")
        return tuple(self.cells[self.group].to_list())

    @property
    def n(self) -> Array:
        """Pupils a cell, shape (J,)."""
        return self.counts

    @property
    def n_pupils(self) -> int:
        """Pupils in the model."""
        return round(float(self.counts.sum()))

    def total(self) -> Array:
        """Sum of S_j over cells, shape (k, k)."""
        whole: Array = unpack(self.packed.sum(axis=0)[None, :], self.width)[0]
        return whole

    def rows(self, columns: tuple[int, ...]) -> Array:
        """Rows `columns` of every S_j, that is Z'A for Z made of these columns; (J, q, k)."""
        return self.packed[:, places(self.width)[list(columns), :]]

    def matrices(self) -> Array:
        """Every S_j in full, shape (J, k, k)."""
        return unpack(self.packed, self.width)

    def save(self, folder: str | Path) -> None:
        """Write ``cells.parquet`` and ``about.json`` into a folder, which is made if needed.

        The files hold what :meth:`load` needs to give the same numbers to the last bit, and no row
        of a pupil. Sums over small cells disclose pupils all the same: keep and send them as
        pupils' data.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        sums = {f"s{place}": self.packed[:, place] for place in range(self.packed.shape[1])}
        groups = {f"g{place}": self.cells[name] for place, name in enumerate(self.groups)}
        pl.DataFrame({**groups, "n": self.counts, **sums}).write_parquet(folder / _CELLS)
        about = {"format": FILE_FORMAT} | {
            name: getattr(self, name) for name in ("formula", "terms", "extra", "outcome", "groups",
                                                   "levels", "n_rows", "n_dropped", "sum_log_w",
                                                   "weights")
        }  # fmt: skip
        about |= {"random": [asdict(each) for each in self.random]}
        about |= {"shift": self.shift.tolist(), "scale": self.scale.tolist()}
        about |= {"provenance": self.provenance.as_dict()}
        text = json.dumps(about, indent=2, ensure_ascii=False, sort_keys=True)
        (folder / _ABOUT).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> CrossProducts:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            The folder holds no cross products, or damaged ones, or those of another version.
        """
        folder = Path(folder)
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            if about.pop("format") != FILE_FORMAT:
                raise InputError(
                    "These cross products were written by another version.",
                    file=str(folder),
                    mend="Scan the pupils again.",
                )
            table = pl.read_parquet(folder / _CELLS)
            k = len(about["terms"]) + len(about["extra"]) + 1
            sums = table.select(f"s{place}" for place in range(k * (k + 1) // 2))
            groups = tuple(about.pop("groups"))
            provenance = about.pop("provenance")
            return cls(
                cells=pl.DataFrame(
                    {name: table[f"g{place}"] for place, name in enumerate(groups)}
                ),
                groups=groups,
                counts=table["n"].to_numpy(),
                packed=np.ascontiguousarray(sums.to_numpy()),
                levels={name: tuple(each) for name, each in about.pop("levels").items()},
                random=tuple(
                    RandomEffects(
                        tuple(each["group"]), tuple(each["columns"]), tuple(each["terms"]),
                        each["correlated"],
                    )
                    for each in about.pop("random")
                ),
                terms=tuple(about.pop("terms")),
                extra=tuple(about.pop("extra")),
                provenance=Provenance(**provenance),
                shift=np.array(about.pop("shift")),
                scale=np.array(about.pop("scale")),
                **about,
            )  # fmt: skip
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            pl.exceptions.PolarsError,
        ) as error:
            raise InputError(
                f"These are not the cross products of a scan ({type(error).__name__}).",
                file=str(folder),
                mend="Give the folder that was saved, with its two files.",
            ) from error

    def merge(self, other: CrossProducts) -> CrossProducts:
        """Join two parts of a system, scanned apart; a cell in both gets its pupils together.

        Raises
        ------
        InputError
            The parts have another formula, other groups, or other levels of a factor.
        """
        mine = (self.formula, self.terms, self.groups, self.weights, dict(self.levels))
        if mine != (other.formula, other.terms, other.groups, other.weights, dict(other.levels)):
            raise InputError(
                "These parts cannot be merged: their formula or the levels of a factor differ.",
                mend="Scan both with the same formula and the same levels=.",
            )
        moved = _rebase(other, self.shift, self.scale)
        both = pl.concat([self.cells, other.cells])
        cells = both.unique().sort(list(self.groups))
        place = both.join(
            cells.with_row_index("place"), on=list(self.groups), how="left", maintain_order="left"
        )["place"].to_numpy()
        here, there = place[: self.cells.height], place[self.cells.height :]
        packed = np.zeros((cells.height, self.packed.shape[1]))
        counts = np.zeros(cells.height)
        packed[here] += self.packed
        packed[there] += moved
        counts[here] += self.counts
        counts[there] += other.counts
        hashes = [self.provenance.input_hash, other.provenance.input_hash]
        return replace(
            self,
            cells=cells,
            counts=counts,
            packed=packed,
            n_rows=self.n_rows + other.n_rows,
            n_dropped=self.n_dropped + other.n_dropped,
            sum_log_w=self.sum_log_w + other.sum_log_w,
            provenance=replace(self.provenance, input_hash=combined_hash(hashes)),
            seconds={
                stage: self.seconds.get(stage, 0.0) + other.seconds.get(stage, 0.0)
                for stage in {**self.seconds, **other.seconds}
            },
        )


def unpack(packed: Array, k: int) -> Array:
    """Full symmetric matrices (J, k, k) from packed upper triangles (J, k(k+1)/2)."""
    return packed[:, places(k)]


def _rebase(part: CrossProducts, shift: Array, scale: Array) -> Array:
    """Packed cross products of a part in other units: A' = A B, S' = B'SB."""
    k = part.width
    B = np.diag(part.scale / scale)
    B[0, 1:] = ((part.shift - shift) / scale)[1:]
    S = np.einsum("ai,jab,bl->jil", B, part.matrices(), B, optimize=True)
    upper = np.triu_indices(k)
    moved: Array = S[:, upper[0], upper[1]]
    return moved


def cross_products(
    source: Source,
    formula: str,
    *,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    input_hash: str | None = None,
    threads: int | None = None,
    weights: str | None = None,
    by: Sequence[str] = (),
) -> CrossProducts:
    """Scan pupils once and return the cross products per cell.

    Parameters
    ----------
    source : path, glob, list of Parquet paths, or polars frame
    formula : str
        lme4's notation; see :func:`brightspots.insight.formula.parse_formula`.
    levels : mapping, optional
        Levels of factors, reference first, for parts that will be merged.
    input_hash : str, optional
        SHA-256 of the source, where the caller knows it already.
    threads : int, optional
        Threads of the scan; None takes what is best. The same input gives the same bytes, except
        that with several threads the sums of a CSV, or of more than 60 columns, differ from run to
        run in about the 14th digit. None takes one thread below ``ONE_THREAD_ROWS`` rows.
    weights : str, optional
        Column of precision weights: a row's residual variance is sigma^2 / weight, as in lme4.
    by : sequence of str
        Columns that cells are told apart by besides the formula's own groups, e.g. ``("year",)``.

    Returns
    -------
    CrossProducts

    Raises
    ------
    InputError
        Whatever keeps the model from being fitted, with its place.
    """
    parsed = parse_formula(formula)
    with open_table(source) as table:
        return cross_products_of(
            table, parsed, levels, input_hash=input_hash, threads=threads, weights=weights, by=by
        )


def cross_products_of(
    table: Table,
    parsed: Formula,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    *,
    input_hash: str | None = None,
    threads: int | None = None,
    weights: str | None = None,
    by: Sequence[str] = (),
) -> CrossProducts:
    """Scan a table that is open already; see :func:`cross_products`."""
    clock = _Clock({})
    used = tuple(dict.fromkeys([*parsed.columns, *by, *([weights] if weights else [])]))
    check_columns(table, used)
    digest = input_hash or table.input_hash(used)
    clock.stop("hash")
    n_rows = int(table.ask(table.rows.aggregate(n=table.rows.count()))["n"][0])
    if n_rows == 0:
        raise InputError("There are no rows under the header.", file=table.name)
    design = build_design(table, parsed, levels, by=by, weights=weights)
    shift, scale = near_means(table, design)
    clock.stop("look")
    scanned = scan(table, design, shift, scale, n_rows, threads)
    clock.stop("scan")
    settings: dict[str, Any] = {
        "formula": parsed.text,
        "levels": {k: list(v) for k, v in design.levels.items()},
    }
    settings |= {"weights": weights} if weights else {}
    settings |= {"by": list(by)} if by else {}
    terms = (INTERCEPT, *(column.name for column in design.columns))
    extra = tuple(column.name for column in design.extra)
    return CrossProducts(
        formula=parsed.text,
        terms=terms,
        extra=extra,
        random=tuple(_random_effects(each, (*terms, *extra)) for each in design.random),
        outcome=parsed.outcome.name,
        groups=tuple(design.groups),
        cells=scanned.cells,
        counts=scanned.counts,
        packed=scanned.packed,
        shift=np.array([0.0, *shift]),
        scale=np.array([1.0, *scale]),
        levels=design.levels,
        n_rows=n_rows,
        n_dropped=n_rows - round(float(scanned.counts.sum())),
        provenance=Provenance(METHOD, METHOD_VERSION, digest, settings=settings),
        sum_log_w=scanned.sum_log_w,
        weights=weights,
        seconds=clock.seconds,
    )


def _random_effects(given: RandomColumns, names: tuple[str, ...]) -> RandomEffects:
    effects = tuple(effect.name for effect in given.effects)
    return RandomEffects(
        given.group, tuple(names.index(each) for each in effects), effects, given.correlated
    )


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self.started = time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self.started
        self.started = now
