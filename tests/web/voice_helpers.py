"""Consultations of the invented system, made by the same actions as the pages use."""

from datetime import date, timedelta
from typing import Any
from unittest import mock

from brightspots_web.accountability import voice_actions as actions
from brightspots_web.accountability import voice_answer_actions as answering
from brightspots_web.accountability import voice_time_actions as timing
from brightspots_web.accountability.models import Consultation, Eligible, VoiceQuestion
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared.permissions import Role
from tests.web.world import FORMED, World

TITLE = "The new reading hour: how is it going?"
Kind = VoiceQuestion.Kind
QUESTIONS = (
    actions.Question(Kind.SCALE, "The reading hour helps my pupils."),
    actions.Question(Kind.CHOICE, "What is missing most?", ("Books", "Time", "Training")),
    actions.Question(Kind.TEXT, "What should change first?"),
)


def in_days(days: int) -> date:
    return directory.today() + timedelta(days=days)


def teacher_at(world: World, code: str, number: int = 1) -> Appointment:
    """A teacher of a school, appointed on the spot."""
    person, _made = Person.objects.get_or_create(
        email=f"t{number}-{code.lower()}@test.invalid", defaults={"name": f"T{number} Of{code}"}
    )
    return Appointment.objects.get_or_create(
        person=person, role=Role.TEACHER, school=world.schools[code], defaults={"starts": FORMED}
    )[0]


def draft(world: World, **changes: Any) -> actions.Draft:
    given: dict[str, Any] = {
        "title": TITLE,
        "about": Consultation.About.IMPLEMENTATION,
        "policy": "Every class reads for an hour a day.",
        "area": world.areas["North"],
        "audience": Consultation.Audience.BOTH,
        "mode": Consultation.Mode.ANONYMOUS,
        "slices": ["role", "area"],
        "closes": in_days(14),
        "answer_due": in_days(30),
        "stakeholder": world.person("minister"),
        "moderator": world.person("analyst"),
        "questions": QUESTIONS,
    }
    return actions.Draft(**given | changes)


def a_consultation(
    world: World, *, state: str = "open", by: str = "district_officer", teachers: int = 10,
    answers: int = 6, **changes: Any,
) -> Consultation:  # fmt: skip
    """A consultation of North county in a state: "draft", "open", "closed" or "withdrawn".

    `teachers` are appointed besides, half in Upper district and half in Lower, so that enough
    people are asked; a closed one has `answers` with own words.
    """
    for number in range(teachers):
        teacher_at(world, ("N2", "L1")[number % 2], number)
    made = actions.write(draft(world, **changes), by=world.cast[by])
    if state == "draft":
        return made
    made = actions.open_up(made, by=world.cast[by], seen=None)
    if state == "open":
        return made
    if state == "withdrawn":
        return actions.withdraw(made, by=world.cast[by], seen=None, why="It comes too early.")
    answered_by(made, answers)
    return closed(made)


def closed(consultation: Consultation) -> Consultation:
    """The same, counted on the day it closes."""
    with mock.patch.object(directory, "today", return_value=consultation.closes):
        return timing.close_when_over(consultation)


def appointment_of(eligible: Eligible) -> Appointment:
    held = directory.live_appointments(eligible.person)
    found = next((each for each in held if each.school_id is not None), None)
    assert found is not None
    return found


def answered_by(consultation: Consultation, n: int, text: str = "More books, please.") -> None:
    """Let the next `n` people who were asked answer all questions."""
    rows = Eligible.objects.filter(consultation=consultation, answered=False).order_by("pk")
    for number, each in enumerate(rows.select_related("person")[:n]):
        answer(consultation, appointment_of(each), number, f"{text} ({number})" if text else "")


def answer(consultation: Consultation, by: Appointment, number: int = 3, text: str = "") -> None:
    """One answer: the `number`th option of each question (turning over), and own words."""
    given = given_for(consultation, number, text)
    mine = Eligible.objects.get(consultation=consultation, person=by.person)
    answering.answer(consultation, given, answering.token_of(mine, consultation), by=by)


def given_for(consultation: Consultation, number: int, text: str = "") -> answering.Given:
    options, texts = {}, {}
    for each in consultation.questions.all():
        if each.kind == Kind.TEXT:
            texts[each.pk] = text
        else:
            choices = ["1", "2", "3", "4", "5"] if each.kind == Kind.SCALE else each.options
            options[each.pk] = choices[number % len(choices)]
    return answering.Given(options, texts)
