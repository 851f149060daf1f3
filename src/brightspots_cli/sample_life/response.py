"""Answers and suggestions of the sample: one answer, one that is overdue, a box of suggestions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.accountability.models import Consultation, SuggestionSettings
    from brightspots_web.directory.models import Appointment

INVENTED = "(Invented.)"
POINTS = (
    ("The change came faster than the books.", "Forty books for each class come this term.", ""),
    (
        "Give us one afternoon to plan it together.",
        "",
        "Buses leave at two, and a later run was not to be had. We ask again in spring.",
    ),
)
THANKS = "Thank you for speaking plainly. Two things weighed most: here is what became of both."
SUGGESTIONS = (
    "Let the list of repairs be seen, so that nobody asks for the same roof three times.",
    "One day a term on which no report is due.",
    "Pay the bus for teachers who visit another school.",
    "Send the circulars once a week, in one message.",
    "Let teachers swap a week with one of another school.",
    "The inspector of last week is of no use to anybody.",
)
OFF = "about one person, who could be known"


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Moderate and answer what was asked, and fill the box of the officer's area."""
    from django.db import transaction

    with transaction.atomic():  # one wait for the disk instead of a hundred
        _consultations()
        _box(rng, cast)


def _consultations() -> None:
    """Let what is not overdue yet be answered; what is overdue stays so."""
    from brightspots_web.accountability import voice_queries
    from brightspots_web.directory import queries

    for each in voice_queries.owed_an_answer():
        _moderate(each)
        if each.answer_due >= queries.today():
            _answer(each)


def _moderate(consultation: Consultation) -> None:
    from brightspots_web.accountability import response_actions, voice_queries
    from brightspots_web.accountability import response_queries as queries

    able = [each for each in voice_queries.who_moderate() if queries.moderates(each, consultation)]
    comments = voice_queries.comments_of(consultation).select_related("question__consultation")
    for comment in comments if able else []:
        response_actions.show(comment, by=able[0])


def _answer(consultation: Consultation) -> None:
    from brightspots_web.accountability import response_actions as actions
    from brightspots_web.accountability import response_queries as queries
    from brightspots_web.directory import queries as directory

    person = consultation.stakeholder
    held = directory.live_appointments(person) if person is not None else []
    by = next((each for each in held if queries.may_answer(each, consultation)), None)
    if by is None:
        return
    for said, did, could_not in POINTS:
        actions.add_point(
            consultation, by=by, seen=None, said=f"{said} {INVENTED}",
            did=did and f"{did} {INVENTED}", could_not=could_not and f"{could_not} {INVENTED}",
        )  # fmt: skip
    actions.send(consultation, by=by, seen=None, words=f"{THANKS} {INVENTED}")


def _box(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Six suggestions: one answered, one overdue, three owed an answer, one withheld."""
    from brightspots_web.accountability import suggestion_actions as actions
    from brightspots_web.accountability import suggestion_queries as queries
    from brightspots_web.directory import queries as directory

    officer, analyst = cast["officer"], cast["analyst"]
    if officer.area is None:
        return
    box = actions.set_box(
        officer.area, by=officer, seen=None,
        stakeholder=officer.person, moderator=analyst.person, answer_days=30,
    )  # fmt: skip
    _put_in(rng, box)
    if not actions.release(box, by=analyst):
        return
    rows = {each.words.removesuffix(f" {INVENTED}"): each for each in queries.of_box(box)}
    for words in SUGGESTIONS[:-1]:
        actions.show(rows[words], by=analyst)
    actions.withhold(rows[SUGGESTIONS[-1]], by=analyst, reason="identifies", words=OFF)
    actions.answer(
        rows[SUGGESTIONS[3]], by=officer, could_not="",
        did=f"From Monday there is one message, on Fridays. {INVENTED}",
    )  # fmt: skip
    today = directory.today()
    for row in rows.values():
        actions.date_back(
            row, by=officer, released_on=today - timedelta(days=20),
            answer_due=today + timedelta(days=10),
        )  # fmt: skip
    actions.date_back(
        rows[SUGGESTIONS[0]], by=officer,
        released_on=today - timedelta(days=40), answer_due=today - timedelta(days=10),
    )  # fmt: skip


def _put_in(rng: random.Random, box: SuggestionSettings) -> None:
    from brightspots_web.accountability import suggestion_actions as actions
    from brightspots_web.directory import queries as directory

    near = directory.heads().filter(school__area__path__startswith=box.area.path)
    heads = {each.person_id: each for each in near.order_by("pk")}
    chosen = list(heads.values())
    rng.shuffle(chosen)
    for by, words in zip(chosen, SUGGESTIONS, strict=False):
        actions.put_in(box, f"{words} {INVENTED}", by=by, used=None)
