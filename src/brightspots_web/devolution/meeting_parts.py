"""What a partnership's page says of its data conversation and its meetings, to its own people."""

from brightspots_web.connectedness import page_parts
from brightspots_web.devolution import conversation_queries, meeting_pages
from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution import meeting_words as words
from brightspots_web.directory.models import Appointment, Partnership

SHOWN = 4
"""So many meetings are listed; the others are one click away."""


@page_parts.register("conversation", place=-50)
def conversation(found: Partnership, acting: Appointment | None) -> page_parts.Part | None:
    """The way into the conversation, before any figure."""
    if not conversation_queries.open_to(acting).filter(pk=found.pk).exists():
        return None
    part = {"code": found.code, "leads": queries.leads(acting)}
    return page_parts.Part("devolution/meeting/_conversation.html", part)


@page_parts.register("meetings", place=10)
def meetings(found: Partnership, acting: Appointment | None) -> page_parts.Part | None:
    """The next meeting and the last ones."""
    if not conversation_queries.open_to(acting).filter(pk=found.pk).exists():
        return None
    rows = list(queries.search(acting).filter(partnership=found)[:SHOWN])
    part = {
        "meetings": [
            {
                "when": words.moment(each.starts_at),
                "url": meeting_pages.url(each),
                "state": words.state(each),
                "there": meeting_pages.there_words(each),
            }
            for each in rows
        ],
        "leads": queries.leads(acting),
    }
    return page_parts.Part("devolution/meeting/_meetings.html", part)
