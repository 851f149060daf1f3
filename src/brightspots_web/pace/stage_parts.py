"""What a partnership's page says of its stages and powers, to everybody who opens it."""

from brightspots_web.connectedness import page_parts
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.pace import power_pages, stage_pages
from brightspots_web.pace import stage_place_queries as places


@page_parts.register("pace", place=40)
def pace(found: Partnership, acting: Appointment | None) -> page_parts.Part | None:
    """How its round of this cycle stands, what it agreed on, and what it holds."""
    place = places.find(acting, places.PARTNERSHIP, found.pk)
    if place is None:
        return None
    part = {"stages": stage_pages.summary(place), "powers": power_pages.summary(place)}
    return page_parts.Part("pace/stage/_part.html", part)
