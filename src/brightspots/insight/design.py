"""From a formula and a table to the columns of the design, each an expression of the engine.

What a column of text holds is decided here. Cells that are empty or ``NA`` (for a number also
``NaN``) are missing. A column is numeric when at least half of its other cells are numbers; a cell
of it that is none is then an error, with its row, and never turns the column into a factor of
thousands of levels. Any other column of text is a factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import ibis
import ibis.expr.types as ir
import polars as pl

from brightspots.core.engine import MISSING_WORDS, Table
from brightspots.core.errors import InputError
from brightspots.insight.formula import Formula, Term, Variable, evaluate_arithmetic

INTERCEPT = "(Intercept)"
MAX_LEVELS = 100
MAX_COLUMNS = 300
SAMPLE_ROWS = 100_000
_NUMBER_WORDS = (*MISSING_WORDS, "NaN", "nan")
_NOT_USABLE = "is neither a number nor a word"


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


@dataclass(frozen=True)
class Design:
    """Columns of ``A = [1 | X | y]`` over the complete rows of a table.

    Parameters
    ----------
    rows : ibis.Table
        The rows without a missing value in a used column.
    columns : tuple of DesignColumn
        X without the intercept.
    values : tuple of ibis expressions
        Of the columns and, last, of the outcome; over `rows`.
    group : ibis expression
    levels : mapping
        Factor name -> its levels in sorted order; the first is the reference.
    """

    rows: ir.Table
    columns: tuple[DesignColumn, ...]
    values: tuple[ir.NumericValue, ...]
    group: ir.Value
    levels: Mapping[str, tuple[str, ...]]


def build_design(
    table: Table, formula: Formula, levels: Mapping[str, tuple[str, ...]] | None = None
) -> Design:
    """Decide what each column is, find the levels of the factors, and write down the columns.

    Parameters
    ----------
    table : Table
    formula : Formula
    levels : mapping, optional
        Levels of factors fixed beforehand, for parts that will be merged.

    Raises
    ------
    InputError
        A column is missing, holds what cannot be used, or a factor has too few or too many levels.
    """
    _check_columns(table, formula)
    kinds = _kinds(table, formula)
    rows = table.rows.filter(_complete(table.rows, formula, kinds))
    found = _levels(table, rows, formula, kinds, levels or {})
    columns = _expand(formula, kinds, found)
    if len(columns) > MAX_COLUMNS:
        raise InputError(f"The model has {len(columns)} columns; {MAX_COLUMNS} is the limit.")
    values = [_value(rows, column, table.is_text) for column in columns]
    outcome = _number(rows, formula.outcome)
    return Design(rows, tuple(columns), (*values, outcome), _group(rows[formula.group]), found)


def _check_columns(table: Table, formula: Formula) -> None:
    have = list(table.rows.columns)
    for name in formula.columns:
        if name not in have:
            near = [column for column in have if column.lower().strip() == name.lower().strip()]
            listed = ", ".join(have[:12]) + (", ..." if len(have) > 12 else "")
            raise InputError(
                "There is no such column.",
                file=table.name,
                column=name,
                mend=f'Did you mean "{near[0]}"?' if near else f"The file has: {listed}.",
            )


def _kinds(table: Table, formula: Formula) -> dict[str, str]:
    """Column -> "number", "text number", "factor" or "truth", for every column but the group."""
    names = [name for name in formula.columns if _is_read_as_value(name, formula)]
    kinds: dict[str, str] = {}
    in_question = []
    for name in names:
        kind = table.rows[name].type()
        if kind.is_numeric():
            kinds[name] = "number"
        elif kind.is_boolean():
            kinds[name] = "truth"
        elif kind.is_string():
            in_question.append(name)
        else:
            raise InputError(
                f"A column of type {kind} {_NOT_USABLE}.", file=table.name, column=name
            )
    kinds |= _text_kinds(table, in_question)
    for name in _numeric_columns(formula):
        if kinds.get(name) in ("factor", "truth"):
            _refuse_words(table, name, outcome=name in formula.outcome.columns)
    return kinds


def _is_read_as_value(name: str, formula: Formula) -> bool:
    variables = [formula.outcome, *(variable for term in formula.terms for variable in term)]
    return any(name in variable.columns for variable in variables)


def _numeric_columns(formula: Formula) -> list[str]:
    variables = [formula.outcome, *(variable for term in formula.terms for variable in term)]
    return [
        name
        for variable in variables
        if variable is formula.outcome or variable.arithmetic is not None
        for name in variable.columns
    ]


def _text_kinds(table: Table, names: list[str]) -> dict[str, str]:
    """Look at every cell of the columns of text, in one scan."""
    if not names:
        return {}
    aggregates = {}
    for position, name in enumerate(names):
        text = table.rows[name]
        present = ~_is_missing(text, _NUMBER_WORDS)
        number = _as_number(text)
        aggregates[f"present_{position}"] = present.sum()
        aggregates[f"numbers_{position}"] = (present & number.notnull()).sum()
    counts = table.ask(table.rows.aggregate(**aggregates)).row(0, named=True)
    kinds = {}
    for position, name in enumerate(names):
        present = counts[f"present_{position}"] or 0
        numbers = counts[f"numbers_{position}"] or 0
        kinds[name] = "text number" if 2 * numbers >= present else "factor"
        if kinds[name] == "text number" and numbers < present:
            _refuse_cell(table, name)
    return kinds


def _as_number(text: ir.Value) -> ir.NumericValue:
    """Read a finite number, or null."""
    number = text.try_cast("float64")
    return ibis.ifelse(number.isnan() | number.isinf(), ibis.null("float64"), number)


def _is_missing(text: ir.Value, words: tuple[str, ...]) -> ir.BooleanValue:
    return text.isnull() | text.strip().isin(words)


def _first_row(table: Table, wrong: ir.BooleanValue, name: str) -> tuple[int, str]:
    """Find the first row, as a spreadsheet counts, where `wrong` holds, and what stands in it."""
    numbered = table.rows.select(
        place=ibis.row_number(), cell=table.rows[name].cast("string"), wrong=wrong
    )
    found = table.ask(
        numbered.filter(numbered.wrong).order_by("place").limit(1).select("place", "cell"),
        threads=1,
    )
    return int(found["place"][0]) + 2, str(found["cell"][0])


def _refuse_cell(table: Table, name: str) -> None:
    text = table.rows[name]
    wrong = ~_is_missing(text, _NUMBER_WORDS) & _as_number(text).isnull()
    row, cell = _first_row(table, wrong, name)
    comma = cell.count(",") == 1 and cell.replace(",", "").replace("-", "").isdigit()
    raise InputError(
        f'"{cell[:60]}" is not a number, and most of this column is.',
        file=table.name,
        row=row,
        column=name,
        mend="Write numbers with a point instead of a comma."
        if comma
        else f"Mend it, leave it empty if it is not known, or write factor({name}).",
    )


def _refuse_words(table: Table, name: str, *, outcome: bool) -> None:
    wrong = table.rows[name].notnull()
    if table.rows[name].type().is_string():
        text = table.rows[name]
        wrong = ~_is_missing(text, _NUMBER_WORDS) & _as_number(text).isnull()
    row, cell = _first_row(table, wrong, name)
    place = "the outcome" if outcome else "I()"
    raise InputError(
        f'"{cell[:60]}" is not a number, and {place} needs one.',
        file=table.name,
        row=row,
        column=name,
        mend=None
        if not outcome or len(cell) > 12 or "," not in cell
        else "Write numbers with a point instead of a comma.",
    )


def _complete(rows: ir.Table, formula: Formula, kinds: Mapping[str, str]) -> list[ir.BooleanValue]:
    """Predicates that hold where no used column is missing."""
    predicates: list[ir.BooleanValue] = []
    for name in formula.columns:
        column = rows[name]
        kind = column.type()
        if kind.is_string():
            words = _NUMBER_WORDS if kinds.get(name) == "text number" else MISSING_WORDS
            predicates.append(~_is_missing(column, words))
        else:
            predicates.append(column.notnull())
            if kind.is_floating():
                predicates.append(~column.isnan())
    return predicates


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
    for name, variable in factors.items():
        if rows is not None and len(found[name]) == 1:
            raise InputError(
                f'The factor has one level, "{found[name][0]}", among the rows that are complete.',
                file=table.name,
                column=variable.columns[0],
                mend="Leave it out of the formula.",
            )
    return found


def _factor_variables(formula: Formula, kinds: Mapping[str, str]) -> dict[str, Variable]:
    variables = [variable for term in formula.terms for variable in term]
    return {variable.name: variable for variable in variables if _is_factor(variable, kinds)}


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
    formula: Formula, kinds: Mapping[str, str], levels: Mapping[str, tuple[str, ...]]
) -> list[DesignColumn]:
    """Treatment coding as in R.

    A factor of a term leaves out its reference level where the term without that factor is in the
    model too; otherwise it keeps all of its levels (Chambers and Hastie 1992, 2.4.1).
    """
    present = {frozenset(variable.name for variable in term) for term in formula.terms}
    columns: list[DesignColumn] = []
    for term in formula.terms:
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
    return ibis.ifelse(indicator, 1.0 if number is None else number, 0.0)


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
    indicator keeps 0 and 1, so that its sums stay whole numbers.

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
    indicators = [*(column.is_indicator for column in design.columns), False]
    for i, is_indicator in enumerate(indicators):
        mean: Any = found.get(f"m{i}")
        spread: Any = found.get(f"s{i}")
        usable = not is_indicator and mean is not None and spread is not None
        if not (usable and isfinite(mean) and isfinite(spread)):
            mean, spread = 0.0, 1.0
        shift.append(float(mean))
        scale.append(float(spread) if spread > 0 else 1.0)
    return shift, scale


def group_labels(values: pl.Series) -> list[str]:
    """Return the groups' names as text."""
    return values.cast(pl.String).to_list()
