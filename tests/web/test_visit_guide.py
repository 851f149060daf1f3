"""What to look for on a visit follows from the figures of that school and outcome."""

from typing import Any

import pytest

from brightspots_web.insight import bright_spot_queries, queries, visit_guide
from brightspots_web.insight.models import Estimate, Run, Sensitivity, SubgroupFigure
from brightspots_web.insight.school_queries import depth
from tests.web.bright_spot_helpers import BRIGHT, VISIT, a_run
from tests.web.world import World


def asked(world: World, run: Run, code: str = "E1") -> str:
    """The first part for a school in Reading, reasons included."""
    school = world.schools[code]
    spot = bright_spot_queries.spot(school, "Reading", run)
    assert spot is not None
    standings = queries.standing(school, world.cast["minister"], run)
    behind = depth(school, standings, run).get("Reading")
    part = visit_guide.guide(spot, standings, behind)[0]
    assert part.heading == "What the figures make us ask"
    return " ".join(f"{each.because} {each.ask}" for each in part.questions)


def figures(run: Run, subject: str = "Reading", **more: Any) -> None:
    Estimate.objects.filter(run=run, school__code="E1", subject=subject).update(**more)


def year(run: Run, which: int, **more: Any) -> None:
    rows = Estimate.objects.filter(run=run, school__code="E1", subject="Reading", year=which)
    rows.update(**more)


def group(run: Run, world: World, name: str, estimate: float) -> None:
    SubgroupFigure.objects.create(
        run=run, school=world.schools["E1"], subject="Reading", dimension="sex", group=name, n=90,
        observed=100.0, estimate=estimate, se_comparative=0.1, lower=estimate - 0.2,
        upper=estimate + 0.2,
    )  # fmt: skip


def test_years_that_do_not_differ_ask_for_what_stayed(world: World) -> None:
    said = asked(world, a_run(world))
    assert "It lasted: 2021 to 2023 (3 years)" in said
    assert "What stayed the same" in said


def test_a_year_that_differs_for_certain_asks_what_was_different(world: World) -> None:
    run = a_run(world)
    year(run, 2022, estimate=1.2)
    said = asked(world, run)
    assert "2022 was clearly higher than 2023, by about 7.0 points." in said
    year(run, 2022, estimate=0.82)  # clear for one pair, but the widest of three was looked at
    assert "no year differs from another" in asked(world, run)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(90, 60, "Who no longer sits the test?"), (60, 90, "Where do the additional pupils come from"),
     (60, 66, "")],
)  # fmt: skip
def test_a_change_in_who_sat_the_test_is_asked_about(
    world: World, first: int, last: int, said: str
) -> None:
    run = a_run(world)
    year(run, 2021, n=first)
    year(run, 2023, n=last)
    found = asked(world, run)
    assert (f"{first} pupils took the test in 2021, {last} in 2023." in found) is bool(said)
    assert said in found


def test_strong_throughout_points_at_the_school_and_strong_alone_at_the_subject(
    world: World,
) -> None:
    both = a_run(world, {("E1", "Reading"): BRIGHT, ("E1", "Singing"): VISIT})
    said = asked(world, both)
    assert "above what is expected in Singing as well" in said
    assert "Look for what all classes share" in said
    alone = a_run(world, {("E1", "Reading"): BRIGHT}, minutes=1)
    said = asked(world, alone)
    assert "It stands out in Reading alone, of 2 outcomes." in said
    figures(alone, "Singing", estimate=-0.5, lower=-0.7, upper=-0.3)
    said = asked(world, alone)
    assert "It is below what is expected in Singing." in said
    assert "at the cost of the other?" in said


def test_groups_ask_for_whom_it_works(world: World) -> None:
    run = a_run(world)
    group(run, world, "girls", 0.8)
    group(run, world, "boys", 0.3)
    assert "“girls” gain clearly more here than “boys” (sex)." in asked(world, run)
    SubgroupFigure.objects.filter(group="girls").update(estimate=0.35)
    said = asked(world, run)
    assert "clearly more" not in said
    assert "All groups that can be shown are ahead (sex)." in said


def test_a_way_of_reckoning_without_the_lead_asks_what_to_check(world: World) -> None:
    run = a_run(world)
    Sensitivity.objects.create(
        run=run, school=world.schools["E1"], subject="Reading", variant="heavy_tails", n=180,
        estimate=0.05, se_comparative=0.1, lower=-0.15, upper=0.25,
    )  # fmt: skip
    assert "Ask who supervised." in asked(world, run)


def test_a_call_that_is_less_sure_asks_for_other_reasons(world: World) -> None:
    run = a_run(world, {("E1", "Reading"): VISIT})
    said = asked(world, run)
    assert "The chance that it is truly far ahead is 85%." in said
    assert "Before you praise" in said
    sure = a_run(world, {("E1", "Reading"): BRIGHT}, minutes=1)
    assert "Before you praise" not in asked(world, sure)


def test_one_year_asks_for_earlier_results(world: World) -> None:
    run = a_run(world)
    Estimate.objects.filter(run=run, school__code="E1", year__in=[2021, 2022]).delete()
    figures(run, years=1)
    said = asked(world, run)
    assert "Only one year is known (2023): it cannot show what lasts." in said
    assert "Ask for the results of earlier years" in said
