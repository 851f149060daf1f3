"""The words of notices about stages."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.pace import stage_parts  # noqa: F401 - registers a part of a page
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

EVENTS = ("opened", "soon", "closed", "put", "agree", "agreed")


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    return {
        "opened": _("How far is {name} in {cycle}? Rate it by yourself until {day}."),
        "soon": _("Your view of {name} is still missing. Ratings close after {day}."),
        "closed": _("The ratings of {name} in {cycle} are closed. Now the group agrees."),
        "put": _("Stages of {name} are put to the group. Say whether you carry them."),
        "agree": _("The stages of {name} in {cycle} are still to be agreed."),
        "agreed": _("The stages of {name} in {cycle} are agreed."),
    }[event].format(
        name=data.get("name", ""),
        cycle=data.get("cycle", ""),
        day=day(date.fromisoformat(data["closes"])) if data.get("closes") else "",
    )


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        url = reverse("pace:stage", args=[data["kind"], data["place"]])
        return Link(words(event, data), url)

    return render


for _event in EVENTS:
    kinds.register(f"pace.stage_{_event}")(_render(_event))
