"""Consultations: written, opened, answered, counted, withdrawn, asked again."""

from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.accountability import voice_actions as actions
from brightspots_web.accountability import voice_answer_actions as answering
from brightspots_web.accountability import voice_pages as pages
from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability import voice_seal, voice_warnings
from brightspots_web.accountability import voice_time_actions as timing
from brightspots_web.accountability.models import (
    Consultation,
    Eligible,
    SealedAnswer,
    VoiceComment,
    VoiceTally,
)
from brightspots_web.directory import actions as register
from brightspots_web.directory import queries as directory
from brightspots_web.notices import kinds
from brightspots_web.notices.models import Notice
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import voice_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World

State = Consultation.State


def address(name: str, consultation: Consultation) -> str:
    return reverse(f"accountability:{name}", args=[consultation.pk])


def told(kind: str) -> set[int]:
    found = Notice.objects.filter(kind=f"accountability.voice_{kind}")
    return set(found.values_list("person", flat=True))


# Writing and opening


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"closes": helpers.in_days(0)}, "closes"),
        ({"answer_due": helpers.in_days(14)}, "answer_due"),
        ({"audience": "teachers"}, "slices"),
        ({"questions": ()}, ""),
        ({"questions": (actions.Question("choice", "Which?", ("One",)),)}, "q1_options"),
        ({"questions": (actions.Question("choice", "Which?", ("a", "A")),)}, "q1_options"),
        ({"questions": tuple(actions.Question("text", f"{i}?") for i in range(4))}, ""),
        ({"questions": tuple(actions.Question("scale", f"{i}?") for i in range(9))}, ""),
    ],
)
def test_what_is_wrong_is_said_at_its_place(
    world: World, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as problem:
        actions.write(helpers.draft(world, **changes), by=world.cast["district_officer"])
    if field:
        assert list(problem.value.message_dict) == [field]
    assert not Consultation.objects.exists()


def test_who_asks_and_who_is_named_is_held(world: World) -> None:
    officer, minister = world.cast["district_officer"], world.cast["minister"]
    for changes, field in (
        ({"area": world.areas["South"]}, "area"),
        ({"stakeholder": world.person("head")}, "stakeholder"),
        ({"moderator": world.person("district_officer")}, "moderator"),
        ({"moderator": world.person("head")}, "moderator"),
    ):
        with pytest.raises(ValidationError) as problem:
            actions.write(helpers.draft(world, **changes), by=officer)
        assert list(problem.value.message_dict) == [field]
    # An officer of another county may moderate; of the whole system nobody of the line.
    made = actions.write(
        helpers.draft(world, moderator=world.person("other_district_officer")), by=officer
    )
    assert queries.is_moderator(world.cast["other_district_officer"], made)
    with pytest.raises(ValidationError):
        actions.write(
            helpers.draft(
                world, area=world.areas["Testland"], moderator=world.person("district_officer")
            ),
            by=minister,
        )
    for nobody in ("head", "teacher", "analyst"):
        with pytest.raises(PermissionDenied):
            actions.write(helpers.draft(world), by=world.cast[nobody])


def test_a_draft_is_seen_and_changed_by_its_own_side_alone(world: World) -> None:
    officer = world.cast["district_officer"]
    made = helpers.a_consultation(world, state="draft")
    assert actions.write(helpers.draft(world), by=officer).pk == made.pk  # sent twice, it is one
    colleague = register.appoint(
        register.register_person("c@test.invalid", "Colleague"), "district_officer",
        by=world.cast["minister"], area=world.areas["North"],
    )  # fmt: skip
    sees = {who for who, by in world.cast.items() if queries.consultation_with(by, made.pk)}
    assert sees == {"district_officer"}
    changed = actions.change(made, helpers.draft(world, title="Other"), by=colleague, seen=1)
    assert (changed.title, changed.version, changed.questions.count()) == ("Other", 2, 3)
    with pytest.raises(OvertakenError):
        actions.change(made, helpers.draft(world), by=officer, seen=1)
    with pytest.raises(OvertakenError):
        actions.open_up(made, by=officer, seen=1)
    with pytest.raises(PermissionDenied):
        actions.open_up(made, by=world.cast["other_district_officer"], seen=None)
    actions.discard(made, by=officer)
    assert not Consultation.objects.exists()


def test_opening_lists_who_may_answer_in_no_order_and_fixes_everything(world: World) -> None:
    officer = world.cast["district_officer"]
    made = helpers.a_consultation(world, teachers=40, state="draft")
    helpers.teacher_at(world, "E1")  # another county
    with mock.patch.object(actions.SystemRandom, "shuffle", autospec=True) as shuffle:
        opened = actions.open_up(made, by=officer, seen=1)
    assert shuffle.call_count == 1
    rows = list(Eligible.objects.filter(consultation=opened).select_related("person", "area"))
    assert opened.asked == len(rows) == 44
    assert {(each.role, each.area.name) for each in rows if each.area} == {
        ("head", "Upper"), ("teacher", "Upper"), ("teacher", "Lower"),
    }  # fmt: skip
    assert told("opened") == {each.person_id for each in rows}
    assert told("owes") == {world.person("minister").pk}
    assert told("moderates") == {world.person("analyst").pk}
    assert actions.open_up(opened, by=officer, seen=1).version == opened.version  # pressed twice
    with pytest.raises(ValidationError, match="stays as they read it"):
        actions.change(opened, helpers.draft(world, title="Other"), by=officer, seen=None)
    with pytest.raises(ValidationError):
        actions.discard(opened, by=officer)
    notice = Notice.objects.filter(kind="accountability.voice_opened")[0]
    link = kinds.words(notice.kind, notice.data)
    assert link is not None
    assert link.url == address("consultation", opened)


@pytest.mark.usefixtures("own_keys")
def test_too_few_to_be_asked_is_said_before_anybody_is(world: World) -> None:
    made = helpers.a_consultation(
        world, state="draft", teachers=0, area=world.areas["Lower"],
        audience="teachers", slices=[],
    )  # fmt: skip
    before = set(voice_seal.folder().glob("*.key"))
    with pytest.raises(ValidationError, match="0 people would be asked"):
        actions.open_up(made, by=world.cast["district_officer"], seen=None)
    assert set(voice_seal.folder().glob("*.key")) == before
    assert not Eligible.objects.exists()


# Answering


def test_an_answer_on_the_page_is_warned_once_and_then_sent(
    world: World, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    consultation = helpers.a_consultation(world)
    scale, _choice, text = consultation.questions.all()
    client, url = sign_in("teacher"), address("consultation_answer", consultation)
    page = client.get(url)
    token = page.context["form"]["token"].value()
    assert "anonymous" in page.content.decode()
    empty = client.post(url, {"token": token})
    assert "nothing is answered yet" in empty.content.decode()
    sent = {"token": token, f"q{scale.pk}": "2", f"q{text.pk}": "At School N2 we have no books."}
    warned = client.post(url, sent)
    assert warned.status_code == 200
    assert "names your school" in warned.content.decode()
    assert "At School N2 we have no books." in warned.content.decode()
    assert not SealedAnswer.objects.exists()
    form = warned.context["form"]
    assert client.post(url, sent | {"looked": form["looked"].value()}).status_code == 302
    caplog.clear()
    again = client.post(url, sent | {"looked": "yes"})  # the back button, or a second phone
    assert not caplog.records  # not even of a second one there is a time
    assert again.status_code == 409
    assert "One answer counts" in again.content.decode()
    assert "At School N2 we have no books." in again.content.decode()
    assert SealedAnswer.objects.count() == 1
    assert pages.front_items(world.cast["teacher"]) == []
    assert len(pages.front_items(world.cast["head"])) == 1
    other = sign_in("head").post(url, sent | {"looked": "yes"})
    assert "not made for you" in other.content.decode()
    bad = sign_in("head").post(url, {f"q{scale.pk}": "9"})
    assert bad.status_code == 200
    assert SealedAnswer.objects.count() == 1


def test_what_tells_who_wrote_it_is_found_and_what_does_not_is_left(world: World) -> None:
    head = world.cast["head"]
    head.person.name = "Amina Otieno"
    for text in (
        "Ask Otieno.", "N2 has none.", "Write to me@here.invalid", "Call 0712 345 678.",
        "A girl called Mary cannot read.",
    ):  # fmt: skip
        assert voice_warnings.warnings(text, head), text
    for text in ("", "More books, please.", "The head of the school has no time.", "Year 2: 20"):
        assert voice_warnings.warnings(text, head) == [], text


def test_the_longest_answer_fits_its_seal_in_any_writing(world: World) -> None:
    consultation = helpers.a_consultation(world)
    text = consultation.questions.all()[2]
    length = actions.LONGEST_TEXT
    rows = list(Eligible.objects.filter(consultation=consultation)[:4])
    for row, letter in zip(rows, ('"', "\\", "\N{GRINNING FACE}", "\x01\ta"), strict=True):
        given = answering.Given(texts={text.pk: (letter * length)[:length]})
        token = answering.token_of(row, consultation)
        answering.answer(consultation, given, token, by=helpers.appointment_of(row))
    assert len({len(each.content) for each in SealedAnswer.objects.all()}) == 1
    row = Eligible.objects.filter(consultation=consultation, answered=False)[0]
    given = answering.Given(texts={text.pk: "a" * (length + 1)})
    token = answering.token_of(row, consultation)
    with pytest.raises(ValidationError, match="At most"):
        answering.answer(consultation, given, token, by=helpers.appointment_of(row))


# Closing


def test_on_its_day_it_is_counted_and_what_led_to_people_is_gone(
    world: World, sign_in: SignIn, django_capture_on_commit_callbacks: Any
) -> None:
    consultation = helpers.a_consultation(world, teachers=20)
    helpers.answered_by(consultation, 12)
    key = consultation.key_id
    with pytest.raises(ValidationError, match="counted after that"):
        timing.close(consultation, by=world.cast["district_officer"])
    timing.keep_time()
    consultation.refresh_from_db()
    assert consultation.state == State.OPEN
    with (
        mock.patch.object(directory, "today", return_value=consultation.closes),
        django_capture_on_commit_callbacks(execute=True),
    ):
        late = Eligible.objects.filter(consultation=consultation, answered=False)[0]
        by = helpers.appointment_of(late)
        with pytest.raises(answering.NotTakenError, match="closed at the end of"):
            helpers.answer(consultation, by)
        timing.keep_time()
    consultation.refresh_from_db()
    assert (consultation.state, consultation.answers, consultation.asked) == (State.CLOSED, 12, 24)
    assert consultation.key_id is None
    assert not (voice_seal.folder() / f"{key}.key").exists()
    assert not Eligible.objects.exists()
    assert VoiceComment.objects.filter(area=None).count() == 12
    assert len(told("results")) == 24
    assert told("answer_due") == {world.person("minister").pk}
    assert told("to_read") == {world.person("analyst").pk}
    entry = AuditEntry.objects.filter(action="accountability.close_consultation").latest("pk")
    assert "More books" not in str(entry.detail)
    found = queries.results(consultation)
    whole = found[0].whole
    assert whole is not None
    assert (whole.n, sum(whole.counts), whole.no_answer) == (12, 12, 0)
    assert found[2].written == 12
    page = sign_in("partner_head").get(address("consultation", consultation)).content.decode()
    assert "What was answered" in page
    assert "12 answers, of 24 people" in page
    assert "12 people wrote own words" in page
    rows = list(pages.export_rows(consultation))
    assert sum(each["n"] for each in rows if each["slice"] == "All who answered") == 24


def test_a_confidential_round_says_so_and_shows_the_area_to_the_moderator_alone(
    world: World, sign_in: SignIn
) -> None:
    consultation = helpers.a_consultation(world, mode="confidential", slices=[])
    page = sign_in("head").get(address("consultation_answer", consultation)).content.decode()
    assert "Confidential, not anonymous" in page
    helpers.answered_by(consultation, 14)
    helpers.closed(consultation)
    places = set(VoiceComment.objects.values_list("area__name", flat=True))
    assert places == {"Upper", "Lower"}  # at least five answered in each
    assert set(VoiceTally.objects.values_list("slice", flat=True)) == {"all"}


def test_fewer_than_five_leaves_the_fact_alone_and_the_duty_to_answer(
    world: World, sign_in: SignIn
) -> None:
    consultation = helpers.a_consultation(world, state="closed", answers=4)
    assert queries.too_few(consultation)
    page = sign_in("teacher").get(address("consultation", consultation)).content.decode()
    assert "fewer than five answered" in page
    assert "More books" not in page
    assert told("few")
    assert not told("to_read")
    export = reverse("accountability:consultation_results_export", args=[consultation.pk, "csv"])
    lines = b"".join(sign_in("teacher").get(export).streaming_content).decode()
    assert "More books" not in lines


def test_everybody_is_reminded_twice_whether_they_answered_or_not(world: World) -> None:
    consultation = helpers.a_consultation(world)
    helpers.answered_by(consultation, 5, "")
    sent = []
    for days in (13, 7, 6, 1, 1):
        on = consultation.closes - helpers.timedelta(days=days)
        with mock.patch.object(directory, "today", return_value=on):
            sent.append(timing.remind(consultation))
    assert sent == [0, 14, 0, 14, 0]
    short = helpers.a_consultation(world, title="Short", closes=helpers.in_days(5))
    assert timing.remind(short) == 0  # who was asked today is not reminded today


# Withdrawing, asking again


def test_what_is_withdrawn_is_destroyed_unread(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    officer = world.cast["district_officer"]
    consultation = helpers.a_consultation(world)
    helpers.answered_by(consultation, 6)
    row = Eligible.objects.filter(consultation=consultation, answered=False)[0]
    token, by = answering.token_of(row, consultation), helpers.appointment_of(row)
    key = consultation.key_id
    with pytest.raises(ValidationError):
        actions.withdraw(consultation, by=officer, seen=None, why=" ")
    with django_capture_on_commit_callbacks(execute=True):
        actions.withdraw(consultation, by=officer, seen=None, why="It comes too early.")
    assert not SealedAnswer.objects.exists()
    assert not Eligible.objects.exists()
    assert not VoiceComment.objects.exists()
    assert not (voice_seal.folder() / f"{key}.key").exists()
    assert len(told("withdrawn")) == 14
    with pytest.raises(answering.NotTakenError, match="withdrawn"):
        answering.answer(consultation, helpers.given_for(consultation, 1), token, by=by)
    counted = helpers.a_consultation(world, state="closed", title="Counted")
    with pytest.raises(ValidationError, match="an answer is owed"):
        actions.withdraw(counted, by=officer, seen=None, why="No.")


def test_the_next_round_follows_what_is_counted_once(world: World, sign_in: SignIn) -> None:
    officer = world.cast["district_officer"]
    running = helpers.a_consultation(world, title="Running")
    with pytest.raises(ValidationError, match="not counted yet"):
        actions.write(helpers.draft(world), by=officer, follows=running)
    first = helpers.a_consultation(world, state="closed")
    page = sign_in("district_officer").get(reverse("accountability:voice_new"), {"after": first.pk})
    assert page.context["form"]["q2_options"].value() == "Books\nTime\nTraining"
    second = actions.write(helpers.draft(world), by=officer, follows=first)
    assert (second.round, second.follows_id) == (2, first.pk)
    actions.open_up(second, by=officer, seen=None)
    with pytest.raises(ValidationError, match="next round already"):
        actions.write(helpers.draft(world, title="Third"), by=officer, follows=first)


@pytest.mark.usefixtures("own_keys")
def test_keys_that_no_row_names_are_destroyed_when_they_are_old(world: World) -> None:
    consultation = helpers.a_consultation(world)
    left = voice_seal.new_key()
    timing.keep_time()
    assert (voice_seal.folder() / f"{left}.key").exists()  # perhaps being written at this moment
    with mock.patch.object(voice_seal, "YOUNG", -1):
        timing.keep_time()
    assert not (voice_seal.folder() / f"{left}.key").exists()
    assert (voice_seal.folder() / f"{consultation.key_id}.key").exists()


# Pages


def test_a_form_that_is_overtaken_or_wrong_keeps_what_was_typed(
    world: World, sign_in: SignIn
) -> None:
    made = helpers.a_consultation(world, state="draft", teachers=2)
    client, url = sign_in("district_officer"), address("consultation_change", made)
    sent = {each.html_name: each.value() or "" for each in client.get(url).context["form"]}
    typed = sent | {"policy": "Nobody knows yet.", "q4_words": "And now?", "q4_kind": "text"}
    wrong = client.post(url, typed | {"closes": "2020-01-01"})
    assert "Give people a day at least" in wrong.content.decode()
    assert "And now?" in wrong.content.decode()
    late = client.post(url, typed | {"seen": 7})
    assert late.status_code == 409
    assert "Nobody knows yet." in late.content.decode()
    assert client.post(url, typed).status_code == 302
    made.refresh_from_db()
    assert made.questions.count() == 4


def test_pages_ask_few_questions(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    consultation = helpers.a_consultation(world, state="closed", teachers=20, answers=20)
    helpers.a_consultation(world, title="Open one")
    client = sign_in("head")
    with django_assert_max_num_queries(14):
        page = client.get(reverse("accountability:voice"))
    assert "You are asked" in page.content.decode()
    assert (
        "None fits"
        in client.get(reverse("accountability:voice"), {"q": "nothing"}).content.decode()
    )
    with django_assert_max_num_queries(26):
        client.get(address("consultation", consultation))
    with django_assert_max_num_queries(2):
        pages.front_items(world.cast["head"])
    with django_assert_max_num_queries(3):
        assert pages.home_card(world.cast["minister"])
