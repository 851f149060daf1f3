"""Templates lean on their own app or a lower one; text that people see can be translated."""

import ast
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from tests.architecture.house import WEB, app_of, layers, modules, tree, where

TEMPLATES = sorted(WEB.glob("*/templates/**/*.html"))
NAMES = {path.relative_to(WEB / app_of(path) / "templates").as_posix(): path for path in TEMPLATES}


def leans_on(source: str) -> list[str]:
    return re.findall(r"""{%-?\s*(?:include|extends)\s+["']([^"']+)["']""", source)


def upward(app: str, source: str) -> list[str]:
    """The templates of higher apps that this one includes or extends."""
    order = layers()
    return [
        name
        for name in leans_on(source)
        if name in NAMES and order.index(app_of(NAMES[name])) > order.index(app)
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_template_leans_on_its_own_app_or_a_lower_one(path: Path) -> None:
    assert not upward(app_of(path), path.read_text())


def test_a_template_that_leans_on_a_higher_app_would_be_seen() -> None:
    assert upward("directory", '{% extends "home/ministry.html" %}')
    assert not upward("home", '{% include "shared/components/table.html" %}')


def shown_text(source: str) -> str:
    """What a template shows of its own, outside tags, translations and attributes."""
    for hidden in (
        r"{%\s*comment.*?endcomment\s*%}",
        r"{#.*?#}",
        r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}",
        r"<(style|script|title hidden)\b.*?</\1>",
        r"{%.*?%}",
        r"{{.*?}}",
        r"<[^>]*>",
    ):
        source = re.sub(hidden, " ", source, flags=re.DOTALL)
    return unescape(source)


def untranslated(source: str) -> list[str]:
    """Words that a template shows without asking for their translation."""
    found = re.findall(r"[^\W\d_]{2,}", shown_text(source))
    labels = r"""\s(?:alt|title|placeholder|aria-label)="([^"{]*[^\W\d_]{2}[^"{]*)["{]"""
    return [word for word in found if word not in NAMES_NOT_TRANSLATED] + re.findall(labels, source)


NAMES_NOT_TRANSLATED = {"Brightspots", "CSV", "XLSX", "PDF"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_every_word_a_template_shows_can_be_translated(path: Path) -> None:
    source = path.read_text()
    assert not untranslated(source)
    if re.search(r"{%\s*(?:blocktrans|trans|blocktranslate|translate)\b", source):
        assert re.search(r"{%\s*load\b[^%]*\bi18n\b", source), "loads no i18n"


@pytest.mark.parametrize(
    "source", ["<p>Schools</p>", '<img alt="A map">', "{% if a %}Our school{% endif %}"]
)
def test_words_without_translation_are_seen(source: str) -> None:
    assert untranslated(source)


def test_translated_words_are_let_be() -> None:
    good = '{% blocktranslate %}Words{% endblocktranslate %} <p title="{{ a }}">{{ words }} · </p>'
    assert not untranslated(good)


GETTEXT = {
    "_",
    "gettext",
    "gettext_lazy",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
}


def formatted_inside(module: ast.Module) -> Iterator[int]:
    """Translation calls around text that is put together at run time: no catalogue holds it."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in GETTEXT and any(_put_together(arg) for arg in node.args):
            yield node.lineno


def _put_together(arg: ast.expr) -> bool:
    if isinstance(arg, ast.JoinedStr | ast.BinOp):
        return True
    return (
        isinstance(arg, ast.Call)
        and isinstance(arg.func, ast.Attribute)
        and arg.func.attr == "format"
    )


def test_no_formatted_string_stands_inside_a_translation_call() -> None:
    found = [
        where(path, line)
        for path in modules("brightspots_web")
        for line in formatted_inside(tree(path))
    ]
    assert not found


@pytest.mark.parametrize("code", ['_(f"{n} schools")', '_("%s" % n)', '_("{}".format(n))'])
def test_a_formatted_string_would_be_seen(code: str) -> None:
    assert list(formatted_inside(ast.parse(code)))
