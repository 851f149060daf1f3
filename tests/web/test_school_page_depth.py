"""What stands behind the school's figures: other ways, groups, needs, the family, and why."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from brightspots_web.directory.models import School
from brightspots_web.home import school_depth, school_family, why
from brightspots_web.insight import queries, school_queries, words
from brightspots_web.insight.models import Estimate, Family, Run, Sensitivity, SubgroupFigure
from brightspots_web.insight.queries import Scale, Standing
from brightspots_web.shared.models import Job
from tests.web import insight_helpers
from tests.web.conftest import SignIn
from tests.web.import_helpers import bring_in
from tests.web.insight_helpers import PUPILS_MAPPING, analyse, published
from tests.web.world import World

SCALE = Scale(
    "Reading", pupil_sd=10.0, mean=100.0, digits=1, years=(2021, 2022, 2023), way="school"
)


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Path) -> None:
    settings.DATA_FOLDER = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "uploads"


def figure(kind: type[Any], value: float, half: float, **more: Any) -> Any:
    given: dict[str, Any] = {
        "subject": "Reading", "n": 60, "estimate": value, "lower": value - half,
        "upper": value + half, "se_comparative": half / 1.96, **more,
    }  # fmt: skip
    return kind(**given)


def variant(name: str, value: float) -> Sensitivity:
    row: Sensitivity = figure(Sensitivity, value, 0.2, variant=name)
    return row


def group(name: str, value: float, half: float = 0.2) -> SubgroupFigure:
    row: SubgroupFigure = figure(SubgroupFigure, value, half, dimension="sex", group=name)
    return row


def text(client: Client, name: str, *args: Any) -> str:
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def deepened(run: Run, school: School) -> None:
    """Groups and other ways as an analysis writes them, with values of our own."""
    for kind in (SubgroupFigure, Sensitivity):
        kind.objects.filter(run=run, school=school, subject="Reading").delete()
    SubgroupFigure.objects.bulk_create(
        figure(SubgroupFigure, value, 0.1, run=run, school=school, dimension="sex", group=name,
               n=90, observed=90.0)
        for name, value in (("girls", -0.4), ("boys", -1.2))
    )  # fmt: skip
    Sensitivity.objects.bulk_create(
        figure(Sensitivity, value, 0.2, run=run, school=school, variant=name)
        for name, value in (("no_background", -0.8), ("heavy_tails", -0.1))
    )


class TestDoesTheAnswerChange:
    def test_it_counts_the_ways_that_agree_and_names_those_that_do_not(self) -> None:
        now = figure(Estimate, 0.5, 0.2)
        said = school_depth.sensitivity_sentence(
            now,
            [variant("no_background", 0.4), variant("heavy_tails", 0.1)],
        )
        assert said.startswith("The answer stays the same in 1 of 2 other ways of reckoning.")
        assert "Nobody could tell allowing for a few very unusual schools." in said
        assert "background" not in said

    def test_a_way_that_turns_the_answer_round_says_so(self) -> None:
        now = figure(Estimate, 0.5, 0.2)
        said = school_depth.sensitivity_sentence(now, [variant("prior_only", -0.5)])
        assert "0 of 1 other way of" in said
        assert "“lower than expected” with earlier results only" in said

    def test_the_published_figure_stands_first_and_no_way_tells_its_pupils(self) -> None:
        drawn = school_depth.sensitivity(
            0, Standing(SCALE, figure(Estimate, 0.5, 0.2)), [variant("prior_only", 0.4)]
        )
        assert drawn is not None
        assert [row[0] for row in drawn.chart.rows] == ["as published", "earlier results only"]
        assert not any("60" in str(cell) for row in drawn.chart.rows for cell in row)


class TestGroups:
    def test_groups_that_differ_for_certain_are_told_with_the_interval(self) -> None:
        said = school_depth.groups_sentence(SCALE, [group("girls", 0.6), group("boys", -0.2)])
        # 0.8 apart, 1.96 standard errors of the difference are 0.2 times the root of 2.
        assert "“girls” gain more than “boys”" in said
        assert "by 5.2 to 10.8 points" in said

    def test_groups_within_chance_of_each_other_are_not_told_apart(self) -> None:
        said = school_depth.groups_sentence(SCALE, [group("girls", 0.1), group("boys", -0.1)])
        assert said.startswith("These groups cannot be told apart")

    def test_with_many_groups_a_difference_must_be_larger(self) -> None:
        # 0.30 apart with limits at 0.28 for one pair; of six pairs one may be as large by chance.
        pair = [group("a", 0.3), group("b", 0.0)]
        assert "gain more" in school_depth.groups_sentence(SCALE, pair)
        four = [*pair, group("c", 0.15), group("d", 0.15)]
        assert "cannot be told apart" in school_depth.groups_sentence(SCALE, four)


class TestNeeds:
    @pytest.mark.parametrize(
        ("probability", "said"),
        [
            (None, "not known"),
            (0.0, "less than 1 in 20"),
            (0.06, "about 1 in 10"),
            (0.5, "about 5 in 10"),
            (0.94, "about 9 in 10"),
            (1.0, "more than 19 in 20"),
        ],
    )
    def test_chances_are_said_as_people_say_them(
        self, probability: float | None, said: str
    ) -> None:
        assert words.chance(probability) == said

    def test_the_table_says_what_counts_as_a_need_and_ranks_nothing(
        self, world: World, sign_in: SignIn
    ) -> None:
        published(world)
        page = text(sign_in("head"), "home:school", "N2")
        assert "Where help would be well spent" in page
        assert "more than 19 in 20" in page
        assert "nothing about how hard people here work" in page
        for word in ("worst", "failing", "rank", "league"):
            assert word not in page.lower()


class TestWhy:
    def test_the_steps_add_up_and_name_the_run(self, world: World, sign_in: SignIn) -> None:
        run = published(world)
        page = text(sign_in("head"), "home:why", "N2", "Reading")
        figure = Estimate.objects.get(run=run, school__code="N2", subject="Reading", year=None)
        assert figure.observed is not None
        assert figure.expected is not None
        assert f"2021 to 2023 (3 years) reached {figure.observed:.1f} on average" in page
        assert f"{figure.expected:.1f} is expected" in page
        assert f"{figure.expected - figure.observed:.1f} points below it" in page
        assert f"brightspots analyse --run {run.uuid} --verify" in page
        assert str(run.sources[0]["file"]) in page

    def test_what_is_withheld_is_not_explained_either(self, world: World, sign_in: SignIn) -> None:
        published(world)
        page = text(sign_in("partner_head"), "home:why", "N2", "Singing")
        assert "Too few pupils to show" in page
        assert "reached" not in page
        assert "7 pupils" in text(sign_in("head"), "home:why", "N2", "Singing")

    def test_an_outcome_that_nobody_analysed_is_not_found(
        self, world: World, sign_in: SignIn
    ) -> None:
        published(world)
        url = reverse("home:why", args=["N2", "Alchemy"])
        assert sign_in("head").get(url).status_code == 404

    @pytest.mark.parametrize(
        ("value", "observed", "said"),
        [
            (0.5, 106.0, "The raw difference of 6.0 points is drawn to 5.0 points"),
            (0.6, 106.0, "All of it"),
            (0.7, 106.0, "each year counts by how sure it is; that leaves 7.0 points"),
            (-0.1, 101.0, "each year counts by how sure it is; that leaves 1.0 points"),
        ],
    )
    def test_shrinkage_is_told_as_it_is(self, value: float, observed: float, said: str) -> None:
        now = figure(
            Estimate, value, 0.2, observed=observed, expected=100.0, years=3, reliability=0.8
        )
        standing = Standing(SCALE, now, years=(2021, 2022, 2023))
        assert said in dict(why.steps(standing, now))["How much of the difference we count"]

    def test_parts_of_a_school_add_up_to_its_distance_from_all(
        self, world: World, sign_in: SignIn
    ) -> None:
        """Of pupils: the parts are exact, so that they add up for every school of the year."""
        analyst = world.cast["analyst"]
        bring_in(insight_helpers.pupils((2023,)), PUPILS_MAPPING, analyst)
        job = analyse(analyst, context=["prior"])  # roll and poverty say the same in this world
        assert job.status == Job.Status.DONE, job.problem
        run = Run.objects.get(uuid=job.result["run"])
        rows = list(Estimate.objects.filter(run=run, subject="Writing", year=None))
        assert all("context:prior" in row.because for row in rows)
        mean = sum(row.n * (row.expected or 0) for row in rows) / sum(row.n for row in rows)
        for row in rows:
            assert sum(row.because.values()) == pytest.approx((row.expected or 0) - mean, abs=1e-4)
        assert "earlier results" in text(sign_in("head"), "home:why", "N2", "Writing")


class TestFamily:
    def test_members_stand_by_name_with_circumstances_and_no_results(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = published(world)
        page = text(sign_in("head"), "home:school_family", "N2")
        names = [
            School.objects.get(pk=key).name
            for key in Family.objects.get(run=run, school__code="N2").members
        ]
        places = [page.index(f"{name}<") for name in sorted(names)]
        assert places == sorted(places)
        figures = Estimate.objects.filter(run=run).exclude(school__code="N2")
        for number in {f"{row.observed:.1f}" for row in figures if row.observed}:
            assert f">{number}<" not in page

    def test_only_schools_that_may_be_opened_are_linked(
        self, world: World, sign_in: SignIn
    ) -> None:
        published(world)
        page = text(sign_in("head"), "home:school_family", "N2")
        assert f'href="{reverse("home:school", args=["N3"])}"' in page
        assert f'href="{reverse("home:school", args=["E2"])}"' not in page
        assert "School E2" in page

    def test_how_alike_they_are_is_said_in_standard_deviations(self, world: World) -> None:
        run = published(world)
        table = school_queries.family_table(world.schools["N6"], run)
        assert table is not None
        roll = next(each for each in table.likeness if each.name == "roll")
        rolls = [float(each.circumstances[table.columns.index("roll")]) for each in table.kin]
        assert roll.ours == 150
        assert roll.family == pytest.approx(sum(rolls) / len(rolls))
        every = [float(school.roll or 0) for school in world.schools.values()]
        mean = sum(every) / len(every)
        sd = (sum((each - mean) ** 2 for each in every) / len(every)) ** 0.5
        assert roll.difference == pytest.approx((150 - sum(rolls) / len(rolls)) / sd, abs=1e-5)
        assert "pupils on roll" in school_family.likeness_sentence(table.likeness)

    def test_before_any_analysis_it_says_so(self, world: World, sign_in: SignIn) -> None:
        assert "No family yet" in text(sign_in("head"), "home:school_family", "N2")


class TestThePage:
    def test_groups_and_other_ways_stand_on_it_within_its_budgets(
        self,
        world: World,
        sign_in: SignIn,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        run = published(world)
        deepened(run, world.schools["N2"])
        client = sign_in("head")
        with django_assert_max_num_queries(66):
            page = text(client, "home:school", "N2")
        assert "“girls” gain more than “boys”" in page
        assert "stays the same in 1 of 2 other ways of reckoning" in page
        assert len(page.encode()) < 400_000  # a tenth of it compressed: see the byte budget
        with django_assert_max_num_queries(14):
            text(client, "home:why", "N2", "Reading")
        with django_assert_max_num_queries(14):
            text(client, "home:school_family", "N2")

    def test_every_table_can_be_taken_along(self, world: World, sign_in: SignIn) -> None:
        deepened(published(world, years=(2023,)), world.schools["N2"])
        client = sign_in("head")
        tables = ("groups", "sensitivity", "needs", "why_export", "family_export")
        for name in tables:
            for fmt in ("csv", "xlsx"):
                response = client.get(reverse(f"home:school_{name}", args=["N2", fmt]))
                assert response.status_code == 200

    def test_years_that_are_withheld_are_named_without_saying_which_is_small(self) -> None:
        standing = Standing(
            SCALE, figure(Estimate, 0.1, 0.2, years=3), years=(2021, 2022, 2023),
            years_withheld=(2021, 2022),
        )  # fmt: skip
        said = words.years_withheld(standing)
        assert said.startswith("2021, 2022 are not shown by themselves")
        assert words.basis(standing) == "60 pupils over 2021 to 2023 (3 years); " + (
            "what lasted from year to year."
        )
        assert queries.scales(None) == {}
