"""Whom the pulse is told to: always everybody who is asked, whether they answered or not.

In a nation they may be a million: they are told some thousands at a time.
"""

from collections.abc import Sequence

from brightspots_web.accountability import voice_queries as voice
from brightspots_web.directory import people_queries as people
from brightspots_web.notices import actions as notices
from brightspots_web.pace.models import PulseTerm

AT_ONCE = 5000


def opened(term: PulseTerm) -> int:
    return _tell(_asked(term), "opened", term)


def reminder(term: PulseTerm) -> int:
    return _tell(_asked(term), "reminder", term)


def counted(term: PulseTerm, asked: Sequence[int]) -> int:
    few = term.consultation is None or term.consultation.answers is None or term.too_alike
    return _tell(asked, "few" if few else "results", term)


def _asked(term: PulseTerm) -> list[int]:
    assert term.consultation is not None
    return list(voice.people_asked(term.consultation).values_list("pk", flat=True))


def _tell(keys: Sequence[int], kind: str, term: PulseTerm) -> int:
    data = {"term": term.pk, "day": term.closes.isoformat()}
    return sum(
        notices.notify(
            people.active(keys[at : at + AT_ONCE]), f"pace.pulse_{kind}", data,
            key=f"pulse-{term.pk}",
        )
        for at in range(0, len(keys), AT_ONCE)
    )  # fmt: skip
