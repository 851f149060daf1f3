"""Stages: rated alone, shown without names, agreed openly, and differences kept."""

from datetime import timedelta
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.notices.models import Notice
from brightspots_web.pace import stage_actions as actions
from brightspots_web.pace import stage_agree_actions as agree
from brightspots_web.pace import stage_drawing as drawing
from brightspots_web.pace import stage_pages as pages
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace import stage_queries as queries
from brightspots_web.pace import stage_time_actions as timing
from brightspots_web.pace.models import (
    StageAgreement,
    StageConsent,
    StageRating,
    StageRound,
    StageText,
)
from brightspots_web.pace.stage_models import Strand
from brightspots_web.pace.stage_place_queries import Place
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import decision_helpers
from tests.web import stage_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import FORMED, World

LEADERS = Strand.LEADERS.value


def told(event: str) -> set[str]:
    found = Notice.objects.filter(kind=f"pace.stage_{event}")
    return set(found.values_list("person__name", flat=True))


def test_every_school_with_a_head_has_one_seat_and_the_leader_speaks_for_the_own_school(
    world: World,
) -> None:
    there = places.seats(helpers.upper(world))
    assert [each.name for each in there] == ["School N1", "School N2", "School N3"]
    decision_helpers.head_of(world, "N4")
    assert len(places.seats(helpers.upper(world))) == 4
    # A leader who is head of no school of it has a seat apart.
    Appointment.objects.filter(pk=world.cast["system_leader"].pk).update(school=None)
    names = [each.name for each in places.seats(helpers.upper(world))]
    assert names == ["School N2", "School N3", "School N4", "Upper partnership"]


def test_an_area_is_rated_by_its_officer_and_the_leaders_in_it(world: World) -> None:
    north = helpers.north(world)
    assert [each.key for each in places.seats(north)] == [
        f"area-{north.pk}", f"partnership-{world.partnerships['Upper'].pk}",
    ]  # fmt: skip
    assert places.seat_of(world.cast["head"], north) is None
    assert places.seat_of(world.cast["other_system_leader"], north) is None
    found = helpers.opened(world, north, "district_officer")
    assert told("opened") == {"System Leader"}
    actions.rate(found, helpers.ratings(), by=world.cast["system_leader"])
    with pytest.raises(PermissionDenied):
        actions.rate(found, helpers.ratings(), by=world.cast["other_district_officer"])


def test_a_round_is_opened_once_a_cycle_by_who_answers(world: World) -> None:
    upper, leader = helpers.upper(world), world.cast["system_leader"]
    with pytest.raises(ValidationError, match="No cycle runs today"):
        actions.open_round(upper, helpers.in_days(9), by=leader)
    helpers.a_cycle(world)
    for who in ("head", "district_officer", "minister", "other_system_leader"):
        with pytest.raises(PermissionDenied):
            actions.open_round(upper, helpers.in_days(9), by=world.cast[who])
    for days in (-1, 200):
        with pytest.raises(ValidationError):
            actions.open_round(upper, helpers.in_days(days), by=leader)
    found = actions.open_round(upper, helpers.in_days(9), by=leader)
    assert actions.open_round(upper, helpers.in_days(9), by=leader) == found
    assert told("opened") == {"Head", "Partner Head"}


def test_a_head_opens_the_round_of_a_partnership_without_leader(world: World) -> None:
    helpers.a_cycle(world)
    leader = world.cast["system_leader"]
    Appointment.objects.filter(pk=leader.pk).update(ends=FORMED + timedelta(days=1))
    assert actions.open_round(helpers.upper(world), helpers.in_days(5), by=world.cast["head"])


def test_nobody_reads_ratings_before_they_are_closed(world: World) -> None:
    cast, found = world.cast, helpers.opened(world)
    late = decision_helpers.head_of(world, "N4")
    readers = (late, *(cast[who] for who in ("head", "teacher", "district_officer", "minister")))
    for who, stage in {"system_leader": 2, "head": 2, "partner_head": 4}.items():
        actions.rate(found, helpers.ratings(stage, f"Seen by {who}"), by=cast[who])
        # Who looked before and after one more rating would know whose it is.
        assert all(queries.spreads(found, acting) == {} for acting in (*readers, None))
    found = actions.close(found, by=cast["system_leader"])
    shown = queries.spreads(found, cast["head"])[LEADERS]
    assert shown.counts == {2: 2, 4: 1}
    assert sorted(shown.shows) == [
        "Seen by head", "Seen by partner_head", "Seen by system_leader",
    ]  # fmt: skip
    assert queries.spreads(found, late)[LEADERS].counts == {2: 2, 4: 1}
    outside = queries.spreads(found, cast["minister"])[LEADERS]
    assert outside.counts == {2: 2, 4: 1}
    assert outside.shows == ()  # words stay in the group
    assert queries.spreads(found, cast["teacher"]) == {}


def test_few_ratings_stay_hidden_when_the_round_is_closed(world: World) -> None:
    cast, found = world.cast, helpers.opened(world)
    actions.rate(found, helpers.ratings(1), by=cast["head"])
    actions.rate(found, helpers.ratings(1), by=cast["partner_head"])
    found = actions.close(found, by=cast["system_leader"])
    for who in ("head", "system_leader", "minister", "district_officer"):
        assert queries.spreads(found, cast[who]) == {}
    assert pages.page(helpers.upper(world), cast["minister"])["few"] is True


def test_a_rating_can_be_changed_until_ratings_are_closed(world: World) -> None:
    cast, found = world.cast, helpers.opened(world)
    actions.rate(found, helpers.ratings(1), by=cast["head"])
    for who in ("partner_head", "system_leader"):
        actions.rate(found, helpers.ratings(3), by=cast[who])
    actions.rate(found, helpers.ratings(2), by=cast["head"])  # nobody sees anything yet
    mine = StageRating.objects.filter(seat=f"school-{world.schools['N1'].pk}")
    assert set(StageRating.objects.values_list("stage", flat=True)) == {2, 3}
    assert mine.count() == len(Strand)
    actions.close(found, by=cast["system_leader"])
    for by in (cast["head"], decision_helpers.head_of(world, "N6")):
        with pytest.raises(ValidationError, match="closed"):
            actions.rate(found, helpers.ratings(3), by=by)


def test_a_rating_needs_every_strand_and_what_shows_it(world: World) -> None:
    found, head = helpers.opened(world), world.cast["head"]
    given = helpers.ratings()
    del given[LEADERS]
    with pytest.raises(ValidationError) as problem:
        actions.rate(found, given, by=head)
    assert list(problem.value.message_dict) == ["stage_leaders"]
    with pytest.raises(ValidationError) as problem:
        actions.rate(found, helpers.ratings(2, "  "), by=head)
    assert next(iter(problem.value.message_dict)).startswith("shows_")
    with pytest.raises(ValidationError):
        actions.rate(found, helpers.ratings(5), by=head)
    assert not StageRating.objects.exists()
    with pytest.raises(PermissionDenied):
        actions.rate(found, helpers.ratings(), by=world.cast["teacher"])


def test_what_every_seat_carries_is_agreed_and_a_changed_stage_asks_anew(world: World) -> None:
    cast, found = world.cast, helpers.put(world)
    assert told("put") == {"Head", "Partner Head"}
    agree.say(found, helpers.words(), by=cast["head"], seen=None)
    assert not StageAgreement.objects.filter(state="agreed").exists()
    found.refresh_from_db()
    agree.put(found, {LEADERS: agree.Put(2)}, by=cast["system_leader"], seen=found.version)
    agree.say(found, helpers.words(), by=cast["partner_head"], seen=None)
    put = queries.agreements(found)
    assert not put[LEADERS].agreed  # the head carried another stage
    assert [each.seat_name for each in put[LEADERS].yes] == ["School N1", "School N3"]
    assert all(each.agreed for strand, each in put.items() if strand != LEADERS)
    agree.say(found, helpers.words(), by=cast["head"], seen=None)
    row = StageAgreement.objects.get(strand=LEADERS)
    assert (row.state, row.stage, row.asked) == ("agreed", 2, 3)
    assert row.agreed_on == helpers.in_days(0)
    assert queries.agreed_lately(helpers.upper(world))
    assert told("agreed") >= {"System Leader", "Partner Head"}
    with pytest.raises(ValidationError, match="agreed"):
        agree.put(found, {LEADERS: agree.Put(4)}, by=cast["head"], seen=None)


def test_who_sees_it_differently_stays_shown_and_nothing_is_averaged(world: World) -> None:
    cast, found = world.cast, helpers.put(world)
    with pytest.raises(ValidationError, match="few words"):
        agree.say(found, {LEADERS: agree.Word(False)}, by=cast["head"], seen=None)
    no = {LEADERS: agree.Word(False, "Most hangs on one person.")}
    agree.say(found, no, by=cast["head"], seen=None)
    agree.say(found, helpers.words(), by=cast["partner_head"], seen=None)
    with pytest.raises(PermissionDenied):
        agree.settle(found, "Late.", by=cast["head"], seen=None)
    with pytest.raises(ValidationError):
        agree.settle(found, " ", by=cast["system_leader"], seen=None)
    agree.settle(found, "We look again in spring.", by=cast["system_leader"], seen=None)
    put = queries.agreements(found)[LEADERS]
    assert put.row.stage == 3
    assert [each.words for each in put.no] == ["Most hangs on one person."]
    past = queries.history(helpers.upper(world), cast["head"])
    assert LEADERS in past[0].differs
    chart = drawing.history("k", past)
    row = next(each for each in chart.rows if each[0] == "Leaders")
    assert row[2] == "embedding, not carried by all"
    assert row[3] == "1 developing, 2 embedding"


def test_the_audit_trail_holds_no_rating_and_no_words(world: World) -> None:
    helpers.agreed(world)
    assert audit.first_broken_link() is None
    entries = AuditEntry.objects.filter(action__startswith="pace.")
    kinds = set(entries.values_list("action", flat=True))
    assert kinds >= {"pace.open_stages", "pace.rate_stages", "pace.close_stages",
                     "pace.put_stages", "pace.say_stages", "pace.agree_stages"}  # fmt: skip
    said = str(list(entries.values_list("detail", "target")))
    assert "Friday" not in said
    assert "'stage'" not in said


def test_what_was_changed_meanwhile_is_not_overwritten(world: World, sign_in: SignIn) -> None:
    found = helpers.put(world)
    with pytest.raises(OvertakenError):
        agree.put(found, {LEADERS: agree.Put(1)}, by=world.cast["head"], seen=99)
    client = sign_in("head")
    late = client.post(
        reverse("pace:stage_say", args=[found.pk]),
        {"seen": 99, "agrees_leaders": "no", "words_leaders": "One person carries it all."},
    )
    assert late.status_code == 409
    assert "One person carries it all." in late.content.decode()


def test_the_ministry_puts_the_texts_in_its_own_words(world: World, sign_in: SignIn) -> None:
    minister = world.cast["minister"]
    assert all(each.assumed for each in queries.texts(LEADERS))
    found = helpers.opened(world)
    given = {each.stage: each.text for each in queries.texts(LEADERS)} | {1: "Nobody leads yet."}
    with pytest.raises(PermissionDenied):
        actions.set_texts(LEADERS, given, by=world.cast["district_officer"], seen={})
    assert actions.set_texts(LEADERS, given, by=minister, seen={1: 0}) == 1
    now = queries.texts(LEADERS)
    assert [each.assumed for each in now] == [False, True, True, True]
    # The round that is open keeps the words it was opened with.
    assert queries.texts(LEADERS, found.texts)[0].assumed
    with pytest.raises(OvertakenError):
        actions.set_texts(LEADERS, given, by=minister, seen={1: 0})
    client = sign_in("minister")
    address = reverse("pace:stage_text", args=[LEADERS])
    form = {f"stage_{n}": f"New {n}" for n in range(1, 5)} | {f"seen_{n}": 0 for n in range(1, 5)}
    late = client.post(address, form)
    assert late.status_code == 409
    assert "New 1" in late.content.decode()
    assert client.post(address, form | {"seen_1": 1}).status_code == 302
    assert StageText.objects.count() == 4
    assert "assumed" in client.get(reverse("pace:stage_texts")).content.decode()


def test_the_worker_reminds_closes_and_asks_for_agreement_once(world: World) -> None:
    found = helpers.opened(world)
    actions.rate(found, helpers.ratings(), by=world.cast["head"])
    assert timing.look_after() == 0
    near = found.closes_on - timedelta(days=2)
    assert timing.look_after(near) == 1
    assert timing.look_after(near) == 0
    assert told("soon") == {"System Leader", "Partner Head"}  # who has not rated
    assert timing.look_after(found.closes_on) == 0
    assert timing.look_after(found.closes_on + timedelta(days=1)) == 1
    found.refresh_from_db()
    assert found.state == StageRound.State.CLOSED
    assert told("closed") >= {"Head", "Partner Head"}
    later = helpers.in_days(20)
    assert timing.look_after(later) == 1
    assert timing.look_after(later) == 0
    assert told("agree") == {"System Leader"}


def test_what_waits_stands_on_the_front_page_of_who_can_do_it(
    world: World, sign_in: SignIn
) -> None:
    found, cast = helpers.opened(world), world.cast
    assert [each["url"] for each in pages.front_items(cast["head"])] == [
        reverse("pace:stage_rate", args=[found.pk])
    ]
    assert pages.front_items(cast["teacher"]) == []
    assert pages.front_items(cast["minister"]) == []
    assert pages.front_items(cast["other_head"]) == []
    for who in helpers.SEATS:
        actions.rate(found, helpers.ratings(), by=cast[who])
    assert pages.front_items(cast["head"]) == []
    actions.close(found, by=cast["system_leader"])
    assert reverse("pace:stage_put", args=[found.pk]) in str(
        pages.front_items(cast["system_leader"])
    )
    given = {LEADERS: agree.Put(2)}
    agree.put(found, given, by=cast["system_leader"], seen=None)
    assert reverse("pace:stage_say", args=[found.pk]) in str(pages.front_items(cast["head"]))
    assert "Say your word" in sign_in("head").get(reverse("pace:home")).content.decode()


def test_the_page_shows_no_names_beside_ratings_and_outsiders_read_no_words(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.put(world)
    agree.say(
        found, {LEADERS: agree.Word(False, "Much hangs on one person.")},
        by=world.cast["head"], seen=None,
    )  # fmt: skip
    address = reverse("pace:stage", args=["partnership", world.partnerships["Upper"].pk])
    inside = sign_in("partner_head").get(address).content.decode()
    assert "1 developing, 2 embedding" in inside
    assert "Much hangs on one person." in inside
    assert helpers.SHOWS in inside
    outside = sign_in("minister").get(address).content.decode()
    assert "1 developing, 2 embedding" in outside
    assert "1 see it differently" in outside
    assert "Much hangs on one person." not in outside
    assert helpers.SHOWS not in outside
    teacher = sign_in("teacher").get(address).content.decode()
    assert "1 developing, 2 embedding" not in teacher
    assert "put to the group" in teacher


def test_a_form_that_misses_something_says_where_and_keeps_what_was_typed(
    world: World, sign_in: SignIn
) -> None:
    found = helpers.opened(world)
    form = helpers.rate_form() | {"shows_leaders": "", "shows_evidence": "We read them together."}
    page = sign_in("head").post(reverse("pace:stage_rate", args=[found.pk]), form)
    assert page.status_code == 200
    assert "We read them together." in page.content.decode()
    assert "This field is required." in page.content.decode()
    assert not StageRating.objects.exists()
    for odd in ("/pace/stages/school/1/", "/pace/stages/texts/other/"):
        assert sign_in("minister").get(odd).status_code == 404


def test_the_list_is_by_name_and_ranks_nobody(world: World, sign_in: SignIn) -> None:
    helpers.agreed(world)
    shown = sign_in("minister").get(reverse("pace:stages")).content.decode()
    names = [each.name for each in world.partnerships.values()]
    assert sorted(names, key=shown.index) == sorted(names)
    assert "?kind=area" in shown
    assert "sort=" not in shown
    few = sign_in("minister").get(reverse("pace:stages"), {"kind": "area", "q": "Nor"})
    assert "North" in few.content.decode()
    assert "South" not in few.content.decode().split("<main")[1]
    rows = list(pages.place_rows([helpers.upper(world), Place(world.partnerships["East"])]))
    assert [each["agreed"] for each in rows] == ["6 of 6", ""]


def test_pages_of_partnership_area_and_ministry_lead_to_stages_and_powers(
    world: World, sign_in: SignIn
) -> None:
    helpers.agreed(world)
    officer, client = world.cast["district_officer"], sign_in("district_officer")
    north, upper = helpers.north(world), helpers.upper(world)
    page = client.get(reverse("home:area", args=[north.pk])).content.decode()
    assert reverse("pace:stage", args=["area", north.pk]) in page
    assert reverse("pace:powers_of", args=["area", north.pk]) in page
    assert "No stage is agreed yet." in page
    found = actions.open_round(north, helpers.in_days(5), by=officer)
    for who in ("district_officer", "system_leader"):
        actions.rate(found, helpers.ratings(), by=world.cast[who])
    actions.close(found, by=officer)
    agree.put(found, {LEADERS: agree.Put(3)}, by=officer, seen=None)
    agree.say(found, helpers.words(), by=world.cast["system_leader"], seen=None)
    assert (
        "embedding: Leaders" in client.get(reverse("home:area", args=[north.pk])).content.decode()
    )
    ministry = sign_in("minister").get(reverse("home:ministry")).content.decode()
    assert "In this cycle 1 has agreed on its stages; 1 round is under way." in ministry
    for name in ("stages", "powers", "pulse"):
        assert f'href="{reverse(f"pace:{name}")}"' in ministry
    row = world.partnerships["Upper"]
    ours = sign_in("head").get(reverse("connectedness:partnership", args=[row.code]))
    for name in ("stage", "powers_of"):
        assert reverse(f"pace:{name}", args=["partnership", upper.pk]) in ours.content.decode()
    assert "embedding: Connectedness, " in ours.content.decode()


def test_the_planner_reads_what_an_area_agreed(world: World) -> None:
    cycle, north = helpers.a_cycle(world), helpers.north(world)
    found = helpers.opened(world, north, "district_officer")
    for who in ("district_officer", "system_leader"):
        actions.rate(found, helpers.ratings(), by=world.cast[who])
    actions.close(found, by=world.cast["district_officer"])
    agree.put(found, {LEADERS: agree.Put(2)}, by=world.cast["district_officer"], seen=None)
    agree.say(found, helpers.words(), by=world.cast["system_leader"], seen=None)
    read = queries.area_stages([north.row, world.areas["South"]], [cycle])
    assert [(each.area, each.cycle, dict(each.agreed)) for each in read] == [
        (north.pk, cycle.pk, {LEADERS: 2})
    ]


def test_a_seat_that_is_left_empty_holds_nobody_up(world: World) -> None:
    late = decision_helpers.head_of(world, "N4")
    found = helpers.put(world)
    for who in ("head", "partner_head"):
        agree.say(found, helpers.words(), by=world.cast[who], seen=None)
    assert not StageAgreement.objects.filter(state="agreed").exists()
    assert timing.look_after() == 0
    Appointment.objects.filter(pk=late.pk).update(ends=helpers.in_days(0))
    assert timing.look_after() == len(Strand)
    assert set(StageAgreement.objects.values_list("state", "asked")) == {("agreed", 3)}


def test_the_worker_leaves_rounds_of_ended_partnerships_alone(world: World) -> None:
    found = helpers.put(world)
    world.partnerships["Upper"].closed = helpers.in_days(-1)
    world.partnerships["Upper"].save()
    assert timing.look_after(helpers.in_days(20)) == 0
    assert not told("agree")
    assert not StageAgreement.objects.filter(round=found, state="agreed").exists()


def test_the_file_holds_every_place_however_many_there_are(world: World, sign_in: SignIn) -> None:
    Partnership.objects.bulk_create(
        Partnership(code=f"X{number}", name=f"A{number:04}", formed=FORMED)
        for number in range(5001)
    )
    for name in ("pace:stages_export", "pace:powers_export"):
        answer = sign_in("minister").get(reverse(name, args=["csv"]))
        file = b"".join(answer).decode()
        assert "A5000" in file
        assert "Upper partnership" in file


def test_the_front_page_of_one_seat_reads_no_other_seats_of_an_area(world: World) -> None:
    """In an area of a nation there are a thousand, and each has a front page."""
    leader, officer = world.cast["system_leader"], world.cast["district_officer"]
    found = helpers.opened(world, helpers.north(world), "district_officer")

    def waits(by: Appointment) -> list[str]:
        with (
            mock.patch.object(places, "seats", side_effect=AssertionError),
            mock.patch.object(StageConsent, "from_db", side_effect=AssertionError),
        ):
            return [each.what for each in queries.waiting_for(by) if each.place.name == "North"]

    assert (waits(leader), waits(officer)) == (["rate"], ["rate"])
    for by in (leader, officer):
        actions.rate(found, helpers.ratings(), by=by)
    assert (waits(leader), waits(officer)) == ([], [])
    actions.close(found, by=officer)
    assert (waits(leader), waits(officer)) == ([], ["propose"])
    given = {strand: agree.Put(2, "") for strand in Strand.values}
    agree.put(found, given, by=officer, seen=None)
    assert (waits(leader), waits(officer)) == (["say"], [])
    agree.put(found, given | {LEADERS: agree.Put(3, "")}, by=leader, seen=None)
    assert (waits(leader), waits(officer)) == (["say"], ["say"])
    assert places.seat_of(leader, helpers.north(world)) is not None
    assert places.seat_of(world.cast["other_district_officer"], helpers.north(world)) is None
