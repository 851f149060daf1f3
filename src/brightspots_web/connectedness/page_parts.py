"""Parts of a partnership's page that apps above this one add; each registers its own in `ready`.

The page stands here because everything else about partnerships does; what schools decide together,
say and do stands higher, and this app may not look up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brightspots_web.directory.models import Appointment, Partnership


@dataclass(frozen=True)
class Part:
    """A template, and what it needs under the name `part`."""

    template: str
    part: dict[str, Any]


Make = Callable[[Partnership, Appointment | None], Part | None]
"""None where there is nothing for this reader."""

_MAKE: dict[str, tuple[int, Make]] = {}


def register(name: str, *, place: int) -> Callable[[Make], Make]:
    """Decorate the function that makes a part; parts stand in the order of their places.

    Those below 0 stand above the figures of the page (what to do next), the others below them.
    """

    def keep(make: Make) -> Make:
        _MAKE[name] = (place, make)
        return make

    return keep


def parts(found: Partnership, acting: Appointment | None) -> tuple[list[Part], list[Part]]:
    """The parts above the figures and those below; the caller has checked who opens the page."""
    made = [(place, make(found, acting)) for place, make in sorted(_MAKE.values(), key=_place)]
    above = [part for place, part in made if part is not None and place < 0]
    return above, [part for place, part in made if part is not None and place >= 0]


def _place(each: tuple[int, Make]) -> int:
    return each[0]
