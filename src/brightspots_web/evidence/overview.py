"""The parts of evidence on one page, and what of it waits for the person who looks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import (
    choice_pages,
    evaluation_pages,
    record_pages,
)

Card = Mapping[str, Any]
"""{"heading", "text", "url", "link"}."""
Item = Mapping[str, str]
"""{"text", "url", "link"}."""

CARDS: Sequence[Callable[[Appointment | None], Card | None]] = (
    evaluation_pages.home_card,
    record_pages.home_card,
    choice_pages.home_card,
)
ITEMS: Sequence[Callable[[Appointment | None], Sequence[Item]]] = (
    evaluation_pages.front_items,
    record_pages.front_items,
    choice_pages.front_items,
)


def parts(acting: Appointment | None) -> list[Card]:
    """The parts that this person reads."""
    return [card for card in (make(acting) for make in CARDS) if card is not None]


def waiting(acting: Appointment | None) -> list[Item]:
    """What waits for this person."""
    return [item for make in ITEMS for item in make(acting)]
