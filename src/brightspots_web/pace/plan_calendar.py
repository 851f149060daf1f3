"""Terms of a plan and days: counted in whole months from the first day."""

from calendar import monthrange
from datetime import date

from brightspots_web.pace.plan_models import PlanStudy


def first_day(study: PlanStudy, term: int) -> date:
    """On which a term begins; at a month's end where the month is too short."""
    months = study.first_day.month - 1 + (term - 1) * study.term_months
    year, month = study.first_day.year + months // 12, months % 12 + 1
    return date(year, month, min(study.first_day.day, monthrange(year, month)[1]))


def term_of(study: PlanStudy, day: date) -> int:
    """The term a day lies in; 0 and below before the first."""
    months = 12 * (day.year - study.first_day.year) + day.month - study.first_day.month
    term = months // study.term_months + 1
    # The day of the month decides: one term too late where that of the first day is not reached.
    return term if first_day(study, term) <= day else term - 1
