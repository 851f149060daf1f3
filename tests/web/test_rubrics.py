"""Forms for observations: who makes them, what is counted, and that a change leaves the past."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from brightspots_web.devolution import note_actions
from brightspots_web.devolution import note_pages as pages
from brightspots_web.devolution import note_queries as notes
from brightspots_web.devolution import note_share_actions as sharing
from brightspots_web.devolution import rubric_actions as actions
from brightspots_web.devolution import rubric_queries as queries
from brightspots_web.devolution.models import DataNote, Rubric
from brightspots_web.devolution.note_actions import Said
from brightspots_web.devolution.rubric_actions import Form
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import note_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.note_helpers import ITEMS, a_rubric, today
from tests.web.world import World


def observed(world: World, rubric: Rubric, who: str = "head", **answers: Any) -> DataNote:
    said = Said("", today(), rubric=rubric, observed=answers)
    return note_actions.write(said, by=world.cast[who], client_key=uuid4())


def seen_by(world: World, who: str) -> set[str]:
    return set(queries.rubrics_visible_to(world.cast[who]).values_list("name", flat=True))


def test_a_leader_makes_one_for_the_partnership_and_the_ministry_for_all(world: World) -> None:
    a_rubric(world, name="Upper's")
    a_rubric(world, "minister", name="All's")
    for who in ("system_leader", "head", "partner_head", "teacher"):
        assert seen_by(world, who) == {"Upper's", "All's"}, who
    for who in ("other_head", "other_system_leader", "minister"):
        assert seen_by(world, who) == {"All's"}, who
    for who in ("analyst", "district_officer"):
        assert seen_by(world, who) == set(), who
    for who in ("head", "teacher", "district_officer", "analyst"):
        with pytest.raises(PermissionDenied):
            a_rubric(world, who, name="Mine")
    with pytest.raises(PermissionDenied):
        actions.retire(Rubric.objects.get(name="All's"), by=world.cast["system_leader"])


def test_made_twice_it_is_one_and_a_name_is_taken_once(world: World) -> None:
    assert a_rubric(world) == a_rubric(world)
    with pytest.raises(ValidationError, match="a form of this name"):
        a_rubric(world, items=ITEMS[:1])
    a_rubric(world, "minister")  # another's may have the same


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ({"name": " "}, "name"),
        ({"items": [{"question": " ", "kind": "count"}]}, "question_1"),
        ({"items": [{"question": "x" * 201, "kind": "count"}]}, "question_1"),
        ({"items": [{"question": f"Q{n}", "kind": "count"} for n in range(9)]}, "question_1"),
        ({"items": [{"question": "Q", "kind": "mark"}]}, "kind_1"),
        ({"items": [{"question": "Q", "kind": "scale", "most": 11}]}, "most_1"),
    ],
)
def test_what_is_not_in_order_is_said_at_its_place(
    world: World, form: dict[str, Any], name: str
) -> None:
    with pytest.raises(ValidationError) as problem:
        a_rubric(world, **form)
    assert list(problem.value.message_dict) == [name]


def test_a_change_is_another_form_and_the_past_keeps_its_questions(world: World) -> None:
    rubric = a_rubric(world)
    note = observed(world, rubric, q1=True, q2=4)
    leader = world.cast["system_leader"]
    form = Form(rubric.name, [{"question": "Did pupils write?", "kind": "yes_no"}])
    later = actions.change(rubric, form, by=leader, seen=1)
    assert (later.version, later.replaces) == (2, rubric)
    note.refresh_from_db()
    assert pages.observed(note)[:2] == [
        ("Did pupils read aloud?", "yes"),
        ("How many explained?", "4"),
    ]
    assert list(queries.rubrics_in_use(leader)) == [later]
    with pytest.raises(OvertakenError):
        actions.change(rubric, form, by=leader, seen=1)
    assert actions.change(later, form, by=leader, seen=2) == later  # nothing is changed


def test_what_was_being_written_on_a_form_when_it_was_changed_is_kept(
    world: World, sign_in: SignIn
) -> None:
    rubric = a_rubric(world)
    address = f"{reverse('devolution:note_write')}?rubric={rubric.pk}"
    teacher = sign_in("teacher")
    data = {"client_key": str(uuid4()), "item_q1": "yes", "item_q2": "3"}
    assert "Did pupils read aloud?" in teacher.get(address).content.decode()
    actions.retire(rubric, by=world.cast["system_leader"])
    assert teacher.get(address).status_code == 404
    assert teacher.post(address, data).status_code == 302
    note = DataNote.objects.get()
    assert (note.kind, note.observed) == ("observation", {"q1": True, "q2": 3})
    Rubric.objects.update(retired_at=timezone.now() - timedelta(days=2))
    again = teacher.post(address, data | {"client_key": str(uuid4())})
    assert "no longer in use" in again.content.decode()
    # The observation itself may still be mended by its author.
    said = Said("", today(), rubric=Rubric.objects.get(), observed={"q1": False})
    note_actions.change(note, said, by=world.cast["teacher"], seen=None)


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        ({}, "words"),
        ({"q9": 1}, "words"),
        ({"q1": 1}, "item_q1"),
        ({"q2": -1}, "item_q2"),
        ({"q2": 1000}, "item_q2"),
        ({"q2": True}, "item_q2"),
        ({"q3": 5}, "item_q3"),
        ({"q3": 0}, "item_q3"),
    ],
)
def test_answers_fit_their_questions(world: World, answers: dict[str, Any], name: str) -> None:
    with pytest.raises(ValidationError) as problem:
        observed(world, a_rubric(world), **answers)
    assert name in problem.value.message_dict


def test_a_form_of_another_partnership_cannot_be_used(world: World, sign_in: SignIn) -> None:
    rubric = a_rubric(world)
    with pytest.raises(ValidationError):
        observed(world, rubric, "other_head", q1=True)
    address = f"{reverse('devolution:note_write')}?rubric={rubric.pk}"
    assert sign_in("other_head").get(address).status_code == 404


def test_answers_are_counted_with_how_many_there_were(world: World) -> None:
    reading = helpers.priorities(world)[0]
    rubric = a_rubric(world, priority=reading)
    for answers in (
        {"q1": True, "q2": 4, "q3": 2},
        {"q1": True, "q2": 0},
        {"q1": False, "q2": 9, "q3": 4},
    ):
        said = Said("", today(), rubric=rubric, observed=answers, priority=reading)
        note = note_actions.write(said, by=world.cast["head"], client_key=uuid4())
        sharing.share(note, by=world.cast["head"], seen=None)
    observed(world, rubric, "partner_head", q1=True)  # not shared: not counted
    small = pages.small_data_of(world.partnerships["Upper"], reading, world.cast["system_leader"])
    assert small is not None
    form = small.observed[0]
    assert form.basis.startswith("3 observations at 1 school")
    assert list(form.items) == [
        ("Did pupils read aloud?", "yes in 2 of 3", 3),
        ("How many explained?", "13 in all, from 0 to 9 each time", 3),
        ("How calm was it?", "1: 0 times · 2: 1 time · 3: 0 times · 4: 1 time", 2),
    ]
    assert small.more == 0


def test_the_page_and_file_of_a_form_hold_what_one_may_see(world: World, sign_in: SignIn) -> None:
    rubric = a_rubric(world)
    observed(world, rubric, "teacher", q1=True, q2=7)
    observed(world, rubric, "partner_head", q1=True)
    page = f"/small-data/forms/{rubric.pk}/"
    assert "yes in 1 of 1" in sign_in("head").get(page).content.decode()
    assert "Nothing that you may see yet" in sign_in("system_leader").get(page).content.decode()
    file = b"".join(sign_in("head").get(f"{page}seen.csv")).decode()  # type: ignore[arg-type, call-overload] # streamed
    assert file.count("School N2") == 1
    assert "School N3" not in file


def test_the_ministry_sees_its_form_and_no_observation(world: World, sign_in: SignIn) -> None:
    rubric = a_rubric(world, "minister")
    note = observed(world, rubric, q1=True)
    sharing.share(note, by=world.cast["head"], seen=None)
    page = sign_in("minister").get(f"/small-data/forms/{rubric.pk}/")
    assert "Nothing that you may see yet" in page.content.decode()
    assert "yes in" not in page.content.decode()
    assert (
        notes.small_data(world.partnerships["Upper"], helpers.priorities(world)[0], today()) == []
    )


def test_forms_are_made_and_changed_on_their_page(world: World, sign_in: SignIn) -> None:
    leader = sign_in("system_leader")
    data = {
        "name": "A look", "about": "Ten minutes.", "question_1": "Did they read?",
        "kind_1": "scale", "most_1": "3", "question_2": "How many?", "kind_2": "count",
    }  # fmt: skip
    done = leader.post("/small-data/forms/make/", data)
    rubric = Rubric.objects.get()
    assert done["Location"] == f"/small-data/forms/{rubric.pk}/"
    assert rubric.items == [
        {"code": "q1", "question": "Did they read?", "kind": "scale", "most": 3},
        {"code": "q2", "question": "How many?", "kind": "count"},
    ]
    change = f"/small-data/forms/{rubric.pk}/change/"
    assert "Did they read?" in leader.get(change).content.decode()
    leader.post(change, data | {"seen": 1, "question_1": "Did they write?"})
    late = leader.post(change, data | {"seen": 1, "question_1": "Did they sing?"})
    assert late.status_code == 409
    assert "Did they sing?" in late.content.decode()
    assert Rubric.objects.count() == 2
