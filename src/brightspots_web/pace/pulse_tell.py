"""Whom the pulse is told to: always everybody who is asked, whether they answered or not."""

from collections.abc import Iterable

from brightspots_web.accountability import voice_queries as voice
from brightspots_web.directory.models import Person
from brightspots_web.notices import actions as notices
from brightspots_web.pace.models import PulseTerm


def opened(term: PulseTerm) -> int:
    return _tell(_asked(term), "opened", term)


def reminder(term: PulseTerm) -> int:
    return _tell(_asked(term), "reminder", term)


def counted(term: PulseTerm, asked: Iterable[Person]) -> int:
    few = term.consultation is None or term.consultation.answers is None or term.too_alike
    return _tell(asked, "few" if few else "results", term)


def _asked(term: PulseTerm) -> Iterable[Person]:
    assert term.consultation is not None
    return voice.people_asked(term.consultation)


def _tell(people: Iterable[Person], kind: str, term: PulseTerm) -> int:
    data = {"term": term.pk, "day": term.closes.isoformat()}
    return notices.notify(people, f"pace.pulse_{kind}", data, key=f"pulse-{term.pk}")
