"""Model formulas: ``score ~ prior + sex * poverty + I(prior**2) + (1 + prior | school)``.

The notation is that of lme4 (Wilkinson and Rogers 1973 for the fixed part). The structure of the
fixed part (``+``, ``:``, ``*``, ``/``, powers) is parsed by formulaic; what it sees are stand-ins
for names, so that nothing a user writes is ever run as code. What stands inside ``I()`` is
arithmetic and nothing else.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser

from brightspots.core.errors import InputError
from brightspots.insight.arithmetic import parse_arithmetic
from brightspots.insight.not_done import not_done

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
        True for ``factor(column)``, ``as.factor(column)`` and ``C(column)``: a factor whatever the
        column holds.
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
class RandomTerm:
    """What varies from group to group: ``(1 + prior | school)``.

    Parameters
    ----------
    effects : tuple of Term
        The intercept is the empty product ``()`` and stands first where it is there.
    group : tuple of str
        Grouping columns whose combinations are the groups, the inner one first: ``(1 |
        district/school)`` is ``("district",)`` and ``("school", "district")``.
    correlated : bool
        False for ``||``: the effects of a group are independent of each other.
    """

    effects: tuple[Term, ...]
    group: tuple[str, ...]
    correlated: bool = True

    @property
    def name(self) -> str:
        """As lme4 names it: ``school``, ``school:district``."""
        return ":".join(self.group)


@dataclass(frozen=True)
class Formula:
    """A parsed model formula with at least one random part.

    Parameters
    ----------
    text : str
        As the user wrote it.
    outcome : Variable
    terms : tuple of Term
        The fixed part in the order of its degree, the intercept ``()`` first.
    random : tuple of RandomTerm
        In the order in which they are written, ``a/b`` taken apart, the inner one first.
    """

    text: str
    outcome: Variable
    terms: tuple[Term, ...]
    random: tuple[RandomTerm, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Every grouping column, each once."""
        return tuple(dict.fromkeys(name for term in self.random for name in term.group))

    @property
    def group(self) -> str:
        """The first grouping column, the inner one where it is nested; the school as a rule."""
        return self.groups[0]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Outcome, fixed part and what varies between groups, in this order."""
        terms = [*self.terms, *(effect for part in self.random for effect in part.effects)]
        return (self.outcome, *(variable for term in terms for variable in term))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the formula reads, each once: outcome, terms, groups."""
        names = [name for variable in self.variables for name in variable.columns]
        return tuple(dict.fromkeys([*names, *self.groups]))


def parse_formula(text: str) -> Formula:
    """Parse a model formula in lme4's notation.

    Parameters
    ----------
    text : str
        One outcome, a fixed part with its intercept, and one random part or more: ``(1 | g)``,
        ``(1 + x | g)`` or ``(x | g)``, ``(0 + x | g)``, ``(x || g)``, ``(1 | a/b)``, ``(1 | a:b)``,
        ``(1 | a) + (1 | b)``. Names with dots need no quoting; others stand in back-quotes.

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
    masked, random = _split_random_part(masked, names, text)
    sides = _parse_fixed_part(masked, text)
    outcome = _outcome(sides[0], names, text)
    terms = _terms(sides[1], names, text)
    for variable in (variable for term in terms for variable in term):
        if variable.column is not None and variable.column == outcome.column:
            raise InputError(f'The outcome "{outcome.name}" stands on both sides of the formula.')
    formula = Formula(text.strip(), outcome, terms, random)
    _check_random_part(formula)
    return formula


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
                elif name == ".":
                    raise InputError(
                        'A "." for all other columns is not done.', mend="Name the columns."
                    )
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
    if function in ("factor", "as.factor", "C"):
        match = re.fullmatch(r"\s*(?:`([^`]+)`|([^\W\d][\w.]*))\s*", inside)
        if match is None:
            raise InputError(f"{function}() takes one column and nothing else.", mend=EXAMPLE)
        column = match.group(1) or match.group(2)
        return Variable(f"{function}({column})", (column,), categorical=True)
    if function == "I":
        tree, columns = parse_arithmetic(inside)
        return Variable(f"I({inside.strip()})", columns, arithmetic=tree)
    raise not_done(function)


@dataclass(frozen=True)
class _Bar:
    """``(effects | group)`` in a masked formula, from `start` up to `end`."""

    start: int
    end: int
    effects: str
    bars: str
    group: str


def _bars(masked: str) -> list[_Bar]:
    """Find every pair of parentheses with a bar of its own; effects may hold further pairs."""
    open_at: list[int] = []
    found = []
    for position, character in enumerate(masked):
        if character == "(":
            open_at.append(position)
        elif character == ")" and open_at:
            start = open_at.pop()
            match = re.fullmatch(r"([^|]*)(\|+)([^|()]*)", masked[start + 1 : position])
            if match is not None:
                found.append(_Bar(start, position + 1, match[1], match[2], match[3]))
    return found


def _split_random_part(
    masked: str, names: _StandIns, text: str
) -> tuple[str, tuple[RandomTerm, ...]]:
    """Take every ``(effects | group)`` out of a masked formula."""
    if re.search(r"\|[^|()]*\(", masked):
        raise InputError(
            f'What stands after a bar in "{text}" holds parentheses; that is not done.',
            mend='Write the columns alone: "(1 | district/school)".',
        )
    bars = _bars(masked)
    if masked.count("|") != sum(len(bar.bars) for bar in bars) or not bars:
        raise InputError(
            f'The formula "{text}" needs a random part such as "(1 | school)", in parentheses.',
            mend=EXAMPLE,
        )
    random: list[RandomTerm] = []
    fixed = masked
    for bar in reversed(bars):
        before, after = fixed[: bar.start].rstrip(), fixed[bar.end :].lstrip()
        if not before.endswith(("+", "~")) or (after and after[0] not in "+-"):
            raise InputError(
                "A random part can only be added to the formula, with +.", mend=EXAMPLE
            )
        if before.endswith("+"):
            fixed = f"{before[:-1]} {after}"
        else:
            fixed = f"{before} {after.removeprefix('+') or '1'}"
    for bar in bars:
        random.extend(_random_terms(bar.effects, bar.bars, bar.group, names, text))
    return fixed, tuple(random)


def _random_terms(
    effects: str, bars: str, group: str, names: _StandIns, text: str
) -> list[RandomTerm]:
    if len(bars) > 2:
        raise InputError(f'"{bars}" has no meaning in a formula.', mend="Write | or ||.")
    found = _effects(effects, names, text)
    return [RandomTerm(found, columns, len(bars) == 1) for columns in _groups(group, names, text)]


def _effects(masked: str, names: _StandIns, text: str) -> tuple[Term, ...]:
    """Read what stands before the bar; the intercept is there unless ``0 +`` says no."""
    if not masked.strip():
        raise InputError("Nothing stands before the bar.", mend=EXAMPLE)
    _, right = _parse_fixed_part(f"y ~ {masked}", text)
    terms = tuple(sorted((_variables(term, names, text) for term in right), key=len))
    if not terms:
        raise InputError(
            "A random part without any effect has no meaning.",
            mend='Write for instance "(1 | school)".',
        )
    return terms


def _groups(masked: str, names: _StandIns, text: str) -> list[tuple[str, ...]]:
    """``a/b`` is a and b within a; ``a:b`` is each combination."""
    problem = InputError(
        f'What stands after a bar must be columns, alone or as "district/school", in "{text}".',
        mend="Add any other grouping to the file as a column first.",
    )
    nested: list[tuple[str, ...]] = []
    for part in masked.split("/"):
        columns = []
        for name in part.split(":"):
            variable = names.variables.get(name.strip())
            if variable is None or variable.column is None or variable.categorical:
                raise problem
            columns.append(variable.columns[0])
        nested.append((*columns, *(nested[-1] if nested else ())))
    if any(len(set(columns)) != len(columns) for columns in nested):
        raise InputError(f'A grouping column stands twice after a bar in "{text}".')
    # The inner grouping first, as lme4 has it.
    return nested[::-1]


def _check_random_part(formula: Formula) -> None:
    """Refuse what could never be told apart, before anything is read."""
    for name in formula.groups:
        if name in formula.outcome.columns:
            raise InputError(f'The outcome "{name}" cannot be a grouping too.')
    seen: set[tuple[frozenset[str], str]] = set()
    for term in formula.random:
        for effect in term.effects:
            name = ":".join(variable.name for variable in effect) or "1"
            key = (frozenset(term.group), name)
            if key in seen:
                raise InputError(
                    f'The effect "{name}" of "{term.name}" stands twice in the formula.',
                    mend="Keep it in one random part.",
                )
            seen.add(key)
            if any(v.column == formula.outcome.column is not None for v in effect):
                raise InputError(
                    f'The outcome "{formula.outcome.name}" stands on both sides of the formula.'
                )


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
