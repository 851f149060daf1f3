"""What waits for a leader, at the top of the partnership's page: it is their front page."""

from brightspots_web.connectedness import page_parts
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.home.waiting import waiting_for


@page_parts.register("waiting", place=-100)
def waiting(found: Partnership, acting: Appointment | None) -> page_parts.Part | None:
    """For the partnership's own leader; the others have it on the page of their school."""
    if acting is None or acting.partnership_id != found.pk:
        return None
    return page_parts.Part("home/waiting_part.html", {"waiting": waiting_for(acting)})
