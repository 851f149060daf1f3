"""Whom the events of dialogues and of promises are told to."""

from collections.abc import Iterable

from brightspots_web.accountability import dialogue_queries as queries
from brightspots_web.accountability import voice_queries
from brightspots_web.accountability.models import Commitment, Dialogue
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.notices import actions as notices


def people(
    them: Iterable[Person], dialogue: Dialogue, event: str, *, by: Appointment | None = None
) -> None:
    data = {
        "dialogue": dialogue.pk,
        "title": dialogue.title,
        "on": dialogue.on.isoformat(),
    }
    _tell(them, event, data, f"dialogue:{event}:{dialogue.pk}", by)


def everybody(dialogue: Dialogue, event: str, *, by: Appointment | None = None) -> None:
    people(queries.told_of(dialogue), dialogue, event, by=by)


def stakeholder(dialogue: Dialogue, event: str, *, by: Appointment | None = None) -> None:
    people([dialogue.stakeholder] if dialogue.stakeholder else [], dialogue, event, by=by)


def owner(commitment: Commitment, event: str, *, by: Appointment | None = None) -> None:
    _promise([commitment.owner] if commitment.owner else [], commitment, event, by)


def seniors(commitment: Commitment, event: str) -> None:
    """Whoever could own it: the ministry, and the officers of its area."""
    _promise(queries.owners(queries.area_of(commitment)), commitment, event, None)


def who_was_there(commitment: Commitment, event: str, *, by: Appointment | None = None) -> None:
    """The guests of the dialogue in which it was given, and its owner."""
    them = queries.told_of(commitment.dialogue) if commitment.dialogue else []
    _promise([*them, *([commitment.owner] if commitment.owner else [])], commitment, event, by)


def ended(commitment: Commitment, event: str, *, by: Appointment) -> None:
    """How it ended reaches whoever heard it promised: of an answer, everybody who is asked."""
    who_was_there(commitment, event, by=by)
    given = commitment.consultation
    if given is not None:
        asked = voice_queries.people_of_area(given)
        others = [each for each in asked if each.pk != commitment.owner_id]  # who was told above
        _promise(others, commitment, event, by)


def _promise(
    them: Iterable[Person], commitment: Commitment, event: str, by: Appointment | None
) -> None:
    data = {
        "commitment": commitment.pk,
        "what": commitment.what,
        "due": commitment.due.isoformat(),
    }
    _tell(them, event, data, f"commitment:{event}:{commitment.pk}", by)


def _tell(
    them: Iterable[Person], event: str, data: dict[str, object], key: str, by: Appointment | None
) -> None:
    others = [each for each in them if by is None or each.pk != by.person_id]
    notices.notify(others, f"accountability.dialogue_{event}", data, key=key)
