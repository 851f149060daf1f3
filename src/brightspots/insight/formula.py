"""Model formulas: ``score ~ prior + sex * poverty + I(prior**2) + (1 | school)``.

The notation is that of lme4 (Wilkinson and Rogers 1973 for the fixed part). The structure of the
fixed part (``+``, ``:``, ``*``, ``/``, powers) is parsed by formulaic; what it sees are stand-ins
for names, so that nothing a user writes is ever run as code. What stands inside ``I()`` is
arithmetic and nothing else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser

from brightspots.core.errors import InputError

EXAMPLE = 'Write for instance "score ~ prior + sex + (1 | school)".'
MAX_LENGTH = 5_000
MAX_TERMS = 200


@dataclass(frozen=True)
class Variable:
    """One factor of a term: a column as it is, a column as a factor, or arithmetic on columns.

    Parameters
    ----------
    name : str
        As the user wrote it, without back-quotes; the start of the term's name in results.
    columns : tuple of str
        The columns that it reads.
    categorical : bool
        True for ``factor(column)`` and ``C(column)``: a factor whatever the column holds.
    arithmetic : ast.expr or None
        The expression inside ``I()``.
    """

    name: str
    columns: tuple[str, ...]
    categorical: bool = False
    arithmetic: ast.expr | None = None

    @property
    def column(self) -> str | None:
        """The column, when the variable is one column as it stands in the data."""
        return None if self.arithmetic is not None else self.columns[0]


Term = tuple[Variable, ...]
"""A product of variables; the intercept is the empty product ``()``."""


@dataclass(frozen=True)
class Formula:
    """A parsed model formula with a random intercept.

    Parameters
    ----------
    text : str
        As the user wrote it.
    outcome : Variable
    terms : tuple of Term
        The fixed part in the order of its degree, the intercept ``()`` first.
    group : str
        The column of the random intercept, the school as a rule.
    """

    text: str
    outcome: Variable
    terms: tuple[Term, ...]
    group: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the formula reads, each once: outcome, fixed part, group."""
        names = [*self.outcome.columns]
        for term in self.terms:
            for variable in term:
                names.extend(variable.columns)
        return tuple(dict.fromkeys([*names, self.group]))


def parse_formula(text: str) -> Formula:
    """Parse a model formula in lme4's notation.

    Parameters
    ----------
    text : str
        One outcome, a fixed part with its intercept, and one random intercept ``(1 | column)``.
        Names with dots need no quoting; others stand in back-quotes.

    Returns
    -------
    Formula

    Raises
    ------
    InputError
        The formula is malformed, or asks for what is not done (named in the message).
    """
    if not text.strip() or len(text) > MAX_LENGTH:
        raise InputError("The formula is empty or too long.", mend=EXAMPLE)
    names = _StandIns()
    masked = names.mask(text)
    if masked.count("~") != 1:
        raise InputError(f'The formula "{text}" needs one "~".', mend=EXAMPLE)
    masked, group = _split_random_part(masked, names)
    sides = _parse_fixed_part(masked, text)
    outcome = _outcome(sides[0], names, text)
    terms = _terms(sides[1], names, text)
    for variable in (variable for term in terms for variable in term):
        if variable.column is not None and variable.column == outcome.column:
            raise InputError(f'The outcome "{outcome.name}" stands on both sides of the formula.')
    return Formula(text.strip(), outcome, terms, group)


class _StandIns:
    """Stand-ins for names and calls, so that formulaic sees plain identifiers only."""

    _TOKEN = re.compile(
        r"`([^`]*)`|([A-Za-z_\u0080-\U0010ffff.][\w.]*)|([0-9]+\.?[0-9]*)|(.)", re.S
    )

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}

    def mask(self, text: str) -> str:
        """Replace every name, ``I()`` and ``factor()`` by a stand-in; leave the operators."""
        out: list[str] = []
        position = 0
        while position < len(text):
            match = self._TOKEN.match(text, position)
            if match is None:  # cannot be: the last alternative takes any character
                break
            position = match.end()
            quoted, name, number, other = match.groups()
            if quoted is not None:
                out.append(self._add(Variable(_checked(quoted), (quoted,))))
            elif name is not None:
                rest = text[position:]
                if rest.lstrip().startswith("("):
                    inside, length = _inside_parentheses(rest, text)
                    out.append(self._add(_call(name, inside, text)))
                    position += length
                else:
                    out.append(self._add(Variable(name, (name,))))
            elif number is not None:
                out.append(number)
            elif other in "`'\"{}[]@\\;$":
                raise InputError(
                    f'The formula holds "{other}" where it has no meaning.', mend=EXAMPLE
                )
            else:
                out.append(other)
        return "".join(out)

    def _add(self, variable: Variable) -> str:
        for stand_in, known in self.variables.items():
            if known.name == variable.name and known.categorical == variable.categorical:
                return stand_in
        stand_in = f"v{len(self.variables)}_"
        self.variables[stand_in] = variable
        return stand_in


def _checked(name: str) -> str:
    if not name.strip():
        raise InputError("The formula holds an empty name in back-quotes.", mend=EXAMPLE)
    return name


def _inside_parentheses(rest: str, text: str) -> tuple[str, int]:
    """Return what stands in the first pair of parentheses of `rest`, and the length passed over."""
    depth = 0
    quoted = False
    start = rest.index("(")
    for position in range(start, len(rest)):
        character = rest[position]
        if character == "`":
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if depth == 0:
                return rest[start + 1 : position], position + 1
    raise InputError(f'The formula "{text}" has a "(" without its ")".', mend=EXAMPLE)


def _call(function: str, inside: str, text: str) -> Variable:
    if function in ("factor", "C"):
        match = re.fullmatch(r"\s*(?:`([^`]+)`|([^\W\d][\w.]*))\s*", inside)
        if match is None:
            raise InputError(f"{function}() takes one column and nothing else.", mend=EXAMPLE)
        column = match.group(1) or match.group(2)
        return Variable(f"{function}({column})", (column,), categorical=True)
    if function == "I":
        tree, columns = parse_arithmetic(inside)
        return Variable(f"I({inside.strip()})", columns, arithmetic=tree)
    raise InputError(
        f"{function}() is not known in a formula.",
        mend="I() for arithmetic and factor() are; add any other column to the file first.",
    )


def parse_arithmetic(text: str) -> tuple[ast.expr, tuple[str, ...]]:
    """Parse the inside of ``I()``: names, numbers, ``+ - * / ** ^`` and parentheses.

    Returns
    -------
    tree : ast.expr
        Of `BinOp`, `UnaryOp`, `Constant` and `Name` alone; names are those of columns.
    columns : tuple of str
        The columns it reads, each once.

    Raises
    ------
    InputError
        Anything else stands there, or no column does.
    """
    columns: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        column = match.group(1) or match.group(2)
        return columns.setdefault(column, f"c{len(columns)}_")

    number_or_name = r"`([^`]+)`|((?<![\w.])[^\W\d][\w.]*)"
    source = re.sub(number_or_name, stand_in, text.strip()).replace("^", "**")
    problem = InputError(
        f"I({text}) is not arithmetic on columns.",
        mend="Inside I() write names, numbers, + - * / ** and parentheses.",
    )
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise problem from None
    backwards = {stand: column for column, stand in columns.items()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in backwards:
            node.id = backwards[node.id]
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, bool) or not isinstance(node.value, int | float):
                raise problem
        elif not isinstance(
            node, ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop | ast.expr_context
        ):
            raise problem
    operations: tuple[type[ast.AST], ...] = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
    signs: tuple[type[ast.AST], ...] = (ast.UAdd, ast.USub)
    for node in ast.walk(tree):
        if (isinstance(node, ast.BinOp) and not isinstance(node.op, operations)) or (
            isinstance(node, ast.UnaryOp) and not isinstance(node.op, signs)
        ):
            raise problem
    if not columns:
        raise problem
    return tree, tuple(columns)


def evaluate_arithmetic(node: ast.expr, lookup: Callable[[str], Any]) -> Any:
    """Evaluate a tree of :func:`parse_arithmetic`; `lookup` gives a column's value.

    Works on whatever has Python's arithmetic: numbers, arrays, expressions of the engine.
    """
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]  # parse_arithmetic lets numbers in only
    if isinstance(node, ast.Name):
        return lookup(node.id)
    if isinstance(node, ast.UnaryOp):
        value = evaluate_arithmetic(node.operand, lookup)
        return -value if isinstance(node.op, ast.USub) else value
    if not isinstance(node, ast.BinOp):
        raise TypeError(f"not arithmetic: {node!r}")
    left = evaluate_arithmetic(node.left, lookup)
    if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
        exponent = node.right.value
        if exponent in (2, 3):  # products are exact where a power function may round
            return left * left if exponent == 2 else left * left * left
    right = evaluate_arithmetic(node.right, lookup)
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mult):
        return left * right
    if isinstance(node.op, ast.Div):
        return left / right
    return left**right


def _split_random_part(masked: str, names: _StandIns) -> tuple[str, str]:
    """Take the one ``(1 | column)`` out of a masked formula."""
    bars = list(re.finditer(r"\(([^()|]*)(\|+)([^()]*)\)", masked))
    if masked.count("|") != sum(len(bar.group(2)) for bar in bars) or not bars:
        raise InputError('The formula needs one random part such as "(1 | school)".', mend=EXAMPLE)
    if len(bars) > 1:
        raise InputError(
            "The formula has more than one random part; models of several levels are not done yet.",
            mend="Keep one (1 | column).",
        )
    bar = bars[0]
    effects, group = bar.group(1).strip(), bar.group(3).strip()
    if effects != "1" or bar.group(2) != "|":
        raise InputError(
            "Random slopes are not done yet: the random part can only be an intercept.",
            mend="Write (1 | column).",
        )
    variable = names.variables.get(group)
    if variable is None or variable.column is None or variable.categorical:
        raise InputError(
            "Nested and crossed groupings are not done yet: one column stands after the bar.",
            mend="Write (1 | column).",
        )
    before, after = masked[: bar.start()].rstrip(), masked[bar.end() :].lstrip()
    if (not before.endswith(("+", "~"))) or (after and after[0] not in "+-"):
        raise InputError("The random part can only be added to the formula, with +.", mend=EXAMPLE)
    if before.endswith("+"):
        return f"{before[:-1]} {after}", variable.columns[0]
    return f"{before} {after.removeprefix('+') or '1'}", variable.columns[0]


def _parse_fixed_part(masked: str, text: str) -> tuple[list[Any], list[Any]]:
    try:
        parsed = DefaultFormulaParser(include_intercept=True).get_terms(masked)
        return list(parsed.lhs), list(parsed.rhs)
    except (FormulaicError, AttributeError, RecursionError, SyntaxError, ValueError, TypeError):
        # formulaic's own message would show stand-ins instead of the user's names
        raise InputError(f'The formula "{text}" cannot be read.', mend=EXAMPLE) from None


def _variables(term: Any, names: _StandIns, text: str) -> Term:
    found = []
    for factor in term.factors:
        if factor.expr == "1":
            continue
        if factor.expr not in names.variables:
            raise InputError(f'The formula "{text}" holds a number where a column is meant.')
        found.append(names.variables[factor.expr])
    return tuple(found)


def _outcome(side: list[Any], names: _StandIns, text: str) -> Variable:
    terms = [_variables(term, names, text) for term in side]
    if len(terms) != 1 or len(terms[0]) != 1:
        raise InputError("The formula needs one outcome before the ~.", mend=EXAMPLE)
    if terms[0][0].categorical:
        raise InputError("The outcome must be a number; a factor cannot be modelled.")
    return terms[0][0]


def _terms(side: list[Any], names: _StandIns, text: str) -> tuple[Term, ...]:
    terms = [_variables(term, names, text) for term in side]
    if () not in terms:
        raise InputError(
            "A model without an intercept is not done: value added is measured from an average.",
            mend='Leave "0 +" and "- 1" out of the formula.',
        )
    if len(terms) > MAX_TERMS:
        raise InputError(f"The formula has {len(terms)} terms; {MAX_TERMS} is the limit.")
    return tuple(sorted(terms, key=len))
