"""Small data notes: written once, the school's alone until shared, gone when deleted."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from brightspots_web.devolution import note_actions as actions
from brightspots_web.devolution import note_pages as pages
from brightspots_web.devolution import note_queries as queries
from brightspots_web.devolution import note_share_actions as sharing
from brightspots_web.devolution.models import DataNote, DataUse, NotePhoto, NoteTag
from brightspots_web.devolution.note_actions import Said
from brightspots_web.devolution.note_queries import Search
from brightspots_web.devolution.note_search import INDEX
from brightspots_web.directory import succession_actions
from brightspots_web.directory.models import Appointment, Membership
from brightspots_web.notices import queries as notices
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import MayNamePupilError, may_identify_pupil
from tests.web import note_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.note_helpers import a_note, a_photo, shared, today
from tests.web.world import World

WORDS = "Zebra: two girls explained it to each other."
WRITE = "/small-data/write/"


def url(name: str, note: DataNote) -> str:
    return reverse(f"devolution:{name}", args=[note.pk])


def visible(world: World, who: str) -> set[int]:
    return set(queries.notes_visible_to(world.cast[who]).values_list("pk", flat=True))


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]


# Writing


def test_a_note_is_written_on_one_page_without_a_script(world: World, sign_in: SignIn) -> None:
    helpers.priorities(world)
    teacher = sign_in("teacher")
    page = teacher.get(WRITE)
    assert len(page.content) < 20_000
    assert b"<script" not in page.content
    data = {
        "client_key": page.context["form"].initial["client_key"], "words": WORDS, "kind": "heard",
        "priority": "reading", "tags": "Class 3, #Fluency , class 3", "on": today().isoformat(),
    }  # fmt: skip
    done = teacher.post(WRITE, data)
    note = DataNote.objects.get()
    assert done["Location"] == url("note", note)
    assert (note.words, note.kind, note.tags) == (WORDS, "heard", ["class 3", "fluency"])
    assert (note.school.code, note.author) == ("N2", world.person("teacher"))
    assert note.priority is not None
    assert note.priority.code == "reading"
    assert set(NoteTag.objects.values_list("word", flat=True)) == {"class 3", "fluency"}


def test_the_same_form_sent_twice_is_kept_once_and_another_body_is_refused(
    world: World, sign_in: SignIn
) -> None:
    teacher, key = sign_in("teacher"), str(uuid4())
    data = {"client_key": key, "words": WORDS, "kind": "seen"}
    first, second = teacher.post(WRITE, data), teacher.post(WRITE, data)
    assert first["Location"] == second["Location"]
    assert DataNote.objects.count() == 1
    other = teacher.post(WRITE, data | {"words": "Something else, with the same key."})
    assert other.status_code == 409
    assert "Something else, with the same key." in other.content.decode()
    assert DataNote.objects.count() == 1
    # What is shown again can be sent, as a note of its own.
    fresh = other.context["form"].data
    assert fresh["client_key"] != key
    assert teacher.post(WRITE, dict(fresh.items())).status_code == 302
    assert DataNote.objects.count() == 2


def test_a_key_of_somebody_elses_note_gives_nothing_away(world: World, sign_in: SignIn) -> None:
    note = a_note(world, words=WORDS)
    data = {"client_key": str(note.client_key), "words": WORDS, "kind": "seen"}
    page = sign_in("other_head").post(WRITE, data)
    assert page.status_code == 409
    assert DataNote.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"words": "  "}, "words"),
        ({"words": "x" * 1001}, "words"),
        ({"on": today() + timedelta(days=1)}, "on"),
        ({"on": today() - timedelta(days=500)}, "on"),
        ({"tags": [f"t{n}" for n in range(7)]}, "tags"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"kind": "observation"}, "kind"),
        ({"kind": "gossip"}, "kind"),
    ],
)
def test_what_is_not_in_order_is_said_at_its_place(
    world: World, changed: dict[str, Any], name: str
) -> None:
    said = Said(**({"words": WORDS, "on": today()} | changed))
    with pytest.raises(ValidationError) as problem:
        actions.write(said, by=world.cast["teacher"], client_key=uuid4())
    assert list(problem.value.message_dict) == [name]
    assert not DataNote.objects.exists()


@pytest.mark.parametrize("who", ["minister", "analyst", "district_officer"])
def test_who_is_of_no_school_writes_no_note(world: World, who: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.write(Said(WORDS, today()), by=world.cast[who], client_key=uuid4())


def test_words_of_somebody_whose_appointment_has_ended_are_shown_and_not_stored(
    world: World, sign_in: SignIn
) -> None:
    teacher = sign_in("teacher")
    key = teacher.get(WRITE).context["form"].initial["client_key"]
    Appointment.objects.filter(pk=world.cast["teacher"].pk).update(ends=today())
    page = teacher.post(WRITE, {"client_key": key, "words": WORDS})
    assert page.status_code == 403
    assert WORDS in page.content.decode()
    assert "Nothing was stored" in page.content.decode()
    assert not DataNote.objects.exists()


def test_a_note_begun_for_one_school_is_not_kept_for_another(world: World, sign_in: SignIn) -> None:
    client = sign_in("teacher")
    data = {"client_key": str(uuid4()), "words": WORDS, "for_school": world.schools["N2"].pk}
    other = Appointment.objects.create(
        person=world.person("teacher"), role="teacher", school=world.schools["E2"], starts=today()
    )
    client.post(reverse("directory:act_as", args=[other.pk]))
    page = client.post(WRITE, data)
    assert page.status_code == 409
    assert WORDS in page.content.decode()
    assert not DataNote.objects.exists()
    again = dict(page.context["form"].data.items())
    assert client.post(WRITE, again).status_code == 302
    assert DataNote.objects.get().school.code == "E2"


# Names of pupils


@pytest.mark.parametrize(
    "words",
    [
        "We saw that Amina Were reads better.",
        "Pupil no. 4711 was stuck.",
        "Adm no 12 was absent.",
        "Her mother is at 0712 345 678.",
        "Write to mother@example.org about it.",
        "He was born on 3 May 2018 and is small.",
        "Born 2018-05-03.",
        "The one with 12345678 on her card.",
    ],
)
def test_what_may_say_who_a_pupil_is_is_asked_about(world: World, words: str) -> None:
    said, key = Said(words, today()), uuid4()
    with pytest.raises(MayNamePupilError):
        actions.write(said, by=world.cast["teacher"], client_key=key)
    assert not DataNote.objects.exists()
    note = actions.write(said, by=world.cast["teacher"], client_key=key, names_nobody=True)
    assert note.words == words


@pytest.mark.parametrize(
    "words",
    [
        "7 of 42 pupils read 120 words in a minute.",
        "On 3 November 2026 they read, from 10:15 to 11:00.",
        "Two girls in class 3 explained it.",
        "Rows of 12, 34 and 56 stones; 1,000,000 grains.",
        "School N2 and School N3 do it alike.",
    ],
)
def test_other_words_are_let_be(words: str) -> None:
    assert may_identify_pupil(words, ["School N2", "School N3"]) == ""


def test_tags_and_the_words_of_a_photograph_are_looked_at_too(world: World) -> None:
    teacher = world.cast["teacher"]
    for said in (
        Said("Fine.", today(), tags=["amina.were@example.org"], says="A wall"),
        Said("Fine.", today(), says="The book of the pupil Amina"),
    ):
        with pytest.raises(MayNamePupilError):
            actions.write(said, by=teacher, client_key=uuid4(), photo=a_photo())


def test_the_warning_comes_on_the_page_with_a_box_to_say_so(world: World, sign_in: SignIn) -> None:
    teacher = sign_in("teacher")
    data = {"client_key": str(uuid4()), "words": "We saw Amina Were read.", "kind": "seen"}
    page = teacher.post(WRITE, data)
    assert "“Amina Were” may say who a pupil is" in page.content.decode()
    assert 'type="checkbox" name="names_nobody"' in page.content.decode()
    assert teacher.post(WRITE, data | {"names_nobody": "on"}).status_code == 302


# Whose it is


def test_a_note_is_its_schools_alone_until_it_is_shared(world: World) -> None:
    note = a_note(world)
    assert visible(world, "teacher") == visible(world, "head") == {note.pk}
    for who in ("system_leader", "partner_head", "other_head", "minister", "analyst",
                "district_officer"):  # fmt: skip
        assert visible(world, who) == set(), who
    sharing.share(note, by=world.cast["head"], seen=note.version)
    for who in ("system_leader", "partner_head", "teacher"):
        assert visible(world, who) == {note.pk}, who
    for who in ("other_system_leader", "other_head", "minister", "analyst", "district_officer"):
        assert visible(world, who) == set(), who
    assert list(queries.shared_with(world.partnerships["Upper"])) == [note]
    sharing.take_back(note, by=world.cast["head"])
    assert visible(world, "system_leader") == set()


def test_a_teacher_asks_and_the_head_shares(world: World) -> None:
    note = a_note(world)
    teacher, head = world.cast["teacher"], world.cast["head"]
    with pytest.raises(PermissionDenied):
        sharing.share(note, by=teacher, seen=None)
    sharing.suggest(note, by=teacher)
    assert queries.waiting_to_be_shared(head) == 1
    assert told(world, "head") == [
        "A colleague would like to share a note with your partnership. Have a look."
    ]
    card = pages.front_card(head)
    assert card is not None
    assert card.waiting == "1 note waits for you to share it."
    sharing.share(note, by=head, seen=note.version)
    assert told(world, "teacher") == ["Your note is shared with your partnership."]
    assert queries.waiting_to_be_shared(head) == 0


def test_the_head_of_another_school_neither_shares_nor_changes_nor_deletes(world: World) -> None:
    note = shared(world)
    for who in ("partner_head", "system_leader", "minister"):
        for act in (
            lambda by: sharing.share(note, by=by, seen=None),
            lambda by: sharing.take_back(note, by=by),
            lambda by: actions.remove(note, by=by),
            lambda by: actions.change(note, Said("Mine.", today()), by=by, seen=None),
        ):
            with pytest.raises(PermissionDenied):
                act(world.cast[who])


def test_what_the_head_shares_is_what_the_head_read(world: World) -> None:
    note = a_note(world)
    actions.change(note, Said("Quite another thing.", today()), by=world.cast["teacher"], seen=1)
    with pytest.raises(OvertakenError):
        sharing.share(note, by=world.cast["head"], seen=1)
    note.refresh_from_db()
    assert note.shared_with is None


def test_a_shared_note_that_its_teacher_changes_is_shared_anew_by_the_head_alone(
    world: World,
) -> None:
    note = a_note(world)
    sharing.share(note, by=world.cast["head"], seen=1)
    note = actions.change(note, Said("Changed.", today()), by=world.cast["teacher"], seen=1)
    assert note.shared_with is None
    assert note.suggested_at is not None
    mine = shared(world)
    mine = actions.change(mine, Said("Changed by me.", today()), by=world.cast["head"], seen=1)
    assert mine.shared_with == world.partnerships["Upper"]


def move(world: World, code: str, to: str) -> None:
    Membership.objects.filter(school=world.schools[code], ends=None).update(ends=today())
    Membership.objects.create(
        school=world.schools[code], partnership=world.partnerships[to], starts=today()
    )


def test_a_school_that_changes_its_partnership_leaves_there_what_it_shared_there(
    world: World,
) -> None:
    note = shared(world)
    move(world, "N2", "East")
    assert visible(world, "partner_head") == {note.pk}  # of the old one
    assert visible(world, "other_head") == visible(world, "other_system_leader") == set()
    assert visible(world, "head") == {note.pk}
    with pytest.raises(ValidationError, match="Take it back first"):
        sharing.share(note, by=world.cast["head"], seen=None)
    sharing.take_back(note, by=world.cast["head"])
    assert visible(world, "partner_head") == set()
    sharing.share(note, by=world.cast["head"], seen=None)
    assert visible(world, "other_head") == {note.pk}
    assert visible(world, "partner_head") == set()


def test_what_the_others_shared_is_not_seen_by_a_school_that_left(world: World) -> None:
    theirs = shared(world, "partner_head")
    assert visible(world, "teacher") == {theirs.pk}
    move(world, "N2", "East")
    assert visible(world, "teacher") == set()


def test_a_school_in_no_partnership_has_nobody_to_share_with(world: World) -> None:
    note = a_note(world)
    Membership.objects.filter(school=world.schools["N2"]).update(ends=today())
    with pytest.raises(ValidationError, match="no partnership"):
        sharing.share(note, by=world.cast["head"], seen=None)


def test_notes_of_a_school_that_closed_pass_to_the_head_of_who_carries_on(world: World) -> None:
    note, theirs = a_note(world), shared(world)
    teacher_of_n3 = Appointment.objects.create(
        person=world.person("nobody"), role="teacher", school=world.schools["N3"], starts=today()
    )
    assert visible(world, "partner_head") == {theirs.pk}
    succession_actions.close_school(
        world.schools["N2"], on=today(), successors=[world.schools["N3"]], by=world.cast["minister"]
    )
    assert visible(world, "partner_head") == {note.pk, theirs.pk}
    assert set(queries.notes_visible_to(teacher_of_n3)) == {theirs}
    assert visible(world, "system_leader") == {theirs.pk}
    successor = world.cast["partner_head"]
    with pytest.raises(PermissionDenied):  # read, and answered for, but not shared in its name
        sharing.share(note, by=successor, seen=None)
    assert list(queries.own_notes(successor, Search())) == []  # the file is of the own school
    actions.remove(note, by=successor)
    assert visible(world, "partner_head") == {theirs.pk}


# Nothing is left, nothing is said


def test_a_deleted_note_is_gone_with_its_photograph_and_its_words(world: World) -> None:
    note = a_note(world, words=WORDS, tags=["zebra"], photo=a_photo(), says="A zebra drawn")
    assert list(INDEX.find("zebra")) == [note.pk]
    actions.remove(note, by=world.cast["teacher"])
    assert not DataNote.objects.exists()
    assert not NotePhoto.objects.exists()
    assert not NoteTag.objects.exists()
    assert INDEX.find("zebra") == []
    entry = AuditEntry.objects.filter(action="devolution.delete_note").get()
    assert entry.target_id == str(note.pk)


def test_the_head_deletes_what_somebody_left_behind(world: World) -> None:
    note = a_note(world)
    Appointment.objects.filter(pk=world.cast["teacher"].pk).update(ends=today())
    actions.remove(note, by=world.cast["head"])
    assert not DataNote.objects.exists()


def test_no_word_of_a_note_is_in_the_audit_trail_or_in_a_notice(world: World) -> None:
    note = a_note(world, words=WORDS, tags=["zebra"], photo=a_photo(), says="A zebra drawn")
    sharing.suggest(note, by=world.cast["teacher"])
    sharing.share(note, by=world.cast["head"], seen=None)
    said = Said("Zebra again.", today(), tags=["zebra"], says="A zebra")
    actions.change(note, said, by=world.cast["teacher"], seen=None)
    sharing.take_back(note, by=world.cast["head"])
    actions.remove(note, by=world.cast["head"])
    trail = list(AuditEntry.objects.values())
    assert len([each for each in trail if each["action"].startswith("devolution.")]) == 6
    assert "zebra" not in str(trail).lower()
    assert "zebra" not in str(told(world, "head") + told(world, "teacher")).lower()


# Finding


def found(world: World, who: str = "head", **asked: Any) -> list[str]:
    return [each.words for each in queries.search(world.cast[who], Search(**asked))]


def test_notes_are_found_by_words_tag_kind_priority_school_and_days(world: World) -> None:
    reading, _number = helpers.priorities(world)
    old = today() - timedelta(days=40)
    a_note(world, words="Élèves au tableau", tags=["mur"], on=old, priority=reading)
    a_note(world, words="They counted stones", kind="hunch", tags=["stones", "class 2"])
    shared(world, "partner_head", words="Ours count, too")
    assert found(world, words="eleves") == ["Élèves au tableau"]
    assert found(world, words="MUR") == ["Élèves au tableau"]
    assert found(world, words="count") == ["Ours count, too", "They counted stones"]
    assert found(world, words="count", whose="ours") == ["They counted stones"]
    assert found(world, words="count", whose="shared") == ["Ours count, too"]
    assert found(world, tag="class 2") == ["They counted stones"]
    assert found(world, tag="class") == []
    assert found(world, kind="hunch") == ["They counted stones"]
    assert found(world, priority="reading") == ["Élèves au tableau"]
    assert found(world, school="N3") == ["Ours count, too"]
    assert found(world, until=old) == ["Élèves au tableau"]
    assert found(world, since=today()) == ["Ours count, too", "They counted stones"]
    assert found(world, who="partner_head", words="stones") == []  # not theirs to find


@pytest.mark.parametrize("words", ['"', "a OR b", "words:x", "NEAR(a b)", "a & !b", "*", "%", "'"])
def test_what_a_person_types_is_never_an_operator(world: World, words: str) -> None:
    a_note(world)
    found(world, words=words)  # does not raise


def test_a_change_is_found_at_once_and_the_words_can_be_made_anew(world: World) -> None:
    note = a_note(world, words="Before")
    actions.change(note, Said("After", today()), by=world.cast["teacher"], seen=1)
    assert found(world, words="before") == []
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {INDEX.table}")  # noqa: S608 - a constant
    assert found(world, words="after") == []
    assert actions.rebuild_words() == 1
    assert found(world, words="after") == ["After"]


def test_tags_and_months_are_counted_among_what_one_may_see(world: World) -> None:
    a_note(world, tags=["fluency", "class 3"])
    a_note(world, tags=["fluency"], on=today() - timedelta(days=35))
    shared(world, "partner_head", tags=["walls"])
    a_note(world, "other_head", tags=["elsewhere"])
    notes = queries.search(world.cast["teacher"], Search())
    assert queries.tags_among(notes) == [("class 3", 1), ("fluency", 2), ("walls", 1)]
    assert sum(n for _month, n in queries.months_of(notes)) == 3
    chart = pages.months_chart(queries.months_of(notes))
    assert chart is not None
    assert chart.rows[0][1] == "2"


def many(world: World, count: int) -> None:
    note = a_note(world, tags=["fluency"])
    rows = DataNote.objects.bulk_create(
        DataNote(
            school=note.school, on=note.on, words=f"Note {n}", by=note.by, author=note.author,
            at=timezone.now(), tags=["fluency"],
        )
        for n in range(count)
    )  # fmt: skip
    NoteTag.objects.bulk_create(NoteTag(note=row, word="fluency") for row in rows)


def test_a_thousand_notes_are_listed_in_as_many_queries_as_two(
    world: World, sign_in: SignIn
) -> None:
    helpers.priorities(world)
    client = sign_in("teacher")
    a_note(world, tags=["one"])
    a_note(world, photo=a_photo())
    client.get("/small-data/")
    with CaptureQueriesContext(connection) as few:
        client.get("/small-data/")
    many(world, 1000)
    with CaptureQueriesContext(connection) as lots:
        page = client.get("/small-data/")
    assert page.context["page_obj"].paginator.count == 1003
    assert len(lots) <= len(few) + 1
    assert len(lots) <= 40
    assert len(page.content) < 60_000


def test_the_file_has_the_own_schools_notes_alone(world: World, sign_in: SignIn) -> None:
    a_note(world, words="=Ours")
    shared(world, "partner_head", words="Theirs")
    text = b"".join(sign_in("head").get("/small-data.csv")).decode()  # type: ignore[arg-type, call-overload] # streamed
    assert "'=Ours" in text
    assert "Theirs" not in text


def test_who_wrote_a_note_stays_in_the_school(world: World, sign_in: SignIn) -> None:
    note = a_note(world)
    sharing.share(note, by=world.cast["head"], seen=None)
    name = str(world.person("teacher"))
    assert name in sign_in("head").get(url("note", note)).content.decode()
    for page in (url("note", note), "/small-data/"):
        assert name not in sign_in("partner_head").get(page).content.decode()


def test_officers_and_ministry_find_no_note_and_no_count_of_any(
    world: World, sign_in: SignIn
) -> None:
    note = shared(world, words=WORDS)
    for who in ("minister", "analyst", "district_officer"):
        client = sign_in(who)
        assert client.get(url("note", note)).status_code == 404
        assert client.get("/small-data/").status_code == 403
        for page in ("/partnerships/P-UPPER/", "/schools/N2/", "/data-use/"):
            shown = client.get(page)
            assert "Zebra" not in shown.content.decode(), page


def test_small_data_of_a_priority_is_for_members_and_holds_what_is_shared(world: World) -> None:
    reading, number = helpers.priorities(world)
    upper = world.partnerships["Upper"]
    a_note(world, words="Not shared", priority=reading)
    shared(world, words="Shared", priority=reading)
    shared(world, words="Long ago", priority=reading, on=today() - timedelta(days=200))
    shared(world, words="A wall", priority=reading, photo=a_photo())
    shared(world, words="Of number", priority=number)
    small = pages.small_data_of(upper, reading, world.cast["system_leader"])
    assert small is not None
    assert [each.words for each in small.quotes] == ["Shared"]
    assert [each.photo and each.photo.says for each in small.photos] == ["A number line"]
    assert (small.n_notes, small.n_schools, small.more) == (2, 1, 0)
    assert small.sentence.startswith("2 notes, shared by 1 school since")
    for who in ("minister", "analyst", "district_officer", "other_head", "other_system_leader"):
        assert pages.small_data_of(upper, reading, world.cast[who]) is None, who


def test_the_partnerships_page_shows_its_people_what_is_shared_and_counts_the_look(
    world: World, sign_in: SignIn
) -> None:
    shared(world, words=WORDS)
    a_note(world, words="Not shared.")
    page, before = "/partnerships/P-UPPER/", DataUse.objects.filter(what="looked")
    assert WORDS in sign_in("partner_head").get(page).content.decode()
    assert "Not shared." not in sign_in("head").get(page).content.decode()
    officer = sign_in("district_officer").get(page).content.decode()
    assert "Zebra" not in officer
    assert "What we see and hear" not in officer
    assert dict(before.values_list("role", "times")) == {"head": 2, "district_officer": 1}


def test_writing_is_counted_by_role_and_area_and_by_nobodys_name(world: World) -> None:
    a_note(world)
    a_note(world, words="Another.")
    row = DataUse.objects.get()
    assert (row.role, row.what, row.times, row.area) == (
        "teacher", "contributed", 2, world.areas["Upper"],
    )  # fmt: skip
