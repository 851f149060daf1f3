"""Who may read what was written before it is shown: nobody of the line it was written in."""

from brightspots_web.accountability.models import Consultation, SuggestionSettings
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.shared.permissions import Capability, may


def may_moderate(by: Appointment | None, consultation: Consultation) -> bool:
    """Whether an office lets somebody moderate a consultation.

    They hold a role that moderates, and are neither who opened it, nor who owes the answer, nor
    over or within the area that is asked.
    """
    named = {consultation.opener_id, consultation.stakeholder_id}
    return _outside(by, consultation.area, named)


def may_moderate_box(by: Appointment | None, box: SuggestionSettings) -> bool:
    """The same for the box of suggestions of an area."""
    return _outside(by, box.area, {box.stakeholder_id})


def _outside(by: Appointment | None, asked: Area, named: set[int | None]) -> bool:
    if by is None or not may(by, Capability.MODERATE_VOICE) or by.person_id in named:
        return False
    return not _of_the_line(by.area, asked)


def _of_the_line(area: Area | None, asked: Area) -> bool:
    return area is not None and (
        area.path.startswith(asked.path) or asked.path.startswith(area.path)
    )
