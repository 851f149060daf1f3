"""What a partnership's page says of its stages and powers, to everybody who opens it."""

from brightspots_web.connectedness import page_parts
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.pace import power_pages, stage_pages
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace import stage_queries as queries
from brightspots_web.pace import stage_words as words


@page_parts.register("pace", place=40)
def pace(found: Partnership, acting: Appointment | None) -> page_parts.Part | None:
    """How its round of this cycle stands, and what it holds."""
    place = places.find(acting, places.PARTNERSHIP, found.pk)
    if place is None:
        return None
    now = queries.round_now(place)
    agreed = queries.agreed_strands([now]).get(now.pk, 0) if now is not None else 0
    part = {
        "badge": words.badge(now, agreed),
        "url": stage_pages.url(place),
        "powers": power_pages.summary(place),
    }
    return page_parts.Part("pace/stage/_part.html", part)
