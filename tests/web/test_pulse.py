"""The pulse: asked by itself each term, answered in a moment, shown with its n and its day."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.accountability import voice_answer_actions as answering
from brightspots_web.accountability.models import Consultation, Eligible
from brightspots_web.directory import actions as register
from brightspots_web.directory.models import Area, Cycle
from brightspots_web.notices.models import Notice
from brightspots_web.pace import plan_sources, pulse_pages, pulse_signs
from brightspots_web.pace import pulse_actions as actions
from brightspots_web.pace import pulse_queries as queries
from brightspots_web.pace import pulse_time_actions as timing
from brightspots_web.pace.models import GateCheck, PulseSettings, PulseTerm
from brightspots_web.pace.pulse_queries import Share
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import pulse_helpers as helpers
from tests.web import voice_helpers
from tests.web.conftest import SignIn
from tests.web.world import World

PULSE = "/pace/pulse/"
ANSWER = "/pace/pulse/answer/"


# Days


def test_it_opens_on_its_day_reminds_everybody_once_and_is_counted_by_itself(world: World) -> None:
    helpers.switched_on(world)
    helpers.staffed(world)
    (term,) = helpers.planned(world, (3, 12))
    timing.keep_time()
    term.refresh_from_db()
    assert term.consultation is None
    with helpers.on(term.opens):
        timing.keep_time()
        timing.keep_time()
    found = helpers.round_of(term)
    asked = Eligible.objects.filter(consultation=found).count()
    assert asked == found.asked == term.asked_by["all"]
    assert Notice.objects.filter(kind="pace.pulse_opened").count() == asked
    helpers.answered(term, lambda n, _row: ("2", "4") if n < 8 else None)
    for days in (4, 3, 2, 1):
        with helpers.on(term.closes - timedelta(days=days)):
            timing.keep_time()
    # Whoever answered and whoever did not get the same.
    reminded = Notice.objects.filter(kind="pace.pulse_reminder").values("person").distinct()
    assert reminded.count() == asked
    assert Notice.objects.filter(kind="pace.pulse_reminder").count() == asked
    with helpers.on(term.closes):
        timing.keep_time()
    found = helpers.round_of(term)
    assert (found.state, found.answers) == (Consultation.State.CLOSED, 8)
    assert Notice.objects.filter(kind="pace.pulse_results").count() == asked
    now = queries.shares(None, term)
    assert now is not None
    assert (now.asked, now.answered, now.on) == (asked, 8, term.closes)
    assert (now.abandoned.value, now.held_back.value) == (1.0, 0.0)


def test_switched_off_nothing_opens_and_what_is_open_runs_to_its_end(world: World) -> None:
    helpers.staffed(world)
    (term,) = helpers.planned(world, (0, 9))
    timing.keep_time()
    term.refresh_from_db()
    assert term.consultation is None  # it is off until the ministry switches it on
    helpers.switched_on(world)
    timing.keep_time()
    seen = queries.settings_now().version
    actions.set_settings(on=False, level=1, by=world.cast["minister"], seen=seen)
    timing.keep_time()
    assert helpers.round_of(term).state == Consultation.State.OPEN
    assert queries.open_term() == term


def test_with_too_few_people_it_says_why_it_did_not_open(world: World) -> None:
    helpers.switched_on(world)
    (term,) = helpers.planned(world, (0, 9))
    for each in ("head", "partner_head", "teacher"):
        register.end_appointment(world.cast[each], by=register.command_line_operator())
    timing.keep_time()
    term.refresh_from_db()
    assert term.consultation is None
    assert "would be asked" in term.why_not
    assert not Consultation.objects.exists()
    said = pulse_pages.page(world.cast["minister"])["trouble"]
    assert any("could not be opened" in each for each in said)
    assert not pulse_pages.page(world.cast["analyst"])["trouble"]


def test_fewer_than_five_answers_are_destroyed(world: World, sign_in: SignIn) -> None:
    term = helpers.opened(world)
    helpers.answered(term, lambda n, _row: ("1", "1") if n < 4 else None)
    helpers.closed(term)
    assert queries.shares(None, term) is None
    assert helpers.released(term) == set()
    page = sign_in("head").get(PULSE).content.decode()
    assert "Fewer than five people answered" in page
    assert Notice.objects.filter(kind="pace.pulse_few").exists()


def test_nearly_the_same_people_twice_are_told_why_nothing_is_shown(
    world: World, sign_in: SignIn
) -> None:
    everybody = helpers.all_say("3", "3")
    missing = world.cast["teacher"].person_id
    one_less = lambda _n, row: None if row.person_id == missing else ("3", "3")  # noqa: E731
    first, second = helpers.two_terms(world, everybody, one_less, teachers=0)
    assert helpers.released(first)
    assert second.too_alike or "all" not in helpers.released(second)
    page = sign_in("head").get(PULSE).content.decode()
    assert "nearly the same people" in page or "not shown" in page
    assert queries.shares(None, second) is None


# Answering


def test_it_waits_on_the_front_page_until_it_is_answered(world: World, sign_in: SignIn) -> None:
    term = helpers.opened(world)
    client = sign_in("teacher")
    assert ANSWER in client.get("/", follow=True).content.decode()
    assert ANSWER not in sign_in("minister").get("/", follow=True).content.decode()
    page = client.get(ANSWER)
    text = page.content.decode()
    assert text.count('type="radio"') == 12  # two questions, five steps and "no answer"
    assert "<textarea" not in text
    assert "<script" not in text
    form = page.context["form"]
    support, freedom = form.questions
    token = form["token"].value()
    empty = client.post(ANSWER, {"token": token})
    assert empty.status_code == 200
    assert "nothing is answered yet" in empty.content.decode()
    wrong = client.post(ANSWER, {"token": token, f"q{support.pk}": "9", f"q{freedom.pk}": "2"})
    assert wrong.status_code == 200
    assert 'value="2"' in wrong.content.decode()
    sent = client.post(ANSWER, {"token": token, f"q{freedom.pk}": "2"}, follow=True)
    assert "You have answered" in sent.content.decode()
    assert ANSWER not in client.get("/", follow=True).content.decode()
    assert "answered this term already" in client.get(ANSWER).content.decode()
    assert client.post(ANSWER, {"token": token, f"q{freedom.pk}": "5"}).status_code == 409
    assert Eligible.objects.filter(consultation=term.consultation, answered=True).count() == 1


def test_who_came_later_or_is_not_asked_answers_nothing(world: World) -> None:
    term = helpers.opened(world)
    found = helpers.round_of(term)
    late = voice_helpers.teacher_at(world, "N3", 77)
    given = answering.Given({found.questions.all()[0].pk: "1"})
    with pytest.raises(PermissionDenied):
        answering.answer(found, given, "", by=late)
    with pytest.raises(PermissionDenied):
        answering.answer(found, given, "", by=world.cast["minister"])
    assert queries.waits_for(late) is None


def test_closed_and_with_no_term_the_page_says_so(world: World, sign_in: SignIn) -> None:
    client = sign_in("teacher")
    assert "not open at the moment" in client.get(ANSWER).content.decode()
    assert client.post(ANSWER, {}).status_code == 409


# What is shown


def low_in(area: Area, share: float) -> helpers.Said:
    """In an area so many of ten say that there is too little of both; all others "about right"."""

    def said(number: int, row: Eligible) -> tuple[str, str]:
        few = row.area_id == area.pk and number % 10 < 10 * share
        return ("1", "2") if few else ("3", "3")

    return said


@pytest.fixture
def two(world: World) -> list[PulseTerm]:
    """South feels left alone and held back in the second term; some others answer than before."""

    def second(number: int, row: Eligible) -> tuple[str, str] | None:
        return None if number < 12 else low_in(world.areas["South"], 1.0)(number, row)

    def first(number: int, row: Eligible) -> tuple[str, str] | None:
        return None if number >= 60 else low_in(world.areas["South"], 0.2)(number, row)

    return helpers.two_terms(world, first, second, teachers=66)


def test_shares_have_their_n_day_and_range(world: World, two: list[PulseTerm]) -> None:
    south = queries.shares(world.areas["South"], two[1])
    assert south is not None
    assert south.asked is not None
    assert south.answered <= south.asked
    assert south.abandoned.value == 1.0
    low, high = south.abandoned.interval() or (0, 0)
    assert 0.5 < low < 1.0 == high
    north = queries.shares(world.areas["North"], two[1])
    assert north is not None
    assert north.abandoned.value == 0.0
    assert queries.shares(world.areas["Testland"], two[1]) == queries.shares(None, two[1])
    assert queries.shares(world.areas["Upper"], two[1]) is None  # no area of this step


def test_wilsons_interval_is_that_of_the_book() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857: 81 of 263 and 15 of 148, method 3.
    for k, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
        found = Share((k, 0, n - k, 0, 0)).interval()
        assert found is not None
        assert found == pytest.approx((low, high), abs=5e-5)
    assert Share((1, 1, 2, 0, 0)).interval() is None


def test_everybody_reads_the_whole_and_the_own_area_alone(
    world: World, two: list[PulseTerm], sign_in: SignIn
) -> None:
    north, south = (
        reverse("pace:pulse_area", args=[world.areas[n].pk]) for n in ("North", "South")
    )
    for who, sees in {
        "minister": {north, south}, "analyst": {north, south}, "district_officer": {north},
        "other_district_officer": {south}, "head": {north}, "teacher": {north},
        "other_head": {south},
    }.items():  # fmt: skip
        client = sign_in(who)
        page = client.get(PULSE).content.decode()
        assert "The whole system" in page
        assert {each for each in (north, south) if each in page} == sees, who
        for each in (north, south):
            assert client.get(each).status_code == (200 if each in sees else 404)
        rows = b"".join(client.get("/pace/pulse.csv")).decode()
        assert ("South" in rows) == (south in sees), who


def test_areas_stand_in_the_order_of_their_names_whatever_was_answered(
    world: World, two: list[PulseTerm]
) -> None:
    table = pulse_pages.page(world.cast["minister"])["areas"]
    assert [row[0].label for row in table.rows] == ["North", "South"]
    assert not any(each.sort for each in table.columns)


def test_the_page_of_all_terms_asks_the_database_few_questions(
    world: World, two: list[PulseTerm], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(30):
        pulse_pages.page(world.cast["minister"])


def test_the_figures_of_one_area_are_read_without_those_of_all_others(
    world: World, two: list[PulseTerm]
) -> None:
    south = world.areas["South"]
    with CaptureQueriesContext(connection) as caught:
        assert len(queries.history(queries.key_of(south))) == 2
    (read,) = [each["sql"] for each in caught if "voicetally" in each["sql"]]
    assert f"'area:{south.pk}'" in read


# Early signs


def test_a_share_that_rises_beyond_chance_is_a_sign_with_its_number_n_and_day(
    world: World, two: list[PulseTerm], sign_in: SignIn
) -> None:
    signs = pulse_signs.signs(world.cast["minister"])
    told = [each for each in signs if each.text.startswith("South")]
    assert {each.kind for each in told} == {"abandoned_rising", "held_back_rising"}
    assert not any(each.text.startswith("North") for each in signs)
    now = queries.shares(world.areas["South"], two[1])
    assert now is not None
    assert f"{now.abandoned.too_little} of {now.abandoned.n}" in told[0].text
    assert "Early signs" in sign_in("minister").get("/", follow=True).content.decode()
    south = reverse("home:area", args=[world.areas["South"].pk])
    assert "Early signs" in sign_in("other_district_officer").get(south).content.decode()
    north = reverse("home:area", args=[world.areas["North"].pk])
    assert "Early signs" not in sign_in("district_officer").get(north).content.decode()
    # Who may not read the area's figures has no sign of it either.
    assert not pulse_signs.signs(world.cast["district_officer"], world.areas["South"])
    assert not pulse_signs.signs(None)


def test_of_many_areas_that_rise_the_ministry_has_one_sign_for_a_question(
    world: World, two: list[PulseTerm], monkeypatch: pytest.MonkeyPatch
) -> None:
    minister = world.cast["minister"]
    areas = [Area(pk=900 + n, name=f"Area {n:03}", parent=world.areas["Testland"])
             for n in range(300)]  # fmt: skip

    def rows(key: str) -> list[queries.Shares]:
        return [
            queries.Shares(term, key, 90, 60, share(*figures), share(10, 60))
            for term, figures in zip(two, ((5, 60), (40, 60)), strict=True)
        ]

    monkeypatch.setattr(queries, "areas_seen", lambda _acting: areas)
    monkeypatch.setattr(queries, "histories", lambda keys, _of: {key: rows(key) for key in keys})
    whole, many = pulse_signs.of_pulse(minister, None)
    assert whole.text.startswith("The whole system")
    assert "300 of 300 areas" in many.text
    assert "Area 000, Area 001, Area 002 and 297 more" in many.text
    del areas[3:]
    assert len(pulse_signs.of_pulse(minister, None)) == 4


def share(k: int, n: int) -> Share:
    return Share((k, 0, n - k, 0, 0))


@pytest.mark.parametrize(
    ("before", "now", "risen"),
    [
        (share(20, 200), share(50, 200), True),
        (share(50, 200), share(20, 200), False),  # it fell
        (share(2, 10), share(3, 10), False),  # chance does that
        (share(500, 10000), share(600, 10000), False),  # beyond chance, and too little to say
        (share(1, 4), share(9, 9), False),  # nothing is known of before
        (share(0, 40), share(12, 40), True),
    ],
)
def test_a_rise_is_a_sign_where_it_is_large_and_beyond_chance(
    before: Share, now: Share, risen: bool
) -> None:
    assert pulse_signs.risen(before, now) is risen


def test_other_parts_add_their_signs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pulse_signs.Sign("other", "Support ended early", "North: 3 of 9.", "Ask.", "/x/", "See")
    monkeypatch.setattr(pulse_signs, "_SOURCES", [])
    pulse_signs.register(lambda _acting, area: [made] if area is None else [])
    assert pulse_signs.signs(world.cast["minister"]) == [made]
    assert pulse_signs.signs(world.cast["minister"], world.areas["North"]) == []


def test_a_place_that_is_ready_and_waits_is_a_sign(world: World, sign_in: SignIn) -> None:
    """As if North had been found ready long ago, with nothing handed over since."""
    helpers.switched_on(world)
    cycle = helpers.a_cycle()
    north = world.areas["North"]
    GateCheck.objects.create(
        area=north, words="We would like to.", state=GateCheck.State.READY, answer="You can.",
        answered_by="Minister", asked_by="Officer", conditions=[],
        asked_at=timezone.now() - timedelta(days=92), answered_on=helpers.in_days(-91),
    )  # fmt: skip
    assert cycle.pk
    (whole,) = pulse_signs.signs(world.cast["minister"])
    assert whole.kind == "ready_and_held_back"
    assert "1 of 2 areas" in whole.text
    assert "North" in whole.text
    (own,) = pulse_signs.signs(world.cast["district_officer"], north)
    assert own.url == reverse("pace:powers_of", args=["area", north.pk])
    assert sign_in("district_officer").get(own.url).status_code == 200
    assert not pulse_signs.signs(world.cast["other_district_officer"], world.areas["South"])
    assert not pulse_signs.signs(world.cast["head"], north)


# For plans


def test_plans_read_the_shares_of_the_terms_in_their_days(
    world: World, two: list[PulseTerm]
) -> None:
    north, south = world.areas["North"], world.areas["South"]
    first, last = two[0].opens, two[1].closes
    felt = plan_sources.pulse([north, south, world.areas["Upper"]], first, last)
    assert set(felt) == {north.pk, south.pk}
    assert felt[north.pk].abandoned == 0.0
    both = [queries.shares(south, each) for each in two]
    k = sum(each.abandoned.too_little for each in both if each)
    n = sum(each.abandoned.n for each in both if each)
    assert felt[south.pk] == plan_sources.Felt(k / n, k / n, n)
    assert plan_sources.pulse([north], last, last + timedelta(days=9)) == {}


# Settings


def test_only_the_ministry_sets_it_and_nobody_overwrites_unseen(world: World) -> None:
    minister = world.cast["minister"]
    for who in ("analyst", "district_officer", "head"):
        with pytest.raises(PermissionDenied):
            actions.set_settings(on=True, level=1, by=world.cast[who], seen=None)
        with pytest.raises(PermissionDenied):
            actions.set_terms(helpers.a_cycle(), [], by=world.cast[who], seen="")
    seen = queries.settings_now().version
    actions.set_settings(on=True, level=2, by=minister, seen=seen)
    assert [each.name for each in queries.blocks()] == ["East", "Lower", "Upper", "West"]
    with pytest.raises(OvertakenError):
        actions.set_settings(on=False, level=1, by=minister, seen=seen)
    with pytest.raises(ValidationError, match="no areas so far down"):
        actions.set_settings(on=True, level=5, by=minister, seen=None)
    assert PulseSettings.objects.get().on


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ([(-1, 9)], "has passed"),
        ([(1, 1)], "3 to 42 days"),
        ([(1, 90)], "3 to 42 days"),
        ([(1, 9), (37, 46)], "28 days at least after the last day of the term above"),
        ([(400, 409)], "not in the cycle"),
        ([(1, 9), (41, 49), (81, 89), (121, 129), (161, 169)], "At most 4"),
    ],
)
def test_days_that_cannot_be_are_refused_with_the_reason(
    world: World, days: list[tuple[int, int]], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        helpers.planned(world, *days)
    assert not PulseTerm.objects.exists()


def test_the_last_day_of_all_calendars_is_refused_in_words(world: World, sign_in: SignIn) -> None:
    address = reverse("pace:pulse_terms", args=[helpers.a_cycle().pk])
    given = {"opens1": helpers.in_days(1).isoformat(), "last1": "9999-12-31"}
    answer = sign_in("minister").post(address, given)
    assert "Give people 3 to 42 days to answer." in answer.content.decode()


def test_terms_of_two_cycles_are_as_far_apart_as_those_of_one(world: World) -> None:
    minister = world.cast["minister"]
    helpers.planned(world, (250, 259))
    later = Cycle.objects.create(
        name="Next year", starts=helpers.in_days(265), ends=helpers.in_days(630)
    )
    for first, refused in ((270, True), (287, True), (288, False)):
        days = [(helpers.in_days(first), helpers.in_days(first + 9))]
        if refused:
            with pytest.raises(ValidationError, match="less than 28 days away"):
                actions.set_terms(later, days, by=minister, seen="")
        else:
            assert len(actions.set_terms(later, days, by=minister, seen="")) == 1


def test_a_term_that_was_opened_keeps_its_days(world: World, sign_in: SignIn) -> None:
    term = helpers.opened(world)
    minister = world.cast["minister"]
    later = (helpers.in_days(60), helpers.in_days(70))
    moved = (helpers.in_days(2), helpers.in_days(12))
    cycle = helpers.a_cycle()
    kept = actions.set_terms(cycle, [moved, later], by=minister, seen="")
    assert [each.opens for each in kept] == [term.opens, later[0]]
    assert actions.set_terms(cycle, [moved], by=minister, seen="") == [term]
    assert queries.terms_of(cycle) == [term]  # the one that was not opened went
    with pytest.raises(OvertakenError):
        actions.set_terms(cycle, [moved, later], by=minister, seen="1.1")


def test_a_term_that_was_opened_stays_where_the_one_before_it_never_was(
    world: World, sign_in: SignIn
) -> None:
    """As if the pulse had been switched off in the first term."""
    minister = world.cast["minister"]
    first, second = helpers.planned(world, (0, 9), (60, 69))
    PulseTerm.objects.filter(pk=first.pk).update(
        opens=helpers.in_days(-60), closes=helpers.in_days(-50)
    )
    PulseTerm.objects.filter(pk=second.pk).update(
        opens=helpers.in_days(0), closes=helpers.in_days(9)
    )
    second.refresh_from_db()
    second = helpers.opened(world, term=second)
    address = reverse("pace:pulse_terms", args=[second.cycle_id])
    client = sign_in("minister")
    form = {"seen": client.get(address).context["form"]["seen"].value()}
    added = {
        "opens3": helpers.in_days(60).isoformat(), "last3": helpers.in_days(69).isoformat()
    }  # fmt: skip
    assert client.post(address, form | added).status_code == 302
    days = [(each.number, each.opens) for each in queries.terms_of(second.cycle)]
    assert days == [(n, helpers.in_days(day)) for n, day in ((1, -60), (2, 0), (3, 60))]
    actions.set_terms(second.cycle, [], by=minister, seen="")
    assert queries.terms_of(second.cycle)[1] == second


def test_the_ministry_sets_the_days_on_a_page_that_loses_nothing(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in("minister")
    address = reverse("pace:pulse_terms", args=[helpers.a_cycle().pk])
    shown = client.get(address)
    seen = shown.context["form"]["seen"].value()
    first = helpers.in_days(5).isoformat()
    half = client.post(address, {"seen": seen, "opens1": first})
    assert "Give the last day as well" in half.content.decode()
    assert first in half.content.decode()
    good = {"seen": seen, "opens1": first, "last1": helpers.in_days(15).isoformat()}
    assert client.post(address, good).status_code == 302
    overtaken = client.post(address, good)
    assert overtaken.status_code == 409
    assert first in overtaken.content.decode()
    page = client.get(reverse("pace:pulse_settings")).content.decode()
    assert "This year" in page
    assert (
        client.post(reverse("pace:pulse_settings"), {"on": "on", "level": "7"}).status_code == 200
    )


def test_a_term_that_is_stopped_is_destroyed_unread(
    world: World, sign_in: SignIn, django_capture_on_commit_callbacks: Any
) -> None:
    term = helpers.opened(world)
    helpers.answered(term, helpers.all_say("3", "3"))
    client = sign_in("minister")
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("pace:pulse_stop", args=[term.pk]))
    found = helpers.round_of(term)
    assert (found.state, found.key_id) == (Consultation.State.WITHDRAWN, None)
    assert not Eligible.objects.exists()
    assert queries.open_term() is None
    with helpers.on(term.closes):
        timing.keep_time()
    assert client.get(PULSE).status_code == 200
