"""Codes for missing figures, numbers as ministries write them, years and dates."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brightspots.core.cells import find_decimal_mark, read_dates, read_numbers, read_years
from brightspots.core.nonvalues import EMPTY, NON_VALUES, known_codes

CODES = known_codes()


def number(text: str, decimal: str = ".", **options):
    read = read_numbers(pl.Series([text]), decimal, CODES, **options)
    return read.value[0], read.code[0], read.bad[0]


@pytest.mark.parametrize("code", ["NA", "SUPP", "NE", "NEW", "LOWCOV", "NP"])
def test_every_code_is_kept_as_its_own(code):
    assert code in NON_VALUES
    for written in (code, code.lower(), f"  {code.title()}\u00a0"):
        assert number(written) == (None, code, False)


@pytest.mark.parametrize("empty", ["", " ", "\u00a0", "\t"])
def test_an_empty_cell_has_a_code_of_its_own(empty):
    assert number(empty) == (None, EMPTY, False)


def test_further_codes_come_from_the_mapping():
    codes = known_codes({"abs ": "absent"})
    assert codes["ABS"] == "absent"
    read = read_numbers(pl.Series(["Abs", "x"]), ".", codes)
    assert read.code.to_list() == ["ABS", None]
    assert read.bad.to_list() == [False, True]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("12.5", 12.5),
        (" 12.5 ", 12.5),
        ("\u00a012\u00a0", 12.0),
        ("-1.2", -1.2),
        ("\u22121.2", -1.2),
        ("+3", 3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1,234", 1234.0),
        ("1,234,567.25", 1234567.25),
        ("12,34,567", 1234567.0),
        ("1 234", 1234.0),
        ("1\u00a0234", 1234.0),
        ("1\u202f234\u202f567", 1234567.0),
        ("1'234", 1234.0),
        ("12%", 12.0),
        ("12.5 %", 12.5),
        ("\u22121.5%", -1.5),
        ("1e3", 1000.0),
    ],
)
def test_numbers_are_read_as_ministries_write_them(text, value):
    assert number(text) == (value, None, False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12,5", 12.5),
        ("1.234,5", 1234.5),
        ("1 234,5", 1234.5),
        ("1.234", 1234.0),
        ("7", 7.0),
        ("\u22120,5", -0.5),
        ("12,5 %", 12.5),
    ],
)
def test_decimal_commas_are_read_where_they_are_used(text, value):
    assert number(text, ",") == (value, None, False)


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "1,23,4",
        "12,5",
        "1.2.3",
        "--1",
        "1-2",
        "inf",
        "NaN",
        "1e999",
        "%",
        "-",
        ".",
        "12%%",
        "=1+1",
        "#N/A",
        "1 23",
        "0x10",
    ],
)
def test_what_is_no_number_is_bad_and_never_guessed(text):
    assert number(text) == (None, None, True)


def test_a_point_is_refused_where_the_comma_is_the_decimal_mark():
    assert number("12.5", ",") == (None, None, True)


def test_a_comma_that_can_be_read_in_two_ways_is_refused_where_asked():
    read = read_numbers(pl.Series(["1,234", "1,234,567"]), ".", CODES, strict=True)
    assert read.unclear.to_list() == [True, False]
    assert read.value.to_list() == [None, 1234567.0]


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["12,5", "13"], (",", True)),
        (["1.234,5", "1.234"], (",", True)),
        (["12.5", "13"], (".", True)),
        (["12.5", "13,5"], (".", True)),
        (["12", "SUPP", ""], (".", False)),
        (["1,234"], (".", False)),
        (["12,5%"], (",", True)),
    ],
)
def test_the_decimal_mark_is_found_by_the_numbers(texts, mark):
    assert find_decimal_mark([pl.Series(texts)]) == mark


@settings(max_examples=200, deadline=None)
@given(
    value=st.integers(-(10**9), 10**9),
    cents=st.integers(0, 99),
    group=st.sampled_from(["", ",", " ", "\u00a0", "\u202f", "'"]),
    percent=st.sampled_from(["", "%", " %"]),
)
def test_separators_of_thousands_never_change_a_number(value, cents, group, percent):
    whole = f"{abs(value):,}".replace(",", group)
    text = f"{'-' if value < 0 else ''}{whole}.{cents:02d}{percent}"
    expected = float(f"{'-' if value < 0 else ''}{abs(value)}.{cents:02d}")
    assert number(text) == (expected, None, False)
    comma = text.replace(",", "~").replace(".", ",").replace("~", ".")
    assert number(comma, ",") == (expected, None, False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=6), st.sampled_from([".", ","]))
def test_every_cell_is_a_number_or_a_code_or_bad(texts, decimal):
    read = read_numbers(pl.Series(texts, dtype=pl.String), decimal, CODES)
    for value, code, bad in zip(read.value, read.code, read.bad, strict=True):
        assert [value is not None, code is not None, bad].count(True) == 1


def test_school_years_are_known_by_the_year_they_end_in():
    texts = ["2022", "2016/17", "2016-2017", "2022_2023", "1999/00", "2022.0", "", "2016/18", "x"]
    value, code, bad = read_years(pl.Series(texts), CODES)
    assert value.to_list() == [2022, 2017, 2017, 2023, 2000, 2022, None, None, None]
    assert code.to_list() == [None] * 6 + ["EMPTY", None, None]
    assert bad.to_list() == [False] * 7 + [True, True]


def test_dates_are_read_in_the_order_of_the_file():
    texts = pl.Series(["2020-04-03", "03/04/2020", "21-01-2021", "1998", "31/02/2020", ""])
    value, code, bad = read_dates(texts, "auto", CODES)
    assert value.to_list()[:4] == [
        dt.date(2020, 4, 3),
        dt.date(2020, 4, 3),
        dt.date(2021, 1, 21),
        dt.date(1998, 1, 1),
    ]
    assert bad.to_list() == [False] * 4 + [True, False]
    assert code[5] == "EMPTY"


def test_a_second_part_above_twelve_shows_the_month_comes_first():
    value, _, bad = read_dates(pl.Series(["03/04/2020", "01/21/2021"]), "auto", CODES)
    assert value.to_list() == [dt.date(2020, 3, 4), dt.date(2021, 1, 21)]
    assert not bad.any()
