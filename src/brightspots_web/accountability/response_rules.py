"""Who may read what was written before it is shown: nobody of the line it was written in."""

from collections.abc import Iterable, Mapping, Sequence

from brightspots_web.accountability.models import Consultation, SuggestionSettings
from brightspots_web.directory import office_queries as offices
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.shared.permissions import Capability, Role, may

EVERYWHERE = ""
"""The path above all others: whoever heads the ministry is over every area."""
Places = Mapping[int, Sequence[str]]
"""Of a person's key: the paths of the areas in which they hold an office today, whatever office."""


def places_of(held: Iterable[Appointment]) -> Places:
    """Where people stand with all their offices: with one of them somebody is of the line."""
    people = {each.person_id for each in held}
    rows = offices.in_office(person__in=people).values_list(
        "person", "role", "area__path", "school__area__path", "partnership__lead_school__area__path"
    )
    found: dict[int, list[str]] = {person: [] for person in people}
    for person, role, *paths in rows:
        found[person] += [path for path in paths if path]
        if role == Role.MINISTER:
            found[person].append(EVERYWHERE)
    return found


def may_moderate(
    by: Appointment | None, consultation: Consultation, places: Places | None = None
) -> bool:
    """Whether an office lets somebody moderate a consultation.

    They hold a role that moderates, and are neither who opened it, nor who owes the answer, nor
    over or within the area that is asked, with this office or with any other.

    Parameters
    ----------
    places
        From :func:`places_of`, where many are looked at.
    """
    named = {consultation.opener_id, consultation.stakeholder_id}
    return _outside(by, consultation.area, named, places)


def may_moderate_box(
    by: Appointment | None, box: SuggestionSettings, places: Places | None = None
) -> bool:
    """The same for the box of suggestions of an area."""
    return _outside(by, box.area, {box.stakeholder_id}, places)


def _outside(
    by: Appointment | None, asked: Area, named: set[int | None], places: Places | None
) -> bool:
    if by is None or not may(by, Capability.MODERATE_VOICE) or by.person_id in named:
        return False
    if places is None:
        places = places_of([by])
    own = [by.area.path] if by.area is not None else []
    return not any(_of_the_line(path, asked) for path in [*own, *places.get(by.person_id, ())])


def _of_the_line(path: str, asked: Area) -> bool:
    return path.startswith(asked.path) or asked.path.startswith(path)
