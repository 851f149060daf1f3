"""What the other parts of pace know and a plan uses: stages agreed, shares of the pulse."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Area
from brightspots_web.pace import stage_queries


@dataclass(frozen=True)
class Felt:
    """What the pulse of an area said in a term; only where enough people answered to show it."""

    abandoned: float
    """Share of the answers, 0 to 1."""
    held_back: float
    answers: int


def stages(areas: Sequence[Area]) -> Mapping[int, int]:
    """Key of the area -> its lowest stage, 1 to 4, each strand as it was agreed last.

    Responsibility cannot be held before the last strand is there, so the lowest counts. Areas that
    have agreed on nothing are left out.
    """
    cycles = record_queries.cycles()
    begins = {each.pk: each.starts for each in cycles}
    found: dict[int, dict[str, int]] = {}
    said = stage_queries.area_stages(areas, cycles)
    for each in sorted(said, key=lambda one: begins[one.cycle]):
        found.setdefault(each.area, {}).update(each.agreed)
    return {area: min(agreed.values()) for area, agreed in found.items() if agreed}


Pulse = Callable[[Sequence[Area], date, date], Mapping[int, Felt]]
"""Areas, first day, day after the last -> key of the area -> what was said."""

_pulse: list[Pulse] = []


def register_pulse(source: Pulse) -> Pulse:
    """Take shares of the pulse from here; the part of the pulse says how."""
    _pulse[:] = [source]
    return source


def pulse(areas: Sequence[Area], since: date, until: date) -> Mapping[int, Felt]:
    """What the pulse said in these days, by area; {} where it is not asked."""
    return _pulse[0](areas, since, until) if _pulse else {}
