"""From a file to the register and the data folder: checked, all or nothing, undone."""

import codecs
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from django.core.exceptions import ValidationError

from brightspots_web.directory import actions as directory
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.imports import actions, analysis, queries, store
from brightspots_web.imports.models import Batch, Kind, Mapping, RecordChange
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry, Job
from tests.web.import_helpers import (
    PUPILS,
    PUPILS_MAPPING,
    RESULTS,
    RESULTS_MAPPING,
    SCHOOLS,
    SCHOOLS_MAPPING,
    bring_in,
    check,
    files,
    register,
    take_back,
    work,
)
from tests.web.world import World


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_FOLDER = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return tmp_path


@pytest.fixture
def analyst(world: World) -> Appointment:
    return world.cast["analyst"]


class TestSchools:
    def test_new_schools_and_areas_are_added_below_the_one_root(self, analyst: Appointment) -> None:
        text = SCHOOLS + "003,Cedar,North,Hill,60\n"
        batch = bring_in(text, SCHOOLS_MAPPING, analyst)
        assert batch.counts["new"] == 3
        cedar = School.objects.get(code="003")
        assert (cedar.name, cedar.roll, cedar.area.name) == ("Cedar", 60, "Hill")
        assert cedar.area.parent is not None
        assert cedar.area.parent.name == "North"
        assert cedar.area.path.startswith(cedar.area.parent.path)
        assert Area.objects.filter(parent=None).count() == 1

    def test_leading_zeros_of_codes_survive(self, analyst: Appointment) -> None:
        bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
        assert School.objects.filter(code="001").exists()

    def test_the_same_file_twice_changes_nothing_and_says_so(self, analyst: Appointment) -> None:
        bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
        before = register()
        again = check(SCHOOLS, SCHOOLS_MAPPING, analyst)
        assert again.status == Batch.Status.UNCHANGED
        assert (again.counts["new"], again.counts["changed"], again.counts["same"]) == (0, 0, 2)
        with pytest.raises(ValidationError, match="nothing to import"):
            actions.confirm(again, by=analyst)
        assert register() == before
        assert queries.same_file(again) is not None

    def test_a_partial_file_changes_only_its_own_columns(self, analyst: Appointment) -> None:
        old = School.objects.get(code="N1")
        definition = {
            "name": "",
            "kind": "schools",
            "columns": {"code": "c", "latitude": "lat", "longitude": "lon", "context:water": "w"},
        }
        bring_in("c,lat,lon,w\nN1,2.5,31.5,7\n", definition, analyst)
        new = School.objects.get(code="N1")
        assert (new.latitude, new.longitude) == (2.5, 31.5)
        assert new.context == {**old.context, "water": 7.0}
        assert (new.name, new.area_id, new.roll, new.phase) == (
            old.name,
            old.area_id,
            old.roll,
            old.phase,
        )

    def test_an_empty_cell_says_nothing_and_a_code_takes_the_value_away(
        self, analyst: Appointment
    ) -> None:
        definition = {
            "name": "",
            "kind": "schools",
            "columns": {"code": "c", "roll": "n", "context:poverty": "p"},
        }
        bring_in("c,n,p\nN1,,\nN2,NA,SUPP\n", definition, analyst)
        first, second = School.objects.get(code="N1"), School.objects.get(code="N2")
        assert (first.roll, first.context["poverty"]) == (100, 20.0)
        assert (second.roll, second.context) == (None, {})

    def test_an_unknown_code_without_name_and_area_is_refused_with_row_and_column(
        self, analyst: Appointment
    ) -> None:
        definition = {"name": "", "kind": "schools", "columns": {"code": "c", "roll": "n"}}
        batch = check("c,n\nN1,5\nX9,6\n", definition, analyst)
        assert batch.counts["refused"] == 1
        (problem,) = queries.problems(batch)
        assert (problem["row"], problem["column"], problem["value"]) == (3, "c", "X9")
        assert problem["mend"]

    def test_nothing_is_imported_while_a_row_is_refused_unless_left_out_by_choice(
        self, analyst: Appointment
    ) -> None:
        before = register()
        text = SCHOOLS + "003,Cedar,North,Upper,many\n"
        batch = check(text, SCHOOLS_MAPPING, analyst)
        with pytest.raises(ValidationError, match="1 rows are refused"):
            actions.confirm(batch, by=analyst)
        assert register() == before
        work(actions.confirm(batch, by=analyst, leave_out_refused=True))
        batch.refresh_from_db()
        assert batch.left_out == 1
        assert set(School.objects.filter(code__startswith="00").values_list("code", flat=True)) == {
            "001",
            "002",
        }

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_names_with_accents_arrive_whatever_encoding_and_delimiter(
        self, analyst: Appointment, encoding: str, delimiter: str
    ) -> None:
        text = "code,name,county\n01,École Zürich,North\n02,Ñandú,North\n".replace(",", delimiter)
        columns = {"code": "code", "name": "name", "area_path": "county"}
        definition = {"name": "", "kind": "schools", "columns": columns}
        bring_in(codecs.encode(text, encoding), definition, analyst)
        assert School.objects.get(code="01").name == "École Zürich"

    def test_schools_are_found_by_name_and_area_and_two_of_a_name_are_never_guessed(
        self, analyst: Appointment, world: World
    ) -> None:
        for code in ("T1", "T2"):
            School.objects.create(code=code, name="Twin", area=world.areas["Upper"])
        definition = {
            "name": "",
            "kind": "schools",
            "match": "name and area",
            "unmatched": "skip",
            "columns": {"name": "n", "area_path": ["county", "district"], "sector": "s"},
        }
        text = (
            "n,county,district,s\n"
            "school n1,NORTH,Upper,faith\n"
            "Twin,North,Upper,faith\n"
            "School N2,South,East,faith\n"
        )
        batch = bring_in(text, definition, analyst)
        assert (batch.counts["changed"], batch.counts["skipped"]) == (1, 2)
        assert list(School.objects.filter(sector="faith").values_list("code", flat=True)) == ["N1"]
        assert [problem["row"] for problem in queries.problems(batch)] == [3, 4]


class TestUndo:
    def test_undo_gives_back_exactly_the_register_before(self, analyst: Appointment) -> None:
        before = register()
        text = SCHOOLS + "N1,Renamed,South,New district,999\n"
        batch = bring_in(text, SCHOOLS_MAPPING, analyst)
        assert register() != before
        assert take_back(batch, analyst).status == Job.Status.DONE
        assert register() == before
        assert not RecordChange.objects.exists()
        batch.refresh_from_db()
        assert batch.status == Batch.Status.UNDONE

    def test_imports_into_the_register_are_undone_newest_first(self, analyst: Appointment) -> None:
        first = bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
        before = register()
        second = bring_in(SCHOOLS.replace("120", "121"), SCHOOLS_MAPPING, analyst)
        with pytest.raises(ValidationError, match="newest first"):
            actions.undo(first, by=analyst)
        take_back(second, analyst)
        assert register() == before
        assert take_back(first, analyst).status == Job.Status.DONE

    def test_schools_whose_results_are_live_are_not_taken_back(self, analyst: Appointment) -> None:
        schools = bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
        results = bring_in("school,mean,sat\n001,5,10\n", RESULTS_MAPPING, analyst)
        with pytest.raises(ValidationError, match="holds results"):
            actions.undo(schools, by=analyst)
        take_back(results, analyst)
        assert take_back(schools, analyst).status == Job.Status.DONE

    def test_a_school_changed_since_by_other_means_stops_the_undo_and_nothing_changes(
        self, analyst: Appointment
    ) -> None:
        batch = bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
        School.objects.filter(code="001").update(name="Changed by hand")
        before = register()
        job = take_back(batch, analyst)
        assert job.status == Job.Status.FAILED
        assert "was changed after this import" in job.problem
        assert register() == before

    def test_a_new_school_that_something_refers_to_stops_the_undo(
        self, analyst: Appointment, world: World
    ) -> None:
        batch = bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
        Appointment.objects.create(
            person=world.person("nobody"), role="head", school=School.objects.get(code="001")
        )
        job = take_back(batch, analyst)
        assert job.status == Job.Status.FAILED
        assert "refers to it" in job.problem
        assert School.objects.filter(code="001").exists()


class TestAllOrNothing:
    def test_a_failure_in_the_middle_of_the_register_leaves_no_trace(
        self, analyst: Appointment
    ) -> None:
        batch = check(SCHOOLS, SCHOOLS_MAPPING, analyst)
        before = register()
        with patch.object(actions, "_keep", side_effect=RuntimeError("power cut")):
            job = work(actions.confirm(batch, by=analyst))
        assert job.status == Job.Status.FAILED
        assert register() == before
        batch.refresh_from_db()
        assert batch.status == Batch.Status.CHECKED

    def test_rows_written_but_not_committed_do_not_count_and_a_second_run_finishes(
        self, analyst: Appointment
    ) -> None:
        batch = check(RESULTS, RESULTS_MAPPING, analyst)
        job = actions.confirm(batch, by=analyst)
        with patch.object(audit, "record", side_effect=RuntimeError("power cut")):
            assert work(job).status == Job.Status.FAILED
        assert store.data_file("school_results", batch.pk).exists()
        assert queries.live_results(Kind.SCHOOL_RESULTS) == []
        batch = Batch.objects.get(pk=batch.pk)
        assert work(actions.confirm(batch, by=analyst)).status == Job.Status.DONE
        assert analysis.school_results().height == 3

    def test_a_job_run_again_after_it_was_done_changes_nothing(self, analyst: Appointment) -> None:
        batch = bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
        before = register()
        assert batch.job is not None
        Job.objects.filter(pk=batch.job.pk).update(status=Job.Status.QUEUED)
        batch.job.refresh_from_db()
        assert work(batch.job).status == Job.Status.DONE
        assert register() == before

    def test_what_changed_since_the_dry_run_stops_the_import(self, analyst: Appointment) -> None:
        batch = check(SCHOOLS, SCHOOLS_MAPPING, analyst)
        bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
        job = work(actions.confirm(batch, by=analyst))
        assert job.status == Job.Status.FAILED
        assert "changed since the dry run" in job.problem


class TestResults:
    def test_rows_lie_as_parquet_sorted_by_school_with_codes_kept_apart(
        self, analyst: Appointment
    ) -> None:
        batch = bring_in(RESULTS, RESULTS_MAPPING, analyst)
        (live,) = queries.live_results(Kind.SCHOOL_RESULTS)
        assert live.path == store.data_file("school_results", batch.pk)
        rows = pl.read_parquet(live.path)
        assert rows["school"].to_list() == ["E1", "N1", "N2"]
        assert rows["mean"].to_list() == [95.25, 101.5, None]
        assert rows["mean__code"].to_list() == [None, None, "SUPP"]
        assert rows["year"].to_list() == [2022] * 3

    def test_a_school_that_is_not_registered_is_refused_or_left_out_as_the_mapping_says(
        self, analyst: Appointment
    ) -> None:
        text = RESULTS + "X9,1,1\n"
        assert check(text, RESULTS_MAPPING, analyst).counts["refused"] == 1
        batch = check(text, {**RESULTS_MAPPING, "unmatched": "skip"}, analyst)
        assert (batch.counts["refused"], batch.counts["skipped"]) == (0, 1)

    def test_a_later_batch_supersedes_an_earlier_one_until_it_is_undone(
        self, analyst: Appointment
    ) -> None:
        bring_in(RESULTS, RESULTS_MAPPING, analyst)
        before = analysis.school_results()
        marks = analysis.input_hash(queries.live_results(Kind.SCHOOL_RESULTS))
        later = bring_in("school,mean,sat\nN1,99,20\nL1,90,9\n", RESULTS_MAPPING, analyst)
        assert (later.counts["new"], later.counts["changed"]) == (1, 1)
        means = dict(analysis.school_results().select("school", "mean").iter_rows())
        assert means == {"N1": 99.0, "N2": None, "E1": 95.25, "L1": 90.0}
        assert analysis.input_hash(queries.live_results(Kind.SCHOOL_RESULTS)) != marks
        take_back(later, analyst)
        assert analysis.school_results().equals(before)
        assert analysis.input_hash(queries.live_results(Kind.SCHOOL_RESULTS)) == marks

    def test_the_same_results_twice_are_nothing_to_import(self, analyst: Appointment) -> None:
        bring_in(RESULTS, RESULTS_MAPPING, analyst)
        again = check(RESULTS, RESULTS_MAPPING, analyst)
        assert again.status == Batch.Status.UNCHANGED
        assert again.counts["same"] == 3

    def test_grade_counts_keep_their_scores_beside_them(self, analyst: Appointment) -> None:
        definition = {
            **RESULTS_MAPPING,
            "columns": {
                "school": "school",
                "year": "year",
                "subject": {"constant": "PSLE"},
                "grade:A": "a",
                "grade:E": "e",
            },
            "grade_bands": [["E", 0, 60], ["A", 241, 300]],
        }
        bring_in("school,year,a,e\nN1,2021/22,3,1\n", definition, analyst)
        row = analysis.school_results().row(0, named=True)
        assert (row["grade:A"], row["grade:E"], row["year"]) == (3, 1, 2022)
        assert row["grade_bands"] == '[["E", 0.0, 60.0], ["A", 241.0, 300.0]]'

    def test_pupils_never_enter_the_database(self, analyst: Appointment) -> None:
        bring_in(PUPILS + "N1,p3,much\n", PUPILS_MAPPING, analyst, leave_out=True)
        source = analysis.pupil_results_source()
        assert source is not None
        rows = store.query(f"SELECT * FROM ({source.sql}) ORDER BY school, pupil")  # noqa: S608 - a test's own query
        assert rows["pupil"].to_list() == ["p1", "p2", "p1"]
        assert rows["score__code"].to_list() == [None, None, "NA"]
        for table in (Batch, Job, Mapping, RecordChange, AuditEntry):
            held = repr(list(table._default_manager.values()))
            assert not any(cell in held for cell in ("p1", "p2", "12.5", "much")), table

    def test_pupils_without_codes_supersede_a_schools_year_as_a_whole(
        self, analyst: Appointment
    ) -> None:
        columns = {key: of for key, of in PUPILS_MAPPING["columns"].items() if key != "pupil"}
        definition = {**PUPILS_MAPPING, "columns": columns}
        bring_in("school,score\nN1,1\nN1,1\nN1,2\nN2,5\n", definition, analyst)
        again = check("school,score\nN1,2\nN1,1\nN1,1\nN2,5\n", definition, analyst)
        assert again.status == Batch.Status.UNCHANGED
        bring_in("school,score\nN1,7\n", definition, analyst)
        source = analysis.pupil_results_source()
        assert source is not None
        rows = store.query(f"SELECT school, score FROM ({source.sql}) ORDER BY ALL")  # noqa: S608 - a test's own query
        assert rows.rows() == [("N1", 7.0), ("N2", 5.0)]


class TestBoundaries:
    SQUARE = '{"type":"Polygon","coordinates":[[[30,0],[31,0],[31,1],[30,1],[30,0]]]}'

    def file(self, name: str, geometry: str = SQUARE) -> str:
        feature = f'{{"type":"Feature","properties":{{"n":"{name}"}},"geometry":{geometry}}}'
        return f'{{"type":"FeatureCollection","features":[{feature}]}}'

    def definition(self, level: int = 1) -> dict[str, Any]:
        return {"kind": "boundaries", "name": "", "property": "n", "level": level}

    def test_an_outline_is_set_by_name_and_level_and_taken_back(self, analyst: Appointment) -> None:
        before = register()
        batch = bring_in(self.file("north"), self.definition(), analyst)
        north = Area.objects.get(name="North")
        assert north.outline is not None
        assert north.outline["type"] == "Polygon"
        assert queries.areas_with_given_outline() == {north.pk}
        assert check(self.file("north"), self.definition(), analyst).status == "unchanged"
        take_back(batch, analyst)
        assert register() == before

    @pytest.mark.parametrize(
        ("name", "geometry", "says"),
        [
            ("Nowhere", SQUARE, "No area of this name"),
            ("North", '{"type":"Point","coordinates":[30,0]}', "no polygon"),
            (
                "North",
                '{"type":"Polygon","coordinates":[[[30,0],[300,0],[31,1],[30,0]]]}',
                "no pol",
            ),
            ("North", '{"type":"Polygon","coordinates":"x"}', "no polygon"),
            ("North", "null", "no polygon"),
        ],
    )
    def test_what_cannot_be_drawn_or_named_is_refused_with_its_reason(
        self, analyst: Appointment, name: str, geometry: str, says: str
    ) -> None:
        batch = check(self.file(name, geometry), self.definition(), analyst)
        assert batch.counts["refused"] == 1
        assert says in queries.problems(batch)[0]["problem"]

    def test_a_file_that_is_no_geojson_is_refused_whole(self, analyst: Appointment) -> None:
        batch = check("{", self.definition(), analyst)
        assert batch.status == Batch.Status.REFUSED
        assert "GeoJSON" in batch.refusal


class TestFilesAndMappings:
    def test_a_file_that_cannot_be_read_is_refused_and_can_be_given_up(
        self,
        analyst: Appointment,
        own_folders: Path,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        batch = check(b"%PDF-1.7 nothing here", SCHOOLS_MAPPING, analyst)
        assert batch.status == Batch.Status.REFUSED
        assert "PDF" in batch.refusal
        with django_capture_on_commit_callbacks(execute=True):
            actions.discard(batch, by=analyst)
        assert files(own_folders) == set()

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\list.csv", "list.csv"),
            ("a\x00b\n.csv", "ab.csv"),
            ("..", ".."),
            ("", "file without a name"),
        ],
    )
    def test_a_files_name_is_only_shown_and_never_a_path(
        self, analyst: Appointment, own_folders: Path, given: str, shown: str
    ) -> None:
        import io

        batch = actions.upload(io.BytesIO(b"a,b\n"), name=given, kind="schools", by=analyst)
        assert batch.file_name == shown
        (path,) = (own_folders / "uploads" / "imports").iterdir()
        assert queries.upload_path(batch) == path

    def test_a_file_over_the_limit_is_refused_and_not_kept(
        self, analyst: Appointment, own_folders: Path, settings: Any
    ) -> None:
        import io

        settings.UPLOAD_LIMIT = 10
        with pytest.raises(ValidationError, match="larger than"):
            actions.upload(io.BytesIO(b"x" * 11), name="a", kind="schools", by=analyst)
        assert files(own_folders) == set()

    def test_a_late_look_at_a_file_leaves_a_live_import_alone(self, analyst: Appointment) -> None:
        batch = bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
        actions.find_columns(batch)
        batch.refresh_from_db()
        assert batch.status == Batch.Status.CONFIRMED

    def test_a_mapping_is_saved_under_its_name_and_replaced_when_saved_again(
        self, analyst: Appointment
    ) -> None:
        for roll in ("roll", "pupils"):
            columns = {**SCHOOLS_MAPPING["columns"], "roll": roll}
            actions.save_mapping(
                {**SCHOOLS_MAPPING, "columns": columns}, name="List", kind="schools", by=analyst
            )
        assert Mapping.objects.get().definition["columns"]["roll"] == "pupils"

    def test_old_files_that_no_batch_names_are_cleaned_away(
        self, analyst: Appointment, own_folders: Path
    ) -> None:
        import os

        bring_in(RESULTS, RESULTS_MAPPING, analyst)
        orphan = store.data_file("school_results", 999)
        orphan.write_bytes(b"left behind")
        fresh = store.data_file("school_results", 998)
        fresh.write_bytes(b"still being written")
        kept = queries.live_results(Kind.SCHOOL_RESULTS)[0].path
        for path in (orphan, kept):
            os.utime(path, (0, 0))
        store.clean_up(queries.files_in_use())
        assert not orphan.exists()
        assert fresh.exists()
        assert kept.exists()

    def test_the_register_gives_the_changes_of_an_import_for_its_undo(
        self, analyst: Appointment
    ) -> None:
        row = directory.SchoolRow("N1", {"roll": 7})
        (change,) = directory.import_schools([row], by=analyst)
        assert (change.before, change.after) == ({"roll": 100}, {"roll": 7})
