"""Accountability in three directions on one page, and what of it waits for the person who looks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from brightspots_web.accountability import (
    ceremony_pages,
    ceremony_score_pages,
    challenge_pages,
    dialogue_pages,
    pledge_pages,
    response_pages,
    review_pages,
    shared_result_pages,
    visit_pages,
    voice_pages,
)
from brightspots_web.directory.models import Appointment

Card = Mapping[str, Any]
"""{"heading", "text", "url", "link"}."""
Item = Mapping[str, str]
"""{"text", "url", "link"}."""


@dataclass(frozen=True)
class Direction:
    """One direction: what it is about, and the places where it happens."""

    heading: str
    text: str
    cards: Sequence[Card]


def directions(acting: Appointment | None) -> list[Direction]:
    """The directions in which this person has a part, those between equals first."""
    found = [
        Direction(
            _("Between equals"),
            _("Schools promise, witness and look with each other, for all their pupils."),
            _cards(
                acting,
                pledge_pages.home_card,
                ceremony_pages.home_card,
                shared_result_pages.home_card,
                review_pages.home_card,
            ),
        ),
        Direction(
            _("From below"),
            _("Teachers and heads say how policy works, safely, and are owed an answer."),
            _cards(
                acting, voice_pages.home_card, response_pages.home_card, dialogue_pages.home_card
            ),
        ),
        Direction(
            _("From above"),
            _("Somebody from outside asks what a school is proud of and what it needs."),
            _cards(acting, challenge_pages.home_card),
        ),
    ]
    return [each for each in found if each.cards]


def _cards(
    acting: Appointment | None, *makers: Callable[[Appointment | None], Card | None]
) -> list[Card]:
    return [card for card in (make(acting) for make in makers) if card is not None]


def waiting(acting: Appointment | None) -> list[Item]:
    """What waits for this person in any direction."""
    makers: tuple[Callable[[Appointment | None], Sequence[Item]], ...] = (
        voice_pages.front_items,
        review_pages.front_items,
        visit_pages.front_items,
        pledge_pages.front_items,
        ceremony_score_pages.front_items,
        challenge_pages.front_items,
        response_pages.front_items,
        dialogue_pages.front_items,
    )
    return [item for make in makers for item in make(acting)]


def overdue(acting: Appointment | None) -> list[Card]:
    """What the top owes: answers and commitments whose day has passed, a look at what is hidden."""
    return _cards(
        acting,
        response_pages.overdue_card,
        response_pages.withheld_card,
        dialogue_pages.overdue_card,
    )
