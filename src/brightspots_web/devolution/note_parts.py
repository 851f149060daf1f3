"""Small data on a partnership's page, for its schools and its leader."""

from django.urls import reverse

from brightspots_web.connectedness import page_parts
from brightspots_web.devolution import note_queries as queries
from brightspots_web.devolution import note_small_data as small
from brightspots_web.devolution import use_actions
from brightspots_web.directory.models import Appointment, Partnership

MOST = 3


@page_parts.register("small-data", place=20)
def small_data(found: Partnership, acting: Appointment | None) -> page_parts.Part | None:
    """The newest notes shared; that somebody looks at the page is counted, whoever it is."""
    use_actions.count(acting, use_actions.LOOKED)
    if not queries.is_member(acting, found):
        return None
    newest = queries.shared_with(found).exclude(words="").order_by("-on", "-pk")[:MOST]
    part = {
        "quotes": [small.quote(each) for each in newest],
        "all_url": f"{reverse('devolution:notes')}?whose=shared",
        "write_url": reverse("devolution:note_write") if queries.may_write(acting) else "",
    }
    return page_parts.Part("devolution/_partnership_notes.html", part)
