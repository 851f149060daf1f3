"""What evaluations found, on the page of the practice."""

from brightspots_web.connectedness import practice_parts
from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import evaluation_list_pages as lists
from brightspots_web.evidence import evaluation_queries as queries


@practice_parts.register("evaluations", place=10)
def evaluations(
    shown: practice_parts.Shown, acting: Appointment | None
) -> practice_parts.Part | None:
    """Every evaluation of the practice, those that found nothing as well; none: nothing is said."""
    found = queries.of_practice(shown.pk)
    if not found or acting is None:
        return None
    table = lists.of_practice(acting, found)
    return practice_parts.Part("evidence/evaluation/_of_practice.html", {"table": table})
