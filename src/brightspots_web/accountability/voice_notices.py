"""The words of notices, and what the worker does again: voice."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

EVENTS = (
    "opened", "reminder", "results", "few", "withdrawn", "owes", "moderates", "answer_due",
    "to_read", "key_lost",
)  # fmt: skip


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    on = date.fromisoformat(data["day"]) if data.get("day") else None
    if on is not None and event != "answer_due":
        on -= timedelta(days=1)
    return {
        "opened": _("You are asked: “{title}” Answers are taken until the end of {day}."),
        "reminder": _(
            "“{title}”: answers are taken until the end of {day}. Everybody who is asked gets "
            "this, whether they have answered or not."
        ),
        "results": _("“{title}” is counted: see what was answered."),
        "few": _("“{title}” has closed. Fewer than five answered, so nothing is shown."),
        "withdrawn": _("“{title}” was withdrawn: all answers were destroyed unread."),
        "owes": _("You owe the answer to a consultation that is open now: “{title}”"),
        "moderates": _("You are the moderator of a consultation that is open now: “{title}”"),
        "answer_due": _("“{title}” is counted. You owe an answer by {day}."),
        "to_read": _("“{title}” is counted: own words wait for you to read them."),
        "key_lost": _("“{title}” cannot be counted: its key is missing on the server."),
    }[event].format(title=data.get("title", ""), day=day(on) if on else "")


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        return Link(
            words(event, data), reverse("accountability:consultation", args=[data["consultation"]])
        )

    return render


for _event in EVENTS:
    kinds.register(f"accountability.voice_{_event}")(_render(_event))
