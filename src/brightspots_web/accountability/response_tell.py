"""Whom moderation and answers are told to: of an answer everybody who was asked hears."""

from collections.abc import Iterable

from brightspots_web.accountability import response_queries as queries
from brightspots_web.accountability import suggestion_queries as boxes
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Consultation, SuggestionSettings
from brightspots_web.directory.models import Person
from brightspots_web.notices import actions as notices


def much_withheld(consultation: Consultation) -> int:
    return notices.notify(
        queries.others_outside(consultation),
        "accountability.response_withheld",
        {"consultation": consultation.pk, "title": consultation.title},
        key=f"withheld-{consultation.pk}",
    )


def answered(consultation: Consultation) -> int:
    return notices.notify(
        voice.people_of_area(consultation),
        "accountability.response_answered",
        {"consultation": consultation.pk, "title": consultation.title},
        key=f"answered-{consultation.pk}",
    )


def overdue(consultation: Consultation) -> int:
    return notices.notify(
        filter(None, [consultation.stakeholder]),
        "accountability.response_overdue",
        {"consultation": consultation.pk, "title": consultation.title},
        key=f"overdue-{consultation.pk}",
    )


def released(box: SuggestionSettings, n: int) -> int:
    return _of_box(filter(None, [box.moderator]), "released", box, n)


def box_withheld(box: SuggestionSettings) -> int:
    return _of_box(boxes.others_outside(box), "box_withheld", box)


def suggestion_shown(box: SuggestionSettings) -> int:
    return _of_box(filter(None, [box.stakeholder]), "suggested", box)


def suggestion_answered(box: SuggestionSettings) -> int:
    return _of_box(boxes.people_of(box), "box_answered", box)


def _of_box(people: Iterable[Person], kind: str, box: SuggestionSettings, n: int = 0) -> int:
    data = {"area": box.area.name, "box": box.pk, "n": n}
    return notices.notify(people, f"accountability.response_{kind}", data, key=f"box-{box.pk}")
