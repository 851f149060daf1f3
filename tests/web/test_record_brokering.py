"""Brokering goes by what earlier support brought, and says no more of it than may be told."""

from decimal import Decimal

import pytest

from brightspots_web.connectedness import record_lead_queries as leads
from brightspots_web.connectedness import support_reasons
from brightspots_web.connectedness.analysis import brokering
from brightspots_web.connectedness.models import Deployment, SupportOffer, SupportRequest
from brightspots_web.evidence import record_actions as actions
from tests.web import record_helpers as helpers
from tests.web import support_helpers
from tests.web.world import World

NEAR, BETTER = "L1", "N1"
"""Two givers: the nearer one's projects brought less."""
THREE, OTHERS = ("N2", "N3", "N4"), ("X01", "X02", "X03")


@pytest.fixture
def market(world: World) -> World:
    """L1 and N1 offer reading, each with three projects; N1's brought much, L1's took away."""
    helpers.more_schools(world)
    for code in THREE:
        helpers.project(world, code, BETTER)
    for code in OTHERS:
        helpers.project(world, code, NEAR)
    helpers.a_run(world, helpers.gains(*THREE, gain=0.6) | helpers.gains(*OTHERS, gain=-0.6))
    for code in ("N1", "L1"):
        school = world.schools[code]
        school.latitude, school.longitude = 0.6, 30.0
        school.save()
    world.schools["L1"].latitude = 0.55
    world.schools["L1"].save()
    return world


def asked(world: World, code: str = "L2") -> SupportRequest:
    return support_helpers.ready(world, code)


def kinds(found: brokering.Found) -> dict[str, dict[str, object]]:
    return {str(each["kind"]): each["values"] for each in found.reasons}


def giver(found: brokering.Found) -> str:
    return SupportOffer.objects.get(pk=found.offer).school.code


def without_exploring(world: World) -> None:
    actions.set_exploration(0, by=world.cast["minister"])


def test_a_leader_whose_projects_brought_more_goes_before_a_nearer_one(market: World) -> None:
    without_exploring(market)
    request = asked(market)
    assert giver(brokering.shortlist(request)[0]) == NEAR  # nothing is known yet
    helpers.reckoned(market)
    best = brokering.shortlist(request)
    assert giver(best[0]) == BETTER
    record = kinds(best[0])["record"]
    assert record["projects"] == 3
    assert "3 earlier projects at this priority: gains likely between" in " ".join(
        support_reasons.in_words(best[0].reasons)
    )
    assert len(brokering.match([request], lambda done, stage: None)[request.pk]) == 2


def test_the_whole_matching_goes_by_it_and_keeps_to_capacity(market: World) -> None:
    without_exploring(market)
    helpers.reckoned(market)
    SupportOffer.objects.filter(school__code=BETTER).update(at_once=1)
    requests = [asked(market, "L2"), asked(market, "L3")]
    found = brokering.match(requests, lambda done, stage: None)
    first = [giver(found[request.pk][0]) for request in requests]
    assert sorted(first) == [NEAR, BETTER]


def test_of_a_record_of_two_schools_no_figure_is_told_by_any_way(market: World) -> None:
    without_exploring(market)
    Deployment.objects.filter(receiving__code="N4").delete()
    helpers.reckoned(market)
    request = asked(market)
    listed = brokering.shortlist(request)
    few = next(each for each in listed if giver(each) == BETTER)
    assert kinds(few)["few_records"] == {"projects": 2}
    assert "record" not in kinds(few)
    assert "2 earlier projects, too few schools to show a figure" in support_reasons.in_words(
        few.reasons
    )
    # Nor how much better it fits: that minus way, language and the rest would be the figure.
    other = SupportOffer.objects.get(school__code=NEAR)
    answer = brokering.why_not(request, other)
    assert answer.rough
    assert not [each for each in answer.against if each["values"].get("part") == "track_record"]
    assert support_reasons.compared(answer) == "Another offer fits better."


def test_who_never_gave_has_no_record_yet_and_may_get_a_chance(market: World) -> None:
    helpers.an_offer(market, "L4")
    helpers.reckoned(market)
    request = asked(market)
    new = next(each for each in brokering.shortlist(request) if giver(each) == "L4")
    assert "no_record" in kinds(new)
    actions.set_exploration(50, by=market.cast["minister"])
    requests = [request, *(asked(market, f"X{number:02}") for number in range(10, 21))]
    found = brokering.match(requests, lambda done, stage: None)
    exploring = [key for key, listed in found.items() if "exploring" in kinds(listed[0])]
    assert 1 <= len(exploring) <= 6  # half of twelve at most


def test_without_exploring_no_request_goes_by_a_draw(market: World) -> None:
    without_exploring(market)
    helpers.reckoned(market)
    requests = [asked(market, code) for code in ("L2", "L3", "N5", "N6")]
    found = brokering.match(requests, lambda done, stage: None)
    assert not [key for key, listed in found.items() if "exploring" in kinds(listed[0])]


def test_draws_are_others_with_each_reckoning(market: World) -> None:
    offers = list(SupportOffer.objects.all())
    helpers.reckoned(market)
    first = brokering.outlook(offers)
    helpers.reckoned(market)
    assert brokering.outlook(offers).seed != first.seed


def test_days_that_are_gone_keep_the_best_record_off_the_match(market: World) -> None:
    without_exploring(market)
    helpers.reckoned(market)
    SupportOffer.objects.filter(school__code=BETTER).update(days=Decimal(1))
    request = asked(market)
    assert giver(brokering.match([request], lambda done, stage: None)[request.pk][0]) == NEAR


def test_projects_that_are_not_measured_are_no_missing_record(market: World) -> None:
    without_exploring(market)
    for code in ("X04", "X05"):
        helpers.project(market, code, "L4", year=2024)  # there are no results of a later year
    helpers.reckoned(market)
    listed = brokering.shortlist(asked(market))
    late = next(each for each in listed if giver(each) == "L4")
    assert kinds(late)["not_measured"] == {"projects": 2}
    assert "2 earlier projects, not measured yet" in support_reasons.in_words(late.reasons)


# Who is preferred to lead a new partnership


def strengths(world: World) -> dict[str, float]:
    """Strength as a leader of schools whose own figures are all the same."""
    same = {school.pk: (0.0, 0.0) for school in world.schools.values()}
    found = leads.lead_strengths(same, ["Reading"])
    return {code: found[school.pk] for code, school in world.schools.items()}


def test_who_leads_goes_by_what_earlier_support_brought(market: World) -> None:
    without_exploring(market)
    assert set(strengths(market).values()) == {0.0}
    helpers.reckoned(market)
    now = strengths(market)
    assert now[BETTER] > 0 > now[NEAR]
    assert now["L2"] == 0.0  # no record: neither for nor against


def test_a_record_of_two_schools_has_no_say_in_who_leads(market: World) -> None:
    without_exploring(market)
    Deployment.objects.filter(receiving__code="N4").delete()
    helpers.reckoned(market)
    assert strengths(market)[BETTER] == 0.0


def test_a_share_of_schools_goes_by_a_draw_to_who_leads(market: World) -> None:
    for code in ("L3", "L4", "N5", "N6", "E1", "E2"):
        helpers.an_offer(market, code)  # who offers has a record to draw from, wide as it is
    helpers.reckoned(market)
    actions.set_exploration(50, by=market.cast["minister"])
    drawn = strengths(market)
    without_exploring(market)
    calm = strengths(market)
    assert {code for code in drawn if drawn[code] != calm[code]}
    assert {code for code in drawn if drawn[code] == calm[code]}
