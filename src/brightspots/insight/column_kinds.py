"""What the columns of a table are: numbers, factors, groups, and which rows are complete.

What a column of text holds is decided here. Cells that are empty or ``NA`` (for a number also
``NaN``) are missing. A column is numeric when at least half of its other cells are numbers; a cell
of it that is none is then an error, with its row, and never turns the column into a factor of
thousands of levels. Any other column of text is a factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import float_info

import ibis
import ibis.expr.types as ir

from brightspots.core.engine import MISSING_WORDS, Table
from brightspots.core.errors import InputError
from brightspots.insight.formula import Formula

_NUMBER_WORDS = (*MISSING_WORDS, "NaN", "nan")
_NOT_USABLE = "is neither a number nor a word"
_INSTEAD_OF_A_DATE = "Add the age or the year as a column of numbers, or write factor({})."
_DATE = r"^\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})"


def check_weights(table: Table, rows: ir.Table, weight: ir.NumericValue, name: str) -> None:
    """Weights are precisions: above 0, and finite."""
    wrong = (weight <= 0) | not_finite(weight)
    if table.ask(rows.aggregate(n=wrong.sum()))["n"][0]:
        numbers = table.rows[name]
        cast = numbers.try_cast if numbers.type().is_string() else numbers.cast
        value = cast("float64")
        row, cell = table.first((value <= 0) | not_finite(value), name)
        raise InputError(
            f"A weight must be above 0; this one is {cell}.",
            file=table.name,
            row=row,
            column=name,
            mend="Leave the cell empty to leave the row out.",
        )


def check_columns(table: Table, used: Sequence[str]) -> None:
    """Refuse a column that is not there, naming the nearest that is, and one that holds lists."""
    have = list(table.rows.columns)
    for name in used:
        if name in have and table.rows[name].type().is_nested():
            raise InputError(
                f"A column of type {table.rows[name].type()} {_NOT_USABLE}.",
                file=table.name,
                column=name,
                mend="Write one value a cell.",
            )
        if name not in have:
            near = [column for column in have if column.lower().strip() == name.lower().strip()]
            listed = ", ".join(have[:12]) + (", ..." if len(have) > 12 else "")
            raise InputError(
                "There is no such column.",
                file=table.name,
                column=name,
                mend=f'Did you mean "{near[0]}"?' if near else f"The file has: {listed}.",
            )


def column_kinds(table: Table, formula: Formula, weights: str | None = None) -> dict[str, str]:
    """Column -> "number", "text number", "factor" or "truth", for every column but the groups."""
    names = [name for name in formula.columns if _is_read_as_value(name, formula)]
    if weights and weights not in names:
        names.append(weights)
    kinds: dict[str, str] = {}
    in_question = []
    for name in names:
        kind = table.rows[name].type()
        if kind.is_numeric():
            kinds[name] = "number"
        elif kind.is_boolean():
            kinds[name] = "truth"
        elif name != weights and _is_read_as_factor_only(name, formula):
            kinds[name] = "factor"
        elif kind.is_string():
            in_question.append(name)
        else:
            raise InputError(
                f"A column of type {kind} {_NOT_USABLE}.",
                file=table.name,
                column=name,
                mend=_INSTEAD_OF_A_DATE.format(name) if kind.is_temporal() else None,
            )
    kinds |= _text_kinds(table, in_question)
    for name in [*_numeric_columns(formula), *([weights] if weights else [])]:
        if kinds.get(name) in ("factor", "truth", "date"):
            place = "a weight" if name == weights else "I()"
            _refuse_words(table, name, "the outcome" if name in formula.outcome.columns else place)
    for name in (name for name, kind in kinds.items() if kind == "date"):
        _refuse_date(table, name)
    return kinds


def _is_read_as_value(name: str, formula: Formula) -> bool:
    return any(name in variable.columns for variable in formula.variables)


def _is_read_as_factor_only(name: str, formula: Formula) -> bool:
    return all(v.categorical for v in formula.variables if name in v.columns)


def _numeric_columns(formula: Formula) -> list[str]:
    return [
        name
        for variable in formula.variables
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
        number = _as_number(table, text)
        aggregates[f"present_{position}"] = present.sum()
        aggregates[f"numbers_{position}"] = (present & number.notnull()).sum()
        aggregates[f"dates_{position}"] = (present & text.re_search(_DATE)).sum()
    counts = table.ask(table.rows.aggregate(**aggregates)).row(0, named=True)
    kinds = {}
    for position, name in enumerate(names):
        present = counts[f"present_{position}"] or 0
        numbers = counts[f"numbers_{position}"] or 0
        kinds[name] = "text number" if 2 * numbers >= present else "factor"
        if kinds[name] == "text number" and numbers < present:
            _refuse_cell(table, name)
        if kinds[name] == "factor" and counts[f"dates_{position}"] == present:
            kinds[name] = "date"
    return kinds


def not_finite(number: ir.NumericValue) -> ir.BooleanValue:
    """Tell infinite values and NaN, which compares as larger than any number in every engine.

    Ibis' own `isinf` is always false on Spark.
    """
    wrong: ir.BooleanValue = number.abs() > float_info.max
    return wrong


def _as_number(table: Table, text: ir.Value) -> ir.NumericValue:
    """Read a finite number, or null."""
    number = text.try_cast("float64")
    wrong = not_finite(number)
    if table.loose_numbers:
        wrong |= text.strip().lower().right(1).isin(("d", "f"))
    return ibis.ifelse(wrong, ibis.null("float64"), number)


def _is_missing(text: ir.Value, words: tuple[str, ...]) -> ir.BooleanValue:
    return text.isnull() | text.strip().isin(words)


def _refuse_cell(table: Table, name: str) -> None:
    text = table.rows[name]
    wrong = ~_is_missing(text, _NUMBER_WORDS) & _as_number(table, text).isnull()
    row, cell = table.first(wrong, name)
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


def _refuse_date(table: Table, name: str) -> None:
    row, cell = table.first(~_is_missing(table.rows[name], _NUMBER_WORDS), name)
    raise InputError(
        f'"{cell[:60]}" is a date, and a date is no number.',
        file=table.name,
        row=row,
        column=name,
        mend=_INSTEAD_OF_A_DATE.format(name),
    )


def _refuse_words(table: Table, name: str, place: str) -> None:
    wrong = table.rows[name].notnull()
    if table.rows[name].type().is_string():
        text = table.rows[name]
        wrong = ~_is_missing(text, _NUMBER_WORDS) & _as_number(table, text).isnull()
    row, cell = table.first(wrong, name)
    mend = None
    if table.rows[name].type().is_boolean():
        mend = "Write 0 and 1; the model is then one of shares."
    elif place == "the outcome" and len(cell) <= 12 and "," in cell:
        mend = "Write numbers with a point instead of a comma."
    raise InputError(
        f'"{cell[:60]}" is not a number, and {place} needs one.',
        file=table.name,
        row=row,
        column=name,
        mend=mend,
    )


def complete(
    rows: ir.Table, used: Sequence[str], kinds: Mapping[str, str]
) -> list[ir.BooleanValue]:
    """Predicates that hold where no used column is missing."""
    predicates: list[ir.BooleanValue] = []
    for name in used:
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
