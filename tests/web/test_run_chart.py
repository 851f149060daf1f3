"""Run charts: what the published rules find, what they pass over, how it is drawn and said."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightspots_web.shared import charts
from brightspots_web.shared.charts import run_rules
from brightspots_web.shared.charts.run_rules import limits, read

BEGIN = date(2026, 3, 2)
LEVEL = [4.0, 6.0] * 8


def points(values: list[float], every: int = 7) -> list[charts.RunPoint]:
    return [
        charts.RunPoint(BEGIN + timedelta(days=every * at), value)
        for at, value in enumerate(values)
    ]


def drawn(values: list[float], *, up: bool = True, unit: str = "") -> charts.Chart:
    return charts.run_chart(
        key="k", title="Pupils who read", points=points(values), unit=unit, up_is_better=up,
        marks=[charts.Mark(BEGIN + timedelta(days=14), "test begins")],
    )  # fmt: skip


def said(values: list[float], *, up: bool = True) -> str:
    return " ".join(charts.run_reading(points(values), up_is_better=up))


def test_the_limits_of_runs_are_those_of_the_exact_distribution() -> None:
    """Counted here from all orders of five above and five below: 252 of them, equally likely."""
    orders = _orders(5, 5)
    counts: dict[int, int] = {}
    for order in orders:
        runs = 1 + sum(a != b for a, b in pairwise(order))
        counts[runs] = counts.get(runs, 0) + 1
    assert sum(counts.values()) == 252
    low, high = limits(5, 5)
    assert sum(n for runs, n in counts.items() if runs < low) / 252 <= run_rules.EACH_END
    assert sum(n for runs, n in counts.items() if runs <= low) / 252 > run_rules.EACH_END
    assert sum(n for runs, n in counts.items() if runs > high) / 252 <= run_rules.EACH_END
    assert sum(n for runs, n in counts.items() if runs >= high) / 252 > run_rules.EACH_END


def _orders(above: int, below: int) -> list[str]:
    if not above or not below:
        return ["A" * above + "B" * below]
    first = ["A" + rest for rest in _orders(above - 1, below)]
    return first + ["B" + rest for rest in _orders(above, below - 1)]


@pytest.mark.parametrize(
    ("n", "printed"),
    [
        # Swed and Eisenhart (1943), two-sided 5 in 100, as reprinted for run charts. Where the
        # halves are uneven (odd n) or a probability lies at the edge the print differs by one.
        (10, (3, 9)), (14, (4, 12)), (16, (5, 13)), (18, (6, 14)), (19, (6, 15)), (24, (8, 18)),
        (26, (9, 19)), (28, (10, 20)), (30, (11, 21)), (34, (12, 24)), (40, (15, 27)),
        (60, (24, 38)),
    ],
)  # fmt: skip
def test_the_limits_agree_with_the_printed_table(n: int, printed: tuple[int, int]) -> None:
    assert limits(n // 2, n - n // 2) == printed


def test_six_in_a_row_on_one_side_are_a_shift_and_five_are_not() -> None:
    five = [1.0] * 5 + [9.0] * 5 + [1.0, 9.0]
    assert not read(five).shifts
    six = [1.0] * 6 + [9.0] * 6
    assert [(each.length, each.up) for each in read(six).shifts] == [(6, False), (6, True)]


def test_a_point_on_the_median_neither_breaks_a_run_nor_adds_to_it() -> None:
    values = [1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 9.0, 9.0, 9.0, 5.0, 9.0, 9.0, 9.0]
    found = read(values)
    assert found.median == 5
    assert found.useful == 12
    assert [each.length for each in found.shifts] == [6, 6]
    assert found.shifts[0].first == 0
    assert found.shifts[0].last == 6
    assert found.runs == 2


def test_five_that_rise_are_a_trend_and_equal_neighbours_count_once() -> None:
    rising = [5.0, 3.0, 1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 4.0, 6.0, 1.0, 6.0]
    found = read(rising)
    assert [(each.first, each.last, each.length, each.up) for each in found.trends] == [
        (2, 7, 5, True)
    ]
    assert not read([5.0, 3.0, 1.0, 2.0, 2.0, 3.0, 4.0, 3.5, 4.0, 6.0, 1.0, 6.0]).trends


def test_too_many_runs_are_seen_too() -> None:
    found = read(LEVEL)
    assert found.runs == 16
    assert found.too_many_runs
    assert "by turns" in said(LEVEL)


def test_below_ten_points_off_the_median_nothing_is_said() -> None:
    nine = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]  # one of them is the median
    assert not read(nine).signal
    assert "Too few points to say" in said(nine)
    assert "there are 8" in said(nine)
    ten = [*nine, 10.0]
    assert read(ten).enough
    assert "A trend: 10 points in a row, each better than the one before." in said(ten)


def test_where_less_is_better_the_words_turn_round() -> None:
    falling = [9.0] * 6 + [1.0] * 6
    assert "6 points in a row on the better side" in said(falling, up=False)
    ten = [float(10 - at) for at in range(10)]
    assert "each better than the one before" in said(ten, up=False)
    assert "each less good than the one before" in said(ten, up=True)


def test_without_a_signal_it_says_that_chance_alone_may_do_this() -> None:
    quiet = [4.0, 6.0, 5.5, 3.0, 7.0, 4.5, 4.0, 6.5, 6.0, 3.5, 4.2, 6.1]
    assert not read(quiet).signal
    assert "Nothing here that chance alone would not bring" in said(quiet)
    assert "likely at work" not in said(quiet)


@given(st.lists(st.integers(-20, 20).map(float), max_size=40))
def test_turned_upside_down_the_rules_find_the_same(values: list[float]) -> None:
    found, turned = read(values), read([-value for value in values])
    assert (found.runs, found.useful, found.limits) == (turned.runs, turned.useful, turned.limits)
    assert [(e.first, e.last, not e.up) for e in found.shifts] == [
        (e.first, e.last, e.up) for e in turned.shifts
    ]
    assert [(e.first, e.last, not e.up) for e in found.trends] == [
        (e.first, e.last, e.up) for e in turned.trends
    ]


def test_the_chart_says_what_it_shows_and_has_its_numbers() -> None:
    chart = drawn([*[4.0] * 6, *[9.0] * 6], unit="of 12")
    assert "12 values" in chart.description
    assert "the median is 6.5 (of 12)" in chart.description
    assert "A shift" in chart.description
    assert chart.rows[0][1] == "9"
    assert len(chart.rows) == 12
    assert "test begins" in chart.svg
    assert "median 6.5" in chart.svg
    assert "better" in chart.svg
    assert [item.label for item in chart.legend] == [
        "a shift on the better side", "a shift on the other side",
    ]  # fmt: skip
    for wrong in ("p =", "p-value", "significant"):
        assert wrong not in chart.description


def test_values_of_any_order_are_drawn_by_their_days() -> None:
    given = points([1.0, 2.0, 3.0])
    one = charts.run_chart(key="k", title="t", points=given)
    other = charts.run_chart(key="k", title="t", points=given[::-1])
    assert one == other


def test_one_value_equal_values_and_none_are_drawn_without_a_fault() -> None:
    assert "One value" in drawn([3.0]).description
    assert "Too few points" in drawn([3.0] * 12).description
    empty = charts.run_chart(key="k", title="t", points=[])
    assert empty.empty


def test_what_people_write_is_never_markup() -> None:
    note = charts.RunPoint(BEGIN, 1.0, note="<script>alert(1)</script>")
    mark = charts.Mark(BEGIN, "<b>begins</b>")
    chart = charts.run_chart(key="k", title="<i>", points=[note], marks=[mark])
    assert "<b>" not in chart.svg
    assert "<script>" not in chart.svg
    assert "<i>" not in chart.svg
