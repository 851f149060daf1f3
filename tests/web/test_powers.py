"""Readiness and powers: known conditions, kind answers, one power at a time, and back with help."""

from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from brightspots_web.connectedness import contact_actions as contacts
from brightspots_web.connectedness.models import Deployment
from brightspots_web.devolution import decision_follow_actions as follow
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Membership, Partnership, School
from brightspots_web.notices.models import Notice
from brightspots_web.pace import power_actions as actions
from brightspots_web.pace import power_gate_actions as gate_actions
from brightspots_web.pace import power_gate_queries as gates
from brightspots_web.pace import power_pages as pages
from brightspots_web.pace import power_queries as queries
from brightspots_web.pace import power_time_actions as timing
from brightspots_web.pace import power_words as words
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import GateCheck, PowerTransfer
from brightspots_web.pace.stage_place_queries import Place
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import decision_helpers
from tests.web import stage_helpers as helpers
from tests.web import support_helpers as supports
from tests.web.conftest import SignIn
from tests.web.world import FORMED, World

READY = [gates.Condition(key, True, 1, 1) for key in gates.KEYS]


def told(event: str) -> set[str]:
    found = Notice.objects.filter(kind=f"pace.power_{event}")
    return set(found.values_list("person__name", flat=True))


def found_ready(world: World, days_ago: int = 0, place: Place | None = None) -> GateCheck:
    """As if everything had been there some days ago, and the ministry had said so."""
    check = GateCheck.objects.create(
        **(place or helpers.upper(world)).fields, words="We would like to.", state="ready",
        answer="You carry it already.", answered_by="Minister", asked_by="Leader",
        conditions=[each.as_json() for each in READY],
        asked_at=timezone.now() - timedelta(days=days_ago), answered_on=helpers.in_days(-days_ago),
    )  # fmt: skip
    return check


def test_the_system_says_what_it_knows_of_each_condition(world: World) -> None:
    known = {each.key: each for each in gates.conditions(helpers.upper(world))}
    assert tuple(known) == gates.KEYS
    assert known["leader"].met
    assert (known["meetings"].n, known["meetings"].of, known["meetings"].met) == (0, 3, False)
    assert (known["data"].n, known["data"].of) == (0, 6)
    assert not known["kept"].met
    assert not known["stages"].met
    helpers.agreed(world)
    assert {each.key: each.met for each in gates.conditions(helpers.upper(world))}["stages"]
    leader = world.cast["system_leader"]
    Appointment.objects.filter(pk=leader.pk).update(ends=FORMED + timedelta(days=1))
    known = {each.key: each for each in gates.conditions(helpers.upper(world))}
    assert not known["leader"].met
    assert known["isolation"].n == 6  # without a leader all its schools are isolated


def test_an_area_counts_over_its_partnerships(world: World) -> None:
    known = {each.key: each for each in gates.conditions(helpers.north(world))}
    assert (known["leader"].n, known["leader"].of) == (1, 2)  # Lower has none
    assert not known["leader"].met
    said = [words.condition(each, inside=False) for each in known.values()]
    assert said[0] == "1 of 2 partnerships have a leader; all are asked for."


def test_steps_kept_are_numbers_for_the_group_and_words_for_others() -> None:
    known = gates.Condition("kept", True, 5, 6)
    assert "5 of 6" in words.condition(known, inside=True)
    outside = words.condition(known, inside=False)
    assert "5" not in outside
    assert outside.startswith("Most")
    assert "nothing can be said" in words.condition(gates.Condition("kept", False, 0, 0),
                                                    inside=False)  # fmt: skip


def test_a_place_asks_and_is_answered_kindly_with_what_is_missing(world: World) -> None:
    cast, upper = world.cast, helpers.upper(world)
    for who in ("head", "district_officer", "other_system_leader"):
        with pytest.raises(PermissionDenied):
            gate_actions.ask(upper, "Words", by=cast[who])
    with pytest.raises(ValidationError):
        gate_actions.ask(upper, "  ", by=cast["system_leader"])
    check = helpers.asked(world)
    assert helpers.asked(world) == check  # sent twice
    assert told("asked") == {"District Officer"}
    for who in ("other_district_officer", "analyst", "system_leader"):
        with pytest.raises(PermissionDenied):
            gate_actions.answer(check, ready=False, said="No", by=cast[who], seen=None)
    with pytest.raises(ValidationError, match="still missing") as problem:
        gate_actions.answer(check, ready=True, said="Yes", by=cast["district_officer"], seen=None)
    assert any("0 times" in each for each in problem.value.messages)
    with pytest.raises(OvertakenError):
        gate_actions.answer(check, ready=False, said="No", by=cast["minister"], seen=99)
    answered = gate_actions.answer(
        check, ready=False, said="Meet twice more.", by=cast["district_officer"], seen=1
    )
    assert gates.ready_since(helpers.upper(world)) is None
    assert told("not_yet") >= {"System Leader", "Head", "Partner Head"}
    with pytest.raises(ValidationError, match="answered already"):
        gate_actions.answer(answered, ready=False, said="No", by=cast["minister"], seen=None)
    assert helpers.asked(world) != check  # it may ask again


def everything_there(world: World) -> None:
    """Stages agreed, met, a step done, nobody isolated; of notes nothing is asked for."""
    given = {"meetings": 1, "schools_share": 0, "kept_share": 60, "wait_days": 90,
             "answer_days": 21}  # fmt: skip
    gate_actions.set_settings(given, by=world.cast["minister"], seen=None)
    helpers.agreed(world)
    step = decision_helpers.action(world, due=helpers.in_days(0))
    follow.finish_action(
        step, by=world.cast["head"], on=helpers.in_days(0), outcome="Found.", seen=None
    )
    schools = [each.school for each in directory.memberships_of(world.partnerships["Upper"])]
    contacts.record_meeting(
        world.partnerships["Upper"], schools, by=world.cast["system_leader"]
    )  # fmt: skip


def test_a_place_with_everything_there_is_ready_until_a_later_answer(world: World) -> None:
    everything_there(world)
    minister, upper = world.cast["minister"], helpers.upper(world)
    assert gates.missing(gates.conditions(upper)) == []
    check = helpers.asked(world)
    gate_actions.answer(check, ready=True, said="You carry it already.", by=minister, seen=None)
    assert gates.ready_since(upper) == helpers.in_days(0)
    assert told("ready") >= {"System Leader", "Head"}
    again = helpers.asked(world)
    gate_actions.answer(again, ready=False, said="The leader left.", by=minister, seen=None)
    assert gates.ready_since(upper) is None


def test_a_power_moves_when_it_is_accepted(world: World) -> None:
    cast, upper = world.cast, helpers.upper(world)
    found_ready(world)
    for who in ("system_leader", "head", "analyst", "other_district_officer"):
        with pytest.raises(PermissionDenied):
            actions.offer(upper, helpers.offer(), by=cast[who])
    transfer = helpers.offered(world)
    assert helpers.offered(world) == transfer  # sent twice
    assert not transfer.before_gate
    assert transfer.why_before == ""
    assert not queries.held(transfer)
    assert told("offered") == {"System Leader"}
    with pytest.raises(PermissionDenied):
        actions.answer(transfer, accepts=True, words="", by=cast["head"], seen=None)
    with pytest.raises(OvertakenError):
        actions.answer(transfer, accepts=True, words="", by=cast["system_leader"], seen=7)
    taken = actions.answer(transfer, accepts=True, words="", by=cast["system_leader"], seen=1)
    assert queries.held(taken)
    assert told("accepted") >= {"District Officer", "Head"}
    with pytest.raises(ValidationError, match="holds this power"):
        actions.offer(upper, helpers.offer(), by=cast["minister"])
    assert queries.standing(upper).held == 1
    assert "training" not in {each.value for each in queries.to_offer(upper)}


def test_a_power_that_begins_later_is_not_held_before_its_day(world: World) -> None:
    taken = helpers.held(world, starts=helpers.in_days(10))
    assert not queries.held(taken)
    assert queries.held(taken, helpers.in_days(10))
    assert words.badge(taken).label == "accepted, not begun"


def test_before_it_is_ready_a_power_needs_a_reason_and_is_marked(world: World) -> None:
    upper, officer = helpers.upper(world), world.cast["district_officer"]
    with pytest.raises(ValidationError) as problem:
        actions.offer(upper, helpers.offer(why_before=" "), by=officer)
    assert list(problem.value.message_dict) == ["why_before"]
    taken = helpers.held(world)
    assert taken.before_gate
    assert "The course begins next week." in words.before(taken)
    assert queries.standing(upper).before_gate == 1
    detail = AuditEntry.objects.filter(action="pace.offer_power").get().detail
    assert detail == {"power": "training", "before_gate": True}
    offered = helpers.offered(world, power="budget", why_before="The year ends.")
    assert queries.standing(upper).before_gate == 1  # it has not moved yet
    assert words.before(offered) == "Offered before it was found ready: The year ends."
    with pytest.raises(IntegrityError), transaction.atomic():
        PowerTransfer.objects.filter(pk=taken.pk).update(why_before="")


def test_a_power_comes_back_with_a_reason_and_support_and_may_go_again(world: World) -> None:
    cast, taken = world.cast, helpers.held(world)
    officer = cast["district_officer"]
    for why, support in (("", "A leader comes."), ("The leader left.", " ")):
        with pytest.raises(ValidationError):
            actions.take_back(taken, why, support, by=officer, seen=None)
    with pytest.raises(PermissionDenied):
        actions.take_back(taken, "Why", "Help", by=cast["system_leader"], seen=None)
    back = actions.take_back(
        taken, "The leader left.", "A leader comes weekly.", by=officer, seen=taken.version
    )
    assert back.ended_on == helpers.in_days(0)
    assert told("taken_back") >= {"System Leader", "Head", "Partner Head"}
    assert any("A leader comes weekly." in each for each in words.story(back))
    assert queries.standing(helpers.upper(world)).held == 0
    with pytest.raises(ValidationError, match="has ended"):
        actions.take_back(back, "Again", "Help", by=officer, seen=None)
    again = helpers.held(world)
    given = actions.give_back(again, "It took too long.", by=cast["system_leader"], seen=None)
    assert given.state == PowerTransfer.State.GIVEN_BACK
    assert told("given_back") >= {"District Officer"}
    assert queries.transfers_of(helpers.upper(world)).count() == 2
    assert audit.first_broken_link() is None
    said = str(list(AuditEntry.objects.values_list("detail", "target")))
    assert "The leader left." not in said


def test_an_offer_is_declined_with_words_or_withdrawn(world: World) -> None:
    transfer = helpers.offered(world)
    leader, officer = world.cast["system_leader"], world.cast["district_officer"]
    with pytest.raises(ValidationError):
        actions.answer(transfer, accepts=False, words="", by=leader, seen=None)
    declined = actions.answer(
        transfer, accepts=False, words="After the exams.", by=leader, seen=None
    )
    assert declined.state == PowerTransfer.State.DECLINED
    assert any("Not now, said" in each for each in words.story(declined))
    other = helpers.offered(world)
    gone = actions.withdraw(other, "A mistake.", by=officer, seen=None)
    with pytest.raises(ValidationError):
        actions.answer(gone, accepts=True, words="", by=leader, seen=None)
    assert any("withdrawn by" in each for each in words.story(gone))


def test_powers_go_to_an_area_below_where_somebody_holds_office(world: World) -> None:
    minister, officer = world.cast["minister"], world.cast["district_officer"]
    north, upper = helpers.north(world), Place(world.areas["Upper"])
    with pytest.raises(PermissionDenied):
        actions.offer(north, helpers.offer(), by=officer)  # nobody hands to themselves
    transfer = actions.offer(north, helpers.offer(), by=minister)
    actions.answer(transfer, accepts=True, words="", by=officer, seen=None)
    with pytest.raises(ValidationError, match="Nobody holds office"):
        actions.offer(upper, helpers.offer(), by=officer)
    with pytest.raises(PermissionDenied):
        actions.offer(Place(world.areas["East"]), helpers.offer(), by=officer)
    assert {each.name for each in places.handing(upper)} == {"District Officer"}
    assert {each.name for each in places.handing(north)} == {"Minister"}


def test_ready_and_waiting_long_is_marked_and_told_once(world: World, sign_in: SignIn) -> None:
    upper = helpers.upper(world)
    found_ready(world, days_ago=91)
    now = queries.standing(upper)
    assert now.long
    assert now.waiting_since == helpers.in_days(-91)
    assert "91 days" in words.waits(now)
    officer = world.cast["district_officer"]
    assert [place.name for place, _now in queries.waiting_long(officer)] == ["Upper partnership"]
    assert queries.waiting_long(world.cast["other_district_officer"]) == []
    assert queries.waiting_long(world.cast["head"]) == []
    assert "91 days" in sign_in("district_officer").get(reverse("pace:powers")).content.decode()
    assert timing.look_after() == 1
    assert timing.look_after() == 0
    assert told("waits") == {"District Officer"}
    helpers.offered(world)
    assert not queries.standing(upper).long  # something moves
    assert queries.standing(upper, helpers.in_days(91)).long  # and then again nothing


def test_a_place_that_holds_all_powers_waits_for_nothing(world: World) -> None:
    found_ready(world, days_ago=300)
    for power in ("targets", "budget", "training", "review"):
        helpers.held(world, power=power)
    now = queries.standing(helpers.upper(world), helpers.in_days(200))
    assert (now.held, now.waiting_since, now.long) == (4, None, False)


def test_unanswered_questions_and_offers_are_reminded_of_once(world: World) -> None:
    helpers.asked(world)
    helpers.offered(world)
    assert timing.look_after() == 0
    later = helpers.in_days(21)
    assert timing.look_after(later) == 2
    assert timing.look_after(later) == 0
    assert told("ask_waits") == {"District Officer"}
    assert told("offer_waits") == {"System Leader"}


def test_the_planner_reads_for_each_area_and_term(world: World) -> None:
    cycle, minister = helpers.a_cycle(world), world.cast["minister"]
    north, officer = helpers.north(world), world.cast["district_officer"]
    too_soon = actions.offer(north, helpers.offer(power="budget"), by=minister)
    actions.answer(too_soon, accepts=True, words="", by=officer, seen=None)
    found_ready(world)
    helpers.held(world)
    areas = [world.areas["North"], world.areas["South"]]
    one, other = queries.area_terms(minister, areas, [cycle])
    assert (one.area, one.cycle) == (north.pk, cycle.pk)
    assert one.powers == {"budget": helpers.in_days(0)}
    assert one.before_gate == 1
    assert one.abandoned  # a power came before it was ready
    assert not one.held_back
    assert (one.partnerships, one.partnerships_with_powers) == (1, 1)
    assert (other.ready_since, other.powers, other.abandoned) == (None, {}, False)
    found_ready(world, days_ago=100, place=Place(world.areas["South"]))
    _one, other = queries.area_terms(minister, areas, [cycle])
    assert other.held_back
    assert other.ready_since == helpers.in_days(-100)


def test_what_waits_stands_on_the_front_page(world: World) -> None:
    check, transfer = helpers.asked(world), helpers.offered(world)
    assert [each["url"] for each in pages.front_items(world.cast["district_officer"])] == [
        reverse("pace:gate_answer", args=[check.pk])
    ]
    assert [each["url"] for each in pages.front_items(world.cast["system_leader"])] == [
        reverse("pace:power_answer", args=[transfer.pk])
    ]
    for who in ("head", "other_district_officer", "analyst"):
        assert pages.front_items(world.cast[who]) == []


def test_the_pages_from_the_question_to_a_power_that_comes_back(
    world: World, sign_in: SignIn
) -> None:
    pk = world.partnerships["Upper"].pk
    leader, officer = sign_in("system_leader"), sign_in("district_officer")
    ask = reverse("pace:gate_ask", args=["partnership", pk])
    assert "0 of 6 schools shared" in leader.get(ask).content.decode()
    assert "required" in leader.post(ask, {"words": ""}).content.decode()
    leader.post(ask, {"words": "We would like to choose our training."})
    answer = reverse("pace:gate_answer", args=[GateCheck.objects.get().pk])
    refused = officer.post(answer, {"ready": "yes", "answer": "Go on.", "seen": 1})
    assert refused.status_code == 200
    assert "still missing" in refused.content.decode()
    assert "Go on." in refused.content.decode()
    officer.post(answer, {"ready": "no", "answer": "Meet first.", "seen": 1})
    page = reverse("pace:powers_of", args=["partnership", pk])
    shown = leader.get(page).content.decode()
    assert "Meet first." in shown
    assert "Meet again; an hour with a purpose counts." in shown
    form = {"power": "training", "starts": helpers.in_days(0).isoformat(), "why": "Try it."}
    offer = reverse("pace:power_offer", args=["partnership", pk])
    assert "has not been found ready" in officer.post(offer, form).content.decode()
    officer.post(offer, form | {"why_before": "The course begins."})
    transfer = PowerTransfer.objects.get()
    taken = reverse("pace:power_answer", args=[transfer.pk])
    late = leader.post(taken, {"accepts": "yes", "words": "Thank you.", "seen": 9})
    assert late.status_code == 409
    assert "Thank you." in late.content.decode()
    leader.post(taken, {"accepts": "yes", "words": "Thank you.", "seen": 1})
    assert "The course begins." in leader.get(page).content.decode()
    back = reverse("pace:power_take_back", args=[transfer.pk])
    assert "required" in officer.post(back, {"why": "Why", "support": ""}).content.decode()
    officer.post(back, {"why": "The leader left.", "support": "A coach comes.", "seen": 2})
    assert "A coach comes." in leader.get(page).content.decode()
    assert "A coach comes." in sign_in("teacher").get(page).content.decode()


def test_what_readiness_asks_for_is_set_by_the_ministry_and_assumed_before(
    world: World, sign_in: SignIn
) -> None:
    given = {"meetings": 1, "schools_share": 20, "kept_share": 0, "wait_days": 30,
             "answer_days": 7}  # fmt: skip
    with pytest.raises(PermissionDenied):
        gate_actions.set_settings(given, by=world.cast["district_officer"], seen=None)
    client, address = sign_in("minister"), reverse("pace:gate_settings")
    assert "assumed" in client.get(address).content.decode()
    assert client.post(address, given | {"seen": 1}).status_code == 302
    late = client.post(address, given | {"wait_days": 60, "seen": 1})
    assert late.status_code == 409
    assert gates.settings_now().wait_days == 30
    assert client.post(address, given | {"meetings": 99}).status_code == 200


def test_a_list_costs_as_many_statements_for_many_places_as_for_one(
    world: World, django_assert_max_num_queries: Any, sign_in: SignIn
) -> None:
    client = sign_in("minister")
    for name in ("pace:powers", "pace:stages"):
        with django_assert_max_num_queries(26):
            assert client.get(reverse(name)).status_code == 200


def test_a_day_far_away_is_refused(world: World) -> None:
    for starts in (date(1999, 1, 1), helpers.in_days(900)):
        with pytest.raises(ValidationError) as problem:
            helpers.offered(world, starts=starts)
        assert list(problem.value.message_dict) == ["starts"]


def test_nobody_is_reminded_of_a_partnership_that_has_ended(world: World) -> None:
    found_ready(world, days_ago=91)
    helpers.asked(world)
    helpers.offered(world)
    world.partnerships["Upper"].closed = helpers.in_days(-1)
    world.partnerships["Upper"].save()
    assert timing.look_after(helpers.in_days(200)) == 0
    assert not Notice.objects.filter(kind__in=["pace.power_waits", "pace.power_ask_waits"])


def test_the_worker_asks_as_little_for_many_ready_places_as_for_one(
    world: World, django_assert_max_num_queries: Any
) -> None:
    def ready(number: int) -> None:
        made = Partnership.objects.create(code=f"X{number}", name=f"X{number}", formed=FORMED)
        found_ready(world, days_ago=5, place=Place(made))

    for number in range(12):
        ready(number)
    with django_assert_max_num_queries(10):
        assert timing.look_after() == 0


def test_an_offer_to_the_own_area_is_not_lost_behind_those_to_its_partnerships(
    world: World,
) -> None:
    for number in range(51):
        made = Partnership.objects.create(code=f"X{number}", name=f"X{number}", formed=FORMED)
        school = School.objects.create(code=f"X{number}", name="X", area=world.areas["Upper"])
        Membership.objects.create(partnership=made, school=school, starts=FORMED)
        PowerTransfer.objects.create(
            partnership=made, power="targets", starts=helpers.in_days(0), why="x",
            offered_by="Minister", offered_at=timezone.now(),
        )  # fmt: skip
    offer = actions.offer(helpers.north(world), helpers.offer(), by=world.cast["minister"])
    assert queries.offers_to_answer(world.cast["district_officer"]) == [offer]


def test_places_that_need_not_be_looked_at_are_not_read_for_the_front_page(world: World) -> None:
    found_ready(world, days_ago=91)
    for power in ("targets", "budget", "training", "review"):
        helpers.held(world, power=power)
    PowerTransfer.objects.update(offered_at=timezone.now() - timedelta(days=300))
    with mock.patch.object(queries, "standings", return_value={}) as standings:
        assert queries.waiting_long(world.cast["minister"]) == []
    standings.assert_called_once_with([])


def test_an_area_to_which_all_powers_are_offered_is_not_held_back(world: World) -> None:
    """What is missing is its own word, so nothing can be offered to it."""
    cycle, north = helpers.a_cycle(world), helpers.north(world)
    found_ready(world, days_ago=300, place=north)
    for power in ("targets", "budget", "training", "review"):
        actions.offer(north, helpers.offer(power=power), by=world.cast["minister"])
    PowerTransfer.objects.update(offered_at=timezone.now() - timedelta(days=200))
    areas = [world.areas["North"]]
    (one,) = queries.area_terms(world.cast["minister"], areas, [cycle])
    assert not one.held_back
    assert queries.standing(north).waiting_since == one.waiting_since is None


def test_the_front_page_reads_no_powers_of_partnerships_for_its_signs(world: World) -> None:
    cycle, minister = helpers.a_cycle(world), world.cast["minister"]
    found_ready(world)
    helpers.held(world)
    areas = [world.areas["North"], world.areas["South"]]
    rows = PowerTransfer.from_db
    with mock.patch.object(PowerTransfer, "from_db", side_effect=rows) as read:
        whole, _south = queries.area_terms(minister, areas, [cycle], inside=False)
        assert whole.partnerships is None
        queries.area_terms(minister, areas[1:], [cycle])
    read.assert_not_called()
    (south,) = queries.area_terms(minister, areas[1:], [cycle])
    north, same = queries.area_terms(minister, areas, [cycle])
    assert (north.partnerships, north.partnerships_with_powers) == (1, 1)
    assert same == south


def test_support_of_a_school_that_was_closed_was_not_ended_too_soon(world: World) -> None:
    cycle, minister = helpers.a_cycle(world), world.cast["minister"]
    over = supports.begun(world, code="N2")
    Deployment.objects.filter(pk=over.pk).update(
        starts=helpers.in_days(-50), exit_on=helpers.in_days(-1), ended_on=helpers.in_days(-1)
    )
    north = [world.areas["North"], world.areas["South"]]
    assert [each.support_ended for each in queries.area_terms(minister, north, [cycle])] == [1, 0]
    over.receiving.closed = helpers.in_days(-1)
    over.receiving.save()
    assert [each.support_ended for each in queries.area_terms(minister, north, [cycle])] == [0, 0]
