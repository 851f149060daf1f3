"""Arithmetic inside ``I()``: names, numbers, ``+ - * / ** ^`` and parentheses, and nothing else.

Nothing a user writes is ever run as code: what is parsed is a tree of these few kinds of nodes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from brightspots.core.errors import InputError


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
