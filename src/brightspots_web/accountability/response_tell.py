"""Whom moderation and answers are told to: of an answer everybody who was asked hears."""

from collections.abc import Iterable

from brightspots_web.accountability import response_queries as queries
from brightspots_web.accountability import suggestion_queries as boxes
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Consultation, SuggestionSettings
from brightspots_web.directory.models import Person
from brightspots_web.notices import actions as notices


def much_withheld(consultation: Consultation) -> int:
    return _to_others(consultation, "withheld")


def asked_again(consultation: Consultation) -> int:
    return _to_others(consultation, "again")


def unread(consultation: Consultation) -> int:
    return _to_others(consultation, "unread")


def _to_others(consultation: Consultation, kind: str) -> int:
    """Tell who may look again; where there is nobody, the ministry, which can appoint somebody."""
    others = queries.others_outside(consultation)
    if others:
        return _of(consultation, others, kind)
    return _of(consultation, voice.seniors(None), "nobody")


def answered(consultation: Consultation) -> int:
    return _of(consultation, voice.people_of_area(consultation), "answered")


def overdue(consultation: Consultation) -> int:
    return _of(consultation, filter(None, [consultation.stakeholder]), "overdue")


def _of(consultation: Consultation, people: Iterable[Person], kind: str) -> int:
    data = {"consultation": consultation.pk, "title": consultation.title}
    return _tell(people, kind, data, f"{kind}-{consultation.pk}")


def released(box: SuggestionSettings, n: int) -> int:
    return _of_box(filter(None, [box.moderator]), "released", box, n)


def box_withheld(box: SuggestionSettings) -> int:
    return _to_others_of_box(box, "box_withheld")


def box_asked_again(box: SuggestionSettings) -> int:
    return _to_others_of_box(box, "box_again")


def box_unread(box: SuggestionSettings) -> int:
    return _to_others_of_box(box, "box_unread")


def _to_others_of_box(box: SuggestionSettings, kind: str) -> int:
    others = boxes.others_outside(box)
    if others:
        return _of_box(others, kind, box)
    return _of_box(voice.seniors(None), "box_nobody", box)


def suggestion_shown(box: SuggestionSettings) -> int:
    return _of_box(filter(None, [box.stakeholder]), "suggested", box)


def suggestions_overdue(box: SuggestionSettings, n: int) -> int:
    return _of_box(filter(None, [box.stakeholder]), "box_overdue", box, n)


def suggestion_answered(box: SuggestionSettings) -> int:
    return _of_box(boxes.people_of(box), "box_answered", box)


def _of_box(people: Iterable[Person], kind: str, box: SuggestionSettings, n: int = 0) -> int:
    return _tell(people, kind, {"area": box.area.name, "box": box.pk, "n": n}, f"box-{box.pk}")


def _tell(people: Iterable[Person], kind: str, data: dict[str, object], key: str) -> int:
    return notices.notify(people, f"accountability.response_{kind}", data, key=key)
