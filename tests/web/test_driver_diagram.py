"""The drawing of a driver diagram: what stands where, what leads where, and what is said of it."""

import random
import re
from xml.etree import ElementTree

import pytest
from django.utils import translation

from brightspots_web.shared import charts
from brightspots_web.shared.charts import Chart, Driver

THREE_DEEP = (
    Driver(
        "See how each child reads",
        (
            Driver("A monthly check", (Driver("On one page"), Driver("In pairs"))),
            Driver("Used on Monday"),
        ),
    ),
    Driver("Books"),
)


@pytest.fixture(autouse=True)
def _english() -> object:
    with translation.override("en"):
        yield


def drawn(drivers: tuple[Driver, ...] = THREE_DEEP, **more: str) -> Chart:
    more.setdefault("aim", "Every child reads by ten")
    return charts.driver_diagram(key="k", title="What drives it", drivers=drivers, **more)


def tree(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(f"<root>{chart.svg}</root>")  # noqa: S314 - our own drawing


def named(chart: Chart, tag: str) -> list[ElementTree.Element]:
    return [each for each in tree(chart).iter() if each.tag.split("}")[-1] == tag]


def number(element: ElementTree.Element, name: str) -> float:
    return float(element.get(name, "nan"))


def boxes(chart: Chart) -> list[tuple[float, float, float, float]]:
    return [
        (number(e, "x"), number(e, "y"), number(e, "width"), number(e, "height"))
        for e in named(chart, "rect")
    ]


def many(n: int = 40) -> tuple[Driver, ...]:
    draw = random.Random(5)  # noqa: S311 - a drawing, not a secret
    words = ["pupils", "teachers", "read", "together", "every", "week", "books", "mathematics"]

    def label() -> str:
        return " ".join(draw.choice(words) for _ in range(draw.randint(1, 18)))

    return tuple(
        Driver(label(), (Driver(label(), (Driver(label()), Driver(label()))),))
        for _ in range(n // 4)
    )


def test_the_drawing_is_as_it_was_agreed() -> None:
    """The two boxes and the line of the smallest diagram, to the pixel."""
    chart = drawn((Driver("Books"),))
    assert boxes(chart) == [(0, 34, 300, 38), (336, 34, 330, 38)]
    line, tip = (e.get("d") for e in named(chart, "path"))
    assert line == "M307 53.0C321.5 53.0 321.5 53.0 336 53.0"
    assert tip == "M301 53.0l8 -4.5v9z"
    assert [e.text for e in named(chart, "text")] == [
        "Aim", "Primary drivers", "Every child reads by ten", "Books",
    ]  # fmt: skip


def test_each_level_has_its_column_and_its_look() -> None:
    chart = drawn()
    rects = named(chart, "rect")
    assert len(rects) == 7
    columns = sorted({number(e, "x") for e in rects})
    assert columns == [0, 226, 462, 698]
    looks = {number(e, "x"): (e.get("fill"), e.get("stroke-dasharray")) for e in rects}
    assert len(set(looks.values())) == 4
    headings = [e.text for e in named(chart, "text") if e.get("font-size") == "13"]
    assert headings == ["Aim", "Primary drivers", "Secondary drivers", "Ideas to try"]


def test_levels_that_nobody_wrote_have_no_column() -> None:
    chart = drawn((Driver("Books", (Driver("A box"),)),))
    assert "Ideas to try" not in chart.svg
    assert chart.columns == ("Primary driver", "Secondary driver")


@pytest.mark.parametrize("drivers", [THREE_DEEP, many(), (Driver("x" * 140),) * 3])
def test_no_box_hides_another_and_none_leaves_the_drawing(drivers: tuple[Driver, ...]) -> None:
    chart = drawn(drivers, aim_words="Nine in ten, for every child in its fifth year, by 2028")
    root = next(e for e in named(chart, "svg"))
    _left, _top, width, height = map(float, root.get("viewBox", "").split())
    found = boxes(chart)
    for at, (x, y, w, h) in enumerate(found):
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        for x2, y2, w2, h2 in found[at + 1 :]:
            beside = x + w <= x2 or x2 + w2 <= x
            assert beside or y + h <= y2 or y2 + h2 <= y


def test_each_driver_is_joined_to_what_it_drives() -> None:
    chart = drawn()
    lines = [e.get("d", "") for e in named(chart, "path") if e.get("fill") == "none"]
    assert len(lines) == 6
    rights = {round(x + w + 7, 1): y + h / 2 for x, y, w, h in boxes(chart) if x == 0}
    to_aim = [re.match(r"M(\S+) (\S+?)C", line) for line in lines]
    assert sum(1 for each in to_aim if each and float(each[1]) in rights) == 2


def test_words_break_between_words_and_long_ones_are_cut() -> None:
    words = "Teachers of a year plan the next week together beginning with mistakes"
    texts = [e.text or "" for e in named(drawn((Driver(words),)), "text")]
    assert " ".join(texts[3:]) == words
    assert len(texts) > 4
    cut = [e.text or "" for e in named(drawn((Driver("w" * 140),)), "text")][3:]
    assert "".join(cut) == "w" * 140
    assert max(map(len, cut)) < 30


def test_it_says_in_words_and_in_rows_what_it_draws() -> None:
    chart = drawn()
    assert chart.description.startswith("2 primary drivers, 2 secondary drivers, 2 ideas to try.")
    assert "See how each child reads; Books." in chart.description
    assert chart.rows == (
        ("See how each child reads", "A monthly check", "On one page"),
        ("See how each child reads", "A monthly check", "In pairs"),
        ("See how each child reads", "Used on Monday", ""),
        ("Books", "", ""),
    )
    root = next(e for e in named(chart, "svg"))
    assert root.get("role") == "img"
    ids = {e.get("id") for e in tree(chart).iter() if e.get("id")}
    assert set((root.get("aria-labelledby") or "").split()) <= ids


def test_what_people_wrote_is_escaped_and_nothing_runs() -> None:
    chart = drawn((Driver("<script>alert(1)</script> & more"),), aim="<b>")
    assert "<script" not in chart.svg
    assert "style=" not in chart.svg
    listed = charts.driver_list((Driver("<b>", (Driver("&"),)),))
    assert listed == "<ul><li>&lt;b&gt;<ul><li>&amp;</li></ul></li></ul>"


def test_the_fullest_diagram_stays_light() -> None:
    assert len(drawn(many()).svg) < 30_000


def test_nothing_written_yet_is_an_aim_alone() -> None:
    chart = drawn(())
    assert chart.empty
    assert chart.description == "Nobody has written down yet what drives it."
    assert charts.driver_list(()) == ""


def test_a_fourth_level_is_refused() -> None:
    with pytest.raises(ValueError, match="no deeper"):
        drawn((Driver("1", (Driver("2", (Driver("3", (Driver("4"),)),)),)),))
