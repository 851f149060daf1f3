"""Lotteries from the ministry's answer to the draw, and the bad moments in between."""

import json
import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from brightspots_web.directory.actions import command_line_operator
from brightspots_web.directory.models import School
from brightspots_web.evidence import choice_draw_actions as drawing
from brightspots_web.evidence import choice_file, choice_pages, choice_seed
from brightspots_web.evidence import choice_lottery_actions as actions
from brightspots_web.evidence import choice_lottery_queries as queries
from brightspots_web.evidence import choice_record_actions as recording
from brightspots_web.evidence.models import Choice, Lottery, LotteryEntry
from brightspots_web.insight.models import Estimate
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import choice_helpers as helpers
from tests.web import support_helpers
from tests.web.choice_helpers import State, agreed, draw, drawn, entry_of, opened, prepared
from tests.web.conftest import SignIn
from tests.web.world import World


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


def asks(world: World, who: str) -> list[str]:
    return [each["text"] for each in choice_pages.front_items(world.cast[who])]


def codes(lottery: Lottery, **more: Any) -> list[str]:
    return sorted(
        LotteryEntry.objects.filter(lottery=lottery, **more).values_list("code", flat=True)
    )


# Preparing and agreeing


def test_nothing_is_closed_before_the_ministry_agrees(world: World) -> None:
    lottery, analyst = prepared(world), world.cast["analyst"]
    assert "waits for the ministry" in told(world, "minister")[0]
    assert "do you agree" in asks(world, "minister")[0]
    with pytest.raises(ValidationError, match="not agreed yet"):
        drawing.open_list(lottery, by=analyst, seen=None)
    with pytest.raises(PermissionDenied):
        actions.answer(lottery, agrees=True, words="", by=analyst, seen=None)
    with pytest.raises(ValidationError, match="in a sentence"):
        actions.answer(lottery, agrees=False, words=" ", by=world.cast["minister"], seen=None)
    actions.answer(lottery, agrees=True, words="", by=world.cast["minister"], seen=None)
    assert "list can be closed" in told(world, "analyst")[0]
    assert "to be closed" in asks(world, "analyst")[0]


def test_what_is_changed_has_to_be_agreed_anew(world: World) -> None:
    lottery = agreed(world)
    changed = actions.change(
        lottery, helpers.terms(world, places=3), by=world.cast["analyst"], seen=lottery.version
    )
    assert (changed.state, changed.answered_by) == (State.PREPARED, "")
    with pytest.raises(OvertakenError):
        actions.change(
            lottery, helpers.terms(world, places=4), by=world.cast["minister"],
            seen=lottery.version,
        )  # fmt: skip
    with pytest.raises(OvertakenError):  # the minister read of two places
        actions.answer(
            lottery, agrees=True, words="", by=world.cast["minister"], seen=lottery.version
        )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"title": "  "}, "title"),
        ({"words": ""}, "words"),
        ({"places": 0}, "places"),
        ({"lower": 2.0, "upper": 1.0}, "upper"),
        ({"need_at_least": 101}, "need_at_least"),
        ({"draws_on": helpers.in_days(0)}, "draws_on"),
        ({"draws_on": helpers.in_days(500)}, "draws_on"),
        ({"kind": "tombola"}, "kind"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_field(
    world: World, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as problem:
        prepared(world, **more)
    assert list(problem.value.message_dict) == [field]
    assert not Lottery.objects.exists()


def test_sent_twice_it_is_there_once(world: World) -> None:
    assert prepared(world).pk == prepared(world).pk
    assert Lottery.objects.count() == 1


# Closing the list


def test_the_list_has_the_open_schools_of_the_band_with_their_published_values(
    world: World,
) -> None:
    helpers.a_run(world, few=("N3",))
    world.schools["N4"].closed = helpers.in_days(-1)
    world.schools["N4"].save()
    lottery = opened(world, lower=-6.0, upper=0.0)
    # From -6 (N2) up to, not including, 0 (L2): without the small N3 and the closed N4.
    assert codes(lottery) == ["L1", "N2", "N5", "N6"]
    n2 = entry_of(lottery, "N2")
    assert (n2.value, n2.lower, n2.upper, n2.n) == (
        pytest.approx(-6.0), pytest.approx(-7.0), pytest.approx(-5.0), 60,
    )  # fmt: skip
    assert lottery.too_few == 1
    assert "on the list" in told(world, "head")[0]
    assert not [words for words in told(world, "other_head") if "list" in words]


def test_a_school_that_has_such_support_is_not_on_the_list(world: World) -> None:
    helpers.a_run(world)
    support_helpers.begun(world, "N2", "N1")
    lottery = opened(world)
    assert "N2" not in codes(lottery)
    assert lottery.helped == 1


def test_need_and_area_narrow_it(world: World) -> None:
    helpers.a_run(world)
    lottery = opened(world, upper=None, area=world.areas["North"], need_at_least=90, places=1)
    # The chance is .5 minus the value: at least .9 from -4 points on down, N1 to N4.
    assert codes(lottery) == ["N1", "N2", "N3", "N4"]


def test_as_many_places_as_schools_need_no_lottery(world: World) -> None:
    lottery = agreed(world, places=7)
    with pytest.raises(ValidationError, match="no lottery is needed"):
        drawing.open_list(lottery, by=world.cast["analyst"], seen=None)
    lottery.refresh_from_db()
    assert (lottery.state, lottery.entries.count()) == (State.AGREED, 0)


def test_among_two_schools_everybody_would_know_who_is_meant(world: World) -> None:
    lottery = agreed(world, places=1, upper=-5.0)
    with pytest.raises(ValidationError, match="Among so few"):
        drawing.open_list(lottery, by=world.cast["analyst"], seen=None)


def test_without_published_figures_nothing_is_closed(world: World) -> None:
    lottery = agreed(world)
    lottery.priority.subject = "Dancing"
    lottery.priority.save()
    with pytest.raises(ValidationError, match="no published figures"):
        drawing.open_list(lottery, by=world.cast["analyst"], seen=None)


def test_the_hashes_are_on_record_before_the_draw_and_the_seed_is_not(world: World) -> None:
    lottery = opened(world)
    entry = AuditEntry.objects.get(action="evidence.open_lottery")
    assert entry.detail["seed_hash"] == lottery.seed_hash
    assert entry.detail["list_hash"] == lottery.list_hash
    seed = choice_seed.read(lottery.code, lottery.seed_hash)
    everywhere = json.dumps(list(AuditEntry.objects.values()), default=str)
    everywhere += json.dumps(list(Lottery.objects.values()), default=str)
    assert seed not in everywhere
    path = choice_seed.folder() / f"{lottery.code}.seed"
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_about_it_can_be_changed_once_the_list_is_closed(world: World) -> None:
    lottery, analyst = opened(world), world.cast["analyst"]
    with pytest.raises(ValidationError, match="list of schools is closed"):
        actions.change(lottery, helpers.terms(world, places=5), by=analyst, seen=None)
    with pytest.raises(ValidationError, match="list of schools is closed"):
        actions.answer(lottery, agrees=False, words="No.", by=world.cast["minister"], seen=None)
    assert drawing.open_list(lottery, by=analyst, seen=None).seed_hash == lottery.seed_hash


def test_areas_with_few_schools_are_drawn_together(world: World) -> None:
    helpers.a_run(world)
    lottery = opened(world, upper=None, by_area=True, area=world.areas["South"], places=1)
    # East has three, West one: a stratum of one would say who it is.
    assert set(lottery.entries.values_list("stratum", flat=True)) == {"other areas"}
    north = opened(world, title="North", upper=None, by_area=True, area=world.areas["North"])
    assert set(north.entries.values_list("stratum", flat=True)) == {"Upper", "Lower"}


def test_the_page_counts_the_schools_of_the_list_without_reading_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = drawn(world)
    waiting = codes(first, place=False)
    Estimate.objects.filter(school__code=waiting[0]).update(n=3)
    north = world.areas["North"]
    made = [
        agreed(world, title="All", upper=None),
        agreed(world, title="By area", upper=None, by_area=True),
        agreed(world, title="North", upper=-1.5, by_area=True, area=north, follows=first),
    ]
    by = world.cast["analyst"]
    found = [queries.pool(each, by) for each in made]
    assert [each.row for each in found[2].found if each.school.code == waiting[0]] == [None]

    def read(*_args: object) -> None:
        raise AssertionError("a page reads the schools of the whole system")

    monkeypatch.setattr(School, "from_db", read)
    monkeypatch.setattr(Estimate, "from_db", read)
    for pool, counted in zip(found, [queries.pool_counts(each, by) for each in made], strict=True):
        assert counted.schools == len(pool.found)
        assert counted.waited == sum(each.waited for each in pool.found)
        assert counted.strata == Counter(each.stratum for each in pool.found)


# The draw


def test_the_draw_discloses_the_seed_and_anyone_finds_the_same(world: World) -> None:
    lottery = draw(opened(world))
    assert lottery.state == State.DRAWN
    assert len(codes(lottery, place=True)) == 2
    for names in (True, False):
        text = choice_file.to_json(_told(lottery, names=names))
        found = choice_file.checks(choice_file.read(text))
        assert all(each.holds for each in found), found
    assert audit.verify(lottery.beacon).holds, "the later value is a link of the chain"
    assert sum(e.chance or 0 for e in lottery.entries.all()) == pytest.approx(2)


def _told(lottery: Lottery, *, names: bool) -> choice_file.Told:
    from brightspots_web.evidence import choice_lottery_pages

    return choice_lottery_pages.told(lottery, names=names)


def test_the_later_value_is_the_last_link_before_noon(world: World) -> None:
    lottery = opened(world)
    last = audit.head().last_hash
    assert draw(lottery).beacon == last


def test_it_is_not_drawn_before_its_hour_nor_at_another_by_whom_it_pleases(world: World) -> None:
    lottery, analyst = opened(world), world.cast["analyst"]
    with pytest.raises(ValidationError, match="at noon of its day"):
        drawing.draw(lottery, by=analyst)
    with pytest.raises(PermissionDenied):  # another clock than the server's is the shell's alone
        drawing.draw(lottery, by=analyst, now=helpers.noon(lottery))
    early = helpers.noon(lottery) - timedelta(minutes=2)
    with pytest.raises(ValidationError, match="at noon of its day"):
        drawing.draw(lottery, by=command_line_operator(), now=early)


def test_drawn_twice_it_is_drawn_once(world: World) -> None:
    lottery = draw(opened(world))
    before = list(lottery.entries.order_by("pk").values())
    assert draw(lottery).seed == lottery.seed
    assert list(lottery.entries.order_by("pk").values()) == before
    assert AuditEntry.objects.filter(action="evidence.draw_lottery").count() == 1
    with pytest.raises(ValidationError, match="drawn already"):
        actions.call_off(lottery, "We do not like it.", by=world.cast["minister"], seen=None)


def test_the_worker_draws_what_is_due_and_tells_everybody_without_a_word_that_brands(
    world: World,
) -> None:
    lottery = opened(world)
    assert drawing.look_after(helpers.noon(lottery) - timedelta(hours=1)) == 0
    assert drawing.look_after(helpers.noon(lottery)) == 1
    n2 = entry_of(lottery, "N2")
    words = told(world, "head")[0]
    assert words == (
        "Your school has a place: “Reading support in spring”."
        if n2.place
        else "Places of “Reading support in spring” are drawn. Your school comes first next time."
    )


def test_a_school_that_closes_after_the_list_is_passed_over_at_the_draw(world: World) -> None:
    lottery = opened(world)
    School.objects.filter(code="N3").update(closed=timezone.localdate())
    lottery = draw(lottery)
    n3 = entry_of(lottery, "N3")
    assert (n3.out, n3.place, n3.drawn, n3.position) == (True, False, False, None)
    assert len(codes(lottery, place=True)) == 2
    assert all(
        each.holds
        for each in choice_file.checks(
            choice_file.read(choice_file.to_json(_told(lottery, names=True)))
        )
    )


def test_fewer_schools_left_than_places_each_has_one_and_the_page_says_so(
    world: World, sign_in: SignIn
) -> None:
    lottery = opened(world, places=6)
    School.objects.filter(code__in=["N3", "N4"]).update(closed=timezone.localdate())
    lottery = draw(lottery)
    assert len(codes(lottery, place=True)) == 5
    text = sign_in("analyst").get(f"/evidence/lotteries/{lottery.pk}/").content.decode()
    assert "nobody to compare with" in text


def test_a_place_that_is_let_go_goes_to_the_next_and_what_was_drawn_stays(world: World) -> None:
    lottery = drawn(world)
    first, third = helpers.line(lottery), helpers.line(lottery, place=False)
    drawing.let_go(first, "Our roof is being mended.", by=world.cast["analyst"])
    first.refresh_from_db()
    third.refresh_from_db()
    assert (first.place, first.drawn, first.gone) == (False, True, True)
    assert (third.place, third.drawn) == (True, False)
    held = choice_file.checks(choice_file.read(choice_file.to_json(_told(lottery, names=False))))
    assert all(each.holds for each in held)
    again = drawing.let_go(first, "Again.", by=world.cast["analyst"])
    assert again.why == "Our roof is being mended."


def test_only_a_school_itself_and_who_draws_lets_a_place_go(world: World) -> None:
    lottery = drawn(world, places=6)
    line = helpers.line(lottery)
    for who in ("district_officer", "other_head", "teacher"):
        with pytest.raises(PermissionDenied):
            drawing.let_go(line, "Why not.", by=world.cast[who])


def test_a_school_that_closes_after_the_draw_lets_the_next_move_up(world: World) -> None:
    lottery = drawn(world)
    first, third = helpers.line(lottery), helpers.line(lottery, place=False)
    School.objects.filter(code=first.code).update(closed=timezone.localdate())
    assert drawing.look_after() == 1
    assert drawing.look_after() == 0
    third.refresh_from_db()
    assert third.place
    if third.code == "N2":
        assert "place became free" in told(world, "head")[0]


def test_schools_that_close_together_let_the_next_move_up_at_once(world: World) -> None:
    lottery = drawn(world)
    closed = list(LotteryEntry.objects.filter(lottery=lottery, place=True))
    next_but_one = LotteryEntry.objects.filter(lottery=lottery, place=False).order_by("position")
    closed.append(next_but_one[0])
    School.objects.filter(code__in=[each.code for each in closed]).update(
        closed=timezone.localdate()
    )
    with CaptureQueriesContext(connection) as asked:
        assert drawing.look_after() == 3
    read = [each["sql"] for each in asked if 'FROM "evidence_lotteryentry"' in each["sql"]]
    lists = [each for each in read if '"directory_school"."name"' in each]
    assert len(lists) == 1, "the list is read once, not once a school"
    now = LotteryEntry.objects.filter(lottery=lottery, place=True)
    assert not {each.code for each in now} & {each.code for each in closed}
    assert now.count() == 2
    entries = AuditEntry.objects.filter(action="evidence.let_place_go")
    assert {each.detail["label"] for each in entries} == {each.label for each in closed}
    assert sum(len(each.detail["moved_up"]) for each in entries) == 2


def test_letting_a_place_go_writes_the_two_lines_that_change(world: World) -> None:
    lottery = drawn(world)
    first = helpers.line(lottery)
    others = LotteryEntry.objects.filter(lottery=lottery).exclude(pk=first.pk)
    third = helpers.line(lottery, place=False)
    others.exclude(pk=third.pk).update(why="left as it is")
    with CaptureQueriesContext(connection) as asked:
        drawing.let_go(first, "Our roof is being mended.", by=world.cast["analyst"])
    written = [each["sql"] for each in asked if each["sql"].startswith("UPDATE")]
    lines = [each for each in written if "evidence_lotteryentry" in each]
    assert len(lines) == 1
    kept = {str(pk) for pk in others.exclude(pk=third.pk).values_list("pk", flat=True)}
    assert not kept & set(re.findall(r"\d+", lines[0].split(" WHERE ")[-1]))


def test_a_list_that_somebody_changed_in_the_database_is_not_drawn_from(world: World) -> None:
    lottery = opened(world)
    LotteryEntry.objects.filter(lottery=lottery, code="N2").delete()
    with pytest.raises(ValidationError, match="not the one that was closed"):
        draw(lottery)
    lottery.refresh_from_db()
    assert (lottery.state, lottery.seed) == (State.OPEN, "")
    assert choice_seed.is_there(lottery.code, lottery.seed_hash), "the seed stays secret"


# The seed is lost


def test_a_lost_seed_stops_the_draw_and_begins_again_with_another(
    world: World, sign_in: SignIn
) -> None:
    lottery, analyst = opened(world), world.cast["analyst"]
    with pytest.raises(ValidationError, match="The seed is there"):  # no second try for a result
        actions.begin_again(lottery, by=analyst, seen=None)
    choice_seed.forget(lottery.code)
    with pytest.raises(choice_seed.SeedLostError):
        draw(lottery)
    assert drawing.look_after(helpers.noon(lottery)) == 0
    assert "could not be drawn" in told(world, "analyst")[0]
    page = sign_in("analyst").get(f"/evidence/lotteries/{lottery.pk}/").content.decode()
    assert "not on the server" in page
    later = actions.begin_again(lottery, by=analyst, seen=lottery.version)
    lottery.refresh_from_db()
    assert (lottery.state, later.state) == (State.CALLED_OFF, State.PREPARED)
    assert (later.places, later.seed_hash) == (lottery.places, "")
    assert "called off" in told(world, "head")[0]


def test_another_seed_put_in_its_place_is_not_taken(world: World) -> None:
    lottery = opened(world)
    (choice_seed.folder() / f"{lottery.code}.seed").write_text("f" * 64)
    with pytest.raises(choice_seed.SeedLostError):
        draw(lottery)


# The next one, and what began


def test_schools_without_a_place_come_first_next_time_even_outside_the_band(world: World) -> None:
    first = drawn(world)
    waiting = set(codes(first, place=False))
    second = opened(world, title="Autumn", follows=first, places=5, upper=-1.5)
    assert waiting <= set(codes(second))
    assert set(codes(second, waited=True)) == waiting
    second = draw(second)
    assert waiting <= set(codes(second, place=True))


def test_help_that_begins_with_a_place_is_written_down_as_drawn(world: World) -> None:
    lottery = drawn(world, places=6)
    with_place = next(c for c in codes(lottery, place=True) if c != "N1")
    deployment = support_helpers.begun(world, with_place, "E1")
    recording.notice()
    found = Choice.objects.get(deployment=deployment)
    assert (found.way, found.band) == (Choice.Way.LOTTERY, Choice.Band.LOTTERY)
    assert found.entry == entry_of(lottery, with_place)
    assert found.chance == pytest.approx(6 / 7)
    assert (found.band_lower, found.band_upper) == (None, 0.0)
    with pytest.raises(ValidationError, match="has begun"):
        drawing.let_go(entry_of(lottery, with_place), "No.", by=world.cast["analyst"])


def test_help_without_a_place_is_written_down_as_such(world: World) -> None:
    lottery = drawn(world)
    without = next(c for c in codes(lottery, place=False) if c != "N1")
    deployment = support_helpers.begun(world, without, "E1")
    recording.notice()
    found = Choice.objects.get(deployment=deployment)
    assert (found.way, found.band) == (Choice.Way.ASKED, Choice.Band.GRID)
    assert found.entry == entry_of(lottery, without)
    assert queries.taken_up(lottery) == {found.entry.pk}


def test_support_agreed_before_the_draw_was_not_drawn(world: World) -> None:
    helpers.a_run(world)
    deployment = support_helpers.begun(world, "L1", "E1")
    support_helpers.Deployment.objects.filter(pk=deployment.pk).update(state="finished")
    drawn(world, places=6)
    Lottery.objects.update(drawn_at=timezone.now() + timedelta(seconds=5))
    recording.notice()
    assert Choice.objects.get(deployment=deployment).entry is None


# Pages


def test_a_school_reads_its_own_line_and_no_other_name(world: World, sign_in: SignIn) -> None:
    lottery = drawn(world)
    text = sign_in("head").get(f"/evidence/lotteries/{lottery.pk}/").content.decode()
    assert entry_of(lottery, "N2").label in text
    assert "School N3" not in text
    assert entry_of(lottery, "N3").label not in text
    teacher = sign_in("teacher").get(f"/evidence/lotteries/{lottery.pk}/").content.decode()
    assert entry_of(lottery, "N2").label not in teacher
    names = sign_in("other_district_officer").get(f"/evidence/lotteries/{lottery.pk}/")
    assert "School N3" not in names.content.decode()
    assert "School N3" in sign_in("district_officer").get(
        f"/evidence/lotteries/{lottery.pk}/"
    ).content.decode()  # fmt: skip


def test_an_overtaken_form_comes_back_with_what_was_typed(world: World, sign_in: SignIn) -> None:
    lottery = prepared(world)
    client = sign_in("minister")
    actions.change(
        lottery, helpers.terms(world, places=3), by=world.cast["analyst"], seen=lottery.version
    )
    page = client.post(
        f"/evidence/lotteries/{lottery.pk}/answer/",
        {"agrees": "no", "words": "Two places are too few.", "seen": lottery.version},
    )
    assert page.status_code == 409
    assert "Two places are too few." in page.content.decode()


def test_a_form_that_comes_too_late_says_why_and_keeps_the_words(
    world: World, sign_in: SignIn
) -> None:
    lottery = drawn(world)
    page = sign_in("minister").post(
        f"/evidence/lotteries/{lottery.pk}/call-off/", {"why": "The money is gone."}
    )
    text = page.content.decode()
    assert "drawn already" in text
    assert "The money is gone." in text


def test_the_form_asks_for_a_priority_with_figures(world: World, sign_in: SignIn) -> None:
    support_helpers.a_priority()
    text = sign_in("analyst").get("/evidence/lotteries/new/").content.decode()
    assert "Publish an analysis first" in text
