"""The pulse tells on nobody, not even over terms: `pytest tests/web/test_pulse_privacy.py`.

The attacker over terms knows who answered each term and in which area, and that everybody answers
the same each time: the worst there can be. They work out whatever sum of released counts there is.
"""

import csv
import io
import logging
import os
import random
import time
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from django.urls import reverse

from brightspots_web.accountability import voice_answer_actions as answering
from brightspots_web.accountability import voice_counting as counting
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability import voice_seal
from brightspots_web.accountability import voice_time_actions as voice_timing
from brightspots_web.accountability.models import Consultation, Eligible, SealedAnswer
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.directory import actions as register
from brightspots_web.pace import plan_sources
from brightspots_web.pace import pulse_comparing as comparing
from brightspots_web.pace import pulse_queries as queries
from brightspots_web.pace import pulse_time_actions as timing
from brightspots_web.pace.models import PulseTerm
from tests.web import pulse_helpers as helpers
from tests.web import voice_helpers
from tests.web.conftest import SignIn
from tests.web.test_voice_privacy import TOUCHED, dump
from tests.web.voice_helpers import teacher_at
from tests.web.world import World

Answered = list[tuple[int, str, int | None]]


# What can be worked out over terms


def terms_of(rng: random.Random) -> list[Answered]:
    """Three terms of a small system: most people stay, some come, go, move or leave one out."""
    areas = rng.randint(1, 3)
    heads = rng.choice([0.1, 0.3])
    people = {
        person: ("head" if rng.random() < heads else "teacher", rng.randrange(areas))
        for person in range(rng.randint(12, 40))
    }
    answers = rng.choice([1.0, 0.97, 0.8])
    found: list[Answered] = []
    for _term in range(3):
        for person in list(people):
            if rng.random() < 0.02:
                people[person] = (people[person][0], rng.randrange(areas))
        for _new in range(rng.choice([0, 0, 1, 2, 6])):
            people[len(people)] = ("teacher", rng.randrange(areas))
        found.append(
            [(who, role, area) for who, (role, area) in people.items() if rng.random() < answers]
        )
    return found


def fewest_behind_a_sum(terms: Sequence[Answered], kept: Sequence[Iterable[str]]) -> int:
    """The fewest people (but not none) on whom a sum of all released counts can rest alone."""
    cells: dict[tuple[bool, ...], int] = {}
    rows = [(at, name) for at, names in enumerate(kept) for name in names]
    if not rows:
        return FEWEST
    places = [{who: (role, area) for who, role, area in each} for each in terms]
    for person in {who for each in places for who in each}:
        inside = []
        for at, name in rows:
            place = places[at].get(person)
            named = {"all", f"role:{place[0]}", f"area:{place[1]}"} if place else set()
            inside.append(name in named)
        cells[tuple(inside)] = cells.get(tuple(inside), 0) + 1
    cells.pop(tuple([False] * len(rows)), None)
    sizes = list(cells.values())
    matrix = np.array([[float(each) for each in cell] for cell in cells]).T
    rank = np.linalg.matrix_rank(matrix)
    small = [at for at, n in enumerate(sizes) if n < FEWEST]
    for most in range(1, FEWEST):
        tried = [
            chosen
            for chosen in combinations(small, most)
            if sum(sizes[at] for at in chosen) < FEWEST
        ]
        if not tried:
            continue
        stacked = np.repeat(matrix[np.newaxis], len(tried), axis=0)
        for number, chosen in enumerate(tried):
            stacked[number][:, list(chosen)] = 0.0
        fallen = np.flatnonzero(np.linalg.matrix_rank(stacked) < rank)
        if fallen.size:
            return min(sum(sizes[at] for at in tried[number]) for number in fallen)
    return FEWEST


def alone(who: Answered) -> list[str]:
    """What may be kept of a term as far as it goes by itself."""
    answers = [counting.Answer({1: "1"}, role=role, area=area) for _who, role, area in who]
    return list(counting.kept_slices(answers, ("role", "area")))


def test_no_sum_over_terms_tells_of_fewer_than_five() -> None:
    rng = random.Random(7)  # noqa: S311 - invented people
    told, shown = 0, 0
    for _each in range(60):
        terms = terms_of(rng)
        kept: list[list[str]] = []
        for at, who in enumerate(terms):
            before = list(zip(terms[:at], kept, strict=True))[-queries.COMPARED :]
            kept.append(comparing.kept_together(before, who, alone(who)))
        assert fewest_behind_a_sum(terms, kept) == FEWEST, (terms, kept)
        shown += sum(len(each) > 1 for each in kept[1:])
        # The attacker is no paper tiger: terms that are safe each by itself they take apart.
        told += fewest_behind_a_sum(terms, [alone(who) for who in terms]) < FEWEST
    assert told > 20
    assert shown > 20


def test_no_sum_tells_either_where_areas_are_cut_anew_between_terms() -> None:
    """The ministry shows it by regions in one term, by districts in the next, and back."""
    rng = random.Random(11)  # noqa: S311 - invented people
    told, shown = 0, 0
    for _each in range(40):
        terms = terms_of(rng)
        # A district is a part of a region; some people stand in none that is shown.
        inside = {who: rng.randrange(2) for each in terms for who, _role, _area in each}
        cut = [
            [(who, role, 10 * (area or 0) + inside[who]) for who, role, area in each]
            if at == 1
            else [(who, role, area if who % 7 else None) for who, role, area in each]
            for at, each in enumerate(terms)
        ]
        kept: list[list[str]] = []
        for at, who in enumerate(cut):
            before = list(zip(cut[:at], kept, strict=True))[-queries.COMPARED :]
            kept.append(comparing.kept_together(before, who, alone(who)))
        assert fewest_behind_a_sum(cut, kept) == FEWEST, (cut, kept)
        shown += sum(len(each) > 1 for each in kept[1:])
        told += fewest_behind_a_sum(cut, [alone(who) for who in cut]) < FEWEST
    assert told > 15
    assert shown > 5


@pytest.mark.parametrize(
    ("come", "gone", "kept"),
    [
        (0, 0, {"all", "area:1", "area:2"}),  # the same people: the difference is of all of them
        (1, 0, {"area:2"}),
        (0, 4, {"area:2"}),
        (2, 2, {"area:2"}),
        (5, 0, {"all", "area:1", "area:2"}),
        (3, 4, {"all", "area:1", "area:2"}),
    ],
)
def test_an_area_is_kept_where_none_or_five_make_the_difference(
    come: int, gone: int, kept: set[str]
) -> None:
    before: Answered = [(who, "teacher", 1) for who in range(20)]
    other: Answered = [(100 + who, "teacher", 2) for who in range(20)]
    now = before[gone:] + [(50 + who, "teacher", 1) for who in range(come)]
    names = ["all", "area:1", "area:2"]
    released = [(before + other, names)]
    # Whichever is taken first: with the other area known, the whole would tell of this one.
    found = set(comparing.kept_together(released, now + other, names))
    assert found == kept


def test_who_moves_between_areas_is_not_told_either() -> None:
    first: Answered = [(who, "teacher", 1 + who % 2) for who in range(40)]
    moved = [(who, role, 1 if who == 1 else area) for who, role, area in first]
    names = ["all", "area:1", "area:2"]
    assert comparing.kept_together([(first, names)], moved, names) == ["all"]


def test_a_term_between_does_not_help() -> None:
    """The first and the third term differ by one person; what is between hides nothing."""
    first: Answered = [(who, "teacher", 1) for who in range(30)]
    second: Answered = [(who, "teacher", 1) for who in range(10, 40)]
    third: Answered = [*first, (99, "teacher", 1)]
    assert comparing.kept_together([(second, ["all"])], third, ["all"]) == ["all"]
    assert comparing.kept_together([(first, ["all"]), (second, ["all"])], third, ["all"]) == []


def test_the_order_of_people_changes_nothing() -> None:
    rng = random.Random(3)  # noqa: S311 - invented people
    for _each in range(20):
        first, second, _third = terms_of(rng)
        names = alone(first)
        one = comparing.kept_together([(first, names)], second, alone(second))
        shuffled = [rng.sample(each, len(each)) for each in (first, second)]
        again = comparing.kept_together([(shuffled[0], names)], shuffled[1], alone(second))
        assert set(one) == set(again)


def test_what_is_kept_of_terms_is_safe_on_the_real_way_as_well(world: World) -> None:
    """Two terms through the actions, with one teacher more in the second."""
    helpers.switched_on(world)
    first, second = helpers.planned(world, (0, 9), (60, 69))
    helpers.opened(world, teachers=30, term=first)
    helpers.answered(first, helpers.all_say("2", "3"))
    helpers.closed(first)
    areas = {f"area:{world.areas[name].pk}" for name in ("North", "South")}
    assert areas <= helpers.released(first)
    newcomer = teacher_at(world, "N2", 99)
    helpers.opened(world, teachers=30, term=second)
    helpers.answered(second, helpers.all_say("1", "3"))
    counted = helpers.closed(second)
    # Everybody of the South answered again, and one more of the North.
    assert newcomer.pk
    north, south = (f"area:{world.areas[name].pk}" for name in ("North", "South"))
    assert not helpers.released(second) & {"all", north, "role:teacher"}
    assert south in helpers.released(second)
    assert not counted.too_alike
    assert queries.shares(None, counted) is None
    assert queries.shares(world.areas["North"], counted) is None
    assert queries.shares(world.areas["South"], counted) is not None


def test_a_term_counted_late_is_held_against_the_later_one(world: World) -> None:
    """Its key was away until the next one was counted: the order of counting tells nothing."""
    helpers.switched_on(world)
    first, second = helpers.planned(world, (0, 9), (60, 69))
    helpers.opened(world, teachers=30, term=first)
    helpers.answered(first, helpers.all_say("2", "3"))
    path = voice_seal.folder() / f"{helpers.round_of(first).key_id}.key"
    away = path.rename(path.with_suffix(".away"))
    with pytest.raises(voice_seal.SealError):
        helpers.closed(first)
    teacher_at(world, "N2", 99)
    helpers.opened(world, teachers=30, term=second)
    helpers.answered(second, helpers.all_say("1", "3"))
    helpers.closed(second)
    north, south = (f"area:{world.areas[name].pk}" for name in ("North", "South"))
    assert helpers.released(second) >= {"all", north, south}
    away.rename(path)
    helpers.closed(first)
    assert not helpers.released(first) & {"all", north, "role:teacher"}
    assert south in helpers.released(first)


def test_lists_wait_for_a_term_that_is_still_to_be_counted(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    helpers.switched_on(world)
    terms = helpers.planned(world, (0, 9), (40, 49), (80, 89), (120, 129))
    operator = register.command_line_operator()
    for term in terms:
        helpers.opened(world, teachers=18, term=term)
        helpers.answered(term, helpers.all_say("3", "3"))
        if term is terms[1]:
            path = voice_seal.folder() / f"{helpers.round_of(term).key_id}.key"
            away = path.rename(path.with_suffix(".away"))
        else:
            helpers.closed(term)
    with helpers.on(terms[3].closes):
        assert timing.forget_who(by=operator) == 0
        assert [each.pk for each in queries.compared_terms(terms[1])] == [
            terms[0].pk, terms[2].pk, terms[3].pk,
        ]  # fmt: skip
        away.rename(path)
        with django_capture_on_commit_callbacks(execute=True):
            helpers.closed(terms[1])
            assert timing.forget_who(by=operator) == 2


# What is kept, and where


def test_an_answer_leaves_no_trace_but_that_it_was_given(
    world: World, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    helpers.opened(world)
    client = sign_in("teacher")
    address = reverse("pace:pulse_answer")
    form = client.get(address).context["form"]
    support, freedom = form.questions
    before, cookies = dump(TOUCHED), {k: v.value for k, v in client.cookies.items()}
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    said = {"token": form["token"].value(), f"q{support.pk}": "2", f"q{freedom.pk}": ""}
    sent = client.post(address, said)
    again = client.post(address, said)
    assert (sent.status_code, again.status_code) == (302, 409)
    assert not caplog.records
    assert dump(TOUCHED) == before
    assert {k: v.value for k, v in client.cookies.items()} == cookies
    assert "no-store" in sent["Cache-Control"]
    assert SealedAnswer.objects.count() == 1
    assert "You have answered" in client.get(sent["Location"]).content.decode()


def test_all_answers_are_sealed_to_one_length_and_gone_once_counted(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    term = helpers.opened(world)
    helpers.answered(term, lambda n, _row: (str(1 + n % 5), "") if n % 3 else ("", "4"))
    contents = [bytes(each) for each in SealedAnswer.objects.values_list("content", flat=True)]
    assert len({len(each) for each in contents}) == 1
    key = helpers.round_of(term).key_id
    assert key is not None
    with django_capture_on_commit_callbacks(execute=True):
        helpers.closed(term)
    assert not SealedAnswer.objects.exists()
    assert not Eligible.objects.exists()
    assert not (voice_seal.folder() / f"{key}.key").exists()


def key_file(term: PulseTerm) -> Any:
    return voice_seal.folder() / f"{term.who_key}.key"


@pytest.mark.usefixtures("own_keys")
def test_who_answered_is_kept_sealed_outside_the_database_for_two_terms(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    helpers.switched_on(world)
    terms = helpers.planned(world, (0, 9), (40, 49), (80, 89))
    for term in terms:
        helpers.opened(world, teachers=30, term=term)
        helpers.answered(term, helpers.all_say("3", "3"))
        with django_capture_on_commit_callbacks(execute=True):
            helpers.closed(term)
        term.refresh_from_db()
    first, second, third = terms
    assert first.who is not None
    assert b"teacher" not in bytes(first.who)
    for each in terms:  # long since made: the sweep of forgotten keys leaves them alone
        os.utime(key_file(each), (time.time() - 9999, time.time() - 9999))
    voice_timing.keep_time()
    assert all(key_file(each).exists() for each in terms)
    gone = key_file(first)
    with django_capture_on_commit_callbacks(execute=True):
        timing.forget_who(by=register.command_line_operator())
    assert not gone.exists()
    first.refresh_from_db()
    assert (first.who, first.who_key) == (None, None)
    assert key_file(second).exists()
    assert key_file(third).exists()
    assert [each.pk for each in queries.compared_terms(third)] == [second.pk]


def test_where_the_list_of_a_term_cannot_be_read_that_is_on_record(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    helpers.switched_on(world)
    first, second = helpers.planned(world, (0, 9), (60, 69))
    for term in (first, second):
        helpers.opened(world, teachers=30, term=term)
        helpers.answered(term, helpers.all_say("3", "3"))
        if term is second:
            first.refresh_from_db()
            key_file(first).unlink()
        helpers.closed(term)
    entries = apps.get_model("shared", "AuditEntry").objects.filter(action="pace.count_pulse")
    entry = entries.latest("pk")
    assert entry.detail["not_compared_as_the_key_is_missing"] == 1
    assert any("cannot be read" in each.getMessage() for each in caplog.records)


def test_without_its_key_a_term_is_not_counted_and_nothing_is_lost(world: World) -> None:
    term = helpers.opened(world)
    n = helpers.answered(term, helpers.all_say("3", "3"))
    path = voice_seal.folder() / f"{helpers.round_of(term).key_id}.key"
    away = path.rename(path.with_suffix(".away"))
    with helpers.on(term.closes):
        timing.keep_time()
        assert SealedAnswer.objects.count() == n
        away.rename(path)
        timing.keep_time()
    assert helpers.round_of(term).answers == n


# What can be read


def said_unevenly(number: int, _row: Eligible) -> tuple[str, str]:
    """Nearly everybody leaves the second question out."""
    return str(1 + number % 3), "1" if number < 4 else ""


def test_the_file_holds_what_the_pages_show_and_no_more(world: World, sign_in: SignIn) -> None:
    term = helpers.opened(world, teachers=30)
    helpers.answered(term, said_unevenly)
    helpers.closed(term)
    kept = helpers.released(term)
    names = {f"area:{area.pk}": area.name for area in world.areas.values()}
    names |= {"all": "The whole system", "role:head": "Heads", "role:teacher": "Teachers"}
    for who in ("minister", "district_officer", "other_district_officer", "head", "teacher"):
        seen = {each.name for each in queries.areas_seen(world.cast[who])}
        content = b"".join(sign_in(who).get("/pace/pulse.csv").streaming_content)  # type: ignore[attr-defined]
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        rows = [each for each in rows if (each["Answered"] or "").isdigit()]
        areas = {each["Who"] for each in rows} - {"The whole system", "Heads", "Teachers"}
        assert areas <= seen, who
        assert {each["Who"] for each in rows} <= {names[key] for key in kept}
        assert all(int(each["Answered"]) >= FEWEST for each in rows)
        # Fewer than five answered the second question: neither page nor file tells how.
        few = [each for each in rows if "decide" in each["Question"]]
        assert few
        assert {each["Answers"] for each in few} == {""}
        page = sign_in(who).get(reverse("pace:pulse")).content.decode()
        assert "fewer than five answered this" in page
    north = world.areas["North"]
    assert plan_sources.pulse([north], term.opens, term.closes) == {}


def test_the_audit_trail_names_nobody_who_answered_and_nothing_that_was_said(
    world: World,
) -> None:
    entries = apps.get_model("shared", "AuditEntry").objects
    term = helpers.opened(world, teachers=12)
    opened = entries.count()
    helpers.answered(term, lambda n, _row: ("1", "5") if n % 2 else None)
    assert entries.count() == opened  # nothing while it is open: an entry is a time
    helpers.closed(term)
    later = list(entries.order_by("pk")[opened:])
    assert {each.action for each in later} == {
        "accountability.close_consultation", "pace.count_pulse",
    }  # fmt: skip
    asked = {each.person.email for each in world.cast.values() if each.role != "minister"}
    for each in later:
        text = str((each.actor, each.target, each.detail))
        assert not any(email in text for email in asked)
    # How many, and which slices: no count of any answer.
    (counted,) = [each for each in later if each.action == "pace.count_pulse"]
    assert set(counted.detail) == {
        "asked", "answers", "slices", "left_out_beside_terms_before", "compared_with",
        "not_compared_as_the_key_is_missing",
    }  # fmt: skip


def test_who_holds_two_offices_answers_once(world: World) -> None:
    """A head who teaches elsewhere is one person, in one role and one area."""
    head = world.cast["head"]
    teacher = register.appoint(
        head.person, "teacher", by=register.command_line_operator(), school=world.schools["E1"]
    )
    term = helpers.opened(world)
    found = helpers.round_of(term)
    assert Eligible.objects.filter(consultation=found, person=head.person).count() == 1
    row = Eligible.objects.get(consultation=found, person=head.person)
    support, freedom = found.questions.all()
    given = answering.Given({support.pk: "1", freedom.pk: "1"})
    answering.answer(found, given, answering.token_of(row, found), by=head)
    row.refresh_from_db()
    with pytest.raises(answering.NotTakenError):
        answering.answer(found, given, answering.token_of(row, found), by=teacher)
    assert SealedAnswer.objects.count() == 1
    assert queries.waits_for(teacher) is None


# It is a consultation, and stands on no page of theirs


def test_a_pulse_stands_on_no_page_of_consultations(world: World, sign_in: SignIn) -> None:
    term = helpers.opened(world)
    helpers.answered(term, lambda n, row: ("2", "2") if row.person_id % 2 else None)
    found = helpers.round_of(term)
    for who in ("minister", "analyst", "district_officer", "head", "teacher"):
        assert not voice.visible_to(world.cast[who]).filter(pk=found.pk).exists()
        assert not voice.waiting_for(world.cast[who]).exists()
        client = sign_in(who)
        url = reverse("accountability:consultation", args=[found.pk])
        assert client.get(url).status_code == 404
        assert client.get(f"{url}answer/").status_code in {403, 404}
    with helpers.on(term.closes):
        voice_timing.keep_time()  # neither reminds of it nor counts it
    assert helpers.round_of(term).state == Consultation.State.OPEN
    counted = helpers.closed(term)
    assert counted.consultation is not None
    assert not voice.owed_an_answer().exists()
    assert sign_in("minister").get(reverse("accountability:voice")).status_code == 200


def test_a_consultation_of_people_cannot_be_counted_as_a_pulse(world: World) -> None:
    found = voice_helpers.a_consultation(world)
    voice_helpers.answered_by(found, 6, "")
    with helpers.on(found.closes):
        same = voice_timing.close_round(
            found, lambda names: names, by=register.command_line_operator()
        )
    assert same.state == Consultation.State.OPEN
