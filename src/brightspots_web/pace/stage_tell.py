"""Whom the events of stages are told to. No notice carries what somebody rated or wrote."""

from collections.abc import Iterable

from brightspots_web.directory.models import Appointment, Person
from brightspots_web.notices import actions as notices
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import StageRound
from brightspots_web.pace.stage_place_queries import Seat


def seats(
    found: StageRound, event: str, chosen: Iterable[Seat] | None = None,
    *, by: Appointment | None = None,
) -> int:  # fmt: skip
    """Everybody with a seat, or those of some seats; not whoever did it."""
    place = places.of(found)
    them = places.people_in(places.seats(place) if chosen is None else chosen)
    return _tell(them, found, event, by)


def answering(found: StageRound, event: str, *, by: Appointment | None = None) -> int:
    """Who answers for the place."""
    return _tell(places.answering(places.of(found)), found, event, by)


def _tell(them: Iterable[Person], found: StageRound, event: str, by: Appointment | None) -> int:
    place = places.of(found)
    data = {
        "kind": place.kind,
        "place": place.pk,
        "name": place.name,
        "cycle": found.cycle.name,
        "closes": found.closes_on.isoformat(),
    }
    others = [each for each in them if by is None or each.pk != by.person_id]
    return notices.notify(others, f"pace.stage_{event}", data, key=f"stage:{event}:{found.pk}")
