"""The table of areas and the ranges: what is read, and what is refused, by row and column."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.pace.rollout_areas import read_areas
from brightspots.pace.rollout_assumptions import (
    DEFAULTS,
    Assumption,
    assumptions_frame,
    read_assumptions,
)
from brightspots.pace.rollout_parameters import RolloutParameters
from brightspots.pace.rollout_plan import choices, read_fixed
from tests.library.rollout_worlds import areas

GOOD = """area,name,schools,leaders,in_training,in_training_term,readiness,priority,earliest
007,West,20,3,2,2,0.4,2,
008,East,30,4,,,0.6,1,3
"""


def refused(text: str, tmp_path: Path) -> str:
    path = tmp_path / "areas.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_areas(path)
    return str(error.value)


def test_areas_are_read_by_code_with_leading_zeros(tmp_path: Path) -> None:
    (tmp_path / "areas.csv").write_text(GOOD, encoding="utf-8")
    found = read_areas(tmp_path / "areas.csv")
    assert found.codes == ("007", "008")
    assert found.names == ("West", "East")
    assert found.trainees.tolist() == [2, 0]
    assert found.trainee_term.tolist() == [2, 0]
    assert found.earliest.tolist() == [1, 3]
    assert found.readiness.tolist() == [0.4, 0.6]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schools", "sch", 'areas.csv, column "schools": the column schools is missing from the'),
        ("readiness", "ready", 'column "readiness": the column readiness is missing from the'),
        ("20,3", "-20,3", 'areas.csv, row 2, column "schools": -20 is below 0. Give the number'),
        ("20,3", "0,3", 'row 2, column "schools": 0 cannot be. Give the number of its schools'),
        ("20,3", "many,3", 'row 2, column "schools": "many" is not a number. Give the number of'),
        ("20,3", ",3", 'row 2, column "schools": the cell is empty. Give the number of its'),
        ("30,4", "30,-1", 'row 3, column "leaders": -1 is below 0. Give the number of leaders'),
        ("0.4,2", "1.4,2", 'row 2, column "readiness": 1.4 cannot be. Give a share from 0 to 1.'),
        ("0.4,2", ",2", 'row 2, column "readiness": the cell is empty. Give its readiness'),
        ("0.6", "nan(x)", 'row 3, column "readiness": "nan(x)" is not a number'),
        ("008", "007", 'row 3, column "area": the area 007 is already in row 2. Give each area'),
        ("008", "", 'row 3, column "area": the area\'s code is empty. Give each area a code.'),
        ("2,2,0.4", "2,1.5,0.4", 'row 2, column "in_training_term": 1.5 cannot be. Give a whole'),
        ("1,3\n", "1,0\n", 'row 3, column "earliest": 0 cannot be. Give a whole number of terms'),
        ("20,3", "inf,3", 'row 2, column "schools": "inf" is not a number'),
    ],
)
def test_a_fault_is_named_by_row_and_column(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in GOOD
    assert message in refused(GOOD.replace(old, new, 1), tmp_path)


def test_further_faults_are_named_with_the_first(tmp_path: Path) -> None:
    text = GOOD.replace("20,3", "-1,-3").replace("30,4", "x,-4")
    said = refused(text, tmp_path)
    assert said.startswith('areas.csv, row 2, column "leaders": -3 is below 0.')
    assert 'Also wrong: row 2, column "schools"; row 3, column "leaders"; row 3,' in said


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    assert "no areas in it" in refused(GOOD.splitlines()[0] + "\n", tmp_path)


def test_the_lowest_strand_counts_and_stages_may_be_names_or_numbers() -> None:
    frame = pl.DataFrame(
        {
            "area": ["a", "b", "c"], "schools": [10] * 3, "leaders": [1] * 3,
            "stage_data": ["Leading", "2", ""], "stage_voice": ["developing", "4", "embedding"],
        }
    )  # fmt: skip
    assert read_areas(frame).readiness.tolist() == [0.375, 0.375, 0.625]
    with pytest.raises(InputError, match='"advanced" is no stage'):
        read_areas(frame.with_columns(stage_data=pl.lit("advanced")))


def test_the_order_of_rows_does_not_matter() -> None:
    frame = pl.DataFrame(
        {"area": ["b", "a"], "schools": [1, 2], "leaders": [3, 4], "readiness": [0.1, 0.2]}
    )
    first, second = read_areas(frame), read_areas(frame.reverse())
    assert first.codes == second.codes == ("a", "b")
    assert first.schools.tolist() == second.schools.tolist() == [2, 1]
    assert first.input_hash == second.input_hash


def test_an_area_that_can_begin_in_no_term_is_refused() -> None:
    here = areas(earliest=[1, 9])
    with pytest.raises(InputError, match="A1 may begin in term 9 at the earliest"):
        choices(here, RolloutParameters(10, terms=10, speeds=(3,)))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("growth", "0", "1", "1"), 'there is no assumption "growth"'),
        (("leader_leavin", "0", "0", "0"), 'Do you mean "leader_leaving"?'),
        (("fade", "0.2", "0.1", "0.3"), "fade: 0.2, 0.1, 0.3 are not in order"),
        (("fade", "-0.1", "0.1", "0.3"), "fade: -0.1 cannot be. It has to be from 0 to 1."),
        (("fade", "0", "0.1", "1.3"), "fade: 1.3 cannot be"),
        (("fade", "0", "", "1"), 'row 2, column "value": the cell is empty. Give a number.'),
        (("fade", "0", "x", "1"), 'row 2, column "value": "x" is not a number'),
        (("training_terms", "0", "1", "2"), "training_terms: 0 cannot be. It has to be from 1 up"),
    ],
)
def test_ranges_that_cannot_be_are_refused(row: tuple[str, ...], message: str) -> None:
    frame = pl.DataFrame([row], schema=["name", "low", "value", "high"], orient="row")
    with pytest.raises(InputError) as error:
        read_assumptions(frame)
    assert message in str(error.value)
    assert "row 2" in str(error.value)


def test_a_range_given_twice_is_refused() -> None:
    frame = pl.DataFrame([("fade", "0", "0", "0")] * 2, schema=["name", "low", "value", "high"],
                         orient="row")  # fmt: skip
    with pytest.raises(InputError, match="fade is already in row 2"):
        read_assumptions(frame)


def test_every_assumption_has_words_a_unit_and_a_source_and_a_row_without_one_is_assumed() -> None:
    for each in DEFAULTS:
        assert each.words
        assert each.unit
        assert "assumed" in each.source
    frame = assumptions_frame(DEFAULTS)
    assert read_assumptions(frame) == DEFAULTS
    assert all(each.source == "assumed" for each in read_assumptions(frame.drop("source")))
    with pytest.raises(InputError, match="have to be numbers"):
        Assumption("x", 0, float("nan"), 1, "", "")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("A9", "1", ""), 'row 2: there is no area A9'),
        (("A0", "", ""), 'row 2, column "start": the cell is empty. Give a term.'),
        (("A0", "0", ""), 'row 2, column "start": 0 is no number of terms'),
        (("A0", "9", ""), "row 2: the area A0 cannot begin in term 9"),
        (("A0", "1", "4"), "cannot begin in term 1 with 4 terms of support"),
        (("A0", "soon", ""), '"soon" is not a number'),
    ],
)  # fmt: skip
def test_terms_fixed_by_people_that_cannot_be_are_refused(
    row: tuple[str, ...], message: str
) -> None:
    frame = pl.DataFrame([row], schema=["area", "start", "speed"], orient="row")
    with pytest.raises(InputError) as error:
        read_fixed(frame, areas(readiness=[0.1]), RolloutParameters(10, terms=6, speeds=(3,)))
    assert message in str(error.value)


def test_terms_fixed_by_people_are_read() -> None:
    frame = pl.DataFrame({"area": ["A1", "A0"], "start": ["2", "1"], "speed": ["", "3"]})
    found = read_fixed(frame, areas(readiness=[0.1, 0.2]), RolloutParameters(10, terms=6))
    assert found == {"A1": (2, None), "A0": (1, 3)}
    twice = pl.DataFrame({"area": ["A0", "A0"], "start": ["2", "1"]})
    with pytest.raises(InputError, match="the area A0 is there twice"):
        read_fixed(twice, areas(readiness=[0.1]), RolloutParameters(10, terms=6))


def test_the_page_of_the_method_shows_the_assumptions_as_they_are() -> None:
    folder = Path(__file__).parents[2] / "docs"
    spec = importlib.util.spec_from_file_location("rollout_tables", folder / "rollout_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (folder / "methods/pace.md").read_text(encoding="utf-8")
    assert module.with_table(text) == text, "run: python docs/rollout_tables.py"
