"""How many schools are in an analysis and cannot be shown, as comparisons have to say."""

from brightspots_web.insight import disclosure
from brightspots_web.insight.models import Estimate, Run


def schools_withheld(subject: str, run: Run) -> int:
    """Schools with yearly figures of an outcome, none of which may be shown."""
    has = Estimate.objects.filter(run=run, subject=subject, year__isnull=False).order_by()
    shown = has.filter(disclosure.shown_across())
    return has.exclude(school__in=shown.values("school")).values("school").distinct().count()
