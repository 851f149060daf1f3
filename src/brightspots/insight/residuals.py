"""What a fitted model leaves of each pupil's result, as rows of the engine.

Second moments do not hold single pupils, so whatever looks at these again needs a second scan. The
rows stay in the engine; only aggregates of them come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import ibis
import ibis.expr.types as ir
import numpy as np
import polars as pl

from brightspots.core.engine import MISSING_WORDS, Source, Table, open_table
from brightspots.core.errors import InputError
from brightspots.insight.column_kinds import check_columns
from brightspots.insight.cross_products import ONE_THREAD_ROWS, CrossProducts
from brightspots.insight.design import build_design
from brightspots.insight.formula import parse_formula


def school_column(cp: CrossProducts, school: str | None = None) -> str:
    """Which grouping column holds the schools: the one asked for, one so named, or the first.

    Raises
    ------
    InputError
        Pupils were not scanned by the column that was asked for.
    """
    if school is None:
        named = [name for name in cp.groups if name.lower() == "school"]
        return named[0] if named else cp.group
    return _grouping(cp, school)


def _grouping(cp: CrossProducts, name: str) -> str:
    if name not in cp.groups:
        raise InputError(
            f'The pupils were not scanned by "{name}".',
            column=name,
            mend=f'Scan them with cross_products(..., by=("{name}",)).',
        )
    return name


def check_belongs(cp: CrossProducts, fixed_effects: pl.DataFrame) -> None:
    """Refuse coefficients of another model."""
    if fixed_effects["term"].to_list() != list(cp.terms):
        raise InputError("This fit was not made from these cross products: its terms are others.")


@contextmanager
def residual_rows(
    source: Source,
    cp: CrossProducts,
    fixed_effects: pl.DataFrame,
    *,
    groups: Sequence[str],
    keep: Sequence[str] = (),
) -> Iterator[tuple[Table, ir.Table]]:
    """Open the pupils of a fit with ``residual = outcome - x'beta``.

    Parameters
    ----------
    source : path, glob, list of Parquet paths, or polars frame
        The pupils the cross products were made from.
    cp : CrossProducts
    fixed_effects : polars.DataFrame
        term, estimate; of a model with the terms of `cp`.
    groups : sequence of str
        Grouping columns of `cp` to have in the rows.
    keep : sequence of str
        Further columns, as they stand in the source.

    Yields
    ------
    table : Table
        To ask with.
    rows : ibis.Table
        ``g0``, ``g1``, ... (the groups), ``k0``, ``k1``, ... (the columns kept), ``outcome``,
        ``residual``, ``weight`` (1 where there are no weights); complete rows only.
    """
    check_belongs(cp, fixed_effects)
    groups = [_grouping(cp, name) for name in groups]
    with open_table(source) as table:
        check_columns(table, keep)
        further = [name for name in cp.groups if name not in parse_formula(cp.formula).groups]
        design = build_design(
            table, parse_formula(cp.formula), cp.levels, by=further, weights=cp.weights
        )
        beta = fixed_effects["estimate"].to_numpy()
        p = len(cp.terms)
        # Near means are taken off first: a score near 1e5 must not cost the residual its digits.
        shift = cp.shift[[*range(p), cp.width - 1]]
        constant = float(beta[0] - shift[-1] + np.dot(beta[1:], shift[1:p]))
        residual: ir.NumericValue = (design.values[-1] - float(shift[-1])) - constant
        for value, coefficient, near in zip(design.values, beta[1:], shift[1:], strict=False):
            residual = residual - float(coefficient) * (value - float(near))
        # DuckDB takes 1.0 for a decimal, whose sums are no floats.
        one: ir.NumericValue = (residual * 0.0) + 1.0
        weight = one if design.weight is None else design.weight
        rows = design.rows.select(
            **{f"g{i}": design.groups[name] for i, name in enumerate(groups)},
            **{f"k{i}": design.rows[name] for i, name in enumerate(keep)},
            outcome=design.values[-1],
            residual=residual,
            weight=weight,
        )
        yield table, rows


def threads_for(cp: CrossProducts, threads: int | None) -> int | None:
    """One thread, whose order of sums is fixed, where that takes well under a second."""
    return 1 if threads is None and cp.n_rows <= ONE_THREAD_ROWS else threads


def check_same_pupils(cp: CrossProducts, found: int) -> None:
    """Refuse pupils other than those of the fit."""
    if found != cp.n_pupils:
        raise InputError(
            f"These are not the pupils of the fit: {found:,} complete rows against"
            f" {cp.n_pupils:,}.",
            mend="Give the file the model was fitted on.",
        )


def as_number(column: ir.Value) -> ir.NumericValue:
    """Numbers of a column of numbers or of text; what is none is missing."""
    cast = column.try_cast if column.type().is_string() else column.cast
    number: ir.NumericValue = cast("float64")
    return number


def as_words(column: ir.Value) -> ir.StringValue:
    """Write labels as text; empty cells and NA are missing, whole numbers have no point."""
    kind = column.type()
    if kind.is_boolean():
        return ibis.ifelse(column, "TRUE", "FALSE")
    if kind.is_floating():
        number = ibis.ifelse(column.isnan(), ibis.null("float64"), column)
        whole = number.cast("int64")
        return ibis.ifelse(number == whole, whole.cast("string"), number.cast("string"))
    text = column.cast("string")
    return ibis.ifelse(text.strip().isin(MISSING_WORDS), ibis.null("string"), text)
