"""A mapping is made once, survives JSON, and is guessed well from the names of columns."""

from __future__ import annotations

import json

import pytest

from brightspots.core.checks import apply
from brightspots.core.errors import InputError
from brightspots.core.mapping import GradeBand, Mapping, Source, suggest_mapping
from brightspots.core.tables import read_table

FULL = Mapping(
    name="PSLE by school",
    kind="school_results",
    columns={
        "school": "school_id",
        "year": {"constant": "2022"},
        "subject": {"constant": "PSLE average"},
        "mean": "average_300",
        "candidates": ["boys", "girls"],
        "grade:A": "n_all_A",
        "context:people": "pop_3km",
    },
    decimal=",",
    grade_bands=(GradeBand("B", 181, 241), GradeBand("A", 241, 300)),
    non_values={"ABS": "absent"},
    types={"context:people": "number"},
    keep={"RECTYPE": ("1", "2")},
    unmatched="skip",
    header_row=3,
    sheet="Results",
)


def test_a_mapping_survives_json():
    assert Mapping.from_dict(json.loads(json.dumps(FULL.to_dict()))) == FULL


def test_sources_are_written_as_a_person_would():
    columns = FULL.to_dict()["columns"]
    assert columns["school"] == "school_id"
    assert columns["candidates"] == ["boys", "girls"]
    assert columns["year"] == {"constant": "2022"}
    assert Source.of(["a", "b"]).columns == ("a", "b")


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"name": "x", "kind": "schools"},
        {"name": "x", "kind": "teachers", "columns": {}},
        {"name": "x", "kind": "schools", "columns": {"code": 5}},
        {"name": "x", "kind": "schools", "columns": {"code": []}},
        {"name": "x", "kind": "schools", "columns": 5},
        {"name": "x", "kind": "schools", "columns": {}, "decimal": "'"},
        {"name": "x", "kind": "schools", "columns": {}, "colour": "red"},
        {"name": "x", "kind": "schools", "columns": {}, "types": {"code": "number"}},
        {"name": "x", "kind": "schools", "columns": {}, "types": {"context:a": "date"}},
        {"name": "x", "kind": "schools", "columns": {}, "grade_bands": [["A", 5, 4]]},
        {"name": "x", "kind": "schools", "columns": {}, "grade_bands": [["A"]]},
        {"name": "x", "kind": "schools", "columns": {}, "keep": {"RECTYPE": 5}},
        {"name": "x", "kind": "schools", "columns": {}, "header_row": "three"},
        {"name": "x", "kind": "schools", "columns": {}, "decimal": []},
    ],
)
def test_a_broken_mapping_is_refused_and_never_breaks_the_reader(broken):
    with pytest.raises(InputError):
        Mapping.from_dict(broken)


def test_what_is_still_missing_is_told():
    assert suggest_mapping("school_results", ["school_id", "average_300"]).missing() == (
        "year",
        "subject",
    )
    assert Mapping("x", "pupil_results", {}).missing() == ("school", "year", "subject", "score")
    by_name = Mapping("x", "schools", {"name": "n"}, match="name and area")
    assert by_name.missing() == ("area_path",)


def suggested(kind: str, *header: str) -> dict:
    return suggest_mapping(kind, header).to_dict()["columns"]


def test_names_of_columns_in_other_spellings_are_recognised():
    assert suggested("schools", "EMIS No", "School Name", "District", "Ward", "Lat", "Lng") == {
        "code": "EMIS No",
        "name": "School Name",
        "area_path": ["District", "Ward"],
        "latitude": "Lat",
        "longitude": "Lng",
    }


def test_a_school_column_is_the_name_where_a_code_stands_beside_it():
    assert suggested("schools", "School", "Reg.No.") == {"code": "Reg.No.", "name": "School"}


def test_wide_files_are_recognised_by_subjects():
    assert suggested("school_results", "school_id", "year", "math_mean", "kiswahili_mean") == {
        "school": "school_id",
        "year": "year",
        "mean@Mathematics": "math_mean",
        "mean@Kiswahili": "kiswahili_mean",
    }


def test_strange_columns_suggest_nothing():
    assert suggested("schools", "", "x", "☃") == {}


REAL = [
    (
        "schools",
        "tanzania/necta_psle_2022_school_results.csv.gz",
        {
            "code": "school_id",
            "name": "school_name",
            "area_path": ["region_name", "council_name"],
        },
        {},
        (17_935, 0, 0),
    ),
    (
        "school_results",
        "tanzania/necta_psle_2022_school_results.csv.gz",
        {
            "school": "school_id",
            "year": {"constant": "2022"},
            "mean": "average_300",
            "candidates": "num_sitters",
            **{f"grade:{grade}": f"n_all_{grade}" for grade in "ABCDE"},
        },
        {"subject": {"constant": "PSLE average"}},
        (17_935, 0, 0),
    ),
    (
        "schools",
        "tanzania/school_coordinates_population.csv.gz",
        {
            "code": "school_id",
            "latitude": "latitude",
            "longitude": "longitude",
            "context:pop_3km": "pop_3km",
        },
        {},
        (16_340, 0, 0),
    ),
    (
        "schools",
        "kenya/kenya_schools_2016_points.csv.gz",
        {
            "code": "code",
            "name": "school_name",
            "area_path": ["county", "sub_county", "ward"],
            "latitude": "latitude",
            "longitude": "longitude",
            "phase": "level",
            "sector": "status",
        },
        {},
        (37_930, 6, 6),  # three codes stand for two schools each
    ),
    (
        "pupil_results",
        "state_pupil_panel/pupil_results_long.csv.gz",
        {
            "school": "SCHOOL_NUMBER",
            "year": "YEAR",
            "pupil": "ID",
            "subject": "CONTENT_AREA",
            "score": "SCALE_SCORE",
            **{
                f"context:{name}": name
                for name in (
                    "GRADE",
                    "GENDER",
                    "ETHNICITY",
                    "FREE_REDUCED_LUNCH_STATUS",
                    "ELL_STATUS",
                    "IEP_STATUS",
                )
            },
        },
        {},
        (368_301, 0, 0),
    ),
]


@pytest.mark.real_data
@pytest.mark.parametrize(("kind", "file", "expected", "added", "counts"), REAL)
def test_real_files_are_guessed_and_read(real_data, kind, file, expected, added, counts):
    table = read_table(real_data / file)
    mapping = suggest_mapping(kind, table.columns, file_name=file)
    plain = mapping.to_dict()
    assert plain["columns"] == expected
    plain["columns"] |= added
    checked = apply(table, Mapping.from_dict(plain))
    assert (checked.n_rows, checked.n_refused, checked.n_errors) == counts


@pytest.mark.real_data
def test_tanzanias_enrolment_is_read_by_name_and_area(real_data):
    table = read_table(real_data / "tanzania/tamisemi_enrolment_by_age_sex_2022.csv.gz")
    columns = suggest_mapping("schools", table.columns).to_dict()["columns"]
    assert columns == {
        "code": "Reg.No.",
        "name": "School",
        "area_path": ["Region", "Council", "Ward"],
        "sector": "Ownership",
        "roll": ["Total, Boys", "Total, Girls"],
    }
    # its registration numbers are not the examination's codes, so names and areas have to do
    del columns["code"]
    checked = apply(table, Mapping("t", "schools", columns, match="name and area"))
    assert checked.rows["roll"][0] == 248 + 193
    assert checked.n_rows == 19_261


@pytest.mark.real_data
def test_englands_panel_keeps_its_codes_and_percentages(real_data):
    file = "england/ks2_panel_hampshire_surrey_2016_17_to_2018_19.csv.gz"
    table = read_table(real_data / file)
    mapping = suggest_mapping("school_results", table.columns)
    assert mapping.subjects() == ("Reading", "Writing", "Mathematics")
    assert mapping.missing() == ()
    checked = apply(table, mapping)
    assert (checked.n_rows, checked.n_skipped, checked.n_refused) == (1_693, 18, 0)
    assert set(checked.rows["year"]) == {2017, 2018, 2019}
    reading = checked.rows.filter(subject="Reading")
    assert {"SUPP", "LOWCOV", "EMPTY"} <= set(reading["mean__code"])
    (first,) = reading.filter(school="115976", year=2017).to_dicts()
    assert (first["mean"], first["lower"], first["upper"]) == (1.2, 0.0, 2.4)
    assert first["candidates"] == 109
    assert first["context:PTFSM6CLA1A"] == 16.0  # 16% in the file
