"""The shared result of an area: what it says, to whom, and that no school's own figure follows."""

import csv
import io
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from brightspots_web.accountability import shared_result_pages as pages
from brightspots_web.accountability import shared_result_queries as queries
from brightspots_web.accountability.pledge_models import Pledge
from brightspots_web.directory.models import Area, Membership, Partnership, School
from brightspots_web.insight.models import AreaFigure, Estimate, Run
from tests.web import challenge_helpers
from tests.web import pledge_helpers as helpers
from tests.web.bright_spot_helpers import a_run
from tests.web.conftest import SignIn
from tests.web.insight_helpers import published
from tests.web.world import FORMED, World

YEARS = (2021, 2022, 2023)
Levels = dict[int, float]


def a_school(world: World, code: str, area: str = "Upper") -> School:
    """A school in no partnership, unless it joins one."""
    world.schools[code] = School.objects.create(
        code=code, name=f"School {code}", area=world.areas[area], phase="primary", roll=100
    )
    return world.schools[code]


def join(school: School, partnership: Partnership) -> None:
    Membership.objects.create(
        partnership=partnership, school=school, distance_km=1.0, starts=FORMED
    )


def with_figures(
    world: World, levels: Levels | None = None, small: tuple[str, ...] = (), **more: Any
) -> Run:
    """A published run, and of each area the mean over its schools that may be shown, by year.

    Each school has a level of its own, so that a mean says something of who is in it.
    """
    run = a_run(world, {}, small=small)
    lifted = levels or {}
    for place, code in enumerate(sorted(world.schools)):
        for year in YEARS:
            rows = Estimate.objects.filter(run=run, school=world.schools[code], year=year)
            rows.update(estimate=0.07 * place + lifted.get(year, 0.0))
    for area in world.areas.values():
        for year in YEARS:
            inside = Estimate.objects.filter(
                run=run, subject="Reading", year=year, n__gte=10,
                school__area__path__startswith=area.path,
            )  # fmt: skip
            total = sum(each.n for each in inside)
            few = len(inside) < 3
            AreaFigure.objects.create(
                run=run, area=area, subject="Reading", year=year, suppressed=few,
                n_schools=None if few else len(inside), n_pupils=None if few else total,
                mean=None if few else sum(each.n * each.estimate for each in inside) / total,
                **({} if few else {"spread": 0.1, "share_within": 0.98} | more),
            )  # fmt: skip
    return run


def address(world: World, area: str = "Upper") -> str:
    return reverse("accountability:shared_result", args=[world.areas[area].pk])


def read(client: Client, world: World, area: str = "Upper") -> str:
    answer = client.get(address(world, area))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def lines(client: Client, world: World, area: str = "Upper") -> list[dict[str, str]]:
    answer = client.get(address(world, area).removesuffix("/") + ".csv")
    assert answer.status_code == 200
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type] # a stream
    return [row for row in csv.DictReader(io.StringIO(text)) if row["Points"]]


def told(world: World, who: str, area: str = "Upper") -> dict[int, float]:
    """Year -> the mean that somebody is told of reading in an area, in pupil SD."""
    priority = helpers.a_priority(world)
    run = Run.objects.get(withdrawn_at=None)
    found = queries.progress_of(world.cast[who], world.areas[area], [priority], run)
    return {year: level.value for year, level in found["Reading"].years}


# What it says


def test_the_progress_of_all_pupils_is_told_with_interval_n_and_date(
    world: World, sign_in: SignIn
) -> None:
    helpers.a_priority(world)
    with_figures(world, {2023: 0.4})
    page = read(sign_in("teacher"), world)
    assert "In 2023, pupils here reached about" in page
    assert "more in Reading than pupils like them elsewhere (likely between +" in page
    assert "360 results of pupils in 6 schools" in page
    assert "From 2021 to 2023 it moved up by about 4.0 points" in page
    assert "That can be told from no change." in page
    assert "<svg" in page
    assert "as of" in page.lower()
    assert "the schools of the area answer for it together" in page
    for word in ("rank", "league", "best", "worst"):
        assert word not in page.lower()


@pytest.mark.parametrize(
    ("levels", "verdict", "sentence"),
    [
        ({2021: 0.3}, "down", "it moved down by about 3.0 points"),
        ({2023: 0.05}, "unclear", "it cannot be told from no change: anything between"),
        ({2023: 0.5}, "up", "it moved up by about 5.0 points"),
    ],
)
def test_a_movement_is_told_from_no_change_only_where_its_interval_says_so(
    world: World, levels: Levels, verdict: str, sentence: str
) -> None:
    priority = helpers.a_priority(world)
    run = with_figures(world, levels)
    found = queries.progress_of(world.cast["head"], world.areas["Upper"], [priority], run)
    progress = found["Reading"]
    assert progress.verdict == verdict
    assert sentence in pages.moved(progress)
    assert progress.moved is not None
    assert progress.now is not None
    # 60 pupils in each of six schools, within-school SD as the spread and its share give it back.
    within = 0.1**2 * 0.98 / 0.02
    assert progress.now.upper - progress.now.value == pytest.approx(1.96 * (within / 360) ** 0.5)
    reach = progress.moved.upper - progress.moved.value
    assert reach == pytest.approx(1.96 * (2 * within / 360) ** 0.5)


def test_a_withheld_year_is_not_shown_and_then_no_movement_is(
    world: World, sign_in: SignIn
) -> None:
    helpers.a_priority(world)
    run = with_figures(world, {2023: 0.4})
    figures = AreaFigure.objects.filter(run=run, area=world.areas["Upper"])
    figures.filter(year=2021).update(suppressed=True)
    page = read(sign_in("district_officer"), world)
    assert "How it moved from 2021 to 2023 is not known" in page
    assert [row["Year"] for row in lines(sign_in("head"), world)] == ["2022", "2023"]
    figures.update(suppressed=True)
    page = read(sign_in("district_officer"), world)
    assert "The figure of 2023 is not shown." in page
    assert lines(sign_in("head"), world) == []


def test_the_file_says_what_the_page_says(world: World, sign_in: SignIn) -> None:
    helpers.a_priority(world)
    with_figures(world, {2023: 0.4})
    client = sign_in("head")
    page, found = read(client, world), lines(client, world)
    assert [row["Year"] for row in found] == ["2021", "2022", "2023", "change, 2021 to 2023"]
    for row in found:
        assert f"+{float(row['Points']):.1f}" in page
        assert row["Results of pupils"] == "360"
        assert row["Schools"] == "6"
        assert float(row["Likely from"]) < float(row["Points"]) < float(row["Likely to"])
    answer = client.get(address(world).removesuffix("/") + ".xlsx")
    assert answer.content[:2] == b"PK"


def test_an_analysis_made_by_the_platform_is_told_and_adds_up(world: World) -> None:
    priority = helpers.a_priority(world)
    run = published(world)
    found = queries.progress_of(world.cast["head"], world.areas["Upper"], [priority], run)
    progress = found["Reading"]
    assert [year for year, _level in progress.years] == list(YEARS)
    assert progress.now is not None
    assert (progress.now.schools, progress.now.pupils) == (6, 360)
    assert progress.verdict == "unclear", "the invented results stand still"


def test_of_the_whole_system_itself_no_figure_says_anything(world: World, sign_in: SignIn) -> None:
    helpers.a_priority(world)
    with_figures(world, {2023: 0.4})
    page = read(sign_in("minister"), world, "Testland")
    assert "Of the whole system itself they say nothing." in page
    assert address(world, "North") in page
    assert lines(sign_in("minister"), world, "Testland") == []
    assert "moved up" in read(sign_in("minister"), world, "North")


def test_where_nothing_is_known_yet_the_page_says_what_is_missing(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("head")
    page = read(client, world)
    assert "No analysis is published yet." in page
    assert "No cycle runs today." in page
    run = with_figures(world)
    assert "no results for the priorities of today" in read(client, world)
    helpers.a_priority(world)
    helpers.a_cycle(world)
    page = read(client, world)
    assert "promised nothing in this cycle that you may read" in page
    assert "fewer than 3" not in page, "the head knows of all six schools"
    assert "0 of the 6 open schools here have promised both halves" in page
    Run.objects.filter(pk=run.pk).update(summary={"outcomes": {"Reading": _one_year(run)}})
    assert "One year cannot show how a result moves." in read(client, world)


def _one_year(run: Run) -> dict[str, Any]:
    return run.summary["outcomes"]["Reading"] | {"years": [2023]}


# Who reads it


def test_who_works_or_looks_after_an_area_reads_its_result(world: World) -> None:
    def names(who: str) -> set[str]:
        return {each.name for each in queries.shared_areas(world.cast[who])}

    assert names("head") == names("teacher") == names("system_leader") == {"Upper"}
    assert names("other_head") == {"East"}
    assert names("district_officer") == {"North", "Upper", "Lower"}
    assert len(names("minister")) == 7
    join(a_school(world, "W2", "West"), world.partnerships["Upper"])
    assert names("system_leader") == {"Upper", "West"}
    assert names("head") == {"Upper"}
    assert not queries.shared_areas(None).exists()
    leader = world.cast["system_leader"]
    assert [e.name for e in queries.areas_beside(leader, world.areas["Upper"])] == ["West"]
    for who, area in (("head", "Upper"), ("district_officer", "North"), ("minister", "Testland")):
        assert queries.nearest(world.cast[who]) == world.areas[area]


def test_a_head_elsewhere_finds_none(world: World, sign_in: SignIn) -> None:
    stranger = sign_in("other_head")
    for end in ("/", ".csv"):
        assert stranger.get(address(world).removesuffix("/") + end).status_code == 404
    assert sign_in("head").get(address(world, "North")).status_code == 404


# No school's own figure follows


def test_one_or_two_schools_that_a_reader_does_not_see_could_be_had_by_subtraction(
    world: World, sign_in: SignIn
) -> None:
    helpers.a_priority(world)
    hidden = [a_school(world, "N7")]
    run = with_figures(world)
    assert told(world, "head") == {}
    assert "would tell you the figure of another" in read(sign_in("head"), world)
    assert lines(sign_in("head"), world) == []
    # The officer sees every school: there is nothing to work out. With that figure a head could.
    whole = told(world, "district_officer")[2023]
    known = Estimate.objects.filter(run=run, subject="Reading", year=2023)
    seen = known.exclude(school=hidden[0]).filter(school__area=world.areas["Upper"])
    worked_out = (7 * 60 * whole - sum(60 * each.estimate for each in seen)) / 60
    assert worked_out == pytest.approx(known.get(school=hidden[0]).estimate)


@pytest.mark.parametrize(("hidden", "shown"), [(0, True), (1, False), (2, False), (3, True)])
def test_three_schools_not_seen_hide_each_other(world: World, hidden: int, shown: bool) -> None:
    for number in range(hidden):
        a_school(world, f"N{7 + number}")
    with_figures(world)
    assert bool(told(world, "head")) is shown
    assert bool(told(world, "teacher")) is shown
    assert len(told(world, "minister")) == 3


def test_a_school_whose_figure_is_withheld_hides_no_other(world: World) -> None:
    for code in ("N7", "N8", "N9"):
        a_school(world, code)
    with_figures(world, small=("N9",))
    assert told(world, "head") == {}


def test_each_year_is_looked_at_by_itself(world: World) -> None:
    for code in ("N7", "N8", "N9"):
        a_school(world, code)
    run = with_figures(world)
    gone = Estimate.objects.filter(run=run, school__code="N9", year=2022, subject="Reading")
    gone.delete()
    AreaFigure.objects.filter(run=run, area=world.areas["Upper"], year=2022).update(n_schools=8)
    assert set(told(world, "head")) == {2021, 2023}


def test_where_schools_lie_elsewhere_than_when_it_was_made_nothing_is_told(world: World) -> None:
    with_figures(world)
    assert told(world, "head")
    School.objects.filter(code="N6").update(area=world.areas["Lower"])
    assert told(world, "head") == {}


def test_a_school_whose_promise_is_read_hides_no_other(world: World) -> None:
    for code in ("N7", "N8", "N9"):
        a_school(world, code)
    with_figures(world)
    assert told(world, "head")
    pledge = helpers.vowed(world, audience="system")  # it begins from a value of its school
    type(pledge.set).objects.filter(pk=pledge.set_id).update(school=world.schools["N7"])
    assert told(world, "head") == {}


def test_a_school_that_was_challenged_hides_no_other_from_who_read_its_brief(world: World) -> None:
    """The leader of East has a member in Upper too, and goes to N7 there from outside."""
    join(a_school(world, "N0"), world.partnerships["East"])
    for code in ("N7", "N8", "N9"):
        a_school(world, code)
    with_figures(world, small=("N1", "N2", "N3", "N4", "N5", "N6"))
    assert told(world, "other_system_leader", "Upper")
    visit = challenge_helpers.planned(world)
    type(visit).objects.filter(pk=visit.pk).update(school=world.schools["N7"])
    assert told(world, "other_system_leader", "Upper") == {}


def test_a_school_that_may_be_known_does_not_count_as_known(world: World) -> None:
    """Else one that promised on another measure would be worked out as the only one left."""
    a_school(world, "N7")
    with_figures(world)
    pledge = helpers.vowed(world, audience="system")
    type(pledge.set).objects.filter(pk=pledge.set_id).update(school=world.schools["N7"])
    assert told(world, "head") == {}


def test_areas_inside_each_other_are_taken_apart(world: World) -> None:
    """The leader of Upper reads North too once a member lies there beside the districts."""
    join(a_school(world, "N0", "North"), world.partnerships["Upper"])
    for code in ("N7", "N8", "N9"):
        a_school(world, code)
    with_figures(world)
    assert told(world, "system_leader", "Upper"), "three hide each other"
    assert told(world, "system_leader", "North"), "and the four of Lower do"
    a_run_without(world, world.areas["Lower"], keep="L1")
    assert told(world, "system_leader", "Upper")
    assert told(world, "system_leader", "North") == {}, "North without Upper and N0 is L1"


def a_run_without(world: World, area: Area, keep: str) -> None:
    """Take away the figures of an area's schools but one, and with them from the area above."""
    gone = Estimate.objects.filter(school__area=area).exclude(school__code=keep)
    gone.delete()
    AreaFigure.objects.filter(area=world.areas["North"]).update(n_schools=11)


def test_no_reader_can_solve_for_a_school_they_do_not_see(world: World) -> None:
    """All that each reader is told, as equations: none of the unknowns comes out of them."""
    for number, area in enumerate(("Upper", "Upper", "North", "Lower", "West", "West", "Upper")):
        a_school(world, f"X{number}", area)
    join(world.schools["X2"], world.partnerships["Upper"])
    join(world.schools["X4"], world.partnerships["Upper"])
    helpers.a_priority(world)
    attacked = 0
    for few in (("X0",), ("L2", "L3"), ("X0", "L1", "L2"), ("X3", "L1", "L2", "L3"), ()):
        Run.objects.update(withdrawn_at=timezone.now())
        run = with_figures(world, small=few)
        for who in ("head", "teacher", "system_leader", "other_head", "other_system_leader"):
            attacked += _attack(world, who, run)
    assert attacked > 5, "something has to be told for the attack to mean anything"


def _attack(world: World, who: str, run: Run) -> int:
    """How many areas somebody is told of; fails where a school they do not see comes out."""
    by = world.cast[who]
    shown = Estimate.objects.filter(run=run, subject="Reading", year=2023, n__gte=10)
    seen = set(queries.pledges.open_to(by, world_keys(world)))
    unknown = [key for key in shown.values_list("school", flat=True) if key not in seen]
    equations = []
    for area in queries.shared_areas(by):
        if 2023 in told(world, who, area.name):
            inside = set(
                shown.filter(school__area__path__startswith=area.path).values_list(
                    "school", flat=True
                )
            )
            equations.append([float(key in inside) for key in unknown])
    if not equations or not unknown:
        return len(equations)
    matrix = np.array(equations)
    rank = np.linalg.matrix_rank(matrix)
    for place in range(len(unknown)):
        alone = np.zeros((1, len(unknown)))
        alone[0, place] = 1.0
        assert np.linalg.matrix_rank(np.vstack([matrix, alone])) > rank, f"{who} works one out"
    return len(equations)


def world_keys(world: World) -> list[int]:
    return [each.pk for each in world.schools.values()]


# Who answers for it


def complete(world: World, who: str) -> str:
    cycle = helpers.a_cycle(world)
    found = queries.complete_here(world.cast[who], world.areas["Upper"], cycle)
    return pages.complete(found, cycle)


def test_complete_sets_are_counted_where_that_tells_of_no_school(world: World) -> None:
    helpers.a_set(world)
    helpers.vowed(world, by="partner_head")  # its second half is missing
    assert "1 of the 6 open schools here has promised both halves" in complete(world, "head")
    # The ministry reads none of them: one of six hidden is no more than "fewer than three".
    assert "fewer than 3 of the 6 open schools" in complete(world, "minister")
    for number in (7, 8):
        a_school(world, f"N{number}")
    assert "is not shown" in complete(world, "head"), "it would tell of N7 and N8"
    a_school(world, "N9")
    assert "fewer than 3 of the 9 open schools" in complete(world, "head")


def test_what_is_withdrawn_is_not_counted(world: World) -> None:
    of_set = helpers.a_set(world)
    pledge = Pledge.objects.get(set=of_set, half="other")
    helpers.actions.withdraw(pledge, "Rebuilt.", by=world.cast["head"], seen=None)
    assert "0 of the 6 open schools" in complete(world, "head")


def test_of_two_schools_nothing_is_counted(world: World) -> None:
    helpers.a_cycle(world)
    found = queries.complete_here(
        world.cast["minister"], world.areas["West"], helpers.a_cycle(world)
    )
    assert found.n is None


def test_a_set_promised_to_an_earlier_partnership_is_not_known(world: World) -> None:
    """N3 came to Upper since: what it promised elsewhere is not read here, nor counted."""
    helpers.a_set(world)
    moved = helpers.vowed(world, by="partner_head", target=1.0)
    type(moved.set).objects.filter(pk=moved.set_id).update(partnership=world.partnerships["East"])
    assert "is not shown" in complete(world, "head")
    assert "of the 6 open schools" in complete(world, "partner_head")


def test_only_partnerships_and_promises_that_one_may_read_stand_there(
    world: World, sign_in: SignIn
) -> None:
    helpers.a_set(world)
    helpers.withdrawn(world, by="partner_head", promise="We sing each morning.")
    join(a_school(world, "N7"), world.partnerships["Lower"])
    page = read(sign_in("head"), world)
    assert "Upper partnership" in page
    assert "Lower partnership" not in page
    assert page.count(helpers.PROMISE) == 2
    assert "We sing each morning." not in page
    officer = read(sign_in("district_officer"), world)
    assert "Lower partnership" in officer
    assert helpers.PROMISE not in officer, "it was promised to the partnership alone"
    Pledge.objects.filter(half="own").update(audience="area")
    assert read(sign_in("district_officer"), world).count(helpers.PROMISE) == 1


def test_ways_lead_there_from_the_area_and_the_overview(world: World, sign_in: SignIn) -> None:
    there = f'href="{address(world)}"'
    area = reverse("home:area", args=[world.areas["Upper"].pk])
    assert there in sign_in("district_officer").get(area).content.decode()
    overview = reverse("accountability:home")
    assert there in sign_in("head").get(overview).content.decode()
    assert "Shared result" in sign_in("minister").get(overview).content.decode()
