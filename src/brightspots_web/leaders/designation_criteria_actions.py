"""What is asked of leaders is set by the ministry."""

from dataclasses import asdict, dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import designation_criteria_queries as queries
from brightspots_web.leaders.models import Criteria
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

RANGES = {
    "years_as_head": (0, 20),
    "years_to_stay": (0, 10),
    "years_of_results": (0, 10),
    "term_years": (1, 10),
    "panel_size": (1, 9),
    "days": (1, 220),
    "few_per_schools": (1, 100),
}


@dataclass(frozen=True)
class Wanted:
    """The criteria as the ministry wants them; 0 or False: it is not asked."""

    years_as_head: int
    years_to_stay: int
    years_of_results: int
    governors: bool
    director: bool
    term_years: int
    panel_size: int
    days: int
    few_per_schools: int


@transaction.atomic
def change_criteria(wanted: Wanted, *, by: Appointment, seen: int | None) -> Criteria:
    """Set what is asked from now on. Applications handed in keep what was asked of them.

    Raises
    ------
    OvertakenError
        Somebody else changed the criteria since the page was opened.
    ValidationError
        A number out of its range.
    """
    if not may(by, Capability.SET_LEADERS):
        raise PermissionDenied
    audit.one_at_a_time()
    found = queries.current_criteria()
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "{who} changed the criteria since you opened this page. What you wrote is still "
                "here and was not saved: look at what holds now, then save yours if it still fits."
            ).format(who=found.changed_by)
        )
    problems = {
        name: _("Choose between {low} and {high}.").format(low=low, high=high)
        for name, (low, high) in RANGES.items()
        if not low <= getattr(wanted, name) <= high
    }
    if problems:
        raise ValidationError(problems)
    before = {name: getattr(found, name) for name in asdict(wanted)}
    if found.pk and before == asdict(wanted):
        return found
    for name, value in asdict(wanted).items():
        setattr(found, name, value)
    found.version += 1
    found.changed_by, found.changed_at = by.label[:300], timezone.now()
    found.save()
    audit.record(
        "leaders.change_criteria", by=by, target=found,
        detail={"before": before, "after": asdict(wanted)},
    )  # fmt: skip
    return found
