"""What really happened under an adopted plan, as far as the system knows it by itself.

Leaders in office on the first day of each term; the term in which an area began, as somebody wrote
it down; shares of the pulse, once that part gives them. Where nobody wrote down when an area began,
it counts as begun as planned, and pages say so.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from brightspots_web.directory import queries as directory
from brightspots_web.pace import plan_calendar as calendar
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_sources as sources
from brightspots_web.pace.plan_models import PlanRollout, PlanStart, PlanStudy


def terms_begun(study: PlanStudy, on: date | None = None) -> int:
    """How many terms have begun by a day."""
    return max(0, calendar.term_of(study, on or directory.today()))


def rows(rollout: PlanRollout, on: date | None = None) -> list[dict[str, Any]]:
    """Area by area and term by term, leaders from the second term on: at the first none differ.

    Terms that have narrowed the ranges of the plan already are left out.
    """
    today = on or directory.today()
    study = rollout.result.study
    last = min(terms_begun(study, today), study.terms + study.settle)
    areas = queries.areas_in(rollout)
    starts = queries.starts_of(rollout)
    found = []
    for term in range(queries.used_up_to(rollout.result) + 1, last + 1):
        first, after = calendar.first_day(study, term), calendar.first_day(study, term + 1)
        leaders = queries.leaders_at(first)
        felt = sources.pulse(areas, first, after) if after <= today else {}
        for area in areas:
            said = felt.get(area.pk)
            row = {
                "area": str(area.pk),
                "term": term,
                "leaders": queries.below(area, leaders) if term > 1 else None,
                "abandoned": said.abandoned if said else None,
                "held_back": said.held_back if said else None,
                "answers": said.answers if said else None,
                "started": began_in(study, starts.get(area.pk)),
            }
            if row["leaders"] is not None or said:
                found.append(row)
    return found


def began_in(study: PlanStudy, start: PlanStart | None) -> str:
    """A term, "no" for not yet, or "" where nobody wrote it down."""
    if start is None:
        return ""
    if start.began is None:
        return "no"
    term = max(1, calendar.term_of(study, start.began))
    return str(term) if term <= study.terms + study.settle else "no"


def tells_something(observed: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there is anything to compare."""
    return bool(observed)
