"""Every chart: well formed, speaks in words, shows its numbers, stays light, stays honest."""

import math
import random
import re
from collections.abc import Callable
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from django.utils import translation

from brightspots_web.shared import charts
from brightspots_web.shared.charts import Chart, Estimate
from brightspots_web.shared.charts.projection import Projection, compact_path
from brightspots_web.shared.charts.scale import fit, nice_step
from tests.web import help_charts

OURS = Estimate("Our school", 3.1, 1.0, 5.2, 112)
SQUARE = ((36.0, -2.0), (37.0, -2.0), (37.0, -1.0), (36.0, -1.0), (36.0, -2.0))


def spread(n: int, seed: int = 1) -> list[float]:
    draw = random.Random(seed)  # noqa: S311  # a drawing, not a secret
    return [draw.gauss(0, 2) for _ in range(n)]


def years(*values: float | None) -> tuple[Estimate, ...]:
    return tuple(
        Estimate(str(2021 + i), v, v - 1, v + 1) if v is not None else Estimate(str(2021 + i), None)
        for i, v in enumerate(values)
    )


def schools(n: int, *, groups: int = 5) -> list[charts.Point]:
    draw = random.Random(2)  # noqa: S311  # as above
    return [
        charts.Point(
            f"School {i}",
            -6 + draw.gauss(0, 0.3),
            37 + draw.gauss(0, 0.3),
            href=f"/schools/{i}/",
            group=f"Partnership {i % groups}",
            leader=i < groups,
        )
        for i in range(n)
    ]


def family(values: list[float | None], ours: Estimate = OURS) -> Chart:
    return charts.family_strip(key="k", title="Reading", estimate=ours, family=values)


def rows(*estimates: Estimate) -> Chart:
    return charts.intervals(key="k", title="Reading", rows=estimates)


def trend(*values: float | None) -> Chart:
    return charts.trend(
        key="k", title="Reading", series=[charts.Series("Our school", years(*values))]
    )


def spread_chart(values: list[float | None]) -> Chart:
    return charts.histogram(key="k", title="All schools", values=values)


def areas(*values: float | None) -> Chart:
    moved = [tuple((x + i, y) for x, y in SQUARE) for i, _ in enumerate(values)]
    return charts.area_map(
        key="k",
        title="Areas",
        value_label="average",
        areas=[
            charts.Area(f"Area {i}", value, (ring,), f"/areas/{i}/", n=10 + i)
            for i, (value, ring) in enumerate(zip(values, moved, strict=True))
        ],
    )


def grid() -> Chart:
    return charts.strengths_grid(
        key="k",
        title="Strengths",
        members=[("Acacia", "/schools/1/"), ("Baobab & Sons <1>", "")],
        priorities=["Reading", "Numbers"],
        cells={("Acacia", "Reading"): OURS, ("Acacia", "Numbers"): Estimate("", -1, -2, 0)},
    )


def parts(*values: float | None) -> Chart:
    return charts.shares(
        key="k",
        title="Where differences come from",
        parts=[charts.Share(f"part {i}", value, noise=i == 0) for i, value in enumerate(values)],
    )


def school_map(n: int) -> Chart:
    return charts.school_map(key="k", title="Our schools", points=schools(n))


def spots_map(n: int) -> Chart:
    stages: list[charts.Stage] = ["found", "visited", "sure", "rest"]
    points = [
        charts.SpotMark(
            f"S{i} & <co>", 1 + i % 40 / 40, 30 + i % 37 / 37, stages[i % 4], f"/s/{i}/"
        )
        for i in range(n)
    ]
    return charts.spots_map(key="k", title="Bright spots", points=points)


TYPICAL: dict[str, tuple[Callable[[], Chart], int]] = {
    "family_strip": (lambda: family([*spread(50)]), 6_000),
    "intervals": (lambda: rows(OURS, Estimate("Science", -1, -2, 0)), 6_000),
    "trend": (lambda: trend(1.0, 2.0, 3.0), 6_000),
    "shares": (lambda: parts(0.3, 0.5, 0.2), 6_000),
    "histogram": (lambda: spread_chart([*spread(900)]), 6_000),
    "strengths_grid": (grid, 6_000),
    "area_map": (lambda: areas(1.0, 2.0, None), 6_000),
    "school_map": (lambda: school_map(30), 9_000),
    "spots_map": (lambda: spots_map(30), 9_000),
}
EXTREMES: dict[str, Callable[[], Chart]] = {
    "strip, family empty": lambda: family([]),
    "strip, nothing but not-a-number": lambda: family(
        [math.nan, None], Estimate("Our school", None)
    ),
    "strip, all equal": lambda: family([2.0] * 50, Estimate("Our school", 2.0, 2.0, 2.0)),
    "strip, ours unknown": lambda: family([*spread(20)], Estimate("Our school", math.nan)),
    "strip, huge interval": lambda: family([*spread(50)], Estimate("Our school", 1.0, -1e6, 1e6)),
    "intervals, none": lambda: rows(),
    "intervals, one without interval": lambda: rows(Estimate("Reading", 2.0)),
    "intervals, infinite bound": lambda: rows(Estimate("Reading", 2.0, -math.inf, 3.0)),
    "trend, none": lambda: trend(),
    "trend, one year": lambda: trend(1.0),
    "trend, a year missing": lambda: trend(1.0, None, 2.0),
    "shares, nothing": lambda: parts(),
    "shares, all nought": lambda: parts(0.0, None),
    "shares, one whole": lambda: parts(0.0, 1.0),
    "histogram, none": lambda: spread_chart([]),
    "histogram, one value": lambda: spread_chart([5.0]),
    "histogram, all equal": lambda: spread_chart([0.0] * 40),
    "areas, none known": lambda: areas(None, None),
    "areas, one": lambda: areas(3.0),
    "areas, all equal": lambda: areas(3.0, 3.0, 3.0),
    "schools, none": lambda: school_map(0),
    "schools, one": lambda: school_map(1),
    "spots, none": lambda: spots_map(0),
    "spots, few and numbered": lambda: spots_map(8),
    "spots, merged": lambda: spots_map(2000),
    "schools on one spot": lambda: charts.school_map(
        key="k", title="t", points=[charts.Point(f"S{i}", 1.0, 2.0) for i in range(20)]
    ),
}
TYPICAL |= help_charts.TYPICAL
EXTREMES |= help_charts.EXTREMES
ALL = {name: make for name, (make, _) in TYPICAL.items()} | EXTREMES


def tree(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(f"<root>{chart.svg}</root>")  # noqa: S314  # our own drawing


@pytest.fixture(autouse=True)
def _english() -> object:
    with translation.override("en"):
        yield


@pytest.mark.parametrize("name", ALL)
def test_a_chart_is_well_formed_and_free_of_style_and_script(name: str) -> None:
    chart = ALL[name]()
    for element in tree(chart).iter():
        assert "style" not in element.attrib
        assert not element.tag.endswith("script")
        assert not any(attribute.startswith("on") for attribute in element.attrib)
    assert not re.search(r"\b(nan|inf|None)\b", chart.svg)


@pytest.mark.parametrize("name", ALL)
def test_a_chart_says_in_words_what_it_draws(name: str) -> None:
    chart = ALL[name]()
    assert chart.title
    assert chart.description
    if chart.shape != "table":
        named = [e for e in tree(chart).iter() if e.get("aria-labelledby")]
        labels = {e.get("id"): e.text for e in tree(chart).iter() if e.get("id")}
        assert [labels[i] for i in str(named[0].get("aria-labelledby")).split()] == [
            chart.title,
            chart.description,
        ]


@pytest.mark.parametrize("name", ALL)
def test_every_row_of_the_table_has_every_column(name: str) -> None:
    chart = ALL[name]()
    assert all(len(row) == len(chart.columns) for row in chart.rows)


@pytest.mark.parametrize("name", TYPICAL)
def test_a_typical_chart_stays_light(name: str) -> None:
    make, budget = TYPICAL[name]
    assert len(make().svg.encode()) < budget


@pytest.mark.parametrize("name", EXTREMES)
def test_drawing_stays_within_its_width_whatever_the_data(name: str) -> None:
    for element in tree(EXTREMES[name]()).iter():
        for attribute in ("x", "x1", "x2", "cx", "width"):
            value = element.get(attribute, "")
            if value.endswith("%"):
                assert -3 <= float(value[:-1]) <= 103


def test_the_table_holds_the_numbers_given() -> None:
    chart = rows(OURS, Estimate("Science", -0.44, -2, 1.25))
    assert chart.rows == (
        ("Our school", "+3.1", "+1.0 to +5.2", "112"),
        ("Science", "−0.4", "−2.0 to +1.2", "not stated"),
    )


def test_a_family_of_fifty_draws_fifty_dots_none_hiding_another() -> None:
    chart = family([*spread(50)])
    dots = [e for e in tree(chart).iter() if e.tag.endswith("circle") and e.get("r") == "3.6"]
    assert len({(e.get("cx"), e.get("cy")) for e in dots}) == 50


def test_missing_is_not_drawn_as_nought() -> None:
    chart = rows(OURS, Estimate("Science", None))
    assert "not enough evidence yet" in chart.svg
    assert chart.rows[1][1:3] == ("not known", "no interval")


def test_an_interval_that_runs_off_the_scale_ends_in_arrows() -> None:
    def arrows(chart: Chart) -> int:
        return sum(e.tag.endswith("path") for e in tree(chart).iter())

    assert arrows(EXTREMES["strip, huge interval"]()) == 2
    assert arrows(family([*spread(50)])) == 0


def test_a_value_near_nought_keeps_its_own_interval_on_the_scale() -> None:
    near = Estimate("Reading", 0.01, -0.14, 0.15)
    endless = Estimate("Science", 0.02, -9e9, 9e9)
    assert "<path" not in rows(near).svg
    assert rows(near, near, near, endless).svg.count("<path") == 2


def test_a_missing_year_breaks_the_line() -> None:
    def joins(chart: Chart) -> int:
        return sum(
            e.get("stroke-width") == "1.5" and e.tag.endswith("line") for e in tree(chart).iter()
        )

    assert joins(trend(1.0, 2.0, 3.0)) == 2
    assert joins(trend(1.0, None, 3.0)) == 0


def test_bins_of_one_and_two_schools_cannot_be_told_apart() -> None:
    def bars(chart: Chart) -> set[str | None]:
        return {e.get("height") for e in tree(chart).iter() if e.get("stroke-dasharray") == "3 2"}

    ones = spread_chart([*[0.0] * 30, 7.0])
    twos = spread_chart([*[0.0] * 30, 7.0, 7.0])
    assert bars(ones) == bars(twos)
    assert ones.rows[-1][2] == twos.rows[-1][2] == "fewer than 3"


def test_every_school_is_counted_in_the_bin_that_holds_it() -> None:
    values = [draw + 0.25 for draw in range(-5, 20) for _ in range(4)]
    chart = spread_chart([*values])
    assert sum(int(row[2]) for row in chart.rows) == len(values)
    for low, high, count in chart.rows:
        start, end = (float(edge.replace("−", "-")) for edge in (low, high))
        assert int(count) == sum(start <= value < end for value in values)


def test_text_from_data_is_escaped() -> None:
    chart = rows(Estimate('<script>alert("x")</script>', 1.0, 0.0, 2.0))
    assert "<script>" not in chart.svg
    hostile = charts.Point("A & B <x>", 0.0, 0.0, href='/x" onclick="y')
    assert tree(charts.school_map(key="k", title="t", points=[hostile])) is not None
    assert tree(grid()) is not None


def test_more_than_four_series_are_refused() -> None:
    many = [charts.Series(str(i), years(1.0)) for i in range(5)]
    with pytest.raises(ValueError, match="at most four"):
        charts.trend(key="k", title="t", series=many)


def test_areas_take_darker_steps_for_higher_values_and_unknown_is_hatched() -> None:
    chart = areas(1.0, 2.0, 3.0, 4.0, 5.0, None)
    fills = [
        e.get("fill")
        for e in tree(chart).iter()
        if e.tag.endswith("path") and e.get("d", "").startswith("M") and e.get("fill-rule")
    ]
    assert len(set(fills)) == 6
    assert fills[-1] == "url(#k-hatch)"
    assert [row[1] for row in chart.rows][-1] == "not known"


def test_neighbouring_partnerships_do_not_share_a_style() -> None:
    points = [
        charts.Point(f"S{g}{i}", 1.0 + 0.01 * i, 30.0 + 0.5 * g, group=f"P{g}", leader=i == 0)
        for g in range(4)
        for i in range(5)
    ]
    chart = charts.school_map(key="k", title="t", points=points)
    spokes = [e.get("stroke") for e in tree(chart).iter() if e.get("stroke-opacity")]
    assert len(spokes) == 4
    assert all(one != two for one, two in pairwise(spokes))


def test_above_the_cap_schools_merge_into_cells_that_count_every_one() -> None:
    chart = school_map(2000)
    titles = [e.text or "" for e in tree(chart).iter() if e.tag.endswith("title")][1:]
    assert sum(int(re.sub(r"\D", "", words)) for words in titles) == 2000
    assert len(chart.svg) < 40_000


def test_how_far_people_got_is_told_by_shape_or_lightness_and_counted() -> None:
    chart = spots_map(40)
    drawn = {
        (e.get("fill"), e.get("stroke"), re.sub(r"[\d.\s-]+", "", e.get("d", "")))
        for e in tree(chart).iter()
        if e.tag.endswith("path") and e.get("stroke-width") == "1.6"
    }
    assert len(drawn) == len({(fill, shape) for fill, _edge, shape in drawn}) == 4
    assert [row[1] for row in chart.rows] == ["10", "10", "10", "10"]
    assert len(chart.legend) == 4


def test_few_bright_spots_are_numbered_and_named_beside_the_map() -> None:
    chart = spots_map(3)
    numbers = [e.text for e in tree(chart).iter() if e.tag.endswith("text")]
    assert {"1", "2", "3"} <= set(numbers)
    assert [item.label.split(" (")[0] for item in chart.legend] == [
        "S0 & <co>", "S1 & <co>", "S2 & <co>",
    ]  # fmt: skip


def test_a_nation_of_many_areas_stays_under_forty_kilobytes() -> None:
    def wavy(column: int, row: int) -> charts.Area:
        edge = [(t / 60, 0.02 * math.sin(t / 3)) for t in range(61)]
        ring = [(column + x, row + y) for x, y in edge]
        ring += [(column + 1 - y, row + x) for x, y in edge]
        ring += [(column + 1 - x, row + 1 + y) for x, y in edge]
        ring += [(column - y, row + 1 - x) for x, y in edge]
        return charts.Area(f"A{column}-{row}", float(column * row), (tuple(ring),), "/a/")

    nation = [wavy(column, row) for column in range(9) for row in range(9)]
    chart = charts.area_map(key="k", title="t", areas=nation, value_label="v")
    assert len(chart.svg) < 40_000
    assert sum(e.tag.endswith("a") and e.get("href") == "/a/" for e in tree(chart).iter()) == 81


def test_a_degree_east_is_drawn_shorter_than_a_degree_north_away_from_the_equator() -> None:
    projection = Projection.around([(0.0, 59.5), (1.0, 60.5)])
    x0, y0 = projection.exactly(0.0, 60.0)
    x1, y1 = projection.exactly(1.0, 61.0)
    assert (x1 - x0) / (y0 - y1) == pytest.approx(math.cos(math.radians(60)))
    assert y1 < y0  # north is up


def test_a_ring_becomes_relative_steps_of_a_tenth() -> None:
    assert compact_path([((1.0, 1.0), (2.5, 1.0), (2.5, 0.5), (1.0, 1.0))]) == "M1 1l1.5 0 0-.5z"


@pytest.mark.parametrize(
    ("span", "step"), [(1, 0.5), (10, 5), (9, 5), (8, 2), (0.03, 0.01), (4000, 1000)]
)
def test_ticks_stand_at_one_two_or_five_times_a_power_of_ten(span: float, step: float) -> None:
    assert nice_step(span) == pytest.approx(step)


def test_a_scale_of_equal_values_opens_around_them() -> None:
    scale = fit([7.0, 7.0], 0, 100, zero=False)
    assert scale.low < 7.0 < scale.high
    assert 0 < scale.place(7.0) < 100


def test_numbers_use_a_true_minus_sign_and_never_a_signed_nought() -> None:
    assert charts.number(-3.14, signed=True) == "−3.1"
    assert charts.number(-0.01, signed=True) == "0.0"
    assert charts.number(12345.0, 0) == "12,345"
    assert charts.number(math.nan) == "not known"
