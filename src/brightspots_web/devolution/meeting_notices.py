"""The words of notices about meetings: when and whose, as it stands when they are read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.devolution import meeting_actions as actions
from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution import meeting_words as words
from brightspots_web.devolution.models import Meeting
from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

RenderMany = Callable[[Sequence[Mapping[str, Any]]], Sequence[Link | None]]


def _sentence(kind: str, meeting: Meeting) -> str:
    """What is said of it; "" for what is no longer so."""
    off = meeting.cancelled_at is not None
    if off != (kind == actions.CANCELLED) or not (off or queries.can_be_held(meeting)):
        return ""
    if kind == actions.SOON and queries.has_begun(meeting):
        return ""
    said = {
        actions.CALLED: _("{title}: you are invited. {when}"),
        actions.CHANGED: _("{title} has changed. {when}"),
        actions.CANCELLED: _("{title} is called off. It was to be on {when}"),
        actions.SOON: _("{title} is {days}. {when}"),
    }[kind]
    place = _(", {place}").format(place=meeting.place) if meeting.place and not off else ""
    return said.format(
        title=words.title(meeting), when=words.when(meeting) + place, days=words.in_days(meeting)
    )


def _render(kind: str) -> RenderMany:
    def render(notices: Sequence[Mapping[str, Any]]) -> list[Link | None]:
        found = queries.by_keys(data["meeting"] for data in notices)
        return [_link(kind, found.get(data["meeting"])) for data in notices]

    return render


def _link(kind: str, meeting: Meeting | None) -> Link | None:
    said = _sentence(kind, meeting) if meeting is not None else ""
    return (
        Link(said, reverse("devolution:meeting", args=[meeting.pk])) if meeting and said else None
    )


for _kind in (actions.CALLED, actions.CHANGED, actions.CANCELLED, actions.SOON):
    kinds.register_many(_kind)(_render(_kind))
