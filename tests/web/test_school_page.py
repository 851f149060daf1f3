"""The school's page: honest words, small numbers withheld, help named without figures, paper."""

import csv
import io
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from brightspots_web.directory.models import School
from brightspots_web.insight import queries, words
from brightspots_web.insight.models import Estimate, Family, Run
from brightspots_web.insight.queries import Scale, Standing
from brightspots_web.shared import printing
from tests.web.conftest import SignIn
from tests.web.insight_helpers import published
from tests.web.world import World

SCALE = Scale(
    "Reading", pupil_sd=10.0, mean=100.0, digits=1, years=(2021, 2022, 2023), way="school"
)


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Path) -> None:
    settings.DATA_FOLDER = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "uploads"


def text(client: Client, code: str) -> str:
    response = client.get(reverse("home:school", args=[code]))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def estimate(value: float, half: float, **more: Any) -> Estimate:
    return Estimate(
        subject="Reading", n=more.pop("n", 60), years=more.pop("years", 3), estimate=value,
        lower=value - half, upper=value + half, reliability=0.9, **more,
    )  # fmt: skip


class TestWords:
    def test_clearly_above(self) -> None:
        said = words.sentence(Standing(SCALE, estimate(0.5, 0.2)))
        assert "about 5.0 points more than pupils of schools in similar circumstances" in said
        assert "likely between 3.0 points and 7.0 points more" in said

    def test_clearly_below_reads_from_the_smaller_to_the_larger_difference(self) -> None:
        said = words.sentence(Standing(SCALE, estimate(-0.5, 0.2)))
        assert "about 5.0 points less" in said
        assert "likely between 3.0 points and 7.0 points less" in said

    def test_when_nobody_can_tell_it_says_so(self) -> None:
        standing = Standing(SCALE, estimate(0.05, 0.2))
        assert words.headline(standing).startswith("We cannot tell")
        said = words.sentence(standing)
        assert "between 1.5 points less and 2.5 points more is possible" in said
        assert "nobody should read" in said

    @pytest.mark.parametrize("value", [0.5, 0.05, -0.5])
    def test_no_case_stigmatises_or_ranks(self, value: float) -> None:
        standing = Standing(SCALE, estimate(value, 0.2))
        said = f"{words.headline(standing)} {words.sentence(standing)}".lower()
        for word in ("bad", "poor", "fail", "worst", "best", "rank", "weak", "underperform"):
            assert word not in said

    def test_one_year_warns_that_it_cannot_show_what_lasts(self) -> None:
        one = Scale("Reading", 10.0, 100.0, 1, (2023,), "school")
        assert "One year cannot show what lasts" in words.basis(
            Standing(one, estimate(0.5, 0.2, years=1))
        )

    def test_digits_follow_the_scale(self) -> None:
        assert [words.digits_for(sd) for sd in (41.0, 9.8, 0.9)] == [0, 1, 2]


class TestStanding:
    def test_the_head_reads_where_the_school_stands_and_what_that_rests_on(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = published(world)
        page = text(sign_in("head"), "N2")
        assert "Lower than expected" in page
        assert "180 pupils over 2021 to 2023 (3 years)" in page
        assert "13 schools like ours" in page
        assert "Our school" in page
        assert reverse("insight:run", args=[run.uuid]) in page
        assert "Show the numbers" in page

    def test_three_years_stand_side_by_side(self, world: World, sign_in: SignIn) -> None:
        published(world)
        page = text(sign_in("head"), "N2")
        assert "Year by year" in page
        part = page[page.index("Year by year") :]
        assert "in 2021" in part
        assert "in 2023" in part

    def test_before_any_analysis_the_page_says_so_and_works(
        self, world: World, sign_in: SignIn
    ) -> None:
        page = text(sign_in("head"), "N2")
        assert "No figures yet" in page
        assert "Upper partnership" in page

    def test_the_strip_names_no_school(self, world: World, sign_in: SignIn) -> None:
        run = published(world)
        own = world.schools["N2"]
        values = queries.family_values(run, own)["Reading"]
        assert values == sorted(values)
        page = text(sign_in("head"), "N2")
        for stranger in ("School W1", "School E2", "School L2"):
            assert stranger not in page

    def test_a_strip_of_fewer_than_three_schools_is_not_drawn(self, world: World) -> None:
        run = published(world)
        own = world.schools["N2"]
        two = [world.schools[code].pk for code in ("N5", "L1")]
        Family.objects.filter(run=run, school=own).update(members=two)
        assert queries.family_values(run, own) == {}


class TestSmallNumbers:
    def test_the_own_head_sees_seven_pupils_with_a_caution(
        self, world: World, sign_in: SignIn
    ) -> None:
        published(world)
        page = text(sign_in("head"), "N2")
        assert "Fewer than ten pupils stand behind this" in page
        assert "7 pupils, one year" in page

    @pytest.mark.parametrize(
        "who", ["partner_head", "system_leader", "district_officer", "minister"]
    )
    def test_everybody_else_is_told_that_there_are_too_few(
        self, world: World, sign_in: SignIn, who: str
    ) -> None:
        published(world)
        page = text(sign_in(who), "N2")
        assert "Too few pupils took this test" in page
        assert "7 pupils" not in page

    def test_four_pupils_are_shown_to_nobody(self, world: World) -> None:
        run = published(world)
        school = world.schools["N4"]
        own = world.cast["head"]
        own.school = school
        singing = {each.subject: each for each in queries.standing(school, own, run)}["Singing"]
        assert singing.now is None
        assert singing.verdict == "few"

    def test_the_export_withholds_what_the_page_withholds(
        self, world: World, sign_in: SignIn
    ) -> None:
        published(world)
        for who, subjects in (("head", {"Reading", "Singing"}), ("minister", {"Reading"})):
            response = sign_in(who).get(reverse("home:school_figures", args=["N2", "csv"]))
            content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined] # the CSV is streamed
            rows = [row for row in csv.reader(io.StringIO(content)) if len(row) > 2]
            assert {row[0] for row in rows[1:]} == subjects

    def test_the_partnerships_grid_leaves_small_cells_empty(self, world: World) -> None:
        run = published(world)
        grid = queries.partnership_grid(world.partnerships["Upper"], run)
        assert grid.cells[world.schools["N2"].pk, "Singing"] is None
        assert grid.cells[world.schools["N2"].pk, "Reading"] is not None


class TestHelp:
    def test_a_strong_school_near_by_is_named_without_a_figure(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = published(world)
        found = queries.strong_nearby(world.schools["N2"], ["Reading"], run=run)["Reading"]
        assert [one.school.code for one in found] == ["N1"]
        # 0.02 degrees north and 0.01 east at one degree north.
        assert found[0].km == pytest.approx(2.49, abs=0.02)
        page = text(sign_in("head"), "N2")
        start, end = page.index("Who near us can help"), page.index("Our partnership")
        assert "<strong>School N1</strong>" in page[start:end]
        assert "2.5 km" in page[start:end]

    def test_a_school_far_away_or_of_another_phase_is_not_named(self, world: World) -> None:
        run = published(world)
        School.objects.filter(code="N1").update(phase="secondary")
        own = world.schools["N2"]
        assert queries.strong_nearby(own, ["Reading"], run=run) == {"Reading": []}
        far = queries.strong_nearby(own, ["Reading"], run=run, within_km=1.0)
        assert far == {"Reading": []}

    def test_where_no_help_is_needed_nobody_is_named(self, world: World, sign_in: SignIn) -> None:
        published(world)
        assert "No figure says that help is more likely needed" in text(
            sign_in("partner_head"), "N3"
        )

    def test_a_school_without_a_place_on_the_map_has_a_page(
        self, world: World, sign_in: SignIn
    ) -> None:
        published(world)
        School.objects.filter(code="N2").update(latitude=None, longitude=None)
        assert "stands out here yet" in text(sign_in("head"), "N2")


class TestPage:
    def test_the_number_of_queries_does_not_grow_with_the_family(
        self,
        world: World,
        sign_in: SignIn,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        published(world)
        client = sign_in("head")
        with django_assert_max_num_queries(66):
            text(client, "N2")

    def test_members_are_linked_only_where_they_may_be_opened(
        self, world: World, sign_in: SignIn
    ) -> None:
        page = text(sign_in("minister"), "N2")
        assert f'href="{reverse("home:school", args=["N3"])}"' in page

    def test_the_pdf_says_the_same_and_names_its_run(self, world: World, sign_in: SignIn) -> None:
        run = published(world)
        response = sign_in("head").get(reverse("home:school_report", args=["N2"]))
        assert response.status_code == 200
        assert response["Content-Type"] == "application/pdf"
        pages = PdfReader(io.BytesIO(response.content)).pages
        said = " ".join(" ".join(page.extract_text() for page in pages).split())
        assert "School N2" in said
        assert "Lower than expected" in said
        assert str(run.uuid) in said

    def test_without_the_system_libraries_the_page_says_what_to_do(
        self, world: World, sign_in: SignIn
    ) -> None:
        with patch.object(printing, "pdf", side_effect=printing.CannotPrintError):
            response = sign_in("head").get(reverse("home:school_report", args=["N2"]))
        assert response.status_code == 503
        assert b"your browser" in response.content

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "https://example.org/a.css", "https://brightspots.invalid/x"]
    )
    def test_paper_reads_our_own_static_files_only(self, url: str) -> None:
        with pytest.raises(ValueError, match="our own static files only"):
            printing.static_file(url)

    def test_a_code_that_is_no_school_is_not_found(self, world: World, sign_in: SignIn) -> None:
        assert sign_in("minister").get(reverse("home:school", args=["nope"])).status_code == 404


class TestRuns:
    def test_the_runs_page_says_how_figures_were_made_and_how_to_compute_them_again(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = published(world)
        response = sign_in("district_officer").get(reverse("insight:run", args=[run.uuid]))
        page = response.content.decode()
        assert run.input_hash in page
        assert run.sources[0]["sha256"] in page
        assert f"brightspots analyse --run {run.uuid} --verify" in page
        assert "What these figures cannot say" in page
        for school in ("School N1", "School N2"):
            assert school not in page

    def test_a_run_that_is_not_published_is_not_found(self, world: World, sign_in: SignIn) -> None:
        run = published(world)
        Run.objects.update(published_at=None)
        response = sign_in("head").get(reverse("insight:run", args=[run.uuid]))
        assert response.status_code == 404

    def test_the_analyst_starts_an_analysis_and_follows_its_job(
        self, world: World, sign_in: SignIn
    ) -> None:
        published(world)
        client = sign_in("analyst")
        page = client.get(reverse("insight:start")).content.decode()
        assert "Reading" in page
        assert "poverty" in page
        response = client.post(
            reverse("insight:start"), {"subjects": ["Reading"], "context": [], "delta": "0.2"}
        )
        assert response.status_code == 302
        assert response["Location"].startswith("/jobs/")

    def test_lists_stay_within_their_budget_of_queries(
        self,
        world: World,
        sign_in: SignIn,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        published(world)
        client = sign_in("analyst")
        with django_assert_max_num_queries(10):
            assert client.get(reverse("insight:runs")).status_code == 200

    @pytest.mark.parametrize("name", ["runs_export", "outcomes_export", "sources_export"])
    @pytest.mark.parametrize("fmt", ["csv", "xlsx"])
    def test_every_table_can_be_taken_along(
        self, world: World, sign_in: SignIn, name: str, fmt: str
    ) -> None:
        run = published(world, years=(2023,))
        args = [fmt] if name == "runs_export" else [run.uuid, fmt]
        response = sign_in("head").get(reverse(f"insight:{name}", args=args))
        assert response.status_code == 200
