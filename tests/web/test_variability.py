"""How much schools differ: what is said, what is withheld, and that "cannot tell" is an answer."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from brightspots_web.insight import variability_queries as queries
from brightspots_web.insight import variability_words
from brightspots_web.insight.models import (
    AreaFigure,
    PartnershipFigure,
    Run,
    SpreadTrend,
    Variance,
)
from brightspots_web.insight.queries import scales
from tests.web.bright_spot_helpers import a_run
from tests.web.conftest import SignIn
from tests.web.world import World

YEARS = (2021, 2022, 2023)


def words(client: Client, name: str, *args: Any, **query: str) -> str:
    answer = client.get(reverse(f"insight:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def rows(client: Client, name: str, *args: Any) -> list[dict[str, str]]:
    text = b"".join(client.get(reverse(f"insight:{name}", args=[*args, "csv"])))
    lines = csv.DictReader(io.StringIO(text.decode("utf-8-sig")))
    return [row for row in lines if row["Outcome"]]


def area_figures(run: Run, world: World, name: str, *, without: tuple[int, ...] = ()) -> None:
    """Spread .20, .18, .16 pupil SD; the years named are withheld."""
    for place, year in enumerate((None, *YEARS)):
        hidden = year in without
        AreaFigure.objects.create(
            run=run, area=world.areas[name], subject="Reading", year=year, suppressed=hidden,
            **({} if hidden else {
                "n_schools": 6, "n_pupils": 720, "mean": 0.1, "spread": 0.22 - 0.02 * place,
                "spread_lower": 0.1, "spread_upper": 0.4,
                "share_within": 0.8 if year else None,
            }),
        )  # fmt: skip


def trend(run: Run, slope: float, **of: Any) -> SpreadTrend:
    return SpreadTrend.objects.create(
        run=run, subject="Reading", first_year=2021, last_year=2023, years=3, slope=slope,
        lower=slope - 0.02, upper=slope + 0.02, **of,
    )  # fmt: skip


def variances(run: Run) -> None:
    for year in (None, *YEARS):
        for rank, (tier, units, share) in enumerate(
            [("area:1", 12, 0.1), ("school", 300, 0.25), ("pupil", 9000, 0.65)]
        ):
            Variance.objects.create(
                run=run, subject="Reading", year=year, tier=tier, rank=rank, units=units,
                sd=10 * share, sd_lower=9 * share, sd_upper=11 * share, share=share,
                lower=share - 0.05, upper=share + 0.05,
            )  # fmt: skip


class TestTheSystem:
    def test_it_says_how_much_lies_at_each_tier_with_intervals(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = a_run(world)
        variances(run)
        page = words(sign_in("minister"), "variability")
        assert "65% of all differences between pupils lie within schools, 25% between" in page
        assert "likely between 20% and 30%." in page
        table = page[page.index("Where the differences lie: Reading") :]
        for said in ("between the largest areas", "10%", "5% to 15%", "25%", "20% to 30%", "65%"):
            assert said in table, said
        assert reverse("insight:run", args=[run.uuid]) in page

    @pytest.mark.parametrize(
        ("slope", "said"),
        [
            (-0.05, "It is closing: from 2021 to 2023 by about 0.5 points a year, likely between "
                    "0.3 points and 0.7 points."),
            (0.05, "It is growing: from 2021 to 2023 by about 0.5 points a year"),
            (0.01, "We cannot tell whether it is closing: from 2021 to 2023 anything between "
                   "0.1 points less and 0.3 points more a year"),
        ],
    )  # fmt: skip
    def test_it_says_whether_it_is_closing_or_that_nobody_can_tell(
        self, world: World, sign_in: SignIn, slope: float, said: str
    ) -> None:
        run = a_run(world)
        variances(run)
        trend(run, slope)
        assert said in words(sign_in("minister"), "variability")

    def test_two_years_cannot_tell(self, world: World, sign_in: SignIn) -> None:
        run = a_run(world)
        variances(run)
        Variance.objects.filter(year=2021).delete()
        page = words(sign_in("minister"), "variability")
        assert "cannot be told from 2 years: it takes three at least" in page

    def test_areas_stand_by_name_whatever_their_figures(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = a_run(world)
        area_figures(run, world, "South")
        area_figures(run, world, "North")
        page = words(sign_in("minister"), "variability")
        table = page[page.index("Areas, by name: Reading") :]
        assert table.index(">North<") < table.index(">South<")
        url = reverse("insight:variability_area", args=[world.areas["North"].pk])
        assert f'href="{url}?subject=Reading"' in table

    def test_the_file_holds_all_tiers_and_areas(self, world: World, sign_in: SignIn) -> None:
        run = a_run(world)
        variances(run)
        area_figures(run, world, "North")
        trend(run, -0.05)
        found = rows(sign_in("minister"), "variability_export")
        whole = [row for row in found if row["Place"] == "the whole system"]
        assert len(whole) == 12
        school = next(
            row for row in whole
            if row["Differences"].startswith("between schools") and row["Year"] == "all years"
        )  # fmt: skip
        assert float(school["Change a year, points"]) == -0.5
        north = [row for row in found if row["Place"] == "North" and row["Outcome"] == "Reading"]
        assert [row["Year"] for row in north] == ["all years", "2021", "2022", "2023"]
        assert float(north[0]["Typical difference, points"]) == pytest.approx(2.2)

    def test_without_an_analysis_it_says_so(self, sign_in: SignIn) -> None:
        assert "No figures yet" in words(sign_in("minister"), "variability")

    def test_it_has_a_budget(
        self, world: World, sign_in: SignIn, django_assert_max_num_queries: Any
    ) -> None:
        run = a_run(world)
        variances(run)
        for name in ("North", "South"):
            area_figures(run, world, name)
        client = sign_in("minister")
        with django_assert_max_num_queries(16):
            client.get(reverse("insight:variability"))


class TestAnArea:
    def test_it_says_how_far_schools_differ_within_and_whether_it_closes(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = a_run(world)
        area_figures(run, world, "North")
        trend(run, -0.05, area=world.areas["North"])
        page = words(sign_in("district_officer"), "variability_area", world.areas["North"].pk)
        for said in (
            "A typical difference between a school here and the middle of North is 2.2 points",
            "It is likely between 1.0 and 4.0 points.",
            "In 2023, 80% of all differences between pupils lay within schools",
            "It is closing",
        ):
            assert said in page, said

    def test_a_withheld_area_shows_no_number_anywhere(self, world: World, sign_in: SignIn) -> None:
        run = a_run(world)
        area_figures(run, world, "North")
        AreaFigure.objects.update(suppressed=True)
        trend(run, -0.0333, area=world.areas["North"])
        client = sign_in("district_officer")
        page = words(client, "variability_area", world.areas["North"].pk)
        assert "Too few schools or pupils" in page
        assert "2.2 points" not in page
        assert "0.3 points" not in page
        assert "too few to show" in page
        found = rows(client, "variability_area_export", world.areas["North"].pk)
        reading = [row for row in found if row["Place"] == "North" and row["Outcome"] == "Reading"]
        assert [row["Note"] for row in reading] == ["too few to show"]
        assert not any(row["Typical difference, points"] for row in reading)
        assert not any(row["Change a year, points"] for row in reading)

    def test_a_trend_that_counts_a_withheld_year_is_withheld_too(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = a_run(world)
        area_figures(run, world, "North", without=(2022,))
        trend(run, -0.05, area=world.areas["North"])
        found = queries.of_area(world.areas["North"], run)[0]
        assert found.trend is None
        assert [row.year for row in found.by_year] == [2021, 2023]
        page = words(sign_in("minister"), "variability_area", world.areas["North"].pk)
        assert "Whether it is closing is not shown" in page
        assert "It is closing" not in page
        SpreadTrend.objects.update(years=2)  # it counts the two years that are shown
        assert queries.of_area(world.areas["North"], run)[0].trend is not None

    def test_an_interval_from_nothing_cannot_tell_that_schools_differ(self, world: World) -> None:
        run = a_run(world)
        area_figures(run, world, "North")
        AreaFigure.objects.update(spread_lower=0.0)
        found = queries.of_area(world.areas["North"], run)[0]
        said = variability_words.spread(found, "North")
        assert "may be nothing at all, or as much as 4.0 points" in said

    def test_an_interval_without_an_end_is_said_to_have_none(self, world: World) -> None:
        run = a_run(world)
        area_figures(run, world, "North")
        AreaFigure.objects.update(spread_upper=None)
        found = queries.of_area(world.areas["North"], run)[0]
        assert "no upper limit" in variability_words.spread(found, "North")
        assert variability_words.interval(scales(run)["Reading"], 0.1, None) == "1.0 and more"


class TestAPartnership:
    def figures(self, run: Run, world: World, **more: Any) -> None:
        for year in (None, *YEARS):
            PartnershipFigure.objects.create(
                run=run, partnership=world.partnerships["Upper"], subject="Reading", year=year,
                **({"n_schools": 6, "n_pupils": 600, "spread": 0.3, "spread_lower": 0.2,
                    "spread_upper": 0.5, "share_within": 0.7} | more),
            )  # fmt: skip

    def test_its_members_read_how_much_they_differ(self, world: World, sign_in: SignIn) -> None:
        run = a_run(world)
        self.figures(run, world)
        trend(run, 0.0, partnership=world.partnerships["Upper"])
        page = words(sign_in("head"), "variability_partnership", "P-UPPER")
        assert "the middle of Upper partnership is 3.0 points" in page
        assert "We cannot tell whether it is closing" in page
        found = rows(sign_in("teacher"), "variability_partnership_export", "P-UPPER")
        assert {row["Schools"] for row in found if row["Outcome"] == "Reading"} == {"6"}

    def test_without_a_figure_it_says_so(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        page = words(sign_in("head"), "variability_partnership", "P-UPPER")
        assert "This comes with the next analysis" in page
        assert f'href="{reverse("connectedness:partnership", args=["P-UPPER"])}"' in page

    def test_an_outcome_without_a_figure_is_said_to_have_none(
        self, world: World, sign_in: SignIn
    ) -> None:
        self.figures(a_run(world), world)
        page = words(sign_in("head"), "variability_partnership", "P-UPPER", subject="Singing")
        assert "There is no figure of Upper partnership for this outcome" in page

    def test_a_withheld_one_shows_none(self, world: World, sign_in: SignIn) -> None:
        run = a_run(world)
        self.figures(run, world, suppressed=True)
        page = words(sign_in("head"), "variability_partnership", "P-UPPER")
        assert "Too few schools or pupils" in page
        assert "3.0" not in page
