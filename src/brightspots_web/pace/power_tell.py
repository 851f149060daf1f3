"""Whom the events of readiness and powers are told to."""

from collections.abc import Iterable

from brightspots_web.directory.models import Appointment, Person
from brightspots_web.notices import actions as notices
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import GateCheck, PowerTransfer
from brightspots_web.pace.stage_place_queries import Place


def handing(
    row: GateCheck | PowerTransfer, event: str, *, by: Appointment | None = None
) -> int:  # fmt: skip
    """Who hands powers to the place."""
    place = places.of(row)
    return _tell(places.handing(place), place, row, event, by)


def answering(
    row: GateCheck | PowerTransfer, event: str, *, by: Appointment | None = None
) -> int:  # fmt: skip
    """Who answers for the place."""
    place = places.of(row)
    return _tell(places.answering(place), place, row, event, by)


def everybody(
    row: GateCheck | PowerTransfer, event: str, *, by: Appointment | None = None
) -> int:  # fmt: skip
    """Everybody with a seat there, and who answers for it."""
    place = places.of(row)
    them = [*places.people_in(places.seats(place)), *places.answering(place)]
    return _tell(them, place, row, event, by)


def waits(place: Place, row: GateCheck) -> int:
    """Who hands powers over is told of a place that has been ready for long."""
    return _tell(places.handing(place), place, row, "waits", None)


def _tell(
    them: Iterable[Person],
    place: Place,
    row: GateCheck | PowerTransfer,
    event: str,
    by: Appointment | None,
) -> int:
    data = {
        "kind": place.kind,
        "place": place.pk,
        "name": place.name,
        "power": getattr(row, "power", ""),
    }
    others = [each for each in them if by is None or each.pk != by.person_id]
    key = f"power:{event}:{type(row).__name__}:{row.pk}"
    return notices.notify(others, f"pace.power_{event}", data, key=key)
