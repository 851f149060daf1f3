"""The parts of pace on one page, and what of it waits for the person who looks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment, Area
from brightspots_web.pace import (
    plan_pages,
    power_pages,
    pulse_pages,
    stage_pages,
)
from brightspots_web.pace import stage_place_queries as places

Card = Mapping[str, Any]
"""{"heading", "text", "url"}; of stages with a "badge"."""
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
    plan_pages.front_items,
)


def parts(acting: Appointment | None) -> list[Card]:
    """The parts that this person reads."""
    return [card for card in (make(acting) for make in CARDS) if card is not None]


def of_area(acting: Appointment | None, area: Area) -> list[Card]:
    """Stages, powers and the pulse of one area, for its page."""
    place = places.find(acting, places.AREA, area.pk)
    if place is None:
        return []
    cards: list[Card] = [
        {"heading": _("Its stages"), **stage_pages.summary(place)},
        {"heading": _("Readiness and powers"), **power_pages.summary(place)},
    ]
    pulse = pulse_pages.area_card(acting, area)
    return [*cards, pulse] if pulse is not None else cards


def waiting(acting: Appointment | None) -> list[Item]:
    """What waits for this person."""
    return [*pulse_pages.front_items(acting), *waiting_besides(acting)]


def waiting_besides(acting: Appointment | None) -> list[Item]:
    """The same without the pulse, which front pages have further up."""
    return [item for make in ITEMS for item in make(acting)]
