"""What the linter cannot see about models: foreign keys, what they hold, who reads their rows."""

import ast
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models

from tests.architecture.house import app_of, layers, modules, tree, where

OURS = [m for m in apps.get_models() if m.__module__.startswith("brightspots_web.")]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_model_says_whether_it_holds_personal_data_and_how_long_it_is_kept(
    model: type[models.Model],
) -> None:
    for name in ("personal_data", "kept_for"):
        sentence = vars(model).get(name)
        assert isinstance(sentence, str), f"{model.__name__} needs its own {name}"
        assert sentence.endswith("."), f"{model.__name__}.{name} is a sentence"


def upward(from_app: str, to_app: str, order: list[str]) -> bool:
    """Whether a pointer goes from a lower app to a higher one."""
    return order.index(to_app) > order.index(from_app)


def pointers() -> Iterator[tuple[str, str, str]]:
    for model in OURS:
        app = model._meta.app_label
        for field in model._meta.get_fields():
            target = field.related_model
            if field.auto_created or not isinstance(target, type):
                continue
            assert issubclass(target, models.Model)
            if target.__module__.startswith("brightspots_web."):
                yield f"{model.__name__}.{field.name}", app, target._meta.app_label


def test_foreign_keys_point_to_the_same_app_or_down() -> None:
    found = list(pointers())
    assert ("Estimate.run", "insight", "insight") in found
    assert not [name for name, app, target in found if upward(app, target, layers())]


def test_a_foreign_key_that_points_up_would_be_seen() -> None:
    assert upward("directory", "insight", layers())
    assert not upward("insight", "directory", layers())


# A model of another app is a type: it may be annotated with, pointed at by a foreign key, asked
# for its choices. Its rows are read by the app's queries and written by its actions.
# See docs/decisions/0008.
DOORS = {"objects", "_default_manager", "_base_manager", "DoesNotExist"}


def misuse(module: ast.Module, app: str) -> Iterator[tuple[int, str]]:
    """Where code of `app` reads, writes or makes rows of another app's model."""
    foreign: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            parts = node.module.split(".")
            if parts[0] == "brightspots_web" and parts[-1] == "models" and parts[1] != app:
                foreign.update({each.asname or each.name: parts[1] for each in node.names})
            elif parts[0] == "brightspots_web" and len(parts) == 2 and parts[1] != app:
                yield from (
                    (node.lineno, f"the whole module of models of {parts[1]}")
                    for each in node.names
                    if each.name == "models"
                )
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in DOORS:
            if isinstance(node.value, ast.Name) and node.value.id in foreign:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in foreign:
            yield node.lineno, f"{ast.unparse(node.func)}(…)"


def test_rows_are_read_and_written_by_their_own_app_alone() -> None:
    found = [
        f"{where(path, line)}: {what}"
        for path in modules("brightspots_web", "brightspots_cli")
        for line, what in misuse(tree(path), app_of(path))
    ]
    assert not found, "ask the app's queries or actions instead"


@pytest.mark.parametrize(
    "code",
    [
        "from brightspots_web.directory.models import School\nSchool.objects.all()",
        "from brightspots_web.directory.models import School as S\nS._default_manager.get(pk=1)",
        "def f():\n    from brightspots_web.imports.models import Batch\n    Batch().save()",
        "from brightspots_web.directory import models",
    ],
)
def test_a_row_taken_from_another_app_is_seen(code: str) -> None:
    assert list(misuse(ast.parse(code), "home"))


@pytest.mark.parametrize(
    "code",
    [
        "from brightspots_web.directory.models import School\ndef f(school: School) -> None: ...",
        "from brightspots_web.insight.models import Estimate\nEstimate.Label.CANDIDATE",
        "from brightspots_web.home.models import Thing\nThing.objects.all()",
    ],
)
def test_a_model_as_a_type_or_ones_own_is_let_be(code: str) -> None:
    assert not list(misuse(ast.parse(code), "home"))
