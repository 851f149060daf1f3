"""The life of an analysis: a draft, published by a person, taken back, compared, downloaded."""

import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.urls import reverse

from brightspots.core.errors import InputError
from brightspots_cli.analyse import command
from brightspots_web.insight import actions, compare_queries, queries, run_queries
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.shared.models import AuditEntry, Job
from tests.web.conftest import SignIn
from tests.web.import_helpers import bring_in
from tests.web.insight_helpers import (
    PUPILS_MAPPING,
    RESULTS_MAPPING,
    analyse,
    drafted,
    published,
    pupils,
    results,
)
from tests.web.world import World, build


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_FOLDER = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return tmp_path


@pytest.fixture
def imported(world: World) -> World:
    bring_in(results(), RESULTS_MAPPING, world.cast["analyst"])
    return world


class TestDrafts:
    def test_an_analysis_is_a_draft_that_changes_no_page(self, imported: World) -> None:
        run = drafted(imported.cast["analyst"])
        assert run.finished_at is not None
        assert run.published_at is None
        assert Estimate.objects.filter(run=run).exists()
        assert queries.current_run() is None

    def test_others_do_not_find_a_draft_and_analysts_do(
        self, imported: World, sign_in: SignIn
    ) -> None:
        run = drafted(imported.cast["analyst"], note="try without roll")
        url = reverse("insight:run", args=[run.uuid])
        assert sign_in("minister").get(url).status_code == 404
        page = sign_in("analyst").get(url).content.decode()
        assert "only analysts see it" in page
        assert "try without roll" in page
        assert (
            str(run.uuid) not in sign_in("minister").get(reverse("insight:runs")).content.decode()
        )
        assert str(run.uuid) in sign_in("analyst").get(reverse("insight:runs")).content.decode()

    def test_a_draft_thrown_away_leaves_nothing_but_its_entry_in_the_trail(
        self, imported: World, own_folders: Path
    ) -> None:
        run = drafted(imported.cast["analyst"])
        kept = own_folders / "data" / "analysis" / str(run.uuid)
        assert kept.exists()
        actions.discard_draft(run, by=imported.cast["analyst"])
        assert not Run.objects.exists()
        assert not Estimate.objects.exists()
        assert not kept.exists()
        entry = AuditEntry.objects.get(action="insight.discard")
        assert entry.detail["run"] == str(run.uuid)

    def test_what_was_published_once_cannot_be_thrown_away(self, world: World) -> None:
        run = published(world)
        with pytest.raises(ValidationError, match="stays on record"):
            actions.discard_draft(run, by=world.cast["analyst"])
        actions.withdraw(run, by=world.cast["analyst"], reason="wrong file")
        with pytest.raises(ValidationError, match="stays on record"):
            actions.discard_draft(run, by=world.cast["analyst"])

    def test_a_failed_analysis_leaves_the_published_one(self, world: World) -> None:
        run = published(world)
        with patch.object(actions, "write_rows", side_effect=OSError("disk full")):
            job = analyse(world.cast["analyst"])
        assert job.status == Job.Status.FAILED
        assert queries.current_run() == run
        assert Run.objects.count() == 1


class TestPublishing:
    def test_a_person_publishes_and_the_trail_says_who_and_instead_of_what(
        self, imported: World
    ) -> None:
        analyst = imported.cast["analyst"]
        first, second = drafted(analyst), drafted(analyst, context=["poverty"])
        actions.publish(first, by=analyst)
        actions.publish(second, by=analyst)
        assert queries.current_run() == second
        entry = AuditEntry.objects.filter(action="insight.publish").first()
        assert entry is not None
        assert entry.detail["instead_of"] == str(first.uuid)
        second.refresh_from_db()
        assert second.published_by == analyst.label

    def test_only_analysts_publish_withdraw_and_discard(self, imported: World) -> None:
        run = drafted(imported.cast["analyst"])
        for who in ("minister", "district_officer", "head", "teacher"):
            by = imported.cast[who]
            with pytest.raises(PermissionDenied):
                actions.publish(run, by=by)
            with pytest.raises(PermissionDenied):
                actions.withdraw(run, by=by, reason="no")
            with pytest.raises(PermissionDenied):
                actions.discard_draft(run, by=by)
        assert queries.current_run() is None

    def test_withdrawing_brings_back_the_one_before_and_publishing_again_undoes_it(
        self, imported: World
    ) -> None:
        analyst = imported.cast["analyst"]
        first, second = drafted(analyst), drafted(analyst)
        for run in (first, second):
            actions.publish(run, by=analyst)
        assert actions.withdraw(second, by=analyst, reason="  wrong\nfile ") == first
        assert queries.current_run() == first
        entry = AuditEntry.objects.get(action="insight.withdraw")
        assert (entry.detail["reason"], entry.detail["now"]) == ("wrong file", str(first.uuid))
        second = actions.publish(second, by=analyst)
        assert second.withdrawn_at is None
        assert queries.current_run() == second
        again = AuditEntry.objects.filter(action="insight.publish").first()
        assert again is not None
        assert again.detail["again"] is True

    def test_withdrawing_the_only_one_leaves_no_figures(self, world: World) -> None:
        run = published(world)
        assert actions.withdraw(run, by=world.cast["analyst"], reason="all wrong") is None
        assert queries.current_run() is None

    def test_the_one_before_does_not_come_back_when_its_rows_are_gone(self, world: World) -> None:
        first = published(world)
        second = Run.objects.get(uuid=analyse(world.cast["analyst"]).result["run"])
        actions.prune(keep=1)
        assert actions.withdraw(second, by=world.cast["analyst"], reason="x") is None
        first.refresh_from_db()
        with pytest.raises(ValidationError, match="no longer kept"):
            actions.publish(first, by=world.cast["analyst"])

    @pytest.mark.parametrize("reason", ["", "  \n "])
    def test_withdrawing_takes_a_reason(self, world: World, reason: str) -> None:
        run = published(world)
        with pytest.raises(ValidationError, match="Say why"):
            actions.withdraw(run, by=world.cast["analyst"], reason=reason)
        assert queries.current_run() == run

    def test_a_run_being_made_cannot_be_published(self, imported: World) -> None:
        run = drafted(imported.cast["analyst"])
        Run.objects.filter(pk=run.pk).update(finished_at=None)
        with pytest.raises(ValidationError, match="not finished"):
            actions.publish(run, by=imported.cast["analyst"])

    def test_pressed_twice_it_is_published_once(self, imported: World) -> None:
        run = drafted(imported.cast["analyst"])
        for _ in range(2):
            actions.publish(run, by=imported.cast["analyst"])
        assert AuditEntry.objects.filter(action="insight.publish").count() == 1

    def test_whoever_saw_another_one_published_is_told_instead_of_covering_it_up(
        self, imported: World, sign_in: SignIn
    ) -> None:
        analyst = imported.cast["analyst"]
        mine, theirs = drafted(analyst), drafted(analyst)
        client = sign_in("analyst")
        page = client.get(reverse("insight:run", args=[mine.uuid])).content.decode()
        assert 'name="instead_of" value=""' in page
        actions.publish(theirs, by=analyst)
        answer = client.post(
            reverse("insight:publish", args=[mine.uuid]), {"instead_of": ""}, follow=True
        )
        assert "In the meantime another analysis was published by" in answer.content.decode()
        assert queries.current_run() == theirs

    def test_prune_keeps_the_published_one_and_a_few_drafts(self, imported: World) -> None:
        analyst = imported.cast["analyst"]
        shown = drafted(analyst)
        actions.publish(shown, by=analyst)
        drafts = [drafted(analyst) for _ in range(3)]
        lost = actions.prune(keep=1, keep_drafts=2)
        assert lost == [drafts[0]]
        assert queries.current_run() == shown
        assert not Estimate.objects.filter(run=drafts[0]).exists()
        assert Estimate.objects.filter(run=drafts[2]).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_publish_at_once_one_does_and_the_other_is_told() -> None:
    world = build()
    analyst = world.cast["analyst"]
    bring_in(results(), RESULTS_MAPPING, analyst)
    runs = [drafted(analyst), drafted(analyst)]
    refused: list[str] = []

    def work(run: Run) -> None:
        try:
            actions.publish(run, by=analyst, instead_of="")
        except ValidationError as problem:
            refused.extend(problem.messages)

    def work_apart(run: Run) -> None:
        try:
            work(run)
        finally:
            connection.close()

    if connection.vendor == "sqlite":  # the test database lies in one connection's memory
        for run in runs:
            work(run)
    else:
        threads = [threading.Thread(target=work_apart, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(refused) == 1
    assert "In the meantime another analysis was published" in refused[0]
    assert Run.objects.filter(published_at__isnull=False).count() == 1
    assert AuditEntry.objects.filter(action="insight.publish").count() == 1


class TestPages:
    def test_the_way_of_a_draft_over_the_pages(self, imported: World, sign_in: SignIn) -> None:
        client, minister = sign_in("analyst"), sign_in("minister")
        run = drafted(imported.cast["analyst"])
        url = reverse("insight:run", args=[run.uuid])
        answer = client.post(
            reverse("insight:publish", args=[run.uuid]), {"instead_of": ""}, follow=True
        )
        assert "All pages show its figures." in answer.content.decode()
        assert minister.get(url).status_code == 200
        answer = client.post(
            reverse("insight:withdraw", args=[run.uuid]), {"reason": ""}, follow=True
        )
        assert "Say why" in answer.content.decode()
        client.post(reverse("insight:withdraw", args=[run.uuid]), {"reason": "the wrong year"})
        assert queries.current_run() is None
        seen = minister.get(url).content.decode()
        assert "This analysis was withdrawn" in seen
        assert "the wrong year" in seen

    def test_the_page_of_a_run_takes_few_queries(
        self, imported: World, sign_in: SignIn, django_assert_max_num_queries: Any
    ) -> None:
        run = drafted(imported.cast["analyst"])
        client = sign_in("analyst")
        with django_assert_max_num_queries(16):
            client.get(reverse("insight:run", args=[run.uuid]))
        with django_assert_max_num_queries(14):
            client.get(reverse("insight:runs"))

    def test_the_start_form_offers_what_is_imported_before_the_first_analysis(
        self, imported: World, sign_in: SignIn
    ) -> None:
        page = sign_in("analyst").get(reverse("insight:start")).content.decode()
        for words in ("Reading", "Singing", "poverty", "roll", "Publish when it is done"):
            assert words in page

    @pytest.mark.parametrize(
        ("formula", "words"),
        [
            ("povrty", "There is no circumstance called &quot;povrty&quot;"),
            ("poverty +", "cannot be read"),
            ("poverty + (1 | school)", "Only the fixed part"),
            ("mean ~ poverty", "Only the fixed part"),
            ("subject", "is not a circumstance"),
            ("exec(poverty)", "is not known in a formula"),
        ],
    )
    def test_a_formula_that_cannot_be_is_refused_before_anything_starts(
        self, imported: World, sign_in: SignIn, formula: str, words: str
    ) -> None:
        page = sign_in("analyst").post(
            reverse("insight:start"), {"formula": formula, "drift": "none"}
        )
        assert words in page.content.decode().replace("&#x27;", "'")
        assert not Job.objects.filter(kind="insight.analyse").exists()

    def test_what_was_asked_for_reaches_the_job(self, imported: World, sign_in: SignIn) -> None:
        asked = {
            "subjects": ["Reading"],
            "formula": "poverty + I(roll/100)",
            "drift": "ar1",
            "note": "n",
            "publish": "on",
        }
        sign_in("analyst").post(reverse("insight:start"), asked)
        job = Job.objects.get(kind="insight.analyse")
        assert job.parameters["formula"] == "poverty + I(roll/100)"
        assert (job.parameters["drift"], job.parameters["publish"]) == ("ar1", True)


class TestDownloads:
    def test_the_parquet_of_effects_holds_every_figure_small_ones_too(
        self, imported: World, sign_in: SignIn
    ) -> None:
        run = drafted(imported.cast["analyst"])
        answer = sign_in("analyst").get(reverse("insight:effects_parquet", args=[run.uuid]))
        frame = pl.read_parquet(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
        stored = Estimate.objects.filter(run=run)
        assert frame.height == stored.count()
        few = stored.get(school__code="N4", subject="Singing", year=None)
        row = frame.filter(
            (pl.col("school") == "N4") & (pl.col("subject") == "Singing") & pl.col("year").is_null()
        ).row(0, named=True)
        assert few.n == 4
        assert row["estimate"] == few.estimate

    def test_all_tables_come_in_one_zip_with_the_same_bytes_every_time(
        self, imported: World, sign_in: SignIn
    ) -> None:
        run = drafted(imported.cast["analyst"])
        client = sign_in("analyst")
        url = reverse("insight:tables", args=[run.uuid])
        first = b"".join(client.get(url).streaming_content)  # type: ignore[attr-defined]
        names = zipfile.ZipFile(io.BytesIO(first)).namelist()
        assert {"estimate.parquet", "family.parquet", "variance.parquet"} <= set(names)
        assert b"".join(client.get(url).streaming_content) == first  # type: ignore[attr-defined]

    def test_the_record_names_what_went_in_and_no_pupil(
        self, world: World, sign_in: SignIn
    ) -> None:
        analyst = world.cast["analyst"]
        bring_in(pupils(), PUPILS_MAPPING, analyst)
        run = drafted(analyst, context=["prior"])
        answer = sign_in("analyst").get(reverse("insight:record", args=[run.uuid]))
        found = json.loads(answer.content)
        assert found["input_hash"] == run.input_hash
        assert found["settings"]["context"] == ["prior"]
        assert "N120220" not in answer.content.decode()  # a pupil's code

    def test_figures_no_longer_kept_cannot_be_downloaded(
        self, imported: World, sign_in: SignIn
    ) -> None:
        run = drafted(imported.cast["analyst"])
        actions.prune(keep=0, keep_drafts=0)
        client = sign_in("analyst")
        for name in ("effects_parquet", "tables"):
            assert client.get(reverse(f"insight:{name}", args=[run.uuid])).status_code == 404
        assert client.get(reverse("insight:record", args=[run.uuid])).status_code == 200


class TestComparing:
    def test_the_same_twice_says_that_nothing_moved(self, imported: World, sign_in: SignIn) -> None:
        a, b = drafted(imported.cast["analyst"]), drafted(imported.cast["analyst"])
        found = {each.subject: each for each in compare_queries.compare(a, b)}
        assert found["Reading"].schools == 14
        assert found["Reading"].typical_shift == 0
        assert found["Reading"].correlation == pytest.approx(1)
        assert not found["Reading"].gained
        page = sign_in("analyst").get(
            reverse("insight:compare"), {"a": str(a.uuid), "b": str(b.uuid)}
        )
        assert "Their figures are the same." in page.content.decode()

    def test_what_moved_is_named_with_its_standard_error(
        self, imported: World, sign_in: SignIn
    ) -> None:
        analyst = imported.cast["analyst"]
        a, b = drafted(analyst, context=[]), drafted(analyst, subjects=["Reading"], context=[])
        n1 = Estimate.objects.get(run=b, school__code="N1", subject="Reading", year=None)
        assert n1.label
        Estimate.objects.filter(pk=n1.pk).update(estimate=n1.estimate + 0.5, label="")
        (found,) = compare_queries.compare(a, b)
        assert found.largest[0].code == "N1"
        assert found.largest[0].shift == pytest.approx(0.5)
        assert [m.code for m in found.lost] == ["N1"]
        page = sign_in("analyst").get(
            reverse("insight:compare"), {"a": str(b.uuid), "b": str(a.uuid)}
        )
        text = page.content.decode()
        assert "+0.50" in text
        assert "Outcomes" in text

    def test_unknown_runs_are_refused_on_the_form(self, imported: World, sign_in: SignIn) -> None:
        for _ in range(2):
            drafted(imported.cast["analyst"])
        page = sign_in("analyst").get(reverse("insight:compare"), {"a": "x", "b": "y"})
        assert page.status_code == 200
        assert "after" not in page.context


class TestCommandLine:
    @pytest.fixture(autouse=True)
    def platform(self) -> Any:
        with patch("brightspots_cli.platform.start"):
            yield

    def test_a_draft_is_published_and_taken_back_by_name(
        self, imported: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        command(draft=True)
        run = Run.objects.get()
        assert f"brightspots analyse --publish {run.uuid}" in capsys.readouterr().out
        assert queries.current_run() is None
        command(publish=str(run.uuid))
        assert queries.current_run() == run
        with pytest.raises(InputError, match="Say why"):
            command(withdraw=str(run.uuid))
        command(withdraw=str(run.uuid), reason="a mistake")
        assert "pages show no figures now" in capsys.readouterr().out
        assert run_queries.run_named(run.uuid) is not None

    def test_formula_and_circumstances_exclude_each_other(self, imported: World) -> None:
        with pytest.raises(InputError, match="say the same thing"):
            command(formula="poverty", context="poverty")
        with pytest.raises(InputError, match="cannot be read"):
            command(formula="poverty + ")
