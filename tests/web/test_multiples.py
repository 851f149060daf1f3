"""Small multiples: a drawing for each school, one scale, nothing drawn where nothing is shown."""

import re

from brightspots_web.shared import charts
from brightspots_web.shared.charts import Estimate, Series


def drawn(*panels: Series) -> charts.Chart:
    return charts.multiples(key="m", title="Years", panels=panels, unit="points", digits=1)


def test_each_school_has_its_drawing_its_words_and_its_rows() -> None:
    chart = drawn(
        Series("Ash", (Estimate("2021", 1.0, 0.5, 1.5), Estimate("2022", 2.0, 1.5, 2.5))),
        Series("Birch", (Estimate("2021", -1.0, -2.0, 0.0),)),
    )
    assert chart.svg.count("<svg") == 2
    assert "2021: +1.0 (+0.5 to +1.5); 2022: +2.0 (+1.5 to +2.5)" in chart.svg
    assert [row[:3] for row in chart.rows] == [
        ("Ash", "2021", "+1.0"), ("Ash", "2022", "+2.0"), ("Birch", "2021", "−1.0"),
    ]  # fmt: skip


def test_all_stand_on_one_scale() -> None:
    small = Series("Ash", (Estimate("2021", 1.0, 0.9, 1.1),))
    alone, beside = drawn(small), drawn(small, Series("Birch", (Estimate("2021", 50.0, 40, 60),)))

    def height(chart: charts.Chart) -> float:
        found = re.search(r"<circle[^>]*cy=\"([\d.]+)\"", str(chart.svg))
        assert found is not None
        return float(found[1])

    assert height(alone) != height(beside)


def test_a_year_that_is_missing_breaks_the_line() -> None:
    years = [Estimate(str(year), 1.0, 0.5, 1.5) for year in (2021, 2022, 2023)]
    whole = drawn(Series("Ash", tuple(years)))
    broken = drawn(Series("Ash", (years[0], years[2])), Series("Birch", (years[1],)))
    joins = re.compile(r'stroke-width="1.5"[^>]*/>|<line[^>]*stroke-width="1.5"')
    lines = [len(re.findall(r"<line[^>]*stroke-width=\"1.5\"", str(each.svg)))
             for each in (whole, broken)]  # fmt: skip
    assert joins.search(str(whole.svg))
    assert lines == [2, 0]


def test_names_are_no_markup() -> None:
    chart = drawn(Series("<b>Ash</b>", (Estimate("2021", 1.0, 0.5, 1.5),)))
    assert "<b>" not in chart.svg


def test_without_a_figure_the_drawing_says_so() -> None:
    assert drawn(Series("Ash", (Estimate("2021", None),))).empty
