"""The components render what they are given, and hold the promises of the design."""

import re
from pathlib import Path

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import engines
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.utils import translation

import brightspots_web.shared
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, KeyFigure, Link, NavItem, Table

SHARED = Path(brightspots_web.shared.__file__).parent
TEMPLATES = sorted((SHARED / "templates").rglob("*.html"))
OURS = charts.Estimate("Our school", 3.1, 1.0, 5.2, 112)


@pytest.fixture(autouse=True)
def _english() -> object:
    with translation.override("en"):
        yield


def component(name: str, **context: object) -> str:
    request = RequestFactory().get("/schools/?q=a&page=3")
    template = engines["django"].from_string(f'{{% include "shared/components/{name}.html" %}}')
    # The bare engine leaves the context processors out: components must not need them.
    return template.render({**context, "request": request})


ROWS: list[list[Cell]] = [
    [Link("Acacia", "/s/1/"), 1412, Badge("bright spot", "bright")],
    ["Fig <Tree>", None, ""],
]


def table(sort: str = "name", *, rows: list[list[Cell]] = ROWS) -> Table:
    columns = [Column("School", "name"), Column("Pupils", "pupils", numeric=True), Column("State")]
    exports = [Link("CSV", "/schools.csv")]
    return Table("Schools", columns, rows, sort=sort, exports=exports, empty="No school fits.")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_compiles_and_carries_no_inline_style_or_script(path: Path) -> None:
    source = path.read_text()
    get_template(str(path.relative_to(SHARED / "templates")))
    assert not re.search(r"""\sstyle\s*=|<style|<script(?![^>]*\bsrc=)|\son\w+\s*=""", source)


def test_the_style_sheet_stays_under_its_budget_and_asks_for_no_font() -> None:
    sheet = (SHARED / "static/shared/brightspots.css").read_text()
    assert len(sheet.encode()) < 25_000
    assert "@font-face" not in sheet
    assert "url(" not in sheet


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("token", "ground", "least"),
    [
        ("ink", "ground", 7),
        ("soft", "ground", 4.5),
        ("accent", "accent-tint", 4.5),
        ("edge", "ground", 3),
    ],
)
def test_colours_reach_their_contrast(token: str, ground: str, least: float) -> None:
    sheet = (SHARED / "static/shared/brightspots.css").read_text()
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", sheet))
    assert contrast(colours[token], colours[ground]) >= least


def test_a_figure_shows_drawing_words_and_numbers() -> None:
    chart = charts.intervals(key="k", title="Reading", rows=[OURS])
    html = component("figure", chart=chart, caption="In plain words.", made_url="/runs/1/")
    assert chart.svg in html
    assert "In plain words." in html
    assert 'href="/runs/1/"' in html
    assert re.search(r"<details.*Show the numbers.*\+1\.0 to \+5\.2.*</details>", html, re.S)


def test_an_empty_figure_offers_no_numbers() -> None:
    html = component("figure", chart=charts.intervals(key="k", title="Reading", rows=[]))
    assert "Show the numbers" not in html


def test_a_key_figure_says_how_sure_it_is() -> None:
    figure = KeyFigure("Mathematics", "+3.1", interval="+1.0 and +5.2", n=1120, n_of="pupils")
    html = re.sub(r"\s+", " ", component("key_figure", figure=figure))
    assert "likely between +1.0 and +5.2 · 1,120 pupils" in html


def test_a_column_in_force_turns_round_and_paging_starts_afresh() -> None:
    html = component("table", table=table("name"))
    assert 'aria-sort="ascending"' in html
    assert 'href="?q=a&amp;sort=-name"' in html
    assert 'href="?q=a&amp;sort=pupils"' in html


def test_cells_are_escaped_formatted_and_named_for_the_phone() -> None:
    html = component("table", table=table())
    assert '<th scope="row"><a href="/s/1/">Acacia</a></th>' in html
    assert '<td data-label="Pupils" class="num">1,412</td>' in html
    assert "Fig &lt;Tree&gt;" in html
    assert "not known" in html
    assert '<a href="/schools.csv">CSV</a>' in html


def test_a_row_that_does_not_fit_its_columns_is_an_error_not_a_shifted_cell() -> None:
    with pytest.raises(ValueError, match="zip"):
        component("table", table=table(rows=[["Acacia"]]))


def test_an_empty_table_says_so() -> None:
    assert "No school fits." in component("table", table=table(rows=[]))


def test_paging_keeps_the_filters() -> None:
    html = component("pager", page_obj=Paginator(range(95), 20).page(3))
    assert "Page 3 of 5" in html
    assert 'href="?q=a&amp;page=4"' in html


def test_a_form_with_an_error_leads_to_its_field() -> None:
    class Contact(forms.Form):
        email = forms.EmailField(label="Email")

    html = component("form", form=Contact({"email": "nope"}))
    assert re.search(r'<div class="errors" role="alert".*<a href="#id_email">Email: ', html, re.S)
    assert 'aria-invalid="true"' in html
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described
    assert all(f'id="{part}"' in html for part in described[1].split())


def test_every_page_of_a_sample_says_that_its_data_are_invented() -> None:
    words = "Invented data: no such school exists."
    sample = {"name": "Sample", "is_sample": True}
    assert words in render_to_string("shared/base.html", {"system": sample})
    assert words not in render_to_string("shared/base.html", {"system": {"name": "Real"}})


def test_the_place_where_one_is_is_marked_in_the_menu() -> None:
    html = component("navigation", navigation=[NavItem("Home", "/"), NavItem("Us", "/us/", True)])
    assert re.findall(r'aria-current="page">(\w+)<', html) == ["Us"]


def test_another_appointment_is_one_post_away() -> None:
    person = {"user": {"is_authenticated": True}, "acting": "Head teacher, Acacia"}
    other = Link("System leader, Acacia partnership", "/act-as/2/")
    html = render_to_string("shared/base.html", {**person, "switches": [other]})
    assert re.search(r'<form method="post" action="/act-as/2/">.*System leader', html, re.S)
    assert "act-as" not in render_to_string("shared/base.html", person)


@pytest.mark.parametrize("code", ["403", "403_csrf", "404", "429", "500", "503"])
def test_an_error_page_needs_no_context(code: str) -> None:
    html = get_template(f"{code}.html").render()
    assert html.count("<h1>") == 1
    assert 'href="/"' in html
