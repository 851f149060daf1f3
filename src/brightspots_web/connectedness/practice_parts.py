"""Parts of a practice's page that apps above this one add; each registers its own in `ready`.

As `page_parts` does for the page of a partnership (docs/decisions/0024).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brightspots_web.connectedness.models import Practice
from brightspots_web.directory.models import Appointment


@dataclass(frozen=True)
class Part:
    """A template, and what it needs under the name `part`."""

    template: str
    part: dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """The practice whose page is shown, as apps above need to know it."""

    pk: int
    code: str
    title: str
    school: int


Make = Callable[[Shown, Appointment | None], Part | None]
"""None where there is nothing for this reader."""

_MAKE: dict[str, tuple[int, Make]] = {}


def register(name: str, *, place: int) -> Callable[[Make], Make]:
    """Decorate the function that makes a part; parts stand in the order of their places."""

    def keep(make: Make) -> Make:
        _MAKE[name] = (place, make)
        return make

    return keep


def parts(practice: Practice, acting: Appointment | None) -> list[Part]:
    """The parts for this reader; the caller has checked who opens the page."""
    shown = Shown(practice.pk, practice.code, practice.title, practice.school_id)
    in_order = sorted(_MAKE.items(), key=lambda each: (each[1][0], each[0]))
    made = [make(shown, acting) for _name, (_place, make) in in_order]
    return [each for each in made if each is not None]
