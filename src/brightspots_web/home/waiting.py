"""What waits for the person who looks, from every part of the system, on their front page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from brightspots_web.accountability import overview
from brightspots_web.alignment import ballot_pages
from brightspots_web.devolution import decision_pages, meeting_pages, note_pages
from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import overview as evidence
from brightspots_web.leaders import designation_pages, profile_pages
from brightspots_web.pace import overview as pace
from brightspots_web.pace import pulse_pages


@dataclass(frozen=True)
class Waiting:
    """One thing to do or to know: a few words, where to do it."""

    text: str
    url: str
    link: str


def waiting_for(acting: Appointment | None) -> list[Waiting]:
    """What a person can do now, the nearest first; empty where nothing waits."""
    return list(_all(acting)) if acting is not None else []


def overdue(acting: Appointment | None) -> list[Waiting]:
    """Answers and commitments owed whose day has passed: in front of the top itself."""
    return [_of(card) for card in overview.overdue(acting)]


def _all(acting: Appointment) -> Iterator[Waiting]:
    yield from _meeting(acting)
    for each in pulse_pages.front_items(acting):  # early: it takes a moment, and closes soon
        yield Waiting(each["text"], each["url"], each["link"])
    vote = ballot_pages.front_card(acting)
    if vote is not None:
        yield Waiting(vote.text, vote.url, vote.link)
    decisions = decision_pages.front_card(acting)
    for item in decisions["items"] if decisions else ():
        yield Waiting(item.label, item.url, _("Look at it"))
    notes = note_pages.front_card(acting)
    if notes is not None and notes.waiting:
        yield Waiting(notes.waiting, notes.list_url, _("See them"))
    for card in (designation_pages.front_card(acting), profile_pages.front_card(acting)):
        if card is not None:
            yield _of(card)
    further = (evidence.waiting(acting), pace.waiting_besides(acting))
    for each in (*overview.waiting(acting), *(item for part in further for item in part)):
        yield Waiting(each["text"], each["url"], each["link"])


def _meeting(acting: Appointment) -> Iterator[Waiting]:
    meeting = meeting_pages.front_card(acting)
    if meeting is None:
        return
    if meeting["code_url"]:
        yield Waiting(meeting["heading"], meeting["code_url"], _("Type the code of the room"))
    yield _of(meeting)


def _of(card: Mapping[str, Any]) -> Waiting:
    text = f"{card['heading']}. {card['text']}" if card["text"] else card["heading"]
    return Waiting(text, card["url"], card["link"])
