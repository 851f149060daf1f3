"""What rows must say: required fields, ranges, repeated keys, and every refusal explained."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brightspots.core.checks import Checked, apply, read_by
from brightspots.core.errors import InputError
from brightspots.core.mapping import Mapping
from brightspots.core.matching import match_schools
from brightspots.core.schemas import SCHEMAS, parse_key
from brightspots.core.tables import Table, read_table

SCHOOLS = {
    "code": "code",
    "name": "name",
    "area_path": ["region", "council"],
    "latitude": "lat",
    "longitude": "lon",
    "roll": "roll",
}
HEADER = "code,name,region,council,lat,lon,roll\n"


@pytest.fixture
def check(tmp_path: Path):
    def check_(text: str, kind: str, columns: dict, **options) -> Checked:
        path = tmp_path / "file.csv"
        path.write_text(text, encoding="utf-8")
        known = {"max_problems"} & set(options)
        extra = {each: options.pop(each) for each in known}
        return apply(read_table(path), Mapping("test", kind, columns, **options), **extra)

    return check_


@pytest.fixture
def schools(check):
    return lambda rows, **options: check(HEADER + rows, "schools", SCHOOLS, **options)


def found(checked: Checked) -> list[tuple]:
    return checked.problems.select("row", "column", "value", "severity").rows()


def test_schools_are_typed_and_keep_their_leading_zeros(schools):
    checked = schools("007,Kivu,North,Lake,-1.5,29.25,210\n")
    (row,) = checked.rows.to_dicts()
    assert row == {
        "row": 2,
        "code": "007",
        "name": "Kivu",
        "area_path": "North > Lake",
        "latitude": -1.5,
        "latitude__code": None,
        "longitude": 29.25,
        "longitude__code": None,
        "roll": 210,
        "roll__code": None,
    }
    assert checked.rows.schema["roll"] == pl.Int64
    assert (checked.n_rows, checked.n_refused, checked.n_errors, checked.n_warnings) == (1, 0, 0, 0)


def test_codes_for_missing_figures_stay_beside_them(schools):
    checked = schools("1,A,N,L,,,SUPP\n2,B,N,L,1,30,new\n")
    assert checked.rows["roll"].to_list() == [None, None]
    assert checked.rows["roll__code"].to_list() == ["SUPP", "NEW"]
    assert checked.rows["latitude__code"].to_list() == ["EMPTY", None]
    assert checked.n_errors == 0


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ("1,A,N,L,91,30,5", "lat", "91"),
        ("1,A,N,L,1,-181,5", "lon", "-181"),
        ("1,A,N,L,1,30,-5", "roll", "-5"),
        ("1,A,N,L,1,30,5.5", "roll", "5.5"),
        ("1,A,N,L,1,30,900000", "roll", "900000"),
        ("1,A,N,L,north,30,5", "lat", "north"),
        (",A,N,L,1,30,5", "code", None),
        ("1e+05,A,N,L,1,30,5", "code", "1e+05"),
    ],
)
def test_what_cannot_be_is_refused_with_row_column_value_and_cure(schools, row, column, value):
    checked = schools(f"{row}\n9,Z,N,L,1,30,5\n")
    assert found(checked) == [(2, column, value, "error")]
    assert checked.problems["mend"][0]
    assert (checked.n_rows, checked.n_refused) == (2, 1)
    assert checked.rows["code"].to_list() == ["9"]


def test_coordinates_of_nowhere_become_missing_with_a_warning(schools):
    checked = schools("1,A,N,L,0,0,5\n2,B,N,L,0.0,30,5\n3,C,N,L,1,,5\n")
    assert checked.rows["latitude"].to_list() == [None, 0.0, None]
    assert checked.rows["longitude"].to_list() == [None, 30.0, None]
    assert found(checked) == [(2, "lat", "0, 0", "warning"), (4, "lat", None, "warning")]
    assert checked.n_refused == 0


def test_rows_of_one_school_that_differ_are_both_refused_and_name_each_other(schools):
    checked = schools("1,A,N,L,1,30,5\n2,B,N,L,1,31,5\n1,A,N,L,1,30,6\n")
    assert checked.problems.select("row", "also_row", "value", "severity").rows() == [
        (2, 4, "1", "error"),
        (4, 2, "1", "error"),
    ]
    assert checked.rows["code"].to_list() == ["2"]
    assert checked.n_refused == 2


def test_rows_of_one_school_that_agree_are_read_once_with_a_warning(schools):
    checked = schools("1,A,N,L,1,30,5\n1,A,N,L,1.0,30,5\n")
    assert checked.problems.select("row", "also_row", "severity").rows() == [(3, 2, "warning")]
    assert checked.rows["row"].to_list() == [2]
    assert (checked.n_repeated, checked.n_refused) == (1, 0)


def test_ragged_rows_count_as_refused(schools):
    checked = schools("1,A,N,L,1,30,5\n2,B,N\n")
    assert (checked.n_rows, checked.n_refused) == (2, 1)
    assert found(checked) == [(3, None, "2 | B | N", "error")]


def test_all_problems_are_counted_though_few_are_listed(schools):
    rows = "".join(f"{at},A,N,L,99,30,5\n" for at in range(50))
    checked = schools(rows, max_problems=7)
    assert checked.problems.height == 7
    assert checked.n_errors == 50
    assert checked.counts["count"].to_list() == [50]


def test_errors_are_listed_before_warnings_are(schools):
    rows = "".join(f"{at},A,N,L,0,0,5\n" for at in range(9)) + "9,A,N,L,99,30,5\n"
    checked = schools(rows, max_problems=1)
    assert found(checked) == [(11, "lat", "99", "error")]


def test_several_columns_add_up_and_a_missing_part_leaves_the_sum_missing(check):
    text = "code,boys,girls\n1,10,12\n2,10,SUPP\n"
    checked = check(text, "schools", {"code": "code", "roll": ["boys", "girls"]})
    assert checked.rows["roll"].to_list() == [22, None]
    assert checked.rows["roll__code"].to_list() == [None, "SUPP"]


def test_only_mapped_fields_are_in_the_rows(check):
    checked = check("code,lat,lon\n1,1,30\n", "schools", {"code": "code"})
    assert checked.rows.columns == ["row", "code"]


def test_context_is_number_or_text_by_what_it_holds_or_as_told(check):
    text = "code,fsm,kind\n1,12%,rural\n2,NA,urban\n"
    columns = {"code": "code", "context:meals": "fsm", "context:kind": "kind"}
    checked = check(text, "schools", columns)
    assert checked.context_types == {"context:meals": "number", "context:kind": "text"}
    assert checked.rows["context:meals"].to_list() == [12.0, None]
    assert checked.rows["context:meals__code"].to_list() == [None, "NA"]
    assert checked.rows["context:kind"].to_list() == ["rural", "urban"]
    told = check(text, "schools", columns, types={"context:meals": "text"})
    assert told.rows["context:meals"].to_list() == ["12%", "NA"]


def test_one_bad_cell_does_not_turn_a_column_of_numbers_into_text(check):
    text = "code,people\n" + "".join(f"{at},{at}\n" for at in range(30)) + "x,many\n"
    checked = check(text, "schools", {"code": "code", "context:people": "people"})
    assert checked.context_types == {"context:people": "number"}
    assert found(checked) == [(32, "people", "many", "error")]


def test_percentages_beyond_100_and_mixed_signs_are_warned_of(check):
    text = "code,share\n1,120%\n2,12\n3,13%\n"
    checked = check(text, "schools", {"code": "code", "context:share": "share"})
    assert found(checked) == [
        (None, "share", None, "warning"),
        (2, "share", "120%", "warning"),
    ]
    assert checked.rows["context:share"].to_list() == [120.0, 12.0, 13.0]


def test_decimal_commas_of_a_file_are_found(check):
    text = "code;share;people\n1;12,5;1.234\n2;0,5;900\n"
    checked = check(
        text, "schools", {"code": "code", "context:share": "share", "context:people": "people"}
    )
    assert checked.decimal == ","
    assert checked.rows["context:people"].to_list() == [1234.0, 900.0]


def test_a_number_with_two_readings_is_refused_until_the_mapping_decides(check):
    text = "code;mean\n1;1,234\n2;1,300\n"
    columns = {"code": "code", "context:mean": "mean"}
    number = {"context:mean": "number"}
    unclear = check(text, "schools", columns, types=number)
    assert unclear.n_refused == 2
    assert "two ways" in unclear.problems["problem"][0]
    assert check(text, "schools", columns, decimal=",").rows["context:mean"][0] == 1.234
    assert check(text, "schools", columns, decimal=".").rows["context:mean"][0] == 1234.0


def test_formulas_stay_text(check):
    text = 'code,name\n=1+1,"=HYPERLINK(""x"")"\n@a,+b\n-c,-d\n'
    checked = check(text, "schools", {"code": "code", "name": "name"})
    assert checked.rows.select("code", "name").rows() == [
        ("=1+1", '=HYPERLINK("x")'),
        ("@a", "+b"),
        ("-c", "-d"),
    ]


def test_lost_zeros_and_codes_made_decimal_are_warned_of(check):
    codes = [f"1{at:04d}" for at in range(11)] + ["999"]
    checked = check("code\n" + "\n".join(codes) + "\n", "schools", {"code": "code"})
    assert "leading zeros" in checked.problems["problem"][0]
    decimal = check("code,n\n12.0,1\n13.0,2\n", "schools", {"code": "code"})
    assert ".0" in decimal.problems["problem"][0]
    assert decimal.rows["code"].to_list() == ["12.0", "13.0"]


def test_dates_of_opening_are_read(check):
    checked = check(
        "code,o\n1,1998\n2,21-01-2021\n3,soon\n", "schools", {"code": "code", "opened": "o"}
    )
    assert checked.rows["opened"].to_list() == [dt.date(1998, 1, 1), dt.date(2021, 1, 21)]
    assert found(checked) == [(4, "o", "soon", "error")]


# Results by school


def test_results_take_year_and_subject_from_constants(check):
    checked = check(
        "school,mean,n,A,B\nPS1,250.5,21.0,20,1\n",
        "school_results",
        {
            "school": "school",
            "year": {"constant": "2022"},
            "subject": {"constant": "PSLE average"},
            "mean": "mean",
            "candidates": "n",
            "grade:A": "A",
            "grade:B": "B",
        },
    )
    row = checked.rows.drop("row").to_dicts()[0]
    assert {key: value for key, value in row.items() if not key.endswith("__code")} == {
        "school": "PS1",
        "year": 2022,
        "subject": "PSLE average",
        "mean": 250.5,
        "candidates": 21,
        "grade:A": 20,
        "grade:B": 1,
    }


WIDE = {
    "school": "urn",
    "year": "year",
    "candidates": "n",
    "mean@Reading": "read",
    "lower@Reading": "read_lo",
    "upper@Reading": "read_hi",
    "mean@Writing": "writ",
}
WIDE_HEADER = "urn,year,n,read,read_lo,read_hi,writ\n"


def test_wide_results_become_a_row_a_subject(check):
    checked = check(WIDE_HEADER + "1,2016/17,30,1.2,0.1,2.3,SUPP\n", "school_results", WIDE)
    rows = checked.rows.select(
        "row", "school", "year", "subject", "mean", "mean__code", "candidates", "lower", "upper"
    ).rows()
    assert rows == [
        (2, "1", 2017, "Reading", 1.2, None, 30, 0.1, 2.3),
        (2, "1", 2017, "Writing", None, "SUPP", 30, None, None),
    ]
    assert checked.n_rows == 1


def test_one_bad_cell_refuses_its_row_for_every_subject(check):
    checked = check(WIDE_HEADER + "1,2017,30,x,0,1,2\n2,2017,30,1,0,2,2\n", "school_results", WIDE)
    assert checked.rows["school"].to_list() == ["2", "2"]
    assert checked.n_refused == 1


def test_an_interval_upside_down_is_refused_and_a_mean_outside_it_warned_of(check):
    checked = check(WIDE_HEADER + "1,2017,9,1,2,0,1\n2,2017,9,5,0,2,1\n", "school_results", WIDE)
    assert found(checked) == [
        (2, "read_lo", "2.0 to 0.0", "error"),
        (3, "read", "5.0, interval 0.0 to 2.0", "warning"),
    ]


def test_the_same_school_in_another_year_or_subject_is_no_repeat(check):
    columns = {"school": "s", "year": "y", "subject": "t", "mean": "m"}
    text = "s,y,t,m\n1,2021,R,5\n1,2022,R,5\n1,2022,W,5\n1,2022,W,6\n"
    checked = check(text, "school_results", columns)
    assert checked.problems.select("row", "also_row").rows() == [(4, 5), (5, 4)]


@pytest.mark.parametrize("year", ["1850", "2222", "last", ""])
def test_a_year_that_cannot_be_is_refused(check, year):
    columns = {"school": "s", "year": "y", "subject": "t", "mean": "m"}
    checked = check(f"s,y,t,m\n1,{year},R,5\n", "school_results", columns)
    assert found(checked) == [(2, "y", year, "error")]


def test_a_row_without_a_subject_is_refused(check):
    columns = {"school": "s", "year": "y", "subject": "t", "mean": "m"}
    assert check("s,y,t,m\n1,2022,,5\n", "school_results", columns).n_refused == 1


def test_only_the_record_types_wanted_are_read(check):
    columns = {"school": "s", "year": "y", "subject": "t", "mean": "m"}
    text = "s,y,t,m,RECTYPE\n1,2022,R,5,1\n,2022,R,x,4\n"
    checked = check(text, "school_results", columns, keep={"RECTYPE": ["1", "2"]})
    assert (checked.n_rows, checked.n_skipped, checked.n_errors) == (1, 1, 0)


# Results by pupil

PUPILS = {
    "school": "s",
    "year": {"constant": "2022"},
    "pupil": "p",
    "score@Mathematics": "m",
    "score@Reading": "r",
    "context:prior": "q",
}


@pytest.mark.parametrize("shape", ["long", "wide"])
def test_pupils_come_long_or_wide(check, shape):
    checked = check("s,p,m,r,q\n1,01,5,6,4\n", "pupil_results", PUPILS, shape=shape)
    if shape == "long":
        assert checked.rows.select("pupil", "subject", "score", "context:prior").rows() == [
            ("01", "Mathematics", 5.0, 4.0),
            ("01", "Reading", 6.0, 4.0),
        ]
    else:
        assert checked.rows.select("pupil", "score@Mathematics", "score@Reading").rows() == [
            ("01", 5.0, 6.0)
        ]


def test_typed_pupils_survive_parquet(check, tmp_path):
    checked = check("s,p,m,r,q\n1,01,5,NA,4\n", "pupil_results", PUPILS)
    checked.rows.write_parquet(tmp_path / "pupils.parquet")
    assert pl.read_parquet(tmp_path / "pupils.parquet").equals(checked.rows)


def test_a_pupil_twice_in_one_year_is_refused_only_where_pupils_have_codes(check):
    text = "s,p,m,r,q\n1,01,5,6,4\n1,01,5,7,4\n"
    assert check(text, "pupil_results", PUPILS).n_refused == 2
    nameless = {key: source for key, source in PUPILS.items() if key != "pupil"}
    assert check(text, "pupil_results", nameless).n_refused == 0


# Mappings that cannot be used


def test_a_mapping_without_a_needed_field_is_refused(check):
    with pytest.raises(InputError, match="year, subject"):
        check("s,m\n1,2\n", "school_results", {"school": "s", "mean": "m"})


def test_a_column_that_is_not_there_is_named_with_the_nearest(check):
    with pytest.raises(InputError) as raised:
        check("school_id,name\n1,2\n", "schools", {"code": "school_ids"})
    assert raised.value.column == "school_ids"
    assert raised.value.mend == 'Is it "school_id"?'


def test_a_constant_that_cannot_be_a_year_is_refused(check):
    columns = {"school": "s", "year": {"constant": "soon"}, "subject": "t", "mean": "m"}
    with pytest.raises(InputError, match="soon"):
        check("s,t,m\n1,R,5\n", "school_results", columns)


# Finding schools

KNOWN = pl.DataFrame(
    {
        "code": ["1", "2", "3", "4"],
        "name": ["Kivu", "Lake", "Hill", "Hill"],
        "area_path": ["N > A > x", "N > A > y", "N > B > x", "N > B > y"],
    }
)
BY_NAME = {"name": "name", "area_path": ["region", "council"], "roll": "roll"}


def test_results_of_unknown_schools_are_refused_or_left_out(check):
    columns = {"school": "s", "year": "y", "subject": "t", "mean": "m"}
    text = "s,y,t,m\n1,2022,R,5\n9,2022,R,5\n"
    refused = match_schools(check(text, "school_results", columns), KNOWN)
    assert (refused.n_refused, found(refused)) == (1, [(3, "s", "9", "error")])
    skipped = match_schools(check(text, "school_results", columns, unmatched="skip"), KNOWN)
    assert (skipped.n_refused, found(skipped)) == (0, [(3, "s", "9", "warning")])
    assert skipped.rows["school"].to_list() == ["1"]


def test_schools_are_found_by_name_and_area_on_the_levels_both_have(check):
    text = "name,region,council,roll\nKIVU ,n,a,5\nlake,N,A,6\nHill,N,B,7\nKivu,S,A,8\n"
    checked = match_schools(check(text, "schools", BY_NAME, match="name and area"), KNOWN)
    assert checked.rows.select("code", "roll").rows() == [("1", 5), ("2", 6)]
    assert checked.problems.select("row", "problem").rows() == [
        (4, "More than one school in the list has this name in this area."),
        (5, "There is no such school in the list of schools."),
    ]


def test_a_file_with_deeper_areas_than_the_list_is_matched(check):
    text = "name,region,council,roll\nKivu,N,A,5\n"
    shallow = KNOWN.with_columns(area_path=pl.lit("N"))
    checked = match_schools(check(text, "schools", BY_NAME, match="name and area"), shallow)
    assert checked.rows["code"].to_list() == ["1"]


def test_a_school_named_in_two_ways_is_refused(check):
    text = "name,region,council,roll\nKivu,N,A,5\nKivu,N,,6\n"
    checked = match_schools(check(text, "schools", BY_NAME, match="name and area"), KNOWN)
    assert checked.rows.height == 0
    assert checked.problems.select("row", "also_row").rows() == [(2, 3), (3, 2)]


# Field keys


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("schools", "mean"),
        ("schools", "context"),
        ("schools", "name:x"),
        ("schools", "roll@Reading"),
        ("school_results", "grade@Reading"),
        ("school_results", "mean@"),
        ("pupil_results", "context: "),
        ("teachers", "code"),
    ],
)
def test_field_keys_that_mean_nothing_are_refused(kind, key):
    with pytest.raises(InputError):
        parse_key(kind, key)


def test_field_keys_are_taken_apart():
    key = parse_key("school_results", "grade:A@Reading")
    assert (key.field.name, key.name, key.subject, key.base) == ("grade", "A", "Reading", "grade:A")
    assert parse_key("schools", "context:a@b:c").name == "a@b:c"


def test_every_key_of_a_schema_is_one_of_its_fields():
    for schema in SCHEMAS.values():
        assert set(schema.key) <= {field.name for field in schema.fields}


# Any cells

CELL = st.one_of(
    st.sampled_from(["1", "2", "SUPP", "", "0", "12%", "1,5", "x", "2022", "91", "-3", "1e+05"]),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=5),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELL, min_size=4, max_size=4), max_size=8), st.randoms())
def test_every_row_is_used_repeated_or_refused_with_a_reason_in_any_order(rows, random):
    columns = {"school": "a", "year": "b", "subject": "c", "mean": "d"}
    first = apply(_table(rows), Mapping("m", "school_results", columns))
    refused = set(first.problems.filter(pl.col("severity") == "error")["row"].to_list())
    used = set(first.rows["row"].to_list())
    assert not refused & used
    assert len(refused) == first.n_refused
    assert len(used) + first.n_refused + first.n_repeated == first.n_rows == len(rows)
    shuffled = list(rows)
    random.shuffle(shuffled)
    second = apply(_table(shuffled), Mapping("m", "school_results", columns))
    order = ["school", "year", "subject"]
    assert second.rows.drop("row").sort(order).equals(first.rows.drop("row").sort(order))
    assert second.n_refused == first.n_refused


def _table(rows: list[list[str]]) -> Table:
    from brightspots.core.problems import no_problems

    frame = pl.DataFrame(rows, schema=dict.fromkeys("abcd", pl.String), orient="row")
    numbers = pl.Series("row", range(2, 2 + len(rows)), dtype=pl.Int64)
    return Table(
        "t", frame, numbers, "csv", "utf-8", ",", None, 1, None, no_problems(), 0, tuple("abcd")
    )


def test_a_saved_mapping_reads_a_file_alone_and_only_its_columns(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("Schools of 2022\ncode;size;other\n007;5;a\n\n8;6;b\n", encoding="utf-16")
    mapping = Mapping("m", "schools", {"code": "code", "roll": "size"}, header_row=2)
    checked = read_by(mapping, path)
    assert checked.rows.select("row", "code", "roll").rows() == [(3, "007", 5), (5, "8", 6)]
    with pytest.raises(InputError, match="does not have") as raised:
        read_by(Mapping("m", "schools", {"code": "codes"}, header_row=2), path)
    assert raised.value.mend == 'Is it "code"?'
