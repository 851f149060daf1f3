"""The advanced way to say what is taken into account: the fixed part of a formula.

`prior + I(prior**2) + sex*poverty`: names are those of context columns (as mapped at the import,
without "context:") and fields of the register. The outcome, the schools and the years are added
here, so that a formula cannot ask for another kind of model by accident.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from brightspots.core.errors import InputError
from brightspots.insight.arithmetic import evaluate_arithmetic
from brightspots.insight.formula import Formula, Variable, parse_formula
from brightspots_web.insight.circumstances import PREFIX

SCORE = "score"
SCHOOL = "school"
YEAR = "year"
KEPT = frozenset({SCORE, SCHOOL, "subject", "pupil", "batch", "row"})
"""Names that are no circumstances."""
_EXAMPLE = 'Write for instance "prior + I(prior**2) + sex*poverty".'


def parsed(fixed: str) -> Formula:
    """Read the fixed part of a formula.

    Raises
    ------
    InputError
        It is none; the message says what is wrong.
    """
    text = fixed.strip()
    for sign, word in (("~", "the outcome"), ("|", "the grouping by school")):
        if sign in text:
            raise InputError(
                f'Only the fixed part is written here, without "{sign}": {word} is added.',
                mend=_EXAMPLE,
            )
    made = parse_formula(f"{SCORE} ~ {text} + (1 | {SCHOOL})")
    wrong = sorted(set(columns_of(made)) & KEPT)
    if wrong:
        raise InputError(f'"{wrong[0]}" is not a circumstance.', mend=_EXAMPLE)
    return made


def columns_of(formula: Formula) -> tuple[str, ...]:
    """The columns that the fixed part reads, each once."""
    found = [c for term in formula.terms for variable in term for c in variable.columns]
    return tuple(dict.fromkeys(found))


def check_formula(fixed: str, known: Collection[str] | None = None) -> None:
    """Check a formula before an analysis is started; `known` names the circumstances there are.

    Raises
    ------
    InputError
        It cannot be read, or names something that is not there.
    """
    names = columns_of(parsed(fixed))
    if known is None:
        return
    there = {name.removeprefix(PREFIX) for name in known} | {YEAR}
    for name in names:
        if name not in there:
            raise unknown(name, there)


def why_not(fixed: str, known: Collection[str]) -> str:
    """Say why a formula cannot be used; empty where it can."""
    try:
        check_formula(fixed, known)
    except InputError as error:
        return " ".join(part for part in (error.what, error.mend) if part)
    return ""


def unknown(name: str, there: Collection[str]) -> InputError:
    """The refusal of a name; it says which names there are."""
    listed = ", ".join(sorted(there, key=str.casefold)) or "none"
    return InputError(
        f'There is no circumstance called "{name}".',
        column=name,
        mend=f"There are: {listed}. Names with spaces stand in back-quotes.",
    )


def quoted(name: str) -> str:
    """A column's name as a formula writes it."""
    return f"`{name}`"


def as_columns(formula: Formula, frame: pl.DataFrame, known: Collection[str]) -> dict[str, pl.Expr]:
    """Columns for the school-level model, which adds up columns and knows no products.

    Products of numbers and arithmetic become columns of their own; kinds enter one by one.

    Raises
    ------
    InputError
        A name is not there, or kinds are multiplied.
    """
    made: dict[str, pl.Expr] = {}
    for term in formula.terms:
        if not term:
            continue
        for variable in term:
            for name in variable.columns:
                if name not in known and name != YEAR:
                    raise unknown(name, [*known, YEAR])
        if all(variable.column == YEAR for variable in term):
            continue  # every year has its own average anyway
        label = ":".join(variable.name for variable in term)
        parts = [_value(variable, frame) for variable in term]
        if len(parts) == 1:
            made[label] = parts[0][0]
            continue
        if not all(numeric for _expression, numeric in parts):
            raise InputError(
                f'"{label}" multiplies kinds, which is done for results by pupil only.',
                mend="Take the product out, or add a column with the combined kinds.",
            )
        product = parts[0][0]
        for expression, _numeric in parts[1:]:
            product = product * expression
        made[label] = product
    return made


def _value(variable: Variable, frame: pl.DataFrame) -> tuple[pl.Expr, bool]:
    if variable.arithmetic is not None:
        for name in variable.columns:
            if not frame.schema[name].is_numeric():
                raise InputError(f'"{name}" holds words; arithmetic needs numbers.', column=name)
        value: pl.Expr = evaluate_arithmetic(
            variable.arithmetic, lambda name: pl.col(name).cast(pl.Float64)
        )
        return value, True
    name = variable.columns[0]
    if variable.categorical:
        return pl.col(name).cast(pl.String), False
    numeric = frame.schema[name].is_numeric()
    return pl.col(name), numeric


def terms(names: Sequence[str]) -> str:
    """The fixed part that adds up columns."""
    return " + ".join(["1", *names])
