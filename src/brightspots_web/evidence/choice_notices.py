"""The words of notices about lotteries: what it is about and a day, and no school's name."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

EVENTS = (
    "put", "agreed", "declined", "opened", "place", "next", "moved_up", "drawn", "called_off",
    "stuck",
)  # fmt: skip


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    return {
        "put": _("A lottery waits for the ministry: “{title}”. Do you agree?"),
        "agreed": _("The ministry agrees to the lottery “{title}”. Its list can be closed."),
        "declined": _("The ministry does not agree to the lottery “{title}”; its page says why."),
        "opened": _("Your school is on the list of “{title}”. Places are drawn on {on}."),
        "place": _("Your school has a place: “{title}”."),
        "next": _("Places of “{title}” are drawn. Your school comes first next time."),
        "moved_up": _("A place became free: your school has one now in “{title}”."),
        "drawn": _("The lottery “{title}” is drawn. Anyone can check it."),
        "called_off": _("The lottery “{title}” is called off; its page says why."),
        "stuck": _("The lottery “{title}” could not be drawn; its page says what to do."),
    }[event].format(title=data.get("title", ""), on=day(date.fromisoformat(data["on"])))


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        return Link(words(event, data), reverse("evidence:lottery", args=[data["lottery"]]))

    return render


for _event in EVENTS:
    kinds.register(f"evidence.lottery_{_event}")(_render(_event))
