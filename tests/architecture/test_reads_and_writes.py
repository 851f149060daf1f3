"""Reads stand in queries, writes in actions; views, pages and forms hold neither.

An app with many has a file a subject: `queries.py`, `run_queries.py`, `bright_spot_actions.py`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.house import WEB, modules, tree, where

ROWS = {"objects", "_default_manager", "_base_manager"}
WRITES = {"save", "create", "get_or_create", "update_or_create", "delete"}
BULK = {"bulk_create", "bulk_update", "abulk_create", "select_for_update"}

KINDS = ("queries.py", "actions.py")

MAY_HOLD = {
    "queries.py": "reads",
    "actions.py": "writes",
    "models.py": "managers",
    "directory/bulk_actions.py": "the writes of imports, thousands of rows in one statement",
    "directory/area_tree.py": "the part of bulk_actions that knows the tree of areas",
    "shared/audit.py": "the audit trail is the action that all others call",
    "shared/jobs.py": "the state of jobs changes between requests, in the worker",
    "devolution/note_photos.py": "a picture is saved as JPEG into memory, not into a database",
    "shared/views.py": "the health check asks the database whether it answers",
    "insight/verify.py": "computes a published run again and compares it with what was stored",
    "insight/jobs.py": "asks, before the work, whether the run was published already",
}
"""File -> why database access may stand there."""


def accesses(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and (node.attr in ROWS or node.attr in BULK):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            on = ast.unparse(node.func.value)
            if node.func.attr in WRITES or (node.func.attr == "update" and _is_queryset(on)):
                yield node.lineno, f"{on}.{node.func.attr}(…)"


def _is_queryset(expression: str) -> bool:
    """`.update` is a method of dictionaries and digests too; a queryset is filtered or queried."""
    return any(word in expression for word in ("filter(", ".all(", "queries.", "exclude("))


def may_hold(path: Path) -> bool:
    name = str(path.relative_to(WEB))
    if path.name.endswith(("_queries.py", "_actions.py")):
        return True
    return name in MAY_HOLD or path.name == "models.py" or path.name.endswith(KINDS)


def test_database_access_stands_in_queries_and_actions() -> None:
    found = [
        f"{where(path, line)}: {what}"
        for path in modules("brightspots_web")
        if not may_hold(path)
        for line, what in accesses(tree(path))
    ]
    assert not found


def test_every_exception_is_still_needed() -> None:
    for name in MAY_HOLD:
        if "/" in name:
            assert list(accesses(tree(WEB / name))), f"{name} holds none any more"


@pytest.mark.parametrize(
    "code",
    [
        "Run.objects.first()",
        "school.save()",
        "queries.runs().update(stage='')",
        "Run.objects",
        "rows.filter(a=1).update(b=2)",
        "batch.delete()",
    ],
)
def test_an_access_is_seen(code: str) -> None:
    assert list(accesses(ast.parse(code)))


def test_dictionaries_and_digests_may_be_updated() -> None:
    assert not list(accesses(ast.parse("context.update(a=1); digest.update(b'a')")))


def test_every_action_of_a_person_says_who_acts() -> None:
    """Public verbs that record an entry in the audit trail take the appointment as `by=`."""
    silent = []
    for path in WEB.glob("*/*actions.py"):
        for node in tree(path).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            names = {arg.arg for arg in node.args.kwonlyargs}
            if "audit.record(" in ast.unparse(node) and "by" not in names:
                silent.append(where(path, node.lineno))
    assert not silent


def holds_without_no_key(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr == "select_for_update" and not any(
            each.arg == "no_key" and getattr(each.value, "value", None) is True
            for each in node.keywords
        ):
            yield node.lineno, ast.unparse(node)


def test_rows_are_held_without_their_key() -> None:
    """A row held with its key makes whoever points at it wait, and two of these for each other.

    Keys never change here, and deleting takes the whole lock by itself.
    """
    found = [
        f"{where(path, line)}: {what}"
        for path in modules("brightspots_web")
        for line, what in holds_without_no_key(tree(path))
    ]
    assert not found, "say no_key=True:\n" + "\n".join(found)


def test_a_row_held_with_its_key_would_be_found() -> None:
    module = ast.parse("A.objects.select_for_update()\nA.objects.select_for_update(no_key=True)")
    assert [line for line, _what in holds_without_no_key(module)] == [1]
