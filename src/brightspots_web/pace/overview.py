"""The parts of pace on one page, and what of it waits for the person who looks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brightspots_web.directory.models import Appointment
from brightspots_web.pace import (
    plan_pages,
    power_pages,
    pulse_pages,
    stage_pages,
)

Card = Mapping[str, Any]
"""{"heading", "text", "url", "link"}."""
Item = Mapping[str, str]
"""{"text", "url", "link"}."""

CARDS: Sequence[Callable[[Appointment | None], Card | None]] = (
    stage_pages.home_card,
    power_pages.home_card,
    pulse_pages.home_card,
    plan_pages.home_card,
)
ITEMS: Sequence[Callable[[Appointment | None], Sequence[Item]]] = (
    stage_pages.front_items,
    power_pages.front_items,
    pulse_pages.front_items,
    plan_pages.front_items,
)


def parts(acting: Appointment | None) -> list[Card]:
    """The parts that this person reads."""
    return [card for card in (make(acting) for make in CARDS) if card is not None]


def waiting(acting: Appointment | None) -> list[Item]:
    """What waits for this person."""
    return [item for make in ITEMS for item in make(acting)]
