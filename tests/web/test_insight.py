"""From imported results to published figures that can be traced and computed again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from typer import Exit

from brightspots.core.errors import InputError
from brightspots.insight.spreads import spread_of_groups
from brightspots.insight.variability import spread_within
from brightspots_cli.analyse import command
from brightspots_web.insight import actions, analysis, circumstances, queries
from brightspots_web.insight.analysis.school_way import with_spread
from brightspots_web.insight.findings import TABLES
from brightspots_web.insight.models import AreaFigure, Estimate, Family, Run, Variance
from brightspots_web.insight.verify import verify
from brightspots_web.shared import jobs
from brightspots_web.shared.models import AuditEntry, Job
from tests.web.import_helpers import bring_in, take_back
from tests.web.insight_helpers import (
    CODES,
    PUPILS_MAPPING,
    RESULTS_MAPPING,
    analyse,
    published,
    pupils,
    results,
)
from tests.web.world import World


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_FOLDER = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return tmp_path


def lasting(run: Run, code: str, subject: str = "Reading") -> Estimate:
    return Estimate.objects.get(run=run, school__code=code, subject=subject, year=None)


def silent(fraction: float, stage: str) -> None:
    """Progress that nobody watches."""


class TestPublishing:
    def test_every_figure_belongs_to_a_run_that_says_how_it_was_made(self, world: World) -> None:
        run = published(world, seed=7, delta=0.2)
        assert (run.method, run.method_version) == (analysis.METHOD, "3")
        assert (run.seed, run.settings["delta"], run.settings["seed"]) == (7, 0.2, 7)
        assert len(run.input_hash) == 64
        assert [source["kind"] for source in run.sources] == ["school_results"]
        assert len(run.sources[0]["sha256"]) == 64
        assert run.published_at is not None
        for model in (Estimate, Family, AreaFigure, Variance):
            assert model._default_manager.filter(run=run).exists()
            assert not model._default_manager.exclude(run=run).exists()
        entry = AuditEntry.objects.get(action="insight.publish")
        assert entry.detail["input_hash"] == run.input_hash

    def test_schools_far_from_the_others_come_out_so_in_pupil_sd(self, world: World) -> None:
        run = published(world)
        above, below, usual = (lasting(run, code) for code in ("N1", "N2", "N3"))
        assert above.lower > 0.5
        assert below.upper < -0.5
        assert usual.lower < 0 < usual.upper
        assert above.years == 3
        assert above.n == 180
        assert above.observed == pytest.approx(112, abs=1)
        rows = Estimate.objects.filter(school=above.school, subject="Reading")
        assert {row.year for row in rows} == {None, 2021, 2022, 2023}

    def test_three_years_may_show_a_bright_spot_and_one_year_never(self, world: World) -> None:
        three = published(world)
        assert lasting(three, "N1").label == Estimate.Label.BRIGHT_SPOT
        assert queries.candidates_count(run=three)["bright_spot"] >= 1
        one = published(world, years=(2024,))
        Estimate.objects.filter(run=three).delete()
        assert one.pk != three.pk
        assert queries.current_run() == one

    def test_results_of_one_year_are_only_worth_a_visit(self, world: World) -> None:
        run = published(world, years=(2023,))
        assert lasting(run, "N1").label == Estimate.Label.WORTH_A_VISIT
        assert queries.candidates_count(run=run)["bright_spot"] == 0

    def test_families_hold_other_schools_and_never_the_school_itself(self, world: World) -> None:
        run = published(world)
        own = world.schools["N2"]
        family = queries.family_of(run, own)
        assert family is not None
        assert len(family.members) == len(CODES) - 1
        assert own.pk not in family.members

    def test_an_area_with_fewer_than_three_schools_is_withheld(self, world: World) -> None:
        run = published(world)
        west, north = (
            AreaFigure.objects.get(run=run, area=world.areas[name], subject="Reading", year=None)
            for name in ("West", "North")
        )
        assert west.suppressed
        assert (west.mean, west.n_pupils, west.n_schools) == (None, None, None)
        assert not north.suppressed
        assert (north.n_schools, north.n_pupils) == (10, 1800)
        spread = (north.spread_lower, north.spread, north.spread_upper)
        assert None not in spread
        assert list(spread) == sorted(each for each in spread if each is not None)

    def test_shares_of_the_differences_add_up_to_the_whole(self, world: World) -> None:
        run = published(world)
        rows = [row for row in queries.variability("Reading", run) if row.year == 2023]
        assert [row.tier for row in rows] == ["area:1", "area:2", "school", "pupil"]
        assert sum(row.share for row in rows) == pytest.approx(1.0)

    def test_a_subject_that_cannot_be_analysed_loses_none_of_the_others(self, world: World) -> None:
        lonely = "school,year,subject,mean,candidates,spread\nN1,2023,Latin,50,12,5\n"
        bring_in(lonely, RESULTS_MAPPING, world.cast["analyst"])
        run = published(world)
        assert set(run.summary["outcomes"]) == {"Reading", "Singing"}
        assert "Latin" in run.summary["problems"]

    def test_the_systems_count_of_candidates_is_the_count_of_its_areas(self, world: World) -> None:
        run = published(world)
        whole = queries.candidates_count(run=run)
        assert whole == queries.candidates_count(world.areas["Testland"], run)
        assert whole["schools"] >= 2

    def test_only_whoever_may_analyse_can_start(self, world: World) -> None:
        for who in ("head", "minister", "district_officer", "teacher"):
            with pytest.raises(PermissionDenied):
                actions.start(by=world.cast[who])
        assert not Job.objects.filter(kind="insight.analyse").exists()

    def test_without_results_the_job_says_what_to_do(self, world: World) -> None:
        job = analyse(world.cast["analyst"])
        assert job.status == Job.Status.FAILED
        assert "Import results" in job.problem

    def test_an_unknown_subject_names_those_there_are(self, world: World) -> None:
        bring_in(results(), RESULTS_MAPPING, world.cast["analyst"])
        job = analyse(world.cast["analyst"], subjects=["Reeding"])
        assert job.status == Job.Status.FAILED
        assert "Reading, Singing" in job.problem


class TestPupils:
    def test_pupils_are_compared_with_pupils_like_them_and_years_are_joined(
        self, world: World
    ) -> None:
        analyst = world.cast["analyst"]
        bring_in(pupils(), PUPILS_MAPPING, analyst)
        job = analyse(analyst, context=["prior"])
        assert job.status == Job.Status.DONE, job.problem
        run = Run.objects.get(uuid=job.result["run"])
        about = run.summary["outcomes"]["Writing"]
        assert (about["way"], about["years"]) == ("pupil", [2022, 2023])
        assert about["context"]["columns"] == ["context:prior"]
        (slope,) = (
            each["estimate"] for each in about["model"]["coefficients"] if each["term"] == "prior"
        )
        assert slope == pytest.approx(2.0, abs=0.4)
        best = lasting(run, "N1", "Writing")
        assert best.n == 60
        assert best.years == 2
        # What N1's pupils reach beyond pupils like them, drawn a little towards what is expected.
        assert best.observed is not None
        assert best.expected is not None
        raw = (best.observed - best.expected) / about["pupil_sd"]
        assert raw > 1.5
        assert 0.9 * raw < best.estimate < raw
        assert best.lower > 0

    def test_one_year_of_pupils_is_the_models_own_effect(self, world: World) -> None:
        bring_in(pupils(years=(2023,)), PUPILS_MAPPING, world.cast["analyst"])
        job = analyse(world.cast["analyst"], context=["prior"])
        run = Run.objects.get(uuid=job.result["run"])
        whole = lasting(run, "N3", "Writing")
        year = Estimate.objects.get(run=run, school__code="N3", subject="Writing", year=2023)
        assert (whole.estimate, whole.lower, whole.upper) == (year.estimate, year.lower, year.upper)


class TestStoppingAndRepeating:
    def test_a_stop_while_writing_leaves_the_older_figures_and_no_trace(self, world: World) -> None:
        first = published(world)
        rows = Estimate.objects.count()

        def stop(run: Run, findings: Any) -> Iterator[float]:
            Estimate.objects.create(run=run, **findings.estimates[0])
            raise jobs.StoppedError
            yield 0.0

        with patch.object(actions, "write_rows", stop):
            job = analyse(world.cast["analyst"])
        assert job.status == Job.Status.STOPPED
        assert queries.current_run() == first
        assert Run.objects.count() == 1
        assert Estimate.objects.count() == rows

    def test_what_a_killed_worker_left_is_never_shown_and_goes_with_the_next_attempt(
        self, world: World
    ) -> None:
        bring_in(results(), RESULTS_MAPPING, world.cast["analyst"])
        job = actions.start(by=world.cast["analyst"])
        left = Run.objects.create(job=job.pk, input_hash="", started_at=timezone.now())
        assert queries.current_run() is None
        done = jobs.run_here(job)
        assert done.status == Job.Status.DONE
        assert not Run.objects.filter(pk=left.pk).exists()

    def test_a_job_done_twice_publishes_once(self, world: World) -> None:
        bring_in(results(), RESULTS_MAPPING, world.cast["analyst"])
        job = analyse(world.cast["analyst"])
        Job.objects.filter(pk=job.pk).update(status=Job.Status.QUEUED)
        again = jobs.run_here(job)
        assert again.result == job.result
        assert Run.objects.count() == 1

    def test_only_the_newest_runs_keep_their_rows(self, world: World) -> None:
        first = published(world)
        second = Run.objects.get(uuid=analyse(world.cast["analyst"]).result["run"])
        assert [run.pk for run in actions.prune(keep=1)] == [first.pk]
        first.refresh_from_db()
        assert first.rows_removed_at is not None
        assert first.input_hash == second.input_hash
        assert not Estimate.objects.filter(run=first).exists()
        assert Estimate.objects.filter(run=second).exists()


class TestComputingAgain:
    def test_every_published_figure_can_be_computed_again(self, world: World) -> None:
        bring_in(pupils(), PUPILS_MAPPING, world.cast["analyst"])
        run = published(world)
        found = verify(run, silent)
        assert found.equal, found.differences
        assert found.rows == sum(model._default_manager.filter(run=run).count() for model in TABLES)

    def test_a_figure_that_somebody_changed_is_found(self, world: World) -> None:
        run = published(world)
        changed = lasting(run, "N4")
        Estimate.objects.filter(pk=changed.pk).update(estimate=changed.estimate + 0.001)
        found = verify(run, silent)
        assert not found.equal
        assert found.different == 1
        assert "estimate" in found.differences[0]

    def test_a_figure_that_somebody_added_or_removed_is_found(self, world: World) -> None:
        run = published(world)
        lasting(run, "N4").delete()
        assert verify(run, silent).different == 1

    def test_later_imports_and_undone_ones_do_not_touch_an_older_run(self, world: World) -> None:
        analyst = world.cast["analyst"]
        batch = bring_in(results(), RESULTS_MAPPING, analyst)
        run = Run.objects.get(uuid=analyse(analyst).result["run"])
        take_back(batch, analyst)
        world.schools["N1"].roll = 999
        world.schools["N1"].save()
        assert verify(run, silent).equal

    def test_the_order_of_rows_in_the_file_does_not_matter(self, world: World) -> None:
        analyst = world.cast["analyst"]
        batch = bring_in(results(), RESULTS_MAPPING, analyst)
        first = Run.objects.get(uuid=analyse(analyst).result["run"])
        take_back(batch, analyst)
        head, *rows = results().strip().split("\n")
        bring_in("\n".join([head, *reversed(rows)]) + "\n", RESULTS_MAPPING, analyst)
        second = Run.objects.get(uuid=analyse(analyst).result["run"])
        assert second.input_hash == first.input_hash
        assert lasting(second, "N3").estimate == lasting(first, "N3").estimate


class TestCommandLine:
    """The command's own way; starting the platform is left out, since the test has one."""

    @pytest.fixture(autouse=True)
    def platform(self) -> Iterator[None]:
        with patch("brightspots_cli.platform.start"):
            yield

    def test_analyse_and_verify_go_the_whole_way(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bring_in(results(), RESULTS_MAPPING, world.cast["analyst"])
        command(subject=["Reading"], context="poverty, roll")
        said = capsys.readouterr().out
        run = queries.current_run()
        assert run is not None
        assert "Reading: 14 schools, 2021 to 2023, from school figures." in said
        assert f"brightspots analyse --run {run.uuid} --verify" in said
        assert run.settings["context"] == ["poverty", "roll"]
        command(run=str(run.uuid), verify=True)
        assert "All are equal." in capsys.readouterr().out

    def test_verify_ends_with_1_when_a_figure_is_not_what_it_was(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = published(world)
        Family.objects.filter(run=run, school__code="N2").delete()
        with pytest.raises(Exit) as ended:
            command(run=str(run.uuid), verify=True)
        assert ended.value.exit_code == 1
        assert "1 differ" in capsys.readouterr().out

    @pytest.mark.parametrize("uuid", ["nonsense", "00000000-0000-4000-8000-000000000000"])
    def test_an_unknown_run_is_refused_in_words(self, world: World, uuid: str) -> None:
        with pytest.raises(InputError, match="There is no run"):
            command(run=uuid, verify=True)

    def test_a_failed_analysis_is_a_refusal_with_its_reason(self, world: World) -> None:
        with pytest.raises(InputError, match="Import results"):
            command()


class TestCircumstances:
    FRAME = pl.DataFrame(
        {
            "school": [f"s{i}" for i in range(40)],
            "roll": [float(100 + i) for i in range(40)],
            "sector": ["public"] * 25 + ["church"] * 12 + ["other kind"] * 3,
            "phase": ["primary"] * 40,
            "context:people": [10.0**i for i in range(8)] * 5,
            "context:rare": [1.0, 2.0] + [None] * 38,
        }
    )

    def test_the_default_takes_what_is_known_and_differs(self) -> None:
        made = circumstances.choose(self.FRAME)
        assert made.how == {"roll": "number", "sector": "kinds", "context:people": "logarithm"}
        assert set(made.left_out) == {"phase", "context:rare"}

    def test_heavily_skewed_counts_are_taken_in_logarithms(self) -> None:
        made = circumstances.choose(self.FRAME)
        assert made.frame["context:people"][3] == pytest.approx(np.log(1001))

    def test_kinds_that_few_schools_share_become_other(self) -> None:
        made = circumstances.choose(self.FRAME)
        assert set(made.frame["sector"].unique()) == {"public", "church", "other"}

    def test_what_is_asked_for_by_name_is_used_whatever_its_coverage(self) -> None:
        made = circumstances.choose(self.FRAME, ["rare"])
        assert made.columns == ("context:rare",)

    def test_none_means_none(self) -> None:
        assert circumstances.choose(self.FRAME, []).columns == ()


class TestGrades:
    def test_points_of_grades_are_those_that_give_the_published_means_back(self) -> None:
        random = np.random.default_rng(1)
        counts = random.integers(1, 30, size=(60, 3))
        means = counts @ np.array([80.0, 50.0, 20.0]) / counts.sum(axis=1)
        frame = pl.DataFrame(
            {
                "mean": means,
                "candidates": counts.sum(axis=1).astype(float),
                **{f"grade:{g}": counts[:, i].astype(float) for i, g in enumerate("ABC")},
            }
        )
        made, points = with_spread(frame)
        assert points == {"A": 80.0, "B": 50.0, "C": 20.0}
        # Bands of width 30 around 80, 50 and 20; one school by hand.
        a, b, c = counts[0]
        n, mean = a + b + c, means[0]
        between = (a * (80 - mean) ** 2 + b * (50 - mean) ** 2 + c * (20 - mean) ** 2) / (n - 1)
        assert made["spread"][0] == pytest.approx(np.sqrt(between + 30**2 / 12), rel=1e-3)

    def test_grades_in_no_order_are_not_taken_for_a_scale(self) -> None:
        counts = np.array([[i % 7 + 1, i % 5 + 1, i % 3 + 1] for i in range(60)], dtype=float)
        means = counts @ np.array([50.0, 20.0, 80.0]) / counts.sum(axis=1)
        frame = pl.DataFrame(
            {
                "mean": means,
                "candidates": counts.sum(axis=1),
                **{f"grade:{g}": counts[:, i] for i, g in enumerate("ABC")},
            }
        )
        made, points = with_spread(frame)
        assert points == {}
        assert made["spread"].null_count() == 60


class TestSpreadOfAreas:
    def test_limits_are_the_librarys_and_groups_do_not_touch_each_other(self) -> None:
        random = np.random.default_rng(3)
        s2 = random.uniform(0.01, 0.05, 40)
        residual = random.normal(0, np.sqrt(s2 + 0.04))
        group = np.array([0] * 25 + [1] * 15)
        spread, lower, upper = spread_of_groups(residual, s2, group, 2)
        for g in (0, 1):
            alone = spread_within(residual[group == g], s2[group == g])
            assert alone.lower is not None
            assert alone.upper is not None
            assert lower[g] == pytest.approx(alone.lower, abs=1e-6)
            assert upper[g] == pytest.approx(alone.upper, abs=1e-6)
            assert lower[g] <= spread[g] <= upper[g]

    def test_two_schools_have_no_spread(self) -> None:
        spread, lower, upper = spread_of_groups(
            np.array([0.1, 0.5]), np.array([0.01, 0.01]), np.array([0, 0]), 1
        )
        assert np.isnan([spread[0], lower[0], upper[0]]).all()

    def test_noise_alone_gives_no_spread(self) -> None:
        spread, *_ = spread_of_groups(
            np.array([0.01, -0.01, 0.0, 0.005]), np.full(4, 1.0), np.zeros(4, dtype=int), 1
        )
        assert spread[0] == 0.0
