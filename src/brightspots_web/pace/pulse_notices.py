"""Registers the pulse: words of notices, keys under the roof of voice, what others read of it."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.accountability import voice_queries
from brightspots_web.notices import kinds
from brightspots_web.pace import (
    pulse_for_plans,  # noqa: F401 - registers
    pulse_place_signs,  # noqa: F401 - registers
    pulse_queries,
)
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

EVENTS = ("opened", "reminder", "results", "few")


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    until = day(date.fromisoformat(data["day"]) - timedelta(days=1))
    return {
        "opened": _("Two questions on how this term goes: answer until the end of {day}."),
        "reminder": _(
            "The two questions of this term can be answered until the end of {day}. Everybody who "
            "is asked gets this, whether they have answered or not."
        ),
        "results": _("The two questions of the term are counted: see what was answered."),
        "few": _("The two questions of the term have closed. Nothing can be shown; see why."),
    }[event].format(day=until)


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    name = "pace:pulse_answer" if event in {"opened", "reminder"} else "pace:pulse"

    def render(data: Mapping[str, Any]) -> Link | None:
        return Link(words(event, data), reverse(name))

    return render


for _event in EVENTS:
    kinds.register(f"pace.pulse_{_event}")(_render(_event))
voice_queries.KEYS_ABOVE.append(pulse_queries.keys_in_use)
