"""The words of notices about challenge visits: a school and days, nothing anybody wrote."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link
from brightspots_web.shared.words import day

EVENTS = (
    "planned", "asked", "to_go", "comes", "cannot", "nobody", "moved", "self_view", "soon",
    "unwritten", "record", "words", "step", "to_agree", "agreed", "step_due", "follow", "overdue",
    "followed", "escalated", "answered", "ended", "called_off", "replaced",
)  # fmt: skip


def words(event: str, data: Mapping[str, Any]) -> str:
    """One sentence for each kind of notice."""
    later = data.get("follow_up_on", "")
    return {
        "planned": _("Somebody from outside visits {school} on {on}. Say how you see it first."),
        "asked": _("{school} asks for a challenge visit. Who could go?"),
        "to_go": _("You are asked to visit {school} as a challenger on {on}. Can you come?"),
        "comes": _("The challenger comes to {school} on {on}; the brief is drawn."),
        "cannot": _("The challenger of {school} cannot come. Who else could go?"),
        "nobody": _("The challenger of {school} is none any longer. Who else could go?"),
        "moved": _("The challenge visit to {school} is on another day: {on}."),
        "self_view": _("{school} has written how it sees itself before your visit."),
        "soon": _("The challenge visit to {school} is on {on}."),
        "unwritten": _("The visit to {school} was on {on}. Write down what you saw."),
        "record": _("The record of the visit to {school} is there. Add your own words."),
        "words": _("{school} has put its own words beside the record of the visit."),
        "step": _("Something to do was added after the visit to {school}."),
        "to_agree": _("What both sides do after the visit to {school} is still to be agreed."),
        "agreed": _("After the visit to {school} it is agreed what both sides do, until {later}."),
        "step_due": _("Something agreed after the visit to {school} is due."),
        "follow": _("On {later} both look again at what was agreed with {school}."),
        "overdue": _("The day to look again at what was agreed with {school} was {later}."),
        "followed": _("What was agreed after the visit to {school} was looked at again."),
        "escalated": _("{school} is offered support. Say whether you take it up."),
        "answered": _("{school} has answered the support it was offered."),
        "ended": _("The closer attention to {school} has ended; its page says why."),
        "called_off": _("The challenge visit to {school} is called off; its page says why."),
        "replaced": _("Somebody else will visit {school}: a conflict of interest was found."),
    }[event].format(
        school=data.get("school", ""),
        on=day(date.fromisoformat(data["on"])) if data.get("on") else "",
        later=day(date.fromisoformat(later)) if later else "",
    )


def _render(event: str) -> Callable[[Mapping[str, Any]], Link | None]:
    def render(data: Mapping[str, Any]) -> Link | None:
        return Link(words(event, data), reverse("accountability:challenge", args=[data["visit"]]))

    return render


for _event in EVENTS:
    kinds.register(f"accountability.challenge_{_event}")(_render(_event))
