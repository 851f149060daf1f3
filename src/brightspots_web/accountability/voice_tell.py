"""Whom the events of a consultation are told to: always everybody who is asked.

Nobody is told because they did or did not answer: that would be a trace of it.
"""

from collections.abc import Iterable

from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability.models import Consultation
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Person
from brightspots_web.notices import actions as notices

REMIND_AT = (7, 1)
"""So many days before it closes everybody asked is reminded."""


def opened(consultation: Consultation) -> None:
    _tell(queries.people_asked(consultation), "opened", consultation)
    _tell(filter(None, [consultation.stakeholder]), "owes", consultation)
    _tell(filter(None, [consultation.moderator]), "moderates", consultation)


def reminder(consultation: Consultation) -> int:
    return _tell(queries.people_asked(consultation), "reminder", consultation)


def counted(consultation: Consultation, asked: Iterable[Person]) -> None:
    """Everybody asked hears that it is counted, whoever owes the answer and whoever moderates."""
    kind = "few" if consultation.answers is None else "results"
    _tell(asked, kind, consultation)
    if consultation.answers is not None:
        _tell(filter(None, [consultation.stakeholder]), "answer_due", consultation)
        _tell(filter(None, [consultation.moderator]), "to_read", consultation)


def withdrawn(consultation: Consultation) -> None:
    _tell(queries.people_asked(consultation), "withdrawn", consultation)


def key_lost(consultation: Consultation) -> None:
    _tell(filter(None, [consultation.opener]), "key_lost", consultation)


def due(consultation: Consultation) -> int | None:
    """Which reminder is to be sent today: so many days before it closes; None where none is."""
    left = (consultation.closes - directory.today()).days
    sent = int(consultation.reminded or 1000)
    found = [days for days in REMIND_AT if left <= days < sent]
    return min(found) if found and left > 0 else None


def not_at_once(consultation: Consultation) -> str:
    """What counts as sent on opening: nobody is reminded of what they hear today."""
    days = due(consultation)
    return str(days) if days is not None else ""


def _tell(people: Iterable[Person], kind: str, consultation: Consultation) -> int:
    data = {"consultation": consultation.pk, "title": consultation.title}
    if kind in {"opened", "reminder", "answer_due"}:
        on = consultation.answer_due if kind == "answer_due" else consultation.closes
        data["day"] = on.isoformat()
    return notices.notify(
        people, f"accountability.voice_{kind}", data, key=f"voice-{consultation.pk}"
    )
