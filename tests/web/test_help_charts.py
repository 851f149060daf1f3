"""Help between schools, and counts on their way to a target: what these drawings hold true."""

import random
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import translation

from brightspots_web.shared import charts
from brightspots_web.shared.charts import Arrow, Chart, Count, Counted, Helper
from tests.web.help_charts import START, arrows, help_map, helping, schools, to_target


@pytest.fixture(autouse=True)
def _english() -> object:
    with translation.override("en"):
        yield


def tree(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(f"<root>{chart.svg}</root>")  # noqa: S314 - our own drawing


def named(chart: Chart, tag: str) -> list[ElementTree.Element]:
    return [each for each in tree(chart).iter() if each.tag.endswith(f"}}{tag}") or each.tag == tag]


# Counts on their way to a target


def test_the_target_is_drawn_at_nought_and_the_last_count_is_written() -> None:
    chart = to_target(30, 22, 4)
    texts = {each.text: each for each in named(chart, "text")}
    assert "target: none" in texts
    assert "4" in texts
    target = next(e for e in named(chart, "line") if e.get("stroke-width") == "2")
    assert float(target.get("y1", "")) == 190
    assert chart.description.startswith("isolated: 30 on ")
    assert "; the target is 0." in chart.description


def test_a_gap_in_counting_is_as_wide_as_its_days() -> None:
    line = Counted("isolated", tuple(Count(START + timedelta(days=d), 1, 9) for d in (0, 10, 100)))
    chart = charts.to_target(key="k", title="t", lines=[line])
    first, second = (
        float(e.get("x2", "0%")[:-1]) - float(e.get("x1", "0%")[:-1])
        for e in named(chart, "line")
        if e.get("stroke") == "#21409a"
    )
    assert second == pytest.approx(9 * first, rel=0.01)


def test_the_table_has_the_newest_day_first_and_says_out_of_how_many() -> None:
    rows = to_target(30, 22).rows
    assert [row[1:] for row in rows] == [("22", "25", "300"), ("30", "33", "300")]


def test_years_of_days_stay_light_and_keep_the_first_and_the_last() -> None:
    chart = to_target(*range(900, 0, -1), gap=1)
    assert len(chart.rows) <= 112
    assert (chart.rows[0][1], chart.rows[-1][1]) == ("1", "900")
    assert len(chart.svg) < 45_000


# Help between schools


def test_each_help_is_an_arrow_from_who_gives_to_who_receives() -> None:
    there = [Helper("a", "Ant", 1.0, 30.0), Helper("b", "Bee", 1.0, 31.0)]
    chart = charts.help_map(key="k", title="t", schools=there, arrows=[Arrow("a", "b")])
    path = next(e for e in named(chart, "path") if e.get("marker-end"))
    start, end = (path.get("d", "")[1:].split("Q")[0], path.get("d", "").split(" ")[-2])
    assert float(start.split()[0]) < float(end)  # from the west to the east
    assert chart.rows == (("Ant", "Bee", "support"),)
    back = charts.help_map(key="k", title="t", schools=there, arrows=[Arrow("b", "a")])
    assert back.rows == (("Bee", "Ant", "support"),)


def test_giving_and_receiving_look_the_same() -> None:
    """No school's mark tells how much it gives or takes."""
    chart = help_map(60)
    marks = [
        e.get("d", "").partition("a")[2] for e in named(chart, "path") if "a" in e.get("d", "")
    ]
    assert len(set(marks)) == 1


def test_a_school_that_does_both_stands_on_both_sides() -> None:
    there = [Helper(key, key, href=f"/{key}/") for key in ("Ant", "Bee", "Cat")]
    chart = charts.helping(
        key="k", title="t", schools=there, arrows=[Arrow("Ant", "Bee"), Arrow("Bee", "Cat")]
    )
    words = [each.text for each in named(chart, "text")]
    assert words.count("Bee") == 2
    assert [each.get("href") for each in named(chart, "a")].count("/Bee/") == 2


def test_the_drawing_does_not_depend_on_the_order_of_rows() -> None:
    some, among = arrows(40, 20), schools(20)
    drawn = charts.helping(key="k", title="t", schools=among, arrows=some).svg
    on_map = charts.help_map(key="k", title="t", schools=among, arrows=some).svg
    for seed in range(5):
        shuffle = random.Random(seed).shuffle  # noqa: S311 - a drawing
        shuffle(some)
        shuffle(among)
        assert charts.helping(key="k", title="t", schools=among, arrows=some).svg == drawn
        assert charts.help_map(key="k", title="t", schools=among, arrows=some).svg == on_map


def crossings(chart: Chart) -> int:
    lines = [
        (float(e.get("y1", "")), float(e.get("y2", "")))
        for e in named(chart, "line")
        if e.get("marker-end")
    ]
    return sum((a1 - b1) * (a2 - b2) < 0 for a1, a2 in lines for b1, b2 in lines) // 2


def test_pairs_that_need_not_cross_do_not() -> None:
    there = [Helper(f"{side}{i}", f"{side}{9 - i if side == 'R' else i}")
             for side in "LR" for i in range(9)]  # fmt: skip
    pairs = [Arrow(f"L{i}", f"R{i}") for i in range(9)]
    chart = charts.helping(key="k", title="t", schools=there, arrows=pairs)
    assert crossings(chart) == 0


def test_more_names_than_can_be_read_are_refused() -> None:
    many = arrows(600, 200)
    assert not charts.helping_fits(many)
    with pytest.raises(ValueError, match="cannot be read"):
        charts.helping(key="k", title="t", schools=schools(200), arrows=many)
    assert charts.helping_fits(arrows(10, 20))
    assert helping(10) is not None


def test_very_many_arrows_merge_and_none_is_lost() -> None:
    chart = help_map(3000, 900)
    titles = [e.text or "" for e in named(chart, "title") if "arrow" in (e.text or "")]
    assert sum(int("".join(filter(str.isdigit, words))) for words in titles) == 3000
    assert len(chart.rows) == 3000
    assert len(chart.svg) < 130_000


def test_help_whose_place_is_not_known_is_said_and_stays_in_the_table() -> None:
    there = [Helper("a", "Ant", 1.0, 30.0), Helper("b", "Bee", 1.0, 31.0), Helper("c", "Cat")]
    both = [Arrow("a", "b"), Arrow("a", "c")]
    chart = charts.help_map(key="k", title="t", schools=there, arrows=both)
    assert "For 1 more the place of a school is not known." in chart.description
    assert len(chart.rows) == 2
