"""From a formula and a table to the columns of the design, each an expression of the engine.

Which column is a number and which a factor is decided in :mod:`column_kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import ibis
import ibis.expr.types as ir
import polars as pl

from brightspots.core.engine import Table
from brightspots.core.errors import InputError
from brightspots.insight.arithmetic import evaluate_arithmetic
from brightspots.insight.column_kinds import (
    check_columns,
    check_weights,
    column_kinds,
    complete,
)
from brightspots.insight.formula import (
    Formula,
    RandomTerm,
    Term,
    Variable,
)

INTERCEPT = "(Intercept)"
MAX_LEVELS = 100
MAX_COLUMNS = 300
SAMPLE_ROWS = 20_000


@dataclass(frozen=True)
class Factor:
    """One factor of a design column: a number (`level` None) or the indicator of a level."""

    variable: Variable
    level: str | None = None

    @property
    def name(self) -> str:
        """As in R: ``prior``, ``sexM``, ``I(prior**2)``."""
        return self.variable.name + (self.level or "")


@dataclass(frozen=True)
class DesignColumn:
    """A product of factors, for example ``cses:sxMale``."""

    factors: tuple[Factor, ...]

    @property
    def name(self) -> str:
        """The name of the term in results."""
        return ":".join(factor.name for factor in self.factors) or INTERCEPT

    @property
    def is_indicator(self) -> bool:
        """True where the column holds 0 and 1 only: its square is itself, and sums are exact."""
        return all(factor.level is not None for factor in self.factors)

    @property
    def by_level(self) -> bool:
        """True where the column is 0 outside one level of a factor."""
        return any(factor.level is not None for factor in self.factors)


@dataclass(frozen=True)
class RandomColumns:
    """One random term: effects as design columns, groups, and whether effects may correlate."""

    effects: tuple[DesignColumn, ...]
    group: tuple[str, ...]
    correlated: bool


@dataclass(frozen=True)
class Design:
    """Columns of ``A = [1 | X | E | y]`` over the complete rows of a table.

    Parameters
    ----------
    rows : ibis.Table
        The rows without a missing value in a used column.
    columns : tuple of DesignColumn
        X without the intercept.
    extra : tuple of DesignColumn
        E: columns with a random effect that are not in X.
    random : tuple of RandomColumns
    values : tuple of ibis expressions
        Of X, E and, last, of the outcome; over `rows`.
    groups : mapping
        Grouping column -> what rows are grouped by.
    weight : ibis expression or None
    levels : mapping
        Factor name -> its levels in sorted order; the first is the reference.
    """

    rows: ir.Table
    columns: tuple[DesignColumn, ...]
    extra: tuple[DesignColumn, ...]
    random: tuple[RandomColumns, ...]
    values: tuple[ir.NumericValue, ...]
    groups: Mapping[str, ir.Value]
    weight: ir.NumericValue | None
    levels: Mapping[str, tuple[str, ...]]


def build_design(
    table: Table,
    formula: Formula,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    *,
    by: Sequence[str] = (),
    weights: str | None = None,
) -> Design:
    """Decide what each column is, find the levels of the factors, and write down the columns.

    Parameters
    ----------
    table : Table
    formula : Formula
    levels : mapping, optional
        Levels of factors fixed beforehand, for parts that will be merged.
    by : sequence of str
        Columns to group by besides those of the formula.
    weights : str, optional
        Column of precision weights, above 0.

    Raises
    ------
    InputError
        A column is missing, holds what cannot be used, or a factor has too few or too many levels.
    """
    groups = tuple(dict.fromkeys([*formula.groups, *by]))
    used = tuple(dict.fromkeys([*formula.columns, *by, *([weights] if weights else [])]))
    check_columns(table, used)
    kinds = column_kinds(table, formula, weights)
    rows = table.rows.filter(complete(table.rows, used, kinds))
    found = _levels(table, rows, formula, kinds, levels or {})
    columns = _expand(formula.terms, kinds, found)
    random = tuple(
        RandomColumns(_effects(term, kinds, found), term.group, term.correlated)
        for term in formula.random
    )
    there = {column.name for column in columns} | {INTERCEPT}
    wanted = {effect.name: effect for term in random for effect in term.effects}
    extra = [effect for name, effect in wanted.items() if name not in there]
    if len(columns) + len(extra) > MAX_COLUMNS:
        raise InputError(
            f"The model has {len(columns) + len(extra)} columns; {MAX_COLUMNS} is the limit."
        )
    values = [_value(rows, column, table.is_text) for column in [*columns, *extra]]
    outcome = _number(rows, formula.outcome)
    weight = _number(rows, Variable(weights, (weights,))) if weights else None
    if weight is not None and weights is not None:
        check_weights(table, rows, weight, weights)
    return Design(
        rows,
        tuple(columns),
        tuple(extra),
        random,
        (*values, outcome),
        {name: _group(rows[name]) for name in groups},
        weight,
        found,
    )


def _effects(
    term: RandomTerm, kinds: Mapping[str, str], levels: Mapping[str, tuple[str, ...]]
) -> tuple[DesignColumn, ...]:
    """Columns of a random term, the intercept first where it is there."""
    factors = [v.name for effect in term.effects for v in effect if _is_factor(v, kinds)]
    if factors and not term.correlated:
        raise InputError(
            f'The levels of "{factors[0]}" cannot be uncorrelated effects (||).',
            column=factors[0],
            mend="Write | instead, or add a column of 0 and 1 to the file.",
        )
    columns = tuple(_expand(term.effects, kinds, levels))
    return (DesignColumn(()), *columns) if () in term.effects else columns


def _levels(
    table: Table,
    rows: ir.Table,
    formula: Formula,
    kinds: Mapping[str, str],
    given: Mapping[str, tuple[str, ...]],
) -> dict[str, tuple[str, ...]]:
    """Levels of every factor among the complete rows; all of them are looked for in one scan."""
    factors = _factor_variables(formula, kinds)
    ask = {name: variable for name, variable in factors.items() if name not in given}
    found = {name: tuple(given[name]) for name in factors if name in given}
    if ask:
        few = table.ask(
            rows.aggregate(
                **{
                    f"n_{i}": _label(rows[variable.columns[0]]).nunique()
                    for i, variable in enumerate(ask.values())
                }
            )
        ).row(0)
        for (name, variable), count in zip(ask.items(), few, strict=True):
            if count > MAX_LEVELS:
                raise InputError(
                    f"The factor has {count:,} levels; {MAX_LEVELS} is the limit.",
                    file=table.name,
                    column=variable.columns[0],
                    mend="Is it a name or a code? Group it first, or leave it out.",
                )
            labels = table.ask(rows.select(label=_label(rows[variable.columns[0]])).distinct())[
                "label"
            ].to_list()
            found[name] = _in_order(labels)
    _check_given(table, rows, {name: factors[name] for name in factors if name in given}, found)
    for name, variable in factors.items():
        if rows is not None and len(found[name]) == 1:
            raise InputError(
                f'The factor has one level, "{found[name][0]}", among the rows that are complete.',
                file=table.name,
                column=variable.columns[0],
                mend="Leave it out of the formula.",
            )
    return found


def _check_given(
    table: Table,
    rows: ir.Table,
    fixed: Mapping[str, Variable],
    levels: Mapping[str, tuple[str, ...]],
) -> None:
    """Refuse a level that is not among those given: it would pass for the reference."""
    if not fixed:
        return
    others = {}
    for place, (name, variable) in enumerate(fixed.items()):
        label = _label(rows[variable.columns[0]])
        others[f"other_{place}"] = label.isin(levels[name]).ifelse(ibis.null("string"), label).min()
    wrong = table.ask(rows.aggregate(**others)).row(0)
    for (name, variable), level in zip(fixed.items(), wrong, strict=True):
        if level is not None:
            raise InputError(
                f'The level "{level}" is not among those given for the factor.',
                file=table.name,
                column=variable.columns[0],
                mend=f"Give all levels of {name} to every part.",
            )


def _factor_variables(formula: Formula, kinds: Mapping[str, str]) -> dict[str, Variable]:
    return {v.name: v for v in formula.variables[1:] if _is_factor(v, kinds)}


def _is_factor(variable: Variable, kinds: Mapping[str, str]) -> bool:
    column = variable.column
    return variable.categorical or (column is not None and kinds[column] in ("factor", "truth"))


def _in_order(labels: list[str]) -> tuple[str, ...]:
    """Numbers by size, anything else by code point."""
    try:
        return tuple(sorted(labels, key=lambda label: (float(label), label)))
    except ValueError:
        return tuple(sorted(labels))


def _label(column: ir.Value) -> ir.StringValue:
    """Write a level as text: whole numbers without a point, truth as R writes it."""
    kind = column.type()
    if kind.is_boolean():
        return ibis.ifelse(column, "TRUE", "FALSE")
    if kind.is_floating():
        whole = column.cast("int64")
        return ibis.ifelse(column == whole, whole.cast("string"), column.cast("string"))
    return column.cast("string")


def _group(column: ir.Value) -> ir.Value:
    """Say what rows are grouped by. Whole numbers stay numbers in the engine, which is quicker."""
    kind = column.type()
    return column if kind.is_string() or kind.is_integer() else _label(column)


def _expand(
    terms: Sequence[Term], kinds: Mapping[str, str], levels: Mapping[str, tuple[str, ...]]
) -> list[DesignColumn]:
    """Treatment coding as in R.

    A factor of a term leaves out its reference level where the term without that factor is in the
    model too; otherwise it keeps all of its levels (Chambers and Hastie 1992, 2.4.1).
    """
    present = {frozenset(variable.name for variable in term) for term in terms}
    columns: list[DesignColumn] = []
    for term in terms:
        products: list[tuple[Factor, ...]] = [()]
        for variable in term:
            choices = [Factor(variable)]
            if _is_factor(variable, kinds):
                margin = frozenset(_names(term)) - {variable.name}
                kept = levels[variable.name][1 if margin in present else 0 :]
                choices = [Factor(variable, level) for level in kept]
            # As in R, the levels of the first factor of a product vary fastest.
            products = [(*product, choice) for choice in choices for product in products]
        columns.extend(DesignColumn(product) for product in products if product)
    return columns


def _names(term: Term) -> list[str]:
    return [variable.name for variable in term]


def _value(rows: ir.Table, column: DesignColumn, is_text: bool) -> ir.NumericValue:
    """Write a design column as an expression; products of indicators become one test."""
    indicator: ir.BooleanValue | None = None
    number: ir.NumericValue | None = None
    for factor in column.factors:
        if factor.level is not None:
            held = _label(rows[factor.variable.columns[0]]) == factor.level
            indicator = held if indicator is None else indicator & held
        else:
            value = _number(rows, factor.variable)
            number = value if number is None else number * value
    if indicator is None:
        return ibis.literal(1.0) if number is None else number
    if number is None:  # a literal 1.0 would be a decimal in the engine, which sums more slowly
        return indicator.cast("int8").cast("float64")
    return ibis.ifelse(indicator, number, 0.0)


def _number(rows: ir.Table, variable: Variable) -> ir.NumericValue:
    def lookup(name: str) -> ir.NumericValue:
        column = rows[name]
        cast = column.try_cast if column.type().is_string() else column.cast
        number: ir.NumericValue = cast("float64")
        return number

    if variable.arithmetic is None:
        return lookup(variable.columns[0])
    value: ir.NumericValue = evaluate_arithmetic(variable.arithmetic, lookup)
    # What arithmetic cannot give (a division by zero) must not pass for a missing value.
    return ibis.coalesce(value, ibis.literal(float("inf")))


def near_means(table: Table, design: Design) -> tuple[list[float], list[float]]:
    """Find a shift and a scale near each column's mean and spread, from the table's first rows.

    They only have to be near: the exact answer does not depend on them, its rounding does. An
    indicator keeps 0 and 1, so that its sums stay whole numbers; a number times an indicator is
    not shifted either, so that columns of two levels of one factor have the product 0.

    Returns
    -------
    shift, scale : list of float
        One a column, the outcome last; scale is never 0.
    """
    sample = design.rows.select(**{f"v{i}": value for i, value in enumerate(design.values)}).limit(
        SAMPLE_ROWS
    )
    aggregates = {}
    for i in range(len(design.values)):
        aggregates[f"m{i}"] = sample[f"v{i}"].mean()
        aggregates[f"s{i}"] = sample[f"v{i}"].std(how="pop")
    try:
        found = table.ask(sample.aggregate(**aggregates), threads=1).row(0, named=True)
    except InputError:
        # The spread of an infinite value is an error in the engine; the exact scan names its place.
        found = {}
    shift, scale = [], []
    columns = [*design.columns, *design.extra]
    for i, is_indicator in enumerate([*(column.is_indicator for column in columns), False]):
        mean: Any = found.get(f"m{i}")
        spread: Any = found.get(f"s{i}")
        usable = not is_indicator and mean is not None and spread is not None
        if not (usable and isfinite(mean) and isfinite(spread)):
            mean, spread = 0.0, 1.0
        by_level = i < len(columns) and columns[i].by_level
        shift.append(0.0 if by_level else float(mean))
        scale.append(float(spread) if spread > 0 else 1.0)
    return shift, scale


def group_labels(values: pl.Series) -> list[str]:
    """Return the groups' names as text."""
    return values.cast(pl.String).to_list()
