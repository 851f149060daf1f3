"""Who answered and what was answered never meet: `pytest tests/web/test_voice_privacy.py`.

An attacker here knows more than anybody should: every row of the database before and after each
answer, who answered when, every log line, and everything that is published in the end.
"""

import logging
import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from brightspots_web.accountability import suggestion_actions as suggestions
from brightspots_web.accountability import suggestion_queries, voice_actions, voice_seal
from brightspots_web.accountability import voice_answer_actions as answering
from brightspots_web.accountability import voice_counting as counting
from brightspots_web.accountability import voice_time_actions as timing
from brightspots_web.accountability.models import (
    Consultation,
    Eligible,
    SealedAnswer,
    SealedSuggestion,
    Suggestion,
    SuggestionUse,
    VoiceComment,
    VoiceTally,
)
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.directory.models import Appointment, Person
from tests.web import response_helpers
from tests.web import voice_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import FORMED, World

LOT = random.Random(3)  # noqa: S311 - a lot that falls the same each time
Cells = Mapping[tuple[str, int], int]
"""How many answered, by role and area."""


# Slices: what can be worked out from released counts


def answers_of(cells: Cells) -> list[counting.Answer]:
    return [
        counting.Answer({1: "1"}, role=role, area=area)
        for (role, area), n in cells.items()
        for _each in range(n)
    ]


def generated(rng: random.Random) -> Cells:
    """Few or many areas, some with a single head, some without any."""
    sizes = rng.choice([(2, 4), (3, 12), (1, 25)])
    return {
        (role, area): rng.choice([0, 0, 1, rng.randint(0, sizes[0]), rng.randint(0, sizes[1])])
        for area in range(rng.randint(1, 6))
        for role in counting.ROLES
    }


def fewest_behind_a_sum(cells: Cells, slices: Iterable[str]) -> int:
    """The fewest answers (but not none) on which a sum of released counts can rest alone.

    A sum rests on some cells where released rows add up to zero on all others and not on these:
    there the rank falls when these cells are taken away. Only cells of one to four are tried.
    """
    known = [cell for cell, n in cells.items() if n]
    rows = [[float(_inside(name, cell)) for cell in known] for name in slices]
    if not rows:
        return FEWEST
    matrix = np.array(rows)
    rank = np.linalg.matrix_rank(matrix)
    small = [at for at, cell in enumerate(known) if cells[cell] < FEWEST]
    found = FEWEST
    for size in range(1, FEWEST):
        for chosen in combinations(small, size):
            n = sum(cells[known[at]] for at in chosen)
            others = np.delete(matrix, list(chosen), axis=1)
            if n < found and (others.shape[1] == 0 or np.linalg.matrix_rank(others) < rank):
                found = n
    return found


def _inside(name: str, cell: tuple[str, int]) -> bool:
    return name in {counting.ALL, f"role:{cell[0]}", f"area:{cell[1]}"}


def test_no_pair_of_slices_and_no_sum_of_any_tells_of_fewer_than_five() -> None:
    rng = random.Random(5)  # noqa: S311 - invented answers
    naive, shown = 0, 0
    for _each in range(1500):
        cells = generated(rng)
        answers = answers_of(cells)
        by = rng.choice([("role",), ("area",), ("role", "area"), ()])
        if len(answers) < FEWEST:
            assert counting.count(answers, {1: ("1", "2")}, [], by) == counting.Counted(None)
            continue
        kept = counting.kept_slices(answers, by)
        members = {name: frozenset(map(id, inside)) for name, inside in kept.items()}
        assert counting.ALL in kept
        for one, other in combinations(members.values(), 2):
            for difference in (one - other, other - one):
                nested = one < other or other < one
                assert not (nested and 0 < len(difference) < FEWEST)
            assert not 0 < len(one ^ other) < FEWEST
        assert all(len(inside) >= FEWEST for inside in members.values())
        assert fewest_behind_a_sum(cells, kept) == FEWEST, (cells, list(kept))
        shown += len(kept) > 2
        # The attacker is no paper tiger: what merely hides small slices it takes apart.
        blocks = {f"role:{role}" for role, _area in cells} | {f"area:{area}" for _r, area in cells}
        small = [
            name
            for name in blocks
            if sum(n for cell, n in cells.items() if _inside(name, cell)) >= FEWEST
        ]
        naive += fewest_behind_a_sum(cells, [counting.ALL, *small]) < FEWEST
    assert naive > 100
    assert shown > 100


def test_what_is_written_to_a_question_is_kept_from_five_on_and_in_lot_order() -> None:
    def written(n: int) -> counting.Counted:
        said = [counting.Answer(texts={2: f"w{i}"} if i < n else {}) for i in range(12)]
        return counting.count(said, {1: ("1",)}, [2], (), LOT)

    assert written(4).comments == ()
    assert not [each for each in written(4).tallies if each[0] == 2]
    five = written(9)
    assert sorted(words for _q, words, _area in five.comments) == [f"w{i}" for i in range(9)]
    assert [words for _q, words, _area in five.comments] != [f"w{i}" for i in range(9)]
    assert (2, counting.ALL, "", 9) in five.tallies


# The matcher


def crowd(world: World, n: int) -> list[Appointment]:
    """So many teachers of Upper and Lower."""
    people = Person.objects.bulk_create(
        [Person(email=f"p{i}@crowd.invalid", name=f"P{i}") for i in range(n)]
    )
    codes = ("N1", "N2", "N3", "L1", "L2")
    return Appointment.objects.bulk_create(
        [
            Appointment(
                person=person, role="teacher", school=world.schools[codes[i % 5]], starts=FORMED
            )
            for i, person in enumerate(people)
        ]
    )


def dump(without: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in the order the database gives them."""
    left_out = set(without)
    return {
        model._meta.db_table: list(model._base_manager.order_by().values_list())
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table not in left_out and model._meta.managed
    }


TOUCHED = ("accountability_eligible", "accountability_sealedanswer")


def test_a_matcher_over_a_thousand_people_who_sees_every_row_does_not_beat_chance(
    world: World,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    n = 1000
    teachers = crowd(world, n)
    consultation = helpers.a_consultation(world, teachers=0, audience="teachers", slices=["area"])
    scale, _choice, text = consultation.questions.all()
    rng = random.Random(11)  # noqa: S311 - invented answers
    order = rng.sample(teachers, n)
    truth = {each.person_id: rng.randrange(5) for each in order}
    rows = {each.person_id: each for each in Eligible.objects.filter(consultation=consultation)}
    before = dump(TOUCHED)
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    seen: set[int] = set()
    sealed_by: dict[int, int] = {}
    for each in order:
        option, words = str(truth[each.person_id] + 1), f"words of {each.person_id}"
        given = answering.Given({scale.pk: option}, {text.pk: words})
        token = answering.token_of(rows[each.person_id], consultation)
        answering.answer(consultation, given, token, by=each)
        new = set(SealedAnswer.objects.values_list("pk", flat=True)) - seen
        assert len(new) == 1  # the attacker sees which sealed row came with whom
        sealed_by[each.person_id] = new.pop()
        seen.add(sealed_by[each.person_id])
    # No log line, and nothing anywhere else: no audit entry, notice, session, job or time.
    assert not caplog.records
    assert dump(TOUCHED) == before
    # Of who answered a mark is left, and no row says when or in which order.
    assert {field.name for field in Eligible._meta.fields} == {
        "id", "consultation", "person", "role", "area", "answered",
    }  # fmt: skip
    contents = dict(SealedAnswer.objects.values_list("pk", "content"))
    assert len({len(content) for content in contents.values()}) == 1
    assert not any(b"words" in bytes(content) for content in contents.values())
    key = consultation.key_id
    assert key is not None

    with django_capture_on_commit_callbacks(execute=True):
        closed = helpers.closed(consultation)

    assert closed.answers == n
    comments = list(VoiceComment.objects.order_by("pk").values_list("pk", "words"))
    assert [pk for pk, _words in comments] == list(
        VoiceComment.objects.order_by().values_list("pk", flat=True)
    ) or connection.vendor != "sqlite"
    owner = [int(words.rsplit(" ", 1)[1]) for _pk, words in comments]
    people = [each.person_id for each in order]
    guesses = {
        "by the order of answering": people,
        "by the key of the sealed row": sorted(people, key=lambda who: sealed_by[who]),
        "by the key of the eligible row": sorted(people, key=lambda who: rows[who].pk),
        "by the person": sorted(people),
        "by the sealed bytes": sorted(people, key=lambda who: bytes(contents[sealed_by[who]])),
        "by the last bytes": sorted(people, key=lambda who: bytes(contents[sealed_by[who]])[::-1]),
    }
    for how, guess in guesses.items():
        for tried in (guess, guess[::-1]):
            hits = sum(one == other for one, other in zip(tried, owner, strict=True))
            assert hits <= 8, how  # by chance one; more than eight once in a million
    # Nor does a sealed row tell which option is in it, one in five by chance.
    for byte in (0, 11, 12, 40, -1):
        hits = sum(bytes(contents[sealed_by[who]])[byte] % 5 == truth[who] for who in people)
        assert abs(hits - n / 5) < 5 * (n * 0.2 * 0.8) ** 0.5
    # Whoever kept a copy of the database has it unread for ever.
    assert not SealedAnswer.objects.exists()
    assert not Eligible.objects.exists()
    assert not (voice_seal.folder() / f"{key}.key").exists()
    with pytest.raises(voice_seal.SealError):
        voice_seal.unseal(key, contents[sealed_by[people[0]]])


PUT_IN = ("accountability_suggestionuse", "accountability_sealedsuggestion")


def test_a_matcher_over_many_suggestions_who_sees_every_row_does_not_beat_chance(
    world: World,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    n = 400
    teachers = crowd(world, n)
    box = response_helpers.a_box(world)
    suggestions.put_in(box, "the first, which makes the key", by=world.cast["head"], used=0)
    rng = random.Random(12)  # noqa: S311 - invented people
    order = rng.sample(teachers, n)
    before = dump(PUT_IN)
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    seen = set(SealedSuggestion.objects.values_list("pk", flat=True))
    sealed_by: dict[int, int] = {}
    for each in order:
        suggestions.put_in(box, f"words of {each.person_id}", by=each, used=0)
        new = set(SealedSuggestion.objects.values_list("pk", flat=True)) - seen
        assert len(new) == 1  # the attacker sees which sealed row came with whom
        sealed_by[each.person_id] = new.pop()
        seen.add(sealed_by[each.person_id])
    # No log line, and nothing anywhere else: no audit entry, notice, session, job or time.
    assert not caplog.records
    assert dump(PUT_IN) == before
    uses = {each.person_id: each.pk for each in SuggestionUse.objects.all()}
    assert {field.name for field in SuggestionUse._meta.fields} == {"id", "person", "month", "used"}
    contents = {pk: bytes(content) for pk, content in SealedSuggestion.objects.values_list(
        "pk", "content")}  # fmt: skip
    assert len({len(content) for content in contents.values()}) == 1
    assert not any(b"words" in content for content in contents.values())
    box.refresh_from_db()
    key = box.key_id
    assert key is not None
    people = [each.person_id for each in order]
    marks = [voice_seal.token(key, f"person {who}") for who in people]

    with django_capture_on_commit_callbacks(execute=True):
        assert suggestions.release(box, by=world.cast["analyst"]) == n + 1

    rows = list(suggestion_queries.of_box(box))
    assert len({(each.released_on, each.answer_due, each.state) for each in rows}) == 1
    assert [each.pk for each in Suggestion.objects.order_by()] == [
        each.pk for each in Suggestion.objects.order_by("pk")
    ]  # the order in which the database has them is that of keys drawn by lot
    owner = [int(each.words.rsplit(" ", 1)[1]) for each in rows if each.words[:5] == "words"]
    assert sorted(owner) == sorted(people)
    guesses = {
        "by the order of putting in": people,
        "by the key of the sealed row": sorted(people, key=lambda who: sealed_by[who]),
        "by the key of the count of the month": sorted(people, key=lambda who: uses[who]),
        "by the person": sorted(people),
        "by the sealed bytes": sorted(people, key=lambda who: contents[sealed_by[who]]),
        "by the last bytes": sorted(people, key=lambda who: contents[sealed_by[who]][::-1]),
    }
    for how, guess in guesses.items():
        for tried in (guess, guess[::-1]):
            hits = sum(one == other for one, other in zip(tried, owner, strict=True))
            assert hits <= 8, how  # by chance one; more than eight once in a million
    # What told people apart under the key is in no row, and the key is gone.
    kept = repr(dump())
    assert not any(mark in kept for mark in marks)
    assert not SealedSuggestion.objects.exists()
    with pytest.raises(voice_seal.SealError):
        voice_seal.unseal(key, contents[sealed_by[people[0]]])


def test_a_suggestion_that_is_sent_leaves_no_line_no_session_and_no_message(
    world: World, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    box = response_helpers.a_box(world)
    suggestions.put_in(box, "the first, which makes the key", by=world.cast["head"], used=0)
    client = sign_in("teacher")
    address = reverse("accountability:suggestion_put_in", args=[box.pk])
    client.get(address)
    before, cookies = dump(PUT_IN), {k: v.value for k, v in client.cookies.items()}
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    sent = client.post(address, {"used": 0, "words": "More time to plan."})
    again = client.post(address, {"used": 0, "words": "More time to plan."})
    assert (sent.status_code, again.status_code) == (302, 409)
    assert not caplog.records
    assert dump(PUT_IN) == before
    assert {k: v.value for k, v in client.cookies.items()} == cookies
    assert "no-store" in sent["Cache-Control"]


def test_comments_of_one_answer_are_not_tied_to_each_other(world: World) -> None:
    kind = helpers.Kind.TEXT
    questions = [voice_actions.Question(kind, "First?"), voice_actions.Question(kind, "Second?")]
    consultation = helpers.a_consultation(world, teachers=60, questions=questions)
    first, second = consultation.questions.all()
    for number, row in enumerate(Eligible.objects.filter(consultation=consultation)):
        given = answering.Given(texts={first.pk: f"a{number}", second.pk: f"b{number}"})
        by = helpers.appointment_of(row)
        answering.answer(consultation, given, answering.token_of(row, consultation), by=by)
    helpers.closed(consultation)
    both: list[list[str]] = [
        [words[1:] for words in each.comments.order_by("pk").values_list("words", flat=True)]
        for each in (first, second)
    ]
    assert sorted(both[0]) == sorted(both[1])
    assert len(both[0]) == 64
    assert sum(one == other for one, other in zip(*both, strict=True)) <= 8


def test_a_page_that_is_sent_leaves_no_line_no_session_and_no_message(
    world: World, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    consultation = helpers.a_consultation(world)
    client = sign_in("head")
    address = reverse("accountability:consultation_answer", args=[consultation.pk])
    form = client.get(address).context["form"]
    scale = consultation.questions.all()[0]
    before, cookies = dump(TOUCHED), {k: v.value for k, v in client.cookies.items()}
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    sent = client.post(address, {"token": form["token"].value(), f"q{scale.pk}": "4", "looked": ""})
    assert sent.status_code == 302
    assert not caplog.records
    assert dump(TOUCHED) == before
    assert {k: v.value for k, v in client.cookies.items()} == cookies
    assert "no-store" in sent["Cache-Control"]
    assert "You have answered" in client.get(sent["Location"]).content.decode()


# The key


def test_the_key_is_a_file_of_its_owner_alone_and_never_in_the_database(world: World) -> None:
    consultation = helpers.a_consultation(world)
    assert consultation.key_id is not None
    path = voice_seal.folder() / f"{consultation.key_id}.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    key = path.read_bytes()
    # Tools for backups leave a folder out that says so; what is backed up lies beside it.
    assert (path.parent / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f0")
    for saved in (settings.DATA_FOLDER, Path(settings.MEDIA_ROOT), Path(settings.STATIC_ROOT)):
        assert saved not in path.parents
    for rows in dump().values():
        assert not any(key in repr(row).encode() or key.hex() in repr(row) for row in rows)


def test_without_its_key_nothing_is_answered_counted_or_lost(
    world: World, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    consultation = helpers.a_consultation(world)
    helpers.answered_by(consultation, 6, "")
    path = voice_seal.folder() / f"{consultation.key_id}.key"
    away = path.rename(Path(f"{path}.away"))
    address = reverse("accountability:consultation_answer", args=[consultation.pk])
    row = Eligible.objects.filter(consultation=consultation, answered=False)[0]
    client = Client()
    client.force_login(row.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    text = consultation.questions.all()[2]
    shown = client.post(address, {f"q{text.pk}": "Kept on the page."})
    assert shown.status_code == 503
    assert "Kept on the page." in shown.content.decode()
    assert "missing" in shown.content.decode()
    Consultation.objects.filter(pk=consultation.pk).update(
        opens=helpers.in_days(-9), closes=helpers.in_days(0)
    )
    timing.keep_time()
    timing.keep_time()
    consultation.refresh_from_db()
    assert consultation.state == Consultation.State.OPEN
    assert SealedAnswer.objects.filter(consultation=consultation).count() == 6
    told = row.person.notices.model.objects.filter(kind="accountability.voice_key_lost")
    assert told.count() == 1  # once, and to who opened it
    assert all("person" not in each.getMessage() for each in caplog.records)
    counted = sign_in("district_officer").post(
        reverse("accountability:consultation_close", args=[consultation.pk]), follow=True
    )
    assert "missing" in counted.content.decode()
    away.rename(path)
    timing.keep_time()
    consultation.refresh_from_db()
    assert (consultation.state, consultation.answers) == (Consultation.State.CLOSED, 6)


def test_a_seal_that_was_tampered_with_is_left_out_and_on_record(world: World) -> None:
    consultation = helpers.a_consultation(world)
    helpers.answered_by(consultation, 7, "")
    victim = SealedAnswer.objects.filter(consultation=consultation)[0]
    victim.content = bytes(victim.content)[:-1] + b"\x00\x01"
    victim.save()
    closed = helpers.closed(consultation)
    assert closed.answers == 6
    entry = apps.get_model("shared", "AuditEntry").objects.latest("pk")
    assert entry.detail["seals_that_did_not_open"] == 1


# One answer a person


def test_a_token_counts_once_and_for_its_person_alone(world: World) -> None:
    consultation = helpers.a_consultation(world)
    head, partner = world.cast["head"], world.cast["partner_head"]
    rows = {each.person_id: each for each in Eligible.objects.filter(consultation=consultation)}
    token = answering.token_of(rows[head.person_id], consultation)
    given = helpers.given_for(consultation, 2, "Time.")
    for wrong in ("", "0" * 64, token[:-1], f"{token}0"):
        with pytest.raises(ValidationError, match="not made for you"):
            answering.answer(consultation, given, wrong, by=head)
    with pytest.raises(ValidationError, match="not made for you"):
        answering.answer(consultation, given, token, by=partner)
    answering.answer(consultation, given, token, by=head)
    with pytest.raises(answering.NotTakenError, match="One answer counts"):
        answering.answer(consultation, given, token, by=head)
    with pytest.raises(PermissionDenied):
        answering.answer(consultation, given, token, by=world.cast["other_head"])
    assert SealedAnswer.objects.filter(consultation=consultation).count() == 1
    other = helpers.a_consultation(world, title="Another")
    with pytest.raises(ValidationError):  # a token of one round opens no other
        answering.answer(other, helpers.given_for(other, 1), token, by=head)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
)
def test_two_phones_at_once_are_one_answer_and_none_comes_in_after_the_count(
    world: World,
) -> None:
    consultation = helpers.a_consultation(world)
    helpers.answered_by(consultation, 6, "")
    row = Eligible.objects.filter(consultation=consultation, answered=False)[0]
    by = helpers.appointment_of(row)
    token = answering.token_of(row, consultation)
    given = helpers.given_for(consultation, 1, "Books.")
    barrier, found = threading.Barrier(4), []

    def send() -> None:
        try:
            barrier.wait()
            answering.answer(consultation, given, token, by=by)
            found.append("sealed")
        except answering.NotTakenError:
            found.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _each in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == ["refused", "refused", "refused", "sealed"]
    assert SealedAnswer.objects.filter(consultation=consultation).count() == 7


def test_below_five_answers_nothing_is_kept_but_that_there_were_fewer(world: World) -> None:
    consultation = helpers.a_consultation(world, state="closed", answers=4)
    assert consultation.state == Consultation.State.CLOSED
    assert consultation.answers is None
    assert not VoiceTally.objects.filter(question__consultation=consultation).exists()
    assert not VoiceComment.objects.exists()
    assert not Eligible.objects.exists()
    assert not SealedAnswer.objects.exists()


def released(consultation: Consultation) -> Sequence[str]:
    found = VoiceTally.objects.filter(question__consultation=consultation)
    return list(found.values_list("slice", flat=True).distinct().order_by("slice"))


def test_what_is_released_leaves_nobody_alone_in_a_group(world: World) -> None:
    """Ten teachers and four heads answer: the heads stand in no slice, nor does the rest of one."""
    consultation = helpers.a_consultation(world, teachers=10)
    assert Eligible.objects.filter(consultation=consultation).count() == 14
    helpers.answered_by(consultation, 14)
    upper, lower = world.areas["Upper"].pk, world.areas["Lower"].pk
    closed = helpers.closed(consultation)
    assert closed.answers == 14
    assert set(released(consultation)) == {"all", f"area:{upper}", f"area:{lower}"}
    # One more head is five: now heads, teachers and areas overlap in Upper alone, by five.
    again = helpers.a_consultation(world, teachers=10, title="Again")
    assert Eligible.objects.filter(consultation=again).count() == 14
