"""Evaluations that rest on a drawn lottery, or in which too few stand behind one side."""

from datetime import UTC, date, datetime

from brightspots_web.connectedness.models import Practice, PracticeAdoption
from brightspots_web.directory.models import Membership, Partnership, School
from brightspots_web.evidence import evaluation_pages as pages
from brightspots_web.evidence import evaluation_words as words
from brightspots_web.evidence.evaluation_treated_queries import CHANCE
from brightspots_web.evidence.models import Evaluation, EvaluationResult, Lottery, LotteryEntry
from tests.web import evaluation_helpers as helpers
from tests.web import support_helpers
from tests.web.conftest import SignIn
from tests.web.world import World

TRUTH = 0.25
DRAWN_AT = datetime(2022, 1, 20, 9, tzinfo=UTC)


def a_drawn_lottery(practice: Practice, chances: dict[str, float]) -> Lottery:
    """Whoever took the practice up of the schools named had been drawn for it."""
    lottery = Lottery.objects.create(
        title="Places in spring", words="(Invented.)", kind=Lottery.What.ADOPTION,
        priority=support_helpers.a_priority(), places=len(chances), draws_on=DRAWN_AT.date(),
        state=Lottery.State.DRAWN, drawn_at=DRAWN_AT, seed_hash="a", list_hash="b", seed="c",
        beacon="d", by="The analyst", at=DRAWN_AT,
    )  # fmt: skip
    drawn = set(PracticeAdoption.objects.values_list("school__code", flat=True))
    schools = School.objects.in_bulk(list(chances), field_name="code")
    LotteryEntry.objects.bulk_create(
        LotteryEntry(lottery=lottery, school=schools[code], code=code, name=schools[code].name,
                     label=f"{at:012}", chance=chance, drawn=code in drawn, place=code in drawn)
        for at, (code, chance) in enumerate(chances.items())
    )  # fmt: skip
    assert practice.adoptions.count() == len(drawn)
    return lottery


def codes(first: int, last: int) -> list[str]:
    return [f"S{at:03}" for at in range(first, last)]


def resting_on(world: World, practice: Practice, chances: dict[str, float]) -> Evaluation:
    lottery = a_drawn_lottery(practice, chances)
    return helpers.planned(world, practice, design="lottery", lottery=lottery, anticipation=0)


def test_only_schools_on_the_list_are_compared_and_the_truth_is_found(
    world: World, sign_in: SignIn
) -> None:
    practice = helpers.a_panel(world, TRUTH, began={2022: 20})
    evaluation = resting_on(world, practice, dict.fromkeys(codes(0, 45), 20 / 45))
    result = helpers.found(evaluation, world)
    finding = result.found
    assert finding["simple"]["lower"] < TRUTH < finding["simple"]["upper"]
    counts = finding["counts"]
    assert (counts["treated_units"], counts["comparison_units"]) == (20, 25)
    assert counts["left_out"] == {"not treated and not eligible": 15}
    assert finding["adjusted"] == [], "all had the same chance"
    assert finding["security"]["parts"][0]["most"] == 5
    shown = sign_in("analyst").get(pages.url(evaluation)).content.decode()
    assert "A lottery decided who began first." in shown
    assert "these did not begin: none. Of the others, these began all the same: none." in shown


def test_schools_count_as_drawn_and_the_page_says_how_many_went_another_way(
    world: World, sign_in: SignIn
) -> None:
    practice = helpers.a_panel(world, TRUTH, began={2022: 20})
    evaluation = resting_on(world, practice, dict.fromkeys(codes(0, 60), 1 / 3))
    PracticeAdoption.objects.filter(school__code__in=codes(0, 4)).delete()
    for school in School.objects.filter(code__in=["S030"]):
        PracticeAdoption.objects.create(
            practice=practice, school=school, on=date(2023, 2, 1), by="x", at=DRAWN_AT
        )
    finding = helpers.found(evaluation, world).found
    assert finding["counts"]["treated_units"] == 20
    assert finding["lot"] == {"stayed_out": 4, "went_without": None}
    shown = sign_in("analyst").get(pages.url(evaluation)).content.decode()
    assert "these did not begin: 4. Of the others, these began all the same: fewer than 3" in shown


def test_unequal_chances_are_adjusted_for_and_certain_places_are_left_out(
    world: World, sign_in: SignIn
) -> None:
    """Ten in the one area of forty, ten in the other of sixteen; four had a place for certain."""
    practice = helpers.a_panel(world, TRUTH, began={2022: 24}, others=36)
    likely, certain = [*codes(10, 20), *codes(24, 30)], codes(20, 24)
    chances = dict.fromkeys([*codes(0, 10), *codes(30, 60)], 0.25)
    chances |= dict.fromkeys(likely, 10 / 16) | dict.fromkeys(certain, 1.0)
    evaluation = resting_on(world, practice, chances)
    finding = helpers.found(evaluation, world).found
    assert finding["adjusted"] == [CHANCE]
    assert finding["left"] == {"certain": 4}
    assert finding["counts"]["treated_units"] == 20
    assert finding["simple"]["lower"] < TRUTH < finding["simple"]["upper"]
    assert {row["measure"] for row in finding["balance"]} == {"outcome", f"about: {CHANCE}"}
    shown = sign_in("analyst").get(pages.url(evaluation)).content.decode()
    assert "had a place for certain, or no chance of one: no lot decided" in shown


def together(world: World, first: int, last: int, code: str) -> None:
    schools = list(School.objects.filter(code__in=codes(first, last)))
    partnership = Partnership.objects.create(
        code=code, name=code, lead_school=schools[0], formed=date(2019, 1, 1)
    )
    Membership.objects.bulk_create(
        Membership(partnership=partnership, school=school, starts=date(2019, 1, 1))
        for school in schools
    )


def test_one_partnership_alone_has_no_estimate_and_the_page_says_why(
    world: World, sign_in: SignIn
) -> None:
    practice = helpers.a_panel(world, TRUTH, began={2022: 12})
    together(world, 0, 12, "P-ONE")
    together(world, 12, 32, "P-TWO")
    together(world, 32, 52, "P-THREE")
    evaluation = helpers.planned(world, practice, cluster=True)
    finding = helpers.found(evaluation, world).found
    assert finding["simple"]["att"] is None
    assert finding["cells"] == finding["events"] == []
    assert words.months(finding) is None
    shown = sign_in("analyst").get(pages.url(evaluation)).content.decode()
    assert "Too few schools or partnerships stand behind it to tell an effect from luck" in shown
    assert "Months of progress" not in shown
    assert EvaluationResult.objects.count() == 1


def test_where_months_are_not_allowed_there_is_no_percentile_gain_either() -> None:
    size = {"percentile_gain": 10.0, "percentile_lower": 2.0, "percentile_upper": 18.0}
    finding = {
        "simple": {"att": 0.25, "lower": 0.05, "upper": 0.45},
        "size": {**size, "months": None, "months_lower": None, "months_upper": None},
        "security": {"rating": 0, "parts": [], "months_allowed": False},
    }
    assert words.percentile(finding) is words.months(finding) is None
    allowed = {**finding, "security": {"rating": 1, "parts": [], "months_allowed": True}}
    assert words.percentile(allowed) == ("+10", "+2 and +18")
